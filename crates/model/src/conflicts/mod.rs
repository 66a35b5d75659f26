//! What in a timeline contradicts itself, or looks as if it were not meant: `annals/conflicts/1`.
//!
//! Each finder is a file of its own and pure; it sees the events that count one after the other, and keeps of them no
//! more than it needs. None compares every event with every other: claims are grouped by attribute and moment, events
//! by day, links are followed. What a finder calls a conflict is a reason to look, not a verdict; nothing is changed
//! by it. [`Search`] drives them, and [`Conflicts::find`] a search over events that are all in memory.

mod clashes;
mod contested;
mod duplicates;
mod first;
mod links;
mod precision;
mod search;
mod spoken;
mod stale;
mod titles;
mod witnesses;

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

pub use self::clashes::Misfit;
pub use self::contested::{Contested, Word, contested};
pub use self::duplicates::{Candidate, Duplicates, MOST_COMPARED};
pub use self::links::{BrokenLink, LinkAt, LinkFault};
pub use self::precision::{FalsePrecision, Sign, Suspect};
pub use self::search::{Answer, Search};
pub use self::spoken::{Listener, Spoken};
pub use self::stale::{Dated, Outdated, Stale};
pub use self::titles::Title;

use self::witnesses::{Witness, Witnesses};
use crate::fold::Counted;
use crate::relative::is_relative;
use crate::{Asked, Date, Event, EventId, Knowledge, Op, Question, Seq};

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

/// The records of some events up to K, oldest first. [`Conflicts::find`] needs those of every event that says after or
/// before which others it happened, of these others, and of every event that a link names and that does not count.
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
    /// How many there are of each kind, told or not.
    #[serde(skip)]
    pub counts: Counts,
}

/// How many conflicts there are of each kind. Of each as many are told as were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of contested values.
    pub contested: u64,
    /// Of clashes.
    pub clashes: u64,
    /// Of groups of duplicates.
    pub duplicates: u64,
    /// Of suspects, by each sign.
    pub false_precision: Vec<u64>,
    /// Of links.
    pub links: u64,
    /// Of stale dates.
    pub stale: u64,
}

impl Counts {
    /// How many there are of all kinds.
    pub fn all(&self) -> u64 {
        let Self { contested, clashes, duplicates, false_precision, links, stale } = self;
        contested + clashes + duplicates + false_precision.iter().sum::<u64>() + links + stale
    }
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
    fn of(seq: Seq, Event { id, date, title, .. }: &Event) -> Self {
        Self { id: id.clone(), seq, date: date.clone(), title: title.clone() }
    }
}

impl Conflicts {
    /// Looks for everything, in events that are all in memory; what stands as of D is what
    /// [`Snapshot::answer`](crate::Snapshot::answer) says. Whoever has more of them than that drives a [`Search`].
    pub fn find(question: &Question, known: &Knowledge<'_>, histories: &Histories) -> Self {
        let is_asked = |counted: &&Counted<'_>| Search::looks_at(question, counted.event);
        let mut events: Vec<Counted<'_>> = known.events.iter().filter(is_asked).copied().collect();
        events.sort_by_cached_key(Counted::list_order);
        let mut search = Search::new(usize::MAX);
        listen(question, &events, &mut search);
        let others: HashMap<&EventId, &Event> =
            known.events.iter().map(|counted| (&counted.event.id, counted.event)).collect();
        let mut wide = Vec::new();
        for counted in &events {
            let candidate = search.see(counted);
            wide.extend(candidate.map(|candidate| (counted.event.happenings(), candidate)));
            if is_relative(counted.event) {
                search.relate(counted, histories);
            }
        }
        wide.sort_unstable();
        for (happenings, candidate) in wide {
            search.compare(happenings, candidate);
        }
        for link in events.iter().flat_map(|counted| LinkAt::of(*counted)) {
            if let Some(other) = others.get(&link.link.to) {
                search.follow(link, other.date.as_ref());
            } else {
                let records = histories.get(&link.link.to);
                search.miss(link, records.is_some_and(|records| !records.is_empty()));
            }
        }
        let mut answer = search.finish();
        for counted in &events {
            answer.tell(counted.seq, counted.event);
        }
        answer.conflicts(question, known.position)
    }
}

/// Hears all claims of events on each attribute.
fn listen(question: &Question, events: &[Counted<'_>], search: &mut Search) {
    let mut attributes: BTreeMap<(&str, &str), Vec<_>> = BTreeMap::new();
    for (effect, order, spoken) in events.iter().flat_map(|counted| Spoken::of(*counted, question)) {
        attributes.entry((&effect.entity, &effect.attribute)).or_default().push((order, spoken));
    }
    for ((entity, attribute), mut all) in attributes {
        all.sort_by_key(|(order, spoken)| (*order, spoken.happening));
        let mut listener = Listener::new(question, entity, attribute);
        for (_, spoken) in &all {
            listener.hear(spoken);
        }
        search.heard(listener);
    }
}
