//! The index of dates: every version of every event by what its date allows, and by what events are filtered by.
//!
//! With it a list between two dates, or of one kind of event, reads the events that it shows and not the log; and
//! how many events had happened by a moment, and which go on, is told without reading any. It knows both clocks: a
//! row carries the record that brought it, and what took whose place stands beside, so that what was known at any K
//! is picked out of what is known now. Corrections and back-dated events are entries like all others.
//!
//! Like the [index of claims](crate::index) it is derived and disposable: *runs* cover stretches of the log one
//! behind the other, neighbours of one size are merged, a *manifest* names them with the root of the last block that
//! they cover. Where it does not fit the log, or cannot be read, it is made anew, and [`DateIndex::notice`] says
//! why. What the log holds behind the last run is read from the log itself.
//!
//! A run has the rows twice, in the order of their dates and in that of the log (`row`); `count` has the sums for the
//! tally, `terms` the sets of records. `select` and `standing` are the questions. What a list shows is read from the
//! log, and the event itself decides at last whether a filter admits it.

mod count;
mod file;
mod item;
mod many;
mod merge;
mod row;
mod select;
mod standing;
mod stretch;
mod terms;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fs, io};

use annals_model::Seq;

pub(crate) use many::OfMany;
pub(crate) use select::{Hit, Wanted};

use crate::bits::Bits;
pub(crate) use crate::index::Trouble;
use crate::index::bytes::Input;
use crate::index::manifest::Manifest;
use crate::index::run::broken;
use crate::log::Log;
use crate::merkle::BLOCK;
use crate::{Damage, Error, Result};
use file::{Kept, Run};
use item::Replaced;
use row::Row;
use stretch::Stretch;

/// The directory of a store that holds the index.
pub const DIRECTORY: &str = "dates";

/// When runs are made and merged.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Records behind the last run from which on they become a run of their own; a multiple of [`BLOCK`].
    pub enough: u64,
    /// Records of the largest run that is made at once; a multiple of [`BLOCK`].
    pub at_once: u64,
    /// Neighbouring runs of one size that are merged; two at least.
    pub fan: usize,
    /// Records that are counted by themselves, for questions about what was known within a run.
    pub piece: u32,
    /// Events that a filter admits up to which they are read and folded; what more of them come to is told by the index of
    /// claims.
    pub few: usize,
    /// Events that are read first of a list that is read piece by piece; one at least.
    pub first: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { enough: 8 * BLOCK, at_once: 256 * BLOCK, fan: 8, piece: 1 << 16, few: 1 << 14, first: 256 }
    }
}

/// The index of a store.
#[derive(Debug)]
pub struct DateIndex {
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
    /// The records that no longer count where the log ends at one, as it was asked last.
    gone: Option<(u64, Bits)>,
    /// What the log holds behind the last run.
    recent: Stretch,
    /// The last record that was read.
    end: Seq,
}

impl DateIndex {
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

    /// How many events a filter may admit that are read and folded.
    pub(crate) const fn few(&self) -> usize {
        self.sizes.few
    }

    /// How many events are read first of a list that is read piece by piece.
    pub(crate) fn first(&self) -> usize {
        self.sizes.first.max(1)
    }

    /// How many records the log has behind what the runs cover.
    pub fn behind<L: Log + ?Sized>(&self, log: &L) -> Result<u64> {
        let manifest = self.lock().as_ref().map(|open| open.manifest.clone());
        let manifest = manifest.or_else(|| Manifest::read(&self.dir));
        let covered = manifest.map_or(Seq(0), |manifest| manifest.covered());
        Ok(log.head()?.seq().0.saturating_sub(covered.0))
    }

    /// Takes in what the log holds, so that the next question need not.
    pub fn grow<L: Log + ?Sized>(&self, log: &L) -> Result<()> {
        if self.behind(log)? < self.sizes.enough { Ok(()) } else { self.ask(log, |_| Ok(())) }
    }

    /// Removes the index.
    pub fn clear(&self) -> io::Result<()> {
        *self.lock() = None;
        self.remove()
    }

    /// Whether the log is so long that the index is faster than reading it.
    pub(crate) fn is_worth<L: Log + ?Sized>(&self, log: &L) -> Result<bool> {
        Ok(log.head()?.seq().0 >= self.sizes.enough)
    }

    /// Whether the log had redactions when the index was asked last.
    pub(crate) fn has_redactions(&self) -> bool {
        self.lock().as_ref().is_none_or(|open| open.redactions().next().is_some())
    }

