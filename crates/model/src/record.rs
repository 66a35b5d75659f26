//! A record: one entry of the log, and when it was recorded.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Event, EventId, Invalid, Seq, TimelineName};

/// A point on the record axis: an instant in UTC, in whole microseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordedAt(i64);

/// What a record does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    /// Records a new event.
    Append,
    /// Records the whole event anew.
    Revise,
    /// Withdraws the event.
    Retract,
    /// Erases the content of every record of the event.
    Redact,
}

/// What a record holds beside its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The event, of an append or a revision.
    Event(Box<Event>),
    /// The reason, of a retraction or a redaction.
    Reason(String),
    /// Nothing any more: a later record redacted the event.
    Redacted,
}

/// One entry of the log, never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its position in the log.
    pub seq: Seq,
    /// When it was recorded; never earlier than the record before.
    pub recorded_at: RecordedAt,
    /// Who recorded it.
    pub recorded_by: String,
    /// The timeline that it belongs to.
    pub timeline: TimelineName,
    /// The event that it is about.
    pub id: EventId,
    /// What it does.
    pub op: Op,
    /// The event or the reason.
    pub content: Content,
}

impl RecordedAt {
    /// The instant `micros` microseconds after 1970-01-01T00:00:00Z.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The instant as a chrono date-time; `None` beyond chrono's years.
    pub fn to_chrono(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.0)
    }
}

impl From<DateTime<Utc>> for RecordedAt {
    fn from(instant: DateTime<Utc>) -> Self {
        Self(instant.timestamp_micros())
    }
}

/// RFC 3339 in UTC with microseconds: `2023-11-13T09:30:00.000000Z`.
impl fmt::Display for RecordedAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_chrono() {
            Some(instant) => f.write_str(&instant.to_rfc3339_opts(SecondsFormat::Micros, true)),
            None => write!(f, "{} microseconds from 1970", self.0),
        }
    }
}

impl fmt::Debug for RecordedAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads RFC 3339 with any offset; digits beyond the microsecond are dropped.
impl FromStr for RecordedAt {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        DateTime::parse_from_rfc3339(text).map(|instant| Self(instant.timestamp_micros())).map_err(|_| {
            Invalid::new(format!("`{text}` is not a record time"))
                .with_hint("a record time is RFC 3339 with an offset: 2023-11-13T09:30:00Z")
        })
    }
}

impl Serialize for RecordedAt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RecordedAt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Op {
    /// The operation's name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Revise => "revise",
            Self::Retract => "retract",
            Self::Redact => "redact",
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Content {
    /// The event, where there is one.
    pub fn event(&self) -> Option<&Event> {
        match self {
            Self::Event(event) => Some(event),
            Self::Reason(_) | Self::Redacted => None,
        }
    }

    /// Checks every limit.
    pub fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::Event(event) => event.check(),
            Self::Reason(reason) => crate::write::reason_within_limits(reason),
            Self::Redacted => Ok(()),
        }
    }
}
