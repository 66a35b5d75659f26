//! The few texts that we accept although EDTF writes them otherwise, turned into valid EDTF.
//!
//! Spaces beside the marks of a set, a time without seconds, and midnight written as 24:00. The result is
//! what the date keeps. A text that needs none of them is handed on as it is, and one that is wrong is left
//! for the grammar to refuse; [`read`](super::read) adds what we accept without rewriting.

use std::borrow::Cow;

use edtf_core::Edtf;

use super::error::Fault;
use crate::moment::days_in_month;

/// Bytes of a text, unless it is a set.
const LONGEST: usize = 1_000;
/// Bytes of a set.
const LONGEST_SET: usize = 10_000;

/// The valid form of an accepted text; also the place where texts of absurd length end.
pub fn normalise(text: &str) -> Result<Cow<'_, str>, Fault> {
    let is_set = text.starts_with(['[', '{']);
    let limit = if is_set { LONGEST_SET } else { LONGEST };
    if text.len() > limit {
        return Err(Fault::with_hint(
            format!("it has {} bytes, the limit is {limit}", text.len()),
            "write an interval, or several events",
        ));
    }
    if is_set {
        Ok(without_spaces_beside_marks(text))
    } else if let Some((date, time)) = text.split_once('T').filter(|_| !text.contains('/')) {
        date_time(text, date, time)
    } else {
        Ok(Cow::Borrowed(text))
    }
}

/// Drops the spaces beside the marks of a set; one within a date is left for the grammar to refuse.
fn without_spaces_beside_marks(text: &str) -> Cow<'_, str> {
    if !text.contains(' ') {
        return Cow::Borrowed(text);
    }
    let is_mark = |c: char| matches!(c, ',' | '.' | '[' | ']' | '{' | '}');
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let next = rest.clone().find(|c| *c != ' ');
        if c != ' ' || !(out.ends_with(is_mark) || next.is_none_or(is_mark)) {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

fn date_time<'a>(text: &'a str, date: &str, time: &str) -> Result<Cow<'a, str>, Fault> {
    let whole = match time.as_bytes() {
        [h, i, b':', m, n, rest @ ..]
            if [h, i, m, n].iter().all(|b| b.is_ascii_digit())
                && matches!(rest, [] | [b'Z' | b'+' | b'-', ..]) =>
        {
            Some(format!("{}:00{}", &time[..5], &time[5..]))
        }
        _ => None,
    };
    let midnight = whole.as_deref().unwrap_or(time).strip_prefix("24:00:00");
    match (midnight, whole.as_ref()) {
        (Some(offset), _) => match day_after(date)? {
            Some(next) => Ok(Cow::Owned(format!("{next}T00:00:00{offset}"))),
            None => Ok(Cow::Borrowed(text)),
        },
        (None, Some(whole)) => Ok(Cow::Owned(format!("{date}T{whole}"))),
        (None, None) => Ok(Cow::Borrowed(text)),
    }
}

/// The day after a plain `YYYY-MM-DD`; nothing when it is not one, since the grammar then has more to say.
fn day_after(date: &str) -> Result<Option<String>, Fault> {
    let Ok(Edtf::Date(parsed)) = Edtf::parse(date) else { return Ok(None) };
    let (Some(month), Some(day), Some(year)) = (
        parsed.month.and_then(edtf_core::DateField::value),
        parsed.day.and_then(edtf_core::DateField::value),
        parsed.year.value().filter(|year| *year >= 0),
    ) else {
        return Ok(None);
    };
    let (year, month, day) = if day < days_in_month(year, month) {
        (year, month, day + 1)
    } else if month < 12 {
        (year, month + 1, 1)
    } else {
        (year + 1, 1, 1)
    };
    if year > 9_999 {
        return Err(Fault::new("EDTF writes times of day only up to the year 9999"));
    }
    Ok(Some(format!("{year:04}-{month:02}-{day:02}")))
}
