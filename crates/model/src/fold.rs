//! The fold: from the events that count to the value that stands.
//!
//! Every effect of every happening is a [`Claim`] on one attribute. An attribute's value as of D is the fold of
//! its claims that hold at D, in the order of their effective moment; what the order is and when a claim holds
//! is SPEC section 4, and this file is the only place of the engine that says so. It works on one attribute at
//! a time, so that replay, and every other question about values, asks the same code.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::date::{Range, Span};
use crate::{Certainty, Change, Effect, Event, Moment, Number, Scalar, Seq, Value, When};

/// An event that counts at K: in its last version, neither retracted nor redacted.
#[derive(Clone, Copy, Debug)]
pub struct Counted<'a> {
    /// Its place in the log: the `seq` of its first record.
    pub place: Seq,
    /// The record of the version that counts.
    pub seq: Seq,
    /// That version.
    pub event: &'a Event,
}

/// One effect of one happening of one event.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The event that claims it.
    pub counted: Counted<'a>,
    /// The effect's position in the event.
    pub position: usize,
    /// When the happening began and ended.
    pub span: Span,
    /// The effect.
    pub effect: &'a Effect,
}

/// What stands in an attribute, and by which claim.
#[derive(Clone, Debug)]
pub struct Standing<'a> {
    /// The value.
    pub value: Value,
    /// The last claim that changed it.
    pub by: Claim<'a>,
    /// Whether nothing that is only possible, and no other order of overlapping dates, could make it another.
    pub sure: bool,
}

/// One step of a fold: a claim that holds, and what it did to what stood before it.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The claim.
    pub claim: Claim<'a>,
    /// What it did.
    pub applied: Applied,
}

/// The answer for one attribute.
#[derive(Clone, Debug, Default)]
pub struct Folded<'a> {
    /// What stands, if anything does.
    pub standing: Option<Standing<'a>>,
    /// The claims that hold, in fold order.
    pub steps: Vec<Step<'a>>,
}

impl<'a> Folded<'a> {
    /// The claims that did not fit what stood, in fold order.
    pub fn clashes(&self) -> impl Iterator<Item = Claim<'a>> {
        self.steps.iter().filter(|step| step.applied == Applied::Clash).map(|step| step.claim)
    }

    /// The claims that what stands is made of, in fold order: the last one that replaced everything, and those
    /// after it that changed something. A final `clear` is one, though nothing stands after it.
    pub fn effective(&self) -> impl DoubleEndedIterator<Item = Claim<'a>> {
        let changed = |step: &&Step<'a>| step.applied == Applied::Changed;
        self.steps[self.base()..].iter().filter(changed).map(|step| step.claim)
    }

    /// The claims that changed something, of which a later replacement left nothing, in fold order.
    pub fn overridden(&self) -> impl DoubleEndedIterator<Item = Claim<'a>> {
        let changed = |step: &&Step<'a>| step.applied == Applied::Changed;
        self.steps[..self.base()].iter().filter(changed).map(|step| step.claim)
    }

    /// The index of the step from which on what stands was made.
    fn base(&self) -> usize {
        self.steps.iter().rposition(|step| step.claim.effect.change.replaces()).unwrap_or(0)
    }
}

impl<'a> Counted<'a> {
    /// Every claim that the event makes.
    pub fn claims(self) -> impl Iterator<Item = Claim<'a>> {
        self.event.effects.iter().enumerate().flat_map(move |(position, effect)| {
            self.event.happenings().iter().map(move |span| Claim {
                counted: self,
                position,
                span: *span,
                effect,
            })
        })
    }
}

