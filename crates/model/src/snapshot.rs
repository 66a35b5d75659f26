//! A snapshot: a state together with the question that it answers, and its JSON form `annals/snapshot/1`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::answers::Answers;
use crate::canonical::{canonical_with, sha256_of};
use crate::canonical_state::{canonical_ongoing, canonical_state};
use crate::date::Span;
use crate::fold::Counted;
use crate::line::hex;
use crate::{Asked, Certainty, Date, Doubt, EventId, Moment, Open, Question, RecordedAt, Seq, Source, Value};

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
    /// The question.
    #[serde(flatten)]
    pub asked: Asked,
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

/// Whether an event had begun by the date asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// Whatever its date allows, it had.
    Surely,
    /// Its date allows that it had.
    Possibly,
    /// It surely had not.
    NotYet,
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
    pub open: Doubt,
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

/// What an answer is made of, once the log was read.
#[derive(Clone, Debug)]
pub struct Found {
    /// The last record that counts.
    pub position: Position,
    /// The log root at that record.
    pub log_root: [u8; 32],
    /// How many events stand where.
    pub events: Tally,
    /// The events that go on, in the order of lists.
    pub ongoing: Vec<Ongoing>,
    /// What was found of the attributes that were asked for.
    pub answers: Answers,
}

impl<'a> Knowledge<'a> {
    /// The events that a question's filter lets through.
    pub fn admitted(&self, question: &Question) -> Vec<Counted<'a>> {
        let admits = |counted: &&Counted<'_>| question.filter.admits(counted.event, question.certainty);
        self.events.iter().filter(admits).copied().collect()
    }
}

impl Snapshot {
    /// Answers a question from what was known.
    ///
    /// # Errors
    ///
    /// Those of [`state_sha256`].
    pub fn answer(question: &Question, known: &Knowledge<'_>) -> serde_json::Result<Self> {
        let admitted = known.admitted(question);
        let as_of = question.as_of.until();
        let found = Found {
            position: known.position,
            log_root: known.log_root,
            events: tally(&admitted, as_of, known.withdrawn),
            ongoing: ongoing(&admitted, as_of),
            answers: Answers::of(question, &admitted),
        };
        Self::of(question, found)
    }

    /// Answers a question from what was found in the log.
    ///
    /// # Errors
    ///
    /// Those of [`state_sha256`].
    pub fn of(question: &Question, found: Found) -> serde_json::Result<Self> {
        let Found { position, log_root, events, ongoing, answers } = found;
        let Answers { state, unsettled, clashes, .. } = answers;
        let canonical_state = canonical_state(&state)?;
        let state_sha256 = sha256_of(&canonical_state);
        let receipt = Receipt { seq: position.seq, log_root: hex(&log_root), state_sha256 };
        let mut answer = Self {
            schema: SCHEMA,
            asked: Asked::new(question, position),
            events,
            state: State::new(),
            unsettled,
            clashes,
            ongoing: Vec::new(),
            receipt,
            answer_sha256: String::new(),
        };
        // Both may be long: they are written by themselves, and put in their places.
        let canonical_ongoing = [Cow::Owned(canonical_ongoing(&ongoing)?)];
        let parts = [("state", &canonical_state[..]), ("ongoing", &canonical_ongoing[..])];
        answer.answer_sha256 = sha256_of(&canonical_with(&answer, &parts)?);
        (answer.state, answer.ongoing) = (state, ongoing);
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
    Ok(sha256_of(&canonical_state(state)?))
}

impl Reached {
    /// Whether an event with these happenings had begun by a moment.
    pub fn of(happenings: &[Span], as_of: Moment) -> Self {
        if happenings.iter().any(|span| span.start.latest <= as_of) {
            Self::Surely
        } else if happenings.iter().any(|span| span.start.earliest <= as_of) {
            Self::Possibly
        } else {
            Self::NotYet
        }
    }
}

impl Tally {
    /// Counts an event.
    pub const fn count(&mut self, reached: Reached) {
        let count = match reached {
            Reached::Surely => &mut self.applied,
            Reached::Possibly => &mut self.possible,
            Reached::NotYet => &mut self.later,
        };
        *count += 1;
    }
}

impl Ongoing {
    /// How sure it is that an event with these happenings goes on at a moment; `None` where it surely does not.
    pub fn certainty_of(happenings: &[Span], as_of: Moment) -> Option<Certainty> {
        if happenings.iter().any(|span| span.start.latest <= as_of && as_of <= span.end.earliest) {
            return Some(Certainty::Surely);
        }
        let may_go_on = |span: &Span| span.start.earliest <= as_of && as_of <= span.end.latest;
        happenings.iter().any(may_go_on).then_some(Certainty::Possibly)
    }

    /// Puts what goes on in the order of lists; each comes with its place in the log.
    pub fn in_order(mut found: Vec<(Seq, Self)>) -> Vec<Self> {
        found.sort_by_cached_key(|(place, ongoing)| list_order(ongoing.date.as_ref(), *place));
        found.into_iter().map(|(_, ongoing)| ongoing).collect()
    }
}

fn tally(events: &[Counted<'_>], as_of: Moment, withdrawn: u64) -> Tally {
    let mut tally = Tally { retracted: withdrawn, ..Tally::default() };
    for counted in events {
        tally.count(Reached::of(counted.event.happenings(), as_of));
    }
    tally
}

fn ongoing(events: &[Counted<'_>], as_of: Moment) -> Vec<Ongoing> {
    let entry = |counted: &Counted<'_>| {
        let event = counted.event;
        let certainty = Ongoing::certainty_of(event.happenings(), as_of)?;
        let (id, date, title) = (event.id.clone(), event.date.clone(), event.title.clone());
        Some((counted.place, Ongoing { id, date, title, certainty }))
    };
    Ongoing::in_order(events.iter().filter_map(entry).collect())
}

impl Counted<'_> {
    /// Orders events as lists and exports show them: start no earlier, then end no later, coarser first, then
    /// place in the log; undated events last.
    pub fn list_order(&self) -> impl Ord + use<> {
        list_order(self.event.date.as_ref(), self.place)
    }
}

fn list_order(date: Option<&Date>, place: Seq) -> impl Ord + use<> {
    let span = date.map_or(Span::UNDATED, Date::span);
    let coarser = (std::cmp::Reverse(span.start.latest), span.end.earliest);
    (date.is_none(), span.start.earliest, span.end.latest, coarser, place)
}
