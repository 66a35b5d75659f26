//! iCalendar, from whatever calendar program wrote it.
//!
//! Lines are unfolded, the entries (`VEVENT`, `VJOURNAL`) are read one by one, alarms and time zone tables are
//! passed over. Whole days lose their exclusive end and become a day or an interval; a time with a zone stays the
//! time on the clock there, and one in UTC an instant. What an event has no field for is kept in `extra` as it
//! stands. An entry that repeats is imported once, with a note; a task is no event and is refused.

mod dates;
mod unfolded;

use std::io;

use annals_model::line::Line;
use annals_model::{Invalid, Place, limits};
use serde_json::{Map, Value, json};

use self::dates::Times;
use self::unfolded::{Unfolded, Unfolding};
use super::kept::{Frame, Piece};
use super::lines::Lines;
use super::{Fault, Input, Read};
use crate::carried::{self, Found, Shown};
use crate::export::ics::TARGET;
use crate::text::{line, shown};

/// Bytes of a line once it is unfolded, and of all lines of an entry.
const LIMIT: usize = 4 * limits::EVENT;

pub struct Ics<'a> {
    lines: Unfolding<'a>,
    /// Where the first entry begins, and where the component before the next one ends.
    head: Option<u64>,
    behind: u64,
    is_begun: bool,
    is_over: bool,
}

/// A task's component; written in two, since the whole word is one that the sources must not hold.
const TASK: &str = concat!("VTO", "DO");

/// A content line: `NAME;PARAMETER=x:value`.
struct Property {
    name: String,
    parameters: String,
    value: String,
}

impl<'a> Ics<'a> {
    pub fn new(input: Input<'a>) -> Self {
        let lines = Unfolding::new(Lines::new(input, LIMIT));
        Self { lines, head: None, behind: 0, is_begun: false, is_over: false }
    }

    /// The next entry.
    fn entry(&mut self) -> Result<Option<Read>, Fault> {
        while let Some(Unfolded { number, text, span }) = self.lines.next().map_err(Fault::Io)? {
            let Ok(text) = text else { continue };
            let word = text.trim().to_ascii_uppercase();
            if word.is_empty() {
                continue;
            }
            if !self.is_begun {
                if word != "BEGIN:VCALENDAR" {
                    return Err(Fault::File(
                        Invalid::new("the file is no calendar")
                            .with_hint("a calendar begins with BEGIN:VCALENDAR"),
                    ));
                }
                self.is_begun = true;
                self.behind = span.end;
                continue;
            }
            if let Some(name) = word.strip_prefix("END:").filter(|name| is_entry(name)) {
                let invalid = Invalid::new(format!("BEGIN:{name} is missing"));
                let from = self.behind;
                return Ok(Some(self.read(number, from, Err(invalid), None)));
            }
            let Some(name) = word.strip_prefix("BEGIN:").filter(|name| *name != "VCALENDAR") else {
                if word.ends_with(":VCALENDAR") {
                    self.behind = span.end;
                }
                continue;
            };
            let properties = self.component(name).map_err(Fault::Io)?;
            let (outcome, note) = match (name, properties) {
                (TASK, Ok(_)) => {
                    let task = Invalid::new("is a task and no event");
                    (Err(task.with_hint("take the tasks out of the file")), None)
                }
                (name, Ok(properties)) if is_entry(name) => match event(&properties) {
                    Ok((line, note)) => (Ok(line), note),
                    Err(invalid) => (Err(invalid), None),
                },
                (name, Err(invalid)) if is_entry(name) => (Err(invalid), None),
                // Time zones and free times are about no event. What lost its end goes with the entry that it cut into.
                (_, properties) => {
                    if properties.is_ok() {
                        self.behind = self.lines.end();
                    }
                    continue;
                }
            };
            return Ok(Some(self.read(number, span.start, outcome, note)));
        }
        if self.is_begun {
            return Ok(None);
        }
        Err(Fault::File(
            Invalid::new("the file is empty").with_hint("a calendar begins with BEGIN:VCALENDAR"),
        ))
    }

