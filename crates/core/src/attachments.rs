//! Attachments: evidence files that the store keeps, each once, by the SHA-256 of its content.
//!
//! A source whose `archived` is `attachment:NAME` names one by its `sha256`; the log holds the hash and not the file,
//! so that the log vouches for the file. A file is there whole or not at all, and durable before the event that names
//! it is recorded. One that no event names is left over from a write that was refused or killed, and does no harm.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use annals_model::line::hex;
use annals_model::{Content, Record, Seq, Source, TimelineName};

use crate::log::Log;
use crate::{Damage, Error, Result, files, scan};

/// The directory of a store that holds them.
pub const DIRECTORY: &str = "attachments";

/// How the name of a file begins that is not whole yet.
const UNFINISHED: &str = ".new-";
const DIGITS: usize = 64;

/// The evidence files of a store.
#[derive(Clone, Debug)]
pub struct Attachments {
    directory: PathBuf,
}

/// A file that was attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The SHA-256 of its content, 64 lower-case hexadecimal digits: its name.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
    /// Whether it was there already.
    pub is_known: bool,
}

/// What the events and the files say of each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Files that are there and that events name.
    pub kept: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Files that no event names.
    pub orphans: Vec<String>,
    /// What is missing or altered.
    pub damage: Vec<Damage>,
}

/// The attachments that records name: by the hash, the first record that does, and the name there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named(BTreeMap<String, (Seq, String)>);

impl Named {
    /// Notes what a record names.
    pub fn note(&mut self, record: &Record) {
        let sources = record.content.event().into_iter().flat_map(|event| &event.sources);
        for (sha256, name) in sources.filter_map(Source::attached) {
            if !self.0.contains_key(sha256) {
                self.0.insert(sha256.to_owned(), (record.seq, name.to_owned()));
            }
        }
    }
}

