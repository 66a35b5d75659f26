//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Measure Annals against SQLite on the same questions
#[derive(Debug, Parser)]
#[command(
    after_help = "Example: cargo run --release -p annals-bench -- --events 10000,1000000 --write BENCHMARKS.md"
)]
pub struct Args {
    /// How many lines the workload has; several sizes stand side by side
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "10000")]
    pub events: Vec<u64>,
    /// How large the traps are [default: a tenth of the events, at most 100,000]
    #[arg(long, value_name = "N")]
    pub trap: Option<u64>,
    /// Only the measures whose name begins with one of these
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub only: Vec<String>,
    /// How many lines an import commits at once
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub chunk: usize,
    /// How many times a side is measured; the median counts
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub runs: usize,
    /// After how many seconds a measure is not repeated any more
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub seconds: u64,
    /// Where files and stores are put
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    pub dir: PathBuf,
    /// Write the report to a file, too
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the program runs itself for: a process of its own, with a memory of its own and nothing warm.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Do one thing and print the largest memory that the process had
    #[command(hide = true)]
    Memory { task: MemoryTask, path: PathBuf, file: Option<PathBuf> },
    /// Be the peer of one command
    #[command(hide = true)]
    Peer { task: PeerTask, path: PathBuf, words: Vec<String> },
}

/// What is done for its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MemoryTask {
    /// Import a file into a new Annals store, in chunks.
    ImportAnnals,
    /// Import a file into a new Annals store, as one batch.
    BatchAnnals,
    /// Import a file into a new database, in chunks.
    ImportSqlite,
    /// Import a file into a new database, as one transaction.
    BatchSqlite,
    /// Ask Annals for the whole state.
    StateAnnals,
    /// Ask SQLite for the whole state.
    StateSqlite,
    /// Ask Annals for the events of a month.
    ListAnnals,
    /// Ask SQLite for the events of a month.
    ListSqlite,
    /// Ask Annals what changed from one day to the next.
    DiffAnnals,
    /// Ask Annals for the whole state of the events of one kind, an eighth of all.
    KindAnnals,
}

impl MemoryTask {
    /// Whether it imports a file into something new.
    pub const fn imports(self) -> bool {
        matches!(self, Self::ImportAnnals | Self::ImportSqlite | Self::BatchAnnals | Self::BatchSqlite)
    }
}

/// What a command's peer does.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PeerTask {
    /// The state of one entity, or of all: an entity where one is meant, and a date.
    Replay,
    /// The events in a range: FROM TO.
    List,
    /// Append a line.
    Append,
}
