//! Reading the log from end to end, one frame in memory at a time.

use annals_model::{RecordedAt, Seq};

use crate::codec::frame::{Frame, RawRecord};
use crate::log::Log;
use crate::merkle::{BLOCK, Frontier, Hash};
use crate::stored::StoredRecord;
use crate::{Damage, Error, Result};

/// Calls `visit` with every record from `from` to `to`, in order; both are included.
pub fn each_raw(
    log: &(impl Log + ?Sized),
    from: Seq,
    to: Seq,
    mut visit: impl FnMut(&RawRecord<'_>) -> Result<()>,
) -> Result<()> {
    if from > to {
        return Ok(());
    }
    let mut expected = from;
    for stored in log.frames(from) {
        let (first, bytes) = stored?;
        let frame = Frame::decode(first, &bytes)?;
        if first > expected || frame.last() < expected {
            return Err(missing(expected, Seq(first.0.saturating_sub(1)).max(expected)));
        }
        for raw in frame.records() {
            let raw = raw?;
            if raw.seq < from {
                continue;
            }
            if raw.seq > to {
                return Ok(());
            }
            visit(&raw)?;
        }
        expected = frame.last().next();
        if expected > to {
            return Ok(());
        }
    }
    Err(missing(expected, to))
}

/// Calls `visit` with every record from `from` to `to`, decoded.
pub fn each(
    log: &(impl Log + ?Sized),
    from: Seq,
    to: Seq,
    mut visit: impl FnMut(StoredRecord) -> Result<()>,
) -> Result<()> {
    each_raw(log, from, to, |raw| visit(StoredRecord::decode(raw)?))
}

/// Calls `visit` with the records at some positions, which come in order, decoded.
pub fn some(
    log: &(impl Log + ?Sized),
    seqs: impl IntoIterator<Item = Seq>,
    mut visit: impl FnMut(StoredRecord) -> Result<()>,
) -> Result<()> {
    let mut frame: Option<Frame> = None;
    for seq in seqs {
        let held = match frame.take().filter(|frame| frame.first() <= seq && seq <= frame.last()) {
            Some(frame) => frame,
            None => frame_of(log, seq)?,
        };
        visit(StoredRecord::decode(&frame.insert(held).record(seq)?)?)?;
    }
    Ok(())
}

/// One record.
pub fn one(log: &(impl Log + ?Sized), seq: Seq) -> Result<StoredRecord> {
    Ok(StoredRecord::decode(&frame_of(log, seq)?.record(seq)?)?)
}

/// The frame that holds a record.
pub fn frame_of(log: &(impl Log + ?Sized), seq: Seq) -> Result<Frame> {
    let (first, bytes) = log.frames(seq).next().ok_or_else(|| missing(seq, seq))??;
    let frame = Frame::decode(first, &bytes)?;
    if first > seq || frame.last() < seq {
        return Err(missing(seq, seq));
    }
    Ok(frame)
}

/// The last position whose record was recorded at `instant` or before; record times never go back.
pub fn position_at(log: &(impl Log + ?Sized), instant: RecordedAt) -> Result<Seq> {
    let (mut low, mut high) = (0, log.head()?.seq().0);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if recorded_at(log, Seq(middle))? <= instant {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok(Seq(low))
}

/// When a record was recorded.
pub fn recorded_at(log: &(impl Log + ?Sized), seq: Seq) -> Result<RecordedAt> {
    Ok(RecordedAt::from_micros(frame_of(log, seq)?.record(seq)?.head.recorded_at))
}

/// The Merkle root over the records up to `seq`: from the block roots, and the leaves of the block begun.
pub fn root_at(log: &(impl Log + ?Sized), seq: Seq) -> Result<Hash> {
    let head = log.head()?;
    if seq == head.seq() {
        return Ok(head.frontier.root());
    }
    let blocks = seq.0 / BLOCK;
    let mut frontier = Frontier::default();
    for index in 0..blocks {
        let root = log.block(index)?.ok_or_else(|| {
            let first = Seq(index * BLOCK + 1);
            Damage::of(first, Seq(first.0 + BLOCK - 1), "their block root is missing")
        })?;
        frontier.push_block(root);
    }
    each(log, Seq(blocks * BLOCK + 1), seq, |stored| {
        frontier.push(stored.leaf()?);
        Ok(())
    })?;
    Ok(frontier.root())
}

fn missing(first: Seq, last: Seq) -> Error {
    Damage::of(first, last, "missing from the log").into()
}
