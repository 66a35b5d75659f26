//! Counts: how many events of a timeline had begun by a moment, as a run adds to it.
//!
//! A record counts its event where it begins, and a record that takes the place of another takes that one's count
//! back where it began before. So the sums of all counts up to D, over all runs, are what the tally says at D, and
//! no sum depends on which event a count came from.

use std::collections::BTreeMap;

use annals_model::Moment;

use super::file::{Directory, Run};
use super::item::{Item, Replaced};
use super::row::{Row, get_moment, put_moment, unzigzag, zigzag};
use crate::index::bytes::{Input, put_number};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Events that count, by when they may have begun.
    Possibly = 0,
    /// Events that count, by when they surely had.
    Surely = 1,
    /// Events that were withdrawn.
    Withdrawn = 2,
    /// Events, whatever became of them.
    Events = 3,
}

/// What of a run is counted: all of it, or one of its pieces, counted from 1.
pub type Scope = u32;

/// The whole run.
pub const WHOLE: Scope = 0;

/// Scope, kind, timeline and moment.
pub type Key = (Scope, Kind, u32, Moment);

/// One count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// What is counted, and when.
    pub key: Key,
    /// What is added there.
    pub net: i64,
    /// All that was added up to there.
    pub sum: i64,
}

/// Counts by timeline, before they are written.
#[derive(Clone, Debug, Default)]
pub struct Counts(pub BTreeMap<(Kind, u32, Moment), i64>);

/// Puts the sums beside counts that come in order, and leaves out those that cancel each other.
#[derive(Debug, Default)]
pub struct Summing {
    of: Option<(Scope, Kind, u32)>,
    sum: i64,
}

impl Kind {
    fn read(number: u64) -> Option<Self> {
        [Self::Possibly, Self::Surely, Self::Withdrawn, Self::Events]
            .get(usize::try_from(number).ok()?)
            .copied()
    }
}

impl Counts {
    /// Counts a record.
    pub fn record(&mut self, row: &Row) {
        let start = row.span().start;
        let began = row.dates.map(|_| (start.earliest, start.latest));
        self.event(row.timeline, began, 1);
        if row.place == row.seq {
            self.add(Kind::Events, row.timeline, Moment::NEG_INFINITY, 1);
        }
    }

    /// Takes back what a record was counted for that no longer counts.
    pub fn replaced(&mut self, replaced: &Replaced) {
        self.event(replaced.timeline, replaced.began, -1);
    }

    fn event(&mut self, timeline: u32, began: Option<(Moment, Moment)>, net: i64) {
        match began {
            Some((earliest, latest)) => {
                self.add(Kind::Possibly, timeline, earliest, net);
                self.add(Kind::Surely, timeline, latest, net);
            }
            None => self.add(Kind::Withdrawn, timeline, Moment::NEG_INFINITY, net),
        }
    }

    fn add(&mut self, kind: Kind, timeline: u32, at: Moment, net: i64) {
        *self.0.entry((kind, timeline, at)).or_default() += net;
    }

    /// Adds others.
    pub fn add_all(&mut self, others: impl IntoIterator<Item = ((Kind, u32, Moment), i64)>) {
        for ((kind, timeline, at), net) in others {
            self.add(kind, timeline, at, net);
        }
    }
}

/// What counts come to up to one moment: records that are looked at for one question are not kept apart.
#[derive(Clone, Copy, Debug)]
pub struct Sums {
    until: Moment,
    possibly: i64,
    surely: i64,
    all: i64,
    withdrawn: i64,
}

impl Sums {
    /// Nothing yet.
    pub const fn until(until: Moment) -> Self {
        Self { until, possibly: 0, surely: 0, all: 0, withdrawn: 0 }
    }

    /// Events that may have begun, that surely had, that count, and that were withdrawn.
    pub const fn told(&self) -> [i64; 4] {
        [self.possibly, self.surely, self.all, self.withdrawn]
    }

    /// Adds what was counted of a kind up to a moment.
    pub fn add<E>(&mut self, count: impl Fn(Kind, Moment) -> Result<i64, E>) -> Result<(), E> {
        self.possibly += count(Kind::Possibly, self.until)?;
        self.surely += count(Kind::Surely, self.until)?;
        self.all += count(Kind::Possibly, Moment::INFINITY)?;
        self.withdrawn += count(Kind::Withdrawn, Moment::INFINITY)?;
        Ok(())
    }

    /// Counts a record.
    pub fn record(&mut self, row: &Row) {
        let start = row.span().start;
        self.event(row.dates.map(|_| (start.earliest, start.latest)), 1);
    }

    /// Takes back what a record was counted for that no longer counts.
    pub fn replaced(&mut self, replaced: &Replaced) {
        self.event(replaced.began, -1);
    }

    fn event(&mut self, began: Option<(Moment, Moment)>, net: i64) {
        let Some((earliest, latest)) = began else {
            self.withdrawn += net;
            return;
        };
        self.all += net;
        self.possibly += if earliest <= self.until { net } else { 0 };
        self.surely += if latest <= self.until { net } else { 0 };
    }
}

