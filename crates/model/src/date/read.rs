//! The grammar: a text becomes a value of `edtf-core`.
//!
//! Single dates, date-times and the ranges of sets are read by `edtf-core`; intervals and sets are taken
//! apart here, because it refuses some that we accept: intervals without any date (`/`, `../..`) and
//! negative years with a mask (`-01XX`). No calendar arithmetic happens here; whether a value fits the axis
//! and runs forward is decided in [`bounds`](super::bounds).

use edtf_core::{Date, Edtf, Interval, IntervalEndpoint, Set, SetElement, SetKind, TimeShift, YearKind};

use super::error::{Fault, shown};

/// Reads a text that has gone through the rewrites.
pub fn value(text: &str) -> Result<Edtf, Fault> {
    if let Some(inner) = text.strip_prefix('[') {
        return set(inner.strip_suffix(']'), SetKind::OneMember);
    }
    if let Some(inner) = text.strip_prefix('{') {
        return set(inner.strip_suffix('}'), SetKind::AllMembers);
    }
    match text.split_once('/') {
        Some((start, end)) => interval(start, end),
        None if text.contains('T') => date_time(text),
        None => date(text).map(Edtf::Date),
    }
}

/// One date without a time: a whole text, an end of an interval, a member of a set.
fn date(text: &str) -> Result<Date, Fault> {
    if text.contains('T') {
        return Err(Fault::with_hint(
            "intervals and sets hold dates without a time of day",
            "leave the time out, and put it into the description",
        ));
    }
    let positive = without_minus_of_masked_year(text);
    match Edtf::parse(positive.as_deref().unwrap_or(text)) {
        Ok(Edtf::Date(mut date)) => {
            if let (Some(_), YearKind::Standard { negative, .. }) = (&positive, &mut date.year.kind) {
                *negative = true;
            }
            Ok(date)
        }
        Ok(_) => Err(Fault::new(format!("`{}` is not a single date", shown(text)))),
        Err(error) => Err(error.into()),
    }
}

/// `-01XX` as `01XX`: the same digits are possible, and leap years lie the same on both sides of year 0.
fn without_minus_of_masked_year(text: &str) -> Option<String> {
    let start = usize::from(text.starts_with(['?', '~', '%']));
    let year = text.get(start..)?.strip_prefix('-')?.get(..4)?;
    let masked = year.contains('X') && year.bytes().all(|b| b == b'X' || b.is_ascii_digit());
    masked.then(|| format!("{}{}", &text[..start], &text[start + 1..]))
}

fn date_time(text: &str) -> Result<Edtf, Fault> {
    if text.contains('.') {
        return Err(Fault::new("Annals keeps whole seconds"));
    }
    let value = Edtf::parse(text)?;
    if let Edtf::DateTime(date_time) = &value
        && let Some(TimeShift::Offset { minutes, .. }) = date_time.time.shift
        && minutes < -12 * 60
    {
        return Err(Fault::with_hint(
            "no place on Earth is further behind UTC than -12:00",
            "check the offset",
        ));
    }
    Ok(value)
}

fn interval(start: &str, end: &str) -> Result<Edtf, Fault> {
    if end.contains('/') {
        return Err(Fault::new("an interval has exactly one slash"));
    }
    let start = match start.strip_prefix("..") {
        _ if start.is_empty() => IntervalEndpoint::Unknown,
        Some("") => IntervalEndpoint::Open,
        Some(rest) => IntervalEndpoint::OnOrBefore(date(rest)?),
        None => IntervalEndpoint::Date(date(start)?),
    };
    let end = match end.strip_suffix("..") {
        _ if end.is_empty() => IntervalEndpoint::Unknown,
        Some("") => IntervalEndpoint::Open,
        Some(rest) => IntervalEndpoint::OnOrAfter(date(rest)?),
        None => IntervalEndpoint::Date(date(end)?),
    };
    Ok(Edtf::Interval(Interval { start, end }))
}

fn set(inner: Option<&str>, kind: SetKind) -> Result<Edtf, Fault> {
    let inner = match inner {
        None => return Err(Fault::with_hint("the set is not closed", "write [a,b] or {a,b}")),
        Some("") => return Err(Fault::with_hint("the set is empty", "name at least one member")),
        Some(inner) => inner,
    };
    let elements = inner.split(',').map(element).collect::<Result<Vec<_>, _>>()?;
    Ok(Edtf::Set(Set { kind, elements }))
}

fn element(text: &str) -> Result<SetElement, Fault> {
    if text.is_empty() {
        return Err(Fault::new("a member of the set is missing"));
    }
    if text == ".." {
        return Err(Fault::with_hint("`..` alone is not a member", "write ..2004 or 2004.."));
    }
    if let Some(rest) = text.strip_prefix("..") {
        return date(rest).map(SetElement::OnOrBefore);
    }
    if let Some(rest) = text.strip_suffix("..") {
        return date(rest).map(SetElement::OnOrAfter);
    }
    match text.split_once("..") {
        Some((first, last)) => range(text, first, last),
        None => date(text).map(SetElement::Date),
    }
}

/// A range of a set: `edtf-core` checks that both ends are plain, alike and in order.
fn range(text: &str, first: &str, last: &str) -> Result<SetElement, Fault> {
    date(first)?;
    date(last)?;
    match Edtf::parse(&format!("[{text}]")) {
        Ok(Edtf::Set(Set { mut elements, .. })) if elements.len() == 1 => Ok(elements.swap_remove(0)),
        Ok(_) => Err(Fault::new(format!("`{}` is not a range", shown(text)))),
        Err(error) if error.message.contains("precedes") => {
            Err(Fault::with_hint("the range runs backwards", format!("swap the two: {last}..{first}")))
        }
        Err(error) => Err(error.into()),
    }
}
