//! When an entry of a calendar is: whole days or a time of day, with what EDTF cannot hold put aside.

use annals_model::{DAY, Day, Invalid, Moment};

use super::{Kept, Property};
use crate::carried::{Found, Shown};
use crate::text::shown;

/// The properties that say when.
#[derive(Default)]
pub struct Times<'p> {
    pub start: Option<&'p Property>,
    pub end: Option<&'p Property>,
    pub duration: Option<&'p Property>,
}

impl Times<'_> {
    /// Puts the date into what was found, and what it cannot hold into what is kept.
    pub fn read(&self, found: &mut Found, kept: &mut Kept) {
        let Some(start) = self.start else {
            [self.end, self.duration].into_iter().flatten().for_each(|property| kept.add(property));
            return;
        };
        let value = start.value.trim();
        if value.len() == 8 {
            let last = self.end.map(|end| end.value.trim().to_owned());
            let length = self.duration.and_then(|duration| days(duration.value.trim()));
            if self.duration.is_some() && length.is_none() {
                self.duration.into_iter().for_each(|duration| kept.add(duration));
            }
            found.date = Some(whole_days(value, last.as_deref(), length, &mut found.shown));
            return;
        }
        found.date = Some(self.second(start, found, kept));
    }

    /// A time of day. Its end has no room in EDTF and is kept beside it.
    fn second(&self, start: &Property, found: &mut Found, kept: &mut Kept) -> Result<String, Invalid> {
        let value = start.value.trim();
        let zone = start.parameter("TZID");
        if let Some(zone) = zone {
            kept.0.insert("TZID".to_owned(), zone.into());
        }
        let end = self.end.filter(|end| end.value.trim() != value);
        [end, self.duration].into_iter().flatten().for_each(|property| kept.add(property));
        let form = if zone.is_some() { start.kept() } else { format!("DTSTART:{value}") };
        found.shown.dates.push(if end.is_none() && self.duration.is_none() { form } else { String::new() });
        let (date, time) = value.split_once(['T', 't']).ok_or_else(|| no_date(value))?;
        let first = day(date)?;
        let (time, zulu) = match time.strip_suffix(['Z', 'z']) {
            Some(time) => (time, "Z"),
            None => (time, ""),
        };
        let is_time = time.len() == 6 && time.bytes().all(|byte| byte.is_ascii_digit());
        if !is_time {
            return Err(no_date(value));
        }
        let last = end.and_then(|end| day(end.value.trim().get(..8)?).ok()).filter(|last| *last > first);
        match last {
            // From one day to another: the days say it, the times are kept.
            Some(last) if end.is_some_and(|end| !ends_at_midnight_after(first, last, &end.value)) => {
                kept.add(start);
                Ok(format!("{first}/{last}"))
            }
            _ => Ok(format!("{first}T{}:{}:{}{zulu}", &time[..2], &time[2..4], &time[4..6])),
        }
    }
}

/// Whether an end is the first second of the day after.
fn ends_at_midnight_after(first: Day, last: Day, value: &str) -> bool {
    let next = Moment::start_of(first).seconds() + DAY == Moment::start_of(last).seconds();
    next && value.trim().get(9..15) == Some("000000")
}

/// Whole days, the end exclusive; without an end it is one day.
fn whole_days(
    start: &str,
    end: Option<&str>,
    length: Option<i64>,
    shown: &mut Shown,
) -> Result<String, Invalid> {
    let first = day(start)?;
    let begin = Moment::start_of(first).seconds();
    let behind = match (end, length) {
        (Some(end), _) => Moment::start_of(day(end.get(..8).unwrap_or(end))?).seconds(),
        (None, Some(length)) => begin + length * DAY,
        (None, None) => begin + DAY,
    };
    if behind < begin {
        let invalid = Invalid::new("the entry ends before it starts");
        return Err(invalid.with_hint("write another DTEND; it is the day behind the last one"));
    }
    // Some programs write an end that is the start.
    let last = Moment::from_seconds(behind.max(begin + DAY) - DAY).civil().0;
    let (exclusive, _) = Moment::from_seconds(behind).civil();
    let compact = crate::rough::compact;
    shown.dates.push(format!("DTSTART;VALUE=DATE:{start}DTEND;VALUE=DATE:{}", compact(exclusive)));
    Ok(if last == first { first.to_string() } else { format!("{first}/{last}") })
}

/// `20231002`.
fn day(text: &str) -> Result<Day, Invalid> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u16>().ok();
    let is_plain = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    let (year, month, day) = (number(0..4), number(4..6), number(6..8));
    let parts = year
        .zip(month.and_then(|month| u8::try_from(month).ok()))
        .zip(day.and_then(|day| u8::try_from(day).ok()));
    match parts.filter(|_| is_plain) {
        Some(((year, month), day)) if (1..=12).contains(&month) => {
            let year = i64::from(year);
            let exists = (1..=annals_model::days_in_month(year, month)).contains(&day);
            if exists { Ok(Day { year, month, day }) } else { Err(no_date(text)) }
        }
        _ => Err(no_date(text)),
    }
}

fn no_date(text: &str) -> Invalid {
    Invalid::new(format!("`{}` is no date of a calendar", shown(text)))
        .with_hint("as in 20231002 or 20231002T153000Z")
}

/// The days of a duration in days or weeks: `P1D`, `P2W`.
fn days(text: &str) -> Option<i64> {
    let inside = text.trim_start_matches('+').strip_prefix('P')?;
    let (number, unit) = inside.split_at_checked(inside.len().checked_sub(1)?)?;
    let number: i64 = number.parse().ok().filter(|number| (1..100_000).contains(number))?;
    match unit {
        "D" => Some(number),
        "W" => Some(number * 7),
        _ => None,
    }
}
