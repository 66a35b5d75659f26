//! Maps, linked data, feeds and Parquet, read by rdflib, feedparser, pyarrow and a schema.

use serde_json::{Value, json};

use crate::programs::{node, python};
use crate::sandbox::{Sandbox, repository};
use crate::tables::awkward;
use crate::texts::hostile;

/// The awkward events without the guard of tables, which other formats know nothing of, one of them revised.
fn revised() -> Sandbox {
    let sandbox = awkward();
    sandbox.ok(&["revise", "winter", "--timeline", "main", "--kind", "season"]);
    sandbox
}

fn exported(sandbox: &Sandbox, more: &[&str], format: &str) -> String {
    let name = format!("out.{format}");
    sandbox.ok(&[more, &["export", "--to", format, "-o", &name]].concat());
    sandbox.path(&name).to_str().unwrap().to_owned()
}

/// One line of JSON for each event, by its first field.
fn told(lines: &str, id: &str) -> Value {
    let values = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut found = values
        .filter(|value| value[0].as_str().is_some_and(|own| own == id || own.ends_with(&format!("/{id}"))));
    found.next().unwrap_or_else(|| panic!("{id} is not in\n{lines}"))
}

/// What Annals says of dates: each event's id, its date and its bounds, as the features have them.
fn bounds(sandbox: &Sandbox) -> Vec<(String, Value)> {
    let list = sandbox.ok(&["--format", "jsonl", "list"]);
    let events = list.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.map(|event| (event["id"].as_str().unwrap().to_owned(), event["date"].clone())).collect()
}

#[test]
fn features_fit_the_schema_and_stand_on_the_days_that_annals_names() {
    let sandbox = revised();
    let file = exported(&sandbox, &[], "geojson");
    let Some(lines) = python("geojson_features", &[&file]) else { return };
    assert_eq!(lines.lines().count(), 20);
    let Some(checked) = node("geojson_check", &[&file]) else { return };
    assert_eq!(checked, "20 features, 1 with a place\n");
    for (id, date) in bounds(&sandbox) {
        let feature = told(&lines, &id);
        assert_eq!(feature[1], date, "{id}");
        let Some(date) = date.as_str().filter(|date| !date.contains(['/', '[', '{', 'T'])) else { continue };
        // Plain and vague single dates: the bounds are those that `annals date` explains.
        let explained: Value =
            serde_json::from_str(&sandbox.ok(&["--format", "json", "date", date])).unwrap();
        let day = |end: &str, which: &str| {
            let text = explained[end][which].as_str().unwrap();
            text.split('T').next().unwrap().trim_start_matches('Y').to_owned()
        };
        let expect: Vec<String> =
            [("start", "earliest"), ("start", "latest"), ("end", "earliest"), ("end", "latest")]
                .map(|(end, which)| day(end, which))
                .into();
        assert_eq!(feature[2], expect.join(" "), "{id}");
    }
    let check = |id: &str, expect: &str| assert_eq!(told(&lines, id)[2], expect, "{id}");
    check("undated", "");
    check("open-end", "2023-10-02 2023-10-02 2023-10-02 -");
    check("unknown-start", "- 2019-12-31 2019-01-01 2019-12-31");
    check("far-past", "-170000000-01-01 -170000000-12-31 -170000000-01-01 -170000000-12-31");
    check("winter", "2023-12-01 2024-02-29 2023-12-01 2024-02-29");
    let instant = ["2023-10-02T15:30:00+02:00"; 4].join(" ");
    check("instant", &instant);
    assert_eq!(told(&lines, "circa")[3], json!([-72.34, 18.54]));
}

#[test]
fn rdflib_reads_events_sources_and_versions() {
    let sandbox = revised();
    let file = exported(&sandbox, &[], "jsonld");
    let Some(lines) = python("jsonld_triples", &[&file]) else { return };
    assert_eq!(lines.lines().count(), 20);
    for (id, date) in bounds(&sandbox) {
        assert_eq!(told(&lines, &id)[1], date, "{id}");
    }
    let expect = json!(["circa", "2010~", null, null, 1, ["18.54", "-72.34"], 2, ["year-only"], false]);
    assert_eq!(told(&lines, "circa"), expect);
    assert_eq!(told(&lines, "year-only"), json!(["year-only", "2004", "2004", null, 0, null, 3, [], false]));
    let starts = |id: &str| (told(&lines, id)[2].clone(), told(&lines, id)[3].clone());
    assert_eq!(starts("one-day"), (json!("2023-10-02"), json!("2023-10-02")));
    assert_eq!(starts("open-end"), (json!("2023-10-02"), Value::Null));
    for vague in ["bce", "winter", "one-of", "each-of", "far-past", "undated"] {
        assert_eq!(starts(vague), (Value::Null, Value::Null), "{vague}");
    }
    assert_eq!(told(&lines, "winter")[8], true);
}

