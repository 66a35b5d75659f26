//! The given/when/then helpers of the testkit: what they let pass and what they find.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code: a panic is how a test fails")]

use annals_core::projection::{Failure, Happened, Projection};
use annals_testkit::Given;
use serde::{Deserialize, Serialize};

/// The sum of the confidence in what began, which somebody forgot to save.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Sum {
    events: usize,
    #[serde(skip)]
    confidence: u32,
}

struct Confidence;

impl Projection for Confidence {
    type State = Sum;

    fn name(&self) -> &'static str {
        "confidence"
    }

    fn version(&self) -> u32 {
        1
    }

    fn apply(&self, sum: &mut Sum, happened: &Happened<'_>) -> Result<(), Failure> {
        let confidence = happened.event().confidence.ok_or("how sure is it?")?;
        sum.events += 1;
        sum.confidence += u32::from(confidence);
        Ok(())
    }
}

const FIRST: &str = r#"{"id":"first","date":"2004","title":"First","confidence":50}"#;
const LATER: &str = r#"{"id":"later","date":"2006","title":"Later","confidence":20}"#;

fn sum(events: usize, confidence: u32) -> Sum {
    Sum { events, confidence }
}

#[test]
fn each_given_is_a_record_and_each_question_is_answered() {
    Given::timeline("main")
        .events([LATER, FIRST])
        .revised(r#"{"id":"first","date":"2005","title":"First","confidence":60}"#)
        .event(r#"{"op":"retract","id":"later","reason":"not so"}"#)
        .when(|| Confidence)
        .then_state(&sum(1, 60))
        .known_at("@3")
        .then_state(&sum(2, 80))
        .as_of("2005")
        .then_state(&sum(1, 60))
        .known_at("@2")
        .then_state(&sum(1, 50))
        .as_of("2004-06")
        .then_state(&sum(0, 0))
        .possibly()
        .then_state(&sum(1, 50));
}

#[test]
fn record_times_of_the_givens_are_the_clock() {
    let at = |line: &str, at: &str| line.replacen('{', &format!("{{\"recorded_at\":\"{at}\","), 1);
    Given::timeline("main")
        .event(&at(FIRST, "2020-01-01T12:00:00Z"))
        .event(&at(LATER, "2022-01-01T12:00:00Z"))
        .when(|| Confidence)
        .known_at("2021")
        .then_state(&sum(1, 50))
        .known_at("2022-01-01T12:00:00Z")
        .then_state(&sum(2, 70));
}

#[test]
fn a_projection_may_refuse_an_event() {
    Given::timeline("main")
        .events([FIRST, r#"{"id":"unsure","date":"2005","title":"Unsure"}"#])
        .when(|| Confidence)
        .then_fails("does not take main/unsure (record 2, once): how sure is it?")
        .as_of("2004")
        .then_state(&sum(1, 50));
}

#[test]
#[should_panic(expected = "the projection takes every event and comes to Sum { events: 1, confidence: 50 }")]
fn a_refusal_that_does_not_come_is_a_failure() {
    let _ = Given::timeline("main").event(FIRST).when(|| Confidence).then_fails("sure");
}

#[test]
#[should_panic(expected = "resumed left, from the whole log right")]
fn a_field_that_is_not_saved_is_found() {
    let _ = Given::timeline("main").events([FIRST, LATER]).when(|| Confidence).then_resumes();
}

#[test]
#[should_panic(expected = "given 2 changes nothing: already appended")]
fn a_given_that_records_nothing_would_shift_the_positions() {
    let _ = Given::timeline("main").events([FIRST, FIRST]).when(|| Confidence).then_state(&sum(1, 50));
}

#[test]
#[should_panic(expected = "given 2: unknown field `titel`")]
fn a_given_that_is_no_event_is_named() {
    let _ = Given::timeline("main").events([FIRST, r#"{"titel":"Second"}"#]);
}
