//! Links that the dates contradict, and links that lead nowhere.
//!
//! A link is contradicted only where the dates leave no doubt:
//!
//! | link | contradicted when |
//! |---|---|
//! | `caused-by`, `follows`, `after` | the other surely began later |
//! | `causes`, `precedes` | the other surely began earlier |
//! | `before` | this surely began after the other was over |
//! | `part-of` | the two surely do not overlap |
//!
//! Other relations say nothing about an order.

use std::cmp::Ordering;

use serde::Serialize;

use super::first::Found;
use super::{Mention, Witnesses};
use crate::date::Span;
use crate::fold::Counted;
use crate::relative::{AFTER, BEFORE};
use crate::{Date, EventId, Link, Seq};

/// A link that cannot be right as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BrokenLink {
    /// The event that has the link.
    #[serde(flatten)]
    pub event: Mention,
    /// What it says of the other.
    pub rel: String,
    /// The other event.
    pub to: EventId,
    /// The other event's date, where there is one.
    pub to_date: Option<Date>,
    /// What is wrong.
    pub fault: LinkFault,
}

/// What is wrong with a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkFault {
    /// The dates say otherwise.
    Contradicted,
    /// The other event was retracted or redacted.
    Withdrawn,
    /// The timeline never had such an event.
    Missing,
}

/// A link, with what has to be known of the event that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkAt {
    /// The event's place in the log.
    pub place: Seq,
    /// The record of the version that counts.
    pub seq: Seq,
    /// The link's position in the event.
    pub position: usize,
    /// The event's whole extent.
    pub span: Span,
    /// What the link says.
    pub link: Link,
}

/// A link that cannot be right, whose event is named by its record.
#[derive(Debug)]
pub(super) struct BrokenAt {
    at: LinkAt,
    to_date: Option<Date>,
    fault: LinkFault,
}

impl LinkAt {
    /// The links of an event.
    pub fn of(counted: Counted<'_>) -> impl Iterator<Item = Self> {
        let Counted { place, seq, event } = counted;
        let span = event.span();
        let at =
            move |(position, link): (usize, &Link)| Self { place, seq, position, span, link: link.clone() };
        event.links.iter().enumerate().map(at)
    }

    /// Whether the date of the other event, which counts, rules out what the link says.
    pub fn is_contradicted(&self, date: Option<&Date>) -> bool {
        contradicts(&self.link.rel, &self.span, &date.map_or(Span::UNDATED, Date::span))
    }

    /// Whether it is one of those that a date was computed from.
    pub(super) fn is_of_a_date(&self) -> bool {
        self.link.rel == AFTER || self.link.rel == BEFORE
    }

    /// The link as one that cannot be right.
    pub(super) const fn broken(self, to_date: Option<Date>, fault: LinkFault) -> BrokenAt {
        BrokenAt { at: self, to_date, fault }
    }
}

impl Found for BrokenAt {
    /// By the event's place in the log, and then as the event has them.
    fn order(&self, other: &Self) -> Ordering {
        (self.at.place, self.at.position).cmp(&(other.at.place, other.at.position))
    }
}

impl BrokenAt {
    /// The record of the event that has the link.
    pub const fn seq(&self) -> Seq {
        self.at.seq
    }

    /// The link with its event, where that is known.
    pub fn told(self, witnesses: &mut Witnesses) -> Option<BrokenLink> {
        let event = witnesses.take(self.at.seq)?.event;
        let Link { rel, to } = self.at.link;
        Some(BrokenLink { event, rel, to, to_date: self.to_date, fault: self.fault })
    }
}

/// Whether the dates of two events rule out what a link says of them.
fn contradicts(rel: &str, own: &Span, other: &Span) -> bool {
    match rel {
        "caused-by" | "follows" | AFTER => own.start.latest < other.start.earliest,
        "causes" | "precedes" => other.start.latest < own.start.earliest,
        BEFORE => other.end.latest < own.start.earliest,
        "part-of" => own.end.latest < other.start.earliest || other.end.latest < own.start.earliest,
        _ => false,
    }
}
