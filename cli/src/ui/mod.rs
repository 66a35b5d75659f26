//! What the program prints: results on standard output, everything else on standard error.
//!
//! Data comes from elsewhere and may hold anything; nothing of it reaches a terminal before [`safe()`] has seen
//! it. Colour is never the only sign.

mod changes;
mod cited;
mod doubt;
mod out;
mod printer;
mod progress;
mod rows;
mod safe;
mod table;
mod words;

use std::io::{self, BufWriter, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

pub use annals_formats::thousands;
pub use changes::print_change;
pub use cited::cited;
pub use doubt::{contested, doubt};
use out::Out;
use printer::Printer;
pub use progress::Progress;
pub use rows::{KEPT, Rows};
use safe::SafeJson;
pub use safe::{safe, safe_json};

pub use table::{Columns, Table};
pub use words::{dated, lagging, position};

use crate::args::{Color, OutputFormat};
use crate::error::{CliError, CliResult};
use crate::session::Session;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();
/// Headings in results for people.
pub const HEADING: Style = Style::new().bold();

/// Decides about colour for the rest of the run.
pub fn set_color(color: Color) {
    let choice = match color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// Standard output, for results.
pub fn out() -> BufWriter<Out<io::StdoutLock<'static>>> {
    BufWriter::new(Out::standard())
}

/// A remark on standard error, unless they are not wanted.
pub fn note(session: &Session, text: &str) -> CliResult<()> {
    if !session.is_quiet() {
        writeln!(anstream::stderr(), "{}", safe(text))?;
    }
    Ok(())
}

/// Tells an error: what, why, and what to do next.
pub fn print_error(error: &CliError) -> io::Result<()> {
    let mut stderr = anstream::stderr().lock();
    writeln!(stderr, "{ERROR}error:{ERROR:#} {}", safe(error.message()))?;
    for cause in error.causes() {
        writeln!(stderr, "caused by: {}", safe(cause))?;
    }
    for hint in error.hints() {
        writeln!(stderr, "{HINT}hint:{HINT:#} {}", safe(hint))?;
    }
    Ok(())
}

/// Prints one line for people.
pub fn print_line(text: &str) -> CliResult<()> {
    let mut out = out();
    writeln!(out, "{}", safe(text))?;
    Ok(out.flush()?)
}

/// Prints a text for people, line ends included.
pub fn print_text(text: &str) -> CliResult<()> {
    let mut out = out();
    write!(out, "{}", safe(text))?;
    Ok(out.flush()?)
}

/// Standard output, for JSON, which has no colours.
fn json_out() -> BufWriter<SafeJson<io::StdoutLock<'static>>> {
    BufWriter::with_capacity(1 << 16, SafeJson::new(io::stdout().lock()))
}

/// Prints one value as JSON on one line.
pub fn print_json_line(value: &impl Serialize) -> CliResult<()> {
    let mut out = json_out();
    serde_json::to_writer(&mut out, value)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

/// Prints one value as JSON: indented as a document, on one line as one of many.
pub fn print_json(session: &Session, value: &impl Serialize) -> CliResult<()> {
    if session.format() == OutputFormat::Jsonl {
        return print_json_line(value);
    }
    let mut out = json_out();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

/// Lines of JSON that are written one by one.
struct JsonLines<W> {
    out: W,
    as_array: bool,
    is_first: bool,
}

impl<W: Write> JsonLines<W> {
    /// As they are or as one array of them.
    pub fn new(session: &Session, out: W) -> Self {
        Self { out, as_array: session.format() == OutputFormat::Json, is_first: true }
    }

    /// Writes a line.
    pub fn line(&mut self, line: &str) -> CliResult<()> {
        let before = match (self.as_array, self.is_first) {
            (true, true) => "[\n  ",
            (true, false) => ",\n  ",
            (false, _) => "",
        };
        let after = if self.as_array { "" } else { "\n" };
        write!(self.out, "{before}{}{after}", safe_json(line))?;
        self.is_first = false;
        Ok(())
    }

    /// What is written to, for what was written to be flushed.
    pub const fn out(&mut self) -> &mut W {
        &mut self.out
    }

    /// Ends the array.
    pub fn finish(mut self) -> CliResult<W> {
        if self.as_array {
            writeln!(self.out, "{}", if self.is_first { "[]" } else { "\n]" })?;
        }
        Ok(self.out)
    }
}

/// `1 event`, `2 events`.
pub fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{} {noun}s", thousands(count)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_as_people_write_them() {
        assert_eq!(counted(1, "event"), "1 event");
        assert_eq!(counted(0, "event"), "0 events");
        assert_eq!(counted(1_234_567, "record"), "1,234,567 records");
        assert_eq!(thousands(100), "100");
    }
}
