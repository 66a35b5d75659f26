//! Contested values: events of the same date that set the same attribute to different values.
//!
//! Of equal bounds the later record stands, and the reader of an answer has to know that another source says
//! something else. Dates count as the same when their bounds are; a wide one, such as a year, may also hide
//! that one thing followed the other.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::{Attribute, Mention};
use crate::date::Range;
use crate::fold::Claim;
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

/// The claims that contest a deciding one: of one attribute's `claims`, those of other events that hold as of a
/// moment, at the same bounds, and set another value. They come in the order of the log; there is none where
/// the deciding claim does not set a value.
pub fn contested<'a>(
    claims: &[Claim<'a>],
    deciding: &Claim<'a>,
    as_of: Moment,
    certainty: Certainty,
) -> Vec<Claim<'a>> {
    let Change::Set(value) = &deciding.effect.change else { return Vec::new() };
    let at_the_same_time =
        claims.iter().filter(|claim| claim.moment() == deciding.moment() && claim.holds(as_of, certainty));
    let mut others = last_words(at_the_same_time);
    others.remove(&deciding.counted.place);
    others.into_values().filter(|(_, other)| *other != value).map(|(claim, _)| claim).collect()
}

/// What each event sets last, by its place in the log.
fn last_words<'c, 'a: 'c>(
    claims: impl Iterator<Item = &'c Claim<'a>>,
) -> BTreeMap<Seq, (Claim<'a>, &'a Value)> {
    let mut words: BTreeMap<Seq, (Claim<'a>, &'a Value)> = BTreeMap::new();
    for claim in claims {
        let Change::Set(value) = &claim.effect.change else { continue };
        let word = words.entry(claim.counted.place).or_insert((*claim, value));
        if word.0.position < claim.position {
            *word = (*claim, value);
        }
    }
    words
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
    let words = last_words(group.iter().copied());
    let mut values = words.values().map(|(_, value)| value);
    let first = values.next()?;
    if values.all(|value| value == first) {
        return None;
    }
    let stands = |claim: &Claim<'_>| {
        let same = |other: Claim<'_>| {
            (other.counted.place, other.position) == (claim.counted.place, claim.position)
                && other.span == claim.span
        };
        attribute.folded.effective().any(same)
    };
    let words: Vec<Word> = words
        .values()
        .map(|(claim, value)| Word {
            event: Mention::of(&claim.counted),
            value: (*value).clone(),
            stands: stands(claim),
            sources: claim.counted.event.sources.clone(),
        })
        .collect();
    Some(Contested {
        entity: attribute.entity.to_owned(),
        attribute: attribute.name.to_owned(),
        decides: words.iter().any(|word| word.stands),
        claims: words,
    })
}
