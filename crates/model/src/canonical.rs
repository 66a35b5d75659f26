//! One hash for one JSON value, however it is written: what receipts are made of.
//!
//! A large answer is put together from the canonical JSON of its parts, which is what RFC 8785 makes of the whole;
//! its state is written by `canonical_state.rs`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;
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
    Ok(hex(&Sha256::digest(canonical_json(value)?)))
}

/// Bytes in parts that follow one another.
pub(crate) type Parts<'a> = Vec<Cow<'a, [u8]>>;

/// SHA-256 over bytes in parts, in hexadecimal digits.
pub(crate) fn sha256_of(parts: &[Cow<'_, [u8]>]) -> String {
    hex(&parts.iter().fold(Sha256::new(), Sha256::chain_update).finalize())
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

/// The canonical JSON of an object, some of whose members are replaced by canonical JSON, in parts that follow one
/// another.
pub(crate) fn canonical_with<'a>(
    object: &impl Serialize,
    canonical: &[(&str, &'a [Cow<'a, [u8]>])],
) -> serde_json::Result<Parts<'a>> {
    let object: BTreeMap<String, serde_json::Value> = serde_json::from_value(plain(object)?)?;
    let mut members: Vec<(&str, &serde_json::Value)> =
        object.iter().map(|(key, value)| (key.as_str(), value)).collect();
    in_order(&mut members);
    let mut parts = Vec::new();
    let mut json = Vec::new();
    for (key, value) in members {
        let is_first = parts.is_empty() && json.is_empty();
        key_of(&mut json, key, is_first)?;
        match canonical.iter().find(|(member, _)| *member == key) {
            Some((_, canonical)) => {
                parts.push(Cow::Owned(std::mem::take(&mut json)));
                parts.extend(canonical.iter().map(|part| Cow::Borrowed(&**part)));
            }
            None => json.extend(serde_json_canonicalizer::to_vec(value)?),
        }
    }
    json.push(b'}');
    parts.push(Cow::Owned(json));
    Ok(parts)
}

/// Hands over the RFC 8785 canonical JSON of a JSON text in parts that follow one another. Of so many levels of objects each
/// member is a part, so that no tree of a large one is made; of the outermost, one member may be `left_out`. No name may
/// stand twice in an object.
pub(crate) fn canonical_parts(
    text: &str,
    levels: usize,
    left_out: Option<&str>,
    take: &mut impl FnMut(&[u8]),
) -> serde_json::Result<()> {
    let Some(levels) = levels.checked_sub(1).filter(|_| text.starts_with('{')) else {
        take(&serde_json_canonicalizer::to_vec(&serde_json::from_str::<serde_json::Value>(text)?)?);
        return Ok(());
    };
    let object: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
    let mut members: Vec<(&str, &str)> =
        object.iter().map(|(key, value)| (key.as_str(), value.get())).collect();
    members.retain(|(key, _)| Some(*key) != left_out);
    in_order(&mut members);
    let mut json = Vec::new();
    for (index, (key, value)) in members.iter().enumerate() {
        key_of(&mut json, key, index == 0)?;
        take(&json);
        json.clear();
        canonical_parts(value, levels, None, take)?;
    }
    take(if members.is_empty() { b"{}" } else { b"}" });
    Ok(())
}

/// RFC 8785, section 3.2.3: the order of the keys' UTF-16 code units.
pub(crate) fn in_order<V>(members: &mut [(&str, V)]) {
    members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
}

/// What stands before a member's value.
fn key_of(json: &mut Vec<u8>, key: &str, is_first: bool) -> serde_json::Result<()> {
    json.push(if is_first { b'{' } else { b',' });
    json.extend(serde_json_canonicalizer::to_vec(&key)?);
    json.push(b':');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_text_are_the_canonical_json_of_the_whole() {
        // The keys' UTF-16 order is not that of their bytes.
        for text in [
            r#"{ "b" : {"z":1.50,"a":[3,{"y":null,"x":1e2}]}, "a":{}, "\uff61":{"k":{"n":{}}}, "😀":{"":"é\u0007"} }"#,
            r#"{"a":{"😀":{"c":2,"b":1},"\uff61":[]},"0":true}"#,
            "{}",
            "[{\"b\":1,\"a\":2}]",
            "null",
        ] {
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            for levels in 0..4 {
                let mut whole: Vec<u8> = Vec::new();
                canonical_parts(text, levels, None, &mut |part| whole.extend(part)).unwrap();
                assert_eq!(whole, canonical_json(&value).unwrap(), "{text} {levels}");
            }
            let mut value = value;
            value.as_object_mut().and_then(|object| object.remove("a"));
            let mut whole: Vec<u8> = Vec::new();
            canonical_parts(text, 2, Some("a"), &mut |part| whole.extend(part)).unwrap();
            assert_eq!(whole, canonical_json(&value).unwrap(), "{text}");
        }
    }
}
