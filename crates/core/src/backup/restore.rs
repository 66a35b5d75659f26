//! Making a store of a backup.
//!
//! The store is made beside its place, checked against the backup's root, and then renamed: a kill leaves what was
//! there before. A store that holds records is never replaced unasked, and even then only moved aside. Two restores to one
//! place do not meet: each keeps the lock of what it makes.

use std::collections::HashMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use annals_model::{Seq, TimelineName, Version};

use super::contents::{self, Decoded, first_of};
use super::manifest::{Manifest, Named};
use super::segment::missing;
use super::{Backup, Held};
use crate::ahead::Key;
use crate::log::{Commit, EventEntry, Head, Log as _};
use crate::merkle::{BLOCK, Frontier};
use crate::sled_log::{Durability, Lock, SledLog, SledOptions, has_lost_its_format};
use crate::{Damage, Error, Result, files};

/// What a store has that has only been made.
const BARE: [&str; 5] = ["format", "lock", "head", "tail", "sled"];
/// Bytes of frames in one commit.
const CHUNK: usize = 8 * 1024 * 1024;

/// What a restore has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What the store holds now.
    pub held: Held,
    /// Where the store that was there before is now.
    pub aside: Option<PathBuf>,
}

impl Backup {
    /// Makes a store at `path` of this backup: the same records, byte for byte, under the same root, with the saved
    /// answers and the attachments.
    ///
    /// A store that is there is replaced if it holds no record, and moved aside if it holds anything else. With `force`
    /// one that holds records is moved aside.
    ///
    /// # Errors
    ///
    /// There is no finished backup, it is damaged, or what is at `path` may not be replaced. Nothing has changed then.
    pub fn restore(
        &self,
        path: &Path,
        options: &SledOptions,
        force: bool,
        workers: NonZeroUsize,
        advance: impl FnMut(u64),
    ) -> Result<Restored> {
        let manifest = self.finished()?;
        let old = Old::look(path, options, force)?;
        let failed = |e| Error::io(format!("cannot make a store at {}", path.display()), e);
        let unfinished = beside(path, "restoring");
        // Both locks are kept to the end: somebody else who restores to this place has to wait for the whole of it.
        let _left = clear(&unfinished, options)?;
        // Each commit is synced: sled keeps what is not in memory.
        let create = SledOptions { durability: Durability::Each, ..options.clone() };
        let log = SledLog::create(&unfinished, &create)?;
        let _lock = log.lock();
        if let Err(error) = self.make(&manifest, log, workers, advance) {
            // Whether it can be removed or not, the error to be told is the first one.
            let _ = fs::remove_dir_all(&unfinished);
            if self.is_newer_than(&manifest) {
                let what = format!("the backup at {} was brought up to date meanwhile", self.path.display());
                return Err(Error::unavailable(what, "restore it once more"));
            }
            return Err(error);
        }
        let aside = old.give_way(path).map_err(failed)?;
        fs::rename(&unfinished, path).map_err(failed)?;
        files::sync_directory(files::parent(path)).map_err(failed)?;
        Ok(Restored { held: manifest.held(), aside })
    }

    /// Fills an empty store, and closes it.
    fn make(
        &self,
        manifest: &Manifest,
        log: SledLog,
        workers: NonZeroUsize,
        mut advance: impl FnMut(u64),
    ) -> Result<()> {
        let mut filling = Filling::new(&log);
        contents::each(&self.path, manifest, workers, |frame| {
            advance(frame.records.len() as u64);
            filling.add(frame)
        })?;
        filling.commit()?;
        let head = log.head()?;
        if head.frontier.root() != manifest.log_root.0 || head.seq().0 != manifest.records {
            let what = "their root is not the one that the manifest holds";
            return Err(Damage::of(Seq(1), head.seq().max(Seq(1)), what).into());
        }
        let path = log.path();
        self.copy_named(&manifest.snapshots, &path.join("snapshots"), |name| format!("{name}.json"))?;
        self.copy_named(&manifest.attachments, &path.join("attachments"), str::to_owned)?;
        drop(log);
        Ok(())
    }

    fn copy_named(&self, named: &[Named], to: &Path, name: impl Fn(&str) -> String) -> Result<()> {
        if named.is_empty() {
            return Ok(());
        }
        let failed = |e| Error::io("cannot copy into the store", e);
        files::make_directory(to).map_err(failed)?;
        for Named { name: called, file } in named {
            let mut from = fs::File::open(file.path(&self.path)).map_err(|e| missing(file, e))?;
            let path = to.join(name(called));
            file.check(files::copy(&mut from, &path).map_err(failed)?)?;
        }
        files::sync_directory(to).map_err(failed)
    }
}

/// A store that is being filled from frames.
struct Filling<'a> {
    log: &'a SledLog,
    tree: Frontier,
    commit: Commit,
    events: HashMap<Key, EventEntry>,
    versions: HashMap<TimelineName, Version>,
    bytes: usize,
}

