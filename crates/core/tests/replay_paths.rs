//! Replay reads claims backwards and in pieces; what it leaves out must leave no trace. Here its answers are held
//! against those from all events ([`Store::known`]), hash and all, also on logs of many pieces, and it is shown
//! that they come from the claims alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use annals_core::{
    BLOCK, Commit, Durability, EventEntry, Log, Seal, SledLog, SledOptions, Store, StoredRecord,
    WriteOptions, commitment, pack, scan,
};
use annals_model::{
    AsOf, Certainty, Change, Content, Date, Effect, Entry, Event, EventId, Filter, KnownAt, Number, Op,
    Question, Scalar, Seq, Snapshot, Source, TimelineName, Value, When, Write, canonical_sha256,
};
use annals_testkit::generate::{TIMELINES, as_of_dates, questions, sessions};
use annals_testkit::records::records;
use annals_testkit::{MemoryLog, TestHost, naive};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, max_shrink_iters: 1024, failure_persistence: None, ..ProptestConfig::default() }
}

fn id(number: u64) -> EventId {
    EventId::new(format!("e{number}")).unwrap()
}

fn timeline() -> TimelineName {
    TimelineName::new(TIMELINES[0]).unwrap()
}

fn question(as_of: AsOf, certainty: Certainty, known_at: KnownAt, entities: &[&str]) -> Question {
    Question {
        timeline: timeline(),
        as_of,
        known_at,
        certainty,
        filter: Filter::default(),
        entities: entities.iter().map(|entity| (*entity).to_owned()).collect(),
    }
}

/// The answer from all events, of which nothing was left out.
fn from_events<L: Log>(store: &Store<L>, question: &Question) -> Snapshot {
    let known = store.known(&question.timeline, question.known_at).unwrap();
    Snapshot::answer(question, &known.knowledge()).unwrap()
}

fn agree<L: Log>(store: &Store<L>, question: &Question) -> Result<Snapshot, TestCaseError> {
    let answer = store.replay(question).unwrap();
    prop_assert_eq!(&answer, &from_events(store, question), "\nclaims left, events right\n{:?}", question);
    // The hashes are put together from parts, and are those of the whole.
    prop_assert_eq!(&answer.receipt.state_sha256, &canonical_sha256(&answer.state).unwrap());
    let unsigned = Snapshot { answer_sha256: String::new(), ..answer.clone() };
    prop_assert_eq!(&answer.answer_sha256, &canonical_sha256(&unsigned).unwrap());
    Ok(answer)
}

/// Increases above all, of which many are dated alike, and now and then something else.
fn changes() -> impl Strategy<Value = (&'static str, Change)> {
    let number = |text: &'static str| text.parse::<Number>().unwrap();
    let texts = select(vec!["0", "0", "1", "2", "-1", "0.5", "-2.25"]);
    let increases = texts.prop_map(move |text| Change::Increase(number(text))).boxed();
    let sets = select(vec!["p", "q"]).prop_map(|text| Change::Set(Value::Scalar(Scalar::Text(text.into()))));
    let registers = prop_oneof![6 => sets, 1 => Just(Change::Clear)].boxed();
    let members = prop_oneof![
        3 => select(vec!["m", "n"]).prop_map(|text| Change::Add(Scalar::Text(text.into()))),
        1 => Just(Change::Remove(Scalar::Text("m".into()))),
    ];
    let mixed = prop_oneof![8 => increases.clone(), 4 => registers.clone(), 1 => members];
    prop_oneof![
        4 => increases.prop_map(|change| ("count", change)),
        4 => registers.prop_map(|change| ("status", change)),
        2 => mixed.prop_map(|change| ("mixed", change)),
    ]
}

/// Dates that share bounds, days above all.
fn dates() -> impl Strategy<Value = Option<Date>> {
    let days = (select(vec![2003, 2004, 2005]), 1..=12_u8, select(vec![1_u8, 15, 28]));
    let days = days.prop_map(|(year, month, day)| format!("{year}-{month:02}-{day:02}"));
    let others = select(vec![
        "2004",
        "2003-11",
        "2004-01-15T12:00:00",
        "2004~",
        "2003/2005",
        "2004-02/..",
        "/2004",
        "{2003,2005-05}",
        "[2003-01-01,2004-06]",
        "{2004-01-01,2004-01-01}",
        "2004-06-01/2004-06-01",
    ]);
    let others = others.prop_map(str::to_owned);
    let texts = prop_oneof![10 => days, 3 => others];
    prop_oneof![12 => texts.prop_map(|text| Some(Date::parse(&text).unwrap())), 1 => Just(None)]
}

