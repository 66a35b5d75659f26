//! The index of ids: where an event's records stand, without a key for each event.
//!
//! What the log holds is known by sorted runs ([`runs`]): the hash of an event's timeline and id, its first record
//! and its last. The records that no run has yet, a few thousand at most, are kept in memory, and read from the
//! heads of the last frames when the index is first needed. So an append of one event writes nothing here, and
//! every few thousandth writes a run.
//!
//! A hash is no name: whatever a run says about one is held against the name in the record itself. Runs are derived
//! from the records; where they are missing, damaged, or not those of this log they are built anew from the frames.

mod chunk;
mod filter;
mod runs;

use std::collections::HashMap;

use annals_model::{Op, Seq};
use sha2::{Digest, Sha256};

use crate::codec::frame::{Packed, Unpacker};
use crate::codec::heads;
use crate::codec::leaf::op_of;
use crate::log::{Commit, EventEntry, Head, Log, StoredFrame};
use crate::{Damage, Error, Result};
use chunk::{HASH_BITS, Place};
use filter::{Filter, OfRun};
use runs::Run;
pub use runs::{Change, Manifest};

/// Records that may be missing from the runs.
pub const RECENT: u64 = 2048;
/// Records of one run while the index is built anew.
const BUILT: u64 = 128 * 1024;
/// Records of a commit that may take its time.
const LARGE: u64 = 1024;
/// A filter is worth reading the runs for once they were looked into so often, and once for this many names: the looks have
/// taken as long by then as it takes to read so many names.
const LOOKS: u64 = 512;
const NAMES_A_LOOK: u64 = 128;

/// An event's timeline and id, with a byte between them that neither can hold.
pub type Name = Vec<u8>;

/// What is said of an index that is not whole.
const DAMAGED: &str = "the index of ids is missing or damaged";

/// The error for an index that is not whole, and has to be built anew.
pub fn damaged() -> Error {
    Damage::new(DAMAGED).into()
}

/// Whether an error says that the index is not whole.
pub fn is_damaged(error: &Error) -> bool {
    matches!(error, Error::Damaged(damage) if damage.what == DAMAGED)
}

/// The number of the run that a part belongs to, by its key.
pub const fn run_of(key: [u8; 8]) -> u32 {
    (u64::from_be_bytes(key) >> 32) as u32
}

/// The key of the first part of a run.
pub fn first_key(run: u32) -> [u8; 8] {
    (u64::from(run) << 32).to_be_bytes()
}

/// Stores parts of runs by themselves.
pub fn put_parts(tree: &sled::Tree, parts: &[([u8; 8], Vec<u8>)]) -> Result<()> {
    let put = |(key, part): &([u8; 8], Vec<u8>)| {
        super::guarded("write the index of ids", || tree.insert(key, part.as_slice()).map(drop))
    };
    parts.iter().try_for_each(put)
}

/// The name of an event.
pub fn name(timeline: &str, id: &str) -> Name {
    let mut name = Name::with_capacity(timeline.len() + 1 + id.len());
    rename(&mut name, timeline, id);
    name
}

/// Puts the name of an event in the place of another.
fn rename(name: &mut Name, timeline: &str, id: &str) {
    name.clear();
    name.extend_from_slice(timeline.as_bytes());
    name.push(0);
    name.extend_from_slice(id.as_bytes());
}

/// The index, as far as it is in memory.
#[derive(Debug)]
pub struct Ids {
    tree: sled::Tree,
    manifest: Manifest,
    /// The events of the records that no run has.
    recent: HashMap<Name, Recent>,
    filter: Option<Filter>,
    /// How often runs were looked into without a filter.
    looks: u64,
    /// The heads of the frames that were read last, the latest first: an import that is run again goes through the log in
    /// order, and for what was corrected looks far ahead in between.
    read: [Option<Names>; 2],
    /// The name that was asked for last: what an import asks for each of its events should take no memory anew.
    asked: Name,
    /// The bits of a hash that are used: all, but in tests of names that share theirs.
    mask: u64,
}

/// An event of the records that no run has.
#[derive(Clone, Copy, Debug)]
struct Recent {
    first: First,
    last: Seq,
    op: Op,
}

