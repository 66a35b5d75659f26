//! JSON Lines in and out: what is taken, what is refused, and at which field.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::format_push_string,
    reason = "test code: a panic is how a test fails"
)]

use annals_model::line::{Line, event_line, record_line, redacted_line};
use annals_model::{Content, Entry, Event, EventId, Op, Record, RecordedAt, Seq, TimelineName, Write};

const FULL: &str = r#"{"id":"cholera-2010","date":"2010","kind":"outbreak","title":"Cholera reaches Haiti","description":"…","actors":[{"name":"UN peacekeepers","role":"source"}],"place":{"name":"Port-au-Prince","lat":18.54,"lon":-72.34,"precision":"city"},"tags":["health"],"sources":[{"title":"…","url":"https://example.org/","date":"2023-11-13","quote":"…","locator":"par. 9","archived":"https://example.org/a","sha256":"f477a3dec58ffd6a1b1c8f196279637c818715237e3e111ad19a0f4e673ef78d"}],"confidence":90,"links":[{"rel":"caused-by","to":"un-2004"}],"effects":[{"op":"increase","entity":"cholera","attribute":"deaths","value":9000},{"op":"set","entity":"cholera","attribute":"status","value":"epidemic","when":"during"},{"op":"clear","entity":"a","attribute":"b"},{"op":"set","entity":"a","attribute":"c","value":[1,"x"],"when":"end"}],"extra":{"anything":"import columns survive here"}}"#;

fn main_timeline() -> TimelineName {
    TimelineName::new("main").unwrap()
}

fn entry(line: &str) -> Entry {
    Line::parse(line).unwrap().into_entry(&main_timeline(), || EventId::new("made").unwrap())
}

fn event(line: &str) -> Event {
    match entry(line).write {
        Write::Append(event) | Write::Revise(event) => *event,
        other => panic!("not an event: {other:?}"),
    }
}

#[test]
fn an_event_with_every_field_comes_back_byte_for_byte() {
    assert_eq!(serde_json::to_string(&event(FULL)).unwrap(), FULL);
    let line = event_line(&main_timeline(), &event(FULL)).unwrap();
    assert_eq!(line, FULL.replacen('{', "{\"timeline\":\"main\",", 1));
    assert_eq!(event(&line), event(FULL));
}

