//! A store of very many timelines with one event each: one of them is asked for.

use super::{Sides, same, setting};
use crate::answers::Question;
use crate::context::Context;
use crate::engine;
use crate::quantity::{Quantity, Row};
use crate::{Outcome, timing};

pub fn run(context: &Context) -> Outcome<Vec<Row>> {
    let lines = (0..context.trap).map(|number| {
        let line = setting(number, "2004", "key", "status", &format!("value {number}"));
        line.replacen('{', &format!(r#"{{"timeline":"timeline-{number}","#), 1)
    });
    let sides = Sides::new(context, lines)?;
    let Sides { engine, reader } = &sides;
    let question = Question {
        timeline: format!("timeline-{}", context.trap / 2),
        as_of: "2010".to_owned(),
        known_at: context.trap,
    };
    let (ours, theirs) = (engine::state(&engine.snapshot(&question)?)?, reader.some(&question, None)?);
    same("one timeline", &ours, &theirs)?;
    let (annals, sqlite) = timing::pair(
        context,
        || engine.snapshot(&question).map(drop),
        || reader.some(&question, None).map(drop),
    )?;
    let time = |time| Quantity::each(1, time);
    Ok(vec![Row::new("trap: state of one of very many timelines", time(annals), Some(time(sqlite)))])
}
