//! The rows of a result that may be long: printed while the store is still read, and let nobody wait for who reads them.

use std::borrow::Cow;
use std::io::Write;
use std::mem;
use std::path::{Path, PathBuf};

use super::{Columns, JsonLines, Printer, Table};
use crate::error::CliResult;
use crate::session::Session;

/// Rows that are kept for a table that fits the terminal; of more, each is printed as it comes.
pub const KEPT: usize = 1000;

/// What is printed, row by row.
pub struct Rows<const N: usize> {
    headings: [&'static str; N],
    /// As wide as the widest cells so far.
    columns: Columns<N>,
    directory: PathBuf,
    form: Form<N>,
    count: u64,
}

enum Form<const N: usize> {
    Lines(JsonLines<Printer>),
    Kept(Vec<[String; N]>),
    Table(Printer),
}

impl<const N: usize> Rows<N> {
    /// No rows yet; these stand under headings where they are for people. Who may read what waits in the directory to be
    /// printed may read the store.
    pub fn new(session: &Session, headings: [&'static str; N], directory: &Path) -> Self {
        let form = if session.is_for_people() {
            Form::Kept(Vec::new())
        } else {
            Form::Lines(JsonLines::new(session, Printer::beside(directory)))
        };
        Self { headings, columns: Columns::new(headings), directory: directory.to_owned(), form, count: 0 }
    }

    /// How many rows there are.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Adds a row: the cells for people, the line of JSON for programs.
    pub fn add<'c>(
        &mut self,
        cells: impl FnOnce() -> CliResult<[Cow<'c, str>; N]>,
        line: impl FnOnce() -> CliResult<String>,
    ) -> CliResult<()> {
        match &mut self.form {
            Form::Lines(lines) => lines.line(&line()?)?,
            Form::Kept(kept) => {
                kept.push(cells()?.map(Cow::into_owned));
                if kept.len() > KEPT {
                    self.begin()?;
                }
            }
            Form::Table(out) => {
                let cells = cells()?;
                let cells = cells.each_ref().map(AsRef::as_ref);
                self.columns.widen(cells);
                self.columns.write(out, cells)?;
            }
        }
        self.count += 1;
        Ok(())
    }

    /// Makes the columns wide enough for cells that will come.
    pub fn expect(&mut self, cells: [&str; N]) {
        self.columns.widen(cells);
    }

    /// Begins to print: a row is a line from now on.
    fn begin(&mut self) -> CliResult<()> {
        let Form::Kept(kept) = &mut self.form else { return Ok(()) };
        let kept = mem::take(kept);
        let mut out = Printer::beside(&self.directory);
        let rows = || kept.iter().map(|cells| cells.each_ref().map(String::as_str));
        rows().for_each(|cells| self.columns.widen(cells));
        self.columns.write_head(&mut out)?;
        rows().try_for_each(|cells| self.columns.write(&mut out, cells))?;
        self.form = Form::Table(out);
        Ok(())
    }

    /// Sends what is there on its way, where more will come than are [`KEPT`].
    pub fn send(&mut self) -> CliResult<()> {
        self.begin()?;
        Ok(self.printer().map_or(Ok(()), Write::flush)?)
    }

    /// From now on nobody else waits: rows that are added may wait for who reads them. There will be many.
    pub fn wait_for_readers(&mut self) -> CliResult<()> {
        self.begin()?;
        self.printer().into_iter().for_each(Printer::wait_for_readers);
        Ok(())
    }

    fn printer(&mut self) -> Option<&mut Printer> {
        match &mut self.form {
            Form::Lines(lines) => Some(lines.out()),
            Form::Kept(_) => None,
            Form::Table(out) => Some(out),
        }
    }

    /// Waits until all rows are printed.
    pub fn finish(self) -> CliResult<()> {
        match self.form {
            Form::Lines(lines) => lines.finish()?.finish()?,
            Form::Table(out) => out.finish()?,
            Form::Kept(kept) => {
                let mut table = Table::new(&self.headings);
                for cells in &kept {
                    table.row(cells.iter().map(String::as_str));
                }
                let mut out = super::out();
                write!(out, "{table}")?;
                out.flush()?;
            }
        }
        Ok(())
    }
}
