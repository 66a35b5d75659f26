//! One date: flags and fillers around one of the forms that a date can have.
//!
//! `in about 2010`, `July 2023?` and `possibly on 2 Oct 2023` are a form with words around it. A time of day
//! may follow a day.

use edtf_core::Edtf;

use super::{Reading, calendar, numeric, period, relative};
use crate::Day;
use crate::date::Date;
use crate::date::error::Fault;
use crate::date::read;

/// A single date as EDTF, with its flags.
pub fn date(mut words: &[&str], today: Option<Day>) -> Reading {
    let (mut approximate, mut uncertain) = (false, false);
    loop {
        words = match words {
            [first, rest @ ..] if is_circa(first) => {
                approximate = true;
                rest
            }
            [first, rest @ ..] if is_maybe(first) => {
                uncertain = true;
                rest
            }
            [rest @ .., "?"] => {
                uncertain = true;
                rest
            }
            [rest @ .., "~"] => {
                approximate = true;
                rest
            }
            [rest @ .., "%"] => {
                (uncertain, approximate) = (true, true);
                rest
            }
            ["in" | "on" | "during" | "sometime" | "year", rest @ ..] => rest,
            _ => break,
        };
    }
    Ok(form(words, today)?.map(|text| text + flag(uncertain, approximate)))
}

/// The flag as EDTF writes it.
pub fn flag(uncertain: bool, approximate: bool) -> &'static str {
    match (uncertain, approximate) {
        (false, false) => "",
        (true, false) => "?",
        (false, true) => "~",
        (true, true) => "%",
    }
}

fn is_circa(word: &str) -> bool {
    matches!(word, "circa" | "ca" | "c" | "about" | "around" | "approximately" | "approx" | "roughly" | "~")
}

fn is_maybe(word: &str) -> bool {
    matches!(word, "maybe" | "possibly" | "perhaps" | "probably" | "?")
}

fn form(words: &[&str], today: Option<Day>) -> Reading {
    if let ["early" | "mid" | "late", ..] = words {
        return Err(Fault::with_hint(
            format!("`{}` has no exact meaning", words[0]),
            "say which part you mean: first half of 2023, Q1 2023, between 1990 and 1993",
        ));
    }
    if let Some(text) = relative::read(words, today).or_else(|| edtf(words)) {
        return Ok(Some(text));
    }
    let forms = [numeric::read, period::read, calendar::read];
    for form in forms {
        if let Some(text) = form(words)? {
            return Ok(Some(text));
        }
    }
    at_time(words, today)
}

/// A word of EDTF that is one date: `2004`, `2004-xx`.
fn edtf(words: &[&str]) -> Option<String> {
    let [word] = words else { return None };
    let date = Date::exact(&word.to_ascii_uppercase()).ok()?;
    (!date.text.contains(['/', '[', '{'])).then(|| date.text.as_ref().into())
}

/// A day and a time of day: `2 Oct 2023 at 14:30`, `2023-10-02 14:30:05Z`.
fn at_time(words: &[&str], today: Option<Day>) -> Reading {
    let (day, time, zone) = match words {
        [day @ .., time, "utc" | "gmt" | "z"] => (day, time, "Z"),
        [day @ .., time] => (day, time, ""),
        [] => return Ok(None),
    };
    let day = day.strip_suffix(&["at"]).unwrap_or(day);
    let is_time = time.bytes().all(|b| b.is_ascii_digit() || b":+-.z".contains(&b));
    let Some((hour, rest)) = time.split_once(':').filter(|(hour, _)| matches!(hour.len(), 1 | 2)) else {
        return Ok(None);
    };
    if day.is_empty() || !is_time {
        return Ok(None);
    }
    let Some(day) = form(day, today)? else { return Ok(None) };
    let is_day =
        matches!(read::value(&day), Ok(Edtf::Date(date)) if date.day.is_some() && !date.has_unspecified());
    if !is_day {
        return Err(Fault::with_hint("a time of day needs a day", "name the day, or leave the time out"));
    }
    Ok(Some(format!("{day}T{hour:0>2}:{}{zone}", rest.to_ascii_uppercase())))
}
