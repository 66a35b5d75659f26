//! What the sides answer, in one form, so that answers can be held against each other.

use std::collections::BTreeMap;

/// Entity and attribute, and the JSON of what stands there.
pub type State = BTreeMap<(String, String), String>;

/// An attribute that changed: entity and attribute, and the JSON of what stood there before and after.
pub type Change = ((String, String), [Option<String>; 2]);

/// A question at both clocks.
#[derive(Clone, Debug)]
pub struct Question {
    /// The timeline.
    pub timeline: String,
    /// The date axis: an EDTF date, whose end is meant.
    pub as_of: String,
    /// The record axis: the last record that counts.
    pub known_at: u64,
}

/// A question about one attribute.
#[derive(Clone, Debug)]
pub struct Point {
    /// When.
    pub at: Question,
    /// Whose attribute.
    pub entity: String,
    /// Which one.
    pub attribute: String,
}

/// A list of what may fall between two dates.
#[derive(Clone, Debug)]
pub struct Range {
    /// The first date.
    pub from: String,
    /// The last date.
    pub to: String,
}

/// The timeline of everything that names none.
pub const TIMELINE: &str = "main";
