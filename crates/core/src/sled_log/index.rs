//! The index of ids of a log on sled: the old one, or the new one; loaded when it is first asked, and built anew
//! where it is not whole.
//!
//! A store of format 1 has a key for each event in the tree `events`. It is read as it is; the first commit
//! builds the index of format 2 ([`ids`]) from the frames, notes the new format, and drops the tree.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use annals_model::{EventId, Seq, TimelineName};

use super::compact::Filling;
use super::ids::{self, Change, Ids, Manifest};
use super::{Pairs, SledLog, get, guarded, keys, open};
use crate::codec::heads;
use crate::codec::leaf::op_of;
use crate::log::{Commit, EventEntry, Log};
use crate::{Damage, Result};

/// The name of the old index's tree.
pub const EVENTS: &str = "events";

pub type Entries<'a> = Box<dyn Iterator<Item = Result<(EventId, EventEntry)>> + 'a>;

/// The index of ids.
#[derive(Debug)]
pub struct Index {
    state: Mutex<State>,
    /// Whether an index that is not whole is built anew; `verify` says so instead.
    mends: bool,
    remark: OnceLock<String>,
}

#[derive(Debug)]
enum State {
    Old(sled::Tree),
    Unread,
    Read(Box<Ids>),
}

impl Index {
    /// The index; `old` is that of a store of format 1.
    pub fn new(old: Option<sled::Tree>, mends: bool) -> Self {
        Self { state: Mutex::new(old.map_or(State::Unread, State::Old)), mends, remark: OnceLock::new() }
    }

    /// That the index was built anew, and why, if it was.
    pub fn remark(&self) -> Option<&str> {
        self.remark.get().map(String::as_str)
    }

    /// Where an event's records stand.
    pub fn event(&self, log: &SledLog, timeline: &TimelineName, id: &EventId) -> Result<Option<EventEntry>> {
        let mut state = self.lock();
        if let State::Old(events) = &*state {
            return old_entry(events, timeline, id);
        }
        self.with(log, &mut state, |ids| ids.event_of(log, timeline.as_str(), id.as_str()))
    }

    /// Where the records of an event stand that has the record `seq`.
    pub fn place(
        &self,
        log: &SledLog,
        timeline: &TimelineName,
        id: &EventId,
        seq: Seq,
    ) -> Result<Option<(Seq, Seq)>> {
        let mut state = self.lock();
        if let State::Old(events) = &*state {
            return Ok(old_entry(events, timeline, id)?.map(|entry| (entry.first, entry.last)));
        }
        let name = ids::name(timeline.as_str(), id.as_str());
        self.with(log, &mut state, |ids| ids.place(log, &name, seq))
    }

    /// How many events there are, where that is counted.
    pub fn count(&self) -> Result<Option<u64>> {
        match &*self.lock() {
            State::Old(events) => {
                let pairs = Pairs::new(events.iter(), |_, _| Ok(()));
                pairs.collect::<Result<Vec<()>>>().map(|pairs| Some(pairs.len() as u64))
            }
            _ => Ok(None),
        }
    }

