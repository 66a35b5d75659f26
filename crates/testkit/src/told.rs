//! Events from short texts, so that a test reads as the story that it tells.

use annals_model::line::Line;
use annals_model::{AsOf, Date, Event, EventId, Moment, TimelineName, Write};

/// Whose attribute the effects change.
pub const ENTITY: &str = "a";
/// The attribute that they change, unless they name another.
pub const ATTRIBUTE: &str = "x";

/// An event from its id, its date (empty for none) and its effects, `; ` between them.
///
/// An effect is `set 1`, `set "text"`, `set [1,2]`, `clear`, `add 1`, `remove 1` or `increase 1`, with `@end` or
/// `@during` behind it where it is not at the start, and `y: ` before it where it changes `a.y` and not `a.x`.
pub fn event(id: &str, date: &str, effects: &str) -> Event {
    let date = if date.is_empty() { String::new() } else { format!(r#""date":"{date}","#) };
    let effects: Vec<String> = effects.split("; ").filter(|effect| !effect.is_empty()).map(effect).collect();
    let line =
        format!(r#"{{"id":"{id}",{date}"title":"What {id} tells","effects":[{}]}}"#, effects.join(","));
    let line = Line::parse(&line).unwrap_or_else(|error| panic!("{error}\n{line}"));
    let no_id = || panic!("the line has an id");
    match line.into_entry(&TimelineName::new("main").unwrap(), no_id).write {
        Write::Append(event) => *event,
        other => panic!("not an append: {other:?}"),
    }
}

fn effect(text: &str) -> String {
    let (attribute, text) = text.split_once(": ").unwrap_or((ATTRIBUTE, text));
    let (text, when) = text.split_once('@').unwrap_or((text, "start"));
    let (op, value) = text.split_once(' ').unwrap_or((text, ""));
    let value = if value.is_empty() { String::new() } else { format!(r#","value":{value}"#) };
    format!(r#"{{"op":"{op}","entity":"{ENTITY}","attribute":"{attribute}"{value},"when":"{when}"}}"#)
}

/// An event's id.
pub fn id(text: &str) -> EventId {
    EventId::new(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The end of a date, to be asked as of.
pub fn as_of(date: &str) -> AsOf {
    AsOf::new(Date::parse(date).unwrap_or_else(|error| panic!("{error}"))).unwrap()
}

/// A second, to be asked as of; `None` where EDTF cannot write it.
pub fn as_of_second(moment: Moment) -> Option<AsOf> {
    AsOf::new(Date::parse(&moment.to_string()).ok()?).ok()
}
