//! The ids of a run's records, by record: facts do not repeat them, and whoever needs one of them reads no other fact.
//!
//! ```text
//! block    for 256 records: 1 where all ids are UUIDs, else 0; a bit for each record that has one, 32 bytes; the ids
//! id       16 bytes of a UUID, or length and text
//! ```
//!
//! Only records that say something about an attribute have one here.

use annals_model::EventId;

use super::bytes::{Input, put_bytes};
use crate::merkle::BLOCK;

const MARKS: usize = 32;
const UUID: usize = 16;

/// The id of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Id {
    /// A UUID in lower case, as the engine makes ids.
    Uuid([u8; UUID]),
    /// Any other text.
    Text(Box<str>),
}

impl Id {
    /// The id of an event.
    pub fn of(id: &EventId) -> Self {
        let mut buffer = uuid::Uuid::encode_buffer();
        match uuid::Uuid::try_parse(id.as_str()) {
            Ok(uuid) if *uuid.hyphenated().encode_lower(&mut buffer) == *id.as_str() => {
                Self::Uuid(uuid.into_bytes())
            }
            _ => Self::Text(id.as_str().into()),
        }
    }

    /// The same, as events have it.
    pub fn event(&self) -> Option<EventId> {
        match self {
            Self::Uuid(bytes) => {
                let mut buffer = uuid::Uuid::encode_buffer();
                let text = uuid::Uuid::from_bytes(*bytes).hyphenated().encode_lower(&mut buffer);
                EventId::new(&*text).ok()
            }
            Self::Text(text) => EventId::new(&**text).ok(),
        }
    }
}

/// Which block of ids a record's stands in, and where among its records.
pub fn place(seq: u64) -> Option<(u64, usize)> {
    let before = seq.checked_sub(1)?;
    Some((before / BLOCK, usize::try_from(before % BLOCK).ok()?))
}

/// A block of ids that is written.
#[derive(Debug, Default)]
pub struct Writer {
    found: Vec<(usize, Id)>,
}

impl Writer {
    /// Adds the id of a record; records come in order.
    pub fn push(&mut self, place: usize, id: Id) {
        self.found.push((place, id));
    }

    /// The block, after which the next one begins.
    pub fn take(&mut self) -> Vec<u8> {
        let are_uuids = self.found.iter().all(|(_, id)| matches!(id, Id::Uuid(_)));
        let mut bytes = vec![u8::from(are_uuids)];
        bytes.resize(1 + MARKS, 0);
        for (place, id) in self.found.drain(..) {
            bytes[1 + place / 8] |= 1 << (place % 8);
            match (id, are_uuids) {
                (Id::Uuid(uuid), true) => bytes.extend(uuid),
                (id, _) => {
                    let id = id.event();
                    put_bytes(&mut bytes, id.as_ref().map_or("", EventId::as_str).as_bytes());
                }
            }
        }
        bytes
    }
}

/// The id of a record, by its place in its block.
pub fn find(block: &[u8], place: usize) -> Option<Id> {
    let (kind, rest) = block.split_first()?;
    let (marks, ids) = rest.split_at_checked(MARKS)?;
    let (byte, bit) = (place / 8, place % 8);
    if marks.get(byte)? >> bit & 1 == 0 {
        return None;
    }
    let before = marks[..byte].iter().map(|marks| marks.count_ones()).sum::<u32>()
        + (marks[byte] & ((1 << bit) - 1)).count_ones();
    if *kind == 1 {
        let ids = ids.get(before as usize * UUID..)?;
        return Some(Id::Uuid(*ids.first_chunk()?));
    }
    let mut input = Input(ids);
    for _ in 0..before {
        input.bytes()?;
    }
    let text = std::str::from_utf8(input.bytes()?).ok()?;
    Some(Id::of(&EventId::new(text).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_by_their_records() {
        let uuid = |number: u128| EventId::new(uuid::Uuid::from_u128(number << 64).to_string()).unwrap();
        let text = |number: u128| EventId::new(format!("un-{number}")).unwrap();
        let upper = EventId::new("A0000000-0000-0000-0000-000000000000").unwrap();
        for make in [&uuid as &dyn Fn(u128) -> EventId, &text] {
            let mut writer = Writer::default();
            for place in (0..256).filter(|place| place % 3 != 1) {
                writer.push(place, Id::of(&make(place as u128)));
            }
            let block = writer.take();
            for place in 0..256 {
                let expect = (place % 3 != 1).then(|| make(place as u128));
                assert_eq!(find(&block, place).and_then(|id| id.event()), expect);
            }
            assert!(find(&block[..40], 255).is_none() && find(&[], 0).is_none());
        }
        assert_eq!(Id::of(&upper).event(), Some(upper));
    }
}
