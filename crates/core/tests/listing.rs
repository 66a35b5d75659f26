//! A listing reads the log twice, in pieces, and sorts beside the store; here it is held against all events, sorted
//! in memory, with so little room that nearly every event is written to the file, and with room for all.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::collections::BTreeSet;
use std::path::Path;

use annals_core::{
    Durability, Error, Listed, Log, NotFound, Room, SledLog, SledOptions, Store, WriteOptions, scan,
};
use annals_model::{Date, Entry, Event, EventId, KnownAt, RecordedAt, Seq, TimelineName, Write};
use annals_testkit::generate::{TIMELINES, questions, sessions};
use annals_testkit::{MemoryLog, TestHost};
use proptest::collection::vec;
use proptest::prelude::*;

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, max_shrink_iters: 1024, failure_persistence: None, ..ProptestConfig::default() }
}

type Told = (Seq, Seq, RecordedAt, Event);

/// The plain way.
fn sorted<L: Log>(store: &Store<L>, timeline: &TimelineName, known_at: KnownAt) -> Vec<Told> {
    let known = store.known(timeline, known_at).unwrap();
    let mut events: Vec<_> = known.events().iter().collect();
    events.sort_by_cached_key(|known| known.counted().list_order());
    events.into_iter().map(|known| (known.place, known.seq, known.recorded_at, known.event.clone())).collect()
}

fn listed<L: Log>(
    store: &Store<L>,
    timeline: &TimelineName,
    known_at: KnownAt,
    bytes: usize,
) -> (Vec<Listed>, usize) {
    let directory = tempfile::tempdir().unwrap();
    let room = Room { bytes, directory: directory.path() };
    let listing = store.listing(timeline, known_at, None, room).unwrap();
    assert_eq!(listing.position(), store.position(known_at).unwrap());
    let mut all = Vec::new();
    let visit = |listed: &Listed| {
        all.push(listed.clone());
        Ok::<_, Error>(())
    };
    listing.each(visit).unwrap();
    assert_eq!(listing.known(), all.len() as u64);
    let mut again = 0;
    listing
        .each(|listed| {
            again += usize::from(all.contains(listed));
            Ok::<_, Error>(())
        })
        .unwrap();
    assert_eq!(again, all.len(), "a listing can be gone through twice");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "the file has no name");
    (all, listing.spilled())
}

fn plain(listed: &[Listed]) -> Vec<Told> {
    let told = |one: &Listed| (one.place, one.seq, one.recorded_at, one.event.clone());
    listed.iter().map(told).collect()
}

/// What a listing says of records, held against the records themselves.
fn records_are_told<L: Log>(store: &Store<L>, listed: &[Listed]) {
    for one in listed {
        let stored = scan::one(store.log(), one.seq).unwrap();
        assert_eq!((stored.previous, &stored.record.recorded_by), (one.previous, &one.recorded_by));
    }
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn a_listing_is_all_events_sorted(session in sessions(40), asked in vec(questions(), 1..6)) {
        let store = Store::new(MemoryLog::default());
        session.write(&store, &TestHost::new(1));
        let end = store.log().head().unwrap().seq();
        let mut records = Vec::new();
        scan::each(store.log(), Seq(1), end, |stored| { records.push(stored.record); Ok(()) }).unwrap();
        for asked in asked {
            let question = asked.of(&records);
            let nowhere = Room { bytes: 0, directory: Path::new("/nowhere") };
            match store.known(&question.timeline, question.known_at) {
                Err(Error::NotFound(NotFound::Timeline(_))) => {
                    let missing = store.listing(&question.timeline, question.known_at, None, nowhere);
                    prop_assert!(matches!(missing, Err(Error::NotFound(_))));
                }
                known => {
                    let known = known.unwrap();
                    let effects = known.events().iter().flat_map(|known| &known.event.effects);
                    let entities: BTreeSet<String> = effects.map(|effect| effect.entity.clone()).collect();
                    let named = store.entities(&question.timeline, question.known_at).unwrap();
                    prop_assert_eq!(named, entities, "{:?}", question);
                    let expect = sorted(&store, &question.timeline, question.known_at);
                    for bytes in [0, 700, 1 << 20] {
                        let (all, spilled) = listed(&store, &question.timeline, question.known_at, bytes);
                        prop_assert_eq!(&plain(&all), &expect, "{} bytes, {:?}", bytes, question);
                        prop_assert!(spilled > 0 || bytes > 0 || expect.is_empty());
                        records_are_told(&store, &all);
                    }
                }
            }
        }
    }
}

const DATES: [&str; 6] = ["2004", "2010~", "2023-10-02/..", "[2017..2019]", "1969-05", "Y-17E7"];

