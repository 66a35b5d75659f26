//! Opening what the whole workload left, and asking how much there is.

use super::{Measure, same};
use crate::context::Context;
use crate::engine::Engine;
use crate::peer::Reader;
use crate::quantity::{Mark, Quantity, Row};
use crate::{Outcome, timing};

pub const MEASURE: Measure = Measure { name: "open", run };

fn run(context: &Context) -> Outcome<Vec<Row>> {
    let (annals, sqlite) = (context.annals()?, context.sqlite()?);
    same("records", &Engine::open(annals)?.records()?, &Reader::open(sqlite)?.records()?)?;
    let (annals, sqlite) = timing::pair(
        context,
        || Engine::open(annals)?.records().map(drop),
        || Reader::open(sqlite)?.records().map(drop),
    )?;
    let time = |time| Quantity::each(1, time);
    Ok(vec![
        Row::new("open and close", time(annals), Some(time(sqlite)))
            .reach(Mark::Within(Quantity::seconds(0.05))),
    ])
}
