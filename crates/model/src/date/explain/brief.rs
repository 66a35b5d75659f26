//! A date in a few words, for where a target has a line of text beside its own date: `2010 (circa)`,
//! `since 2023-10-02, still going on`, `some time from 2017 to 2019`.

use edtf_core::{Date, Edtf, Interval, IntervalEndpoint, Set, SetElement, SetKind};

use super::{list, phrase};
use crate::date::read;

/// The words for a date.
pub fn in_words(date: &crate::Date) -> String {
    match read::value(date.as_str()) {
        Ok(Edtf::Date(single)) => name(&single),
        Ok(Edtf::Interval(interval)) => from_to(&interval),
        Ok(Edtf::Set(set)) => members(&set, date.happenings().len()),
        // A date-time says itself; a date was read once when it was made, so it reads again.
        Ok(Edtf::DateTime(_)) | Err(_) => date.to_string(),
    }
}

fn name(date: &Date) -> String {
    let phrase = phrase(date);
    phrase.name + &phrase.flags
}

fn from_to(interval: &Interval) -> String {
    use IntervalEndpoint::{Date, OnOrAfter, OnOrBefore, Open, Unknown};
    let start = match &interval.start {
        Date(date) => Some(name(date)),
        OnOrBefore(date) | OnOrAfter(date) => Some(format!("{} or earlier", name(date))),
        Open | Unknown => None,
    };
    let end = match &interval.end {
        Date(date) => Some(name(date)),
        OnOrAfter(date) | OnOrBefore(date) => Some(format!("{} or later", name(date))),
        Open | Unknown => None,
    };
    let no_start =
        if matches!(interval.start, Open) { "without a beginning" } else { "from an unknown beginning" };
    let no_end = if matches!(interval.end, Open) { "still going on" } else { "end unknown" };
    match (start, end) {
        (Some(start), Some(end)) => format!("{start} to {end}"),
        (Some(start), None) if no_end == "end unknown" => format!("from {start}, {no_end}"),
        (Some(start), None) => format!("since {start}, {no_end}"),
        (None, Some(end)) => format!("until {end}, {no_start}"),
        (None, None) => format!("{no_start}, {no_end}"),
    }
}

fn members(set: &Set, happenings: usize) -> String {
    let once = set.kind == SetKind::OneMember || happenings == 1;
    match set.elements.as_slice() {
        [SetElement::Range(first, last)] if once => {
            format!("some time from {} to {}", name(first), name(last))
        }
        elements if once => list(elements, "or"),
        elements => list(elements, "and"),
    }
}
