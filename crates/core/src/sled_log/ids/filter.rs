//! A filter in memory: says of most names that no run has them, without reading any.
//!
//! An import asks for every one of its ids whether it is there already, and mostly it is not. A Bloom filter of fourteen
//! bits a name answers that; where it says “perhaps” the runs are read, every one of them. It grows by further layers,
//! each twice as large as the one before.

/// Names that the first layer is made for.
const LEAST: u64 = 64 * 1024;
const BITS: u64 = 14;
const PROBES: u64 = 6;

/// Every hash that was put into it, and a few others.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    layers: Vec<Layer>,
}

#[derive(Clone, Debug)]
struct Layer {
    bits: Vec<u64>,
    room: u64,
}

impl Filter {
    /// An empty filter for about so many names.
    pub fn with_room(names: u64) -> Self {
        Self { layers: vec![Layer::new(names.max(LEAST))] }
    }

    /// Takes a hash in.
    pub fn insert(&mut self, hash: u64) {
        let full = self.layers.last().is_none_or(|layer| layer.room == 0);
        if full {
            let names = self.layers.last().map_or(LEAST, |layer| layer.names() * 2);
            self.layers.push(Layer::new(names));
        }
        if let Some(layer) = self.layers.last_mut() {
            layer.room -= 1;
            for probe in layer.probes(hash) {
                layer.bits[probe / 64] |= 1 << (probe % 64);
            }
        }
    }

    /// Whether it may have a hash; one that it has it always may.
    pub fn may_have(&self, hash: u64) -> bool {
        let has =
            |layer: &Layer| layer.probes(hash).all(|probe| layer.bits[probe / 64] & 1 << (probe % 64) != 0);
        self.layers.iter().any(has)
    }
}

impl Layer {
    fn new(names: u64) -> Self {
        let words = usize::try_from((names * BITS).div_ceil(64)).unwrap_or(usize::MAX / 64);
        Self { bits: vec![0; words], room: names }
    }

    const fn names(&self) -> u64 {
        self.bits.len() as u64 * 64 / BITS
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
}
