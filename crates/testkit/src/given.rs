//! Given, when, then: tests of a program's own projection.
//!
//! A program takes `annals-testkit` as a dev-dependency, beside `annals-core`. *Given* are lines of `annals/1`, each a
//! record of its own on a log in memory, in the order in which they are recorded; *when* the projection is asked as
//! of a date, as known at a moment, surely or possibly; *then* its state is what is expected. Every `then` also holds
//! the projection to what all of them promise: it comes to the same state however the log was followed.
//! [`When::then_resumes`] does the same for a state that is saved and taken up again.
//!
//! ```
//! use annals_core::projection::{Failure, Happened, Projection};
//! use annals_testkit::Given;
//!
//! /// Counts what began.
//! struct Count;
//!
//! impl Projection for Count {
//!     type State = usize;
//!
//!     fn name(&self) -> &'static str {
//!         "count"
//!     }
//!
//!     fn version(&self) -> u32 {
//!         1
//!     }
//!
//!     fn apply(&self, count: &mut usize, happened: &Happened<'_>) -> Result<(), Failure> {
//!         *count += usize::from(happened.starts());
//!         Ok(())
//!     }
//! }
//!
//! Given::timeline("haiti")
//!     .events([
//!         r#"{"id":"un-2004","date":"2004/2017","title":"The UN comes"}"#,
//!         r#"{"id":"cholera","date":"2010","title":"The cholera comes"}"#,
//!     ])
//!     .retracted("cholera", "told twice")
//!     .when(|| Count)
//!     .as_of("2012")
//!     .then_state(&1)
//!     .known_at("@2")
//!     .then_state(&2)
//!     .possibly()
//!     .as_of("2010-06")
//!     .then_state(&2);
//! ```

use std::fmt::Debug;

