//! The JSON that TimelineJS reads: one slide an event, under a title slide.
//!
//! TimelineJS knows years, months, days and times, each only if the one before is there, has no year 0 (44 BCE is
//! its -44) and takes headline and text for HTML. So dates go only as far as they are known, their words stand in
//! `display_date`, and every text is escaped. What TimelineJS does not read goes along in the field `annals`.
//! A slide without a date would be dropped there without a word: it is left out here, and counted.

use std::io;

use annals_model::Event;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::losses::{BOUNDLESS, Loss};
use super::{ExportError, Exporter, Heading, Losses, Row};
use crate::carried::{self, Shown, Target};
use crate::details::{self, Wanted};
use crate::html;
use crate::rough::{Part, Rough, Second, Shape, clock, placed};
use crate::text::{line, visible, visible_json};

/// How TimelineJS shows an event: in HTML.
pub const TARGET: Target =
    Target { shown, suffix: |_| String::new(), details, between: "", plain: html::plain };

const OFFSET: Loss = Loss::new(
    "offset",
    "time of day has its offset from UTC in words only",
    "times of day have their offset from UTC in words only",
);
const END: Loss = Loss::new(
    "end",
    "end that names no day is drawn where its year or month begins",
    "ends that name no day are drawn where their years or months begin",
);
const DROPPED: Loss = Loss::new(
    "dropped-end",
    "end within the year or month that its start names is in words only",
    "ends within the year or month that their starts name are in words only",
);
const LEAP: Loss = Loss::new(
    "leap-day",
    "29 February stands as its month, since TimelineJS counts no leap years before year 1 as we do",
    "29 Februaries stand as their months, since TimelineJS counts no leap years before year 1 as we do",
);
const COSMIC: Loss = Loss::new(
    "cosmic",
    "date lies so far away that TimelineJS draws every date by its year only",
    "dates lie so far away that TimelineJS draws every date by its year only",
);

/// Years that JavaScript's own dates hold, either side of zero, and TimelineJS with them.
const HUMAN_YEARS: i64 = 271_000;

pub struct TimelineJs<'o> {
    out: &'o mut dyn io::Write,
    is_first: bool,
    losses: Losses,
}

/// One slide.
#[derive(Serialize)]
struct Slide<'a> {
    unique_id: &'a str,
    start_date: Point,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date: Option<Point>,
    display_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    text: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    media: Option<Media<'a>>,
    annals: Ours<'a>,
}

#[derive(Serialize)]
struct Text {
    headline: String,
    text: String,
}

#[derive(Serialize)]
struct Media<'a> {
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit: Option<String>,
}

/// What TimelineJS does not read.
#[derive(Serialize)]
struct Ours<'a> {
    date: &'a str,
    event: Box<RawValue>,
}

/// A point in time as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    pub year: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub month: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hour: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minute: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second: Option<u32>,
}

impl<'o> TimelineJs<'o> {
    pub fn begin(heading: &Heading<'_>, out: &'o mut dyn io::Write) -> Result<Self, ExportError> {
        let headline = serde_json::to_string(&html::escaped(&line(&heading.name())))?;
        write!(out, "{{\"title\":{{\"text\":{{\"headline\":{headline}}}}},\n\"events\":[")?;
        Ok(Self { out, is_first: true, losses: Losses::default() })
    }
}

impl Exporter for TimelineJs<'_> {
    fn row(&mut self, row: &Row<'_>) -> Result<(), ExportError> {
        let event = row.event;
        let draw = |rough: &Rough| points(rough).ok_or(BOUNDLESS);
        let Some((date, rough, (start_date, end_date))) = placed(row, &mut self.losses, draw) else {
            return Ok(());
        };
        self.count(&rough);
        let shown = shown(event);
        let carried = carried::carry(&TARGET, row.timeline, event, &shown)?;
        let slide = Slide {
            unique_id: event.id.as_str(),
            start_date,
            end_date,
            display_date: twice_escaped(&date.words()),
            group: event.kind.as_deref().map(|kind| twice_escaped(&line(kind))),
            text: Text { headline: shown.title, text: shown.text },
            media: media(event),
            annals: Ours { date: date.as_str(), event: RawValue::from_string(carried)? },
        };
        let between = if self.is_first { "\n" } else { ",\n" };
        self.is_first = false;
        write!(self.out, "{between}{}", visible_json(&serde_json::to_string(&slide)?))?;
        Ok(())
    }

    fn end(self: Box<Self>) -> Result<Losses, ExportError> {
        self.out.write_all(if self.is_first { b"]}\n" } else { b"\n]}\n" })?;
        Ok(self.losses)
    }
}

impl TimelineJs<'_> {
    fn count(&mut self, rough: &Rough) {
        let parts = match rough.shape {
            Shape::Second(Second { offset: Some(_), .. }) => return self.losses.count(OFFSET),
            Shape::Second(_) | Shape::Nowhere => return,
            Shape::Stretch(first, last) => [Some(first), last],
        };
        if let [Some(first), Some(last)] = parts {
            if is_within(first, last) {
                self.losses.count(DROPPED);
            } else if last.day.is_none() {
                self.losses.count(END);
            }
        }
        for part in parts.into_iter().flatten() {
            if part.year.abs() > HUMAN_YEARS {
                self.losses.count(COSMIC);
            }
            if !part.exists_in(year(part.year)) {
                self.losses.count(LEAP);
            }
        }
    }
}

