//! What a projection has come to, to be kept by the program and taken up again later.
//!
//! A checkpoint holds what a projector holds: where each event stands with its date, and a few states; and what
//! proves that it belongs to this log: the Merkle root over the records that it has read. Records are never
//! changed, so a log with that root has exactly those records, and what came behind them is all that is to be read.

use annals_model::{Date, EventId, KnownAt, Seq, TimelineName};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::{ProjectionError, Refused};
use super::ledger::{Dated, Entry, Ledger, Standing};
use super::projector::Projector;
use super::states::{Kept, States};
use super::{Projection, Scope};
use crate::log::Log;
use crate::store::Store;
use crate::{hex, scan};

/// The name of the JSON form.
const SCHEMA: &str = "annals/checkpoint/1";

/// A projection's states up to a position of a log, to be stored by the program wherever it likes: in a file as JSON,
/// in a column of a database, in any format of serde.
///
/// It is made by [`Projector::save`] and taken up by [`Projector::resume`], which checks it first. Its hash finds
/// what was damaged or edited by hand; it does not stop somebody who makes a new hash for other content, so keep
/// checkpoints where you would keep the store.
///
/// **A checkpoint may hold what the projection took from an event that is redacted later.** Resuming notices, and
/// gives states without it; the checkpoint itself is the program's to replace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    schema: String,
    projection: String,
    version: u32,
    scope: ScopeLine,
    /// The last record that was read.
    seq: Seq,
    log_root: String,
    /// The last of them that counts at K.
    known: Seq,
    /// The JSON text of a [`Content`]: text, so that no format and no database writes it in another way.
    content: String,
    /// SHA-256 over everything else.
    sha256: String,
}

/// A scope as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ScopeLine {
    timeline: TimelineName,
    known_at: String,
    certainty: String,
    /// The JSON of the filter; empty where every event counts.
    filter: String,
}

/// What a projector holds.
#[derive(Serialize, Deserialize)]
struct Content<S> {
    events: Vec<EventLine>,
    states: Vec<StateLine<S>>,
}

/// Where an event stands.
#[derive(Serialize, Deserialize)]
struct EventLine {
    id: EventId,
    place: Seq,
    /// The record of the version that counts; absent where the event is withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seq: Option<Seq>,
    /// Whether the projection is asked about it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    wanted: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    date: Option<Date>,
}

/// A state, and how many steps it is made of.
#[derive(Serialize, Deserialize)]
struct StateLine<S> {
    steps: usize,
    state: S,
}

impl Checkpoint {
    /// The name of the projection.
    pub fn projection(&self) -> &str {
        &self.projection
    }

    /// The version of the projection.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The last record that it has read.
    pub const fn seq(&self) -> Seq {
        self.seq
    }

    /// The root over the records that it has read, in hexadecimal digits.
    pub fn log_root(&self) -> &str {
        &self.log_root
    }

    /// The hash of its content, in hexadecimal digits.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

impl<P: Projection> Projector<P>
where
    P::State: Serialize + DeserializeOwned,
{
    /// What the projector has come to.
    ///
    /// # Errors
    ///
    /// A state that cannot be written as JSON.
    pub fn save(&self) -> Result<Checkpoint, ProjectionError> {
        let few = self.states.few().into_iter();
        let content = Content {
            events: self.ledger.events().into_iter().map(EventLine::of).collect(),
            states: few.map(|kept| StateLine { steps: kept.count, state: &kept.state }).collect(),
        };
        let mut checkpoint = Checkpoint {
            schema: SCHEMA.to_owned(),
            projection: self.projection.name().to_owned(),
            version: self.projection.version(),
            scope: ScopeLine::of(&self.scope).map_err(|e| self.unwritable(e))?,
            seq: self.read,
            log_root: hex(&self.root),
            known: self.known,
            content: serde_json::to_string(&content).map_err(|e| self.unwritable(e))?,
            sha256: String::new(),
        };
        checkpoint.sha256 = checkpoint.hash();
        Ok(checkpoint)
    }

    /// Takes a checkpoint up, after checking that it belongs to this projection, scope and log. What was recorded
    /// since is read by the next call that gives a state.
    ///
    /// # Errors
    ///
    /// [`ProjectionError::Refused`] says why a checkpoint cannot be used; [`Projector::new`] can always be used
    /// instead. Else those of reading the log.
    pub fn resume<L: Log>(
        projection: P,
        scope: Scope,
        store: &Store<L>,
        checkpoint: &Checkpoint,
    ) -> Result<Self, ProjectionError> {
        let refused = |reason| ProjectionError::Refused { projection: projection.name().to_owned(), reason };
        checkpoint.is_whole().map_err(refused)?;
        checkpoint.is_of(&projection, &scope).map_err(refused)?;
        let (read, known) = (checkpoint.seq, checkpoint.known);
        let held = store.log().head()?.seq();
        if held < read {
            return Err(refused(Refused::Shorter { saved: read, held }));
        }
        let root = scan::root_at(store.log(), read)?;
        if hex(&root) != checkpoint.log_root {
            return Err(refused(Refused::AnotherLog(read)));
        }
        let (ledger, states) = checkpoint.contents(&scope).map_err(refused)?;
        let mut projector = Self::new(projection, scope);
        (projector.read, projector.root, projector.known) = (read, root, known);
        (projector.ledger, projector.states) = (ledger, states);
        Ok(projector)
    }
}

impl Checkpoint {
    /// The hash of everything but itself: of each part, with its length in front.
    fn hash(&self) -> String {
        let Self { schema, projection, version, scope, seq, log_root, known, content, sha256: _ } = self;
        let ScopeLine { timeline, known_at, certainty, filter } = scope;
        let mut hasher = Sha256::new();
        for part in [
            schema,
            projection,
            version.to_string().as_str(),
            timeline.as_str(),
            known_at,
            certainty,
            filter,
            seq.to_string().as_str(),
            log_root,
            known.to_string().as_str(),
            content,
        ] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hex(&hasher.finalize())
    }

