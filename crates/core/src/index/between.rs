//! What a comparison of two points asks of the index: the claims on an attribute on both sides, and which records of
//! an event counted there.

use std::cell::Cell;

use annals_model::diff::Difference;
use annals_model::{Certainty, Change, EventId, Moment, Seq, TimelineName};

use super::open::Open;
use super::rows::{Row, Rows};
use super::run::Run;
use super::{ClaimIndex, entry, unreadable};
use crate::Result;
use crate::log::Log;

/// A point on both axes: the last second that counts, and the last record.
pub type Point = (Moment, Seq);

impl ClaimIndex {
    /// Whether the log has redactions. What they erased is not in the index, as known at any moment.
    pub fn has_redactions<L: Log + ?Sized>(&self, log: &L) -> Result<bool> {
        Ok(self.open(log, |_| Ok(()))?.as_ref().is_none_or(|open| open.redactions() > 0))
    }

    /// Whether the value of an attribute differs between two points, and why.
    pub fn difference<L: Log + ?Sized>(
        &self,
        log: &L,
        (timeline, entity, attribute): (&TimelineName, &str, &str),
        points: [Point; 2],
        certainty: Certainty,
    ) -> Result<Option<Difference>> {
        let key = entry::key(timeline, entity, Some(attribute));
        let older = Cell::default();
        let guard = self.open(log, |open| {
            older.set(open.read(&key, true)?);
            Ok(())
        })?;
        let Some(open) = guard.as_ref() else { return Ok(None) };
        let older = older.into_inner();
        let parts = older.values().chain(open.recent.claims.get(&key));
        let mut rows: Vec<(&Rows, &Row)> =
            parts.flat_map(|rows| rows.all.iter().map(move |row| (rows, row))).collect();
        rows.sort_by_key(|(_, row)| (row.sketch.place, row.seq, row.sketch.position));
        let counts = |row: &Row, known_at: Seq| row.counts(known_at) && open.recent.counts(row, known_at);
        rows.retain(|(_, row)| points.iter().any(|(_, known_at)| counts(row, *known_at)));
        let change = |(rows, row): &(&Rows, &Row)| rows.text(row).change(row.sketch.deed, None);
        let changes: Vec<Change> = rows.iter().map(change).collect::<Option<_>>().ok_or_else(unreadable)?;
        // A comparison of values names no event.
        let nobody = EventId::new("-").map_err(|_| unreadable())?;
        let claims = points.map(|(_, known_at)| {
            let all = rows.iter().zip(&changes).filter(|((_, row), _)| counts(row, known_at));
            all.map(|((_, row), change)| row.sketch.said(&nobody, change)).collect::<Vec<_>>()
        });
        Ok(Difference::of((entity, attribute), &claims, points.map(|(until, _)| until), certainty))
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
}
