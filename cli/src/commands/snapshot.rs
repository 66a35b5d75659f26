//! `annals snapshot`: answers that are kept in the store by a name, with their receipts.

use std::io::Write as _;
use std::process::ExitCode;

use annals_core::{Conflict, Error as EngineError, NotFound, SledLog, Snapshots, Store};
use annals_model::{Asked, SavedSnapshot, SnapshotName, suggest};
use serde_json::json;

use super::{checking, replay};
use crate::args::{QuestionArgs, RangeArgs, hinted};
use crate::error::{CliError, CliResult};
use crate::hints;
use crate::session::Session;
use crate::ui::{self, Table, thousands};

/// Keep answers by name, with receipts that say whether they still are the answers
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "A snapshot is the answer to one question, from the records that the log had by then. Its
receipt names them: it checks after any number of later records. What it says is never taken
from its file alone: `show` checks it first. Snapshots are in the store's `snapshots/`.

Examples:
  annals snapshot save before-the-vote --as-of 2023-10-01
  annals snapshot check before-the-vote
  annals snapshot show before-the-vote --format json > answer.json
  annals replay --check answer.json"
)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Answer a question and keep the answer
    Save(Box<Save>),
    /// List the snapshots, without checking them against the log
    List,
    /// Check a snapshot and show it
    Show {
        /// The snapshot
        #[arg(value_parser = hinted::<SnapshotName>)]
        name: SnapshotName,
    },
    /// Ask the question of a snapshot again: the same answer (exit code 0), or what differs (1)
    Check {
        /// The snapshot
        #[arg(value_parser = hinted::<SnapshotName>)]
        name: SnapshotName,
    },
    /// Remove a snapshot; the log stays as it is
    Rm {
        /// The snapshot
        #[arg(value_parser = hinted::<SnapshotName>)]
        name: SnapshotName,
    },
}

#[derive(Debug, clap::Args)]
struct Save {
    /// What to call it
    #[arg(value_parser = hinted::<SnapshotName>)]
    name: SnapshotName,
    /// Only these entities
    #[arg(value_name = "ENTITY")]
    entities: Vec<String>,
    /// Replace a snapshot of that name
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    question: QuestionArgs,
    #[command(flatten)]
    range: RangeArgs,
}

