//! A frame: up to 256 neighbouring records as one value of the store.
//!
//! Its key is the `seq` of its first record. The records' headers, the part of their content that replay reads
//! and the part that only people read stand in three sections of their own, each compressed by itself, so that
//! a replay touches no description. A frame never reaches across a multiple of 256: a full one is a complete
//! subtree of the log's Merkle tree.

use std::cell::RefCell;
use std::iter::Peekable;

use annals_model::Seq;
use zstd::bulk::{Compressor, Decompressor};

use super::v1;
use crate::merkle::BLOCK;
use crate::{Damage, Error, Result};

const VERSION: u8 = 1;
const PLAIN: u8 = 0;
const ZSTD: u8 = 1;
const HEADER: usize = 40;
const SECTIONS: usize = 3;
/// Bytes below which compression gains nothing.
const SMALL: usize = 512;
/// Bytes that a section can never have: what a frame of one largest record may need, and room.
const LARGEST: usize = 16 * 1024 * 1024;

/// A record as the bytes that the three sections of a frame take of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// Its header, as [`v1::Head`].
    pub head: Vec<u8>,
    /// What replay reads of its content; empty where there is none.
    pub claims: Vec<u8>,
    /// What people read of its content; empty once redacted.
    pub details: Vec<u8>,
}

/// What has the bytes of a record, as the sections of a frame take them.
pub trait Sections {
    /// Its header, what replay reads of its content, and what people read of it.
    fn sections(&self) -> [&[u8]; SECTIONS];
}

impl Sections for [&[u8]; SECTIONS] {
    fn sections(&self) -> [&[u8]; SECTIONS] {
        *self
    }
}

impl Sections for Encoded {
    fn sections(&self) -> [&[u8]; SECTIONS] {
        [&self.head, &self.claims, &self.details]
    }
}

/// How much goes into a frame, and how hard it is compressed.
#[derive(Clone, Copy, Debug)]
pub struct Packing {
    /// Bytes of content from which on a frame is closed even when it could hold more records.
    full: usize,
    /// The level of zstd.
    level: i32,
}

impl Packing {
    /// For frames that come as records do: sled keeps up to 16 values in one page, writes all of them anew with every
    /// tenth change to it, and moves a page of over 128 KiB to a file of its own.
    pub const USUAL: Self = Self { full: 32 * 1024, level: 1 };
    /// For frames that are written once, as many records as a frame may have: levels above take several times as
    /// long for each further per cent.
    pub const TIGHT: Self = Self { full: 96 * 1024, level: 9 };
}

/// A decoded frame, which lends out its records.
#[derive(Debug)]
pub struct Frame {
    first: Seq,
    count: u16,
    sections: [Vec<u8>; SECTIONS],
}

