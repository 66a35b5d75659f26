//! Measured quantities, and the marks that they are to reach.

use std::fmt;
use std::time::Duration;

/// A measured number with its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantity {
    value: f64,
    unit: Unit,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// More is better.
    PerSecond,
    Seconds,
    Bytes,
    BytesPerEvent,
}

/// What a measure has to reach.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// At least this much, or at most, as the unit has it.
    Within(Quantity),
    /// So many times better than SQLite.
    Times(f64),
}

/// One row of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was measured.
    pub measure: String,
    /// What Annals needs or reaches.
    pub annals: Quantity,
    /// What SQLite does; absent where the question is not for it.
    pub peer: Option<Quantity>,
    /// What Annals is to reach.
    pub marks: Vec<Mark>,
}

impl Quantity {
    /// `count` things in this time.
    pub fn rate(count: u64, time: Duration) -> Self {
        Self::per_second(float(count) / time.as_secs_f64().max(1e-9))
    }

    /// A number of things a second.
    pub const fn per_second(value: f64) -> Self {
        Self { value, unit: Unit::PerSecond }
    }

    /// The time of one of `count` things.
    pub fn each(count: u64, time: Duration) -> Self {
        Self::seconds(time.as_secs_f64() / float(count))
    }

    /// A time in seconds.
    pub const fn seconds(value: f64) -> Self {
        Self { value, unit: Unit::Seconds }
    }

    /// A number of bytes.
    pub fn bytes(count: u64) -> Self {
        Self { value: float(count), unit: Unit::Bytes }
    }

    /// Bytes for each of `events`.
    pub fn bytes_per_event(bytes: u64, events: u64) -> Self {
        Self { value: float(bytes) / float(events), unit: Unit::BytesPerEvent }
    }

    /// How many times better this is than the other.
    pub fn against(self, other: Self) -> f64 {
        match self.unit {
            Unit::PerSecond => self.value / other.value,
            Unit::Seconds | Unit::Bytes | Unit::BytesPerEvent => other.value / self.value,
        }
    }
}

impl Row {
    /// A row without marks.
    pub fn new(measure: impl Into<String>, annals: Quantity, peer: Option<Quantity>) -> Self {
        Self { measure: measure.into(), annals, peer, marks: Vec::new() }
    }

    /// The same with a mark to reach.
    #[must_use]
    pub fn reach(mut self, mark: Mark) -> Self {
        self.marks.push(mark);
        self
    }

    /// How many times better Annals is than SQLite.
    pub fn ratio(&self) -> Option<f64> {
        self.peer.map(|peer| self.annals.against(peer))
    }

    /// Whether every mark was reached; nothing where there is none.
    pub fn met(&self) -> Option<bool> {
        let met = |mark: &Mark| match mark {
            Mark::Within(limit) => self.annals.against(*limit) >= 1.0,
            Mark::Times(factor) => self.ratio().is_some_and(|ratio| ratio >= *factor),
        };
        (!self.marks.is_empty()).then(|| self.marks.iter().all(met))
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within(limit) if limit.unit == Unit::PerSecond => write!(f, "≥ {limit}"),
            Self::Within(limit) => write!(f, "≤ {limit}"),
            Self::Times(factor) => write!(f, "≥ {factor} × SQLite"),
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (steps, suffix): (&[(f64, &str)], &str) = match self.unit {
            Unit::PerSecond => (&[(1e6, " M"), (1e3, " k"), (1.0, " ")], "/s"),
            Unit::Seconds => (&[(1.0, " "), (1e-3, " m"), (1e-6, " µ"), (1e-9, " n")], "s"),
            Unit::Bytes => (&[(1e9, " G"), (1e6, " M"), (1e3, " k"), (1.0, " ")], "B"),
            Unit::BytesPerEvent => (&[(1.0, " ")], "B"),
        };
        let fits = steps.iter().find(|(step, _)| self.value >= *step).or(steps.last());
        let (step, prefix) = fits.copied().unwrap_or((1.0, " "));
        let scaled = self.value / step;
        let digits = usize::from(scaled < 9.95);
        write!(f, "{scaled:.digits$}{prefix}{suffix}")
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2⁵³")]
const fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_of_a_rate_and_less_of_everything_else_is_better() {
        let fast = Quantity::rate(300, Duration::from_millis(1));
        let slow = Quantity::rate(100, Duration::from_millis(1));
        let row = Row::new("import", fast, Some(slow)).reach(Mark::Times(2.0));
        assert_eq!((row.ratio().map(f64::round), row.met()), (Some(3.0), Some(true)));
        let row = Row::new("import", slow, Some(fast)).reach(Mark::Within(Quantity::per_second(100_001.0)));
        assert_eq!((row.ratio().map(|ratio| ratio < 0.34), row.met()), (Some(true), Some(false)));
        let row = Row::new("size", Quantity::bytes(200), Some(Quantity::bytes(100)));
        assert_eq!((row.ratio(), row.met()), (Some(0.5), None));
    }

    #[test]
    fn quantities_read_well() {
        let check = |quantity: Quantity, text: &str| assert_eq!(quantity.to_string(), text);
        check(Quantity::per_second(312_345.0), "312 k/s");
        check(Quantity::each(10, Duration::from_micros(81)), "8.1 µs");
        check(Quantity::bytes_per_event(1_500, 10), "150 B");
        check(Quantity::bytes(9_990_000), "10 MB");
    }
}
