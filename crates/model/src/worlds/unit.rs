//! What one happening may have done by D: its scenarios, and the steps of each.

use std::borrow::Cow;
use std::ops::Range as Places;

use crate::date::Range;
use crate::fold::{Said, applied};
use crate::{Change, EventId, Moment, Seq, Value, When};

/// A place in the order of steps: a second, and within it the place in the log and the end of the date.
///
/// Steps that are dated with one and the same second come in the order of the log, a start before its end; a step
/// that is dated less finely may come before, between or after them, which [`BEFORE_ALL`] and [`AFTER_ALL`] stand
/// for.
pub(super) type Key = (Moment, Tie);
type Tie = (Seq, u8);

const BEFORE_ALL: Tie = (Seq(0), 0);
const AFTER_ALL: Tie = (Seq(u64::MAX), u8::MAX);

/// The happenings of an attribute, which are told by their places, with what each may have done by D.
#[derive(Debug, Default)]
pub(super) struct Units<'a> {
    units: Vec<Unit<'a>>,
    /// The scenarios of all of them, one happening behind the other.
    scenarios: Vec<Scenario<'a>>,
}

/// One happening of one event, as far as it concerns the attribute.
#[derive(Debug)]
struct Unit<'a> {
    id: &'a EventId,
    /// What it may have done by D; exactly one of these is the case in a world.
    scenarios: Places<usize>,
}

/// What a happening has done by D, if this is how it was.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Scenario<'a> {
    /// What it did at its start, or at its only moment.
    start: Option<Step<'a>>,
    /// What it did after that, at its end.
    end: Option<Step<'a>>,
}

/// What a happening does at one moment.
#[derive(Clone, Debug)]
pub(super) struct Step<'a> {
    /// The first place in the order that it may have.
    pub(super) lo: Key,
    /// The last one.
    pub(super) hi: Key,
    /// The happening's claims in the order of its event, from the last one on that replaces what stands.
    claims: &'a [Said<'a>],
    /// Which of them are made in this step.
    counts: fn(When) -> bool,
    /// Whether it replaces whatever stood before it.
    replaces: bool,
}

impl<'a> Units<'a> {
    /// The happenings of an attribute's claims that may have begun by D. The claims are put in the order of happenings.
    pub(super) fn of(claims: &'a [Said<'a>], as_of: Moment) -> Self {
        let mut units = Self { units: Vec::with_capacity(claims.len()), ..Self::default() };
        units.scenarios.reserve(2 * claims.len());
        for same in claims.chunk_by(|a, b| (a.place, a.span) == (b.place, b.span)) {
            units.push(same[0].id, |scenarios| take_scenarios(same, as_of, scenarios));
        }
        units
    }

    /// Adds a happening with its scenarios, each of them once.
    fn push(&mut self, id: &'a EventId, add: impl FnOnce(&mut Vec<Scenario<'a>>)) {
        let first = self.scenarios.len();
        add(&mut self.scenarios);
        let mut kept = first;
        for index in first..self.scenarios.len() {
            if kept == first || self.scenarios[index] != self.scenarios[kept - 1] {
                self.scenarios.swap(index, kept);
                kept += 1;
            }
        }
        self.scenarios.truncate(kept);
        self.units.push(Unit { id, scenarios: first..kept });
    }

    /// The happenings that leave a trace, without the steps that leave none: those before a replacement of their own,
    /// and those that come before what the other happenings' bound says.
    pub(super) fn without(&self, floor: impl Fn(usize) -> Option<Key>) -> Self {
        let mut left = Self { units: Vec::with_capacity(self.units.len()), ..Self::default() };
        left.scenarios.reserve(self.scenarios.len());
        for (index, (id, scenarios)) in self.all().enumerate() {
            let floor = floor(index);
            if scenarios.iter().any(|scenario| scenario.leaves_a_trace(floor)) {
                left.push(id, |left| left.extend(scenarios.iter().map(|scenario| scenario.without(floor))));
            }
        }
        left
    }

    /// All happenings: their events, and what each may have done.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'a EventId, &[Scenario<'a>])> {
        self.units.iter().map(|unit| (unit.id, &self.scenarios[unit.scenarios.clone()]))
    }

    /// The event of a happening.
    pub(super) fn id(&self, unit: usize) -> &'a EventId {
        self.units[unit].id
    }

    /// What a happening may have done.
    pub(super) fn scenarios(&self, unit: usize) -> &[Scenario<'a>] {
        &self.scenarios[self.units[unit].scenarios.clone()]
    }

    /// All steps of all scenarios.
    pub(super) fn steps(&self) -> impl Iterator<Item = &Step<'a>> {
        self.scenarios.iter().flat_map(Scenario::steps)
    }
}

