//! What answers have to do with each other, whatever the log: properties that need no second replay to be held
//! against. Those that compare with the naive replay are in `replay_props.rs`.
//!
//! `PROPTEST_CASES` sets the number of cases of every property; without it the whole file runs in some seconds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::collections::BTreeSet;

use annals_core::{Store, WriteOptions};
use annals_model::{
    AsOf, Certainty, Change, Date, Entry, Event, EventId, Filter, KnownAt, Number, Question, Scalar,
    Snapshot, Tally, TimelineName, Value, When, Write,
};
use annals_testkit::generate::{
    ENTITIES, TIMELINES, as_of_dates, disjoint_events, events, questions, sessions,
};
use annals_testkit::naive::comparable;
use annals_testkit::overlaps::{SmallLog, small_logs};
use annals_testkit::records::records;
use annals_testkit::told::{ATTRIBUTE, ENTITY};
use annals_testkit::worlds::Worlds;
use annals_testkit::{MemoryLog, TestHost};
use proptest::collection::vec;
use proptest::prelude::*;

/// So many cases, unless `PROPTEST_CASES` says how many.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, max_shrink_iters: 4096, failure_persistence: None, ..ProptestConfig::default() }
}

fn timeline() -> TimelineName {
    TimelineName::new(TIMELINES[0]).unwrap()
}

/// A store that holds these events, in this order.
fn recorded<'a>(events: impl IntoIterator<Item = &'a Event>) -> Store<MemoryLog> {
    let store = Store::new(MemoryLog::default());
    let append = |event: &Event| Entry::new(timeline(), Write::Append(Box::new(event.clone())));
    let entries = events.into_iter().map(append).collect();
    store.write(entries, &TestHost::new(1), &WriteOptions::by("somebody")).unwrap();
    store
}

fn question(as_of: &AsOf, certainty: Certainty) -> Question {
    let (as_of, filter, entities) = (as_of.clone(), Filter::default(), Vec::new());
    Question { timeline: timeline(), as_of, known_at: KnownAt::Everything, certainty, filter, entities }
}

fn both(store: &Store<MemoryLog>, as_of: &AsOf) -> [Snapshot; 2] {
    [Certainty::Surely, Certainty::Possibly]
        .map(|certainty| store.replay(&question(as_of, certainty)).unwrap())
}

/// Three lines of events, each on an entity of its own: within a line one is over before the next begins, and
/// across the lines they overlap.
fn lines_of_events() -> impl Strategy<Value = Vec<Event>> {
    [disjoint_events(), disjoint_events(), disjoint_events()].prop_map(|lines| {
        let mut all = Vec::new();
        for (entity, line) in ENTITIES.iter().zip(lines) {
            for mut event in line {
                event.id = EventId::new(format!("{} of {entity}", event.id)).unwrap();
                event.effects.iter_mut().for_each(|effect| (*entity).clone_into(&mut effect.entity));
                all.push(event);
            }
        }
        all
    })
}

