//! The store's own lock: taken before sled's files are touched, and it says who holds it.
//!
//! sled has a lock of its own, but its error is untyped, and what has to be cleaned up before sled opens must
//! be cleaned up by one process only. The lock goes with the process, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::{Error, Result};

const STEP: Duration = Duration::from_millis(5);
/// Time that a holder has, after it took the lock, to say who it is.
const NOTICE: Duration = Duration::from_millis(20);
/// How long even the impatient wait for a holder that has the lock for a moment only.
const GRACE: Duration = Duration::from_secs(5);
/// By what such a holder is known.
const BRIEFLY: &str = ", for a moment";

/// The lock, held as long as it lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, waiting up to `patience` for another process to let go of it. Whoever has it for a moment
    /// only is waited for in any case.
    pub fn take(path: &Path, holder: &str, patience: Duration) -> Result<Self> {
        let mut file = open(path)?;
        let mut waited = Duration::ZERO;
        while !try_to_take(&file, path)? {
            let has_it = holder_of(&mut file);
            let briefly = has_it.as_deref().is_some_and(|holder| holder.ends_with(BRIEFLY));
            if waited >= patience.max(if briefly { GRACE } else { NOTICE }) {
                return Err(held(has_it));
            }
            sleep(STEP);
            waited += STEP;
        }
        Self::taken(file, path, holder)
    }

    /// Takes the lock for a moment, if nobody has it.
    pub fn take_if_free(path: &Path, holder: &str) -> Result<Option<Self>> {
        let file = open(path)?;
        if !try_to_take(&file, path)? {
            return Ok(None);
        }
        Self::taken(file, path, &format!("{holder}{BRIEFLY}")).map(Some)
    }

    fn taken(mut file: File, path: &Path, holder: &str) -> Result<Self> {
        let note = format!("process {}: {holder}\n", std::process::id());
        // Cut to its length last: whoever looks meanwhile finds one holder or the other, never nobody.
        let noted = file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(note.as_bytes()));
        noted.and_then(|()| file.set_len(note.len() as u64)).map_err(|source| failed(path, source))?;
        Ok(Self { _file: file })
    }
}

fn open(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path).map_err(|source| failed(path, source))
}

/// Takes the lock if nobody has it; whether it did.
fn try_to_take(file: &File, path: &Path) -> Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(source)) => Err(failed(path, source)),
    }
}

fn failed(path: &Path, source: std::io::Error) -> Error {
    let error = Error::io(format!("cannot lock {}", path.display()), source);
    match error {
        Error::Unavailable { context, hint: None, source } => {
            let hint = "it has to be a file of its owner's, on a file system that knows locks";
            Error::Unavailable { context, hint: Some(hint.to_owned()), source }
        }
        other => other,
    }
}

/// What the holder says about itself, where that can be read.
fn holder_of(file: &mut File) -> Option<String> {
    let mut holder = String::new();
    file.seek(SeekFrom::Start(0)).and_then(|_| file.take(1000).read_to_string(&mut holder)).ok()?;
    let holder = holder.lines().next()?.trim();
    (!holder.is_empty()).then(|| holder.to_owned())
}

fn held(holder: Option<String>) -> Error {
    let holder = holder.unwrap_or_else(|| "another process".to_owned());
    if is_gone(&holder) {
        // The lock goes with its process, so somebody else has it: one who leaves no notes, or is elsewhere.
        let what = format!(
            "the store is in use by another program: its lock is held, and {holder} does not run here"
        );
        let hint = "find out who has the file `lock` of the store open, here or on another machine; removing it frees nothing";
        return Error::unavailable(what, hint);
    }
    Error::unavailable(format!("the store is in use by {holder}"), "wait for it to end, then try again")
}

/// Whether the process that a note names is known not to run here.
fn is_gone(holder: &str) -> bool {
    let number =
        holder.strip_prefix("process ").and_then(|rest| rest.split_once(':')).map(|(number, _)| number);
    let processes = Path::new("/proc");
    number
        .and_then(|number| number.parse::<u32>().ok())
        .is_some_and(|number| processes.join("self").exists() && !processes.join(number.to_string()).exists())
}
