//! What an event does to the state: one change of one attribute of one entity.

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::{Invalid, Number, Scalar, Value, limits};

/// One change that an event makes, and the moment of the event's date at which it takes effect.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Effect {
    /// Whose attribute changes.
    pub entity: String,
    /// The attribute that changes; it holds no dot, so that `entity.attribute` has one reading.
    pub attribute: String,
    /// What happens to it.
    pub change: Change,
    /// At which end of the date, or during which of it.
    pub when: When,
}

/// The change itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// The value replaces what stands; an array is a whole set.
    Set(Value),
    /// The attribute becomes absent.
    Clear,
    /// The value joins the set.
    Add(Scalar),
    /// The value leaves the set.
    Remove(Scalar),
    /// The number is added to what stands; it may be negative.
    Increase(Number),
}

/// When, within the event's date, an effect takes hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// At the start of the date.
    #[default]
    Start,
    /// At its end.
    End,
    /// From its start, lapsing after its end, when what stood below shows again.
    During,
}

impl Change {
    /// The operation's name in JSON.
    pub const fn op(&self) -> &'static str {
        match self {
            Self::Set(_) => "set",
            Self::Clear => "clear",
            Self::Add(_) => "add",
            Self::Remove(_) => "remove",
            Self::Increase(_) => "increase",
        }
    }

    /// Whether the change replaces whatever stood before it.
    pub const fn replaces(&self) -> bool {
        matches!(self, Self::Set(_) | Self::Clear)
    }
}

impl Effect {
    /// Checks names and limits.
    pub fn check(&self) -> Result<(), Invalid> {
        limits::name(&self.entity, limits::NAME).map_err(|e| e.under("entity"))?;
        limits::name(&self.attribute, limits::NAME).map_err(|e| e.under("attribute"))?;
        if self.attribute.contains('.') {
            return Err(Invalid::new(format!("an attribute's name cannot hold a dot: {:?}", self.attribute))
                .with_hint("use `-` or `_`: the attribute is what follows the last dot of `entity.attribute`")
                .under("attribute"));
        }
        if self.when == When::During && !matches!(self.change, Change::Set(_) | Change::Add(_)) {
            return Err(Invalid::new(format!(
                "`during` goes with `set` and `add`, not `{}`",
                self.change.op()
            ))
            .under("when"));
        }
        Ok(())
    }
}

/// For people: `un-police.status = present`.
impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} ", self.entity, self.attribute)?;
        match &self.change {
            Change::Set(value) => write!(f, "= {value}")?,
            Change::Clear => f.write_str("cleared")?,
            Change::Add(value) => write!(f, "+ {{{value}}}")?,
            Change::Remove(value) => write!(f, "- {{{value}}}")?,
            Change::Increase(number) => write!(f, "+= {number}")?,
        }
        match self.when {
            When::Start => Ok(()),
            When::End => f.write_str(" (at the end)"),
            When::During => f.write_str(" (during)"),
        }
    }
}

/// The JSON form, before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with `op`, `entity` and `attribute`")]
pub(crate) struct EffectLine<'a> {
    op: Op,
    entity: String,
    attribute: String,
    #[serde(borrow, default, deserialize_with = "present")]
    value: Option<&'a RawValue>,
    #[serde(default)]
    when: When,
}

/// A value that is there, be it `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Op {
    Set,
    Clear,
    Add,
    Remove,
    Increase,
}

impl EffectLine<'_> {
    pub(crate) fn read(self) -> Result<Effect, Invalid> {
        let change = self.change().map_err(|e| e.under("value"))?;
        let effect = Effect { entity: self.entity, attribute: self.attribute, change, when: self.when };
        effect.check()?;
        Ok(effect)
    }

    fn change(&self) -> Result<Change, Invalid> {
        match (self.op, self.value) {
            (Op::Clear, None) => Ok(Change::Clear),
            (Op::Clear, Some(_)) => Err(Invalid::new("`clear` takes no value")),
            (_, None) => Err(Invalid::new("is missing").with_hint("only `clear` goes without a value")),
            (Op::Set, Some(raw)) => Value::from_json(raw).map(Change::Set),
            (Op::Add, Some(raw)) => Scalar::from_json(raw).map(Change::Add),
            (Op::Remove, Some(raw)) => Scalar::from_json(raw).map(Change::Remove),
            (Op::Increase, Some(raw)) => match Scalar::from_json(raw)? {
                Scalar::Number(number) => Ok(Change::Increase(number)),
                _ => Err(Invalid::new("`increase` takes a number")),
            },
        }
    }
}

impl Serialize for Effect {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = 3 + usize::from(self.change != Change::Clear) + usize::from(self.when != When::Start);
        let mut line = serializer.serialize_struct("Effect", fields)?;
        line.serialize_field("op", self.change.op())?;
        line.serialize_field("entity", &self.entity)?;
        line.serialize_field("attribute", &self.attribute)?;
        match &self.change {
            Change::Set(value) => line.serialize_field("value", value)?,
            Change::Clear => {}
            Change::Add(value) | Change::Remove(value) => line.serialize_field("value", value)?,
            Change::Increase(number) => line.serialize_field("value", number)?,
        }
        if self.when != When::Start {
            line.serialize_field("when", &self.when)?;
        }
        line.end()
    }
}
