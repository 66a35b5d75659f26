//! Why an attribute has its value, against replay and against the records, on random logs.
//!
//! `PROPTEST_CASES` sets the number of cases of every property.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use annals_core::{Store, WriteOptions, scan};
use annals_model::date::{Edge, Range};
use annals_model::fold::{Applied, Counted, apply};
use annals_model::why::{Part, Reason, Why};
use annals_model::{
    Change, Effect, Entry, Event, KnownAt, Moment, Op, Question, Record, Scalar, Seq, Value, Write,
};
use annals_testkit::generate::{ATTRIBUTES, ENTITIES, questions, sessions_with_redactions};
use annals_testkit::{MemoryLog, TestHost};
use proptest::collection::vec;
use proptest::prelude::*;

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, max_shrink_iters: 4096, failure_persistence: None, ..ProptestConfig::default() }
}

fn records(store: &Store<MemoryLog>) -> Vec<Record> {
    let mut all = Vec::new();
    let end = store.position(KnownAt::Everything).unwrap().seq;
    let visit = |stored: annals_core::StoredRecord| {
        all.push(stored.record);
        Ok(())
    };
    scan::each(store.log(), Seq(1), end, visit).unwrap();
    all
}

/// What the store says of every attribute that it knows of.
fn explained(store: &Store<MemoryLog>, question: &Question) -> Vec<Why> {
    let names = ENTITIES.iter().flat_map(|e| ATTRIBUTES.iter().map(move |a| format!("{e}.{a}")));
    names.filter_map(|name| store.why(question, &name).ok()).collect()
}

fn all_parts(why: &Why) -> impl Iterator<Item = &Part> {
    why.made_of.iter().chain(&why.overridden).chain(why.not_counted.iter().map(|entry| &entry.part))
}

/// What tells a part from others: the record, what it does, and the bounds of when.
type Mark = (Seq, String, Moment, Moment);

fn mark(part: &Part) -> Mark {
    let moment = |edge: Edge, infinite: Moment| if let Edge::At(moment) = edge { moment } else { infinite };
    // A bound that is infinite the other way round is told by the other one.
    let earliest = moment(part.earliest, Moment::NEG_INFINITY);
    (
        part.seq,
        format!("{} {:?} {:?}", part.op, part.value, part.when),
        earliest,
        moment(part.latest, Moment::INFINITY),
    )
}

fn mark_of(seq: Seq, effect: &Effect, range: Range) -> Mark {
    let value: Option<Value> = match &effect.change {
        Change::Set(value) => Some(value.clone()),
        Change::Clear => None,
        Change::Add(member) | Change::Remove(member) => Some(Value::Scalar(member.clone())),
        Change::Increase(number) => Some(Value::Scalar(Scalar::Number(*number))),
    };
    let finite = |moment: Moment, infinite| if moment.is_finite() { moment } else { infinite };
    let (earliest, latest) =
        (finite(range.earliest, Moment::NEG_INFINITY), finite(range.latest, Moment::INFINITY));
    (seq, format!("{} {value:?} {:?}", effect.change.op(), effect.when), earliest, latest)
}

/// Every effect on an attribute that was known at K, of all versions, but for those that the next version repeats.
fn expected(records: &[Record], why: &Why) -> Vec<Mark> {
    let known: Vec<&Record> = records
        .iter()
        .filter(|record| record.timeline == why.asked.timeline && record.seq <= why.asked.known_at.seq)
        .collect();
    let mut marks = Vec::new();
    for (index, record) in known.iter().enumerate() {
        let Some(event) = record.content.event() else { continue };
        let mut later = known[index + 1..].iter().filter(|later| later.id == record.id);
        let next: Option<&Event> = later.find_map(|later| later.content.event());
        let claims = |event| Counted { place: Seq(0), seq: Seq(0), event }.claims();
        for claim in claims(event) {
            let concerns = claim.effect.entity == why.entity && claim.effect.attribute == why.attribute;
            let repeated = next.is_some_and(|next| {
                claims(next).any(|other| (other.effect, other.span) == (claim.effect, claim.span))
            });
            if concerns && !repeated {
                marks.push(mark_of(record.seq, claim.effect, claim.moment()));
            }
        }
    }
    marks
}

/// The change that a part stands for.
fn change(part: &Part) -> Change {
    match (part.op, part.value.clone()) {
        ("clear", None) => Change::Clear,
        ("set", Some(value)) => Change::Set(value),
        ("add", Some(Value::Scalar(member))) => Change::Add(member),
        ("remove", Some(Value::Scalar(member))) => Change::Remove(member),
        ("increase", Some(Value::Scalar(Scalar::Number(number)))) => Change::Increase(number),
        other => panic!("{other:?}"),
    }
}

/// What the parts come to when they are done one after the other, each of which has to change something.
fn folded<'a>(parts: impl IntoIterator<Item = &'a Part>) -> Option<Value> {
    let mut value = None;
    for part in parts {
        assert_eq!(apply(&mut value, &change(part)), Applied::Changed, "{part:?}");
    }
    value
}

