//! The canonical JSON of a state, and of what goes on, written out directly.
//!
//! A whole state has many thousand values, and the general way, by a tree of JSON values, takes longer than all that
//! led to them. What is written here is to the letter what RFC 8785 makes of the same values; tests hold it against
//! the general way.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::canonical::{Parts, canonical_json, in_order};
use crate::{
    Alternative, Cell, Certainty, EventId, MAX_INTEGER, Members, Number, Ongoing, Scalar, State, Value,
    threads,
};

/// The RFC 8785 canonical JSON of a state, in parts that follow one another; those of a large one are written side by side.
pub(crate) fn canonical_state(state: &State) -> serde_json::Result<Parts<'static>> {
    let written = threads::map_chunks(&members_of(state), |own| {
        let mut json = Vec::with_capacity(own.len() * 512);
        members(&mut json, own, |json, attributes| object(json, attributes, cell))?;
        Ok::<_, serde_json::Error>(vec![json])
    })?;
    let mut parts: Parts<'_> = Vec::with_capacity(2 * written.len() + 1);
    for part in written {
        parts.push(Cow::Borrowed(if parts.is_empty() { b"{" } else { b"," }));
        parts.push(Cow::Owned(part));
    }
    parts.push(Cow::Borrowed(b"}"));
    Ok(parts)
}

/// The RFC 8785 canonical JSON of a list of what goes on.
pub(crate) fn canonical_ongoing(events: &[Ongoing]) -> serde_json::Result<Vec<u8>> {
    let mut json = Vec::with_capacity(events.len() * 160 + 2);
    list(&mut json, events, ongoing)?;
    Ok(json)
}

fn ongoing(json: &mut Vec<u8>, event: &Ongoing) -> serde_json::Result<()> {
    let Ongoing { id: own, date, title, certainty } = event;
    json.extend(match certainty {
        Certainty::Surely => &b"{\"certainty\":\"surely\",\"date\":"[..],
        Certainty::Possibly => b"{\"certainty\":\"possibly\",\"date\":",
    });
    match date {
        Some(date) => text(json, date.as_str())?,
        None => json.extend(b"null"),
    }
    json.extend(b",\"id\":");
    id(json, own)?;
    json.extend(b",\"title\":");
    text(json, title)?;
    json.push(b'}');
    Ok(())
}

fn object<V>(
    json: &mut Vec<u8>,
    map: &BTreeMap<String, V>,
    value: impl FnMut(&mut Vec<u8>, &V) -> serde_json::Result<()>,
) -> serde_json::Result<()> {
    json.push(b'{');
    members(json, &members_of(map), value)?;
    json.push(b'}');
    Ok(())
}

/// The members of an object in their order.
fn members_of<V>(map: &BTreeMap<String, V>) -> Vec<(&str, &V)> {
    let mut members: Vec<(&str, &V)> = map.iter().map(|(key, value)| (key.as_str(), value)).collect();
    // In ASCII the order of bytes is that of UTF-16.
    if !members.iter().all(|(key, _)| key.is_ascii()) {
        in_order(&mut members);
    }
    members
}

fn members<V>(
    json: &mut Vec<u8>,
    members: &[(&str, &V)],
    mut value: impl FnMut(&mut Vec<u8>, &V) -> serde_json::Result<()>,
) -> serde_json::Result<()> {
    for (index, (key, member)) in members.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        text(json, key)?;
        json.push(b':');
        value(json, member)?;
    }
    Ok(())
}

