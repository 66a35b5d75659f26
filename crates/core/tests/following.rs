//! Following a log from outside while it is written: every record once, in order, whatever becomes of the tail
//! file, the store and its writers; and no writer is ever held up by it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code: a panic is how a test fails")]

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

mod common;

use annals_core::{
    Commit, Durability, Encoded, Error, EventEntry, Follower, Log, Seal, SledLog, SledOptions, Store,
    StoredRecord, WriteOptions, commitment, pack, scan,
};
use annals_model::{Content, Entry, Event, Op, Record, RecordedAt, Seq, Write};
use annals_testkit::TestHost;
use annals_testkit::files::copy_directory;
use common::{append, fill, id, timeline};
use tempfile::TempDir;

/// How often something is tried that has to come about: with [`PAUSE`] far longer than it ever takes.
const TRIES: usize = 4000;
const PAUSE: Duration = Duration::from_millis(5);

/// A store that can be closed and opened again, and is written with one clock.
struct Place {
    directory: TempDir,
    host: TestHost,
}

impl Place {
    fn new() -> Self {
        Self::with(Durability::Each)
    }

    fn with(durability: Durability) -> Self {
        let place = Self { directory: tempfile::tempdir().unwrap(), host: TestHost::new(7) };
        SledLog::create(&place.store(), &SledOptions { durability, ..SledOptions::default() }).unwrap();
        place
    }

    fn store(&self) -> PathBuf {
        self.directory.path().join("store")
    }

    fn tail(&self) -> PathBuf {
        self.store().join("tail")
    }

    fn open(&self) -> Store<SledLog> {
        Store::new(SledLog::open(&self.store(), &SledOptions::default()).unwrap())
    }

    /// Opens the store, writes each of these events with a commit of its own, and closes it.
    fn write(&self, first: u64, last: u64) {
        let store = self.open();
        for number in first..=last {
            fill(&store, &self.host, number, number);
        }
    }

    fn follow(&self, from: u64) -> Follower {
        Follower::new(&self.store(), Seq(from), SledOptions::default()).unwrap()
    }

    fn size_of_tail(&self) -> u64 {
        fs::metadata(self.tail()).unwrap().len()
    }
}

/// What the follower has to give now, without anything being opened or closed: asked until it gives nothing.
fn given(follower: &mut Follower) -> Vec<StoredRecord> {
    let mut all = Vec::new();
    loop {
        let some = follower.poll().unwrap();
        if some.is_empty() {
            return all;
        }
        all.extend(some);
    }
}

/// Asks until the follower has given so many records, which it must in the end.
fn given_in_time(follower: &mut Follower, count: usize) -> Vec<StoredRecord> {
    let mut all = Vec::new();
    for _ in 0..TRIES {
        let some = follower.poll().unwrap();
        if some.is_empty() {
            std::thread::sleep(PAUSE);
        }
        all.extend(some);
        if all.len() >= count {
            return all;
        }
    }
    panic!("{} of {count} records came", all.len());
}

fn seqs(records: &[StoredRecord]) -> Vec<u64> {
    records.iter().map(|stored| stored.record.seq.0).collect()
}

fn all(log: &impl Log) -> Vec<StoredRecord> {
    let mut all = Vec::new();
    scan::each(log, Seq(1), log.head().unwrap().seq(), |record| {
        all.push(record);
        Ok(())
    })
    .unwrap();
    all
}

/// An event whose text does not get smaller.
fn large(number: u64, bytes: usize) -> Entry {
    let mut event = Event::new(id(number), "A large event");
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let text = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'!' + u8::try_from(state % 90).unwrap())
    });
    event.description = Some(text.filter(|c| !matches!(c, '"' | '\\')).take(bytes).collect());
    Entry::new(timeline(), Write::Append(Box::new(event)))
}

fn write(store: &Store<SledLog>, host: &TestHost, entries: Vec<Entry>) {
    store.write(entries, host, &WriteOptions::by("tester")).unwrap();
}

