//! `annals export`: writes events for other programs, and says what the target could not carry.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use annals_core::{Listing, Log, Room, SledLog, Store, scan};
use annals_formats::{ExportOptions, Format, Heading, Losses, Recorded, Row};
use annals_model::line::record_line;
use annals_model::{Certainty, Event, Question, Seq};
use tempfile::NamedTempFile;

use crate::args::{QuestionArgs, RangeArgs, hinted};
use crate::error::{CliError, CliResult};
use crate::hints;
use crate::session::Session;
use crate::ui;

/// Bytes of events that are sorted in memory; more are sorted in a file beside the store.
const IN_MEMORY: usize = 32 << 20;
/// Bytes that are written at once.
const BUFFER: usize = 1 << 16;

/// Write events for other programs
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Without --as-of all events are written. What the target cannot carry is counted on standard error;
with --strict it is an error, and nothing is written.

Examples:
  annals export --to csv -o timeline.csv
  annals export --to markdown --from 2010 --until 2019
  annals export --to parquet -o timeline.parquet
  annals export --to geojson --tag cholera > cholera.geojson
  annals export --to jsonl --records > log.jsonl      the whole log, to be imported with its record times"
)]
pub struct Args {
    /// The target: jsonl, json, csv, markdown, geojson, jsonld, atom, parquet
    #[arg(long = "to", value_name = "FORMAT", value_parser = hinted::<Format>)]
    target: Format,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write nothing if anything would be lost
    #[arg(long)]
    strict: bool,
    /// All records of all timelines with their salts, instead of events (jsonl only)
    #[arg(long)]
    records: bool,
    /// No guard against formulas in tables
    #[arg(long)]
    raw: bool,
    /// Events that may have ended then or later
    #[arg(long, value_name = "D", allow_hyphen_values = true, help_heading = "Filters")]
    from: Option<String>,
    /// Events that may have begun then or earlier
    #[arg(long, value_name = "D", allow_hyphen_values = true, help_heading = "Filters")]
    until: Option<String>,
    #[command(flatten)]
    question: QuestionArgs,
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    let store = session.open()?;
    // The output is opened before the long work: a path that cannot be written is told at once.
    let mut output = Output::open(args.output.as_deref(), args.target)?;
    if args.records {
        if args.target != Format::Jsonl {
            return Err(CliError::usage("--records goes with --to jsonl"));
        }
        write_records(args, session, &store, output.writer())?;
        return output.finish();
    }
    let range = RangeArgs { from: args.from.clone(), to: args.until.clone() };
    let question = args.question.question(session, &range)?;
    let listing = listing(args, session, &store, &question)?;
    // Whoever reads the output may take their time; others need the store.
    drop(store);
    let rows = Rows { args, question: &question, listing: &listing };
    if args.strict {
        refuse_losses(&rows.write(&mut io::sink())?)?;
    }
    let losses = rows.write(output.writer())?;
    output.finish()?;
    for (_, _, loss) in losses.iter() {
        ui::note(session, &loss)?;
    }
    Ok(())
}

/// The events that a question selects, in list order; all dates where it was not asked as of one.
fn listing(
    args: &Args,
    session: &Session,
    store: &Store<SledLog>,
    question: &Question,
) -> CliResult<Listing> {
    let is_dated = args.question.as_of.is_some();
    let certainty = args.question.range_certainty();
    let is_chosen =
        |event: &Event| (!is_dated || question.counts(event)) && question.filter.admits(event, certainty);
    let is_all = !is_dated && question.filter.is_empty();
    let select: Option<&(dyn Fn(&Event) -> bool + Sync)> = if is_all { None } else { Some(&is_chosen) };
    let directory = session.store_path()?;
    let room = Room { bytes: IN_MEMORY, directory: &directory };
    store.listing(&question.timeline, question.known_at, select, room).map_err(|e| hints::explain(store, e))
}

/// What is exported.
struct Rows<'a> {
    args: &'a Args,
    question: &'a Question,
    listing: &'a Listing,
}

impl Rows<'_> {
    fn write(&self, out: &mut dyn Write) -> CliResult<Losses> {
        let Self { args, question, listing } = self;
        let timelines = [question.timeline.clone()];
        let heading = Heading { title: None, timelines: &timelines, updated: listing.updated() };
        let options = ExportOptions { raw: args.raw };
        let surely = Question { certainty: Certainty::Surely, ..(*question).clone() };
        let mut exporter = annals_formats::exporter(args.target, &heading, options, out)?;
        listing.each(|listed| {
            let recorded = Recorded {
                first: listed.place,
                seq: listed.seq,
                previous: listed.previous,
                at: listed.recorded_at,
                by: &listed.recorded_by,
            };
            let event = &listed.event;
            let sure = args.question.as_of.is_none() || surely.counts(event);
            let row = Row { timeline: &question.timeline, event, sure, recorded: Some(recorded) };
            exporter.row(&row).map_err(CliError::from)
        })?;
        Ok(exporter.end()?)
    }
}

