//! Dates as people say them, turned into EDTF; only the command line takes them.
//!
//! A phrase is split into plain words ([`words`]), then read from the outside inwards: what relates dates to
//! each other ([`range`]), flags and fillers ([`single`]), and the forms of one date ([`relative`],
//! [`numeric`], [`period`], [`calendar`]). No step invents precision: `between 2017 and 2019` is one
//! happening at one of the members, `2 months ago` is a month, `before July 2023` ends with June. What can
//! be read in two ways is refused, with both readings.
//!
//! Rulings: `until 2019` is `/2019`, since it does not claim that there was no beginning, while `since 2004`
//! is `2004/..` and still goes on. `19th century` is `18XX`. A season without a hemisphere is northern.

mod calendar;
mod numeric;
mod period;
mod range;
mod relative;
mod single;
mod words;

use super::Date;
use super::error::Fault;
use crate::Day;

/// EDTF, or nothing when the words have another form, or a refusal of words that were understood.
type Reading = Result<Option<String>, Fault>;

/// Reads a phrase; without a `today`, the forms that need one are not understood.
pub fn read(text: &str, today: Option<Day>) -> Reading {
    /// Longer texts are not phrases.
    const LONGEST: usize = 200;
    if text.len() > LONGEST {
        return Ok(None);
    }
    if let Some(edtf) = loose_edtf(text) {
        return Ok(Some(edtf));
    }
    let words = words::split(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    range::phrase(&words, today)
}

/// EDTF in lower case, with spaces around its punctuation or with a typographical minus.
fn loose_edtf(text: &str) -> Option<String> {
    let mut tight = String::with_capacity(text.len());
    for c in text.replace('\u{2212}', "-").to_ascii_uppercase().chars() {
        match c {
            '/' | ',' | '[' | ']' | '{' | '}' => {
                tight.truncate(tight.trim_end().len());
                tight.push(c);
            }
            ' ' if tight.ends_with(['/', ',', '[', '{']) => {}
            _ => tight.push(c),
        }
    }
    Date::exact(&tight).ok().map(|date| date.text.as_ref().into())
}
