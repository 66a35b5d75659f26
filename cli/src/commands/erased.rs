//! What commands say of events whose content was redacted: that they were, when, by whom and why.

use annals_core::{SledLog, Store};
use annals_model::{Content, Question, Record, Seq, TimelineName};

use crate::error::CliResult;
use crate::session::Session;
use crate::ui;

/// Redacted events that are told one by one.
const SHOWN: usize = 5;

/// What is told of each redacted event beside a list, which knows whether there may be any.
pub fn told_beside(
    store: &Store<SledLog>,
    question: &Question,
    has_redactions: bool,
) -> CliResult<Vec<String>> {
    if !has_redactions {
        return Ok(Vec::new());
    }
    told(store, &question.timeline, store.position(question.known_at)?.seq)
}

/// What is told of each redacted event that was there at a position.
pub fn told(store: &Store<SledLog>, timeline: &TimelineName, position: Seq) -> CliResult<Vec<String>> {
    let redactions = store.redactions(timeline, position)?;
    Ok(redactions.iter().map(|record| format!("{} was {}", record.id, because(record))).collect())
}

/// Says it on standard error, beside an answer that these events are missing from.
pub fn note(session: &Session, told: &[String]) -> CliResult<()> {
    for told in told.iter().take(SHOWN) {
        ui::note(session, told)?;
    }
    match told.len().checked_sub(SHOWN) {
        Some(more @ 1..) => ui::note(session, &format!("{more} more were redacted; `annals log` shows them")),
        _ => Ok(()),
    }
}

/// `redacted at seq 17 by zoë: the reason`.
pub fn because(redaction: &Record) -> String {
    let Record { seq, recorded_by, content, .. } = redaction;
    let reason = if let Content::Reason(reason) = content { format!(": {reason}") } else { String::new() };
    format!("redacted at seq {seq} by {recorded_by}{reason}")
}
