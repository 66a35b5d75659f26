//! `annals history`: every value that an entity or an attribute had, along the date axis or along the record axis.

use std::io::Write as _;

use annals_model::date::Edge;
use annals_model::{Asked, History, HistorySpan, Learned, Learning, Moment};

use crate::args::{QuestionArgs, RangeArgs};
use crate::error::{CliError, CliResult};
use crate::hints;
use crate::session::Session;
use crate::ui::{self, HEADING, Table, safe};

/// Show every value that an entity or attribute had, from when to when, and by which event
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Without --all-knowledge the whole date axis is shown, as known at a moment: a value stands surely from the
moment on at which it must have been set, whatever the dates leave open, and possibly from the moment at
which it may have been. With --all-knowledge one date is asked about, and what is shown is how the answer to
that changed from record to record.

Examples:
  annals history un-police
  annals history un-police.status --known-at 2023-11-13
  annals history un-police.status --all-knowledge --as-of 2018"
)]
pub struct Args {
    /// The entity, or one attribute of it
    #[arg(value_name = "ENTITY[.ATTRIBUTE]")]
    asked: String,
    /// Show how the answer as of one date changed with what was recorded
    #[arg(long)]
    all_knowledge: bool,
    #[command(flatten)]
    question: QuestionArgs,
    #[command(flatten)]
    range: RangeArgs,
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    if !args.all_knowledge {
        refuse(args.question.as_of.is_some(), "--as-of", "every date is shown")?;
        refuse(
            args.question.certainty.is_some(),
            "--certainty",
            "what surely and what possibly stood is shown",
        )?;
    }
    let store = session.open()?;
    session.before_index(&store)?;
    let question = args.question.question(session, &args.range)?;
    if args.all_knowledge {
        let learned = store.learned(&question, &args.asked).map_err(|e| hints::explain(&store, e))?;
        session.after_index(&store)?;
        // Whoever reads the output may take their time; others need the store.
        drop(store);
        return if session.is_for_people() {
            print_learned(&learned)
        } else {
            ui::print_json(session, &learned)
        };
    }
    let history = store.spans(&question, &args.asked).map_err(|e| hints::explain(&store, e))?;
    session.after_index(&store)?;
    drop(store);
    if session.is_for_people() { print_history(&history) } else { ui::print_json(session, &history) }
}

/// Refuses a flag that picks one of what is shown whole.
fn refuse(is_given: bool, flag: &str, what: &str) -> CliResult<()> {
    let error = || {
        CliError::usage(format!("{flag} goes with --all-knowledge only: without it {what}")).with_hint(
            "`annals replay` answers as of one date; --all-knowledge shows how that answer changed",
        )
    };
    if is_given { Err(error()) } else { Ok(()) }
}

fn print_history(history: &History) -> CliResult<()> {
    let History { timeline, entity, attribute, known_at, spans, .. } = history;
    let mut out = ui::out();
    let asked = asked(entity, attribute.as_deref());
    let heading = format!("{timeline}: {asked} at every date, known at {}", ui::position(*known_at));
    writeln!(out, "{HEADING}{}{HEADING:#}\n", safe(&heading))?;
    if spans.is_empty() {
        writeln!(out, "Nothing is known to have stood.")?;
        return Ok(out.flush()?);
    }
    let mut table = Table::new(&["ATTRIBUTE", "VALUE", "SURELY", "POSSIBLY", "BY"]);
    for span in spans {
        let HistorySpan { attribute, value, by, from, until, possibly_from, possibly_until, .. } = span;
        let surely = from.zip(*until).map_or_else(|| "never".to_owned(), |(from, until)| extent(from, until));
        let possibly = extent(*possibly_from, *possibly_until);
        table.row([attribute.as_str(), &value.to_string(), &surely, &possibly, by.as_str()]);
    }
    write!(out, "{table}")?;
    Ok(out.flush()?)
}

fn print_learned(learned: &Learned) -> CliResult<()> {
    let Learned { asked: question, entity, attribute, changes, .. } = learned;
    let Asked { timeline, as_of, as_of_until, known_at, .. } = question;
    let mut out = ui::out();
    let asked = asked(entity, attribute.as_deref());
    let known = ui::position(*known_at);
    let heading = format!("{timeline}: {asked} as of {as_of} ({as_of_until}), as it was known up to {known}");
    writeln!(out, "{HEADING}{}{HEADING:#}\n", safe(&heading))?;
    if changes.is_empty() {
        writeln!(out, "Nothing was ever known to stand.")?;
        return Ok(out.flush()?);
    }
    let mut table = Table::new(&["ATTRIBUTE", "VALUE", "SURE", "BY", "KNOWN FROM", "UNTIL", "RECORD"]);
    for change in changes {
        let Learning { attribute, value, sure, by, seq, recorded_at, until, .. } = change;
        let value = value.as_ref().map_or_else(|| "(none)".to_owned(), ToString::to_string);
        let sure = sure.map_or("", |sure| if sure { "yes" } else { "no" });
        let by = by.as_ref().map_or("", |by| by.as_str());
        let from = format!("@{seq} {recorded_at}");
        let until = until.map_or_else(|| "now".to_owned(), |until| format!("@{}", until.seq));
        table.row([attribute.as_str(), &value, sure, by, &from, &until, &what(change)]);
    }
    write!(out, "{table}")?;
    Ok(out.flush()?)
}

/// What a record did: `revise resolution-2023`, `retract x: a hoax`.
fn what(change: &Learning) -> String {
    let reason = change.reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
    format!("{} {}{reason}", change.op, change.id)
}

/// The target as it is written.
pub fn asked(entity: &str, attribute: Option<&str>) -> String {
    attribute.map_or_else(|| entity.to_owned(), |attribute| format!("{entity}.{attribute}"))
}

/// From one second to another, a whole day by its name.
fn extent(from: Edge, until: Edge) -> String {
    const FIRST: u32 = 0;
    const LAST: u32 = 86_399;
    let told = |edge: Edge, of_day: u32| match edge {
        Edge::At(moment) => second(moment, of_day),
        Edge::Open | Edge::Unknown => edge.to_string(),
    };
    format!("{} – {}", told(from, FIRST), told(until, LAST))
}

/// A second; the day alone where it is the given second of it.
fn second(moment: Moment, of_day: u32) -> String {
    let (day, second) = moment.civil();
    if second == of_day { day.to_string() } else { moment.to_string() }
}
