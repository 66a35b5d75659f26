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
    /// The bounds of each row: rows are large, and most that are looked at do not matter.
    leaves: Vec<Bounds>,
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
        rows.keep_what_is_read();
        let together = |nodes: &[Bounds]| nodes.iter().copied().reduce(Bounds::and);
        let leaves: Vec<Bounds> = rows.all.iter().map(Bounds::of).collect();
        let mut levels = Vec::new();
        let mut below: Vec<Bounds> = leaves.chunks(FAN).filter_map(together).collect();
        while below.len() > 1 {
            let above = below.chunks(FAN).filter_map(together).collect();
            levels.push(std::mem::replace(&mut below, above));
        }
        levels.push(below);
        Self { rows, leaves, levels }
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
    /// Gives how many rows and nodes were looked at.
    pub fn pick<'a>(
        &'a self,
        question: &Question,
        known_at: Seq,
        picked: &mut Picked<'a, '_>,
        counts: impl Fn(&Row) -> bool,
    ) -> usize {
        let mut looked_at = 0;
        let as_of = question.as_of.until();
        // The nodes that are still to be visited, the next one last.
        let mut open: Vec<(usize, usize)> = vec![(self.levels.len(), 0)];
        while let Some((level, index)) = open.pop() {
            if level == 0 {
                let range = index * FAN..self.leaves.len().min(index * FAN + FAN);
                for (leaf, row) in self.leaves[range.clone()].iter().zip(&self.rows.all[range]) {
                    looked_at += 1;
                    if leaf.admit(as_of, known_at, picked.floor()) && counts(row) {
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
                looked_at += 1;
                if nodes[node].admit(as_of, known_at, picked.floor()) {
                    open.push((level - 1, node));
                }
            }
        }
        looked_at
    }
}

#[cfg(test)]
mod tests {
    use annals_model::reduce::Sketch;
    use annals_model::{
        AsOf, Certainty, Change, Date, Effect, EventId, Filter, KnownAt, Scalar, TimelineName, When,
    };

    use super::*;
    use crate::codec::v1;
    use crate::index::fact::{Dates, Fact, Origin};
    use crate::index::ids::Id;

    const COUNT: u64 = 20_000;

    fn date(number: u64) -> Date {
        let (year, month, day) = (1900 + number / 336 % 120, 1 + number / 28 % 12, 1 + number % 28);
        Date::parse(&format!("{year}-{month:02}-{day:02}")).unwrap()
    }

    /// An attribute that is set by each of some records, of which each counts until another.
    fn sheet(versions: impl Iterator<Item = (u64, u64, Date)>) -> Sheet {
        let (mut rows, mut dates) = (Rows::default(), Dates::default());
        for (seq, until, date) in versions {
            let id = EventId::new(format!("e{seq}")).unwrap();
            let origin = Origin { seq: Seq(seq), place: Seq(seq), date: Some(&date) };
            let change = Change::Set(Scalar::Text(format!("value {seq}").into()).into());
            let effect =
                Effect { entity: "a".to_owned(), attribute: "b".to_owned(), change, when: When::Start };
            let change = v1::encode_change(&effect.change).unwrap();
            let fact = Fact::of(origin, &effect, 0, true, &change);
            rows.take(&fact, Seq(until), &mut dates, |_: &Sketch| true).unwrap();
            rows.ids.push((Seq(seq), Id::of(&id)));
        }
        Sheet::new(rows)
    }

    /// What stands, and how many rows and nodes were looked at for it.
    fn asked(sheet: &Sheet, as_of: &str, known_at: u64) -> (String, usize) {
        let as_of = AsOf::new(Date::parse(as_of).unwrap()).unwrap();
        let (timeline, known) = (TimelineName::new("main").unwrap(), KnownAt::Position(Seq(known_at)));
        let (certainty, filter, entities) = (Certainty::Surely, Filter::default(), Vec::new());
        let question = Question { timeline, as_of, known_at: known, certainty, filter, entities };
        let mut picked = Picked::new(&question, sheet.rows().uses());
        let looked_at = sheet.pick(&question, Seq(known_at), &mut picked, |_| true);
        let cell = picked.answer("a", "b").unwrap().cell;
        (cell.map_or("nothing".to_owned(), |cell| cell.value.to_string()), looked_at)
    }

    #[test]
    fn what_was_recorded_later_does_not_slow_down_what_was_known_before() {
        let early = (1..=100).map(|seq| (seq, u64::MAX, Date::parse(&format!("{}", 1000 + seq)).unwrap()));
        let late = (101..=100 + COUNT).map(|seq| (seq, u64::MAX, date(seq * 7)));
        let sheet = sheet(early.chain(late));
        for (as_of, known_at, value) in [
            ("2020", 100, "value 100"),
            ("1050", 100, "value 50"),
            ("1099", COUNT, "value 99"),
            ("0999", COUNT, "nothing"),
        ] {
            let (stands, looked_at) = asked(&sheet, as_of, known_at);
            assert_eq!(stands, value, "{as_of} @{known_at}");
            assert!(looked_at < 400, "{as_of} @{known_at}: {looked_at}");
        }
        // Within the back-fill: the latest that was recorded for the year's last day.
        let (stands, looked_at) = asked(&sheet, "1950", 100 + COUNT);
        let last = (101..=100 + COUNT).filter(|seq| date(seq * 7).as_str() <= "1950-12-31");
        let last = last.max_by_key(|seq| (date(seq * 7).as_str().to_owned(), *seq)).unwrap();
        assert_eq!(stands, format!("value {last}"));
        assert!(looked_at < 400, "{looked_at}");
    }

    #[test]
    fn corrections_cost_no_more_than_the_height_of_the_tree() {
        let until = |seq| if seq == COUNT { u64::MAX } else { seq + 1 };
        let sheet = sheet((1..=COUNT).map(|seq| (seq, until(seq), date(seq))));
        for known_at in [1, 2, 4095, 4096, COUNT / 2, COUNT - 1, COUNT] {
            let (stands, looked_at) = asked(&sheet, "2020", known_at);
            assert_eq!(stands, format!("value {known_at}"));
            assert!(looked_at < 1_500, "@{known_at}: {looked_at}");
        }
    }
}
