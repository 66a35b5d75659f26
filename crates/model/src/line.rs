//! JSON Lines: the native interchange form, `annals/1`.
//!
//! A line is flat: an event's fields and its record's fields side by side in one object. A line without `op` is
//! an append; a `retract` or `redact` line carries an id and a reason. The line of a record whose content was redacted
//! carries the commitment to it instead. Unknown fields are refused with their name, so that a typing error never
//! drops a fact; what does not fit has its room under `extra`.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::effect::EffectLine;
use crate::event::PlaceLine;
use crate::{
    Actor, Content, Date, Entry, Event, EventId, Extra, Invalid, Link, Op, Record, RecordedAt, Seq, Source,
    TimelineName, Write, limits, suggest,
};

/// One line, read and checked, before the things are filled in that only the reader of the file knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The timeline that the line names.
    pub timeline: Option<TimelineName>,
    /// The author that the line names.
    pub recorded_by: Option<String>,
    /// The record time that the line gives.
    pub recorded_at: Option<RecordedAt>,
    /// The salt that the line carries.
    pub salt: Option<[u8; 16]>,
    body: Body,
    /// Whether its event was held against every limit but that on the size of the whole.
    is_checked: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Body {
    Append(Box<Event>),
    AppendWithoutId(Box<Event>),
    Revise(Box<Event>),
    Retract { id: EventId, reason: String },
    Redact { id: EventId, reason: String },
    Erased { id: EventId, op: Op, commitment: [u8; 32] },
}

impl Line {
    /// Reads one line.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.len() > limits::LINE {
            return Err(Invalid::new(format!(
                "the line has {} bytes, the limit is {}",
                text.len(),
                limits::LINE
            )));
        }
        // serde would also take an array, field by field.
        if !text.trim_start().starts_with('{') {
            return Err(Invalid::new("the line is not a JSON object")
                .with_hint("one object a line, as in {\"title\":\"…\"}"));
        }
        let wire: Wire<'_> = serde_json::from_str(text).map_err(|_| explain(text))?;
        wire.read()
    }

    /// Whether its event is within every limit but that on the size of the whole: one that was parsed is.
    pub const fn is_checked(&self) -> bool {
        self.is_checked
    }

    /// The line of an event that came in another format; `id` absent where it brought none.
    pub fn append(id: Option<EventId>, timeline: Option<TimelineName>, mut event: Event) -> Self {
        let body = match id {
            Some(id) => {
                event.id = id;
                Body::Append(Box::new(event))
            }
            None => Body::AppendWithoutId(Box::new(event)),
        };
        Self { timeline, recorded_by: None, recorded_at: None, salt: None, body, is_checked: false }
    }

    /// The entry to write: `timeline` where the line names none, `new_id` for an event without an id.
    pub fn into_entry(self, timeline: &TimelineName, new_id: impl FnOnce() -> EventId) -> Entry {
        let Ok(entry) = self.into_entry_with(timeline, || Ok::<_, std::convert::Infallible>(new_id()));
        entry
    }

    /// The same with an id whose making may fail.
    pub fn into_entry_with<E>(
        self,
        timeline: &TimelineName,
        new_id: impl FnOnce() -> Result<EventId, E>,
    ) -> Result<Entry, E> {
        let Self { timeline: own, recorded_at, recorded_by, salt, body, .. } = self;
        let write = match body.into_write() {
            Ok(write) => write,
            Err(mut event) => {
                event.id = new_id()?;
                Write::Append(event)
            }
        };
        let timeline = own.unwrap_or_else(|| timeline.clone());
        Ok(Entry { timeline, write, recorded_at, recorded_by, salt })
    }

    /// The entry to write of a line that brought its id; `timeline` where it names none.
    ///
    /// # Errors
    ///
    /// The line itself, where it is a new event without an id.
    pub fn into_named_entry(self, timeline: &TimelineName) -> Result<Entry, Box<Self>> {
        let Self { timeline: own, recorded_at, recorded_by, salt, body, is_checked } = self;
        match body.into_write() {
            Ok(write) => {
                let timeline = own.unwrap_or_else(|| timeline.clone());
                Ok(Entry { timeline, write, recorded_at, recorded_by, salt })
            }
            Err(event) => {
                let body = Body::AppendWithoutId(event);
                Err(Box::new(Self { timeline: own, recorded_by, recorded_at, salt, body, is_checked }))
            }
        }
    }
}

