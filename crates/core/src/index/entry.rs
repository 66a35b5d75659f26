//! What of a record goes into the index: its effects, by attribute, and the record that it takes the place of.

use std::collections::HashMap;

use annals_model::{EventId, Op, Seq, TimelineName};

use super::fact::{Fact, Origin};
use crate::codec::frame::RawRecord;
use crate::codec::leaf::op_of;
use crate::codec::v1::{self, Claims, Seal};
use crate::log::Log;
use crate::{Damage, Error, Result};

/// Stands between the parts of a key, none of which can hold it.
const SEPARATOR: u8 = 0;

/// One record that took the place of another record of the same event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Superseded {
    /// The record that no longer counts.
    pub previous: u64,
    /// The one from which on it does not.
    pub by: u64,
}

/// The key of an attribute; without one, what the keys of all attributes of the entity begin with.
pub fn key(timeline: &TimelineName, entity: &str, attribute: Option<&str>) -> Vec<u8> {
    let mut key = Vec::with_capacity(64);
    for part in [timeline.as_str(), entity] {
        key.extend(part.as_bytes());
        key.push(SEPARATOR);
    }
    key.extend(attribute.unwrap_or_default().as_bytes());
    key
}

/// What the keys of a timeline's attributes begin with.
pub fn timeline_key(timeline: &TimelineName) -> Vec<u8> {
    let mut key = timeline.as_str().as_bytes().to_vec();
    key.push(SEPARATOR);
    key
}

/// The entity and the attribute of a key.
pub fn names(key: &[u8]) -> Option<(&str, &str)> {
    let mut parts = std::str::from_utf8(key).ok()?.splitn(3, char::from(SEPARATOR)).skip(1);
    Some((parts.next()?, parts.next()?))
}

/// Where events stand in the log, by any of their later records.
///
/// A record links to the one of its event before it, and the first one's place is the event's. Asked of the log, that
/// is a look into a frame anywhere in it; whoever reads a long stretch follows the links.
#[derive(Debug, Default)]
pub struct Places(HashMap<u64, u64>);

impl Places {
    /// Those of all records that took the place of others, in any order.
    pub fn of(superseded: impl Iterator<Item = Superseded>) -> Self {
        let mut superseded: Vec<Superseded> = superseded.collect();
        superseded.sort_unstable_by_key(|entry| entry.by);
        let mut places = Self(HashMap::with_capacity(superseded.len()));
        for entry in superseded {
            places.learn(entry);
        }
        places
    }

    /// Takes in a record that took the place of another one which is known, if it is not its event's first.
    pub fn learn(&mut self, Superseded { previous, by }: Superseded) {
        let place = self.behind(previous).0;
        self.0.insert(by, place);
    }

    /// The place of the event of which a record is one.
    pub fn behind(&self, record: u64) -> Seq {
        Seq(self.0.get(&record).copied().unwrap_or(record))
    }
}

/// The place of an event as the log's index of ids has it.
pub fn place_of(log: &(impl Log + ?Sized), timeline: &TimelineName, id: &EventId) -> Result<Option<Seq>> {
    Ok(log.event(timeline, id)?.map(|entry| entry.first))
}

/// Reads what a record says: its effects, as facts under the keys of their attributes with the event's id, and the
/// record that it takes the place of. `place` gives the place of an event that is not new.
pub fn read(
    raw: &RawRecord<'_>,
    place: impl FnOnce(&TimelineName, &EventId) -> Result<Option<Seq>>,
    mut take: impl FnMut(Vec<u8>, &Fact<'_>, &EventId) -> Result<()>,
) -> Result<Option<Superseded>> {
    let damage = |what: String| Damage::of(raw.seq, raw.seq, what);
    let (head, previous) = (&raw.head, raw.head.previous);
    let has_event = matches!(op_of(head.op), Some(Op::Append | Op::Revise));
    if has_event && matches!(head.seal, Seal::Salt(_)) {
        let claims: Claims<'_> = v1::decode(raw.claims).map_err(damage)?;
        let (date, effects) = claims.read().map_err(|e| damage(e.to_string()))?;
        let timeline = TimelineName::new(head.timeline).map_err(|e| damage(e.to_string()))?;
        let id = EventId::new(head.id).map_err(|e| damage(e.to_string()))?;
        let first = if previous == 0 { None } else { place(&timeline, &id)? };
        let origin = Origin { seq: raw.seq, place: first.unwrap_or(raw.seq), date: date.as_ref() };
        let bug = |what| Error::unavailable(format!("cannot index: {what}"), "report this");
        for (position, effect) in effects.iter().enumerate() {
            let same = |other: &&annals_model::Effect| {
                (&other.entity, &other.attribute) == (&effect.entity, &effect.attribute)
            };
            let is_alone = effects.iter().filter(same).nth(1).is_none();
            let change = v1::encode_change(&effect.change).map_err(bug)?;
            let fact = Fact::of(origin, effect, position, is_alone, &change);
            take(key(&timeline, &effect.entity, Some(&effect.attribute)), &fact, &id)?;
        }
    }
    Ok((previous != 0).then_some(Superseded { previous, by: raw.seq.0 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_first_record_of_an_event() {
        let taken = [(1, 4), (4, 9), (2, 3), (9, 12)].map(|(previous, by)| Superseded { previous, by });
        let mut places = Places::of(taken.into_iter().rev());
        places.learn(Superseded { previous: 12, by: 20 });
        assert_eq!(
            [1, 2, 3, 4, 5, 9, 12, 20].map(|record| places.behind(record).0),
            [1, 2, 2, 1, 5, 1, 1, 1]
        );
    }
}
