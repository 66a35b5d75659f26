//! Comparing two dates, and two states of knowledge about one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::real_data::converted;
use crate::sandbox::{Sandbox, repository};

/// A mission that was planned, came, grew and left, recorded with two corrections and a withdrawal.
fn with_mission() -> Sandbox {
    let sandbox = Sandbox::with_store();
    sandbox.write(
        "events.jsonl",
        r#"{"id":"plan","date":"2003","title":"A mission is planned","effects":[{"op":"set","entity":"mission","attribute":"status","value":"planned"}]}
{"id":"arrive","date":"2004-06","title":"It arrives","effects":[{"op":"set","entity":"mission","attribute":"status","value":"present"},{"op":"increase","entity":"mission","attribute":"troops","value":500},{"op":"add","entity":"mission","attribute":"countries","value":"Brazil"}]}
{"id":"join","date":"2006","title":"Nepal joins","effects":[{"op":"increase","entity":"mission","attribute":"troops","value":300},{"op":"add","entity":"mission","attribute":"countries","value":"Nepal"}]}
{"id":"curfew","date":"2005/2007","title":"A curfew","effects":[{"op":"set","entity":"city","attribute":"curfew","value":true,"when":"during"}]}
"#,
    );
    sandbox.ok(&["append", "events.jsonl"]);
    sandbox.wait_an_hour();
    sandbox.ok(&["revise", "join", "--increase", "mission.troops=350", "--add", "mission.countries=Nepal"]);
    sandbox.ok(&["retract", "curfew", "--reason", "It was never imposed"]);
    sandbox
}

#[test]
fn two_dates_are_compared_and_the_events_named() {
    insta::assert_snapshot!(with_mission().session(
        "
        diff 2003 2004 --known-at @4
        diff 2004 2006 --known-at @4
        diff 2006 2004
        diff 2007 2008 --known-at @4
        diff 2010 2020
        diff 2004-05 2004-07 --certainty possibly --text arrives
        "
    ));
}

#[test]
fn two_states_of_knowledge_are_compared() {
    insta::assert_snapshot!(with_mission().session(
        "
        diff --known-at @4 --and @6 --as-of 2006
        diff --known-at @6 --and @4 --as-of 2006
        diff --known-at 2026-03-01T09:30:00Z --and 2026-03-01 --as-of 2006
        diff 2004 2007 --known-at @1 --and @6
        "
    ));
}

#[test]
fn programs_get_both_sides_and_the_causes() {
    let sandbox = with_mission();
    insta::assert_snapshot!(sandbox.session("--format json diff --known-at @4 --and @6 --as-of 2006"));
    let diff = sandbox.json(&["diff", "2003", "2004", "--entity", "mission"]);
    assert_eq!(diff["filter"], json!({ "entity": ["mission"] }));
    assert_eq!(diff["from"]["as_of"], "2003");
    assert_eq!(diff["to"]["as_of_until"], "2004-12-31T23:59:59");
    assert_eq!(sandbox.ok(&["--format", "jsonl", "diff", "2003", "2004"]).lines().count(), 1);
}

#[test]
fn the_exit_code_says_whether_anything_changed_only_when_asked() {
    let sandbox = with_mission();
    assert_eq!(sandbox.run(&["diff", "2003", "2004"]).code, 0);
    assert_eq!(sandbox.run(&["diff", "2003", "2004", "--exit-code"]).code, 1);
    assert_eq!(sandbox.run(&["--format", "json", "diff", "2003", "2004", "--exit-code"]).code, 1);
    assert_eq!(sandbox.run(&["diff", "2010", "2020", "--exit-code"]).code, 0);
    assert_eq!(sandbox.run(&["diff", "-0044", "--exit-code", "2020"]).code, 1);
}

#[test]
fn what_cannot_be_compared_is_answered_with_the_next_step() {
    insta::assert_snapshot!(with_mission().session(
        "
        diff
        diff 2004
        diff --and @3
        diff --known-at @3
        diff 2004 2010 --as-of 2018
        diff 2004 12/04/1985
        diff --known-at @1 --and @99
        diff --known-at @1 --and nonsense
        --timeline man diff 2004 2010
        "
    ));
}

#[test]
fn what_terminals_obey_is_shown_and_not_obeyed() {
    let sandbox = Sandbox::with_store();
    let title = "red \u{1b}[31m\nand \u{202e}reversed";
    sandbox.ok(&["append", "--id", "a", "--date", "2004", "--title", title, "--set", "x.y=\u{1b}[2J"]);
    let told = sandbox.ok(&["--color", "always", "diff", "2003", "2004"]);
    assert!(told.contains("x.y = \\u{1b}[2J"), "{told}");
    assert!(told.contains("red \\u{1b}[31m and \\u{202e}reversed"), "{told}");
    assert!(!sandbox.ok(&["diff", "2003", "2004"]).contains('\u{1b}'));
}

