//! Stores that earlier versions made: read, found whole, answered from and written to by this one.
//!
//! `tests/compat/README.md` says how each was made. What is held there beside a store is what the version that made it said.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sandbox::{Sandbox, has, repository};

fn stores() -> Vec<PathBuf> {
    let entries = fs::read_dir(repository("tests/compat")).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

/// The store, in a sandbox.
fn unpacked(from: &Path) -> Sandbox {
    let sandbox = Sandbox::new();
    // Every command comes later than those that made the store.
    (0..24).for_each(|_| sandbox.wait_an_hour());
    let archive = from.join("store.tar.gz");
    let status =
        Command::new("tar").arg("-xzf").arg(archive).current_dir(sandbox.path(".")).status().unwrap();
    assert!(status.success());
    sandbox
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_store_that_was_ever_made_is_read_and_written_to() {
    if !has("tar") {
        return;
    }
    assert!(stores().iter().any(|store| store.ends_with("format-2")));
    for from in stores() {
        let told = format!("{}", from.display());
        let sandbox = unpacked(&from);
        let before = json(&from.join("verified.json"));
        let verified = sandbox.json(&["--store", "store", "verify"]);
        for field in ["log_root", "timelines", "damage"] {
            assert_eq!(verified[field], before[field], "{told}: {field}");
        }
        for field in ["records", "events"] {
            assert_eq!(verified["read"][field], before["read"][field], "{told}: {field}");
        }
        let records = sandbox.ok(&["--store", "store", "export", "--to", "jsonl", "--records"]);
        let lines = fs::read_to_string(from.join("records.jsonl")).unwrap();
        assert!(records == lines, "{told}: other records");
        let answer = json(&from.join("answer.json"));
        let again = sandbox.json(&["--store", "store", "replay", "--as-of", "2018"]);
        for field in ["state", "receipt", "known_at", "events", "ongoing"] {
            assert_eq!(again[field], answer[field], "{told}: {field}");
        }
        sandbox.ok(&["--store", "store", "snapshot", "check", "kept"]);
        written_to(&sandbox, &lines, &answer, &told);
    }
}

/// The store takes new records, knows what it has, and answers as before of the time before.
fn written_to(sandbox: &Sandbox, lines: &str, answer: &serde_json::Value, told: &str) {
    let old = lines.lines().count();
    sandbox.write("again.jsonl", &lines.lines().take(20).collect::<Vec<_>>().join("\n"));
    sandbox.ok(&["--store", "store", "import", "again.jsonl"]);
    sandbox.ok(&["--store", "store", "append", "--id", "new", "--date", "2003", "--title", "Written later"]);
    let more: Vec<_> = (0..300).map(|n| format!(r#"{{"id":"n{n}","title":"New {n}"}}"#)).collect();
    sandbox.write("more.jsonl", &more.join("\n"));
    sandbox.ok(&["--store", "store", "import", "more.jsonl"]);
    let records = sandbox.ok(&["--store", "store", "export", "--to", "jsonl", "--records"]);
    assert!(records.starts_with(lines), "{told}: earlier records changed");
    assert_eq!(records.lines().count(), old + 301, "{told}");
    sandbox.ok(&["--store", "store", "verify"]);
    let position = format!("@{old}");
    let then = sandbox.json(&["--store", "store", "replay", "--as-of", "2018", "--known-at", &position]);
    assert_eq!(then["state"], answer["state"], "{told}");
    // And it moves to a new store with its root.
    sandbox.write("all.jsonl", lines);
    sandbox.ok(&["--store", "moved", "init"]);
    sandbox.ok(&["--store", "moved", "import", "all.jsonl", "--keep-record-times"]);
    assert_eq!(sandbox.ok(&["--store", "moved", "export", "--to", "jsonl", "--records"]), lines, "{told}");
}
