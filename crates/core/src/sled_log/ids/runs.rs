//! The runs of the index of ids: which there are, how they are read, and how they become few.
//!
//! The manifest names the runs and says up to which record they know the log. It changes in the transaction of the
//! append that writes a run, so it always fits the log beside it; what does not fit all the same is built anew.

use annals_model::Seq;

use super::chunk::{self, Chunk, HASH_BITS, Place};
use super::filter::OfRun;
use crate::Result;
use crate::log::Head;
use crate::merkle::Hash;
use crate::sled_log::cache::Passed;
use crate::sled_log::{get, guarded, keys};

const VERSION: u8 = 1;
/// Names in one part of a run, at most on average.
const PART: u64 = 256;
/// Bytes of a name in a run, about.
const PLACE: usize = 9;
/// Runs of about one size that become one.
const FAN: usize = 8;
/// Names in a run of the smallest size.
const LEAST: u64 = 2048;
/// Runs that are made one behind an import, if what the largest one lacks is at least this part of it.
const SCATTERED: usize = 4;
const WORTH: u64 = 8;
/// Names that a small append merges at most, in some milliseconds; more waits for a large one, which takes its time
/// anyway, or for a compaction.
const QUICK: u64 = 20 * 1024;
/// Names that a commit merges at all: a larger run gains too little.
const LARGEST: u64 = 2 * 1024 * 1024;

/// One run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: u32,
    /// Leading bits of a hash that say in which of its parts a name is.
    bits: u32,
    /// How many names it has.
    pub names: u64,
}

/// Which runs there are, and what they were built from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The last record that they know.
    pub position: Seq,
    /// The log's root there.
    pub root: Hash,
    next: u32,
    pub runs: Vec<Run>,
}

/// What a commit changes of the runs.
#[derive(Debug, Default)]
pub struct Change {
    pub put: Vec<([u8; 8], Vec<u8>)>,
    pub removed: Vec<[u8; 8]>,
    /// The hashes of the names that the commit has.
    pub hashes: Vec<u64>,
    /// The new run, with the hashes of all that it has where they are asked for.
    pub filter: Option<(u32, OfRun)>,
    pub manifest: Manifest,
}

/// The places of a run in the order of their hashes, read part by part; or others that are in order.
struct Source {
    run: Option<Run>,
    /// The next part of the run.
    part: u32,
    places: Vec<Place>,
    at: usize,
}

impl Source {
    const fn of(run: Run) -> Self {
        Self { run: Some(run), part: 0, places: Vec::new(), at: 0 }
    }

    /// Moves the next places to `taken`, as long as they are wanted.
    fn take(
        &mut self,
        tree: &sled::Tree,
        passed: &Passed,
        wanted: impl Fn(&Place) -> bool,
        taken: &mut Vec<Place>,
    ) -> Result<()> {
        loop {
            let rest = &self.places[self.at..];
            let count = rest.iter().take_while(|place| wanted(place)).count();
            taken.extend(&rest[..count]);
            self.at += count;
            let Some(run) = self.run.filter(|run| self.at == self.places.len() && self.part < 1 << run.bits)
            else {
                return Ok(());
            };
            (self.places, self.at) = (Vec::new(), 0);
            run.part(tree, self.part, |chunk| self.places.extend(chunk.places()))?;
            passed.note(tree, &run.key(self.part), self.places.len() * PLACE);
            self.part += 1;
        }
    }
}

impl Run {
    /// A run of so many names.
    fn of(id: u32, names: u64) -> Self {
        Self { id, bits: names.div_ceil(PART).next_power_of_two().trailing_zeros(), names }
    }

    /// Whether a place stands in a part.
    fn has(self, place: &Place, part: u32) -> bool {
        place.hash >> (HASH_BITS - self.bits) == u64::from(part)
    }

    const fn key(self, part: u32) -> [u8; 8] {
        ((self.id as u64) << 32 | part as u64).to_be_bytes()
    }

    fn keys(self) -> impl Iterator<Item = [u8; 8]> {
        (0..1 << self.bits).map(move |part| self.key(part))
    }

    /// The places under a hash.
    pub fn find(self, tree: &sled::Tree, hash: u64, found: &mut Vec<Place>) -> Result<()> {
        let part = u32::try_from(hash >> (HASH_BITS - self.bits)).unwrap_or(0);
        self.part(tree, part, |chunk| found.extend(chunk.find(hash)))
    }

