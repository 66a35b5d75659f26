//! The contract of a log: what [`annals_core::Store`] relies on, whatever the storage.
//!
//! Each function takes an empty log and panics where the log breaks its promise. An implementation runs them
//! all through [`log_contract!`](crate::log_contract), so that its test report names each one.

use std::num::NonZeroUsize;

use annals_core::{BLOCK, Conflict, Error, Host, Log, NotFound, Resume, Store, WriteOptions, scan};
use annals_model::{
    Change, Content, Date, Effect, Entry, Event, EventId, Expectation, KnownAt, Op, Outcome, RecordedAt,
    Scalar, Seq, TimelineName, Value, Version, When, Write, Written,
};

use crate::TestHost;
pub use crate::redactions::{
    a_redacted_event_answers_later_writes, a_redacted_log_is_taken_over,
    a_redaction_erases_content_and_keeps_leaves, a_redaction_reaches_an_older_copy,
    a_redaction_reaches_every_block, an_import_that_is_run_again_brings_nothing_back,
};

/// Makes one test of each point of the contract. `$log` is evaluated for each and gives whatever the log needs to
/// outlive it, and the log itself, fresh and empty.
#[macro_export]
macro_rules! log_contract {
    ($log:expr) => {
        $crate::log_contract!(@ $log;
            an_empty_log_has_nothing
            what_was_appended_is_read_back
            a_batch_is_all_or_nothing
            appending_again_writes_nothing
            other_content_is_a_conflict
            an_expectation_is_held_against_the_version
            revisions_and_retractions_build_a_history
            what_is_not_there_cannot_be_corrected
            timelines_do_not_mix
            record_times_never_go_back
            record_times_can_be_kept
            positions_follow_record_times
            roots_of_every_prefix_stay
            a_large_batch_fills_frames_and_blocks
            a_block_that_is_complete_is_sealed
            an_import_can_be_run_again
            an_import_in_pieces_is_all_or_nothing
            a_whole_log_verifies
            a_redaction_erases_content_and_keeps_leaves
            a_redacted_event_answers_later_writes
            a_redaction_reaches_every_block
            a_redacted_log_is_taken_over
            a_redaction_reaches_an_older_copy
            an_import_that_is_run_again_brings_nothing_back
        );
    };
    (@ $log:expr; $($point:ident)*) => {
        $(
            #[test]
            fn $point() {
                let (_guard, log) = $log;
                $crate::contract::$point(log);
            }
        )*
    };
}

fn timeline(name: &str) -> TimelineName {
    TimelineName::new(name).expect("because the test's names are valid")
}

fn id(text: &str) -> EventId {
    EventId::new(text).expect("because the test's ids are valid")
}

/// An event with one effect, so that it takes part in every section of a frame.
fn event(name: &str, date: &str, value: i64) -> Event {
    let mut event = Event::new(id(name), format!("Title of {name}"));
    event.date = Some(Date::parse(date).expect("because the test's dates are valid"));
    event.effects.push(Effect {
        entity: "thing".to_owned(),
        attribute: "value".to_owned(),
        change: Change::Set(Value::Scalar(Scalar::Number(value.into()))),
        when: When::Start,
    });
    event
}

fn append(timeline_name: &str, event: Event) -> Entry {
    Entry::new(timeline(timeline_name), Write::Append(Box::new(event)))
}

fn revise(timeline_name: &str, event: Event) -> Entry {
    Entry::new(timeline(timeline_name), Write::Revise(Box::new(event)))
}

fn retract(timeline_name: &str, name: &str, reason: &str) -> Entry {
    Entry::new(timeline(timeline_name), Write::Retract { id: id(name), reason: reason.to_owned() })
}

fn write<L: Log>(store: &Store<L>, host: &TestHost, entries: Vec<Entry>) -> Vec<Written> {
    store.write(entries, host, &WriteOptions::by("tester")).expect("because the write is in order")
}

