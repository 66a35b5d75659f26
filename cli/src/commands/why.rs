//! `annals why`: the event that decided a value, what it overrode, what does not count, and the sources.

use std::io::Write;

use annals_model::why::{AbsenceReason, NotCounted, Part, Reason, Why};
use annals_model::{Asked, Certainty, Open, Source};

use super::erased;
use super::history::asked;
use crate::args::{QuestionArgs, RangeArgs};
use crate::error::CliResult;
use crate::hints;
use crate::session::Session;
use crate::ui::{self, HEADING, counted, safe, thousands};

/// Parts of one list that are shown to people.
const SHOWN: usize = 20;

/// Show why an attribute has the value that it has: the event, its sources, and what does not count
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  annals why un-police.status
  annals why un-police.status --as-of 2018
  annals why mss-mission.contributors --known-at 2023-11-13 --format json")]
pub struct Args {
    /// The attribute
    #[arg(value_name = "ENTITY.ATTRIBUTE")]
    asked: String,
    #[command(flatten)]
    question: QuestionArgs,
    #[command(flatten)]
    range: RangeArgs,
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    let store = session.open()?;
    session.before_index(&store)?;
    let question = args.question.question(session, &args.range)?;
    let why = store.why(&question, &args.asked).map_err(|e| hints::explain(&store, e))?;
    session.after_index(&store)?;
    let redacted = if why.redacted > 0 && session.is_for_people() {
        erased::told(&store, &question.timeline, why.asked.known_at.seq)?
    } else {
        Vec::new()
    };
    // Whoever reads the output may take their time; others need the store.
    drop(store);
    if session.is_for_people() { print(&why, &redacted) } else { ui::print_json(session, &why) }
}

fn print(why: &Why, redacted: &[String]) -> CliResult<()> {
    let mut out = ui::out();
    writeln!(out, "{HEADING}{}{HEADING:#}\n", safe(&heading(why)))?;
    writeln!(out, "{}", safe(&answer(why)))?;
    // What stands was decided by the last of its parts; where nothing does, that is what cleared it.
    if let Some(Part { id, date, title, sources, .. }) = why.made_of.last() {
        let because = format!("because of {id} ({}): {title}", ui::dated(date.as_ref()));
        writeln!(out, "  {}", safe(&because))?;
        print_sources(&mut out, sources)?;
    }
    if why.open != Open::default() {
        writeln!(out, "  {}", safe(&ui::doubt(&why.open)))?;
    }
    if why.made_of.len() > 1 {
        print_parts(&mut out, "Made of", &why.made_of, |out, part| {
            // Those of the deciding event stand above already.
            let is_told = why.made_of.last().is_some_and(|last| last.id == part.id);
            if is_told { Ok(()) } else { print_sources(out, &part.sources) }
        })?;
    }
    print_parts(&mut out, "Overridden", &why.overridden, |_, _| Ok(()))?;
    print_not_counted(&mut out, &why.not_counted)?;
    if why.redacted > 0 {
        let events = counted(why.redacted, "event");
        writeln!(out, "\nThe content of {events} was redacted; whether it concerned this is not known.")?;
        for told in redacted.iter().take(SHOWN) {
            writeln!(out, "  {}", safe(told).replace('\n', " "))?;
        }
    }
    Ok(out.flush()?)
}

