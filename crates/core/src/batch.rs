//! A batch being put together: what each entry does to the log as it stands, and to the batch before it.

use std::cell::RefCell;
use std::collections::HashMap;

use annals_model::{
    Content, Entry, Event, EventId, Expectation, Invalid, Op, Outcome, Record, RecordedAt, Seq, Superseded,
    TimelineName, Version, Write, Written, limits,
};

use crate::codec::frame::{self, Encoded, Frame, RawRecord};
use crate::codec::v1::{self, Seal};
use crate::error::{Conflict, NotFound};
use crate::host::Host;
use crate::log::{Commit, EventEntry, Head, Log};
use crate::merkle::{BLOCK, Hash};
use crate::seal::{self, Sealed};
use crate::store::WriteOptions;
use crate::stored::StoredRecord;
use crate::{Damage, Result, scan};

/// An event, by the timeline that it belongs to and its id.
type Key = (TimelineName, EventId);

/// How far an import has come in each event's history, so that it can be run again.
///
/// An entry that an earlier run of the same import wrote is recognised by its place in the event's history: equal
/// to a record that was there when this run began, behind those that this run's earlier entries for the event
/// were found as. So what was corrected by hand since is not undone.
#[derive(Debug, Default)]
pub struct Resume {
    /// Where the log ended when this run began.
    start: Option<Seq>,
    found: HashMap<Key, Seq>,
}

impl Resume {
    /// Takes note that an entry is in the log as record `seq`.
    fn note(&mut self, key: &Key, seq: Seq) {
        let was_there = self.start.is_some_and(|start| seq <= start);
        match self.found.get_mut(key) {
            Some(found) => *found = seq.max(*found),
            None if was_there => {
                self.found.insert(key.clone(), seq);
            }
            None => {}
        }
    }
}

/// A batch being put together.
pub struct Batch<'a, L> {
    log: &'a L,
    host: &'a dyn Host,
    options: &'a WriteOptions,
    /// Only an import follows what earlier runs wrote; a single write is judged by what stands.
    resume: Option<&'a mut Resume>,
    now: RecordedAt,
    head: Head,
    first: Seq,
    records: Vec<Encoded>,
    blocks: Vec<(u64, Hash)>,
    events: HashMap<Key, Pending>,
    /// The frame of the log that was read last.
    frame: RefCell<Option<Frame>>,
    versions: HashMap<TimelineName, Version>,
}

/// An event that the batch has changed.
struct Pending {
    entry: EventEntry,
    /// The batch's own records of it, which the log does not hold yet.
    new: Vec<Seq>,
}

impl<'a, L: Log> Batch<'a, L> {
    /// A batch on the log as it stands.
    pub fn new(
        log: &'a L,
        host: &'a dyn Host,
        options: &'a WriteOptions,
        mut resume: Option<&'a mut Resume>,
    ) -> Result<Self> {
        let head = log.head()?;
        if let Some(resume) = &mut resume {
            resume.start.get_or_insert(head.seq());
        }
        // A clock that has been set back must not make record times go back.
        let now = host.now().max(head.recorded_at.unwrap_or(RecordedAt::from_micros(i64::MIN)));
        let first = head.seq().next();
        let (records, blocks) = (Vec::new(), Vec::new());
        let (events, versions, frame) = (HashMap::new(), HashMap::new(), RefCell::new(None));
        Ok(Self { log, host, options, resume, now, head, first, records, blocks, events, frame, versions })
    }

    /// Decides what an entry does, and notes its record if it needs one.
    pub fn take(&mut self, entry: Entry) -> Result<Written> {
        entry.write.check()?;
        if let Some(author) = &entry.recorded_by {
            limits::name(author, limits::NAME).map_err(|e| e.under("recorded_by"))?;
        }
        let key = (entry.timeline.clone(), entry.write.id().clone());
        let known = self.look_up(&key)?;
        let (outcome, seq) = match self.settled(&key, known, &entry.write)? {
            Some(settled) => settled,
            None => (outcome_of(&entry.write), self.record(&key, known, entry)?),
        };
        if let Some(resume) = &mut self.resume {
            resume.note(&key, seq);
        }
        let version = self.version(&key.0)?;
        let later = known.filter(|entry| outcome == Outcome::AlreadyAppended && entry.last > seq);
        let superseded_by = later.map(|entry| Superseded { op: entry.last_op, seq: entry.last });
        Ok(Written { outcome, timeline: key.0, id: key.1, seq, version, superseded_by })
    }

    /// Where the event stands now, the batch's own records included.
    fn look_up(&mut self, key: &Key) -> Result<Option<EventEntry>> {
        if let Some(pending) = self.events.get(key) {
            return Ok(Some(pending.entry));
        }
        self.log.event(&key.0, &key.1)
    }

