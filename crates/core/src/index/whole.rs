//! The whole state of a timeline: every attribute's claims, read in one pass over the runs, on several threads.
//!
//! The runs are in the order of their keys, so that all that was ever said of an attribute comes together as they are
//! read side by side; of it, only what its answer needs is written down ([`Part`]). Which records no longer count at
//! K is a set of bits that is made first. The ids that answers name are read last, in the order of the log.

use std::panic::resume_unwind;
use std::thread;

use annals_model::answers::Answer;
use annals_model::{Moment, Question, Seq};

use super::bits::Bits;
use super::fact::{Dates, Fact, Reader};
use super::needed::{Attribute, Ids, Part};
use super::open::Open;
use super::rows::{OPEN, Picked, Rows};
use super::run::{Cursor, Run, Unusable, broken};
use super::{ClaimIndex, Trouble, entry, unreadable};
use crate::log::Log;
use crate::replay::threads;
use crate::{Error, Result};

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
        // The runs may turn out to be damaged as they are read: then they are made anew, once.
        for _ in 0..2 {
            let mut guard = self.open(log, |_| Ok(()))?;
            let Some(open) = guard.as_ref() else { break };
            match Pass::new(open, question, known_at).run() {
                Ok(found) => return Ok(found),
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

    fn run(&self) -> Result<Vec<Found>, Trouble> {
        let stretches = self.stretches(threads::count());
        let parts = thread::scope(|scope| {
            let threads: Vec<_> =
                stretches.iter().map(|stretch| scope.spawn(|| self.read(stretch))).collect();
            let done =
                threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            done.collect::<Result<Vec<Part>, Trouble>>()
        })?;
        let mut named = Bits::default();
        parts.iter().flat_map(Part::records).for_each(|seq| named.set(seq.0));
        let records: Vec<Seq> = named.all().map(Seq).collect();
        let ids = threads::map_chunks(&records, |records| self.open.ids(records))?;
        let ids = Ids::new(named, ids);
        let all: Vec<(&Part, &Attribute)> =
            parts.iter().flat_map(|part| part.attributes.iter().map(move |own| (part, own))).collect();
        let answered = threads::map_chunks(&all, |all| {
            let mut dates = Dates::default();
            let mut found = |(part, own): &(&Part, &Attribute)| {
                let (entity, attribute) = entry::names(part.key(own))?;
                let answer = part.answer(own, self.question, &ids, &mut dates)?;
                Some(Found { entity: entity.to_owned(), attribute: attribute.to_owned(), answer })
            };
            all.iter().map(|own| found(own).ok_or_else(broken)).collect()
        });
        let mut found: Vec<Found> = answered?;
        found.retain(|found| found.answer.says_something());
        Ok(found)
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

    /// What the answers for all attributes of a stretch need.
    fn read(&self, (from, to): &Stretch) -> Result<Part, Trouble> {
        let mut sources: Vec<Cursor<'_>> =
            self.open.runs.iter().map(|run| Cursor::at(run, from)).collect::<Result<_, _>>()?;
        let mut recent = self.open.recent.claims.range(from.clone()..).peekable();
        let mut part = Part::default();
        let mut desk = Desk::default();
        let mut key = Vec::new();
        loop {
            let heads = sources.iter().filter_map(Cursor::key);
            let Some(next) = heads.chain(recent.peek().map(|(key, _)| key.as_slice())).min() else { break };
            if !next.starts_with(&self.prefix) || to.as_ref().is_some_and(|to| next >= to.as_slice()) {
                break;
            }
            key.clear();
            key.extend(next);
            desk.clear();
            for source in &mut sources {
                while source.key().is_some_and(|own| *own == key) {
                    self.take(source.facts(), &mut desk).ok_or_else(broken)?;
                    source.advance()?;
                }
            }
            let newer = recent.next_if(|(own, _)| **own == key).map(|(_, rows)| rows);
            self.pick(&key, &mut desk, newer, &mut part)?;
        }
        Ok(part)
    }

    /// Takes facts, without those that leave no trace if the attribute's claims never clash.
    fn take(&self, facts: Reader<'_>, desk: &mut Desk) -> Option<()> {
        let Desk { rows, dates, floor } = desk;
        for fact in facts {
            let fact = fact?;
            if !self.counts(&fact) {
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

    /// Whether a fact counts at K and may hold at D; what does not says nothing, not even by a clash.
    fn counts(&self, fact: &Fact<'_>) -> bool {
        fact.seq <= self.known_at
            && !self.superseded.has(fact.seq.0)
            && fact.earliest().is_none_or(|earliest| earliest <= self.question.as_of.until())
    }

    fn pick(
        &self,
        key: &[u8],
        desk: &mut Desk,
        newer: Option<&Rows>,
        part: &mut Part,
    ) -> Result<(), Unusable> {
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
        part.push(key, picked, self.question);
        Ok(())
    }

    /// Takes every fact under a key that counts, once more.
    fn take_all(&self, key: &[u8], desk: &mut Desk) -> Result<(), Unusable> {
        let Desk { rows, dates, .. } = desk;
        rows.clear();
        for run in &self.open.runs {
            run.find(key, |own, facts| {
                for fact in facts.take_while(|_| own == key) {
                    let fact = fact?;
                    if self.counts(&fact) {
                        rows.take(&fact, OPEN, dates, |_| true)?;
                    }
                }
                Some(())
            })?;
        }
        Ok(())
    }
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
