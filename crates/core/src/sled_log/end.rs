//! The log's end, and how a small commit moves it.
//!
//! sled stores one key with less than a transaction takes, which writes and waits for a manifest of its own first. So a
//! commit that adds one frame and gives nothing up changes one key only: the frame carries, in front of its own bytes,
//! where the log ends behind it and the versions of the timelines that it changed. Every other commit is a transaction,
//! which writes the end to `meta` and the versions to `timelines`, those of the small ones before it included.
//!
//! So the log ends where `meta` says, and behind that with the frames that carry an end, as long as they follow one
//! another. What an unfinished import has stored there carries none.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use annals_model::{TimelineName, Version};

use super::ids::Change;
use super::{SledLog, get, guarded, keys, open};
use crate::log::{Commit, Head};
use crate::{Damage, Result};

/// What a value begins with that carries an end. A frame begins with its version, which is smaller.
const CARRIES: u8 = 0x80;
/// Timelines whose versions a frame may carry.
const TIMELINES: usize = 8;

/// What small commits have moved since the last transaction.
#[derive(Debug)]
pub struct End {
    moved: Mutex<Moved>,
    /// Whether the format file says that frames may carry an end.
    is_noted: AtomicBool,
}

/// Where they have moved it.
#[derive(Debug, Default)]
pub struct Moved {
    /// Where the log ends; nothing where that is what `meta` says.
    pub head: Option<Head>,
    /// The versions that are not those of the tree `timelines`.
    pub versions: BTreeMap<TimelineName, Version>,
}

impl End {
    /// That of a store whose format knows of frames that carry one, or does not yet.
    pub fn new(is_noted: bool) -> Self {
        Self { moved: Mutex::default(), is_noted: AtomicBool::new(is_noted) }
    }

