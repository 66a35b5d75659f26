//! `GeoJSON` (RFC 7946): one feature an event, with the dates of the Linked Places format in `when`.
//!
//! `properties` is the whole event, as its JSON line has it, so that nothing is lost to whoever reads on. `when`
//! has one timespan for each happening, with the earliest and the latest moment of its start and its end; days
//! where the bound is a whole day, a date-time as it is written. A bound that lies at infinity is left out,
//! and the EDTF text beside says whether it is open or unknown. An event without coordinates has the geometry
//! `null`: it is in the file, and on no map, which is counted.

use std::io;

use annals_model::date::{Range, Span};
use annals_model::{Date, Event, Moment, Place, line};

use super::losses::Loss;
use super::object::Object;
use super::{ExportError, Exporter, Heading, Losses, Row, names};

/// The terms of `when`, for who reads the file as linked data.
const CONTEXT: &str = "https://raw.githubusercontent.com/LinkedPasts/linked-places-format/main/linkedplaces-context-v1.1.jsonld";

const NOWHERE: Loss = Loss::new(
    "no-coordinates",
    "event without coordinates is on no map",
    "events without coordinates are on no map",
);

pub struct GeoJson<'o> {
    out: &'o mut dyn io::Write,
    is_first: bool,
    losses: Losses,
}

impl<'o> GeoJson<'o> {
    pub fn begin(heading: &Heading<'_>, out: &'o mut dyn io::Write) -> Result<Self, ExportError> {
        let mut head = Object::new();
        head.field("type", "FeatureCollection")?;
        head.field("@context", CONTEXT)?;
        head.optional("title", heading.title.as_ref())?;
        let mut head = head.finish();
        head.pop();
        head.push_str(",\"features\":[");
        out.write_all(head.as_bytes())?;
        Ok(Self { out, is_first: true, losses: Losses::default() })
    }
}

impl Exporter for GeoJson<'_> {
    fn row(&mut self, row: &Row<'_>) -> Result<(), ExportError> {
        let event = row.event;
        let name = names::event(row.timeline, &event.id);
        let mut feature = Object::new();
        feature.field("type", "Feature")?;
        feature.field("id", &name)?;
        feature.field("@id", &name)?;
        feature.json("properties", &properties(row)?)?;
        if let Some(when) = when(event)? {
            feature.json("when", &when)?;
        }
        let point = event.place.as_ref().and_then(point);
        if point.is_none() {
            self.losses.count(NOWHERE);
        }
        feature.json("geometry", point.as_deref().unwrap_or("null"))?;
        let between = if self.is_first { "\n" } else { ",\n" };
        self.is_first = false;
        self.out.write_all(between.as_bytes())?;
        Ok(self.out.write_all(feature.finish().as_bytes())?)
    }

    fn end(self: Box<Self>) -> Result<Losses, ExportError> {
        self.out.write_all(if self.is_first { b"]}\n" } else { b"\n]}\n" })?;
        Ok(self.losses)
    }
}

/// The event, and whether it may lie outside of what was asked for.
fn properties(row: &Row<'_>) -> Result<String, ExportError> {
    let mut json = line::event_line(row.timeline, row.event)?;
    if !row.sure {
        json.pop();
        json.push_str(",\"possibly\":true}");
    }
    Ok(json)
}

