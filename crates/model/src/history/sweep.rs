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
//! - Increases commute. Those that surely hold and surely lie after all that is not an increase are added up into
//!   one, but for the two that decide, whatever else is open about their dates.
//!
//! So the cost is the number of breakpoints times the claims whose dates overlap, and not times all of them. Where
//! dates of other operations overlap without end – a `during` that goes on below ten thousand `add`s, or an `add`
//! without a date among them – nothing can be left behind, and the cost is that of folding all.

use std::collections::{HashMap, HashSet};

use crate::date::{Range, Span};
use crate::fold::{Claim, Standing, fold, standing};
use crate::{Alternative, Certainty, Change, Effect, EventId, Moment, Number, Open, Seq, Value, When};

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
pub struct Sweep<'a> {
    /// Claims that hold at no date up to now, the next one last.
    coming: Vec<Claim<'a>>,
    /// All claims, for the few answers that only they can give.
    all: Vec<Claim<'a>>,
    /// What came before everything else that is here, as one `set`.
    settled: Option<Settled<'a>>,
    /// Increases that have been added up; it never decides, since a later one of them stays in `active`.
    sum: Option<Settled<'a>>,
    active: Vec<Claim<'a>>,
    /// How many claims may gather before the next attempt to fold some.
    room: usize,
}

/// The whole date axis, stretch after stretch.
pub fn stretches<'a>(claims: &[Claim<'a>]) -> impl Iterator<Item = Stretch<'a>> {
    let mut sweep = Sweep::new(claims);
    axis(claims).map(move |(from, as_of)| {
        sweep.reach(as_of);
        let standing = sweep.answers(as_of);
        sweep.settle(as_of);
        Stretch { from, standing }
    })
}

