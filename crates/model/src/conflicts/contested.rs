//! Contested values: events of the same date that set the same attribute to different values.
//!
//! Of equal bounds the later record stands, and the reader of an answer has to know that another source says
//! something else. Dates count as the same when their bounds are; a wide one, such as a year, may also hide
//! that one thing followed the other.

use std::cmp::Reverse;
use std::collections::HashMap;

use serde::Serialize;

use super::{Attribute, Mention};
use crate::date::Range;
use crate::fold::{Claim, Said};
use crate::{Certainty, Change, Moment, Seq, Source, Value};

/// An attribute that events of the same date set to different values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contested {
    /// Whose attribute it is.
    pub entity: String,
    /// The attribute.
    pub attribute: String,
    /// Whether one of the claims is part of what stands as of the date asked about.
    pub decides: bool,
    /// What each event says, in the order of the log.
    pub claims: Vec<Word>,
}

/// What one event says about an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Word {
    /// The event.
    #[serde(flatten)]
    pub event: Mention,
    /// The value that it sets.
    pub value: Value,
    /// Whether what stands as of the date asked about is made of it.
    pub stands: bool,
    /// Where the event says that it comes from.
    pub sources: Vec<Source>,
}

/// The claims that contest a deciding one: of what is `said` of one attribute, by their places there, those of other
/// events that hold as of a moment, at the same bounds, and set another value. They come in the order of the log; there
/// is none where the deciding claim does not set a value.
pub fn contested(said: &[Said<'_>], deciding: usize, as_of: Moment, certainty: Certainty) -> Vec<usize> {
    let deciding = &said[deciding];
    let Change::Set(value) = deciding.change else { return Vec::new() };
    let is_at_the_same_time =
        |said: &Said<'_>| said.moment() == deciding.moment() && said.holds(as_of, certainty);
    let mut words = last_words((0..).zip(said).filter(|(_, said)| is_at_the_same_time(said)));
    words.retain(|word| word.place != deciding.place && word.value != value);
    words.into_iter().map(|word| word.claim).collect()
}

/// The last value that an event sets, and the place of the claim that sets it.
struct LastWord<'a> {
    place: Seq,
    claim: usize,
    value: &'a Value,
}

/// What each event sets last, by its place in the log.
fn last_words<'c, 'a: 'c>(said: impl Iterator<Item = (usize, &'c Said<'a>)>) -> Vec<LastWord<'a>> {
    let mut sets: Vec<(Seq, Reverse<usize>, usize, &Value)> = Vec::new();
    for (claim, Said { place, position, change, .. }) in said {
        if let Change::Set(value) = change {
            sets.push((*place, Reverse(*position), claim, value));
        }
    }
    sets.sort_unstable_by_key(|(place, position, claim, _)| (*place, *position, *claim));
    sets.dedup_by_key(|(place, ..)| *place);
    sets.into_iter().map(|(place, _, claim, value)| LastWord { place, claim, value }).collect()
}

/// Every group of claims on an attribute that contest each other, in the order of their dates.
pub(super) fn find(attribute: &Attribute<'_>) -> Vec<Contested> {
    let mut by_moment: HashMap<Range, Vec<&Claim<'_>>> = HashMap::new();
    for claim in &attribute.claims {
        if matches!(claim.effect.change, Change::Set(_)) {
            by_moment.entry(claim.moment()).or_default().push(claim);
        }
    }
    let mut groups: Vec<(Range, Vec<&Claim<'_>>)> =
        by_moment.into_iter().filter(|(_, group)| group.len() > 1).collect();
    groups.sort_unstable_by_key(|(moment, _)| *moment);
    groups.into_iter().filter_map(|(_, group)| of_group(attribute, &group)).collect()
}

fn of_group(attribute: &Attribute<'_>, group: &[&Claim<'_>]) -> Option<Contested> {
    let said: Vec<Said<'_>> = group.iter().map(|claim| claim.said()).collect();
    let words = last_words((0..).zip(&said));
    let mut values = words.iter().map(|word| word.value);
    let first = values.next()?;
    if values.all(|value| value == first) {
        return None;
    }
    let stands = |claim: &Claim<'_>| {
        let same = |other: Claim<'_>| {
            (other.counted.place, other.position) == (claim.counted.place, claim.position)
                && other.span == claim.span
        };
        attribute.steps.effective().any(same)
    };
    let word = |LastWord { claim, value, .. }| {
        let claim = group[claim];
        Word {
            event: Mention::of(&claim.counted),
            value: Value::clone(value),
            stands: stands(claim),
            sources: claim.counted.event.sources.clone(),
        }
    };
    let words: Vec<Word> = words.into_iter().map(word).collect();
    Some(Contested {
        entity: attribute.entity.to_owned(),
        attribute: attribute.name.to_owned(),
        decides: words.iter().any(|word| word.stands),
        claims: words,
    })
}
