//! What the engine says of a value's worlds, against all possible worlds of random small logs.
//!
//! The engine reads the worlds off in one pass over the dates; the testkit counts them out one by one. A log
//! with more worlds than [`MOST_WORLDS`] is skipped, and the property counts what it skipped and what it met, so
//! that it does not pass for want of cases. `PROPTEST_CASES` sets the number of cases.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use annals_model::{
    Alternative, Certainty, EventId, Filter, Knowledge, KnownAt, Members, Number, Open, Position, Question,
    Scalar, Seq, Snapshot, TimelineName, Value,
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
    alternatives: BTreeMap<Option<Value>, BTreeSet<EventId>>,
    bounds: Option<(Number, Number)>,
    members: Option<(BTreeSet<Scalar>, BTreeSet<Scalar>)>,
}

/// How often the cases met what the property is about.
#[derive(Debug, Default)]
struct Met {
    compared: u32,
    skipped: u32,
    sure: u32,
    unsettled: u32,
    alternatives: u32,
    bounds: u32,
    members: u32,
    mixed: u32,
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

/// The one place that knows where the engine's answer keeps what is compared.
fn read(snapshot: &Snapshot) -> Result<Read, TestCaseError> {
    let cell = snapshot.state.get(ENTITY).and_then(|attributes| attributes.get(ATTRIBUTE));
    let unsettled = snapshot.unsettled.get(ENTITY).and_then(|attributes| attributes.get(ATTRIBUTE));
    let Open { alternatives, low, high, members, .. } = match (cell, unsettled) {
        (Some(_), Some(_)) => return Err(TestCaseError::fail("a value stands, and is unsettled besides")),
        (Some(cell), None) => &cell.open,
        (None, Some(open)) => open,
        (None, None) => &Open::default(),
    };
    let (low, high) = (*low, *high);
    prop_assert_eq!(low.is_some(), high.is_some(), "one bound alone");
    Ok(Read {
        standing: cell.map(|cell| cell.value.clone()),
        sure: cell.map_or(unsettled.is_none(), |cell| cell.sure),
        alternatives: each_once(alternatives)?,
        bounds: low.zip(high),
        members: members.as_ref().map(|Members { surely, possibly }| (surely.clone(), possibly.clone())),
    })
}

/// Each alternative once, and each of its events once.
fn each_once(listed: &[Alternative]) -> Result<BTreeMap<Option<Value>, BTreeSet<EventId>>, TestCaseError> {
    let mut alternatives = BTreeMap::new();
    for Alternative { value, by } in listed {
        let ids: BTreeSet<EventId> = by.iter().cloned().collect();
        prop_assert_eq!(ids.len(), by.len(), "an event is named twice: {:?}", by);
        prop_assert!(alternatives.insert(value.clone(), ids).is_none(), "listed twice: {:?}", value);
    }
    Ok(alternatives)
}

fn compare(engine: &Read, worlds: &Worlds) -> Result<(), TestCaseError> {
    let standing = engine.standing.as_ref();
    if engine.sure {
        prop_assert!(worlds.is_sure(standing), "called sure\n{engine:?}\n{worlds:?}");
        let says_no_more =
            engine.alternatives.is_empty() && engine.bounds.is_none() && engine.members.is_none();
        prop_assert!(says_no_more, "sure, and more is said: {engine:?}");
        return Ok(());
    }
    if worlds.is_mixed() {
        return encloses(engine, worlds);
    }
    prop_assert!(!worlds.is_sure(standing), "not called sure\n{engine:?}\n{worlds:?}");
    prop_assert_eq!(&engine.alternatives, &worlds.alternatives(standing), "\nengine left\n{:?}", worlds);
    prop_assert_eq!(engine.bounds, worlds.bounds(), "\nengine left\n{:?}", worlds);
    prop_assert_eq!(&engine.members, &worlds.members(), "\nengine left\n{:?}", worlds);
    Ok(())
}

/// Of a mixed attribute the engine may say too much, and never too little.
fn encloses(engine: &Read, worlds: &Worlds) -> Result<(), TestCaseError> {
    for (value, by) in worlds.alternatives(engine.standing.as_ref()) {
        let told = engine.alternatives.get(&value);
        prop_assert!(told.is_some_and(|told| told.is_superset(&by)), "{value:?}\n{engine:?}\n{worlds:?}");
    }
    if let Some((low, high)) = worlds.bounds() {
        let within = engine.bounds.is_some_and(|bounds| bounds.0 <= low && high <= bounds.1);
        prop_assert!(within, "{low} to {high}\n{engine:?}\n{worlds:?}");
    }
    if let Some((surely, possibly)) = worlds.members() {
        let within = engine.members.as_ref();
        let within = within.is_some_and(|told| told.0.is_subset(&surely) && told.1.is_superset(&possibly));
        prop_assert!(within, "{engine:?}\n{worlds:?}");
    }
    Ok(())
}

impl Met {
    fn count(&mut self, engine: &Read, worlds: &Worlds) {
        let standing = engine.standing.as_ref();
        let unsure = !worlds.is_sure(standing);
        self.sure += u32::from(!unsure);
        self.unsettled += u32::from(unsure && standing.is_none());
        self.alternatives += u32::from(unsure && !worlds.alternatives(standing).is_empty());
        self.bounds += u32::from(unsure && worlds.bounds().is_some());
        self.members += u32::from(unsure && worlds.members().is_some());
        self.mixed += u32::from(worlds.is_mixed());
    }

    fn enough(&self) -> bool {
        let Self { compared, skipped, sure, unsettled, alternatives, bounds, members, mixed } = *self;
        let often = [sure, unsettled, alternatives, bounds, members];
        compared > 4 * skipped
            && often.into_iter().all(|count| count > compared / 20)
            && mixed > compared / 100
    }
}

#[test]
fn the_engine_says_of_every_small_log_what_all_its_worlds_say() {
    let defaults = ProptestConfig::default();
    let cases = defaults.cases.max(2048);
    let config = ProptestConfig { cases, max_shrink_iters: 8192, failure_persistence: None, ..defaults };
    let met = RefCell::new(Met::default());
    let checked = TestRunner::new(config).run(&small_logs(5), |log| {
        let mut met = met.borrow_mut();
        let attribute = (ENTITY, ATTRIBUTE);
        let Ok(worlds) = Worlds::of(&log.counted(), attribute, log.as_of.until(), MOST_WORLDS) else {
            met.skipped += 1;
            return Ok(());
        };
        met.compared += 1;
        for certainty in [Certainty::Surely, Certainty::Possibly] {
            let engine = read(&answer(&log, certainty))?;
            met.count(&engine, &worlds);
            compare(&engine, &worlds)?;
        }
        Ok(())
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(met.borrow().enough(), "{met:?}");
}
