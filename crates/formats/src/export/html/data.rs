//! What the page's script knows of the events: the bounds to draw and the names to filter by.
//!
//! Titles and texts stand in the page already. Moments are seconds of the date axis as numbers, which a script keeps
//! exactly for 285 million years to each side; an infinite bound is `"-"` or `"+"`.

use std::collections::HashMap;

use annals_model::date::Span;
use annals_model::{Date, Event, Moment};
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
    drawn: Vec<Drawn>,
}

/// One event, in the order of the list.
#[derive(Serialize)]
struct Drawn {
    /// The four bounds of each happening; none of an undated event.
    h: Vec<[Second; 4]>,
    /// What is said of the date: the flags above.
    f: u8,
    /// The members of a choice, first and last second, if it has some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    m: Vec<[Second; 2]>,
    /// Its id.
    i: String,
    /// Its timeline, kind, place, actors and tags, by their places in the lists.
    l: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    k: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    a: Vec<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    t: Vec<usize>,
}

/// Names, each once, in the order in which they are met.
#[derive(Default)]
struct Names<'a> {
    places: HashMap<&'a str, usize>,
    names: Vec<String>,
}

impl<'a> Names<'a> {
    fn place(&mut self, name: &'a str) -> usize {
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
        let drawn = rows.rows.iter().map(|Kept { timeline, event, .. }| Drawn {
            h: happenings(event.date.as_ref()),
            f: event.date.as_ref().map_or(0, flags),
            m: event.date.as_ref().map_or_else(Vec::new, members),
            i: escape::shown(event.id.as_str()),
            l: *timeline,
            k: event.kind.as_deref().map(|kind| kinds.place(kind)),
            p: event.place.as_ref().map(|place| places.place(&place.name)),
            a: event.actors.iter().map(|actor| actors.place(&actor.name)).collect(),
            t: tags_of(event, &mut tags),
        });
        let drawn = drawn.collect();
        let timelines = head.timelines.iter().map(annals_model::TimelineName::as_str).collect();
        let [kinds, places, actors, tags] = [kinds, places, actors, tags].map(|names| names.names);
        Self { timelines, kinds, places, actors, tags, drawn }
    }
}

fn tags_of<'a>(event: &'a Event, tags: &mut Names<'a>) -> Vec<usize> {
    event.tags.iter().map(|tag| tags.place(tag)).collect()
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

fn happenings(date: Option<&Date>) -> Vec<[Second; 4]> {
    let bounds = |span: &Span| {
        [span.start.earliest, span.start.latest, span.end.earliest, span.end.latest].map(Second::from)
    };
    date.map_or_else(Vec::new, |date| date.happenings().iter().map(bounds).collect())
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
