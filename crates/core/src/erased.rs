//! What repeats content beside the log, and how it is cleaned of what was redacted.
//!
//! A redaction is answered only when nothing that the engine keeps repeats what it erased. The records themselves, and
//! the tail file, are the commit's business (`erase.rs`, `sled_log`); this file has the rest, which goes once the
//! commit is durable: the index, saved answers, and attachments. All of it looks at what is there, and at nothing that the
//! redaction has taken away: so a redaction that is asked for again finishes what a kill has cut short.
//!
//! A checkpoint of a projection lies where its program put it, and is that program's to make anew.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use annals_model::saved::{Erasure, Json};
use annals_model::{EventId, Op, Outcome, Record, SavedSnapshot, Seq, TimelineName, Written};

use crate::attachments::{self, Attachments};
use crate::log::Log;
use crate::sled_log::steps;
use crate::snapshots::{self, Snapshots};
use crate::store::Store;
use crate::stored::StoredRecord;
use crate::{Error, Result, dates, index, scan};

/// An event whose content is gone.
struct Redacted {
    timeline: TimelineName,
    id: EventId,
    /// Its first record.
    first: Seq,
    /// The record that redacted it.
    seq: Seq,
}

impl<L: Log> Store<L> {
    /// Cleans everything beside the log of the events that were redacted, by these answers or before.
    pub(crate) fn clean<'a>(&self, answers: impl IntoIterator<Item = &'a Written>) -> Result<()> {
        let is_redaction =
            |answer: &&Written| matches!(answer.outcome, Outcome::Redacted | Outcome::AlreadyRedacted);
        let mut redacted = Vec::new();
        for Written { timeline, id, seq, .. } in answers.into_iter().filter(is_redaction) {
            let first = self.log().event(timeline, id)?.map_or(Seq(1), |entry| entry.first);
            redacted.push(Redacted { timeline: timeline.clone(), id: id.clone(), first, seq: *seq });
        }
        if redacted.is_empty() {
            return Ok(());
        }
        // Two at once would write the same files.
        let mut notes = self.notes();
        self.clean_of(&redacted, &mut notes).map_err(|error| match error {
            Error::Unavailable { context, source, .. } => Error::Unavailable {
                context: format!(
                    "the content is erased from the log, but not from what repeats it: {context}"
                ),
                hint: Some(
                    "mend what is wrong, then redact the event once more: that finishes it".to_owned(),
                ),
                source,
            },
            other => other,
        })
    }

    fn clean_of(&self, redacted: &[Redacted], notes: &mut Vec<String>) -> Result<()> {
        steps::reach("clean the indexes")?;
        if let Some(index) = self.index() {
            index.forget().map_err(|e| Error::io("cannot remove the index", e))?;
        }
        if let Some(dates) = self.dates() {
            dates.clear().map_err(|e| Error::io("cannot remove the index of dates", e))?;
        }
        let Some(directory) = self.log().directory() else { return Ok(()) };
        // One that this program did not open is no less there.
        remove(&directory.join(index::DIRECTORY)).map_err(|e| Error::io("cannot remove the index", e))?;
        remove(&directory.join(dates::DIRECTORY))
            .map_err(|e| Error::io("cannot remove the index of dates", e))?;
        steps::reach("clean the answers")?;
        let snapshots = Snapshots::at(directory.join(snapshots::DIRECTORY));
        snapshots.remove_unfinished()?;
        for name in snapshots.names()? {
            let saved = match snapshots.load(&name) {
                Ok(saved) => saved,
                Err(Error::Damaged(_)) => {
                    snapshots.remove(&name)?;
                    notes.push(format!("the saved answer {name} could not be read, and was removed"));
                    continue;
                }
                Err(other) => return Err(other),
            };
            if let Some(by) = self.depends_on(&saved, redacted)? {
                let erasure = Erasure { id: by.id.clone(), seq: by.seq };
                snapshots.erase(&name, &saved, &erasure)?;
                notes.push(format!("the saved answer {name} depended on {}, and was erased", by.id));
            }
        }
        steps::reach("clean the attachments")?;
        self.clean_attachments(&Attachments::at(directory.join(attachments::DIRECTORY)), notes)
    }

    /// Removes the evidence files that no event names any more. One that no event has named yet goes with them: which
    /// is which was content, and is gone.
    fn clean_attachments(&self, attachments: &Attachments, notes: &mut Vec<String>) -> Result<()> {
        attachments.remove_unfinished()?;
        let names = attachments.names()?;
        if names.is_empty() {
            return Ok(());
        }
        let still = self.named_hashes()?;
        for name in names.iter().filter(|name| !still.contains(*name)) {
            attachments.remove(name)?;
            notes.push(format!("the attachment {name}, which no event names any more, was removed"));
        }
        Ok(())
    }

    /// Which of some redacted events a saved answer may depend on: its question is asked once more, of a log that does
    /// not have their content, and comes to something else than a different count of events.
    fn depends_on<'r>(
        &self,
        saved: &SavedSnapshot,
        redacted: &'r [Redacted],
    ) -> Result<Option<&'r Redacted>> {
        if saved.erasure().is_some() {
            return Ok(None);
        }
        let (question, seq) = (saved.question(), saved.receipt().seq);
        if !saved.faults().is_empty() {
            // What was altered says nothing about what it holds.
            return Ok(redacted.first());
        }
        let knew = |one: &&Redacted| one.timeline == question.timeline && one.first <= seq && seq < one.seq;
        let Some(by) = redacted.iter().find(knew) else { return Ok(None) };
        let failed = |e: serde_json::Error| Error::io("cannot write the answer as JSON", e.into());
        let now = Json::of(&self.replay(question)?).map_err(failed)?;
        let then = saved.json().map_err(failed)?;
        Ok((said(&then) != said(&now)).then_some(by))
    }

    /// The redactions of those events of a timeline that were there at a position, in record order: the records that
    /// say when, by whom and why. Where the index of dates does not name them, the log's headers are read.
    pub fn redactions(&self, timeline: &TimelineName, position: Seq) -> Result<Vec<Record>> {
        let seqs = match self.by_dates(|dates| dates.redactions(self.log())) {
            Some(seqs) => seqs,
            None => scan::redactions(self.log(), timeline)?,
        };
        let mut found = Vec::new();
        scan::some(self.log(), seqs, |StoredRecord { record, .. }| {
            if record.op == Op::Redact && record.timeline == *timeline {
                let entry = self.log().event(timeline, &record.id)?;
                found.extend(entry.filter(|entry| entry.first <= position).map(|_| record));
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// The SHA-256 hashes that the sources of any event name, in any version that still has its content. A stored
    /// file whose hash is not among them was named by redacted events only, and goes with them: what they named
    /// themselves cannot be told any more once they are redacted.
    pub fn named_hashes(&self) -> Result<BTreeSet<String>> {
        let mut named = BTreeSet::new();
        scan::each(self.log(), Seq(1), self.log().head()?.seq(), |stored| {
            let sources = stored.record.content.event().into_iter().flat_map(|event| &event.sources);
            named.extend(sources.filter_map(|source| source.sha256.clone()));
            Ok(())
        })?;
        Ok(named)
    }
}

/// What an answer says beside how many events there were, and the hashes over it.
fn said(answer: &Json) -> Vec<(&String, &Json)> {
    let counts = ["events", "receipt", "answer_sha256"];
    let fields = answer.fields().into_iter().flatten();
    fields.filter(|(name, _)| !counts.contains(&name.as_str())).collect()
}

/// Removes a directory with all that is in it, durably. Where it is gone already, whoever removed it need not have seen
/// to that.
fn remove(directory: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => directory.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all()),
    }
}
