//! The whole state at any date and any record.

use super::{Measure, point, question, same};
use crate::answers::Question;
use crate::child::KIND;
use crate::context::Context;
use crate::engine::{self, Engine};
use crate::peer::Reader;
use crate::quantity::{Mark, Quantity, Row};
use crate::random::Random;
use crate::{Outcome, timing};

pub const MEASURE: Measure = Measure { name: "state", run };

fn run(context: &Context) -> Outcome<Vec<Row>> {
    let (engine, reader) = (Engine::open(context.annals()?)?, Reader::open(context.sqlite()?)?);
    let records = engine.records()?;
    for question in [question("1990", records), question("2025", records / 2), question("1969", records)] {
        let (annals, sqlite) = (engine::state(&engine.snapshot(&question)?)?, reader.state(&question)?);
        same(&format!("{question:?}"), &annals, &sqlite)?;
    }
    // Each side goes through the same questions, as far as it gets.
    let (mut ours, mut theirs) = (Questions::new(records), Questions::new(records));
    let (annals, sqlite) = timing::pair(
        context,
        || engine.snapshot(&ours.next()).map(drop),
        || reader.state(&theirs.next()).map(drop),
    )?;
    let (mut ours, mut theirs) = (Questions::new(records), Questions::new(records));
    let (annals_alone, sqlite_alone) = timing::pair(
        context,
        || engine.state(&ours.next()).map(drop),
        || reader.state(&theirs.next()).map(drop),
    )?;
    let mut ours = Questions::new(records);
    let of_kind = timing::alone(context, || engine.of_kind(&ours.next(), KIND).map(drop))?;
    let time = |time| Quantity::each(1, time);
    Ok(vec![
        Row::new("whole state at any two clocks", time(annals_alone), Some(time(sqlite_alone)))
            .reach(Mark::Within(Quantity::seconds(0.05))),
        Row::new("the same, with counts of events and receipt", time(annals), Some(time(sqlite))),
        Row::new("the same, of one kind of events, an eighth", time(of_kind), None),
    ])
}

/// Dates in the middle of the workload's, records in its later half.
struct Questions {
    random: Random,
    records: u64,
}

impl Questions {
    const fn new(records: u64) -> Self {
        Self { random: Random::new(11, 0), records }
    }

    fn next(&mut self) -> Question {
        let known_at = self.records - self.random.below(self.records / 2);
        question(&point::any_day(&mut self.random), known_at)
    }
}
