//! What a comparison of two points asks of the index: the claims on attributes on both sides, and which records of an
//! event counted there.
//!
//! The runs are read side by side, as for a whole state, but for the attributes alone that are asked about. Of their
//! claims those are read whole that what stands on either side may be made of.

use std::cell::Cell;

use annals_model::diff::{Difference, mattering};
use annals_model::fold::Said;
use annals_model::{Certainty, Change, EventId, Moment, Seq, TimelineName};

use super::fact::Dates;
use super::open::Open;
use super::rows::{OPEN, Row, Rows};
use super::run::{Cursor, Run, Unusable, broken};
use super::{ClaimIndex, Counting, dated, entry, unreadable};
use crate::Result;
use crate::bits::{Bits, Sparse};
use crate::log::Log;
use crate::threads;

/// A point on both axes: the last second that counts, and the records that do.
pub(crate) type Point<'a> = (Moment, Counting<'a>);

/// An entity and one of its attributes.
pub type Name = (String, String);

impl ClaimIndex {
    /// The names of all attributes of an entity, in order.
    pub fn names<L: Log + ?Sized>(
        &self,
        log: &L,
        timeline: &TimelineName,
        entity: &str,
    ) -> Result<Vec<Name>> {
        let key = entry::key(timeline, entity, None);
        let open = self.open(log, |open| open.keep(&key, false, self.sizes.kept))?;
        let known = open.as_ref().into_iter().flat_map(|open| open.sheets(&key, false));
        let names = known.map(|known| entry::names(known.key).ok_or_else(unreadable));
        names
            .map(|names| names.map(|(entity, attribute)| (entity.to_owned(), attribute.to_owned())))
            .collect()
    }

    /// Which values of attributes differ between two points, and why. The names come in order.
    pub(crate) fn differences<L: Log + ?Sized>(
        &self,
        log: &L,
        (timeline, names): (&TimelineName, &[Name]),
        points: [Point<'_>; 2],
        certainty: Certainty,
    ) -> Result<Vec<Difference>> {
        let found = Cell::default();
        let nobody = EventId::new("-").map_err(|_| unreadable())?;
        let open = self.open(log, |open| {
            let between = Between::new(open, timeline, points, certainty, &nobody);
            found.set(threads::map_chunks(names, |names| between.differences(names))?);
            Ok(())
        })?;
        drop(open);
        Ok(found.into_inner())
    }

    /// Of some events, told by their first records, the last one that was there at each of two records, if one was.
    pub fn last_records<L: Log + ?Sized>(
        &self,
        log: &L,
        places: &[Seq],
        known_at: [Seq; 2],
    ) -> Result<Vec<[Option<Seq>; 2]>> {
        let guard = self.open(log, |_| Ok(()))?;
        let open = guard.as_ref().ok_or_else(unreadable)?;
        let last = |place: Seq, known_at: Seq| {
            let mut last = Some(place).filter(|place| *place <= known_at)?;
            while let Some(by) = open.replaced_by(last).filter(|by| *by <= known_at && *by > last) {
                last = by;
            }
            Some(last)
        };
        Ok(places.iter().map(|place| known_at.map(|known_at| last(*place, known_at))).collect())
    }
}

impl Open {
    /// The record that took the place of another, if one did.
    fn replaced_by(&self, seq: Seq) -> Option<Seq> {
        let first = self.runs.partition_point(|run| run.last < seq);
        let in_runs = |run: &Run| run.superseded(seq);
        self.runs[first..].iter().find_map(in_runs).or_else(|| self.recent.superseded.by(seq))
    }

    /// The records up to the last one that counts which do not: something has superseded them, or they are not admitted.
    pub(super) fn left_out(&self, Counting { known_at, admitted }: Counting<'_>) -> Bits {
        let mut left_out = Bits::default();
        let all = self.runs.iter().flat_map(Run::all_superseded).copied().chain(self.recent.superseded.all());
        all.filter(|entry| entry.by <= known_at.0).for_each(|entry| left_out.set(entry.previous));
        if let Some(admitted) = admitted {
            left_out.set_all_but(admitted, known_at.0);
        }
        left_out
    }

    /// The records that count at K, and not at the end of the run that holds them, or the other way round: of their facts no
    /// checkpoint tells.
    pub(super) fn changed(&self, known_at: Seq) -> Sparse {
        let mut changed = Sparse::default();
        for run in &self.runs {
            let (is_later, is_here) = (run.last > known_at, |seq: u64| seq >= run.first.0);
            let own = run.all_superseded().iter().filter(|entry| is_later || !is_here(entry.previous));
            let differ = own.filter(|entry| (entry.by <= known_at.0) != is_here(entry.previous));
            differ.for_each(|entry| changed.set(entry.previous));
        }
        let recent = self.recent.superseded.all().filter(|entry| entry.by <= known_at.0);
        recent.for_each(|entry| changed.set(entry.previous));
        changed
    }
}

/// A comparison of two points.
struct Between<'a> {
    open: &'a Open,
    timeline: &'a TimelineName,
    points: [(Moment, Seq); 2],
    certainty: Certainty,
    /// The records that do not count, of each side.
    left_out: [Bits; 2],
    /// The side that knows less.
    earlier: usize,
    /// The last record and the last day, since 1970, of both sides.
    last: (Seq, i64),
    /// A comparison of values names no event.
    nobody: &'a EventId,
}

