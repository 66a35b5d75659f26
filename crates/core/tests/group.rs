//! Writers at once share a sync, and nobody is answered before it; each keeps its own answers and errors.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Barrier, Condvar, Mutex};
use std::time::Duration;

use annals_core::{
    Commit, Conflict, Durability, Error, EventEntry, Failed, Hash, Head, Host, Log, NotFound, Result,
    SledLog, SledOptions, Store, StoredFrame, WriteOptions, scan,
};
use annals_model::{
    Content, Entry, Event, EventId, Expectation, Outcome, RecordedAt, Seq, TimelineName, Version, Write,
    Written,
};
use annals_testkit::{MemoryLog, TestHost};

const WRITERS: usize = 16;

fn timeline(name: &str) -> TimelineName {
    TimelineName::new(name).unwrap()
}

fn event(name: &str, title: &str) -> Box<Event> {
    Box::new(Event::new(EventId::new(name).unwrap(), title))
}

fn append(name: &str) -> Entry {
    Entry::new(timeline("main"), Write::Append(event(name, "An event")))
}

fn by(author: &str) -> WriteOptions {
    WriteOptions::by(author)
}

/// A log whose commits wait at a gate, and that counts them.
#[derive(Default)]
struct Gated {
    log: MemoryLog,
    commits: AtomicU64,
    at_the_gate: AtomicU64,
    open: Mutex<bool>,
    opened: Condvar,
    fails: AtomicBool,
    /// How long a commit takes.
    takes: Duration,
}

impl Gated {
    fn set_open(&self, open: bool) {
        *self.open.lock().unwrap() = open;
        self.opened.notify_all();
    }

    /// Waits until a commit stands at the gate.
    fn wait_for_a_commit(&self) {
        while self.at_the_gate.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
    }
}

impl Log for Gated {
    fn head(&self) -> Result<Head> {
        self.log.head()
    }

    fn commit(&self, commit: &Commit) -> Result<()> {
        self.at_the_gate.fetch_add(1, Ordering::SeqCst);
        let open = self.open.lock().unwrap();
        drop(self.opened.wait_while(open, |open| !*open).unwrap());
        self.at_the_gate.fetch_sub(1, Ordering::SeqCst);
        std::thread::sleep(self.takes);
        if self.fails.load(Ordering::SeqCst) {
            return Err(Error::io("cannot sync the log", std::io::ErrorKind::StorageFull.into()));
        }
        self.commits.fetch_add(1, Ordering::SeqCst);
        self.log.commit(commit)
    }

    fn frames(&self, from: Seq) -> Box<dyn Iterator<Item = Result<StoredFrame>> + '_> {
        self.log.frames(from)
    }

    fn event(&self, timeline: &TimelineName, id: &EventId) -> Result<Option<EventEntry>> {
        self.log.event(timeline, id)
    }

    fn events(&self, name: &TimelineName) -> Box<dyn Iterator<Item = Result<(EventId, EventEntry)>> + '_> {
        self.log.events(name)
    }

    fn version(&self, timeline: &TimelineName) -> Result<Version> {
        self.log.version(timeline)
    }

    fn timelines(&self) -> Result<Vec<(TimelineName, Version)>> {
        self.log.timelines()
    }

    fn block(&self, index: u64) -> Result<Option<Hash>> {
        self.log.block(index)
    }
}

/// A host by which the test notices that a writer's turn has come.
struct Noticed {
    host: TestHost,
    turns: AtomicU64,
}

impl Noticed {
    const fn new() -> Self {
        Self { host: TestHost::new(1), turns: AtomicU64::new(0) }
    }
}

impl Host for Noticed {
    fn now(&self) -> RecordedAt {
        self.turns.fetch_add(1, Ordering::SeqCst);
        self.host.now()
    }

    fn fill_random(&self, buffer: &mut [u8]) {
        self.host.fill_random(buffer);
    }
}

