//! `annals-bench`: Annals and its peers on the same questions, in the same run.
//!
//! Answers are held against each other before anything is timed. What is printed are medians and ratios; wins and
//! losses stand in one table. It is no test: nothing fails because it was slow.
//!
//! - `workload` makes the events, `answers` is the form in which answers are compared.
//! - `engine` asks Annals, `peer` asks SQLite, in one function a question.
//! - `measures` has one file a measure; `context` gives it files and stores, `timing` the medians.
//! - `report` writes the table, `machine` says what it was measured on.

mod answers;
mod args;
mod child;
mod context;
mod dates;
mod engine;
mod machine;
mod measures;
mod peer;
mod quantity;
mod random;
mod report;
mod timing;
mod workload;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Args, Command};

/// What keeps a benchmark from being run; told as it is.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
/// The result of everything here.
pub type Outcome<T> = Result<T, Failure>;

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.command {
        None => measures::run(&args),
        Some(Command::Memory { task, path, file }) => child::memory(*task, path, file.as_deref(), args.chunk),
        Some(Command::Peer { task, path, words }) => child::peer(*task, path, words),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report::remark(&format!("error: {failure}"));
            ExitCode::FAILURE
        }
    }
}
