//! Periods with a name: `spring 2023`, `Q3 2023`, `first half of 2023`, `the 1990s`, `19th century`.
//!
//! Seasons, quarters and halves have codes in EDTF, decades and centuries are masks. A century is the mask
//! that people mean by it, `18XX` for the 19th, although the century strictly begins and ends one year
//! later.

use super::numeric::short_year;
use super::words::{is_before_christ, is_number, ordinal};
use super::{Reading, calendar};
use crate::date::error::Fault;
use crate::moment::YearText;

/// The period, when the words are one.
pub fn read(words: &[&str]) -> Reading {
    match words {
        [word] => match quarter_token(word) {
            Some((code, year)) => of_year(code, &[year]),
            None => decade(word),
        },
        [nth, "century"] => Ok(ordinal(nth).and_then(|nth| century(nth, false))),
        [nth, "century", era] => Ok(ordinal(nth)
            .zip(is_before_christ(era))
            .and_then(|(nth, before_christ)| century(nth, before_christ))),
        [nth, "quarter", year @ ..] => within("q", ordinal(nth), year),
        [nth, "half", year @ ..] => within("h", ordinal(nth), year),
        [side @ ("northern" | "southern"), name, year @ ..] => match season(name) {
            Some(code) => of_year(code + if *side == "northern" { 4 } else { 8 }, year),
            None => Ok(None),
        },
        [name, year @ ..] if code(name).is_some() => code(name).map_or(Ok(None), |code| of_year(code, year)),
        [year @ .., name] => code(name).map_or(Ok(None), |code| of_year(code, year)),
        [] => Ok(None),
    }
}

fn within(kind: &str, nth: Option<u32>, year: &[&str]) -> Reading {
    match nth.and_then(|nth| code(&format!("{kind}{nth}"))) {
        Some(code) => of_year(code, year),
        None => Ok(None),
    }
}

fn code(name: &str) -> Option<u8> {
    match name {
        "q1" => Some(33),
        "q2" => Some(34),
        "q3" => Some(35),
        "q4" => Some(36),
        "h1" => Some(40),
        "h2" => Some(41),
        _ => season(name),
    }
}

fn season(name: &str) -> Option<u8> {
    match name {
        "spring" => Some(21),
        "summer" => Some(22),
        "autumn" | "fall" => Some(23),
        "winter" => Some(24),
        _ => None,
    }
}

/// `2023-q3`, `q3/2023`.
fn quarter_token(word: &str) -> Option<(u8, &str)> {
    let (first, second) = word.split_once(['-', '/'])?;
    match (code(first), code(second)) {
        (Some(code), _) => Some((code, second)),
        (_, Some(code)) => Some((code, first)),
        _ => None,
    }
}

fn of_year(code: u8, year: &[&str]) -> Reading {
    Ok(calendar::year(year)?.map(|year| format!("{}-{code}", YearText(year))))
}

fn decade(word: &str) -> Reading {
    let Some(digits) = word.strip_suffix('s').map(|word| word.trim_start_matches('\'')) else {
        return Ok(None);
    };
    match digits.strip_suffix('0').filter(|stem| is_number(stem)) {
        Some(stem) if stem.len() == 1 => Err(short_year()),
        Some(stem) if stem.len() == 3 && stem.ends_with('0') => Err(Fault::with_hint(
            "it can be read in two ways",
            format!("write {stem}X for the decade or {}XX for the century", &stem[..2]),
        )),
        Some(stem) if stem.len() == 3 => Ok(Some(format!("{stem}X"))),
        _ => Ok(None),
    }
}

fn century(nth: u32, before_christ: bool) -> Option<String> {
    // There was no year 0 between them, and no mask ends or begins where they meet.
    match (nth, before_christ) {
        (1, true) => return Some("[-0099..0000]".to_owned()),
        (1, false) => return Some("[0001..0100]".to_owned()),
        _ => {}
    }
    let sign = if before_christ { "-" } else { "" };
    (1..=100).contains(&nth).then(|| format!("{sign}{:02}XX", nth - 1))
}
