//! One event is corrected again and again; its attribute is asked for as known now and half-way.

use super::{Sides, day, point, revising, same, setting};
use crate::context::Context;
use crate::quantity::{Mark, Quantity, Row};
use crate::{Outcome, timing};

pub fn run(context: &Context) -> Outcome<Vec<Row>> {
    let corrected = |number: u64| setting(0, &day(number), "key", "status", &format!("value {number}"));
    let lines = (0..context.trap).map(|number| match number {
        0 => corrected(0),
        _ => revising(&corrected(number)),
    });
    let sides = Sides::new(context, lines)?;
    let Sides { engine, reader } = &sides;
    let now = point("key", "status", "2020-06-30", context.trap);
    let half_way = point("key", "status", "2020-06-30", context.trap / 2);
    same("known half-way", &engine.point(&half_way)?, &reader.point(&half_way)?)?;
    same("known now", &engine.point(&now)?, &reader.point(&now)?)?;
    let time = |time| Quantity::each(1, time);
    let (annals, sqlite) =
        timing::pair(context, || engine.point(&now).map(drop), || reader.point(&now).map(drop))?;
    let mark = Mark::Within(Quantity::seconds(8e-6));
    let known_now = Row::new("trap: point of an event corrected often", time(annals), Some(time(sqlite)));
    let (annals, sqlite) =
        timing::pair(context, || engine.point(&half_way).map(drop), || reader.point(&half_way).map(drop))?;
    let known_half_way = Row::new("trap: the same, known half-way", time(annals), Some(time(sqlite)));
    Ok(vec![known_now.reach(mark.clone()), known_half_way.reach(mark)])
}
