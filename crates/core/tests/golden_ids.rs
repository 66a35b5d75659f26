//! The bytes of the index of ids, held in place: what an import writes, and what a compaction makes of it.
//!
//! `golden/ids.txt` has both manifests, the hash of each part, and one part of each in full, which is read here as
//! FORMAT.md says, without the code. It is written by `ANNALS_UPDATE_GOLDEN=1 cargo test -p annals-core --test
//! golden_ids`; a change of it is a change of the format and needs a new version, not a new file.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code: a panic is how a test fails")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use annals_core::{SledLog, SledOptions, Store, WriteOptions, hex};
use annals_model::{Entry, Event, EventId, RecordedAt, TimelineName, Write};
use annals_testkit::TestHost;
use sha2::{Digest, Sha256};

/// Events, and how many of the first of them are corrected afterwards.
const EVENTS: u64 = 2_100;
const CORRECTED: u64 = 300;

fn event(number: u64, title: &str) -> Box<Event> {
    Box::new(Event::new(EventId::new(format!("e{number}")).unwrap(), title))
}

fn grown(path: &Path) {
    let store = Store::new(SledLog::create(path, &SledOptions::default()).unwrap());
    let host = TestHost::new(7);
    host.set_now(RecordedAt::from_micros(1_700_000_000_000_000));
    let write = |writes: Vec<Write>| {
        let timeline = TimelineName::new("main").unwrap();
        let entries = writes.into_iter().map(|write| Entry::new(timeline.clone(), write)).collect();
        store.write(entries, &host, &WriteOptions::by("tester")).unwrap();
    };
    write((0..EVENTS).map(|number| Write::Append(event(number, "An event"))).collect());
    write((0..CORRECTED).map(|number| Write::Revise(event(number, "A better one"))).collect());
    assert_eq!(store.log().remark(), None);
}

fn open_sled(path: &Path) -> sled::Db {
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

/// The manifest, and the parts by their keys.
fn index(path: &Path) -> (Vec<u8>, BTreeMap<Vec<u8>, Vec<u8>>) {
    let db = open_sled(path);
    let manifest = db.open_tree("meta").unwrap().get("ids").unwrap().unwrap().to_vec();
    let pairs = db.open_tree("ids").unwrap().iter().map(|pair| pair.unwrap());
    (manifest, pairs.map(|(key, value)| (key.to_vec(), value.to_vec())).collect())
}

/// The lines of the golden file about an index.
fn told(name: &str, (manifest, parts): &(Vec<u8>, BTreeMap<Vec<u8>, Vec<u8>>)) -> String {
    let mut lines = format!("{name} manifest {}\n", hex(manifest));
    for (number, (key, part)) in parts.iter().enumerate() {
        let digest: [u8; 32] = Sha256::digest(part).into();
        writeln!(lines, "{name} part {} {} bytes {}", hex(key), part.len(), hex(&digest)).unwrap();
        if number == 1 {
            writeln!(lines, "{name} in full {}", hex(part)).unwrap();
        }
    }
    lines
}

/// Hash, first and last record of each event in the part `number` of 2^bits, as FORMAT.md says.
fn read(part: &[u8], number: u64, bits: u32) -> Vec<(u64, u64, u64)> {
    let little = |bytes: &[u8]| bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
    let (crc, rest) = part.split_at(4);
    assert_eq!(crc, crc32c::crc32c(rest).to_le_bytes());
    let count = usize::try_from(little(&rest[..4])).unwrap();
    let [hash, first, last] = [4, 5, 6].map(|at| usize::from(rest[at]));
    let base = little(&rest[7..15]);
    let mut rest = &rest[15..];
    let mut take = |length: usize| {
        let (own, later) = rest.split_at(length);
        rest = later;
        own
    };
    let (hashes, firsts, marks) = (take(count * hash), take(count * first), take(count.div_ceil(8)));
    let lasts = take(marks.iter().map(|byte| byte.count_ones() as usize).sum::<usize>() * last);
    assert!(rest.is_empty());
    let mut corrected = lasts.chunks(last.max(1)).map(little);
    (0..count)
        .map(|at| {
            let hash = number << (48 - bits) | little(&hashes[at * hash..(at + 1) * hash]);
            let first = base + little(&firsts[at * first..(at + 1) * first]);
            let has_own = marks[at / 8] & 1 << (at % 8) != 0;
            (hash, first, if has_own { first + corrected.next().unwrap() } else { first })
        })
        .collect()
}

/// What the index has to hold, worked out without the engine: hash, first and last record.
fn expected(corrected: u64) -> Vec<(u64, u64, u64)> {
    let entry = |number: u64| {
        let digest: [u8; 32] = Sha256::digest(format!("main\0e{number}")).into();
        let hash = digest.iter().take(6).fold(0, |hash, byte| hash << 8 | u64::from(*byte));
        (hash, number + 1, if number < corrected { EVENTS + number + 1 } else { number + 1 })
    };
    let mut all: Vec<_> = (0..EVENTS).map(entry).collect();
    all.sort_unstable();
    all
}

fn all((_, parts): &(Vec<u8>, BTreeMap<Vec<u8>, Vec<u8>>)) -> Vec<(u64, u64, u64)> {
    assert_eq!(parts.len(), 16, "2,100 events in parts of some 256");
    (0..).zip(parts.values()).flat_map(|(number, part)| read(part, number, 4)).collect()
}

#[test]
fn its_bytes_are_what_they_were_and_what_the_document_says() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    grown(&path);
    let imported = index(&path);
    SledLog::compact(&path, &SledOptions::default(), NonZeroUsize::MIN, &mut |_, _| {}).unwrap();
    let compacted = index(&path);
    // The import's commit wrote a run; what came behind it is known from the frames until there is more of it.
    assert_eq!(all(&imported), expected(0));
    assert_eq!(all(&compacted), expected(CORRECTED));
    let lines = told("imported", &imported) + &told("compacted", &compacted);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/ids.txt");
    if updates() {
        fs::write(&golden, &lines).unwrap();
    }
    assert!(lines == fs::read_to_string(&golden).unwrap(), "ids.txt has changed:\n{lines}");
}

#[expect(clippy::disallowed_methods, reason = "the switch that writes the file anew")]
fn updates() -> bool {
    std::env::var_os("ANNALS_UPDATE_GOLDEN").is_some()
}
