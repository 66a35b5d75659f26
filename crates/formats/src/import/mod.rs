//! Importing: the entries of one file, each with its line and its outcome.
//!
//! A [`Reader`] yields what it finds and goes on behind a bad entry, so that a caller can show every problem of a
//! file at once, or put the bad entries aside. It needs the memory of one entry, whose size is limited before it
//! is read. What is wrong with the file as a whole, and what keeps it from being read at all, are faults of
//! their own: nothing comes after them.

mod ahead;
mod csv;
mod ics;
mod jsonl;
mod kept;
mod lines;
mod markwhen;
mod records;
mod table;
mod timelinejs;
mod timesketch;

use std::fmt;
use std::io::{self, BufRead, Read as _};
use std::num::NonZeroUsize;
use std::thread::Scope;

use annals_model::Invalid;
use annals_model::line::Line;

use self::kept::Piece;
pub use self::kept::{Bundle, Excerpt, Kept};
use crate::{ColumnMap, ImportFormat};

/// One entry of a file.
#[derive(Debug)]
pub struct Read {
    /// The line of the file in which the entry begins, counted from 1.
    pub line: u64,
    /// The entry, or why there is none.
    pub outcome: Result<Line, Fault>,
    /// What was understood otherwise than it may have been meant, for people: an entry that repeats is read once.
    pub note: Option<String>,
    /// Where in the file it stands; nothing where it is no entry of its own.
    piece: Option<Piece>,
}

impl Read {
    /// An entry about which there is nothing to say.
    fn plain(line: u64, outcome: Result<Line, Fault>) -> Self {
        Self { line, outcome, note: None, piece: None }
    }

    /// What was passed over where no entry follows that it could be said with.
    fn passed(line: u64, note: String) -> Self {
        Self { note: Some(note), ..Self::plain(line, Err(Fault::Passed)) }
    }

    /// The same with the place where it stands.
    fn at(self, piece: Piece) -> Self {
        Self { piece: Some(piece), ..self }
    }
}

/// Why an entry could not be read.
#[derive(Debug)]
pub enum Fault {
    /// The entry is refused; the next one may be good.
    Entry(Invalid),
    /// There is none: only the note has something to say.
    Passed,
    /// The file as a whole is refused, or the map does not fit it; nothing follows.
    File(Invalid),
    /// The file cannot be read; nothing follows.
    Io(io::Error),
}

/// What the user may choose about a source.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImportOptions<'m> {
    /// Which column holds what, for tables; without it columns go by their names.
    pub map: Option<&'m ColumnMap>,
    /// The cells of a table carry no guard against formulas: a leading apostrophe is text.
    pub raw: bool,
}

/// A file to read.
pub type Input<'a> = Box<dyn BufRead + Send + 'a>;

/// The entries of a file.
pub type Reader<'a> = Box<dyn Iterator<Item = Read> + 'a>;

/// Reads a file entry by entry.
pub fn read<'a>(format: ImportFormat, input: Input<'a>, options: ImportOptions<'a>) -> Reader<'a> {
    match without_mark(input) {
        Ok((input, _)) => reader(format, input, options),
        Err(fault) => only(fault),
    }
}

/// Reads a file that has no byte order mark any more.
fn reader<'a>(format: ImportFormat, input: Input<'a>, options: ImportOptions<'a>) -> Reader<'a> {
    match format {
        ImportFormat::Csv => Box::new(csv::Csv::new(input, b',', options)),
        ImportFormat::Tsv => Box::new(csv::Csv::new(input, b'\t', options)),
        _ if options.map.is_some() => only(Fault::File(
            Invalid::new("a column map goes with a table").with_hint("read the file as csv or tsv"),
        )),
        ImportFormat::Jsonl => Box::new(jsonl::Jsonl::new(jsonl::lines(input))),
        ImportFormat::Ics => Box::new(ics::Ics::new(input)),
        ImportFormat::TimelineJs => Box::new(timelinejs::TimelineJs::new(input)),
        ImportFormat::Markwhen => Box::new(markwhen::Markwhen::new(input)),
        ImportFormat::Timesketch => timesketch::read(input),
    }
}

/// Reads a file as [`read`] does, ahead of who takes its entries: JSON Lines are parsed on `threads` threads of the
/// scope. The threads end with the file, or when the reader is dropped.
pub fn read_ahead<'scope>(
    scope: &'scope Scope<'scope, '_>,
    threads: NonZeroUsize,
    format: ImportFormat,
    input: Input<'scope>,
    options: ImportOptions<'scope>,
) -> Reader<'scope> {
    read_ahead_as(scope, threads, format, input, options, |read| read)
}

/// The same, with what `make` makes of each entry on the thread that has parsed it.
pub fn read_ahead_as<'scope, T, F>(
    scope: &'scope Scope<'scope, '_>,
    threads: NonZeroUsize,
    format: ImportFormat,
    input: Input<'scope>,
    options: ImportOptions<'scope>,
    make: F,
) -> Box<dyn Iterator<Item = T> + 'scope>
where
    T: Send + 'scope,
    F: Fn(Read) -> T + Clone + Send + 'scope,
{
    if format != ImportFormat::Jsonl || options.map.is_some() {
        return Box::new(read(format, input, options).map(make));
    }
    match without_mark(input) {
        Ok((input, _)) => Box::new(ahead::read(scope, threads, jsonl::lines(input), make)),
        Err(fault) => Box::new(only(fault).map(make)),
    }
}

fn only<'a>(fault: Fault) -> Reader<'a> {
    Box::new(std::iter::once(Read::plain(1, Err(fault))))
}

/// The input behind its byte order mark, and whether it has one.
fn without_mark(mut input: Input<'_>) -> Result<(Input<'_>, bool), Fault> {
    let mut head = Vec::with_capacity(3);
    input.by_ref().take(3).read_to_end(&mut head).map_err(Fault::Io)?;
    match head.as_slice() {
        [0xef, 0xbb, 0xbf] => Ok((input, true)),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            Err(Fault::File(Invalid::new("the file is UTF-16").with_hint("save it as UTF-8")))
        }
        _ => Ok((Box::new(io::Cursor::new(head).chain(input)), false)),
    }
}

/// Says of bytes that are not UTF-8 where they stop being it.
fn utf8(bytes: &[u8]) -> Result<&str, Invalid> {
    std::str::from_utf8(bytes).map_err(|error| {
        Invalid::new(format!("is not UTF-8 at byte {}", error.valid_up_to() + 1))
            .with_hint("save the file as UTF-8")
    })
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(invalid) | Self::File(invalid) => fmt::Display::fmt(invalid, f),
            Self::Passed => f.write_str("there is no entry"),
            Self::Io(_) => f.write_str("cannot read the file"),
        }
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Entry(_) | Self::Passed | Self::File(_) => None,
        }
    }
}