/// Longitude first, each number as it was recorded.
fn point(place: &Place) -> Option<String> {
    let (lat, lon) = place.lat.zip(place.lon)?;
    Some(format!(r#"{{"type":"Point","coordinates":[{lon},{lat}]}}"#))
}

/// When it happened; nothing where its date bounds it nowhere.
fn when(event: &Event) -> Result<Option<String>, ExportError> {
    let Some(date) = &event.date else { return Ok(None) };
    let timespans: Result<Vec<Option<String>>, ExportError> =
        date.happenings().iter().map(|span| timespan(date, span)).collect();
    let timespans: Vec<String> = timespans?.into_iter().flatten().collect();
    if timespans.is_empty() {
        return Ok(None);
    }
    let mut when = Object::new();
    when.list("timespans", &timespans)?;
    when.field("label", date.as_str())?;
    Ok(Some(when.finish()))
}

fn timespan(date: &Date, span: &Span) -> Result<Option<String>, ExportError> {
    // A start that nobody knows still lies before the end, and an end behind the start.
    let start = Range { latest: first_finite(span.start.latest, span.end.latest), ..span.start };
    let end = Range { earliest: first_finite(span.end.earliest, span.start.earliest), ..span.end };
    let (start, end) = (bounds(date, start)?, bounds(date, end)?);
    if start == "{}" && end == "{}" {
        return Ok(None);
    }
    let mut timespan = Object::new();
    timespan.json("start", &start)?;
    timespan.json("end", &end)?;
    Ok(Some(timespan.finish()))
}

fn first_finite(moment: Moment, other: Moment) -> Moment {
    if moment.is_finite() { moment } else { other }
}

fn bounds(date: &Date, range: Range) -> Result<String, ExportError> {
    let mut bounds = Object::new();
    // Only a single date-time holds a `T`; turned to UTC it could stand on another day.
    let written = Some(date.as_str()).filter(|text| text.contains('T'));
    for (name, moment, is_whole_day) in [
        ("earliest", range.earliest, |second| second == 0),
        ("latest", range.latest, |second| second == 86_399),
    ] as [(&str, Moment, fn(u32) -> bool); 2]
    {
        if !moment.is_finite() {
            continue;
        }
        let (day, second) = moment.civil();
        let text = match written {
            Some(written) => written.to_owned(),
            None if is_whole_day(second) => iso_day(day),
            None => {
                format!("{}T{:02}:{:02}:{:02}", iso_day(day), second / 3600, second / 60 % 60, second % 60)
            }
        };
        bounds.field(name, &text)?;
    }
    Ok(bounds.finish())
}

/// A day as XML Schema writes it: years of more than four digits without EDTF's `Y`.
fn iso_day(day: annals_model::Day) -> String {
    let text = day.to_string();
    text.strip_prefix('Y').map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use annals_model::EventId;

    use super::*;

    #[test]
    fn every_bound_is_told_and_no_day_moves() {
        let check = |date: &str, expect: &str| {
            let mut event = Event::new(EventId::new("x").unwrap(), "X");
            event.date = Some(Date::parse(date).unwrap());
            let told = when(&event).unwrap().unwrap_or_default();
            assert_eq!(told, expect, "{date}");
        };
        let day = r#"{"earliest":"2023-10-02","latest":"2023-10-02"}"#;
        check(
            "2023-10-02",
            &format!(r#"{{"timespans":[{{"start":{day},"end":{day}}}],"label":"2023-10-02"}}"#),
        );
        let instant = r#"{"earliest":"2023-10-02T23:30:00-05:00","latest":"2023-10-02T23:30:00-05:00"}"#;
        check(
            "2023-10-02T23:30:00-05:00",
            &format!(
                r#"{{"timespans":[{{"start":{instant},"end":{instant}}}],"label":"2023-10-02T23:30:00-05:00"}}"#
            ),
        );
        check(
            "2023-10-02/..",
            &format!(
                r#"{{"timespans":[{{"start":{day},"end":{{"earliest":"2023-10-02"}}}}],"label":"2023-10-02/.."}}"#
            ),
        );
        check(
            "/2019",
            r#"{"timespans":[{"start":{"latest":"2019-12-31"},"end":{"earliest":"2019-01-01","latest":"2019-12-31"}}],"label":"/2019"}"#,
        );
        check("../..", "");
        check(
            "Y-17E7",
            r#"{"timespans":[{"start":{"earliest":"-170000000-01-01","latest":"-170000000-12-31"},"end":{"earliest":"-170000000-01-01","latest":"-170000000-12-31"}}],"label":"Y-17E7"}"#,
        );
        let year = |year: u16| format!(r#"{{"earliest":"{year}-01-01","latest":"{year}-12-31"}}"#);
        let happening = |number| format!(r#"{{"start":{0},"end":{0}}}"#, year(number));
        check(
            "{2017,2019}",
            &format!(r#"{{"timespans":[{},{}],"label":"{{2017,2019}}"}}"#, happening(2017), happening(2019)),
        );
    }
}
