//! Dates that depend on the day on which they are said: `yesterday`, `3 weeks ago`, `last year`.
//!
//! The day is passed in; the library has no clock. What is counted in months is a month, what is counted in
//! years is a year.

use super::words;
use crate::moment::{DAY, YearText};
use crate::{Day, Moment};

/// More days, weeks, months or years than this are not counted back.
const FURTHEST: i64 = 100_000;

#[derive(Clone, Copy)]
enum Unit {
    Day,
    Week,
    Month,
    Year,
}

/// The date, when the words are such a phrase.
pub fn read(words: &[&str], today: Option<Day>) -> Option<String> {
    let today = today?;
    match words {
        ["today"] => back(today, 0, Unit::Day),
        ["yesterday"] => back(today, 1, Unit::Day),
        ["day", "before", "yesterday"] => back(today, 2, Unit::Day),
        ["tomorrow"] => back(today, -1, Unit::Day),
        [count, unit, "ago"] => back(today, words::count(count)?, named(unit)?),
        [which @ ("last" | "this" | "next"), unit @ ("month" | "year")] => {
            let count = match *which {
                "last" => 1,
                "this" => 0,
                _ => -1,
            };
            back(today, count, named(unit)?)
        }
        _ => None,
    }
}

fn named(unit: &str) -> Option<Unit> {
    match unit {
        "day" | "days" => Some(Unit::Day),
        "week" | "weeks" => Some(Unit::Week),
        "month" | "months" => Some(Unit::Month),
        "year" | "years" => Some(Unit::Year),
        _ => None,
    }
}

fn back(today: Day, count: i64, unit: Unit) -> Option<String> {
    if count > FURTHEST {
        return None;
    }
    let days_ago = |days: i64| {
        let moment = Moment::from_seconds(Moment::start_of(today).seconds() - days * DAY);
        moment.civil().0.to_string()
    };
    Some(match unit {
        Unit::Day => days_ago(count),
        Unit::Week => days_ago(count * 7),
        Unit::Month => {
            let months = today.year * 12 + i64::from(today.month) - 1 - count;
            format!("{}-{:02}", YearText(months.div_euclid(12)), months.rem_euclid(12) + 1)
        }
        Unit::Year => YearText(today.year - count).to_string(),
    })
}
