//! What an attribute can hold: text, a number, true or false, or a set of these.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::{Invalid, Number, limits};

/// A single value. The order (false, true, numbers, text by code point) is the order of a set's members.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scalar {
    /// True or false.
    Bool(bool),
    /// An exact decimal number.
    Number(Number),
    /// Text, which copies share.
    Text(Arc<str>),
}

/// What stands in an attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// A single value.
    Scalar(Scalar),
    /// A set, which may be empty; in JSON a sorted array.
    Set(BTreeSet<Scalar>),
}

impl Scalar {
    /// Reads one JSON scalar.
    pub fn from_json(raw: &RawValue) -> Result<Self, Invalid> {
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'"') => match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
                // Without an escape the text stands between the quotes as it is.
                Some(plain) if !plain.contains('\\') => Self::text(plain),
                _ => Self::text(
                    &serde_json::from_str::<String>(text).map_err(|e| Invalid::new(e.to_string()))?,
                ),
            },
            Some(b't') => Ok(Self::Bool(true)),
            Some(b'f') => Ok(Self::Bool(false)),
            Some(b'n') => Err(Invalid::new("null is not a value")
                .with_hint("use the operation `clear` to make an attribute absent")),
            Some(b'[' | b'{') => Err(Invalid::new("expected text, a number, true or false")),
            _ => text.parse().map(Self::Number),
        }
    }

    /// Reads a value from a command line: numbers and booleans as such, all else as text.
    pub fn from_plain(text: &str) -> Result<Self, Invalid> {
        match text {
            "true" => Ok(Self::Bool(true)),
            "false" => Ok(Self::Bool(false)),
            _ => match text.parse::<Number>() {
                Ok(number) => Ok(Self::Number(number)),
                // Digits that do not fit exactly are still digits: taking them as text would hide it.
                Err(error) if error.hint().is_some() => Err(error),
                Err(_) => Self::text(text),
            },
        }
    }

    fn text(text: &str) -> Result<Self, Invalid> {
        limits::text(text, 0, limits::VALUE).map(|()| Self::Text(text.into()))
    }
}

impl Value {
    /// Reads a JSON scalar or an array of scalars, which is a whole set.
    pub fn from_json(raw: &RawValue) -> Result<Self, Invalid> {
        if !raw.get().starts_with('[') {
            return Scalar::from_json(raw).map(Self::Scalar);
        }
        let members: Vec<&RawValue> =
            serde_json::from_str(raw.get()).map_err(|e| Invalid::new(e.to_string()))?;
        limits::count(members.len(), limits::SET_MEMBERS, "members")?;
        let mut set = BTreeSet::new();
        for (index, member) in members.into_iter().enumerate() {
            set.insert(Scalar::from_json(member).map_err(|e| e.under(format!("[{index}]")))?);
        }
        Ok(Self::Set(set))
    }
}

impl From<Scalar> for Value {
    fn from(scalar: Scalar) -> Self {
        Self::Scalar(scalar)
    }
}

impl Serialize for Scalar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => value.serialize(serializer),
            Self::Text(value) => serializer.serialize_str(value),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Scalar(scalar) => scalar.serialize(serializer),
            Self::Set(members) => serializer.collect_seq(members),
        }
    }
}

/// For people: text without quotes.
impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(value) => f.write_str(value),
        }
    }
}

/// For people: a set in braces, `{Jamaica, Kenya}`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(scalar) => write!(f, "{scalar}"),
            Self::Set(members) => {
                f.write_str("{")?;
                for (index, member) in members.iter().enumerate() {
                    write!(f, "{}{member}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Value, Invalid> {
        Value::from_json(&serde_json::value::RawValue::from_string(json.to_owned()).unwrap())
    }

    #[test]
    fn json_values_are_read_and_written_again() {
        let check = |json: &str, expect: &str| {
            assert_eq!(serde_json::to_string(&read(json).unwrap()).unwrap(), expect, "{json}");
        };
        check("\"presént\"", "\"presént\"");
        check("1e2", "100");
        check("true", "true");
        check("[\"b\",2,\"a\",false,\"b\"]", "[false,2,\"a\",\"b\"]");
        check("[]", "[]");
    }

    #[test]
    fn what_is_no_value_is_refused_with_its_place() {
        let check = |json: &str, expect: &str| assert_eq!(read(json).unwrap_err().to_string(), expect);
        check("null", "null is not a value");
        check("{}", "expected text, a number, true or false");
        check("[1,[2]]", "[1]: expected text, a number, true or false");
    }

    #[test]
    fn the_command_line_takes_numbers_and_booleans_as_such() {
        assert_eq!(Scalar::from_plain("9000").unwrap(), Scalar::Number(9000.into()));
        assert_eq!(Scalar::from_plain("true").unwrap(), Scalar::Bool(true));
        assert_eq!(Scalar::from_plain("007").unwrap(), Scalar::Text("007".into()));
        assert!(Scalar::from_plain("123456789012345678901").is_err());
    }
}
