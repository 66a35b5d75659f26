//! Every step of a commit fails once, and is once the last thing that a process does.
//!
//! A write that failed may have been recorded or not, but wholly, and nothing more is written until the log has been opened
//! again; one that was answered is there.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "test code: a panic is how a test fails, and the environment is how it is told what to do"
)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use annals_core::{Log, SledLog, SledOptions, Store, StoredRecord, WriteOptions, scan};
use annals_model::{Entry, Event, EventId, Seq, TimelineName, Write};
use annals_testkit::TestHost;
use annals_testkit::files::copy_directory;
use fail::FailScenario;
use tempfile::TempDir;

/// Tells the child that it is one, and where the store is.
const CHILD: &str = "ANNALS_FAILPOINTS_CHILD";
/// Tells it at which step to end.
const STEP: &str = "ANNALS_FAILPOINTS_STEP";

/// What is known of a write when the step has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// It is not there.
    Not,
    /// It is there or not.
    Open,
    /// It was answered, and the store writes on.
    Answered,
    /// It was answered, and the store refuses further ones.
    AnsweredAndRefuses,
}

const STEPS: [(&str, Then); 7] = [
    ("apply", Then::Not),
    ("applied", Then::Open),
    ("flush", Then::Open),
    ("sync", Then::Open),
    ("synced", Then::Open),
    ("tail", Then::Answered),
    ("head file", Then::AnsweredAndRefuses),
];

fn entries(name: &str, count: usize) -> Vec<Entry> {
    let timeline = TimelineName::new("main").unwrap();
    let event = |n| Event::new(EventId::new(format!("{name}-{n}")).unwrap(), "Something happened".to_owned());
    (0..count).map(|n| Entry::new(timeline.clone(), Write::Append(Box::new(event(n))))).collect()
}

fn write(store: &Store<SledLog>, name: &str, count: usize) -> bool {
    store.write(entries(name, count), &TestHost::new(1), &WriteOptions::by("tester")).is_ok()
}

fn open(path: &Path) -> Store<SledLog> {
    Store::new(SledLog::open(path, &SledOptions::default()).unwrap())
}

fn made(path: &Path) -> Store<SledLog> {
    let store = Store::new(SledLog::create(path, &SledOptions::default()).unwrap());
    assert!(write(&store, "before", 300));
    store
}

fn records(store: &Store<SledLog>) -> Vec<StoredRecord> {
    let mut all = Vec::new();
    let visit = |stored| {
        all.push(stored);
        Ok(())
    };
    scan::each(store.log(), Seq(1), store.log().head().unwrap().seq(), visit).unwrap();
    all
}

/// What is there after all: `before`, and all of the batch or nothing of it. Gives which.
fn reopened(path: &Path, before: &[StoredRecord], count: usize) -> bool {
    let store = open(path);
    assert_eq!(store.verify(store.log().witness()).unwrap().damage, []);
    let now = records(&store);
    assert_eq!(&now[..before.len()], before);
    let new = now.len() - before.len();
    assert!(new == 0 || new == count, "{new} of {count} records");
    assert!(write(&store, "after", 2), "an opened store can be written to");
    assert_eq!(records(&store).len(), now.len() + 2);
    new == count
}

#[test]
fn a_step_that_fails_records_or_not_and_never_lies() {
    let scenario = FailScenario::setup();
    for (step, then) in STEPS {
        for count in [1, 3, 300] {
            let directory = TempDir::new().unwrap();
            let path = directory.path().join("store");
            let store = made(&path);
            let before = records(&store);
            fail::cfg(step, "return").unwrap();
            let answered = write(&store, "during", count);
            fail::cfg(step, "off").unwrap();
            let is_answered = matches!(then, Then::Answered | Then::AnsweredAndRefuses);
            assert_eq!(answered, is_answered, "{step}, {count}");
            // Nothing fails any more, but what is on the disk is not known.
            let goes_on = then == Then::Answered;
            assert_eq!(write(&store, "next", 1), goes_on, "{step}, {count}");
            drop(store);
            if goes_on {
                let store = open(&path);
                assert_eq!(records(&store).len(), before.len() + count + 1);
                assert_eq!(store.verify(store.log().witness()).unwrap().damage, []);
                continue;
            }
            let is_there = reopened(&path, &before, count);
            match then {
                Then::Not => assert!(!is_there, "{step}, {count}"),
                Then::Open => {}
                Then::Answered | Then::AnsweredAndRefuses => assert!(is_there, "{step}, {count}"),
            }
        }
    }
    scenario.teardown();
}

#[test]
fn a_process_that_ends_at_a_step_leaves_all_or_nothing() {
    // Steps fail for the whole process: the other test waits.
    let scenario = FailScenario::setup();
    for (step, then) in STEPS {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("store");
        let before = records(&made(&path));
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "the_child", "--ignored"]).env(CHILD, &path).env(STEP, step);
        let status = child.output().unwrap().status;
        assert_eq!(status.code(), None, "{step}: it was to be killed: {status}");
        let is_there = reopened(&path, &before, 3);
        // Nobody was answered; behind the sync it is on the disk all the same.
        match then {
            Then::Not => assert!(!is_there, "{step}"),
            Then::Open if step != "synced" => {}
            _ => assert!(is_there, "{step}"),
        }
    }
    scenario.teardown();
}

/// Putting the index of ids together changes no record, whatever becomes of it.
#[test]
fn a_step_that_fails_while_ids_are_put_together_costs_nothing() {
    let scenario = FailScenario::setup();
    let directory = TempDir::new().unwrap();
    let whole = directory.path().join("whole");
    let store = Store::new(SledLog::create(&whole, &SledOptions::default()).unwrap());
    for batch in 0..5 {
        assert!(write(&store, &format!("batch-{batch}"), 3_100));
    }
    let before = records(&store);
    drop(store);
    for step in ["stage", "apply", "applied", "flush", "sync", "synced"] {
        let path = directory.path().join(step);
        copy_directory(&whole, &path);
        let store = open(&path);
        fail::cfg(step, "return").unwrap();
        assert!(store.tidy().is_err(), "{step}");
        fail::cfg(step, "off").unwrap();
        assert_eq!(records(&store), before, "{step}");
        drop(store);
        let store = open(&path);
        store.tidy().unwrap();
        assert!(write(&store, "batch-3", 3_100), "{step}: they are there already");
        assert_eq!(records(&store), before, "{step}");
        drop(store);
        assert!(!reopened(&path, &before, 1));
    }
    scenario.teardown();
}

/// On a full disk sled may wait for ever when a store is closed, though no write has failed.
#[test]
fn a_store_that_cannot_be_closed_is_let_go() {
    let scenario = FailScenario::setup();
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("store");
    let store = made(&path);
    let before = records(&store);
    fail::cfg("close", "pause").unwrap();
    let (done, is_done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        drop(store);
        done.send(()).unwrap();
    });
    is_done.recv_timeout(Duration::from_secs(60)).unwrap();
    // Until the process ends, or sled does come to an end, the store is locked.
    fail::cfg("close", "off").unwrap();
    assert!(!reopened(&path, &before, 1));
    scenario.teardown();
}

/// What the second test starts, and kills.
#[test]
#[ignore = "it ends its process"]
fn the_child() {
    let (Some(path), Ok(step)) = (std::env::var_os(CHILD), std::env::var(STEP)) else { return };
    let scenario = FailScenario::setup();
    let store = open(Path::new(&path));
    fail::cfg_callback(step, || std::process::abort()).unwrap();
    write(&store, "during", 3);
    scenario.teardown();
    panic!("the step was never reached");
}
