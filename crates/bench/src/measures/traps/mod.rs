//! The traps: shapes of data that made a peer slow, each in a store of its own.

mod back_fill;
mod corrections;
mod one_day;
mod timelines;
mod wide;

use super::{Measure, question, same};
use crate::Outcome;
use crate::answers::Point;
use crate::context::Context;
use crate::engine::Engine;
use crate::peer::{self, Reader, Writer};

pub const BACK_FILL: Measure = Measure { name: "trap-back-fill", run: back_fill::run };
pub const CORRECTIONS: Measure = Measure { name: "trap-corrections", run: corrections::run };
pub const ONE_DAY: Measure = Measure { name: "trap-one-day", run: one_day::run };
pub const WIDE: Measure = Measure { name: "trap-wide", run: wide::run };
pub const TIMELINES: Measure = Measure { name: "trap-timelines", run: timelines::run };

/// Lines that a trap is recorded in at once.
const BATCH: usize = 10_000;

/// Both sides of a trap, with the same lines in them.
struct Sides {
    engine: Engine,
    reader: Reader,
}

impl Sides {
    /// Records the lines on both sides.
    fn new(context: &Context, lines: impl Iterator<Item = String>) -> Outcome<Self> {
        let (store, database) = (context.scratch("trap-annals")?, context.scratch("trap-sqlite")?);
        let engine = Engine::create(&store)?;
        let mut writer = Writer::new(peer::create(&database)?)?;
        let mut lines = lines.peekable();
        while lines.peek().is_some() {
            let batch: Vec<String> = lines.by_ref().take(BATCH).collect();
            engine.write(&batch)?;
            writer.write(&batch)?;
        }
        // The best index for each question: this one is for the trap of the back-fill alone.
        writer.index_by_record()?;
        writer.checkpoint()?;
        drop(writer);
        let reader = Reader::open(&database)?;
        same("records", &engine.records()?, &reader.records()?)?;
        Ok(Self { engine, reader })
    }
}

/// An event that sets one attribute.
fn setting(id: u64, date: &str, entity: &str, attribute: &str, value: &str) -> String {
    format!(
        r#"{{"id":"event-{id}","date":"{date}","title":"Event {id}","effects":[{{"op":"set","entity":"{entity}","attribute":"{attribute}","value":"{value}"}}]}}"#
    )
}

/// The same as a line that revises the event.
fn revising(line: &str) -> String {
    line.replacen('{', r#"{"op":"revise","#, 1)
}

fn point(entity: &str, attribute: &str, as_of: &str, known_at: u64) -> Point {
    Point { at: question(as_of, known_at), entity: entity.to_owned(), attribute: attribute.to_owned() }
}

/// A day that goes on by one with each number, from 1900 on.
fn day(number: u64) -> String {
    let (year, month, day) = (1900 + number / 336 % 120, 1 + number / 28 % 12, 1 + number % 28);
    format!("{year}-{month:02}-{day:02}")
}
