//! Proofs over whole logs, held against an independent implementation of RFC 6962 (the crate `ct-merkle`): every
//! size of a log that spans several blocks, with redacted records in it.
//!
//! `ANNALS_PROOF_RECORDS` sets how many records the log has.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a panic is how a test fails, and the environment says how long it runs"
)]

use annals_core::proof::checkpoint::Checkpoint;
use annals_core::proof::document::{Proof, Shown};
use annals_core::proof::path::{check_consistency, check_inclusion};
use annals_core::proof::{Refusal, Step, Tree, line};
use annals_core::{
    Commit, Error, EventEntry, Frontier, Hash, Head, Log, Seal, Store, StoredRecord, WriteOptions,
    commitment, content_json, hex, pack, scan,
};
use annals_model::{Content, Entry, Event, EventId, Op, Seq, TimelineName, Write};
use annals_testkit::{MemoryLog, TestHost};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, HashableLeaf, InclusionProof, RootHash};
use serde_json::json;
use sha2::Sha256;
use sha2::digest::Update;

fn timeline() -> TimelineName {
    TimelineName::new("main").unwrap()
}

fn id(number: u64) -> EventId {
    EventId::new(format!("e{number}")).unwrap()
}

fn append(number: u64) -> Entry {
    Entry::new(timeline(), Write::Append(Box::new(Event::new(id(number), "An event"))))
}

/// The bytes under a leaf as FORMAT.md says, written down a second time.
#[derive(Clone)]
struct Preimage(Vec<u8>);

impl HashableLeaf for Preimage {
    fn hash<H: Update>(&self, hasher: &mut H) {
        hasher.update(&self.0);
    }
}

