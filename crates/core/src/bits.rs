//! A set of records, a bit each, and the place of each among them.

/// A set of records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bits(Vec<u64>);

impl<'a> Extend<&'a u64> for Bits {
    fn extend<T: IntoIterator<Item = &'a u64>>(&mut self, records: T) {
        records.into_iter().for_each(|record| self.set(*record));
    }
}

impl Bits {
    /// An empty set, with room for records up to one.
    pub fn up_to(last: u64) -> Self {
        Self(Vec::with_capacity(usize::try_from(last / 64).map_or(0, |words| words.saturating_add(1))))
    }

    /// Takes a record in.
    pub fn set(&mut self, number: u64) {
        let Ok(word) = usize::try_from(number / 64) else { return };
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (number % 64);
    }

    /// Takes in every record up to one that another set does not have.
    pub fn set_all_but(&mut self, others: &Self, last: u64) {
        let Ok(whole) = usize::try_from(last.saturating_add(1) / 64) else { return };
        if self.0.len() < whole {
            self.0.resize(whole, 0);
        }
        let words = others.0.iter().copied().chain(std::iter::repeat(0));
        self.0[..whole].iter_mut().zip(words).for_each(|(own, other)| *own |= !other);
        (whole as u64 * 64..=last).filter(|record| !others.has(*record)).for_each(|record| self.set(record));
    }

    /// Those that are in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect())
    }

    /// Those that are in either.
    pub fn add(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own |= other);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
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

/// A set of few records, for who mostly asks in vain: which words of it are not empty takes no room in a cache.
#[derive(Debug, Default)]
pub struct Sparse {
    bits: Bits,
    words: Bits,
}

impl Sparse {
    /// Takes a record in.
    pub fn set(&mut self, number: u64) {
        self.bits.set(number);
        self.words.set(number / 64);
    }

    /// Whether it has none.
    pub const fn is_empty(&self) -> bool {
        self.bits.is_empty()
    }

    /// Whether it has a record.
    #[inline]
    pub fn has(&self, number: u64) -> bool {
        self.words.has(number / 64) && self.bits.has(number)
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

    fn bits(records: &[u64]) -> Bits {
        let mut bits = Bits::default();
        bits.extend(records);
        bits
    }

    #[test]
    fn sets_are_put_together() {
        let (a, b) = (bits(&[1, 64, 700]), bits(&[0, 64, 65]));
        assert_eq!(a.and(&b).all().collect::<Vec<_>>(), [64]);
        assert!(a.has(700) && !a.has(701) && !b.has(70_000) && b.count() == 3);
        let mut either = b.clone();
        either.add(&a);
        assert_eq!(either.all().collect::<Vec<_>>(), [0, 1, 64, 65, 700]);
        for last in [0, 1, 62, 63, 64, 65, 127, 128, 699, 700, 701, 1_000] {
            let mut rest = bits(&[1_500]);
            rest.set_all_but(&a, last);
            let expected = (0..=last).filter(|record| !a.has(*record)).chain([1_500]);
            assert_eq!(rest.all().collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{last}");
        }
    }

    #[test]
    fn few_records_are_found_and_no_others() {
        let (records, mut few) = ([0, 63, 64, 4_095, 4_096, 70_000], Sparse::default());
        assert!(few.is_empty() && !few.has(0));
        for record in records {
            few.set(record);
        }
        assert_eq!((0..80_000).filter(|record| few.has(*record)).collect::<Vec<_>>(), records);
    }

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