impl Attachments {
    /// Those in a directory, which need not be there yet.
    pub const fn at(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Keeps a file durably. One that is there is not written again.
    pub fn add(&self, from: &mut impl Read) -> Result<Attached> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let failed = |e| Error::io("cannot keep the attachment", e);
        files::make_directory(&self.directory).map_err(failed)?;
        let mine = format!("{UNFINISHED}{}-", std::process::id());
        for name in files::names(&self.directory).map_err(failed)? {
            // Whoever wrote it was killed: nobody else has the store open.
            if name.starts_with(UNFINISHED) && !name.starts_with(&mine) {
                fs::remove_file(self.directory.join(name)).map_err(failed)?;
            }
        }
        let unfinished = self.directory.join(format!("{mine}{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        let kept = self.keep(from, &unfinished);
        if kept.is_err() {
            // Whether it can be removed or not, the error to be told is the first one.
            let _ = fs::remove_file(&unfinished);
        }
        kept.map_err(failed)
    }

    fn keep(&self, from: &mut impl Read, unfinished: &Path) -> io::Result<Attached> {
        let (bytes, hash) = files::copy(from, unfinished)?;
        let sha256 = hex(&hash);
        let path = self.directory.join(&sha256);
        // One of another content under this name is damaged: the new one mends it.
        let is_known = matches!(files::digest(&path), Ok(there) if there == (bytes, hash));
        if is_known {
            fs::remove_file(unfinished)?;
        } else {
            let mut permissions = fs::metadata(unfinished)?.permissions();
            permissions.set_readonly(true);
            fs::set_permissions(unfinished, permissions)?;
            fs::rename(unfinished, &path)?;
            files::sync_directory(&self.directory)?;
        }
        Ok(Attached { sha256, bytes, is_known })
    }

    /// The name that a file has or would have, and its length.
    pub fn hash(path: &Path) -> Result<(String, u64)> {
        let (bytes, hash) =
            files::digest(path).map_err(|e| Error::io(format!("cannot read {}", path.display()), e))?;
        Ok((hex(&hash), bytes))
    }

    /// The names of all, in order.
    pub fn names(&self) -> Result<Vec<String>> {
        let names = files::names(&self.directory).map_err(|e| Error::io("cannot list the attachments", e))?;
        Ok(names.into_iter().filter(|name| is_name(name)).collect())
    }

    /// Opens one for reading; nothing where there is none of that name.
    pub fn open(&self, sha256: &str) -> Result<Option<File>> {
        if !is_name(sha256) {
            return Ok(None);
        }
        match File::open(self.directory.join(sha256)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            other => {
                Ok(Some(other.map_err(|e| Error::io(format!("cannot read the attachment {sha256}"), e))?))
            }
        }
    }

    /// The length of one; nothing where there is none of that name.
    pub fn bytes(&self, sha256: &str) -> Result<Option<u64>> {
        let length = |file: File| file.metadata().map(|found| found.len());
        let length = self.open(sha256)?.map(length).transpose();
        length.map_err(|e| Error::io(format!("cannot read the attachment {sha256}"), e))
    }

    /// Removes what a kill has left half-written. Nobody may be writing one.
    pub(crate) fn remove_unfinished(&self) -> Result<()> {
        let failed = |e| Error::io("cannot remove a half-written attachment", e);
        let mut is_changed = false;
        for name in files::names(&self.directory).map_err(failed)? {
            if name.starts_with(UNFINISHED) {
                fs::remove_file(self.directory.join(name)).map_err(failed)?;
                is_changed = true;
            }
        }
        if is_changed { files::sync_directory(&self.directory).map_err(failed) } else { Ok(()) }
    }

    /// Removes one for good; whether it was there.
    pub fn remove(&self, sha256: &str) -> Result<bool> {
        let failed = |e| Error::io(format!("cannot remove the attachment {sha256}"), e);
        if !is_name(sha256) {
            return Ok(false);
        }
        match fs::remove_file(self.directory.join(sha256)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            other => {
                other.and_then(|()| files::sync_directory(&self.directory)).map_err(failed).map(|()| true)
            }
        }
    }

    /// Calls `visit` with every source of the log that names an attachment: its record, timeline, hash and name.
    pub fn each_named(
        log: &(impl Log + ?Sized),
        mut visit: impl FnMut(Seq, &TimelineName, &str, &str) -> Result<()>,
    ) -> Result<()> {
        let end = log.head()?.seq();
        scan::each(log, Seq(1), end, |stored| {
            let Content::Event(event) = &stored.record.content else { return Ok(()) };
            event.sources.iter().filter_map(Source::attached).try_for_each(|(sha256, name)| {
                visit(stored.record.seq, &stored.record.timeline, sha256, name)
            })
        })
    }

    /// Holds the files against what the log names, and against their hashes.
    pub fn check(&self, named: Named) -> Result<Inventory> {
        let mut inventory = Inventory::default();
        let Named(mut named) = named;
        for sha256 in self.names()? {
            let path = self.directory.join(&sha256);
            let (bytes, hash) = files::digest(&path)
                .map_err(|e| Error::io(format!("cannot read the attachment {sha256}"), e))?;
            let is_whole = hex(&hash) == sha256;
            match named.remove(&sha256) {
                Some((seq, name)) if !is_whole => {
                    let what = format!("its attachment {name} is not what was attached ({sha256})");
                    inventory.damage.push(Damage::of(seq, seq, what));
                }
                Some(_) => {
                    inventory.kept += 1;
                    inventory.bytes += bytes;
                }
                None => inventory.orphans.push(sha256),
            }
        }
        for (sha256, (seq, name)) in named {
            inventory.damage.push(Damage::of(
                seq,
                seq,
                format!("its attachment {name} is missing ({sha256})"),
            ));
        }
        inventory.damage.sort_by_key(|damage| damage.records);
        Ok(inventory)
    }
}

fn is_name(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
