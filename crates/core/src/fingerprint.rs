//! A short number made of a content: where two differ, so do the contents.
//!
//! An import that corrects its own events has to know whether a correction changes anything. It keeps the
//! fingerprints of what it recorded, and reads a record back only where they agree; two contents may share one.

use std::hash::{Hash, Hasher};

use annals_model::{Content, Event};

/// The fingerprint of an event: of what corrections mostly change. What lies in further lists is left out, since to
/// fetch it from the memory of the thread that has read it takes longer than to hash it.
pub fn of_event(event: &Event) -> u16 {
    let Event { date, title, description, confidence, effects, .. } = event;
    let mut hasher = Mixer(0);
    (date, title, description, confidence, effects.len()).hash(&mut hasher);
    for effect in effects {
        effect.change.hash(&mut hasher);
    }
    hasher.short()
}

/// The fingerprint of a record's content.
pub fn of_content(content: &Content) -> u16 {
    match content {
        Content::Event(event) => of_event(event),
        Content::Reason(reason) => {
            let mut hasher = Mixer(0);
            hasher.write(reason.as_bytes());
            hasher.short()
        }
        Content::Redacted => 0,
    }
}

/// A fast hash: nothing is protected by it.
struct Mixer(u64);

impl Mixer {
    const fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    /// The bits that every bit before them has changed.
    const fn short(&self) -> u16 {
        (self.0 >> 48) as u16
    }
}

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        self.mix(rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    }

    fn write_u8(&mut self, number: u8) {
        self.mix(number.into());
    }

    fn write_usize(&mut self, number: usize) {
        self.mix(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
