//! One hash for one JSON value, however it is written: what receipts are made of.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::line::hex;

/// SHA-256 over the RFC 8785 canonical JSON of a value, in hexadecimal digits.
///
/// RFC 8785 writes numbers as floating-point numbers; one with more digits than these hold enters rounded.
///
/// # Errors
///
/// Those of a value that is no JSON: a map whose keys are not text.
pub fn canonical_sha256(value: &(impl Serialize + ?Sized)) -> serde_json::Result<String> {
    let json = serde_json::to_string(value)?;
    // Read back first: the canonicalizer takes numbers as floats only, and ours are exact text.
    let value: serde_json::Value = serde_json::from_str(&json)?;
    Ok(hex(&Sha256::digest(serde_json_canonicalizer::to_vec(&value)?)))
}
