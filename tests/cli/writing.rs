//! Appending, revising, retracting.

use crate::sandbox::{Sandbox, finish};

#[test]
fn an_event_is_appended_revised_and_retracted() {
    let sandbox = Sandbox::with_store();
    insta::assert_snapshot!(sandbox.session(
        r#"
        append --id un-2004 --date 2004 --title "UN peacekeepers arrive" --kind deployment --actor "UN=force" --place Port-au-Prince@18.54,-72.34 --tag UN --set un.status=present --source https://example.org/a --quote "in 2004" --locator "par. 7" --source-date 2023-11-13
        append --id un-2004 --date 2004 --title "UN peacekeepers arrive" --kind deployment --actor "UN=force" --place Port-au-Prince@18.54,-72.34 --tag UN --set un.status=present --source https://example.org/a --quote "in 2004" --locator "par. 7" --source-date 2023-11-13
        append --id un-2004 --date 2005 --title "UN peacekeepers arrive"
        revise un-2004 --date 2004-06 --without place --expect 1
        revise un-2004 --date 2004-06
        retract un-2004 --reason "a hoax" --by ann
        retract un-2004 --reason "a hoax"
        revise un-2004 --title "UN peacekeepers arrive in June"
        show un-2004
        replay
        replay --known-at @3
        "#
    ));
}

#[test]
fn effects_keep_the_order_of_the_command_line() {
    let sandbox = Sandbox::with_store();
    let flags = "append --id e --date 2004 --title t --add a.s=x --set 'a.s:=[\"y\"]' --add a.s=z --increase a.n=2 \
                 --set a.n=5 --increase a.n=0.5 --clear a.c --remove a.s=y --during a.d=true --during-add a.e=1 --at-end a.f=007";
    sandbox.ok(&crate::sandbox::split(flags).iter().map(String::as_str).collect::<Vec<_>>());
    let shown = sandbox.ok(&["show", "e"]);
    let effects: Vec<&str> = shown.lines().filter_map(|line| line.strip_prefix("effect      ")).collect();
    assert_eq!(
        effects,
        [
            "a.s + {x}",
            "a.s = {y}",
            "a.s + {z}",
            "a.n += 2",
            "a.n = 5",
            "a.n += 0.5",
            "a.c cleared",
            "a.s - {y}",
            "a.d = true (during)",
            "a.e + {1} (during)",
            "a.f = 007 (at the end)",
        ]
    );
    let state = sandbox.json(&["replay", "--as-of", "2010"]);
    assert_eq!(state["state"]["a"]["s"]["value"], serde_json::json!(["z"]));
    assert_eq!(state["state"]["a"]["n"]["value"], serde_json::json!(5.5));
}

#[test]
fn a_batch_from_a_file_is_all_or_nothing() {
    let sandbox = Sandbox::with_store();
    sandbox.write(
        "good.jsonl",
        "{\"id\":\"a\",\"title\":\"A\",\"date\":\"2004\"}\n{\"id\":\"b\",\"title\":\"B\"}\n",
    );
    sandbox.write("bad.jsonl", "{\"id\":\"c\",\"title\":\"C\"}\n{\"id\":\"a\",\"title\":\"other\"}\n");
    sandbox.write(
        "worse.jsonl",
        "{\"id\":\"d\",\"title\":\"D\"}\n{\"id\":\"e\",\"title\":\"E\",\"dat\":\"2004\"}\n",
    );
    insta::assert_snapshot!(sandbox.session(
        "
        append good.jsonl
        append bad.jsonl
        append worse.jsonl
        append missing.jsonl
        append good.jsonl --title x
        --format json append good.jsonl
        list
        "
    ));
    let piped = sandbox.ok_with(&["append", "-"], "{\n  \"id\": \"p\",\n  \"title\": \"Pretty\"\n}\n");
    assert_eq!(piped, "appended main/p as record 3 (timeline version 3)\n");
}

#[test]
fn an_expectation_that_is_missed_is_a_conflict() {
    let sandbox = Sandbox::with_store();
    insta::assert_snapshot!(sandbox.session(
        "
        append --id a --title A --expect exists
        append --id a --title A --expect empty
        append --id b --title B --expect 7
        append --id b --title B --expect 1
        append --id c --title C --expect maybe
        "
    ));
}

