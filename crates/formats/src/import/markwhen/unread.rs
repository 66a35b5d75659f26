//! Dates that a line begins with and that cannot be read: relative ones, and forms that Annals does not know.
//!
//! Markwhen dates an event by the one before, by the present, or by a week of the year; taken for text, such a line
//! would vanish in the event above it. A line is looked at word by word: where all of its words are those of dates,
//! it is meant as one.

use annals_model::Invalid;

use super::dates::digits;
use crate::text::shown;

const UNITS: [&str; 18] = [
    "millisecond",
    "second",
    "minute",
    "hour",
    "day",
    "weekday",
    "workday",
    "week",
    "month",
    "quarter",
    "year",
    "decade",
    "century",
    "ms",
    "sec",
    "min",
    "time",
    "h",
];

/// What may stand directly behind a number.
const SUFFIXES: [&str; 23] = [
    "", "am", "pm", "st", "nd", "rd", "th", "bce", "bc", "ce", "ad", "z", "ms", "s", "'s", "sec", "min",
    "mins", "m", "h", "d", "w", "y",
];

/// Words that stand among numbers, units and months.
const WORDS: [&str; 24] = [
    "now",
    "after",
    "before",
    "by",
    "every",
    "other",
    "for",
    "to",
    "ago",
    "business",
    "work",
    "s",
    "d",
    "w",
    "y",
    "bce",
    "bc",
    "ce",
    "ad",
    "am",
    "pm",
    "centuries",
    "spring",
    "noon",
];

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

pub const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Why a date cannot be read; nothing where a text is none.
pub fn refusal(text: &str) -> Option<Invalid> {
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| c.is_whitespace() || matches!(c, '/' | '-' | '–' | '—' | ',' | '+' | ':'))
        .filter(|word| !word.is_empty())
        .collect();
    let first = *words.first()?;
    let begins = is_number(first)
        || is_month(first)
        || first.starts_with('!')
        || matches!(first, "now" | "after" | "before" | "by" | "every");
    let says_when =
        |word: &&str| is_number(word) || is_month(word) || word.starts_with('!') || *word == "now";
    let is_date = begins
        && words.iter().all(|word| is_word(word))
        && (words.iter().any(says_when) || (first == "every" && words.len() > 1));
    if !is_date {
        return None;
    }
    let names_year = words.iter().any(|word| digits(word.get(..4).unwrap_or_default(), 4..=4).is_some());
    let is_relative =
        words.iter().any(|word| word.starts_with('!') || matches!(*word, "now" | "after" | "before" | "by"));
    Some(if names_year && !is_relative {
        Invalid::new(format!("`{}` is no date that is read here", shown(text)))
            .with_hint("write it as in 2004, 2004-10-12 or 2004-10-12/2004-10-15")
    } else {
        Invalid::new(format!("the date `{}` follows from another event or from the present", shown(text)))
            .with_hint("write the date itself")
    })
}

fn is_word(word: &str) -> bool {
    is_number(word)
        || is_month(word)
        || (word.starts_with('!') && word.len() > 1)
        || WORDS.contains(&word)
        || DAYS.contains(&word)
        || UNITS.contains(&word.strip_suffix('s').unwrap_or(word))
        // A quarter, a week.
        || word.strip_prefix(['q', 'w', 'x']).is_some_and(|number| digits(number, 1..=3).is_some())
}

/// `12`, `12th`, `10am`, `5d`, and the pieces of `2024W05` and `06T10:00:00.000Z`.
fn is_number(word: &str) -> bool {
    let number = word.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = word.split_at(number);
    let is_pieces = || {
        let parts: Vec<&str> = rest.trim_end_matches('z').split(['t', 'w', '.']).collect();
        matches!(parts.as_slice(), ["", part] if digits(part, 1..=9).is_some())
    };
    digits(number, 1..=9).is_some() && (SUFFIXES.contains(&rest) || is_pieces())
}

/// A month by its name, or by its first three letters.
pub fn is_month(word: &str) -> bool {
    word == "sept" || MONTHS.iter().any(|name| *name == word || (word.len() == 3 && name.starts_with(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_as_a_date_is_told_from_texts() {
        let check = |text: &str, expect: &str| {
            let refused = refusal(text).map_or_else(|| "text".to_owned(), |invalid| invalid.to_string());
            assert_eq!(refused, expect, "{text}");
        };
        for date in [
            "now",
            "now/2030",
            "after !start 3 days",
            "2 business days",
            "3 days 2 hours",
            "5d",
            "!start",
            "Jan 5",
        ] {
            check(date, &format!("the date `{date}` follows from another event or from the present"));
        }
        for date in
            ["March", "10", "10am", "10:30am - 11am", "every day", "every 2 weeks", "2004 - !a", "5 - 6"]
        {
            check(date, &format!("the date `{date}` follows from another event or from the present"));
        }
        for date in
            ["2024-W05", "2024W053", "2024-Q1", "2024 - 2 weeks", "2024-05-06 10:30 am", "- 2004", "2024-"]
        {
            check(date, &format!("`{date}` is no date that is read here"));
        }
        check(
            "2004-10-12T10:00:00.5Z/2004-10-12T11:00Z",
            "`2004-10-12T10:00:00.5Z/2004-10-12T11:00Z` is no date that is read here",
        );
        for text in [
            "",
            "-",
            "Note",
            "by",
            "after",
            "for",
            "every",
            "month",
            "day 3",
            "time 10",
            "10 items",
            "1. first",
            "3 days later",
            "2 of 3",
            "2004 budget",
            "before long",
            "a 2004",
            "[2004]",
            "marchy",
            "!",
            "x9",
        ] {
            check(text, "text");
        }
    }
}