#[test]
fn every_record_comes_once_and_in_order_while_a_writer_has_the_store() {
    let place = Place::new();
    let store = place.open();
    let written = AtomicBool::new(false);
    let followed = std::thread::scope(|scope| {
        let follower = scope.spawn(|| {
            let mut follower = place.follow(1);
            let mut records = Vec::new();
            loop {
                let over = written.load(Ordering::SeqCst);
                let some = given(&mut follower);
                if over && some.is_empty() {
                    return records;
                }
                records.extend(some);
            }
        });
        let mut next = 1;
        for batch in 0..200 {
            let size = [1, 1, 1, 40, 300][batch % 5];
            fill(&store, &place.host, next, next + size - 1);
            next += size;
        }
        written.store(true, Ordering::SeqCst);
        follower.join().unwrap()
    });
    assert_eq!(followed.len(), 40 * 343);
    assert_eq!(followed, all(store.log()));
}

#[test]
fn a_follower_begins_wherever_it_is_told_to() {
    let place = Place::new();
    assert_eq!(Follower::end(&place.store()).unwrap(), Seq(0));
    let store = place.open();
    fill(&store, &place.host, 1, 300);
    fill(&store, &place.host, 301, 310);
    assert_eq!(Follower::end(&place.store()).unwrap(), Seq(310));
    for from in [1, 2, 256, 257, 300, 301, 305, 310] {
        assert_eq!(seqs(&given(&mut place.follow(from))), (from..=310).collect::<Vec<_>>());
    }
    let (mut now, mut later) = (place.follow(311), place.follow(313));
    assert_eq!((given(&mut now).len(), given(&mut later).len()), (0, 0));
    fill(&store, &place.host, 311, 314);
    assert_eq!(
        (seqs(&given(&mut now)), seqs(&given(&mut later))),
        (vec![311, 312, 313, 314], vec![313, 314])
    );
    assert_eq!(now.due(), Seq(315));
    drop(store);
    let nowhere = place.directory.path().join("nowhere");
    assert!(matches!(Follower::new(&nowhere, Seq(1), SledOptions::default()), Err(Error::NotFound(_))));
    assert!(matches!(Follower::end(&nowhere), Err(Error::NotFound(_))));
}

/// While the lock is somebody else's the follower cannot even try: what it gives, it has without the store.
#[test]
fn writers_come_and_go_and_the_follower_needs_no_lock() {
    let place = Place::new();
    let mut follower = place.follow(1);
    for number in 1..=30 {
        place.write(number, number);
        let lock = File::options().write(true).open(place.store().join("lock")).unwrap();
        lock.lock().unwrap();
        assert_eq!(seqs(&given(&mut follower)), [number]);
        assert_eq!(Follower::end(&place.store()).unwrap(), Seq(number));
    }
}

#[test]
fn a_file_that_grows_too_large_is_replaced_and_nobody_loses_their_place() {
    let place = Place::new();
    let store = place.open();
    let mut follower = place.follow(1);
    let (mut largest, mut replaced, mut size) = (0, 0, 0);
    for number in 1..=300 {
        write(&store, &place.host, vec![large(number, 40_000)]);
        // Always one behind when the file changes.
        if number > 1 {
            assert!(seqs(&follower.poll().unwrap()).contains(&(number - 1)), "{number}");
            follower = place.follow(number);
        }
        largest = largest.max(place.size_of_tail());
        replaced += u64::from(place.size_of_tail() < size);
        size = place.size_of_tail();
    }
    assert!(replaced >= 2 && largest <= 4 * 1024 * 1024, "{replaced} times, {largest} bytes");
    assert!(!place.store().join("tail.new").exists());
    // One that keeps its place in the old file finds it in the new one.
    let mut keeping = place.follow(301);
    for number in 301..=500 {
        write(&store, &place.host, vec![large(number, 40_000)]);
        if number % 7 == 0 {
            assert_eq!(given(&mut keeping).last().unwrap().record.seq, Seq(number));
        }
    }
    given(&mut keeping);
    assert_eq!(keeping.due(), Seq(501));
}

