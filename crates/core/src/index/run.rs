//! A run: the facts of a stretch of the log, sorted by attribute, in a file that is written once.
//!
//! ```text
//! ids         for each 256 records of the stretch a plain block: their ids
//! groups      plain blocks
//! superseded  a packed block: the records of the stretch that took the place of others
//! words       a packed block: texts that many facts share
//! id places   a packed block: how long each block of ids is
//! directory   a packed block: the first key of every block of groups, and where it stands
//! footer      "ANNRUN06", first, last, superseded, words, id places, directory (u64 each), first day and last day of
//!             plain dates since 1970 (i64 each), CRC32C u32; little-endian
//!
//! plain block   length u32, CRC32C u32 of the length and what follows, the bytes
//! packed block  stored length u32, plain length u32, CRC32C u32, the bytes under zstd
//! group         bytes shared with the key before it in the block, the rest of the key, facts (both with their length)
//! ```
//!
//! A group has the facts under a key in [`columns`](super::columns), in record order; a key with many facts has several
//! groups. Facts are small and are not packed, so that a pass over all of them costs little more than reading the file.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use annals_model::Seq;
use zstd::bulk::Decompressor;

use super::bytes::Input;
use super::columns::{Columns, Days, Form};
use super::entry::Superseded;
use super::ids::{self, Id};
use super::words::Words;
use crate::Result;

pub(super) const MAGIC: &[u8; 8] = b"ANNRUN06";
/// What all versions begin with.
const FAMILY: &[u8] = b"ANNRUN";
const FOOTER: usize = 8 + 8 * 8 + 4;
/// Before each packed block.
const HEADER: usize = 12;
/// Before each plain block.
pub(super) const PLAIN_HEADER: usize = 8;
/// More than any block that is written can hold; what claims to be larger is damaged.
const LARGEST: usize = 1 << 30;
/// More than any plain block can hold: facts and a key, or the ids of a block of records.
const LARGEST_PLAIN: usize = 1 << 22;
const LEVEL: i32 = 3;

/// Why a run cannot be used: it is missing, cut short, or not what was written.
#[derive(Debug)]
pub struct Unusable(pub String);

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

pub(crate) fn broken() -> Unusable {
    Unusable("it is damaged".to_owned())
}

/// A run that is read.
#[derive(Debug)]
pub struct Run {
    file: File,
    /// The stretch of the log that it covers.
    pub first: Seq,
    /// Its last record.
    pub last: Seq,
    /// By the record that no longer counts.
    superseded: Vec<Superseded>,
    /// The texts that many facts share.
    pub words: Words,
    /// The days of its plain dates.
    pub days: Days,
    form: Form,
    /// Where each block of ids stands.
    id_places: Vec<u64>,
    directory: Vec<(Vec<u8>, u64)>,
}

impl Run {
    /// Opens a run.
    pub fn open(path: &Path) -> Result<Self, Unusable> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        let mut footer = [0; FOOTER];
        file.read_exact_at(&mut footer, size.checked_sub(FOOTER as u64).ok_or_else(broken)?)?;
        let (fields, crc) = footer.split_at(FOOTER - 4);
        if fields.starts_with(FAMILY) && !fields.starts_with(MAGIC) {
            return Err(Unusable("it is of another version of the program".to_owned()));
        }
        if !fields.starts_with(MAGIC) || crc32c::crc32c(fields).to_le_bytes() != crc {
            return Err(broken());
        }
        let mut fields = fields[8..].chunks_exact(8).filter_map(|field| field.try_into().ok());
        let mut next = || fields.next().map(u64::from_le_bytes).ok_or_else(broken);
        let (first, last, superseded) = (next()?, next()?, next()?);
        let (words, id_places, directory) = (next()?, next()?, next()?);
        let days = Days::between(next()?.cast_signed(), next()?.cast_signed()).ok_or_else(broken)?;
        let superseded = read_superseded(&block(&file, superseded)?).ok_or_else(broken)?;
        let words = Words::read(&block(&file, words)?).ok_or_else(broken)?;
        let id_places = read_id_places(&block(&file, id_places)?).ok_or_else(broken)?;
        let directory = read_directory(&block(&file, directory)?).ok_or_else(broken)?;
        let (first, last) = (Seq(first), Seq(last));
        let form = Form::new((first, last), days);
        Ok(Self { file, first, last, superseded, words, days, form, id_places, directory })
    }

    /// The record that took the place of another, if this stretch of the log has it.
    pub fn superseded(&self, seq: Seq) -> Option<Seq> {
        let index = self.superseded.binary_search_by_key(&seq.0, |entry| entry.previous).ok()?;
        Some(Seq(self.superseded[index].by))
    }

    /// All records of the stretch that took the place of others.
    pub fn all_superseded(&self) -> &[Superseded] {
        &self.superseded
    }

    /// Calls `visit` with every key that begins so, and its facts as they stand.
    pub fn find(
        &self,
        prefix: &[u8],
        mut visit: impl FnMut(&[u8], Columns<'_>) -> Option<()>,
    ) -> Result<(), Unusable> {
        let mut cursor = Cursor::at(self, prefix)?;
        while let Some(key) = cursor.key().filter(|key| key.starts_with(prefix)) {
            visit(key, cursor.facts()?).ok_or_else(broken)?;
            cursor.advance()?;
        }
        Ok(())
    }

    /// How many blocks of ids it has.
    pub const fn id_blocks(&self) -> usize {
        self.id_places.len()
    }

    /// Reads a block of ids.
    pub fn id_block(&self, index: usize, into: &mut Vec<u8>) -> Result<(), Unusable> {
        plain_block(&self.file, *self.id_places.get(index).ok_or_else(broken)?, into)
    }

    /// The keys that blocks begin with.
    pub fn first_keys(&self) -> impl Iterator<Item = &[u8]> {
        self.directory.iter().map(|(key, _)| key.as_slice())
    }
}

