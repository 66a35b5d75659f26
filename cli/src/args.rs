//! The command line, as clap reads it: what all commands share, and the list of them.

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use annals_model::{AsOf, Certainty, Filter, Invalid, KnownAt, Question, TimelineName};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands;
use crate::error::{CliError, CliResult};
use crate::session::Session;

/// Keep a timeline: append dated, sourced events; ask what was true as of a date, and as known at a moment.
#[derive(Debug, Parser)]
#[command(name = "annals", version, max_term_width = 100, arg_required_else_help = true)]
#[command(
    after_help = "Every command takes --store PATH, --timeline NAME, --format text|json|jsonl, --color WHEN, --lock-wait S, -q, -v.
Start with `annals demo`. Every command explains itself: `annals COMMAND --help`."
)]
pub struct Cli {
    /// What all commands share.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What all commands share.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// The store, or a directory with one [default: the nearest .annals/ from here upwards]
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "ANNALS_STORE",
        hide_env_values = true,
        hide_short_help = true,
        help_heading = "Global options"
    )]
    pub store: Option<PathBuf>,
    /// The timeline
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "ANNALS_TIMELINE",
        hide_env_values = true,
        hide_short_help = true,
        default_value = "main",
        value_parser = hinted::<TimelineName>,
        help_heading = "Global options"
    )]
    pub timeline: TimelineName,
    /// What results look like: for people, or for programs
    #[arg(
        long,
        global = true,
        value_name = "F",
        value_enum,
        hide_short_help = true,
        default_value = "text",
        help_heading = "Global options"
    )]
    pub format: OutputFormat,
    /// When to use colour
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        hide_short_help = true,
        default_value = "auto",
        help_heading = "Global options"
    )]
    pub color: Color,
    /// How many seconds to wait while another process has the store
    #[arg(
        long,
        global = true,
        value_name = "S",
        default_value_t = 10,
        hide_short_help = true,
        help_heading = "Global options"
    )]
    pub lock_wait: u64,
    /// Say less on standard error
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        hide_short_help = true,
        help_heading = "Global options"
    )]
    pub quiet: bool,
    /// Say more on standard error
    #[arg(short, long, global = true, hide_short_help = true, help_heading = "Global options")]
    pub verbose: bool,
}

/// What results look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Tables and sentences
    Text,
    /// One JSON document
    Json,
    /// One JSON object a line
    Jsonl,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a store
    Init(commands::init::Args),
    /// Make a store with the Haiti timeline and walk through it
    Demo(commands::demo::Args),
    /// Append an event, or many from a file
    Append(Box<commands::append::Args>),
    /// Correct an event
    Revise(Box<commands::revise::Args>),
    /// Withdraw an event
    Retract(commands::retract::Args),
    /// Erase the content of an event for good
    Redact(commands::redact::Args),
    /// Show records in the order in which they were recorded
    Log(commands::log::Args),
    /// Show events in the order of their dates
    List(commands::list::Args),
    /// Show one event with its whole history
    Show(commands::show::Args),
    /// Show the state as of a date, as known at a moment
    Replay(commands::replay::Args),
    /// Show what changed between two dates, or in what is known, and by which events
    Diff(commands::diff::Args),
    /// Show every value that an entity or attribute had
    History(commands::history::Args),
    /// Show why an attribute has its value
    Why(commands::why::Args),
    /// Show what contradicts itself: contested values, clashes, duplicates, doubtful dates
    Conflicts(commands::conflicts::Args),
    /// Keep answers by name, with receipts that say whether they still are the answers
    Snapshot(commands::snapshot::Args),
    /// Explain a date
    Date(commands::date::Args),
    /// Follow new records as they are recorded
    Watch(commands::watch::Args),
    /// Read events from a file of another program
    Import(commands::import::Args),
    /// Write events for other programs
    Export(commands::export::Args),
    /// Check the whole store against itself, or against what others hold
    Verify(commands::verify::Args),
    /// Write the store anew, as small as it can be
    Compact(commands::compact::Args),
    /// Sign what the log holds, so that others can hold it to that
    Attest(Box<commands::attest::Args>),
    /// Write a proof that an event is in the log, or that the log has only grown
    Prove(commands::prove::Args),
    /// Copy the store to a directory elsewhere, or bring the copy there up to date
    Backup(commands::backup::Args),
    /// Make a store of a backup
    Restore(commands::restore::Args),
    /// List the evidence files that the store keeps, take one out, or put one in
    Attachment(commands::attachment::Args),
    /// Show what the store holds
    Stats(commands::stats::Args),
    /// Print the completions for a shell
    Completions(commands::completions::Args),
    /// Print the manual page
    Man(commands::man::Args),
}

