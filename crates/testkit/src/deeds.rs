//! Random deeds that are done to events, one record each: recorded, corrected, withdrawn, seldom redacted.

use annals_core::{Log, Store, WriteOptions};
use annals_model::{
    Change, Date, Effect, Entry, Event, EventId, Number, Scalar, Source, TimelineName, Value, When, Write,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::TestHost;
use crate::generate::{ENTITIES, TIMELINES, dates, effects};

/// The id of an event, of either kind: made by the engine, and by people.
pub fn id(event: u16) -> EventId {
    let uuid = format!("01234567-89ab-7cde-8f01-{:012x}", u64::from(event) << 20);
    EventId::new(if event.is_multiple_of(3) { format!("e{event}") } else { uuid }).unwrap()
}

/// One of the two timelines.
pub fn timeline(index: usize) -> TimelineName {
    TimelineName::new(TIMELINES[index % 2]).unwrap()
}

/// What is done to one of the events, by its number: its date, its effects, and a dice that decides which deed it is.
pub type Deed = (u16, Option<Date>, Vec<Effect>, u8);

/// So many deeds to so many events.
pub fn deeds(events: u16, count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Deed>> {
    let date = proptest::option::weighted(0.93, dates());
    vec((0..events, date, vec(effects(), 0..4), any::<u8>()), count)
}

/// Makes most attributes ones whose claims never clash, as most are: the paths for these are shorter.
pub fn tame(deeds: &mut [Deed]) {
    for (index, effect) in deeds.iter_mut().flat_map(|deed| &mut deed.2).enumerate() {
        let number = i64::try_from(index % 7).unwrap() - 2;
        let member = Scalar::Text(format!("m{}", index % 4).into());
        let is_scalar =
            |change: &Change| matches!(change, Change::Clear | Change::Set(Value::Scalar(Scalar::Number(_))));
        let is_set = |change: &Change| {
            matches!(change, Change::Clear | Change::Add(_) | Change::Remove(_) | Change::Set(Value::Set(_)))
        };
        let touch = |member| if index % 3 == 0 { Change::Remove(member) } else { Change::Add(member) };
        let change = match (effect.entity.as_str(), effect.attribute.as_str()) {
            (entity, "y") if entity == ENTITIES[0] => Change::Increase(Number::from(number)),
            (entity, "x") if entity == ENTITIES[0] => touch(member),
            (_, "y") if !is_scalar(&effect.change) || index % 5 > 0 => Change::Increase(Number::from(number)),
            (_, "x") if !is_set(&effect.change) || index % 5 > 0 => touch(member),
            (entity, "z") if entity != ENTITIES[0] && !effect.change.replaces() => Change::Set(member.into()),
            _ => continue,
        };
        if effect.when == When::During && !matches!(change, Change::Set(_) | Change::Add(_)) {
            effect.when = When::End;
        }
        effect.change = change;
    }
}

/// Does a deed. What cannot be done to the event leaves no record.
pub fn record<L: Log>(store: &Store<L>, host: &TestHost, (event, date, effects, dice): &Deed) {
    let name = id(*event);
    let timeline = timeline(usize::from(*event));
    let known = store.log().event(&timeline, &name).unwrap();
    let write = if known.is_some() && *dice % 64 == 1 && effects.is_empty() {
        Write::Redact { id: name, reason: "a name".to_owned() }
    } else if known.is_some() && dice % 8 == 0 {
        Write::Retract { id: name, reason: "because".to_owned() }
    } else {
        let mut event = Event::new(name, "t");
        (event.date, event.effects) = (date.clone(), effects.clone());
        event.sources = vec![Source { title: Some(format!("source {dice}")), ..Source::default() }];
        let event = Box::new(event);
        if known.is_some() { Write::Revise(event) } else { Write::Append(event) }
    };
    let _ = store.write(vec![Entry::new(timeline, write)], host, &WriteOptions::by("somebody"));
}
