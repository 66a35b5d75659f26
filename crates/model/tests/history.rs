//! The history of an attribute, told in stories: what a span is, and where it begins and ends.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code: a panic is how a test fails")]

use annals_model::fold::Counted;
use annals_model::{
    AsOf, Certainty, Change, Date, Effect, Event, EventId, Filter, History, HistorySpan, KnownAt, Number,
    Position, Question, RecordedAt, Scalar, Seq, Target, TimelineName, Value, When,
};

/// An event from its date (`-` for none) and what it does to `a.b`: `= v`, `+ v`, `- v`, `+= n`, `clear`, each with
/// `@end` or `@during` behind it.
fn event(number: usize, date: &str, does: &str) -> Event {
    let (does, when) = match does.split_once(" @") {
        None => (does, When::Start),
        Some((does, "end")) => (does, When::End),
        Some((does, _)) => (does, When::During),
    };
    let (op, value) = does.split_once(' ').unwrap_or((does, ""));
    let scalar = Scalar::from_plain(value).unwrap();
    let change = match (op, scalar) {
        ("=", scalar) => Change::Set(Value::Scalar(scalar)),
        ("+", scalar) => Change::Add(scalar),
        ("-", scalar) => Change::Remove(scalar),
        ("+=", Scalar::Number(number)) => Change::Increase(number),
        ("clear", _) => Change::Clear,
        other => panic!("{other:?}"),
    };
    let mut event = Event::new(EventId::new(format!("e{number}")).unwrap(), "t");
    event.date = (date != "-").then(|| Date::parse(date).unwrap());
    event.effects = vec![Effect { entity: "a".to_owned(), attribute: "b".to_owned(), change, when }];
    event
}

