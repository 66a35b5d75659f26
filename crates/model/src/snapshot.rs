//! A snapshot: a state together with the question that it answers, and its JSON form `annals/snapshot/1`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::canonical::canonical_sha256;
use crate::conflicts::contested;
use crate::fold::{Claim, Counted, Folded, Standing, fold};
use crate::line::hex;
use crate::{
    Certainty, Change, Date, EventId, Filter, Moment, Open, Question, RecordedAt, Seq, Source, TimelineName,
    Value,
};

/// The name of the JSON form.
pub const SCHEMA: &str = "annals/snapshot/1";

/// Entity → attribute → what stands there.
pub type State = BTreeMap<String, BTreeMap<String, Cell>>;

/// Entity → attribute → what the dates leave open about an attribute that is absent from the state.
pub type Unsettled = BTreeMap<String, BTreeMap<String, Open>>;

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The timeline that was asked about.
    pub timeline: TimelineName,
    /// The date axis, as it was given.
    pub as_of: Date,
    /// The last second that counts.
    pub as_of_until: Moment,
    /// The record axis: the last record that counts.
    pub known_at: Position,
    /// What had to hold of an effect.
    pub certainty: Certainty,
    /// Which events counted, where not all did.
    #[serde(skip_serializing_if = "Filter::is_empty")]
    pub filter: Filter,
    /// The entities that were asked for, where not all were.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<String>,
    /// How many events stand where.
    pub events: Tally,
    /// The state.
    pub state: State,
    /// What may stand where nothing surely does, or nothing possibly, as was asked.
    #[serde(skip_serializing_if = "Unsettled::is_empty")]
    pub unsettled: Unsettled,
    /// The effects that did not fit what stood.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clashes: Vec<Clash>,
    /// The events that go on at the moment asked about.
    pub ongoing: Vec<Ongoing>,
    /// What makes the answer repeatable.
    pub receipt: Receipt,
    /// SHA-256 of the canonical JSON (RFC 8785) of all the above, question and receipt included, in hexadecimal
    /// digits: by it a saved answer shows that it was altered.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub answer_sha256: String,
}

/// The last record that counts; `seq` 0 and no time before the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Position {
    /// Its position.
    pub seq: Seq,
    /// When it was recorded.
    pub recorded_at: Option<RecordedAt>,
}

/// How many events had surely happened, possibly, not yet, or were withdrawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Events that had surely happened.
    pub applied: u64,
    /// Events that had possibly happened.
    pub possible: u64,
    /// Events that had surely not happened yet.
    pub later: u64,
    /// Events of the timeline that were retracted or redacted.
    pub retracted: u64,
}

/// What stands in an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// The value.
    pub value: Value,
    /// Whether nothing that is only possible, and no other order of overlapping dates, could make it another.
    pub sure: bool,
    /// The event that decided it.
    pub by: EventId,
    /// That event's date; absent when nobody knows.
    pub date: Option<Date>,
    /// What the dates leave open, where it is not sure.
    #[serde(flatten)]
    pub open: Open,
    /// The claims that compete with the one that set it, in the order of the log.
    pub contested: Vec<Contender>,
}

/// A claim that something else stands, by another event on equal bounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contender {
    /// What it sets.
    pub value: Value,
    /// The event.
    pub by: EventId,
    /// Its date; absent when nobody knows.
    pub date: Option<Date>,
    /// Where it is said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
}

/// An effect that did not fit what stood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Clash {
    /// Whose attribute it was to change.
    pub entity: String,
    /// That attribute.
    pub attribute: String,
    /// The event.
    pub id: EventId,
    /// The operation.
    pub op: &'static str,
}

/// An event that goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ongoing {
    /// Its id.
    pub id: EventId,
    /// Its date; absent when nobody knows.
    pub date: Option<Date>,
    /// Its title.
    pub title: String,
    /// How sure it is that it goes on.
    pub certainty: Certainty,
}

/// What makes an answer repeatable: the same log prefix gives the same state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The last record that counts.
    pub seq: Seq,
    /// The RFC 6962 root over the records up to it, in hexadecimal digits.
    pub log_root: String,
    /// SHA-256 of the state's canonical JSON (RFC 8785), in hexadecimal digits.
    pub state_sha256: String,
}

/// What the log knew at K, as the reader of the log found it.
#[derive(Clone, Debug)]
pub struct Knowledge<'a> {
    /// The last record that counts.
    pub position: Position,
    /// The log root at that record.
    pub log_root: [u8; 32],
    /// The events that count.
    pub events: Vec<Counted<'a>>,
    /// How many events of the timeline were withdrawn.
    pub withdrawn: u64,
}

impl Snapshot {
    /// Answers a question from what was known.
    ///
    /// # Errors
    ///
    /// Those of [`state_sha256`].
    pub fn answer(question: &Question, known: &Knowledge<'_>) -> serde_json::Result<Self> {
        let admitted: Vec<Counted<'_>> = known
            .events
            .iter()
            .filter(|counted| question.filter.admits(counted.event, question.certainty))
            .copied()
            .collect();
        let as_of = question.as_of.until();
        let Answers { state, unsettled, clashes } = answers(question, &admitted);
        let receipt = Receipt {
            seq: known.position.seq,
            log_root: hex(&known.log_root),
            state_sha256: state_sha256(&state)?,
        };
        let mut answer = Self {
            schema: SCHEMA,
            timeline: question.timeline.clone(),
            as_of: question.as_of.date().clone(),
            as_of_until: as_of,
            known_at: known.position,
            certainty: question.certainty,
            filter: question.filter.clone(),
            entities: question.entities.clone(),
            events: tally(&admitted, as_of, known.withdrawn),
            state,
            unsettled,
            clashes,
            ongoing: ongoing(&admitted, as_of),
            receipt,
            answer_sha256: String::new(),
        };
        answer.answer_sha256 = canonical_sha256(&answer)?;
        Ok(answer)
    }
}

