//! Erasing: what a redaction does to the records of its event that stand before it.
//!
//! Nothing is taken out of the log: a record that is erased keeps its place, its header and the commitment to its
//! content, so that its leaf, and every root and proof over it, stays what it was. Its claims, details and salt go.
//! The frame that holds it is written anew, with its other records byte for byte as they were. **No frame is given up
//! before the leaves of what takes its place were found equal.** What else repeats content is
//! [`Store`](crate::Store)'s business: see `erased.rs`.

use std::collections::BTreeSet;

use annals_model::{Content, Seq};

use crate::codec::frame::{Encoded, Frame, Packed, pack};
use crate::codec::v1::Seal;
use crate::log::{Log, StoredFrame};
use crate::merkle::Hash;
use crate::sealing::decode;
use crate::stored::StoredRecord;
use crate::{Damage, Result, scan};

impl StoredRecord {
    /// The record without its content and its salt. Its leaf stays the same.
    pub fn erased(mut self) -> Result<Self> {
        self.seal = Seal::Commitment(self.commitment()?);
        self.record.content = Content::Redacted;
        Ok(self)
    }
}

/// Erases those of some neighbouring records that are to be, the first of which is `first`.
pub fn records(first: Seq, records: &mut [Encoded], erased: &BTreeSet<Seq>) -> Result<()> {
    let end = Seq(first.0 + records.len() as u64);
    for seq in erased.range(first..end) {
        let at = usize::try_from(seq.0 - first.0).ok();
        if let Some(record) = at.and_then(|at| records.get_mut(at)) {
            *record = decode(*seq, record)?.erased()?.encode()?;
        }
    }
    Ok(())
}

/// The frames, with what is to be erased in them gone.
pub fn frames(frames: Vec<StoredFrame>, erased: &BTreeSet<Seq>) -> Result<Vec<StoredFrame>> {
    if erased.is_empty() {
        return Ok(frames);
    }
    let mut done = Vec::with_capacity(frames.len());
    for (first, bytes) in frames {
        let last = Packed::check(first, &bytes)?.last();
        if erased.range(first..=last).next().is_some() {
            done.extend(anew(&Frame::decode(first, &bytes)?, erased)?);
        } else {
            done.push((first, bytes));
        }
    }
    Ok(done)
}

/// The log's own frames that hold what is to be erased before the record `end`, written anew, from the record `from`
/// on. They keep their keys; one that grew beyond a frame's limits becomes two.
pub fn in_log(
    log: &(impl Log + ?Sized),
    erased: &BTreeSet<Seq>,
    from: Seq,
    end: Seq,
) -> Result<Vec<StoredFrame>> {
    let mut done = Vec::new();
    let mut next = from;
    while let Some(seq) = erased.range(next.min(end)..end).next() {
        let frame = scan::frame_of(log, *seq)?;
        next = frame.last().next();
        done.extend(anew(&frame, erased)?);
    }
    Ok(done)
}

/// A frame's records, packed without what is to be erased.
fn anew(frame: &Frame, erased: &BTreeSet<Seq>) -> Result<Vec<StoredFrame>> {
    let mut encoded = frame.encoded()?;
    records(frame.first(), &mut encoded, erased)?;
    let packed = pack(frame.first(), &encoded)?;
    let mut found = Vec::with_capacity(encoded.len());
    for (first, bytes) in &packed {
        found.extend(leaves(&Frame::decode(*first, bytes)?)?);
    }
    if found == leaves(frame)? {
        Ok(packed)
    } else {
        let (first, last) = (frame.first(), frame.last());
        Err(Damage::of(first, last, "their leaves change when content is erased: nothing was erased").into())
    }
}

/// The leaves of a frame's records.
fn leaves(frame: &Frame) -> Result<Vec<Hash>> {
    frame.records().map(|raw| StoredRecord::decode(&raw?)?.leaf()).collect()
}
