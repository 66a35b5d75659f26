//! The index while a process uses it: its runs, what the log holds behind them, and what was asked before.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use annals_model::answers::Answer;
use annals_model::{Op, Question, Seq};

use super::entry;
use super::fact::Dates;
use super::ids::Id;
use super::manifest::Manifest;
use super::recent::Recent;
use super::rows::{OPEN, Picked, Row, Rows};
use super::run::{IdReader, Run, Unusable, broken};
use super::sheet::Sheet;
use super::{ClaimIndex, Counting, Trouble};
use crate::codec::frame::RawRecord;
use crate::codec::leaf::op_number;
use crate::codec::v1::Seal;
use crate::log::Log;
use crate::{Error, scan};

/// The claims on attributes, by their keys.
type Sheets = BTreeMap<Vec<u8>, Sheet>;

/// The index, while a process uses it.
#[derive(Debug, Default)]
pub struct Open {
    pub(super) manifest: Manifest,
    pub(super) runs: Vec<Run>,
    pub(super) recent: Recent,
    /// What was asked before, up to the last run.
    pub(super) kept: HashMap<Vec<u8>, Sheets>,
    pub(super) kept_claims: usize,
}

impl Open {
    /// An index with these runs.
    pub fn new(manifest: Manifest, runs: Vec<Run>) -> Self {
        Self { manifest, runs, ..Self::default() }
    }

    /// The log's records that are redactions, or were redacted, in order.
    pub fn redactions(&self) -> impl Iterator<Item = Seq> {
        self.manifest.redactions.iter().chain(&self.recent.redactions).copied()
    }

    /// Takes in what the log holds behind what is known.
    pub fn catch_up<L: Log + ?Sized>(&mut self, index: &ClaimIndex, log: &L) -> Result<(), Trouble> {
        let end = log.head()?.seq();
        self.make_runs(index, log, end)?;
        let covered = self.manifest.covered();
        self.recent.end = self.recent.end.max(covered);
        let from = self.recent.end.next();
        if from > end {
            return Ok(());
        }
        let Recent { claims, superseded, redactions, ids, .. } = &mut self.recent;
        let begun = self.manifest.begun;
        let (mut redacts, mut dates) = (false, Dates::default());
        scan::each_without_details(log, from, end, |raw| {
            redactions.extend(is_redaction(raw).then_some(raw.seq));
            redacts |= raw.head.op == op_number(Op::Redact) && raw.seq > begun;
            let place = |timeline: &_, id: &_| entry::place_of(log, timeline, id);
            let replaced = entry::read(raw, place, |key, fact, id| {
                let rows = claims.entry(key).or_default();
                rows.take(fact, OPEN, &mut dates, |_| true)
                    .ok_or_else(|| Error::unavailable("cannot index a record", "report this"))?;
                for ids in [&mut rows.ids, &mut *ids] {
                    if ids.last().is_none_or(|(seq, _)| *seq < fact.seq) {
                        ids.push((fact.seq, Id::of(id)));
                    }
                }
                Ok(())
            })?;
            if let Some(replaced) = replaced {
                superseded.learn(replaced);
            }
            Ok(())
        })?;
        self.recent.end = end;
        if redacts { Err(Trouble::redacted()) } else { Ok(()) }
    }

    /// Keeps the claims on an attribute, or on all that begin so, in memory.
    pub fn keep(&mut self, key: &[u8], exact: bool, most: usize) -> Result<(), Trouble> {
        if self.kept.contains_key(key) {
            return Ok(());
        }
        let mut found = self.read(key, exact)?;
        self.name(&mut found)?;
        let sheets: Sheets = found.into_iter().map(|(key, rows)| (key, Sheet::new(rows))).collect();
        let count: usize = sheets.values().map(Sheet::len).sum();
        if self.kept_claims + count > most {
            (self.kept, self.kept_claims) = Default::default();
        }
        self.kept_claims += count;
        self.kept.insert(key.to_vec(), sheets);
        Ok(())
    }

    /// Reads the claims that the runs have on an attribute, or on all that begin so, without the ids of their events.
    pub fn read(&self, key: &[u8], exact: bool) -> Result<BTreeMap<Vec<u8>, Rows>, Unusable> {
        let mut found: BTreeMap<Vec<u8>, Rows> = BTreeMap::new();
        let mut dates = Dates::default();
        for (index, run) in self.runs.iter().enumerate() {
            let superseded = |seq: Seq| self.runs[index..].iter().find_map(|run| run.superseded(seq));
            run.find(key, |found_key, facts| {
                if exact && found_key != key {
                    return Some(());
                }
                if !found.contains_key(found_key) {
                    found.insert(found_key.to_vec(), Rows::default());
                }
                let rows = found.get_mut(found_key)?;
                for fact in facts.facts() {
                    let fact = fact?;
                    rows.take(&fact, superseded(fact.seq).unwrap_or(OPEN), &mut dates, |_| true)?;
                }
                Some(())
            })?;
        }
        Ok(found)
    }

