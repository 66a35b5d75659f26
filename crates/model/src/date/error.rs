//! What a refused date says: the text, the reason, and the next step.
//!
//! Inside the module a refusal is a [`Fault`], which does not yet know the text that it belongs to: the
//! readers return it from any depth, and the way out adds the text and, where the reader had none, a hint.
//! Texts come from strangers, so control and direction characters are shown as escapes and long texts are
//! cut.

use std::borrow::Cow;
use std::fmt::Write;

/// Why a text is not a date, with the next step for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DateError {
    message: String,
    hint: Option<String>,
}

impl DateError {
    pub(super) fn refused(text: &str, fault: Fault) -> Self {
        let reason = fault.reason;
        let message = if text.is_empty() {
            "an empty text is not a date".to_owned()
        } else {
            format!("`{}` is not a date: {reason}", shown(text))
        };
        Self { message, hint: fault.hint }
    }

    /// The next step, when there is one to suggest.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

/// A refusal before the text is named.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub reason: Cow<'static, str>,
    pub hint: Option<String>,
}

impl Fault {
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into(), hint: None }
    }

    pub fn with_hint(reason: impl Into<Cow<'static, str>>, hint: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: Some(hint.into()) }
    }
}

/// A refusal by the grammar, in our words where its own would not help.
impl From<edtf_core::ParseError> for Fault {
    fn from(error: edtf_core::ParseError) -> Self {
        match OUR_WORDS.iter().find(|(theirs, ..)| *theirs == error.message) {
            Some((_, reason, "")) => Self::new(*reason),
            Some((_, reason, hint)) => Self::with_hint(*reason, *hint),
            None => Self::new(error.message),
        }
    }
}

/// What `edtf-core` says, the reason that we give instead, and a next step where it is always the same.
const OUR_WORDS: [(&str, &str, &str); 17] = [
    ("Y-prefixed years are year-precision only", "a year after `Y` has no month and no day", ""),
    ("EDTF permits ASCII characters only", "it holds a character that EDTF does not use", ""),
    ("whitespace is not allowed", "EDTF has no spaces", ""),
    ("year must have exactly four digits (or X)", "a year has four digits", ""),
    ("expected '-' before month", "a year has four digits, and only a month may follow", ""),
    ("-0000 is not a valid year", "there is no year -0000", ""),
    ("Y-prefixed years require |year| > 9999", "`Y` is for years of more than four digits", ""),
    ("leading zeros are not allowed in Y-prefixed years", "a year after `Y` has no leading zeros", ""),
    ("month must be two digits (or X)", "a month has two digits", ""),
    ("day must be two digits (or X)", "a day has two digits", ""),
    ("month must be 01-12 or a sub-year code 21-41", "a month is 01 to 12, or a season 21 to 41", ""),
    ("day is out of range for the month", "the month has no such day", ""),
    (
        "date-times require a complete YYYY-MM-DD date",
        "a time of day needs a whole day of the years 0000 to 9999",
        "write it as in 2023-10-02T23:20:00, or leave the time out",
    ),
    ("time must be hh:mm:ss", "a time has hours, minutes and seconds", "write it as in 2023-10-02T23:20:00"),
    (
        "hour must be 00-23 (24 is not allowed)",
        "an hour is 00 to 23, or the time 24:00:00",
        "write midnight as 00:00:00 of the next day",
    ),
    (
        "time shift exceeds ±14:00",
        "no place on Earth is further ahead of UTC than +14:00",
        "check the offset",
    ),
    (
        "set range endpoints must share precision",
        "the ends of the range differ in precision",
        "write both as days, as months or as years",
    ),
];

/// The text as it can be shown anywhere: at most 60 characters, nothing that moves a cursor or turns a line.
pub(super) fn shown(text: &str) -> String {
    const LIMIT: usize = 60;
    let mut out = String::with_capacity(text.len().min(LIMIT));
    for (index, c) in text.chars().enumerate() {
        if index == LIMIT {
            out.push('…');
            break;
        }
        if c.is_control() || is_invisible(c) {
            // Writing to a String cannot fail.
            let _ = write!(out, "{}", c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Characters that change how a line looks without being seen: direction marks, zero widths, line separators.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{061c}' | '\u{feff}')
}
