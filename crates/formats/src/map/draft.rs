//! An event in the making: the cells of one row, each put where its rule says.
//!
//! Names and numbers are trimmed, since neither can begin or end with a space; titles, descriptions and quotes
//! stand as they are, and so do dates, which are strict in files. An empty cell says nothing.

use std::collections::BTreeMap;

use annals_model::line::Line;
use annals_model::{
    Actor, Change, Date, Effect, Event, EventId, Extra, Invalid, Source, TimelineName, When, Write,
};
use serde_json::value::RawValue;

use super::dates::Dates;
use super::number::{decimal, integer, scalar};
use super::place::PlaceCells;
use super::target::{EffectOp, Field};
use crate::cell;
use crate::text::shown;

/// What the cells of a row have said so far.
pub struct Draft {
    id: Option<EventId>,
    timeline: Option<TimelineName>,
    dates: Dates,
    place: PlaceCells,
    source: Source,
    event: Event,
}

impl Draft {
    pub fn new() -> Result<Self, Invalid> {
        Ok(Self {
            id: None,
            timeline: None,
            dates: Dates::default(),
            place: PlaceCells::default(),
            source: Source::default(),
            event: Event::new(stand_in()?, ""),
        })
    }

    /// Puts a cell into its field.
    pub fn put(&mut self, field: Field, cell: &str) -> Result<(), Invalid> {
        let cell = if field.keeps_spaces() { cell } else { cell.trim() };
        if cell.is_empty() {
            return Ok(());
        }
        match field {
            Field::Id => self.id = Some(EventId::new(cell)?),
            Field::Timeline => self.timeline = Some(TimelineName::new(cell)?),
            Field::Title => cell.clone_into(&mut self.event.title),
            Field::Description => self.event.description = Some(cell.to_owned()),
            Field::Kind => self.event.kind = Some(cell.to_owned()),
            Field::Confidence => self.event.confidence = Some(percent(cell)?),
            Field::Place | Field::Lat | Field::Lon | Field::Precision => self.place.put(field, cell)?,
            Field::Actor => self.event.actors.push(actor(cell)),
            Field::Tag => self.event.tags.push(cell.to_owned()),
            Field::Actors | Field::Tags if !cell::is_json_list(cell) => self.names(field, cell),
            Field::Actors | Field::Tags | Field::Sources | Field::Effects | Field::Links => {
                self.list(field, cell)?;
            }
            Field::Extra => self.event.extra = Some(Extra::from_json(json(cell)?)?),
            _ if field.head() == "sources" => self.source_field(field, cell)?,
            _ => self.dates.put(field, cell)?,
        }
        Ok(())
    }

    /// Adds an effect with the value of a cell.
    pub fn effect(&mut self, op: EffectOp, entity: &str, attribute: &str, cell: &str) -> Result<(), Invalid> {
        let cell = cell.trim();
        if cell.is_empty() {
            return Ok(());
        }
        let change = match op {
            EffectOp::Set(_) => Change::Set(scalar(cell)?.into()),
            EffectOp::Add => Change::Add(scalar(cell)?),
            EffectOp::Remove => Change::Remove(scalar(cell)?),
            EffectOp::Increase => Change::Increase(decimal(cell)?),
        };
        let when = if let EffectOp::Set(when) = op { when } else { When::Start };
        let (entity, attribute) = (entity.trim().to_owned(), attribute.trim().to_owned());
        let effect = Effect { entity, attribute, change, when };
        // The path of the rule names the effect already; which name is at fault belongs to the message.
        effect.check().map_err(|error| match error.hint() {
            Some(hint) => Invalid::new(error.to_string()).with_hint(hint),
            None => Invalid::new(error.to_string()),
        })?;
        self.event.effects.push(effect);
        Ok(())
    }

    /// Puts the parts of the date and the place together, and returns the fields that found no room there.
    pub fn settle(&mut self) -> Result<Vec<Field>, Invalid> {
        let (date, mut left) = std::mem::take(&mut self.dates).finish().map_err(|e| e.under("date"))?;
        let (place, half) = std::mem::take(&mut self.place).finish();
        left.extend(half);
        self.event.date = date;
        self.event.place = place;
        Ok(left)
    }

