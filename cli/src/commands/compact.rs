//! `annals compact`: writes the store anew, as small as it can be.

use std::num::NonZeroUsize;

use annals_core::{Compacted, SledLog, Stage, hex};
use serde_json::json;

use crate::error::CliResult;
use crate::session::Session;
use crate::ui::{self, Progress, counted, thousands};

/// More threads than this gain nothing: one hands out what they pack.
const THREADS: usize = 8;

/// Write the store anew, as small as it can be
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Packs all records as tightly as the format allows, into a fresh copy beside the store. The copy
is read again from end to end and held against the log's root; only then does it take the store's
place. Records, roots and answers stay as they are; nothing erased stays in the log's files.

It needs as much room again as the store will have, and can be stopped at any moment: the store is
whole, before or after. Nobody else can use it meanwhile. It pays after large imports, and after
many single appends.

Examples:
  annals compact
  annals compact --format json
  annals import big.jsonl && annals compact"
)]
pub struct Args {}

pub fn run(_: &Args, session: &Session) -> CliResult<()> {
    let path = session.store_path()?;
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(THREADS);
    let threads = NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN);
    let progress = Progress::of_work(session);
    let compacted = SledLog::compact(&path, &session.options(), threads, &mut |stage, done| {
        let doing = match stage {
            Stage::Packing => "records packed",
            Stage::Checking => "records checked",
        };
        progress.rate(done, doing);
    });
    progress.finish();
    tell(session, &compacted?)?;
    // For the questions to come; somebody else may have the store by now, and asks them then.
    session.open().map_or(Ok(()), |store| session.compact_indexes(&store))
}

fn tell(session: &Session, compacted: &Compacted) -> CliResult<()> {
    let Compacted { witness, frames_before, frames, bytes_before, bytes } = *compacted;
    if !session.is_for_people() {
        let answer = json!({
            "schema": "annals/compact/1", "records": witness.count, "log_root": hex(&witness.root),
            "before": { "bytes": bytes_before, "frames": frames_before },
            "after": { "bytes": bytes, "frames": frames },
        });
        return ui::print_json(session, &answer);
    }
    let records = counted(witness.count, "record");
    ui::print_line(&format!(
        "{} bytes before, {} after: {records} in {}, which were {}",
        thousands(bytes_before),
        thousands(bytes),
        counted(frames, "frame"),
        thousands(frames_before),
    ))
}