/// Whether an end lies in the very part that is the start: TimelineJS takes the two for one and drops the end.
fn is_within(first: Part, last: Part) -> bool {
    let is_finer = first.month.is_none() && last.month.is_some() || first.day.is_none() && last.day.is_some();
    first.year == last.year && (first.month.is_none() || first.month == last.month) && is_finer
}

/// A text that TimelineJS reads as HTML, takes the text of, and puts into the page as HTML again.
fn twice_escaped(text: &str) -> String {
    html::escaped(&html::escaped(text))
}

/// What TimelineJS shows of an event, as HTML.
fn shown(event: &Event) -> Shown {
    let description =
        event.description.as_deref().map_or_else(String::new, |text| html::paragraphs(&visible(text)));
    let points = event.date.as_ref().and_then(|date| points(&Rough::of(date)));
    Shown {
        title: html::escaped(&line(&event.title)),
        text: TARGET.text(&description, event),
        dates: points.iter().map(|(start, end)| written(*start, *end)).collect(),
        ..Shown::default()
    }
}

fn details(event: &Event) -> String {
    let lines = details::lines(event, Wanted { date: false, place: true, tags: true });
    if lines.is_empty() { String::new() } else { html::paragraphs(&lines.join("\n")) }
}

/// Two points as one text, to compare them.
pub fn written(start: Point, end: Option<Point>) -> String {
    format!("{start:?} {:?}", end.filter(|end| *end != start))
}

fn points(rough: &Rough) -> Option<(Point, Option<Point>)> {
    match rough.shape {
        Shape::Second(second) => {
            // The clock of the place: TimelineJS knows no zones, and in UTC the day could be another.
            let (day, _) = second.civil.civil();
            let (hour, minute, seconds) = clock(second.civil);
            let part = Part { year: day.year, month: Some(day.month), day: Some(day.day) };
            let point =
                Point { hour: Some(hour), minute: Some(minute), second: Some(seconds), ..point(part) };
            Some((point, None))
        }
        Shape::Stretch(first, last) => Some((point(first), last.map(point))),
        Shape::Nowhere => None,
    }
}

fn point(part: Part) -> Point {
    let year = year(part.year);
    let day = part.day.filter(|_| part.exists_in(year));
    Point { year, month: part.month.map(u32::from), day: day.map(u32::from), ..Point::default() }
}

/// The year as TimelineJS counts: without a year 0.
fn year(astronomical: i64) -> i64 {
    if astronomical > 0 { astronomical } else { astronomical - 1 }
}

/// The first source that TimelineJS can show beside the text; for a page of the web it would try an image.
fn media(event: &Event) -> Option<Media<'_>> {
    const SHOWN: [&str; 11] =
        [".jpg", ".jpeg", ".png", ".gif", ".svg", ".webp", ".mp4", ".webm", ".mp3", ".wav", ".m4a"];
    event.sources.iter().find_map(|source| {
        let url = details::web_address(source.url.as_deref()?)?;
        let path = url.split(['?', '#']).next().unwrap_or(url).to_ascii_lowercase();
        let credit = source.title.as_deref().map(|title| html::escaped(&line(title)));
        SHOWN.iter().any(|end| path.ends_with(end)).then_some(Media { url, credit })
    })
}

#[cfg(test)]
mod tests {
    use annals_model::Date;

    use super::*;

    #[test]
    fn an_end_that_timelinejs_drops_is_known() {
        let check = |text: &str, expect: bool| {
            let shape = Rough::of(&Date::parse(text).unwrap()).shape;
            let Shape::Stretch(first, Some(last)) = shape else { panic!("{text} is {shape:?}") };
            assert_eq!(is_within(first, last), expect, "{text}");
        };
        check("2004/2004-09", true);
        check("2004/2004-03-15", true);
        check("2004-03/2004-03-15", true);
        check("2004-03/2004-04-15", false);
        check("2004-03/2004-09", false);
        check("2004-03-04/2004-03-15", false);
        check("2004-09-05/2004", false);
        check("2004/2005", false);
    }

    #[test]
    fn dates_go_as_far_as_they_are_known_in_years_without_a_zero() {
        let check = |text: &str, expect: &str| {
            let (start, end) = points(&Rough::of(&Date::parse(text).unwrap())).unwrap();
            let json = serde_json::to_string(&(start, end)).unwrap().replace('"', "");
            assert_eq!(json, expect, "{text}");
        };
        check("2004", "[{year:2004},null]");
        check("2004-07", "[{year:2004,month:7},null]");
        check("-0043-03-15", "[{year:-44,month:3,day:15},null]");
        check("0000", "[{year:-1},null]");
        check("-0004-02-29", "[{year:-5,month:2},null]");
        check("0004-02-29", "[{year:4,month:2,day:29},null]");
        check("2017/2019-05-02", "[{year:2017},{year:2019,month:5,day:2}]");
        check("2023-10-02/2023-10-02", "[{year:2023,month:10,day:2},null]");
        check("2023-10-02T23:30:00-05:00", "[{year:2023,month:10,day:2,hour:23,minute:30,second:0},null]");
        assert_eq!(points(&Rough::of(&Date::parse("/").unwrap())), None);
    }
}
