//! Compaction: records, roots and answers stay, the store gets small, and whatever a kill, damage or a full disk leaves
//! behind, the store that is opened next is whole.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code: a panic is how a test fails")]

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

mod common;

use annals_core::{
    Commit, Compacted, Durability, Error, EventEntry, Hash, Host, Log, Seal, SledLog, SledOptions, Stage,
    Store, StoredRecord, WriteOptions, commitment, pack, scan,
};
use annals_model::{Content, Entry, Event, Op, Record, Seq, Version, Write};
use annals_testkit::TestHost;
use annals_testkit::files::copy_directory;
use common::{append, fill, id, timeline};
use tempfile::TempDir;

/// Text of an event that is erased.
const MARKER: &str = "a-name-that-must-not-be-found";

/// By how much sled's file grows at once.
const SEGMENT: u64 = 512 * 1024;

struct Place {
    directory: TempDir,
}

fn options() -> SledOptions {
    SledOptions { deadline: Duration::from_secs(20), ..SledOptions::default() }
}

impl Place {
    /// A store that grew in many ways: one by one, in batches that begin and end within blocks, with corrections.
    fn new() -> Self {
        let place = Self { directory: tempfile::tempdir().unwrap() };
        let log = SledLog::create(&place.path(""), &SledOptions { durability: Durability::Os, ..options() });
        let (store, host) = (Store::new(log.unwrap()), TestHost::new(1));
        (1..=40).for_each(|number| fill(&store, &host, number, number));
        fill(&store, &host, 41, 1000);
        fill(&store, &host, 1001, 2600);
        let revise = |number: u64| {
            let mut event = Event::new(id(number), "Another title");
            event.description = (number == 77).then(|| MARKER.to_owned());
            Entry::new(timeline(), Write::Revise(Box::new(event)))
        };
        store.write((1..=900).map(revise).collect(), &host, &WriteOptions::by("tester")).unwrap();
        let mut large = Event::new(id(5000), "A large one");
        let mut noise = vec![0; 90_000];
        host.fill_random(&mut noise);
        large.description = Some(annals_core::hex(&noise));
        let large = Entry::new(timeline(), Write::Append(Box::new(large)));
        store.write(vec![large], &host, &WriteOptions::by("tester")).unwrap();
        fill(&store, &host, 5001, 5100);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("store").join(name)
    }

    fn open(&self) -> Store<SledLog> {
        Store::new(SledLog::open(&self.path(""), &options()).unwrap())
    }

    fn compact(&self) -> Result<Compacted, Error> {
        SledLog::compact(&self.path(""), &options(), NonZeroUsize::new(2).unwrap(), &mut |_, _| {})
    }

    /// Another one with the same files.
    fn copy(&self) -> Self {
        let copy = Self { directory: tempfile::tempdir().unwrap() };
        copy_directory(&self.path(""), &copy.path(""));
        copy
    }

