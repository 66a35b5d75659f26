//! One attribute along the date axis: what the fold answers at every D, computed where it can change only.
//!
//! Between two neighbouring *breakpoints* – the seconds at which a claim begins or ceases to hold, surely or
//! possibly, and those right after them – no claim changes its part, so one fold answers for all of them. Folding
//! all claims at each would cost their number squared, so the sweep carries along only those that can still matter:
//!
//! - A claim whose last moment lies before a replacement that surely happened leaves no trace, now or later.
//! - A `during` that has surely lapsed takes no part any more.
//! - Once enough claims have gathered, those that surely hold and surely lie before all others are folded into one
//!   `set` of the value that they come to, provided that this is sure and that both certainties name the same
//!   event as the deciding one. No later claim can come between them.
//!
//! So the cost is the number of breakpoints times the claims whose dates overlap, and not times all of them. Where
//! dates overlap without end – every claim undated, every `during` still going on, a member whose `add` and
//! `remove` cannot be put in order – nothing can be left behind, and the cost is that of folding all.

use crate::date::{Range, Span};
use crate::fold::{Claim, Standing, fold};
use crate::{Certainty, Change, Effect, Moment, Value, When};

/// Claims that are carried along before it is tried to fold a part of them.
const ROOM: usize = 8;

/// A value that stands over a stretch of the date axis.
#[derive(Clone, Debug)]
pub struct Stands<'a> {
    /// The value.
    pub value: Value,
    /// The claim that decided it.
    pub by: Claim<'a>,
    /// Whether it is the surely-answer, and sure.
    pub sure: bool,
}

impl Stands<'_> {
    /// Whether both are the same answer: the same value by the same event.
    pub fn is_same(&self, other: &Self) -> bool {
        self.by.counted.place == other.by.counted.place && self.value == other.value
    }
}

/// Over a stretch of the date axis on which no answer changes: what stands.
#[derive(Debug)]
pub struct Stretch<'a> {
    /// Its first second; the axis begins with the first stretch.
    pub from: Moment,
    /// What stands, each answer once.
    pub standing: Vec<Stands<'a>>,
}

/// Claims that have been folded into one.
#[derive(Debug)]
struct Settled<'a> {
    effect: Effect,
    span: Span,
    by: Claim<'a>,
}

/// The claims that can still matter.
#[derive(Debug)]
struct Sweep<'a> {
    settled: Option<Settled<'a>>,
    active: Vec<Claim<'a>>,
    /// How many claims may gather before the next attempt to fold some.
    room: usize,
}

/// The whole date axis, stretch after stretch.
pub fn stretches<'a>(claims: &[Claim<'a>]) -> impl Iterator<Item = Stretch<'a>> {
    let mut coming: Vec<Claim<'a>> =
        claims.iter().filter(|claim| claim.moment().earliest < Moment::INFINITY).copied().collect();
    coming.sort_by_key(|claim| std::cmp::Reverse(claim.moment().earliest));
    let breakpoints = breakpoints(claims);
    // The first stretch lies before all breakpoints; where there are none, any second is as good as another.
    let before = breakpoints.first().map_or(Moment::from_seconds(0), |first| first.previous());
    let stretches = std::iter::once((Moment::NEG_INFINITY, before))
        .chain(breakpoints.into_iter().map(|breakpoint| (breakpoint, breakpoint)));
    let mut sweep = Sweep { settled: None, active: Vec::new(), room: ROOM };
    stretches.map(move |(from, as_of)| {
        while let Some(claim) = coming.pop_if(|claim| claim.moment().earliest <= as_of) {
            sweep.active.push(claim);
        }
        sweep.forget(as_of);
        let surely = sweep.standing(as_of, Certainty::Surely);
        let possibly = sweep.standing(as_of, Certainty::Possibly);
        sweep.settle(as_of);
        Stretch { from, standing: answers(surely, possibly) }
    })
}

/// The answers that stand at one date: the surely-answer, and what possibly stands beside it.
fn answers<'a>(surely: Option<Stands<'a>>, possibly: Option<Stands<'a>>) -> Vec<Stands<'a>> {
    let possibly = possibly.map(|stands| Stands { sure: false, ..stands });
    let differs = |possibly: &Stands<'_>| surely.as_ref().is_none_or(|surely| !surely.is_same(possibly));
    let possibly = possibly.filter(differs);
    surely.into_iter().chain(possibly).collect()
}

