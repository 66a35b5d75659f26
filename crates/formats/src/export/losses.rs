//! The loss report: what a target could not carry, counted by kind and worded for people.
//!
//! A kind is a constant beside the exporter that knows it, or here where several do. The order of the report is
//! the order in which the kinds were first met, which the rows decide and nothing else.

use std::fmt;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use crate::text::thousands;

/// One kind of loss: its name for programs, and what follows the count for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    kind: &'static str,
    one: &'static str,
    many: &'static str,
}

/// Events whose `extra` has no room in the target.
pub const EXTRA: Loss = Loss::new("extra", "event lost its extra fields", "events lost their extra fields");

/// Events without a date, which the target cannot place.
pub const UNDATED: Loss = Loss::new("undated", "undated event left out", "undated events left out");

/// Events whose date names neither a beginning nor an end.
pub const BOUNDLESS: Loss = Loss::new(
    "boundless",
    "event left out whose date names neither a beginning nor an end",
    "events left out whose dates name neither a beginning nor an end",
);

/// Events before or behind the years that the target can hold.
pub const FAR: Loss = Loss::new(
    "far",
    "event left out whose years the target cannot hold",
    "events left out whose years the target cannot hold",
);

/// Events that only possibly lie within what was asked for, in a target that has no mark for it.
pub const POSSIBLY: Loss = Loss::new(
    "possibly",
    "event that only possibly happened stands like the others",
    "events that only possibly happened stand like the others",
);

impl Loss {
    /// A kind with its wordings for one and for several.
    pub const fn new(kind: &'static str, one: &'static str, many: &'static str) -> Self {
        Self { kind, one, many }
    }
}

/// What an export could not carry.
///
/// Displayed as one line a kind, `3 dates lost their "circa"`; in JSON a list of
/// `{"kind":…,"count":…,"text":…}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    counts: Vec<(Loss, u64)>,
}

impl Losses {
    /// Counts one more of a kind.
    pub(crate) fn count(&mut self, loss: Loss) {
        match self.counts.iter_mut().find(|(known, _)| known.kind == loss.kind) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((loss, 1)),
        }
    }

    /// Whether everything was carried.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Each kind's name, its count, and the sentence for people.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64, String)> + '_ {
        self.counts.iter().map(|(loss, count)| {
            let wording = if *count == 1 { loss.one } else { loss.many };
            (loss.kind, *count, format!("{} {wording}", thousands(*count)))
        })
    }
}

impl fmt::Display for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (_, _, text)) in self.iter().enumerate() {
            write!(f, "{}{text}", if index == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl Serialize for Losses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Entry {
            kind: &'static str,
            count: u64,
            text: String,
        }
        let mut list = serializer.serialize_seq(Some(self.counts.len()))?;
        for (kind, count, text) in self.iter() {
            list.serialize_element(&Entry { kind, count, text })?;
        }
        list.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_many_are_worded_and_kept_in_order() {
        const CIRCA: Loss = Loss::new("circa", "date lost its \"circa\"", "dates lost their \"circa\"");
        const UNDATED: Loss = Loss::new("undated", "undated event left out", "undated events left out");
        let mut losses = Losses::default();
        assert!(losses.is_empty());
        for loss in [CIRCA, UNDATED, CIRCA, CIRCA] {
            losses.count(loss);
        }
        let mut many = Losses { counts: vec![(CIRCA, 6_099)] };
        many.count(CIRCA);
        assert_eq!(many.to_string(), "6,100 dates lost their \"circa\"");
        assert_eq!(losses.to_string(), "3 dates lost their \"circa\"\n1 undated event left out");
        assert_eq!(
            serde_json::to_string(&losses).unwrap(),
            r#"[{"kind":"circa","count":3,"text":"3 dates lost their \"circa\""},{"kind":"undated","count":1,"text":"1 undated event left out"}]"#
        );
    }
}
