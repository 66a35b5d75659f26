//! The tail file: the last frames of the log, beside the log, for whoever follows it.
//!
//! Only one process can have sled's files open, and a follower must not take them from a writer. So the writer
//! puts what it has committed into this file, too, once it is durable, and a follower reads it there without any
//! lock. The file is derived and disposable: it is never synced, nothing but a follower reads it, a commit never
//! fails because of it, and one that is missing, torn or left behind by the log is begun anew. A file is only
//! ever appended to; when it grows too large a new one, which begins with the end of the old one, takes its
//! place. Each carries a mark of its own, by which a follower notices the change.

use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::fs::{self, File};
use std::hash::BuildHasher;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use annals_model::Seq;

use crate::log::{Commit, StoredFrame};
use crate::{Error, Result};

/// The file's name in the store's directory.
pub const TAIL: &str = "tail";

const MAGIC: &[u8; 8] = b"ANNTAIL1";
const HEADER: usize = 32;
/// What stands before an entry's frame: its length, its last record, a checksum.
const ENTRY: usize = 16;
/// What stands behind it: its length once more, so that the last entry can be found from the end.
const CLOSE: usize = 4;
/// Bytes from which on the file is replaced, and how many of its last ones the new file begins with: a follower
/// that is not further behind than these never misses its place.
const ROOM: u64 = 4 * 1024 * 1024;
const KEPT: u64 = 2 * 1024 * 1024;
/// Bytes of one commit that are still put into the file; who wants what a larger one wrote reads the log.
pub const LARGEST: usize = 16 * 1024 * 1024;

/// The tail file, as its writer has it.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    /// Nothing until the first commit, and after a write that failed.
    open: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    file: File,
    mark: u64,
    /// The last record that it holds; the one before its first where it is empty.
    end: Seq,
    size: u64,
    /// Whether all of it is known to be whole, and not only its last entry.
    checked: bool,
}

impl Tail {
    /// The tail file at a path. Nothing is read or written yet.
    pub const fn at(path: PathBuf) -> Self {
        Self { path, open: Mutex::new(None) }
    }

    /// Takes note of a commit that is durable; `before` is where the log ended before it. A file that cannot be
    /// gone on with is begun anew, with what `recent` gives: the last frames of the log, this commit's included.
    /// One that cannot be written is given up until the next commit.
    pub fn note(&self, before: Seq, commit: &Commit, recent: impl FnOnce() -> Result<Vec<StoredFrame>>) {
        let mut open = self.lock();
        let resumed = self.resumed(open.take(), before);
        let end = commit.head.seq();
        let size: usize = commit.frames.iter().map(|(_, bytes)| bytes.len() + ENTRY + CLOSE).sum();
        *open = match resumed {
            _ if size > LARGEST => self.begin(end, &[]).ok(),
            Some(open) => {
                let added = commit.frames.iter().filter(|(first, _)| *first > before);
                self.append(open, size as u64, &entries(added, end)).ok()
            }
            None => recent().ok().and_then(|recent| self.begin_with(&recent, end).ok()),
        };
    }

    /// Begins the file anew, with the last frames of a log that ends at `end`.
    pub fn renew(&self, recent: &[StoredFrame], end: Seq) {
        let mut open = self.lock();
        *open = self.begin_with(recent, end).ok();
    }

