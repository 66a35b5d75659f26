//! Writing to SQLite: what the engine does with a line, by hand.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{OPEN, op};
use crate::answers::TIMELINE;
use crate::dates::{Bounds, bounds};
use crate::{Failure, Outcome};

/// One line, borrowed from it. The workload's texts have no escapes, so that every one can be.
#[derive(Deserialize)]
struct Line<'a> {
    op: Option<&'a str>,
    id: &'a str,
    timeline: Option<&'a str>,
    date: Option<&'a str>,
    kind: Option<&'a str>,
    title: Option<&'a str>,
    description: Option<&'a str>,
    #[serde(borrow)]
    actors: Option<&'a RawValue>,
    #[serde(borrow)]
    place: Option<&'a RawValue>,
    #[serde(borrow)]
    tags: Option<&'a RawValue>,
    #[serde(borrow)]
    sources: Option<&'a RawValue>,
    #[serde(borrow, default)]
    effects: Vec<Effect<'a>>,
    reason: Option<&'a str>,
}

#[derive(Deserialize)]
struct Effect<'a> {
    op: &'a str,
    entity: &'a str,
    attribute: &'a str,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// What stands of an event before a line.
struct Current {
    seq: i64,
    place: i64,
    op: i64,
    latest: Option<i64>,
    earliest: Option<i64>,
    effects: Vec<u8>,
}

/// Where a record stands, and what it does.
struct At {
    seq: i64,
    place: i64,
    previous: Option<i64>,
    op: i64,
    timeline: i64,
}

/// A connection that writes, with what it knows of the database's names.
pub struct Writer {
    connection: Connection,
    timelines: HashMap<String, i64>,
    keys: HashMap<String, i64>,
    longest: HashMap<i64, i64>,
    next: i64,
    name: String,
}

impl Writer {
    /// A writer on a database.
    pub fn new(connection: Connection) -> Outcome<Self> {
        let next =
            connection.query_row("SELECT coalesce(max(seq), 0) + 1 FROM events", [], |row| row.get(0))?;
        let (timelines, keys, longest) = (HashMap::new(), HashMap::new(), HashMap::new());
        Ok(Self { connection, timelines, keys, longest, next, name: String::new() })
    }

    /// Imports a file in transactions of `chunk` lines; gives the number of records.
    pub fn import(&mut self, file: &Path, chunk: usize) -> Outcome<u64> {
        let mut input = BufReader::with_capacity(1 << 16, File::open(file)?);
        let mut line = String::new();
        let mut pending = 0;
        self.begin()?;
        while input.read_line(&mut line)? > 0 {
            self.take(line.trim_end())?;
            line.clear();
            pending += 1;
            if pending == chunk {
                pending = 0;
                self.end()?;
                self.begin()?;
            }
        }
        self.end()?;
        self.records()
    }

    /// Records lines in one durable transaction.
    pub fn write(&mut self, lines: &[String]) -> Outcome<()> {
        self.begin()?;
        for line in lines {
            self.take(line)?;
        }
        self.end()
    }

    /// How many records there are.
    pub fn records(&self) -> Outcome<u64> {
        Ok(u64::try_from(self.next - 1)?)
    }

