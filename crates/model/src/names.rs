//! Names and positions, each with a type of its own: what an event, a timeline, a record and a version are
//! called.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Invalid, limits};

/// The id of an event, unique in its timeline: 1 to 200 characters, no control characters.
///
/// One answer may name an event several times: its copies share the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(Arc<str>);

/// The name of a timeline: 1 to 100 letters, digits, `-`, `_`, `.` in any script.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct TimelineName(Box<str>);

/// The name of a saved snapshot: 1 to 100 letters, digits, `-`, `_`, `.` in any script, not beginning with a dot.
///
/// It is the name of a file, too, so that it is also limited to 200 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SnapshotName(Box<str>);

/// The position of a record in the log: 1, 2, 3 … without gaps; 0 stands before the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

/// The version of a timeline: the number of its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct Version(pub u64);

impl EventId {
    /// Checks and takes an id.
    pub fn new(id: impl Into<Arc<str>>) -> Result<Self, Invalid> {
        let id = id.into();
        limits::name(&id, limits::ID).map(|()| Self(id))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TimelineName {
    /// Checks and takes a name.
    pub fn new(name: impl Into<Box<str>>) -> Result<Self, Invalid> {
        let name = name.into();
        limits::name(&name, limits::TIMELINE)?;
        plain(&name, "a timeline's name").map(|()| Self(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SnapshotName {
    /// Checks and takes a name.
    pub fn new(name: impl Into<Box<str>>) -> Result<Self, Invalid> {
        let name = name.into();
        limits::name(&name, limits::SNAPSHOT)?;
        plain(&name, "a snapshot's name")?;
        if name.starts_with('.') {
            return Err(Invalid::new("a snapshot's name cannot begin with a dot"));
        }
        if name.len() > limits::SNAPSHOT_BYTES {
            let (bytes, limit) = (name.len(), limits::SNAPSHOT_BYTES);
            return Err(Invalid::new(format!("has {bytes} bytes, the limit is {limit}")));
        }
        Ok(Self(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Refuses what a name of ours cannot hold.
fn plain(name: &str, what: &str) -> Result<(), Invalid> {
    match name.chars().find(|c| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.')) {
        Some(bad) => Err(Invalid::new(format!("{what} cannot hold {bad:?}"))
            .with_hint("letters, digits, `-`, `_` and `.` are allowed")),
        None => Ok(()),
    }
}

impl Seq {
    /// The position behind this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

macro_rules! text_type {
    ($name:ident, $text:expr) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                Self::new(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = $text(deserializer)?;
                Self::new(text).map_err(serde::de::Error::custom)
            }
        }
    };
}

text_type!(EventId, shared);
text_type!(TimelineName, Box::<str>::deserialize);
text_type!(SnapshotName, Box::<str>::deserialize);

/// Reads a text that copies are to share.
fn shared<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
    struct Text;

    impl Visitor<'_> for Text {
        type Value = Arc<str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E>(self, text: &str) -> Result<Arc<str>, E> {
            Ok(text.into())
        }
    }

    deserializer.deserialize_str(Text)
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_confuse_a_reader_are_refused() {
        assert!(EventId::new("cholera-2010").is_ok());
        assert!(EventId::new("UN police leave (2019)").is_ok());
        for bad in ["", " x", "x\n", "a\u{7}b", &"x".repeat(201)] {
            assert!(EventId::new(bad).is_err(), "{bad:?}");
        }
        assert!(TimelineName::new("haïti-2023.v1").is_ok());
        for bad in ["", "a b", "a/b", &"x".repeat(101)] {
            assert!(TimelineName::new(bad).is_err(), "{bad:?}");
        }
        assert!(SnapshotName::new("before-the-vote.2023").is_ok());
        for bad in ["", "a/b", "..", ".hidden", "a b", &"x".repeat(101), &"漢".repeat(70)] {
            assert!(SnapshotName::new(bad).is_err(), "{bad:?}");
        }
    }
}
