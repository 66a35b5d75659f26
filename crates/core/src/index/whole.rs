//! The whole state of a timeline: every attribute's claims, read in one pass over the runs, on several threads.
//!
//! The runs are in the order of their keys, so that all that was ever said of an attribute comes together as they are
//! read side by side; of it, only what its answer needs is written down ([`Part`]). Which records no longer count at
//! K, or are not admitted, is a set of bits that is made first. The ids that answers name are read last, in the order of the log.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::thread;

use annals_model::answers::Answers;
use annals_model::reduce::{Added, Needed};
use annals_model::{EventId, Question, Seq};

use super::between::Name;
use super::columns::Columns;
use super::dated;
use super::desk::{Desk, Of, Sieve};
use super::fact::Fact;
use super::needed::{self, Ids, Pair, Part, Wanting};
use super::open::Open;
use super::readings::Readings;
use super::rows::{OPEN, Picked, Row, Rows};
use super::run::{Cursor, Run, Unusable, broken};
use super::{ClaimIndex, Counting, Trouble, entry, unreadable};
use crate::Result;
use crate::bits::{Bits, Sparse};
use crate::log::Log;
use crate::threads;

impl ClaimIndex {
    /// What stands in all attributes of the question's timeline, of what counts, in the order of their names, cut somewhere.
    pub(crate) fn whole<L: Log + ?Sized>(
        &self,
        log: &L,
        question: &Question,
        counting: Counting<'_>,
    ) -> Result<Vec<Answers>> {
        let found = Cell::default();
        let open = self.open(log, |open| {
            found.set(Pass::new(open, question, counting).run()?);
            Ok(())
        })?;
        drop(open);
        Ok(found.into_inner())
    }

    /// The names of the attributes of a timeline that have other values on one side than on the other, in order. A side is
    /// a question and what counts there.
    pub(crate) fn differing<L: Log + ?Sized>(
        &self,
        log: &L,
        sides: [(&Question, Counting<'_>); 2],
    ) -> Result<Vec<Name>> {
        let (found, nobody) = (Cell::default(), EventId::new("-").map_err(|_| unreadable())?);
        let open = self.open(log, |open| {
            let [from, to] = sides.map(|(question, counting)| Pass::new(open, question, counting).parts());
            let parts = [from?, to?];
            let questions = sides.map(|(question, _)| question);
            let differ = |pairs: &[Pair<'_>]| {
                let mut readings = Readings::default();
                let differing = |pair| needed::differing(pair, questions, &nobody, &mut readings);
                let names = pairs.iter().map(differing);
                Ok::<_, Unusable>(names.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
            };
            found.set(threads::map_chunks(&pairs(&parts), differ)?);
            Ok(())
        })?;
        drop(open);
        Ok(found.into_inner())
    }
}

/// What both sides need of each attribute, in the order of their keys.
fn pairs(parts: &[Vec<Part>; 2]) -> Vec<Pair<'_>> {
    let mut sides = [0, 1].map(|side| parts[side].iter().flat_map(Part::all).peekable());
    let mut pairs = Vec::new();
    loop {
        let keys = sides.each_mut().map(|side| side.peek().map(|(part, own)| part.key(own)));
        let Some(next) = keys.into_iter().flatten().min() else { return pairs };
        pairs.push(sides.each_mut().map(|side| side.next_if(|(part, own)| part.key(own) == next)));
    }
}

/// One pass over the runs.
struct Pass<'a> {
    open: &'a Open,
    question: &'a Question,
    known_at: Seq,
    /// What the keys of the timeline begin with.
    prefix: Vec<u8>,
    /// The records that do not count.
    left_out: Bits,
    /// The records of which checkpoints do not tell; nothing where these are of no use, since not all that counts is admitted.
    changed: Option<Sparse>,
    sieve: Sieve,
    /// The last day of D, since 1970.
    day: i64,
}

/// Keys, the first one included, the last one not; without a last one to the end of the timeline.
type Stretch = (Vec<u8>, Option<Vec<u8>>);

impl<'a> Pass<'a> {
    fn new(open: &'a Open, question: &'a Question, counting: Counting<'_>) -> Self {
        let (left_out, known_at) = (open.left_out(counting), counting.known_at);
        let (prefix, day) = (entry::timeline_key(&question.timeline), dated::day_of(question.as_of.until()));
        let (sieve, changed) =
            (Sieve::new(question), counting.admitted.is_none().then(|| open.changed(known_at)));
        Self { open, question, known_at, prefix, left_out, changed, sieve, day }
    }

