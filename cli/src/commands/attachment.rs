//! `annals attachment`: the evidence files that the store keeps.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use annals_core::{Attachments, SledLog, Store};
use serde_json::json;
use tempfile::NamedTempFile;

use crate::error::{CliError, CliResult};
use crate::files;
use crate::session::Session;
use crate::ui::{self, Table, safe, thousands};

/// Digits of a hash that name a file, where no other begins with them.
const LEAST: usize = 8;

/// List the evidence files that the store keeps, take one out, or put one in
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "`annals append --attach FILE` keeps a file as the copy of a source: once, by the SHA-256 of its
content, which the event's source holds and the log vouches for. `verify` checks the files,
`backup` copies them.

Examples:
  annals append --title \"The report\" --source https://example.org/report --attach report.pdf
  annals attachment list
  annals attachment get 5d8bcead -o report.pdf"
)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the files, and which records name them
    List,
    /// Write a file out
    Get {
        /// Its SHA-256, or the beginning of it
        hash: String,
        /// Where to [default: standard output]
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Keep files that events of this store name by their hash, or are to name (a redaction removes unnamed ones)
    Add {
        /// The files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Remove a file that no event names
    Rm {
        /// Its SHA-256, or the beginning of it
        hash: String,
    },
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    let store = session.open()?;
    match &args.action {
        Action::List => list(session, &store),
        Action::Get { hash, output } => {
            let attachments = store.log().attachments();
            let name = find(&attachments, hash)?;
            let file = attachments.open(&name)?.ok_or_else(|| none(hash))?;
            // Copying may take its time, and others need the store.
            drop(store);
            get(&name, file, output.as_deref())
        }
        Action::Add { files } => files.iter().try_for_each(|file| add(session, &store, file)),
        Action::Rm { hash } => remove(session, &store, hash),
    }
}

/// Every file that is there or named: its length if it is there, and what names it.
type Listed = BTreeMap<String, (Option<u64>, Vec<Naming>)>;

/// A record that names a file, its timeline, and the name there.
type Naming = (u64, String, String);

fn listed(store: &Store<SledLog>) -> CliResult<Listed> {
    let attachments = store.log().attachments();
    let mut listed = Listed::new();
    for name in attachments.names()? {
        let bytes = attachments.bytes(&name)?;
        listed.insert(name, (bytes, Vec::new()));
    }
    Attachments::each_named(store.log(), |seq, timeline, sha256, name| {
        let (_, named) = listed.entry(sha256.to_owned()).or_default();
        named.push((seq.0, timeline.to_string(), name.to_owned()));
        Ok(())
    })?;
    Ok(listed)
}

fn list(session: &Session, store: &Store<SledLog>) -> CliResult<()> {
    let listed = listed(store)?;
    if !session.is_for_people() {
        let by = |(seq, timeline, name): &Naming| json!({ "seq": seq, "timeline": timeline, "name": name });
        let mut entries = Vec::with_capacity(listed.len());
        for (sha256, (bytes, named)) in &listed {
            let named: Vec<_> = named.iter().map(by).collect();
            entries.push(json!({ "sha256": sha256, "bytes": bytes, "named_by": named }));
        }
        return ui::print_json(session, &json!({ "schema": "annals/attachments/1", "attachments": entries }));
    }
    if listed.is_empty() {
        return ui::note(session, "no attachments; `annals append --attach FILE` keeps one");
    }
    let mut table = Table::new(&["SHA-256", "BYTES", "NAME", "RECORDS"]);
    for (sha256, (bytes, named)) in &listed {
        let bytes = bytes.map_or_else(|| "missing".to_owned(), thousands);
        let name = named.last().map_or("named by no event", |(_, _, name)| name);
        let mut seqs: Vec<String> = named.iter().map(|(seq, ..)| format!("@{seq}")).collect();
        seqs.dedup();
        table.row([sha256.as_str(), bytes.as_str(), name, seqs.join(", ").as_str()]);
    }
    let mut out = ui::out();
    write!(out, "{table}")?;
    Ok(out.flush()?)
}

/// The whole name of the one that a beginning names.
fn find(attachments: &Attachments, hash: &str) -> CliResult<String> {
    let hash = hash.to_ascii_lowercase();
    if hash.len() < LEAST {
        return Err(CliError::usage(format!("`{}` is too short to name an attachment", safe(&hash)))
            .with_hint(format!("give {LEAST} digits of its SHA-256 or more")));
    }
    let mut names = attachments.names()?.into_iter().filter(|name| name.starts_with(&hash));
    match (names.next(), names.next()) {
        (Some(name), None) => Ok(name),
        (None, _) => Err(none(&hash)),
        (Some(_), Some(_)) => Err(CliError::failed(format!("several attachments begin with {hash}"))
            .with_hint("give more of its digits")),
    }
}

fn none(hash: &str) -> CliError {
    CliError::failed(format!("there is no attachment {}", safe(hash)))
        .with_hint("`annals attachment list` shows them")
}

/// Gives the file, if it is what was attached: nothing of it is written before that is known.
fn get(name: &str, file: File, output: Option<&Path>) -> CliResult<()> {
    let failed = |what: &Path, e: io::Error| files::cannot("write", what, &e);
    let Some(path) = output.filter(|path| *path != Path::new("-")) else {
        let directory = std::env::temp_dir();
        let whole = checked(name, file, &directory, |e| failed(&directory, e))?;
        let mut out = io::stdout().lock();
        io::copy(&mut whole.reopen()?, &mut out)?;
        return Ok(out.flush()?);
    };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let whole = checked(name, file, directory, |e| failed(path, e))?;
    whole.persist(path).map_err(|e| failed(path, e.error))?;
    Ok(())
}

/// A copy whose hash is the name.
fn checked(
    name: &str,
    mut file: File,
    directory: &Path,
    failed: impl Fn(io::Error) -> CliError,
) -> CliResult<NamedTempFile> {
    let mut whole = NamedTempFile::new_in(directory).map_err(&failed)?;
    io::copy(&mut file, &mut whole).map_err(&failed)?;
    if Attachments::hash(whole.path())?.0 == name {
        return Ok(whole);
    }
    Err(CliError::damaged(format!("the attachment {name} is not what was attached"))
        .with_hint("`annals restore` takes it from a backup, `annals attachment add FILE` from the original"))
}

fn add(session: &Session, store: &Store<SledLog>, path: &Path) -> CliResult<()> {
    let failed =
        |e: io::Error| CliError::failed(e.to_string()).because_of(format!("cannot read {}", path.display()));
    let mut file = File::open(path).map_err(failed)?;
    let added = store.log().attachments().add(&mut file)?;
    let outcome = if added.is_known { "already kept" } else { "kept" };
    if session.is_for_people() {
        return ui::print_line(&format!("{outcome} {} as {}", path.display(), added.sha256));
    }
    ui::print_json_line(&json!({ "outcome": outcome, "sha256": added.sha256, "bytes": added.bytes }))
}

fn remove(session: &Session, store: &Store<SledLog>, hash: &str) -> CliResult<()> {
    let attachments = store.log().attachments();
    let name = find(&attachments, hash)?;
    let listed = listed(store)?;
    if let Some((seq, ..)) = listed.get(&name).and_then(|(_, named)| named.first()) {
        return Err(CliError::failed(format!("record {seq} names the attachment {name}")).with_hint(
            "what was recorded is kept; `annals redact` erases an event together with its attachments",
        ));
    }
    attachments.remove(&name)?;
    if session.is_for_people() {
        return ui::print_line(&format!("removed {name}"));
    }
    ui::print_json_line(&json!({ "outcome": "removed", "sha256": name }))
}
