//! The search itself: events come one after the other, in the order of lists, and none of them is kept.
//!
//! What the finders find names events by their records. When all have been seen, the events of those are told once more
//! ([`Answer::tell`]), and the answer is made of it. So the memory that a search takes grows with what it tells, and
//! with the events of the largest day.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::clashes::ClashAt;
use super::contested::ContestedAt;
use super::duplicates::{self, Duplicates, DuplicatesAt};
use super::first::{First, Found};
use super::links::BrokenAt;
use super::precision::{self, SignAt};
use super::witnesses::Witnesses;
use super::{Candidate, Conflicts, Counts, Histories, LinkAt, LinkFault, Listener, SCHEMA, Stale, stale};
use crate::date::Span;
use crate::fold::Counted;
use crate::{Asked, Certainty, Date, Event, Position, Question, Seq};

/// Looks at events.
#[derive(Debug)]
pub struct Search {
    most: usize,
    events: u64,
    contested: First<ContestedAt>,
    clashes: First<ClashAt>,
    duplicates: duplicates::Finder,
    precision: precision::Counts,
    links: First<BrokenAt>,
    stale: First<StaleAt>,
    /// The events whose dates are stale, by their places in the log.
    explained: HashSet<Seq>,
}

/// A stale date, with the event's place in the log.
#[derive(Debug)]
struct StaleAt(Seq, Stale);

impl Found for StaleAt {
    fn order(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

/// What was found, by the records of events that have still to be told.
#[derive(Debug)]
pub struct Answer {
    events: u64,
    counts: Counts,
    contested: Vec<ContestedAt>,
    clashes: Vec<ClashAt>,
    duplicates: Vec<Vec<Seq>>,
    crowded_days: u64,
    false_precision: Vec<SignAt>,
    links: Vec<BrokenAt>,
    stale: Vec<StaleAt>,
    witnesses: Witnesses,
}

impl Search {
    /// A search that has seen nothing, and tells of each kind no more than the first ones, so many of them. All are
    /// counted.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            events: 0,
            contested: First::new(most),
            clashes: First::new(most),
            duplicates: duplicates::Finder::default(),
            precision: precision::Counts::new(most),
            links: First::new(most),
            stale: First::new(most),
            explained: HashSet::new(),
        }
    }

    /// Whether a question asks about an event.
    ///
    /// Filters by date keep what may fall between them, so that no conflict is hidden by a vague date.
    pub fn looks_at(question: &Question, event: &Event) -> bool {
        question.filter.admits(event, Certainty::Possibly)
            && (question.entities.is_empty()
                || event.effects.iter().any(|effect| question.asks_for(&effect.entity)))
    }

    /// Sees the next event of those that the question asks about, in the order of lists. What it gives has to be
    /// [compared](Self::compare) when all have been seen.
    #[must_use = "what it gives has to be compared"]
    pub fn see(&mut self, counted: &Counted<'_>) -> Option<Candidate> {
        self.events += 1;
        self.precision.see(counted);
        self.duplicates.see(counted)
    }

    /// Compares an event that was seen with those before it. All with the same happenings come together, and these in the
    /// order of candidates.
    pub fn compare(&mut self, happenings: &[Span], candidate: Candidate) {
        self.duplicates.compare(happenings, candidate);
    }

    /// Takes what was heard of an attribute.
    pub fn heard(&mut self, listener: Listener) {
        let (contested, clashes) = listener.finish();
        for found in contested {
            self.contested.push(found);
        }
        for found in clashes {
            self.clashes.push(found);
        }
    }

    /// Looks whether the date of an event that says after or before which others it happened has become stale.
    /// `histories` are those of the event and of these others.
    pub fn relate(&mut self, counted: &Counted<'_>, histories: &Histories) {
        if let Some(found) = stale::find(counted, histories) {
            self.explained.insert(counted.place);
            self.stale.push(StaleAt(counted.place, found));
        }
    }

