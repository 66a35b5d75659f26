//! Tables that fit the terminal.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};

use comfy_table::{ContentArrangement, presets};
use unicode_width::UnicodeWidthStr;

use super::safe::{is_plain, safe};
use crate::host::variable;

/// A table with a heading line, plain enough to be cut and grepped.
pub struct Table {
    table: comfy_table::Table,
}

impl Table {
    /// A table with these headings.
    pub fn new(headings: &[&str]) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(headings);
        match width() {
            Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        Self { table }
    }

    /// Adds a row; a line end within a cell becomes a space.
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) {
        self.table.add_row(cells.into_iter().map(one_line));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.table.lines() {
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// The columns of a table of so many rows that they are not kept: each is as wide as the widest cell that it was told of,
/// and whatever the terminal's width is, a row is a line.
pub struct Columns<const N: usize> {
    headings: [&'static str; N],
    widths: [usize; N],
}

impl<const N: usize> Columns<N> {
    /// Columns with these headings.
    pub fn new(headings: [&'static str; N]) -> Self {
        Self { headings, widths: headings.map(UnicodeWidthStr::width) }
    }

    /// Takes note of a row that will be written.
    pub fn widen(&mut self, cells: [&str; N]) {
        for (width, cell) in self.widths.iter_mut().zip(cells) {
            *width = (*width).max(shown_width(&one_line(cell)));
        }
    }

    /// Columns as wide as those of both.
    pub fn and(mut self, other: &Self) -> Self {
        self.widths.iter_mut().zip(other.widths).for_each(|(width, other)| *width = other.max(*width));
        self
    }

    /// Writes the headings.
    pub fn write_head(&self, out: &mut impl Write) -> io::Result<()> {
        self.write(out, self.headings)
    }

    /// Writes a row.
    pub fn write(&self, out: &mut impl Write, cells: [&str; N]) -> io::Result<()> {
        let mut line = String::new();
        for (width, cell) in self.widths.iter().zip(cells) {
            let cell = one_line(cell);
            line.push_str(&cell);
            let room = width + 2 - shown_width(&cell).min(*width);
            line.extend(std::iter::repeat_n(' ', room));
        }
        writeln!(out, "{}", line.trim_end())
    }
}

/// A cell as it is printed: a line end within it becomes a space.
fn one_line(cell: &str) -> Cow<'_, str> {
    if is_plain(cell) {
        return Cow::Borrowed(cell);
    }
    Cow::Owned(safe(cell).replace('\n', " "))
}

/// How many columns of a terminal a text takes.
fn shown_width(text: &str) -> usize {
    if is_plain(text) { text.len() } else { text.width() }
}

/// The terminal's width; no limit where the output goes elsewhere.
fn width() -> Option<u16> {
    let terminal = terminal_size::terminal_size().map(|(width, _)| width.0);
    terminal.or_else(|| variable("COLUMNS")?.parse().ok())
}
