//! Keeping sled's page cache to its size.
//!
//! The cache has 256 parts, and a part lets go of pages only when 64 look-ups of its pages have come together. Whoever
//! goes through a large log looks at each page a few times, so that hundreds of megabytes stay, whatever capacity was
//! asked for. Here the last page is looked at often enough that its part tidies up, once for about each page that went
//! by.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Look-ups that make a part of the cache tidy up.
const LOOKUPS: usize = 64;
/// Bytes of values that are about a page.
const PAGE: usize = 128 * 1024;

/// What has gone by since the cache was tidied up.
#[derive(Debug, Default)]
pub struct Passed(AtomicUsize);

impl Passed {
    /// Takes note of a value that was read or written.
    pub fn note(&self, tree: &sled::Tree, key: &[u8], bytes: usize) {
        if self.0.fetch_add(bytes, Ordering::Relaxed) + bytes < PAGE {
            return;
        }
        self.0.store(0, Ordering::Relaxed);
        for _ in 0..LOOKUPS {
            // A page that cannot be read is told to those who need it.
            let _ = super::guarded("read the store", || tree.get(key));
        }
    }
}
