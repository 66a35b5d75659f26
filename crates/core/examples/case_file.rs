//! A case file with a typed state: `cargo run -p annals-core --example case_file`.
//!
//! A program of its own keeps what it knows of people's detention as events, with its own payload in `extra`. The
//! payload has changed once since the first events were recorded, and an upcaster reads the old ones. The program
//! runs twice: the second run takes up the checkpoint of the first, and then learns of something that happened
//! earlier, and that something else did not happen. All people here are made up.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::Path;

use annals_core::projection::{
    Checkpoint, Failure, Happened, Projection, ProjectionError, Projector, Scope, Turn, Upcasters,
};
use annals_core::{SledLog, SledOptions, Store, WriteOptions};
use annals_model::line::Line;
use annals_model::{AsOf, Date, TimelineName};
use annals_testkit::TestHost;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Where a person's case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nobody knows where the person is.
    Missing,
    /// An authority holds the person.
    Detained,
    /// The person is free.
    Released,
}

/// What is known of one person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    status: Option<Status>,
    /// Where the person surely is held now.
    held_at: BTreeSet<String>,
    /// Where the person was held and is no more.
    was_held_at: Vec<String>,
}

/// The state: everybody that the events name.
pub type CaseFile = BTreeMap<String, Person>;

/// The payload under `extra.case`, in version 2.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    persons: Vec<String>,
    change: Change,
}

/// What an event changes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Change {
    /// From the start of the event on.
    Status(Status),
    /// While the event goes on.
    Custody(String),
}

struct Cases {
    entries: Upcasters<Entry>,
}

impl Cases {
    fn new() -> Self {
        // Version 1 knew one person and nothing but the status.
        let entries = Upcasters::new("case").from(1, |old| {
            let person = old.get("person").ok_or("no person")?;
            let status = old.get("status").ok_or("no status")?;
            Ok(json!({ "persons": [person], "change": { "status": status } }))
        });
        Self { entries }
    }
}

impl Projection for Cases {
    type State = CaseFile;

    fn name(&self) -> &'static str {
        "cases"
    }

    fn version(&self) -> u32 {
        1
    }

    fn apply(&self, cases: &mut CaseFile, happened: &Happened<'_>) -> Result<(), Failure> {
        let Some(entry) = happened.payload(&self.entries)? else { return Ok(()) };
        for name in entry.persons {
            let person = cases.entry(name).or_default();
            match (&entry.change, happened.turn()) {
                (Change::Status(status), Turn::Once | Turn::Start) => person.status = Some(*status),
                (Change::Custody(place), Turn::Once | Turn::Start) if happened.lasts() => {
                    person.held_at.insert(place.clone());
                }
                (Change::Custody(place), Turn::Lapse) => _ = person.held_at.remove(place),
                (Change::Custody(place), Turn::End) => person.was_held_at.push(place.clone()),
                _ => {}
            }
        }
        Ok(())
    }
}

const FIRST: [&str; 4] = [
    r#"{"id":"missing","date":"2021-03-11","title":"R. M. does not come home","extra":{"case":{"person":"R. M.","status":"missing"}}}"#,
    r#"{"id":"seen","date":"2021-04","title":"R. M. is seen in prison","extra":{"case":{"person":"R. M.","status":"detained"}}}"#,
    r#"{"id":"north","date":"2021-04/2021-09","title":"Held in the North prison","extra":{"case":{"version":2,"persons":["R. M.","T. K."],"change":{"custody":"North prison"}}}}"#,
    r#"{"id":"release","date":"2021-10-02","title":"Both are released","extra":{"case":{"version":2,"persons":["R. M.","T. K."],"change":{"status":"released"}}}}"#,
];

const SECOND: [&str; 2] = [
    r#"{"id":"station","date":"2021-03-11/2021-03-20","title":"Held in a police station at first","extra":{"case":{"version":2,"persons":["R. M."],"change":{"custody":"police station"}}}}"#,
    r#"{"op":"retract","id":"release","reason":"the lawyer saw them in prison on 2021-10-09"}"#,
];

