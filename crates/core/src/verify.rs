//! Checking the whole store against itself: every frame, envelope, leaf, root, id and version.
//!
//! Frames are decoded and their leaves hashed on several threads; what depends on the records before is checked in order.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use annals_model::{Op, Record, RecordedAt, Seq, TimelineName, Version};

use crate::attachments::Named;
use crate::codec::frame::Frame;
use crate::log::{Head, Log, StoredFrame};
use crate::merkle::{BLOCK, Frontier, Hash};
use crate::store::Store;
use crate::stored::StoredRecord;
use crate::threads::{self, in_turns};
use crate::{Damage, Error, Result, scan};

/// What was checked, and what was found.
#[derive(Debug, Default)]
pub struct Report {
    /// Records read.
    pub records: u64,
    /// Frames read.
    pub frames: u64,
    /// Events.
    pub events: u64,
    /// Timelines.
    pub timelines: u64,
    /// The Merkle root over all records.
    pub root: Hash,
    /// The attachments that records name.
    pub attachments: Named,
    /// The damage, in record order.
    pub damage: Vec<Damage>,
}

/// The root that another witness holds the log to: the head file, or a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Witness {
    /// How many records it has seen.
    pub count: u64,
    /// The root over them.
    pub root: Hash,
}

impl<L: Log> Store<L> {
    /// Reads the whole log and checks it against itself and against its head file, if there is one.
    ///
    /// Damage is collected, not returned as an error: the error is for a store that cannot be read at all.
    pub fn verify(&self, head_file: Option<Witness>) -> Result<Report> {
        self.verify_telling(head_file, &mut |_| {})
    }

    /// As [`verify`](Self::verify); calls `told` with the number of records that have been checked, now and then.
    pub fn verify_telling(&self, head_file: Option<Witness>, told: &mut dyn FnMut(u64)) -> Result<Report> {
        let witnesses: Vec<_> = head_file.iter().map(|witness| ("the head file", *witness)).collect();
        self.verify_against(&witnesses, told)
    }

    /// The same against any number of witnesses, each with the name by which damage calls it.
    pub fn verify_against(&self, witnesses: &[(&str, Witness)], told: &mut dyn FnMut(u64)) -> Result<Report> {
        let head = self.log().head()?;
        let mut check = Check::new(self.log(), witnesses, told);
        check.witnessed();
        let mut from = Seq(1);
        // Where the storage itself cannot be read any more, the next block may still be.
        while let Err(damage) = check.frames_from(from)? {
            from = Seq((check.next.0 - 1) / BLOCK * BLOCK + BLOCK + 1);
            let last = Seq((from.0 - 1).min(head.seq().0).max(check.next.0));
            check.lost(Damage::of(check.next, last, damage.what));
            check.next = from;
            if from > head.seq() {
                break;
            }
        }
        check.finish(&head)
    }
}

/// A frame that was read: its last record and all of them with their leaves, as far as there is no damage.
struct Read {
    first: Seq,
    records: Result<(Seq, Vec<Result<Leafed, Damage>>), Damage>,
}

/// A record, and the hash of its leaf.
type Leafed = (StoredRecord, Result<Hash>);

/// What ends the reading of frames early.
enum End {
    /// The storage gives out.
    Storage(Damage),
    Failed(Error),
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Read {
    fn of(first: Seq, bytes: &[u8]) -> Self {
        let leafed = |stored: StoredRecord| {
            let leaf = stored.leaf();
            (stored, leaf)
        };
        let records = Frame::decode(first, bytes).map(|frame| {
            let records =
                frame.records().map(|raw| raw.and_then(|raw| StoredRecord::decode(&raw)).map(leafed));
            (frame.last(), records.collect())
        });
        Self { first, records }
    }
}

struct Check<'a, L> {
    log: &'a L,
    witnesses: &'a [(&'a str, Witness)],
    report: Report,
    next: Seq,
    frontier: Frontier,
    /// Whether every leaf so far could be computed, so that roots can be compared.
    complete: bool,
    recorded_at: Option<RecordedAt>,
    versions: HashMap<TimelineName, u64>,
    /// Records that the index of ids calls the last of their event.
    last_records: u64,
    /// Why the index of ids cannot be used, if so.
    unusable: Option<Damage>,
    /// Who is told how many records have been checked.
    told: &'a mut dyn FnMut(u64),
}

