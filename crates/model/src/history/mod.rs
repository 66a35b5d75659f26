//! The history of an attribute: every value that it had, from when to when, and by which event; its JSON form is
//! `annals/history/1`.
//!
//! # What a span is
//!
//! At every second D of the date axis replay gives answers, each a value and the event that decided it: what surely
//! stood, what possibly stood, and the alternatives to what surely stood. A value *stands* at D by an event when any
//! of these says so, and it stands *surely* where the surely-answer says so and is sure, as in a snapshot.
//!
//! - A span is a longest stretch of the axis on which one value stands by one event: from `possibly_from` to
//!   `possibly_until`, both included.
//! - `from` and `until` are the first and the last second of it at which it surely stands; both are absent (`null`)
//!   where it never surely does.
//! - Where it ceases to be sure and becomes so again, a new span begins at the second at which it is sure again, and
//!   the one before ends with the second before.
//!
//! So no two spans of one value by one event overlap, a replay at any D finds its answer in exactly one span, and the
//! replayed value is sure exactly when D lies between that span's `from` and `until`. While nothing stands there is
//! no span.
//!
//! A bound without limit is written as dates write it: `open`, or `unknown` where the deciding event's date does
//! not say when it began (the only reason for which a value may possibly have stood ever since) or, of a `during`,
//! when it ended.

mod course;
mod sweep;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::date::Edge;
use crate::fold::{Claim, Counted};
use crate::{
    Date, EventId, Filter, Moment, Position, Question, RecordedAt, Seq, Target, TimelineName, Value, When,
};
pub use course::{Turn, course};
use sweep::{Stands, Stretch};

/// The name of the JSON form.
pub const SCHEMA: &str = "annals/history/1";

/// What an entity or an attribute was along the date axis, as known at a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct History {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The timeline that was asked about.
    pub timeline: TimelineName,
    /// The record axis: the last record that counts.
    pub known_at: Position,
    /// Which events counted, where not all did.
    #[serde(skip_serializing_if = "Filter::is_empty")]
    pub filter: Filter,
    /// The entity that was asked about.
    pub entity: String,
    /// The attribute that was asked about, where not all were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// What stood, by attribute and then in the order of time.
    pub spans: Vec<HistorySpan>,
}

/// A value that stood, and how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HistorySpan {
    /// The entity.
    pub entity: String,
    /// The attribute.
    pub attribute: String,
    /// The value.
    pub value: Value,
    /// The event that decided it.
    pub by: EventId,
    /// The record of that event's version.
    pub seq: Seq,
    /// When that was recorded.
    pub recorded_at: RecordedAt,
    /// The event's date; absent when nobody knows.
    pub date: Option<Date>,
    /// The event's title.
    pub title: String,
    /// The first second at which the value surely stands; absent where it never does.
    pub from: Option<Edge>,
    /// The last second at which it surely stands.
    pub until: Option<Edge>,
    /// The first second at which it possibly stands.
    pub possibly_from: Edge,
    /// The last second at which it possibly stands.
    pub possibly_until: Edge,
}

/// A span while it is being found.
#[derive(Debug)]
struct Run<'a> {
    value: Value,
    /// The claim that decided it when it began, and the one when it ended: of the same event.
    first: Claim<'a>,
    last: Claim<'a>,
    from: Moment,
    until: Moment,
    sure_from: Option<Moment>,
    sure_until: Option<Moment>,
}

