//! `annals diff`: what changed between two dates, or in what is known about one, and by which events.

use std::io::Write;
use std::process::ExitCode;

use annals_model::diff::{Cause, CauseKind, Changed, Point};
use annals_model::{AsOf, Certainty, Diff, KnownAt, Position, RecordedAt};

use crate::args::{QuestionArgs, RangeArgs};
use crate::error::{CliError, CliResult};
use crate::hints;
use crate::session::Session;
use crate::ui::{self, HEADING, print_change, safe};

/// Responsible events of one change that are shown to people; programs get all.
const CAUSES: usize = 5;

/// Show what changed between two dates, or in what is known about one, and by which events
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "A change is an attribute whose value differs: + added, - gone, ~ another value. Beneath it
stand the events responsible: those that were appended, revised or retracted in between,
and those whose date was crossed. An event that counts on both sides as it did is not.

Examples:
  annals diff 2004 2018
  annals diff 2004 2018 --known-at 2023-11-13
  annals diff --known-at 2025-03-01 --and 2025-06-01
  annals diff --known-at @9 --and @12 --as-of 2018 --format json
  annals diff 2018 today --exit-code --quiet      for scripts: exit code 1 if anything changed"
)]
pub struct Args {
    /// A date, whose end counts
    #[arg(value_name = "D1", allow_hyphen_values = true, requires = "d2", conflicts_with = "as_of")]
    d1: Option<String>,
    /// The date to compare it with
    #[arg(value_name = "D2", allow_hyphen_values = true)]
    d2: Option<String>,
    /// What the log held then, on the other side; --known-at says what it held on the one
    #[arg(
        long,
        value_name = "K",
        allow_hyphen_values = true,
        requires = "known_at",
        help_heading = "Question"
    )]
    and: Option<String>,
    /// Exit with 1 if anything changed
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    question: QuestionArgs,
    #[command(flatten)]
    range: RangeArgs,
}

pub fn run(args: &Args, session: &Session) -> CliResult<ExitCode> {
    let mut question = args.question.question(session, &args.range)?;
    let (as_of, known_at) = other_side(args, session)?;
    if let Some(first) = &args.d1 {
        question.as_of = session.as_of("D1", first)?;
    }
    let as_of = as_of.unwrap_or_else(|| question.as_of.clone());
    let store = session.open()?;
    session.before_index(&store)?;
    if !question.filter.is_empty() {
        session.before_dates(&store)?;
    }
    let diff = store
        .diff(&question, &as_of, known_at.unwrap_or(question.known_at))
        .map_err(|e| hints::explain(&store, e))?;
    session.after_index(&store)?;
    session.after_dates(&store)?;
    // Whoever reads the output may take their time; others need the store.
    drop(store);
    if session.is_for_people() {
        print(&diff)?;
    } else {
        ui::print_json(session, &diff)?;
    }
    let is_failure = args.exit_code && !diff.is_empty();
    Ok(if is_failure { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Where the other side differs from the question: in its date, in what was known, or in both.
fn other_side(args: &Args, session: &Session) -> CliResult<(Option<AsOf>, Option<KnownAt>)> {
    if args.d1.is_none() && args.and.is_none() {
        return Err(CliError::usage("there is nothing to compare with")
            .with_hint("two dates: annals diff 2004 2018")
            .with_hint("or two points of knowledge: annals diff --known-at 2025-03-01 --and 2025-06-01"));
    }
    let as_of = args.d2.as_ref().map(|text| session.as_of("D2", text)).transpose()?;
    let and =
        |text: &String| KnownAt::parse(text, session.today()).map_err(|e| CliError::argument("--and", &e));
    Ok((as_of, args.and.as_ref().map(and).transpose()?))
}

fn print(diff: &Diff) -> CliResult<()> {
    let mut out = ui::out();
    writeln!(out, "{HEADING}{}{HEADING:#}\n", safe(&heading(diff)))?;
    if diff.is_empty() {
        writeln!(out, "No difference.")?;
    }
    // Neighbours with the same causes are told together.
    for changes in diff.changes.chunk_by(|a, b| a.causes == b.causes) {
        for Changed { entity, attribute, kind, from, to, .. } in changes {
            print_change(&mut out, &format!("{entity}.{attribute}"), *kind, from.as_ref(), to.as_ref())?;
        }
        print_causes(&mut out, &changes[0].causes, diff)?;
    }
    Ok(out.flush()?)
}

fn print_causes(out: &mut impl Write, causes: &[Cause], diff: &Diff) -> CliResult<()> {
    for cause in causes.iter().take(CAUSES) {
        writeln!(out, "    {}", safe(&told(cause, diff)).replace('\n', " "))?;
    }
    if causes.len() > CAUSES {
        writeln!(out, "    and {} more, all in --format json", causes.len() - CAUSES)?;
    }
    Ok(())
}

/// What an event has to do with a change. On the way back in time the change is that it had not happened yet.
fn told(cause: &Cause, diff: &Diff) -> String {
    let Cause { id, seq, recorded_at, .. } = cause;
    let on = day(*recorded_at);
    let what = match cause.cause {
        CauseKind::Crossed => match &cause.date {
            Some(date) => format!("the date of {id} was crossed, {date}"),
            None => format!("the date of {id} was crossed"),
        },
        CauseKind::Appended if *seq != cause.place => {
            format!("{id} was appended at @{}, and revised at @{seq} on {on}", cause.place)
        }
        kind => format!("{id} was {} at @{seq} on {on}", kind.as_str()),
    };
    let is_back = match cause.cause {
        CauseKind::Crossed => diff.to.as_of_until < diff.from.as_of_until,
        _ => diff.to.known_at.seq < diff.from.known_at.seq,
    };
    let before = if is_back { "before " } else { "" };
    format!("{before}{what}: {}", cause.reason.as_ref().unwrap_or(&cause.title))
}

fn heading(diff: &Diff) -> String {
    let Point { as_of, as_of_until, known_at } = &diff.from;
    let certainty = match diff.certainty {
        Certainty::Surely => "what surely stood",
        Certainty::Possibly => "what possibly stood",
    };
    let date =
        |as_of: &dyn std::fmt::Display, until: &dyn std::fmt::Display| format!("as of {as_of} ({until})");
    let (from, to) = (date(as_of, as_of_until), date(&diff.to.as_of, &diff.to.as_of_until));
    let known = |at: Position| format!("known at {}", ui::position(at));
    let (had, has) = (known(*known_at), known(diff.to.known_at));
    let timeline = &diff.timeline;
    match (from == to, had == has) {
        (_, true) => format!("{timeline}: {certainty} {from} → {to}, {had}"),
        (true, false) => format!("{timeline}: {certainty} {from}, {had} → {has}"),
        (false, false) => format!("{timeline}: {certainty} {from}, {had} → {to}, {has}"),
    }
}

/// The day of a record, in UTC.
fn day(at: RecordedAt) -> String {
    at.to_chrono().map_or_else(|| at.to_string(), |instant| instant.date_naive().to_string())
}
