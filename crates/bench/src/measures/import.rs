//! Import of a JSON Lines file, from its text to durable records, and to indexes that can be asked, which SQLite
//! keeps up to date as it writes; and the bytes that it then takes, as it comes and compacted.

use std::path::Path;
use std::time::Duration;

use super::{Measure, same};
use crate::context::{AnnalsImport, Context};
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
    let (AnnalsImport { records, indexes }, sqlite) = times(context, &file)?;
    let rate = |time| Quantity::rate(context.events, time);
    let mut rows = vec![
        Row::new("import of JSON Lines, events", rate(records), Some(rate(sqlite)))
            .reach(Mark::Within(Quantity::per_second(300e3)))
            .reach(Mark::Times(1.5)),
        Row::new(
            "the same, until both indexes are made, events",
            rate(records + indexes),
            Some(rate(sqlite)),
        ),
        Row::new("of it: both indexes, side by side, events", rate(indexes), None),
        Row::new("import of the same file once more, events", rate(again(context, &file)?), None),
    ];
    rows.extend(sizes(context)?);
    Ok(rows)
}

/// How long both sides take. What is large is imported once, so that the first time counts.
fn times(context: &Context, file: &Path) -> Outcome<(AnnalsImport, Duration)> {
    if context.is_large() {
        return context.first_imports();
    }
    let (records, sqlite) = timing::pair(
        context,
        || Engine::create(&context.scratch("import-annals")?)?.import(file, context.chunk).map(drop),
        || {
            Writer::new(peer::create(&context.scratch("import-sqlite")?)?)?
                .import(file, context.chunk)
                .map(drop)
        },
    )?;
    for name in ["import-annals", "import-sqlite"] {
        context.scratch(name)?;
    }
    Ok((AnnalsImport { records, indexes: indexed(context)? }, sqlite))
}

/// How long it takes to find that all of a file is there already. What is large is imported again once.
fn again(context: &Context, file: &Path) -> Outcome<Duration> {
    let engine = Engine::open(context.annals()?)?;
    let before = engine.records()?;
    let again = || engine.import(file, context.chunk);
    let (once, records) = timing::time(again)?;
    same("records after the same import once more", &before, &records)?;
    if context.is_large() { Ok(once) } else { timing::alone(context, || again().map(drop)) }
}

/// How long it takes to make both indexes of the whole log.
fn indexed(context: &Context) -> Outcome<Duration> {
    let engine = Engine::open(context.annals()?)?;
    engine.clear_indexes()?;
    Ok(timing::time(|| engine.index())?.0)
}

/// What both sides take on the disk, as the import leaves it, and written anew.
fn sizes(context: &Context) -> Outcome<Vec<Row>> {
    let size = |path: &Path| Outcome::Ok(Quantity::bytes_per_event(machine::size(path)?, context.events));
    let row = |name: &str, ours: &Path, theirs: &Path| {
        Outcome::Ok(Row::new(format!("size on disk an event, {name}"), size(ours)?, Some(size(theirs)?)))
    };
    let mut rows = vec![row("after import", context.annals()?, context.sqlite()?)?];
    let (annals, sqlite) = (context.scratch("compact-annals")?, context.scratch("compact-sqlite")?);
    machine::copy(context.annals()?, &annals)?;
    machine::copy(context.sqlite()?, &sqlite)?;
    Engine::compact(&annals)?;
    peer::compact(&sqlite)?;
    let mark = Mark::Within(Quantity::bytes_per_event(150, 1));
    rows.push(row("after import and compaction", &annals, &sqlite)?.reach(mark));
    for (part, name) in [("sled", "log"), ("index", "index of claims"), ("dates", "index of dates")] {
        rows.push(Row::new(format!("of it: {name}"), size(&annals.join(part))?, None));
    }
    for name in ["compact-annals", "compact-sqlite"] {
        context.scratch(name)?;
    }
    Ok(rows)
}
