//! A part of a run: the places of some hundred events, sorted by the hash of their names, as one value of the store.
//!
//! A run is cut by the leading bits of the hash, so that a part is found by its number, and stores only the bits
//! behind those. Every column has one width within a part: a hash is found by halving. Most events have one record;
//! a bit says which have a last record of their own.

use annals_model::Seq;

/// Bits of a hash that are kept. Two events that share all of them are told apart by their records.
pub const HASH_BITS: u32 = 48;

const HEADER: usize = 19;

/// Where an event's records stand, by the hash of its timeline and id. Its first record tells it from every other
/// event, whatever their hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The hash of the event's name.
    pub hash: u64,
    /// Its first record.
    pub first: Seq,
    /// Its last record, as far as the run knows.
    pub last: Seq,
}

/// Sorts places, and keeps one for each event: the one that knows its last record.
pub fn settle(places: &mut Vec<Place>) {
    places.sort_unstable_by_key(|place| (place.hash, place.first, std::cmp::Reverse(place.last)));
    places.dedup_by_key(|place| (place.hash, place.first));
}

/// The bytes of a part; `places` are sorted and agree in their `bits` leading bits.
pub fn encode(places: &[Place], bits: u32) -> Vec<u8> {
    let hash_width = bytes_for(HASH_BITS - bits);
    let base = places.iter().map(|place| place.first.0).min().unwrap_or(0);
    let width = |largest: Option<u64>| bytes_for(64 - largest.unwrap_or(0).leading_zeros());
    let corrected = || places.iter().filter(|place| place.last > place.first);
    let first_width = width(places.iter().map(|place| place.first.0 - base).max());
    let last_width = width(corrected().map(|place| place.last.0 - place.first.0).max());
    let mut bytes = vec![0; 4];
    // A part of more than four billion places would not be read back; there is none.
    bytes.extend(u32::try_from(places.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend([hash_width, first_width, last_width]);
    bytes.extend(base.to_le_bytes());
    let [hash_width, first_width, last_width] = [hash_width, first_width, last_width].map(usize::from);
    for place in places {
        bytes.extend(&(place.hash & rest(bits)).to_le_bytes()[..hash_width]);
    }
    for place in places {
        bytes.extend(&(place.first.0 - base).to_le_bytes()[..first_width]);
    }
    let mut marks = vec![0_u8; places.len().div_ceil(8)];
    for (index, _) in places.iter().enumerate().filter(|(_, place)| place.last > place.first) {
        marks[index / 8] |= 1 << (index % 8);
    }
    bytes.extend(marks);
    for place in corrected() {
        bytes.extend(&(place.last.0 - place.first.0).to_le_bytes()[..last_width]);
    }
    let crc = crc32c::crc32c(&bytes[4..]).to_le_bytes();
    bytes[..4].copy_from_slice(&crc);
    bytes
}

/// Bytes that so many bits need.
fn bytes_for(bits: u32) -> u8 {
    u8::try_from(bits.div_ceil(8)).unwrap_or(u8::MAX)
}

/// The bits of a hash behind the leading ones.
const fn rest(bits: u32) -> u64 {
    (1 << (HASH_BITS - bits)) - 1
}

/// A part, as it is read.
#[derive(Debug)]
pub struct Chunk<'a> {
    bits: u32,
    lead: u64,
    base: u64,
    hashes: Column<'a>,
    firsts: Column<'a>,
    marks: &'a [u8],
    lasts: Column<'a>,
}

#[derive(Debug)]
struct Column<'a> {
    width: usize,
    bytes: &'a [u8],
}

impl Column<'_> {
    fn get(&self, index: usize) -> u64 {
        let bytes = self.bytes.get(index * self.width..(index + 1) * self.width).unwrap_or_default();
        bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    fn len(&self) -> usize {
        self.bytes.len() / self.width.max(1)
    }
}