impl<'a> Filling<'a> {
    fn new(log: &'a SledLog) -> Self {
        Self {
            log,
            tree: Frontier::default(),
            commit: Commit::default(),
            events: HashMap::new(),
            versions: HashMap::new(),
            bytes: 0,
        }
    }

    /// Adds the next frame.
    fn add(&mut self, frame: Decoded) -> Result<()> {
        for (number, leaf) in (frame.first.0..).zip(&frame.records) {
            let seq = Seq(number);
            let first = match (leaf.previous, self.events.get(&leaf.event)) {
                (None, _) => seq,
                (Some(_), Some(entry)) => entry.first,
                (Some(_), None) => first_of(self.log, leaf, seq)?,
            };
            self.events.insert(leaf.event.clone(), EventEntry { first, last: seq, last_op: leaf.op });
            self.versions.entry(leaf.event.0.clone()).or_default().0 += 1;
            let block = self.tree.push(leaf.hash);
            self.commit.blocks.extend(block.map(|root| (number / BLOCK - 1, root)));
        }
        self.bytes += frame.bytes.len();
        self.commit.frames.push((frame.first, frame.bytes));
        self.commit.head = Head { frontier: self.tree.clone(), recorded_at: Some(frame.recorded_at) };
        if self.bytes >= CHUNK { self.commit() } else { Ok(()) }
    }

    /// Stores what has gathered.
    fn commit(&mut self) -> Result<()> {
        if self.commit.frames.is_empty() {
            return Ok(());
        }
        let mut commit = std::mem::take(&mut self.commit);
        let events = std::mem::take(&mut self.events);
        commit.events = events.into_iter().map(|((timeline, id), entry)| (timeline, id, entry)).collect();
        commit.timelines = self.versions.iter().map(|(name, version)| (name.clone(), *version)).collect();
        self.bytes = 0;
        self.log.commit(&commit)
    }
}

/// What is at the place of the new store.
enum Old {
    Nothing,
    /// A store with nothing in it, or an empty directory.
    Empty(Option<Lock>),
    /// A store that is to be moved aside.
    Full(Lock),
}

impl Old {
    fn look(path: &Path, options: &SledOptions, force: bool) -> Result<Self> {
        let failed = |e| Error::io(format!("cannot look at {}", path.display()), e);
        if fs::symlink_metadata(path).is_err() {
            return Ok(Self::Nothing);
        }
        if !path.join("format").exists() && !has_lost_its_format(path) {
            let is_empty = path.is_dir() && files::names(path).map_err(failed)?.is_empty();
            let what = format!("there is something else at {}", path.display());
            let hint = "choose a path where nothing is, or move it away";
            return if is_empty { Ok(Self::Empty(None)) } else { Err(Error::unavailable(what, hint)) };
        }
        let records = match SledLog::open(path, options) {
            Ok(log) => log.head()?.seq(),
            Err(Error::Damaged(_)) if force => Seq(1),
            Err(error) => return Err(error),
        };
        let lock = Lock::take(&path.join("lock"), &options.holder, options.patience)?;
        if records == Seq(0) {
            // Evidence that no event names yet, and whatever else somebody has put there, is not thrown away.
            let is_bare =
                files::names(path).map_err(failed)?.iter().all(|name| BARE.contains(&name.as_str()));
            return Ok(if is_bare { Self::Empty(Some(lock)) } else { Self::Full(lock) });
        }
        if !force {
            let what = format!("the store at {} holds {records} records", path.display());
            return Err(Error::unavailable(what, "with --force it is moved aside, and not deleted"));
        }
        Ok(Self::Full(lock))
    }

    /// Makes room; gives where the old store is now.
    fn give_way(self, path: &Path) -> std::io::Result<Option<PathBuf>> {
        match self {
            Self::Nothing => Ok(None),
            Self::Empty(_lock) => fs::remove_dir_all(path).map(|()| None),
            Self::Full(_lock) => {
                let names = (1_u32..).map(|number| beside(path, &format!("before-restore-{number}")));
                let mut free = names.skip_while(|name| fs::symlink_metadata(name).is_ok());
                let aside = free.next().ok_or(std::io::ErrorKind::AlreadyExists)?;
                fs::rename(path, &aside)?;
                Ok(Some(aside))
            }
        }
    }
}

/// Removes what a restore to the same place has left that was killed; the lock of it, so that nobody takes what is made
/// there next for the same.
fn clear(unfinished: &Path, options: &SledOptions) -> Result<Option<Lock>> {
    let failed = |e| Error::io(format!("cannot remove {}", unfinished.display()), e);
    if !unfinished.exists() {
        return Ok(None);
    }
    let lock = unfinished.join("lock");
    let lock = lock.exists().then(|| Lock::take(&lock, &options.holder, Duration::ZERO)).transpose()?;
    fs::remove_dir_all(unfinished).map_err(failed)?;
    Ok(lock)
}

/// `PATH.WHAT`, in the same directory.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.file_name().map_or_else(|| "store".into(), std::ffi::OsStr::to_os_string);
    name.push(format!(".{what}"));
    path.with_file_name(name)
}