fn effects() -> impl Strategy<Value = Vec<Effect>> {
    let whens = prop_oneof![8 => Just(When::Start), 2 => Just(When::End), 1 => Just(When::During)];
    let effect =
        (select(vec!["a", "b"]), changes(), whens).prop_map(|(entity, (attribute, change), when)| {
            let lapses = matches!(change, Change::Set(_) | Change::Add(_));
            let when = if when == When::During && !lapses { When::End } else { when };
            Effect { entity: entity.to_owned(), attribute: attribute.to_owned(), change, when }
        });
    vec(effect, 0..4)
}

/// A write to one of some events: the first one appends it, later ones revise it, or withdraw it.
fn writes(most: usize) -> impl Strategy<Value = Vec<Entry>> {
    let write = (prop_oneof![3 => 0..12_usize, 5 => 12..4000_usize], 0..10_u8, dates(), effects());
    vec(write, 1..most).prop_map(|writes| {
        let mut stands = std::collections::HashMap::new();
        let entry =
            |(number, (which, wish, date, effects)): (usize, (usize, u8, Option<Date>, Vec<Effect>))| {
                let id = EventId::new(format!("e{which}")).unwrap();
                // Every version has another title: none is a repetition.
                let sources = vec![Source { title: Some(format!("source {number}")), ..Source::default() }];
                let event =
                    Event { date, effects, sources, ..Event::new(id.clone(), format!("version {number}")) };
                let write = match stands.get(&which) {
                    None => Write::Append(Box::new(event)),
                    Some(true) if wish == 0 => Write::Retract { id, reason: "wrong".to_owned() },
                    Some(_) => Write::Revise(Box::new(event)),
                };
                stands.insert(which, !matches!(write, Write::Retract { .. }));
                Entry::new(timeline(), write)
            };
        writes.into_iter().enumerate().map(entry).collect()
    })
}

fn written(entries: &[Entry], batch: usize) -> Store<MemoryLog> {
    let (store, host) = (Store::new(MemoryLog::default()), TestHost::new(1));
    for entries in entries.chunks(batch) {
        store.write(entries.to_vec(), &host, &WriteOptions::by("tester")).unwrap();
    }
    store
}

fn asked() -> impl Strategy<Value = (AsOf, Certainty, Option<u64>, Vec<&'static str>)> {
    let days = select(vec!["2003-06-15", "2004-01-15", "2004", "2004-06-01T00:00:00", "2005-05", "2006"]);
    let days = days.prop_map(|text| AsOf::new(Date::parse(text).unwrap()).unwrap());
    let entities = prop_oneof![4 => Just(vec![]), 1 => Just(vec!["b"]), 1 => Just(vec!["a", "nobody"])];
    let certainties = select(vec![Certainty::Surely, Certainty::Possibly]);
    (
        prop_oneof![5 => days, 1 => as_of_dates()],
        certainties,
        proptest::option::weighted(0.3, 0..5000_u64),
        entities,
    )
}

proptest! {
    #![proptest_config(cases(192))]

    #[test]
    fn claims_answer_as_events_do(session in sessions(40), asked in vec(questions(), 1..12)) {
        let store = Store::new(MemoryLog::default());
        session.write(&store, &TestHost::new(1));
        let records = records(&store);
        for asked in asked {
            let question = asked.of(&records);
            if records.iter().any(|record| record.timeline == question.timeline) {
                agree(&store, &question)?;
            }
        }
    }

    /// Many claims on few attributes, so that most of them are left out.
    #[test]
    fn what_is_left_out_leaves_no_trace(entries in writes(120), asked in vec(asked(), 1..12)) {
        let store = written(&entries, 50);
        let end = store.log().head().unwrap().seq().0;
        let records = records(&store);
        for (as_of, certainty, known_at, entities) in asked {
            let known_at = known_at.map_or(KnownAt::Everything, |at| KnownAt::Position(Seq(at % (end + 1))));
            let question = question(as_of, certainty, known_at, &entities);
            let answer = agree(&store, &question)?;
            prop_assert_eq!(naive::comparable(&answer), naive::replay(&records, &question));
        }
    }
}

