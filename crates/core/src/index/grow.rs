//! How the index grows: runs are made of what the log holds behind the last one, and merged with their neighbours.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use annals_model::{Op, Seq};

use super::columns::Days;
use super::entry::{self, Places, Superseded};
use super::fact::Facts;
use super::ids::Id;
use super::manifest::Manifest;
use super::open::{Open, is_redaction};
use super::run::{Cursor, Run};
use super::words::{Counts, Words};
use super::write::Writer;
use super::{ClaimIndex, Sizes, Trouble};
use crate::codec::leaf::op_number;
use crate::log::Log;
use crate::merkle::BLOCK;
use crate::{Error, scan};

/// Links between records are followed, and not looked for in the log, where they are fewer than so many times the records
/// that are to be read.
const LOOK: u64 = 100;

impl Open {
    /// Makes runs of what the log holds behind the last one, as far as it is enough for them, and merges neighbours of
    /// one size; where it is the greater part of the log, all of them.
    pub fn make_runs<L: Log + ?Sized>(
        &mut self,
        index: &ClaimIndex,
        log: &L,
        end: Seq,
    ) -> Result<(), Trouble> {
        let (whole, before) = (end.0 / BLOCK * BLOCK, self.manifest.covered().0);
        let mut places = None;
        while whole.saturating_sub(self.manifest.covered().0) >= index.sizes.enough {
            let first = self.manifest.covered().next();
            let superseded = || self.runs.iter().flat_map(Run::all_superseded);
            if places.is_none() && (superseded().count() as u64) < (whole - first.0).saturating_mul(LOOK) {
                places = Some(Places::of(superseded().copied()));
            }
            let last = Seq(whole.min(first.0 - 1 + index.sizes.at_once));
            self.add_run(index, log, (first, last), &mut places)?;
        }
        let covered = self.manifest.covered().0;
        if covered - before > covered / 2 {
            self.unite(index)?;
        } else if covered > before {
            let Sizes { enough, fan, .. } = index.sizes;
            while let Some(from) = self.manifest.alike(enough, fan) {
                self.merge(index, from)?;
            }
        }
        Ok(())
    }

    /// Makes one run of all.
    pub fn unite(&mut self, index: &ClaimIndex) -> Result<(), Trouble> {
        if self.runs.len() > 1 { self.merge(index, 0) } else { Ok(()) }
    }

    /// Makes a run of the next records.
    fn add_run<L: Log + ?Sized>(
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
        let mut writer = Writer::create(&path, (first, last), index.sizes.spacing)?;
        let mut named = Seq(0);
        let (mut redacts, mut redactions) = (false, Vec::new());
        scan::each_without_details(log, first, last, |raw| {
            redactions.extend(is_redaction(raw).then_some(raw.seq));
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
        self.manifest.redactions.extend(redactions);
        superseded.sort_unstable();
        let mut facts: Vec<(Vec<u8>, Facts)> = facts.into_iter().collect();
        facts.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        writer.close()?;
        writer.set(counts.words(), days, superseded.iter());
        for (key, facts) in &facts {
            writer.push(key, facts.read())?;
        }
        writer.finish(&superseded)?;
        self.runs.push(Run::open(&path)?);
        self.manifest.runs.push((number, last));
        self.manifest.root = log
            .block(last.0 / BLOCK - 1)?
            .ok_or_else(|| Error::from(crate::Damage::of(first, last, "their block root is missing")))?;
        self.manifest.write(dir)?;
        (self.kept, self.kept_claims, self.recent) = Default::default();
        Ok(())
    }

    /// Merges the last runs, from one of them on.
    fn merge(&mut self, index: &ClaimIndex, from: usize) -> Result<(), Trouble> {
        let dir = &index.dir;
        let (number, last) = (self.manifest.next(), self.manifest.covered());
        let path = Manifest::path(dir, number);
        write_merged(&self.runs[from..], &path, index.sizes.spacing)?;
        self.runs.truncate(from);
        self.runs.push(Run::open(&path)?);
        let gone: Vec<(u64, Seq)> = self.manifest.runs.drain(from..).collect();
        self.manifest.runs.push((number, last));
        self.manifest.write(dir)?;
        for (number, _) in gone {
            fs::remove_file(Manifest::path(dir, number))?;
        }
        Ok(())
    }
}

/// Writes neighbouring runs as one.
fn write_merged(runs: &[Run], path: &Path, spacing: usize) -> Result<(), Trouble> {
    let (first, last) =
        (runs.first().map_or(Seq(1), |run| run.first), runs.last().map_or(Seq(0), |run| run.last));
    let mut writer = Writer::create(path, (first, last), spacing)?;
    for run in runs {
        writer.copy_ids(run)?;
    }
    let days = runs.iter().map(|run| run.days).fold(Days::default(), Days::and);
    let superseded = || runs.iter().flat_map(Run::all_superseded);
    writer.set(Words::together(runs.iter().map(|run| &run.words)), days, superseded());
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
    let mut superseded: Vec<Superseded> = superseded().copied().collect();
    superseded.sort_unstable();
    writer.finish(&superseded)?;
    Ok(())
}