fn all<L: Log>(store: &Store<L>) -> Vec<annals_core::StoredRecord> {
    let end = store.log().head().expect("because the log can be read").seq();
    let mut records = Vec::new();
    scan::each(store.log(), Seq(1), end, |record| {
        records.push(record);
        Ok(())
    })
    .expect("because the log can be read");
    records
}

/// Nothing is there, and asking says so.
pub fn an_empty_log_has_nothing(log: impl Log) {
    let store = Store::new(log);
    assert_eq!(store.log().head().unwrap().seq(), Seq(0));
    assert!(all(&store).is_empty());
    assert_eq!(store.log().version(&timeline("main")).unwrap(), Version(0));
    assert!(store.log().timelines().unwrap().is_empty());
    assert_eq!(store.log().event(&timeline("main"), &id("x")).unwrap(), None);
    let asked = store.known(&timeline("main"), KnownAt::Everything);
    assert!(matches!(asked, Err(Error::NotFound(NotFound::Timeline(_)))));
    assert!(store.verify(None).unwrap().damage.is_empty());
}

/// Every field of a record comes back.
pub fn what_was_appended_is_read_back(log: impl Log) {
    let (store, host) = (Store::new(log), TestHost::new(1));
    let answer = write(&store, &host, vec![append("main", event("a", "2004", 1))]).remove(0);
    assert_eq!((answer.outcome, answer.seq, answer.version), (Outcome::Appended, Seq(1), Version(1)));
    let stored = all(&store).remove(0);
    assert_eq!(stored.record.seq, Seq(1));
    assert_eq!(stored.record.recorded_by, "tester");
    assert_eq!(stored.record.op, Op::Append);
    assert_eq!(stored.record.content, Content::Event(Box::new(event("a", "2004", 1))));
    assert_eq!(stored.previous, None);
}

/// A batch with one bad entry leaves no trace.
pub fn a_batch_is_all_or_nothing(log: impl Log) {
    let (store, host) = (Store::new(log), TestHost::new(2));
    write(&store, &host, vec![append("main", event("a", "2004", 1))]);
    let before = store.log().head().unwrap();
    let batch = vec![append("main", event("b", "2005", 2)), append("main", event("a", "2004", 9))];
    let failed = store.write(batch, &host, &WriteOptions::by("tester")).unwrap_err();
    assert_eq!(failed.index, Some(1));
    assert_eq!(store.log().head().unwrap(), before);
    assert_eq!(store.log().event(&timeline("main"), &id("b")).unwrap(), None);
    let batch = (0..10).map(|n| append("main", event(&format!("n{n}"), "2004", n))).collect();
    let answers = write(&store, &host, batch);
    assert_eq!(answers.iter().map(|a| a.seq.0).collect::<Vec<_>>(), (2..12).collect::<Vec<_>>());
    assert_eq!(store.log().version(&timeline("main")).unwrap(), Version(11));
}

/// The same event again, whichever of its versions, is there already.
pub fn appending_again_writes_nothing(log: impl Log) {
    let (store, host) = (Store::new(log), TestHost::new(3));
    write(&store, &host, vec![append("main", event("a", "2004", 1)), revise("main", event("a", "2005", 2))]);
    let head = store.log().head().unwrap();
    for (again, seq) in [(event("a", "2004", 1), 1), (event("a", "2005", 2), 2)] {
        let answer = write(&store, &host, vec![append("main", again)]).remove(0);
        assert_eq!((answer.outcome, answer.seq), (Outcome::AlreadyAppended, Seq(seq)));
    }
    let answer = write(&store, &host, vec![revise("main", event("a", "2005", 2))]).remove(0);
    assert_eq!((answer.outcome, answer.seq), (Outcome::AlreadyRevised, Seq(2)));
    write(&store, &host, vec![retract("main", "a", "wrong")]);
    let answer = write(&store, &host, vec![retract("main", "a", "still wrong")]).remove(0);
    assert_eq!((answer.outcome, answer.seq), (Outcome::AlreadyRetracted, Seq(3)));
    assert_eq!(store.log().head().unwrap().seq(), head.seq().next());
    // Within one batch, too.
    let twice = vec![append("main", event("b", "2004", 1)), append("main", event("b", "2004", 1))];
    let outcomes: Vec<Outcome> = write(&store, &host, twice).iter().map(|a| a.outcome).collect();
    assert_eq!(outcomes, [Outcome::Appended, Outcome::AlreadyAppended]);
}

