//! Bytes held against what they were made of: whether they are read as it, without making anything of them.
//!
//! What is encoded is read again before it is recorded, and compared. This reads what bincode reads, as `FORMAT.md` has
//! it, number by number and text by text, and compares each with what it has to be: no list is made, and a text that is
//! the same needs no look whether it is one. `v1` writes, and decodes what is stored; tests hold this against it.

use annals_model::{
    Actor, Change, Date, Effect, Event, EventId, Extra, Link, Number, Place, Scalar, Source, Value, When,
};

use super::v1::{Head, Seal, read_extra};

/// Whether bytes are read as the claims of an event, and nothing is left over.
pub fn are_claims(bytes: &[u8], event: &Event) -> bool {
    let mut bytes = Bytes(bytes);
    bytes.date(event.date.as_ref()) && bytes.list(&event.effects, Bytes::effect) && bytes.is_over()
}

/// Whether bytes are read as the details of an event, and nothing is left over.
pub fn are_details(bytes: &[u8], event: &Event) -> bool {
    let mut bytes = Bytes(bytes);
    bytes.text(&event.title)
        && bytes.optional(event.kind.as_deref())
        && bytes.optional(event.description.as_deref())
        && bytes.list(&event.actors, Bytes::actor)
        && bytes.place(event.place.as_ref())
        && bytes.list(&event.tags, |bytes, tag| bytes.text(tag))
        && bytes.list(&event.sources, Bytes::source)
        && bytes.percent(event.confidence)
        && bytes.list(&event.links, Bytes::link)
        && bytes.extra(event.extra.as_ref())
        && bytes.is_over()
}

/// Whether bytes are read as a header, and nothing is left over.
pub fn is_head(bytes: &[u8], head: &Head<'_>) -> bool {
    let Head { op, schema, recorded_at, previous, timeline, id, recorded_by, seal, claims, details } = head;
    let mut bytes = Bytes(bytes);
    bytes.is(&[*op, *schema])
        && bytes.signed() == Some((*recorded_at).into())
        && bytes.unsigned() == Some(*previous)
        && bytes.text(timeline)
        && bytes.text(id)
        && bytes.text(recorded_by)
        && match seal {
            Seal::Salt(salt) => bytes.unsigned() == Some(0) && bytes.is(salt),
            Seal::Commitment(commitment) => bytes.unsigned() == Some(1) && bytes.is(commitment),
        }
        && bytes.unsigned() == Some((*claims).into())
        && bytes.unsigned() == Some((*details).into())
        && bytes.is_over()
}

