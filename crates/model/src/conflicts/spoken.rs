//! What a claim says of its attribute, as far as the finders of contested values and clashes look at it.
//!
//! They take the claims on one attribute one after the other, in the order of the fold. So whoever has more events than
//! fit into memory sorts what they say elsewhere, without the events, which are named by their records.

use std::borrow::Cow;

use super::clashes::{ClashAt, Fold};
use super::contested::{ContestedAt, Groups};
use crate::date::Range;
use crate::fold::{Counted, Order};
use crate::{Change, Effect, Question, Seq, When};

/// What a claim says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken<'a> {
    /// The event's place in the log.
    pub place: Seq,
    /// The record of the version that counts.
    pub seq: Seq,
    /// The effect's position in the event.
    pub position: usize,
    /// Which of the event's happenings it is.
    pub happening: usize,
    /// The bounds of the moment at which it takes hold.
    pub moment: Range,
    /// When, within the happening, it takes hold.
    pub when: When,
    /// Whether it is part of what the question asks about: its event counts, and it holds as of the date.
    pub holds: bool,
    /// What it does.
    pub change: Cow<'a, Change>,
}

impl<'a> Spoken<'a> {
    /// All that an event says of what was asked about, in no particular order: the attribute, the place in the order of
    /// the fold, and what is said.
    pub fn of<'q>(
        counted: Counted<'a>,
        question: &'q Question,
    ) -> impl Iterator<Item = (&'a Effect, Order, Self)> + use<'a, 'q> {
        let certainty = question.certainty;
        let counts = question.filter.admits(counted.event, certainty);
        let happenings = counted.event.happenings().len();
        let claims = counted.claims().zip((0..happenings).cycle());
        claims.filter(move |(claim, _)| question.asks_for(&claim.effect.entity)).map(
            move |(claim, happening)| {
                let spoken = Self {
                    place: counted.place,
                    seq: counted.seq,
                    position: claim.position,
                    happening,
                    moment: claim.moment(),
                    when: claim.effect.when,
                    holds: counts && claim.holds(question.as_of.until(), certainty),
                    change: Cow::Borrowed(&claim.effect.change),
                };
                (claim.effect, claim.order(certainty), spoken)
            },
        )
    }

    /// The claim among those of its attribute.
    pub(super) const fn name(&self) -> ClaimName {
        (self.place, self.position, self.happening)
    }
}

/// Which claim on an attribute it is: the event's place, the effect's position and the happening.
pub(super) type ClaimName = (Seq, usize, usize);

/// Listens to the claims on one attribute.
#[derive(Debug)]
pub struct Listener {
    entity: String,
    attribute: String,
    groups: Groups,
    fold: Fold,
}

impl Listener {
    /// A listener for an attribute of an entity.
    pub fn new(question: &Question, entity: &str, attribute: &str) -> Self {
        Self {
            entity: entity.to_owned(),
            attribute: attribute.to_owned(),
            groups: Groups::new(question.certainty),
            fold: Fold::default(),
        }
    }

    /// The attribute.
    pub fn names(&self) -> (&str, &str) {
        (&self.entity, &self.attribute)
    }

    /// Hears the next claim, in the order of the fold; of one effect the happenings come in their order.
    pub fn hear(&mut self, spoken: &Spoken<'_>) {
        self.groups.hear(spoken);
        self.fold.hear((&self.entity, &self.attribute), spoken);
    }

    /// What was found.
    pub(super) fn finish(self) -> (Vec<ContestedAt>, Vec<ClashAt>) {
        (self.groups.finish(&self.entity, &self.attribute), self.fold.found)
    }
}
