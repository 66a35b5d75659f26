//! One date in words: `in July 2023`, `on an unknown day in April 1985`, `in the 1990s (circa)`.
//!
//! Days of our era are written as ISO dates, which nobody misreads; years before it get their everyday name
//! and the astronomical number, since the two differ by one. Where no phrase fits a mask, the mask itself is
//! shown.

use std::fmt;

use edtf_core::{Date, DateField, Qualifier, Year, YearKind};

use crate::date::bounds;
use crate::date::names::MONTHS;
use crate::moment::YearText;

/// A date in words, in the parts that sentences are made of.
pub struct Phrase {
    preposition: &'static str,
    /// Without preposition and flags.
    pub name: String,
    /// ` (circa)` or nothing.
    pub flags: String,
}

impl Phrase {
    /// Whether the phrase already speaks of a day.
    pub fn is_day(&self) -> bool {
        self.preposition == "on"
    }
}

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.preposition, self.name, self.flags)
    }
}

/// A date in words.
pub fn phrase(date: &Date) -> Phrase {
    let (preposition, name) = match (date.month, date.day) {
        (None, _) => ("in", year(date)),
        (Some(month), None) => ("in", month_name(date, month)),
        (Some(month), Some(day)) => ("on", day_name(date, month, day)),
    };
    Phrase { preposition, name, flags: flags(date) }
}

/// A year as people call it: `2004`, `79 CE`, `44 BCE`.
fn common(year: i64) -> String {
    match year {
        10_000.. => format!("the year {year}"),
        1_000..10_000 => year.to_string(),
        1..1_000 => format!("{year} CE"),
        _ => format!("{} BCE", year.unsigned_abs() + 1),
    }
}

/// The year of a date, masked or not.
fn year(date: &Date) -> String {
    let year = &date.year;
    let alone = Date { month: None, day: None, ..*date };
    let (Some(first), Some(last)) = edge_years(&alone) else { return text_of(&alone) };
    if let (Some(_), Some(value)) = (year.significant_digits, year.value()) {
        return format!(
            "some year from {} to {}, estimated as {}",
            common(first),
            common(last),
            common(value)
        );
    }
    match year.kind {
        _ if first == last => with_astronomical(common(first), first),
        YearKind::Standard { negative: false, digits: [Some(_), Some(_), Some(_), None] }
            if first >= 1_000 =>
        {
            format!("the {first}s")
        }
        YearKind::Standard { digits, .. } if digits.is_sorted_by_key(Option::is_none) => {
            format!("the years {} to {}", common(first), common(last))
        }
        _ => format!("some year from {} to {} that fits {}", common(first), common(last), text_of(&alone)),
    }
}

fn edge_years(date: &Date) -> (Option<i64>, Option<i64>) {
    match bounds::extent(date) {
        Ok(range) => (Some(range.earliest.civil().0.year), Some(range.latest.civil().0.year)),
        Err(_) => (None, None),
    }
}

fn with_astronomical(name: String, year: i64) -> String {
    if year > 0 { name } else { format!("{name} (astronomical year {})", YearText(year)) }
}

/// A month or a season, of a year that may be masked.
fn month_name(date: &Date, month: DateField) -> String {
    let year_name = year(date);
    match month.value() {
        Some(value @ 1..=12) => of_year(month_of(value), date, &year_name),
        Some(code) => season(code, date, &year_name),
        None if is_blank(month) => format!("an unknown month of {year_name}"),
        None => format!("a month that fits {}", text_of(date)),
    }
}

fn day_name(date: &Date, month: DateField, day: DateField) -> String {
    match (date.year.value(), month.value(), day.value()) {
        (Some(1_000..), Some(_), Some(_)) => text_of(date),
        (Some(_), Some(month), Some(day)) => format!("{day} {} {}", month_of(month), year(date)),
        (_, Some(_), None) if is_blank(day) => format!("an unknown day in {}", month_name(date, month)),
        (_, None, None) if is_blank(day) && is_blank(month) => format!("an unknown day in {}", year(date)),
        _ => format!("a day that fits {}", text_of(date)),
    }
}

fn month_of(month: u8) -> &'static str {
    MONTHS.get(usize::from(month).wrapping_sub(1)).copied().unwrap_or("")
}

/// `July 2023`, but `July of the 1990s`.
fn of_year(name: &str, date: &Date, year_name: &str) -> String {
    let of = if date.year.has_unspecified() { " of" } else { "" };
    format!("{name}{of} {year_name}")
}

fn season(code: u8, date: &Date, year_name: &str) -> String {
    let name = match code {
        21 => "spring",
        22 => "summer",
        23 => "autumn",
        24 => "winter",
        25 => "northern spring",
        26 => "northern summer",
        27 => "northern autumn",
        28 => "northern winter",
        29 => "southern spring",
        30 => "southern summer",
        31 => "southern autumn",
        32 => "southern winter",
        33 => "the first quarter of",
        34 => "the second quarter of",
        35 => "the third quarter of",
        36 => "the fourth quarter of",
        37 => "the first third of",
        38 => "the second third of",
        39 => "the last third of",
        40 => "the first half of",
        _ => "the second half of",
    };
    let name = if code < 33 { of_year(name, date, year_name) } else { format!("{name} {year_name}") };
    let Ok(range) = bounds::extent(date) else { return name };
    let (first, last) = (range.earliest.civil().0, range.latest.civil().0);
    let next = if code < 33 && first.month == 12 { " of the next year" } else { "" };
    format!("{name} ({} to {}{next})", month_of(first.month), month_of(last.month))
}

fn is_blank(field: DateField) -> bool {
    field.digits == [None, None]
}

/// The date as EDTF writes it, without its flags.
fn text_of(date: &Date) -> String {
    let plain = Qualifier::default();
    let field = |field: DateField| DateField { qualifier: plain, ..field };
    let year = Year { qualifier: plain, ..date.year };
    Date { year, month: date.month.map(field), day: date.day.map(field) }.to_string()
}

/// ` (circa)`, ` (uncertain)`, or which part is meant: ` (month circa, day uncertain)`.
fn flags(date: &Date) -> String {
    let parts = [
        ("year", Some(date.year.qualifier)),
        ("month", date.month.map(|month| month.qualifier)),
        ("day", date.day.map(|day| day.qualifier)),
    ];
    let flagged: Vec<(&str, &str)> =
        parts.into_iter().filter_map(|(part, qualifier)| Some((part, flag(qualifier?)))).collect();
    match flagged.as_slice() {
        all if all.iter().all(|(_, flag)| flag.is_empty()) => String::new(),
        [(_, first), rest @ ..] if rest.iter().all(|(_, flag)| flag == first) => format!(" ({first})"),
        some => {
            let named: Vec<String> = some
                .iter()
                .filter(|(_, flag)| !flag.is_empty())
                .map(|(part, flag)| format!("{part} {flag}"))
                .collect();
            format!(" ({})", named.join(", "))
        }
    }
}

fn flag(qualifier: Qualifier) -> &'static str {
    match (qualifier.uncertain, qualifier.approximate) {
        (false, false) => "",
        (true, false) => "uncertain",
        (false, true) => "circa",
        (true, true) => "circa and uncertain",
    }
}
