//! `annals`: the command line of the timeline event-sourcing engine.
//!
//! `main` is the recipe: read the arguments, run the command, say what went wrong. Each command is a file in
//! `commands`, what they print goes through `ui`, and what they share about the store is in `session`.

mod args;
mod commands;
mod error;
mod files;
mod hints;
mod host;
mod session;
mod ui;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::error::CliError;
use crate::session::Session;

fn main() -> ExitCode {
    host::quiet_expected_panics();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(asked) if !asked.use_stderr() => return args::print_help(&asked),
        Err(refused) => return report(&CliError::from(refused)),
    };
    ui::set_color(cli.global.color);
    match Session::new(cli.global).and_then(|session| commands::run(cli.command, &session)) {
        Ok(code) => code,
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}

/// Says what went wrong and what to do next, and picks the exit code.
fn report(error: &CliError) -> ExitCode {
    // Where even the error cannot be told, the exit code still can.
    let _ = ui::print_error(error);
    error.exit_code()
}
