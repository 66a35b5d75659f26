//! The events of a month, and of a day, in the order of their dates; and what stands beside a state, counts and what
//! goes on, which SQLite is not asked for.

use super::{Measure, same};
use crate::answers::{Question, Range, TIMELINE};
use crate::context::Context;
use crate::engine::Engine;
use crate::peer::Reader;
use crate::quantity::{Quantity, Row};
use crate::{Outcome, child, timing};

pub const MEASURE: Measure = Measure { name: "list", run };

fn run(context: &Context) -> Outcome<Vec<Row>> {
    let (engine, reader) = (Engine::open(context.annals()?)?, Reader::open(context.sqlite()?)?);
    let month = child::month();
    let day = Range { from: "2004-02-29".to_owned(), to: "2004-02-29".to_owned() };
    for range in [&month, &day] {
        same(&format!("{range:?}"), &engine.list(range)?, &reader.list(range)?)?;
    }
    let records = engine.records()?;
    let mut rows = Vec::new();
    let time = |time| Quantity::each(1, time);
    for (name, range) in [("list of a month", &month), ("list of a day", &day)] {
        let (annals, sqlite) =
            timing::pair(context, || engine.list(range).map(drop), || reader.list(range).map(drop))?;
        rows.push(Row::new(name, time(annals), Some(time(sqlite))));
    }
    for (name, known_at) in [("at the end", records), ("half-way", records / 2)] {
        let question = Question { timeline: TIMELINE.to_owned(), as_of: "2004-02-29".to_owned(), known_at };
        let annals = timing::alone(context, || engine.standing(&question).map(drop))?;
        rows.push(Row::new(format!("counts and what goes on, known {name}"), time(annals), None));
    }
    Ok(rows)
}