use annals_core::projection::{Checkpoint, Projection, ProjectionError, Projector, Scope};
use annals_core::{Store, WriteOptions};
use annals_model::line::Line;
use annals_model::{
    AsOf, Certainty, Date, Day, Entry, EventId, Filter, KnownAt, Outcome, RecordedAt, TimelineName, Write,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{MemoryLog, TestHost};

/// What was recorded, one record after the other: `@1`, `@2`, `@3` …
///
/// Every method panics on what cannot be recorded, and says which of the givens it was.
#[derive(Clone, Debug)]
pub struct Given {
    timeline: TimelineName,
    entries: Vec<(Entry, Option<RecordedAt>)>,
}

/// A question to a projection, and what is to be true of the answer.
///
/// Every `then` gets the state in several ways and panics where two of them differ: at once from the whole log;
/// record by record, asking after each one; and again after asking as of other dates. That finds what a projection
/// must not do, such as counting on the order in which events were recorded.
#[derive(Debug)]
pub struct When<P, F> {
    given: Given,
    make: F,
    as_of: AsOf,
    scope: Scope,
    projection: std::marker::PhantomData<fn() -> P>,
}

impl Given {
    /// A timeline without records.
    pub fn timeline(name: &str) -> Self {
        let timeline = name.parse().unwrap_or_else(|error| panic!("timeline {name}: {error}"));
        Self { timeline, entries: Vec::new() }
    }

    /// Lines of `annals/1`, each a record: an event, or with `op` a revision or a retraction.
    #[must_use]
    pub fn events<'a>(self, lines: impl IntoIterator<Item = &'a str>) -> Self {
        lines.into_iter().fold(self, Self::event)
    }

    /// One line of `annals/1`.
    #[must_use]
    pub fn event(mut self, line: &str) -> Self {
        let parsed = Line::parse(line).unwrap_or_else(|error| panic!("{}: {error}\n{line}", self.next()));
        let recorded_at = parsed.recorded_at;
        let id = || EventId::new(format!("event-{}", self.entries.len() + 1)).unwrap();
        let entry = parsed.into_entry(&self.timeline, id);
        self.entries.push((entry, recorded_at));
        self
    }

    /// An event anew, whole, as a line of `annals/1` with its id.
    #[must_use]
    pub fn revised(self, line: &str) -> Self {
        let mut given = self.event(line);
        if let Some((entry, _)) = given.entries.last_mut()
            && let Write::Append(event) = entry.write.clone()
        {
            entry.write = Write::Revise(event);
        }
        given
    }

    /// An event withdrawn.
    #[must_use]
    pub fn retracted(mut self, id: &str, reason: &str) -> Self {
        let id = EventId::new(id).unwrap_or_else(|error| panic!("{}: {error}", self.next()));
        let write = Write::Retract { id, reason: reason.to_owned() };
        self.entries.push((Entry::new(self.timeline.clone(), write), None));
        self
    }

    /// A projection is asked. It is made anew for each way in which its state is got.
    ///
    /// Asked is what surely stands as of the end of 9999, with everything that was recorded, until another question
    /// is put.
    pub fn when<P: Projection, F: Fn() -> P>(self, make: F) -> When<P, F> {
        let scope = Scope::surely(self.timeline.clone());
        When { given: self, make, as_of: as_of("9999"), scope, projection: std::marker::PhantomData }
    }

    /// A store in memory that holds all of it.
    pub fn store(&self) -> Store<MemoryLog> {
        let (store, host) = (Store::new(MemoryLog::default()), TestHost::new(1));
        (0..self.entries.len()).for_each(|index| self.record(&store, &host, index));
        store
    }

    fn next(&self) -> String {
        format!("given {}", self.entries.len() + 1)
    }

    fn record(&self, store: &Store<MemoryLog>, host: &TestHost, index: usize) {
        let (entry, recorded_at) = self.entries[index].clone();
        if let Some(at) = recorded_at {
            host.set_now(at);
        }
        let number = index + 1;
        let written =
            store.write(vec![Entry { recorded_at: None, ..entry }], host, &WriteOptions::by("given"));
        let written = written.unwrap_or_else(|failed| panic!("given {number}: {}", failed.error));
        let outcome = written[0].outcome;
        let records = matches!(outcome, Outcome::Appended | Outcome::Revised | Outcome::Retracted);
        assert!(records, "given {number} changes nothing: {outcome}");
    }
}

/// The end of an EDTF date, for a question; panics where it has none.
pub fn as_of(date: &str) -> AsOf {
    let parsed = Date::parse(date).unwrap_or_else(|error| panic!("as of {date}: {error}"));
    AsOf::new(parsed).unwrap_or_else(|error| panic!("as of {date}: {error}"))
}

#[allow(clippy::return_self_not_must_use, reason = "a `then` ends a test as often as it goes on")]
impl<P: Projection, F: Fn() -> P> When<P, F> {
    /// Asked is the state at the end of this EDTF date.
    #[must_use]
    pub fn as_of(self, date: &str) -> Self {
        Self { as_of: as_of(date), ..self }
    }

    /// Asked is what was known then: a position (`@3` is after the third given), an instant or a day.
    #[must_use]
    pub fn known_at(self, text: &str) -> Self {
        let day = Day { year: 2024, month: 1, day: 1 };
        let known_at = KnownAt::parse(text, day).unwrap_or_else(|error| panic!("known at {text}: {error}"));
        Self { scope: self.scope.known_at(known_at), ..self }
    }

    /// Asked is what surely happened.
    #[must_use]
    pub fn surely(self) -> Self {
        Self { scope: Scope { certainty: Certainty::Surely, ..self.scope }, ..self }
    }

    /// Asked is what possibly happened.
    #[must_use]
    pub fn possibly(self) -> Self {
        Self { scope: Scope { certainty: Certainty::Possibly, ..self.scope }, ..self }
    }

    /// Only the events that a filter admits count.
    #[must_use]
    pub fn filtered(self, filter: Filter) -> Self {
        Self { scope: self.scope.filtered(filter), ..self }
    }

