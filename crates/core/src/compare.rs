//! Comparing two answers of one log: as of two dates, as known at two moments, or both.

use annals_model::{AsOf, Diff, KnownAt, Question};

use crate::Result;
use crate::log::Log;
use crate::store::Store;

impl<L: Log> Store<L> {
    /// What changed from the question's own date and point of knowledge to others, and by which events.
    pub fn diff(&self, question: &Question, as_of: &AsOf, known_at: KnownAt) -> Result<Diff> {
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
}
