//! Why an attribute has the value that it has: the event that decided it, with its sources; those that it overrode;
//! and what does not count, each with the reason. Its JSON form is `annals/why/1`.
//!
//! # What is listed where
//!
//! Every effect on the attribute, of every happening of every event known at K, is in exactly one list:
//!
//! - `made_of`: it surely (or possibly, as was asked) holds, changed something, and is still part of what stands: the
//!   last replacement and the changes after it. A `clear` after which nothing stands is one, too.
//! - `overridden`: it changed something, and a later replacement left nothing of it.
//! - `not_counted`: everything else, with its [`Reason`].
//!
//! Effects of versions that no longer count – revised away or retracted by K – are in `not_counted` as well, unless
//! the event's next version claims the very same: then nothing was taken back. What a redacted event said is gone,
//! and with it whether it concerned this attribute; so such events are not listed but counted in `redacted`.

use std::cmp::Reverse;
use std::collections::HashMap;

use serde::Serialize;

use crate::date::{Edge, Range, Span};
use crate::fold::{Applied, Claim, Counted, Folded, fold};
use crate::{
    Asked, Certainty, Change, Date, Event, EventId, Moment, Open, Position, Question, RecordedAt, Seq,
    Source, Value, When,
};

/// The name of the JSON form.
pub const SCHEMA: &str = "annals/why/1";

/// Why an attribute has its value, or has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Why {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The question.
    #[serde(flatten)]
    pub asked: Asked,
    /// The entity.
    pub entity: String,
    /// Its attribute.
    pub attribute: String,
    /// The value; absent where nothing stands.
    pub value: Option<Value>,
    /// The event that decided the value; absent like it.
    pub by: Option<EventId>,
    /// Whether the value is sure; absent like it.
    pub sure: Option<bool>,
    /// The deciding event's date.
    pub date: Option<Date>,
    /// The deciding event's title.
    pub title: Option<String>,
    /// Where the deciding event comes from.
    pub sources: Vec<Source>,
    /// Why nothing stands; absent where something does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<Absence>,
    /// What else may stand, and what that depends on.
    #[serde(flatten)]
    pub open: Open,
    /// What the value is made of, in fold order.
    pub made_of: Vec<Part>,
    /// What was overridden, in fold order.
    pub overridden: Vec<Part>,
    /// What does not count: events that count by the order of lists, then versions that no longer do by record.
    pub not_counted: Vec<NotCounted>,
    /// How many events of the timeline had their content erased; whether they concerned the attribute is not known.
    pub redacted: u64,
}

/// One effect of one happening of one version of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// The event.
    pub id: EventId,
    /// The record of the version.
    pub seq: Seq,
    /// When that was recorded.
    pub recorded_at: RecordedAt,
    /// The event's date; absent when nobody knows.
    pub date: Option<Date>,
    /// The event's title.
    pub title: String,
    /// The operation.
    pub op: &'static str,
    /// What it sets, adds, removes or increases by; absent for `clear`.
    pub value: Option<Value>,
    /// At which end of the date, or during which of it.
    pub when: When,
    /// No earlier than this does it take hold, in the happening that is meant.
    pub earliest: Edge,
    /// No later than this.
    pub latest: Edge,
    /// Where the event comes from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
}

/// An effect that does not count, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotCounted {
    /// The effect.
    #[serde(flatten)]
    pub part: Part,
    /// Why it does not count.
    #[serde(flatten)]
    pub reason: Reason,
}

/// Why an effect does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// Whatever its date allows, it does not hold yet.
    NotYet,
    /// Its date allows that it holds, and also that it does not.
    Possible,
    /// It held `during` something that is over.
    Lapsed,
    /// It holds and changes nothing: the member was there, or was not, or the number was zero.
    Unchanged,
    /// It holds and does not fit what stood before it.
    Clash,
    /// The question's filter leaves its event out.
    Filtered,
    /// A later version of the event says something else.
    Revised {
        /// The revision.
        at: Position,
    },
    /// The event was withdrawn.
    Retracted {
        /// The retraction.
        at: Position,
        /// Why.
        because: Option<String>,
    },
}

/// Why nothing stands, by the effect that says most about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Absence {
    /// The reason in one word.
    pub reason: AbsenceReason,
    /// The event that it is about; absent where nothing ever set it.
    pub id: Option<EventId>,
    /// The record of that event's version.
    pub seq: Option<Seq>,
}