/// What ended the version of a record: the event's next record, if that was known.
fn fate<'a>(records: &'a [Record], why: &Why, part: &Part) -> Option<&'a Record> {
    records.iter().find(|later| {
        (&later.timeline, &later.id) == (&why.asked.timeline, &part.id)
            && part.seq < later.seq
            && later.seq <= why.asked.known_at.seq
    })
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn why_agrees_with_replay(session in sessions_with_redactions(24), asked in vec(questions(), 1..6)) {
        let store = Store::new(MemoryLog::default());
        session.write(&store, &TestHost::new(1));
        let records = records(&store);
        for asked in asked {
            let question = Question { entities: Vec::new(), ..asked.of(&records) };
            let Ok(snapshot) = store.replay(&question) else { continue };
            let mut cells = 0;
            for why in explained(&store, &question) {
                let cell = snapshot.state.get(&why.entity).and_then(|cells| cells.get(&why.attribute));
                prop_assert_eq!(why.value.as_ref(), cell.map(|cell| &cell.value));
                prop_assert_eq!(why.by.as_ref(), cell.map(|cell| &cell.by));
                prop_assert_eq!(why.sure, cell.map(|cell| cell.sure));
                prop_assert_eq!(why.because.is_none(), cell.is_some());
                cells += usize::from(cell.is_some());
            }
            prop_assert_eq!(cells, snapshot.state.values().map(std::collections::BTreeMap::len).sum::<usize>());
        }
    }

    #[test]
    fn every_effect_that_was_known_is_told_once(session in sessions_with_redactions(24), asked in vec(questions(), 1..6)) {
        let store = Store::new(MemoryLog::default());
        session.write(&store, &TestHost::new(1));
        let records = records(&store);
        for asked in asked {
            for why in explained(&store, &asked.of(&records)) {
                let mut told: Vec<Mark> = all_parts(&why).map(mark).collect();
                let mut expected = expected(&records, &why);
                told.sort();
                expected.sort();
                prop_assert_eq!(told, expected, "{}.{}", why.entity, why.attribute);
            }
        }
    }

    #[test]
    fn each_part_is_in_the_list_that_it_belongs_to(session in sessions_with_redactions(24), asked in vec(questions(), 1..6)) {
        let store = Store::new(MemoryLog::default());
        session.write(&store, &TestHost::new(1));
        let records = records(&store);
        for asked in asked {
            for why in explained(&store, &asked.of(&records)) {
                // The value is made of these and of nothing else, and the last of them decided it.
                prop_assert_eq!(folded(&why.made_of), why.value.clone());
                folded(why.overridden.iter().chain(&why.made_of));
                if let Some(by) = &why.by {
                    prop_assert_eq!(Some(by), why.made_of.last().map(|part| &part.id));
                }
                for part in why.made_of.iter().chain(&why.overridden) {
                    prop_assert_eq!(fate(&records, &why, part), None, "{:?} counts", part);
                }
                for entry in &why.not_counted {
                    let fate = fate(&records, &why, &entry.part);
                    let (op, seq) = (fate.map(|record| record.op), fate.map(|record| record.seq));
                    match &entry.reason {
                        Reason::Revised { at } => prop_assert_eq!((op, seq), (Some(Op::Revise), Some(at.seq))),
                        Reason::Retracted { at, because } => {
                            prop_assert_eq!((op, seq), (Some(Op::Retract), Some(at.seq)));
                            prop_assert_eq!(because.as_deref(), Some("it was wrong"));
                        }
                        Reason::Filtered => prop_assert!(false, "nothing is filtered"),
                        _ => prop_assert_eq!(op, None),
                    }
                }
            }
        }
    }

    /// The answer hangs on the event that is named: without it, it is another one.
    #[test]
    fn without_the_deciding_event_the_answer_is_another(session in sessions_with_redactions(16), asked in questions()) {
        let store = Store::new(MemoryLog::default());
        session.write(&store, &TestHost::new(1));
        let records = records(&store);
        let question = Question { known_at: KnownAt::Everything, ..asked.of(&records) };
        for why in explained(&store, &question) {
            let Some(by) = why.by.clone() else { continue };
            let changed = Store::new(MemoryLog::default());
            session.write(&changed, &TestHost::new(1));
            let reason = "to see what it carries".to_owned();
            let retract = Entry::new(why.asked.timeline.clone(), Write::Retract { id: by.clone(), reason });
            changed.write(vec![retract], &TestHost::new(2), &WriteOptions::by("tester")).unwrap();
            let name = format!("{}.{}", why.entity, why.attribute);
            let after = changed.why(&question, &name).unwrap();
            prop_assert!(after.by != Some(by.clone()) || after.value != why.value, "{name} by {by}");
            let told = all_parts(&after).filter(|part| part.id == by).count();
            let before = all_parts(&why).filter(|part| part.id == by).count();
            prop_assert_eq!(told, before, "what is taken back is still told");
        }
    }
}
