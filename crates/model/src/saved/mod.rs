//! An answer that was saved and is read back: `annals/snapshot/1` from a file.
//!
//! What a file says is never trusted for being there. It carries hashes of itself, which show an alteration by
//! accident or by hand; and it says which question it answers from which records, so that the question can be
//! asked again. [`Check`] holds the file against the answer of today.
//!
//! Fields that this version does not know are read over here; to the hash and to the check they are part of the
//! file like all others.

mod check;
mod erased;
mod json;

use std::collections::BTreeMap;

use serde::Deserialize;

pub use check::{CHECK_SCHEMA, Check, Difference, Finding, LogNow, Redaction, ValueChange, Why};
pub use erased::{Erasure, REDACTED_SCHEMA, WithoutAnswer};
pub use json::Json;

use crate::{
    AsOf, Certainty, Date, Filter, Invalid, KnownAt, Question, Receipt, SCHEMA, Seq, TimelineName,
    canonical_sha256,
};

/// A saved answer, as its file has it.
#[derive(Clone, Debug)]
pub struct SavedSnapshot {
    question: Question,
    receipt: Receipt,
    faults: Vec<String>,
    json: Json,
    erasure: Option<Erasure>,
}

/// The fields that a question is made of, and the hashes.
#[derive(Deserialize)]
struct Head {
    schema: String,
    timeline: TimelineName,
    as_of: Date,
    as_of_until: String,
    known_at: SeqOnly,
    certainty: Certainty,
    #[serde(default)]
    filter: Filter,
    #[serde(default)]
    entities: Vec<String>,
    receipt: Receipt,
    answer_sha256: String,
}

#[derive(Deserialize)]
struct SeqOnly {
    seq: Seq,
}

impl SavedSnapshot {
    /// Reads the JSON of a snapshot. That it can be read does not say that it is right: see [`Self::faults`].
    ///
    /// # Errors
    ///
    /// The text is not the JSON of a snapshot, or of a kind that this version does not know.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = |error: serde_json::Error| {
            Invalid::new(format!("this is not a snapshot: {error}"))
                .with_hint("a snapshot is what `annals replay --format json` prints, as it was printed")
        };
        // One tree after the other: answers are large. This one bounds the depth of the other, too.
        let mut value: serde_json::Value = serde_json::from_str(text).map_err(invalid)?;
        if value["schema"] == REDACTED_SCHEMA {
            let json = serde_json::from_str(text).map_err(invalid)?;
            return Self::without_its_answer(serde_json::from_str(text).map_err(invalid)?, json);
        }
        let head: Head = serde_json::from_str(text).map_err(invalid)?;
        if head.schema != SCHEMA {
            return Err(Invalid::new(format!("the snapshot has the schema {:?}", head.schema))
                .with_hint(format!("this version reads {SCHEMA}")));
        }
        let faults = faults(&head, &mut value).map_err(invalid)?;
        drop(value);
        let json: Json = serde_json::from_str(text).map_err(invalid)?;
        let question = Question {
            timeline: head.timeline,
            as_of: AsOf::new(head.as_of).map_err(|e| e.under("as_of"))?,
            known_at: KnownAt::Position(head.receipt.seq),
            certainty: head.certainty,
            filter: head.filter,
            entities: head.entities,
        };
        Ok(Self { question, receipt: head.receipt, faults, json, erasure: None })
    }

    /// What is left of an answer that was erased.
    fn without_its_answer(left: WithoutAnswer, json: Json) -> Result<Self, Invalid> {
        let receipt = left.receipt();
        let question = Question {
            timeline: left.timeline,
            as_of: AsOf::new(left.as_of).map_err(|e| e.under("as_of"))?,
            known_at: KnownAt::Position(receipt.seq),
            certainty: left.certainty,
            filter: left.filter,
            entities: left.entities,
        };
        Ok(Self { question, receipt, faults: Vec::new(), json, erasure: Some(left.redacted) })
    }

    /// The redaction that took the answer away, if one did: then only the question is left.
    pub const fn erasure(&self) -> Option<&Erasure> {
        self.erasure.as_ref()
    }

    /// What is to be left of it once an event that it depends on is redacted.
    pub fn without_answer(&self, by: &Erasure) -> WithoutAnswer {
        WithoutAnswer::new(&self.question, &self.receipt, by)
    }

    /// The question that it says it answers; known at the position of its receipt.
    pub const fn question(&self) -> &Question {
        &self.question
    }

    /// Its receipt.
    pub const fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// By what the file itself shows that it was altered; nothing where it is as it was written.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    /// The file as JSON.
    pub const fn json(&self) -> &Json {
        &self.json
    }

    /// How many values its state holds.
    pub fn values(&self) -> usize {
        let state = self.json.get("state").and_then(Json::fields);
        state.into_iter().flat_map(|state| state.values()).filter_map(Json::fields).map(BTreeMap::len).sum()
    }
}

/// Where a file contradicts itself.
fn faults(head: &Head, value: &mut serde_json::Value) -> serde_json::Result<Vec<String>> {
    let mut faults = Vec::new();
    if canonical_sha256(&value["state"])? != head.receipt.state_sha256 {
        faults.push("the state is not the one whose hash the receipt has".to_owned());
    }
    if head.known_at.seq != head.receipt.seq {
        let (known_at, receipt) = (head.known_at.seq, head.receipt.seq);
        faults.push(format!("it is known at record {known_at}, and the receipt is of record {receipt}"));
    }
    if AsOf::new(head.as_of.clone()).is_ok_and(|as_of| as_of.until().to_string() != head.as_of_until) {
        faults.push(format!("{} does not end at {}", head.as_of, head.as_of_until));
    }
    if let Some(fields) = value.as_object_mut() {
        fields.remove("answer_sha256");
    }
    // The hash of the whole says so as well; it tells something of its own where nothing else does.
    if faults.is_empty() && canonical_sha256(value)? != head.answer_sha256 {
        faults.push("the question, the answer or its hash is not the one that was written".to_owned());
    }
    Ok(faults)
}
