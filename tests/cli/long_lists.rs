//! Lists that are long: they are printed while the store is read, those that are too long for memory are sorted beside it,
//! and they say what short ones say.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use crate::sandbox::Sandbox;

/// More events than a list keeps in memory.
const EVENTS: usize = 20_060;
/// As many as it keeps.
const KEPT: usize = 20_000;

/// A store of which the later half was recorded in the order against that of its dates.
fn store() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.ok(&["init"]);
    let mut lines = String::new();
    for number in 0..EVENTS {
        let day = if number < EVENTS / 2 { number } else { EVENTS + EVENTS / 2 - number };
        let (year, month, day) = (1000 + day / 336, 1 + day / 28 % 12, 1 + day % 28);
        let kind = if number % 1000 == 0 { "ein-längeres-Wort" } else { "kind" };
        let _ = writeln!(
            lines,
            r#"{{"id":"e{number}","date":"{year}-{month:02}-{day:02}","kind":"{kind}","title":"Event {number}"}}"#
        );
    }
    lines.push_str(r#"{"op":"revise","id":"e5","date":"1000-01-06","title":"Mended"}"#);
    sandbox.write("events.jsonl", &lines);
    sandbox.ok(&["import", "events.jsonl"]);
    sandbox
}

#[test]
fn a_long_list_says_what_short_ones_and_an_export_say() {
    let sandbox = store();
    let long = sandbox.ok(&["list", "--format", "jsonl"]);
    assert_eq!(long, sandbox.ok(&["export", "--to", "jsonl"]));
    assert_eq!(long.lines().count(), EVENTS);
    let short = sandbox.ok(&["list", "--format", "jsonl", "--limit", &KEPT.to_string()]);
    assert!(long.starts_with(&short) && short.lines().count() == KEPT);
    let cut = sandbox.ok(&["list", "--format", "jsonl", "--limit", &(KEPT + 7).to_string()]);
    assert!(long.starts_with(&cut) && cut.lines().count() == KEPT + 7);
    let array: serde_json::Value = serde_json::from_str(&sandbox.ok(&["list", "--format", "json"])).unwrap();
    assert_eq!(array.as_array().unwrap().len(), EVENTS);
}

#[test]
fn the_columns_of_a_long_list_are_those_of_a_short_one() {
    let sandbox = store();
    let long = sandbox.ok(&["list"]);
    let short = sandbox.ok(&["list", "--limit", &KEPT.to_string()]);
    assert_eq!(long.lines().count(), EVENTS + 1, "a heading, and a line for each event");
    assert!(long.starts_with(&short), "{}\n{}", &long[..300], &short[..300]);
    assert!(long.lines().any(|line| line.ends_with("Mended (revised)")));
}

#[test]
fn a_long_log_says_what_short_ones_say() {
    let sandbox = store();
    let long = sandbox.ok(&["log", "--format", "jsonl"]);
    assert_eq!(long.lines().count(), EVENTS + 1);
    for last in [7, KEPT, KEPT + 7] {
        let cut = sandbox.ok(&["log", "--format", "jsonl", "--last", &last.to_string()]);
        assert!(long.ends_with(&cut) && cut.lines().count() == last, "{last}");
    }
    // A row is a line, the numbers of records have room for the last one, and other columns grow with what comes.
    let rows = sandbox.ok(&["log"]);
    assert_eq!(rows.lines().count(), EVENTS + 2);
    assert_eq!(rows.find("RECORDED AT"), Some(EVENTS.to_string().len() + 2));
    let columns: Vec<usize> = rows.lines().skip(1).filter_map(|row| row.find("Event ")).collect();
    assert_eq!(columns.len(), EVENTS);
    assert!(columns.is_sorted() && columns[EVENTS - 1] - columns[0] == "e20059".len() - "e1000".len());
    for last in [7, KEPT + 7] {
        let cut = sandbox.ok(&["log", "--last", &last.to_string()]);
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let told = rows.lines().skip(EVENTS + 2 - last).flat_map(words).collect::<Vec<_>>();
        assert_eq!(words(&cut)[words("SEQ RECORDED AT BY DID EVENT DATE WHAT").len()..], told, "{last}");
    }
    let some = sandbox.ok(&["log", "--kind", "ein-längeres-Wort"]);
    assert_eq!(some.lines().count(), 1 + EVENTS / 1000 + 1);
    assert_eq!(sandbox.ok(&["log", "--kind", "ein-längeres-Wort", "--last", "5"]).lines().count(), 6);
}

#[test]
fn who_reads_slowly_keeps_the_store_from_nobody_and_who_stops_ends_the_program() {
    let sandbox = store();
    for args in [
        &["list", "--format", "jsonl"][..],
        &["list", "--to", "1050", "--format", "json"],
        &["list"],
        &["log"],
        &["log", "--format", "jsonl"],
    ] {
        let whole = sandbox.ok(args);
        let start = || {
            let mut command = sandbox.command(args);
            let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
            let mut rows = BufReader::new(child.stdout.take().unwrap());
            let mut first = String::new();
            rows.read_line(&mut first).unwrap();
            (child, rows, first)
        };
        // There is more than a pipe holds: the reader is still at the first row when others have used the store.
        let (mut child, mut rows, mut read) = start();
        assert!(whole.len() > 1 << 17);
        sandbox.ok(&["verify"]);
        assert!(child.try_wait().unwrap().is_none(), "{args:?}");
        rows.read_to_string(&mut read).unwrap();
        assert!(child.wait().unwrap().success());
        assert!(read == whole, "{args:?}");

        let (mut child, rows, read) = start();
        drop(rows);
        assert!(whole.starts_with(&read));
        assert!(child.wait().unwrap().success(), "{args:?}");
    }
}
