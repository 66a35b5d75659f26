//! `annals export --to evidence`: chosen events as a folder that anybody can check without Annals.
//!
//! The folder has the records, the way from each to the root of the log, the checkpoint that states this root, the files
//! that the events name, a page for people and a script in plain Python that checks everything. It appears whole or not at all, and has no
//! clock in it: the same log, question and key give the same bytes.

mod attached;
mod cover;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use annals_core::proof::checkpoint::Checkpoint;
use annals_core::proof::document::{Included, Inclusion, Proof, SCHEMA};
use annals_core::proof::note::SigningKey;
use annals_core::proof::{Refusal, Step, Tree};
use annals_core::{SledLog, Store, StoredRecord, hex};
use annals_model::{EventId, KnownAt, Question, Seq, Source};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use self::attached::Kept;
use super::{attest, prove};
use crate::error::{CliError, CliResult};
use crate::files::{self, cannot, refused};
use crate::session::Session;
use crate::ui::{self, counted};

const EVENTS: &str = "events.jsonl";
const PROOFS: &str = "proofs.json";
const CHECKPOINT: &str = "checkpoint.txt";
const TOKEN: &str = "checkpoint.txt.tsr";
const PUBLIC_KEY: &str = "public-key.txt";
const ATTACHMENTS: &str = "attachments.jsonl";
const COVER: &str = "README.html";
const SCRIPT: &str = "verify.py";
const SUMS: &str = "SHA256SUMS";
/// The name of the form of the proofs.
const FORM: &str = "annals/evidence/1";
/// What an unsigned checkpoint calls the log.
const NAMELESS: &str = "annals/unsigned";
/// Bytes that a file of the evidence may have.
const MOST: u64 = 1 << 30;

/// The ways of all records in `events.jsonl`, in their order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listing {
    schema: String,
    tree_size: u64,
    root: String,
    paths: Vec<Way>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Way {
    leaf_index: u64,
    path: Vec<String>,
}

/// A file that a source names by its hash.
#[derive(Debug, Serialize)]
struct Attachment<'a> {
    sha256: &'a str,
    seq: Seq,
    id: &'a EventId,
    title: Option<&'a str>,
    url: Option<&'a str>,
}

/// The checkpoint of evidence, and who vouches for it.
#[derive(Debug)]
pub struct Vouched {
    checkpoint: Checkpoint,
    key: Option<SigningKey>,
    /// The token of a time-stamping authority that lay beside it.
    token: Option<Vec<u8>>,
}

impl Vouched {
    /// The checkpoint that was given, if the log contains all of it, or one of the log at a moment.
    pub fn read(
        store: &Store<SledLog>,
        key: Option<&Path>,
        at: Option<&Path>,
        known_at: KnownAt,
    ) -> CliResult<Self> {
        if let Some(path) = at {
            let checkpoint = files::checkpoint(path)?;
            attest::require(store, &checkpoint, &files::shown(path))?;
            let token = Some(files::token_of(path)).filter(|token| token.exists());
            let token = token.map(|token| files::read_small(&token)).transpose()?;
            return Ok(Self { checkpoint, key: None, token });
        }
        let key = key.map(files::signing_key).transpose()?;
        let origin = key.as_ref().map_or(NAMELESS, |key| key.public().name());
        let mut checkpoint = attest::of_log(store, origin, known_at)?;
        if let Some(key) = &key {
            checkpoint.sign(key);
        }
        Ok(Self { checkpoint, key, token: None })
    }

    /// What the log held then is what the evidence is made of.
    pub const fn known_at(&self) -> KnownAt {
        KnownAt::Position(Seq(self.checkpoint.size()))
    }
}