/// Lets one commit come to the gate, then calls the others one after the other, each when the one before stands in
/// the group, and opens the gate. Gives all outcomes, the first one's first.
fn behind_a_commit(
    store: &Store<Gated>,
    host: &Noticed,
    others: Vec<(Vec<Entry>, WriteOptions)>,
) -> Vec<Result<Vec<Written>, Failed>> {
    store.log().set_open(false);
    let answered = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let answered = &answered;
        let first = scope.spawn(move || store.write(vec![append("first")], host, &by("first")));
        store.log().wait_for_a_commit();
        let others: Vec<_> = others
            .into_iter()
            .map(|(entries, options)| {
                let before = host.turns.load(Ordering::SeqCst);
                let other = scope.spawn(move || {
                    let outcome = store.write(entries, host, &options);
                    answered.fetch_add(1, Ordering::SeqCst);
                    outcome
                });
                // A writer asks for the time once its turn has come, and nobody else has one until it is over.
                while host.turns.load(Ordering::SeqCst) == before {
                    std::thread::yield_now();
                }
                other
            })
            .collect();
        assert_eq!(answered.load(Ordering::SeqCst), 0, "nobody is answered before the sync");
        store.log().set_open(true);
        [first].into_iter().chain(others).map(|writer| writer.join().unwrap()).collect()
    })
}

fn outcomes(answers: &[Written]) -> Vec<(Outcome, u64, u64)> {
    answers.iter().map(|answer| (answer.outcome, answer.seq.0, answer.version.0)).collect()
}

#[test]
fn who_comes_during_a_commit_shares_the_next_one() {
    let (store, host) = (Store::new(Gated::default()), Noticed::new());
    let revised = Entry::new(timeline("main"), Write::Revise(event("a", "Revised")));
    let other_a = Entry::new(timeline("main"), Write::Append(event("a", "Another event")));
    let unknown = Entry::new(
        timeline("main"),
        Write::Retract { id: EventId::new("nowhere").unwrap(), reason: "r".to_owned() },
    );
    let expecting = |version| WriteOptions { expect: Expectation::Exactly(Version(version)), ..by("t") };
    let others = vec![
        (vec![append("a"), append("b")], by("one")),
        // Refused: each for itself, on what those before it decided, and without a trace.
        (vec![append("c"), other_a], by("two")),
        (vec![append("c"), unknown], by("three")),
        (vec![append("d")], expecting(1)),
        (vec![append("d")], expecting(3)),
        // On events that are not in the log yet.
        (vec![revised, append("first")], by("four")),
        (vec![append("a")], by("five")),
    ];
    let mut all = behind_a_commit(&store, &host, others);
    let five = all.pop().unwrap().unwrap();
    let four = all.pop().unwrap().unwrap();
    let met = all.pop().unwrap().unwrap();
    let missed = all.pop().unwrap().unwrap_err();
    let three = all.pop().unwrap().unwrap_err();
    let two = all.pop().unwrap().unwrap_err();
    let one = all.pop().unwrap().unwrap();
    let first = all.pop().unwrap().unwrap();
    assert_eq!(outcomes(&first), [(Outcome::Appended, 1, 1)]);
    assert_eq!(outcomes(&one), [(Outcome::Appended, 2, 2), (Outcome::Appended, 3, 3)]);
    assert!(matches!(two.error, Error::Conflict(Conflict::DifferentContent { seq: Seq(2), .. })), "{two}");
    assert_eq!(two.index, Some(1));
    assert!(matches!(three.error, Error::NotFound(NotFound::Event { .. })), "{three}");
    let Error::Conflict(Conflict::Version { actual, .. }) = missed.error else { panic!("{missed}") };
    assert_eq!(actual, Version(3), "the version that those before it made");
    assert_eq!(outcomes(&met), [(Outcome::Appended, 4, 4)]);
    assert_eq!(outcomes(&four), [(Outcome::Revised, 5, 5), (Outcome::AlreadyAppended, 1, 5)]);
    assert_eq!(outcomes(&five), [(Outcome::AlreadyAppended, 2, 5)]);
    assert_eq!(five[0].superseded_by.unwrap().seq, Seq(5));
    assert_eq!(store.log().commits.load(Ordering::SeqCst), 2, "the first one's, and one for all others");
    assert_eq!(store.log().head().unwrap().seq(), Seq(5));
    assert_eq!(store.log().event(&timeline("main"), &EventId::new("c").unwrap()).unwrap(), None);
    assert_eq!(store.verify(None).unwrap().damage, []);
}

