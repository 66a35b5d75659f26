//! TimelineJS: its JSON, and the spreadsheet from which most of its timelines are made, saved as CSV.
//!
//! Both give the same slides. A date becomes as precise as its parts; years before 1 move by one, since TimelineJS
//! knows no year 0. Headline and text are HTML and become text, and where links or emphasis go with it, the HTML is
//! kept in `extra`. The title slide is no event; an era is one, of the kind `era`.

mod dates;

use std::io::{self, Read as _};

use annals_model::Invalid;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use self::dates::dates;
use super::kept::{Frame, Piece};
use super::table::{Table, text};
use super::{Fault, Input, Read};
use crate::carried::{self, Found};
use crate::export::timelinejs::TARGET;
use crate::html;
use crate::text::shown;

/// Bytes of a file; it is read as a whole.
const LIMIT: u64 = 256 << 20;

pub struct TimelineJs<'a> {
    source: Source<'a>,
    /// What there is to say with the next entry.
    note: Option<String>,
}

enum Source<'a> {
    /// Nothing is read yet.
    New(Input<'a>),
    /// The slides of a JSON document, from the last to the first.
    Json(Vec<Raw>),
    Table(Box<Table<'a>>),
    Over,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Title,
    Event,
    Era,
}

/// A slide that is not read yet.
struct Raw {
    line: u64,
    /// The place of its first byte.
    from: u64,
    kind: Kind,
    json: String,
}

/// A slide with its line and its place, or why there is none.
struct Slide {
    line: u64,
    piece: Piece,
    fields: Result<(Kind, Map<String, Value>), Fault>,
}

#[derive(Deserialize)]
struct Document<'t> {
    #[serde(borrow, default)]
    title: Option<&'t RawValue>,
    #[serde(borrow)]
    events: Vec<&'t RawValue>,
    #[serde(borrow, default)]
    eras: Vec<&'t RawValue>,
}

impl<'a> TimelineJs<'a> {
    pub fn new(input: Input<'a>) -> Self {
        Self { source: Source::New(input), note: None }
    }

    /// The next slide; nothing at the end.
    fn slide(&mut self) -> Option<Slide> {
        if let Source::New(_) = self.source
            && let Source::New(input) = std::mem::replace(&mut self.source, Source::Over)
        {
            match open(input) {
                Ok(source) => self.source = source,
                Err(fault) => return Some(Slide { line: 1, piece: Piece::default(), fields: Err(fault) }),
            }
        }
        match &mut self.source {
            Source::New(_) | Source::Over => None,
            Source::Json(slides) => {
                let Raw { line, from, kind, json } = slides.pop()?;
                let frame = if kind == Kind::Era { Frame::Era } else { Frame::Slide };
                let piece = Piece { head: 0, from, to: from + json.len() as u64, frame };
                let fields = serde_json::from_str(&json).map(|fields| (kind, fields));
                let fields = fields.map_err(|_| Fault::Entry(Invalid::new("the slide is not a JSON object")));
                Some(Slide { line, piece, fields })
            }
            Source::Table(table) => {
                let row = table.next().transpose()?;
                Some(Slide { line: table.line(), piece: table.piece(), fields: row.map(of_row) })
            }
        }
    }
}

impl Iterator for TimelineJs<'_> {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        while let Some(Slide { line, piece, fields }) = self.slide() {
            let outcome = match fields {
                Ok((Kind::Title, slide)) => {
                    // A name alone is the file's; more than that somebody may miss.
                    let says = |name: &str| slide.get("text").and_then(|text| text.get(name)).and_then(text);
                    if says("text").is_some() || slide.contains_key("media") {
                        let name = says("headline").unwrap_or_default();
                        self.note =
                            Some(format!("the title slide `{}` is no event and was left out", shown(&name)));
                    }
                    continue;
                }
                Ok((kind, slide)) => event(kind, slide).map_err(Fault::Entry),
                Err(fault) => {
                    if !matches!(fault, Fault::Entry(_)) {
                        self.source = Source::Over;
                    }
                    Err(fault)
                }
            };
            return Some(Read { line, outcome, note: self.note.take(), piece: Some(piece) });
        }
        self.note.take().map(|note| Read::passed(1, note))
    }
}

