//! The part of the contract of a log that is about redactions: what goes, and what has to stay as it was.

use std::num::NonZeroUsize;

use annals_core::{
    BLOCK, Conflict, Error, Frame, Hash, Log, NotFound, Resume, Store, StoredRecord, WriteOptions, scan,
};
use annals_model::line::Line;
use annals_model::{
    Content, Entry, Event, EventId, KnownAt, Op, Outcome, RecordedAt, Seq, Source, TimelineName, Version,
    Write, Written,
};

use crate::records::stored;
use crate::{MemoryLog, TestHost};

/// Stands in everything that has to go.
const MARKER: &str = "SECRET-4711";

fn timeline() -> TimelineName {
    TimelineName::new("main").expect("because the test's names are valid")
}

fn id(text: &str) -> EventId {
    EventId::new(text).expect("because the test's ids are valid")
}

fn event(name: &str, says: &str) -> Box<Event> {
    let mut event = Event::new(id(name), format!("Title {says}"));
    event.description = Some(format!("It says {says}. ").repeat(20));
    event.sources.push(Source { quote: Some(says.to_owned()), ..Source::default() });
    Box::new(event)
}

fn entry(write: Write) -> Entry {
    Entry::new(timeline(), write)
}

fn append(name: &str, says: &str) -> Entry {
    entry(Write::Append(event(name, says)))
}

fn redact(name: &str) -> Entry {
    entry(Write::Redact { id: id(name), reason: "asked for".to_owned() })
}

fn write<L: Log>(store: &Store<L>, host: &TestHost, entries: Vec<Entry>) -> Vec<Written> {
    store.write(entries, host, &WriteOptions::by("tester")).expect("because the write is in order")
}

/// Every leaf, and the roots over the records up to some of them.
fn leaves_and_roots<L: Log>(store: &Store<L>) -> (Vec<Hash>, Vec<Hash>) {
    let leaves: Vec<Hash> = stored(store).iter().map(|stored| stored.leaf().unwrap()).collect();
    let end = leaves.len() as u64;
    let some = (1..=end).filter(|seq| *seq < 9 || seq.is_multiple_of(100) || seq.is_multiple_of(BLOCK));
    (leaves, some.map(|seq| scan::root_at(store.log(), Seq(seq)).unwrap()).collect())
}

/// Whether all of these stand, however many have come since.
fn still_stand<L: Log>(store: &Store<L>, (leaves, roots): &(Vec<Hash>, Vec<Hash>)) -> bool {
    let (new_leaves, new_roots) = leaves_and_roots(store);
    new_leaves.starts_with(leaves) && new_roots.starts_with(roots)
}

/// Whether a text stands anywhere in the records' bytes.
fn holds<L: Log>(store: &Store<L>, text: &str) -> bool {
    let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    store.log().frames(Seq(1)).any(|stored| {
        let (first, bytes) = stored.unwrap();
        let frame = Frame::decode(first, &bytes).unwrap();
        frame.records().any(|raw| {
            let raw = raw.unwrap();
            holds(raw.claims) || holds(raw.details)
        })
    })
}

fn verifies<L: Log>(store: &Store<L>) {
    let damage = store.verify(None).unwrap().damage;
    assert!(damage.is_empty(), "{damage:?}");
}

/// Every version and every reason of the event goes; headers, leaves, roots and all other records stay.
pub fn a_redaction_erases_content_and_keeps_leaves(log: impl Log) {
    let (store, host) = (Store::new(log), TestHost::new(21));
    write(&store, &host, vec![append("other", "something"), append("secret", MARKER)]);
    write(&store, &host, vec![entry(Write::Revise(event("secret", &format!("{MARKER} again"))))]);
    write(&store, &host, vec![entry(Write::Retract { id: id("secret"), reason: MARKER.to_owned() })]);
    write(&store, &host, vec![append("later", "more"), entry(Write::Revise(event("secret", MARKER)))]);
    let (before, hashes) = (stored(&store), leaves_and_roots(&store));
    assert!(holds(&store, MARKER));
    let answer = write(&store, &host, vec![redact("secret")]).remove(0);
    assert_eq!((answer.outcome, answer.seq, answer.version), (Outcome::Redacted, Seq(7), Version(7)));
    assert!(!holds(&store, MARKER));
    let after = stored(&store);
    assert!(still_stand(&store, &hashes));
    for (old, new) in before.iter().zip(&after) {
        if old.record.id != id("secret") {
            assert_eq!(old, new);
            continue;
        }
        assert_eq!((&new.record.content, new.salt()), (&Content::Redacted, None));
        assert_eq!(new.previous, old.previous);
        let content = old.record.content.clone();
        assert_eq!(annals_model::Record { content, ..new.record.clone() }, old.record);
    }
    assert_eq!(after[6].record.content, Content::Reason("asked for".to_owned()));
    assert_eq!((after[6].record.op, after[6].previous), (Op::Redact, Some(Seq(6))));
    verifies(&store);
    // At no moment of the record axis does it count.
    for seq in 0..=7 {
        let known = store.known(&timeline(), KnownAt::Position(Seq(seq))).unwrap();
        assert!(known.events().iter().all(|known| known.event.id != id("secret")), "@{seq}");
    }
}

