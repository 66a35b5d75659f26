//! The greatest sum of a last replacement and of what comes after it.
//!
//! Seen from the last step that replaces what stands, only the steps after it matter. Where that step lies in
//! the order decides which these can be; each happening contributes to the sum on its own, by its scenario and
//! by which of its steps come later. So the sum of the greatest contributions is a function of the place in the
//! order that changes only at the bounds of steps, and its maximum over the places that the step may have is
//! asked of a tree of maxima.

use super::Worlds;
use super::unit::{Key, Scenario, Step, Units};
use crate::{Change, Value};

/// Whether in some world a change of a kind comes where nothing stands.
pub(super) fn follows_nothing(worlds: &Worlds<'_>, is_kind: impl Fn(&Change) -> bool) -> bool {
    let from_nothing = |result: Option<&Value>| result.is_none().then_some(0);
    let counts = |step: &Step<'_>| i128::from(step.ops().any(&is_kind));
    peak(worlds, from_nothing, counts).is_some_and(|count| count > 0)
}

/// The greatest sum of what a last replacement starts with and of the amounts that come after it. `start` says
/// what it starts with, from what the replacement leaves standing; `None` where it is of no concern.
pub(super) fn peak(
    worlds: &Worlds<'_>,
    start: impl Fn(Option<&Value>) -> Option<i128>,
    amount: impl Fn(&Step<'_>) -> i128,
) -> Option<i128> {
    let axis = Axis::of(&worlds.units);
    let profile = |(_, scenarios): (_, &[Scenario<'_>])| Profile::of(scenarios, &axis, &amount);
    let profiles: Vec<Profile> = worlds.units.all().map(profile).collect();
    let sums = Tree::of(axis.totals(&profiles));
    let from_base = worlds.bases.steps.iter().filter_map(|last| {
        let set = start(last.step.result().as_deref())?;
        let later = worlds.units.scenarios(last.unit)[last.scenario].steps().skip(last.before + 1);
        let own: i128 = later.map(&amount).sum();
        let floor = worlds.bases.floor.without(last.unit).map_or(0, |key| axis.at(key));
        let (from, to) = (axis.at(last.step.lo).max(floor), axis.at(last.step.hi));
        profiles[last.unit].others(&sums, from, to).map(|others| set + own + others)
    });
    // Before everything there is nothing yet.
    let from_nothing = if worlds.bases.may_be_none() { start(None) } else { None };
    from_base.chain(from_nothing.map(|start| start + sums.max(0, 0))).max()
}

/// The places in the order: the bounds of all steps, at odd positions, and the gaps around them.
struct Axis {
    keys: Vec<Key>,
}

impl Axis {
    fn of(units: &Units<'_>) -> Self {
        let mut keys: Vec<Key> = units.steps().flat_map(|step| [step.lo, step.hi]).collect();
        keys.sort_unstable();
        keys.dedup();
        Self { keys }
    }

    /// The position of a bound; that of the gap before the next one where it is none of these.
    fn at(&self, key: Key) -> usize {
        match self.keys.binary_search(&key) {
            Ok(index) => 2 * index + 1,
            Err(index) => 2 * index,
        }
    }

    const fn last(&self) -> usize {
        2 * self.keys.len()
    }

    /// The sum of all happenings' contributions at each position.
    fn totals(&self, profiles: &[Profile]) -> Vec<i128> {
        let mut changes = vec![0_i128; self.last() + 2];
        for piece in profiles.iter().flat_map(|profile| &profile.pieces) {
            changes[piece.from] += piece.amount;
            changes[piece.to + 1] -= piece.amount;
        }
        changes.pop();
        let mut sum = 0;
        for change in &mut changes {
            sum += *change;
            *change = sum;
        }
        changes
    }
}

/// The greatest contribution of one happening to a sum that begins at a position, for each position.
struct Profile {
    /// Without gaps, in order.
    pieces: Vec<Piece>,
}

/// Positions, both included, and what can be contributed at each of them.
#[derive(Clone, Copy)]
struct Piece {
    from: usize,
    to: usize,
    amount: i128,
}

impl Profile {
    fn of(scenarios: &[Scenario<'_>], axis: &Axis, amount: impl Fn(&Step<'_>) -> i128) -> Self {
        let choices = |scenario: &Scenario<'_>| -> Vec<Piece> {
            (0..=scenario.len()).filter_map(|cut| choice(scenario, cut, axis, &amount)).collect()
        };
        let choices: Vec<Piece> = scenarios.iter().flat_map(choices).collect();
        let mut starts: Vec<usize> = choices.iter().flat_map(|choice| [choice.from, choice.to + 1]).collect();
        starts.push(0);
        starts.sort_unstable();
        starts.dedup();
        let ends = starts.iter().skip(1).map(|next| next - 1).chain([axis.last()]);
        let piece = |(from, to): (usize, usize)| {
            let possible = choices.iter().filter(|choice| choice.from <= from && to <= choice.to);
            // Where nothing is possible no sum begins: the step would not be the last replacement.
            Piece { from, to, amount: possible.map(|choice| choice.amount).max().unwrap_or(0) }
        };
        let pieces = starts.iter().copied().zip(ends).filter(|(from, to)| from <= to).map(piece);
        Self { pieces: pieces.collect() }
    }

    /// The greatest sum of the other happenings' contributions at any position of a range.
    fn others(&self, sums: &Tree, from: usize, to: usize) -> Option<i128> {
        let within = self.pieces.iter().filter(|piece| piece.from <= to && from <= piece.to);
        within.map(|piece| sums.max(piece.from.max(from), piece.to.min(to)) - piece.amount).max()
    }
}

/// What a scenario contributes when only its steps from `cut` on come after the position, and where that can be.
fn choice(
    scenario: &Scenario<'_>,
    cut: usize,
    axis: &Axis,
    amount: impl Fn(&Step<'_>) -> i128,
) -> Option<Piece> {
    let (before, after) = (|| scenario.steps().take(cut), || scenario.steps().skip(cut));
    if after().any(Step::replaces) {
        return None;
    }
    let from = before().map(|step| axis.at(step.lo)).max().unwrap_or(0);
    let to = after().map(|step| axis.at(step.hi)).min().unwrap_or(axis.last());
    (from <= to).then(|| Piece { from, to, amount: after().map(amount).sum() })
}

/// Answers which is the greatest of a range of numbers, in logarithmic time.
struct Tree {
    nodes: Vec<i128>,
}

impl Tree {
    fn of(leaves: Vec<i128>) -> Self {
        let count = leaves.len();
        let mut nodes = vec![i128::MIN; count];
        nodes.extend(leaves);
        for index in (1..count).rev() {
            nodes[index] = nodes[2 * index].max(nodes[2 * index + 1]);
        }
        Self { nodes }
    }

    fn max(&self, from: usize, to: usize) -> i128 {
        let count = self.nodes.len() / 2;
        let (mut left, mut right) = (from + count, to + count + 1);
        let mut greatest = i128::MIN;
        while left < right {
            if left % 2 == 1 {
                greatest = greatest.max(self.nodes[left]);
                left += 1;
            }
            if right % 2 == 1 {
                right -= 1;
                greatest = greatest.max(self.nodes[right]);
            }
            left /= 2;
            right /= 2;
        }
        greatest
    }
}
