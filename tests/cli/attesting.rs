//! Checkpoints and proofs as people meet them: keys, signatures, a log that was changed, and files that were.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::sandbox::Sandbox;

/// A store with five records, the key `desk.key` and a checkpoint of the first three, `early.txt`.
fn attested() -> Sandbox {
    let sandbox = Sandbox::with_store();
    let key = sandbox.ok(&["attest", "--new-key", "desk.key", "--name", "example.org/haiti"]);
    sandbox.write("desk.pub", &key);
    for (id, title) in [("a", "One"), ("b", "Two"), ("c", "Three")] {
        sandbox.ok(&["append", "--id", id, "--date", "2004", "--title", title]);
    }
    sandbox.ok(&["attest", "--key", "desk.key", "-o", "early.txt"]);
    sandbox.ok(&["revise", "b", "--title", "Two, corrected"]);
    sandbox.ok(&["retract", "c", "--reason", "it was somewhere else"]);
    sandbox
}

#[test]
fn a_checkpoint_is_signed_kept_and_checked() {
    let sandbox = attested();
    insta::assert_snapshot!(sandbox.session(
        "
        attest --key desk.key
        attest --key desk.key --show-public
        attest --key desk.key --known-at @2
        attest --key desk.key -o later.txt
        verify --checkpoint early.txt --public-key desk.pub
        verify --checkpoint later.txt
        --format json verify --checkpoint early.txt --public-key desk.pub
        --format json attest --key desk.key
        attest --new-key witness.key --name witness.example
        attest --key witness.key --cosign later.txt -o later.txt
        verify --checkpoint later.txt --public-key desk.pub
        "
    ));
    let cosigned = fs::read_to_string(sandbox.path("later.txt")).unwrap();
    assert_eq!(cosigned.lines().filter(|line| line.starts_with('\u{2014}')).count(), 2);
}

#[test]
fn what_has_grown_and_what_is_in_the_log_is_proved_without_the_store() {
    let sandbox = attested();
    insta::assert_snapshot!(sandbox.session(
        "
        prove b --at-checkpoint early.txt
        prove b -o b.json
        attest --key desk.key -o later.txt
        prove --from early.txt --to later.txt -o grown.json
        verify --proof b.json
        verify --proof b.json --checkpoint later.txt --public-key desk.pub
        verify --proof grown.json --checkpoint early.txt --public-key desk.pub
        --format json verify --proof b.json
        --format json verify --proof grown.json
        prove c --at-checkpoint early.txt -o c.json
        --store nowhere verify --proof c.json --public-key desk.pub
        "
    ));
}

