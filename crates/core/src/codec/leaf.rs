//! What a log leaf covers: the record's header and a hiding commitment to its content.
//!
//! The commitment is a hash over a salt and the content's JSON, so that a redaction can destroy both and every
//! root over the leaf still stands; without the salt nobody can try out contents. The content is committed to
//! as JSON and not as the stored bytes: whoever checks an exported record needs a hash function and no decoder.

use annals_model::{Content, Event, Op, Record, RecordedAt, Seq};
use sha2::{Digest, Sha256};

use super::v1;
use crate::merkle::{Hash, leaf_hash};

/// The salt of a record's commitment.
pub type Salt = [u8; 16];

const COMMITMENT_PREFIX: &[u8] = b"annals-commitment-1\0";
const LEAF_VERSION: u8 = 1;
/// Bytes that an event's JSON seldom exceeds.
const USUAL: usize = 1024;

/// The JSON that a record's commitment covers: the event, or an object with the reason; `None` once redacted.
pub fn content_json(content: &Content) -> Result<Option<Vec<u8>>, String> {
    match content {
        Content::Event(event) => event_json(event).map(Some),
        Content::Reason(reason) => {
            let json = serde_json::to_vec(&std::collections::BTreeMap::from([("reason", reason)]));
            json.map(Some).map_err(|e| e.to_string())
        }
        Content::Redacted => Ok(None),
    }
}

/// The JSON of an event, which the commitment of its record covers.
pub fn event_json(event: &Event) -> Result<Vec<u8>, String> {
    let mut json = Vec::with_capacity(USUAL);
    event.write_json(&mut json).map_err(|e| e.to_string())?;
    Ok(json)
}

/// The hiding commitment to a content.
pub fn commitment(salt: &Salt, content_json: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(COMMITMENT_PREFIX);
    hasher.update(salt);
    hasher.update(content_json);
    hasher.finalize().into()
}

/// What a leaf covers beside the commitment.
#[derive(Clone, Copy, Debug)]
pub struct LeafHead<'a> {
    /// The record's position.
    pub seq: Seq,
    /// When it was recorded.
    pub recorded_at: RecordedAt,
    /// Who recorded it.
    pub recorded_by: &'a str,
    /// What it does.
    pub op: Op,
    /// The timeline that it belongs to.
    pub timeline: &'a str,
    /// The event that it is about.
    pub id: &'a str,
}

/// The hash of a record's leaf.
pub fn record_leaf(record: &Record, commitment: &Hash) -> Hash {
    let Record { seq, recorded_at, recorded_by, timeline, id, op, .. } = record;
    let (timeline, id) = (timeline.as_str(), id.as_str());
    let head = LeafHead { seq: *seq, recorded_at: *recorded_at, recorded_by, op: *op, timeline, id };
    head.leaf(commitment)
}

impl LeafHead<'_> {
    /// The hash of the leaf.
    pub fn leaf(&self, commitment: &Hash) -> Hash {
        let mut data = Vec::with_capacity(128);
        data.extend([LEAF_VERSION, op_number(self.op), v1::SCHEMA]);
        data.extend(self.seq.0.to_be_bytes());
        data.extend(self.recorded_at.micros().to_be_bytes());
        for text in [self.timeline, self.id, self.recorded_by] {
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
            data.extend(length.to_be_bytes());
            data.extend(text.as_bytes());
        }
        data.extend(commitment);
        leaf_hash(&data)
    }
}

/// The number that stands for an operation in the bytes.
pub const fn op_number(op: Op) -> u8 {
    match op {
        Op::Append => 1,
        Op::Revise => 2,
        Op::Retract => 3,
        Op::Redact => 4,
    }
}

/// The operation that a number stands for.
pub const fn op_of(number: u8) -> Option<Op> {
    Some(match number {
        1 => Op::Append,
        2 => Op::Revise,
        3 => Op::Retract,
        4 => Op::Redact,
        _ => return None,
    })
}
