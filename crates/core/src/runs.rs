//! Sorted runs: entries of bytes in order, as many as fit into memory as they are, the others in a file without a name.
//!
//! ```text
//! entry   length u32 | key | what else it says
//! block   stored length u32 | plain length u32 | entries under zstd, with its checksum
//! ```
//!
//! Entries come in the order of their bytes behind the length. The key is their first bytes, which mostly decide; `N` is
//! how many these are. Who may read the file may read the store, and nobody finds it: it has no name.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Error, Result};

/// Plain bytes of a block, unless one entry is larger.
const FULL: usize = 64 * 1024;
/// More than any block can hold.
const LARGEST: usize = 64 * 1024 * 1024;
const LEVEL: i32 = 1;
const HEADER: usize = 8;

/// Entries in memory.
#[derive(Debug)]
pub struct Block<const N: usize> {
    entries: Vec<u8>,
    order: Vec<([u8; N], usize)>,
}

impl<const N: usize> Default for Block<N> {
    fn default() -> Self {
        Self { entries: Vec::new(), order: Vec::new() }
    }
}

impl<const N: usize> Block<N> {
    /// Adds an entry; `write` appends what stands behind its key.
    pub fn push(&mut self, key: [u8; N], write: impl FnOnce(&mut Vec<u8>)) {
        self.order.push((key, self.entries.len()));
        let start = self.entries.len();
        let out = &mut self.entries;
        out.extend([0; 4]);
        out.extend(key);
        write(out);
        let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
        out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    }

    /// How much memory it takes.
    pub fn bytes(&self) -> usize {
        self.entries.len() + self.order.len() * size_of::<([u8; N], usize)>()
    }

    /// Puts the entries into their order.
    pub fn sort(&mut self) {
        let entries = &self.entries;
        self.order.sort_unstable_by(|(key, start), (other_key, other)| {
            key.cmp(other_key).then_with(|| sorted_by(entries, *start).cmp(sorted_by(entries, *other)))
        });
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

/// What an entry is sorted by.
fn sorted_by(entries: &[u8], start: usize) -> &[u8] {
    entry_at(entries, start).map(told).unwrap_or_default()
}

/// An entry without its length.
fn told(entry: &[u8]) -> &[u8] {
    entry.get(4..).unwrap_or_default()
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

    /// Writes sorted entries as a run, and empties the block.
    pub fn write<const N: usize>(&self, block: &mut Block<N>) -> Result<()> {
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

fn packed<const N: usize>(block: &Block<N>) -> io::Result<Vec<u8>> {
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

/// Sorts entries that come in any order, in the room that it is given.
#[derive(Debug)]
pub struct Sorter<const N: usize> {
    block: Block<N>,
    spill: Spill,
    bytes: usize,
}

impl<const N: usize> Sorter<N> {
    /// A sorter that keeps so many bytes in memory, and writes the rest to a file in the directory.
    pub fn new(bytes: usize, directory: &Path) -> Self {
        Self { block: Block::default(), spill: Spill::new(directory), bytes }
    }

    /// The bytes that it keeps in memory.
    pub const fn room(&self) -> usize {
        self.bytes
    }

    /// Where it writes the rest to.
    pub fn directory(&self) -> &Path {
        &self.spill.directory
    }

    /// Adds an entry; `write` appends what stands behind its key.
    pub fn push(&mut self, key: [u8; N], write: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        self.block.push(key, write);
        if self.block.bytes() < self.bytes {
            return Ok(());
        }
        self.block.sort();
        self.spill.write(&mut self.block)
    }

    /// All entries, sorted.
    pub fn finish(mut self) -> Runs<N> {
        self.block.sort();
        Runs::new(vec![self.block], self.spill)
    }
}

/// All runs of what was sorted.
#[derive(Debug)]
pub struct Runs<const N: usize> {
    kept: Vec<Block<N>>,
    spilled: Written,
}

impl<const N: usize> Runs<N> {
    /// Sorted blocks in memory, and what was written.
    pub fn new(kept: Vec<Block<N>>, spill: Spill) -> Self {
        Self { kept, spilled: spill.written.into_inner().unwrap_or_else(PoisonError::into_inner) }
    }

    /// How many runs are in the file.
    pub fn spilled(&self) -> usize {
        self.spilled.runs.len()
    }

    /// Calls `visit` with the bytes of each entry, the key first, in order and until it breaks off.
    pub fn each(&self, mut visit: impl FnMut(&[u8]) -> Result<ControlFlow<()>>) -> Result<()> {
        let mut heads = BinaryHeap::new();
        for mut cursor in self.cursors() {
            cursor.begin()?;
            heads.extend(Head::of(cursor));
        }
        while let Some(mut first) = heads.peek_mut() {
            if visit(told(&first.entry))?.is_break() {
                return Ok(());
            }
            if !first.advance()? {
                PeekMut::pop(first);
            }
        }
        Ok(())
    }

    /// A cursor for each run.
    fn cursors(&self) -> Vec<Cursor<'_, N>> {
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

/// A run with the entry where it stands; the greatest is the one that comes first.
struct Head<'r, const N: usize> {
    entry: Vec<u8>,
    cursor: Cursor<'r, N>,
}

impl<'r, const N: usize> Head<'r, N> {
    /// Nothing of a run that has no entry left.
    fn of(cursor: Cursor<'r, N>) -> Option<Self> {
        Some(Self { entry: cursor.entry()?.to_vec(), cursor })
    }

    /// Goes on to the next entry, if there is one.
    fn advance(&mut self) -> Result<bool> {
        self.cursor.advance()?;
        let Some(entry) = self.cursor.entry() else { return Ok(false) };
        self.entry.clear();
        self.entry.extend_from_slice(entry);
        Ok(true)
    }
}

impl<const N: usize> Ord for Head<'_, N> {
    fn cmp(&self, other: &Self) -> Ordering {
        told(&other.entry).cmp(told(&self.entry))
    }
}

impl<const N: usize> PartialOrd for Head<'_, N> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<const N: usize> PartialEq for Head<'_, N> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<const N: usize> Eq for Head<'_, N> {}

/// One run on its way to be merged.
enum Cursor<'r, const N: usize> {
    /// In memory.
    Kept { block: &'r Block<N>, index: usize },
    /// In the file.
    Spilled { file: &'r File, next: u64, end: u64, plain: Vec<u8>, at: usize },
}

impl<const N: usize> Cursor<'_, N> {
    /// The entry where the cursor stands; nothing behind the last one.
    fn entry(&self) -> Option<&[u8]> {
        match self {
            Self::Kept { block, index } => block.entry(*index),
            Self::Spilled { plain, at, .. } => entry_at(plain, *at),
        }
    }

    /// Makes sure that the first entry is there.
    fn begin(&mut self) -> Result<()> {
        self.fill().map_err(failed)
    }

    /// Goes on to the next entry.
    fn advance(&mut self) -> Result<()> {
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
