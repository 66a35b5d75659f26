//! Reading the log from end to end, one frame in memory at a time.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use annals_model::{Op, RecordedAt, Seq, TimelineName};

use crate::codec::frame::{Frame, Packed, RawRecord, Unpacker};
use crate::codec::heads;
use crate::codec::leaf::op_number;
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
    each_frame(log, from, to, |packed, wanted| {
        for raw in Frame::unpack(packed)?.records() {
            let raw = raw?;
            if wanted.contains(&raw.seq) {
                visit(&raw)?;
            }
            if raw.seq >= *wanted.end() {
                break;
            }
        }
        Ok(())
    })
}

/// Calls `visit` with every frame that has records from `from` to `to`, in order, and with the records that are
/// wanted of it: those before were seen already.
pub(crate) fn each_frame(
    log: &(impl Log + ?Sized),
    from: Seq,
    to: Seq,
    mut visit: impl FnMut(&Packed<'_>, &RangeInclusive<Seq>) -> Result<()>,
) -> Result<()> {
    let mut gap: Option<(Seq, Seq)> = None;
    loop {
        let next = gap.map_or(from, |(first, _)| first);
        match up_to_gap(log, next, to, &mut visit)? {
            None => return Ok(()),
            // Frames may have been sealed under the reader: it asks for what it missed once more.
            Some(found) if gap.is_none_or(|(first, _)| found.0 > first) => gap = Some(found),
            Some(found) => {
                return Err(gap.map_or(missing(found.0, found.1), |(first, last)| missing(first, last)));
            }
        }
    }
}

/// Calls `visit` with the frames from `from` on, until a record is missing; gives which, or nothing at the end.
fn up_to_gap(
    log: &(impl Log + ?Sized),
    from: Seq,
    to: Seq,
    visit: &mut impl FnMut(&Packed<'_>, &RangeInclusive<Seq>) -> Result<()>,
) -> Result<Option<(Seq, Seq)>> {
    if from > to {
        return Ok(None);
    }
    let mut expected = from;
    for stored in log.frames(from) {
        let (first, bytes) = stored?;
        let packed = Packed::check(first, &bytes)?;
        if first > expected || packed.last() < expected {
            return Ok(Some((expected, Seq(first.0.saturating_sub(1)).max(expected))));
        }
        visit(&packed, &(expected..=packed.last().min(to)))?;
        expected = packed.last().next();
        if expected > to {
            return Ok(None);
        }
    }
    Ok(Some((expected, to)))
}

/// The same without what people read of the records: their details are empty.
pub(crate) fn each_without_details(
    log: &(impl Log + ?Sized),
    from: Seq,
    to: Seq,
    mut visit: impl FnMut(&RawRecord<'_>) -> Result<()>,
) -> Result<()> {
    let mut unpacker = Unpacker::new()?;
    let mut expected = from;
    for stored in log.frames(from) {
        let (first, bytes) = stored?;
        let packed = Packed::check(first, &bytes)?;
        if expected > to || first > expected || packed.last() < expected {
            break;
        }
        let (headers, claims) = (packed.heads(&mut unpacker)?, packed.claims(&mut unpacker)?);
        let mut rest = claims.as_slice();
        for (seq, head) in (first.0..=packed.last().0).map(Seq).zip(heads::heads(&headers)) {
            let damaged = |what: String| Damage::of(seq, packed.last(), what);
            let head = head.map_err(damaged)?;
            let (claims, later) = rest
                .split_at_checked(head.claims as usize)
                .ok_or_else(|| damaged("is cut short".to_owned()))?;
            rest = later;
            if seq == expected && seq <= to {
                visit(&RawRecord { seq, head, claims, details: &[] })?;
                expected = seq.next();
            }
        }
    }
    // What is left was moved while it was read, or is missing.
    each_raw(log, expected, to, visit)
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
    some_raw(log, seqs, |raw| visit(StoredRecord::decode(raw)?))
}

/// The same, not decoded further than their headers. A frame is decompressed once, and of its other records nothing is
/// looked at but their lengths.
pub(crate) fn some_raw(
    log: &(impl Log + ?Sized),
    seqs: impl IntoIterator<Item = Seq>,
    mut visit: impl FnMut(&RawRecord<'_>) -> Result<()>,
) -> Result<()> {
    let mut seqs = seqs.into_iter().peekable();
    while let Some(seq) = seqs.peek() {
        frame_of(log, *seq)?.some(&mut seqs, &mut visit)?;
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

/// What the headers say of the records of the frame that holds a record, in order.
pub(crate) fn heads_of(log: &(impl Log + ?Sized), seq: Seq) -> Result<Vec<heads::OfEvent>> {
    let (first, bytes) = log.frames(seq).next().ok_or_else(|| missing(seq, seq))??;
    let heads = heads::events(first, &bytes)?;
    match heads.last() {
        Some(last) if first <= seq && seq <= last.seq => Ok(heads),
        _ => Err(missing(seq, seq)),
    }
}

/// How many events each timeline has, from the records' headers.
pub fn event_counts(log: &(impl Log + ?Sized)) -> Result<BTreeMap<TimelineName, u64>> {
    let mut counts = BTreeMap::new();
    for stored in log.frames(Seq(1)) {
        let (first, bytes) = stored?;
        for event in heads::events(first, &bytes)?.into_iter().filter(|event| event.previous.is_none()) {
            match counts.get_mut(&event.timeline) {
                Some(count) => *count += 1,
                None => drop(counts.insert(event.timeline, 1)),
            }
        }
    }
    let named = |(name, count)| Ok((TimelineName::new(name)?, count));
    counts.into_iter().map(named).collect()
}

/// The redactions of a timeline, from the records' headers.
pub fn redactions(log: &(impl Log + ?Sized), timeline: &TimelineName) -> Result<Vec<Seq>> {
    let mut found = Vec::new();
    for stored in log.frames(Seq(1)) {
        let (first, bytes) = stored?;
        let redacts =
            |event: &heads::OfEvent| event.op == op_number(Op::Redact) && event.timeline == timeline.as_str();
        found.extend(heads::events(first, &bytes)?.into_iter().filter(redacts).map(|event| event.seq));
    }
    Ok(found)
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
