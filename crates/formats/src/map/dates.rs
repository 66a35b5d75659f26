//! The date of a row: from one cell, from its two ends, or from year, month, day and time in cells of their own.
//!
//! The date is exactly as precise as the cells: without a day it is a month, without a month a year. A time
//! needs a day, an hour and a minute; where one of them is missing, or where a second has a fraction, EDTF has no
//! room for the rest, which is then handed back for `extra` and not lost.

use annals_model::{Date, Invalid, YearText};

use super::number::integer;
use super::target::Field;

/// What the cells of a row have said about its date so far.
#[derive(Debug, Default)]
pub struct Dates {
    date: Option<Date>,
    start: Option<String>,
    end: Option<String>,
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    hour: Option<i64>,
    minute: Option<i64>,
    second: Option<Second>,
}

#[derive(Clone, Copy, Debug)]
struct Second {
    whole: i64,
    has_fraction: bool,
}

impl Dates {
    /// Takes one cell that is not empty.
    pub fn put(&mut self, field: Field, cell: &str) -> Result<(), Invalid> {
        if cell.trim().is_empty() {
            return Ok(());
        }
        match field {
            Field::Start => self.start = Some(cell.to_owned()),
            Field::End => self.end = Some(cell.to_owned()),
            Field::Year => self.year = Some(integer(cell, "a year", i64::MIN..=i64::MAX)?),
            Field::HistoricalYear => self.year = Some(historical(cell)?),
            Field::Month => self.month = Some(integer(cell, "a month (1 to 12)", 1..=12)?),
            Field::Day => self.day = Some(integer(cell, "a day of a month (1 to 31)", 1..=31)?),
            Field::Hour => self.hour = Some(integer(cell, "an hour (0 to 24)", 0..=24)?),
            Field::Minute => self.minute = Some(integer(cell, "a minute (0 to 59)", 0..=59)?),
            Field::Second => self.second = Some(Second::read(cell)?),
            _ => self.date = Some(Date::parse(cell)?),
        }
        Ok(())
    }

    /// The date, and the fields that it has no room for.
    pub fn finish(self) -> Result<(Option<Date>, Vec<Field>), Invalid> {
        if self.date.is_some() {
            return Ok((self.date, Vec::new()));
        }
        if self.start.is_some() || self.end.is_some() {
            let text = format!("{}/{}", self.start.unwrap_or_default(), self.end.unwrap_or_default());
            return Ok((Some(Date::parse(&text)?), Vec::new()));
        }
        let Some(text) = self.day_text()? else { return Ok((None, self.time_fields())) };
        let (Some(_), Some(hour), Some(minute)) = (self.day, self.hour, self.minute) else {
            return Ok((Some(Date::parse(&text)?), self.time_fields()));
        };
        let second = self.second.map_or(0, |second| second.whole);
        let has_fraction = self.second.is_some_and(|second| second.has_fraction);
        let left = if has_fraction { vec![Field::Second] } else { Vec::new() };
        Ok((Some(Date::parse(&format!("{text}T{hour:02}:{minute:02}:{second:02}"))?), left))
    }

    fn day_text(&self) -> Result<Option<String>, Invalid> {
        let without =
            |what: &str| Err(Invalid::new(what).with_hint("leave both empty where one is not known"));
        match (self.year.map(YearText), self.month, self.day) {
            (None, None, None) => Ok(None),
            (None, ..) => without("there is a month or a day without a year"),
            (Some(_), None, Some(_)) => without("there is a day without a month"),
            (Some(year), None, None) => Ok(Some(year.to_string())),
            (Some(year), Some(month), None) => Ok(Some(format!("{year}-{month:02}"))),
            (Some(year), Some(month), Some(day)) => Ok(Some(format!("{year}-{month:02}-{day:02}"))),
        }
    }

    fn time_fields(&self) -> Vec<Field> {
        let fields = [
            (self.hour.is_some(), Field::Hour),
            (self.minute.is_some(), Field::Minute),
            (self.second.is_some(), Field::Second),
        ];
        fields.into_iter().filter(|(is_there, _)| *is_there).map(|(_, field)| field).collect()
    }
}

