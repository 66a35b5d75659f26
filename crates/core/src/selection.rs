//! Events in the order of their dates, and how many there are: what lists, exports, filtered replays and the counts
//! around an answer are made from.
//!
//! The index of dates names the events, and only those are read. Whatever it stumbles over, and wherever there is
//! none, [`Store::known`] is the plain way to the same answer.

use std::collections::{BTreeMap, VecDeque};

use annals_model::relative::Between;
use annals_model::{
    Certainty, Content, Event, Moment, Ongoing, Op, Question, RecordedAt, Seq, Tally, TimelineName,
};

use crate::bits::Bits;
use crate::dates::{DateIndex, Hit, Wanted};
use crate::known::KnownEvent;
use crate::log::Log;
use crate::merkle::BLOCK;
use crate::store::Store;
use crate::stored::StoredRecord;
use crate::threads;
use crate::{Damage, Error, Result, scan};

/// What is listed of a timeline.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    /// Timeline, known at, and the filter; the date only where `begun` says so.
    pub question: &'a Question,
    /// How sure it must be that an event falls between the dates of the filter.
    pub range: Certainty,
    /// Whether an event must have begun as of the question's date, as surely as it asks.
    pub begun: bool,
    /// Between which others an event must lie, as surely as it must fall between the dates of the filter.
    pub between: Option<&'a Between<'a>>,
    /// How many events are listed at most.
    pub most: Option<usize>,
}

/// Events in the order of lists.
#[derive(Debug)]
pub struct Selected {
    /// Those that were selected.
    pub events: Vec<KnownEvent>,
    /// How many the timeline has in all that count.
    pub total: u64,
    /// Whether there may be some that are missing because they were redacted.
    pub has_redactions: bool,
}

impl<'a> Selection<'a> {
    /// Whether an event is among those that are listed.
    pub fn admits(&self, event: &Event) -> bool {
        (!self.begun || self.question.counts(event))
            && self.question.filter.admits(event, self.range)
            && self.between.is_none_or(|between| between.admits(event, self.range))
    }

    /// Whether the event of a record, if it has one, has begun where that is asked.
    fn has_begun(&self, stored: &StoredRecord) -> bool {
        let event = stored.record.content.event();
        !self.begun || event.is_none_or(|event| self.question.counts(event))
    }

    /// What is looked for in the index of dates.
    pub(crate) fn wanted(&self, known_at: Seq, among: Option<Bits>, most: usize) -> Wanted<'a> {
        let Self { question, range, begun, between, .. } = *self;
        let begins = between.map(|between| between.bounds(range));
        Wanted { question, range, begun, begins, known_at, among, most }
    }
}

impl<L: Log> Store<L> {
    /// The events that a selection names, in the order of lists.
    pub fn list(&self, selection: &Selection<'_>) -> Result<Selected> {
        let question = selection.question;
        self.require(&question.timeline)?;
        if let Some(pieces) = self.pieces(selection, usize::MAX)?
            && let Some(listed) = self.by_dates(|_| pieces.all())
        {
            return Ok(listed);
        }
        let known = self.known(&question.timeline, question.known_at)?;
        let total = known.events().len() as u64;
        let has_redactions = known.withdrawn().iter().any(|gone| gone.op == Op::Redact);
        let mut events = known.into_events();
        events.retain(|known| selection.admits(&known.event));
        events.sort_by_cached_key(|known| known.counted().list_order());
        events.truncate(selection.most.unwrap_or(usize::MAX));
        Ok(Selected { events, total, has_redactions })
    }

    /// How many events of a timeline had happened by a moment, as known at a record, and which go on, in the order
    /// of lists: what stands in an answer beside its state, where no filter is asked. Nothing where the index of
    /// dates does not tell.
    pub fn standing(
        &self,
        timeline: &TimelineName,
        as_of: Moment,
        known_at: Seq,
    ) -> Option<(Tally, Vec<Ongoing>)> {
        self.by_dates(|dates| {
            let found = dates.standing(self.log(), timeline, as_of, known_at)?;
            let hits = found.unread.iter().map(|(seq, place)| Hit { seq: *seq, place: *place }).collect();
            let mut ongoing = found.ongoing;
            for KnownEvent { place, event, .. } in read(self.log(), hits, |_| true)? {
                if let Some(certainty) = Ongoing::certainty_of(event.happenings(), as_of) {
                    let Event { id, date, title, .. } = event;
                    ongoing.push((place, Ongoing { id, date, title, certainty }));
                }
            }
            Ok((found.tally, Ongoing::in_order(ongoing)))
        })
    }

    /// How many events each timeline has, withdrawn or not.
    pub fn event_counts(&self) -> Result<BTreeMap<TimelineName, u64>> {
        match self.by_dates(|dates| dates.event_counts(self.log())) {
            Some(counts) => Ok(counts),
            None => scan::event_counts(self.log()),
        }
    }