fn spans(events: &[(&str, &str)]) -> Vec<HistorySpan> {
    let events: Vec<Event> = (1..).zip(events).map(|(n, (date, does))| event(n, date, does)).collect();
    let known: Vec<(Counted<'_>, RecordedAt)> = (1..)
        .zip(&events)
        .map(|(n, event)| (Counted { place: Seq(n), seq: Seq(n), event }, RecordedAt::from_micros(0)))
        .collect();
    let question = Question {
        timeline: TimelineName::new("t").unwrap(),
        as_of: AsOf::new(Date::parse("2000").unwrap()).unwrap(),
        known_at: KnownAt::Everything,
        certainty: Certainty::Surely,
        filter: Filter::default(),
        entities: Vec::new(),
    };
    let target = Target { entity: "a".to_owned(), attribute: None };
    let position = Position { seq: Seq(events.len() as u64), recorded_at: None };
    History::answer(&question, &target, position, &known).spans
}

/// One line for each span: `value by: surely, possibly`; whole days by their name alone.
fn told(events: &[(&str, &str)]) -> Vec<String> {
    let line = |span: &HistorySpan| {
        let from = |edge: annals_model::date::Edge| edge.to_string().replace("T00:00:00", "");
        let until = |edge: annals_model::date::Edge| edge.to_string().replace("T23:59:59", "");
        let surely = span.from.zip(span.until);
        let surely = surely.map_or("never".to_owned(), |(a, b)| format!("{} to {}", from(a), until(b)));
        let (begin, end) = (from(span.possibly_from), until(span.possibly_until));
        format!("{} by {}: {surely}; {begin} to {end}", span.value, span.by)
    };
    spans(events).iter().map(line).collect()
}

#[test]
fn a_vague_change_leaves_a_gap_in_which_neither_value_is_sure() {
    assert_eq!(
        told(&[("2004", "= in"), ("2019", "= out")]),
        [
            "in by e1: 2004-12-31T23:59:59 to 2018-12-31; 2004-01-01 to 2019-12-31T23:59:58",
            "out by e2: 2019-12-31T23:59:59 to open; 2019-01-01 to open",
        ]
    );
}

#[test]
fn a_value_that_is_only_possible_has_a_span_that_is_never_sure() {
    assert_eq!(
        told(&[("2001-05-01", "= a"), ("[2003..2004]", "= b"), ("2004-06", "= c")]),
        [
            "a by e1: 2001-05-01T23:59:59 to 2002-12-31; 2001-05-01 to 2004-06-30T23:59:58",
            "b by e2: never; 2003-01-01 to open",
            "c by e3: never; 2004-06-01 to open",
        ]
    );
}

#[test]
fn a_new_span_begins_where_a_value_is_sure_again() {
    assert_eq!(
        told(&[("2001-05-01", "= a"), ("2002/2003", "= b @during")]),
        [
            "a by e1: 2001-05-01T23:59:59 to 2001-12-31; 2001-05-01 to 2002-12-31T23:59:58",
            "b by e2: 2002-12-31T23:59:59 to 2003-01-01T00:00:00; 2002-01-01 to 2003-12-31",
            "a by e1: 2004-01-01 to open; 2003-01-01T00:00:01 to open",
        ]
    );
    assert_eq!(
        told(&[("2001-05-01", "= a"), ("2003", "= b @during")]),
        [
            "a by e1: 2001-05-01T23:59:59 to 2002-12-31; 2001-05-01 to 2003-12-31",
            "b by e2: never; 2003-01-01 to 2003-12-31",
            "a by e1: 2004-01-01 to open; 2004-01-01 to open",
        ]
    );
}

#[test]
fn nothing_stands_before_the_first_value_and_after_a_clear() {
    assert_eq!(
        told(&[("2001-05-01", "= a"), ("2002-05-01", "clear")]),
        ["a by e1: 2001-05-01T23:59:59 to 2002-04-30; 2001-05-01 to 2002-05-01T23:59:58"]
    );
    assert_eq!(told(&[("2001", "- a")]), [] as [&str; 0]);
}

#[test]
fn an_end_of_the_axis_is_open_unless_the_date_does_not_say() {
    assert_eq!(told(&[("../2004", "= a")]), ["a by e1: open to open; open to open"]);
    assert_eq!(told(&[("[..2004]", "= a")]), ["a by e1: 2004-12-31T23:59:59 to open; open to open"]);
    assert_eq!(told(&[("/2004", "= a")]), ["a by e1: 2004-12-31T23:59:59 to open; unknown to open"]);
    assert_eq!(told(&[("-", "= a")]), ["a by e1: never; unknown to open"]);
    assert_eq!(told(&[("2004-05-01/", "= a @during")]), ["a by e1: never; 2004-05-01 to unknown"]);
}

#[test]
fn sums_have_a_span_for_each_number() {
    assert_eq!(
        told(&[("{2001-01-01,2003-01-01}", "+= 2"), ("2002-01-01T12:00:00", "+= 1")]),
        [
            "2 by e1: 2001-01-01T23:59:59 to 2002-01-01T11:59:59; 2001-01-01 to 2002-01-01T11:59:59",
            "3 by e2: 2002-01-01T12:00:00 to 2002-12-31; 2002-01-01T12:00:00 to 2003-01-01T23:59:58",
            "5 by e1: 2003-01-01T23:59:59 to open; 2003-01-01 to open",
        ]
    );
}

/// What the sweep leaves behind is in no answer, and ten thousand claims are answered without folding all of them
/// at each of their bounds: that would take minutes.
#[test]
fn ten_thousand_claims_on_one_attribute_are_answered() {
    let day = |n: usize| format!("{}-{:02}-{:02}", 1500 + n / 336, n % 336 / 28 + 1, n % 28 + 1);
    let days: Vec<String> = (0..10_000).map(day).collect();
    let last = |events: &[(&str, &str)]| spans(events).last().unwrap().value.clone();
    let total = Value::Scalar(Scalar::Number(Number::from(10_000)));

    let sums: Vec<(&str, &str)> = days.iter().map(|day| (day.as_str(), "+= 1")).collect();
    assert_eq!(spans(&sums).len(), 10_000);
    assert_eq!(last(&sums), total);

    // A vague year now and then, and one that nobody knows when.
    let vague = |(n, day): (usize, &String)| if n % 50 == 0 { day[..4].to_owned() } else { day.clone() };
    let vague: Vec<String> = days.iter().enumerate().map(vague).collect();
    let mut sums: Vec<(&str, &str)> = vague.iter().map(|date| (date.as_str(), "+= 1")).collect();
    assert_eq!(last(&sums), total);
    sums.push(("-", "+= 7"));
    assert!(spans(&sums).iter().all(|span| span.from.is_none()));

    let values: Vec<String> = (0..10_000).map(|n| format!("= {n}")).collect();
    let sets: Vec<(&str, &str)> =
        days.iter().map(String::as_str).zip(values.iter().map(String::as_str)).collect();
    assert_eq!(spans(&sets).len(), 10_000);
}
