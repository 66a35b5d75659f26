//! What is fuzzed: a function for each decoder and parser that bytes from outside reach.
//!
//! Each takes any bytes and may refuse them; what it takes has to be written back and read as the same. The functions
//! are plain Rust: `fuzz_targets/` hands them to libFuzzer, and `tests/crash/corpus.rs` replays the corpus through them
//! with the stable compiler. Limits on time and memory are set where they are run.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    reason = "test code: a panic is how a finding is told"
)]

mod beside;
mod dates;
mod files;
mod imports;
mod proofs;
mod store;

/// A function that takes any bytes.
pub type Target = fn(&[u8]);

/// Every target by the name of its corpus.
pub const ALL: [(&str, Target); 21] = [
    ("date", dates::date),
    ("spoken", dates::spoken),
    ("map", files::map),
    ("jsonl", imports::jsonl),
    ("csv", imports::csv),
    ("mapped", imports::mapped),
    ("ics", imports::ics),
    ("markwhen", imports::markwhen),
    ("timelinejs", imports::timelinejs),
    ("timesketch", imports::timesketch),
    ("exports", imports::exports),
    ("frame", store::frame),
    ("manifest", files::manifest),
    ("segment", files::segment),
    ("note", proofs::note),
    ("proof", proofs::proof),
    ("line", proofs::line),
    ("token", proofs::token),
    ("beside", beside::beside),
    ("answer", beside::answer),
    ("checkpoint", beside::checkpoint),
];

/// Runs the target of this name.
pub fn run(name: &str, bytes: &[u8]) {
    let (_, target) = ALL.iter().find(|(known, _)| *known == name).unwrap();
    target(bytes);
}
