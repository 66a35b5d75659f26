//! Points on the two axes, as people read them.

use annals_core::ClockLag;
use annals_model::{Date, Position};

use super::counted;

/// A date as it was written; `undated` where nobody knows.
pub fn dated(date: Option<&Date>) -> &str {
    date.map_or("undated", Date::as_str)
}

/// A point on the record axis: `record 17 of 2023-11-13T12:00:00.000000Z`.
pub fn position(position: Position) -> String {
    match position.recorded_at {
        Some(at) => format!("record {} of {at}", position.seq),
        None => "nothing".to_owned(),
    }
}

/// What is said of a clock that lay behind the log.
pub fn lagging(lag: &ClockLag) -> String {
    let behind = lasting(lag.seconds());
    let at = lag.recorded_at;
    format!(
        "the clock lies {behind} behind the last record, and record times never go back: recorded at {at}, too. \
         Check the clock"
    )
}

/// A time that has passed, in the largest unit of which there is one: `3 hours`.
fn lasting(seconds: u64) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let (length, unit) = units.into_iter().find(|(length, _)| seconds >= *length).unwrap_or((1, "second"));
    counted(seconds / length, unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_their_largest_unit() {
        let told: Vec<_> = [1, 59, 60, 7_199, 86_399, 86_400, 40_000_000].into_iter().map(lasting).collect();
        assert_eq!(told, ["1 second", "59 seconds", "1 minute", "1 hour", "23 hours", "1 day", "462 days"]);
    }
}
