//! Stale dates: computed from the dates of other events, of which one has changed since.
//!
//! There is no hidden mark that says which dates were computed. A date is stale when it is what
//! [`Between::date`] gave for the versions of the other events that counted when it was recorded, and is not
//! what it gives for those that count now. Whoever has narrowed a date by hand is not bothered.

use serde::Serialize;

use super::{Histories, Mention, Version};
use crate::fold::Counted;
use crate::relative::{AFTER, BEFORE, Between, related};
use crate::{Date, Event, EventId, Op, Seq};

/// A date that was computed from others which have changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stale {
    /// The event.
    #[serde(flatten)]
    pub event: Mention,
    /// The record by which it got its date.
    pub dated_by: Seq,
    /// What would be computed today; nothing where the other events no longer give a date.
    pub today: Option<Date>,
    /// The others that have changed.
    pub because: Vec<Outdated>,
}

/// An event that another's date was computed from, and that has changed since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outdated {
    /// `after` or `before`.
    pub rel: &'static str,
    /// Its id.
    pub to: EventId,
    /// The version that the date was computed from.
    pub then: Dated,
    /// The one that counts.
    pub now: Dated,
}

/// A version of an event and the date that it gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dated {
    /// The record.
    pub seq: Seq,
    /// What it did.
    pub op: Op,
    /// The date; nothing when nobody knows, or the event was withdrawn.
    pub date: Option<Date>,
}

/// The stale date of an event, if it has one; `histories` are its own and those of the events that it says it came
/// after or before.
pub(super) fn find(counted: &Counted<'_>, histories: &Histories) -> Option<Stale> {
    let event = counted.event;
    let date = event.date.as_ref()?;
    let dated_by = dated_by(counted, histories);
    let then = computed(event, histories, |records| records.iter().rev().find(|v| v.seq < dated_by))?;
    let today = computed(event, histories, <[Version]>::last);
    let is_same = |other: &Date| other.happenings() == date.happenings();
    if !is_same(&then) || today.as_ref().is_some_and(is_same) {
        return None;
    }
    let changed = |rel: &'static str| {
        related(event, rel).filter_map(move |id| {
            let records = histories.get(id)?;
            let then = records.iter().rev().find(|version| version.seq < dated_by)?;
            let now = records.last()?;
            let is_other = Dated::of(then).date != Dated::of(now).date || now.event.is_none();
            is_other.then(|| Outdated { rel, to: id.clone(), then: Dated::of(then), now: Dated::of(now) })
        })
    };
    let because = changed(AFTER).chain(changed(BEFORE)).collect();
    Some(Stale { event: Mention::of(counted.seq, event), dated_by, today, because })
}

/// The record by which an event got its date: a later one that changed neither the date nor what it was computed
/// from does not count, so that a corrected title does not hide that the date is stale.
fn dated_by(counted: &Counted<'_>, histories: &Histories) -> Seq {
    let is_same = |earlier: &Event| {
        let links = |event: &Event, rel| related(event, rel).cloned().collect::<Vec<_>>();
        earlier.date == counted.event.date
            && [AFTER, BEFORE].into_iter().all(|rel| links(earlier, rel) == links(counted.event, rel))
    };
    let records = histories.get(&counted.event.id).map_or(&[][..], Vec::as_slice);
    let own = records.iter().rev().filter(|version| version.seq <= counted.seq);
    let same = own.filter(|version| version.event.is_some());
    let same = same.take_while(|version| version.event.as_ref().is_some_and(is_same));
    same.last().map_or(counted.seq, |version| version.seq)
}

/// The date that the related events give in the versions that are picked; nothing where one does not count.
fn computed(
    event: &Event,
    histories: &Histories,
    pick: impl Fn(&[Version]) -> Option<&Version>,
) -> Option<Date> {
    let picked = |rel| {
        let versions = related(event, rel).map(|id| pick(histories.get(id)?)?.event.as_ref());
        versions.collect::<Option<Vec<&Event>>>()
    };
    Between { after: picked(AFTER)?, before: picked(BEFORE)? }.date().ok()
}

impl Dated {
    fn of(version: &Version) -> Self {
        let date = version.event.as_ref().and_then(|event| event.date.clone());
        Self { seq: version.seq, op: version.op, date }
    }
}
