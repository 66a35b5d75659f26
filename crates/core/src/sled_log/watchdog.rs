//! Waking sled where it waits for ever.
//!
//! When a write fails, on a full disk for instance, sled 0.34.7 notes the error, but in one of the places where that
//! happens (`pagecache/logger.rs`, the end of `exit_reservation`) it forgets to wake who waits for the write. A flush
//! that begins with such an error noted wakes all who wait, and ends with the error. So what may wait is watched: where
//! it takes long, another flush is begun beside it, a few times, each on a thread of its own since it may wait, too.
//!
//! Where the write fails earlier, before sled knows what it will write, it notes nothing and a flush never ends. Such a
//! store must not be flushed any more, and sled flushes when its last handle goes: see `Drop` of the log.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a call to sled may take before it is looked after; twice as long the next time. A slow disk is disturbed by
/// nothing but a flush.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often it is.
const TIMES: u32 = 6;

/// Looks after calls to sled.
pub struct Watchdog {
    db: sled::Db,
    shared: Arc<Shared>,
    thread: OnceLock<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Calls that are under way.
    busy: u32,
    /// Counts the calls that have begun.
    begun: u64,
    is_over: bool,
}

impl Watchdog {
    /// One for a store that is open.
    pub fn new(db: sled::Db) -> Self {
        Self { db, shared: Arc::default(), thread: OnceLock::new() }
    }

    /// Makes a call that may wait.
    pub fn watch<T>(&self, call: impl FnOnce() -> T) -> T {
        self.thread.get_or_init(|| {
            let (db, shared) = (self.db.clone(), Arc::clone(&self.shared));
            // Without a thread the call is made all the same: it waits for ever only if the disk fails, too.
            std::thread::Builder::new().name("annals-watch".to_owned()).spawn(move || look(&db, &shared)).ok()
        });
        let _busy = Busy::begin(&self.shared);
        call()
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.change(|state| state.is_over = true);
        if let Some(thread) = self.thread.take().flatten() {
            // It has nothing to say.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }
}

/// A call that is under way, however it ends.
struct Busy<'a>(&'a Shared);

impl<'a> Busy<'a> {
    fn begin(shared: &'a Shared) -> Self {
        shared.change(|state| {
            state.busy += 1;
            state.begun += 1;
        });
        Self(shared)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.change(|state| state.busy -= 1);
    }
}

fn look(db: &sled::Db, shared: &Shared) {
    let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut begun, mut times) = (0, 0);
    while !state.is_over {
        if state.busy == 0 {
            state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        if state.begun != begun {
            (begun, times) = (state.begun, 0);
        }
        let same = |state: &mut State| state.busy > 0 && state.begun == begun && !state.is_over;
        let waited = shared.changed.wait_timeout_while(state, PATIENCE * 2_u32.pow(times), same);
        let (later, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        state = later;
        if waited.timed_out() && times < TIMES {
            times += 1;
            let db = db.clone();
            let flush = move || drop(catch_unwind(AssertUnwindSafe(|| db.flush())));
            // Where no thread can be made there is another time.
            let _ = std::thread::Builder::new().name("annals-wake".to_owned()).spawn(flush);
        }
    }
}