impl<'a> Scenario<'a> {
    /// Its steps, in their order.
    pub(super) fn steps(&self) -> impl DoubleEndedIterator<Item = &Step<'a>> {
        self.start.iter().chain(&self.end)
    }

    /// How many steps it has.
    pub(super) fn len(&self) -> usize {
        usize::from(self.start.is_some()) + usize::from(self.end.is_some())
    }

    fn leaves_a_trace(&self, floor: Option<Key>) -> bool {
        self.steps().any(|step| Some(step.hi) >= floor)
    }

    /// The same without what leaves no trace.
    fn without(&self, floor: Option<Key>) -> Self {
        let is_replaced = self.end.as_ref().is_some_and(Step::replaces);
        let stays = |step: &&Step<'a>| Some(step.hi) >= floor;
        Self {
            start: self.start.as_ref().filter(|_| !is_replaced).filter(stays).cloned(),
            end: self.end.as_ref().filter(stays).cloned(),
        }
    }
}

impl<'a> Step<'a> {
    /// What it does, from its last replacement on; never nothing.
    pub(super) fn ops(&self) -> impl DoubleEndedIterator<Item = &'a Change> {
        self.claims.iter().filter(|claim| (self.counts)(claim.when)).map(|claim| claim.change)
    }

    /// Whether it replaces whatever stood before it.
    pub(super) const fn replaces(&self) -> bool {
        self.replaces
    }

    /// What stands after it, where it replaces; otherwise what it makes of nothing.
    pub(super) fn result(&self) -> Option<Cow<'a, Value>> {
        let mut value = None;
        for change in self.ops() {
            applied(&mut value, change);
        }
        value
    }
}

impl PartialEq for Step<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.lo, self.hi) == (other.lo, other.hi) && self.ops().eq(other.ops())
    }
}

fn take_scenarios<'a>(claims: &'a [Said<'a>], as_of: Moment, scenarios: &mut Vec<Scenario<'a>>) {
    let Said { span, is_interval, .. } = claims[0];
    if span.start.latest > as_of {
        scenarios.push(Scenario::default());
    }
    if span.start.earliest <= as_of {
        if is_interval {
            begun(claims, as_of, scenarios);
        } else {
            happened(claims, as_of, scenarios);
        }
    }
}

/// The scenarios of a happening at one moment, which is its start and its end.
fn happened<'a>(claims: &'a [Said<'a>], as_of: Moment, scenarios: &mut Vec<Scenario<'a>>) {
    let Said { place, span, .. } = claims[0];
    let mut push = |earliest: Moment, latest: Moment, counts: fn(When) -> bool| {
        if earliest <= latest {
            let start = step(claims, counts, (earliest, latest), span.start, (place, 0));
            scenarios.push(Scenario { start, end: None });
        }
    };
    if claims.iter().all(|claim| claim.when != When::During) {
        return push(span.start.earliest, span.start.latest.min(as_of), |_| true);
    }
    // What lasts for a moment lasts at D only if it is the moment D.
    push(span.start.earliest, span.start.latest.min(as_of.previous()), |when| when != When::During);
    if span.start.latest >= as_of {
        push(as_of, as_of, |_| true);
    }
}