#[test]
fn feedparser_reads_the_feed_and_hostile_texts_do_nothing() {
    let sandbox = revised();
    let long = "x".repeat(10_000);
    sandbox.ok(&["append", "--id", "long", "--date", "2024-02", "--title", &long]);
    let file = exported(&sandbox, &[], "atom");
    let Some(lines) = python("atom_feed", &[&file]) else { return };
    assert_eq!(lines.lines().count(), 21);
    for (id, date) in bounds(&sandbox).into_iter().filter(|(id, _)| !id.contains(' ')) {
        assert_eq!(told(&lines, &id)[3], date, "{id}");
    }
    assert_eq!(told(&lines, "script")[1], "</script><script>alert(1)</script>");
    assert_eq!(told(&lines, "long")[1], long);
    assert_eq!(told(&lines, "circa")[4], json!([-72.34, 18.54]));
    // A revision is a new state of the same entry.
    let records = sandbox.ok(&["--format", "jsonl", "log"]);
    let mut records = records.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let record = records.rfind(|record| record["id"] == "winter").unwrap();
    assert_eq!((&record["op"], &told(&lines, "winter")[2]), (&json!("revise"), &record["recorded_at"]));
}

#[test]
fn pyarrow_reads_what_the_table_says() {
    let sandbox = revised();
    sandbox.ok(&["export", "--to", "csv", "--raw", "-o", "raw.csv"]);
    let table = sandbox.path("raw.csv");
    let file = exported(&sandbox, &[], "parquet");
    let Some(said) = python("parquet_table", &[&file, table.to_str().unwrap()]) else { return };
    assert_eq!(said, "20 rows, 70 finite bounds, 34 columns\n");
    let haiti = Sandbox::with_haiti();
    haiti.ok(&["--timeline", "haiti", "export", "--to", "csv", "--raw", "-o", "raw.csv"]);
    let file = exported(&haiti, &["--timeline", "haiti"], "parquet");
    let said = python("parquet_table", &[&file, haiti.path("raw.csv").to_str().unwrap()]).unwrap();
    assert!(said.starts_with("19 rows, "), "{said}");
}

/// Hostile titles, the same in every field, are what they say and nothing else.
#[test]
fn hostile_titles_are_only_titles_in_feeds_maps_linked_data_and_tables() {
    let sandbox = hostile();
    let Some(feed) = python("atom_feed", &[&exported(&sandbox, &[], "atom")]) else { return };
    let list = sandbox.json(&["list"]);
    let events = list.as_array().unwrap();
    let count = events.len();
    assert!(count > 40 && feed.lines().count() == count, "{count}");
    let plain = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    for event in events {
        let shown = told(&feed, event["id"].as_str().unwrap())[1].as_str().unwrap().to_owned();
        let title = event["title"].as_str().unwrap();
        let is_hidden = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{200b}'..='\u{202e}');
        assert!(!shown.contains(is_hidden), "{shown}");
        // A hidden character is written out, so that the title is longer then.
        assert!(title.contains(is_hidden) || plain(&shown) == plain(title), "{shown} is not {title}");
    }
    let map = python("geojson_features", &[&exported(&sandbox, &[], "geojson")]).unwrap();
    let graph = python("jsonld_triples", &[&exported(&sandbox, &[], "jsonld")]).unwrap();
    assert_eq!((map.lines().count(), graph.lines().count()), (count, count));
    sandbox.ok(&["export", "--to", "csv", "--raw", "-o", "raw.csv"]);
    let table = sandbox.path("raw.csv");
    let same =
        python("parquet_table", &[&exported(&sandbox, &[], "parquet"), table.to_str().unwrap()]).unwrap();
    assert!(same.starts_with(&format!("{count} rows, ")), "{same}");
    let guarded = python("csv_cells", &[&exported(&sandbox, &[], "csv")]).unwrap();
    assert_eq!(guarded, format!("{count} rows of 21 cells, 0 formulas\n"));
}

#[test]
fn real_earthquakes_come_out_where_they_were() {
    let sandbox = Sandbox::with_store();
    let folder = repository("tests/fixtures/noaa");
    let (table, map) = (folder.join("earthquakes.tsv"), folder.join("map.toml"));
    sandbox.ok(&["import", table.to_str().unwrap(), "--map-file", map.to_str().unwrap()]);
    sandbox.ok(&["export", "--to", "csv", "--raw", "-o", "raw.csv"]);
    let file = exported(&sandbox, &[], "parquet");
    let raw = sandbox.path("raw.csv");
    let Some(said) = python("parquet_table", &[&file, raw.to_str().unwrap()]) else { return };
    assert!(said.starts_with("51 rows, "), "{said}");
    let lines = python("geojson_features", &[&exported(&sandbox, &[], "geojson")]).unwrap();
    assert_eq!(told(&lines, "8732")[3], json!([-72.533, 18.457]));
    assert_eq!(python("jsonld_triples", &[&exported(&sandbox, &[], "jsonld")]).unwrap().lines().count(), 51);
    assert_eq!(python("atom_feed", &[&exported(&sandbox, &[], "atom")]).unwrap().lines().count(), 51);
}
