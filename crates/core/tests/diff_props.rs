//! What a comparison promises, over random logs: it leads from the one state to the other, it is empty where
//! there is nothing to tell, and whoever it holds responsible is.
//!
//! `PROPTEST_CASES` sets the number of cases of every property; without it the whole file runs in some seconds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;

use annals_core::{Log, Store};
use annals_model::diff::{Cause, CauseKind, Changed, Kind};
use annals_model::{
    Content, Diff, Event, EventId, KnownAt, Moment, Op, Question, Record, Seq, TimelineName, Value, Version,
};
use annals_testkit::generate::{Asked, questions, sessions_with_redactions};
use annals_testkit::records::records;
use annals_testkit::{MemoryLog, TestHost};
use proptest::prelude::*;

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, max_shrink_iters: 4096, failure_persistence: None, ..ProptestConfig::default() }
}

type Values = BTreeMap<(String, String), Value>;

fn state(store: &Store<MemoryLog>, question: &Question) -> Values {
    let snapshot = store.replay(question).unwrap();
    let cells = snapshot.state.into_iter().flat_map(|(entity, attributes)| {
        attributes.into_iter().map(move |(name, cell)| ((entity.clone(), name), cell.value))
    });
    cells.collect()
}

/// The value before and after are those of the changes, and everything else stays.
fn applied(diff: &Diff, mut state: Values) -> Result<Values, TestCaseError> {
    for Changed { entity, attribute, kind, from, to, .. } in &diff.changes {
        let key = (entity.clone(), attribute.clone());
        prop_assert_eq!(state.get(&key), from.as_ref());
        prop_assert_ne!(from, to);
        prop_assert_eq!(Some(*kind), Kind::of(from.as_ref(), to.as_ref()));
        match to {
            Some(value) => state.insert(key, value.clone()),
            None => state.remove(&key),
        };
    }
    Ok(state)
}

/// An event's last record up to a position, and the first one.
fn last<'a>(records: &'a [Record], timeline: &TimelineName, id: &EventId, until: Seq) -> Option<&'a Record> {
    records.iter().rfind(|r| r.timeline == *timeline && r.id == *id && r.seq <= until)
}

/// Whether a moment at which something happens, or stops, lies between two dates.
fn lies_between(event: &Event, a: Moment, b: Moment) -> bool {
    let (low, high) = (a.min(b), a.max(b));
    event.happenings().iter().any(|span| {
        let starts = [span.start.earliest, span.start.latest, span.end.earliest, span.end.latest];
        starts.iter().any(|bound| low <= *bound && *bound <= high)
    })
}

/// What a cause says is so, looked up in the records.
fn is_true(cause: &Cause, diff: &Diff, records: &[Record]) -> Result<(), TestCaseError> {
    let known = [&diff.from, &diff.to].map(|point| point.known_at.seq);
    let (earlier, later) = (known[0].min(known[1]), known[0].max(known[1]));
    let before = last(records, &diff.timeline, &cause.id, earlier);
    let after = last(records, &diff.timeline, &cause.id, later).unwrap();
    prop_assert_eq!((cause.seq, cause.recorded_at), (after.seq, after.recorded_at), "{:?}", cause);
    if let Content::Event(event) = &after.content {
        prop_assert_eq!((&cause.date, &cause.title), (&event.date, &event.title));
    }
    let is_new = before.is_none_or(|before| before.seq < after.seq);
    match cause.cause {
        CauseKind::Appended => prop_assert!(before.is_none() && after.op != Op::Retract),
        CauseKind::Revised => prop_assert!(before.is_some() && is_new && after.op == Op::Revise),
        CauseKind::Retracted => prop_assert!(before.is_some() && is_new && after.op == Op::Retract),
        CauseKind::Redacted => {
            prop_assert!(false, "what is redacted never counted, and its going changes nothing");
        }
        CauseKind::Crossed => {
            let event = after.content.event().unwrap();
            prop_assert!(lies_between(event, diff.from.as_of_until, diff.to.as_of_until), "{:?}", event);
        }
    }
    Ok(())
}