    /// Moves everything from the write-ahead log into the database, so that its size can be told.
    pub fn checkpoint(&self) -> Outcome<()> {
        Ok(self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Adds the index for questions about one attribute as it was known long ago.
    pub fn index_by_record(&self) -> Outcome<()> {
        Ok(self.connection.execute_batch("CREATE INDEX effects_known ON effects (key, valid_from)")?)
    }

    fn begin(&self) -> Outcome<()> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(())
    }

    fn end(&self) -> Outcome<()> {
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    fn take(&mut self, line: &str) -> Outcome<()> {
        let line: Line<'_> = serde_json::from_str(line)?;
        let timeline = self.timeline(line.timeline.unwrap_or(TIMELINE))?;
        let op = match line.op {
            None | Some("append") => op::APPEND,
            Some("revise") => op::REVISE,
            Some("retract") => op::RETRACT,
            Some(other) => return Err(Failure::from(format!("unknown operation {other}"))),
        };
        // The unique index refuses a second append of an id; only corrections have to look.
        let current = if op == op::APPEND { None } else { Some(self.current(timeline, line.id)?) };
        if op == op::RETRACT && current.as_ref().is_some_and(|current| current.op == op::RETRACT) {
            return Ok(());
        }
        let seq = self.next;
        let place = current.as_ref().map_or(seq, |current| current.place);
        if let Some(current) = &current {
            self.close(current, seq)?;
        }
        self.next += 1;
        let previous = current.map(|current| current.seq);
        self.insert(&line, &At { seq, place, previous, op, timeline })
    }

    fn insert(&mut self, line: &Line<'_>, at: &At) -> Outcome<()> {
        let bounds = line.date.map(|date| bounds(date).ok_or_else(|| format!("cannot read {date}")));
        let bounds = bounds.transpose()?;
        let mut keys = Vec::with_capacity(16);
        for (position, effect) in (0_i64..).zip(&line.effects) {
            let key = self.key(at.timeline, effect)?;
            keys.extend(key.to_le_bytes());
            self.insert_effect(key, position, effect, at, bounds)?;
        }
        if let Some(bounds) = bounds {
            self.note_length(at.timeline, bounds)?;
        }
        let parts =
            [line.actors, line.place, line.tags, line.sources].map(|part| part.map_or("", RawValue::get));
        let details = line.reason.map_or_else(|| parts.join("\n"), str::to_owned);
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO events VALUES (?1, unixepoch(), 'bench', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
             ?14, ?15, ?16, ?17)",
        )?;
        insert.execute(params![
            at.seq,
            at.op,
            at.timeline,
            line.id,
            at.place,
            at.previous,
            OPEN,
            bounds.map(|bounds| bounds.start_earliest),
            bounds.map(|bounds| bounds.start_latest),
            bounds.map(|bounds| bounds.end_earliest),
            bounds.map(|bounds| bounds.end_latest),
            line.date,
            line.kind,
            line.title,
            line.description,
            details,
            keys,
        ])?;
        Ok(())
    }

    fn insert_effect(
        &self,
        key: i64,
        position: i64,
        effect: &Effect<'_>,
        at: &At,
        bounds: Option<Bounds>,
    ) -> Outcome<()> {
        let op = match effect.op {
            "set" => op::SET,
            "increase" => op::INCREASE,
            "add" => op::ADD,
            "remove" => op::REMOVE,
            other => return Err(Failure::from(format!("unknown effect {other}"))),
        };
        let mut insert = self
            .connection
            .prepare_cached("INSERT INTO effects VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
        let latest = bounds.map_or(i64::MAX, |bounds| bounds.start_latest);
        let earliest = bounds.map_or(i64::MIN, |bounds| bounds.start_earliest);
        let (place, seq) = (at.place, at.seq);
        let raw = effect.value.get();
        if let Some(text) = raw.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
            insert.execute(params![key, latest, earliest, place, position, seq, OPEN, op, text])?;
        } else {
            let number: i64 = raw.parse()?;
            insert.execute(params![key, latest, earliest, place, position, seq, OPEN, op, number])?;
        }
        Ok(())
    }

    /// The version of an event that stands, with the keys of its effects.
    fn current(&self, timeline: i64, id: &str) -> Outcome<Current> {
        let mut find = self.connection.prepare_cached(
            "SELECT seq, place, op, start_latest, start_earliest, effects FROM events
             WHERE timeline = ?1 AND id = ?2 AND valid_to = 9223372036854775807",
        )?;
        let found = find.query_row(params![timeline, id], |row| {
            Ok(Current {
                seq: row.get(0)?,
                place: row.get(1)?,
                op: row.get(2)?,
                latest: row.get(3)?,
                earliest: row.get(4)?,
                effects: row.get(5)?,
            })
        });
        found.optional()?.ok_or_else(|| Failure::from(format!("there is no event {id}")))
    }

    /// Ends the validity of a version and of its effects, each found by its whole primary key.
    fn close(&self, current: &Current, seq: i64) -> Outcome<()> {
        let mut close = self.connection.prepare_cached("UPDATE events SET valid_to = ?1 WHERE seq = ?2")?;
        close.execute(params![seq, current.seq])?;
        let mut close = self.connection.prepare_cached(
            "UPDATE effects SET valid_to = ?1 WHERE key = ?2 AND latest = ?3 AND earliest = ?4 AND place = ?5
             AND position = ?6 AND valid_from = ?7",
        )?;
        let latest = current.latest.unwrap_or(i64::MAX);
        let earliest = current.earliest.unwrap_or(i64::MIN);
        for (position, key) in (0_i64..).zip(current.effects.as_chunks::<8>().0) {
            let key = i64::from_le_bytes(*key);
            close.execute(params![seq, key, latest, earliest, current.place, position, current.seq])?;
        }
        Ok(())
    }

    fn note_length(&mut self, timeline: i64, bounds: Bounds) -> Outcome<()> {
        let length = bounds.end_latest - bounds.start_earliest;
        let longest = self.longest.entry(timeline).or_insert(-1);
        if length > *longest {
            *longest = length;
            let mut note = self.connection.prepare_cached(
                "INSERT INTO longest VALUES (?1, ?2)
                 ON CONFLICT (timeline) DO UPDATE SET seconds = max(seconds, excluded.seconds)",
            )?;
            note.execute(params![timeline, length])?;
        }
        Ok(())
    }

    fn timeline(&mut self, name: &str) -> Outcome<i64> {
        if let Some(timeline) = self.timelines.get(name) {
            return Ok(*timeline);
        }
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO timelines (name) VALUES (?1)")?
            .execute([name])?;
        let mut find = self.connection.prepare_cached("SELECT timeline FROM timelines WHERE name = ?1")?;
        let timeline = find.query_row([name], |row| row.get(0))?;
        self.timelines.insert(name.to_owned(), timeline);
        Ok(timeline)
    }

    fn key(&mut self, timeline: i64, effect: &Effect<'_>) -> Outcome<i64> {
        let Effect { entity, attribute, .. } = effect;
        self.name.clear();
        for part in [entity, attribute] {
            self.name.push_str(part);
            self.name.push('\0');
        }
        self.name.push_str(&timeline.to_string());
        if let Some(key) = self.keys.get(&self.name) {
            return Ok(*key);
        }
        let names = params![timeline, entity, attribute];
        let mut insert = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO keys (timeline, entity, attribute) VALUES (?1, ?2, ?3)")?;
        insert.execute(names)?;
        let mut find = self
            .connection
            .prepare_cached("SELECT key FROM keys WHERE timeline = ?1 AND entity = ?2 AND attribute = ?3")?;
        let key = find.query_row(names, |row| row.get(0))?;
        self.keys.insert(self.name.clone(), key);
        Ok(key)
    }
}
