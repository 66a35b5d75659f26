//! What the log holds behind the last run, kept in memory until it is enough for a run.

use std::collections::{BTreeMap, HashMap};

use annals_model::Seq;

use super::entry::Superseded;
use super::ids::Id;
use super::rows::{Row, Rows};

/// What the log holds behind the last run.
#[derive(Debug, Default)]
pub struct Recent {
    /// The last record that was read.
    pub(super) end: Seq,
    pub(super) claims: BTreeMap<Vec<u8>, Rows>,
    /// The ids of its records, in order.
    pub(super) ids: Vec<(Seq, Id)>,
    pub(super) superseded: Replaced,
    /// Its records that are redactions, or were redacted, in order.
    pub(super) redactions: Vec<Seq>,
}

/// By the record that no longer counts, the one that took its place.
#[derive(Debug, Default)]
pub struct Replaced {
    by: HashMap<Seq, Seq>,
    /// A bit for each of these records, which others share: for most rows that are asked about it is not set, and needs
    /// no look into the map.
    marks: Vec<u64>,
}

/// Words of marks; a power of two.
const MARKS: u16 = 256;

impl Recent {
    /// Whether a row that counts at K by what the runs know does so by what came later, too.
    pub fn counts(&self, row: &Row, known_at: Seq) -> bool {
        self.superseded.by(row.seq).is_none_or(|by| known_at < by)
    }
}

impl Replaced {
    /// Takes in that one record took the place of another.
    pub fn learn(&mut self, Superseded { previous, by }: Superseded) {
        self.marks.resize(usize::from(MARKS), 0);
        self.marks[word(previous)] |= 1 << (previous % 64);
        self.by.insert(Seq(previous), Seq(by));
    }

    /// The record that took the place of another, if one did.
    pub fn by(&self, seq: Seq) -> Option<Seq> {
        let marks = self.marks.get(word(seq.0)).unwrap_or(&0);
        if marks >> (seq.0 % 64) & 1 == 0 { None } else { self.by.get(&seq).copied() }
    }

    /// All that took the place of others.
    pub fn all(&self) -> impl Iterator<Item = Superseded> {
        self.by.iter().map(|(previous, by)| Superseded { previous: previous.0, by: by.0 })
    }
}

fn word(seq: u64) -> usize {
    usize::try_from(seq / 64 % u64::from(MARKS)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_took_the_place_of_others_is_found_and_nothing_else() {
        let mut replaced = Replaced::default();
        assert_eq!(replaced.by(Seq(7)), None);
        let previous = [0, 7, 8, 64 * u64::from(MARKS) + 9, 1 << 40];
        for previous in previous {
            replaced.learn(Superseded { previous, by: previous + 5 });
        }
        for seq in (0..200).chain([64 * u64::from(MARKS) + 7, 64 * u64::from(MARKS) + 9, 1 << 40]) {
            assert_eq!(replaced.by(Seq(seq)), previous.contains(&seq).then_some(Seq(seq + 5)), "{seq}");
        }
        assert_eq!(replaced.all().count(), previous.len());
    }
}
