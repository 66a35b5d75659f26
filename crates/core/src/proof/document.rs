//! `annals/proof/1`: the file that a proof travels in.
//!
//! It has everything that the check needs but the reader's own trust: which checkpoint to believe, and whose keys.
//! A record travels as the text of its line, inside a JSON string: its leaf is over these bytes, which a program
//! that lays out JSON anew would otherwise change.

use annals_model::line::hex;
use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use super::line::{self, Leaf};
use super::path::{check_consistency, check_inclusion};
use super::{Refusal, Step, unhex};
use crate::merkle::Hash;

/// The name of the form.
pub const SCHEMA: &str = "annals/proof/1";

/// A proof as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Proof {
    /// These records are in the log.
    Inclusion(Inclusion),
    /// The later log begins with the earlier one.
    Consistency(Consistency),
}

/// Records, and the way from each to the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inclusion {
    /// [`SCHEMA`].
    pub schema: String,
    /// How many records the log had.
    pub tree_size: u64,
    /// The root over them, in hexadecimal digits.
    pub root: String,
    /// The records.
    pub records: Vec<Included>,
    /// The checkpoint of this size.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub checkpoint: Option<String>,
}

/// One record, and the way to the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Included {
    /// The place of its leaf, counted from 0.
    pub leaf_index: u64,
    /// The record, as it is exported.
    pub line: String,
    /// The hashes beside the way, from the leaf up.
    pub path: Vec<String>,
}

/// Two sizes of one log, and what leads from the one to the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consistency {
    /// [`SCHEMA`].
    pub schema: String,
    /// The earlier state.
    pub from: State,
    /// The later state.
    pub to: State,
    /// The hashes that give both roots.
    pub path: Vec<String>,
}

/// The log at a size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// How many records it had.
    pub tree_size: u64,
    /// The root over them, in hexadecimal digits.
    pub root: String,
    /// The checkpoint of this size.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub checkpoint: Option<String>,
}

/// What a proof has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// These records are in the log that the checkpoint, if there is one, is of.
    Included {
        /// How many records the log had.
        size: u64,
        /// The root over them.
        root: Hash,
        /// The records, each with its leaf.
        records: Vec<Leaf>,
        /// The checkpoint that came with the proof.
        checkpoint: Option<Checkpoint>,
    },
    /// The log of the later size begins with that of the earlier one.
    Grown {
        /// The earlier size and its root.
        from: (u64, Hash),
        /// The later size and its root.
        to: (u64, Hash),
        /// The checkpoints that came with the proof, the earlier one first.
        checkpoints: [Option<Checkpoint>; 2],
    },
}

impl Proof {
    /// Reads a proof.
    pub fn parse(json: &str) -> Result<Self, Refusal> {
        let proof: Self = serde_json::from_str(json)
            .map_err(|e| Refusal::at(Step::Reading, format!("not a proof: {e}")))?;
        let schema = match &proof {
            Self::Inclusion(Inclusion { schema, .. }) | Self::Consistency(Consistency { schema, .. }) => {
                schema
            }
        };
        if schema != SCHEMA {
            return Err(Refusal::at(Step::Reading, format!("not a proof of the form {SCHEMA}")));
        }
        Ok(proof)
    }

    /// Checks everything but signatures.
    pub fn check(&self) -> Result<Shown, Refusal> {
        match self {
            Self::Inclusion(inclusion) => inclusion.check(),
            Self::Consistency(consistency) => consistency.check(),
        }
    }
}

impl Inclusion {
    fn check(&self) -> Result<Shown, Refusal> {
        let root = hash_of("the root", &self.root)?;
        if self.records.is_empty() {
            return Err(Refusal::at(Step::Reading, "a proof of no records"));
        }
        let records = self.records.iter().map(|record| record.check(self.tree_size, &root));
        let records = records.collect::<Result<Vec<_>, _>>()?;
        let checkpoint = beside(self.checkpoint.as_deref(), self.tree_size, &root)?;
        Ok(Shown::Included { size: self.tree_size, root, records, checkpoint })
    }
}

impl Included {
    fn check(&self, size: u64, root: &Hash) -> Result<Leaf, Refusal> {
        let leaf = line::read(&self.line)?;
        let named =
            |refusal: Refusal| Refusal { what: format!("record {}: {}", leaf.seq, refusal.what), ..refusal };
        if leaf.seq.0.checked_sub(1) != Some(self.leaf_index) {
            let what = format!("it is said to be leaf {}", self.leaf_index);
            return Err(named(Refusal::at(Step::Record, what)));
        }
        let path = hashes_of(&self.path).map_err(named)?;
        check_inclusion(&leaf.hash, self.leaf_index, size, &path, root).map_err(named)?;
        Ok(leaf)
    }
}

impl Consistency {
    fn check(&self) -> Result<Shown, Refusal> {
        let state = |state: &State| Ok((state.tree_size, hash_of("the root", &state.root)?));
        let (from, to) = (state(&self.from)?, state(&self.to)?);
        check_consistency((from.0, &from.1), (to.0, &to.1), &hashes_of(&self.path)?)?;
        let earlier = beside(self.from.checkpoint.as_deref(), from.0, &from.1)?;
        let later = beside(self.to.checkpoint.as_deref(), to.0, &to.1)?;
        Ok(Shown::Grown { from, to, checkpoints: [earlier, later] })
    }
}

/// The checkpoint that came along, which has to be of this size and root.
fn beside(text: Option<&str>, size: u64, root: &Hash) -> Result<Option<Checkpoint>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    let checkpoint = Checkpoint::parse(text.as_bytes())?;
    check_same(&checkpoint, size, root)?;
    Ok(Some(checkpoint))
}

/// A checkpoint has to be of this size and root.
pub fn check_same(checkpoint: &Checkpoint, size: u64, root: &Hash) -> Result<(), Refusal> {
    let refuse = |what: String| Err(Refusal::at(Step::Checkpoint, what));
    if checkpoint.size() != size {
        return refuse(format!("it is of {} records, the proof of {size}", checkpoint.size()));
    }
    if checkpoint.root() != root {
        let (theirs, ours) = (hex(checkpoint.root()), hex(root));
        return refuse(format!("it has the root {theirs} over {size} records, the proof {ours}"));
    }
    Ok(())
}

fn hash_of(what: &str, digits: &str) -> Result<Hash, Refusal> {
    let refusal = || Refusal::at(Step::Reading, format!("{what} is not 64 lower-case hexadecimal digits"));
    unhex(digits).ok_or_else(refusal)
}

fn hashes_of(digits: &[String]) -> Result<Vec<Hash>, Refusal> {
    digits.iter().map(|digits| hash_of("a hash of the path", digits)).collect()
}