    /// Looks at a link to an event that counts, and has this date. All events that are to be
    /// [related](Self::relate) were.
    pub fn follow(&mut self, link: LinkAt, to_date: Option<&Date>) {
        if link.is_contradicted(to_date) {
            self.broken(link, to_date, LinkFault::Contradicted);
        }
    }

    /// Takes a link to an event that does not count: it was recorded and withdrawn, or never was. All events that are to
    /// be [related](Self::relate) were.
    pub fn miss(&mut self, link: LinkAt, was_recorded: bool) {
        self.broken(link, None, if was_recorded { LinkFault::Withdrawn } else { LinkFault::Missing });
    }

    fn broken(&mut self, link: LinkAt, to_date: Option<&Date>, fault: LinkFault) {
        // What a stale date explains is not told twice.
        if !(link.is_of_a_date() && self.explained.contains(&link.place)) {
            self.links.push(link.broken(to_date.cloned(), fault));
        }
    }

    /// What was found.
    pub fn finish(self) -> Answer {
        let DuplicatesAt { groups: mut duplicates, crowded } = self.duplicates.finish();
        let false_precision = self.precision.finish();
        let (contested, contested_count) = self.contested.finish();
        let (clashes, clashes_count) = self.clashes.finish();
        let (links, links_count) = self.links.finish();
        let (stale, stale_count) = self.stale.finish();
        let counts = Counts {
            contested: contested_count,
            clashes: clashes_count,
            duplicates: duplicates.len() as u64,
            false_precision: false_precision.iter().map(|sign| sign.count).collect(),
            links: links_count,
            stale: stale_count,
        };
        duplicates.truncate(self.most);
        let mut answer = Answer {
            events: self.events,
            counts,
            contested,
            clashes,
            duplicates,
            crowded_days: crowded,
            false_precision,
            links,
            stale,
            witnesses: Witnesses::default(),
        };
        answer.want();
        answer
    }
}

impl Answer {
    fn want(&mut self) {
        let clashing = self.clashes.iter().flat_map(|clash| [clash.seq, clash.stood_by]);
        let alike = self.duplicates.iter().flatten().copied();
        let linked = self.links.iter().map(BrokenAt::seq);
        clashing.chain(alike).chain(linked).for_each(|seq| self.witnesses.want(seq, false));
        let contesting = self.contested.iter().flat_map(|contested| &contested.words);
        contesting.for_each(|word| self.witnesses.want(word.seq, true));
    }

    /// The records of the events that have to be told, in order.
    pub fn wanted(&self) -> Vec<Seq> {
        let suspects = self.false_precision.iter().flat_map(SignAt::records);
        let mut wanted: Vec<Seq> = self.witnesses.wanted().chain(suspects).collect();
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    }

    /// Tells the event of a record.
    pub fn tell(&mut self, seq: Seq, event: &Event) {
        for sign in &mut self.false_precision {
            sign.tell(seq, event);
        }
        self.witnesses.tell(seq, event);
    }

    /// The answer, when all events that it needs were told.
    pub fn conflicts(self, question: &Question, known_at: Position) -> Conflicts {
        let mut witnesses = self.witnesses;
        let contested = self.contested.into_iter().filter_map(|found| found.told(&mut witnesses)).collect();
        let clashes = self.clashes.into_iter().filter_map(|found| found.told(&mut witnesses)).collect();
        let duplicates = self.duplicates.into_iter();
        let duplicates = duplicates.filter_map(|found| Duplicates::told(found, &mut witnesses)).collect();
        let links = self.links.into_iter().filter_map(|found| found.told(&mut witnesses)).collect();
        Conflicts {
            schema: SCHEMA,
            asked: Asked::new(question, known_at),
            events: self.events,
            found: self.counts.all(),
            contested,
            clashes,
            duplicates,
            crowded_days: self.crowded_days,
            false_precision: self.false_precision.into_iter().map(SignAt::finish).collect(),
            links,
            stale: self.stale.into_iter().map(|StaleAt(_, stale)| stale).collect(),
            counts: self.counts,
        }
    }
}
