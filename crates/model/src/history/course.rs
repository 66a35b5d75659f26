//! The course of an attribute: what `replay` answers of it at every date, told where the answer changes only.
//!
//! A history names the values that stood; the course has the whole answer, with what is open about it and who
//! contests it, for readers who move along the date axis without the log at hand. It is folded anew at every breakpoint
//! from the claims that still leave a trace there. Of these only increases are added up ahead of time: what a `set`
//! that stands for many claims would say is the same value, but not always the same alternatives to it.

use super::sweep::{Sweep, axis};
use crate::answers::Answer;
use crate::fold::Claim;
use crate::{Cell, Certainty, Moment, Open};

/// What is answered from a moment on, until the next turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The first second; of the first turn the beginning of the date axis.
    pub from: Moment,
    /// What surely stands.
    pub cell: Option<Cell>,
    /// What may stand, where nothing surely does.
    pub unsettled: Option<Open>,
}

impl Turn {
    fn says_the_same(&self, other: &Self) -> bool {
        self.cell == other.cell && self.unsettled == other.unsettled
    }
}

/// Every turn of one attribute's claims, in the order of time, and how many claims were folded for them; `None` where
/// this takes more than `effort` of them.
///
/// Who looks at some dates only, say at the ends of days, says with `seen_at` at which of them a change that happens at
/// a moment is first seen: at that moment or later, and none before one that happens earlier.
pub fn course(
    claims: &[Claim<'_>],
    seen_at: impl Fn(Moment) -> Moment,
    effort: usize,
) -> Option<(Vec<Turn>, usize)> {
    let mut turns: Vec<Turn> = Vec::new();
    let mut folded = 0;
    let mut sweep = Sweep::new(claims);
    let mut axis = axis(claims)
        .map(|(from, as_of)| if from.is_finite() { (seen_at(from), seen_at(as_of)) } else { (from, as_of) })
        .peekable();
    while let Some((from, as_of)) = axis.next() {
        if axis.peek().is_some_and(|(next, _)| *next == from) {
            continue;
        }
        sweep.reach(as_of);
        let mattering = sweep.mattering();
        folded += mattering.len();
        if folded > effort {
            return None;
        }
        let Answer { cell, open, .. } = Answer::at(&mattering, as_of, Certainty::Surely);
        drop(mattering);
        let unsettled = if cell.is_none() { open.map(|open| *open) } else { None };
        let turn = Turn { from, cell, unsettled };
        if turns.last().is_none_or(|last| !last.says_the_same(&turn)) {
            turns.push(turn);
        }
        sweep.add_up_only(as_of);
    }
    Some((turns, folded))
}
