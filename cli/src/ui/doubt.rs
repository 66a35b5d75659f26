//! What a value may be instead, and what it depends on, in words.

use annals_model::{Alternative, Contender, EventId, Members, Open, Scalar, Source, Value};

/// Ids, values and members that people are shown of a long list; programs get all of it.
const SHOWN: usize = 5;

/// What may stand, as in `may be 500 to 750; it depends on the dates of a and b`.
pub fn doubt(open: &Open) -> String {
    let mut may_be: Vec<String> = Vec::new();
    // Numbers and sets that are listed one by one say more than their bounds.
    let is_number =
        |alternative: &Alternative| matches!(alternative.value, Some(Value::Scalar(Scalar::Number(_))));
    if !open.alternatives.iter().any(is_number) {
        match (&open.low, &open.high) {
            (Some(low), Some(high)) if low == high => may_be.push(low.to_string()),
            (Some(low), Some(high)) => may_be.push(format!("{low} to {high}")),
            _ => {}
        }
    }
    may_be.extend(listed(open.alternatives.iter().map(alternative)));
    let mut parts = Vec::new();
    if !may_be.is_empty() {
        parts.push(format!("may be {}", may_be.join(" or ")));
    }
    let is_set = |alternative: &Alternative| matches!(alternative.value, Some(Value::Set(_)));
    if let Some(members) = open.members.as_ref().filter(|_| !open.alternatives.iter().any(is_set)) {
        parts.push(self::members(members));
    }
    if !open.depends_on.is_empty() {
        parts.push(depends_on(&open.depends_on));
    }
    parts.join("; ")
}

fn alternative(Alternative { value, by }: &Alternative) -> String {
    let value = value.as_ref().map_or_else(|| "absent".to_owned(), ToString::to_string);
    if by.is_empty() { value } else { format!("{value} (by {})", ids(by)) }
}

fn members(Members { surely, possibly }: &Members) -> String {
    let set = |members: Vec<String>| format!("{{{}}}", listed(members.into_iter()).join(", "));
    let sure = surely.iter().map(ToString::to_string).collect();
    let others: Vec<String> = possibly.difference(surely).map(ToString::to_string).collect();
    match (surely.is_empty(), others.is_empty()) {
        (true, false) => format!("may hold {}", set(others)),
        (_, true) => format!("holds {}", set(sure)),
        (false, false) => format!("surely holds {}, and may hold {}", set(sure), set(others)),
    }
}

fn depends_on(events: &[EventId]) -> String {
    let dates = if events.len() == 1 { "date" } else { "dates" };
    format!("it depends on the {dates} of {}", ids(events))
}

fn ids(events: &[EventId]) -> String {
    listed(events.iter().map(ToString::to_string)).join(", ")
}

/// The first few of a list, and how many more there are.
fn listed(all: impl ExactSizeIterator<Item = String>) -> Vec<String> {
    let count = all.len();
    let mut shown: Vec<String> = all.take(SHOWN).collect();
    if count > SHOWN {
        shown.push(format!("{} more", count - SHOWN));
    }
    shown
}

/// Who contradicts a value, as in `450 by b (2004; Le Nouvelliste)`.
pub fn contested(other: &Contender) -> String {
    let date = super::dated(other.date.as_ref());
    let named = |source: &Source| source.title.clone().or_else(|| source.url.clone());
    let mut sources: Vec<String> = other.sources.iter().filter_map(named).collect();
    sources.dedup();
    let said = if sources.is_empty() { String::new() } else { format!("; {}", sources.join(", ")) };
    format!("{} by {} ({date}{said})", other.value, other.by)
}
