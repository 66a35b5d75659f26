//! Dates with the name of a month, and years with their era: `2nd October 2023`, `March 44 BC`, `AD 79`.
//!
//! The words may come in any order that people use; what each one is follows from the word itself. The year
//! is the number with four digits, or the one that an era makes a year.

use super::Reading;
use super::numeric::{day_text, short_year};
use super::words::{is_before_christ, is_number, month, ordinal, weekday};
use crate::date::error::Fault;
use crate::date::names::WEEKDAYS;
use crate::moment::{DAY, MAX_YEAR, YearText};
use crate::{Day, Moment};

/// The parts of a date, each found at most once.
#[derive(Default)]
struct Parts<'a> {
    weekday: Option<usize>,
    month: Option<u8>,
    before_christ: Option<bool>,
    numbers: Vec<&'a str>,
}

/// The date, when the words are the parts of one.
pub fn read(words: &[&str]) -> Reading {
    let Some(parts) = Parts::find(words) else { return Ok(None) };
    let Some(month) = parts.month else {
        // A number alone is EDTF's to judge; with an era it is a year.
        let era = parts.before_christ.filter(|_| parts.weekday.is_none());
        return era.map_or(Ok(None), |_| Ok(year(words)?.map(|year| YearText(year).to_string())));
    };
    let (day, year) = match (parts.numbers.as_slice(), parts.before_christ) {
        ([year], Some(before_christ)) => (None, of_era(year, before_christ)?),
        ([day, year], Some(before_christ)) => (Some(*day), of_era(year, before_christ)?),
        ([year], None) if is_year(year) => (None, year.parse().ok()),
        ([day, year] | [year, day], None) if is_year(year) && !is_year(day) => {
            (Some(*day), year.parse().ok())
        }
        ([_] | [_, _], None) => return Err(short_year()),
        _ => return Ok(None),
    };
    let Some(year) = year else { return Ok(None) };
    let Some(day) = day else { return Ok(Some(format!("{}-{month:02}", YearText(year)))) };
    let Some(day) = ordinal(day).or_else(|| day.parse().ok()) else { return Ok(None) };
    let text = day_text(year, month, day)?;
    if let (Some(claimed), Ok(day)) = (parts.weekday, u8::try_from(day)) {
        check_weekday(claimed, Day { year, month, day })?;
    }
    Ok(Some(text))
}

/// A year alone, counted as astronomers do: `2023`, `44 bc` (-43), `ad 79`.
pub fn year(words: &[&str]) -> Result<Option<i64>, Fault> {
    match words {
        [year] if is_year(year) => Ok(year.parse().ok()),
        [year] if is_number(year) && year.len() < 4 => Err(short_year()),
        [number, era] | [era, number] if is_number(number) => match is_before_christ(era) {
            Some(before_christ) => of_era(number, before_christ),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

impl<'a> Parts<'a> {
    /// Sorts the words; nothing when one is of another kind or comes twice.
    fn find(words: &[&'a str]) -> Option<Self> {
        let mut parts = Self::default();
        for word in words {
            let unfit = if let Some(era) = is_before_christ(word) {
                parts.before_christ.replace(era).is_some()
            } else if let Some(month) = month(word) {
                parts.month.replace(month).is_some()
            } else if let Some(weekday) = weekday(word) {
                parts.weekday.replace(weekday).is_some()
            } else if is_number(word)
                || (ordinal(word).is_some() && word.starts_with(|c: char| c.is_ascii_digit()))
            {
                parts.numbers.push(word);
                false
            } else {
                true
            };
            if unfit {
                return None;
            }
        }
        Some(parts)
    }
}

fn is_year(word: &str) -> bool {
    word.len() == 4 && is_number(word)
}

fn of_era(number: &str, before_christ: bool) -> Result<Option<i64>, Fault> {
    let Some(number) = number.parse::<i64>().ok().filter(|year| (0..=MAX_YEAR).contains(year)) else {
        return Ok(None);
    };
    if number == 0 {
        return Err(Fault::with_hint("there is no year 0 in that era", "1 BC is followed by AD 1"));
    }
    Ok(Some(if before_christ { 1 - number } else { number }))
}

fn check_weekday(claimed: usize, day: Day) -> Result<(), Fault> {
    // 1970-01-01, where the axis has its zero, was a Thursday.
    let days = Moment::start_of(day).seconds().div_euclid(DAY);
    let real = usize::try_from((days + 3).rem_euclid(7)).ok().and_then(|index| WEEKDAYS.get(index));
    match real {
        Some(real) if WEEKDAYS.get(claimed) != Some(real) => Err(Fault::with_hint(
            "the weekday is wrong",
            format!("{day} is a {real}; check the day or leave the weekday out"),
        )),
        _ => Ok(()),
    }
}
