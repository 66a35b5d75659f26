//! The log in memory passes the contract.

use annals_testkit::{MemoryLog, log_contract};

log_contract!(((), MemoryLog::default()));
