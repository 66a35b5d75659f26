//! Checkpoints (C2SP `tlog-checkpoint`): how many records a log had, and their root, signed.
//!
//! ```text
//! example.org/haiti                               origin: which log
//! 42                                              records
//! qlmHTgW0IksYM1TcPbDVbAjKi0a4d3nDjhGhRLQvBjk=    root
//!
//! — example.org/haiti Az3grl…                     signatures
//! ```
//!
//! The text is kept byte for byte, with lines of others behind the third. A checkpoint without signatures is its
//! text alone: it says what a log was, and nobody vouches for it.

use std::fmt;

use annals_model::Invalid;
use base64ct::{Base64, Encoding};

use super::note::{DASH, Note, SigningKey, VerifierKey};
use super::{Refusal, Step};
use crate::merkle::Hash;
use crate::verify::Witness;

/// A log's size and root, with signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
    note: Note,
}

impl Checkpoint {
    /// A checkpoint that nobody has signed yet.
    pub fn unsigned(origin: &str, size: u64, root: Hash) -> Result<Self, Invalid> {
        if origin.is_empty() || origin.contains(char::is_control) {
            return Err(Invalid::new("an origin is one line, and not empty"));
        }
        let text = format!("{origin}\n{size}\n{}\n", Base64::encode_string(&root));
        Ok(Self { origin: origin.to_owned(), size, root, note: Note::unsigned(text) })
    }

    /// Reads a checkpoint, signed or not.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let refuse = |what: &str| Refusal::at(Step::Reading, format!("not a checkpoint: {what}"));
        let text = std::str::from_utf8(bytes).map_err(|_| refuse("it is not UTF-8"))?;
        let note = if text.contains("\n\n") {
            Note::parse(text).map_err(|refusal| refuse(&refusal.what))?
        } else if text.contains(|c: char| c.is_control() && c != '\n') {
            return Err(refuse("it has control characters"));
        } else if text.contains(&format!("\n{DASH}")) {
            return Err(refuse("no blank line before the signatures"));
        } else {
            Note::unsigned(text.to_owned())
        };
        let lines = note.text().strip_suffix('\n').ok_or_else(|| refuse("no line end at its end"))?;
        let mut lines = lines.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(refuse("it has fewer than three lines"));
        };
        if origin.is_empty() || lines.any(str::is_empty) {
            return Err(refuse("an empty line"));
        }
        let count: Option<u64> = size.parse().ok().filter(|count: &u64| count.to_string() == size);
        let count = count.ok_or_else(|| refuse("the second line is not a number of records"))?;
        let hash = Base64::decode_vec(root).ok().and_then(|bytes| Hash::try_from(bytes).ok());
        let root = hash.ok_or_else(|| refuse("the third line is not a root"))?;
        Ok(Self { origin: origin.to_owned(), size: count, root, note })
    }

    /// Which log it is of, as the log calls itself.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many records the log had.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root over them.
    pub const fn root(&self) -> &Hash {
        &self.root
    }

    /// Its text and signatures.
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// What it holds the log to.
    pub const fn witness(&self) -> Witness {
        Witness { count: self.size, root: self.root }
    }

    /// Adds a signature.
    pub fn sign(&mut self, key: &SigningKey) {
        self.note.sign(key);
    }

    /// Checks the signatures of these keys and gives the keys that signed.
    pub fn check<'a>(&self, keys: &'a [VerifierKey]) -> Result<Vec<&'a VerifierKey>, Refusal> {
        self.note.check(keys)
    }
}

/// The checkpoint as it is stored.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.note, f)
    }
}
