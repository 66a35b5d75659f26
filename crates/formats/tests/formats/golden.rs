//! The bytes of every export of the awkward events, beside this file.
//!
//! After a wanted change copy the file that the failure names over the golden one, and read the difference.

use std::path::Path;

use annals_formats::{ExportOptions, Format, Heading, Row, Sheet, export, losses};
use bytes::Bytes;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader as _, SerializedFileReader};

use crate::sample::{awkward, endless, exported, exported_bytes, timeline};

fn check(format: Format) {
    check_text(format.as_str(), &exported(format, &awkward(), ExportOptions::default()).0);
}

fn check_text(format: &str, text: &str) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/formats/golden/awkward.{format}"));
    let expect = std::fs::read_to_string(&golden).unwrap_or_default();
    if text != expect {
        let actual = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("awkward.{format}"));
        std::fs::write(&actual, text).unwrap();
        panic!("{} is another now; the new one is {}", golden.display(), actual.display());
    }
}

#[test]
fn jsonl_is_as_it_was() {
    check(Format::Jsonl);
}

#[test]
fn json_is_as_it_was() {
    check(Format::Json);
}

#[test]
fn csv_is_as_it_was() {
    check(Format::Csv);
}

#[test]
fn markdown_is_as_it_was() {
    check(Format::Markdown);
}

#[test]
fn geojson_is_as_it_was() {
    check(Format::GeoJson);
}

#[test]
fn jsonld_is_as_it_was() {
    check(Format::JsonLd);
}

#[test]
fn atom_is_as_it_was() {
    check(Format::Atom);
}

/// The rows and not the bytes, which the crate that compresses them decides.
#[test]
fn parquet_holds_what_it_held() {
    let (bytes, _) = exported_bytes(Format::Parquet, &awkward(), ExportOptions::default());
    let reader = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    let told: Vec<String> = rows.map(|row| row.unwrap().to_string()).collect();
    check_text("parquet.txt", &(told.join("\n") + "\n"));
}

#[test]
fn a_table_of_any_length_is_written_in_groups() {
    let mut event = endless();
    event.title.truncate(1_000);
    let events = vec![event; 70_000];
    let (bytes, _) = exported_bytes(Format::Parquet, &events, ExportOptions::default());
    let reader = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
    let rows: Vec<i64> = reader.metadata().row_groups().iter().map(RowGroupMetaData::num_rows).collect();
    assert!(rows.len() == 3 && rows[0] == rows[1], "{rows:?}");
    assert_eq!(rows.iter().sum::<i64>(), 70_000);
}

#[test]
fn json_holds_the_lines_of_jsonl() {
    let (json, _) = exported(Format::Json, &awkward(), ExportOptions::default());
    let (jsonl, _) = exported(Format::Jsonl, &awkward(), ExportOptions::default());
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    let lines: Vec<serde_json::Value> =
        jsonl.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(document["schema"], "annals/timeline/1");
    assert_eq!(document["timeline"], "haiti");
    assert_eq!(document["events"], serde_json::Value::from(lines));
}

#[test]
fn an_empty_sheet_is_a_whole_document() {
    let (json, _) = exported(Format::Json, &[], ExportOptions::default());
    assert_eq!(
        json,
        "{\n  \"schema\": \"annals/timeline/1\",\n  \"timeline\": \"haiti\",\n  \"events\": []\n}\n"
    );
    let (markdown, _) = exported(Format::Markdown, &[], ExportOptions::default());
    assert_eq!(markdown, "# haiti\n");
    let (csv, _) = exported(Format::Csv, &[], ExportOptions::default());
    assert!(csv.starts_with("timeline,id,date,start_earliest,") && csv.ends_with(",extra\r\n"));
}

#[test]
fn several_timelines_and_a_title_are_named() {
    let timelines = [timeline(), "kenya".parse().unwrap()];
    let event = endless();
    let rows = [Row { timeline: &timelines[1], event: &event, sure: true, recorded: None }];
    let heading = Heading { title: Some("Two & more"), timelines: &timelines, updated: None };
    let sheet = Sheet { heading, rows: &rows };
    let text = |format| {
        let mut out = Vec::new();
        export(format, &sheet, ExportOptions::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let title = "x".repeat(10_000);
    let json: serde_json::Value = serde_json::from_str(&text(Format::Json)).unwrap();
    assert_eq!(json["title"], "Two & more");
    assert_eq!(json["timelines"], serde_json::json!(["haiti", "kenya"]));
    assert_eq!(json["events"][0]["timeline"], "kenya");
    let expect = format!(
        "# Two \\& more\n\nTimeline: haiti, kenya\n\n## 2024\n\n### 2024 · {title}\n\n- **Id:** endless\n- **Timeline:** kenya\n"
    );
    assert_eq!(text(Format::Markdown), expect);
}

#[test]
fn every_loss_is_said() {
    for format in Format::ALL {
        let (_, lost) = exported_bytes(*format, &awkward(), ExportOptions::default());
        let expect = match format {
            Format::Markdown | Format::Atom => "1 event lost its extra fields",
            Format::GeoJson => "19 events without coordinates are on no map",
            _ => "",
        };
        assert_eq!(lost.to_string(), expect, "{format}");
        assert_eq!(lost.is_empty(), expect.is_empty());
        let timelines = [timeline()];
        let heading = Heading { title: None, timelines: &timelines, updated: None };
        let sheet = Sheet { heading, rows: &[] };
        assert!(losses(*format, &sheet, ExportOptions::default()).unwrap().is_empty());
    }
}
