//! Schema version 1: frozen shapes, written and read with bincode.
//!
//! bincode describes nothing: a field moved, added or given another type decodes to something else without a
//! word. So these structs are never edited. A change to the model gets a `v2` beside them and a step from here
//! to there. Times are integers, dates their EDTF text, `extra` its JSON text.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use annals_model::gather::Does;
use annals_model::{
    Actor, Change, Date, Effect, Event, EventId, Extra, Invalid, Link, Number, Place, Scalar, Source, Value,
    When, limits,
};
use bincode::Options;
use serde::{Deserialize, Serialize, Serializer};

/// The number that a record's header carries for these shapes.
pub const SCHEMA: u8 = 1;

/// Bytes of an encoded shape at most: an event is at most a MiB as JSON, and its bincode form is not far from that.
const LARGEST: usize = 4 * limits::EVENT;
/// Bytes that an encoded shape seldom exceeds.
const USUAL: usize = 256;

/// The one way in which bincode is used: variable-length integers, little-endian, nothing left over.
fn options() -> impl Options {
    bincode::DefaultOptions::new()
        .with_varint_encoding()
        .with_little_endian()
        .with_limit(LARGEST as u64)
        .reject_trailing_bytes()
}

/// Encodes one of the shapes.
pub fn encode<T: Serialize>(shape: &T) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(USUAL);
    add(&mut bytes, shape)?;
    Ok(bytes)
}

/// Adds the claims of an event to bytes, as [`encode`] gives them of [`Claims`], without making a list of shapes.
pub fn add_claims(event: &Event, bytes: &mut Vec<u8>) -> Result<(), String> {
    let date = event.date.as_ref().map(Date::as_str);
    add(bytes, &(date, Each::<_, EffectShape<'_>>::of(&event.effects)))
}

/// Adds the details of an event to bytes, as [`encode`] gives them of [`Details`], without making lists of shapes.
pub fn add_details(event: &Event, bytes: &mut Vec<u8>) -> Result<(), String> {
    let texts = (&event.title, &event.kind, &event.description);
    let actors = Each::<_, ActorShape<'_>>::of(&event.actors);
    let place = event.place.as_ref().map(PlaceShape::from);
    let sources = Each::<_, SourceShape<'_>>::of(&event.sources);
    let links = Each::<_, LinkShape<'_>>::of(&event.links);
    let extra = event.extra.as_ref().map(Extra::as_str);
    add(bytes, &(texts, actors, place, &event.tags, sources, event.confidence, links, extra))
}

fn add(bytes: &mut Vec<u8>, shape: &impl Serialize) -> Result<(), String> {
    let before = bytes.len();
    // With a limit bincode would walk through the shape twice, to know its size beforehand.
    options().with_no_limit().serialize_into(&mut *bytes, shape).map_err(|e| e.to_string())?;
    if bytes.len() - before > LARGEST { Err("it is too large".to_owned()) } else { Ok(()) }
}

/// Members that are encoded as a list of their shapes is.
struct Each<'a, T, S>(&'a [T], PhantomData<S>);

impl<'a, T, S> Each<'a, T, S> {
    const fn of(members: &'a [T]) -> Self {
        Self(members, PhantomData)
    }
}

impl<'a, T, S: From<&'a T> + Serialize> Serialize for Each<'a, T, S> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.collect_seq(self.0.iter().map(S::from))
    }
}

/// Adds a header to bytes, as [`encode`] gives it: bincode writes a number for the kind of seal and then, one by
/// one, the bytes of it, which takes as long as all the rest.
pub fn add_head(head: &Head<'_>, bytes: &mut Vec<u8>) -> Result<(), String> {
    let Head { op, schema, recorded_at, previous, timeline, id, recorded_by, seal, claims, details } = head;
    let before = bytes.len();
    add(bytes, &(op, schema, recorded_at, previous, timeline, id, recorded_by))?;
    match seal {
        Seal::Salt(salt) => {
            bytes.push(0);
            bytes.extend(salt);
        }
        Seal::Commitment(commitment) => {
            bytes.push(1);
            bytes.extend(commitment);
        }
    }
    add(bytes, &(claims, details))?;
    if bytes.len() - before > LARGEST { Err("it is too large".to_owned()) } else { Ok(()) }
}

/// Decodes one of the shapes, whose text borrows from `bytes`.
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, String> {
    options().deserialize(bytes).map_err(|e| e.to_string())
}

