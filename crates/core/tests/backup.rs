//! Backups: what was copied is what was there, whatever happened meanwhile; the copy is checked and never half new.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code: a panic is how a test fails")]

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

mod common;

use annals_core::backup::{Backup, ByTurns, Updated};
use annals_core::{Error, Log, SledLog, SledOptions, Store, WriteOptions, scan};
use annals_model::Seq;
use annals_testkit::TestHost;
use annals_testkit::generate::sessions;
use common::{append, fill};
use proptest::prelude::*;
use tempfile::TempDir;

const WORKERS: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// A store and a backup, in one directory.
struct Place {
    directory: TempDir,
    host: TestHost,
}

impl Place {
    fn new() -> Self {
        let place = Self { directory: tempfile::tempdir().unwrap(), host: TestHost::new(3) };
        SledLog::create(&place.store(), &SledOptions::default()).unwrap();
        place
    }

    fn store(&self) -> PathBuf {
        self.directory.path().join("store")
    }

    fn open(&self) -> Store<SledLog> {
        Store::new(SledLog::open(&self.store(), &SledOptions::default()).unwrap())
    }

    fn backup(&self) -> Backup {
        Backup::at(self.directory.path().join("backup"))
    }

    fn update(&self) -> Updated {
        let source = ByTurns { path: self.store(), options: SledOptions::default() };
        self.backup().update(&source, "a test", WORKERS, |_| {}).unwrap()
    }

    fn restored(&self, name: &str) -> Store<SledLog> {
        let path = self.directory.path().join(name);
        self.backup().restore(&path, &SledOptions::default(), false, WORKERS, |_| {}).unwrap();
        Store::new(SledLog::open(&path, &SledOptions::default()).unwrap())
    }
}

/// Both logs hold the same, and all that is derived from it.
fn same(one: &Store<SledLog>, other: &Store<SledLog>) {
    assert_eq!(one.log().head().unwrap(), other.log().head().unwrap());
    assert_eq!(one.log().timelines().unwrap(), other.log().timelines().unwrap());
    let end = one.log().head().unwrap().seq();
    let records = |store: &Store<SledLog>| {
        let mut records = Vec::new();
        scan::each(store.log(), Seq(1), end, |stored| {
            let place = store.log().place(&stored.record.timeline, &stored.record.id, stored.record.seq);
            records.push((place.unwrap(), stored));
            Ok(())
        })
        .unwrap();
        records
    };
    assert_eq!(records(one), records(other));
    assert_eq!(other.verify(other.log().witness()).unwrap().damage, []);
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_that_is_restored_is_the_one_that_was_backed_up(
        session in sessions(60),
        often in 1_usize..6,
    ) {
        let place = Place::new();
        for (index, batch) in session.batches.iter().enumerate() {
            batch.write(&place.open(), &place.host);
            if index % often == 0 {
                let head = place.open().log().head().unwrap();
                let updated = place.update();
                prop_assert_eq!((updated.held.records, updated.held.root), (head.seq(), head.frontier.root()));
                prop_assert_eq!(place.update().written, 0);
            }
        }
        place.update();
        same(&place.open(), &place.restored("again"));
        // As many segments as there are powers of two, and not as many as there were backups.
        let segments = files(&place.backup().path().join("log")).len();
        let records = place.open().log().head().unwrap().seq().0;
        prop_assert!(segments as u64 <= u64::from(records.ilog2()) + 2, "{segments} segments for {records} records");
    }
}

#[test]
fn writers_go_on_while_a_backup_is_made() {
    let place = Place::new();
    let store = place.open();
    fill(&store, &place.host, 1, 700);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 700;
            while !over.load(Ordering::SeqCst) || number < 1100 {
                number += 1;
                store.write(vec![append(number)], &place.host, &WriteOptions::by("tester")).unwrap();
            }
        });
        for _ in 0..4 {
            let before = store.log().head().unwrap().seq();
            let held = place.backup().update(store.log(), "a test", WORKERS, |_| {}).unwrap().held;
            assert!(held.records >= before);
            assert_eq!(scan::root_at(store.log(), held.records).unwrap(), held.root);
        }
        over.store(true, Ordering::SeqCst);
    });
    place.backup().update(store.log(), "a test", WORKERS, |_| {}).unwrap();
    same(&store, &place.restored("again"));
}