proptest! {
    #![proptest_config(cases(192))]

    /// Of events that change different things no order matters, however their dates overlap.
    #[test]
    fn the_order_of_recording_matters_only_where_dates_overlap_on_the_same_attribute(
        (events, shuffled) in lines_of_events().prop_flat_map(|events| {
            (Just(events.clone()), Just(events).prop_shuffle())
        }),
        as_of in vec(as_of_dates(), 1..8),
    ) {
        let (first, second) = (recorded(&events), recorded(&shuffled));
        for as_of in as_of {
            for (a, b) in both(&first, &as_of).into_iter().zip(both(&second, &as_of)) {
                prop_assert_eq!(comparable(&a), comparable(&b));
                prop_assert_eq!((a.state, a.receipt.state_sha256), (b.state, b.receipt.state_sha256));
            }
        }
    }

    /// What an answer says depends on what counts, and not on how it came to count.
    #[test]
    fn corrections_and_retractions_leave_no_residue(session in sessions(20), asked in vec(questions(), 1..8)) {
        let store = Store::new(MemoryLog::default());
        session.write(&store, &TestHost::new(1));
        let records = records(&store);
        for asked in asked {
            let mut question = Question { timeline: timeline(), ..asked.of(&records) };
            let Ok(known) = store.known(&question.timeline, question.known_at) else { continue };
            if known.events().is_empty() {
                continue;
            }
            let corrected = store.replay(&question).unwrap();
            question.known_at = KnownAt::Everything;
            let plain = recorded(known.events().iter().map(|known| &known.event));
            let plain = plain.replay(&question).unwrap();
            prop_assert_eq!(&corrected.state, &plain.state, "{:?}", question);
            prop_assert_eq!(corrected.clashes, plain.clashes);
            prop_assert_eq!(corrected.ongoing, plain.ongoing);
            prop_assert_eq!(corrected.receipt.state_sha256, plain.receipt.state_sha256);
            let withdrawn = Tally { retracted: known.withdrawn().len() as u64, ..plain.events };
            prop_assert_eq!(corrected.events, withdrawn);
        }
    }

    /// An event about something else changes no value, and casts no doubt on any.
    #[test]
    fn events_about_something_else_change_nothing(
        events in vec(events(), 1..8),
        others in vec(events(), 1..4),
        as_of in vec(as_of_dates(), 1..8),
    ) {
        let named = |(number, event): (usize, &Event), prefix: &str| {
            Event { id: EventId::new(format!("{prefix}{number}")).unwrap(), ..event.clone() }
        };
        let mut all: Vec<Event> = events.iter().enumerate().map(|event| named(event, "own ")).collect();
        let alone = recorded(&all);
        for (number, other) in others.iter().enumerate() {
            let mut other = named((number, other), "other ");
            other.effects.iter_mut().for_each(|effect| "elsewhere".clone_into(&mut effect.entity));
            // Between the others, so that places in the log shift.
            all.insert(number, other);
        }
        let among_others = recorded(&all);
        for as_of in as_of {
            for (a, mut b) in both(&alone, &as_of).into_iter().zip(both(&among_others, &as_of)) {
                b.state.remove("elsewhere");
                b.clashes.retain(|clash| clash.entity != "elsewhere");
                prop_assert_eq!((a.state, a.clashes), (b.state, b.clashes));
            }
        }
    }

    /// What has happened stays happened, and what is possible stays possible.
    #[test]
    fn a_later_date_takes_back_nothing(mut session in sessions(16), as_of in vec(as_of_dates(), 2..8)) {
        session.entries_mut().for_each(leave_lasting_marks);
        let store = Store::new(MemoryLog::default());
        session.write(&store, &TestHost::new(1));
        let Ok(known) = store.known(&timeline(), KnownAt::Everything) else { return Ok(()) };
        let live = known.events().len() as u64;
        let mut as_of = as_of;
        as_of.sort_by_key(AsOf::until);
        let answers: Vec<[Snapshot; 2]> = as_of.iter().map(|as_of| both(&store, as_of)).collect();
        for pair in answers.windows(2) {
            for (earlier, later) in pair[0].iter().zip(&pair[1]) {
                prop_assert!(marks(earlier).is_subset(&marks(later)), "{} of {}", later.asked.as_of, earlier.asked.as_of);
                let (before, after) = (earlier.events, later.events);
                prop_assert!(before.applied <= after.applied && before.later >= after.later);
            }
        }
        for [surely, possibly] in &answers {
            prop_assert!(marks(surely).is_subset(&marks(possibly)), "surely, so also possibly");
            let tally = surely.events;
            prop_assert_eq!(tally.applied + tally.possible + tally.later, live, "each event stands somewhere");
            // What surely goes on has surely begun; what possibly goes on has possibly begun.
            let on = |certainty| surely.ongoing.iter().filter(|event| event.certainty == certainty).count() as u64;
            prop_assert!(on(Certainty::Surely) <= tally.applied);
            prop_assert!(on(Certainty::Surely) + on(Certainty::Possibly) <= tally.applied + tally.possible);
        }
    }

    /// Of a count that only grows, the sure answer is the least of all worlds and the possible one the greatest.
    #[test]
    fn what_only_grows_lies_between_the_sure_and_the_possible_number(mut log in small_logs(5)) {
        rewrite(&mut log, |position, _| Change::Increase(Number::from(1 << position)));
        let worlds = worlds(&log)?;
        let number = |value: Option<&Value>| match value {
            Some(Value::Scalar(Scalar::Number(number))) => *number,
            None => Number::ZERO,
            other => panic!("not a number: {other:?}"),
        };
        let all = || worlds.outcomes.keys().map(|outcome| number(outcome.as_ref()));
        let answers = both(&recorded(&log.events), &log.as_of);
        let [surely, possibly] = answers.each_ref().map(|answer| number(standing(answer)));
        prop_assert_eq!(Some(surely), all().min());
        prop_assert_eq!(Some(possibly), all().max());
    }

    /// Of a set that only grows, the sure members stand in every world and the possible ones in some.
    #[test]
    fn what_is_only_added_to_has_the_sure_and_the_possible_members(mut log in small_logs(5)) {
        rewrite(&mut log, |position, id| Change::Add(Scalar::Text(format!("{id} {position}").into())));
        let worlds = worlds(&log)?;
        let answers = both(&recorded(&log.events), &log.as_of);
        let [surely, possibly] = answers.each_ref().map(marks_of_one);
        let (in_all, in_any) = worlds.members().unwrap_or_default();
        prop_assert_eq!(surely, in_all.into_iter().collect());
        prop_assert_eq!(possibly, in_any.into_iter().collect());
    }

    /// What surely stands is no mere average of worlds: there is one in which it stands.
    #[test]
    fn what_surely_stands_stands_in_some_world(mut log in small_logs(5)) {
        log.events.iter_mut().for_each(lapse_or_end);
        let worlds = worlds(&log)?;
        let [surely, _] = both(&recorded(&log.events), &log.as_of);
        let standing = standing(&surely).cloned();
        prop_assert!(worlds.outcomes.contains_key(&standing), "{standing:?}\n{:#?}", worlds.outcomes);
    }
}

