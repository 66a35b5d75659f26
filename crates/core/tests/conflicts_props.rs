//! What contradicts itself, over random logs: no finder fails on any of them, and what two of them find is what a
//! search without any cleverness finds.
//!
//! `PROPTEST_CASES` sets the number of cases of every property; without it the whole file runs in some seconds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::collections::{BTreeSet, HashMap};

use annals_core::{Error, Log, NotFound, Store, WriteOptions, scan};
use annals_model::conflicts::Conflicts;
use annals_model::relative::Between;
use annals_model::{
    Actor, Change, Date, Entry, Event, EventId, Link, Place, Question, Record, Seq, Snapshot, TimelineName,
    Write,
};
use annals_testkit::generate::{Session, TIMELINES, dates, event_id, questions, sessions_with_redactions};
use annals_testkit::{MemoryLog, TestHost};
use proptest::collection::vec;
use proptest::prelude::*;

/// So many cases, unless `PROPTEST_CASES` says how many.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, max_shrink_iters: 4096, failure_persistence: None, ..ProptestConfig::default() }
}

const RELATIONS: [&str; 8] =
    ["after", "before", "caused-by", "causes", "follows", "precedes", "part-of", "about"];
const TITLES: [&str; 5] =
    ["UN police arrive", "U.N. police arrived in 2004", "UN police arrive in Haiti", "7", "—"];

/// Gives an event a title, a place, an actor and links; always the same ones to the same event.
fn adorn(event: &mut Event) {
    let of_text = |text: &str| text.bytes().fold(7, |sum: usize, byte| sum * 31 % 9_973 + usize::from(byte));
    let mut seed = of_text(&format!("{}{:?}{:?}", event.id, event.date, event.effects));
    let mut next = |most: usize| {
        seed = seed * 7_919 % 99_991;
        seed % most
    };
    TITLES[next(TITLES.len())].clone_into(&mut event.title);
    event.place = [None, Some("Haiti"), Some("HAITI")][next(3)].map(Place::named);
    event.actors = vec![Actor { name: "UN".to_owned(), role: None }; next(2)];
    for _ in 0..next(3) {
        let (rel, to) = (RELATIONS[next(RELATIONS.len())].to_owned(), event_id(next(12)));
        event.links.push(Link { rel, to });
    }
    if next(4) == 0 {
        event.date = Some(Date::parse(["[2004..]", "[..2006]", "[2000..2006]"][next(3)]).unwrap());
    }
}

fn written(mut session: Session) -> Store<MemoryLog> {
    for entry in session.entries_mut() {
        if let Write::Append(event) | Write::Revise(event) = &mut entry.write {
            adorn(event);
        }
    }
    let store = Store::new(MemoryLog::default());
    session.write(&store, &TestHost::new(1));
    store
}

fn records(store: &Store<MemoryLog>) -> Vec<Record> {
    let mut all = Vec::new();
    let visit = |stored: annals_core::StoredRecord| {
        all.push(stored.record);
        Ok(())
    };
    scan::each(store.log(), Seq(1), store.log().head().unwrap().seq(), visit).unwrap();
    all
}

/// Both answers to a question; `None` where the store has no such timeline.
fn both(store: &Store<MemoryLog>, question: &Question) -> Option<(Conflicts, Snapshot)> {
    match store.known(&question.timeline, question.known_at) {
        Ok(known) => Some((store.conflicts(question, &known).unwrap(), store.replay(question).unwrap())),
        Err(Error::NotFound(NotFound::Timeline(_))) => None,
        Err(error) => panic!("{error}"),
    }
}

/// The pairs of events that contest each other, found by comparing every claim with every other one.
fn contesting_pairs(events: &[&Event]) -> BTreeSet<(String, EventId, EventId)> {
    // The last value that an event sets in an attribute at a moment.
    let mut words = HashMap::new();
    for event in events {
        for effect in &event.effects {
            let Change::Set(value) = &effect.change else { continue };
            for span in event.happenings() {
                let moment = if effect.when == annals_model::When::End { span.end } else { span.start };
                let attribute = format!("{}.{}", effect.entity, effect.attribute);
                words.insert((attribute, moment, &event.id), value);
            }
        }
    }
    let mut pairs = BTreeSet::new();
    for ((attribute, moment, id), value) in &words {
        for ((other_attribute, other_moment, other_id), other) in &words {
            if id < other_id && attribute == other_attribute && moment == other_moment && value != other {
                pairs.insert((attribute.clone(), (*id).clone(), (*other_id).clone()));
            }
        }
    }
    pairs
}

