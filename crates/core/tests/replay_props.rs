//! Replay against the naive replay of the testkit, and what SPEC says of replay besides, over both logs.
//!
//! `PROPTEST_CASES` sets the number of cases of every property; without it the whole file runs in some seconds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use annals_core::{
    Durability, Error, Log, NotFound, SledLog, SledOptions, Store, StoredRecord, WriteOptions, scan,
};
use annals_model::{
    AsOf, Certainty, Change, Content, Entry, Event, Filter, KnownAt, Op, Question, Record, RecordedAt,
    Scalar, Seq, Snapshot, TimelineName, Value, When, Write,
};
use annals_testkit::generate::{
    Asked, Session, TIMELINES, as_of_dates, disjoint_events, questions, sessions, sessions_with_redactions,
};
use annals_testkit::naive::{self, NaiveAnswer};
use annals_testkit::{MemoryLog, TestHost};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// So many cases, unless `PROPTEST_CASES` says how many.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, max_shrink_iters: 4096, failure_persistence: None, ..ProptestConfig::default() }
}

fn in_memory() -> Store<MemoryLog> {
    Store::new(MemoryLog::default())
}

fn written(session: &Session) -> Store<MemoryLog> {
    let store = in_memory();
    session.write(&store, &TestHost::new(1));
    store
}

fn stored<L: Log>(store: &Store<L>) -> Vec<StoredRecord> {
    let mut all = Vec::new();
    let visit = |record| {
        all.push(record);
        Ok(())
    };
    scan::each(store.log(), Seq(1), store.log().head().unwrap().seq(), visit).unwrap();
    all
}

fn records<L: Log>(store: &Store<L>) -> Vec<Record> {
    stored(store).into_iter().map(|stored| stored.record).collect()
}

/// The engine's answer; `None` where the store has no such timeline at all.
fn replay<L: Log>(store: &Store<L>, question: &Question) -> Result<Option<Snapshot>, TestCaseError> {
    match store.replay(question) {
        Ok(snapshot) => Ok(Some(snapshot)),
        Err(Error::NotFound(NotFound::Timeline(name))) if name == question.timeline => Ok(None),
        Err(error) => Err(TestCaseError::fail(format!("{error}\n{question:?}"))),
    }
}

/// The engine and the naive replay say the same.
fn agree<L: Log>(store: &Store<L>, records: &[Record], question: &Question) -> Result<(), TestCaseError> {
    let exists = records.iter().any(|record| record.timeline == question.timeline);
    let engine = replay(store, question)?.map(|snapshot| naive::comparable(&snapshot));
    let oracle = exists.then(|| naive::replay(records, question));
    prop_assert_eq!(engine, oracle, "\nengine left, oracle right\n{:?}", question);
    Ok(())
}

fn question(as_of: &AsOf, certainty: Certainty) -> Question {
    Question {
        timeline: TimelineName::new(TIMELINES[0]).unwrap(),
        as_of: as_of.clone(),
        known_at: KnownAt::Everything,
        certainty,
        filter: Filter::default(),
        entities: Vec::new(),
    }
}

/// Both answers as of a date; `None` where the store has no such timeline.
fn both<L: Log>(store: &Store<L>, as_of: &AsOf) -> Result<Option<(Snapshot, Snapshot)>, TestCaseError> {
    let surely = replay(store, &question(as_of, Certainty::Surely))?;
    Ok(surely.zip(replay(store, &question(as_of, Certainty::Possibly))?))
}

/// The entry that records a record once more, with its own time, author and salt.
fn once_more(stored: &StoredRecord) -> Entry {
    let Record { recorded_at, recorded_by, timeline, id, op, content, .. } = stored.record.clone();
    let write = match (op, content) {
        (Op::Append, Content::Event(event)) => Write::Append(event),
        (Op::Revise, Content::Event(event)) => Write::Revise(event),
        (Op::Retract, Content::Reason(reason)) => Write::Retract { id, reason },
        other => panic!("no session writes {other:?}"),
    };
    let (recorded_at, recorded_by) = (Some(recorded_at), Some(recorded_by));
    Entry { timeline, write, recorded_at, recorded_by, salt: stored.salt().copied() }
}

/// A store that holds these records and nothing else, written as one batch.
fn copy_of(records: &[StoredRecord]) -> Store<MemoryLog> {
    let store = in_memory();
    let options = WriteOptions { keep_record_times: true, ..WriteOptions::by("nobody") };
    let host = TestHost::new(2);
    // The copy is made after everything that it copies.
    host.set_now(RecordedAt::from_micros(4_000_000_000_000_000));
    store.write(records.iter().map(once_more).collect(), &host, &options).unwrap();
    store
}

