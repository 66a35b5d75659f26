//! What a set surely and possibly holds.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::last::{Last, earliest_end};
use super::peak::follows_nothing;
use super::unit::{Scenario, Step};
use super::{Members, Worlds};
use crate::{Change, Scalar, Value};

/// The members of the sets that may stand; `None` where none may. `is_set` says whether some step that can be
/// the last to replace what stands sets a set, and `is_scalar` whether something else than a set may stand.
///
/// Whatever touches a member last decides whether the set has it.
pub(super) fn of(worlds: &Worlds<'_>, is_set: bool, is_scalar: bool) -> Option<Members> {
    let adds = |change: &Change| matches!(change, Change::Add(_));
    let may_stand = is_set || (worlds.modifies.set && follows_nothing(worlds, adds));
    if !may_stand {
        return None;
    }
    let bases = bases(worlds);
    let mut mentions: BTreeMap<&Scalar, Mentions> = BTreeMap::new();
    for (index, (_, set)) in bases.iter().enumerate() {
        for member in set {
            mentions.entry(member).or_default().bases.push(index);
        }
    }
    for (index, (_, scenarios)) in worlds.units.all().enumerate() {
        let steps = scenarios.iter().flat_map(Scenario::steps).filter(|step| !step.replaces());
        for change in steps.flat_map(Step::ops) {
            if let Change::Add(member) | Change::Remove(member) = change {
                mentions.entry(member).or_default().units.insert(index);
            }
        }
    }
    let mut members = Members { surely: BTreeSet::new(), possibly: BTreeSet::new() };
    for (member, mentions) in mentions {
        let Touched { may_add, may_drop } = touched(worlds, &bases, member, &mentions);
        if may_add {
            members.possibly.insert(member.clone());
            // Text and numbers have no members, whatever is added to them.
            if !may_drop && !is_scalar {
                members.surely.insert(member.clone());
            }
        }
    }
    Some(members)
}

/// A step that can be the last to replace what stands, and the members that it leaves.
type Base<'w, 'a> = (&'w Last<'a>, BTreeSet<Scalar>);

/// Those that may come latest first.
fn bases<'w, 'a>(worlds: &'w Worlds<'a>) -> Vec<Base<'w, 'a>> {
    let set = |last: &'w Last<'a>| match last.step.result().map(Cow::into_owned) {
        Some(Value::Set(set)) => (last, set),
        _ => (last, BTreeSet::new()),
    };
    let mut bases: Vec<Base<'_, '_>> = worlds.bases.steps.iter().map(set).collect();
    bases.sort_by_key(|(last, _)| std::cmp::Reverse(last.step.hi));
    bases
}

/// Where a member is mentioned.
#[derive(Default)]
struct Mentions {
    /// The bases that leave it standing, by index.
    bases: Vec<usize>,
    /// The happenings that add or remove it.
    units: BTreeSet<usize>,
}

/// Whether the last step that touches a member may add it, and whether it may drop it or be missing.
struct Touched {
    may_add: bool,
    may_drop: bool,
}

fn touched(worlds: &Worlds<'_>, bases: &[Base<'_, '_>], member: &Scalar, mentions: &Mentions) -> Touched {
    let touches = |step: &Step<'_>| step.replaces() || step.ops().any(|op| adds(op, member).is_some());
    let mut floor = worlds.bases.floor;
    for index in &mentions.units {
        if let Some(key) = earliest_end(worlds.units.scenarios(*index), touches) {
            floor.raise(key, *index);
        }
    }
    let mut may = Touched { may_add: false, may_drop: floor.is_unset() };
    for index in &mentions.units {
        for scenario in worlds.units.scenarios(*index) {
            let step = scenario.steps().rfind(|step| touches(step));
            if let Some(step) = step.filter(|step| Some(step.hi) >= floor.without(*index)) {
                let is_added = step.ops().rev().find_map(|op| adds(op, member)).unwrap_or(false);
                *(if is_added { &mut may.may_add } else { &mut may.may_drop }) = true;
            }
        }
    }
    let can_be_last = |(last, _): &&Base<'_, '_>| {
        !mentions.units.contains(&last.unit) && Some(last.step.hi) >= floor.without(last.unit)
    };
    may.may_add |= mentions.bases.iter().map(|index| &bases[*index]).any(|base| can_be_last(&base));
    may.may_drop |= bases
        .iter()
        .take_while(|(last, _)| Some(last.step.hi) >= floor.second())
        .filter(|(_, set)| !set.contains(member))
        .any(|base| can_be_last(&base));
    may
}

/// Whether a change leaves a member in the set or out of it; `None` where it does not touch it.
fn adds(change: &Change, member: &Scalar) -> Option<bool> {
    match change {
        Change::Set(Value::Set(set)) => Some(set.contains(member)),
        Change::Set(Value::Scalar(_)) | Change::Clear => Some(false),
        Change::Add(added) => (added == member).then_some(true),
        Change::Remove(removed) => (removed == member).then_some(false),
        Change::Increase(_) => None,
    }
}
