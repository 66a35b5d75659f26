//! A question to the log: which timeline, as of when, known at when, how sure, and which events count.
//!
//! It is parsed once and passed to every reader, so that no two commands understand `--as-of` differently.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::date::Span;
use crate::{Date, Day, Event, Invalid, Moment, RecordedAt, Seq, TimelineName};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The timeline.
    pub timeline: TimelineName,
    /// The date axis: what had happened by then.
    pub as_of: AsOf,
    /// The record axis: what the log held then.
    pub known_at: KnownAt,
    /// What must hold of an effect for it to count.
    pub certainty: Certainty,
    /// Which events count.
    pub filter: Filter,
    /// Which entities are answered for; all of them when empty.
    pub entities: Vec<String>,
}

impl Question {
    /// Whether an entity is answered for.
    pub fn asks_for(&self, entity: &str) -> bool {
        self.entities.is_empty() || self.entities.iter().any(|asked| asked == entity)
    }

    /// Whether an event had begun as of the date asked about, as surely as was asked.
    pub fn counts(&self, event: &Event) -> bool {
        let until = self.as_of.until();
        event.happenings().iter().any(|span| match self.certainty {
            Certainty::Surely => span.start.latest <= until,
            Certainty::Possibly => span.start.earliest <= until,
        })
    }
}

/// A point on the date axis: the last second that an EDTF value allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsOf {
    date: Date,
    until: Moment,
}

/// A point on the record axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KnownAt {
    /// The whole log.
    #[default]
    Everything,
    /// The records up to an instant, which is included.
    At(RecordedAt),
    /// The records up to a position, which is included.
    Position(Seq),
}

/// How sure it must be that an effect holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// Whatever its date allows, it had happened.
    #[default]
    Surely,
    /// Its date allows that it had happened.
    Possibly,
}

/// Which events count. Within one field any of the values will do; all the fields that are given must agree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// Kinds, whole and in any case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kind: Vec<String>,
    /// Parts of an actor's name, in any case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actor: Vec<String>,
    /// Parts of the place's name, in any case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub place: Vec<String>,
    /// Tags, whole and in any case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tag: Vec<String>,
    /// Entities that an effect of the event changes, whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entity: Vec<String>,
    /// Parts of a title, description or quotation, in any case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub text: Vec<String>,
    /// Parts of a source's title or address, in any case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source: Vec<String>,
    /// Events that end before this begins do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// Events that begin after this ends do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
}

impl AsOf {
    /// The end of a date; refused where it has none.
    pub fn new(date: Date) -> Result<Self, Invalid> {
        let until = date.span().end.latest;
        if !until.is_finite() {
            return Err(Invalid::new(format!("`{date}` has no end to ask as of"))
                .with_hint("give a day, a month, a year or a moment: 2018, 2023-10-02"));
        }
        Ok(Self { date, until })
    }

    /// The end of a day.
    pub fn day(day: Day) -> Result<Self, Invalid> {
        Self::new(Date::parse(&day.to_string())?)
    }

    /// The date as it was given.
    pub fn date(&self) -> &Date {
        &self.date
    }

    /// The last second that counts.
    pub const fn until(&self) -> Moment {
        self.until
    }
}

impl KnownAt {
    /// Reads `@17`, an RFC 3339 instant, or a date, whose end in UTC is meant; a date as people say it is
    /// counted from `today`.
    pub fn parse(text: &str, today: Day) -> Result<Self, Invalid> {
        if let Some(position) = text.strip_prefix('@') {
            let wrong = |_| Invalid::new(format!("`{text}` is not a position")).with_hint("as in @17");
            return position.parse().map(|seq| Self::Position(Seq(seq))).map_err(wrong);
        }
        if let Ok(instant) = text.parse() {
            return Ok(Self::At(instant));
        }
        let until = AsOf::new(Date::parse_spoken(text, today)?)?.until();
        // The last microsecond of the last second.
        let micros = until.next().seconds().checked_mul(1_000_000).map(|micros| micros - 1);
        micros.map(|micros| Self::At(RecordedAt::from_micros(micros))).ok_or_else(|| {
            Invalid::new(format!("`{text}` is out of the range of record times"))
                .with_hint("as in 2023-11-13")
        })
    }

    /// Whether a record counts.
    pub fn covers(self, seq: Seq, recorded_at: RecordedAt) -> bool {
        match self {
            Self::Everything => true,
            Self::At(instant) => recorded_at <= instant,
            Self::Position(position) => seq <= position,
        }
    }
}

impl Filter {
    /// Whether every event counts.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an event counts. Its date has to meet `from` and `to` surely or possibly, as `certainty` says;
    /// an event without a date possibly does, and never surely.
    pub fn admits(&self, event: &Event, certainty: Certainty) -> bool {
        any(&self.kind, |kind| event.kind.as_deref().is_some_and(|own| same(own, kind)))
            && any(&self.actor, |name| event.actors.iter().any(|actor| part(&actor.name, name)))
            && any(&self.place, |name| event.place.as_ref().is_some_and(|place| part(&place.name, name)))
            && any(&self.tag, |tag| event.tags.iter().any(|own| same(own, tag)))
            && any(&self.entity, |name| event.effects.iter().any(|effect| effect.entity == *name))
            && any(&self.text, |text| mentions(event, text))
            && any(&self.source, |text| event.sources.iter().any(|source| cites(source, text)))
            && self.in_range(event, certainty)
    }

    fn in_range(&self, event: &Event, certainty: Certainty) -> bool {
        if self.from.is_none() && self.to.is_none() {
            return true;
        }
        let from = self.from.as_ref().map_or(Moment::NEG_INFINITY, |date| date.span().start.earliest);
        let to = self.to.as_ref().map_or(Moment::INFINITY, |date| date.span().end.latest);
        let meets = |span: &Span| match certainty {
            Certainty::Surely => span.start.latest <= to && span.end.earliest >= from,
            Certainty::Possibly => span.start.earliest <= to && span.end.latest >= from,
        };
        event.happenings().iter().any(meets)
    }
}

impl Event {
    /// The happenings of the event's date; an event without a date has one, anywhere on the axis.
    pub fn happenings(&self) -> &[Span] {
        self.date.as_ref().map_or(&[Span::UNDATED], Date::happenings)
    }

    /// The whole extent of the event's date.
    pub fn span(&self) -> Span {
        self.date.as_ref().map_or(Span::UNDATED, Date::span)
    }
}

fn any(wanted: &[String], found: impl Fn(&String) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(found)
}

fn same(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

fn part(whole: &str, part: &str) -> bool {
    whole.to_lowercase().contains(&part.to_lowercase())
}

fn mentions(event: &Event, text: &str) -> bool {
    let quotes = event.sources.iter().filter_map(|source| source.quote.as_deref());
    std::iter::once(event.title.as_str())
        .chain(event.description.as_deref())
        .chain(quotes)
        .any(|own| part(own, text))
}

fn cites(source: &crate::Source, text: &str) -> bool {
    [&source.title, &source.url, &source.archived].into_iter().flatten().any(|own| part(own, text))
}

impl Certainty {
    /// The name in JSON and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Surely => "surely",
            Self::Possibly => "possibly",
        }
    }
}

impl fmt::Display for Certainty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Certainty {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text {
            "surely" => Ok(Self::Surely),
            "possibly" => Ok(Self::Possibly),
            _ => Err(Invalid::new(format!("`{text}` is not a certainty")).with_hint("surely or possibly")),
        }
    }
}

impl fmt::Display for AsOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.date, f)
    }
}