/// The scenarios of an interval that has begun: it goes on beyond D, or it has ended at D or before.
fn begun<'a>(claims: &'a [Said<'a>], as_of: Moment, scenarios: &mut Vec<Scenario<'a>>) {
    let span = claims[0].span;
    let has = |when: When| claims.iter().any(|claim| claim.when == when);
    let (lasting, ending) = (has(When::During), has(When::End));
    let mut push = |lasts: bool, ended: Option<(Moment, Moment)>| {
        scenarios.extend(begun_and(claims, as_of, lasts, ended));
    };
    let ends_by = |moment: Moment| (span.end.earliest <= moment).then(|| span.end.latest.min(moment));
    match (lasting, ending) {
        // Only the start matters.
        (false, false) => push(true, None),
        (false, true) => {
            if span.end.latest > as_of {
                push(true, None);
            }
            if let Some(latest) = ends_by(as_of) {
                push(true, Some((span.end.earliest, latest)));
            }
        }
        (true, _) => {
            if span.end.latest > as_of || (!ending && span.end.latest == as_of) {
                push(true, None);
            }
            if ending && span.end.earliest <= as_of && as_of <= span.end.latest {
                push(true, Some((as_of, as_of)));
            }
            if let Some(latest) = ends_by(as_of.previous()) {
                push(false, Some((span.end.earliest, latest)));
            }
        }
    }
}

/// What an interval that has begun did; nothing where its start does not come before its end.
fn begun_and<'a>(
    claims: &'a [Said<'a>],
    as_of: Moment,
    lasts: bool,
    ended: Option<(Moment, Moment)>,
) -> Option<Scenario<'a>> {
    let Said { place, span, .. } = claims[0];
    let at_start: fn(When) -> bool =
        if lasts { |when| when != When::End } else { |when| when == When::Start };
    let last = ended.map_or(as_of, |(_, latest)| latest);
    let latest = span.start.latest.min(span.end.latest).min(last);
    let earliest = ended.map(|(earliest, _)| earliest.max(span.start.earliest));
    if span.start.earliest > latest || earliest.is_some_and(|earliest| earliest > last) {
        return None;
    }
    let mut start = step(claims, at_start, (span.start.earliest, latest), span.start, (place, 0));
    let at_end = |earliest| step(claims, |when| when == When::End, (earliest, last), span.end, (place, 1));
    let mut end = earliest.and_then(at_end);
    if let (Some(start), Some(end)) = (&mut start, &mut end) {
        start.hi = start.hi.min(end.hi);
        end.lo = end.lo.max(start.lo);
    }
    Some(Scenario { start, end })
}

/// A step between two moments, which is so `dated`; none where there is nothing to do.
fn step<'a>(
    claims: &'a [Said<'a>],
    counts: fn(When) -> bool,
    moments: (Moment, Moment),
    dated: Range,
    tie: Tie,
) -> Option<Step<'a>> {
    let last = claims.iter().rposition(|claim| counts(claim.when) && claim.change.replaces());
    let claims = &claims[last.unwrap_or(0)..];
    let does_something = claims.iter().any(|claim| counts(claim.when));
    let ((lo, hi), replaces) = (keys(moments, dated, tie), last.is_some());
    does_something.then_some(Step { lo, hi, claims, counts, replaces })
}

/// The first and the last place in the order that a step may have between two moments, which is so `dated`.
pub(super) fn keys((earliest, latest): (Moment, Moment), dated: Range, tie: Tie) -> (Key, Key) {
    if dated.earliest == dated.latest && dated.earliest.is_finite() {
        ((earliest, tie), (latest, tie))
    } else {
        ((earliest, BEFORE_ALL), (latest, AFTER_ALL))
    }
}
