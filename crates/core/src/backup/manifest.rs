//! The manifest: what belongs to a backup, each file with its length and SHA-256.
//!
//! It is JSON, for people and for other tools: what it says is checked against the files by `check`, and the files
//! against the log's root. A file that it does not name is no part of the backup.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use annals_model::line::hex;
use annals_model::{RecordedAt, Seq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Held;
use crate::merkle::Hash;
use crate::{Damage, Error, Result, files};

const SCHEMA: &str = "annals/backup/1";
const FILE: &str = "manifest";
const UNFINISHED: &str = "manifest.new";

/// What belongs to a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    schema: String,
    /// Which backup it is, counted from 1: names of new files begin with it.
    pub generation: u64,
    /// The last record.
    pub records: u64,
    /// The Merkle root over them.
    pub log_root: Sha,
    /// When the last of them was recorded.
    pub recorded_at: Option<RecordedAt>,
    /// The log, in order and without gaps.
    pub segments: Vec<Segment>,
    /// Saved answers.
    pub snapshots: Vec<Named>,
    /// Evidence files.
    pub attachments: Vec<Named>,
}

/// A file with some records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Its first record.
    pub first: u64,
    /// Its last record.
    pub last: u64,
    /// Its file.
    #[serde(flatten)]
    pub file: Stored,
}

/// A file that has a name in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// What it is called in the store.
    pub name: String,
    /// Its file.
    #[serde(flatten)]
    pub file: Stored,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Its path in the backup, with `/`.
    pub file: String,
    /// Its length.
    pub bytes: u64,
    /// Its hash.
    pub sha256: Sha,
}

/// A SHA-256 value, written in hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sha(pub Hash);

impl Manifest {
    /// An empty one of some generation.
    pub fn new(generation: u64, records: Seq, root: Hash, recorded_at: Option<RecordedAt>) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            generation,
            records: records.0,
            log_root: Sha(root),
            recorded_at,
            segments: Vec::new(),
            snapshots: Vec::new(),
            attachments: Vec::new(),
        }
    }

    /// Reads the one of a backup; nothing where it was never finished.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let bytes = match fs::read(path.join(FILE)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|e| Error::io("cannot read the backup's manifest", e))?,
        };
        let damaged = |what: String| Damage::new(format!("the backup's manifest: {what}"));
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|e| damaged(e.to_string()))?;
        manifest.check().map_err(damaged)?;
        Ok(Some(manifest))
    }

    /// Puts it in its place, durably.
    pub fn write(&self, path: &Path) -> Result<()> {
        let failed = |e| Error::io("cannot write the backup's manifest", e);
        let mut json = serde_json::to_vec_pretty(self).map_err(|e| failed(e.into()))?;
        json.push(b'\n');
        files::put(&path.join(FILE), &path.join(UNFINISHED), &json).map_err(failed)
    }

    /// Whether it can be one: its segments lie behind one another, and its files within the backup.
    fn check(&self) -> Result<(), String> {
        if self.schema != SCHEMA {
            return Err(format!("has the unknown schema {:?}", self.schema));
        }
        // Whoever counts on from them has room.
        if self.records.max(self.generation) == u64::MAX {
            return Err("has numbers that no backup has".to_owned());
        }
        let mut next = 1;
        for segment in &self.segments {
            if segment.first != next || segment.last < segment.first {
                return Err(format!("records from {next} on are missing"));
            }
            next = segment.last.saturating_add(1);
        }
        if next != self.records.saturating_add(1) {
            return Err(format!("has segments up to record {}, and {} records", next - 1, self.records));
        }
        let is_within = |file: &str| {
            let mut parts = file.split('/');
            let room = parts.next().is_some_and(|room| ["log", "snapshots", "attachments"].contains(&room));
            room && parts.all(|part| !part.is_empty() && !part.starts_with('.') && !part.contains('\\'))
        };
        match self.files().find(|stored| !is_within(&stored.file)) {
            Some(stored) => Err(format!("names the file {:?}", stored.file)),
            None => Ok(()),
        }
    }

    /// Every file.
    pub fn files(&self) -> impl Iterator<Item = &Stored> {
        let segments = self.segments.iter().map(|segment| &segment.file);
        segments.chain(self.snapshots.iter().chain(&self.attachments).map(|named| &named.file))
    }

    /// What the backup holds.
    pub fn held(&self) -> Held {
        Held {
            records: Seq(self.records),
            root: self.log_root.0,
            recorded_at: self.recorded_at,
            // A manifest may say what it likes.
            bytes: self.files().fold(0, |sum, stored| sum.saturating_add(stored.bytes)),
            snapshots: self.snapshots.len() as u64,
            attachments: self.attachments.len() as u64,
        }
    }
}

impl Stored {
    /// Where it is.
    pub fn path(&self, backup: &Path) -> PathBuf {
        backup.join(&self.file)
    }

    /// Checks the file against what the manifest says of it.
    pub fn check(&self, (bytes, sha): (u64, Hash)) -> Result<(), Damage> {
        if bytes != self.bytes {
            let what = format!("{} has {bytes} bytes, the manifest says {}", self.file, self.bytes);
            return Err(Damage::new(what));
        }
        if sha != self.sha256.0 {
            return Err(Damage::new(format!(
                "{} is not what was written: its SHA-256 is another",
                self.file
            )));
        }
        Ok(())
    }
}

impl Serialize for Sha {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for Sha {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digit = |index: usize| text.get(2 * index..2 * index + 2);
        let byte = |index| digit(index).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        let bytes: Option<Vec<u8>> = (0..32).map(byte).collect();
        let hash = bytes.filter(|_| text.len() == 64).and_then(|bytes| Hash::try_from(bytes).ok());
        hash.map(Self).ok_or_else(|| serde::de::Error::custom("is no SHA-256 value"))
    }
}