    /// What a write comes to that needs no record; an error where it must not have one.
    fn settled(&self, key: &Key, known: Option<EventEntry>, write: &Write) -> Result<Option<(Outcome, Seq)>> {
        let Some(entry) = known else {
            return match write {
                Write::Append(_) => Ok(None),
                Write::Revise(_) | Write::Retract { .. } => {
                    Err(NotFound::Event { timeline: key.0.clone(), id: key.1.clone() }.into())
                }
            };
        };
        let (timeline, id) = (key.0.clone(), key.1.clone());
        match write {
            Write::Append(_) if entry.last_op == Op::Redact => {
                Ok(Some((Outcome::AlreadyAppendedRedacted, entry.last)))
            }
            _ if entry.last_op == Op::Redact => {
                Err(Conflict::Redacted { timeline, id, seq: entry.last }.into())
            }
            Write::Append(event) => match self.find(key, Seq(0), |r| holds(r, event))? {
                Some(seq) => Ok(Some((Outcome::AlreadyAppended, seq))),
                None => Err(Conflict::DifferentContent { timeline, id, seq: entry.last }.into()),
            },
            Write::Revise(event) => {
                let found =
                    self.again(key, entry, |r| r.op == Op::Revise && holds(r, event), |r| holds(r, event))?;
                Ok(found.map(|seq| (Outcome::AlreadyRevised, seq)))
            }
            Write::Retract { reason, .. } => {
                let same = |r: &Record| r.op == Op::Retract && r.content == Content::Reason(reason.clone());
                let found = self.again(key, entry, same, |r| r.op == Op::Retract)?;
                Ok(found.map(|seq| (Outcome::AlreadyRetracted, seq)))
            }
        }
    }

    /// The record that makes a revision or a retraction needless: one that an earlier run of the same import
    /// wrote, or the event's last one.
    fn again(
        &self,
        key: &Key,
        entry: EventEntry,
        same: impl Fn(&Record) -> bool,
        stands: impl Fn(&Record) -> bool,
    ) -> Result<Option<Seq>> {
        if let Some(resume) = &self.resume {
            let found = resume.found.get(key).copied();
            if let Some(found) = found
                && stands(&self.read(found)?.record)
            {
                return Ok(Some(found));
            }
            let start = resume.start.unwrap_or_default();
            let was_there = |record: &Record| record.seq <= start && same(record);
            if let Some(seq) = self.find(key, found.unwrap_or_default(), was_there)? {
                return Ok(Some(seq));
            }
        }
        let last = self.read(entry.last)?.record;
        Ok(stands(&last).then_some(entry.last))
    }

    /// The first of the event's records behind `after` that fits.
    fn find(&self, key: &Key, after: Seq, fits: impl Fn(&Record) -> bool) -> Result<Option<Seq>> {
        let mut found = None;
        let new = self.events.get(key).map_or(&[][..], |pending| &pending.new);
        for seq in new.iter().filter(|seq| **seq > after) {
            if fits(&self.read(*seq)?.record) {
                found = Some(*seq);
                break;
            }
        }
        // The log's own records are older and linked backwards: the last one found is the first that fits.
        let mut next = self.log.event(&key.0, &key.1)?.map(|entry| entry.last);
        while let Some(seq) = next.filter(|seq| *seq > after) {
            let stored = self.read(seq)?;
            if fits(&stored.record) {
                found = Some(seq);
            }
            next = stored.previous;
        }
        Ok(found)
    }

    /// A record of the batch itself or of the log. The log's last frame is kept: an import that is run again
    /// reads record after record.
    fn read(&self, seq: Seq) -> Result<StoredRecord> {
        let own =
            seq.0.checked_sub(self.first.0).and_then(|index| self.records.get(usize::try_from(index).ok()?));
        if let Some(own) = own {
            let head = v1::decode(&own.head).map_err(Damage::new)?;
            let raw = RawRecord { seq, head, claims: &own.claims, details: &own.details };
            return Ok(StoredRecord::decode(&raw)?);
        }
        let mut kept = self.frame.borrow_mut();
        let frame = match kept.take() {
            Some(frame) if (frame.first()..=frame.last()).contains(&seq) => frame,
            _ => scan::frame_of(self.log, seq)?,
        };
        let record = StoredRecord::decode(&kept.insert(frame).record(seq)?)?;
        Ok(record)
    }

