//! The whole product, driven from outside: the real binary in a cleared environment with a ticking clock.
//!
//! A test runs commands in a [`Sandbox`] and snapshots what they print: standard output, standard error and the
//! exit status together.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::format_collect,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code: a panic is how a test fails, and the environment is how it is told what to do"
)]

mod sandbox;

mod attesting;
mod compacting;
mod comparing;
mod conflicts;
mod dates;
mod demo;
mod documents;
mod erasing;
mod evidence;
mod exchange;
mod explaining;
mod indexing;
mod keeping;
mod lenient;
mod long_lists;
mod manners;
mod reading;
mod real_data;
mod receipts;
mod redacting;
mod relative;
mod stamping;
mod storage;
mod tidy;
mod watching;
mod writing;
