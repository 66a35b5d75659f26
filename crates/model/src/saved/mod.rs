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
use std::io::{self, Write};

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

pub use check::{CHECK_SCHEMA, Check, Difference, Finding, LogNow, Redaction, ValueChange, Why};
pub use erased::{Erasure, REDACTED_SCHEMA, WithoutAnswer};
pub use json::Json;

use crate::canonical::canonical_parts;
use crate::line::hex;
use crate::{
    AsOf, Certainty, Date, Filter, Invalid, KnownAt, Question, Receipt, SCHEMA, Seq, Snapshot, TimelineName,
};

/// A saved answer, as its file has it.
#[derive(Clone, Debug)]
pub struct SavedSnapshot {
    question: Question,
    receipt: Receipt,
    faults: Vec<String>,
    /// The file, without white space. No tree is made of it before it is asked for: answers are large.
    text: String,
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

#[derive(Deserialize)]
struct Schema {
    schema: Option<String>,
}

/// The state, as it is written.
#[derive(Deserialize)]
struct Stated<'a> {
    #[serde(borrow)]
    state: Option<&'a RawValue>,
}

impl<'a> Stated<'a> {
    fn of(text: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }
}

impl SavedSnapshot {
    /// Reads the JSON of a snapshot. That it can be read does not say that it is right: see [`Self::faults`].
    ///
    /// # Errors
    ///
    /// The text is not the JSON of a snapshot, or of a kind that this version does not know.
    pub fn parse(text: impl Into<String>) -> Result<Self, Invalid> {
        let mut text = text.into();
        let invalid = |error: serde_json::Error| {
            Invalid::new(format!("this is not a snapshot: {error}"))
                .with_hint("a snapshot is what `annals replay --format json` prints, as it was printed")
        };
        json::check(&text).map_err(invalid)?;
        json::close_up(&mut text);
        let Schema { schema } = serde_json::from_str(&text).map_err(invalid)?;
        if schema.as_deref() == Some(REDACTED_SCHEMA) {
            return Self::without_its_answer(serde_json::from_str(&text).map_err(invalid)?, text);
        }
        let head: Head = serde_json::from_str(&text).map_err(invalid)?;
        if head.schema != SCHEMA {
            return Err(Invalid::new(format!("the snapshot has the schema {:?}", head.schema))
                .with_hint(format!("this version reads {SCHEMA}")));
        }
        let faults = faults(&head, &text).map_err(invalid)?;
        let question = Question {
            timeline: head.timeline,
            as_of: AsOf::new(head.as_of).map_err(|e| e.under("as_of"))?,
            known_at: KnownAt::Position(head.receipt.seq),
            certainty: head.certainty,
            filter: head.filter,
            entities: head.entities,
        };
        Ok(Self { question, receipt: head.receipt, faults, text, erasure: None })
    }

    /// What is left of an answer that was erased.
    fn without_its_answer(left: WithoutAnswer, text: String) -> Result<Self, Invalid> {
        let receipt = left.receipt();
        let question = Question {
            timeline: left.timeline,
            as_of: AsOf::new(left.as_of).map_err(|e| e.under("as_of"))?,
            known_at: KnownAt::Position(receipt.seq),
            certainty: left.certainty,
            filter: left.filter,
            entities: left.entities,
        };
        Ok(Self { question, receipt, faults: Vec::new(), text, erasure: Some(left.redacted) })
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
    ///
    /// # Errors
    ///
    /// None: what could be read as a snapshot is JSON.
    pub fn json(&self) -> serde_json::Result<Json> {
        Json::of_checked(&self.text)
    }

    /// Whether the file is to the letter what is written of an answer; white space is no matter.
    fn is_of(&self, answer: &Snapshot) -> bool {
        let mut rest = Rest(self.text.as_bytes());
        serde_json::to_writer(&mut rest, answer).is_ok() && rest.0.is_empty()
    }

    /// How many values its state holds.
    pub fn values(&self) -> usize {
        let count = |attributes: &RawValue| members(attributes).len();
        let state = Stated::of(&self.text).ok().and_then(|stated| stated.state);
        state.map_or(0, |state| members(state).into_values().map(count).sum())
    }
}

fn members(object: &RawValue) -> BTreeMap<String, &RawValue> {
    serde_json::from_str(object.get()).unwrap_or_default()
}

/// What is still to be written of a text.
struct Rest<'a>(&'a [u8]);

impl Write for Rest<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.strip_prefix(bytes).ok_or(io::ErrorKind::InvalidData)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where a file contradicts itself.
fn faults(head: &Head, text: &str) -> serde_json::Result<Vec<String>> {
    let mut faults = Vec::new();
    let state = Stated::of(text)?.state.map_or("null", RawValue::get);
    if hash(state, 1, None)? != head.receipt.state_sha256 {
        faults.push("the state is not the one whose hash the receipt has".to_owned());
    }
    if head.known_at.seq != head.receipt.seq {
        let (known_at, receipt) = (head.known_at.seq, head.receipt.seq);
        faults.push(format!("it is known at record {known_at}, and the receipt is of record {receipt}"));
    }
    if AsOf::new(head.as_of.clone()).is_ok_and(|as_of| as_of.until().to_string() != head.as_of_until) {
        faults.push(format!("{} does not end at {}", head.as_of, head.as_of_until));
    }
    // The hash of the whole says so as well; it tells something of its own where nothing else does.
    if faults.is_empty() && hash(text, 2, Some("answer_sha256"))? != head.answer_sha256 {
        faults.push("the question, the answer or its hash is not the one that was written".to_owned());
    }
    Ok(faults)
}

/// SHA-256 over the canonical JSON of a text, without one of its members.
fn hash(text: &str, levels: usize, left_out: Option<&str>) -> serde_json::Result<String> {
    let mut hash = Sha256::new();
    canonical_parts(text, levels, left_out, &mut |part| hash.update(part))?;
    Ok(hex(&hash.finalize()))
}
