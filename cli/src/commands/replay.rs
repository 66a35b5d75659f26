//! `annals replay`: the state as of a date, as known at a moment.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use annals_model::{Asked, Cell, Certainty, Ongoing, SavedSnapshot, Snapshot, threads};

use super::checking;
use crate::args::{QuestionArgs, RangeArgs};
use crate::error::{CliError, CliResult};
use crate::hints;
use crate::session::Session;
use crate::ui::{self, Columns, HEADING, Table, counted, safe};

/// Events that only possibly go on and are shown to people.
const POSSIBLY_SHOWN: usize = 5;

/// Rows that are written into memory before they are printed.
const ROWS_AT_ONCE: usize = 16 * 1024;

/// Attributes that are shown in a table that fits the terminal, at most.
const FITTED: usize = 2_000;
const HEADINGS: [&str; 6] = ["ENTITY", "ATTRIBUTE", "VALUE", "SURE", "SINCE", "BY"];

/// Attributes of which nothing stands, though something may, and which are shown to people.
const UNSETTLED_SHOWN: usize = 12;

/// Show the state as of a date, as known at a moment
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Two clocks: --as-of asks what had happened by a date, --known-at what the log knew at a moment.

Examples:
  annals replay --as-of 2018
  annals replay un-police cholera --as-of 2018 --known-at 2023-11-13
  annals replay --as-of 2023-10 --certainty possibly --format json
  annals replay --as-of 2018 --format json > answer.json
  annals replay --check answer.json      the same answer still? exit code 1 if not"
)]
pub struct Args {
    /// Only these entities
    #[arg(value_name = "ENTITY")]
    entities: Vec<String>,
    /// Ask the question of a saved answer again, and say whether the log still gives it; - for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["entities", "as_of", "known_at", "certainty", "FilterArgs", "RangeArgs"])]
    check: Option<PathBuf>,
    #[command(flatten)]
    question: QuestionArgs,
    #[command(flatten)]
    range: RangeArgs,
}

