//! The index of dates against the plain way, on random logs, with restarts and damage at random moments: lists,
//! filtered replays, the tally, what goes on, and how many events there are.
//!
//! `PROPTEST_CASES` sets the number of cases; each asks some hundred questions.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::fs;
use std::path::{Path, PathBuf};

use annals_core::dates::{DateIndex, Sizes};
use annals_core::index::{self, ClaimIndex};
use annals_core::{Known, KnownEvent, Log, Selection, Store, WriteOptions, scan};
use annals_model::answers::Answers;
use annals_model::relative::Between;
use annals_model::{
    Actor, AsOf, Certainty, Change, Date, Diff, Effect, Entry, Event, EventId, Filter, KnownAt, Place,
    Question, Scalar, Seq, Snapshot, Source, TimelineName, Value, When, Write,
};
use annals_testkit::generate::{ENTITIES, TIMELINES, as_of_dates, dates, effects, event_id};
use annals_testkit::{MemoryLog, TestHost};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

const WORDS: [&str; 6] =
    ["Ruling", "RULING", "attack", "United Nations", "the united nations police", "Élan"];

fn timeline(index: usize) -> TimelineName {
    TimelineName::new(TIMELINES[index % 2]).unwrap()
}

fn sizes() -> impl Strategy<Value = Sizes> {
    let (few, first) = (select(vec![0, 0, 20, 10_000]), select(vec![1, 3, 256]));
    let runs = (select(vec![256, 512]), select(vec![256, 512]), select(vec![2, 2, 3]));
    (runs, select(vec![100, 256, 700]), few, first).prop_map(|((enough, at_once, fan), piece, few, first)| {
        let at_once = enough.max(at_once);
        Sizes { enough, at_once, fan, piece, few, first }
    })
}

/// What is said of an event.
#[derive(Clone, Debug)]
struct Said {
    date: Option<Date>,
    effects: Vec<Effect>,
    kind: Option<&'static str>,
    actors: Vec<&'static str>,
    place: Option<&'static str>,
    tags: Vec<&'static str>,
}

/// What is done to one of the events: it is recorded, corrected or withdrawn.
type Deed = (u16, Said, u8);

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let words = || subsequence(WORDS.to_vec(), 0..3);
    let word = || option::of(select(WORDS.to_vec()));
    let said = (option::weighted(0.95, dates()), vec(effects(), 0..3), word(), words(), word(), words());
    let said = said.prop_map(|(date, effects, kind, actors, place, tags)| Said {
        date,
        effects,
        kind,
        actors,
        place,
        tags,
    });
    vec((0_u16..400, said, any::<u8>()), 600..1600)
}

fn event(id: EventId, said: &Said, dice: u8) -> Event {
    let mut event = Event::new(id, format!("title {dice}"));
    (event.date, event.effects) = (said.date.clone(), said.effects.clone());
    event.kind = said.kind.map(str::to_owned);
    event.actors = said.actors.iter().map(|name| Actor { name: (*name).to_owned(), role: None }).collect();
    event.place = said.place.map(Place::named);
    event.tags = said.tags.iter().map(|tag| (*tag).to_owned()).collect();
    event.sources = vec![Source { title: Some(format!("source {}", dice % 9)), ..Source::default() }];
    event
}

/// Records the deeds in batches, so that frames of all sizes come about.
fn record(store: &Store<MemoryLog>, host: &TestHost, deeds: &[Deed]) {
    for batch in deeds.chunks(7) {
        let mut entries = Vec::new();
        let mut done = Vec::new();
        for (number, said, dice) in batch {
            let id = EventId::new(format!("e{number}")).unwrap();
            let timeline = timeline(usize::from(*number));
            let known = store.log().event(&timeline, &id).unwrap();
            if done.contains(number) {
                continue;
            }
            done.push(*number);
            let write = match known {
                Some(known) if dice % 6 == 0 && known.last_op != annals_model::Op::Retract => {
                    Write::Retract { id, reason: "because".to_owned() }
                }
                Some(_) => Write::Revise(Box::new(event(id, said, *dice))),
                None => Write::Append(Box::new(event(id, said, *dice))),
            };
            entries.push(Entry::new(timeline, write));
        }
        store.write(entries, host, &WriteOptions::by("somebody")).unwrap();
    }
}

