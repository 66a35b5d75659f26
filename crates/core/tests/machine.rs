//! A store against a model of it, step by step: batches, imports, refusals, restarts, compactions, and copies as a kill
//! leaves them.
//!
//! The model is a list of records and knows nothing of frames, indexes or files. It says what every write has to answer;
//! after each step the whole log is read and held against it. The count is `ANNALS_MACHINES`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "test code: a panic is how a test fails, and the environment is how it is told what to do"
)]

use std::num::NonZeroUsize;
use std::path::PathBuf;

use annals_core::proof::Tree;
use annals_core::{Hash, Log, Resume, SledLog, SledOptions, Store, WriteOptions, scan};
use annals_model::{Content, Entry, Event, EventId, Op, Outcome, Seq, TimelineName, Version, Write};
use annals_testkit::TestHost;
use annals_testkit::files::copy_directory;
use proptest::prelude::*;
use proptest::test_runner::Config;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use tempfile::TempDir;

const TIMELINES: [&str; 2] = ["alpha", "beta"];
const EVENTS: u8 = 6;
const CONTENTS: u8 = 3;

/// One thing that somebody writes: to which event, and with which content.
#[derive(Clone, Copy, Debug)]
struct Doing {
    op: Op,
    timeline: usize,
    event: u8,
    content: u8,
}

#[derive(Clone, Debug)]
enum Step {
    /// A batch; the model says whether it is refused.
    Write(Vec<Doing>),
    /// An import of so many new events, the first of which is revised, and the same once more.
    Import(usize),
    /// The store is closed in order, and opened.
    Reopen,
    /// The store is closed, written anew, and opened.
    Compact,
    /// What a kill leaves is opened: the files as they are while the store is open.
    Kill,
}

/// A record as the model knows it.
#[derive(Clone, Copy, Debug)]
struct Told {
    doing: Doing,
    is_erased: bool,
}

#[derive(Clone, Debug, Default)]
struct Model {
    records: Vec<Told>,
    /// New events of imports so far.
    imported: usize,
    /// What the last step has to answer; nothing where it is refused.
    answers: Option<Vec<(Outcome, usize)>>,
}

impl Model {
    /// The event's records, with their places in the log.
    fn of(&self, doing: &Doing) -> Vec<(usize, Told)> {
        let same = |told: &Told| (told.doing.timeline, told.doing.event) == (doing.timeline, doing.event);
        (1..).zip(self.records.iter().copied()).filter(|(_, told)| same(told)).collect()
    }

    /// What one write answers, and whether it is recorded, by what SPEC says of it.
    fn take(&mut self, doing: Doing) -> Option<(Outcome, usize)> {
        let history = self.of(&doing);
        let last = history.last().copied();
        let redacted = last.filter(|(_, told)| told.doing.op == Op::Redact);
        let holds = |told: &Told| {
            matches!(told.doing.op, Op::Append | Op::Revise) && told.doing.content == doing.content
        };
        let answer = match (doing.op, last, redacted) {
            (Op::Append, None, _) => Outcome::Appended,
            (_, None, _) => return None,
            (Op::Append, _, Some((seq, _))) => return Some((Outcome::AlreadyAppendedRedacted, seq)),
            (Op::Redact, _, Some((seq, _))) => return Some((Outcome::AlreadyRedacted, seq)),
            (_, _, Some(_)) => return None,
            (Op::Append, ..) => {
                let (seq, _) = history.iter().find(|(_, told)| holds(told))?;
                return Some((Outcome::AlreadyAppended, *seq));
            }
            (Op::Revise, Some((seq, told)), _) if holds(&told) => {
                return Some((Outcome::AlreadyRevised, seq));
            }
            (Op::Retract, Some((seq, told)), _) if told.doing.op == Op::Retract => {
                return Some((Outcome::AlreadyRetracted, seq));
            }
            (Op::Revise, ..) => Outcome::Revised,
            (Op::Retract, ..) => Outcome::Retracted,
            (Op::Redact, ..) => Outcome::Redacted,
        };
        if doing.op == Op::Redact {
            for (seq, _) in &history {
                self.records[seq - 1].is_erased = true;
            }
        }
        self.records.push(Told { doing, is_erased: false });
        Some((answer, self.records.len()))
    }

