//! The bytes of format version 1, held in place.
//!
//! A fixed session is written with a fixed clock and fixed randomness; what comes of it must be, byte for byte,
//! what is checked in under `golden/`, and the checked-in bytes must read as the session. `session.jsonl` is
//! written by hand, with a blank line between batches; everything else there is made from it by
//! `ANNALS_UPDATE_GOLDEN=1 cargo test -p annals-core --test golden` (and checked by a run without it, after).
//! A change of any of those files is a change of the format: it needs a new version, not new files.
//!
//! What zstd makes of a frame may differ between its versions, so compressed frames are held in place by what
//! they decompress to; the checked-in ones must be readable for ever.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code: a panic is how a test fails")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use annals_core::{
    Commit, Encoded, EventEntry, Frame, Frontier, Hash, Head, Host, Log, Resume, Salt, Seal, SledLog,
    SledOptions, Store, StoredFrame, StoredRecord, WriteOptions, commitment, content_json, hex, leaf_hash,
    node_hash, pack, record_leaf, scan,
};
use annals_model::line::{Line, record_line};
use annals_model::{
    Content, Entry, Event, EventId, Op, Record, RecordedAt, Seq, TimelineName, Version, Write,
};
use annals_testkit::{MemoryLog, TestHost};
use sha2::{Digest, Sha256};

const SEED: u64 = 0x0A22_A115;
const AUTHOR: &str = "zoë";
/// The timeline of the records that are only there to fill a block; the files list none of them.
const FILLER: &str = "filler";
const FILLERS: usize = 300;

/// The batches of the session. Before the last one stands one that fills up the first block of 256 records.
fn session() -> Vec<Vec<Entry>> {
    let text = fs::read_to_string(path("session.jsonl")).unwrap();
    let entry = |line: &str| {
        let line = Line::parse(line).unwrap_or_else(|e| panic!("{e}\n{line}"));
        line.into_entry(&timeline("unused"), || panic!("the session has an id for every event"))
    };
    let batch = |text: &str| text.lines().map(entry).collect();
    let mut batches: Vec<Vec<Entry>> = text.trim_end().split("\n\n").map(batch).collect();
    batches.insert(batches.len() - 1, (0..FILLERS).map(filler).collect());
    batches
}

fn filler(number: usize) -> Entry {
    let event = Event::new(id(&format!("f{number:03}")), "A filler");
    Entry::new(timeline(FILLER), Write::Append(Box::new(event)))
}

/// What the log has to hold after the session, worked out without the engine.
fn expected() -> Vec<StoredRecord> {
    let host = TestHost::new(SEED);
    let mut records: Vec<StoredRecord> = Vec::new();
    for batch in session() {
        let recorded_at = host.now();
        for Entry { timeline, write, .. } in batch {
            let mut salt = [0; 16];
            host.fill_random(&mut salt);
            let of_event = |r: &&StoredRecord| r.record.timeline == timeline && r.record.id == *write.id();
            let previous = records.iter().rfind(of_event).map(|stored| stored.record.seq);
            let id = write.id().clone();
            let (op, content) = match write {
                Write::Append(event) => (Op::Append, Content::Event(event)),
                Write::Revise(event) => (Op::Revise, Content::Event(event)),
                Write::Retract { reason, .. } => (Op::Retract, Content::Reason(reason)),
                Write::Redact { .. } | Write::Erased { .. } => panic!("the session redacts nothing"),
            };
            let (seq, recorded_by) = (Seq(records.len() as u64 + 1), AUTHOR.to_owned());
            let record = Record { seq, recorded_at, recorded_by, timeline, id, op, content };
            records.push(StoredRecord { record, previous, seal: Seal::Salt(salt) });
        }
    }
    records
}

fn written<L: Log>(log: L) -> Store<L> {
    let (store, host) = (Store::new(log), TestHost::new(SEED));
    for batch in session() {
        store.write(batch, &host, &WriteOptions::by(AUTHOR)).unwrap();
    }
    store
}