/// The stretches of the date axis on which no answer changes: where each begins, and a second to ask it as of.
pub fn axis(claims: &[Claim<'_>]) -> impl Iterator<Item = (Moment, Moment)> + use<> {
    let breakpoints = breakpoints(claims);
    // The first stretch lies before all breakpoints; where there are none, any second is as good as another.
    let before = breakpoints.first().map_or(Moment::from_seconds(0), |first| first.previous());
    std::iter::once((Moment::NEG_INFINITY, before))
        .chain(breakpoints.into_iter().map(|breakpoint| (breakpoint, breakpoint)))
}

/// Whether numbers are increased and members added or removed in one attribute.
fn is_mixed(claims: &[Claim<'_>]) -> bool {
    let any = |is: fn(&Change) -> bool| claims.iter().any(|claim| is(&claim.effect.change));
    any(|change| matches!(change, Change::Increase(_)))
        && any(|change| matches!(change, Change::Add(_) | Change::Remove(_)))
}

/// The seconds from which on an answer may be another one, in order.
fn breakpoints(claims: &[Claim<'_>]) -> Vec<Moment> {
    let mut found = Vec::with_capacity(3 * claims.len());
    let any_lapses = claims.iter().any(|claim| claim.effect.when == When::During);
    for claim in claims {
        let Range { earliest, latest } = claim.moment();
        // At its earliest a claim is dated to one second, and to more from the next one on.
        found.extend([earliest, earliest.next(), latest]);
        // What lapses may do so at D itself, and then all that ended before D came before it.
        if any_lapses {
            found.push(latest.next());
        }
        if claim.effect.when == When::During {
            let Span { start, end } = claim.span;
            found.extend([end.earliest, end.earliest.next(), end.earliest.next().next()]);
            found.extend([end.latest, end.latest.next(), start.earliest.next().next()]);
        }
    }
    found.retain(|moment| moment.is_finite());
    found.sort_unstable();
    found.dedup();
    found
}

impl<'a> Sweep<'a> {
    /// Before the beginning of the date axis.
    pub fn new(claims: &[Claim<'a>]) -> Self {
        let mut coming: Vec<Claim<'a>> =
            claims.iter().filter(|claim| claim.moment().earliest < Moment::INFINITY).copied().collect();
        coming.sort_by_key(|claim| std::cmp::Reverse(claim.moment().earliest));
        // Numbers and members in one attribute are a mistake whose sureness is not told exactly; nothing is folded then.
        let room = if is_mixed(claims) { usize::MAX } else { ROOM };
        Self { coming, all: claims.to_vec(), settled: None, sum: None, active: Vec::new(), room }
    }

    /// Takes in the claims that may hold at a date, which is no earlier than the one before.
    pub fn reach(&mut self, as_of: Moment) {
        while let Some(claim) = self.coming.pop_if(|claim| claim.moment().earliest <= as_of) {
            self.active.push(claim);
        }
        self.forget(as_of);
    }

    /// The claims that matter now, those that were added up as one.
    pub fn mattering(&self) -> Vec<Claim<'_>> {
        self.claims(&self.active)
    }

    /// Adds up increases, once enough have gathered, and folds nothing else.
    pub fn add_up_only(&mut self, as_of: Moment) {
        if self.active.len() >= self.room {
            self.add_up(as_of);
            self.room = ROOM.max(2 * self.active.len());
        }
    }

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
        for folded in [&mut self.settled, &mut self.sum] {
            folded.take_if(|folded| folded.span.start.latest < floor);
        }
    }

    /// The answers that stand at one date, each once: what surely stands, what possibly does, and the alternatives.
    fn answers(&self, as_of: Moment) -> Vec<Stands<'a>> {
        let claims = self.claims(&self.active);
        let surely = fold(&claims, as_of, Certainty::Surely);
        let mut sure = surely.is_sure();
        if sure && surely.standing.is_some() && self.may_be_replaced(as_of) {
            sure = fold(&self.all, as_of, Certainty::Surely).is_sure();
        }
        let possibly = standing(&claims, as_of, Certainty::Possibly);
        let mut answers: Vec<Stands<'a>> = Vec::new();
        answers.extend(surely.standing.map(|standing| self.original(standing, sure)));
        let others = possibly.map(|standing| self.original(standing, false));
        let others =
            others.into_iter().chain(surely.open.iter().flat_map(|open| self.alternatives(open, as_of)));
        for other in others {
            if !answers.iter().any(|answer| answer.is_same(&other)) {
                answers.push(other);
            }
        }
        answers
    }

    /// The values that may stand instead, each by every event that may have been the last to set it.
    fn alternatives(&self, open: &Open, as_of: Moment) -> Vec<Stands<'a>> {
        let may_set =
            |claim: &&Claim<'_>| claim.effect.change.replaces() && claim.holds(as_of, Certainty::Possibly);
        let bases = self.active.iter().filter(may_set);
        let bases: HashMap<&EventId, Claim<'a>> =
            bases.map(|claim| (&claim.counted.event.id, *claim)).collect();
        let mut alternatives = Vec::new();
        for Alternative { value, by } in &open.alternatives {
            let Some(value) = value else { continue };
            let by = by.iter().filter_map(|id| bases.get(id));
            alternatives.extend(by.map(|by| Stands { value: value.clone(), by: *by, sure: false }));
        }
        alternatives
    }

    /// Whether what has been folded may have been replaced since. By the same value, then, if the answer is still
    /// sure; whether it is called so is up to the fold of all claims.
    fn may_be_replaced(&self, as_of: Moment) -> bool {
        let may_replace = |claim: &Claim<'_>| {
            claim.effect.change.replaces()
                && claim.holds(as_of, Certainty::Possibly)
                && !claim.holds(as_of, Certainty::Surely)
        };
        self.settled.is_some() && self.active.iter().any(may_replace)
    }

    /// Some of the claims, behind what has been folded already.
    fn claims<'s>(&'s self, some: &[Claim<'s>]) -> Vec<Claim<'s>>
    where
        'a: 's,
    {
        let folded = [&self.settled, &self.sum].into_iter().flatten().map(Settled::claim);
        folded.chain(some.iter().copied()).collect()
    }

    /// The answer, by the claim that really decided it.
    fn original(&self, standing: Standing<'_>, sure: bool) -> Stands<'a> {
        let by = standing.by;
        let mut folded = [&self.settled, &self.sum].into_iter().flatten();
        let own = folded.find(|folded| std::ptr::eq(&raw const folded.effect, by.effect));
        let is_it = |claim: &&Claim<'a>| std::ptr::eq(claim.effect, by.effect) && claim.span == by.span;
        let by = own.map(|folded| folded.by).or_else(|| self.active.iter().find(is_it).copied());
        let by = by.expect("because the fold names one of the claims that it was given");
        Stands { value: standing.value, by, sure }
    }

    /// Folds the claims that surely hold and surely lie before all others into one, once enough have gathered.
    fn settle(&mut self, as_of: Moment) {
        if self.active.len() < self.room {
            return;
        }
        self.active.sort_by_key(|claim| claim.moment().earliest);
        let before = self.sum.as_ref().map_or(Moment::NEG_INFINITY, |sum| sum.span.start.latest);
        let prefix = settled_prefix(&self.active, before, as_of);
        if let Some(settled) = self.folded(prefix, as_of) {
            (self.settled, self.sum) = (Some(settled), None);
            self.active.drain(..prefix);
        }
        if self.active.len() >= self.room / 2 {
            self.add_up(as_of);
        }
        self.room = ROOM.max(2 * self.active.len());
    }

    /// The first claims as one, if they come to one value whatever their dates leave open.
    fn folded(&self, prefix: usize, as_of: Moment) -> Option<Settled<'a>> {
        let claims = self.claims(&self.active[..prefix]);
        let last = self.active[..prefix].iter().map(|claim| claim.moment().latest).max()?;
        let standing = |certainty| {
            let folded = fold(&claims, as_of, certainty);
            let is_sure = folded.is_sure();
            folded.standing.map(|standing| self.original(standing, is_sure))
        };
        let (surely, possibly) = (standing(Certainty::Surely)?, standing(Certainty::Possibly)?);
        let Stands { value, by, sure } = surely;
        let agree = sure && possibly.value == value && possibly.by.counted.place == by.counted.place;
        agree.then(|| Settled::new(Change::Set(value), Range { earliest: last, latest: last }, by))
    }

    /// Adds up the increases that surely hold for good and lie after all that is not an increase.
    fn add_up(&mut self, as_of: Moment) {
        let amount = |claim: &Claim<'_>| match claim.effect.change {
            Change::Increase(amount) => Some(amount),
            _ => None,
        };
        let others = self.active.iter().filter(|claim| amount(claim).is_none());
        let settled = self.settled.iter().map(|settled| settled.span.start.latest);
        let low = others.map(|claim| claim.moment().latest).chain(settled).max();
        let is_after = |earliest: Moment| low.is_none_or(|low| low < earliest);
        if self.sum.as_ref().is_some_and(|sum| !is_after(sum.span.start.earliest)) {
            return;
        }
        // An increase by nothing decides nothing where a number stands, and something where none does.
        let is_one = |claim: &&Claim<'_>| {
            amount(claim).is_some_and(|amount| amount != Number::ZERO)
                && claim.holds(as_of, Certainty::Surely)
                && is_after(claim.moment().earliest)
        };
        let ones = || self.active.iter().filter(is_one);
        let last = |certainty| ones().max_by_key(|claim| claim.order(certainty)).map(key);
        let deciding = [last(Certainty::Surely), last(Certainty::Possibly)];
        let is_to_go = |claim: &&Claim<'a>| is_one(claim) && !deciding.contains(&Some(key(claim)));
        let added: Vec<Claim<'a>> = self.active.iter().filter(is_to_go).copied().collect();
        if let Some(sum) = self.added(&added) {
            let gone: HashSet<_> = added.iter().map(key).collect();
            self.active.retain(|claim| !gone.contains(&key(claim)));
            self.sum = Some(sum);
        }
    }

    /// Increases as one, together with those that have been added up before.
    fn added(&self, claims: &[Claim<'a>]) -> Option<Settled<'a>> {
        let before = self.sum.as_ref().map(Settled::claim);
        let all: Vec<Claim<'_>> = before.into_iter().chain(claims.iter().copied()).collect();
        let mut total = Number::ZERO;
        for claim in &all {
            if let Change::Increase(amount) = claim.effect.change {
                total = total.checked_add(amount)?;
            }
        }
        let earliest = all.iter().map(|claim| claim.moment().earliest).min()?;
        let latest = all.iter().map(|claim| claim.moment().latest).max()?;
        // The first in the log, so that none of them comes after one that decides.
        let own = self.sum.iter().map(|sum| sum.by).chain(claims.iter().copied());
        let by = own.min_by_key(|claim| (claim.counted.place, claim.position))?;
        Some(Settled::new(Change::Increase(total), Range { earliest, latest }, by))
    }
}

impl<'a> Settled<'a> {
    fn new(change: Change, range: Range, by: Claim<'a>) -> Self {
        let (entity, attribute) = (by.effect.entity.clone(), by.effect.attribute.clone());
        let effect = Effect { entity, attribute, change, when: When::Start };
        Self { effect, span: Span::within(range), by }
    }

    /// The claims as the one that they come to.
    fn claim(&self) -> Claim<'_> {
        let Claim { counted, position, .. } = self.by;
        Claim { counted, position, span: self.span, effect: &self.effect }
    }
}

/// What tells a claim of an attribute from all others.
fn key(claim: &Claim<'_>) -> (Seq, usize, Span) {
    (claim.counted.place, claim.position, claim.span)
}

/// How many claims, in the order of their earliest moments, surely hold for good and lie before all others, as
/// does what ended at `last`.
fn settled_prefix(claims: &[Claim<'_>], mut last: Moment, as_of: Moment) -> usize {
    let mut prefix = 0;
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