/// An effect as replay sees it at first: which attribute it changes, and how, without a value.
#[derive(Clone, Copy, Debug)]
pub struct Glance<'a> {
    /// Whose attribute it is.
    pub entity: &'a str,
    /// The attribute.
    pub attribute: &'a str,
    /// When the effect takes hold.
    pub when: When,
    /// What it does.
    pub does: Does,
}

/// Reads the date of a record's claims, and then one effect after the other, without making an [`Event`] of them.
pub fn glance(
    claims: &[u8],
) -> Result<(Option<&str>, impl Iterator<Item = Result<Glance<'_>, String>>), String> {
    let unreadable = |e: bincode::Error| e.to_string();
    let mut bytes = bincode::Deserializer::from_slice(claims, options());
    // Field by field, this is how bincode reads `Claims`: a list is its length and its members.
    let date = Option::<&str>::deserialize(&mut bytes).map_err(unreadable)?;
    let count = u64::deserialize(&mut bytes).map_err(unreadable)?;
    let effect = move |_| EffectShape::deserialize(&mut bytes).map_err(unreadable)?.glance();
    Ok((date, (0..count).map(effect)))
}

/// Encodes what an effect does, by itself. Equal members are equal bytes behind the first one.
pub fn encode_change(change: &Change) -> Result<Vec<u8>, String> {
    // Many are kept in memory, so that none takes more room than it needs.
    options().serialize(&ChangeShape::from(change)).map_err(|e| e.to_string())
}

/// Decodes what an effect does.
pub fn decode_change(bytes: &[u8]) -> Result<Change, String> {
    decode::<ChangeShape<'_>>(bytes)?.read().map_err(|e| e.to_string())
}

/// Reads the title alone of a record's details.
pub fn title(details: &[u8]) -> Result<&str, String> {
    let mut bytes = bincode::Deserializer::from_slice(details, options());
    <&str>::deserialize(&mut bytes).map_err(|e| e.to_string())
}

/// What of a record's details lists are filtered by, and their title.
#[derive(Debug)]
pub struct Labels<'a> {
    /// The title.
    pub title: &'a str,
    /// The kind.
    pub kind: Option<&'a str>,
    /// The names of the actors.
    pub actors: Vec<&'a str>,
    /// The name of the place.
    pub place: Option<&'a str>,
    /// The tags.
    pub tags: Vec<&'a str>,
}

/// Reads these alone of a record's details.
pub fn labels(details: &[u8]) -> Result<Labels<'_>, String> {
    let unreadable = |e: bincode::Error| e.to_string();
    let mut bytes = bincode::Deserializer::from_slice(details, options());
    // Field by field, this is how bincode reads `Details`, which goes on behind the tags.
    let title = <&str>::deserialize(&mut bytes).map_err(unreadable)?;
    let kind = Option::<&str>::deserialize(&mut bytes).map_err(unreadable)?;
    Option::<&str>::deserialize(&mut bytes).map_err(unreadable)?;
    let actors = Vec::<ActorShape<'_>>::deserialize(&mut bytes).map_err(unreadable)?;
    let place = Option::<PlaceShape<'_>>::deserialize(&mut bytes).map_err(unreadable)?;
    let tags = Vec::<&str>::deserialize(&mut bytes).map_err(unreadable)?;
    let actors = actors.into_iter().map(|actor| actor.name).collect();
    Ok(Labels { title, kind, actors, place: place.map(|place| place.name), tags })
}

/// A record's header.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head<'a> {
    /// 1 append, 2 revise, 3 retract, 4 redact.
    pub op: u8,
    /// The schema version of the content.
    pub schema: u8,
    /// Microseconds since 1970, UTC.
    pub recorded_at: i64,
    /// The event's record before this one; 0 where this is its first.
    pub previous: u64,
    /// The timeline.
    pub timeline: &'a str,
    /// The event.
    pub id: &'a str,
    /// Who recorded it.
    pub recorded_by: &'a str,
    /// The content's salt, or what is left of both.
    pub seal: Seal,
    /// Bytes of the record in the frame's claims section.
    pub claims: u32,
    /// Bytes of the record in the frame's details section.
    pub details: u32,
}

/// What binds a record's content to its leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seal {
    /// The content is there; its commitment is made with this salt.
    Salt([u8; 16]),
    /// The content was redacted; this was its commitment.
    Commitment([u8; 32]),
}

