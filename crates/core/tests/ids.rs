//! The index of ids of a log on sled: it answers as a map of all names would, keeps no key for each event, and is
//! built anew when it is not whole.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code: a panic is how a test fails")]

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use annals_core::{Commit, Durability, Error, EventEntry, Log, SledLog, SledOptions, Store, WriteOptions};
use annals_model::{Entry, Event, EventId, Op, Outcome, Seq, TimelineName, Write};
use annals_testkit::TestHost;
use tempfile::TempDir;

fn timeline(n: u64) -> TimelineName {
    TimelineName::new(["main", "main.b", "other"][usize::try_from(n % 3).unwrap()]).unwrap()
}

fn id(n: u64) -> EventId {
    EventId::new(format!("e{n}")).unwrap()
}

fn append(n: u64) -> Entry {
    Entry::new(timeline(n), Write::Append(Box::new(Event::new(id(n), "An event"))))
}

fn revise(n: u64, title: String) -> Entry {
    Entry::new(timeline(n), Write::Revise(Box::new(Event::new(id(n), title))))
}

fn retract(n: u64, reason: String) -> Entry {
    Entry::new(timeline(n), Write::Retract { id: id(n), reason })
}

fn redact(n: u64) -> Entry {
    Entry::new(timeline(n), Write::Redact { id: id(n), reason: "a name".to_owned() })
}

struct Place {
    directory: TempDir,
    host: TestHost,
}

impl Place {
    fn new() -> (Self, Store<SledLog>) {
        let place = Self { directory: tempfile::tempdir().unwrap(), host: TestHost::new(1) };
        let options = SledOptions { durability: Durability::Os, ..SledOptions::default() };
        let store = Store::new(SledLog::create(&place.path(), &options).unwrap());
        (place, store)
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("store")
    }

    fn open(&self) -> Store<SledLog> {
        Store::new(SledLog::open(&self.path(), &SledOptions::default()).unwrap())
    }

    /// As `verify` opens it.
    fn look_at(&self) -> Store<SledLog> {
        let options = SledOptions { check_head: false, ..SledOptions::default() };
        Store::new(SledLog::open(&self.path(), &options).unwrap())
    }

    fn write(&self, store: &Store<SledLog>, entries: Vec<Entry>) {
        store.write(entries, &self.host, &WriteOptions::by("tester")).unwrap();
    }
}

fn sled_of(path: &Path) -> sled::Db {
    for _ in 0..400 {
        match sled::Config::new().path(path.join("sled")).open() {
            Err(error) if error.to_string().contains("could not acquire lock") => {
                std::thread::sleep(Duration::from_millis(5));
            }
            other => return other.unwrap(),
        }
    }
    panic!("sled does not let go of {}", path.display());
}

