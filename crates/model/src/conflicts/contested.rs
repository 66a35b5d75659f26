//! Contested values: events of the same date that set the same attribute to different values.
//!
//! Of equal bounds the later record stands, and the reader of an answer has to know that another source says
//! something else. Dates count as the same when their bounds are; a wide one, such as a year, may also hide
//! that one thing followed the other.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use serde::Serialize;

use super::first::Found;
use super::spoken::{ClaimName, Spoken};
use super::{Mention, Witness, Witnesses};
use crate::date::Range;
use crate::fold::Said;
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

/// What is heard of an attribute, by the date.
#[derive(Debug)]
pub(super) struct Groups {
    certainty: Certainty,
    /// The groups to which more may be said.
    open: BTreeMap<Range, Group>,
    found: Vec<(Range, Vec<WordAt>)>,
    /// The last claim that holds and replaces all before it.
    base: Option<ClaimName>,
}

/// What is said of an attribute for one date.
#[derive(Debug, Default)]
struct Group {
    heard: Vec<Heard>,
    /// What was said, of equal neighbours one.
    values: Vec<Value>,
}

/// A claim that sets a value, and which one that is.
#[derive(Debug)]
struct Heard {
    name: ClaimName,
    seq: Seq,
    value: usize,
}

/// A contested value whose events are named by their records.
#[derive(Debug)]
pub(super) struct ContestedAt {
    entity: String,
    attribute: String,
    moment: Range,
    pub words: Vec<WordAt>,
}

/// What one event says about an attribute.
#[derive(Debug)]
pub(super) struct WordAt {
    name: ClaimName,
    pub seq: Seq,
    value: Value,
    stands: bool,
}

impl Groups {
    pub const fn new(certainty: Certainty) -> Self {
        Self { certainty, open: BTreeMap::new(), found: Vec::new(), base: None }
    }

    /// Hears the next claim in the order of the fold.
    pub fn hear(&mut self, spoken: &Spoken<'_>) {
        if spoken.holds && spoken.change.replaces() {
            self.base = Some(spoken.name());
        }
        let Change::Set(value) = spoken.change.as_ref() else { return };
        if self.open.keys().next().is_some_and(|open| !self.may_come_together(*open, spoken.moment)) {
            self.close();
        }
        self.open.entry(spoken.moment).or_default().hear(spoken, value);
    }

    /// Whether claims of one date may still come among those of the other: of dates that begin alike the fold may take the
    /// end of an interval before or behind the others that are equal to it.
    fn may_come_together(&self, open: Range, moment: Range) -> bool {
        match self.certainty {
            Certainty::Surely => open == moment,
            Certainty::Possibly => open.earliest == moment.earliest,
        }
    }

    fn close(&mut self) {
        for (moment, group) in std::mem::take(&mut self.open) {
            self.found.extend(group.words().map(|words| (moment, words)));
        }
    }

    /// Every group of claims that contest each other.
    pub fn finish(mut self, entity: &str, attribute: &str) -> Vec<ContestedAt> {
        self.close();
        let told = |(moment, mut words): (Range, Vec<WordAt>)| {
            for word in &mut words {
                word.stands = self.base == Some(word.name);
            }
            ContestedAt { entity: entity.to_owned(), attribute: attribute.to_owned(), moment, words }
        };
        self.found.into_iter().map(told).collect()
    }
}

impl Group {
    fn hear(&mut self, spoken: &Spoken<'_>, value: &Value) {
        let known = [0, self.values.len().saturating_sub(1)];
        let known = known.into_iter().find(|index| self.values.get(*index) == Some(value));
        let value = known.unwrap_or_else(|| {
            self.values.push(value.clone());
            self.values.len() - 1
        });
        self.heard.push(Heard { name: spoken.name(), seq: spoken.seq, value });
    }

    /// What each event says last, in the order of the log, where not all say the same.
    fn words(mut self) -> Option<Vec<WordAt>> {
        if self.values.len() < 2 {
            return None;
        }
        self.heard.sort_unstable_by_key(|Heard { name: (place, position, happening), .. }| {
            (*place, Reverse(*position), *happening)
        });
        self.heard.dedup_by_key(|heard| heard.name.0);
        let mut values = self.heard.iter().filter_map(|heard| self.values.get(heard.value));
        let first = values.next()?;
        if values.all(|value| value == first) {
            return None;
        }
        let word = |Heard { name, seq, value }: &Heard| {
            Some(WordAt { name: *name, seq: *seq, value: self.values.get(*value)?.clone(), stands: false })
        };
        self.heard.iter().map(word).collect()
    }
}

impl Found for ContestedAt {
    fn order(&self, other: &Self) -> Ordering {
        // An attribute has one for each moment.
        let names = (&self.entity, &self.attribute).cmp(&(&other.entity, &other.attribute));
        names.then_with(|| self.moment.cmp(&other.moment))
    }
}

impl ContestedAt {
    /// The contested value with its events, where all are known.
    pub fn told(self, witnesses: &mut Witnesses) -> Option<Contested> {
        let word = |WordAt { seq, value, stands, .. }| {
            let Witness { event, sources } = witnesses.take(seq)?;
            Some(Word { event, value, stands, sources })
        };
        let claims: Vec<Word> = self.words.into_iter().map(word).collect::<Option<_>>()?;
        let decides = claims.iter().any(|word| word.stands);
        Some(Contested { entity: self.entity, attribute: self.attribute, decides, claims })
    }
}