/// A value with all that is said of it, its members in the order of their names.
fn cell(json: &mut Vec<u8>, cell: &Cell) -> serde_json::Result<()> {
    let Cell { value: stands, sure, by, date, open, contested } = cell;
    json.extend(b"{\"alternatives\":");
    list(json, &open.alternatives, alternative)?;
    json.extend(b",\"by\":");
    text(json, by.as_str())?;
    json.extend(b",\"contested\":");
    if contested.is_empty() {
        json.extend(b"[]");
    } else {
        json.extend(canonical_json(contested)?);
    }
    json.extend(b",\"date\":");
    match date {
        Some(date) => text(json, date.as_str())?,
        None => json.extend(b"null"),
    }
    if !open.depends_on.is_empty() {
        json.extend(b",\"depends_on\":");
        list(json, &open.depends_on, id)?;
    }
    for (name, bound) in [("high", open.high), ("low", open.low)] {
        if let Some(bound) = bound {
            json.extend(b",\"");
            json.extend(name.as_bytes());
            json.extend(b"\":");
            number(json, bound)?;
        }
    }
    if let Some(Members { surely, possibly }) = &open.members {
        json.extend(b",\"members\":{\"possibly\":");
        list(json, possibly, scalar)?;
        json.extend(b",\"surely\":");
        list(json, surely, scalar)?;
        json.push(b'}');
    }
    json.extend(b",\"sure\":");
    json.extend(if *sure { &b"true"[..] } else { b"false" });
    json.extend(b",\"value\":");
    value(json, stands)?;
    json.push(b'}');
    Ok(())
}

fn list<T>(
    json: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut item: impl FnMut(&mut Vec<u8>, T) -> serde_json::Result<()>,
) -> serde_json::Result<()> {
    json.push(b'[');
    for (index, one) in items.into_iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        item(json, one)?;
    }
    json.push(b']');
    Ok(())
}

fn alternative(json: &mut Vec<u8>, alternative: &Alternative) -> serde_json::Result<()> {
    json.extend(b"{\"by\":");
    list(json, &alternative.by, id)?;
    json.extend(b",\"value\":");
    match &alternative.value {
        Some(other) => value(json, other)?,
        None => json.extend(b"null"),
    }
    json.push(b'}');
    Ok(())
}

fn id(json: &mut Vec<u8>, id: &EventId) -> serde_json::Result<()> {
    text(json, id.as_str())
}

fn value(json: &mut Vec<u8>, value: &Value) -> serde_json::Result<()> {
    match value {
        Value::Scalar(one) => scalar(json, one),
        Value::Set(members) => list(json, members, scalar),
    }
}

fn scalar(json: &mut Vec<u8>, value: &Scalar) -> serde_json::Result<()> {
    match value {
        Scalar::Bool(true) => json.extend(b"true"),
        Scalar::Bool(false) => json.extend(b"false"),
        Scalar::Number(own) => number(json, *own)?,
        Scalar::Text(own) => text(json, own)?,
    }
    Ok(())
}

/// Whole numbers that a floating-point number keeps are their digits; of others the general way says what they are.
fn number(json: &mut Vec<u8>, number: Number) -> serde_json::Result<()> {
    match number.parts() {
        (digits, 0) if digits.unsigned_abs() <= MAX_INTEGER.unsigned_abs().into() => plain(json, &digits),
        _ => {
            json.extend(canonical_json(&number)?);
            Ok(())
        }
    }
}

fn text(json: &mut Vec<u8>, text: &str) -> serde_json::Result<()> {
    let is_plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        json.push(b'"');
        json.extend(text.as_bytes());
        json.push(b'"');
        return Ok(());
    }
    plain(json, text)
}

