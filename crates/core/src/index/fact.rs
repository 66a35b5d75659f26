//! A fact: one effect of one version of an event, as a run holds it.
//!
//! ```text
//! flags     what it does (3 bits), when (2 bits), 32: its bounds follow, 64: alone in its event, 128: the id is a UUID
//! numbers   record, record minus the event's place, position in the event, length of what follows
//! bounds    the first moment (zigzag) and the seconds to the last one, where the date is one happening and no interval
//! amount    of an increase: its digits (zigzag) and how many of them stand behind the point
//! text      the id, the date's length plus 1 (0 where there is none) and text, the change as the log encodes it
//! ```
//!
//! All that tells whether a fact leaves a trace stands in front of the text, so that most texts are never read.
//! Numbers are LEB128.

use std::collections::HashMap;

use annals_model::date::{Range, Span};
use annals_model::reduce::{Deed, Kind, Sketch};
use annals_model::{Change, Date, Effect, Event, EventId, Moment, Number, Seq, When};

use super::bytes::{Input, put_bytes, put_number, put_zigzag};
use crate::codec::v1;
use crate::{Error, Result};

const BOUNDED: u8 = 32;
const ALONE: u8 = 64;
const UUID: u8 = 128;
const ADD: u8 = 5;
const REMOVE: u8 = 6;
/// Dates other than bounded ones that are remembered.
const DATES: usize = 4096;

/// One effect of one version of an event, not read further than needed to tell whether it leaves a trace.
#[derive(Clone, Copy, Debug)]
pub struct Fact<'a> {
    /// The record of the version.
    pub seq: Seq,
    /// The event's place in the log.
    pub place: Seq,
    flags: u8,
    position: usize,
    bounds: Option<Range>,
    amount: Number,
    text: Text<'a>,
}

/// The rest of a fact: id, date and change.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    bytes: &'a [u8],
    has_uuid: bool,
}

/// Where a fact comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The record of the version.
    pub seq: Seq,
    /// The event's place in the log.
    pub place: Seq,
    /// The event.
    pub id: &'a EventId,
    /// Its date.
    pub date: Option<&'a Date>,
}

/// Appends a fact as it stands in a run. `is_alone` says that its event does nothing else to the attribute.
pub fn put(
    into: &mut Vec<u8>,
    origin: Origin<'_>,
    effect: &Effect,
    position: usize,
    is_alone: bool,
) -> Result<()> {
    let Origin { seq, place, id, date } = origin;
    let bounds = bounds(date);
    let uuid = uuid::Uuid::try_parse(id.as_str()).ok().filter(|uuid| uuid.to_string() == id.as_str());
    let flag = |is: bool, flag: u8| if is { flag } else { 0 };
    let does = match Deed::of(&effect.change, |_| 0) {
        Deed::Replace(Kind::Nothing) => 0,
        Deed::Replace(Kind::Number) => 1,
        Deed::Replace(Kind::Plain) => 2,
        Deed::Replace(Kind::Set) => 3,
        Deed::Increase(_) => 4,
        Deed::Add(_) => ADD,
        Deed::Remove(_) => REMOVE,
    };
    let when = match effect.when {
        When::Start => 0,
        When::End => 1,
        When::During => 2,
    };
    let flags = flag(bounds.is_some(), BOUNDED) | flag(is_alone, ALONE) | flag(uuid.is_some(), UUID);
    into.push(does | when << 3 | flags);
    put_number(into, seq.0);
    put_number(into, seq.0 - place.0);
    put_number(into, position as u64);
    let mut rest = Vec::with_capacity(64);
    if let Some(Range { earliest, latest }) = bounds {
        put_zigzag(&mut rest, earliest.seconds().into());
        put_number(&mut rest, latest.seconds().wrapping_sub(earliest.seconds()).cast_unsigned());
    }
    if let Change::Increase(by) = &effect.change {
        let (digits, places) = by.parts();
        put_zigzag(&mut rest, digits);
        rest.push(places);
    }
    match uuid {
        Some(uuid) => rest.extend(uuid.as_bytes()),
        None => put_bytes(&mut rest, id.as_str().as_bytes()),
    }
    match date {
        Some(date) => {
            put_number(&mut rest, date.as_str().len() as u64 + 1);
            rest.extend(date.as_str().as_bytes());
        }
        None => put_number(&mut rest, 0),
    }
    let bug = |what| Error::unavailable(format!("cannot index: {what}"), "report this");
    rest.extend(v1::encode_change(&effect.change).map_err(bug)?);
    put_bytes(into, &rest);
    Ok(())
}

/// The bounds of a date that is one happening and no interval.
fn bounds(date: Option<&Date>) -> Option<Range> {
    let Some(date) = date else { return Some(Range::ANY) };
    match date.happenings() {
        [span] if !date.is_interval() && span.start == span.end => Some(span.start),
        _ => None,
    }
}