/// A log that notes the frames of each commit, which sealing later packs anew.
#[derive(Default)]
struct Noting {
    log: MemoryLog,
    frames: Mutex<Vec<StoredFrame>>,
}

impl Log for Noting {
    fn head(&self) -> annals_core::Result<Head> {
        self.log.head()
    }

    fn commit(&self, commit: &Commit) -> annals_core::Result<()> {
        self.frames.lock().unwrap().extend(commit.frames.iter().cloned());
        self.log.commit(commit)
    }

    fn frames(&self, from: Seq) -> Box<dyn Iterator<Item = annals_core::Result<StoredFrame>> + '_> {
        self.log.frames(from)
    }

    fn event(&self, timeline: &TimelineName, id: &EventId) -> annals_core::Result<Option<EventEntry>> {
        self.log.event(timeline, id)
    }

    fn events(
        &self,
        timeline: &TimelineName,
    ) -> Box<dyn Iterator<Item = annals_core::Result<(EventId, EventEntry)>> + '_> {
        self.log.events(timeline)
    }

    fn version(&self, timeline: &TimelineName) -> annals_core::Result<Version> {
        self.log.version(timeline)
    }

    fn timelines(&self) -> annals_core::Result<Vec<(TimelineName, Version)>> {
        self.log.timelines()
    }

    fn block(&self, index: u64) -> annals_core::Result<Option<Hash>> {
        self.log.block(index)
    }
}

#[test]
fn the_records_are_those_of_the_session() {
    let expected = expected();
    assert!(expected.len() > 256 + 10);
    let store = written(MemoryLog::default());
    assert_eq!(records(store.log()), expected);
    let listed = expected.iter().filter(|stored| is_listed(stored));
    let lines = listed.map(|stored| record_line(&stored.record, stored.salt()).unwrap() + "\n");
    check("records.jsonl", &lines.collect::<String>());
}

#[test]
fn frames_are_byte_for_byte_as_they_were() {
    let store = written(Noting::default());
    let frames = store.log().frames.lock().unwrap().clone();
    if updates() {
        let mut lines = String::new();
        for (first, bytes) in &frames {
            writeln!(lines, "{first} {}", hex(bytes)).unwrap();
        }
        check("frames.txt", &lines);
    }
    let golden = golden_frames();
    assert_eq!(golden.len(), frames.len());
    for ((golden_first, golden), (first, bytes)) in golden.iter().zip(&frames) {
        assert_eq!(golden_first, first);
        let (old, new) = (Taken::apart(golden), Taken::apart(bytes));
        if old.codec == 0 {
            assert_eq!(hex(golden), hex(bytes), "plain frame {first}");
        } else {
            assert_eq!(old, new, "compressed frame {first}");
        }
    }
    // There is something of every kind to compare.
    let kinds: Vec<(u8, u16)> =
        golden.iter().map(|(_, b)| Taken::apart(b)).map(|t| (t.codec, t.count)).collect();
    assert_eq!(kinds, [(0, 1), (0, 2), (0, 1), (0, 1), (1, 8), (1, 243), (1, 57), (0, 1)]);
}

#[test]
fn old_frames_read_as_the_session() {
    let golden = golden_frames();
    let mut records = Vec::new();
    for (first, bytes) in &golden {
        let frame = Frame::decode(*first, bytes).unwrap();
        assert_eq!(frame.first(), *first);
        records.extend(frame.records().map(|raw| StoredRecord::decode(&raw.unwrap()).unwrap()));
        assert_eq!(records.last().unwrap().record.seq, frame.last());
    }
    assert_eq!(records, expected());
}

/// What is in the frame, by `FORMAT.md` and not by the code that writes it.
#[derive(Debug, PartialEq, Eq)]
struct Taken {
    codec: u8,
    first: u64,
    count: u16,
    sections: Vec<Vec<u8>>,
}

