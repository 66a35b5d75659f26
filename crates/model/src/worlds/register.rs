//! The worlds of a plain register: one event after the other sets or clears it, and none of them is an interval.
//!
//! This is what most attributes are whose dates leave anything open, and it takes no scenarios to read. A happening has
//! one step, which replaces what stands, and may lack it where it may lie after D. Of those that surely happened let the
//! *latest* be the one that begins last. What is over before the latest begins leaves no trace, and every other step can
//! be the last one. So each of these happenings makes a difference, since it may not have happened or may come before
//! the latest as well as after it; only the latest itself makes none where nothing else can come before it.

use super::last::Bound;
use super::numbers::number;
use super::unit::{Key, keys};
use super::{Bounds, Open, Outcome, in_order, told};
use crate::fold::Said;
use crate::{Change, EventId, Moment, Value, When};

/// A happening that replaces what stands.
struct Replacement<'a> {
    id: &'a EventId,
    value: Option<&'a Value>,
    lo: Key,
    hi: Key,
    /// Whether it surely happened by D.
    is_sure: bool,
}

/// Whether claims, which come in the order of happenings, are those of a plain register.
pub(super) fn is_plain(claims: &[Said<'_>]) -> bool {
    let is_one = |said: &Said<'_>| {
        let replaces = matches!(said.change, Change::Set(Value::Scalar(_)) | Change::Clear);
        replaces && !said.is_interval && said.when != When::During
    };
    let are_one_happening =
        |pair: &[Said<'_>]| (pair[0].place, pair[0].span) == (pair[1].place, pair[1].span);
    claims.iter().all(is_one) && !claims.windows(2).any(are_one_happening)
}

/// Reads the worlds of a plain register, as the others are read.
pub(super) fn open(claims: &[Said<'_>], as_of: Moment, value: Option<&Value>) -> Option<Open> {
    let mut all: Vec<Replacement<'_>> = claims.iter().map(|said| Replacement::of(said, as_of)).collect();
    let mut floor = Bound::default();
    for (index, one) in all.iter().enumerate().filter(|(_, one)| one.is_sure) {
        floor.raise(one.lo, index);
    }
    let mut index = 0..;
    all.retain(|one| index.next().is_none_or(|index| Some(one.hi) >= floor.without(index)));
    let latest = all.iter().filter(|one| one.is_sure).max_by_key(|one| one.lo);
    let mut outcomes: Vec<Outcome<'_>> = all.iter().map(|one| (one.value, Some(one.id))).collect();
    if latest.is_none() {
        outcomes.push((None, None));
    }
    let numbers = || all.iter().filter_map(|one| number(one.value));
    let bounds = numbers().min().map(|low| Bounds { low: Some(low), high: numbers().max() });
    told(value, outcomes, bounds, None, |_| {
        let matters = |one: &&Replacement<'_>| {
            let is_other = |other: &Replacement<'_>| !std::ptr::eq(other, *one);
            latest.is_none_or(|latest| !std::ptr::eq(latest, *one))
                || all.iter().any(|other| is_other(other) && other.lo <= one.hi)
        };
        in_order(all.iter().filter(matters).map(|one| one.id).collect())
    })
}

impl<'a> Replacement<'a> {
    fn of(said: &Said<'a>, as_of: Moment) -> Self {
        let Said { id, place, span, .. } = *said;
        let value = match said.change {
            Change::Set(value) => Some(value),
            _ => None,
        };
        let (earliest, latest) = (span.start.earliest, span.start.latest);
        let (lo, hi) = keys((earliest, latest.min(as_of)), span.start, (place, 0));
        Self { id, value, lo, hi, is_sure: latest <= as_of }
    }
}