#[test]
fn every_altered_byte_of_a_backup_is_noticed() {
    let place = Place::new();
    fill(&place.open(), &place.host, 1, 300);
    place.update();
    fill(&place.open(), &place.host, 301, 310);
    place.open().log().attachments().add(&mut &b"evidence"[..]).unwrap();
    place.update();
    let backup = place.backup();
    let whole = backup.verify(WORKERS, |_| {}).unwrap();
    let (mut looked_at, mut harmless) = (0, 0);
    for file in files(backup.path()) {
        let bytes = fs::read(&file).unwrap();
        let step = (bytes.len() / 60).max(1);
        for at in (0..bytes.len()).step_by(step) {
            let mut altered = bytes.clone();
            altered[at] ^= 1 << (at % 8);
            let _ = fs::remove_file(&file);
            fs::write(&file, &altered).unwrap();
            looked_at += 1;
            match backup.verify(WORKERS, |_| {}) {
                Err(Error::Damaged(_) | Error::Unavailable { .. }) => {}
                Err(other) => panic!("{}: {other}", file.display()),
                // White space of the manifest, the number of the generation, and the lock say nothing of the log.
                Ok(held) => {
                    assert_eq!(held, whole, "{} byte {at}", file.display());
                    harmless += 1;
                }
            }
        }
        let _ = fs::remove_file(&file);
        for length in [0, 1, bytes.len() / 2, bytes.len().saturating_sub(1)] {
            fs::write(&file, &bytes[..length]).unwrap();
            // The manifest's last line break says nothing, and neither does the lock.
            let is_harmless = backup.verify(WORKERS, |_| {}).is_ok_and(|held| held == whole);
            let may_be = file.ends_with("lock") || file.ends_with("manifest") && length + 1 == bytes.len();
            assert!(may_be || !is_harmless, "{}: {length}", file.display());
        }
        fs::write(&file, &bytes).unwrap();
    }
    assert!(looked_at > 200 && harmless < looked_at / 4, "{harmless} of {looked_at}");
    assert_eq!(backup.verify(WORKERS, |_| {}).unwrap(), whole);
}

#[test]
fn what_a_kill_leaves_behind_is_no_part_of_the_backup() {
    let place = Place::new();
    fill(&place.open(), &place.host, 1, 20);
    // Killed before its first file was in its place.
    fs::create_dir(place.backup().path()).unwrap();
    fs::write(place.backup().path().join("backup.new"), "annals ba").unwrap();
    // Killed before it was ever finished.
    place.update();
    fs::remove_file(place.backup().path().join("manifest")).unwrap();
    assert!(place.backup().verify(WORKERS, |_| {}).unwrap_err().to_string().contains("was never finished"));
    assert_eq!(place.update().new, 20);
    // Killed while it was brought up to date.
    let left = ["log/2-21.frames", "snapshots/2-x.json", "attachments/half", "manifest.new"];
    for name in left {
        fs::write(place.backup().path().join(name), "half").unwrap();
    }
    assert_eq!(place.backup().verify(WORKERS, |_| {}).unwrap().records, Seq(20));
    fill(&place.open(), &place.host, 21, 30);
    assert_eq!(place.update().held.records, Seq(30));
    assert!(!place.backup().path().join("attachments/half").exists());
    assert!(!place.backup().path().join("snapshots/2-x.json").exists());
    same(&place.open(), &place.restored("again"));
}

#[test]
fn the_backup_of_another_log_is_not_touched() {
    let (place, other) = (Place::new(), Place::new());
    fill(&place.open(), &place.host, 1, 20);
    place.update();
    let before: Vec<_> = files(place.backup().path()).iter().map(|file| fs::read(file).unwrap()).collect();
    for (records, what) in [(10, "has 20 records, the store 10"), (30, "is of another log")] {
        fill(&other.open(), &other.host, if records == 10 { 1 } else { 11 }, records);
        let store = other.open();
        let refused = place.backup().update(store.log(), "a test", WORKERS, |_| {}).unwrap_err();
        assert!(refused.to_string().contains(what), "{refused}");
    }
    let after: Vec<_> = files(place.backup().path()).iter().map(|file| fs::read(file).unwrap()).collect();
    assert_eq!(before.len(), after.len());
    // Only the lock says who came last.
    assert_eq!(before.iter().filter(|bytes| !after.contains(bytes)).count(), 0);
}

