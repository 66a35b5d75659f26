//! Decoding: whatever was encoded comes back, and whatever was not is refused without a panic.
//!
//! Three layers are tried one by one: a record (bincode), a frame around it (lengths and checksums), and frames
//! whose checksums have been made right again over wrong content, which no disk does but which shows that
//! nothing behind the checksum trusts it. How records are spread over frames is in `packing`. `PROPTEST_CASES` sets the number of cases of every property.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: a panic is how a test fails"
)]

use annals_core::{Encoded, Frame, RawRecord, RecordHead, Seal, StoredRecord, pack};
use annals_model::{
    Actor, Change, Content, Event, EventId, Extra, Link, Op, Place, Record, RecordedAt, Scalar, Seq, Source,
    TimelineName,
};
use annals_testkit::generate::{dates, events};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// So many cases, unless `PROPTEST_CASES` says how many.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, max_shrink_iters: 4096, failure_persistence: None, ..ProptestConfig::default() }
}

fn texts() -> BoxedStrategy<String> {
    let corners = vec!["", "x", "\0", "\u{feff}", "🕊", "é", "\"\\\n\t"];
    prop_oneof![
        2 => select(corners).prop_map(str::to_owned),
        3 => ".{0,24}",
        1 => "[a-z]{250,260}",
    ]
    .boxed()
}

fn some_text() -> impl Strategy<Value = Option<String>> {
    option::of(texts())
}

fn ids() -> impl Strategy<Value = EventId> {
    "[a-zà-ü0-9]{1,40}".prop_map(|text| EventId::new(text).unwrap())
}

/// Events of which every field is used now and then.
fn whole_events() -> BoxedStrategy<Event> {
    let actors = vec((texts(), some_text()), 0..3)
        .prop_map(|actors| actors.into_iter().map(|(name, role)| Actor { name, role }).collect::<Vec<_>>());
    let degrees = option::of(-90..=90_i64);
    let places = (texts(), degrees.clone(), degrees, some_text()).prop_map(|(name, lat, lon, precision)| {
        Place { lat: lat.map(Into::into), lon: lon.map(Into::into), precision, ..Place::named(name) }
    });
    let sources = (some_text(), some_text(), option::of(dates()), some_text(), some_text()).prop_map(
        |(title, url, date, quote, sha256)| Source { title, url, date, quote, sha256, ..Source::default() },
    );
    let links = (texts(), ids()).prop_map(|(rel, to)| Link { rel, to });
    let extras = vec((texts(), texts()), 0..3).prop_map(|fields| {
        Extra::from_texts(fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))).unwrap()
    });
    let lists = (actors, vec(texts(), 0..3), vec(sources, 0..3), vec(links, 0..3));
    let singles = (some_text(), texts(), some_text(), option::of(places), option::of(0..=100_u8));
    (events(), lists, singles, extras, vec(texts(), 0..3))
        .prop_map(|(event, (actors, tags, sources, links), singles, extra, values)| {
            let (kind, title, description, place, confidence) = singles;
            let mut event = Event {
                kind,
                title,
                description,
                actors,
                place,
                tags,
                sources,
                confidence,
                links,
                extra,
                ..event
            };
            for (effect, value) in event.effects.iter_mut().zip(values) {
                effect.change = Change::Add(Scalar::Text(value.into()));
            }
            event
        })
        .boxed()
}

/// Records of every operation, at any place.
fn stored_records() -> BoxedStrategy<StoredRecord> {
    let contents = prop_oneof![
        8 => (select(vec![Op::Append, Op::Revise]), whole_events())
            .prop_map(|(op, event)| (op, event.id.clone(), Content::Event(Box::new(event)))),
        2 => (select(vec![Op::Retract, Op::Redact]), ids(), texts())
            .prop_map(|(op, id, reason)| (op, id, Content::Reason(reason))),
        1 => (select(vec![Op::Append, Op::Revise, Op::Retract]), ids())
            .prop_map(|(op, id)| (op, id, Content::Redacted)),
    ];
    let seqs = prop_oneof![1..1000_u64, 1..u64::MAX / 2];
    let timelines = select(vec!["main", "länder.v1", "x"]);
    let times = prop_oneof![any::<i64>(), Just(0), Just(i64::MIN), Just(i64::MAX)];
    (contents, seqs, timelines, times, texts(), any::<([u8; 16], [u8; 32])>(), option::of(any::<Index>()))
        .prop_map(|((op, id, content), seq, timeline, micros, recorded_by, (salt, erased), previous)| {
            let redacted = content == Content::Redacted;
            let record = Record {
                seq: Seq(seq),
                recorded_at: RecordedAt::from_micros(micros),
                recorded_by,
                timeline: TimelineName::new(timeline).unwrap(),
                id,
                op,
                content,
            };
            let below = usize::try_from(seq).unwrap_or(usize::MAX);
            let previous = previous.map(|p| Seq(p.index(below) as u64)).filter(|seq| seq.0 > 0);
            let seal = if redacted { Seal::Commitment(erased) } else { Seal::Salt(salt) };
            StoredRecord { record, previous, seal }
        })
        .boxed()
}

