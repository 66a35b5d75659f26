//! Reading a piece of the log: which records it has, and which claims of theirs may hold at D.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use annals_model::date::Span;
use annals_model::gather::Mark;
use annals_model::{Date, EventId, Moment, Ongoing, Op, Question, Reached, Seq};

use super::gathering::Sought;
use crate::codec::frame::{Packed, Unpacker};
use crate::codec::heads::heads;
use crate::codec::leaf::op_of;
use crate::codec::v1::{self, Head, Seal};
use crate::log::Log;
use crate::{Damage, Result};

/// Dates other than plain ones that are remembered.
const DATES: usize = 1024;

/// The name of an attribute: the length of the entity's name, that name, and the attribute's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name(Box<[u8]>);

/// What was read of a piece of the log.
#[derive(Debug, Default)]
pub struct Piece {
    /// The headers and the claims of each frame.
    texts: Vec<(Vec<u8>, Vec<u8>)>,
    /// The timeline's records, in order.
    pub records: Vec<Seen>,
    /// The claims that may hold, in order, with the attribute's number.
    pub claims: Vec<(u32, Mark)>,
}

/// What was seen of a record.
#[derive(Debug)]
pub struct Seen {
    /// Its position.
    pub seq: Seq,
    /// The event's record before it.
    pub previous: Option<Seq>,
    /// Whether its event had begun, if nothing supersedes the record; `None` where it withdraws the event.
    pub reached: Option<Reached>,
    /// What goes on, if nothing supersedes the record.
    pub ongoing: Option<Box<Ongoing>>,
    /// Its claims among those of the piece.
    pub claims: Range<usize>,
    frame: usize,
    id: Range<usize>,
    text: Range<usize>,
}

/// What reads pieces, one after the other.
pub struct Reader<'a, L> {
    log: &'a L,
    question: &'a Question,
    until: Moment,
    /// The last record that counts.
    to: Seq,
    sought: Sought<'a>,
    unpacker: Unpacker,
    dates: HashMap<Box<str>, Date>,
    /// The attributes that this reader has seen.
    pub names: Names,
}

/// Attributes by numbers of the reader's own.
#[derive(Debug, Default)]
pub struct Names {
    numbers: HashMap<Name, Option<u32>>,
    /// Those that got a number since somebody asked last.
    pub new: Vec<Name>,
    next: u32,
    key: Vec<u8>,
}

impl Name {
    /// The entity's name and the attribute's.
    pub fn parts(&self) -> (&str, &str) {
        let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
        let Some((length, names)) = self.0.split_first_chunk::<4>() else { return ("", "") };
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        names.split_at_checked(length).map_or(("", ""), |(entity, attribute)| (text(entity), text(attribute)))
    }
}

impl std::borrow::Borrow<[u8]> for Name {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl Names {
    /// The number of an attribute; `None` where it is not to be read.
    fn number(&mut self, entity: &str, attribute: &str, only: Option<&HashSet<Name>>) -> Option<u32> {
        let length = u32::try_from(entity.len()).ok()?;
        self.key.clear();
        self.key.extend(length.to_le_bytes());
        self.key.extend(entity.as_bytes());
        self.key.extend(attribute.as_bytes());
        if let Some(number) = self.numbers.get(self.key.as_slice()) {
            return *number;
        }
        let name = Name(self.key.as_slice().into());
        let number = only.is_none_or(|only| only.contains(&name)).then(|| {
            self.new.push(name.clone());
            self.next += 1;
            self.next - 1
        });
        self.numbers.insert(name, number);
        number
    }
}

impl Piece {
    /// A record's id and the bytes of its claims.
    pub fn text(&self, seen: &Seen) -> (&[u8], &[u8]) {
        let (heads, claims) = &self.texts[seen.frame];
        (&heads[seen.id.clone()], &claims[seen.text.clone()])
    }
}

/// Where a frame's records stand in its sections while they are read.
struct Place {
    seq: Seq,
    claims: usize,
    details: usize,
}

impl<'a, L: Log> Reader<'a, L> {
    /// A reader of the records up to `to`, for a question.
    pub fn new(log: &'a L, question: &'a Question, to: Seq, sought: Sought<'a>) -> Result<Self> {
        Ok(Self {
            log,
            question,
            until: question.as_of.until(),
            to,
            sought,
            unpacker: Unpacker::new()?,
            dates: HashMap::new(),
            names: Names::default(),
        })
    }

    /// Reads the records from `first` to `last`, both included; no frame may reach over these bounds.
    pub fn read(&mut self, first: Seq, last: Seq) -> Result<Piece> {
        let mut piece = Piece::default();
        let mut expected = first;
        for stored in self.log.frames(first) {
            let (key, bytes) = stored?;
            if key != expected {
                break;
            }
            let packed = Packed::check(key, &bytes)?;
            self.read_frame(key, &packed, &mut piece)?;
            expected = packed.last().next();
            if expected > last {
                return Ok(piece);
            }
        }
        Err(Damage::of(expected, last, "missing from the log").into())
    }