/// The ids of runs' records, read block by block.
#[derive(Debug)]
pub struct IdReader<'a> {
    runs: &'a [Run],
    /// The run and the block that were read last.
    here: Option<(usize, u64)>,
    block: Vec<u8>,
}

impl<'a> IdReader<'a> {
    /// A reader of these runs, which follow one another.
    pub const fn new(runs: &'a [Run]) -> Self {
        Self { runs, here: None, block: Vec::new() }
    }

    /// The id of a record; asked for in record order, every block is read once.
    pub fn id(&mut self, seq: Seq) -> Result<Id, Unusable> {
        let number = self.runs.partition_point(|run| run.last < seq);
        let run = self.runs.get(number).ok_or_else(broken)?;
        let (block, place) = ids::place(seq.0).ok_or_else(broken)?;
        if self.here != Some((number, block)) {
            let (first, _) = ids::place(run.first.0).ok_or_else(broken)?;
            let index = block.checked_sub(first).and_then(|index| usize::try_from(index).ok());
            run.id_block(index.ok_or_else(broken)?, &mut self.block)?;
            self.here = Some((number, block));
        }
        ids::find(&self.block, place).ok_or_else(broken)
    }
}

/// A place among the groups of a run, which are in the order of their keys.
#[derive(Debug)]
pub struct Cursor<'a> {
    run: &'a Run,
    next: usize,
    plain: Vec<u8>,
    key: Vec<u8>,
    facts: Range<usize>,
}

impl<'a> Cursor<'a> {
    /// At the first group whose key is no less than this one.
    pub fn at(run: &'a Run, from: &[u8]) -> Result<Self, Unusable> {
        let mut cursor = Self { run, next: 0, plain: Vec::new(), key: Vec::new(), facts: 0..0 };
        cursor.reach(from)?;
        Ok(cursor)
    }

    /// Goes on to the first group whose key is no less than this one, which is no less than those it was at before.
    pub fn reach(&mut self, from: &[u8]) -> Result<(), Unusable> {
        let block =
            self.run.directory.partition_point(|(first, _)| first.as_slice() < from).saturating_sub(1);
        if self.next <= block {
            self.next = block;
            self.plain.clear();
            self.facts = 0..0;
            self.advance()?;
        }
        while self.key().is_some_and(|key| key < from) {
            self.advance()?;
        }
        Ok(())
    }

    /// The group's key; nothing at the end.
    pub fn key(&self) -> Option<&[u8]> {
        (!self.facts.is_empty()).then_some(self.key.as_slice())
    }

    /// The group's facts.
    pub fn facts(&self) -> Result<Columns<'_>, Unusable> {
        let facts = self.plain.get(self.facts.clone()).unwrap_or_default();
        Columns::new(facts, self.run.form, &self.run.words).ok_or_else(broken)
    }

    /// Goes on to the next group.
    pub fn advance(&mut self) -> Result<(), Unusable> {
        let mut at = self.facts.end;
        if at == self.plain.len() {
            self.key.clear();
            let Some((_, offset)) = self.run.directory.get(self.next) else {
                self.facts = 0..0;
                self.plain.clear();
                return Ok(());
            };
            plain_block(&self.run.file, *offset, &mut self.plain)?;
            self.next += 1;
            at = 0;
        }
        let (shared, rest, facts) = group(&self.plain, at).ok_or_else(broken)?;
        if shared > self.key.len() || facts.is_empty() {
            return Err(broken());
        }
        self.key.truncate(shared);
        self.key.extend(&self.plain[rest]);
        self.facts = facts;
        Ok(())
    }
}

