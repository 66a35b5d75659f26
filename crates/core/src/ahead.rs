//! What runs ahead of the log: batches that were decided and are not committed yet.
//!
//! Writers share a sync: while one commit is on its way to the disk, the next batches are decided, on the log as
//! it will be then. A [`Layer`] holds such batches until they are one commit; the [`Ground`] that a batch is
//! decided on is the log with the layers that run ahead of it.

use std::collections::BTreeSet;

use annals_model::{EventId, Seq, TimelineName, Version};

use crate::codec::frame::{self, Encoded, Frame};
use crate::host::ClockLag;
use crate::log::{Commit, EventEntry, Head, Log, StoredFrame};
use crate::merkle::{BLOCK, Hash};
use crate::quick::QuickMap;
use crate::seal::{self, Sealed};
use crate::{Result, erase, scan};

/// An event, by the timeline that it belongs to and its id.
pub type Key = (TimelineName, EventId);

/// Batches that stand behind one another and are not in the log yet.
#[derive(Debug)]
pub struct Layer {
    /// The first of their records.
    pub first: Seq,
    /// The records, where they are not packed yet.
    pub records: Vec<Encoded>,
    /// Those that are packed already; a layer has either.
    pub frames: Vec<StoredFrame>,
    /// Roots of the blocks that they complete.
    pub blocks: Vec<(u64, Hash)>,
    /// The events that they change.
    pub events: QuickMap<Key, EventEntry>,
    /// The timelines that they change.
    pub versions: QuickMap<TimelineName, Version>,
    /// Records whose content goes with them: of the log, or their own.
    pub erased: BTreeSet<Seq>,
    /// Where the log ends behind them.
    pub head: Head,
    /// A clock that lay behind the log's last record when they were decided.
    pub lag: Option<ClockLag>,
}

impl Layer {
    /// Adds a batch that was decided on this one.
    pub fn extend(&mut self, later: Self) {
        self.records.extend(later.records);
        self.frames.extend(later.frames);
        self.blocks.extend(later.blocks);
        self.events.extend(later.events);
        self.versions.extend(later.versions);
        self.erased.extend(later.erased);
        self.head = later.head;
        self.lag = self.lag.or(later.lag);
    }

    /// The commit that stores it behind the log as it is.
    pub fn commit(&self, log: &(impl Log + ?Sized)) -> Result<Commit> {
        let frames = self.packed(Vec::new())?;
        let sealed = self.sealed(log, &frames)?;
        let events = self.events.iter();
        Ok(Commit {
            frames,
            events: events.map(|((timeline, id), entry)| (timeline.clone(), id.clone(), *entry)).collect(),
            timelines: self.versions.iter().map(|(name, version)| (name.clone(), *version)).collect(),
            blocks: self.blocks.clone(),
            removed: sealed.removed,
            sealed: sealed.frames,
            head: self.head.clone(),
        })
    }

    /// The same of a layer that nobody decides on any more.
    pub fn into_commit(mut self, log: &(impl Log + ?Sized)) -> Result<Commit> {
        let own = std::mem::take(&mut self.frames);
        let frames = self.packed(own)?;
        let sealed = self.sealed(log, &frames)?;
        Ok(Commit {
            frames,
            events: self.events.into_iter().map(|((timeline, id), entry)| (timeline, id, entry)).collect(),
            timelines: self.versions.into_iter().collect(),
            blocks: self.blocks,
            removed: sealed.removed,
            sealed: sealed.frames,
            head: self.head,
        })
    }

    /// The commit that adds its packed records behind the log, and leaves what it erases to a later one.
    pub fn into_piece(self) -> Commit {
        Commit {
            frames: self.frames,
            events: self.events.into_iter().map(|((timeline, id), entry)| (timeline, id, entry)).collect(),
            timelines: self.versions.into_iter().collect(),
            blocks: self.blocks,
            head: self.head,
            ..Commit::default()
        }
    }

    /// Its records in frames, behind those that were packed already, without what is to be erased.
    fn packed(&self, mut own: Vec<StoredFrame>) -> Result<Vec<StoredFrame>> {
        own.extend(frame::pack(self.first, &self.records)?);
        erase::frames(own, &self.erased)
    }

    /// What takes the place of frames of the log: the block that it has begun and these records complete, packed
    /// anew, and the frames that lose content.
    fn sealed(&self, log: &(impl Log + ?Sized), frames: &[StoredFrame]) -> Result<Sealed> {
        let mut sealed = self.begun_block(log, frames)?;
        // What the block holds was erased in it.
        let end = sealed.frames.first().map_or(self.first, |(first, _)| *first);
        sealed.frames.extend(erase::in_log(log, &self.erased, Seq(1), end)?);
        Ok(sealed)
    }

    fn begun_block(&self, log: &(impl Log + ?Sized), frames: &[StoredFrame]) -> Result<Sealed> {
        let Some((index, root)) = self.blocks.first().filter(|(index, _)| index * BLOCK + 1 < self.first.0)
        else {
            return Ok(Sealed::default());
        };
        let end = Seq((index + 1) * BLOCK);
        let mut records = Vec::new();
        for (first, bytes) in frames.iter().take_while(|(first, _)| *first <= end) {
            records.extend(Frame::decode(*first, bytes)?.encoded()?);
        }
        let new = frames.iter().map(|(first, _)| *first);
        seal::begun_block(log, *index, root, self.first, &records, new, &self.erased)
    }

    fn record(&self, seq: Seq) -> Option<&Encoded> {
        let index = seq.0.checked_sub(self.first.0)?;
        self.records.get(usize::try_from(index).ok()?)
    }
}

/// The log as a batch finds it: with what runs ahead of it, the latest first.
pub struct Ground<'a, L: ?Sized> {
    log: &'a L,
    ahead: [Option<&'a Layer>; 2],
}

impl<'a, L: Log + ?Sized> Ground<'a, L> {
    /// A log, and the layers that run ahead of it, the latest first. A layer that has reached the log meanwhile
    /// says the same as the log does.
    pub const fn new(log: &'a L, ahead: [Option<&'a Layer>; 2]) -> Self {
        Self { log, ahead }
    }

    fn layers(&self) -> impl Iterator<Item = &'a Layer> {
        self.ahead.into_iter().flatten()
    }

    /// Where the log ends.
    pub fn head(&self) -> Result<Head> {
        self.layers().next().map_or_else(|| self.log.head(), |layer| Ok(layer.head.clone()))
    }

    /// Where an event's records stand.
    pub fn event(&self, key: &Key) -> Result<Option<EventEntry>> {
        match self.layers().find_map(|layer| layer.events.get(key)) {
            Some(entry) => Ok(Some(*entry)),
            None => self.log.event(&key.0, &key.1),
        }
    }

    /// A timeline's version.
    pub fn version(&self, timeline: &TimelineName) -> Result<Version> {
        match self.layers().find_map(|layer| layer.versions.get(timeline)) {
            Some(version) => Ok(*version),
            None => self.log.version(timeline),
        }
    }

    /// A record that runs ahead of the log.
    pub fn record(&self, seq: Seq) -> Option<&'a Encoded> {
        self.layers().find_map(|layer| layer.record(seq))
    }

    /// The frame of the log that holds a record.
    pub fn frame(&self, seq: Seq) -> Result<Frame> {
        scan::frame_of(self.log, seq)
    }
}
