//! `annals show`: one event with its whole history.

use std::io::Write as _;

use annals_core::StoredRecord;
use annals_model::{Content, Event, EventId, Op, Record, Seq, TimelineName};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::erased;
use crate::error::CliResult;
use crate::hints;
use crate::session::Session;
use crate::ui::{self, HEADING, safe};

/// Show one event with its whole history
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:
  annals show resolution-2023")]
pub struct Args {
    /// The event
    id: EventId,
}

/// The answer for programs. It is serialized as it stands: a detour over a JSON value would round numbers and drop
/// what `extra` says twice.
#[derive(Serialize)]
struct Answer<'a> {
    timeline: &'a TimelineName,
    id: &'a EventId,
    /// The record that erased the event's content, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    redacted: Option<Seq>,
    records: Vec<Box<RawValue>>,
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    let store = session.open()?;
    let history = store.history(session.timeline(), &args.id).map_err(|e| hints::explain(&store, e))?;
    session.remark(&store)?;
    // Whoever reads the output may take their time; others need the store.
    drop(store);
    let erased_by = history.last().map(|last| &last.record).filter(|record| record.op == Op::Redact);
    if !session.is_for_people() {
        let lines = history.iter().map(|stored| RawValue::from_string(stored.line()?));
        let records: Vec<Box<RawValue>> = lines.collect::<Result<_, _>>()?;
        let (timeline, redacted) = (session.timeline(), erased_by.map(|record| record.seq));
        return ui::print_json(session, &Answer { timeline, id: &args.id, redacted, records });
    }
    let mut out = ui::out();
    if let Some(event) = history.iter().rev().find_map(|stored| stored.record.content.event()) {
        let last = history.last().filter(|stored| stored.record.op == Op::Retract);
        if let Some(last) = last {
            let withdrawn = format!("withdrawn by record {}", last.record.seq);
            writeln!(out, "{HEADING}{:<12}{HEADING:#}{withdrawn}", "state")?;
        }
        for (name, value) in fields(event) {
            writeln!(out, "{HEADING}{name:<12}{HEADING:#}{}", safe(&value))?;
        }
        writeln!(out)?;
    }
    if let Some(record) = erased_by {
        writeln!(out, "{HEADING}{:<12}{HEADING:#}{}", "event", safe(record.id.as_str()))?;
        writeln!(out, "{HEADING}{:<12}{HEADING:#}{}\n", "state", safe(&erased::because(record)))?;
    }
    let mut before: Option<&Event> = None;
    for stored in &history {
        writeln!(out, "{}", safe(&told(stored, before, erased_by)?))?;
        before = stored.record.content.event().or(before);
    }
    Ok(out.flush()?)
}

/// What an event says, a line each.
fn fields(event: &Event) -> Vec<(&'static str, String)> {
    let mut fields = vec![("event", event.id.to_string()), ("title", event.title.clone())];
    match &event.date {
        Some(date) => fields.push(("date", format!("{date} – {}", date.explain()))),
        None => fields.push(("date", "undated".to_owned())),
    }
    fields.extend(event.kind.iter().map(|kind| ("kind", kind.clone())));
    fields.extend(event.description.iter().map(|text| ("description", text.clone())));
    for actor in &event.actors {
        let role = actor.role.as_ref().map_or(String::new(), |role| format!(" ({role})"));
        fields.push(("actor", format!("{}{role}", actor.name)));
    }
    if let Some(place) = &event.place {
        let point = place.lat.zip(place.lon).map_or(String::new(), |(lat, lon)| format!(" {lat}, {lon}"));
        let precision = place.precision.as_ref().map_or(String::new(), |precision| format!(" ({precision})"));
        fields.push(("place", format!("{}{point}{precision}", place.name)));
    }
    if !event.tags.is_empty() {
        fields.push(("tags", event.tags.join(", ")));
    }
    fields.extend(event.confidence.map(|percent| ("confidence", format!("{percent} %"))));
    fields.extend(event.links.iter().map(|link| ("link", format!("{} {}", link.rel, link.to))));
    fields.extend(event.effects.iter().map(|effect| ("effect", effect.to_string())));
    fields.extend(event.sources.iter().map(|source| ("source", cited(source))));
    fields.extend(event.extra.iter().map(|extra| ("extra", extra.as_str().to_owned())));
    fields
}

/// A source on one line.
fn cited(source: &annals_model::Source) -> String {
    let quote = source.quote.as_ref().map(|quote| format!("“{quote}”"));
    let date = source.date.as_ref().map(ToString::to_string);
    let archived = match source.attached() {
        Some((_, name)) => Some(format!("kept as {name}")),
        None => source.archived.as_ref().map(|url| format!("archived at {url}")),
    };
    let sha256 = source.sha256.as_ref().map(|hash| format!("SHA-256 {hash}"));
    [&source.title, &source.url, &date, &source.locator, &quote, &archived, &sha256]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

/// One record of the history; of a revision, which fields it changed.
fn told(stored: &StoredRecord, before: Option<&Event>, erased_by: Option<&Record>) -> CliResult<String> {
    let record = &stored.record;
    let what = match (&record.content, before) {
        (Content::Event(event), None) => {
            event.date.as_ref().map_or("undated".to_owned(), |date| format!("date {date}"))
        }
        (Content::Event(event), Some(before)) => changed(before, event)?,
        (Content::Reason(reason), _) => format!("because: {reason}"),
        (Content::Redacted, _) => {
            erased_by.map_or("redacted".to_owned(), |by| format!("redacted at seq {}", by.seq))
        }
    };
    Ok(format!("@{} {} {} by {}: {what}", record.seq, record.recorded_at, record.op, record.recorded_by))
}

/// What a revision changed: short values as they were and are, of the others the names of their fields.
fn changed(before: &Event, after: &Event) -> CliResult<String> {
    const SHORT: usize = 60;
    let (before, after) = (serde_json::to_value(before)?, serde_json::to_value(after)?);
    let fields = |event: &Value| event.as_object().map(|o| o.keys().cloned().collect()).unwrap_or_default();
    let mut names: Vec<String> = fields(&before);
    names.extend(fields(&after));
    names.sort();
    names.dedup();
    let show = |value: &Value| value.as_str().map_or_else(|| "none".to_owned(), str::to_owned);
    let mut told = Vec::new();
    for name in names.iter().filter(|name| before[*name] != after[*name]) {
        let (was, is) = (&before[name], &after[name]);
        let texts =
            [was, is].iter().all(|value| value.is_null() || value.as_str().is_some_and(|t| t.len() <= SHORT));
        told.push(if texts { format!("{name} {} → {}", show(was), show(is)) } else { name.clone() });
    }
    Ok(if told.is_empty() { "brought back unchanged".to_owned() } else { told.join(", ") })
}