impl Taken {
    fn apart(frame: &[u8]) -> Self {
        assert_eq!(frame[0], 1, "the version");
        let stored_crc = u32::from_le_bytes(frame[36..40].try_into().unwrap());
        let covered = [&frame[..36], &frame[40..]].concat();
        assert_eq!(crc32c::crc32c(&covered), stored_crc);
        let mut rest = &frame[40..];
        let mut sections = Vec::new();
        for lengths in frame[12..36].chunks_exact(8) {
            let stored = u32::from_le_bytes(lengths[..4].try_into().unwrap()) as usize;
            let plain = u32::from_le_bytes(lengths[4..].try_into().unwrap()) as usize;
            let section = match frame[1] {
                0 => rest[..stored].to_vec(),
                1 => zstd::decode_all(&rest[..stored]).unwrap(),
                codec => panic!("codec {codec}"),
            };
            assert_eq!(section.len(), plain);
            sections.push(section);
            rest = &rest[stored..];
        }
        assert!(rest.is_empty());
        Self {
            codec: frame[1],
            first: u64::from_be_bytes(frame[2..10].try_into().unwrap()),
            count: u16::from_le_bytes(frame[10..12].try_into().unwrap()),
            sections,
        }
    }
}

/// The first frame, byte by byte, against `FORMAT.md`: a bincode decoder written down as a test.
#[test]
fn the_first_frame_is_what_the_document_says() {
    let (_, frame) = golden_frames().remove(0);
    let taken = Taken::apart(&frame);
    assert_eq!((taken.codec, taken.first, taken.count), (0, 1, 1));
    let [heads, claims, details] = taken.sections.try_into().unwrap();
    let mut head = Reader(&heads);
    assert_eq!(head.take(2), u16::try_from(heads.len() - 6).unwrap().to_le_bytes());
    assert_eq!(head.take(2), [1, 1], "operation and schema version");
    // A signed number is zigzagged; 253 says that eight bytes follow.
    let micros: u64 = 1_704_067_200_000_000;
    assert_eq!(head.take(9), [&[253][..], &(micros * 2).to_le_bytes()].concat());
    assert_eq!(head.take(1), [0], "no record before");
    assert_eq!(head.text(), "haiti");
    assert_eq!(head.text(), "e1");
    assert_eq!(head.text(), "zoë");
    assert_eq!(head.take(1), [0], "a salt");
    assert_eq!(head.take(16), expected()[0].salt().unwrap());
    // Lengths below 251 are one byte.
    assert_eq!(head.take(2), [claims.len(), details.len()].map(|length| u8::try_from(length).unwrap()));
    let covered = [&heads[2..heads.len() - 4], &claims, &details].concat();
    assert_eq!(head.take(4), crc32c::crc32c(&covered).to_le_bytes());
    assert!(head.0.is_empty());

    let mut claims = Reader(&claims);
    assert_eq!((claims.take(1), claims.text()), (&[1][..], "2004-06"));
    assert_eq!(claims.take(2), [1, 0], "one effect, at the start");
    assert_eq!((claims.text(), claims.text()), ("m", "n"));
    assert_eq!(claims.take(4), [0, 1, 2, 0], "set, a number, the digit 1, none of them behind the point");
    assert!(claims.0.is_empty());

    let mut details = Reader(&details);
    assert_eq!(details.text(), "T");
    for text in ["k", "D"] {
        assert_eq!((details.take(1), details.text()), (&[1][..], text));
    }
    assert_eq!(details.take(1), [2], "actors");
    assert_eq!((details.text(), details.take(1), details.text()), ("UN", &[1][..], "r"));
    assert_eq!((details.text(), details.take(1)), ("A", &[0][..]));
    assert_eq!((details.take(1), details.text()), (&[1][..], "P"));
    // 18.5 and -72.25: digits zigzagged, as two bytes, and the places.
    assert_eq!(details.take(5), [1, 251, 0x72, 0x01, 1]);
    assert_eq!(details.take(5), [1, 251, 0x71, 0x38, 2]);
    assert_eq!((details.take(1), details.text()), (&[1][..], "city"));
    assert_eq!((details.take(1), details.text()), (&[1][..], "t"));
    assert_eq!(details.take(1), [1], "sources");
    let sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    for text in ["S", "u", "2004", "q", "p", "a", sha256] {
        assert_eq!((details.take(1), details.text()), (&[1][..], text));
    }
    assert_eq!(details.take(2), [1, 80], "the confidence");
    assert_eq!((details.take(1), details.text(), details.text()), (&[1][..], "follows", "e0"));
    assert_eq!((details.take(1), details.text()), (&[1][..], r#"{"x":[1.50,null,{"y":"z"}]}"#));
    assert!(details.0.is_empty());
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes
    }

    fn text(&mut self) -> &'a str {
        let length = usize::from(self.take(1)[0]);
        std::str::from_utf8(self.take(length)).unwrap()
    }
}

