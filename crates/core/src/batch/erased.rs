//! What a batch does about content that is gone, or goes: redactions, and records of another log that were redacted
//! there.

use annals_model::{Invalid, Op, Outcome, Seq};

use super::{Batch, Carried};
use crate::log::{EventEntry, Log};
use crate::merkle::Hash;
use crate::store::Failed;
use crate::{Error, Result};

impl<L: Log + ?Sized> Batch<'_, L> {
    /// The event's record that did the same with the content that a commitment is of.
    pub(super) fn committed(&mut self, entry: EventEntry, op: Op, commitment: &Hash) -> Result<Option<Seq>> {
        let mut next = Some(entry.last);
        while let Some(seq) = next {
            let (stored, before) = self.read_back(seq)?;
            if stored.record.op == op && stored.commitment()? == *commitment {
                return Ok(Some(seq));
            }
            next = before;
        }
        Ok(None)
    }

    /// Notes the event's records before its redaction, those of the batch itself included: their content goes.
    pub(super) fn erase(&mut self, last: Option<EventEntry>) -> Result<()> {
        let mut next = last.map(|entry| entry.last);
        while let Some(seq) = next {
            let (stored, before) = self.read_back(seq)?;
            if stored.salt().is_some() {
                self.erased.insert(seq);
            }
            next = before;
        }
        Ok(())
    }
}

impl Carried {
    /// Records that came without their content have to be followed by the redaction that says why.
    pub(super) fn unexplained(&self) -> Option<Failed> {
        let (_, index) = self.bare.iter().min_by_key(|(_, index)| **index)?;
        let invalid = Invalid::new("its content was redacted, and the redaction does not follow").with_hint(
            "take the whole log over at once: export it without --known-at, import it without --chunk",
        );
        Some(Failed { index: Some(*index), error: invalid.into() })
    }
}

/// The outcome for a record that was there.
pub(super) const fn already(op: Op) -> Outcome {
    match op {
        Op::Append => Outcome::AlreadyAppended,
        Op::Revise => Outcome::AlreadyRevised,
        Op::Retract => Outcome::AlreadyRetracted,
        Op::Redact => Outcome::AlreadyRedacted,
    }
}

/// Why a record that has lost its content cannot be recorded as a new one.
pub(super) fn without_content() -> Error {
    let invalid = Invalid::new("its content was redacted: there is nothing to record");
    invalid
        .with_hint(
            "only a whole log that keeps its record times takes such records over: --keep-record-times",
        )
        .into()
}