    /// Removes the file durably, so that it does not keep what a commit is about to erase.
    pub fn remove(&self) -> Result<()> {
        let mut open = self.lock();
        *open = None;
        for path in [&self.path, &self.unfinished()] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(Error::io(format!("cannot remove {}", path.display()), error));
                }
                _ => {}
            }
        }
        let directory = self.path.parent().unwrap_or(Path::new("."));
        let synced = File::open(directory).and_then(|directory| directory.sync_all());
        synced.map_err(|error| Error::io(format!("cannot sync {}", directory.display()), error))
    }

    /// The file, if it ends where the log ended.
    fn resumed(&self, open: Option<Open>, before: Seq) -> Option<Open> {
        let open = match open {
            Some(open) => self.checked(open).ok()?,
            None => Open::resume(&self.path).ok()?,
        };
        open.filter(|open| open.end == before)
    }

    fn append(&self, open: Open, size: u64, added: &[Entry<'_>]) -> io::Result<Open> {
        if open.size + size <= ROOM {
            return open.push(added);
        }
        let before = open.end;
        let mut entries = self.kept(before)?;
        let begin = entries.first().map_or(before, |entry| Seq(entry.first.0 - 1));
        entries.extend(added.iter().map(Entry::borrowed));
        self.begin(begin, &entries)
    }

    /// The file, if it is whole. A process that commits once trusts its last entry; one that goes on looks at all
    /// of them, once: a power cut may have left a hole, and every follower would be stuck there.
    fn checked(&self, open: Open) -> io::Result<Option<Open>> {
        if open.checked {
            return Ok(Some(open));
        }
        let whole = match Reader::open(&self.path)? {
            Some(reader) => reader.reads_up_to(open.end)?,
            None => false,
        };
        Ok(whole.then_some(Open { checked: true, ..open }))
    }

    /// The last entries of the file, which end with the record `end`.
    fn kept(&self, end: Seq) -> io::Result<Vec<Entry<'static>>> {
        let Some(mut reader) = Reader::open(&self.path)? else { return Ok(Vec::new()) };
        let from = reader.size.saturating_sub(KEPT);
        let mut kept = Vec::new();
        while let Some(entry) = reader.next_entry()? {
            if reader.place.offset > from {
                kept.push(entry);
            }
        }
        let whole = reader.place.next == end.next();
        Ok(if whole { kept } else { Vec::new() })
    }

    fn begin_with(&self, recent: &[StoredFrame], end: Seq) -> io::Result<Open> {
        let before = recent.first().map_or(end, |(first, _)| Seq(first.0.saturating_sub(1)));
        self.begin(before, &entries(recent.iter(), end))
    }

    /// Puts a new file in the place of the old one: it begins behind `before`, with these entries.
    fn begin(&self, before: Seq, entries: &[Entry<'_>]) -> io::Result<Open> {
        let unfinished = self.unfinished();
        let begun = Open::create(&unfinished, before, entries);
        let placed = begun.and_then(|open| fs::rename(&unfinished, &self.path).map(|()| open));
        placed.inspect_err(|_| {
            // What cannot take its place is not left lying around either.
            let _ = fs::remove_file(&unfinished);
        })
    }

    fn unfinished(&self) -> PathBuf {
        self.path.with_extension("new")
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// The file that is there, if it can be gone on with: its header and its last entry are whole.
    fn resume(path: &Path) -> io::Result<Option<Self>> {
        let Some(mut reader) = Reader::open(path)? else { return Ok(None) };
        let Place { mark, next, .. } = reader.place;
        let size = reader.size;
        let mut end = Seq(next.0 - 1);
        if size > HEADER as u64 {
            let Some(entry) = reader.last_entry()? else { return Ok(None) };
            end = entry.last;
        }
        let file = File::options().append(true).open(path)?;
        Ok(Some(Self { file, mark, end, size, checked: false }))
    }

    fn create(path: &Path, before: Seq, entries: &[Entry<'_>]) -> io::Result<Self> {
        // Nothing that is recorded depends on this number: it only has to be another one than the last file's.
        let mark = RandomState::new().hash_one(before.0);
        let mut file = File::options().write(true).create(true).truncate(true).open(path)?;
        file.write_all(&header(mark, before.next()))?;
        Self { file, mark, end: before, size: HEADER as u64, checked: true }.push(entries)
    }

    /// Writes entries behind the last one, in one piece: who reads meanwhile sees some of them whole, or none.
    fn push(mut self, entries: &[Entry<'_>]) -> io::Result<Self> {
        let mut bytes = Vec::new();
        for entry in entries {
            entry.encode(self.mark, self.size + bytes.len() as u64, &mut bytes)?;
            self.end = entry.last;
        }
        self.file.write_all(&bytes)?;
        self.size += bytes.len() as u64;
        Ok(self)
    }
}

/// A frame in the file.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Its first record.
    pub first: Seq,
    /// Its last record.
    pub last: Seq,
    /// The frame.
    pub bytes: Cow<'a, [u8]>,
}

/// Frames that stand one behind the other, up to the record `end`.
fn entries<'a>(frames: impl Iterator<Item = &'a StoredFrame>, end: Seq) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'a>> = frames
        .map(|(first, bytes)| Entry { first: *first, last: end, bytes: Cow::Borrowed(bytes) })
        .collect();
    let mut last = end;
    for entry in entries.iter_mut().rev() {
        entry.last = last;
        last = Seq(entry.first.0.saturating_sub(1));
    }
    entries
}