impl Claim<'_> {
    /// The bounds of the moment at which the effect takes hold.
    pub const fn moment(&self) -> Range {
        match self.effect.when {
            When::Start | When::During => self.span.start,
            When::End => self.span.end,
        }
    }

    /// Whether the effect holds as of a moment.
    pub fn holds(&self, as_of: Moment, certainty: Certainty) -> bool {
        let Range { earliest, latest } = self.moment();
        let lasts = self.effect.when == When::During;
        // Infinity is never reached, not even by a question that asks as of the end of time.
        match certainty {
            Certainty::Surely => {
                latest <= as_of && latest < Moment::INFINITY && (!lasts || as_of <= self.span.end.earliest)
            }
            Certainty::Possibly => {
                earliest <= as_of && earliest < Moment::INFINITY && (!lasts || as_of <= self.span.end.latest)
            }
        }
    }

    /// Orders claims as the fold takes them.
    pub fn order(&self, certainty: Certainty) -> impl Ord + use<> {
        (effective_order(self.moment(), certainty), self.counted.place, self.position)
    }

    /// Whether two claims are made by the same happening at the same end of it, so that the event itself orders
    /// them.
    fn is_simultaneous(&self, other: &Self) -> bool {
        self.counted.place == other.counted.place
            && self.span == other.span
            && (self.effect.when == When::End) == (other.effect.when == When::End)
    }

    /// Whether this claim, which comes before the other in fold order, does so whatever their dates leave open.
    fn comes_before(&self, other: &Self) -> bool {
        let (a, b) = (self.moment(), other.moment());
        let same_second = a.earliest == a.latest && a == b;
        a.latest < b.earliest || same_second || self.is_simultaneous(other)
    }
}

/// The moment at which something takes hold, and what orders it among others of that moment.
pub type EffectiveOrder = (Moment, (Moment, Reverse<Moment>));

/// Orders what happened within these bounds as the fold takes it: by the moment at which it takes hold, the latest
/// allowed for `surely` and the earliest for `possibly`, and of equal ones the coarser date first, the one that
/// reaches back further, or forth.
pub const fn effective_order(bounds: Range, certainty: Certainty) -> EffectiveOrder {
    let Range { earliest, latest } = bounds;
    match certainty {
        Certainty::Surely => (latest, (earliest, Reverse(Moment::NEG_INFINITY))),
        Certainty::Possibly => (earliest, (Moment::NEG_INFINITY, Reverse(latest))),
    }
}

/// Folds one attribute's claims, which may come in any order, into what stands as of a moment.
pub fn fold<'a>(claims: &[Claim<'a>], as_of: Moment, certainty: Certainty) -> Folded<'a> {
    let mut holding: Vec<Claim<'a>> =
        claims.iter().filter(|claim| claim.holds(as_of, certainty)).copied().collect();
    holding.sort_by_cached_key(|claim| claim.order(certainty));
    let mut value = None;
    let step = |claim: Claim<'a>| Step { claim, applied: apply(&mut value, &claim.effect.change) };
    let steps: Vec<Step<'a>> = holding.into_iter().map(step).collect();
    let by = steps.iter().rfind(|step| step.applied == Applied::Changed).map(|step| step.claim);
    let standing = value.zip(by).map(|(value, by)| Standing { value, by, sure: is_settled(claims, as_of) });
    Folded { standing, steps }
}

/// What a change did to the value that stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Another value stands, or the same one by a new claim.
    Changed,
    /// Nothing changed: the member was there, or was not, or the number was zero.
    Unchanged,
    /// The change does not fit what stands.
    Clash,
}

/// Applies one change to what stands.
pub fn apply(value: &mut Option<Value>, change: &Change) -> Applied {
    match change {
        Change::Set(new) => *value = Some(new.clone()),
        Change::Clear => *value = None,
        Change::Increase(by) => return increase(value, *by),
        Change::Add(member) => match value {
            None => *value = Some(Value::Set(BTreeSet::from([member.clone()]))),
            Some(Value::Set(members)) if members.contains(member) => return Applied::Unchanged,
            Some(Value::Set(members)) => {
                members.insert(member.clone());
            }
            Some(Value::Scalar(_)) => return Applied::Clash,
        },
        Change::Remove(member) => match value {
            None => return Applied::Unchanged,
            Some(Value::Set(members)) => {
                if !members.remove(member) {
                    return Applied::Unchanged;
                }
            }
            Some(Value::Scalar(_)) => return Applied::Clash,
        },
    }
    Applied::Changed
}