fn open(input: Input<'_>) -> Result<Source<'_>, Fault> {
    let mut bytes = Vec::new();
    input.take(LIMIT + 1).read_to_end(&mut bytes).map_err(Fault::Io)?;
    if bytes.len() as u64 > LIMIT {
        return Err(Fault::File(Invalid::new(format!("the file has more than {LIMIT} bytes"))));
    }
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Ok(Source::Table(Box::new(Table::new(Box::new(io::Cursor::new(bytes))))));
    }
    let file = super::utf8(&bytes).map_err(Fault::File)?;
    let document: Document<'_> = serde_json::from_str(file).map_err(|error| {
        let invalid = Invalid::new(format!("the file is no JSON of TimelineJS: {error}"));
        Fault::File(invalid.with_hint("it is an object with a list of `events`"))
    })?;
    let kinds = document
        .title
        .iter()
        .map(|slide| (Kind::Title, slide))
        .chain(document.events.iter().map(|slide| (Kind::Event, slide)))
        .chain(document.eras.iter().map(|slide| (Kind::Era, slide)));
    let mut lines = LineOf { file, at: 0, line: 1 };
    let begin = file.as_ptr() as usize;
    let mut placed: Vec<_> =
        kinds.map(|(kind, slide)| (slide.get().as_ptr() as usize - begin, kind, slide.get())).collect();
    placed.sort_by_key(|(at, _, _)| *at);
    let raw = |(at, kind, slide): (usize, Kind, &str)| Raw {
        line: lines.at(at),
        from: at as u64,
        kind,
        json: slide.to_owned(),
    };
    let mut slides: Vec<Raw> = placed.into_iter().map(raw).collect();
    // The title's note goes with the first event, wherever it stands.
    slides.sort_by_key(|slide| slide.kind != Kind::Title);
    slides.reverse();
    Ok(Source::Json(slides))
}

/// Counts lines up to places that only go forward.
struct LineOf<'t> {
    file: &'t str,
    at: usize,
    line: u64,
}

impl LineOf<'_> {
    fn at(&mut self, place: usize) -> u64 {
        let between = self.file.as_bytes().get(self.at..place).unwrap_or_default();
        self.line += between.split(|byte| *byte == b'\n').skip(1).count() as u64;
        self.at = place;
        self.line
    }
}

/// A row of the spreadsheet as the slide that TimelineJS makes of it.
fn of_row(row: Map<String, Value>) -> (Kind, Map<String, Value>) {
    let mut slide = Map::new();
    let mut rest = row;
    let mut take =
        |name: &str| rest.remove(name).map(|cell| text(&cell).unwrap_or_default().trim().to_owned());
    let kind = match take("Type").unwrap_or_default().to_ascii_lowercase().as_str() {
        "title" => Kind::Title,
        "era" => Kind::Era,
        _ => Kind::Event,
    };
    for (name, prefix, time) in [("start_date", "", "Time"), ("end_date", "End ", "End Time")] {
        let mut point = Map::new();
        for part in ["Year", "Month", "Day"] {
            if let Some(cell) = take(&format!("{prefix}{part}")) {
                // `1,066` is a year in many spreadsheets.
                let digits: String = cell.chars().filter(|c| !c.is_whitespace() && *c != ',').collect();
                point.insert(part.to_ascii_lowercase(), digits.into());
            }
        }
        if let Some(cell) = take(time) {
            point.insert("time".to_owned(), cell.into());
        }
        if !point.is_empty() {
            slide.insert(name.to_owned(), point.into());
        }
    }
    let headline = take("Headline").unwrap_or_default();
    let body = take("Text").unwrap_or_default();
    slide.insert("text".to_owned(), json!({"headline": headline, "text": body}));
    let mut media = Map::new();
    for (column, name) in [
        ("Media", "url"),
        ("Media Credit", "credit"),
        ("Media Caption", "caption"),
        ("Media Thumbnail", "thumbnail"),
        ("Alt Text", "alt"),
    ] {
        if let Some(cell) = take(column) {
            media.insert(name.to_owned(), cell.into());
        }
    }
    if !media.is_empty() {
        slide.insert("media".to_owned(), media.into());
    }
    for (column, name) in [("Display Date", "display_date"), ("Group", "group"), ("Tag", "group")] {
        if let Some(cell) = take(column).filter(|cell| !cell.is_empty()) {
            slide.insert(name.to_owned(), cell.into());
        }
    }
    slide.extend(rest);
    (kind, slide)
}

