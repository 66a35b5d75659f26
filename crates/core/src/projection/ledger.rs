//! Where each event stands, and the steps that it makes, in effective order.
//!
//! The ledger knows no content but dates: that is all it takes to tell which states a new record leaves right.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use annals_model::date::Span;
use annals_model::{Certainty, Date, EventId, Moment, Seq};

use super::happened::{StepKey, steps};

/// The events that were read, and their steps.
#[derive(Debug)]
pub(super) struct Ledger {
    certainty: Certainty,
    events: HashMap<EventId, Entry>,
    steps: BTreeMap<StepKey, Seq>,
}

/// Where an event stands.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its place in the log.
    pub(super) place: Seq,
    /// Its last version; nothing where it is withdrawn.
    pub(super) standing: Option<Standing>,
}

/// The version of an event that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Its record.
    pub(super) seq: Seq,
    /// Its date; nothing where the projection is not asked about the event.
    pub(super) dated: Option<Dated>,
}

/// The date of an event that the projection is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dated(pub(super) Option<Date>);

impl Dated {
    fn happenings(&self) -> &[Span] {
        self.0.as_ref().map_or(&[Span::UNDATED], Date::happenings)
    }

    fn is_interval(&self) -> bool {
        self.0.as_ref().is_some_and(Date::is_interval)
    }
}

impl Ledger {
    pub(super) fn new(certainty: Certainty) -> Self {
        Self { certainty, events: HashMap::new(), steps: BTreeMap::new() }
    }

    /// Takes what a record says of an event. Gives the first step that is affected, if any is.
    pub(super) fn record(&mut self, id: EventId, seq: Seq, standing: Option<Standing>) -> Option<StepKey> {
        let entry = self.events.entry(id).or_insert(Entry { place: seq, standing: None });
        let mut first: Option<StepKey> = None;
        let mut affected = |key: StepKey| first = Some(first.map_or(key, |first| first.min(key)));
        for key in keys(entry.standing.as_ref(), entry.place, self.certainty) {
            self.steps.remove(&key);
            affected(key);
        }
        entry.standing = standing;
        for key in keys(entry.standing.as_ref(), entry.place, self.certainty) {
            self.steps.insert(key, entry.standing.as_ref().map_or(seq, |standing| standing.seq));
            affected(key);
        }
        first
    }

    /// Takes an event as a checkpoint has it.
    pub(super) fn restore(&mut self, id: EventId, entry: Entry) {
        self.record(id, entry.place, entry.standing);
    }

    /// Whether an event was read.
    pub(super) fn knows(&self, id: &EventId) -> bool {
        self.events.contains_key(id)
    }

    /// Every event that was read, by its place in the log.
    pub(super) fn events(&self) -> Vec<(&EventId, &Entry)> {
        let mut events: Vec<(&EventId, &Entry)> = self.events.iter().collect();
        events.sort_unstable_by_key(|(_, entry)| entry.place);
        events
    }

    /// The steps behind one, or all from the first, that count as of a moment, with the records that they need.
    pub(super) fn between(&self, after: Option<&StepKey>, until: Moment) -> Vec<(StepKey, Seq)> {
        let from = after.map_or(Bound::Unbounded, |key| Bound::Excluded(*key));
        let steps = self.steps.range((from, Bound::Unbounded));
        steps.take_while(|(key, _)| key.moment() <= until).map(|(key, seq)| (*key, *seq)).collect()
    }

    /// The key of the step of this number, counted from 0.
    pub(super) fn nth(&self, index: usize) -> Option<StepKey> {
        self.steps.keys().nth(index).copied()
    }
}

fn keys(standing: Option<&Standing>, place: Seq, certainty: Certainty) -> Vec<StepKey> {
    let dated = standing.and_then(|standing| standing.dated.as_ref());
    dated.map_or(Vec::new(), |dated| {
        steps(dated.happenings(), dated.is_interval(), place, certainty).collect()
    })
}
