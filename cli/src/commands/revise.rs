//! `annals revise`: records an event anew.

use std::path::PathBuf;

use annals_core::StoredRecord;
use annals_model::{Entry, Event, EventId, Seq, Write};
use clap::ValueEnum;

use super::flags::EventFlags;
use super::relative::RelativeFlags;
use super::writing::{WriteArgs, explain, read_entries, tell};
use crate::error::{CliError, CliResult};
use crate::hints;
use crate::session::Session;

/// Correct an event
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "What the flags do not name stays as it was. A list that is given replaces the whole list;
--attach without --source adds a source.
The old version stays in the log, and in every answer as known before.
A date is computed anew from --after and --before, and from the links of both kinds that stay.

Examples:
  annals revise resolution-2023 --date 2023-10-02
  annals revise un-2004 --without place --tag peacekeeping --tag UN
  annals revise enlargement --after un-2004      where the date of un-2004 has changed
  annals revise un-2004 --json un-2004.json      the whole event anew"
)]
pub struct Args {
    /// The event
    id: EventId,
    #[command(flatten)]
    event: EventFlags,
    #[command(flatten)]
    relative: RelativeFlags,
    /// What the event no longer says
    #[arg(long, value_name = "FIELD", value_enum, help_heading = "Event")]
    without: Vec<Field>,
    /// The whole event anew from a JSON file, or - for standard input
    #[arg(long, value_name = "FILE", hide_short_help = true, help_heading = "Event")]
    json: Option<PathBuf>,
    #[command(flatten)]
    writing: WriteArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Field {
    Date,
    Kind,
    Description,
    Actors,
    Place,
    Tags,
    Sources,
    Confidence,
    Links,
    Effects,
    Extra,
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    let unchanged = args.event.is_empty() && args.relative.is_empty() && args.without.is_empty();
    if unchanged == args.json.is_none() {
        return Err(CliError::usage(
            "say what is to be corrected: by flags, or by a whole event with --json",
        )
        .with_hint("annals revise ID --date 2023-10-02"));
    }
    let store = session.open()?;
    let event = if let Some(file) = &args.json {
        whole(args, session, file)?
    } else {
        let history = store.history(session.timeline(), &args.id);
        let mut event = corrected(args, session, &history.map_err(|e| hints::explain(&store, e))?)?;
        args.relative.apply(&mut event, session, &store)?;
        event
    };
    event.check()?;
    args.event.keep_files(&event, &store)?;
    let entry = Entry::new(session.timeline().clone(), Write::Revise(Box::new(event)));
    let written = store.write(vec![entry], session.host(), &args.writing.options());
    let answers = written.map_err(|failed| explain(&store, failed, false))?;
    session.remark(&store)?;
    tell(session, &answers)
}

fn whole(args: &Args, session: &Session, file: &std::path::Path) -> CliResult<Event> {
    let mut lines = read_entries(file)?;
    let (Some(line), true) = (lines.pop(), lines.is_empty()) else {
        return Err(CliError::failed("a revision takes one event").with_hint("`annals import` takes many"));
    };
    match line.into_entry(session.timeline(), || args.id.clone()).write {
        Write::Append(event) | Write::Revise(event) if event.id == args.id => Ok(*event),
        Write::Append(event) | Write::Revise(event) => {
            Err(CliError::failed(format!("the file holds the event {}, not {}", event.id, args.id)))
        }
        Write::Retract { .. } => Err(CliError::failed("the file holds a retraction")),
        Write::Redact { .. } | Write::Erased { .. } => Err(CliError::failed("the file holds a redaction")),
    }
}

/// The event's last version, with what the flags say in its place. A retracted event comes back.
fn corrected(args: &Args, session: &Session, history: &[StoredRecord]) -> CliResult<Event> {
    let last = history.iter().rev().find_map(|stored| stored.record.content.event());
    let Some(last) = last else {
        let seq = history.last().map_or(Seq(0), |stored| stored.record.seq);
        let message = format!("{} was redacted at seq {seq}: nothing is left to correct", args.id);
        let hint = "record what may be kept as a new event with another id";
        return Err(CliError::failed(message).with_hint(hint));
    };
    let mut event = last.clone();
    for field in &args.without {
        match field {
            Field::Date => event.date = None,
            Field::Kind => event.kind = None,
            Field::Description => event.description = None,
            Field::Actors => event.actors.clear(),
            Field::Place => event.place = None,
            Field::Tags => event.tags.clear(),
            Field::Sources => event.sources.clear(),
            Field::Confidence => event.confidence = None,
            Field::Links => event.links.clear(),
            Field::Effects => event.effects.clear(),
            Field::Extra => event.extra = None,
        }
    }
    args.event.apply(&mut event, session)?;
    Ok(event)
}
