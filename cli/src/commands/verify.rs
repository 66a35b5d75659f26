//! `annals verify`: checks the whole store against itself and against a checkpoint; a backup, or a proof, without a store.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use annals_core::backup::Backup;
use annals_core::proof::checkpoint::Checkpoint;
use annals_core::proof::timestamp::Stamped;
use annals_core::{Damage, Inventory, Report, SledOptions, hex};
use serde_json::json;

use super::checked::{self, Trust};
use crate::error::{CliError, CliResult};
use crate::files;
use crate::session::Session;
use crate::ui::{self, Progress, counted, safe};

/// Check the whole store against itself, or against what others hold
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Reads every frame, envelope and leaf, the tree of hashes against the head file, the ids and the
versions, and the attachments against the hashes that the log holds. Damage is named by the records
that it affects, and the exit code is 4.

With --checkpoint the root is computed at the checkpoint's size, too: the log still has to
contain all that the checkpoint has seen. A token of a time-stamping authority (RFC 3161) beside
it, CHECKPOINT.tsr, is checked, too; --tsa-cert is the authority's own certificate. No chain of
certificates is followed. A backup or a proof needs no store.

Examples:
  annals verify
  annals verify /media/usb/haiti.backup
  annals verify --checkpoint checkpoint.txt --public-key desk.pub
  annals verify --proof proof.json --checkpoint checkpoint.txt --public-key desk.pub
  annals verify --proof evidence/"
)]
pub struct Args {
    /// A backup to check instead of the store
    #[arg(value_name = "BACKUP", conflicts_with_all = ["checkpoint", "public_key", "proof"])]
    backup: Option<PathBuf>,
    /// Whether the log still contains all that this checkpoint has seen
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// The checkpoint has to be signed by this key, or one of these: NAME+ID+KEY, or a file with it
    #[arg(long, value_name = "KEY")]
    public_key: Vec<String>,
    /// The token beside the checkpoint has to be signed with this certificate of the authority
    #[arg(long, value_name = "PEM", requires = "checkpoint")]
    tsa_cert: Option<PathBuf>,
    /// Check this proof, or this evidence, and no store
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    if let Some(path) = &args.backup {
        return backup(path, session);
    }
    let trust = Trust::read(args.checkpoint.as_deref(), &args.public_key, args.tsa_cert.as_deref())?;
    if let Some(proof) = &args.proof {
        return checked::proof(proof, &trust, session);
    }
    if trust.checkpoint.is_none() && !trust.keys.is_empty() {
        return Err(CliError::usage("--public-key goes with --checkpoint or --proof"));
    }
    store(args, &trust, session)
}

fn store(args: &Args, trust: &Trust, session: &Session) -> CliResult<()> {
    let signed_by = trust.signed_by()?;
    let options = SledOptions { check_head: false, ..session.options() };
    let store = session.open_with(&options)?;
    let head_file = store.log().witness();
    let checkpoint = args.checkpoint.as_deref().zip(trust.checkpoint.as_ref());
    let name = checkpoint.map_or(String::new(), |(path, _)| format!("the checkpoint {}", path.display()));
    let mut witnesses: Vec<_> = head_file.iter().map(|witness| ("the head file", *witness)).collect();
    witnesses.extend(checkpoint.map(|(_, checkpoint)| (name.as_str(), checkpoint.witness())));
    let progress = Progress::of_work(session);
    let report = store.verify_against(&witnesses, &mut |done| progress.rate(done, "records read"));
    progress.finish();
    let mut report = report?;
    if head_file.is_none() {
        let what = "the head file is missing or unreadable: whether the log has lost its end cannot be told";
        report.damage.push(Damage::new(what));
    }
    let named = std::mem::take(&mut report.attachments);
    // Where the log is damaged it cannot say which files it names.
    let mut attachments =
        if report.damage.is_empty() { store.log().attachments().check(named)? } else { Inventory::default() };
    report.damage.append(&mut attachments.damage);
    drop(store);
    tell(session, &report, &attachments, checkpoint, trust, signed_by.as_deref())?;
    trust.remark(session)?;
    match report.damage.len() as u64 {
        0 => Ok(()),
        count => Err(CliError::damaged(format!("the store is damaged in {}", counted(count, "place")))
            .with_hint("take a copy of the store before anything else")),
    }
}

fn tell(
    session: &Session,
    report: &Report,
    attachments: &Inventory,
    checkpoint: Option<(&Path, &Checkpoint)>,
    trust: &Trust,
    signed_by: Option<&[String]>,
) -> CliResult<()> {
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
        if let Some((path, checkpoint)) = checkpoint.filter(|_| damage.is_empty()) {
            let seen = counted(checkpoint.size(), "record");
            let signed = signed_by.map_or(String::new(), |by| format!(", signed by {}", by.join(" and ")));
            let line = format!("contains all that {} has seen: {seen}{signed}", path.display());
            writeln!(out, "{}", safe(&line))?;
            if let Some(stamp) = trust.stamp() {
                writeln!(out, "{}", safe(&stamp))?;
            }
        }
        out.flush()?;
        if !attachments.orphans.is_empty() {
            let orphans = counted(attachments.orphans.len() as u64, "attachment");
            ui::note(session, &format!("no event names {orphans}; `annals attachment list` shows them"))?;
        }
        return Ok(());
    }
    let records = json!({ "records": report.records, "frames": report.frames, "events": report.events });
    let kept = json!({ "kept": attachments.kept, "orphans": attachments.orphans });
    let mut answer = json!({
        "schema": "annals/verify/1", "read": records, "timelines": report.timelines,
        "attachments": kept, "log_root": hex(&report.root), "damage": damage,
    });
    if let Some((path, checkpoint)) = checkpoint {
        answer["checkpoint"] = json!({
            "file": files::shown(path), "origin": checkpoint.origin(), "tree_size": checkpoint.size(),
            "root": hex(checkpoint.root()), "signed_by": signed_by,
        });
        if let Some(Stamped { time, signed_by }) = &trust.stamped {
            answer["checkpoint"]["timestamp"] = json!({ "time": time, "signed_by": signed_by });
        }
    }
    ui::print_json(session, &answer)
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
