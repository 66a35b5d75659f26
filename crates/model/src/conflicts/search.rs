//! The search itself: events come one after the other, in the order of lists, and none of them is kept.
//!
//! What the finders find names events by their records. When all have been seen, the events of those are told once more
//! ([`Found::tell`]), and an answer is made of it. So the memory that a search takes grows with what it finds, and with
//! the events of the largest day.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::clashes::ClashAt;
use super::contested::ContestedAt;
use super::duplicates::{self, Duplicates, DuplicatesAt};
use super::links::BrokenAt;
use super::precision::{self, SignAt};
use super::{Conflicts, Histories, LinkAt, LinkFault, Listener, Mention, SCHEMA, Stale, stale};
use crate::fold::Counted;
use crate::{Asked, Certainty, Date, Event, Position, Question, Seq, Source};

/// Looks at events.
#[derive(Debug, Default)]
pub struct Search {
    events: u64,
    duplicates: duplicates::Finder,
    precision: precision::Counts,
    found: Found,
}

/// What was found, by the records of events.
#[derive(Debug, Default)]
pub struct Found {
    events: u64,
    contested: Vec<ContestedAt>,
    clashes: Vec<ClashAt>,
    duplicates: Vec<Vec<Seq>>,
    crowded_days: u64,
    false_precision: Vec<SignAt>,
    links: Vec<BrokenAt>,
    /// Each with the event's place in the log.
    stale: Vec<(Seq, Stale)>,
    /// The records whose events have to be known, and whether their sources have to.
    wanted: BTreeMap<Seq, bool>,
    witnesses: Witnesses,
}

/// An event, as far as conflicts tell of it.
#[derive(Debug)]
pub(super) struct Witness {
    pub event: Mention,
    /// Where it says that it comes from; only of events that contest a value.
    pub sources: Vec<Source>,
}

/// Events by their records.
pub(super) type Witnesses = HashMap<Seq, Witness>;

impl Search {
    /// Whether a question asks about an event.
    ///
    /// Filters by date keep what may fall between them, so that no conflict is hidden by a vague date.
    pub fn looks_at(question: &Question, event: &Event) -> bool {
        question.filter.admits(event, Certainty::Possibly)
            && (question.entities.is_empty()
                || event.effects.iter().any(|effect| question.asks_for(&effect.entity)))
    }

    /// Sees the next event of those that the question asks about, in the order of lists.
    pub fn see(&mut self, counted: &Counted<'_>) {
        self.events += 1;
        self.duplicates.see(counted);
        self.precision.see(counted);
    }

    /// Takes what was heard of an attribute.
    pub fn heard(&mut self, listener: Listener) {
        let (contested, clashes) = listener.finish();
        self.found.contested.extend(contested);
        self.found.clashes.extend(clashes);
    }

    /// Looks whether the date of an event that says after or before which others it happened has become stale.
    /// `histories` are those of the event and of these others.
    pub fn relate(&mut self, counted: &Counted<'_>, histories: &Histories) {
        self.found.stale.extend(stale::find(counted, histories).map(|stale| (counted.place, stale)));
    }

    /// Looks at a link to an event that counts, and has this date.
    pub fn follow(&mut self, link: LinkAt, to_date: Option<&Date>) {
        if link.is_contradicted(to_date) {
            self.found.links.push(link.broken(to_date.cloned(), LinkFault::Contradicted));
        }
    }

    /// Takes a link to an event that does not count: it was recorded and withdrawn, or never was.
    pub fn miss(&mut self, link: LinkAt, was_recorded: bool) {
        let fault = if was_recorded { LinkFault::Withdrawn } else { LinkFault::Missing };
        self.found.links.push(link.broken(None, fault));
    }

    /// What was found.
    pub fn finish(self) -> Found {
        let Self { events, duplicates, precision, mut found } = self;
        found.events = events;
        DuplicatesAt { groups: found.duplicates, crowded: found.crowded_days } = duplicates.finish();
        found.false_precision = precision.finish();
        found.contested.sort_by(|a, b| (&a.entity, &a.attribute).cmp(&(&b.entity, &b.attribute)));
        let names = |clash: &ClashAt| (clash.effect.entity.clone(), clash.effect.attribute.clone());
        found.clashes.sort_by_cached_key(names);
        found.stale.sort_unstable_by_key(|(place, _)| *place);
        let explained: HashSet<Seq> = found.stale.iter().map(|(_, stale)| stale.event.seq).collect();
        // What a stale date explains is not told twice.
        found.links.retain(|link| !(link.is_of_a_date() && explained.contains(&link.seq())));
        found.links.sort_unstable_by_key(BrokenAt::order);
        found.want();
        found
    }
}

impl Found {
    fn want(&mut self) {
        let clashing = self.clashes.iter().flat_map(|clash| [clash.seq, clash.stood_by]);
        let alike = self.duplicates.iter().flatten().copied();
        let suspects = self.false_precision.iter().flat_map(SignAt::records);
        let linked = self.links.iter().map(BrokenAt::seq);
        self.wanted.extend(clashing.chain(alike).chain(suspects).chain(linked).map(|seq| (seq, false)));
        let contesting = self.contested.iter().flat_map(|contested| &contested.words);
        self.wanted.extend(contesting.map(|word| (word.seq, true)));
    }

    /// The records of the events that have to be told, in order.
    pub fn wanted(&self) -> impl Iterator<Item = Seq> {
        self.wanted.keys().copied()
    }

    /// Tells the event of a record.
    pub fn tell(&mut self, seq: Seq, event: &Event) {
        for sign in &mut self.false_precision {
            sign.tell(seq, event);
        }
        if let Some(with_sources) = self.wanted.get(&seq) {
            let sources = if *with_sources { event.sources.clone() } else { Vec::new() };
            self.witnesses.insert(seq, Witness { event: Mention::of(seq, event), sources });
        }
    }

    /// The answer, when all events that it needs were told.
    pub fn conflicts(self, question: &Question, known_at: Position) -> Conflicts {
        let witnesses = &self.witnesses;
        let duplicates = self.duplicates.into_iter();
        let mut conflicts = Conflicts {
            schema: SCHEMA,
            asked: Asked::new(question, known_at),
            events: self.events,
            found: 0,
            contested: self.contested.into_iter().filter_map(|found| found.told(witnesses)).collect(),
            clashes: self.clashes.into_iter().filter_map(|found| found.told(witnesses)).collect(),
            duplicates: duplicates.filter_map(|found| Duplicates::told(found, witnesses)).collect(),
            crowded_days: self.crowded_days,
            false_precision: self.false_precision.into_iter().map(SignAt::finish).collect(),
            links: self.links.into_iter().filter_map(|found| found.told(witnesses)).collect(),
            stale: self.stale.into_iter().map(|(_, stale)| stale).collect(),
        };
        conflicts.found = conflicts.count();
        conflicts
    }
}