#[test]
fn who_was_left_behind_waits_for_the_store_and_then_misses_nothing() {
    let place = Place::new();
    let store = place.open();
    let mut follower = place.follow(1);
    for number in 1..=180 {
        write(&store, &place.host, vec![large(number, 40_000)]);
    }
    assert_eq!(given(&mut follower), [], "the file has moved on, and the store is in use");
    let whole = all(store.log());
    drop(store);
    assert_eq!(given_in_time(&mut follower, 180), whole);
    let store = place.open();
    fill(&store, &place.host, 181, 181);
    assert_eq!(seqs(&given(&mut follower)), [181], "and goes on in the file");
}

#[test]
fn a_commit_that_is_too_large_for_the_file_is_read_from_the_store() {
    let place = Place::new();
    let store = place.open();
    let mut follower = place.follow(1);
    fill(&store, &place.host, 1, 3);
    assert_eq!(seqs(&given(&mut follower)), [1, 2, 3]);
    write(&store, &place.host, (4..=123).map(|number| large(number, 190_000)).collect());
    assert!(place.size_of_tail() < 100, "{} bytes", place.size_of_tail());
    fill(&store, &place.host, 124, 124);
    assert_eq!(given(&mut follower), []);
    assert_eq!(seqs(&given(&mut place.follow(124))), [124]);
    drop(store);
    assert_eq!(seqs(&given_in_time(&mut follower, 121)), (4..=124).collect::<Vec<_>>());
}

/// A closed store whose tail file can be tampered with, and what it holds.
fn closed() -> (Place, Vec<StoredRecord>) {
    let place = Place::new();
    place.write(1, 4);
    let records = all(place.open().log());
    (place, records)
}

/// From every position, with a new follower and with one that was in the middle of the file.
fn gives_all_of(place: &Place, records: &[StoredRecord], what: &str) {
    for from in 1..=records.len() {
        let mut follower = place.follow(from as u64);
        assert_eq!(given_in_time(&mut follower, records.len() - from + 1), records[from - 1..], "{what}");
        assert_eq!(given(&mut follower), [], "{what}");
    }
}

#[test]
fn a_torn_tail_costs_nothing() {
    let (place, mut records) = closed();
    let whole = fs::read(place.tail()).unwrap();
    for length in 0..whole.len() {
        fs::write(place.tail(), &whole[..length]).unwrap();
        gives_all_of(&place, &records, &format!("cut after {length} bytes"));
    }
    // The next writer begins it anew, with what came before, so that even while it has the store all is there.
    let mut follower = place.follow(1);
    fs::write(place.tail(), &whole[..whole.len() - 3]).unwrap();
    let store = place.open();
    fill(&store, &place.host, 5, 5);
    records = all(store.log());
    assert_eq!(given(&mut follower), records);
}

#[test]
fn a_flipped_bit_in_the_tail_is_never_taken_for_a_record() {
    let (place, records) = closed();
    let whole = fs::read(place.tail()).unwrap();
    for byte in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[byte] ^= 1 << (byte % 8);
        fs::write(place.tail(), &flipped).unwrap();
        gives_all_of(&place, &records, &format!("byte {byte}"));
    }
}

#[test]
fn a_missing_or_foreign_tail_costs_nothing() {
    let (place, records) = closed();
    fs::remove_file(place.tail()).unwrap();
    gives_all_of(&place, &records, "missing");
    assert!(place.tail().exists(), "it was begun anew on the occasion");
    let foreign = Place::new();
    foreign.write(1, 2);
    for content in [b"gibberish".to_vec(), vec![0; 5000], Vec::new()] {
        fs::write(place.tail(), content).unwrap();
        gives_all_of(&place, &records, "gibberish");
        fs::write(place.tail(), fs::read(foreign.tail()).unwrap()).unwrap();
        place.write(5, 5);
        let store = place.open();
        assert_eq!(given(&mut place.follow(1)), all(store.log()), "the writer has replaced another store's");
        drop(store);
        return_to(&place, &records);
    }
}

