//! An event ready to be compared, and when two of them are probably one.
//!
//! It has what is compared and nothing else, since those of a day are all in memory at once, and others are sorted.

use std::cmp::Ordering;

use super::Named;
use crate::conflicts::titles::Title;
use crate::date::Span;
use crate::fold::Counted;
use crate::moment::DAY;
use crate::{Date, Event, EventId, Seq};

/// Days of the widest date that is compared with dates inside it.
const WIDEST: i64 = 31;

/// An event, ready to be compared. Candidates come in the order of their titles, and then of their places.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The event's place in the log.
    pub place: Seq,
    /// The record of the version that counts.
    pub seq: Seq,
    /// Its title.
    pub title: Title,
    /// A bit for each entity, which several may share: what has others is no part of what has not.
    pub bits: u64,
    /// The whole extent of its date.
    pub span: Span,
    /// Its id.
    pub id: EventId,
    /// The name of its place, in lower case.
    pub location: Option<Box<str>>,
    /// The names of its actors, in lower case.
    pub actors: Box<[Box<str>]>,
    /// The entities that it changes, sorted.
    pub entities: Box<[Box<str>]>,
    /// The events that it has links to.
    pub links: Box<[EventId]>,
}

/// Whether a date of one happening may be compared with dates inside it.
pub fn is_narrow(span: &Span) -> bool {
    let (first, last) = (span.start.earliest, span.end.latest);
    let width = last.seconds().checked_sub(first.seconds());
    first.is_finite() && last.is_finite() && width.is_some_and(|width| width < WIDEST * DAY)
}

impl Candidate {
    /// What is compared of an event.
    pub fn new(counted: &Counted<'_>) -> Self {
        let Event { id, title, date, actors, place, effects, links, .. } = counted.event;
        let mut entities: Vec<&str> = effects.iter().map(|effect| effect.entity.as_str()).collect();
        entities.sort_unstable();
        entities.dedup();
        Self {
            place: counted.place,
            seq: counted.seq,
            title: Title::new(title),
            bits: entities.iter().fold(0, |bits, entity| bits | bit(entity)),
            span: date.as_ref().map_or(Span::UNDATED, Date::span),
            id: id.clone(),
            location: place.as_ref().map(|place| place.name.to_lowercase().into()),
            actors: actors.iter().map(|actor| actor.name.to_lowercase().into()).collect(),
            entities: entities.into_iter().map(Box::from).collect(),
            links: links.iter().map(|link| link.to.clone()).collect(),
        }
    }

    pub(super) const fn named(&self) -> Named {
        (self.place, self.seq)
    }

    /// The first and the last day that its date allows, counted from 1970.
    pub(super) const fn days(&self) -> (i64, i64) {
        (self.span.start.earliest.seconds().div_euclid(DAY), self.span.end.latest.seconds().div_euclid(DAY))
    }

    /// Whether two events are probably one, if their dates have the same happenings or both are narrow.
    pub(super) fn is_probably(&self, other: &Self) -> bool {
        may_share_entities(self.bits, other.bits)
            && (is_inside(&self.span, &other.span) || is_inside(&other.span, &self.span))
            && (self.location == other.location || self.location.is_none() || other.location.is_none())
            && self.shares_an_actor(other)
            && (is_subset(&self.entities, &other.entities) || is_subset(&other.entities, &self.entities))
            && !self.links.contains(&other.id)
            && !other.links.contains(&self.id)
            && self.title.is_like(&other.title)
    }

    fn shares_an_actor(&self, other: &Self) -> bool {
        self.actors.is_empty()
            || other.actors.is_empty()
            || self.actors.iter().any(|actor| other.actors.contains(actor))
    }
}

/// A quick look at what is mostly decisive: whether the entities of one event may be among those of the other.
pub const fn may_share_entities(bits: u64, other: u64) -> bool {
    bits & !other == 0 || other & !bits == 0
}

/// Candidates come in the order in which they are compared, each with those that follow it.
impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.title, self.place).cmp(&(&other.title, other.place))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate {}

fn bit(entity: &str) -> u64 {
    let sum = entity
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    1 << (sum >> 58)
}

fn is_inside(inner: &Span, outer: &Span) -> bool {
    outer.start.earliest <= inner.start.earliest && inner.end.latest <= outer.end.latest
}

fn is_subset(some: &[Box<str>], all: &[Box<str>]) -> bool {
    some.iter().all(|entity| all.binary_search(entity).is_ok())
}
