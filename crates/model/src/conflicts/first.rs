//! The first ones of what is found, where no more are told, and how many there are in all.

use std::cmp::Ordering;

/// What is found, and comes in an order of its own in the answer.
pub trait Found {
    /// Orders what is found.
    fn order(&self, other: &Self) -> Ordering;
}

/// The first ones in their order, of what comes in any order.
#[derive(Debug)]
pub struct First<T> {
    found: Vec<T>,
    count: u64,
    most: usize,
}

impl<T: Found> First<T> {
    /// At most so many.
    pub const fn new(most: usize) -> Self {
        Self { found: Vec::new(), count: 0, most }
    }

    pub fn push(&mut self, found: T) {
        self.count += 1;
        self.found.push(found);
        // Sorted now and then only: each is compared a few times.
        if self.found.len() / 4 > self.most {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.found.sort_unstable_by(T::order);
        self.found.truncate(self.most);
    }

    /// The first ones in order, and how many there are.
    pub fn finish(mut self) -> (Vec<T>, u64) {
        self.cut();
        (self.found, self.count)
    }
}