    /// The records that are redactions, or were redacted, in order.
    pub(crate) fn redactions<L: Log + ?Sized>(&self, log: &L) -> Result<Vec<Seq>> {
        self.ask(log, |open| Ok(open.redactions().collect()))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, why: String) {
        *self.notice.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    /// Notes that an answer is found without the index.
    pub(crate) fn leave_aside(&self, error: &Error) {
        self.note(format!("it cannot be used: {error}"));
    }

    fn remove(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Asks the index, as far as the log goes now; where it cannot be read it is made anew, and asked again.
    fn ask<L: Log + ?Sized, R>(
        &self,
        log: &L,
        mut answer: impl FnMut(&mut Open) -> Result<R, Trouble>,
    ) -> Result<R> {
        let mut guard = self.lock();
        let mut why = String::new();
        for _ in 0..3 {
            let open = guard.take().map_or_else(|| self.resume(log), Ok);
            let answered = open.and_then(|mut open| {
                open.catch_up(self, log)?;
                Ok((answer(&mut open)?, open))
            });
            match answered {
                Ok((answer, open)) => {
                    *guard = Some(open);
                    return Ok(answer);
                }
                Err(Trouble::Error(error)) => return Err(error),
                Err(Trouble::Anew(reason)) => {
                    self.remove().map_err(|e| Error::io("cannot remove the index of dates", e))?;
                    self.note(reason.clone());
                    why = reason;
                }
            }
        }
        // What has just been made anew and still cannot be read is no matter of the index.
        Err(Error::unavailable(format!("the index of dates cannot be read: {why}"), "check the disk"))
    }

    /// The index as the directory has it, if it is of this log.
    fn resume<L: Log + ?Sized>(&self, log: &L) -> Result<Open, Trouble> {
        let anew = |why: &str| Err(Trouble::Anew(why.to_owned()));
        let head = log.head()?.seq();
        let Some(manifest) = Manifest::read(&self.dir) else {
            if fs::read_dir(&self.dir).is_ok_and(|mut entries| entries.next().is_some()) {
                return anew(Manifest::fault(&self.dir));
            }
            return Ok(Open { manifest: Manifest { begun: head, ..Manifest::default() }, ..Open::default() });
        };
        let covered = manifest.covered();
        if covered > head {
            return anew("it is ahead of the log");
        }
        if covered.0 % BLOCK != 0 || covered.0 > 0 && log.block(covered.0 / BLOCK - 1)? != Some(manifest.root)
        {
            return anew("it is of another log");
        }
        let mut runs: Vec<Run> = Vec::new();
        for (number, last) in &manifest.runs {
            let run = Run::open(&Manifest::path(&self.dir, *number))?;
            let before = runs.last().map_or(Seq(0), |run| run.last);
            if run.first != before.next() || run.last != *last {
                return anew("its files do not fit together");
            }
            runs.push(run);
        }
        self.tidy(&manifest);
        Ok(Open { manifest, runs, end: covered, ..Open::default() })
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
    /// The log's records that are redactions, or were redacted, in order.
    fn redactions(&self) -> impl Iterator<Item = Seq> {
        self.manifest.redactions.iter().chain(&self.recent.redactions).copied()
    }

    /// Takes in what the log holds behind what is known.
    fn catch_up<L: Log + ?Sized>(&mut self, index: &DateIndex, log: &L) -> Result<(), Trouble> {
        let end = log.head()?.seq();
        let whole = end.0 / BLOCK * BLOCK;
        let Sizes { enough, at_once, .. } = index.sizes;
        while whole - self.manifest.covered().0 >= enough {
            let first = self.manifest.covered().next();
            self.add_run(index, log, first, Seq(whole.min(first.0 - 1 + at_once)))?;
        }
        if self.end >= end {
            return Ok(());
        }
        let runs = &self.runs;
        let older = |seqs: &[u64]| rows(runs, &Stretch::default(), seqs);
        self.recent.extend(log, (self.end.next(), end), self.manifest.begun, older)?;
        (self.gone, self.end) = (None, end);
        Ok(())
    }

    /// Makes a run of the next records, and merges neighbours of one size.
    fn add_run<L: Log + ?Sized>(
        &mut self,
        index: &DateIndex,
        log: &L,
        first: Seq,
        last: Seq,
    ) -> Result<(), Trouble> {
        let dir = &index.dir;
        fs::create_dir_all(dir)?;
        let mut stretch = Stretch::default();
        let runs = &self.runs;
        let older = |seqs: &[u64]| rows(runs, &Stretch::default(), seqs);
        stretch.extend(log, (first, last), self.manifest.begun, older)?;
        self.manifest.redactions.append(&mut stretch.redactions);
        let number = self.manifest.next();
        let path = Manifest::path(dir, number);
        stretch.write(&path, usize::try_from(index.sizes.piece).unwrap_or(usize::MAX))?;
        self.runs.push(Run::open(&path)?);
        self.manifest.runs.push((number, last));
        let gone = self.merge(dir, index.sizes)?;
        let root = log.block(last.0 / BLOCK - 1)?;
        self.manifest.root =
            root.ok_or_else(|| Error::from(Damage::of(first, last, "their block root is missing")))?;
        self.manifest.write(dir)?;
        for number in gone {
            fs::remove_file(Manifest::path(dir, number))?;
        }
        (self.gone, self.end, self.recent) = (None, last, Stretch::default());
        Ok(())
    }

    /// Merges the last runs while enough of them have one size; gives the numbers of those that are gone.
    fn merge(&mut self, dir: &Path, Sizes { enough, fan, piece, .. }: Sizes) -> Result<Vec<u64>, Trouble> {
        let mut gone = Vec::new();
        while let Some(from) = self.manifest.alike(enough, fan) {
            let (number, last) = (self.manifest.next(), self.manifest.covered());
            let path = Manifest::path(dir, number);
            merge::write(&self.runs[from..], &path, u64::from(piece))?;
            self.runs.truncate(from);
            self.runs.push(Run::open(&path)?);
            gone.extend(self.manifest.runs.drain(from..).map(|(number, _)| number));
            self.manifest.runs.push((number, last));
        }
        Ok(gone)
    }

    /// Whether a record counts when the log ends at another: it is there, and nothing has taken its place yet.
    /// [`Self::read_gone`] comes first.
    fn counts(&self, seq: u64, known_at: u64) -> bool {
        seq <= known_at && self.gone.as_ref().is_none_or(|(_, gone)| !gone.has(seq))
    }

    /// Brings into memory which records no longer count when the log ends at one.
    fn read_gone(&mut self, known_at: u64) -> Result<(), Trouble> {
        if self.gone.as_ref().is_some_and(|(at, _)| *at == known_at) {
            return Ok(());
        }
        let mut gone = Bits::up_to(known_at.min(self.end.0));
        for run in self.runs.iter().filter(|run| run.first.0 <= known_at) {
            for (_, at) in run.replaced.iter().take_while(|(first, _)| first.0 <= known_at) {
                let plain = run.plain(*at)?;
                let pairs = Replaced::pairs(&mut Input(&plain)).ok_or_else(broken)?;
                gone.extend(pairs.iter().filter(|(by, _)| *by <= known_at).map(|(_, previous)| previous));
            }
        }
        let recent = self.recent.replaced.iter().filter(|item| item.by <= known_at);
        gone.extend(recent.map(|item| &item.previous));
        self.gone = Some((known_at, gone));
        Ok(())
    }

    /// The run that has a timeline, with the timeline's number there.
    fn of_timeline(&self, name: &str) -> impl Iterator<Item = (&Run, u32)> {
        self.runs.iter().filter_map(move |run| Some((run, run.timeline(name)?)))
    }

    /// The rows of some records, which come in order, with the names of their timelines.
    fn rows(&self, seqs: &[u64]) -> Result<Vec<(Row, String)>, Trouble> {
        rows(&self.runs, &self.recent, seqs)
    }
}

/// The rows of some records, which come in order, with the names of their timelines.
fn rows(runs: &[Run], recent: &Stretch, seqs: &[u64]) -> Result<Vec<(Row, String)>, Trouble> {
    let misfit = || Trouble::Anew("its files do not fit together".to_owned());
    let mut kept = Kept::default();
    let mut found = Vec::with_capacity(seqs.len());
    for seq in seqs {
        let run = runs.get(runs.partition_point(|run| run.last.0 < *seq)).filter(|run| run.first.0 <= *seq);
        let (row, timelines) = if let Some(run) = run {
            (run.row(*seq, &mut kept)?, &run.timelines)
        } else {
            let index = recent.rows.binary_search_by_key(seq, |row| row.seq).map_err(|_| misfit())?;
            (recent.rows[index], &recent.timelines)
        };
        let timeline = timelines.get(row.timeline as usize).ok_or_else(misfit)?;
        found.push((row, timeline.clone()));
    }
    Ok(found)
}
