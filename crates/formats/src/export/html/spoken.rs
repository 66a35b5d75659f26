//! A date as a newspaper prints it: `July 2023`, `c. 2010`, `44 BCE`, `between 2017 and 2019`.
//!
//! For the eye only: the EDTF text stands beside it wherever the two differ, and whatever has no common form is left
//! as EDTF.

use annals_model::{Date, MONTHS};

const SEASONS: [&str; 4] = ["spring", "summer", "autumn", "winter"];

/// The date in print.
pub fn spoken(date: &Date) -> String {
    let text = date.as_str();
    if let Some((start, end)) = text.split_once('/') {
        return interval(start, end);
    }
    let within = |open, close| text.strip_prefix(open).and_then(|rest: &str| rest.strip_suffix(close));
    if let Some(members) = within('[', ']') {
        return one_of(members);
    }
    if let Some(members) = within('{', '}') {
        return listed(members, "and");
    }
    single(text)
}

/// Whether the print says all that there is to say, so that no sentence has to explain it.
pub fn says_all(date: &Date) -> bool {
    let is_plain = |part: &str| {
        part.len() >= 4
            && !part.starts_with('-')
            && part.bytes().all(|b| b.is_ascii_digit() || b == b'-')
            // A month from 21 on is a season or another part of a year, whose bounds not everybody knows.
            && part.get(5..7).is_none_or(|month| month <= "12")
    };
    let text = date.as_str();
    let range = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match range {
        Some(range) => range.split("..").all(|part| part.is_empty() || is_plain(part)),
        None => text.split('/').all(|part| part == ".." || is_plain(part)),
    }
}

fn interval(start: &str, end: &str) -> String {
    match (start, end) {
        ("..", "..") => "always".to_owned(),
        ("", "") => "at an unknown time".to_owned(),
        ("..", end) => format!("until {}", single(end)),
        ("", end) => format!("unknown – {}", single(end)),
        (start, "..") => format!("since {}", single(start)),
        (start, "") => format!("{} – unknown", single(start)),
        (start, end) => format!("{} – {}", single(start), single(end)),
    }
}

fn one_of(members: &str) -> String {
    match (members.contains(','), members.split_once("..")) {
        (false, Some(("", last))) => format!("{} or earlier", single(last)),
        (false, Some((first, ""))) => format!("{} or later", single(first)),
        (false, Some((first, last))) => format!("between {} and {}", single(first), single(last)),
        _ => listed(members, "or"),
    }
}

fn listed(members: &str, last_word: &str) -> String {
    let name = |member: &str| match member.split_once("..") {
        Some(("", last)) => format!("{} or earlier", single(last)),
        Some((first, "")) => format!("{} or later", single(first)),
        Some((first, last)) => format!("{} to {}", single(first), single(last)),
        None => single(member),
    };
    let names: Vec<String> = members.split(',').map(|member| name(member.trim())).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} {last_word} {last}", others.join(", ")),
        _ => names.concat(),
    }
}

/// One date with the flags that stand behind it.
fn single(text: &str) -> String {
    let (bare, circa, doubt) = match text.char_indices().last() {
        Some((at, '~')) => (&text[..at], "c. ", ""),
        Some((at, '?')) => (&text[..at], "", "?"),
        Some((at, '%')) => (&text[..at], "c. ", "?"),
        _ => (text, "", ""),
    };
    match moment(bare) {
        Some(said) => format!("{circa}{said}{doubt}"),
        None => text.to_owned(),
    }
}

fn moment(text: &str) -> Option<String> {
    let Some((date, time)) = text.split_once('T') else { return day(text) };
    let clock = time.get(..8)?;
    let clock = clock.strip_suffix(":00").unwrap_or(clock);
    let zone = match time.get(8..)? {
        "" => String::new(),
        "Z" => " UTC".to_owned(),
        offset => format!(" (UTC{offset})"),
    };
    Some(format!("{}, {clock}{zone}", day(date)?))
}

fn day(text: &str) -> Option<String> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let is_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = digits.split('-');
    let number = parts.next().filter(|part| part.len() == 4)?;
    if let Some(decade) = number.strip_suffix('X').filter(|decade| is_digits(decade) && sign > 0) {
        return (parts.next().is_none() && !decade.starts_with('0')).then(|| format!("{decade}0s"));
    }
    let year = year(sign * number.parse::<i64>().ok().filter(|_| is_digits(number))?);
    let Some(month) = parts.next() else { return Some(year) };
    let month: usize = month.parse().ok()?;
    match (month, parts.next()) {
        (1..=12, None) => Some(format!("{} {year}", MONTHS[month - 1])),
        (1..=12, Some(day)) => Some(format!("{} {} {year}", day.parse::<u8>().ok()?, MONTHS[month - 1])),
        (21..=24, None) => Some(format!("{} {year}", SEASONS[month - 21])),
        (33..=36, None) => Some(format!("quarter {} of {year}", month - 32)),
        _ => None,
    }
}

fn year(year: i64) -> String {
    match year {
        1000.. => year.to_string(),
        1.. => format!("{year} CE"),
        _ => format!("{} BCE", 1 - year),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_printed_as_people_read_them() {
        let check = |edtf: &str, expect: &str| assert_eq!(spoken(&Date::parse(edtf).unwrap()), expect);
        check("2004", "2004");
        check("2023-07", "July 2023");
        check("2023-10-02", "2 October 2023");
        check("2010~", "c. 2010");
        check("2004-06%", "c. June 2004?");
        check("-0043-03-15", "15 March 44 BCE");
        check("0079", "79 CE");
        check("201X", "2010s");
        check("2023-24", "winter 2023");
        check("2023-34", "quarter 2 of 2023");
        check("[2017..2019]", "between 2017 and 2019");
        check("[..2023-11-13]", "13 November 2023 or earlier");
        check("{2017,2019}", "2017 and 2019");
        check("[1667,1668-12]", "1667 or December 1668");
        check("2017/2019-03", "2017 – March 2019");
        check("2023-10-02/..", "since 2 October 2023");
        check("2023-10-02/", "2 October 2023 – unknown");
        check("../2019", "until 2019");
        check("/2019", "unknown – 2019");
        check("2023-10-02T15:30:00+02:00", "2 October 2023, 15:30 (UTC+02:00)");
        // What has no common form stays as it is.
        check("Y-17E7", "Y-17E7");
        check("?2004-06-11", "?2004-06-11");
        check("156X-12-25", "156X-12-25");
    }

    #[test]
    fn what_the_print_leaves_open_is_explained() {
        let says_all = |edtf: &str| says_all(&Date::parse(edtf).unwrap());
        for clear in
            ["2004", "2004-07-12", "2017/2019", "2023-10-02/..", "../2019", "[..2023-07]", "[2017..2019]"]
        {
            assert!(says_all(clear), "{clear}");
        }
        for open in ["2023-24", "2010~", "-0043", "2023-10-02/", "[2017,2019]", "{2017,2019}", "201X"] {
            assert!(!says_all(open), "{open}");
        }
    }
}
