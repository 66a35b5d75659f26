//! `show ID`: every version of one event.

use super::{Measure, same};
use crate::context::Context;
use crate::engine::Engine;
use crate::peer::Reader;
use crate::quantity::{Quantity, Row};
use crate::random::Random;
use crate::{Outcome, timing, workload};

pub const MEASURE: Measure = Measure { name: "history", run };

const ASKED: usize = 200;

fn run(context: &Context) -> Outcome<Vec<Row>> {
    let (engine, reader) = (Engine::open(context.annals()?)?, Reader::open(context.sqlite()?)?);
    let mut random = Random::new(13, 0);
    let appended = (0..).map(|_| random.below(context.events)).filter(|number| is_append(*number));
    let ids: Vec<String> = appended.take(ASKED).map(workload::id).collect();
    for id in &ids {
        same(&format!("versions of {id}"), &engine.show(id)?, &reader.show(id)?)?;
    }
    let (annals, sqlite) = timing::pair(
        context,
        || ids.iter().try_for_each(|id| engine.show(id).map(drop)),
        || ids.iter().try_for_each(|id| reader.show(id).map(drop)),
    )?;
    let time = |time| Quantity::each(ASKED as u64, time);
    Ok(vec![Row::new("show one event with its history", time(annals), Some(time(sqlite)))])
}

fn is_append(number: u64) -> bool {
    !workload::line(number).starts_with(r#"{"op""#)
}