/// How many bytes the group at a place shares with the key before, where the rest stands, and where the facts.
fn group(plain: &[u8], at: usize) -> Option<(usize, Range<usize>, Range<usize>)> {
    let mut input = Input(plain.get(at..)?);
    let shared = usize::try_from(input.number()?).ok()?;
    let mut part = || {
        let bytes = input.bytes()?;
        let end = plain.len() - input.0.len();
        Some(end - bytes.len()..end)
    };
    Some((shared, part()?, part()?))
}

/// Reads a plain block.
fn plain_block(file: &File, at: u64, into: &mut Vec<u8>) -> Result<(), Unusable> {
    let mut header = [0; PLAIN_HEADER];
    file.read_exact_at(&mut header, at)?;
    let (length, crc) = header.split_at(4);
    let plain = length.try_into().map_or(0, u32::from_le_bytes) as usize;
    if plain > LARGEST_PLAIN {
        return Err(broken());
    }
    into.clear();
    into.resize(plain, 0);
    file.read_exact_at(into, at + PLAIN_HEADER as u64)?;
    if crc32c::crc32c_append(crc32c::crc32c(length), into).to_le_bytes() != crc {
        into.clear();
        return Err(broken());
    }
    Ok(())
}

/// Writes a packed block; gives how many bytes it takes.
pub(crate) fn put_block(out: &mut impl Write, plain: &[u8]) -> io::Result<u64> {
    let stored = zstd::bulk::compress(plain, LEVEL)?;
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(io::Error::other);
    let mut header = Vec::with_capacity(HEADER);
    header.extend(length(&stored)?.to_le_bytes());
    header.extend(length(plain)?.to_le_bytes());
    header.extend(crc32c::crc32c_append(crc32c::crc32c(&header), &stored).to_le_bytes());
    out.write_all(&header)?;
    out.write_all(&stored)?;
    Ok((header.len() + stored.len()) as u64)
}

/// A packed block, decompressed.
pub(crate) fn block(file: &File, at: u64) -> Result<Vec<u8>, Unusable> {
    let mut header = [0; HEADER];
    file.read_exact_at(&mut header, at)?;
    let field = |index: usize| header[index..index + 4].try_into().map_or(0, u32::from_le_bytes);
    let (stored, plain) = (field(0) as usize, field(4) as usize);
    // A length that was damaged must not make the reader ask for memory that the file does not justify.
    let left = file.metadata()?.len().saturating_sub(at);
    if stored as u64 > left || plain > LARGEST {
        return Err(broken());
    }
    let mut bytes = vec![0; stored];
    file.read_exact_at(&mut bytes, at + HEADER as u64)?;
    if crc32c::crc32c_append(crc32c::crc32c(&header[..8]), &bytes) != field(8) {
        return Err(broken());
    }
    decompress(&bytes, plain)
}

/// Decompresses with the thread's own decompressor: making one takes longer than decompressing a block.
fn decompress(bytes: &[u8], plain: usize) -> Result<Vec<u8>, Unusable> {
    thread_local! {
        static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
    }
    DECOMPRESSOR.with_borrow_mut(|kept| {
        let decompressor = match kept {
            Some(decompressor) => decompressor,
            none => none.insert(Decompressor::new()?),
        };
        Ok(decompressor.decompress(bytes, plain)?)
    })
}

fn read_superseded(plain: &[u8]) -> Option<Vec<Superseded>> {
    let mut input = Input(plain);
    // Most take five bytes.
    let mut superseded = Vec::with_capacity(plain.len() / 4);
    let mut before = 0_u64;
    while !input.is_empty() {
        let previous = before.checked_add(input.number()?)?;
        let by = previous.checked_add(input.number()?)?;
        superseded.push(Superseded { previous, by });
        before = previous;
    }
    Some(superseded)
}

fn read_directory(plain: &[u8]) -> Option<Vec<(Vec<u8>, u64)>> {
    let mut input = Input(plain);
    let mut directory = Vec::new();
    while !input.is_empty() {
        directory.push((input.bytes()?.to_vec(), input.number()?));
    }
    Some(directory)
}

/// Where blocks that stand one behind the other begin.
fn read_id_places(plain: &[u8]) -> Option<Vec<u64>> {
    let mut input = Input(plain);
    let (mut places, mut at) = (Vec::new(), 0_u64);
    while !input.is_empty() {
        places.push(at);
        at = at.checked_add(input.number()?)?;
    }
    Some(places)
}
