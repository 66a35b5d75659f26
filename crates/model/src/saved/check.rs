//! Whether a saved answer is still the answer, and if not, why and what differs.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use super::{Erasure, Json, SavedSnapshot};
use crate::diff::Kind;
use crate::line::hex;
use crate::{Certainty, Date, EventId, Seq, Snapshot, TimelineName};

/// The name of the JSON form.
pub const CHECK_SCHEMA: &str = "annals/check/1";

/// What became of a saved answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// [`CHECK_SCHEMA`].
    pub schema: &'static str,
    /// The timeline that was asked about.
    pub timeline: TimelineName,
    /// The date axis, as it was given.
    pub as_of: Date,
    /// What had to hold of an effect.
    pub certainty: Certainty,
    /// The last record that counted.
    pub seq: Seq,
    /// Whether the same log gives the same answer, and the file says what it said.
    pub same: bool,
    /// Why it is not the same.
    pub reasons: Vec<Finding>,
    /// The attributes whose value differs.
    pub changes: Vec<ValueChange>,
    /// What else differs, whatever the values are.
    pub others: Vec<Difference>,
}

/// One reason why an answer is not the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which kind of reason.
    pub reason: Why,
    /// What was found, in words.
    pub what: String,
    /// The event that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<EventId>,
    /// The record that is the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<Seq>,
}

/// Why an answer is not the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The file is not as it was written.
    Altered,
    /// The log's records up to the position are not those that the answer was made from.
    AnotherLog,
    /// The content of a record that counted was erased since.
    Redacted,
    /// The same records give another answer.
    AnotherAnswer,
}

/// An attribute of which the file says another value than the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ValueChange {
    /// Whose attribute it is.
    pub entity: String,
    /// The attribute.
    pub attribute: String,
    /// What kind of change it is, from the file to the log.
    pub kind: Kind,
    /// The value in the file; nothing where it is absent there.
    pub from: Option<Json>,
    /// The value by the log; nothing where it is absent.
    pub to: Option<Json>,
    /// The events that decide the value, in the file and by the log.
    pub events: Vec<String>,
}

/// Another part of the answer that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The names of the fields on the way to it.
    #[serde(serialize_with = "joined")]
    pub path: Vec<String>,
    /// What the file has there, if anything.
    pub from: Option<Json>,
    /// What the log gives, if anything.
    pub to: Option<Json>,
}

/// What the log says today about the position of a saved answer.
#[derive(Clone, Debug)]
pub struct LogNow {
    /// The last record of the log.
    pub end: Seq,
    /// The log root at the position; nothing where the log is shorter.
    pub root: Option<[u8; 32]>,
    /// The answer to the same question; nothing where it cannot be asked.
    pub answer: Option<Snapshot>,
    /// The events of the timeline that counted at the position, and whose content was erased since.
    pub redacted: Vec<Redaction>,
}

/// An event that was redacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redaction {
    /// The event.
    pub id: EventId,
    /// Its record that lost its content.
    pub of: Seq,
    /// The record that redacted it.
    pub by: Seq,
}

impl Check {
    /// Holds a saved answer against the log.
    ///
    /// # Errors
    ///
    /// None that input could cause: an answer is a tree of objects with text for keys.
    pub fn of(saved: &SavedSnapshot, log: &LogNow) -> serde_json::Result<Self> {
        let mut reasons: Vec<Finding> =
            saved.faults().iter().map(|fault| Finding::new(Why::Altered, fault.clone())).collect();
        let (seq, timeline) = (saved.receipt().seq, &saved.question().timeline);
        match log.root {
            None => {
                let what = format!("the log ends at record {}, the receipt is of record {seq}", log.end);
                reasons.push(Finding::new(Why::AnotherLog, what));
            }
            Some(root) if hex(&root) != saved.receipt().log_root => {
                let what =
                    format!("the log's records up to {seq} are not those that the receipt names by its root");
                reasons.push(Finding::new(Why::AnotherLog, what));
            }
            Some(_) if log.answer.is_none() => {
                reasons.push(Finding::new(Why::AnotherLog, format!("the log has no timeline {timeline}")));
            }
            Some(_) => {}
        }
        reasons.extend(saved.erasure().map(Finding::erased));
        let (mut changes, mut others) = (Vec::new(), Vec::new());
        let answer = log.answer.as_ref().filter(|_| saved.erasure().is_none());
        // Only where the file differs by a letter, trees are made of both.
        if let Some(answer) = answer.filter(|answer| !saved.is_of(answer)) {
            let (then, now) = (saved.json()?, Json::of(answer)?);
            changes = values(&then, &now);
            compare(&mut Vec::new(), Some(&then), Some(&now), &mut others);
            others.retain(|other| !is_told(&other.path, &changes));
        }
        if !changes.is_empty() || !others.is_empty() {
            reasons.extend(log.redacted.iter().map(Finding::redacted));
            if reasons.is_empty() {
                let what = "the same records give another answer than this version of Annals once gave, or the \
                            file was made by hand";
                reasons.push(Finding::new(Why::AnotherAnswer, what.to_owned()));
            }
        }
        let question = saved.question();
        Ok(Self {
            schema: CHECK_SCHEMA,
            timeline: timeline.clone(),
            as_of: question.as_of.date().clone(),
            certainty: question.certainty,
            seq,
            same: reasons.is_empty(),
            reasons,
            changes,
            others,
        })
    }

