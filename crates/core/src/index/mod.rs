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

mod between;
pub(crate) mod bytes;
mod checkpoint;
mod cited;
mod columns;
mod dated;
mod desk;
mod entry;
mod fact;
mod grow;
mod ids;
pub(crate) mod manifest;
mod needed;
mod open;
mod readings;
mod recent;
mod rows;
pub(crate) mod run;
mod sheet;
mod whole;
mod words;
mod write;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fs, io};

use annals_model::answers::{Answer, Answers};
use annals_model::{Event, Question, Seq, TimelineName};

use crate::bits::Bits;
use crate::log::Log;
use crate::merkle::BLOCK;
use crate::replay::Sources;
use crate::{Error, Result};
use cited::Cited;
use manifest::Manifest;
use open::Open;
use run::{Run, Unusable};

pub(crate) use open::is_redaction;

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
    /// Claims that are kept in memory for the next question.
    pub kept: usize,
    /// Facts on an attribute, at least, from one checkpoint along the date axis to the next.
    pub spacing: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { enough: 8 * BLOCK, at_once: 512 * BLOCK, fan: 8, kept: 1 << 18, spacing: 32 }
    }
}

/// Which records count: those up to one that nothing had superseded by then, and of these only some where a filter admits
/// no others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counting<'a> {
    /// The last record.
    pub known_at: Seq,
    /// The only ones that count, where not all do.
    pub admitted: Option<&'a Bits>,
}

impl From<Seq> for Counting<'_> {
    fn from(known_at: Seq) -> Self {
        Self { known_at, admitted: None }
    }
}

/// A timeline, an entity, and one of its attributes or all of them.
pub type Asked<'a> = (&'a TimelineName, &'a str, Option<&'a str>);

/// The index of a store.
#[derive(Debug)]
pub struct ClaimIndex {
    dir: PathBuf,
    sizes: Sizes,
    open: Mutex<Option<Open>>,
    notice: Mutex<Option<String>>,
    cited: Mutex<Cited>,
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
    pub fn with(dir: PathBuf, sizes: Sizes) -> Self {
        let (open, notice, cited) = Default::default();
        Self { dir, sizes, open, notice, cited }
    }

