//! How many events had happened by a moment, as the log knew them at K, and which of them go on.

use std::collections::BTreeMap;

use annals_model::date::Span;
use annals_model::{Certainty, Moment, Ongoing, Seq, Tally, TimelineName};

use super::count::{Count, Key, Kind, Sums, WHOLE};
use super::file::{Run, Unusable};
use super::item::{ByDate, BySeq, Card, Replaced};
use super::row::Row;
use super::select::Bounds;
use super::{DateIndex, Open, Trouble};
use crate::Result;
use crate::log::Log;

/// What is found of the events around an answer.
#[derive(Debug, Default)]
pub struct Standing {
    /// How many stand where.
    pub tally: Tally,
    /// What goes on, each with its event's place.
    pub ongoing: Vec<(Seq, Ongoing)>,
    /// The records of what may go on too, with the places of their events: who wants to tell has to read them.
    pub unread: Vec<(Seq, Seq)>,
}

impl DateIndex {
    /// How many events of a timeline had happened by a moment, and which go on, as known at a record.
    pub(crate) fn standing<L: Log + ?Sized>(
        &self,
        log: &L,
        timeline: &TimelineName,
        as_of: Moment,
        known_at: Seq,
    ) -> Result<Standing> {
        self.ask(log, |open| {
            let tally = open.tally(timeline.as_str(), as_of, known_at.0)?;
            let mut standing = Standing { tally, ..Standing::default() };
            open.read_gone(known_at.0)?;
            open.ongoing(timeline.as_str(), as_of, known_at.0, &mut standing)?;
            Ok(standing)
        })
    }

    /// The tally alone.
    pub(crate) fn tally<L: Log + ?Sized>(
        &self,
        log: &L,
        timeline: &TimelineName,
        as_of: Moment,
        known_at: Seq,
    ) -> Result<Tally> {
        self.ask(log, |open| open.tally(timeline.as_str(), as_of, known_at.0))
    }

    /// How many events each timeline has, withdrawn or not.
    pub(crate) fn event_counts<L: Log + ?Sized>(&self, log: &L) -> Result<BTreeMap<TimelineName, u64>> {
        self.ask(log, |open| {
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            for run in &open.runs {
                for (number, count) in events_of(run)? {
                    let name = run.timelines.get(number as usize).cloned().unwrap_or_default();
                    *counts.entry(name).or_default() += count.unsigned_abs();
                }
            }
            for row in open.recent.rows.iter().filter(|row| row.place == row.seq) {
                *counts.entry(open.recent.timelines[row.timeline as usize].clone()).or_default() += 1;
            }
            let named = |(name, count)| Ok((TimelineName::new(name).map_err(crate::Error::from)?, count));
            counts.into_iter().map(named).collect()
        })
    }
}

/// The events of a run, by the numbers of their timelines.
fn events_of(run: &Run) -> Result<Vec<(u32, i64)>, Unusable> {
    let (begin, end): (Key, Key) =
        ((WHOLE, Kind::Events, 0, Moment::NEG_INFINITY), (WHOLE, Kind::Events, u32::MAX, Moment::INFINITY));
    let first = run.counts.partition_point(|(first, _)| *first <= begin).saturating_sub(1);
    let mut found = Vec::new();
    for (_, at) in run.counts[first..].iter().take_while(|(first, _)| *first <= end) {
        let counts: Vec<Count> = run.block(*at)?;
        let own = counts.into_iter().filter(|count| begin <= count.key && count.key <= end);
        found.extend(own.map(|count| (count.key.2, count.net)));
    }
    Ok(found)
}

impl Open {
    fn tally(&self, timeline: &str, as_of: Moment, known_at: u64) -> Result<Tally, Trouble> {
        let mut sums = Sums::until(as_of);
        for (run, number) in self.of_timeline(timeline).filter(|(run, _)| run.first.0 <= known_at) {
            if run.last.0 <= known_at {
                sums.add(|kind, at| run.count(WHOLE, kind, number, at))?;
                continue;
            }
            let whole = (WHOLE + 1..).zip(&run.pieces).take_while(|(_, last)| last.0 <= known_at);
            let mut behind = run.first.0 - 1;
            for (scope, last) in whole {
                sums.add(|kind, at| run.count(scope, kind, number, at))?;
                behind = last.0;
            }
            between(run, number, (behind, known_at), &mut sums)?;
        }
        if let Some(number) = self.recent.timeline(timeline) {
            let rows = self.recent.rows.iter().filter(|row| row.seq <= known_at && row.timeline == number);
            rows.for_each(|row| sums.record(row));
            let replaced = self.recent.replaced.iter();
            let own = replaced.filter(|item| item.by <= known_at && item.timeline == number);
            own.for_each(|item| sums.replaced(item));
        }
        let [possibly, surely, all, withdrawn] = sums.told().map(|sum| u64::try_from(sum).unwrap_or(0));
        Ok(Tally {
            applied: surely,
            possible: possibly.saturating_sub(surely),
            later: all.saturating_sub(possibly),
            retracted: withdrawn,
        })
    }

    fn ongoing(
        &self,
        timeline: &str,
        as_of: Moment,
        known_at: u64,
        standing: &mut Standing,
    ) -> Result<(), Trouble> {
        let admit = |row: &Row| goes_on(row.span(), as_of).is_some() && self.counts(row.seq, known_at);
        for mut source in self.sources(timeline, &Bounds::around(as_of), known_at) {
            while source.advance(admit)?.is_some() {
                let Some(ByDate { row, card }) = source.head.take() else { continue };
                let Some(Card { id, date, title }) = card else {
                    standing.unread.push((Seq(row.seq), Seq(row.place)));
                    continue;
                };
                // The bounds of a whole do not tell whether one of several happenings goes on.
                let certainty = match &date {
                    Some(date) => Ongoing::certainty_of(date.happenings(), as_of),
                    None => Ongoing::certainty_of(&[Span::UNDATED], as_of),
                };
                let ongoing = certainty.map(|certainty| Ongoing { id, date, title, certainty });
                standing.ongoing.extend(ongoing.map(|ongoing| (Seq(row.place), ongoing)));
            }
        }
        Ok(())
    }
}

fn goes_on(span: Span, as_of: Moment) -> Option<Certainty> {
    Ongoing::certainty_of(&[span], as_of)
}

/// Counts a timeline's records of a run behind one up to another, one by one.
fn between(run: &Run, timeline: u32, (behind, to): (u64, u64), sums: &mut Sums) -> Result<(), Unusable> {
    let is_within = |seq: u64| behind < seq && seq <= to;
    let blocks = |directory: &[(Seq, u64)]| -> Vec<u64> {
        let first = directory.partition_point(|(first, _)| first.0 <= behind + 1).saturating_sub(1);
        directory[first.min(directory.len())..]
            .iter()
            .take_while(|(first, _)| first.0 <= to)
            .map(|(_, at)| *at)
            .collect()
    };
    for at in blocks(&run.by_seq) {
        let rows: Vec<BySeq> = run.block(at)?;
        let own = rows.iter().map(|row| &row.0).filter(|row| row.timeline == timeline && is_within(row.seq));
        own.for_each(|row| sums.record(row));
    }
    for at in blocks(&run.replaced) {
        let replaced: Vec<Replaced> = run.block(at)?;
        let own = replaced.iter().filter(|item| item.timeline == timeline && is_within(item.by));
        own.for_each(|item| sums.replaced(item));
    }
    Ok(())
}
