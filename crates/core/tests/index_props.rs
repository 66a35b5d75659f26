//! The index of claims against replay, on random logs, with restarts and damage at random moments.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::fs;
use std::path::Path;

use annals_core::index::{ClaimIndex, Sizes};
use annals_core::{Log, Store, WriteOptions};
use annals_model::{
    Certainty, Date, Effect, Entry, Event, EventId, Filter, KnownAt, Question, Seq, Source, TimelineName,
    Write,
};
use annals_testkit::generate::{ENTITIES, TIMELINES, as_of_dates, dates, effects};
use annals_testkit::{MemoryLog, TestHost};
use proptest::collection::vec;
use proptest::prelude::*;

const SMALL: Sizes = Sizes { enough: 256, at_once: 512, fan: 2, kept: 200 };

fn timeline(index: usize) -> TimelineName {
    TimelineName::new(TIMELINES[index % 2]).unwrap()
}

/// What is done to one of the events: it is recorded, corrected, withdrawn or, seldom, redacted.
type Deed = (u16, Option<Date>, Vec<Effect>, u8);

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let date = proptest::option::weighted(0.9, dates());
    vec((0_u16..120, date, vec(effects(), 0..4), any::<u8>()), 600..1400)
}

fn record(store: &Store<MemoryLog>, host: &TestHost, (event, date, effects, dice): &Deed) {
    let name = EventId::new(format!("e{event}")).unwrap();
    let timeline = timeline(usize::from(*event));
    let known = store.log().event(&timeline, &name).unwrap();
    let write = if known.is_some() && *dice == 1 && effects.is_empty() {
        Write::Redact { id: name, reason: "a name".to_owned() }
    } else if known.is_some() && dice % 8 == 0 {
        Write::Retract { id: name, reason: "because".to_owned() }
    } else {
        let mut event = Event::new(name, "t");
        (event.date, event.effects) = (date.clone(), effects.clone());
        event.sources = vec![Source { title: Some(format!("source {dice}")), ..Source::default() }];
        let event = Box::new(event);
        if known.is_some() { Write::Revise(event) } else { Write::Append(event) }
    };
    let _ = store.write(vec![Entry::new(timeline, write)], host, &WriteOptions::by("somebody"));
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

fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_attribute_is_what_replay_says_at_any_two_times(
        deeds in deeds(),
        as_of in vec(as_of_dates(), 4),
        known in vec(any::<prop::sample::Index>(), 4),
        dice in vec(any::<u32>(), 64),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("index");
        let index = || ClaimIndex::with(path.clone(), SMALL);
        let (mut store, host) = (Store::new(MemoryLog::default()).with_index(index()), TestHost::new(1));
        let mut dice = dice.into_iter().cycle();
        let mut damaged = false;
        for (number, chunk) in deeds.chunks(300).enumerate() {
            for deed in chunk {
                record(&store, &host, deed);
            }
            let end = store.log().head().unwrap().seq();
            // Now and then the process ends, and somebody does something to the files.
            if number % 2 == 1 {
                store = store.with_index(index());
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
                        let Ok(snapshot) = store.replay(&question) else { continue };
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
    #![proptest_config(ProptestConfig { cases: 3, max_shrink_iters: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_told_with_an_index_is_told_without_one(
        deeds in deeds(),
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