impl Summing {
    /// The next count; nothing where it comes to nothing.
    pub fn next(&mut self, key: Key, net: i64) -> Option<Count> {
        let (scope, kind, timeline, _) = key;
        if self.of != Some((scope, kind, timeline)) {
            (self.of, self.sum) = (Some((scope, kind, timeline)), 0);
        }
        self.sum += net;
        (net != 0).then_some(Count { key, net, sum: self.sum })
    }
}

impl Run {
    /// How many a scope of the run adds up to a moment.
    pub fn count(
        &self,
        scope: Scope,
        kind: Kind,
        timeline: u32,
        at: Moment,
    ) -> Result<i64, super::file::Unusable> {
        let key = (scope, kind, timeline, at);
        let behind = self.counts.partition_point(|(first, _)| *first <= key);
        let Some((_, offset)) = behind.checked_sub(1).and_then(|before| self.counts.get(before)) else {
            return Ok(0);
        };
        let counts: Vec<Count> = self.block(*offset)?;
        let before = counts.iter().rfind(|count| count.key <= key);
        let own = before.filter(|count| (count.key.0, count.key.1, count.key.2) == (scope, kind, timeline));
        Ok(own.map_or(0, |count| count.sum))
    }
}

impl Item for Count {
    type Label = Key;
    const FULL: usize = 2048;

    fn put(items: &[Self], into: &mut Vec<u8>) {
        put_number(into, items.len() as u64);
        put_number(into, zigzag(items[0].sum - items[0].net));
        let mut of = None;
        let mut before = 0;
        for Self { key: (scope, kind, timeline, at), .. } in items {
            // Most stand behind another of their kind.
            let is_other = of != Some((*scope, *kind, *timeline));
            into.push(u8::from(is_other));
            if is_other {
                put_number(into, u64::from(*scope));
                put_number(into, *kind as u64);
                put_number(into, u64::from(*timeline));
                (of, before) = (Some((*scope, *kind, *timeline)), 0);
            }
            put_moment(into, before, *at);
            before = if at.is_finite() { at.seconds() } else { before };
        }
        for item in items {
            put_number(into, zigzag(item.net));
        }
    }

    fn get(input: &mut Input<'_>) -> Option<Vec<Self>> {
        let count = input.number()?;
        let first = unzigzag(input.number()?);
        let mut items: Vec<Self> = Vec::new();
        let mut of = None;
        let mut before = 0;
        for _ in 0..count {
            let (is_other, rest) = input.0.split_first()?;
            input.0 = rest;
            if *is_other == 1 {
                let scope = u32::try_from(input.number()?).ok()?;
                let kind = Kind::read(input.number()?)?;
                (of, before) = (Some((scope, kind, u32::try_from(input.number()?).ok()?)), 0);
            }
            let (scope, kind, timeline) = of?;
            let at = get_moment(input, before)?;
            before = if at.is_finite() { at.seconds() } else { before };
            items.push(Self { key: (scope, kind, timeline, at), net: 0, sum: 0 });
        }
        let mut summing = Summing::default();
        for (index, item) in items.iter_mut().enumerate() {
            let (scope, kind, timeline, _) = item.key;
            item.net = unzigzag(input.number()?);
            if index == 0 {
                summing = Summing { of: Some((scope, kind, timeline)), sum: first };
            }
            *item = summing.next(item.key, item.net)?;
        }
        Some(items)
    }

    fn put_label(items: &[Self], into: &mut Vec<u8>) {
        let (scope, kind, timeline, at) = items[0].key;
        put_number(into, u64::from(scope));
        put_number(into, kind as u64);
        put_number(into, u64::from(timeline));
        put_moment(into, 0, at);
    }

    fn get_label(input: &mut Input<'_>) -> Option<Key> {
        let scope = u32::try_from(input.number()?).ok()?;
        let kind = Kind::read(input.number()?)?;
        Some((scope, kind, u32::try_from(input.number()?).ok()?, get_moment(input, 0)?))
    }

    fn directory(run: &Run) -> &Directory<Key> {
        &run.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_with_their_sums() {
        let mut summing = Summing::default();
        let mut counts = Vec::new();
        for (scope, kind, timeline, at, net) in [
            (0, Kind::Possibly, 0, i64::MIN, 3),
            (0, Kind::Possibly, 0, 86_400, 0),
            (0, Kind::Possibly, 0, 86_401, -1),
            (0, Kind::Possibly, 2, 5, 7),
            (0, Kind::Surely, 0, 5, 9),
            (2, Kind::Surely, 0, i64::MAX, -9),
        ] {
            counts.extend(summing.next((scope, kind, timeline, Moment::from_seconds(at)), net));
        }
        assert_eq!(counts.iter().map(|count| count.sum).collect::<Vec<_>>(), [3, 2, 7, 9, -9]);
        for from in 0..counts.len() {
            let mut written = Vec::new();
            Count::put(&counts[from..], &mut written);
            assert_eq!(Count::get(&mut Input(&written)).as_deref(), Some(&counts[from..]));
        }
    }
}