#[test]
fn what_cannot_be_attested_or_proved_is_answered_with_the_next_step() {
    let sandbox = attested();
    sandbox.ok(&["attest", "--key", "desk.key", "-o", "later.txt"]);
    sandbox.ok(&["attest", "--new-key", "other.key", "--name", "other"]);
    sandbox.write("text.txt", "not a checkpoint\n");
    sandbox.write("broken.json", "{\"schema\":\"annals/proof/1\"");
    sandbox.ok(&["prove", "a", "--at-checkpoint", "early.txt", "-o", "a.json"]);
    sandbox.write("open.key", &fs::read_to_string(sandbox.path("desk.key")).unwrap());
    fs::set_permissions(sandbox.path("open.key"), fs::Permissions::from_mode(0o644)).unwrap();
    insta::assert_snapshot!(sandbox.session(
        "
        attest
        attest --new-key desk.key
        attest --new-key new.key --name 'two words'
        attest --key missing.key
        attest --key open.key
        attest --key desk.pub
        attest --key desk.key --known-at @99
        attest --key desk.key -o text.txt
        attest --key other.key -o later.txt
        attest --key desk.key --known-at @2 -o later.txt
        prove
        prove something
        prove a --from early.txt
        prove --from later.txt --to early.txt
        verify --public-key desk.pub
        verify --checkpoint text.txt
        verify --checkpoint early.txt --public-key no-key
        verify --proof broken.json
        verify --proof a.json --checkpoint later.txt
        "
    ));
    for file in ["desk.key", "other.key"] {
        assert_eq!(fs::metadata(sandbox.path(file)).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(!sandbox.path("new.key").exists());
}

#[test]
fn a_key_that_did_not_sign_is_no_trust() {
    let sandbox = attested();
    let stranger = sandbox.ok(&["attest", "--new-key", "s.key", "--name", "example.org/haiti"]);
    let done = sandbox.run(&["verify", "--checkpoint", "early.txt", "--public-key", stranger.trim()]);
    assert_eq!(done.code, 4);
    assert!(done.stderr.contains("signature: none is of a key that was given"), "{}", done.stderr);
    let forged = fs::read_to_string(sandbox.path("early.txt")).unwrap().replacen("\n3\n", "\n2\n", 1);
    sandbox.write("forged.txt", &forged);
    let done = sandbox.run(&["verify", "--checkpoint", "forged.txt", "--public-key", "desk.pub"]);
    assert_eq!(done.code, 4);
    assert!(done.stderr.contains("is wrong"), "{}", done.stderr);
}

/// A log that was made anew with one word changed, and one that lost its end: the checkpoint tells.
#[test]
fn a_log_that_was_changed_or_cut_does_not_pass() {
    let sandbox = attested();
    let records = sandbox.ok(&["export", "--to", "jsonl", "--records"]);
    let remade = |name: &str, lines: &str| {
        sandbox.write("records.jsonl", lines);
        sandbox.ok(&["--store", name, "init"]);
        sandbox.ok(&["--store", name, "import", "records.jsonl", "--keep-record-times"]);
        sandbox.run(&["--store", name, "verify", "--checkpoint", "early.txt", "--public-key", "desk.pub"])
    };
    assert_eq!(remade("same", &records).code, 0, "a true copy has the same root");
    let changed = remade("changed", &records.replacen("One", "Won", 1));
    assert_eq!(changed.code, 4);
    assert!(
        changed
            .stdout
            .contains("records 1 to 3: their root is not the one that the checkpoint early.txt holds"),
        "{}",
        changed.stdout
    );
    let first: String = records.lines().take(2).map(|line| format!("{line}\n")).collect();
    let cut = remade("cut", &first);
    assert_eq!(cut.code, 4);
    assert!(cut.stdout.contains("record 3: missing: the checkpoint early.txt has seen"), "{}", cut.stdout);
    for store in ["changed", "cut"] {
        let done = sandbox.run(&["--store", store, "prove", "a", "--at-checkpoint", "early.txt"]);
        assert_eq!(done.code, 4, "{}", done.stderr);
        let done = sandbox.run(&["--store", store, "attest", "--key", "desk.key", "-o", "early.txt"]);
        assert_ne!(done.code, 0, "a log does not contradict what it signed: {}", done.stderr);
    }
}

/// Every value of a proof, altered once: `verify --proof` refuses each and says at which step.
#[test]
fn an_altered_proof_is_refused_at_a_step() {
    let sandbox = attested();
    sandbox.ok(&["attest", "--key", "desk.key", "-o", "later.txt"]);
    let mut altered = 0;
    for proof in [
        &["prove", "b", "--at-checkpoint", "later.txt"][..],
        &["prove", "--from", "early.txt", "--to", "later.txt"],
    ] {
        let whole: Value = serde_json::from_str(&sandbox.ok(proof)).unwrap();
        for pointer in leaves(&whole) {
            let mut other = whole.clone();
            alter(other.pointer_mut(&pointer).unwrap());
            sandbox.write("altered.json", &other.to_string());
            let done = sandbox.run(&["verify", "--proof", "altered.json", "--public-key", "desk.pub"]);
            assert!(matches!(done.code, 1 | 4), "{pointer}: {} {}", done.code, done.stdout);
            let steps =
                ["reading: ", "record: ", "inclusion: ", "consistency: ", "checkpoint: ", "signature: "];
            assert!(steps.iter().any(|step| done.stderr.contains(step)), "{pointer}: {}", done.stderr);
            altered += 1;
        }
    }
    assert!(altered > 20, "{altered}");
}

/// The places of all values in a document that are no arrays or objects.
pub fn leaves(document: &Value) -> Vec<String> {
    let under = |key: &str, value: &Value| -> Vec<String> {
        leaves(value).into_iter().map(|rest| format!("/{key}{rest}")).collect()
    };
    match document {
        Value::Object(fields) => fields.iter().flat_map(|(key, value)| under(key, value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(index, item)| under(&index.to_string(), item)).collect()
        }
        _ => vec![String::new()],
    }
}

/// Makes another value of the same kind.
pub fn alter(value: &mut Value) {
    *value = match &*value {
        Value::String(text) => {
            let last = text.chars().last().unwrap_or('x');
            let other = if last == '0' { '1' } else { '0' };
            let middle = text.trim_end_matches(last);
            if text.ends_with('\n') {
                // Not the line end: the last sign of the text before it.
                let mut inner = Value::String(text.trim_end().to_owned());
                alter(&mut inner);
                Value::String(format!("{}\n", inner.as_str().unwrap_or_default()))
            } else {
                Value::String(format!("{middle}{other}"))
            }
        }
        Value::Number(number) => Value::from(number.as_u64().unwrap_or(0) + 1),
        other => Value::String(format!("{other}?")),
    };
}
