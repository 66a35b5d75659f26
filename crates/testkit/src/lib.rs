//! What the tests of Annals share, and those of programs that embed it; a dev-dependency only.
//!
//! - [`MemoryLog`]: the second implementation of [`annals_core::Log`], and a log that fails on command.
//! - [`TestHost`]: a clock that stands where it is put, and randomness from a seed.
//! - [`conflicting`]: random logs that contradict themselves, and what a search without cleverness finds in them.
//! - [`contract`]: what every log has to do, as one suite that each implementation runs.
//! - [`counts`]: how much a test does, as the environment says.
//! - [`deeds`]: random deeds that are done to events, for long logs.
//! - [`files`]: copies of a store's files.
//! - [`generate`]: random dates, events, sessions and questions, for property tests.
//! - [`overlaps`]: random small logs of one attribute whose dates overlap.
//! - [`Given`]: given/when/then tests of a program's own projection.
//! - [`naive`]: replay written a second time, without any cleverness, to compare with.
//! - [`records`]: all records of a log.
//! - [`worlds`]: every possible world of one attribute, counted out, to compare sureness and alternatives with.
//! - [`told`]: events from short texts, for tests that are read as stories.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "this crate is test code: a panic is how a test fails"
)]

pub mod conflicting;
pub mod contract;
pub mod counts;
pub mod deeds;
pub mod files;
pub mod generate;
pub mod given;
mod host;
mod memory;
pub mod naive;
pub mod overlaps;
pub mod records;
mod redactions;
pub mod told;
pub mod worlds;

pub use given::Given;
pub use host::TestHost;
pub use memory::MemoryLog;