#[test]
fn leaves_and_roots_are_as_they_were() {
    let mut frontier = Frontier::default();
    let mut lines = format!("0 - - {}\n", hex(&frontier.root()));
    for stored in expected() {
        let content = content_json(&stored.record.content).unwrap().unwrap();
        let commitment = commitment(stored.salt().unwrap(), &content);
        let leaf = stored.leaf().unwrap();
        assert_eq!(leaf, record_leaf(&stored.record, &commitment));
        let block = frontier.push(leaf);
        assert_eq!(block.is_some(), stored.record.seq == Seq(256));
        if is_listed(&stored) || block.is_some() {
            let (seq, root) = (stored.record.seq, hex(&frontier.root()));
            writeln!(lines, "{seq} {} {} {root}", hex(&commitment), hex(&leaf)).unwrap();
        }
    }
    check("leaves.txt", &lines);
    let store = written(MemoryLog::default());
    assert_eq!(store.log().head().unwrap().frontier, frontier);
    for line in lines.lines() {
        let (seq, root) = (line.split(' ').next().unwrap(), line.rsplit(' ').next().unwrap());
        let seq = Seq(seq.parse().unwrap());
        assert_eq!(hex(&scan::root_at(store.log(), seq).unwrap()), root);
    }
}

/// Commitment, leaf and root from the lines of `records.jsonl` with nothing but a hash function, as somebody
/// does who was given an exported log and `FORMAT.md`.
#[test]
fn an_exported_record_can_be_checked_with_a_hash_function_alone() {
    let records = fs::read_to_string(path("records.jsonl")).unwrap();
    let leaves = fs::read_to_string(path("leaves.txt")).unwrap();
    let sha256 = |pieces: &[&[u8]]| <Hash>::from(Sha256::digest(pieces.concat()));
    let mut by_hand = Vec::new();
    for line in records.lines() {
        let fields: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| fields[name].as_str().unwrap();
        let salt = unhex(text("salt"));
        assert_eq!(salt.len(), 16);
        // The content is the line without the record's fields, which all stand before it.
        let (_, content) = line.split_once(&format!("\"salt\":\"{}\",", text("salt"))).unwrap();
        let content = match content.split_once("\"reason\":") {
            Some((_, reason)) => format!("{{\"reason\":{reason}"),
            None => format!("{{{content}"),
        };
        let commitment = sha256(&[b"annals-commitment-1\0", &salt, content.as_bytes()]);
        let op = match text("op") {
            "append" => 1,
            "revise" => 2,
            "retract" => 3,
            op => panic!("{op}"),
        };
        let recorded_at: RecordedAt = text("recorded_at").parse().unwrap();
        let mut data = vec![1, op, 1];
        data.extend(fields["seq"].as_u64().unwrap().to_be_bytes());
        data.extend(recorded_at.micros().to_be_bytes());
        for name in ["timeline", "id", "recorded_by"] {
            data.extend(u32::try_from(text(name).len()).unwrap().to_be_bytes());
            data.extend(text(name).as_bytes());
        }
        data.extend(commitment);
        let leaf = sha256(&[&[0], &data]);
        assert_eq!(leaf, leaf_hash(&data));
        by_hand.push((fields["seq"].to_string(), hex(&commitment), hex(&leaf), leaf));
    }
    for (seq, commitment, leaf, _) in &by_hand {
        let expected = format!("\n{seq} {commitment} {leaf} ");
        assert!(leaves.contains(&expected), "record {seq}:\n{expected}\nis not in\n{leaves}");
    }
    // The root over the first three: RFC 6962, section 2.1.
    let leaf = |seq: usize| by_hand[seq - 1].3;
    let pair = sha256(&[&[1], &leaf(1), &leaf(2)]);
    let root = sha256(&[&[1], &pair, &leaf(3)]);
    assert_eq!(root, node_hash(&node_hash(&leaf(1), &leaf(2)), &leaf(3)));
    let line = leaves.lines().find(|line| line.starts_with("3 ")).unwrap();
    assert!(line.ends_with(&hex(&root)));
}