    fn sled(&self, change: impl FnOnce(&sled::Db)) {
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

    fn names(&self) -> Vec<String> {
        let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        let mut names: Vec<String> = fs::read_dir(self.path("")).unwrap().map(name).collect();
        names.sort();
        names.retain(|name| name.starts_with("sled"));
        names
    }
}

/// Everything that a log says.
#[derive(Debug, PartialEq)]
struct Told {
    root: Hash,
    records: Vec<StoredRecord>,
    timelines: Vec<(String, Version)>,
    events: BTreeMap<String, EventEntry>,
    blocks: Vec<Option<Hash>>,
}

fn told(store: &Store<SledLog>) -> Told {
    let log = store.log();
    let head = log.head().unwrap();
    let mut records = Vec::new();
    let visit = |record| {
        records.push(record);
        Ok(())
    };
    scan::each(log, Seq(1), head.seq(), visit).unwrap();
    let event = |record: &StoredRecord| {
        let id = &record.record.id;
        (id.as_str().to_owned(), log.event(&record.record.timeline, id).unwrap().unwrap())
    };
    let events = records.iter().map(event).collect();
    let timelines =
        log.timelines().unwrap().into_iter().map(|(name, version)| (name.as_str().to_owned(), version));
    let blocks = (0..=head.seq().0 / 256).map(|index| log.block(index).unwrap()).collect();
    Told { root: head.frontier.root(), timelines: timelines.collect(), events, blocks, records }
}

#[test]
fn nothing_is_told_otherwise_afterwards() {
    let place = Place::new();
    let before = told(&place.open());
    let mut stages = Vec::new();
    let compacted = SledLog::compact(&place.path(""), &options(), NonZeroUsize::MIN, &mut |stage, done| {
        stages.push((stage, done));
    });
    let compacted = compacted.unwrap();
    let end = before.records.len() as u64;
    assert_eq!((compacted.witness.count, compacted.witness.root), (end, before.root));
    assert!(compacted.frames <= compacted.frames_before, "{compacted:?}");
    assert!(compacted.bytes < compacted.bytes_before + SEGMENT, "{compacted:?}");
    assert!(stages.contains(&(Stage::Checking, end)) && stages[0].0 == Stage::Packing);
    assert_eq!(place.names(), ["sled"]);
    let store = place.open();
    assert_eq!(told(&store), before);
    assert_eq!(store.log().durability(), Durability::Os, "what the store promises stays");
    // It goes on, and can be compacted again.
    let host = TestHost::new(2);
    (6000..6300).for_each(|number| fill(&store, &host, number, number));
    let again = store.write(vec![append(1500)], &host, &WriteOptions::by("tester")).unwrap();
    assert_eq!(again[0].seq, Seq(1500));
    assert_eq!(store.verify(None).unwrap().damage, []);
    let before = told(&store);
    drop(store);
    place.compact().unwrap();
    assert_eq!(told(&place.open()), before);
    let again = place.compact().unwrap();
    assert!(again.bytes < again.bytes_before + SEGMENT, "{again:?}");
    assert_eq!(place.open().log().remark(), None);
}

#[test]
fn a_store_that_grew_by_and_by_gets_small() {
    let place = Place { directory: tempfile::tempdir().unwrap() };
    let log = SledLog::create(&place.path(""), &SledOptions { durability: Durability::Os, ..options() });
    let (store, host) = (Store::new(log.unwrap()), TestHost::new(1));
    for batch in 0..500_u64 {
        let event = |number| {
            let mut noise = [0; 100];
            host.fill_random(&mut noise);
            let mut event = Event::new(id(batch * 20 + number), "An event");
            event.description = Some(annals_core::hex(&noise));
            Entry::new(timeline(), Write::Append(Box::new(event)))
        };
        store.write((0..20).map(event).collect(), &host, &WriteOptions::by("tester")).unwrap();
    }
    drop(store);
    let compacted = place.compact().unwrap();
    assert!(compacted.frames * 3 < compacted.frames_before * 2, "{compacted:?}");
    assert!(compacted.bytes * 3 < compacted.bytes_before * 2, "{compacted:?}");
    // A hundred random bytes, a salt and what else a record has: sled adds little to that.
    assert!(compacted.bytes < 10_000 * 160 + 600_000, "{compacted:?}");
}

#[test]
fn an_empty_store_and_a_tiny_one_are_compacted_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    drop(SledLog::create(&path, &options()).unwrap());
    let compact = || SledLog::compact(&path, &options(), NonZeroUsize::MIN, &mut |_, _| {}).unwrap();
    assert_eq!(compact().witness.count, 0);
    let store = Store::new(SledLog::open(&path, &options()).unwrap());
    fill(&store, &TestHost::new(1), 1, 3);
    let root = store.log().head().unwrap().frontier.root();
    drop(store);
    assert_eq!((compact().witness.count, compact().witness.root), (3, root));
}

#[test]
fn nobody_may_have_the_store_open() {
    let place = Place::new();
    let store = place.open();
    let failed = SledLog::compact(
        &place.path(""),
        &SledOptions { patience: Duration::ZERO, ..options() },
        NonZeroUsize::MIN,
        &mut |_, _| {},
    );
    assert!(matches!(failed, Err(Error::Unavailable { .. })));
    drop(store);
    // A follower, which opens the store for a moment, and readers of the tail are not disturbed.
    place.compact().unwrap();
}

/// Directories of sled's files under their names, what they stand for, and how many frames the store has with them.
type State<'a> = (&'a str, &'a [(&'a Place, &'a str)], u64);

