//! Random small logs of one attribute whose dates overlap, and moments to ask about.
//!
//! The dates all lie within some years of each other, in forms that share bounds or hold one another, so that
//! hardly any two are in a certain order. The changes of one log are mostly of one family, so that they fit each
//! other; the moments lie at, just before and just after the bounds of the dates.

use std::collections::BTreeSet;
use std::fmt;

use annals_model::date::Span;
use annals_model::fold::Counted;
use annals_model::{AsOf, Change, Date, Effect, Event, Moment, Number, Scalar, Seq, Value, When};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::generate::event_id;
use crate::told::{ATTRIBUTE, ENTITY, as_of, as_of_second};

/// Events on one attribute, in the order in which they were recorded, and what to ask as of.
#[derive(Clone)]
pub struct SmallLog {
    /// The events.
    pub events: Vec<Event>,
    /// What to ask as of.
    pub as_of: AsOf,
}

impl SmallLog {
    /// The events as those that count, each in its place.
    pub fn counted(&self) -> Vec<Counted<'_>> {
        (1..).zip(&self.events).map(|(n, event)| Counted { place: Seq(n), seq: Seq(n), event }).collect()
    }
}

/// One line for each event, so that a failing log can be read.
impl fmt::Debug for SmallLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nas of {}", self.as_of.until())?;
        for event in &self.events {
            write!(f, "  {} ({})", event.id, event.date.as_ref().map_or("no date", Date::as_str))?;
            event.effects.iter().try_for_each(|effect| write!(f, "; {effect}"))?;
            writeln!(f)?;
        }
        Ok(())
    }
}

/// Logs of one to `most` events.
pub fn small_logs(most: usize) -> BoxedStrategy<SmallLog> {
    let events = families().prop_flat_map(move |family| {
        let effects = (family, whens()).prop_map(|(change, when)| effect(change, when));
        vec((dates(), vec(effects, 1..=3)), 1..=most)
    });
    (events, any::<Index>(), -1..=1_i64)
        .prop_map(|(claims, bound, offset)| {
            let event = |(number, (date, effects)): (usize, (Option<Date>, Vec<Effect>))| {
                let id = event_id(number);
                Event { date, effects, ..Event::new(id, "Something that happened") }
            };
            let events: Vec<Event> = claims.into_iter().enumerate().map(event).collect();
            let as_of = near_a_bound(&events, bound, offset);
            SmallLog { events, as_of }
        })
        .boxed()
}

/// A second at or beside a bound of a date.
fn near_a_bound(events: &[Event], which: Index, offset: i64) -> AsOf {
    let mut bounds = Vec::new();
    for Span { start, end } in events.iter().flat_map(Event::happenings) {
        bounds.extend([start.earliest, start.latest, end.earliest, end.latest]);
    }
    bounds.retain(|bound| bound.is_finite());
    // Where no date has a bound, any moment is as good.
    let Some(bound) = bounds.get(which.index(bounds.len().max(1))) else { return as_of("2004") };
    as_of_second(Moment::from_seconds(bound.seconds() + offset)).unwrap()
}

fn dates() -> impl Strategy<Value = Option<Date>> {
    let texts = prop_oneof![
        4 => select(vec!["2003", "2004", "2005", "2004~"]),
        3 => select(vec!["2004-01", "2004-06", "2004-12"]),
        4 => select(vec!["2004-01-01", "2004-06-15", "2004-12-31", "2005-01-01"]),
        3 => select(vec!["2004-01-01T00:00:00", "2004-06-15T12:00:00", "2004-12-31T23:59:59"]),
        5 => select(vec!["2003/2004", "2004/2005", "2004/2004", "2004-06/2004-06", "2004-06-15/2004-06-15",
            "2004-01-01/2004-12-31", "2003-12-31/2004-06", "2004-01/2004"]),
        3 => select(vec!["2004/..", "2004-06-15/..", "../2004", "../2004-06-15", "2004/", "/2004", "2004-06-15/"]),
        1 => select(vec!["../..", "/", "../", "/.."]),
        3 => select(vec!["[2003,2005]", "[2003..2005]", "[..2004]", "[2004..]", "[2004-06-15,2005]"]),
        3 => select(vec!["{2003,2005}", "{2004,2005}", "{2004-06,2004}", "{2003..2005}", "{2004-06-15,2004-12}"]),
    ];
    let dated = texts.prop_map(|text| Some(Date::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))));
    prop_oneof![14 => dated, 1 => Just(None)]
}

fn whens() -> impl Strategy<Value = When> {
    prop_oneof![4 => Just(When::Start), 2 => Just(When::End), 3 => Just(When::During)]
}

fn effect(change: Change, when: When) -> Effect {
    let lapses = matches!(change, Change::Set(_) | Change::Add(_));
    let when = if when == When::During && !lapses { When::Start } else { when };
    Effect { entity: ENTITY.to_owned(), attribute: ATTRIBUTE.to_owned(), change, when }
}

/// Changes that fit each other, and now and then one that does not.
fn families() -> impl Strategy<Value = BoxedStrategy<Change>> {
    let replacing = prop_oneof![
        5 => texts().prop_map(set),
        2 => numbers().prop_map(|number| set(Scalar::Number(number))),
        1 => any::<bool>().prop_map(|truth| set(Scalar::Bool(truth))),
        2 => sets(),
        2 => Just(Change::Clear),
    ]
    .boxed();
    let of_a_number = prop_oneof![
        4 => numbers().prop_map(|number| set(Scalar::Number(number))),
        6 => numbers().prop_map(Change::Increase),
        1 => texts().prop_map(set),
        1 => sets(),
        1 => Just(Change::Clear),
    ]
    .boxed();
    let of_a_set = prop_oneof![
        3 => sets(),
        5 => texts().prop_map(Change::Add),
        4 => texts().prop_map(Change::Remove),
        1 => texts().prop_map(set),
        1 => numbers().prop_map(|number| set(Scalar::Number(number))),
        1 => Just(Change::Clear),
    ]
    .boxed();
    let anything = prop_oneof![replacing.clone(), of_a_number.clone(), of_a_set.clone()].boxed();
    prop_oneof![
        3 => Just(replacing),
        4 => Just(of_a_number),
        4 => Just(of_a_set),
        1 => Just(anything),
    ]
}

fn set(scalar: Scalar) -> Change {
    Change::Set(scalar.into())
}

fn texts() -> impl Strategy<Value = Scalar> {
    select(vec!["p", "q", "r"]).prop_map(|text| Scalar::Text(text.into()))
}

fn numbers() -> impl Strategy<Value = Number> {
    select(vec![1, 2, 0, -1, 5]).prop_map(Number::from)
}

fn sets() -> impl Strategy<Value = Change> {
    vec(texts(), 0..3)
        .prop_map(|members| Change::Set(Value::Set(members.into_iter().collect::<BTreeSet<_>>())))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn generated_logs_are_within_the_limits(log in small_logs(5)) {
            prop_assert!(log.events.iter().all(|event| event.check().is_ok() && !event.effects.is_empty()));
            prop_assert!(log.as_of.until().is_finite());
        }
    }
}
