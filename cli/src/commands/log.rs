//! `annals log`: records in the order in which they were recorded.

use std::borrow::Cow;
use std::collections::HashMap;

use annals_core::{Log, Selection, SledLog, Store, StoredRecord};
use annals_model::{Content, EventId, Record, Seq, TimelineName};

use super::list;
use crate::args::{QuestionArgs, RangeArgs};
use crate::error::CliResult;
use crate::hints;
use crate::session::Session;
use crate::ui::{self, Rows};

/// The last records that are kept in memory; more are printed one by one.
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
    let mut rows = Rows::new(session, HEADINGS, &session.store_path()?);
    rows.expect([store.log().head()?.seq().to_string().as_str(), "", "", "", "", "", ""]);
    let mut records = Records { store: &store, timeline: &question.timeline, rows, redacted: HashMap::new() };
    match args.last {
        Some(last) if last <= KEPT => {
            store.last_records(&selection, last)?.iter().try_for_each(|stored| records.take(stored))?;
        }
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
                records.take(&stored)
            })?;
        }
    }
    let rows = records.rows;
    // Whoever reads the output may take their time; others need the store.
    drop(store);
    rows.finish()
}

fn count(store: &Store<SledLog>, selection: &Selection<'_>) -> CliResult<u64> {
    let mut count = 0;
    store.each_record(selection, |_| {
        count += 1;
        CliResult::Ok(())
    })?;
    Ok(count)
}

/// The records that were taken, and what has to be known for it.
struct Records<'a> {
    store: &'a Store<SledLog>,
    timeline: &'a TimelineName,
    rows: Rows<7>,
    /// By the event, the record that redacted it.
    redacted: HashMap<EventId, Seq>,
}

impl Records<'_> {
    fn take(&mut self, stored: &StoredRecord) -> CliResult<()> {
        let Self { store, timeline, rows, redacted } = self;
        let cells = || {
            let record = &stored.record;
            let mut cells = cells(record);
            if record.content == Content::Redacted {
                if !redacted.contains_key(&record.id) {
                    let by = store.log().event(timeline, &record.id)?;
                    redacted.extend(by.map(|entry| (record.id.clone(), entry.last)));
                }
                if let Some(by) = redacted.get(&record.id) {
                    cells[6] = format!("(redacted at seq {by})");
                }
            }
            Ok(cells.map(Cow::Owned))
        };
        rows.add(cells, || Ok(stored.line()?))
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
