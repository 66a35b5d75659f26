//! A fact: one effect of one version of an event, as a run holds it.
//!
//! ```text
//! fixed     does      what it does (3 bits), when (2 bits), 32: alone in its event, 64: the event was there before
//!           dated     the date's code (4 bits), position in the event (4 bits; 15: the position follows)
//!           day       the first one that the date allows
//! small     of an increase by a whole number that number (zigzag), of any other change that is a word its number
//! rest      numbers   the position, where it follows, and how many records it is back to the event's place
//!           date      what follows the code of one that is not plain
//!           amount    of an increase that is not small: its digits (zigzag) and how many stand behind the point
//!           change    of any other that is not small: the change as the log encodes it
//! ```
//!
//! The event's id is found by the record. Numbers are LEB128. [`columns`](super::columns) puts facts beside each other;
//! most facts have no rest there.

use std::collections::HashMap;

use annals_model::date::Span;
use annals_model::reduce::{Deed, Kind, Sketch};
use annals_model::{Change, Date, Effect, Event, EventId, Moment, Number, Seq, When};

use super::bytes::{Input, put_bytes, put_number, put_zigzag};
use super::dated::{self, Dated};
use super::desk::Outline;
use super::words::{Counts, Numbers, Words};
use crate::codec::v1;

const ALONE: u8 = 32;
const MOVED: u8 = 64;
const CLEAR: u8 = 0;
pub const INCREASE: u8 = 4;
pub const ADD: u8 = 5;
pub const REMOVE: u8 = 6;
/// The position that says that it follows.
const FAR: usize = 15;
/// When, of what holds as the event begins.
const START: u8 = 0;
/// When, of what holds while the event goes on.
const DURING: u8 = 2;
/// Dates other than bounded ones that are remembered.
const DATES: usize = 4096;

/// One effect of one version of an event, without the event's id.
#[derive(Clone, Copy, Debug)]
pub struct Fact<'a> {
    /// The record of the version.
    pub seq: Seq,
    /// The event's place in the log.
    pub place: Seq,
    does: u8,
    position: usize,
    dated: Dated<'a>,
    amount: Number,
    change: &'a [u8],
}

/// What every fact says in the same number of bytes.
#[derive(Clone, Copy, Debug)]
pub struct Fixed {
    /// What it does, and when.
    pub does: u8,
    /// The date's code, and the position.
    pub dated: u8,
    /// The first day since 1970 that the date allows. A run has the nearest of its plain dates' days where it lies before
    /// or behind them all, or is not told.
    pub day: i64,
}

impl Fixed {
    const fn code(self) -> u8 {
        self.dated & 15
    }

    /// The last day of its date, where that is a plain one and it then holds for good; [`NEVER`](dated::NEVER) where not.
    #[inline]
    pub const fn last_day(self) -> i64 {
        if self.does >> 3 & 3 == DURING { dated::NEVER } else { dated::last_day(self.code(), self.day) }
    }

    /// The fact with this place among others, of which this small number tells what it does.
    #[inline]
    pub const fn outline(self, index: u32, small: Option<u32>) -> Outline {
        Outline { index, deed: self.deed(), small, first: self.day, last: self.last_day() }
    }

    /// The number of what it does: to clear, to set a number, a text or a set, to increase, to add or to remove.
    #[inline]
    pub const fn deed(self) -> u8 {
        self.does & 7
    }

    /// The position, and how many records it is back to the event's place.
    fn numbers(self, input: &mut Input<'_>) -> Option<(usize, u64)> {
        let position = match usize::from(self.dated >> 4) {
            FAR => usize::try_from(input.number()?).ok()?,
            near => near,
        };
        Some((position, if self.does & MOVED == 0 { 0 } else { input.number()? }))
    }
}

