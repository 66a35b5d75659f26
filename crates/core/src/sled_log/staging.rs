//! A commit that is larger than memory: its pieces are stored in the trees of the log at once, where nobody sees them
//! before the head does.
//!
//! Frames and blocks of a piece have keys behind the log's end, and parts of runs of the index of ids belong to runs
//! that the manifest does not name. A mark in `meta`, written before any of them, says that there may be such: who
//! reads frames stops at the log's end then. The last piece is one transaction with the head, the versions, the
//! manifest, all that is given up, and the removal of the mark. A process that ends before leaves the mark, and who opens
//! the store next removes what stands behind the end.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeBounds;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use annals_model::{EventId, Op, Seq, TimelineName, Version};

use super::cache::Passed;
use super::compact::Filling;
use super::ids::{self, Change, Ids};
use super::index;
use super::{SledLog, get, guarded, keys, steps};
use crate::log::{Commit, EventEntry, Head, Log, Staging, StoredFrame};
use crate::merkle::{BLOCK, Hash};
use crate::{Error, Result};

/// Keys that are removed at a time.
const AT_ONCE: usize = 1024;

/// The log with the pieces of a commit that is not done.
pub struct Staged<'a> {
    log: &'a SledLog,
    state: Mutex<State>,
}

/// What the pieces have changed so far.
struct State {
    /// Where the log ends for everybody else.
    begin: Seq,
    head: Head,
    versions: BTreeMap<TimelineName, Version>,
    /// Absent until the first piece; then the index as the pieces leave it.
    ids: Option<Ids>,
    /// The first run that the log's own manifest does not name.
    own_runs: u32,
    /// Parts of the log's own runs, which the last piece gives up.
    given_up: BTreeSet<[u8; 8]>,
    /// Whether a piece redacts an event.
    redacts: bool,
    /// Whether there is anything that has to be made visible or removed.
    is_begun: bool,
}

impl<'a> Staged<'a> {
    /// Nothing yet, behind a log.
    pub fn behind(log: &'a SledLog) -> Result<Self> {
        let head = log.head()?;
        let state = State {
            begin: head.seq(),
            head,
            versions: BTreeMap::new(),
            ids: None,
            own_runs: 0,
            given_up: BTreeSet::new(),
            redacts: false,
            is_begun: false,
        };
        Ok(Self { log, state: Mutex::new(state) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the index of ids as the pieces leave it; nothing before the first piece.
    fn ask<T>(&self, ask: impl FnOnce(&mut Ids) -> Result<T>) -> Option<Result<T>> {
        // Taken out, since the index reads the log, which asks for its head.
        let mut ids = self.lock().ids.take()?;
        let answer = ask(&mut ids);
        self.lock().ids = Some(ids);
        Some(answer)
    }

    /// The index with what a piece changes of it, which is stored as far as nobody else can see it.
    fn change(&self, commit: &Commit) -> Result<(Ids, Option<Change>)> {
        let ids = self.lock().ids.take();
        let mut ids = match ids {
            Some(ids) => ids,
            None => self.log.index.fork(self.log)?,
        };
        let change = ids.change(commit)?;
        Ok((ids, change))
    }

    /// Makes the index of ids one run, and adds no record. The parts of the others stay until the next commit that is
    /// stored in pieces, or a compaction.
    pub fn unite_ids(self) -> Result<()> {
        self.log.may_write()?;
        self.begin()?;
        let before = self.lock().begin;
        let head = self.lock().head.clone();
        let mut parts = Filling::new(self.log.ids.clone());
        let mut ids = self.log.index.fork(self.log)?;
        let manifest = ids.united(&head, |key, part| parts.push(key.to_vec(), part))?;
        parts.finish()?;
        let united = Ids::load(self.log.ids.clone(), manifest.clone(), self.log, &head)?;
        let change = Change { manifest, ..Change::default() };
        let commit = Commit { head, ..Commit::default() };
        self.log
            .index
            .exchange(united, || self.log.change_trees(before, &commit, Some(&change), Some(false)))?;
        self.lock().is_begun = false;
        self.log.watchdog.watch(|| self.log.syncer.sync(&self.log.db))?;
        self.log.refuses.store(false, Ordering::Release);
        Ok(())
    }

    fn begin(&self) -> Result<()> {
        if self.lock().is_begun {
            return Ok(());
        }
        self.log.renew_index()?;
        self.log.remove_staged()?;
        let mut state = self.lock();
        steps::reach("stage")?;
        self.log.visible.store(state.begin.0, Ordering::Release);
        state.is_begun = true;
        guarded("begin to append", || self.log.meta.insert(keys::STAGED, &keys::number(state.begin.0)))?;
        state.own_runs = self.log.index.next_run(self.log)?;
        // Runs that are no more: what is stored now takes their room. Until then it is not freed, since sled writes zeros
        // over all free room each time that it is opened.
        remove(&self.log.ids, ..ids::first_key(self.log.index.first_run(self.log)?))?;
        Ok(())
    }

    /// Stores a piece and goes on from there.
    fn add(&self, commit: &Commit) -> Result<()> {
        self.begin()?;
        self.store(commit)?;
        let (mut ids, change) = self.change(commit)?;
        if let Some(change) = &change {
            ids::put_parts(&self.log.ids, &change.put)?;
            for (key, part) in &change.put {
                self.log.passed.note(&self.log.ids, key, part.len());
            }
            let own_runs = self.lock().own_runs;
            let (own, older): (Vec<_>, Vec<_>) =
                change.removed.iter().copied().partition(|key| ids::run_of(*key) >= own_runs);
            self.lock().given_up.extend(older);
            for key in own {
                guarded("write the index of ids", || self.log.ids.remove(key))?;
            }
        }
        ids.applied(commit, change);
        let mut state = self.lock();
        state.ids = Some(ids);
        state.versions.extend(commit.timelines.iter().cloned());
        state.redacts |= commit.events.iter().any(|(_, _, entry)| entry.last_op == Op::Redact);
        state.head = commit.head.clone();
        Ok(())
    }

    fn store(&self, commit: &Commit) -> Result<()> {
        let mut frames = Filling::new(self.log.frames.clone());
        for (first, frame) in &commit.frames {
            frames.push(keys::number(first.0).to_vec(), frame.clone())?;
        }
        frames.finish()?;
        for (index, root) in &commit.blocks {
            guarded("append to the log", || self.log.blocks.insert(keys::number(*index), root))?;
        }
        Ok(())
    }
}

impl Log for Staged<'_> {
    fn head(&self) -> Result<Head> {
        Ok(self.lock().head.clone())
    }

    /// Adds a piece.
    fn commit(&self, commit: &Commit) -> Result<()> {
        if !(commit.removed.is_empty() && commit.sealed.is_empty()) {
            return Err(Error::unavailable("a piece cannot take anything away", "this is a fault of Annals"));
        }
        self.log.may_write()?;
        self.log.watchdog.watch(|| self.add(commit))?;
        steps::reach("staged")
    }

    fn frames(&self, from: Seq) -> Box<dyn Iterator<Item = Result<StoredFrame>> + '_> {
        self.log.all_frames(from)
    }

    fn event(&self, timeline: &TimelineName, id: &EventId) -> Result<Option<EventEntry>> {
        self.ask(|ids| ids.event_of(self, timeline.as_str(), id.as_str()))
            .unwrap_or_else(|| self.log.event(timeline, id))
    }

    fn events(
        &self,
        timeline: &TimelineName,
    ) -> Box<dyn Iterator<Item = Result<(EventId, EventEntry)>> + '_> {
        index::scanned(self, timeline)
    }

