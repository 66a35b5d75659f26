//! What an error about a name that is not there is answered with: the nearest name that is.

use std::collections::BTreeSet;

use annals_core::{Error as EngineError, Log, NotFound, SledLog, Store};
use annals_model::{EventId, TimelineName, Version, suggest};

use crate::error::{CliError, CliResult};
use crate::session::Session;
use crate::ui;

/// Timelines that are listed in a hint.
const LISTED: usize = 20;

/// The last records, whose ids are read for a hint: it must not take longer than the answer would have.
const QUICKLY_READ: u64 = 50_000;

/// Makes sure that the store has the timeline.
pub fn require(store: &Store<SledLog>, timeline: &TimelineName) -> CliResult<()> {
    if store.log().version(timeline)? > Version(0) {
        return Ok(());
    }
    Err(explain(store, NotFound::Timeline(timeline.clone()).into()))
}

/// The error as the user is told it.
pub fn explain(store: &Store<SledLog>, error: EngineError) -> CliError {
    let EngineError::NotFound(missing) = &error else { return error.into() };
    let hint = match missing {
        NotFound::Timeline(name) => timeline_hint(store, name),
        NotFound::Event { timeline, id } => Some(event(store, timeline, id)),
        _ => None,
    };
    hint.into_iter().fold(CliError::from(error), CliError::with_hint)
}

/// Says of each entity that no event changes which one may be meant.
pub fn unknown_entities(session: &Session, entities: &BTreeSet<String>, wanted: &[String]) -> CliResult<()> {
    for wanted in wanted.iter().filter(|wanted| !entities.contains(*wanted)) {
        let near = suggest::nearest(wanted, entities.iter().map(String::as_str));
        let near = near.map_or(String::new(), |near| format!("; did you mean {near}?"));
        ui::note(session, &format!("no event changes an entity {wanted}{near}"))?;
    }
    Ok(())
}

fn timeline_hint(store: &Store<SledLog>, wanted: &TimelineName) -> Option<String> {
    let timelines = store.log().timelines().ok()?;
    let names: Vec<&str> = timelines.iter().map(|(name, _)| name.as_str()).collect();
    if let Some(near) = suggest::nearest(wanted.as_str(), names.iter().copied()) {
        return Some(format!("did you mean `--timeline {near}`?"));
    }
    Some(match names.len() {
        0 => "the store is empty: record something with `annals append` or `annals import`".to_owned(),
        1..=LISTED => format!("choose with `--timeline`: {}", names.join(", ")),
        _ => "`annals stats` lists the timelines".to_owned(),
    })
}

/// Which event may be meant by an id that there is not.
pub fn event(store: &Store<SledLog>, timeline: &TimelineName, wanted: &EventId) -> String {
    if matches!(store.log().version(timeline), Ok(Version(0))) {
        return format!("timeline {timeline} has no events; `--timeline` chooses another");
    }
    let ids = store.recent_ids(timeline, QUICKLY_READ).unwrap_or_default();
    match suggest::nearest(wanted.as_str(), ids.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {near}?"),
        None => "`annals list` shows the ids".to_owned(),
    }
}
