//! The bounds of a happening: four moments, and the same four as they are printed.
//!
//! [`Span`] is what the fold computes with; it knows only infinities. [`DateEdges`] is what people and
//! programs are shown; there an infinite bound says why it is infinite, since an open end and an unknown one
//! mean different things. Both are plain values without any parsing.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::Moment;

/// Where one end of a happening may lie, both bounds included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range {
    /// The first moment that is possible.
    pub earliest: Moment,
    /// The last moment that is possible.
    pub latest: Moment,
}

/// The four bounds of one happening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Where the start may lie.
    pub start: Range,
    /// Where the end may lie.
    pub end: Range,
}

impl Range {
    /// Any moment at all.
    pub const ANY: Self = Self { earliest: Moment::NEG_INFINITY, latest: Moment::INFINITY };
}

impl Span {
    /// The bounds of something without a date: it may have happened at any moment.
    pub const UNDATED: Self = Self { start: Range::ANY, end: Range::ANY };

    /// One happening at an unknown moment inside `range`.
    pub const fn within(range: Range) -> Self {
        Self { start: range, end: range }
    }

    /// The bounds of two happenings seen as one whole.
    #[must_use]
    pub(super) fn together(self, other: Self) -> Self {
        let start = Range {
            earliest: self.start.earliest.min(other.start.earliest),
            latest: self.start.latest.min(other.start.latest),
        };
        let end = Range {
            earliest: self.end.earliest.max(other.end.earliest),
            latest: self.end.latest.max(other.end.latest),
        };
        Self { start, end }
    }
}

/// One bound as it is printed: a moment, `open` (`..`) or `unknown` (nothing written).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// A second on the date axis.
    At(Moment),
    /// Without limit: the date says that there is none.
    Open,
    /// Without limit: the date does not say.
    Unknown,
}

/// The two bounds of one end, as they are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct EdgeRange {
    /// No earlier than this.
    pub earliest: Edge,
    /// No later than this.
    pub latest: Edge,
}

/// The four bounds of a date, as they are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DateEdges {
    /// The bounds of the start.
    pub start: EdgeRange,
    /// The bounds of the end.
    pub end: EdgeRange,
}

impl DateEdges {
    pub(super) fn new(span: Span, start_unknown: bool, end_unknown: bool) -> Self {
        let side = |range: Range, unknown: bool| EdgeRange {
            earliest: Edge::of(range.earliest, unknown),
            latest: Edge::of(range.latest, unknown),
        };
        Self { start: side(span.start, start_unknown), end: side(span.end, end_unknown) }
    }
}

impl Edge {
    /// A moment as it is printed; an infinite one is open, or unknown where that is the reason.
    pub const fn of(moment: Moment, is_unknown: bool) -> Self {
        match moment.is_finite() {
            true => Self::At(moment),
            false if is_unknown => Self::Unknown,
            false => Self::Open,
        }
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(moment) => fmt::Display::fmt(moment, f),
            Self::Open => f.write_str("open"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

impl Serialize for Edge {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
