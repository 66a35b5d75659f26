//! Backups and restores, and what others do meanwhile: erase what is being copied, or restore to the same place.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code: a panic is how a test fails")]

use std::cell::Cell;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

mod common;

use annals_core::backup::{Backup, Source};
use annals_core::{Error, Log, Result, SledLog, SledOptions, Store, WriteOptions};
use annals_model::{Entry, Event, EventId, Seq, Source as Cited, Write};
use annals_testkit::TestHost;
use common::{fill, timeline};

const WORKERS: NonZeroUsize = NonZeroUsize::new(2).unwrap();

fn options() -> SledOptions {
    SledOptions { patience: Duration::ZERO, ..SledOptions::default() }
}

fn write(store: &Store<SledLog>, host: &TestHost, write: Write) {
    store.write(vec![Entry::new(timeline(), write)], host, &WriteOptions::by("tester")).unwrap();
}

/// A store in which an event is redacted right before a certain turn of a backup.
struct Redacting<'a> {
    store: &'a Store<SledLog>,
    host: &'a TestHost,
    turns: Cell<u32>,
    at: u32,
}

impl Source for Redacting<'_> {
    fn path(&self) -> &Path {
        self.store.log().path()
    }

    fn turn(&self, visit: &mut dyn FnMut(&SledLog) -> Result<()>) -> Result<()> {
        self.turns.set(self.turns.get() + 1);
        if self.turns.get() == self.at {
            let id = EventId::new("secret").unwrap();
            write(self.store, self.host, Write::Redact { id, reason: "asked for".to_owned() });
        }
        visit(self.store.log())
    }
}

/// A store of some hundred events, one of which is to be redacted and names a file of evidence.
fn with_secret(path: &Path, host: &TestHost) -> Store<SledLog> {
    let store = Store::new(SledLog::create(path, &options()).unwrap());
    fill(&store, host, 1, 300);
    let kept = store.log().attachments().add(&mut &b"what the witness wrote"[..]).unwrap();
    let mut event = Event::new(EventId::new("secret").unwrap(), "A name");
    let archived = Some("attachment:letter.txt".to_owned());
    event.sources = vec![Cited { archived, sha256: Some(kept.sha256), ..Cited::default() }];
    write(&store, host, Write::Append(Box::new(event)));
    fill(&store, host, 302, 310);
    store
}

/// Whenever it comes, what is restored is a log that nothing is missing from, before the redaction or behind it.
#[test]
fn what_is_erased_while_a_backup_is_made_is_missed_by_nobody() {
    let mut redacted = 0;
    for at in 1..8 {
        let directory = tempfile::tempdir().unwrap();
        let host = TestHost::new(u64::from(at));
        let store = with_secret(&directory.path().join("store"), &host);
        let backup = Backup::at(directory.path().join("backup"));
        let source = Redacting { store: &store, host: &host, turns: Cell::new(0), at };
        let held = backup.update(&source, "a test", WORKERS, |_| {}).unwrap().held;
        let again = directory.path().join("again");
        backup.restore(&again, &options(), false, WORKERS, |_| {}).unwrap();
        let restored = Store::new(SledLog::open(&again, &options()).unwrap());
        let report = restored.verify(restored.log().witness()).unwrap();
        assert_eq!(report.damage, [], "redacted before turn {at}");
        let kept = restored.log().attachments().check(report.attachments).unwrap();
        assert_eq!(kept.damage, [], "redacted before turn {at}");
        assert!([Seq(310), Seq(311)].contains(&held.records));
        redacted += u64::from(held.records == Seq(311));
        assert_eq!(kept.kept, 311 - held.records.0, "the evidence goes with the event");
    }
    assert!((2..7).contains(&redacted), "{redacted} of 7 backups were made over a redaction");
}

