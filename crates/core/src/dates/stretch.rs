//! A stretch of the log as the index takes it in: read in parts, brought together in record order, and either kept
//! in memory, at the end of the log, or written as a run.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

use annals_model::{Date, EventId, Op, Seq};

use super::Trouble;
use super::count::{Count, Counts, Summing, WHOLE};
use super::file::Writer;
use super::item::{ByDate, BySeq, Card, Replaced, Term, is_told};
use super::row::{Dates, Row};
use super::terms;
use crate::codec::frame::RawRecord;
use crate::codec::leaf::{op_number, op_of};
use crate::codec::v1::{self, Seal};
use crate::index::is_redaction;
use crate::log::Log;
use crate::merkle::BLOCK;
use crate::threads;
use crate::{Damage, Error, Result, scan};

/// Records of a part; whole blocks, so that no frame is read twice.
const PART: u64 = 4 * BLOCK;

/// Dates other than plain ones that are remembered while a part is read.
const DATES: usize = 1024;

/// A stretch of the log.
#[derive(Debug, Default)]
pub struct Stretch {
    /// All its records, in order.
    pub rows: Vec<Row>,
    /// The timelines, by the numbers that the rows have.
    pub timelines: Vec<String>,
    /// What is told of the events that may last, by their records.
    pub cards: HashMap<u64, Card>,
    /// What took the place of what.
    pub replaced: Vec<Replaced>,
    /// The records that have each term.
    pub terms: HashMap<Vec<u8>, Vec<u64>>,
    /// Its records that are redactions, or were redacted, in order.
    pub redactions: Vec<Seq>,
    numbers: HashMap<String, u32>,
}

/// A part of a stretch.
#[derive(Debug, Default)]
struct Part {
    /// Each record, and the one before it of its event.
    seen: Vec<(Row, u64)>,
    timelines: Vec<String>,
    cards: Vec<(u64, Card)>,
    terms: HashMap<Vec<u8>, Vec<u64>>,
    redactions: Vec<Seq>,
    redacts: bool,
    numbers: HashMap<String, u32>,
    dates: HashMap<Box<str>, Dates>,
}

impl Stretch {
    /// Takes in the next records. `older` finds the rows of records before the stretch, and a redaction behind
    /// `begun` is refused.
    pub fn extend<L: Log + ?Sized>(
        &mut self,
        log: &L,
        (from, to): (Seq, Seq),
        begun: Seq,
        older: impl FnOnce(&[u64]) -> Result<Vec<(Row, String)>, Trouble>,
    ) -> Result<(), Trouble> {
        let starts: Vec<u64> = (from.0..=to.0).step_by(usize::try_from(PART).unwrap_or(usize::MAX)).collect();
        let parts = threads::map_chunks(&starts, |starts| {
            let part = |start: &u64| Part::read(log, Seq(*start), Seq((start + PART - 1).min(to.0)), begun);
            starts.iter().map(part).collect()
        })?;
        if parts.iter().any(|part| part.redacts) {
            return Err(Trouble::redacted());
        }
        let first = self.rows.first().map_or(from.0, |row| row.seq);
        let seen = parts.iter().flat_map(|part| &part.seen);
        let mut wanted: Vec<u64> = seen.map(|(_, previous)| *previous).collect();
        wanted.retain(|previous| *previous != 0 && *previous < first);
        wanted.sort_unstable();
        let found = older(&wanted)?;
        let older: HashMap<u64, Row> = found.into_iter().map(|(row, _)| (row.seq, row)).collect();
        parts.into_iter().try_for_each(|part| self.take(part, first, &older))
    }

    fn take(&mut self, part: Part, first: u64, older: &HashMap<u64, Row>) -> Result<(), Trouble> {
        let numbers: Vec<u32> = part
            .timelines
            .into_iter()
            .map(|name| number(&mut self.numbers, &mut self.timelines, name))
            .collect();
        for (mut row, previous) in part.seen {
            row.timeline = numbers[row.timeline as usize];
            if previous != 0 {
                let within = previous.checked_sub(first).and_then(|index| usize::try_from(index).ok());
                let before = within.map_or_else(|| older.get(&previous), |index| self.rows.get(index));
                let before = before.filter(|before| before.seq == previous);
                let before = before.ok_or_else(|| {
                    Error::from(Damage::of(Seq(row.seq), Seq(row.seq), "its event's history is broken"))
                })?;
                row.place = before.place;
                let began = before.dates.map(|dates| (dates.span.start.earliest, dates.span.start.latest));
                self.replaced.push(Replaced { by: row.seq, previous, timeline: row.timeline, began });
            }
            self.rows.push(row);
        }
        self.cards.extend(part.cards);
        for (key, mut seqs) in part.terms {
            match self.terms.entry(key) {
                Entry::Occupied(mut known) => known.get_mut().append(&mut seqs),
                Entry::Vacant(new) => drop(new.insert(seqs)),
            }
        }
        self.redactions.extend(part.redactions);
        Ok(())
    }

