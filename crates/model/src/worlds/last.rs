//! Which steps of a kind can be the last of that kind.

use super::unit::{Key, Step, Unit};

/// Where a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) unit: usize,
    pub(super) scenario: usize,
    pub(super) step: usize,
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
pub(super) struct Lasts {
    pub(super) places: Vec<Place>,
    /// A step can be the last one only if it may come no earlier than this.
    pub(super) floor: Bound,
}

impl Lasts {
    /// Looks for the last steps of a kind.
    pub(super) fn of<'a>(units: &[Unit<'a>], is_kind: impl Fn(&Step<'a>) -> bool) -> Self {
        let mut floor = Bound::default();
        for (index, unit) in units.iter().enumerate() {
            if let Some(key) = earliest_end(unit, &is_kind) {
                floor.raise(key, index);
            }
        }
        let mut lasts = Self { places: Vec::new(), floor };
        for (index, unit) in units.iter().enumerate() {
            for (scenario, steps) in unit.scenarios.iter().enumerate() {
                let last = steps.iter().rposition(&is_kind);
                let last = last.filter(|step| Some(steps[*step].hi) >= floor.without(index));
                if let Some(step) = last {
                    lasts.places.push(Place { unit: index, scenario, step });
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

/// The place in the order by which a happening can be done with its steps of a kind; `None` where it may have
/// none of them.
pub(super) fn earliest_end<'a>(unit: &Unit<'a>, is_kind: impl Fn(&Step<'a>) -> bool) -> Option<Key> {
    let last = |steps: &Vec<Step<'a>>| steps.iter().filter(|step| is_kind(step)).map(|step| step.lo).max();
    unit.scenarios.iter().map(last).min().flatten()
}