/// What is left by a deed with this number, where it replaces what stands.
pub const fn left_by(deed: u8) -> Option<Kind> {
    Some(match deed {
        CLEAR => Kind::Nothing,
        1 => Kind::Number,
        2 => Kind::Plain,
        3 => Kind::Set,
        _ => return None,
    })
}

/// What a small number says that a fact increases by.
pub fn small_amount(small: u32) -> i64 {
    i64::from(small >> 1) ^ -i64::from(small & 1)
}

/// The change of a claim that does this, or a sum in its place, where it is known without a look at the text.
pub const fn change_without_text(deed: Deed, sum: Option<Number>) -> Option<Change> {
    match (sum, deed) {
        (Some(by), _) | (None, Deed::Increase(by)) => Some(Change::Increase(by)),
        (None, Deed::Replace(Kind::Nothing)) => Some(Change::Clear),
        (None, Deed::Replace(_) | Deed::Add(_) | Deed::Remove(_)) => None,
    }
}

/// What of a fact people read: date and change.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a>(&'a [u8]);

/// Where a fact comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The record of the version.
    pub seq: Seq,
    /// The event's place in the log.
    pub place: Seq,
    /// Its date.
    pub date: Option<&'a Date>,
}

impl<'a> Fact<'a> {
    /// The fact of an effect, of which the log encodes the change so. `is_alone` says that its event does nothing else
    /// to the attribute.
    pub fn of(
        origin: Origin<'a>,
        effect: &Effect,
        position: usize,
        is_alone: bool,
        change: &'a [u8],
    ) -> Self {
        let Origin { seq, place, date } = origin;
        let mut amount = Number::ZERO;
        let does = match Deed::of(&effect.change, |_| 0) {
            Deed::Replace(Kind::Nothing) => CLEAR,
            Deed::Replace(Kind::Number) => 1,
            Deed::Replace(Kind::Plain) => 2,
            Deed::Replace(Kind::Set) => 3,
            Deed::Increase(by) => {
                amount = by;
                INCREASE
            }
            Deed::Add(_) => ADD,
            Deed::Remove(_) => REMOVE,
        };
        let when = match effect.when {
            When::Start => START,
            When::End => 1,
            When::During => DURING,
        };
        let does = does | when << 3 | if is_alone { ALONE } else { 0 };
        Self { seq, place, does, position, dated: Dated::of(date), amount, change }
    }

    /// What it says in a fixed number of bytes, apart from its record.
    pub fn fixed(&self) -> Fixed {
        let moved = if self.place == self.seq { 0 } else { MOVED };
        let near = u8::try_from(self.position.min(FAR)).unwrap_or(0);
        Fixed { does: self.does | moved, dated: self.dated.code() | near << 4, day: self.dated.first_day() }
    }

    /// The first and the last day at which it may take hold, where it does so once, for good, and as its event begins, and
    /// its date is no plain one.
    pub fn vague_days(&self) -> Option<(i64, i64)> {
        let when = self.does >> 3 & 3;
        let range = match self.dated {
            Dated::Bounded(range, _) if when != DURING => range,
            Dated::Interval(span, _) if when == START && self.does & ALONE != 0 => span.start,
            _ => return None,
        };
        Some((dated::day_of(range.earliest), dated::day_of(range.latest)))
    }

    /// What it does, as a number, where that is a small one.
    pub fn small(&self, words: &Numbers) -> Option<u32> {
        match self.does & 7 {
            CLEAR => Some(0),
            INCREASE => {
                let (digits, places) = self.amount.parts();
                let zigzag = (digits.checked_mul(2)? ^ (digits >> 127)).cast_unsigned();
                if places == 0 { u32::try_from(zigzag).ok() } else { None }
            }
            _ => words.number(self.change),
        }
    }

