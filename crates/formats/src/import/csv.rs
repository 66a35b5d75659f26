//! CSV and TSV: a header row, then one event a row.
//!
//! How the rows are cut is in [`records`](super::records), what their cells mean in [`map`](crate::map): this file
//! brings the two together and gives every fault its line.

use annals_model::line::Line;
use annals_model::{Invalid, limits};

use super::records::{Record, Records};
use super::{Fault, ImportOptions, Input, Read};
use crate::map::Plan;

/// Bytes of a row. Its event is limited by the model; a table repeats some of it.
const LIMIT: usize = 2 * limits::EVENT;

pub struct Csv<'a> {
    records: Records<'a>,
    record: Record,
    options: ImportOptions<'a>,
    state: State,
}

enum State {
    /// The header row comes next.
    Header,
    /// Rows come, of so many cells.
    Rows(Box<Plan>),
    /// Nothing comes any more.
    Over,
}

impl<'a> Csv<'a> {
    pub fn new(input: Input<'a>, delimiter: u8, options: ImportOptions<'a>) -> Self {
        let records = Records::new(input, delimiter, LIMIT);
        Self { records, record: Record::default(), options, state: State::Header }
    }

    fn header(&mut self) -> Result<Plan, Fault> {
        if !self.records.next(&mut self.record).map_err(Fault::Io)? {
            return Err(Fault::File(
                Invalid::new("the file is empty").with_hint("the first row names the columns"),
            ));
        }
        let cells = self.record.cells().map_err(Fault::File)?;
        Plan::bind(self.options.map, &cells, self.options.raw)
            .map_err(|invalid| Fault::File(parted(&cells).unwrap_or(invalid)))
    }

    fn over(&mut self, fault: Fault) -> Read {
        self.state = State::Over;
        Read::plain(self.record.line().max(1), Err(fault))
    }
}

impl Iterator for Csv<'_> {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        if matches!(self.state, State::Header) {
            match self.header() {
                Ok(plan) => self.state = State::Rows(Box::new(plan)),
                Err(fault) => return Some(self.over(fault)),
            }
        }
        let State::Rows(plan) = &self.state else { return None };
        match self.records.next(&mut self.record) {
            Ok(true) => {
                let outcome = row(plan, &self.record).map_err(Fault::Entry);
                Some(Read::plain(self.record.line(), outcome).at(self.records.piece(&self.record)))
            }
            Ok(false) => None,
            Err(error) => Some(self.over(Fault::Io(error))),
        }
    }
}

/// What to say of a header that is one cell because its columns are parted by something else.
fn parted(cells: &[&str]) -> Option<Invalid> {
    let [only] = cells else { return None };
    let (what, hint) = [
        (';', "semicolons", "save it with commas between the cells"),
        ('\t', "tabs", "read it with --from tsv"),
        (',', "commas", "read it with --from csv"),
    ]
    .iter()
    .find_map(|(sign, what, hint)| only.contains(*sign).then_some((what, hint)))?;
    Some(Invalid::new(format!("the cells of the file are parted by {what}")).with_hint(*hint))
}

fn row(plan: &Plan, record: &Record) -> Result<Line, Invalid> {
    let cells = record.cells()?;
    if cells.len() != plan.width() {
        return Err(Invalid::new(format!(
            "the row has {} cells, the header has {}",
            cells.len(),
            plan.width()
        ))
        .with_hint("a cell with a comma, a tab or a line end in it stands in quotes"));
    }
    plan.line(&cells)
}