/// Takes a store back to a copy of an earlier moment: here it is made again with the same events.
fn return_to(place: &Place, records: &[StoredRecord]) {
    let again = Place::new();
    again.write(1, records.len() as u64);
    fs::remove_dir_all(place.store()).unwrap();
    copy_directory(&again.store(), &place.store());
}

/// After a power cut the file may have its end and lack something before it.
#[test]
fn a_writer_that_stays_notices_a_hole_before_the_end() {
    let (place, _) = closed();
    let mut bytes = fs::read(place.tail()).unwrap();
    let middle = 32 + (bytes.len() - 32) / 2;
    bytes[middle - 8..middle].fill(0);
    fs::write(place.tail(), &bytes).unwrap();
    let store = place.open();
    let mut follower = place.follow(1);
    fill(&store, &place.host, 5, 5);
    fill(&store, &place.host, 6, 6);
    assert_eq!(given(&mut follower), all(store.log()));
}

/// Killed between making a commit durable and telling it: the next writer tells it.
#[test]
fn what_a_killed_writer_did_not_tell_is_told_by_the_next() {
    let (place, _) = closed();
    let (tail, head) = (place.tail(), place.store().join("head"));
    let before = (fs::read(&tail).unwrap(), fs::read(&head).unwrap());
    let mut follower = place.follow(1);
    assert_eq!(given(&mut follower).len(), 4);
    place.write(5, 5);
    fs::write(&tail, before.0).unwrap();
    fs::write(&head, before.1).unwrap();
    assert_eq!(given(&mut follower), []);
    let store = place.open();
    fill(&store, &place.host, 6, 6);
    assert_eq!(seqs(&given(&mut follower)), [5, 6]);
}

#[test]
fn a_tail_that_cannot_be_written_stands_in_the_way_of_nothing() {
    let (place, _) = closed();
    fs::remove_file(place.tail()).unwrap();
    fs::create_dir(place.tail()).unwrap();
    fs::write(place.tail().join("file"), "").unwrap();
    let store = place.open();
    fill(&store, &place.host, 5, 5);
    fill(&store, &place.host, 6, 6);
    let mut follower = place.follow(1);
    assert_eq!(given(&mut follower), []);
    fs::remove_dir_all(place.tail()).unwrap();
    fill(&store, &place.host, 7, 7);
    assert_eq!(given(&mut follower), all(store.log()), "and is there again as soon as it can be");
    assert_eq!(store.verify(store.log().witness()).unwrap().damage, []);
    // Without it, and the store closed, the store itself is read.
    drop(store);
    fs::remove_file(place.tail()).unwrap();
    fs::create_dir(place.tail()).unwrap();
    assert_eq!(given_in_time(&mut place.follow(1), 7).len(), 7);
}

/// What a redaction of record 1 commits: the frame without the content, and the record that says why.
fn redaction(log: &SledLog) -> Commit {
    let stored = |seq| scan::one(log, seq).unwrap();
    let end = log.head().unwrap();
    let erased = |mut stored: StoredRecord| {
        let content = stored.content_json().unwrap();
        stored.seal = Seal::Commitment(commitment(stored.salt().unwrap(), &content));
        stored.record.content = Content::Redacted;
        stored
    };
    let reason = StoredRecord {
        record: Record {
            seq: end.seq().next(),
            recorded_at: end.recorded_at.unwrap_or(RecordedAt::from_micros(0)),
            op: Op::Redact,
            content: Content::Reason("names a child".to_owned()),
            ..stored(Seq(1)).record
        },
        previous: Some(Seq(1)),
        seal: Seal::Salt([9; 16]),
    };
    let encoded = |stored: &StoredRecord| -> Encoded { stored.encode().unwrap() };
    let mut frames = pack(Seq(1), &[encoded(&erased(stored(Seq(1))))]).unwrap();
    frames.extend(pack(reason.record.seq, &[encoded(&reason)]).unwrap());
    let mut head = end.clone();
    head.frontier.push(reason.leaf().unwrap());
    let entry = EventEntry { first: Seq(1), last: reason.record.seq, last_op: Op::Redact };
    Commit { frames, events: vec![(timeline(), id(1), entry)], head, ..Commit::default() }
}

