//! One command, one file.

pub mod append;
pub mod attachment;
pub mod attest;
pub mod backup;
pub mod compact;
pub mod completions;
pub mod conflicts;
pub mod date;
pub mod demo;
pub mod diff;
pub mod export;
pub mod history;
pub mod import;
pub mod init;
pub mod list;
pub mod log;
pub mod man;
pub mod prove;
pub mod redact;
pub mod replay;
pub mod restore;
pub mod retract;
pub mod revise;
pub mod show;
pub mod snapshot;
pub mod stats;
pub mod verify;
pub mod watch;
pub mod why;

mod checked;
mod checking;
mod erased;
mod evidence;
mod flags;
mod relative;
mod writing;

use std::process::ExitCode;

use crate::args::Command;
use crate::error::CliResult;
use crate::session::Session;

/// Runs a command.
pub fn run(command: Command, session: &Session) -> CliResult<ExitCode> {
    match command {
        Command::Init(args) => init::run(&args, session)?,
        Command::Demo(args) => demo::run(&args, session)?,
        Command::Append(args) => append::run(&args, session)?,
        Command::Revise(args) => revise::run(&args, session)?,
        Command::Retract(args) => retract::run(&args, session)?,
        Command::Redact(args) => redact::run(&args, session)?,
        Command::Log(args) => log::run(&args, session)?,
        Command::List(args) => list::run(&args, session)?,
        Command::Show(args) => show::run(&args, session)?,
        Command::Replay(args) => return replay::run(&args, session),
        Command::Diff(args) => return diff::run(&args, session),
        Command::Snapshot(args) => return snapshot::run(&args, session),
        Command::Conflicts(args) => return conflicts::run(&args, session),
        Command::History(args) => history::run(&args, session)?,
        Command::Why(args) => why::run(&args, session)?,
        Command::Date(args) => date::run(&args, session)?,
        Command::Watch(args) => watch::run(&args, session)?,
        Command::Import(args) => import::run(&args, session)?,
        Command::Export(args) => export::run(&args, session)?,
        Command::Verify(args) => verify::run(&args, session)?,
        Command::Attest(args) => attest::run(&args, session)?,
        Command::Prove(args) => prove::run(&args, session)?,
        Command::Backup(args) => backup::run(&args, session)?,
        Command::Restore(args) => restore::run(&args, session)?,
        Command::Attachment(args) => attachment::run(&args, session)?,
        Command::Compact(args) => compact::run(&args, session)?,
        Command::Stats(args) => stats::run(&args, session)?,
        Command::Completions(args) => completions::run(&args)?,
        Command::Man(args) => man::run(&args)?,
    }
    Ok(ExitCode::SUCCESS)
}