fn plain(json: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) -> serde_json::Result<()> {
    serde_json::to_writer(json, value)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{Contender, Date, Open};

    fn cells() -> Vec<Cell> {
        let id = |text: &str| EventId::new(text).unwrap();
        let number = |text: &str| text.parse::<Number>().unwrap();
        let words = ["plain", "\"quoted\" \\ \u{1}\u{8}\t\n\u{c}\r", "\u{7f}é\u{2028}😀\u{ffff}", ""];
        let mut values: Vec<Value> = words.map(|word| Scalar::Text(word.into()).into()).to_vec();
        let numbers = ["0", "-7", "0.1", "-12.25", "9007199254740991", "-9007199254740991", "1e-17"];
        values.extend(numbers.map(|digits| Scalar::Number(number(digits)).into()));
        let largest = number("9007199254740991");
        values.push(Scalar::Number(largest.checked_add(largest).unwrap()).into());
        values.extend([true, false].map(|bool| Scalar::Bool(bool).into()));
        let scalars = |value: &Value| match value {
            Value::Scalar(scalar) => Some(scalar.clone()),
            Value::Set(_) => None,
        };
        let all: BTreeSet<Scalar> = values.iter().filter_map(scalars).collect();
        values.extend([Value::Set(BTreeSet::new()), Value::Set(all.clone())]);
        let members = Members { surely: BTreeSet::new(), possibly: all };
        let date = |text: &str| Date::parse(text).unwrap();
        let alternatives = values
            .iter()
            .map(|value| Alternative { value: Some(value.clone()), by: vec![id("a\"b"), id("c")] })
            .chain([Alternative { value: None, by: Vec::new() }])
            .collect();
        let open = Open {
            alternatives,
            low: Some(number("-0.5")),
            high: Some(number("12")),
            members: Some(members),
            depends_on: vec![id("e1"), id("é\\2")],
        };
        let contested =
            vec![Contender { value: values[1].clone(), by: id("x"), date: None, sources: Vec::new() }];
        let mut cells = Vec::new();
        for (index, value) in values.into_iter().enumerate() {
            let date = (index % 3 > 0).then(|| date("2004?"));
            let open = (index % 2 == 1).then(|| Box::new(open.clone())).into();
            let contested = if index % 4 == 3 { contested.clone() } else { Vec::new() };
            cells.push(Cell { value, sure: index % 2 == 0, by: id("by 1"), date, open, contested });
        }
        cells
    }

    #[test]
    fn what_goes_on_is_written_as_the_general_way_writes_it() {
        let dates = [None, Some("2004/2010"), Some("2004?")];
        let titles = ["plain", "\"quoted\" \\ \u{1}", "é\u{2028}😀"];
        let certainties = [Certainty::Surely, Certainty::Possibly];
        let one = |n: usize| Ongoing {
            id: EventId::new(["a\"b", "c"][n % 2]).unwrap(),
            date: dates[n % 3].map(|text| Date::parse(text).unwrap()),
            title: titles[n / 3 % 3].to_owned(),
            certainty: certainties[n / 9 % 2],
        };
        for events in [(0..18).map(one).collect::<Vec<_>>(), Vec::new()] {
            let expect = String::from_utf8(canonical_json(&events).unwrap()).unwrap();
            assert_eq!(String::from_utf8(canonical_ongoing(&events).unwrap()).unwrap(), expect);
        }
    }

    #[test]
    fn a_state_is_written_as_the_general_way_writes_it() {
        let mut state = State::new();
        let names = ["a", "b.c", "\u{e9}", "\u{ffee}", "😀", "\"\n", ""];
        for (index, cell) in cells().into_iter().enumerate() {
            let (entity, attribute) = (names[index % names.len()], names[index / 3 % names.len()]);
            state.entry(entity.to_owned()).or_default().insert(attribute.to_owned(), cell);
        }
        assert!(state.values().map(BTreeMap::len).sum::<usize>() > 12);
        assert_is_general(&state);
        assert_is_general(&State::new());
        // So many that several threads write them.
        let attributes = state.values().next().unwrap();
        let many = (0..300).map(|number| (format!("{}{number}", names[number % 7]), attributes.clone()));
        assert_is_general(&many.collect());
    }

    fn assert_is_general(state: &State) {
        let expect = String::from_utf8(canonical_json(state).unwrap()).unwrap();
        assert_eq!(String::from_utf8(canonical_state(state).unwrap().concat()).unwrap(), expect);
    }
}
