//! Random events: every field there or not, every kind of effect, and texts made of what formats trip over.

use annals_model::{
    Actor, Change, Date, Effect, Event, EventId, Extra, Link, Number, Place, Scalar, Source, Value, When,
};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

const DATES: &[&str] = &[
    "2004",
    "2010~",
    "2004?",
    "2023-10-02",
    "2023-10",
    "-0043-03-15",
    "0000",
    "Y-17E7",
    "Y12000",
    "[2017..2019]",
    "{2017,2019}",
    "2023-10-02/..",
    "2023-10-02/",
    "../2019",
    "/2019",
    "/",
    "../..",
    "2023-24",
    "19XX",
    "-01XX",
    "2023-10-02T15:30:00+02:00",
    "2023-10-02T15:30:00",
    "2023-10-02T15:30:00Z",
    "2023-10-02/2023-10-02",
    "1985-04-12/2004%",
    "0001",
    "0044-02-29",
    "9999-12-31",
    "-0004-02-29",
    "..2004/2010..",
    "[..2019-12-31]",
    "{2017-01-01..2017-01-03}",
    "Y-17E7/2004",
    "-0049/0050",
    "2023-10-02T23:30:00-11:30",
    "0001-01-01T01:00:00+02:00",
];

const PIECES: &[&str] = &[
    "=",
    "+",
    "-",
    "@",
    "'",
    "\"",
    ",",
    ";",
    "; ",
    "\t",
    "\r",
    "\n",
    "\r\n",
    "[",
    "{",
    "}",
    "]",
    "[\"",
    "[{",
    " ",
    "\0",
    "\u{202e}",
    "😀",
    "é",
    "a",
    "B",
    "7",
    "＝",
    "\\",
    "|",
    "<",
    ">",
    "&",
    "#",
    "`",
    "*",
    "_",
    "\u{feff}",
    "\u{a0}",
    "\u{2028}",
    "1.",
    "null",
    "true",
    "\n\n",
    "2004: ",
    "now:",
    "key: x",
    "#tag",
    "!id",
    ".end",
    "](location)",
    "---",
    "//",
    "\\n",
    "\\,",
    "<p>",
    "</p>",
    "<br>",
    "&amp;",
    "END:VEVENT",
    "every day:",
    "[x] ",
    "%%",
];

/// Any text that may stand in a description.
pub fn text() -> impl Strategy<Value = String> {
    let piece =
        prop_oneof![9 => select(PIECES).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    vec(piece, 1..9).prop_map(|pieces| pieces.concat())
}

/// Any text that may be a name.
fn name() -> impl Strategy<Value = String> {
    text().prop_map(|text| {
        let visible: String = text.chars().filter(|c| !c.is_control()).collect();
        match visible.trim() {
            "" => "x".to_owned(),
            name => name.to_owned(),
        }
    })
}

fn title() -> impl Strategy<Value = String> {
    text().prop_map(|text| if text.trim().is_empty() { format!("{text}x") } else { text })
}

fn date() -> impl Strategy<Value = Date> {
    let written = select(DATES).prop_map(|text| Date::parse(text).unwrap());
    let other = (point(), option::of(point()), select(&["", "?", "~", "%"][..]), 0_u8..8);
    let other = other.prop_filter_map("no date", |(start, end, doubt, how)| {
        let start = format!("{start}{doubt}");
        let text = match (end, how) {
            (Some(end), 0..4) => format!("{start}/{end}"),
            (Some(end), 4) => format!("[{start},{end}]"),
            (Some(end), 5) => format!("{{{start},{end}}}"),
            (Some(end), _) => format!("[{start}..{end}]"),
            (None, 0) => format!("{start}/.."),
            (None, 1) => format!("../{start}"),
            (None, 2) => format!("{start}/"),
            (None, _) => start,
        };
        Date::parse(&text).ok()
    });
    prop_oneof![written, other]
}

/// A year, a month, a day or a second, of which some do not exist.
fn point() -> impl Strategy<Value = String> {
    let years = prop_oneof![4 => 1_000_i32..2_100, 1 => -120_i32..120, 1 => -9_999_i32..10_000];
    let clock = (0_u8..24, 0_u8..60, select(&["", "Z", "+05:30", "-11:00", "+14:00"][..]));
    (years, 1_u8..38, 1_u8..32, clock, 0_u8..4).prop_map(|(year, month, day, (hour, minute, zone), parts)| {
        let year = if year < 0 { format!("-{:04}", -year) } else { format!("{year:04}") };
        match parts {
            0 => year,
            1 => format!("{year}-{month:02}"),
            2 => format!("{year}-{:02}-{day:02}", 1 + month % 12),
            _ => format!("{year}-{:02}-{day:02}T{hour:02}:{minute:02}:59{zone}", 1 + month % 12),
        }
    })
}

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        (-1_000_000_i64..1_000_000).prop_map(Number::from),
        (-999_i64..999, 0_u32..1_000_000)
            .prop_map(|(whole, part)| format!("{whole}.{part:06}").parse().unwrap()),
    ]
}

