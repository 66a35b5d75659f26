//! Proofs that a record is in the log and that the log has only grown, for whoever holds an earlier root.
//!
//! The log is an RFC 6962 tree (see `merkle`). [`Tree`] makes inclusion and consistency proofs from a log;
//! [`path`] checks them with nothing but hashes; [`mod@line`] gives the leaf of an exported record; [`note`] and
//! [`checkpoint`] are the signed statements that proofs lead to, in the forms that other transparency logs use;
//! [`document`] is the file that a proof travels in.
//!
//! Checking needs no store. A check that fails gives a [`Refusal`], which says at which step.

pub mod checkpoint;
pub mod document;
pub mod line;
pub mod note;
pub mod path;
pub mod timestamp;
mod tree;

use std::fmt;

pub use tree::Tree;

use crate::merkle::Hash;

/// A proof, or what it leans on, does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{step}: {what}")]
pub struct Refusal {
    /// Where the check failed.
    pub step: Step,
    /// What was found there.
    pub what: String,
}

/// The steps of a check, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Reading what was given.
    Reading,
    /// Computing a record's leaf.
    Record,
    /// Following the path from the leaf to the root.
    Inclusion,
    /// Following the path from the earlier root to the later one.
    Consistency,
    /// Holding the proof against the checkpoint.
    Checkpoint,
    /// Checking the checkpoint's signatures.
    Signature,
    /// Checking the token of a time-stamping authority.
    Timestamp,
}

impl Refusal {
    /// The check failed at this step.
    pub fn at(step: Step, what: impl Into<String>) -> Self {
        Self { step, what: what.into() }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reading => "reading",
            Self::Record => "record",
            Self::Inclusion => "inclusion",
            Self::Consistency => "consistency",
            Self::Checkpoint => "checkpoint",
            Self::Signature => "signature",
            Self::Timestamp => "timestamp",
        })
    }
}

/// Reads 64 lower-case hexadecimal digits.
pub fn unhex(text: &str) -> Option<Hash> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let digits = text.as_bytes();
    let mut hash = [0; 32];
    if digits.len() != 2 * hash.len() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(hash)
}
