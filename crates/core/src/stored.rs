//! A record as the log holds it: with its salt and the event's record before it.

use annals_model::line::{record_line, redacted_line};
use annals_model::{Content, Event, EventId, Invalid, Op, Record, RecordedAt, Seq, TimelineName, limits};

use crate::codec::frame::{Encoded, RawRecord};
use crate::codec::held;
use crate::codec::leaf::{Salt, commitment, content_json, op_number, op_of, record_leaf};
use crate::codec::v1::{self, Claims, Details, Head, Seal};
use crate::merkle::Hash;
use crate::{Damage, Error, Result};

/// Bytes that a header seldom exceeds.
pub const USUAL: usize = 160;

/// A record with what binds it to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// The record.
    pub record: Record,
    /// The event's record before this one.
    pub previous: Option<Seq>,
    /// What binds its content to its leaf.
    pub seal: Seal,
}

impl StoredRecord {
    /// The salt of its commitment; gone once redacted.
    pub const fn salt(&self) -> Option<&Salt> {
        match &self.seal {
            Seal::Salt(salt) => Some(salt),
            Seal::Commitment(_) => None,
        }
    }

    /// The commitment to its content.
    pub fn commitment(&self) -> Result<Hash> {
        match &self.seal {
            Seal::Commitment(commitment) => Ok(*commitment),
            Seal::Salt(salt) => Ok(commitment(salt, &self.content_json()?)),
        }
    }

    /// The hash of its leaf.
    pub fn leaf(&self) -> Result<Hash> {
        Ok(record_leaf(&self.record, &self.commitment()?))
    }

    /// Encodes the record and hashes its leaf. Its content is written as JSON once for both the leaf and the limit
    /// on its size.
    pub fn seal(&self) -> Result<(Encoded, Hash)> {
        if let Seal::Commitment(_) = &self.seal {
            return Ok((self.encode()?, self.leaf()?));
        }
        let json = self.content_json()?;
        within_limit(&json)?;
        let leaf = match &self.seal {
            Seal::Commitment(_) => self.leaf()?,
            Seal::Salt(salt) => record_leaf(&self.record, &commitment(salt, &json)),
        };
        Ok((self.encode()?, leaf))
    }

    /// The record as one line of JSON Lines, with all that its leaf covers.
    pub fn line(&self) -> serde_json::Result<String> {
        match &self.seal {
            Seal::Salt(salt) => record_line(&self.record, Some(salt)),
            Seal::Commitment(commitment) => redacted_line(&self.record, commitment),
        }
    }

    /// Its content as JSON, which the commitment is made over.
    pub fn content_json(&self) -> Result<Vec<u8>> {
        let content = content_json(&self.record.content).map_err(|e| self.unreadable(&e))?;
        Ok(content.ok_or_else(|| self.unreadable("its content is missing"))?)
    }

    /// Encodes the record, and makes sure that it decodes to itself.
    pub fn encode(&self) -> Result<Encoded> {
        let record = &self.record;
        same(self.is_of_one_piece())?;
        let (mut claims, mut details) = (Vec::new(), Vec::new());
        match &record.content {
            Content::Event(event) => {
                let end = add_event(event, &mut claims)?;
                details = claims.split_off(end);
            }
            Content::Reason(reason) => {
                details = v1::encode(&reason.as_str()).map_err(|what| bug(&what))?;
                same(v1::decode::<&str>(&details).map_err(|what| bug(&what))? == reason)?;
            }
            Content::Redacted => {}
        }
        let head = Heading {
            op: record.op,
            recorded_at: record.recorded_at,
            previous: self.previous,
            timeline: record.timeline.as_str(),
            id: record.id.as_str(),
            recorded_by: &record.recorded_by,
            seal: self.seal,
        };
        Ok(Encoded { head: head.encode(&claims, &details)?, claims, details })
    }

