//! The one error of the model: input that breaks a rule, with its place in the input and the next step.

use std::fmt;

/// Input that cannot be taken: where it stands, what is wrong with it, and what to do next.
///
/// The path names the field as a reader of the JSON would: `effects[2].value`. It is empty when the whole
/// input is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    path: String,
    message: String,
    hint: Option<String>,
}

impl Invalid {
    /// An error about the whole input.
    pub fn new(message: impl Into<String>) -> Self {
        Self { path: String::new(), message: message.into(), hint: None }
    }

    /// The same error with a next step for the user.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error, seen from one level further out: `field` goes in front of the path.
    #[must_use]
    pub fn under(mut self, field: impl fmt::Display) -> Self {
        self.path = if self.path.is_empty() {
            field.to_string()
        } else if self.path.starts_with('[') {
            format!("{field}{}", self.path)
        } else {
            format!("{field}.{}", self.path)
        };
        self
    }

    /// Where the fault stands, as `effects[2].value`; empty for the whole input.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong, without the path.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The next step, when there is one to suggest.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Invalid {}

impl From<crate::date::DateError> for Invalid {
    fn from(error: crate::date::DateError) -> Self {
        let invalid = Self::new(error.to_string());
        match error.hint() {
            Some(hint) => invalid.with_hint(hint),
            None => invalid,
        }
    }
}
