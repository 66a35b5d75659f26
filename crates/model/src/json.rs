//! The JSON of an event, written by hand: an import writes every one, and the general way takes several times as long.
//!
//! It gives the bytes that `serde_json` gives for an [`Event`], which are what a leaf of the log commits to. Names of
//! fields need no look for what has to be escaped, and text mostly has nothing of it; text that has is left to
//! `serde_json`.

use serde::Serialize;

use crate::{Actor, Change, Effect, Event, Link, Place, Scalar, Source, Value, When};

/// What is written so far. The name of a field is given with all that stands between it and the value before.
struct Json<'a>(&'a mut Vec<u8>);

impl Event {
    /// Writes the event as JSON, with the bytes that its [`Serialize`] gives.
    ///
    /// # Errors
    ///
    /// Those of `serde_json`, which has none for text and numbers.
    pub fn write_json(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        let Self {
            id,
            date,
            kind,
            title,
            description,
            actors,
            place,
            tags,
            sources,
            confidence,
            links,
            effects,
            extra,
        } = self;
        let mut json = Json(out);
        json.text("{\"id\":\"", id.as_str())?;
        json.optional(",\"date\":\"", date.as_ref().map(crate::Date::as_str))?;
        json.optional(",\"kind\":\"", kind.as_deref())?;
        json.text(",\"title\":\"", title)?;
        json.optional(",\"description\":\"", description.as_deref())?;
        json.list(",\"actors\":[", actors, Json::actor)?;
        if let Some(place) = place {
            json.place(place)?;
        }
        json.list(",\"tags\":[", tags, |json, tag| json.text("\"", tag))?;
        json.list(",\"sources\":[", sources, Json::source)?;
        if let Some(percent) = confidence {
            json.other(",\"confidence\":", percent)?;
        }
        json.list(",\"links\":[", links, Json::link)?;
        json.list(",\"effects\":[", effects, Json::effect)?;
        if let Some(extra) = extra {
            json.put(",\"extra\":");
            // It is JSON as it stands.
            json.put(extra.as_str());
        }
        json.put("}");
        Ok(())
    }
}

