//! What in a timeline contradicts itself, or looks as if it were not meant: `annals/conflicts/1`.
//!
//! Each finder is a file of its own and a pure function over events that count. None compares every event with
//! every other: claims are grouped by attribute and moment, events by day, links are followed. What a finder
//! calls a conflict is a reason to look, not a verdict; nothing is changed by it.

mod clashes;
mod contested;
mod duplicates;
mod links;
mod precision;
mod stale;
mod titles;

use std::collections::BTreeMap;

use serde::Serialize;

pub use self::clashes::Misfit;
pub use self::contested::{Contested, Word, contested};
pub use self::duplicates::{Duplicates, MOST_COMPARED};
pub use self::links::{BrokenLink, LinkFault};
pub use self::precision::{FalsePrecision, Sign, Suspect};
pub use self::stale::{Dated, Outdated, Stale};

use crate::fold::{Claim, Counted, Steps, steps};
use crate::{Asked, Certainty, Date, Event, EventId, Knowledge, Op, Question, Seq};

/// The name of the JSON form.
pub const SCHEMA: &str = "annals/conflicts/1";

/// One record of an event, as a history needs it.
#[derive(Clone, Debug)]
pub struct Version {
    /// The record.
    pub seq: Seq,
    /// What it did.
    pub op: Op,
    /// The event as it said; nothing for a withdrawal, and where the content was redacted.
    pub event: Option<Event>,
}

/// The records of some events up to K, oldest first: of every event that says after or before which others it
/// happened, of those others, and of every event that a link names and that does not count.
pub type Histories = BTreeMap<EventId, Vec<Version>>;

/// What contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conflicts {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The question.
    #[serde(flatten)]
    pub asked: Asked,
    /// How many events were looked at.
    pub events: u64,
    /// How many conflicts were found, of all kinds.
    pub found: u64,
    /// Attributes that events of the same date set to different values.
    pub contested: Vec<Contested>,
    /// Effects that do not fit what stood.
    pub clashes: Vec<Misfit>,
    /// Events that are probably one.
    pub duplicates: Vec<Duplicates>,
    /// Days, at `crowded_days`, of which each event was compared with its [`MOST_COMPARED`] nearest only.
    pub crowded_days: u64,
    /// Dates that look more exact than what is known.
    pub false_precision: Vec<FalsePrecision>,
    /// Links that the dates contradict, or that lead nowhere.
    pub links: Vec<BrokenLink>,
    /// Dates that were computed from others which have changed.
    pub stale: Vec<Stale>,
}

/// An event, as far as a conflict names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mention {
    /// Its id.
    pub id: EventId,
    /// The record of the version that counts.
    pub seq: Seq,
    /// Its date; absent when nobody knows.
    pub date: Option<Date>,
    /// Its title.
    pub title: String,
}

impl Mention {
    fn of(counted: &Counted<'_>) -> Self {
        let Event { id, date, title, .. } = counted.event;
        Self { id: id.clone(), seq: counted.seq, date: date.clone(), title: title.clone() }
    }
}

/// One attribute: all its claims, and those that hold of the ones that the question counts.
struct Attribute<'a> {
    entity: &'a str,
    name: &'a str,
    claims: Vec<Claim<'a>>,
    steps: Steps<Claim<'a>>,
}

impl Conflicts {
    /// Looks for everything.
    ///
    /// Filters by date keep what may fall between them, so that no conflict is hidden by a vague date; what
    /// stands as of D is what [`Snapshot::answer`](crate::Snapshot::answer) says.
    pub fn find(question: &Question, known: &Knowledge<'_>, histories: &Histories) -> Self {
        let is_asked = |entity: &String| question.entities.is_empty() || question.entities.contains(entity);
        let looked_at = |counted: &&Counted<'_>| {
            let mut effects = counted.event.effects.iter();
            question.filter.admits(counted.event, Certainty::Possibly)
                && (question.entities.is_empty() || effects.any(|effect| is_asked(&effect.entity)))
        };
        let events: Vec<Counted<'_>> = known.events.iter().filter(looked_at).copied().collect();
        let attributes = attributes(question, &events, is_asked);
        let stale = stale::find(&events, histories);
        let (duplicates, crowded_days) = duplicates::find(&events);
        let mut conflicts = Self {
            schema: SCHEMA,
            asked: Asked::new(question, known.position),
            events: events.len() as u64,
            found: 0,
            contested: attributes.iter().flat_map(contested::find).collect(),
            clashes: attributes.iter().flat_map(clashes::find).collect(),
            duplicates,
            crowded_days,
            false_precision: precision::find(&events),
            links: links::find(&events, &known.events, histories, &stale),
            stale,
        };
        conflicts.found = conflicts.count();
        conflicts
    }

    fn count(&self) -> u64 {
        let suspects: usize = self.false_precision.iter().map(|found| found.events.len()).sum();
        let lists = [
            self.contested.len(),
            self.clashes.len(),
            self.duplicates.len(),
            suspects,
            self.links.len(),
            self.stale.len(),
        ];
        lists.iter().sum::<usize>() as u64
    }
}

/// The attributes that events change, each with what stands in it as of the date asked about.
fn attributes<'a>(
    question: &Question,
    events: &[Counted<'a>],
    is_asked: impl Fn(&String) -> bool,
) -> Vec<Attribute<'a>> {
    let mut claims: BTreeMap<(&'a str, &'a str), Vec<Claim<'a>>> = BTreeMap::new();
    for claim in events.iter().flat_map(|counted| counted.claims()) {
        if is_asked(&claim.effect.entity) {
            claims.entry((&claim.effect.entity, &claim.effect.attribute)).or_default().push(claim);
        }
    }
    let counts = |claim: &&Claim<'_>| question.filter.admits(claim.counted.event, question.certainty);
    let attribute = |((entity, name), claims): ((&'a str, &'a str), Vec<Claim<'a>>)| {
        let counting: Vec<Claim<'a>> = claims.iter().filter(counts).copied().collect();
        let steps = steps(&counting, question.as_of.until(), question.certainty);
        Attribute { entity, name, claims, steps }
    };
    claims.into_iter().map(attribute).collect()
}
