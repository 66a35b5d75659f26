//! Exporting: rows of events into one target, with a report of what it could not carry.
//!
//! An [`Exporter`] takes one row after the other, so that a timeline of any length needs the memory of one event.
//! It writes rows in the order in which they come: the order of a list is the caller's business, and so is which
//! events are in it. It asks no clock and makes up no id, so that the same rows always give the same bytes.

mod atom;
mod csv;
mod geojson;
mod html;
pub(crate) mod ics;
mod json;
mod jsonl;
mod jsonld;
pub(crate) mod losses;
mod markdown;
pub(crate) mod markwhen;
mod mermaid;
mod names;
mod object;
mod parquet;
pub(crate) mod timelinejs;
pub(crate) mod timesketch;

use std::io;

use annals_model::{AsOf, Event, Filter, Position, RecordedAt, Seq, TimelineName};

pub use self::losses::Losses;
use crate::Format;

/// What is exported.
#[derive(Clone, Copy, Debug)]
pub struct Sheet<'a> {
    /// What stands above the rows.
    pub heading: Heading<'a>,
    /// The events, in the order of a list.
    pub rows: &'a [Row<'a>],
}

/// What is known before the first row.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heading<'a> {
    /// What people call it; the timelines' names where there is none.
    pub title: Option<&'a str>,
    /// The timelines that the rows come from.
    pub timelines: &'a [TimelineName],
    /// When the last record was recorded that the rows were chosen from.
    pub updated: Option<RecordedAt>,
    /// What was asked for.
    pub scope: Scope<'a>,
}

/// The question that the rows are the answer to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'a> {
    /// The date as of which they are told; absent where all events are.
    pub as_of: Option<&'a AsOf>,
    /// The last record that counts.
    pub known_at: Option<Position>,
    /// Which events count, where not all do.
    pub filter: Option<&'a Filter>,
}

impl Heading<'_> {
    /// The title, or the names of the timelines.
    fn name(&self) -> String {
        let names = || self.timelines.iter().map(TimelineName::as_str).collect::<Vec<_>>().join(", ");
        self.title.map_or_else(names, str::to_owned)
    }
}

/// One event of a sheet.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The timeline that it belongs to.
    pub timeline: &'a TimelineName,
    /// The event.
    pub event: &'a Event,
    /// Whether its date lies surely within what was asked for, and not only possibly.
    pub sure: bool,
    /// The record that brought this version of it.
    pub recorded: Recorded<'a>,
}

/// The record that brought a version of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded<'a> {
    /// The event's first record.
    pub first: Seq,
    /// The record itself.
    pub seq: Seq,
    /// The event's record before it.
    pub previous: Option<Seq>,
    /// When it was recorded.
    pub at: RecordedAt,
    /// Who recorded it.
    pub by: &'a str,
}

/// What the user may choose about a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportOptions {
    /// Leave out the guard against formulas in tables.
    pub raw: bool,
}

/// Why an export stopped.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The output takes no more.
    #[error("cannot write the export")]
    Write(#[from] io::Error),
    /// An event has no JSON form.
    #[error("cannot write an event as JSON")]
    Json(#[from] serde_json::Error),
}

/// A target that takes rows.
pub trait Exporter {
    /// Writes one row.
    fn row(&mut self, row: &Row<'_>) -> Result<(), ExportError>;

    /// Writes what stands below the rows, and says what the target could not carry.
    fn end(self: Box<Self>) -> Result<Losses, ExportError>;
}

/// Writes a whole sheet.
pub fn export(
    format: Format,
    sheet: &Sheet<'_>,
    options: ExportOptions,
    out: &mut dyn io::Write,
) -> Result<Losses, ExportError> {
    let mut exporter = exporter(format, &sheet.heading, options, out)?;
    for row in sheet.rows {
        exporter.row(row)?;
    }
    exporter.end()
}

/// What an export would lose, without writing it.
pub fn losses(format: Format, sheet: &Sheet<'_>, options: ExportOptions) -> Result<Losses, ExportError> {
    export(format, sheet, options, &mut io::sink())
}

/// Begins an export: writes what stands above the rows.
///
/// Each row is written with few and small writes; `out` should have a buffer.
pub fn exporter<'o>(
    format: Format,
    heading: &Heading<'_>,
    options: ExportOptions,
    out: &'o mut dyn io::Write,
) -> Result<Box<dyn Exporter + 'o>, ExportError> {
    Ok(match format {
        Format::Jsonl => Box::new(jsonl::Jsonl::new(out)),
        Format::Json => Box::new(json::Json::begin(heading, out)?),
        Format::Csv => Box::new(csv::Csv::begin(options, out)?),
        Format::Markdown => Box::new(markdown::Markdown::begin(heading, out)?),
        Format::Html => Box::new(html::Html::begin(heading, out)),
        Format::Ics => Box::new(ics::Ics::begin(heading, out)?),
        Format::TimelineJs => Box::new(timelinejs::TimelineJs::begin(heading, out)?),
        Format::Markwhen => Box::new(markwhen::Markwhen::begin(heading, out)?),
        Format::Mermaid => Box::new(mermaid::Mermaid::begin(heading, out)?),
        Format::Timesketch => Box::new(timesketch::Timesketch::new(out)),
        Format::GeoJson => Box::new(geojson::GeoJson::begin(heading, out)?),
        Format::JsonLd => Box::new(jsonld::JsonLd::begin(heading, out)?),
        Format::Atom => Box::new(atom::Atom::begin(heading, out)?),
        Format::Parquet => Box::new(parquet::Parquet::begin(heading, out)?),
    })
}
