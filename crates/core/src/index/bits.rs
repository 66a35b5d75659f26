//! A set of records, and the place of each among them.

/// A set of records.
#[derive(Debug, Default)]
pub struct Bits(Vec<u64>);

impl Bits {
    /// Takes a record in.
    pub fn set(&mut self, number: u64) {
        let Ok(word) = usize::try_from(number / 64) else { return };
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (number % 64);
    }

    /// Whether it has none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it has a record.
    pub fn has(&self, number: u64) -> bool {
        let word = usize::try_from(number / 64).ok().and_then(|word| self.0.get(word));
        word.is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// All records, in order.
    pub fn all(&self) -> impl Iterator<Item = u64> {
        (0..).zip(&self.0).flat_map(|(index, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| u64::from(rest.trailing_zeros()))?;
                rest &= rest - 1;
                Some(index * 64 + bit)
            })
        })
    }
}

/// A set that tells how many records stand before one.
#[derive(Debug)]
pub struct Ranks {
    bits: Bits,
    /// How many stand before each word.
    before: Vec<u32>,
}

impl Ranks {
    /// Counts a set.
    pub fn new(bits: Bits) -> Self {
        let mut count = 0;
        let before = bits.0.iter().map(|word| {
            let here = count + word.count_ones();
            std::mem::replace(&mut count, here)
        });
        let before = before.collect();
        Self { bits, before }
    }

    /// The place of a record among all, if it is one of them.
    pub fn of(&self, number: u64) -> Option<usize> {
        let index = usize::try_from(number / 64).ok()?;
        let (word, bit) = (self.bits.0.get(index)?, number % 64);
        let below = (word & ((1 << bit) - 1)).count_ones();
        (word >> bit & 1 == 1).then(|| (self.before[index] + below) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_counted_in_their_order() {
        let records = [1, 63, 64, 65, 200, 1_000];
        let mut bits = Bits::default();
        records.iter().rev().for_each(|record| bits.set(*record));
        assert_eq!(bits.all().collect::<Vec<_>>(), records);
        assert_eq!((0..2_000).filter(|record| bits.has(*record)).collect::<Vec<_>>(), records);
        let ranks = Ranks::new(bits);
        let found: Vec<_> = (0..2_000).filter_map(|record| ranks.of(record)).collect();
        assert_eq!(found, [0, 1, 2, 3, 4, 5]);
    }
}
