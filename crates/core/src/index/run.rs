//! A run: the facts of a stretch of the log, sorted by attribute, in a file that is written once.
//!
//! ```text
//! blocks      each: stored length u32, plain length u32, CRC32C u32, groups under zstd
//! superseded  one block: the records of the stretch that took the place of others
//! directory   one block: the first key of every block of groups, and where it stands
//! footer      "ANNRUN01", first u64, last u64, superseded u64, directory u64, CRC32C u32; little-endian
//! ```
//!
//! A group is a key and the facts under it, in record order; a key with many facts goes on in the next block.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use annals_model::Seq;

use super::bytes::{Input, put_bytes, put_number};
use super::entry::{Fact, Superseded};
use crate::Result;

const MAGIC: &[u8; 8] = b"ANNRUN01";
const FOOTER: usize = 8 + 4 * 8 + 4;
/// Before each block.
const HEADER: usize = 12;
/// Plain bytes after which a block is closed.
const FULL: usize = 32 * 1024;
/// More than any block that is written can hold; what claims to be larger is damaged.
const LARGEST: usize = 1 << 30;
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
        if !fields.starts_with(MAGIC) || crc32c::crc32c(fields).to_le_bytes() != crc {
            return Err(broken());
        }
        let mut fields = fields[8..].chunks_exact(8).filter_map(|field| field.try_into().ok());
        let mut next = || fields.next().map(u64::from_le_bytes).ok_or_else(broken);
        let (first, last, superseded, directory) = (next()?, next()?, next()?, next()?);
        let superseded = read_superseded(&block(&file, superseded)?).ok_or_else(broken)?;
        let directory = read_directory(&block(&file, directory)?).ok_or_else(broken)?;
        Ok(Self { file, first: Seq(first), last: Seq(last), superseded, directory })
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

    /// Calls `visit` with every key that begins so, and its facts.
    pub fn find(&self, prefix: &[u8], mut visit: impl FnMut(&[u8], Fact)) -> Result<(), Unusable> {
        let begin = self.directory.partition_point(|(first, _)| first.as_slice() < prefix).saturating_sub(1);
        for (first, at) in &self.directory[begin..] {
            if first.as_slice() > prefix && !first.starts_with(prefix) {
                break;
            }
            let plain = block(&self.file, *at)?;
            let mut input = Input(&plain);
            while !input.is_empty() {
                let (key, facts) = group(&mut input).ok_or_else(broken)?;
                if !key.starts_with(prefix) {
                    continue;
                }
                let mut facts = Input(facts);
                while !facts.is_empty() {
                    visit(key, Fact::get(&mut facts).ok_or_else(broken)?);
                }
            }
        }
        Ok(())
    }

    /// All groups, in the order of their keys.
    pub fn groups(&self) -> Groups<'_> {
        Groups { run: self, next: 0, plain: Vec::new(), offset: 0 }
    }
}

/// A key, and its facts as they stand.
pub type Group = (Vec<u8>, Vec<u8>);

/// The groups of a run as they stand, one after the other.
#[derive(Debug)]
pub struct Groups<'a> {
    run: &'a Run,
    next: usize,
    plain: Vec<u8>,
    offset: usize,
}

impl Groups<'_> {
    /// The next one.
    pub fn next(&mut self) -> Result<Option<Group>, Unusable> {
        if self.offset == self.plain.len() {
            let Some((_, at)) = self.run.directory.get(self.next) else { return Ok(None) };
            (self.plain, self.offset) = (block(&self.run.file, *at)?, 0);
            self.next += 1;
        }
        let mut input = Input(&self.plain[self.offset..]);
        let (key, facts) = group(&mut input).ok_or_else(broken)?;
        let found = (key.to_vec(), facts.to_vec());
        self.offset = self.plain.len() - input.0.len();
        Ok(Some(found))
    }
}

fn group<'a>(input: &mut Input<'a>) -> Option<(&'a [u8], &'a [u8])> {
    Some((input.bytes()?, input.bytes()?))
}

/// A run that is written.
#[derive(Debug)]
pub struct Writer {
    out: BufWriter<File>,
    offset: u64,
    plain: Vec<u8>,
    first_key: Vec<u8>,
    directory: Vec<u8>,
}

impl Writer {
    /// Begins a file.
    pub fn create(path: &Path) -> io::Result<Self> {
        let out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        Ok(Self { out, offset: 0, plain: Vec::new(), first_key: Vec::new(), directory: Vec::new() })
    }

    /// Adds facts as they stand under a key; keys come in order, and the facts of one in record order.
    pub fn push(&mut self, key: &[u8], facts: &[u8]) -> io::Result<()> {
        if self.plain.is_empty() {
            self.first_key = key.to_vec();
        }
        put_bytes(&mut self.plain, key);
        put_bytes(&mut self.plain, facts);
        if self.plain.len() >= FULL {
            self.close_block()?;
        }
        Ok(())
    }

    fn close_block(&mut self) -> io::Result<()> {
        if !self.plain.is_empty() {
            put_bytes(&mut self.directory, &self.first_key);
            put_number(&mut self.directory, self.offset);
            let plain = std::mem::take(&mut self.plain);
            self.write_block(&plain)?;
        }
        Ok(())
    }

    fn write_block(&mut self, plain: &[u8]) -> io::Result<()> {
        self.offset += put_block(&mut self.out, plain)?;
        Ok(())
    }

    /// Ends the file; `superseded` is sorted by the record that no longer counts.
    pub fn finish(mut self, first: Seq, last: Seq, superseded: &[Superseded]) -> io::Result<()> {
        self.close_block()?;
        let at_superseded = self.offset;
        let mut plain = Vec::new();
        let mut before = 0;
        for entry in superseded {
            put_number(&mut plain, entry.previous - before);
            put_number(&mut plain, entry.by - entry.previous);
            before = entry.previous;
        }
        self.write_block(&plain)?;
        let at_directory = self.offset;
        let directory = std::mem::take(&mut self.directory);
        self.write_block(&directory)?;
        let mut footer = MAGIC.to_vec();
        for field in [first.0, last.0, at_superseded, at_directory] {
            footer.extend(field.to_le_bytes());
        }
        footer.extend(crc32c::crc32c(&footer).to_le_bytes());
        self.out.write_all(&footer)?;
        self.out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_data()
    }
}

/// Writes a block; gives how many bytes it takes.
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

/// A block, decompressed.
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
    Ok(zstd::bulk::decompress(&bytes, plain)?)
}

fn read_superseded(plain: &[u8]) -> Option<Vec<Superseded>> {
    let mut input = Input(plain);
    let mut superseded = Vec::new();
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
