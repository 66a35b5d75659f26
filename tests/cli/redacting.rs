//! `annals redact`: what goes, what stays, and what every command says of it.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::sandbox::{Sandbox, copy_directory};

/// Stands in everything that has to go.
const MARKER: &str = "SECRET-4711";

/// A store with an event that has the marker in every part that a redaction erases: of each version, and of the reason
/// of a retraction; a saved answer that depends on it, and one that does not.
fn with_secret() -> Sandbox {
    let sandbox = Sandbox::with_store();
    let line = format!(
        r#"{{"id":"witness","date":"2004","title":"Title {MARKER}","description":"{MARKER}","kind":"{MARKER}","tags":["{MARKER}"],"actors":[{{"name":"{MARKER}"}}],"place":{{"name":"{MARKER}"}},"sources":[{{"title":"Report","quote":"{MARKER}"}}],"effects":[{{"op":"set","entity":"case","attribute":"name","value":"{MARKER}"}}],"extra":{{"note":"{MARKER}"}}}}"#
    );
    sandbox.ok(&["append", "--id", "other", "--date", "2005", "--title", "Other", "--set", "town.size=1"]);
    sandbox.ok_with(&["append", "-"], &line);
    sandbox.ok(&["retract", "witness", "--reason", MARKER]);
    sandbox.ok(&["revise", "witness", "--title", &format!("Once more {MARKER}")]);
    sandbox.ok(&["append", "--id", "later", "--date", "2006", "--title", "Later", "--set", "town.size=2"]);
    sandbox.ok(&["snapshot", "save", "case", "case", "--as-of", "2018"]);
    sandbox.ok(&["snapshot", "save", "town", "town", "--as-of", "2018"]);
    sandbox
}

/// The files under a directory that hold the marker as it stands. sled's pages keep what was there until the store is
/// compacted.
fn holding(directory: &Path) -> Vec<String> {
    let sled = directory.join("sled").display().to_string();
    let mut found = holding_in_all(directory);
    found.retain(|path| !path.starts_with(&sled));
    found
}