/// Writes the evidence of these events: all the records that the log had of them at the checkpoint.
pub fn write(
    session: &Session,
    store: &Store<SledLog>,
    question: &Question,
    chosen: &[EventId],
    vouched: &Vouched,
    with_files: bool,
    directory: &Path,
) -> CliResult<()> {
    if directory.symlink_metadata().is_ok() {
        let there = format!("{} is there already", directory.display());
        return Err(CliError::failed(there).with_hint("evidence is written to a new folder: name another"));
    }
    if chosen.is_empty() {
        return Err(
            CliError::failed("no event is chosen").with_hint("`annals list` shows what the filters give")
        );
    }
    let size = Seq(vouched.checkpoint.size());
    let records = records(store, question, chosen, size)?;
    let proof = proof(store, &records, &vouched.checkpoint)?;
    prove::check(&Proof::Inclusion(proof.clone()))?;
    let attachments = store.log().attachments();
    let mut kept = if with_files { attached::kept(&attachments, &records)? } else { Kept::new() };
    let files = contents(&records, proof, vouched, question, &kept)?;
    place(directory, &files, &mut kept)?;
    let (records, events) = (counted(records.len() as u64, "record"), counted(chosen.len() as u64, "event"));
    let also = match kept.len() as u64 {
        0 => String::new(),
        count => format!(", with {}", counted(count, "attachment")),
    };
    ui::note(session, &format!("{}: {records} of {events}, in a log of {size}{also}", directory.display()))?;
    if vouched.checkpoint.note().signatures().is_empty() {
        ui::note(session, "the checkpoint is not signed: --key FILE signs it")?;
    }
    Ok(())
}

/// All records of the events, in record order.
fn records(
    store: &Store<SledLog>,
    question: &Question,
    chosen: &[EventId],
    size: Seq,
) -> CliResult<Vec<StoredRecord>> {
    let mut records = Vec::new();
    for id in chosen {
        let history = store.history(&question.timeline, id)?;
        records.extend(history.into_iter().filter(|stored| stored.record.seq <= size));
    }
    records.sort_by_key(|stored| stored.record.seq);
    Ok(records)
}

fn proof(store: &Store<SledLog>, records: &[StoredRecord], checkpoint: &Checkpoint) -> CliResult<Inclusion> {
    let mut tree = Tree::of(store.log())?;
    let tree_size = checkpoint.size();
    let records = records.iter().map(|stored| prove::included(&mut tree, stored, tree_size));
    let records = records.collect::<CliResult<_>>()?;
    let (root, checkpoint) = (hex(&tree.root(tree_size)?), Some(checkpoint.to_string()));
    Ok(Inclusion { schema: SCHEMA.to_owned(), tree_size, root, records, checkpoint })
}