impl<'a, L: Log> Check<'a, L> {
    fn new(log: &'a L, witnesses: &'a [(&'a str, Witness)], told: &'a mut dyn FnMut(u64)) -> Self {
        Self {
            log,
            witnesses,
            report: Report::default(),
            next: Seq(1),
            frontier: Frontier::default(),
            complete: true,
            recorded_at: None,
            versions: HashMap::new(),
            last_records: 0,
            unusable: None,
            told,
        }
    }

    fn damaged(&mut self, first: Seq, last: Seq, what: impl Into<String>) {
        self.report.damage.push(Damage::of(first, last, what));
    }

    /// What follows cannot be compared with any root any more.
    fn lost(&mut self, damage: Damage) {
        self.report.damage.push(damage);
        self.complete = false;
    }

    /// Reads the frames from a position on; the inner error is where the storage gives out.
    fn frames_from(&mut self, from: Seq) -> Result<Result<(), Damage>> {
        let log = self.log;
        let threads = NonZeroUsize::new(threads::count()).unwrap_or(NonZeroUsize::MIN);
        let wanted = |stored: &Result<StoredFrame>| !matches!(stored, Ok((first, _)) if *first < from);
        let frames = log.frames(from).filter(wanted);
        let read = |stored: Result<StoredFrame>| stored.map(|(first, bytes)| Read::of(first, &bytes));
        let done = |read: Result<Read>| match read {
            Ok(read) => self.frame(read).map_err(End::Failed),
            Err(Error::Damaged(damage)) => Err(End::Storage(damage)),
            Err(other) => Err(End::Failed(other)),
        };
        match in_turns(threads, frames, read, done) {
            Ok(()) => Ok(Ok(())),
            Err(End::Storage(damage)) => Ok(Err(damage)),
            Err(End::Failed(error)) => Err(error),
        }
    }

    fn frame(&mut self, Read { first, records }: Read) -> Result<()> {
        self.report.frames += 1;
        if first > self.next {
            self.lost(Damage::of(self.next, Seq(first.0 - 1), "missing from the log"));
        } else if first < self.next {
            self.lost(Damage::of(first, first, "stands in two frames"));
        }
        let (last, records) = match records {
            Ok(read) => read,
            Err(damage) => {
                self.lost(damage);
                self.next = first.next();
                return Ok(());
            }
        };
        for read in records {
            match read {
                Ok((stored, leaf)) => self.record(&stored, leaf?)?,
                Err(damage) => self.lost(damage),
            }
        }
        self.next = self.next.max(last.next());
        (self.told)(self.report.records);
        Ok(())
    }

    fn record(&mut self, stored: &StoredRecord, leaf: Hash) -> Result<()> {
        let record = &stored.record;
        let seq = record.seq;
        self.report.records += 1;
        if self.recorded_at.is_some_and(|last| record.recorded_at < last) {
            self.damaged(seq, seq, "recorded earlier than the record before it");
        }
        self.recorded_at = Some(record.recorded_at);
        match self.versions.get_mut(&record.timeline) {
            Some(version) => *version += 1,
            None => drop(self.versions.insert(record.timeline.clone(), 1)),
        }
        self.report.attachments.note(record);
        self.event(stored)?;
        let block = self.frontier.push(leaf);
        if !self.complete {
            return Ok(());
        }
        if let Some(root) = block
            && !matches!(self.log.block(seq.0 / BLOCK - 1), Ok(Some(stored)) if stored == root)
        {
            self.damaged(Seq(seq.0 - BLOCK + 1), seq, "the stored root of their block is another");
        }
        self.witnessed();
        Ok(())
    }

    /// Holds the log so far against who has seen exactly that.
    fn witnessed(&mut self) {
        let count = self.frontier.count();
        for (who, witness) in self.witnesses.iter().filter(|(_, witness)| witness.count == count) {
            if witness.root == self.frontier.root() {
                continue;
            }
            if count == 0 {
                let what = format!("{who} holds a root over no records that is not theirs");
                self.report.damage.push(Damage::new(what));
            } else {
                self.damaged(Seq(1), Seq(count), format!("their root is not the one that {who} holds"));
            }
        }
    }

    /// The index of ids has to lead to this record.
    fn event(&mut self, stored: &StoredRecord) -> Result<()> {
        let record = &stored.record;
        let seq = record.seq;
        if stored.previous.is_none() {
            self.report.events += 1;
        }
        if self.unusable.is_some() {
            return Ok(());
        }
        let (first, last) = match self.log.place(&record.timeline, &record.id, seq) {
            Ok(Some(place)) => place,
            Ok(None) => {
                self.damaged(seq, seq, format!("the index of ids does not know {}", record.id));
                return Ok(());
            }
            Err(Error::Damaged(damage)) => {
                self.unusable = Some(damage);
                return Ok(());
            }
            Err(other) => return Err(other),
        };
        self.last_records += u64::from(last == seq);
        let agrees = first <= seq
            && seq <= last
            && (stored.previous.is_none() == (first == seq))
            && stored.previous.is_none_or(|previous| first <= previous && previous < seq)
            && (seq != last || self.says_what_it_does(record)?);
        if !agrees {
            self.damaged(seq, seq, format!("the index of ids is wrong about {}", record.id));
        }
        self.erasure(stored)
    }

    /// Content is gone where a redaction says so, and nowhere else.
    fn erasure(&mut self, stored: &StoredRecord) -> Result<()> {
        let Record { seq, timeline, id, op, .. } = &stored.record;
        if stored.salt().is_none() {
            let is_redacted = match self.log.event(timeline, id) {
                Ok(entry) => entry.is_some_and(|entry| entry.last_op == Op::Redact && entry.last > *seq),
                Err(Error::Damaged(_)) => true,
                Err(other) => return Err(other),
            };
            if !is_redacted {
                self.damaged(*seq, *seq, "its content is missing, and no redaction says why");
            }
        }
        let mut next = stored.previous.filter(|_| *op == Op::Redact);
        while let Some(earlier) = next {
            let Ok(found) = scan::one(self.log, earlier) else { break };
            if found.salt().is_some() {
                let what = format!("record {seq} redacted its event, and its content is there");
                self.damaged(earlier, earlier, what);
            }
            next = found.previous.filter(|previous| *previous < earlier);
        }
        Ok(())
    }

    /// Whether the index knows what an event's last record does.
    fn says_what_it_does(&self, last: &Record) -> Result<bool> {
        match self.log.event(&last.timeline, &last.id) {
            Ok(entry) => Ok(entry.is_some_and(|entry| entry.last == last.seq && entry.last_op == last.op)),
            Err(Error::Damaged(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }

    fn finish(mut self, head: &Head) -> Result<Report> {
        let end = head.seq();
        if self.next <= end {
            self.lost(Damage::of(self.next, end, "missing from the log"));
        } else if self.next > end.next() {
            self.lost(Damage::of(end.next(), Seq(self.next.0 - 1), "behind the end of the log"));
        }
        if self.complete && self.frontier != head.frontier {
            self.damaged(Seq(1), end, "their root is not the one that the log holds");
        }
        if self.complete && head.recorded_at != self.recorded_at {
            self.damaged(end, end, "the log's last record time is another");
        }
        for (who, witness) in self.witnesses.iter().filter(|(_, witness)| witness.count > end.0) {
            let what = format!("missing: {who} has seen them, the log ends before them");
            self.damaged(end.next(), Seq(witness.count), what);
        }
        self.counts()?;
        self.report.root = self.frontier.root();
        Ok(self.report)
    }

    /// Versions and ids have to be as many as the records say.
    fn counts(&mut self) -> Result<()> {
        let timelines = match self.log.timelines() {
            Ok(timelines) => timelines,
            Err(Error::Damaged(damage)) => {
                self.report.damage.push(damage);
                return Ok(());
            }
            Err(other) => return Err(other),
        };
        self.report.timelines = timelines.len() as u64;
        for (name, version) in timelines {
            let counted = Version(self.versions.remove(&name).unwrap_or(0));
            if counted != version {
                let what = format!("timeline {name} has {counted} records, its version says {version}");
                self.report.damage.push(Damage::new(what));
            }
        }
        for name in std::mem::take(&mut self.versions).into_keys() {
            self.report.damage.push(Damage::new(format!("timeline {name} has no version")));
        }
        if let Some(damage) = self.unusable.take() {
            // Where it is the log that cannot be read that has been said.
            if damage.records.is_none() || self.report.damage.is_empty() {
                self.report.damage.push(damage);
            }
            return Ok(());
        }
        if self.complete && self.last_records != self.report.events {
            let what = format!(
                "the index of ids knows the last record of {} events, the log has {}",
                self.last_records, self.report.events
            );
            self.report.damage.push(Damage::new(what));
        }
        let indexed = match self.log.indexed() {
            Ok(indexed) => indexed,
            Err(Error::Damaged(damage)) => {
                self.report.damage.push(damage);
                return Ok(());
            }
            Err(other) => return Err(other),
        };
        if let Some(indexed) = indexed.filter(|indexed| *indexed != self.report.events) {
            let what = format!("the index of ids has {indexed} events, the log {}", self.report.events);
            self.report.damage.push(Damage::new(what));
        }
        Ok(())
    }
}
