//! `annals stats`: what the store holds.

use std::io::Write as _;

use annals_core::{Durability, Log, hex};
use annals_model::{KnownAt, RecordedAt, Seq};
use serde_json::json;

use crate::error::CliResult;
use crate::session::Session;
use crate::ui::{self, Table, safe, thousands};

/// Show what the store holds
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: &Args, session: &Session) -> CliResult<()> {
    let store = session.open()?;
    let log = store.log();
    let head = log.head()?;
    let first =
        if head.seq() > Seq(0) { store.position(KnownAt::Position(Seq(1)))?.recorded_at } else { None };
    let timelines = log.timelines()?;
    let mut events = Vec::with_capacity(timelines.len());
    session.before_dates(&store)?;
    let counts = store.event_counts()?;
    session.after_dates(&store)?;
    for (name, version) in &timelines {
        events.push((name, *version, counts.get(name).copied().unwrap_or(0)));
    }
    let size = log.size_on_disk()?;
    let durability = match log.durability() {
        Durability::Each => "each",
        Durability::Os => "os",
    };
    let root = hex(&head.frontier.root());
    if !session.is_for_people() {
        let timelines: Vec<_> = events
            .iter()
            .map(|(name, version, count)| json!({ "timeline": name, "version": version, "events": count }))
            .collect();
        let answer = json!({
            "schema": "annals/stats/1", "store": log.path(), "durability": durability,
            "records": head.seq(), "first_recorded_at": first, "last_recorded_at": head.recorded_at,
            "log_root": root, "bytes": size, "timelines": timelines,
        });
        return ui::print_json(session, &answer);
    }
    let mut out = ui::out();
    let time = |at: Option<RecordedAt>| at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    let lines = [
        ("store", log.path().display().to_string()),
        ("durability", format!("{durability}: {}", told(log.durability()))),
        ("records", thousands(head.seq().0)),
        ("first", time(first)),
        ("last", time(head.recorded_at)),
        ("log root", root),
        ("on disk", format!("{} bytes", thousands(size))),
    ];
    for (name, value) in lines {
        writeln!(out, "{name:<12}{}", safe(&value))?;
    }
    if !events.is_empty() {
        let mut table = Table::new(&["TIMELINE", "VERSION", "EVENTS"]);
        for (name, version, count) in &events {
            table.row([name.as_str(), &thousands(version.0), &thousands(*count)]);
        }
        write!(out, "\n{table}")?;
    }
    Ok(out.flush()?)
}

const fn told(durability: Durability) -> &'static str {
    match durability {
        Durability::Each => "what is answered is on the disk",
        Durability::Os => "a power cut may lose the last records",
    }
}