/// Records in a row, as a batch has them.
fn rows(most: usize) -> BoxedStrategy<Vec<StoredRecord>> {
    (1..2000_u64, vec(stored_records(), 1..=most))
        .prop_map(|(first, mut records)| {
            for (stored, seq) in records.iter_mut().zip(first..) {
                stored.record.seq = Seq(seq);
                stored.previous = stored.previous.filter(|previous| previous.0 < seq);
            }
            records
        })
        .boxed()
}

fn packed(records: &[StoredRecord]) -> Vec<(Seq, Vec<u8>)> {
    let encoded: Vec<Encoded> = records.iter().map(|record| record.encode().unwrap()).collect();
    pack(records[0].record.seq, &encoded).unwrap()
}

fn unpacked(frames: &[(Seq, Vec<u8>)]) -> Vec<StoredRecord> {
    let frames = frames.iter().map(|(first, bytes)| Frame::decode(*first, bytes).unwrap());
    frames.flat_map(|frame| all_of(&frame).unwrap()).collect()
}

fn all_of(frame: &Frame) -> Result<Vec<StoredRecord>, annals_core::Damage> {
    frame.records().map(|raw| StoredRecord::decode(&raw?)).collect()
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn what_was_encoded_is_decoded(records in rows(12)) {
        let frames = packed(&records);
        prop_assert_eq!(&unpacked(&frames), &records);
        for (stored, again) in records.iter().zip(unpacked(&frames)) {
            prop_assert_eq!(stored.leaf().unwrap(), again.leaf().unwrap());
        }
    }

    #[test]
    fn a_record_is_read_by_itself_whatever_was_read_before(
        records in rows(12), order in vec(any::<Index>(), 1..30),
    ) {
        for (first, bytes) in packed(&records) {
            let frame = Frame::decode(first, &bytes).unwrap();
            let all = all_of(&frame).unwrap();
            let mut place = frame.start();
            for index in &order {
                let expect = index.get(&all);
                let seq = expect.record.seq;
                let again = frame.record_behind(&mut place, seq).and_then(|raw| StoredRecord::decode(&raw));
                prop_assert_eq!(&again.unwrap(), expect);
                let alone = frame.record(seq).and_then(|raw| StoredRecord::decode(&raw));
                prop_assert_eq!(&alone.unwrap(), expect);
            }
            for outside in [first.0 - 1, frame.last().0 + 1] {
                prop_assert!(frame.record_behind(&mut place, Seq(outside)).is_err());
            }
        }
    }

    /// A bit or three, anywhere: CRC32C finds all of them at these lengths.
    #[test]
    fn flipped_bits_are_found(records in rows(6), flips in vec((any::<Index>(), 0..8_u8), 1..4)) {
        for (first, mut bytes) in packed(&records) {
            let whole = bytes.clone();
            for (at, bit) in &flips {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            // Two flips of one bit are none.
            prop_assert_eq!(Frame::decode(first, &bytes).is_ok(), bytes == whole);
        }
    }

    /// A run of bytes that was overwritten, as with a sector that was never written or written elsewhere.
    #[test]
    fn overwritten_runs_are_found(records in rows(6), at in any::<Index>(), run in vec(any::<u8>(), 1..64)) {
        for (first, mut bytes) in packed(&records) {
            let whole = bytes.clone();
            let at = at.index(bytes.len());
            for (byte, other) in bytes[at..].iter_mut().zip(&run) {
                *byte = *other;
            }
            prop_assert_eq!(Frame::decode(first, &bytes).is_ok(), bytes == whole);
        }
    }

    #[test]
    fn longer_frames_are_refused(records in rows(3), more in vec(any::<u8>(), 1..64)) {
        for (first, mut bytes) in packed(&records) {
            bytes.extend(&more);
            prop_assert!(Frame::decode(first, &bytes).is_err());
        }
    }

    #[test]
    fn a_frame_under_another_key_is_refused(records in rows(3), key in any::<u64>()) {
        for (first, bytes) in packed(&records) {
            for key in [key, first.0 + 1, first.0 - 1] {
                prop_assert_eq!(Frame::decode(Seq(key), &bytes).is_ok(), key == first.0);
            }
        }
    }
}

#[test]
fn shorter_frames_are_refused_and_every_single_flip_is_found() {
    let event = |text: &str| Event::new(EventId::new("e").unwrap(), text);
    let stored = |seq: u64, text: &str| StoredRecord {
        record: Record {
            seq: Seq(seq),
            recorded_at: RecordedAt::from_micros(0),
            recorded_by: "tester".to_owned(),
            timeline: TimelineName::new("main").unwrap(),
            id: EventId::new("e").unwrap(),
            op: Op::Append,
            content: Content::Event(Box::new(event(text))),
        },
        previous: None,
        seal: Seal::Salt([7; 16]),
    };
    let plain = packed(&[stored(1, "plain")]);
    let compressed = packed(&[stored(1, &"compressed ".repeat(100)), stored(2, "second")]);
    assert_eq!((plain[0].1[1], compressed[0].1[1]), (0, 1), "the codecs");
    for (first, bytes) in plain.iter().chain(&compressed) {
        assert!(Frame::decode(*first, bytes).is_ok());
        for length in 0..bytes.len() {
            assert!(Frame::decode(*first, &bytes[..length]).is_err(), "cut at {length}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let damage = Frame::decode(*first, &bytes).unwrap_err();
            assert_eq!(damage.records.map(|(first, _)| first), Some(*first), "bit {bit}: {damage}");
        }
    }
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn noise_is_no_frame(bytes in vec(any::<u8>(), 0..400), first in any::<u64>()) {
        prop_assert!(Frame::decode(Seq(first), &bytes).is_err());
    }

    /// Noise behind a header that has every checksum and the key right.
    #[test]
    fn noise_in_a_whole_frame_does_no_harm(
        codec in prop_oneof![4 => 0..2_u8, 1 => any::<u8>()],
        count in prop_oneof![0..4_u16, any::<u16>()],
        sections in [vec(any::<u8>(), 0..90), vec(any::<u8>(), 0..40), vec(any::<u8>(), 0..40)],
    ) {
        read_all(&crafted(codec, 7, count, sections.each_ref().map(|s| (size(s), &s[..]))));
    }

    /// Wrong content, lengths, counts and codecs in frames that are whole as far as their checksum goes.
    #[test]
    fn changed_frames_with_a_right_checksum_do_no_harm(
        records in rows(4),
        changes in vec((any::<Index>(), any::<u8>()), 1..5),
    ) {
        for (first, mut bytes) in packed(&records) {
            for (at, byte) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            // The key is not what is tried here.
            bytes[2..10].copy_from_slice(&first.0.to_be_bytes());
            seal(&mut bytes);
            let Ok(frame) = Frame::decode(first, &bytes) else { continue };
            let originals = records.iter().skip_while(|stored| stored.record.seq < first);
            for (raw, original) in frame.records().zip(originals) {
                // Records have checksums of their own.
                let Ok(raw) = raw else { break };
                prop_assert_eq!(&StoredRecord::decode(&raw).unwrap(), original);
            }
        }
    }

    /// What stands behind all checksums: a header and content that were never encoded.
    #[test]
    fn noise_in_a_record_does_no_harm(
        op in prop_oneof![4 => 1..5_u8, 1 => any::<u8>()],
        schema in prop_oneof![4 => Just(1), 1 => any::<u8>()],
        names in (texts(), texts(), texts()),
        redacted in prop::bool::weighted(0.1),
        claims in vec(any::<u8>(), 0..60),
        details in vec(any::<u8>(), 0..60),
    ) {
        let (timeline, id, author) = (names.0.as_str(), names.1.as_str(), names.2.as_str());
        let seal = if redacted { Seal::Commitment([1; 32]) } else { Seal::Salt([1; 16]) };
        decodes_to_itself(&raw(op, schema, [timeline, id, author], seal, &claims, &details))?;
    }

    /// Content that is right but for a few bytes: what decodes is a record that can be stored and hashed again.
    #[test]
    fn changed_content_decodes_to_a_record_or_not_at_all(
        record in stored_records(),
        changes in vec((any::<Index>(), any::<u8>()), 1..5),
        cut in option::weighted(0.2, any::<Index>()),
    ) {
        let Encoded { mut claims, mut details, .. } = record.encode().unwrap();
        for (at, byte) in &changes {
            let at = at.index((claims.len() + details.len()).max(1));
            if let Some(old) = claims.iter_mut().chain(&mut details).nth(at) {
                *old = *byte;
            }
        }
        if let Some(cut) = cut {
            details.truncate(cut.index(details.len() + 1));
        }
        let op = match record.record.op {
            Op::Append => 1,
            Op::Revise => 2,
            Op::Retract => 3,
            Op::Redact => 4,
        };
        decodes_to_itself(&raw(op, 1, ["main", "e", "x"], record.seal, &claims, &details))?;
    }
}

/// A record whose claims and details are somebody else's.
fn raw<'a>(
    op: u8,
    schema: u8,
    [timeline, id, recorded_by]: [&'a str; 3],
    seal: Seal,
    claims: &'a [u8],
    details: &'a [u8],
) -> RawRecord<'a> {
    let head = RecordHead {
        op,
        schema,
        recorded_at: 0,
        previous: 0,
        timeline,
        id,
        recorded_by,
        seal,
        claims: size(claims),
        details: size(details),
    };
    RawRecord { seq: Seq(1), head, claims, details }
}

/// What can be decoded at all is a record like any other.
fn decodes_to_itself(raw: &RawRecord<'_>) -> Result<(), TestCaseError> {
    let Ok(stored) = StoredRecord::decode(raw) else { return Ok(()) };
    prop_assert!(stored.leaf().is_ok());
    let encoded = stored.encode();
    prop_assert!(encoded.is_ok(), "{:?} cannot be encoded again: {:?}", stored, encoded);
    prop_assert_eq!(unpacked(&pack(Seq(1), &[encoded.unwrap()]).unwrap()), vec![stored]);
    Ok(())
}

/// A frame with these fields and a right checksum, whatever its lengths claim.
fn crafted(codec: u8, first: u64, count: u16, sections: [(u32, &[u8]); 3]) -> Vec<u8> {
    let mut frame = vec![1, codec];
    frame.extend(first.to_be_bytes());
    frame.extend(count.to_le_bytes());
    for (plain, stored) in sections {
        frame.extend(size(stored).to_le_bytes());
        frame.extend(plain.to_le_bytes());
    }
    frame.extend([0; 4]);
    for (_, stored) in sections {
        frame.extend(stored);
    }
    seal(&mut frame);
    frame
}

fn size(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap()
}

/// Makes a frame's checksum right.
fn seal(frame: &mut [u8]) {
    let crc = crc32c::crc32c_append(crc32c::crc32c(&frame[..36]), &frame[40..]);
    frame[36..40].copy_from_slice(&crc.to_le_bytes());
}

/// Decodes as much as there is.
fn read_all(frame: &[u8]) {
    let first = Seq(u64::from_be_bytes(frame[2..10].try_into().unwrap()));
    if let Ok(frame) = Frame::decode(first, frame) {
        for raw in frame.records() {
            let _ = raw.and_then(|raw| StoredRecord::decode(&raw));
        }
        let mut place = frame.start();
        for seq in (frame.first().0..=frame.last().0).rev().take(300) {
            let _ = frame.record_behind(&mut place, Seq(seq)).and_then(|raw| StoredRecord::decode(&raw));
        }
    }
}

#[test]
fn frames_that_cannot_be_are_refused_in_words() {
    let check = |bytes: &[u8], expect: &str| {
        let damage = Frame::decode(Seq(7), bytes).unwrap_err();
        assert_eq!(damage.to_string(), format!("record 7: its frame {expect}"));
    };
    check(b"", "is cut short");
    check(&[1; 39], "is cut short");
    let none: (u32, &[u8]) = (0, b"");
    let mut other_version = crafted(0, 7, 1, [none; 3]);
    other_version[0] = 2;
    check(&other_version, "has the unknown version 2");
    check(&crafted(9, 7, 1, [none; 3]), "is of an unknown kind");
    check(&crafted(0, 8, 1, [none; 3]), "stands in another frame's place");
    check(&crafted(0, 7, 1, [none, (1, b""), none]), "does not decompress to its length");
    check(&crafted(1, 7, 1, [(9, b"no zstd"), none, none]), "does not decompress");
    let mut lying = crafted(0, 7, 1, [none; 3]);
    lying[12..16].copy_from_slice(&100_u32.to_le_bytes());
    seal(&mut lying);
    check(&lying, "is cut short");
    let squeezed = zstd::bulk::compress(&[0; 1000], 3).unwrap();
    check(&crafted(1, 7, 1, [(999, &squeezed), none, none]), "does not decompress");
    check(&crafted(1, 7, 1, [(1001, &squeezed), none, none]), "does not decompress to its length");
}

/// Says that there is no memory to be had.
const LIMITED: &str = "ANNALS_TEST_LIMITED";

/// Runs [`lies_are_refused`] where there is no memory to be had for a lie.
#[cfg(target_os = "linux")]
#[test]
fn lengths_that_lie_take_no_memory() {
    let tests = std::env::current_exe().unwrap();
    let limited = "ulimit -v 524288 && exec \"$0\" --exact lies_are_refused --nocapture";
    let done =
        std::process::Command::new("sh").args(["-c", limited]).arg(tests).env(LIMITED, "1").output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn lies_are_refused() {
    if std::env::var_os(LIMITED).is_some() {
        let mut much: Vec<u8> = Vec::new();
        assert!(much.try_reserve_exact(600 << 20).is_err(), "memory is limited");
    }

    let none: (u32, &[u8]) = (0, b"");
    let lying = |codec, stored: u32, plain| {
        let mut frame = crafted(codec, 7, u16::MAX, [(plain, b"x"), none, none]);
        frame[12..16].copy_from_slice(&stored.to_le_bytes());
        seal(&mut frame);
        frame
    };
    for length in [600 << 20, u32::MAX] {
        for frame in [lying(0, length, length), lying(1, length, length), lying(1, 1, length)] {
            assert!(Frame::decode(Seq(7), &frame).is_err());
        }
    }
    let zeros = std::io::Read::take(std::io::repeat(0), 600 << 20);
    let bomb = zstd::stream::encode_all(zeros, 3).unwrap();
    for plain in [1, 1000, 16 << 20, 600 << 20, u32::MAX] {
        assert!(Frame::decode(Seq(7), &crafted(1, 7, 1, [(plain, &bomb), none, none])).is_err());
    }

    // Not even the truth is believed beyond what a section can need.
    let much = zstd::bulk::compress(&vec![0; 17 << 20], 3).unwrap();
    assert!(Frame::decode(Seq(7), &crafted(1, 7, 1, [(17 << 20, &much), none, none])).is_err());

    // bincode: a count or a length of nearly 2⁶³ before each thing of which there can be many.
    let many = [&[253][..], &(u64::MAX / 2).to_le_bytes(), b"short"].concat();
    let behind = |before: &[u8]| [before, &many].concat();
    let refused = |op: u8, claims: &[u8], details: &[u8]| {
        let salt = Seal::Salt([0; 16]);
        let damage =
            StoredRecord::decode(&raw(op, 1, ["main", "e", "x"], salt, claims, details)).unwrap_err();
        assert_eq!(damage.records, Some((Seq(1), Seq(1))));
    };
    // The text of a date, the effects, the members of a set.
    for before in [&[1][..], &[0], &[0, 1, 0, 1, b'e', 1, b'a', 1]] {
        refused(1, &behind(before), &[]);
    }
    // The title, actors, tags, sources, links and the text of `extra`, what stands before them empty or absent.
    let before = [1, b'T', 0, 0, 0, 0, 0, 0, 0, 0, 1];
    for length in [0, 4, 6, 7, 9, 11] {
        refused(1, &[0, 0], &behind(&before[..length]));
    }
    refused(3, &[], &many);
}

#[test]
fn more_records_than_there_are_is_an_error_at_the_end() {
    let frame = crafted(0, 7, 3, [(0, b""); 3]);
    let frame = Frame::decode(Seq(7), &frame).unwrap();
    let records: Vec<_> = frame.records().collect();
    assert_eq!(records.len(), 1, "nothing after an error");
    let damage = records[0].as_ref().unwrap_err();
    assert_eq!(damage.records, Some((Seq(7), Seq(9))));
}

/// What would not come back is not written.
#[test]
fn a_record_that_contradicts_itself_is_not_encoded() {
    let record = |op, content| Record {
        seq: Seq(1),
        recorded_at: RecordedAt::from_micros(0),
        recorded_by: "tester".to_owned(),
        timeline: TimelineName::new("main").unwrap(),
        id: EventId::new("e").unwrap(),
        op,
        content,
    };
    let event = || Content::Event(Box::new(Event::new(EventId::new("e").unwrap(), "title")));
    let other = Content::Event(Box::new(Event::new(EventId::new("other").unwrap(), "title")));
    let (salt, erased) = (Seal::Salt([0; 16]), Seal::Commitment([0; 32]));
    for (op, content, seal) in [
        (Op::Append, event(), erased),
        (Op::Append, Content::Redacted, salt),
        (Op::Append, Content::Reason("why".to_owned()), salt),
        (Op::Retract, event(), salt),
        (Op::Retract, Content::Redacted, salt),
        (Op::Append, other, salt),
    ] {
        let stored = StoredRecord { record: record(op, content), previous: None, seal };
        assert!(stored.encode().is_err(), "{stored:?}");
    }
}
