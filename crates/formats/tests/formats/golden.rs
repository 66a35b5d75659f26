//! The bytes of every export of the awkward events, beside this file.
//!
//! After a wanted change copy the file that the failure names over the golden one, and read the difference.

use std::path::Path;

use annals_formats::{ExportOptions, Format, Heading, Row, Sheet, export, losses};
use annals_model::Event;
use bytes::Bytes;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader as _, SerializedFileReader};

use crate::sample::{awkward, endless, event, exported, exported_bytes, row, timeline};

fn check(format: Format) {
    let (mut text, _) = exported(format, &awkward(), ExportOptions::default());
    if format == Format::Html {
        text = without_own_sources(&text);
    }
    check_text(format.as_str(), &text);
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

/// A page without its style and script, and without their hashes.
fn without_own_sources(page: &str) -> String {
    let cut = |page: &str, from: &str, to: &str| {
        let (before, rest) = page.rsplit_once(from).unwrap();
        format!("{before}{from}{}", &rest[rest.find(to).unwrap()..])
    };
    let page = cut(page, "<style>", "</style>");
    let page = cut(&page, "<script>", "</script>");
    let page = cut(&page, "script-src 'sha256-", "'");
    cut(&page, "style-src 'sha256-", "'")
}

#[test]
fn a_page_allows_its_own_style_and_script_and_no_other() {
    let (page, _) = exported(Format::Html, &awkward(), ExportOptions::default());
    let (again, _) = exported(Format::Html, &awkward(), ExportOptions::default());
    assert_eq!(page, again);
    let policy =
        page.split_once("Content-Security-Policy\" content=\"").unwrap().1.split_once('"').unwrap().0;
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(policy.ends_with("'; base-uri 'none'; form-action 'none'"), "{policy}");
    assert!(!page.contains(" style=\"") && !page.contains(" onclick"), "an inline style or handler");
    // One script of ours, one block of data, and what a title says is neither.
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("</script>").count(), 2);
}

#[test]
fn an_attribute_that_would_fill_the_page_is_left_out_whole_and_counted() {
    let grows = |number: usize| {
        let member = format!("{number} {}", "x".repeat(9_000));
        event(&format!(
            r#"{{"id":"e{number}","date":"{}","title":"t","effects":[{{"op":"add","entity":"a","attribute":"all","value":"{member}"}},{{"op":"set","entity":"a","attribute":"last","value":{number}}}]}}"#,
            1900 + number
        ))
    };
    let events: Vec<Event> = (0..40).map(grows).collect();
    let (page, lost) = exported(Format::Html, &events, ExportOptions::default());
    assert_eq!(lost.to_string(), "1 attribute has too many values for the state at every date");
    assert!(page.contains(r#""left_out":1"#) && page.contains(r#""names":["last"],"entities":[[0,"a",[[0,"#));
    let (_, lost) = exported(Format::Html, &events[..10], ExportOptions::default());
    assert!(lost.is_empty());
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
fn html_is_as_it_was() {
    check(Format::Html);
}

#[test]
fn ics_is_as_it_was() {
    check(Format::Ics);
}

#[test]
fn timelinejs_is_as_it_was() {
    check(Format::TimelineJs);
}

#[test]
fn markwhen_is_as_it_was() {
    check(Format::Markwhen);
}

#[test]
fn mermaid_is_as_it_was() {
    check(Format::Mermaid);
}

#[test]
fn timesketch_is_as_it_was() {
    check(Format::Timesketch);
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
    let rows = [row(&timelines[1], 1, &event)];
    let heading = Heading { title: Some("Two & more"), timelines: &timelines, ..Heading::default() };
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
fn every_loss_is_counted() {
    let check = |format: Format, expect: &[&str]| {
        let (_, lost) = exported_bytes(format, &awkward(), ExportOptions::default());
        assert_eq!(lost.to_string(), expect.join("\n"), "{format}");
        let timelines = [timeline()];
        let sheet = Sheet { heading: Heading { timelines: &timelines, ..Heading::default() }, rows: &[] };
        assert!(losses(format, &sheet, ExportOptions::default()).unwrap().is_empty());
    };
    check(Format::Jsonl, &[]);
    check(Format::Json, &[]);
    check(Format::Csv, &[]);
    check(Format::Markdown, &["1 event lost its extra fields"]);
    check(Format::Html, &["1 event lost its extra fields"]);
    check(Format::Atom, &["1 event lost its extra fields"]);
    check(Format::GeoJson, &["19 events without coordinates are on no map"]);
    check(Format::JsonLd, &[]);
    check(Format::Parquet, &[]);
    check(
        Format::Ics,
        &[
            "4 dates have their open or unknown side in words only",
            "7 dates that name no day fill all their days",
            "2 events left out whose years the target cannot hold",
            "1 date has its \"circa\" in words only",
            "2 dates somewhere within a stretch are drawn as all of it",
            "1 date of several happenings is drawn as one stretch",
            "1 undated event left out",
        ],
    );
    check(
        Format::TimelineJs,
        &[
            "4 dates have their open or unknown side in words only",
            "1 date lies so far away that TimelineJS draws every date by its year only",
            "1 date has its \"circa\" in words only",
            "2 dates somewhere within a stretch are drawn as all of it",
            "3 ends that name no day are drawn where their years or months begin",
            "1 date of several happenings is drawn as one stretch",
            "1 time of day has its offset from UTC in words only",
            "1 undated event left out",
        ],
    );
    check(
        Format::Markwhen,
        &[
            "4 dates have their open or unknown side in words only",
            "1 event left out whose years the target cannot hold",
            "1 date before year 1 is drawn as the year in which it began",
            "1 date has its \"circa\" in words only",
            "2 dates somewhere within a stretch are drawn as all of it",
            "1 date of several happenings is drawn as one stretch",
            "1 undated event left out",
        ],
    );
    check(
        Format::Mermaid,
        &[
            "4 events lost their actors",
            "5 events lost their tags",
            "3 events lost their effects",
            "4 events lost their kinds",
            "5 events lost their descriptions",
            "2 events lost their places",
            "2 events lost their sources",
            "1 event lost its confidence",
            "1 event lost its links",
            "1 event lost its extra fields",
        ],
    );
    check(
        Format::Timesketch,
        &[
            "4 dates have their open or unknown side in words only",
            "2 events left out whose years the target cannot hold",
            "1 date has its \"circa\" in words only",
            "1 date of several happenings is drawn as one stretch",
            "1 undated event left out",
        ],
    );
}

#[test]
fn an_event_that_only_possibly_happened_is_marked_or_counted() {
    let timelines = [timeline()];
    let event = endless();
    let rows = [Row { sure: false, ..row(&timelines[0], 1, &event) }];
    let sheet = Sheet { heading: Heading { timelines: &timelines, ..Heading::default() }, rows: &rows };
    for format in [Format::Ics, Format::TimelineJs, Format::Markwhen, Format::Timesketch] {
        let lost = losses(format, &sheet, ExportOptions::default()).unwrap().to_string();
        assert!(
            lost.contains("1 event that only possibly happened stands like the others"),
            "{format}: {lost}"
        );
    }
    let mut out = Vec::new();
    export(Format::Mermaid, &sheet, ExportOptions::default(), &mut out).unwrap();
    assert!(String::from_utf8(out).unwrap().contains("… (possibly)\n"));
}
