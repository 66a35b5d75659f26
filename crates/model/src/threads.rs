//! Work that several threads share: how many there are, and how what is in order stays in order.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

/// More threads than this gain nothing: they wait for their turn, and each keeps a piece of the log in memory.
const MOST: usize = 8;

/// Fewer things than this are done sooner than a thread is made.
const FEW: usize = 64;

/// How many threads may share the work: one where the system does not tell, or has no others.
pub fn count() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).min(MOST)
}

/// What two pieces of work come to, which are done at the same time where there is more than one core.
pub fn both<A, B: Send>(one: impl FnOnce() -> A, other: impl FnOnce() -> B + Send) -> (A, B) {
    if count() <= 1 {
        return (one(), other());
    }
    thread::scope(|scope| {
        let other = scope.spawn(other);
        (one(), other.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

/// What becomes of things, in their order; each thread gets a run of neighbours.
///
/// # Errors
///
/// The first one of `map`, in the order of the things.
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
