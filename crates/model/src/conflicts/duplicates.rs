//! Probable duplicates: events of one day, at one place, with titles that say the same.
//!
//! Two events are probably one when all of this holds:
//!
//! - their dates have the same bounds, or the one lies inside the other and neither is wider than 31 days;
//! - their places have the same name, or one has none;
//! - their titles are alike (`titles` says when);
//! - they share an actor, or one names none;
//! - the entities of one are all entities of the other, or one changes none;
//! - no link joins them: who linked them knows that they are two.
//!
//! Only events of the same day whose titles hold the same numbers are compared, and of these each with the
//! [`MOST_COMPARED`] that follow it in the order of titles, so that the work grows with the number of events and
//! not with its square. Undated events are not compared.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Serialize;

use super::Mention;
use super::titles::Title;
use crate::date::Span;
use crate::fold::Counted;
use crate::moment::DAY;
use crate::{Event, Place};

/// With how many events of its day each is compared, the nearest ones in the order of their titles.
pub const MOST_COMPARED: usize = 100;

/// Days of the widest date that is compared with dates inside it.
const WIDEST: i64 = 31;

/// Events that are probably one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Duplicates {
    /// The events, in the order of the log.
    pub events: Vec<Mention>,
}

/// Where an event waits for others to be compared with.
#[derive(PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Bucket<'a> {
    /// A day, counted from 1970, that the date allows.
    Day(i64),
    /// Exactly these bounds, of a date that is wider or is not one happening.
    Bounds(&'a [Span]),
}

/// An event, ready to be compared.
struct Candidate<'a> {
    counted: &'a Counted<'a>,
    title: Title,
    entities: BTreeSet<&'a str>,
    /// The first day that its date allows, counted from 1970.
    first_day: i64,
}

/// The groups of events that are probably one, and of how many days there were more events than were compared
/// with each.
pub(super) fn find(events: &[Counted<'_>]) -> (Vec<Duplicates>, u64) {
    let candidates: Vec<Candidate<'_>> = events.iter().map(Candidate::new).collect();
    let mut waiting: HashMap<(Bucket<'_>, &[String]), Vec<usize>> = HashMap::new();
    for (index, candidate) in candidates.iter().enumerate() {
        for bucket in buckets(candidate.counted.event) {
            waiting.entry((bucket, &candidate.title.numbers)).or_default().push(index);
        }
    }
    let mut crowded = HashSet::new();
    let mut groups = Groups::new(candidates.len());
    for ((bucket, _), mut indices) in waiting {
        if indices.len() < 2 {
            continue;
        }
        indices.sort_unstable_by_key(|index| (&candidates[*index].title, *index));
        for (at, a) in indices.iter().enumerate() {
            for b in indices[at + 1..].iter().take(MOST_COMPARED) {
                let (one, other) = (&candidates[*a], &candidates[*b]);
                if one.meets(other, &bucket) && one.is_probably(other) {
                    groups.join(*a, *b);
                }
            }
        }
        if indices.len() > MOST_COMPARED + 1 {
            crowded.insert(bucket);
        }
    }
    let mention = |index: usize| Mention::of(candidates[index].counted);
    let found = groups.into_groups();
    let found =
        found.into_iter().map(|group| Duplicates { events: group.into_iter().map(mention).collect() });
    (found.collect(), crowded.len() as u64)
}

/// Where an event waits: every day that a date of up to [`WIDEST`] days allows.
fn buckets(event: &Event) -> Vec<Bucket<'_>> {
    if event.date.is_none() {
        return Vec::new();
    }
    match event.happenings() {
        [span] if is_narrow(span) => days(span).map(Bucket::Day).collect(),
        happenings => vec![Bucket::Bounds(happenings)],
    }
}

fn is_narrow(span: &Span) -> bool {
    let (first, last) = (span.start.earliest, span.end.latest);
    let width = last.seconds().checked_sub(first.seconds());
    first.is_finite() && last.is_finite() && width.is_some_and(|width| width < WIDEST * DAY)
}

fn days(span: &Span) -> std::ops::RangeInclusive<i64> {
    span.start.earliest.seconds().div_euclid(DAY)..=span.end.latest.seconds().div_euclid(DAY)
}

impl<'a> Candidate<'a> {
    fn new(counted: &'a Counted<'a>) -> Self {
        let entities = counted.event.effects.iter().map(|effect| effect.entity.as_str()).collect();
        let first_day = counted.event.span().start.earliest.seconds().div_euclid(DAY);
        Self { counted, title: Title::new(&counted.event.title), entities, first_day }
    }

    /// Whether two events are to be compared here: two that share several days are on the first of them.
    fn meets(&self, other: &Self, bucket: &Bucket<'_>) -> bool {
        match bucket {
            Bucket::Day(day) => *day == self.first_day.max(other.first_day),
            Bucket::Bounds(_) => true,
        }
    }

    fn is_probably(&self, other: &Self) -> bool {
        let (a, b) = (self.counted.event, other.counted.event);
        have_one_date(a, b)
            && have_one_place(a.place.as_ref(), b.place.as_ref())
            && share_an_actor(a, b)
            && (self.entities.is_subset(&other.entities) || other.entities.is_subset(&self.entities))
            && !are_linked(a, b)
            && self.title.is_like(&other.title)
    }
}

fn have_one_date(a: &Event, b: &Event) -> bool {
    let (happenings, others) = (a.happenings(), b.happenings());
    let is_inside = |inner: &Span, outer: &Span| {
        outer.start.earliest <= inner.start.earliest && inner.end.latest <= outer.end.latest
    };
    happenings == others
        || matches!((happenings, others), ([a], [b])
            if is_narrow(a) && is_narrow(b) && (is_inside(a, b) || is_inside(b, a)))
}

fn have_one_place(a: Option<&Place>, b: Option<&Place>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return true };
    a.name.to_lowercase() == b.name.to_lowercase()
}

fn share_an_actor(a: &Event, b: &Event) -> bool {
    let names = |event: &Event| -> BTreeSet<String> {
        event.actors.iter().map(|actor| actor.name.to_lowercase()).collect()
    };
    a.actors.is_empty() || b.actors.is_empty() || !names(a).is_disjoint(&names(b))
}

fn are_linked(a: &Event, b: &Event) -> bool {
    let names = |event: &Event, other: &Event| event.links.iter().any(|link| link.to == other.id);
    names(a, b) || names(b, a)
}

/// Which events belong together: a forest in which each points to one before it (union-find).
struct Groups {
    before: Vec<usize>,
}

impl Groups {
    fn new(size: usize) -> Self {
        Self { before: (0..size).collect() }
    }

    fn first(&mut self, mut index: usize) -> usize {
        while self.before[index] != index {
            self.before[index] = self.before[self.before[index]];
            index = self.before[index];
        }
        index
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.first(a), self.first(b));
        self.before[a.max(b)] = a.min(b);
    }

    /// The groups of at least two.
    fn into_groups(mut self) -> Vec<Vec<usize>> {
        let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for index in 0..self.before.len() {
            groups.entry(self.first(index)).or_default().push(index);
        }
        groups.into_values().filter(|group| group.len() > 1).collect()
    }
}