fn increase(value: &mut Option<Value>, by: Number) -> Applied {
    let stands = match value {
        None => Number::ZERO,
        Some(Value::Scalar(Scalar::Number(_))) if by == Number::ZERO => return Applied::Unchanged,
        Some(Value::Scalar(Scalar::Number(number))) => *number,
        Some(_) => return Applied::Clash,
    };
    let Some(sum) = stands.checked_add(by) else { return Applied::Clash };
    *value = Some(Value::Scalar(Scalar::Number(sum)));
    Applied::Changed
}

/// Whether neither a claim that only possibly holds nor another order of overlapping dates could make the value
/// another one. Where this cannot be told simply, the answer is no.
fn is_settled(claims: &[Claim<'_>], as_of: Moment) -> bool {
    let possible: Vec<&Claim<'_>> =
        claims.iter().filter(|claim| claim.holds(as_of, Certainty::Possibly)).collect();
    let is_sure = |claim: &Claim<'_>| claim.holds(as_of, Certainty::Surely);
    let replaces = |claim: &Claim<'_>| claim.effect.change.replaces();
    let bases = possible.iter().filter(|claim| replaces(claim));
    // Whatever surely came before a sure replacement leaves no trace.
    let floor = bases.filter(|claim| is_sure(claim)).map(|claim| claim.moment().earliest).max();
    let mut relevant: Vec<&Claim<'_>> =
        possible.into_iter().filter(|c| floor.is_none_or(|floor| c.moment().latest >= floor)).collect();
    relevant.sort_by_cached_key(|claim| claim.order(Certainty::Surely));
    drop_replaced_by_their_own_event(&mut relevant, is_sure);
    let (bases, modifiers): (Vec<&Claim<'_>>, Vec<&Claim<'_>>) =
        relevant.into_iter().partition(|claim| replaces(claim));
    let agree = bases.windows(2).all(|pair| pair[0].effect.change == pair[1].effect.change);
    if modifiers.is_empty() {
        return agree && (bases.is_empty() || floor.is_some());
    }
    bases.len() <= 1
        && bases.iter().chain(&modifiers).all(|claim| is_sure(claim))
        && bases.iter().all(|base| modifiers.iter().all(|modifier| base.comes_before(modifier)))
        && members_are_settled(&modifiers)
}

/// Of what one happening does at one moment, only the last replacement and what follows it counts; one that may
/// have lapsed replaces only what lapses with it. In fold order these claims are neighbours.
fn drop_replaced_by_their_own_event(claims: &mut Vec<&Claim<'_>>, is_sure: impl Fn(&Claim<'_>) -> bool) {
    let mut later_base: Option<&Claim<'_>> = None;
    let mut kept: Vec<&Claim<'_>> = Vec::with_capacity(claims.len());
    for claim in claims.iter().rev() {
        let replaced = |base: &Claim<'_>| {
            claim.is_simultaneous(base) && (claim.effect.when == base.effect.when || is_sure(base))
        };
        if later_base.is_some_and(replaced) {
            continue;
        }
        if claim.effect.change.replaces() {
            later_base = Some(claim);
        }
        kept.push(claim);
    }
    kept.reverse();
    *claims = kept;
}

/// Increases commute; an `add` and a `remove` of the same member do not, and a number and a set never agree.
fn members_are_settled(modifiers: &[&Claim<'_>]) -> bool {
    let conflict = |a: &Claim<'_>, b: &Claim<'_>| match (&a.effect.change, &b.effect.change) {
        (Change::Add(x), Change::Remove(y)) => x == y,
        (Change::Increase(_), Change::Add(_) | Change::Remove(_)) => true,
        _ => false,
    };
    // Only a mixed history can conflict, and few are mixed: the plain ones are left at once.
    let kind = |claim: &&Claim<'_>| claim.effect.change.op();
    let is_mixed = modifiers.windows(2).any(|pair| kind(&pair[0]) != kind(&pair[1]));
    !is_mixed
        || !modifiers.iter().enumerate().any(|(index, a)| {
            let mut later = modifiers[index + 1..].iter();
            later.any(|b| !a.comes_before(b) && (conflict(a, b) || conflict(b, a)))
        })
}
