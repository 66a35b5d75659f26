//! What the index holds: for every attribute, every effect that any version of an event ever had on it.

use annals_model::fold::{Claim, Counted};
use annals_model::{Date, Effect, Event, EventId, Op, Seq, TimelineName};

use super::bytes::{Input, put_bytes, put_number};
use crate::codec::frame::RawRecord;
use crate::codec::leaf::op_of;
use crate::codec::v1::{self, Claims, Seal};
use crate::log::Log;
use crate::{Damage, Result};

/// Stands between the parts of a key, none of which can hold it.
const SEPARATOR: u8 = 0;

/// One effect of one version of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// The event's place in the log.
    pub place: Seq,
    /// The record of the version.
    pub seq: Seq,
    /// The record from which on the version does not count; the greatest number where there is none.
    pub until: Seq,
    /// The effect's position in the event.
    pub position: usize,
    /// The event, with nothing but its id, its date and this effect.
    pub event: Event,
}

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

/// Reads what a record says: its effects, and the record that it takes the place of.
pub fn read(
    log: &(impl Log + ?Sized),
    raw: &RawRecord<'_>,
    mut take: impl FnMut(Vec<u8>, Fact) -> Result<()>,
) -> Result<Option<Superseded>> {
    let damage = |what: String| Damage::of(raw.seq, raw.seq, what);
    let (head, previous) = (&raw.head, raw.head.previous);
    let has_event = matches!(op_of(head.op), Some(Op::Append | Op::Revise));
    if has_event && matches!(head.seal, Seal::Salt(_)) {
        let claims: Claims<'_> = v1::decode(raw.claims).map_err(damage)?;
        let (date, effects) = claims.read().map_err(|e| damage(e.to_string()))?;
        let timeline = TimelineName::new(head.timeline).map_err(|e| damage(e.to_string()))?;
        let id = EventId::new(head.id).map_err(|e| damage(e.to_string()))?;
        let first = if previous == 0 { None } else { log.event(&timeline, &id)?.map(|entry| entry.first) };
        let place = first.unwrap_or(raw.seq);
        for (position, effect) in effects.into_iter().enumerate() {
            let key = key(&timeline, &effect.entity, Some(&effect.attribute));
            let event = lean(id.clone(), date.clone(), effect);
            take(key, Fact { place, seq: raw.seq, until: Seq(u64::MAX), position, event })?;
        }
    }
    Ok((previous != 0).then_some(Superseded { previous, by: raw.seq.0 }))
}

fn lean(id: EventId, date: Option<Date>, effect: Effect) -> Event {
    let mut event = Event::new(id, "");
    (event.date, event.effects) = (date, vec![effect]);
    event
}

impl Fact {
    /// Its claims, one for each happening of the event.
    pub fn claims(&self) -> impl Iterator<Item = Claim<'_>> {
        let counted = Counted { place: self.place, seq: self.seq, event: &self.event };
        let (position, effect) = (self.position, self.effect());
        self.event.happenings().iter().map(move |span| Claim { counted, position, span: *span, effect })
    }

    /// The effect.
    pub fn effect(&self) -> &Effect {
        &self.event.effects[0]
    }

    /// Appends the fact as it stands in a run.
    pub fn put(&self, into: &mut Vec<u8>) -> Result<()> {
        let bug = |what| crate::Error::unavailable(format!("cannot index: {what}"), "report this");
        put_number(into, self.seq.0);
        put_number(into, self.seq.0 - self.place.0);
        put_number(into, self.position as u64);
        put_bytes(into, self.event.id.as_str().as_bytes());
        put_bytes(into, &v1::encode(&Claims::from(&self.event)).map_err(bug)?);
        Ok(())
    }

    /// Reads a fact; nothing where it cannot be read.
    pub fn get(input: &mut Input<'_>) -> Option<Self> {
        let (seq, back, position) = (input.number()?, input.number()?, input.number()?);
        let id = EventId::new(std::str::from_utf8(input.bytes()?).ok()?).ok()?;
        let (date, effects) = v1::decode::<Claims<'_>>(input.bytes()?).ok()?.read().ok()?;
        let [effect] = <[Effect; 1]>::try_from(effects).ok()?;
        let place = Seq(seq.checked_sub(back)?);
        let position = usize::try_from(position).ok()?;
        Some(Self { place, seq: Seq(seq), until: Seq(u64::MAX), position, event: lean(id, date, effect) })
    }
}
