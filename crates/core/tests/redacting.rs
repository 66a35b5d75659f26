//! Redactions as a store does them: what stands beside the log is cleaned before the answer, writers at once do not
//! get in each other's way, and random logs come to what somebody who never heard of frames would make of them.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use annals_core::index::{self, ClaimIndex, Sizes};
use annals_core::{
    BLOCK, Commit, Durability, Error, Log, SledLog, SledOptions, Store, StoredRecord, WriteOptions, pack,
    scan,
};
use annals_model::saved::{REDACTED_SCHEMA, Why};
use annals_model::{
    AsOf, Certainty, Change, Content, Date, Effect, Entry, Event, EventId, Filter, KnownAt, Op, Outcome,
    Question, Record, Scalar, Seq, SnapshotName, Source, TimelineName, Value, When, Write, Written,
};
use annals_testkit::generate::sessions_with_redactions;
use annals_testkit::{MemoryLog, TestHost};
use proptest::prelude::*;
use tempfile::TempDir;

const MARKER: &str = "SECRET-4711";

fn timeline() -> TimelineName {
    TimelineName::new("main").unwrap()
}

fn id(name: &str) -> EventId {
    EventId::new(name).unwrap()
}

fn name(name: &str) -> SnapshotName {
    SnapshotName::new(name).unwrap()
}

fn event(name: &str, entity: &str, value: &str) -> Event {
    let mut event = Event::new(id(name), format!("Title {value}"));
    event.date = Some(Date::parse("2004").unwrap());
    event.sources.push(Source { sha256: Some("ab".repeat(32)), ..Source::default() });
    let (entity, attribute) = (entity.to_owned(), "status".to_owned());
    let change = Change::Set(Value::Scalar(Scalar::Text(value.into())));
    event.effects.push(Effect { entity, attribute, change, when: When::Start });
    event
}

fn entry(write: Write) -> Entry {
    Entry::new(timeline(), write)
}

fn append(event: Event) -> Entry {
    entry(Write::Append(Box::new(event)))
}

fn redact(name: &str) -> Entry {
    entry(Write::Redact { id: id(name), reason: "asked for".to_owned() })
}

fn write<L: Log>(store: &Store<L>, host: &TestHost, entries: Vec<Entry>) -> Vec<Written> {
    store.write(entries, host, &WriteOptions::by("tester")).unwrap()
}

fn open(path: &Path) -> Store<SledLog> {
    let options = SledOptions { durability: Durability::Os, ..SledOptions::default() };
    let log = SledLog::open(path, &options).unwrap();
    // Runs are made of few records, so that the index has some.
    let sizes = Sizes { enough: BLOCK, ..Sizes::default() };
    Store::new(log).with_index(ClaimIndex::with(path.join(index::DIRECTORY), sizes))
}

fn created() -> (TempDir, Store<SledLog>) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("store");
    let options = SledOptions { durability: Durability::Os, ..SledOptions::default() };
    drop(SledLog::create(&path, &options).unwrap());
    let store = open(&path);
    (directory, store)
}

fn question(entities: &[&str]) -> Question {
    Question {
        timeline: timeline(),
        as_of: AsOf::new(Date::parse("2018").unwrap()).unwrap(),
        known_at: KnownAt::Everything,
        certainty: Certainty::Surely,
        filter: Filter::default(),
        entities: entities.iter().map(|entity| (*entity).to_owned()).collect(),
    }
}

fn save(store: &Store<SledLog>, called: &str, question: &Question) {
    let snapshot = store.replay(question).unwrap();
    store.log().snapshots().save(&name(called), &snapshot, false).unwrap();
}

/// The files under a directory, other than sled's, that hold a text as it stands.
fn files_with(directory: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            if !path.ends_with("sled") {
                found.extend(files_with(&path, text));
            }
        } else if fs::read(&path).unwrap().windows(text.len()).any(|window| window == text.as_bytes()) {
            found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    found.sort();
    found
}

