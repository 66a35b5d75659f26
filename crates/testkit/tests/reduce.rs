//! What `reduce` leaves out is not missed: the claims that it keeps come to the same answer as all of them.
//!
//! `PROPTEST_CASES` sets the number of cases.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::collections::BTreeSet;

use annals_model::answers::Answer;
use annals_model::fold::{Claim, Counted};
use annals_model::reduce::{Deed, Sketch, Uses, reduce};
use annals_model::{
    Certainty, Change, Date, Effect, Event, EventId, Filter, KnownAt, Number, Question, Scalar, Seq,
    TimelineName, Value, When,
};
use annals_testkit::generate::{as_of_dates, dates};
use proptest::collection::vec;
use proptest::prelude::*;

fn scalar(number: u8) -> Scalar {
    Scalar::Text(format!("m{number}").into())
}

fn by(number: u8) -> Number {
    Number::from(i64::from(number) - 1)
}

/// Changes that never clash with each other, in one of four ways to use an attribute.
fn change(kind: u8, dice: u8) -> Change {
    let (what, value) = (dice / 8 % 16, dice % 4);
    match (kind % 4, what) {
        (0 | 1 | 3, 0) => Change::Clear,
        (0, _) => Change::Set(scalar(value).into()),
        (1, 1) => Change::Set(Scalar::Number(by(value)).into()),
        (1, _) => Change::Increase(by(value)),
        (3, 1) => Change::Set(Value::Set(BTreeSet::from([scalar(value), scalar(9)]))),
        (_, 2..9) => Change::Remove(scalar(value)),
        _ => Change::Add(scalar(value)),
    }
}

fn effect(kind: u8, dice: u8, when: u8) -> Effect {
    let change = change(kind, dice);
    let when = match when % 6 {
        0 => When::End,
        1 if matches!(change, Change::Set(_) | Change::Add(_)) => When::During,
        _ => When::Start,
    };
    Effect { entity: "a".to_owned(), attribute: "b".to_owned(), change, when }
}

fn member(change: &Change) -> u32 {
    match change {
        Change::Add(Scalar::Text(name)) | Change::Remove(Scalar::Text(name)) => name[1..].parse().unwrap(),
        _ => 0,
    }
}

fn sketch(claim: &Claim<'_>) -> Sketch {
    let date = claim.counted.event.date.as_ref();
    let (is_interval, is_one) =
        (date.is_some_and(Date::is_interval), claim.counted.event.happenings().len() == 1);
    Sketch {
        span: claim.span,
        when: claim.effect.when,
        deed: Deed::of(&claim.effect.change, |_| member(&claim.effect.change)),
        place: claim.counted.place,
        position: claim.position,
        is_interval,
        is_simple: claim.counted.event.effects.len() == 1 || (is_one && !is_interval),
    }
}

type Told = (Option<Date>, Vec<(u8, u8)>);

fn told() -> impl Strategy<Value = Vec<Told>> {
    let date = proptest::option::weighted(0.95, dates());
    vec((date, prop_oneof![4 => vec(any::<(u8, u8)>(), 1), 1 => vec(any::<(u8, u8)>(), 2..4)]), 1..14)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_kept_comes_to_the_same(
        kind in 0_u8..4,
        told in told(),
        as_of in as_of_dates(),
        certainty in prop_oneof![Just(Certainty::Surely), Just(Certainty::Possibly)],
    ) {
        let event = |(index, (date, effects)): (usize, &Told)| {
            let mut event = Event::new(EventId::new(format!("e{index}")).unwrap(), "t");
            event.date.clone_from(date);
            event.effects = effects.iter().map(|(dice, when)| effect(kind, *dice, *when)).collect();
            event
        };
        let events: Vec<Event> = told.iter().enumerate().map(event).collect();
        let counted = |(index, event)| Counted { place: Seq(index), seq: Seq(100 + index), event };
        let claims: Vec<Claim<'_>> = (1..).zip(&events).map(counted).flat_map(Counted::claims).collect();
        let timeline = TimelineName::new("main").unwrap();
        let (filter, entities) = (Filter::default(), Vec::new());
        let question = Question { timeline, as_of, known_at: KnownAt::Everything, certainty, filter, entities };
        let mut uses = Uses::default();
        for claim in &claims {
            uses.learn(sketch(claim).deed);
        }
        prop_assert!(uses.never_clash());
        let mut sketches: Vec<(Sketch, usize)> = claims.iter().map(sketch).zip(0..).collect();
        sketches.retain(|(sketch, _)| sketch.may_hold(&question));
        let needed = reduce(&question, &mut sketches);
        let summed: Vec<(usize, Event)> = needed
            .iter()
            .map(|(index, sum)| {
                let claim = &claims[*index];
                let mut event = claim.counted.event.clone();
                if let Some(sum) = sum {
                    event.effects[claim.position].change = Change::Increase(*sum);
                }
                (*index, event)
            })
            .collect();
        let kept: Vec<Claim<'_>> = summed
            .iter()
            .map(|(index, event)| {
                let Claim { counted, position, span, .. } = claims[*index];
                Claim { counted: Counted { event, ..counted }, position, span, effect: &event.effects[position] }
            })
            .collect();
        let (all, few) = (Answer::of(&question, &claims), Answer::of(&question, &kept));
        prop_assert_eq!(format!("{few:#?}"), format!("{all:#?}"), "few left, all right");
    }
}
