//! The index of claims: for every attribute, every effect that any version of an event ever had on it.
//!
//! With it a question about one attribute or one entity reads what concerns it, and not the log. It knows both
//! clocks: a fact carries the record that brought it, and a list beside the facts says which record took the
//! place of which, so that what was known at any K is picked out of what is known now. Nothing in it is ever
//! invalidated: a back-dated event, a revision and a retraction are entries like all others.
//!
//! The index is derived from the log and disposable. It consists of *runs*, files that cover stretches of
//! the log one behind the other; neighbours of one size are merged, so that there are few. A *manifest* names them,
//! with the root of the last block of records that they cover: where it does not fit the log, or anything cannot be
//! read, the index is made anew, and [`ClaimIndex::notice`] says why. What the log holds behind the last run is
//! read from the log itself, until it is enough for a run of its own.
//!
//! A redaction that lies behind the last run makes the index anew, too: nothing of what was erased may stay in it.

pub(crate) mod bytes;
mod entry;
pub(crate) mod manifest;
pub(crate) mod run;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::{fs, io};

use annals_model::{Op, Seq, TimelineName};

pub use entry::Fact;

use crate::codec::frame::RawRecord;
use crate::codec::leaf::op_number;
use crate::codec::v1::Seal;
use crate::log::Log;
use crate::merkle::BLOCK;
use crate::{Error, Result, scan};
use entry::Superseded;
use manifest::Manifest;
use run::{Run, Unusable, Writer};

/// The name of the directory of a store's index in the store's own.
pub const DIRECTORY: &str = "index";

/// When runs are made and merged.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Records behind the last run from which on they become a run of their own; a multiple of [`BLOCK`].
    pub enough: u64,
    /// Records of the largest run that is made at once; a multiple of [`BLOCK`].
    pub at_once: u64,
    /// Neighbouring runs of one size that are merged; two at least.
    pub fan: usize,
    /// Facts that are kept in memory for the next question.
    pub kept: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { enough: 8 * BLOCK, at_once: 1024 * BLOCK, fan: 8, kept: 1 << 18 }
    }
}

/// A timeline, an entity, and one of its attributes or all of them.
pub type Asked<'a> = (&'a TimelineName, &'a str, Option<&'a str>);

/// Facts, by the key of their attribute.
type Facts = BTreeMap<Vec<u8>, Vec<Fact>>;

/// The index of a store.
#[derive(Debug)]
pub struct ClaimIndex {
    dir: PathBuf,
    sizes: Sizes,
    open: Mutex<Option<Open>>,
    notice: Mutex<Option<String>>,
}

/// The index, while a process uses it.
#[derive(Debug, Default)]
struct Open {
    manifest: Manifest,
    runs: Vec<Run>,
    /// What was asked before, up to the last run.
    kept: HashMap<Vec<u8>, Facts>,
    kept_facts: usize,
    recent: Recent,
}

/// What the log holds behind the last run.
#[derive(Debug, Default)]
struct Recent {
    /// The last record that was read.
    end: Seq,
    facts: Facts,
    /// By the record that no longer counts, the one that took its place.
    superseded: HashMap<Seq, Seq>,
    /// How many of its records are redactions, or were redacted.
    redactions: u64,
}

/// Why a part of the index has to be given up.
pub(crate) enum Trouble {
    /// It cannot be used, and is to be made anew.
    Anew(String),
    /// The log cannot be read, or the disk is full: making it anew would not help.
    Error(Error),
}

