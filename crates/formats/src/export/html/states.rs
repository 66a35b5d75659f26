//! The state at every date, for the page's slider: each attribute's answers, folded by the model.
//!
//! Between two turns of an attribute its answer is the same, so a list of turns is the answer at every date. A page has
//! to stay one that a browser can open: an attribute whose turns take too long or too much room is left out and
//! counted, whole, so that what is shown is never half an answer.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use annals_model::fold::Claim;
use annals_model::history::{Turn, course};
use annals_model::{AsOf, Cell, DAY, Day, EventId, Moment, Open, Value};
use serde::ser::SerializeSeq as _;
use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use super::data::{Ending, Names, Second};
use super::{Rows, escape};
use crate::export::ExportError;

/// Claims that may be folded for one attribute, and for all.
const EFFORT: usize = 8_000_000;
const EFFORT_OF_ALL: usize = 16_000_000;
/// Bytes that the answers of one attribute may take, and those of all.
const ROOM: usize = 4 << 20;
const ROOM_OF_ALL: usize = 24 << 20;
/// Events which are named where there may be many; more are counted.
const NAMED: usize = 4;

/// What the slider shows.
#[derive(Serialize)]
pub struct States {
    /// The dates at which it stops: the last second that counts of each.
    stops: Vec<Ending>,
    /// The last second that was asked about, where the events are those as of a date.
    until: Option<Second>,
    /// The names of the attributes.
    names: Vec<String>,
    /// The entities, in the order of their names.
    entities: Vec<Entity>,
    /// How many attributes are missing.
    pub left_out: usize,
}

/// Timeline, entity and its attributes, in the order of their names.
#[derive(Serialize)]
struct Entity(usize, String, Vec<Attribute>);

/// The place of the name, and the turns.
struct Attribute {
    name: usize,
    /// The first second of each turn and what is answered from it on; null where there is nothing to say. Before the
    /// first of them there is nothing to say either.
    turns: Vec<(Ending, Option<Told>)>,
}

impl Serialize for Attribute {
    /// One list after all, so that a turn needs no brackets of its own.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(1 + 2 * self.turns.len()))?;
        list.serialize_element(&self.name)?;
        for (moment, told) in &self.turns {
            list.serialize_element(moment)?;
            list.serialize_element(told)?;
        }
        list.end()
    }
}

/// What is answered.
#[derive(Serialize)]
#[serde(untagged)]
enum Told {
    /// A value that is sure, and the event that decided it.
    Sure(Json, usize),
    /// Anything else.
    Open(Box<Answer>),
}

/// An answer in full; texts and numbers as people read them, sets as lists, events by their places among the rows.
#[derive(Default, PartialEq, Serialize)]
struct Answer {
    /// The value that surely stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    v: Option<Json>,
    /// Whether it is sure.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    s: bool,
    /// The event that decided it.
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<usize>,
    /// What may stand instead, null for nothing, and by which events and how many more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    a: Alternatives,
    /// The least and the greatest number that may stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<[Option<String>; 2]>,
    /// The members that a set surely and possibly has.
    #[serde(skip_serializing_if = "Option::is_none")]
    m: Option<[Json; 2]>,
    /// The events whose dates it depends on, and how many more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    d: Vec<usize>,
    #[serde(skip_serializing_if = "is_zero")]
    dn: usize,
    /// What others say, and which events.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    c: Vec<(Json, usize)>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl States {
    pub fn of(rows: &Rows<'_>, as_of: Option<&AsOf>) -> Result<Self, ExportError> {
        let until = as_of.map(AsOf::until);
        let mut claims: BTreeMap<(usize, &str, &str), Vec<Claim<'_>>> = BTreeMap::new();
        for row in rows.rows {
            for claim in row.counted().claims() {
                let of = (row.timeline, claim.effect.entity.as_str(), claim.effect.attribute.as_str());
                claims.entry(of).or_default().push(claim);
            }
        }
        let days = Days::of(rows, until);
        let mut seen: BTreeSet<Moment> =
            moments(rows).into_iter().map(|moment| days.seen_at(moment)).collect();
        let (mut effort, mut room) = (EFFORT_OF_ALL, ROOM_OF_ALL);
        let mut states = Self {
            stops: Vec::new(),
            until: until.map(Second::from),
            names: Vec::new(),
            entities: Vec::new(),
            left_out: 0,
        };
        let mut names = Names::default();
        for ((timeline, entity, attribute), claims) in claims {
            let told = course(&claims, |moment| days.seen_at(moment), EFFORT.min(effort));
            let Some((turns, folded)) = told else {
                states.left_out += 1;
                continue;
            };
            effort -= folded;
            let told = turns.iter().map(|turn| answer(rows, timeline, turn));
            let told: Vec<_> = told.skip_while(|(_, told)| told.is_none()).collect();
            let mut told = Attribute { name: 0, turns: told };
            let size = serde_json::to_string(&told)?.len();
            if size > ROOM.min(room) {
                states.left_out += 1;
                continue;
            }
            room -= size;
            told.name = names.place(attribute);
            seen.extend(turns.iter().map(|turn| turn.from));
            states.put(timeline, escape::shown(entity), told);
        }
        states.names = names.names;
        states.stops = stops(&seen, until);
        Ok(states)
    }

    /// Adds an attribute, those of an entity one after another.
    fn put(&mut self, timeline: usize, entity: String, told: Attribute) {
        match self.entities.last_mut() {
            Some(Entity(of, name, attributes)) if *of == timeline && *name == entity => attributes.push(told),
            _ => self.entities.push(Entity(timeline, entity, vec![told])),
        }
    }
}