/// A frame as it is stored, of which each section can be read without the others.
#[derive(Debug)]
pub struct Packed<'a> {
    first: Seq,
    count: u16,
    codec: u8,
    /// The stored bytes, and the length that they have when decompressed.
    sections: [(&'a [u8], usize); SECTIONS],
}

/// What decompresses sections, one after the other. A thread keeps the last one: making one takes a good part of the
/// time in which a frame is decompressed.
pub struct Unpacker(Option<Decompressor<'static>>);

thread_local! {
    static UNPACKER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// How far the records of a frame were gone through.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    next: Seq,
    /// Where that record begins in each section.
    at: [usize; SECTIONS],
}

/// One record of a frame, not decoded further than its header.
#[derive(Debug)]
pub struct RawRecord<'a> {
    /// Its position in the log.
    pub seq: Seq,
    /// Its header.
    pub head: v1::Head<'a>,
    /// What replay reads of its content.
    pub claims: &'a [u8],
    /// What people read of its content.
    pub details: &'a [u8],
}

/// Packs records into frames: as few as the limits allow, each with the `seq` of its first record.
pub fn pack(first: Seq, records: &[impl Sections]) -> Result<Vec<(Seq, Vec<u8>)>> {
    pack_as(Packing::USUAL, first, records)
}

/// Packs records into frames, as tightly as is said.
pub fn pack_as(packing: Packing, first: Seq, records: &[impl Sections]) -> Result<Vec<(Seq, Vec<u8>)>> {
    let mut frames = Vec::new();
    let mut seq = first;
    let mut rest = records;
    while !rest.is_empty() {
        let room = usize::try_from(BLOCK - (seq.0 - 1) % BLOCK).unwrap_or(1);
        let mut bytes = 0;
        let fitting = rest.iter().take(room).take_while(|record| {
            let fits = bytes < packing.full;
            bytes += record.sections().iter().map(|piece| piece.len()).sum::<usize>();
            fits
        });
        let (chunk, later) = rest.split_at(fitting.count());
        frames.push((seq, encode(packing.level, seq, chunk)?));
        seq = Seq(seq.0 + chunk.len() as u64);
        rest = later;
    }
    Ok(frames)
}

fn encode(level: i32, first: Seq, records: &[impl Sections]) -> Result<Vec<u8>> {
    let mut sizes = [0; SECTIONS];
    for record in records {
        let [head, claims, details] = record.sections();
        sizes[0] += head.len() + 6;
        sizes[1] += claims.len();
        sizes[2] += details.len();
    }
    let mut plain = sizes.map(Vec::with_capacity);
    for record in records {
        let [head, claims, details] = record.sections();
        let length = u16::try_from(head.len()).map_err(|_| too_large())?;
        plain[0].extend(length.to_le_bytes());
        plain[0].extend(head);
        plain[0].extend(checksum(head, claims, details).to_le_bytes());
        plain[1].extend(claims);
        plain[2].extend(details);
    }
    if plain.iter().any(|section| section.len() > LARGEST) {
        return Err(too_large());
    }
    let (codec, stored) = match compressed(level, &plain) {
        Some(sections) => (ZSTD, sections),
        None => (PLAIN, plain.clone()),
    };
    let mut frame = Vec::with_capacity(HEADER + stored.iter().map(Vec::len).sum::<usize>());
    frame.extend([VERSION, codec]);
    frame.extend(first.0.to_be_bytes());
    frame.extend(u16::try_from(records.len()).map_err(|_| too_large())?.to_le_bytes());
    for (stored, plain) in stored.iter().zip(&plain) {
        for length in [stored.len(), plain.len()] {
            frame.extend(u32::try_from(length).map_err(|_| too_large())?.to_le_bytes());
        }
    }
    let crc = stored.iter().fold(crc32c::crc32c(&frame), |crc, section| crc32c::crc32c_append(crc, section));
    frame.extend(crc.to_le_bytes());
    for section in &stored {
        frame.extend(section);
    }
    Ok(frame)
}

/// All sections compressed, or `None` where that gains nothing.
fn compressed(level: i32, plain: &[Vec<u8>; SECTIONS]) -> Option<[Vec<u8>; SECTIONS]> {
    let size = |sections: &[Vec<u8>; SECTIONS]| sections.iter().map(Vec::len).sum::<usize>();
    if size(plain) < SMALL {
        return None;
    }
    let mut sections: [Vec<u8>; SECTIONS] = Default::default();
    for (section, plain) in sections.iter_mut().zip(plain) {
        *section = compress(level, plain)?;
    }
    (size(&sections) < size(plain)).then_some(sections)
}

/// Compresses with the thread's own compressor: making one takes longer than compressing a frame.
fn compress(level: i32, plain: &[u8]) -> Option<Vec<u8>> {
    thread_local! {
        static COMPRESSOR: RefCell<Option<(i32, Compressor<'static>)>> = const { RefCell::new(None) };
    }
    COMPRESSOR.with_borrow_mut(|kept| {
        let fitting = kept.take().filter(|(of, _)| *of == level).map(|(_, compressor)| compressor);
        let mut compressor = fitting.or_else(|| Compressor::new(level).ok())?;
        let compressed = compressor.compress(plain).ok()?;
        *kept = Some((level, compressor));
        Some(compressed)
    })
}

fn too_large() -> Error {
    annals_model::Invalid::new("the event is too large to be stored")
        .with_hint("keep long texts in files, and their addresses and hashes in `sources`")
        .into()
}

fn checksum(head: &[u8], claims: &[u8], details: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c_append(crc32c::crc32c(head), claims), details)
}

impl<'a> Packed<'a> {
    /// Checks the frame that stands under the key `first`, and decompresses nothing of it.
    pub fn check(first: Seq, bytes: &'a [u8]) -> Result<Self, Damage> {
        let damaged = |what: &str| Damage::of(first, first, format!("its frame {what}"));
        let (header, body) = bytes.split_at_checked(HEADER).ok_or_else(|| damaged("is cut short"))?;
        if header[0] != VERSION {
            return Err(damaged(&format!("has the unknown version {}", header[0])));
        }
        let (fields, crc) = header.split_at(HEADER - 4);
        if crc32c::crc32c_append(crc32c::crc32c(fields), body).to_le_bytes() != crc {
            return Err(damaged("fails its checksum"));
        }
        if fields[2..10] != first.0.to_be_bytes() {
            return Err(damaged("stands in another frame's place"));
        }
        let count = u16::from_le_bytes([fields[10], fields[11]]);
        if count == 0 || first.0 == 0 || first.0.checked_add(u64::from(count)).is_none() {
            return Err(damaged("holds no possible records"));
        }
        let mut sections = [(&[][..], 0); SECTIONS];
        let mut rest = body;
        for (section, lengths) in sections.iter_mut().zip(fields[12..].chunks_exact(8)) {
            let stored = length(&lengths[..4]);
            let (bytes, later) = rest.split_at_checked(stored).ok_or_else(|| damaged("is cut short"))?;
            *section = (bytes, length(&lengths[4..]));
            rest = later;
        }
        if !rest.is_empty() {
            return Err(damaged("has bytes behind its end"));
        }
        Ok(Self { first, count, codec: fields[1], sections })
    }

    /// The position of the first record.
    pub const fn first(&self) -> Seq {
        self.first
    }

    /// The position of the last record.
    pub const fn last(&self) -> Seq {
        Seq(self.first.0 + (self.count as u64).saturating_sub(1))
    }

    /// The headers of its records; [`heads`](super::heads::heads) reads them.
    pub fn heads(&self, unpacker: &mut Unpacker) -> Result<Vec<u8>, Damage> {
        self.section(0, unpacker)
    }

    /// What replay reads of its records' contents, one after the other.
    pub fn claims(&self, unpacker: &mut Unpacker) -> Result<Vec<u8>, Damage> {
        self.section(1, unpacker)
    }

    /// What people read of its records' contents, one after the other.
    pub fn details(&self, unpacker: &mut Unpacker) -> Result<Vec<u8>, Damage> {
        self.section(2, unpacker)
    }

    fn section(&self, index: usize, unpacker: &mut Unpacker) -> Result<Vec<u8>, Damage> {
        let damaged = |what: &str| Damage::of(self.first, self.first, format!("its frame {what}"));
        let (bytes, plain) = self.sections[index];
        let section = match self.codec {
            PLAIN => bytes.to_vec(),
            ZSTD if plain <= LARGEST => {
                let done = unpacker.0.as_mut().and_then(|unpacker| unpacker.decompress(bytes, plain).ok());
                done.ok_or_else(|| damaged("does not decompress"))?
            }
            _ => return Err(damaged("is of an unknown kind")),
        };
        if section.len() != plain {
            return Err(damaged("does not decompress to its length"));
        }
        Ok(section)
    }
}

impl Unpacker {
    /// One with buffers of its own.
    pub fn new() -> Result<Self> {
        if let Some(kept) = UNPACKER.with_borrow_mut(Option::take) {
            return Ok(Self(Some(kept)));
        }
        let new = Decompressor::new().map_err(|e| Error::io("cannot decompress the log", e))?;
        Ok(Self(Some(new)))
    }
}

impl Drop for Unpacker {
    fn drop(&mut self) {
        let own = self.0.take();
        // A thread that ends keeps nothing.
        let _ = UNPACKER.try_with(|kept| *kept.borrow_mut() = own);
    }
}

impl Frame {
    /// Reads the frame that stands under the key `first`.
    pub fn decode(first: Seq, bytes: &[u8]) -> Result<Self, Damage> {
        Self::unpack(&Packed::check(first, bytes)?)
    }

    /// Decompresses a frame as it is stored.
    pub fn unpack(packed: &Packed<'_>) -> Result<Self, Damage> {
        let first = packed.first;
        let damaged = |e: Error| Damage::of(first, first, format!("its frame does not decompress: {e}"));
        let mut unpacker = Unpacker::new().map_err(damaged)?;
        let sections =
            [packed.heads(&mut unpacker)?, packed.claims(&mut unpacker)?, packed.details(&mut unpacker)?];
        Ok(Self { first, count: packed.count, sections })
    }

    /// The position of the first record.
    pub const fn first(&self) -> Seq {
        self.first
    }

    /// The position of the last record.
    pub const fn last(&self) -> Seq {
        Seq(self.first.0 + (self.count as u64).saturating_sub(1))
    }

    /// Where its records begin.
    pub const fn start(&self) -> Place {
        Place { next: self.first, at: [0; SECTIONS] }
    }

    /// One of its records. Of those before it only the lengths are read: the frame's checksum covers them.
    pub fn record(&self, seq: Seq) -> Result<RawRecord<'_>, Damage> {
        self.record_behind(&mut self.start(), seq)
    }

    /// The same, for whoever reads several: those before `place` are gone through again only where it is one of them.
    pub fn record_behind(&self, place: &mut Place, seq: Seq) -> Result<RawRecord<'_>, Damage> {
        let last = self.last();
        if !(self.first..=last).contains(&seq) {
            return Err(Damage::of(seq, seq, "missing from the log"));
        }
        if seq < place.next {
            *place = self.start();
        }
        let mut rest = self.sections.each_ref().map(Vec::as_slice);
        for (rest, at) in rest.iter_mut().zip(place.at) {
            *rest = rest.get(at..).unwrap_or_default();
        }
        loop {
            let own = place.next;
            let taken = take_record(own, &mut rest, own == seq);
            let (_, raw) = taken.map_err(|what| Damage::of(own, last, what))?;
            place.next = own.next();
            if own == seq {
                for ((at, rest), section) in place.at.iter_mut().zip(rest).zip(&self.sections) {
                    *at = section.len() - rest.len();
                }
                return Ok(raw);
            }
        }
    }

    /// Calls `visit` with those of its records that come next, in order, each read as [`record`](Self::record) does.
    pub fn some(
        &self,
        seqs: &mut Peekable<impl Iterator<Item = Seq>>,
        mut visit: impl FnMut(&RawRecord<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut place = self.start();
        while let Some(next) = seqs.next_if(|next| *next <= self.last()) {
            visit(&self.record_behind(&mut place, next)?)?;
        }
        Ok(())
    }

    /// The records as they are stored, to be packed anew.
    pub fn encoded(&self) -> Result<Vec<Encoded>, Damage> {
        let piece = |(head, raw): (&[u8], RawRecord<'_>)| Encoded {
            head: head.to_vec(),
            claims: raw.claims.to_vec(),
            details: raw.details.to_vec(),
        };
        self.pieces().map(|record| record.map(piece)).collect()
    }

    /// The records, in order. After an error there are no more.
    pub fn records(&self) -> impl Iterator<Item = Result<RawRecord<'_>, Damage>> {
        self.pieces().map(|record| record.map(|(_, raw)| raw))
    }

    /// The records with their headers' bytes.
    fn pieces(&self) -> impl Iterator<Item = Result<(&[u8], RawRecord<'_>), Damage>> {
        let mut rest = self.sections.each_ref().map(Vec::as_slice);
        let mut seq = self.first;
        let last = self.last();
        let mut over = self.count == 0;
        std::iter::from_fn(move || {
            if over {
                return None;
            }
            let record = take_record(seq, &mut rest, true)
                .map_err(|what| Damage::of(seq, last, what))
                .inspect(|_| over = seq == last)
                .inspect_err(|_| over = true);
            seq = seq.next();
            Some(record)
        })
    }
}

