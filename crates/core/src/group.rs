//! Group commit: writers at once share a sync.
//!
//! Each writer decides its batch on its own thread, under the lock of the group, on the log and on what runs ahead
//! of it; a batch that is refused leaves no trace there and troubles nobody else. What was decided waits in one
//! layer. A writer that finds no commit on its way leads, unless another one stands at the door and can lead for both: it
//! takes that layer, commits it with one sync, wakes all whose batches were in it, and appoints one of those in the next
//! layer, which has gathered meanwhile, to lead. So each waits for its own layer, and nobody is woken for another's.
//!
//! Who has just been answered often comes back at once, and a commit takes much the same time for one record as for
//! sixteen. So a layer waits a little until it has as many batches as took part in the last commit or waited behind it:
//! whoever brings the last of them leads, and one of those who wait sees to it that this is not waited for too long. A
//! writer that has been alone expects nobody else, and never waits.
//!
//! **Nobody is answered before what the answer rests on is durable**: also an answer that wrote nothing, or a
//! refusal, waits for the layers that it has looked at. Where a commit fails, all that were in it are told, and all
//! that were decided on it: those batches are gone.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::ahead::{Ground, Layer};
use crate::log::Log;
use crate::{Error, Result};

/// Records that a layer gathers at most before it is committed, though more writers stand at the door.
const GATHERED: usize = 64;
/// How long a layer waits for batches that are expected: about as long as a sync takes.
const PATIENCE: Duration = Duration::from_micros(500);

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
    waiting: Option<Waiting>,
    /// Batches that it will have soon, if all who took part in the last commit come back at once.
    expected: usize,
}

/// A layer that gathers batches.
#[derive(Debug)]
struct Waiting {
    layer: Layer,
    fate: Arc<Fate>,
    batches: usize,
    /// Whether one of those who wait for it sees to it that it is committed, even if nobody comes any more.
    is_watched: bool,
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

/// What one does for a layer that he waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Commits it.
    Leads,
    /// Commits it when it has waited long enough for the batches that are expected.
    Watches,
    /// Leaves that to another.
    Waits,
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
        let waiting = self.waiting.as_ref().map(|waiting| &waiting.layer);
        let flying = self.flying.as_ref().map(|(layer, _)| &**layer);
        Ground::new(log, [waiting, flying])
    }

    /// Adds a batch that was decided on the ground as it is.
    pub fn add(&mut self, batch: Layer) {
        if let Some(waiting) = &mut self.waiting {
            waiting.layer.extend(batch);
            waiting.batches += 1;
        } else {
            let fate = Arc::default();
            self.waiting = Some(Waiting { layer: batch, fate, batches: 1, is_watched: false });
        }
    }

    /// The fate of the latest of what runs ahead of the log: that of all of it.
    fn latest(&self) -> Option<Arc<Fate>> {
        let waiting = self.waiting.as_ref().map(|waiting| &waiting.fate);
        waiting.or_else(|| self.flying.as_ref().map(|(_, fate)| fate)).cloned()
    }

    /// Has what waits committed by one of those who wait for it.
    fn appoint(&mut self) {
        if let (None, Some(waiting)) = (&self.flying, &mut self.waiting)
            && !waiting.is_watched
        {
            waiting.is_watched = true;
            waiting.fate.told().wants_a_leader = true;
            waiting.fate.changed.notify_one();
        }
    }

    /// The part of one who waits for a layer that is not on its way, and was appointed or has just come.
    fn part(&mut self, fate: &Arc<Fate>, is_appointed: bool) -> Part {
        let expected = self.expected;
        let own = self.waiting.as_mut().filter(|waiting| Arc::ptr_eq(&waiting.fate, fate));
        let Some(own) = own.filter(|own| own.batches < expected && own.has_room()) else {
            return Part::Leads;
        };
        let is_watched = std::mem::replace(&mut own.is_watched, true);
        if is_appointed || !is_watched { Part::Watches } else { Part::Waits }
    }
}

