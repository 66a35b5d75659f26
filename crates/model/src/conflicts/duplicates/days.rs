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
    waiting: BTreeMap<Rc<Candidate>, u64>,
    /// By the last day that they wait for.
    leaving: BTreeMap<i64, Vec<Rc<Candidate>>>,
    /// Those that begin on the day.
    begun: Vec<Rc<Candidate>>,
    day: i64,
    crowd: Crowd,
    crowded: u64,
}

impl Narrow {
    /// Sees the next event, in the order of their first days.
    pub fn see(&mut self, candidate: Candidate, groups: &mut Groups) {
        let (first, last) = candidate.days();
        if first != self.day {
            self.close(first, groups);
        }
        let candidate = Rc::new(candidate);
        self.crowd.enter(&candidate.title.numbers);
        self.leaving.entry(last).or_default().push(Rc::clone(&candidate));
        self.begun.push(Rc::clone(&candidate));
        self.waiting.insert(Rc::clone(&candidate), candidate.bits());
    }

    /// Of how many days there were more events than were compared with each.
    pub fn finish(&mut self, groups: &mut Groups) -> u64 {
        self.close(i64::MAX, groups);
        self.crowded
    }

    /// Compares those that began on the day, and lets go of all whose last day lies before the next one.
    fn close(&mut self, next: i64, groups: &mut Groups) {
        for candidate in std::mem::take(&mut self.begun) {
            self.compare(&candidate, groups);
        }
        while !self.waiting.is_empty() && self.day < next {
            self.crowded += u64::from(self.crowd.is_crowded());
            for candidate in self.leaving.remove(&self.day).unwrap_or_default() {
                self.crowd.leave(&candidate.title.numbers);
                self.waiting.remove(&candidate);
            }
            self.day += 1;
        }
        self.day = next;
    }

    /// Compares an event that begins on the day with the nearest ones on either side.
    fn compare(&self, candidate: &Rc<Candidate>, groups: &mut Groups) {
        let own = candidate.bits();
        let is_near = |(other, bits): &(&Rc<Candidate>, &u64)| {
            may_share_entities(own, **bits) && candidate.is_probably(other)
        };
        let later = self.waiting.range::<Rc<Candidate>, _>((Bound::Excluded(candidate), Bound::Unbounded));
        for (other, _) in later.take(MOST_COMPARED).filter(is_near) {
            groups.join(candidate.named(), other.named());
        }
        let earlier = self.waiting.range::<Rc<Candidate>, _>(..candidate).rev();
        // Those that begin on this day, too, look this way themselves.
        let is_older = |(other, _): &(&Rc<Candidate>, &u64)| other.days().0 != self.day;
        for (other, _) in earlier.take(MOST_COMPARED).filter(is_near).filter(is_older) {
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