/// Numbers that look random and are the same in every run.
fn mixed(n: u64) -> u64 {
    let n = (n.wrapping_add(1)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    n ^ (n >> 27)
}

type Model = HashMap<u64, EventEntry>;

/// Writes batches of one to five thousand records up to so many; a fifth of them corrects an earlier event.
fn grow(place: &Place, store: &Store<SledLog>, model: &mut Model, to: u64) {
    let mut seq = store.log().head().unwrap().seq().0;
    let mut next = model.len() as u64;
    while seq < to {
        let size = [1, 1, 3, 40, 700, 5000][usize::try_from(mixed(seq) % 6).unwrap()];
        let mut entries = Vec::new();
        for _ in 0..size {
            seq += 1;
            let chosen = mixed(seq << 20);
            let n = chosen / 5 % next.max(1);
            let is_there = model.get(&n).is_some_and(|entry| entry.last_op != Op::Redact);
            if is_there && chosen.is_multiple_of(5) {
                let entry = model.get_mut(&n).unwrap();
                entry.last = Seq(seq);
                (entry.last_op, ()) = if chosen.is_multiple_of(155) {
                    (Op::Redact, entries.push(redact(n)))
                } else if chosen.is_multiple_of(15) && entry.last_op != Op::Retract {
                    (Op::Retract, entries.push(retract(n, format!("for {seq}"))))
                } else {
                    (Op::Revise, entries.push(revise(n, format!("Version {seq}"))))
                };
            } else {
                entries.push(append(next));
                model.insert(next, EventEntry { first: Seq(seq), last: Seq(seq), last_op: Op::Append });
                next += 1;
            }
        }
        place.write(store, entries);
        assert_eq!(store.log().head().unwrap().seq(), Seq(seq));
    }
}

fn agrees(log: &SledLog, model: &Model) {
    let step = model.len() as u64 / 500 + 1;
    for (n, entry) in model.iter().filter(|(n, _)| *n % step == 0) {
        assert_eq!(log.event(&timeline(*n), &id(*n)).unwrap(), Some(*entry), "e{n}");
        assert_eq!(log.event(&timeline(n + 1), &id(*n)).unwrap(), None, "e{n} of another timeline");
        assert_eq!(log.place(&timeline(*n), &id(*n), entry.last).unwrap(), Some((entry.first, entry.last)));
    }
    let unknown = model.len() as u64;
    assert!((unknown..unknown + 2000).all(|n| log.event(&timeline(n), &id(n)).unwrap().is_none()));
}

fn keys(path: &Path, tree: &str) -> usize {
    sled_of(path).open_tree(tree).unwrap().len()
}

#[test]
fn it_answers_as_a_map_of_all_names_would() {
    let (place, mut store) = Place::new();
    let mut model = Model::new();
    for to in [1, 100, 2_047, 2_048, 2_049, 20_000] {
        grow(&place, &store, &mut model, to);
        agrees(store.log(), &model);
        drop(store);
        store = place.open();
        agrees(store.log(), &model);
        assert_eq!(store.log().remark(), None);
    }
    for name in ["main", "main.b", "other"] {
        let name = TimelineName::new(name).unwrap();
        let entries: HashMap<EventId, EventEntry> = store.log().events(&name).map(Result::unwrap).collect();
        let own = model.iter().filter(|(n, _)| timeline(**n) == name);
        assert_eq!(entries, own.map(|(n, entry)| (id(*n), *entry)).collect());
    }
    let report = store.verify(store.log().witness()).unwrap();
    assert_eq!((report.damage, report.events), (Vec::new(), model.len() as u64));
    // Appending again is recognised, through memory and through runs.
    let again = [0, 1, 500, model.len() as u64 - 1].map(append).to_vec();
    let answers = store.write(again, &place.host, &WriteOptions::by("tester")).unwrap();
    assert!(answers.iter().all(|answer| answer.outcome == Outcome::AlreadyAppended));
    drop(store);
    let keys = keys(&place.path(), "ids");
    assert!(keys * 64 < model.len(), "{keys} keys for {} events", model.len());
}

/// The runs that have parts.
fn runs(path: &Path) -> BTreeSet<u32> {
    let keys = sled_of(path).open_tree("ids").unwrap().iter().keys().map(Result::unwrap);
    keys.map(|key| u32::from_be_bytes(key[..4].try_into().unwrap())).collect()
}

#[test]
fn what_imports_have_scattered_becomes_one_run() {
    let (place, store) = Place::new();
    let mut model = Model::new();
    for to in [5_000, 10_000, 15_000, 20_000, 21_000] {
        grow(&place, &store, &mut model, to);
    }
    drop(store);
    assert!(runs(&place.path()).len() >= 4, "there is something to be put together");
    let store = place.open();
    let end = store.log().head().unwrap();
    store.tidy().unwrap();
    agrees(store.log(), &model);
    assert_eq!(store.log().head().unwrap(), end);
    drop(store);
    let store = place.open();
    agrees(store.log(), &model);
    assert_eq!(store.log().remark(), None);
    let last = |path: &Path| runs(path).last().copied();
    drop(store);
    let united = last(&place.path());
    // What the others have left goes when something else is stored in pieces.
    let staged = SledLog::open(&place.path(), &SledOptions::default()).unwrap();
    let staging = staged.stage().unwrap().unwrap();
    staging.publish(Commit { head: end.clone(), ..Commit::default() }).unwrap();
    drop(staged);
    assert_eq!(runs(&place.path()).into_iter().collect::<Vec<_>>(), [united.unwrap()]);
    let store = place.open();
    agrees(store.log(), &model);
    // Nothing is left to be done, and the next records go behind it.
    store.tidy().unwrap();
    grow(&place, &store, &mut model, 30_000);
    agrees(store.log(), &model);
    let report = store.verify(store.log().witness()).unwrap();
    assert_eq!((report.damage, report.events), (Vec::new(), model.len() as u64));
}

#[test]
fn an_event_that_is_corrected_again_and_again_has_few_entries() {
    let (place, store) = Place::new();
    place.write(&store, vec![append(0), append(1)]);
    for batch in 0..20 {
        place.write(&store, (0..500).map(|n| revise(0, format!("Version {batch}-{n}"))).collect());
    }
    let entry = EventEntry { first: Seq(1), last: Seq(10_002), last_op: Op::Revise };
    assert_eq!(store.log().event(&timeline(0), &id(0)).unwrap(), Some(entry));
    drop(store);
    let keys = keys(&place.path(), "ids");
    assert!(keys < 8, "{keys} parts of runs");
    let store = place.open();
    assert_eq!(store.log().event(&timeline(0), &id(0)).unwrap(), Some(entry));
    assert_eq!(store.history(&timeline(1), &id(1)).unwrap().len(), 1);
}

/// Changes the index in sled's trees.
type Harm = fn(&sled::Db);

fn meta(db: &sled::Db) -> sled::Tree {
    db.open_tree("meta").unwrap()
}

#[test]
fn an_index_that_is_not_whole_is_built_anew() {
    let harms: [(Harm, &str); 6] = [
        (|db| drop(meta(db).remove("ids").unwrap()), "no manifest"),
        (|db| drop(meta(db).insert("ids", b"what").unwrap()), "an unreadable manifest"),
        (|db| db.open_tree("ids").unwrap().clear().unwrap(), "no runs"),
        (
            |db| {
                let tree = db.open_tree("ids").unwrap();
                for pair in &tree {
                    let (key, mut value) = pair.unwrap();
                    value[30] ^= 1;
                    tree.insert(key, value).unwrap();
                }
            },
            "damaged runs",
        ),
        (
            |db| {
                // As if it had been built from a longer log.
                let mut value = meta(db).get("ids").unwrap().unwrap().to_vec();
                value[1..9].copy_from_slice(&1_000_000_u64.to_be_bytes());
                let end = value.len() - 4;
                let crc = crc32c::crc32c(&value[..end]).to_be_bytes();
                value[end..].copy_from_slice(&crc);
                meta(db).insert("ids", value).unwrap();
            },
            "a manifest that is ahead",
        ),
        (
            |db| {
                // As if it had been built from another log of this length.
                let mut value = meta(db).get("ids").unwrap().unwrap().to_vec();
                value[9] ^= 1;
                let end = value.len() - 4;
                let crc = crc32c::crc32c(&value[..end]).to_be_bytes();
                value[end..].copy_from_slice(&crc);
                meta(db).insert("ids", value).unwrap();
            },
            "a manifest with another root",
        ),
    ];
    for (harm, what) in harms {
        let (place, store) = Place::new();
        let entries = |from: u64, to: u64| (from..to).map(append).collect::<Vec<_>>();
        place.write(&store, entries(0, 2_500));
        place.write(&store, entries(2_500, 5_000));
        drop(store);
        let db = sled_of(&place.path());
        harm(&db);
        db.flush().unwrap();
        drop(db);
        // Who only looks changes nothing, and says so.
        let store = place.look_at();
        let damage = store.verify(store.log().witness()).unwrap().damage;
        assert_eq!(damage.len(), 1, "{what}: {damage:?}");
        assert!(damage[0].what.contains("the index of ids is missing or damaged"), "{what}: {damage:?}");
        drop(store);
        let store = place.open();
        let again = store.write(entries(0, 5_001), &place.host, &WriteOptions::by("tester")).unwrap();
        let appended = again.iter().filter(|answer| answer.outcome == Outcome::Appended).count();
        assert_eq!(appended, 1, "{what}");
        assert!(store.log().remark().is_some_and(|remark| remark.contains("built anew")), "{what}");
        assert_eq!(store.verify(None).unwrap().damage, [], "{what}");
        drop(store);
        let store = place.open();
        assert_eq!(store.log().event(&timeline(3), &id(3)).unwrap().unwrap().first, Seq(4));
        assert_eq!((store.log().remark(), store.log().head().unwrap().seq()), (None, Seq(5_001)));
    }
}

/// An older index is gone on with: what it does not know yet is read from the log.
#[test]
fn an_older_index_is_gone_on_with() {
    let (place, store) = Place::new();
    place.write(&store, (0..3_000).map(append).collect());
    drop(store);
    let db = sled_of(&place.path());
    let old = meta(&db).get("ids").unwrap().unwrap();
    drop(db);
    let store = place.open();
    place.write(&store, (3_000..6_000).map(append).collect());
    drop(store);
    let db = sled_of(&place.path());
    meta(&db).insert("ids", old).unwrap();
    db.flush().unwrap();
    drop(db);
    let store = place.open();
    let model: Model = (0..6_000)
        .map(|n| (n, EventEntry { first: Seq(n + 1), last: Seq(n + 1), last_op: Op::Append }))
        .collect();
    agrees(store.log(), &model);
    assert_eq!(store.log().remark(), None);
}

/// Without the records there is no index, and nobody guesses.
#[test]
fn an_index_is_not_built_from_a_damaged_log() {
    let (place, store) = Place::new();
    place.write(&store, (0..5_000).map(append).collect());
    drop(store);
    let db = sled_of(&place.path());
    meta(&db).remove("ids").unwrap();
    db.open_tree("frames").unwrap().remove(513_u64.to_be_bytes()).unwrap();
    db.flush().unwrap();
    drop(db);
    let store = place.open();
    let failed = store.write(vec![append(9_999)], &place.host, &WriteOptions::by("tester")).unwrap_err();
    assert!(matches!(failed.error, Error::Damaged(_)), "{failed}");
    assert_eq!(store.log().head().unwrap().seq(), Seq(5_000));
}