impl Waiting {
    fn has_room(&self) -> bool {
        self.layer.records.len() < GATHERED
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

    /// Waits for the outcome; gives nothing to the one who has to lead, nor when his patience has come to an end.
    fn wait(&self, patience: Option<Duration>) -> Option<Result<()>> {
        let open = |told: &mut Told| told.outcome.is_none() && !told.wants_a_leader;
        let mut told = if let Some(patience) = patience {
            let told = self.changed.wait_timeout_while(self.told(), patience, open);
            told.unwrap_or_else(PoisonError::into_inner).0
        } else {
            let told = self.changed.wait_while(self.told(), open);
            told.unwrap_or_else(PoisonError::into_inner)
        };
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
                let _ = fate.wait(None);
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
        let (mut is_appointed, mut is_patient) = (false, true);
        loop {
            let mut patience = None;
            if turn.flying.is_none() {
                match turn.part(&fate, is_appointed) {
                    Part::Waits => {}
                    Part::Watches if is_patient => patience = Some(PATIENCE),
                    _ if self.is_left_to_others(&mut turn) => {}
                    _ => turn = self.lead(turn, log, &grown),
                }
            }
            drop(turn);
            is_patient &= patience.is_none();
            if let Some(outcome) = fate.wait(patience) {
                return outcome;
            }
            is_appointed = true;
            turn = self.again();
        }
    }

    /// Whether somebody stands at the door who can lead, and there is room for what he brings. It is his business then.
    fn is_left_to_others(&self, state: &mut State) -> bool {
        let Some(waiting) = state.waiting.as_mut().filter(|waiting| waiting.has_room()) else { return false };
        let is_left = self.at_the_door.load(Ordering::SeqCst) > 0;
        waiting.is_watched &= !is_left;
        is_left
    }

    /// Commits what waits.
    fn lead<'a, L: Log>(&'a self, mut turn: Turn<'a>, log: &L, grown: &impl Fn(&Layer)) -> Turn<'a> {
        if let Some(Waiting { layer, fate, batches, .. }) = turn.waiting.take() {
            let layer = Arc::new(layer);
            turn.flying = Some((Arc::clone(&layer), Arc::clone(&fate)));
            drop(turn);
            let mut landing = Landing { group: self, fate, batches, outcome: None };
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
    batches: usize,
    outcome: Option<Result<()>>,
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or_else(|| {
            Err(Error::unavailable("the writer that committed for others failed", "open the store again"))
        });
        let mut turn = self.group.again();
        turn.flying = None;
        turn.expected = self.batches + turn.waiting.as_ref().map_or(0, |waiting| waiting.batches);
        // What was decided on a failed commit cannot stand without it.
        if let Err(error) = &outcome
            && let Some(waiting) = turn.waiting.take()
        {
            waiting.fate.tell(Err(error.again()));
        }
        drop(turn);
        self.fate.tell(outcome);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use annals_model::Seq;

    use super::*;
    use crate::log::Head;
    use crate::quick::QuickMap;

    fn batch() -> Layer {
        Layer {
            first: Seq(1),
            records: Vec::new(),
            frames: Vec::new(),
            blocks: Vec::new(),
            events: QuickMap::default(),
            versions: QuickMap::default(),
            erased: BTreeSet::new(),
            head: Head::default(),
            lag: None,
        }
    }

    /// A layer of one batch that waits where so many are expected.
    fn waiting(expected: usize) -> (State, Arc<Fate>) {
        let mut state = State { expected, ..State::default() };
        state.add(batch());
        let fate = state.latest().unwrap();
        (state, fate)
    }

    #[test]
    fn a_layer_waits_for_whom_it_expects_and_one_keeps_the_time() {
        let (mut state, fate) = waiting(2);
        assert_eq!(state.part(&Arc::default(), false), Part::Leads, "another layer is none of his business");
        assert_eq!(state.part(&fate, false), Part::Watches, "the first keeps the time");
        assert_eq!(state.part(&fate, false), Part::Waits, "a second need not");
        assert_eq!(state.part(&fate, true), Part::Watches, "who is called has to");
        state.add(batch());
        assert_eq!(state.part(&fate, false), Part::Leads, "all are there");
    }

    #[test]
    fn who_is_alone_expects_nobody() {
        let (mut state, fate) = waiting(1);
        assert_eq!(state.part(&fate, false), Part::Leads);
    }

    #[test]
    fn nobody_is_called_where_somebody_keeps_the_time() {
        let (mut state, fate) = waiting(2);
        assert_eq!(state.part(&fate, false), Part::Watches);
        state.appoint();
        assert!(!fate.told().wants_a_leader);
        let (mut state, fate) = waiting(2);
        state.appoint();
        assert!(fate.told().wants_a_leader);
        assert_eq!(state.part(&fate, false), Part::Waits, "who was called keeps it");
    }
}
