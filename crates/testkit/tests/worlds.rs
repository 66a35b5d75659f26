//! The possible worlds of small logs, worked out by hand.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeSet;

use annals_model::fold::Counted;
use annals_model::{Event, Scalar, Seq, Value};
use annals_testkit::told::{ATTRIBUTE, ENTITY, as_of, event};
use annals_testkit::worlds::{TooMany, Worlds};

/// Dates and effects; the events are `e1`, `e2` … in the order in which they were recorded.
type Told<'a> = &'a [(&'a str, &'a str)];

fn within(told: Told<'_>, date: &str, limit: usize) -> Result<Worlds, TooMany> {
    let events: Vec<Event> =
        (1..).zip(told).map(|(n, (date, effects))| event(&format!("e{n}"), date, effects)).collect();
    let counted: Vec<Counted<'_>> =
        (1..).zip(&events).map(|(n, event)| Counted { place: Seq(n), seq: Seq(n), event }).collect();
    Worlds::of(&counted, (ENTITY, ATTRIBUTE), as_of(date).until(), limit)
}

fn worlds(told: Told<'_>, date: &str) -> Worlds {
    within(told, date, 1_000).unwrap()
}

fn value(text: &str) -> Value {
    Value::Scalar(Scalar::from_plain(text).unwrap())
}

/// `absent | p by e1`: every outcome, and the events that may be the last to replace what stood.
fn check(told: Told<'_>, date: &str, expect: &str) {
    let worlds = worlds(told, date);
    assert_eq!(shown(&worlds.outcomes), expect, "{told:?} as of {date}");
}

fn shown<'a>(
    outcomes: impl IntoIterator<Item = (&'a Option<Value>, &'a BTreeSet<annals_model::EventId>)>,
) -> String {
    let mut parts = Vec::new();
    for (value, by) in outcomes {
        let mut part = value.as_ref().map_or("absent".to_owned(), Value::to_string);
        for (index, id) in by.iter().enumerate() {
            part.push_str(if index == 0 { " by " } else { " or " });
            part.push_str(id.as_str());
        }
        parts.push(part);
    }
    parts.join(" | ")
}

#[test]
fn what_surely_happened_alone_has_one_outcome() {
    check(&[("2003", "set \"p\"")], "2003", "p by e1");
    check(&[("2003", "set \"p\"")], "2004", "p by e1");
    check(&[("2003", "set \"p\"")], "2002", "absent");
    check(&[], "2004", "absent");
    assert_eq!(worlds(&[("2003", "set \"p\"")], "2004").count, 1);
}

#[test]
fn what_only_possibly_happened_has_two() {
    check(&[("2004", "set \"p\"")], "2004-06", "absent | p by e1");
    check(&[("[2003..2005]", "set \"p\"")], "2004", "absent | p by e1");
    check(&[("[2003..2005]", "set \"p\"")], "2005", "p by e1");
    // The first second that it is possible at, and the last at which it is not sure.
    check(&[("2004", "set \"p\"")], "2003-12-31T23:59:59", "absent");
    check(&[("2004", "set \"p\"")], "2004-01-01T00:00:00", "absent | p by e1");
    check(&[("2004", "set \"p\"")], "2004-12-31T23:59:58", "absent | p by e1");
}

#[test]
fn of_two_that_lie_in_the_same_year_either_may_come_last() {
    check(&[("2003", "set \"p\""), ("2003", "set \"q\"")], "2004", "p by e1 | q by e2");
    check(&[("2003", "set \"p\""), ("2004", "set \"q\"")], "2004", "q by e2");
    check(&[("2004", "set \"p\""), ("2003", "set \"q\"")], "2004", "p by e1");
    check(&[("2003", "set \"p\""), ("2003", "set \"p\"")], "2004", "p by e1 or e2");
}

#[test]
fn a_day_may_lie_before_or_after_what_lies_somewhere_in_its_year() {
    let log: Told<'_> = &[("2003", "set \"p\""), ("2003-06-15", "set \"q\"")];
    check(log, "2003-06-14", "absent | p by e1");
    check(log, "2003-06-15", "p by e1 | q by e2");
    check(log, "2004", "p by e1 | q by e2");
    check(&[("2003-06-15", "set \"q\""), ("2003-06-16", "set \"p\"")], "2004", "p by e2");
}

#[test]
fn what_lasts_during_an_interval_shows_what_stood_below_once_it_may_be_over() {
    let log: Told<'_> = &[("2000", "set \"low\""), ("2004-03-02/2004-05-03", "set \"high\"@during")];
    check(log, "2004-03-01", "low by e1");
    check(log, "2004-03-02T12:00:00", "high by e2 | low by e1");
    check(log, "2004-03-02", "high by e2");
    check(log, "2004-05-02", "high by e2");
    check(log, "2004-05-03T00:00:00", "high by e2");
    check(log, "2004-05-03T00:00:01", "high by e2 | low by e1");
    check(log, "2004-05-03", "high by e2 | low by e1");
    check(log, "2004-05-04", "low by e1");
    check(&[("2004/..", "set \"p\"@during")], "9999", "p by e1");
    check(&[("2004/", "set \"p\"@during")], "9999", "absent | p by e1");
}