/// Every file with its name.
type Files = Vec<(&'static str, Vec<u8>)>;

fn contents(
    records: &[StoredRecord],
    proof: Inclusion,
    vouched: &Vouched,
    question: &Question,
    kept: &Kept,
) -> CliResult<Files> {
    let mut lines = String::new();
    let mut paths = Vec::with_capacity(records.len());
    for Included { leaf_index, line, path } in proof.records {
        lines.push_str(&line);
        lines.push('\n');
        paths.push(Way { leaf_index, path });
    }
    let paths = Listing { schema: FORM.to_owned(), tree_size: proof.tree_size, root: proof.root, paths };
    let mut json = serde_json::to_vec_pretty(&paths)?;
    json.push(b'\n');
    let Vouched { checkpoint, key, token } = vouched;
    let public = key.as_ref().map(|key| key.public().to_string());
    let mut files: Files = vec![
        (COVER, cover::page(records, checkpoint, public.as_deref(), question, kept).into_bytes()),
        (ATTACHMENTS, attachments(records)?.into_bytes()),
        (CHECKPOINT, checkpoint.to_string().into_bytes()),
        (EVENTS, lines.into_bytes()),
        (PROOFS, json),
        (SCRIPT, include_bytes!("verify.py").to_vec()),
    ];
    files.extend(token.clone().map(|token| (TOKEN, token)));
    files.extend(public.map(|public| (PUBLIC_KEY, format!("{public}\n").into_bytes())));
    files.sort_by_key(|(name, _)| *name);
    let sums = files.iter().map(|(name, content)| {
        let hash: [u8; 32] = Sha256::digest(content).into();
        format!("{}  {name}\n", hex(&hash))
    });
    let along = kept.keys().map(|sha256| format!("{sha256}  {}/{sha256}\n", attached::DIRECTORY));
    let sums: String = sums.chain(along).collect();
    files.push((SUMS, sums.into_bytes()));
    Ok(files)
}

/// One line for each hash that a source has.
fn attachments(records: &[StoredRecord]) -> CliResult<String> {
    let mut lines = String::new();
    for (seq, id, source) in cited(records) {
        let Some(sha256) = source.sha256.as_deref() else { continue };
        let (title, url) = (source.title.as_deref(), source.url.as_deref());
        lines.push_str(&serde_json::to_string(&Attachment { sha256, seq, id, title, url })?);
        lines.push('\n');
    }
    Ok(lines)
}

fn cited(records: &[StoredRecord]) -> impl Iterator<Item = (Seq, &EventId, &Source)> {
    records.iter().flat_map(|stored| {
        let event = stored.record.content.event();
        let sources = event.into_iter().flat_map(|event| &event.sources);
        sources.map(|source| (stored.record.seq, &stored.record.id, source))
    })
}

/// Puts the folder in its place when all of it is there.
fn place(directory: &Path, files: &Files, kept: &mut Kept) -> CliResult<()> {
    let failed = |e: std::io::Error| cannot("write", directory, &e);
    let parent = files::directory(directory);
    fs::read_dir(parent).map_err(failed)?;
    let new = TempDir::with_prefix_in(".evidence-", parent).map_err(failed)?;
    for (name, content) in files {
        let mut file = File::create_new(new.path().join(name)).map_err(failed)?;
        file.write_all(content).map_err(failed)?;
        files::set_mode(&file, 0o644).map_err(failed)?;
        file.sync_all().map_err(failed)?;
    }
    attached::copy(kept, new.path())?;
    let opened = File::open(new.path()).map_err(failed)?;
    files::set_mode(&opened, 0o755).map_err(failed)?;
    opened.sync_all().map_err(failed)?;
    fs::rename(new.path(), directory).map_err(failed)?;
    // What is in its place is not the temporary one any more.
    let _: PathBuf = new.keep();
    File::open(parent).and_then(|parent| parent.sync_all()).map_err(failed)
}

/// Reads the proof that a folder of evidence has, and holds the files in it against their names.
pub fn read(directory: &Path) -> CliResult<Proof> {
    attached::check(directory)?;
    let name = files::shown(directory);
    let refuse = |what: String| refused(&name, &Refusal::at(Step::Reading, what));
    let text = |file: &str| -> CliResult<String> {
        let content = files::read(&directory.join(file), MOST)?;
        String::from_utf8(content).map_err(|_| refuse(format!("{file} is not UTF-8")))
    };
    let paths: Listing =
        serde_json::from_str(&text(PROOFS)?).map_err(|e| refuse(format!("{PROOFS}: {e}")))?;
    if paths.schema != FORM {
        return Err(refuse(format!("{PROOFS} is not of the form {FORM}")));
    }
    let events = text(EVENTS)?;
    let lines: Vec<&str> = events.lines().collect();
    if lines.len() != paths.paths.len() {
        let what = format!("{} lines and {} proofs", lines.len(), paths.paths.len());
        return Err(refused(&name, &Refusal::at(Step::Record, what)));
    }
    let included =
        |(line, Way { leaf_index, path }): (&str, Way)| Included { leaf_index, line: line.to_owned(), path };
    Ok(Proof::Inclusion(Inclusion {
        schema: SCHEMA.to_owned(),
        tree_size: paths.tree_size,
        root: paths.root,
        records: lines.into_iter().zip(paths.paths).map(included).collect(),
        checkpoint: Some(text(CHECKPOINT)?),
    }))
}

/// The last version that the evidence has of each event, with all its records.
fn by_event(records: &[StoredRecord]) -> Vec<(&StoredRecord, Vec<&StoredRecord>)> {
    let mut ids: Vec<&EventId> = Vec::new();
    let mut groups: std::collections::HashMap<&EventId, Vec<&StoredRecord>> =
        std::collections::HashMap::new();
    for stored in records {
        groups
            .entry(&stored.record.id)
            .or_insert_with(|| {
                ids.push(&stored.record.id);
                Vec::new()
            })
            .push(stored);
    }
    let last = |versions: &[&StoredRecord]| -> Option<usize> {
        versions.iter().rposition(|stored| stored.record.content.event().is_some())
    };
    ids.into_iter()
        .filter_map(|id| groups.remove(id))
        .filter_map(|versions| Some((versions[last(&versions)?], versions)))
        .collect()
}
