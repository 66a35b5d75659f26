//! Damage to the files of a store on sled: what is in its trees, its head file, its `db` file at every kind of
//! place, its blobs. Whatever is done to them, a store opens with exactly the log that was written, or says that
//! it is damaged; it never panics, hangs, or gives a shorter log.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code: a panic is how a test fails")]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

mod common;

use annals_core::{
    Error, Hash, Host, Log, Report, Result, SledLog, SledOptions, Store, StoredRecord, WriteOptions, hex,
    scan,
};
use annals_model::{Entry, Event, Seq, Write};
use annals_testkit::TestHost;
use annals_testkit::files::copy_directory;
use common::{append, fill, id, timeline};
use tempfile::TempDir;

/// How many records [`closed`] holds.
const END: u64 = 712;

/// All records, or why they cannot be read.
fn records(log: &impl Log) -> Result<Vec<StoredRecord>> {
    let mut all = Vec::new();
    scan::each(log, Seq(1), log.head()?.seq(), |record| {
        all.push(record);
        Ok(())
    })?;
    Ok(all)
}

/// The records that a report names.
fn named(report: &Report) -> BTreeSet<u64> {
    report.damage.iter().filter_map(|damage| damage.records).flat_map(|(a, b)| a.0..=b.0).collect()
}

fn says(report: &Report, what: &str) -> bool {
    report.damage.iter().any(|damage| damage.to_string().contains(what))
}

/// A closed store, to be damaged.
struct Closed {
    directory: TempDir,
}

fn options() -> SledOptions {
    SledOptions { deadline: Duration::from_secs(5), ..SledOptions::default() }
}

impl Closed {
    fn new(fill: impl FnOnce(&Store<SledLog>)) -> Self {
        let closed = Self { directory: tempfile::tempdir().unwrap() };
        let store = Store::new(SledLog::create(&closed.path(""), &options()).unwrap());
        fill(&store);
        assert_eq!(store.verify(None).unwrap().damage, []);
        closed
    }

    /// The path of one of the store's files.
    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("store").join(name)
    }

    fn copy(&self) -> Self {
        let copy = Self { directory: tempfile::tempdir().unwrap() };
        copy_directory(&self.path(""), &copy.path(""));
        copy
    }

    /// Changes what stands in sled's trees.
    fn alter(&self, change: impl FnOnce(&sled::Db)) {
        for _ in 0..400 {
            match sled::Config::new().path(self.path("sled")).open() {
                // sled lets go of its files a moment after the last handle to them is gone.
                Err(error) if error.to_string().contains("could not acquire lock") => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                db => {
                    let db = db.unwrap();
                    change(&db);
                    db.flush().unwrap();
                    return;
                }
            }
        }
        panic!("sled does not let go of the store");
    }

    fn open(&self) -> Result<Store<SledLog>> {
        SledLog::open(&self.path(""), &options()).map(Store::new)
    }

    /// As `annals verify` does: what is wrong is reported and not refused.
    fn verify(&self) -> Report {
        let options = SledOptions { check_head: false, ..options() };
        let log = SledLog::open(&self.path(""), &options).unwrap();
        let witness = log.witness();
        Store::new(log).verify(witness).unwrap()
    }
}

fn closed() -> Closed {
    Closed::new(|store| {
        let host = TestHost::new(1);
        for (first, last) in [(1, 1), (2, 11), (12, 711), (712, 712)] {
            fill(store, &host, first, last);
        }
    })
}

fn is_damaged<T>(result: &Result<T>) -> bool {
    matches!(result, Err(Error::Damaged(_)))
}

/// The one promise about damage: a store that opens gives every record as it was written, or an error that says
/// it is damaged. Gives whether anything was found.
fn found_or_harmless(closed: &Closed, expected: &[StoredRecord], what: &str) -> bool {
    let read = closed.open().and_then(|store| {
        let all = records(store.log())?;
        assert!(all == expected, "{what}: {} records of {}", all.len(), expected.len());
        store.verify(store.log().witness())
    });
    match read {
        Ok(report) => !report.damage.is_empty(),
        Err(Error::Damaged(_)) => true,
        Err(other) => panic!("{what}: {other:?}"),
    }
}

