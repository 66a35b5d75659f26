//! What was exported comes back as it was.

use annals_formats::{ExportOptions, Format, ImportFormat, ImportOptions};
use annals_model::Event;
use proptest::prelude::*;

use crate::arbitrary;
use crate::sample::{awkward, endless, exported, imported};

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
