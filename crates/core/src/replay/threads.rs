//! The threads of a replay: how many there are, and how work that is in order stays in order.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

use crate::Result;

/// More threads than this gain nothing: they wait for their turn, and each keeps a piece of the log in memory.
const MOST: usize = 8;

/// Fewer things than this are done sooner than a thread is made.
const FEW: usize = 64;

/// How many threads may share the work.
pub fn count() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).min(MOST)
}

/// Runs the same work on several threads at once, until each of them is done.
pub fn run(threads: usize, work: impl Fn() -> Result<()> + Sync) -> Result<()> {
    if threads <= 1 {
        return work();
    }
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(&work)).collect();
        let mut done = Ok(());
        for thread in threads {
            done = done.and(thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    })
}

/// What becomes of things, in their order; each thread gets a run of neighbours.
pub fn map_chunks<T: Sync, R: Send, E: Send>(
    things: &[T],
    map: impl Fn(&[T]) -> Result<Vec<R>, E> + Sync,
) -> Result<Vec<R>, E> {
    let threads = count();
    if threads <= 1 || things.len() < FEW {
        return map(things);
    }
    thread::scope(|scope| {
        let chunks = things.chunks(things.len().div_ceil(threads));
        let threads: Vec<_> = chunks.map(|chunk| scope.spawn(|| map(chunk))).collect();
        let mut mapped = Vec::with_capacity(things.len());
        for thread in threads {
            mapped.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic))?);
        }
        Ok(mapped)
    })
}
