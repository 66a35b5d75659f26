//! `annals verify`: checks the whole store against itself.

use std::io::Write as _;

use annals_core::{Damage, SledOptions, hex};
use serde_json::json;

use crate::error::{CliError, CliResult};
use crate::session::Session;
use crate::ui::{self, counted, safe};

/// Check the whole store against itself
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Reads every frame, envelope and leaf, the tree of hashes against the head file, the ids and the
versions. Damage is named by the records that it affects, and the exit code is 4."
)]
pub struct Args {}

pub fn run(_: &Args, session: &Session) -> CliResult<()> {
    let options = SledOptions { check_head: false, ..session.options() };
    let store = session.open_with(&options)?;
    let witness = store.log().witness();
    let mut report = store.verify(witness)?;
    if witness.is_none() {
        let what = "the head file is missing or unreadable: whether the log has lost its end cannot be told";
        report.damage.push(Damage::new(what));
    }
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
        if damage.is_empty() {
            writeln!(out, "no damage")?;
        }
        out.flush()?;
    } else {
        let records = json!({ "records": report.records, "frames": report.frames, "events": report.events });
        let answer = json!({
            "schema": "annals/verify/1", "read": records, "timelines": report.timelines,
            "log_root": hex(&report.root), "damage": damage,
        });
        ui::print_json(session, &answer)?;
    }
    match damage.len() as u64 {
        0 => Ok(()),
        count => Err(CliError::damaged(format!("the store is damaged in {}", counted(count, "place")))
            .with_hint("take a copy of the store before anything else")),
    }
}
