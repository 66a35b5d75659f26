//! Import of a JSON Lines file, from its text to durable records; and the bytes that it then takes.

use super::{Measure, same};
use crate::context::Context;
use crate::engine::Engine;
use crate::peer::{self, Writer};
use crate::quantity::{Mark, Quantity, Row};
use crate::{Outcome, machine, timing};

pub const MEASURE: Measure = Measure { name: "import", run };

fn run(context: &Context) -> Outcome<Vec<Row>> {
    let file = context.file()?;
    // The stores that all other measures ask are the warm-up, and show that both sides hold the same records.
    let annals = Engine::open(context.annals()?)?.records()?;
    let sqlite = Writer::new(peer::open(context.sqlite()?)?)?.records()?;
    same("records after the import", &annals, &sqlite)?;
    let sizes = (machine::size(context.annals()?)?, machine::size(context.sqlite()?)?);
    let (annals, sqlite) = timing::pair(
        context,
        || Engine::create(&context.scratch("import-annals")?)?.import(&file, context.chunk).map(drop),
        || {
            Writer::new(peer::create(&context.scratch("import-sqlite")?)?)?
                .import(&file, context.chunk)
                .map(drop)
        },
    )?;
    for name in ["import-annals", "import-sqlite"] {
        context.scratch(name)?;
    }
    let rate = |time| Quantity::rate(context.events, time);
    let size = |bytes| Quantity::bytes_per_event(bytes, context.events);
    Ok(vec![
        Row::new("import of JSON Lines, events", rate(annals), Some(rate(sqlite)))
            .reach(Mark::Within(Quantity::per_second(300e3)))
            .reach(Mark::Times(1.5)),
        Row::new("size on disk an event, after import", size(sizes.0), Some(size(sizes.1)))
            .reach(Mark::Within(Quantity::bytes_per_event(150, 1))),
    ])
}