fn refuse_losses(losses: &Losses) -> CliResult<()> {
    if losses.is_empty() {
        return Ok(());
    }
    let lost: Vec<String> = losses.iter().map(|(_, _, loss)| loss).collect();
    Err(CliError::failed(lost.join("; "))
        .because_of("the target cannot carry everything, and nothing was written")
        .with_hint("without --strict it is written all the same"))
}

fn write_records(
    args: &Args,
    session: &Session,
    store: &Store<SledLog>,
    out: &mut dyn Write,
) -> CliResult<()> {
    let known_at = args.question.known_at(session)?;
    let end = store.position(known_at)?.seq.min(store.log().head()?.seq());
    let mut failed = None;
    scan::each(store.log(), Seq(1), end, |stored| {
        if failed.is_none() {
            let line = record_line(&stored.record, stored.salt()).map_err(io::Error::from);
            failed = line.and_then(|line| writeln!(out, "{line}")).err();
        }
        Ok(())
    })?;
    failed.map_or(Ok(()), |error| Err(error.into()))
}

/// Where an export goes: to standard output, or beside the file that it then takes the place of.
enum Output {
    Stdout(BufWriter<io::StdoutLock<'static>>),
    /// A terminal obeys some of what data may hold: it gets the export when all of it has been made safe.
    Terminal {
        text: Vec<u8>,
        is_json: bool,
    },
    File {
        writer: BufWriter<NamedTempFile>,
        path: PathBuf,
    },
    /// A device or a pipe, which nothing may take the place of.
    Stream {
        writer: BufWriter<File>,
        path: PathBuf,
    },
}

impl Output {
    fn open(path: Option<&Path>, target: Format) -> CliResult<Self> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            if !io::stdout().is_terminal() {
                return Ok(Self::Stdout(BufWriter::with_capacity(BUFFER, io::stdout().lock())));
            }
            if !target.is_text() {
                return Err(CliError::usage(format!("{target} is nothing for a terminal"))
                    .with_hint("name a file with -o"));
            }
            return Ok(Self::Terminal { text: Vec::new(), is_json: target.is_json() });
        };
        if path.metadata().is_ok_and(|about| !about.is_file() && !about.is_dir()) {
            let file = OpenOptions::new().write(true).open(path).map_err(|e| cannot_write(path, &e))?;
            return Ok(Self::Stream {
                writer: BufWriter::with_capacity(BUFFER, file),
                path: path.to_owned(),
            });
        }
        let directory =
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = NamedTempFile::new_in(directory).map_err(|e| cannot_write(path, &e))?;
        Ok(Self::File { writer: BufWriter::with_capacity(BUFFER, file), path: path.to_owned() })
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Stdout(out) => out,
            Self::Terminal { text, .. } => text,
            Self::File { writer, .. } => writer,
            Self::Stream { writer, .. } => writer,
        }
    }

    /// The whole export is there: only now does the file appear.
    fn finish(self) -> CliResult<()> {
        match self {
            Self::Stdout(mut out) => Ok(out.flush()?),
            Self::Terminal { text, is_json } => {
                let text = String::from_utf8_lossy(&text).replace('\r', "");
                let safe = if is_json { ui::safe_json(&text) } else { ui::safe(&text) };
                Ok(io::stdout().lock().write_all(safe.as_bytes())?)
            }
            Self::Stream { mut writer, path } => writer.flush().map_err(|e| cannot_write(&path, &e)),
            Self::File { writer, path } => {
                let failed = |e: &io::Error| cannot_write(&path, e);
                let file = writer.into_inner().map_err(|e| failed(e.error()))?;
                make_readable(&file).map_err(|e| failed(&e))?;
                file.persist(&path).map_err(|e| failed(&e.error))?;
                Ok(())
            }
        }
    }
}

/// Temporary files are private; an export is as readable as any file that a program writes.
pub(super) fn make_readable(file: &NamedTempFile) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    let _ = file;
    Ok(())
}

pub(super) fn cannot_write(path: &Path, error: &io::Error) -> CliError {
    // An error of a temporary file names that file, which nobody has heard of, behind what the system said.
    let told = error.to_string();
    let told = told.split_once(" at path \"").map_or(told.as_str(), |(said, _)| said);
    CliError::failed(told).because_of(format!("cannot write {}", path.display()))
}
