//! A list that is read piece by piece: its first events are there before the others are read.
//!
//! The index of dates names the events in the order of lists; a piece is read from the log at once, on several threads.
//! The first piece is small, and each is larger than the one before, since events that lie in one block of the log are
//! read together only where they are in one piece.

use annals_model::{Question, Seq};

use crate::Result;
use crate::dates::{DateIndex, Hit, Wanted};
use crate::known::KnownEvent;
use crate::log::Log;
use crate::selection::{Selected, Selection, read};
use crate::store::Store;

/// By how much a piece is larger than the one before, and events of the largest one.
const GROWTH: usize = 4;
const LARGEST: usize = 1 << 14;

/// The events of a selection in the order of lists, piece by piece.
#[derive(Debug)]
pub struct Pieces<'a, L> {
    store: &'a Store<L>,
    dates: &'a DateIndex,
    selection: Selection<'a>,
    wanted: Wanted<'a>,
    hits: Vec<Hit>,
    /// Hits that were read.
    done: usize,
    /// Hits of the next piece.
    size: usize,
    /// Events that may still be given.
    left: usize,
    total: u64,
    has_redactions: bool,
}

impl<L: Log> Store<L> {
    /// The events that a selection names, to be read piece by piece; nothing where the index of dates does not tell. Of a
    /// selection that has more than `most`, only the first ones should be read so: by [`Store::listing`] more are read
    /// sooner.
    pub fn pieces<'a>(&'a self, selection: &Selection<'a>, most: usize) -> Result<Option<Pieces<'a, L>>> {
        let Question { timeline, known_at, .. } = selection.question;
        self.require(timeline)?;
        let known_at = self.last_known(*known_at)?;
        Ok(self.by_dates(|dates| Pieces::of(self, dates, *selection, known_at, most)))
    }
}

impl<'a, L: Log> Pieces<'a, L> {
    fn of(
        store: &'a Store<L>,
        dates: &'a DateIndex,
        selection: Selection<'a>,
        known_at: Seq,
        most: usize,
    ) -> Result<Self> {
        let Selection { question, most: left, .. } = selection;
        let left = left.unwrap_or(usize::MAX);
        let wanted =
            selection.wanted(known_at, store.among(question, known_at), left.min(most.saturating_add(1)));
        let hits = dates.select(store.log(), &wanted)?;
        let tally = dates.tally(store.log(), &question.timeline, question.as_of.until(), known_at)?;
        let total = tally.applied + tally.possible + tally.later;
        let has_redactions = dates.has_redactions();
        let (done, size) = (0, dates.first());
        Ok(Self { store, dates, selection, wanted, hits, done, size, left, total, has_redactions })
    }

    /// How many events the timeline has in all that count.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Whether there may be some that are missing because they were redacted.
    pub const fn has_redactions(&self) -> bool {
        self.has_redactions
    }

    /// Whether there may be more events than so many.
    pub const fn may_exceed(&self, count: usize) -> bool {
        self.hits.len() > count
    }

    /// All events at once.
    pub fn all(mut self) -> Result<Selected> {
        self.size = usize::MAX;
        let (total, has_redactions) = (self.total, self.has_redactions);
        let pieces: Vec<Vec<KnownEvent>> = self.collect::<Result<_>>()?;
        Ok(Selected { events: pieces.into_iter().flatten().collect(), total, has_redactions })
    }

    /// Looks for more, where only so many were looked for; gives whether there are any.
    fn find_more(&mut self) -> Result<bool> {
        if self.hits.len() < self.wanted.most {
            return Ok(false);
        }
        self.wanted.most = self.wanted.most.saturating_mul(GROWTH);
        self.hits = self.dates.select(self.store.log(), &self.wanted)?;
        Ok(self.done < self.hits.len())
    }

    /// Reads the next piece; there may be nothing in it that is admitted.
    fn read(&mut self) -> Result<Vec<KnownEvent>> {
        let end = self.done.saturating_add(self.size).min(self.hits.len());
        let hits = self.hits[self.done..end].to_vec();
        self.done = end;
        self.size = self.size.saturating_mul(GROWTH).min(self.size.max(LARGEST));
        let mut events = read(self.store.log(), hits, |event| self.selection.admits(event))?;
        events.sort_by_cached_key(|known| known.counted().list_order());
        events.truncate(self.left);
        self.left -= events.len();
        Ok(events)
    }
}

impl<L: Log> Iterator for Pieces<'_, L> {
    type Item = Result<Vec<KnownEvent>>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.left > 0 {
            if self.done == self.hits.len() {
                match self.find_more() {
                    Ok(true) => {}
                    Ok(false) => return None,
                    Err(error) => return Some(Err(error)),
                }
            }
            match self.read() {
                Ok(events) if events.is_empty() => {}
                read => return Some(read),
            }
        }
        None
    }
}
