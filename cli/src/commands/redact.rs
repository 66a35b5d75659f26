//! `annals redact`: erases the content of an event for good.

use annals_model::{Entry, EventId, Write};

use super::writing::{WriteArgs, write};
use crate::error::CliResult;
use crate::session::Session;

/// Erase the content of an event for good
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Every version of the event loses its content, and its retractions their reasons, in the log and in
all that is kept beside it: the index, and saved answers that depended on the event. It counts in no
answer any more, whatever moment is asked about. This cannot be undone.

What stays: the event's id and timeline, who recorded it and when, this reason, and who gives it:
put nothing into a reason that has to go. The log's roots stay as well, so that everything else can
still be proved.

What is out of reach: backups, exports and checkpoints of projections keep what they hold. The
storage keeps old pages until `annals compact`.

Run again it finishes what an interruption left.

Example:
  annals redact witness-7 --reason \"Erasure requested by the person concerned, case 2026-114\""
)]
pub struct Args {
    /// The event
    id: EventId,
    /// Why; it stays in the log
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    writing: WriteArgs,
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    let write_of = Write::Redact { id: args.id.clone(), reason: args.reason.clone() };
    write(session, vec![Entry::new(session.timeline().clone(), write_of)], &args.writing)
}
