//! Which steps of a kind can be the last of that kind.

use super::unit::{Key, Scenario, Step, Units};

/// A step that can be the last of a kind, and where it is.
#[derive(Clone, Debug)]
pub(super) struct Last<'a> {
    /// The happening that takes it.
    pub(super) unit: usize,
    /// The scenario in which it does, among those of the happening.
    pub(super) scenario: usize,
    /// How many steps of the scenario come before it.
    pub(super) before: usize,
    pub(super) step: Step<'a>,
}

/// A bound that the happenings set, and the happening that sets it, so that it can be told without this one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bound {
    first: Option<(Key, usize)>,
    second: Option<Key>,
}

impl Bound {
    /// Raises the bound to what a happening sets.
    pub(super) fn raise(&mut self, key: Key, unit: usize) {
        match self.first {
            Some((_, first)) if first == unit => {
                self.first = self.first.max(Some((key, unit)));
            }
            Some((highest, _)) if key <= highest => self.second = self.second.max(Some(key)),
            first => {
                self.second = first.map(|(key, _)| key);
                self.first = Some((key, unit));
            }
        }
    }

    /// The bound that all happenings but one set.
    pub(super) fn without(&self, unit: usize) -> Option<Key> {
        match self.first {
            Some((_, first)) if first == unit => self.second,
            first => first.map(|(key, _)| key),
        }
    }

    /// The bound that any two happenings can be told to respect.
    pub(super) const fn second(&self) -> Option<Key> {
        self.second
    }

    /// Whether no happening sets it.
    pub(super) const fn is_unset(&self) -> bool {
        self.first.is_none()
    }
}

/// The steps of a kind that can be the last of it.
#[derive(Debug)]
pub(super) struct Lasts<'a> {
    pub(super) steps: Vec<Last<'a>>,
    /// A step can be the last one only if it may come no earlier than this.
    pub(super) floor: Bound,
}

impl<'a> Lasts<'a> {
    /// Looks for the last steps of a kind.
    pub(super) fn of(units: &Units<'a>, is_kind: impl Fn(&Step<'a>) -> bool) -> Self {
        let mut lasts = Self { steps: Vec::new(), floor: floor(units, &is_kind) };
        for (unit, (_, scenarios)) in units.all().enumerate() {
            let floor = lasts.floor.without(unit);
            for (scenario, steps) in scenarios.iter().enumerate() {
                let last = steps.steps().enumerate().filter(|(_, step)| is_kind(step)).last();
                if let Some((before, step)) = last.filter(|(_, step)| Some(step.hi) >= floor) {
                    lasts.steps.push(Last { unit, scenario, before, step: step.clone() });
                }
            }
        }
        lasts
    }

    /// Whether there is a world without any such step.
    pub(super) const fn may_be_none(&self) -> bool {
        self.floor.is_unset()
    }
}

/// No step of a kind can be the last one that comes earlier than this.
pub(super) fn floor<'a>(units: &Units<'a>, is_kind: impl Fn(&Step<'a>) -> bool) -> Bound {
    let mut floor = Bound::default();
    for (unit, (_, scenarios)) in units.all().enumerate() {
        if let Some(key) = earliest_end(scenarios, &is_kind) {
            floor.raise(key, unit);
        }
    }
    floor
}

/// The place in the order by which a happening can be done with its steps of a kind; `None` where it may have
/// none of them.
pub(super) fn earliest_end<'a>(
    scenarios: &[Scenario<'a>],
    is_kind: impl Fn(&Step<'a>) -> bool,
) -> Option<Key> {
    let last =
        |scenario: &Scenario<'a>| scenario.steps().filter(|step| is_kind(step)).map(|step| step.lo).max();
    scenarios.iter().map(last).min().flatten()
}
