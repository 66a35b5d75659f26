//! One directory of sled's files takes the place of another.
//!
//! A compaction writes `sled.new` beside `sled`. Only when it is whole and on the disk are the two exchanged, by two
//! renames: `sled` becomes `sled.old`, and `sled.new` becomes `sled`. A process can be killed between any two steps;
//! who opens the store next, under its lock and before sled does, sees by the names how far it came, and finishes or
//! undoes it. Whatever is called `sled` is whole at any time.

use std::fs;
use std::path::{Path, PathBuf};

use super::steps;
use super::sync::sync_directory;
use crate::{Error, Result};

/// The directory of the store's files of sled.
pub const SLED: &str = "sled";
/// The directory that is to take its place.
pub const NEW: &str = "sled.new";
/// What it took the place of.
const OLD: &str = "sled.old";

/// Puts `sled.new` in the place of `sled`, which is removed. `sled.new` has to be on the disk, and no process may have
/// files of either open. After an error the store is as it was, or the error says so.
pub fn exchange(path: &Path) -> Result<()> {
    let [sled, new, old] = [SLED, NEW, OLD].map(|name| path.join(name));
    rename(&sled, &old)?;
    let moved = steps::reach("old one moved").and_then(|()| sync_directory(path));
    if let Err(error) = moved.and_then(|()| rename(&new, &sled)) {
        rename(&old, &sled)?;
        return Err(error);
    }
    steps::reach("new one moved")?;
    sync_directory(path)?;
    steps::reach("exchanged")?;
    remove(&old)?;
    sync_directory(path)?;
    steps::reach("old one removed")
}

/// Removes `sled.new`.
pub fn discard(path: &Path) -> Result<()> {
    remove(&path.join(NEW))
}

/// Finishes or undoes what a kill has left half-done.
pub fn settle(path: &Path) -> Result<()> {
    let [sled, new, old] = [SLED, NEW, OLD].map(|name| path.join(name));
    if !is_there(&sled)? {
        match (is_there(&new)?, is_there(&old)?) {
            // The old one makes room only once the new one is whole.
            (true, true) => rename(&new, &sled)?,
            (false, true) => rename(&old, &sled)?,
            // Nothing that a compaction does: who opens the store says what is missing.
            (_, false) => return Ok(()),
        }
        sync_directory(path)?;
    }
    remove(&new)?;
    remove(&old)
}

fn is_there(path: &Path) -> Result<bool> {
    path.try_exists().map_err(|source| Error::io(format!("cannot read {}", path.display()), source))
}

fn rename(from: &Path, to: &PathBuf) -> Result<()> {
    let failed = |source| Error::io(format!("cannot rename {} to {}", from.display(), to.display()), source);
    fs::rename(from, to).map_err(failed)
}

/// Removes a directory, if it is there.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io(format!("cannot remove {}", path.display()), error))
        }
        _ => Ok(()),
    }
}
