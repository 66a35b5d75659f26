//! A short number made of a content: where two differ, so do the contents.
//!
//! An import that corrects its own events has to know whether a correction changes anything. It keeps the
//! fingerprints of what it recorded, and reads a record back only where they agree; two contents may share one.

use std::hash::{Hash, Hasher};

use annals_model::{Content, Event};

/// The fingerprint of an event.
pub fn of_event(event: &Event) -> u32 {
    let mut hasher = Crc(0);
    event.hash(&mut hasher);
    hasher.0
}

/// The fingerprint of a reason.
pub fn of_reason(reason: &str) -> u32 {
    crc32c::crc32c(reason.as_bytes())
}

/// The fingerprint of a record's content.
pub fn of_content(content: &Content) -> u32 {
    match content {
        Content::Event(event) => of_event(event),
        Content::Reason(reason) => of_reason(reason),
        Content::Redacted => 0,
    }
}

/// A checksum that the processor computes: nothing is protected by it.
struct Crc(u32);

impl Hasher for Crc {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = crc32c::crc32c_append(self.0, bytes);
    }

    fn finish(&self) -> u64 {
        u64::from(self.0)
    }
}