#[test]
fn a_redaction_leaves_nothing_of_the_content_in_the_tail() {
    let place = Place::new();
    let store = place.open();
    let mut event = Event::new(id(1), "A secret");
    event.description = Some("the child's name".to_owned());
    write(&store, &place.host, vec![Entry::new(timeline(), Write::Append(Box::new(event)))]);
    fill(&store, &place.host, 2, 3);
    let holds_it = || {
        let bytes = fs::read(place.tail()).unwrap();
        bytes.windows(16).any(|window| window == b"the child's name")
    };
    assert!(holds_it());
    let mut follower = place.follow(3);
    let redaction = redaction(store.log());
    store.log().commit(&redaction).unwrap();
    assert!(!holds_it());
    assert_eq!(seqs(&given(&mut follower)), [3, 4], "whoever follows does not lose their place");
    let again = given(&mut place.follow(1));
    assert_eq!(seqs(&again), [1, 2, 3, 4]);
    assert_eq!(again[0].record.content, Content::Redacted);
    // Where the content cannot be taken out of the tail, the redaction is refused as a whole.
    fs::remove_file(place.tail()).unwrap();
    fs::create_dir(place.tail()).unwrap();
    let end = store.log().head().unwrap();
    assert!(matches!(store.log().commit(&redaction), Err(Error::Unavailable { .. })));
    assert_eq!(store.log().head().unwrap(), end);
    fill(&store, &place.host, 5, 5);
}

#[test]
fn a_log_that_was_put_back_to_an_earlier_state_is_noticed() {
    let (place, records) = closed();
    let mut follower = place.follow(1);
    place.write(5, 9);
    assert_eq!(given(&mut follower).len(), 9);
    return_to(&place, &records);
    let error = follower.poll().unwrap_err();
    assert!(error.to_string().contains("ends at record 4 now, and record 9 has been given"), "{error}");
    assert!(error.hint().unwrap().contains("backup"));
}

/// As a store without syncs may do when it is killed: it had answered what its log has lost.
#[test]
fn a_log_that_has_lost_its_end_is_noticed_with_the_next_record() {
    let (place, records) = closed();
    let mut follower = place.follow(1);
    place.write(5, 9);
    let answered = fs::read(place.tail()).unwrap();
    assert_eq!(given(&mut follower).len(), 9);
    return_to(&place, &records);
    fs::write(place.tail(), &answered).unwrap();
    assert_eq!(given(&mut follower), []);
    place.write(5, 5);
    let error = follower.poll().unwrap_err();
    assert!(error.to_string().contains("ends at record 5 now, and record 9 has been given"), "{error}");
    // Who comes later gets what the log has.
    assert_eq!(seqs(&given(&mut place.follow(1))), [1, 2, 3, 4, 5]);
}

#[test]
fn a_store_that_is_gone_is_not_waited_for() {
    let (place, _) = closed();
    let mut follower = place.follow(1);
    assert_eq!(given(&mut follower).len(), 4);
    fs::remove_dir_all(place.store()).unwrap();
    assert!(matches!(follower.poll(), Err(Error::NotFound(_))));
}

