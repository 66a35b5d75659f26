//! Damage to a log, frame by frame, in memory: every kind is found, named with the records that it affects, and
//! takes no other record with it. `damaged_files` does the same to the files of a store.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code: a panic is how a test fails")]

use std::collections::BTreeSet;

mod common;

use annals_core::{
    Commit, Damage, Encoded, Error, EventEntry, Frame, Head, Log, Report, Result, Seal, Store, StoredRecord,
    Witness, WriteOptions, pack, scan,
};
use annals_model::{Content, Event, KnownAt, Op, Record, RecordedAt, Seq, TimelineName, Version};
use annals_testkit::{MemoryLog, TestHost};
use common::{append, fill, id, timeline};

/// Where the frames of [`in_memory`] begin and end: a block that was sealed, two of one batch, a
/// small batch, and a single record.
const FRAMES: [(u64, u64); 5] = [(1, 256), (257, 512), (513, 700), (701, 711), (712, 712)];
const END: u64 = 712;

fn in_memory() -> Store<MemoryLog> {
    let (store, host) = (Store::new(MemoryLog::default()), TestHost::new(1));
    for (first, last) in [(1, 1), (2, 700), (701, 711), (712, 712)] {
        fill(&store, &host, first, last);
    }
    store
}

fn frames(log: &impl Log) -> Vec<(Seq, Vec<u8>)> {
    log.frames(Seq(1)).collect::<Result<_>>().unwrap()
}

/// All records, or why they cannot be read.
fn records(log: &impl Log) -> Result<Vec<StoredRecord>> {
    let mut all = Vec::new();
    scan::each(log, Seq(1), log.head()?.seq(), |record| {
        all.push(record);
        Ok(())
    })?;
    Ok(all)
}

/// The records that a report names.
fn named(report: &Report) -> BTreeSet<u64> {
    report.damage.iter().filter_map(|damage| damage.records).flat_map(|(a, b)| a.0..=b.0).collect()
}

fn says(report: &Report, what: &str) -> bool {
    report.damage.iter().any(|damage| damage.to_string().contains(what))
}

/// A commit that changes nothing: for the test to put a change of its own into.
fn idle(log: &impl Log) -> Commit {
    Commit { head: log.head().unwrap(), ..Commit::default() }
}

#[test]
fn the_frames_are_where_the_tests_think() {
    let store = in_memory();
    let found = frames(store.log()).into_iter().map(|(first, bytes)| {
        let frame = Frame::decode(first, &bytes).unwrap();
        (frame.first().0, frame.last().0)
    });
    assert_eq!(found.collect::<Vec<_>>(), FRAMES);
    let report = store.verify(None).unwrap();
    assert_eq!(report.damage, []);
    assert_eq!((report.records, report.frames, report.events, report.timelines), (END, 5, END, 1));
}

#[test]
fn a_lost_frame_is_named_wherever_it_was() {
    for (first, last) in FRAMES {
        let store = in_memory();
        store.log().lose_frame(Seq(first));
        let report = store.verify(None).unwrap();
        assert_eq!(named(&report), (first..=last).collect(), "{:?}", report.damage);
        assert!(says(&report, "missing from the log"));
        assert_eq!(report.records, END - (last - first + 1));
        reading_fails(&store, first, last);
    }
}

#[test]
fn a_changed_byte_is_named_wherever_it_is() {
    for (first, last) in FRAMES {
        for place in [0, 1, 5, 39, 40, 100, usize::MAX] {
            let store = in_memory();
            store.log().damage_frame(Seq(first), |bytes| {
                let place = place.min(bytes.len() - 1);
                bytes[place] ^= 0x20;
            });
            let report = store.verify(None).unwrap();
            assert_eq!(named(&report), (first..=last).collect(), "byte {place}: {:?}", report.damage);
            reading_fails(&store, first, last);
        }
    }
}

