//! Projections: a program's own state, folded from the events of a timeline.
//!
//! [`Store::replay`](crate::Store::replay) folds the *effects* of events into entities and attributes. A program
//! that embeds the engine often wants something else of the same events: a typed case file, a curve, an index. It
//! says how one event changes its state in a [`Projection`], and a [`Projector`] does the rest:
//!
//! - it hands over what happened **in effective order**, the order of replay, so that a projection and a replay of
//!   the same events agree, whatever order they were recorded in;
//! - it gives the state **as of any date** ([`Projector::state_at`]) and all the states over time
//!   ([`Projector::history`]), `surely` or `possibly`, as known at any moment of the record axis ([`Scope`]);
//! - it **catches up**: only new records are read, and where they come behind everything that was applied, only
//!   they are applied. A back-dated event, a revision, a retraction or a redaction rewinds to a state before the
//!   first step that it affects. Whatever the way, the state is the one that a new projector comes to;
//! - it **saves** a [`Checkpoint`] with a receipt of the log that it has read, and **resumes** it after checking
//!   that the log, the projection and the checkpoint itself are what they were.
//!
//! Payloads of the program's own stand in an event's `extra`; [`Upcasters`] read them in every version in which
//! they were ever written; records are never rewritten for it. `annals-testkit` has given/when/then tests for
//! projections. Two whole programs stand beside this crate: `examples/haiti_troops.rs` tells a number between two
//! bounds over time, `examples/case_file.rs` keeps a typed state across runs and corrections.
//!
//! # What is applied
//!
//! The unit is one [`Turn`] of one happening: a date such as `2004` makes an event happen once, an interval starts
//! and ends, and each member of a `{…}` set is a happening of its own. `surely` hands over a turn at the latest
//! moment that its date allows, `possibly` at the earliest. Of turns at one moment the coarser date comes first,
//! then the event that was recorded first. Events without a date never surely happen, and possibly have at every
//! date; what an open end would end never ends.
//!
//! For what holds *during* a happening and then lapses, set it at the start where [`Happened::lasts`] says that
//! there is a while of which it is sure (or possible) that the happening goes on, and take it back at
//! [`Turn::Lapse`]. That is not the same as [`Turn::End`]: a deployment of `2004/2017` surely goes on until the end
//! of 2016, and surely has ended from the end of 2017.
//!
//! # Example
//!
//! How many officers are deployed, from the events of kind `deployment`:
//!
//! ```
//! use annals_core::projection::{Failure, Happened, Projection, Projector, Scope, Turn, Upcasters};
//! use annals_core::{SledLog, SledOptions, Store, WriteOptions};
//! use annals_model::{AsOf, Date, Event, line::Line};
//!
//! #[derive(serde::Deserialize)]
//! struct Troops {
//!     officers: i64,
//! }
//!
//! struct Strength {
//!     troops: Upcasters<Troops>,
//! }
//!
//! impl Projection for Strength {
//!     type State = i64;
//!
//!     fn name(&self) -> &'static str {
//!         "strength"
//!     }
//!
//!     fn version(&self) -> u32 {
//!         1
//!     }
//!
//!     fn wants(&self, event: &Event) -> bool {
//!         event.kind.as_deref() == Some("deployment")
//!     }
//!
//!     fn apply(&self, strength: &mut i64, happened: &Happened<'_>) -> Result<(), Failure> {
//!         let Some(troops) = happened.payload(&self.troops)? else { return Ok(()) };
//!         match happened.turn() {
//!             Turn::Start => *strength += troops.officers,
//!             Turn::End => *strength -= troops.officers,
//!             Turn::Once | Turn::Lapse => {}
//!         }
//!         Ok(())
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("store");
//! # let host = annals_testkit::TestHost::new(1);
//! let store = Store::new(SledLog::create(&path, &SledOptions::default())?);
//! let timeline = "haiti".parse()?;
//! let record = |line: &str| -> Result<(), Box<dyn std::error::Error>> {
//!     let entry = Line::parse(line)?.into_entry(&timeline, || unreachable!("each line has an id"));
//!     store.write(vec![entry], &host, &WriteOptions::by("me"))?;
//!     Ok(())
//! };
//! let as_of = |date| -> Result<AsOf, Box<dyn std::error::Error>> { Ok(AsOf::new(Date::parse(date)?)?) };
//!
//! let strength = || Strength { troops: Upcasters::new("troops") };
//! let mut projector = Projector::new(strength(), Scope::surely(timeline.clone()));
//! record(r#"{"id":"un","kind":"deployment","date":"2004/2017","title":"The UN","extra":{"troops":{"officers":7000}}}"#)?;
//! assert_eq!(*projector.state_at(&store, &as_of("2016")?)?, 7000);
//! assert_eq!(*projector.state_at(&store, &as_of("2018")?)?, 0);
//!
//! // A back-dated event is in the very next answer, and a checkpoint can be taken up in another run.
//! record(r#"{"id":"fr","kind":"deployment","date":"2004-02/..","title":"France","extra":{"troops":{"officers":900}}}"#)?;
//! assert_eq!(*projector.state_at(&store, &as_of("2016")?)?, 7900);
//! let saved = serde_json::to_string(&projector.save()?)?;
//! let scope = Scope::surely(timeline.clone());
//! let mut resumed = Projector::resume(strength(), scope, &store, &serde_json::from_str(&saved)?)?;
//! assert_eq!(*resumed.state_at(&store, &as_of("2018")?)?, 900);
//! # Ok(())
//! # }
//! ```

