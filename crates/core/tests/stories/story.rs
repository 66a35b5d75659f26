//! The stories' stage: the same records in a log in memory and in one on sled, asked in every way at once.

use std::fmt::Write as _;

use annals_core::{
    Commit, Durability, EventEntry, Head, Log, Seal, SledLog, SledOptions, Store, StoredRecord, WriteOptions,
    commitment, pack, scan,
};
use annals_model::{
    Certainty, Content, Entry, Filter, KnownAt, Op, Question, Record, RecordedAt, Seq, Snapshot,
    TimelineName, Version, Write,
};
use annals_testkit::told::{ATTRIBUTE, ENTITY, as_of, event, id};
use annals_testkit::{MemoryLog, TestHost, naive};
use tempfile::TempDir;

/// A story that is recorded twice: in memory, and on sled.
pub struct Story {
    memory: Store<MemoryLog>,
    sled: Store<SledLog>,
    _directory: TempDir,
}

fn timeline() -> TimelineName {
    TimelineName::new("main").unwrap()
}

pub fn append(name: &str, date: &str, effects: &str) -> Write {
    Write::Append(Box::new(event(name, date, effects)))
}

pub fn revise(name: &str, date: &str, effects: &str) -> Write {
    Write::Revise(Box::new(event(name, date, effects)))
}

pub fn retract(name: &str) -> Write {
    Write::Retract { id: id(name), reason: "it was wrong".to_owned() }
}

pub fn question(date: &str, known_at: KnownAt, certainty: Certainty) -> Question {
    let (filter, entities) = (Filter::default(), Vec::new());
    Question { timeline: timeline(), as_of: as_of(date), known_at, certainty, filter, entities }
}

