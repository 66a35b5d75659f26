//! Checkpoints along the date axis: which of a group's facts leave a trace at some days.
//!
//! ```text
//! count   how many checkpoints there are
//! days    of each its day, as the facts' days are stored
//! each    its length, and
//!         deeds   a byte: what is done by the facts that are left out, a bit each
//!         sum     where some of these increase: what they come to, and the sum of their sizes (zigzag)
//!         kept    the facts up to that day that leave a trace, each counted from the one before
//! ```
//!
//! What a checkpoint says holds as of its day and any later one, whatever else is said of the attribute: a question takes
//! the last one that is over at D, and adds what lies between. It holds at every K at which the same facts of the group
//! count as at the end of its run: what was corrected later sends the question back to all of them.

use super::bytes::{Input, put_bytes, put_number, put_zigzag};
use super::columns::{Form, little_endian};
use super::desk::{Desk, LeftOut, Outline, Sieve};
use super::fact::{Fact, INCREASE};
use super::words::Words;

/// A checkpoint that is read.
#[derive(Clone, Copy, Debug)]
pub struct Checkpoint<'a> {
    /// Its day, as the facts' days are stored.
    pub day: u64,
    /// What it leaves out.
    pub left_out: LeftOut,
    kept: Input<'a>,
}

impl<'a> Checkpoint<'a> {
    /// The last one of a group whose day is not behind this one, as days are stored; an error where it cannot be read.
    pub fn last(bytes: &'a [u8], day_width: usize, until: u64) -> Result<Option<Self>, ()> {
        if bytes.is_empty() {
            return Ok(None);
        }
        let (day, body) = Self::find(bytes, day_width, until).ok_or(())?;
        if body.is_empty() { Ok(None) } else { Self::read(day, Input(body)).map(Some).ok_or(()) }
    }

    /// The day and the bytes of the last one up to a day, no bytes where there is none.
    fn find(bytes: &'a [u8], day_width: usize, until: u64) -> Option<(u64, &'a [u8])> {
        let mut input = Input(bytes);
        let count = usize::try_from(input.number()?).ok()?;
        let days = input.take(count.checked_mul(day_width)?)?;
        let mut found = (0, &[][..]);
        for day in days.chunks_exact(day_width).map(little_endian).take_while(|day| *day <= until) {
            found = (day, input.bytes()?);
        }
        Some(found)
    }

    fn read(day: u64, mut input: Input<'a>) -> Option<Self> {
        let mut left_out = LeftOut { deeds: input.byte()?, ..LeftOut::default() };
        if left_out.deeds >> INCREASE & 1 == 1 {
            let mut number = || i64::try_from(input.zigzag()?).ok();
            (left_out.sum, left_out.size) = (number()?, number()?);
        }
        Some(Self { day, left_out, kept: input })
    }

    /// The facts that it keeps, of so many, in their order; nothing where they cannot be read.
    pub fn kept(&self, count: usize, into: &mut Vec<u32>) -> Option<()> {
        let (mut kept, mut next) = (self.kept, 0_u64);
        while !kept.is_empty() {
            let index = next.checked_add(kept.number()?)?;
            into.push(u32::try_from(index).ok().filter(|index| (*index as usize) < count)?);
            next = index + 1;
        }
        Some(())
    }
}

/// A fact, as far as a checkpoint looks at it.
#[derive(Clone, Copy, Debug)]
struct Said {
    /// Its day, as it is stored.
    day: i64,
    outline: Outline,
}

/// Makes the checkpoints of one group after the other.
#[derive(Debug, Default)]
pub struct Maker {
    /// So many facts lie between two of them at least.
    spacing: usize,
    said: Vec<Said>,
    desk: Desk,
    kept: Vec<Outline>,
}

impl Maker {
    /// Makes checkpoints with so many facts between them at least.
    pub fn new(spacing: usize) -> Self {
        Self { spacing, ..Self::default() }
    }

    /// Takes a fact of the group that counts at the end of the run.
    pub fn push(&mut self, fact: &Fact<'_>, mut outline: Outline) {
        let day = outline.first;
        // A day that stands for a later one is the run's last one, behind every checkpoint.
        if let Some((first, last)) = fact.vague_days() {
            (outline.first, outline.last) = (first, last);
        }
        self.said.push(Said { day, outline });
    }

    /// Appends the checkpoints of the facts that were taken, and makes room for the next group.
    pub fn put(&mut self, form: Form, words: &Words, into: &mut Vec<u8>) {
        let mut said = std::mem::take(&mut self.said);
        let (mut count, mut days, mut bodies, mut body) = (0, Vec::new(), Vec::new(), Vec::new());
        if said.len() > self.spacing {
            said.sort_by_key(|said| said.day);
        }
        let (mut left_out, mut seen, mut taken) = (LeftOut::default(), 0, 0);
        self.kept.clear();
        for at in 1..said.len() {
            let day = said[at - 1].day;
            if at - taken < self.spacing.max(self.kept.len()) || said[at].day == day {
                continue;
            }
            self.kept.extend(said[taken..at].iter().map(|said| said.outline));
            taken = at;
            self.sift(day, words, &mut left_out);
            // All of them together are no longer than a list of all facts, and each saves half of what it is read for.
            if self.kept.len() > (at - seen).min(at / 2) {
                continue;
            }
            (count, seen) = (count + 1, at);
            form.put_day(day, &mut days);
            body.clear();
            body.push(left_out.deeds);
            if left_out.deeds >> INCREASE & 1 == 1 {
                put_zigzag(&mut body, left_out.sum.into());
                put_zigzag(&mut body, left_out.size.into());
            }
            let mut next = 0;
            for outline in &self.kept {
                put_number(&mut body, u64::from(outline.index - next));
                next = outline.index + 1;
            }
            put_bytes(&mut bodies, &body);
        }
        if count > 0 {
            put_number(into, count);
            into.extend(days.iter().chain(&bodies));
        }
        said.clear();
        self.said = said;
    }

    /// Leaves in what is kept, in the facts' order, what leaves a trace as of a day or later, whatever certainty is asked for.
    fn sift(&mut self, day: i64, words: &Words, left_out: &mut LeftOut) {
        self.kept.sort_unstable_by_key(|outline| outline.index);
        let mut remains: Vec<u32> = Vec::new();
        for sieve in Sieve::of_day(day) {
            self.desk.clear();
            self.desk.outlines.clone_from(&self.kept);
            sieve.sift(words, &mut self.desk);
            remains.extend(self.desk.outlines.iter().map(|outline| outline.index));
        }
        remains.sort_unstable();
        self.kept.retain(|outline| {
            let is_kept = remains.binary_search(&outline.index).is_ok();
            if !is_kept {
                left_out.add(outline);
            }
            is_kept
        });
    }
}
