//! The whole state of a timeline: every attribute's claims, read in one pass over the runs, on several threads.
//!
//! The runs are in the order of their keys, so that all that was ever said of an attribute comes together as they are
//! read side by side, and nothing of it stays in memory once its answer is there. Which records no longer count at K
//! is a set of bits that is made first.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

use annals_model::answers::Answer;
use annals_model::{Moment, Question, Seq};

use super::bytes::Input;
use super::fact::{Dates, Fact};
use super::open::Open;
use super::rows::{OPEN, Picked, Rows};
use super::run::{Cursor, Run, Unusable};
use super::{ClaimIndex, Trouble, entry, unreadable};
use crate::log::Log;
use crate::{Error, Result};

/// More threads than this gain nothing.
const MOST: usize = 8;

/// What was found of an attribute.
#[derive(Clone, Debug)]
pub struct Found {
    /// Whose attribute it is.
    pub entity: String,
    /// The attribute.
    pub attribute: String,
    /// What its claims come to.
    pub answer: Answer,
}

impl ClaimIndex {
    /// What stands in all attributes of the question's timeline as the log knew it at a record, in the order of their
    /// names; those about which nothing can be said are left out.
    pub fn whole<L: Log + ?Sized>(&self, log: &L, question: &Question, known_at: Seq) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        // The runs may turn out to be damaged as they are read: then they are made anew, once.
        for _ in 0..2 {
            let mut guard = self.open(log, |_| Ok(()))?;
            let Some(open) = guard.as_ref() else { break };
            match Pass::new(open, question, known_at).run() {
                Ok(parts) => {
                    found.extend(parts.into_iter().flatten());
                    return Ok(found);
                }
                Err(Trouble::Error(error)) => return Err(error),
                Err(Trouble::Anew(why)) => {
                    *guard = None;
                    self.clear().map_err(|e| Error::io("cannot remove the index", e))?;
                    self.note(why);
                }
            }
        }
        Err(unreadable())
    }
}

/// One pass over the runs.
struct Pass<'a> {
    open: &'a Open,
    question: &'a Question,
    known_at: Seq,
    /// What the keys of the timeline begin with.
    prefix: Vec<u8>,
    superseded: Bits,
}

/// Keys, the first one included, the last one not; without a last one to the end of the timeline.
type Stretch = (Vec<u8>, Option<Vec<u8>>);

impl<'a> Pass<'a> {
    fn new(open: &'a Open, question: &'a Question, known_at: Seq) -> Self {
        let mut superseded = Bits::default();
        for entry in open.runs.iter().flat_map(Run::all_superseded) {
            if entry.by <= known_at.0 {
                superseded.set(entry.previous);
            }
        }
        for (previous, by) in &open.recent.superseded {
            if *by <= known_at {
                superseded.set(previous.0);
            }
        }
        Self { open, question, known_at, prefix: entry::timeline_key(&question.timeline), superseded }
    }