impl Second {
    fn read(cell: &str) -> Result<Self, Invalid> {
        let (whole, fraction) = cell.split_once('.').unwrap_or((cell, "0"));
        let what = "a second (0 to 60)";
        if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return integer(cell, what, 0..=60).map(|whole| Self { whole, has_fraction: false });
        }
        // `.5` is half of the first second.
        let whole = if whole.is_empty() { 0 } else { integer(whole, what, 0..=60)? };
        Ok(Self { whole, has_fraction: fraction.bytes().any(|b| b != b'0') })
    }
}

/// A year as historians count, without a year zero, as the astronomical year of EDTF.
fn historical(cell: &str) -> Result<i64, Invalid> {
    match integer(cell, "a year", i64::MIN + 1..=i64::MAX)? {
        0 => Err(Invalid::new("there is no year 0 between 1 BCE (-1) and 1 CE (1)")
            .with_hint("use the target `year` if the table counts astronomical years")),
        year if year < 0 => Ok(year + 1),
        year => Ok(year),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cells: &[(Field, &str)], expect: &str) {
        let mut dates = Dates::default();
        let read = cells.iter().try_for_each(|(field, cell)| dates.put(*field, cell));
        let shown = match read.and_then(|()| dates.finish()) {
            Ok((date, left)) => {
                let date = date.map_or("none".to_owned(), |date| date.to_string());
                left.iter().fold(date, |text, field| format!("{text} +{}", field.name()))
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expect, "{cells:?}");
    }

    #[test]
    fn a_date_is_as_precise_as_its_cells() {
        use Field::{Day, HistoricalYear, Hour, Minute, Month, Second, Year};
        check(&[], "none");
        check(&[(Year, "2010")], "2010");
        check(&[(Year, "2010"), (Month, "1")], "2010-01");
        check(&[(Year, "2010"), (Month, "1.0"), (Day, "12")], "2010-01-12");
        check(&[(Year, "-43"), (Month, "3"), (Day, "15")], "-0043-03-15");
        check(&[(HistoricalYear, "-44"), (Month, "3"), (Day, "15")], "-0043-03-15");
        check(&[(HistoricalYear, "-1")], "0000");
        check(&[(HistoricalYear, "79")], "0079");
        check(&[(HistoricalYear, "0")], "there is no year 0 between 1 BCE (-1) and 1 CE (1)");
        check(&[(Year, "-12000")], "Y-12000");
        check(&[(Year, "2010"), (Day, "12")], "there is a day without a month");
        check(&[(Month, "12")], "there is a month or a day without a year");
        check(&[(Year, "2010"), (Month, "21")], "`21` is not a month (1 to 12)");
        let day = [(Year, "2010"), (Month, "1"), (Day, "12")];
        let at = |time: &[(Field, &'static str)]| [&day, time].concat();
        check(&at(&[(Hour, "21"), (Minute, "53"), (Second, "10.0")]), "2010-01-12T21:53:10");
        check(&at(&[(Hour, "21"), (Minute, "53"), (Second, "10.6")]), "2010-01-12T21:53:10 +second");
        check(&at(&[(Hour, "21"), (Minute, "53")]), "2010-01-12T21:53:00");
        check(&at(&[(Hour, "21")]), "2010-01-12 +hour");
        check(&at(&[(Hour, "21"), (Second, ".5")]), "2010-01-12 +hour +second");
        check(&[(Year, "2010"), (Hour, "21"), (Minute, "53")], "2010 +hour +minute");
    }

    #[test]
    fn two_ends_make_an_interval() {
        use Field::{Date, End, Start};
        check(&[(Start, "2004"), (End, "2017-10")], "2004/2017-10");
        check(&[(Start, "2004"), (End, "")], "2004/");
        check(&[(Start, "  "), (End, "2017")], "/2017");
        check(&[(Start, "2004"), (End, "..")], "2004/..");
        check(&[(Start, ""), (End, "")], "none");
        check(&[(Date, "2010~")], "2010~");
    }
}
