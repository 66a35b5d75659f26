//! Timesketch: rows as JSON Lines or CSV, from our export, from Timesketch's own or from a forensic tool.
//!
//! A row of another tool is one event at its instant, of the kind that `timestamp_desc` names; its other fields are
//! kept in `extra`. Of the rows that we wrote for the bounds of one event the first is read and the others, which
//! say the same, are passed over.

use std::collections::HashSet;
use std::io::{self, BufRead as _, Read as _};
use std::ops::Range;

use annals_model::line::Line;
use annals_model::{Date, Invalid, Moment, Place, limits};
use serde_json::{Map, Value};

use super::kept::Piece;
use super::lines::Lines;
use super::table::{Table, text};
use super::{Fault, Input, Read, Reader};
use crate::carried::{self, Found};
use crate::export::timesketch::{TARGET, datetime, written};
use crate::rough::{Rough, Shape};
use crate::text::shown;

/// Bytes of a line.
const LIMIT: usize = 4 * limits::EVENT;

/// The rows of a file, which its first sign tells to be JSON or a table.
pub fn read(mut input: Input<'_>) -> Reader<'_> {
    let mut blanks = Vec::new();
    let first = loop {
        match input.fill_buf() {
            Ok(bytes) => {
                let blank = bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                if blank == 0 || blank < bytes.len() {
                    break bytes.get(blank).copied();
                }
                if blanks.len() > LIMIT {
                    return super::only(Fault::File(Invalid::new("the file begins with nothing but blanks")));
                }
                blanks.extend_from_slice(bytes);
                input.consume(blank);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return super::only(Fault::Io(error)),
        }
    };
    // Blank lines count as lines.
    let input = Box::new(io::Cursor::new(blanks).chain(input));
    let rows = match first {
        // An export of no events is an empty file.
        None => return Box::new(std::iter::empty()),
        Some(b'{') => Rows::Lines(Lines::new(input, LIMIT)),
        Some(b'[') => {
            let list =
                Invalid::new("the file is a list in JSON").with_hint("Timesketch reads one object a line");
            return super::only(Fault::File(list));
        }
        _ => Rows::Table(Table::new(input)),
    };
    Box::new(Timesketch { rows, known: HashSet::new(), is_over: false })
}

struct Timesketch<'a> {
    rows: Rows<'a>,
    /// The events of ours that were read.
    known: HashSet<String>,
    is_over: bool,
}

enum Rows<'a> {
    Lines(Lines<'a>),
    Table(Table<'a>),
}

impl Rows<'_> {
    fn line(&self) -> u64 {
        match self {
            Self::Lines(lines) => lines.number(),
            Self::Table(table) => table.line(),
        }
    }

    fn piece(&self) -> Piece {
        match self {
            Self::Lines(lines) => {
                let Range { start: from, end: to } = lines.span();
                Piece { from, to, ..Piece::default() }
            }
            Self::Table(table) => table.piece(),
        }
    }

    fn next(&mut self) -> Result<Option<Map<String, Value>>, Fault> {
        let lines = match self {
            Self::Table(table) => return table.next(),
            Self::Lines(lines) => lines,
        };
        loop {
            let Some(line) = lines.next().map_err(Fault::Io)? else { return Ok(None) };
            let line = line.map_err(Fault::Entry)?;
            if line.trim().is_empty() {
                continue;
            }
            return serde_json::from_str(line).map(Some).map_err(|error| {
                let message = error.to_string().replace(" at line 1 column ", " at column ");
                Fault::Entry(Invalid::new(format!("is not a JSON object: {message}")))
            });
        }
    }
}

impl Iterator for Timesketch<'_> {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        while !self.is_over {
            let outcome = match self.rows.next() {
                Ok(None) => return None,
                Ok(Some(row)) => {
                    if let Some(key) = key(&row)
                        && !self.known.insert(key)
                    {
                        continue;
                    }
                    event(row).map_err(Fault::Entry)
                }
                Err(fault) => {
                    self.is_over = !matches!(fault, Fault::Entry(_));
                    Err(fault)
                }
            };
            return Some(Read::plain(self.rows.line().max(1), outcome).at(self.rows.piece()));
        }
        None
    }
}

/// What the rows of one event of ours share.
fn key(row: &Map<String, Value>) -> Option<String> {
    row.get("annals")?;
    let part = |name: &str| row.get(name).and_then(text).unwrap_or_default();
    Some(format!("{}\0{}", part("timeline"), part("event_id")))
}