#[test]
fn a_frame_that_is_cut_or_empty_is_named() {
    for (first, last) in FRAMES {
        for length in [0, 1, 39, 40, 60] {
            let store = in_memory();
            store.log().damage_frame(Seq(first), |bytes| bytes.truncate(length));
            let report = store.verify(None).unwrap();
            assert_eq!(named(&report), (first..=last).collect(), "cut at {length}: {:?}", report.damage);
            reading_fails(&store, first, last);
        }
    }
}

/// No reader passes over records that cannot be read.
fn reading_fails(store: &Store<MemoryLog>, first: u64, last: u64) {
    let within = |error: Error| {
        let Error::Damaged(Damage { records: Some((from, to)), .. }) = &error else { panic!("{error:?}") };
        assert!((first..=last).contains(&from.0) && to.0 <= last, "{error}");
    };
    within(records(store.log()).unwrap_err());
    within(store.known(&timeline(), KnownAt::Everything).unwrap_err());
    within(scan::one(store.log(), Seq(last)).unwrap_err());
    within(store.history(&timeline(), &id(first)).unwrap_err());
    if let Some(before) = first.checked_sub(1).filter(|before| *before > 0) {
        assert_eq!(scan::one(store.log(), Seq(before)).unwrap().record.id, id(before));
    }
    if last < END {
        assert_eq!(scan::one(store.log(), Seq(last + 1)).unwrap().record.id, id(last + 1));
    }
}

#[test]
fn frames_in_each_other_s_place_are_named() {
    let store = in_memory();
    let all = frames(store.log());
    let (second, fourth) = (&all[1], &all[3]);
    let swapped = vec![(second.0, fourth.1.clone()), (fourth.0, second.1.clone())];
    store.log().commit(&Commit { frames: swapped, ..idle(store.log()) }).unwrap();
    let report = store.verify(None).unwrap();
    assert_eq!(named(&report), (257..=512).chain(701..=711).collect(), "{:?}", report.damage);
    assert!(says(&report, "record 701: its frame stands in another frame's place"));
    assert!(says(&report, "record 257: its frame stands in another frame's place"));
}

#[test]
fn a_record_in_two_frames_is_named() {
    let store = in_memory();
    let again = pack(Seq(11), &[scan::one(store.log(), Seq(11)).unwrap().encode().unwrap()]).unwrap();
    store.log().commit(&Commit { frames: again, ..idle(store.log()) }).unwrap();
    let report = store.verify(None).unwrap();
    assert_eq!(named(&report), BTreeSet::from([11]), "{:?}", report.damage);
    assert!(says(&report, "stands in two frames"));
}

/// Content that is whole in itself, and not what was committed to.
#[test]
fn a_record_that_was_exchanged_is_found_by_the_roots() {
    let changed = |seq: u64| {
        let store = in_memory();
        let (first, last) = *FRAMES.iter().find(|(first, last)| (*first..=*last).contains(&seq)).unwrap();
        let frame = (first..=last).map(|number| {
            let mut stored = scan::one(store.log(), Seq(number)).unwrap();
            if number == seq {
                stored.record.recorded_by = "another".to_owned();
            }
            stored.encode().unwrap()
        });
        let frame = pack(Seq(first), &frame.collect::<Vec<Encoded>>()).unwrap();
        store.log().commit(&Commit { frames: frame, ..idle(store.log()) }).unwrap();
        store.verify(None).unwrap()
    };
    let report = changed(300);
    assert!(says(&report, "records 257 to 512: the stored root of their block is another"));
    assert!(says(&report, "records 1 to 712: their root is not the one that the log holds"));
    let report = changed(600);
    assert!(!says(&report, "block"), "its block is not whole yet: {:?}", report.damage);
    assert!(says(&report, "records 1 to 712: their root is not the one that the log holds"));
}

