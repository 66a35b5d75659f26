//! What the tests of damage share: plain events whose numbers are those of their records.

use annals_core::{Log, Store, WriteOptions};
use annals_model::{Entry, Event, EventId, TimelineName, Write};
use annals_testkit::TestHost;

pub fn timeline() -> TimelineName {
    TimelineName::new("main").unwrap()
}

pub fn id(number: u64) -> EventId {
    EventId::new(format!("e{number}")).unwrap()
}

pub fn append(number: u64) -> Entry {
    Entry::new(timeline(), Write::Append(Box::new(Event::new(id(number), "An event"))))
}

/// Writes the events `first` to `last`, which become the records of the same numbers.
pub fn fill(store: &Store<impl Log>, host: &TestHost, first: u64, last: u64) {
    store.write((first..=last).map(append).collect(), host, &WriteOptions::by("tester")).unwrap();
}