/// Whether bytes hold a text, as it stands or within something that zstd has compressed, at whatever place.
fn holds(bytes: &[u8], text: &str) -> bool {
    const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
    let stands = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let begins = bytes.windows(4).enumerate().filter(|(_, window)| *window == ZSTD).map(|(at, _)| at);
    stands(bytes)
        || begins.into_iter().any(|at| {
            let mut plain = Vec::new();
            // What follows the compressed part is none, and ends it with an error.
            let _ = zstd::stream::read::Decoder::new(&bytes[at..])
                .and_then(|decoder| decoder.single_frame().read_to_end(&mut plain));
            stands(&plain)
        })
}

/// The files of a store that hold a text anywhere, sled's own included.
fn files_of_all_with(directory: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_of_all_with(&path, text));
        } else if holds(&fs::read(&path).unwrap(), text) {
            found.push(path);
        }
    }
    found
}

/// A store whose index and saved answers have seen the event `secret`.
fn with_derived() -> (TempDir, Store<SledLog>, TestHost) {
    let ((directory, store), host) = (created(), TestHost::new(1));
    let mut entries: Vec<Entry> =
        (0..2 * BLOCK).map(|n| append(event(&format!("e{n}"), "x", "plain"))).collect();
    entries[40] = append(event("secret", "person", MARKER));
    entries[41] = entry(Write::Revise(Box::new(event("secret", "person", &format!("{MARKER} 2")))));
    write(&store, &host, entries);
    save(&store, "whole", &question(&[]));
    save(&store, "of-the-person", &question(&["person"]));
    save(&store, "of-x", &question(&["x"]));
    save(&store, "before", &Question { known_at: KnownAt::Position(Seq(40)), ..question(&[]) });
    store.cell(&question(&[]), "person", "status").unwrap().unwrap();
    (directory, store, host)
}

fn text_of(store: &Store<SledLog>, called: &str) -> String {
    fs::read_to_string(store.log().snapshots().path(&name(called))).unwrap()
}

#[test]
fn what_stands_beside_the_log_is_cleaned_before_the_answer() {
    let (directory, store, host) = with_derived();
    let path = directory.path().join("store");
    assert!(path.join("index").read_dir().unwrap().count() > 1);
    // What a kill has left of an answer that was being saved.
    fs::write(path.join("snapshots/.half.new"), MARKER).unwrap();
    fs::write(path.join("snapshots/broken.json"), format!("{{\"title\":\"{MARKER}")).unwrap();
    let held = files_with(&path, MARKER);
    for file in ["whole.json", "of-the-person.json", ".half.new", "broken.json"] {
        assert!(held.iter().any(|held| held == file), "{held:?}");
    }
    let (untouched, earlier) = (text_of(&store, "of-x"), text_of(&store, "before"));
    assert_eq!(write(&store, &host, vec![redact("secret")])[0].outcome, Outcome::Redacted);
    assert_eq!(files_with(&path, MARKER), [""; 0]);
    // The index was made anew where a saved answer was asked for again, and has nothing of it.
    let index = path.join("index");
    assert!(!index.exists() || files_of_all_with(&index, MARKER).is_empty());
    // What did not depend on the event is as it was.
    assert_eq!((text_of(&store, "of-x"), text_of(&store, "before")), (untouched, earlier));
    let mut notes = store.cleaned();
    notes.sort();
    assert_eq!(
        notes,
        [
            "the saved answer broken could not be read, and was removed",
            "the saved answer of-the-person depended on secret, and was erased",
            "the saved answer whole depended on secret, and was erased",
        ]
    );
    assert!(store.verify(None).unwrap().damage.is_empty());
    assert_eq!(store.cell(&question(&[]), "person", "status").unwrap(), None);
}

