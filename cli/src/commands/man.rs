//! `annals man`: the manual page, from the same definitions as the help.

use std::io::Write as _;

use clap::CommandFactory;

use crate::args::Cli;
use crate::error::{CliError, CliResult};

/// Print the manual page
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  annals man > annals.1 && man -l annals.1
  annals man append > annals-append.1")]
pub struct Args {
    /// The command that the page is about [default: the whole program]
    command: Option<String>,
}

pub fn run(args: &Args) -> CliResult<()> {
    let mut program = Cli::command();
    program.build();
    let page = match &args.command {
        None => program,
        Some(name) => program.find_subcommand(name).cloned().ok_or_else(|| {
            CliError::usage(format!("there is no command {name}"))
                .with_hint("`annals help` lists the commands")
        })?,
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text)?;
    Ok(std::io::stdout().lock().write_all(&text)?)
}