fn record(store: &Store<SledLog>, host: &TestHost, lines: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut entries = Vec::new();
    for line in lines {
        entries.push(Line::parse(line)?.into_entry(&timeline()?, || unreachable!("every line has an id")));
    }
    store.write(entries, host, &WriteOptions::by("the case worker"))?;
    Ok(())
}

fn timeline() -> Result<TimelineName, Box<dyn Error>> {
    Ok("detentions".parse()?)
}

fn as_of(date: &str) -> Result<AsOf, Box<dyn Error>> {
    Ok(AsOf::new(Date::parse(date)?)?)
}

/// The projector of the last run, if there was one and its checkpoint still fits; else a new one.
fn projector(
    store: &Store<SledLog>,
    saved: &Path,
    out: &mut impl Write,
) -> Result<Projector<Cases>, Box<dyn Error>> {
    let scope = Scope::surely(timeline()?);
    let Ok(json) = fs::read_to_string(saved) else {
        writeln!(out, "no checkpoint yet: everything is read")?;
        return Ok(Projector::new(Cases::new(), scope));
    };
    let checkpoint: Checkpoint = serde_json::from_str(&json)?;
    match Projector::resume(Cases::new(), scope.clone(), store, &checkpoint) {
        Ok(projector) => {
            writeln!(out, "resumed at @{}", projector.position())?;
            Ok(projector)
        }
        Err(refusal @ ProjectionError::Refused { .. }) => {
            writeln!(out, "{refusal}: everything is read")?;
            Ok(Projector::new(Cases::new(), scope))
        }
        Err(error) => Err(error.into()),
    }
}

fn print(out: &mut impl Write, date: &str, cases: &CaseFile) -> Result<(), Box<dyn Error>> {
    writeln!(out, "as of {date}")?;
    for (name, Person { status, held_at, was_held_at }) in cases {
        let status = status.map_or("unknown".to_owned(), |status| format!("{status:?}").to_lowercase());
        let list = |places: Vec<&str>| if places.is_empty() { "-".to_owned() } else { places.join(", ") };
        let held_at = list(held_at.iter().map(String::as_str).collect());
        let was_held_at = list(was_held_at.iter().map(String::as_str).collect());
        writeln!(out, "  {name}: {status}; held at: {held_at}; before: {was_held_at}")?;
    }
    Ok(())
}

/// Runs the program twice in a directory.
pub fn report(out: &mut impl Write, directory: &Path) -> Result<(), Box<dyn Error>> {
    let (path, saved) = (directory.join("store"), directory.join("cases.json"));
    // The host of a real program reads the clock and the system's randomness.
    let host = TestHost::new(1);

    writeln!(out, "The first run")?;
    let store = Store::new(SledLog::create(&path, &SledOptions::default())?);
    record(&store, &host, &FIRST)?;
    let mut cases = projector(&store, &saved, out)?;
    for date in ["2021-03", "2021-06", "2021-12"] {
        print(out, date, cases.state_at(&store, &as_of(date)?)?)?;
    }
    fs::write(&saved, serde_json::to_string(&cases.save()?)?)?;
    drop(store);

    writeln!(out, "\nThe second run")?;
    let store = Store::new(SledLog::open(&path, &SledOptions::default())?);
    let mut cases = projector(&store, &saved, out)?;
    record(&store, &host, &SECOND)?;
    let caught_up = cases.catch_up(&store)?;
    let rewound = caught_up.rewound_to.map_or("nowhere".to_owned(), |moment| moment.to_string());
    writeln!(out, "{} new records, rewound to {rewound}", caught_up.read)?;
    for date in ["2021-03-15", "2021-12"] {
        print(out, date, cases.state_at(&store, &as_of(date)?)?)?;
    }

    let mut rebuilt = Projector::new(Cases::new(), Scope::surely(timeline()?));
    let date = as_of("2021-12")?;
    let same = rebuilt.receipt(&store, &date)? == cases.receipt(&store, &date)?;
    writeln!(out, "a rebuild has the same receipt: {}", if same { "yes" } else { "no" })?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    report(&mut std::io::stdout().lock(), directory.path())
}
