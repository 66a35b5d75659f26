//! The JSON of an event, which is written by hand: the bytes that serde's derived form has, whatever the event holds.

#![allow(clippy::unwrap_used, reason = "test code: a panic is how a test fails")]

use annals_model::{
    Actor, Change, Date, Effect, Event, EventId, Extra, Link, Number, Place, Scalar, Source, Value, When,
};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Text with what has to be escaped at any place, and of any length around eight bytes, which are looked at together.
fn texts() -> impl Strategy<Value = String> {
    let odd =
        select(vec!['"', '\\', '\n', '\r', '\t', '\u{8}', '\u{c}', '\0', '\u{1f}', ' ', '!', '#', '[', ']']);
    let far = select(vec!['\u{7f}', '\u{80}', 'é', '漢', '\u{a0}', '\u{2028}', '😀']);
    let characters = prop_oneof![12 => prop::char::range('a', 'z'), 1 => odd, 1 => far];
    vec(characters, 0..24).prop_map(|characters| characters.into_iter().collect())
}

fn numbers() -> impl Strategy<Value = Number> {
    let texts = ["0", "-1", "9000", "0.5", "-12.125", "9007199254740991", "1e3", "0.1"];
    select(texts.to_vec()).prop_map(|text| text.parse().unwrap())
}

fn dates() -> impl Strategy<Value = Date> {
    select(vec!["2004", "2004-06-11", "2010~", "{1960,1961-12}", "2004/.."])
        .prop_map(|text| text.parse().unwrap())
}

fn ids() -> impl Strategy<Value = EventId> {
    select(vec!["e1", "UN police leave (2019)", "a \"b\" \\c", "é"])
        .prop_map(|text| EventId::new(text).unwrap())
}

fn scalars() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        any::<bool>().prop_map(Scalar::Bool),
        numbers().prop_map(Scalar::Number),
        texts().prop_map(|text| Scalar::Text(text.into())),
    ]
}

fn effects() -> impl Strategy<Value = Effect> {
    let changes = prop_oneof![
        scalars().prop_map(|scalar| Change::Set(scalar.into())),
        btree_set(scalars(), 0..4).prop_map(|members| Change::Set(Value::Set(members))),
        Just(Change::Clear),
        scalars().prop_map(Change::Add),
        scalars().prop_map(Change::Remove),
        numbers().prop_map(Change::Increase),
    ];
    let whens = select(vec![When::Start, When::End, When::During]);
    (texts(), texts(), changes, whens).prop_map(|(entity, attribute, change, when)| Effect {
        entity,
        attribute,
        change,
        when,
    })
}

fn sources() -> impl Strategy<Value = Source> {
    let text = || option::of(texts());
    (text(), text(), option::of(dates()), text(), text(), text(), text()).prop_map(
        |(title, url, date, quote, locator, archived, sha256)| Source {
            title,
            url,
            date,
            quote,
            locator,
            archived,
            sha256,
        },
    )
}

fn places() -> impl Strategy<Value = Place> {
    (texts(), option::of(numbers()), option::of(numbers()), option::of(texts()))
        .prop_map(|(name, lat, lon, precision)| Place { name, lat, lon, precision })
}

fn events() -> impl Strategy<Value = Event> {
    let head = (ids(), option::of(dates()), option::of(texts()), texts(), option::of(texts()));
    let actors = (texts(), option::of(texts())).prop_map(|(name, role)| Actor { name, role });
    let links = (texts(), ids()).prop_map(|(rel, to)| Link { rel, to });
    let extras = (texts(), texts())
        .prop_map(|(name, value)| Extra::from_texts([(name.as_str(), value.as_str())]).unwrap().unwrap());
    let lists =
        (vec(actors, 0..3), vec(texts(), 0..3), vec(sources(), 0..3), vec(links, 0..3), vec(effects(), 0..4));
    let rest = (option::of(places()), option::of(0..=100_u8), option::of(extras));
    (head, lists, rest).prop_map(|(head, lists, rest)| {
        let (id, date, kind, title, description) = head;
        let (actors, tags, sources, links, effects) = lists;
        let (place, confidence, extra) = rest;
        Event {
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
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn an_event_is_written_as_its_derived_form_is(event in events()) {
        let mut json = b"before".to_vec();
        event.write_json(&mut json).unwrap();
        let derived = serde_json::to_string(&event).unwrap();
        prop_assert_eq!(String::from_utf8(json).unwrap(), format!("before{derived}"));
    }
}

#[test]
fn each_byte_that_has_to_be_escaped_is_found_at_each_place() {
    for byte in 0..128_u8 {
        for length in 1..20 {
            for at in 0..length {
                let mut title = "x".repeat(length);
                title.replace_range(at..=at, &char::from(byte).to_string());
                let event = Event::new(EventId::new("e").unwrap(), title);
                let mut json = Vec::new();
                event.write_json(&mut json).unwrap();
                assert_eq!(json, serde_json::to_vec(&event).unwrap(), "byte {byte} at {at} of {length}");
            }
        }
    }
}
