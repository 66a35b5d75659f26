//! What the dates leave open about a value, told in stories.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code: a panic is how a test fails")]

mod asking;

use annals_model::{Certainty, Open, Value};
use asking::snapshot;

/// The value, `?` behind it where it is not sure, and in brackets what it may be and what that depends on.
fn check(events: &[(&str, &str)], as_of: &str, expect: &str) {
    let snapshot = snapshot(events, as_of, Certainty::Surely);
    let cell = snapshot.state.get("a").and_then(|attributes| attributes.get("b"));
    let unsettled = snapshot.unsettled.get("a").and_then(|attributes| attributes.get("b"));
    let shown = match (cell, unsettled) {
        (None, None) => "absent".to_owned(),
        (None, Some(open)) => format!("absent? [{}]", shown(open)),
        (Some(cell), _) if cell.sure => {
            assert_eq!(*cell.open, Open::default());
            cell.value.to_string()
        }
        (Some(cell), _) => format!("{}? [{}]", cell.value, shown(&cell.open)),
    };
    assert_eq!(shown, expect, "{events:?} as of {as_of}");
}

fn shown(open: &Open) -> String {
    let mut parts = Vec::new();
    for alternative in &open.alternatives {
        let value = alternative.value.as_ref().map_or("absent".to_owned(), Value::to_string);
        let by: Vec<&str> = alternative.by.iter().map(annals_model::EventId::as_str).collect();
        parts.push(if by.is_empty() { value } else { format!("{value} by {}", by.join(" ")) });
    }
    if let (Some(low), Some(high)) = (open.low, open.high) {
        parts.push(format!("{low}..{high}"));
    }
    if let Some(members) = &open.members {
        let set = |members: &std::collections::BTreeSet<_>| Value::Set(members.clone()).to_string();
        parts.push(format!("{} to {}", set(&members.surely), set(&members.possibly)));
    }
    let depends_on: Vec<&str> = open.depends_on.iter().map(annals_model::EventId::as_str).collect();
    parts.push(format!("on {}", depends_on.join(" ")));
    parts.join(", ")
}

#[test]
fn what_may_not_have_happened_yet_leaves_two_answers() {
    check(&[("2004", "set \"in\""), ("[2017..2019]", "set \"out\"")], "2018", "in? [out by e2, on e2]");
    check(&[("[2017..2019]", "set \"out\"")], "2018", "absent? [out by e1, on e1]");
    check(&[("2004", "set \"in\""), ("[2017..2019]", "clear")], "2018", "in? [absent by e2, on e2]");
    check(&[("", "set 1")], "2018", "absent? [1 by e1, 1..1, on e1]");
}

#[test]
fn overlapping_dates_may_have_come_in_either_order() {
    check(&[("2004", "set \"x\""), ("2004-05", "set \"y\"")], "2010", "x? [y by e2, on e1 e2]");
    check(&[("2004", "set \"x\""), ("2004-05", "set \"x\"")], "2010", "x");
    check(&[("2004", "set \"x\""), ("2005", "set \"y\"")], "2010", "y");
    check(
        &[("2003", "set \"w\""), ("2004", "set \"x\""), ("2004", "set \"y\""), ("2004", "clear")],
        "2010",
        "absent? [x by e2, y by e3, on e2 e3 e4]",
    );
}

#[test]
fn moments_that_are_known_to_the_second_come_in_the_order_of_the_log() {
    let noon = "2004-05-02T12:00:00";
    check(&[(noon, "set 1"), (noon, "set 2")], "2010", "2");
    check(&[("2004-05-02", "set 1"), (noon, "set 2")], "2010", "1? [2 by e2, 1..2, on e1 e2]");
}

