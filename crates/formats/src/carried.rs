//! The parts of an event that a target has no field for, carried through it in a field of ours.
//!
//! Calendars and timelines of other programs have a title, a text and some days. What an event has beyond that
//! goes along as JSON in one field that those programs keep and do not read, so that our importer gives back the
//! event as it was. The fields that the other program shows are its own: where one of them is not what we made of
//! the event, somebody has changed it there, and the change counts ([`settle`]).

use std::collections::BTreeMap;

use annals_model::line::{EVENT_FIELDS, Line};
use annals_model::{Event, EventId, Invalid, Place, TimelineName, Write};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use crate::text::{shown, visible_json};

/// What a target shows of an event, in its own writing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The line for people.
    pub title: String,
    /// The text for people: description and details.
    pub text: String,
    /// The forms that the date takes; a file has one of them.
    pub dates: Vec<String>,
    /// The labels.
    pub tags: Vec<String>,
    /// The place, if the target has a field for it.
    pub place: Option<Place>,
}

/// How a target writes what it shows, and how it is read.
pub struct Target {
    /// What it shows of an event.
    pub shown: fn(&Event) -> Shown,
    /// What stands behind the title in `Shown::title`.
    pub suffix: fn(&Event) -> String,
    /// The details that stand behind the description in `Shown::text`.
    pub details: fn(&Event) -> String,
    /// What stands between the two.
    pub between: &'static str,
    /// Reads the target's writing.
    pub plain: fn(&str) -> String,
}

/// What a file says of one event.
#[derive(Debug, Default)]
pub struct Found {
    /// The id that the other program keeps; ours may be carried.
    pub id: Option<String>,
    /// What it shows.
    pub shown: Shown,
    /// The date as EDTF, read from the file's own fields; the fault where they make none.
    pub date: Option<Result<String, Invalid>>,
    /// The date that was carried, which stands by itself so that other programs can read it, too.
    pub edtf: Option<String>,
    /// The JSON that was carried.
    pub carried: Option<String>,
    /// Sources that the file's own fields name.
    pub sources: Vec<Value>,
    /// The kind that the file's own fields name.
    pub kind: Option<String>,
    /// What has no room in an event.
    pub extra: Map<String, Value>,
}

/// The fields of an event by name, each as its JSON, so that numbers stay exact.
type Fields = BTreeMap<String, Box<RawValue>>;

/// The JSON to carry for an event: all but what the target gives back by itself.
pub fn carry(
    target: &Target,
    timeline: &TimelineName,
    event: &Event,
    shown: &Shown,
) -> serde_json::Result<String> {
    let json = serde_json::to_string(event)?;
    let mut fields: Fields = serde_json::from_str(&json)?;
    if let Some(extra) = &event.extra {
        // As text, since its spelling counts, and escapes would change it.
        fields.insert("extra".to_owned(), to_raw_value(extra.as_str())?);
    }
    fields.insert("timeline".to_owned(), to_raw_value(timeline)?);
    fields.remove("date");
    let title = title(target, event, &shown.title);
    let mut found = None;
    let gives_back = [
        ("title", title.as_deref() == Some(event.title.as_str())),
        ("description", description(target, event, &shown.text, &mut found) && found == event.description),
        ("tags", shown.tags == event.tags),
        ("place", shown.place == event.place),
    ];
    for (name, _) in gives_back.iter().filter(|(_, is_so)| *is_so) {
        fields.remove(*name);
    }
    Ok(visible_json(&serde_json::to_string(&fields)?))
}

/// The line of an event that was found.
pub fn settle(target: &Target, found: Found) -> Result<Line, Invalid> {
    let mut fields = match found.carried.as_deref() {
        Some(carried) => fields(carried)?,
        None if found.edtf.is_none() => return foreign(target, found),
        None => Fields::new(),
    };
    put(&mut fields, "date", found.edtf.as_deref())?;
    ours(target, fields, &found)
}