proptest! {
    #![proptest_config(cases(1024))]

    #[test]
    fn replay_answers_as_the_naive_replay(session in sessions_with_redactions(30), asked in vec(questions(), 1..20)) {
        let store = written(&session);
        let records = records(&store);
        for asked in asked {
            agree(&store, &records, &asked.of(&records))?;
        }
    }
}

proptest! {
    #![proptest_config(cases(256))]

    /// Back-dated events, revisions, retractions and redactions are in the very next answer.
    #[test]
    fn every_write_is_visible_at_once(session in sessions_with_redactions(16), asked in vec(questions(), 1..4)) {
        let (store, host) = (in_memory(), TestHost::new(1));
        for batch in &session.batches {
            batch.write(&store, &host);
            let records = records(&store);
            for asked in &asked {
                agree(&store, &records, &asked.of(&records))?;
            }
        }
    }

    /// What was known at K does not change by what is recorded later, but for redactions.
    #[test]
    fn later_records_change_no_earlier_answer(
        session in sessions(16),
        kept in any::<Index>(),
        asked in vec(questions(), 1..6),
    ) {
        let (store, host) = (in_memory(), TestHost::new(1));
        let (before, after) = session.batches.split_at(kept.index(session.batches.len()) + 1);
        for batch in before {
            batch.write(&store, &host);
        }
        let known = records(&store);
        let last = known.last().map_or(Seq(0), |record| record.seq);
        let at_most = |mut question: Question| {
            question.known_at = match question.known_at {
                KnownAt::Everything => KnownAt::Position(last),
                KnownAt::Position(position) => KnownAt::Position(position.min(last)),
                // Later records may carry the time of the last one, not an earlier one.
                KnownAt::At(at) => match known.last() {
                    Some(record) if at >= record.recorded_at => KnownAt::Position(last),
                    _ => KnownAt::At(at),
                },
            };
            question
        };
        let questions: Vec<Question> = asked.iter().map(|asked| at_most(asked.of(&known))).collect();
        let first: Vec<_> = questions.iter().map(|question| replay(&store, question)).collect();
        for batch in after {
            batch.write(&store, &host);
        }
        for (question, first) in questions.iter().zip(first) {
            // A timeline that begins later has been empty until then, and that is the one thing that changes.
            if let (Some(first), again) = (first?, replay(&store, question)?) {
                prop_assert_eq!(Some(first), again, "{:?}", question);
            }
        }
    }

    /// Known at K is what a store would answer that holds nothing else; the receipt is the same too.
    #[test]
    fn known_at_a_position_is_a_store_that_ends_there(session in sessions(16), asked in vec(questions(), 1..4)) {
        let store = written(&session);
        let all = stored(&store);
        for end in 0..=all.len() {
            let prefix = copy_of(&all[..end]);
            for asked in &asked {
                let mut question = asked.of(&[]);
                question.known_at = KnownAt::Position(Seq(u64::try_from(end).unwrap()));
                let known = replay(&store, &question)?;
                question.known_at = KnownAt::Everything;
                match replay(&prefix, &question)? {
                    Some(snapshot) => prop_assert_eq!(known, Some(snapshot), "{:?}", question),
                    None => prop_assert!(known.is_none_or(|known| known.state.is_empty())),
                }
            }
        }
    }

    /// The fold is the same whatever order events were recorded in, if their dates do not overlap.
    #[test]
    fn the_order_of_recording_does_not_matter_for_disjoint_dates(
        (events, shuffled) in disjoint_events().prop_flat_map(|events| {
            (Just(events.clone()), Just(events).prop_shuffle())
        }),
        as_of in vec(as_of_dates(), 1..12),
    ) {
        let recorded = |events: &[Event]| {
            let store = in_memory();
            let timeline = TimelineName::new(TIMELINES[0]).unwrap();
            let append = |event: &Event| Write::Append(Box::new(event.clone()));
            let entries = events.iter().map(|event| Entry::new(timeline.clone(), append(event))).collect();
            store.write(entries, &TestHost::new(1), &WriteOptions::by("somebody")).unwrap();
            store
        };
        let (first, second) = (recorded(&events), recorded(&shuffled));
        for as_of in as_of {
            for certainty in [Certainty::Surely, Certainty::Possibly] {
                let question = question(&as_of, certainty);
                let (Some(a), Some(b)) = (replay(&first, &question)?, replay(&second, &question)?) else {
                    return Err(TestCaseError::fail("the timeline is there"));
                };
                prop_assert_eq!(naive::comparable(&a), naive::comparable(&b));
                prop_assert_eq!((a.state, a.receipt.state_sha256), (b.state, b.receipt.state_sha256));
            }
        }
    }

    /// What surely holds also possibly holds: each effect leaves a mark of its own, and the marks are compared.
    #[test]
    fn what_surely_holds_possibly_holds(mut session in sessions(16), as_of in vec(as_of_dates(), 1..12)) {
        session.entries_mut().for_each(leave_marks);
        let store = written(&session);
        for as_of in as_of {
            let Some((surely, possibly)) = both(&store, &as_of)? else { continue };
            let (surely, possibly) = (naive::comparable(&surely), naive::comparable(&possibly));
            for (entity, mark) in marks(&surely) {
                prop_assert!(marks(&possibly).contains(&(entity, mark)), "{mark:?} as of {as_of}");
            }
            prop_assert_eq!(surely.ongoing, possibly.ongoing);
            prop_assert_eq!(surely.tally, possibly.tally);
        }
    }

    /// A value that is sure as of D is the value also if all that is possible had happened, provided that all of it
    /// can have happened together.
    #[test]
    fn a_sure_value_is_also_the_possible_one(mut session in sessions(16), as_of in vec(as_of_dates(), 1..12)) {
        session.entries_mut().for_each(hold_together);
        let store = written(&session);
        for as_of in as_of {
            let Some((surely, possibly)) = both(&store, &as_of)? else { continue };
            for (entity, attributes) in &surely.state {
                for (attribute, cell) in attributes.iter().filter(|(_, cell)| cell.sure) {
                    let other = possibly.state.get(entity).and_then(|entity| entity.get(attribute));
                    prop_assert_eq!(
                        Some(&cell.value),
                        other.map(|cell| &cell.value),
                        "{}.{} as of {}", entity, attribute, as_of
                    );
                }
            }
        }
    }
}