    fn batch(&mut self, doings: &[Doing]) {
        let mut after = self.clone();
        self.answers = doings.iter().map(|doing| after.take(*doing)).collect();
        if self.answers.is_some() {
            self.records = after.records;
        }
    }

    fn import(&mut self, count: usize) {
        for doing in import(self.imported, count) {
            self.take(doing).unwrap();
        }
        self.imported += count;
    }
}

/// What an import brings: new events, behind those of the batches, and a revision.
fn import(from: usize, count: usize) -> Vec<Doing> {
    let one = |number: usize| Doing {
        op: Op::Append,
        timeline: number % 2,
        event: EVENTS + u8::try_from(number % 200).unwrap(),
        content: 0,
    };
    let mut doings: Vec<Doing> = (from..from + count).map(one).collect();
    doings.push(Doing { op: Op::Revise, content: 1, ..one(from) });
    doings
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::default()).boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Step> {
        let ops = prop_oneof![6 => Just(Op::Append), 3 => Just(Op::Revise), 2 => Just(Op::Retract), 1 => Just(Op::Redact)];
        let doing = (ops, 0..TIMELINES.len(), 0..EVENTS, 0..CONTENTS)
            .prop_map(|(op, timeline, event, content)| Doing { op, timeline, event, content });
        let batch = proptest::collection::vec(doing, 1..5).prop_map(Step::Write);
        let most = 180_usize.saturating_sub(state.imported).clamp(1, 60);
        let import = u32::from(state.imported < 180);
        prop_oneof![
            12 => batch,
            import => (1..=most).prop_map(Step::Import),
            2 => Just(Step::Reopen),
            1 => Just(Step::Compact),
            2 => Just(Step::Kill),
        ]
        .boxed()
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        match step {
            Step::Write(doings) => state.batch(doings),
            Step::Import(count) => state.import(*count),
            Step::Reopen | Step::Compact | Step::Kill => {}
        }
        state
    }
}

/// The real store.
struct Real {
    rooms: TempDir,
    path: PathBuf,
    store: Option<Store<SledLog>>,
    host: TestHost,
    /// The root over each number of records, as it was when the log had as many.
    roots: Vec<Hash>,
}

impl Real {
    fn open(&mut self) {
        let log = SledLog::open(&self.path, &SledOptions::default()).unwrap();
        self.store = Some(Store::new(log));
    }

    fn store(&self) -> &Store<SledLog> {
        self.store.as_ref().unwrap()
    }

    fn write(&self, doings: &[Doing], answers: Option<&Vec<(Outcome, usize)>>) {
        let entries = doings.iter().map(entry).collect();
        let done = self.store().write(entries, &self.host, &WriteOptions::by("machine"));
        match (done, answers) {
            (Ok(written), Some(answers)) => {
                let found: Vec<_> = written
                    .iter()
                    .map(|written| (written.outcome, usize::try_from(written.seq.0).unwrap()))
                    .collect();
                assert_eq!(&found, answers, "{doings:?}");
            }
            (Err(_), None) => {}
            (done, _) => panic!("{doings:?}: {done:?}, expected {answers:?}"),
        }
    }

    /// Imports twice: the second time everything is there.
    fn import(&self, doings: &[Doing]) {
        let store = self.store();
        for is_again in [false, true] {
            let before = store.log().head().unwrap().seq();
            let entries = doings.iter().map(|doing| Ok(entry(doing)));
            let options = WriteOptions::by("machine");
            let mut resume = Resume::default();
            let workers = NonZeroUsize::new(2).unwrap();
            store.import_from(entries, &self.host, &options, &mut resume, workers, |_| ()).unwrap();
            let new = store.log().head().unwrap().seq().0 - before.0;
            assert_eq!(new, if is_again { 0 } else { doings.len() as u64 });
        }
    }

    /// Takes the files as they are, as a kill would leave them, and goes on with those.
    fn kill(&mut self) {
        let after = self.rooms.path().join(format!("{}x", self.path.file_name().unwrap().display()));
        copy_directory(&self.path, &after);
        self.store = None;
        std::fs::remove_dir_all(&self.path).unwrap();
        self.path = after;
        self.open();
    }

