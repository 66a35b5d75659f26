//! The second reading: the records that count, on several threads, into sorted runs.
//!
//! A thread takes one piece of the log after another. Where nothing is asked of an event, of a record only its
//! date is read here, and the rest goes into the run as it is stored.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use annals_model::date::Span;
use annals_model::{Date, Op, Seq, TimelineName};

use super::key::{self, Key, LENGTH};
use super::standing::Standings;
use super::{Room, Select};
use crate::codec::frame::{Packed, RawRecord, Unpacker};
use crate::codec::heads::heads;
use crate::codec::leaf::op_of;
use crate::codec::v1::{self, Head, Seal};
use crate::log::Log;
use crate::merkle::BLOCK;
use crate::runs::{Block, Runs, Spill};
use crate::stored::StoredRecord;
use crate::threads;
use crate::{Damage, Result, scan};

/// Records of a piece.
const PIECE: u64 = 16 * BLOCK;
/// Dates other than plain ones that are remembered.
const DATES: usize = 1024;

/// What is looked for.
pub struct Wanted<'a> {
    /// The timeline.
    pub timeline: &'a TimelineName,
    /// The last record that counts.
    pub to: Seq,
    /// What the headers said.
    pub standings: &'a Standings,
    /// Which events are wanted.
    pub select: Select<'a>,
}

/// Gathers the events, and counts those that count.
pub fn gather<L: Log>(log: &L, wanted: &Wanted<'_>, room: Room<'_>) -> Result<(Runs<LENGTH>, u64)> {
    let pieces = wanted.to.0.div_ceil(PIECE);
    let most = threads::count();
    let threads = usize::try_from(pieces / 2).unwrap_or(most).clamp(1, most);
    let spill = Spill::new(room.directory);
    let next = AtomicU64::new(0);
    let (kept, known) = (Mutex::new(Vec::new()), AtomicU64::new(0));
    threads::run(threads, || {
        let mut reader = Reader {
            wanted,
            unpacker: Unpacker::new()?,
            dates: HashMap::new(),
            block: Block::default(),
            share: room.bytes / threads,
            spill: &spill,
            known: 0,
        };
        loop {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= pieces {
                break;
            }
            let (first, last) = (Seq(piece * PIECE + 1), Seq((piece * PIECE + PIECE).min(wanted.to.0)));
            scan::each_frame(log, first, last, |packed, wanted| {
                reader.frame(packed, |seq| wanted.contains(&seq))
            })?;
        }
        known.fetch_add(reader.known, Ordering::Relaxed);
        reader.block.sort();
        kept.lock().unwrap_or_else(PoisonError::into_inner).push(reader.block);
        Ok(())
    })?;
    let kept = kept.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok((Runs::new(kept, spill), known.into_inner()))
}

/// One thread's reader.
struct Reader<'a> {
    wanted: &'a Wanted<'a>,
    unpacker: Unpacker,
    dates: HashMap<Box<str>, Span>,
    block: Block<LENGTH>,
    /// Bytes from which on the block is written.
    share: usize,
    spill: &'a Spill,
    known: u64,
}

impl Reader<'_> {
    fn frame(&mut self, packed: &Packed<'_>, is_wanted: impl Fn(Seq) -> bool) -> Result<()> {
        let headers = packed.heads(&mut self.unpacker)?;
        let claims = packed.claims(&mut self.unpacker)?;
        let details = packed.details(&mut self.unpacker)?;
        let (mut claims_at, mut details_at) = (0_usize, 0_usize);
        let mut seq = packed.first();
        for head in heads(&headers) {
            let damaged = |what: String| Damage::of(seq, packed.last(), what);
            let head = head.map_err(damaged)?;
            let mine = claims_at..claims_at.saturating_add(head.claims as usize);
            let told = details_at..details_at.saturating_add(head.details as usize);
            (claims_at, details_at) = (mine.end, told.end);
            if is_wanted(seq) && self.counts(seq, &head).map_err(damaged)? {
                let cut = || damaged("is cut short".to_owned());
                let claims = claims.get(mine).ok_or_else(cut)?;
                let details = details.get(told).ok_or_else(cut)?;
                self.record(&RawRecord { seq, head, claims, details })?;
            }
            seq = seq.next();
        }
        if seq != packed.last().next() {
            return Err(Damage::of(seq, packed.last(), "missing from the log").into());
        }
        Ok(())
    }

    /// Whether the record has the version of its event that counts.
    fn counts(&self, seq: Seq, head: &Head<'_>) -> Result<bool, String> {
        if head.timeline != self.wanted.timeline.as_str() || self.wanted.standings.is_superseded(seq) {
            return Ok(false);
        }
        if head.schema != v1::SCHEMA {
            return Err(format!("has the unknown schema version {}", head.schema));
        }
        let op = op_of(head.op).ok_or_else(|| format!("has the unknown operation {}", head.op))?;
        Ok(matches!(op, Op::Append | Op::Revise) && matches!(head.seal, Seal::Salt(_)))
    }

    fn record(&mut self, raw: &RawRecord<'_>) -> Result<()> {
        self.known += 1;
        if let Some(select) = self.wanted.select {
            let stored = StoredRecord::decode(raw)?;
            if !stored.record.content.event().is_some_and(select) {
                return Ok(());
            }
        }
        let key = self.key(raw).map_err(|what| Damage::of(raw.seq, raw.seq, what))?;
        self.block.push(key, |out| write(raw, out));
        if self.block.bytes() >= self.share {
            self.block.sort();
            self.spill.write(&mut self.block)?;
        }
        Ok(())
    }

    fn key(&mut self, raw: &RawRecord<'_>) -> Result<Key, String> {
        let (text, _) = v1::glance(raw.claims)?;
        let span = match text {
            None => None,
            Some(text) => Some(match Date::plain_span(text) {
                Some(span) => span,
                None => self.remembered(text)?,
            }),
        };
        Ok(key::of(span, self.wanted.standings.place(raw.seq)))
    }

    /// The bounds of a date that is no plain one, read once where it is used often.
    fn remembered(&mut self, text: &str) -> Result<Span, String> {
        if let Some(span) = self.dates.get(text) {
            return Ok(*span);
        }
        if self.dates.len() >= DATES {
            self.dates.clear();
        }
        let span = Date::parse(text).map_err(|e| e.to_string())?.span();
        self.dates.insert(text.into(), span);
        Ok(span)
    }
}

/// Writes a record as an entry of a run has it behind its key.
///
/// ```text
/// seq u64 | previous u64 | recorded at i64 | lengths of id u16, author u16, claims u32 | id | author | claims | details
/// ```
///
/// Little-endian. Claims and details are the bytes of the log.
fn write(raw: &RawRecord<'_>, out: &mut Vec<u8>) {
    for number in [raw.seq.0, raw.head.previous, raw.head.recorded_at.cast_unsigned()] {
        out.extend(number.to_le_bytes());
    }
    // Both are limited to far less where they are recorded.
    for name in [raw.head.id, raw.head.recorded_by] {
        out.extend(u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes());
    }
    out.extend(raw.head.claims.to_le_bytes());
    out.extend(raw.head.id.as_bytes());
    out.extend(raw.head.recorded_by.as_bytes());
    out.extend(raw.claims);
    out.extend(raw.details);
}