proptest! {
    #![proptest_config(cases(6))]

    /// Logs of several pieces, which more than one thread reads.
    #[test]
    fn pieces_are_taken_together_in_order(
        entries in writes(6000),
        batch in select(vec![97_usize, 256, 6000]),
        asked in vec(asked(), 4..8),
    ) {
        let store = written(&entries, batch);
        let end = store.log().head().unwrap().seq().0;
        for (as_of, certainty, known_at, entities) in asked {
            let known_at = known_at.map_or(KnownAt::Everything, |at| KnownAt::Position(Seq(at % (end + 1))));
            agree(&store, &question(as_of, certainty, known_at, &entities))?;
        }
    }
}

proptest! {
    #![proptest_config(cases(2))]

    #[test]
    fn the_same_on_sled(entries in writes(3000), asked in vec(asked(), 4)) {
        let directory = tempfile::tempdir().unwrap();
        let options = SledOptions { durability: Durability::Os, ..SledOptions::default() };
        let log = SledLog::create(&directory.path().join("store"), &options).unwrap();
        let (store, host) = (Store::new(log), TestHost::new(1));
        store.write(entries, &host, &WriteOptions::by("tester")).unwrap();
        for (as_of, certainty, _, entities) in asked {
            agree(&store, &question(as_of, certainty, KnownAt::Everything, &entities))?;
        }
    }
}

fn everything(as_of: &str) -> Question {
    let as_of = AsOf::new(Date::parse(as_of).unwrap()).unwrap();
    question(as_of, Certainty::Surely, KnownAt::Everything, &[])
}

fn set(entity: &str, value: &str) -> Effect {
    let change = Change::Set(Value::Scalar(Scalar::Text(value.into())));
    Effect { entity: entity.to_owned(), attribute: "status".to_owned(), change, when: When::Start }
}

fn dated(number: u64, date: &str, effects: Vec<Effect>) -> Event {
    let date = Some(Date::parse(date).unwrap());
    Event { date, effects, ..Event::new(id(number), format!("Event {number}")) }
}

fn append(event: Event) -> Entry {
    Entry::new(timeline(), Write::Append(Box::new(event)))
}

/// Stores the records once more, changed, in one frame for each block.
fn rewrite(store: &Store<MemoryLog>, change: impl Fn(&StoredRecord) -> annals_core::Encoded) {
    let end = store.log().head().unwrap().seq().0;
    for first in (1..=end).step_by(usize::try_from(BLOCK).unwrap()) {
        let last = (first + BLOCK - 1).min(end);
        let encoded: Vec<_> =
            (first..=last).map(|seq| change(&scan::one(store.log(), Seq(seq)).unwrap())).collect();
        let frames = pack(Seq(first), &encoded).unwrap();
        let head = store.log().head().unwrap();
        store.log().commit(&Commit { frames, head, ..Commit::default() }).unwrap();
    }
}

/// The details of records that an answer does not show cannot be read here, and nobody notices.
#[test]
fn an_answer_rests_on_claims_alone() {
    let entries = (1..=600).map(|number| {
        append(dated(
            number,
            &format!("{}-01-01", 1000 + number),
            vec![set(&format!("e{}", number % 7), "p")],
        ))
    });
    let store = written(&entries.collect::<Vec<_>>(), 600);
    let question = everything("1550-06");
    let before = from_events(&store, &question);
    rewrite(&store, |stored| {
        let mut encoded = stored.encode().unwrap();
        encoded.details.fill(0xff);
        encoded
    });
    store.known(&timeline(), KnownAt::Everything).unwrap_err();
    assert_eq!(store.replay(&question).unwrap(), before);
}

/// What goes on is shown by its title, and what contests a value by its sources.
#[test]
fn titles_and_sources_are_those_of_the_records() {
    let contested = |number: u64, value: &str| {
        let sources =
            vec![Source { url: Some(format!("https://example.org/{number}")), ..Source::default() }];
        append(Event { sources, ..dated(number, "2004-05-01", vec![set("a", value)]) })
    };
    let mut entries: Vec<Entry> = (10..800).map(|number| append(dated(number, "2001", Vec::new()))).collect();
    entries.push(contested(1, "p"));
    entries.push(contested(2, "q"));
    entries.push(append(dated(3, "2004/..", Vec::new())));
    let store = written(&entries, 100);
    let answer = store.replay(&everything("2005")).unwrap();
    assert_eq!(answer, from_events(&store, &everything("2005")));
    let cell = &answer.state["a"]["status"];
    assert_eq!(cell.by, id(2));
    assert_eq!(cell.contested[0].sources[0].url.as_deref(), Some("https://example.org/1"));
    assert_eq!(answer.ongoing.iter().map(|ongoing| ongoing.title.as_str()).collect::<Vec<_>>(), ["Event 3"]);
}