    /// Calls `visit` with every place of the run.
    pub fn each(self, tree: &sled::Tree, mut visit: impl FnMut(Place)) -> Result<()> {
        (0..1 << self.bits)
            .try_for_each(|part| self.part(tree, part, |chunk| chunk.places().for_each(&mut visit)))
    }

    fn part(self, tree: &sled::Tree, part: u32, visit: impl FnOnce(&Chunk<'_>)) -> Result<()> {
        let bytes = guarded("read the index of ids", || tree.get(self.key(part)))?;
        let chunk = bytes.as_ref().and_then(|bytes| Chunk::read(bytes, self.bits, part));
        visit(&chunk.ok_or_else(super::damaged)?);
        Ok(())
    }

    /// So many times as large as the smallest, in steps of the fan.
    fn level(self) -> u32 {
        (self.names / LEAST).checked_ilog(FAN as u64).unwrap_or(0)
    }
}

impl Manifest {
    /// The manifest that is stored, if it can be read and fits the log.
    pub fn stored(meta: &sled::Tree, head: &Head) -> Result<Option<Self>> {
        let stored = get(meta, keys::IDS, |bytes| Some(Self::read(bytes)), "the index of ids")?.flatten();
        let fits = |stored: &Self| {
            stored.position < head.seq()
                || stored.position == head.seq() && stored.root == head.frontier.root()
        };
        Ok(stored.filter(fits))
    }

    /// The least number of a run.
    pub fn first_run(&self) -> u32 {
        self.runs.iter().map(|run| run.id).min().unwrap_or(0)
    }

    /// The number that the next run gets.
    pub const fn next_run(&self) -> u32 {
        self.next
    }

    /// How many names the runs have; those that several have are counted again.
    pub fn names(&self) -> u64 {
        self.runs.iter().map(|run| run.names).sum()
    }

    /// Adds a run of these places, and merges where there are too many. A `large` commit merges large runs, too. Gives a
    /// filter of the new run where that is wanted.
    pub fn grown(
        &self,
        tree: &sled::Tree,
        mut places: Vec<Place>,
        head: &Head,
        large: bool,
        filters: bool,
    ) -> Result<Change> {
        chunk::settle(&mut places);
        let manifest = Self { position: head.seq(), root: head.frontier.root(), ..self.clone() };
        let hashes = places.iter().map(|place| place.hash).collect();
        let mut change = Change { hashes, manifest, ..Change::default() };
        let places = change.merge(tree, places, large)?;
        if let Some(run) = change.add(&places).filter(|_| filters) {
            let mut hashes = OfRun::with_room(run.names);
            for place in &places {
                hashes.insert(place.hash);
            }
            change.filter = Some((run.id, hashes));
        }
        Ok(change)
    }

    /// Whether so many runs have a part of the names worth speaking of that it pays to make them one.
    pub fn is_scattered(&self) -> bool {
        let largest = self.runs.iter().map(|run| run.names).max().unwrap_or(0);
        let others = self.names() - largest;
        self.runs.len() >= SCATTERED && others >= LEAST && others >= largest / WORTH
    }

    /// Makes one run, with a number of its own, of all runs and of `recent` places, which are sorted; gives its parts to
    /// `put`, and the manifest with that run alone. Only a part of each run is in memory at a time.
    pub fn united(
        &self,
        tree: &sled::Tree,
        recent: &[Place],
        head: &Head,
        put: impl FnMut([u8; 8], Vec<u8>) -> Result<()>,
    ) -> Result<Self> {
        let mut names = 0;
        let most = Run::of(self.next, self.names() + recent.len() as u64);
        self.merged(tree, recent, most, |_, places| {
            names += places.len() as u64;
            Ok(())
        })?;
        self.as_one(tree, recent, Run::of(self.next, names), head, put)
    }

    /// The same for so many events, with the first number.
    pub fn anew(
        &self,
        tree: &sled::Tree,
        recent: &[Place],
        events: u64,
        head: &Head,
        put: impl FnMut([u8; 8], Vec<u8>) -> Result<()>,
    ) -> Result<Self> {
        self.as_one(tree, recent, Run::of(0, events), head, put)
    }

    fn as_one(
        &self,
        tree: &sled::Tree,
        recent: &[Place],
        run: Run,
        head: &Head,
        mut put: impl FnMut([u8; 8], Vec<u8>) -> Result<()>,
    ) -> Result<Self> {
        let mut names = 0;
        self.merged(tree, recent, run, |part, places| {
            names += places.len() as u64;
            put(run.key(part), chunk::encode(places, run.bits))
        })?;
        if names != run.names {
            return Err(super::damaged());
        }
        let next = run.id.wrapping_add(1);
        Ok(Self { position: head.seq(), root: head.frontier.root(), next, runs: vec![run] })
    }

