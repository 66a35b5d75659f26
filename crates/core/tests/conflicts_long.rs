//! What contradicts itself in a log of some thousands of events, with little room and with much: more days, attributes
//! and links than a random small log has.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use annals_core::{Log, Room, Store, WriteOptions, scan};
use annals_model::conflicts::{Conflicts, LinkFault};
use annals_model::{
    AsOf, Certainty, Change, Date, Effect, Entry, Event, EventId, Filter, KnownAt, Link, Question, Record,
    Scalar, Seq, TimelineName, Value, When, Write,
};
use annals_testkit::{MemoryLog, TestHost, conflicting};

const EVENTS: usize = 2_000;
const WORDS: [&str; 7] = ["council", "mission", "border", "reaches", "clinic", "denies", "7"];
const RELATIONS: [&str; 9] =
    ["caused-by", "part-of", "precedes", "about", "causes", "before", "follows", "part-of", "caused-by"];

/// Numbers that look like chance, the same ones every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}

fn id(number: usize) -> EventId {
    EventId::new(format!("e{number}")).unwrap()
}

fn event(number: usize, numbers: &mut Numbers) -> Event {
    let title: Vec<&str> = (0..3).map(|_| WORDS[numbers.below(WORDS.len())]).collect();
    let mut event = Event::new(id(number), title.join(" "));
    let (month, day) = (1 + numbers.below(3), 1 + numbers.below(28));
    let date = match numbers.below(8) {
        0 => "2004".to_owned(),
        1 => format!("2004-{month:02}"),
        2 => format!("2004-{month:02}-{day:02}/2004-12"),
        3 => format!("{{2004-{month:02}-{day:02},2005}}"),
        _ => format!("2004-{month:02}-{day:02}"),
    };
    event.date = (numbers.below(20) > 0).then(|| Date::parse(&date).unwrap());
    for _ in 0..numbers.below(3) {
        let text = ["open", "closed"][numbers.below(2)];
        let change = match numbers.below(12) {
            0 => Change::Increase("1".parse().unwrap()),
            1 => Change::Add(Scalar::Text(text.into())),
            _ => Change::Set(Value::Scalar(Scalar::Text(text.into()))),
        };
        let (entity, attribute) = (format!("e-{}", numbers.below(300)), "status".to_owned());
        let when = [When::Start, When::End][numbers.below(2)];
        event.effects.push(Effect { entity, attribute, change, when });
    }
    for _ in 0..numbers.below(3) {
        let rel = RELATIONS[numbers.below(RELATIONS.len())].to_owned();
        // Some were never recorded, and of some the log hears later.
        event.links.push(Link { rel, to: id(numbers.below(EVENTS + EVENTS / 10)) });
    }
    event
}

fn written(timeline: &TimelineName) -> Store<MemoryLog> {
    let store = Store::new(MemoryLog::default());
    let (host, mut numbers) = (TestHost::new(3), Numbers(7));
    let entry = |number: usize| {
        let write = match number % 20 {
            17 => Write::Revise(Box::new(event(number - 2, &mut numbers))),
            19 => Write::Retract { id: id(number - 3), reason: "no".into() },
            _ => Write::Append(Box::new(event(number, &mut numbers))),
        };
        Entry::new(timeline.clone(), write)
    };
    let entries: Vec<Entry> = (0..EVENTS).map(entry).collect();
    for batch in entries.chunks(1_000) {
        store.write(batch.to_vec(), &host, &WriteOptions::by("tester")).unwrap();
    }
    store
}

#[test]
fn a_long_log_is_searched_in_little_room_as_in_much() {
    let timeline = TimelineName::new("t").unwrap();
    let store = written(&timeline);
    let end = store.log().head().unwrap().seq();
    let mut records: Vec<Record> = Vec::new();
    let keep = |stored: annals_core::StoredRecord| {
        records.push(stored.record);
        Ok(())
    };
    scan::each(store.log(), Seq(1), end, keep).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let from = Filter { from: Some(Date::parse("2004-02").unwrap()), ..Filter::default() };
    for (known_at, filter, entities) in [
        (end, Filter::default(), Vec::new()),
        (Seq(1_301), Filter::default(), Vec::new()),
        (end, from.clone(), Vec::new()),
        (Seq(1_301), from, vec!["e-1".to_owned(), "e-2".to_owned()]),
        (end, Filter::default(), (0..150).map(|n| format!("e-{n}")).collect()),
    ] {
        let question = Question {
            timeline: timeline.clone(),
            as_of: AsOf::new(Date::parse("2004-02-15").unwrap()).unwrap(),
            known_at: KnownAt::Position(known_at),
            certainty: Certainty::Possibly,
            filter,
            entities,
        };
        let known = store.known(&timeline, question.known_at).unwrap();
        let told: Vec<Record> = records.iter().filter(|record| record.seq <= known_at).cloned().collect();
        let histories = conflicting::histories(&told, &timeline);
        let expect = Conflicts::find(&question, &known.knowledge(), &histories);
        for bytes in [1 << 14, 1 << 28] {
            let room = Room { bytes, directory: directory.path() };
            let found = store.conflicts(&question, usize::MAX, room).unwrap();
            assert!(found == expect, "{} of {} with {bytes} bytes", found.found, expect.found);
        }
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "the files have no name");
        if question.entities.len() != 2 {
            let lists = [expect.contested.len(), expect.clashes.len(), expect.duplicates.len()];
            assert!(lists.iter().all(|length| *length > 0), "{lists:?}");
            for fault in [LinkFault::Contradicted, LinkFault::Withdrawn, LinkFault::Missing] {
                let count = expect.links.iter().filter(|link| link.fault == fault).count();
                assert!(count > 10, "{fault:?}: {count}");
            }
        }
    }
}
