//! The date of a fact. Years, months and days are stored as the number of a day and what they are, and not as text.
//!
//! ```text
//! 0       no date
//! 1       one happening and no interval: first second (zigzag), seconds to the last one, text
//! 2       any other date: text
//! 3       a plain date, told by its first day, as all that follow: a day
//! 4, 5    a year of 365 or 366 days
//! 6 to 9  a month of 28 to 31 days
//! 10      one interval: its first second (zigzag), seconds to the last one that it can start at, to the first one
//!         and to the last one that it can end at, text
//! 11      the same in days, the last ones included
//! ```

use annals_model::date::{Range, Span};
use annals_model::{Date, Moment};

use super::bytes::{Input, put_number};
use super::words::{Numbers, Words};

/// The seconds of a day.
pub const DAY: i64 = 86_400;
/// The last day of what is no plain date: none that is ever over.
pub const NEVER: i64 = i64::MAX;
const NONE: u8 = 0;
const BOUNDED: u8 = 1;
const OTHER: u8 = 2;
const INTERVAL: u8 = 10;
const DAYS: u8 = 11;

/// A date as it is stored.
#[derive(Clone, Copy, Debug)]
pub enum Dated<'a> {
    /// There is none.
    None,
    /// A year, a month or a day: its code, and its first day since 1970.
    Plain(u8, i64),
    /// One happening, no interval.
    Bounded(Range, &'a str),
    /// One interval.
    Interval(Span, &'a str),
    /// Any other.
    Other(&'a str),
}

/// How many days a plain date has, by its code.
const fn length(code: u8) -> Option<i64> {
    Some(match code {
        3 => 1,
        4 => 365,
        5 => 366,
        6 => 28,
        7 => 29,
        8 => 30,
        9 => 31,
        _ => return None,
    })
}

/// How many days lie between the first and the last one of a plain date, by its code.
const DAYS_BEHIND: [i64; 16] = {
    let (mut behind, mut code) = ([NEVER; 16], 0);
    while code < 16 {
        if let Some(length) = length(code) {
            behind[code as usize] = length - 1;
        }
        code += 1;
    }
    behind
};

/// The last day of a plain date; [`NEVER`] where the code is that of another one.
#[inline]
pub const fn last_day(code: u8, first: i64) -> i64 {
    let behind = DAYS_BEHIND[(code & 15) as usize];
    if behind == NEVER { NEVER } else { first.saturating_add(behind) }
}

/// The day of a moment, since 1970.
pub const fn day_of(moment: Moment) -> i64 {
    moment.seconds().div_euclid(DAY)
}

/// Whether the four lower bits are the code of a plain date.
#[inline]
pub const fn is_plain(byte: u8) -> bool {
    (byte & 15).wrapping_sub(3) <= 6
}

/// The bounds of a plain date.
#[inline]
pub fn plain_range(code: u8, days: i64) -> Option<Range> {
    let earliest = days.checked_mul(DAY)?;
    let latest = earliest.checked_add(length(code)? * DAY - 1)?;
    Some(Range { earliest: Moment::from_seconds(earliest), latest: Moment::from_seconds(latest) })
}

impl<'a> Dated<'a> {
    /// A date.
    pub fn of(date: Option<&'a Date>) -> Self {
        let Some(date) = date else { return Self::None };
        let text = date.as_str();
        if let Some(span) = Date::plain_span(text) {
            let days = span.start.earliest.seconds().div_euclid(DAY);
            let is = |code: &u8| plain_range(*code, days).is_some_and(|range| range == span.start);
            let code = (3..=9).find(is).filter(|code| spelled(*code, days).as_deref() == Some(text));
            if let Some(code) = code {
                return Self::Plain(code, days);
            }
        }
        match date.happenings() {
            [span] if !date.is_interval() && span.start == span.end => Self::Bounded(span.start, text),
            [span] if date.is_interval() => Self::Interval(*span, text),
            _ => Self::Other(text),
        }
    }

    /// What tells dates apart, in four bits.
    pub fn code(&self) -> u8 {
        match self {
            Self::None => NONE,
            Self::Bounded(..) => BOUNDED,
            Self::Other(_) => OTHER,
            Self::Interval(span, _) if in_days(*span).is_some() => DAYS,
            Self::Interval(..) => INTERVAL,
            Self::Plain(code, _) => *code,
        }
    }

    /// The first day since 1970, of a plain date.
    pub const fn day(&self) -> Option<i64> {
        match self {
            Self::Plain(_, days) => Some(*days),
            Self::None | Self::Bounded(..) | Self::Interval(..) | Self::Other(_) => None,
        }
    }

    /// The first day since 1970 that it allows; the least there is where that is not told without a look at its text.
    pub const fn first_day(&self) -> i64 {
        match self {
            Self::Plain(_, days) => *days,
            Self::Bounded(range, _) => day_of(range.earliest),
            Self::Interval(span, _) => day_of(span.start.earliest),
            Self::None | Self::Other(_) => i64::MIN,
        }
    }

    /// Appends what follows the code, the day of a plain date included.
    pub fn put_whole(&self, into: &mut Vec<u8>) {
        match self.day() {
            Some(day) => put_signed(into, day),
            None => self.put_rest(into, &Numbers::default()),
        }
    }

    /// Reads what [`Self::put_whole`] put.
    pub fn read_whole(code: u8, input: &mut Input<'a>) -> Option<Self> {
        let day = if length(code).is_some() { signed(input)? } else { 0 };
        Self::read(code, day, input, Words::none())
    }

    /// Appends what follows the code of a date that is not plain.
    pub fn put_rest(&self, into: &mut Vec<u8>, words: &Numbers) {
        match self {
            Self::None | Self::Plain(..) => {}
            Self::Bounded(Range { earliest, latest }, text) => {
                put_signed(into, earliest.seconds());
                put_number(into, latest.seconds().wrapping_sub(earliest.seconds()).cast_unsigned());
                words.put(into, text.as_bytes());
            }
            Self::Interval(span, text) => {
                let seconds = [span.start.earliest, span.start.latest, span.end.earliest, span.end.latest];
                let [first, others @ ..] = in_days(*span).unwrap_or(seconds.map(Moment::seconds));
                put_signed(into, first);
                for other in others {
                    put_number(into, other.wrapping_sub(first).cast_unsigned());
                }
                words.put(into, text.as_bytes());
            }
            Self::Other(text) => words.put(into, text.as_bytes()),
        }
    }

    /// Reads what follows the code of a date that is not plain; `day` is the first one of a date that is.
    #[inline]
    pub fn read(code: u8, day: i64, input: &mut Input<'a>, words: &'a Words) -> Option<Self> {
        let text = |input: &mut Input<'a>| std::str::from_utf8(words.text(input)?).ok();
        Some(match code {
            NONE => Self::None,
            BOUNDED => {
                let earliest = signed(input)?;
                let latest = earliest.wrapping_add_unsigned(input.number()?);
                let (earliest, latest) = (Moment::from_seconds(earliest), Moment::from_seconds(latest));
                Self::Bounded(Range { earliest, latest }, text(input)?)
            }
            OTHER => Self::Other(text(input)?),
            INTERVAL | DAYS => Self::Interval(interval(code, input)?, text(input)?),
            _ => Self::Plain(length(code).map(|_| code)?, day),
        })
    }

    /// The bounds, where it is one happening and no interval.
    pub fn range(&self) -> Option<Range> {
        match self {
            Self::None => Some(Range::ANY),
            Self::Plain(code, days) => plain_range(*code, *days),
            Self::Bounded(range, _) => Some(*range),
            Self::Interval(..) | Self::Other(_) => None,
        }
    }

    /// The text, where it is stored as one.
    pub const fn text(&self) -> Option<&'a str> {
        match self {
            Self::None | Self::Plain(..) => None,
            Self::Bounded(_, text) | Self::Interval(_, text) | Self::Other(text) => Some(text),
        }
    }

    /// The text of a plain date.
    pub fn spelled(&self) -> Option<String> {
        match self {
            Self::Plain(code, days) => spelled(*code, *days),
            _ => None,
        }
    }
}

/// The bounds of an interval in days, where each begins with one and ends with one.
fn in_days(Span { start, end }: Span) -> Option<[i64; 4]> {
    let first = |moment: Moment| Some(moment.seconds()).filter(|seconds| seconds % DAY == 0);
    let last = |moment: Moment| moment.seconds().checked_add(1).filter(|seconds| seconds % DAY == 0);
    let ends = [first(start.earliest)?, last(start.latest)?, first(end.earliest)?, last(end.latest)?];
    let days = ends.map(|seconds| seconds / DAY);
    Some([days[0], days[1] - 1, days[2], days[3] - 1])
}

/// Reads the bounds of an interval.
fn interval(code: u8, input: &mut Input<'_>) -> Option<Span> {
    let first = signed(input)?;
    let mut next = || Some(first.wrapping_add_unsigned(input.number()?));
    let bounds = [first, next()?, next()?, next()?];
    let moment = |(number, is_last): (i64, bool)| {
        let seconds = match (code, is_last) {
            (DAYS, false) => number.checked_mul(DAY)?,
            (DAYS, true) => number.checked_add(1)?.checked_mul(DAY)? - 1,
            _ => number,
        };
        Some(Moment::from_seconds(seconds))
    };
    let [a, b, c, d] = bounds;
    let start = Range { earliest: moment((a, false))?, latest: moment((b, true))? };
    Some(Span { start, end: Range { earliest: moment((c, false))?, latest: moment((d, true))? } })
}

fn spelled(code: u8, days: i64) -> Option<String> {
    let (day, _) = Moment::from_seconds(days.checked_mul(DAY)?).civil();
    let year = u16::try_from(day.year).ok().filter(|year| *year <= 9999)?;
    let digit = |number: u16| char::from(b'0' + u8::try_from(number % 10).unwrap_or(0));
    let mut text = String::with_capacity(10);
    for size in [1000, 100, 10, 1] {
        text.push(digit(year / size));
    }
    let parts: &[u8] = match code {
        3 => &[day.month, day.day],
        4 | 5 => &[],
        _ => &[day.month],
    };
    for part in parts {
        text.push('-');
        text.push(digit(u16::from(*part) / 10));
        text.push(digit(u16::from(*part)));
    }
    Some(text)
}

fn put_signed(into: &mut Vec<u8>, number: i64) {
    put_number(into, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

fn signed(input: &mut Input<'_>) -> Option<i64> {
    let number = input.number()?;
    Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use annals_model::date::Span;

    use super::*;

    #[test]
    fn dates_are_read_as_they_were_put_and_plain_ones_have_no_text() {
        let plain =
            ["2004", "1999", "0000", "9999", "1970-01-01", "2004-02", "2003-02", "2003-04", "0001-12-31"];
        let others =
            ["2004~", "-0044-03-15", "2004/2005", "{2003,2005-05}", "2004-01-01T12:00:00", "201X", "Y-17E7"];
        let intervals = ["2004/2005", "2004-05-06/2004-05-07", "2004/..", "../2004", "/2005", "/"];
        for text in plain.iter().chain(&others).chain(&intervals) {
            let date = Date::parse(text).unwrap();
            let dated = Dated::of(Some(&date));
            assert_eq!(matches!(dated, Dated::Plain(..)), plain.contains(text), "{text}");
            let mut bytes = Vec::new();
            dated.put_whole(&mut bytes);
            assert!(!plain.contains(text) || bytes.len() <= 4, "{text}");
            let mut input = Input(&bytes);
            let read = Dated::read_whole(dated.code(), &mut input).unwrap();
            assert!(input.is_empty());
            assert_eq!(read.spelled().as_deref().or(read.text()), Some(*text));
            if let Some(range) = read.range() {
                assert_eq!([Span::within(range)], date.happenings(), "{text}");
            }
            assert_eq!(matches!(dated, Dated::Interval(..)), intervals.contains(text), "{text}");
            if let Dated::Interval(span, _) = read {
                assert_eq!([span], date.happenings(), "{text}");
            }
            assert!(Dated::read_whole(12, &mut Input(&bytes)).is_none());
        }
    }
}