impl<'a> Between<'a> {
    fn new(
        open: &'a Open,
        timeline: &'a TimelineName,
        points: [Point<'_>; 2],
        certainty: Certainty,
        nobody: &'a EventId,
    ) -> Self {
        let left_out = points.map(|(_, counting)| open.left_out(counting));
        let points = points.map(|(until, counting)| (until, counting.known_at));
        let [(from, from_known), (to, to_known)] = points;
        let earlier = usize::from(to_known < from_known);
        let last = (from_known.max(to_known), dated::day_of(from.max(to)));
        Self { open, timeline, points, certainty, left_out, earlier, last, nobody }
    }

    /// Whether a row counts on a side.
    fn counts(&self, side: usize, row: &Row) -> bool {
        row.seq <= self.points[side].1 && !self.left_out[side].has(row.seq.0)
    }

    /// The attributes whose values differ, of some that come in the order of their names.
    fn differences(&self, names: &[Name]) -> Result<Vec<Difference>, Unusable> {
        let runs = self.open.runs.iter().filter(|run| run.first <= self.last.0);
        let mut runs: Vec<Cursor<'_>> = runs.map(|run| Cursor::at(run, &[])).collect::<Result<_, _>>()?;
        let (mut rows, mut dates, mut chosen) = (Rows::default(), Dates::default(), Vec::new());
        let mut differences = Vec::new();
        for (entity, attribute) in names {
            let key = entry::key(self.timeline, entity, Some(attribute));
            rows.clear();
            for run in &mut runs {
                run.reach(&key)?;
                while run.key() == Some(&key) {
                    self.take(run, &mut rows, (&mut dates, &mut chosen))?;
                    run.advance()?;
                }
            }
            let newer = self.open.recent.claims.get(&key);
            let all = [Some(&rows), newer].into_iter().flatten();
            let all = all.flat_map(|rows| rows.all.iter().map(move |row| (rows, row))).collect();
            differences.extend(self.difference((entity, attribute), all)?);
        }
        Ok(differences)
    }

    /// Takes the facts of a group that count on either side and may hold there.
    fn take(
        &self,
        run: &Cursor<'_>,
        rows: &mut Rows,
        (dates, chosen): (&mut Dates, &mut Vec<u32>),
    ) -> Result<(), Unusable> {
        let columns = run.facts()?;
        // What was there on the side that knows less and does not count does not on the other either.
        columns
            .choose((columns.up_to(self.last.0), self.last.1), None, &self.left_out[self.earlier], chosen)
            .ok_or_else(broken)?;
        let mut rests = columns.rests();
        for index in chosen {
            let fact = rests.fact(*index as usize).ok_or_else(broken)?;
            rows.take(&fact, OPEN, dates, |_| true).ok_or_else(broken)?;
        }
        Ok(())
    }

    /// Compares the claims on an attribute.
    fn difference(
        &self,
        names: (&str, &str),
        mut all: Vec<(&Rows, &Row)>,
    ) -> Result<Option<Difference>, Unusable> {
        let as_of = self.points.map(|(until, _)| until);
        let mut places: Vec<Seq> = Vec::new();
        for side in [0, 1] {
            let own = all.iter().filter(|(_, row)| self.counts(side, row)).map(|(_, row)| &row.sketch);
            places.extend(mattering(own, as_of[side], self.certainty));
        }
        places.sort_unstable();
        places.dedup();
        all.retain(|(_, row)| places.binary_search(&row.sketch.place).is_ok());
        all.sort_by_key(|(_, row)| (row.sketch.place, row.seq, row.sketch.position));
        let change = |(rows, row): &(&Rows, &Row)| rows.text(row).change(row.sketch.deed, None);
        let changes: Vec<Change> = all.iter().map(change).collect::<Option<_>>().ok_or_else(broken)?;
        let claims = [0, 1].map(|side| {
            let own = all.iter().zip(&changes).filter(|((_, row), _)| self.counts(side, row));
            own.map(|((_, row), change)| row.sketch.said(self.nobody, change)).collect::<Vec<Said<'_>>>()
        });
        Ok(Difference::of(names, &claims, as_of, self.certainty))
    }
}
