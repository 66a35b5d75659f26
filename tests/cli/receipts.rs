//! Saved answers and their receipts: `annals snapshot` and `annals replay --check`.

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

fn with_two_events() -> Sandbox {
    let sandbox = Sandbox::with_store();
    sandbox
        .ok(&["append", "--id", "a", "--date", "2004", "--title", "A", "--set", "x.y=1", "--add", "x.z=p"]);
    sandbox.ok(&["append", "--id", "b", "--date", "2010", "--title", "B", "--set", "x.y=2"]);
    sandbox
}

/// The file of a saved answer.
fn file(sandbox: &Sandbox, name: &str) -> String {
    std::fs::read_to_string(sandbox.path(&format!(".annals/snapshots/{name}.json"))).unwrap()
}

#[test]
fn snapshots_are_saved_listed_shown_checked_and_removed() {
    insta::assert_snapshot!(with_two_events().session(
        "
        snapshot list
        snapshot save early --as-of 2005
        snapshot save late x --as-of 2018 --certainty possibly --kind report
        snapshot save early --as-of 2006
        snapshot save early --as-of 2006 --force
        snapshot list
        --format json snapshot list
        snapshot show early
        snapshot check early
        --format json snapshot check early
        snapshot show erly
        snapshot rm early
        snapshot rm early
        snapshot list
        snapshot save ../outside
        snapshot save .hidden
        "
    ));
}

#[test]
fn an_answer_checks_after_any_number_of_later_records() {
    let sandbox = with_two_events();
    sandbox.ok(&["snapshot", "save", "s", "--as-of", "2018"]);
    sandbox.write("answer.json", &sandbox.ok(&["--format", "json", "replay", "--as-of", "2018"]));
    for number in 0..3 {
        let id = format!("later-{number}");
        sandbox.ok(&["append", "--id", &id, "--date", "2001", "--title", "Later", "--increase", "x.n=1"]);
        sandbox.ok(&["revise", "b", "--set", &format!("x.y={}", number + 5)]);
        sandbox.ok(&["snapshot", "check", "s"]);
        assert!(sandbox.ok(&["replay", "--check", "answer.json"]).starts_with("same: main as of 2018"));
    }
    sandbox.ok(&["retract", "a", "--reason", "wrong"]);
    sandbox.ok(&["snapshot", "check", "s"]);
    let shown = sandbox.json(&["snapshot", "show", "s"]);
    assert_eq!(shown["state"]["x"]["y"]["value"], 2);
    assert_eq!(shown, serde_json::from_str::<Value>(&file(&sandbox, "s")).unwrap());
    let compact = sandbox.ok(&["--format", "jsonl", "replay", "--known-at", "@3"]);
    assert_eq!(sandbox.run_with(&["replay", "--check", "-"], &compact).code, 0);
}

#[test]
fn what_was_altered_is_told_and_not_shown() {
    let sandbox = with_two_events();
    sandbox.ok(&["snapshot", "save", "s", "--as-of", "2018"]);
    let whole = file(&sandbox, "s");
    for (old, new) in [
        (r#""value": 2"#, r#""value": 3"#),
        (r#""as_of": "2018""#, r#""as_of": "2019""#),
        (r#""certainty": "surely""#, r#""certainty": "possibly""#),
        (r#""certainty": "surely","#, r#""certainty": "surely", "filter": {"kind": ["report"]},"#),
        (r#""seq": 2"#, r#""seq": 1"#),
        (r#""timeline": "main""#, r#""timeline": "other""#),
    ] {
        let altered = whole.replace(old, new);
        assert_ne!(altered, whole, "{old}");
        sandbox.write(".annals/snapshots/s.json", &altered);
        let check = sandbox.run(&["snapshot", "check", "s"]);
        assert_eq!(check.code, 1, "{new}: {}", check.stdout);
        assert!(check.stdout.contains("altered: "), "{new}: {}", check.stdout);
        let show = sandbox.run(&["snapshot", "show", "s"]);
        assert_eq!((show.code, show.stdout.as_str()), (4, ""), "{new}");
        assert!(show.stderr.contains("hint: `annals snapshot check s`"), "{}", show.stderr);
        let list = sandbox.json(&["snapshot", "list"]);
        assert_eq!(list["snapshots"][0]["altered"], true, "{new}");
    }
    sandbox.write(".annals/snapshots/s.json", "{");
    for command in ["check", "show"] {
        assert_eq!(sandbox.run(&["snapshot", command, "s"]).code, 4);
    }
    assert!(sandbox.ok(&["snapshot", "list"]).contains("unreadable"));
    sandbox.ok(&["verify"]);
    sandbox.ok(&["snapshot", "rm", "s"]);
}

#[test]
fn what_differs_is_told_like_a_diff() {
    let sandbox = with_two_events();
    let answer = sandbox.json(&["replay", "--as-of", "2018"]);
    let mut altered = answer.clone();
    altered["state"]["x"]["y"]["value"] = json!("two\u{1b}[31m");
    altered["state"]["x"]["z"]["value"] = json!(["p", "q"]);
    altered["state"]["w"] = json!({ "v": { "value": true, "by": "nobody" } });
    altered["events"]["later"] = json!(7);
    sandbox.write("altered.json", &altered.to_string());
    let mut moved = answer.clone();
    moved["receipt"]["log_root"] = json!("ab".repeat(32));
    moved["receipt"]["seq"] = json!(9);
    moved["known_at"]["seq"] = json!(9);
    sandbox.write("moved.json", &moved.to_string());
    sandbox.write(
        "other.json",
        &Sandbox::with_haiti().ok(&["--timeline", "haiti", "--format", "json", "replay"]),
    );
    insta::assert_snapshot!(sandbox.session(
        "
        replay --check altered.json
        --format json replay --check altered.json
        replay --check moved.json
        replay --check other.json
        replay --check nowhere.json
        replay --check .annals/format
        replay --check altered.json --as-of 2018
        replay x --check altered.json
        "
    ));
}

#[test]
fn the_answer_of_other_records_does_not_pass_under_a_borrowed_root() {
    let sandbox = with_two_events();
    sandbox.ok(&["append", "--id", "c", "--date", "2030", "--title", "C", "--set", "x.y=9"]);
    let honest = sandbox.json(&["replay", "--as-of", "2018", "--known-at", "@2"]);
    let mut forged = sandbox.json(&["replay", "--as-of", "2040", "--known-at", "@3"]);
    forged["receipt"]["log_root"] = honest["receipt"]["log_root"].clone();
    sandbox.write("forged.json", &forged.to_string());
    let check = sandbox.run(&["--format", "json", "replay", "--check", "forged.json"]);
    assert_eq!(check.code, 1);
    let check: Value = serde_json::from_str(&check.stdout).unwrap();
    assert_eq!(check["same"], false);
    let reasons: Vec<&str> =
        check["reasons"].as_array().unwrap().iter().map(|r| r["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["altered", "another-log"]);
    assert_eq!(check["changes"], json!([]), "the state is the right one for its question");
}