/// All files that hold it, sled's own included.
fn holding_in_all(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding_in_all(&path));
        } else if fs::read(&path).unwrap().windows(MARKER.len()).any(|bytes| bytes == MARKER.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn every_command_says_what_was_redacted() {
    let sandbox = with_secret();
    sandbox.write("before.json", &sandbox.ok(&["--format", "json", "replay", "--as-of", "2018"]));
    let told = sandbox.session(
        r#"
        redact witness --reason "asked for by the person" --by ann
        redact witness --reason "asked for once more"
        --format json redact witness --reason "asked for once more"
        redact witnes --reason "a name"
        redact witness
        append --id witness --title "Who it was"
        revise witness --title "Who it was"
        retract witness --reason "wrong"
        show witness
        --format json show witness
        log
        --format jsonl log
        watch --from 1 --count 6
        list
        list --known-at @4
        why case.name
        why town.size
        history case.name
        replay
        replay --known-at @4
        diff --known-at @4 --and @6
        conflicts
        export --to csv
        export --to jsonl
        replay --check before.json
        snapshot list
        --format json snapshot list
        snapshot show case
        snapshot check case
        snapshot check town
        replay --check .annals/snapshots/case.json
        verify
        "#,
    );
    assert!(
        !told
            .replace("replay --check before.json", "")
            .split("Values, from")
            .next()
            .unwrap()
            .contains(MARKER)
    );
    insta::assert_snapshot!(told);
}

#[test]
fn nothing_beside_the_log_holds_what_was_redacted() {
    let sandbox = with_secret();
    // The index has the event in it.
    let many: String = (0..3000).map(|n| format!("{{\"id\":\"e{n}\",\"title\":\"Event {n}\"}}\n")).collect();
    sandbox.write("many.jsonl", &many);
    sandbox.ok(&["import", "many.jsonl"]);
    sandbox.ok(&["history", "case.name"]);
    assert!(holding(&sandbox.path(".annals")).len() > 1);
    let root = sandbox.json(&["stats"])["log_root"].clone();
    sandbox.ok(&["redact", "witness", "--reason", "asked for"]);
    assert_eq!(holding(&sandbox.path(".annals")), [""; 0]);
    assert!(!sandbox.ok(&["export", "--to", "jsonl", "--records"]).contains(MARKER));
    sandbox.ok(&["history", "town.size"]);
    assert_eq!(holding(&sandbox.path(".annals")), [""; 0]);
    sandbox.ok(&["verify"]);
    // The root of before stands: a receipt of before that does not depend on the event names it.
    let receipt = sandbox.json(&["replay", "--known-at", "@3005"])["receipt"]["log_root"].clone();
    assert_eq!(receipt, root);
    // With the old pages of the storage everything is gone.
    assert!(!holding_in_all(&sandbox.path(".annals")).is_empty());
    sandbox.ok(&["compact"]);
    assert_eq!(holding_in_all(&sandbox.path(".annals")), [""; 0]);
    sandbox.ok(&["verify"]);
    assert_eq!(sandbox.json(&["replay", "--known-at", "@3005"])["receipt"]["log_root"], root);
}

#[test]
fn a_redacted_log_moves_to_another_store_with_its_root() {
    let sandbox = with_secret();
    sandbox.ok(&["redact", "witness", "--reason", "asked for"]);
    let records = sandbox.ok(&["export", "--to", "jsonl", "--records"]);
    assert!(!records.contains(MARKER));
    sandbox.write("log.jsonl", &records);
    let other = Sandbox::with_store();
    other.write("log.jsonl", &records);
    other.wait_an_hour();
    insta::assert_snapshot!(other.session(
        "
        import log.jsonl
        append log.jsonl
        import log.jsonl --keep-record-times --chunk 3
        import log.jsonl --keep-record-times
        import log.jsonl --keep-record-times
        log
        verify
        "
    ));
    let root = |sandbox: &Sandbox| sandbox.json(&["stats"])["log_root"].clone();
    assert_eq!(root(&other), root(&sandbox));
    assert_eq!(other.ok(&["export", "--to", "jsonl", "--records"]), records);
}

#[test]
fn a_redaction_stands_in_a_file_like_any_write() {
    let sandbox = with_secret();
    sandbox.write(
        "more.jsonl",
        "{\"id\":\"new\",\"title\":\"New\"}\n{\"op\":\"redact\",\"id\":\"witness\",\"reason\":\"asked for\"}\n",
    );
    sandbox.write("missing.jsonl", "{\"op\":\"redact\",\"id\":\"nobody\",\"reason\":\"asked for\"}\n");
    insta::assert_snapshot!(sandbox.session(
        "
        import missing.jsonl
        import more.jsonl
        import more.jsonl
        append more.jsonl
        --format json import more.jsonl
        verify
        "
    ));
    assert_eq!(holding(&sandbox.path(".annals")), [""; 0]);
}

/// A redaction is killed at some moment, again and again. Then nothing has happened, or the log has lost the content;
/// what was answered has happened wholly; and a redaction that is asked for again leaves nothing anywhere. The count is
/// `ANNALS_KILLS`.
#[test]
fn a_killed_redaction_has_happened_or_not_and_is_finished_by_another() {
    let kills: u32 = std::env::var("ANNALS_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(6);
    let prepared = with_secret();
    let many: String = (0..3000).map(|n| format!("{{\"id\":\"e{n}\",\"title\":\"Event {n}\"}}\n")).collect();
    prepared.write("many.jsonl", &many);
    prepared.ok(&["import", "many.jsonl"]);
    prepared.ok(&["history", "case.name"]);
    let redact = ["redact", "witness", "--reason", "asked for"];
    let fresh = || {
        let sandbox = Sandbox::new();
        copy_directory(&prepared.path(".annals"), &sandbox.path(".annals"));
        sandbox.wait_an_hour();
        sandbox
    };
    let whole = fresh();
    let began = Instant::now();
    whole.ok(&redact);
    let length = began.elapsed();
    let (mut untouched, mut halfway, mut answered) = (0, 0, 0);
    for kill in 0..kills {
        let sandbox = fresh();
        let mut child =
            sandbox.command(&redact).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        // Most of it is starting up: the kills lie closer together behind that.
        std::thread::sleep(
            length * (3 + 7 * kill % 10) / 10 + Duration::from_micros(u64::from(137 * kill % 900)),
        );
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        let store = sandbox.path(".annals");
        if output.stdout.starts_with(b"redacted") {
            answered += 1;
            assert_eq!(holding(&store), [""; 0], "kill {kill}: what was answered has happened");
        }
        let verified = sandbox.run(&["verify"]);
        assert_eq!(verified.code, 0, "kill {kill}: {}{}", verified.stdout, verified.stderr);
        let records: Value = sandbox.json(&["show", "witness"]);
        let erased = |record: &&Value| record["redacted"] == true;
        match records["records"].as_array().unwrap().iter().filter(erased).count() {
            0 => untouched += 1,
            3 => halfway += 1,
            some => panic!("kill {kill}: {some} of 3 records are erased"),
        }
        sandbox.ok(&redact);
        assert_eq!(holding(&store), [""; 0], "kill {kill}: asked for again it is finished");
        let log = sandbox.ok(&["export", "--to", "jsonl", "--records"]);
        assert!(!log.contains(MARKER), "kill {kill}");
        sandbox.ok(&["verify"]);
    }
    println!("{untouched} untouched, {halfway} redacted, of these {answered} answered, of {kills}");
}

/// The evidence goes with the only event that names it, and stays where another one does; and a backup that is brought
/// up to date afterwards has nothing of it, either.
#[test]
fn attachments_and_the_backup_are_erased_too() {
    let sandbox = with_secret();
    sandbox.write("secret.txt", &format!("the scan says {MARKER}"));
    sandbox.write("shared.txt", "what both name");
    let attach = ["--attach", "secret.txt", "--attach", "shared.txt"];
    sandbox.ok(&[&["append", "--id", "scan", "--title", "A scan"][..], &attach].concat());
    sandbox.ok(&["append", "--id", "both", "--title", "Both", "--attach", "shared.txt"]);
    sandbox.ok(&["backup", "safe"]);
    assert_eq!(holding(&sandbox.path("safe/attachments")).len(), 1);
    let root = |args: &[&str]| sandbox.json(args)["log_root"].clone();
    let before = root(&["verify", "safe"]);
    for id in ["scan", "witness"] {
        let done = sandbox.run(&["redact", id, "--reason", "asked for"]);
        assert_eq!(done.code, 0, "{}", done.stderr);
        let says = done.stderr.contains("which no event names any more, was removed");
        assert_eq!(says, id == "scan", "{}", done.stderr);
    }
    assert_eq!(holding(&sandbox.path(".annals")), Vec::<String>::new());
    let listed = sandbox.ok(&["attachment", "list"]);
    assert!(listed.contains("shared.txt") && listed.lines().count() == 2, "{listed}");
    // The older backup still has it, says so nowhere, and verifies; brought up to date it has nothing of it.
    assert_eq!(root(&["verify", "safe"]), before);
    let told = sandbox.ok(&["backup", "safe"]);
    assert!(told.contains("written anew, because something was erased since"), "{told}");
    assert_eq!(holding(&sandbox.path("safe")), Vec::<String>::new());
    sandbox.ok(&["--store", "again", "restore", "safe"]);
    assert_eq!(root(&["--store", "again", "verify"]), root(&["verify"]));
    assert_eq!(holding(&sandbox.path("again")), Vec::<String>::new());
}
