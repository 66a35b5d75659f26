//! Questions about values beside replay: what an attribute was along either axis, and why it is what it is.
//!
//! What the answers mean is the model's business; this file brings it the records that each needs.

use std::collections::{BTreeSet, HashMap};

use annals_model::fold::Counted;
use annals_model::why::{Fate, Version, Why};
use annals_model::{
    Cell, Content, Effect, Event, EventId, History, Learned, Learner, Names, Op, Position, Question, Record,
    RecordedAt, Seq, Target, TimelineName,
};

use crate::known::KnownEvent;
use crate::log::Log;
use crate::store::Store;
use crate::stored::StoredRecord;
use crate::{Error, Result, scan};

impl<L: Log> Store<L> {
    /// What stands in one attribute. With an index this reads what concerns the attribute and nothing else.
    pub fn cell(&self, question: &Question, entity: &str, attribute: &str) -> Result<Option<Cell>> {
        if let Some(index) = self.index().filter(|_| question.filter.is_empty()) {
            self.require(&question.timeline)?;
            let known_at = self.last_known(question.known_at)?;
            let answer = index.point(self.log(), (entity, attribute), question, known_at);
            match answer {
                Ok(answer) => return Ok(answer.cell),
                // An index that cannot be written is no reason not to answer.
                Err(Error::Unavailable { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let question = Question { entities: vec![entity.to_owned()], ..question.clone() };
        let mut state = self.replay(&question)?.state;
        Ok(state.remove(entity).and_then(|mut attributes| attributes.remove(attribute)))
    }

    /// What `ENTITY` or `ENTITY.ATTRIBUTE` was along the whole date axis.
    pub fn spans(&self, question: &Question, asked: &str) -> Result<History> {
        self.about(question, asked, |records| {
            let mut all = Names::default();
            let mut events: HashMap<EventId, (Seq, Option<KnownEvent>)> = HashMap::new();
            let position = records.each(|StoredRecord { record, .. }| {
                effects(&record).for_each(|effect| all.learn(effect));
                let Record { seq, recorded_at, id, content, .. } = record;
                let (place, version) = events.entry(id).or_insert((seq, None));
                *version = match content {
                    Content::Event(event) => {
                        Some(KnownEvent { place: *place, seq, recorded_at, event: *event })
                    }
                    _ => None,
                };
            })?;
            let mut known: Vec<KnownEvent> =
                events.into_values().filter_map(|(_, version)| version).collect();
            known.sort_unstable_by_key(|known| known.place);
            let mut names = Names::default();
            known.iter().flat_map(|known| &known.event.effects).for_each(|effect| names.learn(effect));
            // What was withdrawn, or said in an earlier version only, is a name all the same.
            let target = names.find(asked).or_else(|_| all.find(asked))?;
            let touches = |known: &&KnownEvent| known.event.effects.iter().any(|effect| target.is_of(effect));
            let touching = known.iter().filter(touches);
            let touching: Vec<_> = touching.map(|known| (known.counted(), known.recorded_at)).collect();
            Ok(History::answer(question, &target, position, &touching))
        })
    }

    /// How the answer for `ENTITY` or `ENTITY.ATTRIBUTE` changed from the first record to the last that counts.
    pub fn learned(&self, question: &Question, asked: &str) -> Result<Learned> {
        self.about(question, asked, |records| {
            let mut learner = Learner::new(question, asked);
            // Many events may claim one attribute: to fold them all after each record grows with their square.
            let index = self.index().filter(|_| records.are_told() && question.filter.is_empty());
            let ask = |entity: &str, attribute: &str, known_at: Seq| {
                index?.answer(self.log(), (entity, attribute), question, known_at).ok()
            };
            let position = records.each(|stored| learner.take(stored.record, ask))?;
            Ok(learner.finish(position)?)
        })
    }

    /// Why `ENTITY.ATTRIBUTE` has the value that it has, or has none.
    pub fn why(&self, question: &Question, asked: &str) -> Result<Why> {
        let concerns = |effect: &Effect| {
            Target::attribute(asked) == Some((effect.entity.as_str(), effect.attribute.as_str()))
        };
        self.about(question, asked, |records| {
            let mut names = Names::default();
            let mut trails: HashMap<EventId, Trail> = HashMap::new();
            let position = records.each(|StoredRecord { record, .. }| {
                effects(&record).for_each(|effect| names.learn(effect));
                trails.entry(record.id.clone()).or_default().take(record, concerns);
            })?;
            let name = names.find_attribute(asked)?;
            let mut versions: Vec<Version<'_>> = trails.values().flat_map(Trail::versions).collect();
            versions.sort_unstable_by_key(|version| version.counted.seq);
            let redacted = trails.values().filter(|trail| trail.is_redacted).count();
            Ok(Why::answer(question, name, position, &versions, redacted as u64))
        })
    }

    /// Answers from the records that matter to `ENTITY` or `ENTITY.ATTRIBUTE`, as the index knows them; where there
    /// is no index, or nothing of that name, from all records of the timeline.
    fn about<T>(
        &self,
        question: &Question,
        asked: &str,
        answer: impl Fn(Records<'_, L>) -> Result<T>,
    ) -> Result<T> {
        self.require(&question.timeline)?;
        let position = self.position(question.known_at)?;
        let log = self.log();
        if let Some(seqs) = self.touching(question, position, asked)?.filter(|seqs| !seqs.is_empty()) {
            let which = Which::These(&seqs, &question.timeline);
            match answer(Records { log, position, which }) {
                // A name that is not there is told with the nearest of all names.
                Err(Error::Invalid(_)) => {}
                answered => return answered,
            }
        }
        answer(Records { log, position, which: Which::Of(&question.timeline) })
    }

    /// The records that matter to a name, in either way that it can be read.
    fn touching(
        &self,
        question: &Question,
        position: Position,
        asked: &str,
    ) -> Result<Option<BTreeSet<Seq>>> {
        let Some(index) = self.index() else { return Ok(None) };
        let entities = std::iter::once(asked).chain(Target::attribute(asked).map(|(entity, _)| entity));
        let mut all = BTreeSet::new();
        for entity in entities {
            let asked = (&question.timeline, entity, None);
            match index.records(self.log(), asked, position.seq) {
                Ok(records) => all.extend(records),
                // An index that cannot be written is no reason not to answer.
                Err(Error::Unavailable { .. }) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(Some(all))
    }
}

/// The records that an answer is made from.
struct Records<'a, L> {
    log: &'a L,
    position: Position,
    which: Which<'a>,
}

enum Which<'a> {
    /// All of a timeline.
    Of(&'a TimelineName),
    /// These, as far as they are of a timeline.
    These(&'a BTreeSet<Seq>, &'a TimelineName),
}

impl<L: Log> Records<'_, L> {
    /// Whether an index told them, which knows all that is said about the name.
    const fn are_told(&self) -> bool {
        matches!(self.which, Which::These(..))
    }

    /// Calls `visit` with each, in record order; gives the last record that counts.
    fn each(&self, mut visit: impl FnMut(StoredRecord)) -> Result<Position> {
        match self.which {
            Which::Of(timeline) => scan::each_raw(self.log, Seq(1), self.position.seq, |raw| {
                if raw.head.timeline == timeline.as_str() {
                    visit(StoredRecord::decode(raw)?);
                }
                Ok(())
            })?,
            Which::These(seqs, timeline) => scan::some_raw(self.log, seqs.iter().copied(), |raw| {
                if raw.head.timeline == timeline.as_str() {
                    visit(StoredRecord::decode(raw)?);
                }
                Ok(())
            })?,
        }
        Ok(self.position)
    }
}

fn effects(record: &Record) -> impl Iterator<Item = &Effect> {
    record.content.event().into_iter().flat_map(|event| &event.effects)
}

/// What is remembered of an event while the log is read for [`Store::why`].
#[derive(Default)]
struct Trail {
    place: Seq,
    /// Its versions; of those that do not touch the attribute only that they were there.
    versions: Vec<Told>,
    is_redacted: bool,
}

/// A version, and the record that ended it.
struct Told {
    seq: Seq,
    recorded_at: RecordedAt,
    event: Option<Box<Event>>,
    fate: Option<(Position, Op, Option<String>)>,
}

impl Trail {
    /// Takes the event's next record.
    fn take(&mut self, record: Record, concerns: impl Fn(&Effect) -> bool) {
        let Record { seq, recorded_at, op, content, .. } = record;
        if self.place == Seq(0) {
            self.place = seq;
        }
        let at = Position { seq, recorded_at: Some(recorded_at) };
        let (event, because) = match content {
            Content::Event(event) => (Some(event), None),
            Content::Reason(reason) => (None, Some(reason)),
            Content::Redacted => (None, None),
        };
        self.is_redacted |= op == Op::Redact || (event.is_none() && op != Op::Retract);
        if let Some(last) = self.versions.last_mut().filter(|last| last.fate.is_none()) {
            last.fate = Some((at, op, because));
        }
        if let Some(event) = event {
            let event = Some(event).filter(|event| event.effects.iter().any(concerns));
            self.versions.push(Told { seq, recorded_at, event, fate: None });
        }
    }

    /// The versions that touch the attribute, each with what became of it.
    fn versions(&self) -> impl Iterator<Item = Version<'_>> {
        self.versions.iter().enumerate().filter_map(|(index, told)| {
            let fate = told.fate.as_ref().map(|(at, op, because)| Fate {
                at: *at,
                is_withdrawal: *op != Op::Revise,
                because: because.as_deref(),
            });
            Some(Version {
                counted: Counted { place: self.place, seq: told.seq, event: told.event.as_deref()? },
                recorded_at: told.recorded_at,
                fate,
                next: self.versions.get(index + 1).and_then(|next| next.event.as_deref()),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use annals_model::TimelineName;

    use super::*;

    fn record(seq: u64, op: Op, content: Content) -> Record {
        Record {
            seq: Seq(seq),
            recorded_at: RecordedAt::from_micros(0),
            recorded_by: "me".to_owned(),
            timeline: TimelineName::new("main").unwrap(),
            id: EventId::new("a").unwrap(),
            op,
            content,
        }
    }

    fn event() -> Content {
        Content::Event(Box::new(Event::new(EventId::new("a").unwrap(), "t")))
    }

    #[test]
    fn a_redacted_event_leaves_nothing_but_that_it_was_redacted() {
        let mut trail = Trail::default();
        trail.take(record(3, Op::Append, Content::Redacted), |_| true);
        assert!(trail.is_redacted, "as known before the redaction, too: the content is gone for good");
        trail.take(record(4, Op::Retract, Content::Redacted), |_| true);
        trail.take(record(5, Op::Redact, Content::Reason("a name".to_owned())), |_| true);
        assert!(trail.is_redacted);
        assert_eq!((trail.place, trail.versions().count()), (Seq(3), 0));
    }

    #[test]
    fn a_retracted_event_is_not_redacted_and_its_versions_know_what_ended_them() {
        let mut trail = Trail::default();
        trail.take(record(1, Op::Append, event()), |_| true);
        trail.take(record(2, Op::Retract, Content::Reason("wrong".to_owned())), |_| true);
        trail.take(record(3, Op::Revise, event()), |_| true);
        trail.take(record(4, Op::Revise, event()), |_| true);
        assert!(!trail.is_redacted);
        let ends: Vec<_> =
            trail.versions.iter().map(|told| told.fate.as_ref().map(|(at, ..)| at.seq)).collect();
        assert_eq!(ends, [Some(Seq(2)), Some(Seq(4)), None]);
    }
}
