//! The dates that an event of Markwhen begins with.
//!
//! Years, months and days with dashes or slashes, months by name, years before and after Christ, instants, and two
//! of them with a slash, a dash or `to` between. A date that needs another event or the present to be known is told
//! from a text, and refused.

use std::ops::RangeInclusive;

use annals_model::{Date, Invalid, YearText};

use super::unread::{self, MONTHS};

/// Colons that may stand in a date: those of its times, and the one behind it.
const COLONS: usize = 7;

/// Bytes that a date may have.
const LONGEST: usize = 120;

/// The number up to which a lone one is an hour.
const LAST_HOUR: i64 = 25;

/// Which of two numbers in `10/2/2023` is the month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    MonthFirst,
    DayFirst,
}

/// The date that a line begins with.
#[derive(Debug)]
pub struct Dated {
    /// As the file has it.
    pub written: String,
    /// As EDTF, or why there is none.
    pub edtf: Result<String, Invalid>,
    /// How it repeats.
    pub repeats: Option<String>,
    /// Whether EDTF holds less than what is written: the times of an interval.
    pub is_cut: bool,
}

/// One side of a date: EDTF, and a time of day behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Side {
    day: String,
    time: Option<String>,
}

/// The date of a line that begins an event, and what stands behind the colon.
pub fn begin(line: &str, order: Order) -> Option<(Dated, &str)> {
    let line = line.trim_start();
    let colons = || line.match_indices(':').map(|(at, _)| at).take(COLONS).take_while(|at| *at <= LONGEST);
    for colon in colons() {
        let (written, rest) = (line[..colon].trim_end(), &line[colon + 1..]);
        let (date, repeats) = match written.split_once(" every ") {
            Some((date, how)) => (date.trim_end(), Some(format!("every {how}"))),
            None => (written, None),
        };
        if let Some((edtf, is_cut)) = read(date, order).filter(|_| !goes_on(date, rest)) {
            let dated = Dated { written: written.to_owned(), edtf, repeats, is_cut };
            return Some((dated, rest));
        }
    }
    // What cannot be read is as long as it is made of the words of dates.
    let unread =
        colons().filter_map(|colon| Some((colon, unread::refusal(line[..colon].trim_end())?))).last();
    let (colon, invalid) = unread?;
    let written = line[..colon].trim_end().to_owned();
    Some((Dated { written, edtf: Err(invalid), repeats: None, is_cut: false }, &line[colon + 1..]))
}

/// Whether the colon behind a date is one within its time of day.
fn goes_on(date: &str, rest: &str) -> bool {
    let next = rest.bytes().take_while(u8::is_ascii_digit).count();
    let has_seconds = next == 2 && rest[next..].trim_start().starts_with([':', '-', '–', '/']);
    (date.contains('T') && next > 0) || (date.contains(':') && has_seconds)
}

/// The EDTF of a date and whether it was cut; nothing where a text is none.
fn read(text: &str, order: Order) -> Option<(Result<String, Invalid>, bool)> {
    if let Some(side) = side(text, order) {
        return Some((Ok(joined(&side)), false));
    }
    if let Some((edtf, is_cut)) = range(text, order) {
        return Some((edtf, is_cut));
    }
    if let Some(years) = years(text) {
        return Some((years, false));
    }
    // What Markwhen would swallow, but people mean: `2004?`, `201X`, `2023-10-02/..`.
    let begins =
        text.starts_with(|c: char| c.is_ascii_digit()) || text.starts_with('-') || text.starts_with("..");
    if begins && let Ok(date) = Date::parse(text) {
        return Some((Ok(date.to_string()), false));
    }
    let is_slashed = text.contains('/') && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'/');
    if is_slashed && begins && text.len() <= 20 {
        let invalid = Invalid::new(format!("`{text}` is no date")).with_hint("as in 10/12/2004, month first");
        return Some((Err(invalid), false));
    }
    None
}

fn joined(side: &Side) -> String {
    match &side.time {
        Some(time) => format!("{}T{time}", side.day),
        None => side.day.clone(),
    }
}

/// Two sides with `/`, ` - `, `-` or ` to ` between them; `now` at the end means that it still goes on.
fn range(text: &str, order: Order) -> Option<(Result<String, Invalid>, bool)> {
    for between in ["/", " - ", " to ", "-", "–"] {
        for (at, _) in text.match_indices(between) {
            let (start, end) = (text[..at].trim(), text[at + between.len()..].trim());
            // A slash parts months and days, too; only whole years and dates with dashes stand beside one.
            if between == "/" && dashes(start).is_none() {
                continue;
            }
            let Some(start) = side(start, order) else { continue };
            if end.eq_ignore_ascii_case("now") {
                return Some((Ok(format!("{}/..", start.day)), start.time.is_some()));
            }
            let Some(end) = side(end, order) else { continue };
            let is_cut = start.time.is_some() || end.time.is_some();
            let edtf = if start.day == end.day { start.day } else { format!("{}/{}", start.day, end.day) };
            return Some((Ok(edtf), is_cut));
        }
    }
    None
}

