//! Comparing two answers of one log: as of two dates, as known at two moments, or both; and a saved answer with
//! the one that the log gives today.

use annals_model::saved::{Check, LogNow, Redaction};
use annals_model::{AsOf, Diff, KnownAt, Op, Question, SavedSnapshot, Seq, Snapshot, Version};

use crate::known::Known;
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
            if is_there
                && self.index().is_some_and(|index| matches!(index.has_redactions(self.log()), Ok(false)))
            {
                // Without redactions there is nothing to tell but the answer, which needs no look at every event.
                let question = Question { known_at: KnownAt::Position(seq), ..question.clone() };
                now.answer = Some(self.replay(&question)?);
            } else if is_there {
                let known = self.known(&question.timeline, KnownAt::Position(seq))?;
                now.answer = Some(Snapshot::answer(question, &known.knowledge()).map_err(failed)?);
                now.redacted = self.redacted_since(question, &known)?;
            }
        }
        Check::of(saved, &now).map_err(failed)
    }

    /// The events that counted at a position, and whose content was erased since.
    fn redacted_since(&self, question: &Question, known: &Known) -> Result<Vec<Redaction>> {
        let mut found = Vec::new();
        for gone in known.withdrawn().iter().filter(|gone| gone.op == Op::Redact) {
            let entry = self.log().event(&question.timeline, &gone.id)?;
            let by = entry.filter(|entry| entry.last_op == Op::Redact).map_or(Seq(0), |entry| entry.last);
            if by > known.position().seq {
                found.push(Redaction { id: gone.id.clone(), of: gone.seq, by });
            }
        }
        Ok(found)
    }
}
