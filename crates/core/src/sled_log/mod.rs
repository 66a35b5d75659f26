//! The log on sled 0.34.7.
//!
//! One directory is one store:
//!
//! ```text
//! format     the store's format version, as text
//! lock       held by the process that has the store open, and its name
//! head       how many records the log has, and its root: beside the log, to tell a short log from a whole one
//! tail       the last frames of the log, for those who follow it while another process has the store open
//! sled/      sled's own files: the trees frames, ids, timelines, blocks, meta
//! sled.new/  what a compaction writes, and takes the place of sled/ when it is whole
//! sled.old/  what it takes the place of, until it is removed
//! snapshots/ saved answers, a file each; no part of the log, and there only once one was saved
//! attachments/ evidence files, named by their hash; there only once one was attached
//! ```
//!
//! What sled does not do by itself is done here: `open` guards against what a killed or damaged store does to
//! it, `sync` makes a commit durable, `head_file` notices a tail that was silently cut. `SAFETY.md` beside this
//! crate's sources lists the hazards, and where each is met. `tail` and `follow` are the two ends of following a log
//! across processes.

mod cache;
mod compact;
mod end;
mod follow;
mod head_file;
mod ids;
mod index;
mod keys;
mod lock;
mod open;
mod staging;
pub(crate) mod steps;
mod swap;
mod sync;
mod tail;
mod watchdog;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use annals_model::{EventId, Op, Seq, TimelineName, Version};
use sled::Transactional;
use sled::transaction::{ConflictableTransactionError, TransactionError};

pub use compact::{Compacted, Stage};
pub use follow::Follower;
pub(crate) use lock::Lock;
pub(crate) use open::has_lost_its_format;
pub use open::{Durability, OPENER, SledOptions};

use crate::attachments::{self, Attachments};
use crate::log::{Commit, EventEntry, Head, Log, Staging, StoredFrame};
use crate::merkle::Hash;
use crate::snapshots::{self, Snapshots};
use crate::verify::Witness;
use crate::{Damage, Error, Result};
use cache::Passed;
use end::{End, Moved};
use head_file::HeadFile;
use ids::Change;
use index::Index;
use staging::Staged;
use sync::Syncer;
use tail::Tail;
use watchdog::Watchdog;

/// How long a store may take to close, with everything that was answered on the disk already.
const CLOSING: Duration = Duration::from_secs(8);
/// Older records that a tail file begins with, where the log has as many.
const RECENT: u64 = 1024;

/// A log in a directory, on sled.
pub struct SledLog {
    path: PathBuf,
    frames: sled::Tree,
    ids: sled::Tree,
    index: Index,
    timelines: sled::Tree,
    blocks: sled::Tree,
    meta: sled::Tree,
    end: End,
    db: sled::Db,
    watchdog: Watchdog,
    syncer: Syncer,
    /// Absent where it could not be read and the store was opened for `verify` all the same.
    head_file: Option<HeadFile>,
    tail: Tail,
    passed: Passed,
    /// The last record that frames are read up to: the log's end where something else may stand behind it.
    visible: AtomicU64,
    witness: Option<Witness>,
    /// Set when a sync has failed: what is on the disk is not known any more.
    refuses: AtomicBool,
    // Dropped last, when sled's handles are gone. The lock is absent only while a compaction checks what it has written.
    gone: Option<Sender<()>>,
    lock: Option<Arc<Lock>>,
}

impl SledLog {
    /// The store's directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The answers that are saved in the store. Only who has the store open may change them.
    pub fn snapshots(&self) -> Snapshots {
        Snapshots::at(self.path.join(snapshots::DIRECTORY))
    }

    /// The evidence files that the store keeps.
    pub fn attachments(&self) -> Attachments {
        Attachments::at(self.path.join(attachments::DIRECTORY))
    }

    /// What the head file held when the store was opened; nothing where it could not be read.
    pub const fn witness(&self) -> Option<Witness> {
        self.witness
    }

    /// Whether commits are synced before they are answered.
    pub const fn durability(&self) -> Durability {
        self.syncer.durability()
    }

