//! One hash for one JSON value, however it is written: what receipts are made of.
//!
//! A large answer is put together from the canonical JSON of its parts, which is what RFC 8785 makes of the whole;
//! its state is written by `canonical_state.rs`.

use std::collections::BTreeMap;

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
    Ok(sha256(&canonical_json(value)?))
}

/// SHA-256 in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The RFC 8785 canonical JSON of a value.
pub(crate) fn canonical_json(value: &(impl Serialize + ?Sized)) -> serde_json::Result<Vec<u8>> {
    serde_json_canonicalizer::to_vec(&plain(value)?)
}

/// The value with its numbers as floating-point numbers.
fn plain(value: &(impl Serialize + ?Sized)) -> serde_json::Result<serde_json::Value> {
    // Read back: the canonicalizer takes numbers as floats only, and ours are exact text.
    serde_json::from_str(&serde_json::to_string(value)?)
}

/// The canonical JSON of a map, whose members are turned to it one by one.
#[cfg(test)]
pub(crate) fn canonical_map<V: Serialize>(map: &BTreeMap<String, V>) -> serde_json::Result<Vec<u8>> {
    let mut members: Vec<(&str, &V)> = map.iter().map(|(key, value)| (key.as_str(), value)).collect();
    in_order(&mut members);
    let mut json = Vec::new();
    for (key, value) in members {
        push(&mut json, key, &canonical_json(value)?)?;
    }
    Ok(closed(json))
}

/// The canonical JSON of an object, some of whose members are replaced by canonical JSON.
pub(crate) fn canonical_with(
    object: &impl Serialize,
    canonical: &[(&str, &[u8])],
) -> serde_json::Result<Vec<u8>> {
    let object: BTreeMap<String, serde_json::Value> = serde_json::from_value(plain(object)?)?;
    let mut members: Vec<(&str, &serde_json::Value)> =
        object.iter().map(|(key, value)| (key.as_str(), value)).collect();
    in_order(&mut members);
    let room = canonical.iter().map(|(_, json)| json.len()).sum::<usize>();
    let mut json = Vec::with_capacity(room + 1024);
    for (key, value) in members {
        match canonical.iter().find(|(member, _)| *member == key) {
            Some((_, canonical)) => push(&mut json, key, canonical)?,
            None => push(&mut json, key, &serde_json_canonicalizer::to_vec(value)?)?,
        }
    }
    Ok(closed(json))
}

/// RFC 8785, section 3.2.3: the order of the keys' UTF-16 code units.
pub(crate) fn in_order<V>(members: &mut [(&str, V)]) {
    members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
}

fn push(json: &mut Vec<u8>, key: &str, value: &[u8]) -> serde_json::Result<()> {
    json.push(if json.is_empty() { b'{' } else { b',' });
    json.extend(serde_json_canonicalizer::to_vec(&key)?);
    json.push(b':');
    json.extend(value);
    Ok(())
}

fn closed(mut json: Vec<u8>) -> Vec<u8> {
    if json.is_empty() {
        json.push(b'{');
    }
    json.push(b'}');
    json
}
