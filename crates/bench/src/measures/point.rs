//! One attribute at both clocks: any date, any record.

use super::{Measure, question, same};
use crate::answers::Point;
use crate::context::Context;
use crate::engine::Engine;
use crate::peer::Reader;
use crate::quantity::{Mark, Quantity, Row};
use crate::random::Random;
use crate::{Outcome, timing, workload};

pub const MEASURE: Measure = Measure { name: "point", run };

const CHECKED: usize = 12;
/// How many times more questions are timed than were checked.
const MORE: u32 = 80;
const ATTRIBUTES: &[&str] = &["status", "deaths", "place", "members"];

fn run(context: &Context) -> Outcome<Vec<Row>> {
    let (engine, reader) = (Engine::open(context.annals()?)?, Reader::open(context.sqlite()?)?);
    let points = points(CHECKED * MORE as usize, engine.records()?);
    let (checked, _) = points.split_at(CHECKED);
    let started = timing::time(|| {
        checked
            .iter()
            .try_for_each(|point| same(&format!("{point:?}"), &engine.point(point)?, &reader.point(point)?))
    })?;
    // As many questions as fit into the time; each side is asked the same ones.
    let asked = if started.0 * MORE > context.budget / 4 { checked } else { &points };
    let (annals, sqlite) = timing::pair(
        context,
        || asked.iter().try_for_each(|point| engine.point(point).map(drop)),
        || points.iter().try_for_each(|point| reader.point(point).map(drop)),
    )?;
    let annals = Quantity::each(asked.len() as u64, annals);
    let sqlite = Quantity::each(points.len() as u64, sqlite);
    Ok(vec![
        Row::new("point question, both clocks", annals, Some(sqlite))
            .reach(Mark::Within(Quantity::seconds(8e-6))),
    ])
}

fn points(count: usize, records: u64) -> Vec<Point> {
    let mut random = Random::new(7, 0);
    let point = |_| Point {
        entity: workload::entity(random.below(workload::ENTITIES)),
        attribute: random.pick(ATTRIBUTES).to_owned(),
        at: question(&any_day(&mut random), random.below(records) + 1),
    };
    (0..count).map(point).collect()
}

/// A day of the workload's years.
pub fn any_day(random: &mut Random) -> String {
    let (first, last) = (workload::YEARS.start(), workload::YEARS.end());
    let year = first + random.below(last - first + 1);
    format!("{year}-{:02}-{:02}", 1 + random.below(12), 1 + random.below(28))
}
