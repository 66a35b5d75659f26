//! A batch being put together: what each entry does to the log as it stands, and to the batch before it.

mod again;
mod erased;
mod resume;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use annals_model::{
    Expectation, Invalid, Op, Outcome, Record, RecordedAt, Seq, Superseded, TimelineName, Version, Written,
    limits,
};

use crate::Result;
use crate::ahead::{Ground, Key, Layer};
use crate::codec::frame::{Frame, Place};
use crate::codec::v1::Seal;
use crate::decided::{Decided, Header, Whose};
use crate::error::{Conflict, NotFound};
use crate::fingerprint::Prints;
use crate::host::{ClockLag, Host};
use crate::log::{EventEntry, Head, Log};
use crate::merkle::BLOCK;
use crate::quick::{Quick, QuickMap};
use crate::ready::{Body, Brought, Ready};
use crate::sealing::{self, Sealing, Workshop};
use crate::store::{Failed, WriteOptions, whole};
use crate::stored::StoredRecord;
pub use resume::Resume;

/// A batch being put together.
pub struct Batch<'a, L: ?Sized> {
    ground: Ground<'a, L>,
    host: &'a dyn Host,
    options: &'a WriteOptions,
    /// Only an import follows what earlier runs wrote; a single write is judged by what stands.
    resume: Option<&'a mut Resume>,
    now: RecordedAt,
    /// How the clock lay behind the log, if it did.
    lag: Option<ClockLag>,
    /// Whether a record carries the clock's time and not one of its own.
    clocked: bool,
    /// When the last record was recorded.
    recorded_at: Option<RecordedAt>,
    sealing: Sealing,
    /// The events that the batch has changed, as they stand now.
    events: QuickMap<Key, EventEntry>,
    /// The batch's own records of those of which it has several.
    repeated: QuickMap<Key, Vec<Seq>>,
    /// The frame of the log that was read last, and how far.
    frame: Option<(Frame, Place)>,
    versions: QuickMap<TimelineName, Version>,
    /// Whose the last record is.
    whose: Option<Arc<Whose>>,
    /// Records whose content goes with the batch.
    erased: BTreeSet<Seq>,
    carried: Carried,
    /// Whether an entry is checked against every limit before anything rests on it, wherever it is sealed.
    checks_each: bool,
}

/// What a batch leaves to the one that goes on with the same import.
#[derive(Default)]
pub struct Carried {
    now: Option<RecordedAt>,
    /// Fingerprints of the contents of its records.
    prints: Prints,
    /// Events of which records came without their content, with the first entry that brought one.
    bare: HashMap<Key, usize>,
    /// The timelines that have new records, with their versions before the import.
    touched: BTreeMap<TimelineName, Version>,
    /// How many events it has changed.
    events: usize,
}

impl<'a, L: Log + ?Sized> Batch<'a, L> {
    /// A batch on the log as it stands; its records are sealed in the workshop, if there is one.
    pub fn new(
        ground: Ground<'a, L>,
        host: &'a dyn Host,
        options: &'a WriteOptions,
        mut resume: Option<&'a mut Resume>,
        workshop: Option<Workshop>,
    ) -> Result<Self> {
        let head = ground.head()?;
        if let Some(resume) = &mut resume {
            resume.begin(head.seq());
        }
        let recorded_at = head.recorded_at;
        // A clock that has been set back must not make record times go back.
        let clock = host.now();
        let now = clock.max(recorded_at.unwrap_or(RecordedAt::from_micros(i64::MIN)));
        let lag = (now > clock).then_some(ClockLag { clock, recorded_at: now });
        let sealing = match workshop {
            Some(workshop) => Sealing::beside(head.frontier, workshop),
            None => Sealing::here(head.frontier),
        };
        let (events, repeated) = (QuickMap::default(), QuickMap::default());
        let (versions, whose, frame) = (QuickMap::default(), None, None);
        let checks_each = false;
        Ok(Self {
            ground,
            host,
            options,
            resume,
            now,
            lag,
            clocked: false,
            recorded_at,
            sealing,
            events,
            repeated,
            frame,
            versions,
            whose,
            erased: BTreeSet::new(),
            carried: Carried::default(),
            checks_each,
        })
    }

    /// The same batch, which an entry that it refuses leaves as it was: it can go on with the next one.
    pub fn checking_each(self) -> Self {
        Self { checks_each: true, ..self }
    }

