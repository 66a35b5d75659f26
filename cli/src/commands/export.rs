//! `annals export`: writes events for other programs, and says what the target could not carry.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use annals_core::{Listing, Log, Room, SledLog, Store, scan};
use annals_formats::{ExportOptions, Format, Heading, Losses, Recorded, Row, Scope};
use annals_model::{Certainty, Event, EventId, Invalid, Question, Seq};
use tempfile::NamedTempFile;

use super::erased;
use super::evidence::{self, Vouched};
use super::list::selection;
use crate::args::{QuestionArgs, RangeArgs, hinted};
use crate::error::{CliError, CliResult};
use crate::hints;
use crate::session::Session;
use crate::ui::{self, Progress};

/// Bytes of events that are sorted in memory; more are sorted in a file beside the store.
const IN_MEMORY: usize = 32 << 20;
/// Events after which the terminal is told how fast it goes.
const OFTEN: u64 = 4096;
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
  annals export --to html -o timeline.html      a page to open in a browser
  annals export --to parquet -o timeline.parquet
  annals export --to geojson --tag cholera > cholera.geojson
  annals export --to jsonl --records > log.jsonl      the whole log, to be imported with its record times
  annals export --to evidence --kind withdrawal --key desk.key -o evidence"
)]
pub struct Args {
    /// The target: jsonl, json, csv, markdown, html, ics, timelinejs, markwhen, mermaid, timesketch, geojson,
    /// jsonld, atom, parquet; or evidence, a folder
    #[arg(long = "to", value_name = "FORMAT", value_parser = hinted::<Target>)]
    target: Target,
    /// The file to write [default: standard output], or the folder of evidence
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What stands above the events [default: the timeline's name]
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Write nothing if anything would be lost
    #[arg(long)]
    strict: bool,
    /// All records of all timelines with their salts, instead of events (jsonl only)
    #[arg(long)]
    records: bool,
    /// No guard against formulas in tables
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    evidence: EvidenceFlags,
    /// Events that may have ended then or later
    #[arg(long, value_name = "D", allow_hyphen_values = true, help_heading = "Filters")]
    from: Option<String>,
    /// Events that may have begun then or earlier
    #[arg(long, value_name = "D", allow_hyphen_values = true, help_heading = "Filters")]
    until: Option<String>,
    #[command(flatten)]
    question: QuestionArgs,
}

/// What only evidence takes.
#[derive(Debug, clap::Args)]
struct EvidenceFlags {
    /// Sign the checkpoint of the evidence with this key
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Prove the evidence to whoever has this checkpoint, from what the log held then
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "known_at"])]
    at_checkpoint: Option<PathBuf>,
    /// Leave the attached files out of the evidence; it lists their hashes all the same
    #[arg(long)]
    without_attachments: bool,
}

/// What is written: events in a format, or evidence, which needs the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Format(Format),
    Evidence,
}

impl FromStr for Target {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text.eq_ignore_ascii_case("evidence") {
            Ok(Self::Evidence)
        } else {
            text.parse().map(Self::Format)
        }
    }
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    let Target::Format(target) = args.target else { return write_evidence(args, session) };
    let EvidenceFlags { key, at_checkpoint, without_attachments } = &args.evidence;
    if key.is_some() || at_checkpoint.is_some() || *without_attachments {
        return Err(CliError::usage(
            "--key, --at-checkpoint and --without-attachments go with --to evidence",
        ));
    }
    let store = session.open()?;
    // The output is opened before the long work: a path that cannot be written is told at once.
    let mut output = Output::open(args.output.as_deref(), target)?;
    if args.records {
        if target != Format::Jsonl {
            return Err(CliError::usage("--records goes with --to jsonl"));
        }
        write_records(args, session, &store, output.writer())?;
        return output.finish();
    }
    let range = RangeArgs { from: args.from.clone(), to: args.until.clone() };
    let question = args.question.question(session, &range)?;
    let progress = output.progress(session);
    progress.say("reading the log");
    let listing = listing(args, target, session, &store, &question)?;
    let redacted = erased::told_beside(&store, &question, listing.has_redactions())?;
    // Whoever reads the output may take their time; others need the store.
    drop(store);
    let rows = Rows { args, target, question: &question, listing: &listing, progress: &progress };
    if args.strict {
        let losses = rows.write(&mut io::sink())?;
        refuse_losses(&losses).inspect_err(|_| progress.finish())?;
    }
    let losses = rows.write(output.writer())?;
    progress.finish();
    output.finish()?;
    erased::note(session, &redacted)?;
    for (_, _, loss) in losses.iter() {
        ui::note(session, &loss)?;
    }
    Ok(())
}

