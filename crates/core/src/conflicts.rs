//! What contradicts itself, read straight from the records.

use std::collections::HashSet;

use annals_model::conflicts::{Conflicts, Histories, Version};
use annals_model::relative::{AFTER, BEFORE, is_relative};
use annals_model::{EventId, Link, Question, TimelineName};

use crate::Result;
use crate::known::Known;
use crate::log::Log;
use crate::store::Store;

impl<L: Log> Store<L> {
    /// What contradicts itself in a timeline, of which `known` is what the question asks about.
    pub fn conflicts(&self, question: &Question, known: &Known) -> Result<Conflicts> {
        let histories = self.histories(&question.timeline, known)?;
        Ok(Conflicts::find(question, &known.knowledge(), &histories))
    }

    /// The records up to K of every event that links make a question of.
    fn histories(&self, timeline: &TimelineName, known: &Known) -> Result<Histories> {
        let events = || known.events().iter().map(|known| &known.event);
        let counting: HashSet<&EventId> = events().map(|event| &event.id).collect();
        let mut wanted: Vec<&EventId> = Vec::new();
        for event in events() {
            let is_asked =
                |link: &&Link| link.rel == AFTER || link.rel == BEFORE || !counting.contains(&link.to);
            wanted.extend(event.links.iter().filter(is_asked).map(|link| &link.to));
            wanted.extend(is_relative(event).then_some(&event.id));
        }
        wanted.sort_unstable();
        wanted.dedup();
        let mut histories = Histories::new();
        for id in wanted {
            // A link may name an event that was never recorded.
            if self.log().event(timeline, id)?.is_none() {
                continue;
            }
            let records = self.history(timeline, id)?.into_iter().map(|stored| stored.record);
            let versions = records.filter(|record| record.seq <= known.position().seq).map(|record| {
                Version { seq: record.seq, op: record.op, event: record.content.event().cloned() }
            });
            histories.insert(id.clone(), versions.collect());
        }
        Ok(histories)
    }
}