impl Body {
    /// What is to be recorded; the event itself where it has no id yet.
    fn into_write(self) -> Result<Write, Box<Event>> {
        Ok(match self {
            Self::Append(event) => Write::Append(event),
            Self::AppendWithoutId(event) => return Err(event),
            Self::Revise(event) => Write::Revise(event),
            Self::Retract { id, reason } => Write::Retract { id, reason },
            Self::Redact { id, reason } => Write::Redact { id, reason },
            Self::Erased { id, op, commitment } => Write::Erased { id, op, commitment },
        })
    }
}

/// The JSON of an event with its timeline: one line of `export --to jsonl`, without the line end.
pub fn event_line(timeline: &TimelineName, event: &Event) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Head<'a> {
        timeline: &'a TimelineName,
    }
    Ok(splice(serde_json::to_string(&Head { timeline })?, &serde_json::to_string(event)?))
}

/// The JSON of a whole record: one line of `log --format jsonl`, without the line end.
///
/// With its salt the line carries all that the record's leaf covers, so that another store can take it over and
/// come to the same log root; of a record whose content was redacted see [`redacted_line`].
pub fn record_line(record: &Record, salt: Option<&[u8; 16]>) -> serde_json::Result<String> {
    line(record, salt.map(|salt| hex(salt)), None)
}

/// The same of a record whose content was redacted, with the commitment that is left of it: another store can take
/// the record over without its content and come to the same log root.
pub fn redacted_line(record: &Record, commitment: &[u8; 32]) -> serde_json::Result<String> {
    line(record, None, Some(hex(commitment)))
}

fn line(record: &Record, salt: Option<String>, commitment: Option<String>) -> serde_json::Result<String> {
    let Record { seq, recorded_at, recorded_by, timeline, id, op, content } = record;
    let mut head = RecordHead {
        seq: *seq,
        recorded_at: *recorded_at,
        recorded_by,
        op: *op,
        timeline,
        salt,
        commitment,
        id: Some(id),
        reason: None,
        redacted: false,
    };
    match content {
        Content::Event(event) => {
            // The event's own fields bring the id.
            head.id = None;
            return Ok(splice(serde_json::to_string(&head)?, &serde_json::to_string(event)?));
        }
        Content::Reason(reason) => head.reason = Some(reason),
        Content::Redacted => head.redacted = true,
    }
    serde_json::to_string(&head)
}

#[derive(Serialize)]
struct RecordHead<'a> {
    seq: Seq,
    recorded_at: RecordedAt,
    recorded_by: &'a str,
    op: Op,
    timeline: &'a TimelineName,
    #[serde(skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commitment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a EventId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    redacted: bool,
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        out
    })
}

/// One object with the fields of both, in this order; neither is empty.
fn splice(mut head: String, object: &str) -> String {
    head.pop();
    head.push(',');
    head.push_str(object.strip_prefix('{').unwrap_or(object));
    head
}

/// The second reading of a line that failed, to say at which field; the first one is faster without.
fn explain(text: &str) -> Invalid {
    let mut json = serde_json::Deserializer::from_str(text);
    let Err(error) = serde_path_to_error::deserialize::<_, Wire<'_>>(&mut json) else {
        return Invalid::new("more than one JSON value").with_hint("one object a line");
    };
    let path = error.path().to_string();
    let message = error.inner().to_string();
    // serde_json counts the line within this one text, which would contradict the file's line number.
    let message = message.replace(" at line 1 column ", " at column ");
    let mut invalid = Invalid::new(&message);
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let (field, _) = rest.split_once(',').unwrap_or((rest, ""));
        invalid = Invalid::new(format!("unknown field {field}"));
        let known = EVENT_FIELDS.iter().chain(OTHER_FIELDS).copied();
        invalid = match suggest::nearest(field.trim_matches('`'), known) {
            Some(known) => invalid.with_hint(format!("did you mean `{known}`?")),
            None => invalid.with_hint("what has no field of its own goes under `extra`"),
        };
        // The path ends with the unknown field itself where it is nested; the message names it already.
        let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
        return if parent.is_empty() { invalid } else { invalid.under(parent) };
    }
    if path == "." || path == "?" { invalid } else { invalid.under(path) }
}