#[derive(Clone, Copy, Debug)]
enum First {
    Known(Seq),
    /// The event is older. This was its last record when the last run was written, which tells it from any other.
    Behind(Seq),
}

/// The heads of a frame's records.
#[derive(Debug)]
struct Names {
    first: Seq,
    last: Seq,
    heads: Vec<u8>,
}

impl Ids {
    /// An index without runs, for an empty log.
    pub fn empty(tree: sled::Tree) -> Self {
        Self {
            tree,
            manifest: Manifest::default(),
            recent: HashMap::new(),
            filter: Some(Filter::default()),
            looks: 0,
            read: [None, None],
            asked: Name::new(),
            mask: (1 << HASH_BITS) - 1,
        }
    }

    /// The index with the runs that a manifest names, and what the log has behind them.
    pub fn load(tree: sled::Tree, manifest: Manifest, source: &impl Log, head: &Head) -> Result<Self> {
        let filter = manifest.runs.is_empty().then(Filter::default);
        let mut ids = Self { manifest, filter, ..Self::empty(tree) };
        let position = ids.manifest.position;
        ids.read_on(source, position.next(), head.seq())?;
        Ok(ids)
    }

    /// The same index once more. The filter goes along, since it takes some room: where this one goes on to be asked much
    /// it makes itself another.
    pub fn fork(&mut self) -> Self {
        Self {
            tree: self.tree.clone(),
            manifest: self.manifest.clone(),
            recent: self.recent.clone(),
            filter: self.filter.take(),
            looks: self.looks,
            read: [None, None],
            asked: Name::new(),
            mask: self.mask,
        }
    }

    /// Which runs there are.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Takes in the records of the log from one to another.
    fn read_on(&mut self, source: &impl Log, from: Seq, to: Seq) -> Result<()> {
        let mut due = from;
        if due > to {
            return Ok(());
        }
        for stored in source.frames(from) {
            let (first, bytes) = stored?;
            for raw in heads::events(first, &bytes)? {
                if raw.seq < due {
                    continue;
                }
                if raw.seq > due {
                    return Err(Damage::of(due, Seq(raw.seq.0 - 1), "missing from the log").into());
                }
                if due > to {
                    return Ok(());
                }
                let op = op_of(raw.op).ok_or_else(|| Damage::of(due, due, "has an unknown operation"))?;
                self.note(name(&raw.timeline, &raw.id), due, raw.previous, op);
                due = due.next();
            }
            if due > to {
                return Ok(());
            }
        }
        Err(Damage::of(due, to, "missing from the log").into())
    }

    fn note(&mut self, name: Name, seq: Seq, previous: Option<Seq>, op: Op) {
        let first = match (self.recent.get(&name), previous) {
            (Some(known), _) => known.first,
            (None, None) => First::Known(seq),
            (None, Some(previous)) => First::Behind(previous),
        };
        self.recent.insert(name, Recent { first, last: seq, op });
    }