    /// The number of a timeline.
    pub fn timeline(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    /// Writes the stretch as a run, each `piece` of its records counted by itself.
    pub fn write(mut self, path: &Path, piece: usize) -> Result<(), Trouble> {
        let ends = self.rows.first().zip(self.rows.last());
        let (first, last) = ends.map_or((Seq(1), Seq(0)), |(first, last)| (Seq(first.seq), Seq(last.seq)));
        self.sort_timelines();
        let mut writer = Writer::create(path)?;
        let mut dated: Vec<&Row> = self.rows.iter().filter(|row| row.dates.is_some()).collect();
        dated.sort_unstable_by_key(|row| row.order());
        let mut section = writer.section();
        for row in dated {
            let card = if is_told(row) { self.cards.remove(&row.seq) } else { None };
            section.push(ByDate { row: *row, card })?;
        }
        section.finish()?;
        let mut section = writer.section();
        self.rows.iter().try_for_each(|row| section.push(BySeq(*row)))?;
        section.finish()?;
        let mut section = writer.section();
        self.replaced.iter().try_for_each(|replaced| section.push(*replaced))?;
        section.finish()?;
        let pieces = self.count(piece, &mut writer)?;
        let mut terms: Vec<Term> = self.terms.into_iter().map(|(key, seqs)| Term { key, seqs }).collect();
        terms.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        let mut section = writer.section();
        terms.into_iter().try_for_each(|term| section.push(term))?;
        section.finish()?;
        writer.finish((first, last), &self.timelines, &pieces)?;
        Ok(())
    }

    /// Gives the timelines numbers in the order of their names.
    fn sort_timelines(&mut self) {
        let mut order: Vec<(String, usize)> = self.timelines.drain(..).zip(0..).collect();
        order.sort_unstable();
        let mut numbers = vec![0; order.len()];
        for ((_, old), new) in order.iter().zip(0..) {
            numbers[*old] = new;
        }
        self.timelines = order.into_iter().map(|(name, _)| name).collect();
        self.rows.iter_mut().for_each(|row| row.timeline = numbers[row.timeline as usize]);
        self.replaced.iter_mut().for_each(|item| item.timeline = numbers[item.timeline as usize]);
    }

    /// Writes the counts; gives where the pieces end.
    fn count(&self, piece: usize, writer: &mut Writer) -> Result<Vec<Seq>, Trouble> {
        let mut whole = Counts::default();
        let mut pieces = Vec::new();
        let mut replaced = self.replaced.iter().peekable();
        for rows in self.rows.chunks(piece) {
            let mut counts = Counts::default();
            for row in rows {
                counts.record(row);
            }
            let last = rows.last().map_or(0, |row| row.seq);
            while let Some(replaced) = replaced.next_if(|replaced| replaced.by <= last) {
                counts.replaced(replaced);
            }
            whole.add_all(counts.0.iter().map(|(key, net)| (*key, *net)));
            pieces.push((Seq(last), counts));
        }
        let mut section = writer.section::<Count>();
        let mut summing = Summing::default();
        let scopes = std::iter::once(&whole).chain(pieces.iter().map(|(_, counts)| counts));
        for (scope, counts) in (WHOLE..).zip(scopes) {
            for ((kind, timeline, at), net) in &counts.0 {
                summing
                    .next((scope, *kind, *timeline, *at), *net)
                    .map_or(Ok(()), |count| section.push(count))?;
            }
        }
        section.finish()?;
        Ok(pieces.into_iter().map(|(last, _)| last).collect())
    }
}

fn number(numbers: &mut HashMap<String, u32>, names: &mut Vec<String>, name: String) -> u32 {
    if let Some(number) = numbers.get(&name) {
        return *number;
    }
    let number = u32::try_from(names.len()).unwrap_or(u32::MAX);
    names.push(name.clone());
    numbers.insert(name, number);
    number
}

impl Part {
    fn read<L: Log + ?Sized>(log: &L, first: Seq, last: Seq, begun: Seq) -> Result<Self> {
        let mut part = Self::default();
        scan::each_raw(log, first, last, |raw| {
            part.redactions.extend(is_redaction(raw).then_some(raw.seq));
            part.redacts |= raw.head.op == op_number(Op::Redact) && raw.seq > begun;
            part.record(raw).map_err(|what| Damage::of(raw.seq, raw.seq, what).into())
        })?;
        Ok(part)
    }

    fn record(&mut self, raw: &RawRecord<'_>) -> Result<(), String> {
        let (head, seq) = (&raw.head, raw.seq.0);
        if head.schema != v1::SCHEMA {
            return Err(format!("has the unknown schema version {}", head.schema));
        }
        let op = op_of(head.op).ok_or_else(|| format!("has the unknown operation {}", head.op))?;
        let timeline = match self.numbers.get(head.timeline) {
            Some(number) => *number,
            None => number(&mut self.numbers, &mut self.timelines, head.timeline.to_owned()),
        };
        let mut row = Row { timeline, seq, place: seq, dates: None };
        if matches!(op, Op::Append | Op::Revise) && matches!(head.seal, Seal::Salt(_)) {
            let (text, _) = v1::glance(raw.claims)?;
            let dates = self.dates(text)?;
            row.dates = Some(dates);
            let labels = v1::labels(raw.details)?;
            if is_told(&row) {
                let id = EventId::new(head.id).map_err(|e| e.to_string())?;
                let date = text.map(Date::parse).transpose().map_err(|e| e.to_string())?;
                self.cards.push((seq, Card { id, date, title: labels.title.to_owned() }));
            }
            terms::of(head.timeline, &labels, |key| match self.terms.get_mut(key) {
                // An event may have the same tag twice, or two spellings of it.
                Some(seqs) if seqs.last() == Some(&seq) => {}
                Some(seqs) => seqs.push(seq),
                None => drop(self.terms.insert(key.to_vec(), vec![seq])),
            });
        }
        self.seen.push((row, head.previous));
        Ok(())
    }

    fn dates(&mut self, text: Option<&str>) -> Result<Dates, String> {
        let Some(text) = text else { return Ok(Dates::of(None)) };
        if let Some(span) = Date::plain_span(text) {
            return Ok(Dates::plain(span));
        }
        if let Some(dates) = self.dates.get(text) {
            return Ok(*dates);
        }
        let dates = Dates::of(Some(&Date::parse(text).map_err(|e| e.to_string())?));
        if self.dates.len() >= DATES {
            self.dates.clear();
        }
        self.dates.insert(text.into(), dates);
        Ok(dates)
    }
}
