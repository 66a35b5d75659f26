//! `annals prove`: writes a proof that an event is in the log, or that the log has only grown.

use std::path::PathBuf;

use annals_core::proof::Tree;
use annals_core::proof::checkpoint::Checkpoint;
use annals_core::proof::document::{Consistency, Included, Inclusion, Proof, SCHEMA, State};
use annals_core::proof::line;
use annals_core::{Hash, SledLog, Store, StoredRecord, hex};
use annals_model::EventId;

use super::attest;
use crate::error::{CliError, CliResult};
use crate::files;
use crate::hints;
use crate::session::Session;
use crate::ui::{self, counted};

/// Write a proof that an event is in the log, or that the log has only grown
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "A proof is a JSON file (annals/proof/1) that is checked with `annals verify --proof FILE`, without
the store. That of an event has all its records as they are exported, with their salts.

Examples:
  annals prove cholera-2010 -o proof.json
  annals prove cholera-2010 --at-checkpoint checkpoint.txt -o proof.json
  annals prove --from january.txt --to june.txt -o grown.json
  annals verify --proof proof.json --checkpoint checkpoint.txt --public-key desk.pub"
)]
pub struct Args {
    /// The event
    #[arg(conflicts_with = "from")]
    id: Option<EventId>,
    /// Prove it to whoever has this checkpoint [default: of the log as it is]
    #[arg(long, value_name = "FILE", requires = "id")]
    at_checkpoint: Option<PathBuf>,
    /// Prove that the log still begins with all that this checkpoint has seen
    #[arg(long, value_name = "CHECKPOINT")]
    from: Option<PathBuf>,
    /// … at this later checkpoint [default: of the log as it is]
    #[arg(long, value_name = "CHECKPOINT", requires = "from")]
    to: Option<PathBuf>,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    let named = |path: &Option<PathBuf>| path.as_deref().map(files::checkpoint).transpose();
    let (at, from, to) = (named(&args.at_checkpoint)?, named(&args.from)?, named(&args.to)?);
    let store = session.open()?;
    let proof = match (&args.id, &from) {
        (Some(id), _) => inclusion(session, &store, id, at.as_ref())?,
        (None, Some(from)) => consistency(&store, from, to.as_ref())?,
        (None, None) => {
            return Err(CliError::usage("what is to be proved is missing: an event, or --from CHECKPOINT")
                .with_hint("`annals list` shows the ids of events"));
        }
    };
    drop(store);
    check(&proof)?;
    match files::output(args.output.as_deref()) {
        None => ui::print_json(session, &proof),
        Some(path) => {
            let mut json = serde_json::to_vec_pretty(&proof)?;
            json.push(b'\n');
            files::replace(path, &json)?;
            ui::note(session, &format!("{}: {}", path.display(), told(&proof)))
        }
    }
}

fn inclusion(
    session: &Session,
    store: &Store<SledLog>,
    id: &EventId,
    at: Option<&Checkpoint>,
) -> CliResult<Proof> {
    let history = store.history(session.timeline(), id).map_err(|e| hints::explain(store, e))?;
    session.remark(store)?;
    let mut tree = Tree::of(store.log())?;
    if let Some(at) = at {
        attest::require(store, at, "the checkpoint")?;
    }
    let size = at.map_or(tree.size(), Checkpoint::size);
    let seen: Vec<&StoredRecord> = history.iter().filter(|stored| stored.record.seq.0 <= size).collect();
    if seen.is_empty() {
        let first = history.first().map_or(0, |stored| stored.record.seq.0);
        let late = format!("{id} was first recorded as record {first}, the checkpoint is of {size}");
        return Err(CliError::failed(late).with_hint("take a later checkpoint"));
    }
    let later = (history.len() - seen.len()) as u64;
    if later > 0 {
        let note = format!("{} of {id} came after the checkpoint", counted(later, "record"));
        ui::note(session, &note)?;
    }
    let root = hex(&tree.root(size)?);
    let records = seen.into_iter().map(|stored| included(&mut tree, stored, size));
    let records = records.collect::<CliResult<Vec<_>>>()?;
    let checkpoint = at.map(ToString::to_string);
    Ok(Proof::Inclusion(Inclusion { schema: SCHEMA.to_owned(), tree_size: size, root, records, checkpoint }))
}

/// A record with the way from its leaf to the root.
pub fn included(tree: &mut Tree<'_, SledLog>, stored: &StoredRecord, size: u64) -> CliResult<Included> {
    let seq = stored.record.seq;
    let path = tree.inclusion(seq, size)?;
    Ok(Included { leaf_index: seq.0 - 1, line: line::of(stored)?, path: digits(&path) })
}

fn consistency(store: &Store<SledLog>, from: &Checkpoint, to: Option<&Checkpoint>) -> CliResult<Proof> {
    let mut tree = Tree::of(store.log())?;
    attest::require(store, from, "the earlier checkpoint")?;
    if let Some(to) = to {
        attest::require(store, to, "the later checkpoint")?;
    }
    let size = to.map_or(tree.size(), Checkpoint::size);
    if size < from.size() {
        let wrong = format!("--from is of {} records, --to of {size}", from.size());
        return Err(CliError::failed(wrong).with_hint("the earlier one is --from"));
    }
    let mut state = |size: u64, checkpoint: Option<&Checkpoint>| -> CliResult<State> {
        let root = hex(&tree.root(size)?);
        Ok(State { tree_size: size, root, checkpoint: checkpoint.map(ToString::to_string) })
    };
    let (earlier, later) = (state(from.size(), Some(from))?, state(size, to)?);
    let path = digits(&tree.consistency(from.size(), size)?);
    Ok(Proof::Consistency(Consistency { schema: SCHEMA.to_owned(), from: earlier, to: later, path }))
}

fn digits(path: &[Hash]) -> Vec<String> {
    path.iter().map(|hash| hex(hash)).collect()
}

/// A proof is checked as its reader will check it before it is given away.
pub fn check(proof: &Proof) -> CliResult<()> {
    proof.check().map(drop).map_err(|refusal| {
        CliError::damaged(refusal.to_string()).because_of("the log gives no proof that holds").with_hint(
            "`annals verify` checks the whole log; if it finds no damage, this is a fault of Annals: report it",
        )
    })
}

/// What was proved, in a line.
fn told(proof: &Proof) -> String {
    match proof {
        Proof::Inclusion(Inclusion { records, tree_size, .. }) => {
            format!("{} in a log of {tree_size}", counted(records.len() as u64, "record"))
        }
        Proof::Consistency(Consistency { from, to, .. }) => {
            format!("a log of {} records grew to {}", from.tree_size, to.tree_size)
        }
    }
}
