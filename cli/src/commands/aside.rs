//! Putting refused lines aside: the very bytes that they had, into a file that can be mended and imported again.
//!
//! A [`Tee`] keeps what a reader takes from its file, and [`Place`] finds in that the lines of the entry that was
//! read. An [`Aside`] collects the refused ones. It appears under its name only when the import has come to its
//! end, with the lines of the chunks that were recorded; it never takes the place of another file.

use std::io::{self, BufRead, BufWriter, Seek as _, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use annals_formats::{ImportFormat, Input};
use tempfile::NamedTempFile;

use super::export::{cannot_write, make_readable};
use crate::error::{CliError, CliResult};

/// Bytes of one entry that are kept at most.
const LARGEST: usize = 64 << 20;

/// What a reader has taken since somebody looked last.
#[derive(Clone, Debug, Default)]
pub struct Taken(Arc<Mutex<Vec<u8>>>);

impl Taken {
    /// Takes it away.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn keep(&self, bytes: &[u8]) {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // One byte more than the limit says that there were too many.
        let room = (LARGEST + 1).saturating_sub(taken.len());
        taken.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

/// A file that keeps what is taken from it.
pub struct Tee<'a> {
    input: Input<'a>,
    taken: Taken,
}

impl<'a> Tee<'a> {
    /// The file, and what is kept of it.
    pub fn new(input: Input<'a>) -> (Self, Taken) {
        let taken = Taken::default();
        (Self { input, taken: taken.clone() }, taken)
    }
}

impl io::Read for Tee<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.taken.keep(&buffer[..count]);
        Ok(count)
    }
}

impl BufRead for Tee<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        if let Ok(bytes) = self.input.fill_buf() {
            self.taken.keep(&bytes[..count.min(bytes.len())]);
        }
        self.input.consume(count);
    }
}

/// Where in its file a reader is: which lines stand in what it took last.
#[derive(Debug)]
pub struct Place {
    /// The line that the next byte stands in.
    line: u64,
    /// Whether a carriage return ends a line, too.
    returns: bool,
    after_return: bool,
}

impl Place {
    /// The beginning of a file.
    pub fn start(format: ImportFormat) -> Self {
        Self { line: 1, returns: format.has_header(), after_return: false }
    }

    /// Goes on behind `bytes`, and gives where in them the line `wanted` begins.
    pub fn find(&mut self, bytes: &[u8], wanted: u64) -> Range<usize> {
        let mut start = 0;
        for (index, byte) in bytes.iter().enumerate() {
            let is_second_half = *byte == b'\n' && self.after_return;
            self.after_return = self.returns && *byte == b'\r';
            if is_second_half {
                // It belongs to the end of the line before.
                if self.line <= wanted {
                    start = index + 1;
                }
                continue;
            }
            if *byte == b'\n' || self.after_return {
                self.line += 1;
                if self.line <= wanted {
                    start = index + 1;
                }
            }
        }
        start..bytes.len()
    }
}

/// The file for what is refused.
#[derive(Debug)]
pub struct Aside {
    file: BufWriter<NamedTempFile>,
    path: PathBuf,
    header: Vec<u8>,
    /// Whether a carriage return that ends an entry has lost its line feed to what is read next.
    pairs: bool,
    /// Entries in all, and those of the chunks that were recorded, with where these end.
    count: u64,
    kept: (u64, u64),
    written: u64,
}

impl Aside {
    /// Makes sure that the file can be written, before anything is read.
    pub fn open(path: &Path) -> CliResult<Self> {
        let failed = |e: &io::Error| cannot_write(path, e);
        if path.symlink_metadata().is_ok() {
            return Err(CliError::failed("there is such a file already")
                .because_of(format!("cannot write {}", path.display()))
                .with_hint("name another file for the refused lines, or remove this one"));
        }
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let file = NamedTempFile::new_in(directory.unwrap_or(Path::new("."))).map_err(|e| failed(&e))?;
        let file = BufWriter::new(file);
        Ok(Self {
            file,
            path: path.to_owned(),
            header: Vec::new(),
            pairs: false,
            count: 0,
            kept: (0, 0),
            written: 0,
        })
    }

    /// The header row of a table, which goes before the first of its rows.
    pub fn set_header(&mut self, header: &[u8]) {
        self.header = header.to_vec();
        self.pairs = header.ends_with(b"\r\n");
    }

    /// How many entries it holds.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Adds the lines of an entry.
    pub fn add(&mut self, line: u64, text: &[u8]) -> CliResult<()> {
        if text.len() > LARGEST {
            return Err(CliError::failed(format!("line {line} is too long to be put aside")));
        }
        let header = std::mem::take(&mut self.header);
        let rest: &[u8] = match text.last() {
            Some(b'\n') => b"",
            Some(b'\r') if !self.pairs => b"",
            _ => b"\n",
        };
        for part in [&header, text, rest] {
            self.file.write_all(part).map_err(|e| cannot_write(&self.path, &e))?;
            self.written += part.len() as u64;
        }
        self.count += 1;
        Ok(())
    }

    /// The chunk that the entries so far were left out of is recorded.
    pub const fn keep(&mut self) {
        self.kept = (self.count, self.written);
    }

    /// Gives the file its name, with what was kept; gives how many entries that is. Without any there is no file.
    pub fn finish(self) -> CliResult<u64> {
        let Self { file, path, kept: (count, end), .. } = self;
        if count == 0 {
            return Ok(0);
        }
        let failed = |e: &io::Error| cannot_write(&path, e);
        let mut file = file.into_inner().map_err(|e| failed(e.error()))?;
        file.as_file_mut().set_len(end).map_err(|e| failed(&e))?;
        file.as_file_mut().seek(io::SeekFrom::End(0)).map_err(|e| failed(&e))?;
        make_readable(&file).map_err(|e| failed(&e))?;
        file.persist_noclobber(&path).map_err(|e| failed(&e.error))?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_an_entry_are_found_in_what_was_taken() {
        let check = |format, pieces: &[(&str, u64, &str)]| {
            let mut place = Place::start(format);
            for (bytes, line, expect) in pieces {
                let found = place.find(bytes.as_bytes(), *line);
                assert_eq!(&bytes[found], *expect, "{bytes:?} line {line}");
            }
        };
        check(ImportFormat::Jsonl, &[("a\n", 1, "a\n"), ("\n \nb\rc\n", 4, "b\rc\n"), ("d", 5, "d")]);
        check(
            ImportFormat::Csv,
            &[("h1,h2\r\na,\"x\r\ny\"\r", 2, "a,\"x\r\ny\"\r"), ("\nb,c\r", 4, "b,c\r"), ("\n\r\nd", 6, "d")],
        );
        check(ImportFormat::Tsv, &[("h\ra\r", 2, "a\r"), ("b", 3, "b")]);
    }
}
