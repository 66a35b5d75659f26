//! `annals import`: reads events from a file of another program.
//!
//! A file is one batch, all of it or nothing. A very large one goes in chunks, each durable by itself; run again
//! it continues where it stopped, because an event that is there already is recognised by its id.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use annals_core::{Conflict, Error, Failed, Log, Resume, SledLog, Store, WriteOptions};
use annals_formats::{ColumnMap, Fault, ImportFormat, ImportOptions, Read};
use annals_model::{Entry, Expectation, Outcome, Seq};
use serde::Serialize;

use super::writing::{WriteArgs, in_data, new_id};
use crate::args::hinted;
use crate::error::{CliError, CliResult};
use crate::hints;
use crate::session::Session;
use crate::ui::{self, Progress, counted};

/// Problems of a file that are told one by one.
const PROBLEMS_SHOWN: usize = 20;

/// Read events from a file of another program
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "A rule of the column map is TARGET=COLUMN, TARGET=\"{COLUMN} and {COLUMN}\" or TARGET:=text. Columns
without a rule are kept in `extra`.

Examples:
  annals import events.jsonl
  annals import records.jsonl --keep-record-times
  annals import quakes.tsv --map id=ID --map historical-year=YEAR --map month=MONTH \\
      --map title=PLACE --map kind:=earthquake --map 'increase:{COUNTRY}.deaths=DEATHS'
  annals import huge.jsonl --chunk 100000"
)]
pub struct Args {
    /// The file, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What it is: jsonl, csv, tsv [default: by the file's name]
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
    /// Take each line's own record time, author and salt
    #[arg(long, help_heading = "Recording")]
    keep_record_times: bool,
    /// Commit every N entries, instead of the whole file at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Recording")]
    chunk: Option<u32>,
    #[command(flatten)]
    writing: WriteArgs,
}

/// What became of the entries.
#[derive(Debug, Default, Serialize)]
struct Tally {
    appended: u64,
    revised: u64,
    retracted: u64,
    already_there: u64,
    /// The last record that an entry is in.
    seq: u64,
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    let format = args.from.map_or_else(|| format_of(&args.file), Ok)?;
    let map = column_map(args)?;
    let options = ImportOptions { map: map.as_ref(), raw: args.raw };
    let (input, size) = open(&args.file)?;
    let progress = Progress::of_bytes(session, size);
    let input = Counting { input, progress: &progress };
    let store = session.open()?;
    let mut import = Import {
        session,
        store: &store,
        options: WriteOptions { keep_record_times: args.keep_record_times, ..args.writing.options() },
        resume: Resume::default(),
        chunk: args.chunk.map_or(usize::MAX, |chunk| chunk as usize),
        pending: Vec::new(),
        lines: Vec::new(),
        problems: Vec::new(),
        without_id: 0,
        tally: Tally::default(),
        progress: &progress,
    };
    for read in annals_formats::read(format, Box::new(input), options) {
        import.take(read)?;
    }
    import.flush()?;
    progress.finish();
    let Import { tally, without_id, .. } = import;
    session.remark(&store)?;
    if without_id > 0 {
        let message = format!(
            "{} had no id: importing the file again would append them again",
            counted(without_id, "event")
        );
        ui::note(session, &message)?;
    }
    tell(session, &tally)
}

/// An import on its way.
struct Import<'a> {
    session: &'a Session,
    store: &'a Store<SledLog>,
    options: WriteOptions,
    resume: Resume,
    chunk: usize,
    pending: Vec<Entry>,
    /// The line of each pending entry.
    lines: Vec<u64>,
    problems: Vec<CliError>,
    without_id: u64,
    tally: Tally,
    progress: &'a Progress,
}