/// The moments at which an event begins, surely or possibly, or ceases to go on.
fn moments(rows: &Rows<'_>) -> BTreeSet<Moment> {
    let mut moments = BTreeSet::new();
    for event in rows.rows.iter().map(|row| &row.event) {
        for span in event.date.iter().flat_map(annals_model::Date::happenings) {
            moments.extend([span.start.earliest, span.start.latest]);
            if event.date.as_ref().is_some_and(annals_model::Date::is_interval) {
                moments.extend([span.end.earliest.next(), span.end.latest.next()]);
            }
        }
    }
    moments
}

/// The days within which something happens, and not with the day as a whole.
///
/// The page is asked as of the ends of days. What changes at the first or the last second of a day is seen at its end;
/// only on days that have more to tell is every second looked at.
struct Days(HashSet<i64>);

impl Days {
    fn of(rows: &Rows<'_>, until: Option<Moment>) -> Self {
        let spans = rows.rows.iter().flat_map(|row| row.event.happenings());
        let bounds = spans
            .flat_map(|span| [span.start.earliest, span.start.latest, span.end.earliest, span.end.latest]);
        let within = bounds
            .chain(until)
            .filter(|bound| bound.is_finite() && !matches!(bound.seconds().rem_euclid(DAY), 0 | 86_399));
        Self(within.map(|bound| bound.seconds().div_euclid(DAY)).collect())
    }

    fn seen_at(&self, moment: Moment) -> Moment {
        let is_within = self.0.contains(&moment.seconds().div_euclid(DAY));
        if !moment.is_finite() || is_within { moment } else { askable(moment).1 }
    }
}

/// The first and the last second of the day that a moment lies in, or of its year where dates know years only.
fn askable(moment: Moment) -> (Moment, Moment) {
    let (day, _) = moment.civil();
    if day.year.abs() <= 9_999 {
        return (Moment::start_of(day), Moment::end_of(day));
    }
    (Moment::start_of(Day { month: 1, day: 1, ..day }), Moment::end_of(Day { month: 12, day: 31, ..day }))
}

/// Where the slider stops: at every date at which something is seen to change, and at one before all of them.
fn stops(seen: &BTreeSet<Moment>, until: Option<Moment>) -> Vec<Ending> {
    let mut stops: BTreeSet<Moment> = seen.iter().filter(|moment| moment.is_finite()).copied().collect();
    if let Some(first) = stops.first().copied() {
        stops.insert(askable(first).0.previous());
    }
    if let Some(until) = until {
        stops.retain(|stop| *stop <= until);
        stops.insert(until);
    }
    stops.into_iter().map(Ending::from).collect()
}

fn answer(rows: &Rows<'_>, timeline: usize, turn: &Turn) -> (Ending, Option<Told>) {
    let from = Ending::from(turn.from);
    let event = |id: &EventId| rows.find(timeline, id);
    let (value, open) = match (&turn.cell, &turn.unsettled) {
        (Some(cell), _) => (Some(cell), &*cell.open),
        (None, Some(open)) => (None, open),
        (None, None) => return (from, None),
    };
    let (depends, more) = named(&open.depends_on, event);
    let told = Answer {
        v: value.map(|cell| json(&cell.value)),
        s: value.is_some_and(|cell| cell.sure),
        b: value.and_then(|cell| event(&cell.by)),
        a: alternatives(open, event),
        n: (open.low.is_some() || open.high.is_some())
            .then(|| [open.low, open.high].map(|bound| bound.map(|number| number.to_string()))),
        m: open.members.as_ref().map(|members| [&members.surely, &members.possibly].map(set)),
        d: depends,
        dn: more,
        c: value.map_or_else(Vec::new, |cell| contested(cell, event)),
    };
    (from, Some(Told::from(told)))
}

impl From<Answer> for Told {
    fn from(mut answer: Answer) -> Self {
        if answer.s
            && let Some(by) = answer.b
            && let Some(value) = answer.v.take()
        {
            if answer == (Answer { s: true, b: Some(by), ..Answer::default() }) {
                return Self::Sure(value, by);
            }
            answer.v = Some(value);
        }
        Self::Open(Box::new(answer))
    }
}

/// The first few of some events, and how many more there are.
fn named(ids: &[EventId], event: impl Fn(&EventId) -> Option<usize>) -> (Vec<usize>, usize) {
    let mut found: Vec<usize> = ids.iter().filter_map(event).collect();
    found.sort_unstable();
    let more = found.len().saturating_sub(NAMED);
    found.truncate(NAMED);
    (found, more)
}

type Alternatives = Vec<(Option<Json>, Vec<usize>, usize)>;

fn alternatives(open: &Open, event: impl Fn(&EventId) -> Option<usize>) -> Alternatives {
    let one = |alternative: &annals_model::Alternative| {
        let (by, more) = named(&alternative.by, &event);
        (alternative.value.as_ref().map(json), by, more)
    };
    open.alternatives.iter().map(one).collect()
}

fn contested(cell: &Cell, event: impl Fn(&EventId) -> Option<usize>) -> Vec<(Json, usize)> {
    cell.contested.iter().filter_map(|other| Some((json(&other.value), event(&other.by)?))).collect()
}

/// A value as people read it.
fn json(value: &Value) -> Json {
    match value {
        Value::Scalar(scalar) => escape::shown(&scalar.to_string()).into(),
        Value::Set(members) => set(members),
    }
}

fn set(members: &BTreeSet<annals_model::Scalar>) -> Json {
    members.iter().map(|member| escape::shown(&member.to_string())).collect::<Vec<_>>().into()
}
