//! The events that a question's filter admits, and the answers about them, of however many there are.
//!
//! Few events are read, kept and folded. Of many only the records are found out, a bit each, and most of them without a
//! look at the log; the index of claims then tells what these come to, as it does where no filter is asked. So an answer
//! about half of all events takes no more memory than one about all.

use annals_model::answers::Answers;
use annals_model::fold::Counted;
use annals_model::{Event, Found, Knowledge, Ongoing, Position, Question, Reached, Seq, Snapshot};

use crate::bits::Bits;
use crate::dates::{DateIndex, Hit, OfMany, Wanted};
use crate::index::Counting;
use crate::known::KnownEvent;
use crate::log::Log;
use crate::selection::{each, read};
use crate::store::Store;
use crate::{Error, Result, scan, threads};

/// The events that a filter admits.
pub enum Admitted {
    /// Themselves, in the order of the log, where they are few.
    Few(Vec<KnownEvent>),
    /// Their records, and what stands beside an answer about them.
    Many(OfMany),
}

impl Admitted {
    /// The records of the versions that count.
    pub fn records(&self) -> Bits {
        match self {
            Self::Many(found) => found.records.clone(),
            Self::Few(events) => {
                let mut records = Bits::default();
                records.extend(events.iter().map(|known| &known.seq.0));
                records
            }
        }
    }
}

impl<L: Log> Store<L> {
    /// The answer to a question with a filter; nothing where the indexes do not tell.
    pub(crate) fn filtered(
        &self,
        question: &Question,
        position: Position,
    ) -> Option<serde_json::Result<Snapshot>> {
        let admitted = self.admitted(question, position.seq)?;
        let until = question.as_of.until();
        let withdrawn =
            self.by_dates(|dates| dates.tally(self.log(), &question.timeline, until, position.seq));
        let (withdrawn, log_root) = (withdrawn?.retracted, scan::root_at(self.log(), position.seq).ok()?);
        Some(match admitted {
            Admitted::Few(events) => {
                let events: Vec<Counted<'_>> = events.iter().map(KnownEvent::counted).collect();
                Snapshot::answer(question, &Knowledge { position, log_root, events, withdrawn })
            }
            Admitted::Many(found) => {
                let answers = self.answered_of(question, position.seq, &found.records)?;
                let OfMany { mut tally, ongoing, .. } = found;
                tally.retracted = withdrawn;
                let ongoing = Ongoing::in_order(ongoing);
                Snapshot::of(question, Found { position, log_root, events: tally, ongoing, answers })
            }
        })
    }

    /// What stands of the events that a question's filter admits; nothing where the indexes do not tell.
    pub(crate) fn filtered_answers(&self, question: &Question, known_at: Seq) -> Option<Answers> {
        match self.admitted(question, known_at)? {
            Admitted::Few(events) => {
                let events: Vec<Counted<'_>> = events.iter().map(KnownEvent::counted).collect();
                Some(Answers::of(question, &events))
            }
            Admitted::Many(found) => self.answered_of(question, known_at, &found.records),
        }
    }

    fn answered_of(&self, question: &Question, known_at: Seq, records: &Bits) -> Option<Answers> {
        self.indexed(question, Counting { known_at, admitted: Some(records) }).ok()?
    }

    /// The events that a question's filter admits, as the log knew them at a record; nothing where the index of dates does
    /// not tell.
    pub(crate) fn admitted(&self, question: &Question, known_at: Seq) -> Option<Admitted> {
        self.by_dates(|dates| self.admitted_by(dates, question, known_at))
    }

    fn admitted_by(&self, dates: &DateIndex, question: &Question, known_at: Seq) -> Result<Admitted> {
        // Without an index of claims only the events themselves tell what they come to.
        let few = if self.index().is_some() { dates.few() } else { usize::MAX };
        let (range, among) = (question.certainty, self.among(question, known_at));
        let most = few.saturating_add(1);
        let (begun, begins) = (false, None);
        let wanted = Wanted { question, range, begun, begins, known_at, among, most };
        let hits = dates.select(self.log(), &wanted)?;
        if hits.len() <= few {
            let mut events = read(self.log(), hits, |event| question.filter.admits(event, range))?;
            events.sort_unstable_by_key(|known| known.place);
            return Ok(Admitted::Few(events));
        }
        let mut found = dates.of_many(self.log(), &wanted)?;
        self.look_at(question, &mut found)?;
        Ok(Admitted::Many(found))
    }

    /// Looks at the events of which the index of dates does not tell all.
    fn look_at(&self, question: &Question, found: &mut OfMany) -> Result<()> {
        let mut hits = std::mem::take(&mut found.open);
        hits.sort_unstable_by_key(|hit| hit.seq);
        let parts = threads::map_chunks(&hits, |hits| {
            let mut part = OfMany::default();
            each(self.log(), hits, |hit, _, event| {
                if question.filter.admits(&event, question.certainty) {
                    part.take(question, hit, event);
                }
            })?;
            Ok::<_, Error>(vec![part])
        })?;
        for part in parts {
            found.add(part);
        }
        Ok(())
    }
}

impl OfMany {
    /// Takes an event that is admitted.
    fn take(&mut self, question: &Question, hit: Hit, event: Event) {
        let as_of = question.as_of.until();
        self.records.set(hit.seq.0);
        self.tally.count(Reached::of(event.happenings(), as_of));
        if let Some(certainty) = Ongoing::certainty_of(event.happenings(), as_of) {
            let Event { id, date, title, .. } = event;
            self.ongoing.push((hit.place, Ongoing { id, date, title, certainty }));
        }
    }

    fn add(&mut self, other: Self) {
        self.records.add(&other.records);
        self.tally.applied += other.tally.applied;
        self.tally.possible += other.tally.possible;
        self.tally.later += other.tally.later;
        self.ongoing.extend(other.ongoing);
    }
}
