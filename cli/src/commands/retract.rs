//! `annals retract`: withdraws an event.

use annals_model::{Entry, EventId, Write};

use super::writing::{WriteArgs, write};
use crate::error::CliResult;
use crate::session::Session;

/// Withdraw an event
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "The event stays in the log and in every answer as known before. `annals revise` brings it back.

Example:
  annals retract kenya-offer-2023 --reason \"The source withdrew the report\""
)]
pub struct Args {
    /// The event
    id: EventId,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    writing: WriteArgs,
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    let write_of = Write::Retract { id: args.id.clone(), reason: args.reason.clone() };
    write(session, vec![Entry::new(session.timeline().clone(), write_of)], &args.writing)
}
