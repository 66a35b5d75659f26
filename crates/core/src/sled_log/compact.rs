//! Compaction: everything that the store holds is written anew beside it, as small as it can be, and takes its place.
//!
//! sled never gives back much of what it has taken, and keeps on its pages what was replaced there. So frames, index
//! and the rest go into a fresh directory ([`swap`]), where each value is written once; the frames are packed as full
//! as the format allows, and the index of ids becomes one run. Then the new files are closed, opened and verified from
//! end to end against the old log's root, and only what has passed is exchanged. Records, roots and answers stay as
//! they are. Whatever goes wrong before, the store is what it was.
//!
//! The process has the store's lock all the while.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use annals_model::Seq;

use super::cache::Passed;
use super::lock::Lock;
use super::open::OPENER;
use super::open::{Generation, make_private, open_sled, read_format};
use super::sync::{sync_directory, sync_files};
use super::{SledLog, SledOptions, guarded, index, keys, steps, swap};
use crate::codec::frame::{Frame, Packing, pack_as};
use crate::log::{Log, StoredFrame};
use crate::merkle::BLOCK;
use crate::store::Store;
use crate::threads::in_turns;
use crate::verify::Witness;
use crate::{Damage, Error, Result};

/// Trees that are written in ways of their own: what else a store has is copied.
const OWN_WAYS: [&str; 4] = ["frames", "ids", "meta", index::EVENTS];
/// sled's own tree, which every store has.
const OF_SLED: &[u8] = b"__sled__default";
/// Blocks at the log's end that are packed as they come: the records to come change their pages again and again.
const AT_THE_END: u64 = 16;
/// Keys that sled has to have behind one whose page will not be split any more.
const BEHIND: usize = 17;
const PATIENCE: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_millis(5);

/// What a compaction is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The records are packed anew.
    Packing,
    /// What was written is read again, and held against the log's root.
    Checking,
}

/// What a compaction has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// The log's end and its root, the same before and after.
    pub witness: Witness,
    /// Frames before.
    pub frames_before: u64,
    /// Frames after.
    pub frames: u64,
    /// Bytes of sled's files before.
    pub bytes_before: u64,
    /// Bytes of sled's files after.
    pub bytes: u64,
}

impl SledLog {
    /// Writes the store at `path` anew, as small as it can be, on so many threads. Nobody may have it open.
    ///
    /// `told` is called now and then with the number of records that are done.
    ///
    /// # Errors
    ///
    /// Damage that is met ends it. The store is as it was after every error, unless that says otherwise.
    pub fn compact(
        path: &Path,
        options: &SledOptions,
        threads: NonZeroUsize,
        told: &mut dyn FnMut(Stage, u64),
    ) -> Result<Compacted> {
        read_format(path)?;
        let lock = Lock::take(&path.join("lock"), &options.holder, options.patience)?;
        let mut old = Self::open_locked(path, &SledOptions { check_head: true, ..options.clone() }, lock)?;
        old.index.renew(&old)?;
        let written = old.rewrite(options, threads, told);
        let (witness, frames_before, frames) = match written {
            Ok(written) => written,
            Err(error) => {
                // What stays is removed when the store is opened next.
                let _ = swap::discard(path);
                return Err(error);
            }
        };
        // The lock outlives the log that it was taken for.
        let lock = old.lock.take();
        drop(old);
        let sled = path.join(swap::SLED);
        wait_until_closed(&sled)?;
        let bytes_before = bytes_in(&sled)?;
        let bytes = bytes_in(&path.join(swap::NEW))?;
        steps::reach("closed for the exchange")?;
        swap::exchange(path)?;
        drop(lock);
        Ok(Compacted { witness, frames_before, frames, bytes_before, bytes })
    }

    /// Writes everything into `sled.new`, checks it, and brings it to the disk. Gives what was checked, and how many
    /// frames there were and are.
    fn rewrite(
        &self,
        options: &SledOptions,
        threads: NonZeroUsize,
        told: &mut dyn FnMut(Stage, u64),
    ) -> Result<(Witness, u64, u64)> {
        let head = self.head()?;
        let witness = Witness { count: head.seq().0, root: head.frontier.root() };
        let new = self.path.join(swap::NEW);
        make_private(&new).map_err(|source| Error::io(format!("cannot make {}", new.display()), source))?;
        steps::reach("begin anew")?;
        let frames_before = self.write_trees(&new, options, threads, told)?;
        steps::reach("written anew")?;
        wait_until_closed(&new)?;
        let log = Self::open_files(&self.path, swap::NEW, options, None, Generation::Present)?;
        let store = Store::new(log);
        let report = store.verify_telling(Some(witness), &mut |done| told(Stage::Checking, done))?;
        drop(store);
        if let Some(damage) = report.damage.into_iter().next() {
            return Err(damage.into());
        }
        wait_until_closed(&new)?;
        steps::reach("checked anew")?;
        bring_to_disk(&new)?;
        sync_directory(&self.path)?;
        steps::reach("synced anew")?;
        Ok((witness, frames_before, report.frames))
    }

