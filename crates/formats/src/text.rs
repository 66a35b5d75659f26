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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_texts_are_short_and_hide_nothing() {
        assert_eq!(shown("a\u{202e}b\n👩‍🚒"), "a\\u{202e}b\\u{a}👩‍🚒");
        assert_eq!(shown(&"x".repeat(100)).chars().count(), 61);
    }
}