/// Which events count, and when.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Question")]
pub struct QuestionArgs {
    /// What had happened by then: any date, whose end counts [default: today]
    #[arg(long, value_name = "D", allow_hyphen_values = true)]
    pub as_of: Option<String>,
    /// What the log held then: a date, an instant, or a position @17 [default: all of it]
    #[arg(long, value_name = "K", allow_hyphen_values = true)]
    pub known_at: Option<String>,
    /// Whether an event must surely or only possibly have happened [default: surely]
    #[arg(long, value_name = "C", value_parser = hinted::<Certainty>)]
    pub certainty: Option<Certainty>,
    /// Which events count.
    #[command(flatten)]
    pub filter: FilterArgs,
}

/// Which events count.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Filters")]
pub struct FilterArgs {
    /// Events of this kind
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// Events with this actor, or part of the name
    #[arg(long, value_name = "NAME")]
    actor: Vec<String>,
    /// Events at this place, or part of the name
    #[arg(long, value_name = "NAME")]
    place: Vec<String>,
    /// Events with this tag
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Events that change this entity
    #[arg(long, value_name = "ENTITY")]
    entity: Vec<String>,
    /// Events whose title, description or quotes hold this
    #[arg(long, value_name = "TEXT")]
    text: Vec<String>,
    /// Events with this source: part of its title or address
    #[arg(long, value_name = "TEXT")]
    source: Vec<String>,
}

/// Between which dates; `export`, whose `--to` names the target, has its own.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Filters")]
pub struct RangeArgs {
    /// Events that may have ended then or later
    #[arg(long, value_name = "D", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// Events that may have begun then or earlier
    #[arg(long, value_name = "D", allow_hyphen_values = true, visible_alias = "until")]
    pub to: Option<String>,
}

impl QuestionArgs {
    /// The question that is asked of the session's timeline.
    pub fn question(&self, session: &Session, range: &RangeArgs) -> CliResult<Question> {
        let as_of = match &self.as_of {
            Some(text) => session.as_of("--as-of", text)?,
            None => AsOf::day(session.today())?,
        };
        Ok(Question {
            timeline: session.timeline().clone(),
            as_of,
            known_at: self.known_at(session)?,
            certainty: self.certainty.unwrap_or_default(),
            filter: self.filter.filter(session, range)?,
            entities: Vec::new(),
        })
    }

    /// How sure it must be that an event falls between `--from` and `--to`: lists leave nothing out that may.
    pub fn range_certainty(&self) -> Certainty {
        self.certainty.unwrap_or(Certainty::Possibly)
    }

    /// The point on the record axis.
    pub fn known_at(&self, session: &Session) -> CliResult<KnownAt> {
        let Some(text) = &self.known_at else { return Ok(KnownAt::Everything) };
        KnownAt::parse(text, session.today()).map_err(|e| CliError::argument("--known-at", &e))
    }
}

impl FilterArgs {
    /// The filter: by what an event says, and between which dates.
    pub fn filter(&self, session: &Session, range: &RangeArgs) -> CliResult<Filter> {
        let Self { kind, actor, place, tag, entity, text, source } = self.clone();
        let date = |flag: &str, text: &Option<String>| {
            text.as_ref().map(|text| session.date(flag, text)).transpose()
        };
        let (from, to) = (date("--from", &range.from)?, date("--to", &range.to)?);
        Ok(Filter { kind, actor, place, tag, entity, text, source, from, to })
    }
}

/// Stands between a message and its hint while both are in clap's hands.
pub const HINT: &str = "\u{2063}";

/// Prints the help or the version that was asked for.
pub fn print_help(asked: &clap::Error) -> ExitCode {
    match asked.print() {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

/// Reads a flag's value; its hint goes with the message, since clap knows of none.
pub fn hinted<T: FromStr<Err = Invalid>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|invalid: Invalid| match invalid.hint() {
        Some(hint) => format!("{invalid}{HINT}{hint}"),
        None => invalid.to_string(),
    })
}

/// Splits `NAME=VALUE`.
pub fn split_pair<'a>(flag: &str, text: &'a str, what: &str) -> CliResult<(&'a str, &'a str)> {
    text.split_once('=').ok_or_else(|| {
        CliError::argument(
            flag,
            &Invalid::new(format!("`{text}` has no `=`")).with_hint(format!("as in {flag} {what}")),
        )
    })
}