#[test]
fn what_the_same_event_set_beneath_shows_when_what_lasts_has_lapsed() {
    let log: Told<'_> = &[("2001/2004-06", "set 1; set 2@during")];
    check(log, "2003", "2 by e1");
    check(log, "2004-06-15", "1 by e1 | 2 by e1");
    check(log, "2004-07", "1 by e1");
    // Unless the lapsing change stood below.
    check(&[("2001/2004-06", "set 2@during; set 1")], "2003", "1 by e1");
}

#[test]
fn what_lasts_during_a_moment_holds_at_that_very_second() {
    let noon: Told<'_> = &[("2004-06-15T12:00:00", "set \"p\"@during")];
    check(noon, "2004-06-15T11:59:59", "absent");
    check(noon, "2004-06-15T12:00:00", "p by e1");
    check(noon, "2004-06-15T12:00:01", "absent");
    // Somewhere in 2004 lies one second at which it holds; it may be any of them.
    let year: Told<'_> = &[("2004", "set \"p\"@during")];
    check(year, "2003", "absent");
    check(year, "2004-01-01T00:00:00", "absent | p by e1");
    check(year, "2004", "absent | p by e1");
    check(year, "2005", "absent");
    check(&[("2004", "set \"p\"; set \"q\"@during")], "2004", "p by e1 | q by e1");
}

#[test]
fn every_member_of_a_set_of_dates_happens() {
    check(&[("{2003,2005}", "increase 1")], "2002", "absent");
    check(&[("{2003,2005}", "increase 1")], "2004", "1");
    check(&[("{2003,2005}", "increase 1")], "2005-06", "1 | 2");
    check(&[("{2003,2005}", "increase 1")], "2005", "2");
    check(&[("{2003,2005}", "set \"p\""), ("2004", "set \"q\"")], "2004", "q by e2");
    check(&[("{2003,2005}", "set \"p\""), ("2004", "set \"q\"")], "2005", "p by e1");
    // Within the same year the two happenings keep their changes together: never set, set, increase, increase.
    check(&[("{2004-06,2004}", "set 1; increase 1")], "2004", "2 by e1");
}

#[test]
fn an_undated_event_may_have_happened_at_any_time_or_not_at_all() {
    check(&[("", "set \"p\"")], "9999", "absent | p by e1");
    check(&[("", "set \"p\""), ("2004", "set \"q\"")], "2004", "p by e1 | q by e2");
    check(&[("", "set \"p\""), ("2004", "set \"q\"")], "2003", "absent | p by e1");
    check(&[("", "increase 1; increase 2@end")], "2004", "absent | 3");
}

#[test]
fn a_possible_increase_gives_bounds_and_no_alternatives() {
    let worlds = worlds(&[("2003", "set 1"), ("2004", "increase 5"), ("2004", "increase -3")], "2004-06");
    assert_eq!(shown(&worlds.outcomes), "-2 by e1 | 1 by e1 | 3 by e1 | 6 by e1");
    assert_eq!(worlds.bounds(), Some(((-2).into(), 6.into())));
    assert!(worlds.alternatives(Some(&value("1"))).is_empty());
    assert!(!worlds.is_sure(Some(&value("1"))) && !worlds.is_mixed());
    check(&[("2003", "set 1"), ("2003", "increase 5")], "2004", "1 by e1 | 6 by e1");
    check(&[("2003", "increase 1"), ("2003", "increase 5")], "2004", "6");
}

#[test]
fn numbers_that_nothing_adds_to_are_told_one_by_one() {
    let told = |log: Told<'_>, date: &str, standing: Option<&str>| {
        let worlds = worlds(log, date);
        shown(&worlds.alternatives(standing.map(value).as_ref()))
    };
    let log: Told<'_> = &[("2003", "set 1"), ("2003", "set 2"), ("2005", "increase 5")];
    assert_eq!(told(log, "2004", Some("2")), "1 by e1");
    assert_eq!(told(log, "2003-06", None), "1 by e1 | 2 by e2");
    assert_eq!(told(log, "2003-06", Some("1")), "absent | 2 by e2");
    // From the moment on at which the increase is possible they are not.
    assert_eq!(told(log, "2005-01-01", Some("2")), "");
    assert_eq!(told(&[("2003", "set \"p\""), ("2003", "increase 1")], "2004", Some("p")), "");
    assert_eq!(worlds(log, "2005").bounds(), Some((6.into(), 7.into())));
}