    /// Whether its parts fit each other, so that what decodes them puts the same record together.
    fn is_of_one_piece(&self) -> bool {
        let record = &self.record;
        let content_fits = match (&record.content, record.op, &self.seal) {
            (Content::Event(event), Op::Append | Op::Revise, Seal::Salt(_)) => event.id == record.id,
            (Content::Reason(_), Op::Retract | Op::Redact, Seal::Salt(_))
            | (Content::Redacted, _, Seal::Commitment(_)) => true,
            _ => false,
        };
        content_fits && self.previous != Some(Seq(0))
    }

    /// Decodes a frame's record.
    pub fn decode(raw: &RawRecord<'_>) -> Result<Self, Damage> {
        Self::read(raw).map_err(|what| Damage::of(raw.seq, raw.seq, what))
    }

    fn read(raw: &RawRecord<'_>) -> Result<Self, String> {
        let head = &raw.head;
        if head.schema != v1::SCHEMA {
            return Err(format!("has the unknown schema version {}", head.schema));
        }
        let op = op_of(head.op).ok_or_else(|| format!("has the unknown operation {}", head.op))?;
        let id = EventId::new(head.id).map_err(|e| e.to_string())?;
        let content = match (op, head.seal) {
            (_, Seal::Commitment(_)) => Content::Redacted,
            (Op::Append | Op::Revise, Seal::Salt(_)) => {
                let claims: Claims<'_> = v1::decode(raw.claims)?;
                let details: Details<'_> = v1::decode(raw.details)?;
                let (date, effects) = claims.read().map_err(|e| e.to_string())?;
                let event = details.read(id.clone(), date, effects).map_err(|e| e.to_string())?;
                Content::Event(Box::new(event))
            }
            (Op::Retract | Op::Redact, Seal::Salt(_)) => Content::Reason(v1::decode::<String>(raw.details)?),
        };
        let record = Record {
            seq: raw.seq,
            recorded_at: RecordedAt::from_micros(head.recorded_at),
            recorded_by: head.recorded_by.to_owned(),
            timeline: TimelineName::new(head.timeline).map_err(|e| e.to_string())?,
            id,
            op,
            content,
        };
        let previous = (head.previous != 0).then_some(Seq(head.previous));
        Ok(Self { record, previous, seal: head.seal })
    }

    fn unreadable(&self, what: &str) -> Damage {
        Damage::of(self.record.seq, self.record.seq, what)
    }
}

/// What the header of a record says beside the lengths of its content.
pub struct Heading<'a> {
    /// What the record does.
    pub op: Op,
    /// When it was recorded.
    pub recorded_at: RecordedAt,
    /// The event's record before it.
    pub previous: Option<Seq>,
    /// The timeline.
    pub timeline: &'a str,
    /// The event.
    pub id: &'a str,
    /// Who recorded it.
    pub recorded_by: &'a str,
    /// What binds its content to its leaf.
    pub seal: Seal,
}

impl Heading<'_> {
    /// Encodes the header of a record with this content.
    pub fn encode(&self, claims: &[u8], details: &[u8]) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(USUAL);
        self.add(claims, details, &mut bytes)?;
        Ok(bytes)
    }

    /// Adds the header of a record with this content to bytes, and makes sure that it decodes to itself.
    pub fn add(&self, claims: &[u8], details: &[u8], bytes: &mut Vec<u8>) -> Result<()> {
        let size = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(|e| bug(&e.to_string()));
        let of_head = Head {
            op: op_number(self.op),
            schema: v1::SCHEMA,
            recorded_at: self.recorded_at.micros(),
            previous: self.previous.map_or(0, |seq| seq.0),
            timeline: self.timeline,
            id: self.id,
            recorded_by: self.recorded_by,
            seal: self.seal,
            claims: size(claims)?,
            details: size(details)?,
        };
        let start = bytes.len();
        v1::add_head(&of_head, bytes).map_err(|what| bug(&what))?;
        same(held::is_head(&bytes[start..], &of_head) && op_of(of_head.op) == Some(self.op))
    }
}

/// Adds an event to bytes, what replay reads of it and what people read, and makes sure that both decode to it. Gives where
/// the one ends.
pub fn add_event(event: &Event, bytes: &mut Vec<u8>) -> Result<usize> {
    let start = bytes.len();
    v1::add_claims(event, bytes).map_err(|what| bug(&what))?;
    let end = bytes.len();
    v1::add_details(event, bytes).map_err(|what| bug(&what))?;
    same(is_encoded(&bytes[start..end], &bytes[end..], event))?;
    Ok(end)
}