/// What stays on the disk where a process is killed between two steps of the exchange.
#[test]
fn an_exchange_that_was_cut_short_is_finished_or_undone() {
    let old = Place::new();
    let before = told(&old.open());
    let new = old.copy();
    new.compact().unwrap();
    let frames = |place: &Place| place.open().verify(None).unwrap().frames;
    let (of_old, of_new) = (frames(&old), frames(&new));
    let states: [State<'_>; 6] = [
        ("the new one is being written", &[(&old, "sled"), (&new, "sled.new")], of_old),
        ("the old one was put aside", &[(&old, "sled.old"), (&new, "sled.new")], of_new),
        ("the new one is in its place", &[(&new, "sled"), (&old, "sled.old")], of_new),
        ("the old one alone", &[(&old, "sled.old")], of_old),
        ("all at once", &[(&new, "sled"), (&old, "sled.old"), (&new, "sled.new")], of_new),
        ("nothing to do", &[(&new, "sled")], of_new),
    ];
    for (what, directories, frames) in states {
        let place = old.copy();
        fs::remove_dir_all(place.path("sled")).unwrap();
        for (from, to) in directories {
            copy_directory(&from.path("sled"), &place.path(to));
        }
        if what == "the new one is being written" {
            // Half of it only, and a torn file.
            fs::write(place.path("sled.new/db"), b"half").unwrap();
            fs::remove_file(place.path("sled.new/conf")).unwrap();
        }
        if what == "the new one is in its place" {
            fs::remove_file(place.path("sled.old/db")).unwrap();
        }
        let store = place.open();
        assert_eq!(store.verify(store.log().witness()).unwrap().frames, frames, "{what}");
        assert_eq!(told(&store), before, "{what}");
        assert_eq!(place.names(), ["sled"], "{what}");
    }
    let place = old.copy();
    fs::remove_dir_all(place.path("sled")).unwrap();
    assert!(matches!(SledLog::open(&place.path(""), &options()), Err(Error::Damaged(_))));
}

#[test]
fn damage_ends_it_and_nothing_is_exchanged() {
    type Harm = fn(&sled::Db);
    let harms: [(&str, Harm); 5] = [
        ("a frame", |db| {
            let frames = db.open_tree("frames").unwrap();
            let (key, mut value) = frames.get_lt(1200_u64.to_be_bytes()).unwrap().unwrap();
            let middle = value.len() / 2;
            value[middle] ^= 1;
            frames.insert(key, value).unwrap();
        }),
        ("a frame that is missing", |db| {
            let frames = db.open_tree("frames").unwrap();
            let (key, _) = frames.get_lt(1200_u64.to_be_bytes()).unwrap().unwrap();
            frames.remove(key).unwrap();
        }),
        ("a block's root", |db| {
            db.open_tree("blocks").unwrap().insert(2_u64.to_be_bytes(), &[7; 32]).unwrap();
        }),
        ("a version", |db| {
            db.open_tree("timelines").unwrap().insert("main", &9_u64.to_be_bytes()).unwrap();
        }),
        ("the last frame", |db| drop(db.open_tree("frames").unwrap().pop_max().unwrap())),
    ];
    for (what, harm) in harms {
        let place = Place::new();
        place.sled(harm);
        let files = |place: &Place| fs::read_dir(place.path("sled")).unwrap().count();
        let before = files(&place);
        let failed = place.compact();
        assert!(matches!(failed, Err(Error::Damaged(_))), "{what}: {failed:?}");
        assert_eq!((place.names(), files(&place)), (vec!["sled".to_owned()], before), "{what}");
        let log = SledLog::open(&place.path(""), &SledOptions { check_head: false, ..options() }).unwrap();
        assert_ne!(Store::new(log).verify(None).unwrap().damage, [], "{what}");
    }
}

#[test]
fn an_index_of_ids_that_is_damaged_is_made_anew() {
    let place = Place::new();
    let before = told(&place.open());
    place.sled(|db| {
        let ids = db.open_tree("ids").unwrap();
        let (key, mut value) = ids.iter().last().unwrap().unwrap();
        value[20] ^= 1;
        ids.insert(key, value).unwrap();
    });
    place.compact().unwrap();
    let store = place.open();
    assert_eq!(told(&store), before);
    assert_eq!(store.log().remark(), None);
    drop(store);
    place.sled(|db| {
        let runs = db.open_tree("ids").unwrap().iter().keys().map(|key| key.unwrap()[3]);
        assert!(runs.eq(std::iter::repeat_n(0, 16)), "one run of sixteen parts");
    });
}