/// Keys and values of every tree, the head file, and the end that the last frame carries.
#[test]
fn the_files_hold_what_they_held() {
    let directory = tempfile::tempdir().unwrap();
    let store_path = directory.path().join("store");
    let store = written(SledLog::create(&store_path, &SledOptions::default()).unwrap());
    assert_eq!(store.verify(None).unwrap().damage, []);
    drop(store);
    assert_eq!(fs::read_to_string(store_path.join("format")).unwrap(), "annals store 3\n");
    let mut lines = format!("head-file - {}\n", hex(&fs::read(store_path.join("head")).unwrap()));
    let mut frames = Vec::new();
    let db = open_sled(&store_path.join("sled"));
    let mut trees: Vec<String> =
        db.tree_names().iter().map(|name| String::from_utf8(name.to_vec()).unwrap()).collect();
    trees.sort();
    assert_eq!(trees, ["__sled__default", "blocks", "frames", "ids", "meta", "timelines"]);
    for tree in ["blocks", "frames", "ids", "meta", "timelines"] {
        for entry in &db.open_tree(tree).unwrap() {
            let (key, value) = entry.unwrap();
            if tree == "frames" {
                frames.push(u64::from_be_bytes(key[..].try_into().unwrap()));
                if value[0] == 0x80 {
                    let length = u32::from_be_bytes(value[1..5].try_into().unwrap()) as usize;
                    let (carried, frame) = value.split_at(1 + 4 + length + 4);
                    assert_eq!(frame, golden_frames().last().unwrap().1);
                    writeln!(lines, "carried {} {}", hex(&key), hex(carried)).unwrap();
                }
                continue;
            }
            writeln!(lines, "{tree} {} {}", hex(&key), hex(&value)).unwrap();
        }
    }
    let golden = fs::read_to_string(path("trees-3.txt")).unwrap();
    assert!(lines == golden, "trees-3.txt has changed:\n{lines}");
    // What was checked in for the formats before says the same: where the log ends, and each timeline.
    let before = fs::read_to_string(path("trees.txt")).unwrap();
    let head = before.lines().find_map(|line| line.strip_prefix("meta 68656164 ")).unwrap();
    let carried = lines.lines().find(|line| line.starts_with("carried ")).unwrap();
    assert!(carried.contains(head), "the frame carries the head that was in `meta`");
    assert_eq!(frames, [1, 257, 314], "the first block is sealed");
}

