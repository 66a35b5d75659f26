//! The rows of a table as RFC 4180 writes them, each within a limit.
//!
//! Our own reader and not the crate `csv`, whose leniency is at odds with "nothing is lost": there a quote that is
//! never closed swallows the rest of the file without a word, a text behind a closing quote is glued to it, and
//! a row may grow without end. Here each of these is an error with its line, and the next row is read. What the
//! two agree on is tested against that crate.
//!
//! Rows end with CRLF, LF or CR. Rows without any text, which spreadsheets leave at the end, are passed over.

use std::io;
use std::mem;
use std::ops::Range;

use annals_model::Invalid;

use super::Input;
use super::kept::{Frame, Piece};

/// The rows of a table.
pub struct Records<'a> {
    input: Input<'a>,
    delimiter: u8,
    limit: usize,
    /// The line that the next byte stands in.
    line: u64,
    /// Where in the file the next byte stands, and where the row below the first one does.
    place: u64,
    head: Option<u64>,
    rows: u64,
    /// The byte before was a carriage return, and a line feed behind it belongs to it.
    after_return: bool,
}

/// One row, and the buffer for the next one.
#[derive(Debug, Default)]
pub struct Record {
    bytes: Vec<u8>,
    /// Where in `bytes` each cell ends.
    ends: Vec<usize>,
    /// The line in which it begins.
    line: u64,
    /// Where in the file it begins and ends.
    span: Range<u64>,
    at: At,
    fault: Option<Invalid>,
}

/// What was read last within a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// Nothing of the cell yet.
    #[default]
    Start,
    /// A cell without quotes.
    Plain,
    /// A cell within quotes.
    Quoted,
    /// A quote within quotes: the end, or the first half of a quote.
    Quote,
    /// Something that is refused; the row goes on to the end of its line.
    Refused,
}

impl<'a> Records<'a> {
    pub fn new(input: Input<'a>, delimiter: u8, limit: usize) -> Self {
        Self { input, delimiter, limit, line: 1, place: 0, head: None, rows: 0, after_return: false }
    }

    /// Reads the next row into `record`; false at the end of the file.
    pub fn next(&mut self, record: &mut Record) -> io::Result<bool> {
        loop {
            let found = self.any(record)?;
            if found && record.fault.is_none() && record.is_blank() {
                continue;
            }
            self.rows += 1;
            if self.rows == 2 {
                self.head = Some(record.span.start);
            }
            return Ok(found);
        }
    }

    /// Where in the file a row stands, below the first one.
    pub fn piece(&self, record: &Record) -> Piece {
        let Range { start: from, end: to } = record.span;
        Piece { head: self.head.unwrap_or(0), from, to, frame: Frame::None }
    }

    /// The next row, be it blank or not.
    fn any(&mut self, record: &mut Record) -> io::Result<bool> {
        record.reset(self.line, self.place);
        loop {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                return Ok(record.close());
            }
            let mut used = 0;
            let mut is_over = false;
            for byte in chunk {
                used += 1;
                let is_second_half = *byte == b'\n' && mem::take(&mut self.after_return);
                self.after_return = *byte == b'\r';
                if is_second_half && record.is_untouched() {
                    // The row before ended with the carriage return already.
                    record.span.start = self.place + used as u64;
                    continue;
                }
                if matches!(byte, b'\r' | b'\n') && !is_second_half {
                    self.line += 1;
                }
                is_over = record.take(*byte, self.delimiter, self.limit);
                if is_over {
                    break;
                }
            }
            self.input.consume(used);
            self.place += used as u64;
            record.span.end = self.place;
            if is_over {
                return Ok(true);
            }
        }
    }
}

