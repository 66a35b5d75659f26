//! The columns of a group of rows, as the format stores them: values, and the levels that say where lists begin
//! and what is null.
//!
//! A row gives its values from the first column to the last one. Within a list each entry gives the values of the
//! list's columns. Of every column the schema says how deep a value lies in it: an optional value is one level
//! deeper than its absence, an entry of a list one deeper than no list.

use std::io::Write;

use ::parquet::column::writer::ColumnWriter;
use ::parquet::data_type::ByteArray;
use ::parquet::errors::{ParquetError, Result};
use ::parquet::file::writer::SerializedRowGroupWriter;
use ::parquet::schema::types::{SchemaDescriptor, TypePtr};

/// The columns, and how many rows they hold.
pub struct Table {
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
}

struct Column {
    values: Values,
    definitions: Vec<i16>,
    repetitions: Vec<i16>,
    /// The level of a value that is there.
    deepest: i16,
    is_in_list: bool,
    /// The field of the schema that it belongs to: all columns of one list share it.
    field: usize,
}

enum Values {
    Text { bytes: Vec<u8>, ends: Vec<usize> },
    Int(Vec<i64>),
    Small(Vec<i32>),
    Real(Vec<f64>),
    Flag(Vec<bool>),
}

/// What takes the values of one row.
pub struct Columns<'t> {
    of_table: &'t mut [Column],
    bytes: &'t mut usize,
    next: usize,
    /// Whether the values are an entry of a list behind its first one.
    is_repeated: bool,
}

impl Table {
    /// Empty columns of a schema.
    pub fn of(schema: &TypePtr) -> Result<Self> {
        use ::parquet::basic::Type;
        let descriptor = SchemaDescriptor::new(schema.clone());
        let column = |index: usize| {
            let about = descriptor.column(index);
            let values = match about.physical_type() {
                Type::BYTE_ARRAY => Values::Text { bytes: Vec::new(), ends: Vec::new() },
                Type::INT64 => Values::Int(Vec::new()),
                Type::INT32 => Values::Small(Vec::new()),
                Type::DOUBLE => Values::Real(Vec::new()),
                Type::BOOLEAN => Values::Flag(Vec::new()),
                other => return Err(ParquetError::General(format!("no column has the type {other}"))),
            };
            let (deepest, is_in_list) = (about.max_def_level(), about.max_rep_level() > 0);
            let field = descriptor.get_column_root_idx(index);
            Ok(Column {
                values,
                definitions: Vec::new(),
                repetitions: Vec::new(),
                deepest,
                is_in_list,
                field,
            })
        };
        let columns = (0..descriptor.num_columns()).map(column).collect::<Result<_>>()?;
        Ok(Self { columns, rows: 0, bytes: 0 })
    }

