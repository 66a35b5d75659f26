//! The dates of slides: as precise as their parts, in years without a year 0.

use std::fmt::Write as _;

use annals_model::{Invalid, YearText};
use serde_json::{Map, Value};

use super::is_empty;
use crate::export::timelinejs::{Point, written};
use crate::import::table::text;
use crate::text::shown;

/// The date of a slide as EDTF. What it cannot hold, a time beside an end or a fraction, is kept as it stands.
pub fn dates(
    start: Option<&Value>,
    end: Option<&Value>,
    shown: &mut Vec<String>,
    extra: &mut Map<String, Value>,
) -> Option<Result<String, Invalid>> {
    let end_value = end.filter(|value| !is_empty(value));
    let Some(start_value) = start.filter(|value| !is_empty(value)) else {
        // TimelineJS leaves such a slide out; it began at a time that nobody has written down.
        let date = |end: &Value| edtf(point(end)?.0, false).map(|end| format!("/{end}"));
        return end_value.map(|end| date(end).map_err(|e| e.under("end")));
    };
    let read = || {
        let (start, is_whole) = point(start_value)?;
        let end = end_value.map(point).transpose().map_err(|e| e.under("end"))?;
        let is_whole = is_whole && end.is_none_or(|(_, is_whole)| is_whole);
        let end = end.map(|(end, _)| end).filter(|end| *end != start);
        Ok::<_, Invalid>((start, end, is_whole))
    };
    let (start, end, is_whole) = match read() {
        Ok(points) => points,
        Err(error) => return Some(Err(error)),
    };
    shown.push(written(start, end));
    let has_time = |point: &Point| point.hour.is_some();
    let is_whole = is_whole && (start.day.is_some() || !has_time(&start));
    if !is_whole || (end.is_some() && (has_time(&start) || end.as_ref().is_some_and(has_time))) {
        extra.insert("start_date".to_owned(), start_value.clone());
        if let Some(value) = end_value {
            extra.insert("end_date".to_owned(), value.clone());
        }
    }
    let date = match end {
        None => edtf(start, true),
        Some(end) => edtf(start, false).and_then(|start| {
            let end = edtf(end, false)?;
            Ok(if start == end { start } else { format!("{start}/{end}") })
        }),
    };
    Some(date)
}

/// A point, and whether it holds all that the value says.
fn point(value: &Value) -> Result<(Point, bool), Invalid> {
    let Value::Object(fields) = value else {
        return Err(Invalid::new("is not an object with a year").with_hint("as in {\"year\": 2004}"));
    };
    let number = |name: &str| -> Result<Option<i64>, Invalid> {
        let Some(text) = fields.get(name).and_then(text) else { return Ok(None) };
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| Invalid::new(format!("`{}` is no {name}", shown(text))))
    };
    let small = |name: &str| {
        number(name)?
            .map(|n| u32::try_from(n).map_err(|_| Invalid::new(format!("`{n}` is no {name}"))))
            .transpose()
    };
    let year = number("year")?.ok_or_else(|| Invalid::new("has no year"))?;
    let mut point = Point {
        year,
        month: small("month")?,
        day: small("day")?,
        hour: small("hour")?,
        minute: small("minute")?,
        second: small("second")?,
    };
    let known = ["year", "month", "day", "hour", "minute", "second"];
    let mut is_whole = fields.iter().all(|(name, value)| known.contains(&name.as_str()) || is_empty(value));
    if let Some(time) = fields.get("time").and_then(text) {
        let mut parts = time.split(':').map(|part| part.trim().parse::<u32>());
        let (hour, minute) = (parts.next(), parts.next());
        if let (Some(Ok(hour)), Some(Ok(minute)), second) = (hour, minute, parts.next()) {
            let second = second.transpose().unwrap_or(None);
            (point.hour, point.minute, point.second) = (Some(hour), Some(minute), Some(second.unwrap_or(0)));
            is_whole = true;
        }
    }
    Ok((point, is_whole))
}

fn edtf(point: Point, with_time: bool) -> Result<String, Invalid> {
    let year = match point.year {
        0 => {
            return Err(Invalid::new("TimelineJS knows no year 0").with_hint("1 BCE is its year -1"));
        }
        year @ ..0 => year + 1,
        year => year,
    };
    let mut text = YearText(year).to_string();
    match (point.month, point.day) {
        // From 21 on EDTF would take it for a season.
        (Some(month @ (0 | 13..)), _) => return Err(Invalid::new(format!("{month} is no month (1 to 12)"))),
        (None, Some(_)) => return Err(Invalid::new("there is a day without a month")),
        (month, day) => {
            for part in [month, day].into_iter().flatten() {
                // Writing to a String cannot fail.
                let _ = write!(text, "-{part:02}");
            }
        }
    }
    if let (true, Some(_), Some(hour)) = (with_time, point.day, point.hour) {
        let (minute, second) = (point.minute.unwrap_or(0), point.second.unwrap_or(0));
        let _ = write!(text, "T{hour:02}:{minute:02}:{second:02}");
    }
    Ok(text)
}