/// The part of an event that replay reads.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims<'a> {
    #[serde(borrow)]
    date: Option<&'a str>,
    effects: Vec<EffectShape<'a>>,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct EffectShape<'a> {
    /// 0 start, 1 end, 2 during.
    when: u8,
    entity: &'a str,
    attribute: &'a str,
    #[serde(borrow)]
    change: ChangeShape<'a>,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
enum ChangeShape<'a> {
    #[serde(borrow)]
    Set(ScalarShape<'a>),
    SetWhole(Vec<ScalarShape<'a>>),
    Clear,
    Add(ScalarShape<'a>),
    Remove(ScalarShape<'a>),
    Increase(NumberShape),
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
enum ScalarShape<'a> {
    Bool(bool),
    Number(NumberShape),
    Text(&'a str),
}

/// The digits and how many of them stand behind the point.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct NumberShape(i128, u8);

/// The part of an event that only people read.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
pub struct Details<'a> {
    title: &'a str,
    kind: Option<&'a str>,
    description: Option<&'a str>,
    #[serde(borrow)]
    actors: Vec<ActorShape<'a>>,
    #[serde(borrow)]
    place: Option<PlaceShape<'a>>,
    tags: Vec<&'a str>,
    #[serde(borrow)]
    sources: Vec<SourceShape<'a>>,
    confidence: Option<u8>,
    #[serde(borrow)]
    links: Vec<LinkShape<'a>>,
    extra: Option<&'a str>,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct ActorShape<'a> {
    name: &'a str,
    role: Option<&'a str>,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct PlaceShape<'a> {
    name: &'a str,
    lat: Option<NumberShape>,
    lon: Option<NumberShape>,
    precision: Option<&'a str>,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct SourceShape<'a> {
    title: Option<&'a str>,
    url: Option<&'a str>,
    date: Option<&'a str>,
    quote: Option<&'a str>,
    locator: Option<&'a str>,
    archived: Option<&'a str>,
    sha256: Option<&'a str>,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct LinkShape<'a> {
    rel: &'a str,
    to: &'a str,
}

impl Claims<'_> {
    /// The date and the effects.
    pub fn read(self) -> Result<(Option<Date>, Vec<Effect>), Invalid> {
        let date = self.date.map(Date::parse).transpose()?;
        let effects = self.effects.into_iter().map(EffectShape::read).collect::<Result<_, _>>()?;
        Ok((date, effects))
    }
}

impl Details<'_> {
    /// The whole event, with its other part.
    pub fn read(self, id: EventId, date: Option<Date>, effects: Vec<Effect>) -> Result<Event, Invalid> {
        let actor = |a: ActorShape<'_>| Actor { name: a.name.to_owned(), role: owned(a.role) };
        let link = |l: LinkShape<'_>| Ok(Link { rel: l.rel.to_owned(), to: EventId::new(l.to)? });
        Ok(Event {
            id,
            date,
            kind: owned(self.kind),
            title: self.title.to_owned(),
            description: owned(self.description),
            actors: self.actors.into_iter().map(actor).collect(),
            place: self.place.map(PlaceShape::read).transpose()?,
            tags: self.tags.into_iter().map(str::to_owned).collect(),
            sources: self.sources.into_iter().map(SourceShape::read).collect::<Result<_, _>>()?,
            confidence: self.confidence,
            links: self.links.into_iter().map(link).collect::<Result<_, Invalid>>()?,
            effects,
            extra: self.extra.map(read_extra).transpose()?,
        })
    }
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

/// What an event has beside its fields.
pub(super) fn read_extra(json: &str) -> Result<Extra, Invalid> {
    let raw: &serde_json::value::RawValue =
        serde_json::from_str(json).map_err(|e| Invalid::new(e.to_string()).under("extra"))?;
    Extra::from_json(raw)
}

impl<'a> From<&'a Change> for ChangeShape<'a> {
    fn from(change: &'a Change) -> Self {
        match change {
            Change::Set(Value::Scalar(scalar)) => Self::Set(scalar.into()),
            Change::Set(Value::Set(set)) => Self::SetWhole(set.iter().map(ScalarShape::from).collect()),
            Change::Clear => Self::Clear,
            Change::Add(scalar) => Self::Add(scalar.into()),
            Change::Remove(scalar) => Self::Remove(scalar.into()),
            Change::Increase(number) => Self::Increase((*number).into()),
        }
    }
}

impl ChangeShape<'_> {
    fn read(self) -> Result<Change, Invalid> {
        Ok(match self {
            Self::Set(scalar) => Change::Set(Value::Scalar(scalar.read()?)),
            Self::SetWhole(members) => {
                let set: Result<BTreeSet<_>, _> = members.into_iter().map(ScalarShape::read).collect();
                Change::Set(Value::Set(set?))
            }
            Self::Clear => Change::Clear,
            Self::Add(scalar) => Change::Add(scalar.read()?),
            Self::Remove(scalar) => Change::Remove(scalar.read()?),
            Self::Increase(number) => Change::Increase(number.read()?),
        })
    }
}

impl<'a> From<&'a Effect> for EffectShape<'a> {
    fn from(effect: &'a Effect) -> Self {
        let change = ChangeShape::from(&effect.change);
        let when = match effect.when {
            When::Start => 0,
            When::End => 1,
            When::During => 2,
        };
        Self { when, entity: &effect.entity, attribute: &effect.attribute, change }
    }
}

impl<'a> EffectShape<'a> {
    fn glance(self) -> Result<Glance<'a>, String> {
        let does = match self.change {
            ChangeShape::Set(_) | ChangeShape::SetWhole(_) | ChangeShape::Clear => Does::Replace,
            ChangeShape::Add(_) | ChangeShape::Remove(_) => Does::Member,
            ChangeShape::Increase(number) => Does::Increase(number.read().map_err(|e| e.to_string())?),
        };
        let when = when(self.when).map_err(|e| e.to_string())?;
        Ok(Glance { entity: self.entity, attribute: self.attribute, when, does })
    }

    fn read(self) -> Result<Effect, Invalid> {
        let change = self.change.read()?;
        let when = when(self.when)?;
        Ok(Effect { entity: self.entity.to_owned(), attribute: self.attribute.to_owned(), change, when })
    }
}

fn when(number: u8) -> Result<When, Invalid> {
    match number {
        0 => Ok(When::Start),
        1 => Ok(When::End),
        2 => Ok(When::During),
        other => Err(Invalid::new(format!("unknown moment {other}")).under("when")),
    }
}

impl<'a> From<&'a Scalar> for ScalarShape<'a> {
    fn from(scalar: &'a Scalar) -> Self {
        match scalar {
            Scalar::Bool(value) => Self::Bool(*value),
            Scalar::Number(value) => Self::Number((*value).into()),
            Scalar::Text(value) => Self::Text(value),
        }
    }
}

impl ScalarShape<'_> {
    fn read(self) -> Result<Scalar, Invalid> {
        Ok(match self {
            Self::Bool(value) => Scalar::Bool(value),
            Self::Number(value) => Scalar::Number(value.read()?),
            Self::Text(value) => Scalar::Text(value.into()),
        })
    }
}

impl From<Number> for NumberShape {
    fn from(number: Number) -> Self {
        let (digits, places) = number.parts();
        Self(digits, places)
    }
}

impl NumberShape {
    fn read(self) -> Result<Number, Invalid> {
        Number::from_parts(self.0, self.1).ok_or_else(|| Invalid::new("a number out of range"))
    }
}

impl<'a> From<&'a Actor> for ActorShape<'a> {
    fn from(actor: &'a Actor) -> Self {
        Self { name: &actor.name, role: actor.role.as_deref() }
    }
}

