//! A question to a few events on one attribute, `a.b`.

use annals_model::fold::Counted;
use annals_model::line::Line;
use annals_model::{
    AsOf, Certainty, Date, Event, EventId, Filter, Knowledge, KnownAt, Position, Question, Seq, Snapshot,
    TimelineName, Write,
};

/// An event from its date and its effects, as JSON.
fn event(id: usize, date: &str, effects: &str) -> Event {
    let date = if date.is_empty() { String::new() } else { format!(r#""date":"{date}","#) };
    let line = format!(r#"{{"id":"e{id}",{date}"title":"t","effects":[{effects}]}}"#);
    let entry = Line::parse(&line)
        .unwrap()
        .into_entry(&TimelineName::new("t").unwrap(), || EventId::new("x").unwrap());
    match entry.write {
        Write::Append(event) => *event,
        other => panic!("not an append: {other:?}"),
    }
}

/// `set v`, `add v`, `remove v`, `increase v`, `clear`, each with `@end` or `@during` behind it, on `a.b`.
fn effect(text: &str) -> String {
    let (text, when) = text.split_once('@').unwrap_or((text, "start"));
    let (op, value) = text.split_once(' ').unwrap_or((text, ""));
    let value = if value.is_empty() { String::new() } else { format!(r#","value":{value}"#) };
    format!(r#"{{"op":"{op}","entity":"a","attribute":"b"{value},"when":"{when}"}}"#)
}

/// The answer; the events are `e1`, `e2` … in the order in which they were recorded.
pub fn snapshot(events: &[(&str, &str)], as_of: &str, certainty: Certainty) -> Snapshot {
    let events: Vec<Event> = events
        .iter()
        .enumerate()
        .map(|(index, (date, effects))| {
            let effects: Vec<String> = effects.split("; ").filter(|e| !e.is_empty()).map(effect).collect();
            event(index + 1, date, &effects.join(","))
        })
        .collect();
    let counted = events.iter().zip(1..).map(|(event, n)| Counted { place: Seq(n), seq: Seq(n), event });
    let question = Question {
        timeline: TimelineName::new("t").unwrap(),
        as_of: AsOf::new(Date::parse(as_of).unwrap()).unwrap(),
        known_at: KnownAt::Everything,
        certainty,
        filter: Filter::default(),
        entities: Vec::new(),
    };
    let position = Position { seq: Seq(events.len() as u64), recorded_at: None };
    let knowledge = Knowledge { position, log_root: [0; 32], events: counted.collect(), withdrawn: 0 };
    Snapshot::answer(&question, &knowledge).unwrap()
}
