//! Lines that wait until the store is let go: in memory, and in a file without a name beside the store where they are many.

use std::io::{BufRead as _, BufReader, BufWriter, Seek as _, Write as _};
use std::path::Path;

use tempfile::SpooledTempFile;

use crate::error::CliResult;

/// Bytes that are kept in memory.
const IN_MEMORY: usize = 32 << 20;

/// Lines, without their ends.
pub struct Spool {
    file: BufWriter<SpooledTempFile>,
    is_empty: bool,
}

impl Spool {
    /// No lines yet; who may read what waits in the directory may read the store.
    pub fn beside(directory: &Path) -> Self {
        Self { file: BufWriter::new(SpooledTempFile::new_in(IN_MEMORY, directory)), is_empty: true }
    }

    /// Adds a line, which holds no line end.
    pub fn line(&mut self, line: &str) -> CliResult<()> {
        self.is_empty = false;
        Ok(writeln!(self.file, "{line}")?)
    }

    /// Whether there is no line.
    pub const fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Calls `visit` with every line.
    pub fn each(self, mut visit: impl FnMut(&str) -> CliResult<()>) -> CliResult<()> {
        let mut file = self.file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.rewind()?;
        let (mut lines, mut line) = (BufReader::new(file), String::new());
        while lines.read_line(&mut line)? > 0 {
            visit(line.strip_suffix('\n').unwrap_or(&line))?;
            line.clear();
        }
        Ok(())
    }
}
