//! Where Annals spends its time: an import and a replay taken apart along the engine's public interface.
//!
//! No peer and no mark: this says what to work on. Each step is timed for itself on the first lines of the
//! workload, an event's share of it is told, and the steps of a replay that contain others are told without them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::time::Duration;

use annals_core::{
    Commit, Encoded, EventEntry, Frontier, Head, Log as _, Salt, Seal, SledLog, SledOptions, Store,
    StoredRecord, pack, scan,
};
use annals_model::line::Line;
use annals_model::{
    AsOf, Certainty, Content, Date, Filter, KnownAt, Op, Record, RecordedAt, Seq, Snapshot, TimelineName,
    Write, state_sha256,
};

use super::Measure;
use crate::answers::TIMELINE;
use crate::child::AS_OF;
use crate::context::Context;
use crate::quantity::{Quantity, Row};
use crate::report::PHASE;
use crate::timing::{self, time};
use crate::{Failure, Outcome};

pub const MEASURE: Measure = Measure { name: "phases", run };

/// Lines that an import is taken apart on: one chunk of it.
const LINES: usize = 100_000;
const SALT: Salt = [7; 16];

fn run(context: &Context) -> Outcome<Vec<Row>> {
    let mut rows = importing(context)?;
    rows.extend(replaying(context)?);
    Ok(rows)
}

fn importing(context: &Context) -> Outcome<Vec<Row>> {
    let lines = BufReader::new(File::open(context.file()?)?).lines().take(LINES);
    let lines: Vec<String> = lines.collect::<Result<_, _>>()?;
    let count = lines.len() as u64;
    let row =
        |name: &str, time| Row::new(format!("{PHASE}import: {name}"), Quantity::each(count, time), None);

    let (parsing, parsed) =
        time(|| Ok(lines.iter().map(|line| Line::parse(line)).collect::<Result<Vec<_>, _>>()?))?;
    let timeline = TimelineName::new(TIMELINE)?;
    let writes = parsed.into_iter().map(|line| line.into_entry(&timeline, unreachable_id).write);
    let writes: Vec<Write> = writes.collect();
    let (checking, ()) = time(|| Ok(writes.iter().try_for_each(Write::check)?))?;
    let records: Vec<StoredRecord> =
        (1..).zip(writes).map(|(seq, write)| stored(&timeline, seq, write)).collect();
    let (writing_json, bytes) =
        time(|| records.iter().map(|record| Ok(record.content_json()?.len())).sum::<Outcome<usize>>())?;
    std::hint::black_box(bytes);
    let (encoding, encoded) =
        time(|| Ok(records.iter().map(StoredRecord::encode).collect::<Result<Vec<Encoded>, _>>()?))?;
    let (hashing, frontier) = time(|| {
        let mut frontier = Frontier::default();
        for record in &records {
            frontier.push(record.leaf()?);
        }
        Ok(frontier)
    })?;
    let (packing, frames) = time(|| Ok(pack(Seq(1), &encoded)?))?;
    let entry = |seq: Seq| EventEntry { first: seq, last: seq, last_op: Op::Append };
    let events = records.iter().map(|stored| {
        let Record { timeline, id, seq, .. } = &stored.record;
        (timeline.clone(), id.clone(), entry(*seq))
    });
    let head = Head { frontier, recorded_at: Some(RecordedAt::from_micros(0)) };
    let mut events: Vec<_> = events.collect();
    events.sort_unstable_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    // The engine commits them as its map of a batch gives them: in no order.
    let shuffled: HashMap<_, _> =
        events.iter().cloned().map(|(timeline, id, entry)| ((timeline, id), entry)).collect();
    let shuffled = shuffled.into_iter().map(|((timeline, id), entry)| (timeline, id, entry));
    let frames = Commit { frames, head: head.clone(), ..Commit::default() };
    let shuffled = Commit { events: shuffled.collect(), head: head.clone(), ..Commit::default() };
    let events = Commit { events, head, ..Commit::default() };
    // In turns, as sides are: the disk is not the same from one minute to the next.
    let (unsorted, sorted) = timing::pair(
        context,
        || committed(context, &shuffled).map(drop),
        || committed(context, &events).map(drop),
    )?;
    Ok(vec![
        row("parse a line", parsing),
        row("check its limits", checking),
        row("write its JSON, for its size", writing_json),
        row("encode, and read again", encoding),
        row("write its JSON again, hash the leaf", hashing),
        row("pack and compress frames", packing),
        row("store the frames in sled, synced", committed(context, &frames)?),
        row("store the index of ids in sled, as it comes, synced", unsorted),
        row("the same, if it came sorted", sorted),
    ])
}