/// What cannot be read is not packed anew, and what was answered goes on.
#[test]
fn a_damaged_block_is_left_alone_when_it_is_complete() {
    let damages: [fn(&MemoryLog); 2] =
        [|log| log.damage_frame(Seq(100), |bytes| bytes[50] ^= 1), |log| log.lose_frame(Seq(100))];
    for damage in damages {
        let (store, host) = (Store::new(MemoryLog::default()), TestHost::new(1));
        (1..=255).for_each(|number| fill(&store, &host, number, number));
        damage(store.log());
        let before = frames(store.log());
        fill(&store, &host, 256, 256);
        assert_eq!(frames(store.log())[..before.len()], before);
        let report = store.verify(None).unwrap();
        assert_eq!(named(&report), BTreeSet::from([100]), "{:?}", report.damage);
        // The next block is sealed all the same.
        (257..=512).for_each(|number| fill(&store, &host, number, number));
        assert_eq!(frames(store.log()).len(), before.len() + 2);
    }
}

#[test]
fn another_block_root_is_named() {
    let store = in_memory();
    store.log().commit(&Commit { blocks: vec![(1, [9; 32])], ..idle(store.log()) }).unwrap();
    let report = store.verify(None).unwrap();
    assert_eq!(named(&report), (257..=512).collect(), "{:?}", report.damage);
    assert_eq!(report.damage.len(), 1);
}

#[test]
fn another_head_is_named() {
    let store = in_memory();
    let head = store.log().head().unwrap();
    let verified = |head: Head| {
        store.log().commit(&Commit { head, ..Commit::default() }).unwrap();
        store.verify(None).unwrap()
    };
    // The head of a longer log.
    let mut frontier = head.frontier.clone();
    frontier.push([1; 32]);
    frontier.push([2; 32]);
    let report = verified(Head { frontier, ..head.clone() });
    assert_eq!(named(&report), BTreeSet::from([713, 714]));
    assert!(says(&report, "records 713 to 714: missing from the log"));
    // The head of a shorter log.
    let shorter = Store::new(MemoryLog::default());
    fill(&shorter, &TestHost::new(1), 1, 711);
    let report = verified(Head { recorded_at: head.recorded_at, ..shorter.log().head().unwrap() });
    assert_eq!(named(&report), BTreeSet::from([712]));
    assert!(says(&report, "record 712: behind the end of the log"));
    // The head of another log of the same length, and another time.
    let mut roots = head.frontier.roots().to_vec();
    roots[0][0] ^= 1;
    let frontier = annals_core::Frontier::from_parts(END, roots).unwrap();
    let report = verified(Head { frontier, ..head.clone() });
    assert!(says(&report, "records 1 to 712: their root is not the one that the log holds"));
    let report = verified(Head { recorded_at: Some(RecordedAt::from_micros(0)), ..head.clone() });
    assert!(says(&report, "record 712: the log's last record time is another"));
    assert_eq!(verified(head).damage, []);
}

#[test]
fn a_witness_is_believed_at_every_length() {
    let store = in_memory();
    for count in [0, 1, 2, 11, 255, 256, 257, 512, 600, END] {
        let root = scan::root_at(store.log(), Seq(count)).unwrap();
        assert_eq!(store.verify(Some(Witness { count, root })).unwrap().damage, [], "after {count} records");
        if count > 0 {
            let report = store.verify(Some(Witness { count, root: [3; 32] })).unwrap();
            assert_eq!(named(&report), (1..=count).collect());
            assert_eq!(report.damage.len(), 1);
        }
    }
    let ahead = store.verify(Some(Witness { count: END + 2, root: [3; 32] })).unwrap();
    assert_eq!(named(&ahead), BTreeSet::from([END + 1, END + 2]));
    assert!(says(&ahead, "the head file has seen them"));
}

#[test]
fn a_wrong_index_of_ids_is_named() {
    let check = |number: u64, entry: (u64, u64, Op), expect: &str| {
        let store = in_memory();
        let entry = EventEntry { first: Seq(entry.0), last: Seq(entry.1), last_op: entry.2 };
        let events = vec![(timeline(), id(number), entry)];
        store.log().commit(&Commit { events, ..idle(store.log()) }).unwrap();
        let report = store.verify(None).unwrap();
        assert!(says(&report, expect), "{:?}", report.damage);
    };
    check(300, (299, 300, Op::Append), "record 300: the index of ids is wrong about e300");
    check(300, (301, 301, Op::Append), "record 300: the index of ids is wrong about e300");
    check(300, (300, 299, Op::Append), "record 300: the index of ids is wrong about e300");
    check(300, (300, 300, Op::Retract), "record 300: the index of ids is wrong about e300");
    check(9999, (1, 1, Op::Append), "the index of ids has 713 events, the log 712");
}

