#[derive(Debug, clap::Args)]
pub struct Args {}
pub fn run(_: &Args, _: &crate::session::Session) -> crate::error::CliResult<()> {
    Ok(())
}
