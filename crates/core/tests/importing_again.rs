//! An import that is run again finds what it wrote, record by record, however often its events were corrected, by itself
//! or by hand since; one that was cut short goes on where it stopped.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use annals_core::{Log as _, Resume, Store, WriteOptions, scan};
use annals_model::{Entry, Event, EventId, Outcome, Record, RecordedAt, Seq, TimelineName, Write, Written};
use annals_testkit::{MemoryLog, TestHost};
use proptest::prelude::*;

/// Events that there are: few, so that each is corrected often.
const EVENTS: u8 = 6;

type Stored = (Store<MemoryLog>, TestHost);

fn store() -> Stored {
    (Store::new(MemoryLog::default()), TestHost::new(7))
}

fn id(number: u8) -> EventId {
    EventId::new(format!("e{number}")).unwrap()
}

fn event(number: u8, title: u8) -> Box<Event> {
    Box::new(Event::new(id(number), format!("Title {title}")))
}

fn entry(write: Write) -> Entry {
    Entry::new(TimelineName::new("main").unwrap(), write)
}

fn retraction(number: u8, reason: u8) -> Entry {
    entry(Write::Retract { id: id(number), reason: format!("reason {reason}") })
}

/// What a source has of some events: each first as it was reported, then corrections that change something and such that
/// do not, retractions, and reports once more.
fn source(most: usize) -> impl Strategy<Value = Vec<Entry>> {
    let step = (0..EVENTS, 0_u8..4, 0_u8..12);
    proptest::collection::vec(step, 1..most).prop_map(|steps| {
        let mut is_there = [false; EVENTS as usize];
        let made = steps.into_iter().map(|(number, title, kind)| {
            match (std::mem::replace(&mut is_there[usize::from(number)], true), kind) {
                (false, _) | (true, 0) => entry(Write::Append(event(number, 0))),
                (true, 1) => retraction(number, title),
                _ => entry(Write::Revise(event(number, title))),
            }
        });
        made.collect()
    })
}

/// What somebody corrects by hand; what is not there yet is left alone.
fn corrections() -> impl Strategy<Value = Vec<Entry>> {
    let step = (0..EVENTS, 0_u8..6, 0_u8..8);
    let made = step.prop_map(|(number, title, kind)| match kind {
        0 => retraction(number, title),
        _ => entry(Write::Revise(event(number, title))),
    });
    proptest::collection::vec(made, 0..50)
}

/// One run of an import, in chunks.
fn run((store, host): &Stored, entries: &[Entry], chunk: usize) -> Vec<Written> {
    let (mut resume, by) = (Resume::default(), WriteOptions::by("import"));
    let chunks = entries.chunks(chunk);
    chunks.flat_map(|chunk| store.import(chunk.to_vec(), host, &by, &mut resume).unwrap()).collect()
}

fn by_hand((store, host): &Stored, corrections: &[Entry]) {
    for entry in corrections {
        // An event that is not there is refused.
        let _ = store.write(vec![entry.clone()], host, &WriteOptions::by("somebody"));
    }
}

/// All records, without their times.
fn records((store, _): &Stored) -> Vec<Record> {
    let end = store.log().head().unwrap().seq();
    let mut records = Vec::new();
    scan::each(store.log(), Seq(1), end, |stored| {
        records.push(Record { recorded_at: RecordedAt::from_micros(0), ..stored.record });
        Ok(())
    })
    .unwrap();
    records
}

fn seqs(answers: &[Written]) -> Vec<Seq> {
    answers.iter().map(|answer| answer.seq).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_was_imported_is_found_again_whatever_was_corrected_since(
        entries in source(500), corrections in corrections(), first in 1_usize..600, again in 1_usize..600,
    ) {
        let stored = store();
        let answers = run(&stored, &entries, first);
        by_hand(&stored, &corrections);
        let before = records(&stored);
        prop_assert_eq!(seqs(&run(&stored, &entries, again)), seqs(&answers));
        prop_assert_eq!(records(&stored), before, "nothing was written");
    }

    #[test]
    fn an_import_that_was_cut_short_goes_on(entries in source(500), cut in 0_usize..500, chunk in 1_usize..600) {
        let (whole, parts) = (store(), store());
        let cut = cut.min(entries.len());
        let expected = run(&whole, &entries, entries.len());
        run(&parts, &entries[..cut], chunk);
        let answers = run(&parts, &entries, chunk);
        prop_assert_eq!(records(&parts), records(&whole));
        prop_assert_eq!(seqs(&answers), seqs(&expected));
        prop_assert_eq!(&answers[cut..], &expected[cut..]);
    }
}

/// What stands is what the source says last, also where an event had these contents before.
#[test]
fn what_the_run_has_recorded_is_not_taken_back_by_what_was_there() {
    let stored = store();
    by_hand(&stored, &[entry(Write::Append(event(1, 0))), entry(Write::Revise(event(1, 2)))]);
    let revised = |title| entry(Write::Revise(event(1, title)));
    let answers = run(&stored, &[revised(1), revised(2)], 10);
    let expected = [(Outcome::Revised, Seq(3)), (Outcome::Revised, Seq(4))];
    assert_eq!(answers.iter().map(|answer| (answer.outcome, answer.seq)).collect::<Vec<_>>(), expected);
}
