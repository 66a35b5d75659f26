//! What the dates leave open about a value that stands, in the room of a pointer: most values are sure, and a whole
//! state has many thousand of them.

use std::ops::Deref;

use serde::{Serialize, Serializer};

use super::Open;

/// What the dates leave open about a value that stands, if they do: an [`Open`] in which there is nothing if not.
#[derive(Clone, Debug, Default)]
pub struct Doubt(Option<Box<Open>>);

static NOTHING: Open =
    Open { alternatives: Vec::new(), low: None, high: None, members: None, depends_on: Vec::new() };

impl Deref for Doubt {
    type Target = Open;

    fn deref(&self) -> &Open {
        self.0.as_deref().unwrap_or(&NOTHING)
    }
}

impl From<Option<Box<Open>>> for Doubt {
    fn from(open: Option<Box<Open>>) -> Self {
        Self(open)
    }
}

impl PartialEq for Doubt {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Doubt {}

impl Serialize for Doubt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}
