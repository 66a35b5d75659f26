//! Which of a group's facts a question looks at, told from days and records alone.

use super::super::checkpoint::Checkpoint;
use super::super::dated;
use super::{Columns, cell, little_endian};
use crate::bits::{Bits, Sparse};

/// Days that are looked at together.
const LANES: usize = 16;

impl<'a> Columns<'a> {
    /// The last checkpoint whose day is not behind this one, counted since 1970; an error where it cannot be read.
    pub fn checkpoint(&self, day: i64) -> Result<Option<Checkpoint<'a>>, ()> {
        let until = self.form.stored(day);
        until.map_or(Ok(None), |until| Checkpoint::last(self.checkpoints, self.form.day_width, until))
    }

    /// Whether the record of one of the facts is in a set.
    pub fn has_any(&self, records: &Sparse) -> bool {
        let has = |seq: u64| records.has(self.form.first.wrapping_add(seq));
        !records.is_empty()
            && match self.form.seq_width {
                1 => self.seqs.iter().any(|seq| has((*seq).into())),
                2 => self.seqs.as_chunks::<2>().0.iter().any(|seq| has(little_endian(seq))),
                3 => self.seqs.as_chunks::<3>().0.iter().any(|seq| has(little_endian(seq))),
                width => self.seqs.chunks_exact(width).any(|seq| has(little_endian(seq))),
            }
    }

    /// Chooses of the first facts those that are not dated with a later day than this, counted since 1970, and of which
    /// the record is not in a set; those that are dated up to a checkpoint only where that keeps them. Nothing where it
    /// cannot be read.
    pub fn choose(
        &self,
        (count, day): (usize, i64),
        checkpoint: Option<&Checkpoint<'_>>,
        without: &Bits,
        into: &mut Vec<u32>,
    ) -> Option<()> {
        into.clear();
        match (self.form.stored(day), checkpoint.map_or(0, |checkpoint| checkpoint.day + 1)) {
            (Some(until), from) if from <= until => self.find(count, (from, until), into),
            (Some(_), _) => {}
            // Which day stands for one that is not plain does not tell whether it lies before all of them.
            (None, _) => {
                let vague = (0..).zip(&self.dated[..count]).filter(|(_, dated)| !dated::is_plain(**dated));
                into.extend(vague.map(|(index, _)| index));
            }
        }
        self.leave_out(without, into);
        if let Some(checkpoint) = checkpoint {
            let middle = into.len();
            checkpoint.kept(count, into)?;
            merge(into, middle);
        }
        Some(())
    }

    /// Appends those of the first facts whose days lie between two, as days are stored.
    fn find(&self, count: usize, (from, until): (u64, u64), into: &mut Vec<u32>) {
        let days = &self.days[..count * self.form.day_width];
        // Days of two bytes are those of a century and a half: in numbers of their own size they are passed over quickest.
        if self.form.day_width == 2
            && let Ok(from) = u16::try_from(from)
        {
            let length = u16::try_from(until).unwrap_or(u16::MAX) - from;
            let is_between = |day: &[u8; 2]| u16::from_le_bytes(*day).wrapping_sub(from) <= length;
            find(days.as_chunks().0, is_between, into);
        } else {
            let is_between = |day: &[u8]| little_endian(day).wrapping_sub(from) <= until - from;
            let found = (0..).zip(days.chunks_exact(self.form.day_width)).filter(|(_, day)| is_between(day));
            into.extend(found.map(|(index, _)| index));
        }
    }

    /// Keeps of what was chosen that of which the record is not in a set.
    fn leave_out(&self, without: &Bits, chosen: &mut Vec<u32>) {
        if without.is_empty() {
            return;
        }
        let counts = |seq: u64| !without.has(self.form.first.wrapping_add(seq));
        match self.form.seq_width {
            1 => keep(chosen, |index| counts(number::<1>(self.seqs, index))),
            2 => keep(chosen, |index| counts(number::<2>(self.seqs, index))),
            3 => keep(chosen, |index| counts(number::<3>(self.seqs, index))),
            width => keep(chosen, |index| counts(little_endian(cell(self.seqs, width, index)))),
        }
    }
}

/// Appends the places of the cells that are sought. Where few are, many are passed over at once.
#[inline]
fn find<const WIDTH: usize>(
    cells: &[[u8; WIDTH]],
    is_sought: impl Fn(&[u8; WIDTH]) -> bool,
    into: &mut Vec<u32>,
) {
    let (chunks, rest) = cells.as_chunks::<LANES>();
    for (start, chunk) in (0..).step_by(LANES).zip(chunks) {
        let lanes = chunk.iter().enumerate();
        let mut found = lanes.fold(0_u32, |found, (lane, cell)| found | u32::from(is_sought(cell)) << lane);
        while found != 0 {
            into.push(start + found.trailing_zeros());
            found &= found - 1;
        }
    }
    let sought = (0..).zip(cells).skip(cells.len() - rest.len()).filter(|(_, cell)| is_sought(cell));
    into.extend(sought.map(|(index, _)| index));
}

/// Keeps some of what was chosen, without a branch: what is chosen is hard to foretell.
#[inline]
fn keep(chosen: &mut Vec<u32>, is_kept: impl Fn(usize) -> bool) {
    let mut kept = 0;
    for at in 0..chosen.len() {
        let index = chosen[at];
        chosen[kept] = index;
        kept += usize::from(is_kept(index as usize));
    }
    chosen.truncate(kept);
}

/// A number of a column.
#[inline]
fn number<const WIDTH: usize>(column: &[u8], index: usize) -> u64 {
    little_endian(&column.as_chunks::<WIDTH>().0[index])
}

/// Merges what comes before a place, in order, with what comes after it.
fn merge(numbers: &mut Vec<u32>, middle: usize) {
    let (end, mut before) = (numbers.len(), middle);
    numbers.extend_from_within(middle..);
    let mut after = numbers.len();
    for at in (0..end).rev() {
        if after == end {
            break;
        }
        let is_before = before > 0 && numbers[before - 1] > numbers[after - 1];
        let from = if is_before { &mut before } else { &mut after };
        *from -= 1;
        numbers[at] = numbers[*from];
    }
    numbers.truncate(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_merged_is_in_order() {
        for (before, after) in
            [(&[1, 4, 9][..], &[0, 2, 3, 10][..]), (&[], &[5, 6]), (&[7], &[]), (&[1, 2], &[3])]
        {
            let mut numbers = [before, after].concat();
            let mut expected = numbers.clone();
            expected.sort_unstable();
            merge(&mut numbers, before.len());
            assert_eq!(numbers, expected);
        }
    }

    #[test]
    fn cells_are_found_wherever_they_stand() {
        let cells: Vec<[u8; 1]> = (0..40).map(|number| [number]).collect();
        for sought in 0..40 {
            let mut found = Vec::new();
            find(&cells, |[number]| *number == sought || *number == 39, &mut found);
            assert_eq!(found, if sought == 39 { vec![39] } else { vec![sought.into(), 39] });
        }
    }
}