#[test]
fn what_this_program_does_not_know_is_carried_over() {
    let place = Place::new();
    place.sled(|db| {
        let tree = db.open_tree("of another part").unwrap();
        (0..100_u32).for_each(|n| drop(tree.insert(n.to_be_bytes(), vec![7; 300]).unwrap()));
        db.open_tree("meta").unwrap().insert("another", "thing").unwrap();
    });
    place.compact().unwrap();
    place.sled(|db| {
        let tree = db.open_tree("of another part").unwrap();
        assert_eq!((tree.len(), tree.get(99_u32.to_be_bytes()).unwrap().unwrap().len()), (100, 300));
        assert_eq!(db.open_tree("meta").unwrap().get("another").unwrap().unwrap(), "thing");
    });
}

/// Erases a record's content, as FORMAT.md says, and records that.
fn redact(store: &Store<SledLog>, seq: Seq) {
    let log = store.log();
    let frame = scan::frame_of(log, seq).unwrap();
    let (mut encoded, mut erased) = (Vec::new(), None);
    scan::each(log, frame.first(), frame.last(), |mut stored| {
        if stored.record.seq == seq {
            let salt = *stored.salt().unwrap();
            stored.seal = Seal::Commitment(commitment(&salt, &stored.content_json()?));
            stored.record.content = Content::Redacted;
            erased = Some(stored.record.clone());
        }
        encoded.push(stored.encode()?);
        Ok(())
    })
    .unwrap();
    let (mut head, erased) = (log.head().unwrap(), erased.unwrap());
    let entry = log.event(&erased.timeline, &erased.id).unwrap().unwrap();
    let last = head.seq().next();
    let content = Content::Reason("a person in danger".to_owned());
    let record =
        Record { seq: last, op: Op::Redact, content, recorded_at: head.recorded_at.unwrap(), ..erased };
    let redaction = StoredRecord { record, previous: Some(entry.last), seal: Seal::Salt([7; 16]) };
    let mut frames = pack(frame.first(), &encoded).unwrap();
    frames.extend(pack(last, &[redaction.encode().unwrap()]).unwrap());
    let events =
        vec![(timeline(), redaction.record.id.clone(), EventEntry { last, last_op: Op::Redact, ..entry })];
    head.frontier.push(redaction.leaf().unwrap());
    let timelines = vec![(timeline(), Version(last.0))];
    log.commit(&Commit { frames, events, timelines, head, ..Commit::default() }).unwrap();
}

/// Whether any file of the store holds a text, as it stands or in a frame that is still there.
fn holds(place: &Place, text: &[u8]) -> bool {
    let mut directories = vec![place.path("")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if fs::read(&path).unwrap().windows(text.len()).any(|window| window == text) {
                return true;
            }
        }
    }
    false
}

#[test]
fn what_was_redacted_is_gone_from_the_files() {
    let directory = tempfile::tempdir().unwrap();
    let place = Place { directory };
    let store = Store::new(SledLog::create(&place.path(""), &options()).unwrap());
    let host = TestHost::new(1);
    fill(&store, &host, 1, 300);
    // A frame of one short record is stored as it is, not compressed.
    let mut event = Event::new(id(301), "t");
    event.description = Some(MARKER.to_owned());
    let entry = Entry::new(timeline(), Write::Append(Box::new(event)));
    store.write(vec![entry], &host, &WriteOptions::by("tester")).unwrap();
    let salt = *scan::one(store.log(), Seq(301)).unwrap().salt().unwrap();
    fill(&store, &host, 302, 320);
    redact(&store, Seq(301));
    let before = told(&store);
    drop(store);
    assert!(holds(&place, MARKER.as_bytes()) && holds(&place, &salt), "sled keeps what was replaced");
    place.compact().unwrap();
    assert!(!holds(&place, MARKER.as_bytes()) && !holds(&place, &salt));
    assert_eq!(told(&place.open()), before);
    assert_eq!(place.open().verify(None).unwrap().damage, []);
}
