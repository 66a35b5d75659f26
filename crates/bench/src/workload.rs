//! The workload: JSON Lines events of about 450 bytes, each with two effects.
//!
//! 20,000 entities, dates over 55 years, most of them to the day and some vaguer; one line in twenty revises an
//! earlier event, one in a hundred retracts one. Every line is made of the seed and its own number alone, so that
//! a file of any size needs no memory, and the same number gives the same line in every run.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use crate::Outcome;
use crate::random::Random;

/// How many entities the effects are spread over.
pub const ENTITIES: u64 = 20_000;
/// The first and the last year of the dates.
pub const YEARS: std::ops::RangeInclusive<u64> = 1970..=2024;
const SEED: u64 = 2026;

const KINDS: &[&str] =
    &["deployment", "outbreak", "resolution", "attack", "election", "ruling", "payment", "meeting"];
const STATUSES: &[&str] = &["present", "withdrawn", "contested", "epidemic", "contained", "closed", "open"];
const PLACES: &[&str] = &["Port-au-Prince", "Nairobi", "Geneva", "Kingston", "Lagos", "Manila", "Quito"];
const GROUPS: &[&str] = &["united-nations", "police", "army", "observers", "donors", "courts", "press"];
const WORDS: &[&str] = &[
    "council", "approves", "mission", "after", "report", "names", "district", "convoy", "reaches", "border",
    "witness", "says", "clinic", "closed", "ministry", "denies", "funds", "second", "village", "since",
];

/// The line with this number, counted from 0, without its end.
pub fn line(number: u64) -> String {
    let mut random = Random::new(SEED, number);
    let earlier = |random: &mut Random| appended(random.below(number));
    match random.below(100) {
        0 if number > 0 => match earlier(&mut random) {
            Some(event) => format!(
                r#"{{"op":"retract","id":"{}","reason":"The source of line {number} withdrew its report."}}"#,
                id(event)
            ),
            None => event(number, None),
        },
        1..=5 if number > 0 => match earlier(&mut random) {
            Some(revised) => event(revised, Some(number)),
            None => event(number, None),
        },
        _ => event(number, None),
    }
}

/// The event that the line `number` appended; nothing where it revised or retracted another.
fn appended(number: u64) -> Option<u64> {
    let first = Random::new(SEED, number).below(100);
    (number == 0 || first > 5).then_some(number)
}

/// The id of the event that the line `number` appended, in the form that the engine gives.
pub fn id(number: u64) -> String {
    let mut random = Random::new(SEED ^ 1, number);
    let millis = 1_700_000_000_000 + number;
    let (a, b) = (random.next(), random.next());
    format!(
        "{:08x}-{:04x}-7{:03x}-{:04x}-{:012x}",
        millis >> 16,
        millis & 0xffff,
        a & 0xfff,
        0x8000 | (a >> 16 & 0x3fff),
        b & 0xffff_ffff_ffff
    )
}

/// An event; `revision` is the line that revises it.
fn event(number: u64, revision: Option<u64>) -> String {
    let mut random = Random::new(SEED ^ 2, revision.unwrap_or(number));
    let op = if revision.is_some() { r#""op":"revise","# } else { "" };
    let mut line = format!(
        r#"{{{op}"id":"{}","date":"{}","kind":"{}","title":"{}","description":"{}, line {}.","#,
        id(number),
        date(&mut random),
        random.pick(KINDS),
        words(&mut random, 3),
        words(&mut random, 3),
        revision.unwrap_or(number),
    );
    let place = random.pick(PLACES);
    let group = random.pick(GROUPS);
    let _ = write!(
        line,
        r#""actors":[{{"name":"{group}"}}],"place":{{"name":"{place}"}},"tags":["{}"],"sources":[{{"title":"{}","url":"https://example.org/{}"}}],"effects":[{},{}]}}"#,
        random.pick(KINDS),
        words(&mut random, 1),
        random.below(1_000_000),
        effect(&mut random),
        effect(&mut random),
    );
    line
}

fn words(random: &mut Random, count: usize) -> String {
    let words: Vec<&str> = (0..count).map(|_| random.pick(WORDS)).collect();
    words.join(" ")
}

/// Most dates are days; one in five is vaguer.
fn date(random: &mut Random) -> String {
    let year = YEARS.start() + random.below(YEARS.end() - YEARS.start() + 1);
    let (month, day) = (1 + random.below(12), 1 + random.below(27));
    match random.below(50) {
        0 => format!("{year}~"),
        1..=3 => format!("{year}"),
        4..=8 => format!("{year}-{month:02}"),
        9 => format!("{year}-{month:02}-{day:02}/{year}-{month:02}-{:02}", day + 1),
        _ => format!("{year}-{month:02}-{day:02}"),
    }
}

fn effect(random: &mut Random) -> String {
    let entity = entity(random.below(ENTITIES));
    let (op, attribute, value) = match random.below(20) {
        0..=7 => ("set", "status", quoted(random.pick(STATUSES))),
        8..=13 => ("increase", "deaths", random.below(50).to_string()),
        14..=16 => ("set", "place", quoted(random.pick(PLACES))),
        17 | 18 => ("add", "members", quoted(random.pick(GROUPS))),
        _ => ("remove", "members", quoted(random.pick(GROUPS))),
    };
    format!(r#"{{"op":"{op}","entity":"{entity}","attribute":"{attribute}","value":{value}}}"#)
}

fn quoted(word: &str) -> String {
    format!("\"{word}\"")
}

/// The name of an entity.
pub fn entity(number: u64) -> String {
    format!("entity-{number:05}")
}

/// Writes the lines `0..count` to a file.
pub fn write(path: &Path, count: u64) -> Outcome<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    for number in 0..count {
        file.write_all(line(number).as_bytes())?;
        file.write_all(b"\n")?;
    }
    Ok(file.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workload_is_what_the_report_says_of_it() {
        let lines: Vec<String> = (0..20_000).map(line).collect();
        assert_eq!(lines[..100], (0..100).map(line).collect::<Vec<_>>());
        let count = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
        let revised = count(r#""op":"revise""#);
        let retracted = count(r#""op":"retract""#);
        assert!((800..1_200).contains(&revised), "{revised} revisions");
        assert!((120..280).contains(&retracted), "{retracted} retractions");
        let bytes: usize = lines.iter().map(String::len).sum();
        assert!((400..500).contains(&(bytes / lines.len())), "{} bytes a line", bytes / lines.len());
    }
}
