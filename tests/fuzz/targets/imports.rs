//! Files of events: every format that `import` reads.
//!
//! Every event that comes out of a file can be written as a line, which is read as the same event. A target of its own
//! exports the events of any file to every format, which takes many times as long as reading them.

use std::io::Cursor;

use annals_formats::{
    ColumnMap, ExportOptions, Format, Heading, ImportFormat, ImportOptions, Recorded, Row, Sheet, export,
    read,
};
use annals_model::line::{Line, event_line};
use annals_model::{Event, EventId, RecordedAt, Seq, TimelineName, Write};

/// Events of one file that are exported again.
const MOST: usize = 20;
/// What a file of the target `exports` begins with: a letter for its format.
const LETTERS: [(u8, ImportFormat); 7] = [
    (b'j', ImportFormat::Jsonl),
    (b'c', ImportFormat::Csv),
    (b't', ImportFormat::Tsv),
    (b'i', ImportFormat::Ics),
    (b'm', ImportFormat::Markwhen),
    (b'l', ImportFormat::TimelineJs),
    (b's', ImportFormat::Timesketch),
];

pub fn jsonl(bytes: &[u8]) {
    file(ImportFormat::Jsonl, bytes, None);
}

pub fn csv(bytes: &[u8]) {
    file(ImportFormat::Csv, bytes, None);
}

/// A table and its column map, with a line `===` between them.
pub fn mapped(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some((map, table)) = text.split_once("\n===\n") else { return };
    if let Ok(map) = ColumnMap::from_toml(map) {
        file(ImportFormat::Csv, table.as_bytes(), Some(&map));
        file(ImportFormat::Tsv, table.as_bytes(), Some(&map));
    }
}

pub fn ics(bytes: &[u8]) {
    file(ImportFormat::Ics, bytes, None);
}

pub fn markwhen(bytes: &[u8]) {
    file(ImportFormat::Markwhen, bytes, None);
}

pub fn timelinejs(bytes: &[u8]) {
    file(ImportFormat::TimelineJs, bytes, None);
}

pub fn timesketch(bytes: &[u8]) {
    file(ImportFormat::Timesketch, bytes, None);
}

/// A letter that says what the rest is, and a file, whose first events are exported.
pub fn exports(bytes: &[u8]) {
    let Some((letter, bytes)) = bytes.split_first() else { return };
    let Some((_, format)) = LETTERS.iter().find(|(known, _)| known == letter) else { return };
    let mut events = file(*format, bytes, None);
    events.truncate(MOST);
    everywhere(&TimelineName::new("main").unwrap(), &events);
}

fn file(format: ImportFormat, bytes: &[u8], map: Option<&ColumnMap>) -> Vec<Event> {
    let timeline = TimelineName::new("main").unwrap();
    let options = ImportOptions { map, raw: false };
    let (mut events, mut entries) = (Vec::new(), 0);
    for entry in read(format, Box::new(Cursor::new(bytes)), options) {
        entries += 1;
        assert!(entries <= bytes.len() + 1, "a file has no more entries than bytes");
        match entry.outcome {
            Ok(line) => events.extend(kept(line, &timeline)),
            Err(fault) => assert!(!fault.to_string().is_empty()),
        }
    }
    events
}

/// The event of a line, if it has one, which comes back from its own line.
fn kept(line: Line, timeline: &TimelineName) -> Option<Event> {
    let id = || EventId::new("made").unwrap();
    let entry = line.into_entry(timeline, id);
    let (Write::Append(event) | Write::Revise(event)) = entry.write else { return None };
    let written = event_line(&entry.timeline, &event).unwrap();
    let again = Line::parse(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
    let again = again.into_entry(timeline, id);
    assert_eq!(again.timeline, entry.timeline);
    let Write::Append(again) = again.write else { panic!("no append: {written}") };
    assert_eq!(again, event, "{written}");
    Some(*event)
}

/// Exports the events to every format, and to JSON Lines and back.
fn everywhere(timeline: &TimelineName, events: &[Event]) {
    let at = RecordedAt::from_micros(1_700_000_000_000_000);
    let rows: Vec<Row<'_>> = (1..)
        .zip(events)
        .map(|(seq, event)| Row {
            timeline,
            event,
            sure: event.date.is_some(),
            recorded: Recorded { first: Seq(seq), seq: Seq(seq), previous: None, at, by: "ann <&>" },
        })
        .collect();
    let timelines = [timeline.clone()];
    let sheet = Sheet {
        heading: Heading { timelines: &timelines, updated: Some(at), ..Heading::default() },
        rows: &rows,
    };
    for format in Format::ALL {
        let mut out = Vec::new();
        export(*format, &sheet, ExportOptions::default(), &mut out).unwrap();
        let is_text = *format != Format::Parquet;
        assert!(!is_text || std::str::from_utf8(&out).is_ok(), "{format}");
        if *format == Format::Jsonl {
            let again = read(ImportFormat::Jsonl, Box::new(Cursor::new(&out)), ImportOptions::default());
            assert_eq!(again.filter(|entry| entry.outcome.is_ok()).count(), events.len());
        }
    }
}
