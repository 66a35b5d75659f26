//! Durable appends, behind what the whole workload left: one by one, from sixteen threads, in batches of 100.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::{Measure, same};
use crate::context::Context;
use crate::engine::Engine;
use crate::peer::{self, Writer};
use crate::quantity::{Mark, Quantity, Row};
use crate::{Failure, Outcome, machine, timing, workload};

pub const MEASURE: Measure = Measure { name: "append", run };

const THREADS: usize = 16;
/// Lines that a side appends between the other's turns.
const SINGLE: usize = 200;
const EACH_THREAD: usize = 50;
const BATCH: usize = 100;
const BATCHES: usize = 20;

fn run(context: &Context) -> Outcome<Vec<Row>> {
    let (annals, sqlite) = copies(context)?;
    let engine = Engine::open(&annals)?;
    let writer = Mutex::new(Writer::new(peer::open(&sqlite)?)?);
    let (ours, theirs) = (Lines::behind(context.events), Lines::behind(context.events));
    engine.write(&ours.take(BATCH))?;
    lock(&writer, |writer| writer.write(&theirs.take(BATCH)))?;
    same("records after a batch", &engine.records()?, &lock(&writer, |writer| writer.records())?)?;

    let (annals, sqlite) = timing::pair(
        context,
        || ours.take(SINGLE).chunks(1).try_for_each(|line| engine.write(line)),
        || lock(&writer, |writer| theirs.take(SINGLE).chunks(1).try_for_each(|line| writer.write(line))),
    )?;
    let rate = |time| Quantity::rate(SINGLE as u64, time);
    let mut rows =
        vec![Row::new("durable single append", rate(annals), Some(rate(sqlite))).reach(Mark::Times(1.0))];

    let together = THREADS * EACH_THREAD;
    let (annals, sqlite) = timing::pair(
        context,
        || concurrently(&ours.take(together), |line| engine.write(line)),
        || concurrently(&theirs.take(together), |line| lock(&writer, |writer| writer.write(line))),
    )?;
    let rate = |time| Quantity::rate(together as u64, time);
    rows.push(Row::new("durable single append, 16 writers", rate(annals), Some(rate(sqlite))));

    // In turns again: the disk is not the same from one minute to the next.
    let (annals, sqlite) = timing::pair(
        context,
        || concurrently(&ours.take(together), |line| engine.write(line)),
        || lock(&writer, |writer| theirs.take(together).chunks(1).try_for_each(|line| writer.write(line))),
    )?;
    rows.push(
        Row::new("the same, against one SQLite writer", rate(annals), Some(rate(sqlite)))
            .reach(Mark::Times(5.0)),
    );

    let (annals, sqlite) = timing::pair(
        context,
        || ours.take(BATCH * BATCHES).chunks(BATCH).try_for_each(|lines| engine.write(lines)),
        || {
            let lines = theirs.take(BATCH * BATCHES);
            lock(&writer, |writer| lines.chunks(BATCH).try_for_each(|lines| writer.write(lines)))
        },
    )?;
    let rate = |time| Quantity::rate((BATCH * BATCHES) as u64, time);
    rows.push(
        Row::new("durable batches of 100, events", rate(annals), Some(rate(sqlite))).reach(Mark::Times(2.0)),
    );
    drop((engine, writer));
    for name in ["append-annals", "append-sqlite"] {
        context.scratch(name)?;
    }
    Ok(rows)
}

/// Copies of the store and the database: what is appended here must not change other answers.
fn copies(context: &Context) -> Outcome<(PathBuf, PathBuf)> {
    let (annals, sqlite) = (context.scratch("append-annals")?, context.scratch("append-sqlite")?);
    machine::copy(context.annals()?, &annals)?;
    machine::copy(context.sqlite()?, &sqlite)?;
    Ok((annals, sqlite))
}

/// The appends of the endless workload behind a line.
struct Lines {
    next: Cell<u64>,
}

impl Lines {
    const fn behind(number: u64) -> Self {
        Self { next: Cell::new(number) }
    }

    fn take(&self, count: usize) -> Vec<String> {
        let numbers = self.next.get()..;
        let lines = numbers.map(|number| {
            self.next.set(number + 1);
            workload::line(number)
        });
        lines.filter(|line| !line.starts_with(r#"{"op""#)).take(count).collect()
    }
}

fn lock<T>(writer: &Mutex<Writer>, work: impl FnOnce(&mut Writer) -> Outcome<T>) -> Outcome<T> {
    work(&mut writer.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Sixteen threads, each with its share of the lines, each line by itself.
fn concurrently(lines: &[String], write: impl Fn(&[String]) -> Outcome<()> + Sync) -> Outcome<()> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = lines
            .chunks(lines.len().div_ceil(THREADS).max(1))
            .map(|share| scope.spawn(|| share.chunks(1).try_for_each(&write)))
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| Failure::from("a writer panicked"))?)
    })
}
