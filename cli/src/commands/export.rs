//! `annals export`: writes events for other programs, and says what the target could not carry.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use annals_core::{Log, SledLog, Store, scan};
use annals_formats::{ExportOptions, Format, Heading, Losses, Row, Sheet};
use annals_model::line::record_line;
use annals_model::{Certainty, Question, Seq};
use tempfile::NamedTempFile;

use super::list::listed;
use crate::args::{QuestionArgs, RangeArgs, hinted};
use crate::error::{CliError, CliResult};
use crate::session::Session;
use crate::ui;

/// Write events for other programs
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Without --as-of all events are written. What the target cannot carry is counted on standard error;
with --strict it is an error, and nothing is written.

Examples:
  annals export --to csv -o timeline.csv
  annals export --to markdown --from 2010 --until 2019
  annals export --to jsonl --records > log.jsonl      the whole log, to be imported with its record times"
)]
pub struct Args {
    /// The target: jsonl, json, csv, markdown
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
    let events = listed(&args.question, &question, None, session, &store)?.events;
    // Whoever reads the output may take their time; others need the store.
    drop(store);
    let surely = Question { certainty: Certainty::Surely, ..question.clone() };
    let rows: Vec<Row<'_>> = events
        .iter()
        .map(|known| Row {
            timeline: &question.timeline,
            event: &known.event,
            sure: args.question.as_of.is_none() || surely.counts(&known.event),
        })
        .collect();
    let timelines = [question.timeline.clone()];
    let sheet = Sheet { heading: Heading { title: None, timelines: &timelines }, rows: &rows };
    let options = ExportOptions { raw: args.raw };
    if args.strict {
        refuse_losses(&annals_formats::losses(args.target, &sheet, options)?)?;
    }
    let losses = annals_formats::export(args.target, &sheet, options, output.writer())?;
    output.finish()?;
    for (_, _, loss) in losses.iter() {
        ui::note(session, &loss)?;
    }
    Ok(())
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
}

impl Output {
    fn open(path: Option<&Path>, target: Format) -> CliResult<Self> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            let is_json = matches!(target, Format::Json | Format::Jsonl);
            return Ok(if io::stdout().is_terminal() {
                Self::Terminal { text: Vec::new(), is_json }
            } else {
                Self::Stdout(BufWriter::new(io::stdout().lock()))
            });
        };
        let directory =
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = NamedTempFile::new_in(directory).map_err(|e| cannot_write(path, &e))?;
        Ok(Self::File { writer: BufWriter::new(file), path: path.to_owned() })
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Stdout(out) => out,
            Self::Terminal { text, .. } => text,
            Self::File { writer, .. } => writer,
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
fn make_readable(file: &NamedTempFile) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    let _ = file;
    Ok(())
}

fn cannot_write(path: &Path, error: &io::Error) -> CliError {
    CliError::failed(error.to_string()).because_of(format!("cannot write {}", path.display()))
}
