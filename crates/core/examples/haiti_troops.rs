//! Foreign forces in Haiti over time, as a projection: `cargo run -p annals-core --example haiti_troops`.
//!
//! The events are those of `tests/fixtures/haiti`, which hold what one news article says. It gives years and not
//! days, so how many forces are there at a date is often between two numbers. The projection keeps who has come and
//! who has left apart. With two projectors, one for what surely and one for what possibly happened, the bounds
//! follow: at least those are there that surely came and did not even possibly leave, at most those that possibly
//! came and did not surely leave.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::Write;

use annals_core::projection::{Failure, Happened, Projection, Projector, Scope, Since};
use annals_core::{Log, Store, WriteOptions};
use annals_model::line::Line;
use annals_model::{AsOf, Change, Date, Event, Moment, Number, Scalar, TimelineName, Value};
use annals_testkit::{MemoryLog, TestHost};

const EVENTS: &str = include_str!("../../../tests/fixtures/haiti/events.jsonl");
const REVISION: &str = include_str!("../../../tests/fixtures/haiti/revision.jsonl");

/// Who came, who left, and how many officers were promised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forces {
    came: BTreeSet<String>,
    left: BTreeSet<String>,
    pledged: Number,
}

/// Reads the effects on the status of forces and on the officers that were pledged.
struct ForcesInHaiti;

impl Projection for ForcesInHaiti {
    type State = Forces;

    fn name(&self) -> &'static str {
        "forces in Haiti"
    }

    fn version(&self) -> u32 {
        1
    }

    fn wants(&self, event: &Event) -> bool {
        event.effects.iter().any(|e| e.entity.starts_with("un-") || e.attribute == "pledged-officers")
    }

    fn apply(&self, forces: &mut Forces, happened: &Happened<'_>) -> Result<(), Failure> {
        if !happened.starts() {
            return Ok(());
        }
        for effect in &happened.event().effects {
            let force = effect.entity.trim_start_matches("un-").to_owned();
            match (effect.attribute.as_str(), &effect.change) {
                ("status", Change::Set(Value::Scalar(Scalar::Text(status)))) => match &**status {
                    "present" => _ = forces.came.insert(force),
                    "withdrawn" => _ = forces.left.insert(force),
                    _ => {}
                },
                ("pledged-officers", Change::Increase(officers)) => {
                    let sum =
                        forces.pledged.checked_add(*officers).ok_or("more officers than there are people")?;
                    forces.pledged = sum;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// What is there at least and at most.
#[derive(Debug, PartialEq, Eq)]
struct Strength {
    surely: BTreeSet<String>,
    possibly: BTreeSet<String>,
    pledged: (Number, Number),
}

impl Strength {
    fn between(surely: &Forces, possibly: &Forces) -> Self {
        Self {
            surely: surely.came.difference(&possibly.left).cloned().collect(),
            possibly: possibly.came.difference(&surely.left).cloned().collect(),
            pledged: (surely.pledged, possibly.pledged),
        }
    }
}

/// The state that stands at a moment.
fn at(history: &[Since<Forces>], moment: Moment) -> Forces {
    let since = history.iter().rfind(|since| since.moment <= moment);
    since.map_or_else(Forces::default, |since| since.state.clone())
}

/// Every strength, with the day from which on it is the answer.
fn strengths(surely: &[Since<Forces>], possibly: &[Since<Forces>]) -> Vec<(Moment, Strength)> {
    let moments: BTreeSet<Moment> = surely.iter().chain(possibly).map(|since| since.moment).collect();
    let all = moments.into_iter().map(|moment| {
        let strength = Strength::between(&at(surely, moment), &at(possibly, moment));
        (moment, strength)
    });
    let mut changes: Vec<(Moment, Strength)> = all.collect();
    changes.dedup_by(|later, earlier| later.1 == earlier.1);
    changes
}

fn record(store: &Store<impl Log>, lines: &str, timeline: &TimelineName) -> Result<usize, Box<dyn Error>> {
    // The host of a real program reads the clock and the system's randomness.
    let host = TestHost::new(1);
    let mut entries = Vec::new();
    for line in lines.lines() {
        let line = Line::parse(line)?;
        entries.push(line.into_entry(timeline, || unreachable!("every line has an id")));
    }
    Ok(store.write(entries, &host, &WriteOptions::by("the reader of the article"))?.len())
}

/// Writes the whole report.
pub fn report(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let timeline: TimelineName = "haiti".parse()?;
    let store = Store::new(MemoryLog::default());
    let records = record(&store, EVENTS, &timeline)?;
    let end = AsOf::new(Date::parse("2023-11-13")?)?;

    let mut surely = Projector::new(ForcesInHaiti, Scope::surely(timeline.clone()));
    let mut possibly = Projector::new(ForcesInHaiti, Scope::possibly(timeline.clone()));
    let (low, high) = (surely.history(&store, &end)?, possibly.history(&store, &end)?);

    writeln!(out, "Foreign forces in Haiti, from {records} records\n")?;
    writeln!(out, "{:<12} {:<7} {:<12} WHICH", "AS OF", "FORCES", "PLEDGED")?;
    for (moment, strength) in strengths(&low, &high) {
        let Strength { surely, possibly, pledged } = strength;
        let day = if moment.is_finite() { moment.civil().0.to_string() } else { "before".to_owned() };
        let forces = range(&surely.len(), &possibly.len());
        let unsure: Vec<String> = possibly.difference(&surely).map(|force| format!("{force}?")).collect();
        let which: Vec<String> = surely.iter().cloned().chain(unsure).collect();
        let line =
            format!("{day:<12} {forces:<7} {:<12} {}", range(&pledged.0, &pledged.1), which.join(", "));
        writeln!(out, "{}", line.trim_end())?;
    }

    let revisions = record(&store, REVISION, &timeline)?;
    let caught_up = surely.catch_up(&store)?;
    writeln!(out, "\n{revisions} more record, of the resolution's day: {} read", caught_up.read)?;
    let rewound = if caught_up.rewound_to.is_some() { "some" } else { "none" };
    writeln!(out, "states that no longer hold: {rewound}, for no force came or left by it")?;
    Ok(())
}

/// `2`, or `0-2` where it may be either.
fn range<T: PartialEq + std::fmt::Display>(low: &T, high: &T) -> String {
    if low == high { low.to_string() } else { format!("{low}-{high}") }
}

fn main() -> Result<(), Box<dyn Error>> {
    report(&mut std::io::stdout().lock())
}
