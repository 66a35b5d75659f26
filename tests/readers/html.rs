//! The page, opened in a browser from a file: what its slider shows is what `replay` says, and nothing hostile happens.

use serde_json::{Value, json};

use crate::programs::node;
use crate::sandbox::Sandbox;
use crate::tables::awkward;

/// Opens the page of a sandbox, steps through all its dates and asks `replay` about each.
fn shows_what_replay_says(sandbox: &Sandbox, question: &[&str]) {
    let mut export = vec!["export", "--to", "html", "-o", "out.html"];
    export.extend(question);
    sandbox.ok(&export);
    let Some(told) = node("html_states", &[sandbox.path("out.html").to_str().unwrap()]) else { return };
    let seen: Vec<Value> = serde_json::from_str(&told).unwrap();
    assert!(seen.len() > 10, "{told}");
    let mut states = std::collections::BTreeSet::new();
    for shown in &seen {
        let as_of = format!("--as-of={}", shown["as_of"].as_str().unwrap());
        let asked: Vec<&str> = question.iter().copied().filter(|arg| !arg.starts_with("--as-of")).collect();
        let mut replay = vec!["replay", &as_of];
        replay.extend(&asked);
        let snapshot = sandbox.json(&replay);
        let mut expect = expected(&snapshot, &shown["as_of"]);
        if asked.len() < question.len() {
            // What came later is not in a page as of a date.
            let tally = expect["tally"].as_str().unwrap().rsplit_once(", ").unwrap().0.to_owned();
            expect["tally"] = tally.into();
        }
        assert_eq!(*shown, expect, "as of {}", shown["as_of"]);
        states.insert(shown["state"].to_string());
    }
    assert!(states.len() > 2, "the slider changes nothing");
}

/// A snapshot in the words of the page.
fn expected(snapshot: &Value, as_of: &Value) -> Value {
    let mut state = serde_json::Map::new();
    let each = |part: &str| snapshot[part].as_object().cloned().unwrap_or_default();
    for (entity, attributes) in each("state") {
        for (attribute, cell) in attributes.as_object().unwrap() {
            let sure = if cell["sure"] == json!(true) { "sure" } else { "not sure" };
            let told = json!({"value": text(&cell["value"]), "sure": sure, "by": cell["by"]});
            state.insert(format!("{entity}.{attribute}"), told);
        }
    }
    for (entity, attributes) in each("unsettled") {
        for attribute in attributes.as_object().unwrap().keys() {
            let told = json!({"value": "nothing sure", "sure": "", "by": ""});
            state.insert(format!("{entity}.{attribute}"), told);
        }
    }
    let count = |name: &str| snapshot["events"][name].as_u64().unwrap();
    let (applied, possible, later) = (count("applied"), count("possible"), count("later"));
    let events = if applied == 1 { "event" } else { "events" };
    let going = snapshot["ongoing"].as_array().unwrap();
    json!({
        "as_of": as_of,
        "state": state,
        "tally": format!("{applied} {events} happened, {possible} possibly, {later} came later"),
        "surely_going": going.iter().filter(|one| one["certainty"] == "surely").count(),
        "going": going.len(),
    })
}

/// A value as people read it.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(members) => format!("{{{}}}", members.iter().map(text).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

#[test]
fn the_slider_shows_what_replay_says_of_the_demo() {
    let sandbox = Sandbox::with_haiti();
    shows_what_replay_says(&sandbox, &["--timeline", "haiti"]);
    shows_what_replay_says(&sandbox, &["--timeline", "haiti", "--known-at", "2023-11-19"]);
}

