//! `annals append`: records new events.

use std::path::PathBuf;

use annals_model::{Entry, Event, EventId, Write};

use super::flags::EventFlags;
use super::relative::RelativeFlags;
use super::writing::{WriteArgs, new_id, read_entries, record, write};
use crate::error::{CliError, CliResult};
use crate::session::Session;

/// Append an event, or many from a file
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  annals append --date 2004 --title \"UN peacekeepers arrive\" --set un-peacekeepers.status=present
  annals append --date \"circa 2010\" --title \"Cholera\" --increase cholera.deaths=9000 \\
      --source https://example.org/report --quote \"over 9,000\" --locator \"par. 8\"
  annals append --after un-2004 --before un-police-leave-2019 --title \"The force is enlarged\"
  annals append events.jsonl      many at once: all of them or none
  program | annals append -       JSON from standard input")]
pub struct Args {
    /// A file of JSON events, or - for standard input
    #[arg(value_name = "FILE", conflicts_with_all = ["date", "title", "id", "after", "before"])]
    file: Option<PathBuf>,
    /// The event's id [default: one is made]
    #[arg(long, value_name = "ID", help_heading = "Event")]
    id: Option<EventId>,
    #[command(flatten)]
    event: EventFlags,
    #[command(flatten)]
    relative: RelativeFlags,
    #[command(flatten)]
    writing: WriteArgs,
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    let Some(file) = &args.file else {
        let mut event = from_flags(args, session)?;
        let store = session.open()?;
        args.relative.apply(&mut event, session, &store)?;
        event.check()?;
        args.event.keep_files(&event, &store)?;
        let entry = Entry::new(session.timeline().clone(), Write::Append(Box::new(event)));
        return record(session, &store, vec![entry], &args.writing);
    };
    if !args.event.is_empty() {
        return Err(CliError::usage("an event comes from a file or from flags, not from both"));
    }
    let mut entries = Vec::new();
    for line in read_entries(file)? {
        let id = new_id(session)?;
        entries.push(line.into_entry(session.timeline(), || id));
    }
    write(session, entries, &args.writing)
}

fn from_flags(args: &Args, session: &Session) -> CliResult<Event> {
    let Some(title) = &args.event.title else {
        return Err(CliError::usage("an event needs a title").with_hint(
            "annals append --date 2004 --title \"What happened\"; `annals append --help` has examples",
        ));
    };
    let id = args.id.clone().map_or_else(|| new_id(session), Ok)?;
    let mut event = Event::new(id, title);
    args.event.apply(&mut event, session)?;
    event.check()?;
    Ok(event)
}
