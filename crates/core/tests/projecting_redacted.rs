//! Projections and redactions: content that is gone counts nowhere, whatever was read before it went.
//!
//! The commits are made here by hand, as SPEC section 7 describes them, so that they can also come at the worst
//! moment: between the reading of two records.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code: a panic is how a test fails")]

use std::sync::Mutex;

use annals_core::projection::{Failure, Happened, Projection, Projector, Scope};
use annals_core::{
    Commit, EventEntry, Hash, Head, Log, Result, Seal, Store, StoredFrame, StoredRecord, WriteOptions,
    commitment, pack, scan,
};
use annals_model::{Content, Entry, Event, EventId, KnownAt, Op, Record, Seq, TimelineName, Version, Write};
use annals_testkit::given::as_of;
use annals_testkit::{MemoryLog, TestHost};

/// A log in which something is erased while it is read.
#[derive(Default)]
struct Racing {
    log: MemoryLog,
    /// What is committed before frames are read the next time.
    pending: Mutex<Option<Commit>>,
}

impl Log for Racing {
    fn head(&self) -> Result<Head> {
        self.log.head()
    }

    fn commit(&self, commit: &Commit) -> Result<()> {
        self.log.commit(commit)
    }

    fn frames(&self, from: Seq) -> Box<dyn Iterator<Item = Result<StoredFrame>> + '_> {
        if let Some(commit) = self.pending.lock().unwrap().take() {
            self.log.commit(&commit).unwrap();
        }
        self.log.frames(from)
    }

    fn event(&self, timeline: &TimelineName, id: &EventId) -> Result<Option<EventEntry>> {
        self.log.event(timeline, id)
    }

    fn events(
        &self,
        timeline: &TimelineName,
    ) -> Box<dyn Iterator<Item = Result<(EventId, EventEntry)>> + '_> {
        self.log.events(timeline)
    }

    fn version(&self, timeline: &TimelineName) -> Result<Version> {
        self.log.version(timeline)
    }

    fn timelines(&self) -> Result<Vec<(TimelineName, Version)>> {
        self.log.timelines()
    }

    fn block(&self, index: u64) -> Result<Option<Hash>> {
        self.log.block(index)
    }
}

/// The titles of what happened.
#[derive(Debug)]
struct Titles;

impl Projection for Titles {
    type State = Vec<String>;

    fn name(&self) -> &'static str {
        "titles"
    }

    fn version(&self) -> u32 {
        1
    }

    fn apply(&self, titles: &mut Vec<String>, happened: &Happened<'_>) -> std::result::Result<(), Failure> {
        titles.push(happened.event().title.clone());
        Ok(())
    }
}

fn timeline() -> TimelineName {
    TimelineName::new("main").unwrap()
}

fn id(id: &str) -> EventId {
    EventId::new(id).unwrap()
}

/// Three events, each in a frame of its own.
fn store() -> Store<Racing> {
    let (store, host) = (Store::new(Racing::default()), TestHost::new(1));
    for (name, date) in [("a", "2004"), ("b", "2005"), ("c", "2006")] {
        let date = Some(date.parse().unwrap());
        let event = Event { date, ..Event::new(id(name), format!("secret of {name}")) };
        let entry = Entry::new(timeline(), Write::Append(Box::new(event)));
        store.write(vec![entry], &host, &WriteOptions::by("tester")).unwrap();
    }
    store
}

/// What erases the event that is record `seq`, with or without the record that says so.
fn erasure(store: &Store<Racing>, seq: Seq, with_record: bool) -> Commit {
    let mut erased = scan::one(store.log(), seq).unwrap();
    let salt = *erased.salt().unwrap();
    erased.seal = Seal::Commitment(commitment(&salt, &erased.content_json().unwrap()));
    erased.record.content = Content::Redacted;
    let mut head = store.log().head().unwrap();
    let mut commit = Commit { frames: pack(seq, &[erased.encode().unwrap()]).unwrap(), ..Commit::default() };
    if with_record {
        let last = head.seq().next();
        let content = Content::Reason("a person in danger".to_owned());
        let record = Record { seq: last, op: Op::Redact, content, ..erased.record };
        let redaction = StoredRecord { record, previous: Some(seq), seal: Seal::Salt([7; 16]) };
        commit.frames.extend(pack(last, &[redaction.encode().unwrap()]).unwrap());
        let entry = EventEntry { first: seq, last, last_op: Op::Redact };
        commit.events.push((timeline(), redaction.record.id.clone(), entry));
        commit.timelines.push((timeline(), Version(last.0)));
        head.frontier.push(redaction.leaf().unwrap());
    }
    commit.head = head;
    commit
}

