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

use std::cmp::Ordering;

use serde::Serialize;

use super::Mention;
use super::first::{First, Found};
use crate::fold::Counted;
use crate::{Event, Seq};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

    const fn is_midnight(self) -> bool {
        matches!(self, Self::Time { midnight: true, .. })
    }

    /// Whether it is 1 January, to the day or at its midnight.
    const fn is_first_of_january(self) -> bool {
        matches!(
            self,
            Self::Day { first_of_january: true } | Self::Time { midnight: true, first_of_january: true }
        )
    }
}

/// An event that a sign may point at: its place in the log, and its record.
#[derive(Clone, Copy, Debug)]
struct Mark(Seq, Seq);

impl Found for Mark {
    fn order(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

/// Counts dates, and keeps of those that may turn out to be too exact their records: what they prove is known when all
/// have been seen.
#[derive(Debug)]
pub(super) struct Counts {
    most: usize,
    all: u64,
    january: u64,
    /// Of those not on 1 January the ones with a time.
    other_times: u64,
    /// Those on 1 January that their own words do not confirm.
    unnamed: First<Mark>,
    /// Of these the ones whose quotations name the year.
    years: First<Mark>,
    /// Those on 1 January with a time, which is midnight.
    january_midnights: First<Mark>,
    other_midnights: First<Mark>,
}

/// A sign, and the events that it points at.
#[derive(Debug)]
pub(super) struct SignAt {
    found: FalsePrecision,
    /// How many events it points at, told or not.
    pub count: u64,
    /// The records of those that are told, in order, each with its place among them.
    marks: Vec<(Seq, usize)>,
    suspects: Vec<(usize, Suspect)>,
}

impl Counts {
    /// Nothing was seen; of each sign no more than the first events are told, at most so many.
    pub fn new(most: usize) -> Self {
        let (unnamed, years) = (First::new(most), First::new(most));
        let (january_midnights, other_midnights) = (First::new(most), First::new(most));
        Self { most, all: 0, january: 0, other_times: 0, unnamed, years, january_midnights, other_midnights }
    }

    /// Sees an event.
    pub fn see(&mut self, counted: &Counted<'_>) {
        let event = counted.event;
        let Some(written) = Written::of(event) else { return };
        let mark = Mark(counted.place, counted.seq);
        self.all += 1;
        if !written.is_first_of_january() {
            self.other_times += u64::from(matches!(written, Written::Time { .. }));
            if written.is_midnight() {
                self.other_midnights.push(mark);
            }
            return;
        }
        self.january += 1;
        if written.is_midnight() {
            self.january_midnights.push(mark);
        }
        if !names_the_day(event) {
            self.unnamed.push(mark);
            if quotes_only_the_year(event) {
                self.years.push(mark);
            }
        }
    }

    /// The signs that point at somebody.
    pub fn finish(self) -> Vec<SignAt> {
        let Self { most, all, january, other_times, .. } = self;
        // What is taken for a year is not taken for a day as well.
        let are_years = january >= FEWEST && january * 365 >= TIMES * all;
        let first = if are_years {
            SignAt::new(Sign::FirstOfJanuary, (january, all), self.unnamed.finish())
        } else {
            let years = self.years.finish();
            SignAt::new(Sign::YearInSource, (years.1, january), years)
        };
        let (mut marks, mut midnights) = self.other_midnights.finish();
        let mut times = other_times;
        if !are_years {
            let (also, count) = self.january_midnights.finish();
            marks.splice(0..0, also);
            marks.truncate(most);
            (midnights, times) = (midnights + count, times + count);
        }
        let is_sign = midnights >= FEWEST && midnights * 2 >= times;
        let suspects = if is_sign { (marks, midnights) } else { Default::default() };
        let second = SignAt::new(Sign::Midnight, (midnights, times), suspects);
        [first, second].into_iter().filter(|sign| sign.count > 0).collect()
    }
}

impl SignAt {
    fn new(sign: Sign, (found, of): (u64, u64), (marks, count): (Vec<Mark>, u64)) -> Self {
        let mut marks: Vec<(Seq, usize)> =
            marks.into_iter().zip(0..).map(|(Mark(_, seq), rank)| (seq, rank)).collect();
        marks.sort_unstable();
        let found = FalsePrecision { sign, found, of, events: Vec::new() };
        Self { found, count, marks, suspects: Vec::new() }
    }

    /// The records of those that it tells of.
    pub fn records(&self) -> impl Iterator<Item = Seq> {
        self.marks.iter().map(|(seq, _)| *seq)
    }

    /// Tells the event of a record.
    pub fn tell(&mut self, seq: Seq, event: &Event) {
        let Ok(at) = self.marks.binary_search_by_key(&seq, |(seq, _)| *seq) else { return };
        let less_exact = match self.found.sign {
            Sign::FirstOfJanuary | Sign::YearInSource => without_day,
            Sign::Midnight => without_time,
        };
        let suggested = event.date.as_ref().map_or_else(String::new, |date| less_exact(date.as_str()));
        if let Some((_, rank)) = self.marks.get(at) {
            self.suspects.push((*rank, Suspect { event: Mention::of(seq, event), suggested }));
        }
    }

    /// The sign with those whose events were told.
    pub fn finish(mut self) -> FalsePrecision {
        self.suspects.sort_unstable_by_key(|(rank, _)| *rank);
        self.found.events = self.suspects.into_iter().map(|(_, suspect)| suspect).collect();
        self.found
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

/// Whether a quotation names the year of the date, and none a day or a month of January.
fn quotes_only_the_year(event: &Event) -> bool {
    let Some(date) = &event.date else { return false };
    let text = date.as_str().trim_start_matches('-');
    let year = text.split('-').next().unwrap_or(text).trim_start_matches('0');
    let names_year = quotes(event).any(|quote| words(quote).iter().any(|word| word == year));
    let names_more =
        quotes(event).any(|quote| words(quote).iter().any(|word| is_january(word) || is_first(word)));
    names_year && !names_more
}