/// The diff from one question to the date and the point of knowledge of another, where there is a timeline.
fn compared(
    store: &Store<MemoryLog>,
    records: &[Record],
    asked: &[Asked; 2],
) -> Option<(Question, Question, Diff)> {
    let [from, mut to] = [0, 1].map(|side| asked[side].of(records));
    to = Question { as_of: to.as_of, known_at: to.known_at, ..from.clone() };
    let version = store.log().version(&from.timeline).unwrap();
    (version > Version(0)).then(|| {
        let diff = store.diff(&from, &to.as_of, to.known_at).unwrap();
        (from, to, diff)
    })
}

proptest! {
    #![proptest_config(cases(384))]

    #[test]
    fn a_diff_leads_from_one_state_to_the_other(
        session in sessions_with_redactions(24),
        asked in prop::collection::vec([questions(), questions()], 1..8),
    ) {
        let store = Store::new(MemoryLog::default());
        session.write(&store, &TestHost::new(1));
        let records = records(&store);
        for asked in &asked {
            let Some((from, to, diff)) = compared(&store, &records, asked) else { continue };
            prop_assert_eq!(applied(&diff, state(&store, &from))?, state(&store, &to));
            for change in &diff.changes {
                prop_assert!(!change.events.is_empty(), "nobody is responsible for {:?}", change);
                let ids: Vec<&EventId> = change.causes.iter().map(|cause| &cause.id).collect();
                prop_assert_eq!(change.events.iter().collect::<Vec<_>>(), ids);
                for cause in &change.causes {
                    is_true(cause, &diff, &records)?;
                }
            }
        }
    }

    /// The way back is the way there, turned round, by the same events.
    #[test]
    fn the_way_back_is_the_way_there_turned_round(session in sessions_with_redactions(24), asked in [questions(), questions()]) {
        let store = Store::new(MemoryLog::default());
        session.write(&store, &TestHost::new(1));
        let records = records(&store);
        if let Some((from, to, there)) = compared(&store, &records, &asked) {
            let back = store.diff(&to, &from.as_of, from.known_at).unwrap();
            let turned: Vec<_> = back.changes.iter().map(|c| (&c.to, &c.from, &c.events)).collect();
            let straight: Vec<_> = there.changes.iter().map(|c| (&c.from, &c.to, &c.events)).collect();
            prop_assert_eq!(turned, straight);
        }
    }

    /// One record lies between two neighbouring positions, and so it is the one that did it.
    #[test]
    fn between_neighbouring_positions_the_one_record_is_responsible(session in sessions_with_redactions(24), asked in questions()) {
        let store = Store::new(MemoryLog::default());
        session.write(&store, &TestHost::new(1));
        let all = records(&store);
        for pair in all.windows(2) {
            let mut question = asked.of(&[]);
            question.known_at = KnownAt::Position(pair[0].seq);
            if store.log().version(&question.timeline).unwrap() == Version(0) {
                continue;
            }
            let next = &pair[1];
            let diff = store.diff(&question, &question.as_of, KnownAt::Position(next.seq)).unwrap();
            for change in &diff.changes {
                prop_assert_eq!(change.events.iter().collect::<Vec<_>>(), vec![&next.id], "{:?}", next);
                prop_assert_eq!(change.causes[0].seq, next.seq);
            }
        }
    }

    #[test]
    fn nothing_differs_from_itself(session in sessions_with_redactions(24), asked in questions()) {
        let store = Store::new(MemoryLog::default());
        session.write(&store, &TestHost::new(1));
        let records = records(&store);
        if let Some((_, _, diff)) = compared(&store, &records, &[asked.clone(), asked]) {
            prop_assert!(diff.is_empty());
        }
    }
}
