//! What is done in a process of its own: one thing for its memory, and the peers of the commands.

use std::io::{BufWriter, Write as _};
use std::path::Path;

use crate::answers::{Question, Range, TIMELINE};
use crate::args::{MemoryTask, PeerTask};
use crate::engine::Engine;
use crate::peer::{self, Reader, Writer};
use crate::{Outcome, machine, report};

/// The date that whole states are asked for, where one is enough.
pub const AS_OF: &str = "2010-06-30";
/// Two days in a row, between which comparisons are asked for.
pub const DAYS: [&str; 2] = ["2010-05-01", "2010-05-02"];

/// The kind of events that is asked for by itself, of eight.
pub const KIND: &str = "attack";

/// Does one thing and prints the largest memory that the process had, in bytes.
pub fn memory(task: MemoryTask, path: &Path, file: Option<&Path>, chunk: usize) -> Outcome<()> {
    let file = file.unwrap_or(path);
    match task {
        MemoryTask::ImportAnnals => {
            let engine = Engine::create(path)?;
            engine.import(file, chunk)?;
            engine.index()?;
        }
        MemoryTask::BatchAnnals => drop(Engine::create(path)?.import(file, usize::MAX)?),
        MemoryTask::ImportSqlite => drop(unmapped(path)?.import(file, chunk)?),
        MemoryTask::BatchSqlite => drop(unmapped(path)?.import(file, usize::MAX)?),
        MemoryTask::StateAnnals => {
            let engine = Engine::open(path)?;
            let known_at = engine.records()?;
            drop(engine.snapshot(&question(AS_OF, known_at))?);
        }
        MemoryTask::StateSqlite => {
            let reader = Reader::open_unmapped(path)?;
            let known_at = reader.records()?;
            drop(reader.state(&question(AS_OF, known_at))?);
        }
        MemoryTask::ListAnnals => drop(Engine::open(path)?.list(&month())?),
        MemoryTask::DiffAnnals => {
            let engine = Engine::open(path)?;
            let known_at = engine.records()?;
            let [from, to] = DAYS.map(|day| question(day, known_at));
            drop(engine.diff(&from, &to)?);
        }
        MemoryTask::KindAnnals => {
            let engine = Engine::open(path)?;
            let known_at = engine.records()?;
            drop(engine.of_kind(&question(AS_OF, known_at), KIND)?);
        }
        MemoryTask::ListSqlite => drop(Reader::open_unmapped(path)?.list(&month())?),
    }
    report::result(&machine::peak_memory()?.to_string());
    Ok(())
}

/// The month that lists are asked for.
pub fn month() -> Range {
    Range { from: "1999-03-01".to_owned(), to: "1999-03-31".to_owned() }
}

fn unmapped(path: &Path) -> Outcome<Writer> {
    let connection = peer::create(path)?;
    peer::unmap(&connection)?;
    Writer::new(connection)
}

fn question(as_of: &str, known_at: u64) -> Question {
    Question { timeline: TIMELINE.to_owned(), as_of: as_of.to_owned(), known_at }
}

/// Does with SQLite what a command of Annals does, from the start of a process to its printed answer.
pub fn peer(task: PeerTask, path: &Path, words: &[String]) -> Outcome<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    match (task, words) {
        (PeerTask::Replay, [entity @ .., as_of]) => {
            let reader = Reader::open(path)?;
            let question = question(as_of, reader.records()?);
            let state = match entity {
                [] => reader.state(&question)?,
                [entity, ..] => reader.some(&question, Some(entity))?,
            };
            for ((entity, attribute), value) in state {
                writeln!(out, "{entity}\t{attribute}\t{value}")?;
            }
        }
        (PeerTask::List, [from, to]) => {
            let range = Range { from: from.clone(), to: to.clone() };
            for line in Reader::open(path)?.list(&range)? {
                writeln!(out, "{line}")?;
            }
        }
        (PeerTask::Append, [line]) => {
            let mut writer = Writer::new(peer::open(path)?)?;
            writer.write(std::slice::from_ref(line))?;
            writeln!(out, "appended as record {}", writer.records()?)?;
        }
        _ => return Err("the peer was called with other words than it knows".into()),
    }
    Ok(out.flush()?)
}
