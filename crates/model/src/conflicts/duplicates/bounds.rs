//! Dates that are wider than 31 days or are not one happening: events with the same happenings are compared.
//!
//! They come date by date, and in the order in which they are compared, each with those that follow it. So it is enough to
//! hold the last ones.

use std::collections::VecDeque;

use super::MOST_COMPARED;
use super::candidate::Candidate;
use super::groups::Groups;
use crate::date::Span;

/// The last events of a date.
#[derive(Debug, Default)]
pub struct Wide {
    happenings: Vec<Span>,
    last: VecDeque<Candidate>,
    /// How many had the same numbers in their titles as the last one.
    alike: usize,
    is_crowded: bool,
    crowded: u64,
}

impl Wide {
    /// Compares the next event with those before it; equal happenings come together, and of these equal numbers.
    pub fn compare(&mut self, happenings: &[Span], candidate: Candidate, groups: &mut Groups) {
        if self.happenings != happenings {
            self.close();
            self.happenings = happenings.to_vec();
        }
        if self.last.back().is_some_and(|last| last.title.numbers != candidate.title.numbers) {
            self.last.clear();
            self.alike = 0;
        }
        for other in self.last.iter().filter(|other| candidate.is_probably(other)) {
            groups.join(candidate.named(), other.named());
        }
        self.alike += 1;
        self.is_crowded |= self.alike > MOST_COMPARED + 1;
        if self.last.len() == MOST_COMPARED {
            self.last.pop_front();
        }
        self.last.push_back(candidate);
    }

    /// Of how many dates there were more events than were compared with each.
    pub fn finish(&mut self) -> u64 {
        self.close();
        self.crowded
    }

    fn close(&mut self) {
        self.crowded += u64::from(self.is_crowded);
        (self.alike, self.is_crowded) = (0, false);
        self.last.clear();
    }
}
