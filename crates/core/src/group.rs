//! Group commit: writers at once share a sync.
//!
//! Each writer decides its batch on its own thread, under the lock of the group, on the log and on what runs ahead
//! of it; a batch that is refused leaves no trace there and troubles nobody else. What was decided waits in one
//! layer. The first writer that finds no commit on its way leads: it takes that layer, commits it with one sync,
//! and wakes all whose batches were in it. Meanwhile the next layer gathers.
//!
//! **Nobody is answered before what the answer rests on is durable**: also an answer that wrote nothing, or a
//! refusal, waits for the layers that it has looked at. Where a commit fails, all that were in it are told, and all
//! that were decided on it: those batches are gone.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::ahead::{Ground, Layer};
use crate::log::Log;
use crate::{Error, Result};

/// What becomes of a layer, once that is known.
type Fate = Arc<OnceLock<Result<()>>>;

/// The batches of a store's writers that are not in its log yet.
#[derive(Debug, Default)]
pub struct Group {
    state: Mutex<State>,
    landed: Condvar,
}

/// What runs ahead of the log.
#[derive(Debug, Default)]
pub struct State {
    /// What is being committed.
    flying: Option<(Arc<Layer>, Fate)>,
    /// What is committed next.
    waiting: Option<(Layer, Fate)>,
}

/// The group, locked by one writer.
pub type Turn<'a> = MutexGuard<'a, State>;

impl State {
    /// The log with what runs ahead of it.
    pub fn ground<'a, L: Log>(&'a self, log: &'a L) -> Ground<'a, L> {
        let waiting = self.waiting.as_ref().map(|(layer, _)| layer);
        let flying = self.flying.as_ref().map(|(layer, _)| &**layer);
        Ground::new(log, [waiting, flying])
    }

    /// Adds a batch that was decided on the ground as it is.
    pub fn add(&mut self, batch: Layer) {
        match &mut self.waiting {
            Some((layer, _)) => layer.extend(batch),
            None => self.waiting = Some((batch, Fate::default())),
        }
    }

    /// The fate of the latest of what runs ahead of the log: that of all of it.
    fn latest(&self) -> Option<Fate> {
        let waiting = self.waiting.as_ref().map(|(_, fate)| fate);
        waiting.or_else(|| self.flying.as_ref().map(|(_, fate)| fate)).cloned()
    }
}

impl Group {
    /// A writer's turn to decide.
    pub fn turn(&self) -> Turn<'_> {
        // A writer that panicked while it decided has added nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A turn for one who writes by itself: nothing runs ahead of the log, and nothing will until its end.
    pub fn alone<L: Log>(&self, log: &L, grown: impl Fn(&Layer)) -> Turn<'_> {
        let mut turn = self.turn();
        while turn.latest().is_some() {
            turn = match turn.flying {
                Some(_) => self.landed.wait(turn).unwrap_or_else(PoisonError::into_inner),
                None => self.lead(turn, log, &grown),
            };
        }
        turn
    }

    /// Ends a turn: comes back when all that ran ahead of the log at its end is durable.
    ///
    /// # Errors
    ///
    /// It could not be made durable, or stands on what could not.
    pub fn settle<'a, L: Log>(&'a self, mut turn: Turn<'a>, log: &L, grown: impl Fn(&Layer)) -> Result<()> {
        let Some(fate) = turn.latest() else { return Ok(()) };
        loop {
            if let Some(outcome) = fate.get() {
                return outcome.as_ref().copied().map_err(Error::again);
            }
            turn = match turn.flying {
                Some(_) => self.landed.wait(turn).unwrap_or_else(PoisonError::into_inner),
                None => self.lead(turn, log, &grown),
            };
        }
    }

    /// Commits what waits.
    fn lead<'a, L: Log>(&'a self, mut turn: Turn<'a>, log: &L, grown: &impl Fn(&Layer)) -> Turn<'a> {
        if let Some((layer, fate)) = turn.waiting.take() {
            let layer = Arc::new(layer);
            turn.flying = Some((Arc::clone(&layer), Arc::clone(&fate)));
            drop(turn);
            let landing = Landing { group: self, fate };
            let outcome = layer.commit(log).and_then(|commit| log.commit(&commit));
            if outcome.is_ok() {
                grown(&layer);
            }
            let _ = landing.fate.set(outcome);
            drop(landing);
            turn = self.turn();
        }
        turn
    }
}

/// A commit on its way. However it ends, those who wait for it are woken.
struct Landing<'a> {
    group: &'a Group,
    fate: Fate,
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        let outcome = self.fate.get_or_init(|| {
            Err(Error::unavailable("the writer that committed for others failed", "open the store again"))
        });
        let mut turn = self.group.turn();
        turn.flying = None;
        // What was decided on a failed commit cannot stand without it.
        if let Err(error) = outcome
            && let Some((_, fate)) = turn.waiting.take()
        {
            let _ = fate.set(Err(error.again()));
        }
        self.group.landed.notify_all();
    }
}
