//! One attribute on two sides: whether its value differs, and which events are responsible.

use std::collections::BTreeMap;

use super::Kind;
use crate::date::Span;
use crate::fold::{Said, decide, holds};
use crate::reduce::Sketch;
use crate::{Certainty, Moment, Seq, Value};

/// An attribute whose value differs.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Whose attribute it is.
    pub entity: String,
    /// The attribute.
    pub attribute: String,
    /// What kind of change it is.
    pub kind: Kind,
    /// The value on the one side; nothing where it was absent.
    pub from: Option<Value>,
    /// The value on the other side; nothing where it is absent.
    pub to: Option<Value>,
    /// The responsible events by their places in the log, and what each of them has to do with it.
    pub responsible: BTreeMap<Seq, Role>,
}

/// What a responsible event has to do with a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Both sides make a claim of it, which holds on one of them.
    Crossed,
    /// Only one side makes a claim of it: something was recorded in between.
    Rewritten,
}

impl Difference {
    /// Folds an attribute's claims of each side as of a moment of its own. The claims of a side come event by event, in
    /// the order of the log, and effect by effect; events may be left out that do not [matter](mattering). Nothing where
    /// the values are the same.
    pub fn of(
        (entity, attribute): (&str, &str),
        claims: &[Vec<Said<'_>>; 2],
        as_of: [Moment; 2],
        certainty: Certainty,
    ) -> Option<Self> {
        let holds = |side: usize, claim: &Said<'_>| claim.holds(as_of[side], certainty);
        let made = [0, 1].map(|side| ranked(&claims[side]));
        let held = |side: usize| {
            let all = made[side].iter().zip(&claims[side]);
            all.filter(move |(_, claim)| holds(side, claim))
                .map(|(key, claim)| (key, claim.change, claim.when))
        };
        // Most attributes are made of the same claims on both sides, and need no folding.
        if held(0).eq(held(1)) {
            return None;
        }
        let stood = [0, 1].map(|side| decide(&claims[side], as_of[side], certainty));
        let [from, to] = [0, 1].map(|side| stood[side].value.as_deref());
        let kind = Kind::of(from, to).filter(|_| from != to)?;
        let mut responsible = BTreeMap::new();
        for (side, other) in [(0, 1), (1, 0)] {
            for index in stood[side].steps.effective() {
                let (key, claim) = (made[side][index], &claims[side][index]);
                let first = made[other].partition_point(|there| there.place < key.place);
                let there = (made[other][first..].iter().zip(&claims[other][first..]))
                    .take_while(|(there, _)| there.place == key.place)
                    .find(|(there, _)| **there == key);
                let is_same = |there: &Said<'_>| (there.change, there.when) == (claim.change, claim.when);
                match there.map(|(_, same)| same).filter(|same| is_same(same)) {
                    Some(same) if holds(other, same) => {}
                    Some(_) => drop(responsible.entry(key.place).or_insert(Role::Crossed)),
                    None => drop(responsible.insert(key.place, Role::Rewritten)),
                }
            }
        }
        let (entity, attribute) = (entity.to_owned(), attribute.to_owned());
        Some(Self { entity, attribute, kind, from: from.cloned(), to: to.cloned(), responsible })
    }
}

/// The events, by their places in the log, of which a side's claims on an attribute matter to a comparison: those whose
/// claims what stands as of a moment may be made of, the last one that replaces everything and those after it.
pub fn mattering<'s>(
    sketches: impl Iterator<Item = &'s Sketch> + Clone,
    as_of: Moment,
    certainty: Certainty,
) -> impl Iterator<Item = Seq> {
    let holding = sketches.filter(move |sketch| holds(sketch.span, sketch.when, as_of, certainty));
    let order = move |sketch: &Sketch| sketch.order(certainty);
    let last = holding.clone().filter(|sketch| sketch.deed.replaces()).map(order).max();
    holding.filter(move |sketch| last.is_none_or(|last| last <= order(sketch))).map(|sketch| sketch.place)
}

/// What makes a claim the same one in two versions of its event: which event, which of its effects on the
/// attribute, and which happening. It also says all that the order of the fold depends on but the kind of effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    place: Seq,
    rank: usize,
    span: Span,
}

/// The keys of claims, which come event by event and effect by effect, as they were made.
fn ranked(claims: &[Said<'_>]) -> Vec<Key> {
    let mut ranked: Vec<Key> = Vec::with_capacity(claims.len());
    let mut position = 0;
    for claim in claims {
        let Said { place, span, .. } = *claim;
        let rank = match ranked.last() {
            Some(before) if before.place == place => before.rank + usize::from(position != claim.position),
            _ => 0,
        };
        position = claim.position;
        ranked.push(Key { place, rank, span });
    }
    ranked
}