    /// Holds the whole log against the model.
    fn check(&self, model: &Model) {
        let log = self.store().log();
        let head = log.head().unwrap();
        assert_eq!(head.seq().0, model.records.len() as u64);
        let mut told = model.records.iter();
        scan::each(log, Seq(1), head.seq(), |stored| {
            let Told { doing, is_erased } = told.next().unwrap();
            let Entry { timeline, write, .. } = entry(doing);
            let content = match write.clone() {
                _ if *is_erased => Content::Redacted,
                Write::Append(event) | Write::Revise(event) => Content::Event(event),
                Write::Retract { reason, .. } | Write::Redact { reason, .. } => Content::Reason(reason),
                Write::Erased { .. } => unreachable!("nothing is taken over"),
            };
            let record = &stored.record;
            assert_eq!((record.op, &record.timeline, &record.id), (doing.op, &timeline, write.id()));
            assert_eq!(record.content, content, "record {}", record.seq);
            Ok(())
        })
        .unwrap();
        for (index, name) in TIMELINES.iter().enumerate() {
            let records = model.records.iter().filter(|told| told.doing.timeline == index).count();
            let version = log.version(&TimelineName::new(*name).unwrap()).unwrap();
            assert_eq!(version, Version(records as u64));
        }
        let report = self.store().verify(log.witness()).unwrap();
        assert_eq!(report.damage, []);
    }

    /// No root that the log ever had becomes another.
    fn check_roots(&mut self) {
        let log = self.store.as_ref().unwrap().log();
        let mut tree = Tree::of(log).unwrap();
        for (size, root) in (0..).zip(&self.roots) {
            assert_eq!(tree.root(size).unwrap(), *root, "the root over {size} records");
        }
        for size in self.roots.len() as u64..=log.head().unwrap().seq().0 {
            self.roots.push(tree.root(size).unwrap());
        }
    }
}

fn entry(doing: &Doing) -> Entry {
    let id = EventId::new(format!("e{}", doing.event)).unwrap();
    let mut event = Event::new(id.clone(), format!("Version {}", doing.content));
    event.description = Some("as it was told ".repeat(usize::from(doing.content) * 20 + 1));
    let write = match doing.op {
        Op::Append => Write::Append(Box::new(event)),
        Op::Revise => Write::Revise(Box::new(event)),
        Op::Retract => Write::Retract { id, reason: "withdrawn".to_owned() },
        Op::Redact => Write::Redact { id, reason: "a name".to_owned() },
    };
    Entry::new(TimelineName::new(TIMELINES[doing.timeline]).unwrap(), write)
}

impl StateMachineTest for Real {
    type SystemUnderTest = Self;
    type Reference = Model;

    fn init_test(_: &Model) -> Self {
        let rooms = TempDir::new().unwrap();
        let path = rooms.path().join("s");
        drop(SledLog::create(&path, &SledOptions::default()).unwrap());
        let mut real = Self { rooms, path, store: None, host: TestHost::new(7), roots: Vec::new() };
        real.open();
        real
    }

    fn apply(mut real: Self, model: &Model, step: Step) -> Self {
        match step {
            Step::Write(doings) => real.write(&doings, model.answers.as_ref()),
            Step::Import(count) => real.import(&import(model.imported - count, count)),
            Step::Reopen => {
                real.store = None;
                real.open();
            }
            Step::Compact => {
                real.store = None;
                let workers = NonZeroUsize::new(2).unwrap();
                SledLog::compact(&real.path, &SledOptions::default(), workers, &mut |_, _| ()).unwrap();
                real.open();
            }
            Step::Kill => real.kill(),
        }
        real.check(model);
        real.check_roots();
        real
    }
}

fn cases() -> u32 {
    std::env::var("ANNALS_MACHINES").ok().and_then(|n| n.parse().ok()).unwrap_or(16)
}

prop_state_machine! {
    #![proptest_config(Config { failure_persistence: None, cases: cases(), max_shrink_iters: 2000, ..Config::default() })]

    #[test]
    fn a_store_does_what_its_model_says(sequential 1..24 => Real);
}