/// What counts or did, the last few parts of it, with what else is to be said of each.
fn print_parts<W: Write>(
    out: &mut W,
    heading: &str,
    parts: &[Part],
    more: impl Fn(&mut W, &Part) -> CliResult<()>,
) -> CliResult<()> {
    if parts.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{HEADING}{heading}{HEADING:#}")?;
    let earlier = parts.len().saturating_sub(SHOWN);
    if earlier > 0 {
        writeln!(out, "  {} earlier, all in --format json", thousands(earlier as u64))?;
    }
    for part in &parts[earlier..] {
        writeln!(out, "  {}", safe(&told(part)))?;
        more(out, part)?;
    }
    Ok(())
}

/// What does not count and why, the first few of it.
fn print_not_counted(out: &mut impl Write, not_counted: &[NotCounted]) -> CliResult<()> {
    if not_counted.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{HEADING}Does not count{HEADING:#}")?;
    for NotCounted { part, reason } in not_counted.iter().take(SHOWN) {
        writeln!(out, "  {}", safe(&told(part)))?;
        writeln!(out, "    {}", safe(&reason_for_people(reason)))?;
    }
    if let Some(more @ 1..) = not_counted.len().checked_sub(SHOWN) {
        writeln!(out, "  {} more, all in --format json", thousands(more as u64))?;
    }
    Ok(())
}

fn heading(why: &Why) -> String {
    let Asked { timeline, as_of, as_of_until, known_at, certainty, .. } = &why.asked;
    let known = ui::position(*known_at);
    let certainty = match certainty {
        Certainty::Surely => "",
        Certainty::Possibly => "what possibly stood ",
    };
    let asked = asked(&why.entity, Some(&why.attribute));
    format!("{timeline}: {asked}, {certainty}as of {as_of} ({as_of_until}), known at {known}")
}

/// The answer in a sentence.
fn answer(why: &Why) -> String {
    let asked = asked(&why.entity, Some(&why.attribute));
    match (&why.value, why.sure) {
        (Some(value), Some(true)) => format!("{asked} is {value} (sure)"),
        (Some(value), _) => format!("{asked} is {value} (not sure)"),
        (None, _) => format!("{asked} has no value: {}", absence(why)),
    }
}

/// Why there is no value.
fn absence(why: &Why) -> String {
    let Some(absence) = &why.because else { return "nothing stands".to_owned() };
    let id = absence.id.as_ref().map_or("", |id| id.as_str());
    let entries = why.not_counted.iter();
    let mut entries = entries
        .filter(|entry| (Some(&entry.part.id), Some(entry.part.seq)) == (absence.id.as_ref(), absence.seq));
    let mut taken_back = || {
        let taken =
            entries.find(|entry| matches!(entry.reason, Reason::Retracted { .. } | Reason::Revised { .. }));
        taken.map_or(String::new(), |entry| reason_for_people(&entry.reason))
    };
    match absence.reason {
        AbsenceReason::Cleared => format!("{id} cleared it"),
        AbsenceReason::Possible => format!("{id} would set it, and only possibly holds by then"),
        AbsenceReason::Lapsed => format!("{id} set it, and is over by then"),
        AbsenceReason::NotYet => format!("{id} sets it, and has not happened by then"),
        AbsenceReason::Retracted | AbsenceReason::Revised => format!("{id} set it, and was {}", taken_back()),
        AbsenceReason::Filtered => format!("{id} sets it, and the filter leaves it out"),
        AbsenceReason::NeverSet => "nothing ever set it".to_owned(),
    }
}

fn reason_for_people(reason: &Reason) -> String {
    match reason {
        Reason::NotYet => "has not happened yet".to_owned(),
        Reason::Possible => "only possible".to_owned(),
        Reason::Lapsed => "is over".to_owned(),
        Reason::Unchanged => "changes nothing".to_owned(),
        Reason::Clash => "does not fit what stood".to_owned(),
        Reason::Filtered => "left out by the filter".to_owned(),
        Reason::Revised { at } => format!("revised by {}", ui::position(*at)),
        Reason::Retracted { at, because } => {
            let because = because.as_ref().map_or(String::new(), |because| format!(": {because}"));
            format!("retracted by {}{because}", ui::position(*at))
        }
    }
}

/// One effect: `= present – un-2004 (2004, record 1): UN peacekeepers deploy to Haiti`.
fn told(part: &Part) -> String {
    let value = part.value.as_ref().map_or(String::new(), ToString::to_string);
    let does = match part.op {
        "set" => format!("= {value}"),
        "add" => format!("+ {{{value}}}"),
        "remove" => format!("- {{{value}}}"),
        "increase" => format!("+= {value}"),
        _ => "cleared".to_owned(),
    };
    let Part { id, seq, title, .. } = part;
    format!("{does} – {id} ({}, record {seq}): {title}", ui::dated(part.date.as_ref()))
}

/// The sources, one a line.
fn print_sources(out: &mut impl Write, sources: &[Source]) -> CliResult<()> {
    for source in sources {
        writeln!(out, "    {}", safe(&ui::cited(source)))?;
    }
    Ok(())
}