/// A sum that a later replacement turns out to need in full: its attribute is read a second time.
#[test]
fn increases_behind_a_replacement_are_read_again() {
    let increase = |number: u64, by: i64| {
        let change = Change::Increase(Number::from(by));
        let effect = Effect { change, attribute: "count".to_owned(), ..set("a", "") };
        append(dated(number, &format!("2004-01-{:02}", number % 28 + 1), vec![effect]))
    };
    let whole = Change::Set(Value::Scalar(Scalar::Number(Number::from(100))));
    let replacement = Effect { change: whole, attribute: "count".to_owned(), ..set("a", "") };
    let mut entries = vec![append(dated(1, "2004-01-14", vec![replacement]))];
    entries.extend((2..=700).map(|number| increase(number, 1)));
    let store = written(&entries, 700);
    let answer = store.replay(&everything("2005")).unwrap();
    assert_eq!(answer, from_events(&store, &everything("2005")));
    let Value::Scalar(Scalar::Number(sum)) = &answer.state["a"]["count"].value else { panic!("no number") };
    assert!(*sum > Number::from(400) && *sum < Number::from(600), "{sum}");
}

/// Sums that do not fit in one order, and do in another.
#[test]
fn sums_of_too_many_digits_clash_as_they_do_in_full() {
    let largest = Number::from(annals_model::MAX_INTEGER);
    let mut huge = largest;
    while let Some(sum) = huge.checked_add(huge) {
        huge = sum;
    }
    let minus = Number::from_parts(-huge.parts().0, huge.parts().1).unwrap();
    let entries = [huge, huge, minus, minus, largest].into_iter().zip(1..).map(|(by, number)| {
        let effect = Effect { change: Change::Increase(by), attribute: "count".to_owned(), ..set("a", "") };
        append(dated(number, &format!("2004-01-0{number}"), vec![effect]))
    });
    let store = written(&entries.collect::<Vec<_>>(), 5);
    let answer = store.replay(&everything("2005")).unwrap();
    assert_eq!(answer, from_events(&store, &everything("2005")));
    assert!(!answer.clashes.is_empty());
}

/// What was erased counts as withdrawn, at every moment.
#[test]
fn an_erased_event_is_withdrawn() {
    let entries =
        (1..=300).map(|number| append(dated(number, "2004-01-01", vec![set("a", &number.to_string())])));
    let store = written(&entries.collect::<Vec<_>>(), 300);
    rewrite(&store, |stored| {
        let mut erased = stored.clone();
        if erased.record.seq == Seq(300) {
            let sealed = commitment(stored.salt().unwrap(), &stored.content_json().unwrap());
            erased.record.content = Content::Redacted;
            erased.seal = Seal::Commitment(sealed);
        }
        erased.encode().unwrap()
    });
    let answer = store.replay(&everything("2005")).unwrap();
    assert_eq!(answer, from_events(&store, &everything("2005")));
    assert_eq!((answer.events.applied, answer.events.retracted), (299, 1));
    assert_eq!(answer.state["a"]["status"].by, id(299));
}

/// A history with a record missing is decided by the plain way, which goes by ids.
#[test]
fn a_link_to_nowhere_is_not_followed() {
    let store = written(
        &(1..=300).map(|n| append(dated(n, "2004-01-01", vec![set("a", "p")]))).collect::<Vec<_>>(),
        300,
    );
    rewrite(&store, |stored| {
        let mut linked = stored.clone();
        if linked.record.seq == Seq(2) {
            (linked.record.op, linked.previous) = (Op::Revise, Some(Seq(900)));
        }
        linked.encode().unwrap()
    });
    let events = vec![(timeline(), id(2), EventEntry { first: Seq(2), last: Seq(2), last_op: Op::Append })];
    let head = store.log().head().unwrap();
    store.log().commit(&Commit { events, head, ..Commit::default() }).unwrap();
    assert_eq!(store.replay(&everything("2005")).unwrap(), from_events(&store, &everything("2005")));
}

/// A damaged frame is told of, wherever it is.
#[test]
fn damage_is_an_error() {
    for first in [1, 257, 513] {
        let store = written(
            &(1..=600).map(|n| append(dated(n, "2004", vec![set("a", "p")]))).collect::<Vec<_>>(),
            600,
        );
        store.log().damage_frame(Seq(first), |bytes| bytes[60] ^= 1);
        let error = store.replay(&everything("2005")).unwrap_err();
        assert_eq!(error.to_string(), store.known(&timeline(), KnownAt::Everything).unwrap_err().to_string());
    }
}