pub fn run(args: &Args, session: &Session) -> CliResult<ExitCode> {
    if let Some(file) = &args.check {
        return check(file, session);
    }
    let store = session.open()?;
    let mut question = args.question.question(session, &args.range)?;
    question.entities.clone_from(&args.entities);
    if question.filter.is_empty() {
        session.before_index(&store)?;
    } else {
        session.before_dates(&store)?;
    }
    let snapshot = store.replay(&question).map_err(|e| hints::explain(&store, e))?;
    session.after_index(&store)?;
    session.after_dates(&store)?;
    // Whether other events name an entity is worth a look at all of them only where nothing is known of it.
    let is_strange = |entity: &String| !is_answered(&snapshot, entity);
    let entities = (session.is_for_people() && args.entities.iter().any(is_strange))
        .then(|| store.entities(&question.timeline, question.known_at))
        .transpose()?;
    // Whoever reads the output may take their time; others need the store.
    drop(store);
    // The process ends now, and all its memory at once with it.
    let snapshot = ManuallyDrop::new(snapshot);
    if !session.is_for_people() {
        ui::print_json(session, &*snapshot)?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&snapshot)?;
    if let Some(entities) = entities {
        hints::unknown_entities(session, &entities, &args.entities)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether the answer says anything of an entity.
fn is_answered(snapshot: &Snapshot, entity: &str) -> bool {
    snapshot.state.contains_key(entity) || snapshot.unsettled.contains_key(entity)
}

/// Holds the answer in a file against the one that the log gives.
fn check(file: &Path, session: &Session) -> CliResult<ExitCode> {
    let name = file.display();
    let text = if file == Path::new("-") {
        std::io::read_to_string(std::io::stdin())
    } else {
        fs::read_to_string(file)
    };
    let text = text.map_err(|e| CliError::from(e).because_of(format!("cannot read {name}")))?;
    let saved = SavedSnapshot::parse(text).map_err(|invalid| {
        let error = CliError::failed(format!("{name}: {invalid}"));
        invalid.hint().into_iter().fold(error, CliError::with_hint)
    })?;
    let store = session.open()?;
    session.before_index(&store)?;
    let check = store.check(&saved)?;
    session.after_index(&store)?;
    drop(store);
    checking::tell(session, &check)
}

/// Prints a snapshot for people.
pub fn print(snapshot: &Snapshot) -> CliResult<()> {
    let mut out = ui::out();
    writeln!(out, "{HEADING}{}{HEADING:#}", safe(&heading(&snapshot.asked)))?;
    let tally = &snapshot.events;
    let counts = [
        (tally.applied, "happened"),
        (tally.possible, "possibly happened"),
        (tally.later, "came later"),
        (tally.retracted, "withdrawn"),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{} {what}", counted(*n, "event")))
        .collect();
    writeln!(out, "{}\n", if counts.is_empty() { "no events".to_owned() } else { counts.join(", ") })?;
    if snapshot.state.is_empty() {
        writeln!(out, "Nothing is known to stand.")?;
    } else {
        write_state(&mut out, snapshot)?;
    }
    print_doubts(&mut out, snapshot)?;
    for clash in &snapshot.clashes {
        let line = format!(
            "Clash: `{}` by {} does not fit {}.{}",
            clash.op, clash.id, clash.entity, clash.attribute
        );
        writeln!(out, "{}", safe(&line))?;
    }
    print_unsettled(&mut out, snapshot)?;
    print_ongoing(&mut out, &snapshot.ongoing)?;
    Ok(out.flush()?)
}

/// Of the values in the table: what else they may be, what that depends on, and who contradicts them.
fn print_doubts(out: &mut impl Write, snapshot: &Snapshot) -> CliResult<()> {
    let mut unsure = Vec::new();
    let mut contested = Vec::new();
    for (entity, attribute, cell) in cells(&snapshot.state) {
        if !cell.sure {
            unsure.push(format!("{entity}.{attribute} {}", ui::doubt(&cell.open)));
        }
        for other in &cell.contested {
            let (value, by, other) = (&cell.value, &cell.by, ui::contested(other));
            contested.push(format!("{entity}.{attribute} is {value} by {by}, but {other}"));
        }
    }
    print_section(out, "Not sure", &unsure)?;
    print_section(out, "Contested", &contested)
}

/// What may stand where nothing does; the first few.
fn print_unsettled(out: &mut impl Write, snapshot: &Snapshot) -> CliResult<()> {
    let unsettled = cells(&snapshot.unsettled);
    let line =
        |(entity, attribute, open): (&str, &str, &_)| format!("{entity}.{attribute} {}", ui::doubt(open));
    let mut lines: Vec<String> = unsettled.map(line).collect();
    if lines.len() > UNSETTLED_SHOWN {
        let more = lines.len() - UNSETTLED_SHOWN;
        lines.truncate(UNSETTLED_SHOWN);
        lines.push(format!("{more} more, all in --format json"));
    }
    print_section(out, &format!("Nothing {} stands, but something may", snapshot.asked.certainty), &lines)
}

fn print_section(out: &mut impl Write, heading: &str, lines: &[String]) -> CliResult<()> {
    if !lines.is_empty() {
        writeln!(out, "\n{HEADING}{heading}{HEADING:#}")?;
    }
    for line in lines {
        writeln!(out, "  {}", safe(line))?;
    }
    Ok(())
}

/// What goes on; of what only possibly does, the first few.
fn print_ongoing(out: &mut impl Write, ongoing: &[Ongoing]) -> CliResult<()> {
    let (surely, possibly): (Vec<_>, Vec<_>) = ongoing.iter().partition(|o| o.certainty == Certainty::Surely);
    if !ongoing.is_empty() {
        writeln!(out, "\n{HEADING}Going on{HEADING:#}")?;
    }
    for one in surely.iter().chain(possibly.iter().take(POSSIBLY_SHOWN)) {
        let date = ui::dated(one.date.as_ref());
        writeln!(out, "  {}: {}", one.certainty, safe(&format!("{} ({date}, {})", one.title, one.id)))?;
    }
    if possibly.len() > POSSIBLY_SHOWN {
        writeln!(out, "  possibly: {} more, all in --format json", possibly.len() - POSSIBLY_SHOWN)?;
    }
    Ok(())
}

fn heading(Asked { timeline, as_of, as_of_until, known_at, certainty, .. }: &Asked) -> String {
    let known = ui::position(*known_at);
    let certainty = match certainty {
        Certainty::Surely => "what surely stood",
        Certainty::Possibly => "what possibly stood",
    };
    format!("{timeline}: {certainty} as of {as_of} ({as_of_until}), known at {known}")
}

/// What stands, a row for each attribute: fitted to the terminal, unless the rows are many.
fn write_state(out: &mut impl Write, snapshot: &Snapshot) -> CliResult<()> {
    let all: Vec<(&str, &str, &Cell)> = cells(&snapshot.state).collect();
    if all.len() <= FITTED {
        let mut table = Table::new(&HEADINGS);
        for cell in &all {
            with_row(cell, |cells| table.row(cells));
        }
        return Ok(write!(out, "{table}")?);
    }
    // How wide the columns are, then the rows, each on all cores: a whole state is written as fast as it was found.
    let widths = threads::map_chunks(&all, |own| {
        let mut columns = Columns::new(HEADINGS);
        for cell in own {
            with_row(cell, |cells| columns.widen(cells));
        }
        Ok::<_, CliError>(vec![columns])
    })?;
    let columns = widths.iter().fold(Columns::new(HEADINGS), Columns::and);
    columns.write_head(out)?;
    for rows in all.chunks(ROWS_AT_ONCE) {
        let written = threads::map_chunks(rows, |own| {
            let mut text = Vec::new();
            let mut write = |cell| with_row(cell, |cells| columns.write(&mut text, cells));
            own.iter().try_for_each(&mut write)?;
            Ok::<_, CliError>(vec![text])
        })?;
        written.iter().try_for_each(|text| out.write_all(text))?;
    }
    Ok(())
}

/// Hands over the row of a cell.
fn with_row<T>((entity, attribute, cell): &(&str, &str, &Cell), row: impl FnOnce([&str; 6]) -> T) -> T {
    let Cell { value, sure, by, date, .. } = cell;
    let (value, date) = (value.to_string(), ui::dated(date.as_ref()));
    row([entity, attribute, &value, if *sure { "yes" } else { "no" }, date, by.as_str()])
}

/// What is said of each attribute of each entity, in their order.
fn cells<T>(all: &BTreeMap<String, BTreeMap<String, T>>) -> impl Iterator<Item = (&str, &str, &T)> {
    all.iter().flat_map(|(entity, attributes)| {
        attributes.iter().map(move |(attribute, cell)| (entity.as_str(), attribute.as_str(), cell))
    })
}