fn event(kind: Kind, mut slide: Map<String, Value>) -> Result<annals_model::line::Line, Invalid> {
    let mut found = Found { id: slide.remove("unique_id").as_ref().and_then(text), ..Found::default() };
    if let Some(Value::Object(ours)) = slide.remove("annals") {
        found.edtf = ours.get("date").and_then(text);
        found.carried = ours.get("event").map(Value::to_string);
    }
    if let Some(Value::Object(mut texts)) = slide.remove("text") {
        let mut take = |name: &str| texts.remove(name).as_ref().and_then(text).unwrap_or_default();
        (found.shown.title, found.shown.text) = (take("headline"), take("text"));
    }
    let is_ours = found.edtf.is_some();
    let (start, end) = (slide.remove("start_date"), slide.remove("end_date"));
    found.date = dates(start.as_ref(), end.as_ref(), &mut found.shown.dates, &mut found.extra);
    if is_ours {
        // What else there is follows from the event.
        return carried::settle(&TARGET, found);
    }
    found.kind = match kind {
        Kind::Era => Some("era".to_owned()),
        _ => slide.remove("group").as_ref().and_then(text).map(|group| html::plain(&group).trim().to_owned()),
    };
    found.kind = found.kind.filter(|kind| !kind.is_empty());
    if let Some(Value::Object(media)) = slide.remove("media") {
        source(media, &mut found);
    }
    for (name, html) in [("headline", &found.shown.title), ("text", &found.shown.text)] {
        if html::has_markup(html) {
            found.extra.insert(name.to_owned(), html.clone().into());
        }
    }
    let title = found.shown.title.trim().to_owned();
    found.shown.title = title;
    found.extra.extend(slide.into_iter().filter(|(_, value)| !is_empty(value)));
    carried::settle(&TARGET, found)
}

/// A picture, a film or a page beside the text is a source.
fn source(mut media: Map<String, Value>, found: &mut Found) {
    let mut take = |name: &str| {
        media.remove(name).as_ref().and_then(text).map(|text| html::plain(&text).trim().to_owned())
    };
    let (credit, caption) = (take("credit"), take("caption"));
    let url = media.get("url").and_then(text).map(|url| url.trim().to_owned());
    let is_address = url.as_ref().is_some_and(|url| url.contains("://") && !url.contains(['<', ' ']));
    let title = [caption, credit]
        .into_iter()
        .flatten()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join(" — ");
    let mut source = Map::new();
    if let Some(url) = url.filter(|_| is_address) {
        media.remove("url");
        source.insert("url".to_owned(), url.into());
    }
    if !title.is_empty() {
        source.insert("title".to_owned(), title.into());
    }
    if !source.is_empty() {
        found.sources.push(source.into());
    }
    media.retain(|_, value| !is_empty(value));
    if !media.is_empty() {
        found.extra.insert("media".to_owned(), media.into());
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Object(fields) => fields.values().all(is_empty),
        _ => false,
    }
}
