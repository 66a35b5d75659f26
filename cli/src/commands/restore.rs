//! `annals restore`: makes a store of a backup.

use std::path::PathBuf;

use annals_core::backup::Backup;
use annals_core::hex;
use serde_json::json;

use crate::error::CliResult;
use crate::session::{STORE_DIRECTORY, Session};
use crate::ui::{self, Progress, counted};

/// Make a store of a backup
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "The store has the same records, byte for byte, under the same log root. It is made beside its place
and checked before it is put there. A store that holds records is never replaced without --force,
and even then moved aside and not deleted.

Examples:
  annals restore /media/usb/haiti.backup
  annals --store elsewhere restore /media/usb/haiti.backup"
)]
pub struct Args {
    /// The directory of the backup
    #[arg(value_name = "SRC")]
    source: PathBuf,
    /// Move a store that holds records aside
    #[arg(long)]
    force: bool,
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    // Where no store is named and none is near, the new one is made here.
    let path = session.store_path().unwrap_or_else(|_| PathBuf::from(STORE_DIRECTORY));
    let progress = Progress::of_count(session, "records restored");
    let backup = Backup::at(args.source.clone());
    let total = backup.held()?.map_or(0, |held| held.records.0);
    let restored = backup.restore(&path, &session.options(), args.force, Session::threads(), |more| {
        progress.advance_of(more, total);
    });
    progress.finish();
    let restored = restored?;
    let held = &restored.held;
    let root = hex(&held.root);
    if !session.is_for_people() {
        let answer = json!({
            "outcome": "restored", "store": path, "records": held.records, "snapshots": held.snapshots,
            "attachments": held.attachments, "log_root": root, "moved_aside": restored.aside,
        });
        return ui::print_json(session, &answer);
    }
    if let Some(aside) = &restored.aside {
        ui::print_line(&format!("moved the store that was there to {}", aside.display()))?;
    }
    ui::print_line(&format!(
        "restored {} to {}, with {} and {}: log root {root}",
        counted(held.records.0, "record"),
        path.display(),
        counted(held.snapshots, "snapshot"),
        counted(held.attachments, "attachment"),
    ))
}