    fn version(&self, timeline: &TimelineName) -> Result<Version> {
        let staged = self.lock().versions.get(timeline).copied();
        staged.map_or_else(|| self.log.version(timeline), Ok)
    }

    fn timelines(&self) -> Result<Vec<(TimelineName, Version)>> {
        let mut all: BTreeMap<TimelineName, Version> = self.log.timelines()?.into_iter().collect();
        all.extend(self.lock().versions.iter().map(|(name, version)| (name.clone(), *version)));
        Ok(all.into_iter().collect())
    }

    fn block(&self, index: u64) -> Result<Option<Hash>> {
        self.log.block(index)
    }
}

impl Staging for Staged<'_> {
    fn publish(self: Box<Self>, last: Commit) -> Result<()> {
        self.log.may_write()?;
        self.begin()?;
        if self.log.staged()? != Some(self.lock().begin) {
            return Err(Error::unavailable("the log has changed meanwhile", "try again"));
        }
        let (mut ids, change) = self.change(&last)?;
        let mut whole = Change { manifest: ids.manifest().clone(), ..Change::default() };
        if let Some(change) = &change {
            whole.put.clone_from(&change.put);
            whole.removed.clone_from(&change.removed);
            whole.manifest = change.manifest.clone();
        }
        let (before, erases, versions) = {
            let mut state = self.lock();
            whole.removed.extend(std::mem::take(&mut state.given_up));
            let mut versions = std::mem::take(&mut state.versions);
            versions.extend(last.timelines.iter().cloned());
            (state.begin, state.redacts, versions)
        };
        ids.applied(&last, change);
        let commit = Commit { timelines: versions.into_iter().collect(), ..last };
        self.log
            .index
            .exchange(ids, || self.log.change_trees(before, &commit, Some(&whole), Some(erases)))?;
        // From here on nothing is removed any more.
        self.lock().is_begun = false;
        self.log.make_durable(before, &commit, true)
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        // What a failed write has left open, and what cannot be removed now, is removed when the store is opened next.
        if state.is_begun && self.log.may_write().is_ok() {
            let removed = self.log.watchdog.watch(|| self.log.remove_staged());
            self.log.refuses.store(removed.is_err(), Ordering::Release);
        }
    }
}

impl SledLog {
    /// Where the log ends, if there may be something behind it that is no part of it.
    pub(super) fn staged(&self) -> Result<Option<Seq>> {
        let mark = get(&self.meta, keys::STAGED, |_| Some(()), "the mark of an unfinished append")?;
        mark.map(|()| self.head().map(|head| head.seq())).transpose()
    }

    /// Removes what an append that never came to its end has left behind the log.
    pub(super) fn remove_staged(&self) -> Result<()> {
        let Some(end) = self.staged()? else { return Ok(()) };
        remove(&self.frames, keys::number(end.0 + 1)..)?;
        remove(&self.blocks, keys::number(end.0 / BLOCK)..)?;
        remove(&self.ids, ids::first_key(index::stored_next_run(self)?)..)?;
        guarded("tidy the store up", || self.meta.remove(keys::STAGED))?;
        self.visible.store(u64::MAX, Ordering::Release);
        Ok(())
    }
}

/// Removes a range of keys.
fn remove<K: AsRef<[u8]>>(tree: &sled::Tree, range: impl RangeBounds<K> + Clone) -> Result<()> {
    let passed = Passed::default();
    loop {
        let pairs: Vec<(sled::IVec, usize)> = guarded("tidy the store up", || {
            let pairs = tree.range(range.clone()).take(AT_ONCE);
            pairs.map(|pair| pair.map(|(key, value)| (key, value.len()))).collect()
        })?;
        if pairs.is_empty() {
            return Ok(());
        }
        for (key, bytes) in pairs {
            guarded("tidy the store up", || tree.remove(&key))?;
            passed.note(tree, &key, bytes);
        }
    }
}
