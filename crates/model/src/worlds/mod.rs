//! The worlds that the dates of an attribute's claims leave open, and what its value is in them.
//!
//! A *world* gives every happening one of its scenarios at D (not yet, begun, ended …) and puts the steps of all
//! happenings in an order that their dates allow. The value in a world is the fold of its steps in that order.
//! ARCHITECTURE.md, "Worlds", has the definition to the letter; `annals_testkit::worlds` is that definition,
//! written down a second time, which enumerates every world of a small log.
//!
//! There can be more worlds than could ever be enumerated, so here each reading of them is computed by itself,
//! in time proportional to the claims that overlap, up to a logarithm. What makes this possible: happenings are
//! independent of each other except for the order of their steps, and a step can be the last of a kind if and
//! only if every other happening has a scenario whose steps of that kind can all come before it. Most attributes of
//! which the dates leave anything open are plain registers, which need no scenarios at all.

mod depends;
mod doubt;
mod last;
mod members;
mod numbers;
mod peak;
mod register;
mod unit;

use std::collections::BTreeSet;

use serde::Serialize;

pub use self::doubt::Doubt;
use self::last::{Last, Lasts};
use self::unit::{Step, Units};
use crate::fold::Said;
use crate::{Change, EventId, Moment, Number, Scalar, Value};

/// What the dates leave open about an attribute as of a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Open {
    /// The other values that may stand. Sums and sets that more than one event makes up are not listed one by
    /// one: `low` and `high`, and `members`, bound them.
    pub alternatives: Vec<Alternative>,
    /// The least number that may stand, where one may; absent counts as 0 where something may increase it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<Number>,
    /// The greatest number that may stand, where one may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<Number>,
    /// The members that a set has, where one may stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Members>,
    /// The events whose dates the value depends on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<EventId>,
}

/// A value that may stand instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alternative {
    /// The value; `None` (null in JSON) where nothing may stand.
    pub value: Option<Value>,
    /// The events of which each may have been the last to set it; none where nothing may have happened at all.
    pub by: Vec<EventId>,
}

/// What a set surely and possibly holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Members {
    /// The members that it has whatever the dates are.
    pub surely: BTreeSet<Scalar>,
    /// The members that some dates give it; the sure ones among them.
    pub possibly: BTreeSet<Scalar>,
}

/// Reads the worlds of an attribute's claims, of which `value` is said to stand as of a moment; `None` where it
/// stands in every world.
pub(crate) fn open(mut claims: Vec<Said<'_>>, as_of: Moment, value: Option<&Value>) -> Option<Open> {
    claims.sort_unstable_by_key(|said| (said.place, said.span, said.position));
    if register::is_plain(&claims) {
        return register::open(&claims, as_of, value);
    }
    Worlds::of(&Units::of(&claims, as_of)).reading(value)
}

/// An attribute's happenings without the steps that leave a trace in no world.
#[derive(Debug)]
struct Worlds<'a> {
    units: Units<'a>,
    /// The steps that can be the last to replace what stands.
    bases: Lasts<'a>,
    /// The most decisive change of the steps that only modify what stands, of each kind.
    modifies: Modifies,
}

/// Which modifications some world has.
#[derive(Clone, Copy, Debug, Default)]
struct Modifies {
    number: bool,
    set: bool,
}

/// A value that may stand, and one of the events that may have been the last to set it.
type Outcome<'a> = (Option<&'a Value>, Option<&'a EventId>);

impl<'a> Worlds<'a> {
    fn of(units: &Units<'a>) -> Self {
        // What surely comes before a replacement leaves no trace.
        let floor = last::floor(units, Step::replaces);
        let units = units.without(|unit| floor.without(unit));
        let bases = Lasts::of(&units, Step::replaces);
        let mut modifies = Modifies::default();
        for change in units.steps().filter(|step| !step.replaces()).flat_map(Step::ops) {
            match change {
                Change::Increase(_) => modifies.number = true,
                Change::Add(_) | Change::Remove(_) => modifies.set = true,
                Change::Set(_) | Change::Clear => {}
            }
        }
        Self { units, bases, modifies }
    }

    /// Whether any step only modifies what stands.
    const fn modifies_anything(&self) -> bool {
        self.modifies.number || self.modifies.set
    }

