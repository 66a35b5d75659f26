//! Compaction at random moments of random logs, with restarts and with the index of claims beside the log: the store
//! says what a log in memory says that was written to alike, and what the naive replay says.
//!
//! `PROPTEST_CASES` sets the number of cases; without it the file runs in some seconds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::num::NonZeroUsize;
use std::path::Path;

use annals_core::index::{ClaimIndex, Sizes};
use annals_core::{Durability, Log, SledLog, SledOptions, Store, scan};
use annals_model::{KnownAt, Record, Seq};
use annals_testkit::generate::{Asked, ENTITIES, questions, sessions};
use annals_testkit::{MemoryLog, TestHost, naive};
use proptest::collection::vec;
use proptest::prelude::*;

const SMALL: Sizes = Sizes { enough: 256, at_once: 512, fan: 2, kept: 200, spacing: 3 };

/// So many cases, unless `PROPTEST_CASES` says how many.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, max_shrink_iters: 256, failure_persistence: None, ..ProptestConfig::default() }
}

/// What happens between two batches.
#[derive(Clone, Copy, Debug)]
enum Pause {
    GoesOn,
    Restarts,
    Compacts,
}

fn pauses() -> impl Strategy<Value = Pause> {
    prop_oneof![6 => Just(Pause::GoesOn), 1 => Just(Pause::Restarts), 1 => Just(Pause::Compacts)]
}

fn options() -> SledOptions {
    SledOptions { durability: Durability::Os, ..SledOptions::default() }
}

fn with_index(log: SledLog, path: &Path) -> Store<SledLog> {
    Store::new(log).with_index(ClaimIndex::with(path.join("index"), SMALL))
}

fn compact(path: &Path) {
    SledLog::compact(path, &options(), NonZeroUsize::new(2).unwrap(), &mut |_, _| {}).unwrap();
}

fn records(log: &impl Log) -> Vec<Record> {
    let mut all = Vec::new();
    let visit = |stored: annals_core::StoredRecord| {
        all.push(stored.record);
        Ok(())
    };
    scan::each(log, Seq(1), log.head().unwrap().seq(), visit).unwrap();
    all
}

proptest! {
    #![proptest_config(cases(3))]

    #[test]
    fn whenever_a_store_is_compacted_it_says_the_same(
        session in sessions(300),
        pauses in vec(pauses(), 8..40),
        asked in vec(questions(), 4..12),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        let mut store = with_index(SledLog::create(&path, &options()).unwrap(), &path);
        let (memory, hosts) = (Store::new(MemoryLog::default()), [TestHost::new(1), TestHost::new(1)]);
        for (batch, pause) in session.batches.iter().zip(pauses.iter().cycle()) {
            let (one, other) = (batch.write(&store, &hosts[0]), batch.write(&memory, &hosts[1]));
            prop_assert_eq!(one, other);
            if matches!(pause, Pause::GoesOn) {
                continue;
            }
            drop(store);
            if matches!(pause, Pause::Compacts) {
                compact(&path);
            }
            store = with_index(SledLog::open(&path, &options()).unwrap(), &path);
            prop_assert_eq!(store.log().head().unwrap(), memory.log().head().unwrap());
        }
        drop(store);
        compact(&path);
        let store = with_index(SledLog::open(&path, &options()).unwrap(), &path);
        let records = records(store.log());
        prop_assert_eq!(&records, &self::records(memory.log()));
        for record in &records {
            let (timeline, id) = (&record.timeline, &record.id);
            prop_assert_eq!(store.log().event(timeline, id).unwrap(), memory.log().event(timeline, id).unwrap());
        }
        prop_assert_eq!(store.verify(store.log().witness()).unwrap().damage, []);
        for asked in &asked {
            let question = Asked::of(asked, &records);
            let (Ok(snapshot), Ok(expected)) = (store.replay(&question), memory.replay(&question)) else { continue };
            prop_assert_eq!(&snapshot, &expected);
            prop_assert_eq!(naive::comparable(&snapshot), naive::replay(&records, &question));
            for (entity, attributes) in &snapshot.state {
                for (attribute, cell) in attributes {
                    let found = store.cell(&question, entity, attribute).unwrap();
                    prop_assert_eq!(found.as_ref(), Some(cell), "{}.{}", entity, attribute);
                }
            }
            if question.known_at == KnownAt::Everything {
                let (one, other) = (store.spans(&question, ENTITIES[0]), memory.spans(&question, ENTITIES[0]));
                prop_assert_eq!(one.map_err(|e| e.to_string()), other.map_err(|e| e.to_string()));
            }
        }
    }
}
