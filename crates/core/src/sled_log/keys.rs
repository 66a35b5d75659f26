//! Keys and small values of the trees. Byte order of the keys is the order of what they stand for.

use annals_model::{EventId, RecordedAt, Seq, TimelineName};

use crate::codec::leaf::op_of;
use crate::log::{EventEntry, Head};
use crate::merkle::{Frontier, Hash};

/// The key of the log's head in the tree `meta`.
pub const HEAD: &[u8] = b"head";
/// The key of the manifest of the index of ids there.
pub const IDS: &[u8] = b"ids";
/// The mark there that frames, blocks and parts of runs may stand behind the log's end, which are no part of it.
pub const STAGED: &[u8] = b"staged";

const HEAD_VERSION: u8 = 1;
/// Stands between a timeline's name and an id, neither of which can hold it.
const SEPARATOR: u8 = 0;

/// A number whose byte order is its own order.
pub const fn number(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// The number in a key or a value.
pub fn read_number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

/// The key of an event.
pub fn event(timeline: &TimelineName, id: &EventId) -> Vec<u8> {
    let mut key = event_prefix(timeline);
    key.extend(id.as_str().as_bytes());
    key
}

/// What the keys of a timeline's events begin with.
pub fn event_prefix(timeline: &TimelineName) -> Vec<u8> {
    let mut key = timeline.as_str().as_bytes().to_vec();
    key.push(SEPARATOR);
    key
}

/// The id in an event's key.
pub fn read_event_id(prefix: &[u8], key: &[u8]) -> Option<EventId> {
    let id = std::str::from_utf8(key.strip_prefix(prefix)?).ok()?;
    EventId::new(id).ok()
}

/// The value of an event in the tree `events` of format 1: its first and last record, and what the last one does.
pub fn read_entry(value: &[u8]) -> Option<EventEntry> {
    let (first, rest) = value.split_at_checked(8)?;
    let (last, op) = rest.split_at_checked(8)?;
    let last_op = op_of(*op.first()?)?;
    Some(EventEntry { first: Seq(read_number(first)?), last: Seq(read_number(last)?), last_op })
}

/// Where the log ends: version, record time, count, roots, and a checksum over these.
pub fn head(head: &Head) -> Vec<u8> {
    let mut value = vec![HEAD_VERSION];
    let recorded_at = head.recorded_at.map_or(i64::MIN, RecordedAt::micros);
    value.extend(recorded_at.to_be_bytes());
    value.extend(head.frontier.count().to_be_bytes());
    value.extend(head.frontier.roots().as_flattened());
    value.extend(crc32c::crc32c(&value).to_be_bytes());
    value
}

/// The head in its value.
pub fn read_head(value: &[u8]) -> Option<Head> {
    let (fields, crc) = value.split_at_checked(value.len().checked_sub(4)?)?;
    if crc32c::crc32c(fields).to_be_bytes() != crc || *fields.first()? != HEAD_VERSION {
        return None;
    }
    let (recorded_at, rest) = fields[1..].split_at_checked(8)?;
    let (count, roots) = rest.split_at_checked(8)?;
    let recorded_at = i64::from_be_bytes(recorded_at.try_into().ok()?);
    let (roots, []) = roots.as_chunks::<{ size_of::<Hash>() }>() else {
        return None;
    };
    let frontier = Frontier::from_parts(read_number(count)?, roots.to_vec())?;
    Some(Head {
        frontier,
        recorded_at: (recorded_at != i64::MIN).then(|| RecordedAt::from_micros(recorded_at)),
    })
}