impl Import<'_> {
    fn take(&mut self, Read { line, outcome }: Read) -> CliResult<()> {
        match outcome {
            Ok(read) => {
                if !self.problems.is_empty() {
                    return Ok(());
                }
                let mut made = false;
                let id = new_id(self.session)?;
                let entry = read.into_entry(self.session.timeline(), || {
                    made = true;
                    id
                });
                self.without_id += u64::from(made);
                self.pending.push(entry);
                self.lines.push(line);
                if self.pending.len() >= self.chunk {
                    self.flush()?;
                }
                Ok(())
            }
            Err(Fault::Entry(invalid)) => {
                self.problems.push(in_data(&invalid).because_of(format!("line {line} was refused")));
                Ok(())
            }
            Err(Fault::File(invalid)) => Err(in_data(&invalid).because_of("the file was refused")),
            Err(Fault::Io(error)) => {
                Err(CliError::failed(error.to_string())
                    .because_of(format!("cannot read on from line {line}")))
            }
        }
    }

    /// Records what is pending.
    fn flush(&mut self) -> CliResult<()> {
        if let Some(error) = self.refusal()? {
            return Err(error);
        }
        let entries = std::mem::take(&mut self.pending);
        let lines = std::mem::take(&mut self.lines);
        let end = self.store.log().head()?.seq();
        let answers = self.store.import(entries, self.session.host(), &self.options, &mut self.resume);
        let answers = answers.map_err(|failed| self.refused(failed, &lines, end))?;
        // The expectation was met: from here on the timeline's version is this import's own doing.
        self.options.expect = Expectation::Any;
        for answer in answers {
            self.tally.seq = self.tally.seq.max(answer.seq.0);
            *match answer.outcome {
                Outcome::Appended => &mut self.tally.appended,
                Outcome::Revised => &mut self.tally.revised,
                Outcome::Retracted | Outcome::Redacted => &mut self.tally.retracted,
                Outcome::AlreadyAppended
                | Outcome::AlreadyAppendedRedacted
                | Outcome::AlreadyRevised
                | Outcome::AlreadyRetracted => &mut self.tally.already_there,
            } += 1;
        }
        self.progress.say(format!("record {}", self.tally.seq));
        Ok(())
    }

    /// The error for a batch that the engine refused; `end` is where the log ended before it.
    fn refused(&self, failed: Failed, lines: &[u64], end: Seq) -> CliError {
        let line = failed.index.and_then(|index| lines.get(index).copied());
        let Some(line) = line else { return failed.error.into() };
        let within_file = match &failed.error {
            Error::Conflict(Conflict::DifferentContent { id, seq, .. }) if *seq > end => Some(id.clone()),
            _ => None,
        };
        let error = match within_file {
            Some(id) => {
                CliError::failed(format!("an earlier line has the same id, {id}, with different content"))
                    .with_hint("give one of them another id, or make the later one a revision")
            }
            None => hints::explain(self.store, failed.error),
        };
        self.how_far(error.because_of(format!("line {line} was refused")))
    }

    /// The error for a file with problems: all of them are told, up to a number.
    fn refusal(&mut self) -> CliResult<Option<CliError>> {
        let mut problems = std::mem::take(&mut self.problems);
        if problems.is_empty() {
            return Ok(None);
        }
        self.progress.finish();
        if problems.len() == 1
            && let Some(only) = problems.pop()
        {
            return Ok(Some(self.how_far(only)));
        }
        for problem in problems.iter().take(PROBLEMS_SHOWN) {
            ui::print_error(problem)?;
        }
        let refused = CliError::failed(format!("{} were refused", counted(problems.len() as u64, "line")));
        Ok(Some(self.how_far(refused)))
    }

    /// Says what of the file is recorded.
    fn how_far(&self, error: CliError) -> CliError {
        self.progress.finish();
        if self.tally.seq == 0 {
            return error.with_hint("nothing was written");
        }
        let hint = format!(
            "the chunks before are recorded, up to record {}; mend the file and run again",
            self.tally.seq
        );
        error.with_hint(hint)
    }
}

fn tell(session: &Session, tally: &Tally) -> CliResult<()> {
    if !session.is_for_people() {
        return ui::print_json_line(tally);
    }
    let counts = [
        (tally.appended, "appended"),
        (tally.revised, "revised"),
        (tally.retracted, "retracted"),
        (tally.already_there, "already there"),
    ];
    let told: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", ui::thousands(*count)))
        .collect();
    let told = if told.is_empty() { "the file holds no event".to_owned() } else { told.join(", ") };
    ui::print_line(&told)
}

fn format_of(file: &Path) -> CliResult<ImportFormat> {
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

fn column_map(args: &Args) -> CliResult<Option<ColumnMap>> {
    let mut map = ColumnMap::default();
    if let Some(path) = &args.map_file {
        let name = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|e| CliError::failed(e.to_string()).because_of(format!("cannot read {name}")))?;
        map.add_toml(&text).map_err(|e| CliError::argument(&format!("--map-file {name}"), &e))?;
    }
    for rule in &args.map {
        map.add(rule).map_err(|e| CliError::argument("--map", &e))?;
    }
    Ok((!map.is_empty()).then_some(map))
}

fn open(path: &Path) -> CliResult<(Box<dyn BufRead>, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin().lock()), None));
    }
    let failed =
        |e: io::Error| CliError::failed(e.to_string()).because_of(format!("cannot read {}", path.display()));
    let file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    Ok((Box::new(BufReader::with_capacity(1 << 16, file)), Some(size)))
}

/// Tells the progress bar how much has been read.
struct Counting<'a> {
    input: Box<dyn BufRead>,
    progress: &'a Progress,
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
