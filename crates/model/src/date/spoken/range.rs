//! Phrases that relate dates: `before 1928`, `between 2017 and 2019`, `from 2004 to 2017`, `2004 or 2005`.
//!
//! `before`, `after` and `between` speak of one happening at an unknown moment (`[..1927]`, `[2017..2019]`),
//! `from`, `since` and `until` of something that went on (`2004/2017`). Which day is the one before depends
//! on how exact the date is: before July 2023 is June at the latest, before 2 July is 1 July.

use edtf_core::{Date, DateField, Edtf, YearKind};

use super::{Reading, single};
use crate::date::error::Fault;
use crate::date::span::Range;
use crate::date::{bounds, read};
use crate::moment::YearText;
use crate::{Day, Moment};

/// How exactly a date is known; the finer the greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    Year,
    Month,
    Day,
}

/// A date inside a phrase.
struct Member {
    text: String,
    unit: Unit,
    range: Range,
    /// The flag that it carries, to be handed on to the day before or after.
    flag: &'static str,
}

/// Reads a whole phrase, or a single date.
pub fn phrase(words: &[&str], today: Option<Day>) -> Reading {
    match words {
        ["before", rest @ ..] | ["prior", "to", rest @ ..] => bound(rest, today, |member, flag| {
            format!("[..{}{flag}]", member.unit.write(member.range.earliest.previous()))
        }),
        ["after", rest @ ..] => bound(rest, today, |member, flag| {
            format!("[{}{flag}..]", member.unit.write(member.range.latest.next()))
        }),
        ["by", rest @ ..]
        | ["up", "to", rest @ ..]
        | ["on" | "in", "or", "before", rest @ ..]
        | ["no" | "not", "later", "than", rest @ ..]
        | [rest @ .., "or", "earlier" | "before"] => {
            bound(rest, today, |member, _| format!("[..{}]", member.text))
        }
        ["on" | "in", "or", "after", rest @ ..]
        | ["no" | "not", "earlier", "than", rest @ ..]
        | [rest @ .., "or", "later" | "after"] => {
            bound(rest, today, |member, _| format!("[{}..]", member.text))
        }
        ["between", rest @ ..] => pair(rest, &["and", "to"], today, one_of),
        ["since", rest @ ..] | ["from", rest @ .., "on" | "onwards" | "onward"] => {
            bound(rest, today, |member, _| format!("{}/..", member.text))
        }
        ["until" | "till", rest @ ..] => bound(rest, today, |member, _| format!("/{}", member.text)),
        ["from", rest @ ..] | rest => from_to(rest, today),
    }
}

fn from_to(words: &[&str], today: Option<Day>) -> Reading {
    if let [rest @ .., "to" | "until" | "till", "present" | "now" | "date"] = words {
        return bound(rest, today, |member, _| format!("{}/..", member.text));
    }
    let interval = |first: &Member, last: &Member| Ok(format!("{}/{}", first.text, last.text));
    let either = |first: &Member, last: &Member| Ok(format!("[{},{}]", first.text, last.text));
    match pair(words, &["to", "until", "till", "through"], today, interval)? {
        Some(text) => Ok(Some(text)),
        None => match pair(words.strip_prefix(&["either"]).unwrap_or(words), &["or"], today, either)? {
            Some(text) => Ok(Some(text)),
            None => single::date(words, today),
        },
    }
}

/// A phrase with one date in it.
fn bound(words: &[&str], today: Option<Day>, write: fn(&Member, &str) -> String) -> Reading {
    Ok(member(words, today)?.map(|member| write(&member, member.flag)))
}

/// A phrase with two dates in it, around one of the words that may stand between.
fn pair(
    words: &[&str],
    between: &[&str],
    today: Option<Day>,
    write: fn(&Member, &Member) -> Result<String, Fault>,
) -> Reading {
    let Some(at) = words.iter().position(|word| between.contains(word)) else { return Ok(None) };
    let (first, second) = (&words[..at], &words[at + 1..]);
    let Some(last) = member(second, today)? else { return Ok(None) };
    let Some(first) = first_of_pair(first, second, today)? else { return Ok(None) };
    write(&first, &last).map(Some)
}

/// The first of two dates, which may leave to the second what both have: `2 to 5 October 2023`.
fn first_of_pair(first: &[&str], second: &[&str], today: Option<Day>) -> Result<Option<Member>, Fault> {
    let alone = member(first, today);
    let has_year = first.iter().any(|word| word.bytes().filter(u8::is_ascii_digit).count() > 3);
    if first.is_empty() || has_year || matches!(alone, Ok(Some(_))) {
        return alone;
    }
    // A month alone lacks the year only; with a number it may lack the month too, so that more is tried first.
    let has_number = first.iter().any(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let mut starts: Vec<usize> = (0..second.len()).collect();
    if !has_number {
        starts.reverse();
    }
    let borrowed = starts.into_iter().find_map(|start| {
        let words = [first, &second[start..]].concat();
        member(&words, today).ok().flatten()
    });
    borrowed.map_or(alone, |member| Ok(Some(member)))
}

fn member(words: &[&str], today: Option<Day>) -> Result<Option<Member>, Fault> {
    let Some(text) = single::date(words, today)? else { return Ok(None) };
    if text.contains('T') {
        return Err(Fault::with_hint(
            "dates with a time of day cannot be put into a range",
            "leave the time out",
        ));
    }
    let Edtf::Date(date) = read::value(&text)? else { return Ok(None) };
    let range = bounds::extent(&date)?;
    let flag = single::flag(date.is_uncertain(), date.is_approximate());
    Ok(Some(Member { text, unit: Unit::of(&date), range, flag }))
}

/// `[2017..2019]`, at the finer precision of the two.
fn one_of(first: &Member, last: &Member) -> Result<String, Fault> {
    if !first.flag.is_empty() || !last.flag.is_empty() {
        return Err(Fault::with_hint(
            "the two ends of a range cannot be flagged",
            "leave out `circa` and `maybe`, and say what you doubt in the description",
        ));
    }
    let unit = first.unit.max(last.unit);
    let (from, to) = (unit.write(first.range.earliest), unit.write(last.range.latest));
    if first.range.earliest > last.range.latest {
        let swapped = format!("[{}..{}]", unit.write(last.range.earliest), unit.write(first.range.latest));
        return Err(Fault::with_hint("the later date comes first", format!("swap the two: {swapped}")));
    }
    Ok(if from == to { from } else { format!("[{from}..{to}]") })
}

impl Unit {
    fn of(date: &Date) -> Self {
        let known = |field: Option<DateField>| field.filter(|field| field.digits != [None, None]);
        let is_standard = matches!(date.year.kind, YearKind::Standard { .. });
        match (known(date.month), known(date.day)) {
            (_, Some(_)) => Self::Day,
            (Some(_), None) if is_standard => Self::Month,
            _ => Self::Year,
        }
    }

    fn write(self, moment: Moment) -> String {
        let (Day { year, month, .. }, _) = moment.civil();
        match self {
            Self::Year => YearText(year).to_string(),
            Self::Month => format!("{}-{month:02}", YearText(year)),
            Self::Day => moment.civil().0.to_string(),
        }
    }
}