/// One date, with or without a time.
fn side(text: &str, order: Order) -> Option<Side> {
    if let Some(instant) = instant(text) {
        return Some(instant);
    }
    if let Some((day, time)) = text.rsplit_once(' ')
        && let Some(time) = time_of_day(time)
        && let Some(day) =
            dashes(day.trim()).or_else(|| slashes(day.trim(), order)).or_else(|| named(day.trim()))
        && day.len() >= 10
    {
        return Some(Side { day, time: Some(time) });
    }
    let day = dashes(text).or_else(|| slashes(text, order)).or_else(|| named(text))?;
    Some(Side { day, time: None })
}

/// `2023-10-02T15:30:00Z`, with or without a fraction, which Annals does not keep.
fn instant(text: &str) -> Option<Side> {
    let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
    let clock = time.split('.').next()?;
    let is_clock = clock.len() == 8 && time_of_day(&clock[..5]).is_some();
    Some(Side { day: dashes(day).filter(|_| is_clock)?, time: Some(format!("{clock}Z")) })
}

/// `2004`, `2004-10`, `2004-10-12`.
fn dashes(text: &str) -> Option<String> {
    let mut parts = text.split('-');
    let is_year = digits(parts.next()?, 4..=4).is_some();
    let is_short = parts.clone().count() <= 2 && parts.all(|part| digits(part, 2..=2).is_some());
    (is_year && is_short).then(|| text.to_owned())
}

/// `2004`, `10/2004`, `10/12/2004`; years of any length up to five.
fn slashes(text: &str, order: Order) -> Option<String> {
    let parts: Vec<&str> = text.split('/').map(str::trim).collect();
    let (year, rest) = parts.split_last()?;
    let year = YearText(digits(year, 1..=5)?).to_string();
    let number = |part: &str| digits(part, 1..=2).map(|number| format!("-{number:02}"));
    // From 21 on EDTF would take a month for a season.
    let is_month = |part: &str| digits(part, 1..=2).is_some_and(|month| (1..=12).contains(&month));
    match *rest {
        // Markwhen takes so small a number for an hour.
        [] if parts[0].len() < 3 && digits(parts[0], 1..=2)? <= LAST_HOUR => None,
        [] => Some(year),
        [month] if digits(parts[1], 3..=5).is_some() && is_month(month) => Some(year + &number(month)?),
        [first, second] => {
            let (month, day) = if order == Order::MonthFirst { (first, second) } else { (second, first) };
            is_month(month).then(|| Some(year + &number(month)? + &number(day)?))?
        }
        _ => None,
    }
}

/// `Oct 2010`, `October 12, 2010`, `12 October 2010`.
fn named(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase().replace(',', " ");
    let words: Vec<&str> = lower.split_whitespace().collect();
    let month = |word: &str| {
        let at = MONTHS.iter().position(|name| unread::is_month(word) && name.starts_with(&word[..3]));
        at.map(|at| format!("-{:02}", at + 1))
    };
    let day = |word: &str| digits(word, 1..=2).map(|day| format!("-{day:02}"));
    let year = |word: &str| digits(word, 4..=4).map(|year| YearText(year).to_string());
    match *words.as_slice() {
        [name, last] => Some(year(last)? + &month(name)?),
        [first, second, last] => match month(first) {
            Some(month) => Some(year(last)? + &month + &day(second)?),
            None => Some(year(last)? + &month(second)? + &day(first)?),
        },
        _ => None,
    }
}

/// `44 BCE`, `300–200 BCE`, `50 BCE - 50 CE`.
fn years(text: &str) -> Option<Result<String, Invalid>> {
    let one = |text: &str| {
        let text = text.trim();
        let number = text.bytes().take_while(u8::is_ascii_digit).count();
        let era = text.get(number..)?.trim().to_ascii_uppercase();
        let year = digits(&text[..number], 1..=5)?;
        match era.as_str() {
            "BCE" | "BC" => Some((year, Some(true))),
            "CE" | "AD" => Some((year, Some(false))),
            "" => Some((year, None)),
            _ => None,
        }
    };
    let astronomical = |year: i64, is_before: bool| match (year, is_before) {
        (0, _) => Err(Invalid::new("there is no year 0 before or after Christ")),
        (year, true) => Ok(YearText(1 - year).to_string()),
        (year, false) => Ok(YearText(year).to_string()),
    };
    if let Some((year, Some(is_before))) = one(text) {
        return Some(astronomical(year, is_before));
    }
    let (start, end) = text.split_once(['-', '–'])?;
    let ((start, start_era), (end, end_era)) = (one(start)?, one(end)?);
    let end_is_before = end_era?;
    let start = astronomical(start, start_era.unwrap_or(end_is_before));
    Some(start.and_then(|start| Ok(format!("{start}/{}", astronomical(end, end_is_before)?))))
}

