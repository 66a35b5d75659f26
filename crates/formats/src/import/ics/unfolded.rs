//! The lines of a calendar, unfolded: a line that begins with a blank goes on from the one before.

use std::io;
use std::ops::Range;

use annals_model::Invalid;

use super::LIMIT;
use crate::import::lines::Lines;

/// A line, or several that are one: the number of the first, and where in the file they stand.
pub struct Unfolded<T> {
    pub number: u64,
    pub span: Range<u64>,
    pub text: Result<T, Invalid>,
}

pub struct Unfolding<'a> {
    lines: Lines<'a>,
    /// A line that was read ahead, to see whether the one before goes on.
    ahead: Option<Unfolded<Vec<u8>>>,
    /// A whole line that was given back.
    again: Option<Unfolded<String>>,
    end: u64,
}

impl<'a> Unfolding<'a> {
    pub fn new(lines: Lines<'a>) -> Self {
        Self { lines, ahead: None, again: None, end: 0 }
    }

    /// The number of the line that was read last, be it ahead.
    pub fn number(&self) -> u64 {
        self.lines.number()
    }

    /// Where in the file the line ends that was taken last.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Gives back a line, which is the next one again.
    pub fn give_back(&mut self, line: Unfolded<String>) {
        self.end = line.span.start;
        self.again = Some(line);
    }

    /// The next line with those that go on from it.
    pub fn next(&mut self) -> io::Result<Option<Unfolded<String>>> {
        if let Some(line) = self.again.take() {
            self.end = line.span.end;
            return Ok(Some(line));
        }
        let Some(Unfolded { number, mut span, text: mut whole }) =
            self.ahead.take().map_or_else(|| self.physical(), |line| Ok(Some(line)))?
        else {
            return Ok(None);
        };
        while let Some(next) = self.physical()? {
            let folded = next.text.as_ref().is_ok_and(|bytes| matches!(bytes.first(), Some(b' ' | b'\t')));
            if !folded {
                self.ahead = Some(next);
                break;
            }
            span.end = next.span.end;
            if let (Ok(whole_bytes), Ok(bytes)) = (&mut whole, next.text) {
                whole_bytes.extend_from_slice(&bytes[1..]);
                if whole_bytes.len() > LIMIT {
                    whole = Err(Invalid::new(format!("the line has more than {LIMIT} bytes")));
                }
            }
        }
        self.end = span.end;
        // Programs fold within characters, too: only the whole line has to be UTF-8.
        let text = whole.and_then(|bytes| crate::import::utf8(&bytes).map(str::to_owned));
        Ok(Some(Unfolded { number, span, text }))
    }

    fn physical(&mut self) -> io::Result<Option<Unfolded<Vec<u8>>>> {
        let line = self
            .lines
            .next_bytes()?
            .map(|line| line.map(|bytes| bytes.strip_suffix(b"\r").unwrap_or(bytes).to_vec()));
        let (number, span) = (self.lines.number(), self.lines.span());
        Ok(line.map(|text| Unfolded { number, span, text }))
    }
}
