//! `annals watch`: follows new records as they are recorded, whoever records them.
//!
//! The watcher never keeps the store: it reads what writers leave beside it, and opens the store only for a
//! moment at a time, to catch up, when nobody has it.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use annals_core::{Follower, StoredRecord};
use annals_model::{Certainty, Content, EventId, Filter, Invalid, KnownAt, Op, Record, Seq, TimelineName};

use super::log;
use crate::args::{FilterArgs, RangeArgs};
use crate::error::{CliError, CliResult};
use crate::session::Session;
use crate::ui::{self, safe, safe_json};

/// How often it is looked whether there is something new.
const INTERVAL: Duration = Duration::from_millis(100);
/// Least widths of the columns of a line for people: nobody knows what the later lines need.
const WIDTHS: [usize; 7] = [6, 19, 8, 7, 16, 10, 0];

/// Follow new records as they are recorded
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Prints a line for each record, in record order, each record once, until it is interrupted. To go on
later where it stopped, begin with the number after the last one: --from 18 after record 17.

It reads what writers leave beside the log, holds up none of them and survives them. Older records
than those it reads from the store itself, a chunk at a time, while nobody has the store open: it
waits until then, and a writer that comes during a chunk waits for that moment.

Examples:
  annals watch
  annals watch --from 1 --format jsonl
  annals watch --recorded-after 2023-11-13 --kind resolution
  annals watch --all-timelines --count 1 && notify-send 'Something was recorded'"
)]
pub struct Args {
    /// Begin with this record, 17 or @17 [default: the next one]
    #[arg(long, value_name = "POSITION")]
    from: Option<String>,
    /// Begin behind what the log held then: a date, an instant, or a position @17
    #[arg(long, value_name = "K", conflicts_with = "from", allow_hyphen_values = true)]
    recorded_after: Option<String>,
    /// Records of every timeline
    #[arg(long)]
    all_timelines: bool,
    /// End after N records
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    #[command(flatten)]
    filter: FilterArgs,
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    let path = session.store_path()?;
    let from = first(args, session, &path)?;
    let mut follower = Follower::new(&path, from, session.options())?;
    let filter = args.filter.filter(session, &RangeArgs::default())?;
    let timeline = (!args.all_timelines).then(|| session.timeline());
    let what = timeline.map_or_else(|| "all timelines".to_owned(), |name| format!("timeline {name}"));
    ui::note(session, &format!("watching {what} from record {from} on"))?;
    let mut chosen = Chosen { timeline, filter: &filter, known: HashMap::new() };
    let mut left = args.count.unwrap_or(u64::MAX);
    loop {
        let records = follower.poll()?;
        if records.is_empty() {
            sleep(INTERVAL);
        }
        for stored in records {
            if chosen.admits(&stored.record) {
                print(session, args.all_timelines, &stored)?;
                left -= 1;
            }
            if left == 0 {
                return Ok(());
            }
        }
    }
}

/// The record to begin with.
fn first(args: &Args, session: &Session, path: &Path) -> CliResult<Seq> {
    if let Some(text) = &args.from {
        let number = text.strip_prefix('@').unwrap_or(text);
        let seq = number.parse().ok().filter(|seq| *seq > 0).map(Seq);
        return seq.ok_or_else(|| {
            let invalid = Invalid::new(format!("`{text}` is not the position of a record"));
            CliError::argument("--from", &invalid.with_hint("as in 17 or @17; the first record is 1"))
        });
    }
    let Some(text) = &args.recorded_after else { return Ok(Follower::end(path)?.next()) };
    let known_at =
        KnownAt::parse(text, session.today()).map_err(|e| CliError::argument("--recorded-after", &e))?;
    Ok(match known_at {
        KnownAt::Position(seq) => seq.next(),
        other => session.open()?.position(other)?.seq.next(),
    })
}

/// The records that are asked for.
struct Chosen<'a> {
    /// None for all of them.
    timeline: Option<&'a TimelineName>,
    filter: &'a Filter,
    /// Whether the filter admits an event, by the last version of it that came by.
    known: HashMap<(TimelineName, EventId), bool>,
}

impl Chosen<'_> {
    fn admits(&mut self, record: &Record) -> bool {
        if self.timeline.is_some_and(|timeline| record.timeline != *timeline) {
            return false;
        }
        if self.filter.is_empty() {
            return true;
        }
        let key = (record.timeline.clone(), record.id.clone());
        match &record.content {
            Content::Event(event) => {
                let admitted = self.filter.admits(event, Certainty::Possibly);
                self.known.insert(key, admitted);
                admitted
            }
            // What is withdrawn may have come by in an earlier run: rather once too often than never.
            Content::Reason(_) => self.known.get(&key).copied().unwrap_or(true),
            Content::Redacted => self.known.get(&key).copied().unwrap_or(record.op == Op::Redact),
        }
    }
}

/// Prints a record, as `log` does, and lets go of the line at once.
fn print(session: &Session, all_timelines: bool, stored: &StoredRecord) -> CliResult<()> {
    let mut out = ui::out();
    if session.is_for_people() {
        writeln!(out, "{}", told(&stored.record, all_timelines))?;
    } else {
        writeln!(out, "{}", safe_json(&stored.line()?))?;
    }
    Ok(out.flush()?)
}

fn told(record: &Record, all_timelines: bool) -> String {
    let mut cells = log::cells(record);
    if all_timelines {
        cells[4] = format!("{}/{}", record.timeline, record.id);
    }
    let cells = cells.map(|cell| safe(&cell).replace('\n', " "));
    let line: Vec<String> = cells.iter().zip(WIDTHS).map(|(cell, width)| format!("{cell:<width$}")).collect();
    line.join("  ").trim_end().to_owned()
}
