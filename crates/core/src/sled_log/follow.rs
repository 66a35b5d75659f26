//! Following a log from outside: what is in it from a position on, and then what is new, record by record, while
//! other processes write.
//!
//! A follower reads the tail file, which needs no lock. Only what stands there no longer is read from the store
//! itself: a chunk at a time, when nobody has the store open, and it is closed again at once. A writer that comes
//! just then waits for that moment, however impatient it is, and never fails because of it.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use annals_model::Seq;

use super::SledLog;
use super::head_file::peek;
use super::open::{SledOptions, read_format};
use super::tail::{Entry, Place, Reader, TAIL};
use crate::codec::frame::Frame;
use crate::log::{Log, StoredFrame};
use crate::stored::StoredRecord;
use crate::{Damage, Error, Result};

/// Records and bytes of frames that are read at a time.
const RECORDS: u64 = 4096;
const BYTES: usize = 1024 * 1024;
/// How long the store is left alone between two chunks: a writer that waits tries far more often.
const PAUSE: Duration = Duration::from_millis(25);

/// Gives the records of a store's log in order, each once, whoever has the store open.
///
/// It survives the writers, and needs none. Where the store is open elsewhere and the records that are due are
/// not in its tail file any more, it gives nothing until the store is closed.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    options: SledOptions,
    next: Seq,
    /// The last record that was given.
    given: Seq,
    place: Option<Place>,
    /// Whether the last records came from the store itself.
    was_open: bool,
}

/// What the tail file has for a follower.
struct Found {
    frames: Vec<StoredFrame>,
    /// Where it ends, as far as it was read.
    end: Seq,
    /// Whether it begins behind the record that is due: it is whole, but of no use yet.
    is_ahead: bool,
}

impl Follower {
    /// A follower of the store at `path`, from the record `from` on, which may not be there yet. The options are
    /// those with which the store is opened; their patience is not needed.
    ///
    /// # Errors
    ///
    /// There has to be a store.
    pub fn new(path: &Path, from: Seq, options: SledOptions) -> Result<Self> {
        read_format(path)?;
        let next = from.max(Seq(1));
        Ok(Self { path: path.to_owned(), options, next, given: Seq(0), place: None, was_open: false })
    }

    /// The last record of a store's log, as can be told without opening it: whoever follows from the next one on
    /// misses nothing that is recorded from now on.
    pub fn end(path: &Path) -> Result<Seq> {
        read_format(path)?;
        let noted = peek(&path.join("head")).map_or(Seq(0), |witness| Seq(witness.count));
        let Ok(Some(mut reader)) = Reader::open(&path.join(TAIL)) else { return Ok(noted) };
        while let Ok(Some(_)) = reader.next_entry() {}
        Ok(noted.max(Seq(reader.place().next.0 - 1)))
    }

    /// The record that is due.
    pub const fn due(&self) -> Seq {
        self.next
    }

    /// The records that are due and can be read now, a few thousand at most; none where there are none yet. Call
    /// it again at once after some, and after a while, such as 100 ms, after none.
    ///
    /// # Errors
    ///
    /// The log may have gone back behind what was given: a backup was put in its place, or a store without syncs
    /// was killed. Or it is damaged, or gone.
    pub fn poll(&mut self) -> Result<Vec<StoredRecord>> {
        // In this order: the writer writes the tail first.
        let noted = peek(&self.path.join("head")).map_or(Seq(0), |witness| Seq(witness.count));
        let found = self.read_tail()?;
        match found {
            Some(found) if !found.frames.is_empty() => {
                self.was_open = false;
                self.records(found.frames)
            }
            Some(found) if noted.max(found.end) >= self.next => self.catch_up(!found.is_ahead),
            None if noted >= self.next => self.catch_up(true),
            // Nothing is new, or there is no store any more.
            _ => read_format(&self.path).map(|_| Vec::new()),
        }
    }

