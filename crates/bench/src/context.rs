//! What the measures of one size share: the workload's file, a store and a database with all of it, and room.

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::args::Args;
use crate::engine::Engine;
use crate::peer::{self, Writer};
use crate::{Outcome, report, timing, workload};

/// Lines of a workload from which on what takes a kilobyte of memory for each is not measured, and each import once.
const LARGE: u64 = 2_000_000;

/// One size of the workload.
pub struct Context {
    /// How many lines it has.
    pub events: u64,
    /// How large the traps are.
    pub trap: u64,
    /// How many lines an import commits at once.
    pub chunk: usize,
    /// How many times a side is measured.
    pub runs: usize,
    /// How long a measure may be repeated.
    pub budget: Duration,
    dir: PathBuf,
    annals: OnceCell<(PathBuf, AnnalsImport)>,
    sqlite: OnceCell<(PathBuf, Duration)>,
}

/// How long it took to fill a store.
#[derive(Clone, Copy, Debug, Default)]
pub struct AnnalsImport {
    /// From the file's text to durable records.
    pub records: Duration,
    /// To make both indexes.
    pub indexes: Duration,
}

impl Context {
    /// The context of a size, with a directory of its own.
    pub fn new(args: &Args, events: u64) -> Outcome<Self> {
        let dir = args.dir.join(events.to_string());
        fs::create_dir_all(&dir)?;
        Ok(Self {
            events,
            trap: args.trap.unwrap_or((events / 10).min(100_000)).max(10),
            chunk: args.chunk,
            runs: args.runs,
            budget: Duration::from_secs(args.seconds),
            dir,
            annals: OnceCell::new(),
            sqlite: OnceCell::new(),
        })
    }

    /// The workload's file.
    pub fn file(&self) -> Outcome<PathBuf> {
        let path = self.dir.join("events.jsonl");
        if !path.exists() {
            report::remark(&format!("writing {}", path.display()));
            let unfinished = self.dir.join("events.new");
            workload::write(&unfinished, self.events)?;
            fs::rename(&unfinished, &path)?;
        }
        Ok(path)
    }

    /// A store that the whole file has been imported into, with both indexes, as `annals import` leaves it.
    pub fn annals(&self) -> Outcome<&Path> {
        Ok(&self.filled_annals()?.0)
    }

    /// A database that the whole file has been imported into.
    pub fn sqlite(&self) -> Outcome<&Path> {
        Ok(&self.filled_sqlite()?.0)
    }

    /// How long the imports of these two took, the first ones of this run.
    pub fn first_imports(&self) -> Outcome<(AnnalsImport, Duration)> {
        Ok((self.filled_annals()?.1, self.filled_sqlite()?.1))
    }

    fn filled_annals(&self) -> Outcome<&(PathBuf, AnnalsImport)> {
        if let Some(filled) = self.annals.get() {
            return Ok(filled);
        }
        let file = self.file()?;
        report::remark("importing into Annals");
        let path = self.scratch("annals")?;
        let engine = Engine::create(&path)?;
        let (records, _) = timing::time(|| engine.import(&file, self.chunk))?;
        let (indexes, ()) = timing::time(|| engine.index())?;
        Ok(self.annals.get_or_init(|| (path, AnnalsImport { records, indexes })))
    }

    fn filled_sqlite(&self) -> Outcome<&(PathBuf, Duration)> {
        if let Some(filled) = self.sqlite.get() {
            return Ok(filled);
        }
        let file = self.file()?;
        report::remark("importing into SQLite");
        let path = self.scratch("sqlite")?;
        let mut writer = Writer::new(peer::create(&path)?)?;
        let (time, _) = timing::time(|| writer.import(&file, self.chunk))?;
        writer.checkpoint()?;
        Ok(self.sqlite.get_or_init(|| (path, time)))
    }

    /// Whether the workload is so large that what takes memory for each event is left out, and each import measured
    /// once.
    pub const fn is_large(&self) -> bool {
        self.events > LARGE
    }

    /// Room for a store or a database of this name: nothing is there.
    pub fn scratch(&self, name: &str) -> Outcome<PathBuf> {
        let path = self.dir.join(name);
        for leftover in
            [path.clone(), self.dir.join(format!("{name}-wal")), self.dir.join(format!("{name}-shm"))]
        {
            if leftover.is_dir() {
                fs::remove_dir_all(leftover)?;
            } else if leftover.exists() {
                fs::remove_file(leftover)?;
            }
        }
        Ok(path)
    }
}