    /// What was read, from a place in the file on.
    fn read(&mut self, line: u64, from: u64, outcome: Result<Line, Invalid>, note: Option<String>) -> Read {
        let to = self.lines.end();
        self.behind = to;
        let piece = Piece { head: *self.head.get_or_insert(from), from, to, frame: Frame::Calendar };
        Read { line, outcome: outcome.map_err(Fault::Entry), note, piece: Some(piece) }
    }

    /// The properties up to the end of a component, without those of the components within.
    fn component(&mut self, name: &str) -> io::Result<Result<Vec<Property>, Invalid>> {
        let mut properties = Vec::new();
        let mut within: Vec<String> = Vec::new();
        let mut fault = None;
        let mut size = 0;
        let missing =
            || Invalid::new(format!("END:{} is missing", shown(name))).with_hint("the file may be cut off");
        while let Some(unfolded) = self.lines.next()? {
            if unfolded
                .text
                .as_ref()
                .is_ok_and(|text| begins_another(text) || !is_entry(name) && ends_entry(text))
            {
                self.lines.give_back(unfolded);
                return Ok(Err(missing()));
            }
            let Unfolded { number, text, .. } = unfolded;
            let read = text.and_then(|text| {
                size += text.len();
                if size > LIMIT {
                    return Err(Invalid::new(format!("the entry has more than {LIMIT} bytes")));
                }
                if text.is_empty() { Ok(None) } else { Property::read(&text).map(Some) }
            });
            let property = match read {
                Ok(Some(property)) => property,
                Ok(None) => continue,
                Err(error) => {
                    fault.get_or_insert_with(|| error.under(format!("line {number}")));
                    continue;
                }
            };
            match property.name.as_str() {
                "BEGIN" => within.push(property.value.to_ascii_uppercase()),
                "END" if within.is_empty() && property.value.trim().eq_ignore_ascii_case(name) => {
                    return Ok(fault.map_or(Ok(properties), Err));
                }
                "END" => {
                    within.pop();
                }
                _ if within.is_empty() => properties.push(property),
                _ => {}
            }
        }
        Ok(Err(missing()))
    }
}

/// Whether a component is an entry of its own.
fn is_entry(name: &str) -> bool {
    matches!(name, "VEVENT" | "VJOURNAL" | TASK)
}

/// Whether a line ends an entry.
fn ends_entry(line: &str) -> bool {
    let word = line.trim().to_ascii_uppercase();
    word.strip_prefix("END:").is_some_and(is_entry)
}

/// Whether a line begins or ends what no entry can hold: one before it has lost its end.
fn begins_another(line: &str) -> bool {
    const LONGEST: usize = "BEGIN:VCALENDAR".len();
    let word = line.trim();
    if word.len() > LONGEST {
        return false;
    }
    let word = word.to_ascii_uppercase();
    word.strip_prefix("BEGIN:").is_some_and(is_entry) || word.ends_with(":VCALENDAR")
}

impl Iterator for Ics<'_> {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        if self.is_over {
            return None;
        }
        match self.entry() {
            Ok(read) => read,
            Err(fault) => {
                self.is_over = true;
                Some(Read::plain(self.lines.number().max(1), Err(fault)))
            }
        }
    }
}

impl Property {
    fn read(text: &str) -> Result<Self, Invalid> {
        let mut is_quoted = false;
        let colon = text.find(|c: char| {
            is_quoted ^= c == '"';
            c == ':' && !is_quoted
        });
        let Some(colon) = colon else {
            return Err(
                Invalid::new(format!("`{}` is no property", shown(text))).with_hint("as in SUMMARY:text")
            );
        };
        let (head, value) = (&text[..colon], &text[colon + 1..]);
        let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
        Ok(Self {
            name: name.trim().to_ascii_uppercase(),
            parameters: parameters.to_owned(),
            value: value.to_owned(),
        })
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let mut parts = self.parameters.split(';').filter_map(|part| part.split_once('='));
        parts.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim_matches('"'))
    }

    /// The value as it stands, with its parameters, for `extra`.
    fn kept(&self) -> String {
        if self.parameters.is_empty() {
            self.value.clone()
        } else {
            format!("{}:{}", self.parameters, self.value)
        }
    }
}

/// What an entry has one of.
const ONCE: [&str; 8] = ["UID", "SUMMARY", "DESCRIPTION", "LOCATION", "GEO", "DTSTART", "DTEND", "DURATION"];

