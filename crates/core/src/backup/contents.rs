//! The records of a backup, in order: frames are read on one thread and decoded and hashed on others.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use annals_model::{Op, RecordedAt, Seq};

use super::manifest::Manifest;
use super::segment::Reader;
use crate::ahead::Key;
use crate::codec::frame::{Frame, Packed};
use crate::log::Log as _;
use crate::merkle::Hash;
use crate::sled_log::SledLog;
use crate::stored::StoredRecord;
use crate::{Damage, Error, Result};

/// Frames that wait for each thread.
const AHEAD: usize = 8;

/// A frame of a backup with what its records say.
pub struct Decoded {
    /// The frame as it is stored.
    pub bytes: Vec<u8>,
    /// Its first record.
    pub first: Seq,
    /// Its last record.
    pub last: Seq,
    /// When that was recorded.
    pub recorded_at: RecordedAt,
    /// The records, each with the hash of its leaf.
    pub records: Vec<Leaf>,
}

/// What a record is, and its leaf.
pub struct Leaf {
    /// Its event.
    pub event: Key,
    /// What it does.
    pub op: Op,
    /// The event's record before it.
    pub previous: Option<Seq>,
    /// The hash of its leaf.
    pub hash: Hash,
}

/// Calls `visit` with every frame, in order, of files that are as they were written.
pub fn each(
    backup: &Path,
    manifest: &Manifest,
    workers: NonZeroUsize,
    mut visit: impl FnMut(Decoded) -> Result<()>,
) -> Result<()> {
    let (jobs, queue) = sync_channel::<Job>(workers.get());
    let queue = Mutex::new(queue);
    std::thread::scope(|scope| {
        for _ in 0..workers.get() {
            scope.spawn(|| work(&queue));
        }
        let mut coming = VecDeque::new();
        let outcome = send(backup, manifest, &jobs, |reply| {
            coming.push_back(reply);
            if coming.len() > workers.get() * AHEAD { receive(&mut coming, &mut visit) } else { Ok(()) }
        });
        // The threads end when nothing can come any more.
        drop(jobs);
        outcome?;
        while !coming.is_empty() {
            receive(&mut coming, &mut visit)?;
        }
        Ok(())
    })
}

/// A frame to be decoded, and where it then goes.
struct Job {
    first: Seq,
    bytes: Vec<u8>,
    reply: SyncSender<Result<Decoded>>,
}

type Coming = VecDeque<Receiver<Result<Decoded>>>;

/// Reads the frames, and has each decoded.
fn send(
    backup: &Path,
    manifest: &Manifest,
    jobs: &SyncSender<Job>,
    mut sent: impl FnMut(Receiver<Result<Decoded>>) -> Result<()>,
) -> Result<()> {
    let mut next = Seq(1);
    for segment in &manifest.segments {
        for bytes in Reader::open(backup, segment)? {
            let (bytes, first) = (bytes?, next);
            next = Packed::check(first, &bytes)?.last().next();
            let (reply, decoded) = sync_channel(1);
            jobs.send(Job { first, bytes, reply }).map_err(|_| lost())?;
            sent(decoded)?;
        }
        if next.0 != segment.last + 1 {
            let what = format!("{} ends before record {}", segment.file.file, segment.last);
            return Err(Damage::of(next, Seq(segment.last.max(next.0)), what).into());
        }
    }
    Ok(())
}

fn receive(coming: &mut Coming, visit: &mut impl FnMut(Decoded) -> Result<()>) -> Result<()> {
    let Some(decoded) = coming.pop_front() else { return Ok(()) };
    visit(decoded.recv().map_err(|_| lost())??)
}

fn lost() -> Error {
    Error::unavailable("a thread of the backup ended early", "this is a fault of Annals: report it")
}

fn work(queue: &Mutex<Receiver<Job>>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { first, bytes, reply }) = job else { return };
        // Nobody listens any more where the reading was given up.
        let _ = reply.send(decode(first, bytes));
    }
}

fn decode(first: Seq, bytes: Vec<u8>) -> Result<Decoded> {
    let frame = Frame::decode(first, &bytes)?;
    let mut recorded_at = RecordedAt::from_micros(i64::MIN);
    let mut records = Vec::new();
    for raw in frame.records() {
        let stored = StoredRecord::decode(&raw?)?;
        let hash = stored.leaf()?;
        let record = stored.record;
        if record.recorded_at < recorded_at {
            return Err(Damage::of(record.seq, record.seq, "recorded earlier than the one before").into());
        }
        recorded_at = record.recorded_at;
        let event = (record.timeline, record.id);
        records.push(Leaf { event, op: record.op, previous: stored.previous, hash });
    }
    Ok(Decoded { last: frame.last(), bytes, first, recorded_at, records })
}

/// Where an event begins that has a record before `leaf`: in the log as it is so far.
pub fn first_of(log: &SledLog, leaf: &Leaf, seq: Seq) -> Result<Seq> {
    let entry = log.event(&leaf.event.0, &leaf.event.1)?;
    let entry = entry.ok_or_else(|| Damage::of(seq, seq, "the event's record before it is missing"))?;
    Ok(entry.first)
}