    /// What has been moved so far.
    pub fn moved(&self) -> MutexGuard<'_, Moved> {
        self.moved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Moved {
    fn follow(&mut self, head: Head, versions: impl IntoIterator<Item = (TimelineName, Version)>) {
        self.head = Some(head);
        self.versions.extend(versions);
    }
}

/// Whether a frame can carry all that a commit changes.
pub fn is_small(commit: &Commit, change: Option<&Change>) -> bool {
    let adds_only = commit.removed.is_empty() && commit.sealed.is_empty() && commit.blocks.is_empty();
    commit.frames.len() == 1 && adds_only && change.is_none() && commit.timelines.len() <= TIMELINES
}

/// The frame in a value of the tree `frames`, without what it carries.
pub fn frame_of(value: &[u8]) -> Option<&[u8]> {
    if value.first() == Some(&CARRIES) { split(value).map(|(_, frame)| frame) } else { Some(value) }
}

impl SledLog {
    /// Sees to it that programs which do not know of frames that carry an end refuse the store.
    pub(super) fn note_format(&self) -> Result<()> {
        if !self.end.is_noted.load(Ordering::Acquire) {
            open::write_format(&self.path, self.durability())?;
            self.end.is_noted.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Adds the frame of a small commit, with the end that it carries.
    pub(super) fn apply_small(&self, commit: &Commit) -> Result<()> {
        for (first, frame) in &commit.frames {
            let value = carrying(frame, &commit.head, &commit.timelines);
            guarded("append to the log", || self.frames.insert(keys::number(first.0), value))?;
        }
        self.end.moved().follow(commit.head.clone(), commit.timelines.iter().cloned());
        Ok(())
    }

    /// Finds the log's end when it is opened.
    ///
    /// # Errors
    ///
    /// An end that cannot be read is damage; the log ends before it then.
    pub(super) fn find_end(&self) -> Result<()> {
        let mut due = self.stored_head()?.seq().next();
        let mut values = self.frames.range(keys::number(due.0)..);
        while let Some((key, value)) = guarded("read the log", || values.next().transpose())? {
            if keys::read_number(&key) != Some(due.0) || value.first() != Some(&CARRIES) {
                break;
            }
            let (head, versions) = split(&value)
                .and_then(|(end, _)| read_end(end))
                .filter(|(head, _)| head.seq() >= due)
                .ok_or_else(|| Damage::new("the end of the log is unreadable"))?;
            due = head.seq().next();
            self.end.moved().follow(head, versions);
        }
        Ok(())
    }

    /// Writes what small commits have moved into trees whose frames do not carry it.
    pub(super) fn write_end(&self, meta: &sled::Tree, timelines: &sled::Tree) -> Result<()> {
        let moved = self.end.moved();
        guarded("write the log's end", || {
            if let Some(head) = &moved.head {
                meta.insert(keys::HEAD, keys::head(head))?;
            }
            moved.versions.iter().try_for_each(|(name, version)| {
                timelines.insert(name.as_str().as_bytes(), &version.0.to_be_bytes()).map(drop)
            })
        })
    }

    /// Where the log ended at the last transaction.
    pub(super) fn stored_head(&self) -> Result<Head> {
        let head = get(&self.meta, keys::HEAD, keys::read_head, "the head of the log")?;
        Ok(head.unwrap_or_default())
    }
}

/// A frame with the end that it carries: the end's length, the end, and its checksum in front of it.
fn carrying(frame: &[u8], head: &Head, timelines: &[(TimelineName, Version)]) -> Vec<u8> {
    let mut end = Vec::new();
    put(&mut end, &keys::head(head));
    for (name, version) in timelines {
        put(&mut end, name.as_str().as_bytes());
        end.extend(version.0.to_be_bytes());
    }
    let mut value = vec![CARRIES];
    put(&mut value, &end);
    value.extend(crc32c::crc32c(&end).to_be_bytes());
    value.extend(frame);
    value
}

/// The end that a value carries, and its frame; nothing where it is damaged.
fn split(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let (end, rest) = take(value.get(1..)?)?;
    let (crc, frame) = rest.split_at_checked(4)?;
    (crc32c::crc32c(end).to_be_bytes() == crc).then_some((end, frame))
}

fn read_end(end: &[u8]) -> Option<(Head, Vec<(TimelineName, Version)>)> {
    let (head, mut rest) = take(end)?;
    let mut versions = Vec::new();
    while !rest.is_empty() {
        let (name, behind) = take(rest)?;
        let (version, behind) = behind.split_at_checked(8)?;
        let name = TimelineName::new(std::str::from_utf8(name).ok()?).ok()?;
        versions.push((name, Version(keys::read_number(version)?)));
        rest = behind;
    }
    Some((keys::read_head(head)?, versions))
}

/// Adds bytes with their length.
fn put(into: &mut Vec<u8>, bytes: &[u8]) {
    into.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    into.extend(bytes);
}

/// The bytes that begin with their length, and what is behind them.
fn take(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_at_checked(4)?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(length.try_into().ok()?)).ok()?)
}

#[cfg(test)]
mod tests {
    use annals_model::{RecordedAt, Seq};

    use super::*;
    use crate::merkle::Frontier;

    #[test]
    fn what_a_frame_carries_comes_back_and_no_damage_passes() {
        let mut frontier = Frontier::default();
        for leaf in 0..300_u64 {
            frontier.push([leaf.to_le_bytes()[0]; 32]);
        }
        let head = Head { frontier, recorded_at: Some(RecordedAt::from_micros(7)) };
        let timelines = ["main", "other"].map(|name| (TimelineName::new(name).unwrap(), Version(300)));
        let value = carrying(b"the frame", &head, &timelines);
        let (end, frame) = split(&value).unwrap();
        assert_eq!(frame, b"the frame");
        assert_eq!(read_end(end).unwrap(), (head, timelines.to_vec()));
        assert_eq!(Seq(300), read_end(end).unwrap().0.seq());
        for byte in 1..value.len() - frame.len() {
            let mut flipped = value.clone();
            flipped[byte] ^= 0x10;
            assert_eq!(frame_of(&flipped), None, "byte {byte}");
        }
        assert_eq!(frame_of(b"\x01 a frame"), Some(&b"\x01 a frame"[..]));
    }
}