    /// Whether the file or the log is not what it was; where it is not so, an answer can only have changed by a
    /// redaction or a new version.
    pub fn is_damaged(&self) -> bool {
        self.reasons.iter().any(|finding| matches!(finding.reason, Why::Altered | Why::AnotherLog))
    }
}

impl Finding {
    const fn new(reason: Why, what: String) -> Self {
        Self { reason, what, id: None, seq: None }
    }

    fn erased(erasure: &Erasure) -> Self {
        let Erasure { id, seq } = erasure;
        let what =
            format!("the answer depended on event {id}, redacted at seq {seq}, and was erased with it");
        Self { reason: Why::Redacted, what, id: Some(id.clone()), seq: Some(*seq) }
    }

    fn redacted(redaction: &Redaction) -> Self {
        let Redaction { id, of, by } = redaction;
        let what = format!("record {of}, of event {id}, was redacted since, at seq {by}");
        Self { reason: Why::Redacted, what, id: Some(id.clone()), seq: Some(*by) }
    }
}

/// Entity and attribute → the cell.
fn cells(answer: &Json) -> BTreeMap<(&str, &str), &Json> {
    let state = answer.get("state").and_then(Json::fields).into_iter().flatten();
    let cells = state.flat_map(|(entity, attributes)| {
        let attributes = attributes.fields().into_iter().flatten();
        attributes.map(move |(attribute, cell)| ((entity.as_str(), attribute.as_str()), cell))
    });
    cells.collect()
}

fn values(saved: &Json, now: &Json) -> Vec<ValueChange> {
    let (saved, now) = (cells(saved), cells(now));
    let keys: BTreeSet<&(&str, &str)> = saved.keys().chain(now.keys()).collect();
    let change = |key: &&(&str, &str)| {
        let (before, after) = (saved.get(*key), now.get(*key));
        let value = |cell: Option<&&Json>| cell.and_then(|cell| cell.get("value")).cloned();
        let (from, to) = (value(before), value(after));
        let kind = Kind::of(from.as_ref(), to.as_ref()).filter(|_| from != to)?;
        let by = |cell: Option<&&Json>| cell.and_then(|cell| cell.get("by")?.text()).map(str::to_owned);
        let mut events: Vec<String> = [by(before), by(after)].into_iter().flatten().collect();
        events.dedup();
        Some(ValueChange { entity: key.0.to_owned(), attribute: key.1.to_owned(), kind, from, to, events })
    };
    keys.iter().filter_map(change).collect()
}

/// Every part of two answers that differs, object by object; an array is one part.
fn compare(path: &mut Vec<String>, from: Option<&Json>, to: Option<&Json>, found: &mut Vec<Difference>) {
    if from == to {
        return;
    }
    if let (Some(from), Some(to)) = (from.and_then(Json::fields), to.and_then(Json::fields)) {
        let names: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
        for name in names {
            path.push(name.clone());
            compare(path, from.get(name), to.get(name), found);
            path.pop();
        }
        return;
    }
    found.push(Difference { path: path.clone(), from: from.cloned(), to: to.cloned() });
}

/// Whether a difference says nothing that is not told elsewhere: it lies within an attribute whose value differs,
/// or in a hash.
fn is_told(path: &[String], changes: &[ValueChange]) -> bool {
    match path.iter().map(String::as_str).collect::<Vec<&str>>().as_slice() {
        ["answer_sha256"] | ["receipt", ..] => true,
        ["state", entity] => changes.iter().any(|change| change.entity == *entity),
        ["state", entity, attribute, ..] => {
            changes.iter().any(|change| change.entity == *entity && change.attribute == *attribute)
        }
        _ => false,
    }
}

fn joined<S: Serializer>(path: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.join("."))
}