    /// What the answers for all attributes need.
    fn parts(&self) -> Result<Vec<Part>, Trouble> {
        let stretches = self.stretches(threads::count());
        thread::scope(|scope| {
            let threads: Vec<_> =
                stretches.iter().map(|stretch| scope.spawn(|| self.read(stretch))).collect();
            let done =
                threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            done.collect()
        })
    }

    fn run(&self) -> Result<Vec<Answers>, Trouble> {
        let parts = self.parts()?;
        let mut named = Bits::default();
        parts.iter().flat_map(Part::records).for_each(|seq| named.set(seq.0));
        let records: Vec<Seq> = named.all().map(Seq).collect();
        let ids = threads::map_chunks(&records, |records| self.open.ids(records))?;
        let ids = Ids::new(named, ids);
        let all: Vec<Wanting<'_>> = parts.iter().flat_map(Part::all).collect();
        // Answers are large: each thread's stay where they are put.
        let answered: Result<_, Unusable> =
            threads::map_chunks(&all, |all| Ok(vec![self.answers(all, &ids)?]));
        Ok(answered?)
    }

    fn answers(&self, all: &[Wanting<'_>], ids: &Ids) -> Result<Answers, Unusable> {
        let (mut answers, mut readings) = (Answers::default(), Readings::default());
        for (part, own) in all {
            let answer = part.answer(own, self.question, ids, &mut readings).ok_or_else(broken)?;
            let (entity, attribute) = entry::names(part.key(own)).ok_or_else(broken)?;
            answers.add(entity, attribute, answer);
        }
        Ok(answers)
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
        let runs = self.open.runs.iter().filter(|run| run.first <= self.known_at);
        let mut sources: Vec<Cursor<'_>> = runs.map(|run| Cursor::at(run, from)).collect::<Result<_, _>>()?;
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
                    self.take(&source.facts()?, &mut desk).ok_or_else(broken)?;
                    source.advance()?;
                }
            }
            let newer = recent.next_if(|(own, _)| **own == key).map(|(_, rows)| rows);
            self.pick(&key, &mut desk, newer, &mut part)?;
        }
        Ok(part)
    }

    /// Takes facts, without those that leave no trace if the attribute's claims never clash, and are all of one kind.
    fn take(&self, columns: &Columns<'_>, desk: &mut Desk) -> Option<()> {
        let count = columns.up_to(self.known_at);
        let checkpoint = match &self.changed {
            Some(changed) if count == columns.len() => {
                self.sieve.checkpoint(columns).ok()?.filter(|_| !columns.has_any(changed))
            }
            _ => None,
        };
        columns.choose((count, self.day), checkpoint.as_ref(), &self.left_out, &mut desk.chosen)?;
        if let Some(checkpoint) = checkpoint {
            desk.leave_out(checkpoint.left_out);
        }
        columns.outlines(&desk.chosen, &mut desk.outlines);
        self.sieve.sift(columns.words(), desk);
        let outlines = std::mem::take(&mut desk.outlines);
        let mut rests = columns.rests();
        for outline in &outlines {
            self.take_fact(&rests.fact(outline.index as usize)?, desk)?;
        }
        desk.outlines = outlines;
        Some(())
    }

    /// Takes a fact that counts, unless it leaves no trace.
    fn take_fact(&self, fact: &Fact<'_>, desk: &mut Desk) -> Option<()> {
        if !self.may_say_something(fact) {
            return Some(());
        }
        let Desk { rows, dates, floor, increases, .. } = desk;
        let mut index = rows.all.len();
        rows.take(fact, OPEN, dates, |sketch| {
            let is_kept = sketch.bounds().1 >= *floor
                && sketch.may_hold(self.question)
                && increases.add(self.question, sketch, (Of::Runs, index)) != Added::Dropped;
            if is_kept {
                *floor = (*floor).max(sketch.floor(self.question).unwrap_or(*floor));
                index += 1;
            }
            is_kept
        })
    }

    /// Whether a fact may hold at D; what cannot says nothing, not even by a clash.
    fn may_say_something(&self, fact: &Fact<'_>) -> bool {
        fact.earliest().is_none_or(|earliest| earliest <= self.question.as_of.until())
    }

    /// Writes down what the answer for an attribute needs.
    fn pick(
        &self,
        key: &[u8],
        desk: &mut Desk,
        newer: Option<&Rows>,
        part: &mut Part,
    ) -> Result<(), Unusable> {
        let uses = desk.rows.uses().and(newer.map(Rows::uses).unwrap_or_default());
        let counts = |row: &&Row| row.seq <= self.known_at && !self.left_out.has(row.seq.0);
        if uses.only_increases() && uses.never_clash() {
            part.push(key, self.added_up(desk, newer, counts), self.question, false);
            return Ok(());
        }
        if !uses.never_clash() || desk.lacks_some(uses) {
            self.take_all(key, desk)?;
        }
        let mut picked = Picked::new(self.question, uses);
        if let Some(newer) = newer {
            for row in newer.all.iter().filter(counts) {
                picked.take(newer, row);
            }
            picked.renumber(newer, &desk.rows);
        }
        for row in &desk.rows.all {
            picked.take(&desk.rows, row);
        }
        let (needed, keeps_all) = picked.needed();
        part.push(key, needed, self.question, keeps_all);
        Ok(())
    }

    /// What is needed of claims that only increase: two of those that surely happened, and all others.
    fn added_up<'d>(
        &self,
        desk: &'d Desk,
        newer: Option<&'d Rows>,
        counts: impl Fn(&&Row) -> bool,
    ) -> Vec<Needed<(&'d Rows, &'d Row)>> {
        let (rows, mut increases, mut needed) = (&desk.rows, desk.increases, Vec::new());
        // Of the rows that were added up only those are needed that stand for others.
        let others = rows.all.iter().filter(|row| !row.sketch.adds_up(self.question));
        needed.extend(others.map(|row| ((rows, row), None)));
        let newer_rows = newer.map(|newer| newer.all.as_slice()).unwrap_or_default();
        for (index, row) in newer_rows.iter().enumerate().filter(|(_, row)| counts(row)) {
            if row.sketch.may_hold(self.question)
                && increases.add(self.question, &row.sketch, (Of::Later, index)) == Added::No
            {
                needed.extend(newer.map(|newer| ((newer, row), None)));
            }
        }
        for ((of, index), sum) in increases.needed() {
            let rows = match of {
                Of::Runs => Some(rows),
                Of::Later => newer,
            };
            needed.extend(rows.and_then(|rows| Some(((rows, rows.all.get(index)?), sum))));
        }
        needed
    }

    /// Takes every fact under a key that counts, once more.
    fn take_all(&self, key: &[u8], desk: &mut Desk) -> Result<(), Unusable> {
        let Desk { rows, dates, .. } = desk;
        rows.clear();
        for run in self.open.runs.iter().filter(|run| run.first <= self.known_at) {
            run.find(key, |own, facts| {
                let count = if own == key { facts.up_to(self.known_at) } else { 0 };
                for fact in facts.facts().take(count) {
                    let fact = fact?;
                    if !self.left_out.has(fact.seq.0) && self.may_say_something(&fact) {
                        rows.take(&fact, OPEN, dates, |_| true)?;
                    }
                }
                Some(())
            })?;
        }
        Ok(())
    }
}
