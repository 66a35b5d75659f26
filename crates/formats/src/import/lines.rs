//! The lines of a file, each within a limit.
//!
//! A line that is longer than the limit is skipped without being kept, so that a file of one endless line needs
//! no more memory than any other.

use std::io;
use std::ops::Range;

use annals_model::Invalid;

use super::Input;

pub struct Lines<'a> {
    input: Input<'a>,
    limit: usize,
    number: u64,
    /// Where in the file the line begins and ends that was read last.
    span: Range<u64>,
    bytes: Vec<u8>,
    /// Whether the rest of what was read from the input holds the end of a line.
    is_one_at_hand: bool,
}

impl<'a> Lines<'a> {
    pub fn new(input: Input<'a>, limit: usize) -> Self {
        Self { input, limit, number: 0, span: 0..0, bytes: Vec::new(), is_one_at_hand: false }
    }

    /// The number of the line that was read last, counted from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Where in the file it begins, and where the next one does.
    pub fn span(&self) -> Range<u64> {
        self.span.clone()
    }

    /// Whether the next line is there without reading on.
    pub fn has_one_at_hand(&self) -> bool {
        self.is_one_at_hand
    }

    /// The next line without its end; nothing at the end of the file.
    pub fn next(&mut self) -> io::Result<Option<Result<&str, Invalid>>> {
        let line = self.next_bytes()?;
        Ok(line.map(|line| line.and_then(super::utf8)))
    }

    /// The same before it is known to be UTF-8.
    pub fn next_bytes(&mut self) -> io::Result<Option<Result<&[u8], Invalid>>> {
        self.bytes.clear();
        let mut length = 0;
        loop {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let end = memchr::memchr(b'\n', chunk);
            let is_over = end.is_some() || chunk.is_empty();
            if chunk.is_empty() && length == 0 {
                return Ok(None);
            }
            let used = end.unwrap_or(chunk.len());
            let room = self.limit.saturating_sub(self.bytes.len());
            self.bytes.extend_from_slice(&chunk[..used.min(room)]);
            let eaten = end.map_or(used, |end| end + 1);
            length += eaten;
            self.is_one_at_hand = memchr::memchr(b'\n', &chunk[eaten..]).is_some();
            self.input.consume(eaten);
            if is_over {
                self.number += 1;
                self.span = self.span.end..self.span.end + length as u64;
                let text = length - usize::from(end.is_some());
                return Ok(Some(self.line(text)));
            }
        }
    }

    fn line(&self, length: usize) -> Result<&[u8], Invalid> {
        if length > self.limit {
            return Err(Invalid::new(format!("the line has {length} bytes, the limit is {}", self.limit)));
        }
        Ok(&self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &[u8], expect: &[&str]) {
        // A buffer of three bytes: every line crosses its end.
        let input = io::BufReader::with_capacity(3, text);
        let mut lines = Lines::new(Box::new(input), 8);
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            found.push(line.map_or_else(|error| error.to_string(), str::to_owned));
        }
        assert_eq!(found, expect);
        assert_eq!(lines.number(), found.len() as u64);
        assert_eq!(lines.span().end, text.len() as u64);
    }

    #[test]
    fn lines_end_at_the_line_feed_and_at_the_end_of_the_file() {
        check(b"", &[]);
        check(b"\n", &[""]);
        check(b"abcd\n\nef", &["abcd", "", "ef"]);
        check(b"12345678\n123456789\nx\n", &["12345678", "the line has 9 bytes, the limit is 8", "x"]);
        check(b"ab\xff\nok", &["is not UTF-8 at byte 3", "ok"]);
    }
}
