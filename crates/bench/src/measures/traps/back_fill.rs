//! One attribute gets many back-dated versions; it is asked for as known before them, and after.

use super::{Sides, day, point, same, setting};
use crate::context::Context;
use crate::quantity::{Mark, Quantity, Row};
use crate::{Outcome, timing};

/// Records before the back-fill.
const BEFORE: u64 = 100;

pub fn run(context: &Context) -> Outcome<Vec<Row>> {
    let value = |number: u64| format!("value {number}");
    let before = (0..BEFORE).map(|number| setting(number, "2020-01-01", "key", "status", &value(number)));
    let filled = (BEFORE..BEFORE + context.trap)
        .map(|number| setting(number, &day(number), "key", "status", &value(number)));
    let sides = Sides::new(context, before.chain(filled))?;
    let Sides { engine, reader } = &sides;
    let early = point("key", "status", "2020-06-30", BEFORE);
    let late = point("key", "status", "1950-06-30", BEFORE + context.trap);
    same("known before the back-fill", &engine.point(&early)?, &reader.point_long_ago(&early)?)?;
    same("known after the back-fill", &engine.point(&late)?, &reader.point(&late)?)?;
    let time = |time| Quantity::each(1, time);
    let (annals, sqlite) =
        timing::pair(context, || engine.point(&early).map(drop), || reader.point_long_ago(&early).map(drop))?;
    let mark = Mark::Within(Quantity::seconds(50e-6));
    let known_before = Row::new("trap: point known before a back-fill", time(annals), Some(time(sqlite)));
    let (annals, sqlite) =
        timing::pair(context, || engine.point(&late).map(drop), || reader.point(&late).map(drop))?;
    let known_after = Row::new("trap: point within a back-fill", time(annals), Some(time(sqlite)));
    // Most versions are dated earlier than one before them, so that what stands as of the end seldom changes.
    let changes = engine.learned(&point("key", "status", "2020-06-30", BEFORE + context.trap))?;
    same("answers that changed", &u64::try_from(changes)?, &BEFORE)?;
    let all = point("key", "status", "1950-06-30", BEFORE + context.trap);
    let annals = timing::alone(context, || engine.learned(&all).map(drop))?;
    let learned = Row::new("trap: what each record of a back-fill changed", time(annals), None);
    Ok(vec![known_before.reach(mark.clone()), known_after.reach(mark), learned])
}
