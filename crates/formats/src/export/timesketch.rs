//! JSON Lines for Timesketch, the forensic timeline: one row a bound of a date.
//!
//! Timesketch sorts rows by an instant and has no vague dates, so that an event stands there once for every bound
//! that its date has — no earlier than, no later than — with the EDTF beside each, and the row says which bound it
//! is. Days and civil times stand as if in UTC, so that no day moves. Each row carries the whole event: rows may be
//! sorted, filtered and exported from there again.

use std::io;

use annals_model::{Event, Moment, Place};
use serde::Serialize;

use super::losses::{BOUNDLESS, FAR, Loss, POSSIBLY, UNDATED};
use super::{ExportError, Exporter, Losses, Row};
use crate::carried::{self, Shown, Target};
use crate::details;
use crate::rough::{Rough, Shape, clock};
use crate::text::{line, visible, visible_json};

/// How Timesketch shows an event; the details stand in fields of their own.
pub const TARGET: Target = Target {
    shown,
    suffix: |_| String::new(),
    details: |_| String::new(),
    between: "",
    plain: |text| text.to_owned(),
};

const CIVIL: Loss = Loss::new(
    "civil",
    "time of day without an offset stands as if in UTC",
    "times of day without an offset stand as if in UTC",
);
const FAR_BOUND: Loss = Loss::new(
    "far-bound",
    "date has a bound left out whose year the target cannot hold",
    "dates have a bound left out whose year the target cannot hold",
);

pub struct Timesketch<'o> {
    out: &'o mut dyn io::Write,
    losses: Losses,
}

/// One row; the first four fields are those that Timesketch asks for.
#[derive(Serialize)]
struct Sketch<'a> {
    message: &'a str,
    datetime: String,
    timestamp: i64,
    timestamp_desc: &'a str,
    edtf: &'a str,
    event_id: &'a str,
    timeline: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latitude: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    longitude: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actors: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sources: Vec<String>,
    tag: &'a [String],
    annals: &'a str,
}

impl<'o> Timesketch<'o> {
    pub fn new(out: &'o mut dyn io::Write) -> Self {
        Self { out, losses: Losses::default() }
    }
}

impl Exporter for Timesketch<'_> {
    fn row(&mut self, row: &Row<'_>) -> Result<(), ExportError> {
        let event = row.event;
        let Some(date) = &event.date else {
            self.losses.count(UNDATED);
            return Ok(());
        };
        let all = bounds(event);
        let bounds: Vec<_> = all.iter().filter(|(_, moment)| is_held(*moment)).collect();
        if bounds.is_empty() {
            self.losses.count(if all.is_empty() { BOUNDLESS } else { FAR });
            return Ok(());
        }
        // Where it lies within the bounds is what the rows say.
        let rough = Rough { is_within: false, ..Rough::of(date) };
        if !row.sure {
            self.losses.count(POSSIBLY);
        }
        rough.count(date, &mut self.losses);
        if matches!(rough.shape, Shape::Second(second) if second.offset.is_none()) {
            self.losses.count(CIVIL);
        }
        if bounds.len() < all.len() {
            self.losses.count(FAR_BOUND);
        }
        let shown = shown(event);
        let place = shown.place.as_ref();
        let number = |number: Option<annals_model::Number>| number.map(|number| number.to_string());
        let mut sketch = Sketch {
            message: &shown.title,
            datetime: String::new(),
            timestamp: 0,
            timestamp_desc: "",
            edtf: date.as_str(),
            event_id: event.id.as_str(),
            timeline: row.timeline.as_str(),
            kind: event.kind.as_deref().map(line),
            description: &shown.text,
            place: place.map(|place| place.name.as_str()),
            latitude: place.and_then(|place| number(place.lat)),
            longitude: place.and_then(|place| number(place.lon)),
            actors: event.actors.iter().map(|actor| line(&actor.name)).collect(),
            sources: event.sources.iter().map(details::citation).collect(),
            tag: &shown.tags,
            annals: &carried::carry(&TARGET, row.timeline, event, &shown)?,
        };
        for (what, moment) in bounds {
            sketch.datetime = datetime(*moment);
            sketch.timestamp = moment.seconds() * 1_000_000;
            sketch.timestamp_desc = what;
            let mut json = visible_json(&serde_json::to_string(&sketch)?);
            json.push('\n');
            self.out.write_all(json.as_bytes())?;
        }
        Ok(())
    }

    fn end(self: Box<Self>) -> Result<Losses, ExportError> {
        Ok(self.losses)
    }
}

/// What Timesketch shows of an event.
fn shown(event: &Event) -> Shown {
    let dates = bounds(event).into_iter().filter(|(_, moment)| is_held(*moment));
    Shown {
        title: line(&event.title),
        text: event.description.as_deref().map_or_else(String::new, visible),
        dates: dates.map(|(what, moment)| written(&datetime(moment), what)).collect(),
        tags: event.tags.iter().map(|tag| line(tag)).collect(),
        place: event.place.as_ref().map(|place| Place {
            name: line(&place.name),
            precision: None,
            ..place.clone()
        }),
    }
}

/// An instant and what it is, as one text to compare.
pub fn written(datetime: &str, what: &str) -> String {
    format!("{what} {datetime}")
}

/// The finite bounds of a date, each with the name of what it bounds; bounds that are one are named once.
fn bounds(event: &Event) -> Vec<(&'static str, Moment)> {
    let Some(date) = &event.date else { return Vec::new() };
    let rough = Rough::of(date);
    if let Shape::Second(second) = rough.shape {
        return vec![("Happened", second.moment)];
    }
    let span = date.span();
    let named = if span.start == span.end {
        vec![("Happened no earlier than", span.start.earliest), ("Happened no later than", span.start.latest)]
    } else {
        vec![
            ("Began no earlier than", span.start.earliest),
            ("Began no later than", span.start.latest),
            ("Ended no earlier than", span.end.earliest),
            ("Ended no later than", span.end.latest),
        ]
    };
    named.into_iter().filter(|(_, moment)| moment.is_finite()).collect()
}

/// Whether Timesketch's own reader takes the year.
fn is_held(moment: Moment) -> bool {
    (1..=9999).contains(&moment.civil().0.year)
}

/// An instant as Timesketch reads it.
pub fn datetime(moment: Moment) -> String {
    let (hour, minute, second) = clock(moment);
    format!("{}T{hour:02}:{minute:02}:{second:02}.000000+00:00", moment.civil().0)
}

#[cfg(test)]
mod tests {
    use annals_model::{Date, EventId};

    use super::*;

    #[test]
    fn every_bound_is_a_row() {
        let check = |text: &str, expect: &[&str]| {
            let mut event = Event::new(EventId::new("a").unwrap(), "A");
            event.date = Some(Date::parse(text).unwrap());
            assert_eq!(shown(&event).dates, expect, "{text}");
        };
        check(
            "2004",
            &[
                "Happened no earlier than 2004-01-01T00:00:00.000000+00:00",
                "Happened no later than 2004-12-31T23:59:59.000000+00:00",
            ],
        );
        check("2023-10-02T23:30:00-05:00", &["Happened 2023-10-03T04:30:00.000000+00:00"]);
        check("[..2019]", &["Happened no later than 2019-12-31T23:59:59.000000+00:00"]);
        check("Y-17E7", &[]);
        check("/", &[]);
        check(
            "2023-10-02/..",
            &[
                "Began no earlier than 2023-10-02T00:00:00.000000+00:00",
                "Began no later than 2023-10-02T23:59:59.000000+00:00",
            ],
        );
    }
}
