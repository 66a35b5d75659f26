//! The claims on one attribute in an order in which a question on both clocks finds those that matter.
//!
//! Claims of versions that were superseded lie in *lanes* by the stretch of the log in which they counted: a stretch
//! belongs to the smallest block of 2ⁿ records, aligned to 2ⁿ, that holds it, so that a record lies in one block of
//! each size, and all stretches of a block hold its middle. What still counts has a lane of its own. Within a lane
//! the claims come by the moment at which they take hold, the latest first. Over all of it stands a tree of bounds
//! on both clocks: a question walks from the latest moment back, leaves out every part that did not count at K or
//! cannot hold at D, and all that lies before the last sure replacement that it has seen. So neither the number of
//! corrections nor what was recorded after K costs more than the height of the tree.

use std::cmp::Reverse;

use annals_model::{Moment, Question, Seq};

use super::rows::{OPEN, Picked, Row, Rows};

/// Rows, and nodes, under one node.
const FAN: usize = 16;

/// The claims on one attribute.
#[derive(Clone, Debug)]
pub struct Sheet {
    rows: Rows,
    /// From the nodes over the rows to the root.
    levels: Vec<Vec<Bounds>>,
}

/// What all rows under a node have in common.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    earliest: Moment,
    latest: Moment,
    seq: Seq,
    until: Seq,
}

impl Bounds {
    const fn of(row: &Row) -> Self {
        let (earliest, latest) = row.sketch.bounds();
        Self { earliest, latest, seq: row.seq, until: row.until }
    }

    fn and(self, other: Self) -> Self {
        Self {
            earliest: self.earliest.min(other.earliest),
            latest: self.latest.max(other.latest),
            seq: self.seq.min(other.seq),
            until: self.until.max(other.until),
        }
    }

    /// Whether a row with these bounds may matter.
    fn admit(&self, as_of: Moment, known_at: Seq, floor: Moment) -> bool {
        self.seq <= known_at && known_at < self.until && self.earliest <= as_of && floor <= self.latest
    }
}

/// The block of records in which a claim counted: its size, and its place among those of the size.
const fn lane(row: &Row) -> (u32, u64) {
    if row.until.0 == OPEN.0 {
        return (0, 0);
    }
    let size = u64::BITS - (row.seq.0 ^ row.until.0.saturating_sub(1)).leading_zeros();
    (1 + size, row.seq.0.unbounded_shr(size))
}

impl Sheet {
    /// Puts claims in order.
    pub fn new(mut rows: Rows) -> Self {
        rows.all.sort_by_cached_key(|row| (lane(row), Reverse(row.sketch.bounds().1)));
        let together = |nodes: &[Bounds]| nodes.iter().copied().reduce(Bounds::and);
        let leaves: Vec<Bounds> = rows.all.iter().map(Bounds::of).collect();
        let mut levels = Vec::new();
        let mut below: Vec<Bounds> = leaves.chunks(FAN).filter_map(together).collect();
        while below.len() > 1 {
            let above = below.chunks(FAN).filter_map(together).collect();
            levels.push(std::mem::replace(&mut below, above));
        }
        levels.push(below);
        Self { rows, levels }
    }

    /// The claims.
    pub const fn rows(&self) -> &Rows {
        &self.rows
    }

    /// How many claims there are.
    pub const fn len(&self) -> usize {
        self.rows.all.len()
    }

    /// Picks what matters to a question. `counts` says of a row that counts by what the sheet knows whether it does.
    pub fn pick<'a>(
        &'a self,
        question: &Question,
        known_at: Seq,
        picked: &mut Picked<'a, '_>,
        counts: impl Fn(&Row) -> bool,
    ) {
        let as_of = question.as_of.until();
        // The nodes that are still to be visited, the next one last.
        let mut open: Vec<(usize, usize)> = vec![(self.levels.len(), 0)];
        while let Some((level, index)) = open.pop() {
            if level == 0 {
                let rows = &self.rows.all;
                for row in &rows[index * FAN..rows.len().min(index * FAN + FAN)] {
                    if Bounds::of(row).admit(as_of, known_at, picked.floor()) && counts(row) {
                        picked.take(&self.rows, row);
                    }
                }
                continue;
            }
            let nodes = &self.levels[level - 1];
            let range = if level == self.levels.len() {
                0..nodes.len()
            } else {
                index * FAN..nodes.len().min(index * FAN + FAN)
            };
            for node in range.rev() {
                if nodes[node].admit(as_of, known_at, picked.floor()) {
                    open.push((level - 1, node));
                }
            }
        }
    }
}
