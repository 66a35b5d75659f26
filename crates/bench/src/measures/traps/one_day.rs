//! Everything happens on one day: the order within it is that of the log.

use super::{Sides, question, same, setting};
use crate::answers::Range;
use crate::context::Context;
use crate::engine;
use crate::quantity::{Quantity, Row};
use crate::{Outcome, timing};

const DAY: &str = "2001-09-11";
/// Entities that the day's events are about.
const ENTITIES: u64 = 1_000;

pub fn run(context: &Context) -> Outcome<Vec<Row>> {
    let lines = (0..context.trap).map(|number| {
        let entity = format!("entity-{}", number % ENTITIES);
        setting(number, DAY, &entity, "status", &format!("value {number}"))
    });
    let sides = Sides::new(context, lines)?;
    let Sides { engine, reader } = &sides;
    let day = question(DAY, context.trap);
    let range = Range { from: DAY.to_owned(), to: DAY.to_owned() };
    same("the state of the day", &engine::state(&engine.snapshot(&day)?)?, &reader.state(&day)?)?;
    same("the list of the day", &engine.list(&range)?, &reader.list(&range)?)?;
    let time = |time| Quantity::each(1, time);
    let (annals, sqlite) =
        timing::pair(context, || engine.state(&day).map(drop), || reader.state(&day).map(drop))?;
    let state = Row::new("trap: state of one full day", time(annals), Some(time(sqlite)));
    // All of them go on as of the day, which SQLite is not asked for.
    let annals = timing::alone(context, || engine.snapshot(&day).map(drop))?;
    let whole = Row::new("trap: the same, with all that goes on that day", time(annals), None);
    let (annals, sqlite) =
        timing::pair(context, || engine.list(&range).map(drop), || reader.list(&range).map(drop))?;
    Ok(vec![state, whole, Row::new("trap: list of one full day", time(annals), Some(time(sqlite)))])
}
