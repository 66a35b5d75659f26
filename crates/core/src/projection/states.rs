//! States along effective order: the one that was asked for last, and a few before it to go back to.
//!
//! A back-dated event makes every state from its place on wrong, and none before. States are kept at distances
//! from the last one that double: their number grows with the logarithm of the number of steps, and what has to be
//! applied anew is at most about twice what lies behind the place that is affected.

use annals_model::Moment;

use super::happened::StepKey;

/// Steps between kept states that are not worth keeping one more.
const GAP: usize = 32;

/// A state, and the steps that it is made of: the first `count` in effective order, up to `after`.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept<S> {
    pub(super) after: Option<StepKey>,
    pub(super) count: usize,
    pub(super) state: S,
}

/// The states that are right.
#[derive(Debug)]
pub(super) struct States<S> {
    /// In effective order.
    kept: Vec<Kept<S>>,
    current: Kept<S>,
}

impl<S> Kept<S> {
    /// Whether the state holds no step that does not count as of a moment.
    fn is_within(&self, until: Moment) -> bool {
        self.after.is_none_or(|key| key.moment() <= until)
    }
}

impl<S: Clone + Default> States<S> {
    /// The state without any step, and no other.
    pub(super) fn new() -> Self {
        Self { kept: Vec::new(), current: Kept { after: None, count: 0, state: S::default() } }
    }

    /// States as a checkpoint has them, in effective order.
    pub(super) fn restored(mut kept: Vec<Kept<S>>) -> Self {
        let mut states = Self::new();
        if let Some(last) = kept.pop() {
            states = Self { kept, current: last };
        }
        states
    }

    /// The state that was asked for last.
    pub(super) const fn current(&self) -> &Kept<S> {
        &self.current
    }

    /// The state that lies furthest and every fourth one before it, in effective order: enough to go back to, and
    /// few enough to be written.
    pub(super) fn few(&self) -> Vec<&Kept<S>> {
        let mut few: Vec<&Kept<S>> = self.all().into_iter().rev().step_by(4).collect();
        few.reverse();
        few
    }

    /// All states, in effective order, each once.
    fn all(&self) -> Vec<&Kept<S>> {
        let mut all: Vec<&Kept<S>> = self.kept.iter().chain([&self.current]).collect();
        all.sort_by_key(|kept| kept.count);
        all.dedup_by_key(|kept| kept.count);
        all
    }

    /// Forgets the states that hold a step or lie behind it. Gives whether there were any.
    pub(super) fn forget_from(&mut self, step: StepKey) -> bool {
        let right = self.kept.partition_point(|kept| kept.after < Some(step));
        let is_wrong = self.current.after >= Some(step);
        let forgets = is_wrong || right < self.kept.len();
        self.kept.truncate(right);
        if is_wrong {
            self.current = Kept { after: None, count: 0, state: S::default() };
        }
        forgets
    }

    /// The furthest state that holds no step behind a moment, to go on from.
    pub(super) fn take_base(&mut self, until: Moment) -> Kept<S> {
        let none = Kept { after: None, count: 0, state: S::default() };
        let current = std::mem::replace(&mut self.current, none);
        let kept = self.kept.iter().rfind(|kept| kept.is_within(until));
        let further = kept.is_none_or(|kept| kept.count <= current.count);
        if further && current.is_within(until) {
            return current;
        }
        let base = kept.cloned().unwrap_or(Kept { after: None, count: 0, state: S::default() });
        self.keep(current);
        base
    }

    /// Makes this the state that was asked for last.
    pub(super) fn settle(&mut self, state: Kept<S>) {
        if state.count >= self.kept.last().map_or(0, |last| last.count) + GAP {
            self.keep(state.clone());
        }
        self.current = state;
    }

    /// Keeps a state on the way to one that is `remaining` steps further, if it lies where one should.
    pub(super) fn pass(&mut self, state: &Kept<S>, remaining: usize) {
        if remaining >= GAP && remaining.is_power_of_two() {
            self.keep(state.clone());
        }
    }

    fn keep(&mut self, state: Kept<S>) {
        let at = self.kept.partition_point(|kept| kept.count < state.count);
        if state.count == 0 || self.kept.get(at).is_some_and(|kept| kept.count == state.count) {
            return;
        }
        self.kept.insert(at, state);
        self.thin();
    }

    /// Drops each state whose neighbours are near enough to each other, for how far they lie back.
    fn thin(&mut self) {
        let Some(end) = self.kept.last().map(|last| last.count) else { return };
        let mut thinned: Vec<Kept<S>> = Vec::with_capacity(self.kept.len());
        let mut rest = std::mem::take(&mut self.kept).into_iter().peekable();
        while let Some(state) = rest.next() {
            let before = thinned.last().map_or(0, |kept| kept.count);
            let spare = rest
                .peek()
                .is_some_and(|next| next.count - before <= GAP || end - before <= 2 * (end - next.count));
            if !spare {
                thinned.push(state);
            }
        }
        self.kept = thinned;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::happened::steps;
    use annals_model::date::{Range, Span};
    use annals_model::{Certainty, Seq};

    /// The key of the step of this number, each at a second of its own.
    fn key(number: usize) -> StepKey {
        let at = Moment::from_seconds(i64::try_from(number).unwrap());
        let span = Span::within(Range { earliest: at, latest: at });
        steps(&[span], false, Seq(1), Certainty::Surely).next().unwrap()
    }

    fn state(count: usize) -> Kept<usize> {
        Kept { after: Some(key(count)), count, state: count }
    }

    #[test]
    fn few_states_are_kept_and_no_rewind_is_far() {
        let mut states: States<usize> = States::new();
        for count in 1..=10_000 {
            states.settle(state(count));
        }
        assert!(states.kept.len() <= 24, "{} states", states.kept.len());
        for reach in [1, 10, 100, 1_000, 9_000] {
            let mut states = States { kept: states.kept.clone(), current: states.current.clone() };
            assert!(states.forget_from(key(10_000 - reach)));
            let base = states.take_base(Moment::INFINITY);
            let anew = 10_000 - base.count;
            assert!(base.count < 10_000 - reach, "a wrong state");
            assert!(anew <= 2 * reach + 3 * GAP, "{anew} steps for {reach}");
        }
    }

    #[test]
    fn a_long_way_keeps_states_where_they_will_be_needed() {
        let mut states: States<usize> = States::new();
        for count in 1..=1_000 {
            states.pass(&state(count), 1_000 - count);
        }
        states.settle(state(1_000));
        let counts: Vec<usize> = states.all().into_iter().map(|kept| kept.count).collect();
        assert_eq!(counts, [488, 744, 872, 936, 968, 1_000]);
        let few: Vec<usize> = states.few().into_iter().map(|kept| kept.count).collect();
        assert_eq!(few, [744, 1_000]);
    }

    #[test]
    fn an_earlier_date_does_not_cost_the_later_state() {
        let mut states: States<usize> = States::new();
        states.settle(state(100));
        assert_eq!(states.take_base(Moment::from_seconds(50)).count, 0);
        states.settle(state(50));
        assert_eq!(states.take_base(Moment::from_seconds(100)).count, 100);
    }
}
