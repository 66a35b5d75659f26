//! Writing: many writers at once, large batches, a clock that cannot be trusted, ids.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code: a panic is how a test fails")]

use std::collections::{BTreeMap, HashSet};
use std::sync::Barrier;

use annals_core::{
    BLOCK, ClockLag, Conflict, Durability, Error, Host, Log, SledLog, SledOptions, Store, StoredRecord,
    WriteOptions, new_event_id, scan,
};
use annals_model::{
    Entry, Event, EventId, Expectation, KnownAt, Outcome, RecordedAt, Seq, TimelineName, Version, Write,
    Written,
};
use annals_testkit::{MemoryLog, TestHost};
use tempfile::TempDir;

const WRITERS: u64 = 8;
const BATCHES: u64 = 25;

fn timeline(name: &str) -> TimelineName {
    TimelineName::new(name).unwrap()
}

fn event(name: &str) -> Box<Event> {
    Box::new(Event::new(EventId::new(name).unwrap(), "An event"))
}

fn append(name: &str) -> Entry {
    Entry::new(timeline("main"), Write::Append(event(name)))
}

fn by(author: &str) -> WriteOptions {
    WriteOptions::by(author)
}

fn on_sled(durability: Durability) -> (TempDir, Store<SledLog>) {
    let directory = tempfile::tempdir().unwrap();
    let options = SledOptions { durability, ..SledOptions::default() };
    let log = SledLog::create(&directory.path().join("store"), &options).unwrap();
    (directory, Store::new(log))
}

fn records(log: &impl Log) -> Vec<StoredRecord> {
    let mut all = Vec::new();
    let visit = |record| {
        all.push(record);
        Ok(())
    };
    scan::each(log, Seq(1), log.head().unwrap().seq(), visit).unwrap();
    all
}

/// Runs all writers at once; gives each one's answers.
fn at_once<T: Send>(write: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(usize::try_from(WRITERS).unwrap());
    let (start, write) = (&start, &write);
    std::thread::scope(|scope| {
        let writers = (0..WRITERS).map(|writer| {
            scope.spawn(move || {
                start.wait();
                write(writer)
            })
        });
        let writers: Vec<_> = writers.collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    })
}

/// Each writer sends batches of one to three events; readers look on.
fn writers_lose_nothing<L: Log>(store: &Store<L>) {
    let host = TestHost::new(1);
    let answers = at_once(|writer| {
        let mut own: Vec<Written> = Vec::new();
        for batch in 0..BATCHES {
            let entries = (0..=batch % 3).map(|n| append(&format!("w{writer}-b{batch}-{n}"))).collect();
            let answers = store.write(entries, &host, &by(&format!("writer {writer}"))).unwrap();
            // What was answered is there.
            for answer in &answers {
                let stored = scan::one(store.log(), answer.seq).unwrap();
                assert_eq!((answer.outcome, &stored.record.id), (Outcome::Appended, &answer.id));
            }
            // A batch stands together.
            assert!(answers.windows(2).all(|pair| pair[0].seq.next() == pair[1].seq));
            own.extend(answers);
        }
        own
    });
    for own in &answers {
        assert!(own.windows(2).all(|pair| pair[0].seq < pair[1].seq), "in the writer's own order");
    }
    let answered: BTreeMap<Seq, EventId> =
        answers.into_iter().flatten().map(|answer| (answer.seq, answer.id)).collect();
    let all = records(store.log());
    let stored: BTreeMap<Seq, EventId> =
        all.iter().map(|stored| (stored.record.seq, stored.record.id.clone())).collect();
    assert_eq!(answered, stored);
    let expected = WRITERS * (0..BATCHES).map(|batch| batch % 3 + 1).sum::<u64>();
    assert!(stored.keys().map(|seq| seq.0).eq(1..=expected), "1, 2, 3 … without gaps");
    assert!(all.windows(2).all(|pair| pair[0].record.recorded_at <= pair[1].record.recorded_at));
    assert_eq!(store.log().version(&timeline("main")).unwrap(), Version(expected));
    assert_eq!(store.verify(None).unwrap().damage, []);
}

