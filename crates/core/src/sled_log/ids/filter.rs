//! Filters in memory: say of most names that no run has them, and of the others mostly which one, without reading any.
//!
//! An import asks for every one of its ids whether it is there already, and mostly it is not. A Bloom filter of fourteen
//! bits a name answers that. It grows by further layers, each twice as large as the one before. Where it says
//! “perhaps”, smaller filters of the single runs say which of them are worth reading: a large log has some dozens.
//!
//! All bits of a name lie in one block of 64 bytes, which its leading bits say: a look waits for memory once, and the
//! names of a run, which come in order, go through the filter in order (Putze, Sanders and Singler, “Cache-, Hash- and
//! Space-Efficient Bloom Filters”, 2009).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::chunk::HASH_BITS;

/// Names that the first layer is made for.
const LEAST: u64 = 64 * 1024;
/// How many times larger each layer is.
const GROWTH: u64 = 2;
/// Bits for each name in the filter of all runs, and in that of one.
const BITS: u64 = 14;
const BITS_IN_RUN: u64 = 8;
const PROBES: u32 = 6;
/// Words of a block, and bits that say which bit of it is meant.
const BLOCK: usize = 8;
const PLACE: u32 = 9;

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
        let blocks = usize::try_from((names * bits).div_ceil(1 << PLACE)).unwrap_or(usize::MAX / 64);
        Self { bits: vec![0; blocks * BLOCK], names, room: names }
    }

    fn insert(&mut self, hash: u64) {
        self.room = self.room.saturating_sub(1);
        let block = self.block(hash);
        for (word, bit) in probes(hash) {
            self.bits[block + word] |= bit;
        }
    }

    fn may_have(&self, hash: u64) -> bool {
        let block = self.block(hash);
        probes(hash).all(|(word, bit)| self.bits[block + word] & bit != 0)
    }

    /// Where a hash's block begins: at the share of all that the hash is of all hashes.
    fn block(&self, hash: u64) -> usize {
        let blocks = self.bits.len() / BLOCK;
        let share = (u128::from(hash) * blocks as u128) >> HASH_BITS;
        usize::try_from(share).unwrap_or(0).min(blocks - 1) * BLOCK
    }
}

/// The bits of a hash in its block, each with the word that has it.
fn probes(hash: u64) -> impl Iterator<Item = (usize, u64)> {
    // The leading bits of a product depend on all bits of the hash.
    let mixed = hash.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let places = (mixed ^ mixed >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    (1..=PROBES).map(move |n| {
        let place = places >> (u64::BITS - n * PLACE) & ((1 << PLACE) - 1);
        ((place / 64) as usize, 1 << (place % 64))
    })
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
