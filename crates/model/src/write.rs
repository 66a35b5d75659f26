//! What a writer asks for and what it is told: entries, expectations and outcomes.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::{Event, EventId, Invalid, Op, RecordedAt, Seq, TimelineName, Version, limits};

/// What is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// A new event.
    Append(Box<Event>),
    /// An event anew, whole.
    Revise(Box<Event>),
    /// An event withdrawn.
    Retract {
        /// The event.
        id: EventId,
        /// Why.
        reason: String,
    },
    /// The content of every record of an event erased.
    Redact {
        /// The event.
        id: EventId,
        /// Why.
        reason: String,
    },
    /// A record of another log whose content was redacted there. It is taken over only with the record times kept,
    /// together with the redaction that follows it.
    Erased {
        /// The event.
        id: EventId,
        /// What the record did.
        op: Op,
        /// The commitment to the content that it had.
        commitment: [u8; 32],
    },
}

/// One thing to be recorded, in which timeline, and what it brings along from another log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The timeline to record in.
    pub timeline: TimelineName,
    /// What to record.
    pub write: Write,
    /// The record time to keep, instead of the clock's.
    pub recorded_at: Option<RecordedAt>,
    /// The author to keep, instead of the writer's name.
    pub recorded_by: Option<String>,
    /// The salt to keep, so that the record has the same leaf as in the log that it comes from.
    pub salt: Option<[u8; 16]>,
}

/// What the writer expects of the timeline's version before it writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expectation {
    /// Nothing.
    #[default]
    Any,
    /// The timeline has no record yet.
    Empty,
    /// The timeline has at least one record.
    Exists,
    /// The timeline has exactly this many records.
    Exactly(Version),
}

/// What a write did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The event is new and recorded.
    Appended,
    /// The event was there with the same content; nothing was written.
    AlreadyAppended,
    /// The event was there and its content has been erased; nothing was written.
    AlreadyAppendedRedacted,
    /// The event is recorded anew.
    Revised,
    /// The event stood like this already; nothing was written.
    AlreadyRevised,
    /// The event is withdrawn.
    Retracted,
    /// The event was withdrawn already; nothing was written.
    AlreadyRetracted,
    /// The event's content is erased.
    Redacted,
    /// The event's content was erased already; nothing was written.
    AlreadyRedacted,
}

/// The answer to one write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Written {
    /// What it did.
    pub outcome: Outcome,
    /// The timeline.
    pub timeline: TimelineName,
    /// The event.
    pub id: EventId,
    /// The record that holds it: the new one, or the one that was there.
    pub seq: Seq,
    /// The timeline's version afterwards.
    pub version: Version,
    /// The event's last record, where what was there already is not what stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<Superseded>,
}

/// A later record of the same event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Superseded {
    /// What it does.
    pub op: Op,
    /// Its position.
    pub seq: Seq,
}

impl Write {
    /// The event that the write is about.
    pub fn id(&self) -> &EventId {
        match self {
            Self::Append(event) | Self::Revise(event) => &event.id,
            Self::Retract { id, .. } | Self::Redact { id, .. } | Self::Erased { id, .. } => id,
        }
    }

    /// Checks every limit.
    pub fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::Append(event) | Self::Revise(event) => event.check(),
            Self::Retract { reason, .. } | Self::Redact { reason, .. } => reason_within_limits(reason),
            Self::Erased { .. } => Ok(()),
        }
    }
}

/// Checks the reason of a retraction or a redaction.
pub fn reason_within_limits(reason: &str) -> Result<(), Invalid> {
    limits::text(reason, 1, limits::REASON).map_err(|e| e.under("reason"))
}

impl Entry {
    /// An entry that takes its time, author and salt from the store.
    pub fn new(timeline: TimelineName, write: Write) -> Self {
        Self { timeline, write, recorded_at: None, recorded_by: None, salt: None }
    }
}

impl Expectation {
    /// Whether a timeline of this version is as expected.
    pub fn met_by(self, version: Version) -> bool {
        match self {
            Self::Any => true,
            Self::Empty => version == Version(0),
            Self::Exists => version > Version(0),
            Self::Exactly(expected) => version == expected,
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Empty => f.write_str("empty"),
            Self::Exists => f.write_str("exists"),
            Self::Exactly(version) => write!(f, "{version}"),
        }
    }
}

impl FromStr for Expectation {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text {
            "any" => Ok(Self::Any),
            "empty" => Ok(Self::Empty),
            "exists" => Ok(Self::Exists),
            _ => text.parse().map(|version| Self::Exactly(Version(version))).map_err(|_| {
                Invalid::new(format!("`{text}` is not an expectation")).with_hint(
                    "expect any, empty, exists, or a version: the number of the timeline's records",
                )
            }),
        }
    }
}

impl Outcome {
    /// The outcome's name in JSON and for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Appended => "appended",
            Self::AlreadyAppended => "already appended",
            Self::AlreadyAppendedRedacted => "already appended, redacted",
            Self::Revised => "revised",
            Self::AlreadyRevised => "already revised",
            Self::Retracted => "retracted",
            Self::AlreadyRetracted => "already retracted",
            Self::Redacted => "redacted",
            Self::AlreadyRedacted => "already redacted",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// `appended haiti/un-2004 as record 17 (timeline version 12)`.
impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { outcome, timeline, id, seq, version, superseded_by } = self;
        write!(f, "{outcome} {timeline}/{id} as record {seq} (timeline version {version})")?;
        match superseded_by {
            Some(Superseded { op, seq }) => {
                write!(f, "; it does not stand since record {seq}, a {op}: `annals revise` brings it back")
            }
            None => Ok(()),
        }
    }
}
