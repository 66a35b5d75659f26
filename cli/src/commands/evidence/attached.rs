//! The files that go along with evidence: what the chosen events name by its hash and the store keeps.
//!
//! Each lies in the folder under its SHA-256, as in the store, so that its name says what it has to be. What an event names
//! and the store keeps nowhere, such as a copy on somebody's shelf, is listed and does not go along; what was attached
//! and is missing is damage.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use annals_core::proof::{Refusal, Step};
use annals_core::{Attachments, StoredRecord, hex};
use annals_model::Source;
use sha2::{Digest, Sha256};

use super::cited;
use crate::error::{CliError, CliResult};
use crate::files::{self, cannot, refused};

/// The directory of the folder that has them.
pub const DIRECTORY: &str = "attachments";
/// Bytes that are copied at once.
const PIECE: usize = 1 << 17;

/// The files that go along, each opened, by their hashes.
pub type Kept = BTreeMap<String, File>;

/// Finds what the records name.
pub fn kept(attachments: &Attachments, records: &[StoredRecord]) -> CliResult<Kept> {
    let mut kept = Kept::new();
    for (seq, id, source) in cited(records) {
        let Some(sha256) = source.sha256.as_deref().filter(|sha256| !kept.contains_key(*sha256)) else {
            continue;
        };
        match (attachments.open(sha256)?, Source::attached(source)) {
            (Some(file), _) => drop(kept.insert(sha256.to_owned(), file)),
            (None, Some((_, name))) => {
                return Err(lost(&format!(
                    "the attachment {name} of {id}, record {seq}, is missing ({sha256})"
                )));
            }
            (None, None) => {}
        }
    }
    Ok(kept)
}

/// Copies them to a new directory below this one, and holds each against its name on the way.
pub fn copy(kept: &mut Kept, folder: &Path) -> CliResult<()> {
    if kept.is_empty() {
        return Ok(());
    }
    let directory = folder.join(DIRECTORY);
    let failed = |e: io::Error| cannot("write", &directory, &e);
    fs::create_dir(&directory).map_err(failed)?;
    for (sha256, from) in kept {
        let mut to = File::create_new(directory.join(sha256)).map_err(failed)?;
        if pump(from, &mut to).map_err(failed)? != *sha256 {
            return Err(lost(&format!("the attachment {sha256} is not what was attached")));
        }
        files::set_mode(&to, 0o644).map_err(failed)?;
        to.sync_all().map_err(failed)?;
    }
    let opened = File::open(&directory).map_err(failed)?;
    files::set_mode(&opened, 0o755).and_then(|()| opened.sync_all()).map_err(failed)
}

/// Copies a file; gives the hash of what was copied.
fn pump(from: &mut File, to: &mut File) -> io::Result<String> {
    let (mut hasher, mut piece) = (Sha256::new(), vec![0; PIECE]);
    loop {
        let read = from.read(&mut piece)?;
        let Some(piece) = piece.get(..read).filter(|piece| !piece.is_empty()) else { break };
        hasher.update(piece);
        to.write_all(piece)?;
    }
    let hash: [u8; 32] = hasher.finalize().into();
    Ok(hex(&hash))
}

fn lost(what: &str) -> CliError {
    CliError::damaged(what.to_owned())
        .with_hint(
            "`annals attachment add FILE` puts the original back, `annals restore` takes it from a backup",
        )
        .with_hint("--without-attachments leaves the files out")
}

/// Holds the files of a folder of evidence against their names.
pub fn check(folder: &Path) -> CliResult<()> {
    let directory = folder.join(DIRECTORY);
    if !directory.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(&directory).map_err(|e| cannot("read", &directory, &e))? {
        let path = entry.map_err(|e| cannot("read", &directory, &e))?.path();
        let (sha256, _) = Attachments::hash(&path)?;
        if path.file_name().is_none_or(|name| *name != *sha256) {
            let refusal =
                Refusal::at(Step::Record, "its SHA-256 is not its name: it is not what a record names");
            return Err(refused(&files::shown(&path), &refusal));
        }
    }
    Ok(())
}