fn erase(store: &Store<Racing>, seq: Seq) {
    store.log().commit(&erasure(store, seq, true)).unwrap();
}

fn titles(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("secret of {name}")).collect()
}

#[test]
fn a_redacted_event_leaves_a_state_that_had_it() {
    let store = store();
    let mut projector = Projector::new(Titles, Scope::surely(timeline()));
    assert_eq!(*projector.state_at(&store, &as_of("2010")).unwrap(), titles(&["a", "b", "c"]));
    erase(&store, Seq(2));
    assert_eq!(*projector.state_at(&store, &as_of("2010")).unwrap(), titles(&["a", "c"]));
}

#[test]
fn a_redaction_counts_at_every_position_of_the_record_axis() {
    let store = store();
    let scope = Scope::surely(timeline()).known_at(KnownAt::Position(Seq(2)));
    let mut projector = Projector::new(Titles, scope.clone());
    assert_eq!(*projector.state_at(&store, &as_of("2010")).unwrap(), titles(&["a", "b"]));
    let before = projector.receipt(&store, &as_of("2010")).unwrap();
    erase(&store, Seq(2));
    assert_eq!(*projector.state_at(&store, &as_of("2010")).unwrap(), titles(&["a"]));
    let after = projector.receipt(&store, &as_of("2010")).unwrap();
    assert_eq!((after.seq, &after.log_root), (before.seq, &before.log_root), "the log proves what it did");
    assert_ne!(after.state_sha256, before.state_sha256, "and the state says that it is another");
    let mut rebuilt = Projector::new(Titles, scope);
    assert_eq!(*rebuilt.state_at(&store, &as_of("2010")).unwrap(), titles(&["a"]));
}

#[test]
fn a_checkpoint_from_before_a_redaction_is_taken_up_without_the_event() {
    let store = store();
    let mut projector = Projector::new(Titles, Scope::surely(timeline()));
    projector.state_at(&store, &as_of("2010")).unwrap();
    let saved = projector.save().unwrap();
    assert!(serde_json::to_string(&saved).unwrap().contains("secret of b"));
    erase(&store, Seq(2));
    let mut resumed = Projector::resume(Titles, Scope::surely(timeline()), &store, &saved).unwrap();
    assert_eq!(*resumed.state_at(&store, &as_of("2010")).unwrap(), titles(&["a", "c"]));
    assert!(!serde_json::to_string(&resumed.save().unwrap()).unwrap().contains("secret of b"));
}

#[test]
fn an_event_that_is_redacted_while_it_is_read_does_not_count() {
    let store = store();
    let mut projector = Projector::new(Titles, Scope::surely(timeline()));
    assert_eq!(*projector.state_at(&store, &as_of("2004")).unwrap(), titles(&["a"]));
    *store.log().pending.lock().unwrap() = Some(erasure(&store, Seq(2), true));
    assert_eq!(*projector.state_at(&store, &as_of("2010")).unwrap(), titles(&["a", "c"]));
    assert_eq!(projector.position(), Seq(4));
}

#[test]
fn content_that_is_gone_without_a_redaction_is_damage() {
    let store = store();
    let mut projector = Projector::new(Titles, Scope::surely(timeline()));
    projector.state_at(&store, &as_of("2004")).unwrap();
    store.log().commit(&erasure(&store, Seq(2), false)).unwrap();
    let error = projector.state_at(&store, &as_of("2010")).unwrap_err();
    assert_eq!(error.to_string(), "record 2: its content is missing, and no redaction says why");
}
