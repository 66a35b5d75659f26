//! `annals completions`: completions for a shell, from the same definitions as the help.

use std::io::Write as _;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Cli;
use crate::error::CliResult;

/// Print the completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:
  annals completions bash > ~/.local/share/bash-completion/completions/annals")]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub fn run(args: &Args) -> CliResult<()> {
    // Through a buffer: the generator panics where the output is closed.
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "annals", &mut text);
    Ok(std::io::stdout().lock().write_all(&text)?)
}