/// The line of an event that we exported, with what has been changed since.
fn ours(target: &Target, mut fields: Fields, found: &Found) -> Result<Line, Invalid> {
    let Found { id, shown, date, extra, .. } = found;
    let (has_title, has_description) = (fields.contains_key("title"), fields.contains_key("description"));
    if !has_title {
        put(&mut fields, "title", Some("-"))?;
    }
    if !fields.contains_key("tags") {
        put(&mut fields, "tags", Some(&shown.tags))?;
    }
    if !fields.contains_key("place") {
        put(&mut fields, "place", shown.place.as_ref())?;
    }
    if let (false, Some(id)) = (fields.contains_key("id"), id) {
        put(&mut fields, "id", Some(id))?;
    }
    let mut event = event(&fields)?;
    if let (false, Some(title)) = (has_title, title(target, &event, &shown.title)) {
        event.title = title;
    }
    if !has_description {
        let mut found = None;
        description(target, &event, &shown.text, &mut found);
        event.description = found;
    }
    let made = (target.shown)(&event);
    let title = if made.title == shown.title { event.title } else { (target.plain)(&shown.title) };
    put(&mut fields, "title", Some(title))?;
    let text = if made.text == shown.text { event.description } else { filled((target.plain)(&shown.text)) };
    put(&mut fields, "description", text)?;
    if made.tags != shown.tags {
        put(&mut fields, "tags", Some(&shown.tags))?;
    }
    if made.place != shown.place {
        put(&mut fields, "place", shown.place.as_ref())?;
    }
    if !shown.dates.iter().all(|date| made.dates.contains(date)) {
        put(&mut fields, "date", date.clone().transpose().map_err(|e| e.under("date"))?)?;
    }
    line(&fields, extra)
}

/// The line of an event that some other program wrote.
fn foreign(target: &Target, found: Found) -> Result<Line, Invalid> {
    let mut fields = Fields::new();
    let title = (target.plain)(&found.shown.title);
    if title.trim().is_empty() {
        let invalid = Invalid::new("must not be blank").with_hint("give the event a title in the file");
        return Err(invalid.under("title"));
    }
    put(&mut fields, "id", found.id)?;
    put(&mut fields, "title", Some(title))?;
    put(&mut fields, "description", filled((target.plain)(&found.shown.text)))?;
    put(&mut fields, "date", found.date.transpose().map_err(|e| e.under("date"))?)?;
    put(&mut fields, "kind", found.kind)?;
    put(&mut fields, "tags", Some(found.shown.tags))?;
    put(&mut fields, "place", found.shown.place)?;
    put(&mut fields, "sources", Some(found.sources))?;
    line(&fields, &found.extra)
}

fn title(target: &Target, event: &Event, shown: &str) -> Option<String> {
    shown.strip_suffix((target.suffix)(event).as_str()).map(target.plain)
}

/// Takes the description out of a text; false where the details are not behind it.
fn description(target: &Target, event: &Event, shown: &str, into: &mut Option<String>) -> bool {
    let details = (target.details)(event);
    let text = match shown.strip_suffix(details.as_str()) {
        Some(text) if text.is_empty() || details.is_empty() => Some(text),
        Some(text) => text.strip_suffix(target.between),
        None => None,
    };
    if let Some(text) = text {
        *into = filled((target.plain)(text));
    }
    text.is_some()
}

impl Target {
    /// A description in the target's writing, with the details behind it.
    pub fn text(&self, description: &str, event: &Event) -> String {
        let details = (self.details)(event);
        let between = if description.is_empty() || details.is_empty() { "" } else { self.between };
        [description, between, &details].concat()
    }
}

