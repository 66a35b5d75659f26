//! Every step of a compaction, a backup and a redaction fails once, and is once the last thing that a process does.
//!
//! Afterwards the store is the older one or the newer one, whole; so is the backup, if there was one; and a redaction was
//! answered, or can be asked for again and then leaves nothing.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "test code: a panic is how a test fails, and the environment is how it is told what to do"
)]

use std::fs;
use std::io::Read as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;

mod common;

use annals_core::backup::{Backup, ByTurns};
use annals_core::dates::{self, DateIndex};
use annals_core::index::{self, ClaimIndex, Sizes};
use annals_core::{BLOCK, Log, Result, SledLog, SledOptions, Store, StoredRecord, WriteOptions, scan};
use annals_model::{
    AsOf, Certainty, Change, Content, Date, Effect, Entry, Event, EventId, Filter, KnownAt, Outcome,
    Question, Scalar, Seq, SnapshotName, Source, Value, When, Write,
};
use annals_testkit::TestHost;
use common::{fill, timeline};
use fail::FailScenario;
use tempfile::TempDir;

/// Tells the child that it is one, and where the store is.
const CHILD: &str = "ANNALS_FAILPOINTS_CHILD";
/// Tells it what to do, and at which step to end.
const WHAT: &str = "ANNALS_FAILPOINTS_WHAT";
const STEP: &str = "ANNALS_FAILPOINTS_STEP";

/// Stands in the event that is redacted, and nowhere else.
const MARKER: &str = "a-name-that-must-not-be-found";
const WORKERS: NonZeroUsize = NonZeroUsize::MIN;

const COMPACTION: [&str; 9] = [
    "begin anew",
    "written anew",
    "checked anew",
    "synced anew",
    "closed for the exchange",
    "old one moved",
    "new one moved",
    "exchanged",
    "old one removed",
];
const BACKUP: [&str; 6] = [
    "backup begun",
    "backup planned",
    "backup has the log",
    "backup copied",
    "backup checked",
    "backup in its place",
];
/// Those of its commit first.
const REDACTION: [&str; 10] = [
    "apply",
    "applied",
    "flush",
    "sync",
    "synced",
    "tail",
    "head file",
    "clean the indexes",
    "clean the answers",
    "clean the attachments",
];

/// A store with a backup beside it, and all that repeats content.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { directory: TempDir::new().unwrap() };
        SledLog::create(&store_in(place.path()), &SledOptions::default()).unwrap();
        let (store, host) = (open(place.path()), TestHost::new(1));
        fill(&store, &host, 1, BLOCK + 20);
        let attached = store.log().attachments().add(&mut MARKER.as_bytes()).unwrap();
        let mut event = Event::new(EventId::new("named").unwrap(), MARKER);
        event.date = Some(Date::parse("2004").unwrap());
        let (entity, attribute) = ("somebody".to_owned(), "name".to_owned());
        let change = Change::Set(Value::Scalar(Scalar::Text(MARKER.into())));
        event.effects.push(Effect { entity, attribute, change, when: When::Start });
        event.sources.push(Source { sha256: Some(attached.sha256), ..Source::default() });
        write(&store, &host, Write::Append(Box::new(event))).unwrap();
        fill(&store, &host, BLOCK + 22, 2 * BLOCK + 50);
        let answer = store.replay(&question()).unwrap();
        store.log().snapshots().save(&SnapshotName::new("then").unwrap(), &answer, false).unwrap();
        assert_eq!(
            with_the_marker(&store_in(place.path())).len(),
            5,
            "pages, tail, index, answer, attachment"
        );
        place
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Has a child do something, and end at a step.
    fn end_at(&self, what: &str, step: &str) {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "the_child", "--ignored"]);
        let status = child.env(CHILD, self.path()).env(WHAT, what).env(STEP, step).output().unwrap().status;
        assert_eq!(status.code(), None, "{step}: it was to be killed: {status}");
    }

    /// Has something done here, which fails at a step.
    fn fail_at(&self, what: &str, step: &str) -> Result<()> {
        fail::cfg(step, "return").unwrap();
        let done = act(what, self.path());
        fail::cfg(step, "off").unwrap();
        done
    }
}

fn store_in(directory: &Path) -> PathBuf {
    directory.join("store")
}

fn question() -> Question {
    Question {
        timeline: timeline(),
        as_of: AsOf::new(Date::parse("2018").unwrap()).unwrap(),
        known_at: KnownAt::Everything,
        certainty: Certainty::Surely,
        filter: Filter::default(),
        entities: Vec::new(),
    }
}

fn open(directory: &Path) -> Store<SledLog> {
    let path = store_in(directory);
    let log = SledLog::open(&path, &SledOptions::default()).unwrap();
    let sizes = Sizes { enough: BLOCK, ..Sizes::default() };
    let store = Store::new(log).with_index(ClaimIndex::with(path.join(index::DIRECTORY), sizes));
    store.with_dates(DateIndex::at(path.join(dates::DIRECTORY)))
}

fn write(store: &Store<SledLog>, host: &TestHost, write: Write) -> Result<Outcome> {
    let entry = Entry::new(timeline(), write);
    Ok(store.write(vec![entry], host, &WriteOptions::by("tester"))?[0].outcome)
}

fn redact(directory: &Path) -> Result<Outcome> {
    let id = EventId::new("named").unwrap();
    write(&open(directory), &TestHost::new(7), Write::Redact { id, reason: "asked for".to_owned() })
}

fn backup(directory: &Path) -> Backup {
    Backup::at(directory.join("backup"))
}

