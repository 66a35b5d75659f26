//! Points on the two axes, as people read them.

use annals_model::{Date, Position};

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
