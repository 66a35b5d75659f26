//! The index and redactions: nothing of what was erased stays in it, whatever it held before.
//!
//! The commits are made here by hand, as SPEC section 7 describes them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code: a panic is how a test fails")]

use std::fs;
use std::path::Path;

use annals_core::dates::DateIndex;
use annals_core::index::ClaimIndex;
use annals_core::{
    Commit, EventEntry, Log, Seal, Selection, Store, StoredRecord, WriteOptions, commitment, pack, scan,
};
use annals_model::{
    AsOf, Certainty, Change, Content, Date, Effect, Entry, Event, EventId, Filter, KnownAt, Op, Question,
    Record, Scalar, Seq, Source, TimelineName, Version, When, Write,
};
use annals_testkit::{MemoryLog, TestHost};

const RECORDS: u64 = 3000;

fn timeline() -> TimelineName {
    TimelineName::new("main").unwrap()
}

/// An event a record, each of which names a witness.
fn store(dir: &Path) -> Store<MemoryLog> {
    let store = Store::new(MemoryLog::default()).with_index(ClaimIndex::at(dir.join("index")));
    let store = store.with_dates(DateIndex::at(dir.join("dates")));
    let event = |number: u64| {
        let mut event =
            Event::new(EventId::new(format!("e{number}")).unwrap(), format!("title-{number}-marker"));
        event.tags = vec![format!("tag-{number}-marker")];
        let value = Scalar::Text(format!("witness-{number}-marker").into());
        let (entity, attribute) = ("case".to_owned(), "witnesses".to_owned());
        let effect = Effect { entity, attribute, change: Change::Add(value), when: When::Start };
        (event.date, event.effects) = (Some(Date::parse("2004").unwrap()), vec![effect]);
        Entry::new(timeline(), Write::Append(Box::new(event)))
    };
    let entries = (1..=RECORDS).map(event).collect();
    store.write(entries, &TestHost::new(1), &WriteOptions::by("tester")).unwrap();
    store
}

/// Erases a record's content, and records that.
fn redact(store: &Store<MemoryLog>, seq: Seq) {
    let log = store.log();
    let frame = scan::frame_of(log, seq).unwrap();
    let mut encoded = Vec::new();
    let mut id = None;
    scan::each(log, frame.first(), frame.last(), |mut stored| {
        if stored.record.seq == seq {
            let salt = *stored.salt().unwrap();
            stored.seal = Seal::Commitment(commitment(&salt, &stored.content_json()?));
            stored.record.content = Content::Redacted;
            id = Some(stored.record.clone());
        }
        encoded.push(stored.encode()?);
        Ok(())
    })
    .unwrap();
    let (mut head, erased) = (log.head().unwrap(), id.unwrap());
    let last = head.seq().next();
    let content = Content::Reason("a person in danger".to_owned());
    let record = Record { seq: last, op: Op::Redact, content, ..erased };
    let redaction = StoredRecord { record, previous: Some(seq), seal: Seal::Salt([7; 16]) };
    let mut frames = pack(frame.first(), &encoded).unwrap();
    frames.extend(pack(last, &[redaction.encode().unwrap()]).unwrap());
    let entry = EventEntry { first: seq, last, last_op: Op::Redact };
    let events = vec![(timeline(), redaction.record.id.clone(), entry)];
    head.frontier.push(redaction.leaf().unwrap());
    let timelines = vec![(timeline(), Version(last.0))];
    log.commit(&Commit { frames, events, timelines, head, ..Commit::default() }).unwrap();
}

fn question(known_at: KnownAt) -> Question {
    let as_of = AsOf::new(Date::parse("2010").unwrap()).unwrap();
    let (certainty, filter, entities) = (Certainty::Surely, Filter::default(), Vec::new());
    Question { timeline: timeline(), as_of, known_at, certainty, filter, entities }
}

fn witnesses(store: &Store<MemoryLog>, known_at: KnownAt) -> String {
    store.cell(&question(known_at), "case", "witnesses").unwrap().unwrap().value.to_string()
}

/// Whether any run of the index holds a text; runs are compressed, so they are read as the index reads them.
fn is_indexed(store: &Store<MemoryLog>, dir: &Path, text: &str) -> bool {
    let index = ClaimIndex::at(dir.join("index"));
    let asked = (&timeline(), "case", Some("witnesses"));
    let said = index.ever_said(store.log(), asked).unwrap();
    assert!(!said.is_empty());
    format!("{said:?}").contains(text)
}

