//! Files that are there whole or not at all: written under another name, synced, renamed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::merkle::Hash;

/// Bytes that are copied at once.
const PIECE: usize = 1 << 17;

/// Puts a file in its place durably; `unfinished`, in the same directory, is what it is called until then.
pub fn put(path: &Path, unfinished: &Path, bytes: &[u8]) -> io::Result<()> {
    let write = || {
        let mut file = File::create(unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(unfinished, path)?;
        sync_directory(parent(path))
    };
    write().inspect_err(|_| {
        // Whether it can be removed or not, the error to be told is the first one.
        let _ = fs::remove_file(unfinished);
    })
}

/// Copies everything that `from` gives into a new file, which it syncs, and hashes it on the way.
pub fn copy(from: &mut impl Read, to: &Path) -> io::Result<(u64, Hash)> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(to)?;
    let copied = pump(from, |piece| file.write_all(piece))?;
    file.sync_all()?;
    Ok(copied)
}

/// The length and the hash of a file.
pub fn digest(path: &Path) -> io::Result<(u64, Hash)> {
    pump(&mut BufReader::with_capacity(PIECE, File::open(path)?), |_| Ok(()))
}

fn pump(from: &mut impl Read, mut to: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<(u64, Hash)> {
    let mut hasher = Sha256::new();
    let mut length = 0;
    let mut piece = vec![0; PIECE];
    loop {
        let read = match from.read(&mut piece) {
            Ok(0) => return Ok((length, hasher.finalize().into())),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other?,
        };
        let piece = piece.get(..read).unwrap_or_default();
        hasher.update(piece);
        to(piece)?;
        length += read as u64;
    }
}

/// Makes a directory with its parents, and their names durable; one that is there is as good.
pub fn make_directory(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => return Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make_directory(parent(path))?;
            fs::create_dir(path)?;
        }
        other => other?,
    }
    sync_directory(parent(path))
}

/// Makes the names in a directory durable.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The names of the files in a directory; none where it is not there.
pub fn names(path: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

/// The directory that a path stands in.
pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