    fn run(&self) -> Result<Vec<Vec<Found>>, Trouble> {
        let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MOST);
        let stretches = self.stretches(threads);
        thread::scope(|scope| {
            let threads: Vec<_> =
                stretches.iter().map(|stretch| scope.spawn(|| self.read(stretch))).collect();
            let done =
                threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            done.collect()
        })
    }

    /// As many stretches of the timeline's keys, of about one size.
    fn stretches(&self, count: usize) -> Vec<Stretch> {
        let own = |run: &'a Run| run.first_keys().filter(|key| key.starts_with(&self.prefix));
        let longest = self.open.runs.iter().max_by_key(|run| own(run).count());
        let keys: Vec<&[u8]> = longest.into_iter().flat_map(own).collect();
        let mut cuts: Vec<Vec<u8>> = (1..count)
            .filter_map(|part| keys.get(keys.len() * part / count))
            .map(|key| key.to_vec())
            .collect();
        cuts.dedup();
        let ends = cuts.iter().cloned().map(Some).chain([None]);
        let starts = [self.prefix.clone()].into_iter().chain(cuts.iter().cloned());
        starts.zip(ends).collect()
    }

    /// Answers for all attributes of a stretch.
    fn read(&self, (from, to): &Stretch) -> Result<Vec<Found>, Trouble> {
        let mut sources: Vec<Cursor<'_>> =
            self.open.runs.iter().map(|run| Cursor::at(run, from)).collect::<Result<_, _>>()?;
        let mut recent = self.open.recent.claims.range(from.clone()..).peekable();
        let mut found = Vec::new();
        let mut desk = Desk::default();
        let mut key = Vec::new();
        loop {
            let heads = sources.iter().filter_map(|source| Some(source.group()?.0));
            let Some(next) = heads.chain(recent.peek().map(|(key, _)| key.as_slice())).min() else { break };
            if !next.starts_with(&self.prefix) || to.as_ref().is_some_and(|to| next >= to.as_slice()) {
                break;
            }
            key.clear();
            key.extend(next);
            desk.clear();
            for source in &mut sources {
                while let Some((_, facts)) = source.group().filter(|(own, _)| *own == key) {
                    self.take(facts, &mut desk).ok_or_else(damaged)?;
                    source.advance()?;
                }
            }
            let newer = recent.next_if(|(own, _)| **own == key).map(|(_, rows)| rows);
            let answer = self.answer(&key, &mut desk, newer)?;
            if answer.says_something() {
                let (entity, attribute) = entry::names(&key).ok_or_else(damaged)?;
                found.push(Found { entity: entity.to_owned(), attribute: attribute.to_owned(), answer });
            }
        }
        Ok(found)
    }

    /// Takes facts, without those that leave no trace if the attribute's claims never clash.
    fn take(&self, mut facts: Input<'_>, desk: &mut Desk) -> Option<()> {
        let Desk { rows, dates, floor, .. } = desk;
        while !facts.is_empty() {
            let fact = Fact::read(&mut facts)?;
            if fact.seq > self.known_at || self.superseded.has(fact.seq.0) {
                rows.learn(&fact)?;
                continue;
            }
            rows.take(&fact, OPEN, dates, |sketch| {
                let is_kept = sketch.bounds().1 >= *floor && sketch.may_hold(self.question);
                if is_kept {
                    *floor = (*floor).max(sketch.floor(self.question).unwrap_or(*floor));
                }
                is_kept
            })?;
        }
        Some(())
    }

    fn answer(&self, key: &[u8], desk: &mut Desk, newer: Option<&Rows>) -> Result<Answer, Trouble> {
        let uses = desk.rows.uses().and(newer.map(Rows::uses).unwrap_or_default());
        if !uses.never_clash() {
            self.take_all(key, desk)?;
        }
        let mut picked = Picked::new(self.question, uses);
        if let Some(newer) = newer {
            let counts = |seq: Seq| seq <= self.known_at && !self.superseded.has(seq.0);
            for row in newer.all.iter().filter(|row| counts(row.seq)) {
                picked.take(newer, row);
            }
            picked.renumber(newer, &desk.rows);
        }
        for row in &desk.rows.all {
            picked.take(&desk.rows, row);
        }
        let (entity, attribute) = entry::names(key).ok_or_else(damaged)?;
        Ok(picked.answer(entity, attribute).ok_or_else(damaged)?)
    }

    /// Takes every fact under a key that counts, once more.
    fn take_all(&self, key: &[u8], desk: &mut Desk) -> Result<(), Trouble> {
        let Desk { rows, dates, .. } = desk;
        rows.clear();
        for run in &self.open.runs {
            run.find(key, |own, mut facts| {
                while own == key && !facts.is_empty() {
                    let fact = Fact::read(&mut facts)?;
                    if fact.seq <= self.known_at && !self.superseded.has(fact.seq.0) {
                        rows.take(&fact, OPEN, dates, |_| true)?;
                    }
                }
                Some(())
            })?;
        }
        Ok(())
    }
}

fn damaged() -> Unusable {
    Unusable("it is damaged".to_owned())
}

/// What one attribute after the other is read into.
struct Desk {
    rows: Rows,
    dates: Dates,
    floor: Moment,
}

impl Default for Desk {
    fn default() -> Self {
        Self { rows: Rows::default(), dates: Dates::default(), floor: Moment::NEG_INFINITY }
    }
}

impl Desk {
    fn clear(&mut self) {
        self.rows.clear();
        self.floor = Moment::NEG_INFINITY;
    }
}

/// A set of records.
#[derive(Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn set(&mut self, number: u64) {
        let Ok(word) = usize::try_from(number / 64) else { return };
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (number % 64);
    }

    fn has(&self, number: u64) -> bool {
        let word = usize::try_from(number / 64).ok().and_then(|word| self.0.get(word));
        word.is_some_and(|word| word >> (number % 64) & 1 == 1)
    }
}
