//! The fold, told in stories: SPEC section 4 point by point.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::format_push_string,
    reason = "test code: a panic is how a test fails"
)]

mod asking;

use annals_model::Certainty;
use asking::snapshot;

/// The value of `a.b`, `?` behind it when it is not sure, the deciding event, and the clashes.
fn check(events: &[(&str, &str)], as_of: &str, certainty: Certainty, expect: &str) {
    let snapshot = snapshot(events, as_of, certainty);
    let mut shown = match snapshot.state.get("a").and_then(|attributes| attributes.get("b")) {
        None => "absent".to_owned(),
        Some(cell) => format!("{}{} by {}", cell.value, if cell.sure { "" } else { "?" }, cell.by),
    };
    for clash in &snapshot.clashes {
        shown.push_str(&format!(", clash {} {}", clash.op, clash.id));
    }
    assert_eq!(shown, expect, "{events:?} as of {as_of}, {certainty}");
}

fn surely(events: &[(&str, &str)], as_of: &str, expect: &str) {
    check(events, as_of, Certainty::Surely, expect);
}

fn possibly(events: &[(&str, &str)], as_of: &str, expect: &str) {
    check(events, as_of, Certainty::Possibly, expect);
}

#[test]
fn an_effect_surely_holds_once_its_date_is_over_and_possibly_once_it_begins() {
    let events = [("2004", "set 1")];
    surely(&events, "2003", "absent");
    surely(&events, "2004-06", "absent");
    surely(&events, "2004", "1 by e1");
    possibly(&events, "2003", "absent");
    possibly(&events, "2004-01-01", "1? by e1");
    possibly(&events, "2005", "1 by e1");
}

#[test]
fn later_dates_decide_and_not_later_records() {
    surely(&[("2005", "set 5"), ("2004", "set 4")], "2010", "5 by e1");
    surely(&[("2005", "set 5"), ("2004", "set 4")], "2004", "4 by e2");
}

#[test]
fn of_equal_dates_the_later_record_stands_and_is_not_sure() {
    surely(&[("2004", "set 1"), ("2004", "set 2")], "2010", "2? by e2");
    surely(&[("2004", "set 1"), ("2004", "set 1")], "2010", "1 by e2");
}

#[test]
fn of_dates_that_end_together_the_finer_one_comes_last() {
    surely(&[("2004-12", "set 12"), ("2004", "set 1")], "2010", "12? by e1");
    possibly(&[("2004-01", "set 1"), ("2004", "set 0")], "2010", "1? by e1");
}

#[test]
fn effects_at_the_end_of_an_interval_wait_for_it() {
    let events = [("2004/2017", "set \"present\"; set \"gone\"@end")];
    surely(&events, "2010", "present by e1");
    surely(&events, "2017-06", "present? by e1");
    surely(&events, "2017", "gone by e1");
    surely(&[("2004/..", "set 1@end")], "9999", "absent");
    possibly(&[("2004/..", "set 1@end")], "9999", "absent");
    possibly(&[("2004/", "set 1@end")], "2004-01-01", "1? by e1");
    surely(&[("2004/", "set 1@end")], "9999", "absent");
}

#[test]
fn an_interval_starts_before_it_ends_in_every_answer() {
    for events in [[("2004/2004", "set 2@end; set 1")], [("2004-01/2004", "set 1; set 2@end")]] {
        surely(&events, "2010", "2 by e1");
        possibly(&events, "2010", "2 by e1");
    }
}

#[test]
fn what_lasts_during_an_interval_lapses_and_what_stood_below_shows_again() {
    let events = [("2000", "set \"low\""), ("2004-03-02/2004-05-03", "set \"high\"@during")];
    surely(&events, "2004-03-01", "low by e1");
    surely(&events, "2004-03-02", "high by e2");
    surely(&events, "2004-05-02", "high by e2");
    // At the end of the last day it has surely begun and possibly lapsed.
    surely(&events, "2004-05-03", "low? by e1");
    possibly(&events, "2004-05-03", "high? by e2");
    surely(&events, "2004-05-04", "low by e1");
    surely(&[("2004/..", "set 1@during")], "9999", "1 by e1");
    surely(&[("2004/", "set 1@during")], "2005", "absent");
    possibly(&[("2004/", "set 1@during")], "9999", "1? by e1");
    surely(&[("../2004", "set 1@during")], "-9999", "1 by e1");
}

#[test]
fn sets_grow_and_shrink_and_stay_when_they_are_empty() {
    let events =
        [("2001", "add \"x\""), ("2002", "add \"y\""), ("2003", "remove \"x\""), ("2004", "remove \"y\"")];
    surely(&events, "2001", "{x} by e1");
    surely(&events, "2002", "{x, y} by e2");
    surely(&events, "2003", "{y} by e3");
    surely(&events, "2004", "{} by e4");
    surely(&[("2001", "remove \"x\"")], "2004", "absent");
    surely(&[("2001", "set []"), ("2002", "add 1; add 1"), ("2003", "add 1")], "2004", "{1} by e2");
    surely(&[("2001", "add 1"), ("2002", "clear")], "2004", "absent");
}

#[test]
fn numbers_add_up_exactly() {
    surely(&[("2001", "increase 0.1"), ("2002", "increase 0.2")], "2004", "0.3 by e2");
    surely(&[("2001", "set 10"), ("2002", "increase -3")], "2004", "7 by e2");
    surely(&[("2001", "increase 2"), ("2001", "increase 3")], "2004", "5 by e2");
    surely(&[("2001", "increase 2"), ("2002", "clear"), ("2003", "increase 3")], "2004", "3 by e3");
}

