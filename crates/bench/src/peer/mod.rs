//! The SQLite side: the schema that a good developer would make for the same questions.
//!
//! - WAL, `synchronous=FULL`, a page cache of 64 MiB and a memory map of a GiB, every statement prepared once.
//! - `events` has a row a record, found by its current id through a partial unique index, which also refuses a
//!   second append; older versions are linked. Dates are indexed by their start, and the longest date of the
//!   table is remembered, so that a range is a short walk along the index.
//! - `effects` has a row an effect, clustered by attribute and then by the order in which effects count, with the
//!   records between which it is valid: a point question is a walk back along the clustered index until a `set`,
//!   the whole state one pass over the table in its own order. Names are numbers there.
//!
//! It keeps no hashes and no salts, and computes no `sure`, no alternatives and no receipt.

mod read;
mod write;

use std::path::Path;

use rusqlite::Connection;

use crate::Outcome;

pub use read::Reader;
pub use write::Writer;

/// The end of validity of what is still valid.
const OPEN: i64 = i64::MAX;

const SCHEMA: &str = "
CREATE TABLE timelines (timeline INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE keys (
    key INTEGER PRIMARY KEY, timeline INTEGER NOT NULL, entity TEXT NOT NULL, attribute TEXT NOT NULL,
    UNIQUE (timeline, entity, attribute)
);
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    recorded_at INTEGER NOT NULL, recorded_by TEXT NOT NULL, op INTEGER NOT NULL,
    timeline INTEGER NOT NULL, id TEXT NOT NULL, place INTEGER NOT NULL, previous INTEGER,
    valid_to INTEGER NOT NULL,
    start_earliest INTEGER, start_latest INTEGER, end_earliest INTEGER, end_latest INTEGER,
    date TEXT, kind TEXT, title TEXT, description TEXT, details TEXT, effects BLOB
);
CREATE UNIQUE INDEX events_current ON events (timeline, id) WHERE valid_to = 9223372036854775807;
CREATE INDEX events_start ON events (timeline, start_earliest) WHERE start_earliest IS NOT NULL;
CREATE TABLE longest (timeline INTEGER PRIMARY KEY, seconds INTEGER NOT NULL);
CREATE TABLE effects (
    key INTEGER NOT NULL, latest INTEGER NOT NULL, earliest INTEGER NOT NULL,
    place INTEGER NOT NULL, position INTEGER NOT NULL, valid_from INTEGER NOT NULL,
    valid_to INTEGER NOT NULL, op INTEGER NOT NULL, value,
    PRIMARY KEY (key, latest, earliest, place, position, valid_from)
) WITHOUT ROWID;
";

/// Makes an empty database.
pub fn create(path: &Path) -> Outcome<Connection> {
    let connection = open(path)?;
    connection.execute_batch(SCHEMA)?;
    Ok(connection)
}

/// Opens a database.
pub fn open(path: &Path) -> Outcome<Connection> {
    let connection = Connection::open(path)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;
         PRAGMA mmap_size = 1073741824; PRAGMA temp_store = MEMORY;",
    )?;
    Ok(connection)
}

/// Maps the database's file no more: what is mapped counts as the process's memory, though the system can take it
/// back.
pub fn unmap(connection: &Connection) -> Outcome<()> {
    Ok(connection.execute_batch("PRAGMA mmap_size = 0")?)
}

/// Writes a database anew, as small as it can be.
pub fn compact(path: &Path) -> Outcome<()> {
    let connection = open(path)?;
    Ok(connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")?)
}

/// The operations of effects and records as the tables number them.
mod op {
    pub const SET: i64 = 0;
    pub const INCREASE: i64 = 1;
    pub const ADD: i64 = 2;
    pub const REMOVE: i64 = 3;
    pub const APPEND: i64 = 0;
    pub const REVISE: i64 = 1;
    pub const RETRACT: i64 = 2;
}
