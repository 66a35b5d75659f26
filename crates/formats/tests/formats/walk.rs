//! Every format walked with the same events: what goes in comes out, or is counted as left out.
//!
//! Each format is read with nothing of ours, so that a mistake of an exporter is not made good by its importer.

use std::collections::BTreeSet;

use annals_formats::{ExportOptions, Format, ImportFormat, ImportOptions};
use annals_model::Event;
use bytes::Bytes;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use serde_json::Value;

use crate::others::LEFT_OUT;
use crate::sample::{BOTH_WAYS, awkward, endless, event, exported_bytes, imported};

/// The kinds of date that vague timelines hold and that other programs drop, move or break.
const AWKWARD: [&str; 14] = [
    "undated",
    "bce",
    "year-only",
    "circa",
    "one-of",
    "each-of",
    "open-end",
    "unknown-end",
    "open-start",
    "unknown-start",
    "far-past",
    "winter",
    "instant",
    "one-day",
];

/// Events whose titles, texts and labels some target would take for more than texts.
fn hostile() -> Vec<Event> {
    let titles: Vec<String> =
        serde_json::from_str(include_str!("../../../../tests/fixtures/hostile/titles.json")).unwrap();
    let made = titles.iter().enumerate().map(|(number, title)| {
        let label: String = title.chars().filter(|c| !c.is_control()).collect();
        let json = serde_json::json!({
            "id": format!("h{number}"), "title": title, "date": "2024-02-29", "kind": label, "tags": [label],
            "description": format!("{title}\n\n{title}\n{title}"), "actors": [{"name": label, "role": label}],
            "place": {"name": label}, "sources": [{"title": label, "quote": title, "url": label}],
            "effects": [{"op": "set", "entity": label, "attribute": "title", "value": title}],
        });
        event(&json.to_string())
    });
    made.chain([endless()]).collect()
}

/// How many events a reader finds that knows the format and nothing of Annals.
fn found(format: Format, bytes: &[u8]) -> usize {
    if format == Format::Parquet {
        let table = SerializedFileReader::new(Bytes::from(bytes.to_vec())).unwrap();
        return table.get_row_iter(None).unwrap().count();
    }
    let text = std::str::from_utf8(bytes).unwrap();
    let json = |list: &str| {
        let document: Value = serde_json::from_str(text).unwrap();
        document[list].as_array().unwrap().len()
    };
    let lines = |is_one: fn(&str) -> bool| text.lines().filter(|line| is_one(line)).count();
    match format {
        Format::Json | Format::TimelineJs => json("events"),
        Format::GeoJson => json("features"),
        Format::JsonLd => json("@graph"),
        Format::Jsonl => lines(|line| serde_json::from_str::<Value>(line).unwrap().is_object()),
        Format::Csv => csv::Reader::from_reader(bytes).records().map(Result::unwrap).count(),
        Format::Timesketch => {
            let row = |line: &str| serde_json::from_str::<Value>(line).unwrap()["event_id"].to_string();
            text.lines().map(row).collect::<BTreeSet<_>>().len()
        }
        Format::Markdown => lines(|line| line.starts_with("### ")),
        Format::Html => lines(|line| line.starts_with("<li id=e")),
        Format::Ics => lines(|line| line == "BEGIN:VEVENT"),
        Format::Markwhen => lines(|line| line.starts_with("edtf: ")),
        Format::Mermaid => lines(|line| line.contains(" : ")),
        Format::Atom => text.matches("<entry>").count(),
        Format::Parquet => 0,
    }
}

fn check(format: Format, events: &[Event]) -> u64 {
    let (bytes, lost) = exported_bytes(format, events, ExportOptions::default());
    let left_out: u64 =
        lost.iter().filter(|(kind, ..)| LEFT_OUT.contains(kind)).map(|(_, count, _)| count).sum();
    assert_eq!(found(format, &bytes) as u64 + left_out, events.len() as u64, "{format}\n{lost}");
    left_out
}

#[test]
fn of_the_awkward_events_each_comes_out_of_every_format_or_is_counted() {
    let events = awkward();
    for id in AWKWARD {
        assert!(events.iter().any(|event| event.id.as_str() == id), "no {id} among the awkward events");
    }
    for format in Format::ALL {
        // One by one: what is counted is the event that is not there, and no other.
        let one_by_one: u64 = events.iter().map(|event| check(*format, std::slice::from_ref(event))).sum();
        assert_eq!(check(*format, &events), one_by_one, "{format}");
    }
}