    /// The same batch, as a piece of an import: it goes on with what the piece before it has left.
    pub fn going_on(self, carried: Carried) -> Self {
        // Where one piece came before, the next is about as large.
        let events = QuickMap::with_capacity_and_hasher(carried.events, Quick::default());
        Self { now: carried.now.unwrap_or(self.now), events, carried, ..self }
    }

    /// Whether it has so many records, and the last of them completes a block.
    pub const fn is_piece(&self, records: u64) -> bool {
        let next = self.sealing.next().0;
        next - self.sealing.first().0 >= records && (next - 1).is_multiple_of(BLOCK)
    }

    /// Decides what the entry `index` does, and notes its record if it needs one.
    ///
    /// # Errors
    ///
    /// The error names the first entry that is at fault, which may be an earlier one.
    pub fn take(&mut self, index: usize, entry: Ready) -> Result<Written, Failed> {
        let decided = self.decide(index, entry);
        if self.checks_each {
            // No earlier record can be at fault. To ask would close the block that has been begun.
            return decided.map_err(|error| Failed { index: Some(index), error });
        }
        decided.map_err(|error| self.sealing.blame(index, error))
    }

    fn decide(&mut self, index: usize, entry: Ready) -> Result<Written> {
        let Ready { timeline, op, body, brought } = entry;
        if let Some(author) = &brought.recorded_by {
            limits::name(author, limits::NAME).map_err(|e| e.under("recorded_by"))?;
        }
        let key = (timeline, body.id().clone());
        let known = self.look_up(&key)?;
        let settled = self.settled(&key, known, op, &body);
        let mark = self.resume.as_ref().map(|_| resume::mark(&body));
        // Whoever seals a record on another thread checks it there.
        if self.checks_each || !(self.sealing.checks() && matches!(settled, Ok(None))) {
            body.check()?;
        }
        let (outcome, seq) = match settled? {
            Some(settled) => settled,
            None => (outcome_of(op), self.record(index, &key, known, op, body, brought)?),
        };
        if let Some((resume, mark)) = self.resume.as_mut().zip(mark) {
            resume.note(&key, seq, mark);
        }
        let version = self.version(&key.0)?;
        let later = known.filter(|entry| outcome == Outcome::AlreadyAppended && entry.last > seq);
        let superseded_by = later.map(|entry| Superseded { op: entry.last_op, seq: entry.last });
        Ok(Written { outcome, timeline: key.0, id: key.1, seq, version, superseded_by })
    }

    /// Where the event stands now, the batch's own records included.
    fn look_up(&mut self, key: &Key) -> Result<Option<EventEntry>> {
        if let Some(entry) = self.events.get(key) {
            return Ok(Some(*entry));
        }
        self.ground.event(key)
    }

    /// What a write comes to that needs no record; an error where it must not have one.
    fn settled(
        &mut self,
        key: &Key,
        known: Option<EventEntry>,
        op: Op,
        body: &Body,
    ) -> Result<Option<(Outcome, Seq)>> {
        let Some(entry) = known else {
            return match op {
                Op::Append => Ok(None),
                _ => Err(NotFound::Event { timeline: key.0.clone(), id: key.1.clone() }.into()),
            };
        };
        let (timeline, id) = (key.0.clone(), key.1.clone());
        let is_redacted = entry.last_op == Op::Redact;
        match (op, body) {
            (Op::Append, _) | (_, Body::Erased(..)) if is_redacted => {
                Ok(Some((Outcome::AlreadyAppendedRedacted, entry.last)))
            }
            (_, Body::Erased(_, commitment)) => match self.committed(entry, op, commitment)? {
                Some(seq) => Ok(Some((erased::already(op), seq))),
                None if op == Op::Append => {
                    Err(Conflict::DifferentContent { timeline, id, seq: entry.last }.into())
                }
                None => Ok(None),
            },
            (Op::Redact, _) => Ok(is_redacted.then_some((Outcome::AlreadyRedacted, entry.last))),
            // Whether an earlier run of the import wrote it cannot be told any more.
            _ if is_redacted && self.was_there(entry.last) => {
                Ok(Some((Outcome::AlreadyAppendedRedacted, entry.last)))
            }
            _ if is_redacted => Err(Conflict::Redacted { timeline, id, seq: entry.last }.into()),
            (Op::Append, _) => match self.find(key, entry, body.print(), |r| body.is_held(r))? {
                Some(seq) => Ok(Some((Outcome::AlreadyAppended, seq))),
                None => Err(Conflict::DifferentContent { timeline, id, seq: entry.last }.into()),
            },
            (Op::Revise, _) => {
                let same = |r: &Record| r.op == Op::Revise && body.is_held(r);
                let found = self.again(key, entry, same, body.print(), |r| body.is_held(r))?;
                Ok(found.map(|seq| (Outcome::AlreadyRevised, seq)))
            }
            (Op::Retract, _) => {
                let same = |r: &Record| r.op == Op::Retract && body.is_held(r);
                let found = self.again(key, entry, same, None, |r| r.op == Op::Retract)?;
                Ok(found.map(|seq| (Outcome::AlreadyRetracted, seq)))
            }
        }
    }

