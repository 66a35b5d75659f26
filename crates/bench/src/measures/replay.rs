//! Everything from the log, nothing kept from before: the whole state of now, and every record decoded.

use super::{Measure, question, same};
use crate::context::Context;
use crate::engine::{self, Engine};
use crate::peer::Reader;
use crate::quantity::{Mark, Quantity, Row};
use crate::{Outcome, timing};

pub const MEASURE: Measure = Measure { name: "replay", run };

fn run(context: &Context) -> Outcome<Vec<Row>> {
    let (annals, sqlite) = (context.annals()?, context.sqlite()?);
    let (engine, reader) = (Engine::open(annals)?, Reader::open(sqlite)?);
    let records = engine.records()?;
    let now = question("2025-12-31", records);
    same("the state of now", &engine::state(&engine.snapshot(&now)?)?, &reader.state(&now)?)?;
    same("records read", &engine.scan()?, &reader.scan()?)?;
    drop((engine, reader));

    let rate = |time| Quantity::rate(records, time);
    let (ours, theirs) = timing::pair(
        context,
        || Engine::open(annals)?.snapshot(&now).map(drop),
        || Reader::open(sqlite)?.state(&now).map(drop),
    )?;
    let full = Row::new("full replay, cold, events", rate(ours), Some(rate(theirs)))
        .reach(Mark::Within(Quantity::per_second(5e6)));
    let known = (!context.is_large())
        .then(|| timing::alone(context, || Engine::open(annals)?.known(&now).map(drop)))
        .transpose()?;
    let (ours, theirs) = timing::pair(
        context,
        || Engine::open(annals)?.scan().map(drop),
        || Reader::open(sqlite)?.scan().map(drop),
    )?;
    let known =
        known.map(|time| Row::new("every event as known at the end, in memory, events", rate(time), None));
    let scanned = Row::new("scan, every record decoded, events", rate(ours), Some(rate(theirs)));
    Ok(std::iter::once(full).chain(known).chain([scanned]).collect())
}
