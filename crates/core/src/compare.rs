//! Comparing two answers of one log: as of two dates, as known at two moments, or both; and a saved answer with
//! the one that the log gives today.

use std::collections::BTreeMap;

use annals_model::saved::{Check, LogNow, Redaction};
use annals_model::{AsOf, Diff, KnownAt, Op, Question, Record, SavedSnapshot, Seq, TimelineName, Version};

use crate::log::Log;
use crate::store::Store;
use crate::{Error, Result, scan};

impl<L: Log> Store<L> {
    /// What changed from the question's own date and point of knowledge to others, and by which events.
    ///
    /// With an index only the events are read that are responsible, and those that a filter admits.
    pub fn diff(&self, question: &Question, as_of: &AsOf, known_at: KnownAt) -> Result<Diff> {
        self.require(&question.timeline)?;
        match self.diff_of_claims(question, as_of, known_at) {
            Ok(Some(diff)) => return Ok(diff),
            // An index that cannot be written is no reason not to answer.
            Ok(None) | Err(Error::Unavailable { .. }) => {}
            Err(error) => return Err(error),
        }
        let from = self.known(&question.timeline, question.known_at)?;
        // The log is read once where both sides know the same.
        let other = if self.position(known_at)? == from.position() {
            None
        } else {
            Some(self.known(&question.timeline, known_at)?)
        };
        let to = other.as_ref().unwrap_or(&from);
        Ok(Diff::between(question, &from.side(&question.as_of), &to.side(as_of)))
    }

    /// Whether a saved answer is still what this log answers, and if not, why and what differs: its question is
    /// asked again of the records up to the position of its receipt.
    pub fn check(&self, saved: &SavedSnapshot) -> Result<Check> {
        let failed = |e: serde_json::Error| Error::io("cannot write the answer as JSON", e.into());
        let question = saved.question();
        let (end, seq) = (self.log().head()?.seq(), saved.receipt().seq);
        let mut now = LogNow { end, root: None, answer: None, redacted: Vec::new() };
        if seq <= end {
            now.root = Some(scan::root_at(self.log(), seq)?);
            let is_there = self.log().version(&question.timeline)? > Version(0);
            if is_there {
                let question = Question { known_at: KnownAt::Position(seq), ..question.clone() };
                now.answer = Some(self.replay(&question)?);
                now.redacted = self.redacted_since(&question.timeline, seq)?;
            }
        }
        Check::of(saved, &now).map_err(failed)
    }

    /// The events that counted at a position, and whose content was erased since, in the order in which they first entered
    /// the log.
    fn redacted_since(&self, timeline: &TimelineName, position: Seq) -> Result<Vec<Redaction>> {
        let mut found = BTreeMap::new();
        let later = self.redactions(timeline, position)?.into_iter().filter(|record| record.seq > position);
        for Record { seq: by, id, .. } in later {
            let records = self.chain(timeline, &id, by)?;
            let Some((place, of)) = records.first().zip(records.iter().rfind(|seq| **seq <= position)) else {
                continue;
            };
            // What had been retracted by then did not count.
            if scan::one(self.log(), *of)?.record.op != Op::Retract {
                found.insert(*place, Redaction { id, of: *of, by });
            }
        }
        Ok(found.into_values().collect())
    }
}
