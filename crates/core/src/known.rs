//! What the log knew at a moment of the record axis, read straight from the records.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use annals_model::diff::{Side, Withdrawn};
use annals_model::fold::Counted;
use annals_model::{
    AsOf, Content, Event, EventId, Knowledge, KnownAt, Op, Position, Record, RecordedAt, Seq, TimelineName,
};

use crate::error::NotFound;
use crate::log::Log;
use crate::merkle::Hash;
use crate::store::Store;
use crate::stored::StoredRecord;
use crate::{Damage, Result, scan};

/// The events of a timeline as the log knew them at a moment.
#[derive(Debug)]
pub struct Known {
    position: Position,
    log_root: Hash,
    events: Vec<KnownEvent>,
    withdrawn: Vec<Withdrawn>,
}

/// An event that counts.
#[derive(Debug)]
pub struct KnownEvent {
    /// Its place in the log: the `seq` of its first record.
    pub place: Seq,
    /// The record of the version that counts.
    pub seq: Seq,
    /// When that version was recorded.
    pub recorded_at: RecordedAt,
    /// That version.
    pub event: Event,
}

impl KnownEvent {
    /// The event as the fold takes it.
    pub const fn counted(&self) -> Counted<'_> {
        Counted { place: self.place, seq: self.seq, event: &self.event }
    }

    /// Whether the version that counts is a correction of the first one.
    pub fn is_revised(&self) -> bool {
        self.place != self.seq
    }
}

impl Known {
    /// The last record that counts.
    pub const fn position(&self) -> Position {
        self.position
    }

    /// The events that count, in the order in which they first entered the log.
    pub fn events(&self) -> &[KnownEvent] {
        &self.events
    }

    /// The same, given away.
    pub(crate) fn into_events(self) -> Vec<KnownEvent> {
        self.events
    }

    /// The events of the timeline that were withdrawn, retracted or redacted, in the order in which they first
    /// entered the log.
    pub fn withdrawn(&self) -> &[Withdrawn] {
        &self.withdrawn
    }

    /// Everything that an answer needs.
    pub fn knowledge(&self) -> Knowledge<'_> {
        let events = self.events.iter().map(KnownEvent::counted).collect();
        let withdrawn = self.withdrawn.len() as u64;
        Knowledge { position: self.position, log_root: self.log_root, events, withdrawn }
    }

    /// A side of a comparison: what was known, as of a date.
    pub fn side<'a>(&'a self, as_of: &'a AsOf) -> Side<'a> {
        let events = self.events.iter().map(|known| (known.counted(), known.recorded_at)).collect();
        Side { as_of, position: self.position, events, withdrawn: &self.withdrawn }
    }
}

/// Where an event stands while the log is read: its place, and its last record.
pub(crate) struct Standing {
    pub place: Seq,
    pub last: (Seq, RecordedAt, Op, Content),
}

impl Standing {
    /// The event as it counts, or what withdrew it.
    pub fn told(self, id: EventId) -> Result<KnownEvent, Withdrawn> {
        let Self { place, last: (seq, recorded_at, op, content) } = self;
        let (op, reason) = match content {
            Content::Event(event) => return Ok(KnownEvent { place, seq, recorded_at, event: *event }),
            Content::Reason(reason) => (op, Some(reason)),
            // A later record erased it, which leaves nothing of the event to count at any moment.
            Content::Redacted if op == Op::Retract => (op, None),
            Content::Redacted => (Op::Redact, None),
        };
        Err(Withdrawn { id, place, seq, recorded_at, op, reason })
    }
}

impl<L: Log> Store<L> {
    /// What the log knew of a timeline at a moment.
    ///
    /// A timeline that has records now and had none then is known as empty; one that has none at all is not
    /// found.
    pub fn known(&self, timeline: &TimelineName, known_at: KnownAt) -> Result<Known> {
        self.require(timeline)?;
        let log = self.log();
        let position = self.position(known_at)?;
        let mut standing: HashMap<EventId, Standing> = HashMap::new();
        scan::each_raw(log, Seq(1), position.seq, |raw| {
            if raw.head.timeline == timeline.as_str() {
                let Record { seq, recorded_at, op, content, id, .. } = StoredRecord::decode(raw)?.record;
                let last = (seq, recorded_at, op, content);
                match standing.entry(id) {
                    Entry::Vacant(new) => {
                        new.insert(Standing { place: seq, last });
                    }
                    Entry::Occupied(mut known) => known.get_mut().last = last,
                }
            }
            Ok(())
        })?;
        let (mut events, mut withdrawn) = (Vec::with_capacity(standing.len()), Vec::new());
        for (id, standing) in standing {
            match standing.told(id) {
                Ok(event) => events.push(event),
                Err(gone) => withdrawn.push(gone),
            }
        }
        events.sort_unstable_by_key(|event: &KnownEvent| event.place);
        withdrawn.sort_unstable_by_key(|gone: &Withdrawn| gone.place);
        let log_root = scan::root_at(log, position.seq)?;
        Ok(Known { position, log_root, events, withdrawn })
    }