/// The same id with other content is refused, and the answer names the record that is there.
pub fn other_content_is_a_conflict(log: impl Log) {
    let (store, host) = (Store::new(log), TestHost::new(4));
    write(&store, &host, vec![append("main", event("a", "2004", 1))]);
    let other = store.write(vec![append("main", event("a", "2004", 2))], &host, &WriteOptions::by("t"));
    let Error::Conflict(Conflict::DifferentContent { seq, .. }) = other.unwrap_err().error else {
        panic!("expected a conflict");
    };
    assert_eq!(seq, Seq(1));
}

/// A missed expectation is a conflict that names both versions; a met one, or a repeated write, is none.
pub fn an_expectation_is_held_against_the_version(log: impl Log) {
    let (store, host) = (Store::new(log), TestHost::new(5));
    let expecting = |expect| WriteOptions { expect, ..WriteOptions::by("t") };
    let try_append = |name: &str, expect| {
        store.write(vec![append("main", event(name, "2004", 1))], &host, &expecting(expect))
    };
    assert!(try_append("a", Expectation::Exists).is_err());
    assert!(try_append("a", Expectation::Empty).is_ok());
    assert!(try_append("b", Expectation::Exactly(Version(1))).is_ok());
    assert!(try_append("b", Expectation::Exactly(Version(1))).is_ok(), "a retry after the answer was lost");
    let Error::Conflict(Conflict::Version { expected, actual, .. }) =
        try_append("c", Expectation::Exactly(Version(1))).unwrap_err().error
    else {
        panic!("expected a conflict");
    };
    assert_eq!((expected, actual), (Expectation::Exactly(Version(1)), Version(2)));
    assert!(try_append("c", Expectation::Exists).is_ok());
    let batch = vec![append("main", event("d", "2004", 1)), append("other", event("d", "2004", 1))];
    assert!(
        store.write(batch, &host, &expecting(Expectation::Exists)).is_err(),
        "one version, two timelines"
    );
}

/// The records of an event are linked, and its entry knows the first and the last.
pub fn revisions_and_retractions_build_a_history(log: impl Log) {
    let (store, host) = (Store::new(log), TestHost::new(6));
    write(&store, &host, vec![append("main", event("a", "2004", 1)), append("main", event("b", "2004", 1))]);
    write(&store, &host, vec![revise("main", event("a", "2005", 2))]);
    write(&store, &host, vec![retract("main", "a", "unfounded"), revise("main", event("a", "2006", 3))]);
    let history = store.history(&timeline("main"), &id("a")).unwrap();
    let seqs: Vec<u64> = history.iter().map(|stored| stored.record.seq.0).collect();
    assert_eq!(seqs, [1, 3, 4, 5]);
    let links: Vec<Option<u64>> = history.iter().map(|stored| stored.previous.map(|seq| seq.0)).collect();
    assert_eq!(links, [None, Some(1), Some(3), Some(4)]);
    assert_eq!(history[2].record.content, Content::Reason("unfounded".to_owned()));
    let counts = |known_at| {
        let known = store.known(&timeline("main"), known_at).unwrap();
        let dates = known.events().iter().map(|e| e.event.date.as_ref().map(ToString::to_string).unwrap());
        (dates.collect::<Vec<_>>().join(" "), known.withdrawn().len())
    };
    assert_eq!(counts(KnownAt::Position(Seq(2))), ("2004 2004".to_owned(), 0));
    assert_eq!(counts(KnownAt::Position(Seq(3))), ("2005 2004".to_owned(), 0));
    assert_eq!(counts(KnownAt::Position(Seq(4))), ("2004".to_owned(), 1));
    assert_eq!(counts(KnownAt::Everything), ("2006 2004".to_owned(), 0));
}