#[test]
fn what_the_user_mistypes_is_answered_with_the_next_step() {
    let sandbox = Sandbox::with_store();
    sandbox.ok(&["append", "--id", "cholera-2010", "--title", "Cholera"]);
    insta::assert_snapshot!(sandbox.session(
        r#"
        append --date 2004
        append --title t --date 12/04/1985
        append --title t --date 2019/2017
        append --title t --set status=present
        append --title t --set un.status
        append --title t --increase un.count=many
        append --title t --set a.b=99999999999999999999
        append --title t --set a.b:=[1
        append --title t --quote "no source"
        append --title t --place x@1
        append --title t --confidence 101
        append --title t --link cholera-2010
        append --title "" --date 2004
        append --tite t
        revise cholera-2010
        revise cholra-2010 --date 2010
        retract cholera-2010
        --timeline "a b" list
        "#
    ));
}

#[test]
fn events_without_an_id_get_one_that_sorts_by_time() {
    let sandbox = Sandbox::with_store();
    for title in ["one", "two"] {
        sandbox.ok(&["append", "--title", title]);
    }
    let lines = sandbox.ok(&["--format", "jsonl", "list"]);
    let ids: Vec<String> = lines
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().to_owned()
        })
        .collect();
    assert!(ids[0] < ids[1], "{ids:?}");
    assert!(ids.iter().all(|id| id.len() == 36 && id.as_bytes()[14] == b'7' && *id == id.to_lowercase()));
}

/// Three days after the last record the clock is set back: whatever records says so, once, and on standard error.
#[test]
fn a_clock_that_was_set_back_is_told() {
    let sandbox = Sandbox::with_store();
    sandbox.ok(&["append", "--id", "old", "--title", "Old"]);
    let last = sandbox.json(&["show", "old"])["records"][0]["recorded_at"].as_str().unwrap().to_owned();
    let lines: String = (0..9).map(|n| format!("{{\"id\":\"e{n}\",\"title\":\"Event {n}\"}}\n")).collect();
    sandbox.write("events.jsonl", &lines);
    sandbox.write("others.jsonl", &lines.replace("\"e", "\"o"));
    let said = format!(
        "the clock lies 2 days behind the last record, and record times never go back: recorded at {last}, too. Check \
         the clock\n"
    );
    let at = |clock: &str, args: &[&str]| finish(sandbox.command(args).env("ANNALS_TEST_CLOCK", clock), "");
    for args in [
        &["append", "--id", "new", "--title", "New"][..],
        &["append", "events.jsonl"],
        &["import", "others.jsonl", "--chunk", "2"],
        &["revise", "new", "--title", "Newer"],
        &["retract", "new", "--reason", "a hoax"],
        &["redact", "old", "--reason", "asked for"],
    ] {
        let done = at("2026-02-26T23:00:00Z", args);
        assert_eq!(done.code, 0, "{args:?}: {}", done.stderr);
        assert_eq!(done.stderr.matches(&said).count(), 1, "{args:?}: {}", done.stderr);
        assert_eq!(done.stderr.matches("clock lies").count(), 1, "{args:?}: {}", done.stderr);
        let quiet = at("2026-02-26T23:00:00Z", &[&["-q"], args].concat());
        assert_eq!((quiet.code, quiet.stderr.as_str()), (0, ""), "{args:?}: nothing was recorded, and -q");
    }
    let log = sandbox.ok(&["export", "--to", "jsonl", "--records"]);
    assert_eq!(log.matches(&last).count(), log.lines().count(), "{log}");
    // Nothing is said where nothing is recorded, nor once the clock has caught up, nor of less than a second.
    assert_eq!(at("2026-02-26T23:00:00Z", &["append", "events.jsonl"]).stderr, "");
    for clock in ["2026-03-01T09:01:00.500000Z", "2026-03-02T00:00:00Z"] {
        let done = at(clock, &["append", "--title", "Newest"]);
        assert!(done.code == 0 && !done.stderr.contains("clock lies"), "{clock}: {}", done.stderr);
    }
}
