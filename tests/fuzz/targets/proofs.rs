//! What travels between people who do not trust each other: notes, checkpoints, proofs, lines and tokens.

use annals_core::proof::checkpoint::Checkpoint;
use annals_core::proof::document::{Proof, Shown};
use annals_core::proof::note::Note;
use annals_core::proof::{line as record, timestamp};

/// What the sample tokens are of.
const STAMPED: &[u8] = include_bytes!("authority/checkpoint.txt");
/// The certificate of who made them.
const AUTHORITY: &[u8] = include_bytes!("authority/authority.pem");

/// A signed note or a checkpoint: written as it came.
pub fn note(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(note) = Note::parse(text) {
        assert_eq!(note.to_string(), text);
        assert!(!note.signatures().is_empty());
    }
    if let Ok(checkpoint) = Checkpoint::parse(bytes) {
        assert_eq!(checkpoint.to_string(), text);
        assert_eq!(Checkpoint::parse(checkpoint.to_string().as_bytes()), Ok(checkpoint));
    }
}

/// A proof: written back it is the same, and what it shows was in it.
pub fn proof(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(proof) = Proof::parse(text) else { return };
    let written = serde_json::to_string(&proof).unwrap();
    assert_eq!(Proof::parse(&written).as_ref(), Ok(&proof));
    match proof.check() {
        Ok(Shown::Included { size, records, .. }) => {
            assert!(!records.is_empty() && records.iter().all(|leaf| leaf.seq.0 <= size));
        }
        Ok(Shown::Grown { from, to, .. }) => {
            assert!(from.0 < to.0 || from == to);
        }
        Err(refusal) => assert!(!refusal.to_string().is_empty()),
    }
}

/// The line of a record, from which its leaf is computed.
pub fn line(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(leaf) = record::read(text) {
        assert_eq!(record::read(text), Ok(leaf.clone()));
        // Any other text has another leaf, or none.
        let other = text.replacen(&leaf.recorded_by, &format!("{}x", leaf.recorded_by), 1);
        if other != text {
            assert!(record::read(&other).is_err() || record::read(&other).unwrap().hash != leaf.hash);
        }
    }
}

/// A token of a time-stamping authority, with and without its certificate.
pub fn token(bytes: &[u8]) {
    let certificates = timestamp::certificates(AUTHORITY).unwrap();
    let without = timestamp::check(bytes, STAMPED, &[]);
    let with = timestamp::check(bytes, STAMPED, &certificates);
    if let Ok(stamped) = with {
        assert!(stamped.signed_by.is_some());
        assert_eq!(without.unwrap().time, stamped.time);
    }
    let _ = timestamp::certificates(bytes);
}