    /// A record of the batch itself, of what runs ahead of the log, or of the log. The log's last frame is kept:
    /// an import that is run again reads record after record.
    fn read(&mut self, seq: Seq) -> Result<StoredRecord> {
        if let Some(own) = self.sealing.read(seq)? {
            return Ok(own);
        }
        if let Some(ahead) = self.ground.record(seq) {
            return sealing::decode(seq, ahead);
        }
        let (frame, mut place) = match self.frame.take() {
            Some(kept) if (kept.0.first()..=kept.0.last()).contains(&seq) => kept,
            _ => {
                let frame = self.ground.frame(seq)?;
                let start = frame.start();
                (frame, start)
            }
        };
        let record = StoredRecord::decode(&frame.record_behind(&mut place, seq)?)?;
        self.frame = Some((frame, place));
        Ok(record)
    }

    /// A record, and its event's record before it: they are linked backwards.
    fn read_back(&mut self, seq: Seq) -> Result<(StoredRecord, Option<Seq>)> {
        let stored = self.read(seq)?;
        let before = stored.previous.filter(|previous| *previous < seq);
        Ok((stored, before))
    }

    /// Notes a new record.
    fn record(
        &mut self,
        index: usize,
        key: &Key,
        known: Option<EventEntry>,
        op: Op,
        body: Body,
        brought: Brought,
    ) -> Result<Seq> {
        let Brought { recorded_at, recorded_by, salt } = brought;
        let recorded_at = self.record_time(recorded_at)?;
        if self.checks_each {
            body.fits()?;
        }
        let seal = body.seal();
        if op == Op::Redact && seal.is_none() {
            self.erase(known)?;
        }
        if seal.is_some() {
            if !self.options.keep_record_times {
                return Err(erased::without_content());
            }
            self.carried.bare.entry(key.clone()).or_insert(index);
        }
        let seq = self.sealing.next();
        let seal = seal.unwrap_or_else(|| {
            Seal::Salt(salt.filter(|_| self.options.keep_record_times).unwrap_or_else(|| {
                let mut salt = [0; 16];
                self.host.fill_random(&mut salt);
                salt
            }))
        });
        let whose = self.whose(seq, &key.0, recorded_by);
        let previous = known.map(|entry| entry.last);
        let header = Header { seq, recorded_at, whose, op, previous, seal };
        let decided = Decided::new(header, body);
        self.carried.prints.push(seq, decided.print());
        self.sealing.push(index, decided)?;
        self.recorded_at = Some(recorded_at);
        if let Some(version) = self.versions.get_mut(&key.0) {
            version.0 += 1;
        } else {
            let version = self.ground.version(&key.0)?;
            self.versions.insert(key.0.clone(), Version(version.0 + 1));
        }
        let first = known.map_or(seq, |entry| entry.first);
        let entry = EventEntry { first, last: seq, last_op: op };
        if let Some(before) = self.events.insert(key.clone(), entry) {
            self.repeated.entry(key.clone()).or_insert_with(|| vec![before.last]).push(seq);
        }
        Ok(seq)
    }

