//! Why an event is responsible for a change: what was recorded of it in between, or its date.

use std::collections::HashMap;

use serde::Serialize;

use super::{Role, Side};
use crate::fold::Counted;
use crate::{Date, EventId, Op, RecordedAt, Seq};

/// An event that was withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// Its id.
    pub id: EventId,
    /// Its place in the log: the `seq` of its first record.
    pub place: Seq,
    /// The record that withdrew it; of an event whose content was erased later, its last one until then.
    pub seq: Seq,
    /// When that was recorded.
    pub recorded_at: RecordedAt,
    /// Whether it was retracted or redacted.
    pub op: Op,
    /// Why; nothing where that was erased too.
    pub reason: Option<String>,
}

/// An event that is responsible for a change, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// The event.
    pub id: EventId,
    /// Why it is responsible.
    pub cause: CauseKind,
    /// The record that makes the difference: that of the version that counts, or the one that withdrew it.
    pub seq: Seq,
    /// When that was recorded.
    pub recorded_at: RecordedAt,
    /// Why it was withdrawn, where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The event's date in the later of its versions that count; absent when nobody knows.
    pub date: Option<Date>,
    /// Its title in that version.
    pub title: String,
    /// The event's first record.
    #[serde(skip)]
    pub place: Seq,
}

/// Why an event is responsible. What is recorded comes first: only where both sides know the same of the event,
/// its date is the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CauseKind {
    /// The date of what it claims lies between the two dates: it began, or what it did lapsed.
    Crossed,
    /// It was not known on the side that knows less.
    Appended,
    /// It said something else there, or was withdrawn and has been brought back.
    Revised,
    /// It was retracted.
    Retracted,
    /// Its content was erased.
    Redacted,
}

impl CauseKind {
    /// The name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Crossed => "crossed",
            Self::Appended => "appended",
            Self::Revised => "revised",
            Self::Retracted => "retracted",
            Self::Redacted => "redacted",
        }
    }
}

/// What both sides know of each event: the side that knows less first.
pub(super) struct Histories<'a> {
    earlier: Known<'a>,
    later: Known<'a>,
}

struct Known<'a> {
    counted: HashMap<Seq, (Counted<'a>, RecordedAt)>,
    withdrawn: HashMap<Seq, &'a Withdrawn>,
}

impl<'a> Histories<'a> {
    pub(super) fn of(sides: [&Side<'a>; 2]) -> Self {
        let [from, to] = sides;
        let (earlier, later) = if from.position.seq <= to.position.seq { (from, to) } else { (to, from) };
        Self { earlier: Known::of(earlier), later: Known::of(later) }
    }
}

impl<'a> Known<'a> {
    fn of(side: &Side<'a>) -> Self {
        Self {
            counted: side.events.iter().map(|one| (one.0.place, *one)).collect(),
            withdrawn: side.withdrawn.iter().map(|one| (one.place, one)).collect(),
        }
    }
}

impl Histories<'_> {
    /// What happened to a responsible event.
    pub(super) fn cause(&self, place: Seq, role: Role) -> Option<Cause> {
        let Self { earlier, later } = self;
        match (later.counted.get(&place), later.withdrawn.get(&place)) {
            (Some((counted, recorded_at)), _) => {
                let was_known =
                    earlier.counted.contains_key(&place) || earlier.withdrawn.contains_key(&place);
                let kind = match role {
                    Role::Crossed => CauseKind::Crossed,
                    Role::Rewritten if was_known => CauseKind::Revised,
                    Role::Rewritten => CauseKind::Appended,
                };
                Some(cause(kind, counted, counted.seq, *recorded_at))
            }
            // The side that knows less makes the claim.
            (None, Some(withdrawn)) if role == Role::Rewritten => {
                let (counted, _) = earlier.counted.get(&place)?;
                let kind =
                    if withdrawn.op == Op::Redact { CauseKind::Redacted } else { CauseKind::Retracted };
                let cause = cause(kind, counted, withdrawn.seq, withdrawn.recorded_at);
                Some(Cause { reason: withdrawn.reason.clone(), ..cause })
            }
            // The side that knows more has every event of the other, in one form or the other.
            _ => None,
        }
    }
}

fn cause(cause: CauseKind, counted: &Counted<'_>, seq: Seq, recorded_at: RecordedAt) -> Cause {
    Cause {
        id: counted.event.id.clone(),
        cause,
        seq,
        recorded_at,
        reason: None,
        date: counted.event.date.clone(),
        title: counted.event.title.clone(),
        place: counted.place,
    }
}
