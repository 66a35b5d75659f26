//! One entity has very many attributes: one of them is asked for, and all.

use super::{Sides, day, point, question, same, setting};
use crate::context::Context;
use crate::engine;
use crate::quantity::{Mark, Quantity, Row};
use crate::{Outcome, timing};

pub fn run(context: &Context) -> Outcome<Vec<Row>> {
    let lines = (0..context.trap).map(|number| {
        setting(number, &day(number), "wide", &format!("attribute-{number}"), &format!("value {number}"))
    });
    let sides = Sides::new(context, lines)?;
    let Sides { engine, reader } = &sides;
    let one = point("wide", &format!("attribute-{}", context.trap / 2), "2020-06-30", context.trap);
    let all = question("2020-06-30", context.trap);
    let theirs = reader.some(&all, Some("wide"))?;
    same("how many attributes", &u64::try_from(theirs.len())?, &context.trap)?;
    same("all attributes", &engine::state(&engine.entity(&all, "wide")?)?, &theirs)?;
    same("one attribute", &engine.point(&one)?, &reader.point(&one)?)?;
    let time = |time| Quantity::each(1, time);
    let (annals, sqlite) =
        timing::pair(context, || engine.point(&one).map(drop), || reader.point(&one).map(drop))?;
    let one = Row::new("trap: one attribute of a wide entity", time(annals), Some(time(sqlite)));
    let (annals, sqlite) = timing::pair(
        context,
        || engine.entity(&all, "wide").map(drop),
        || reader.some(&all, Some("wide")).map(drop),
    )?;
    let all = Row::new("trap: all attributes of a wide entity", time(annals), Some(time(sqlite)));
    Ok(vec![one.reach(Mark::Within(Quantity::seconds(8e-6))), all])
}