fn event(mut row: Map<String, Value>) -> Result<Line, Invalid> {
    let mut found = Found::default();
    let mut take = |name: &str| row.remove(name).as_ref().and_then(text);
    found.edtf = take("edtf");
    found.carried = take("annals");
    let is_ours = found.carried.is_some();
    found.shown.title = take("message").ok_or_else(|| {
        Invalid::new("is missing")
            .with_hint("Timesketch asks for message, datetime and timestamp_desc")
            .under("message")
    })?;
    found.shown.text = take("description").unwrap_or_default();
    let what = take("timestamp_desc").unwrap_or_default();
    let (datetime_text, timestamp) = (take("datetime"), take("timestamp"));
    found.date = date(datetime_text.as_deref(), timestamp.as_deref());
    if let Some(Ok(edtf)) = &found.date {
        // Timesketch writes the same instant in other ways.
        found.shown.dates.extend(moment(edtf).map(|moment| written(&datetime(moment), &what)));
    }
    found.id = take("event_id").or_else(|| take("_id"));
    let (latitude, longitude) = (take("latitude"), take("longitude"));
    if let Some(place) = take("place") {
        let number = |text: Option<&String>| text.and_then(|text| text.trim().parse().ok());
        let point = number(latitude.as_ref()).zip(number(longitude.as_ref()));
        let (lat, lon) = point.unzip();
        found.shown.place = Some(Place { lat, lon, ..Place::named(place) });
    } else {
        for (name, value) in [("latitude", latitude), ("longitude", longitude)] {
            found.extra.extend(value.map(|value| (name.to_owned(), value.into())));
        }
    }
    let tags = row.remove("tag");
    found.shown.tags = tags.as_ref().map_or_else(Vec::new, labels);
    if is_ours {
        return carried::settle(&TARGET, found);
    }
    found.kind = Some(what).filter(|what| !what.is_empty());
    // A fraction of a second has no room in a date.
    if let Some(text) = datetime_text.filter(|text| text.contains('.') && !text.contains(".000000")) {
        found.extra.insert("datetime".to_owned(), text.into());
    }
    found.extra.extend(row);
    carried::settle(&TARGET, found)
}

/// The instant of a row as EDTF: `datetime`, or else `timestamp` in microseconds.
fn date(datetime: Option<&str>, timestamp: Option<&str>) -> Option<Result<String, Invalid>> {
    let Some(text) = datetime.map(str::trim).filter(|text| !text.is_empty()) else {
        let timestamp = timestamp?;
        return Some(match timestamp.trim().parse::<i64>() {
            Ok(micros) => Ok(format!("{}Z", Moment::from_seconds(micros.div_euclid(1_000_000)))),
            Err(_) => Err(Invalid::new(format!("`{}` is no number of microseconds", shown(timestamp)))),
        });
    };
    let (day, time) = match text.split_once(['T', ' ']) {
        Some((day, time)) if day.ends_with(|c: char| c.is_ascii_digit()) => (day, time.trim_start()),
        _ => return Some(Ok(text.to_owned())),
    };
    let end = time.find(['Z', 'z', '+', '-', ' ']).unwrap_or(time.len());
    let (clock, shift) = time.split_at(end);
    let clock = clock.split(['.', ',']).next().unwrap_or(clock);
    let shift = match shift.trim() {
        // Timesketch takes a time without an offset for one in UTC.
        "" | "Z" | "z" | "UTC" | "+0000" => "Z".to_owned(),
        shift if shift.len() == 5 && shift.is_ascii() => format!("{}:{}", &shift[..3], &shift[3..]),
        shift => shift.to_owned(),
    };
    Some(Ok(format!("{day}T{clock}{shift}")))
}

fn moment(edtf: &str) -> Option<Moment> {
    match Rough::of(&Date::parse(edtf).ok()?).shape {
        Shape::Second(second) => Some(second.moment),
        _ => None,
    }
}

/// Labels as a list, as JSON in a cell, as Python writes a list, or with commas between them.
fn labels(value: &Value) -> Vec<String> {
    let texts: Vec<String> = match value {
        Value::Array(labels) => labels.iter().filter_map(text).collect(),
        other => {
            let cell = text(other).unwrap_or_default();
            match serde_json::from_str::<Vec<String>>(&cell) {
                Ok(labels) => labels,
                Err(_) if cell == "-" => Vec::new(),
                Err(_) => {
                    let inside =
                        cell.strip_prefix('[').and_then(|cell| cell.strip_suffix(']')).unwrap_or(&cell);
                    inside.split(',').map(|label| label.trim().trim_matches('\'').to_owned()).collect()
                }
            }
        }
    };
    texts.into_iter().map(|label| label.trim().to_owned()).filter(|label| !label.is_empty()).collect()
}
