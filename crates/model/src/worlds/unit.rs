//! What one happening may have done by D: its scenarios, and the steps of each.

use crate::date::Range;
use crate::fold::{Claim, apply};
use crate::{Change, Event, Moment, Seq, Value, When};

/// A place in the order of steps: a second, and within it the place in the log and the end of the date.
///
/// Steps that are dated with one and the same second come in the order of the log, a start before its end; a step
/// that is dated less finely may come before, between or after them, which [`BEFORE_ALL`] and [`AFTER_ALL`] stand
/// for.
pub(super) type Key = (Moment, Tie);
type Tie = (Seq, u8);

const BEFORE_ALL: Tie = (Seq(0), 0);
const AFTER_ALL: Tie = (Seq(u64::MAX), u8::MAX);

/// One happening of one event, as far as it concerns the attribute.
#[derive(Debug)]
pub(super) struct Unit<'a> {
    pub(super) event: &'a Event,
    /// What it may have done by D; exactly one of these is the case in a world.
    pub(super) scenarios: Vec<Scenario<'a>>,
}

/// What a happening has done by D, if this is how it was: at most a start and, after it, an end.
pub(super) type Scenario<'a> = Vec<Step<'a>>;

/// What a happening does at one moment.
#[derive(Debug, PartialEq)]
pub(super) struct Step<'a> {
    /// The first place in the order that it may have.
    pub(super) lo: Key,
    /// The last one.
    pub(super) hi: Key,
    /// What it does, from its last replacement on; never empty.
    pub(super) ops: Vec<&'a Change>,
}

impl Step<'_> {
    /// Whether it replaces whatever stood before it.
    pub(super) fn replaces(&self) -> bool {
        self.ops[0].replaces()
    }

    /// What stands after it, where it replaces; otherwise what it makes of nothing.
    pub(super) fn result(&self) -> Option<Value> {
        let mut value = None;
        for change in &self.ops {
            apply(&mut value, change);
        }
        value
    }
}

/// The happenings of an attribute's claims that may have begun by D.
pub(super) fn units<'a>(mut claims: Vec<Claim<'a>>, as_of: Moment) -> Vec<Unit<'a>> {
    let happening = |claim: &Claim<'_>| (claim.counted.place, claim.span);
    claims.sort_by_key(|claim| (happening(claim), claim.position));
    let mut units = Vec::new();
    for same in claims.chunk_by(|a, b| happening(a) == happening(b)) {
        // A date may name the same happening twice; each claim is then there as often.
        let times = same.iter().filter(|claim| claim.position == same[0].position).count();
        let once: Vec<Claim<'a>> = same.iter().step_by(times).copied().collect();
        for _ in 0..times {
            let mut scenarios = scenarios(&once, as_of);
            scenarios.dedup();
            units.push(Unit { event: once[0].counted.event, scenarios });
        }
    }
    units
}

fn scenarios<'a>(claims: &[Claim<'a>], as_of: Moment) -> Vec<Scenario<'a>> {
    let Claim { counted, span, .. } = claims[0];
    let mut scenarios = Vec::new();
    if span.start.latest > as_of {
        scenarios.push(Scenario::new());
    }
    if span.start.earliest <= as_of {
        if counted.event.date.as_ref().is_some_and(crate::Date::is_interval) {
            begun(claims, as_of, &mut scenarios);
        } else {
            happened(claims, as_of, &mut scenarios);
        }
    }
    scenarios
}

/// The scenarios of a happening at one moment, which is its start and its end.
fn happened<'a>(claims: &[Claim<'a>], as_of: Moment, scenarios: &mut Vec<Scenario<'a>>) {
    let Claim { counted, span, .. } = claims[0];
    let mut push = |earliest: Moment, latest: Moment, lasts: bool| {
        let counts = |claim: &&Claim<'_>| lasts || claim.effect.when != When::During;
        let step = step(claims.iter().filter(counts), (earliest, latest), span.start, (counted.place, 0));
        if earliest <= latest {
            scenarios.push(step.into_iter().collect());
        }
    };
    if claims.iter().all(|claim| claim.effect.when != When::During) {
        return push(span.start.earliest, span.start.latest.min(as_of), true);
    }
    // What lasts for a moment lasts at D only if it is the moment D.
    push(span.start.earliest, span.start.latest.min(as_of.previous()), false);
    if span.start.latest >= as_of {
        push(as_of, as_of, true);
    }
}

/// The scenarios of an interval that has begun: it goes on beyond D, or it has ended at D or before.
fn begun<'a>(claims: &[Claim<'a>], as_of: Moment, scenarios: &mut Vec<Scenario<'a>>) {
    let span = claims[0].span;
    let has = |when: When| claims.iter().any(|claim| claim.effect.when == when);
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
    claims: &[Claim<'a>],
    as_of: Moment,
    lasts: bool,
    ended: Option<(Moment, Moment)>,
) -> Option<Scenario<'a>> {
    let Claim { counted, span, .. } = claims[0];
    let at_start = |claim: &&Claim<'_>| match claim.effect.when {
        When::Start => true,
        When::During => lasts,
        When::End => false,
    };
    let end = |claim: &&Claim<'_>| claim.effect.when == When::End;
    let last = ended.map_or(as_of, |(_, latest)| latest);
    let latest = span.start.latest.min(span.end.latest).min(last);
    let earliest = ended.map(|(earliest, _)| earliest.max(span.start.earliest));
    if span.start.earliest > latest || earliest.is_some_and(|earliest| earliest > last) {
        return None;
    }
    let mut started =
        step(claims.iter().filter(at_start), (span.start.earliest, latest), span.start, (counted.place, 0));
    let mut ended = earliest
        .and_then(|earliest| step(claims.iter().filter(end), (earliest, last), span.end, (counted.place, 1)));
    if let (Some(start), Some(end)) = (&mut started, &mut ended) {
        start.hi = start.hi.min(end.hi);
        end.lo = end.lo.max(start.lo);
    }
    Some(started.into_iter().chain(ended).collect())
}

/// A step between two moments, which is so `dated`; none where there is nothing to do.
fn step<'c, 'a: 'c>(
    claims: impl Iterator<Item = &'c Claim<'a>>,
    (earliest, latest): (Moment, Moment),
    dated: Range,
    tie: Tie,
) -> Option<Step<'a>> {
    let mut ops: Vec<&'a Change> = Vec::new();
    for claim in claims {
        if claim.effect.change.replaces() {
            ops.clear();
        }
        ops.push(&claim.effect.change);
    }
    let (first, last) = if dated.earliest == dated.latest && dated.earliest.is_finite() {
        (tie, tie)
    } else {
        (BEFORE_ALL, AFTER_ALL)
    };
    (!ops.is_empty()).then_some(Step { lo: (earliest, first), hi: (latest, last), ops })
}
