//! The promise of `redact` from end to end: after it and `compact`, `grep` finds nothing of the content in the whole store,
//! and everything that was signed or proved before still verifies.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sandbox::{Sandbox, has};

/// Stands in every part of what is erased, and nowhere else.
const MARKER: &str = "Jean-Marker-4711";

/// A store that has the marker wherever a store can have it: in all fields of an event and in its reasons, in frames of one
/// record and in sealed ones, in both indexes, the tail, a saved answer, an attachment, and a piece that is larger than a page.
fn with_traces() -> Sandbox {
    let sandbox = Sandbox::with_store();
    sandbox.ok(&["attest", "--new-key", "desk.key", "--name", "desk"]);
    let event = |number: usize, text: &str| {
        format!(
            r#"{{"id":"{text}{number}","date":"2004","title":"{text}","description":"{text}","kind":"{text}","tags":["{text}"],"actors":[{{"name":"{text}","role":"{text}"}}],"place":{{"name":"{text}"}},"sources":[{{"title":"{text}","quote":"{text}"}}],"effects":[{{"op":"set","entity":"{text}","attribute":"name","value":"{text}"}},{{"op":"add","entity":"case","attribute":"names","value":"{text}"}}],"extra":{{"note":"{text}"}}}}"#
        )
    };
    let named = event(1, MARKER).replacen(&format!("{MARKER}1"), "witness", 1);
    let others = |from: usize, to: usize| (from..to).map(|n| event(n, "other") + "\n").collect::<String>();
    sandbox.write("one.jsonl", &others(0, 400));
    sandbox.write("two.jsonl", &others(400, 2500));
    sandbox.write("scan.txt", &format!("the scan says {MARKER}"));
    sandbox.ok(&["import", "one.jsonl"]);
    sandbox.ok_with(&["append", "-"], &named);
    sandbox.ok(&["import", "two.jsonl"]);
    sandbox.ok(&["retract", "witness", "--reason", MARKER]);
    // Digits that do not compress.
    let digits = |n: u64| format!("{:x}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29));
    let large = format!("{MARKER} {}", (1..12_000).map(digits).collect::<String>());
    sandbox.ok_with(
        &["append", "-"],
        &format!(r#"{{"id":"large","title":"{MARKER}","description":"{large}"}}"#),
    );
    sandbox.ok(&["append", "--id", "scan", "--title", "A scan", "--attach", "scan.txt"]);
    sandbox.ok(&["revise", "witness", "--title", MARKER]);
    sandbox.ok(&["snapshot", "save", "everything", "--as-of", "2010"]);
    sandbox.ok(&["list", "--kind", MARKER]);
    sandbox.ok(&["history", MARKER]);
    sandbox
}

/// Every file that holds the marker, as the real `grep` says.
fn grep(sandbox: &Sandbox, directory: &str) -> Vec<String> {
    let mut command = Command::new("grep");
    let done =
        command.args(["-rla", "--", MARKER, directory]).current_dir(sandbox.path(".")).output().unwrap();
    assert!(matches!(done.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn after_redact_and_compact_nothing_is_found_and_every_proof_holds() {
    if !has("grep") || !has("python3") {
        return;
    }
    let sandbox = with_traces();
    let held = grep(&sandbox, ".annals");
    for part in ["/sled/", "/index/", "/dates/", "/snapshots/", "/attachments/", "/tail"] {
        let is_there =
            files(&sandbox.path(".annals")).iter().any(|file| file.display().to_string().contains(part));
        assert!(is_there, "there is no {part}");
    }
    for part in ["/sled/", "/snapshots/", "/attachments/", "/tail"] {
        assert!(held.iter().any(|file| file.contains(part)), "the marker does not stand in {part}: {held:?}");
    }
    // Signed, proved, given away and put by before.
    sandbox.ok(&["attest", "--key", "desk.key", "-o", "before.txt"]);
    let public = sandbox.ok(&["attest", "--key", "desk.key", "--show-public"]);
    let public = public.trim();
    sandbox.ok(&["prove", "witness", "--at-checkpoint", "before.txt", "-o", "witness.json"]);
    sandbox.ok(&["prove", "other7", "--at-checkpoint", "before.txt", "-o", "other.json"]);
    let evidence =
        ["export", "--to", "evidence", "--at-checkpoint", "before.txt", "--kind", MARKER, "-o", "evidence"];
    sandbox.ok(&evidence);
    for id in ["witness", "large", "scan"] {
        sandbox.ok(&["redact", id, "--reason", "asked for"]);
    }
    let left = grep(&sandbox, ".annals");
    assert!(left.iter().all(|file| file.contains("/sled/")), "{left:?}");
    assert!(!left.is_empty(), "sled's old pages keep what was replaced: that is why the store is compacted");
    let told = sandbox.ok(&["compact"]);
    assert!(told.contains("records in"), "{told}");
    let searched = files(&sandbox.path(".annals")).len();
    assert_eq!(grep(&sandbox, ".annals"), [""; 0], "{searched} files");
    // Questions that make the indexes anew bring nothing back.
    for args in
        [&["list"][..], &["history", "case"], &["replay", "--known-at", "@2400"], &["show", "witness"]]
    {
        assert!(!sandbox.ok(args).contains(MARKER), "{args:?}");
    }
    assert_eq!(grep(&sandbox, ".annals"), [""; 0]);
    // What was signed and proved before holds, in the store and without it.
    for args in [
        &["verify", "--checkpoint", "before.txt", "--public-key", public][..],
        &["verify", "--proof", "witness.json", "--checkpoint", "before.txt", "--public-key", public],
        &["verify", "--proof", "other.json", "--checkpoint", "before.txt", "--public-key", public],
        &["verify", "--proof", "evidence", "--public-key", public],
    ] {
        sandbox.ok(args);
    }
    let script = Command::new("python3")
        .arg("-I")
        .arg(sandbox.path("evidence/verify.py"))
        .arg(public)
        .output()
        .unwrap();
    assert!(script.status.success(), "{}", String::from_utf8_lossy(&script.stdout));
    // And what is proved now leads to the checkpoint of before, redacted records included.
    sandbox.ok(&["attest", "--key", "desk.key", "-o", "after.txt"]);
    sandbox.ok(&["prove", "--from", "before.txt", "--to", "after.txt", "-o", "grown.json"]);
    sandbox.ok(&["verify", "--proof", "grown.json", "--checkpoint", "after.txt", "--public-key", public]);
    let proof = sandbox.ok(&["prove", "witness", "--at-checkpoint", "before.txt"]);
    assert!(!proof.contains(MARKER));
    sandbox.write("now.json", &proof);
    sandbox.ok(&["verify", "--proof", "now.json", "--checkpoint", "before.txt", "--public-key", public]);
    // Appending it again answers so, and exports say so.
    let again = sandbox.ok_with(&["append", "-"], r#"{"id":"witness","title":"Who it was"}"#);
    assert!(again.starts_with("already appended, redacted"), "{again}");
    assert!(sandbox.ok(&["export", "--to", "jsonl", "--records"]).contains("\"redacted\":true"));
}
