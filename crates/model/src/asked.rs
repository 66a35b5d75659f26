//! The question in front of an answer, as every JSON form has it.

use serde::Serialize;

use crate::{Certainty, Date, Filter, Moment, Position, Question, TimelineName};

/// What was asked, with what the question came to: the last second and the last record that count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// The timeline that was asked about.
    pub timeline: TimelineName,
    /// The date axis, as it was given.
    pub as_of: Date,
    /// The last second that counts.
    pub as_of_until: Moment,
    /// The record axis: the last record that counts.
    pub known_at: Position,
    /// What had to hold of an effect.
    pub certainty: Certainty,
    /// Which events counted, where not all did.
    #[serde(skip_serializing_if = "Filter::is_empty")]
    pub filter: Filter,
    /// The entities that were asked for, where not all were.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<String>,
}

impl Asked {
    /// A question, and the last record that counted for its answer.
    pub fn new(question: &Question, known_at: Position) -> Self {
        Self {
            timeline: question.timeline.clone(),
            as_of: question.as_of.date().clone(),
            as_of_until: question.as_of.until(),
            known_at,
            certainty: question.certainty,
            filter: question.filter.clone(),
            entities: question.entities.clone(),
        }
    }
}