fn write_evidence(args: &Args, session: &Session) -> CliResult<()> {
    if args.records || args.raw || args.strict {
        return Err(CliError::usage("--records, --raw and --strict do not go with --to evidence"));
    }
    let Some(directory) = &args.output else {
        return Err(CliError::usage("--to evidence needs --output, a new folder"));
    };
    let EvidenceFlags { key, at_checkpoint, without_attachments } = &args.evidence;
    let store = session.open()?;
    let range = RangeArgs { from: args.from.clone(), to: args.until.clone() };
    let mut question = args.question.question(session, &range)?;
    let vouched = Vouched::read(&store, key.as_deref(), at_checkpoint.as_deref(), question.known_at)?;
    question.known_at = vouched.known_at();
    session.before_dates(&store)?;
    let selected = store.list(&selection(&args.question, &question, None));
    let selected = selected.map_err(|e| hints::explain(&store, e))?.events;
    session.after_dates(&store)?;
    let chosen: Vec<EventId> = selected.into_iter().map(|known| known.event.id).collect();
    evidence::write(session, &store, &question, &chosen, &vouched, !without_attachments, directory)
}

/// The events that a question selects, in list order; all dates where it was not asked as of one.
fn listing(
    args: &Args,
    target: Format,
    session: &Session,
    store: &Store<SledLog>,
    question: &Question,
) -> CliResult<Listing> {
    let is_dated = args.question.as_of.is_some();
    let certainty = args.question.range_certainty();
    // A page says itself what is sure and what is only possible, and needs what is possible to tell.
    let wide = Question { certainty: Certainty::Possibly, ..question.clone() };
    let wanted = if target == Format::Html { &wide } else { question };
    let is_chosen =
        |event: &Event| (!is_dated || wanted.counts(event)) && question.filter.admits(event, certainty);
    let is_all = !is_dated && question.filter.is_empty();
    let select: Option<&(dyn Fn(&Event) -> bool + Sync)> = if is_all { None } else { Some(&is_chosen) };
    let directory = session.store_path()?;
    let room = Room { bytes: IN_MEMORY, directory: &directory };
    store.listing(&question.timeline, question.known_at, select, room).map_err(|e| hints::explain(store, e))
}

/// What is exported.
struct Rows<'a> {
    args: &'a Args,
    target: Format,
    question: &'a Question,
    listing: &'a Listing,
    progress: &'a Progress,
}

impl Rows<'_> {
    fn write(&self, out: &mut dyn Write) -> CliResult<Losses> {
        let Self { args, target, question, listing, progress } = self;
        let timelines = [question.timeline.clone()];
        let scope = Scope {
            as_of: args.question.as_of.is_some().then_some(&question.as_of),
            known_at: Some(listing.position()),
            filter: Some(&question.filter),
        };
        let (title, updated) = (args.title.as_deref(), listing.updated());
        let heading = Heading { title, timelines: &timelines, updated, scope };
        let options = ExportOptions { raw: args.raw };
        let surely = Question { certainty: Certainty::Surely, ..(*question).clone() };
        let mut exporter = annals_formats::exporter(*target, &heading, options, out)?;
        let mut count = 0_u64;
        listing.each(|listed| {
            count += 1;
            if count.is_multiple_of(OFTEN) {
                progress.rate(count, "events");
            }
            let recorded = Recorded {
                first: listed.place,
                seq: listed.seq,
                previous: listed.previous,
                at: listed.recorded_at,
                by: &listed.recorded_by,
            };
            let event = &listed.event;
            let sure = args.question.as_of.is_none() || surely.counts(event);
            let row = Row { timeline: &question.timeline, event, sure, recorded };
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
            let line = stored.line().map_err(io::Error::from);
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

    /// What is told meanwhile: nothing on the terminal that the export itself goes to.
    fn progress(&self, session: &Session) -> Progress {
        match self {
            Self::Terminal { .. } => Progress::none(),
            Self::Stdout(_) | Self::File { .. } | Self::Stream { .. } => Progress::of_work(session),
        }
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
    CliError::system(error).because_of(format!("cannot write {}", path.display()))
}
