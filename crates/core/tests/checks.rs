//! Saved answers: they check after whatever is recorded later, and show whatever was changed in them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use annals_core::{
    Commit, Conflict, Durability, Encoded, Error, Log, NotFound, Seal, SledLog, SledOptions, Snapshots,
    Store, StoredRecord, WriteOptions, commitment, content_json, pack, scan,
};
use annals_model::saved::{Check, Why};
use annals_model::{
    AsOf, Certainty, Content, Date, Entry, Event, EventId, Filter, KnownAt, Op, Question, SavedSnapshot, Seq,
    Snapshot, SnapshotName, TimelineName, Version, Write,
};
use annals_testkit::generate::{questions, sessions};
use annals_testkit::records::records;
use annals_testkit::{MemoryLog, TestHost};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, max_shrink_iters: 4096, failure_persistence: None, ..ProptestConfig::default() }
}

fn saved(snapshot: &Snapshot) -> SavedSnapshot {
    SavedSnapshot::parse(serde_json::to_string_pretty(snapshot).unwrap()).unwrap()
}

fn reasons(check: &Check) -> Vec<Why> {
    check.reasons.iter().map(|finding| finding.reason).collect()
}

proptest! {
    #![proptest_config(cases(256))]

    /// A receipt checks after any number of later records, and the file gives back the question.
    #[test]
    fn an_answer_checks_whatever_is_recorded_later(
        session in sessions(20),
        kept in any::<Index>(),
        asked in prop::collection::vec(questions(), 1..6),
    ) {
        let (store, host) = (Store::new(MemoryLog::default()), TestHost::new(1));
        let (before, after) = session.batches.split_at(kept.index(session.batches.len()) + 1);
        for batch in before {
            batch.write(&store, &host);
        }
        let known = records(&store);
        let questions = asked.iter().map(|asked| asked.of(&known));
        let has_timeline = |question: &Question| store.log().version(&question.timeline).unwrap() > Version(0);
        let answers: Vec<(Question, Snapshot)> = questions
            .filter(has_timeline)
            .map(|question| { let answer = store.replay(&question).unwrap(); (question, answer) })
            .collect();
        let all_check = |store: &Store<MemoryLog>| {
            for (question, answer) in &answers {
                let saved = saved(answer);
                let position = KnownAt::Position(answer.receipt.seq);
                prop_assert_eq!(saved.question(), &Question { known_at: position, ..question.clone() });
                let check = store.check(&saved).unwrap();
                prop_assert!(check.same, "{:?}\n{:?}", question, check);
                prop_assert!(check.changes.is_empty() && check.others.is_empty());
            }
            Ok(())
        };
        all_check(&store)?;
        for batch in after {
            batch.write(&store, &host);
            all_check(&store)?;
        }
    }

    /// Whatever is changed anywhere in the file, the check is not passed.
    #[test]
    fn no_change_of_the_file_passes_the_check(
        session in sessions(12),
        asked in questions(),
        at in any::<Index>(),
        byte in any::<u8>(),
    ) {
        let store = Store::new(MemoryLog::default());
        session.write(&store, &TestHost::new(1));
        let question = asked.of(&records(&store));
        prop_assume!(store.log().version(&question.timeline).unwrap() > Version(0));
        let whole = serde_json::to_string_pretty(&store.replay(&question).unwrap()).unwrap();
        let mut bytes = whole.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        // What is no text or no snapshot any more is refused before it is checked.
        let Some(saved) = String::from_utf8(bytes).ok().and_then(|text| SavedSnapshot::parse(text).ok()) else {
            return Ok(());
        };
        let says_the_same = saved.json().unwrap() == annals_model::saved::Json::parse(&whole).unwrap();
        prop_assert_eq!(store.check(&saved).unwrap().same, says_the_same, "{} at {}", byte as char, at);
    }
}

fn timeline() -> TimelineName {
    TimelineName::new("t").unwrap()
}

fn id(text: &str) -> EventId {
    EventId::new(text).unwrap()
}