    /// That something derived had to be built anew since the store was opened, and why.
    pub fn remark(&self) -> Option<&str> {
        self.index.remark()
    }

    /// Bytes on disk.
    pub fn size_on_disk(&self) -> Result<u64> {
        guarded("measure the store", || self.db.size_on_disk())
    }

    /// The lock, for who has to have it longer than the log.
    pub(crate) fn lock(&self) -> Option<Arc<Lock>> {
        self.lock.clone()
    }

    /// The frames behind the record `before`, and some before it, for a tail file that is begun anew.
    fn recent(&self, before: Seq) -> Result<Vec<StoredFrame>> {
        let mut recent = VecDeque::new();
        let mut bytes = 0;
        for frame in self.frames(Seq(before.0.saturating_sub(RECENT).max(1))) {
            let frame = frame?;
            bytes += frame.1.len();
            recent.push_back(frame);
            while bytes > tail::LARGEST {
                bytes -= recent.pop_front().map_or(bytes, |(_, frame)| frame.len());
            }
        }
        Ok(recent.into())
    }

    /// Has sled closed by another thread, which may wait for ever: sled flushes when its last handle goes, and after a
    /// failed write that may never end. Until it does, or the process ends, the store is locked.
    fn let_go(&mut self) {
        let trees = [&self.frames, &self.ids, &self.timelines, &self.blocks, &self.meta].map(Clone::clone);
        let handles = (trees, self.db.clone(), self.lock.clone());
        let (gone, are_gone) = channel();
        self.gone = Some(gone);
        let close = move || {
            // Ends when this log's own handles are gone, so that these are the last.
            let _ = are_gone.recv();
            let _ = catch_unwind(AssertUnwindSafe(|| drop(handles)));
        };
        // Where no thread can be made the closure is dropped, and everything with it.
        let _ = std::thread::Builder::new().name(OPENER.to_owned()).spawn(close);
    }

    /// Flushes what sled still has to write when the store is closed; whether that came to an end, with an error or
    /// without. On a full disk it may never, though no write of ours has failed.
    fn is_flushed(&self) -> bool {
        let (done, is_done) = channel();
        let db = self.db.clone();
        let flush = move || {
            let _ = steps::reach("close");
            let _ = guarded("close the store", || db.flush());
            // The last handle has to be the log's own.
            drop(db);
            let _ = done.send(());
        };
        let thread = std::thread::Builder::new().name(OPENER.to_owned()).spawn(flush);
        let waited = self.watchdog.watch(|| is_done.recv_timeout(CLOSING));
        thread.is_err() || !matches!(waited, Err(RecvTimeoutError::Timeout))
    }

    /// That the log can be written to.
    fn may_write(&self) -> Result<()> {
        if self.head_file.is_none() {
            return Err(Error::unavailable("the store is open for reading only", "open it again"));
        }
        if self.refuses.load(Ordering::Acquire) {
            return Err(Error::unavailable(
                "the store refuses to write: an earlier write failed half-way",
                "mend the disk, then open the store again",
            ));
        }
        Ok(())
    }

    /// Changes the trees as a commit says, behind the record `before`. Of a staged one it is told whether its pieces
    /// redact anything.
    fn change_trees(
        &self,
        before: Seq,
        commit: &Commit,
        change: Option<&Change>,
        staged: Option<bool>,
    ) -> Result<()> {
        if staged == Some(true) || erases(commit, before) {
            self.tail.remove()?;
        }
        let is_small = staged.is_none() && end::is_small(commit, change);
        if is_small {
            self.note_format()?;
        }
        // Whatever goes wrong from here on leaves open what is on the disk.
        self.refuses.store(true, Ordering::Release);
        steps::reach("apply")?;
        // Readers know the log's end, and bear with what stands behind it.
        let visible = self.visible.swap(u64::MAX, Ordering::AcqRel);
        let applied = catch_unwind(AssertUnwindSafe(|| {
            self.watchdog.watch(|| {
                if is_small { self.apply_small(commit) } else { self.apply(commit, change, staged.is_some()) }
            })
        }));
        applied.unwrap_or_else(|_| Err(panicked("append"))).inspect_err(|_| {
            self.visible.store(visible, Ordering::Release);
        })?;
        steps::reach("applied")
    }

