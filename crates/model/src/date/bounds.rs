//! What a value means on the axis: its happenings and the four bounds of each.
//!
//! The first and last day of a single date come from `edtf-core`, except for negative years with a mask,
//! which it does not have. Everything that has to do with two dates at once is ours: how the ends of an
//! interval bound each other, what a set stands for, and what is refused because it runs backwards, is too
//! far away or too many.

use std::collections::HashSet;

use edtf_core::{
    Bound, BoundDate, Date, DateTime, Edtf, Interval, IntervalEndpoint, Set, SetElement, SetKind, TimeShift,
    YearKind,
};

use super::error::Fault;
use super::span::{Range, Span};
use crate::moment::MAX_YEAR;
use crate::{Day, Moment};

/// Members of a `{…}` once its ranges are expanded.
const MOST_MEMBERS: usize = 1_000;

/// The happenings of a date; nearly always one, which then needs no allocation.
#[derive(Clone)]
pub enum Happenings {
    /// Everything but a `{…}`.
    One(Span),
    /// A `{…}` of at least two members.
    Many(Box<[Span]>),
}

impl Happenings {
    pub fn as_slice(&self) -> &[Span] {
        match self {
            Self::One(span) => std::slice::from_ref(span),
            Self::Many(spans) => spans,
        }
    }

    pub fn whole(&self) -> Span {
        // There is always at least one; without any, nothing would be known.
        self.as_slice().iter().copied().reduce(Span::together).unwrap_or(Span::UNDATED)
    }
}

/// The happenings that a value stands for.
pub fn happenings(value: &Edtf) -> Result<Happenings, Fault> {
    let one = match value {
        Edtf::Date(date) => Span::within(extent(date)?),
        Edtf::DateTime(date_time) => Span::within(instant(date_time)?),
        Edtf::Interval(interval) => between(interval)?,
        Edtf::Set(Set { kind: SetKind::OneMember, elements }) => Span::within(any_of(elements)?),
        Edtf::Set(Set { kind: SetKind::AllMembers, elements }) => return each_of(elements),
    };
    Ok(Happenings::One(one))
}

/// The first and the last second of a single date.
pub fn extent(date: &Date) -> Result<Range, Fault> {
    let (first, last) = match date.year.kind {
        YearKind::Standard { negative: true, .. } if date.year.has_unspecified() => before_year_zero(date),
        _ => days(date),
    }
    .ok_or_else(|| {
        Fault::with_hint("it lies further away than Annals can order", "the limit is 290,000,000,000 years")
    })?;
    Ok(Range { earliest: Moment::start_of(first), latest: Moment::end_of(last) })
}

/// The first and the last day, by `edtf-core`; nothing when they do not exist or lie off the axis.
fn days(date: &Date) -> Option<(Day, Day)> {
    let bounds = Edtf::Date(*date).bounds();
    Some((day(bounds.earliest)?, day(bounds.latest)?))
}

fn day(bound: Bound) -> Option<Day> {
    match bound {
        Bound::Date(BoundDate { year, month, day }) if year.unsigned_abs() <= MAX_YEAR.unsigned_abs() => {
            Some(Day { year, month, day })
        }
        _ => None,
    }
}

/// The same for a negative year with a mask: the greatest magnitude that fits comes first.
///
/// A year may fit and still lack the day (29 February), hence the search; year 0 is never meant by a minus.
fn before_year_zero(date: &Date) -> Option<(Day, Day)> {
    let in_year = |magnitude: u16| days(&Date { year: concrete(date, magnitude)?, ..*date });
    let (first, _) = (1..=9_999).rev().find_map(in_year)?;
    let (_, last) = (1..=9_999).find_map(in_year)?;
    Some((first, last))
}

/// The masked year of a date with the digits of `magnitude`, if they fit.
fn concrete(date: &Date, magnitude: u16) -> Option<edtf_core::Year> {
    let YearKind::Standard { negative, mut digits } = date.year.kind else { return None };
    for (digit, place) in digits.iter_mut().zip([1_000, 100, 10, 1]) {
        let value = u8::try_from(magnitude / place % 10).ok()?;
        if *digit.get_or_insert(value) != value {
            return None;
        }
    }
    Some(edtf_core::Year { kind: YearKind::Standard { negative, digits }, ..date.year })
}