fn act(what: &str, directory: &Path) -> Result<()> {
    let (path, options) = (store_in(directory), SledOptions::default());
    match what {
        "compact" => SledLog::compact(&path, &options, WORKERS, &mut |_, _| ()).map(drop),
        "back up" => {
            let source = ByTurns { path, options };
            backup(directory).update(&source, "a test", WORKERS, |_| ()).map(drop)
        }
        _ => redact(directory).map(drop),
    }
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

/// The records of a store that is whole.
fn whole(directory: &Path) -> Vec<StoredRecord> {
    let store = open(directory);
    assert_eq!(store.verify(store.log().witness()).unwrap().damage, []);
    records(&store)
}

/// The files below a directory that hold the marker, as it stands or in something that zstd has compressed.
fn with_the_marker(directory: &Path) -> Vec<PathBuf> {
    const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
    let stands = |bytes: &[u8]| bytes.windows(MARKER.len()).any(|window| window == MARKER.as_bytes());
    let holds = |bytes: &[u8]| {
        let begins = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(&ZSTD));
        stands(bytes)
            || begins.into_iter().any(|at| {
                let mut plain = Vec::new();
                // What follows the compressed part is none, and ends it with an error.
                let _ = zstd::stream::read::Decoder::new(&bytes[at..])
                    .and_then(|decoder| decoder.single_frame().read_to_end(&mut plain));
                stands(&plain)
            })
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(with_the_marker(&path));
        } else if holds(&fs::read(&path).unwrap()) {
            found.push(path);
        }
    }
    found
}

#[test]
fn a_compaction_leaves_the_older_store_or_the_newer_one() {
    let scenario = FailScenario::setup();
    let place = Place::new();
    let before = whole(place.path());
    for step in COMPACTION {
        place.fail_at("compact", step).unwrap_err();
        assert_eq!(whole(place.path()), before, "{step} failed");
        place.end_at("compact", step);
        assert_eq!(whole(place.path()), before, "ended at {step}");
        for left in ["sled.new", "sled.old"] {
            assert!(!store_in(place.path()).join(left).exists(), "{step}: {left}");
        }
    }
    act("compact", place.path()).unwrap();
    assert_eq!(whole(place.path()), before);
    scenario.teardown();
}

#[test]
fn a_backup_is_the_older_one_or_the_newer_one() {
    // Steps fail for the whole process: the other tests wait.
    let scenario = FailScenario::setup();
    let (place, host) = (Place::new(), TestHost::new(2));
    let (mut number, mut had) = (10_000, None);
    for step in BACKUP.into_iter().chain(BACKUP) {
        for ends in [true, false] {
            let store = open(place.path());
            fill(&store, &host, number, number + 40);
            let all = store.log().head().unwrap().seq();
            drop(store);
            number += 100;
            if ends {
                place.end_at("back up", step);
            } else {
                place.fail_at("back up", step).unwrap_err();
            }
            let held = backup(place.path()).held().unwrap();
            let has = held.as_ref().map(|held| held.records);
            assert!(has == had || has == Some(all), "{step}: {has:?} after {had:?}");
            if held.is_some() {
                assert_eq!(backup(place.path()).verify(WORKERS, |_| ()).ok(), held, "{step}");
            }
            had = has;
        }
    }
    act("back up", place.path()).unwrap();
    let (path, options) = (place.path().join("again"), SledOptions::default());
    backup(place.path()).restore(&path.join("store"), &options, false, WORKERS, |_| ()).unwrap();
    assert_eq!(whole(&path), whole(place.path()));
    scenario.teardown();
}

#[test]
fn a_redaction_is_answered_or_can_be_asked_for_again() {
    let scenario = FailScenario::setup();
    for step in REDACTION {
        for ends in [true, false] {
            let place = Place::new();
            let before = whole(place.path());
            if ends {
                place.end_at("redact", step);
            } else {
                // Behind its commit the tail and the head file need not follow.
                let may_go_on = ["tail", "head file"].contains(&step);
                assert_eq!(place.fail_at("redact", step).is_ok(), may_go_on, "{step}");
            }
            let now = whole(place.path());
            let was_recorded = now.len() > before.len();
            for (before, now) in before.iter().zip(&now) {
                let is_named = before.record.id.as_str() == "named" && was_recorded;
                assert_eq!(now.record.content == Content::Redacted, is_named, "{step}");
                assert!(is_named || now == before, "{step}");
                assert_eq!(now.leaf().unwrap(), before.leaf().unwrap(), "{step}");
            }
            let again = if was_recorded { Outcome::AlreadyRedacted } else { Outcome::Redacted };
            assert_eq!(redact(place.path()).unwrap(), again, "{step}");
            let path = store_in(place.path());
            let left: Vec<_> = with_the_marker(&path)
                .into_iter()
                .filter(|file| !file.starts_with(path.join("sled")))
                .collect();
            assert_eq!(left, [""; 0].map(PathBuf::from), "{step}");
            act("compact", place.path()).unwrap();
            assert_eq!(with_the_marker(&path), [""; 0].map(PathBuf::from), "{step}");
            assert_eq!(whole(place.path()).len(), before.len() + 1);
        }
    }
    scenario.teardown();
}

/// What the tests start, and what ends at a step.
#[test]
#[ignore = "it ends its process"]
fn the_child() {
    let Some(directory) = std::env::var_os(CHILD) else { return };
    let (Ok(what), Ok(step)) = (std::env::var(WHAT), std::env::var(STEP)) else { return };
    let scenario = FailScenario::setup();
    fail::cfg_callback(step, || std::process::abort()).unwrap();
    let _ = act(&what, Path::new(&directory));
    scenario.teardown();
    panic!("the step was never reached");
}
