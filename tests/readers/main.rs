//! Exports read by the programs that they are for: TimelineJS, Mermaid and Markwhen under Node or in Chromium,
//! iCalendar and Parquet readers under Python. `tests/readers/install` fetches them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::format_collect,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code: a panic is how a test fails, and the environment is how it is told what to do"
)]

mod html;
mod programs;
#[path = "../cli/sandbox.rs"]
#[expect(dead_code, reason = "the sandbox serves other tests, too")]
mod sandbox;
mod tables;
mod texts;
mod webs;