/// A store as it was written before there was sealing: by the golden files, and not by the code.
#[test]
fn a_store_from_before_sealing_is_read_and_written_on() {
    let directory = tempfile::tempdir().unwrap();
    let store_path = directory.path().join("store");
    old_store(&store_path);
    let log = SledLog::open(&store_path, &SledOptions::default()).unwrap();
    assert_eq!(log.frames(Seq(1)).collect::<Result<Vec<_>, _>>().unwrap(), golden_frames());
    assert_eq!(records(&log), expected());
    let store = Store::new(log);
    assert_eq!(store.verify(store.log().witness()).unwrap().damage, []);
    // The session again writes nothing, and what is new goes behind it.
    let host = TestHost::new(1);
    for batch in session() {
        let mut resume = Resume::default();
        store.import(batch, &host, &WriteOptions::by(AUTHOR), &mut resume).unwrap();
    }
    assert_eq!(records(store.log()), expected());
    assert_eq!(
        fs::read_to_string(store_path.join("format")).unwrap(),
        "annals store 1\n",
        "only read so far"
    );
    let more = (FILLERS..FILLERS + 300).map(filler).collect();
    store.write(more, &host, &WriteOptions::by(AUTHOR)).unwrap();
    drop(store);
    assert_eq!(fs::read_to_string(store_path.join("format")).unwrap(), "annals store 3\n");
    let db = open_sled(&store_path.join("sled"));
    assert!(
        !db.tree_names().iter().any(|name| &**name == b"events"),
        "it has no key for each event any more"
    );
    drop(db);
    let store = Store::new(SledLog::open(&store_path, &SledOptions::default()).unwrap());
    assert_eq!(store.verify(store.log().witness()).unwrap().damage, []);
    assert_eq!(records(store.log())[..expected().len()], expected());
}

/// Puts an old store together.
fn old_store(store_path: &Path) {
    drop(SledLog::create(store_path, &SledOptions::default()).unwrap());
    fs::write(store_path.join("format"), "annals store 1\n").unwrap();
    let db = open_sled(&store_path.join("sled"));
    for (first, frame) in golden_frames() {
        db.open_tree("frames").unwrap().insert(first.0.to_be_bytes(), frame).unwrap();
    }
    for stored in expected().iter().filter(|stored| !is_listed(stored)) {
        let seq = stored.record.seq.0.to_be_bytes();
        let key = [FILLER.as_bytes(), &[0], stored.record.id.as_str().as_bytes()].concat();
        db.open_tree("events").unwrap().insert(key, [&seq[..], &seq[..], &[1]].concat()).unwrap();
    }
    for line in fs::read_to_string(path("trees.txt")).unwrap().lines() {
        let [tree, key, value] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        if tree == "head-file" {
            fs::write(store_path.join("head"), unhex(value)).unwrap();
        } else {
            db.open_tree(tree).unwrap().insert(unhex(key), unhex(value)).unwrap();
        }
    }
    db.flush().unwrap();
}

/// A redaction as a store writes it: what stands before it and behind it, and the leaves, which stay.
#[test]
fn a_redaction_is_written_as_it_was() {
    let (store, host) = (Store::new(MemoryLog::default()), TestHost::new(SEED));
    let event = |title: &str| Box::new(Event::new(id("e1"), title));
    let named = |reason: &str| (id("e1"), reason.to_owned());
    let write = |write| {
        store.write(vec![Entry::new(timeline("haiti"), write)], &host, &WriteOptions::by(AUTHOR)).unwrap();
        let mut lines = String::new();
        for (first, frame) in store.log().frames(Seq(1)).map(Result::unwrap) {
            writeln!(lines, "frame {first} {}", hex(&frame)).unwrap();
        }
        for stored in records(store.log()) {
            writeln!(lines, "leaf {} {}", stored.record.seq, hex(&stored.leaf().unwrap())).unwrap();
        }
        lines
    };
    write(Write::Append(event("A name")));
    write(Write::Revise(event("Another name")));
    let (id, reason) = named("A third name");
    let before = write(Write::Retract { id, reason });
    let (id, reason) = named("asked for");
    let after = write(Write::Redact { id, reason });
    let leaves =
        |text: &str| text.lines().filter(|line| line.starts_with("leaf")).map(str::to_owned).collect();
    let (old, new): (Vec<String>, Vec<String>) = (leaves(&before), leaves(&after));
    assert_eq!(old, new[..3]);
    check("redaction.txt", &format!("before\n{before}after\n{after}"));
}

