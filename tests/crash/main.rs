//! The real binary under attack: the power goes at any moment, processes are killed, and what was acknowledged has to
//! be there.
//!
//! `trace` reads what a command did to its files, `disk` knows what of it a disk may still have after a power cut, and
//! the tests compare what the binary then finds with a ledger of what it had answered. TESTING.md tells it in public.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code: a panic is how a test fails, and the environment is how it is told what to do"
)]

mod compat;
mod corpus;
mod disk;
mod flips;
mod full;
mod kills;
mod power;
#[path = "../cli/sandbox.rs"]
#[expect(dead_code, reason = "the sandbox serves other tests, too")]
mod sandbox;
#[path = "../fuzz/targets/mod.rs"]
#[expect(dead_code, reason = "the fuzzer calls a target by its name")]
mod targets;
mod trace;