    /// Makes a commit durable whose trees are changed. A `staged` one has frames that it does not name.
    fn make_durable(&self, before: Seq, commit: &Commit, staged: bool) -> Result<()> {
        self.watchdog.watch(|| self.syncer.sync(&self.db))?;
        for (first, frame) in commit.frames.iter().chain(&commit.sealed) {
            self.passed.note(&self.frames, &keys::number(first.0), frame.len());
        }
        // Before the head file: whoever sees there that the log has grown finds the new records in the tail.
        if steps::reach("tail").is_ok() {
            if staged {
                self.tail.renew(&[], commit.head.seq());
            } else {
                self.tail.note(before, commit, || self.recent(before));
            }
        }
        // The commit is durable now and has to be answered; a head file that cannot follow it stops the next one.
        let witness = Witness { count: commit.head.seq().0, root: commit.head.frontier.root() };
        // Without syncs the head file could reach the disk before the log, which would look like damage: it is
        // written when the store is closed.
        let write = |head_file: &HeadFile| {
            self.durability() == Durability::Os
                || steps::reach("head file").and_then(|()| head_file.write(witness)).is_ok()
        };
        let noted = self.head_file.as_ref().is_some_and(write);
        self.refuses.store(!noted, Ordering::Release);
        Ok(())
    }

    /// Goes over to the present index of ids, if the store has the one before.
    fn renew_index(&self) -> Result<()> {
        self.index.renew(self)
    }

    /// The frames from the one that holds `from`, those included that stand behind the log's end.
    fn all_frames(&self, from: Seq) -> Box<dyn Iterator<Item = Result<StoredFrame>> + '_> {
        let start = guarded("read the log", || self.frames.get_lt(keys::number(from.0.saturating_add(1))));
        // The first one is given as it was found: looked for a second time it may have been sealed.
        let (start, rest) = match start {
            Ok(Some((key, value))) => {
                let rest = self.frames.range::<&[u8], _>((Bound::Excluded(&*key), Bound::Unbounded));
                (Some(read_frame(&key, &value)), rest)
            }
            Ok(None) => (None, self.frames.iter()),
            Err(error) => return Box::new(std::iter::once(Err(error))),
        };
        let frames = start.into_iter().chain(Pairs::new(rest, read_frame));
        Box::new(frames.inspect(|frame| {
            if let Ok((first, frame)) = frame {
                self.passed.note(&self.frames, &keys::number(first.0), frame.len());
            }
        }))
    }

    fn apply(&self, commit: &Commit, change: Option<&Change>, is_staged: bool) -> Result<()> {
        let moved = self.end.moved().versions.clone();
        let trees = (&self.frames, &self.ids, &self.timelines, &self.blocks, &self.meta);
        let done = trees.transaction(|(frames, ids, timelines, blocks, meta)| {
            for (first, frame) in &commit.frames {
                frames.insert(&keys::number(first.0), frame.as_slice())?;
            }
            for first in &commit.removed {
                frames.remove(&keys::number(first.0))?;
            }
            for (first, frame) in &commit.sealed {
                frames.insert(&keys::number(first.0), frame.as_slice())?;
            }
            if let Some(change) = change {
                for (key, part) in &change.put {
                    ids.insert(key, part.as_slice())?;
                }
                for key in &change.removed {
                    ids.remove(key)?;
                }
                meta.insert(keys::IDS, change.manifest.encode())?;
            }
            let versions = commit.timelines.iter().map(|(timeline, version)| (timeline, version));
            for (timeline, version) in moved.iter().chain(versions) {
                timelines.insert(timeline.as_str().as_bytes(), &version.0.to_be_bytes())?;
            }
            for (index, root) in &commit.blocks {
                blocks.insert(&keys::number(*index), root)?;
            }
            meta.insert(keys::HEAD, keys::head(&commit.head))?;
            if is_staged {
                meta.remove(keys::STAGED)?;
            }
            Ok::<(), ConflictableTransactionError<()>>(())
        });
        done.map_err(|error| match error {
            TransactionError::Storage(error) => storage("append to the log", error),
            TransactionError::Abort(()) => Error::unavailable("the append was aborted", "try again"),
        })?;
        *self.end.moved() = Moved::default();
        Ok(())
    }
}