/// Why nothing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AbsenceReason {
    /// An event cleared it.
    Cleared,
    /// What would set it is only possible.
    Possible,
    /// What set it has lapsed.
    Lapsed,
    /// What sets it has not happened yet.
    NotYet,
    /// What set it was withdrawn.
    Retracted,
    /// What set it was revised to say something else.
    Revised,
    /// The filter leaves out what sets it.
    Filtered,
    /// Nothing ever set it; what there is only takes away from it.
    NeverSet,
}

/// A version of an event that was known, and what became of it.
#[derive(Clone, Copy, Debug)]
pub struct Version<'a> {
    /// The event, its place and the record of the version.
    pub counted: Counted<'a>,
    /// When it was recorded.
    pub recorded_at: RecordedAt,
    /// What ended it; nothing, if it counts.
    pub fate: Option<Fate<'a>>,
    /// The event's next version, if there is one, even after a retraction.
    pub next: Option<&'a Event>,
}

/// The record that ended a version.
#[derive(Clone, Copy, Debug)]
pub struct Fate<'a> {
    /// That record.
    pub at: Position,
    /// Whether it withdrew the event instead of recording it anew.
    pub is_withdrawal: bool,
    /// Why it was withdrawn, where that is known.
    pub because: Option<&'a str>,
}

/// A claim with when its version was recorded.
type Told<'a> = (Claim<'a>, &'a Version<'a>);

impl Why {
    /// Explains an attribute from every version, up to K, of the events that ever touched it.
    pub fn answer(
        question: &Question,
        (entity, attribute): (String, String),
        known_at: Position,
        versions: &[Version<'_>],
        redacted: u64,
    ) -> Self {
        let is_admitted = |version: &&Version<'_>| {
            version.fate.is_none() && question.filter.admits(version.counted.event, question.certainty)
        };
        let told = |version| told(version, &entity, &attribute);
        let counting: Vec<Told<'_>> = versions.iter().filter(is_admitted).flat_map(told).collect();
        let claims: Vec<Claim<'_>> = counting.iter().map(|(claim, _)| *claim).collect();
        let folded = fold(&claims, question.as_of.until(), question.certainty);
        let versions_by_seq: HashMap<Seq, &Version<'_>> =
            counting.iter().map(|(claim, version)| (claim.counted.seq, *version)).collect();
        let find = |claim: Claim<'_>| versions_by_seq.get(&claim.counted.seq).map(|v| part(&claim, v));
        let mut not_counted = idle(question, &folded, &counting);
        not_counted.extend(versions.iter().flat_map(told).filter_map(|told| taken_back(question, told)));
        let standing = folded.standing.as_ref();
        let event = standing.map(|standing| standing.by.counted.event);
        let made_of: Vec<Part> = folded.steps.effective().filter_map(find).collect();
        let because = standing.is_none().then(|| absence(&made_of, &not_counted));
        Self {
            schema: SCHEMA,
            asked: Asked::new(question, known_at),
            value: standing.map(|standing| standing.value.clone()),
            by: event.map(|event| event.id.clone()),
            sure: standing.map(|_| folded.is_sure()),
            date: event.and_then(|event| event.date.clone()),
            title: event.map(|event| event.title.clone()),
            sources: event.map(|event| event.sources.clone()).unwrap_or_default(),
            because,
            open: folded.open.as_deref().cloned().unwrap_or_default(),
            made_of,
            overridden: folded.steps.overridden().filter_map(find).collect(),
            not_counted,
            redacted,
            entity,
            attribute,
        }
    }
}

/// The claims of a version on the attribute.
fn told<'a>(version: &'a Version<'a>, entity: &str, attribute: &str) -> Vec<Told<'a>> {
    let concerns = |claim: &Claim<'_>| claim.effect.entity == entity && claim.effect.attribute == attribute;
    version.counted.claims().filter(concerns).map(|claim| (claim, version)).collect()
}

/// What tells a claim from all others: the record of its version, its position, and the happening.
fn key(claim: &Claim<'_>) -> (Seq, usize, Span) {
    (claim.counted.seq, claim.position, claim.span)
}

/// The claims of events that count which are not part of the value and did not change what stood.
fn idle(question: &Question, folded: &Folded<'_>, counting: &[Told<'_>]) -> Vec<NotCounted> {
    let applied: HashMap<_, Applied> =
        folded.steps.iter().map(|step| (key(&step.claim), step.applied)).collect();
    let did = |claim: &Claim<'_>| applied.get(&key(claim)).copied();
    let mut idle: Vec<&Told<'_>> =
        counting.iter().filter(|(claim, _)| did(claim) != Some(Applied::Changed)).collect();
    idle.sort_by_cached_key(|(claim, version)| {
        (version.counted.list_order(), claim.order(question.certainty))
    });
    let reason = |claim: &Claim<'_>| match did(claim) {
        Some(Applied::Clash) => Reason::Clash,
        Some(Applied::Changed | Applied::Unchanged) => Reason::Unchanged,
        None => not_holding(claim, question.as_of.until()),
    };
    let entry =
        |(claim, version): &Told<'_>| NotCounted { part: part(claim, version), reason: reason(claim) };
    idle.into_iter().map(entry).collect()
}

