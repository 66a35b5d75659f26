//! The head file: what the log's end was, kept beside the log.
//!
//! After a kill, one flipped bit can make sled take the end of its log for a torn write and drop it without a
//! word. The head file is how that is noticed: a log that ends before it has lost records. It is written after
//! the log and without a sync of its own, so it may lag; a log that is longer than its head file is in order.
//! Two slots are written in turn, so that a torn write leaves the other one.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::verify::Witness;
use crate::{Damage, Error, Result};

const MAGIC: &[u8; 8] = b"ANNHEAD1";
const SLOT: usize = 64;

/// The open head file.
#[derive(Debug)]
pub struct HeadFile {
    path: PathBuf,
    slots: Mutex<Slots>,
}

#[derive(Debug)]
struct Slots {
    file: File,
    next: u64,
}

impl HeadFile {
    /// Makes the head file of an empty log, durably.
    pub fn create(path: &Path, empty: Witness) -> Result<()> {
        let failed = |source| Error::io(format!("cannot write {}", path.display()), source);
        let mut file = File::create(path).map_err(failed)?;
        // Both slots take their room now, so that a full disk cannot stand in the way of writing them.
        let slots = [encode(empty), [0; SLOT]];
        file.write_all(slots.as_flattened()).and_then(|()| file.sync_all()).map_err(failed)
    }

    /// Opens the head file; gives the newest witness that it holds.
    pub fn open(path: &Path) -> Result<(Self, Witness)> {
        let failed = |source| Error::io(format!("cannot read {}", path.display()), source);
        let file = match OpenOptions::new().read(true).write(true).open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(
                    Damage::new("the head file is missing: the end of the log cannot be checked").into()
                );
            }
            other => other.map_err(failed)?,
        };
        let (witness, slot) = newest(&file).map_err(failed)?.ok_or_else(|| {
            Damage::new("the head file is unreadable: the end of the log cannot be checked")
        })?;
        let slots = Mutex::new(Slots { file, next: 1 - slot });
        Ok((Self { path: path.to_owned(), slots }, witness))
    }

    /// Notes where the log ends now.
    pub fn write(&self, witness: Witness) -> Result<()> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let offset = slots.next * SLOT as u64;
        slots.next = 1 - slots.next;
        let file = &mut slots.file;
        file.seek(SeekFrom::Start(offset))
            .and_then(|_| file.write_all(&encode(witness)))
            .map_err(|source| Error::io(format!("cannot write {}", self.path.display()), source))
    }
}

/// What the head file of a store that others may have open holds; nothing where it cannot be read.
pub fn peek(path: &Path) -> Option<Witness> {
    let file = File::open(path).ok()?;
    newest(&file).ok()?.map(|(witness, _)| witness)
}

/// The newest witness, and its slot.
fn newest(file: &File) -> std::io::Result<Option<(Witness, u64)>> {
    let mut bytes = Vec::new();
    file.take(2 * SLOT as u64).read_to_end(&mut bytes)?;
    let slots = bytes.chunks(SLOT).zip(0_u64..);
    Ok(slots
        .filter_map(|(slot, index)| Some((decode(slot)?, index)))
        .max_by_key(|(witness, _)| witness.count))
}

fn encode(witness: Witness) -> [u8; SLOT] {
    let mut slot = [0; SLOT];
    slot[..8].copy_from_slice(MAGIC);
    slot[8..16].copy_from_slice(&witness.count.to_be_bytes());
    slot[16..48].copy_from_slice(&witness.root);
    let crc = crc32c::crc32c(&slot[..48]);
    slot[48..52].copy_from_slice(&crc.to_be_bytes());
    slot
}

fn decode(slot: &[u8]) -> Option<Witness> {
    let (fields, rest) = slot.split_at_checked(48)?;
    let intact = fields.starts_with(MAGIC) && rest.starts_with(&crc32c::crc32c(fields).to_be_bytes());
    let count = fields[8..16].try_into().ok().map(u64::from_be_bytes)?;
    let root = fields[16..].try_into().ok()?;
    intact.then_some(Witness { count, root })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_write_leaves_the_witness_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("head");
        let witness = |count: u64| Witness { count, root: [count.to_le_bytes()[0]; 32] };
        HeadFile::create(&path, witness(0)).unwrap();
        let (head, found) = HeadFile::open(&path).unwrap();
        assert_eq!(found, witness(0));
        for count in 1..=7 {
            head.write(witness(count)).unwrap();
        }
        let whole = std::fs::read(&path).unwrap();
        for byte in 0..whole.len() {
            let mut torn = whole.clone();
            torn[byte] ^= 0x10;
            std::fs::write(&path, &torn).unwrap();
            let (_, found) = HeadFile::open(&path).unwrap();
            assert!(found == witness(7) || found == witness(6), "byte {byte}");
        }
        std::fs::write(&path, b"").unwrap();
        assert!(matches!(HeadFile::open(&path), Err(Error::Damaged(_))));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(HeadFile::open(&path), Err(Error::Damaged(_))));
    }
}
