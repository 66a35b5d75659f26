//! Projections against replay and against themselves, on random logs.
//!
//! `Mirror` is replay written as a projection: it keeps which effects hold, in the order in which they took hold.
//! Folding them must give what `Store::replay` says, as of every date, surely and possibly, as known at any moment;
//! and a projector that has followed the log, was asked other questions and was saved and resumed must come to the
//! state of a new one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;

use annals_core::projection::{Checkpoint, Failure, Happened, Projection, Projector, Scope, Turn};
use annals_core::{Error, Log, NotFound, Store, scan};
use annals_model::fold::{Applied, apply};
use annals_model::{
    AsOf, Certainty, Event, EventId, KnownAt, Question, Record, Seq, TimelineName, Value, When,
};
use annals_testkit::generate::{Asked, Session, TIMELINES, as_of_dates, questions, sessions_with_redactions};
use annals_testkit::{MemoryLog, TestHost};
use proptest::collection::vec;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, max_shrink_iters: 4096, failure_persistence: None, ..ProptestConfig::default() }
}

/// An effect that holds, by where it stands in which record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Holds {
    seq: Seq,
    position: usize,
    member: usize,
    lapses: bool,
}

type Effects = BTreeMap<String, BTreeMap<String, Vec<Holds>>>;

/// Replay as a projection.
struct Mirror;

impl Projection for Mirror {
    type State = Effects;

    fn name(&self) -> &'static str {
        "mirror"
    }

    fn version(&self) -> u32 {
        1
    }

    fn wants(&self, event: &Event) -> bool {
        !event.effects.is_empty()
    }

    fn apply(&self, state: &mut Effects, happened: &Happened<'_>) -> Result<(), Failure> {
        for (position, effect) in happened.event().effects.iter().enumerate() {
            let attributes = state.entry(effect.entity.clone()).or_default();
            let holding = attributes.entry(effect.attribute.clone()).or_default();
            let own = (happened.seq(), happened.member());
            if happened.turn() == Turn::Lapse {
                holding.retain(|holds| !(holds.lapses && (holds.seq, holds.member) == own));
            }
            let lapses = effect.when == When::During;
            let takes_hold = match effect.when {
                When::Start => happened.starts(),
                When::End => happened.ends(),
                When::During => happened.starts() && happened.lasts(),
            };
            if takes_hold {
                holding.push(Holds { seq: own.0, position, member: own.1, lapses });
            }
        }
        Ok(())
    }
}

type Cells = BTreeMap<(String, String), (Value, EventId)>;
type Clashes = Vec<(String, String, EventId)>;

/// What the effects that hold make of each attribute, and the clashes on the way.
fn folded(effects: &Effects, records: &[Record]) -> (Cells, Clashes) {
    let (mut cells, mut clashes) = (Cells::new(), Clashes::new());
    for (entity, attributes) in effects {
        for (attribute, holding) in attributes {
            let (mut value, mut by) = (None, None);
            for holds in holding {
                let record = &records[usize::try_from(holds.seq.0).unwrap() - 1];
                let event = record.content.event().unwrap();
                match apply(&mut value, &event.effects[holds.position].change) {
                    Applied::Changed => by = Some(event.id.clone()),
                    Applied::Unchanged => {}
                    Applied::Clash => clashes.push((entity.clone(), attribute.clone(), event.id.clone())),
                }
            }
            if let Some(cell) = value.zip(by) {
                cells.insert((entity.clone(), attribute.clone()), cell);
            }
        }
    }
    clashes.sort();
    (cells, clashes)
}

/// What replay says; nothing stands where there is no such timeline.
fn replayed<L: Log>(store: &Store<L>, question: &Question) -> (Cells, Clashes) {
    let snapshot = match store.replay(question) {
        Ok(snapshot) => snapshot,
        Err(Error::NotFound(NotFound::Timeline(_))) => return Default::default(),
        Err(error) => panic!("{error}"),
    };
    let mut clashes: Clashes =
        snapshot.clashes.into_iter().map(|clash| (clash.entity, clash.attribute, clash.id)).collect();
    clashes.sort();
    let cells = snapshot.state.into_iter().flat_map(|(entity, attributes)| {
        attributes
            .into_iter()
            .map(move |(attribute, cell)| ((entity.clone(), attribute), (cell.value, cell.by)))
    });
    (cells.collect(), clashes)
}

fn records<L: Log>(store: &Store<L>) -> Vec<Record> {
    let mut all = Vec::new();
    let visit = |stored: annals_core::StoredRecord| {
        all.push(stored.record);
        Ok(())
    };
    scan::each(store.log(), Seq(1), store.log().head().unwrap().seq(), visit).unwrap();
    all
}

fn store() -> (Store<MemoryLog>, TestHost) {
    (Store::new(MemoryLog::default()), TestHost::new(1))
}

fn written(session: &Session) -> Store<MemoryLog> {
    let (store, host) = store();
    session.write(&store, &host);
    store
}

fn scope(certainty: Certainty, known_at: KnownAt) -> Scope {
    let timeline = TimelineName::new(TIMELINES[0]).unwrap();
    Scope { certainty, ..Scope::surely(timeline).known_at(known_at) }
}