impl<'a> From<&'a Link> for LinkShape<'a> {
    fn from(link: &'a Link) -> Self {
        Self { rel: &link.rel, to: link.to.as_str() }
    }
}

impl<'a> From<&'a Place> for PlaceShape<'a> {
    fn from(place: &'a Place) -> Self {
        Self {
            name: &place.name,
            lat: place.lat.map(NumberShape::from),
            lon: place.lon.map(NumberShape::from),
            precision: place.precision.as_deref(),
        }
    }
}

impl PlaceShape<'_> {
    fn read(self) -> Result<Place, Invalid> {
        Ok(Place {
            name: self.name.to_owned(),
            lat: self.lat.map(NumberShape::read).transpose()?,
            lon: self.lon.map(NumberShape::read).transpose()?,
            precision: owned(self.precision),
        })
    }
}

impl<'a> From<&'a Source> for SourceShape<'a> {
    fn from(source: &'a Source) -> Self {
        Self {
            title: source.title.as_deref(),
            url: source.url.as_deref(),
            date: source.date.as_ref().map(Date::as_str),
            quote: source.quote.as_deref(),
            locator: source.locator.as_deref(),
            archived: source.archived.as_deref(),
            sha256: source.sha256.as_deref(),
        }
    }
}

impl SourceShape<'_> {
    fn read(self) -> Result<Source, Invalid> {
        Ok(Source {
            title: owned(self.title),
            url: owned(self.url),
            date: self.date.map(Date::parse).transpose()?,
            quote: owned(self.quote),
            locator: owned(self.locator),
            archived: owned(self.archived),
            sha256: owned(self.sha256),
        })
    }
}