/// Some pieces of the log and some: appends, revisions of the event before last, retractions, two timelines.
fn long<L: Log>(store: &Store<L>, host: &TestHost) {
    let timeline =
        |number: usize| TimelineName::new(TIMELINES[usize::from(number.is_multiple_of(7))]).unwrap();
    let id = |number: usize| EventId::new(format!("e{number}")).unwrap();
    let write = |number: usize| {
        let mut event = Event::new(id(number), format!("Event {number}"));
        event.date = (!number.is_multiple_of(11)).then(|| match DATES.get(number % 60) {
            Some(date) => Date::parse(date).unwrap(),
            None => Date::parse(&format!("{}-{:02}", 1900 + number % 120, 1 + number % 12)).unwrap(),
        });
        event.description = Some("about it ".repeat(number % 40));
        event.description = event.description.filter(|text| !text.is_empty());
        event
    };
    let entry = |number: usize| match number % 20 {
        17 => {
            let earlier = write(number - 2);
            let revised = Event { title: format!("Revised by {number}"), ..earlier };
            Entry::new(timeline(number - 2), Write::Revise(Box::new(revised)))
        }
        19 => Entry::new(timeline(number - 3), Write::Retract { id: id(number - 3), reason: "no".into() }),
        _ => Entry::new(timeline(number), Write::Append(Box::new(write(number)))),
    };
    let entries: Vec<Entry> = (0..18_000).map(entry).collect();
    for batch in entries.chunks(4_500) {
        store.write(batch.to_vec(), host, &WriteOptions::by("tester")).unwrap();
    }
}

#[test]
fn a_long_log_is_sorted_in_little_room() {
    let directory = tempfile::tempdir().unwrap();
    let options = SledOptions { durability: Durability::Os, ..SledOptions::default() };
    let store = Store::new(SledLog::create(&directory.path().join("store"), &options).unwrap());
    long(&store, &TestHost::new(3));
    let timeline = TimelineName::new(TIMELINES[0]).unwrap();
    for known_at in [KnownAt::Everything, KnownAt::Position(Seq(9_001)), KnownAt::Position(Seq(0))] {
        let expect = sorted(&store, &timeline, known_at);
        for (bytes, few) in [(1 << 17, false), (1 << 28, true)] {
            let (all, spilled) = listed_once(&store, &timeline, known_at, bytes);
            assert!(plain(&all) == expect, "{known_at:?} in {bytes} bytes");
            assert_eq!(spilled == 0, few || expect.is_empty(), "{spilled} runs in {bytes} bytes");
        }
    }
    let wanted = |event: &Event| event.title.starts_with("Revised");
    let room = Room { bytes: 1 << 16, directory: directory.path() };
    let listing = store.listing(&timeline, KnownAt::Everything, Some(&wanted), room).unwrap();
    let mut ids = Vec::new();
    listing
        .each(|listed| {
            ids.push(listed.event.id.clone());
            Ok::<_, Error>(())
        })
        .unwrap();
    let all = sorted(&store, &timeline, KnownAt::Everything);
    let expect: Vec<_> = all.iter().filter(|told| wanted(&told.3)).map(|told| told.3.id.clone()).collect();
    assert!(expect.len() > 500 && ids == expect, "{} of {}", ids.len(), expect.len());
    assert_eq!(listing.known(), all.len() as u64);
}

fn listed_once<L: Log>(
    store: &Store<L>,
    timeline: &TimelineName,
    known_at: KnownAt,
    bytes: usize,
) -> (Vec<Listed>, usize) {
    let directory = tempfile::tempdir().unwrap();
    let listing =
        store.listing(timeline, known_at, None, Room { bytes, directory: directory.path() }).unwrap();
    let mut all = Vec::new();
    listing
        .each(|listed| {
            all.push(listed.clone());
            Ok::<_, Error>(())
        })
        .unwrap();
    (all, listing.spilled())
}

#[test]
fn the_ids_that_are_read_for_a_hint_are_those_of_the_last_records() {
    let store = Store::new(MemoryLog::default());
    let timeline = TimelineName::new(TIMELINES[0]).unwrap();
    let host = TestHost::new(3);
    for number in 0..7 {
        let event = Event::new(EventId::new(format!("e{number}")).unwrap(), "t");
        let entry = Entry::new(timeline.clone(), Write::Append(Box::new(event)));
        store.write(vec![entry], &host, &WriteOptions::by("me")).unwrap();
    }
    let ids = |records| Vec::from_iter(store.recent_ids(&timeline, records).unwrap());
    assert_eq!(ids(2), ["e5", "e6"]);
    assert_eq!(ids(7), ids(100));
    let other = TimelineName::new("other").unwrap();
    assert!(store.recent_ids(&other, 7).unwrap().is_empty());
}

#[test]
fn a_visitor_that_stops_is_not_kept_waiting() {
    let store = Store::new(MemoryLog::default());
    long(&store, &TestHost::new(3));
    let timeline = TimelineName::new(TIMELINES[0]).unwrap();
    let room = Room { bytes: 1 << 28, directory: Path::new("/nowhere") };
    let listing = store.listing(&timeline, KnownAt::Everything, None, room).unwrap();
    let mut seen = 0;
    let stopped = listing.each(|_| {
        seen += 1;
        if seen == 10 { Err(Error::unavailable("enough", "none")) } else { Ok(()) }
    });
    assert!(stopped.is_err() && seen == 10);
}

#[test]
fn a_directory_that_is_not_there_is_an_error_only_where_it_is_needed() {
    let store = Store::new(MemoryLog::default());
    long(&store, &TestHost::new(3));
    let timeline = TimelineName::new(TIMELINES[0]).unwrap();
    let room = Room { bytes: 1 << 10, directory: Path::new("/nowhere") };
    let error = store.listing(&timeline, KnownAt::Everything, None, room).unwrap_err();
    assert_eq!(error.to_string(), "cannot sort the events beside the store");
}