    /// Writes every tree anew; gives how many frames there were.
    fn write_trees(
        &self,
        new: &Path,
        options: &SledOptions,
        threads: NonZeroUsize,
        told: &mut dyn FnMut(Stage, u64),
    ) -> Result<u64> {
        let db = open_sled(new, options.deadline)?;
        let written = self.write_trees_of(&db, threads, told);
        if written.is_err() {
            // sled flushes when it is closed, which may never end where a write has failed: see `Drop` of the log.
            let _ = std::thread::Builder::new().name(OPENER.to_owned()).spawn(move || drop(db));
        }
        written
    }

    fn write_trees_of(
        &self,
        db: &sled::Db,
        threads: NonZeroUsize,
        told: &mut dyn FnMut(Stage, u64),
    ) -> Result<u64> {
        let tree = |name: &[u8]| guarded("write the store anew", || db.open_tree(name));
        let (frames_before, events) = self.write_frames(tree(b"frames")?, threads, told)?;
        for name in self.db.tree_names() {
            if *name != *OF_SLED && !OWN_WAYS.iter().any(|own| own.as_bytes() == &*name) {
                let from = guarded("read the store", || self.db.open_tree(&name))?;
                copy(&from, tree(&name)?, |_| true)?;
            }
        }
        let meta = tree(b"meta")?;
        copy(&self.meta, meta.clone(), |key| key != keys::IDS)?;
        self.write_end(&meta, &tree(b"timelines")?)?;
        if self.head()?.seq().0 >= super::ids::RECENT {
            let manifest = self.index.rewrite(self, events, &tree(b"ids")?)?;
            guarded("write the index of ids", || meta.insert(keys::IDS, manifest))?;
        }
        guarded("write the store anew", || db.flush())?;
        Ok(frames_before)
    }

    /// Packs all frames anew, block by block; gives how many there were, and how many events.
    fn write_frames(
        &self,
        tree: sled::Tree,
        threads: NonZeroUsize,
        told: &mut dyn FnMut(Stage, u64),
    ) -> Result<(u64, u64)> {
        let end = self.head()?.seq();
        let mut filling = Filling::new(tree);
        let (mut before, mut events) = (0, 0);
        let blocks = Blocks { frames: self.frames(Seq(1)), waiting: None, next: Seq(1), end };
        in_turns(
            threads,
            blocks,
            |block| pack_block(block?, end),
            |packed| -> Result<()> {
                let packed = packed?;
                before += packed.before;
                events += packed.events;
                for (first, frame) in packed.frames {
                    filling.push(keys::number(first.0).to_vec(), frame)?;
                    told(Stage::Packing, first.0);
                }
                Ok(())
            },
        )?;
        filling.finish()?;
        Ok((before, events))
    }
}

/// Copies the pairs of a tree whose keys are wanted.
fn copy(from: &sled::Tree, to: sled::Tree, wanted: impl Fn(&[u8]) -> bool) -> Result<()> {
    let mut filling = Filling::new(to);
    for pair in super::Pairs::new(from.iter(), |key, value| Ok((key.to_vec(), value.to_vec()))) {
        let (key, value) = pair?;
        if wanted(&key) {
            filling.push(key, value)?;
        }
    }
    filling.finish()
}

/// Fills an empty tree in the order of its keys, so that sled writes each value once: a key is put in without its value
/// at first, and gets that when there are enough keys behind it that its page will be split no more.
pub struct Filling {
    tree: sled::Tree,
    waiting: VecDeque<(Vec<u8>, Vec<u8>)>,
    passed: Passed,
}

impl Filling {
    /// For an empty tree.
    pub fn new(tree: sled::Tree) -> Self {
        Self { tree, waiting: VecDeque::new(), passed: Passed::default() }
    }

