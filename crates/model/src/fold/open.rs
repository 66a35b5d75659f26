//! What the dates of an attribute's claims leave open: which of them matter, before the worlds are read.

use std::collections::HashMap;

use super::said::Said;
use crate::worlds::{self, Open};
use crate::{Certainty, Change, Moment, Scalar, Value};

/// What the dates of an attribute's claims leave open about the value that is said to stand.
pub fn open(said: &[Said<'_>], as_of: Moment, value: Option<&Value>) -> Option<Box<Open>> {
    let is_sure = |said: &Said<'_>| said.holds(as_of, Certainty::Surely);
    let possible = || said.iter().filter(|said| said.holds(as_of, Certainty::Possibly));
    let bases = possible().filter(|said| said.change.replaces() && is_sure(said));
    // Whatever surely came before a sure replacement leaves no trace.
    let floor = bases.map(|said| said.moment().earliest).max();
    let mut relevant: Vec<Said<'_>> =
        possible().filter(|said| floor.is_none_or(|floor| said.moment().latest >= floor)).copied().collect();
    if relevant.iter().all(|said| matches!(said.change, Change::Add(_) | Change::Remove(_))) {
        leave_out_overridden(&mut relevant, is_sure);
    }
    if relevant.iter().all(is_sure) {
        relevant.sort_by_cached_key(|said| said.order(Certainty::Surely));
        // There is one order, and it is that of the fold.
        if relevant.windows(2).all(|pair| pair[0].comes_before(&pair[1])) {
            return None;
        }
    }
    worlds::open(relevant, as_of, value).map(Box::new)
}

/// Leaves out of claims that only add and remove members what surely came before a sure touch of the same member.
/// The first one that surely makes a set of nothing stays.
fn leave_out_overridden(claims: &mut Vec<Said<'_>>, is_sure: impl Fn(&Said<'_>) -> bool) {
    let mut floors: HashMap<&Scalar, Moment> = HashMap::new();
    let mut first: Option<Said<'_>> = None;
    for said in claims.iter().filter(|said| is_sure(said)) {
        let (Change::Add(member) | Change::Remove(member)) = said.change else { continue };
        let earliest = said.moment().earliest;
        floors.entry(member).and_modify(|floor| *floor = earliest.max(*floor)).or_insert(earliest);
        let order = |said: &Said<'_>| said.order(Certainty::Surely);
        let adds = matches!(said.change, Change::Add(_));
        if adds && first.as_ref().is_none_or(|first| order(said) < order(first)) {
            first = Some(*said);
        }
    }
    let is_first = |said: &Said<'_>| {
        first.is_some_and(|first| {
            (first.place, first.position, first.span) == (said.place, said.position, said.span)
        })
    };
    claims.retain(|said| {
        let (Change::Add(member) | Change::Remove(member)) = said.change else { return true };
        is_first(said) || floors.get(member).is_none_or(|floor| said.moment().latest >= *floor)
    });
}
