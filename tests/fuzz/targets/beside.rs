//! What lies beside the log: files of which a store may lose any without an answer becoming another one, the head file and
//! the format file, saved answers, and checkpoints of a program's own projections.
//!
//! Each thread makes a small store once; an input takes the place of one of its files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use annals_core::dates::{self, DateIndex};
use annals_core::index::{self, ClaimIndex};
use annals_core::projection::{Checkpoint, Failure, Happened, Projection, Projector, Scope};
use annals_core::{
    Error, Follower, Host, Log as _, Result, SledLog, SledOptions, Store, StoredRecord, WriteOptions, scan,
};
use annals_model::line::Line;
use annals_model::{
    AsOf, Certainty, Date, EventId, Filter, KnownAt, Question, RecordedAt, SavedSnapshot, Seq, TimelineName,
};
use tempfile::TempDir;

/// Each file by the letter that an input begins with.
const FILES: [(u8, &str); 7] = [
    (b'h', "head"),
    (b't', "tail"),
    (b'f', "format"),
    (b'c', "index/manifest"),
    (b'C', "index/0.run"),
    (b'd', "dates/manifest"),
    (b'D', "dates/0.run"),
];
/// Enough for one run of each index, and for some records behind it.
const EVENTS: u64 = 270;

/// A clock that stands, and no randomness at all.
struct Fixed;

impl Host for Fixed {
    fn now(&self) -> RecordedAt {
        RecordedAt::from_micros(1_700_000_000_000_000)
    }