/// Leaves nothing in an event that only holds when something else of it does not: what lasts for one moment lasts
/// at D only if that is the moment, and so nothing comes after it; and what lasts during an interval is over when
/// something happens at its end.
fn hold_together(entry: &mut Entry) {
    let (Write::Append(event) | Write::Revise(event)) = &mut entry.write else { return };
    let is_interval = event.date.as_ref().is_some_and(annals_model::Date::is_interval);
    let apart = if is_interval { When::End } else { When::During };
    for effect in event.effects.iter_mut().filter(|effect| effect.when == apart) {
        effect.when = When::Start;
    }
}

/// Makes every effect of an entry add a member of its own to a set.
fn leave_marks(entry: &mut Entry) {
    let (Write::Append(event) | Write::Revise(event)) = &mut entry.write else { return };
    let id = event.id.clone();
    for (position, effect) in event.effects.iter_mut().enumerate() {
        "marks".clone_into(&mut effect.attribute);
        effect.change = Change::Add(Scalar::Text(format!("{id} {position}").into()));
    }
}

fn marks(answer: &NaiveAnswer) -> Vec<(&str, &Scalar)> {
    let mut marks = Vec::new();
    for ((entity, _), (value, _)) in &answer.state {
        let Value::Set(members) = value else { panic!("marks are a set") };
        marks.extend(members.iter().map(|mark| (entity.as_str(), mark)));
    }
    marks
}

proptest! {
    #![proptest_config(cases(24))]

    /// The answer does not depend on the storage, nor on the process that wrote it.
    #[test]
    fn replay_on_sled_answers_as_the_naive_replay(session in sessions_with_redactions(24), asked in vec(questions(), 1..16)) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        let options = SledOptions { durability: Durability::Os, ..SledOptions::default() };
        let store = Store::new(SledLog::create(&path, &options).unwrap());
        session.write(&store, &TestHost::new(1));
        let expected = written(&session);
        let records = records(&expected);
        let answers_alike = |store: &Store<SledLog>, asked: &Asked| {
            let question = asked.of(&records);
            agree(store, &records, &question)?;
            prop_assert_eq!(replay(store, &question)?, replay(&expected, &question)?);
            Ok(())
        };
        asked.iter().try_for_each(|asked| answers_alike(&store, asked))?;
        drop(store);
        let store = Store::new(SledLog::open(&path, &options).unwrap());
        asked.iter().try_for_each(|asked| answers_alike(&store, asked))?;
    }
}
