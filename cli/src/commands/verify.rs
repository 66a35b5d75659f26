//! `annals verify`: checks the whole store against itself, or a backup against its root.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use annals_core::backup::Backup;
use annals_core::{Damage, Inventory, SledOptions, hex};
use serde_json::json;

use crate::error::{CliError, CliResult};
use crate::session::Session;
use crate::ui::{self, Progress, counted, safe};

/// Check the whole store against itself, or a backup
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Reads every frame, envelope and leaf, the tree of hashes against the head file, the ids and the
versions, and the attachments against the hashes that the log holds. Damage is named by the records
that it affects, and the exit code is 4.

Examples:
  annals verify
  annals verify /media/usb/haiti.backup      a backup, which needs no store"
)]
pub struct Args {
    /// A backup to check instead of the store
    #[arg(value_name = "BACKUP")]
    backup: Option<PathBuf>,
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    match &args.backup {
        Some(path) => backup(path, session),
        None => store(session),
    }
}

fn store(session: &Session) -> CliResult<()> {
    let options = SledOptions { check_head: false, ..session.options() };
    let store = session.open_with(&options)?;
    let witness = store.log().witness();
    let mut report = store.verify(witness)?;
    if witness.is_none() {
        let what = "the head file is missing or unreadable: whether the log has lost its end cannot be told";
        report.damage.push(Damage::new(what));
    }
    let named = std::mem::take(&mut report.attachments);
    // Where the log is damaged it cannot say which files it names.
    let attachments =
        if report.damage.is_empty() { store.log().attachments().check(named)? } else { Inventory::default() };
    report.damage.extend(attachments.damage);
    let damage: Vec<String> = report.damage.iter().map(ToString::to_string).collect();
    if session.is_for_people() {
        let mut out = ui::out();
        for damage in &damage {
            writeln!(out, "{}", safe(damage))?;
        }
        let read = format!(
            "read {} in {}, {}, {}",
            counted(report.records, "record"),
            counted(report.frames, "frame"),
            counted(report.events, "event"),
            counted(report.timelines, "timeline"),
        );
        writeln!(out, "{read}\nlog root {}", hex(&report.root))?;
        if attachments.kept > 0 {
            writeln!(out, "read {}", counted(attachments.kept, "attachment"))?;
        }
        if damage.is_empty() {
            writeln!(out, "no damage")?;
        }
        out.flush()?;
        if !attachments.orphans.is_empty() {
            let orphans = counted(attachments.orphans.len() as u64, "attachment");
            ui::note(session, &format!("no event names {orphans}; `annals attachment list` shows them"))?;
        }
    } else {
        let records = json!({ "records": report.records, "frames": report.frames, "events": report.events });
        let files = json!({ "kept": attachments.kept, "orphans": attachments.orphans });
        let answer = json!({
            "schema": "annals/verify/1", "read": records, "timelines": report.timelines,
            "attachments": files, "log_root": hex(&report.root), "damage": damage,
        });
        ui::print_json(session, &answer)?;
    }
    match damage.len() as u64 {
        0 => Ok(()),
        count => Err(CliError::damaged(format!("the store is damaged in {}", counted(count, "place")))
            .with_hint("take a copy of the store before anything else")),
    }
}

fn backup(path: &Path, session: &Session) -> CliResult<()> {
    let backup = Backup::at(path.to_owned());
    let progress = Progress::of_count(session, "records read");
    let total = backup.held()?.map_or(0, |held| held.records.0);
    let verified = backup.verify(Session::threads(), |more| progress.advance_of(more, total));
    progress.finish();
    let held = verified.map_err(|error| match error {
        annals_core::Error::Damaged(damage) => CliError::damaged(format!("the backup is damaged: {damage}"))
            .with_hint("make another one of the store: `annals backup DEST`"),
        other => other.into(),
    })?;
    let root = hex(&held.root);
    if !session.is_for_people() {
        let answer = json!({
            "schema": "annals/verify/1", "backup": path, "read": { "records": held.records },
            "snapshots": held.snapshots, "attachments": held.attachments, "log_root": root, "damage": [],
        });
        return ui::print_json(session, &answer);
    }
    let recorded = held.recorded_at.map_or_else(String::new, |at| format!(", the last of {at}"));
    ui::print_line(&format!(
        "read {}{recorded}, {}, {}\nlog root {root}\nno damage",
        counted(held.records.0, "record"),
        counted(held.snapshots, "snapshot"),
        counted(held.attachments, "attachment"),
    ))
}
