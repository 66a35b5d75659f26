//! Dates that are wider than 31 days or are not one happening: events with the same happenings are compared.
//!
//! In the order of lists, dates with the same whole extent come together.

use std::collections::BTreeMap;

use super::MOST_COMPARED;
use super::candidate::Candidate;
use super::groups::Groups;
use crate::date::Span;

/// The events of the last extent.
#[derive(Debug, Default)]
pub struct Wide {
    extent: Option<Span>,
    /// By their happenings.
    waiting: BTreeMap<Box<[Span]>, Vec<Candidate>>,
    crowded: u64,
}

impl Wide {
    /// Sees the next event with its date's whole extent and its happenings; equal extents come together.
    pub fn see(&mut self, (extent, happenings): (Span, &[Span]), candidate: Candidate, groups: &mut Groups) {
        if self.extent != Some(extent) {
            self.close(groups);
            self.extent = Some(extent);
        }
        match self.waiting.get_mut(happenings) {
            Some(waiting) => waiting.push(candidate),
            None => drop(self.waiting.insert(happenings.into(), vec![candidate])),
        }
    }

    /// Of how many dates there were more events than were compared with each.
    pub fn finish(&mut self, groups: &mut Groups) -> u64 {
        self.close(groups);
        self.crowded
    }

    fn close(&mut self, groups: &mut Groups) {
        for mut waiting in std::mem::take(&mut self.waiting).into_values() {
            waiting.sort_unstable();
            let mut is_crowded = false;
            for alike in waiting.chunk_by(|a, b| a.title.numbers == b.title.numbers) {
                is_crowded |= alike.len() > MOST_COMPARED + 1;
                compare(alike, groups);
            }
            self.crowded += u64::from(is_crowded);
        }
    }
}

/// Compares each with those that follow it.
fn compare(sorted: &[Candidate], groups: &mut Groups) {
    for (at, candidate) in sorted.iter().enumerate() {
        let later = sorted.iter().skip(at + 1).take(MOST_COMPARED);
        for other in later.filter(|other| candidate.is_probably(other)) {
            groups.join(candidate.named(), other.named());
        }
    }
}
