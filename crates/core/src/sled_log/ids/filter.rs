//! Filters in memory: say of most names that no run has them, and of the others mostly which one, without reading any.
//!
//! An import asks for every one of its ids whether it is there already, and mostly it is not. A Bloom filter of fourteen
//! bits a name answers that. It grows by further layers, each twice as large as the one before. Where it says
//! “perhaps”, smaller filters of the single runs say which of them are worth reading: a large log has some dozens.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Names that the first layer is made for.
const LEAST: u64 = 64 * 1024;
/// How many times larger each layer is.
const GROWTH: u64 = 2;
/// Bits for each name in the filter of all runs, and in that of one.
const BITS: u64 = 14;
const BITS_IN_RUN: u64 = 8;
const PROBES: u64 = 6;

/// Every hash that was put into it, and a few others. What a copy of it has in common with it is in memory once.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    layers: Vec<Arc<Layer>>,
    /// The hashes of single runs, by their number.
    runs: BTreeMap<u32, OfRun>,
}

/// The hashes of one run, which are all there when it is made.
#[derive(Clone, Debug)]
pub struct OfRun(Arc<Layer>);

#[derive(Clone, Debug)]
struct Layer {
    bits: Vec<u64>,
    /// Names that it is made for, and how many more it takes.
    names: u64,
    room: u64,
}

impl Filter {
    /// An empty filter for about so many names.
    pub fn with_room(names: u64) -> Self {
        let layers = vec![Arc::new(Layer::new(names.max(LEAST), BITS))];
        Self { layers, runs: BTreeMap::new() }
    }

    /// Takes a hash in.
    pub fn insert(&mut self, hash: u64) {
        let full = self.layers.last().is_none_or(|layer| layer.room == 0);
        if full {
            let names = self.layers.last().map_or(LEAST, |layer| layer.names * GROWTH);
            self.layers.push(Arc::new(Layer::new(names, BITS)));
        }
        if let Some(layer) = self.layers.last_mut() {
            Arc::make_mut(layer).insert(hash);
        }
    }

    /// Whether any run may have a hash; one that it has it always may.
    pub fn may_have(&self, hash: u64) -> bool {
        self.layers.iter().any(|layer| layer.may_have(hash))
    }

    /// Takes in the hashes of a run by themselves, too.
    pub fn add_run(&mut self, run: u32, hashes: OfRun) {
        self.runs.insert(run, hashes);
    }

    /// Forgets the runs that there are no more.
    pub fn keep_runs(&mut self, is_there: impl Fn(u32) -> bool) {
        self.runs.retain(|run, _| is_there(*run));
    }

    /// Whether a run may have a hash; every one may of which nothing is known.
    pub fn run_may_have(&self, run: u32, hash: u64) -> bool {
        self.runs.get(&run).is_none_or(|OfRun(layer)| layer.may_have(hash))
    }
}

impl OfRun {
    /// An empty one for so many names.
    pub fn with_room(names: u64) -> Self {
        Self(Arc::new(Layer::new(names.max(1), BITS_IN_RUN)))
    }

    /// Takes a hash in.
    pub fn insert(&mut self, hash: u64) {
        Arc::make_mut(&mut self.0).insert(hash);
    }
}

impl Layer {
    fn new(names: u64, bits: u64) -> Self {
        let words = usize::try_from((names * bits).div_ceil(64)).unwrap_or(usize::MAX / 64);
        Self { bits: vec![0; words], names, room: names }
    }

    fn insert(&mut self, hash: u64) {
        self.room = self.room.saturating_sub(1);
        for probe in self.probes(hash) {
            self.bits[probe / 64] |= 1 << (probe % 64);
        }
    }

    fn may_have(&self, hash: u64) -> bool {
        self.probes(hash).all(|probe| self.bits[probe / 64] & 1 << (probe % 64) != 0)
    }

    fn probes(&self, hash: u64) -> impl Iterator<Item = usize> + use<> {
        let size = u128::from(self.bits.len() as u64 * 64);
        let start = hash.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let step = start.rotate_left(32) | 1;
        (0..PROBES).map(move |n| {
            let at = start.wrapping_add(n.wrapping_mul(step));
            // The share of the size that the number is of all numbers: a division would take several times as long.
            usize::try_from((u128::from(at) * size) >> 64).unwrap_or(0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_always_found_and_little_else() {
        let hash = |n: u64| n.wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 16;
        let mut filter = Filter::default();
        for n in 0..200_000 {
            filter.insert(hash(n));
        }
        assert_eq!(filter.layers.len(), 3, "64k, 128k and the rest");
        assert!((0..200_000).all(|n| filter.may_have(hash(n))));
        let wrong = (200_000..300_000).filter(|n| filter.may_have(hash(*n))).count();
        assert!(wrong < 1_000, "{wrong} of 100,000");
    }
    #[test]
    fn a_run_is_told_from_the_others() {
        let hash = |n: u64| n.wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 16;
        let mut filter = Filter::default();
        for run in 0..3 {
            let mut own = OfRun::with_room(10_000);
            (0..10_000).for_each(|n| own.insert(hash(u64::from(run) * 10_000 + n)));
            filter.add_run(run, own);
        }
        assert!((0..30_000_u32).all(|n| filter.run_may_have(n / 10_000, hash(n.into()))));
        let wrong = (10_000..30_000).filter(|n| filter.run_may_have(0, hash(*n))).count();
        assert!(wrong < 800, "{wrong} of 20,000");
        let older = filter.clone();
        filter.keep_runs(|run| run == 2);
        assert!(filter.run_may_have(0, hash(25_000)), "nothing is known of it any more");
        assert!((20_000..30_000).all(|n| filter.run_may_have(2, hash(n))));
        assert!(!older.run_may_have(0, hash(25_000)));
    }
}
