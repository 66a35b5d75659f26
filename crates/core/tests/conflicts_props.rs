//! What contradicts itself, over random logs: no finder fails on any of them, and what two of them find is what a
//! search without any cleverness finds.
//!
//! `PROPTEST_CASES` sets the number of cases of every property; without it the whole file runs in some seconds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use annals_core::{Error, Log, NotFound, Room, Store, WriteOptions, scan};
use annals_model::conflicts::Conflicts;
use annals_model::relative::Between;
use annals_model::{
    Change, Date, Entry, Event, EventId, Filter, KnownAt, Question, Record, Seq, Snapshot, TimelineName,
    Write,
};
use annals_testkit::conflicting::{self, written};
use annals_testkit::generate::{TIMELINES, dates, event_id, questions, sessions_with_redactions};
use annals_testkit::{MemoryLog, TestHost};
use proptest::collection::vec;
use proptest::prelude::*;

/// So many cases, unless `PROPTEST_CASES` says how many.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, max_shrink_iters: 4096, failure_persistence: None, ..ProptestConfig::default() }
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
    let room = Room { bytes: 1 << 20, directory: Path::new("/nowhere") };
    match store.conflicts(question, usize::MAX, room) {
        Ok(conflicts) => Some((conflicts, store.replay(question).unwrap())),
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

/// Filters that leave some events, and often not all; which one is told by a number.
fn filter(number: usize) -> Filter {
    let date = |text: &str| Some(Date::parse(text).unwrap());
    let name = |text: &str| vec![text.to_owned()];
    let none = Filter::default;
    match number {
        0 => Filter { from: date("2004-01-02"), ..none() },
        1 => Filter { to: date("2004-01-02"), ..none() },
        2 => Filter { from: date("2004"), to: date("2004"), ..none() },
        3 => Filter { place: name("haiti"), ..none() },
        4 => Filter { text: name("arrive"), actor: name("un"), ..none() },
        5 => Filter { entity: name("a"), ..none() },
        _ => none(),
    }
}

/// The first ones of each kind.
fn cut(conflicts: &Conflicts, most: usize) -> Conflicts {
    let mut cut = conflicts.clone();
    cut.contested.truncate(most);
    cut.clashes.truncate(most);
    cut.duplicates.truncate(most);
    cut.false_precision.iter_mut().for_each(|sign| sign.events.truncate(most));
    cut.links.truncate(most);
    cut.stale.truncate(most);
    cut
}

/// Some conflicts of each kind are found in all, so that what is compared is not nothing.
static FOUND: [AtomicUsize; 6] = [const { AtomicUsize::new(0) }; 6];

#[test]
fn events_one_by_one_give_what_all_of_them_together_do_and_a_search_without_cleverness() {
    let config = cases(160);
    let all = config.cases >= 100;
    let strategy = (sessions_with_redactions(50), vec((questions(), 0..12_usize), 1..4));
    let directory = tempfile::tempdir().unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let result = runner.run(&strategy, |(session, asked)| {
        let store = written(session);
        let records = records(&store);
        for (asked, number) in asked {
            let question = Question { filter: filter(number), ..asked.of(&records) };
            let room = |bytes| Room { bytes, directory: directory.path() };
            let Ok(known) = store.known(&question.timeline, question.known_at) else {
                prop_assert!(store.conflicts(&question, 3, room(0)).is_err());
                continue;
            };
            let to = known.position().seq;
            let told: Vec<Record> = records.iter().filter(|record| record.seq <= to).cloned().collect();
            let histories = conflicting::histories(&told, &question.timeline);
            let expect = conflicting::conflicts(&question, &known.knowledge(), &histories);
            let together = Conflicts::find(&question, &known.knowledge(), &histories);
            prop_assert_eq!(&together, &expect, "{:?}", question);
            for bytes in [0, 700, 1 << 20] {
                let one_by_one = store.conflicts(&question, usize::MAX, room(bytes)).unwrap();
                prop_assert_eq!(&one_by_one, &expect, "{} bytes, {:?}", bytes, question);
            }
            for most in [0, 1, 3] {
                let first = store.conflicts(&question, most, room(1 << 20)).unwrap();
                prop_assert_eq!(&first, &cut(&expect, most), "{} of {:?}", most, question);
            }
            let Conflicts { contested, clashes, duplicates, false_precision, links, stale, .. } = expect;
            let lengths = [
                contested.len(),
                clashes.len(),
                duplicates.len(),
                false_precision.len(),
                links.len(),
                stale.len(),
            ];
            for (sum, length) in FOUND.iter().zip(lengths) {
                sum.fetch_add(length, Ordering::Relaxed);
            }
        }
        Ok(())
    });
    result.unwrap();
    assert!(!all || FOUND.iter().all(|found| found.load(Ordering::Relaxed) > 0), "{FOUND:?}");
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
            known_at: KnownAt::Everything,
            certainty: annals_model::Certainty::Surely,
            filter: Filter::default(),
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
