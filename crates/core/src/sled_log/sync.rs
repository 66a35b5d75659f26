//! Making a commit durable.
//!
//! sled's `flush` writes and ends in `sync_file_range`, which a power cut does not respect (spacejam/sled
//! issues 1452 and 1077). So after it the store's `db` file is synced through a handle of our own, and so is
//! every file that sled has put a large page into, with their directory.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::open::Durability;
use super::{guarded, steps};
use crate::{Error, Result};

/// Syncs sled's files.
#[derive(Debug)]
pub struct Syncer {
    durability: Durability,
    db: File,
    blobs: PathBuf,
    synced: Mutex<HashSet<OsString>>,
}

impl Syncer {
    /// A syncer for the sled store at `path`, which is open.
    pub fn new(path: &Path, durability: Durability) -> Result<Self> {
        let failed = |source| Error::io("cannot open sled's file", source);
        let db = File::options().read(true).write(true).open(path.join("db")).map_err(failed)?;
        Ok(Self { durability, db, blobs: path.join("blobs"), synced: Mutex::default() })
    }

    /// Whether anything is synced.
    pub const fn durability(&self) -> Durability {
        self.durability
    }

    /// Makes everything durable that has been written, if that is what the store promises.
    pub fn sync(&self, db: &sled::Db) -> Result<()> {
        match self.durability {
            Durability::Each => self.sync_now(db),
            Durability::Os => Ok(()),
        }
    }

    /// Makes everything durable, whatever the store promises.
    pub fn sync_now(&self, db: &sled::Db) -> Result<()> {
        steps::reach("flush")?;
        guarded("flush the log", || db.flush())?;
        steps::reach("sync")?;
        let failed = |source| Error::io("cannot sync the log", source);
        self.sync_blobs().and_then(|()| self.db.sync_data()).map_err(failed)?;
        steps::reach("synced")
    }

    fn sync_blobs(&self) -> std::io::Result<()> {
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        let mut present = HashSet::new();
        let mut any_new = false;
        for entry in fs::read_dir(&self.blobs)? {
            let entry = entry?;
            if !synced.contains(&entry.file_name()) {
                // sled may have dropped the file since it was listed; then there is nothing to sync.
                match File::open(entry.path()) {
                    Ok(file) => file.sync_all()?,
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                }
                any_new = true;
            }
            present.insert(entry.file_name());
        }
        if any_new {
            File::open(&self.blobs)?.sync_all()?;
        }
        *synced = present;
        Ok(())
    }
}

/// Syncs a directory, so that the names in it are durable.
pub fn sync_directory(path: &Path) -> Result<()> {
    let failed = |source| Error::io(format!("cannot sync {}", path.display()), source);
    File::open(path).and_then(|directory| directory.sync_all()).map_err(failed)
}

/// Syncs every file of a directory.
pub fn sync_files(path: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            File::open(entry.path())?.sync_all()?;
        }
    }
    Ok(())
}
