//! The parts of an event that a column can fill.
//!
//! Most are fields with a name of their own. An effect is a target too: `set:quake/{ID}.deaths` says the
//! operation, the entity and the attribute, the latter two as templates, and its column gives the value.

use std::fmt;

use annals_model::{Invalid, When, suggest};

use super::template::Template;
use crate::text::shown;

/// What a column can fill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target<C> {
    Field(Field),
    Effect { written: String, effect: EffectTarget<C> },
}

/// A field of the event, or a part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Id,
    Timeline,
    Date,
    Year,
    HistoricalYear,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Start,
    End,
    Title,
    Description,
    Kind,
    Confidence,
    Place,
    Lat,
    Lon,
    Precision,
    Actor,
    Tag,
    Actors,
    Tags,
    Sources,
    Effects,
    Links,
    Extra,
    SourceTitle,
    SourceUrl,
    SourceDate,
    SourceQuote,
    SourceLocator,
    SourceArchived,
    SourceSha256,
}

/// An effect whose value a column gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectTarget<C> {
    pub op: EffectOp,
    pub entity: Template<C>,
    pub attribute: Template<C>,
}

/// The operations that take their value from a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectOp {
    Set(When),
    Add,
    Remove,
    Increase,
}

/// Every field with its name, in the order of the help.
const FIELDS: &[(&str, Field)] = &[
    ("id", Field::Id),
    ("timeline", Field::Timeline),
    ("date", Field::Date),
    ("year", Field::Year),
    ("historical-year", Field::HistoricalYear),
    ("month", Field::Month),
    ("day", Field::Day),
    ("hour", Field::Hour),
    ("minute", Field::Minute),
    ("second", Field::Second),
    ("start", Field::Start),
    ("end", Field::End),
    ("title", Field::Title),
    ("description", Field::Description),
    ("kind", Field::Kind),
    ("confidence", Field::Confidence),
    ("place", Field::Place),
    ("lat", Field::Lat),
    ("lon", Field::Lon),
    ("precision", Field::Precision),
    ("actor", Field::Actor),
    ("tag", Field::Tag),
    ("actors", Field::Actors),
    ("tags", Field::Tags),
    ("sources", Field::Sources),
    ("effects", Field::Effects),
    ("links", Field::Links),
    ("extra", Field::Extra),
    ("source.title", Field::SourceTitle),
    ("source.url", Field::SourceUrl),
    ("source.date", Field::SourceDate),
    ("source.quote", Field::SourceQuote),
    ("source.locator", Field::SourceLocator),
    ("source.archived", Field::SourceArchived),
    ("source.sha256", Field::SourceSha256),
];

const EFFECTS: &[(&str, EffectOp)] = &[
    ("set:", EffectOp::Set(When::Start)),
    ("add:", EffectOp::Add),
    ("remove:", EffectOp::Remove),
    ("increase:", EffectOp::Increase),
    ("during:", EffectOp::Set(When::During)),
];

impl Target<String> {
    /// Reads a target's name.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if let Some(field) = Field::named(text) {
            return Ok(Self::Field(field));
        }
        for (prefix, op) in EFFECTS {
            if let Some(name) = text.strip_prefix(prefix) {
                let effect = EffectTarget::parse(*op, name).ok_or_else(|| {
                    Invalid::new(format!("`{}` names no attribute", shown(text)))
                        .with_hint(format!("as in {prefix}cholera.deaths"))
                })??;
                return Ok(Self::Effect { written: text.to_owned(), effect });
            }
        }
        Err(unknown(text))
    }

    /// The names of all targets.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let effects = [
            "set:ENTITY.ATTR",
            "add:ENTITY.ATTR",
            "remove:ENTITY.ATTR",
            "increase:ENTITY.ATTR",
            "during:ENTITY.ATTR",
        ];
        FIELDS.iter().map(|(name, _)| *name).chain(effects)
    }

    /// The same target with its columns found.
    pub fn bind(&self, find: impl FnMut(&str) -> Result<usize, Invalid>) -> Result<Target<usize>, Invalid> {
        match self {
            Self::Field(field) => Ok(Target::Field(*field)),
            Self::Effect { written, effect } => {
                Ok(Target::Effect { written: written.clone(), effect: effect.bind(find)? })
            }
        }
    }
}

