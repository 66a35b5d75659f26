//! JSON as it is written: a number keeps its digits, and no name stands twice in an object.
//!
//! A saved answer is compared with what it should say to the last digit. serde's own tree turns numbers into
//! floating-point ones, and takes the last of two fields with one name, where another reader may take the first.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::{Scalar, Value};

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// Null.
    Null,
    /// True or false.
    Bool(bool),
    /// The digits of a number.
    Number(Box<str>),
    /// Text.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object.
    Object(BTreeMap<String, Json>),
}

impl Json {
    /// Reads a text.
    pub fn parse(text: &str) -> serde_json::Result<Self> {
        check(text)?;
        Self::of_checked(text)
    }

    /// Reads a text that was [checked](check) before, or written by us.
    pub(super) fn of_checked(text: &str) -> serde_json::Result<Self> {
        Self::read(serde_json::from_str(text)?)
    }

    /// What the value is written as.
    pub fn of(value: &impl Serialize) -> serde_json::Result<Self> {
        Self::of_checked(&serde_json::to_string(value)?)
    }

    fn read(raw: &RawValue) -> serde_json::Result<Self> {
        let text = raw.get();
        Ok(match text.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'"') => Self::Text(serde_json::from_str(text)?),
            Some(b'[') => {
                let members: Vec<&RawValue> = serde_json::from_str(text)?;
                Self::List(members.into_iter().map(Self::read).collect::<Result<_, _>>()?)
            }
            Some(b'{') => {
                let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
                let read = |(name, value)| Ok::<_, serde_json::Error>((name, Self::read(value)?));
                Self::Object(fields.into_iter().map(read).collect::<Result<_, _>>()?)
            }
            _ => Self::Number(text.into()),
        })
    }

    /// A field of an object; nothing where there is none, or no object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.fields()?.get(name)
    }

    /// The fields of an object.
    pub const fn fields(&self) -> Option<&BTreeMap<String, Self>> {
        match self {
            Self::Object(fields) => Some(fields),
            _ => None,
        }
    }

    /// The text, where it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value as an attribute holds it; what no attribute can hold becomes the text of its JSON.
    pub fn to_value(&self) -> Value {
        match self {
            Self::List(members) => Value::Set(members.iter().map(Self::to_scalar).collect()),
            other => other.to_scalar().into(),
        }
    }

    fn to_scalar(&self) -> Scalar {
        match self {
            Self::Bool(value) => Scalar::Bool(*value),
            Self::Text(text) => Scalar::Text(text.as_str().into()),
            Self::Number(digits) => {
                digits.parse().map_or_else(|_| Scalar::Text(digits.to_string().into()), Scalar::Number)
            }
            other => Scalar::Text(other.to_string().into()),
        }
    }
}

/// As JSON on one line.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(digits) => RawValue::from_string(digits.to_string())
                .map_err(serde::ser::Error::custom)?
                .serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(members) => serializer.collect_seq(members),
            Self::Object(fields) => serializer.collect_map(fields),
        }
    }
}

/// Whether a text is JSON in which no name stands twice in an object, and no deeper than can be read: what reads raw values
/// finds neither.
pub(super) fn check(text: &str) -> serde_json::Result<()> {
    serde_json::from_str(text).map(|Sound| ())
}

/// Takes the white space out of JSON.
pub(super) fn close_up(json: &mut String) {
    let (mut is_quoted, mut is_escaped) = (false, false);
    json.retain(|c| {
        let is_quote = c == '"' && !is_escaped;
        is_escaped = is_quoted && c == '\\' && !is_escaped;
        is_quoted ^= is_quote;
        is_quoted || !c.is_ascii_whitespace()
    });
    json.shrink_to_fit();
}

/// JSON that is read and not kept.
struct Sound;

impl<'de> Deserialize<'de> for Sound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SoundVisitor)
    }
}

struct SoundVisitor;

impl<'de> Visitor<'de> for SoundVisitor {
    type Value = Sound;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_str<E>(self, _: &str) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<Sound, A::Error> {
        while members.next_element::<Sound>()?.is_some() {}
        Ok(Sound)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sound, A::Error> {
        let mut names = HashSet::new();
        while let Some((name, Sound)) = map.next_entry::<String, Sound>()? {
            if let Some(name) = names.replace(name) {
                return Err(A::Error::custom(format!("the field {name:?} is there twice")));
            }
        }
        Ok(Sound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_again_with_its_digits() {
        let check = |text: &str| assert_eq!(Json::parse(text).unwrap().to_string(), text);
        check(r#"{"a":[1,2.50,123456789012345678901234567890,null,true],"b":{"":"\" é"}}"#);
        check("-0.0");
        check("\"x\"");
    }

    #[test]
    fn white_space_goes_and_texts_keep_theirs() {
        let mut json = "\r\n{ \"a b\" :\t[ 1 , \"\\\\\" , \"\\\" \" ], \"é \": { } }\n".to_owned();
        let read = Json::parse(&json).unwrap();
        close_up(&mut json);
        assert_eq!(json, r#"{"a b":[1,"\\","\" "],"é ":{}}"#);
        assert_eq!(Json::parse(&json).unwrap(), read);
    }

    #[test]
    fn two_fields_of_one_name_are_refused_wherever_they_are() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"\u0061":2}}]"#] {
            assert!(Json::parse(text).unwrap_err().to_string().contains("twice"), "{text}");
        }
        assert!(Json::parse(&"[".repeat(1000)).is_err());
        assert!(Json::parse(&format!("{}{}", "[".repeat(1000), "]".repeat(1000))).is_err());
    }
}