/// SHA-256 over the RFC 8785 canonical JSON of a state, in hexadecimal digits.
///
/// RFC 8785 writes numbers as floating-point numbers; a sum with more digits than these hold enters rounded.
///
/// # Errors
///
/// None that input could cause: a state is a tree of objects with text for keys.
pub fn state_sha256(state: &State) -> serde_json::Result<String> {
    canonical_sha256(state)
}

/// What stands where, what may, and what did not fit.
#[derive(Default)]
struct Answers {
    state: State,
    unsettled: Unsettled,
    clashes: Vec<Clash>,
}

fn answers(question: &Question, events: &[Counted<'_>]) -> Answers {
    let mut claims: BTreeMap<(&str, &str), Vec<Claim<'_>>> = BTreeMap::new();
    let asked = |entity: &str| question.entities.is_empty() || question.entities.iter().any(|e| e == entity);
    for claim in events.iter().flat_map(|counted| counted.claims()) {
        if asked(&claim.effect.entity) {
            claims.entry((&claim.effect.entity, &claim.effect.attribute)).or_default().push(claim);
        }
    }
    let mut answers = Answers::default();
    for ((entity, attribute), claims) in claims {
        let folded = fold(&claims, question.as_of.until(), question.certainty);
        answers.clashes.extend(folded.clashes().map(|claim| clash(&claim)));
        if let Some(cell) = cell(question, &claims, &folded) {
            answers.state.entry(entity.to_owned()).or_default().insert(attribute.to_owned(), cell);
        } else if let Some(open) = folded.open {
            answers.unsettled.entry(entity.to_owned()).or_default().insert(attribute.to_owned(), *open);
        }
    }
    answers
}

/// What stands in one attribute, of which these are all the claims that count.
pub fn cell_of(question: &Question, claims: &[Claim<'_>]) -> Option<Cell> {
    cell(question, claims, &fold(claims, question.as_of.until(), question.certainty))
}

fn cell(question: &Question, claims: &[Claim<'_>], folded: &Folded<'_>) -> Option<Cell> {
    let Standing { value, by } = folded.standing.clone()?;
    let event = by.counted.event;
    let base = folded.effective().next();
    let contested = base
        .map_or_else(Vec::new, |base| contested(claims, &base, question.as_of.until(), question.certainty));
    Some(Cell {
        value,
        sure: folded.is_sure(),
        by: event.id.clone(),
        date: event.date.clone(),
        open: folded.open.as_deref().cloned().unwrap_or_default(),
        contested: contested.iter().filter_map(Contender::of).collect(),
    })
}

impl Contender {
    fn of(claim: &Claim<'_>) -> Option<Self> {
        let event = claim.counted.event;
        let Change::Set(value) = &claim.effect.change else { return None };
        Some(Self {
            value: value.clone(),
            by: event.id.clone(),
            date: event.date.clone(),
            sources: event.sources.clone(),
        })
    }
}

fn clash(claim: &Claim<'_>) -> Clash {
    Clash {
        entity: claim.effect.entity.clone(),
        attribute: claim.effect.attribute.clone(),
        id: claim.counted.event.id.clone(),
        op: claim.effect.change.op(),
    }
}

fn tally(events: &[Counted<'_>], as_of: Moment, withdrawn: u64) -> Tally {
    let mut tally = Tally { retracted: withdrawn, ..Tally::default() };
    for counted in events {
        let began = |surely: bool| {
            counted.event.happenings().iter().any(|span| {
                let moment = if surely { span.start.latest } else { span.start.earliest };
                moment <= as_of
            })
        };
        let count = if began(true) {
            &mut tally.applied
        } else if began(false) {
            &mut tally.possible
        } else {
            &mut tally.later
        };
        *count += 1;
    }
    tally
}

fn ongoing(events: &[Counted<'_>], as_of: Moment) -> Vec<Ongoing> {
    let mut found: Vec<(Counted<'_>, Certainty)> = Vec::new();
    for counted in events {
        let happenings = counted.event.happenings();
        if happenings.iter().any(|span| span.start.latest <= as_of && as_of <= span.end.earliest) {
            found.push((*counted, Certainty::Surely));
        } else if happenings.iter().any(|span| span.start.earliest <= as_of && as_of <= span.end.latest) {
            found.push((*counted, Certainty::Possibly));
        }
    }
    found.sort_by_cached_key(|(counted, _)| counted.list_order());
    let entry = |(counted, certainty): (Counted<'_>, Certainty)| Ongoing {
        id: counted.event.id.clone(),
        date: counted.event.date.clone(),
        title: counted.event.title.clone(),
        certainty,
    };
    found.into_iter().map(entry).collect()
}

impl Counted<'_> {
    /// Orders events as lists and exports show them: start no earlier, then end no later, coarser first, then
    /// place in the log; undated events last.
    pub fn list_order(&self) -> impl Ord + use<> {
        let span = self.event.span();
        let coarser = (std::cmp::Reverse(span.start.latest), span.end.earliest);
        (self.event.date.is_none(), span.start.earliest, span.end.latest, coarser, self.place)
    }
}