/// The one second of a date-time, in UTC if it has an offset.
fn instant(date_time: &DateTime) -> Result<Range, Fault> {
    let midnight = extent(&date_time.date)?.earliest;
    let time = &date_time.time;
    let minutes = match time.shift {
        Some(TimeShift::Offset { minutes, .. }) => i64::from(minutes),
        Some(TimeShift::Utc) | None => 0,
    };
    let civil = i64::from(time.hour) * 3_600 + i64::from(time.minute) * 60 + i64::from(time.second.min(59));
    let moment = Moment::from_seconds(midnight.seconds() + civil - minutes * 60);
    Ok(Range { earliest: moment, latest: moment })
}

fn between(interval: &Interval) -> Result<Span, Fault> {
    let mut start = endpoint(&interval.start, Moment::NEG_INFINITY)?;
    let mut end = endpoint(&interval.end, Moment::INFINITY)?;
    if end.latest < start.earliest {
        return Err(Fault::new("it ends before it starts"));
    }
    end.earliest = end.earliest.max(start.earliest);
    start.latest = start.latest.min(end.latest);
    Ok(Span { start, end })
}

/// Where an end of an interval may lie by what is written there; `open` is where `..` puts it.
fn endpoint(endpoint: &IntervalEndpoint, open: Moment) -> Result<Range, Fault> {
    Ok(match endpoint {
        IntervalEndpoint::Date(date) => extent(date)?,
        IntervalEndpoint::OnOrBefore(date) => or_before(date)?,
        IntervalEndpoint::OnOrAfter(date) => or_after(date)?,
        IntervalEndpoint::Open => Range { earliest: open, latest: open },
        IntervalEndpoint::Unknown => Range::ANY,
    })
}

fn or_before(date: &Date) -> Result<Range, Fault> {
    Ok(Range { earliest: Moment::NEG_INFINITY, ..extent(date)? })
}

fn or_after(date: &Date) -> Result<Range, Fault> {
    Ok(Range { latest: Moment::INFINITY, ..extent(date)? })
}

fn any_of(elements: &[SetElement]) -> Result<Range, Fault> {
    let mut whole: Option<Range> = None;
    for element in elements {
        let range = element_extent(element)?;
        let sofar = whole.unwrap_or(range);
        whole = Some(Range {
            earliest: sofar.earliest.min(range.earliest),
            latest: sofar.latest.max(range.latest),
        });
    }
    whole.ok_or_else(|| Fault::new("the set is empty"))
}

fn element_extent(element: &SetElement) -> Result<Range, Fault> {
    match element {
        SetElement::Date(date) => extent(date),
        SetElement::OnOrBefore(date) => or_before(date),
        SetElement::OnOrAfter(date) => or_after(date),
        SetElement::Range(first, last) => {
            Ok(Range { earliest: extent(first)?.earliest, latest: extent(last)?.latest })
        }
    }
}

fn each_of(elements: &[SetElement]) -> Result<Happenings, Fault> {
    let mut spans = Vec::new();
    let mut seen = HashSet::new();
    let mut count = 0;
    for element in elements {
        for member in members(*element)?.take(MOST_MEMBERS + 1) {
            count += 1;
            if count > MOST_MEMBERS {
                return Err(Fault::with_hint(
                    format!("the set has more than {MOST_MEMBERS} members"),
                    "write an interval (a/b) if it went on all the time, or [a..b] if it happened once",
                ));
            }
            let span = Span::within(element_extent(&member)?);
            if seen.insert(span) {
                spans.push(span);
            }
        }
    }
    match spans.as_slice() {
        [one] => Ok(Happenings::One(*one)),
        _ => Ok(Happenings::Many(spans.into())),
    }
}

/// The members that an element stands for: the dates of a range, else the element itself.
fn members(element: SetElement) -> Result<impl Iterator<Item = SetElement>, Fault> {
    // A range whose ends lie off the axis must not be walked.
    element_extent(&element)?;
    let (itself, range) = match element {
        SetElement::Range(..) => {
            let set = Edtf::Set(Set { kind: SetKind::AllMembers, elements: vec![element] });
            (None, Some(set.values().map_err(|error| Fault::new(error.to_string()))?))
        }
        _ => (Some(element), None),
    };
    let dates = range.into_iter().flatten().filter_map(|value| match value {
        Edtf::Date(date) => Some(SetElement::Date(date)),
        _ => None,
    });
    Ok(itself.into_iter().chain(dates))
}
