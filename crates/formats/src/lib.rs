//! Timelines in and out: events into the forms that other tools read, and back.
//!
//! One format is one file: `export/` holds what writes, `import/` what reads, `map/` how the columns of any table
//! become events. Everything goes into an [`io::Write`](std::io::Write) or comes from an
//! [`io::BufRead`](std::io::BufRead); this crate knows no store, no clock and no command line, so the same events
//! give the same bytes everywhere.
//!
//! - [`export()`] writes a [`Sheet`] and says with [`Losses`] what the target could not carry.
//! - [`read()`] yields one [`Read`] an entry, with its line and either a [`Line`](annals_model::line::Line) or the
//!   [`Fault`]; one bad entry does not end the reading.
//! - [`read_ahead()`] does the same on several threads, and [`read_ahead_as()`] what comes next, too.
//! - [`Kept`] has the text of each entry at hand, and a [`Bundle`] makes a file of those that were refused.
//! - [`ColumnMap`] names for each part of an event the column that it comes from.

mod carried;
mod cell;
mod details;
mod export;
mod format;
mod html;
mod import;
mod map;
mod rough;
mod text;

pub use export::{
    ExportError, ExportOptions, Exporter, Heading, Losses, Recorded, Row, Scope, Sheet, export, exporter,
    losses,
};
pub use format::{Format, ImportFormat};
pub use import::{
    Bundle, Excerpt, Fault, ImportOptions, Input, Kept, Read, Reader, read, read_ahead, read_ahead_as,
};
pub use map::ColumnMap;
pub use text::thousands;
