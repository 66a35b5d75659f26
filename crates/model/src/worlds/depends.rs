//! The events whose dates make a difference.

use super::last::Bound;
use super::unit::{Key, Step, Unit};
use super::{Members, Worlds};
use crate::{Change, EventId, Scalar};

/// The events that may or may not have happened by D, and those whose order among each other is open where it
/// matters: about a replacement it matters what comes before and what after it, and about a member whether it
/// is added or removed last.
pub(super) fn on(worlds: &Worlds<'_>, members: Option<&Members>) -> Vec<EventId> {
    let disputed =
        |member: &Scalar| members.is_some_and(|m| m.possibly.contains(member) && !m.surely.contains(member));
    let is_disputed = |change: &&Change| match change {
        Change::Add(member) | Change::Remove(member) => disputed(member),
        _ => false,
    };
    let all = Overlaps::of(&worlds.units, |_| true);
    let bases = Overlaps::of(&worlds.units, Step::replaces);
    let is_open = |index: usize, step: &Step<'_>| {
        let others = if step.replaces() { &all } else { &bases };
        others.meets(step, index) || step.ops.iter().any(is_disputed)
    };
    let matters = |(index, unit): &(usize, &Unit<'_>)| {
        unit.scenarios.len() > 1 || unit.scenarios.iter().flatten().any(|step| is_open(*index, step))
    };
    let units = worlds.units.iter().enumerate();
    let mut ids: Vec<EventId> = units.filter(matters).map(|(_, unit)| unit.event.id.clone()).collect();
    // The order of the log says nothing about the value.
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Answers whether a step may come both before and after one of a kind.
struct Overlaps {
    /// The first places of the steps in order, and the latest last place of the steps up to each.
    latest: Vec<(Key, Bound)>,
}

impl Overlaps {
    fn of<'a>(units: &[Unit<'a>], is_kind: impl Fn(&Step<'a>) -> bool) -> Self {
        let mut ranges: Vec<(Key, Key, usize)> = Vec::new();
        for (index, unit) in units.iter().enumerate() {
            let steps = unit.scenarios.iter().flatten().filter(|step| is_kind(step));
            ranges.extend(steps.map(|step| (step.lo, step.hi, index)));
        }
        ranges.sort_unstable();
        let mut latest = Bound::default();
        let with_latest = |(lo, hi, unit): (Key, Key, usize)| {
            latest.raise(hi, unit);
            (lo, latest)
        };
        Self { latest: ranges.into_iter().map(with_latest).collect() }
    }

    /// Whether a step's range meets that of such a step of another happening.
    fn meets(&self, step: &Step<'_>, unit: usize) -> bool {
        let before_its_end = self.latest.partition_point(|(lo, _)| *lo <= step.hi);
        let latest = before_its_end.checked_sub(1).map(|last| self.latest[last].1);
        latest.is_some_and(|latest| latest.without(unit) >= Some(step.lo))
    }
}