    /// A timeline's events. The new index does not hold their ids: the records do.
    pub fn events<'a>(&self, log: &'a SledLog, timeline: &TimelineName) -> Entries<'a> {
        if let State::Old(events) = &*self.lock() {
            let prefix = keys::event_prefix(timeline);
            return Box::new(Pairs::new(events.scan_prefix(&prefix), move |key, value| {
                let id = keys::read_event_id(&prefix, key);
                id.zip(keys::read_entry(value))
                    .ok_or_else(|| Damage::new("an entry of the index of ids is unreadable").into())
            }));
        }
        scanned(log, timeline)
    }

    /// A copy of the index, for what nobody else is to see yet.
    pub fn fork(&self, log: &SledLog) -> Result<Ids> {
        self.with(log, &mut self.lock(), |ids| Ok(ids.fork()))
    }

    /// Gives back the memory that many questions were worth.
    pub fn rest(&self) {
        if let State::Read(ids) = &mut *self.lock() {
            ids.rest();
        }
    }

    /// Whether it has so many runs that it pays to make them one.
    pub fn is_scattered(&self, log: &SledLog) -> Result<bool> {
        let mut state = self.lock();
        if let State::Old(_) = &*state {
            return Ok(false);
        }
        self.with(log, &mut state, |ids| Ok(ids.manifest().is_scattered()))
    }

    /// The number of the first run that the index has.
    pub fn first_run(&self, log: &SledLog) -> Result<u32> {
        self.with(log, &mut self.lock(), |ids| Ok(ids.manifest().first_run()))
    }

    /// The number of the first run that the index does not have yet.
    pub fn next_run(&self, log: &SledLog) -> Result<u32> {
        self.with(log, &mut self.lock(), |ids| Ok(ids.manifest().next_run()))
    }

    /// Applies what makes a forked index the index. Nobody reads it meanwhile.
    pub fn exchange(&self, ids: Ids, apply: impl FnOnce() -> Result<()>) -> Result<()> {
        let mut state = self.lock();
        apply()?;
        *state = State::Read(Box::new(ids));
        Ok(())
    }

    /// Applies a commit, with what it changes of the index. Nobody reads the index meanwhile.
    pub fn grow(
        &self,
        log: &SledLog,
        commit: &Commit,
        apply: impl FnOnce(Option<&Change>) -> Result<()>,
    ) -> Result<()> {
        self.renew(log)?;
        let mut state = self.lock();
        let change = self.with(log, &mut state, |ids| ids.change(commit))?;
        apply(change.as_ref())?;
        if let State::Read(ids) = &mut *state {
            ids.applied(commit, change);
        }
        Ok(())
    }

    /// Goes over to the present format, if the store has the one before.
    pub fn renew(&self, log: &SledLog) -> Result<()> {
        let mut state = self.lock();
        if let State::Old(_) = &*state {
            *state = State::Read(Box::new(migrate(log)?));
        }
        Ok(())
    }

    /// Writes the index into an empty tree as one run, for a log of so many events; gives the manifest.
    pub fn rewrite(&self, log: &SledLog, events: u64, tree: &sled::Tree) -> Result<Vec<u8>> {
        let head = log.head()?;
        self.with(log, &mut self.lock(), |ids| {
            // Where the index had to be built anew this is the second attempt.
            guarded("write the index of ids", || tree.clear())?;
            let mut filling = Filling::new(tree.clone());
            let manifest = ids.as_one(events, &head, |key, part| filling.push(key.to_vec(), part))?;
            filling.finish()?;
            Ok(manifest)
        })
    }

    /// Asks the index, which is read first; where it is not whole it is built anew, once.
    fn with<T>(
        &self,
        log: &SledLog,
        state: &mut State,
        mut ask: impl FnMut(&mut Ids) -> Result<T>,
    ) -> Result<T> {
        let answer = match state {
            State::Read(ids) => ask(ids),
            _ => read(log).and_then(|mut ids| {
                let answer = ask(&mut ids);
                *state = State::Read(Box::new(ids));
                answer
            }),
        };
        match answer {
            Err(error) if ids::is_damaged(&error) && self.mends => {
                let mut ids = build(log)?;
                let _ =
                    self.remark.set("the index of ids was missing or damaged, and was built anew".to_owned());
                let answer = ask(&mut ids);
                *state = State::Read(Box::new(ids));
                answer
            }
            answer => answer,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The index as it is stored.
fn read(log: &SledLog) -> Result<Ids> {
    let head = log.head()?;
    match Manifest::stored(&log.meta, &head)? {
        Some(manifest) => Ids::load(log.ids.clone(), manifest, log, &head),
        None if head.seq().0 < ids::RECENT => Ids::load(log.ids.clone(), Manifest::default(), log, &head),
        None => Err(ids::damaged()),
    }
}

/// Builds the index from the frames, and stores it.
fn build(log: &SledLog) -> Result<Ids> {
    let (ids, manifest) = Ids::build(log.ids.clone(), log, &log.head()?)?;
    guarded("build the index of ids", || log.meta.insert(keys::IDS, manifest))?;
    log.syncer.sync(&log.db)?;
    Ok(ids)
}

/// Goes over to format 2.
fn migrate(log: &SledLog) -> Result<Ids> {
    let ids = build(log)?;
    log.syncer.sync_now(&log.db)?;
    open::write_format(&log.path, log.durability())?;
    guarded("drop the old index of ids", || log.db.drop_tree(EVENTS))?;
    Ok(ids)
}

fn old_entry(events: &sled::Tree, timeline: &TimelineName, id: &EventId) -> Result<Option<EventEntry>> {
    let key = keys::event(timeline, id);
    get(events, &key, keys::read_entry, "an entry of the index of ids")
}

/// The number of the first run that the stored manifest does not have.
pub fn stored_next_run(log: &SledLog) -> Result<u32> {
    let manifest = Manifest::stored(&log.meta, &log.head()?)?;
    Ok(manifest.map_or(0, |manifest| manifest.next_run()))
}

/// The events of a timeline as the records have them.
pub fn scanned<'a>(log: &(impl Log + ?Sized), timeline: &TimelineName) -> Entries<'a> {
    match scan_events(log, timeline) {
        Ok(entries) => Box::new(entries.into_iter().map(|(id, entry)| Ok((EventId::new(id)?, entry)))),
        Err(error) => Box::new(std::iter::once(Err(error))),
    }
}

fn scan_events(log: &(impl Log + ?Sized), timeline: &TimelineName) -> Result<HashMap<String, EventEntry>> {
    let mut entries: HashMap<String, EventEntry> = HashMap::new();
    for stored in log.frames(Seq(1)) {
        let (first, bytes) = stored?;
        let of_timeline = |event: &heads::OfEvent| event.timeline == timeline.as_str();
        for event in heads::events(first, &bytes)?.into_iter().filter(of_timeline) {
            let seq = event.seq;
            let last_op = op_of(event.op).ok_or_else(|| Damage::of(seq, seq, "has an unknown operation"))?;
            let entry = entries.entry(event.id).or_insert(EventEntry { first: seq, last: seq, last_op });
            (entry.last, entry.last_op) = (seq, last_op);
        }
    }
    Ok(entries)
}
