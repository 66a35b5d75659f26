//! Sealing: the small frames of a block that is complete become as few as the limits allow.
//!
//! An append of one record writes a frame of one. The commit that completes a block of 256 records puts larger,
//! compressed frames in the place of the small ones, in the same transaction, so that a log that grew event by
//! event ends up as one that was imported. The records stay as they are, byte for byte: what takes their place is
//! held against the block's root before anything is given up. A block that cannot be read is left alone; `verify`
//! names it.

use std::collections::BTreeSet;

use annals_model::Seq;

use crate::codec::frame::{Encoded, Frame, pack};
use crate::log::{Log, StoredFrame};
use crate::merkle::{BLOCK, Frontier, Hash};
use crate::stored::StoredRecord;
use crate::{Error, Result, erase};

/// Frames that are given up, and those that have their records.
#[derive(Debug, Default)]
pub struct Sealed {
    /// The frames that are given up, by their first record.
    pub removed: Vec<Seq>,
    /// What takes their place.
    pub frames: Vec<StoredFrame>,
}

/// Seals the block `index`, which the records from `first` on complete; `new` is where their frames begin. Of its older
/// records those in `erased` lose their content.
///
/// Nothing is sealed where the block begins with these records, where it would not have fewer frames, or where its
/// older records are damaged.
pub fn begun_block(
    log: &(impl Log + ?Sized),
    index: u64,
    root: &Hash,
    first: Seq,
    records: &[Encoded],
    new: impl Iterator<Item = Seq>,
    erased: &BTreeSet<Seq>,
) -> Result<Sealed> {
    let (begin, end) = (Seq(index * BLOCK + 1), Seq((index + 1) * BLOCK));
    if begin >= first {
        return Ok(Sealed::default());
    }
    let (mut removed, mut encoded) = match older(log, begin, first) {
        Err(Error::Damaged(_)) => return Ok(Sealed::default()),
        other => other?,
    };
    erase::records(begin, &mut encoded, erased)?;
    removed.extend(new.take_while(|first| *first <= end));
    let missing = usize::try_from(end.0 - first.0 + 1).unwrap_or(usize::MAX);
    encoded.extend(records.iter().take(missing).cloned());
    let frames = pack(begin, &encoded)?;
    let fits = frames.len() < removed.len() && block_root(&frames).is_some_and(|found| found == *root);
    Ok(if fits { Sealed { removed, frames } } else { Sealed::default() })
}

/// The frames from `begin` up to the record before `end`, and their records.
fn older(log: &(impl Log + ?Sized), begin: Seq, end: Seq) -> Result<(Vec<Seq>, Vec<Encoded>)> {
    let (mut removed, mut encoded) = (Vec::new(), Vec::new());
    for stored in log.frames(begin) {
        let (first, bytes) = stored?;
        if first >= end {
            break;
        }
        removed.push(first);
        encoded.extend(Frame::decode(first, &bytes)?.encoded()?);
    }
    Ok((removed, encoded))
}

/// The root over the records of frames, decoded again; nothing unless they are a whole block.
fn block_root(frames: &[StoredFrame]) -> Option<Hash> {
    let mut frontier = Frontier::default();
    let mut root = None;
    for (first, bytes) in frames {
        for raw in Frame::decode(*first, bytes).ok()?.records() {
            root = frontier.push(StoredRecord::decode(&raw.ok()?).ok()?.leaf().ok()?);
        }
    }
    root.filter(|_| frontier.count() == BLOCK)
}
