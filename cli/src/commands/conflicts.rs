//! `annals conflicts`: what contradicts itself, or looks as if it were not meant.

use std::io::Write as _;
use std::process::ExitCode;

use annals_core::Room;
use annals_model::conflicts::{
    BrokenLink, Conflicts, Contested, Dated, FalsePrecision, LinkFault, MOST_COMPARED, Mention, Misfit,
    Outdated, Sign, Stale,
};
use annals_model::{Asked, Date, Op};

use crate::args::{QuestionArgs, RangeArgs};
use crate::error::CliResult;
use crate::hints;
use crate::session::Session;
use crate::ui::{self, HEADING, counted, safe, thousands};

/// Entries of a section that are shown to people; programs get all.
const SHOWN: usize = 20;

/// Bytes of events that are kept in memory; more are sorted beside the store.
const IN_MEMORY: usize = 32 << 20;

/// Sources of one claim that people are shown.
const SOURCES: usize = 3;

/// Show what contradicts itself: contested values, clashes, duplicates, doubtful dates
#[derive(Debug, clap::Args)]
#[command(after_long_help = "What is listed is a reason to look, not a verdict, and nothing is changed.
All events are looked at, whatever their date; --as-of says as of when a value stands and an
effect clashes. --from and --to keep whatever may fall between them.

  contested    events whose dates have the same bounds set one attribute to different values
  clashes      an effect does not fit what stood, as an increase of a text
  duplicates   one day, or one date within another of up to 31 days; one place, or none; the
               same numbers in the title, and no other word but for spelling; a common actor,
               or none; the same entities, or some of them; and no link that joins the two
  precision    3 dates on 1 January, and ten times as many as chance would put there; one whose
               quotation names the year only; times of day that are mostly midnight
  links        against the dates: caused-by, follows, after, causes, precedes, before, part-of;
               and links to nowhere
  stale        a date that --after and --before gave, and the other event was corrected since

Examples:
  annals conflicts
  annals conflicts cholera --as-of 2018
  annals conflicts --known-at 2023-11-13 --format json
  annals conflicts --exit-code --quiet      for scripts: exit code 1 if anything was found")]
pub struct Args {
    /// Only these entities, and the events that change them
    #[arg(value_name = "ENTITY")]
    entities: Vec<String>,
    /// Exit with 1 if anything was found
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    question: QuestionArgs,
    #[command(flatten)]
    range: RangeArgs,
}

