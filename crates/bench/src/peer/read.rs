//! Asking SQLite: each question by the index that fits it best.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{OPEN, op};
use crate::answers::{Point, Question, Range, State, TIMELINE};
use crate::dates::bounds;
use crate::{Failure, Outcome};

/// A connection that reads.
pub struct Reader {
    connection: Connection,
}

/// What stands in an attribute.
#[derive(Clone, Debug)]
enum Standing {
    Number(i64),
    Text(String),
    Set(BTreeSet<String>),
}

/// One effect, as its row has it.
struct Applied {
    op: i64,
    value: Standing,
}

impl Reader {
    /// Opens a database.
    pub fn open(path: &Path) -> Outcome<Self> {
        Ok(Self { connection: super::open(path)? })
    }

    /// The same, without a memory map.
    pub fn open_unmapped(path: &Path) -> Outcome<Self> {
        let reader = Self::open(path)?;
        super::unmap(&reader.connection)?;
        Ok(reader)
    }

    /// How many records there are.
    pub fn records(&self) -> Outcome<u64> {
        let count: i64 =
            self.connection.query_row("SELECT coalesce(max(seq), 0) FROM events", [], |row| row.get(0))?;
        Ok(u64::try_from(count)?)
    }

    /// The whole state of the one timeline of a database: one pass over the effects in their own order.
    pub fn state(&self, question: &Question) -> Outcome<State> {
        let (until, known) = limits(question)?;
        let mut effects = self.connection.prepare_cached(
            "SELECT key, op, value FROM effects WHERE latest <= ?1 AND valid_from <= ?2 AND valid_to > ?2
             ORDER BY key, latest, earliest, place, position",
        )?;
        let mut rows = effects.query(params![until, known])?;
        let mut folded: HashMap<i64, Standing> = HashMap::new();
        let mut current: Option<i64> = None;
        let mut standing = None;
        while let Some(row) = rows.next()? {
            let key = row.get(0)?;
            if current != Some(key) {
                keep(&mut folded, current, &mut standing);
                current = Some(key);
            }
            apply(&mut standing, read(row, 1)?);
        }
        keep(&mut folded, current, &mut standing);
        let mut names = self.connection.prepare_cached("SELECT key, entity, attribute FROM keys")?;
        let mut rows = names.query([])?;
        let mut state = State::new();
        while let Some(row) = rows.next()? {
            if let Some(standing) = folded.remove(&row.get(0)?) {
                state.insert((row.get(1)?, row.get(2)?), json(&standing)?);
            }
        }
        Ok(state)
    }

    /// The state of one entity, or of one timeline among many.
    pub fn some(&self, question: &Question, entity: Option<&str>) -> Outcome<State> {
        let (until, known) = limits(question)?;
        let sql = format!(
            "SELECT k.entity, k.attribute, e.op, e.value FROM keys k CROSS JOIN effects e ON e.key = k.key
             WHERE k.timeline = (SELECT timeline FROM timelines WHERE name = ?1) AND {}
             AND e.latest <= ?3 AND e.valid_from <= ?4 AND e.valid_to > ?4
             ORDER BY k.entity, k.attribute, e.latest, e.earliest, e.place, e.position",
            if entity.is_some() { "k.entity = ?2" } else { "?2 IS NULL" }
        );
        let mut effects = self.connection.prepare_cached(&sql)?;
        let mut rows = effects.query(params![question.timeline, entity, until, known])?;
        let mut state = State::new();
        let mut current: Option<(String, String)> = None;
        let mut standing = None;
        while let Some(row) = rows.next()? {
            let name = (row.get(0)?, row.get(1)?);
            if current.as_ref() != Some(&name) {
                if let (Some(name), Some(standing)) = (current.take(), standing.take()) {
                    state.insert(name, json(&standing)?);
                }
                current = Some(name);
            }
            apply(&mut standing, read(row, 2)?);
        }
        if let (Some(name), Some(standing)) = (current, standing) {
            state.insert(name, json(&standing)?);
        }
        Ok(state)
    }

    /// The value of one attribute, as JSON: back along the order of effects until one replaces what stood.
    pub fn point(&self, point: &Point) -> Outcome<Option<String>> {
        self.point_by("", point)
    }

    /// The same along the order of records, where most effects were recorded later.
    pub fn point_long_ago(&self, point: &Point) -> Outcome<Option<String>> {
        self.point_by("INDEXED BY effects_known", point)
    }