impl Entry<'_> {
    fn borrowed(&self) -> Entry<'_> {
        Entry { first: self.first, last: self.last, bytes: Cow::Borrowed(&self.bytes) }
    }

    fn encode(&self, mark: u64, offset: u64, into: &mut Vec<u8>) -> io::Result<()> {
        let length = u32::try_from(self.bytes.len()).map_err(io::Error::other)?.to_le_bytes();
        into.extend(length);
        into.extend(self.last.0.to_le_bytes());
        into.extend(checksum(mark, offset, self.last, &self.bytes).to_le_bytes());
        into.extend(&*self.bytes);
        into.extend(length);
        Ok(())
    }
}

/// Over everything that an entry says, and where it says it.
fn checksum(mark: u64, offset: u64, last: Seq, bytes: &[u8]) -> u32 {
    let place = [mark, offset, last.0].map(u64::to_le_bytes);
    crc32c::crc32c_append(crc32c::crc32c(place.as_flattened()), bytes)
}

fn header(mark: u64, first: Seq) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(MAGIC);
    header[8..16].copy_from_slice(&mark.to_le_bytes());
    header[16..24].copy_from_slice(&first.0.to_le_bytes());
    let crc = crc32c::crc32c(&header[..28]);
    header[28..].copy_from_slice(&crc.to_le_bytes());
    header
}

/// How far a follower has read: in which file, up to which byte, and which record stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's mark.
    pub mark: u64,
    /// The first record of the entry that begins there.
    pub next: Seq,
    offset: u64,
}

/// The tail file, as a follower reads it.
#[derive(Debug)]
pub struct Reader {
    input: BufReader<File>,
    place: Place,
    size: u64,
}

impl Reader {
    /// Opens the file at its first entry; nothing where there is none, or it is no tail file.
    pub fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let size = file.metadata()?.len();
        let mut input = BufReader::with_capacity(64 * 1024, file);
        let mut found = [0; HEADER];
        if size < HEADER as u64 {
            return Ok(None);
        }
        input.read_exact(&mut found)?;
        let [mark, first] = [8, 16].map(|at| number(&found[at..]));
        if found != header(mark, Seq(first)) || first == 0 {
            return Ok(None);
        }
        Ok(Some(Self { input, place: Place { mark, next: Seq(first), offset: HEADER as u64 }, size }))
    }

    /// Where the reader stands.
    pub const fn place(&self) -> Place {
        self.place
    }

    /// Goes on from where an earlier reader of the same file stood.
    pub fn go_to(&mut self, place: Place) -> io::Result<()> {
        self.input.seek(SeekFrom::Start(place.offset))?;
        self.place = place;
        Ok(())
    }

    /// The next entry; nothing at the end of what is whole.
    pub fn next_entry(&mut self) -> io::Result<Option<Entry<'static>>> {
        let Place { mark, next, offset } = self.place;
        let left = self.size.saturating_sub(offset);
        if left < (ENTRY + CLOSE) as u64 {
            return Ok(None);
        }
        let mut head = [0; ENTRY];
        self.input.read_exact(&mut head)?;
        let [length, crc] = [0, 12].map(|at| number(&head[at..at + 4]));
        let last = Seq(number(&head[4..12]));
        let whole = length + (ENTRY + CLOSE) as u64;
        if left < whole || last < next {
            return Ok(None);
        }
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.input.read_exact(&mut bytes)?;
        let mut close = [0; CLOSE];
        self.input.read_exact(&mut close)?;
        if number(&close) != length || u64::from(checksum(mark, offset, last, &bytes)) != crc {
            return Ok(None);
        }
        self.place = Place { mark, next: last.next(), offset: offset + whole };
        Ok(Some(Entry { first: next, last, bytes: Cow::Owned(bytes) }))
    }

    /// The entry at the end of the file, found from there.
    fn last_entry(&mut self) -> io::Result<Option<Entry<'static>>> {
        let mut close = [0; CLOSE];
        self.input.seek(SeekFrom::Start(self.size.saturating_sub(CLOSE as u64)))?;
        self.input.read_exact(&mut close)?;
        let whole = number(&close) + (ENTRY + CLOSE) as u64;
        match self.size.checked_sub(whole).filter(|offset| *offset >= HEADER as u64) {
            Some(offset) => {
                self.go_to(Place { offset, ..self.place })?;
                self.next_entry()
            }
            None => Ok(None),
        }
    }

    /// Whether it can be read through to its end, which is `end`.
    fn reads_up_to(mut self, end: Seq) -> io::Result<bool> {
        while self.next_entry()?.is_some() {}
        Ok(self.place.offset == self.size && self.place.next == end.next())
    }
}

/// A number of up to eight bytes, little-endian.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