fn question(scope: &Scope, as_of: &AsOf) -> Question {
    let Scope { timeline, known_at, certainty, filter } = scope.clone();
    Question { timeline, as_of: as_of.clone(), known_at, certainty, filter, entities: Vec::new() }
}

/// The same projector in another run of the program.
fn restarted(projector: &Projector<Mirror>, store: &Store<MemoryLog>) -> Projector<Mirror> {
    let json = serde_json::to_string(&projector.save().unwrap()).unwrap();
    let checkpoint: Checkpoint = serde_json::from_str(&json).unwrap();
    Projector::resume(Mirror, projector.scope().clone(), store, &checkpoint).unwrap()
}

/// What happens between two batches.
#[derive(Clone, Debug)]
struct Pause {
    asked: Vec<AsOf>,
    restarts: bool,
    /// The program is not running, and reads nothing.
    sleeps: bool,
}

fn pauses() -> impl Strategy<Value = Pause> {
    (vec(as_of_dates(), 0..3), prop::bool::weighted(0.3), prop::bool::weighted(0.2))
        .prop_map(|(asked, restarts, sleeps)| Pause { asked, restarts, sleeps })
}

/// Follows a session with one projector, and holds each of its states against replay and a new projector.
fn follow(
    session: &Session,
    pauses: &[Pause],
    certainty: Certainty,
    known_at: KnownAt,
) -> Result<(), TestCaseError> {
    let (store, host) = store();
    let mut projector = Projector::new(Mirror, scope(certainty, known_at));
    for (batch, pause) in session.batches.iter().zip(pauses.iter().cycle()) {
        batch.write(&store, &host);
        if pause.sleeps || store.position(known_at).is_err() {
            continue;
        }
        let records = records(&store);
        for as_of in &pause.asked {
            let rebuilt = Projector::new(Mirror, projector.scope().clone()).state_at(&store, as_of).cloned();
            let question = question(projector.scope(), as_of);
            let state = projector.state_at(&store, as_of).unwrap();
            prop_assert_eq!(state, &rebuilt.unwrap(), "followed left, rebuilt right: {:?}", &question);
            prop_assert_eq!(folded(state, &records), replayed(&store, &question), "{:?}", question);
        }
        if pause.restarts {
            projector = restarted(&projector, &store);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn replay_as_a_projection_agrees_with_replay(session in sessions_with_redactions(30), asked in vec(questions(), 1..12)) {
        let store = written(&session);
        let records = records(&store);
        for asked in asked {
            let question = Question { entities: Vec::new(), ..Asked::of(&asked, &records) };
            let mut projector = Projector::new(Mirror, Scope::from(&question));
            let state = projector.state_at(&store, &question.as_of).unwrap();
            prop_assert_eq!(folded(state, &records), replayed(&store, &question), "{:?}", question);
        }
    }

    #[test]
    fn however_a_log_was_followed_the_state_is_that_of_a_rebuild(
        session in sessions_with_redactions(40),
        pauses in vec(pauses(), 1..12),
        possibly in any::<bool>(),
    ) {
        let certainty = if possibly { Certainty::Possibly } else { Certainty::Surely };
        follow(&session, &pauses, certainty, KnownAt::Everything)?;
    }

    /// What was known at a position does not change by what is recorded later, and is not there before it is.
    #[test]
    fn a_position_of_the_record_axis_is_followed_up_to_there(
        session in sessions_with_redactions(30),
        pauses in vec(pauses(), 1..8),
        position in 1..20_u64,
    ) {
        follow(&session, &pauses, Certainty::Surely, KnownAt::Position(Seq(position)))?;
    }

    /// The states over time are those that are got one by one, at both sides of each change.
    #[test]
    fn the_history_has_every_state_as_of_every_date(
        session in sessions_with_redactions(20),
        asked in vec(as_of_dates(), 1..8),
        possibly in any::<bool>(),
    ) {
        let store = written(&session);
        let certainty = if possibly { Certainty::Possibly } else { Certainty::Surely };
        let mut projector = Projector::new(Mirror, scope(certainty, KnownAt::Everything));
        let last = asked.iter().max_by_key(|as_of| as_of.until()).unwrap();
        let history = projector.history(&store, last).unwrap();
        for pair in history.windows(2) {
            prop_assert!(pair[0].moment < pair[1].moment);
            prop_assert!(pair[0].state != pair[1].state);
        }
        for as_of in &asked {
            let stood = history.iter().rfind(|since| since.moment <= as_of.until()).unwrap();
            prop_assert_eq!(&stood.state, projector.state_at(&store, as_of).unwrap());
        }
    }
}

proptest! {
    #![proptest_config(cases(8))]

    /// The same on logs that are long enough for states to be kept on the way.
    #[test]
    fn however_a_long_log_was_followed_the_state_is_that_of_a_rebuild(
        session in sessions_with_redactions(400).no_shrink(),
        pauses in vec(pauses(), 1..30),
        possibly in any::<bool>(),
    ) {
        let certainty = if possibly { Certainty::Possibly } else { Certainty::Surely };
        follow(&session, &pauses, certainty, KnownAt::Everything)?;
    }
}
