//! The pure types of Annals: what an event, a date, an effect, a record and a question are, and the fold that
//! makes a state of them.
//!
//! This crate knows no file, no clock, no store, no byte format and no command line. What it says holds for
//! every storage and every reader, and all of it can be tested in memory.
//!
//! - [`Event`], [`Effect`], [`Value`], [`Number`]: what is claimed; [`limits`] says how much of it.
//! - [`date`]: EDTF dates with their four bounds, and dates as people say them; [`Moment`] is their axis.
//! - [`Record`], [`Entry`], [`Written`]: what the log holds, what a writer asks for and what it is told.
//! - [`Question`] and [`Snapshot`]: what is asked, and the answer; [`fold`] is the way from the one to the other.
//! - [`mod@diff`]: what changed between two answers; [`saved`]: an answer read back, and whether it still is one.
//! - [`relative`]: dates known only by other events; [`conflicts`]: what contradicts itself.
//! - [`history`], [`learned`] and [`mod@why`]: what an attribute was along either axis, and why it is what it is.
//! - [`mod@line`]: the JSON Lines interchange form.

pub mod answers;
mod asked;
mod canonical;
mod canonical_state;
pub mod conflicts;
pub mod date;
pub mod diff;
mod effect;
mod error;
mod event;
pub mod fold;
pub mod gather;
pub mod history;
mod json;
pub mod learned;
pub mod limits;
pub mod line;
mod moment;
mod names;
mod number;
mod question;
mod record;
pub mod reduce;
pub mod relative;
pub mod saved;
pub mod settled;
mod snapshot;
pub mod suggest;
mod target;
pub mod threads;
mod value;
pub mod why;
mod worlds;
mod write;

pub use asked::Asked;
pub use canonical::canonical_sha256;
pub use date::{Date, MONTHS};
pub use diff::Diff;
pub use effect::{Change, Effect, When};
pub use error::Invalid;
pub use event::{Actor, Event, Extra, Link, Place, Source};
pub use history::{History, HistorySpan};
pub use learned::{Learned, Learner, Learning};
pub use moment::{DAY, Day, MAX_YEAR, Moment, YearText, days_in_month, is_leap};
pub use names::{EventId, Seq, SnapshotName, TimelineName, Version};
pub use number::{MAX_INTEGER, Number};
pub use question::{AsOf, Certainty, Filter, KnownAt, Question};
pub use record::{Content, Op, Record, RecordedAt};
pub use saved::SavedSnapshot;
pub use snapshot::{
    Cell, Clash, Contender, Found, Knowledge, Ongoing, Position, Reached, Receipt, SCHEMA, Snapshot, State,
    Tally, Unsettled, state_sha256,
};
pub use target::{Names, Target};
pub use value::{Scalar, Value};
pub use why::Why;
pub use worlds::{Alternative, Doubt, Members, Open};
pub use write::{Entry, Expectation, Outcome, Superseded, Write, Written, reason_within_limits};
