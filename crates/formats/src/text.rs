//! Characters that are not what they look like.
//!
//! Texts come from strangers. A control character can move a cursor, a direction mark can make a line read
//! backwards, and a character of no width can hide anything; where people read a text, these are written out as
//! `\u{…}`. The joiners of emoji and of Indic and Persian script stay, since they are part of the spelling.

use std::fmt::Write;

/// Whether a character changes what a reader sees without being seen.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{061c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Appends a hidden character as its escape.
pub fn push_escape(out: &mut String, c: char) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{}", c.escape_unicode());
}

/// A text with every hidden character but the tab written out, and its line breaks as line feeds.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\r' if rest.peek() == Some(&'\n') => {}
            '\r' | '\n' => out.push('\n'),
            '\t' => out.push(c),
            c if is_hidden(c) => push_escape(&mut out, c),
            c => out.push(c),
        }
    }
    out
}

/// The same on one line.
pub fn line(text: &str) -> String {
    visible(text).replace(['\n', '\t'], " ")
}

/// JSON in which no character is hidden: within its strings, where alone they can stand, they become `\u` escapes.
pub fn visible_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_hidden(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// A text as an error message can quote it: at most 60 characters, the hidden ones written out.
pub fn shown(text: &str) -> String {
    const LIMIT: usize = 60;
    let mut out = String::with_capacity(text.len().min(LIMIT));
    for (index, c) in text.chars().enumerate() {
        if index == LIMIT {
            out.push('…');
            break;
        }
        if is_hidden(c) {
            push_escape(&mut out, c);
        } else {
            out.push(c);
        }
    }
    out
}

/// A number with its thousands set apart: `1,510`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_written_out_and_come_back_from_json() {
        assert_eq!(visible("a\r\nb\rc\u{7}\u{202e}"), "a\nb\nc\\u{7}\\u{202e}");
        assert_eq!(line("a\r\nb"), "a b");
        let text = "\u{202e}\u{e0001}\u{7f}é";
        let json = visible_json(&serde_json::to_string(text).unwrap());
        assert_eq!(json, "\"\\u202e\\udb40\\udc01\\u007fé\"");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn quoted_texts_are_short_and_hide_nothing() {
        assert_eq!(shown("a\u{202e}b\n👩‍🚒"), "a\\u{202e}b\\u{a}👩‍🚒");
        assert_eq!(shown(&"x".repeat(100)).chars().count(), 61);
    }
}
