//! Maps by the names of events, with a hash that takes a fraction of the time of the standard one.
//!
//! Each map has a secret number of its own, so that nobody who chooses names can choose ones that fall together in it.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

/// A map with the quick hash.
pub type QuickMap<K, V> = HashMap<K, V, Quick>;

/// What makes the hashers of one map.
#[derive(Clone, Debug)]
pub struct Quick(u64);

impl Default for Quick {
    fn default() -> Self {
        Self(RandomState::new().hash_one(()))
    }
}

impl BuildHasher for Quick {
    type Hasher = Folding;

    fn build_hasher(&self) -> Folding {
        Folding { state: self.0, secret: self.0.rotate_left(29) | 1 }
    }
}

/// Multiplies each word into the state, and folds the halves of the product together.
#[derive(Debug)]
pub struct Folding {
    state: u64,
    secret: u64,
}

impl Folding {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of the product are taken")]
    fn fold(&mut self, word: u64) {
        let product = u128::from(self.state ^ word) * u128::from(self.secret ^ 0x9E37_79B9_7F4A_7C15);
        self.state = (product as u64) ^ ((product >> 64) as u64).rotate_left(17) ^ self.secret;
    }
}

impl Hasher for Folding {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.fold(u64::from_le_bytes(*word));
        }
        // The length keeps texts apart that are cut elsewhere.
        let last = rest.iter().fold(bytes.len() as u64, |word, byte| word << 8 | u64::from(*byte));
        self.fold(last);
    }

    fn finish(&self) -> u64 {
        let mut last = Self { ..*self };
        last.fold(0);
        last.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike_names_fall_apart() {
        let quick = Quick::default();
        let count = 100_000_u64;
        let names =
            (0..count).map(|n| (format!("timeline-{}", n % 3), format!("018bcfe5-6800-7000-8000-{n:012x}")));
        let hashes: Vec<u64> = names.map(|name| quick.hash_one(name)).collect();
        // A table takes its place from the low bits, and seven others from the high ones.
        for shift in [0, 20, 47] {
            let mut places: Vec<u64> = hashes.iter().map(|hash| hash >> shift & 0xffff).collect();
            places.sort_unstable();
            places.dedup();
            // Of 65,536 places so many balls leave about 22 per cent empty.
            assert!((48_000..54_500).contains(&places.len()), "{} places of bits from {shift}", places.len());
        }
        assert_ne!(quick.hash_one("a"), Quick::default().hash_one("a"));
        assert_ne!(quick.hash_one(("ab", "c")), quick.hash_one(("a", "bc")));
    }
}