impl Story {
    fn blank() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = SledOptions { durability: Durability::Os, ..SledOptions::default() };
        let sled = Store::new(SledLog::create(&directory.path().join("store"), &options).unwrap());
        Self { memory: Store::new(MemoryLog::default()), sled, _directory: directory }
    }

    /// Each write a record, a second after the one before.
    pub fn told(writes: Vec<Write>) -> Self {
        let seconds = (0..).map(|second| RecordedAt::from_micros(1_704_067_200_000_000 + second * 1_000_000));
        Self::told_at(seconds.zip(writes))
    }

    pub fn told_at(writes: impl IntoIterator<Item = (RecordedAt, Write)>) -> Self {
        let story = Self::blank();
        for (seed, (at, write)) in (1..).zip(writes) {
            story.record(seed, at, &write);
        }
        story
    }

    /// Both logs get the same record, down to its salt.
    fn record(&self, seed: u64, at: RecordedAt, write: &Write) {
        let before = self.end();
        let entry = || vec![Entry::new(timeline(), write.clone())];
        let host = || {
            let host = TestHost::new(seed);
            host.set_now(at);
            host
        };
        self.memory.write(entry(), &host(), &WriteOptions::by("somebody")).unwrap();
        self.sled.write(entry(), &host(), &WriteOptions::by("somebody")).unwrap();
        assert_eq!(self.end(), before.next(), "nothing was written for {write:?}");
    }

    pub fn go_on(&self, write: &Write) {
        let end = self.end();
        let last = scan::recorded_at(self.memory.log(), end).unwrap();
        self.record(end.0 + 1, RecordedAt::from_micros(last.micros() + 1_000_000), write);
    }

    fn end(&self) -> Seq {
        self.memory.log().head().unwrap().seq()
    }

    fn stored(&self) -> Vec<StoredRecord> {
        let mut records = Vec::new();
        let visit = |record| {
            records.push(record);
            Ok(())
        };
        scan::each(self.memory.log(), Seq(1), self.end(), visit).unwrap();
        records
    }

    /// The answer, on which both logs and the naive replay agree.
    pub fn ask(&self, question: &Question) -> Snapshot {
        let snapshot = self.memory.replay(question).unwrap();
        assert_eq!(snapshot, self.sled.replay(question).unwrap(), "in memory left, on sled right");
        let records: Vec<Record> = self.stored().into_iter().map(|stored| stored.record).collect();
        let naive = naive::replay(&records, question);
        assert_eq!(naive::comparable(&snapshot), naive, "engine left, naive right: {question:?}");
        snapshot
    }

    pub fn surely(&self, date: &str, known_at: KnownAt) -> Snapshot {
        self.ask(&question(date, known_at, Certainty::Possibly));
        self.ask(&question(date, known_at, Certainty::Surely))
    }

    /// A row for every position, the empty log's first; a column for every date.
    pub fn check<const DATES: usize>(&self, dates: [&str; DATES], rows: &[[&str; DATES]]) {
        let mut found = Vec::new();
        for seq in 0..=self.end().0 {
            found.push(dates.map(|date| {
                let snapshot = self.surely(date, KnownAt::Position(Seq(seq)));
                if let Some(at) = snapshot.asked.known_at.recorded_at {
                    assert_eq!(self.surely(date, KnownAt::At(at)), snapshot, "by its record time");
                }
                shown(&snapshot)
            }));
        }
        assert_eq!(found, rows, "as of {dates:?}");
    }

    /// The same log after a redaction: the event's records keep their leaves and lose their content, and a record of
    /// the redaction follows.
    pub fn without_content_of(&self, name: &str) -> Self {
        let mut records = self.stored();
        let last = records.last().unwrap().record.clone();
        let mut previous = None;
        for stored in records.iter_mut().filter(|stored| stored.record.id == id(name)) {
            let salt = stored.salt().unwrap();
            let seal = Seal::Commitment(commitment(salt, &stored.content_json().unwrap()));
            (stored.seal, stored.record.content) = (seal, Content::Redacted);
            previous = Some(stored.record.seq);
        }
        let content = Content::Reason("a name that nobody may read".to_owned());
        let recorded_at = RecordedAt::from_micros(last.recorded_at.micros() + 1_000_000);
        let (seq, id) = (last.seq.next(), id(name));
        let record = Record { seq, recorded_at, id, op: Op::Redact, content, ..last };
        records.push(StoredRecord { record, previous, seal: Seal::Salt([7; 16]) });

        let mut commit = Commit { head: Head::default(), ..Commit::default() };
        let encoded: Vec<_> = records.iter().map(|stored| stored.encode().unwrap()).collect();
        commit.frames = pack(Seq(1), &encoded).unwrap();
        for StoredRecord { record, .. } in &records {
            let first = records.iter().find(|stored| stored.record.id == record.id).unwrap().record.seq;
            let entry = EventEntry { first, last: record.seq, last_op: record.op };
            commit.events.retain(|(_, own, _)| *own != record.id);
            commit.events.push((timeline(), record.id.clone(), entry));
        }
        commit.timelines.push((timeline(), Version(records.len() as u64)));
        for stored in &records {
            commit.head.frontier.push(stored.leaf().unwrap());
        }
        commit.head.recorded_at = records.last().map(|stored| stored.record.recorded_at);
        let redacted = Self::blank();
        redacted.memory.log().commit(&commit).unwrap();
        redacted.sled.log().commit(&commit).unwrap();
        assert!(redacted.memory.verify(None).unwrap().damage.is_empty());
        redacted
    }
}

/// `1 by a`: the value of `a.x`, `?` behind it where it is not sure, and whose it is; then the other attributes,
/// each with its name, and the clashes.
pub fn shown(snapshot: &Snapshot) -> String {
    let mut parts = Vec::new();
    for (attribute, cell) in snapshot.state.get(ENTITY).into_iter().flatten() {
        let mut part = if attribute == ATTRIBUTE { String::new() } else { format!("{attribute}: ") };
        write!(part, "{}{} by {}", cell.value, if cell.sure { "" } else { "?" }, cell.by).unwrap();
        parts.push(part);
    }
    parts.extend(snapshot.clashes.iter().map(|clash| format!("clash of {}", clash.id)));
    if parts.is_empty() { "-".to_owned() } else { parts.join(", ") }
}