/// Lets nothing last during an interval that changes something at its end: neither may be sure, though every
/// world has one of them.
fn lapse_or_end(event: &mut Event) {
    let ends = event.effects.iter().any(|effect| effect.when == When::End);
    if event.date.as_ref().is_some_and(Date::is_interval) && ends {
        event.effects.iter_mut().for_each(|effect| lasts_for_ever(&mut effect.when));
    }
}

/// Makes every effect of an entry add a member of its own to a set, for ever.
fn leave_lasting_marks(entry: &mut Entry) {
    let (Write::Append(event) | Write::Revise(event)) = &mut entry.write else { return };
    let id = event.id.clone();
    for (position, effect) in event.effects.iter_mut().enumerate() {
        effect.change = Change::Add(Scalar::Text(format!("{id} {position}").into()));
        lasts_for_ever(&mut effect.when);
    }
}

/// Gives every effect of a log another change, and makes it last for ever.
fn rewrite(log: &mut SmallLog, change: impl Fn(usize, &EventId) -> Change) {
    for event in &mut log.events {
        for (position, effect) in event.effects.iter_mut().enumerate() {
            effect.change = change(position, &event.id);
            lasts_for_ever(&mut effect.when);
        }
    }
}

fn lasts_for_ever(when: &mut When) {
    if *when == When::During {
        *when = When::Start;
    }
}

/// All worlds; a log that has too many is no case.
fn worlds(log: &SmallLog) -> Result<Worlds, TestCaseError> {
    Worlds::of(&log.counted(), (ENTITY, ATTRIBUTE), log.as_of.until(), 5_000)
        .map_err(|_| TestCaseError::reject("too many worlds"))
}

fn standing(snapshot: &Snapshot) -> Option<&Value> {
    snapshot.state.get(ENTITY)?.get(ATTRIBUTE).map(|cell| &cell.value)
}

fn marks_of_one(snapshot: &Snapshot) -> BTreeSet<Scalar> {
    match standing(snapshot) {
        Some(Value::Set(members)) => members.clone(),
        None => BTreeSet::new(),
        other => panic!("marks are a set: {other:?}"),
    }
}

fn marks(snapshot: &Snapshot) -> BTreeSet<(&str, &str, &Scalar)> {
    let mut marks = BTreeSet::new();
    for (entity, attributes) in &snapshot.state {
        for (attribute, cell) in attributes {
            let Value::Set(members) = &cell.value else { panic!("marks are a set") };
            marks.extend(members.iter().map(|mark| (entity.as_str(), attribute.as_str(), mark)));
        }
    }
    marks
}