/// Only what is there can be revised or retracted.
pub fn what_is_not_there_cannot_be_corrected(log: impl Log) {
    let (store, host) = (Store::new(log), TestHost::new(7));
    write(&store, &host, vec![append("other", event("a", "2004", 1))]);
    for entry in [revise("main", event("a", "2004", 1)), retract("main", "a", "why")] {
        let error = store.write(vec![entry], &host, &WriteOptions::by("t")).unwrap_err().error;
        assert!(matches!(error, Error::NotFound(NotFound::Event { .. })));
    }
}

/// The same id in two timelines is two events.
pub fn timelines_do_not_mix(log: impl Log) {
    let (store, host) = (Store::new(log), TestHost::new(8));
    // Names that are prefixes of each other: no key of the one may be taken for the other's.
    let entries = [("a", "b.c"), ("a.b", "c"), ("a", "x"), ("a.b", "x")];
    write(&store, &host, entries.iter().map(|(name, id)| append(name, event(id, "2004", 1))).collect());
    let ids = |name: &str| {
        let entries = store.log().events(&timeline(name)).collect::<annals_core::Result<Vec<_>>>().unwrap();
        let mut ids: Vec<String> = entries.into_iter().map(|(id, _)| id.to_string()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids("a"), ["b.c", "x"]);
    assert_eq!(ids("a.b"), ["c", "x"]);
    let versions: Vec<u64> = store.log().timelines().unwrap().iter().map(|(_, version)| version.0).collect();
    assert_eq!(versions, [2, 2]);
    assert_eq!(store.known(&timeline("a"), KnownAt::Everything).unwrap().events().len(), 2);
}

/// A clock that is set back does not take the record times with it.
pub fn record_times_never_go_back(log: impl Log) {
    let (store, host) = (Store::new(log), TestHost::new(9));
    write(&store, &host, vec![append("main", event("a", "2004", 1))]);
    host.set_now(RecordedAt::from_micros(0));
    write(&store, &host, vec![append("main", event("b", "2004", 1))]);
    let times: Vec<RecordedAt> = all(&store).iter().map(|stored| stored.record.recorded_at).collect();
    assert_eq!(times[0], times[1]);
}

/// Times, authors and salts of another log can be kept, and give the same root; times that go back cannot.
pub fn record_times_can_be_kept(log: impl Log) {
    let (store, host) = (Store::new(log), TestHost::new(10));
    let keeping = WriteOptions { keep_record_times: true, ..WriteOptions::by("t") };
    let at = |micros, name: &str| Entry {
        recorded_at: Some(RecordedAt::from_micros(micros)),
        recorded_by: Some("someone else".to_owned()),
        salt: Some([7; 16]),
        ..append("main", event(name, "2004", 1))
    };
    store.write(vec![at(5_000_000, "a"), at(5_000_000, "b")], &host, &keeping).unwrap();
    let records = all(&store);
    assert_eq!(records[0].record.recorded_at, RecordedAt::from_micros(5_000_000));
    assert_eq!(records[0].record.recorded_by, "someone else");
    assert_eq!(records[0].salt(), Some(&[7; 16]));
    assert!(store.write(vec![at(4_999_999, "c")], &host, &keeping).is_err(), "earlier than the last");
    assert!(store.write(vec![at(host.now().micros() * 2, "c")], &host, &keeping).is_err(), "in the future");
    let host_time = host.now();
    write(&store, &host, vec![at(1, "d")]);
    assert!(all(&store)[2].record.recorded_at > host_time, "not kept unless asked for");
}

/// A moment of the record axis finds its position, between records and outside of them.
pub fn positions_follow_record_times(log: impl Log) {
    let (store, host) = (Store::new(log), TestHost::new(11));
    for (name, second) in [("a", 10), ("b", 20), ("c", 20), ("d", 30)] {
        host.set_now(RecordedAt::from_micros(second * 1_000_000));
        write(&store, &host, vec![append("main", event(name, "2004", 1))]);
    }
    for (second, seq) in [(9, 0), (10, 1), (15, 1), (20, 3), (29, 3), (30, 4), (99, 4)] {
        let at = KnownAt::At(RecordedAt::from_micros(second * 1_000_000));
        assert_eq!(store.position(at).unwrap().seq, Seq(seq), "second {second}");
    }
    assert!(store.position(KnownAt::Position(Seq(5))).is_err());
    let before_all = KnownAt::Position(Seq(0));
    assert!(store.known(&timeline("main"), before_all).unwrap().events().is_empty());
}

/// The root over the first n records is the same after any number of later ones.
pub fn roots_of_every_prefix_stay(log: impl Log) {
    let (store, host) = (Store::new(log), TestHost::new(12));
    let mut roots = vec![store.log().head().unwrap().frontier.root()];
    for n in 0..20 {
        write(&store, &host, vec![append("main", event(&format!("n{n}"), "2004", n))]);
        roots.push(store.log().head().unwrap().frontier.root());
    }
    let rest = (20..700).map(|n| append("main", event(&format!("n{n}"), "2004", n))).collect();
    write(&store, &host, rest);
    for (count, root) in (0..).zip(roots) {
        assert_eq!(scan::root_at(store.log(), Seq(count)).unwrap(), root, "after {count} records");
    }
}

/// Frames are full where they can be, and every block of 256 has its root.
pub fn a_large_batch_fills_frames_and_blocks(log: impl Log) {
    let (store, host) = (Store::new(log), TestHost::new(13));
    write(&store, &host, vec![append("main", event("first", "2004", 0))]);
    let batch = (0..1000).map(|n| append("main", event(&format!("n{n}"), "2004", n))).collect();
    write(&store, &host, batch);
    let frames = store.log().frames(Seq(1)).count();
    assert!(frames < 20, "{frames} frames");
    let whole_blocks: Vec<bool> = (0..4).map(|index| store.log().block(index).unwrap().is_some()).collect();
    assert_eq!(whole_blocks, [true, true, true, false]);
    assert_eq!(scan::one(store.log(), Seq(600)).unwrap().record.seq, Seq(600));
    assert_eq!(all(&store).len(), 1001);
}

/// The commit that completes a block leaves few frames of it, with the same records and roots.
pub fn a_block_that_is_complete_is_sealed(log: impl Log) {
    let (store, host) = (Store::new(log), TestHost::new(16));
    let mut roots = Vec::new();
    let mut records = Vec::new();
    let mut grow = |size: u64| {
        let end = store.log().head().unwrap().seq().0;
        let batch = (end..end + size).map(|n| append("main", event(&format!("n{n}"), "2004", 1))).collect();
        write(&store, &host, batch);
        roots.push((end + size, store.log().head().unwrap().frontier.root()));
        if end + size == 255 {
            records = all(&store);
        }
        store.log().frames(Seq(1)).count()
    };
    let frames: Vec<usize> = (1..=255).map(|_| grow(1)).collect();
    assert_eq!(frames, (1..=255).collect::<Vec<_>>(), "one after the other");
    assert_eq!(grow(1), 1, "by a single record");
    for _ in 0..25 {
        grow(10);
    }
    assert_eq!(grow(300), 4, "by a batch that reaches beyond it");
    let report = store.verify(None).unwrap();
    assert_eq!((report.damage, report.records, report.frames), (Vec::new(), 806, 4));
    assert_eq!(all(&store)[..255], records);
    for (count, root) in roots {
        assert_eq!(scan::root_at(store.log(), Seq(count)).unwrap(), root, "after {count} records");
    }
    // A reader may ask for any of them.
    for seq in [1, 2, 255, 256, 257, 511, 512, 513, 806] {
        assert_eq!(scan::one(store.log(), Seq(seq)).unwrap().record.seq, Seq(seq));
    }
}

/// An import that broke off continues where it stopped, with the revisions in the right order.
pub fn an_import_can_be_run_again(log: impl Log) {
    let (store, host) = (Store::new(log), TestHost::new(14));
    let lines = || {
        vec![
            append("main", event("a", "2004", 1)),
            revise("main", event("a", "2005", 2)),
            retract("main", "a", "unfounded"),
            revise("main", event("a", "2004", 1)),
            revise("main", event("a", "2005", 2)),
            append("main", event("b", "2004", 1)),
        ]
    };
    for stop in 0..=lines().len() {
        let mut resume = annals_core::Resume::default();
        let some = lines().into_iter().take(stop).collect();
        store.import(some, &host, &WriteOptions::by("t"), &mut resume).unwrap();
        assert_eq!(store.log().head().unwrap().seq(), Seq(stop as u64), "after {stop} lines");
    }
    let known = store.known(&timeline("main"), KnownAt::Everything).unwrap();
    assert_eq!(known.events()[0].event, event("a", "2005", 2));
    // What was corrected by hand since is not undone, even by a file that only revises.
    write(&store, &host, vec![revise("main", event("a", "2017", 9))]);
    let end = store.log().head().unwrap().seq();
    for again in [lines(), lines().split_off(1)] {
        let mut resume = annals_core::Resume::default();
        store.import(again, &host, &WriteOptions::by("t"), &mut resume).unwrap();
        assert_eq!(store.log().head().unwrap().seq(), end);
    }
    // A single revision is no import: it may go back to an earlier version.
    write(&store, &host, vec![revise("main", event("a", "2004", 1))]);
    assert_eq!(store.log().head().unwrap().seq(), end.next());
}

/// What was written in order is found in order.
pub fn a_whole_log_verifies(log: impl Log) {
    let (store, host) = (Store::new(log), TestHost::new(15));
    for n in 0..300 {
        let name = format!("n{}", n % 100);
        let entry = match n / 100 {
            0 => append("main", event(&name, "2004", n)),
            1 => revise("main", event(&name, "2005", n)),
            _ => retract("main", &name, "done"),
        };
        write(&store, &host, vec![entry]);
    }
    write(&store, &host, (0..700).map(|n| append("two", event(&format!("n{n}"), "2004", n))).collect());
    let report = store.verify(None).unwrap();
    assert_eq!(report.damage, []);
    assert_eq!((report.records, report.events, report.timelines), (1000, 800, 2));
    assert_eq!(report.root, store.log().head().unwrap().frontier.root());
}

/// An import that is larger than a piece comes to the log wholly, at its end, or not at all.
pub fn an_import_in_pieces_is_all_or_nothing(log: impl Log) {
    let (store, host) = (Store::new(log).with_piece(BLOCK), TestHost::new(5));
    write(&store, &host, vec![append("main", event("before", "2004", 1))]);
    let import = |entries: Vec<Entry>| {
        let end = store.log().head().expect("because the log can be read");
        let looking = entries.into_iter().map(|entry| {
            assert_eq!(store.log().head().expect("because the log can be read"), end);
            Ok(entry)
        });
        let (options, mut resume) = (WriteOptions::by("tester"), Resume::default());
        store.import_from(looking, &host, &options, &mut resume, NonZeroUsize::MIN, |_| ())
    };
    let some = || (0..900).map(|n| append("main", event(&format!("e{n}"), "2005", n)));
    let before = all(&store);
    assert!(import(some().chain([append("main", event("e3", "2006", 7))]).collect()).is_err());
    assert_eq!(all(&store), before);
    let corrected = revise("main", event("e3", "2006", 7));
    let erased =
        Entry::new(timeline("main"), Write::Redact { id: id("before"), reason: "asked for".to_owned() });
    import(some().chain([corrected, erased]).collect()).expect("because the import is in order");
    let after = all(&store);
    assert_eq!(after.len(), 903);
    assert_eq!((after[0].salt(), after[901].previous), (None, Some(Seq(5))));
    let report = store.verify(None).expect("because the log can be read");
    assert_eq!(report.damage, []);
}
