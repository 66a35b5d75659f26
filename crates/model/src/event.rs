//! An event: a dated, sourced claim that something happened.
//!
//! The struct is the checked form; nothing that breaks a limit can be one. Its JSON form is `annals/1` without
//! the timeline and without the record's fields, which [`crate::line`] puts beside it. The field order is part
//! of the format: the content that a log leaf commits to is exactly this serialization.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Date, Effect, EventId, Invalid, Number, limits};

/// A claim that something happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Event {
    /// Unique in its timeline.
    pub id: EventId,
    /// When it happened; absent when nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// A free label to filter by: `outbreak`, `resolution`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// One line for people.
    pub title: String,
    /// More text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who took part.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actors: Vec<Actor>,
    /// Where it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Free labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Where the claim comes from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// How sure the recorder is, 0 to 100 percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<u8>,
    /// How it relates to other events.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// What it does to the state, in this order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<Effect>,
    /// Anything else, as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra: Option<Extra>,
}

/// Someone who took part.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with a `name`")]
pub struct Actor {
    /// The name.
    pub name: String,
    /// What part it was: `source`, `victim`, `mediator`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// Where something happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Place {
    /// The name.
    pub name: String,
    /// Latitude in degrees, north positive (WGS 84).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lat: Option<Number>,
    /// Longitude in degrees, east positive (WGS 84).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lon: Option<Number>,
    /// How exact the point is: `exact`, `city`, `country`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<String>,
}

/// Where a claim comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with a `title`, a `url` …")]
pub struct Source {
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Where it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// Its words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    /// Where in it: a page, a paragraph, a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locator: Option<String>,
    /// Where a copy is kept: an address, or `attachment:NAME` for one in the store (see [`Source::attached`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<String>,
    /// SHA-256 of the copy, 64 lower-case hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// A relation to another event of the same timeline.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with `rel` and `to`")]
pub struct Link {
    /// What relates them: `caused-by`, `part-of`, `follows`, `after`, `before`.
    pub rel: String,
    /// The other event's id; it need not be there yet.
    pub to: EventId,
}

/// A JSON object that is kept as it came, without the white space between its tokens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Extra(Box<str>);

impl Source {
    /// How `archived` begins where the copy is kept in the store itself, by its `sha256`; the file's name follows.
    pub const ATTACHMENT: &str = "attachment:";

    /// The hash of the copy that is kept in the store, and the name that the file had.
    pub fn attached(&self) -> Option<(&str, &str)> {
        let name = self.archived.as_deref()?.strip_prefix(Self::ATTACHMENT)?;
        Some((self.sha256.as_deref()?, name))
    }
}

impl Event {
    /// An event with an id and a title and nothing else yet.
    pub fn new(id: EventId, title: impl Into<String>) -> Self {
        Self {
            id,
            date: None,
            kind: None,
            title: title.into(),
            description: None,
            actors: Vec::new(),
            place: None,
            tags: Vec::new(),
            sources: Vec::new(),
            confidence: None,
            links: Vec::new(),
            effects: Vec::new(),
            extra: None,
        }
    }

    /// Checks every limit; the error's path names the field.
    pub fn check(&self) -> Result<(), Invalid> {
        self.check_around_effects()?;
        list("effects", &self.effects, Effect::check)
    }

    /// Checks every limit but those on each effect by itself.
    pub(crate) fn check_around_effects(&self) -> Result<(), Invalid> {
        limits::text(&self.title, 1, limits::TITLE).map_err(|e| e.under("title"))?;
        if self.title.trim().is_empty() {
            return Err(Invalid::new("must not be blank").under("title"));
        }
        optional("kind", self.kind.as_deref(), limits::name, limits::NAME)?;
        optional("description", self.description.as_deref(), filled, limits::DESCRIPTION)?;
        list("actors", &self.actors, Actor::check)?;
        if let Some(place) = &self.place {
            place.check().map_err(|e| e.under("place"))?;
        }
        list("tags", &self.tags, |tag| limits::name(tag, limits::NAME))?;
        list("sources", &self.sources, Source::check)?;
        if self.confidence.is_some_and(|percent| percent > 100) {
            return Err(Invalid::new("is a percentage from 0 to 100").under("confidence"));
        }
        list("links", &self.links, |link| limits::name(&link.rel, limits::NAME).map_err(|e| e.under("rel")))?;
        count("effects", &self.effects)
    }
}

impl Actor {
    fn check(&self) -> Result<(), Invalid> {
        limits::name(&self.name, limits::NAME).map_err(|e| e.under("name"))?;
        optional("role", self.role.as_deref(), limits::name, limits::NAME)
    }
}

impl Place {
    /// A place of which only the name is known.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), lat: None, lon: None, precision: None }
    }

    fn check(&self) -> Result<(), Invalid> {
        limits::name(&self.name, limits::NAME).map_err(|e| e.under("name"))?;
        degrees("lat", self.lat, 90)?;
        degrees("lon", self.lon, 180)?;
        if self.lat.is_some() != self.lon.is_some() {
            return Err(Invalid::new("`lat` and `lon` go together"));
        }
        optional("precision", self.precision.as_deref(), limits::name, limits::NAME)
    }
}