#[test]
fn a_line_without_op_is_an_append_and_only_a_title_is_required() {
    let entry = entry(r#"{"title":"Something happened"}"#);
    assert_eq!(entry.timeline, main_timeline());
    let Write::Append(event) = entry.write else { panic!("not an append") };
    assert_eq!((event.id.as_str(), &event.date), ("made", &None));
}

#[test]
fn what_the_line_says_of_its_record_is_kept_aside() {
    let entry = entry(
        r#"{"op":"retract","timeline":"haiti","id":"x","reason":"unfounded","seq":7,"recorded_at":"2023-11-13T10:00:00+01:00","recorded_by":"ann","salt":"000102030405060708090a0b0c0d0e0f"}"#,
    );
    assert_eq!(entry.timeline.as_str(), "haiti");
    assert_eq!(entry.recorded_at.unwrap().to_string(), "2023-11-13T09:00:00.000000Z");
    assert_eq!(entry.recorded_by.as_deref(), Some("ann"));
    assert_eq!(entry.salt.unwrap()[15], 15);
    assert_eq!(entry.write, Write::Retract { id: EventId::new("x").unwrap(), reason: "unfounded".into() });
}

#[test]
fn a_record_is_written_flat_and_read_again() {
    let record = |op, content| Record {
        seq: Seq(3),
        recorded_at: RecordedAt::from_micros(1_699_866_000_000_000),
        recorded_by: "ann".to_owned(),
        timeline: main_timeline(),
        id: EventId::new("cholera-2010").unwrap(),
        op,
        content,
    };
    let revised = record(Op::Revise, Content::Event(Box::new(event(FULL))));
    let line = record_line(&revised, Some(&[1; 16])).unwrap();
    assert!(line.starts_with(
        r#"{"seq":3,"recorded_at":"2023-11-13T09:00:00.000000Z","recorded_by":"ann","op":"revise","timeline":"main","salt":"01010101010101010101010101010101","id":"cholera-2010","date":"2010""#
    ));
    let again = entry(&line);
    assert_eq!(again.write, Write::Revise(Box::new(event(FULL))));
    assert_eq!(again.salt, Some([1; 16]));
    let retracted = record(Op::Retract, Content::Reason("no \"proof\"".to_owned()));
    let line = record_line(&retracted, None).unwrap();
    assert!(
        line.ends_with(r#""op":"retract","timeline":"main","id":"cholera-2010","reason":"no \"proof\""}"#)
    );
    assert!(matches!(entry(&line).write, Write::Retract { .. }));
    let redacted = record_line(&record(Op::Append, Content::Redacted), None).unwrap();
    assert!(redacted.ends_with(r#""id":"cholera-2010","redacted":true}"#));
    let redacted = redacted_line(&record(Op::Revise, Content::Redacted), &[7; 32]).unwrap();
    let (id, commitment) = (EventId::new("cholera-2010").unwrap(), [7; 32]);
    assert_eq!(entry(&redacted).write, Write::Erased { id, op: Op::Revise, commitment });
}

/// A line is refused with this message, and with this hint if one is given.
fn refused(line: &str, message: &str, hint: &str) {
    let error = Line::parse(line).expect_err(line);
    assert_eq!(error.to_string(), message, "{line}");
    assert_eq!(error.hint().unwrap_or(""), hint, "{line}");
}

#[test]
fn unknown_fields_are_refused_with_their_name() {
    refused(r#"{"title":"t","tittle":"t"}"#, "unknown field `tittle`", "did you mean `title`?");
    refused(
        r#"{"title":"t","xyzzy":1}"#,
        "unknown field `xyzzy`",
        "what has no field of its own goes under `extra`",
    );
    refused(
        r#"{"title":"t","actors":[{"name":"a"},{"nam":"b"}]}"#,
        "actors[1]: unknown field `nam`",
        "did you mean `name`?",
    );
    refused(
        r#"{"title":"t","effects":[{"op":"set","entity":"a","attribute":"b","value":1,"wen":"end"}]}"#,
        "effects[0]: unknown field `wen`",
        "did you mean `when`?",
    );
}

#[test]
fn wrong_types_are_refused_at_their_place() {
    refused(r#"{"title":5}"#, "title: invalid type: integer `5`, expected a string at column 10", "");
    refused(
        r#"{"title":"t","tags":"x"}"#,
        "tags: invalid type: string \"x\", expected a sequence at column 23",
        "",
    );
    refused(
        r#"{"title":"t","op":"delete"}"#,
        "op: unknown variant `delete`, expected one of `append`, `revise`, `retract`, `redact` at column 26",
        "",
    );
    refused(r#"{"title":"t""#, "EOF while parsing an object at column 12", "");
    refused(r#"{"title":"t"} {"title":"u"}"#, "more than one JSON value", "one object a line");
    refused("[1]", "the line is not a JSON object", "one object a line, as in {\"title\":\"…\"}");
}

#[test]
fn every_limit_is_checked_with_its_path() {
    let long = "x".repeat(10_001);
    refused(&format!(r#"{{"title":"{long}"}}"#), "title: has 10001 characters, the limit is 10000", "");
    refused(r#"{"title":"  "}"#, "title: must not be blank", "");
    refused(r#"{"id":"a"}"#, "title: is missing", "");
    refused(r#"{"title":"t","id":""}"#, "id: must not be empty at column 21", "");
    refused(r#"{"title":"t","kind":" war"}"#, "kind: must not begin or end with a space", "trim it");
    refused(r#"{"title":"t","tags":["a","b\u0007"]}"#, "tags[1]: must not hold control characters", "");
    refused(r#"{"title":"t","confidence":101}"#, "confidence: is a percentage from 0 to 100", "");
    refused(
        r#"{"title":"t","place":{"name":"x","lat":90.5,"lon":0}}"#,
        "place.lat: is in degrees from -90 to 90",
        "",
    );
    refused(r#"{"title":"t","place":{"name":"x","lat":9}}"#, "place: `lat` and `lon` go together", "");
    refused(r#"{"title":"t","sources":[{}]}"#, "sources[0]: must hold at least one field", "");
    refused(
        r#"{"title":"t","sources":[{"sha256":"ABC"}]}"#,
        "sources[0].sha256: must be 64 lower-case hexadecimal digits",
        "",
    );
    refused(r#"{"title":"t","extra":[1]}"#, "extra: must be a JSON object", "");
    refused(
        r#"{"title":"t","timeline":"a b"}"#,
        "timeline: a timeline's name cannot hold ' ' at column 30",
        "",
    );
    refused(r#"{"title":"t","salt":"xyz"}"#, "salt: must be 32 hexadecimal digits", "");
    let many = vec!["\"x\""; 10_001].join(",");
    refused(
        &format!(r#"{{"title":"t","tags":[{many}]}}"#),
        "tags: has 10001 entries, the limit is 10000",
        "",
    );
}

#[test]
fn effects_that_make_no_sense_are_refused() {
    let check = |effect: &str, message: &str, hint: &str| {
        let line = format!(r#"{{"title":"t","effects":[{{"entity":"a","attribute":"b"}},{effect}]}}"#);
        let line = line.replacen(
            r#"{"entity":"a","attribute":"b"}"#,
            r#"{"op":"clear","entity":"a","attribute":"b"}"#,
            1,
        );
        refused(&line, message, hint);
    };
    check(
        r#"{"op":"set","entity":"a","attribute":"b"}"#,
        "effects[1].value: is missing",
        "only `clear` goes without a value",
    );
    check(
        r#"{"op":"set","entity":"a","attribute":"b","value":null}"#,
        "effects[1].value: null is not a value",
        "use the operation `clear` to make an attribute absent",
    );
    check(
        r#"{"op":"clear","entity":"a","attribute":"b","value":1}"#,
        "effects[1].value: `clear` takes no value",
        "",
    );
    check(
        r#"{"op":"increase","entity":"a","attribute":"b","value":"9"}"#,
        "effects[1].value: `increase` takes a number",
        "",
    );
    check(
        r#"{"op":"add","entity":"a","attribute":"b","value":[1]}"#,
        "effects[1].value: expected text, a number, true or false",
        "",
    );
    check(
        r#"{"op":"set","entity":"a","attribute":"b.c","value":1}"#,
        "effects[1].attribute: an attribute's name cannot hold a dot: \"b.c\"",
        "use `-` or `_`: the attribute is what follows the last dot of `entity.attribute`",
    );
    check(
        r#"{"op":"increase","entity":"a","attribute":"b","value":1,"when":"during"}"#,
        "effects[1].when: `during` goes with `set` and `add`, not `increase`",
        "",
    );
    check(
        r#"{"op":"set","entity":"a","attribute":"b","value":12345678901234567890}"#,
        "effects[1].value: the number 12345678901234567890 has more digits than programs that read JSON keep",
        "numbers go up to 9007199254740991, with 15 to 17 digits in all; write it as text",
    );
}

#[test]
fn dates_in_files_are_edtf_and_nothing_else() {
    let error = Line::parse(r#"{"title":"t","date":"2019/2017"}"#).unwrap_err();
    assert_eq!(error.path(), "date");
    assert!(error.hint().unwrap().contains("2017/2019"));
    assert!(Line::parse(r#"{"title":"t","date":"July 2023"}"#).is_err());
    assert!(Line::parse(r#"{"title":"t","date":" 2023"}"#).is_err());
}

#[test]
fn a_retraction_carries_an_id_and_a_reason() {
    refused(r#"{"op":"retract","id":"x"}"#, "reason: is missing", "");
    refused(r#"{"op":"retract","reason":"r"}"#, "id: is missing", "");
    refused(
        r#"{"op":"retract","id":"x","reason":"r","title":"t"}"#,
        "a retraction carries only an id and a reason",
        "to correct the event, use the operation `revise`",
    );
    refused(r#"{"title":"t","reason":"r"}"#, "reason: goes with `retract` and `redact` only", "");
    refused(r#"{"op":"revise","title":"t"}"#, "id: is missing", "");
}

#[test]
fn a_redaction_carries_an_id_and_a_reason() {
    let redaction = entry(r#"{"op":"redact","id":"x","reason":"r"}"#);
    assert_eq!(redaction.write, Write::Redact { id: EventId::new("x").unwrap(), reason: "r".to_owned() });
    refused(r#"{"op":"redact","id":"x"}"#, "reason: is missing", "");
    refused(
        r#"{"op":"redact","id":"x","reason":"r","kind":"k"}"#,
        "a redaction carries only an id and a reason",
        "to correct the event, use the operation `revise`",
    );
}

#[test]
fn the_line_of_a_redacted_record_carries_a_commitment_and_nothing_else() {
    let hex = "ab".repeat(32);
    let line = |more: &str| format!(r#"{{"id":"x","redacted":true{more}}}"#);
    for op in [Op::Append, Op::Revise, Op::Retract] {
        let erased = entry(&line(&format!(r#","op":"{op}","commitment":"{hex}""#)));
        assert_eq!(
            erased.write,
            Write::Erased { id: EventId::new("x").unwrap(), op, commitment: [0xAB; 32] }
        );
    }
    let hint = "`annals export --to jsonl --records` writes it for each redacted record";
    refused(&line(""), "commitment: is missing", hint);
    refused(&line(r#","commitment":"ab""#), "commitment: must be 64 hexadecimal digits", "");
    let commitment = format!(r#","commitment":"{hex}""#);
    refused(
        &line(&format!(r#"{commitment},"op":"redact""#)),
        "redacted: a redaction is never redacted itself",
        "",
    );
    for more in
        [r#","title":"t""#, r#","reason":"r""#, r#","tags":["a"]"#, &format!(r#","salt":"{}""#, &hex[..32])]
    {
        refused(
            &line(&format!("{commitment}{more}")),
            "the line of a redacted record carries no content and no salt",
            "it has the id, and the commitment to what was erased",
        );
    }
    refused(&format!(r#"{{"title":"t"{commitment}}}"#), "commitment: goes only with `redacted`", "");
    let without_id = format!(r#"{{"redacted":true{commitment}}}"#);
    refused(&without_id, "id: is missing", "");
}
