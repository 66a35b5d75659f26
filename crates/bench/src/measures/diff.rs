//! What changed between two dates, and between two states of knowledge. SQLite is asked for both states, which are
//! compared; Annals names the events that are responsible, too.

use std::collections::BTreeSet;

use super::{Measure, question, same};
use crate::answers::{Change, State};
use crate::child::DAYS;
use crate::context::Context;
use crate::engine::Engine;
use crate::peer::Reader;
use crate::quantity::{Quantity, Row};
use crate::{Outcome, timing};

pub const MEASURE: Measure = Measure { name: "diff", run };

fn run(context: &Context) -> Outcome<Vec<Row>> {
    let (engine, reader) = (Engine::open(context.annals()?)?, Reader::open(context.sqlite()?)?);
    let records = engine.records()?;
    let days = DAYS.map(|day| question(day, records));
    let known = [records - records / 1_000, records].map(|known_at| question("2024-12-31", known_at));
    let mut rows = Vec::new();
    for (name, [from, to]) in [("two days in a row", days), ("the last thousandth of the log", known)] {
        let theirs = || Outcome::Ok(changes(&reader.state(&from)?, &reader.state(&to)?));
        same(name, &engine.diff(&from, &to)?, &theirs()?)?;
        let (annals, sqlite) =
            timing::pair(context, || engine.diff(&from, &to).map(drop), || theirs().map(drop))?;
        let time = |time| Quantity::each(1, time);
        rows.push(Row::new(format!("diff: {name}"), time(annals), Some(time(sqlite))));
    }
    Ok(rows)
}

fn changes(from: &State, to: &State) -> Vec<Change> {
    let names: BTreeSet<_> = from.keys().chain(to.keys()).collect();
    let values = |name| [from.get(name).cloned(), to.get(name).cloned()];
    let changes = names.into_iter().map(|name| (name.clone(), values(name)));
    changes.filter(|(_, [from, to])| from != to).collect()
}
