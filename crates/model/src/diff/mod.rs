//! What changed between two dates, or between two states of knowledge about one, and by which events.
//!
//! Two [`Side`]s of one question are compared: each is a date and what was known of it. A change is an attribute
//! whose value differs; an absent value is one too. Which event decided a value that stayed the same, and how
//! sure it is, is no change.
//!
//! # Responsible events
//!
//! An attribute is folded once for each side. What the value is made of are the fold's effective claims: the last
//! one that replaced everything, and those after it that changed something. An event is responsible for a change
//! if one of its effective claims, on either side, is not made or does not hold on the other. It is made there if
//! the event's version there says the same of the attribute: the same effect of the same happening, at the same
//! place among the event's effects on it. So an event that was corrected in its title only is not responsible,
//! and neither is one that holds on both sides and is merely overridden on one.
//!
//! Every change has a responsible event. If all effective claims of both sides held on both, the last replacement
//! would be the same; the claims that come after it on one side only would not be effective and change nothing;
//! and the others come in the same order on both. So the values would be equal.

mod cause;

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

pub use cause::{Cause, CauseKind, Withdrawn};
use cause::{Histories, Responsible};

use crate::date::Span;
use crate::fold::{Claim, Counted, fold};
use crate::{
    AsOf, Certainty, Date, Effect, EventId, Filter, Moment, Position, Question, RecordedAt, Seq,
    TimelineName, Value,
};

/// The name of the JSON form.
pub const SCHEMA: &str = "annals/diff/1";

/// What changed from one side to the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The timeline that was asked about.
    pub timeline: TimelineName,
    /// The side that is compared.
    pub from: Point,
    /// The side that it is compared with.
    pub to: Point,
    /// What had to hold of an effect.
    pub certainty: Certainty,
    /// Which events counted, where not all did.
    #[serde(skip_serializing_if = "Filter::is_empty")]
    pub filter: Filter,
    /// The entities that were asked for, where not all were.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<String>,
    /// The attributes whose value differs, by entity and attribute.
    pub changes: Vec<Changed>,
}

/// A point on both axes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Point {
    /// The date axis, as it was given.
    pub as_of: Date,
    /// The last second that counts.
    pub as_of_until: Moment,
    /// The record axis: the last record that counts.
    pub known_at: Position,
}

/// An attribute whose value differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
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
    /// The responsible events, in the order in which they first entered the log; never empty.
    pub events: Vec<EventId>,
    /// What happened to each of them.
    pub causes: Vec<Cause>,
}

/// What kind of change it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// There was no value, and now there is.
    Added,
    /// There is another value.
    Changed,
    /// There was a value, and now there is none.
    Gone,
}

/// One side of a comparison: a date, and what was known of it.
#[derive(Clone, Debug)]
pub struct Side<'a> {
    /// The date axis.
    pub as_of: &'a AsOf,
    /// The record axis: the last record that counts.
    pub position: Position,
    /// The events that count, in the order in which they first entered the log, and when the version that counts
    /// was recorded.
    pub events: Vec<(Counted<'a>, RecordedAt)>,
    /// The events that were withdrawn.
    pub withdrawn: &'a [Withdrawn],
}

/// The claims on one attribute, of each side.
type Claims<'a> = [Vec<Claim<'a>>; 2];

impl Diff {
    /// Compares two sides of a question. Of the question itself, its date and its point of knowledge are not
    /// looked at: each side has its own.
    pub fn between(question: &Question, from: &Side<'_>, to: &Side<'_>) -> Self {
        let sides = [from, to];
        let histories = Histories::of(sides);
        let changes = attributes(question, sides)
            .into_iter()
            .filter_map(|(of, claims)| changed(of, &claims, sides, question.certainty, &histories))
            .collect();
        Self {
            schema: SCHEMA,
            timeline: question.timeline.clone(),
            from: from.point(),
            to: to.point(),
            certainty: question.certainty,
            filter: question.filter.clone(),
            entities: question.entities.clone(),
            changes,
        }
    }