    fn read_frame(&mut self, first: Seq, packed: &Packed<'_>, piece: &mut Piece) -> Result<()> {
        let headers = packed.heads(&mut self.unpacker)?;
        let claims = packed.claims(&mut self.unpacker)?;
        let mut details: Option<Vec<u8>> = None;
        let mut place = Place { seq: first, claims: 0, details: 0 };
        for head in heads(&headers) {
            let damaged = |what: String| Damage::of(place.seq, packed.last(), what);
            let head = head.map_err(damaged)?;
            let text = place.claims..place.claims.saturating_add(head.claims as usize);
            let told = place.details..place.details.saturating_add(head.details as usize);
            if place.seq <= self.to && head.timeline == self.question.timeline.as_str() {
                let bytes = claims.get(text.clone()).ok_or_else(|| damaged("is cut short".to_owned()))?;
                let from = piece.claims.len();
                let (reached, goes_on) = self.read_claims(&head, bytes, piece).map_err(damaged)?;
                let mut ongoing = None;
                if let Some(date_and_certainty) = goes_on {
                    let details = match &mut details {
                        Some(details) => details,
                        none => none.insert(packed.details(&mut self.unpacker)?),
                    };
                    let told = details.get(told.clone()).ok_or_else(|| damaged("is cut short".to_owned()))?;
                    ongoing = Some(Box::new(entry(&head, told, date_and_certainty).map_err(damaged)?));
                }
                let id = head.id.as_ptr().addr() - headers.as_ptr().addr();
                piece.records.push(Seen {
                    seq: place.seq,
                    previous: (head.previous != 0).then_some(Seq(head.previous)),
                    reached,
                    ongoing,
                    claims: from..piece.claims.len(),
                    frame: piece.texts.len(),
                    id: id..id + head.id.len(),
                    text: text.clone(),
                });
            }
            place = Place { seq: place.seq.next(), claims: text.end, details: told.end };
        }
        if place.seq != packed.last().next() {
            return Err(Damage::of(place.seq, packed.last(), "missing from the log").into());
        }
        piece.texts.push((headers, claims));
        Ok(())
    }

    /// Adds the claims of a record that may hold. Answers whether its event had begun, and whether it goes on.
    fn read_claims(
        &mut self,
        head: &Head<'_>,
        bytes: &[u8],
        piece: &mut Piece,
    ) -> Result<(Option<Reached>, Option<GoesOn>), String> {
        if head.schema != v1::SCHEMA {
            return Err(format!("has the unknown schema version {}", head.schema));
        }
        let op = op_of(head.op).ok_or_else(|| format!("has the unknown operation {}", head.op))?;
        if matches!(op, Op::Retract | Op::Redact) || matches!(head.seal, Seal::Commitment(_)) {
            return Ok((None, None));
        }
        let (text, effects) = v1::glance(bytes)?;
        let plain = match text {
            None => Some(Span::UNDATED),
            Some(text) => Date::plain_span(text),
        };
        let (happenings, is_interval) = match (&plain, text) {
            (Some(span), _) => (std::slice::from_ref(span), false),
            (None, text) => {
                let date = remembered(&mut self.dates, text.unwrap_or_default())?;
                (date.happenings(), date.is_interval())
            }
        };
        let is_plain = !is_interval && happenings.len() == 1;
        let effects = effects.filter(|_| !matches!(self.sought, Sought::Events));
        let only = match self.sought {
            Sought::Only(only) => Some(only),
            Sought::Everything | Sought::Events => None,
        };
        for (position, effect) in effects.enumerate() {
            let effect = effect?;
            if !self.question.asks_for(effect.entity) {
                continue;
            }
            let mark =
                |span: &Span| Mark { span: *span, when: effect.when, does: effect.does, position, is_plain };
            let mut marks =
                happenings.iter().map(mark).filter(|mark| mark.may_hold(self.question)).peekable();
            if marks.peek().is_none() {
                continue;
            }
            if let Some(number) = self.names.number(effect.entity, effect.attribute, only) {
                piece.claims.extend(marks.map(|mark| (number, mark)));
            }
        }
        let reached = Reached::of(happenings, self.until);
        // What goes on was found the first time already where some attributes are read again.
        let certainty = Ongoing::certainty_of(happenings, self.until).filter(|_| only.is_none());
        let goes_on = certainty.map(|certainty| (text.map(str::to_owned), certainty));
        Ok((Some(reached), goes_on))
    }
}

/// The date of what goes on, and how sure it is that it does.
type GoesOn = (Option<String>, annals_model::Certainty);

fn entry(head: &Head<'_>, details: &[u8], (date, certainty): GoesOn) -> Result<Ongoing, String> {
    let date = date.map(|text| Date::parse(&text)).transpose().map_err(|e| e.to_string())?;
    let id = EventId::new(head.id).map_err(|e| e.to_string())?;
    Ok(Ongoing { id, date, title: v1::title(details)?.to_owned(), certainty })
}

/// A date that is no plain one, parsed once where it is used often.
fn remembered<'d>(dates: &'d mut HashMap<Box<str>, Date>, text: &str) -> Result<&'d Date, String> {
    if !dates.contains_key(text) {
        if dates.len() >= DATES {
            dates.clear();
        }
        dates.insert(text.into(), Date::parse(text).map_err(|e| e.to_string())?);
    }
    dates.get(text).ok_or_else(|| "has no date".to_owned())
}