    /// Makes sure that the log has records of a timeline.
    pub(crate) fn require(&self, timeline: &TimelineName) -> Result<()> {
        match self.log().version(timeline)?.0 {
            0 => Err(NotFound::Timeline(timeline.clone()).into()),
            _ => Ok(()),
        }
    }

    /// The last record that counts at a moment of the record axis.
    pub fn position(&self, known_at: KnownAt) -> Result<Position> {
        let seq = self.last_known(known_at)?;
        let recorded_at = (seq.0 > 0).then(|| scan::recorded_at(self.log(), seq)).transpose()?;
        Ok(Position { seq, recorded_at })
    }

    /// The same without the time at which it was recorded, which has to be read from the log.
    pub(crate) fn last_known(&self, known_at: KnownAt) -> Result<Seq> {
        let end = self.log().head()?.seq();
        match known_at {
            KnownAt::Everything => Ok(end),
            KnownAt::Position(seq) if seq <= end => Ok(seq),
            KnownAt::Position(seq) => {
                Err(annals_model::Invalid::new(format!("the log has no record {seq} yet"))
                    .with_hint(format!("its last record is @{end}"))
                    .into())
            }
            KnownAt::At(instant) => scan::position_at(self.log(), instant),
        }
    }

    /// The version of an event that counts at a record; nothing where it was not there, or was withdrawn.
    pub fn counting(&self, timeline: &TimelineName, id: &EventId, known_at: Seq) -> Result<Option<Event>> {
        let Some(entry) = self.log().event(timeline, id)? else { return Ok(None) };
        let last = if entry.last <= known_at {
            Some(scan::one(self.log(), entry.last)?)
        } else {
            self.history(timeline, id)?.into_iter().rfind(|stored| stored.record.seq <= known_at)
        };
        Ok(last.and_then(|stored| match stored.record.content {
            Content::Event(event) => Some(*event),
            Content::Reason(_) | Content::Redacted => None,
        }))
    }

    /// All records of one event, oldest first.
    pub fn history(&self, timeline: &TimelineName, id: &EventId) -> Result<Vec<StoredRecord>> {
        let entry = self.log().event(timeline, id)?;
        let entry = entry.ok_or_else(|| NotFound::Event { timeline: timeline.clone(), id: id.clone() })?;
        let mut records = Vec::new();
        scan::some(self.log(), self.chain(timeline, id, entry.last)?, |stored| {
            records.push(stored);
            Ok(())
        })?;
        Ok(records)
    }

    /// The records of one event up to its last one, along the links in the headers. Those of a frame are read once,
    /// however many records it has of the event.
    pub(crate) fn chain(&self, timeline: &TimelineName, id: &EventId, last: Seq) -> Result<Vec<Seq>> {
        let mut chain = Vec::new();
        let mut next = Some(last);
        while let Some(seq) = next {
            let heads = scan::heads_of(self.log(), seq)?;
            next = Some(seq);
            while let Some(seq) = next.filter(|seq| heads.first().is_some_and(|first| first.seq <= *seq)) {
                let place = heads.binary_search_by_key(&seq, |head| head.seq).ok();
                let head = place
                    .and_then(|place| heads.get(place))
                    .filter(|head| head.id == id.as_str() && head.timeline == timeline.as_str());
                let Some(head) = head else {
                    let what = format!("is not of the event {id}, as the index of ids says");
                    return Err(Damage::of(seq, seq, what).into());
                };
                chain.push(seq);
                next = head.previous.filter(|previous| *previous < seq);
            }
        }
        chain.reverse();
        Ok(chain)
    }
}
