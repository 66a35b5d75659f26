//! The index while a process uses it: its runs, what the log holds behind them, and what was asked before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use annals_model::answers::Answer;
use annals_model::{Op, Question, Seq};

use super::columns::Days;
use super::entry::{self, Places, Superseded};
use super::fact::{Dates, Facts};
use super::ids::Id;
use super::manifest::Manifest;
use super::rows::{OPEN, Picked, Row, Rows};
use super::run::{Cursor, IdReader, Run, Unusable, broken};
use super::sheet::Sheet;
use super::words::{Counts, Words};
use super::write::Writer;
use super::{ClaimIndex, Sizes, Trouble};
use crate::codec::frame::RawRecord;
use crate::codec::leaf::op_number;
use crate::codec::v1::Seal;
use crate::log::Log;
use crate::merkle::BLOCK;
use crate::{Error, scan};

/// Links between records are followed, and not looked for in the log, where they are fewer than so many times the records
/// that are to be read.
const LOOK: u64 = 100;

/// The claims on attributes, by their keys.
type Sheets = BTreeMap<Vec<u8>, Sheet>;

/// The index, while a process uses it.
#[derive(Debug, Default)]
pub struct Open {
    pub(super) manifest: Manifest,
    pub(super) runs: Vec<Run>,
    pub(super) recent: Recent,
    /// What was asked before, up to the last run.
    kept: HashMap<Vec<u8>, Sheets>,
    kept_claims: usize,
}

/// What the log holds behind the last run.
#[derive(Debug, Default)]
pub struct Recent {
    /// The last record that was read.
    end: Seq,
    pub(super) claims: BTreeMap<Vec<u8>, Rows>,
    /// The ids of its records, in order.
    ids: Vec<(Seq, Id)>,
    /// By the record that no longer counts, the one that took its place.
    pub(super) superseded: HashMap<Seq, Seq>,
    /// How many of its records are redactions, or were redacted.
    redactions: u64,
}

impl Recent {
    /// Whether a row that counts at K by what the runs know does so by what came later, too.
    pub fn counts(&self, row: &Row, known_at: Seq) -> bool {
        // Most logs that are asked again and again have nothing behind the last run.
        self.superseded.is_empty() || self.superseded.get(&row.seq).is_none_or(|by| known_at < *by)
    }
}

impl Open {
    /// An index with these runs.
    pub fn new(manifest: Manifest, runs: Vec<Run>) -> Self {
        Self { manifest, runs, ..Self::default() }
    }

    /// How many of the log's records are redactions, or were redacted.
    pub const fn redactions(&self) -> u64 {
        self.manifest.redactions + self.recent.redactions
    }