    /// Calls `visit` with the places of each part of a run of all of them.
    fn merged(
        &self,
        tree: &sled::Tree,
        recent: &[Place],
        run: Run,
        mut visit: impl FnMut(u32, &[Place]) -> Result<()>,
    ) -> Result<()> {
        let mut sources: Vec<Source> = self.runs.iter().map(|run| Source::of(*run)).collect();
        sources.push(Source { run: None, part: 0, places: recent.to_vec(), at: 0 });
        let passed = Passed::default();
        for part in 0..1 << run.bits {
            let mut places = Vec::new();
            for source in &mut sources {
                source.take(tree, &passed, |place| run.has(place, part), &mut places)?;
            }
            chunk::settle(&mut places);
            visit(part, &places)?;
        }
        Ok(())
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut value = vec![VERSION];
        value.extend(self.position.0.to_be_bytes());
        value.extend(self.root);
        value.extend(self.next.to_be_bytes());
        for run in &self.runs {
            value.extend(run.id.to_be_bytes());
            value.extend(run.bits.to_be_bytes());
            value.extend(run.names.to_be_bytes());
        }
        value.extend(crc32c::crc32c(&value).to_be_bytes());
        value
    }

    fn read(value: &[u8]) -> Option<Self> {
        let (fields, crc) = value.split_last_chunk::<4>()?;
        if crc32c::crc32c(fields).to_be_bytes() != *crc || *fields.first()? != VERSION {
            return None;
        }
        let (position, rest) = fields[1..].split_first_chunk()?;
        let (root, rest) = rest.split_first_chunk()?;
        let (next, rest) = rest.split_first_chunk()?;
        let (runs, []) = rest.as_chunks::<16>() else { return None };
        let mut read = Vec::with_capacity(runs.len());
        for run in runs {
            let (id, rest) = run.split_first_chunk()?;
            let (bits, names) = rest.split_first_chunk()?;
            let bits = u32::from_be_bytes(*bits);
            if bits > 24 {
                return None;
            }
            let names = u64::from_be_bytes(names.try_into().ok()?);
            read.push(Run { id: u32::from_be_bytes(*id), bits, names });
        }
        let position = Seq(u64::from_be_bytes(*position));
        Some(Self { position, root: *root, next: u32::from_be_bytes(*next), runs: read })
    }
}

impl Change {
    /// Joins places with the runs of their size as soon as these are too many; gives what is to be a run.
    fn merge(&mut self, tree: &sled::Tree, mut places: Vec<Place>, large: bool) -> Result<Vec<Place>> {
        loop {
            let level = Run { id: 0, bits: 0, names: places.len() as u64 }.level();
            let own = |run: &Run| run.level() == level;
            let runs: Vec<Run> = self.manifest.runs.iter().copied().filter(own).collect();
            let names = places.len() as u64 + runs.iter().map(|run| run.names).sum::<u64>();
            if runs.len() + 1 < FAN || names > if large { LARGEST } else { QUICK } {
                break;
            }
            self.manifest.runs.retain(|run| !own(run));
            places = self.take(tree, &runs, places)?;
        }
        Ok(places)
    }

    /// The places of runs that are given up, and others.
    fn take(&mut self, tree: &sled::Tree, runs: &[Run], mut places: Vec<Place>) -> Result<Vec<Place>> {
        let more = runs.iter().map(|run| run.names).sum::<u64>();
        places.reserve_exact(usize::try_from(more).unwrap_or(0));
        for run in runs {
            run.each(tree, |place| places.push(place))?;
            self.removed.extend(run.keys());
        }
        chunk::settle(&mut places);
        Ok(places)
    }

    /// Adds a run of these places; none where there are none.
    fn add(&mut self, places: &[Place]) -> Option<Run> {
        if places.is_empty() {
            return None;
        }
        let run = Run::of(self.manifest.next, places.len() as u64);
        let mut rest = places;
        for part in 0..1 << run.bits {
            let (own, later) = rest.split_at(rest.partition_point(|place| run.has(place, part)));
            self.put.push((run.key(part), chunk::encode(own, run.bits)));
            rest = later;
        }
        self.manifest.next = self.manifest.next.wrapping_add(1);
        self.manifest.runs.push(run);
        Some(run)
    }
}
