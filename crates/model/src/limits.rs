//! Every limit on input, in one place, and the checks that name the field which breaks one.
//!
//! They keep one event small enough to be one value of the store, and one typing error from becoming a name.
//! Lengths are counted in characters (Unicode scalar values), counts in entries.

use crate::Invalid;

/// Characters of an event id.
pub const ID: usize = 200;
/// Characters of a timeline's name.
pub const TIMELINE: usize = 100;
/// Characters of a saved snapshot's name.
pub const SNAPSHOT: usize = 100;
/// Bytes of a saved snapshot's name, which is a file's, too.
pub const SNAPSHOT_BYTES: usize = 200;
/// Characters of a title.
pub const TITLE: usize = 10_000;
/// Characters of a description.
pub const DESCRIPTION: usize = 200_000;
/// Characters of a name or label: kind, tag, actor, role, place, entity, relation, locator, author, …
pub const NAME: usize = 500;
/// Characters of a web address.
pub const URL: usize = 8_000;
/// Characters of a quotation.
pub const QUOTE: usize = 50_000;
/// Characters of a reason for a retraction or a redaction.
pub const REASON: usize = 10_000;
/// Characters of a text value.
pub const VALUE: usize = 10_000;
/// Members of a set value.
pub const SET_MEMBERS: usize = 10_000;
/// Entries of each of an event's lists: actors, tags, sources, links, effects.
pub const LIST: usize = 10_000;
/// Bytes of the free `extra` object.
pub const EXTRA: usize = 262_144;
/// Bytes of a whole event as JSON.
pub const EVENT: usize = 1_048_576;
/// Bytes of a line of JSON: an event and its record's fields.
pub const LINE: usize = EVENT + 8_192;

/// Checks the length of a text in characters.
pub fn text(text: &str, min: usize, max: usize) -> Result<(), Invalid> {
    // Bytes are at least as many as characters, so the common case need not count.
    let length = if text.len() <= max { text.len() } else { text.chars().count() };
    if length > max {
        return Err(Invalid::new(format!("has {length} characters, the limit is {max}")));
    }
    if length < min {
        return Err(Invalid::new("must not be empty"));
    }
    Ok(())
}

/// Checks a name: not empty, within its limit, no control characters, no space at either end.
pub fn name(name: &str, max: usize) -> Result<(), Invalid> {
    // Nearly every name is short and plain ASCII, of which each byte is a character.
    let bytes = name.as_bytes();
    // All are looked at, which takes less time than to look each time whether to go on.
    let are_plain = || bytes.iter().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'));
    if bytes.len() <= max
        && are_plain()
        && bytes.first().is_some_and(|byte| *byte != b' ')
        && bytes.last() != Some(&b' ')
    {
        return Ok(());
    }
    text(name, 1, max)?;
    if name.chars().any(char::is_control) {
        return Err(Invalid::new("must not hold control characters"));
    }
    if name.trim().len() != name.len() {
        return Err(Invalid::new("must not begin or end with a space").with_hint("trim it"));
    }
    Ok(())
}

/// Checks how many entries a list has.
pub fn count(count: usize, max: usize, what: &str) -> Result<(), Invalid> {
    if count > max {
        return Err(Invalid::new(format!("has {count} {what}, the limit is {max}")));
    }
    Ok(())
}
