//! `annals import`: reads events from a file of another program.
//!
//! A file is one batch, all of it or nothing. A very large one goes in chunks, each durable by itself; run again
//! it continues where it stopped, because an event that is there already is recognised by its id.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use annals_core::{Conflict, Error, Failed, Log, Resume, SledLog, Store, WriteOptions, new_event_id};
use annals_formats::{ColumnMap, Fault, ImportFormat, ImportOptions, Input, Read, Reader};
use annals_model::line::Line;
use annals_model::{Entry, Expectation, Invalid, Outcome, Seq, Written};
use serde::Serialize;

use super::aside::Aside;
use super::lenient::Lenient;
use super::writing::{WriteArgs, in_data};
use crate::args::hinted;
use crate::error::{CliError, CliResult};
use crate::hints;
use crate::session::Session;
use crate::ui::{self, Progress, counted};

/// Problems of a file that are told one by one.
pub(super) const PROBLEMS_SHOWN: usize = 20;
/// Bytes of the file that are read at once.
const BUFFER: usize = 1 << 18;
/// Entries after which the progress bar says how fast it goes.
pub(super) const OFTEN: u64 = 4096;

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

/// What became of the entries.
#[derive(Debug, Default, Serialize)]
pub(super) struct Tally {
    pub appended: u64,
    pub revised: u64,
    pub retracted: u64,
    pub redacted: u64,
    pub already_there: u64,
    /// The last record that an entry is in.
    pub seq: u64,
}

impl Tally {
    pub fn count(&mut self, answer: &Written) {
        self.seq = self.seq.max(answer.seq.0);
        *match answer.outcome {
            Outcome::Appended => &mut self.appended,
            Outcome::Revised => &mut self.revised,
            Outcome::Retracted => &mut self.retracted,
            Outcome::Redacted => &mut self.redacted,
            Outcome::AlreadyAppended
            | Outcome::AlreadyAppendedRedacted
            | Outcome::AlreadyRevised
            | Outcome::AlreadyRetracted
            | Outcome::AlreadyRedacted => &mut self.already_there,
        } += 1;
    }

    pub fn add(&mut self, chunk: &Self) {
        self.appended += chunk.appended;
        self.revised += chunk.revised;
        self.retracted += chunk.retracted;
        self.redacted += chunk.redacted;
        self.already_there += chunk.already_there;
        self.seq = self.seq.max(chunk.seq);
    }
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    let format = args.from.map_or_else(|| format_of(&args.file), Ok)?;
    let map = column_map(args)?;
    let options = ImportOptions { map: map.as_ref(), raw: args.raw };
    let (input, size) = open(&args.file)?;
    let aside = args.skip_bad.as_deref().map(Aside::open).transpose()?;
    let progress = Progress::of_bytes(session, size);
    let store = session.open()?;
    let threads = Session::threads();
    let write_options = WriteOptions { keep_record_times: args.keep_record_times, ..args.writing.options() };
    let chunk = args.chunk.map_or(u64::MAX, u64::from);
    if args.dry_run || aside.is_some() {
        let lenient = Lenient {
            session,
            store: &store,
            format,
            options: write_options,
            chunk,
            threads,
            progress: &progress,
            is_rehearsal: args.dry_run,
            aside,
        };
        return lenient.run(Box::new(Counting { input, progress: &progress }), options);
    }
    let mut import = Import {
        session,
        store: &store,
        options: write_options,
        resume: Resume::default(),
        chunk,
        threads,
        without_id: 0,
        tally: Tally::default(),
        progress: &progress,
    };
    let notes = std::thread::scope(|scope| {
        let input = Box::new(Counting { input, progress: &progress });
        let mut source = Source {
            reader: annals_formats::read_ahead(scope, threads, format, input, options),
            session,
            progress: &progress,
            is_over: false,
            room: 0,
            taken: 0,
            lines: Lines::default(),
            problems: Vec::new(),
            notes: Notes::default(),
            broken: None,
            without_id: 0,
        };
        while !source.is_over {
            import.chunk(&mut source)?;
        }
        import.without_id = source.without_id;
        CliResult::Ok(source.notes)
    })?;
    progress.finish();
    notes.tell(session)?;
    let Import { tally, without_id, .. } = import;
    session.remark(&store)?;
    session.after_erasure(&store, tally.redacted > 0)?;
    note_ids(session, without_id)?;
    tell(session, &tally)?;
    // For the questions to come; what is recorded was told before.
    session.grow(&store)
}

/// Says what becomes of events without an id when the file is imported again.
pub(super) fn note_ids(session: &Session, without_id: u64) -> CliResult<()> {
    if without_id == 0 {
        return Ok(());
    }
    let events = counted(without_id, "event");
    ui::note(session, &format!("{events} had no id: importing the file again would append them again"))
}

/// What the user is told of an entry that the log refuses; `end` is where the log ended before the batch.
pub(super) fn explained(store: &Store<SledLog>, error: Error, end: Seq) -> CliError {
    match &error {
        Error::Conflict(Conflict::DifferentContent { id, seq, .. }) if *seq > end => {
            CliError::failed(format!("an earlier line has the same id, {id}, with different content"))
                .with_hint("give one of them another id, or make the later one a revision")
        }
        _ => hints::explain(store, error),
    }
}

/// The file's entries, one chunk after another.
struct Source<'a> {
    reader: Reader<'a>,
    session: &'a Session,
    progress: &'a Progress,
    is_over: bool,
    /// Entries that the chunk still has room for.
    room: u64,
    /// Entries that were given in all.
    taken: u64,
    /// The lines of the chunk's entries.
    lines: Lines,
    problems: Vec<CliError>,
    notes: Notes,
    /// Why the file cannot be read on at all.
    broken: Option<CliError>,
    without_id: u64,
}

