//! What the writing commands share: the flags, reading JSON, and telling what was done.

use std::io::Read;
use std::path::Path;

use annals_core::{Failed, SledLog, Store, WriteOptions, new_event_id};
use annals_model::line::Line;
use annals_model::{Entry, EventId, Expectation, Invalid, Outcome, Written};
use serde_json::value::RawValue;

use crate::args::hinted;
use crate::error::{CliError, CliResult};
use crate::hints;
use crate::host::user_name;
use crate::session::Session;
use crate::ui;

/// The flags of every command that records something.
#[derive(Clone, Debug, clap::Args)]
pub struct WriteArgs {
    /// Who records it [default: the user's name]
    #[arg(
        long,
        value_name = "NAME",
        env = "ANNALS_AUTHOR",
        hide_env_values = true,
        help_heading = "Recording"
    )]
    by: Option<String>,
    /// What the timeline's version must be: any, empty, exists, or a number
    #[arg(long, value_name = "VERSION", default_value = "any", value_parser = hinted::<Expectation>, help_heading = "Recording")]
    expect: Expectation,
}

impl WriteArgs {
    /// How the engine is to write.
    pub fn options(&self) -> WriteOptions {
        let author = self.by.clone().unwrap_or_else(user_name);
        WriteOptions { expect: self.expect, ..WriteOptions::by(author) }
    }
}

/// Records entries as one batch and tells what became of each.
pub fn write(session: &Session, entries: Vec<Entry>, args: &WriteArgs) -> CliResult<()> {
    record(session, &session.open()?, entries, args)
}

/// The same in a store that is open already.
pub fn record(
    session: &Session,
    store: &Store<SledLog>,
    entries: Vec<Entry>,
    args: &WriteArgs,
) -> CliResult<()> {
    let many = entries.len() > 1;
    let answers = store
        .write(entries, session.host(), &args.options())
        .map_err(|failed| explain(store, failed, many))?;
    session.remark(store)?;
    tell(session, &answers)?;
    let is_erasure =
        |answer: &Written| matches!(answer.outcome, Outcome::Redacted | Outcome::AlreadyRedacted);
    session.after_erasure(store, answers.iter().any(is_erasure))
}

/// What a refused batch looks like to the user.
pub fn explain(store: &Store<SledLog>, failed: Failed, many: bool) -> CliError {
    let error = hints::explain(store, failed.error);
    match failed.index {
        Some(index) if many => {
            error.because_of(format!("entry {} was refused, and nothing was written", index + 1))
        }
        _ => error,
    }
}

/// Tells what was done: a line each.
pub fn tell(session: &Session, answers: &[Written]) -> CliResult<()> {
    if session.is_for_people() {
        return answers.iter().try_for_each(|answer| ui::print_line(&answer.to_string()));
    }
    answers.iter().try_for_each(ui::print_json_line)
}

/// Reads entries from a file or, for `-`, from standard input: JSON objects, on lines or not.
pub fn read_entries(path: &Path) -> CliResult<Vec<Line>> {
    let name = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text))
    };
    read.map_err(|e| CliError::failed(e.to_string()).because_of(format!("cannot read {name}")))?;
    let mut lines = Vec::new();
    let values = serde_json::Deserializer::from_str(&text).into_iter::<&RawValue>();
    for (index, value) in values.enumerate() {
        let place = || format!("{name}, event {}", index + 1);
        let value = value.map_err(|e| CliError::failed(e.to_string()).because_of(place()))?;
        lines.push(Line::parse(value.get()).map_err(|e| in_data(&e).because_of(place()))?);
    }
    if lines.is_empty() {
        return Err(CliError::failed(format!("{name} holds no event")));
    }
    Ok(lines)
}

/// A fault in data, which is no fault of the command line.
pub fn in_data(invalid: &Invalid) -> CliError {
    invalid.hint().into_iter().fold(CliError::failed(invalid.to_string()), CliError::with_hint)
}

/// A new id for an event that came without one.
pub fn new_id(session: &Session) -> CliResult<EventId> {
    Ok(new_event_id(session.host())?)
}
