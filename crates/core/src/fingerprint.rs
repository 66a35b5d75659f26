//! A short number made of a content: where two differ, so do the contents.
//!
//! An import that corrects its own events has to know whether a correction changes anything. It keeps the
//! fingerprints of what it recorded, a byte each, and reads a record back only where they agree; of some hundred contents
//! two may share one.

use std::hash::{Hash, Hasher};

use annals_model::{Content, Event, Seq};

/// Fingerprints that lie together in memory, so that a long list never moves as a whole.
const STRETCH: usize = 64 * 1024;

/// The fingerprints of an import's own records.
#[derive(Debug, Default)]
pub struct Prints {
    /// Stretches of neighbouring records, each with its first one, in the order of the log.
    stretches: Vec<(Seq, Vec<u8>)>,
}

impl Prints {
    /// Adds that of a record behind all the others.
    pub fn push(&mut self, seq: Seq, print: u8) {
        match self.stretches.last_mut() {
            Some((first, prints)) if first.0 + prints.len() as u64 == seq.0 && prints.len() < STRETCH => {
                prints.push(print);
            }
            _ => self.stretches.push((seq, vec![print])),
        }
    }

    /// Adds those of records behind all the others.
    pub fn extend(&mut self, later: Self) {
        for (first, prints) in later.stretches {
            if prints.len() >= STRETCH {
                self.stretches.push((first, prints));
            } else {
                (first.0..).zip(prints).for_each(|(seq, print)| self.push(Seq(seq), print));
            }
        }
    }

    /// That of a record, if it is one of them.
    pub fn of(&self, seq: Seq) -> Option<u8> {
        let at = self.stretches.partition_point(|(first, _)| *first <= seq).checked_sub(1)?;
        let (first, prints) = self.stretches.get(at)?;
        prints.get(usize::try_from(seq.0 - first.0).ok()?).copied()
    }
}

/// The fingerprint of an event: of what corrections mostly change. What lies in further lists is left out, since to
/// fetch it from the memory of the thread that has read it takes longer than to hash it.
pub fn of_event(event: &Event) -> u8 {
    let Event { date, title, description, confidence, effects, .. } = event;
    let mut hasher = Mixer(0);
    (date, title, description, confidence, effects.len()).hash(&mut hasher);
    for effect in effects {
        effect.change.hash(&mut hasher);
    }
    hasher.short()
}

/// The fingerprint of a record's content.
pub fn of_content(content: &Content) -> u8 {
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
    const fn short(&self) -> u8 {
        (self.0 >> 56) as u8
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_record_of_an_import_has_its_own_fingerprint() {
        let of = |seq: u64| u8::try_from(seq * 7 % 250).unwrap_or_default();
        let some = |range: std::ops::Range<u64>| {
            let mut prints = Prints::default();
            range.for_each(|seq| prints.push(Seq(seq), of(seq)));
            prints
        };
        let mut all = some(5..70_000);
        all.extend(some(70_000..70_010));
        all.extend(some(80_000..200_000));
        all.extend(Prints::default());
        let is_own = |seq: u64| (5..70_010).contains(&seq) || (80_000..200_000).contains(&seq);
        for seq in 0..200_100 {
            assert_eq!(all.of(Seq(seq)), is_own(seq).then(|| of(seq)), "{seq}");
        }
    }
}
