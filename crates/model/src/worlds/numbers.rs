//! The least and the greatest number that may stand.

use super::peak::{follows_nothing, peak};
use super::unit::Step;
use super::{Bounds, Worlds};
use crate::{Change, Number, Scalar, Value};

/// The bounds of the numbers that may stand; `None` where none may. `set` are those of the numbers that steps set which
/// can be the last to replace what stands, where there are any.
pub(super) fn bounds(worlds: &Worlds<'_>, set: Option<(Number, Number)>) -> Option<Bounds> {
    if !worlds.modifies.number {
        return set.map(|(low, high)| Bounds { low: Some(low), high: Some(high) });
    }
    // Absent counts as 0, but is a number only once something increases it.
    if set.is_none() && !follows_nothing(worlds, |change| matches!(change, Change::Increase(_))) {
        return None;
    }
    if !fits(worlds) {
        return Some(Bounds { low: None, high: None });
    }
    let start = |result: Option<&Value>| match result {
        None => Some(0),
        set => number(set).map(Number::smallest_parts),
    };
    let high = peak(worlds, start, amount);
    let low = peak(worlds, |result| start(result).map(|set| -set), |step| -amount(step)).map(|sum| -sum);
    Some(Bounds { low: low.map(Number::from_smallest_parts), high: high.map(Number::from_smallest_parts) })
}

/// The number that stands, where one does.
pub(super) const fn number(value: Option<&Value>) -> Option<Number> {
    match value {
        Some(Value::Scalar(Scalar::Number(number))) => Some(*number),
        _ => None,
    }
}

/// By how much a step that does not replace what stands increases it.
fn amount(step: &Step<'_>) -> i128 {
    let of = |change: &Change| match change {
        Change::Increase(by) => by.smallest_parts(),
        _ => 0,
    };
    step.ops().map(of).sum()
}

/// Whether no sum can have more digits than numbers hold.
fn fits(worlds: &Worlds<'_>) -> bool {
    let sizes = worlds.units.steps().map(|step| match number(step.result().as_deref()) {
        Some(set) if step.replaces() => set.smallest_parts().checked_abs(),
        _ => amount(step).checked_abs(),
    });
    sizes.into_iter().try_fold(0_i128, |sum, size| sum.checked_add(size?)).is_some()
}