/// Whether bytes decode to an event, but for its id.
pub fn is_encoded(claims: &[u8], details: &[u8], event: &Event) -> bool {
    held::are_claims(claims, event) && held::are_details(details, event)
}

/// Whether what was encoded is what it decodes to.
fn same(is_same: bool) -> Result<()> {
    if is_same { Ok(()) } else { Err(bug("it decodes to another record")) }
}

fn bug(what: &str) -> Error {
    let message = format!("the record cannot be encoded: {what}");
    Error::unavailable(message, "this is a fault of Annals: report it")
}

/// Checks that the JSON of a content is not too large.
pub fn within_limit(json: &[u8]) -> Result<()> {
    if json.len() <= limits::EVENT {
        return Ok(());
    }
    let message = format!("the event has {} bytes as JSON, the limit is {}", json.len(), limits::EVENT);
    let hint = "keep long texts in files, and their addresses and hashes in `sources`";
    Err(Invalid::new(message).with_hint(hint).into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code: a panic is how a test fails")]

    use annals_model::{TimelineName, line::Line};

    use super::*;

    fn event(json: &str) -> Box<Event> {
        let timeline = TimelineName::new("main").unwrap();
        let entry = Line::parse(json).unwrap().into_entry(&timeline, || EventId::new("new").unwrap());
        let annals_model::Write::Append(event) = entry.write else { unreachable!("a line without `op`") };
        event
    }

    /// Every field that an event can have.
    const WHOLE: &str = r#"{"id":"e1","date":"2004-06/2005","kind":"k","title":"t","description":"d",
        "actors":[{"name":"a","role":"r"},{"name":"b"}],
        "place":{"name":"p","lat":-18.5,"lon":72.25,"precision":"city"},"tags":["x","y"],
        "sources":[{"title":"s","url":"https://example.org","date":"2004?","quote":"q","locator":"1","archived":"z",
            "sha256":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}],
        "confidence":80,"links":[{"rel":"follows","to":"e0"}],
        "effects":[{"op":"set","entity":"e","attribute":"a","value":["m",1,true]},
            {"op":"increase","entity":"e","attribute":"n","value":0.5,"when":"end"},
            {"op":"clear","entity":"e","attribute":"c"},{"op":"add","entity":"e","attribute":"s","value":"v"}],
        "extra":{"free":[1,2]}}"#;

    fn encoded(event: &Event) -> (Vec<u8>, Vec<u8>) {
        let mut claims = Vec::new();
        let end = add_event(event, &mut claims).unwrap();
        let details = claims.split_off(end);
        (claims, details)
    }

    /// What bincode reads of bytes, if it reads them.
    fn decoded(claims: &[u8], details: &[u8], id: &EventId) -> Option<Event> {
        let (date, effects) = v1::decode::<Claims<'_>>(claims).ok()?.read().ok()?;
        v1::decode::<Details<'_>>(details).ok()?.read(id.clone(), date, effects).ok()
    }

    /// An event without lists and options, one with a plain date, and one with every field.
    fn events() -> Vec<Event> {
        let lines = [WHOLE, r#"{"id":"e1","title":"t"}"#, r#"{"id":"e1","title":"t","date":"2004-06-11"}"#];
        lines.iter().map(|line| *event(&line.replace('\n', ""))).collect()
    }

    #[test]
    fn an_event_is_encoded_as_bincode_encodes_its_shapes() {
        for event in events() {
            let (claims, details) = encoded(&event);
            assert_eq!(decoded(&claims, &details, &event.id).as_ref(), Some(&event));
            assert_eq!(v1::encode(&v1::decode::<Claims<'_>>(&claims).unwrap()), Ok(claims));
            assert_eq!(v1::encode(&v1::decode::<Details<'_>>(&details).unwrap()), Ok(details));
        }
    }

    #[test]
    fn bytes_that_are_not_an_event_are_not_read_as_it() {
        for event in events() {
            let (claims, details) = encoded(&event);
            assert!(held::are_claims(&claims, &event) && held::are_details(&details, &event));
            changed(&claims, |other| {
                let is_read = held::are_claims(other, &event);
                assert!(!is_read, "{other:?} of {claims:?}");
                assert_ne!(decoded(other, &details, &event.id).as_ref(), Some(&event));
            });
            changed(&details, |other| {
                let is_read = held::are_details(other, &event);
                assert!(!is_read, "{other:?} of {details:?}");
                assert_ne!(decoded(&claims, other, &event.id).as_ref(), Some(&event));
            });
        }
    }

    /// The same bytes cut, with a byte more, and with each bit turned over.
    fn changed(bytes: &[u8], check: impl Fn(&[u8])) {
        for at in 0..bytes.len() {
            check(&bytes[..at]);
            for bit in 0..8 {
                let mut other = bytes.to_vec();
                other[at] ^= 1 << bit;
                check(&other);
            }
        }
        check(&[bytes, &[0]].concat());
    }

    #[test]
    fn numbers_of_every_length_are_read_as_bincode_reads_them() {
        let lengths = [0, 1, 250, 251, 0xffff, 0x1_0000];
        for length in lengths {
            let mut event = Event::new(EventId::new("e1").unwrap(), "t");
            event.description = Some("d".repeat(length));
            let (claims, details) = encoded(&event);
            assert_eq!(decoded(&claims, &details, &event.id), Some(event));
        }
        for digits in [0_i64, 62, 63, 64, 125, 126, 32_767, 32_768, 1 << 31, (1 << 49) - 1] {
            for number in [digits, -digits] {
                for places in ["", "e-3", "e-9"] {
                    let line = format!(
                        r#"{{"id":"e1","title":"t","effects":[{{"op":"increase","entity":"e","attribute":"n","value":{number}{places}}}]}}"#
                    );
                    let event = event(&line);
                    let (claims, details) = encoded(&event);
                    assert_eq!(decoded(&claims, &details, &event.id).as_ref(), Some(&*event), "{line}");
                }
            }
        }
    }

    #[test]
    fn a_header_is_encoded_as_bincode_encodes_it() {
        for seal in [Seal::Salt([7; 16]), Seal::Commitment([0xfe; 32])] {
            for (number, text) in [(0, ""), (250, "é"), (1 << 40, "of some length, and a little more")] {
                let head = Head {
                    op: 3,
                    schema: 1,
                    recorded_at: -5_i64 << (number % 60),
                    previous: number,
                    timeline: text,
                    id: "e1",
                    recorded_by: text,
                    seal,
                    claims: u32::try_from(number % 100_000).unwrap(),
                    details: u32::MAX,
                };
                let mut bytes = Vec::new();
                v1::add_head(&head, &mut bytes).unwrap();
                assert_eq!(v1::encode(&head), Ok(bytes.clone()));
                assert_eq!(v1::decode::<Head<'_>>(&bytes), Ok(head));
                let head = v1::decode(&bytes).unwrap();
                assert!(held::is_head(&bytes, &head));
                changed(&bytes, |other| assert!(!held::is_head(other, &head), "{other:?} of {bytes:?}"));
            }
        }
    }

    #[test]
    fn another_event_is_not_read() {
        let whole = event(&WHOLE.replace('\n', ""));
        let (claims, details) = encoded(&whole);
        let changes: [fn(&mut Event); 12] = [
            |e| e.date = None,
            |e| drop(e.effects.pop()),
            |e| e.effects.swap(0, 1),
            |e| e.title.push('!'),
            |e| e.kind = None,
            |e| e.description = None,
            |e| e.actors.swap(0, 1),
            |e| e.place = None,
            |e| e.tags.push("z".to_owned()),
            |e| e.sources.clear(),
            |e| e.confidence = Some(81),
            |e| e.extra = None,
        ];
        for (index, change) in changes.into_iter().enumerate() {
            let mut other = whole.clone();
            change(&mut other);
            assert!(!is_encoded(&claims, &details, &other), "change {index}");
        }
    }
}