#[test]
fn the_slider_shows_what_replay_says_of_awkward_dates() {
    let sandbox = awkward();
    shows_what_replay_says(&sandbox, &[]);
    let dated = |id: &str, date: &str, effects: &[&str]| {
        let mut args = vec!["append", "--id", id, "--date", date, "--title", id];
        args.extend(effects);
        sandbox.ok(&args);
    };
    dated("lapses", "2005/2007-03", &["--set", "a.x=first", "--add", "a.all=one"]);
    dated("overlaps", "2006~", &["--set", "a.x=second", "--add", "a.all=two", "--increase", "a.n=3"]);
    dated("contests", "2006", &["--set", "a.x=third", "--remove", "a.all=one", "--increase", "a.n=-1"]);
    dated("twice", "{2007,2009-05}", &["--increase", "a.n=10"]);
    dated("noon", "2008-02-03T12:00:00", &["--set", "a.x=noon"]);
    dated("that-day", "2008-02-03", &["--set", "a.y=day"]);
    dated("once", "[2001,2011-04,2015]", &["--set", "a.x=once", "--clear", "un-police.status"]);
    shows_what_replay_says(&sandbox, &[]);
    shows_what_replay_says(&sandbox, &["--as-of=2008-02-03T06:00:00"]);
}

#[test]
fn the_page_is_usable_and_harmless() {
    let sandbox = awkward();
    let long = format!(r#"{{"id":"endless","date":"2024","title":"{}"}}"#, "x".repeat(10_000));
    let hostile = [
        &long,
        r#"{"id":"\"><img src=x onerror=alert(1)>","date":"2024","title":"<!--<script>","kind":"<b>","place":{"name":"' onload='alert(1)"},"tags":["</script><script>alert(2)</script>"],"actors":[{"name":"&lt;script&gt;"}],"description":"&#60;script>alert(3)</script>","sources":[{"title":"<i>","url":"https://x.org/\"onmouseover=\"alert(4)"},{"title":"data","url":"data:text/html,<script>alert(5)</script>"},{"url":"JavaScript://x.org/%0aalert(6)"}],"effects":[{"op":"set","entity":"<script>alert(7)</script>","attribute":"</script>","value":"<img src=x onerror=alert(8)>"},{"op":"set","entity":"__proto__","attribute":"constructor","value":"\u2028\u202e"}]}"#,
    ];
    sandbox.ok_with(&["import", "-", "--from", "jsonl"], &hostile.join("\n"));
    sandbox.ok(&["export", "--to", "html", "-o", "out.html", "--title", "</title><script>alert(0)</script>"]);
    let Some(told) = node("html_page", &[sandbox.path("out.html").to_str().unwrap(), "22"]) else { return };
    assert_eq!(told, "22 events; searched, filtered, zoomed, printed; nothing serious found by axe\n");
}

#[test]
fn a_page_of_many_events_opens() {
    let count = std::env::var("ANNALS_TEST_PAGE_EVENTS").map_or(600, |count| count.parse::<u32>().unwrap());
    let line = |number: u32| {
        let (year, month, day) = (1990 + number % 34, 1 + number % 12, 1 + number % 28);
        let date = match number % 7 {
            0 => format!("{year}"),
            1 => format!("{year}-{month:02}/{}", year + 1),
            _ => format!("{year}-{month:02}-{day:02}"),
        };
        format!(
            r#"{{"id":"e{number}","date":"{date}","title":"Event {number}","kind":"kind {}","effects":[{{"op":"increase","entity":"all","attribute":"count","value":1}},{{"op":"set","entity":"town {}","attribute":"control","value":"{}"}}]}}"#,
            number % 5,
            number % 90,
            number % 4
        )
    };
    let sandbox = Sandbox::with_store();
    sandbox
        .ok_with(&["import", "-", "--from", "jsonl"], &(0..count).map(line).collect::<Vec<_>>().join("\n"));
    let done = sandbox.run(&["export", "--to", "html", "-o", "out.html"]);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""), "something was left out");
    // What a browser has to read before anybody sees anything.
    let size = std::fs::metadata(sandbox.path("out.html")).unwrap().len();
    assert!(size < 70_000 + 400 * u64::from(count), "{size} bytes for {count} events");
    let Some(told) = node("html_many", &[sandbox.path("out.html").to_str().unwrap()]) else { return };
    assert_eq!(told, format!("{count} events, the count ends at {count}\n"));
}