#[test]
fn long_sets_and_many_causes_are_shortened_for_people_only() {
    let sandbox = Sandbox::with_store();
    let lines: String = (10..24)
        .map(|n| format!("{{\"id\":\"e{n}\",\"date\":\"2004\",\"title\":\"t\",\"effects\":[{{\"op\":\"add\",\"entity\":\"a\",\"attribute\":\"b\",\"value\":{n}}}]}}\n"))
        .collect();
    sandbox.write("events.jsonl", &lines);
    sandbox.ok(&["append", "events.jsonl"]);
    insta::assert_snapshot!(sandbox.session("diff 2003 2004"), @r"
    $ annals diff 2003 2004
    main: what surely stood as of 2003 (2003-12-31T23:59:59) → as of 2004 (2004-12-31T23:59:59), known at record 14 of 2026-03-01T09:01:14.000000Z

    + a.b = {10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, … 2 more}
        the date of e10 was crossed, 2004: t
        the date of e11 was crossed, 2004: t
        the date of e12 was crossed, 2004: t
        the date of e13 was crossed, 2004: t
        the date of e14 was crossed, 2004: t
        and 9 more, all in --format json
    ");
    let change = sandbox.json(&["diff", "2003", "2004"])["changes"][0].clone();
    assert_eq!(change["to"].as_array().unwrap().len(), 14);
    assert_eq!(
        (change["events"].as_array().unwrap().len(), change["causes"].as_array().unwrap().len()),
        (14, 14)
    );
}

/// The catalogue as its own history has it at the end of a day: the revisions up to then, one over the other.
fn catalogue(revisions: &[Value], day: &str) -> BTreeMap<String, Map<String, Value>> {
    let mut held: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for revision in revisions {
        let text = |name: &str| revision[name].as_str().unwrap();
        let recorded_at: DateTime<Utc> = text("recorded_at").parse().unwrap();
        if recorded_at.date_naive().to_string().as_str() > day {
            break;
        }
        if text("op") == "remove" {
            held.remove(text("id"));
        } else {
            held.entry(text("id").to_owned())
                .or_default()
                .extend(revision["value"].as_object().unwrap().clone());
        }
    }
    held
}

/// entity.attribute → from, to, and the events responsible.
type Changes = BTreeMap<String, (Value, Value, BTreeSet<String>)>;

/// What changed in the catalogue, by comparing it with itself.
fn history_says(
    before: &BTreeMap<String, Map<String, Value>>,
    after: &BTreeMap<String, Map<String, Value>>,
) -> Changes {
    const FIELDS: [(&str, &str); 8] = [
        ("name", "vulnerabilityName"),
        ("vendor", "vendorProject"),
        ("product", "product"),
        ("description", "shortDescription"),
        ("required-action", "requiredAction"),
        ("due-date", "dueDate"),
        ("ransomware-use", "knownRansomwareCampaignUse"),
        ("cwes", "cwes"),
    ];
    let value = |held: &BTreeMap<String, Map<String, Value>>, cve: &str, field: &str| {
        held.get(cve).map_or(Value::Null, |entry| match &entry[field] {
            Value::String(text) => json!(text.trim()),
            Value::Array(set) => json!(set.iter().map(|one| one.as_str().unwrap()).collect::<BTreeSet<_>>()),
            other => panic!("{other}"),
        })
    };
    let mut changes = Changes::new();
    let mut add = |of: String, from: Value, to: Value, by: BTreeSet<String>| {
        if from != to {
            changes.insert(of, (from, to, by));
        }
    };
    let cves: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for cve in cves {
        for (attribute, field) in FIELDS {
            let by = BTreeSet::from([cve.clone()]);
            add(format!("{cve}.{attribute}"), value(before, cve, field), value(after, cve, field), by);
        }
    }
    let set =
        |held: &BTreeMap<String, Map<String, Value>>| held.keys().cloned().collect::<BTreeSet<String>>();
    let (had, has) = (set(before), set(after));
    let moved: BTreeSet<String> = had.symmetric_difference(&has).cloned().collect();
    add("catalogue.entries".to_owned(), json!(had), json!(has), moved.clone());
    add("catalogue.count".to_owned(), json!(had.len()), json!(has.len()), moved);
    changes
}

#[test]
fn the_diff_of_the_cisa_catalogue_is_exactly_what_its_own_history_says() {
    let Some(sandbox) = converted("cisa", "extract.jsonl", &["--keep-record-times"]) else { return };
    let extract = std::fs::read_to_string(repository("tests/fixtures/cisa/extract.jsonl")).unwrap();
    let revisions: Vec<Value> = extract.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut sizes = Vec::new();
    for (known_at, and) in [
        ("2025-03-01", "2025-06-01"),
        ("2025-06-01", "2025-03-01"),
        ("2025-02-01", "2025-12-31"),
        ("2025-06-08", "2025-06-10"),
        ("2025-06-10", "2025-06-10"),
    ] {
        let diff = sandbox.json(&["diff", "--known-at", known_at, "--and", and]);
        let mut found = Changes::new();
        for change in diff["changes"].as_array().unwrap() {
            let text = |name: &str| change[name].as_str().unwrap();
            let ids = change["events"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned());
            let what = (change["from"].clone(), change["to"].clone(), ids.collect());
            found.insert(format!("{}.{}", text("entity"), text("attribute")), what);
        }
        let expected = history_says(&catalogue(&revisions, known_at), &catalogue(&revisions, and));
        assert_eq!(found, expected, "{known_at} and {and}");
        sizes.push(expected.len());
    }
    assert!(sizes[0] > 50 && sizes[3] > 5, "there is something to compare: {sizes:?}");
}
