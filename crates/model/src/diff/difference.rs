//! One attribute on two sides: whether its value differs, and which events are responsible.

use std::collections::{BTreeMap, HashMap};

use super::Kind;
use crate::date::Span;
use crate::fold::{Said, stand};
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
    /// the order of the log, and effect by effect. Nothing where the values are the same.
    pub fn of(
        (entity, attribute): (&str, &str),
        claims: &[Vec<Said<'_>>; 2],
        as_of: [Moment; 2],
        certainty: Certainty,
    ) -> Option<Self> {
        let holds = |side: usize, claim: &Said<'_>| claim.holds(as_of[side], certainty);
        let made = [0, 1].map(|side| ranked(&claims[side]));
        let held =
            |side: usize| made[side].iter().filter(move |(_, claim)| holds(side, claim)).map(|(key, _)| key);
        let effects = |side: usize| {
            made[side].iter().filter(move |(_, c)| holds(side, c)).map(|(_, c)| (c.change, c.when))
        };
        // Most attributes are made of the same claims on both sides, and need no folding.
        if held(0).eq(held(1)) && effects(0).eq(effects(1)) {
            return None;
        }
        let stood = [0, 1].map(|side| stand(&claims[side], as_of[side], certainty));
        let [from, to] = [0, 1].map(|side| stood[side].value.as_deref());
        let kind = Kind::of(from, to).filter(|_| from != to)?;
        let mut responsible = BTreeMap::new();
        for (side, other) in [(0, 1), (1, 0)] {
            let ranks: HashMap<(Seq, usize), usize> =
                made[side].iter().map(|(key, claim)| ((key.place, claim.position), key.rank)).collect();
            let there: HashMap<Key, &Said<'_>> =
                made[other].iter().map(|(key, claim)| (*key, claim)).collect();
            for index in stood[side].steps.effective() {
                let claim = &claims[side][index];
                let place = claim.place;
                let rank = ranks.get(&(place, claim.position)).copied().unwrap_or_default();
                let key = Key { place, rank, span: claim.span };
                match there.get(&key).filter(|same| (same.change, same.when) == (claim.change, claim.when)) {
                    Some(same) if holds(other, same) => {}
                    Some(_) => drop(responsible.entry(place).or_insert(Role::Crossed)),
                    None => drop(responsible.insert(place, Role::Rewritten)),
                }
            }
        }
        let (entity, attribute) = (entity.to_owned(), attribute.to_owned());
        Some(Self { entity, attribute, kind, from: from.cloned(), to: to.cloned(), responsible })
    }
}

/// What makes a claim the same one in two versions of its event: which event, which of its effects on the
/// attribute, and which happening. It also says all that the order of the fold depends on but the kind of effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    place: Seq,
    rank: usize,
    span: Span,
}

/// The claims with their keys. They come event by event and effect by effect, as they were made.
fn ranked<'a>(claims: &[Said<'a>]) -> Vec<(Key, Said<'a>)> {
    let mut ranked: Vec<(Key, Said<'a>)> = Vec::with_capacity(claims.len());
    for claim in claims {
        let place = claim.place;
        let rank = match ranked.last() {
            Some((before, last)) if before.place == place => {
                before.rank + usize::from(last.position != claim.position)
            }
            _ => 0,
        };
        ranked.push((Key { place, rank, span: claim.span }, *claim));
    }
    ranked
}