fn filled(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn put(fields: &mut Fields, name: &str, value: Option<impl Serialize>) -> Result<(), Invalid> {
    match value {
        Some(value) => fields.insert(name.to_owned(), raw(&value)?),
        None => fields.remove(name),
    };
    Ok(())
}

fn raw(value: &(impl Serialize + ?Sized)) -> Result<Box<RawValue>, Invalid> {
    to_raw_value(value).map_err(|error| Invalid::new(error.to_string()))
}

/// The fields that were carried.
fn fields(json: &str) -> Result<Fields, Invalid> {
    let mut fields: Fields = serde_json::from_str(json)
        .map_err(|error| Invalid::new(format!("the field of Annals is not its JSON: {error}")))?;
    // Nothing else is taken from a file: no operation, no record time.
    if let Some(name) = fields.keys().find(|name| !EVENT_FIELDS.contains(&name.as_str())) {
        return Err(Invalid::new(format!(
            "the field of Annals holds `{}`, which is none of an event's",
            shown(name)
        )));
    }
    let text = fields.get("extra").and_then(|extra| serde_json::from_str::<String>(extra.get()).ok());
    if let Some(text) = text {
        let object =
            RawValue::from_string(text).map_err(|error| Invalid::new(error.to_string()).under("extra"))?;
        fields.insert("extra".to_owned(), object);
    }
    Ok(fields)
}

/// The line of these fields, read as any line of JSON is, with its limits and its errors.
fn line(fields: &Fields, kept: &Map<String, Value>) -> Result<Line, Invalid> {
    let mut fields = fields.clone();
    if !kept.is_empty() {
        let mut extra: Fields = match fields.get("extra") {
            Some(extra) => {
                serde_json::from_str(extra.get()).map_err(|e| Invalid::new(e.to_string()).under("extra"))?
            }
            None => Fields::new(),
        };
        for (name, value) in kept {
            extra.entry(name.clone()).or_insert(raw(value)?);
        }
        put(&mut fields, "extra", Some(extra))?;
    }
    let json = serde_json::to_string(&fields).map_err(|error| Invalid::new(error.to_string()))?;
    // The column is that of a line which no one has seen.
    Line::parse(&json).map_err(|error| {
        let message = error.message().split(" at column ").next().unwrap_or_default().to_owned();
        crate::map::reworded(&error, &message)
    })
}

fn event(fields: &Fields) -> Result<Event, Invalid> {
    let stand_in = EventId::new("new")?;
    match line(fields, &Map::new())?.into_entry(&TimelineName::new("-")?, || stand_in).write {
        Write::Append(event) => Ok(*event),
        _ => Err(Invalid::new("is not an event")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn simple(event: &Event) -> Shown {
        let text = TARGET.text(event.description.as_deref().unwrap_or_default(), event);
        let dates = event.date.iter().map(ToString::to_string).collect();
        Shown { title: event.title.clone() + "!", text, dates, ..Shown::default() }
    }

    fn details(event: &Event) -> String {
        event.kind.as_ref().map_or_else(String::new, |kind| format!("Kind: {kind}"))
    }

    const TARGET: Target = Target {
        shown: simple,
        suffix: |_| "!".to_owned(),
        details,
        between: "\n",
        plain: |text| text.to_owned(),
    };

    fn carried(json: &str) -> (Event, Shown, String) {
        let fields: Fields = serde_json::from_str(json).unwrap();
        let event = event(&fields).unwrap();
        let shown = simple(&event);
        let json = carry(&TARGET, &TimelineName::new("t").unwrap(), &event, &shown).unwrap();
        (event, shown, json)
    }

    fn back(shown: Shown, carried: &str) -> Result<Event, Invalid> {
        let found = Found {
            shown,
            edtf: Some("2010~".to_owned()),
            carried: Some(carried.to_owned()),
            date: Some(Ok("1999".into())),
            ..Found::default()
        };
        let line = settle(&TARGET, found)?;
        match line.into_entry(&TimelineName::new("t")?, || EventId::new("new").unwrap()).write {
            Write::Append(event) => Ok(*event),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_event_comes_back_as_it_was_and_nothing_is_carried_twice() {
        let json = r#"{"id":"a","date":"2010~","kind":"k","title":"T","description":"D","tags":["x"],"extra":{"b":"\u202e"}}"#;
        let (event, shown, carried) = carried(json);
        assert_eq!(
            carried,
            r#"{"extra":"{\"b\":\"\\u202e\"}","id":"a","kind":"k","tags":["x"],"timeline":"t"}"#
        );
        assert_eq!(back(shown, &carried).unwrap(), event);
    }

    #[test]
    fn what_the_other_program_changed_counts() {
        let (event, shown, carried) =
            carried(r#"{"id":"a","date":"2010~","kind":"k","title":"T","description":"D"}"#);
        let changed = back(Shown { title: "New".into(), ..shown.clone() }, &carried).unwrap();
        assert_eq!(changed, Event { title: "New".into(), ..event.clone() });
        let changed = back(Shown { text: "E\nKind: k".into(), ..shown.clone() }, &carried).unwrap();
        assert_eq!(changed, Event { description: Some("E".into()), ..event.clone() });
        let changed = back(Shown { dates: vec!["1999".into()], ..shown }, &carried).unwrap();
        assert_eq!(changed.date.unwrap().as_str(), "1999");
    }

    #[test]
    fn nothing_but_an_events_fields_is_taken() {
        let (_, shown, _) = carried(r#"{"id":"a","date":"2010~","title":"T"}"#);
        let refused = |json: &str| back(shown.clone(), json).unwrap_err().to_string();
        assert_eq!(
            refused(r#"{"op":"retract","id":"a"}"#),
            "the field of Annals holds `op`, which is none of an event's"
        );
        assert!(refused("[1]").starts_with("the field of Annals is not its JSON"));
        assert_eq!(refused(r#"{"confidence":101}"#), "confidence: is a percentage from 0 to 100");
    }
}
