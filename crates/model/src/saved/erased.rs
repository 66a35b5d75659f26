//! What is left of a saved answer once an event that it depended on was redacted: `annals/snapshot-redacted/1`.
//!
//! The question stays, and from which records it was answered, so that it can be asked again. The answer goes, and with
//! it the hashes over it: they are not salted, so that an answer of few possible values could be found by trying them
//! all.

use serde::{Deserialize, Serialize};

use crate::{Certainty, Date, EventId, Filter, Question, Receipt, Seq, TimelineName};

/// The name of the JSON form.
pub const REDACTED_SCHEMA: &str = "annals/snapshot-redacted/1";

/// The redaction that took an answer away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// An event that the answer depended on.
    pub id: EventId,
    /// The record that redacted it.
    pub seq: Seq,
}

/// What is left of an answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WithoutAnswer {
    /// [`REDACTED_SCHEMA`].
    schema: String,
    pub(super) timeline: TimelineName,
    pub(super) as_of: Date,
    pub(super) certainty: Certainty,
    #[serde(default, skip_serializing_if = "Filter::is_empty")]
    pub(super) filter: Filter,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) entities: Vec<String>,
    receipt: Prefix,
    pub(super) redacted: Erasure,
}

/// Which records were known.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Prefix {
    seq: Seq,
    log_root: String,
}

impl WithoutAnswer {
    pub(super) fn new(question: &Question, receipt: &Receipt, by: &Erasure) -> Self {
        Self {
            schema: REDACTED_SCHEMA.to_owned(),
            timeline: question.timeline.clone(),
            as_of: question.as_of.date().clone(),
            certainty: question.certainty,
            filter: question.filter.clone(),
            entities: question.entities.clone(),
            receipt: Prefix { seq: receipt.seq, log_root: receipt.log_root.clone() },
            redacted: by.clone(),
        }
    }

    /// The receipt, without the hash of the state.
    pub(super) fn receipt(&self) -> Receipt {
        let Prefix { seq, log_root } = self.receipt.clone();
        Receipt { seq, log_root, state_sha256: String::new() }
    }
}