    /// Why the index was made anew, or could not be used, if that happened since the last call.
    pub fn notice(&self) -> Option<String> {
        self.notice.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn note(&self, why: String) {
        *self.notice.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    /// What stands in all attributes of an entity, of what counts.
    pub(crate) fn ask<L: Log + ?Sized>(
        &self,
        log: &L,
        entity: &str,
        question: &Question,
        counting: Counting<'_>,
    ) -> Result<Answers> {
        let key = entry::key(&question.timeline, entity, None);
        let open = self.open(log, |open| open.keep(&key, false, self.sizes.kept))?;
        let open = open.as_ref().into_iter();
        let mut answers = Answers::default();
        for (open, known) in open.flat_map(|open| open.sheets(&key, false).map(move |known| (open, known))) {
            let answer = open.answer(&known, question, counting).ok_or_else(unreadable)?;
            let (entity, attribute) = entry::names(known.key).ok_or_else(unreadable)?;
            answers.add(entity, attribute, answer);
        }
        Ok(answers)
    }

    /// What stands in one attribute, without the sources of those who contest it.
    pub fn answer<L: Log + ?Sized>(
        &self,
        log: &L,
        names: (&str, &str),
        question: &Question,
        known_at: Seq,
    ) -> Result<Answer> {
        Ok(self.answered(log, names, question, known_at)?.0)
    }

    /// What stands in one attribute, with the sources of those who contest it.
    pub fn point<L: Log + ?Sized>(
        &self,
        log: &L,
        names: (&str, &str),
        question: &Question,
        known_at: Seq,
    ) -> Result<Answer> {
        let (mut answer, redactions) = self.answered(log, names, question, known_at)?;
        if !answer.contenders.is_empty() && !self.cited().cite(redactions, &mut answer) {
            let sources = Sources::read(log, answer.contenders.clone())?;
            answer.cite(|seq| sources.of(seq));
            self.cited().keep(redactions, &answer);
        }
        Ok(answer)
    }

    /// What stands in one attribute, and how many records of the log are redactions, or were redacted.
    fn answered<L: Log + ?Sized>(
        &self,
        log: &L,
        (entity, attribute): (&str, &str),
        question: &Question,
        known_at: Seq,
    ) -> Result<(Answer, usize)> {
        let key = entry::key(&question.timeline, entity, Some(attribute));
        let guard = self.open(log, |open| open.keep(&key, true, self.sizes.kept))?;
        let Some(open) = guard.as_ref() else { return Ok(Default::default()) };
        let answer = open.answer(&open.known(&key), question, known_at.into()).ok_or_else(unreadable)?;
        Ok((answer, open.redactions().count()))
    }

    fn cited(&self) -> MutexGuard<'_, Cited> {
        self.cited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that was ever said about an attribute, or all attributes of an entity, each time as an event with
    /// nothing but its id, its date and one effect.
    pub fn ever_said<L: Log + ?Sized>(&self, log: &L, asked: Asked<'_>) -> Result<Vec<Event>> {
        let (key, exact) = (entry::key(asked.0, asked.1, asked.2), asked.2.is_some());
        let open = self.open(log, |open| open.keep(&key, exact, self.sizes.kept))?;
        let (mut said, mut dates) = (Vec::new(), fact::Dates::default());
        for known in open.as_ref().into_iter().flat_map(|open| open.sheets(&key, exact)) {
            let (entity, attribute) = entry::names(known.key).ok_or_else(unreadable)?;
            for (rows, row) in known.rows() {
                let event = rows.event(row, (entity, attribute), None, &mut dates);
                said.push(event.ok_or_else(unreadable)?);
            }
        }
        Ok(said)
    }

    /// The records that matter to an attribute, or to an entity, up to a record: those that say something about it,
    /// those that took their places, and the first ones of their events; and those of the whole log that are redactions
    /// or were redacted: whether they concern it cannot be told.
    pub fn records<L: Log + ?Sized>(
        &self,
        log: &L,
        asked: Asked<'_>,
        known_at: Seq,
    ) -> Result<BTreeSet<Seq>> {
        let (key, exact) = (entry::key(asked.0, asked.1, asked.2), asked.2.is_some());
        let guard = self.open(log, |open| open.keep(&key, exact, self.sizes.kept))?;
        let open = guard.as_ref().ok_or_else(unreadable)?;
        let mut records: BTreeSet<Seq> = open.redactions().filter(|seq| *seq <= known_at).collect();
        for known in open.sheets(&key, exact) {
            for (_, row) in known.rows().filter(|(_, row)| row.seq <= known_at) {
                let until = open.recent.superseded.by(row.seq).unwrap_or(row.until);
                let concerned = [row.sketch.place, row.seq, until];
                records.extend(concerned.into_iter().filter(|seq| *seq <= known_at));
            }
        }
        Ok(records)
    }

    /// Makes the index grow where the log has enough behind it, so that the next question does not have to. What it takes
    /// to ask it is not kept in memory.
    pub fn grow<L: Log + ?Sized>(&self, log: &L) -> Result<()> {
        if self.behind(log)? < self.sizes.enough {
            return Ok(());
        }
        self.open(log, |_| Ok(())).map(|mut open| *open = None)
    }

    /// Makes one run of the whole index, which is then as small and as quick to ask as it can be.
    pub fn compact<L: Log + ?Sized>(&self, log: &L) -> Result<()> {
        self.open(log, |open| open.unite(self)).map(drop)
    }

    /// The index, caught up with the log, and prepared. What cannot be used is made anew.
    fn open<L: Log + ?Sized>(
        &self,
        log: &L,
        prepare: impl Fn(&mut Open) -> Result<(), Trouble>,
    ) -> Result<MutexGuard<'_, Option<Open>>> {
        let mut guard = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for attempt in 0.. {
            let open = match guard.take() {
                Some(open) => Ok(open),
                None => self.resume(log),
            };
            let found = open.and_then(|mut open| {
                open.catch_up(self, log)?;
                prepare(&mut open)?;
                Ok(open)
            });
            match found {
                Ok(open) => {
                    *guard = Some(open);
                    return Ok(guard);
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
        Err(unreadable())
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
                return Err(Trouble::Anew(Manifest::fault(&self.dir).to_owned()));
            }
            let manifest = Manifest { begun: log.head()?.seq(), ..Manifest::default() };
            return Ok(Open::new(manifest, Vec::new()));
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
        Ok(Open::new(manifest, runs))
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

fn unreadable() -> Error {
    Error::unavailable("the index cannot be read", "check the disk")
}
