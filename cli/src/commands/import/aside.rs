//! Putting refused entries aside: the very bytes that they had, into a file that can be mended and imported again.
//!
//! What of a file an entry is, and what belongs around it, the formats know. The file appears under its name only
//! when the import has come to its end, with the entries of the chunks that were recorded; it never takes the place
//! of another file.

use std::io::{self, BufWriter, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use annals_formats::{Bundle, Excerpt};
use tempfile::NamedTempFile;

use crate::commands::export::{cannot_write, make_readable};
use crate::error::{CliError, CliResult};

/// The file for what is refused.
#[derive(Debug)]
pub struct Aside {
    file: BufWriter<NamedTempFile>,
    path: PathBuf,
    bundle: Bundle,
    /// Entries in all, and their bytes.
    count: u64,
    written: u64,
    /// The same of the chunks that were recorded, and what ends a file of these.
    kept: (u64, u64, &'static str),
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
        let (path, bundle) = (path.to_owned(), Bundle::default());
        Ok(Self { file, path, bundle, count: 0, written: 0, kept: (0, 0, "") })
    }

    /// How many entries it holds.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Adds an entry, which begins in a line.
    pub fn add(&mut self, line: u64, excerpt: Option<&Excerpt>) -> CliResult<()> {
        let Some(excerpt) = excerpt else {
            return Err(CliError::failed(format!("line {line} is too long to be put aside")));
        };
        let bytes = self.bundle.add(excerpt);
        self.file.write_all(&bytes).map_err(|e| cannot_write(&self.path, &e))?;
        self.written += bytes.len() as u64;
        self.count += 1;
        Ok(())
    }

    /// The chunk that the entries so far were left out of is recorded.
    pub fn keep(&mut self) {
        self.kept = (self.count, self.written, self.bundle.end());
    }

    /// Gives the file its name, with what was kept; gives how many entries that is. Without any there is no file.
    pub fn finish(self) -> CliResult<u64> {
        let Self { file, path, kept: (count, length, end), .. } = self;
        if count == 0 {
            return Ok(0);
        }
        let failed = |e: &io::Error| cannot_write(&path, e);
        let mut file = file.into_inner().map_err(|e| failed(e.error()))?;
        file.as_file_mut().set_len(length).map_err(|e| failed(&e))?;
        file.as_file_mut().seek(io::SeekFrom::End(0)).map_err(|e| failed(&e))?;
        file.write_all(end.as_bytes()).map_err(|e| failed(&e))?;
        make_readable(&file).map_err(|e| failed(&e))?;
        file.persist_noclobber(&path).map_err(|e| failed(&e.error))?;
        Ok(count)
    }
}