    /// Reads the ids of events.
    fn name(&self, found: &mut BTreeMap<Vec<u8>, Rows>) -> Result<(), Trouble> {
        let mut seqs: Vec<Seq> = found.values().flat_map(|rows| &rows.all).map(|row| row.seq).collect();
        seqs.sort_unstable();
        seqs.dedup();
        let ids = self.ids(&seqs)?;
        for rows in found.values_mut() {
            let mut seqs_here: Vec<Seq> = rows.all.iter().map(|row| row.seq).collect();
            seqs_here.sort_unstable();
            seqs_here.dedup();
            let id = |seq: Seq| Some((seq, ids.get(seqs.binary_search(&seq).ok()?)?.clone()));
            rows.ids = seqs_here.into_iter().filter_map(id).collect();
        }
        Ok(())
    }

    /// The ids of some records, which come in order.
    pub fn ids(&self, seqs: &[Seq]) -> Result<Vec<Id>, Unusable> {
        let (mut reader, covered) = (IdReader::new(&self.runs), self.manifest.covered());
        let id = |seq: &Seq| {
            if *seq <= covered {
                return reader.id(*seq);
            }
            let ids = &self.recent.ids;
            let index = ids.binary_search_by_key(seq, |(seq, _)| *seq).map_err(|_| broken())?;
            Ok(ids[index].1.clone())
        };
        seqs.iter().map(id).collect()
    }

    /// The keys of an attribute, or of all that begin so, each with the claims that the runs have and those behind.
    pub fn sheets<'a>(&'a self, key: &'a [u8], exact: bool) -> impl Iterator<Item = Known<'a>> {
        let is_asked = move |found: &[u8]| if exact { found == key } else { found.starts_with(key) };
        let recent = self.recent.claims.range(key.to_vec()..);
        let recent = recent.take_while(|(found, _)| found.starts_with(key)).map(|(key, _)| key);
        let older = self.kept.get(key).into_iter().flat_map(BTreeMap::keys);
        let keys: BTreeSet<&[u8]> =
            recent.chain(older).map(Vec::as_slice).filter(|found| is_asked(found)).collect();
        keys.into_iter().map(move |found| Known {
            key: found,
            sheet: self.kept.get(key).and_then(|sheets| sheets.get(found)),
            recent: self.recent.claims.get(found),
        })
    }

    /// One attribute, of which the claims are kept.
    pub fn known<'a>(&'a self, key: &'a [u8]) -> Known<'a> {
        let sheet = self.kept.get(key).and_then(|sheets| sheets.get(key));
        Known { key, sheet, recent: self.recent.claims.get(key) }
    }

    /// What the claims on one attribute come to; nothing where a text cannot be read.
    pub fn answer(&self, known: &Known<'_>, question: &Question, counting: Counting<'_>) -> Option<Answer> {
        let Counting { known_at, admitted } = counting;
        let (entity, attribute) = entry::names(known.key)?;
        let older = known.sheet.map(|sheet| sheet.rows().uses()).unwrap_or_default();
        let newer = known.recent.map(Rows::uses).unwrap_or_default();
        let mut picked = Picked::new(question, older.and(newer));
        let counts = |row: &Row| {
            self.recent.counts(row, known_at) && admitted.is_none_or(|admitted| admitted.has(row.seq.0))
        };
        if let Some(rows) = known.recent {
            for row in rows.all.iter().filter(|row| row.counts(known_at) && counts(row)) {
                picked.take(rows, row);
            }
            if let Some(sheet) = known.sheet {
                picked.renumber(rows, sheet.rows());
            }
        }
        if let Some(sheet) = known.sheet {
            sheet.pick(question, known_at, &mut picked, counts);
        }
        picked.answer(entity, attribute)
    }
}

/// An attribute's claims.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Its key.
    pub key: &'a [u8],
    sheet: Option<&'a Sheet>,
    recent: Option<&'a Rows>,
}

impl Known<'_> {
    /// All claims, whether they count or not, each with the record from which on it does not as far as the runs know.
    pub fn rows(&self) -> impl Iterator<Item = (&Rows, &Row)> {
        let parts = self.sheet.map(Sheet::rows).into_iter().chain(self.recent);
        parts.flat_map(|rows| rows.all.iter().map(move |row| (rows, row)))
    }
}

pub fn is_redaction(raw: &RawRecord<'_>) -> bool {
    raw.head.op == op_number(Op::Redact) || matches!(raw.head.seal, Seal::Commitment(_))
}
