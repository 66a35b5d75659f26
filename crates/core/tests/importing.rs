//! An import seals its records on other threads, and takes entries that were made ready on others still: what it leaves
//! is byte for byte what a write of the same entries leaves, its answers are the same, and so is the entry that it names
//! as being at fault.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::num::NonZeroUsize;

use annals_core::{BLOCK, Error, Failed, Head, Log, Ready, Resume, Store, StoredFrame, WriteOptions, scan};
use annals_model::line::Line;
use annals_model::{Entry, Event, EventId, Invalid, Outcome, Seq, TimelineName, Write, Written};
use annals_testkit::{MemoryLog, TestHost};
use proptest::prelude::*;

fn entry(timeline: u8, write: Write) -> Entry {
    Entry::new(TimelineName::new(format!("t{timeline}")).unwrap(), write)
}

fn event(number: u16, title: u8) -> Box<Event> {
    let mut event = Event::new(EventId::new(format!("e{number}")).unwrap(), format!("Title {title}"));
    event.description = Some("of some length ".repeat(usize::from(title) + 1));
    Box::new(event)
}

fn options() -> WriteOptions {
    WriteOptions::by("tester")
}

fn workers(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

/// A store with some records, so that the first block is begun already.
fn begun(records: u16) -> (Store<MemoryLog>, TestHost) {
    let (store, host) = (Store::new(MemoryLog::default()), TestHost::new(7));
    let entries = (0..records).map(|n| entry(0, Write::Append(event(60_000 + n, 1)))).collect();
    store.write(entries, &host, &options()).unwrap();
    (store, host)
}

/// The entries, as they are or made ready.
fn entries_of(entries: &[Entry]) -> impl Iterator<Item = Result<Ready, Error>> {
    let ready = |(n, entry): (usize, &Entry)| {
        let entry = entry.clone();
        if n % 4 == 0 { Ready::from(entry) } else { Ready::made(entry) }
    };
    entries.iter().enumerate().map(ready).map(Ok)
}

fn imported(
    (store, host): &(Store<MemoryLog>, TestHost),
    entries: &[Entry],
    count: usize,
) -> Result<Vec<Written>, Failed> {
    let mut answers = Vec::new();
    let resume = &mut Resume::default();
    let answered = |answer| answers.push(answer);
    let done = store.import_from(entries_of(entries), host, &options(), resume, workers(count), answered);
    done.map(|()| answers)
}

type Left = (Head, Vec<StoredFrame>, Vec<Option<annals_core::Hash>>);

fn left(store: &Store<MemoryLog>) -> Left {
    let head = store.log().head().unwrap();
    let blocks = (0..=head.seq().0 / BLOCK).map(|index| store.log().block(index).unwrap());
    (head, store.log().frames(Seq(1)).map(Result::unwrap).collect(), blocks.collect())
}

/// New events, corrections that change something and such that do not, retractions, redactions, and events once more.
fn entries(count: usize) -> impl Strategy<Value = Vec<Entry>> {
    let step = (0_u8..2, any::<u16>(), 0_u8..4, 0_u8..10);
    proptest::collection::vec(step, count).prop_map(|steps| {
        let mut made: Vec<(u8, u16, u8)> = Vec::new();
        let mut redacted: Vec<u16> = Vec::new();
        let mut entries = Vec::new();
        for (timeline, pick, title, kind) in steps {
            let old = made.get(usize::from(pick) % made.len().max(1)).copied();
            let is_redacted = old.is_some_and(|(_, number, _)| redacted.contains(&number));
            let write = match (kind, old) {
                (0 | 1 | 3, Some((t, number, _))) if is_redacted => {
                    entry(t, Write::Append(event(number, title)))
                }
                (3, Some((t, number, _))) if title == 0 => {
                    redacted.push(number);
                    let (id, reason) = (EventId::new(format!("e{number}")).unwrap(), "a name".to_owned());
                    entry(t, Write::Redact { id, reason })
                }
                (0, Some((t, number, _))) => entry(t, Write::Revise(event(number, title))),
                (1, Some((t, number, _))) => entry(
                    t,
                    Write::Retract {
                        id: EventId::new(format!("e{number}")).unwrap(),
                        reason: format!("reason {title}"),
                    },
                ),
                (2, Some((t, number, first))) => entry(t, Write::Append(event(number, first))),
                _ => {
                    let number = u16::try_from(made.len()).unwrap();
                    made.push((timeline, number, title));
                    entry(timeline, Write::Append(event(number, title)))
                }
            };
            entries.push(write);
        }
        entries
    })
}

/// Entries that the log refuses, each for another reason.
fn refused(kind: u8) -> Entry {
    let mut large = event(50_000, 1);
    large.description = Some("\u{1}".repeat(190_000));
    let blank = Box::new(Event { title: " ".to_owned(), ..*event(50_001, 1) });
    match kind {
        0 => entry(0, Write::Append(large)),
        1 => entry(0, Write::Append(blank)),
        2 => entry(1, Write::Retract { id: EventId::new("nowhere").unwrap(), reason: "r".to_owned() }),
        _ => entry(0, Write::Append(event(60_000, 3))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn an_import_leaves_the_bytes_of_a_write(entries in entries(900), before in 0_u16..300, count in 1_usize..5) {
        let written = begun(before);
        let expected = written.0.write(entries.clone(), &written.1, &options()).unwrap();
        let one = begun(before);
        prop_assert_eq!(&imported(&one, &entries, count).unwrap(), &expected);
        prop_assert_eq!(left(&one.0), left(&written.0));
        prop_assert_eq!(one.0.verify(None).unwrap().damage, []);
        // Run again, everything is there already.
        let again = imported(&one, &entries, count).unwrap();
        for answer in &again {
            prop_assert!(!matches!(answer.outcome, Outcome::Appended), "{}", answer);
        }
    }

    #[test]
    fn chunks_that_go_on_with_each_other_answer_as_one_import_does(entries in entries(700), chunk in 1_usize..300) {
        let whole = begun(30);
        let expected = imported(&whole, &entries, 2).unwrap();
        let (store, host) = begun(30);
        let (mut resume, mut answers) = (Resume::default(), Vec::new());
        for chunk in entries.chunks(chunk) {
            let answered = |answer| answers.push(answer);
            store.import_from(entries_of(chunk), &host, &options(), &mut resume, workers(2), answered).unwrap();
        }
        prop_assert_eq!(answers, expected);
        prop_assert_eq!(store.verify(None).unwrap().damage, []);
    }

    #[test]
    fn what_an_import_leaves_out_leaves_no_trace(
        entries in entries(600), places in proptest::collection::vec((0_usize..600, 0_u8..4), 0..8), count in 1_usize..4,
    ) {
        let clean = begun(30);
        imported(&clean, &entries, count).unwrap();
        let mut given: Vec<(bool, Entry)> = entries.into_iter().map(|entry| (true, entry)).collect();
        for (at, kind) in places {
            given.insert(at.min(given.len()), (false, refused(kind)));
        }
        let all: Vec<Entry> = given.iter().map(|(_, entry)| entry.clone()).collect();
        let run = |rehearsal: bool| {
            let one = begun(30);
            let mut taken = Vec::new();
            let source = entries_of(&all);
            let resume = &mut Resume::default();
            one.0
                .import_around(source, &one.1, &options(), resume, workers(count), rehearsal, |answer| {
                    taken.push(answer.is_ok());
                })
                .unwrap();
            (taken, left(&one.0))
        };
        let expected: Vec<bool> = given.iter().map(|(is_good, _)| *is_good).collect();
        prop_assert_eq!(run(false), (expected.clone(), left(&clean.0)));
        prop_assert_eq!(run(true), (expected, left(&begun(30).0)), "a rehearsal writes nothing");
    }

    #[test]
    fn an_import_names_the_first_entry_that_a_write_names(
        entries in entries(600), at in 0_usize..600, apart in 0_usize..40, kind in 0_u8..3, count in 1_usize..4,
    ) {
        let mut entries = entries;
        // One that only sealing finds, as it is too large, and one that deciding finds, at most some blocks later.
        let mut large = event(50_000, 1);
        large.description = Some("\u{1}".repeat(190_000));
        let unknown = Write::Retract { id: EventId::new("nowhere").unwrap(), reason: "r".to_owned() };
        let mut blank = event(50_001, 1);
        blank.title = " ".to_owned();
        if kind != 1 {
            entries.insert(at.min(entries.len()), entry(0, Write::Append(large)));
        }
        let later = (at + apart).min(entries.len());
        match kind {
            0 => {}
            1 => entries.insert(later, entry(0, Write::Append(blank))),
            _ => entries.insert(later, entry(1, unknown)),
        }
        let written = begun(30);
        let expected = written.0.write(entries.clone(), &written.1, &options()).unwrap_err();
        let one = begun(30);
        let before = left(&one.0);
        let failed = imported(&one, &entries, count).unwrap_err();
        prop_assert_eq!(failed.index, expected.index);
        prop_assert_eq!(failed.to_string(), expected.to_string());
        prop_assert_eq!(left(&one.0), before, "nothing is written");
    }
}

#[test]
fn lines_are_made_ready_where_they_bring_their_id() {
    let timeline = TimelineName::new("t0").unwrap();
    let text = |n: u16| match n % 3 {
        0 => format!(r#"{{"id":"e{n}","title":"Title","date":"2004-06","extra":{{"n":{n}}}}}"#),
        1 => format!(r#"{{"id":"e{}","op":"revise","title":"Title {n}"}}"#, n - 1),
        _ => format!(r#"{{"id":"e{}","op":"retract","reason":"reason {n}"}}"#, n - 2),
    };
    let lines = || (0..600).map(|n| Line::parse(&text(n)).unwrap());
    let written = begun(30);
    let entries: Vec<Entry> = lines().map(|line| line.into_named_entry(&timeline).unwrap()).collect();
    written.0.write(entries, &written.1, &options()).unwrap();
    let one = begun(30);
    let given = lines().map(|line| Ok::<_, Error>(Ready::of_line(line, &timeline).unwrap()));
    one.0.import_from(given, &one.1, &options(), &mut Resume::default(), workers(2), |_| ()).unwrap();
    assert_eq!(left(&one.0), left(&written.0));
    let nameless = Line::parse(r#"{"title":"Title","timeline":"own","recorded_by":"somebody"}"#).unwrap();
    assert_eq!(*Ready::of_line(nameless.clone(), &timeline).unwrap_err(), nameless);
}

/// Neighbours share them in memory, within a block: runs of both begin and end at any place of one.
#[test]
fn each_record_keeps_its_own_timeline_and_author() {
    let entries: Vec<Entry> = (0..700_u16)
        .map(|n| {
            let write = match n % 11 {
                10 => Write::Retract { id: event(n - 2, 1).id, reason: "r".to_owned() },
                _ => Write::Append(event(n, 1)),
            };
            let timeline = if n % 11 == 10 { (n - 2) / 3 % 2 } else { n / 3 % 2 };
            let author = [None, Some("ann"), Some("bob")][usize::from(n / 5 % 3)];
            let recorded_by = author.map(str::to_owned);
            Entry { recorded_by, ..entry(u8::try_from(timeline).unwrap(), write) }
        })
        .collect();
    let one = begun(10);
    imported(&one, &entries, 2).unwrap();
    let mut found = Vec::new();
    scan::each(one.0.log(), Seq(11), Seq(710), |stored| {
        found.push((stored.record.timeline, stored.record.recorded_by));
        Ok(())
    })
    .unwrap();
    let author = |entry: &Entry| entry.recorded_by.clone().unwrap_or_else(|| "tester".to_owned());
    let own: Vec<_> = entries.iter().map(|entry| (entry.timeline.clone(), author(entry))).collect();
    assert_eq!(found, own);
}

#[test]
fn a_line_that_was_not_parsed_is_checked() {
    let blank = Event { title: " ".to_owned(), ..*event(1, 1) };
    let line = Line::append(Some(blank.id.clone()), None, blank);
    let ready = Ready::of_line(line, &TimelineName::new("t0").unwrap()).unwrap();
    let one = begun(10);
    let given = [Ok::<_, Error>(ready)];
    let failed = one.0.import_from(given, &one.1, &options(), &mut Resume::default(), workers(1), |_| ());
    assert_eq!(failed.unwrap_err().index, Some(0));
}

#[test]
fn a_source_that_fails_ends_the_import() {
    let one = begun(10);
    let before = left(&one.0);
    let given = (0..600_u16).map(|n| match n {
        500 => Err(Error::from(Invalid::new("the source is broken"))),
        n => Ok(entry(0, Write::Append(event(n, 1)))),
    });
    let failed =
        one.0.import_from(given, &one.1, &options(), &mut Resume::default(), workers(2), |_| ()).unwrap_err();
    assert_eq!((failed.index, failed.to_string()), (Some(500), "entry 501: the source is broken".to_owned()));
    assert_eq!(left(&one.0), before);
    // And leaves the store as good as before.
    let again = [entry(0, Write::Append(event(1, 1)))];
    assert_eq!(imported(&one, &again, 1).unwrap()[0].outcome, Outcome::Appended);
}
