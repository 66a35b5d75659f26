//! Saved answers: a directory with a file for each, `NAME.json`, which holds the JSON of the snapshot.
//!
//! The files are no part of the log and nothing is derived from them; whoever reads one checks it by its receipt
//! ([`Store::check`](crate::Store::check)). A file is written whole or not at all: under another name first,
//! synced, then renamed. What a kill leaves behind has a name that no snapshot can have.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use annals_model::saved::Erasure;
use annals_model::{SavedSnapshot, Snapshot, SnapshotName};
use serde::Serialize;

use crate::error::{Conflict, NotFound};
use crate::{Damage, Error, Result};

/// The name of the directory in a store's.
pub const DIRECTORY: &str = "snapshots";

const SUFFIX: &str = ".json";
const UNFINISHED: &str = ".new";

/// The saved answers of a store.
#[derive(Clone, Debug)]
pub struct Snapshots {
    directory: PathBuf,
}

impl Snapshots {
    /// Those in a directory, which need not be there yet.
    pub const fn at(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The file of a snapshot, whether it is there or not.
    pub fn path(&self, name: &SnapshotName) -> PathBuf {
        self.directory.join(format!("{name}{SUFFIX}"))
    }

    /// Saves an answer durably. Answers whether it took the place of another one.
    ///
    /// # Errors
    ///
    /// A snapshot of that name is there, and it is not to be replaced.
    pub fn save(&self, name: &SnapshotName, snapshot: &Snapshot, replace: bool) -> Result<bool> {
        let failed = |source| Error::io(format!("cannot save the snapshot {name}"), source);
        let path = self.path(name);
        let is_there = path.try_exists().map_err(failed)?;
        if is_there && !replace {
            return Err(Conflict::Snapshot(name.clone()).into());
        }
        self.write(name, snapshot).map_err(failed)?;
        Ok(is_there)
    }

    /// Puts in the place of a saved answer, durably, what is left of it once an event that it depended on was
    /// redacted: its question, and from which records it was answered.
    pub(crate) fn erase(&self, name: &SnapshotName, saved: &SavedSnapshot, by: &Erasure) -> Result<()> {
        self.write(name, &saved.without_answer(by))
            .map_err(|source| Error::io(format!("cannot erase the snapshot {name}"), source))
    }

    /// Removes what a kill has left of answers that were being saved.
    pub(crate) fn remove_unfinished(&self) -> Result<()> {
        let failed = |source| Error::io("cannot remove what is left of a snapshot", source);
        let mut is_changed = false;
        for file in self.files().map_err(failed)? {
            let name = file.to_string_lossy();
            if name.starts_with('.') && name.ends_with(UNFINISHED) {
                fs::remove_file(self.directory.join(&file)).map_err(failed)?;
                is_changed = true;
            }
        }
        if is_changed { sync(&self.directory).map_err(failed) } else { Ok(()) }
    }

    fn write(&self, name: &SnapshotName, snapshot: &impl Serialize) -> io::Result<()> {
        let mut json = serde_json::to_vec_pretty(snapshot)?;
        json.push(b'\n');
        self.make_directory()?;
        let unfinished = self.directory.join(format!(".{name}{UNFINISHED}"));
        let write = || {
            let mut file = File::create(&unfinished)?;
            file.write_all(&json)?;
            file.sync_all()?;
            fs::rename(&unfinished, self.path(name))?;
            sync(&self.directory)
        };
        write().inspect_err(|_| {
            // Whether it can be removed or not, the error to be told is the first one.
            let _ = fs::remove_file(&unfinished);
        })
    }

    /// The names of all saved answers, in order.
    pub fn names(&self) -> Result<Vec<SnapshotName>> {
        let failed = |source| Error::io("cannot list the snapshots", source);
        let mut names = Vec::new();
        for file in self.files().map_err(failed)? {
            let name = file.to_str().and_then(|file| file.strip_suffix(SUFFIX));
            names.extend(name.and_then(|name| SnapshotName::new(name).ok()));
        }
        names.sort();
        Ok(names)
    }

    /// The names of all files in the directory, in no particular order.
    fn files(&self) -> io::Result<Vec<OsString>> {
        match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            other => other?.map(|entry| Ok(entry?.file_name())).collect(),
        }
    }

    /// Reads a saved answer, which is not yet to be trusted.
    ///
    /// # Errors
    ///
    /// There is none of that name, or its file cannot be read as a snapshot.
    pub fn load(&self, name: &SnapshotName) -> Result<SavedSnapshot> {
        let bytes = match fs::read(self.path(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(NotFound::Snapshot(name.clone()).into());
            }
            other => other.map_err(|e| Error::io(format!("cannot read the snapshot {name}"), e))?,
        };
        let damaged = |what: String| Error::from(Damage::new(format!("the file of snapshot {name}: {what}")));
        let text = String::from_utf8(bytes).map_err(|e| damaged(e.to_string()))?;
        SavedSnapshot::parse(text).map_err(|e| damaged(e.to_string()))
    }

    /// Removes a saved answer for good.
    ///
    /// # Errors
    ///
    /// There is none of that name.
    pub fn remove(&self, name: &SnapshotName) -> Result<()> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Err(NotFound::Snapshot(name.clone()).into()),
            other => other
                .and_then(|()| sync(&self.directory))
                .map_err(|e| Error::io(format!("cannot remove the snapshot {name}"), e)),
        }
    }

    /// Makes the directory, and its name in the store durable.
    fn make_directory(&self) -> io::Result<()> {
        match fs::create_dir(&self.directory) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            other => other.and_then(|()| self.directory.parent().map_or(Ok(()), sync)),
        }
    }
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}
