//! Imports that are stored in pieces: they come to the log that one piece would, nobody sees anything of them before
//! their end, and a process that ends earlier leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use annals_core::{
    BLOCK, Error, Log, Resume, SledLog, SledOptions, Store, StoredFrame, StoredRecord, WriteOptions, scan,
};
use annals_model::{
    Date, Entry, Event, EventId, Expectation, Invalid, Seq, TimelineName, Version, Write, Written,
};
use annals_testkit::files::copy_directory;
use annals_testkit::{MemoryLog, TestHost};
use tempfile::TempDir;

const ONE: NonZeroUsize = NonZeroUsize::MIN;

fn entry(write: Write) -> Entry {
    Entry::new(TimelineName::new("main").unwrap(), write)
}

fn id(number: u64) -> EventId {
    EventId::new(format!("event-{number}")).unwrap()
}

fn event(number: u64, title: &str) -> Box<Event> {
    let mut event = Event::new(id(number), title);
    event.date = Some(Date::parse("2004").unwrap());
    Box::new(event)
}

fn append(number: u64) -> Entry {
    entry(Write::Append(event(number, &format!("Title {number}"))))
}

/// Some thousand entries: new events, corrections of events of all ages, withdrawals, redactions and repeats.
fn entries() -> Vec<Entry> {
    let mut entries = Vec::new();
    for number in 100..2_500 {
        entries.push(append(number));
        // Of the log before, of an early piece, of this one.
        for old in [number % 97, 100 + number % 400, number - number % 7] {
            match (number + old) % 23 {
                0 => entries.push(entry(Write::Revise(event(old, &format!("Corrected {number}"))))),
                1 if old > 20 => {
                    entries.push(entry(Write::Retract { id: id(old), reason: "wrong".to_owned() }));
                }
                2 if old > 100 && number % 5 == 0 => entries.push(append(old)),
                _ => {}
            }
        }
        if number % 311 == 0 {
            for old in [number % 20, 130 + number / 311, number] {
                entries.push(entry(Write::Redact { id: id(old), reason: "asked for".to_owned() }));
            }
        }
    }
    // What was corrected or redacted before answers so, or is refused: only what is in order stays.
    entries
}

/// The entries that the log takes, one after the other.
fn accepted() -> Vec<Entry> {
    let (store, host) = (Store::new(MemoryLog::default()), TestHost::new(1));
    begin(&store, &host);
    let mut accepted = Vec::new();
    for entry in entries() {
        if store.write(vec![entry.clone()], &host, &options()).is_ok() {
            accepted.push(entry);
        }
    }
    accepted
}

fn options() -> WriteOptions {
    WriteOptions::by("tester")
}

/// Some records before the import, so that it begins within a block.
fn begin<L: Log>(store: &Store<L>, host: &TestHost) {
    for number in 0..100 {
        store.write(vec![append(number)], host, &options()).unwrap();
    }
}

fn import<L: Log>(
    store: &Store<L>,
    entries: impl IntoIterator<Item = annals_core::Result<Entry>>,
    options: &WriteOptions,
) -> Result<(), Error> {
    let host = TestHost::new(7);
    let imported = store.import_from(entries, &host, options, &mut Resume::default(), ONE, |_| ());
    imported.map_err(|failed| failed.error)
}

fn opened(path: &Path) -> Store<SledLog> {
    Store::new(SledLog::open(path, &SledOptions::default()).unwrap()).with_piece(BLOCK)
}

fn created() -> (TempDir, PathBuf, Store<SledLog>) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("store");
    let log = SledLog::create(&path, &SledOptions::default()).unwrap();
    let store = Store::new(log).with_piece(BLOCK);
    begin(&store, &TestHost::new(1));
    (directory, path, store)
}

fn records<L: Log>(store: &Store<L>) -> Vec<StoredRecord> {
    let mut records = Vec::new();
    let end = store.log().head().unwrap().seq();
    scan::each(store.log(), Seq(1), end, |record| {
        records.push(record);
        Ok(())
    })
    .unwrap();
    records
}

fn frames<L: Log>(store: &Store<L>) -> Vec<StoredFrame> {
    store.log().frames(Seq(1)).collect::<Result<_, _>>().unwrap()
}

fn verifies<L: Log>(store: &Store<L>) {
    assert_eq!(store.verify(None).unwrap().damage, []);
}

#[test]
fn pieces_come_to_the_log_that_one_piece_does() {
    let entries = accepted();
    let whole = Store::new(MemoryLog::default());
    begin(&whole, &TestHost::new(1));
    import(&whole, entries.iter().cloned().map(Ok), &options()).unwrap();
    let (_directory, path, store) = created();
    import(&store, entries.iter().cloned().map(Ok), &options()).unwrap();
    let (found, expected) = (records(&store), records(&whole));
    assert!(found.len() > 3_000 && found.iter().any(|stored| stored.salt().is_none()));
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len());
    assert_eq!(frames(&store), frames(&whole));
    let same = |store: &Store<SledLog>| {
        verifies(store);
        assert_eq!(store.log().head().unwrap(), whole.log().head().unwrap());
        assert_eq!(store.log().timelines().unwrap(), whole.log().timelines().unwrap());
        for stored in &expected {
            let (timeline, id) = (&stored.record.timeline, &stored.record.id);
            assert_eq!(store.log().event(timeline, id).unwrap(), whole.log().event(timeline, id).unwrap());
        }
    };
    same(&store);
    assert_eq!(store.log().remark(), None);
    drop(store);
    let store = opened(&path);
    same(&store);
    assert_eq!(store.log().remark(), None);
    // Run again it finds everything there.
    let end = store.log().head().unwrap();
    let repeated = entries.into_iter().filter(|entry| !matches!(entry.write, Write::Redact { .. }));
    let (host, mut resume) = (TestHost::new(9), Resume::default());
    store.import_from(repeated.map(Ok), &host, &options(), &mut resume, ONE, |_| ()).unwrap();
    assert_eq!(store.log().head().unwrap(), end);
}

