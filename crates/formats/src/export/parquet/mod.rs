//! Parquet: a table for analysis, one event a row, complete.
//!
//! Written with the column writers of the crate `parquet` itself and without Arrow, which would be half of the
//! build for one step between. The four bounds of a date are seconds since 1970 on the proleptic Gregorian
//! calendar, as whole numbers, since no timestamp of the format reaches `Y-17E7`; a bound at infinity is null, its
//! `…_kind` says `open` or `unknown`, and its `…_text` is the cell of the CSV. Lists are real list columns of
//! structures, so that SQL can unnest them; the value of an effect, which may be text, a number, a truth value or
//! a set, is JSON text, and so is `extra`. A group of rows is written when it is full: memory does not grow with
//! the table. The events stand in the order of the list.

mod columns;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;
use annals_model::date::{Edge, EdgeRange};
use annals_model::{Change, Date, Effect, Event, Extra, Value, When};

use self::columns::{Columns, Table};
use super::{ExportError, Exporter, Heading, Losses, Row};

/// Rows of a group, at most.
const ROWS: usize = 65_536;
/// Bytes of text in a group from which on it is written, even with fewer rows.
const BYTES: usize = 32 << 20;

/// The columns, in order. The values of [`Parquet::values`] come in the same order.
const SCHEMA: &str = "message annals {
    required binary timeline (STRING);
    required binary id (STRING);
    optional binary date (STRING);
    optional int64 start_earliest;
    optional binary start_earliest_kind (STRING);
    optional binary start_earliest_text (STRING);
    optional int64 start_latest;
    optional binary start_latest_kind (STRING);
    optional binary start_latest_text (STRING);
    optional int64 end_earliest;
    optional binary end_earliest_kind (STRING);
    optional binary end_earliest_text (STRING);
    optional int64 end_latest;
    optional binary end_latest_kind (STRING);
    optional binary end_latest_text (STRING);
    required boolean sure;
    optional binary kind (STRING);
    required binary title (STRING);
    optional binary description (STRING);
    required group actors (LIST) { repeated group list { required group element {
        required binary name (STRING);
        optional binary role (STRING);
    } } }
    optional binary place (STRING);
    optional double lat;
    optional double lon;
    optional binary precision (STRING);
    required group tags (LIST) { repeated group list { required binary element (STRING); } }
    optional int32 confidence;
    required group sources (LIST) { repeated group list { required group element {
        optional binary title (STRING);
        optional binary url (STRING);
        optional binary date (STRING);
        optional binary quote (STRING);
        optional binary locator (STRING);
        optional binary archived (STRING);
        optional binary sha256 (STRING);
    } } }
    required group effects (LIST) { repeated group list { required group element {
        required binary op (STRING);
        required binary entity (STRING);
        required binary attribute (STRING);
        optional binary value (JSON);
        required binary when (STRING);
    } } }
    required group links (LIST) { repeated group list { required group element {
        required binary rel (STRING);
        required binary to (STRING);
    } } }
    optional binary extra (JSON);
    optional int64 first_seq;
    optional int64 seq;
    optional int64 recorded_at (TIMESTAMP(MICROS,true));
    optional binary recorded_by (STRING);
}";

pub struct Parquet<'o> {
    out: &'o mut dyn io::Write,
    writer: SerializedFileWriter<Shelf>,
    shelf: Shelf,
    table: Table,
}

impl<'o> Parquet<'o> {
    pub fn begin(heading: &Heading<'_>, out: &'o mut dyn io::Write) -> Result<Self, ExportError> {
        let schema = Arc::new(parse_message_type(SCHEMA).map_err(failed)?);
        let mut about = vec![KeyValue::new("annals.schema".to_owned(), "annals/timeline/1".to_owned())];
        about.extend(heading.title.map(|title| KeyValue::new("annals.title".to_owned(), title.to_owned())));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).map_err(failed)?))
            .set_created_by("annals".to_owned())
            .set_key_value_metadata(Some(about))
            .build();
        let shelf = Shelf::default();
        let table = Table::of(&schema).map_err(failed)?;
        let writer =
            SerializedFileWriter::new(shelf.clone(), schema, Arc::new(properties)).map_err(failed)?;
        let mut parquet = Self { out, writer, shelf, table };
        parquet.hand_over()?;
        Ok(parquet)
    }

    fn write_group(&mut self) -> Result<(), ExportError> {
        if self.table.rows() > 0 {
            let group = self.writer.next_row_group().map_err(failed)?;
            self.table.write(group).map_err(failed)?;
        }
        self.hand_over()
    }

    /// Gives what the writer has written to where it goes.
    fn hand_over(&mut self) -> Result<(), ExportError> {
        Ok(self.out.write_all(&self.shelf.take())?)
    }
}

