//! JSON Lines: one event or record a line, as [`annals_model::line`] reads it. Empty lines are passed over.

use std::io::BufRead;

use annals_model::limits;
use annals_model::line::Line;

use super::lines::Lines;
use super::{Fault, Read};

pub struct Jsonl<'a> {
    lines: Lines<'a>,
    is_over: bool,
}

impl<'a> Jsonl<'a> {
    pub fn new(input: Box<dyn BufRead + 'a>) -> Self {
        Self { lines: Lines::new(input, limits::LINE), is_over: false }
    }

    fn outcome(&mut self) -> Option<Result<Line, Fault>> {
        loop {
            match self.lines.next() {
                Ok(None) => return None,
                Ok(Some(Ok(text))) if text.trim().is_empty() => {}
                Ok(Some(Ok(text))) => {
                    return Some(Line::parse(text.trim_end_matches('\r')).map_err(Fault::Entry));
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

impl Iterator for Jsonl<'_> {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        if self.is_over {
            return None;
        }
        let outcome = self.outcome()?;
        Some(Read { line: self.lines.number(), outcome })
    }
}