    /// Takes in what the log holds behind what is known.
    pub fn catch_up<L: Log + ?Sized>(&mut self, index: &ClaimIndex, log: &L) -> Result<(), Trouble> {
        self.make_runs(index, log)?;
        let end = log.head()?.seq();
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
            *redactions += u64::from(is_redaction(raw));
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
            superseded.extend(replaced.map(|replaced| (Seq(replaced.previous), Seq(replaced.by))));
            Ok(())
        })?;
        self.recent.end = end;
        if redacts { Err(Trouble::redacted()) } else { Ok(()) }
    }

    /// Makes runs of what the log holds behind the last one, as far as it is enough for them.
    pub fn make_runs<L: Log + ?Sized>(&mut self, index: &ClaimIndex, log: &L) -> Result<(), Trouble> {
        let whole = log.head()?.seq().0 / BLOCK * BLOCK;
        let mut places = None;
        while whole.saturating_sub(self.manifest.covered().0) >= index.sizes.enough {
            let first = self.manifest.covered().next();
            let superseded = || self.runs.iter().flat_map(Run::all_superseded);
            if places.is_none() && (superseded().count() as u64) < (whole - first.0).saturating_mul(LOOK) {
                places = Some(Places::of(superseded().copied()));
            }
            let last = Seq(whole.min(first.0 - 1 + index.sizes.at_once));
            self.grow(index, log, (first, last), &mut places)?;
        }
        Ok(())
    }

    /// Makes a run of the next records, and merges neighbours of one size.
    fn grow<L: Log + ?Sized>(
        &mut self,
        index: &ClaimIndex,
        log: &L,
        (first, last): (Seq, Seq),
        places: &mut Option<Places>,
    ) -> Result<(), Trouble> {
        let dir = &index.dir;
        fs::create_dir_all(dir)?;
        let mut facts: HashMap<Vec<u8>, Facts> = HashMap::new();
        let (mut superseded, mut counts, mut days) = (Vec::new(), Counts::default(), Days::default());
        let begun = self.manifest.begun;
        let number = self.manifest.next();
        let path = Manifest::path(dir, number);
        let mut writer = Writer::create(&path, (first, last))?;
        let mut named = Seq(0);
        let (mut redacts, mut redactions) = (false, 0);
        scan::each_without_details(log, first, last, |raw| {
            redactions += u64::from(is_redaction(raw));
            redacts |= raw.head.op == op_number(Op::Redact) && raw.seq > begun;
            let place = |timeline: &_, id: &_| match &places {
                Some(places) => Ok(Some(places.behind(raw.head.previous))),
                None => entry::place_of(log, timeline, id),
            };
            let replaced = entry::read(raw, place, |key, fact, id| {
                fact.count(&mut counts);
                days.learn(fact);
                facts.entry(key).or_default().push(fact);
                if std::mem::replace(&mut named, fact.seq) < fact.seq {
                    let failed = |error| Error::io("cannot write the index", error);
                    writer.push_id(fact.seq, Id::of(id)).map_err(failed)?;
                }
                Ok(())
            })?;
            if let (Some(places), Some(replaced)) = (places.as_mut(), replaced) {
                places.learn(replaced);
            }
            superseded.extend(replaced);
            Ok(())
        })?;
        if redacts {
            return Err(Trouble::redacted());
        }
        self.manifest.redactions += redactions;
        superseded.sort_unstable();
        let mut facts: Vec<(Vec<u8>, Facts)> = facts.into_iter().collect();
        facts.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        writer.close()?;
        writer.set(counts.words(), days);
        for (key, facts) in &facts {
            writer.push(key, facts.read())?;
        }
        writer.finish(&superseded)?;
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
        (self.kept, self.kept_claims, self.recent) = Default::default();
        Ok(())
    }

    /// Merges the last runs while enough of them have one size; gives the numbers of those that are gone.
    fn merge(&mut self, dir: &Path, Sizes { enough, fan, .. }: Sizes) -> Result<Vec<u64>, Trouble> {
        let mut gone = Vec::new();
        while let Some(from) = self.manifest.alike(enough, fan) {
            let (number, last) = (self.manifest.next(), self.manifest.covered());
            let path = Manifest::path(dir, number);
            write_merged(&self.runs[from..], &path)?;
            self.runs.truncate(from);
            self.runs.push(Run::open(&path)?);
            gone.extend(self.manifest.runs.drain(from..).map(|(number, _)| number));
            self.manifest.runs.push((number, last));
        }
        Ok(gone)
    }

    /// Keeps the claims on an attribute, or on all that begin so, in memory.
    pub fn keep(&mut self, key: &[u8], exact: bool, most: usize) -> Result<(), Trouble> {
        if self.kept.contains_key(key) {
            return Ok(());
        }
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
    pub fn answer(&self, known: &Known<'_>, question: &Question, known_at: Seq) -> Option<Answer> {
        let (entity, attribute) = entry::names(known.key)?;
        let older = known.sheet.map(|sheet| sheet.rows().uses()).unwrap_or_default();
        let newer = known.recent.map(Rows::uses).unwrap_or_default();
        let mut picked = Picked::new(question, older.and(newer));
        let counts = |row: &Row| self.recent.counts(row, known_at);
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

/// Writes neighbouring runs as one.
fn write_merged(runs: &[Run], path: &Path) -> Result<(), Trouble> {
    let (first, last) =
        (runs.first().map_or(Seq(1), |run| run.first), runs.last().map_or(Seq(0), |run| run.last));
    let mut writer = Writer::create(path, (first, last))?;
    for run in runs {
        writer.copy_ids(run)?;
    }
    let days = runs.iter().map(|run| run.days).fold(Days::default(), Days::and);
    writer.set(Words::together(runs.iter().map(|run| &run.words)), days);
    let mut sources: Vec<Cursor<'_>> =
        runs.iter().map(|run| Cursor::at(run, &[])).collect::<Result<_, _>>()?;
    while let Some(key) = sources.iter().filter_map(Cursor::key).min().map(<[u8]>::to_vec) {
        for source in &mut sources {
            while source.key().is_some_and(|own| *own == key) {
                writer.push(&key, source.facts()?.facts())?;
                source.advance()?;
            }
        }
    }
    let mut superseded: Vec<Superseded> = runs.iter().flat_map(Run::all_superseded).copied().collect();
    superseded.sort_unstable();
    writer.finish(&superseded)?;
    Ok(())
}