/// The pairs of a tree, read. An error is the last thing that it gives: on a damaged page sled would give the
/// same one for ever.
struct Pairs<R> {
    range: Option<sled::Iter>,
    read: R,
}

impl<T, R: Fn(&[u8], &[u8]) -> Result<T>> Pairs<R> {
    const fn new(range: sled::Iter, read: R) -> Self {
        Self { range: Some(range), read }
    }
}

impl<T, R: Fn(&[u8], &[u8]) -> Result<T>> Iterator for Pairs<R> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let range = self.range.as_mut()?;
        let pair = guarded("read the store", || range.next().transpose());
        let read = pair.and_then(|pair| pair.map(|(key, value)| (self.read)(&key, &value)).transpose());
        if read.is_err() {
            self.range = None;
        }
        read.transpose()
    }
}

/// A frame of the log, as it is stored.
fn read_frame(key: &[u8], value: &[u8]) -> Result<StoredFrame> {
    let first = keys::read_number(key);
    let first = first.ok_or_else(|| Damage::new("a frame of the log has an unreadable key"))?;
    // What cannot be read is given as it is: no frame, which is the damage of its records.
    Ok((Seq(first), end::frame_of(value).unwrap_or(value).to_vec()))
}

/// The value under a key, read; a value that cannot be read is damage.
fn get<T>(tree: &sled::Tree, key: &[u8], read: impl Fn(&[u8]) -> Option<T>, what: &str) -> Result<Option<T>> {
    let Some(value) = guarded("read the store", || tree.get(key))? else {
        return Ok(None);
    };
    read(&value).map(Some).ok_or_else(|| Damage::new(format!("{what} is unreadable")).into())
}

impl Log for SledLog {
    fn head(&self) -> Result<Head> {
        let moved = self.end.moved().head.clone();
        moved.map_or_else(|| self.stored_head(), Ok)
    }

    fn commit(&self, commit: &Commit) -> Result<()> {
        self.may_write()?;
        if self.visible.load(Ordering::Acquire) != u64::MAX {
            // It could not be removed when the store was opened.
            self.watchdog.watch(|| self.remove_staged())?;
        }
        let before = self.head()?.seq();
        self.index.grow(self, commit, |change| self.change_trees(before, commit, change, None))?;
        self.make_durable(before, commit, false)
    }

    fn stage(&self) -> Result<Option<Box<dyn Staging + '_>>> {
        Ok(Some(Box::new(Staged::behind(self)?)))
    }

    fn tidy(&self) -> Result<()> {
        self.index.rest();
        if !self.index.is_scattered(self)? {
            return Ok(());
        }
        match Staged::behind(self)?.unite_ids() {
            // Whoever asks it next has it built anew, as one.
            Err(error) if ids::is_damaged(&error) => Ok(()),
            united => united,
        }
    }

    fn frames(&self, from: Seq) -> Box<dyn Iterator<Item = Result<StoredFrame>> + '_> {
        let end = Seq(self.visible.load(Ordering::Acquire));
        let frames = self.all_frames(from.min(end));
        if end == Seq(u64::MAX) {
            return frames;
        }
        Box::new(frames.take_while(move |frame| !matches!(frame, Ok((first, _)) if *first > end)))
    }

    fn event(&self, timeline: &TimelineName, id: &EventId) -> Result<Option<EventEntry>> {
        self.index.event(self, timeline, id)
    }

    fn place(&self, timeline: &TimelineName, id: &EventId, seq: Seq) -> Result<Option<(Seq, Seq)>> {
        self.index.place(self, timeline, id, seq)
    }

    fn indexed(&self) -> Result<Option<u64>> {
        self.index.count()
    }

    fn events(
        &self,
        timeline: &TimelineName,
    ) -> Box<dyn Iterator<Item = Result<(EventId, EventEntry)>> + '_> {
        self.index.events(self, timeline)
    }

    fn version(&self, timeline: &TimelineName) -> Result<Version> {
        if let Some(version) = self.end.moved().versions.get(timeline) {
            return Ok(*version);
        }
        let key = timeline.as_str().as_bytes();
        let version = get(&self.timelines, key, keys::read_number, "a timeline's version")?;
        Ok(Version(version.unwrap_or(0)))
    }

    fn timelines(&self) -> Result<Vec<(TimelineName, Version)>> {
        let pairs = Pairs::new(self.timelines.iter(), |key, value| {
            let name = std::str::from_utf8(key).ok().and_then(|name| TimelineName::new(name).ok());
            let entry = name.zip(keys::read_number(value).map(Version));
            entry.ok_or_else(|| Damage::new("a timeline's version is unreadable").into())
        });
        let mut all = pairs.collect::<Result<BTreeMap<_, _>>>()?;
        all.extend(self.end.moved().versions.iter().map(|(name, version)| (name.clone(), *version)));
        Ok(all.into_iter().collect())
    }

    fn directory(&self) -> Option<&Path> {
        Some(&self.path)
    }

    fn block(&self, index: u64) -> Result<Option<Hash>> {
        let read = |bytes: &[u8]| Hash::try_from(bytes).ok();
        get(&self.blocks, &keys::number(index), read, "the root of a block")
    }
}

