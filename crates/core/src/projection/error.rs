//! What can go wrong with a projection, and what to do then.

use annals_model::{EventId, Seq, TimelineName};

use super::happened::Turn;
use crate::Error;

/// Whatever made a projection fail: any error of the program that defines it.
pub type Failure = Box<dyn std::error::Error + Send + Sync + 'static>;

/// A projection that has no state to give.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectionError {
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] Error),
    /// The store that was passed in is not the one that the projector has read so far.
    #[error("the projector has read @{read} of another log; this one ends at @{held}")]
    AnotherLog {
        /// The last record that the projector has read.
        read: Seq,
        /// The last record of the log that was passed in.
        held: Seq,
    },
    /// The projection did not take an event. No state is given rather than one that left the event out.
    #[error("the projection {projection} does not take {timeline}/{id} (record {seq}, {turn})")]
    Apply {
        /// The projection's name.
        projection: String,
        /// The timeline.
        timeline: TimelineName,
        /// The event.
        id: EventId,
        /// The record of the version that counts.
        seq: Seq,
        /// Which point of the happening it was.
        turn: Turn,
        /// What the projection said.
        #[source]
        cause: Failure,
    },
    /// A checkpoint does not fit the projection, the scope or the log.
    #[error("the checkpoint of the projection {projection} cannot be used")]
    Refused {
        /// The projection's name, as the caller's projection has it.
        projection: String,
        /// Why.
        #[source]
        reason: Refused,
    },
    /// A state cannot be written as JSON.
    #[error("a state of the projection {projection} cannot be written as JSON")]
    State {
        /// The projection's name.
        projection: String,
        /// What serde said.
        #[source]
        cause: serde_json::Error,
    },
}

/// Why a checkpoint is refused. Whatever the reason, a new projector gives the right answer from the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// It is of another form than this version of the engine writes.
    #[error("it has the form {found}, this engine reads {expected}")]
    Schema {
        /// The form that is read.
        expected: String,
        /// Its form.
        found: String,
    },
    /// Its content is not what was hashed when it was saved: it was damaged or edited.
    #[error("its content does not have the hash that was saved with it")]
    Changed,
    /// It is of another projection, or of another version of this one.
    #[error("it is of {found}, and not of {expected}")]
    Projection {
        /// The caller's projection, with its version.
        expected: String,
        /// The checkpoint's projection, with its version.
        found: String,
    },
    /// It answers for another timeline, another part of the log, another certainty or another filter.
    #[error("it was saved for {found}, and not for {expected}")]
    Scope {
        /// The caller's scope.
        expected: String,
        /// The checkpoint's scope.
        found: String,
    },
    /// The log is shorter than what the checkpoint has read of it.
    #[error("it has read {saved} records, and the log holds {held}")]
    Shorter {
        /// The last record that the checkpoint has read.
        saved: Seq,
        /// The last record of the log.
        held: Seq,
    },
    /// The log's records up to the checkpoint's position are not those that it has read.
    #[error("the records up to @{0} of this log are not those that it has read: the log is another one")]
    AnotherLog(Seq),
    /// Its states are not of the type that the projection has.
    #[error("it does not hold what the projection needs: {0}")]
    Unreadable(String),
}

impl ProjectionError {
    /// The next step, where there is one.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Log(error) => return error.hint(),
            Self::AnotherLog { .. } => "a projector follows one store: make another one for this store",
            Self::Apply { .. } => {
                "correct the event with `revise`, or let the projection take it; the log itself is in order"
            }
            Self::Refused { reason: Refused::Unreadable(_), .. } => {
                "change the projection's version with the type of its state; start from the log with \
                 `Projector::new`"
            }
            Self::Refused { reason: Refused::AnotherLog(_) | Refused::Shorter { .. }, .. } => {
                "make sure that the store is the right one, then start from the log with `Projector::new`"
            }
            Self::Refused { .. } => "start from the log with `Projector::new`, and save a new checkpoint",
            Self::State { .. } => {
                "JSON has only text for the keys of a map, and no number that is not finite"
            }
        };
        Some(hint.to_owned())
    }

    /// Whether it is the checkpoint that is at fault, so that a new [`Projector`](super::Projector) will do.
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }
}
