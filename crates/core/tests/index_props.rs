//! The index of claims against answers without one, on random logs, with restarts and damage at random moments.
//!
//! The store without an index reads the log, which `replay_props.rs` holds against the naive replay.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::fs;
use std::path::Path;

use annals_core::dates::{self, DateIndex};
use annals_core::index::{ClaimIndex, Sizes};
use annals_core::{Log, Store};
use annals_model::answers::Answers;
use annals_model::{
    AsOf, Certainty, Change, Date, Effect, Filter, KnownAt, Number, Question, SavedSnapshot, Scalar, Seq,
    Snapshot, Value, When,
};
use annals_testkit::counts::count;
use annals_testkit::deeds::{deeds, record, tame, timeline};
use annals_testkit::generate::{ENTITIES, as_of_dates, dates, effects};
use annals_testkit::{MemoryLog, TestHost};
use proptest::collection::vec;
use proptest::prelude::*;

const SMALL: Sizes = Sizes { enough: 256, at_once: 512, fan: 2, kept: 200, spacing: 3 };

/// So many cases, or as many times more as `ANNALS_INDEX_CASES` says.
fn cases(few: u32) -> u32 {
    few * count("ANNALS_INDEX_CASES", 1)
}

/// How many questions one store is asked, thousands if need be.
fn questions() -> usize {
    count("ANNALS_INDEX_QUESTIONS", 150)
}

/// What both stores say about a name, apart from the log root that no test of answers needs.
fn same_about(plain: &Store<MemoryLog>, indexed: &Store<MemoryLog>, question: &Question, asked: &str) {
    let told = |error: annals_core::Error| error.to_string();
    let (one, other) = (plain.spans(question, asked), indexed.spans(question, asked));
    assert_eq!(one.map_err(told), other.map_err(told), "{asked} {question:?}");
    let (one, other) = (plain.learned(question, asked), indexed.learned(question, asked));
    assert_eq!(one.map_err(told), other.map_err(told), "{asked} {question:?}");
    let (one, other) = (plain.why(question, asked), indexed.why(question, asked));
    assert_eq!(one.map_err(told), other.map_err(told), "{asked} {question:?}");
}

fn same_snapshot(
    indexed: &Store<MemoryLog>,
    question: &Question,
    expect: &Snapshot,
) -> Result<(), TestCaseError> {
    let answers = indexed.answers(question).unwrap();
    prop_assert_eq!(answers.state(), &expect.state, "{:?}", question);
    prop_assert_eq!(&indexed.replay(question).unwrap(), expect, "{:?}", question);
    Ok(())
}

/// What both stores say to have changed from a question's two times to others.
fn same_diff(
    plain: &Store<MemoryLog>,
    indexed: &Store<MemoryLog>,
    question: &Question,
    (as_of, known_at): (&AsOf, KnownAt),
) -> Result<(), TestCaseError> {
    let told = |error: annals_core::Error| error.to_string();
    let (one, other) = (plain.diff(question, as_of, known_at), indexed.diff(question, as_of, known_at));
    prop_assert_eq!(one.map_err(told), other.map_err(told), "{:?} {:?} {:?}", question, as_of, known_at);
    Ok(())
}

fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(6), max_shrink_iters: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_attribute_is_what_replay_says_at_any_two_times(
        mut deeds in deeds(120, 600..1400),
        is_tame in any::<bool>(),
        as_of in vec(as_of_dates(), 2),
        known in vec(any::<prop::sample::Index>(), 2),
        dice in vec(any::<u32>(), 64),
    ) {
        if is_tame {
            tame(&mut deeds);
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("index");
        let index = || ClaimIndex::with(path.clone(), SMALL);
        let dates = || {
            let sizes = dates::Sizes { enough: 256, at_once: 512, fan: 2, piece: 100, few: 0, first: 1 };
            DateIndex::with(dir.path().join("dates"), sizes)
        };
        let with_both = |store: Store<MemoryLog>| store.with_index(index()).with_dates(dates());
        let (mut store, host) = (with_both(Store::new(MemoryLog::default())), TestHost::new(1));
        let (plain, plain_host) = (Store::new(MemoryLog::default()), TestHost::new(1));
        let mut dice = dice.into_iter().cycle();
        let mut damaged = false;
        for (number, chunk) in deeds.chunks(300).enumerate() {
            for deed in chunk {
                record(&store, &host, deed);
                record(&plain, &plain_host, deed);
            }
            let end = store.log().head().unwrap().seq();
            // Now and then the process ends, and somebody does something to the files.
            if number % 2 == 1 {
                store = with_both(store);
                let files = if path.exists() { files(&path) } else { Vec::new() };
                let deed = dice.next().unwrap() % 4;
                if let Some(file) = files.get(dice.next().unwrap() as usize % files.len().max(1)) {
                    let mut bytes = fs::read(file).unwrap();
                    let at = dice.next().unwrap() as usize % bytes.len().max(1);
                    match deed {
                        0 => fs::remove_file(file).unwrap(),
                        1 => fs::write(file, &bytes[..at]).unwrap(),
                        2 => {
                            bytes[at] ^= 1 << (at % 8);
                            fs::write(file, &bytes).unwrap();
                        }
                        _ => {}
                    }
                    damaged |= deed < 3;
                }
            }
            for (as_of, known) in as_of.iter().zip(&known) {
                for certainty in [Certainty::Surely, Certainty::Possibly] {
                    let position = KnownAt::Position(Seq(known.index(usize::try_from(end.0).unwrap() + 1) as u64));
                    for (at, line) in [(KnownAt::Everything, 0), (position, 1)] {
                        let timeline = timeline(line);
                        let (filter, entities, as_of) = (Filter::default(), Vec::new(), as_of.clone());
                        let question = Question { timeline, as_of, known_at: at, certainty, filter, entities };
                        let Ok(snapshot) = plain.replay(&question) else { continue };
                        same_snapshot(&store, &question, &snapshot)?;
                        let entity = ENTITIES[dice.next().unwrap() as usize % ENTITIES.len()].to_owned();
                        let of_one = Question { entities: vec!["nobody".to_owned(), entity], ..question.clone() };
                        same_snapshot(&store, &of_one, &plain.replay(&of_one).unwrap())?;
                        for (entity, attributes) in &snapshot.state {
                            for (attribute, cell) in attributes {
                                let found = store.cell(&question, entity, attribute).unwrap();
                                prop_assert_eq!(found.as_ref(), Some(cell), "{}.{} {:?}", entity, attribute, question);
                            }
                        }
                        prop_assert_eq!(store.cell(&question, "a", "nothing").unwrap(), None);
                    }
                }
            }
        }
        // Damage that was read was noticed; some is never read.
        prop_assert!(damaged || store.index().unwrap().notice().is_none());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(2), max_shrink_iters: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_told_with_an_index_is_told_without_one(
        deeds in deeds(120, 600..1400),
        as_of in as_of_dates(),
        known in any::<prop::sample::Index>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let index = ClaimIndex::with(dir.path().join("index"), SMALL);
        let (plain, indexed) = (Store::new(MemoryLog::default()), Store::new(MemoryLog::default()).with_index(index));
        let hosts = [TestHost::new(1), TestHost::new(1)];
        for deed in &deeds {
            record(&plain, &hosts[0], deed);
            record(&indexed, &hosts[1], deed);
        }
        let end = plain.log().head().unwrap();
        prop_assert_eq!(&end, &indexed.log().head().unwrap());
        let position = KnownAt::Position(Seq(known.index(usize::try_from(end.seq().0).unwrap() + 1) as u64));
        for known_at in [position, KnownAt::Everything] {
            let (certainty, filter, entities) = (Certainty::Surely, Filter::default(), Vec::new());
            let (timeline, as_of) = (timeline(0), as_of.clone());
            let question = Question { timeline, as_of, known_at, certainty, filter, entities };
            for asked in ENTITIES.iter().flat_map(|entity| [(*entity).to_owned(), format!("{entity}.x"), format!("{entity}.no")]) {
                same_about(&plain, &indexed, &question, &asked);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(160), max_shrink_iters: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn few_events_are_answered_for_as_without_an_index(
        mut deeds in vec((0_u16..12, proptest::option::weighted(0.9, dates()), vec(effects(), 0..4), any::<u8>()), 1..24),
        is_wild in prop::bool::weighted(0.2),
        as_of in vec(as_of_dates(), 3),
        known in any::<prop::sample::Index>(),
    ) {
        if !is_wild {
            tame(&mut deeds);
        }
        let dir = tempfile::tempdir().unwrap();
        let index = ClaimIndex::with(dir.path().join("index"), SMALL);
        let (plain, indexed) = (Store::new(MemoryLog::default()), Store::new(MemoryLog::default()).with_index(index));
        let hosts = [TestHost::new(1), TestHost::new(1)];
        for deed in &deeds {
            record(&plain, &hosts[0], deed);
            record(&indexed, &hosts[1], deed);
        }
        let end = usize::try_from(plain.log().head().unwrap().seq().0).unwrap();
        let later = as_of[0].clone();
        for as_of in as_of {
            for certainty in [Certainty::Surely, Certainty::Possibly] {
                for known_at in [KnownAt::Everything, KnownAt::Position(Seq(known.index(end + 1) as u64))] {
                    let (filter, entities) = (Filter::default(), Vec::new());
                    let question =
                        Question { timeline: timeline(0), as_of: as_of.clone(), known_at, certainty, filter, entities };
                    if let Ok(snapshot) = plain.replay(&question) {
                        same_snapshot(&indexed, &question, &snapshot)?;
                    }
                    let other_known = KnownAt::Position(Seq(end as u64 / 2));
                    same_diff(&plain, &indexed, &question, (&later, other_known))?;
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(2), max_shrink_iters: 16, failure_persistence: None, ..ProptestConfig::default() })]

    /// One log is asked many questions at any two times, while it grows and its process starts anew.
    #[test]
    fn a_whole_state_is_that_of_all_events_at_many_dates_and_records(
        mut deeds in deeds(400, 1100..1500),
        is_tame in prop::bool::weighted(0.8),
        asked in vec((as_of_dates(), any::<prop::sample::Index>(), any::<bool>()), questions()),
    ) {
        if is_tame {
            tame(&mut deeds);
        }
        let dir = tempfile::tempdir().unwrap();
        let index = || ClaimIndex::with(dir.path().join("index"), SMALL);
        let (mut store, host) = (Store::new(MemoryLog::default()).with_index(index()), TestHost::new(1));
        let (plain, plain_host) = (Store::new(MemoryLog::default()), TestHost::new(1));
        let mut asked = asked.chunks(questions().div_ceil(3));
        // Runs of one size are merged, so that the three moments find one run, several, and records behind them.
        for chunk in [&deeds[..300], &deeds[300..900], &deeds[900..]] {
            for deed in chunk {
                record(&store, &host, deed);
                record(&plain, &plain_host, deed);
            }
            store = store.with_index(index());
            let end = usize::try_from(plain.log().head().unwrap().seq().0).unwrap();
            let asked = asked.next().unwrap_or_default();
            for (number, (as_of, known, is_sure)) in asked.iter().enumerate() {
                // Checkpoints tell of what was known since all facts of a group were recorded.
                let latest = if number % 2 == 0 { end - known.index(end / 8) } else { known.index(end + 1) };
                let known_at = KnownAt::Position(Seq(latest as u64));
                let certainty = if *is_sure { Certainty::Surely } else { Certainty::Possibly };
                let (filter, entities) = (Filter::default(), Vec::new());
                let question =
                    Question { timeline: timeline(0), as_of: as_of.clone(), known_at, certainty, filter, entities };
                let known = plain.known(&question.timeline, known_at).unwrap();
                let expect = Answers::of(&question, &known.knowledge().events);
                let found = store.answers(&question).unwrap();
                prop_assert_eq!(format!("{found:?}"), format!("{expect:?}"), "{:?}", question);
                if number % 8 == 0 {
                    let (other, known, _) = &asked[(number + 3) % asked.len()];
                    let known_at = KnownAt::Position(Seq(known.index(end + 1) as u64));
                    same_diff(&plain, &store, &question, (other, known_at))?;
                    let saved = serde_json::to_string(&plain.replay(&question).unwrap()).unwrap();
                    prop_assert!(store.check(&SavedSnapshot::parse(&saved).unwrap()).unwrap().same);
                }
            }
            // Else the answers may have come from the log.
            let notice = store.index().unwrap().notice();
            prop_assert!(notice.as_ref().is_none_or(|why| why.contains("redacted")), "{:?}", notice);
        }
    }
}

/// So many events claim one attribute that the index is asked after each record.
#[test]
fn what_each_of_many_records_changed_is_told_alike_with_and_without_an_index() {
    let dir = tempfile::tempdir().unwrap();
    let index = ClaimIndex::with(dir.path().join("index"), SMALL);
    let (plain, indexed) =
        (Store::new(MemoryLog::default()), Store::new(MemoryLog::default()).with_index(index));
    let hosts = [TestHost::new(1), TestHost::new(1)];
    let dates =
        ["2004", "2004-05-06", "2003~", "2004/2005", "", "1999-12", "2004-05-06", "../2004", "{2003,2005}"];
    for step in 0..400_u16 {
        let number = step * 37 % 150;
        let date = Date::parse(dates[usize::from(step * 7 + number) % dates.len()]).ok();
        let set = Change::Set(Value::Scalar(Scalar::Number(Number::from(i64::from(step)))));
        let change = if step % 3 == 0 { Change::Increase(Number::from(i64::from(step % 5))) } else { set };
        let effect = Effect { entity: "a".to_owned(), attribute: "x".to_owned(), change, when: When::Start };
        // Every eighth record of an event that is there withdraws it.
        let deed =
            (number * 2, date, vec![effect], u8::try_from(step % 8 + u16::from(step % 8 == 1)).unwrap());
        record(&plain, &hosts[0], &deed);
        record(&indexed, &hosts[1], &deed);
    }
    let mut changes = 0;
    for as_of in ["2002", "2004-05-06", "2004", "2010"] {
        for certainty in [Certainty::Surely, Certainty::Possibly] {
            let as_of = AsOf::new(Date::parse(as_of).unwrap()).unwrap();
            let (filter, entities, known_at) = (Filter::default(), Vec::new(), KnownAt::Everything);
            let question = Question { timeline: timeline(0), as_of, known_at, certainty, filter, entities };
            let (one, other) =
                (plain.learned(&question, "a.x").unwrap(), indexed.learned(&question, "a.x").unwrap());
            assert_eq!(one, other, "{question:?}");
            changes += one.changes.len();
        }
    }
    assert!(changes > 200, "{changes}");
}
