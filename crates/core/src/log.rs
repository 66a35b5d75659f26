//! The log: what every storage of records has to be able to do.
//!
//! A log stores frames and the few facts that the next append needs, and changes them in one [`Commit`] that
//! happens wholly and durably or not at all. It decides nothing: what may be recorded, and what it then means,
//! is [`Store`](crate::Store)'s business. Two implementations pass the same contract suite: [`SledLog`] here,
//! and the one in memory of `annals-testkit`.
//!
//! [`SledLog`]: crate::SledLog

use std::path::Path;

use annals_model::{EventId, Op, RecordedAt, Seq, TimelineName, Version};

use crate::Result;
use crate::merkle::{Frontier, Hash};

/// Where the log ends.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Head {
    /// The Merkle tree's frontier; its count is the `seq` of the last record.
    pub frontier: Frontier,
    /// When the last record was recorded.
    pub recorded_at: Option<RecordedAt>,
}

/// Where the records of one event stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventEntry {
    /// Its first record: its place among equals.
    pub first: Seq,
    /// Its last record.
    pub last: Seq,
    /// What the last record does.
    pub last_op: Op,
}

/// Everything that one append changes, to be stored wholly or not at all.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// New frames, by the `seq` of their first record.
    pub frames: Vec<(Seq, Vec<u8>)>,
    /// New and changed events.
    pub events: Vec<(TimelineName, EventId, EventEntry)>,
    /// New and changed timelines.
    pub timelines: Vec<(TimelineName, Version)>,
    /// Roots of the blocks of 256 records that were completed, by their index from 0.
    pub blocks: Vec<(u64, Hash)>,
    /// Frames, old and new ones, whose records are in `sealed`, by the `seq` of their first record.
    pub removed: Vec<Seq>,
    /// What takes the place of `removed` and of older frames of the same key: the same records, byte for byte but for
    /// content that is erased.
    pub sealed: Vec<StoredFrame>,
    /// Where the log ends afterwards.
    pub head: Head,
}

/// A frame as it is stored, with its key.
pub type StoredFrame = (Seq, Vec<u8>);

/// A storage of records.
pub trait Log: Send + Sync {
    /// Where the log ends.
    fn head(&self) -> Result<Head>;

    /// Stores a commit durably. After an error nothing of it is visible, now or after a restart, unless the
    /// error is of a sync; then the log refuses every further commit until it is opened again.
    fn commit(&self, commit: &Commit) -> Result<()>;

    /// Begins a commit that is too large for memory; nothing where the log has no way to store one.
    fn stage(&self) -> Result<Option<Box<dyn Staging + '_>>> {
        Ok(None)
    }

    /// Puts together what large commits have left in many pieces beside the log, where that pays. Nothing that is
    /// recorded changes, and nobody may commit meanwhile.
    fn tidy(&self) -> Result<()> {
        Ok(())
    }

    /// The frames in order, from the one that holds `from`. Each is one that the log had at some moment since the
    /// call: where a commit seals frames meanwhile, some may be left out, and a reader that misses a record asks
    /// again from there.
    fn frames(&self, from: Seq) -> Box<dyn Iterator<Item = Result<StoredFrame>> + '_>;

    /// Where an event's records stand.
    fn event(&self, timeline: &TimelineName, id: &EventId) -> Result<Option<EventEntry>>;

    /// Where the records of an event stand, its first and its last, for who has one of them, `seq`, in hand: an index
    /// that does not hold the names themselves may take that for the proof. It is what `verify` asks.
    fn place(&self, timeline: &TimelineName, id: &EventId, _seq: Seq) -> Result<Option<(Seq, Seq)>> {
        Ok(self.event(timeline, id)?.map(|entry| (entry.first, entry.last)))
    }

    /// How many events the index of ids has, if it counts them.
    fn indexed(&self) -> Result<Option<u64>> {
        Ok(None)
    }

    /// The ids of a timeline's events, in no particular order, with where their records stand.
    fn events(&self, timeline: &TimelineName)
    -> Box<dyn Iterator<Item = Result<(EventId, EventEntry)>> + '_>;

    /// A timeline's version; 0 where it has no records.
    fn version(&self, timeline: &TimelineName) -> Result<Version>;

    /// All timelines, by name.
    fn timelines(&self) -> Result<Vec<(TimelineName, Version)>>;

    /// The directory in which what is derived from the log is kept beside it, if there is one.
    fn directory(&self) -> Option<&Path> {
        None
    }

    /// The root of a complete block of 256 records, by its index from 0.
    fn block(&self, index: u64) -> Result<Option<Hash>>;
}

/// A commit that is stored piece by piece: the log as it will be, which nobody else sees yet.
///
/// As a log it has every piece that was committed to it, though not durably. A piece only adds: what it seals or erases
/// waits for the last one. Where this is dropped, or the process ends, nothing of any piece stays visible.
pub trait Staging: Log {
    /// Adds the last piece and makes all of them part of the log, wholly and durably or not at all.
    fn publish(self: Box<Self>, last: Commit) -> Result<()>;
}

impl Head {
    /// The position of the last record; 0 in an empty log.
    pub const fn seq(&self) -> Seq {
        Seq(self.frontier.count())
    }
}