    fn hash(&self, name: &[u8]) -> u64 {
        let digest: [u8; 32] = Sha256::digest(name).into();
        let hash = digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte));
        hash >> (64 - HASH_BITS) & self.mask
    }

    /// Where the records of an event stand, by its timeline and its id.
    pub fn event_of(&mut self, source: &impl Log, timeline: &str, id: &str) -> Result<Option<EventEntry>> {
        let mut name = std::mem::take(&mut self.asked);
        rename(&mut name, timeline, id);
        let found = self.event(source, &name);
        self.asked = name;
        found
    }

    /// Where an event's records stand.
    pub fn event(&mut self, source: &impl Log, name: &[u8]) -> Result<Option<EventEntry>> {
        if let Some(recent) = self.recent.get(name).copied() {
            let first = self.first(name, recent)?;
            return Ok(Some(EventEntry { first, last: recent.last, last_op: recent.op }));
        }
        for place in self.candidates(name)? {
            if let Some((found, op)) = self.name_of(source, place.last)?
                && found == name
            {
                return Ok(Some(EventEntry { first: place.first, last: place.last, last_op: op }));
            }
        }
        Ok(None)
    }

    /// Where the records of an event stand that has the record `seq`: without a look at its records, unless it
    /// shares its hash with another.
    pub fn place(&mut self, source: &impl Log, name: &[u8], seq: Seq) -> Result<Option<(Seq, Seq)>> {
        if !self.recent.contains_key(name) {
            let mut candidates = self.candidates(name)?;
            candidates.retain(|place| (place.first..=place.last).contains(&seq));
            if let [place] = candidates[..] {
                return Ok(Some((place.first, place.last)));
            }
        }
        Ok(self.event(source, name)?.map(|entry| (entry.first, entry.last)))
    }

    /// The first record of an event that has recent ones.
    fn first(&mut self, name: &[u8], recent: Recent) -> Result<Seq> {
        let behind = match recent.first {
            First::Known(first) => return Ok(first),
            First::Behind(previous) => previous,
        };
        let found = self.candidates(name)?.into_iter().find(|place| place.last == behind);
        let first = found.map(|place| place.first);
        first.ok_or_else(damaged)
    }

    /// The events in the runs that a name may be, each with its last record there.
    fn candidates(&mut self, name: &[u8]) -> Result<Vec<Place>> {
        let hash = self.hash(name);
        if self.filter.is_none() {
            // A log that grew by small appends has a dozen runs, and each of them costs a look.
            self.looks += self.manifest.runs.len() as u64;
            if self.looks > LOOKS + self.manifest.names() / NAMES_A_LOOK {
                self.fill_filter()?;
            }
        }
        let mut found = Vec::new();
        if self.filter.as_ref().is_none_or(|filter| filter.may_have(hash)) {
            let may_have =
                |run: &&Run| self.filter.as_ref().is_none_or(|filter| filter.run_may_have(run.id, hash));
            for run in self.manifest.runs.iter().filter(may_have) {
                run.find(&self.tree, hash, &mut found)?;
            }
        }
        chunk::settle(&mut found);
        Ok(found)
    }

    fn fill_filter(&mut self) -> Result<()> {
        let mut filter = Filter::with_room(self.manifest.names());
        for run in &self.manifest.runs {
            let mut own = OfRun::with_room(run.names);
            run.each(&self.tree, |place| {
                filter.insert(place.hash);
                own.insert(place.hash);
            })?;
            filter.add_run(run.id, own);
        }
        self.filter = Some(filter);
        Ok(())
    }

    /// The name that a record itself has, and what it does.
    fn name_of(&mut self, source: &impl Log, seq: Seq) -> Result<Option<(Name, Op)>> {
        let has =
            |read: &Option<Names>| read.as_ref().is_some_and(|read| (read.first..=read.last).contains(&seq));
        if !has(&self.read[0]) {
            self.read.swap(0, 1);
        }
        if !has(&self.read[0]) {
            let stored = source.frames(seq).next().transpose()?;
            self.read[0] = stored.map(Names::read).transpose()?;
        }
        self.read[0].as_ref().map_or(Ok(None), |read| read.get(seq))
    }

    /// What a commit changes of the runs, if it is time for one.
    pub fn change(&mut self, commit: &Commit) -> Result<Option<Change>> {
        let end = commit.head.seq();
        if end.0.saturating_sub(self.manifest.position.0) < RECENT {
            return Ok(None);
        }
        let large = end.0.saturating_sub(self.manifest.position.0) >= RECENT + LARGE;
        let mut places = self.recent_places()?;
        let mut own = Name::new();
        for (timeline, id, entry) in &commit.events {
            rename(&mut own, timeline.as_str(), id.as_str());
            let hash = self.hash(&own);
            places.push(Place { hash, first: entry.first, last: entry.last });
        }
        self.manifest.grown(&self.tree, places, &commit.head, large, self.filter.is_some()).map(Some)
    }

    fn recent_places(&mut self) -> Result<Vec<Place>> {
        let recent: Vec<(Name, Recent)> =
            self.recent.iter().map(|(name, recent)| (name.clone(), *recent)).collect();
        let mut places = Vec::with_capacity(recent.len());
        for (name, recent) in recent {
            let first = self.first(&name, recent)?;
            places.push(Place { hash: self.hash(&name), first, last: recent.last });
        }
        Ok(places)
    }

    /// Makes one run of everything that the index knows, for a log of so many events: gives its parts to `put`, in the
    /// order of their keys, and the manifest, which is for a log whose records are the same.
    pub fn as_one(
        &mut self,
        events: u64,
        head: &Head,
        put: impl FnMut([u8; 8], Vec<u8>) -> Result<()>,
    ) -> Result<Vec<u8>> {
        let mut recent = self.recent_places()?;
        chunk::settle(&mut recent);
        Ok(self.manifest.anew(&self.tree, &recent, events, head, put)?.encode())
    }

    /// Makes one run of everything that the index knows, beside the runs that there are: gives its parts to `put`, in the
    /// order of their keys, and the manifest that exchanges the one for the others.
    pub fn united(
        &mut self,
        head: &Head,
        put: impl FnMut([u8; 8], Vec<u8>) -> Result<()>,
    ) -> Result<Manifest> {
        let mut recent = self.recent_places()?;
        chunk::settle(&mut recent);
        self.manifest.united(&self.tree, &recent, head, put)
    }

    /// Takes note of a commit that was applied, with what it changed of the runs.
    pub fn applied(&mut self, commit: &Commit, change: Option<Change>) {
        self.read = [None, None];
        if let Some(change) = change {
            return self.renew(change);
        }
        for (timeline, id, entry) in &commit.events {
            let recent = Recent { first: First::Known(entry.first), last: entry.last, op: entry.last_op };
            self.recent.insert(name(timeline.as_str(), id.as_str()), recent);
        }
    }

    /// Goes over to a changed manifest, which knows all that was recent.
    fn renew(&mut self, change: Change) {
        self.recent = HashMap::new();
        if let Some(filter) = &mut self.filter {
            change.hashes.iter().for_each(|hash| filter.insert(*hash));
            filter.keep_runs(|id| change.manifest.runs.iter().any(|run| run.id == id));
            if let Some((run, hashes)) = change.filter {
                filter.add_run(run, hashes);
            }
        }
        self.manifest = change.manifest;
    }

    /// Gives back the memory that many questions were worth.
    pub fn rest(&mut self) {
        (self.filter, self.looks, self.read) = (None, 0, [None, None]);
    }

    /// Builds the index anew from the frames; gives the manifest, which has to be stored then.
    ///
    /// Until it is, the log has none, and a process that is killed leaves parts that the next one removes.
    pub fn build(tree: sled::Tree, source: &impl Log, head: &Head) -> Result<(Self, Vec<u8>)> {
        Self::empty(tree).built(source, head)
    }

    fn built(self, source: &impl Log, head: &Head) -> Result<(Self, Vec<u8>)> {
        super::guarded("build the index of ids", || self.tree.clear())?;
        let mut ids = self;
        let mut from = Seq(1);
        while from <= head.seq() {
            let to = Seq(from.0 + BUILT - 1).min(head.seq());
            ids.read_on(source, from, to)?;
            let places = ids.recent_places()?;
            let change = ids.manifest.grown(&ids.tree, places, head, true, ids.filter.is_some())?;
            ids.store(&change)?;
            ids.renew(change);
            from = to.next();
        }
        let manifest = ids.manifest.encode();
        Ok((ids, manifest))
    }

    /// Stores the parts of a change by themselves.
    fn store(&self, change: &Change) -> Result<()> {
        let mut batch = sled::Batch::default();
        for (key, part) in &change.put {
            batch.insert(key, part.as_slice());
        }
        for key in &change.removed {
            batch.remove(key);
        }
        super::guarded("build the index of ids", || self.tree.apply_batch(batch))
    }
}

