//! Dates of at most 31 days: each event waits as long as its date lasts.
//!
//! Of a day, events are compared when all that begin on it are there; two that share several days are compared on the
//! first of them, so that it is enough to look at those that begin.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::rc::Rc;

use super::MOST_COMPARED;
use super::candidate::{Candidate, may_share_entities};
use super::groups::Groups;

/// The events whose dates have begun and are not over.
#[derive(Debug, Default)]
pub struct Narrow {
    /// In the order in which they are compared, each with the bits of its entities.
    waiting: BTreeMap<Key, u64>,
    /// By the last day that they wait for.
    leaving: BTreeMap<i64, Vec<Key>>,
    /// Those that begin on the day.
    begun: Vec<Key>,
    day: i64,
    crowd: Crowd,
    crowded: u64,
}

/// An event with the beginning of its title, which mostly tells its place among the others without a look at it.
type Key = (u128, Rc<Candidate>);

impl Narrow {
    /// Sees the next event, in the order of their first days.
    pub fn see(&mut self, candidate: Candidate, groups: &mut Groups) {
        let (first, last) = candidate.days();
        if first != self.day {
            self.close(first, groups);
        }
        self.crowd.enter(&candidate.title.numbers);
        let bits = candidate.bits;
        let key = (candidate.title.beginning(), Rc::new(candidate));
        self.leaving.entry(last).or_default().push(key.clone());
        self.begun.push(key.clone());
        self.waiting.insert(key, bits);
    }

    /// Of how many days there were more events than were compared with each.
    pub fn finish(&mut self, groups: &mut Groups) -> u64 {
        self.close(i64::MAX, groups);
        self.crowded
    }

    /// Compares those that began on the day, and lets go of all whose last day lies before the next one.
    fn close(&mut self, next: i64, groups: &mut Groups) {
        for key in std::mem::take(&mut self.begun) {
            self.compare(&key, groups);
        }
        while !self.waiting.is_empty() && self.day < next {
            self.crowded += u64::from(self.crowd.is_crowded());
            for key in self.leaving.remove(&self.day).unwrap_or_default() {
                self.crowd.leave(&key.1.title.numbers);
                self.waiting.remove(&key);
            }
            self.day += 1;
        }
        self.day = next;
    }

    /// Compares an event that begins on the day with the nearest ones on either side.
    fn compare(&self, key: &Key, groups: &mut Groups) {
        let (_, candidate) = key;
        let own = candidate.bits;
        let is_near = |((_, other), bits): &(&Key, &u64)| {
            may_share_entities(own, **bits) && candidate.is_probably(other)
        };
        let later = self.waiting.range((Bound::Excluded(key), Bound::Unbounded));
        for ((_, other), _) in later.take(MOST_COMPARED).filter(is_near) {
            groups.join(candidate.named(), other.named());
        }
        let earlier = self.waiting.range(..key).rev();
        // Those that begin on this day, too, look this way themselves.
        let is_older = |((_, other), _): &(&Key, &u64)| other.days().0 != self.day;
        for ((_, other), _) in earlier.take(MOST_COMPARED).filter(is_near).filter(is_older) {
            groups.join(candidate.named(), other.named());
        }
    }
}

/// How many events have the same numbers in their titles: only those are compared.
#[derive(Debug, Default)]
struct Crowd {
    counts: HashMap<Box<str>, usize>,
    /// How many of the counts are too large.
    large: usize,
}

/// Events with the same numbers of which each is compared with every other one.
const ENOUGH: usize = MOST_COMPARED + 1;

impl Crowd {
    const fn is_crowded(&self) -> bool {
        self.large > 0
    }

    fn enter(&mut self, numbers: &str) {
        if !self.counts.contains_key(numbers) {
            self.counts.insert(numbers.into(), 0);
        }
        if let Some(count) = self.counts.get_mut(numbers) {
            self.large += usize::from(*count == ENOUGH);
            *count += 1;
        }
    }

    fn leave(&mut self, numbers: &str) {
        let Some(count) = self.counts.get_mut(numbers) else { return };
        *count -= 1;
        self.large -= usize::from(*count == ENOUGH);
        if *count == 0 {
            self.counts.remove(numbers);
        }
    }
}