    /// Appends the rest of it, in which there is what it does where that is not said elsewhere.
    pub fn put_rest(&self, into: &mut Vec<u8>, words: &Numbers, is_said: bool) {
        if self.position >= FAR {
            put_number(into, self.position as u64);
        }
        if self.place != self.seq {
            put_number(into, self.seq.0 - self.place.0);
        }
        self.dated.put_rest(into, words);
        match self.does & 7 {
            _ if is_said => {}
            CLEAR => {}
            INCREASE => {
                let (digits, places) = self.amount.parts();
                put_zigzag(into, digits);
                into.push(places);
            }
            _ => put_bytes(into, self.change),
        }
    }

    /// Reads a fact of a record, of which the rest may be empty; nothing where it cannot be read.
    #[inline]
    pub fn read(
        (fixed, small): (Fixed, Option<u32>),
        seq: Seq,
        input: &mut Input<'a>,
        words: &'a Words,
    ) -> Option<Self> {
        let (position, back) = fixed.numbers(input)?;
        let place = Seq(seq.0.checked_sub(back)?);
        let dated = Dated::read(fixed.code(), fixed.day, input, words)?;
        let (mut amount, mut change) = (Number::ZERO, &[][..]);
        match (fixed.does & 7, small) {
            (CLEAR, _) => {}
            (INCREASE, Some(small)) => amount = small_amount(small).into(),
            (INCREASE, None) => amount = read_amount(input)?,
            (_, Some(word)) => change = words.word(word)?,
            (_, None) => change = input.bytes()?,
        }
        Some(Self { seq, place, does: fixed.does & !MOVED, position, dated, amount, change })
    }

    /// The first moment that its date allows, where that is told without a look at its text.
    pub fn earliest(&self) -> Option<Moment> {
        match self.dated {
            Dated::Interval(span, _) => Some(span.start.earliest),
            _ => self.dated.range().map(|range| range.earliest),
        }
    }

    /// The first day since 1970 of a plain date.
    pub const fn day(&self) -> Option<i64> {
        self.dated.day()
    }

    /// Counts the texts that it has, for the words of its run.
    pub fn count(&self, counts: &mut Counts) {
        if let Some(text) = self.dated.text() {
            counts.count(text.as_bytes());
        }
        if !matches!(self.does & 7, CLEAR | INCREASE) {
            counts.count(self.change);
        }
    }

    /// Appends what people read of it, as [`Text`] has it.
    pub fn put_text(&self, into: &mut Vec<u8>) {
        into.push(self.dated.code());
        self.dated.put_whole(into);
        into.extend(self.change);
    }

    /// What tells a member from the others, where it adds or removes one.
    pub fn member(&self) -> Option<&'a [u8]> {
        if matches!(self.does & 7, ADD | REMOVE) { self.change.get(1..) } else { None }
    }

    fn deed(&self, member: u32) -> Option<Deed> {
        Some(match self.does & 7 {
            INCREASE => Deed::Increase(self.amount),
            ADD => Deed::Add(member),
            REMOVE => Deed::Remove(member),
            deed => Deed::Replace(left_by(deed)?),
        })
    }

    /// What tells whether its claims leave a trace, one for each happening; `member` is the number of the member.
    #[inline]
    pub fn sketches(&self, dates: &mut Dates, member: u32, mut take: impl FnMut(Sketch)) -> Option<()> {
        let deed = self.deed(member)?;
        let when = match self.does >> 3 & 3 {
            START => When::Start,
            1 => When::End,
            DURING => When::During,
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
        let is_alone = self.does & ALONE != 0;
        match self.dated {
            Dated::Other(text) => {
                let date = dates.get(text)?;
                for span in date.happenings() {
                    take(sketch(*span, date.is_interval(), is_alone));
                }
            }
            Dated::Interval(span, _) => take(sketch(span, true, is_alone)),
            _ => take(sketch(Span::within(self.dated.range()?), false, true)),
        }
        Some(())
    }
}

fn read_amount(input: &mut Input<'_>) -> Option<Number> {
    let digits = input.zigzag()?;
    Number::from_parts(digits, input.byte()?)
}

