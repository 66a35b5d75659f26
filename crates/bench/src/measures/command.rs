//! The commands of the built program, from the start of the process to its end, output thrown away: nothing is kept
//! from one to the next but what the system keeps of files. The peer is a process, too, that opens the database, asks
//! and prints.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Measure;
use crate::child::AS_OF;
use crate::context::Context;
use crate::quantity::{Mark, Quantity, Row};
use crate::{Failure, Outcome, machine, report, timing, workload};

pub const MEASURE: Measure = Measure { name: "command", run };

fn run(context: &Context) -> Outcome<Vec<Row>> {
    let bench = std::env::current_exe()?;
    let annals = bench.with_file_name("annals");
    if !annals.exists() {
        report::remark("the commands are left out: build them with `cargo build --release`");
        return Ok(Vec::new());
    }
    let programs = Programs { annals, bench };
    let (store, database) = (context.scratch("command-annals")?, context.scratch("command-sqlite")?);
    machine::copy(context.annals()?, &store)?;
    machine::copy(context.sqlite()?, &database)?;
    let entity = workload::entity(4711);
    let asked = [
        Asked {
            name: "replay ENTITY --as-of",
            ours: vec!["replay", &entity, "--as-of", AS_OF],
            theirs: vec!["replay", &entity, AS_OF],
            within: None,
        },
        Asked {
            name: "replay --as-of",
            ours: vec!["replay", "--as-of", AS_OF],
            theirs: vec!["replay", AS_OF],
            within: Some(0.15),
        },
        Asked {
            name: "list of a month, --from --to",
            ours: MONTH.to_vec(),
            theirs: vec!["list", "1999-03-01", "1999-03-31"],
            within: None,
        },
        Asked {
            name: "append",
            ours: vec!["append", "--date", "2004", "--title", "A"],
            theirs: vec!["append", LINE],
            within: None,
        },
    ];
    let mut number = context.events;
    let mut rows = Vec::new();
    for Asked { name, ours, theirs, within } in asked {
        let (annals, sqlite) = timing::pair(
            context,
            || quiet(Command::new(&programs.annals).arg("--store").arg(&store).args(&ours)),
            || {
                let line = next_append(&mut number);
                let words = theirs.iter().map(|word| if *word == LINE { line.as_str() } else { word });
                let mut words = words.collect::<Vec<_>>();
                let task = words.remove(0);
                quiet(Command::new(&programs.bench).arg("peer").arg(task).arg(&database).args(words))
            },
        )?;
        let time = |time| Quantity::each(1, time);
        let row = Row::new(format!("command: {name}"), time(annals), Some(time(sqlite)));
        rows.push(match within {
            Some(seconds) => row.reach(Mark::Within(Quantity::seconds(seconds))),
            None => row,
        });
        if ours == MONTH {
            let first = timing::alone(context, || first_row(&programs.annals, &store))?;
            rows.push(Row::new("command: the same, read up to its first row", time(first), None));
        }
    }
    for name in ["command-annals", "command-sqlite"] {
        context.scratch(name)?;
    }
    Ok(rows)
}

/// The list of a month.
const MONTH: [&str; 5] = ["list", "--from", "1999-03-01", "--to", "1999-03-31"];

/// Stands for the next line of the workload.
const LINE: &str = "LINE";

/// A command and its peer.
struct Asked<'a> {
    name: &'static str,
    ours: Vec<&'a str>,
    theirs: Vec<&'a str>,
    /// Seconds that it may take.
    within: Option<f64>,
}

/// The programs that are run.
struct Programs {
    annals: PathBuf,
    bench: PathBuf,
}

/// The next line of the endless workload that appends an event.
fn next_append(number: &mut u64) -> String {
    loop {
        let line = workload::line(*number);
        *number += 1;
        if !line.starts_with(r#"{"op""#) {
            return line;
        }
    }
}

/// Lists a month until a row below the headings was read, and the reader stops.
fn first_row(annals: &Path, store: &Path) -> Outcome<()> {
    let mut command = Command::new(annals);
    command.arg("--store").arg(store).args(MONTH);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let rows = child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines);
    let read = rows.take(2).filter_map(Result::ok).count();
    if read == 2 && child.wait()?.success() { Ok(()) } else { Err("the list has no row".into()) }
}

/// Runs a program and throws its results away; its remarks are told where it fails.
fn quiet(command: &mut Command) -> Outcome<()> {
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let program = Path::new(command.get_program()).display().to_string();
    Err(Failure::from(format!("{program} failed: {}", String::from_utf8_lossy(&output.stderr).trim())))
}