/// A question to a log that is not there yet.
#[derive(Clone, Debug)]
struct Asked {
    line: usize,
    as_of: AsOf,
    known: Option<Index>,
    certainty: Certainty,
    range: Certainty,
    begun: bool,
    filter: Filter,
    most: Option<usize>,
    after: Option<Index>,
    before: Option<Index>,
}

fn filters() -> impl Strategy<Value = Filter> {
    let texts = |words: &[&'static str]| {
        let words = words.to_vec();
        prop_oneof![6 => Just(Vec::new()), 2 => subsequence(words.clone(), 1), 1 => subsequence(words, 2)]
            .prop_map(|texts| texts.into_iter().map(str::to_owned).collect::<Vec<String>>())
    };
    let whole = || texts(&["ruling", "Attack", "united nations", "no such thing"]);
    let part = || texts(&["NATIONS", "élan", "k", ""]);
    let ends = || option::weighted(0.6, dates());
    let fields = (
        whole(),
        part(),
        part(),
        whole(),
        texts(&ENTITIES),
        texts(&["title 1", "9"]),
        texts(&["source 3", "x"]),
    );
    (fields, ends(), ends()).prop_map(|((kind, actor, place, tag, entity, text, source), from, to)| Filter {
        kind,
        actor,
        place,
        tag,
        entity,
        text,
        source,
        from,
        to,
    })
}

fn asked() -> impl Strategy<Value = Asked> {
    let sure = || select(vec![Certainty::Surely, Certainty::Possibly]);
    let most = option::weighted(0.3, 0_usize..40);
    let other = || option::weighted(0.2, any::<Index>());
    (
        0_usize..2,
        as_of_dates(),
        option::weighted(0.6, any::<Index>()),
        sure(),
        sure(),
        any::<bool>(),
        filters(),
        most,
        (other(), other()),
    )
        .prop_map(|(line, as_of, known, certainty, range, begun, filter, most, (after, before))| Asked {
            line,
            as_of,
            known,
            certainty,
            range,
            begun,
            filter,
            most,
            after,
            before,
        })
}

fn told(events: &[KnownEvent]) -> Vec<(Seq, Seq, &Event)> {
    events.iter().map(|known| (known.place, known.seq, &known.event)).collect()
}

/// Asks everything that the index answers.
fn check(store: &Store<MemoryLog>, asked: &Asked) {
    let end = usize::try_from(store.log().head().unwrap().seq().0).unwrap();
    let known_at =
        asked.known.map_or(KnownAt::Everything, |index| KnownAt::Position(Seq(index.index(end + 1) as u64)));
    let question = Question {
        timeline: timeline(asked.line),
        as_of: asked.as_of.clone(),
        known_at,
        certainty: asked.certainty,
        filter: asked.filter.clone(),
        entities: Vec::new(),
    };
    let Ok(known) = store.known(&question.timeline, known_at) else { return };
    let events = known.events();
    let other = |index: Option<Index>| {
        let index = index.filter(|_| !events.is_empty())?;
        Some(&events[index.index(events.len())].event)
    };
    let between = Between {
        after: other(asked.after).into_iter().collect(),
        before: other(asked.before).into_iter().collect(),
    };
    let is_between = !between.after.is_empty() || !between.before.is_empty();
    let (range, begun, most) = (asked.range, asked.begun, asked.most);
    let selection =
        Selection { question: &question, range, begun, between: is_between.then_some(&between), most };
    let listed = store.list(&selection).unwrap();
    let mut expected: Vec<&KnownEvent> = known.events().iter().collect();
    expected.retain(|known| !asked.begun || question.counts(&known.event));
    expected.retain(|known| question.filter.admits(&known.event, asked.range));
    expected.retain(|known| !is_between || between.admits(&known.event, asked.range));
    expected.sort_by_cached_key(|known| known.counted().list_order());
    expected.truncate(asked.most.unwrap_or(usize::MAX));
    let expected: Vec<_> = expected.iter().map(|known| (known.place, known.seq, &known.event)).collect();
    assert_eq!(told(&listed.events), expected, "{asked:?}");
    assert_eq!(listed.total, known.events().len() as u64, "{asked:?}");
    check_pieces(store, &selection, &expected);

    let (later, half) =
        (AsOf::new(Date::parse("2011-06").unwrap()).unwrap(), KnownAt::Position(Seq(end as u64 / 2)));
    let before = store.known(&question.timeline, half).unwrap();
    let plain = Diff::between(&question, &known.side(&question.as_of), &before.side(&later));
    assert_eq!(store.diff(&question, &later, half).unwrap(), plain, "{asked:?}");

    let plain = Answers::of(&question, &known.knowledge().admitted(&question));
    assert_eq!(store.answers(&question).unwrap().state(), plain.state(), "{asked:?}");
    let entities = if asked.begun { Vec::new() } else { vec![ENTITIES[0].to_owned()] };
    let question = Question { entities, ..question };
    let plain = Snapshot::answer(&question, &known.knowledge()).unwrap();
    assert_eq!(store.replay(&question).unwrap(), plain, "{asked:?}");
    let everything = Question { filter: Filter::default(), entities: vec!["nobody".to_owned()], ..question };
    let plain = Snapshot::answer(&everything, &known.knowledge()).unwrap();
    let position = known.position().seq;
    let standing = store.standing(&everything.timeline, everything.as_of.until(), position).unwrap();
    assert_eq!(standing, (plain.events, plain.ongoing), "{asked:?}");
}

