//! `annals import`: reads events from a file of another program.
//!
//! A file is one batch, all of it or nothing. A very large one goes in chunks, each durable by itself; run again
//! it continues where it stopped, because an event that is there already is recognised by its id. `strict` records a
//! file that has to be whole, `lenient` goes on behind what is refused; `told` has the words of both.

mod aside;
mod file;
mod lenient;
mod strict;
mod told;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use annals_core::{SledLog, Store, WriteOptions};
use annals_formats::{ImportFormat, ImportOptions};

use self::aside::Aside;
use self::file::{Counting, column_map, format_of, open};
use self::lenient::Lenient;
use self::strict::Strict;
use super::writing::WriteArgs;
use crate::args::hinted;
use crate::error::CliResult;
use crate::session::Session;
use crate::ui::Progress;

/// Read events from a file of another program
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "A rule of the column map is TARGET=COLUMN, TARGET=\"{COLUMN} and {COLUMN}\" or TARGET:=text. Columns
without a rule are kept in `extra`.

Examples:
  annals import events.jsonl
  annals import records.jsonl --keep-record-times
  annals import calendar.ics
  annals import timeline.json --from timelinejs
  annals import quakes.tsv --map id=ID --map historical-year=YEAR --map month=MONTH \\
      --map title=PLACE --map kind:=earthquake --map 'increase:{COUNTRY}.deaths=DEATHS'
  annals import huge.jsonl --chunk 100000
  annals import events.csv --dry-run
  annals import events.csv --skip-bad refused.csv"
)]
pub struct Args {
    /// The file, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What it is: jsonl, csv, tsv, ics, timelinejs, markwhen, timesketch [default: by the file's name]
    #[arg(long, value_name = "FORMAT", value_parser = hinted::<ImportFormat>)]
    from: Option<ImportFormat>,
    /// A rule of the column map
    #[arg(long, value_name = "RULE")]
    map: Vec<String>,
    /// A TOML file with the tables `map` and `literal`
    #[arg(long, value_name = "FILE")]
    map_file: Option<PathBuf>,
    /// Take a leading apostrophe in a table's cell as text, not as a guard against formulas
    #[arg(long)]
    raw: bool,
    /// Tell what would be recorded and every line that would be refused, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Put refused lines or entries into this file, as they are, and record the others
    #[arg(long, value_name = "FILE")]
    skip_bad: Option<PathBuf>,
    /// Take each line's own record time, author and salt
    #[arg(long, help_heading = "Recording")]
    keep_record_times: bool,
    /// Commit every N entries, instead of the whole file at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Recording")]
    chunk: Option<u32>,
    #[command(flatten)]
    writing: WriteArgs,
}

/// What both ways to import need.
struct Job<'a> {
    session: &'a Session,
    store: &'a Store<SledLog>,
    format: ImportFormat,
    options: WriteOptions,
    /// Entries after which it commits.
    chunk: u64,
    threads: NonZeroUsize,
    progress: &'a Progress,
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    let format = args.from.map_or_else(|| format_of(&args.file), Ok)?;
    let map = column_map(args.map_file.as_deref(), &args.map)?;
    let options = ImportOptions { map: map.as_ref(), raw: args.raw };
    let (input, size) = open(&args.file)?;
    let aside = args.skip_bad.as_deref().map(Aside::open).transpose()?;
    let store = session.open()?;
    let progress = Progress::of_bytes(session, size);
    let job = Job {
        session,
        store: &store,
        format,
        options: WriteOptions { keep_record_times: args.keep_record_times, ..args.writing.options() },
        chunk: args.chunk.map_or(u64::MAX, u64::from),
        threads: Session::threads(),
        progress: &progress,
    };
    let input = Box::new(Counting { input, progress: &progress });
    if args.dry_run || aside.is_some() {
        return Lenient { job, is_rehearsal: args.dry_run, aside }.run(input, options);
    }
    Strict::new(job).run(input, options)
}
