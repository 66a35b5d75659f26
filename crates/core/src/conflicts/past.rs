//! The records of single events, for the few whose dates were computed from others.

use annals_model::conflicts::{Histories, Version};
use annals_model::relative::{AFTER, BEFORE, related};
use annals_model::{Event, EventId, Seq, TimelineName};

use crate::Result;
use crate::log::Log;
use crate::store::Store;

/// Events whose records are remembered: many dates are often computed from the same few.
const MOST: usize = 2_048;

/// What was recorded of events up to a record.
pub struct Past<'a, L> {
    store: &'a Store<L>,
    timeline: &'a TimelineName,
    to: Seq,
    known: Histories,
}

impl<'a, L: Log> Past<'a, L> {
    /// Nothing is read before it is asked for.
    pub fn new(store: &'a Store<L>, timeline: &'a TimelineName, to: Seq) -> Self {
        Self { store, timeline, to, known: Histories::new() }
    }

    /// The records of an event and of those that it says it came after or before, and perhaps of others.
    pub fn of(&mut self, event: &Event) -> Result<&Histories> {
        if self.known.len() > MOST {
            self.known.clear();
        }
        for id in related(event, AFTER).chain(related(event, BEFORE)).chain([&event.id]) {
            if !self.known.contains_key(id)
                && let Some(versions) = self.versions(id)?
            {
                self.known.insert(id.clone(), versions);
            }
        }
        Ok(&self.known)
    }

    /// Nothing where a link names an event that was never recorded.
    fn versions(&self, id: &EventId) -> Result<Option<Vec<Version>>> {
        if self.store.log().event(self.timeline, id)?.is_none() {
            return Ok(None);
        }
        let records = self.store.history(self.timeline, id)?.into_iter().map(|stored| stored.record);
        let version = |record: annals_model::Record| Version {
            seq: record.seq,
            op: record.op,
            event: record.content.event().cloned(),
        };
        Ok(Some(records.filter(|record| record.seq <= self.to).map(version).collect()))
    }
}
