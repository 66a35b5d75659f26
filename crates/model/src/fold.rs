//! The fold: from the events that count to the value that stands.
//!
//! Every effect of every happening is a [`Claim`] on one attribute. An attribute's value as of D is the fold of
//! its claims that hold at D, in the order of their effective moment; what the order is and when a claim holds
//! is SPEC section 4, and this file is the only place of the engine that says so. It works on one attribute at
//! a time, so that replay, and every other question about values, asks the same code.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use crate::date::{Range, Span};
use crate::worlds::{self, Open};
use crate::{Certainty, Change, Date, Effect, Event, Moment, Number, Scalar, Seq, Value, When};

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
    /// What the dates leave open; `None` where the answer is sure: nothing that is only possible, and no other
    /// order of overlapping dates, could make it another.
    pub open: Option<Box<Open>>,
}

impl<'a> Folded<'a> {
    /// Whether the answer is the same whatever the dates leave open.
    pub const fn is_sure(&self) -> bool {
        self.open.is_none()
    }

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
        moment(self.span, self.effect.when)
    }

    /// Whether the effect holds as of a moment.
    pub fn holds(&self, as_of: Moment, certainty: Certainty) -> bool {
        holds(self.span, self.effect.when, as_of, certainty)
    }

    /// Orders claims as the fold takes them.
    pub fn order(&self, certainty: Certainty) -> impl Ord + use<> {
        order(self.span, self.ends_an_interval(), (self.counted.place, self.position), certainty)
    }

    /// Whether the claim is made at the end of an interval, which never comes before its start.
    fn ends_an_interval(&self) -> bool {
        self.effect.when == When::End && self.counted.event.date.as_ref().is_some_and(Date::is_interval)
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
        let same_second = a.earliest == a.latest && a.earliest.is_finite() && a == b;
        let same_event = self.counted.place == other.counted.place;
        a.latest < b.earliest || self.is_simultaneous(other) || (same_second && !same_event)
    }
}

/// The bounds of the moment at which an effect of a happening takes hold.
pub const fn moment(span: Span, when: When) -> Range {
    match when {
        When::Start | When::During => span.start,
        When::End => span.end,
    }
}

/// Whether an effect of a happening holds as of a moment.
pub fn holds(span: Span, when: When, as_of: Moment, certainty: Certainty) -> bool {
    let Range { earliest, latest } = moment(span, when);
    let lasts = when == When::During;
    // Infinity is never reached, not even by a question that asks as of the end of time.
    match certainty {
        Certainty::Surely => {
            latest <= as_of && latest < Moment::INFINITY && (!lasts || as_of <= span.end.earliest)
        }
        Certainty::Possibly => {
            earliest <= as_of && earliest < Moment::INFINITY && (!lasts || as_of <= span.end.latest)
        }
    }
}

/// The moment at which something takes hold, and what orders it among others of that moment.
pub type EffectiveOrder = (Moment, (Moment, Reverse<Moment>));

/// Orders the start of a happening, or the `end` of an interval, as the fold takes it: by the moment at which it
/// takes hold, the latest allowed for `surely` and the earliest for `possibly`, and of equal ones the coarser date
/// first, the one that reaches back further, or forth.
pub const fn effective_order(span: Span, end: bool, certainty: Certainty) -> EffectiveOrder {
    let Range { earliest, latest } = if end { span.end } else { span.start };
    match certainty {
        Certainty::Surely => (latest, (earliest, Reverse(Moment::NEG_INFINITY))),
        // An end that may be as early as its start does not count as coarser, lest it come first.
        Certainty::Possibly if end && earliest.seconds() == span.start.earliest.seconds() => {
            (earliest, (Moment::NEG_INFINITY, Reverse(span.start.latest)))
        }
        Certainty::Possibly => (earliest, (Moment::NEG_INFINITY, Reverse(latest))),
    }
}

/// Orders claims as the fold takes them: by the moment, then by the place in the log and in the event.
pub(crate) fn order(
    span: Span,
    ends: bool,
    (place, position): (Seq, usize),
    certainty: Certainty,
) -> impl Ord + Copy + use<> {
    (effective_order(span, ends, certainty), place, ends, position)
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
    let open = open(claims, as_of, value.as_ref());
    let standing = value.zip(by).map(|(value, by)| Standing { value, by });
    Folded { standing, steps, open }
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

/// What the dates of an attribute's claims leave open about the value that is said to stand.
fn open(claims: &[Claim<'_>], as_of: Moment, value: Option<&Value>) -> Option<Box<Open>> {
    let is_sure = |claim: &Claim<'_>| claim.holds(as_of, Certainty::Surely);
    let possible = || claims.iter().filter(|claim| claim.holds(as_of, Certainty::Possibly));
    let bases = possible().filter(|claim| claim.effect.change.replaces() && is_sure(claim));
    // Whatever surely came before a sure replacement leaves no trace.
    let floor = bases.map(|claim| claim.moment().earliest).max();
    let mut relevant: Vec<Claim<'_>> =
        possible().filter(|c| floor.is_none_or(|floor| c.moment().latest >= floor)).copied().collect();
    if relevant.iter().all(|claim| matches!(claim.effect.change, Change::Add(_) | Change::Remove(_))) {
        leave_out_overridden(&mut relevant, is_sure);
    }
    if relevant.iter().all(is_sure) {
        relevant.sort_by_cached_key(|claim| claim.order(Certainty::Surely));
        // There is one order, and it is that of the fold.
        if relevant.windows(2).all(|pair| pair[0].comes_before(&pair[1])) {
            return None;
        }
    }
    worlds::open(relevant, as_of, value).map(Box::new)
}

/// Leaves out of claims that only add and remove members what surely came before a sure touch of the same member.
/// The first one that surely makes a set of nothing stays.
fn leave_out_overridden(claims: &mut Vec<Claim<'_>>, is_sure: impl Fn(&Claim<'_>) -> bool) {
    let mut floors: HashMap<&Scalar, Moment> = HashMap::new();
    let mut first: Option<Claim<'_>> = None;
    for claim in claims.iter().filter(|claim| is_sure(claim)) {
        let (Change::Add(member) | Change::Remove(member)) = &claim.effect.change else { continue };
        let earliest = claim.moment().earliest;
        floors.entry(member).and_modify(|floor| *floor = earliest.max(*floor)).or_insert(earliest);
        let order = |claim: &Claim<'_>| claim.order(Certainty::Surely);
        let adds = matches!(claim.effect.change, Change::Add(_));
        if adds && first.as_ref().is_none_or(|first| order(claim) < order(first)) {
            first = Some(*claim);
        }
    }
    let is_first = |claim: &Claim<'_>| {
        first.is_some_and(|first| {
            (first.counted.place, first.position, first.span)
                == (claim.counted.place, claim.position, claim.span)
        })
    };
    claims.retain(|claim| {
        let (Change::Add(member) | Change::Remove(member)) = &claim.effect.change else { return true };
        is_first(claim) || floors.get(member).is_none_or(|floor| claim.moment().latest >= *floor)
    });
}
