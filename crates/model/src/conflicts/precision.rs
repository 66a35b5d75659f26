//! False precision: dates that look more exact than what is known.
//!
//! A table or a program that knows only the year often writes its first day, and one that knows only the day
//! writes midnight. A single such date proves nothing; these signs do raise the question:
//!
//! - **1 January**: at least [`FEWEST`] of the timeline's dates with a day begin on 1 January, and ten times as
//!   many as chance would put there (one day in 365).
//! - **midnight**: at least [`FEWEST`] of the dates with a time are exactly at midnight, and these are half of
//!   them or more.
//! - **the source**: an event is dated 1 January, and what it quotes names the year and no day or month.
//!
//! An event whose own words name the day (“1 January”, “New Year”) is never suspected. Dates that are flagged
//! with `?`, `~` or `%` say themselves that they are not exact, and are left out.

use serde::Serialize;

use super::Mention;
use crate::Event;
use crate::fold::Counted;

/// Fewer suspects than these are no sign.
const FEWEST: u64 = 3;
/// How many times as many as chance would bring are a sign.
const TIMES: u64 = 10;

/// Why dates look falsely exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sign {
    /// Far more of them are on 1 January than chance would put there.
    FirstOfJanuary,
    /// Half of the times of day, or more, are midnight.
    Midnight,
    /// The source says a year, and the date 1 January.
    YearInSource,
}

/// Dates that look more exact than what is known, by one sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FalsePrecision {
    /// The sign.
    pub sign: Sign,
    /// How many dates show it, those that their own words confirm among them.
    pub found: u64,
    /// Of how many that could.
    pub of: u64,
    /// The events that nothing confirms.
    pub events: Vec<Suspect>,
}

/// An event whose date looks too exact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suspect {
    /// The event.
    #[serde(flatten)]
    pub event: Mention,
    /// Its date without what seems to be made up.
    pub suggested: String,
}

/// How the start of a date is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    /// With a day.
    Day { first_of_january: bool },
    /// With a time.
    Time { midnight: bool, first_of_january: bool },
}

