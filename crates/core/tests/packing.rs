//! Packing: how records are spread over frames, and leaves over the Merkle tree's frontier.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code: a panic is how a test fails")]

use annals_core::{BLOCK, Encoded, Frame, Frontier, Hash, Host, Seal, StoredRecord, hex, leaf_hash, pack};
use annals_model::{Content, Event, EventId, Op, Record, RecordedAt, Seq, TimelineName};
use annals_testkit::TestHost;
use proptest::collection::vec;
use proptest::prelude::*;

/// Bytes of content from which on a frame takes in no more records.
const FULL: usize = 32 * 1024;

/// So many cases, unless `PROPTEST_CASES` says how many.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, max_shrink_iters: 4096, failure_persistence: None, ..ProptestConfig::default() }
}

/// Sizes of records' content; many small ones, some that fill a frame, some far beyond.
fn sizes() -> BoxedStrategy<Vec<usize>> {
    let size = prop_oneof![
        200 => 0..60_usize,
        4 => 1000..FULL,
        1 => FULL - 2..FULL + 2,
        1 => Just(900_000),
    ];
    vec(size, 0..700).boxed()
}

fn blank(size: usize) -> Encoded {
    Encoded { head: Vec::new(), claims: Vec::new(), details: vec![b'x'; size] }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn frames_keep_order_and_limits(first in 1..2000_u64, sizes in sizes()) {
        let records: Vec<Encoded> = sizes.iter().map(|size| blank(*size)).collect();
        let frames = pack(Seq(first), &records).unwrap();
        let mut next = first;
        let mut sizes = sizes.iter();
        for (index, (seq, bytes)) in frames.iter().enumerate() {
            prop_assert_eq!(seq.0, next, "no gaps");
            let frame = Frame::decode(*seq, bytes).unwrap();
            prop_assert_eq!(frame.first(), *seq);
            let count = frame.last().0 - seq.0 + 1;
            prop_assert!(count <= BLOCK);
            prop_assert_eq!((seq.0 - 1) / BLOCK, (frame.last().0 - 1) / BLOCK, "one block");
            let own: Vec<usize> = sizes.by_ref().take(usize::try_from(count).unwrap()).copied().collect();
            let size: usize = own.iter().sum();
            prop_assert!(size - own.last().unwrap() < FULL, "the last one is what filled it");
            // As few frames as the limits allow: one ends where it is full, or its block does, or the batch.
            let ends = size >= FULL || frame.last().0.is_multiple_of(BLOCK) || index + 1 == frames.len();
            prop_assert!(ends, "frame {} ends early", seq);
            next = frame.last().0 + 1;
        }
        prop_assert_eq!(next - first, records.len() as u64);
    }
}

#[test]
fn a_large_event_is_one_frame_and_comes_back() {
    let host = TestHost::new(1);
    // Text that does not compress, so that the frame is as large as it can be.
    let mut noise = vec![0; 450_000];
    host.fill_random(&mut noise);
    let small = |seq| StoredRecord {
        record: Record {
            seq: Seq(seq),
            recorded_at: RecordedAt::from_micros(0),
            recorded_by: "tester".to_owned(),
            timeline: TimelineName::new("main").unwrap(),
            id: EventId::new("e").unwrap(),
            op: Op::Append,
            content: Content::Event(Box::new(Event::new(EventId::new("e").unwrap(), "title"))),
        },
        previous: None,
        seal: Seal::Salt([7; 16]),
    };
    let mut records = vec![small(255), small(256), small(257)];
    let Content::Event(event) = &mut records[1].record.content else { panic!("it is an event") };
    event.description = Some(hex(&noise));
    let encoded: Vec<Encoded> = records.iter().map(|record| record.encode().unwrap()).collect();
    let frames = pack(Seq(255), &encoded).unwrap();
    assert_eq!(frames.iter().map(|(first, _)| first.0).collect::<Vec<_>>(), [255, 257]);
    assert!(frames[0].1.len() > 450_000);
    let mut again = Vec::new();
    for (first, bytes) in &frames {
        let frame = Frame::decode(*first, bytes).unwrap();
        again.extend(frame.records().map(|raw| StoredRecord::decode(&raw.unwrap()).unwrap()));
    }
    assert_eq!(again, records);
}

fn hashes() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>()
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_frontier_is_its_count_and_its_roots(leaves in 0..1500_u64, more in 0..600_u64) {
        let leaf = |number: u64| leaf_hash(&number.to_be_bytes());
        let mut frontier = Frontier::default();
        for number in 0..leaves {
            let block = frontier.push(leaf(number));
            prop_assert_eq!(block.is_some(), (number + 1) % BLOCK == 0);
        }
        prop_assert_eq!(frontier.count(), leaves);
        prop_assert_eq!(frontier.roots().len(), leaves.count_ones() as usize);
        let mut again = Frontier::from_parts(leaves, frontier.roots().to_vec()).unwrap();
        prop_assert_eq!(&again, &frontier);
        prop_assert_eq!(again.root(), frontier.root());
        for number in leaves..leaves + more {
            prop_assert_eq!(again.push(leaf(number)), frontier.push(leaf(number)));
        }
        prop_assert_eq!(again, frontier);
    }

    #[test]
    fn no_frontier_has_too_many_or_too_few_roots(count in 0..=u64::MAX / 2, roots in vec(hashes(), 0..70)) {
        let fits = roots.len() == count.count_ones() as usize;
        prop_assert_eq!(Frontier::from_parts(count, roots).is_some(), fits);
    }

    #[test]
    fn a_block_is_pushed_only_where_one_begins(leaves in 0..600_u64, root in hashes()) {
        let mut frontier = Frontier::default();
        for number in 0..leaves {
            frontier.push(leaf_hash(&number.to_be_bytes()));
        }
        let before = frontier.clone();
        let fits = leaves % BLOCK == 0;
        prop_assert_eq!(frontier.push_block(root), fits);
        prop_assert_eq!(frontier.count(), before.count() + if fits { BLOCK } else { 0 });
        prop_assert!(fits || frontier == before);
    }
}