/// A change to sled's trees, and the records that a report has to name for it.
type Alteration = (fn(&sled::Db), Vec<u64>, &'static str);

#[test]
fn what_stands_wrong_in_the_trees_is_named() {
    let alterations: Vec<Alteration> = vec![
        (
            |db| drop(db.open_tree("frames").unwrap().remove(257_u64.to_be_bytes()).unwrap()),
            (257..=512).collect(),
            "missing from the log",
        ),
        (
            |db| drop(db.open_tree("frames").unwrap().remove(712_u64.to_be_bytes()).unwrap()),
            vec![712],
            "missing: the head file has seen them",
        ),
        (
            |db| {
                let frames = db.open_tree("frames").unwrap();
                let mut value = frames.get(712_u64.to_be_bytes()).unwrap().unwrap().to_vec();
                assert_eq!(value[0], 0x80, "the last frame carries the log's end");
                value[30] ^= 1;
                frames.insert(712_u64.to_be_bytes(), value).unwrap();
            },
            vec![712],
            "missing: the head file has seen them",
        ),
        (
            |db| {
                let frames = db.open_tree("frames").unwrap();
                let mut frame = frames.get(513_u64.to_be_bytes()).unwrap().unwrap().to_vec();
                frame[77] ^= 1;
                frames.insert(513_u64.to_be_bytes(), frame).unwrap();
            },
            (513..=711).collect(),
            "record 513: its frame fails its checksum",
        ),
        (
            |db| {
                let frames = db.open_tree("frames").unwrap();
                let frame = |seq: u64| frames.get(seq.to_be_bytes()).unwrap().unwrap();
                let (one, other) = (frame(1), frame(712));
                frames.insert(1_u64.to_be_bytes(), other).unwrap();
                frames.insert(712_u64.to_be_bytes(), one).unwrap();
            },
            (1..=256).chain([712]).collect(),
            "stands in another frame's place",
        ),
        (
            |db| {
                let blocks = db.open_tree("blocks").unwrap();
                blocks.insert(0_u64.to_be_bytes(), &[9; 32]).unwrap();
            },
            (1..=256).collect(),
            "the stored root of their block is another",
        ),
        (
            |db| drop(db.open_tree("blocks").unwrap().remove(1_u64.to_be_bytes()).unwrap()),
            (257..=512).collect(),
            "the stored root of their block is another",
        ),
    ];
    for (change, records, what) in alterations {
        let closed = closed();
        closed.alter(change);
        let report = closed.verify();
        assert_eq!(named(&report), records.into_iter().collect(), "{what}: {:?}", report.damage);
        assert!(says(&report, what), "{what}: {:?}", report.damage);
    }
}

#[test]
fn a_version_that_is_missing_is_named() {
    // The last frame carries the version of its timeline, but for a commit that completes a block.
    let closed = Closed::new(|store| fill(store, &TestHost::new(1), 1, 512));
    closed.alter(|db| drop(db.open_tree("timelines").unwrap().remove(b"main").unwrap()));
    let report = closed.verify();
    assert!(says(&report, "timeline main has no version"), "{:?}", report.damage);
}

#[test]
fn a_head_that_cannot_be_read_is_damage() {
    let whole = closed();
    for length in [0, 1, 20] {
        let closed = whole.copy();
        closed.alter(|db| {
            db.open_tree("meta").unwrap().insert("head", vec![1; length]).unwrap();
        });
        assert!(is_damaged(&closed.open()), "a head of {length} bytes");
    }
    let closed = whole.copy();
    closed.alter(|db| drop(db.open_tree("meta").unwrap().remove("head").unwrap()));
    assert!(is_damaged(&closed.open()), "no head");
    for byte in [1, 4, 5, 20, 100] {
        let closed = whole.copy();
        closed.alter(|db| {
            let frames = db.open_tree("frames").unwrap();
            let mut value = frames.get(712_u64.to_be_bytes()).unwrap().unwrap().to_vec();
            value[byte] ^= 0x40;
            frames.insert(712_u64.to_be_bytes(), value).unwrap();
        });
        assert!(is_damaged(&closed.open()), "byte {byte} of the end that the last frame carries");
    }
}

/// The bytes of a head file that has seen so many records and this root.
fn head_file(count: u64, root: &Hash) -> Vec<u8> {
    let mut slot = b"ANNHEAD1".to_vec();
    slot.extend(count.to_be_bytes());
    slot.extend(root);
    slot.extend(crc32c::crc32c(&slot).to_be_bytes());
    slot.resize(128, 0);
    slot
}

#[test]
fn the_log_is_held_against_the_head_file() {
    let whole = closed();
    let store = whole.open().unwrap();
    let root_at = |count: u64| scan::root_at(store.log(), Seq(count)).unwrap();
    let opened = |count: u64, root: &Hash| {
        let closed = whole.copy();
        fs::write(closed.path("head"), head_file(count, root)).unwrap();
        let report = closed.verify();
        let error = closed.open().map(|store| records(store.log()).unwrap().len() as u64);
        (error.map_err(|error| error.to_string()), report)
    };
    for lagging in [0, 1, 256, 300, 512, 711, END] {
        let (opened, report) = opened(lagging, &root_at(lagging));
        assert_eq!(opened, Ok(END), "a head file that lags at {lagging} is in order");
        assert_eq!(report.damage, []);
    }
    let (ahead, report) = opened(END + 3, &[1; 32]);
    let text = "records 713 to 715: missing: the log ends at record 712, the head file has seen 715";
    assert_eq!(ahead, Err(text.to_owned()));
    assert_eq!(named(&report), (713..=715).collect());
    for count in [1, 300, 512, END] {
        let (other, report) = opened(count, &[1; 32]);
        let text = "they are not the records that the head file has seen";
        assert!(other.unwrap_err().ends_with(text));
        assert_eq!(named(&report), (1..=count).collect());
    }
}

#[test]
fn an_older_store_under_its_newer_head_file_is_damaged() {
    let older = Closed::new(|store| fill(store, &TestHost::new(1), 1, 10));
    let newer = older.copy();
    fill(&newer.open().unwrap(), &TestHost::new(2), 11, 20);
    assert_eq!(newer.verify().damage, []);
    fs::copy(newer.path("head"), older.path("head")).unwrap();
    let Err(Error::Damaged(damage)) = older.open() else { panic!("the log is too short") };
    assert_eq!(damage.records, Some((Seq(11), Seq(20))));
    assert_eq!(named(&older.verify()), (11..=20).collect());
}

/// Stores as they lie on a disk: a few short records, the same once it was opened again and has a snapshot, and
/// one of several of sled's segments.
fn stores_to_break() -> [Closed; 3] {
    let small = Closed::new(|store| (1..=20).for_each(|n| fill(store, &TestHost::new(n), n, n)));
    let opened = small.copy();
    drop(opened.open().unwrap());
    [small, opened, Closed::new(|store| fill_long(store, 80, 10_000))]
}

/// What the store's `db` file holds, how much of it is in use, and the store's records.
fn content(whole: &Closed) -> (Vec<u8>, usize, Vec<StoredRecord>) {
    let db = fs::read(whole.path("sled/db")).unwrap();
    let used = db.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    (db, used, records(whole.copy().open().unwrap().log()).unwrap())
}

#[test]
fn a_cut_file_is_found_or_does_no_harm() {
    for whole in stores_to_break() {
        let (db, used, expected) = content(&whole);
        let lengths = (0..used).step_by(used / 30).chain([used - 1, used, used + 1, db.len() + 4096]);
        let found = lengths.filter(|length| {
            let closed = whole.copy();
            let file = File::options().write(true).open(closed.path("sled/db")).unwrap();
            file.set_len(*length as u64).unwrap();
            found_or_harmless(&closed, &expected, &format!("cut at {length} of {used}"))
        });
        // What lies behind the cut may be no longer needed, but not often.
        assert!(found.count() > 20);
    }
}

#[test]
fn a_flipped_bit_is_found_or_does_no_harm() {
    for whole in stores_to_break() {
        let (db, used, expected) = content(&whole);
        let found = (0..used).step_by(used / 30).filter(|place| {
            let closed = whole.copy();
            let mut db = db.clone();
            db[*place] ^= 0x08;
            fs::write(closed.path("sled/db"), db).unwrap();
            found_or_harmless(&closed, &expected, &format!("a bit of byte {place} of {used}"))
        });
        // Most of the large store is pages that were written anew since.
        assert!(found.count() > 5);
    }
}

#[test]
fn another_file_in_place_of_the_log_is_a_damaged_store() {
    let whole = closed();
    let length = fs::read(whole.path("sled/db")).unwrap().len();
    let mut noise = vec![0; length];
    TestHost::new(3).fill_random(&mut noise);
    let files = [Vec::new(), b"gibberish".to_vec(), vec![0; length], vec![0xA5; length], noise];
    for file in files {
        let closed = whole.copy();
        fs::write(closed.path("sled/db"), &file).unwrap();
        let Err(Error::Damaged(damage)) = closed.open() else { panic!("{} bytes", file.len()) };
        assert_eq!(damage.records, Some((Seq(1), Seq(END))));
    }
    let closed = whole.copy();
    fs::remove_file(closed.path("sled/db")).unwrap();
    assert!(is_damaged(&closed.open()));
}

#[test]
fn a_snapshot_that_was_never_finished_is_no_hindrance() {
    let whole = closed();
    for content in [&b""[..], b"half a snapshot", &[0xFF; 5000]] {
        let closed = whole.copy();
        let left_over = closed.path("sled/snap.00000000000004D2.generating");
        fs::write(&left_over, content).unwrap();
        assert_eq!(closed.open().unwrap().log().head().unwrap().seq(), Seq(END));
        assert!(!left_over.exists());
        assert_eq!(closed.verify().damage, []);
    }
}

/// A text of twice so many characters that cannot be compressed.
fn noise(number: u64, bytes: usize) -> String {
    let mut noise = vec![0; bytes];
    TestHost::new(number).fill_random(&mut noise);
    hex(&noise)
}

/// Writes long events, one by one.
fn fill_long(store: &Store<SledLog>, events: u64, bytes: usize) {
    let host = TestHost::new(1);
    for number in 1..=events {
        let event =
            Event { description: Some(noise(number, bytes)), ..Event::new(id(number), "A long event") };
        let entry = Entry::new(timeline(), Write::Append(Box::new(event)));
        store.write(vec![entry], &host, &WriteOptions::by("tester")).unwrap();
    }
}

/// A store whose events are so large that sled has put pages into files of their own.
fn with_blobs() -> (Closed, Vec<PathBuf>) {
    let closed = Closed::new(|store| fill_long(store, 30, 90_000));
    let mut blobs: Vec<_> =
        fs::read_dir(closed.path("sled/blobs")).unwrap().map(|blob| blob.unwrap().file_name()).collect();
    blobs.sort();
    (closed, blobs.into_iter().map(|name| Path::new("sled/blobs").join(name)).collect())
}

#[test]
fn large_events_come_back_from_files_of_their_own() {
    let (closed, blobs) = with_blobs();
    assert!(!blobs.is_empty());
    let store = closed.open().unwrap();
    let all = records(store.log()).unwrap();
    assert_eq!(all.len(), 30);
    for (stored, number) in all.iter().zip(1..) {
        let event = stored.record.content.event().unwrap();
        assert!(event.description.as_ref() == Some(&noise(number, 90_000)), "event {number}");
    }
    assert_eq!(store.verify(store.log().witness()).unwrap().damage, []);
}

#[test]
fn a_damaged_or_lost_blob_is_found_or_does_no_harm() {
    let (whole, blobs) = with_blobs();
    let expected = records(whole.copy().open().unwrap().log()).unwrap();
    let mut found = 0;
    for blob in &blobs {
        let bytes = fs::read(whole.path("").join(blob)).unwrap();
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 1;
        let damaged = [Some(flipped), Some(bytes[..1000].to_vec()), Some(Vec::new()), None];
        for (kind, damaged) in damaged.into_iter().enumerate() {
            let closed = whole.copy();
            let path = closed.path("").join(blob);
            match damaged {
                Some(bytes) => fs::write(path, bytes).unwrap(),
                None => fs::remove_file(path).unwrap(),
            }
            let what = format!("{}, damage {kind}", blob.display());
            found += usize::from(found_or_harmless(&closed, &expected, &what));
        }
    }
    assert!(found >= blobs.len(), "found {found} times");
}

/// The directory of blobs is taken away, so that it cannot be synced.
#[test]
fn after_a_failed_sync_nothing_is_written_until_the_store_is_opened_again() {
    let closed = Closed::new(|store| fill(store, &TestHost::new(1), 1, 10));
    let store = closed.open().unwrap();
    let host = TestHost::new(2);
    let blobs = closed.path("sled/blobs");
    fs::remove_dir(&blobs).unwrap();
    let refused = |number| {
        let failed = store.write(vec![append(number)], &host, &WriteOptions::by("tester")).unwrap_err();
        assert!(matches!(failed.error, Error::Unavailable { .. }), "{failed:?}");
        failed.to_string()
    };
    assert_eq!(refused(11), "cannot sync the log");
    fs::create_dir(&blobs).unwrap();
    assert!(refused(12).starts_with("the store refuses to write"), "mended, and still not trusted");
    assert!(scan::one(store.log(), Seq(10)).is_ok(), "reading goes on");
    drop(store);
    let store = closed.open().unwrap();
    let end = store.log().head().unwrap().seq();
    assert!(end == Seq(10) || end == Seq(11), "the write that failed is there whole or not at all");
    assert_eq!(store.verify(store.log().witness()).unwrap().damage, []);
    fill(&store, &host, 12, 12);
    assert_eq!(store.log().head().unwrap().seq(), end.next());
}