#[test]
fn nobody_sees_anything_before_the_end() {
    let (_directory, _path, store) = created();
    let before = (store.log().head().unwrap(), frames(&store));
    let looks = RefCell::new(0);
    let entries = (100..2_000).map(|number| {
        if number % 50 == 0 {
            assert_eq!((store.log().head().unwrap(), frames(&store)), before);
            let (timeline, early) = (TimelineName::new("main").unwrap(), id(100));
            assert_eq!(store.log().event(&timeline, &early).unwrap(), None);
            assert_eq!(store.log().version(&timeline).unwrap(), Version(100));
            *looks.borrow_mut() += 1;
        }
        Ok(append(number))
    });
    import(&store, entries, &options()).unwrap();
    assert_eq!(looks.into_inner(), 38);
    assert_eq!(store.log().head().unwrap().seq(), Seq(2_000));
    verifies(&store);
}

#[test]
fn a_process_that_ends_before_leaves_nothing() {
    let (directory, path, store) = created();
    let before = (store.log().head().unwrap(), records(&store));
    let copies = RefCell::new(Vec::new());
    let entries = (100..4_000).map(|number| {
        if number % 300 == 0 {
            let at = directory.path().join(format!("killed-at-{number}"));
            copy_directory(&path, &at);
            copies.borrow_mut().push(at);
        }
        Ok(append(number))
    });
    import(&store, entries, &options()).unwrap();
    let whole = records(&store);
    let copies = copies.into_inner();
    assert_eq!(copies.len(), 13);
    for killed in copies {
        // Whoever only looks changes nothing, and finds nothing to complain about.
        let looking = SledOptions { check_head: false, ..SledOptions::default() };
        verifies(&Store::new(SledLog::open(&killed, &looking).unwrap()));
        let store = opened(&killed);
        assert_eq!((store.log().head().unwrap(), records(&store)), before);
        verifies(&store);
        import(&store, (100..4_000).map(|number| Ok(append(number))), &options()).unwrap();
        assert_eq!(records(&store).len(), whole.len());
        verifies(&store);
    }
}

#[test]
fn an_import_that_fails_late_leaves_nothing() {
    let (_directory, path, store) = created();
    let before = (store.log().head().unwrap(), frames(&store));
    let refused = (100..2_000).map(|number| Ok(append(number))).chain([Err(Invalid::new("no more").into())]);
    assert!(matches!(import(&store, refused, &options()), Err(Error::Invalid(_))));
    let conflict = (100..2_000).map(append).chain([entry(Write::Append(event(150, "Another")))]);
    assert!(matches!(import(&store, conflict.map(Ok), &options()), Err(Error::Conflict(_))));
    let expecting = WriteOptions { expect: Expectation::Exactly(Version(99)), ..options() };
    let unmet = import(&store, (100..2_000).map(|number| Ok(append(number))), &expecting);
    assert!(matches!(unmet, Err(Error::Conflict(_))));
    assert_eq!((store.log().head().unwrap(), frames(&store)), before);
    let met = WriteOptions { expect: Expectation::Exactly(Version(100)), ..options() };
    import(&store, (100..2_000).map(|number| Ok(append(number))), &met).unwrap();
    store.write(vec![append(2_000)], &TestHost::new(3), &options()).unwrap();
    drop(store);
    let store = opened(&path);
    assert_eq!(records(&store).len(), 2_001);
    verifies(&store);
}

#[test]
fn a_rehearsal_in_pieces_answers_as_the_import_does_and_leaves_nothing() {
    let run = |store: &Store<SledLog>, rehearsal: bool| {
        let (host, mut resume) = (TestHost::new(7), Resume::default());
        // One in a hundred is refused.
        let entries = accepted().into_iter().enumerate().flat_map(|(index, one)| {
            let refused = entry(Write::Retract { id: id(90_000), reason: "unknown".to_owned() });
            [Some(one), (index % 100 == 0).then_some(refused)].into_iter().flatten().map(Ok)
        });
        let mut answers = Vec::new();
        let decided = |answer: annals_core::Result<Written>| {
            answers.push(answer.map_err(|error| error.to_string()));
        };
        store.import_around(entries, &host, &options(), &mut resume, ONE, rehearsal, decided).unwrap();
        answers
    };
    let (_directory, path, store) = created();
    let before = (store.log().head().unwrap(), frames(&store));
    let rehearsed = run(&store, true);
    assert_eq!((store.log().head().unwrap(), frames(&store)), before);
    verifies(&store);
    drop(store);
    let store = opened(&path);
    assert_eq!(
        (store.log().head().unwrap(), frames(&store), store.log().remark()),
        (before.0, before.1, None)
    );
    assert_eq!(run(&store, false), rehearsed);
    assert!(rehearsed.iter().any(Result::is_err) && store.log().head().unwrap().seq() > Seq(3_000));
    verifies(&store);
}