    fn point_by(&self, index: &str, point: &Point) -> Outcome<Option<String>> {
        let (until, known) = limits(&point.at)?;
        let sql = format!(
            "SELECT op, value FROM effects {index} WHERE key = (SELECT key FROM keys WHERE timeline =
             (SELECT timeline FROM timelines WHERE name = ?1) AND entity = ?2 AND attribute = ?3)
             AND latest <= ?4 AND valid_from <= ?5 AND valid_to > ?5
             ORDER BY latest DESC, earliest DESC, place DESC, position DESC"
        );
        let mut effects = self.connection.prepare_cached(&sql)?;
        let mut rows =
            effects.query(params![point.at.timeline, point.entity, point.attribute, until, known])?;
        let mut back = Vec::new();
        while let Some(row) = rows.next()? {
            let applied = read(row, 0)?;
            let replaces = applied.op == op::SET;
            back.push(applied);
            if replaces {
                break;
            }
        }
        let mut standing = None;
        for applied in back.into_iter().rev() {
            apply(&mut standing, applied);
        }
        standing.as_ref().map(json).transpose()
    }

    /// The ids, dates and titles of what may fall into a range, in the order of a list.
    pub fn list(&self, range: &Range) -> Outcome<Vec<String>> {
        let unreadable = |text: &str| Failure::from(format!("cannot read {text}"));
        let from = bounds(&range.from).ok_or_else(|| unreadable(&range.from))?.start_earliest;
        let to = bounds(&range.to).ok_or_else(|| unreadable(&range.to))?.end_latest;
        let mut list = self.connection.prepare_cached(
            "SELECT date, id, title FROM events
             WHERE timeline = (SELECT timeline FROM timelines WHERE name = ?1)
             AND start_earliest >= ?2 - (SELECT coalesce(max(seconds), 0) FROM longest) AND start_earliest <= ?3
             AND end_latest >= ?2 AND valid_to = ?4
             ORDER BY start_earliest, end_latest, start_latest DESC, end_earliest, place",
        )?;
        let rows = list.query_map(params![TIMELINE, from, to, OPEN], |row| {
            let text = |index| row.get_ref(index).and_then(|value| Ok(value.as_str()?));
            Ok(format!("{} {} {}", text(0)?, text(1)?, text(2)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many versions an event has, each of them read.
    pub fn show(&self, id: &str) -> Outcome<usize> {
        let mut current = self.connection.prepare_cached(
            "SELECT seq FROM events WHERE timeline = (SELECT timeline FROM timelines WHERE name = ?1)
             AND id = ?2 AND valid_to = 9223372036854775807",
        )?;
        let mut next: Option<i64> = current.query_row(params![TIMELINE, id], |row| row.get(0)).optional()?;
        let mut one = self.connection.prepare_cached("SELECT * FROM events WHERE seq = ?1")?;
        let mut versions = 0;
        while let Some(seq) = next {
            next = one.query_row([seq], |row| {
                touch(row)?;
                row.get("previous")
            })?;
            versions += 1;
        }
        Ok(versions)
    }

    /// Reads every record with its effects' keys; gives their number.
    pub fn scan(&self) -> Outcome<u64> {
        let mut all = self.connection.prepare_cached("SELECT * FROM events ORDER BY seq")?;
        let mut rows = all.query([])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            touch(row)?;
            count += 1;
        }
        Ok(count)
    }
}

/// Takes every text of a row out of the database, as a program would that hands it on.
fn touch(row: &Row<'_>) -> rusqlite::Result<()> {
    for column in 0..row.as_ref().column_count() {
        if let ValueRef::Text(text) = row.get_ref(column)? {
            std::hint::black_box(text.to_vec());
        }
    }
    Ok(())
}

/// The last second on the date axis and the last record that count.
fn limits(question: &Question) -> Outcome<(i64, i64)> {
    let until = bounds(&question.as_of).ok_or_else(|| format!("cannot read {}", question.as_of))?;
    Ok((until.end_latest, i64::try_from(question.known_at)?))
}

fn keep(folded: &mut HashMap<i64, Standing>, key: Option<i64>, standing: &mut Option<Standing>) {
    if let (Some(key), Some(standing)) = (key, standing.take()) {
        folded.insert(key, standing);
    }
}

fn read(row: &Row<'_>, column: usize) -> Outcome<Applied> {
    let value = match row.get_ref(column + 1)? {
        ValueRef::Integer(number) => Standing::Number(number),
        other => Standing::Text(other.as_str()?.to_owned()),
    };
    Ok(Applied { op: row.get(column)?, value })
}

fn apply(standing: &mut Option<Standing>, Applied { op, value }: Applied) {
    match (op, value) {
        (op::SET, value) => *standing = Some(value),
        (op::INCREASE, Standing::Number(more)) => match standing {
            Some(Standing::Number(number)) => *number += more,
            None => *standing = Some(Standing::Number(more)),
            Some(_) => {}
        },
        (op::ADD, Standing::Text(member)) => match standing {
            Some(Standing::Set(members)) => {
                members.insert(member);
            }
            None => *standing = Some(Standing::Set(BTreeSet::from([member]))),
            Some(_) => {}
        },
        (op::REMOVE, Standing::Text(member)) => {
            if let Some(Standing::Set(members)) = standing {
                members.remove(&member);
            }
        }
        _ => {}
    }
}

fn json(standing: &Standing) -> Outcome<String> {
    Ok(match standing {
        Standing::Number(number) => number.to_string(),
        Standing::Text(text) => serde_json::to_string(text)?,
        Standing::Set(members) => serde_json::to_string(members)?,
    })
}