    /// Whether it is of a known form, and what was saved.
    fn is_whole(&self) -> Result<(), Refused> {
        if self.schema != SCHEMA {
            return Err(Refused::Schema { expected: SCHEMA.to_owned(), found: self.schema.clone() });
        }
        if self.hash() == self.sha256 { Ok(()) } else { Err(Refused::Changed) }
    }

    fn is_of(&self, projection: &impl Projection, scope: &Scope) -> Result<(), Refused> {
        if self.projection != projection.name() || self.version != projection.version() {
            let expected = format!("{} version {}", projection.name(), projection.version());
            let found = format!("{} version {}", self.projection, self.version);
            return Err(Refused::Projection { expected, found });
        }
        let expected = ScopeLine::of(scope).map_err(|e| Refused::Unreadable(e.to_string()))?;
        if self.scope != expected {
            return Err(Refused::Scope { expected: expected.to_string(), found: self.scope.to_string() });
        }
        Ok(())
    }

    fn contents<S: Clone + Default + DeserializeOwned>(
        &self,
        scope: &Scope,
    ) -> Result<(Ledger, States<S>), Refused> {
        let content: Content<S> =
            serde_json::from_str(&self.content).map_err(|e| Refused::Unreadable(e.to_string()))?;
        let mut ledger = Ledger::new(scope.certainty);
        for EventLine { id, place, seq, wanted, date } in content.events {
            let standing = seq.map(|seq| Standing { seq, dated: wanted.then_some(Dated(date)) });
            ledger.restore(id, Entry { place, standing });
        }
        let mut states = Vec::with_capacity(content.states.len());
        for StateLine { steps, state } in content.states {
            let after = steps.checked_sub(1).map(|last| {
                ledger.nth(last).ok_or_else(|| Refused::Unreadable(format!("it has no step {steps}")))
            });
            states.push(Kept { after: after.transpose()?, count: steps, state });
        }
        Ok((ledger, States::restored(states)))
    }
}

impl ScopeLine {
    fn of(scope: &Scope) -> serde_json::Result<Self> {
        let known_at = match scope.known_at {
            KnownAt::Everything => "everything".to_owned(),
            KnownAt::At(instant) => instant.to_string(),
            KnownAt::Position(seq) => format!("@{seq}"),
        };
        let filter =
            if scope.filter.is_empty() { String::new() } else { serde_json::to_string(&scope.filter)? };
        let certainty = scope.certainty.as_str().to_owned();
        Ok(Self { timeline: scope.timeline.clone(), known_at, certainty, filter })
    }
}

/// `haiti, surely, known at everything`
impl std::fmt::Display for ScopeLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {}, known at {}", self.timeline, self.certainty, self.known_at)?;
        if self.filter.is_empty() { Ok(()) } else { write!(f, ", {}", self.filter) }
    }
}

impl EventLine {
    fn of((id, Entry { place, standing }): (&EventId, &Entry)) -> Self {
        let dated = standing.as_ref().and_then(|standing| standing.dated.as_ref());
        Self {
            id: id.clone(),
            place: *place,
            seq: standing.as_ref().map(|standing| standing.seq),
            wanted: dated.is_some(),
            date: dated.and_then(|dated| dated.0.clone()),
        }
    }
}
