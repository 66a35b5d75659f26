//! Real input: small extracts of public data, through the scripts and maps that `docs/real-data.md` shows.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::sandbox::{Sandbox, has, repository};

/// Runs a converter over an extract and imports what it writes.
pub fn converted(folder: &str, extract: &str, import: &[&str]) -> Option<Sandbox> {
    if !has("python3") {
        return None;
    }
    let folder = repository("tests/fixtures").join(folder);
    let input = std::fs::File::open(folder.join(extract)).unwrap();
    let output = Command::new("python3")
        .arg(folder.join("convert.py"))
        .stdin(input)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success());
    let sandbox = Sandbox::with_store();
    let mut args = vec!["import", "-", "--from", "jsonl"];
    args.extend(import);
    sandbox.ok_with(&args, &String::from_utf8(output.stdout).unwrap());
    sandbox.ok(&["verify"]);
    Some(sandbox)
}

fn value(sandbox: &Sandbox, entity: &str, attribute: &str, question: &[&str]) -> Value {
    let mut args = vec!["replay", entity];
    args.extend(question);
    sandbox.json(&args)["state"][entity][attribute]["value"].clone()
}

/// The groups of events that are probably one, where nothing else is found.
fn duplicates(sandbox: &Sandbox) -> Vec<Vec<String>> {
    let found = sandbox.json(&["conflicts"]);
    let groups = found["duplicates"].as_array().unwrap();
    assert_eq!(found["found"], groups.len(), "{found}");
    let ids = |group: &Value| {
        let events = group["events"].as_array().unwrap();
        events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
    };
    groups.iter().map(ids).collect()
}

#[test]
fn the_cisa_catalogue_is_asked_what_it_held_and_said_on_a_day() {
    let Some(sandbox) = converted("cisa", "extract.jsonl", &["--keep-record-times"]) else { return };
    let on = |day: &str, known: &str, entity: &str, attribute: &str| {
        value(&sandbox, entity, attribute, &["--as-of", day, "--known-at", known])
    };
    assert_eq!(on("2025-03-01", "2025-01-26", "catalogue", "count"), Value::Null);
    for (day, known, count) in [
        ("2025-01-31", "2025-01-31", 9),
        ("2025-03-01", "2025-03-01", 12),
        ("2021-12-31", "2025-01-28", 3),
        ("2025-03-26", "2025-03-26", 16),
        ("2025-03-26", "2025-03-27", 17),
        ("2025-12-31", "2025-12-31", 25),
    ] {
        assert_eq!(on(day, known, "catalogue", "count"), count, "{day} known at {known}");
    }
    assert_eq!(on("2025-03-01", "2025-03-01", "catalogue", "entries").as_array().unwrap().len(), 12);
    let says = |cve: &str, attribute: &str, known: &str| on("2025-12-31", known, cve, attribute);
    assert_eq!(says("CVE-2025-23006", "ransomware-use", "2025-03-01"), "Unknown");
    assert_eq!(says("CVE-2025-23006", "ransomware-use", "2025-06-01"), "Known");
    assert_eq!(says("CVE-2025-0108", "due-date", "2025-02-18T21:17:46Z"), "2025-04-08");
    assert_eq!(says("CVE-2025-0108", "due-date", "2025-02-18T21:17:47Z"), "2025-03-11");
    assert_eq!(says("CVE-2025-22225", "cwes", "2025-03-09"), json!([]));
    assert_eq!(says("CVE-2025-22225", "cwes", "2025-03-10"), json!(["CWE-123"]));
    assert_eq!(says("CVE-2025-4664", "product", "2025-06-08"), "Chromium");
    assert_eq!(says("CVE-2025-4664", "product", "2025-06-09"), Value::Null);
    assert!(duplicates(&sandbox).is_empty(), "one template, and a number of its own for each");
}

#[test]
fn the_us_executive_is_asked_who_held_which_office() {
    let Some(sandbox) = converted("us-executive", "extract.yaml", &[]) else { return };
    let held = |office: &str, day: &str| value(&sandbox, "united-states", office, &["--as-of", day]);
    for (day, president) in [
        ("1789-04-29", Value::Null),
        ("1865-04-14", json!("Abraham Lincoln")),
        ("1865-04-15", json!("Andrew Johnson")),
        ("1945-04-11", json!("Franklin Delano Roosevelt")),
        ("1945", json!("Harry S. Truman")),
        ("2001-01-19", json!("William Jefferson Clinton")),
        ("2001-01-20", json!("George Walker Bush")),
    ] {
        assert_eq!(held("president", day), president, "{day}");
    }
    assert_eq!(held("vice-president", "1865-04-14"), "Andrew Johnson");
    assert_eq!(held("vice-president", "1865-04-15"), Value::Null, "vacant");
    assert_eq!(held("vice-president", "1973-11"), Value::Null, "vacant");
    assert_eq!(held("vice-president", "2001-01-20"), "Richard Bruce Cheney");
    assert!(duplicates(&sandbox).is_empty(), "two terms of one day are of two people");
}

#[test]
fn earthquakes_come_from_a_table_with_their_dates_as_far_as_they_are_known() {
    let sandbox = Sandbox::with_store();
    let file = repository("tests/fixtures/noaa/earthquakes.tsv");
    let map = repository("tests/fixtures/noaa/map.toml");
    let imported = sandbox.ok(&["import", &file.to_string_lossy(), "--map-file", &map.to_string_lossy()]);
    let rows = std::fs::read_to_string(&file).unwrap().lines().count() - 1;
    assert_eq!(imported, format!("{rows} appended\n"));
    let list = sandbox.json(&["list"]);
    let date = |id: &str| {
        let events = list.as_array().unwrap();
        let event = events.iter().find(|event| event["id"] == id);
        event.unwrap_or_else(|| panic!("no earthquake {id}"))["date"].clone()
    };
    assert_eq!(date("1"), "-2149", "2150 BC, nothing known but the year");
    let first = list[0]["date"].as_str().unwrap();
    assert_eq!(first, "-2149");
    assert_eq!(duplicates(&sandbox), [["2594", "2596"]], "two shocks of one day off one coast");
    sandbox.ok(&["verify"]);
}
