//! Backups: a directory of plain files that any tool can copy, with everything that cannot be derived.
//!
//! ```text
//! backup       "annals backup 1"; written first: what has it is a backup, finished or not
//! manifest     what belongs to the backup, with the length and hash of each file; written last
//! log/         segments: the log's frames, one behind the other
//! snapshots/   saved answers
//! attachments/ evidence files, named by their hash
//! ```
//!
//! No file is ever changed: a backup that is brought up to date gets new ones, and a new manifest takes the place of
//! the old one by a rename. So it is the older backup or the newer one at any moment, and both are whole. sled has no
//! part in it, because sled can make damage worse when it opens a store.
//!
//! `manifest` says what a backup has, `segment` owns the bytes of the log in it, `update` makes a backup and brings
//! it up to date, `contents` reads one, `check` checks it and `restore` makes a store of it.

mod check;
mod contents;
mod manifest;
mod restore;
mod segment;
mod update;

use std::path::{Path, PathBuf};

use annals_model::{RecordedAt, Seq};

pub use restore::Restored;
pub use update::{Step, Updated};

use crate::merkle::Hash;
use crate::sled_log::{SledLog, SledOptions};
use crate::{Error, Result, files};
use manifest::Manifest;

const MARK: &str = "annals backup 1\n";
const MARK_FILE: &str = "backup";
/// What that file is called until it is whole.
const UNFINISHED: &str = "backup.new";

/// A backup in a directory, which need not be there yet.
#[derive(Clone, Debug)]
pub struct Backup {
    path: PathBuf,
}

/// What a backup holds, as its manifest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Records of the log.
    pub records: Seq,
    /// The Merkle root over them.
    pub root: Hash,
    /// When the last of them was recorded.
    pub recorded_at: Option<RecordedAt>,
    /// Bytes of all files.
    pub bytes: u64,
    /// Saved answers.
    pub snapshots: u64,
    /// Evidence files.
    pub attachments: u64,
}

/// Where a backup reads from: a store that is open, or one that is opened from time to time.
pub trait Source {
    /// The store's directory.
    fn path(&self) -> &Path;

    /// Calls `visit` with the open store.
    fn turn(&self, visit: &mut dyn FnMut(&SledLog) -> Result<()>) -> Result<()>;
}

impl Source for SledLog {
    fn path(&self) -> &Path {
        Self::path(self)
    }

    fn turn(&self, visit: &mut dyn FnMut(&SledLog) -> Result<()>) -> Result<()> {
        visit(self)
    }
}

/// A store that is opened for each turn and closed behind it, so that other processes get theirs meanwhile.
#[derive(Clone, Debug)]
pub struct ByTurns {
    /// The store's directory.
    pub path: PathBuf,
    /// How it is opened.
    pub options: SledOptions,
}

impl Source for ByTurns {
    fn path(&self) -> &Path {
        &self.path
    }

    fn turn(&self, visit: &mut dyn FnMut(&SledLog) -> Result<()>) -> Result<()> {
        visit(&SledLog::open(&self.path, &self.options)?)
    }
}

impl Backup {
    /// The backup in a directory.
    pub const fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a backup, finished or not.
    pub fn is_there(&self) -> bool {
        std::fs::read(self.path.join(MARK_FILE)).is_ok_and(|mark| mark == MARK.as_bytes())
    }

    /// What it holds, if a backup was ever finished here.
    pub fn held(&self) -> Result<Option<Held>> {
        Ok(self.manifest()?.map(|manifest| manifest.held()))
    }

    fn manifest(&self) -> Result<Option<Manifest>> {
        if !self.is_there() {
            return Ok(None);
        }
        Manifest::read(&self.path)
    }

    /// The manifest of a backup that has to be there.
    fn finished(&self) -> Result<Manifest> {
        let none = || {
            Error::unavailable(
                format!("there is no backup at {}", self.path.display()),
                "`annals backup DEST` makes one",
            )
        };
        let unfinished = || {
            Error::unavailable(
                format!("the backup at {} was never finished", self.path.display()),
                "run `annals backup` again: it begins anew there",
            )
        };
        if !self.is_there() {
            return Err(none());
        }
        Manifest::read(&self.path)?.ok_or_else(unfinished)
    }

    /// Whether it was brought up to date since its manifest was read.
    fn is_newer_than(&self, manifest: &Manifest) -> bool {
        self.finished().is_ok_and(|now| now.generation != manifest.generation)
    }

    /// Whether the directory is free for a new backup: missing, empty, or one where a kill came before the first file was
    /// in its place.
    fn is_free(&self) -> std::io::Result<bool> {
        let is_bare = || files::names(&self.path).map(|names| names.iter().all(|name| name == UNFINISHED));
        Ok(!self.path.exists() || self.path.is_dir() && is_bare()?)
    }
}
