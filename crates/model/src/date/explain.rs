//! A date as a sentence for people: what is claimed, without a word more than the EDTF text says.
//!
//! The sentence is made from the value itself, not from its bounds, so that open and unknown ends, flags and
//! masks are each named. The wording of a single date is in `words`.

mod brief;
mod words;

use edtf_core::{Date, DateTime, Edtf, Interval, IntervalEndpoint, Set, SetElement, SetKind, TimeShift};

pub use self::brief::in_words;
use self::words::{Phrase, phrase};
use super::read;

/// Members of a set that are named; more are counted.
const NAMED: usize = 10;

/// The sentence for a date.
pub fn sentence(date: &super::Date) -> String {
    match read::value(date.as_str()) {
        Ok(Edtf::Date(single)) => moment(&single),
        Ok(Edtf::DateTime(date_time)) => second(&date_time, date),
        Ok(Edtf::Interval(interval)) => from_to(&interval),
        Ok(Edtf::Set(set)) => members(&set, date.happenings().len()),
        // A date was read once when it was made, so it reads again; its text is the best that is left to say.
        Err(_) => date.to_string(),
    }
}

fn moment(date: &Date) -> String {
    let phrase = phrase(date);
    if phrase.is_day() {
        format!("One moment {phrase}.")
    } else {
        format!("One moment on an unknown day {phrase}.")
    }
}

fn second(date_time: &DateTime, date: &super::Date) -> String {
    match date_time.time.shift {
        None => format!("The second {date}, civil time as it was on the spot."),
        Some(TimeShift::Utc) => format!("The second {}, UTC.", date.as_str().trim_end_matches('Z')),
        Some(TimeShift::Offset { .. }) => {
            format!("The second {date}, which is {} UTC.", date.span().start.earliest)
        }
    }
}

fn from_to(interval: &Interval) -> String {
    use IntervalEndpoint::{Date, OnOrAfter, OnOrBefore, Open, Unknown};
    let start = match &interval.start {
        Date(date) => format!("Began {}", phrase(date)),
        OnOrBefore(date) | OnOrAfter(date) => format!("Began {} or earlier", phrase(date)),
        Open => "Has no beginning".to_owned(),
        Unknown => "Began at an unknown time".to_owned(),
    };
    match (&interval.start, &interval.end) {
        (Open, Open) => "Has neither a beginning nor an end.".to_owned(),
        (Unknown, Unknown) => "Began and ended, nobody knows when.".to_owned(),
        (_, Date(end)) => format!("{start}, ended {}.", phrase(end)),
        (_, OnOrAfter(end) | OnOrBefore(end)) => format!("{start}, ended {} or later.", phrase(end)),
        (_, Open) => format!("{start} and still goes on."),
        (_, Unknown) => format!("{start} and ended, nobody knows when."),
    }
}

fn members(set: &Set, happenings: usize) -> String {
    let once = set.kind == SetKind::OneMember || happenings == 1;
    match set.elements.as_slice() {
        [SetElement::Date(date)] => moment(date).replacen("One moment", "One happening,", 1),
        [SetElement::OnOrBefore(date)] => format!("One happening, {} or earlier.", phrase(date)),
        [SetElement::OnOrAfter(date)] => format!("One happening, {} or later.", phrase(date)),
        [SetElement::Range(first, last)] if once => {
            format!("One happening, some time from {} to {}.", phrase(first).name, phrase(last).name)
        }
        elements if once => format!("One happening, at one of {}.", list(elements, "or")),
        elements => format!("{happenings} happenings, one for each of {}.", list(elements, "and")),
    }
}

fn list(elements: &[SetElement], last_word: &str) -> String {
    let mut names: Vec<String> = elements.iter().take(NAMED).map(member).collect();
    let rest = elements.len() - names.len();
    if rest > 0 {
        names.push(format!("{rest} more"));
    }
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} {last_word} {last}", others.join(", ")),
        None => String::new(),
    }
}

fn member(element: &SetElement) -> String {
    let name = |date: &Date| {
        let Phrase { name, flags, .. } = phrase(date);
        name + &flags
    };
    match element {
        SetElement::Date(date) => name(date),
        SetElement::OnOrBefore(date) => format!("{} or earlier", name(date)),
        SetElement::OnOrAfter(date) => format!("{} or later", name(date)),
        SetElement::Range(first, last) => format!("{} to {}", name(first), name(last)),
    }
}
