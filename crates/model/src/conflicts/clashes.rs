//! Clashes: effects that did not fit what stood when they came, and so changed nothing.

use std::cmp::Ordering;

use serde::Serialize;

use super::first::Found;
use super::spoken::Spoken;
use super::{Mention, Witnesses};
use crate::fold::{Applied, apply};
use crate::{Effect, EventId, Seq, Value};

/// An effect that did not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Misfit {
    /// The event that does it.
    #[serde(flatten)]
    pub event: Mention,
    /// What it does.
    pub effect: Effect,
    /// What stood in the attribute.
    pub stood: Value,
    /// The last event that had changed it.
    pub stood_by: EventId,
}

/// A clash whose events are named by their records.
#[derive(Debug)]
pub(super) struct ClashAt {
    /// How many came before it on its attribute.
    before: usize,
    pub seq: Seq,
    pub effect: Effect,
    pub stood: Value,
    pub stood_by: Seq,
}

/// Folds what is heard of an attribute.
#[derive(Debug, Default)]
pub(super) struct Fold {
    value: Option<Value>,
    by: Option<Seq>,
    /// Every clash, in fold order.
    pub found: Vec<ClashAt>,
}

impl Fold {
    pub fn hear(&mut self, (entity, attribute): (&str, &str), spoken: &Spoken<'_>) {
        if !spoken.holds {
            return;
        }
        match (apply(&mut self.value, &spoken.change), &self.value, self.by) {
            (Applied::Changed, ..) => self.by = Some(spoken.seq),
            (Applied::Clash, Some(stood), Some(stood_by)) => self.found.push(ClashAt {
                before: self.found.len(),
                seq: spoken.seq,
                effect: Effect {
                    entity: entity.to_owned(),
                    attribute: attribute.to_owned(),
                    change: spoken.change.as_ref().clone(),
                    when: spoken.when,
                },
                stood: stood.clone(),
                stood_by,
            }),
            // What is absent fits everything.
            (Applied::Clash | Applied::Unchanged, ..) => {}
        }
    }
}

impl Found for ClashAt {
    fn order(&self, other: &Self) -> Ordering {
        let (own, others) = (&self.effect, &other.effect);
        let names = (&own.entity, &own.attribute).cmp(&(&others.entity, &others.attribute));
        names.then_with(|| self.before.cmp(&other.before))
    }
}

impl ClashAt {
    /// The clash with its events, where both are known.
    pub fn told(self, witnesses: &mut Witnesses) -> Option<Misfit> {
        let stood_by = witnesses.take(self.stood_by)?.event.id;
        let event = witnesses.take(self.seq)?.event;
        Some(Misfit { event, effect: self.effect, stood: self.stood, stood_by })
    }
}
