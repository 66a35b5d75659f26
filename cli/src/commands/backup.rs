//! `annals backup`: copies the store to plain files elsewhere, and reads the copy again.

use std::cell::Cell;
use std::path::PathBuf;

use annals_core::backup::{Backup, ByTurns, Step, Updated};
use annals_core::hex;
use serde_json::json;

use crate::error::CliResult;
use crate::session::Session;
use crate::ui::{self, Progress, counted, thousands};

/// Copy the store to a directory elsewhere, or bring the copy there up to date
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "A backup is a directory of plain files that any tool can copy: the log byte for byte, the snapshots
and the attachments. A backup that is there already gets what is new. The whole copy is read again
and held against the root of the log before it takes the place of the older one; until then, and
after any failure, the older one is whole. Other commands get their turns meanwhile.
What was redacted since is erased in the backup, too; older copies elsewhere keep it.

Examples:
  annals backup /media/usb/haiti.backup
  annals verify /media/usb/haiti.backup
  annals restore /media/usb/haiti.backup"
)]
pub struct Args {
    /// The directory of the backup
    #[arg(value_name = "DEST")]
    destination: PathBuf,
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    let source = ByTurns { path: session.store_path()?, options: session.options() };
    let progress = Progress::of_count(session, "records copied");
    let is_checking = Cell::new(false);
    let backup = Backup::at(args.destination.clone());
    let updated = backup.update(&source, &source.options.holder, Session::threads(), |step| match step {
        Step::Copied(more, total) => progress.advance_of(more, total),
        Step::Checked(more, total) => {
            if !is_checking.replace(true) {
                progress.again("records read again");
            }
            progress.advance_of(more, total);
        }
    });
    progress.finish();
    tell(session, &args.destination, &updated?)
}

fn tell(session: &Session, destination: &std::path::Path, updated: &Updated) -> CliResult<()> {
    let held = &updated.held;
    let root = hex(&held.root);
    if !session.is_for_people() {
        return ui::print_json(
            session,
            &json!({
                "outcome": "backed up", "backup": destination, "records": held.records, "new": updated.new,
                "written_anew": updated.erased, "snapshots": held.snapshots, "attachments": held.attachments,
                "bytes": held.bytes, "bytes_written": updated.written, "log_root": root,
            }),
        );
    }
    let told = format!(
        "{} in {}: {} new, {}, {}; {} bytes, of which {} were written",
        counted(held.records.0, "record"),
        destination.display(),
        thousands(updated.new),
        counted(held.snapshots, "snapshot"),
        counted(held.attachments, "attachment"),
        thousands(held.bytes),
        thousands(updated.written),
    );
    ui::print_line(&told)?;
    if updated.erased > 0 {
        let told = format!("{} written anew, because something was erased since", thousands(updated.erased));
        ui::print_line(&told)?;
    }
    ui::print_line(&format!("read again, and whole: log root {root}"))
}