    /// Notes a new record.
    fn record(&mut self, key: &Key, known: Option<EventEntry>, entry: Entry) -> Result<Seq> {
        let recorded_at = self.record_time(entry.recorded_at)?;
        let seq = self.head.seq().next();
        let salt = entry.salt.filter(|_| self.options.keep_record_times).unwrap_or_else(|| {
            let mut salt = [0; 16];
            self.host.fill_random(&mut salt);
            salt
        });
        let (op, content) = match entry.write {
            Write::Append(event) => (Op::Append, Content::Event(event)),
            Write::Revise(event) => (Op::Revise, Content::Event(event)),
            Write::Retract { reason, .. } => (Op::Retract, Content::Reason(reason)),
        };
        let recorded_by = entry.recorded_by.unwrap_or_else(|| self.options.author.clone());
        let (timeline, id) = key.clone();
        let record = Record { seq, recorded_at, recorded_by, timeline, id, op, content };
        let stored = StoredRecord { record, previous: known.map(|entry| entry.last), seal: Seal::Salt(salt) };
        let size = stored.content_json()?.len();
        if size > limits::EVENT {
            let message = format!("the event has {size} bytes as JSON, the limit is {}", limits::EVENT);
            let hint = "keep long texts in files, and their addresses and hashes in `sources`";
            return Err(Invalid::new(message).with_hint(hint).into());
        }
        self.records.push(stored.encode()?);
        if let Some(block) = self.head.frontier.push(stored.leaf()?) {
            self.blocks.push((seq.0 / BLOCK - 1, block));
        }
        self.head.recorded_at = Some(recorded_at);
        let version = self.version(&key.0)?;
        self.versions.insert(key.0.clone(), Version(version.0 + 1));
        let first = known.map_or(seq, |entry| entry.first);
        let entry = EventEntry { first, last: seq, last_op: op };
        let pending = self.events.entry(key.clone()).or_insert(Pending { entry, new: Vec::new() });
        pending.entry = entry;
        pending.new.push(seq);
        Ok(seq)
    }

    fn record_time(&self, own: Option<RecordedAt>) -> Result<RecordedAt> {
        let Some(own) = own.filter(|_| self.options.keep_record_times) else {
            // Kept times may have run ahead of the clock within this batch.
            return Ok(self.now.max(self.head.recorded_at.unwrap_or(self.now)));
        };
        if own > self.host.now() {
            let message = format!("{own} lies in the future");
            let hint =
                "every later record would have to carry it, too: mend the time, or import without keeping it";
            return Err(Invalid::new(message).with_hint(hint).under("recorded_at").into());
        }
        match self.head.recorded_at {
            Some(last) if own < last => {
                let message = format!("{own} is earlier than the record before it, {last}");
                let hint = "sort the lines by their record time, or import without keeping record times";
                Err(Invalid::new(message).with_hint(hint).under("recorded_at").into())
            }
            _ => Ok(own),
        }
    }

    fn version(&self, timeline: &TimelineName) -> Result<Version> {
        self.versions.get(timeline).copied().map_or_else(|| self.log.version(timeline), Ok)
    }

    /// The commit that stores the batch; `None` where nothing is to be written.
    pub fn commit(self) -> Result<Option<Commit>> {
        if self.records.is_empty() {
            return Ok(None);
        }
        self.meet_expectation()?;
        let frames = frame::pack(self.first, &self.records)?;
        let mut sealed = Sealed::default();
        if let Some((index, root)) = self.blocks.first() {
            let new = frames.iter().map(|(first, _)| *first);
            sealed = seal::begun_block(self.log, *index, root, self.first, &self.records, new)?;
        }
        let events = self.events.into_iter().map(|((timeline, id), pending)| (timeline, id, pending.entry));
        Ok(Some(Commit {
            frames,
            events: events.collect(),
            timelines: self.versions.into_iter().collect(),
            blocks: self.blocks,
            removed: sealed.removed,
            sealed: sealed.frames,
            head: self.head,
        }))
    }

    fn meet_expectation(&self) -> Result<()> {
        let expected = self.options.expect;
        if expected == Expectation::Any {
            return Ok(());
        }
        let mut touched = self.versions.keys();
        let (Some(timeline), None) = (touched.next(), touched.next()) else {
            let message = "an expected version goes with a batch on one timeline";
            return Err(Invalid::new(message)
                .with_hint("write each timeline's entries by themselves")
                .into());
        };
        let actual = self.log.version(timeline)?;
        if expected.met_by(actual) {
            return Ok(());
        }
        Err(Conflict::Version { timeline: timeline.clone(), expected, actual }.into())
    }
}

fn holds(record: &Record, event: &Event) -> bool {
    record.content.event() == Some(event)
}

const fn outcome_of(write: &Write) -> Outcome {
    match write {
        Write::Append(_) => Outcome::Appended,
        Write::Revise(_) => Outcome::Revised,
        Write::Retract { .. } => Outcome::Retracted,
    }
}