#[test]
fn two_restores_to_one_place_do_not_meet() {
    let directory = tempfile::tempdir().unwrap();
    let host = TestHost::new(1);
    let store = with_secret(&directory.path().join("store"), &host);
    let backup = Backup::at(directory.path().join("backup"));
    backup.update(store.log(), "a test", WORKERS, |_| {}).unwrap();
    let again = directory.path().join("again");
    let restore = || backup.restore(&again, &options(), false, WORKERS, |_| {});
    // Somebody else is at it: what they have made so far stays.
    let theirs = directory.path().join("again.restoring");
    fs::create_dir(&theirs).unwrap();
    let lock = fs::File::create(theirs.join("lock")).unwrap();
    lock.lock().unwrap();
    fs::write(theirs.join("half"), "made").unwrap();
    let refused = restore().unwrap_err();
    assert!(
        matches!(refused, Error::Unavailable { .. }) && refused.to_string().contains("in use"),
        "{refused}"
    );
    assert!(theirs.join("half").exists() && !again.exists());
    // They were killed.
    drop(lock);
    restore().unwrap();
    assert!(!theirs.exists());
    let restored = SledLog::open(&again, &options()).unwrap();
    assert_eq!(restored.head().unwrap(), store.log().head().unwrap());
}

#[test]
fn what_stands_in_an_empty_store_is_moved_aside_and_not_thrown_away() {
    let directory = tempfile::tempdir().unwrap();
    let host = TestHost::new(1);
    let store = with_secret(&directory.path().join("store"), &host);
    let backup = Backup::at(directory.path().join("backup"));
    backup.update(store.log(), "a test", WORKERS, |_| {}).unwrap();
    let empty = directory.path().join("empty");
    let log = SledLog::create(&empty, &options()).unwrap();
    let kept = log.attachments().add(&mut &b"nobody has named it yet"[..]).unwrap();
    drop(log);
    let restored = backup.restore(&empty, &options(), false, WORKERS, |_| {}).unwrap();
    let aside = SledLog::open(&restored.aside.unwrap(), &options()).unwrap();
    assert_eq!(aside.attachments().bytes(&kept.sha256).unwrap(), Some(23));
    // One in which nothing was ever put makes room.
    let bare = directory.path().join("bare");
    drop(SledLog::create(&bare, &options()).unwrap());
    assert_eq!(backup.restore(&bare, &options(), false, WORKERS, |_| {}).unwrap().aside, None);
}

/// Files that the newer backup does not need go while the older one is read: that is no damage.
#[test]
fn a_backup_that_is_brought_up_to_date_while_it_is_read_is_not_called_damaged() {
    let directory = tempfile::tempdir().unwrap();
    let host = TestHost::new(1);
    let store = Store::new(SledLog::create(&directory.path().join("store"), &options()).unwrap());
    let backup = Backup::at(directory.path().join("backup"));
    let mut end = 0;
    let mut grow = |records: u64| {
        fill(&store, &host, end + 1, end + records);
        end += records;
        backup.update(store.log(), "a test", WORKERS, |_| {}).unwrap();
    };
    // Segments that get smaller and smaller are not taken together.
    let parts = [600, 280, 130, 60, 28, 13, 6];
    parts.into_iter().for_each(&mut grow);
    assert_eq!(fs::read_dir(backup.path().join("log")).unwrap().count(), parts.len());
    let mut is_first = true;
    let held = backup.verify(NonZeroUsize::MIN, |_| {
        if std::mem::take(&mut is_first) {
            grow(2500);
        }
    });
    assert_eq!(held.unwrap().records, Seq(1117 + 2500));
    // A restore says it, and leaves nothing.
    [1700, 800, 380].into_iter().for_each(&mut grow);
    let again = directory.path().join("again");
    let mut is_first = true;
    let refused = backup.restore(&again, &options(), false, NonZeroUsize::MIN, |_| {
        if std::mem::take(&mut is_first) {
            grow(7000);
        }
    });
    let refused = refused.unwrap_err();
    assert!(refused.to_string().contains("was brought up to date meanwhile"), "{refused}");
    assert!(!again.exists() && !directory.path().join("again.restoring").exists());
}
