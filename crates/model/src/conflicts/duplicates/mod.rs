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
//!
//! Events come in the order of lists. So those of a day are there when the first one of a later day comes ([`days`]);
//! nothing older is held. Events with wider dates are few to a day and many to a date: they come once more, in the order
//! in which they are compared, and of these no more than [`MOST_COMPARED`] are held ([`bounds`]).

mod bounds;
mod candidate;
mod days;
mod groups;

use serde::Serialize;

use self::bounds::Wide;
pub use self::candidate::Candidate;
use self::days::Narrow;
use self::groups::Groups;
use super::{Mention, Witnesses};
use crate::date::Span;
use crate::fold::Counted;
use crate::{Event, Seq};

/// With how many events of its day each is compared, the nearest ones in the order of their titles.
pub const MOST_COMPARED: usize = 100;

/// Events that are probably one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Duplicates {
    /// The events, in the order of the log.
    pub events: Vec<Mention>,
}

/// An event by its place in the log and its record.
type Named = (Seq, Seq);

/// Looks for duplicates in events that come in the order of lists.
#[derive(Debug, Default)]
pub(super) struct Finder {
    narrow: Narrow,
    wide: Wide,
    groups: Groups,
}

/// What was found, by records.
#[derive(Debug)]
pub(super) struct DuplicatesAt {
    /// The groups of events that are probably one, by their records, in the order of the log.
    pub groups: Vec<Vec<Seq>>,
    /// Of how many days there were more events than were compared with each.
    pub crowded: u64,
}

impl Finder {
    /// Sees an event; gives it back where it has to come once more.
    pub fn see(&mut self, counted: &Counted<'_>) -> Option<Candidate> {
        let Event { date: Some(date), .. } = counted.event else { return None };
        let candidate = Candidate::new(counted);
        match date.happenings() {
            [span] if candidate::is_narrow(span) => self.narrow.see(candidate, &mut self.groups),
            _ => return Some(candidate),
        }
        None
    }

    /// Compares an event that has come once more.
    pub fn compare(&mut self, happenings: &[Span], candidate: Candidate) {
        self.wide.compare(happenings, candidate, &mut self.groups);
    }

    pub fn finish(mut self) -> DuplicatesAt {
        let crowded = self.narrow.finish(&mut self.groups) + self.wide.finish();
        DuplicatesAt { groups: self.groups.finish(), crowded }
    }
}

impl Duplicates {
    /// A group with its events, where all are known.
    pub(super) fn told(group: Vec<Seq>, witnesses: &mut Witnesses) -> Option<Self> {
        let mention = |seq: Seq| Some(witnesses.take(seq)?.event);
        Some(Self { events: group.into_iter().map(mention).collect::<Option<_>>()? })
    }
}