impl History {
    /// Answers the question what a target was along the whole date axis.
    ///
    /// Of the question its timeline, its filter and its certainty – for the range of the filter – count; `known` are
    /// the events that were known, and `recorded_at` says when a version was recorded.
    pub fn answer(
        question: &Question,
        target: &Target,
        position: Position,
        known: &[(Counted<'_>, RecordedAt)],
    ) -> Self {
        let mut claims: BTreeMap<&str, Vec<Claim<'_>>> = BTreeMap::new();
        let mut recorded_at: BTreeMap<Seq, RecordedAt> = BTreeMap::new();
        for (counted, at) in known {
            if !question.filter.admits(counted.event, question.certainty) {
                continue;
            }
            for claim in counted.claims().filter(|claim| target.is_of(claim.effect)) {
                claims.entry(&claim.effect.attribute).or_default().push(claim);
                recorded_at.insert(counted.seq, *at);
            }
        }
        let mut spans = Vec::new();
        for (attribute, claims) in claims {
            // Every claim brought the time of its version along, so no run goes without one.
            spans.extend(runs(&claims).into_iter().filter_map(|run| {
                let at = *recorded_at.get(&run.first.counted.seq)?;
                Some(run.told(&target.entity, attribute, at))
            }));
        }
        Self {
            schema: SCHEMA,
            timeline: question.timeline.clone(),
            known_at: position,
            filter: question.filter.clone(),
            entity: target.entity.clone(),
            attribute: target.attribute.clone(),
            spans,
        }
    }
}

/// Every span of one attribute's claims, in the order of time.
fn runs<'a>(claims: &[Claim<'a>]) -> Vec<Run<'a>> {
    let mut done: Vec<Run<'a>> = Vec::new();
    let mut standing: Vec<Run<'a>> = Vec::new();
    for Stretch { from, standing: mut answers } in sweep::stretches(claims) {
        let mut still = Vec::with_capacity(answers.len());
        for mut run in standing {
            match answers.iter().position(|answer| run.continues(answer)) {
                Some(index) => {
                    let answer = answers.swap_remove(index);
                    run.goes_on(&answer, from, &mut done);
                    still.push(run);
                }
                None => done.push(run.ended(from.previous())),
            }
        }
        still.extend(answers.into_iter().map(|answer| Run::begun(answer, from)));
        standing = still;
    }
    done.extend(standing);
    // What surely stood decides the place of a span among those that it overlaps with.
    done.sort_by_key(|run| (run.sure_from.unwrap_or(run.from), run.from, run.first.counted.place));
    done
}

impl<'a> Run<'a> {
    fn begun(answer: Stands<'a>, from: Moment) -> Self {
        let Stands { value, by, sure } = answer;
        let (sure_from, sure_until) = (sure.then_some(from), sure.then_some(Moment::INFINITY));
        Self { value, first: by, last: by, from, until: Moment::INFINITY, sure_from, sure_until }
    }

    fn continues(&self, answer: &Stands<'_>) -> bool {
        self.last.counted.place == answer.by.counted.place && self.value == answer.value
    }

    /// Takes the answer of the next stretch in; a run that becomes sure again is done, and a new one begins.
    fn goes_on(&mut self, answer: &Stands<'a>, from: Moment, done: &mut Vec<Self>) {
        let is_sure_still = self.sure_until == Some(Moment::INFINITY);
        if answer.sure && self.sure_from.is_none() {
            (self.sure_from, self.sure_until) = (Some(from), Some(Moment::INFINITY));
        } else if answer.sure && !is_sure_still {
            let next = Self::begun(answer.clone(), from);
            done.push(std::mem::replace(self, next).ended(from.previous()));
        } else if !answer.sure && is_sure_still {
            self.sure_until = Some(from.previous());
        }
        self.last = answer.by;
    }

    fn ended(mut self, until: Moment) -> Self {
        self.until = until;
        self.sure_until = self.sure_until.map(|sure| sure.min(until));
        self
    }

    fn told(self, entity: &str, attribute: &str, recorded_at: RecordedAt) -> HistorySpan {
        let Counted { seq, event, .. } = self.first.counted;
        let (begin, end) = (|moment| since(moment, &self.first), |moment| until(moment, &self.last));
        HistorySpan {
            entity: entity.to_owned(),
            attribute: attribute.to_owned(),
            by: event.id.clone(),
            seq,
            recorded_at,
            date: event.date.clone(),
            title: event.title.clone(),
            from: self.sure_from.map(begin),
            until: self.sure_until.map(end),
            possibly_from: begin(self.from),
            possibly_until: end(self.until),
            value: self.value,
        }
    }
}

/// The bound at which a value begins to stand; without limit only where the deciding claim's start has none.
fn since(moment: Moment, by: &Claim<'_>) -> Edge {
    let is_unknown = by.counted.event.date.as_ref().is_none_or(|date| date.as_str().starts_with('/'));
    Edge::of(moment, is_unknown)
}

/// The bound at which a value ceases to stand; without limit it stands for good, unless it is to lapse.
fn until(moment: Moment, by: &Claim<'_>) -> Edge {
    let is_unknown = by.counted.event.date.as_ref().is_none_or(|date| date.as_str().ends_with('/'));
    Edge::of(moment, is_unknown && by.effect.when == When::During)
}
