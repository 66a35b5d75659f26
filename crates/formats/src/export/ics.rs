//! iCalendar (RFC 5545, RFC 7986): one `VEVENT` an event, for calendar programs.
//!
//! An event without a time of day is an all-day entry from the first to the last day that its date allows, with the
//! end exclusive as the standard wants it, and where that is more than the date says its words stand in the summary.
//! An instant is written in UTC, a civil time as one without a zone, so that no day moves. `DTSTAMP` is when the
//! event was recorded: nothing here comes from a clock. `X-ANNALS-DATE` has the date as EDTF and `X-ANNALS-EVENT`
//! what a calendar has no property for, so that the importer gives the event back as it was.
//!
//! The crate `icalendar` makes up ids and times where it finds none; what is left to write is the few lines below.

use std::fmt::Write as _;
use std::io;

use annals_model::{DAY, Date, Event, Moment, Place, RecordedAt, TimelineName};

use super::losses::{BOUNDLESS, FAR, Loss};
use super::{ExportError, Exporter, Heading, Losses, Row};
use crate::carried::{self, Shown, Target};
use crate::details::{self, Wanted};
use crate::rough::{Rough, Shape, clock, compact, placed};
use crate::text::{line, visible};

/// How a calendar shows an event.
pub const TARGET: Target = Target { shown, suffix, details, between: "\n\n", plain: |text| text.to_owned() };

const DAYLESS: Loss = Loss::new(
    "dayless",
    "date that names no day fills all its days",
    "dates that name no day fill all their days",
);

/// Bytes of a line, without its end.
const WIDTH: usize = 75;

pub struct Ics<'o> {
    out: &'o mut dyn io::Write,
    losses: Losses,
}

impl<'o> Ics<'o> {
    pub fn begin(heading: &Heading<'_>, out: &'o mut dyn io::Write) -> Result<Self, ExportError> {
        let name = escaped(&line(&heading.name()));
        let mut head = String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Annals//Timeline//EN\r\n");
        head.push_str("CALSCALE:GREGORIAN\r\n");
        // RFC 7986, and what calendar programs read before it.
        push(&mut head, "NAME", &name);
        push(&mut head, "X-WR-CALNAME", &name);
        out.write_all(head.as_bytes())?;
        Ok(Self { out, losses: Losses::default() })
    }
}

impl Exporter for Ics<'_> {
    fn row(&mut self, row: &Row<'_>) -> Result<(), ExportError> {
        let event = row.event;
        let Some((date, rough, days)) = placed(row, &mut self.losses, Days::of) else { return Ok(()) };
        if is_dayless(&rough) {
            self.losses.count(DAYLESS);
        }
        let text = entry(row.timeline, event, date, &days, row.recorded.at)?;
        Ok(self.out.write_all(text.as_bytes())?)
    }

    fn end(self: Box<Self>) -> Result<Losses, ExportError> {
        self.out.write_all(b"END:VCALENDAR\r\n")?;
        Ok(self.losses)
    }
}

fn entry(
    timeline: &TimelineName,
    event: &Event,
    date: &Date,
    days: &Days,
    recorded_at: RecordedAt,
) -> Result<String, ExportError> {
    let shown = shown(event);
    let mut text = String::from("BEGIN:VEVENT\r\n");
    push(&mut text, "UID", &format!("{}@{}", encoded(event.id.as_str()), encoded(timeline.as_str())));
    let stamp = Moment::from_seconds(recorded_at.micros().div_euclid(1_000_000));
    push(&mut text, "DTSTAMP", &format!("{}Z", time(stamp)));
    for property in days.properties() {
        text.extend([&property, "\r\n"]);
    }
    push(&mut text, "SUMMARY", &escaped(&shown.title));
    if !shown.text.is_empty() {
        push(&mut text, "DESCRIPTION", &escaped(&shown.text));
    }
    if !shown.tags.is_empty() {
        let tags: Vec<String> = shown.tags.iter().map(|tag| escaped(tag)).collect();
        push(&mut text, "CATEGORIES", &tags.join(","));
    }
    if let Some(place) = &shown.place {
        push(&mut text, "LOCATION", &escaped(&place.name));
        if let (Some(lat), Some(lon)) = (place.lat, place.lon) {
            push(&mut text, "GEO", &format!("{lat};{lon}"));
        }
    }
    if let Some((_, url)) = details::web_source(event) {
        push(&mut text, "URL", url);
    }
    // What happened does not keep anybody from a meeting.
    push(&mut text, "TRANSP", "TRANSPARENT");
    push(&mut text, "X-ANNALS-DATE", &escaped(date.as_str()));
    push(&mut text, "X-ANNALS-EVENT", &escaped(&carried::carry(&TARGET, timeline, event, &shown)?));
    text.push_str("END:VEVENT\r\n");
    Ok(text)
}

/// What a calendar shows of an event.
fn shown(event: &Event) -> Shown {
    let days = event.date.as_ref().and_then(|date| Days::of(&Rough::of(date)).ok());
    Shown {
        title: line(&event.title) + &suffix(event),
        text: TARGET.text(&event.description.as_deref().map_or_else(String::new, visible), event),
        dates: days.iter().map(|days| days.properties().concat()).collect(),
        tags: event.tags.iter().map(|tag| line(tag)).collect(),
        place: event.place.as_ref().map(|place| Place {
            name: line(&place.name),
            precision: None,
            ..place.clone()
        }),
    }
}

