//! Which records a filter admits, of however many events, and what stands beside an answer about them.
//!
//! Rows tell it of most events: kinds, actors, places and tags stand in the index as a filter compares them, and so do
//! the bounds of a date. Who asks has to look at the others: where the filter looks for what the index does not have, where
//! a date stands for several happenings, and where an event may go on of which the index has no title.

use annals_model::{Filter, Ongoing, Reached, Seq, Tally};

use super::item::{ByDate, Card};
use super::row::Row;
use super::select::{Bounds, Hit, Wanted};
use super::{DateIndex, Open, Trouble};
use crate::Result;
use crate::bits::Bits;
use crate::log::Log;

/// What a filter admits of many events.
#[derive(Debug, Default)]
pub struct OfMany {
    /// The records of the versions that count.
    pub records: Bits,
    /// How many of their events stand where.
    pub tally: Tally,
    /// What of them goes on, each with its event's place.
    pub ongoing: Vec<(Seq, Ongoing)>,
    /// Those that have to be looked at, and are in none of the above.
    pub open: Vec<Hit>,
}

impl DateIndex {
    /// The records that a question's filter admits, as far as the index tells. How many are wanted at most is no matter.
    pub(crate) fn of_many<L: Log + ?Sized>(&self, log: &L, wanted: &Wanted<'_>) -> Result<OfMany> {
        self.ask(log, |open| {
            open.read_gone(wanted.known_at.0)?;
            let marks = open.marks(wanted)?;
            open.of_many(wanted, marks.as_ref())
        })
    }
}

impl Open {
    fn of_many(&self, wanted: &Wanted<'_>, marks: Option<&Bits>) -> Result<OfMany, Trouble> {
        let question = wanted.question;
        let (bounds, known_at, as_of) = (Bounds::of(wanted), wanted.known_at.0, question.as_of.until());
        let is_told = is_told(&question.filter);
        let admit = |row: &Row| self.admits(row, &bounds, marks, known_at);
        let mut found = OfMany::default();
        for mut source in self.sources(question.timeline.as_str(), &bounds, known_at) {
            while source.advance(admit)?.is_some() {
                let Some(ByDate { row, card }) = source.head.take() else { continue };
                let span = [row.span()];
                let certainty = Ongoing::certainty_of(&span, as_of);
                let is_many = row.dates.is_some_and(|dates| dates.is_many);
                if !is_told || is_many || (certainty.is_some() && card.is_none()) {
                    found.open.push(Hit { seq: Seq(row.seq), place: Seq(row.place) });
                    continue;
                }
                found.records.set(row.seq);
                found.tally.count(Reached::of(&span, as_of));
                if let Some((certainty, Card { id, date, title })) = certainty.zip(card) {
                    found.ongoing.push((Seq(row.place), Ongoing { id, date, title, certainty }));
                }
            }
        }
        Ok(found)
    }
}

/// Whether rows and terms tell all that a filter asks for, but for dates of several happenings.
const fn is_told(filter: &Filter) -> bool {
    filter.entity.is_empty() && filter.text.is_empty() && filter.source.is_empty()
}
