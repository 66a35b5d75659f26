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

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::{Histories, Mention, Stale};
use crate::date::Span;
use crate::fold::Counted;
use crate::relative::{AFTER, BEFORE};
use crate::{Date, EventId, Link};

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

/// Every faulty link of `events`, whose others are looked up in all that is `known`. What a stale date explains
/// is not told twice.
pub(super) fn find(
    events: &[Counted<'_>],
    known: &[Counted<'_>],
    histories: &Histories,
    stale: &[Stale],
) -> Vec<BrokenLink> {
    let others: HashMap<&EventId, &Counted<'_>> =
        known.iter().map(|counted| (&counted.event.id, counted)).collect();
    let explained: HashSet<&EventId> = stale.iter().map(|stale| &stale.event.id).collect();
    let is_told = |counted: &Counted<'_>, link: &Link| {
        (link.rel == AFTER || link.rel == BEFORE) && explained.contains(&counted.event.id)
    };
    let links = events.iter().flat_map(|counted| counted.event.links.iter().map(move |link| (counted, link)));
    let mut broken = Vec::new();
    for (counted, link) in links {
        let other = others.get(&link.to).map(|other| other.event);
        let fault = match other {
            Some(other) => contradicts(&link.rel, &counted.event.span(), &other.span())
                .then_some(LinkFault::Contradicted),
            None if histories.get(&link.to).is_some_and(|records| !records.is_empty()) => {
                Some(LinkFault::Withdrawn)
            }
            None => Some(LinkFault::Missing),
        };
        if let Some(fault) = fault.filter(|_| !is_told(counted, link)) {
            broken.push(BrokenLink {
                event: Mention::of(counted),
                rel: link.rel.clone(),
                to: link.to.clone(),
                to_date: other.and_then(|other| other.date.clone()),
                fault,
            });
        }
    }
    broken
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
