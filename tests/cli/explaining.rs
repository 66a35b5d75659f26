//! What an attribute was along both axes, and why it has its value.

use std::collections::{BTreeMap, BTreeSet};

use annals_model::RecordedAt;
use serde_json::{Value, json};

use crate::sandbox::{Sandbox, repository};

/// A person whose office, rank and languages are corrected, taken back and doubted.
fn with_corrections() -> Sandbox {
    let sandbox = Sandbox::with_store();
    sandbox.write(
        "events.jsonl",
        r#"{"id":"born","date":"1950","title":"Born","effects":[{"op":"set","entity":"ann","attribute":"status","value":"alive"}]}
{"id":"mayor","date":"1990-05/1994-05","title":"Mayor","effects":[{"op":"set","entity":"ann","attribute":"office","value":"mayor","when":"during"}]}
{"id":"french","date":"1970","title":"Learns French","effects":[{"op":"add","entity":"ann","attribute":"languages","value":"French"}]}
{"id":"french-again","date":"1980","title":"Learns French again","effects":[{"op":"add","entity":"ann","attribute":"languages","value":"French"}]}
{"id":"dutch","title":"Learns Dutch at some time","effects":[{"op":"add","entity":"ann","attribute":"languages","value":"Dutch"}]}
{"id":"prize","date":"2001-06-01","title":"A prize","sources":[{"title":"The Daily","url":"https://daily.example/1","date":"2001-06-02","quote":"the first prize","locator":"p. 3","archived":"https://archive.example/1"}],"effects":[{"op":"set","entity":"ann","attribute":"prizes","value":1}]}
{"id":"second","date":"2002-06-01","title":"A second one","sources":[{"quote":"and the second"}],"effects":[{"op":"increase","entity":"ann","attribute":"prizes","value":1}]}
{"id":"joke","date":"2003-06-01T12:00:00","title":"A joke","effects":[{"op":"increase","entity":"ann","attribute":"status","value":1}]}
{"id":"hoax","date":"2004-06-01","title":"A hoax","effects":[{"op":"set","entity":"ann","attribute":"prizes","value":100}]}
{"id":"left","date":"2005","title":"Leaves","effects":[{"op":"clear","entity":"ann","attribute":"prizes"}]}
{"id":"later","date":"2030","title":"To come","effects":[{"op":"set","entity":"ann","attribute":"honours","value":true}]}
{"id":"site","date":"2000","title":"A site","effects":[{"op":"set","entity":"ann.example","attribute":"up","value":true}]}
"#,
    );
    sandbox.ok(&["append", "events.jsonl"]);
    sandbox.ok(&["retract", "hoax", "--reason", "nobody gives a hundred prizes"]);
    sandbox.ok(&["revise", "prize", "--date", "2001-06-02"]);
    sandbox
}

#[test]
fn the_history_of_an_entity_says_surely_and_possibly() {
    insta::assert_snapshot!(Sandbox::with_haiti().session(
        "
        --timeline haiti history un-police
        --timeline haiti history mss-mission.contributors
        --timeline haiti history un-police.status --known-at @4
        --timeline haiti history un-police --all-knowledge --as-of 2020
        --timeline haiti history mss-mission.status --all-knowledge --as-of 2023-10-05
        "
    ));
}

#[test]
fn haiti_says_why_the_police_is_present_or_withdrawn() {
    insta::assert_snapshot!(Sandbox::with_haiti().session(
        "
        --timeline haiti why un-police.status
        --timeline haiti why un-police.status --as-of 2018
        --timeline haiti why un-police.status --as-of 2004-06
        --timeline haiti why resolution.status --as-of 2023-10-05
        --timeline haiti why mss-mission.contributors --as-of 2023-08
        "
    ));
}

#[test]
fn what_does_not_count_is_told_with_its_reason() {
    insta::assert_snapshot!(with_corrections().session(
        "
        why ann.prizes --as-of 2004-12
        why ann.prizes
        why ann.status
        why ann.languages
        why ann.office
        why ann.office --as-of 1994-05-15
        why ann.honours
        why ann.status --text nothing
        why ann.prizes --as-of 2004-12 --known-at @9
        "
    ));
}

#[test]
fn the_history_of_corrections_is_shown_along_both_axes() {
    insta::assert_snapshot!(with_corrections().session(
        "
        history ann
        history ann.prizes --all-knowledge --as-of 2004-12
        "
    ));
}

