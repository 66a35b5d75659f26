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

/// The lock, held as long as it lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, waiting up to `patience` for another process to let go of it.
    pub fn take(path: &Path, holder: &str, patience: Duration) -> Result<Self> {
        let failed = |source| Error::io(format!("cannot lock {}", path.display()), source);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if waited < patience => {
                    sleep(STEP);
                    waited += STEP;
                }
                Err(TryLockError::WouldBlock) => return Err(held(&mut file)),
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
        let note = format!("process {}: {holder}\n", std::process::id());
        file.set_len(0).and_then(|()| file.write_all(note.as_bytes())).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

fn held(file: &mut File) -> Error {
    let mut holder = String::new();
    // Who holds it is told where it can be told; that it is held is what matters.
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.take(1000).read_to_string(&mut holder));
    let holder = match read {
        Ok(_) if !holder.trim().is_empty() => holder.trim().to_owned(),
        _ => "another process".to_owned(),
    };
    Error::unavailable(format!("the store is in use by {holder}"), "wait for it to end, then try again")
}