pub fn run(args: &Args, session: &Session) -> CliResult<ExitCode> {
    match &args.action {
        Action::Save(args) => save(args, session)?,
        Action::List => list(session)?,
        Action::Show { name } => show(name, session)?,
        Action::Check { name } => {
            let store = session.open()?;
            let check = store.check(&load(&store, name)?)?;
            session.after_index(&store)?;
            // Whoever reads the output may take their time; others need the store.
            drop(store);
            return checking::tell(session, &check);
        }
        Action::Rm { name } => {
            let store = session.open()?;
            let snapshots = store.log().snapshots();
            snapshots.remove(name).map_err(|e| explain(&snapshots, e))?;
            tell(session, &format!("removed {name}"), &json!({ "outcome": "removed", "name": name }))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn save(args: &Save, session: &Session) -> CliResult<()> {
    let mut question = args.question.question(session, &args.range)?;
    question.entities.clone_from(&args.entities);
    let store = session.open()?;
    let snapshot = store.replay(&question).map_err(|e| hints::explain(&store, e))?;
    session.after_index(&store)?;
    let snapshots = store.log().snapshots();
    let replaced = snapshots.save(&args.name, &snapshot, args.force).map_err(|e| explain(&snapshots, e))?;
    drop(store);
    let (name, seq) = (&args.name, snapshot.receipt.seq);
    let outcome = if replaced { "replaced" } else { "saved" };
    let Asked { timeline, as_of, .. } = &snapshot.asked;
    let told = format!("{outcome} {name}: {timeline} as of {as_of}, known at record {seq}");
    tell(session, &told, &json!({ "outcome": outcome, "name": name, "receipt": snapshot.receipt }))
}

fn list(session: &Session) -> CliResult<()> {
    let store = session.open()?;
    let snapshots = store.log().snapshots();
    let names = snapshots.names()?;
    if !session.is_for_people() {
        // One after the other: answers are large.
        let entries: Vec<serde_json::Value> =
            names.iter().map(|name| entry(name, &snapshots.load(name))).collect();
        drop(store);
        return ui::print_json(session, &json!({ "schema": "annals/snapshots/1", "snapshots": entries }));
    }
    let mut table = Table::new(&["NAME", "TIMELINE", "AS OF", "KNOWN AT", "CERTAINTY", "VALUES", "FILE"]);
    for name in &names {
        let Ok(saved) = snapshots.load(name) else {
            table.row([name.as_str(), "", "", "", "", "", "unreadable"]);
            continue;
        };
        let question = saved.question();
        let (as_of, known_at) = (question.as_of.to_string(), format!("@{}", saved.receipt().seq));
        table.row([
            name.as_str(),
            question.timeline.as_str(),
            as_of.as_str(),
            known_at.as_str(),
            question.certainty.as_str(),
            thousands(saved.values() as u64).as_str(),
            state(&saved).as_str(),
        ]);
    }
    drop(store);
    let mut out = ui::out();
    if names.is_empty() {
        ui::note(session, "no snapshots; `annals snapshot save NAME` keeps one")?;
    } else {
        write!(out, "{table}")?;
    }
    Ok(out.flush()?)
}

/// What the file shows of itself.
fn state(saved: &SavedSnapshot) -> String {
    match saved.erasure() {
        Some(erasure) => format!("redacted at seq {}", erasure.seq),
        None if saved.faults().is_empty() => "whole".to_owned(),
        None => "altered".to_owned(),
    }
}

fn entry(name: &SnapshotName, saved: &Result<SavedSnapshot, EngineError>) -> serde_json::Value {
    let saved = match saved {
        Ok(saved) => saved,
        Err(error) => return json!({ "name": name, "error": error.to_string() }),
    };
    let question = saved.question();
    json!({
        "name": name, "timeline": question.timeline, "as_of": question.as_of.date(),
        "certainty": question.certainty, "filter": question.filter, "entities": question.entities,
        "seq": saved.receipt().seq, "values": saved.values(), "altered": !saved.faults().is_empty(), "redacted": saved.erasure(),
    })
}

/// Shows a snapshot that the log vouches for, and no other.
fn show(name: &SnapshotName, session: &Session) -> CliResult<()> {
    let store = session.open()?;
    let saved = load(&store, name)?;
    let check = store.check(&saved)?;
    session.after_index(&store)?;
    if !check.same {
        let what = check.reasons.first().map_or("", |finding| &finding.what);
        let message = format!("the snapshot {name} is not shown: {what}");
        let error = if check.is_damaged() { CliError::damaged(message) } else { CliError::failed(message) };
        return Err(error.with_hint(format!("`annals snapshot check {name}` says what differs")));
    }
    // The check has found both to be the same.
    let snapshot = store.replay(saved.question())?;
    drop(store);
    if session.is_for_people() { replay::print(&snapshot) } else { ui::print_json(session, &snapshot) }
}

fn load(store: &Store<SledLog>, name: &SnapshotName) -> CliResult<SavedSnapshot> {
    let snapshots = store.log().snapshots();
    snapshots.load(name).map_err(|e| explain(&snapshots, e))
}

/// The error as the user is told it, with the next step.
fn explain(snapshots: &Snapshots, error: EngineError) -> CliError {
    match &error {
        EngineError::NotFound(NotFound::Snapshot(wanted)) => {
            let names = snapshots.names().unwrap_or_default();
            let near = suggest::nearest(wanted.as_str(), names.iter().map(SnapshotName::as_str));
            let hint = near.map_or_else(
                || "`annals snapshot list` shows the names".to_owned(),
                |near| format!("did you mean {near}?"),
            );
            CliError::from(error).with_hint(hint)
        }
        EngineError::Conflict(Conflict::Snapshot(_)) => CliError::failed(error.to_string())
            .with_hint("give it another name, or replace the old one with --force"),
        // The hint of damage speaks of the log, which is not what is damaged here.
        EngineError::Damaged(damage) => CliError::damaged(damage.to_string()).with_hint(
            "the log is not affected: save it anew with --force, or remove it with `annals snapshot rm`",
        ),
        _ => error.into(),
    }
}

fn tell(session: &Session, text: &str, json: &serde_json::Value) -> CliResult<()> {
    if session.is_for_people() { ui::print_line(text) } else { ui::print_json(session, json) }
}
