//! The fold: from the events that count to the value that stands.
//!
//! Every effect of every happening is a [`Claim`] on one attribute. An attribute's value as of D is the fold of
//! its claims that hold at D, in the order of their effective moment; what the order is and when a claim holds
//! is SPEC section 4, and this file is the only place of the engine that says so. It works on one attribute at
//! a time, so that replay, and every other question about values, asks the same code.

mod open;
mod said;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::date::{Range, Span};
use crate::worlds::Open;
use crate::{Certainty, Change, Date, Effect, Event, Moment, Number, Scalar, Seq, Value, When};

pub(crate) use self::open::open;
pub(crate) use self::said::decide;
pub use self::said::{Said, Step, Steps, Stood, stand};

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

/// The answer for one attribute.
#[derive(Clone, Debug, Default)]
pub struct Folded<'a> {
    /// What stands, if anything does.
    pub standing: Option<Standing<'a>>,
    /// The claims that hold, in fold order.
    pub steps: Steps<Claim<'a>>,
    /// What the dates leave open; `None` where the answer is sure: nothing that is only possible, and no other
    /// order of overlapping dates, could make it another.
    pub open: Option<Box<Open>>,
}

impl Folded<'_> {
    /// Whether the answer is the same whatever the dates leave open.
    pub const fn is_sure(&self) -> bool {
        self.open.is_none()
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

impl<'a> Claim<'a> {
    /// What the fold looks at of it.
    pub fn said(&self) -> Said<'a> {
        let Counted { place, event, .. } = self.counted;
        Said {
            id: &event.id,
            place,
            position: self.position,
            span: self.span,
            when: self.effect.when,
            is_interval: event.date.as_ref().is_some_and(Date::is_interval),
            change: &self.effect.change,
        }
    }

    /// The bounds of the moment at which the effect takes hold.
    pub const fn moment(&self) -> Range {
        moment(self.span, self.effect.when)
    }

    /// Whether the effect holds as of a moment.
    pub fn holds(&self, as_of: Moment, certainty: Certainty) -> bool {
        holds(self.span, self.effect.when, as_of, certainty)
    }

    /// Orders claims as the fold takes them.
    pub fn order(&self, certainty: Certainty) -> Order {
        self.said().order(certainty)
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

/// What orders the claims on an attribute: the moment, the event's place in the log, whether it is its interval's end,
/// and the effect's position in the event.
pub type Order = (EffectiveOrder, Seq, bool, usize);

/// Orders claims as the fold takes them: by the moment, then by the place in the log and in the event.
pub(crate) const fn order(
    span: Span,
    ends: bool,
    (place, position): (Seq, usize),
    certainty: Certainty,
) -> Order {
    (effective_order(span, ends, certainty), place, ends, position)
}

/// Folds one attribute's claims, which may come in any order, into what stands as of a moment.
pub fn fold<'a>(claims: &[Claim<'a>], as_of: Moment, certainty: Certainty) -> Folded<'a> {
    let said = said(claims);
    let stood = stand(&said, as_of, certainty);
    let open = open(&said, as_of, stood.value.as_deref());
    Folded { steps: stood.steps.told(|index| claims[index]), standing: standing_of(claims, stood), open }
}

/// The same without a look at what the dates leave open: what stands.
pub fn standing<'a>(claims: &[Claim<'a>], as_of: Moment, certainty: Certainty) -> Option<Standing<'a>> {
    standing_of(claims, decide(&said(claims), as_of, certainty))
}

/// The claims that hold as of a moment, in fold order.
pub fn steps<'a>(claims: &[Claim<'a>], as_of: Moment, certainty: Certainty) -> Steps<Claim<'a>> {
    stand(&said(claims), as_of, certainty).steps.told(|index| claims[index])
}

fn said<'a>(claims: &[Claim<'a>]) -> Vec<Said<'a>> {
    claims.iter().map(Claim::said).collect()
}

fn standing_of<'a>(claims: &[Claim<'a>], stood: Stood<'_>) -> Option<Standing<'a>> {
    Some(Standing { value: stood.value?.into_owned(), by: claims[stood.by?] })
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
    let mut stands = value.take().map(Cow::Owned);
    let applied = applied(&mut stands, change);
    *value = stands.map(Cow::into_owned);
    applied
}

/// The same where what was set is not copied before something else changes it.
pub(crate) fn applied<'a>(value: &mut Option<Cow<'a, Value>>, change: &'a Change) -> Applied {
    match change {
        Change::Set(new) => *value = Some(Cow::Borrowed(new)),
        Change::Clear => *value = None,
        Change::Increase(by) => return increase(value, *by),
        Change::Add(member) => match value.as_deref() {
            None => *value = Some(Cow::Owned(Value::Set(BTreeSet::from([member.clone()])))),
            Some(Value::Scalar(_)) => return Applied::Clash,
            Some(Value::Set(members)) if members.contains(member) => return Applied::Unchanged,
            Some(Value::Set(_)) => drop(members(value).map(|members| members.insert(member.clone()))),
        },
        Change::Remove(member) => match value.as_deref() {
            None => return Applied::Unchanged,
            Some(Value::Scalar(_)) => return Applied::Clash,
            Some(Value::Set(members)) if !members.contains(member) => return Applied::Unchanged,
            Some(Value::Set(_)) => drop(members(value).map(|members| members.remove(member))),
        },
    }
    Applied::Changed
}

/// The members of a set that stands, to be changed.
fn members<'v>(value: &'v mut Option<Cow<'_, Value>>) -> Option<&'v mut BTreeSet<Scalar>> {
    match value.as_mut()?.to_mut() {
        Value::Set(members) => Some(members),
        Value::Scalar(_) => None,
    }
}

fn increase(value: &mut Option<Cow<'_, Value>>, by: Number) -> Applied {
    let stands = match value.as_deref() {
        None => Number::ZERO,
        Some(Value::Scalar(Scalar::Number(_))) if by == Number::ZERO => return Applied::Unchanged,
        Some(Value::Scalar(Scalar::Number(number))) => *number,
        Some(_) => return Applied::Clash,
    };
    let Some(sum) = stands.checked_add(by) else { return Applied::Clash };
    *value = Some(Cow::Owned(Value::Scalar(Scalar::Number(sum))));
    Applied::Changed
}