    /// Whose a record is, which the records of a block share as far as it is the same. No two blocks do: their threads
    /// would wait for each other to count who has it.
    fn whose(&mut self, seq: Seq, timeline: &TimelineName, author: Option<String>) -> Arc<Whose> {
        let is_first = (seq.0 - 1).is_multiple_of(BLOCK);
        let own = author.as_ref().unwrap_or(&self.options.author);
        let is_same = |last: &&Arc<Whose>| last.timeline == *timeline && last.recorded_by == *own;
        if let Some(last) = self.whose.as_ref().filter(|_| !is_first).filter(is_same) {
            return Arc::clone(last);
        }
        let recorded_by = author.unwrap_or_else(|| self.options.author.clone());
        let whose = Arc::new(Whose { timeline: timeline.clone(), recorded_by });
        Arc::clone(self.whose.insert(whose))
    }

    fn record_time(&mut self, own: Option<RecordedAt>) -> Result<RecordedAt> {
        let Some(own) = own.filter(|_| self.options.keep_record_times) else {
            self.clocked = true;
            // Kept times may have run ahead of the clock within this batch.
            return Ok(self.now.max(self.recorded_at.unwrap_or(self.now)));
        };
        if own > self.host.now() {
            let message = format!("{own} lies in the future");
            let hint =
                "every later record would have to carry it, too: mend the time, or import without keeping it";
            return Err(Invalid::new(message).with_hint(hint).under("recorded_at").into());
        }
        match self.recorded_at {
            Some(last) if own < last => {
                let message = format!("{own} is earlier than the record before it, {last}");
                let hint = "sort the lines by their record time, or import without keeping record times";
                Err(Invalid::new(message).with_hint(hint).under("recorded_at").into())
            }
            _ => Ok(own),
        }
    }

    fn version(&self, timeline: &TimelineName) -> Result<Version> {
        self.versions.get(timeline).copied().map_or_else(|| self.ground.version(timeline), Ok)
    }

    /// What is to be committed; `None` where nothing is to be written.
    pub fn finish(self) -> Result<Option<Layer>, Failed> {
        let expected = self.options.expect;
        let (layer, carried) = self.piece()?;
        if layer.is_some() {
            carried.settle(expected)?;
        }
        Ok(layer)
    }

    /// The same of a piece of an import, and what it leaves to the next one. Whether the import may stand is to be seen
    /// at its end.
    pub fn piece(mut self) -> Result<(Option<Layer>, Carried), Failed> {
        for timeline in self.versions.keys() {
            if !self.carried.touched.contains_key(timeline) {
                let before = self.ground.version(timeline).map_err(whole)?;
                self.carried.touched.insert(timeline.clone(), before);
            }
        }
        let events = &self.events;
        let is_redacted = |key: &Key| events.get(key).is_some_and(|entry| entry.last_op == Op::Redact);
        self.carried.bare.retain(|key, _| !is_redacted(key));
        let carried = Carried { now: Some(self.now), events: self.events.len(), ..self.carried };
        if self.sealing.is_empty() {
            return Ok((None, carried));
        }
        let first = self.sealing.first();
        let sealed = self.sealing.finish()?;
        let layer = Layer {
            first,
            records: sealed.records,
            frames: sealed.frames,
            blocks: sealed.blocks,
            events: self.events,
            versions: self.versions,
            erased: self.erased,
            head: Head { frontier: sealed.frontier, recorded_at: self.recorded_at },
            lag: self.lag.filter(|_| self.clocked),
        };
        Ok((Some(layer), carried))
    }
}

impl Carried {
    /// Whether all that was recorded may stand.
    pub fn settle(&self, expected: Expectation) -> Result<(), Failed> {
        self.meet(expected).map_err(whole)?;
        self.unexplained().map_or(Ok(()), Err)
    }

    fn meet(&self, expected: Expectation) -> Result<()> {
        if expected == Expectation::Any {
            return Ok(());
        }
        let mut touched = self.touched.iter();
        let (Some((timeline, actual)), None) = (touched.next(), touched.next()) else {
            let message = "an expected version goes with a batch on one timeline";
            return Err(Invalid::new(message)
                .with_hint("write each timeline's entries by themselves")
                .into());
        };
        let (timeline, actual) = (timeline.clone(), *actual);
        if expected.met_by(actual) {
            Ok(())
        } else {
            Err(Conflict::Version { timeline, expected, actual }.into())
        }
    }
}

const fn outcome_of(op: Op) -> Outcome {
    match op {
        Op::Append => Outcome::Appended,
        Op::Revise => Outcome::Revised,
        Op::Retract => Outcome::Retracted,
        Op::Redact => Outcome::Redacted,
    }
}