/// The fields of an event in a line.
pub const EVENT_FIELDS: [&str; 14] = [
    "id",
    "timeline",
    "date",
    "kind",
    "title",
    "description",
    "actors",
    "place",
    "tags",
    "sources",
    "confidence",
    "links",
    "effects",
    "extra",
];

/// The fields of a record beside these, and those of their parts.
const OTHER_FIELDS: &[&str] = &[
    "op",
    "reason",
    "name",
    "role",
    "lat",
    "lon",
    "precision",
    "url",
    "quote",
    "locator",
    "archived",
    "sha256",
    "rel",
    "to",
    "entity",
    "attribute",
    "value",
    "when",
    "recorded_at",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    op: Option<Op>,
    id: Option<EventId>,
    timeline: Option<TimelineName>,
    #[serde(borrow)]
    date: Option<Cow<'a, str>>,
    kind: Option<String>,
    title: Option<String>,
    description: Option<String>,
    #[serde(default, deserialize_with = "few")]
    actors: Vec<Actor>,
    #[serde(borrow)]
    place: Option<PlaceLine<'a>>,
    #[serde(default, deserialize_with = "few")]
    tags: Vec<String>,
    #[serde(default, deserialize_with = "few")]
    sources: Vec<Source>,
    confidence: Option<u8>,
    #[serde(default, deserialize_with = "few")]
    links: Vec<Link>,
    #[serde(borrow, default)]
    effects: Vec<EffectLine<'a>>,
    #[serde(borrow)]
    extra: Option<&'a RawValue>,
    reason: Option<String>,
    // Assigned by the engine; read so that an exported record can be imported, and not used.
    #[serde(rename = "seq")]
    _seq: Option<u64>,
    recorded_at: Option<RecordedAt>,
    recorded_by: Option<String>,
    salt: Option<Cow<'a, str>>,
    commitment: Option<Cow<'a, str>>,
    #[serde(default)]
    redacted: bool,
    /// Noted while the salt is taken out.
    #[serde(skip)]
    is_salted: bool,
}

/// A list that mostly has one member. By itself it would take the room of four, which for large members is more than
/// all the rest of an event.
fn few<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct Few<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Few<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a sequence")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<Vec<T>, A::Error> {
            let Some(first) = members.next_element()? else { return Ok(Vec::new()) };
            let mut list = Vec::with_capacity(1);
            list.push(first);
            while let Some(next) = members.next_element()? {
                list.push(next);
            }
            Ok(list)
        }
    }

    deserializer.deserialize_seq(Few(PhantomData))
}

