//! What a database's user has to do by hand: the bounds of the date forms that the workload has.
//!
//! Written by itself and not taken from the engine, so that equal answers say something. Days, months, years,
//! `~`, and intervals of days.

/// Seconds since 1970 of the four bounds of a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// It starts no earlier.
    pub start_earliest: i64,
    /// It starts no later.
    pub start_latest: i64,
    /// It ends no earlier.
    pub end_earliest: i64,
    /// It ends no later.
    pub end_latest: i64,
}

/// Reads a date; nothing where it has another form.
pub fn bounds(text: &str) -> Option<Bounds> {
    let (start, end) = text.split_once('/').unwrap_or((text, text));
    let (start_earliest, start_latest) = range(start)?;
    let (end_earliest, end_latest) = range(end)?;
    Some(Bounds { start_earliest, start_latest, end_earliest, end_latest })
}

/// The first and the last second of a day, month or year.
fn range(text: &str) -> Option<(i64, i64)> {
    let text = text.strip_suffix('~').unwrap_or(text);
    let year = number(text.get(..4)?)?;
    let first = |year, month, day| days(year, month, day) * 86_400;
    let (from, until) = match text.len() {
        4 => (first(year, 1, 1), first(year + 1, 1, 1)),
        7 => {
            let month = number(text.get(5..7)?)?;
            let next = if month == 12 { first(year + 1, 1, 1) } else { first(year, month + 1, 1) };
            (first(year, month, 1), next)
        }
        10 => {
            let from = first(year, number(text.get(5..7)?)?, number(text.get(8..10)?)?);
            (from, from + 86_400)
        }
        _ => return None,
    };
    Some((from, until - 1))
}

fn number(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// Days since 1970 of a day of the Gregorian calendar, after the year 0.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_the_calendar() {
        let check = |text: &str, from: i64, until: i64| {
            let found = bounds(text).unwrap();
            assert_eq!((found.start_earliest, found.end_latest), (from, until), "{text}");
        };
        check("1970-01-01", 0, 86_399);
        check("1970~", 0, 365 * 86_400 - 1);
        check("1972-02", 761 * 86_400, 790 * 86_400 - 1);
        check("1999-12/2000-01-01", 10_926 * 86_400, 10_958 * 86_400 - 1);
        assert_eq!(bounds("199X"), None);
    }
}
