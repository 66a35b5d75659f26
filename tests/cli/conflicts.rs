//! What contradicts itself, found in a real store.

use serde_json::json;

use crate::sandbox::Sandbox;

/// A timeline with one conflict of each kind.
fn with_conflicts() -> Sandbox {
    let sandbox = Sandbox::with_store();
    sandbox.write(
        "events.jsonl",
        r#"{"id":"who-report","date":"2010","title":"The WHO counts the dead","sources":[{"title":"WHO","url":"https://example.org/who","quote":"9,000 dead"}],"effects":[{"op":"set","entity":"cholera","attribute":"deaths","value":9000}]}
{"id":"ngo-report","date":"2010","title":"An NGO counts the dead","effects":[{"op":"set","entity":"cholera","attribute":"deaths","value":11000}]}
{"id":"status","date":"2011","title":"Epidemic","effects":[{"op":"set","entity":"cholera","attribute":"status","value":"epidemic"}]}
{"id":"more","date":"2012","title":"More of it","effects":[{"op":"increase","entity":"cholera","attribute":"status","value":1}]}
{"id":"vote","date":"2023-10-02","title":"Security Council votes on the mission","place":{"name":"New York"}}
{"id":"vote-2","date":"2023-10","title":"The Security Council voted on the mission"}
{"id":"y1","date":"1994-01-01","title":"First"}
{"id":"y2","date":"1997-01-01","title":"Second"}
{"id":"y3","date":"1999-01-01/2000-12-31","title":"Third"}
{"id":"cause","date":"2015","title":"A cause that came too late","links":[{"rel":"causes","to":"status"},{"rel":"about","to":"nobody"}]}
"#,
    );
    sandbox.ok(&["append", "events.jsonl"]);
    sandbox
        .ok(&["append", "--id", "computed", "--after", "status", "--before", "cause", "--title", "Computed"]);
    sandbox.ok(&["revise", "status", "--date", "2012-03"]);
    sandbox
}

#[test]
fn every_kind_of_conflict_is_told_with_the_next_step() {
    let sandbox = with_conflicts();
    insta::assert_snapshot!(sandbox.session("conflicts"));
    insta::assert_snapshot!(sandbox.session("--format json conflicts --as-of 2012"));
}

#[test]
fn the_next_steps_resolve_what_was_found() {
    let sandbox = with_conflicts();
    for step in [
        "revise ngo-report --set cholera.deaths=9000",
        "revise more --set cholera.status=over",
        "revise vote --link distinct-from=vote-2",
        "revise y1 --date 1994",
        "revise y2 --date 1997",
        "revise y3 --date 1999/2000",
        "revise cause --without links",
        "revise computed --after status",
    ] {
        let told = sandbox.session(step);
        assert!(told.contains("revised"), "{told}");
    }
    let found = sandbox.run(&["conflicts", "--exit-code"]);
    assert_eq!((found.code, found.stderr.as_str()), (0, ""));
    assert!(found.stdout.ends_with("Nothing contradicts anything in 11 events.\n"), "{}", found.stdout);
}

#[test]
fn the_question_chooses_the_moment_the_entities_and_the_events() {
    let sandbox = with_conflicts();
    let found = |args: &[&str]| {
        let mut all = vec!["conflicts"];
        all.extend(args);
        sandbox.json(&all)
    };
    let deaths = &found(&["--as-of", "2012"])["contested"][0];
    assert_eq!((&deaths["decides"], &deaths["claims"][1]["stands"]), (&json!(true), &json!(true)));
    let before = &found(&["--as-of", "2009"])["contested"][0];
    assert_eq!((&before["decides"], before["claims"].as_array().unwrap().len()), (&json!(false), 2));
    assert_eq!(found(&["--as-of", "2011"])["clashes"], json!([]));
    assert_eq!(found(&["--known-at", "@1"])["found"], 0);
    assert_eq!(found(&["--known-at", "@11"])["stale"], json!([]));
    assert_eq!(found(&["--known-at", "@12"])["stale"][0]["today"], "[2012-03..2015-12]");
    let cholera = found(&["cholera"]);
    assert_eq!((&cholera["events"], &cholera["entities"]), (&json!(4), &json!(["cholera"])));
    let mistyped = sandbox.run(&["conflicts", "cholra"]);
    assert_eq!(mistyped.stderr, "no event changes an entity cholra; did you mean cholera?\n");
    assert_eq!(found(&["--text", "security council"])["found"], 1);
    assert_eq!(found(&["--from", "2013", "--to", "2016"])["links"].as_array().unwrap().len(), 2);
}

#[test]
fn scripts_are_told_by_the_exit_code() {
    let sandbox = with_conflicts();
    assert_eq!(sandbox.run(&["conflicts"]).code, 0);
    assert_eq!(sandbox.run(&["conflicts", "--exit-code"]).code, 1);
    assert_eq!(sandbox.run(&["--format", "json", "conflicts", "--exit-code"]).code, 1);
    assert_eq!(sandbox.run(&["conflicts", "--exit-code", "--text", "First"]).code, 0);
    assert_eq!(sandbox.run(&["--timeline", "other", "conflicts", "--exit-code"]).code, 1);
}

#[test]
fn nothing_in_haiti_contradicts_anything_until_somebody_says_so() {
    let sandbox = Sandbox::with_haiti();
    insta::assert_snapshot!(sandbox.session(
        "
        --timeline haiti conflicts --as-of 2023-11-20
        --timeline haiti append --id other-vote --date 2023-10-02 --title 'Security Council authorises a mission for Haiti' --set resolution.status=rejected --source 'A rumour'
        --timeline haiti append --id earlier --date 2003 --title 'Cholera before its time' --link caused-by=cholera-2010
        --timeline haiti conflicts --as-of 2023-11-20
        "
    ));
}

#[test]
fn hostile_text_reaches_no_terminal_raw() {
    let sandbox = Sandbox::with_store();
    let hostile = "evil \u{1b}[31m \u{202e}txt.exe \u{7}\nnext line";
    for id in ["x", "y"] {
        let set = format!("a.b={id}{hostile}");
        sandbox.ok(&[
            "append",
            "--id",
            id,
            "--date",
            "2004",
            "--title",
            hostile.trim(),
            "--source",
            hostile,
            "--set",
            &set,
        ]);
    }
    for args in [&["conflicts"][..], &["--format", "json", "conflicts"]] {
        let shown = sandbox.ok(args);
        assert!(shown.contains("evil"), "{shown}");
        let raw = shown.chars().find(|c| c.is_control() && *c != '\n' || *c == '\u{202e}');
        assert_eq!(raw, None, "{args:?}: {shown}");
    }
}