    /// The state is this one. Gives the question back, to be asked further.
    pub fn then_state(self, expected: &P::State) -> Self
    where
        P::State: Debug + PartialEq,
    {
        self.then(|state| assert_eq!(state, expected, "the state left, what was expected right"))
    }

    /// The state passes these assertions. Gives the question back, to be asked further.
    pub fn then(self, check: impl FnOnce(&P::State)) -> Self
    where
        P::State: Debug + PartialEq,
    {
        let state = self.state().unwrap_or_else(|error| panic!("{}", told(&error)));
        self.asked_otherwise(&state);
        check(&state);
        self
    }

    /// The projection does not take an event, and says so in words that contain these.
    pub fn then_fails(self, words: &str) -> Self
    where
        P::State: Debug,
    {
        match self.state() {
            Ok(state) => panic!("the projection takes every event and comes to {state:?}"),
            Err(error) => {
                let told = told(&error);
                assert!(told.contains(words), "the projection fails with other words: {told}");
            }
        }
        self
    }

    /// A checkpoint after each record, written as JSON, read and resumed, makes no difference to the state.
    pub fn then_resumes(self) -> Self
    where
        P::State: Debug + PartialEq + Serialize + DeserializeOwned,
    {
        let expected = self.state().unwrap_or_else(|error| panic!("{}", told(&error)));
        let (store, host) = (Store::new(MemoryLog::default()), TestHost::new(1));
        let mut saved: Option<String> = None;
        let mut state = Some(P::State::default());
        for index in 0..self.given.entries.len() {
            self.given.record(&store, &host, index);
            if self.is_ahead(&store) {
                continue;
            }
            let mut projector = match &saved {
                None => Projector::new((self.make)(), self.scope.clone()),
                Some(json) => {
                    let checkpoint: Checkpoint = serde_json::from_str(json).unwrap();
                    Projector::resume((self.make)(), self.scope.clone(), &store, &checkpoint)
                        .unwrap_or_else(|error| panic!("{}", told(&error)))
                }
            };
            state = projector.state_at(&store, &self.as_of).ok().cloned();
            let checkpoint = projector.save().unwrap_or_else(|error| panic!("{}", told(&error)));
            saved = Some(serde_json::to_string_pretty(&checkpoint).unwrap());
        }
        assert_eq!(state, Some(expected), "resumed left, from the whole log right");
        self
    }

    /// The state from the whole log at once.
    fn state(&self) -> Result<P::State, ProjectionError> {
        let store = self.given.store();
        Projector::new((self.make)(), self.scope.clone()).state_at(&store, &self.as_of).cloned()
    }

    /// The same state record by record, and after other questions.
    fn asked_otherwise(&self, expected: &P::State)
    where
        P::State: Debug + PartialEq,
    {
        let (store, host) = (Store::new(MemoryLog::default()), TestHost::new(1));
        let mut projector = Projector::new((self.make)(), self.scope.clone());
        let mut state = P::State::default();
        for index in 0..self.given.entries.len() {
            self.given.record(&store, &host, index);
            if !self.is_ahead(&store) {
                // What is only true of a part of the records may fail; what is asked is the whole.
                state = projector.state_at(&store, &self.as_of).cloned().unwrap_or_default();
            }
        }
        assert_eq!(state, *expected, "record by record left, from the whole log right");
        for date in ["9999", "0000"] {
            // Another date may fail where this one does not.
            let _ = projector.state_at(&store, &as_of(date));
        }
        let again = projector.state_at(&store, &self.as_of).cloned();
        let again = again.unwrap_or_else(|error| panic!("{}", told(&error)));
        assert_eq!(again, *expected, "after other questions left, at first right");
    }

    /// Whether the log does not reach to the position that is asked about yet.
    fn is_ahead(&self, store: &Store<MemoryLog>) -> bool {
        store.position(self.scope.known_at).is_err()
    }
}

/// An error with everything that caused it.
fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |told, cause| format!("{told}: {cause}"))
}
