//! What is called sure is sure: it holds in every world that the dates allow.
//!
//! A world gives every happening a moment within its bounds. Many worlds are drawn at random, near the bounds as
//! often as between them, and the effects are applied in the order of their moments. In one second the place in
//! the log decides, but no interval ends before it starts, and what one happening does at once stays together.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use annals_core::{Known, Store};
use annals_model::date::{Range, Span};
use annals_model::fold::apply;
use annals_model::{
    AsOf, Certainty, Change, Date, Event, Filter, KnownAt, Moment, Question, Seq, Snapshot, TimelineName,
    Value, When,
};
use annals_testkit::generate::{TIMELINES, as_of_dates, sessions};
use annals_testkit::{MemoryLog, TestHost};
use proptest::prelude::*;
use proptest::test_runner::TestRng;

/// Moments beyond every date of the tests stand for the infinities.
const FAR: i64 = 1 << 58;
const WORLDS: usize = 40;

fn moment_in(range: Range, rng: &mut TestRng) -> i64 {
    let low = range.earliest.seconds().clamp(-FAR, FAR);
    let high = range.latest.seconds().clamp(-FAR, FAR);
    match rng.random_range(0..4) {
        0 => low,
        1 => high,
        _ => rng.random_range(low..=high),
    }
}

/// The moments at which one happening begins and ends: one and the same unless its date is an interval.
fn happening_in(event: &Event, span: Span, rng: &mut TestRng) -> (i64, i64) {
    let start = moment_in(span.start, rng);
    if !event.date.as_ref().is_some_and(Date::is_interval) {
        return (start, start);
    }
    let end = moment_in(span.end, rng);
    (start.min(end.max(span.start.earliest.seconds().max(-FAR))), end.max(start))
}

/// What the order of a world goes by: the second, the place of the event, whether it is the end of an interval,
/// which happening of the event, and the position of the effect.
type Taken = (i64, Seq, bool, usize, usize);

/// What stands in an attribute in one world.
fn value_in_a_world(
    known: &Known,
    entity: &str,
    attribute: &str,
    as_of: Moment,
    rng: &mut TestRng,
) -> Option<Value> {
    let mut happened: Vec<(Taken, &Change)> = Vec::new();
    for known in known.events() {
        let is_interval = known.event.date.as_ref().is_some_and(Date::is_interval);
        for (happening, span) in known.event.happenings().iter().enumerate() {
            let (start, end) = happening_in(&known.event, *span, rng);
            for (position, effect) in known.event.effects.iter().enumerate() {
                let ends = effect.when == When::End;
                let at = if ends { end } else { start };
                let lasts = effect.when != When::During || as_of.seconds() <= end;
                let concerns = effect.entity == entity && effect.attribute == attribute;
                if concerns && lasts && at <= as_of.seconds() {
                    let taken = (at, known.place, is_interval && ends, happening, position);
                    happened.push((taken, &effect.change));
                }
            }
        }
    }
    happened.sort_by_key(|(taken, _)| *taken);
    let mut value = None;
    for (_, change) in happened {
        apply(&mut value, change);
    }
    value
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_sure_value_stands_in_every_world(
        session in sessions(16),
        as_of in as_of_dates(),
        certainty in prop_oneof![Just(Certainty::Surely), Just(Certainty::Possibly)],
        mut rng in any::<u64>().prop_perturb(|_, rng| rng),
    ) {
        let store = Store::new(MemoryLog::default());
        session.write(&store, &TestHost::new(1));
        let timeline = TimelineName::new(TIMELINES[0]).unwrap();
        let Ok(known) = store.known(&timeline, KnownAt::Everything) else { return Ok(()) };
        let as_of: AsOf = as_of;
        let (filter, entities) = (Filter::default(), Vec::new());
        let question =
            Question { timeline, as_of: as_of.clone(), known_at: KnownAt::Everything, certainty, filter, entities };
        let snapshot = Snapshot::answer(&question, &known.knowledge()).unwrap();
        for (entity, attributes) in &snapshot.state {
            for (attribute, cell) in attributes.iter().filter(|(_, cell)| cell.sure) {
                for _ in 0..WORLDS {
                    let value = value_in_a_world(&known, entity, attribute, as_of.until(), &mut rng);
                    prop_assert_eq!(
                        value.as_ref(), Some(&cell.value), "{}.{} as of {}", entity, attribute, as_of
                    );
                }
            }
        }
    }
}