    /// Adds the next pair.
    pub fn push(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<()> {
        self.insert(&key, &[])?;
        self.waiting.push_back((key, value));
        if self.waiting.len() > BEHIND
            && let Some((key, value)) = self.waiting.pop_front()
        {
            self.insert(&key, &value)?;
            self.passed.note(&self.tree, &key, value.len());
        }
        Ok(())
    }

    /// Adds what waits.
    pub fn finish(mut self) -> Result<()> {
        std::mem::take(&mut self.waiting).iter().try_for_each(|(key, value)| self.insert(key, value))
    }

    fn insert(&self, key: &[u8], value: &[u8]) -> Result<()> {
        guarded("write the store anew", || self.tree.insert(key, value).map(drop))
    }
}

/// The frames of the log, block by block.
struct Blocks<I> {
    frames: I,
    /// The first frame of the next block.
    waiting: Option<StoredFrame>,
    next: Seq,
    end: Seq,
}

impl<I: Iterator<Item = Result<StoredFrame>>> Iterator for Blocks<I> {
    type Item = Result<Vec<StoredFrame>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next > self.end {
            return None;
        }
        let first = self.next;
        let last = Seq(((first.0 - 1) / BLOCK + 1) * BLOCK).min(self.end);
        self.next = last.next();
        let mut block = Vec::new();
        while let Some(frame) = self.waiting.take().map(Ok).or_else(|| self.frames.next()) {
            match frame {
                Ok(frame) if frame.0 > last => {
                    self.waiting = Some(frame);
                    break;
                }
                Ok(frame) => block.push(frame),
                Err(error) => return Some(Err(error)),
            }
        }
        Some(if block.is_empty() { Err(missing(first, last)) } else { Ok(block) })
    }
}

fn missing(first: Seq, last: Seq) -> Error {
    Damage::of(first, last, "missing from the log").into()
}

/// A block, packed anew.
struct Packed {
    frames: Vec<StoredFrame>,
    /// How many frames it was in.
    before: u64,
    /// How many events begin in it.
    events: u64,
}

/// Packs the frames of one block anew; the log ends at `end`.
fn pack_block(block: Vec<StoredFrame>, end: Seq) -> Result<Packed> {
    let before = block.len() as u64;
    let begin = block.first().map_or(Seq(1), |(first, _)| Seq((first.0 - 1) / BLOCK * BLOCK + 1));
    let last = Seq(begin.0 + BLOCK - 1).min(end);
    let (mut due, mut events, mut records) = (begin, 0, Vec::new());
    for (first, bytes) in block {
        if first != due {
            return Err(missing(due.min(first), Seq(due.max(first).0 - 1)));
        }
        let frame = Frame::decode(first, &bytes)?;
        for raw in frame.records() {
            events += u64::from(raw?.head.previous == 0);
        }
        records.extend(frame.encoded()?);
        due = frame.last().next();
    }
    if due != last.next() {
        return Err(missing(due.min(last), last));
    }
    let is_at_the_end = (begin.0 - 1) / BLOCK + AT_THE_END > (end.0 - 1) / BLOCK;
    let packing = if is_at_the_end { Packing::USUAL } else { Packing::TIGHT };
    Ok(Packed { frames: pack_as(packing, begin, &records)?, before, events })
}

/// Waits until sled has let go of a directory whose log was dropped: until then it may still write to it, and remove
/// files by their names.
fn wait_until_closed(sled: &Path) -> Result<()> {
    let failed = |source| Error::io(format!("cannot open {}", sled.join("db").display()), source);
    let file = File::options().read(true).write(true).open(sled.join("db")).map_err(failed)?;
    let mut waited = Duration::ZERO;
    while file.try_lock().is_err() {
        if waited >= PATIENCE {
            return Err(Error::unavailable("sled does not let go of its files", "try again"));
        }
        sleep(STEP);
        waited += STEP;
    }
    Ok(())
}

/// Syncs all that sled has written in its directory.
fn bring_to_disk(sled: &Path) -> Result<()> {
    let blobs = sled.join("blobs");
    for directory in [sled, &blobs].into_iter().filter(|directory| directory.is_dir()) {
        let failed = |source| Error::io(format!("cannot sync {}", directory.display()), source);
        sync_files(directory).map_err(failed)?;
        sync_directory(directory)?;
    }
    Ok(())
}

/// How many bytes the files in a directory have, and in those below it.
fn bytes_in(path: &Path) -> Result<u64> {
    let failed = |source| Error::io(format!("cannot read {}", path.display()), source);
    let mut bytes = 0;
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let data = entry.metadata().map_err(failed)?;
        bytes += if data.is_dir() { bytes_in(&entry.path())? } else { data.len() };
    }
    Ok(bytes)
}
