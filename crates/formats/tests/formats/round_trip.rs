//! What was exported comes back as it was.

use annals_formats::{ExportOptions, Format, ImportFormat, ImportOptions};
use annals_model::Event;
use annals_model::line::event_line;
use bytes::Bytes;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::RowAccessor as _;
use proptest::prelude::*;

use crate::arbitrary;
use crate::sample::{awkward, endless, exported, exported_bytes, imported, timeline};

fn check(events: &[Event]) {
    let (jsonl, lost) = exported(Format::Jsonl, events, ExportOptions::default());
    assert!(lost.is_empty());
    assert_eq!(imported(ImportFormat::Jsonl, &jsonl, ImportOptions::default()), events);
    for raw in [false, true] {
        let (csv, lost) = exported(Format::Csv, events, ExportOptions { raw });
        assert!(lost.is_empty());
        assert_eq!(imported(ImportFormat::Csv, &csv, ImportOptions { map: None, raw }), events);
    }
}

/// Our table, read and written again by the crate `csv` in the manner of another program.
fn rewritten(table: &str, delimiter: u8, style: csv::QuoteStyle, terminator: csv::Terminator) -> String {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(table.as_bytes());
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .quote_style(style)
        .terminator(terminator)
        .from_writer(Vec::new());
    for record in reader.byte_records() {
        writer.write_byte_record(&record.unwrap()).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

#[test]
fn the_awkward_events_come_back() {
    let mut events = awkward();
    events.push(endless());
    check(&events);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_event_comes_back(events in proptest::collection::vec(arbitrary::event(), 0..4)) {
        check(&events);
    }

    #[test]
    fn other_programs_read_our_tables_and_we_read_theirs(events in proptest::collection::vec(arbitrary::event(), 1..3)) {
        let (table, _) = exported(Format::Csv, &events, ExportOptions::default());
        let always = rewritten(&table, b',', csv::QuoteStyle::Always, csv::Terminator::Any(b'\n'));
        prop_assert_eq!(&imported(ImportFormat::Csv, &always, ImportOptions::default()), &events);
        let tabs = rewritten(&table, b'\t', csv::QuoteStyle::Necessary, csv::Terminator::CRLF);
        prop_assert_eq!(&imported(ImportFormat::Tsv, &tabs, ImportOptions::default()), &events);
    }

    #[test]
    fn any_event_is_whole_for_maps_linked_data_and_tables(events in proptest::collection::vec(arbitrary::event(), 1..3)) {
        let json = |format| {
            let (text, _) = exported(format, &events, ExportOptions::default());
            serde_json::from_str::<serde_json::Value>(&text).unwrap()
        };
        let (map, graph) = (json(Format::GeoJson), json(Format::JsonLd));
        let (bytes, _) = exported_bytes(Format::Parquet, &events, ExportOptions::default());
        let table = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
        let rows: Vec<_> = table.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        prop_assert_eq!(rows.len(), events.len());
        for (index, event) in events.iter().enumerate() {
            let mut properties = map["features"][index]["properties"].clone();
            let unsure = properties.as_object_mut().unwrap().remove("possibly");
            prop_assert_eq!(unsure.is_none(), event.date.is_some());
            let line = event_line(&timeline(), event).unwrap();
            prop_assert_eq!(&properties, &serde_json::from_str::<serde_json::Value>(&line).unwrap());
            let node = &graph["@graph"][index];
            prop_assert_eq!(node["name"].as_str(), Some(event.title.as_str()));
            prop_assert_eq!(node["date"].as_str(), event.date.as_ref().map(annals_model::Date::as_str));
            prop_assert_eq!(rows[index].get_string(1).unwrap(), event.id.as_str());
            prop_assert_eq!(rows[index].get_string(17).unwrap(), &event.title);
        }
    }

    #[test]
    fn no_text_is_anything_but_text_in_a_feed(events in proptest::collection::vec(arbitrary::event(), 1..3)) {
        let (feed, _) = exported(Format::Atom, &events, ExportOptions::default());
        prop_assert_eq!(feed.matches("<entry>").count(), events.len());
        let is_raw = |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c);
        prop_assert!(!feed.contains(is_raw));
        for (_, rest) in feed.match_indices('&').map(|(at, _)| feed.split_at(at + 1)) {
            let is_known = ["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|name| rest.starts_with(name));
            prop_assert!(is_known, "{}", rest);
        }
        let elements = feed.matches('<').count() - feed.matches("</").count();
        prop_assert!(elements >= feed.matches("</").count() && feed.matches('<').count() == feed.matches('>').count());
    }

    #[test]
    fn no_text_cell_begins_like_a_formula(events in proptest::collection::vec(arbitrary::event(), 1..3)) {
        let (table, _) = exported(Format::Csv, &events, ExportOptions::default());
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        let header = reader.headers().unwrap().clone();
        for record in reader.records() {
            for (name, cell) in header.iter().zip(&record.unwrap()) {
                let is_number = matches!(name, "date" | "lat" | "lon" | "confidence")
                    || name.starts_with("start_") || name.starts_with("end_");
                let is_formula = cell.starts_with(|c: char| "=+-@＝".contains(c) || c.is_control());
                prop_assert!(is_number || !is_formula, "{}: {:?}", name, cell);
            }
        }
    }
}
