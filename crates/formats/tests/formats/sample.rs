//! The awkward events that every format has to carry, and the helpers that every test here needs.

use std::io;

use annals_formats::{
    ExportOptions, Format, Heading, ImportFormat, ImportOptions, Losses, Recorded, Row, Sheet, export, read,
};
use annals_model::fold::Counted;
use annals_model::line::Line;
use annals_model::{Event, EventId, RecordedAt, Seq, TimelineName, Write};

/// The formats that are read as well as written.
pub const BOTH_WAYS: [(Format, ImportFormat); 6] = [
    (Format::Jsonl, ImportFormat::Jsonl),
    (Format::Csv, ImportFormat::Csv),
    (Format::Ics, ImportFormat::Ics),
    (Format::TimelineJs, ImportFormat::TimelineJs),
    (Format::Markwhen, ImportFormat::Markwhen),
    (Format::Timesketch, ImportFormat::Timesketch),
];

/// One event a line, as people would write them down.
const AWKWARD: &str = include_str!("../../../../tests/fixtures/awkward/events.jsonl");

/// The awkward events in the order of a list.
pub fn awkward() -> Vec<Event> {
    let events: Vec<Event> = AWKWARD.lines().filter(|line| !line.is_empty()).map(event).collect();
    let mut counted: Vec<Counted<'_>> = events
        .iter()
        .zip(1..)
        .map(|(event, place)| Counted { place: Seq(place), seq: Seq(place), event })
        .collect();
    counted.sort_by_cached_key(Counted::list_order);
    counted.into_iter().map(|counted| counted.event.clone()).collect()
}

/// An event with a title as long as a title may be.
pub fn endless() -> Event {
    event(&format!(r#"{{"id":"endless","date":"2024","title":"{}"}}"#, "x".repeat(10_000)))
}

pub fn event(json: &str) -> Event {
    let line = Line::parse(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    line_event(line).1
}

/// The timeline and the event of a line.
pub fn line_event(line: Line) -> (String, Event) {
    let entry = line.into_entry(&timeline(), || EventId::new("made").unwrap());
    match entry.write {
        Write::Append(event) => (entry.timeline.to_string(), *event),
        other => panic!("not an append: {other:?}"),
    }
}

pub fn timeline() -> TimelineName {
    TimelineName::new("haiti").unwrap()
}

/// A row of an event that was recorded once, in the order of the rows.
pub fn row<'a>(timeline: &'a TimelineName, seq: u64, event: &'a Event) -> Row<'a> {
    let (first, at) = (Seq(seq), RecordedAt::from_micros(1_700_000_000_000_000));
    let recorded = Recorded { first, seq: first, previous: None, at, by: "ann <&>" };
    Row { timeline, event, sure: event.date.is_some(), recorded }
}

/// The export of events of one timeline as text, and what it lost.
pub fn exported(format: Format, events: &[Event], options: ExportOptions) -> (String, Losses) {
    let (bytes, losses) = exported_bytes(format, events, options);
    (String::from_utf8(bytes).unwrap(), losses)
}

/// The export of events of one timeline, each the revision of its record before last, and what it lost.
pub fn exported_bytes(format: Format, events: &[Event], options: ExportOptions) -> (Vec<u8>, Losses) {
    let name = timeline();
    let row = |(event, number): (_, u64)| Row {
        timeline: &name,
        event,
        sure: event.date.is_some(),
        recorded: recorded(number),
    };
    let rows: Vec<Row<'_>> = events.iter().zip(1..).map(row).collect();
    let timelines = [name.clone()];
    let updated = rows.last().map(|row| row.recorded.at);
    let sheet =
        Sheet { heading: Heading { timelines: &timelines, updated, ..Heading::default() }, rows: &rows };
    let mut out = Vec::new();
    let losses = export(format, &sheet, options, &mut out).unwrap();
    (out, losses)
}

/// The record of an event: every second one is a revision.
fn recorded(number: u64) -> Recorded<'static> {
    let previous = number.is_multiple_of(2).then_some(Seq(number));
    let at = RecordedAt::from_micros(1_700_000_000_000_000 + 1_000_000 * i64::try_from(number).unwrap());
    Recorded {
        first: previous.unwrap_or(Seq(number + 100)),
        seq: Seq(number + 100),
        previous,
        at,
        by: "ann <&>",
    }
}

/// The events of a text; any fault is a failure.
pub fn imported(format: ImportFormat, text: &str, options: ImportOptions<'_>) -> Vec<Event> {
    let reads = read(format, Box::new(io::Cursor::new(text)), options);
    reads
        .map(|read| match read.outcome {
            Ok(line) => {
                let (timeline_name, event) = line_event(line);
                assert_eq!(timeline_name, "haiti");
                event
            }
            Err(fault) => panic!("line {}: {fault}\n{text}", read.line),
        })
        .collect()
}

/// Each entry of a text as `line: title at date`, or `line: error (hint)`.
pub fn outcomes(format: ImportFormat, bytes: &[u8], options: ImportOptions<'_>) -> Vec<String> {
    read(format, Box::new(io::Cursor::new(bytes)), options).map(shown).collect()
}

/// One entry's outcome, as text.
pub fn shown(read: annals_formats::Read) -> String {
    match read.outcome {
        Ok(line) => {
            let event = line_event(line).1;
            let date = event.date.map_or("undated".to_owned(), |date| date.to_string());
            format!("{}: {} at {date}", read.line, event.title)
        }
        Err(annals_formats::Fault::Entry(e) | annals_formats::Fault::File(e)) => {
            let hint = e.hint().map_or(String::new(), |hint| format!(" ({hint})"));
            format!("{}: {e}{hint}", read.line)
        }
        Err(fault) => format!("{}: {fault}", read.line),
    }
}
