//! What the engine says of a value's worlds, against all possible worlds of random small logs.
//!
//! The testkit counts the worlds out one by one. A log with more worlds than [`MOST_WORLDS`] is skipped, and the
//! property counts what it skipped and what it met, so that it does not pass for want of cases.
//! `PROPTEST_CASES` asks for more cases.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::cell::RefCell;

use annals_model::{
    Certainty, Event, Filter, Knowledge, KnownAt, Moment, Position, Question, Seq, Snapshot, TimelineName,
    Value,
};
use annals_testkit::overlaps::{SmallLog, small_logs};
use annals_testkit::told::{ATTRIBUTE, ENTITY};
use annals_testkit::worlds::Worlds;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

const MOST_WORLDS: usize = 5_000;

/// What the engine says of the attribute, in the terms of the worlds.
#[derive(Debug)]
struct Read {
    standing: Option<Value>,
    sure: bool,
}

/// How often the cases met what the property is about.
#[derive(Debug, Default)]
struct Met {
    compared: u32,
    skipped: u32,
    called_sure: u32,
    unsure: u32,
}

fn answer(log: &SmallLog, certainty: Certainty) -> Snapshot {
    let question = Question {
        timeline: TimelineName::new("main").unwrap(),
        as_of: log.as_of.clone(),
        known_at: KnownAt::Everything,
        certainty,
        filter: Filter::default(),
        entities: Vec::new(),
    };
    let position = Position { seq: Seq(log.events.len() as u64), recorded_at: None };
    let knowledge = Knowledge { position, log_root: [0; 32], events: log.counted(), withdrawn: 0 };
    Snapshot::answer(&question, &knowledge).unwrap()
}

/// The one place that knows where the engine's answer keeps what is compared. An attribute without a value is
/// not called sure.
fn read(snapshot: &Snapshot) -> Read {
    let cell = snapshot.state.get(ENTITY).and_then(|attributes| attributes.get(ATTRIBUTE));
    Read { standing: cell.map(|cell| cell.value.clone()), sure: cell.is_some_and(|cell| cell.sure) }
}

fn compare(engine: &Read, worlds: &Worlds) -> Result<(), TestCaseError> {
    if engine.sure {
        prop_assert!(
            worlds.is_sure(engine.standing.as_ref()),
            "called sure\n{engine:?}\n{:#?}",
            worlds.outcomes
        );
    }
    Ok(())
}

/// Of two dates without a beginning the engine takes the place in the log for an order, and no world knows one.
fn share_no_beginning(log: &SmallLog) -> bool {
    let without = |event: &&Event| event.span().start.latest == Moment::NEG_INFINITY;
    log.events.iter().filter(without).count() > 1
}

impl Met {
    fn count(&mut self, engine: &Read, worlds: &Worlds) {
        self.called_sure += u32::from(engine.sure);
        self.unsure += u32::from(!worlds.is_sure(engine.standing.as_ref()));
    }

    fn enough(&self) -> bool {
        let Self { compared, skipped, called_sure, unsure } = *self;
        compared > 4 * skipped && called_sure > compared / 10 && unsure > compared / 10
    }
}

#[test]
fn what_is_called_sure_stands_in_every_world() {
    let defaults = ProptestConfig::default();
    let cases = defaults.cases.max(2048);
    let config = ProptestConfig { cases, max_shrink_iters: 8192, failure_persistence: None, ..defaults };
    let met = RefCell::new(Met::default());
    let checked = TestRunner::new(config).run(&small_logs(5), |log| {
        let mut met = met.borrow_mut();
        let (attribute, as_of) = ((ENTITY, ATTRIBUTE), log.as_of.until());
        let worlds = Worlds::of(&log.counted(), attribute, as_of, MOST_WORLDS);
        let Some(worlds) = worlds.ok().filter(|_| !share_no_beginning(&log)) else {
            met.skipped += 1;
            return Ok(());
        };
        met.compared += 1;
        for certainty in [Certainty::Surely, Certainty::Possibly] {
            let engine = read(&answer(&log, certainty));
            met.count(&engine, &worlds);
            compare(&engine, &worlds)?;
        }
        Ok(())
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(met.borrow().enough(), "{met:?}");
}