impl Names {
    fn read((first, bytes): StoredFrame) -> Result<Self> {
        let packed = Packed::check(first, &bytes)?;
        let heads = packed.heads(&mut Unpacker::new()?)?;
        Ok(Self { first, last: packed.last(), heads })
    }

    fn get(&self, seq: Seq) -> Result<Option<(Name, Op)>> {
        if !(self.first..=self.last).contains(&seq) {
            return Ok(None);
        }
        let damaged = |what: &str| Damage::of(seq, self.last, what);
        let index = usize::try_from(seq.0 - self.first.0).unwrap_or(usize::MAX);
        let head = heads::head(&self.heads, index).ok_or_else(|| damaged("is cut short"))?;
        let head = head.map_err(|what| damaged(&format!("its header is unreadable: {what}")))?;
        let op = op_of(head.op).ok_or_else(|| damaged("has an unknown operation"))?;
        Ok(Some((name(head.timeline, head.id), op)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code: a panic is how a test fails")]

    use std::collections::HashMap;

    use annals_model::{Entry, Event, EventId, RecordedAt, TimelineName, Write};

    use super::*;
    use crate::{Host, SledLog, SledOptions, Store, WriteOptions};

    struct Still;

    impl Host for Still {
        fn now(&self) -> RecordedAt {
            RecordedAt::from_micros(0)
        }

        fn fill_random(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    /// Sixteen hashes for some hundred names: every answer still is about the name that was asked for.
    #[test]
    fn names_that_share_a_hash_are_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let log = SledLog::create(&directory.path().join("store"), &SledOptions::default()).unwrap();
        let store = Store::new(log);
        let event =
            |n: usize, title: &str| Box::new(Event::new(EventId::new(format!("e{n}")).unwrap(), title));
        let timeline = |n: usize| TimelineName::new(["a", "b"][n % 2]).unwrap();
        let mut entries: Vec<Entry> =
            (0..320).map(|n| Entry::new(timeline(n), Write::Append(event(n, "first")))).collect();
        entries.extend((0..100).map(|n| Entry::new(timeline(n), Write::Revise(event(n, "second")))));
        store.write(entries, &Still, &WriteOptions::by("tester")).unwrap();
        let expected: HashMap<usize, (u64, u64)> = (0..320)
            .map(|n| (n, (n as u64 + 1, if n < 100 { n as u64 + 321 } else { n as u64 + 1 })))
            .collect();
        let log = store.log();
        let head = log.head().unwrap();
        let mut ids = Ids::empty(log.ids.clone());
        ids.mask = 0xF << (HASH_BITS - 4);
        let (mut ids, _) = ids.built(log, &head).unwrap();
        assert!(ids.recent.is_empty() && ids.manifest.names() == 320);
        for n in 0..320 {
            let own = name(timeline(n).as_str(), &format!("e{n}"));
            let entry = ids.event(log, &own).unwrap().unwrap();
            assert_eq!((entry.first.0, entry.last.0), expected[&n], "e{n}");
            assert_eq!(entry.last_op, if n < 100 { Op::Revise } else { Op::Append });
            assert_eq!(ids.place(log, &own, entry.last).unwrap(), Some((entry.first, entry.last)));
            let other = name(timeline(n + 1).as_str(), &format!("e{n}"));
            assert_eq!(ids.event(log, &other).unwrap(), None);
        }
    }

    /// What a question costs without a filter is a look into each run.
    #[test]
    fn a_filter_is_made_the_sooner_the_more_runs_there_are() {
        let directory = tempfile::tempdir().unwrap();
        let log = SledLog::create(&directory.path().join("store"), &SledOptions::default()).unwrap();
        let store = Store::new(log);
        let timeline = TimelineName::new("main").unwrap();
        for run in 0..3 {
            let events = (0..RECENT).map(|n| Event::new(EventId::new(format!("r{run}-e{n}")).unwrap(), "t"));
            let entries = events.map(|event| Entry::new(timeline.clone(), Write::Append(Box::new(event))));
            store.write(entries.collect(), &Still, &WriteOptions::by("tester")).unwrap();
        }
        let log = store.log();
        let head = log.head().unwrap();
        let manifest = Manifest::stored(&log.meta, &head).unwrap().unwrap();
        assert_eq!(manifest.runs.len(), 3);
        let enough = (LOOKS + manifest.names() / NAMES_A_LOOK) / 3;
        let mut ids = Ids::load(log.ids.clone(), manifest, log, &head).unwrap();
        for n in 0..=enough {
            assert!(ids.filter.is_none(), "question {n}");
            assert_eq!(ids.event(log, &name("main", &format!("x{n}"))).unwrap(), None);
        }
        assert!(ids.filter.is_some());
    }
}