    /// Keeps texts under their names in `extra`.
    pub fn keep<'t>(&mut self, texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> Result<(), Invalid> {
        let Some(more) = Extra::from_texts(texts).map_err(|e| e.under("extra"))? else { return Ok(()) };
        self.event.extra = Some(match self.event.extra.take() {
            Some(extra) => joined(&extra, &more).map_err(|e| e.under("extra"))?,
            None => more,
        });
        Ok(())
    }

    /// The checked line.
    pub fn line(mut self) -> Result<Line, Invalid> {
        if self.source != Source::default() {
            self.event.sources.push(self.source);
        }
        self.event.check()?;
        Ok(Line::append(self.id, self.timeline, self.event))
    }

    fn names(&mut self, field: Field, cell: &str) {
        let names = cell::split_names(cell);
        match field {
            Field::Actors => self.event.actors.extend(names.map(actor)),
            _ => self.event.tags.extend(names.map(str::to_owned)),
        }
    }

    /// Reads a list that stands as JSON in its cell.
    fn list(&mut self, field: Field, cell: &str) -> Result<(), Invalid> {
        let mut event = event_with(field.name(), json(cell)?)?;
        self.event.actors.append(&mut event.actors);
        self.event.tags.append(&mut event.tags);
        self.event.sources.append(&mut event.sources);
        self.event.effects.append(&mut event.effects);
        self.event.links.append(&mut event.links);
        Ok(())
    }

    fn source_field(&mut self, field: Field, cell: &str) -> Result<(), Invalid> {
        let text = Some(cell.to_owned());
        match field {
            Field::SourceTitle => self.source.title = text,
            Field::SourceUrl => self.source.url = text,
            Field::SourceDate => self.source.date = Some(Date::parse(cell)?),
            Field::SourceQuote => self.source.quote = text,
            Field::SourceLocator => self.source.locator = text,
            Field::SourceArchived => self.source.archived = text,
            _ => self.source.sha256 = text,
        }
        Ok(())
    }
}

fn actor(name: &str) -> Actor {
    Actor { name: name.to_owned(), role: None }
}

fn percent(cell: &str) -> Result<u8, Invalid> {
    let what = "a percentage from 0 to 100";
    let percent = integer(cell, what, 0..=100)?;
    u8::try_from(percent).map_err(|_| Invalid::new(format!("`{cell}` is not {what}")))
}

/// The id of an event that has none yet; [`Line::append`] sees to it that it reaches no log.
fn stand_in() -> Result<EventId, Invalid> {
    EventId::new("new")
}

fn json(cell: &str) -> Result<&RawValue, Invalid> {
    serde_json::from_str(cell).map_err(|error| Invalid::new(format!("is not JSON: {error}")))
}

/// Reads one field of an event as its JSON line would have it, so that there is one reader of effects and sources.
fn event_with(field: &str, value: &RawValue) -> Result<Event, Invalid> {
    let id = stand_in()?;
    let text = format!("{{\"id\":\"{id}\",\"title\":\"-\",\"{field}\":{value}}}");
    let line = Line::parse(&text).map_err(|error| without_column(&error))?;
    let entry = line.into_entry(&TimelineName::new("-")?, || id);
    match entry.write {
        Write::Append(event) => Ok(*event),
        _ => Err(Invalid::new("is not a part of an event")),
    }
}

/// The error without the column of a line that no one has seen.
fn without_column(error: &Invalid) -> Invalid {
    let message = error.message().split(" at column ").next().unwrap_or_default();
    super::plan::reworded(error, message)
}

/// Two objects as one; a name that is in both would hide one of its values.
fn joined(extra: &Extra, more: &Extra) -> Result<Extra, Invalid> {
    let known = fields(extra)?;
    if let Some(name) = fields(more)?.keys().find(|name| known.contains_key(*name)) {
        return Err(Invalid::new(format!("`{}` is a column and stands in `extra` too", shown(name))));
    }
    if known.is_empty() {
        return Ok(more.clone());
    }
    let head = extra.as_str().strip_suffix('}').unwrap_or_default();
    let tail = more.as_str().strip_prefix('{').unwrap_or_default();
    Extra::from_json(json(&format!("{head},{tail}"))?)
}

fn fields(extra: &Extra) -> Result<BTreeMap<String, &RawValue>, Invalid> {
    serde_json::from_str(extra.as_str()).map_err(|error| Invalid::new(error.to_string()))
}
