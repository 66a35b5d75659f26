//! Listing, showing, replaying: both clocks and the filters.

use crate::sandbox::Sandbox;

fn with_events() -> Sandbox {
    let sandbox = Sandbox::with_store();
    sandbox.write(
        "events.jsonl",
        r#"{"id":"undated","title":"Somewhen"}
{"id":"circa","date":"2010~","title":"About 2010","kind":"rumour","sources":[{"title":"The Daily","quote":"some day in 2010"}]}
{"id":"span","date":"2004/2017","title":"The mission","kind":"Mission","actors":[{"name":"UN peacekeepers"}],"place":{"name":"Haiti"},"tags":["UN"],"effects":[{"op":"set","entity":"mission","attribute":"status","value":"on","when":"during"}]}
{"id":"year","date":"2004","title":"A year"}
{"id":"day","date":"2004-01-01","title":"A day","description":"The FIRST day"}
{"id":"bce","date":"-0043-03-15","title":"The Ides of March"}
{"id":"open","date":"2016/..","title":"Still going on","effects":[{"op":"increase","entity":"mission","attribute":"cost","value":1.5}]}
"#,
    );
    sandbox.ok(&["append", "events.jsonl"]);
    sandbox
}

#[test]
fn lists_are_in_date_order_with_the_undated_last() {
    insta::assert_snapshot!(with_events().session("list"));
}

#[test]
fn filters_choose_events() {
    let sandbox = with_events();
    let ids = |args: &[&str]| {
        let mut all = vec!["--format", "jsonl", "list"];
        all.extend(args);
        let lines = sandbox.ok(&all);
        let ids = lines.lines().map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().to_owned()
        });
        ids.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids(&["--kind", "mission"]), "span");
    assert_eq!(ids(&["--kind", "mission", "--kind", "rumour"]), "span circa");
    assert_eq!(ids(&["--kind", "mission", "--tag", "health"]), "");
    assert_eq!(ids(&["--actor", "peace", "--place", "hai", "--tag", "un"]), "span");
    assert_eq!(ids(&["--text", "first"]), "day");
    assert_eq!(ids(&["--text", "some day"]), "circa");
    assert_eq!(ids(&["--source", "daily"]), "circa");
    assert_eq!(ids(&["--entity", "mission"]), "span open");
    assert_eq!(ids(&["--from", "2010", "--to", "2012"]), "span circa undated");
    assert_eq!(ids(&["--from", "2010", "--to", "2012", "--certainty", "surely"]), "span circa");
    assert_eq!(ids(&["--from", "2004-01-02", "--until", "2004-06"]), "year span undated");
    assert_eq!(ids(&["--to", "44 BC"]), "bce undated");
    assert_eq!(ids(&["--as-of", "2004-06"]), "bce day");
    assert_eq!(ids(&["--as-of", "2004-06", "--certainty", "possibly"]), "bce day year span undated");
}

#[test]
fn the_state_is_asked_as_of_dates() {
    insta::assert_snapshot!(with_events().session(
        "
        replay --as-of 2003
        replay --as-of 2010
        replay --as-of 2017-06
        replay mision --as-of 2010
        --format json replay mission --as-of 2010
        "
    ));
}

#[test]
fn today_counts_whole_unless_another_date_is_asked() {
    let sandbox = Sandbox::with_store();
    sandbox.ok(&["append", "--date", "today", "--title", "t", "--set", "a.b=1"]);
    let snapshot = sandbox.json(&["replay"]);
    assert_eq!(snapshot["as_of"], "2026-03-01");
    assert_eq!(snapshot["as_of_until"], "2026-03-01T23:59:59");
    assert_eq!(snapshot["state"]["a"]["b"]["value"], 1);
}

#[test]
fn what_was_known_is_asked_by_time_day_and_position() {
    let sandbox = Sandbox::with_store();
    sandbox.ok(&["append", "--id", "a", "--date", "2004", "--title", "t", "--set", "x.y=1"]);
    sandbox.ok(&["revise", "a", "--set", "x.y=2"]);
    sandbox.ok(&["retract", "a", "--reason", "wrong"]);
    let value = |known_at: &str| {
        sandbox.json(&["replay", "--known-at", known_at])["state"]["x"]["y"]["value"].clone()
    };
    // `init` was at 9:00, the records at 9:01, 9:02 and 9:03.
    assert_eq!(value("@0"), serde_json::Value::Null);
    assert_eq!(value("@1"), 1);
    assert_eq!(value("@2"), 2);
    assert_eq!(value("@3"), serde_json::Value::Null);
    assert_eq!(value("2026-02-28"), serde_json::Value::Null);
    assert_eq!(value("2026-03-01T09:01:30Z"), 1);
    assert_eq!(value("2026-03-01T10:02:30+01:00"), 2);
    assert_eq!(value("2026-03-01"), serde_json::Value::Null);
    assert_eq!(value("today"), serde_json::Value::Null);
    insta::assert_snapshot!(sandbox.session(
        "
        replay --known-at @4
        replay --known-at @x
        replay --known-at nonsense
        replay --as-of 2004/..
        "
    ));
}

#[test]
fn an_answer_repeats_itself_to_the_byte() {
    let sandbox = with_events();
    let ask = || sandbox.ok(&["--format", "json", "replay", "--as-of", "2010", "--known-at", "@7"]);
    let first = ask();
    sandbox.ok(&[
        "append",
        "--id",
        "late",
        "--date",
        "2001",
        "--title",
        "Back-dated",
        "--set",
        "mission.status=planned",
    ]);
    assert_eq!(ask(), first);
    let later = sandbox.json(&["replay", "--as-of", "2003"]);
    assert_eq!(later["state"]["mission"]["status"]["value"], "planned");
}

#[test]
fn an_event_is_shown_with_its_whole_history() {
    let sandbox = with_events();
    sandbox.ok(&["revise", "span", "--date", "2004-06/2017-10", "--by", "ann"]);
    sandbox.ok(&["retract", "span", "--reason", "to be checked"]);
    insta::assert_snapshot!(sandbox.session(
        "
        show span
        log --kind mission
        log --last 1
        "
    ));
    let shown = sandbox.json(&["show", "span"]);
    let ops: Vec<&str> =
        shown["records"].as_array().unwrap().iter().map(|r| r["op"].as_str().unwrap()).collect();
    assert_eq!(ops, ["append", "revise", "retract"]);
}

#[test]
fn programs_get_one_document_or_one_object_a_line() {
    let sandbox = Sandbox::with_store();
    assert_eq!(sandbox.run(&["list"]).code, 1, "an empty store has no timeline");
    sandbox.ok(&["append", "--id", "a", "--title", "A"]);
    sandbox.ok(&["append", "--id", "b", "--title", "B"]);
    assert_eq!(sandbox.json(&["list"]).as_array().unwrap().len(), 2);
    assert_eq!(sandbox.json(&["log"]).as_array().unwrap().len(), 2);
    assert_eq!(sandbox.json(&["list", "--kind", "none"]), serde_json::json!([]));
    assert_eq!(sandbox.ok(&["--format", "jsonl", "list", "--kind", "none"]), "");
    assert_eq!(sandbox.ok(&["--format", "jsonl", "log"]).lines().count(), 2);
}
