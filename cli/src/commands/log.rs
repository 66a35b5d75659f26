//! `annals log`: records in the order in which they were recorded.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;

use annals_core::{Log, Selection, SledLog, Store, StoredRecord};
use annals_model::{Content, EventId, Record, Seq, TimelineName};

use super::list;
use crate::args::{QuestionArgs, RangeArgs};
use crate::error::CliResult;
use crate::hints;
use crate::session::Session;
use crate::spool::Spool;
use crate::ui::{self, Columns, JsonLines, Table};

/// Records that are kept in memory; more are printed one by one.
const KEPT: usize = 20_000;
/// What stands over the columns.
const HEADINGS: [&str; 7] = ["SEQ", "RECORDED AT", "BY", "DID", "EVENT", "DATE", "WHAT"];

/// Show records in the order in which they were recorded
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  annals log --last 20
  annals log --known-at 2023-11-13 --kind resolution
  annals log --format jsonl")]
pub struct Args {
    /// Only the last N records
    #[arg(long, value_name = "N")]
    last: Option<usize>,
    #[command(flatten)]
    question: QuestionArgs,
    #[command(flatten)]
    range: RangeArgs,
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    let store = session.open()?;
    let question = args.question.question(session, &args.range)?;
    hints::require(&store, &question.timeline)?;
    let selection = list::selection(&args.question, &question, None);
    let mut rows = Rows::new(session, &session.store_path()?);
    match args.last {
        Some(last) if last <= KEPT => store
            .last_records(&selection, last)?
            .iter()
            .try_for_each(|stored| rows.take(&store, &question.timeline, stored))?,
        last => {
            let mut before = match last {
                Some(last) => count(&store, &selection)?.saturating_sub(last as u64),
                None => 0,
            };
            store.each_record(&selection, |stored| {
                if before > 0 {
                    before -= 1;
                    return CliResult::Ok(());
                }
                rows.take(&store, &question.timeline, &stored)
            })?;
        }
    }
    // Whoever reads the output may take their time; others need the store.
    drop(store);
    rows.print(session)
}

fn count(store: &Store<SledLog>, selection: &Selection<'_>) -> CliResult<u64> {
    let mut count = 0;
    store.each_record(selection, |_| {
        count += 1;
        CliResult::Ok(())
    })?;
    Ok(count)
}

/// What is printed of the records, once the store is let go.
struct Rows {
    is_for_people: bool,
    /// The cells of rows that are few enough for a table that fits the terminal.
    kept: Vec<[String; 7]>,
    columns: Columns<7>,
    /// Lines of JSON: records, or the cells of rows.
    spool: Spool,
    /// By the event, the record that redacted it.
    redacted: HashMap<EventId, Seq>,
}

impl Rows {
    fn new(session: &Session, directory: &Path) -> Self {
        Self {
            is_for_people: session.is_for_people(),
            kept: Vec::new(),
            columns: Columns::new(HEADINGS),
            spool: Spool::beside(directory),
            redacted: HashMap::new(),
        }
    }

    /// Takes a record.
    fn take(
        &mut self,
        store: &Store<SledLog>,
        timeline: &TimelineName,
        stored: &StoredRecord,
    ) -> CliResult<()> {
        if !self.is_for_people {
            return self.spool.line(&stored.line()?);
        }
        let record = &stored.record;
        let mut cells = cells(record);
        if record.content == Content::Redacted {
            if !self.redacted.contains_key(&record.id) {
                let by = store.log().event(timeline, &record.id)?;
                self.redacted.extend(by.map(|entry| (record.id.clone(), entry.last)));
            }
            if let Some(by) = self.redacted.get(&record.id) {
                cells[6] = format!("(redacted at seq {by})");
            }
        }
        self.columns.widen(cells.each_ref().map(String::as_str));
        self.kept.push(cells);
        if self.kept.len() > KEPT { self.let_go() } else { Ok(()) }
    }

    /// Puts the rows that are kept behind those that wait.
    fn let_go(&mut self) -> CliResult<()> {
        self.kept.drain(..).try_for_each(|cells| self.spool.line(&serde_json::to_string(&cells)?))
    }

    fn print(mut self, session: &Session) -> CliResult<()> {
        if !self.is_for_people {
            let mut lines = JsonLines::new(session);
            self.spool.each(|line| lines.line(line))?;
            return lines.finish();
        }
        let mut out = ui::out();
        if self.spool.is_empty() {
            let mut table = Table::new(&HEADINGS);
            self.kept.iter().for_each(|cells| table.row(cells.iter().map(String::as_str)));
            write!(out, "{table}")?;
            return Ok(out.flush()?);
        }
        self.let_go()?;
        self.columns.write_head(&mut out)?;
        self.spool.each(|line| {
            let cells: [String; 7] = serde_json::from_str(line)?;
            Ok(self.columns.write(&mut out, cells.each_ref().map(String::as_str))?)
        })?;
        Ok(out.flush()?)
    }
}

/// What people are told of a record: its number, when it was recorded and by whom, what it did to which event,
/// and the event's date and title or the reason.
pub fn cells(record: &Record) -> [String; 7] {
    let (date, what) = match &record.content {
        Content::Event(event) => (ui::dated(event.date.as_ref()).to_owned(), event.title.as_str()),
        Content::Reason(reason) => (String::new(), reason.as_str()),
        Content::Redacted => (String::new(), "(redacted)"),
    };
    let at = record.recorded_at.to_string();
    let at = at.split_once('.').map_or(at.as_str(), |(seconds, _)| seconds);
    let (seq, by, did, id) = (record.seq.to_string(), &record.recorded_by, record.op.as_str(), &record.id);
    [seq, at.to_owned(), by.clone(), did.to_owned(), id.to_string(), date, what.to_owned()]
}