#[test]
fn what_was_redacted_is_gone_from_the_index_and_counts_at_no_k() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    assert!(witnesses(&store, KnownAt::Everything).contains("witness-7-marker"));
    let runs = || fs::read_dir(dir.path().join("index")).unwrap().count();
    assert_eq!(runs(), 2, "a run and the manifest");
    redact(&store, Seq(7));
    for known_at in [KnownAt::Everything, KnownAt::Position(Seq(RECORDS))] {
        let stands = witnesses(&store, known_at);
        assert!(!stands.contains("witness-7-marker") && stands.contains("witness-8-marker"));
    }
    assert_eq!(store.index().unwrap().notice().as_deref(), Some("an event was redacted"));
    assert_eq!(runs(), 2, "the one that held it is gone");
    assert!(!is_indexed(&store, dir.path(), "witness-7-marker"));
    // Later processes go on with the new one, and make it anew for the next redaction only.
    redact(&store, Seq(8));
    assert!(!is_indexed(&store, dir.path(), "witness-8-marker"));
    let again = ClaimIndex::at(dir.path().join("index"));
    again.ever_said(store.log(), (&timeline(), "case", None)).unwrap();
    assert_eq!(again.notice(), None);
}

/// All that the blocks of a directory's runs hold, decompressed.
fn plain(dir: &Path) -> Vec<u8> {
    let mut plain = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        let mut rest = bytes.as_slice();
        while let Some((header, behind)) = rest.split_first_chunk::<12>() {
            let length = |field: &[u8]| u32::from_le_bytes(field.try_into().unwrap()) as usize;
            let (stored, size) = (length(&header[..4]), length(&header[4..8]));
            // Neither a footer nor a manifest begins like a block.
            let Some((block, later)) = behind.split_at_checked(stored).filter(|_| stored < 1 << 24) else {
                break;
            };
            let Ok(block) = zstd::bulk::decompress(block, size) else { break };
            plain.extend(block);
            rest = later;
        }
    }
    plain
}

#[test]
fn what_was_redacted_is_gone_from_the_index_of_dates() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let dates = dir.path().join("dates");
    let holds = |text: &str| plain(&dates).windows(text.len()).any(|part| part == text.as_bytes());
    let listed = |known_at: KnownAt| {
        let question = question(known_at);
        let selection = Selection {
            question: &question,
            range: Certainty::Possibly,
            begun: true,
            between: None,
            most: None,
        };
        let events = store.list(&selection).unwrap().events;
        let ongoing = store.standing(&timeline(), question.as_of.until(), Seq(RECORDS)).unwrap();
        (events.len() as u64, ongoing.0.applied, ongoing.0.retracted)
    };
    assert_eq!(listed(KnownAt::Everything), (RECORDS, RECORDS, 0));
    assert!(holds("title-7-marker") && holds("tag-7-marker") && holds("title-8-marker"));
    redact(&store, Seq(7));
    assert_eq!(listed(KnownAt::Everything), (RECORDS - 1, RECORDS - 1, 1));
    assert_eq!(store.dates().unwrap().notice().as_deref(), Some("an event was redacted"));
    assert_eq!(listed(KnownAt::Position(Seq(RECORDS))), (RECORDS - 1, RECORDS - 1, 1));
    assert!(!holds("title-7-marker") && !holds("tag-7-marker") && holds("title-8-marker"));
    assert_eq!(store.dates().unwrap().notice(), None);
    // Who redacts need not wait for the next question.
    store.dates().unwrap().clear().unwrap();
    assert!(!dates.exists());
}

#[test]
fn where_something_was_redacted_why_reads_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    assert_eq!(store.why(&question(KnownAt::Everything), "case.witnesses").unwrap().redacted, 0);
    redact(&store, Seq(7));
    let why = store.why(&question(KnownAt::Everything), "case.witnesses").unwrap();
    assert_eq!((why.redacted, why.made_of.len() as u64), (1, RECORDS - 1));
}

#[test]
fn sources_of_those_who_contest_a_value_are_kept_until_one_is_redacted() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let event = |name: &str| {
        let mut event = Event::new(EventId::new(name).unwrap(), "t");
        let (entity, attribute) = ("case".to_owned(), "status".to_owned());
        let change = Change::Set(Scalar::Text(name.into()).into());
        event.date = Some(Date::parse("2004-05-02").unwrap());
        event.effects = vec![Effect { entity, attribute, change, when: When::Start }];
        event.sources = vec![Source { title: Some(format!("source of {name}")), ..Source::default() }];
        Entry::new(timeline(), Write::Append(Box::new(event)))
    };
    let entries = ["x", "y", "z"].map(event).to_vec();
    store.write(entries, &TestHost::new(1), &WriteOptions::by("tester")).unwrap();
    let contested = || {
        let cell = store.cell(&question(KnownAt::Everything), "case", "status").unwrap().unwrap();
        let titles = cell.contested.into_iter().flat_map(|contender| contender.sources);
        titles.filter_map(|source| source.title).collect::<Vec<_>>()
    };
    for _ in 0..2 {
        assert_eq!(contested(), ["source of x", "source of y"]);
    }
    redact(&store, Seq(RECORDS + 1));
    for _ in 0..2 {
        assert_eq!(contested(), ["source of y"]);
    }
}