#[test]
fn writers_at_once_lose_nothing_in_memory() {
    writers_lose_nothing(&Store::new(MemoryLog::default()));
}

#[test]
fn writers_at_once_lose_nothing_on_sled() {
    for durability in [Durability::Os, Durability::Each] {
        let (directory, store) = on_sled(durability);
        writers_lose_nothing(&store);
        let before = records(store.log());
        drop(store);
        let log = SledLog::open(&directory.path().join("store"), &SledOptions::default()).unwrap();
        assert_eq!(records(&log), before, "after it was opened again");
    }
}

/// Readers see whole batches and nothing else, while somebody writes.
#[test]
fn readers_see_whole_batches() {
    let (_directory, store) = on_sled(Durability::Os);
    let host = TestHost::new(1);
    store.write(vec![append("first")], &host, &by("tester")).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for batch in 0..30 {
                let entries = (0..10).map(|n| append(&format!("b{batch}-{n}"))).collect();
                store.write(entries, &host, &by("tester")).unwrap();
            }
        });
        while !writer.is_finished() {
            let known = store.known(&timeline("main"), KnownAt::Everything).unwrap();
            assert_eq!(known.events().len() % 10, 1, "the first one, and batches of ten");
            assert_eq!(known.position().seq.0, known.events().len() as u64);
        }
    });
    assert_eq!(store.known(&timeline("main"), KnownAt::Everything).unwrap().events().len(), 301);
}

/// Blocks are sealed under readers, who miss no record by it.
#[test]
fn readers_miss_nothing_while_blocks_are_sealed() {
    let (_directory, store) = on_sled(Durability::Os);
    let host = TestHost::new(1);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 0..1_100 {
                store.write(vec![append(&format!("e{n}"))], &host, &by("tester")).unwrap();
            }
        });
        while !writer.is_finished() {
            let all = records(store.log());
            assert!(all.iter().map(|stored| stored.record.seq.0).eq(1..=all.len() as u64));
            if let Some(last) = all.last() {
                let middle = Seq(last.record.seq.0.div_ceil(2));
                assert_eq!(scan::one(store.log(), middle).unwrap(), all[all.len().div_ceil(2) - 1]);
            }
        }
    });
    assert_eq!(store.log().frames(Seq(1)).count(), 4 + 1_100 % 256);
    assert_eq!(store.verify(None).unwrap().damage, []);
}

/// The same event from everybody: one records it, the others are told that it is there.
#[test]
fn the_same_event_from_all_writers_is_recorded_once() {
    let (_directory, store) = on_sled(Durability::Os);
    let host = TestHost::new(1);
    let answers = at_once(|_| store.write(vec![append("same")], &host, &by("tester")).unwrap().remove(0));
    let appended = answers.iter().filter(|answer| answer.outcome == Outcome::Appended);
    assert_eq!(appended.count(), 1);
    assert!(answers.iter().all(|answer| (answer.seq, answer.version) == (Seq(1), Version(1))));
    assert_eq!(store.log().head().unwrap().seq(), Seq(1));
}

/// Compare and set: of all writers that expect one version, one gets it; with a retry all get their turn.
#[test]
fn an_expected_version_is_met_by_one_writer() {
    let (_directory, store) = on_sled(Durability::Os);
    let host = TestHost::new(1);
    let expecting = |version| WriteOptions { expect: Expectation::Exactly(Version(version)), ..by("tester") };
    let won = at_once(|writer| {
        let name = format!("w{writer}");
        for tries in 1_u64.. {
            let version = store.log().version(&timeline("main")).unwrap().0;
            match store.write(vec![append(&name)], &host, &expecting(version)) {
                Ok(answers) => {
                    assert_eq!(answers[0].version, Version(version + 1));
                    return tries;
                }
                Err(failed) => {
                    let Error::Conflict(Conflict::Version { expected, actual, .. }) = failed.error else {
                        panic!("{failed}");
                    };
                    assert_eq!(expected, Expectation::Exactly(Version(version)));
                    assert!(actual.0 > version);
                }
            }
        }
        panic!("a writer never gets its turn")
    });
    assert!(won.iter().all(|tries| *tries <= WRITERS), "each miss is another's success: {won:?}");
    assert_eq!(store.log().version(&timeline("main")).unwrap(), Version(WRITERS));
}

