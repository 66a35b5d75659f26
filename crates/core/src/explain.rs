//! Questions about values beside replay: what an attribute was along either axis, and why it is what it is.
//!
//! What the answers mean is the model's business; this file brings it the records that each needs.

use std::collections::HashMap;

use annals_model::fold::Counted;
use annals_model::why::{Fate, Version, Why};
use annals_model::{
    Content, Effect, Event, EventId, History, Learned, Learner, Names, Op, Position, Question, Record,
    RecordedAt, Seq, Target,
};

use crate::error::NotFound;
use crate::known::{Known, KnownEvent};
use crate::log::Log;
use crate::store::Store;
use crate::stored::StoredRecord;
use crate::{Result, scan};

impl<L: Log> Store<L> {
    /// What `ENTITY` or `ENTITY.ATTRIBUTE` was along the whole date axis.
    pub fn spans(&self, question: &Question, asked: &str) -> Result<History> {
        let known: Known = self.known(&question.timeline, question.known_at)?;
        let mut names = Names::default();
        known.events().iter().flat_map(|known| &known.event.effects).for_each(|effect| names.learn(effect));
        let target = match names.find(asked) {
            Ok(target) => target,
            // What was withdrawn, or said in an earlier version only, is a name all the same.
            Err(_) => self.names(question)?.find(asked)?,
        };
        let touches = |known: &&KnownEvent| known.event.effects.iter().any(|effect| target.is_of(effect));
        let touching = known.events().iter().filter(touches);
        let touching: Vec<_> = touching.map(|known| (known.counted(), known.recorded_at)).collect();
        Ok(History::answer(question, &target, known.position(), &touching))
    }

    /// How the answer for `ENTITY` or `ENTITY.ATTRIBUTE` changed from the first record to the last that counts.
    pub fn learned(&self, question: &Question, asked: &str) -> Result<Learned> {
        let mut learner = Learner::new(question, asked);
        let position = self.records_of(question, |stored| learner.take(stored.record))?;
        Ok(learner.finish(position)?)
    }

    /// Why `ENTITY.ATTRIBUTE` has the value that it has, or has none.
    pub fn why(&self, question: &Question, asked: &str) -> Result<Why> {
        let concerns = |effect: &Effect| {
            Target::attribute(asked) == Some((effect.entity.as_str(), effect.attribute.as_str()))
        };
        let mut names = Names::default();
        let mut trails: HashMap<EventId, Trail> = HashMap::new();
        let position = self.records_of(question, |StoredRecord { record, .. }| {
            effects(&record).for_each(|effect| names.learn(effect));
            trails.entry(record.id.clone()).or_default().take(record, concerns);
        })?;
        let name = names.find_attribute(asked)?;
        let mut versions: Vec<Version<'_>> = trails.values().flat_map(Trail::versions).collect();
        versions.sort_unstable_by_key(|version| version.counted.seq);
        let redacted = trails.values().filter(|trail| trail.is_redacted).count();
        Ok(Why::answer(question, name, position, &versions, redacted as u64))
    }

    /// Every name in the timeline's records up to the last one that counts.
    fn names(&self, question: &Question) -> Result<Names> {
        let mut names = Names::default();
        self.records_of(question, |StoredRecord { record, .. }| {
            effects(&record).for_each(|effect| names.learn(effect));
        })?;
        Ok(names)
    }

    /// Calls `visit` with every record of a question's timeline up to the last one that counts.
    fn records_of(&self, question: &Question, mut visit: impl FnMut(StoredRecord)) -> Result<Position> {
        let Question { timeline, known_at, .. } = question;
        if self.log().version(timeline)?.0 == 0 {
            return Err(NotFound::Timeline(timeline.clone()).into());
        }
        let position = self.position(*known_at)?;
        scan::each_raw(self.log(), Seq(1), position.seq, |raw| {
            if raw.head.timeline == timeline.as_str() {
                visit(StoredRecord::decode(raw)?);
            }
            Ok(())
        })?;
        Ok(position)
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
