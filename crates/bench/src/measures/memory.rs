//! The largest memory of a process that does one thing, each in a process of its own.

use std::path::Path;
use std::process::Command;

use clap::ValueEnum as _;

use super::Measure;
use crate::args::MemoryTask;
use crate::context::Context;
use crate::quantity::{Mark, Quantity, Row};
use crate::{Failure, Outcome};

pub const MEASURE: Measure = Measure { name: "memory", run };

const LIMIT: u64 = 300_000_000;

fn run(context: &Context) -> Outcome<Vec<Row>> {
    let mut rows = Vec::new();
    let pairs = [
        ("import in chunks, with both indexes", MemoryTask::ImportAnnals, Some(MemoryTask::ImportSqlite)),
        ("import as one batch", MemoryTask::BatchAnnals, Some(MemoryTask::BatchSqlite)),
        ("whole state", MemoryTask::StateAnnals, Some(MemoryTask::StateSqlite)),
        ("whole state of one kind of events", MemoryTask::KindAnnals, None),
        ("diff of two days in a row", MemoryTask::DiffAnnals, None),
        ("list of a month", MemoryTask::ListAnnals, Some(MemoryTask::ListSqlite)),
    ];
    for (name, ours, theirs) in pairs {
        // A large database is filled once.
        let theirs = theirs.filter(|theirs| !(context.is_large() && theirs.imports()));
        let peer = theirs.map(|theirs| peak(context, theirs, context.sqlite()?)).transpose()?;
        let row = Row::new(format!("memory: {name}"), peak(context, ours, context.annals()?)?, peer);
        rows.push(row.reach(Mark::Within(Quantity::bytes(LIMIT))));
    }
    Ok(rows)
}

/// What a process needs for a task: on what is there already, or to import the file anew.
fn peak(context: &Context, task: MemoryTask, existing: &Path) -> Outcome<Quantity> {
    let name = task.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--chunk", &context.chunk.to_string(), "memory", &name]);
    if task.imports() {
        command.arg(context.scratch("memory")?).arg(context.file()?);
    } else {
        command.arg(existing);
    }
    let output = command.output()?;
    context.scratch("memory")?;
    if !output.status.success() {
        return Err(Failure::from(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(Quantity::bytes(String::from_utf8_lossy(&output.stdout).trim().parse()?))
}
