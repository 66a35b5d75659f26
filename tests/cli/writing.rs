//! Appending, revising, retracting.

use crate::sandbox::Sandbox;

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