    fn reading(&self, value: Option<&Value>) -> Option<Open> {
        let results: Vec<_> = self.bases.steps.iter().map(|base| base.step.result()).collect();
        let mut outcomes: Vec<Outcome<'_>> = Vec::with_capacity(results.len());
        let (mut numbers, mut sets, mut others) = (None, false, false);
        for (base, result) in self.bases.steps.iter().zip(&results) {
            let is_listed = match result.as_deref() {
                None => false,
                Some(Value::Set(_)) => {
                    sets = true;
                    !self.modifies.set
                }
                Some(Value::Scalar(Scalar::Number(number))) => {
                    let (low, high) = numbers.unwrap_or((*number, *number));
                    numbers = Some((low.min(*number), high.max(*number)));
                    !self.modifies.number
                }
                Some(Value::Scalar(Scalar::Bool(_) | Scalar::Text(_))) => {
                    others = true;
                    true
                }
            };
            if is_listed {
                outcomes.push((result.as_deref(), Some(self.units.id(base.unit))));
            }
        }
        self.absent(&mut outcomes);
        let bounds = numbers::bounds(self, numbers);
        let members = members::of(self, sets, others || bounds.is_some());
        told(value, outcomes, bounds, members, |members| depends::on(self, members))
    }

    /// Adds that nothing may stand, if it may, with the events that may have cleared it.
    fn absent<'o>(&'o self, outcomes: &mut Vec<Outcome<'o>>) {
        // On nothing, an increase makes a number and an `add` a set; a `remove` leaves nothing.
        let makes = |change: &Change| !matches!(change, Change::Remove(_));
        let some = self.modifies_anything().then(|| Lasts::of(&self.units, |step| step.ops().any(makes)));
        let touches = some.as_ref().unwrap_or(&self.bases);
        if touches.may_be_none() {
            outcomes.push((None, None));
        }
        let clears = |last: &&Last<'_>| last.step.replaces() && last.step.result().is_none();
        outcomes
            .extend(touches.steps.iter().filter(clears).map(|last| (None, Some(self.units.id(last.unit)))));
    }
}

/// The least and the greatest number that may stand; unknown where a sum has more digits than numbers hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bounds {
    low: Option<Number>,
    high: Option<Number>,
}

/// What is open about the value that is said to stand, from all that may; `None` where that is this value alone.
fn told(
    value: Option<&Value>,
    mut outcomes: Vec<Outcome<'_>>,
    bounds: Option<Bounds>,
    members: Option<Members>,
    depends_on: impl FnOnce(Option<&Members>) -> Vec<EventId>,
) -> Option<Open> {
    if is_settled(value, &outcomes, bounds.as_ref(), members.as_ref()) {
        return None;
    }
    outcomes.retain(|(outcome, _)| *outcome != value);
    outcomes.sort_unstable();
    outcomes.dedup();
    let alternative = |same: &[Outcome<'_>]| Alternative {
        value: same[0].0.cloned(),
        by: same.iter().filter_map(|(_, by)| by.cloned()).collect(),
    };
    Some(Open {
        alternatives: outcomes.chunk_by(|(a, _), (b, _)| a == b).map(alternative).collect(),
        low: bounds.and_then(|bounds| bounds.low),
        high: bounds.and_then(|bounds| bounds.high),
        depends_on: depends_on(members.as_ref()),
        members,
    })
}

/// Events by their ids, each once: the order of the log says nothing about the value.
fn in_order(mut ids: Vec<&EventId>) -> Vec<EventId> {
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().cloned().collect()
}

/// Whether a value stands in every world.
fn is_settled(
    value: Option<&Value>,
    outcomes: &[Outcome<'_>],
    bounds: Option<&Bounds>,
    members: Option<&Members>,
) -> bool {
    if outcomes.iter().any(|(outcome, _)| *outcome != value) {
        return false;
    }
    let is_that_number = |bounds: &Bounds| {
        let number = numbers::number(value);
        number.is_some() && bounds.low == number && bounds.high == number
    };
    let is_that_set = |members: &Members| match value {
        Some(Value::Set(set)) => members.surely == *set && members.possibly == *set,
        _ => false,
    };
    bounds.is_none_or(is_that_number)
        && members.is_none_or(is_that_set)
        && (!outcomes.is_empty() || bounds.is_some() || members.is_some())
}