/// Whether a commit erases what is in the log: it redacts an event, or rewrites a frame.
fn erases(commit: &Commit, end: Seq) -> bool {
    let redacts = commit.events.iter().any(|(_, _, entry)| entry.last_op == Op::Redact);
    redacts || commit.frames.iter().any(|(first, _)| *first <= end)
}

/// A store without syncs notes its end when it is closed: until then its head file lags.
impl Drop for SledLog {
    fn drop(&mut self) {
        if self.refuses.load(Ordering::Acquire) {
            self.let_go();
            return;
        }
        // sled flushes when its last handle goes, and nothing could look after it then. Nobody is there to be told of a
        // failure; whatever was answered is durable.
        if !self.is_flushed() {
            self.let_go();
            return;
        }
        if self.durability() == Durability::Each {
            return;
        }
        // Nobody is there to be told of a failure; the head file then lags further.
        let synced = self.syncer.sync_now(&self.db).is_ok();
        if let (true, Some(head_file), Ok(head)) = (synced, &self.head_file, self.head()) {
            let _ = head_file.write(Witness { count: head.seq().0, root: head.frontier.root() });
        }
    }
}

impl fmt::Debug for SledLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SledLog").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Calls sled, which panics on some damaged stores.
fn guarded<T>(what: &str, call: impl FnOnce() -> sled::Result<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(done) => done.map_err(|error| storage(what, error)),
        Err(_) => Err(panicked(what)),
    }
}

fn panicked(what: &str) -> Error {
    Damage::new(format!("sled failed to {what}: its files are damaged")).into()
}

/// sled's errors, sorted by what can be done about them.
fn storage(what: &str, error: sled::Error) -> Error {
    match error {
        sled::Error::Io(source) => Error::io(format!("cannot {what}"), as_the_system_said(source)),
        // The store's format names the version of sled: one that sled does not know is damage to its settings.
        sled::Error::Corruption { .. } | sled::Error::Unsupported(_) => {
            Damage::new(format!("cannot {what}: sled finds its files damaged")).into()
        }
        other => Error::unavailable(format!("cannot {what}: {other}"), "run `annals verify`"),
    }
}

/// The system's own error. sled wraps some of them into text, where only their number is left.
fn as_the_system_said(error: std::io::Error) -> std::io::Error {
    if error.raw_os_error().is_some() {
        return error;
    }
    let text = error.to_string();
    let digits = text.split("code: ").nth(1).map(|rest| rest.chars().take_while(char::is_ascii_digit));
    let code = digits.and_then(|digits| digits.collect::<String>().parse().ok());
    code.map_or(error, std::io::Error::from_raw_os_error)
}
