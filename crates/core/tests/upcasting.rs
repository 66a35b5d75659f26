//! Payloads in `extra`, in every version in which they were ever written.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code: a panic is how a test fails")]

use annals_core::projection::{PayloadError, Upcasters};
use annals_model::{Event, EventId, Extra};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Troops {
    officers: i64,
    from: Vec<Lender>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Lender {
    country: String,
}

/// Version 1 was a number or its digits, version 2 an object with one country, version 3 has many.
fn troops() -> Upcasters<Troops> {
    Upcasters::new("troops")
        .from(1, |officers| {
            let officers = match officers {
                Value::String(digits) => digits.parse::<i64>()?,
                other => other.as_i64().ok_or("not a whole number")?,
            };
            Ok(json!({ "officers": officers, "country": "Kenya" }))
        })
        .from(2, |troops| {
            let country = troops.get("country").ok_or("no country")?;
            Ok(json!({ "officers": troops["officers"], "from": [{ "country": country }] }))
        })
}

fn event(extra: &str) -> Event {
    let raw = RawValue::from_string(extra.to_owned()).unwrap();
    let extra = (!extra.is_empty()).then(|| Extra::from_json(&raw).unwrap());
    Event { extra, ..Event::new(EventId::new("offer").unwrap(), "An offer") }
}

fn read(extra: &str) -> Result<Option<Troops>, PayloadError> {
    let extra = if extra.is_empty() { "{}" } else { extra };
    troops().read(&event(extra))
}

fn from_kenya(officers: i64) -> Troops {
    Troops { officers, from: vec![Lender { country: "Kenya".to_owned() }] }
}

#[test]
fn every_version_is_read_as_the_newest() {
    assert_eq!(troops().newest(), 3);
    let check = |extra: &str| assert_eq!(read(extra).unwrap(), Some(from_kenya(1000)), "{extra}");
    check(r#"{"troops":1000}"#);
    check(r#"{"troops":"1000","other":"column"}"#);
    check(r#"{"troops":{"version":2,"officers":1000,"country":"Kenya"}}"#);
    check(r#"{"troops":{"version":3,"officers":1000,"from":[{"country":"Kenya"}]}}"#);
}

#[test]
fn an_event_without_the_key_has_no_payload() {
    let check = |extra: &str| assert_eq!(read(extra).unwrap(), None, "{extra}");
    check("");
    check(r#"{"soldiers":1000}"#);
    let without = Event::new(EventId::new("offer").unwrap(), "An offer");
    assert_eq!(troops().read(&without).unwrap(), None);
}

/// The error with everything that caused it, and its hint.
fn told(error: &PayloadError) -> String {
    let cause = std::error::Error::source(error).map_or(String::new(), |cause| format!(": {cause}"));
    let hint = error.hint().map_or(String::new(), |hint| format!(" ({hint})"));
    format!("{error}{cause}{hint}")
}

#[test]
fn what_is_not_understood_is_named_with_the_event_the_key_and_the_version() {
    let check = |extra: &str, expect: &str| assert_eq!(told(&read(extra).unwrap_err()), expect);
    check(
        r#"{"troops":{"version":4,"officers":1000}}"#,
        "offer: extra.troops, version 4: this program knows versions 1 to 3 (the event was written by a newer \
         version of the program: read it with that one)",
    );
    check(
        r#"{"troops":{"version":"two"}}"#,
        "offer: extra.troops: `version` is \"two\", and not a whole number from 1 on",
    );
    check(
        r#"{"troops":{"version":0}}"#,
        "offer: extra.troops: `version` is 0, and not a whole number from 1 on",
    );
    check(
        r#"{"troops":true}"#,
        "offer: extra.troops, version 1: its step to the next version does not take it: not a whole number",
    );
    check(
        r#"{"troops":{"version":2,"officers":7}}"#,
        "offer: extra.troops, version 2: its step to the next version does not take it: no country",
    );
    check(
        r#"{"troops":{"version":3,"officers":7,"from":[{"country":"Kenya"},{"country":5}]}}"#,
        "offer: extra.troops, version 3: as version 3, it is not what the program expects: from[1].country: \
         invalid type: integer `5`, expected a string",
    );
    check(
        r#"{"troops":{"version":3,"officers":7,"from":[],"rank":"high"}}"#,
        "offer: extra.troops, version 3: as version 3, it is not what the program expects: rank: unknown field \
         `rank`, expected `officers` or `from`",
    );
}

#[test]
fn a_step_that_was_forgotten_is_asked_for() {
    let gap: Upcasters<Value> = Upcasters::new("troops").from(1, Ok).from(3, Ok);
    assert_eq!(gap.newest(), 4);
    let error = gap.read(&event(r#"{"troops":{"a":1}}"#)).unwrap_err();
    assert_eq!(
        told(&error),
        "offer: extra.troops, version 2: no step leads to version 3 (register one with `.from(2, …)`)"
    );
    assert_eq!((error.id().as_str(), error.version()), ("offer", Some(2)));
}

#[test]
fn a_payload_is_written_in_the_newest_version_beside_what_was_there() {
    let mut event = event(r#"{"row":"17","exact":1.50,"troops":7}"#);
    troops().write(&mut event, &from_kenya(1000)).unwrap();
    assert_eq!(
        event.extra.as_ref().unwrap().as_str(),
        r#"{"exact":1.50,"row":"17","troops":{"from":[{"country":"Kenya"}],"officers":1000,"version":3}}"#
    );
    assert_eq!(troops().read(&event).unwrap(), Some(from_kenya(1000)));
}

#[test]
fn a_payload_that_could_not_be_read_again_is_not_written() {
    let mut event = event("{}");
    let refused = |error: annals_model::Invalid| error.to_string();
    let number: Upcasters<i64> = Upcasters::new("n");
    assert_eq!(
        refused(number.write(&mut event, &5).unwrap_err()),
        "extra.n: a payload is a JSON object, which can hold its version"
    );
    let own: Upcasters<Value> = Upcasters::new("n");
    assert_eq!(
        refused(own.write(&mut event, &json!({ "version": 1 })).unwrap_err()),
        "extra.n: a payload has no field `version` of its own"
    );
}
