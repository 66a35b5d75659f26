//! How an answer changed over record time: what the log said of an attribute as of one date, record after record;
//! its JSON form is `annals/learned/1`.
//!
//! [`Learner`] is given the records of a timeline in their order and asks for an attribute anew when a record touches
//! it, in the version that it brings or in the one that it replaces, unless both claim the same of it. So a record
//! that concerns other attributes, or changes nothing of what it claims of this one, costs nothing here. One that
//! does costs what an index takes to answer as known at that record, where there is one, and else a fold of all
//! claims on the attribute.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use crate::answers;
use crate::fold::{Claim, Counted, fold};
use crate::{
    Asked, Content, Effect, Event, EventId, Invalid, Names, Op, Position, Question, Record, RecordedAt, Seq,
    Target, Value,
};

/// The name of the JSON form.
pub const SCHEMA: &str = "annals/learned/1";

/// Events that touch an attribute, as many as are folded sooner than an index answers.
const FOLDED: usize = 16;

/// Every change of an answer over record time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Learned {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The question.
    #[serde(flatten)]
    pub asked: Asked,
    /// The entity that was asked about.
    pub entity: String,
    /// The attribute that was asked about, where not all were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// The changes, by attribute and then in the order of the records.
    pub changes: Vec<Learning>,
}

/// One change of an answer: what was answered from one record on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Learning {
    /// The entity.
    pub entity: String,
    /// The attribute.
    pub attribute: String,
    /// The value; absent where nothing stands any more.
    pub value: Option<Value>,
    /// The event that decided it.
    pub by: Option<EventId>,
    /// Whether it was sure; absent like the value.
    pub sure: Option<bool>,
    /// The record that changed the answer.
    pub seq: Seq,
    /// When it was recorded.
    pub recorded_at: RecordedAt,
    /// What it did.
    pub op: Op,
    /// To which event.
    pub id: EventId,
    /// Why, where it is a retraction or a redaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The record that changed the answer again; absent where it is still the answer.
    pub until: Option<Position>,
}

/// What stands by which event, and whether it is sure.
type Answer = Option<(Value, EventId, bool)>;

/// The name of an attribute: its entity's and its own.
type Name = (String, String);

/// Reads records in their order and keeps what each changed in the answer.
#[derive(Debug)]
pub struct Learner<'q> {
    question: &'q Question,
    asked: &'q str,
    names: Names,
    events: HashMap<EventId, Standing>,
    attributes: BTreeMap<Name, Attribute>,
}

/// Where an event stands: its place, and its last version where that counts and touches what was asked.
#[derive(Debug)]
struct Standing {
    place: Seq,
    version: Option<(Seq, Event)>,
}

/// An attribute that was asked about.
#[derive(Debug, Default)]
struct Attribute {
    /// The events whose last version touches it.
    events: BTreeSet<EventId>,
    /// What was answered last.
    answer: Answer,
    changes: Vec<Learning>,
}

impl<'q> Learner<'q> {
    /// A learner of what a question answers for `ENTITY` or `ENTITY.ATTRIBUTE`.
    pub fn new(question: &'q Question, asked: &'q str) -> Self {
        let (names, events, attributes) = Default::default();
        Self { question, asked, names, events, attributes }
    }

    /// Takes the next record of the timeline. `ask` may know what the claims on an attribute of an entity come to as
    /// known at a record; where it does not they are folded here.
    pub fn take(&mut self, record: Record, mut ask: impl FnMut(&str, &str, Seq) -> Option<answers::Answer>) {
        let Record { seq, recorded_at, id, op, content, .. } = record;
        let (version, reason) = match content {
            Content::Event(event) => (Some(*event), None),
            Content::Reason(reason) => (None, Some(reason)),
            Content::Redacted => (None, None),
        };
        version.iter().flat_map(|event| &event.effects).for_each(|effect| self.names.learn(effect));
        let counts = |event: &Event| self.question.filter.admits(event, self.question.certainty);
        let version = version.filter(counts).filter(|event| !self.touched(event).is_empty());
        let mut touched = version.as_ref().map(|event| self.touched(event)).unwrap_or_default();
        let standing = self.events.entry(id.clone()).or_insert(Standing { place: seq, version: None });
        let before = std::mem::replace(&mut standing.version, version.map(|event| (seq, event)));
        if let Some((_, before)) = before {
            for name in self.touched(&before) {
                let after = self.events.get(&id).and_then(|standing| standing.version.as_ref());
                if after.is_some_and(|(_, after)| claims_alike(&before, after, &name)) {
                    touched.remove(&name);
                    continue;
                }
                if let Some(attribute) = self.attributes.get_mut(&name) {
                    attribute.events.remove(&id);
                }
                touched.insert(name);
            }
        }
        for name in touched {
            let known = self.is_much(&name).then(|| ask(&name.0, &name.1, seq)).flatten();
            let (value, by, sure) = match self.learn(&name, &id, known) {
                None => continue,
                Some(None) => (None, None, None),
                Some(Some((value, by, sure))) => (Some(value), Some(by), Some(sure)),
            };
            let (entity, attribute) = name.clone();
            let (id, reason) = (id.clone(), reason.clone());
            let change = Learning {
                entity,
                attribute,
                value,
                by,
                sure,
                seq,
                recorded_at,
                op,
                id,
                reason,
                until: None,
            };
            self.attributes.entry(name).or_default().take(change);
        }
    }

