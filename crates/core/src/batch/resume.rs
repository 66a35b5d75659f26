//! How far an import has come in each event's history, so that it can be run again.

use annals_model::Seq;

use super::Carried;
use crate::ahead::Key;
use crate::fingerprint::Prints;
use crate::quick::QuickMap;
use crate::ready::Body;

/// How far an import has come in each event's history, so that it can be run again.
///
/// An entry that an earlier run of the same import wrote is recognised by its place in the event's history: equal
/// to a record that was there when this run began, behind those that this run has come to, which are those that its
/// earlier entries for the event were found as or recorded as. So what was corrected by hand since is not undone.
#[derive(Debug, Default)]
pub struct Resume {
    /// Where the log ended when this run began.
    start: Option<Seq>,
    /// What is known of the records that were there then, a byte each from the first one on. Memory that nothing was
    /// written to takes no room.
    found: Vec<u8>,
    /// Fingerprints of the contents of what this run has recorded.
    prints: Prints,
    /// Events that had so many records that going back through them for each entry would take too long.
    long: QuickMap<Key, Long>,
}

/// No entry was found as this record.
const NONE: u8 = 0;
/// One was, of which nothing else is known.
const SOME: u8 = 1;
/// One was that has no event.
const REASON: u8 = 2;
/// The least fingerprint of an event that one was.
const EVENT: u8 = 3;

/// An event of many records, as far as they were there when the run began.
#[derive(Debug)]
pub struct Long {
    /// All of them, in order.
    records: Vec<Seq>,
    /// How many of them the run has left behind.
    behind: usize,
}

impl Resume {
    /// Takes note of where the log ends, unless the run has begun.
    pub(super) fn begin(&mut self, end: Seq) {
        self.start.get_or_insert(end);
    }

    /// Where the log ended when this run began.
    pub(super) fn start(&self) -> Seq {
        self.start.unwrap_or_default()
    }

    /// Takes over what an import knows of its own records, which are in the log now.
    pub(crate) fn go_on(&mut self, landed: Carried) {
        self.prints.extend(landed.prints);
    }

    /// Takes note that an entry is in the log as record `seq`.
    pub(super) fn note(&mut self, key: &Key, seq: Seq, mark: u8) {
        let start = self.start();
        let (Some(index), Some(last)) = (index(seq), index(start)) else { return };
        if index > last {
            return;
        }
        if self.found.is_empty() {
            self.found = vec![NONE; last + 1];
        }
        self.found[index] = mark;
        if !self.long.is_empty()
            && let Some(long) = self.long.get_mut(key)
        {
            long.behind = long.behind.max(long.records.partition_point(|record| *record <= seq));
        }
    }

    /// Whether an entry was found as a record that was there.
    pub(super) fn has_found(&self, seq: Seq) -> bool {
        self.mark(seq) != NONE
    }

    /// The fingerprint of a record that the run wrote.
    pub(super) fn print(&self, seq: Seq) -> Option<u8> {
        self.prints.of(seq)
    }

    /// Whether a record that an entry was found as may hold what has this fingerprint, or, where that is none, a reason.
    pub(super) fn may_hold(&self, seq: Seq, print: Option<u8>) -> bool {
        match self.mark(seq) {
            NONE | SOME => true,
            mark => mark == print.map_or(REASON, of_event),
        }
    }

    fn mark(&self, seq: Seq) -> u8 {
        index(seq).and_then(|index| self.found.get(index)).copied().unwrap_or(NONE)
    }

    /// What is known of an event of many records, until it is put back.
    pub(super) fn take_long(&mut self, key: &Key) -> Option<Long> {
        if self.long.is_empty() { None } else { self.long.remove(key) }
    }

    /// Remembers an event of many records.
    pub(super) fn put_long(&mut self, key: &Key, long: Long) {
        self.long.insert(key.clone(), long);
    }
}

impl Long {
    /// An event of these records: `behind` of them the run has left behind.
    pub(super) const fn new(records: Vec<Seq>, behind: usize) -> Self {
        Self { records, behind }
    }

    /// The last one that the run has come to.
    pub(super) fn come_to(&self) -> Option<Seq> {
        self.behind.checked_sub(1).and_then(|last| self.records.get(last)).copied()
    }

    /// Those behind it.
    pub(super) fn ahead(&self) -> &[Seq] {
        self.records.get(self.behind..).unwrap_or_default()
    }
}

/// What is kept of what an entry brought.
pub(super) fn mark(body: &Body) -> u8 {
    match (body, body.print()) {
        (_, Some(print)) => of_event(print),
        (Body::Erased(..), None) => SOME,
        _ => REASON,
    }
}

fn of_event(print: u8) -> u8 {
    print.max(EVENT)
}

fn index(seq: Seq) -> Option<usize> {
    usize::try_from(seq.0.checked_sub(1)?).ok()
}