/// Takes the next record off the sections, held against its own checksum where that is asked.
fn take_record<'a>(
    seq: Seq,
    rest: &mut [&'a [u8]; SECTIONS],
    is_checked: bool,
) -> Result<(&'a [u8], RawRecord<'a>), String> {
    let cut = || "is cut short".to_owned();
    let mut take = |section: usize, length: usize| {
        let (bytes, later) = rest[section].split_at_checked(length)?;
        rest[section] = later;
        Some(bytes)
    };
    let head_length = take(0, 2).ok_or_else(cut)?;
    let head_bytes =
        take(0, usize::from(u16::from_le_bytes([head_length[0], head_length[1]]))).ok_or_else(cut)?;
    let crc = take(0, 4).ok_or_else(cut)?;
    let head: v1::Head<'_> = v1::decode(head_bytes).map_err(|e| format!("its header is unreadable: {e}"))?;
    let claims = take(1, head.claims as usize).ok_or_else(cut)?;
    let details = take(2, head.details as usize).ok_or_else(cut)?;
    if is_checked && checksum(head_bytes, claims, details).to_le_bytes() != crc {
        return Err("fails its checksum".to_owned());
    }
    Ok((head_bytes, RawRecord { seq, head, claims, details }))
}

fn length(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |length, byte| length << 8 | usize::from(*byte))
}
