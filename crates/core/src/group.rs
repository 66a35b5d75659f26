//! Group commit: writers at once share a sync.
//!
//! Each writer decides its batch on its own thread, under the lock of the group, on the log and on what runs ahead
//! of it; a batch that is refused leaves no trace there and troubles nobody else. What was decided waits in one
//! layer. A writer that finds no commit on its way leads, unless another one stands at the door and can lead for both: it
//! takes that layer, commits it with one sync, wakes all whose batches were in it, and appoints one of those in the next
//! layer, which has gathered meanwhile, to lead. So each waits for its own layer, and nobody is woken for another's.
//!
//! **Nobody is answered before what the answer rests on is durable**: also an answer that wrote nothing, or a
//! refusal, waits for the layers that it has looked at. Where a commit fails, all that were in it are told, and all
//! that were decided on it: those batches are gone.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::ahead::{Ground, Layer};
use crate::log::Log;
use crate::{Error, Result};

/// Records that a layer gathers at most before it is committed, though more writers stand at the door.
const GATHERED: usize = 64;

/// The batches of a store's writers that are not in its log yet.
#[derive(Debug, Default)]
pub struct Group {
    state: Mutex<State>,
    /// Writers that wait for their turn.
    at_the_door: AtomicUsize,
}

/// What runs ahead of the log.
#[derive(Debug, Default)]
pub struct State {
    /// What is being committed.
    flying: Option<(Arc<Layer>, Arc<Fate>)>,
    /// What is committed next.
    waiting: Option<(Layer, Arc<Fate>)>,
}

/// What becomes of a layer.
#[derive(Debug, Default)]
struct Fate {
    told: Mutex<Told>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Told {
    outcome: Option<Result<()>>,
    /// Whether one of those who wait has to lead.
    wants_a_leader: bool,
}

/// The group, locked by one writer. However the turn ends, what waits will be committed.
#[derive(Debug)]
pub struct Turn<'a> {
    group: &'a Group,
    state: MutexGuard<'a, State>,
}

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
            None => self.waiting = Some((batch, Arc::default())),
        }
    }

    /// The fate of the latest of what runs ahead of the log: that of all of it.
    fn latest(&self) -> Option<Arc<Fate>> {
        let waiting = self.waiting.as_ref().map(|(_, fate)| fate);
        waiting.or_else(|| self.flying.as_ref().map(|(_, fate)| fate)).cloned()
    }

    /// Has what waits committed by one of those who wait for it.
    fn appoint(&self) {
        if let (None, Some((_, fate))) = (&self.flying, &self.waiting) {
            fate.told().wants_a_leader = true;
            fate.changed.notify_one();
        }
    }
}

impl Fate {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, outcome: Result<()>) {
        self.told().outcome.get_or_insert(outcome);
        self.changed.notify_all();
    }

    /// Waits for the outcome; gives nothing to the one who has to lead.
    fn wait(&self) -> Option<Result<()>> {
        let open = |told: &mut Told| told.outcome.is_none() && !told.wants_a_leader;
        let told = self.changed.wait_while(self.told(), open);
        let mut told = told.unwrap_or_else(PoisonError::into_inner);
        told.wants_a_leader = false;
        told.outcome.as_ref().map(|outcome| outcome.as_ref().copied().map_err(Error::again))
    }
}

impl Group {
    /// A writer's turn to decide.
    pub fn turn(&self) -> Turn<'_> {
        self.at_the_door.fetch_add(1, Ordering::SeqCst);
        let turn = self.again();
        self.at_the_door.fetch_sub(1, Ordering::SeqCst);
        turn
    }

    /// The turn of one who has decided.
    fn again(&self) -> Turn<'_> {
        // A writer that panicked while it decided has added nothing.
        Turn { group: self, state: self.state.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    /// A turn for one who writes by itself: nothing runs ahead of the log, and nothing will until its end.
    pub fn alone<L: Log>(&self, log: &L, grown: impl Fn(&Layer)) -> Turn<'_> {
        let mut turn = self.turn();
        while let Some(fate) = turn.latest() {
            turn = if turn.flying.is_none() {
                self.lead(turn, log, &grown)
            } else {
                drop(turn);
                // What became of it is told to those who were in it.
                let _ = fate.wait();
                self.turn()
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
            if turn.flying.is_none() && !self.is_left_to_others(&turn) {
                turn = self.lead(turn, log, &grown);
            }
            drop(turn);
            match fate.wait() {
                Some(outcome) => return outcome,
                None => turn = self.again(),
            }
        }
    }

    /// Whether somebody stands at the door who can lead, and there is room for what he brings.
    fn is_left_to_others(&self, state: &State) -> bool {
        let has_room = |(layer, _): &(Layer, _)| layer.records.len() < GATHERED;
        state.waiting.as_ref().is_some_and(has_room) && self.at_the_door.load(Ordering::SeqCst) > 0
    }

    /// Commits what waits.
    fn lead<'a, L: Log>(&'a self, mut turn: Turn<'a>, log: &L, grown: &impl Fn(&Layer)) -> Turn<'a> {
        if let Some((layer, fate)) = turn.waiting.take() {
            let layer = Arc::new(layer);
            turn.flying = Some((Arc::clone(&layer), Arc::clone(&fate)));
            drop(turn);
            let mut landing = Landing { group: self, fate, outcome: None };
            let outcome = layer.commit(log).and_then(|commit| log.commit(&commit));
            if outcome.is_ok() {
                grown(&layer);
            }
            landing.outcome = Some(outcome);
            drop(landing);
            turn = self.again();
        }
        turn
    }
}

impl Deref for Turn<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Turn<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.group.at_the_door.load(Ordering::SeqCst) == 0 {
            self.state.appoint();
        }
    }
}

/// A commit on its way. However it ends, those who wait for it are told.
struct Landing<'a> {
    group: &'a Group,
    fate: Arc<Fate>,
    outcome: Option<Result<()>>,
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or_else(|| {
            Err(Error::unavailable("the writer that committed for others failed", "open the store again"))
        });
        let mut turn = self.group.again();
        turn.flying = None;
        // What was decided on a failed commit cannot stand without it.
        if let Err(error) = &outcome
            && let Some((_, fate)) = turn.waiting.take()
        {
            fate.tell(Err(error.again()));
        }
        drop(turn);
        self.fate.tell(outcome);
    }
}