/// A redaction, and what it leaves of a record before it, at positions of another width.
#[test]
fn redactions_are_as_they_were() {
    let record = |seq, op, content| Record {
        seq: Seq(seq),
        recorded_at: RecordedAt::from_micros(-1),
        recorded_by: AUTHOR.to_owned(),
        timeline: timeline("haiti"),
        id: id("e1"),
        op,
        content,
    };
    let erased = [0xAB; 32];
    let records = [
        StoredRecord {
            record: record(u64::from(u32::MAX), Op::Append, Content::Redacted),
            previous: None,
            seal: Seal::Commitment(erased),
        },
        StoredRecord {
            record: record(u64::from(u32::MAX) + 1, Op::Redact, Content::Reason("a name".to_owned())),
            previous: Some(Seq(u64::from(u32::MAX))),
            seal: Seal::Salt([0xCD; 16]),
        },
    ];
    let encoded: Vec<Encoded> = records.iter().map(|record| record.encode().unwrap()).collect();
    let first = records[0].record.seq;
    let frames = pack(first, &encoded).unwrap();
    let mut lines = String::new();
    for (first, frame) in &frames {
        writeln!(lines, "frame {first} {}", hex(frame)).unwrap();
    }
    for stored in &records {
        writeln!(lines, "leaf {} {}", stored.record.seq, hex(&stored.leaf().unwrap())).unwrap();
    }
    check("redacted.txt", &lines);
    let frame = Frame::decode(first, &frames[0].1).unwrap();
    let again: Vec<StoredRecord> =
        frame.records().map(|raw| StoredRecord::decode(&raw.unwrap()).unwrap()).collect();
    assert_eq!(again, records);
    // The commitment that was kept is the one that the leaf is made of: its root stands.
    assert_eq!(again[0].leaf().unwrap(), record_leaf(&records[0].record, &erased));
    let salt: &Salt = again[1].salt().unwrap();
    let reason = commitment(salt, br#"{"reason":"a name"}"#);
    assert_eq!(again[1].leaf().unwrap(), record_leaf(&records[1].record, &reason));
}

fn is_listed(stored: &StoredRecord) -> bool {
    stored.record.timeline.as_str() != FILLER
}

fn records(log: &impl Log) -> Vec<StoredRecord> {
    let mut all = Vec::new();
    let visit = |record| {
        all.push(record);
        Ok(())
    };
    scan::each(log, Seq(1), log.head().unwrap().seq(), visit).unwrap();
    all
}

fn golden_frames() -> Vec<(Seq, Vec<u8>)> {
    let frames = fs::read_to_string(path("frames.txt")).unwrap();
    let frame = |line: &str| {
        let (first, bytes) = line.split_once(' ').unwrap();
        (Seq(first.parse().unwrap()), unhex(bytes))
    };
    frames.lines().map(frame).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks_exact(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

#[expect(clippy::disallowed_methods, reason = "the switch that writes the files anew")]
fn updates() -> bool {
    std::env::var_os("ANNALS_UPDATE_GOLDEN").is_some()
}

/// Compares with a checked-in file, or writes it.
fn check(name: &str, actual: &str) {
    if updates() {
        fs::write(path(name), actual).unwrap();
    }
    let expected = fs::read_to_string(path(name)).unwrap();
    assert!(actual == expected, "{name} has changed:\n{actual}\nwas:\n{expected}");
}

/// sled lets go of its files a moment after the last handle to them is gone.
fn open_sled(path: &Path) -> sled::Db {
    for _ in 0..400 {
        match sled::Config::new().path(path).open() {
            Err(error) if error.to_string().contains("could not acquire lock") => {
                std::thread::sleep(Duration::from_millis(5));
            }
            other => return other.unwrap(),
        }
    }
    panic!("sled does not let go of {}", path.display());
}

fn timeline(name: &str) -> TimelineName {
    TimelineName::new(name).unwrap()
}

fn id(text: &str) -> EventId {
    EventId::new(text).unwrap()
}
