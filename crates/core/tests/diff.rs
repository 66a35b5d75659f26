//! Comparisons, told in stories: who is responsible for a change, and why.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use annals_core::{Store, WriteOptions};
use annals_model::line::Line;
use annals_model::{
    AsOf, Certainty, Date, Diff, EventId, Filter, KnownAt, Question, Seq, TimelineName, Value,
};
use annals_testkit::{MemoryLog, TestHost};

/// `ID DATE EFFECT; EFFECT` appends, with `!` in front it revises, `- ID` retracts. A date of `.` is none.
fn store(records: &[&str]) -> Store<MemoryLog> {
    let (store, host) = (Store::new(MemoryLog::default()), TestHost::new(1));
    for record in records {
        let line = match record.strip_prefix("- ") {
            Some(id) => format!(r#"{{"op":"retract","id":"{id}","reason":"wrong"}}"#),
            None => event_line(record),
        };
        let entry = Line::parse(&line).unwrap().into_entry(&timeline(), || EventId::new("x").unwrap());
        store.write(vec![entry], &host, &WriteOptions::by("tester")).unwrap();
    }
    store
}

fn event_line(record: &str) -> String {
    let (op, rest) = match record.strip_prefix('!') {
        Some(rest) => ("revise", rest),
        None => ("append", record),
    };
    let mut words = rest.splitn(3, ' ');
    let (id, date, effects) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
    let date = if date == "." { String::new() } else { format!(r#""date":"{date}","#) };
    let effects: Vec<String> = effects.split("; ").filter(|e| !e.is_empty()).map(effect).collect();
    let effects = effects.join(",");
    format!(r#"{{"op":"{op}","id":"{id}",{date}"title":"Title of {id}","effects":[{effects}]}}"#)
}

/// `set v`, `add v`, `increase v`, `clear`, each with `@end` or `@during` behind it and `x:` before it, where it is
/// not on `a.b` but on `a.x`.
fn effect(text: &str) -> String {
    let (attribute, text) = text.split_once(':').unwrap_or(("b", text));
    let (text, when) = text.split_once('@').unwrap_or((text, "start"));
    let (op, value) = text.split_once(' ').unwrap_or((text, ""));
    let value = if value.is_empty() { String::new() } else { format!(r#","value":{value}"#) };
    format!(r#"{{"op":"{op}","entity":"a","attribute":"{attribute}"{value},"when":"{when}"}}"#)
}

fn timeline() -> TimelineName {
    TimelineName::new("t").unwrap()
}

fn as_of(text: &str) -> AsOf {
    AsOf::new(Date::parse(text).unwrap()).unwrap()
}

fn question(date: &str, seq: u64) -> Question {
    Question {
        timeline: timeline(),
        as_of: as_of(date),
        known_at: KnownAt::Position(Seq(seq)),
        certainty: Certainty::Surely,
        filter: Filter::default(),
        entities: Vec::new(),
    }
}

/// A line for each change: `b: 1 → 2, e2 crossed @2`.
fn told(diff: &Diff) -> String {
    let value = |value: &Option<Value>| value.as_ref().map_or("absent".to_owned(), ToString::to_string);
    let change = |change: &annals_model::diff::Changed| {
        let causes = change.causes.iter().map(|c| format!("{} {} @{}", c.id, c.cause.as_str(), c.seq));
        let causes: Vec<String> = causes.collect();
        format!(
            "{}: {} → {}, {}",
            change.attribute,
            value(&change.from),
            value(&change.to),
            causes.join(", ")
        )
    };
    diff.changes.iter().map(change).collect::<Vec<_>>().join("\n")
}

fn check(records: &[&str], from: (&str, u64), to: (&str, u64), expect: &str) {
    let diff = store(records).diff(&question(from.0, from.1), &as_of(to.0), KnownAt::Position(Seq(to.1)));
    assert_eq!(told(&diff.unwrap()), expect, "{records:?}");
}

#[test]
fn between_two_dates_whoever_was_crossed_is_responsible() {
    let log = ["e1 2004 set 1", "e2 2010 set 2", "e3 2012 increase 5", "e4 2030 set 9"];
    check(&log, ("2003", 4), ("2005", 4), "b: absent → 1, e1 crossed @1");
    check(&log, ("2005", 4), ("2011", 4), "b: 1 → 2, e2 crossed @2");
    check(&log, ("2005", 4), ("2012", 4), "b: 1 → 7, e2 crossed @2, e3 crossed @3");
    check(&log, ("2003", 4), ("2011", 4), "b: absent → 2, e2 crossed @2");
    check(&log, ("2012", 4), ("2005", 4), "b: 7 → 1, e2 crossed @2, e3 crossed @3");
    check(&log, ("2013", 4), ("2020", 4), "");
}

#[test]
fn what_lapses_is_crossed_as_well() {
    let log = ["e1 2000 set 1", "e2 2004/2010 set 2@during", "e3 2004/2010 x:set 3@end"];
    check(&log, ("2003", 3), ("2005", 3), "b: 1 → 2, e2 crossed @2");
    check(&log, ("2009", 3), ("2011", 3), "b: 2 → 1, e2 crossed @2\nx: absent → 3, e3 crossed @3");
}

#[test]
fn between_two_states_of_knowledge_whatever_was_recorded_is_responsible() {
    let log = ["e1 2004 set 1", "e2 2010 set 2", "!e2 2010 set 3", "- e2", "!e2 2010 set 4"];
    check(&log, ("2020", 0), ("2020", 1), "b: absent → 1, e1 appended @1");
    check(&log, ("2020", 1), ("2020", 2), "b: 1 → 2, e2 appended @2");
    check(&log, ("2020", 1), ("2020", 3), "b: 1 → 3, e2 appended @3");
    check(&log, ("2020", 2), ("2020", 3), "b: 2 → 3, e2 revised @3");
    check(&log, ("2020", 3), ("2020", 4), "b: 3 → 1, e2 retracted @4");
    check(&log, ("2020", 4), ("2020", 5), "b: 1 → 4, e2 revised @5");
    check(&log, ("2020", 4), ("2020", 3), "b: 1 → 3, e2 retracted @4");
    check(&log, ("2005", 1), ("2005", 5), "");
}

#[test]
fn of_two_that_changed_places_the_corrected_one_is_responsible() {
    let log = ["e1 2004 set 1", "e2 2005 set 2", "!e1 2006 set 1"];
    check(&log, ("2020", 2), ("2020", 3), "b: 2 → 1, e1 revised @3");
    let log = ["e1 2004 set 1; set 2", "!e1 2004 set 2; set 1"];
    check(&log, ("2020", 1), ("2020", 2), "b: 2 → 1, e1 revised @2");
}

#[test]
fn a_correction_that_says_the_same_of_the_attribute_is_not_responsible() {
    let log = ["e1 2004 increase 1", "e2 2004 increase 2; x:set 1", "!e1 2004 x:set 5; increase 1"];
    check(
        &log,
        ("2003", 3),
        ("2020", 3),
        "b: absent → 3, e1 crossed @3, e2 crossed @2\nx: absent → 1, e2 crossed @2",
    );
    let log = ["e1 2004 increase 1", "!e1 2004 x:clear; increase 1", "e2 2004 increase 2"];
    check(&log, ("2020", 1), ("2020", 3), "b: 1 → 3, e2 appended @3");
    check(&log, ("2003", 1), ("2020", 2), "b: absent → 1, e1 crossed @2");
}

#[test]
fn both_axes_at_once_name_each_cause() {
    let log = ["e1 2004 add 1", "e2 2010 add 2", "e3 2001 add 3", "- e1"];
    check(&log, ("2005", 2), ("2011", 4), "b: {1} → {2, 3}, e1 retracted @4, e2 crossed @2, e3 appended @3");
}

#[test]
fn another_event_with_the_same_value_is_no_change() {
    let log = ["e1 2004 set 1", "e2 2010 set 1", "- e2"];
    check(&log, ("2005", 2), ("2020", 2), "");
    check(&log, ("2020", 2), ("2020", 3), "");
}

#[test]
fn a_correction_that_leaves_the_filter_is_a_correction() {
    let store = store(&["e1 2004 set 1", "!e1 2004 x:set 1"]);
    let mut question = question("2020", 1);
    question.filter.text = vec!["title of e1".to_owned()];
    let diff = store.diff(&question, &as_of("2020"), KnownAt::Everything).unwrap();
    assert_eq!(told(&diff), "b: 1 → absent, e1 revised @2\nx: absent → 1, e1 revised @2");
    question.filter.text = vec!["nothing of the kind".to_owned()];
    assert!(store.diff(&question, &as_of("2020"), KnownAt::Everything).unwrap().is_empty());
    question.filter = Filter::default();
    question.entities = vec!["another".to_owned()];
    assert!(store.diff(&question, &as_of("2020"), KnownAt::Everything).unwrap().is_empty());
}
