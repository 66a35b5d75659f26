//! Waking sled where it waits for ever.
//!
//! When a write fails, on a full disk for instance, sled 0.34.7 notes the error, but in one of the places where that
//! happens (`pagecache/logger.rs`, the end of `exit_reservation`) it forgets to wake who waits for the write. A flush
//! that begins with such an error noted wakes all who wait, and ends with the error. So what may wait is watched: where
//! it takes long, another flush is begun beside it, a few times, each on a thread of its own since it may wait, too.
//!
//! Who watches looks now and then as long as calls come, and sleeps when none do: to be woken by each of them would cost
//! an append more than all that it computes.
//!
//! Where the write fails earlier, before sled knows what it will write, it notes nothing and a flush never ends. Such a
//! store must not be flushed any more, and sled flushes when its last handle goes: see `Drop` of the log.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a call to sled may take before it is looked after; twice as long the next time. It may be twice as long by
/// then, since a look sees only that a call is the same as at the look before. A slow disk is disturbed by nothing but a
/// flush.
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
    /// Whether nobody looks until the next call wakes him.
    is_asleep: bool,
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
        self.shared.lock().is_over = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take().flatten() {
            // It has nothing to say.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that is under way, however it ends.
struct Busy<'a>(&'a Shared);

impl<'a> Busy<'a> {
    fn begin(shared: &'a Shared) -> Self {
        let mut state = shared.lock();
        state.busy += 1;
        state.begun += 1;
        if std::mem::take(&mut state.is_asleep) {
            shared.changed.notify_all();
        }
        Self(shared)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.lock().busy -= 1;
    }
}

fn look(db: &sled::Db, shared: &Shared) {
    let mut state = shared.lock();
    let (mut begun, mut times) = (0, 0);
    while !state.is_over {
        if state.busy == 0 && state.begun == begun {
            state.is_asleep = true;
            let none = |state: &mut State| state.is_asleep && !state.is_over;
            state = shared.changed.wait_while(state, none).unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        if state.begun != begun {
            (begun, times) = (state.begun, 0);
        }
        let patience = PATIENCE * 2_u32.pow(times);
        let waited = shared.changed.wait_timeout_while(state, patience, |state| !state.is_over);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
        if state.busy > 0 && state.begun == begun && !state.is_over && times < TIMES {
            times += 1;
            let db = db.clone();
            let flush = move || drop(catch_unwind(AssertUnwindSafe(|| db.flush())));
            // Where no thread can be made there is another time.
            let _ = std::thread::Builder::new().name("annals-wake".to_owned()).spawn(flush);
        }
    }
}