#[test]
fn of_the_hostile_events_none_is_lost_and_none_is_more_than_one() {
    let events = hostile();
    for format in Format::ALL {
        for event in &events {
            assert_eq!(check(*format, std::slice::from_ref(event)), 0, "{format}: {}", event.title);
        }
        assert_eq!(check(*format, &events), 0, "{format}");
    }
}

#[test]
fn hostile_events_come_back_through_every_importer() {
    let events = hostile();
    for (format, back) in BOTH_WAYS {
        let (bytes, _) = exported_bytes(format, &events, ExportOptions::default());
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(imported(back, &text, ImportOptions::default()), events, "{format}");
    }
    let tabs = csv_with_tabs(&events);
    assert_eq!(imported(ImportFormat::Tsv, &tabs, ImportOptions::default()), events);
}

/// The table as a program writes it that parts its cells with tabs.
fn csv_with_tabs(events: &[Event]) -> String {
    let (bytes, _) = exported_bytes(Format::Csv, events, ExportOptions::default());
    let mut writer = csv::WriterBuilder::new().delimiter(b'\t').from_writer(Vec::new());
    for row in csv::ReaderBuilder::new().has_headers(false).from_reader(&*bytes).records() {
        writer.write_record(&row.unwrap()).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// An event with a word of its own in every field, and the words by the field that holds them.
fn full() -> (Event, Vec<(&'static str, &'static str)>) {
    let json = r#"{"id":"wordid","date":"2010~","kind":"wordkind","title":"wordtitle","description":"worddescription",
        "actors":[{"name":"wordactor","role":"wordrole"}],
        "place":{"name":"wordplace","lat":12.345,"lon":54.321,"precision":"wordprecision"},"tags":["wordtag"],
        "sources":[{"title":"wordsource","url":"https://wordurl.example/x","date":"2011","quote":"wordquote",
            "locator":"wordlocator","archived":"https://wordarchived.example/x",
            "sha256":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}],
        "confidence":87,"links":[{"rel":"wordrel","to":"wordto"}],
        "effects":[{"op":"set","entity":"wordentity","attribute":"wordattribute","value":"wordvalue","when":"end"},
            {"op":"increase","entity":"wordentity","attribute":"wordnumber","value":4711},
            {"op":"add","entity":"wordentity","attribute":"wordset","value":"wordmember"}],
        "extra":{"wordextra":"wordkept"}}"#;
    let words = vec![
        ("date", "2010~"),
        ("kind", "wordkind"),
        ("title", "wordtitle"),
        ("description", "worddescription"),
        ("actors", "wordactor"),
        ("actors", "wordrole"),
        ("place", "wordplace"),
        ("place", "12.345"),
        ("place", "54.321"),
        ("place", "wordprecision"),
        ("tags", "wordtag"),
        ("sources", "wordsource"),
        ("sources", "wordurl"),
        ("sources", "2011"),
        ("sources", "wordquote"),
        ("sources", "wordlocator"),
        ("sources", "wordarchived"),
        ("sources", "0123456789abcdef0123456789abcdef"),
        ("confidence", "87"),
        ("links", "wordrel"),
        ("links", "wordto"),
        ("effects", "wordentity"),
        ("effects", "wordattribute"),
        ("effects", "wordvalue"),
        ("effects", "4711"),
        ("effects", "wordset"),
        ("effects", "wordmember"),
        ("extra", "wordextra"),
        ("extra", "wordkept"),
    ];
    (event(&json.replace('\n', " ")), words)
}

#[test]
fn every_field_of_an_event_is_in_every_format_or_counted() {
    let (event, words) = full();
    for format in Format::ALL {
        let (bytes, lost) = exported_bytes(*format, std::slice::from_ref(&event), ExportOptions::default());
        let text = if *format == Format::Parquet {
            let table = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
            table.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect()
        } else {
            // A calendar folds its lines wherever they are full.
            String::from_utf8(bytes).unwrap().replace("\r\n ", "")
        };
        let kinds: Vec<&str> = lost.iter().map(|(kind, ..)| kind).collect();
        for (field, word) in &words {
            // Mermaid says the date in words, as its periods are labels.
            let is_told = text.contains(word) || (*field == "date" && text.contains("2010 (circa)"));
            assert!(
                is_told || kinds.contains(field),
                "{format} has lost {field} {word} without a word\n{lost}"
            );
            assert!(
                !kinds.contains(field) || !is_told,
                "{format} says that it has lost {field} {word}\n{text}"
            );
        }
    }
}