fn event(name: &str, date: &str, value: i64) -> Event {
    let line = format!(
        r#"{{"id":"{name}","date":"{date}","title":"t","effects":[{{"op":"set","entity":"a","attribute":"b","value":{value}}},
        {{"op":"increase","entity":"a","attribute":"sum","value":{value}}}]}}"#
    );
    let line = annals_model::line::Line::parse(&line).unwrap();
    match line.into_entry(&timeline(), || id("x")).write {
        Write::Append(event) => *event,
        other => panic!("{other:?}"),
    }
}

fn write(store: &Store<impl Log>, host: &TestHost, events: Vec<Event>) {
    let entries = events.into_iter().map(|event| Entry::new(timeline(), Write::Append(Box::new(event))));
    store.write(entries.collect(), host, &WriteOptions::by("tester")).unwrap();
}

fn two_events() -> Store<MemoryLog> {
    let store = Store::new(MemoryLog::default());
    write(&store, &TestHost::new(1), vec![event("e1", "2004", 1), event("e2", "2010", 2)]);
    store
}

fn question(filter: Filter, entities: &[&str]) -> Question {
    Question {
        timeline: timeline(),
        as_of: AsOf::new(Date::parse("2018").unwrap()).unwrap(),
        known_at: KnownAt::Everything,
        certainty: Certainty::Surely,
        filter,
        entities: entities.iter().map(|&entity| entity.to_owned()).collect(),
    }
}

/// The JSON of an answer with everything in it that can be.
fn answer(store: &Store<MemoryLog>) -> Value {
    let filter = Filter { text: vec!["t".to_owned()], ..Filter::default() };
    serde_json::to_value(store.replay(&question(filter, &["a"])).unwrap()).unwrap()
}

#[test]
fn each_field_that_is_changed_by_hand_is_noticed() {
    let store = two_events();
    let whole = answer(&store);
    let other_root = "0".repeat(64);
    for (pointer, value) in [
        ("/timeline", json!("u")),
        ("/as_of", json!("2019")),
        ("/as_of_until", json!("2019-12-31T23:59:59")),
        ("/known_at/seq", json!(1)),
        ("/known_at/recorded_at", json!(null)),
        ("/certainty", json!("possibly")),
        ("/filter", json!({})),
        ("/filter/text/0", json!("T")),
        ("/entities/0", json!("b")),
        ("/entities", json!([])),
        ("/events/applied", json!(3)),
        ("/state/a/b/value", json!(3)),
        ("/state/a/b/value", json!("2")),
        ("/state/a/b/sure", json!(false)),
        ("/state/a/b/by", json!("e1")),
        ("/ongoing", json!([{}])),
        ("/receipt/seq", json!(1)),
        ("/receipt/seq", json!(3)),
        ("/receipt/log_root", json!(other_root)),
        ("/receipt/state_sha256", json!(other_root)),
        ("/answer_sha256", json!(other_root)),
    ] {
        let mut changed = whole.clone();
        let field = changed.pointer_mut(pointer).unwrap_or_else(|| panic!("there is no {pointer}"));
        assert_ne!(*field, value, "{pointer}");
        *field = value;
        let check = store.check(&SavedSnapshot::parse(changed.to_string()).unwrap()).unwrap();
        assert!(!check.same, "{pointer}");
        assert!(check.is_damaged(), "{pointer}: {check:?}");
    }
    for both in ["as_of", "seq"] {
        let mut changed = whole.clone();
        if both == "as_of" {
            changed["as_of"] = json!("2019");
            changed["as_of_until"] = json!("2019-12-31T23:59:59");
        } else {
            changed["known_at"]["seq"] = json!(1);
            changed["receipt"]["seq"] = json!(1);
        }
        let check = store.check(&SavedSnapshot::parse(changed.to_string()).unwrap()).unwrap();
        assert!(reasons(&check).contains(&Why::Altered), "{both}: {check:?}");
    }
    assert!(store.check(&SavedSnapshot::parse(whole.to_string()).unwrap()).unwrap().same);
}