/// The search through compressed bytes finds what is there: in sled's old pages, until the store is compacted, and
/// nowhere else.
#[test]
fn only_old_pages_of_the_storage_hold_what_was_redacted() {
    let (directory, store, host) = with_derived();
    let path = directory.path().join("store");
    let root = store.log().head().unwrap().frontier.root();
    let of_before = store.log().head().unwrap().seq();
    write(&store, &host, vec![redact("secret")]);
    assert_eq!(scan::root_at(store.log(), of_before).unwrap(), root);
    drop(store);
    let held = files_of_all_with(&path, MARKER);
    assert!(!held.is_empty(), "the search finds what is compressed");
    assert!(held.iter().all(|file| file.starts_with(path.join("sled"))), "{held:?}");
    let threads = std::num::NonZeroUsize::MIN;
    SledLog::compact(&path, &SledOptions::default(), threads, &mut |_, _| {}).unwrap();
    assert!(files_of_all_with(&path, MARKER).is_empty());
    let store = open(&path);
    assert_eq!(scan::root_at(store.log(), of_before).unwrap(), root);
    assert!(store.verify(None).unwrap().damage.is_empty());
}

#[test]
fn what_is_left_of_an_answer_is_its_question() {
    let (_directory, store, host) = with_derived();
    let snapshots = store.log().snapshots();
    let before = snapshots.load(&name("of-the-person")).unwrap();
    write(&store, &host, vec![redact("secret")]);
    let after = snapshots.load(&name("of-the-person")).unwrap();
    assert_eq!(after.question(), before.question());
    assert_eq!(after.receipt().log_root, before.receipt().log_root);
    // A hash without salt tells whoever guesses well what was erased.
    let text = text_of(&store, "of-the-person");
    assert!(text.contains(REDACTED_SCHEMA) && !text.contains(&before.receipt().state_sha256), "{text}");
    let erasure = after.erasure().unwrap();
    assert_eq!((&erasure.id, erasure.seq), (&id("secret"), Seq(2 * BLOCK + 1)));
    let check = store.check(&after).unwrap();
    let reasons: Vec<Why> = check.reasons.iter().map(|finding| finding.reason).collect();
    assert_eq!((check.same, reasons, check.is_damaged()), (false, vec![Why::Redacted], false));
    // An answer that holds nothing of it checks as changed all the same: the event counted in it.
    let check = store.check(&snapshots.load(&name("of-x")).unwrap()).unwrap();
    assert_eq!((check.same, check.reasons[0].reason), (false, Why::Redacted));
    assert!(store.check(&snapshots.load(&name("before")).unwrap()).unwrap().same);
}

#[test]
fn a_redaction_that_was_cut_short_is_finished_by_asking_again() {
    let (directory, store, host) = with_derived();
    let path = directory.path().join("store");
    // Derived data as a kill between the commit and the cleaning leaves it.
    let kept = ["snapshots/whole.json", "snapshots/of-the-person.json"].map(|file| path.join(file));
    let bytes = kept.each_ref().map(|file| fs::read(file).unwrap());
    let run =
        fs::read_dir(path.join("index")).unwrap().flatten().find(|file| file.path().extension().is_some());
    let run = run.unwrap();
    let run_bytes = fs::read(run.path()).unwrap();
    write(&store, &host, vec![redact("secret")]);
    for (file, bytes) in kept.iter().zip(&bytes) {
        fs::write(file, bytes).unwrap();
    }
    fs::create_dir_all(path.join("index")).unwrap();
    fs::write(run.path(), &run_bytes).unwrap();
    drop(store);
    // Also by a program that does not use the index.
    let log = SledLog::open(&path, &SledOptions::default()).unwrap();
    let store = Store::new(log);
    let answer = write(&store, &host, vec![redact("secret")]).remove(0);
    assert_eq!((answer.outcome, answer.seq), (Outcome::AlreadyRedacted, Seq(2 * BLOCK + 1)));
    assert_eq!(files_with(&path, MARKER), [""; 0]);
    assert!(!path.join("index").exists());
    assert_eq!(store.cleaned().len(), 2);
}

