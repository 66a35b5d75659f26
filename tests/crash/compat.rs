//! Stores that earlier versions made: read, found whole, answered from and written to by this one.
//!
//! `tests/compat/README.md` says how each was made. What is held there beside a store is what the version that made it said.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sandbox::{Sandbox, has, repository};

/// The directories that have such an archive.
fn with(archive: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(repository("tests/compat")).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries.filter(|path| path.join(archive).exists()).collect();
    found.sort();
    found
}

/// What is in an archive, in a sandbox.
fn unpacked(archive: &Path) -> Sandbox {
    let sandbox = Sandbox::new();
    // Every command comes later than those that made the store.
    (0..24).for_each(|_| sandbox.wait_an_hour());
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
    let stores = with("store.tar.gz");
    assert!(
        ["format-1", "format-2", "format-3"]
            .iter()
            .all(|name| stores.iter().any(|store| store.ends_with(name)))
    );
    for from in stores {
        let told = format!("{}", from.display());
        let sandbox = unpacked(&from.join("store.tar.gz"));
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

/// Whatever was asked of an earlier version is answered as it answered then; fields may have been added.
fn answers_as_then(sandbox: &Sandbox, what: &str) {
    let answers = fs::read_to_string(sandbox.path("given/answers.jsonl")).unwrap();
    assert!(answers.lines().count() > 20);
    for line in answers.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let asked: Vec<&str> =
            line["asked"].as_array().unwrap().iter().filter_map(|word| word.as_str()).collect();
        let now = sandbox.json(&[&["--store", "store"], &asked[..]].concat());
        has_all(&now, &line["answer"], &format!("{what}, {asked:?}"));
    }
}

/// Everything that was there is there.
fn has_all(now: &serde_json::Value, then: &serde_json::Value, what: &str) {
    use serde_json::Value::{Array, Object};
    match (now, then) {
        (Object(now), Object(then)) => {
            for (name, value) in then {
                has_all(now.get(name).unwrap_or(&serde_json::Value::Null), value, &format!("{what}: {name}"));
            }
        }
        (Array(now), Array(then)) => {
            assert_eq!(now.len(), then.len(), "{what}");
            now.iter().zip(then).for_each(|(now, then)| has_all(now, then, what));
        }
        _ => assert_eq!(now, then, "{what}"),
    }
}

/// Checkpoints, proofs, evidence, a backup and lines of records that an earlier version gave away hold for ever, and its
/// indexes and saved answers lie in no way.
#[test]
fn what_an_earlier_version_gave_away_still_holds() {
    if !has("tar") || !has("python3") {
        return;
    }
    let directories = with("given.tar.gz");
    assert!(directories.iter().any(|directory| directory.ends_with("format-2-given")));
    for from in directories {
        let sandbox = unpacked(&from.join("given.tar.gz"));
        let public = fs::read_to_string(sandbox.path("given/desk.pub")).unwrap();
        let signed = ["--public-key", public.trim()];
        for file in ["early.txt", "late.txt"] {
            let checkpoint = ["--store", "store", "verify", "--checkpoint", &format!("given/{file}")];
            sandbox.ok(&[&checkpoint[..], &signed].concat());
        }
        for (proof, checkpoint) in [("e7.json", "early.txt"), ("grown.json", "late.txt")] {
            let [proof, checkpoint] = [proof, checkpoint].map(|name| format!("given/{name}"));
            sandbox.ok(&[&["verify", "--proof", &proof, "--checkpoint", &checkpoint][..], &signed].concat());
        }
        for evidence in ["given/evidence", "given/copy"] {
            sandbox.ok(&[&["verify", "--proof", evidence][..], &signed].concat());
            let script = sandbox.path(evidence).join("verify.py");
            let done = Command::new("python3").arg("-I").arg(script).arg(public.trim()).output().unwrap();
            assert!(done.status.success(), "{evidence}: {}", String::from_utf8_lossy(&done.stdout));
        }
        let then = json(&sandbox.path("given/verified.json"));
        has_all(&sandbox.json(&["--store", "store", "verify"]), &then, "verify");
        answers_as_then(&sandbox, "as it was");
        // Without the indexes of then, and with everything written anew.
        for derived in ["index", "dates", "tail"] {
            let path = sandbox.path("store").join(derived);
            if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
        }
        answers_as_then(&sandbox, "without what is derived");
        sandbox.ok(&["--store", "store", "compact"]);
        answers_as_then(&sandbox, "compacted");
        let evidence = sandbox.ok(&["--store", "store", "attachment", "get", "e31a58ad"]);
        assert_eq!(evidence, "The report, as it was.\n");
        restored_and_moved(&sandbox);
    }
}

/// The backup of then makes a store of now and is brought up to date; the records of then make one, too.
fn restored_and_moved(sandbox: &Sandbox) {
    let held = sandbox.json(&["verify", "given/backup"]);
    sandbox.ok(&["--store", "restored", "restore", "given/backup"]);
    let restored = sandbox.json(&["--store", "restored", "verify"]);
    assert_eq!(restored["log_root"], held["log_root"]);
    sandbox.ok(&["--store", "restored", "verify", "--checkpoint", "given/early.txt"]);
    let updated = sandbox.json(&["--store", "store", "backup", "given/backup"]);
    let root = sandbox.json(&["--store", "store", "stats"])["log_root"].clone();
    assert_eq!(
        (&updated["log_root"], &sandbox.json(&["verify", "given/backup"])["log_root"]),
        (&root, &root)
    );
    sandbox.ok(&["--store", "moved", "init"]);
    sandbox.ok(&["--store", "moved", "import", "given/records.jsonl", "--keep-record-times"]);
    // The file that a record names does not travel in its line.
    sandbox.write("report.pdf", "The report, as it was.\n");
    sandbox.ok(&["--store", "moved", "attachment", "add", "report.pdf"]);
    sandbox.ok(&["--store", "moved", "verify", "--checkpoint", "given/late.txt"]);
}