#[test]
fn digits_that_no_float_keeps_are_compared_all_the_same() {
    let store = Store::new(MemoryLog::default());
    let most = 9_007_199_254_740_991;
    write(&store, &TestHost::new(1), vec![event("e1", "2004", most), event("e2", "2005", 2)]);
    let whole = serde_json::to_string(&store.replay(&question(Filter::default(), &[])).unwrap()).unwrap();
    assert!(whole.contains("9007199254740993"));
    let rounded = whole.replace("9007199254740993", "9007199254740992");
    let saved = SavedSnapshot::parse(rounded).unwrap();
    let check = store.check(&saved).unwrap();
    assert!(!check.same);
    assert_eq!(check.changes[0].attribute, "sum");
}

#[test]
fn what_another_field_says_is_told_where_the_values_agree() {
    let store = two_events();
    let mut changed = answer(&store);
    changed["state"]["a"]["b"]["by"] = json!("e1");
    changed["state"]["a"]["b"]["note"] = json!("from a later version");
    let check = store.check(&SavedSnapshot::parse(changed.to_string()).unwrap()).unwrap();
    assert!(check.changes.is_empty());
    let others: Vec<(String, bool)> =
        check.others.iter().map(|other| (other.path.join("."), other.to.is_some())).collect();
    assert_eq!(others, [("state.a.b.by".to_owned(), true), ("state.a.b.note".to_owned(), false)]);
}

#[test]
fn another_log_is_told_from_an_altered_file() {
    let store = two_events();
    let saved = saved(&store.replay(&question(Filter::default(), &[])).unwrap());
    let other = Store::new(MemoryLog::default());
    write(&other, &TestHost::new(2), vec![event("e1", "2004", 1), event("e2", "2010", 3)]);
    let check = other.check(&saved).unwrap();
    assert_eq!(reasons(&check), [Why::AnotherLog]);
    let changes: Vec<(&str, String, String)> = check
        .changes
        .iter()
        .map(|c| {
            (c.attribute.as_str(), c.from.as_ref().unwrap().to_string(), c.to.as_ref().unwrap().to_string())
        })
        .collect();
    assert_eq!(changes, [("b", "2".into(), "3".into()), ("sum", "3".into(), "4".into())]);
    let shorter = Store::new(MemoryLog::default());
    write(&shorter, &TestHost::new(1), vec![event("e1", "2004", 1)]);
    let check = shorter.check(&saved).unwrap();
    assert_eq!(reasons(&check), [Why::AnotherLog]);
    assert!(check.reasons[0].what.contains("ends at record 1"), "{check:?}");
}

/// Erases the content of the first record as a redaction does, and records that as the last one.
fn redact_first(store: &Store<MemoryLog>) {
    let log = store.log();
    let mut all: Vec<StoredRecord> = Vec::new();
    let visit = |stored| {
        all.push(stored);
        Ok(())
    };
    scan::each(log, Seq(1), log.head().unwrap().seq(), visit).unwrap();
    let first = all.first_mut().unwrap();
    let content = content_json(&first.record.content).unwrap().unwrap();
    first.seal = Seal::Commitment(commitment(first.salt().unwrap(), &content));
    first.record.content = Content::Redacted;
    let (head, mut last) = (log.head().unwrap(), first.clone());
    let encoded: Vec<Encoded> = all.iter().map(|stored| stored.encode().unwrap()).collect();
    let frames = pack(Seq(1), &encoded).unwrap();
    last.record.seq = head.seq().next();
    last.record.recorded_at = head.recorded_at.unwrap();
    last.record.op = Op::Redact;
    last.record.content = Content::Reason("names a witness".to_owned());
    last.seal = Seal::Salt([7; 16]);
    last.previous = Some(Seq(1));
    let mut frontier = head.frontier;
    frontier.push(last.leaf().unwrap());
    let mut entry = log.event(&timeline(), &last.record.id).unwrap().unwrap();
    (entry.last, entry.last_op) = (last.record.seq, Op::Redact);
    let new = pack(last.record.seq, &[last.encode().unwrap()]).unwrap();
    let commit = Commit {
        frames: frames.into_iter().chain(new).collect(),
        events: vec![(timeline(), last.record.id.clone(), entry)],
        timelines: vec![(timeline(), Version(last.record.seq.0))],
        head: annals_core::Head { frontier, recorded_at: head.recorded_at },
        ..Commit::default()
    };
    log.commit(&commit).unwrap();
}