    /// Reads on in the tail file. One that cannot be read is no better than none.
    fn read_tail(&mut self) -> Result<Option<Found>> {
        let Ok(Some(mut reader)) = Reader::open(&self.path.join(TAIL)) else { return Ok(None) };
        let (last_mark, mark) = (self.place.map(|place| place.mark), reader.place().mark);
        if let Some(place) = self.place.filter(|place| place.mark == mark) {
            if reader.go_to(place).is_err() {
                return Ok(None);
            }
        } else if reader.place().next > self.next {
            self.place = None;
            return Ok(Some(Found {
                frames: Vec::new(),
                end: Seq(reader.place().next.0 - 1),
                is_ahead: true,
            }));
        }
        let mut chunk = Chunk::default();
        while let Ok(Some(Entry { first, last, bytes })) = reader.next_entry() {
            if last >= self.next && chunk.is_full_with(first, bytes.into_owned()) {
                break;
            }
        }
        let end = Seq(reader.place().next.0 - 1);
        // A writer begins a file behind everything that the log has, so a new one cannot end earlier.
        if last_mark.is_some_and(|last| last != mark) && end < self.given {
            return Err(went_back(self.given, end));
        }
        self.place = Some(reader.place());
        Ok(Some(Found { frames: chunk.frames, end, is_ahead: false }))
    }

    /// Reads a chunk from the store itself, if nobody has it open. Where the tail file is of no use it is begun
    /// anew on this occasion.
    fn catch_up(&mut self, renews: bool) -> Result<Vec<StoredRecord>> {
        if self.was_open {
            sleep(PAUSE);
        }
        self.was_open = false;
        let Some(log) = SledLog::open_if_free(&self.path, &self.options)? else { return Ok(Vec::new()) };
        self.was_open = true;
        let end = log.head()?.seq();
        let mut chunk = Chunk::default();
        if end >= self.next {
            for frame in log.frames(self.next) {
                let (first, bytes) = frame?;
                if chunk.is_full_with(first, bytes) {
                    break;
                }
            }
        }
        // A store without syncs that was killed has a tail file that is ahead of it.
        if (renews || end < self.next)
            && let Ok(recent) = log.recent(end)
        {
            log.tail.renew(&recent, end);
        }
        // Decoding takes its time, and others need the store.
        drop(log);
        self.records(chunk.frames)
    }

    /// The records of frames, from the one that is due on.
    fn records(&mut self, frames: Vec<StoredFrame>) -> Result<Vec<StoredRecord>> {
        let mut records = Vec::new();
        for (first, bytes) in frames {
            let frame = Frame::decode(first, &bytes)?;
            for raw in frame.records() {
                let raw = raw?;
                if raw.seq < self.next {
                    continue;
                }
                if raw.seq > self.next {
                    let last = Seq(raw.seq.0 - 1);
                    return Err(Damage::of(self.next, last, "missing from the log").into());
                }
                records.push(StoredRecord::decode(&raw)?);
                self.given = raw.seq;
                self.next = raw.seq.next();
            }
        }
        Ok(records)
    }
}

/// Frames, up to a limit.
#[derive(Default)]
struct Chunk {
    frames: Vec<StoredFrame>,
    bytes: usize,
}

impl Chunk {
    /// Takes a frame; whether the chunk is full with it.
    fn is_full_with(&mut self, first: Seq, bytes: Vec<u8>) -> bool {
        self.bytes += bytes.len();
        self.frames.push((first, bytes));
        let begin = self.frames.first().map_or(first, |(begin, _)| *begin);
        self.bytes >= BYTES || first.0.saturating_sub(begin.0) >= RECORDS
    }
}

fn went_back(given: Seq, end: Seq) -> Error {
    Error::unavailable(
        format!("the log ends at record {end} now, and record {given} has been given"),
        "a backup was put in its place, or a store without syncs was killed: begin again from a record that it has",
    )
}