pub fn run(args: &Args, session: &Session) -> CliResult<ExitCode> {
    let store = session.open()?;
    let mut question = args.question.question(session, &args.range)?;
    question.entities.clone_from(&args.entities);
    let directory = session.store_path()?;
    let room = Room { bytes: IN_MEMORY, directory: &directory };
    let most = if session.is_for_people() { SHOWN } else { usize::MAX };
    let conflicts = store.conflicts(&question, most, room).map_err(|e| hints::explain(&store, e))?;
    // The only one is known where events were looked at: they change it.
    let is_known = args.entities.is_empty() || args.entities.len() == 1 && conflicts.events > 0;
    let entities = (session.is_for_people() && !is_known)
        .then(|| store.entities(&question.timeline, question.known_at))
        .transpose()?;
    // Whoever reads the output may take their time; others need the store.
    drop(store);
    if session.is_for_people() {
        print(&conflicts)?;
        if let Some(entities) = entities {
            hints::unknown_entities(session, &entities, &args.entities)?;
        }
    } else {
        ui::print_json(session, &conflicts)?;
    }
    let is_failure = args.exit_code && conflicts.found > 0;
    Ok(if is_failure { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A kind of conflict, as people are told of it.
struct Section {
    heading: &'static str,
    /// What it is, why it matters and what to do next.
    advice: String,
    /// The lines of each entry that is shown.
    entries: Vec<Vec<String>>,
    /// How many there are.
    count: u64,
}

fn print(conflicts: &Conflicts) -> CliResult<()> {
    let mut out = ui::out();
    writeln!(out, "{HEADING}{}{HEADING:#}", safe(&heading(&conflicts.asked)))?;
    let looked_at = counted(conflicts.events, "event");
    if conflicts.found == 0 {
        writeln!(out, "Nothing contradicts anything in {looked_at}.")?;
    } else {
        writeln!(out, "{} in {looked_at}", counted(conflicts.found, "conflict"))?;
    }
    for Section { heading, advice, entries, count } in sections(conflicts) {
        writeln!(out, "\n{HEADING}{heading} ({}){HEADING:#}", thousands(count))?;
        writeln!(out, "{}", safe(&advice))?;
        for line in entries.iter().flatten() {
            writeln!(out, "  {}", safe(&line.replace('\n', " ")))?;
        }
        let more = count.saturating_sub(entries.len() as u64);
        if more > 0 {
            writeln!(out, "  {} more, all in --format json", thousands(more))?;
        }
    }
    if conflicts.crowded_days > 0 {
        let days = counted(conflicts.crowded_days, "day");
        writeln!(
            out,
            "\nOn {days} there were so many events that each was compared with {MOST_COMPARED} others only."
        )?;
    }
    Ok(out.flush()?)
}

fn heading(Asked { timeline, as_of, as_of_until, known_at, .. }: &Asked) -> String {
    let known = ui::position(*known_at);
    format!("{timeline}: what contradicts itself as of {as_of} ({as_of_until}), known at {known}")
}

/// The sections that have entries, those that change an answer first.
fn sections(conflicts: &Conflicts) -> Vec<Section> {
    let (as_of, counts) = (&conflicts.asked.as_of, &conflicts.counts);
    let section = |(heading, count), advice: &str, entries| {
        let advice = advice.to_owned();
        Section { heading, advice, entries, count }
    };
    let mut sections = vec![
        section(
            ("Contested values", counts.contested),
            "Events of one date say different things, and the one that came last into the log stands. Compare the \
             sources and correct one with `annals revise ID --set …`; if the one followed the other, date them apart.",
            conflicts.contested.iter().map(|found| contested(found, as_of)).collect(),
        ),
        section(
            ("Clashes", counts.clashes),
            "These effects do not fit what stood when they came, and changed nothing. Correct the effect, or \
             what it met, with `annals revise ID …`.",
            conflicts.clashes.iter().map(|found| vec![clash(found)]).collect(),
        ),
        section(
            ("Probable duplicates", counts.duplicates),
            "These events have one day and place and nearly the same title, and what they add is counted for \
             each. Withdraw all but one with `annals retract ID --reason …`; if they are two, link them: \
             `annals revise ID --link distinct-from=OTHER`, with the links that it has.",
            conflicts.duplicates.iter().map(|found| duplicates(&found.events)).collect(),
        ),
    ];
    let signs = conflicts.false_precision.iter().zip(&counts.false_precision);
    sections.extend(signs.map(|(sign, count)| false_precision(sign, *count)));
    sections.push(section(
        ("Links that cannot be right", counts.links),
        "The dates say otherwise, or the other event does not count. Correct the date or the link with `annals \
         revise ID …`.",
        conflicts.links.iter().map(|found| vec![link(found)]).collect(),
    ));
    sections.push(section(
        ("Stale dates", counts.stale),
        "These dates were computed from other events, whose dates have changed. Compute them anew as shown, or \
         give them a date of their own with --date.",
        conflicts.stale.iter().map(stale).collect(),
    ));
    sections.retain(|section| section.count > 0);
    sections
}

/// `un-2004 (2004)`.
fn named(event: &Mention) -> String {
    format!("{} ({})", event.id, ui::dated(event.date.as_ref()))
}

fn contested(found: &Contested, as_of: &Date) -> Vec<String> {
    let stands = if found.decides { "" } else { ", nothing of it stands" };
    let mut lines = vec![format!("{}.{}{stands} as of {as_of}", found.entity, found.attribute)];
    for word in &found.claims {
        let stands = if word.stands { ", which stands" } else { "" };
        lines.push(format!("  {} by {}{stands}: {}", word.value, named(&word.event), word.event.title));
        lines.extend(word.sources.iter().take(SOURCES).map(|source| format!("    {}", ui::cited(source))));
        if word.sources.len() > SOURCES {
            lines.push(format!("    and {} more sources", word.sources.len() - SOURCES));
        }
        if word.sources.is_empty() {
            lines.push("    without a source".to_owned());
        }
    }
    lines
}

fn clash(found: &Misfit) -> String {
    let effect = &found.effect;
    format!(
        "{}: `{effect}` does not fit `{}`, which {} had left there",
        named(&found.event),
        found.stood,
        found.stood_by
    )
}

fn duplicates(events: &[Mention]) -> Vec<String> {
    let line = |(index, event): (usize, &Mention)| {
        format!("{}{}: {}", if index == 0 { "" } else { "  = " }, named(event), event.title)
    };
    events.iter().enumerate().map(line).collect()
}

fn false_precision(found: &FalsePrecision, suspects: u64) -> Section {
    let (count, of) = (thousands(found.found), counted(found.of, "date"));
    let percent = found.found * 100 / found.of.max(1);
    let (heading, advice) = match found.sign {
        Sign::FirstOfJanuary => (
            "Dates on 1 January",
            format!(
                "{count} of {of} with a day are on 1 January: {percent} %, where chance would put one in 365. Where the \
                 source knows only the year, say so with `annals revise ID --date YEAR`."
            ),
        ),
        Sign::YearInSource => (
            "Dates on 1 January whose source names the year",
            "The quotation names the year and no day. If no other source does, say so with `annals revise ID \
             --date YEAR`."
                .to_owned(),
        ),
        Sign::Midnight => (
            "Times at midnight",
            format!(
                "{count} of {of} with a time are exactly at midnight: {percent} %. Where nobody knows the time, \
                 leave it out with `annals revise ID --date DAY`."
            ),
        ),
    };
    let entry = |event: &annals_model::conflicts::Suspect| {
        vec![format!("{}: {}; perhaps {}", named(&event.event), event.event.title, event.suggested)]
    };
    Section { heading, advice, entries: found.events.iter().map(entry).collect(), count: suspects }
}

fn link(found: &BrokenLink) -> String {
    let BrokenLink { event, rel, to, to_date, fault } = found;
    let own = named(event);
    match fault {
        LinkFault::Contradicted => {
            format!("{own} {rel} {to} ({}): their dates rule that out", ui::dated(to_date.as_ref()))
        }
        LinkFault::Withdrawn => format!("{own} {rel} {to}, which was withdrawn"),
        LinkFault::Missing => format!("{own} {rel} {to}, which was never recorded"),
    }
}

fn stale(found: &Stale) -> Vec<String> {
    let mut lines = vec![named(&found.event)];
    for Outdated { rel, to, then, now } in &found.because {
        lines.push(format!(
            "  {rel} {to}: computed when that was dated {} (record {}); it {}",
            ui::dated(then.date.as_ref()),
            then.seq,
            became(now)
        ));
    }
    lines.push(match &found.today {
        Some(today) => {
            let flag = found.because.first().map_or("after", |changed| changed.rel);
            let to = found.because.first().map_or("ID", |changed| changed.to.as_str());
            format!("  today it would be {today}: annals revise {} --{flag} {to}", found.event.id)
        }
        None => "  today nothing can be computed from them".to_owned(),
    });
    lines
}

/// What became of an event that a date was computed from.
fn became(now: &Dated) -> String {
    match (now.op, &now.date) {
        (Op::Retract, _) => format!("was withdrawn (record {})", now.seq),
        (Op::Redact, _) => format!("was redacted (record {})", now.seq),
        (_, Some(date)) => format!("is now {date} (record {})", now.seq),
        (_, None) => format!("is now undated (record {})", now.seq),
    }
}
