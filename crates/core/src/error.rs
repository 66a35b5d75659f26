//! What can go wrong, by what the user can do about it.

use std::fmt;
use std::path::PathBuf;

use annals_model::{EventId, Expectation, Invalid, Seq, SnapshotName, TimelineName, Version};

/// The engine's error. Its kind says who has to act: the caller, another writer, or whoever keeps the disk.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request breaks a rule: correct it.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The request is in order and the log says otherwise: read, decide, ask again.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// What was asked for is not there.
    #[error(transparent)]
    NotFound(#[from] NotFound),
    /// The store's bytes are not what was written: restore it from a backup.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The store cannot be used now: the disk, a permission, another process.
    #[error("{context}")]
    Unavailable {
        /// What was being done.
        context: String,
        /// The next step.
        hint: Option<String>,
        /// What the system said.
        #[source]
        source: Option<std::io::Error>,
    },
}

/// The result of the engine's calls.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A write that the log's present content forbids.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Conflict {
    /// The id is taken by an event with other content.
    #[error("{timeline}/{id} is there already, as record {seq}, with different content")]
    DifferentContent {
        /// The timeline.
        timeline: TimelineName,
        /// The event.
        id: EventId,
        /// The record that holds it.
        seq: Seq,
    },
    /// The timeline's version is not what the writer expected.
    #[error("timeline {timeline} is at version {actual}, expected {expected}")]
    Version {
        /// The timeline.
        timeline: TimelineName,
        /// What the writer expected.
        expected: Expectation,
        /// What it is.
        actual: Version,
    },
    /// The event's content has been erased, and an erased event stays so.
    #[error("{timeline}/{id} was redacted by record {seq}")]
    Redacted {
        /// The timeline.
        timeline: TimelineName,
        /// The event.
        id: EventId,
        /// The redaction.
        seq: Seq,
    },
    /// A snapshot of that name is saved already.
    #[error("there is a snapshot {0} already")]
    Snapshot(SnapshotName),
}

/// Something that is not in the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotFound {
    /// No event of that id.
    #[error("there is no event {id:?} in timeline {timeline}", id = id.as_str())]
    Event {
        /// The timeline.
        timeline: TimelineName,
        /// The id that was asked for.
        id: EventId,
    },
    /// No timeline of that name.
    #[error("there is no timeline {0}")]
    Timeline(TimelineName),
    /// No saved snapshot of that name.
    #[error("there is no snapshot {0}")]
    Snapshot(SnapshotName),
    /// No store at that path.
    #[error("there is no store at {}", .0.display())]
    Store(PathBuf),
}

/// Bytes of the store that are not what was written, and the records that they affect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The first and the last record that are affected, where that is known.
    pub records: Option<(Seq, Seq)>,
    /// What was found.
    pub what: String,
}

impl Damage {
    /// Damage of which only the kind is known.
    pub fn new(what: impl Into<String>) -> Self {
        Self { records: None, what: what.into() }
    }

    /// Damage of the records from `first` to `last`.
    pub fn of(first: Seq, last: Seq, what: impl Into<String>) -> Self {
        Self { records: Some((first, last)), what: what.into() }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.records {
            None => write!(f, "{}", self.what),
            Some((first, last)) if first == last => write!(f, "record {first}: {}", self.what),
            Some((first, last)) => write!(f, "records {first} to {last}: {}", self.what),
        }
    }
}

impl std::error::Error for Damage {}

/// What Unix systems say of a disk that cannot read or write; the standard library has no name for it.
const EIO: i32 = 5;

impl Error {
    /// The store cannot be used, for a reason that the system gave.
    pub fn io(context: impl Into<String>, source: std::io::Error) -> Self {
        let hint = match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Some("the disk is full: make room, then try again; nothing that was answered is lost")
            }
            std::io::ErrorKind::ReadOnlyFilesystem => Some(
                "the store has to be on a file system that can be written, even to read it: copy it to one",
            ),
            std::io::ErrorKind::PermissionDenied => {
                Some("a store is its owner's: run as the user who made it")
            }
            _ if source.raw_os_error() == Some(EIO) => Some(
                "the disk fails: copy the store to another one before anything else, then verify the copy",
            ),
            _ => None,
        };
        Self::Unavailable { context: context.into(), hint: hint.map(str::to_owned), source: Some(source) }
    }

    /// The store cannot be used, for a reason of its own, with a next step.
    pub fn unavailable(context: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Unavailable { context: context.into(), hint: Some(hint.into()), source: None }
    }

    /// The same error once more, for another whom it concerns.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Invalid(invalid) => Self::Invalid(invalid.clone()),
            Self::Conflict(conflict) => Self::Conflict(conflict.clone()),
            Self::NotFound(missing) => Self::NotFound(missing.clone()),
            Self::Damaged(damage) => Self::Damaged(damage.clone()),
            Self::Unavailable { context, hint, source } => {
                let again = |error: &std::io::Error| match error.raw_os_error() {
                    Some(code) => std::io::Error::from_raw_os_error(code),
                    None => std::io::Error::new(error.kind(), error.to_string()),
                };
                let source = source.as_ref().map(again);
                Self::Unavailable { context: context.clone(), hint: hint.clone(), source }
            }
        }
    }

    /// The next step for the user, where there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Invalid(invalid) => invalid.hint().map(str::to_owned),
            Self::Conflict(Conflict::DifferentContent { .. }) => {
                Some("to correct the event, use `revise`; to record another one, give it another id".into())
            }
            Self::Conflict(Conflict::Version { .. }) => {
                Some("read what was added in between, then try again with the version named here".into())
            }
            Self::Conflict(Conflict::Redacted { .. }) => {
                Some("record what may be kept as a new event with another id".into())
            }
            Self::Conflict(Conflict::Snapshot(_)) => {
                Some("give it another name, or replace the old one".into())
            }
            Self::NotFound(NotFound::Store(_)) => Some("make one with `annals init`".into()),
            Self::NotFound(_) => None,
            Self::Damaged(_) => Some(
                "nothing was written; `annals verify` lists all damage, `annals restore` takes a backup"
                    .into(),
            ),
            Self::Unavailable { hint, .. } => hint.clone(),
        }
    }
}