/// Every line of the workload has an id; one without would get this.
fn unreachable_id() -> annals_model::EventId {
    annals_model::EventId::new("without-id").expect("because these are letters and a dash")
}

fn stored(timeline: &TimelineName, seq: u64, write: Write) -> StoredRecord {
    let id = write.id().clone();
    let (op, content) = match write {
        Write::Append(event) => (Op::Append, Content::Event(event)),
        Write::Revise(event) => (Op::Revise, Content::Event(event)),
        Write::Retract { reason, .. } => (Op::Retract, Content::Reason(reason)),
        Write::Redact { reason, .. } => (Op::Redact, Content::Reason(reason)),
        Write::Erased { op, .. } => (op, Content::Redacted),
    };
    let recorded_at = RecordedAt::from_micros(0);
    let recorded_by = "bench".to_owned();
    let record =
        Record { seq: Seq(seq), recorded_at, recorded_by, timeline: timeline.clone(), id, op, content };
    StoredRecord { record, previous: None, seal: Seal::Salt(SALT) }
}

/// How long a commit takes in a new store.
fn committed(context: &Context, commit: &Commit) -> Outcome<Duration> {
    let path = context.scratch("phases")?;
    let log = SledLog::create(&path, &SledOptions::default())?;
    let (time, ()) = time(|| Ok(log.commit(commit)?))?;
    drop(log);
    context.scratch("phases")?;
    Ok(time)
}

fn replaying(context: &Context) -> Outcome<Vec<Row>> {
    let log = SledLog::open(context.annals()?, &SledOptions::default())?;
    let end = log.head()?.seq();
    // The plain way, which replay takes where no index knows better.
    let row = |name: &str, time| {
        Row::new(format!("{PHASE}replay without an index: {name}"), Quantity::each(end.0, time), None)
    };
    let (reading, bytes) =
        time(|| log.frames(Seq(1)).map(|frame| Ok(frame?.1.len())).sum::<Outcome<usize>>())?;
    std::hint::black_box(bytes);
    let (unpacking, ()) = time(|| Ok(scan::each_raw(&log, Seq(1), end, |_| Ok(()))?))?;
    let (decoding, ()) = time(|| Ok(scan::each(&log, Seq(1), end, |_| Ok(()))?))?;
    let mut rows = vec![
        row("read frames from sled", reading),
        row("check, decompress and split them", unpacking.saturating_sub(reading)),
        row("decode the records", decoding.saturating_sub(unpacking)),
    ];
    if context.is_large() {
        return Ok(rows);
    }
    let timeline = TimelineName::new(TIMELINE)?;
    let store = Store::new(log);
    let (knowing, known) = time(|| Ok(store.known(&timeline, KnownAt::Everything)?))?;
    let question = annals_model::Question {
        timeline,
        as_of: AsOf::new(Date::parse(AS_OF)?)?,
        known_at: KnownAt::Everything,
        certainty: Certainty::Surely,
        filter: Filter::default(),
        entities: Vec::new(),
    };
    let (answering, snapshot) = time(|| Ok(Snapshot::answer(&question, &known.knowledge())?))?;
    let (receipt, hash) = time(|| Ok(state_sha256(&snapshot.state)?))?;
    if hash != snapshot.receipt.state_sha256 {
        return Err(Failure::from("the state's hash is not that of its receipt"));
    }
    let (dropping, ()) = time(|| {
        drop((known, snapshot));
        Ok(())
    })?;
    rows.extend([
        row("keep what counts", knowing.saturating_sub(decoding)),
        row("group, fold and sum up", answering.saturating_sub(receipt)),
        row("hash the state for its receipt", receipt),
        row("give the memory back", dropping),
    ]);
    Ok(rows)
}
