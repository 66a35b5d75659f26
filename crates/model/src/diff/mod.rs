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
mod difference;

use std::collections::BTreeMap;

use serde::Serialize;

pub use cause::{Cause, CauseKind, Withdrawn};
pub use difference::{Difference, Role, mattering};

use cause::Histories;

use crate::fold::{Counted, Said};
use crate::{
    AsOf, Certainty, Date, EventId, Filter, Moment, Position, Question, RecordedAt, TimelineName, Value,
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
type Claims<'a> = [Vec<Said<'a>>; 2];

impl Diff {
    /// Compares two sides of a question. Of the question itself, its date and its point of knowledge are not
    /// looked at: each side has its own.
    pub fn between(question: &Question, from: &Side<'_>, to: &Side<'_>) -> Self {
        let differences = Self::differences(question, from, to);
        Self::told(question, from, to, differences)
    }

    /// The attributes whose values differ, in the order of their names. Of the events on the two sides only those are
    /// needed that the question admits.
    pub fn differences(question: &Question, from: &Side<'_>, to: &Side<'_>) -> Vec<Difference> {
        let as_of = [from.as_of.until(), to.as_of.until()];
        attributes(question, [from, to])
            .into_iter()
            .filter_map(|(names, claims)| Difference::of(names, &claims, as_of, question.certainty))
            .collect()
    }

    /// Tells differences that were found already, in the order of their names. Of the events on the two sides only those
    /// are needed that are responsible.
    pub fn told(question: &Question, from: &Side<'_>, to: &Side<'_>, differences: Vec<Difference>) -> Self {
        let histories = Histories::of([from, to]);
        let changed = |difference| changed(difference, &histories);
        Self {
            schema: SCHEMA,
            timeline: question.timeline.clone(),
            from: from.point(),
            to: to.point(),
            certainty: question.certainty,
            filter: question.filter.clone(),
            entities: question.entities.clone(),
            changes: differences.into_iter().map(changed).collect(),
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
            found.entry(of).or_default()[index].push(claim.said());
        }
    }
    found
}

fn changed(difference: Difference, histories: &Histories<'_>) -> Changed {
    let Difference { entity, attribute, kind, from, to, responsible } = difference;
    let causes: Vec<Cause> =
        responsible.into_iter().filter_map(|(place, role)| histories.cause(place, role)).collect();
    let events = causes.iter().map(|cause| cause.id.clone()).collect();
    Changed { entity, attribute, kind, from, to, events, causes }
}