fn found_pairs(conflicts: &Conflicts) -> BTreeSet<(String, EventId, EventId)> {
    let mut pairs = BTreeSet::new();
    for group in &conflicts.contested {
        for a in &group.claims {
            for b in &group.claims {
                if a.event.id < b.event.id && a.value != b.value {
                    let attribute = format!("{}.{}", group.entity, group.attribute);
                    pairs.insert((attribute, a.event.id.clone(), b.event.id.clone()));
                }
            }
        }
    }
    pairs
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn contested_values_and_clashes_are_what_a_search_without_cleverness_finds(
        session in sessions_with_redactions(30),
        asked in vec(questions(), 1..5),
    ) {
        let store = written(session);
        for asked in asked {
            let question = asked.of(&records(&store));
            let question = Question { entities: Vec::new(), ..question };
            let Some((conflicts, snapshot)) = both(&store, &question) else { continue };
            let known = store.known(&question.timeline, question.known_at).unwrap();
            let events: Vec<&Event> = known.events().iter().map(|known| &known.event).collect();
            prop_assert_eq!(found_pairs(&conflicts), contesting_pairs(&events));
            let mut clashes: Vec<_> = conflicts
                .clashes
                .iter()
                .map(|c| (c.effect.entity.clone(), c.effect.attribute.clone(), c.event.id.clone(), c.effect.change.op()))
                .collect();
            let mut expected: Vec<_> = snapshot
                .clashes
                .iter()
                .map(|c| (c.entity.clone(), c.attribute.clone(), c.id.clone(), c.op))
                .collect();
            clashes.sort();
            expected.sort();
            prop_assert_eq!(clashes, expected);
        }
    }

    #[test]
    fn a_contested_value_that_stands_is_the_one_in_the_snapshot(session in sessions_with_redactions(30), asked in questions()) {
        let store = written(session);
        let Some((conflicts, snapshot)) = both(&store, &asked.of(&records(&store))) else { return Ok(()) };
        for group in conflicts.contested.iter().filter(|group| group.decides) {
            let cell = snapshot.state.get(&group.entity).and_then(|a| a.get(&group.attribute));
            prop_assert!(cell.is_some(), "{:?}", group);
            prop_assert_eq!(group.claims.iter().filter(|word| word.stands).count(), 1);
        }
    }

    #[test]
    fn every_log_has_an_answer_that_counts_what_it_holds(session in sessions_with_redactions(60), asked in questions()) {
        let store = written(session);
        let Some((conflicts, _)) = both(&store, &asked.of(&records(&store))) else { return Ok(()) };
        let json = serde_json::to_value(&conflicts).unwrap();
        let lists = ["contested", "clashes", "duplicates", "links", "stale"];
        let suspects = json["false_precision"].as_array().unwrap().iter().map(|s| s["events"].as_array().unwrap().len());
        let sum = lists.iter().map(|list| json[list].as_array().unwrap().len()).sum::<usize>() + suspects.sum::<usize>();
        prop_assert_eq!(json["found"].as_u64().unwrap(), sum as u64);
    }

    #[test]
    fn a_copy_of_a_dated_event_is_found_whatever_its_date(date in dates(), title in "[a-z]{1,8}( [a-z0-9.]{1,8}){0,4}") {
        let timeline = TimelineName::new(TIMELINES[0]).unwrap();
        let event = |number| Event { date: Some(date.clone()), ..Event::new(event_id(number), title.as_str()) };
        let entries = (0..2).map(|number| Entry::new(timeline.clone(), Write::Append(Box::new(event(number)))));
        let store = Store::new(MemoryLog::default());
        store.write(entries.collect(), &TestHost::new(1), &WriteOptions::by("a test")).unwrap();
        let question = Question {
            timeline,
            as_of: annals_model::AsOf::new(Date::parse("2000").unwrap()).unwrap(),
            known_at: annals_model::KnownAt::Everything,
            certainty: annals_model::Certainty::Surely,
            filter: annals_model::Filter::default(),
            entities: Vec::new(),
        };
        let (found, _) = both(&store, &question).unwrap();
        let found = found.duplicates;
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(found[0].events.len(), 2);
    }

    #[test]
    fn a_computed_date_excludes_nothing_that_the_others_allow(after in dates(), before in dates()) {
        let event = |number, date: &Date| Event { date: Some(date.clone()), ..Event::new(event_id(number), "t") };
        let (a, b) = (event(0, &after), event(1, &before));
        let (lower, upper) = (after.span().start.earliest, before.span().end.latest);
        for (between, lower, upper) in [
            (Between { after: vec![&a], before: vec![&b] }, Some(lower), Some(upper)),
            (Between { after: vec![&a], before: vec![] }, Some(lower), None),
            (Between { after: vec![], before: vec![&b] }, None, Some(upper)),
        ] {
            let bounds = [lower, upper];
            let known = bounds.into_iter().flatten().all(annals_model::Moment::is_finite);
            let in_order = lower.zip(upper).is_none_or(|(lower, upper)| lower <= upper);
            match between.date() {
                Ok(date) => {
                    let span = date.span();
                    prop_assert!(known);
                    prop_assert!(lower.is_none_or(|lower| span.start.earliest <= lower), "{}", date);
                    prop_assert!(upper.is_none_or(|upper| span.end.latest >= upper), "{}", date);
                    prop_assert_eq!(span.start, span.end, "one happening");
                }
                Err(error) => prop_assert!(!known || !in_order, "{}", error),
            }
        }
    }
}
