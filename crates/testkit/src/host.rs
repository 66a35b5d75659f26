//! A host whose time and randomness the test decides.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use annals_core::Host;
use annals_model::RecordedAt;

/// A clock that moves one second with each reading, and randomness from a seed.
#[derive(Debug)]
pub struct TestHost {
    micros: AtomicI64,
    state: AtomicU64,
}

impl TestHost {
    /// A host that begins at 2024-01-01T00:00:00Z.
    pub const fn new(seed: u64) -> Self {
        Self { micros: AtomicI64::new(1_704_067_200_000_000), state: AtomicU64::new(seed) }
    }

    /// Sets the clock, forward or back.
    pub fn set_now(&self, now: RecordedAt) {
        self.micros.store(now.micros(), Ordering::SeqCst);
    }

    /// The next number of `SplitMix64` (Steele, Lea, Flood 2014).
    fn next(&self) -> u64 {
        let mut z = self.state.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::SeqCst);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

impl Host for TestHost {
    fn now(&self) -> RecordedAt {
        RecordedAt::from_micros(self.micros.fetch_add(1_000_000, Ordering::SeqCst))
    }

    fn fill_random(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}
