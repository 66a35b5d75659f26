//! The history and the course of an attribute, along either axis, against replay on random logs.
//!
//! `PROPTEST_CASES` sets the number of cases of every property.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::collections::BTreeSet;

use annals_core::{Error, Known, Store, WriteOptions};
use annals_model::date::Edge;
use annals_model::fold::Claim;
use annals_model::history::{Turn, course};
use annals_model::{
    Alternative, AsOf, Cell, Certainty, Change, Date, Effect, Entry, Event, EventId, Filter, HistorySpan,
    KnownAt, Moment, Number, Open, Question, Scalar, Seq, Snapshot, TimelineName, Value, When, Write,
    YearText,
};
use annals_testkit::generate::{
    ENTITIES, TIMELINES, as_of_dates, dates, disjoint_events, effects, sessions_with_redactions,
};
use annals_testkit::{MemoryLog, TestHost};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, max_shrink_iters: 4096, failure_persistence: None, ..ProptestConfig::default() }
}

fn question(as_of: AsOf, known_at: KnownAt, certainty: Certainty) -> Question {
    let timeline = TimelineName::new(TIMELINES[0]).unwrap();
    Question { timeline, as_of, known_at, certainty, filter: Filter::default(), entities: Vec::new() }
}

/// As of one second; where EDTF cannot write it, which is before our era and far ahead, as of its day or year.
fn second(moment: Moment) -> Option<AsOf> {
    let (day, _) = moment.civil();
    let texts = [moment.to_string(), day.to_string(), YearText(day.year).to_string()];
    texts.iter().find_map(|text| Date::parse(text).ok()).and_then(|date| AsOf::new(date).ok())
}

/// Every bound of every date that is known, the seconds beside it, and the ends of what EDTF can write.
fn boundaries(known: &Known) -> BTreeSet<Moment> {
    let spans = known.events().iter().flat_map(|known| known.event.happenings());
    let bounds = spans.flat_map(|s| [s.start.earliest, s.start.latest, s.end.earliest, s.end.latest]);
    let finite = bounds.filter(|bound| bound.is_finite());
    let near = finite.flat_map(|bound| (-1..=3).map(move |n| Moment::from_seconds(bound.seconds() + n)));
    let ends = ["-9999", "9999"];
    near.chain(ends.map(|text| Date::parse(text).unwrap().span().start.earliest)).collect()
}

fn attributes(known: &Known) -> BTreeSet<(String, String)> {
    let effects = known.events().iter().flat_map(|known| &known.event.effects);
    effects.map(|effect| (effect.entity.clone(), effect.attribute.clone())).collect()
}

fn moment(edge: Edge, infinite: Moment) -> Moment {
    if let Edge::At(moment) = edge { moment } else { infinite }
}

fn covers(from: Edge, until: Edge, as_of: Moment) -> bool {
    moment(from, Moment::NEG_INFINITY) <= as_of && as_of <= moment(until, Moment::INFINITY)
}

fn is_sure(span: &HistorySpan, as_of: Moment) -> bool {
    span.from.zip(span.until).is_some_and(|(from, until)| covers(from, until, as_of))
}

fn alternatives(open: &Open) -> impl Iterator<Item = (Value, EventId)> {
    let each = |alternative: &Alternative| {
        let value = alternative.value.clone();
        let by = alternative.by.clone().into_iter();
        by.filter_map(move |by| value.clone().map(|value| (value, by))).collect::<Vec<_>>()
    };
    open.alternatives.iter().flat_map(each).collect::<Vec<_>>().into_iter()
}

/// Whether replay says that this value may stand, without listing it.
fn is_within(open: &Open, value: &Value) -> bool {
    match value {
        Value::Scalar(Scalar::Number(number)) => {
            open.low.is_some_and(|low| low <= *number) && open.high.is_some_and(|high| *number <= high)
        }
        Value::Scalar(_) => false,
        Value::Set(set) => {
            let members = open.members.as_ref();
            members.is_some_and(|m| m.surely.is_subset(set) && m.possibly.is_superset(set))
        }
    }
}