/// What is redacted may still be on its way, or wait for the same commit; it reaches the log without its content.
#[test]
fn a_redaction_reaches_records_that_run_ahead_of_the_log() {
    let (store, host) = (Store::new(Gated::default()), Noticed::new());
    let redact = |name: &str| {
        let (id, reason) = (EventId::new(name).unwrap(), "a name".to_owned());
        Entry::new(timeline("main"), Write::Redact { id, reason })
    };
    let revised = Entry::new(timeline("main"), Write::Revise(event("first", "Revised")));
    let again = Entry::new(timeline("main"), Write::Revise(event("first", "Once more")));
    let others = vec![
        (vec![append("a"), revised], by("one")),
        (vec![redact("first"), redact("a"), append("b")], by("two")),
        (vec![redact("first"), append("a")], by("three")),
        (vec![append("c"), again], by("four")),
    ];
    let mut all = behind_a_commit(&store, &host, others);
    let four = all.pop().unwrap().unwrap_err();
    let three = all.pop().unwrap().unwrap();
    let two = all.pop().unwrap().unwrap();
    assert_eq!(
        outcomes(&two),
        [(Outcome::Redacted, 4, 4), (Outcome::Redacted, 5, 5), (Outcome::Appended, 6, 6)]
    );
    assert_eq!(
        outcomes(&three),
        [(Outcome::AlreadyRedacted, 4, 6), (Outcome::AlreadyAppendedRedacted, 5, 6)]
    );
    assert!(matches!(four.error, Error::Conflict(Conflict::Redacted { seq: Seq(4), .. })), "{four}");
    assert_eq!(store.log().commits.load(Ordering::SeqCst), 2, "the first one's, and one for all others");
    let mut erased = Vec::new();
    scan::each(store.log(), Seq(1), Seq(6), |stored| {
        erased.extend((stored.record.content == Content::Redacted).then_some(stored.record.seq.0));
        Ok(())
    })
    .unwrap();
    assert_eq!(erased, [1, 2, 3]);
    assert_eq!(store.verify(None).unwrap().damage, []);
}

#[test]
fn a_failed_commit_is_told_to_all_that_stood_on_it() {
    let (store, host) = (Store::new(Gated::default()), Noticed::new());
    store.log().fails.store(true, Ordering::SeqCst);
    let conflict = Entry::new(timeline("main"), Write::Append(event("first", "Another event")));
    let others = vec![
        (vec![append("a")], by("one")),
        (vec![append("first")], by("two")),
        (vec![conflict], by("three")),
    ];
    for outcome in behind_a_commit(&store, &host, others) {
        let failed = outcome.unwrap_err();
        assert_eq!(failed.index, None);
        let Error::Unavailable { context, hint, source } = &failed.error else { panic!("{failed}") };
        assert_eq!(context, "cannot sync the log");
        assert!(hint.as_ref().unwrap().contains("disk is full"));
        assert_eq!(source.as_ref().unwrap().kind(), std::io::ErrorKind::StorageFull);
    }
    assert_eq!(store.log().head().unwrap().seq(), Seq(0));
    // This log has lost nothing by it: what comes later is decided on what the log holds.
    store.log().fails.store(false, Ordering::SeqCst);
    let answers = store.write(vec![append("a")], &host, &by("later")).unwrap();
    assert_eq!(outcomes(&answers), [(Outcome::Appended, 1, 1)]);
}

/// Commits that eight writers need for ten events each, all of whom write the next one soon after they are answered.
fn commits_of_eight() -> u64 {
    let log = Gated { open: Mutex::new(true), takes: Duration::from_millis(3), ..Gated::default() };
    let (store, host) = (Store::new(log), TestHost::new(1));
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let (store, host) = (&store, &host);
            scope.spawn(move || {
                for round in 0..10 {
                    store.write(vec![append(&format!("w{writer}-r{round}"))], host, &by("t")).unwrap();
                    // One comes back after the other.
                    std::thread::sleep(Duration::from_micros(30 * writer));
                }
            });
        }
    });
    assert_eq!(store.log().head().unwrap().seq(), Seq(80));
    store.log().commits.load(Ordering::SeqCst)
}