impl Record {
    /// The line in which the row begins, counted from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The cells, or why the row is refused.
    pub fn cells(&self) -> Result<Vec<&str>, Invalid> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let mut start = 0;
        let mut cells = Vec::with_capacity(self.ends.len());
        for (index, end) in self.ends.iter().enumerate() {
            let cell =
                super::utf8(&self.bytes[start..*end]).map_err(|e| e.under(format!("cell {}", index + 1)))?;
            cells.push(cell);
            start = *end;
        }
        Ok(cells)
    }

    fn reset(&mut self, line: u64, place: u64) {
        self.span = place..place;
        self.bytes.clear();
        self.ends.clear();
        self.line = line;
        self.at = At::Start;
        self.fault = None;
    }

    fn is_untouched(&self) -> bool {
        self.at == At::Start && self.ends.is_empty()
    }

    fn is_blank(&self) -> bool {
        self.bytes.iter().all(u8::is_ascii_whitespace)
    }

    /// Takes one byte; true when the row is over.
    fn take(&mut self, byte: u8, delimiter: u8, limit: usize) -> bool {
        match (self.at, byte) {
            (At::Start, b'"') => self.at = At::Quoted,
            (At::Quoted, b'"') => self.at = At::Quote,
            (At::Quoted, _) => self.push(byte, limit),
            (At::Quote, b'"') => {
                self.push(byte, limit);
                self.at = At::Quoted;
            }
            (At::Refused, b'\r' | b'\n') => return true,
            (At::Refused, _) => {}
            (_, b'\r' | b'\n') => {
                self.end_cell();
                return true;
            }
            (_, _) if byte == delimiter => self.end_cell(),
            (At::Quote, _) => self.refuse_rest(),
            (At::Start | At::Plain, _) => {
                self.push(byte, limit);
                self.at = At::Plain;
            }
        }
        false
    }

    fn push(&mut self, byte: u8, limit: usize) {
        if self.bytes.len() < limit {
            self.bytes.push(byte);
        } else if self.fault.is_none() {
            self.fault = Some(
                Invalid::new(format!("the row has more than {limit} bytes"))
                    .with_hint("a quote that is never closed makes one row of many"),
            );
        }
    }

    fn end_cell(&mut self) {
        self.ends.push(self.bytes.len());
        self.at = At::Start;
    }

    fn refuse_rest(&mut self) {
        self.at = At::Refused;
        let cell = self.ends.len() + 1;
        self.fault = Some(
            Invalid::new(format!("cell {cell} goes on behind its closing quote"))
                .with_hint("a quote within quotes is written twice"),
        );
    }

    /// The end of the file; true when there was a row before it.
    fn close(&mut self) -> bool {
        if self.is_untouched() {
            return false;
        }
        match self.at {
            At::Quoted => {
                let cell = self.ends.len() + 1;
                self.fault = Some(
                    Invalid::new(format!("the quote before cell {cell} is never closed"))
                        .with_hint("all lines from here on were taken as one cell"),
                );
            }
            At::Refused => {}
            At::Start | At::Plain | At::Quote => self.end_cell(),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, capacity: usize) -> Vec<String> {
        let input = io::BufReader::with_capacity(capacity, text.as_bytes());
        let mut records = Records::new(Box::new(input), b',', 20);
        let mut record = Record::default();
        let mut found = Vec::new();
        while records.next(&mut record).unwrap() {
            let shown = record.cells().map_or_else(|error| error.to_string(), |cells| cells.join("|"));
            let Piece { from, to, .. } = records.piece(&record);
            let raw = text.get(from.try_into().unwrap()..to.try_into().unwrap()).unwrap();
            assert!(!raw.trim().is_empty() && !raw.starts_with('\n'), "{text:?}: {raw:?}");
            found.push(format!("{}: {shown}", record.line()));
        }
        found
    }

    fn check(text: &str, expect: &[&str]) {
        assert_eq!(rows(text, 1), expect, "{text:?}");
        assert_eq!(rows(text, 1_000), expect, "{text:?}");
    }

    #[test]
    fn rows_are_read_as_rfc_4180_writes_them() {
        check("", &[]);
        check("a,b\r\nc,d", &["1: a|b", "2: c|d"]);
        check("a,\n,b\n", &["1: a|", "2: |b"]);
        check("\"a\"\"b\",\"c,d\"\n", &["1: a\"b|c,d"]);
        check("\"a\r\n\nb\",c\r\nd,e", &["1: a\r\n\nb|c", "4: d|e"]);
        check("a\rb\rc", &["1: a", "2: b", "3: c"]);
        check("5\" pipe,x", &["1: 5\" pipe|x"]);
        check("a\n\n\r\n,,\n  \nb", &["1: a", "6: b"]);
        check("a,\"\"", &["1: a|"]);
    }

    #[test]
    fn what_a_lenient_reader_would_swallow_is_refused_with_its_line() {
        check("a\n\"b\" c,d\ne\n", &["1: a", "2: cell 1 goes on behind its closing quote", "3: e"]);
        check("a\nb,\"c\nd\n", &["1: a", "2: the quote before cell 2 is never closed"]);
        check("a\n123456789012345678901,x\nb", &["1: a", "2: the row has more than 20 bytes", "3: b"]);
    }

    /// The rows as the crate `csv` reads them, blank ones left out.
    fn by_the_crate(text: &str) -> Vec<String> {
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let rows = reader.records().map(|row| row.unwrap().iter().collect::<Vec<_>>().join("|"));
        rows.filter(|row| row.chars().any(|c| !c.is_ascii_whitespace() && c != '|')).collect()
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig {
            cases: 2_000, failure_persistence: None, ..Default::default()
        })]

        #[test]
        fn what_is_not_refused_reads_as_the_crate_csv_reads_it(text in "[a\",\r\n é]{0,19}") {
            for capacity in [1, 3, 1_000] {
                let found = rows(&text, capacity);
                let cells: Vec<_> = found.iter().map(|row| row.split_once(": ").unwrap().1.to_owned()).collect();
                // The crate has no limit, and takes in what a stray quote swallows.
                let is_refused = |row: &String| row.contains("quote") || row.contains("the row has more than");
                if !found.iter().any(is_refused) {
                    proptest::prop_assert_eq!(cells, by_the_crate(&text));
                }
            }
        }
    }
}