#[test]
fn names_are_an_entity_first_and_unknown_ones_get_the_nearest() {
    insta::assert_snapshot!(with_corrections().session(
        "
        history ann.example
        history ann.example.up
        history ann.prises
        history anne
        history nobody.knows --all-knowledge
        why ann
        why ann.prises
        why anne.prizes
        history ann --as-of 2004
        history ann --certainty possibly
        --timeline mian why ann.prizes
        "
    ));
}

#[test]
fn a_withdrawn_entity_is_still_a_name() {
    let sandbox = Sandbox::with_store();
    sandbox.ok(&["append", "--id", "a", "--date", "2004", "--title", "t", "--set", "x.y=1"]);
    sandbox.ok(&["retract", "a", "--reason", "wrong"]);
    assert_eq!(sandbox.json(&["history", "x"])["spans"], json!([]));
    let why = sandbox.json(&["why", "x.y"]);
    assert_eq!(why["value"], Value::Null);
    assert_eq!(why["because"], json!({"reason": "retracted", "id": "a", "seq": 1}));
    assert_eq!(why["not_counted"][0]["because"], "wrong");
    assert_eq!(why["not_counted"][0]["at"]["seq"], 2);
}

#[test]
fn history_for_programs_tells_open_from_unknown_and_from_never() {
    let sandbox = Sandbox::with_store();
    for (id, date, attribute) in [
        ("a", "../2004", "always"),
        ("b", "/2004", "somewhen"),
        ("c", "2004/..", "ongoing"),
        ("d", "2004/", "ended"),
    ] {
        let effect =
            format!(r#"{{"op":"set","entity":"x","attribute":"{attribute}","value":1,"when":"during"}}"#);
        let line = format!(r#"{{"id":"{id}","date":"{date}","title":"t","effects":[{effect}]}}"#);
        sandbox.ok_with(&["append", "-"], &line);
    }
    sandbox.ok(&["append", "--id", "e", "--title", "t", "--set", "x.undated=1"]);
    let history = sandbox.json(&["history", "x"]);
    assert_eq!(history["schema"], "annals/history/1");
    assert_eq!(history["timeline"], "main");
    assert_eq!(history["known_at"]["seq"], 5);
    assert_eq!(history.get("as_of"), None);
    let spans = history["spans"].as_array().unwrap();
    let extent = |attribute: &str| {
        let span = spans.iter().find(|span| span["attribute"] == attribute).unwrap();
        json!([span["from"], span["until"], span["possibly_from"], span["possibly_until"]])
    };
    let (first, last) = ("2004-01-01T00:00:00", "2004-12-31T23:59:59");
    assert_eq!(extent("always"), json!(["open", first, "open", last]));
    assert_eq!(extent("somewhen"), json!([null, null, "unknown", last]));
    assert_eq!(extent("ongoing"), json!([last, "open", first, "open"]));
    assert_eq!(extent("ended"), json!([null, null, first, "unknown"]));
    assert_eq!(extent("undated"), json!([null, null, "unknown", "open"]));
    assert_eq!(
        spans.iter().find(|span| span["attribute"] == "ended").unwrap(),
        &json!({
            "entity": "x", "attribute": "ended", "value": 1, "by": "d", "seq": 4,
            "recorded_at": "2026-03-01T09:04:01.000000Z", "date": "2004/", "title": "t",
            "from": null, "until": null, "possibly_from": first, "possibly_until": "unknown",
        })
    );
}

#[test]
fn why_for_programs_has_the_sources_with_their_quotes() {
    let why = with_corrections().json(&["why", "ann.prizes", "--as-of", "2004-12"]);
    assert_eq!(why["schema"], "annals/why/1");
    assert_eq!((&why["value"], &why["by"], &why["sure"]), (&json!(2), &json!("second"), &json!(true)));
    assert_eq!(why["sources"], json!([{"quote": "and the second"}]));
    let ids = |list: &str| -> Vec<Value> {
        let list = why[list].as_array().unwrap();
        list.iter()
            .map(|part| json!([part["id"], part["seq"], part["op"], part["value"], part["reason"]]))
            .collect()
    };
    assert_eq!(
        ids("made_of"),
        [json!(["prize", 14, "set", 1, null]), json!(["second", 7, "increase", 1, null])]
    );
    assert_eq!(why["made_of"][0]["sources"][0]["archived"], "https://archive.example/1");
    assert_eq!(ids("overridden"), [] as [Value; 0]);
    assert_eq!(
        ids("not_counted"),
        [
            json!(["left", 10, "clear", null, "not_yet"]),
            json!(["prize", 6, "set", 1, "revised"]),
            json!(["hoax", 9, "set", 100, "retracted"]),
        ]
    );
    assert_eq!(why["not_counted"][2]["because"], "nobody gives a hundred prizes");
    assert_eq!(why["not_counted"][2]["at"], json!({"seq": 13, "recorded_at": "2026-03-01T09:02:00.000000Z"}));
}

/// The fields of the catalogue that become attributes.
const FIELDS: [(&str, &str); 8] = [
    ("cwes", "cwes"),
    ("description", "shortDescription"),
    ("due-date", "dueDate"),
    ("name", "vulnerabilityName"),
    ("product", "product"),
    ("ransomware-use", "knownRansomwareCampaignUse"),
    ("required-action", "requiredAction"),
    ("vendor", "vendorProject"),
];

/// What the raw revisions of the catalogue say: per vulnerability and attribute each new value, what brought it
/// and when. An absent value is one that was removed.
fn catalogue_changes() -> BTreeMap<String, Vec<Value>> {
    let raw = std::fs::read_to_string(repository("tests/fixtures/cisa/extract.jsonl")).unwrap();
    let revisions: Vec<Value> = raw.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: BTreeSet<&str> = revisions.iter().map(|revision| revision["id"].as_str().unwrap()).collect();
    let mut found = BTreeMap::new();
    for id in ids {
        let mut changes = Vec::new();
        for (attribute, field) in FIELDS {
            let mut stands = Value::Null;
            for revision in revisions.iter().filter(|revision| revision["id"] == id) {
                let op = revision["op"].as_str().unwrap();
                let value = match &revision["value"][field] {
                    _ if op == "remove" => Value::Null,
                    Value::Null => continue,
                    Value::String(text) => json!(text.trim()),
                    Value::Array(members) => {
                        json!(members.iter().map(|m| m.as_str().unwrap()).collect::<BTreeSet<_>>())
                    }
                    other => panic!("{id} {field}: {other}"),
                };
                if value != stands {
                    let at: RecordedAt = revision["recorded_at"].as_str().unwrap().parse().unwrap();
                    changes.push(json!([attribute, value, op, at.to_string()]));
                    stands = value;
                }
            }
        }
        found.insert(id.to_owned(), changes);
    }
    found
}

#[test]
fn each_change_of_the_cisa_catalogue_is_shown_with_its_record_time() {
    let Some(sandbox) = crate::real_data::converted("cisa", "extract.jsonl", &["--keep-record-times"]) else {
        return;
    };
    let mut later = 0;
    for (cve, expected) in catalogue_changes() {
        let answer = sandbox.json(&["history", &cve, "--all-knowledge"]);
        assert_eq!(answer["schema"], "annals/learned/1");
        let changes = answer["changes"].as_array().unwrap().iter();
        let told: Vec<Value> = changes
            .map(|change| {
                let op = match change["op"].as_str().unwrap() {
                    "append" => "add",
                    "revise" => "change",
                    "retract" => "remove",
                    other => panic!("{other}"),
                };
                json!([change["attribute"], change["value"], op, change["recorded_at"]])
            })
            .collect();
        later += expected.iter().filter(|change| change[2] != "add").count();
        assert_eq!(told, expected, "{cve}");
    }
    assert!(later >= 20, "the extract holds changes: {later}");
}

#[test]
fn people_are_shown_the_parts_that_are_nearest_to_the_answer() {
    let sandbox = Sandbox::with_store();
    let line = |day: usize| {
        let (month, day, effect) =
            (day / 28 + 1, day % 28 + 1, r#"{"op":"increase","entity":"x","attribute":"n","value":1}"#);
        format!(
            r#"{{"id":"2004-{month:02}-{day:02}","date":"2004-{month:02}-{day:02}","title":"t","effects":[{effect}]}}"#
        )
    };
    let lines: Vec<String> = (0..60).map(line).collect();
    sandbox.ok_with(&["append", "-"], &lines.join("\n"));
    let told = sandbox.ok(&["why", "x.n", "--as-of", "2004-02-03"]);
    assert!(told.contains("\n  11 earlier, all in --format json\n  += 1 – 2004-01-12"), "{told}");
    assert!(told.contains("\n  += 1 – 2004-02-03"), "{told}");
    assert!(told.contains("\n    has not happened yet\n  9 more, all in --format json\n"), "{told}");
    let whole = sandbox.json(&["why", "x.n", "--as-of", "2004-02-03"]);
    assert_eq!(whole["made_of"].as_array().unwrap().len(), 31);
    assert_eq!(whole["not_counted"].as_array().unwrap().len(), 29);
}