#[test]
fn a_store_without_syncs_is_followed_too() {
    let place = Place::with(Durability::Os);
    let store = place.open();
    let mut follower = place.follow(1);
    for number in 1..=20 {
        fill(&store, &place.host, number, number);
        assert_eq!(seqs(&given(&mut follower)), [number]);
    }
    drop(store);
    place.write(21, 21);
    assert_eq!(seqs(&given(&mut follower)), [21]);
}

/// Says that it is over, even where the test fails before.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Followers that have to open the store, again and again, and a writer that waits for nobody.
#[test]
fn an_impatient_writer_is_never_refused_because_of_followers() {
    let place = Place::new();
    place.write(1, 1);
    let over = AtomicBool::new(false);
    let opened = std::thread::scope(|scope| {
        let followers = (0..2).map(|_| {
            scope.spawn(|| {
                let mut opened = 0;
                while !over.load(Ordering::SeqCst) {
                    // Without its tail the store has to be opened.
                    let _ = fs::remove_file(place.tail());
                    opened += usize::from(!place.follow(1).poll().unwrap().is_empty());
                    std::thread::sleep(PAUSE);
                }
                opened
            })
        });
        let followers: Vec<_> = followers.collect();
        let stop = Over(&over);
        let impatient = SledOptions { patience: Duration::ZERO, ..SledOptions::default() };
        for number in 2..=40 {
            let store = Store::new(SledLog::open(&place.store(), &impatient).unwrap());
            fill(&store, &place.host, number, number);
            drop(store);
            std::thread::sleep(Duration::from_millis(number % 4));
        }
        drop(stop);
        followers.into_iter().map(|follower| follower.join().unwrap()).sum::<usize>()
    });
    assert!(opened > 0, "the followers did read");
    assert_eq!(given_in_time(&mut place.follow(1), 40).len(), 40);
}

#[test]
fn a_follower_within_the_process_is_woken_when_the_log_grows() {
    let place = Place::new();
    let store = Arc::new(place.open());
    assert_eq!(store.wait_beyond(Seq(0), Duration::ZERO).unwrap(), Seq(0));
    let (sender, followed) = channel();
    let followers = Arc::clone(&store);
    std::thread::spawn(move || {
        let mut at = Seq(0);
        while at < Seq(90) {
            // Nobody who is not woken comes back in the time that the test has.
            let end = followers.wait_beyond(at, Duration::from_secs(3600)).unwrap();
            let tell = |stored| {
                sender.send(stored).unwrap();
                Ok(())
            };
            scan::each(followers.log(), at.next(), end, tell).unwrap();
            at = end;
        }
    });
    let mut records = Vec::new();
    for number in 1..=30 {
        // Long enough for the follower to be waiting, now and then.
        std::thread::sleep(Duration::from_millis(number % 3));
        write(&store, &place.host, (number * 3 - 2..=number * 3).map(append).collect());
        records.extend((0..3).map(|_| followed.recv_timeout(Duration::from_secs(60)).unwrap()));
    }
    assert_eq!(records, all(store.log()));
    assert_eq!(store.wait_beyond(Seq(89), Duration::ZERO).unwrap(), Seq(90));
    assert_eq!(store.wait_beyond(Seq(90), Duration::from_millis(1)).unwrap(), Seq(90));
}

/// The log packs a block anew when it is complete; the tail goes on with what was new.
#[test]
fn a_follower_misses_nothing_when_a_block_is_sealed() {
    let place = Place::new();
    let store = place.open();
    let mut follower = place.follow(1);
    let mut seen = Vec::new();
    for number in 1..=260 {
        fill(&store, &place.host, number, number);
        seen.extend(given(&mut follower));
    }
    assert_eq!(store.log().frames(Seq(1)).count(), 5);
    assert_eq!(seen, all(store.log()));
    // Nor one that comes later, or that reads the store itself.
    assert_eq!(given(&mut place.follow(200)), seen[199..]);
    drop(store);
    fs::remove_file(place.tail()).unwrap();
    assert_eq!(given_in_time(&mut place.follow(1), 260), seen);
}