/// The course of an attribute, which tells the whole answer; one more claim folded than is allowed, and there is none.
fn course_of(known: &Known, entity: &str, attribute: &str) -> Vec<Turn> {
    let claims: Vec<Claim<'_>> = known
        .events()
        .iter()
        .flat_map(|known| known.counted().claims())
        .filter(|claim| claim.effect.entity == entity && claim.effect.attribute == attribute)
        .collect();
    let (turns, folded) = course(&claims, |moment| moment, usize::MAX).unwrap();
    assert_eq!(course(&claims, |moment| moment, folded).unwrap().0, turns);
    assert!(folded == 0 || course(&claims, |moment| moment, folded - 1).is_none());
    assert!(turns.windows(2).all(|pair| pair[0].from < pair[1].from));
    // Who looks at the ends of days only sees there what everybody sees.
    let end_of_day = |moment: Moment| Moment::end_of(moment.civil().0);
    let (daily, _) = course(&claims, end_of_day, usize::MAX).unwrap();
    for day in
        turns.iter().chain(&daily).filter(|turn| turn.from.is_finite()).map(|turn| end_of_day(turn.from))
    {
        let last = |turns: &[Turn]| turns.iter().rfind(|turn| turn.from <= day).cloned().unwrap();
        let (seen, there) = (last(&daily), last(&turns));
        assert_eq!((seen.cell, seen.unsettled), (there.cell, there.unsettled), "as of {day}");
    }
    turns
}

/// The history of every attribute says what replay says, at every boundary and a second to each side of it.
fn agrees_with_replay(store: &Store<MemoryLog>) -> Result<(), TestCaseError> {
    let some = AsOf::new(Date::parse("2004").unwrap()).unwrap();
    let asked = question(some, KnownAt::Everything, Certainty::Surely);
    let Ok(known) = store.known(&asked.timeline, asked.known_at) else { return Ok(()) };
    let mut histories = Vec::new();
    let mut courses = Vec::new();
    for (entity, attribute) in attributes(&known) {
        courses.push((entity.clone(), attribute.clone(), course_of(&known, &entity, &attribute)));
        let spans = store.spans(&asked, &format!("{entity}.{attribute}")).unwrap().spans;
        histories.push((entity, attribute, spans));
    }
    for as_of in boundaries(&known).into_iter().filter_map(second) {
        let replay = |certainty| {
            Snapshot::answer(&question(as_of.clone(), KnownAt::Everything, certainty), &known.knowledge())
                .unwrap()
        };
        let (surely, possibly) = (replay(Certainty::Surely), replay(Certainty::Possibly));
        for (entity, attribute, turns) in &courses {
            let turn = turns.iter().rfind(|turn| turn.from <= as_of.until()).unwrap();
            let cell = surely.state.get(entity).and_then(|attributes| attributes.get(attribute));
            let unsettled = surely.unsettled.get(entity).and_then(|attributes| attributes.get(attribute));
            prop_assert_eq!(turn.cell.as_ref(), cell, "{}.{} as of {}", entity, attribute, as_of);
            prop_assert_eq!(turn.unsettled.as_ref(), unsettled, "{}.{} as of {}", entity, attribute, as_of);
        }
        for (entity, attribute, spans) in &histories {
            let cell = |snapshot: &Snapshot| -> Option<Cell> {
                snapshot.state.get(entity).and_then(|attributes| attributes.get(attribute)).cloned()
            };
            let until = as_of.until();
            let mut here: Vec<&HistorySpan> =
                spans.iter().filter(|s| covers(s.possibly_from, s.possibly_until, until)).collect();
            let all = here.clone();
            let mut sure = false;
            let open = cell(&surely).map(|cell| (*cell.open).clone()).or_else(|| {
                surely.unsettled.get(entity).and_then(|attributes| attributes.get(attribute)).cloned()
            });
            let open = open.unwrap_or_default();
            let cells = [cell(&surely), cell(&possibly)].into_iter().flatten();
            let answers = cells.map(|cell| (cell.value, cell.by)).chain(alternatives(&open));
            for (value, by) in answers {
                let found = all.iter().filter(|s| s.value == value && s.by == by).count();
                prop_assert_eq!(found, 1, "{} by {} as of {}: {:#?}", value, by, as_of, all);
                here.retain(|span| span.value != value || span.by != by);
            }
            // Numbers and sets that replay bounds a span may name.
            here.retain(|span| !is_within(&open, &span.value));
            prop_assert!(here.is_empty(), "{entity}.{attribute} as of {as_of}: {here:#?}");
            for span in all {
                let cell = cell(&surely).filter(|cell| cell.value == span.value && cell.by == span.by);
                let expected = cell.is_some_and(|cell| cell.sure);
                prop_assert_eq!(is_sure(span, until), expected, "as of {}: {:#?}", as_of, span);
                sure |= expected;
            }
            prop_assert_eq!(sure, cell(&surely).is_some_and(|cell| cell.sure));
        }
    }
    Ok(())
}

