//! The fold itself, which looks at what each claim says and at nothing else of its event.
//!
//! Whoever has whole events folds their [claims](super::Claim); an index folds what it holds, and makes no event of it.
//! Claims are told by their places among those that are given.

use std::borrow::Cow;

use super::{Applied, Order, applied, holds, moment, order};
use crate::date::{Range, Span};
use crate::{Certainty, Change, EventId, Moment, Seq, Value, When};

/// What a claim says.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// The event that says so.
    pub id: &'a EventId,
    /// Its place in the log.
    pub place: Seq,
    /// The effect's position in the event.
    pub position: usize,
    /// When the happening began and ended.
    pub span: Span,
    /// When, within it, the effect takes hold.
    pub when: When,
    /// Whether the event's date is an interval.
    pub is_interval: bool,
    /// What it does.
    pub change: &'a Change,
}

impl Said<'_> {
    /// The bounds of the moment at which it takes hold.
    pub const fn moment(&self) -> Range {
        moment(self.span, self.when)
    }

    /// Whether it holds as of a moment.
    pub fn holds(&self, as_of: Moment, certainty: Certainty) -> bool {
        holds(self.span, self.when, as_of, certainty)
    }

    /// Orders claims as the fold takes them.
    pub(crate) fn order(&self, certainty: Certainty) -> Order {
        // An interval's end never comes before its start.
        let ends = self.when == When::End && self.is_interval;
        order(self.span, ends, (self.place, self.position), certainty)
    }

    /// Whether two claims are made by the same happening at the same end of it, so that the event itself orders
    /// them.
    fn is_simultaneous(&self, other: &Self) -> bool {
        self.place == other.place
            && self.span == other.span
            && (self.when == When::End) == (other.when == When::End)
    }

    /// Whether this claim, which comes before the other in fold order, does so whatever their dates leave open.
    pub(super) fn comes_before(&self, other: &Self) -> bool {
        let (a, b) = (self.moment(), other.moment());
        let same_second = a.earliest == a.latest && a.earliest.is_finite() && a == b;
        a.latest < b.earliest || self.is_simultaneous(other) || (same_second && self.place != other.place)
    }
}

/// One step of a fold: a claim that holds, and what it did to what stood before it.
#[derive(Clone, Copy, Debug)]
pub struct Step<C> {
    /// The claim.
    pub claim: C,
    /// What it did.
    pub applied: Applied,
    /// Whether it replaces whatever stood.
    replaces: bool,
}

/// The claims that hold, in fold order.
#[derive(Clone, Debug)]
pub struct Steps<C>(Vec<Step<C>>);

impl<C> Default for Steps<C> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<C: Copy> Steps<C> {
    /// All of them.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Step<C>> {
        self.0.iter().copied()
    }

    /// The same steps with the claims told otherwise.
    pub(super) fn told<D>(&self, claim: impl Fn(C) -> D) -> Steps<D> {
        let told = |step: &Step<C>| Step {
            claim: claim(step.claim),
            applied: step.applied,
            replaces: step.replaces,
        };
        Steps(self.0.iter().map(told).collect())
    }

    /// The claims that did not fit what stood.
    pub fn clashes(&self) -> impl Iterator<Item = C> {
        self.0.iter().filter(|step| step.applied == Applied::Clash).map(|step| step.claim)
    }

    /// The claims that what stands is made of: the last one that replaced everything, and those after it that changed
    /// something. A final `clear` is one, though nothing stands after it.
    pub fn effective(&self) -> impl DoubleEndedIterator<Item = C> {
        changing(&self.0[self.base()..])
    }

    /// The claims that changed something, of which a later replacement left nothing.
    pub fn overridden(&self) -> impl DoubleEndedIterator<Item = C> {
        changing(&self.0[..self.base()])
    }

    /// The index of the step from which on what stands was made.
    fn base(&self) -> usize {
        self.0.iter().rposition(|step| step.replaces).unwrap_or(0)
    }
}

fn changing<C: Copy>(steps: &[Step<C>]) -> impl DoubleEndedIterator<Item = C> {
    steps.iter().filter(|step| step.applied == Applied::Changed).map(|step| step.claim)
}

/// What stands in an attribute, and how it came to it.
#[derive(Clone, Debug, Default)]
pub struct Stood<'a> {
    /// The value, if one stands.
    pub value: Option<Cow<'a, Value>>,
    /// The last claim that changed it.
    pub by: Option<usize>,
    /// The claims that hold.
    pub steps: Steps<usize>,
}

/// Folds one attribute's claims, which may come in any order, into what stands as of a moment.
pub fn stand<'a>(said: &[Said<'a>], as_of: Moment, certainty: Certainty) -> Stood<'a> {
    let holding = (0..).zip(said).filter(|(_, said)| said.holds(as_of, certainty));
    let mut holding: Vec<_> = holding.map(|(index, said)| (said.order(certainty), index)).collect();
    holding.sort_unstable();
    let mut value = None;
    let step = |(_, claim): (_, usize)| {
        let change = said[claim].change;
        Step { claim, applied: applied(&mut value, change), replaces: change.replaces() }
    };
    let steps: Vec<Step<usize>> = holding.into_iter().map(step).collect();
    let by = changing(&steps).next_back();
    Stood { value, by, steps: Steps(steps) }
}

/// The same where nobody asks for what was overridden: of claims that all replace what stands only the last one counts.
pub(crate) fn decide<'a>(said: &[Said<'a>], as_of: Moment, certainty: Certainty) -> Stood<'a> {
    let holding = || (0..).zip(said).filter(|(_, said)| said.holds(as_of, certainty));
    if !holding().all(|(_, said)| said.change.replaces()) {
        return stand(said, as_of, certainty);
    }
    let last = holding().map(|(index, said)| (said.order(certainty), index)).max();
    let Some((_, claim)) = last else { return Stood::default() };
    let mut value = None;
    let step = Step { claim, applied: applied(&mut value, said[claim].change), replaces: true };
    Stood { value, by: Some(claim), steps: Steps(vec![step]) }
}