#[test]
fn what_does_not_fit_changes_nothing_and_is_a_clash() {
    surely(&[("2001", "set \"text\""), ("2002", "increase 1")], "2004", "text by e1, clash increase e2");
    surely(
        &[("2001", "set true"), ("2002", "add 1"), ("2003", "remove 1")],
        "2004",
        "true by e1, clash add e2, clash remove e3",
    );
    surely(&[("2001", "add 1"), ("2002", "increase 1")], "2004", "{1} by e1, clash increase e2");
}

#[test]
fn every_member_of_a_set_of_dates_is_a_happening_of_its_own() {
    let events = [("{2001,2003,2005..2007}", "increase 1")];
    surely(&events, "2002", "1 by e1");
    surely(&events, "2004", "2 by e1");
    surely(&events, "2010", "5 by e1");
    let one_of = [("[2001,2003]", "increase 1")];
    surely(&one_of, "2002", "absent");
    possibly(&one_of, "2002", "1? by e1");
    surely(&one_of, "2003", "1 by e1");
}

#[test]
fn an_undated_event_is_possible_at_every_date_and_never_sure() {
    let events = [("", "set 1")];
    surely(&events, "9999", "absent");
    possibly(&events, "-9999", "1? by e1");
    possibly(&[("", "set 1"), ("2004", "set 2")], "2004", "2? by e2");
}

#[test]
fn events_are_counted_by_where_their_dates_lie() {
    let events = [("2001", ""), ("2003", ""), ("[2001..2005]", ""), ("", ""), ("2009", "")];
    let tally = snapshot(&events, "2003-06", Certainty::Surely).events;
    assert_eq!((tally.applied, tally.possible, tally.later, tally.retracted), (1, 3, 1, 0));
}

#[test]
fn what_goes_on_is_sure_between_the_inner_bounds() {
    let ongoing = |as_of: &str| {
        let snapshot =
            snapshot(&[("2001/2005", ""), ("2003/..", ""), ("2002", "")], as_of, Certainty::Surely);
        snapshot.ongoing.iter().map(|o| format!("{}:{}", o.id, o.certainty)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ongoing("2000"), "");
    assert_eq!(ongoing("2001-06"), "e1:possibly");
    assert_eq!(ongoing("2002"), "e1:surely e3:possibly");
    assert_eq!(ongoing("2004"), "e1:surely e2:surely");
    assert_eq!(ongoing("2005-06"), "e1:possibly e2:surely");
    assert_eq!(ongoing("2006"), "e2:surely");
}

#[test]
fn what_cannot_change_the_value_casts_no_doubt_on_it() {
    // The predecessor may have gone on until the end of the day, but the successor came after him.
    let touching = [
        ("1997-01-20/2001-01-20", "set \"Clinton\"@during"),
        ("2001-01-20/2005-01-20", "set \"Bush\"@during"),
    ];
    surely(&touching, "2001-01-20", "Bush by e2");
    surely(&[("2004", "set 1"), ("2004", "set 1")], "2004", "1 by e2");
    surely(&[("2004", "set 1"), ("[2000..2010]", "set 1")], "2004", "1 by e1");
    surely(&[("[2000..2010]", "set 1")], "2010", "1 by e1");
    surely(&[("[2000..2001]", "increase 5"), ("2004", "set 1")], "2004", "1 by e2");
    surely(&[("2004", "set []; add 1")], "2004", "{1} by e1");
    surely(&[("2004", "set 1; set 2")], "2004", "2 by e1");
    surely(&[("2004", "set 1"), ("2004-02", "increase 1")], "2004", "1? by e1");
    surely(&[("2003", "set 1"), ("2004", "increase 1"), ("2004", "increase 2")], "2004", "4 by e3");
    surely(&[("2003", "set 1"), ("[2004..2006]", "increase 1")], "2005", "1? by e1");
    surely(&[("2003", "add 1"), ("2004", "add 2"), ("2004", "remove 1")], "2004", "{2} by e3");
    surely(&[("2004", "add 1"), ("2004", "remove 1")], "2004", "{}? by e2");
    // What lasts may have lapsed, and what the same event set beneath it would show.
    surely(&[("2001/2004-06", "set 1; set 2@during")], "2003", "2 by e1");
    surely(&[("2001/2004-06", "set 1; set 2@during")], "2004-06-15", "1? by e1");
    possibly(&[("2001/2004-06", "set 1; set 2@during")], "2004-06-15", "2? by e1");
    surely(&[("2001/2004-06", "set 1; set 2@during")], "2004-07", "1 by e1");
}

#[test]
fn decimals_count_in_the_hash_of_a_state() {
    let hash = |value: &str| {
        snapshot(&[("2004", &format!("set {value}"))], "2018", Certainty::Surely).receipt.state_sha256
    };
    assert_eq!(hash("0.5"), "1e6417c7fc18d274be00199c3f517dab56c3a84f1a190c844df0b02d6dcf5f93");
    assert_ne!(hash("0.5"), hash("0.25"));
}

#[test]
fn a_snapshot_has_its_json_form() {
    let snapshot = snapshot(&[("2004", "set \"present\""), ("2009/..", "")], "2018", Certainty::Surely);
    let json = serde_json::to_string_pretty(&snapshot).unwrap();
    assert_eq!(json, include_str!("snapshot.json").trim_end());
}
