//! JSON Lines: one event or record a line, as [`annals_model::line`] reads it. Empty lines are passed over.

use std::ops::Range;

use annals_model::limits;
use annals_model::line::Line;

use super::kept::Piece;
use super::lines::Lines;
use super::{Fault, Input, Read};

pub struct Jsonl<'a> {
    lines: Lines<'a>,
    is_over: bool,
}

impl<'a> Jsonl<'a> {
    pub fn new(lines: Lines<'a>) -> Self {
        Self { lines, is_over: false }
    }

    fn outcome(&mut self) -> Option<Result<Line, Fault>> {
        loop {
            match self.lines.next() {
                Ok(None) => return None,
                Ok(Some(Ok(text))) => {
                    if let Some(outcome) = entry(text) {
                        return Some(outcome);
                    }
                }
                Ok(Some(Err(invalid))) => return Some(Err(Fault::Entry(invalid))),
                Err(error) => {
                    self.is_over = true;
                    return Some(Err(Fault::Io(error)));
                }
            }
        }
    }
}

/// The lines of a file of JSON Lines.
pub fn lines(input: Input<'_>) -> Lines<'_> {
    Lines::new(input, limits::LINE)
}

/// The entry of a line; nothing where it is blank.
pub fn entry(text: &str) -> Option<Result<Line, Fault>> {
    if text.trim().is_empty() {
        return None;
    }
    Some(Line::parse(text.trim_end_matches('\r')).map_err(Fault::Entry))
}

impl Iterator for Jsonl<'_> {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        if self.is_over {
            return None;
        }
        let outcome = self.outcome()?;
        let Range { start: from, end: to } = self.lines.span();
        Some(Read::plain(self.lines.number(), outcome).at(Piece { from, to, ..Piece::default() }))
    }
}