/// What is redacted stays so, and says so.
pub fn a_redacted_event_answers_later_writes(log: impl Log) {
    let (store, host) = (Store::new(log), TestHost::new(22));
    write(&store, &host, vec![append("secret", MARKER), redact("secret")]);
    let end = store.log().head().unwrap();
    for (again, outcome) in [
        (append("secret", MARKER), Outcome::AlreadyAppendedRedacted),
        (append("secret", "something else"), Outcome::AlreadyAppendedRedacted),
        (redact("secret"), Outcome::AlreadyRedacted),
    ] {
        let answer = write(&store, &host, vec![again]).remove(0);
        assert_eq!((answer.outcome, answer.seq, answer.version), (outcome, Seq(2), Version(2)));
    }
    let retract = Write::Retract { id: id("secret"), reason: "r".to_owned() };
    for refused in [Write::Revise(event("secret", "x")), retract] {
        let failed = store.write(vec![entry(refused)], &host, &WriteOptions::by("tester")).unwrap_err();
        assert!(
            matches!(failed.error, Error::Conflict(Conflict::Redacted { seq: Seq(2), .. })),
            "{failed:?}"
        );
    }
    let failed = store.write(vec![redact("nothing")], &host, &WriteOptions::by("tester")).unwrap_err();
    assert!(matches!(failed.error, Error::NotFound(NotFound::Event { .. })), "{failed:?}");
    assert_eq!(store.log().head().unwrap(), end);
    verifies(&store);
}

/// Records of full blocks, of the block that the same batch completes, and of the batch itself lose their content; the
/// blocks keep their roots.
pub fn a_redaction_reaches_every_block(log: impl Log) {
    let (store, host) = (Store::new(log), TestHost::new(23));
    let filler = |n: u64| append(&format!("f{n}"), "nothing");
    let mut batch: Vec<Entry> = (0..BLOCK).map(filler).collect();
    batch[100] = append("secret", MARKER);
    write(&store, &host, batch);
    for n in 0..8 {
        let says = format!("{MARKER} {n}");
        write(&store, &host, vec![filler(1000 + n), entry(Write::Revise(event("secret", &says)))]);
    }
    let hashes = leaves_and_roots(&store);
    // The last batch completes the second block, goes beyond it, and redacts in the middle of it.
    let mut batch: Vec<Entry> = (2000..2000 + BLOCK).map(filler).collect();
    batch.insert(5, entry(Write::Revise(event("secret", MARKER))));
    batch.insert(9, append("brief", MARKER));
    batch.insert(20, redact("secret"));
    batch.push(redact("brief"));
    write(&store, &host, batch);
    assert!(!holds(&store, MARKER));
    assert!(still_stand(&store, &hashes));
    verifies(&store);
    let erased = stored(&store).iter().filter(|stored| stored.record.content == Content::Redacted).count();
    assert_eq!(erased, 11);
}