/// `15:30`, `15:30:59`, `5pm`, `5:30am`.
fn time_of_day(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let (clock, shift) = match (lower.strip_suffix("am"), lower.strip_suffix("pm")) {
        (Some(clock), _) => (clock, Some(0)),
        (_, Some(clock)) => (clock, Some(12)),
        _ => (lower.as_str(), None),
    };
    let mut parts = clock.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next(), parts.next());
    if parts.next().is_some() || (minute.is_none() && shift.is_none()) {
        return None;
    }
    let sixtieth = |part: Option<&str>| part.map_or(Some(0), |part| digits(part, 2..=2));
    let (minute, second) = (sixtieth(minute)?, sixtieth(second)?);
    let hour = digits(hour, 1..=2)?;
    let hour = match shift {
        Some(shift) if (1..=12).contains(&hour) => hour % 12 + shift,
        Some(_) => return None,
        None => hour,
    };
    (hour < 24 && minute < 60 && second < 60).then(|| format!("{hour:02}:{minute:02}:{second:02}"))
}

/// A number of so many digits.
pub fn digits(text: &str, length: RangeInclusive<usize>) -> Option<i64> {
    let is_number = length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expect: &str) {
        let found = begin(line, Order::MonthFirst).map(|(dated, rest)| {
            let cut = if dated.is_cut { " cut" } else { "" };
            let repeats = dated.repeats.map_or_else(String::new, |how| format!(" {how}"));
            format!("{}{cut}{repeats} |{rest}", dated.edtf.unwrap_or_else(|error| error.to_string()))
        });
        assert_eq!(found.as_deref().unwrap_or("no date"), expect, "{line}");
    }

    #[test]
    fn dates_are_read_as_markwhen_reads_them() {
        check("2004: A", "2004 | A");
        check("  2004-10 : A", "2004-10 | A");
        check("2004-10-12/2005:A", "2004-10-12/2005 |A");
        check("10/12/2004: A", "2004-10-12 | A");
        check("10/2004 - 12/2005: A", "2004-10/2005-12 | A");
        check("2017/2019: A: b", "2017/2019 | A: b");
        check("800: A", "0800 | A");
        check("44 BCE: A", "-0043 | A");
        check("300–200 BC: A", "-0299/-0199 | A");
        check("50 BCE - 50 CE: A", "-0049/0050 | A");
        check("Oct 2010: A", "2010-10 | A");
        check("October 12, 2010 - 14 Nov 2010: A", "2010-10-12/2010-11-14 | A");
        check("2010-10-12 15:30: A", "2010-10-12T15:30:00 | A");
        check("2010-10-12 15:30 - 2010-10-12 16:45: A", "2010-10-12 cut | A");
        check("2010-10-12 5pm: A", "2010-10-12T17:00:00 | A");
        check("2010-10-12 15:30:59: A", "2010-10-12T15:30:59 | A");
        check("2010-10-12 15:30: 20 came", "2010-10-12T15:30:00 | 20 came");
        check("2010-10-12 15:30:20 people: A", "2010-10-12T15:30:00 |20 people: A");
        check("45: A", "0045 | A");
        check("2023-10-02T15:30:00Z: A", "2023-10-02T15:30:00Z | A");
        check("2010 - now: A", "2010/.. | A");
        check("2010-10-12 every week for 3 weeks: A", "2010-10-12 every week for 3 weeks | A");
    }

    #[test]
    fn what_markwhen_would_swallow_is_an_event_all_the_same() {
        check("2004?: A", "2004? | A");
        check("201X: A", "201X | A");
        check("2023-10-02/..: A", "2023-10-02/.. | A");
        check("21/2004: A", "`21/2004` is no date | A");
        check("13/12/2004: A", "`13/12/2004` is no date | A");
        check("../2019: A", "../2019 | A");
        check("-0043-03-15: A", "-0043-03-15 | A");
    }

    #[test]
    fn dates_that_depend_on_others_are_refused_and_texts_are_texts() {
        let refused =
            |date: &str| format!("the date `{date}` follows from another event or from the present |");
        for date in ["now", "after !start 3 days", "5 days", "!start", "10", "Jan 5", "25"] {
            check(&format!("{date}:"), &refused(date));
        }
        check("10:30am - 11am: A", &refused("10:30am - 11am").replace(" |", " | A"));
        check("5-6: A", &refused("5-6").replace(" |", " | A"));
        check("2024-W05/2024-W07: A", "`2024-W05/2024-W07` is no date that is read here | A");
        check("2024-05-06 10:00 - 11:00: A", "`2024-05-06 10:00 - 11:00` is no date that is read here | A");
        check(
            "2024-05-06T10:00Z/2024-05-06T11:00Z: A",
            "`2024-05-06T10:00Z/2024-05-06T11:00Z` is no date that is read here | A",
        );
        check("Note: 2004", "no date");
        check("[2004]: x", "no date");
        check("before long: x", "no date");
        check("plain", "no date");
        assert_eq!(begin("12/10/2004: A", Order::DayFirst).unwrap().0.edtf.unwrap(), "2004-10-12");
    }
}