impl Written {
    /// Nothing where the date has no plain day: a year, a month, a set, a flag or a mask.
    fn of(event: &Event) -> Option<Self> {
        let date = event.date.as_ref()?;
        let start = date.as_str().split('/').next()?;
        let (day, time) = start.split_once('T').map_or((start, None), |(day, time)| (day, Some(time)));
        let digits = day.strip_prefix('-').unwrap_or(day).as_bytes();
        let is_day = digits.len() == 10
            && digits.iter().enumerate().all(|(at, byte)| match at {
                4 | 7 => *byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        let first_of_january = day.ends_with("-01-01");
        let written = match time {
            None => Self::Day { first_of_january },
            Some(time) => Self::Time { midnight: time.starts_with("00:00:00"), first_of_january },
        };
        (is_day && !date.is_uncertain() && !date.is_approximate()).then_some(written)
    }

    /// Whether it is 1 January, to the day or at its midnight.
    const fn is_first_of_january(self) -> bool {
        matches!(
            self,
            Self::Day { first_of_january: true } | Self::Time { midnight: true, first_of_january: true }
        )
    }
}

/// An event, and how its date is written.
type Exact<'a> = (&'a Counted<'a>, Written);

/// Looks for every sign.
pub(super) fn find(events: &[Counted<'_>]) -> Vec<FalsePrecision> {
    let exact: Vec<Exact<'_>> =
        events.iter().filter_map(|counted| Some((counted, Written::of(counted.event)?))).collect();
    let all = exact.len();
    let (january, others): (Vec<Exact<'_>>, Vec<Exact<'_>>) =
        exact.into_iter().partition(|(_, written)| written.is_first_of_january());
    let found = january.len() as u64;
    let (first, times) = if found >= FEWEST && found * 365 >= TIMES * all as u64 {
        // What is taken for a year is not taken for a day as well.
        (years_by_their_number(&january, all), others)
    } else {
        let first = years_by_their_source(&january);
        (first, [january, others].concat())
    };
    let signs = [first, midnights(times)];
    signs.into_iter().filter(|sign| !sign.events.is_empty()).collect()
}

fn years_by_their_number(january: &[Exact<'_>], all: usize) -> FalsePrecision {
    let suspects = january.iter().filter(|(counted, _)| !names_the_day(counted.event));
    FalsePrecision {
        sign: Sign::FirstOfJanuary,
        found: january.len() as u64,
        of: all as u64,
        events: suspects.map(|(counted, _)| Suspect::of(counted, without_day)).collect(),
    }
}

fn years_by_their_source(january: &[Exact<'_>]) -> FalsePrecision {
    let suspects = january.iter().filter(|(counted, _)| quotes_only_the_year(counted.event));
    let events: Vec<Suspect> = suspects.map(|(counted, _)| Suspect::of(counted, without_day)).collect();
    FalsePrecision { sign: Sign::YearInSource, found: events.len() as u64, of: january.len() as u64, events }
}

fn midnights(mut times: Vec<Exact<'_>>) -> FalsePrecision {
    times.retain(|(_, written)| matches!(written, Written::Time { .. }));
    let is_midnight = |(_, written): &&Exact<'_>| matches!(written, Written::Time { midnight: true, .. });
    let found = times.iter().filter(is_midnight).count();
    let is_sign = found as u64 >= FEWEST && found * 2 >= times.len();
    let suspects = times.iter().filter(is_midnight).filter(|_| is_sign);
    FalsePrecision {
        sign: Sign::Midnight,
        found: found as u64,
        of: times.len() as u64,
        events: suspects.map(|(counted, _)| Suspect::of(counted, without_time)).collect(),
    }
}

impl Suspect {
    fn of(counted: &Counted<'_>, less_exact: fn(&str) -> String) -> Self {
        let date = counted.event.date.as_ref();
        let suggested = date.map_or_else(String::new, |date| less_exact(date.as_str()));
        Self { event: Mention::of(counted), suggested }
    }
}

/// The date with the years alone where its parts are the first or the last day of one.
fn without_day(text: &str) -> String {
    let year = |part: &str| {
        let day = part.split_once('T').map_or(part, |(day, _)| day);
        let year = day.strip_suffix("-01-01").or_else(|| day.strip_suffix("-12-31"));
        year.unwrap_or(part).to_owned()
    };
    let parts: Vec<String> = text.split('/').map(year).collect();
    match parts.as_slice() {
        [first, last] if first == last => first.clone(),
        _ => parts.join("/"),
    }
}

fn without_time(text: &str) -> String {
    text.split_once('T').map_or(text, |(day, _)| day).to_owned()
}

/// How January begins in some languages; where a word does by chance, an event less is suspected.
const JANUARY: [&str; 9] = ["jan", "enero", "genn", "styczn", "leden", "ocak", "янв", "січ", "yanvar"];
/// How people write the first of a month.
const FIRST: [&str; 7] = ["1", "01", "1st", "1er", "1º", "1ro", "first"];

fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

fn is_january(word: &str) -> bool {
    JANUARY.iter().any(|january| word.starts_with(january))
}

fn is_first(word: &str) -> bool {
    FIRST.contains(&word)
}

fn quotes(event: &Event) -> impl Iterator<Item = &str> {
    event.sources.iter().filter_map(|source| source.quote.as_deref())
}

/// Whether the event's own words name 1 January.
fn names_the_day(event: &Event) -> bool {
    let texts = [Some(event.title.as_str()), event.description.as_deref()];
    texts.into_iter().flatten().chain(quotes(event)).any(|text| {
        let words = words(text);
        let named = words.iter().any(|word| is_january(word)) && words.iter().any(|word| is_first(word));
        let in_digits = words.windows(2).any(|pair| pair.iter().all(|word| is_first(word)));
        let new_year = words.windows(2).any(|pair| pair[0] == "new" && pair[1].starts_with("year"));
        named || in_digits || new_year || text.contains("1月1日")
    })
}

/// Whether a quotation names the year of the date, and nothing that the event says a day or a month of January.
fn quotes_only_the_year(event: &Event) -> bool {
    let Some(date) = &event.date else { return false };
    let text = date.as_str().trim_start_matches('-');
    let year = text.split('-').next().unwrap_or(text).trim_start_matches('0');
    let names_year = quotes(event).any(|quote| words(quote).iter().any(|word| word == year));
    let names_more =
        quotes(event).any(|quote| words(quote).iter().any(|word| is_january(word) || is_first(word)));
    names_year && !names_more && !names_the_day(event)
}