#[test]
fn where_something_cannot_be_cleaned_there_is_no_answer() {
    let (directory, store, host) = with_derived();
    let snapshots = directory.path().join("store/snapshots");
    // A directory of that name is in the way of the file that would be written there.
    let in_the_way = snapshots.join(".whole.new");
    fs::create_dir(&in_the_way).unwrap();
    let failed = store.write(vec![redact("secret")], &host, &WriteOptions::by("tester")).unwrap_err();
    let Error::Unavailable { context, hint, .. } = failed.error else { panic!("{failed:?}") };
    assert!(
        context.starts_with("the content is erased from the log, but not from what repeats it"),
        "{context}"
    );
    assert!(hint.unwrap().contains("redact the event once more"));
    fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(write(&store, &host, vec![redact("secret")])[0].outcome, Outcome::AlreadyRedacted);
    assert_eq!(files_with(&directory.path().join("store"), MARKER), [""; 0]);
}

#[test]
fn hashes_that_only_a_redacted_event_named_are_named_no_more() {
    let (store, host) = (Store::new(MemoryLog::default()), TestHost::new(1));
    let mut other = event("other", "x", "y");
    other.sources[0].sha256 = Some("cd".repeat(32));
    write(&store, &host, vec![append(event("a", "x", "y")), append(event("b", "x", "z")), append(other)]);
    for (redacted, left) in [("a", 2), ("b", 1), ("other", 0)] {
        write(&store, &host, vec![redact(redacted)]);
        assert_eq!(store.named_hashes().unwrap().len(), left, "{redacted}");
    }
}

#[test]
fn verify_holds_a_log_to_its_redactions() {
    let (store, host) = (Store::new(MemoryLog::default()), TestHost::new(1));
    write(&store, &host, vec![append(event("a", "x", "y"))]);
    write(&store, &host, vec![append(event("b", "x", "z"))]);
    let damage = |store: &Store<MemoryLog>| -> Vec<String> {
        store.verify(None).unwrap().damage.iter().map(ToString::to_string).collect()
    };
    let frame = |seq: u64| store.log().frames(Seq(seq)).next().unwrap().unwrap();
    let put = |frame| {
        let head = store.log().head().unwrap();
        store.log().commit(&Commit { frames: vec![frame], head, ..Commit::default() }).unwrap();
    };
    let full = frame(1);
    write(&store, &host, vec![redact("a")]);
    assert_eq!(damage(&store), [""; 0]);
    let erased = frame(1);
    put(full);
    assert_eq!(damage(&store), ["record 1: record 3 redacted its event, and its content is there"]);
    put(erased);
    let bare = scan::one(store.log(), Seq(2)).unwrap().erased().unwrap();
    put(pack(Seq(2), &[bare.encode().unwrap()]).unwrap().remove(0));
    assert_eq!(damage(&store), ["record 2: its content is missing, and no redaction says why"]);
}

#[test]
fn writers_at_once_redact_and_append() {
    let ((_directory, store), host) = (created(), TestHost::new(1));
    let events = (0..64).map(|n| append(event(&format!("e{n}"), "x", &format!("{MARKER} {n}")))).collect();
    write(&store, &host, events);
    let (store, host) = (&store, &host);
    std::thread::scope(|scope| {
        for writer in 0..8 {
            scope.spawn(move || {
                for n in (writer..64).step_by(8) {
                    // Each event is corrected and redacted at once by several, of whom one comes first.
                    let names = [format!("e{n}"), format!("e{}", (n + 1) % 64)];
                    for name in names {
                        let revised = entry(Write::Revise(Box::new(event(&name, "x", MARKER))));
                        let _ = store.write(vec![revised], host, &WriteOptions::by("tester"));
                        let outcome = write(store, host, vec![redact(&name)])[0].outcome;
                        assert!(matches!(outcome, Outcome::Redacted | Outcome::AlreadyRedacted));
                        // From the answer on nothing of it is left.
                        let history = store.history(&timeline(), &id(&name)).unwrap();
                        let (last, earlier) = history.split_last().unwrap();
                        assert_eq!(last.record.op, Op::Redact);
                        assert!(earlier.iter().all(|stored| stored.record.content == Content::Redacted));
                    }
                    write(store, host, vec![append(event(&format!("new{writer}-{n}"), "x", "plain"))]);
                }
            });
        }
    });
    assert!(store.verify(None).unwrap().damage.is_empty());
    let redactions = all(store).iter().filter(|stored| stored.record.op == Op::Redact).count();
    assert_eq!(redactions, 64, "each event once");
}