#[test]
fn ten_thousand_events_are_one_commit() {
    let (directory, store) = on_sled(Durability::Each);
    let host = TestHost::new(1);
    store.write(vec![append("before")], &host, &by("tester")).unwrap();
    let names: Vec<String> = (0..10_000).map(|n| format!("e{n}")).collect();
    let answers = store.write(names.iter().map(|name| append(name)).collect(), &host, &by("tester")).unwrap();
    assert_eq!(answers.len(), 10_000);
    for ((answer, name), seq) in answers.iter().zip(&names).zip(2..) {
        assert_eq!((answer.seq, answer.id.as_str()), (Seq(seq), name.as_str()));
        assert_eq!((answer.outcome, answer.version), (Outcome::Appended, Version(seq)));
    }
    let all = records(store.log());
    assert_eq!(all.len(), 10_001);
    assert!(all[1..].iter().zip(&names).all(|(stored, name)| stored.record.id.as_str() == name));
    let times: HashSet<RecordedAt> = all[1..].iter().map(|stored| stored.record.recorded_at).collect();
    assert_eq!(times.len(), 1, "one batch, one time");
    let salts: HashSet<_> = all.iter().map(|stored| *stored.salt().unwrap()).collect();
    assert_eq!(salts.len(), all.len(), "every record has a salt of its own");
    let frames = store.log().frames(Seq(1)).count() as u64;
    assert_eq!(frames, 10_001_u64.div_ceil(BLOCK), "full frames");
    assert!((0..10_001 / BLOCK).all(|index| store.log().block(index).unwrap().is_some()));
    // A batch of which every entry is there already writes nothing.
    let (some, theirs) = (&names[9_500..], &answers[9_500..]);
    let again = store.write(some.iter().map(|name| append(name)).collect(), &host, &by("tester")).unwrap();
    assert!(again.iter().all(|answer| answer.outcome == Outcome::AlreadyAppended));
    assert!(again.iter().zip(theirs).all(|(again, answer)| again.seq == answer.seq));
    assert_eq!(store.log().head().unwrap().seq(), Seq(10_001));
    assert_eq!(store.verify(None).unwrap().damage, []);
    drop(store);
    let log = SledLog::open(&directory.path().join("store"), &SledOptions::default()).unwrap();
    assert!(records(&log) == all, "after it was opened again");
}

#[test]
fn a_large_batch_with_a_fault_at_its_end_leaves_no_trace() {
    let store = Store::new(MemoryLog::default());
    let host = TestHost::new(1);
    let mut entries: Vec<Entry> = (0..2_000).map(|n| append(&format!("e{n}"))).collect();
    entries.push(Entry::new(timeline("main"), Write::Revise(event("nowhere"))));
    let failed = store.write(entries, &host, &by("tester")).unwrap_err();
    assert_eq!(failed.index, Some(2_000));
    assert_eq!(failed.to_string(), "entry 2001: there is no event \"nowhere\" in timeline main");
    assert_eq!(store.log().head().unwrap().seq(), Seq(0));
    assert!(store.log().timelines().unwrap().is_empty());
}

#[test]
fn an_empty_batch_writes_nothing() {
    let (_directory, store) = on_sled(Durability::Each);
    assert!(store.write(Vec::new(), &TestHost::new(1), &by("tester")).unwrap().is_empty());
    assert_eq!(store.log().head().unwrap().seq(), Seq(0));
}