fn preimage(stored: &StoredRecord) -> Preimage {
    let record = &stored.record;
    let op = ["append", "revise", "retract", "redact"].iter().position(|op| *op == record.op.as_str());
    let mut bytes = vec![1, u8::try_from(op.unwrap()).unwrap() + 1, 1];
    bytes.extend(record.seq.0.to_be_bytes());
    bytes.extend(record.recorded_at.micros().to_be_bytes());
    for text in [record.timeline.as_str(), record.id.as_str(), &record.recorded_by] {
        bytes.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes.extend(match stored.seal {
        Seal::Commitment(commitment) => commitment,
        Seal::Salt(salt) => commitment(&salt, &content_json(&record.content).unwrap().unwrap()),
    });
    Preimage(bytes)
}

fn records() -> u64 {
    std::env::var("ANNALS_PROOF_RECORDS").ok().and_then(|n| n.parse().ok()).unwrap_or(600)
}

/// A log of so many records: appends, revisions and retractions.
fn grown(count: u64) -> Store<MemoryLog> {
    let store = Store::new(MemoryLog::default());
    let entries = (1..=count).map(|number| match number % 7 {
        3 => {
            let event = Event::new(id(number - 1), "An event, corrected — “très” différent");
            Entry::new(timeline(), Write::Revise(Box::new(event)))
        }
        5 => {
            let reason = "it was \"another\" one".to_owned();
            Entry::new(timeline(), Write::Retract { id: id(number - 1), reason })
        }
        _ => append(number),
    });
    store.write(entries.collect(), &TestHost::new(7), &WriteOptions::by("tester")).unwrap();
    store
}

fn all(log: &MemoryLog) -> Vec<StoredRecord> {
    let mut records = Vec::new();
    scan::each(log, Seq(1), log.head().unwrap().seq(), |stored| {
        records.push(stored);
        Ok(())
    })
    .unwrap();
    records
}

/// The log with the content of every tenth record gone.
fn redacted(log: &MemoryLog) -> MemoryLog {
    let mut records = all(log);
    let mut commit = Commit { head: log.head().unwrap(), ..Commit::default() };
    for stored in &mut records {
        let Seal::Salt(salt) = stored.seal else { continue };
        if stored.record.seq.0 % 10 == 4 {
            stored.seal = Seal::Commitment(commitment(&salt, &stored.content_json().unwrap()));
            stored.record.content = Content::Redacted;
        }
        let entry = EventEntry { first: stored.record.seq, last: stored.record.seq, last_op: Op::Append };
        commit.events.push((timeline(), stored.record.id.clone(), entry));
    }
    let encoded: Vec<_> = records.iter().map(|stored| stored.encode().unwrap()).collect();
    for (index, block) in encoded.chunks(256).enumerate() {
        commit.frames.extend(pack(Seq(index as u64 * 256 + 1), block).unwrap());
        commit.blocks.extend(log.block(index as u64).unwrap().map(|root| (index as u64, root)));
    }
    let redacted = MemoryLog::default();
    redacted.commit(&commit).unwrap();
    redacted
}

fn output(hash: &Hash) -> ct_merkle::digest::Output<Sha256> {
    (*hash).into()
}

/// Records of a log of this size that a proof might go wrong at.
fn interesting(size: u64) -> Vec<u64> {
    let mut some: Vec<u64> = [1, 2, 3, 128, 129, 255, 256, 257, 512, 513, size / 3, size / 2, size - 1, size]
        .into_iter()
        .chain((0..4).map(|n| size.wrapping_mul(0x9E37_79B9).wrapping_add(n * 97) % size))
        .filter(|seq| (1..=size).contains(seq))
        .collect();
    some.sort_unstable();
    some.dedup();
    some
}

#[test]
fn roots_and_proofs_are_those_of_another_implementation_at_every_size() {
    let whole = grown(records());
    let log = redacted(whole.log());
    let stored = all(&log);
    assert_eq!(stored[3].record.content, Content::Redacted);
    let leaves: Vec<Hash> = stored.iter().map(|stored| stored.leaf().unwrap()).collect();
    let preimages: Vec<Preimage> = stored.iter().map(preimage).collect();
    let place = |seq: u64| usize::try_from(seq).unwrap() - 1;
    let mut tree = Tree::of(&log).unwrap();
    let mut theirs: MemoryBackedTree<Sha256, Preimage> = MemoryBackedTree::new();
    let mut roots: Vec<Hash> = vec![Frontier::default().root()];
    for size in 1..=records() {
        theirs.push(preimages[place(size)].clone());
        let root = tree.root(size).unwrap();
        assert_eq!(output(&root), *theirs.root().as_bytes(), "size {size}");
        if size % 50 == 0 {
            assert_eq!(root, scan::root_at(&log, Seq(size)).unwrap());
        }
        roots.push(root);
        for seq in interesting(size) {
            let path = tree.inclusion(Seq(seq), size).unwrap();
            let their_path = theirs.prove_inclusion(place(seq));
            assert_eq!(path.concat(), their_path.as_bytes(), "record {seq} of {size}");
            check_inclusion(&leaves[place(seq)], seq - 1, size, &path, &root).unwrap();
            let digests: Vec<_> = path.iter().map(output).collect();
            let proof = InclusionProof::<Sha256>::from_digests(&digests);
            let their_root = RootHash::new(output(&root), size);
            their_root.verify_inclusion(&preimages[place(seq)], seq - 1, &proof).unwrap();

            let path = tree.consistency(seq, size).unwrap();
            let earlier = roots[place(seq) + 1];
            check_consistency((seq, &earlier), (size, &root), &path).unwrap();
            if seq < size {
                let their_path = theirs.prove_consistency(usize::try_from(size - seq).unwrap());
                assert_eq!(path.concat(), their_path.as_bytes(), "{seq} to {size}");
                let digests: Vec<_> = path.iter().map(output).collect();
                let proof = ConsistencyProof::<Sha256>::from_digests(&digests);
                let (old, new) = (RootHash::new(output(&earlier), seq), RootHash::new(output(&root), size));
                new.verify_consistency(&old, &proof).unwrap();
            }
        }
    }
    check_consistency((0, &roots[0]), (5, &roots[5]), &tree.consistency(0, 5).unwrap()).unwrap();
}

#[test]
fn nothing_else_than_the_right_path_is_taken() {
    let store = grown(300);
    let mut tree = Tree::of(store.log()).unwrap();
    for size in [1, 2, 3, 7, 8, 200, 256, 257, 300] {
        let root = tree.root(size).unwrap();
        for seq in interesting(size) {
            let leaf = scan::one(store.log(), Seq(seq)).unwrap().leaf().unwrap();
            let path = tree.inclusion(Seq(seq), size).unwrap();
            let refused = |leaf: &Hash, index, size, path: &[Hash], root: &Hash| {
                let refusal: Refusal = check_inclusion(leaf, index, size, path, root).unwrap_err();
                assert_eq!(refusal.step, Step::Inclusion);
            };
            for (place, hash) in path.iter().enumerate() {
                let mut other = path.clone();
                other[place][0] ^= 1;
                refused(&leaf, seq - 1, size, &other, &root);
                other.remove(place);
                refused(&leaf, seq - 1, size, &other, &root);
                other.insert(place, *hash);
                other.insert(place, *hash);
                refused(&leaf, seq - 1, size, &other, &root);
            }
            refused(&[9; 32], seq - 1, size, &path, &root);
            refused(&leaf, seq, size, &path, &root);
            refused(&leaf, seq - 1, size, &path, &[9; 32]);
            refused(&leaf, u64::MAX, size, &path, &root);

            let earlier = tree.root(seq).unwrap();
            let path = tree.consistency(seq, size).unwrap();
            for place in 0..path.len() {
                let mut other = path.clone();
                other[place][31] ^= 1;
                check_consistency((seq, &earlier), (size, &root), &other).unwrap_err();
                other.remove(place);
                check_consistency((seq, &earlier), (size, &root), &other).unwrap_err();
            }
            check_consistency((seq, &[9; 32]), (size, &root), &path).unwrap_err();
            check_consistency((seq, &earlier), (size, &[9; 32]), &path).unwrap_err();
            if seq < size {
                check_consistency((size, &root), (seq, &earlier), &path).unwrap_err();
                check_consistency((seq, &earlier), (size, &root), &[]).unwrap_err();
            }
        }
    }
}

#[test]
fn the_line_of_every_record_gives_its_leaf() {
    let whole = grown(60);
    let log = redacted(whole.log());
    for log in [whole.log(), &log] {
        scan::each(log, Seq(1), Seq(60), |stored| {
            let line = line::of(&stored).unwrap();
            let leaf = line::read(&line).unwrap();
            assert_eq!(leaf.hash, stored.leaf().unwrap(), "{line}");
            assert_eq!((leaf.seq, leaf.op), (stored.record.seq, stored.record.op));
            assert_eq!(leaf.id, stored.record.id.as_str());
            assert_eq!(leaf.redacted, stored.record.content == Content::Redacted);
            Ok(())
        })
        .unwrap();
    }
}

/// Every single byte of a line counts: changed, it is refused or gives another leaf.
#[test]
fn no_byte_of_a_line_can_be_changed() {
    let whole = grown(10);
    let log = redacted(whole.log());
    for (log, seq) in [(whole.log(), 1), (whole.log(), 3), (whole.log(), 5), (&log, 4)] {
        let stored = scan::one(log, Seq(seq)).unwrap();
        let line = line::of(&stored).unwrap();
        let leaf = stored.leaf().unwrap();
        for place in 0..line.len() {
            for change in [1, 2, 4, 8, 16, 32, 64] {
                let mut other = line.clone().into_bytes();
                other[place] ^= change;
                let Ok(other) = String::from_utf8(other) else { continue };
                let same = line::read(&other).is_ok_and(|read| read.hash == leaf);
                assert!(!same, "{other}");
            }
            for (cut, insert) in [(1, ""), (0, " "), (0, "0"), (0, "\\u0041")] {
                let Some(end) = Some(place + cut).filter(|end| line.is_char_boundary(*end)) else { continue };
                if !line.is_char_boundary(place) {
                    continue;
                }
                let other = format!("{}{insert}{}", &line[..place], &line[end..]);
                let same = line::read(&other).is_ok_and(|read| read.hash == leaf);
                // White space around the tokens of a record whose fields are all in the leaf says nothing.
                assert!(!same || stored.salt().is_none() && insert == " ", "{other}");
            }
        }
        let front = line.strip_prefix('{').unwrap();
        for addition in ["\"description\":\"more\",", "\"title\":\"another\",", "\"seq\":1,", "\"tags\":[],"]
        {
            let other = format!("{{{addition}{front}");
            assert!(!line::read(&other).is_ok_and(|read| read.hash == leaf), "{other}");
        }
    }
}

/// Whether two checks have shown the same, whatever their checkpoints call the log.
fn same(one: &Shown, two: &Shown) -> bool {
    match (one, two) {
        (
            Shown::Included { size, root, records, .. },
            Shown::Included { size: s, root: r, records: all, .. },
        ) => (size, root, records) == (s, r, all),
        (Shown::Grown { from, to, .. }, Shown::Grown { from: f, to: t, .. }) => (from, to) == (f, t),
        _ => false,
    }
}

/// Texts that are nearly proofs: each is taken for what it says or refused, and none brings the check down.
#[test]
fn no_text_brings_the_check_down() {
    let store = grown(20);
    let mut tree = Tree::of(store.log()).unwrap();
    let digits = |path: Vec<Hash>| path.iter().map(|hash| hex(hash)).collect::<Vec<_>>();
    let stored = scan::one(store.log(), Seq(7)).unwrap();
    let (line, path) = (line::of(&stored).unwrap(), digits(tree.inclusion(Seq(7), 20).unwrap()));
    let root = |tree: &mut Tree<'_, MemoryLog>, size| hex(&tree.root(size).unwrap());
    let (twenty, nine) = (root(&mut tree, 20), root(&mut tree, 9));
    // A root does not say how many records it is over; a checkpoint does.
    let checkpoint = |tree: &mut Tree<'_, MemoryLog>, size| {
        Checkpoint::unsigned("a log", size, tree.root(size).unwrap()).unwrap().to_string()
    };
    let (at_twenty, at_nine) = (checkpoint(&mut tree, 20), checkpoint(&mut tree, 9));
    let inclusion = json!({
        "kind": "inclusion", "schema": "annals/proof/1", "tree_size": 20, "root": twenty,
        "records": [{ "leaf_index": 6, "line": line, "path": path }],
        "checkpoint": at_twenty,
    });
    let consistency = json!({
        "kind": "consistency", "schema": "annals/proof/1",
        "from": { "tree_size": 9, "root": nine, "checkpoint": at_nine },
        "to": { "tree_size": 20, "root": twenty, "checkpoint": at_twenty }, "path": digits(tree.consistency(9, 20).unwrap()),
    });
    for proof in [inclusion.to_string(), consistency.to_string()] {
        let right = Proof::parse(&proof).unwrap();
        let shown = right.check().unwrap();
        for place in 0..proof.len() {
            for (cut, insert) in [(1, ""), (1, "9"), (0, "0"), (1, "\""), (1, "{"), (9, "")] {
                let end = (place + cut).min(proof.len());
                if !proof.is_char_boundary(place) || !proof.is_char_boundary(end) {
                    continue;
                }
                let other = format!("{}{insert}{}", &proof[..place], &proof[end..]);
                let taken = Proof::parse(&other).and_then(|other| other.check());
                assert!(taken.is_err() || taken.is_ok_and(|taken| same(&taken, &shown)), "{other}");
            }
        }
        for size in ["0", "1", "18446744073709551615", "-1", "1e3"] {
            let other = proof.replace("\"tree_size\":20", &format!("\"tree_size\":{size}"));
            assert!(!Proof::parse(&other).is_ok_and(|other| other.check().is_ok()), "{size}");
        }
    }
}