fn all<L: Log>(store: &Store<L>) -> Vec<StoredRecord> {
    let mut all = Vec::new();
    let visit = |stored| {
        all.push(stored);
        Ok(())
    };
    scan::each(store.log(), Seq(1), store.log().head().unwrap().seq(), visit).unwrap();
    all
}

/// What redactions leave of records, by what SPEC says of them and nothing else.
fn after_redactions(told: &[Record]) -> Vec<Record> {
    let erases = |record: &Record, later: &Record| {
        later.op == Op::Redact && (&later.timeline, &later.id) == (&record.timeline, &record.id)
    };
    let left = told.iter().enumerate().map(|(index, record)| {
        let is_erased = told[index + 1..].iter().any(|later| erases(record, later));
        let content = if is_erased { Content::Redacted } else { record.content.clone() };
        Record { content, ..record.clone() }
    });
    left.collect()
}

/// What the writers of a session asked to be recorded, without those that were there already.
fn told(entries: &[Entry], answers: &[Written], store: &Store<MemoryLog>, from: Seq) -> Vec<Record> {
    let new = entries.iter().zip(answers).filter(|(_, answer)| answer.seq > from);
    let mut seen = from;
    let mut told = Vec::new();
    for (Entry { timeline, write, .. }, answer) in new {
        if answer.seq != seen.next() {
            continue;
        }
        seen = answer.seq;
        let (op, content) = match write.clone() {
            Write::Append(event) => (Op::Append, Content::Event(event)),
            Write::Revise(event) => (Op::Revise, Content::Event(event)),
            Write::Retract { reason, .. } => (Op::Retract, Content::Reason(reason)),
            Write::Redact { reason, .. } => (Op::Redact, Content::Reason(reason)),
            Write::Erased { .. } => unreachable!("no session takes over"),
        };
        let stored = scan::one(store.log(), answer.seq).unwrap().record;
        told.push(Record { op, content, timeline: timeline.clone(), id: write.id().clone(), ..stored });
    }
    told
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// A log holds what was told, less what was redacted; its leaves and roots are those of a log without redactions.
    #[test]
    fn a_log_holds_what_was_told_less_what_was_redacted(session in sessions_with_redactions(40)) {
        let (store, host) = (Store::new(MemoryLog::default()), TestHost::new(1));
        let (mut records, mut roots) = (Vec::new(), Vec::new());
        for batch in &session.batches {
            let from = store.log().head().unwrap().seq();
            let answers = batch.write(&store, &host);
            let entries = &batch.entries;
            records.extend(told(entries, &answers, &store, from));
            roots.push(store.log().head().unwrap());
            let found: Vec<Record> = all(&store).into_iter().map(|stored| stored.record).collect();
            prop_assert_eq!(found, after_redactions(&records));
            for head in &roots {
                prop_assert_eq!(scan::root_at(store.log(), head.seq()).unwrap(), head.frontier.root());
            }
        }
        let damage = store.verify(None).unwrap().damage;
        prop_assert!(damage.is_empty(), "{:?}", damage);
    }
}