impl<'a> Text<'a> {
    /// A text that was kept elsewhere.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// The date and the change.
    fn parts(self) -> Option<(Dated<'a>, &'a [u8])> {
        let mut input = Input(self.0);
        let code = input.byte()?;
        let dated = Dated::read_whole(code, &mut input)?;
        Some((dated, input.0))
    }

    /// What tells a member from the others.
    pub fn member(self) -> Option<&'a [u8]> {
        self.change_bytes()?.get(1..)
    }

    /// The change as the log encodes it.
    pub fn change_bytes(self) -> Option<&'a [u8]> {
        Some(self.parts()?.1)
    }

    /// The code and the first day of a plain date.
    pub fn plain_date(self) -> Option<(u8, i64)> {
        match self.parts()?.0 {
            Dated::Plain(code, day) => Some((code, day)),
            _ => None,
        }
    }

    /// The date, or that there is none; an error where it cannot be read.
    pub fn date(self, known: &mut Dates) -> Result<Option<Date>, ()> {
        let (dated, _) = self.parts().ok_or(())?;
        match (dated.text(), dated.spelled()) {
            (Some(text), _) => known.get(text).cloned().map(Some).ok_or(()),
            (_, Some(text)) => Date::parse(&text).map(Some).map_err(drop),
            _ if matches!(dated, Dated::None) => Ok(None),
            _ => Err(()),
        }
    }

    /// The change of a claim that does this, or a sum in its place.
    pub fn change(self, deed: Deed, sum: Option<Number>) -> Option<Change> {
        change_without_text(deed, sum).or_else(|| v1::decode_change(self.change_bytes()?).ok())
    }
}

/// What an event is made of, where it has one effect only.
pub struct Alone<'a> {
    /// The event.
    pub id: EventId,
    /// What it changes.
    pub entity: &'a str,
    /// What of it.
    pub attribute: &'a str,
    /// The claim.
    pub sketch: &'a Sketch,
    /// The number that stands for others, too.
    pub sum: Option<Number>,
}

impl Alone<'_> {
    /// The event, with nothing but its id, its date and this effect.
    pub fn event(self, text: Text<'_>, dates: &mut Dates) -> Option<Event> {
        let Self { id, entity, attribute, sketch: Sketch { when, deed, .. }, sum } = self;
        let (entity, attribute) = (entity.to_owned(), attribute.to_owned());
        let effect = Effect { entity, attribute, change: text.change(*deed, sum)?, when: *when };
        let mut event = Event::new(id, "");
        event.date = text.date(dates).ok()?;
        event.effects = vec![effect];
        Some(event)
    }
}

/// Dates that have to be read from text, parsed once where they are used often.
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

/// Facts on one attribute, in record order, before the words of their run are known.
#[derive(Debug, Default)]
pub struct Facts {
    bytes: Vec<u8>,
    last: Seq,
}

impl Facts {
    /// Adds one.
    pub fn push(&mut self, fact: &Fact<'_>) {
        let Fixed { does, dated, .. } = fact.fixed();
        self.bytes.extend([does, dated]);
        put_zigzag(&mut self.bytes, fact.day().unwrap_or_default().into());
        put_number(&mut self.bytes, fact.seq.0 - self.last.0);
        fact.put_rest(&mut self.bytes, &Numbers::default(), false);
        self.last = fact.seq;
    }

    /// All of them; nothing for what cannot be read.
    pub fn read(&self) -> impl Iterator<Item = Option<Fact<'_>>> {
        let (mut input, mut before) = (Input(&self.bytes), 0);
        std::iter::from_fn(move || {
            if input.is_empty() {
                return None;
            }
            let mut fact = || {
                let (does, dated) = (input.byte()?, input.byte()?);
                let day = i64::try_from(input.zigzag()?).ok()?;
                before += input.number()?;
                Fact::read((Fixed { does, dated, day }, None), Seq(before), &mut input, Words::none())
            };
            Some(fact())
        })
    }
}