impl<'a> Fact<'a> {
    /// Reads a fact; nothing where it cannot be read.
    pub fn read(input: &mut Input<'a>) -> Option<Self> {
        let flags = input.byte()?;
        let (seq, back, position) = (input.number()?, input.number()?, input.number()?);
        let mut rest = Input(input.bytes()?);
        let bounds = if flags & BOUNDED == 0 {
            None
        } else {
            let earliest = i64::try_from(rest.zigzag()?).ok()?;
            let latest = earliest.wrapping_add_unsigned(rest.number()?);
            Some(Range { earliest: Moment::from_seconds(earliest), latest: Moment::from_seconds(latest) })
        };
        let amount = if flags & 7 == 4 {
            let digits = rest.zigzag()?;
            Number::from_parts(digits, rest.byte()?)?
        } else {
            Number::ZERO
        };
        Some(Self {
            seq: Seq(seq),
            place: Seq(seq.checked_sub(back)?),
            flags,
            position: usize::try_from(position).ok()?,
            bounds,
            amount,
            text: Text { bytes: rest.0, has_uuid: flags & UUID != 0 },
        })
    }

    /// The rest of it.
    pub const fn text(&self) -> Text<'a> {
        self.text
    }

    /// Whether it adds or removes a member.
    pub const fn touches_a_member(&self) -> bool {
        matches!(self.flags & 7, ADD | REMOVE)
    }

    /// What it does, as far as it matters what the attribute is used for.
    pub fn deed(&self) -> Option<Deed> {
        self.does(0)
    }

    fn does(&self, member: u32) -> Option<Deed> {
        Some(match self.flags & 7 {
            0 => Deed::Replace(Kind::Nothing),
            1 => Deed::Replace(Kind::Number),
            2 => Deed::Replace(Kind::Plain),
            3 => Deed::Replace(Kind::Set),
            4 => Deed::Increase(self.amount),
            ADD => Deed::Add(member),
            REMOVE => Deed::Remove(member),
            _ => return None,
        })
    }

    /// What tells whether its claims leave a trace, one for each happening; `member` is the number of the member.
    pub fn sketches(&self, dates: &mut Dates, member: u32, mut take: impl FnMut(Sketch)) -> Option<()> {
        let deed = self.does(member)?;
        let when = match self.flags >> 3 & 3 {
            0 => When::Start,
            1 => When::End,
            2 => When::During,
            _ => return None,
        };
        let (place, position) = (self.place, self.position);
        let sketch = |span, is_interval, is_simple| Sketch {
            span,
            when,
            deed,
            place,
            position,
            is_interval,
            is_simple,
        };
        if let Some(range) = self.bounds {
            take(sketch(Span::within(range), false, true));
            return Some(());
        }
        let date = dates.get(self.text.parts()?.1?)?;
        let is_alone = self.flags & ALONE != 0;
        for span in date.happenings() {
            take(sketch(*span, date.is_interval(), is_alone));
        }
        Some(())
    }
}

impl<'a> Text<'a> {
    /// A text that was kept elsewhere.
    pub const fn new(bytes: &'a [u8], has_uuid: bool) -> Self {
        Self { bytes, has_uuid }
    }

    /// Its bytes, and whether the id is a UUID.
    pub const fn bytes(self) -> (&'a [u8], bool) {
        (self.bytes, self.has_uuid)
    }

    /// The id, the date and the change, as they are stored.
    fn parts(self) -> Option<(&'a [u8], Option<&'a str>, &'a [u8])> {
        let mut input = Input(self.bytes);
        let id = if self.has_uuid { input.take(16)? } else { input.bytes()? };
        let date = match input.number()?.checked_sub(1) {
            Some(length) => Some(std::str::from_utf8(input.take(usize::try_from(length).ok()?)?).ok()?),
            None => None,
        };
        Some((id, date, input.0))
    }

    /// What tells a member from the others.
    pub fn member(self) -> Option<&'a [u8]> {
        self.parts()?.2.get(1..)
    }

    /// The event, with nothing but its id, its date and this effect.
    pub fn event(self, entity: &str, attribute: &str, when: When, sum: Option<Number>) -> Option<Event> {
        let (id, date, change) = self.parts()?;
        let id = if self.has_uuid {
            let mut buffer = uuid::Uuid::encode_buffer();
            EventId::new(&*uuid::Uuid::from_slice(id).ok()?.hyphenated().encode_lower(&mut buffer)).ok()?
        } else {
            EventId::new(std::str::from_utf8(id).ok()?).ok()?
        };
        let change = match sum {
            Some(sum) => Change::Increase(sum),
            None => v1::decode_change(change).ok()?,
        };
        let mut event = Event::new(id, "");
        event.date = date.map(Date::parse).transpose().ok()?;
        let (entity, attribute) = (entity.to_owned(), attribute.to_owned());
        event.effects = vec![Effect { entity, attribute, change, when }];
        Some(event)
    }
}

/// Dates that are more than one moment, parsed once where they are used often.
#[derive(Debug, Default)]
pub struct Dates(HashMap<Box<str>, Date>);

impl Dates {
    fn get(&mut self, text: &str) -> Option<&Date> {
        if !self.0.contains_key(text) {
            if self.0.len() >= DATES {
                self.0.clear();
            }
            self.0.insert(text.into(), Date::parse(text).ok()?);
        }
        self.0.get(text)
    }
}