/// What is not read yet.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    const fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether these bytes come next.
    fn is(&mut self, wanted: &[u8]) -> bool {
        self.0.strip_prefix(wanted).is_some_and(|rest| {
            self.0 = rest;
            true
        })
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    /// A number of at most 64 bits: itself where it is small, or behind a byte that says how many bytes it has.
    fn unsigned(&mut self) -> Option<u64> {
        match self.take()? {
            [small @ 0..=250] => Some(small.into()),
            [251] => self.take().map(|bytes| u16::from_le_bytes(bytes).into()),
            [252] => self.take().map(|bytes| u32::from_le_bytes(bytes).into()),
            [253] => self.take().map(u64::from_le_bytes),
            _ => None,
        }
    }

    /// A number of either sign: 0, -1, 1, -2 … in their order.
    fn signed(&mut self) -> Option<i128> {
        let number = match self.0.first()? {
            254 => {
                self.take::<1>()?;
                self.take().map(u128::from_le_bytes)?
            }
            _ => self.unsigned()?.into(),
        };
        let half = i128::try_from(number >> 1).ok()?;
        Some(if number & 1 == 0 { half } else { !half })
    }

    fn count(&mut self, wanted: usize) -> bool {
        self.unsigned() == Some(wanted as u64)
    }

    fn list<T>(&mut self, own: &[T], is_next: impl Fn(&mut Self, &T) -> bool) -> bool {
        self.count(own.len()) && own.iter().all(|own| is_next(self, own))
    }

    fn text(&mut self, own: &str) -> bool {
        self.count(own.len()) && self.is(own.as_bytes())
    }

    fn optional(&mut self, own: Option<&str>) -> bool {
        match own {
            Some(own) => self.is(&[1]) && self.text(own),
            None => self.is(&[0]),
        }
    }

    fn percent(&mut self, own: Option<u8>) -> bool {
        match own {
            Some(own) => self.is(&[1, own]),
            None => self.is(&[0]),
        }
    }

    /// What a text is read as is compared, too: dates are equal when their texts are, and one with plain bounds is read.
    fn date(&mut self, own: Option<&Date>) -> bool {
        let is_read = |own: &Date| {
            let text = own.as_str();
            Date::plain_span(text).is_some() || Date::parse(text).is_ok_and(|read| read == *own)
        };
        self.optional(own.map(Date::as_str)) && own.is_none_or(is_read)
    }

    fn extra(&mut self, own: Option<&Extra>) -> bool {
        let is_read = |own: &Extra| read_extra(own.as_str()).is_ok_and(|read| read == *own);
        self.optional(own.map(Extra::as_str)) && own.is_none_or(is_read)
    }

    fn number(&mut self, own: Number) -> bool {
        let (Some(digits), Some([places])) = (self.signed(), self.take()) else { return false };
        (digits, places) == own.parts() && Number::from_parts(digits, places) == Some(own)
    }

    fn effect(&mut self, own: &Effect) -> bool {
        let when = match own.when {
            When::Start => 0,
            When::End => 1,
            When::During => 2,
        };
        self.is(&[when]) && self.text(&own.entity) && self.text(&own.attribute) && self.change(&own.change)
    }

    fn change(&mut self, own: &Change) -> bool {
        match own {
            Change::Set(Value::Scalar(scalar)) => self.count(0) && self.scalar(scalar),
            Change::Set(Value::Set(members)) => {
                self.count(1) && self.count(members.len()) && members.iter().all(|own| self.scalar(own))
            }
            Change::Clear => self.count(2),
            Change::Add(scalar) => self.count(3) && self.scalar(scalar),
            Change::Remove(scalar) => self.count(4) && self.scalar(scalar),
            Change::Increase(number) => self.count(5) && self.number(*number),
        }
    }

    fn scalar(&mut self, own: &Scalar) -> bool {
        match own {
            Scalar::Bool(own) => self.count(0) && self.is(&[u8::from(*own)]),
            Scalar::Number(own) => self.count(1) && self.number(*own),
            Scalar::Text(own) => self.count(2) && self.text(own),
        }
    }

    fn actor(&mut self, own: &Actor) -> bool {
        self.text(&own.name) && self.optional(own.role.as_deref())
    }

    fn link(&mut self, own: &Link) -> bool {
        self.text(&own.rel) && self.text(own.to.as_str()) && EventId::new(own.to.as_str()).is_ok()
    }

    fn place(&mut self, own: Option<&Place>) -> bool {
        let Some(own) = own else { return self.is(&[0]) };
        let degrees = |bytes: &mut Self, own: Option<Number>| match own {
            Some(own) => bytes.is(&[1]) && bytes.number(own),
            None => bytes.is(&[0]),
        };
        self.is(&[1])
            && self.text(&own.name)
            && degrees(self, own.lat)
            && degrees(self, own.lon)
            && self.optional(own.precision.as_deref())
    }

    fn source(&mut self, own: &Source) -> bool {
        self.optional(own.title.as_deref())
            && self.optional(own.url.as_deref())
            && self.date(own.date.as_ref())
            && self.optional(own.quote.as_deref())
            && self.optional(own.locator.as_deref())
            && self.optional(own.archived.as_deref())
            && self.optional(own.sha256.as_deref())
    }
}
