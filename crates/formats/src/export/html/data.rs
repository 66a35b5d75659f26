//! What the page's script knows of the events: the bounds to draw and the names to filter by.
//!
//! Titles and texts stand in the page already. Moments are seconds of the date axis as numbers, which a script keeps
//! exactly for 285 million years to each side; an infinite bound is `"-"` or `"+"`.

use std::collections::{BTreeMap, HashMap};

use annals_model::date::Span;
use annals_model::{DAY, Date, Moment};
use serde::Serialize;

use super::{Head, Kept, Rows, escape};

/// The date is an estimate.
const CIRCA: u8 = 1;
/// The date is doubtful.
const UNCERTAIN: u8 = 2;
/// The event has a start and an end of its own.
const INTERVAL: u8 = 4;
/// Nobody knows when it began, or the date says that there is no beginning.
const START_UNKNOWN: u8 = 8;
/// The same of its end.
const END_UNKNOWN: u8 = 16;
/// One happening at one of several dates.
const ONE_OF: u8 = 32;

/// The events and the names that they share.
#[derive(Serialize)]
pub struct Events<'a> {
    timelines: Vec<&'a str>,
    kinds: Vec<String>,
    places: Vec<String>,
    actors: Vec<String>,
    tags: Vec<String>,
    #[serde(rename = "events")]
    drawn: Drawn,
}

/// What is known of each event, a list for each question, in the order of the events.
#[derive(Default, Serialize)]
struct Drawn {
    /// When it happened.
    h: Vec<When>,
    /// What is said of the date: the flags above.
    f: Vec<u8>,
    /// The members of a choice, first and last second, of those that have some.
    m: BTreeMap<usize, Vec<[Second; 2]>>,
    /// Its timeline, where there are several, and its kind, place, actors and tags, by their places in the lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    l: Vec<usize>,
    k: Vec<Few>,
    p: Vec<Few>,
    a: Vec<Few>,
    t: Vec<Few>,
}

/// When an event happened: mostly within a day, or within some days.
#[derive(Serialize)]
#[serde(untagged)]
enum When {
    /// The day, counted from that of the axis' zero.
    Day(i64),
    /// The first day, and how many there are.
    Days([i64; 2]),
    /// The four bounds of each happening; none of an undated event.
    Spans(Vec<[Second; 4]>),
}

/// Mostly one.
#[derive(Serialize)]
#[serde(untagged)]
enum Few {
    One(usize),
    Others(Vec<usize>),
}

impl FromIterator<usize> for Few {
    fn from_iter<T: IntoIterator<Item = usize>>(all: T) -> Self {
        let all: Vec<usize> = all.into_iter().collect();
        if let [one] = all[..] { Self::One(one) } else { Self::Others(all) }
    }
}

/// Names, each once, in the order in which they are met.
#[derive(Default)]
pub struct Names<'a> {
    places: HashMap<&'a str, usize>,
    pub names: Vec<String>,
}

impl<'a> Names<'a> {
    pub fn place(&mut self, name: &'a str) -> usize {
        let next = self.names.len();
        let place = *self.places.entry(name).or_insert(next);
        if place == next {
            self.names.push(escape::shown(name));
        }
        place
    }
}

impl<'a> Events<'a> {
    pub fn of(head: &'a Head, rows: &Rows<'a>) -> Self {
        let [mut kinds, mut places, mut actors, mut tags] = [(); 4].map(|()| Names::default());
        let mut drawn = Drawn::default();
        for (index, Kept { timeline, event, .. }) in rows.rows.iter().enumerate() {
            let date = event.date.as_ref();
            drawn.h.push(when(date));
            drawn.f.push(date.map_or(0, flags));
            drawn.m.extend(date.map(members).filter(|all| !all.is_empty()).map(|all| (index, all)));
            if head.timelines.len() > 1 {
                drawn.l.push(*timeline);
            }
            drawn.k.push(event.kind.iter().map(|kind| kinds.place(kind)).collect());
            drawn.p.push(event.place.iter().map(|place| places.place(&place.name)).collect());
            drawn.a.push(event.actors.iter().map(|actor| actors.place(&actor.name)).collect());
            drawn.t.push(event.tags.iter().map(|tag| tags.place(tag)).collect());
        }
        let timelines = head.timelines.iter().map(annals_model::TimelineName::as_str).collect();
        let [kinds, places, actors, tags] = [kinds, places, actors, tags].map(|names| names.names);
        Self { timelines, kinds, places, actors, tags, drawn }
    }
}

/// A moment for the script, of which most are the ends of days.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
pub enum Ending {
    /// The last second of this day.
    Day(i64),
    /// Another second, in a list of its own.
    Second([Second; 1]),
}

impl From<Moment> for Ending {
    fn from(moment: Moment) -> Self {
        day_until(moment).map_or_else(|| Self::Second([moment.into()]), Self::Day)
    }
}

/// A moment for the script.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
pub enum Second {
    At(i64),
    Never(&'static str),
}

impl From<Moment> for Second {
    fn from(moment: Moment) -> Self {
        match moment {
            Moment::NEG_INFINITY => Self::Never("-"),
            Moment::INFINITY => Self::Never("+"),
            _ => Self::At(moment.seconds()),
        }
    }
}

fn when(date: Option<&Date>) -> When {
    let Some(date) = date else { return When::Spans(Vec::new()) };
    let spans = date.happenings();
    if let [span] = spans
        && span.start == span.end
        && let Some(first) = day_from(span.start.earliest)
        && let Some(last) = day_until(span.start.latest)
    {
        return if first == last { When::Day(first) } else { When::Days([first, last - first + 1]) };
    }
    let bounds = |span: &Span| {
        [span.start.earliest, span.start.latest, span.end.earliest, span.end.latest].map(Second::from)
    };
    When::Spans(spans.iter().map(bounds).collect())
}

/// The day that begins with a moment.
fn day_from(moment: Moment) -> Option<i64> {
    let second = moment.seconds();
    (moment.is_finite() && second.rem_euclid(DAY) == 0).then(|| second.div_euclid(DAY))
}

/// The day that ends with a moment.
fn day_until(moment: Moment) -> Option<i64> {
    let second = moment.seconds();
    (moment.is_finite() && second.rem_euclid(DAY) == DAY - 1).then(|| second.div_euclid(DAY))
}

fn flags(date: &Date) -> u8 {
    let text = date.as_str();
    let flag = |is: bool, flag: u8| if is { flag } else { 0 };
    flag(date.is_approximate(), CIRCA)
        | flag(date.is_uncertain(), UNCERTAIN)
        | flag(date.is_interval(), INTERVAL)
        | flag(text.starts_with('/'), START_UNKNOWN)
        | flag(text.ends_with('/'), END_UNKNOWN)
        | flag(text.starts_with('['), ONE_OF)
}

/// The dates of which one is meant; those of a single range are its bounds already.
fn members(date: &Date) -> Vec<[Second; 2]> {
    let inner = date.as_str().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let Some(inner) = inner.filter(|inner| inner.contains(',')) else { return Vec::new() };
    let member = |text: &str| {
        let whole = if text.contains("..") { format!("[{text}]") } else { text.to_owned() };
        let span = Date::parse(&whole).ok()?.span();
        Some([span.start.earliest, span.start.latest].map(Second::from))
    };
    inner.split(',').filter_map(|text| member(text.trim())).collect()
}