fn degrees(limit: i64) -> impl Strategy<Value = Number> {
    (1 - limit..limit, 0_u32..100_000).prop_map(|(whole, part)| format!("{whole}.{part:05}").parse().unwrap())
}

fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        any::<bool>().prop_map(Scalar::Bool),
        number().prop_map(Scalar::Number),
        text().prop_map(|text| Scalar::Text(text.into()))
    ]
}

fn change() -> impl Strategy<Value = (Change, When)> {
    let when = || select(&[When::Start, When::End, When::During][..]);
    let plain = || select(&[When::Start, When::End][..]);
    let set = prop_oneof![scalar().prop_map(Value::Scalar), btree_set(scalar(), 0..4).prop_map(Value::Set)];
    prop_oneof![
        (set.prop_map(Change::Set), when()),
        (scalar().prop_map(Change::Add), when()),
        (scalar().prop_map(Change::Remove), plain()),
        (number().prop_map(Change::Increase), plain()),
        (Just(Change::Clear), plain()),
    ]
}

fn effect() -> impl Strategy<Value = Effect> {
    (name(), name(), change()).prop_map(|(entity, attribute, (change, when))| Effect {
        entity,
        attribute: attribute.replace('.', "-"),
        change,
        when,
    })
}

fn place() -> impl Strategy<Value = Place> {
    (name(), option::of((degrees(90), degrees(180))), option::of(name())).prop_map(
        |(name, point, precision)| {
            let (lat, lon) = point.unzip();
            Place { name, lat, lon, precision }
        },
    )
}

fn source() -> impl Strategy<Value = Source> {
    let texts =
        (option::of(title()), option::of(name()), option::of(text()), option::of(name()), option::of(name()));
    (texts, option::of(date()), any::<bool>()).prop_map(
        |((title, url, quote, locator, archived), date, hash)| {
            let sha256 = hash.then(|| "0123456789abcdef".repeat(4));
            let source = Source { title, url, date, quote, locator, archived, sha256 };
            if source == Source::default() {
                Source { locator: Some("p. 1".to_owned()), ..source }
            } else {
                source
            }
        },
    )
}

fn extra() -> impl Strategy<Value = Extra> {
    let value = prop_oneof![
        text().prop_map(|text| serde_json::to_string(&text).unwrap()),
        select(&["1.0e5", "null", "[1,2,{\"a\":\" b \"}]", "0.10", "{}"][..]).prop_map(str::to_owned),
    ];
    btree_map(text(), value, 0..4).prop_map(|fields| {
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}:{value}", serde_json::to_string(name).unwrap()))
            .collect();
        let raw = serde_json::value::RawValue::from_string(format!("{{{}}}", fields.join(","))).unwrap();
        Extra::from_json(&raw).unwrap()
    })
}

/// Any event that the model admits.
pub fn event() -> impl Strategy<Value = Event> {
    let head = (name(), option::of(date()), option::of(name()), title(), option::of(text()));
    let actor = (name(), option::weighted(0.2, name())).prop_map(|(name, role)| Actor { name, role });
    let lists = (vec(actor, 0..3), option::of(place()), vec(name(), 0..3), vec(source(), 0..3));
    let link = (name(), name()).prop_map(|(rel, to)| Link { rel, to: EventId::new(to).unwrap() });
    let tail = (option::of(0_u8..=100), vec(link, 0..2), vec(effect(), 0..3), option::of(extra()));
    (head, lists, tail).prop_map(
        |(
            (id, date, kind, title, description),
            (actors, place, tags, sources),
            (confidence, links, effects, extra),
        )| {
            let id = EventId::new(id).unwrap();
            let event = Event {
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
            };
            event.check().unwrap();
            event
        },
    )
}
