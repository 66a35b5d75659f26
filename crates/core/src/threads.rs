//! Work that several threads share, where it may fail as the engine does; what is in order stays in order.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

pub use annals_model::threads::{both, count, map_chunks};

use crate::{Error, Result};

/// Things that wait for a thread, or results behind it.
const WAITING: usize = 4;

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

/// Does the same work on things on several threads, and hands over what becomes of them in their order. `things` is drawn
/// and `done` is called on this thread; an error of `done` ends it.
pub fn in_turns<T: Send, R: Send, E: From<Error>>(
    threads: NonZeroUsize,
    things: impl Iterator<Item = T>,
    work: impl Fn(T) -> R + Sync,
    mut done: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    std::thread::scope(|scope| {
        let work = &work;
        let workers: Vec<(SyncSender<T>, Receiver<R>)> = (0..threads.get())
            .map(|_| {
                let (sender, jobs) = mpsc::sync_channel::<T>(WAITING);
                let (results, receiver) = mpsc::sync_channel(WAITING);
                // Nobody listens any more where an earlier one has failed.
                scope.spawn(move || jobs.into_iter().map(work).all(|result| results.send(result).is_ok()));
                (sender, receiver)
            })
            .collect();
        let lost =
            || E::from(Error::unavailable("a thread ended early", "this is a fault of Annals: report it"));
        let mut turns = workers.iter().cycle();
        let mut results = workers.iter().cycle();
        let mut running = 0;
        for thing in things {
            if running == threads.get() * WAITING
                && let Some((_, receiver)) = results.next()
            {
                done(receiver.recv().map_err(|_| lost())?)?;
                running -= 1;
            }
            if let Some((sender, _)) = turns.next() {
                sender.send(thing).map_err(|_| lost())?;
                running += 1;
            }
        }
        for (_, receiver) in results.take(running) {
            done(receiver.recv().map_err(|_| lost())?)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_an_error_ends_it() {
        for threads in 1..5 {
            let threads = NonZeroUsize::new(threads).unwrap();
            let mut seen = Vec::new();
            let done = |number: u64| {
                seen.push(number);
                if number == 400 { Err(Error::unavailable("enough", "stop")) } else { Ok(()) }
            };
            let work = |number: u64| {
                if number.is_multiple_of(7) {
                    std::thread::yield_now();
                }
                number * 2
            };
            assert!(in_turns(threads, 0..1000, work, done).is_err());
            assert_eq!(seen, (0..=200).map(|number| number * 2).collect::<Vec<_>>());
            let mut count = 0;
            let counted = |_| {
                count += 1;
                Ok::<(), Error>(())
            };
            in_turns(threads, 0..3_u64, work, counted).unwrap();
            assert_eq!(count, 3);
        }
    }
}
