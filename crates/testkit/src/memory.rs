//! A log in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use annals_core::{Commit, Error, EventEntry, Hash, Head, Log, Result, Staging, StoredFrame};
use annals_model::{EventId, Seq, TimelineName, Version};

/// A log that is kept in memory, and that can be told to fail.
#[derive(Debug, Default)]
pub struct MemoryLog {
    state: Mutex<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    frames: BTreeMap<Seq, Vec<u8>>,
    events: BTreeMap<(TimelineName, EventId), EventEntry>,
    timelines: BTreeMap<TimelineName, Version>,
    blocks: BTreeMap<u64, Hash>,
    head: Head,
    fails: bool,
}

impl MemoryLog {
    /// From now on every commit fails and changes nothing, or none does.
    pub fn set_failing(&self, fails: bool) {
        self.state().fails = fails;
    }

    /// Changes the bytes of a stored frame, as damage does.
    pub fn damage_frame(&self, first: Seq, damage: impl FnOnce(&mut Vec<u8>)) {
        if let Some(frame) = self.state().frames.get_mut(&first) {
            damage(frame);
        }
    }

    /// Takes a frame out of the log, as damage does.
    pub fn lose_frame(&self, first: Seq) {
        self.state().frames.remove(&first);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A copy of the log, which takes its place in the end.
struct Staged<'a> {
    log: &'a MemoryLog,
    copy: MemoryLog,
}

impl Log for Staged<'_> {
    fn head(&self) -> Result<Head> {
        self.copy.head()
    }

    fn commit(&self, commit: &Commit) -> Result<()> {
        assert!(commit.removed.is_empty() && commit.sealed.is_empty(), "a piece only adds");
        self.copy.commit(commit)
    }

    fn frames(&self, from: Seq) -> Box<dyn Iterator<Item = Result<StoredFrame>> + '_> {
        self.copy.frames(from)
    }

    fn event(&self, timeline: &TimelineName, id: &EventId) -> Result<Option<EventEntry>> {
        self.copy.event(timeline, id)
    }

    fn events(
        &self,
        timeline: &TimelineName,
    ) -> Box<dyn Iterator<Item = Result<(EventId, EventEntry)>> + '_> {
        self.copy.events(timeline)
    }

    fn version(&self, timeline: &TimelineName) -> Result<Version> {
        self.copy.version(timeline)
    }

    fn timelines(&self) -> Result<Vec<(TimelineName, Version)>> {
        self.copy.timelines()
    }

    fn block(&self, index: u64) -> Result<Option<Hash>> {
        self.copy.block(index)
    }
}

impl Staging for Staged<'_> {
    fn publish(self: Box<Self>, last: Commit) -> Result<()> {
        self.copy.commit(&last)?;
        self.log.state().clone_from(&self.copy.state());
        Ok(())
    }
}

impl Log for MemoryLog {
    fn stage(&self) -> Result<Option<Box<dyn Staging + '_>>> {
        let copy = Self { state: Mutex::new(self.state().clone()) };
        Ok(Some(Box::new(Staged { log: self, copy })))
    }

    fn head(&self) -> Result<Head> {
        Ok(self.state().head.clone())
    }

    fn commit(&self, commit: &Commit) -> Result<()> {
        let mut state = self.state();
        if state.fails {
            return Err(Error::unavailable("this log fails", "it was told to"));
        }
        state.frames.extend(commit.frames.iter().cloned());
        for first in &commit.removed {
            state.frames.remove(first);
        }
        state.frames.extend(commit.sealed.iter().cloned());
        state
            .events
            .extend(commit.events.iter().map(|(timeline, id, e)| ((timeline.clone(), id.clone()), *e)));
        state.timelines.extend(commit.timelines.iter().cloned());
        state.blocks.extend(commit.blocks.iter().copied());
        state.head = commit.head.clone();
        Ok(())
    }

    fn frames(&self, from: Seq) -> Box<dyn Iterator<Item = Result<StoredFrame>> + '_> {
        let state = self.state();
        let start = state.frames.range(..=from).next_back().map_or(Seq(0), |(first, _)| *first);
        let frames: Vec<StoredFrame> = state.frames.range(start..).map(|(k, v)| (*k, v.clone())).collect();
        Box::new(frames.into_iter().map(Ok))
    }

    fn event(&self, timeline: &TimelineName, id: &EventId) -> Result<Option<EventEntry>> {
        Ok(self.state().events.get(&(timeline.clone(), id.clone())).copied())
    }

    fn indexed(&self) -> Result<Option<u64>> {
        Ok(Some(self.state().events.len() as u64))
    }

    fn events(
        &self,
        timeline: &TimelineName,
    ) -> Box<dyn Iterator<Item = Result<(EventId, EventEntry)>> + '_> {
        let state = self.state();
        let own = state.events.iter().filter(|((name, _), _)| name == timeline);
        let entries: Vec<_> = own.map(|((_, id), entry)| Ok((id.clone(), *entry))).collect();
        Box::new(entries.into_iter())
    }

    fn version(&self, timeline: &TimelineName) -> Result<Version> {
        Ok(self.state().timelines.get(timeline).copied().unwrap_or_default())
    }

    fn timelines(&self) -> Result<Vec<(TimelineName, Version)>> {
        Ok(self.state().timelines.iter().map(|(name, version)| (name.clone(), *version)).collect())
    }

    fn block(&self, index: u64) -> Result<Option<Hash>> {
        Ok(self.state().blocks.get(&index).copied())
    }
}
