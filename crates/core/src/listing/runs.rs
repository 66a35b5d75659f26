//! Runs: sorted events, as many as fit into memory as they are, the others in a file without a name.
//!
//! ```text
//! entry   length u32 | key | seq u64 | previous u64 | recorded at i64 | lengths of id u16, author u16, claims u32
//!         | id | author | claims | details
//! block   stored length u32 | plain length u32 | entries under zstd, with its checksum
//! ```
//!
//! Little-endian but for the key. Claims and details are the bytes of the log. Who may read the file may read the
//! store, and nobody finds it: it has no name.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::key::{Key, LENGTH};
use crate::codec::frame::RawRecord;
use crate::{Error, Result};

/// Plain bytes of a block, unless one entry is larger.
const FULL: usize = 64 * 1024;
/// More than any block can hold.
const LARGEST: usize = 64 * 1024 * 1024;
const LEVEL: i32 = 1;
const HEADER: usize = 8;

/// Events in memory.
#[derive(Debug, Default)]
pub struct Block {
    entries: Vec<u8>,
    order: Vec<(Key, usize)>,
}

impl Block {
    /// Adds a record.
    pub fn push(&mut self, key: Key, raw: &RawRecord<'_>) {
        self.order.push((key, self.entries.len()));
        let start = self.entries.len();
        let out = &mut self.entries;
        out.extend([0; 4]);
        out.extend(key);
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
        let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
        out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    }

    /// How much memory it takes.
    pub fn bytes(&self) -> usize {
        self.entries.len() + self.order.len() * size_of::<(Key, usize)>()
    }

    /// Puts the entries into their order.
    pub fn sort(&mut self) {
        self.order.sort_unstable();
    }

    fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The entry at a place of the order, with its length before it.
    fn entry(&self, index: usize) -> Option<&[u8]> {
        let (_, start) = self.order.get(index)?;
        entry_at(&self.entries, *start)
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.order.clear();
    }
}

/// The entry that begins at `start`, with its length before it.
fn entry_at(bytes: &[u8], start: usize) -> Option<&[u8]> {
    let rest = bytes.get(start..)?;
    let (length, _) = rest.split_first_chunk::<4>()?;
    rest.get(..4 + usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

/// The key of an entry.
pub fn key(entry: &[u8]) -> Option<Key> {
    entry.get(4..4 + LENGTH)?.try_into().ok()
}

/// The file, and the runs in it.
#[derive(Debug)]
pub struct Spill {
    directory: PathBuf,
    written: Mutex<Written>,
}

#[derive(Debug, Default)]
struct Written {
    file: Option<File>,
    end: u64,
    runs: Vec<(u64, u64)>,
}

impl Spill {
    /// A file that is made in the directory when it is needed.
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), written: Mutex::default() }
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes sorted events as a run, and empties the block.
    pub fn write(&self, block: &mut Block) -> Result<()> {
        if block.is_empty() {
            return Ok(());
        }
        // It is compressed before the others have to wait for the file.
        let packed = packed(block).map_err(failed)?;
        block.clear();
        let mut written = self.written();
        let start = written.end;
        let file = match &mut written.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(&self.directory).map_err(failed)?),
        };
        file.write_all(&packed).map_err(failed)?;
        written.end = start + packed.len() as u64;
        let end = written.end;
        written.runs.push((start, end));
        Ok(())
    }
}

fn packed(block: &Block) -> io::Result<Vec<u8>> {
    let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
    compressor.include_checksum(true)?;
    let (mut packed, mut plain) = (Vec::new(), Vec::with_capacity(2 * FULL));
    for index in 0..block.order.len() {
        plain.extend_from_slice(block.entry(index).unwrap_or_default());
        if plain.len() >= FULL || index + 1 == block.order.len() {
            let stored = compressor.compress(&plain)?;
            for length in [stored.len(), plain.len()] {
                packed.extend(u32::try_from(length).map_err(io::Error::other)?.to_le_bytes());
            }
            packed.extend(stored);
            plain.clear();
        }
    }
    Ok(packed)
}

fn failed(error: io::Error) -> Error {
    Error::io("cannot sort the events beside the store", error)
}

/// All runs of a listing.
#[derive(Debug)]
pub struct Runs {
    kept: Vec<Block>,
    spilled: Written,
}

impl Runs {
    /// Sorted blocks in memory, and what was written.
    pub fn new(kept: Vec<Block>, spill: Spill) -> Self {
        Self { kept, spilled: spill.written.into_inner().unwrap_or_else(PoisonError::into_inner) }
    }

    /// How many runs are in the file.
    pub fn spilled(&self) -> usize {
        self.spilled.runs.len()
    }

    /// A cursor for each run.
    pub fn cursors(&self) -> Vec<Cursor<'_>> {
        let kept = self.kept.iter().map(|block| Cursor::Kept { block, index: 0 });
        let spilled = self.spilled.file.iter().flat_map(|file| {
            let cursor = move |(start, end): &(u64, u64)| Cursor::Spilled {
                file,
                next: *start,
                end: *end,
                plain: Vec::new(),
                at: 0,
            };
            self.spilled.runs.iter().map(cursor)
        });
        kept.chain(spilled).collect()
    }
}

/// One run on its way to be merged.
pub enum Cursor<'r> {
    /// In memory.
    Kept { block: &'r Block, index: usize },
    /// In the file.
    Spilled { file: &'r File, next: u64, end: u64, plain: Vec<u8>, at: usize },
}

impl Cursor<'_> {
    /// The entry where the cursor stands; nothing behind the last one.
    pub fn entry(&self) -> Option<&[u8]> {
        match self {
            Self::Kept { block, index } => block.entry(*index),
            Self::Spilled { plain, at, .. } => entry_at(plain, *at),
        }
    }

    /// Makes sure that the first entry is there.
    pub fn begin(&mut self) -> Result<()> {
        self.fill().map_err(failed)
    }

    /// Goes on to the next entry.
    pub fn advance(&mut self) -> Result<()> {
        let length = self.entry().map_or(0, <[u8]>::len);
        match self {
            Self::Kept { index, .. } => *index += 1,
            Self::Spilled { at, .. } => *at += length,
        }
        self.fill().map_err(failed)
    }

    /// Reads the next block where the last one is used up.
    fn fill(&mut self) -> io::Result<()> {
        let Self::Spilled { file, next, end, plain, at } = self else { return Ok(()) };
        if *at < plain.len() || next == end {
            return Ok(());
        }
        let mut header = [0; HEADER];
        file.read_exact_at(&mut header, *next)?;
        let length =
            |bytes: &[u8]| bytes.iter().rev().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
        let (stored, size) = (length(&header[..4]), length(&header[4..]));
        if stored > LARGEST || size > LARGEST {
            return Err(io::Error::other("a block of the file is damaged"));
        }
        let mut bytes = vec![0; stored];
        file.read_exact_at(&mut bytes, *next + HEADER as u64)?;
        *plain = zstd::bulk::decompress(&bytes, size)?;
        *at = 0;
        *next += (HEADER + stored) as u64;
        Ok(())
    }
}
