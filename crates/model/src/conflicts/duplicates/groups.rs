//! Which events belong together: a forest in which each points to one before it (union-find).

use std::collections::{BTreeMap, HashMap};

use super::Named;
use crate::Seq;

/// The events that belong to some other one; of all others nothing is known here.
#[derive(Debug, Default)]
pub struct Groups {
    /// The one before each, by their places in the log.
    before: HashMap<Seq, Seq>,
    records: HashMap<Seq, Seq>,
}

impl Groups {
    /// Says that two events belong together.
    pub fn join(&mut self, one: Named, other: Named) {
        self.records.extend([one, other]);
        let (one, other) = (self.first(one.0), self.first(other.0));
        self.before.insert(one.max(other), one.min(other));
    }

    fn first(&mut self, mut place: Seq) -> Seq {
        loop {
            let before = self.before.get(&place).copied().unwrap_or(place);
            if before == place {
                return place;
            }
            let earlier = self.before.get(&before).copied().unwrap_or(before);
            self.before.insert(place, earlier);
            place = earlier;
        }
    }

    /// The groups by the records of their events, all in the order of the log.
    pub fn finish(mut self) -> Vec<Vec<Seq>> {
        let mut records: Vec<Named> = std::mem::take(&mut self.records).into_iter().collect();
        records.sort_unstable();
        let mut groups: BTreeMap<Seq, Vec<Seq>> = BTreeMap::new();
        for (place, seq) in records {
            groups.entry(self.first(place)).or_default().push(seq);
        }
        groups.into_values().collect()
    }
}