impl Wire<'_> {
    fn read(mut self) -> Result<Line, Invalid> {
        let timeline = self.timeline.take();
        let recorded_at = self.recorded_at.take();
        let recorded_by = self.recorded_by.take();
        if let Some(author) = &recorded_by {
            limits::name(author, limits::NAME).map_err(|e| e.under("recorded_by"))?;
        }
        self.is_salted = self.salt.is_some();
        let salt = self.salt.take().map(|hex| unhex(&hex)).transpose().map_err(|e| e.under("salt"))?;
        Ok(Line { timeline, recorded_by, recorded_at, salt, body: self.body()?, is_checked: true })
    }

    fn body(mut self) -> Result<Body, Invalid> {
        if self.redacted {
            return self.erased();
        }
        if self.commitment.take().is_some() {
            return Err(Invalid::new("goes only with `redacted`").under("commitment"));
        }
        match self.op.unwrap_or(Op::Append) {
            Op::Append => {
                let without_id = self.id.is_none();
                let event = Box::new(self.event()?);
                Ok(if without_id { Body::AppendWithoutId(event) } else { Body::Append(event) })
            }
            Op::Revise => {
                self.required_id()?;
                self.event().map(Box::new).map(Body::Revise)
            }
            Op::Retract => self.reason().map(|(id, reason)| Body::Retract { id, reason }),
            Op::Redact => self.reason().map(|(id, reason)| Body::Redact { id, reason }),
        }
    }

    /// A record whose content was redacted.
    fn erased(mut self) -> Result<Body, Invalid> {
        let op = self.op.unwrap_or(Op::Append);
        if op == Op::Redact {
            return Err(Invalid::new("a redaction is never redacted itself").under("redacted"));
        }
        let id = self.required_id()?;
        if self.says_more() || self.reason.is_some() || self.is_salted {
            return Err(Invalid::new("the line of a redacted record carries no content and no salt")
                .with_hint("it has the id, and the commitment to what was erased"));
        }
        let commitment = self.commitment.take().ok_or_else(|| {
            Invalid::new("is missing")
                .with_hint("`annals export --to jsonl --records` writes it for each redacted record")
                .under("commitment")
        })?;
        let commitment = unhex(&commitment).map_err(|e| e.under("commitment"))?;
        Ok(Body::Erased { id, op, commitment })
    }

    fn required_id(&self) -> Result<EventId, Invalid> {
        self.id.clone().ok_or_else(|| Invalid::new("is missing").under("id"))
    }

    /// Whether it has a field of an event's content.
    fn says_more(&self) -> bool {
        let texts = [&self.title, &self.kind, &self.description];
        texts.iter().any(|text| text.is_some())
            || self.date.is_some()
            || self.place.is_some()
            || self.confidence.is_some()
            || self.extra.is_some()
            || !(self.actors.is_empty() && self.tags.is_empty() && self.sources.is_empty())
            || !(self.links.is_empty() && self.effects.is_empty())
    }

    /// What a retraction or a redaction carries.
    fn reason(self) -> Result<(EventId, String), Invalid> {
        let id = self.required_id()?;
        if self.says_more() {
            let what = if self.op == Some(Op::Redact) { "a redaction" } else { "a retraction" };
            return Err(Invalid::new(format!("{what} carries only an id and a reason"))
                .with_hint("to correct the event, use the operation `revise`"));
        }
        let reason = self.reason.ok_or_else(|| Invalid::new("is missing").under("reason"))?;
        crate::write::reason_within_limits(&reason)?;
        Ok((id, reason))
    }

    fn event(self) -> Result<Event, Invalid> {
        if self.reason.is_some() {
            return Err(Invalid::new("goes with `retract` and `redact` only").under("reason"));
        }
        let title = self.title.ok_or_else(|| Invalid::new("is missing").under("title"))?;
        // A stand-in that `into_entry` replaces; it never reaches a log.
        let id = self.id.map_or_else(|| EventId::new("new"), Ok)?;
        let mut effects = Vec::with_capacity(self.effects.len());
        for (index, effect) in self.effects.into_iter().enumerate() {
            effects.push(effect.read().map_err(|e| e.under(format!("effects[{index}]")))?);
        }
        let event = Event {
            id,
            date: self.date.map(|text| read_date(&text)).transpose()?,
            kind: self.kind,
            title,
            description: self.description,
            actors: self.actors,
            place: self.place.map(PlaceLine::read).transpose().map_err(|e| e.under("place"))?,
            tags: self.tags,
            sources: self.sources,
            confidence: self.confidence,
            links: self.links,
            effects,
            extra: self.extra.map(Extra::from_json).transpose().map_err(|e| e.under("extra"))?,
        };
        // Each effect was checked when it was read.
        event.check_around_effects()?;
        Ok(event)
    }
}

fn read_date(text: &str) -> Result<Date, Invalid> {
    Date::parse(text).map_err(|e| Invalid::from(e).under("date"))
}

fn unhex<const N: usize>(text: &str) -> Result<[u8; N], Invalid> {
    let mut bytes = [0; N];
    let digits = text.as_bytes();
    let well_formed = digits.len() == 2 * N && digits.iter().all(u8::is_ascii_hexdigit);
    if !well_formed {
        return Err(Invalid::new(format!("must be {} hexadecimal digits", 2 * N)));
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |b: u8| char::from(b).to_digit(16).unwrap_or(0);
        *byte = u8::try_from(digit(pair[0]) * 16 + digit(pair[1])).unwrap_or(0);
    }
    Ok(bytes)
}
