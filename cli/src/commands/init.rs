//! `annals init`: makes an empty store.

use std::path::PathBuf;

use annals_core::{Durability, SledLog, SledOptions};
use serde_json::json;

use crate::args::hinted;
use crate::error::CliResult;
use crate::session::{STORE_DIRECTORY, Session};
use crate::ui;

/// Make a store
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  annals init               make .annals here
  annals init cases/haiti   make .annals in another directory
  annals --store FILE init  make the store exactly there")]
pub struct Args {
    /// The directory that the store belongs to [default: here]
    path: Option<PathBuf>,
    /// When a write is answered: once it is on the disk (each), or once the system has it (os), which a power cut
    /// may lose
    #[arg(long, value_name = "WHEN", default_value = "each", value_parser = hinted::<Durability>)]
    durability: Durability,
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    let path = match (&args.path, session.named_store()) {
        (Some(directory), _) => directory.join(STORE_DIRECTORY),
        (None, Some(path)) => path.to_owned(),
        (None, None) => PathBuf::from(STORE_DIRECTORY),
    };
    SledLog::create(&path, &SledOptions { durability: args.durability, ..session.options() })?;
    if session.is_for_people() {
        return ui::print_line(&format!("made an empty store at {}", path.display()));
    }
    ui::print_json(session, &json!({ "outcome": "created", "store": path }))
}
