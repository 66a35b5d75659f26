//! Tables that fit the terminal.

use std::fmt;

use comfy_table::{ContentArrangement, presets};

use super::safe;
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
        self.table.add_row(cells.into_iter().map(|cell| safe(cell).replace('\n', " ")));
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

/// The terminal's width; no limit where the output goes elsewhere.
fn width() -> Option<u16> {
    let terminal = terminal_size::terminal_size().map(|(width, _)| width.0);
    terminal.or_else(|| variable("COLUMNS")?.parse().ok())
}
