//! One event is corrected again and again: its attribute is asked for as known now and half-way, the event for all
//! its versions, the attribute for how each correction changed it; and the corrections are imported from one file.

use std::fs;

use super::{Sides, day, point, revising, same, setting};
use crate::context::Context;
use crate::engine::Engine;
use crate::peer::{self, Writer};
use crate::quantity::{Mark, Quantity, Row};
use crate::{Outcome, timing};

pub fn run(context: &Context) -> Outcome<Vec<Row>> {
    let sides = Sides::new(context, (0..context.trap).map(line))?;
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
    same("versions", &engine.show(ID)?, &reader.show(ID)?)?;
    let (annals, sqlite) = timing::pair(context, || engine.show(ID).map(drop), || reader.show(ID).map(drop))?;
    let shown = Row::new("trap: show an event corrected often", time(annals), Some(time(sqlite)));
    same("answers that changed", &u64::try_from(engine.learned(&now)?)?, &context.trap)?;
    let annals = timing::alone(context, || engine.learned(&now).map(drop))?;
    let learned = Row::new("trap: what each of its corrections changed", time(annals), None);
    let mut rows = vec![known_now.reach(mark.clone()), known_half_way.reach(mark), shown, learned];
    rows.extend(imported(context)?);
    Ok(rows)
}

/// The one event.
const ID: &str = "event-0";

/// A line that appends or corrects it.
fn line(number: u64) -> String {
    let corrected = setting(0, &day(number), "key", "status", &format!("value {number}"));
    if number == 0 { corrected } else { revising(&corrected) }
}

fn imported(context: &Context) -> Outcome<[Row; 2]> {
    let file = context.scratch("corrections.jsonl")?;
    let lines: Vec<String> = (0..context.trap).map(line).collect();
    fs::write(&file, lines.join("\n"))?;
    let annals = || Engine::create(&context.scratch("trap-annals")?)?.import(&file, context.chunk);
    let sqlite =
        || Writer::new(peer::create(&context.scratch("trap-sqlite")?)?)?.import(&file, context.chunk);
    same("records after the import", &annals()?, &sqlite()?)?;
    let (annals, sqlite) = timing::pair(context, || annals().map(drop), || sqlite().map(drop))?;
    let engine = Engine::create(&context.scratch("trap-annals")?)?;
    engine.import(&file, context.chunk)?;
    let once_more = timing::alone(context, || {
        same("records after the same import once more", &context.trap, &engine.import(&file, context.chunk)?)
    })?;
    fs::remove_file(file)?;
    let rate = |time| Quantity::rate(context.trap, time);
    Ok([
        Row::new("trap: import of corrections of one event", rate(annals), Some(rate(sqlite))),
        Row::new("trap: the same file once more", rate(once_more), None),
    ])
}