impl<'a> Chunk<'a> {
    /// Reads the part `number` of a run that is cut by `bits` bits; nothing where it is damaged.
    pub fn read(bytes: &'a [u8], bits: u32, number: u32) -> Option<Self> {
        let (header, mut body) = bytes.split_at_checked(HEADER)?;
        if crc32c::crc32c(&bytes[4..]).to_le_bytes() != header[..4] {
            return None;
        }
        let count = usize::try_from(u32::from_le_bytes(header[4..8].try_into().ok()?)).ok()?;
        let [hash_width, first_width, last_width] = [8, 9, 10].map(|at| usize::from(header[at]));
        if header[8] != bytes_for(HASH_BITS - bits) || first_width > 8 || last_width > 8 {
            return None;
        }
        let mut take = |length: Option<usize>| {
            let (bytes, rest) = body.split_at_checked(length?)?;
            body = rest;
            Some(bytes)
        };
        let hashes = Column { width: hash_width, bytes: take(count.checked_mul(hash_width))? };
        let firsts = Column { width: first_width, bytes: take(count.checked_mul(first_width))? };
        let marks = take(Some(count.div_ceil(8)))?;
        let corrected = marks.iter().map(|byte| byte.count_ones() as usize).sum::<usize>();
        let lasts = Column { width: last_width, bytes: take(corrected.checked_mul(last_width))? };
        let base = u64::from_le_bytes(header[11..].try_into().ok()?);
        let lead = u64::from(number) << (HASH_BITS - bits);
        body.is_empty().then_some(Self { bits, lead, base, hashes, firsts, marks, lasts })
    }

    /// All places, in order.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        self.from(0)
    }

    /// The places under a hash.
    pub fn find(&self, hash: u64) -> impl Iterator<Item = Place> {
        let wanted = hash & rest(self.bits);
        let (mut low, mut high) = (0, self.hashes.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.hashes.get(middle) < wanted {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        self.from(low).take_while(move |place| place.hash == hash)
    }

    fn from(&self, index: usize) -> impl Iterator<Item = Place> {
        let before = |byte: &u8| byte.count_ones() as usize;
        let (whole, part) = (index / 8, index % 8);
        let mut rank = self.marks.iter().take(whole).map(before).sum::<usize>();
        rank += self.marks.get(whole).map_or(0, |byte| before(&(byte & ((1 << part) - 1))));
        (index..self.hashes.len()).map(move |index| {
            let first = self.base.saturating_add(self.firsts.get(index));
            let mut last = first;
            if self.marks[index / 8] & 1 << (index % 8) != 0 {
                last = first.saturating_add(self.lasts.get(rank));
                rank += 1;
            }
            Place { hash: self.lead | self.hashes.get(index), first: Seq(first), last: Seq(last) }
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code: a panic is how a test fails")]

    use super::*;

    fn some(count: u64, bits: u32, number: u64) -> Vec<Place> {
        let lead = number << (HASH_BITS - bits);
        let mut places: Vec<Place> = (0..count)
            .map(|n| {
                let hash = lead | n.wrapping_mul(0x9E37_79B9_7F4A_7C15) & rest(bits);
                let first = Seq(1_000_000 + n * 7919 % 50_000);
                Place { hash, first, last: Seq(first.0 + if n % 5 == 0 { n * 1000 } else { 0 }) }
            })
            .collect();
        settle(&mut places);
        places
    }

    #[test]
    fn a_part_gives_back_what_was_put_into_it() {
        for (count, bits, number) in
            [(0, 0, 0), (1, 0, 0), (7, 3, 5), (256, 8, 255), (300, 12, 0), (900, 1, 1)]
        {
            let places = some(count, bits, number);
            let bytes = encode(&places, bits);
            let chunk = Chunk::read(&bytes, bits, u32::try_from(number).unwrap()).unwrap();
            assert_eq!(chunk.places().collect::<Vec<_>>(), places);
            for place in &places {
                assert_eq!(chunk.find(place.hash).collect::<Vec<_>>(), [*place]);
                assert_eq!(chunk.find(place.hash ^ 1).count(), 0);
            }
        }
    }

    #[test]
    fn places_under_one_hash_are_all_found() {
        let place = |hash, first, last| Place { hash, first: Seq(first), last: Seq(last) };
        let mut places = vec![place(5, 9, 9), place(5, 1, 4), place(5, 1, 8), place(4, 2, 2), place(6, 3, 3)];
        settle(&mut places);
        assert_eq!(places, [place(4, 2, 2), place(5, 1, 8), place(5, 9, 9), place(6, 3, 3)]);
        let bytes = encode(&places, 0);
        let chunk = Chunk::read(&bytes, 0, 0).unwrap();
        assert_eq!(chunk.find(5).collect::<Vec<_>>(), places[1..3]);
    }

    #[test]
    fn a_part_is_small_and_damage_to_it_is_noticed() {
        let bytes = encode(&some(256, 12, 7), 12);
        assert!(bytes.len() < 256 * 10, "{} bytes", bytes.len());
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 4;
            assert!(Chunk::read(&damaged, 12, 7).is_none(), "byte {at}");
            assert!(Chunk::read(&bytes[..at], 12, 7).is_none(), "cut at {at}");
        }
    }
}
