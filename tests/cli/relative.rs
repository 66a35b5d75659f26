//! Events that are dated by others: after one, before another.

use crate::sandbox::Sandbox;

/// Ids and dates of what is listed.
fn listed(sandbox: &Sandbox, args: &[&str]) -> String {
    let mut all = vec!["list"];
    all.extend(args);
    let events = sandbox.json(&all);
    let ids = events.as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap().to_owned());
    ids.collect::<Vec<_>>().join(" ")
}

fn with_two_events() -> Sandbox {
    let sandbox = Sandbox::with_store();
    sandbox.ok(&["append", "--id", "arrival", "--date", "2004", "--title", "They come"]);
    sandbox.ok(&["append", "--id", "departure", "--date", "2017-10", "--title", "They go"]);
    sandbox
}

#[test]
fn an_event_is_dated_by_what_came_before_and_after_it() {
    let sandbox = with_two_events();
    insta::assert_snapshot!(sandbox.session(
        "
        append --id between --after arrival --before departure --title Between
        append --id after --after arrival --title After
        append --id before --before departure --title Before
        append --id inside --after between --before between --title Inside
        list
        "
    ));
    let event = &sandbox.json(&["show", "between"])["records"][0];
    assert_eq!(event["date"], "[2004-01..2017-10]");
    let links = serde_json::json!([{"rel": "after", "to": "arrival"}, {"rel": "before", "to": "departure"}]);
    assert_eq!(event["links"], links);
    let again =
        sandbox.ok(&["append", "--id", "after", "--after", "arrival", "--title", "After", "--by", "tester"]);
    assert!(again.contains("already appended"), "{again}");
}

#[test]
fn what_cannot_be_counted_from_is_refused_with_the_next_step() {
    let sandbox = with_two_events();
    sandbox.ok(&["append", "--id", "undated", "--title", "Somewhen"]);
    sandbox.ok(&["append", "--id", "open", "--date", "2016/..", "--title", "Still going on"]);
    sandbox.ok(&["append", "--id", "gone", "--date", "2005", "--title", "Withdrawn"]);
    sandbox.ok(&["retract", "gone", "--reason", "not true"]);
    insta::assert_snapshot!(sandbox.session(
        "
        append --title x --after arival
        append --title x --after gone
        append --title x --after undated
        append --title x --before open
        append --title x --after departure --before arrival
        append --title x --after arrival --date 2010
        append --id x --title x --after x
        revise arrival --after arrival
        append --after arrival
        "
    ));
    assert_eq!(listed(&sandbox, &[]), "arrival open departure undated", "nothing was written");
}

#[test]
fn a_revision_computes_the_date_anew_and_keeps_the_other_link() {
    let sandbox = with_two_events();
    sandbox.ok(&[
        "append",
        "--id",
        "x",
        "--after",
        "arrival",
        "--before",
        "departure",
        "--title",
        "X",
        "--link",
        "about=departure",
    ]);
    sandbox.ok(&["revise", "arrival", "--date", "2005-06"]);
    insta::assert_snapshot!(sandbox.session(
        "
        revise x --after arrival
        show x
        revise x --after arrival --before arrival
        revise x --date 2007
        "
    ));
}

#[test]
fn events_are_listed_between_others() {
    let sandbox = Sandbox::with_store();
    sandbox.write(
        "events.jsonl",
        r#"{"id":"earlier","date":"2003","title":"t"}
{"id":"a","date":"2004","title":"t"}
{"id":"same-year","date":"2004-06","title":"t"}
{"id":"between","date":"2007","kind":"k","title":"t"}
{"id":"b","date":"2010/2012","title":"t"}
{"id":"during-b","date":"2011","title":"t"}
{"id":"last-year","date":"2012","title":"t"}
{"id":"later","date":"2013","title":"t"}
{"id":"undated","title":"t"}
"#,
    );
    sandbox.ok(&["append", "events.jsonl"]);
    let check = |args: &[&str], expect: &str| assert_eq!(listed(&sandbox, args), expect, "{args:?}");
    check(&["--after", "a", "--before", "b"], "same-year between during-b last-year undated");
    check(&["--after", "a", "--before", "b", "--certainty", "surely"], "between during-b");
    check(&["--after", "a", "--certainty", "surely"], "between b during-b last-year later");
    check(&["--before", "a"], "earlier same-year undated");
    check(&["--after", "a", "--before", "b", "--kind", "k"], "between");
    check(&["--after", "between", "--to", "2011"], "b during-b undated");
    check(&["--after", "a", "--before", "b", "--known-at", "@5"], "same-year between");
    insta::assert_snapshot!(sandbox.session(
        "
        list --after betwen
        list --before later --known-at @3
        "
    ));
}
