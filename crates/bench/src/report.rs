//! The report: what was measured on, the tables, and what was lost, as plainly as what was won.

use std::fmt::Write as _;

use crate::args::Args;
use crate::machine;
use crate::quantity::Row;

/// The rows of one size.
pub struct Table {
    /// How many lines the workload had.
    pub events: u64,
    /// How large its traps were.
    pub trap: u64,
    /// What was measured.
    pub rows: Vec<Row>,
}

const INTRODUCTION: &str = "\
# Benchmarks

Annals against SQLite, in one run of one program, on the questions that Annals is for. The workload is JSON Lines of
about 450 bytes an event with two effects each, on 20,000 entities and over 55 years; one line in twenty revises an
earlier event, one in a hundred retracts one. Before anything is timed, both sides' answers are held against each
other, and a difference ends the run. The sides take turns; what stands here are medians.

Annals has its log and two indexes that are derived from it: of claims, for the state of an attribute, an entity or a
timeline at any two times, and of dates, for lists, filters and counts. `annals import` makes them when all is recorded;
SQLite keeps its own up to date as it writes, so that both times of an import are told, with them and without. Sizes
include them. A compaction is `annals compact` on one side and `VACUUM` on the other.

SQLite gets the schema that a good developer would make for these questions (`crates/bench/src/peer/`): WAL with
`synchronous=FULL`, effects clustered by attribute and date with the records between which they are valid, names as
numbers, an index for each question. It keeps no hash tree and no salts, and computes no `sure`, no alternatives and
no receipt; Annals does, and its times include that. Memory is measured in a process of its own, where SQLite maps no
file. A command is a process from its start to its end; the files that it reads are in the system's cache, on both sides.

A ratio above 1 is a win for Annals, below 1 a loss. A mark is what Annals is meant to reach; some of them are meant for
ten million events, and are shown at every size all the same.
";

const BUSY: &str = "\
**Other programs used this machine at the same time.** Both sides suffered, though not alike: what waits for the disk
(appends, batches, imports) says little here, in either direction. Run the command on a quiet machine.

";

/// The whole report as Markdown.
pub fn markdown(args: &Args, today: &str, tables: &[Table]) -> String {
    let mut text = format!("{INTRODUCTION}\n- command: `{}`\n", command(args));
    let _ = writeln!(text, "- machine: {}", machine::describe());
    let _ = writeln!(
        text,
        "- date: {today}; Annals at {}; SQLite {}\n",
        machine::revision(),
        rusqlite::version()
    );
    if machine::is_busy() {
        text.push_str(BUSY);
    }
    for table in tables {
        text.push_str(&self::table(table));
    }
    if tables.len() > 1 {
        text.push_str(&growth(tables));
    }
    text
}

fn command(args: &Args) -> String {
    let sizes: Vec<String> = args.events.iter().map(u64::to_string).collect();
    let mut command = format!("cargo run --release -p annals-bench -- --events {}", sizes.join(","));
    if let Some(trap) = args.trap {
        let _ = write!(command, " --trap {trap}");
    }
    if !args.only.is_empty() {
        let _ = write!(command, " --only {}", args.only.join(","));
    }
    let _ = write!(command, " --chunk {} --runs {} --seconds {}", args.chunk, args.runs, args.seconds);
    command
}

/// The table of one size, with the sum of wins and losses before it.
pub fn table(table: &Table) -> String {
    let mut text = format!("## {} events\n\n{}\n", thousands(table.events), sum(table));
    text.push_str("| measure | Annals | SQLite | ratio | mark | met |\n|---|---:|---:|---:|---|---|\n");
    for row in table.rows.iter().filter(|row| !is_phase(row)) {
        let peer = row.peer.map_or_else(|| "–".to_owned(), |peer| peer.to_string());
        let ratio = row.ratio().map_or_else(|| "–".to_owned(), times);
        let marks: Vec<String> = row.marks.iter().map(ToString::to_string).collect();
        let met = match row.met() {
            None => "",
            Some(true) => "yes",
            Some(false) => "**no**",
        };
        let marks = marks.join("; ");
        let _ = writeln!(text, "| {} | {} | {peer} | {ratio} | {marks} | {met} |", row.measure, row.annals);
    }
    let phases: Vec<&Row> = table.rows.iter().filter(|row| is_phase(row)).collect();
    if !phases.is_empty() {
        text.push_str("\nWhere Annals spends it:\n\n| phase | an event |\n|---|---:|\n");
        for row in phases {
            let _ = writeln!(text, "| {} | {} |", row.measure.trim_start_matches(PHASE), row.annals);
        }
    }
    text.push('\n');
    text
}

/// What the name of a part of another measure begins with.
pub const PHASE: &str = "phase of ";

fn is_phase(row: &Row) -> bool {
    row.measure.starts_with(PHASE)
}

fn sum(table: &Table) -> String {
    let ratios: Vec<f64> = table.rows.iter().filter_map(Row::ratio).collect();
    let won = ratios.iter().filter(|ratio| **ratio >= 1.0).count();
    let marks: Vec<bool> = table.rows.iter().filter_map(Row::met).collect();
    let met = marks.iter().filter(|met| **met).count();
    format!(
        "Won {won} of {} against SQLite, lost {}. Marks met: {met} of {}. Traps have {} versions, effects, attributes \
         or timelines.\n",
        ratios.len(),
        ratios.len() - won,
        marks.len(),
        thousands(table.trap)
    )
}

/// What each measure comes to at each size.
fn growth(tables: &[Table]) -> String {
    let mut text = String::from("## Growth\n\nAnnals / SQLite, by the number of events.\n\n| measure |");
    for table in tables {
        let _ = write!(text, " {} |", thousands(table.events));
    }
    let _ = writeln!(text, "\n|---|{}", "---:|".repeat(tables.len()));
    let names = tables.iter().max_by_key(|table| table.rows.len()).map(|table| &table.rows[..]);
    for name in names.unwrap_or_default().iter().filter(|row| !is_phase(row)).map(|row| &row.measure) {
        let _ = write!(text, "| {name} |");
        for table in tables {
            let row = table.rows.iter().find(|row| row.measure == *name);
            let cell = row.map_or_else(
                || "–".to_owned(),
                |row| {
                    let peer = row.peer.map_or_else(|| "–".to_owned(), |peer| peer.to_string());
                    format!("{} / {peer}", row.annals)
                },
            );
            let _ = write!(text, " {cell} |");
        }
        text.push('\n');
    }
    text
}

/// `1/213`, `0.35 ×`, `3.1 ×`, `120 ×`.
fn times(ratio: f64) -> String {
    match ratio {
        ..0.1 => format!("1/{}", thousands(whole(1.0 / ratio))),
        0.1..1.0 => format!("{ratio:.2} ×"),
        1.0..9.95 => format!("{ratio:.1} ×"),
        _ => format!("{ratio:.0} ×"),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a ratio of two positive numbers"
)]
fn whole(ratio: f64) -> u64 {
    ratio.round() as u64
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Prints a result.
#[expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]
pub fn result(text: &str) {
    println!("{text}");
}

/// Says what is going on.
#[expect(clippy::print_stderr, reason = "whoever waits wants to know for what")]
pub fn remark(text: &str) {
    eprintln!("{text}");
}