impl Source {
    fn check(&self) -> Result<(), Invalid> {
        if *self == Self::default() {
            return Err(Invalid::new("must hold at least one field"));
        }
        optional("title", self.title.as_deref(), filled, limits::TITLE)?;
        optional("url", self.url.as_deref(), limits::name, limits::URL)?;
        optional("quote", self.quote.as_deref(), filled, limits::QUOTE)?;
        optional("locator", self.locator.as_deref(), limits::name, limits::NAME)?;
        optional("archived", self.archived.as_deref(), limits::name, limits::URL)?;
        let hex =
            |text: &str| text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if self.sha256.as_deref().is_some_and(|text| !hex(text)) {
            return Err(Invalid::new("must be 64 lower-case hexadecimal digits").under("sha256"));
        }
        Ok(())
    }
}

impl Extra {
    /// Takes a JSON object as it stands.
    pub fn from_json(raw: &RawValue) -> Result<Self, Invalid> {
        if !raw.get().starts_with('{') {
            return Err(Invalid::new("must be a JSON object"));
        }
        // What a common reader cannot take in is not taken in here either: nesting without end, numbers without
        // bounds.
        serde_json::from_str::<serde_json::Value>(raw.get())
            .map_err(|e| Invalid::new(format!("cannot be read by other programs: {e}")))?;
        let text = without_blanks(raw.get());
        if text.len() > limits::EXTRA {
            return Err(Invalid::new(format!("has {} bytes, the limit is {}", text.len(), limits::EXTRA)));
        }
        Ok(Self(text.into()))
    }

    /// Builds the object from names and values that are text, in this order; `None` when there are none.
    pub fn from_texts<'a>(
        fields: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Option<Self>, Invalid> {
        let mut text = String::new();
        for (name, value) in fields {
            text.push(if text.is_empty() { '{' } else { ',' });
            text.push_str(&serde_json::Value::from(name).to_string());
            text.push(':');
            text.push_str(&serde_json::Value::from(value).to_string());
        }
        if text.is_empty() {
            return Ok(None);
        }
        text.push('}');
        let raw = RawValue::from_string(text).map_err(|e| Invalid::new(e.to_string()))?;
        Self::from_json(&raw).map(Some)
    }

    /// The object as JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for Extra {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_string()).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

/// The JSON form of a place, whose numbers are read exactly.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with a `name`")]
pub(crate) struct PlaceLine<'a> {
    name: String,
    #[serde(borrow, default)]
    lat: Option<&'a RawValue>,
    #[serde(borrow, default)]
    lon: Option<&'a RawValue>,
    #[serde(default)]
    precision: Option<String>,
}

impl PlaceLine<'_> {
    pub(crate) fn read(self) -> Result<Place, Invalid> {
        let number = |field: &str, raw: Option<&RawValue>| {
            raw.map(|raw| raw.get().parse::<Number>()).transpose().map_err(|e| e.under(field))
        };
        let (lat, lon) = (number("lat", self.lat)?, number("lon", self.lon)?);
        Ok(Place { name: self.name, lat, lon, precision: self.precision })
    }
}

fn filled(text: &str, max: usize) -> Result<(), Invalid> {
    limits::text(text, 1, max)
}

fn optional(
    field: &str,
    text: Option<&str>,
    check: impl Fn(&str, usize) -> Result<(), Invalid>,
    max: usize,
) -> Result<(), Invalid> {
    text.map_or(Ok(()), |text| check(text, max)).map_err(|e| e.under(field))
}

fn list<T>(field: &str, items: &[T], check: impl Fn(&T) -> Result<(), Invalid>) -> Result<(), Invalid> {
    count(field, items)?;
    for (index, item) in items.iter().enumerate() {
        check(item).map_err(|e| e.under(format!("{field}[{index}]")))?;
    }
    Ok(())
}

fn count<T>(field: &str, items: &[T]) -> Result<(), Invalid> {
    limits::count(items.len(), limits::LIST, "entries").map_err(|e| e.under(field))
}

fn degrees(field: &str, value: Option<Number>, limit: i64) -> Result<(), Invalid> {
    let within = |n: Number| Number::from(-limit) <= n && n <= Number::from(limit);
    if value.is_some_and(|n| !within(n)) {
        return Err(Invalid::new(format!("is in degrees from -{limit} to {limit}")).under(field));
    }
    Ok(())
}

/// Drops the white space between tokens; what stands in strings is left alone.
fn without_blanks(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c.is_ascii_whitespace() {
            continue;
        } else {
            in_string = c == '"';
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_keeps_all_but_the_white_space_between_tokens() {
        let check = |json: &str, expect: &str| {
            let raw = RawValue::from_string(json.to_owned()).unwrap();
            assert_eq!(Extra::from_json(&raw).unwrap().as_str(), expect);
        };
        check("{ \"b\" : 1.0e5 ,\n \"a\": [ 1 , 2 ] }", "{\"b\":1.0e5,\"a\":[1,2]}");
        check(r#"{"a b":"x \" y","c\\":" z "}"#, r#"{"a b":"x \" y","c\\":" z "}"#);
        let built = Extra::from_texts([("a \"b\"", "1"), ("c", "")]).unwrap().unwrap();
        assert_eq!(built.as_str(), r#"{"a \"b\"":"1","c":""}"#);
    }
}