#[test]
fn an_answer_whose_event_was_redacted_since_says_so() {
    let store = two_events();
    let before = saved(&store.replay(&question(Filter::default(), &[])).unwrap());
    redact_first(&store);
    let check = store.check(&before).unwrap();
    assert_eq!(reasons(&check), [Why::Redacted], "{check:?}");
    assert!(!check.is_damaged());
    assert_eq!((check.reasons[0].id.clone(), check.reasons[0].seq), (Some(id("e1")), Some(Seq(3))));
    let told: Vec<&str> = check.changes.iter().map(|change| change.attribute.as_str()).collect();
    assert_eq!(told, ["sum"], "what e2 set afterwards still stands");
    let after = saved(&store.replay(&question(Filter::default(), &[])).unwrap());
    assert!(store.check(&after).unwrap().same, "an answer of after the redaction checks");
}

#[test]
fn answers_are_saved_listed_replaced_and_removed() {
    let directory = tempfile::tempdir().unwrap();
    let log = SledLog::create(
        &directory.path().join("store"),
        &SledOptions { durability: Durability::Os, ..SledOptions::default() },
    )
    .unwrap();
    let snapshots = log.snapshots();
    let store = Store::new(log);
    write(&store, &TestHost::new(1), vec![event("e1", "2004", 1)]);
    let answer = |entities: &[&str]| store.replay(&question(Filter::default(), entities)).unwrap();
    let name = |text: &str| SnapshotName::new(text).unwrap();
    assert_eq!(snapshots.names().unwrap(), []);
    assert!(matches!(snapshots.load(&name("a")), Err(Error::NotFound(NotFound::Snapshot(_)))));
    assert!(!snapshots.save(&name("b"), &answer(&[]), false).unwrap());
    assert!(!snapshots.save(&name("a"), &answer(&[]), true).unwrap());
    assert!(matches!(
        snapshots.save(&name("a"), &answer(&["x"]), false),
        Err(Error::Conflict(Conflict::Snapshot(taken))) if taken == name("a")
    ));
    assert_eq!(snapshots.load(&name("a")).unwrap().question().entities, [""; 0]);
    assert!(snapshots.save(&name("a"), &answer(&["x"]), true).unwrap());
    let read = snapshots.load(&name("a")).unwrap();
    assert_eq!(read.question().entities, ["x"]);
    assert!(store.check(&read).unwrap().same);
    std::fs::write(snapshots.path(&name("a")).with_file_name(".a.new"), "half").unwrap();
    std::fs::write(snapshots.path(&name("a")).with_file_name("notes.txt"), "mine").unwrap();
    assert_eq!(snapshots.names().unwrap(), [name("a"), name("b")]);
    snapshots.remove(&name("a")).unwrap();
    assert!(matches!(snapshots.remove(&name("a")), Err(Error::NotFound(NotFound::Snapshot(_)))));
    assert_eq!(snapshots.names().unwrap(), [name("b")]);
    std::fs::write(snapshots.path(&name("b")), "{}").unwrap();
    assert!(matches!(snapshots.load(&name("b")), Err(Error::Damaged(_))));
    assert!(store.verify(None).unwrap().damage.is_empty(), "snapshots are no part of the log");
}

#[test]
fn a_snapshot_that_cannot_be_saved_leaves_the_old_one() {
    let directory = tempfile::tempdir().unwrap();
    let snapshots = Snapshots::at(directory.path().join("snapshots"));
    let (store, name) = (two_events(), SnapshotName::new("a").unwrap());
    let answer = |entities: &[&str]| store.replay(&question(Filter::default(), entities)).unwrap();
    snapshots.save(&name, &answer(&[]), false).unwrap();
    // Where the new file is to be written stands a directory.
    std::fs::create_dir(snapshots.path(&name).with_file_name(".a.new")).unwrap();
    assert!(matches!(snapshots.save(&name, &answer(&["x"]), true), Err(Error::Unavailable { .. })));
    assert_eq!(snapshots.load(&name).unwrap().question().entities, [""; 0]);
}
