//! The file that an import reads: what it is, which columns it has, and how much of it has been read.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use annals_formats::{ColumnMap, ImportFormat, Input};

use crate::error::{CliError, CliResult};
use crate::ui::Progress;

/// Bytes of the file that are read at once.
const BUFFER: usize = 1 << 18;

/// What a file is, by its name.
pub fn format_of(file: &Path) -> CliResult<ImportFormat> {
    let extension = file.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("json") => Ok(ImportFormat::Jsonl),
        Some(other) => other.parse().map_err(|_| unknown_format(file)),
        None => Err(unknown_format(file)),
    }
}

fn unknown_format(file: &Path) -> CliError {
    CliError::usage(format!("the name {} does not say what the file is", file.display()))
        .with_hint(format!("say it with --from: {}", ImportFormat::names()))
}

/// The column map of a file and of the rules that add to it; none where there are no rules.
pub fn column_map(file: Option<&Path>, rules: &[String]) -> CliResult<Option<ColumnMap>> {
    let mut map = ColumnMap::default();
    if let Some(path) = file {
        let name = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|e| CliError::failed(e.to_string()).because_of(format!("cannot read {name}")))?;
        map.add_toml(&text).map_err(|e| CliError::argument(&format!("--map-file {name}"), &e))?;
    }
    for rule in rules {
        map.add(rule).map_err(|e| CliError::argument("--map", &e))?;
    }
    Ok((!map.is_empty()).then_some(map))
}

/// Opens a file, or standard input; its size is known where it is a file.
pub fn open(path: &Path) -> CliResult<(Input<'static>, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((Box::new(BufReader::with_capacity(BUFFER, io::stdin())), None));
    }
    let failed =
        |e: io::Error| CliError::failed(e.to_string()).because_of(format!("cannot read {}", path.display()));
    let file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    Ok((Box::new(BufReader::with_capacity(BUFFER, file)), Some(size)))
}

/// Tells the progress bar how much has been read.
pub struct Counting<'a> {
    pub input: Input<'static>,
    pub progress: &'a Progress,
}

impl io::Read for Counting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.progress.advance(count as u64);
        Ok(count)
    }
}

impl BufRead for Counting<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.input.consume(count);
        self.progress.advance(count as u64);
    }
}