#[test]
fn an_add_and_a_remove_of_the_same_member_may_come_in_either_order() {
    let log: Told<'_> = &[("2002", "add \"s\""), ("2003", "add \"p\""), ("2003", "remove \"p\"")];
    let worlds = worlds(log, "2004");
    assert_eq!(shown(&worlds.outcomes), "{p, s} | {s}");
    let set = |texts: &[&str]| texts.iter().map(|text| Scalar::from_plain(text).unwrap()).collect();
    assert_eq!(worlds.members(), Some((set(&["s"]), set(&["p", "s"]))));
    assert!(worlds.alternatives(None).is_empty(), "members are told as two sets");
    // A world without a set has no members.
    let maybe = self::worlds(&[("2004", "add \"p\"")], "2004-06");
    assert_eq!(maybe.members(), Some((set(&[]), set(&["p"]))));
    assert_eq!(self::worlds(&[("2004", "set \"p\"")], "2004-06").members(), None);
}

#[test]
fn what_clears_and_what_sets_may_come_in_either_order() {
    check(&[("2003", "set \"p\""), ("2003", "clear")], "2004", "absent by e2 | p by e1");
    let worlds = worlds(&[("2003", "set \"p\""), ("2003", "clear")], "2004");
    assert_eq!(shown(&worlds.alternatives(Some(&value("p")))), "absent by e2");
    assert_eq!(shown(&worlds.alternatives(None)), "p by e1");
    check(&[("2003", "set \"p\""), ("2004", "clear")], "2004-06", "absent by e2 | p by e1");
    check(&[("2003", "set \"p\""), ("2004", "clear")], "2004", "absent by e2");
}

#[test]
fn what_happens_in_the_same_second_comes_in_the_order_of_the_log() {
    let noon = "2004-06-15T12:00:00";
    check(&[(noon, "set \"p\""), (noon, "set \"q\"")], "2004", "q by e2");
    check(&[(noon, "set \"q\""), (noon, "set \"p\"")], "2004", "p by e2");
    // What lies somewhere in the day may come before or after that second.
    check(&[(noon, "set \"p\""), ("2004-06-15", "set \"q\"")], "2004", "p by e1 | q by e2");
    // Nor does the question make a date finer than it is.
    let midnight = "2004-01-01T00:00:00";
    check(&[(midnight, "set \"p\""), ("2004", "set \"q\"")], midnight, "p by e1 | q by e2");
    check(&[("2004", "set \"q\""), (midnight, "set \"p\"")], midnight, "p by e2 | q by e1");
}

#[test]
fn an_interval_starts_before_it_ends_and_a_moment_does_both_at_once() {
    check(&[("2004-06-15/2004-06-15", "clear@end; set \"p\"")], "2005", "absent by e1");
    check(&[("2004-06-15", "clear@end; set \"p\"")], "2005", "p by e1");
    check(&[("2004-06-15", "set \"p\"; clear@end")], "2004-06-15T12:00:00", "absent by e1");
}

#[test]
fn other_events_may_come_between_the_start_and_the_end() {
    let log: Told<'_> = &[("2003/2005", "set \"p\"; set \"q\"@end"), ("2004", "set \"r\"")];
    check(log, "2003", "p by e1");
    check(log, "2004", "r by e2");
    check(log, "2005-06", "q by e1 | r by e2");
    check(log, "2005", "q by e1");
    check(&[("2004/..", "set \"p\"@end")], "9999", "absent");
    check(&[("2004/", "set \"p\"@end")], "2003", "absent");
    check(&[("2004/", "set \"p\"@end")], "2005", "absent | p by e1");
}

#[test]
fn the_successor_came_after_the_predecessor_though_they_met_on_a_day() {
    let touching: Told<'_> = &[
        ("1997-01-20/2001-01-20", "set \"Clinton\"@during"),
        ("2001-01-20/2005-01-20", "set \"Bush\"@during"),
    ];
    check(touching, "2001-01-20", "Bush by e2");
    check(touching, "2001-01-20T00:00:00", "Bush by e2 | Clinton by e1");
}

#[test]
fn numbers_and_members_side_by_side_are_mixed() {
    let worlds = worlds(&[("2003", "increase 1"), ("2003", "add \"p\"")], "2004");
    assert!(worlds.is_mixed());
    assert_eq!(shown(&worlds.outcomes), "1 | {p}");
    assert_eq!(worlds.bounds(), Some((1.into(), 1.into())));
    // What is not possible yet mixes nothing.
    assert!(!self::worlds(&[("2003", "increase 1"), ("2005", "add \"p\"")], "2004").is_mixed());
}

#[test]
fn worlds_are_counted_up_to_a_limit() {
    let log: Told<'_> = &[("2003", "set 1"), ("2003", "set 2"), ("2003", "set 3")];
    assert_eq!(within(log, "2004", 6).unwrap().count, 6);
    assert_eq!(within(log, "2004", 5), Err(TooMany));
    // Nothing, one of three, two of three in either order, all three in any order: 1 + 3 + 6 + 6.
    assert_eq!(worlds(log, "2003-06").count, 16);
}
