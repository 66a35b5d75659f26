//! The least and the greatest number that may stand.

use super::peak::{follows_nothing, peak};
use super::unit::Step;
use super::{Bounds, Worlds};
use crate::{Change, Number, Scalar, Value};

/// The bounds of the numbers that may stand; `None` where none may. `is_set` says whether some step that can be
/// the last to replace what stands sets one.
pub(super) fn bounds(worlds: &Worlds<'_>, is_set: bool) -> Option<Bounds> {
    if !worlds.modifies.number {
        let set = worlds.bases.places.iter().filter_map(|base| number(worlds.step(*base).result().as_ref()));
        let low = set.clone().min();
        return low.map(|_| Bounds { low, high: set.max() });
    }
    // Absent counts as 0, but is a number only once something increases it.
    if !is_set && !follows_nothing(worlds, |change| matches!(change, Change::Increase(_))) {
        return None;
    }
    if !fits(worlds) {
        return Some(Bounds { low: None, high: None });
    }
    let start = |result: Option<Value>| match result {
        None => Some(0),
        set => number(set.as_ref()).map(Number::smallest_parts),
    };
    let high = peak(worlds, start, amount);
    let low = peak(worlds, |result| start(result).map(|set| -set), |step| -amount(step)).map(|sum| -sum);
    Some(Bounds { low: low.map(Number::from_smallest_parts), high: high.map(Number::from_smallest_parts) })
}

fn number(value: Option<&Value>) -> Option<Number> {
    match value {
        Some(Value::Scalar(Scalar::Number(number))) => Some(*number),
        _ => None,
    }
}

/// By how much a step that does not replace what stands increases it.
fn amount(step: &Step<'_>) -> i128 {
    let of = |change: &&Change| match change {
        Change::Increase(by) => by.smallest_parts(),
        _ => 0,
    };
    step.ops.iter().map(of).sum()
}

/// Whether no sum can have more digits than numbers hold.
fn fits(worlds: &Worlds<'_>) -> bool {
    let steps = worlds.units.iter().flat_map(|unit| &unit.scenarios).flatten();
    let sizes = steps.map(|step| match number(step.result().as_ref()) {
        Some(set) if step.replaces() => set.smallest_parts().checked_abs(),
        _ => amount(step).checked_abs(),
    });
    sizes.into_iter().try_fold(0_i128, |sum, size| sum.checked_add(size?)).is_some()
}