#[test]
fn writers_that_come_back_at_once_share_a_commit() {
    // About twelve commits in each of ten tries; nineteen where nobody is waited for. On a busy machine many may come too
    // late, now and then.
    let mut rounds = (0..6).map(|_| (0..10).map(|_| commits_of_eight()).sum::<u64>());
    assert!(rounds.any(|commits| commits <= 150));
}

/// Each of sixteen writers counts one timeline up by compare and set, appends events of its own and one that all of
/// them append, and revises what it has just written.
fn stress<L: Log>(store: &Store<L>, rounds: u64) {
    let host = TestHost::new(1);
    let start = Barrier::new(WRITERS);
    let counter = timeline("counter");
    let told: Vec<(Vec<Written>, u64)> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (start, host, counter) = (&start, &host, &counter);
                scope.spawn(move || {
                    start.wait();
                    let (mut own, mut shared) = (Vec::new(), 0);
                    for round in 0..rounds {
                        let name = format!("w{writer}-r{round}");
                        let batch = vec![
                            append(&name),
                            Entry::new(timeline("main"), Write::Revise(event(&name, "Revised"))),
                        ];
                        own.extend(store.write(batch, host, &by("t")).unwrap());
                        let same = vec![append(&format!("same-{round}"))];
                        let answer = store.write(same, host, &by("t")).unwrap().remove(0);
                        shared += u64::from(answer.outcome == Outcome::Appended);
                        // A bad batch beside all of them.
                        let bad = vec![
                            append(&format!("bad-{name}")),
                            Entry::new(timeline("main"), Write::Append(event(&name, "Yet another"))),
                        ];
                        assert_eq!(store.write(bad, host, &by("t")).unwrap_err().index, Some(1));
                        loop {
                            let version = store.log().version(counter).unwrap();
                            let options = WriteOptions { expect: Expectation::Exactly(version), ..by("t") };
                            let mut entry = append(&format!("count-{}", version.0 + 1));
                            entry.timeline = counter.clone();
                            // Whoever loses finds another's event, or another version.
                            match store.write(vec![entry], host, &options) {
                                Ok(answers) if answers[0].outcome == Outcome::Appended => {
                                    assert_eq!(answers[0].version, Version(version.0 + 1));
                                    break;
                                }
                                Ok(answers) => assert_eq!(answers[0].outcome, Outcome::AlreadyAppended),
                                Err(failed) => assert!(
                                    matches!(failed.error, Error::Conflict(Conflict::Version { .. })),
                                    "{failed}"
                                ),
                            }
                        }
                    }
                    (own, shared)
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let writers = WRITERS as u64;
    assert_eq!(told.iter().map(|(_, shared)| shared).sum::<u64>(), rounds, "each shared event once");
    assert_eq!(store.log().version(&counter).unwrap(), Version(writers * rounds), "no count is lost");
    let main = writers * rounds * 2 + rounds;
    assert_eq!(store.log().version(&timeline("main")).unwrap(), Version(main));
    let seqs: BTreeSet<Seq> = told.iter().flat_map(|(own, _)| own).map(|answer| answer.seq).collect();
    assert_eq!(seqs.len() as u64, writers * rounds * 2, "each record has its own place");
    for answer in told.iter().flat_map(|(own, _)| own) {
        let stored = scan::one(store.log(), answer.seq).unwrap();
        assert_eq!(stored.record.id, answer.id);
    }
    let bad = store.log().events(&timeline("main")).map(|event| event.unwrap().0);
    assert_eq!(bad.filter(|id| id.as_str().starts_with("bad-")).count(), 0, "no trace of what was refused");
    assert_eq!(store.verify(None).unwrap().damage, []);
}

#[test]
fn sixteen_writers_in_memory() {
    stress(&Store::new(MemoryLog::default()), 20);
}

#[test]
fn sixteen_writers_on_sled() {
    for (durability, rounds) in [(Durability::Os, 12), (Durability::Each, 6)] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        let options = SledOptions { durability, ..SledOptions::default() };
        let store = Store::new(SledLog::create(&path, &options).unwrap());
        stress(&store, rounds);
        let head = store.log().head().unwrap();
        drop(store);
        let store = Store::new(SledLog::open(&path, &SledOptions::default()).unwrap());
        assert_eq!(store.log().head().unwrap(), head);
        assert_eq!(store.verify(None).unwrap().damage, []);
    }
}
