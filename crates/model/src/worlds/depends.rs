//! The events whose dates make a difference.

use super::last::Bound;
use super::unit::{Key, Scenario, Step, Units};
use super::{Members, Worlds, in_order};
use crate::{Change, EventId, Scalar};

/// The events that may or may not have happened by D, and those whose order among each other is open where it
/// matters: about a replacement it matters what comes before and what after it, and about a member whether it
/// is added or removed last.
pub(super) fn on(worlds: &Worlds<'_>, members: Option<&Members>) -> Vec<EventId> {
    let disputed =
        |member: &Scalar| members.is_some_and(|m| m.possibly.contains(member) && !m.surely.contains(member));
    let is_disputed = |change: &Change| match change {
        Change::Add(member) | Change::Remove(member) => disputed(member),
        _ => false,
    };
    let all = Overlaps::of(&worlds.units, |_| true);
    // Where every step replaces what stands they are the same.
    let some = worlds.modifies_anything().then(|| Overlaps::of(&worlds.units, Step::replaces));
    let bases = some.as_ref().unwrap_or(&all);
    let is_open = |index: usize, step: &Step<'_>| {
        let others = if step.replaces() { &all } else { bases };
        others.meets(step, index) || step.ops().any(is_disputed)
    };
    let matters = |index: usize, scenarios: &[Scenario<'_>]| {
        scenarios.len() > 1 || scenarios.iter().flat_map(Scenario::steps).any(|step| is_open(index, step))
    };
    let units = worlds.units.all().enumerate();
    let mattering = units.filter(|(index, (_, scenarios))| matters(*index, scenarios));
    in_order(mattering.map(|(_, (id, _))| id).collect())
}

/// Answers whether a step may come both before and after one of a kind.
struct Overlaps {
    /// The first places of the steps in order, and the latest last place of the steps up to each.
    latest: Vec<(Key, Bound)>,
}

impl Overlaps {
    fn of<'a>(units: &Units<'a>, is_kind: impl Fn(&Step<'a>) -> bool) -> Self {
        let mut ranges: Vec<(Key, Key, usize)> = Vec::new();
        for (index, (_, scenarios)) in units.all().enumerate() {
            let steps = scenarios.iter().flat_map(Scenario::steps).filter(|step| is_kind(step));
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