/// Why a claim does not hold as surely as was asked.
fn not_holding(claim: &Claim<'_>, as_of: Moment) -> Reason {
    if claim.holds(as_of, Certainty::Possibly) {
        Reason::Possible
    } else if claim.effect.when == When::During && claim.span.end.latest < as_of {
        Reason::Lapsed
    } else {
        Reason::NotYet
    }
}

/// The claim of a version that the filter leaves out or that no longer counts, unless the event's next version
/// claims the very same.
fn taken_back(question: &Question, (claim, version): Told<'_>) -> Option<NotCounted> {
    let is_admitted = question.filter.admits(version.counted.event, question.certainty);
    let reason = match version.fate {
        _ if !is_admitted => Reason::Filtered,
        None => return None,
        Some(Fate { at, is_withdrawal: false, .. }) => Reason::Revised { at },
        Some(Fate { at, because, .. }) => Reason::Retracted { at, because: because.map(str::to_owned) },
    };
    let is_still_claimed = version.next.is_some_and(|next| {
        let next = Counted { event: next, ..version.counted };
        next.claims().any(|other| other.effect == claim.effect && other.span == claim.span)
    });
    (!is_still_claimed).then(|| NotCounted { part: part(&claim, version), reason })
}

fn part(claim: &Claim<'_>, version: &Version<'_>) -> Part {
    let Counted { seq, event, .. } = claim.counted;
    let value = match &claim.effect.change {
        Change::Set(value) => Some(value.clone()),
        Change::Clear => None,
        Change::Add(member) | Change::Remove(member) => Some(member.clone().into()),
        Change::Increase(number) => Some(crate::Scalar::Number(*number).into()),
    };
    let Range { earliest, latest } = claim.moment();
    let is_unknown = event.date.as_ref().is_none_or(|date| match claim.effect.when {
        When::Start | When::During => date.as_str().starts_with('/'),
        When::End => date.as_str().ends_with('/'),
    });
    Part {
        id: event.id.clone(),
        seq,
        recorded_at: version.recorded_at,
        date: event.date.clone(),
        title: event.title.clone(),
        op: claim.effect.change.op(),
        value,
        when: claim.effect.when,
        earliest: Edge::of(earliest, is_unknown),
        latest: Edge::of(latest, is_unknown),
        sources: event.sources.clone(),
    }
}

/// Why nothing stands: the clear that is all that is left, else of what does not count the one that is nearest to
/// counting.
fn absence(made_of: &[Part], not_counted: &[NotCounted]) -> Absence {
    let about = |reason, part: &Part| Absence { reason, id: Some(part.id.clone()), seq: Some(part.seq) };
    if let Some(clear) = made_of.last() {
        return about(AbsenceReason::Cleared, clear);
    }
    let sets = |entry: &&NotCounted| !matches!(entry.part.op, "clear" | "remove");
    let nearness = |entry: &NotCounted| match entry.reason {
        Reason::Possible => Some((0, AbsenceReason::Possible)),
        Reason::Lapsed => Some((1, AbsenceReason::Lapsed)),
        Reason::NotYet => Some((2, AbsenceReason::NotYet)),
        Reason::Retracted { .. } => Some((3, AbsenceReason::Retracted)),
        Reason::Revised { .. } => Some((4, AbsenceReason::Revised)),
        Reason::Filtered => Some((5, AbsenceReason::Filtered)),
        Reason::Unchanged | Reason::Clash => None,
    };
    let near = not_counted.iter().filter(sets).enumerate();
    let near = near.filter_map(|(index, entry)| nearness(entry).map(|near| (near, index, entry)));
    // Of those to come the first is the nearest, of those that are gone the last.
    let nearest = near.min_by_key(|((rank, reason), index, _)| match reason {
        AbsenceReason::NotYet => (*rank, Reverse(usize::MAX), *index),
        _ => (*rank, Reverse(*index), 0),
    });
    match nearest {
        Some(((_, reason), _, entry)) => about(reason, &entry.part),
        None => Absence { reason: AbsenceReason::NeverSet, id: None, seq: None },
    }
}