impl Exporter for Parquet<'_> {
    fn row(&mut self, row: &Row<'_>) -> Result<(), ExportError> {
        let columns = &mut self.table.next_row();
        let event = row.event;
        columns.text(row.timeline.as_str());
        columns.text(event.id.as_str());
        dates(columns, event.date.as_ref());
        columns.flag(row.sure);
        details(columns, event);
        lists(columns, event)?;
        columns.maybe_text(event.extra.as_ref().map(Extra::as_str));
        let recorded = &row.recorded;
        columns.maybe_int(i64::try_from(recorded.first.0).ok());
        columns.maybe_int(i64::try_from(recorded.seq.0).ok());
        columns.maybe_int(Some(recorded.at.micros()));
        columns.maybe_text(Some(recorded.by));
        if self.table.rows() >= ROWS || self.table.bytes() >= BYTES {
            self.write_group()?;
        }
        Ok(())
    }

    fn end(mut self: Box<Self>) -> Result<Losses, ExportError> {
        self.write_group()?;
        self.writer.finish().map_err(failed)?;
        self.hand_over()?;
        Ok(Losses::default())
    }
}

fn dates(columns: &mut Columns<'_>, date: Option<&Date>) {
    columns.maybe_text(date.map(Date::as_str));
    let edges = date.map(Date::edges);
    let sides = edges.map_or([None, None], |edges| [Some(edges.start), Some(edges.end)]);
    for side in sides {
        let edge = |of: fn(EdgeRange) -> Edge| side.map(of);
        bound(columns, edge(|side| side.earliest));
        bound(columns, edge(|side| side.latest));
    }
}

fn bound(columns: &mut Columns<'_>, edge: Option<Edge>) {
    let (seconds, kind) = match edge {
        Some(Edge::At(moment)) => (Some(moment.seconds()), Some("moment")),
        Some(Edge::Open) => (None, Some("open")),
        Some(Edge::Unknown) => (None, Some("unknown")),
        None => (None, None),
    };
    columns.maybe_int(seconds);
    columns.maybe_text(kind);
    columns.maybe_text(edge.map(|edge| edge.to_string()).as_deref());
}

fn details(columns: &mut Columns<'_>, event: &Event) {
    columns.maybe_text(event.kind.as_deref());
    columns.text(&event.title);
    columns.maybe_text(event.description.as_deref());
    columns.list(&event.actors, |columns, actor| {
        columns.text(&actor.name);
        columns.maybe_text(actor.role.as_deref());
    });
    let place = event.place.as_ref();
    columns.maybe_text(place.map(|place| place.name.as_str()));
    // A number that a floating-point number does not keep is no number of an event.
    let real = |number: annals_model::Number| number.to_string().parse::<f64>().ok();
    columns.maybe_real(place.and_then(|place| place.lat).and_then(real));
    columns.maybe_real(place.and_then(|place| place.lon).and_then(real));
    columns.maybe_text(place.and_then(|place| place.precision.as_deref()));
    columns.list(&event.tags, |columns, tag| columns.text(tag));
    columns.maybe_small(event.confidence.map(i32::from));
}

fn lists(columns: &mut Columns<'_>, event: &Event) -> Result<(), ExportError> {
    columns.list(&event.sources, |columns, source| {
        columns.maybe_text(source.title.as_deref());
        columns.maybe_text(source.url.as_deref());
        columns.maybe_text(source.date.as_ref().map(Date::as_str));
        columns.maybe_text(source.quote.as_deref());
        columns.maybe_text(source.locator.as_deref());
        columns.maybe_text(source.archived.as_deref());
        columns.maybe_text(source.sha256.as_deref());
    });
    let values: Result<Vec<_>, ExportError> = event.effects.iter().map(value).collect();
    let effects: Vec<(&Effect, Option<String>)> = event.effects.iter().zip(values?).collect();
    columns.list(&effects, |columns, (effect, value)| {
        columns.text(effect.change.op());
        columns.text(&effect.entity);
        columns.text(&effect.attribute);
        columns.maybe_text(value.as_deref());
        columns.text(when(effect.when));
    });
    columns.list(&event.links, |columns, link| {
        columns.text(&link.rel);
        columns.text(link.to.as_str());
    });
    Ok(())
}

const fn when(when: When) -> &'static str {
    match when {
        When::Start => "start",
        When::End => "end",
        When::During => "during",
    }
}

/// The value of an effect as JSON.
fn value(effect: &Effect) -> Result<Option<String>, ExportError> {
    Ok(match &effect.change {
        Change::Set(value) => Some(serde_json::to_string(value)?),
        Change::Add(member) | Change::Remove(member) => {
            Some(serde_json::to_string(&Value::Scalar(member.clone()))?)
        }
        Change::Increase(number) => Some(number.to_string()),
        Change::Clear => None,
    })
}

fn failed(error: ParquetError) -> ExportError {
    ExportError::Write(io::Error::other(error))
}

/// Where the writer of the crate leaves its bytes, since it can only own what it writes to.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Vec<u8>>>);

impl Shelf {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl io::Write for Shelf {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
