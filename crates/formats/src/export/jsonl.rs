//! JSON Lines: one event a line, in the native form, which carries everything.
//!
//! What a line looks like is the model's business ([`annals_model::line`]); importing it gives the same event.

use std::io;

use annals_model::line;

use super::{ExportError, Exporter, Losses, Row};

pub struct Jsonl<'o> {
    out: &'o mut dyn io::Write,
}

impl<'o> Jsonl<'o> {
    pub fn new(out: &'o mut dyn io::Write) -> Self {
        Self { out }
    }
}

impl Exporter for Jsonl<'_> {
    fn row(&mut self, row: &Row<'_>) -> Result<(), ExportError> {
        let mut text = line::event_line(row.timeline, row.event)?;
        text.push('\n');
        Ok(self.out.write_all(text.as_bytes())?)
    }

    fn end(self: Box<Self>) -> Result<Losses, ExportError> {
        Ok(Losses::default())
    }
}
