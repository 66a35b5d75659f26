//! `annals log`: records in the order in which they were recorded.

use std::collections::{HashMap, HashSet};
use std::io::Write as _;

use annals_core::{Log, StoredRecord, scan};
use annals_model::{Certainty, Content, EventId, Filter, Record, Seq};

use crate::args::{QuestionArgs, RangeArgs};
use crate::error::CliResult;
use crate::hints;
use crate::session::Session;
use crate::ui::{self, Table};

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
    let position = store.position(question.known_at)?;
    let dated = args.question.as_of.is_some();
    let range = args.question.range_certainty();
    let mut chosen = Chosen { filter: &question.filter, range, admitted: HashSet::new() };
    let mut records = Vec::new();
    let mut admits = |stored: &StoredRecord| {
        let own = stored.record.timeline == question.timeline;
        let began = !dated || stored.record.content.event().is_none_or(|event| question.counts(event));
        own && began && chosen.admits(&stored.record)
    };
    match args.last.filter(|_| question.filter.is_empty()) {
        Some(last) => records = store.last_records(position.seq, last, admits)?,
        // Whether a withdrawal is admitted was told by a record before it.
        None => scan::each(store.log(), Seq(1), position.seq, |stored| {
            if admits(&stored) {
                records.push(stored);
            }
            Ok(())
        })?,
    }
    let mut redacted: HashMap<EventId, Seq> = HashMap::new();
    for Record { id, content, .. } in records.iter().map(|stored| &stored.record) {
        if *content == Content::Redacted && !redacted.contains_key(id) {
            let by = store.log().event(&question.timeline, id)?;
            redacted.extend(by.map(|entry| (id.clone(), entry.last)));
        }
    }
    // Whoever reads the output may take their time; others need the store.
    drop(store);
    let from = args.last.map_or(0, |last| records.len().saturating_sub(last));
    print(session, &records[from..], &redacted)
}

/// The records that a filter admits: those with an event by what it says, the others with their event.
struct Chosen<'a> {
    filter: &'a Filter,
    range: Certainty,
    admitted: HashSet<EventId>,
}

impl Chosen<'_> {
    fn admits(&mut self, record: &Record) -> bool {
        if self.filter.is_empty() {
            return true;
        }
        match record.content.event() {
            Some(event) if self.filter.admits(event, self.range) => {
                self.admitted.insert(record.id.clone());
                true
            }
            Some(_) => false,
            None => self.admitted.contains(&record.id),
        }
    }
}

fn print(session: &Session, records: &[StoredRecord], redacted: &HashMap<EventId, Seq>) -> CliResult<()> {
    if !session.is_for_people() {
        let lines: Result<Vec<String>, _> = records.iter().map(StoredRecord::line).collect();
        return ui::print_json_lines(session, lines?);
    }
    let mut table = Table::new(&["SEQ", "RECORDED AT", "BY", "DID", "EVENT", "DATE", "WHAT"]);
    for StoredRecord { record, .. } in records {
        let mut cells = cells(record);
        if let (Content::Redacted, Some(by)) = (&record.content, redacted.get(&record.id)) {
            cells[6] = format!("(redacted at seq {by})");
        }
        table.row(cells.iter().map(String::as_str));
    }
    let mut out = ui::out();
    write!(out, "{table}")?;
    Ok(out.flush()?)
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