#[test]
fn numbers_have_a_least_and_a_greatest_value() {
    check(&[("2003", "set 10"), ("[2017..2019]", "increase 5")], "2018", "10? [10..15, on e2]");
    check(&[("2003", "set 10"), ("[2017..2019]", "increase -5")], "2018", "10? [5..10, on e2]");
    check(&[("[2010..2023]", "increase 9000")], "2018", "absent? [0..9000, on e1]");
    check(&[("2004", "set 10"), ("2004", "increase 5")], "2010", "15? [10..15, on e1 e2]");
    // The more is counted, the later the recount, and the other way round: not every sum is possible.
    check(
        &[("[2001..2005]", "set 100"), ("2002", "increase 5"), ("2004", "increase 7")],
        "2010",
        "100? [100..112, on e1 e2 e3]",
    );
    check(&[("2004", "increase 5"), ("2004", "increase 7")], "2010", "12");
    check(
        &[("{2001,2003}", "increase 5"), ("2002-06/2003", "clear@end")],
        "2010",
        "absent? [0..5, on e1 e2]",
    );
}

#[test]
fn two_steps_that_must_come_in_one_order_do_not_swap_around_a_third() {
    // The count comes before both, between them, or after both; never after the second and before the first.
    let events = [("[2001..2005]", "set 0"), ("2002", "increase 10"), ("2004", "increase -1")];
    check(&events, "2010", "0? [-1..9, on e1 e2 e3]");
}

#[test]
fn sets_surely_hold_some_members_and_possibly_others() {
    check(&[("2003", "add \"x\""), ("[..2023]", "add \"y\"")], "2018", "{x}? [{x} to {x, y}, on e2]");
    check(&[("2004", "add \"x\""), ("2004", "remove \"x\"")], "2010", "{}? [{} to {x}, on e1 e2]");
    check(&[("2003", "set [1, 2]"), ("2004", "set [2, 3]")], "2010", "{2, 3}");
    check(
        &[("2004", "set [1, 2]"), ("2004", "set [2, 3]")],
        "2010",
        "{2, 3}? [{1, 2} by e1, {2} to {1, 2, 3}, on e1 e2]",
    );
    check(&[("2003", "add 1"), ("2004", "add 2"), ("2004", "remove 1")], "2010", "{2}");
}

#[test]
fn what_lasts_may_have_lapsed() {
    let reign = ("2001/2004-06", "set \"king\"@during");
    check(&[reign], "2004-06-15", "absent? [king by e1, on e1]");
    check(&[("1990", "set \"none\""), reign], "2004-06-15", "none? [king by e2, on e2]");
    check(&[reign, ("2004-07", "set \"none\"")], "2005", "none");
}

#[test]
fn what_does_not_fit_matters_only_where_it_may_come_first() {
    check(&[("2003", "set \"text\""), ("[2004..2020]", "increase 1")], "2010", "text");
    check(&[("2003", "set \"text\""), ("[2004..2020]", "add 1")], "2010", "text");
    check(&[("[2003..2004]", "set \"text\""), ("2003", "increase 1")], "2010", "text");
}

#[test]
fn claims_on_equal_bounds_are_contested_with_their_sources() {
    let contested = |events: &[(&str, &str)]| {
        let snapshot = snapshot(events, "2010", Certainty::Surely);
        let cell = &snapshot.state["a"]["b"];
        let others: Vec<String> = cell.contested.iter().map(|c| format!("{} by {}", c.value, c.by)).collect();
        others.join(", ")
    };
    assert_eq!(contested(&[("2004", "set 1"), ("2004", "set 2")]), "1 by e1");
    assert_eq!(contested(&[("2004", "set 1"), ("2004", "set 1")]), "");
    assert_eq!(contested(&[("2004", "set 1"), ("2004-02", "set 2")]), "");
    assert_eq!(
        contested(&[("2003", "set 3"), ("2004", "set 1"), ("2004", "set 1"), ("2004", "set 2")]),
        "1 by e2, 1 by e3"
    );
    let noon = "2004-05-02T12:00:00";
    assert_eq!(contested(&[(noon, "set 1"), (noon, "set 2"), ("2003", "set 2")]), "1 by e1");
}
