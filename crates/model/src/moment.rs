//! A point on the date axis: whole seconds on the proleptic Gregorian calendar.
//!
//! chrono's years end at ±262,000, and EDTF's do not (`Y-17E7`), so the date axis has a type of its own: an
//! `i64` count of seconds since 1970-01-01T00:00:00, with both infinities as its ends. It knows no time zone:
//! civil time stands as it is written, and an instant with an offset has been turned to UTC by the parser.
//!
//! The record axis is another type, [`crate::RecordedAt`]; the two never mix.

use std::fmt;

use serde::{Serialize, Serializer};

/// Seconds in a day; the date axis has no leap seconds.
pub const DAY: i64 = 86_400;

/// The largest year, either side of zero, that still fits the axis.
pub const MAX_YEAR: i64 = 290_000_000_000;

/// A second on the date axis, or one of its two infinite ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

/// A day of the proleptic Gregorian calendar, year 0 being 1 BCE.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Day {
    /// Astronomical year: 0 is 1 BCE, -1 is 2 BCE.
    pub year: i64,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub day: u8,
}

impl Moment {
    /// Before everything: the start of `../2019`.
    pub const NEG_INFINITY: Self = Self(i64::MIN);
    /// After everything: the end of `2023-10-02/..`.
    pub const INFINITY: Self = Self(i64::MAX);

    /// The moment `seconds` after 1970-01-01T00:00:00; the two extreme values are the infinities.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970-01-01T00:00:00; `i64::MIN` and `i64::MAX` stand for the infinities.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// The first second of a day.
    pub const fn start_of(day: Day) -> Self {
        Self(days_from_civil(day) * DAY)
    }

    /// The last second of a day.
    pub const fn end_of(day: Day) -> Self {
        Self(days_from_civil(day) * DAY + (DAY - 1))
    }

    /// Whether the moment is a second and not an end of the axis.
    pub const fn is_finite(self) -> bool {
        self.0 != i64::MIN && self.0 != i64::MAX
    }

    /// The day that the moment lies in, and the second within it.
    ///
    /// Meaningful for finite moments only.
    pub const fn civil(self) -> (Day, u32) {
        let days = self.0.div_euclid(DAY);
        #[expect(clippy::cast_possible_truncation, reason = "0 to 86,399")]
        let second = self.0.rem_euclid(DAY) as u32;
        (civil_from_days(days), second)
    }

    /// The moment one second later; the infinities stay where they are.
    #[must_use]
    pub const fn next(self) -> Self {
        if self.is_finite() { Self(self.0 + 1) } else { self }
    }

    /// The moment one second earlier; the infinities stay where they are.
    #[must_use]
    pub const fn previous(self) -> Self {
        if self.is_finite() { Self(self.0 - 1) } else { self }
    }
}

/// `2018-12-31T23:59:59`, `-0043-03-15T00:00:00`, `Y-170000000-01-01T00:00:00`: the year as EDTF writes it.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NEG_INFINITY => f.write_str("-infinity"),
            Self::INFINITY => f.write_str("infinity"),
            _ => {
                let (day, second) = self.civil();
                write!(f, "{day}T{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
            }
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `2018-12-31`, `-0043-03-15`, `Y12345-01-01`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:02}-{:02}", YearText(self.year), self.month, self.day)
    }
}

/// A year as EDTF writes it: four digits, a minus sign before 0000, a `Y` beyond ±9999.
pub struct YearText(pub i64);

impl fmt::Display for YearText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        if magnitude > 9999 {
            write!(f, "Y{}", self.0)
        } else if self.0 < 0 {
            write!(f, "-{magnitude:04}")
        } else {
            write!(f, "{magnitude:04}")
        }
    }
}

/// Whether an astronomical year has a 29 February.
pub const fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

/// The number of days in a month (1 to 12) of a year.
pub const fn days_in_month(year: i64, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01, counted in eras of 400 years that begin on 1 March.
const fn days_from_civil(Day { year, month, day }: Day) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month as i64 + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day as i64 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`].
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "months and days are small")]
const fn civil_from_days(days: i64) -> Day {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u8;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 } as u8;
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    Day { year, month, day }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days_stand_where_the_calendar_puts_them() {
        let check = |text: &str, year, month, day, seconds: i64| {
            let day = Day { year, month, day };
            assert_eq!(Moment::start_of(day).seconds(), seconds, "{text}");
            assert_eq!(Moment::from_seconds(seconds).civil(), (day, 0), "{text}");
            assert_eq!(day.to_string(), text);
        };
        check("1970-01-01", 1970, 1, 1, 0);
        check("2000-02-29", 2000, 2, 29, 951_782_400);
        check("0000-01-01", 0, 1, 1, -62_167_219_200);
        check("-0044-03-15", -44, 3, 15, -63_549_360_000);
        check("Y10000-01-01", 10_000, 1, 1, 253_402_300_800);
    }

    #[test]
    fn every_day_of_ten_centuries_comes_back() {
        for days in -365_250..365_250 {
            let moment = Moment::from_seconds(days * DAY);
            let (day, second) = moment.civil();
            assert_eq!((Moment::start_of(day), second), (moment, 0));
            assert!(day.day <= days_in_month(day.year, day.month));
        }
    }

    #[test]
    fn the_far_past_and_the_far_future_fit() {
        for year in [-MAX_YEAR, -170_000_000, 170_000_000, MAX_YEAR] {
            let day = Day { year, month: 12, day: 31 };
            assert_eq!(Moment::end_of(day).civil(), (day, 86_399));
        }
        let text = Moment::start_of(Day { year: -170_000_000, month: 1, day: 1 }).to_string();
        assert_eq!(text, "Y-170000000-01-01T00:00:00");
    }
}
