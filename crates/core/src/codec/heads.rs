//! The headers of a frame's records by themselves: what they say of events is read without the contents.

use annals_model::Seq;

use super::frame::{Packed, Unpacker};
use super::v1;
use crate::{Damage, Error};

/// The records' headers, in the section of a frame that holds them ([`Packed::heads`]). They are covered by the
/// checksum of the frame.
pub fn heads(section: &[u8]) -> impl Iterator<Item = Result<v1::Head<'_>, String>> {
    let mut rest = section;
    std::iter::from_fn(move || {
        let (length, behind) = rest.split_first_chunk::<2>()?;
        let Some((head, behind)) = behind.split_at_checked(usize::from(u16::from_le_bytes(*length))) else {
            rest = &[];
            return Some(Err("is cut short".to_owned()));
        };
        rest = behind.get(4..).unwrap_or_default();
        Some(v1::decode(head))
    })
}

/// One of the records' headers in such a section, by its index; nothing where there is none.
pub fn head(section: &[u8], index: usize) -> Option<Result<v1::Head<'_>, String>> {
    let mut rest = section;
    for _ in 0..index {
        let (length, behind) = rest.split_first_chunk::<2>()?;
        rest = behind.get(usize::from(u16::from_le_bytes(*length)) + 4..)?;
    }
    heads(rest).next()
}

/// What the header of a record says of its event.
#[derive(Clone, Debug)]
pub struct OfEvent {
    /// The record's position in the log.
    pub seq: Seq,
    /// What it does, as it is stored.
    pub op: u8,
    /// The event's record before it.
    pub previous: Option<Seq>,
    /// The event's timeline.
    pub timeline: String,
    /// The event's id.
    pub id: String,
}

/// What the headers of a frame's records say of their events. Nothing else of the frame is decompressed.
pub fn events(first: Seq, bytes: &[u8]) -> Result<Vec<OfEvent>, Damage> {
    let packed = Packed::check(first, bytes)?;
    let last = packed.last();
    let damaged = |e: Error| Damage::of(first, last, format!("its frame does not decompress: {e}"));
    let section = packed.heads(&mut Unpacker::new().map_err(damaged)?)?;
    let mut found = Vec::new();
    for (number, head) in (first.0..=last.0).zip(heads(&section)) {
        let seq = Seq(number);
        let head = head.map_err(|what| Damage::of(seq, last, format!("its header is unreadable: {what}")))?;
        found.push(OfEvent {
            seq,
            op: head.op,
            previous: (head.previous != 0).then_some(Seq(head.previous)),
            timeline: head.timeline.to_owned(),
            id: head.id.to_owned(),
        });
    }
    let behind = Seq(first.0 + found.len() as u64);
    if behind <= last {
        return Err(Damage::of(behind, last, "is cut short"));
    }
    Ok(found)
}
