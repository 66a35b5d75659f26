//! The log on sled passes the contract.

#![allow(clippy::unwrap_used, reason = "test code: a panic is how a test fails")]

use annals_core::{SledLog, SledOptions};
use annals_testkit::log_contract;
use tempfile::TempDir;

fn new_log() -> (TempDir, SledLog) {
    let directory = tempfile::tempdir().unwrap();
    let log = SledLog::create(&directory.path().join("store"), &SledOptions::default()).unwrap();
    (directory, log)
}

log_contract!(new_log());
