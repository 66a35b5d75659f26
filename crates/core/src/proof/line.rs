//! The leaf of a record as it is exported: what anybody can compute from a line of JSON with SHA-256 alone.
//!
//! A line is what [`of`] writes, byte for byte: the record's fields, then those of its event. The commitment covers
//! the event's part as text, so that nothing has to be understood of it, and every field in front of it is in the
//! leaf. A line with anything else in it, in another order or spelling, is refused: what people read in a line is
//! then always what the leaf covers.

use annals_model::{Op, RecordedAt, Seq};
use serde::{Deserialize, Serialize};

use super::{Refusal, Step, unhex};
use crate::codec::leaf::{LeafHead, Salt, commitment};
use crate::merkle::Hash;
use crate::stored::StoredRecord;

/// A record read from a line, with its leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The record's position.
    pub seq: Seq,
    /// When it was recorded.
    pub recorded_at: RecordedAt,
    /// Who recorded it.
    pub recorded_by: String,
    /// What it does.
    pub op: Op,
    /// The timeline that it belongs to.
    pub timeline: String,
    /// The event that it is about.
    pub id: String,
    /// The title of the event, where the record has one.
    pub title: Option<String>,
    /// The date of the event, where the record has one.
    pub date: Option<String>,
    /// Whether its content has been erased.
    pub redacted: bool,
    /// The hash of the leaf.
    pub hash: Hash,
}

/// The line of a record: with its salt, or with its commitment once it was redacted.
pub fn of(stored: &StoredRecord) -> serde_json::Result<String> {
    stored.line()
}

/// The fields of a record in a line, in their order; the event's follow behind them.
#[derive(Deserialize, Serialize)]
struct Head {
    seq: u64,
    recorded_at: String,
    recorded_by: String,
    op: Op,
    timeline: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
}

/// What is read of the rest; an event has more, which is text here.
#[derive(Deserialize)]
struct Rest {
    id: String,
    reason: Option<String>,
    title: Option<String>,
    date: Option<String>,
    #[serde(default)]
    redacted: bool,
}

/// A record whose content is gone: every field is in the leaf.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Erased {
    #[serde(rename = "seq")]
    _seq: u64,
    #[serde(rename = "recorded_at")]
    _recorded_at: String,
    #[serde(rename = "recorded_by")]
    _recorded_by: String,
    #[serde(rename = "op")]
    _op: Op,
    #[serde(rename = "timeline")]
    _timeline: String,
    #[serde(rename = "id")]
    _id: String,
    #[serde(rename = "redacted")]
    _redacted: bool,
    commitment: String,
}

/// Reads a line and computes its leaf.
pub fn read(line: &str) -> Result<Leaf, Refusal> {
    let head: Head = parse(line)?;
    let rest: Rest = parse(line)?;
    let recorded_at = head.recorded_at.parse::<RecordedAt>().map_err(|e| refuse(e.to_string()))?;
    if recorded_at.to_string() != head.recorded_at {
        return Err(refuse("the record time is not written as a log writes it"));
    }
    let bound = if rest.redacted { erased(line)? } else { bound(&head, &rest, line)? };
    let leaf = LeafHead {
        seq: Seq(head.seq),
        recorded_at,
        recorded_by: &head.recorded_by,
        op: head.op,
        timeline: &head.timeline,
        id: &rest.id,
    };
    let hash = leaf.leaf(&bound);
    Ok(Leaf {
        seq: Seq(head.seq),
        recorded_at,
        op: head.op,
        title: rest.title,
        date: rest.date,
        redacted: rest.redacted,
        id: rest.id,
        recorded_by: head.recorded_by,
        timeline: head.timeline,
        hash,
    })
}

/// The commitment that a line without content carries.
fn erased(line: &str) -> Result<Hash, Refusal> {
    let Erased { commitment, .. } = parse(line)?;
    unhex(&commitment).ok_or_else(|| refuse("the commitment is not a SHA-256 value"))
}

/// The commitment to the content that a line has.
fn bound(head: &Head, rest: &Rest, line: &str) -> Result<Hash, Refusal> {
    let unusual = || refuse("the line is not written as a log writes it");
    let salt = head.salt.as_deref().and_then(salt_of);
    let salt = salt.ok_or_else(|| refuse("the line has no salt of 32 hexadecimal digits"))?;
    // The fields in front are all there, once and in their order, if and only if they can be written again.
    let front = serde_json::to_string(head).map_err(|e| refuse(e.to_string()))?;
    let text = line.strip_prefix(&front[..front.len() - 1]).and_then(|rest| rest.strip_prefix(','));
    let text = text.ok_or_else(unusual)?;
    match (&rest.reason, head.op) {
        (Some(reason), Op::Retract | Op::Redact) => {
            let quoted = |text: &str| serde_json::to_string(text).map_err(|e| refuse(e.to_string()));
            let (id, reason) = (quoted(&rest.id)?, quoted(reason)?);
            if text != format!("\"id\":{id},\"reason\":{reason}}}") {
                return Err(unusual());
            }
            Ok(commitment(&salt, format!("{{\"reason\":{reason}}}").as_bytes()))
        }
        (None, Op::Append | Op::Revise) => Ok(commitment(&salt, format!("{{{text}").as_bytes())),
        _ => Err(refuse("the content does not go with the operation")),
    }
}

fn parse<'a, T: Deserialize<'a>>(line: &'a str) -> Result<T, Refusal> {
    serde_json::from_str(line).map_err(|e| refuse(format!("the line is not a record: {e}")))
}

fn refuse(what: impl Into<String>) -> Refusal {
    Refusal::at(Step::Record, what)
}

fn salt_of(digits: &str) -> Option<Salt> {
    let whole = unhex(&format!("{digits:0<64}")).filter(|_| digits.len() == 32)?;
    whole[..16].try_into().ok()
}