/// The clock goes back by years, to before 1970 and to the ends of time; record times stay where they were until
/// it has caught up.
#[test]
fn a_clock_that_is_set_back_holds_record_times_up() {
    let (directory, store) = on_sled(Durability::Os);
    let host = TestHost::new(1);
    let write = |store: &Store<SledLog>, micros: i64, name: &str| {
        host.set_now(RecordedAt::from_micros(micros));
        let seq = store.write(vec![append(name)], &host, &by("tester")).unwrap()[0].seq;
        scan::one(store.log(), seq).unwrap().record.recorded_at.micros()
    };
    assert_eq!(write(&store, -5_000_000, "a"), -5_000_000, "before 1970");
    assert_eq!(write(&store, 1_000, "b"), 1_000);
    assert_eq!(store.clock_lag(), None);
    for (back, name) in [(999, "c"), (-1, "d"), (i64::MIN, "e")] {
        assert_eq!(write(&store, back, name), 1_000);
        assert_eq!(write(&store, back, name), 1_000, "it is there already");
        let [clock, recorded_at] = [back, 1_000].map(RecordedAt::from_micros);
        assert_eq!(store.clock_lag(), Some(ClockLag { clock, recorded_at }));
        assert_eq!(write(&store, back, name), 1_000);
        assert_eq!(store.clock_lag(), None, "nothing was recorded");
    }
    drop(store);
    let log = SledLog::open(&directory.path().join("store"), &SledOptions::default()).unwrap();
    let store = Store::new(log);
    assert_eq!(write(&store, 5, "f"), 1_000, "after it was opened again");
    assert_eq!(write(&store, 1_001, "g"), 1_001, "the clock has caught up");
    assert_eq!(store.position(KnownAt::At(RecordedAt::from_micros(1_000))).unwrap().seq, Seq(6));
    assert_eq!(store.verify(None).unwrap().damage, []);
}

/// A clock that stands still, and one that is far ahead or before the epoch of `UUIDv7`.
struct Clock<'a>(i64, &'a TestHost);

impl Host for Clock<'_> {
    fn now(&self) -> RecordedAt {
        RecordedAt::from_micros(self.0)
    }

    fn fill_random(&self, buffer: &mut [u8]) {
        self.1.fill_random(buffer);
    }
}

#[test]
fn new_ids_are_in_the_order_of_time() {
    let random = TestHost::new(1);
    // Around a carry into each of the six bytes of the time.
    let carries = (0..6).map(|byte| 1_i64 << (8 * byte));
    let mut millis: Vec<i64> =
        carries.flat_map(|at| [at - 1, at, at + 1]).chain([1_700_000_000_000]).collect();
    millis.sort_unstable();
    millis.dedup();
    let ids: Vec<EventId> =
        millis.iter().map(|millis| new_event_id(&Clock(millis * 1000, &random)).unwrap()).collect();
    assert!(ids.is_sorted(), "{ids:?}");
    for (id, millis) in ids.iter().zip(&millis) {
        let (time, rest) = id.as_str().split_at(13);
        assert_eq!(time.replace('-', ""), format!("{millis:012x}"), "{id}");
        // Version 7, and the variant of RFC 9562.
        assert!(rest.starts_with("-7") && "89ab".contains(&rest[6..7]), "{id}");
        assert_eq!(id.as_str(), id.as_str().to_lowercase());
        assert_eq!(id.as_str().len(), 36);
    }
}

#[test]
fn new_ids_are_unique_within_a_moment_and_across_writers() {
    let random = TestHost::new(1);
    for micros in [1_700_000_000_000_000, 0, -1, i64::MIN, i64::MAX] {
        let ids =
            at_once(|_| (0..500).map(|_| new_event_id(&Clock(micros, &random)).unwrap()).collect::<Vec<_>>());
        let unique: HashSet<EventId> = ids.into_iter().flatten().collect();
        assert_eq!(unique.len(), 500 * usize::try_from(WRITERS).unwrap(), "at {micros}");
    }
}
