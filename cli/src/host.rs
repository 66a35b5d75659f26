//! Where the program meets the outside: the clock, randomness, the user's name, and the panic hook.
//!
//! Two variables exist for the tests of this program alone: `ANNALS_TEST_CLOCK`, an RFC 3339 instant that every
//! reading moves on by a second, and `ANNALS_TEST_SEED`, a number that all randomness is then made of. Salts
//! made of a known seed hide nothing.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use annals_core::Host;
use annals_model::{Day, RecordedAt};
use chrono::{Datelike, Local};

use crate::error::{CliError, CliResult};

const SECOND: i64 = 1_000_000;
/// Random bytes that are taken from the system at once.
const POOL: usize = 1024;

/// The clock and the randomness of this machine, or of a test.
#[derive(Debug)]
pub struct SystemHost {
    test_clock: Option<AtomicI64>,
    test_seed: Option<AtomicU64>,
    pool: Mutex<Pool>,
}

/// Random bytes that were taken from the system and not used yet: an import needs some for every record. Each is
/// given once and wiped then.
struct Pool {
    bytes: [u8; POOL],
    used: usize,
}

impl Pool {
    fn take(&mut self, mut buffer: &mut [u8]) {
        while !buffer.is_empty() {
            if self.used == POOL {
                // Linux has had the system call since 2014; without it no salt can be made, and nothing recorded.
                getrandom::fill(&mut self.bytes).expect("because the operating system gives randomness");
                self.used = 0;
            }
            let (now, later) = buffer.split_at_mut(buffer.len().min(POOL - self.used));
            let given = &mut self.bytes[self.used..self.used + now.len()];
            now.copy_from_slice(given);
            given.fill(0);
            self.used += now.len();
            buffer = later;
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pool")
    }
}

impl SystemHost {
    /// The host that the environment asks for.
    pub fn from_environment() -> CliResult<Self> {
        let test_clock = match variable("ANNALS_TEST_CLOCK") {
            Some(text) => {
                let start: RecordedAt =
                    text.parse().map_err(|invalid| CliError::argument("ANNALS_TEST_CLOCK", &invalid))?;
                Some(AtomicI64::new(start.micros()))
            }
            None => None,
        };
        let seed = variable("ANNALS_TEST_SEED").map(|text| text.parse::<u64>()).transpose();
        let seed = seed.map_err(|_| CliError::usage("ANNALS_TEST_SEED: must be a whole number"))?;
        let pool = Mutex::new(Pool { bytes: [0; POOL], used: POOL });
        Ok(Self { test_clock, test_seed: seed.map(AtomicU64::new), pool })
    }

    /// The user's civil day.
    pub fn today(&self) -> Day {
        let day = self.now().to_chrono().map(|instant| instant.with_timezone(&Local).date_naive());
        let day = day.unwrap_or_default();
        #[expect(clippy::cast_possible_truncation, reason = "months and days are small")]
        Day { year: day.year().into(), month: day.month() as u8, day: day.day() as u8 }
    }
}

impl Host for SystemHost {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn now(&self) -> RecordedAt {
        match &self.test_clock {
            Some(clock) => RecordedAt::from_micros(clock.fetch_add(SECOND, Ordering::Relaxed)),
            None => chrono::Utc::now().into(),
        }
    }

    fn fill_random(&self, buffer: &mut [u8]) {
        match &self.test_seed {
            Some(seed) => {
                for chunk in buffer.chunks_mut(8) {
                    let next = seed.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
                    chunk.copy_from_slice(&next.to_le_bytes()[..chunk.len()]);
                }
            }
            None => self.pool.lock().unwrap_or_else(PoisonError::into_inner).take(buffer),
        }
    }
}

/// The name that records carry when none is given: the user's.
pub fn user_name() -> String {
    ["USER", "LOGNAME"].into_iter().find_map(variable).unwrap_or_else(|| "unknown".to_owned())
}

/// A variable of the environment that is set and not empty.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment by itself")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Keeps quiet about panics on the thread that opens a damaged store, which are caught and told as damage, and
/// about those that sled's calls are guarded against.
pub fn quiet_expected_panics() {
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let in_sled = info.location().is_some_and(|place| place.file().contains("sled-"));
        let opening = std::thread::current().name() == Some(annals_core::OPENER);
        if !in_sled && !opening {
            loud(info);
        }
    }));
}