impl<C> Target<C> {
    /// The field, if it is one.
    pub fn field(&self) -> Option<Field> {
        match self {
            Self::Field(field) => Some(*field),
            Self::Effect { .. } => None,
        }
    }

    /// The field of the event that it is a part of.
    pub fn head(&self) -> &'static str {
        self.field().map_or("effects", Field::head)
    }

    /// Whether several rules may fill it, one entry each.
    pub fn is_repeatable(&self) -> bool {
        matches!(self, Self::Field(Field::Actor | Field::Tag) | Self::Effect { .. })
    }
}

impl Field {
    /// The field of a name.
    pub fn named(text: &str) -> Option<Self> {
        FIELDS.iter().find(|(name, _)| *name == text).map(|(_, field)| *field)
    }

    pub fn name(self) -> &'static str {
        FIELDS.iter().find(|(_, field)| *field == self).map_or("", |(name, _)| name)
    }

    /// The field of the event that it is a part of, as the event's own checks name it.
    pub fn head(self) -> &'static str {
        match self {
            Self::Year
            | Self::HistoricalYear
            | Self::Month
            | Self::Day
            | Self::Hour
            | Self::Minute
            | Self::Second
            | Self::Start
            | Self::End => "date",
            Self::Lat | Self::Lon | Self::Precision => "place",
            Self::Actor => "actors",
            Self::Tag => "tags",
            Self::SourceTitle
            | Self::SourceUrl
            | Self::SourceDate
            | Self::SourceQuote
            | Self::SourceLocator
            | Self::SourceArchived
            | Self::SourceSha256 => "sources",
            _ => self.name(),
        }
    }

    /// Whether its text may begin or end with a space. Elsewhere such a space cannot be meant.
    pub fn keeps_spaces(self) -> bool {
        matches!(
            self,
            Self::Title
                | Self::Description
                | Self::SourceTitle
                | Self::SourceQuote
                | Self::Date
                | Self::Start
                | Self::End
        )
    }
}

impl EffectTarget<String> {
    /// Reads `ENTITY.ATTR`; nothing where there is no dot to part them.
    fn parse(op: EffectOp, name: &str) -> Option<Result<Self, Invalid>> {
        let dot = last_dot(name)?;
        let (entity, attribute) = (&name[..dot], &name[dot + 1..]);
        if entity.trim().is_empty() || attribute.trim().is_empty() {
            return None;
        }
        let parts = Template::parse(entity).and_then(|entity| Ok((entity, Template::parse(attribute)?)));
        Some(parts.map(|(entity, attribute)| Self { op, entity, attribute }))
    }

    fn bind(
        &self,
        mut find: impl FnMut(&str) -> Result<usize, Invalid>,
    ) -> Result<EffectTarget<usize>, Invalid> {
        let (entity, attribute) = (self.entity.bind(&mut find)?, self.attribute.bind(&mut find)?);
        Ok(EffectTarget { op: self.op, entity, attribute })
    }
}

impl EffectTarget<usize> {
    /// The columns that the names take.
    pub fn columns(&self) -> impl Iterator<Item = usize> {
        self.entity.columns().chain(self.attribute.columns())
    }
}

/// The last dot outside of braces: a column's name may hold one.
fn last_dot(name: &str) -> Option<usize> {
    let mut is_inside = false;
    let dots = name.char_indices().filter(|(_, c)| {
        match c {
            '{' => is_inside = true,
            '}' => is_inside = false,
            _ => {}
        }
        *c == '.' && !is_inside
    });
    dots.last().map(|(at, _)| at)
}

fn unknown(text: &str) -> Invalid {
    let invalid = Invalid::new(format!("`{}` is no target of a column map", shown(text)));
    let near = match text.split_once(':') {
        Some((op, _)) => suggest::nearest(&format!("{op}:"), EFFECTS.iter().map(|(prefix, _)| *prefix)),
        None => suggest::nearest(text, FIELDS.iter().map(|(name, _)| *name)),
    };
    invalid.with_hint(match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("one of {}", Target::names().collect::<Vec<_>>().join(", ")),
    })
}

impl<C> fmt::Display for Target<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => f.write_str(field.name()),
            Self::Effect { written, .. } => f.write_str(written),
        }
    }
}