#[test]
fn a_backup_has_a_directory_of_its_own() {
    let place = Place::new();
    fill(&place.open(), &place.host, 1, 3);
    let store = place.open();
    let within = Backup::at(place.store().join("backup"));
    let refused = within.update(store.log(), "a test", WORKERS, |_| {}).unwrap_err();
    assert!(refused.to_string().contains("is within the store"), "{refused}");
    let occupied = place.directory.path().join("occupied");
    fs::create_dir(&occupied).unwrap();
    fs::write(occupied.join("thesis.txt"), "mine").unwrap();
    let refused = Backup::at(occupied.clone()).update(store.log(), "a test", WORKERS, |_| {}).unwrap_err();
    assert!(refused.to_string().contains("there is something else"), "{refused}");
    assert_eq!(files(&occupied), [occupied.join("thesis.txt")]);
}

#[test]
fn a_store_with_records_is_moved_aside_and_only_when_asked() {
    let place = Place::new();
    fill(&place.open(), &place.host, 1, 5);
    place.update();
    fill(&place.open(), &place.host, 6, 9);
    let options = SledOptions { patience: std::time::Duration::ZERO, ..SledOptions::default() };
    let restore = |force| place.backup().restore(&place.store(), &options, force, WORKERS, |_| {});
    let refused = restore(false).unwrap_err();
    assert!(refused.to_string().contains("holds 9 records"), "{refused}");
    {
        // Nor while somebody has it open.
        let _open = place.open();
        assert!(restore(true).is_err());
    }
    let aside = restore(true).unwrap().aside.unwrap();
    assert_eq!(place.open().log().head().unwrap().seq(), Seq(5));
    let old = SledLog::open(&aside, &SledOptions::default()).unwrap();
    assert_eq!(old.head().unwrap().seq(), Seq(9));
    // An empty store makes room unasked.
    fs::remove_dir_all(place.store()).unwrap();
    SledLog::create(&place.store(), &SledOptions::default()).unwrap();
    assert_eq!(restore(false).unwrap().aside, None);
    assert_eq!(place.open().log().head().unwrap().seq(), Seq(5));
}

#[test]
fn a_damaged_store_is_healed_by_its_backup() {
    let place = Place::new();
    fill(&place.open(), &place.host, 1, 400);
    let head = place.open().log().head().unwrap();
    place.update();
    let db = place.store().join("sled/db");
    let mut bytes = fs::read(&db).unwrap();
    for byte in bytes.iter_mut().skip(200).step_by(911) {
        *byte ^= 0x55;
    }
    fs::write(&db, bytes).unwrap();
    let is_damaged = match SledLog::open(&place.store(), &SledOptions::default()) {
        Err(Error::Damaged(_)) => true,
        Err(other) => panic!("{other}"),
        Ok(log) => {
            let store = Store::new(log);
            let witness = store.log().witness();
            !store.verify(witness).unwrap().damage.is_empty()
        }
    };
    assert!(is_damaged);
    // What is damaged is no source for the backup, which stays as it was.
    let source = ByTurns { path: place.store(), options: SledOptions::default() };
    let outcome = place.backup().update(&source, "a test", WORKERS, |_| {});
    assert!(outcome.is_err() || outcome.unwrap().held.root == head.frontier.root());
    assert_eq!(place.backup().verify(WORKERS, |_| {}).unwrap().root, head.frontier.root());
    let restored =
        place.backup().restore(&place.store(), &SledOptions::default(), true, WORKERS, |_| {}).unwrap();
    assert!(restored.aside.is_some());
    let store = place.open();
    assert_eq!(store.log().head().unwrap(), head);
    assert_eq!(store.verify(store.log().witness()).unwrap().damage, []);
}