#[test]
fn no_proof_is_made_of_a_damaged_log() {
    let damaged = |result: Result<Vec<Hash>, Error>| matches!(result, Err(Error::Damaged(_)));
    let store = grown(600);
    let mut tree = Tree::of(store.log()).unwrap();
    assert!(tree.inclusion(Seq(300), 600).is_ok());
    assert!(tree.inclusion(Seq(0), 600).is_err());
    assert!(tree.inclusion(Seq(601), 601).is_err());
    assert!(tree.consistency(1, 601).is_err());
    assert!(tree.consistency(2, 1).is_err());

    // A block root that is another one does not give the log's root.
    let head = store.log().head().unwrap();
    let other = Commit { head, blocks: vec![(1, [7; 32])], ..Commit::default() };
    store.log().commit(&other).unwrap();
    assert!(
        matches!(Tree::of(store.log()), Err(Error::Damaged(damage)) if damage.records == Some((Seq(1), Seq(600))))
    );

    // A record that is another one does not give its block's root.
    let (one, two) = (grown(600), Store::new(MemoryLog::default()));
    let entries = (1..=600).map(|n| {
        if n == 20 {
            Entry::new(timeline(), Write::Append(Box::new(Event::new(id(20), "Forged"))))
        } else {
            append(n)
        }
    });
    two.write(entries.collect(), &TestHost::new(7), &WriteOptions::by("tester")).unwrap();
    let (first, forged) = two.log().frames(Seq(1)).next().unwrap().unwrap();
    let head: Head = one.log().head().unwrap();
    one.log().commit(&Commit { frames: vec![(first, forged)], head, ..Commit::default() }).unwrap();
    let mut tree = Tree::of(one.log()).unwrap();
    assert!(damaged(tree.inclusion(Seq(21), 600)));
    assert!(tree.inclusion(Seq(300), 600).is_ok(), "the other blocks are whole");
}
