//! A store that has redactions answers with its indexes as one that reads every record does: at any K, before and after.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;

use annals_core::dates::{self, DateIndex};
use annals_core::index::{self, ClaimIndex};
use annals_core::{Log, Store, WriteOptions};
use annals_model::{
    AsOf, Certainty, Change, Content, Date, Effect, Entry, Event, Filter, KnownAt, Op, Question, Record,
    SavedSnapshot, Scalar, Seq, TimelineName, Value, When, Write,
};
use annals_testkit::generate::{TIMELINES, event_id};
use annals_testkit::records::records;
use annals_testkit::{MemoryLog, TestHost};

fn timeline(number: usize) -> TimelineName {
    TimelineName::new(TIMELINES[number % 2]).unwrap()
}

fn event(number: usize, says: &str) -> Event {
    let mut event = Event::new(event_id(number), format!("{says} {number}"));
    event.date = Date::parse(["2001", "2002-03", "2001-09-11/2003", ""][number / 2 % 4]).ok();
    let change = Change::Set(Value::Scalar(Scalar::Text(format!("{says} {number}").into())));
    let (entity, attribute) = (format!("e{}", number % 6), "x".to_owned());
    event.effects = vec![Effect { entity, attribute, change, when: When::Start }];
    event
}

/// What is recorded: events on two timelines, of which some are corrected, some retracted, and some redacted at last.
fn entries() -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut redacted = 0..;
    for number in 0..700 {
        let mut add = |number: usize, write| entries.push(Entry::new(timeline(number), write));
        let id = event_id;
        add(number, Write::Append(Box::new(event(number, "said"))));
        if number % 5 == 0 {
            add(number / 5, Write::Revise(Box::new(event(number / 5, "corrected"))));
        }
        if number % 7 == 3 {
            add(number, Write::Retract { id: id(number), reason: "withdrawn".to_owned() });
        }
        // One in seven of these was retracted, and others are corrected before and after.
        if number % 40 == 39 && number > 200 {
            let gone = redacted.next().unwrap() * 31;
            add(gone, Write::Redact { id: id(gone), reason: "a name".to_owned() });
        }
    }
    entries
}

fn store() -> Store<MemoryLog> {
    Store::new(MemoryLog::default())
}

/// Records one entry after the other; what cannot be done leaves no record.
fn record(store: &Store<MemoryLog>, entries: &[Entry]) {
    let host = TestHost::new(1);
    for entry in entries {
        let _ = store.write(vec![entry.clone()], &host, &WriteOptions::by("somebody"));
    }
}

fn question(number: usize, known_at: u64) -> Question {
    let as_of = AsOf::new(Date::parse("2002-06").unwrap()).unwrap();
    let (certainty, filter, entities) = (Certainty::Possibly, Filter::default(), Vec::new());
    let known_at = KnownAt::Position(Seq(known_at));
    Question { timeline: timeline(number), as_of, known_at, certainty, filter, entities }
}

/// What a check has to say of the events that counted at a record and were redacted since.
fn redacted_since(records: &[Record], timeline: &TimelineName, known_at: Seq) -> Vec<String> {
    let own = || records.iter().filter(|record| record.timeline == *timeline);
    let mut found = BTreeMap::new();
    for gone in own().filter(|record| record.op == Op::Redact && record.seq > known_at) {
        let mut of = own().filter(|record| record.id == gone.id && record.seq <= known_at);
        let (Some(place), Some(of)) = (of.clone().next(), of.next_back()) else { continue };
        if of.op != Op::Retract {
            assert_eq!(of.content, Content::Redacted);
            let Record { id, seq: by, .. } = gone;
            found.insert(
                place.seq,
                format!("record {}, of event {id}, was redacted since, at seq {by}", of.seq),
            );
        }
    }
    found.into_values().collect()
}

#[test]
fn redactions_change_no_answer_and_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let claims = index::Sizes { enough: 256, at_once: 512, fan: 2, kept: 200, spacing: 3 };
    let sizes = dates::Sizes { enough: 256, at_once: 256, fan: 2, piece: 100, few: 0, first: 2 };
    let indexed = store()
        .with_index(ClaimIndex::with(dir.path().join("claims"), claims))
        .with_dates(DateIndex::with(dir.path().join("dates"), sizes));
    let plain = store();
    let entries = entries();
    for (number, part) in entries.chunks(entries.len() / 3).enumerate() {
        for store in [&indexed, &plain] {
            record(store, part);
        }
        let end = plain.log().head().unwrap();
        assert_eq!(indexed.log().head().unwrap(), end, "the part {number}");
        let all = records(&plain);
        let mut redactions = 0;
        for known_at in (1..=end.seq().0).rev().step_by(97).chain([1]) {
            for line in [0, 1] {
                let question = question(line, known_at);
                for asked in ["e0", "e1.x", "e4.x", "e5"] {
                    assert_eq!(plain.spans(&question, asked).ok(), indexed.spans(&question, asked).ok());
                    assert_eq!(plain.learned(&question, asked).ok(), indexed.learned(&question, asked).ok());
                    let why = plain.why(&question, asked).ok();
                    redactions += why.as_ref().map_or(0, |why| why.redacted);
                    assert_eq!(why, indexed.why(&question, asked).ok(), "{asked} @{known_at}");
                }
                let (later, other) = (AsOf::new(Date::parse("2003").unwrap()).unwrap(), KnownAt::Everything);
                let diff = |store: &Store<MemoryLog>| store.diff(&question, &later, other).unwrap();
                assert_eq!(diff(&plain), diff(&indexed), "{line} @{known_at}");
                let gone =
                    |store: &Store<MemoryLog>| store.redactions(&question.timeline, Seq(known_at)).unwrap();
                assert_eq!(gone(&plain), gone(&indexed), "{line} @{known_at}");
                let answer = plain.replay(&question).unwrap();
                assert_eq!(indexed.replay(&question).unwrap(), answer, "{line} @{known_at}");
                // Something else is made of the answer, so that the check has to say what may have changed it.
                let mut json = serde_json::to_value(&answer).unwrap();
                json["events"]["applied"] = 9999.into();
                json["answer_sha256"] = "".into();
                let saved = SavedSnapshot::parse(json.to_string()).unwrap();
                let told = indexed.check(&saved).unwrap();
                assert_eq!(told, plain.check(&saved).unwrap());
                let told: Vec<String> = told
                    .reasons
                    .into_iter()
                    .map(|reason| reason.what)
                    .filter(|what| what.contains("since"))
                    .collect();
                assert_eq!(
                    told,
                    redacted_since(&all, &question.timeline, Seq(known_at)),
                    "{line} @{known_at}"
                );
            }
        }
        assert_eq!(redactions > 0, number > 0, "redactions come with the second part");
    }
}