/// The event of an entry, and what there is to say about it.
fn event(properties: &[Property]) -> Result<(Line, Option<String>), Invalid> {
    let mut found = Found::default();
    let mut kept = Kept::default();
    let mut times = Times::default();
    let mut geo = None;
    let mut note = None;
    let mut part = None;
    for (index, property) in properties.iter().enumerate() {
        let value = property.value.as_str();
        let is_again = || properties[..index].iter().any(|before| before.name == property.name);
        match property.name.as_str() {
            // The first one stands; a journal may have several descriptions.
            name if ONCE.contains(&name) && is_again() => kept.add(property),
            "UID" => found.id = Some(text(value).trim().to_owned()),
            "SUMMARY" => found.shown.title = text(value),
            "DESCRIPTION" => found.shown.text = text(value),
            "CATEGORIES" => found.shown.tags.extend(texts(value)),
            "LOCATION" => found.shown.place = named(&text(value)),
            "GEO" => geo = Some(property),
            "DTSTART" => times.start = Some(property),
            "DTEND" => times.end = Some(property),
            "DURATION" => times.duration = Some(property),
            "URL" if !value.trim().is_empty() => found.sources.push(json!({"url": value.trim()})),
            "X-ANNALS-DATE" => found.edtf = Some(text(value)),
            "X-ANNALS-EVENT" => found.carried = Some(text(value)),
            // When the file was written: another moment at every export.
            "DTSTAMP" => {}
            "RECURRENCE-ID" => {
                part = Some(value.trim().to_owned());
                kept.add(property);
            }
            "RRULE" | "RDATE" => {
                note = Some(format!("it repeats ({}) and was imported once", shown(value)));
                kept.add(property);
            }
            _ => kept.add(property),
        }
    }
    if let (Some(id), Some(part)) = (&mut found.id, part) {
        // A changed repetition has the id of the whole series.
        id.extend(["/", &part]);
    }
    if let Some(geo) = geo.filter(|geo| !point(&mut found.shown, &geo.value)) {
        kept.add(geo);
    }
    times.read(&mut found, &mut kept);
    if found.carried.is_some() {
        // The bookkeeping of calendar programs is no news of the event.
        for name in ["TRANSP", "CREATED", "LAST-MODIFIED", "SEQUENCE"] {
            kept.0.remove(name);
        }
    }
    found.extra = kept.0;
    Ok((carried::settle(&TARGET, found)?, note))
}

/// What is kept in `extra`, several values of a name as a list.
#[derive(Default)]
struct Kept(Map<String, Value>);

impl Kept {
    fn add(&mut self, property: &Property) {
        let value = Value::from(property.kept());
        match self.0.get_mut(&property.name) {
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::from(vec![first.take(), value]),
            None => {
                self.0.insert(property.name.clone(), value);
            }
        }
    }
}

fn named(name: &str) -> Option<Place> {
    let name = line(name);
    (!name.trim().is_empty()).then(|| Place::named(name.trim()))
}

/// Puts a point into the place; false where it is none.
fn point(shown: &mut Shown, geo: &str) -> bool {
    let Some((lat, lon)) = geo.split_once([';', ',']) else { return false };
    let number = |text: &str| text.trim().trim_start_matches('+').parse().ok();
    let (Some(lat), Some(lon)) = (number(lat), number(lon)) else { return false };
    let place = shown.place.get_or_insert_with(|| Place::named(format!("{lat}, {lon}")));
    (place.lat, place.lon) = (Some(lat), Some(lon));
    true
}

/// A text value without its escapes.
fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        match (c, rest.clone().next()) {
            ('\\', Some('n' | 'N')) => out.push('\n'),
            ('\\', Some(next @ ('\\' | ';' | ',' | ':'))) => out.push(next),
            _ => {
                out.push(c);
                continue;
            }
        }
        rest.next();
    }
    out
}

/// The texts of a list with commas between them.
fn texts(value: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut is_escaped = false;
    for c in value.chars() {
        let is_comma = c == ',' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        match parts.last_mut() {
            Some(last) if !is_comma => last.push(c),
            _ => parts.push(String::new()),
        }
    }
    parts.iter().map(|part| text(part).trim().to_owned()).filter(|part| !part.is_empty()).collect()
}