    /// Calls `visit` with the records of a selection's timeline up to K that its filter admits, in record order: those that
    /// have an event by what it says, the others, which withdraw or hide one, where any version before them was admitted.
    /// How many events are listed at most, and between which others, is not looked at.
    pub fn each_record<E: From<Error>>(
        &self,
        selection: &Selection<'_>,
        mut visit: impl FnMut(StoredRecord) -> Result<(), E>,
    ) -> Result<(), E> {
        let question = selection.question;
        let (filter, known_at) = (&question.filter, self.last_known(question.known_at)?);
        let mut admitted = Bits::default();
        let mut failed = None;
        scan::each(self.log(), Seq(1), known_at, |stored| {
            let StoredRecord { record, previous, .. } = &stored;
            if record.timeline != question.timeline || failed.is_some() {
                return Ok(());
            }
            let event = record.content.event();
            let was_admitted = previous.is_some_and(|previous| admitted.has(previous.0));
            let is_admitted = match event {
                _ if filter.is_empty() => true,
                Some(event) => filter.admits(event, selection.range),
                None => was_admitted,
            };
            if is_admitted || was_admitted {
                admitted.set(record.seq.0);
            }
            if is_admitted && selection.has_begun(&stored) {
                failed = visit(stored).err();
            }
            Ok(())
        })?;
        failed.map_or(Ok(()), Err)
    }

    /// The last of the records that [`Self::each_record`] visits, in record order. Without a filter the log is read from its
    /// end back, block by block; with one, a record before them tells whether a withdrawal is admitted.
    pub fn last_records(&self, selection: &Selection<'_>, most: usize) -> Result<Vec<StoredRecord>> {
        if !selection.question.filter.is_empty() {
            let mut last = VecDeque::new();
            self.each_record(selection, |stored| {
                last.push_back(stored);
                if last.len() > most {
                    last.pop_front();
                }
                Ok::<_, Error>(())
            })?;
            return Ok(last.into());
        }
        let known_at = self.last_known(selection.question.known_at)?;
        let (mut blocks, mut found, mut to) = (Vec::new(), 0, known_at);
        while found < most && to > Seq(0) {
            let first = Seq((to.0 - 1) / BLOCK * BLOCK + 1);
            let mut records = Vec::new();
            scan::each(self.log(), first, to, |stored| {
                if stored.record.timeline == selection.question.timeline && selection.has_begun(&stored) {
                    records.push(stored);
                }
                Ok(())
            })?;
            found += records.len();
            blocks.push(records);
            to = Seq(first.0 - 1);
        }
        Ok(blocks.into_iter().rev().flatten().skip(found.saturating_sub(most)).collect())
    }

    /// Records among which are those that change one of the entities that a filter asks for, where the index of claims
    /// tells.
    pub(crate) fn among(&self, question: &Question, known_at: Seq) -> Option<Bits> {
        let index = self.index().filter(|_| !question.filter.entity.is_empty())?;
        let mut records = Bits::default();
        for entity in &question.filter.entity {
            let asked = (&question.timeline, entity.as_str(), None);
            records.extend(index.records(self.log(), asked, known_at).ok()?.iter().map(|seq| &seq.0));
        }
        Some(records)
    }

    /// What the index of dates answers, if there is one, and if it is worth it.
    pub(crate) fn by_dates<'a, T>(&'a self, answer: impl FnOnce(&'a DateIndex) -> Result<T>) -> Option<T> {
        let dates = self.dates().filter(|dates| matches!(dates.is_worth(self.log()), Ok(true)))?;
        answer(dates).inspect_err(|error| dates.leave_aside(error)).ok()
    }
}

/// Reads events, those that are admitted, in the order of the log.
pub(crate) fn read<L: Log>(
    log: &L,
    mut hits: Vec<Hit>,
    admit: impl Fn(&Event) -> bool + Sync,
) -> Result<Vec<KnownEvent>> {
    hits.sort_unstable_by_key(|hit| hit.seq);
    threads::map_chunks(&hits, |hits| {
        let mut events = Vec::new();
        each(log, hits, |Hit { seq, place }, recorded_at, event| {
            if admit(&event) {
                events.push(KnownEvent { place, seq, recorded_at, event });
            }
        })?;
        Ok(events)
    })
}

/// Reads events one after the other; their records come in order.
pub(crate) fn each<L: Log>(
    log: &L,
    hits: &[Hit],
    mut visit: impl FnMut(Hit, RecordedAt, Event),
) -> Result<()> {
    let mut hits = hits.iter();
    let seqs = hits.clone().map(|hit| hit.seq);
    scan::some(log, seqs, |StoredRecord { record, .. }| {
        let Some(hit) = hits.next() else { return Ok(()) };
        match record.content {
            Content::Event(event) => visit(*hit, record.recorded_at, *event),
            _ => return Err(Damage::of(hit.seq, hit.seq, "is no event, as the index of dates says").into()),
        }
        Ok(())
    })
}