    /// Whether nothing changed.
    pub const fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl Kind {
    /// The kind of a change from one value to another; none where both are absent.
    pub const fn of<T>(from: Option<&T>, to: Option<&T>) -> Option<Self> {
        match (from, to) {
            (None, None) => None,
            (None, Some(_)) => Some(Self::Added),
            (Some(_), None) => Some(Self::Gone),
            (Some(_), Some(_)) => Some(Self::Changed),
        }
    }
}

impl Side<'_> {
    fn point(&self) -> Point {
        Point { as_of: self.as_of.date().clone(), as_of_until: self.as_of.until(), known_at: self.position }
    }
}

/// The claims that are admitted and asked for, by attribute.
fn attributes<'a>(question: &Question, sides: [&Side<'a>; 2]) -> BTreeMap<(&'a str, &'a str), Claims<'a>> {
    let asked = |entity: &str| question.entities.is_empty() || question.entities.iter().any(|e| e == entity);
    let mut found: BTreeMap<(&str, &str), Claims<'_>> = BTreeMap::new();
    for (index, side) in sides.into_iter().enumerate() {
        let counted = side.events.iter().map(|(counted, _)| *counted);
        let admitted = counted.filter(|one| question.filter.admits(one.event, question.certainty));
        for claim in admitted.flat_map(Counted::claims).filter(|claim| asked(&claim.effect.entity)) {
            let of = (claim.effect.entity.as_str(), claim.effect.attribute.as_str());
            found.entry(of).or_default()[index].push(claim);
        }
    }
    found
}

fn changed(
    (entity, attribute): (&str, &str),
    claims: &Claims<'_>,
    sides: [&Side<'_>; 2],
    certainty: Certainty,
    histories: &Histories<'_>,
) -> Option<Changed> {
    let holds = |side: usize, claim: &Claim<'_>| claim.holds(sides[side].as_of.until(), certainty);
    let made = [0, 1].map(|side| ranked(&claims[side]));
    let held =
        |side: usize| made[side].iter().filter(move |(_, claim)| holds(side, claim)).map(|(key, _)| key);
    let effects = |side: usize| made[side].iter().filter(move |(_, c)| holds(side, c)).map(|(_, c)| c.effect);
    // Most attributes are made of the same claims on both sides, and need no folding.
    if held(0).eq(held(1)) && effects(0).eq(effects(1)) {
        return None;
    }
    let folded = [0, 1].map(|side| fold(&claims[side], sides[side].as_of.until(), certainty));
    let [from, to] = [0, 1].map(|side| folded[side].standing.as_ref().map(|standing| &standing.value));
    let kind = Kind::of(from, to).filter(|_| from != to)?;
    let mut responsible = Responsible::new(histories);
    for (side, other) in [(0, 1), (1, 0)] {
        let ranks: HashMap<(Seq, usize), usize> =
            made[side].iter().map(|(key, claim)| ((key.place, claim.position), key.rank)).collect();
        let there: HashMap<Key, &Claim<'_>> = made[other].iter().map(|(key, claim)| (*key, claim)).collect();
        for claim in folded[side].effective() {
            let rank = ranks.get(&(claim.counted.place, claim.position)).copied().unwrap_or_default();
            let key = Key { place: claim.counted.place, rank, span: claim.span };
            match there.get(&key).filter(|same| is_same(same.effect, claim.effect)) {
                Some(same) if holds(other, same) => {}
                Some(_) => responsible.crossed(&claim),
                None => responsible.rewritten(&claim),
            }
        }
    }
    let causes = responsible.into_causes();
    Some(Changed {
        entity: entity.to_owned(),
        attribute: attribute.to_owned(),
        kind,
        from: from.cloned(),
        to: to.cloned(),
        events: causes.iter().map(|cause| cause.id.clone()).collect(),
        causes,
    })
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
fn ranked<'a>(claims: &[Claim<'a>]) -> Vec<(Key, Claim<'a>)> {
    let mut ranked: Vec<(Key, Claim<'a>)> = Vec::with_capacity(claims.len());
    for claim in claims {
        let place = claim.counted.place;
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

/// Whether two effects on one attribute do the same.
fn is_same(a: &Effect, b: &Effect) -> bool {
    a.change == b.change && a.when == b.when
}