    /// How many rows there are.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// How many bytes their texts have.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Begins a row, which has to give every column its value.
    pub fn next_row(&mut self) -> Columns<'_> {
        self.rows += 1;
        Columns { of_table: &mut self.columns, bytes: &mut self.bytes, next: 0, is_repeated: false }
    }

    /// Writes the rows as a group, and is empty again.
    pub fn write<W: Write + Send>(&mut self, mut group: SerializedRowGroupWriter<'_, W>) -> Result<()> {
        for column in &mut self.columns {
            let mut writer = group
                .next_column()?
                .ok_or_else(|| ParquetError::General("the schema has fewer columns".to_owned()))?;
            column.write(writer.untyped())?;
            writer.close()?;
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

impl Column {
    fn write(&mut self, writer: &mut ColumnWriter<'_>) -> Result<()> {
        let definitions = (self.deepest > 0).then_some(self.definitions.as_slice());
        let repetitions = self.is_in_list.then_some(self.repetitions.as_slice());
        match (&mut self.values, writer) {
            (Values::Text { bytes, ends }, ColumnWriter::ByteArrayColumnWriter(writer)) => {
                // All texts share the one buffer that they were gathered in.
                let whole = ByteArray::from(std::mem::take(bytes));
                let mut start = 0;
                let mut text = |end: usize| {
                    let from = std::mem::replace(&mut start, end);
                    whole.slice(from, end - from)
                };
                let texts: Vec<ByteArray> = ends.drain(..).map(&mut text).collect();
                writer.write_batch(&texts, definitions, repetitions)?;
            }
            (Values::Int(values), ColumnWriter::Int64ColumnWriter(writer)) => {
                writer.write_batch(values, definitions, repetitions)?;
                values.clear();
            }
            (Values::Small(values), ColumnWriter::Int32ColumnWriter(writer)) => {
                writer.write_batch(values, definitions, repetitions)?;
                values.clear();
            }
            (Values::Real(values), ColumnWriter::DoubleColumnWriter(writer)) => {
                writer.write_batch(values, definitions, repetitions)?;
                values.clear();
            }
            (Values::Flag(values), ColumnWriter::BoolColumnWriter(writer)) => {
                writer.write_batch(values, definitions, repetitions)?;
                values.clear();
            }
            _ => return Err(ParquetError::General("a column has another type".to_owned())),
        }
        self.definitions.clear();
        self.repetitions.clear();
        Ok(())
    }

    fn level(&mut self, definition: i16, is_repeated: bool) {
        self.definitions.push(definition);
        self.repetitions.push(i16::from(is_repeated));
    }
}

impl Columns<'_> {
    /// A text that is always there.
    pub fn text(&mut self, text: &str) {
        self.maybe_text(Some(text));
    }

    /// A text that may be absent.
    pub fn maybe_text(&mut self, text: Option<&str>) {
        *self.bytes += text.map_or(0, str::len);
        if let (Some(Values::Text { bytes, ends }), Some(text)) = (self.take(text.is_some()), text) {
            bytes.extend_from_slice(text.as_bytes());
            ends.push(bytes.len());
        }
    }

    /// A whole number of 64 bits.
    pub fn maybe_int(&mut self, number: Option<i64>) {
        if let Some(Values::Int(values)) = self.take(number.is_some()) {
            values.extend(number);
        }
    }

    /// A small whole number.
    pub fn maybe_small(&mut self, number: Option<i32>) {
        if let Some(Values::Small(values)) = self.take(number.is_some()) {
            values.extend(number);
        }
    }

    /// A floating-point number.
    pub fn maybe_real(&mut self, number: Option<f64>) {
        if let Some(Values::Real(values)) = self.take(number.is_some()) {
            values.extend(number);
        }
    }

    /// A truth value.
    pub fn flag(&mut self, flag: bool) {
        if let Some(Values::Flag(values)) = self.take(true) {
            values.push(flag);
        }
    }

    /// A list: `entry` gives the values of one entry. The schema says of no list that it may be absent.
    pub fn list<T>(&mut self, entries: &[T], mut entry: impl FnMut(&mut Self, &T)) {
        let first = self.next;
        for (index, each) in entries.iter().enumerate() {
            self.next = first;
            self.is_repeated = index > 0;
            entry(self, each);
        }
        self.is_repeated = false;
        if entries.is_empty() {
            self.skip_list();
        }
    }

    /// Passes over the columns of a list without entries.
    fn skip_list(&mut self) {
        let list = self.of_table.get(self.next).map(|column| column.field);
        while let Some(column) = self.of_table.get_mut(self.next).filter(|column| Some(column.field) == list)
        {
            column.level(0, false);
            self.next += 1;
        }
    }

    /// The values of the next column, whose level is noted.
    fn take(&mut self, is_there: bool) -> Option<&mut Values> {
        let column = self.of_table.get_mut(self.next)?;
        self.next += 1;
        let definition = if is_there { column.deepest } else { column.deepest - 1 };
        column.level(definition, self.is_repeated);
        Some(&mut column.values)
    }
}