impl Json<'_> {
    #[inline]
    fn put(&mut self, bytes: &str) {
        self.0.extend_from_slice(bytes.as_bytes());
    }

    /// A text; `before` ends with its opening quote.
    #[inline]
    fn text(&mut self, before: &str, text: &str) -> serde_json::Result<()> {
        self.put(before);
        if is_plain(text.as_bytes()) {
            self.put(text);
            self.put("\"");
            return Ok(());
        }
        self.0.pop();
        serde_json::to_writer(&mut *self.0, text)
    }

    fn optional(&mut self, before: &str, text: Option<&str>) -> serde_json::Result<()> {
        text.map_or(Ok(()), |text| self.text(before, text))
    }

    /// What is written in the general way.
    fn other(&mut self, before: &str, value: &(impl Serialize + ?Sized)) -> serde_json::Result<()> {
        self.put(before);
        serde_json::to_writer(&mut *self.0, value)
    }

    /// A list that is not there when it is empty.
    fn list<T>(
        &mut self,
        before: &str,
        members: &[T],
        write: impl Fn(&mut Self, &T) -> serde_json::Result<()>,
    ) -> serde_json::Result<()> {
        if members.is_empty() {
            return Ok(());
        }
        self.put(before);
        self.members(members, write)
    }

    /// The members of a list, and its end.
    fn members<T>(
        &mut self,
        members: impl IntoIterator<Item = T>,
        write: impl Fn(&mut Self, T) -> serde_json::Result<()>,
    ) -> serde_json::Result<()> {
        for (index, member) in members.into_iter().enumerate() {
            if index > 0 {
                self.put(",");
            }
            write(self, member)?;
        }
        self.put("]");
        Ok(())
    }

    fn actor(&mut self, actor: &Actor) -> serde_json::Result<()> {
        let Actor { name, role } = actor;
        self.text("{\"name\":\"", name)?;
        self.optional(",\"role\":\"", role.as_deref())?;
        self.put("}");
        Ok(())
    }

    fn place(&mut self, place: &Place) -> serde_json::Result<()> {
        let Place { name, lat, lon, precision } = place;
        self.text(",\"place\":{\"name\":\"", name)?;
        for (before, degrees) in [(",\"lat\":", lat), (",\"lon\":", lon)] {
            if let Some(degrees) = degrees {
                self.other(before, degrees)?;
            }
        }
        self.optional(",\"precision\":\"", precision.as_deref())?;
        self.put("}");
        Ok(())
    }

    fn source(&mut self, source: &Source) -> serde_json::Result<()> {
        let Source { title, url, date, quote, locator, archived, sha256 } = source;
        let fields = [
            (",\"title\":\"", title.as_deref()),
            (",\"url\":\"", url.as_deref()),
            (",\"date\":\"", date.as_ref().map(crate::Date::as_str)),
            (",\"quote\":\"", quote.as_deref()),
            (",\"locator\":\"", locator.as_deref()),
            (",\"archived\":\"", archived.as_deref()),
            (",\"sha256\":\"", sha256.as_deref()),
        ];
        self.put("{");
        let mut is_first = true;
        for (before, text) in fields {
            // Any of them may be the first.
            let before = if is_first { &before[1..] } else { before };
            self.optional(before, text)?;
            is_first &= text.is_none();
        }
        self.put("}");
        Ok(())
    }

    fn link(&mut self, link: &Link) -> serde_json::Result<()> {
        let Link { rel, to } = link;
        self.text("{\"rel\":\"", rel)?;
        self.text(",\"to\":\"", to.as_str())?;
        self.put("}");
        Ok(())
    }

    fn effect(&mut self, effect: &Effect) -> serde_json::Result<()> {
        let Effect { entity, attribute, change, when } = effect;
        self.text("{\"op\":\"", change.op())?;
        self.text(",\"entity\":\"", entity)?;
        self.text(",\"attribute\":\"", attribute)?;
        match change {
            Change::Set(Value::Set(members)) => {
                self.put(",\"value\":[");
                self.members(members, Self::scalar)?;
            }
            Change::Set(Value::Scalar(value)) | Change::Add(value) | Change::Remove(value) => {
                self.put(",\"value\":");
                self.scalar(value)?;
            }
            Change::Increase(number) => self.other(",\"value\":", number)?,
            Change::Clear => {}
        }
        match when {
            When::Start => {}
            When::End => self.put(",\"when\":\"end\""),
            When::During => self.put(",\"when\":\"during\""),
        }
        self.put("}");
        Ok(())
    }

    fn scalar(&mut self, scalar: &Scalar) -> serde_json::Result<()> {
        match scalar {
            Scalar::Text(text) => self.text("\"", text),
            other => self.other("", other),
        }
    }
}

/// Whether no byte of a text has to be escaped: none is a quote, a backslash or a control character.
fn is_plain(text: &[u8]) -> bool {
    let (words, rest) = text.as_chunks::<8>();
    let mut found = 0;
    for word in words {
        found |= escaped(u64::from_le_bytes(*word));
    }
    let mut last = [b' '; 8];
    last[..rest.len()].copy_from_slice(rest);
    found | escaped(u64::from_le_bytes(last)) == 0
}

/// Zero where none of eight bytes has to be escaped.
const fn escaped(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    // Taking away turns on the highest bit of a byte that was smaller. What it borrows from the byte above can make that
    // one look smaller, too, but only where one is.
    const fn below(word: u64, limit: u8) -> u64 {
        word.wrapping_sub(ONES * limit as u64) & !word & HIGH
    }
    below(word, 0x20) | below(word ^ (ONES * b'"' as u64), 1) | below(word ^ (ONES * b'\\' as u64), 1)
}
