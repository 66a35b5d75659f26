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
//! only if every other happening has a scenario whose steps of that kind can all come before it.

mod depends;
mod doubt;
mod last;
mod members;
mod numbers;
mod peak;
mod unit;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use self::doubt::Doubt;
use self::last::{Lasts, Place};
use self::unit::{Unit, units};
use crate::fold::Claim;
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
pub(crate) fn open(claims: Vec<Claim<'_>>, as_of: Moment, value: Option<&Value>) -> Option<Open> {
    let worlds = Worlds::of(units(claims, as_of));
    worlds.reading(value)
}

/// An attribute's happenings without the steps that leave a trace in no world.
#[derive(Debug)]
struct Worlds<'a> {
    units: Vec<Unit<'a>>,
    /// The steps that can be the last to replace what stands.
    bases: Lasts,
    /// The most decisive change of the steps that only modify what stands, of each kind.
    modifies: Modifies,
}

/// Which modifications some world has.
#[derive(Clone, Copy, Debug, Default)]
struct Modifies {
    number: bool,
    set: bool,
}

impl<'a> Worlds<'a> {
    fn of(mut units: Vec<Unit<'a>>) -> Self {
        let all = Lasts::of(&units, unit::Step::replaces);
        for (index, unit) in units.iter_mut().enumerate() {
            let floor = all.floor.without(index);
            for scenario in &mut unit.scenarios {
                // What surely comes before a replacement leaves no trace.
                let own = scenario.iter().rposition(unit::Step::replaces).unwrap_or(0);
                scenario.drain(..own);
                scenario.retain(|step| Some(step.hi) >= floor);
            }
            unit.scenarios.dedup();
        }
        units.retain(|unit| unit.scenarios.iter().any(|scenario| !scenario.is_empty()));
        let bases = Lasts::of(&units, unit::Step::replaces);
        let mut modifies = Modifies::default();
        let steps = units.iter().flat_map(|unit| &unit.scenarios).flatten();
        for change in steps.filter(|step| !step.replaces()).flat_map(|step| &step.ops) {
            match change {
                Change::Increase(_) => modifies.number = true,
                Change::Add(_) | Change::Remove(_) => modifies.set = true,
                Change::Set(_) | Change::Clear => {}
            }
        }
        Self { units, bases, modifies }
    }

    fn step(&self, place: Place) -> &unit::Step<'a> {
        &self.units[place.unit].scenarios[place.scenario][place.step]
    }

    fn id(&self, place: Place) -> &'a EventId {
        &self.units[place.unit].event.id
    }

    fn reading(&self, value: Option<&Value>) -> Option<Open> {
        let mut outcomes: BTreeMap<Option<Value>, BTreeSet<&EventId>> = BTreeMap::new();
        let (mut numbers, mut sets, mut others) = (false, false, false);
        for base in &self.bases.places {
            let result = self.step(*base).result();
            let is_listed = match &result {
                None => false,
                Some(Value::Set(_)) => {
                    sets = true;
                    !self.modifies.set
                }
                Some(Value::Scalar(Scalar::Number(_))) => {
                    numbers = true;
                    !self.modifies.number
                }
                Some(Value::Scalar(Scalar::Bool(_) | Scalar::Text(_))) => {
                    others = true;
                    true
                }
            };
            if is_listed {
                outcomes.entry(result).or_default().insert(self.id(*base));
            }
        }
        if let Some(by) = self.absent() {
            outcomes.insert(None, by);
        }
        let bounds = numbers::bounds(self, numbers);
        let members = members::of(self, sets, others || bounds.is_some());
        if is_settled(value, &outcomes, bounds.as_ref(), members.as_ref()) {
            return None;
        }
        let rest = outcomes.into_iter().filter(|(outcome, _)| outcome.as_ref() != value);
        let alternative = |(value, by): (Option<Value>, BTreeSet<&EventId>)| Alternative {
            value,
            by: by.into_iter().cloned().collect(),
        };
        Some(Open {
            alternatives: rest.map(alternative).collect(),
            low: bounds.as_ref().and_then(|bounds| bounds.low),
            high: bounds.as_ref().and_then(|bounds| bounds.high),
            depends_on: depends::on(self, members.as_ref()),
            members,
        })
    }

    /// Whether nothing may stand, and the events that may have cleared it.
    fn absent(&self) -> Option<BTreeSet<&'a EventId>> {
        // On nothing, an increase makes a number and an `add` a set; a `remove` leaves nothing.
        let makes = |change: &&Change| !matches!(change, Change::Remove(_));
        let touches = Lasts::of(&self.units, |step| step.ops.iter().any(makes));
        let clears = |place: &&Place| self.step(**place).replaces() && self.step(**place).result().is_none();
        let by: BTreeSet<&EventId> = touches.places.iter().filter(clears).map(|p| self.id(*p)).collect();
        (touches.may_be_none() || !by.is_empty()).then_some(by)
    }
}

/// The least and the greatest number that may stand; unknown where a sum has more digits than numbers hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bounds {
    low: Option<Number>,
    high: Option<Number>,
}

/// Whether a value stands in every world.
fn is_settled(
    value: Option<&Value>,
    outcomes: &BTreeMap<Option<Value>, BTreeSet<&EventId>>,
    bounds: Option<&Bounds>,
    members: Option<&Members>,
) -> bool {
    if outcomes.keys().any(|outcome| outcome.as_ref() != value) {
        return false;
    }
    let is_that_number = |bounds: &Bounds| {
        let number = match value {
            Some(Value::Scalar(Scalar::Number(number))) => Some(*number),
            _ => None,
        };
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