#[test]
fn a_wrong_version_is_named() {
    let check = |name: &str, version: u64, expect: &str| {
        let store = in_memory();
        let timelines = vec![(TimelineName::new(name).unwrap(), Version(version))];
        store.log().commit(&Commit { timelines, ..idle(store.log()) }).unwrap();
        let report = store.verify(None).unwrap();
        assert!(says(&report, expect), "{:?}", report.damage);
    };
    check("main", 711, "timeline main has 712 records, its version says 711");
    check("ghost", 1, "timeline ghost has 0 records, its version says 1");
}

/// Records that no store writes, in a log that is put together by hand.
#[test]
fn times_that_go_back_are_named() {
    let mut head = Head::default();
    let mut encoded = Vec::new();
    let mut events = Vec::new();
    for (seq, micros) in [(1, 10), (2, 9), (3, 9)] {
        let record = Record {
            seq: Seq(seq),
            recorded_at: RecordedAt::from_micros(micros),
            recorded_by: "tester".to_owned(),
            timeline: timeline(),
            id: id(seq),
            op: Op::Append,
            content: Content::Event(Box::new(Event::new(id(seq), "An event"))),
        };
        let stored = StoredRecord { record, previous: None, seal: Seal::Salt([0; 16]) };
        encoded.push(stored.encode().unwrap());
        head.frontier.push(stored.leaf().unwrap());
        events.push((
            timeline(),
            id(seq),
            EventEntry { first: Seq(seq), last: Seq(seq), last_op: Op::Append },
        ));
    }
    head.recorded_at = Some(RecordedAt::from_micros(9));
    let store = Store::new(MemoryLog::default());
    let frames = pack(Seq(1), &encoded).unwrap();
    let timelines = vec![(timeline(), Version(3))];
    store.log().commit(&Commit { frames, events, timelines, head, ..Commit::default() }).unwrap();
    let report = store.verify(None).unwrap();
    assert_eq!(report.damage, [Damage::of(Seq(2), Seq(2), "recorded earlier than the record before it")]);
}

#[test]
fn verifying_changes_nothing() {
    let store = in_memory();
    store.log().lose_frame(Seq(257));
    store.log().damage_frame(Seq(513), |bytes| bytes.truncate(50));
    let before = (frames(store.log()), store.log().head().unwrap());
    let first = store.verify(None).unwrap();
    let second = store.verify(None).unwrap();
    assert_eq!(first.damage, second.damage);
    assert_eq!(named(&first), (257..=512).chain(513..=700).collect());
    assert_eq!((frames(store.log()), store.log().head().unwrap()), before);
}

#[test]
fn a_commit_that_fails_leaves_no_trace() {
    let store = in_memory();
    let host = TestHost::new(2);
    let before = (frames(store.log()), store.log().head().unwrap());
    store.log().set_failing(true);
    let batch = vec![append(1000), append(1001)];
    let failed = store.write(batch, &host, &WriteOptions::by("tester")).unwrap_err();
    assert!(failed.index.is_none() && matches!(failed.error, Error::Unavailable { .. }));
    assert_eq!((frames(store.log()), store.log().head().unwrap()), before);
    assert_eq!(store.log().event(&timeline(), &id(1000)).unwrap(), None);
    assert_eq!(store.log().version(&timeline()).unwrap(), Version(END));
    assert_eq!(store.verify(None).unwrap().damage, []);
    store.log().set_failing(false);
    fill(&store, &host, END + 1, END + 2);
    assert_eq!(store.log().head().unwrap().seq(), Seq(END + 2));
    assert_eq!(store.verify(None).unwrap().damage, []);
}
