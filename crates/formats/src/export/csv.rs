//! CSV: one event a row, as RFC 4180 wants it, complete, and guarded against formulas.
//!
//! The columns are in [`cell`](crate::cell), and our importer knows them by name and reads every event back as it
//! was. Plain names share a cell, `UN police; Haitian police`; what has a structure (sources, effects, links,
//! actors with roles) stands as JSON in its cell. The four bounds of the date are there for sorting and charts;
//! they follow from `date` and are not read back.

use std::fmt::Write as _;
use std::io;

use annals_model::date::EdgeRange;
use annals_model::{Actor, Date, Event, Number};
use serde::Serialize;

use super::{ExportError, ExportOptions, Exporter, Losses, Row};
use crate::cell;

pub struct Csv<'o> {
    out: &'o mut dyn io::Write,
    raw: bool,
    line: String,
}

impl<'o> Csv<'o> {
    pub fn begin(options: ExportOptions, out: &'o mut dyn io::Write) -> Result<Self, ExportError> {
        out.write_all(cell::COLUMNS.join(",").as_bytes())?;
        out.write_all(b"\r\n")?;
        Ok(Self { out, raw: options.raw, line: String::new() })
    }

    /// A text that someone wrote: guarded.
    fn text(&mut self, text: &str) {
        if self.raw { self.plain(text) } else { self.plain(&cell::guard(text)) }
    }

    fn optional(&mut self, text: Option<&String>) {
        self.text(text.map_or("", String::as_str));
    }

    /// A cell that is no one's text: a date, a number, JSON.
    fn plain(&mut self, text: &str) {
        if !self.line.is_empty() {
            self.line.push(',');
        }
        // RFC 4180 asks for quotes around less; the rest is what spreadsheets of other countries would split at,
        // and the space at either end that some readers trim.
        let splits = |byte: u8| matches!(byte, b',' | b';' | b'"' | b'\t' | b'\r' | b'\n');
        if text.bytes().any(splits) || text.starts_with(' ') || text.ends_with(' ') {
            for part in text.split_inclusive('"') {
                self.line.push('"');
                self.line.push_str(part);
            }
            self.line.push_str(if text.ends_with('"') { "\"\"" } else { "\"" });
        } else {
            self.line.push_str(text);
        }
    }

    fn number(&mut self, number: Option<Number>) {
        self.plain(&number.map_or_else(String::new, |number| number.to_string()));
    }

    fn date(&mut self, date: Option<&Date>) {
        let Some(date) = date else {
            // The date itself and its four bounds.
            for _ in 0..5 {
                self.plain("");
            }
            return;
        };
        self.plain(date.as_str());
        let edges = date.edges();
        let start = self.line.len();
        self.edges(edges.start);
        if edges.end == edges.start {
            self.line.extend_from_within(start..);
        } else {
            self.edges(edges.end);
        }
    }

    /// Two bounds, in which there is nothing to quote.
    fn edges(&mut self, EdgeRange { earliest, latest }: EdgeRange) {
        // Writing to a String cannot fail.
        let _ = write!(self.line, ",{earliest},{latest}");
    }

    fn json(&mut self, list: &[impl Serialize]) -> Result<(), ExportError> {
        if list.is_empty() {
            self.plain("");
        } else {
            self.plain(&serde_json::to_string(list)?);
        }
        Ok(())
    }

    fn actors(&mut self, actors: &[Actor]) -> Result<(), ExportError> {
        let is_plain = actors.iter().all(|actor| actor.role.is_none());
        let names =
            if is_plain { cell::join_names(actors.iter().map(|actor| actor.name.as_str())) } else { None };
        match names {
            Some(names) => self.text(&names),
            None => self.json(actors)?,
        }
        Ok(())
    }

    fn tags(&mut self, tags: &[String]) -> Result<(), ExportError> {
        match cell::join_names(tags.iter().map(String::as_str)) {
            Some(names) => self.text(&names),
            None => self.json(tags)?,
        }
        Ok(())
    }

    /// The cells from `kind` on, in the order of the columns.
    fn event(&mut self, event: &Event) -> Result<(), ExportError> {
        self.optional(event.kind.as_ref());
        self.text(&event.title);
        self.optional(event.description.as_ref());
        self.actors(&event.actors)?;
        let place = event.place.as_ref();
        self.optional(place.map(|place| &place.name));
        self.number(place.and_then(|place| place.lat));
        self.number(place.and_then(|place| place.lon));
        self.optional(place.and_then(|place| place.precision.as_ref()));
        self.tags(&event.tags)?;
        self.plain(&event.confidence.map_or_else(String::new, |percent| percent.to_string()));
        self.json(&event.sources)?;
        self.json(&event.effects)?;
        self.json(&event.links)?;
        self.plain(event.extra.as_ref().map_or("", |extra| extra.as_str()));
        Ok(())
    }
}

impl Exporter for Csv<'_> {
    fn row(&mut self, row: &Row<'_>) -> Result<(), ExportError> {
        self.line.clear();
        self.text(row.timeline.as_str());
        self.text(row.event.id.as_str());
        self.date(row.event.date.as_ref());
        self.event(row.event)?;
        self.line.push_str("\r\n");
        Ok(self.out.write_all(self.line.as_bytes())?)
    }

    fn end(self: Box<Self>) -> Result<Losses, ExportError> {
        Ok(Losses::default())
    }
}