/// A store with an event for each date, which changes one attribute.
fn recorded(changes: impl IntoIterator<Item = (Option<Date>, Change)>) -> Store<MemoryLog> {
    let entry = |(number, (date, change)): (usize, (Option<Date>, Change))| {
        let mut event = Event::new(EventId::new(format!("e{number}")).unwrap(), "t");
        let (entity, attribute) = ("a".to_owned(), "x".to_owned());
        (event.date, event.effects) = (date, vec![Effect { entity, attribute, change, when: When::Start }]);
        Entry::new(TimelineName::new(TIMELINES[0]).unwrap(), Write::Append(Box::new(event)))
    };
    let entries = changes.into_iter().enumerate().map(entry).collect();
    let store = Store::new(MemoryLog::default());
    store.write(entries, &TestHost::new(1), &WriteOptions::by("somebody")).unwrap();
    store
}

/// A count that somebody confirms on a vague date, and corrects later: what lies before all else has been folded
/// into one by then, and what is said of the sureness is still what replay says.
#[test]
fn a_count_that_is_confirmed_is_as_sure_as_replay_says() {
    let date = |text: &str| Some(Date::parse(text).unwrap());
    let number = |number: i64| Scalar::Number(Number::from(number));
    for members in [false, true] {
        let one = |n: i64| {
            let change = if members { Change::Add(number(n)) } else { Change::Increase(Number::from(1)) };
            (date(&format!("2003-05-{n:02}T12:00:00")), change)
        };
        let total = || if members { Value::Set((1..=16).map(number).collect()) } else { number(16).into() };
        let confirmed = (date("2004"), Change::Set(total()));
        let corrected = (date("2006-01-01"), Change::Set(number(7).into()));
        agrees_with_replay(&recorded((1..=16).map(one).chain([confirmed, corrected]))).unwrap();
    }
}

/// Gives all effects of a write to one attribute.
fn on_one_attribute(entry: &mut Entry) {
    let (Write::Append(event) | Write::Revise(event)) = &mut entry.write else { return };
    for effect in &mut event.effects {
        "a".clone_into(&mut effect.entity);
        "x".clone_into(&mut effect.attribute);
    }
}

