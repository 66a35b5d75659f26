//! What a projection has come to, to be kept by the program and taken up again later.
//!
//! A checkpoint holds what a projector holds: where each event stands with its date, and the kept states; and what
//! proves that it belongs to this log: the Merkle root over the records that it has read. Records are never
//! changed, so a log with that root has exactly those records, and what came behind them is all that is to be read.

use annals_model::{Date, EventId, Filter, KnownAt, Seq, TimelineName, canonical_sha256};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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

/// A projection's states up to a position of a log, to be stored by the program as JSON wherever it likes.
///
/// It is made by [`Projector::save`] and taken up by [`Projector::resume`], which checks it first. Its hash finds
/// what was damaged or edited by hand; it does not stop somebody who makes a new hash for other content, so keep
/// checkpoints where you would keep the store.
///
/// **A checkpoint may hold what the projection took from an event that is redacted later.** Resuming notices, and
/// gives states without it; the checkpoint itself is the program's to replace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    #[serde(flatten)]
    body: Body,
    /// SHA-256 over the canonical JSON of everything else.
    sha256: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Body {
    schema: String,
    projection: String,
    version: u32,
    scope: ScopeLine,
    /// The last record that was read.
    seq: Seq,
    log_root: String,
    /// The last of them that counts at K.
    known: Seq,
    events: Vec<EventLine>,
    states: Vec<StateLine>,
}

/// A scope as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ScopeLine {
    timeline: TimelineName,
    known_at: String,
    certainty: String,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    filter: Value,
}

/// Where an event stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct StateLine {
    steps: usize,
    state: Value,
}

impl Checkpoint {
    /// The name of the projection.
    pub fn projection(&self) -> &str {
        &self.body.projection
    }

    /// The version of the projection.
    pub const fn version(&self) -> u32 {
        self.body.version
    }

    /// The last record that it has read.
    pub const fn seq(&self) -> Seq {
        self.body.seq
    }

    /// The root over the records that it has read, in hexadecimal digits.
    pub fn log_root(&self) -> &str {
        &self.body.log_root
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
        let state = |kept: &Kept<P::State>| {
            let state = serde_json::to_value(&kept.state)?;
            Ok(StateLine { steps: kept.count, state })
        };
        let states: Result<_, _> = self.states.all().into_iter().map(state).collect();
        let body = Body {
            schema: SCHEMA.to_owned(),
            projection: self.projection.name().to_owned(),
            version: self.projection.version(),
            scope: ScopeLine::of(&self.scope).map_err(|e| self.unwritable(e))?,
            seq: self.read,
            log_root: hex(&self.root),
            known: self.known,
            events: self.ledger.events().into_iter().map(EventLine::of).collect(),
            states: states.map_err(|e| self.unwritable(e))?,
        };
        let sha256 = canonical_sha256(&body).map_err(|e| self.unwritable(e))?;
        Ok(Checkpoint { body, sha256 })
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
        checkpoint: Checkpoint,
    ) -> Result<Self, ProjectionError> {
        let refused = |reason| ProjectionError::Refused { projection: projection.name().to_owned(), reason };
        let body = checkpoint.verified().map_err(refused)?;
        body.is_of(&projection, &scope).map_err(refused)?;
        let held = store.log().head()?.seq();
        if held < body.seq {
            return Err(refused(Refused::Shorter { saved: body.seq, held }));
        }
        let root = scan::root_at(store.log(), body.seq)?;
        if hex(&root) != body.log_root {
            return Err(refused(Refused::AnotherLog(body.seq)));
        }
        let (read, known) = (body.seq, body.known);
        let (ledger, states) = body.contents(&scope).map_err(refused)?;
        let mut projector = Self::new(projection, scope);
        (projector.read, projector.root, projector.known) = (read, root, known);
        (projector.ledger, projector.states) = (ledger, states);
        Ok(projector)
    }
}

impl Checkpoint {
    /// The content, if it is what was saved.
    fn verified(self) -> Result<Body, Refused> {
        let Self { body, sha256 } = self;
        if body.schema != SCHEMA {
            return Err(Refused::Schema { expected: SCHEMA.to_owned(), found: body.schema });
        }
        match canonical_sha256(&body) {
            Ok(hash) if hash == sha256 => Ok(body),
            _ => Err(Refused::Changed),
        }
    }
}

impl Body {
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
        self,
        scope: &Scope,
    ) -> Result<(Ledger, States<S>), Refused> {
        let mut ledger = Ledger::new(scope.certainty);
        for EventLine { id, place, seq, wanted, date } in self.events {
            let standing = seq.map(|seq| Standing { seq, dated: wanted.then_some(Dated(date)) });
            ledger.restore(id, Entry { place, standing });
        }
        let mut states = Vec::with_capacity(self.states.len());
        for StateLine { steps, state } in self.states {
            let after = steps.checked_sub(1).map(|last| {
                ledger.nth(last).ok_or_else(|| Refused::Unreadable(format!("it has no step {steps}")))
            });
            let state = serde_json::from_value(state).map_err(|e| Refused::Unreadable(e.to_string()))?;
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
        let filter = if scope.filter == Filter::default() {
            Value::Null
        } else {
            serde_json::to_value(&scope.filter)?
        };
        let certainty = scope.certainty.as_str().to_owned();
        Ok(Self { timeline: scope.timeline.clone(), known_at, certainty, filter })
    }
}

/// `haiti, surely, known at everything`
impl std::fmt::Display for ScopeLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {}, known at {}", self.timeline, self.certainty, self.known_at)?;
        match &self.filter {
            Value::Null => Ok(()),
            filter => write!(f, ", {filter}"),
        }
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
