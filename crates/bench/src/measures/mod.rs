//! The measures, one file each: a name, what it sets up, the Annals side and the peer's side.
//!
//! A measure first asks both sides the same and refuses to go on if they differ ([`same`]); only then it times.

mod append;
mod command;
mod diff;
mod history;
mod import;
mod list;
mod memory;
mod open;
mod phases;
mod point;
mod replay;
mod state;
mod traps;

use std::fmt::Debug;
use std::path::Path;

use crate::answers::{Question, TIMELINE};
use crate::args::Args;
use crate::context::Context;
use crate::quantity::Row;
use crate::report::{self, Table};
use crate::{Failure, Outcome};

/// One measure.
struct Measure {
    /// What `--only` calls it.
    name: &'static str,
    /// Sets up, holds the answers against each other, and times.
    run: fn(&Context) -> Outcome<Vec<Row>>,
}

/// All measures. The import comes first: what it makes is what most others ask.
const ALL: &[Measure] = &[
    import::MEASURE,
    append::MEASURE,
    open::MEASURE,
    replay::MEASURE,
    point::MEASURE,
    state::MEASURE,
    diff::MEASURE,
    list::MEASURE,
    history::MEASURE,
    traps::BACK_FILL,
    traps::CORRECTIONS,
    traps::ONE_DAY,
    traps::WIDE,
    traps::TIMELINES,
    command::MEASURE,
    memory::MEASURE,
    phases::MEASURE,
];

/// Runs the measures that were asked for at every size, prints their tables, and writes the report.
pub fn run(args: &Args) -> Outcome<()> {
    let mut tables = Vec::new();
    for events in &args.events {
        let context = Context::new(args, *events)?;
        let mut table = Table { events: *events, trap: context.trap, rows: Vec::new() };
        for measure in ALL.iter().filter(|measure| wanted(args, measure.name)) {
            report::remark(&format!("{events} events: {}", measure.name));
            table.rows.extend((measure.run)(&context)?);
        }
        report::result(&report::table(&table));
        tables.push(table);
    }
    if let Some(path) = &args.write {
        write(args, path, &tables)?;
    }
    Ok(())
}

fn wanted(args: &Args, name: &str) -> bool {
    args.only.is_empty() || args.only.iter().any(|only| name.starts_with(only.as_str()))
}

#[expect(clippy::disallowed_methods, reason = "the report carries its date")]
fn write(args: &Args, path: &Path, tables: &[Table]) -> Outcome<()> {
    let today = chrono::Utc::now().format("%Y-%m-%d").to_string();
    Ok(std::fs::write(path, report::markdown(args, &today, tables))?)
}

/// Refuses to go on where the sides differ.
fn same<T: PartialEq + Debug>(what: &str, annals: &T, sqlite: &T) -> Outcome<()> {
    if annals == sqlite {
        return Ok(());
    }
    let shown = |side: &T| format!("{side:?}").chars().take(2_000).collect::<String>();
    Err(Failure::from(format!(
        "{what}: the answers differ\n  Annals: {}\n  SQLite: {}",
        shown(annals),
        shown(sqlite)
    )))
}

fn question(as_of: &str, known_at: u64) -> Question {
    Question { timeline: TIMELINE.to_owned(), as_of: as_of.to_owned(), known_at }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn annals_and_sqlite_answer_every_question_alike() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_str().unwrap();
        let words =
            ["bench", "--trap", "60", "--runs", "1", "--seconds", "0", "--chunk", "500", "--dir", path];
        let context = Context::new(&Args::parse_from(words), 1_500).unwrap();
        // The commands and the memory are measured on the built programs.
        for measure in ALL.iter().filter(|measure| !["command", "memory"].contains(&measure.name)) {
            let rows = (measure.run)(&context).unwrap();
            assert!(!rows.is_empty(), "{}", measure.name);
        }
    }

    #[test]
    fn a_difference_is_told() {
        assert!(same("count", &1, &1).is_ok());
        let told = same("count", &1, &2).unwrap_err().to_string();
        assert_eq!(told, "count: the answers differ\n  Annals: 1\n  SQLite: 2");
    }
}