/// Makes every effect one that builds on what stands.
fn modifying(events: &mut [Event], of_numbers: bool) {
    let effects = events.iter_mut().flat_map(|event| &mut event.effects);
    for (index, effect) in effects.enumerate() {
        let member = Scalar::Text(["p", "q", "r"][index % 3].into());
        effect.change = match effect.change {
            _ if of_numbers => Change::Increase(Number::from(i64::try_from(index % 4).unwrap())),
            Change::Remove(_) | Change::Clear => Change::Remove(member),
            _ => Change::Add(member),
        };
        if matches!(effect.change, Change::Remove(_) | Change::Increase(_)) {
            effect.when = When::Start;
        }
        *effect = Effect { entity: "a".to_owned(), attribute: "x".to_owned(), ..effect.clone() };
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn spans_say_what_replay_says(mut session in sessions_with_redactions(30), on_one in any::<bool>()) {
        if on_one {
            session.entries_mut().for_each(on_one_attribute);
        }
        let store = Store::new(MemoryLog::default());
        session.write(&store, &TestHost::new(1));
        agrees_with_replay(&store)?;
    }

    /// What lies before all else is folded into one, and that shows in no answer.
    #[test]
    fn spans_of_long_sequences_say_what_replay_says(
        mut events in disjoint_events(),
        more in sessions_with_redactions(4),
        of_numbers in any::<bool>(),
    ) {
        modifying(&mut events, of_numbers);
        let store = Store::new(MemoryLog::default());
        let host = TestHost::new(1);
        let timeline = TimelineName::new(TIMELINES[0]).unwrap();
        // A few that may lie anywhere come to it, under ids that no other has.
        let others = more.batches.into_iter().flat_map(|batch| batch.entries).filter_map(|mut entry| {
            on_one_attribute(&mut entry);
            match entry.write {
                Write::Append(event) => Some(*event),
                _ => None,
            }
        });
        for (number, mut event) in events.into_iter().chain(others).enumerate() {
            event.id = EventId::new(format!("e{number}")).unwrap();
            let entry = Entry::new(timeline.clone(), Write::Append(Box::new(event)));
            store.write(vec![entry], &host, &WriteOptions::by("somebody")).unwrap();
        }
        agrees_with_replay(&store)?;
    }

    /// What was learnt by record K is what a replay answers as known at K.
    #[test]
    fn what_was_learnt_is_what_replay_says_at_every_position(
        session in sessions_with_redactions(16),
        as_of in as_of_dates(),
        certainty in prop_oneof![Just(Certainty::Surely), Just(Certainty::Possibly)],
    ) {
        let store = Store::new(MemoryLog::default());
        session.write(&store, &TestHost::new(1));
        let all = question(as_of, KnownAt::Everything, certainty);
        let mut learned = Vec::new();
        for entity in ENTITIES {
            match store.learned(&all, entity) {
                Ok(found) => learned.extend(found.changes),
                Err(Error::Invalid(_)) => {}
                Err(_) => return Ok(()),
            }
        }
        let end = store.position(KnownAt::Everything).unwrap().seq;
        for position in 0..=end.0 {
            let asked = Question { known_at: KnownAt::Position(Seq(position)), ..all.clone() };
            let state = store.replay(&asked).unwrap().state;
            let mut cells = Vec::new();
            for (entity, attributes) in state {
                cells.extend(attributes.into_iter().map(|(name, cell)| {
                    (entity.clone(), name, cell.value, cell.by, cell.sure)
                }));
            }
            let told = learned.iter().filter(|change| {
                change.seq.0 <= position && change.until.is_none_or(|until| until.seq.0 > position)
            });
            let told: Vec<_> = told
                .filter_map(|change| {
                    let (value, by, sure) = (change.value.clone()?, change.by.clone()?, change.sure?);
                    Some((change.entity.clone(), change.attribute.clone(), value, by, sure))
                })
                .collect();
            prop_assert_eq!(told, cells, "@{}", position);
        }
    }
}

proptest! {
    #![proptest_config(cases(60))]

    /// Increases are added up whatever is open about their dates, and that shows in no answer.
    #[test]
    fn spans_of_counts_with_any_dates_say_what_replay_says(
        counts in vec((option::weighted(0.95, dates()), -1..3_i64), 8..40),
        others in vec((dates(), effects()), 0..3),
    ) {
        let counts = counts.into_iter().map(|(date, by)| (date, Change::Increase(Number::from(by))));
        let others = others.into_iter().map(|(date, effect)| (Some(date), effect.change));
        agrees_with_replay(&recorded(others.chain(counts)))?;
    }
}