    /// Whether so many events touch an attribute that an index answers sooner than a fold.
    fn is_much(&self, name: &Name) -> bool {
        self.attributes.get(name).is_some_and(|attribute| attribute.events.len() > FOLDED)
    }

    /// The attributes that were asked about and that an event touches. Which reading of the text is meant is only
    /// known at the end, so both count until then.
    fn touched(&self, event: &Event) -> BTreeSet<Name> {
        let split = Target::attribute(self.asked);
        let is_asked = |effect: &&Effect| {
            effect.entity == self.asked || split == Some((effect.entity.as_str(), effect.attribute.as_str()))
        };
        let name = |effect: &Effect| (effect.entity.clone(), effect.attribute.clone());
        event.effects.iter().filter(is_asked).map(name).collect()
    }

    /// Asks for an attribute anew after a record of an event; the answer, if it is another one than before.
    fn learn(&mut self, name: &Name, id: &EventId, known: Option<answers::Answer>) -> Option<Answer> {
        let version = self.events.get(id).and_then(|standing| standing.version.as_ref());
        if version.is_some_and(|(_, event)| event.effects.iter().any(|effect| concerns(name, effect))) {
            self.attributes.entry(name.clone()).or_default().events.insert(id.clone());
        }
        let answer = match known {
            Some(answers::Answer { cell, .. }) => cell.map(|cell| (cell.value, cell.by, cell.sure)),
            None => self.folded(name),
        };
        let attribute = self.attributes.entry(name.clone()).or_default();
        (attribute.answer != answer).then(|| {
            attribute.answer.clone_from(&answer);
            answer
        })
    }

    /// What the claims on an attribute come to.
    fn folded(&self, name: &Name) -> Answer {
        let events = self.attributes.get(name).into_iter().flat_map(|attribute| &attribute.events);
        let counted = events.filter_map(|id| {
            let Standing { place, version } = self.events.get(id)?;
            version.as_ref().map(|(seq, event)| Counted { place: *place, seq: *seq, event })
        });
        let claims: Vec<Claim<'_>> =
            counted.flat_map(Counted::claims).filter(|claim| concerns(name, claim.effect)).collect();
        let folded = fold(&claims, self.question.as_of.until(), self.question.certainty);
        let is_sure = folded.is_sure();
        folded.standing.map(|standing| (standing.value, standing.by.counted.event.id.clone(), is_sure))
    }

    /// Everything that was learnt, now that the last record has been taken.
    ///
    /// # Errors
    ///
    /// Where no record names what was asked about.
    pub fn finish(self, known_at: Position) -> Result<Learned, Invalid> {
        let target = self.names.find(self.asked)?;
        let is_meant = |(entity, attribute): &Name| {
            *entity == target.entity && target.attribute.as_ref().is_none_or(|name| name == attribute)
        };
        let meant = self.attributes.into_iter().filter(|(name, _)| is_meant(name));
        let question = self.question;
        Ok(Learned {
            schema: SCHEMA,
            asked: Asked::new(question, known_at),
            changes: meant.flat_map(|(_, attribute)| attribute.changes).collect(),
            entity: target.entity,
            attribute: target.attribute,
        })
    }
}

/// Whether an effect is on an attribute.
fn concerns((entity, attribute): &Name, effect: &Effect) -> bool {
    effect.entity == *entity && effect.attribute == *attribute
}

/// Whether two versions of an event claim the same of an attribute, so that the answer is the same, too.
fn claims_alike(before: &Event, after: &Event, name: &Name) -> bool {
    let concerns = |effect: &&Effect| concerns(name, effect);
    before.happenings() == after.happenings()
        && before.effects.iter().filter(concerns).eq(after.effects.iter().filter(concerns))
}

impl Attribute {
    fn take(&mut self, change: Learning) {
        if let Some(last) = self.changes.last_mut() {
            last.until = Some(Position { seq: change.seq, recorded_at: Some(change.recorded_at) });
        }
        self.changes.push(change);
    }
}