mod checkpoint;
mod error;
mod happened;
mod ledger;
mod projector;
mod states;
mod upcast;

use annals_model::{Certainty, Event, Filter, KnownAt, Question, TimelineName};

pub use checkpoint::Checkpoint;
pub use error::{Failure, ProjectionError, Refused};
pub use happened::{Happened, Turn};
pub use projector::{CaughtUp, Projector, Since};
pub use upcast::{PayloadError, Upcasters};

/// A state of the program's own, and how each thing that happened changes it.
///
/// What it does must depend on the state and on what happened alone, and on no clock, no randomness and no number
/// that it counts itself: a projector applies the same things again after a back-dated event, and leaves out what
/// no longer counts. The helpers of `annals-testkit` find a projection that breaks this.
pub trait Projection {
    /// The state; its default is the state before anything happened. To be saved it has to be serialisable too.
    type State: Clone + Default;

    /// A name that tells it from the program's other projections.
    fn name(&self) -> &str;

    /// The version of what it does and of its state's form. Another version refuses the checkpoints of this one.
    fn version(&self) -> u32;

    /// Whether an event changes the state at all. Events that do not are not handed over and never rewind.
    ///
    /// What an answer depends on is part of [`Self::version`].
    fn wants(&self, event: &Event) -> bool {
        let _ = event;
        true
    }

    /// Changes the state by one turn of one happening.
    ///
    /// # Errors
    ///
    /// An event that it cannot take. No state is given then that lies behind that event; to leave an event out,
    /// give `Ok` and remember it in the state.
    fn apply(&self, state: &mut Self::State, happened: &Happened<'_>) -> Result<(), Failure>;
}

/// What of the log a projector follows: a [`Question`] without the date, which each call gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The timeline. One without records is an empty one: a program may follow it before its first event.
    pub timeline: TimelineName,
    /// The record axis. Records behind it are not applied; but a redaction counts whenever it was recorded, as it
    /// does in replay, since the content is gone.
    pub known_at: KnownAt,
    /// How sure it must be that something happened.
    pub certainty: Certainty,
    /// Which events count.
    pub filter: Filter,
}

impl Scope {
    /// What surely happened in a timeline, with everything that the log holds.
    pub fn surely(timeline: TimelineName) -> Self {
        let (known_at, filter) = (KnownAt::Everything, Filter::default());
        Self { timeline, known_at, certainty: Certainty::Surely, filter }
    }

    /// What possibly happened in a timeline, with everything that the log holds.
    pub fn possibly(timeline: TimelineName) -> Self {
        Self { certainty: Certainty::Possibly, ..Self::surely(timeline) }
    }

    /// The same, as known at a moment of the record axis.
    #[must_use]
    pub fn known_at(self, known_at: KnownAt) -> Self {
        Self { known_at, ..self }
    }

    /// The same, with only the events that a filter admits.
    #[must_use]
    pub fn filtered(self, filter: Filter) -> Self {
        Self { filter, ..self }
    }
}

impl From<&Question> for Scope {
    /// The scope of a question; its date is what to ask the projector as of, its entities are not for it.
    fn from(question: &Question) -> Self {
        let Question { timeline, known_at, certainty, filter, .. } = question.clone();
        Self { timeline, known_at, certainty, filter }
    }
}
