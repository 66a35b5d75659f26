//! The date of an event: an EDTF text, kept as written, with the bounds that follow from it.
//!
//! The grammar is that of the crate `edtf-core`, which this module alone uses; what it refuses and we accept
//! is in `rewrite` and `read`, what the values mean is in `bounds`, and what people say instead is in
//! `spoken`.
//!
//! # Rulings
//!
//! - **A single value** (`2004`, `2023-07`, `201X`, `2023-21`) is one happening at an unknown moment inside
//!   it: both its start and its end lie anywhere from its first to its last second.
//! - **A date-time** is one second. With an offset it is turned to UTC, without it stands as it is written;
//!   second 60 counts as 59. `T23:20` is written back with seconds and `T24:00:00` as midnight of the next
//!   day. Offsets end at -12:00 and +14:00; fractions of a second are refused.
//! - **An interval** starts in its first part and ends in its second. It cannot end before it starts, so
//!   each start is bounded by the end and the other way round; `2019/2017` is refused.
//! - **Open is not unknown.** `..` lies at infinity. An unknown start is anything up to the end, an unknown
//!   end anything from the start on. `/`, `../..`, `../` and `/..` are accepted. `..2004/2010` started in
//!   2004 or earlier.
//! - **`[…]`** is one happening at one of its members; **`{…}`** is one happening for each, ranges expanded
//!   at their own precision, at most 1,000. Members with the same bounds are one member.
//! - **`?`, `~` and `%`** are flags and never widen bounds.
//! - **Years**: `0000` is 1 BCE and there is no `-0000`. A mask may stand in a negative year: `-01XX` is
//!   -0199 to -0100. Beyond ±290,000,000,000 a year is refused, since the axis counts seconds in an `i64`.
//! - **Seasons**: 21 to 24 and 25 to 28 are the northern, 29 to 32 the southern meteorological seasons, each
//!   named by the year in which it begins (`2023-24` ends in February 2024); 33 to 36 are quarters, 37 to 39
//!   four-month periods, 40 and 41 halves.
//!
//! Nothing else is rewritten: `?2004-?06-?11` stays as it is, and dates are equal when their texts are.

mod bounds;
mod error;
mod explain;
mod fast;
mod hint;
mod names;
mod read;
mod repair;
mod rewrite;
mod span;
mod spoken;

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

pub use self::error::DateError;
pub use self::names::MONTHS;
pub use self::span::{DateEdges, Edge, EdgeRange, Range, Span};

use self::bounds::Happenings;
use self::error::Fault;
use crate::Day;

/// When something happened, as EDTF: the text as written and the bounds that follow from it.
#[derive(Clone)]
pub struct Date {
    text: Arc<str>,
    happenings: Happenings,
}

impl Date {
    /// Reads a date as files carry it: EDTF, without surrounding space.
    pub fn parse(text: &str) -> Result<Self, DateError> {
        Self::exact(text).map_err(|fault| hint::for_file(text, fault))
    }

    /// Reads a date as people type it: EDTF, or words such as `2 Oct 2023`, `circa 2010`, `3 days ago`.
    ///
    /// What was understood is [`Self::as_str`]; show it to them.
    pub fn parse_spoken(text: &str, today: Day) -> Result<Self, DateError> {
        let text = text.trim();
        let fault = match Self::exact(text) {
            Ok(date) => return Ok(date),
            Err(fault) => fault,
        };
        match spoken::read(text, Some(today)) {
            Ok(Some(edtf)) => Self::exact(&edtf).map_err(|fault| hint::for_understood(text, &edtf, &fault)),
            Ok(None) => Err(hint::for_person(text, fault)),
            Err(fault) => Err(hint::for_phrase(text, fault)),
        }
    }

    /// The one way in: the fast path for the plain forms, else the rewrites, the grammar and the bounds.
    fn exact(text: &str) -> Result<Self, Fault> {
        if let Some(span) = fast::span(text) {
            return Ok(Self { text: text.into(), happenings: Happenings::One(span) });
        }
        let text: Cow<'_, str> = rewrite::normalise(text)?;
        let happenings = bounds::happenings(&read::value(&text)?)?;
        Ok(Self { text: text.into(), happenings })
    }

    /// The bounds of a plain year, month or day, without making a date of it; `None` for any other text.
    pub fn plain_span(text: &str) -> Option<Span> {
        fast::span(text)
    }

    /// The EDTF text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The happenings that the date stands for: one, or one for each member of a `{…}`.
    pub fn happenings(&self) -> &[Span] {
        self.happenings.as_slice()
    }

    /// The bounds of the whole: those of the only happening, or of all that a `{…}` holds together.
    pub fn span(&self) -> Span {
        self.happenings.whole()
    }

    /// The bounds of the whole for printing, an open end told from an unknown one.
    pub fn edges(&self) -> DateEdges {
        // Only an interval can begin or end with its slash, and only an unknown end makes it do so.
        DateEdges::new(self.span(), self.text.starts_with('/'), self.text.ends_with('/'))
    }

    /// What the date means, in one sentence for people.
    pub fn explain(&self) -> String {
        explain::sentence(self)
    }

    /// What the date means, in a few words and without a full stop: `2010 (circa)`.
    pub fn words(&self) -> String {
        explain::in_words(self)
    }

    /// Whether any part is flagged as doubtful (`?` or `%`).
    pub fn is_uncertain(&self) -> bool {
        self.text.contains(['?', '%'])
    }

    /// Whether any part is flagged as an estimate (`~` or `%`).
    pub fn is_approximate(&self) -> bool {
        self.text.contains(['~', '%'])
    }

    /// Whether the date is an interval, with a start and an end of its own.
    pub fn is_interval(&self) -> bool {
        self.text.contains('/')
    }
}

impl PartialEq for Date {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Date {}

impl Hash for Date {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Date({})", self.text)
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        Self::parse(text)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Date;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an EDTF date in quotes")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Date, E> {
                Date::parse(text).map_err(|error| match error.hint() {
                    Some(hint) => E::custom(format_args!("{error} ({hint})")),
                    None => E::custom(error),
                })
            }
        }

        deserializer.deserialize_str(Text)
    }
}
