//! The awkward events that every format has to carry, and the helpers that every test here needs.

use std::io;

use annals_formats::{
    ExportOptions, Format, Heading, ImportFormat, ImportOptions, Losses, Row, Sheet, export, read,
};
use annals_model::fold::Counted;
use annals_model::line::Line;
use annals_model::{Event, EventId, Seq, TimelineName, Write};

/// One event a line, as people would write them down.
const AWKWARD: &str = r#"
{"id":"undated","title":"Nobody knows when","kind":"rumour"}
{"id":"bce","date":"-0043-03-15","title":"Caesar is killed","actors":[{"name":"Brutus"},{"name":"Cassius"}],"tags":["rome","senate"]}
{"id":"year-only","date":"2004","title":"UN police deployed","effects":[{"op":"set","entity":"un-police","attribute":"status","value":"present"},{"op":"add","entity":"haiti","attribute":"missions","value":"MINUSTAH","when":"during"},{"op":"clear","entity":"un-police","attribute":"left"}]}
{"id":"circa","date":"2010~","kind":"outbreak","title":"Cholera reaches Haiti","description":"The first case.\n\n- not a list\n# not a heading\nand its last line","actors":[{"name":"UN peacekeepers","role":"source"}],"place":{"name":"Port-au-Prince","lat":18.54,"lon":-72.34,"precision":"city"},"tags":["health"],"sources":[{"title":"The [report]","url":"https://example.org/a?b=c&copy=d","date":"2023-11-13","quote":"\"9,000\" people died.\n> Not quoted twice.","locator":"par. 9","archived":"https://archive.example/x","sha256":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}],"confidence":90,"links":[{"rel":"caused-by","to":"year-only"}],"effects":[{"op":"increase","entity":"cholera","attribute":"deaths","value":9000},{"op":"increase","entity":"cholera","attribute":"rate","value":-0.25}],"extra":{"ISO":"HT","raw":[1.0e5,null]}}
{"id":"one-of","date":"[2017..2019]","title":"Once, in one of three years"}
{"id":"each-of","date":"{2017,2019}","title":"Twice","effects":[{"op":"set","entity":"withdrawn","attribute":"who","value":["police","troops"]}]}
{"id":"open-end","date":"2023-10-02/..","title":"Still going on"}
{"id":"unknown-end","date":"2023-10-02/","title":"Ended, nobody knows when"}
{"id":"open-start","date":"../2019","title":"Without a beginning"}
{"id":"unknown-start","date":"/2019","title":"Began at an unknown time"}
{"id":"far-past","date":"Y-17E7","title":"Long ago"}
{"id":"winter","date":"2023-24","title":"Winter, the end of it in 2024"}
{"id":"instant","date":"2023-10-02T15:30:00+02:00","title":"An instant with an offset"}
{"id":"one-day","date":"2023-10-02/2023-10-02","title":"An interval of one day"}
{"id":"script","date":"2024-01-01","title":"</script><script>alert(1)</script>","description":"<img src=x onerror=alert(1)> [x](javascript:alert(1)) `code` *b* _i_ |cell| &lt; 1. one"}
{"id":"formula","date":"2024-01-02","title":"=HYPERLINK(\"x\")","kind":"+1","description":"-1+1|cmd","tags":["@x"],"place":{"name":"@place"}}
{"id":"calendar","date":"2024-01-03","title":"BEGIN:VEVENT\r\nSUMMARY:x","description":"END:VCALENDAR; a\\,b"}
{"id":"bidi","date":"2024-01-04","title":"safe\u202egnp.exe\u202c and \u0007bell","actors":[{"name":"a\u200bb"}]}
{"id":"apostrophes","date":"2024-01-05","title":"'tis","kind":"'=1","description":"''-","tags":["'","'@"]}
{"id":"emoji, \"quoted\"","date":"2024-01-06","title":"👩‍🚒, \"quotes\"; and 🇭🇹","actors":[{"name":"a;b"},{"name":"[c]"}],"tags":["[d]"],"sources":[{"title":"Only a title"},{"url":"javascript:alert(1)"}]}
"#;

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

/// The export of events of one timeline, and what it lost.
pub fn exported(format: Format, events: &[Event], options: ExportOptions) -> (String, Losses) {
    let name = timeline();
    let rows: Vec<Row<'_>> =
        events.iter().map(|event| Row { timeline: &name, event, sure: event.date.is_some() }).collect();
    let timelines = [name.clone()];
    let sheet = Sheet { heading: Heading { title: None, timelines: &timelines }, rows: &rows };
    let mut out = Vec::new();
    let losses = export(format, &sheet, options, &mut out).unwrap();
    (String::from_utf8(out).unwrap(), losses)
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
