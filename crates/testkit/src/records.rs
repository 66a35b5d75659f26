//! All that a log holds, as tests look at it.

use annals_core::{Log, Store, StoredRecord, scan};
use annals_model::{Record, Seq};

/// All records with what binds them to the log, in order.
pub fn stored<L: Log>(store: &Store<L>) -> Vec<StoredRecord> {
    let end = store.log().head().unwrap().seq();
    let mut all = Vec::new();
    let take = |stored| {
        all.push(stored);
        Ok(())
    };
    scan::each(store.log(), Seq(1), end, take).unwrap();
    all
}

/// All records, in order.
pub fn records<L: Log>(store: &Store<L>) -> Vec<Record> {
    stored(store).into_iter().map(|stored| stored.record).collect()
}