    fn fill_random(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

/// A store whose files are known, and what it says.
struct Known {
    directory: TempDir,
    files: Vec<(PathBuf, Vec<u8>)>,
    records: Vec<StoredRecord>,
    said: String,
    checkpoint: Checkpoint,
}

thread_local! {
    static KNOWN: Known = Known::make();
}

fn main_timeline() -> TimelineName {
    TimelineName::new("main").unwrap()
}

fn options() -> SledOptions {
    SledOptions { patience: Duration::from_secs(5), ..SledOptions::default() }
}

fn open(path: &Path) -> Result<Store<SledLog>> {
    let claims = index::Sizes { enough: 256, at_once: 256, ..index::Sizes::default() };
    let dated = dates::Sizes { enough: 256, at_once: 256, ..dates::Sizes::default() };
    let store = Store::new(SledLog::open(path, &options())?);
    let store = store.with_index(ClaimIndex::with(path.join(index::DIRECTORY), claims));
    Ok(store.with_dates(DateIndex::with(path.join(dates::DIRECTORY), dated)))
}

/// What is said with both indexes.
fn ask(store: &Store<SledLog>) -> Result<String> {
    let mut question = Question {
        timeline: main_timeline(),
        as_of: AsOf::new(Date::parse("2010").unwrap()).unwrap(),
        known_at: KnownAt::Everything,
        certainty: Certainty::Surely,
        filter: Filter::default(),
        entities: Vec::new(),
    };
    let all = serde_json::to_string(&store.replay(&question)?).unwrap();
    let (spans, counts) = (store.spans(&question, "town1")?, store.event_counts()?);
    question.filter.kind = vec!["odd".to_owned()];
    let odd = serde_json::to_string(&store.replay(&question)?).unwrap();
    Ok(format!("{all} {spans:?} {counts:?} {odd}"))
}

impl Known {
    fn make() -> Self {
        // In memory where that can be had: an index that is made anew is synced each time.
        let memory = Path::new("/dev/shm");
        let in_memory = memory.is_dir().then(|| tempfile::tempdir_in(memory).ok()).flatten();
        let directory = in_memory.unwrap_or_else(|| tempfile::tempdir().unwrap());
        let path = directory.path().join("store");
        drop(SledLog::create(&path, &options()).unwrap());
        let store = open(&path).unwrap();
        let event = |n: u64| {
            let (date, kind) = (1980 + n % 60, if n.is_multiple_of(2) { "even" } else { "odd" });
            let effect =
                format!(r#"{{"op":"set","entity":"town{}","attribute":"mayor","value":"m{n}"}}"#, n % 40);
            let line = format!(
                r#"{{"id":"e{n}","date":"{date}~","title":"Event {n}","kind":"{kind}","effects":[{effect}]}}"#
            );
            let made = || EventId::new("made").unwrap();
            Line::parse(&line).unwrap().into_entry(&main_timeline(), made)
        };
        store.write((0..EVENTS).map(event).collect(), &Fixed, &WriteOptions::by("somebody")).unwrap();
        store.write(vec![event(EVENTS)], &Fixed, &WriteOptions::by("somebody")).unwrap();
        let said = ask(&store).unwrap();
        let mut records = Vec::new();
        scan::each(store.log(), Seq(1), store.log().head().unwrap().seq(), |stored| {
            records.push(stored);
            Ok(())
        })
        .unwrap();
        let mut projector = Projector::new(Counting, Scope::surely(main_timeline()));
        projector.state_at(&store, &AsOf::new(Date::parse("2010").unwrap()).unwrap()).unwrap();
        let checkpoint = projector.save().unwrap();
        drop(store);
        let read = |(_, name): &(u8, &str)| (path.join(name), fs::read(path.join(name)).unwrap());
        Self { files: FILES.iter().map(read).collect(), directory, records, said, checkpoint }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("store")
    }

    /// Every file as it was, and none that has come since.
    fn mend(&self) {
        for directory in [index::DIRECTORY, dates::DIRECTORY].map(|name| self.path().join(name)) {
            let _ = fs::remove_dir_all(&directory);
            fs::create_dir(&directory).unwrap();
        }
        for (path, bytes) in &self.files {
            fs::write(path, bytes).unwrap();
        }
    }
}

/// A letter for a file, and what stands in it: answers are the same, or the store is said to be damaged.
pub fn beside(bytes: &[u8]) {
    let Some((letter, bytes)) = bytes.split_first() else { return };
    let Some((_, name)) = FILES.iter().find(|(known, _)| known == letter) else { return };
    KNOWN.with(|known| {
        known.mend();
        let path = known.path();
        fs::write(path.join(name), bytes).unwrap();
        let is_derived = !["head", "format"].contains(name);
        match open(&path).and_then(|store| ask(&store)) {
            Ok(said) => assert!(said == known.said, "{name}: another answer: {said}"),
            Err(Error::Damaged(_)) => assert!(!is_derived, "{name} is no part of the log"),
            // A format that a later version may have made.
            Err(Error::Unavailable { .. }) if *name == "format" => {}
            Err(other) => panic!("{name}: {other}"),
        }
        follow(known, is_derived);
    });
}

/// Who follows the log gets its records, in order, or is told.
fn follow(known: &Known, is_derived: bool) {
    let Ok(mut follower) = Follower::new(&known.path(), Seq(1), options()) else {
        assert!(!is_derived);
        return;
    };
    let mut got = Vec::new();
    loop {
        match follower.poll() {
            Ok(records) if records.is_empty() => break,
            Ok(records) => got.extend(records),
            Err(error) => {
                assert!(!error.to_string().is_empty());
                break;
            }
        }
    }
    assert!(known.records.starts_with(&got), "{} records are not the log's", got.len());
}

/// A saved answer: what it asks and its receipt survive being read, and it is checked against another log.
pub fn answer(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match SavedSnapshot::parse(text) {
        Ok(saved) => {
            let again = SavedSnapshot::parse(text).unwrap();
            assert_eq!((again.question(), again.receipt()), (saved.question(), saved.receipt()));
            KNOWN.with(|known| {
                known.mend();
                let _ = open(&known.path()).unwrap().check(&saved);
            });
        }
        Err(invalid) => assert!(!invalid.to_string().is_empty()),
    }
}

/// Counts what happened.
struct Counting;

impl Projection for Counting {
    type State = u64;

    fn name(&self) -> &'static str {
        "counting"
    }

    fn version(&self) -> u32 {
        1
    }

    fn apply(&self, state: &mut u64, _: &Happened<'_>) -> Result<(), Failure> {
        *state += 1;
        Ok(())
    }
}

/// The checkpoint of a projection: what is taken up is what was saved.
pub fn checkpoint(bytes: &[u8]) {
    let Ok(checkpoint) = serde_json::from_slice::<Checkpoint>(bytes) else { return };
    KNOWN.with(|known| {
        known.mend();
        let store = open(&known.path()).unwrap();
        if let Ok(projector) =
            Projector::resume(Counting, Scope::surely(main_timeline()), &store, &checkpoint)
        {
            assert_eq!(projector.save().unwrap(), known.checkpoint);
        }
    });
}