impl Trouble {
    /// What was erased may have been read before.
    pub(crate) fn redacted() -> Self {
        Self::Anew("an event was redacted".to_owned())
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Unusable> for Trouble {
    fn from(Unusable(why): Unusable) -> Self {
        Self::Anew(why)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Error(Error::io("cannot write the index", error))
    }
}

impl ClaimIndex {
    /// The index in a directory. Nothing is read or written before the first question.
    pub fn at(dir: PathBuf) -> Self {
        Self::with(dir, Sizes::default())
    }

    /// The index in a directory, with runs of other sizes.
    pub const fn with(dir: PathBuf, sizes: Sizes) -> Self {
        Self { dir, sizes, open: Mutex::new(None), notice: Mutex::new(None) }
    }

    /// Why the index was made anew, or could not be used, if that happened since the last call.
    pub fn notice(&self) -> Option<String> {
        self.notice.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn note(&self, why: String) {
        *self.notice.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    /// Hands over the facts about an attribute, or all attributes of an entity, that counted when the log ended at
    /// a record, in no particular order.
    pub fn ask<L: Log + ?Sized, R>(
        &self,
        log: &L,
        asked: Asked<'_>,
        known_at: Seq,
        answer: impl FnOnce(&[&Fact]) -> R,
    ) -> Result<R> {
        self.ask_all(log, asked, known_at, |facts| {
            let counting = facts.iter().filter(|(_, until)| *until > known_at).map(|(fact, _)| *fact);
            answer(&counting.collect::<Vec<_>>())
        })
    }

    /// The records that matter to an attribute, or to an entity, up to a record: those that say something about it,
    /// those that took their places, and the first ones of their events. Nothing where the log has redactions:
    /// whether they concern it cannot be told.
    pub fn records<L: Log + ?Sized>(
        &self,
        log: &L,
        asked: Asked<'_>,
        known_at: Seq,
    ) -> Result<Option<BTreeSet<Seq>>> {
        let mut records = BTreeSet::new();
        self.ask_all(log, asked, known_at, |facts| {
            for (fact, until) in facts {
                records.extend([fact.place, fact.seq, *until].into_iter().filter(|seq| *seq <= known_at));
            }
        })?;
        let guard = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let redacted =
            guard.as_ref().is_none_or(|open| open.manifest.redactions + open.recent.redactions > 0);
        Ok((!redacted).then_some(records))
    }

    /// Hands over every fact up to a record, each with the record from which on it does not count.
    fn ask_all<L: Log + ?Sized, R>(
        &self,
        log: &L,
        (timeline, entity, attribute): Asked<'_>,
        known_at: Seq,
        answer: impl FnOnce(&[(&Fact, Seq)]) -> R,
    ) -> Result<R> {
        let key = entry::key(timeline, entity, attribute);
        let mut guard = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for attempt in 0.. {
            let open = match guard.take() {
                Some(open) => Ok(open),
                None => self.resume(log),
            };
            let found = open.and_then(|mut open| {
                open.catch_up(self, log)?;
                open.keep(&key, attribute.is_some(), self.sizes.kept)?;
                Ok(open)
            });
            match found {
                Ok(open) => {
                    let open = guard.insert(open);
                    return Ok(answer(&open.facts(&key, attribute.is_some(), known_at)));
                }
                Err(Trouble::Error(error)) => {
                    self.note(format!("it cannot be used: {error}"));
                    return Err(error);
                }
                // What has just been made anew and still cannot be read is no matter of the index.
                Err(Trouble::Anew(why)) if attempt > 1 => {
                    return Err(Error::unavailable(
                        format!("the index cannot be read: {why}"),
                        "check the disk",
                    ));
                }
                Err(Trouble::Anew(why)) => {
                    self.clear().map_err(|e| Error::io("cannot remove the index", e))?;
                    self.note(why);
                }
            }
        }
        Err(Error::unavailable("the index cannot be made", "check the disk"))
    }

    /// How many records the log has behind what the runs cover.
    pub fn behind<L: Log + ?Sized>(&self, log: &L) -> Result<u64> {
        let guard = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let manifest = guard.as_ref().map(|open| open.manifest.clone()).or_else(|| Manifest::read(&self.dir));
        let covered = manifest.map_or(Seq(0), |manifest| manifest.covered());
        Ok(log.head()?.seq().0.saturating_sub(covered.0))
    }

    /// Removes the index.
    pub fn clear(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Gives the index up, with everything that is held of it: it is made anew by the next question.
    pub fn forget(&self) -> io::Result<()> {
        // Who asks meanwhile may still write what was erased since.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        *open = None;
        self.clear()
    }

    /// The index as the directory has it, if it is of this log.
    fn resume<L: Log + ?Sized>(&self, log: &L) -> Result<Open, Trouble> {
        let Some(manifest) = Manifest::read(&self.dir) else {
            if fs::read_dir(&self.dir).is_ok_and(|mut entries| entries.next().is_some()) {
                return Err(Trouble::Anew("it is damaged".to_owned()));
            }
            let manifest = Manifest { begun: log.head()?.seq(), ..Manifest::default() };
            return Ok(Open { manifest, ..Open::default() });
        };
        let covered = manifest.covered();
        if covered > log.head()?.seq() {
            return Err(Trouble::Anew("it is ahead of the log".to_owned()));
        }
        let block = covered.0.checked_div(BLOCK).and_then(|blocks| blocks.checked_sub(1));
        let root = block.map(|block| log.block(block)).transpose()?.flatten();
        if root.is_some_and(|root| root != manifest.root) || (root.is_none() && covered.0 > 0) {
            return Err(Trouble::Anew("it is of another log".to_owned()));
        }
        let mut runs = Vec::new();
        let mut before = Seq(0);
        for (number, last) in &manifest.runs {
            let run = Run::open(&Manifest::path(&self.dir, *number))?;
            if run.first != before.next() || run.last != *last {
                return Err(Trouble::Anew("its files do not fit together".to_owned()));
            }
            before = run.last;
            runs.push(run);
        }
        self.tidy(&manifest);
        Ok(Open { manifest, runs, ..Open::default() })
    }

    /// Removes the runs that a kill left behind, named by no manifest. What stays is no harm.
    fn tidy(&self, manifest: &Manifest) {
        let named: BTreeSet<PathBuf> =
            manifest.runs.iter().map(|(number, _)| Manifest::path(&self.dir, *number)).collect();
        let paths = fs::read_dir(&self.dir).into_iter().flatten().flatten().map(|entry| entry.path());
        for path in paths.filter(|path| path.extension().is_some_and(|end| end == "run")) {
            if !named.contains(&path) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

impl Open {
    /// Takes in what the log holds behind what is known.
    fn catch_up<L: Log + ?Sized>(&mut self, index: &ClaimIndex, log: &L) -> Result<(), Trouble> {
        let end = log.head()?.seq();
        let whole = end.0 / BLOCK * BLOCK;
        while whole - self.manifest.covered().0 >= index.sizes.enough {
            let first = self.manifest.covered().next();
            self.grow(index, log, first, Seq(whole.min(first.0 - 1 + index.sizes.at_once)))?;
        }
        let covered = self.manifest.covered();
        self.recent.end = self.recent.end.max(covered);
        let from = self.recent.end.next();
        if from > end {
            return Ok(());
        }
        let Recent { facts, superseded, redactions, .. } = &mut self.recent;
        let begun = self.manifest.begun;
        let mut redacts = false;
        scan::each_raw(log, from, end, |raw| {
            *redactions += u64::from(is_redaction(raw));
            redacts |= raw.head.op == op_number(Op::Redact) && raw.seq > begun;
            let replaced = entry::read(log, raw, |key, fact| {
                facts.entry(key).or_default().push(fact);
                Ok(())
            })?;
            superseded.extend(replaced.map(|replaced| (Seq(replaced.previous), Seq(replaced.by))));
            Ok(())
        })?;
        self.recent.end = end;
        if redacts { Err(Trouble::redacted()) } else { Ok(()) }
    }

    /// Makes a run of the next records, and merges neighbours of one size.
    fn grow<L: Log + ?Sized>(
        &mut self,
        index: &ClaimIndex,
        log: &L,
        first: Seq,
        last: Seq,
    ) -> Result<(), Trouble> {
        let dir = &index.dir;
        fs::create_dir_all(dir)?;
        let mut facts: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let mut superseded = Vec::new();
        let begun = self.manifest.begun;
        let (mut redacts, mut redactions) = (false, 0);
        scan::each_raw(log, first, last, |raw| {
            redactions += u64::from(is_redaction(raw));
            redacts |= raw.head.op == op_number(Op::Redact) && raw.seq > begun;
            superseded.extend(entry::read(log, raw, |key, fact| fact.put(facts.entry(key).or_default()))?);
            Ok(())
        })?;
        if redacts {
            return Err(Trouble::redacted());
        }
        self.manifest.redactions += redactions;
        superseded.sort_unstable();
        let number = self.manifest.next();
        let path = Manifest::path(dir, number);
        let mut writer = Writer::create(&path)?;
        for (key, facts) in &facts {
            writer.push(key, facts)?;
        }
        writer.finish(first, last, &superseded)?;
        self.runs.push(Run::open(&path)?);
        self.manifest.runs.push((number, last));
        let gone = self.merge(dir, index.sizes)?;
        self.manifest.root = log
            .block(last.0 / BLOCK - 1)?
            .ok_or_else(|| Error::from(crate::Damage::of(first, last, "their block root is missing")))?;
        self.manifest.write(dir)?;
        for number in gone {
            fs::remove_file(Manifest::path(dir, number))?;
        }
        (self.kept, self.kept_facts, self.recent) = Default::default();
        Ok(())
    }

    /// Merges the last runs while enough of them have one size; gives the numbers of those that are gone.
    fn merge(&mut self, dir: &Path, Sizes { enough, fan, .. }: Sizes) -> Result<Vec<u64>, Trouble> {
        let mut gone = Vec::new();
        loop {
            let size = |run: &Run| ((run.last.0 - run.first.0 + 1) / enough).max(1).ilog(fan as u64);
            let Some(newest) = self.runs.last().map(size) else { return Ok(gone) };
            let alike = self.runs.iter().rev().take_while(|run| size(run) == newest).count();
            if alike < fan {
                return Ok(gone);
            }
            let from = self.runs.len() - alike;
            let (number, last) = (self.manifest.next(), self.manifest.covered());
            let path = Manifest::path(dir, number);
            write_merged(&self.runs[from..], &path)?;
            self.runs.truncate(from);
            self.runs.push(Run::open(&path)?);
            gone.extend(self.manifest.runs.drain(from..).map(|(number, _)| number));
            self.manifest.runs.push((number, last));
        }
    }

    /// Keeps the facts of a key in memory, each with the record from which on it does not count.
    fn keep(&mut self, key: &[u8], exact: bool, most: usize) -> Result<(), Trouble> {
        if self.kept.contains_key(key) {
            return Ok(());
        }
        let mut found = Facts::new();
        for (index, run) in self.runs.iter().enumerate() {
            run.find(key, |found_key, mut fact| {
                if !exact || found_key == key {
                    let superseded = self.runs[index..].iter().find_map(|run| run.superseded(fact.seq));
                    fact.until = superseded.unwrap_or(fact.until);
                    found.entry(found_key.to_vec()).or_default().push(fact);
                }
            })?;
        }
        let count: usize = found.values().map(Vec::len).sum();
        if self.kept_facts + count > most {
            (self.kept, self.kept_facts) = Default::default();
        }
        self.kept_facts += count;
        self.kept.insert(key.to_vec(), found);
        Ok(())
    }

    /// The facts up to a record, each with the record from which on it does not count.
    fn facts(&self, key: &[u8], exact: bool, known_at: Seq) -> Vec<(&Fact, Seq)> {
        let is_asked = |found: &[u8]| if exact { found == key } else { found.starts_with(key) };
        let recent = self.recent.facts.range(key.to_vec()..).take_while(|(found, _)| found.starts_with(key));
        let recent = recent.filter(|(found, _)| is_asked(found)).flat_map(|(_, facts)| facts);
        let older = self.kept.get(key).into_iter().flat_map(BTreeMap::values).flatten();
        // Most logs that are asked again and again have nothing behind the last run.
        let none = self.recent.superseded.is_empty();
        let recent_end = |fact: &Fact| if none { None } else { self.recent.superseded.get(&fact.seq) };
        let until = |fact: &Fact| recent_end(fact).copied().unwrap_or(fact.until);
        let facts = older.chain(recent).filter(|fact| fact.seq <= known_at);
        facts.map(|fact| (fact, until(fact))).collect()
    }
}

pub(crate) fn is_redaction(raw: &RawRecord<'_>) -> bool {
    raw.head.op == op_number(Op::Redact) || matches!(raw.head.seal, Seal::Commitment(_))
}

/// Writes neighbouring runs as one.
fn write_merged(runs: &[Run], path: &Path) -> Result<(), Trouble> {
    let mut sources: Vec<run::Groups<'_>> = runs.iter().map(Run::groups).collect();
    let mut heads = sources.iter_mut().map(run::Groups::next).collect::<Result<Vec<_>, _>>()?;
    let mut writer = Writer::create(path)?;
    while let Some(key) = heads.iter().flatten().map(|(key, _)| key).min().cloned() {
        for (head, source) in heads.iter_mut().zip(&mut sources) {
            while let Some((_, facts)) = head.take_if(|(own, _)| *own == key) {
                writer.push(&key, &facts)?;
                *head = source.next()?;
            }
        }
    }
    let mut superseded: Vec<Superseded> = runs.iter().flat_map(Run::all_superseded).copied().collect();
    superseded.sort_unstable();
    let (first, last) =
        (runs.first().map_or(Seq(1), |run| run.first), runs.last().map_or(Seq(0), |run| run.last));
    writer.finish(first, last, &superseded)?;
    Ok(())
}