/// What was understood otherwise than it may have been meant.
#[derive(Debug, Default)]
pub(super) struct Notes {
    first: Vec<String>,
    more: u64,
}

impl Notes {
    pub fn push(&mut self, line: u64, note: &str) {
        if self.first.len() < PROBLEMS_SHOWN {
            self.first.push(format!("line {line}: {note}"));
        } else {
            self.more += 1;
        }
    }

    pub fn tell(&self, session: &Session) -> CliResult<()> {
        for note in &self.first {
            ui::note(session, note)?;
        }
        if self.more > 0 {
            ui::note(session, &format!("{} more", counted(self.more, "note")))?;
        }
        Ok(())
    }
}

/// Which entry stands in which line: only where an entry does not stand in the line behind the one before.
#[derive(Debug, Default)]
struct Lines {
    count: usize,
    next: u64,
    jumps: Vec<(usize, u64)>,
}

impl Lines {
    fn push(&mut self, line: u64) {
        if self.count == 0 || line != self.next {
            self.jumps.push((self.count, line));
        }
        self.count += 1;
        self.next = line + 1;
    }

    fn of(&self, index: usize) -> Option<u64> {
        let before = self.jumps.partition_point(|(first, _)| *first <= index).checked_sub(1)?;
        let (first, line) = self.jumps.get(before)?;
        Some(line + (index - first) as u64)
    }
}

/// The entries of a chunk. Once one of them has a problem, the rest of the file is read for problems only.
impl Iterator for Source<'_> {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.room > 0 && !self.is_over {
            let Some(Read { line, outcome, note, .. }) = self.reader.next() else {
                self.is_over = true;
                break;
            };
            if let Some(note) = note {
                self.notes.push(line, &note);
            }
            match outcome {
                Ok(_) if !self.problems.is_empty() => {}
                Ok(read) => {
                    self.room -= 1;
                    self.taken += 1;
                    self.lines.push(line);
                    if self.taken.is_multiple_of(OFTEN) {
                        self.progress.rate(self.taken, "events");
                    }
                    return Some(self.entry(read));
                }
                Err(Fault::Entry(invalid)) => {
                    self.problems.push(in_data(&invalid).because_of(format!("line {line} was refused")));
                }
                Err(Fault::Passed) => {}
                Err(Fault::File(invalid)) => {
                    self.give_up(in_data(&invalid).because_of("the file was refused"));
                }
                Err(Fault::Io(error)) => {
                    let error = CliError::failed(error.to_string());
                    self.give_up(error.because_of(format!("cannot read on from line {line}")));
                }
            }
        }
        self.progress.say("writing to the disk");
        if self.has_failed() {
            // The engine writes nothing then; what is told is told of the file.
            return Some(Err(Invalid::new("the file has problems").into()));
        }
        None
    }
}

impl Source<'_> {
    fn entry(&mut self, read: Line) -> Result<Entry, Error> {
        let new_id = || {
            self.without_id += 1;
            new_event_id(self.session.host())
        };
        Ok(read.into_entry_with(self.session.timeline(), new_id)?)
    }

    fn has_failed(&self) -> bool {
        self.broken.is_some() || !self.problems.is_empty()
    }

    fn give_up(&mut self, error: CliError) {
        self.broken = Some(error);
        self.is_over = true;
    }
}

/// An import on its way.
struct Import<'a> {
    session: &'a Session,
    store: &'a Store<SledLog>,
    options: WriteOptions,
    resume: Resume,
    chunk: u64,
    threads: NonZeroUsize,
    without_id: u64,
    tally: Tally,
    progress: &'a Progress,
}

impl Import<'_> {
    /// Records the next chunk.
    fn chunk(&mut self, source: &mut Source<'_>) -> CliResult<()> {
        (source.room, source.lines) = (self.chunk, Lines::default());
        let end = self.store.log().head()?.seq();
        let mut tally = Tally::default();
        let recorded = self.store.import_from(
            &mut *source,
            self.session.host(),
            &self.options,
            &mut self.resume,
            self.threads,
            |answer| tally.count(&answer),
        );
        if recorded.is_err() {
            // A line that cannot be read goes before one that the engine refuses, wherever in the chunk it stands.
            while !source.has_failed() && source.next().is_some() {}
        }
        if let Some(error) = source.broken.take() {
            self.progress.finish();
            return Err(error);
        }
        if let Some(error) = self.refusal(&mut source.problems)? {
            return Err(error);
        }
        recorded.map_err(|failed| self.refused(failed, &source.lines, end))?;
        // The expectation was met: from here on the timeline's version is this import's own doing.
        self.options.expect = Expectation::Any;
        self.tally.add(&tally);
        Ok(())
    }

    /// The error for a batch that the engine refused; `end` is where the log ended before it.
    fn refused(&self, failed: Failed, lines: &Lines, end: Seq) -> CliError {
        let line = failed.index.and_then(|index| lines.of(index));
        let Some(line) = line else { return failed.error.into() };
        let error = explained(self.store, failed.error, end);
        self.how_far(error.because_of(format!("line {line} was refused")))
    }

    /// The error for a file with problems: all of them are told, up to a number.
    fn refusal(&self, problems: &mut Vec<CliError>) -> CliResult<Option<CliError>> {
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
        (tally.redacted, "redacted"),
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

fn open(path: &Path) -> CliResult<(Input<'static>, Option<u64>)> {
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
struct Counting<'a> {
    input: Input<'static>,
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
