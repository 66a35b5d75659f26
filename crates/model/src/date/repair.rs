//! Small changes that turn a nearly right text into EDTF, for hints only: nothing is ever repaired silently.
//!
//! The changes are those that real files need: other dashes, lower case, one-digit months, the draft of EDTF
//! from 2012 (`199u`, `open`, `?~`), fractions of a second, a `Y` before a common year. They are applied one
//! after the other, and the first text that parses is the suggestion.

use super::{Date, fast};
use crate::moment::{YearText, days_in_month};

/// The text after as few changes as make it parse.
pub fn repaired(text: &str) -> Option<String> {
    let changes: [fn(&str) -> String; 7] = [
        ascii_dashes,
        |text| text.replace("?~", "%").replace("~?", "%"),
        draft_words,
        |text| text.to_ascii_uppercase(),
        |text| text.replace("-00:00", "Z"),
        without_fraction,
        |text| each_piece(text, piece),
    ];
    let mut candidate = text.to_owned();
    for change in changes {
        let next = change(&candidate);
        if next != candidate && Date::exact(&next).is_ok() {
            return Some(next);
        }
        candidate = next;
    }
    None
}

/// A number that is no year of four digits: the readings that it may have.
pub fn bare_number(text: &str) -> Option<String> {
    let (sign, number) = match text.strip_prefix('-') {
        Some(number) => ("-", number),
        None => ("", text),
    };
    let (digits, flag) = match number.strip_suffix(['?', '~', '%']) {
        Some(digits) => (digits, &number[digits.len()..]),
        None => (number, ""),
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hint = match digits.len() {
        1 => format!("write {sign}000{digits}{flag} for the year"),
        2 => format!("write {sign}{digits}XX{flag} for the century, {sign}00{digits}{flag} for the year"),
        3 => format!("write {sign}{digits}X{flag} for the decade, {sign}0{digits}{flag} for the year"),
        4 if digits == "0000" => "write 0000 for 1 BCE, -0001 for 2 BCE".to_owned(),
        8 if sign.is_empty() && fast::span(&with_dashes(digits)).is_some() => {
            format!("write {} for the day, Y{digits} for the year", with_dashes(digits))
        }
        5.. => match digits.trim_start_matches('0') {
            year if year.len() > 4 => format!("write Y{sign}{year}{flag} for the year"),
            year => format!("write {sign}{year:0>4}{flag} for the year"),
        },
        _ => return None,
    };
    Some(hint)
}

fn with_dashes(digits: &str) -> String {
    format!("{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..])
}

/// A day that the month does not have, or a month and a day in the wrong order.
pub fn impossible_day(text: &str) -> Option<String> {
    let (year, month, day) = numbers(text)?;
    if (1..=12).contains(&day) && (13..=31).contains(&month) {
        return Some(format!("write {}-{day:02}-{month:02}: the month comes before the day", YearText(year)));
    }
    let length = (1..=12).contains(&month).then(|| days_in_month(year, month))?;
    (day > length).then(|| {
        let month = format!("{}-{month:02}", YearText(year));
        format!("{month} has {length} days; write {month}-XX when the day is not certain")
    })
}

fn numbers(text: &str) -> Option<(i64, u8, u8)> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    match rest.split('-').collect::<Vec<_>>().as_slice() {
        [year, month, day] if year.len() == 4 => {
            Some((sign * year.parse::<i64>().ok()?, month.parse().ok()?, day.parse().ok()?))
        }
        _ => None,
    }
}

fn ascii_dashes(text: &str) -> String {
    text.replace(['\u{2010}', '\u{2011}', '\u{2212}'], "-")
}

/// What the draft of 2012 wrote as `199u`, `open` and `unknown`.
fn draft_words(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    lower.replace("unknown", "").replace("open", "..").replace('u', "x")
}

fn without_fraction(text: &str) -> String {
    match text.split_once('T').and_then(|(date, time)| Some((date, time.split_once('.')?))) {
        Some((date, (time, rest))) => {
            format!("{date}T{time}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
        }
        None => text.to_owned(),
    }
}

/// Applies a change to each single date of an interval or a set.
fn each_piece(text: &str, change: fn(&str) -> Option<String>) -> String {
    text.split_inclusive(['/', ',', '.', '[', ']', '{', '}'])
        .map(|part| {
            let piece = part.trim_end_matches(['/', ',', '.', '[', ']', '{', '}']);
            let separator = &part[piece.len()..];
            change(piece).map_or_else(|| part.to_owned(), |right| right + separator)
        })
        .collect()
}

fn piece(text: &str) -> Option<String> {
    common_year(text)
        .or_else(|| text.strip_prefix("-0000").map(|rest| format!("0000{rest}")))
        .or_else(|| padded(text))
}

/// `Y2004` as `2004`.
fn common_year(text: &str) -> Option<String> {
    let year: i64 = text.strip_prefix('Y')?.parse().ok()?;
    Some(YearText(year).to_string())
}

/// `2023-7-4` as `2023-07-04`.
fn padded(text: &str) -> Option<String> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let (year, fields) = rest.split_once('-')?;
    let fields: Vec<String> = fields.split('-').map(|field| format!("{field:0>2}")).collect();
    Some(format!("{sign}{year}-{}", fields.join("-")))
}
