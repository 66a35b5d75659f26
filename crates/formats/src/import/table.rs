//! The tables that other programs write: a header row with names of their own, and rows of named cells.
//!
//! Unlike [`csv`](super::csv), which asks a map what the columns mean, the formats that use this know them.

use annals_model::{Invalid, limits};
use serde_json::{Map, Value};

use super::kept::Piece;
use super::records::{Record, Records};
use super::{Fault, Input};

/// Bytes of a row.
const LIMIT: usize = 2 * limits::EVENT;

pub struct Table<'a> {
    records: Records<'a>,
    record: Record,
    columns: Option<Vec<String>>,
}

impl<'a> Table<'a> {
    pub fn new(input: Input<'a>) -> Self {
        Self { records: Records::new(input, b',', LIMIT), record: Record::default(), columns: None }
    }

    /// The line in which the row that was read last begins.
    pub fn line(&self) -> u64 {
        self.record.line().max(1)
    }

    /// Where it stands.
    pub fn piece(&self) -> Piece {
        self.records.piece(&self.record)
    }

    /// The filled cells of the next row by the names of their columns; nothing at the end.
    pub fn next(&mut self) -> Result<Option<Map<String, Value>>, Fault> {
        if self.columns.is_none() {
            if !self.records.next(&mut self.record).map_err(Fault::Io)? {
                let empty = Invalid::new("the file is empty").with_hint("the first row names the columns");
                return Err(Fault::File(empty));
            }
            let cells = self.record.cells().map_err(Fault::File)?;
            self.columns = Some(cells.iter().map(|cell| cell.trim().to_owned()).collect());
        }
        let columns = self.columns.as_deref().unwrap_or_default();
        if !self.records.next(&mut self.record).map_err(Fault::Io)? {
            return Ok(None);
        }
        let cells = self.record.cells().map_err(Fault::Entry)?;
        if cells.len() > columns.len() {
            let (row, header) = (cells.len(), columns.len());
            return Err(Fault::Entry(Invalid::new(format!(
                "the row has {row} cells, the header has {header}"
            ))));
        }
        let named = columns.iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
        Ok(Some(named.map(|(name, cell)| (name.clone(), Value::from(cell))).collect()))
    }
}

/// A value as text: a text itself, a number as it is written; nothing where it is empty.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}
