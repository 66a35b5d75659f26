//! The events of a month, in the order of their dates.

use super::{Measure, same};
use crate::answers::Range;
use crate::context::Context;
use crate::engine::Engine;
use crate::peer::Reader;
use crate::quantity::{Quantity, Row};
use crate::{Outcome, timing};

pub const MEASURE: Measure = Measure { name: "list", run };

fn run(context: &Context) -> Outcome<Vec<Row>> {
    let (engine, reader) = (Engine::open(context.annals()?)?, Reader::open(context.sqlite()?)?);
    let month = Range { from: "1999-03-01".to_owned(), to: "1999-03-31".to_owned() };
    let day = Range { from: "2004-02-29".to_owned(), to: "2004-02-29".to_owned() };
    for range in [&month, &day] {
        same(&format!("{range:?}"), &engine.list(range)?, &reader.list(range)?)?;
    }
    let (annals, sqlite) =
        timing::pair(context, || engine.list(&month).map(drop), || reader.list(&month).map(drop))?;
    let time = |time| Quantity::each(1, time);
    Ok(vec![Row::new("list of a month", time(annals), Some(time(sqlite)))])
}