/// A log with redactions is taken over without what was erased, and comes to the same roots; without what explains them,
/// or under new times, records that have lost their content are refused.
pub fn a_redacted_log_is_taken_over(log: impl Log) {
    let (source, host) = (Store::new(MemoryLog::default()), TestHost::new(24));
    let filler = |n: u64| append(&format!("f{n}"), "nothing");
    let mut batch: Vec<Entry> = (0..2 * BLOCK).map(filler).collect();
    batch.insert(3, append("secret", MARKER));
    batch.insert(300, entry(Write::Revise(event("secret", &format!("{MARKER} again")))));
    batch.insert(301, entry(Write::Retract { id: id("secret"), reason: MARKER.to_owned() }));
    write(&source, &host, batch);
    write(&source, &host, vec![redact("secret"), filler(9000)]);
    let read = |stored: &StoredRecord| {
        let line = Line::parse(&stored.line().unwrap()).unwrap();
        line.into_entry(&timeline(), || panic!("every record has an id"))
    };
    let records = stored(&source);
    let entries: Vec<Entry> = records.iter().map(read).collect();
    let store = Store::new(log);
    host.set_now(RecordedAt::from_micros(4_000_000_000_000_000));
    let keeping = WriteOptions { keep_record_times: true, ..WriteOptions::by("nobody") };
    let import = |entries: &[Entry], options: &WriteOptions| {
        let entries = entries.iter().cloned().map(Ok);
        let mut answers = Vec::new();
        let (resume, workers) = (&mut Resume::default(), NonZeroUsize::MIN);
        let done = store.import_from(entries, &host, options, resume, workers, |answer| answers.push(answer));
        done.map(|()| answers)
    };
    let refused = import(&entries, &WriteOptions::by("nobody")).unwrap_err();
    assert_eq!(refused.index, Some(3), "without record times there is nothing to record");
    let refused = import(&entries[..400], &keeping).unwrap_err();
    assert_eq!(refused.index, Some(3), "the redaction is missing");
    assert_eq!(store.log().head().unwrap().seq(), Seq(0));
    import(&entries, &keeping).unwrap();
    assert_eq!(store.log().head().unwrap(), source.log().head().unwrap());
    assert_eq!(stored(&store), records);
    verifies(&store);
    // Run again it finds everything there.
    for answer in import(&entries, &keeping).unwrap() {
        let is_secret = answer.id == id("secret");
        let there = [Outcome::AlreadyAppendedRedacted, Outcome::AlreadyRedacted].contains(&answer.outcome);
        assert!(if is_secret { there } else { answer.outcome == Outcome::AlreadyAppended }, "{answer:?}");
    }
    assert_eq!(store.log().head().unwrap(), source.log().head().unwrap());
}

/// An import that is run again after one of its events was redacted finds everything there, and brings nothing back.
pub fn an_import_that_is_run_again_brings_nothing_back(log: impl Log) {
    let (store, host) = (Store::new(log), TestHost::new(27));
    let entries = vec![
        append("other", "something"),
        append("secret", MARKER),
        entry(Write::Revise(event("secret", &format!("{MARKER} again")))),
        entry(Write::Retract { id: id("secret"), reason: MARKER.to_owned() }),
        append("later", "more"),
    ];
    let import = || store.import(entries.clone(), &host, &WriteOptions::by("tester"), &mut Resume::default());
    import().unwrap();
    write(&store, &host, vec![redact("secret")]);
    let end = store.log().head().unwrap();
    let outcomes: Vec<Outcome> = import().unwrap().iter().map(|answer| answer.outcome).collect();
    let (there, gone) = (Outcome::AlreadyAppended, Outcome::AlreadyAppendedRedacted);
    assert_eq!(outcomes, [there, gone, gone, gone, there]);
    assert_eq!(store.log().head().unwrap(), end);
    assert!(!holds(&store, MARKER));
}

/// A copy that still has the content loses it when the redacted log is imported over it.
pub fn a_redaction_reaches_an_older_copy(log: impl Log) {
    let (source, host) = (Store::new(log), TestHost::new(25));
    write(&source, &host, vec![append("other", "something"), append("secret", MARKER)]);
    write(&source, &host, vec![entry(Write::Revise(event("secret", &format!("{MARKER} again"))))]);
    let keeping = WriteOptions { keep_record_times: true, ..WriteOptions::by("nobody") };
    let read = |stored: &StoredRecord| {
        let line = Line::parse(&stored.line().unwrap()).unwrap();
        line.into_entry(&timeline(), || panic!("every record has an id"))
    };
    let older: Vec<Entry> = stored(&source).iter().map(read).collect();
    write(&source, &host, vec![redact("secret")]);
    let newer: Vec<Entry> = stored(&source).iter().map(read).collect();
    let copy = Store::new(MemoryLog::default());
    let later = TestHost::new(26);
    later.set_now(RecordedAt::from_micros(4_000_000_000_000_000));
    copy.import(older, &later, &keeping, &mut Resume::default()).unwrap();
    assert!(holds(&copy, MARKER));
    let answers = copy.import(newer, &later, &keeping, &mut Resume::default()).unwrap();
    let outcomes: Vec<Outcome> = answers.iter().map(|answer| answer.outcome).collect();
    let there = [Outcome::AlreadyAppended, Outcome::AlreadyAppended, Outcome::AlreadyRevised];
    assert_eq!((&outcomes[..3], outcomes[3]), (&there[..], Outcome::Redacted));
    assert!(!holds(&copy, MARKER));
    assert_eq!(copy.log().head().unwrap(), source.log().head().unwrap());
}
