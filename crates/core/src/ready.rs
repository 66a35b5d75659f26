//! Entries made ready: what of a record can be made before it is decided what becomes of the entry.
//!
//! Whoever has just parsed an event has it in its caches, and the memory that it lies in. So an import has it checked,
//! encoded, decoded again and written as JSON there, and only the bytes go on to the thread that decides and to those
//! that seal. Writers at once do the same before their turn to decide comes. What cannot be made ready goes on as it came:
//! it is found out in its turn why.

use std::cell::RefCell;

use annals_model::line::Line;
use annals_model::{
    Content, Entry, Event, EventId, Invalid, Op, Record, RecordedAt, TimelineName, Write,
    reason_within_limits,
};

use crate::codec::leaf::{Salt, event_json};
use crate::codec::v1::Seal;
use crate::merkle::Hash;
use crate::{fingerprint, stored};

thread_local! {
    /// Where an event is written before it is known how much room it takes.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Bytes that an event seldom takes.
const USUAL: usize = 16 * 1024;

/// An entry of an import, as it came or with its content made ready for the log.
#[derive(Debug)]
pub struct Ready {
    pub(crate) timeline: TimelineName,
    pub(crate) op: Op,
    pub(crate) body: Body,
    pub(crate) brought: Brought,
}

/// What an entry brings along from another log.
#[derive(Debug)]
pub struct Brought {
    /// Its record time.
    pub recorded_at: Option<RecordedAt>,
    /// Its author.
    pub recorded_by: Option<String>,
    /// Its salt.
    pub salt: Option<Salt>,
}

/// What an entry holds.
#[derive(Debug)]
pub enum Body {
    /// An event as it came.
    Event(Box<Event>),
    /// An event made ready.
    Made(EventId, Made),
    /// The reason of a retraction or a redaction.
    Reason(EventId, String),
    /// The commitment to a content that was redacted elsewhere.
    Erased(EventId, Hash),
}

/// An event that is within every limit, as the log stores it. It was decoded again.
#[derive(Debug)]
pub struct Made {
    /// One behind the other, so that one piece of memory goes from thread to thread: what replay reads of it, what
    /// people read of it, and its JSON, which its record's leaf covers.
    bytes: Box<[u8]>,
    details: usize,
    json: usize,
    /// Its fingerprint.
    pub print: u8,
}

impl Ready {
    /// Makes an entry ready on this thread. What is wrong with it comes out where it is imported.
    pub fn made(entry: Entry) -> Self {
        Self::make(entry, false)
    }

    /// The same of a line, which need not be checked once more if it was when it was parsed.
    ///
    /// # Errors
    ///
    /// The line itself, where it is a new event without an id.
    pub fn of_line(line: Line, timeline: &TimelineName) -> Result<Self, Box<Line>> {
        let is_checked = line.is_checked();
        line.into_named_entry(timeline).map(|entry| Self::make(entry, is_checked))
    }

    fn make(entry: Entry, is_checked: bool) -> Self {
        let mut ready = Self::from(entry);
        if let Body::Event(event) = &ready.body
            && let Ok(made) = Made::of(event, is_checked)
        {
            ready.body = Body::Made(event.id.clone(), made);
        }
        ready
    }
}

impl From<Entry> for Ready {
    /// The entry as it came.
    fn from(entry: Entry) -> Self {
        let Entry { timeline, write, recorded_at, recorded_by, salt } = entry;
        let (op, body) = match write {
            Write::Append(event) => (Op::Append, Body::Event(event)),
            Write::Revise(event) => (Op::Revise, Body::Event(event)),
            Write::Retract { id, reason } => (Op::Retract, Body::Reason(id, reason)),
            Write::Redact { id, reason } => (Op::Redact, Body::Reason(id, reason)),
            Write::Erased { id, op, commitment } => (op, Body::Erased(id, commitment)),
        };
        Self { timeline, op, body, brought: Brought { recorded_at, recorded_by, salt } }
    }
}

impl Body {
    /// The event that the entry is about.
    pub const fn id(&self) -> &EventId {
        match self {
            Self::Event(event) => &event.id,
            Self::Made(id, _) | Self::Reason(id, _) | Self::Erased(id, _) => id,
        }
    }

    /// Checks every limit but that on the size of the whole.
    pub fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::Event(event) => event.check(),
            Self::Reason(_, reason) => reason_within_limits(reason),
            Self::Made(..) | Self::Erased(..) => Ok(()),
        }
    }

    /// Checks that its content is not too large to be sealed.
    pub fn fits(&self) -> crate::Result<()> {
        match self {
            Self::Event(event) => stored::within_limit(&event_json(event).map_err(Invalid::new)?),
            // A reason is limited far below.
            Self::Made(..) | Self::Reason(..) | Self::Erased(..) => Ok(()),
        }
    }

    /// The fingerprint of its event; nothing where it has none.
    pub fn print(&self) -> Option<u8> {
        match self {
            Self::Event(event) => Some(fingerprint::of_event(event)),
            Self::Made(_, made) => Some(made.print),
            Self::Reason(..) | Self::Erased(..) => None,
        }
    }

    /// Whether a record holds the same event, or the same reason.
    pub fn is_held(&self, record: &Record) -> bool {
        match (self, &record.content) {
            (Self::Event(own), Content::Event(event)) => own == event,
            (Self::Made(id, made), Content::Event(event)) => {
                *id == event.id && stored::is_encoded(made.claims(), made.details(), event)
            }
            (Self::Reason(_, own), Content::Reason(reason)) => own == reason,
            _ => false,
        }
    }

    /// The commitment that takes the place of a content which is gone.
    pub const fn seal(&self) -> Option<Seal> {
        match self {
            Self::Erased(_, commitment) => Some(Seal::Commitment(*commitment)),
            _ => None,
        }
    }
}

impl Made {
    fn of(event: &Event, is_checked: bool) -> crate::Result<Self> {
        if !is_checked {
            event.check()?;
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let made = Self::written(event, scratch);
            scratch.clear();
            // A large event is rare, and its room is not kept.
            scratch.shrink_to(USUAL);
            made
        })
    }

    fn written(event: &Event, scratch: &mut Vec<u8>) -> crate::Result<Self> {
        let details = stored::add_event(event, scratch)?;
        let json = scratch.len();
        event.write_json(scratch).map_err(|e| Invalid::new(e.to_string()))?;
        stored::within_limit(&scratch[json..])?;
        let bytes = scratch.as_slice().into();
        Ok(Self { bytes, details, json, print: fingerprint::of_event(event) })
    }

    /// What replay reads of it.
    pub fn claims(&self) -> &[u8] {
        &self.bytes[..self.details]
    }

    /// What people read of it.
    pub fn details(&self) -> &[u8] {
        &self.bytes[self.details..self.json]
    }

    /// Its JSON, which its record's leaf covers.
    pub fn json(&self) -> &[u8] {
        &self.bytes[self.json..]
    }
}