/// Piece by piece a list says what it says as a whole, however many events are looked for at first.
fn check_pieces(store: &Store<MemoryLog>, selection: &Selection<'_>, expected: &[(Seq, Seq, &Event)]) {
    for most in [0, 4, usize::MAX] {
        let Some(pieces) = store.pieces(selection, most).unwrap() else { return };
        assert!(expected.len() <= most || pieces.may_exceed(most), "{selection:?}");
        let pieces: Vec<Vec<KnownEvent>> = pieces.collect::<Result<_, _>>().unwrap();
        let events: Vec<_> = pieces.iter().flat_map(|piece| told(piece)).collect();
        assert_eq!(events, expected, "{selection:?} {most}");
        assert!(pieces.iter().all(|piece| !piece.is_empty()), "{selection:?}");
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Does something to one of the files; says whether it is damaged now.
fn damage(dir: &Path, dice: u32) -> bool {
    let files = files(dir);
    let Some(file) = files.get(dice as usize / 4 % files.len().max(1)) else { return false };
    let mut bytes = fs::read(file).unwrap();
    let at = dice as usize % bytes.len().max(1);
    match dice % 4 {
        0 => fs::remove_file(file).unwrap(),
        1 => fs::write(file, &bytes[..at]).unwrap(),
        2 => {
            bytes[at] ^= 1 << (at % 8);
            fs::write(file, &bytes).unwrap();
        }
        _ => return false,
    }
    true
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2, max_shrink_iters: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_answers_as_the_log_does(
        deeds in deeds(),
        sizes in sizes(),
        asked in vec(asked(), 48),
        dice in vec(any::<u32>(), 8),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dates");
        let claims = index::Sizes { enough: 256, at_once: 512, fan: 2, kept: 1000, spacing: 3 };
        let mut store = Store::new(MemoryLog::default())
            .with_dates(DateIndex::with(path.clone(), sizes))
            .with_index(ClaimIndex::with(dir.path().join("claims"), claims));
        let host = TestHost::new(1);
        let mut damaged = false;
        // Too short a log is read as it is.
        let chunks = deeds.split_at(550);
        record(&store, &host, chunks.0);
        let mut asked = asked.iter().cycle();
        for (chunk, dice) in chunks.1.chunks(200).zip(dice.iter().cycle()) {
            record(&store, &host, chunk);
            // Now and then the process ends, and somebody does something to the files.
            if dice % 3 > 0 {
                store = store.with_dates(DateIndex::with(path.clone(), sizes));
                damaged |= damage(&path, dice / 3);
            }
            asked.by_ref().take(12).for_each(|asked| check(&store, asked));
            assert_eq!(store.event_counts().unwrap(), scan::event_counts(store.log()).unwrap());
        }
        // Damage that was read was noticed; some is never read.
        prop_assert!(damaged || store.dates().unwrap().notice().is_none());
    }
}

/// Numbers that look random, and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// A log with enough records that every section of a run has several blocks, runs are merged, and dates recur.
#[test]
fn many_blocks_answer_as_the_log_does() {
    let dir = tempfile::tempdir().unwrap();
    let sizes = Sizes { enough: 2048, at_once: 4096, fan: 2, piece: 3000, few: 0, first: 7 };
    let store = Store::new(MemoryLog::default()).with_dates(DateIndex::with(dir.path().join("dates"), sizes));
    let (host, mut numbers) = (TestHost::new(1), Numbers(7));
    let mut next = 0_u64;
    for _ in 0..20 {
        let mut entries = Vec::new();
        for _ in 0..1000 {
            let (year, month, day) = (2000 + numbers.below(12), 1 + numbers.below(12), 1 + numbers.below(28));
            let date = match numbers.below(40) {
                0 => format!("{year}"),
                1 => format!("{year}-{month:02}"),
                2 => format!("{year}-{month:02}-{day:02}/.."),
                3 => format!("{{{year},{year}-{month:02}-{day:02}}}"),
                4 => format!("{year}-{month:02}-{day:02}/{}", year + 1),
                _ => format!("{year}-{month:02}-{day:02}"),
            };
            // One in ten is a correction; the first thousand are left alone, to be withdrawn below.
            let (number, is_known) = match numbers.below(10) {
                0 if next > 2000 => (1000 + numbers.below(next - 1000), true),
                _ => (next, false),
            };
            let id = EventId::new(format!("e{number}")).unwrap();
            let mut event = Event::new(id, format!("title of {number}"));
            event.date = (number % 50 > 0).then(|| Date::parse(&date).unwrap());
            event.kind = Some(format!("kind {}", number % 300));
            event.tags = vec![format!("tag {number}")];
            let write =
                if is_known { Write::Revise(Box::new(event)) } else { Write::Append(Box::new(event)) };
            entries.push(Entry::new(timeline(0), write));
            next += u64::from(!is_known);
        }
        let id = EventId::new(format!("e{}", next / 1000)).unwrap();
        entries.push(Entry::new(timeline(0), Write::Retract { id, reason: "because".to_owned() }));
        let _ = store.write(entries, &host, &WriteOptions::by("somebody"));
        store.dates().unwrap().grow(store.log()).unwrap();
    }
    let end = store.log().head().unwrap().seq().0;
    assert!(end > 15_000, "{end} records");
    for known_at in [end, end - 1, end / 2, 4097] {
        let known_at = KnownAt::Position(Seq(known_at));
        let known = store.known(&timeline(0), known_at).unwrap();
        for _ in 0..12 {
            let (year, month, day) = (2000 + numbers.below(12), 1 + numbers.below(12), 1 + numbers.below(28));
            let date = Date::parse(&format!("{year}-{month:02}-{day:02}")).unwrap();
            let mut filter = Filter { from: Some(date.clone()), to: Some(date.clone()), ..Filter::default() };
            match numbers.below(12) {
                0 => filter.from = None,
                1 => {
                    filter = Filter { tag: vec![format!("tag {}", numbers.below(next))], ..Filter::default() }
                }
                2 => {
                    filter =
                        Filter { kind: vec![format!("kind {}", numbers.below(300))], ..Filter::default() }
                }
                3 | 4 => filter.kind = vec![format!("kind {}", numbers.below(300))],
                _ => {}
            }
            check_known(&store, &known, known_at, AsOf::new(date).unwrap(), filter);
        }
    }
    assert_eq!(store.event_counts().unwrap(), scan::event_counts(store.log()).unwrap());
    assert_eq!(store.dates().unwrap().notice(), None);
}

fn check_known(store: &Store<MemoryLog>, known: &Known, known_at: KnownAt, as_of: AsOf, filter: Filter) {
    let (certainty, entities, timeline) = (Certainty::Surely, Vec::new(), timeline(0));
    let question = Question { timeline, as_of, known_at, certainty, filter, entities };
    for range in [Certainty::Surely, Certainty::Possibly] {
        let selection = Selection { question: &question, range, begun: false, between: None, most: None };
        let listed = store.list(&selection).unwrap();
        let mut expected: Vec<&KnownEvent> = known.events().iter().collect();
        expected.retain(|known| question.filter.admits(&known.event, range));
        expected.sort_by_cached_key(|known| known.counted().list_order());
        let expected: Vec<_> = expected.iter().map(|known| (known.place, known.seq, &known.event)).collect();
        assert_eq!(told(&listed.events), expected, "{question:?}");
        let first = store.list(&Selection { most: Some(5), ..selection }).unwrap();
        assert_eq!(told(&first.events), expected[..expected.len().min(5)], "{question:?}");
        check_pieces(store, &selection, &expected);
    }
    let until = question.as_of.until();
    let standing = store.standing(&question.timeline, until, known.position().seq).unwrap();
    let everything = Question { filter: Filter::default(), entities: vec!["nobody".to_owned()], ..question };
    let plain = Snapshot::answer(&everything, &known.knowledge()).unwrap();
    assert_eq!(standing, (plain.events, plain.ongoing), "{everything:?}");
}

/// A block whose dates all end in one second is looked at by a list from that second on, and by one up to it.
#[test]
fn a_block_that_ends_where_a_list_begins_is_not_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(MemoryLog::default()).with_dates(DateIndex::at(dir.path().join("dates")));
    let second = Date::parse("2001-09-11T08:46:40").unwrap();
    let event = |number: usize| {
        let mut event = Event::new(EventId::new(format!("e{number}")).unwrap(), "t");
        event.date = Some(second.clone());
        Entry::new(timeline(0), Write::Append(Box::new(event)))
    };
    store.write((0..5000).map(event).collect(), &TestHost::new(1), &WriteOptions::by("somebody")).unwrap();
    let known = store.known(&timeline(0), KnownAt::Everything).unwrap();
    for (from, to) in [(true, true), (true, false), (false, true)] {
        let end = |is_asked: bool| is_asked.then(|| second.clone());
        let filter = Filter { from: end(from), to: end(to), ..Filter::default() };
        check_known(&store, &known, KnownAt::Everything, AsOf::new(second.clone()).unwrap(), filter);
    }
    assert_eq!(store.dates().unwrap().notice(), None);
}

/// Whether the events themselves are folded or only their records are found out: the answer is that of all events read.
#[test]
fn many_that_a_filter_admits_come_to_what_few_do() {
    let dir = tempfile::tempdir().unwrap();
    let dates = [
        "2001-09-11",
        "2001-09-10/2001-09-13",
        "2001-09-11/2001-09",
        "2001-09",
        "2001",
        "2001~",
        "[2001-09-09..2001-09-12]",
        "{2001-09-01,2001-09-11..2001-09-12}",
        "{2000,2002}",
        "2001-09-01/..",
        "2003",
        "",
    ];
    for few in [0, 1_000, 10_000] {
        let at = |name: &str| dir.path().join(format!("{name} {few}"));
        let sizes = Sizes { enough: 256, at_once: 512, fan: 2, piece: 100, few, first: 2 };
        let store = Store::new(MemoryLog::default())
            .with_dates(DateIndex::with(at("dates"), sizes))
            .with_index(ClaimIndex::at(at("claims")));
        let event = |number: usize| {
            let mut event = Event::new(event_id(number), format!("title {}", number % 3));
            event.date = Date::parse(dates[number % dates.len()]).ok();
            event.kind = Some(["ruling", "attack"][number / dates.len() % 2].to_owned());
            let set = |value: usize| Change::Set(Value::Scalar(Scalar::Text(format!("{value}").into())));
            let when = [When::Start, When::During, When::End][number % 3];
            let (entity, attribute) = (ENTITIES[number % 2].to_owned(), format!("a{}", number % 40));
            event.effects = vec![Effect { entity, attribute, change: set(number), when }];
            Entry::new(timeline(0), Write::Append(Box::new(event)))
        };
        store
            .write((0..2_000).map(event).collect(), &TestHost::new(1), &WriteOptions::by("somebody"))
            .unwrap();
        let known = store.known(&timeline(0), KnownAt::Everything).unwrap();
        let date = |text: &str| Some(Date::parse(text).unwrap());
        let filters = [
            Filter { kind: vec!["Ruling".to_owned()], ..Filter::default() },
            Filter { text: vec!["title 1".to_owned()], ..Filter::default() },
            Filter { from: date("2001-09-12"), to: date("2001-09-12"), ..Filter::default() },
        ];
        for (filter, certainty) in
            filters.iter().flat_map(|filter| [(filter, Certainty::Surely), (filter, Certainty::Possibly)])
        {
            let as_of = AsOf::new(Date::parse("2001-09-12").unwrap()).unwrap();
            let (timeline, known_at, entities) = (timeline(0), KnownAt::Everything, Vec::new());
            let question =
                Question { timeline, as_of, known_at, certainty, filter: filter.clone(), entities };
            let plain = Snapshot::answer(&question, &known.knowledge()).unwrap();
            assert_eq!(store.replay(&question).unwrap(), plain, "{few}: {question:?}");
        }
        assert_eq!(store.dates().unwrap().notice(), None);
    }
}