/// The words for a date of which the days say less or more.
fn suffix(event: &Event) -> String {
    event
        .date
        .as_ref()
        .filter(|date| needs_words(date))
        .map_or_else(String::new, |date| format!(" — {}", date.words()))
}

fn details(event: &Event) -> String {
    let date = event.date.as_ref().is_some_and(needs_words);
    details::lines(event, Wanted { date, place: false, tags: false }).join("\n")
}

fn needs_words(date: &Date) -> bool {
    let rough = Rough::of(date);
    !rough.is_exact(date) || is_dayless(&rough)
}

fn is_dayless(rough: &Rough) -> bool {
    match rough.shape {
        Shape::Stretch(first, last) => first.day.is_none() || last.is_some_and(|last| last.day.is_none()),
        Shape::Second(_) | Shape::Nowhere => false,
    }
}

/// The days of an entry, or its second.
enum Days {
    /// `DTSTART` and the exclusive `DTEND`, as dates.
    Whole(String, String),
    /// `DTSTART` as a date-time.
    Second(String),
}

impl Days {
    fn of(rough: &Rough) -> Result<Self, Loss> {
        let holds = |year: i64| (1..=9999).contains(&year);
        match rough.shape {
            Shape::Second(second) => {
                let (moment, zone) =
                    if second.offset.is_some() { (second.moment, "Z") } else { (second.civil, "") };
                let text = format!("{}{zone}", time(moment));
                if holds(moment.civil().0.year) { Ok(Self::Second(text)) } else { Err(FAR) }
            }
            Shape::Stretch(first, last) => {
                let first_day = first.first_day();
                let (end, _) =
                    Moment::from_seconds(Moment::start_of(last.unwrap_or(first).last_day()).seconds() + DAY)
                        .civil();
                if !holds(first_day.year) || !holds(end.year) {
                    return Err(FAR);
                }
                Ok(Self::Whole(compact(first_day), compact(end)))
            }
            Shape::Nowhere => Err(BOUNDLESS),
        }
    }

    /// The lines without their ends.
    fn properties(&self) -> Vec<String> {
        match self {
            Self::Whole(start, end) => {
                vec![format!("DTSTART;VALUE=DATE:{start}"), format!("DTEND;VALUE=DATE:{end}")]
            }
            Self::Second(start) => vec![format!("DTSTART:{start}")],
        }
    }
}

/// `20231002T153000`.
fn time(moment: Moment) -> String {
    let (hour, minute, second) = clock(moment);
    format!("{}T{hour:02}{minute:02}{second:02}", compact(moment.civil().0))
}

/// A text value: what would end it or begin something else is escaped.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            _ => out.push(c),
        }
    }
    out
}

/// A part of a `UID` in the characters that addresses of the web allow everywhere; programs put it into such.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Appends `NAME:value`, folded at 75 bytes and never within a character.
fn push(out: &mut String, name: &str, value: &str) {
    let mut width = 0;
    for c in name.chars().chain([':']).chain(value.chars()) {
        if width + c.len_utf8() > WIDTH {
            out.push_str("\r\n ");
            width = 1;
        }
        out.push(c);
        width += c.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_folded_between_characters() {
        let mut out = String::new();
        push(&mut out, "SUMMARY", &"é".repeat(100));
        let lines: Vec<&str> = out.trim_end().split("\r\n").collect();
        assert!(lines.len() == 3 && lines.iter().all(|line| line.len() <= WIDTH), "{lines:?}");
        assert_eq!(lines.join("").replace(' ', ""), format!("SUMMARY:{}", "é".repeat(100)));
    }

    #[test]
    fn texts_and_ids_are_escaped() {
        assert_eq!(escaped("a\\b; c, d\ne: \"f\""), "a\\\\b\\; c\\, d\\ne: \"f\"");
        assert_eq!(encoded("un-2004"), "un-2004");
        assert_eq!(encoded("a b@é"), "a%20b%40%C3%A9");
    }

    #[test]
    fn days_are_whole_and_their_end_is_exclusive() {
        let check = |text: &str, expect: &[&str]| {
            let days = Days::of(&Rough::of(&Date::parse(text).unwrap())).map(|days| days.properties());
            assert_eq!(days.unwrap_or_else(|loss| vec![format!("{loss:?}")]), expect, "{text}");
        };
        check("2004-02-28", &["DTSTART;VALUE=DATE:20040228", "DTEND;VALUE=DATE:20040229"]);
        check("2004", &["DTSTART;VALUE=DATE:20040101", "DTEND;VALUE=DATE:20050101"]);
        check("0001", &["DTSTART;VALUE=DATE:00010101", "DTEND;VALUE=DATE:00020101"]);
        check("2023-24", &["DTSTART;VALUE=DATE:20231201", "DTEND;VALUE=DATE:20240301"]);
        check("2023-10-02T23:30:00-05:00", &["DTSTART:20231003T043000Z"]);
        check("2023-10-02T23:30:00", &["DTSTART:20231002T233000"]);
        for far in ["0000", "-0043-03-15", "9999", "9999-12-31", "Y12000"] {
            check(far, &[&format!("{FAR:?}")]);
        }
        check("/", &[&format!("{BOUNDLESS:?}")]);
    }
}
