//! Text that a terminal takes as text: control characters and those that turn the reading direction are shown
//! by their code point instead of being obeyed (CVE-2021-42574 tells what the latter are used for).

use std::borrow::Cow;
use std::io::{self, Write};
use std::str::Utf8Error;

/// Text for people: a tab becomes a space, a line end stays, every other control is shown as `\u{…}`.
pub fn safe(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    replace(text, |c| match c {
        '\n' => None,
        '\t' => Some(" ".to_owned()),
        _ => is_unsafe(c).then(|| format!("\\u{{{:x}}}", u32::from(c))),
    })
}

/// JSON whose strings hold nothing that a terminal obeys: escaped as JSON escapes it, so that it still says the
/// same.
pub fn safe_json(json: &str) -> Cow<'_, str> {
    // Controls below U+0020 are escaped in JSON already; what is left of them is white space between tokens.
    replace(json, |c| (c >= '\u{7f}' && is_unsafe(c)).then(|| format!("\\u{:04x}", u32::from(c))))
}

/// A writer that takes JSON in pieces, cut anywhere, and hands it on as [`safe_json`] has it.
pub struct SafeJson<W> {
    out: W,
    /// The beginning of a character that the next piece ends.
    begun: Vec<u8>,
}

impl<W: Write> SafeJson<W> {
    /// A writer in front of another.
    pub const fn new(out: W) -> Self {
        Self { out, begun: Vec::new() }
    }
}

impl<W: Write> Write for SafeJson<W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        // Most of it is plain, and needs no look at each character.
        if self.begun.is_empty() && piece.is_ascii() && !piece.contains(&0x7f) {
            self.out.write_all(piece)?;
            return Ok(piece.len());
        }
        self.begun.extend(piece);
        let is_cut = |error: &Utf8Error| error.error_len().is_none();
        let whole = match std::str::from_utf8(&self.begun) {
            Ok(text) => text.len(),
            Err(error) if is_cut(&error) => error.valid_up_to(),
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        };
        let text = String::from_utf8_lossy(&self.begun[..whole]);
        self.out.write_all(safe_json(&text).as_bytes())?;
        self.begun.drain(..whole);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn replace(text: &str, replacement: impl Fn(char) -> Option<String>) -> Cow<'_, str> {
    if text.chars().all(|c| replacement(c).is_none()) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match replacement(c) {
            Some(replacement) => safe.push_str(&replacement),
            None => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// Whether a text is printable ASCII: no terminal obeys any of it, and each character takes a column.
pub fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

fn is_unsafe(c: char) -> bool {
    let turns_direction =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let ends_line = matches!(c, '\u{2028}' | '\u{2029}');
    c.is_control() || turns_direction || ends_line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        assert_eq!(safe("plain – ünïcode 漢字 🌍"), "plain – ünïcode 漢字 🌍");
        assert_eq!(safe("a\u{1b}[31mred\u{7}"), "a\\u{1b}[31mred\\u{7}");
        assert_eq!(safe("abc\u{202e}txt.exe"), "abc\\u{202e}txt.exe");
        assert_eq!(safe("one\ntwo\tthree"), "one\ntwo three");
    }

    #[test]
    fn safe_json_says_the_same() {
        let json = "{\"a\":\"x\u{202e}y\u{9b}\"}";
        let safe = safe_json(json);
        assert_eq!(safe, "{\"a\":\"x\\u202ey\\u009b\"}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(json), read(&safe));
    }

    #[test]
    fn pieces_of_json_are_as_safe_as_the_whole() {
        let json = "{\"a\":\"x\u{202e}y\u{9b} 漢字 🌍 plain\u{7f}\"}";
        for size in 1..json.len() {
            let mut written = SafeJson::new(Vec::new());
            json.as_bytes().chunks(size).for_each(|piece| written.write_all(piece).unwrap());
            assert_eq!(String::from_utf8(written.out).unwrap(), safe_json(json), "{size}");
        }
        assert!(SafeJson::new(Vec::new()).write_all(&[b'"', 0xff]).is_err());
    }
}