/// The seconds from which on an answer may be another one, in order.
fn breakpoints(claims: &[Claim<'_>]) -> Vec<Moment> {
    let mut found = Vec::with_capacity(3 * claims.len());
    for claim in claims {
        let Range { earliest, latest } = claim.moment();
        // At its earliest a claim is dated to one second, and to more from the next one on.
        found.extend([earliest, earliest.next(), latest]);
        if claim.effect.when == When::During {
            let Range { earliest, latest } = claim.span.end;
            found.extend([earliest, earliest.next(), latest, latest.next()]);
            found.extend([claim.span.start.earliest.next().next(), claim.span.start.latest.next()]);
        }
    }
    found.retain(|moment| moment.is_finite());
    found.sort_unstable();
    found.dedup();
    found
}

impl<'a> Sweep<'a> {
    /// Lets go of the claims that matter at no D from this one on.
    fn forget(&mut self, as_of: Moment) {
        let replaced = |claim: &&Claim<'_>| {
            claim.effect.change.replaces()
                && claim.effect.when != When::During
                && claim.holds(as_of, Certainty::Surely)
        };
        let floor = self.active.iter().filter(replaced).map(|claim| claim.moment().earliest).max();
        let floor = floor.unwrap_or(Moment::NEG_INFINITY);
        let has_lapsed =
            |claim: &Claim<'_>| claim.effect.when == When::During && claim.span.end.latest < as_of;
        self.active.retain(|claim| claim.moment().latest >= floor && !has_lapsed(claim));
        self.settled.take_if(|settled| settled.span.start.latest < floor);
    }

    /// What the fold answers.
    fn standing(&self, as_of: Moment, certainty: Certainty) -> Option<Stands<'a>> {
        fold(&self.claims(&self.active), as_of, certainty).standing.map(|standing| self.original(standing))
    }

    /// Some of the claims, behind what has been folded already.
    fn claims<'s>(&'s self, some: &[Claim<'s>]) -> Vec<Claim<'s>>
    where
        'a: 's,
    {
        let settled = self.settled.as_ref().map(|Settled { effect, span, by }| Claim {
            counted: by.counted,
            position: by.position,
            span: *span,
            effect,
        });
        settled.into_iter().chain(some.iter().copied()).collect()
    }

    /// The answer, by the claim that really decided it.
    fn original(&self, standing: Standing<'_>) -> Stands<'a> {
        let by = standing.by;
        let is_settled = |settled: &&Settled<'a>| std::ptr::eq(&raw const settled.effect, by.effect);
        let own = self.settled.as_ref().filter(is_settled).map(|settled| settled.by);
        let is_it = |claim: &&Claim<'a>| std::ptr::eq(claim.effect, by.effect) && claim.span == by.span;
        let by = own.or_else(|| self.active.iter().find(is_it).copied());
        let by = by.expect("because the fold names one of the claims that it was given");
        Stands { value: standing.value, by, sure: standing.sure }
    }

    /// Folds the claims that surely hold and surely lie before all others into one, once enough have gathered.
    fn settle(&mut self, as_of: Moment) {
        if self.active.len() < self.room {
            return;
        }
        self.active.sort_by_key(|claim| claim.moment().earliest);
        let prefix = settled_prefix(&self.active, as_of);
        if let Some(settled) = self.folded(prefix, as_of) {
            self.settled = Some(settled);
            self.active.drain(..prefix);
        }
        self.room = ROOM.max(2 * self.active.len());
    }

    /// The first claims as one, if they come to one value whatever their dates leave open.
    fn folded(&self, prefix: usize, as_of: Moment) -> Option<Settled<'a>> {
        let claims = self.claims(&self.active[..prefix]);
        let last = self.active[..prefix].iter().map(|claim| claim.moment().latest).max()?;
        let standing = |certainty| fold(&claims, as_of, certainty).standing.map(|s| self.original(s));
        let (surely, possibly) = (standing(Certainty::Surely)?, standing(Certainty::Possibly)?);
        let Stands { value, by, sure } = surely;
        let (entity, attribute) = (by.effect.entity.clone(), by.effect.attribute.clone());
        let agree = sure && possibly.value == value && possibly.by.counted.place == by.counted.place;
        agree.then(|| Settled {
            effect: Effect { entity, attribute, change: Change::Set(value), when: When::Start },
            span: Span::within(Range { earliest: last, latest: last }),
            by,
        })
    }
}

/// How many claims, in the order of their earliest moments, surely hold for good and lie before all others.
fn settled_prefix(claims: &[Claim<'_>], as_of: Moment) -> usize {
    let mut prefix = 0;
    let mut last = Moment::NEG_INFINITY;
    for (index, claim) in claims.iter().enumerate() {
        if last < claim.moment().earliest {
            prefix = index;
        }
        if claim.effect.when == When::During || !claim.holds(as_of, Certainty::Surely) {
            return prefix;
        }
        last = last.max(claim.moment().latest);
    }
    claims.len()
}
