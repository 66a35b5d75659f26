//! Clashes: effects that did not fit what stood when they came, and so changed nothing.

use serde::Serialize;

use super::{Attribute, Mention};
use crate::fold::{Applied, apply};
use crate::{Effect, EventId, Value};

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

/// Every clash on an attribute, in fold order.
pub(super) fn find(attribute: &Attribute<'_>) -> Vec<Misfit> {
    let mut found = Vec::new();
    let mut value = None;
    let mut by = None;
    for step in attribute.steps.iter() {
        let event = step.claim.counted.event;
        match (apply(&mut value, &step.claim.effect.change), &value, by) {
            (Applied::Changed, ..) => by = Some(&event.id),
            (Applied::Clash, Some(stood), Some(stood_by)) => found.push(Misfit {
                event: Mention::of(&step.claim.counted),
                effect: step.claim.effect.clone(),
                stood: stood.clone(),
                stood_by: EventId::clone(stood_by),
            }),
            // What is absent fits everything.
            (Applied::Clash | Applied::Unchanged, ..) => {}
        }
    }
    found
}
