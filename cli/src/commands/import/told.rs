//! What an import tells: what became of the entries, what was understood otherwise than it may have been meant, and why
//! the log refuses an entry. Both ways to import, the strict and the lenient one, tell it in these words.

use annals_core::{Conflict, Error, SledLog, Store};
use annals_model::{Outcome, Seq, Written};
use serde::Serialize;

use crate::error::{CliError, CliResult};
use crate::hints;
use crate::session::Session;
use crate::ui::{self, counted};

/// Problems of a file that are told one by one.
pub const PROBLEMS_SHOWN: usize = 20;
/// Entries after which the progress bar says how fast it goes.
pub const OFTEN: u64 = 4096;

/// What became of the entries.
#[derive(Debug, Default, Serialize)]
pub struct Tally {
    pub appended: u64,
    pub revised: u64,
    pub retracted: u64,
    pub redacted: u64,
    pub already_there: u64,
    /// The last record that an entry is in.
    pub seq: u64,
}

impl Tally {
    pub fn count(&mut self, answer: &Written) {
        self.seq = self.seq.max(answer.seq.0);
        *match answer.outcome {
            Outcome::Appended => &mut self.appended,
            Outcome::Revised => &mut self.revised,
            Outcome::Retracted => &mut self.retracted,
            Outcome::Redacted => &mut self.redacted,
            Outcome::AlreadyAppended
            | Outcome::AlreadyAppendedRedacted
            | Outcome::AlreadyRevised
            | Outcome::AlreadyRetracted
            | Outcome::AlreadyRedacted => &mut self.already_there,
        } += 1;
    }

    pub fn add(&mut self, chunk: &Self) {
        self.appended += chunk.appended;
        self.revised += chunk.revised;
        self.retracted += chunk.retracted;
        self.redacted += chunk.redacted;
        self.already_there += chunk.already_there;
        self.seq = self.seq.max(chunk.seq);
    }

    /// The counts in words, with what was put aside; a rehearsal says what would be. Empty where there is none.
    pub fn sentence(&self, put_aside: u64, is_rehearsal: bool) -> String {
        let would = if is_rehearsal { "would be " } else { "" };
        let counts = [
            (self.appended, would, "appended"),
            (self.revised, would, "revised"),
            (self.retracted, would, "retracted"),
            (self.redacted, would, "redacted"),
            (self.already_there, "", "already there"),
            (put_aside, would, "put aside"),
        ];
        let told: Vec<String> = counts
            .iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, would, what)| format!("{} {would}{what}", ui::thousands(*count)))
            .collect();
        told.join(", ")
    }
}

/// What was understood otherwise than it may have been meant.
#[derive(Debug, Default)]
pub struct Notes {
    first: Vec<String>,
    more: u64,
}

impl Notes {
    pub fn push(&mut self, line: u64, note: &str) {
        if self.first.len() < PROBLEMS_SHOWN {
            self.first.push(format!("line {line}: {note}"));
        } else {
            self.more += 1;
        }
    }

    pub fn tell(&self, session: &Session) -> CliResult<()> {
        for note in &self.first {
            ui::note(session, note)?;
        }
        if self.more > 0 {
            ui::note(session, &format!("{} more", counted(self.more, "note")))?;
        }
        Ok(())
    }
}

/// Says what becomes of events without an id when the file is imported again.
pub fn note_ids(session: &Session, without_id: u64) -> CliResult<()> {
    if without_id == 0 {
        return Ok(());
    }
    let events = counted(without_id, "event");
    ui::note(session, &format!("{events} had no id: importing the file again would append them again"))
}

/// What the user is told of an entry that the log refuses; `end` is where the log ended before the batch.
pub fn explained(store: &Store<SledLog>, error: Error, end: Seq) -> CliError {
    match &error {
        Error::Conflict(Conflict::DifferentContent { id, seq, .. }) if *seq > end => {
            CliError::failed(format!("an earlier line has the same id, {id}, with different content"))
                .with_hint("give one of them another id, or make the later one a revision")
        }
        _ => hints::explain(store, error),
    }
}
