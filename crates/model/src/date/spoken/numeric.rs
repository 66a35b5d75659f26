//! Dates in figures with separators: `2023/07/14`, `25.12.1985`, `07/2023`.
//!
//! A day and a month that could change places are refused with both readings, whatever the separator: half
//! of the world writes them one way round and half the other.

use super::Reading;
use super::words::is_number;
use crate::date::error::Fault;
use crate::moment::{YearText, days_in_month};

/// The date, when the words are one group of figures.
pub fn read(words: &[&str]) -> Reading {
    let [word] = words else { return Ok(None) };
    for separator in ['/', '.', '-'] {
        let parts: Vec<&str> = word.split(separator).collect();
        if !parts.iter().all(|part| is_number(part) && part.len() <= 4) {
            continue;
        }
        match parts.as_slice() {
            [year, month, day] if year.len() == 4 => return full(year, month, day),
            [first, second, year] if year.len() == 4 => return either_way(first, second, year),
            [_, _, _] => return Err(short_year()),
            [month, year] if year.len() == 4 && month.len() <= 2 => return Ok(of_month(year, month)),
            [year, month] if year.len() == 4 && month.len() == 1 => return Ok(of_month(year, month)),
            [year, end] if year.len() == 4 && end.len() == 2 && *end > &year[2..] => {
                return Err(month_or_year(year, end));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// The refusal of a year with too few digits.
pub fn short_year() -> Fault {
    Fault::with_hint(
        "the year is not clear",
        "write the year with four digits, or with its era: AD 79, 44 BC",
    )
}

/// A day as EDTF, if the calendar has it.
pub fn day_text(year: i64, month: u8, day: u32) -> Result<String, Fault> {
    let length = days_in_month(year, month);
    let month = format!("{}-{month:02}", YearText(year));
    if day == 0 || day > u32::from(length) {
        return Err(Fault::with_hint(
            format!("there is no day {day} in that month"),
            format!("{month} has {length} days; write {month}-XX when the day is not certain"),
        ));
    }
    Ok(format!("{month}-{day:02}"))
}

fn full(year: &str, month: &str, day: &str) -> Reading {
    match (year.parse(), month.parse(), day.parse()) {
        (Ok(year), Ok(month @ 1..=12), Ok(day)) => day_text(year, month, day).map(Some),
        _ => Ok(None),
    }
}

fn of_month(year: &str, month: &str) -> Option<String> {
    match month.parse::<u8>() {
        Ok(month @ 1..=12) => Some(format!("{year}-{month:02}")),
        _ => None,
    }
}

fn either_way(first: &str, second: &str, year: &str) -> Reading {
    let (Ok(a), Ok(b)) = (first.parse::<u8>(), second.parse::<u8>()) else { return Ok(None) };
    let is_month = |number: u8| (1..=12).contains(&number);
    match (is_month(a), is_month(b)) {
        (true, true) if a != b => Err(Fault::with_hint(
            "it can be read in two ways",
            format!("write {year}-{b:02}-{a:02} (day first) or {year}-{a:02}-{b:02} (month first)"),
        )),
        (_, true) => full(year, second, first),
        (true, false) => full(year, first, second),
        (false, false) => Ok(None),
    }
}

/// `2004/05` and `1914-18`: May 2004 to some, 2004 to 2005 to others.
fn month_or_year(year: &str, end: &str) -> Fault {
    let interval = format!("{year}/{}{end}", &year[..2]);
    match of_month(year, end) {
        Some(month) => Fault::with_hint(
            "it can be read in two ways",
            format!("write {month} for the month or {interval} for the years"),
        ),
        None => Fault::with_hint("the second year is not clear", format!("write {interval}")),
    }
}
