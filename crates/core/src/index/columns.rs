//! The facts on one attribute in columns, as a run holds them.
//!
//! ```text
//! count     how many facts there are
//! seqs      of each the record, counted from the run's first one, in as many bytes as the run's length takes
//! does      a byte each
//! dated     a byte each
//! days      of each the first day, counted from the run's first one, in as many bytes as all take
//! marks     checkpoints along the date axis, with their length, where the group has enough facts
//! width     a byte: how many bytes a small number takes
//! smalls    of each the small number that tells what it does; all bits set where its rest does
//! rests     what else there is of those that have more: how many facts lie between, length, bytes
//! ```
//!
//! They stand in record order. A pass over everything that was ever said chooses by days and records, and looks at what
//! it chose: most facts cost it two comparisons without a branch.

mod choose;

use annals_model::Seq;

use super::bytes::{Input, put_bytes, put_number};
use super::desk::Outline;
use super::fact::{Fact, Fixed};
use super::words::{Numbers, Words};

/// The days of a run's plain dates, from the first to the last one, since 1970.
#[derive(Clone, Copy, Debug, Default)]
pub struct Days(Option<(i64, i64)>);

impl Days {
    /// The days between two, as they are stored; nothing where they are not.
    pub fn between(first: i64, last: i64) -> Option<Self> {
        last.checked_sub(first).and_then(|_| (first <= last).then_some(Self(Some((first, last)))))
    }

    /// The first day and the last one.
    pub fn ends(self) -> (i64, i64) {
        self.0.unwrap_or_default()
    }

    /// Takes the date of a fact in.
    pub fn learn(&mut self, fact: &Fact<'_>) {
        *self = self.and(Self(fact.day().map(|day| (day, day))));
    }

    /// The days of two runs.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let both = |((a, b), (c, d)): ((i64, i64), (i64, i64))| (a.min(c), b.max(d));
        Self(self.0.zip(other.0).map(both).or(self.0).or(other.0))
    }
}

/// The largest number that is small.
const LARGEST_SMALL: u32 = u32::MAX - 1;

/// How many bytes a number takes.
const fn width(most: u64) -> usize {
    let width = (u64::BITS - most.leading_zeros()).div_ceil(8) as usize;
    if width == 0 { 1 } else { width }
}

/// In which form a run has records and days.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    first: u64,
    seq_width: usize,
    first_day: i64,
    last_day: i64,
    day_width: usize,
}

impl Form {
    /// The form of a run of the records between two, with these days.
    pub fn new((first, last): (Seq, Seq), days: Days) -> Self {
        let (first_day, last_day) = days.ends();
        Self {
            first: first.0,
            seq_width: width(last.0.saturating_sub(first.0)),
            first_day,
            last_day,
            day_width: width(last_day.abs_diff(first_day)),
        }
    }

    /// The day that stands for one in a run: the nearest of those that it has.
    fn nearest(self, day: i64) -> i64 {
        day.clamp(self.first_day, self.last_day)
    }

    /// Appends a day as it is stored.
    pub fn put_day(self, day: i64, into: &mut Vec<u8>) {
        into.extend(&day.wrapping_sub(self.first_day).to_le_bytes()[..self.day_width]);
    }

    /// A day as it is stored; nothing where it lies before all.
    fn stored(self, day: i64) -> Option<u64> {
        u64::try_from(day.saturating_sub(self.first_day)).ok()
    }
}

impl Default for Form {
    fn default() -> Self {
        Self::new((Seq(1), Seq(1)), Days::default())
    }
}

/// Columns that are filled.
#[derive(Debug, Default)]
pub struct Builder {
    count: u32,
    seqs: Vec<u8>,
    does: Vec<u8>,
    dated: Vec<u8>,
    days: Vec<u8>,
    smalls: Vec<Option<u32>>,
    rests: Vec<u8>,
    rest: Vec<u8>,
    /// How many facts there are behind the last one that has a rest.
    bare: u64,
}

impl Builder {
    /// How many bytes they take, about.
    pub const fn len(&self) -> usize {
        self.seqs.len()
            + self.does.len()
            + self.dated.len()
            + self.days.len()
            + self.smalls.len()
            + self.rests.len()
    }

    /// Whether there is nothing in them.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds a fact; gives its outline.
    pub fn push(&mut self, fact: &Fact<'_>, form: Form, words: &Numbers) -> Outline {
        let fixed = fact.fixed();
        let fixed = Fixed { day: form.nearest(fixed.day), ..fixed };
        let index = self.count;
        self.count += 1;
        self.seqs.extend(&fact.seq.0.wrapping_sub(form.first).to_le_bytes()[..form.seq_width]);
        self.does.push(fixed.does);
        self.dated.push(fixed.dated);
        form.put_day(fixed.day, &mut self.days);
        let small = fact.small(words).filter(|small| *small <= LARGEST_SMALL);
        self.smalls.push(small);
        self.rest.clear();
        fact.put_rest(&mut self.rest, words, small.is_some());
        if self.rest.is_empty() {
            self.bare += 1;
        } else {
            put_number(&mut self.rests, std::mem::take(&mut self.bare));
            put_bytes(&mut self.rests, &self.rest);
        }
        fixed.outline(index, small)
    }

    /// Appends them as they stand in a run, with their checkpoints, and empties them.
    pub fn put(&mut self, checkpoints: &[u8], into: &mut Vec<u8>) {
        put_number(into, self.count.into());
        (self.count, self.bare) = (0, 0);
        for column in [&mut self.seqs, &mut self.does, &mut self.dated, &mut self.days] {
            into.append(column);
        }
        put_bytes(into, checkpoints);
        // One more than the largest, which stands for none.
        let most = self.smalls.iter().flatten().max().map_or(0, |most| u64::from(*most) + 1);
        let width = width(most);
        into.extend(width.to_le_bytes().first());
        for small in self.smalls.drain(..) {
            into.extend(&small.unwrap_or(u32::MAX).to_le_bytes()[..width]);
        }
        into.append(&mut self.rests);
    }
}

/// Columns that are read.
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a> {
    form: Form,
    seqs: &'a [u8],
    does: &'a [u8],
    dated: &'a [u8],
    days: &'a [u8],
    checkpoints: &'a [u8],
    small_width: usize,
    /// What stands for none.
    no_small: u64,
    smalls: &'a [u8],
    rests: Input<'a>,
    words: &'a Words,
}

impl<'a> Columns<'a> {
    /// The columns in some bytes; nothing where they cannot be read.
    pub fn new(bytes: &'a [u8], form: Form, words: &'a Words) -> Option<Self> {
        let mut input = Input(bytes);
        let count = usize::try_from(input.number()?).ok()?;
        let mut column = |width: usize| input.take(count.checked_mul(width)?);
        let (seqs, does, dated, days) =
            (column(form.seq_width)?, column(1)?, column(1)?, column(form.day_width)?);
        let checkpoints = input.bytes()?;
        let small_width = usize::from(input.byte()?);
        let smalls = input.take(count.checked_mul(small_width)?)?;
        let no_small = match small_width {
            1..=4 => (1 << (8 * small_width)) - 1,
            _ => return None,
        };
        let rests = input;
        Some(Self { form, seqs, does, dated, days, checkpoints, small_width, no_small, smalls, rests, words })
    }

    /// How many facts there are.
    pub const fn len(&self) -> usize {
        self.does.len()
    }

    /// How many of them are of records up to this one.
    pub fn up_to(&self, last: Seq) -> usize {
        let (mut low, mut high) = (0, self.len());
        if high == 0 || self.seq(high - 1) <= last {
            return high;
        }
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.seq(middle) <= last {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The record of a fact.
    #[inline]
    pub fn seq(&self, index: usize) -> Seq {
        let Form { first, seq_width, .. } = self.form;
        Seq(first.wrapping_add(little_endian(cell(self.seqs, seq_width, index))))
    }

    /// What a fact says in a fixed number of bytes, apart from its record.
    #[inline]
    fn fixed(&self, index: usize) -> Fixed {
        let (does, dated) = (self.does[index], self.dated[index]);
        let Form { first_day, day_width, .. } = self.form;
        let day = little_endian(cell(self.days, day_width, index));
        Fixed { does, dated, day: first_day.wrapping_add_unsigned(day) }
    }

    /// The small number that tells what a fact does; nothing where its rest does.
    #[inline]
    fn small(&self, index: usize) -> Option<u32> {
        let small = little_endian(cell(self.smalls, self.small_width, index));
        if small == self.no_small { None } else { u32::try_from(small).ok() }
    }

    /// What the fixed columns say of some facts.
    pub fn outlines(&self, chosen: &[u32], into: &mut Vec<Outline>) {
        into.clear();
        into.extend(
            chosen
                .iter()
                .map(|index| self.fixed(*index as usize).outline(*index, self.small(*index as usize))),
        );
    }

    /// The words that facts refer to.
    pub const fn words(&self) -> &'a Words {
        self.words
    }

    /// The rests, to be read from the first one on.
    pub const fn rests(&self) -> Rests<'a> {
        Rests { columns: *self, next: 0, rest: Input(&[]), input: self.rests }
    }

    /// All facts, in record order.
    pub const fn facts(&self) -> Facts<'a> {
        Facts { rests: self.rests(), index: 0 }
    }
}

#[inline]
fn cell(column: &[u8], width: usize, index: usize) -> &[u8] {
    &column[index * width..][..width]
}

/// A number of some bytes, the lowest ones first.
#[inline]
pub fn little_endian(bytes: &[u8]) -> u64 {
    match *bytes {
        [a, b, c] => u64::from(u32::from_le_bytes([a, b, c, 0])),
        [a, b] => u64::from(u16::from_le_bytes([a, b])),
        [a] => u64::from(a),
        _ => bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)),
    }
}

/// The rests of facts; most facts have none.
#[derive(Clone, Debug)]
pub struct Rests<'a> {
    columns: Columns<'a>,
    /// The first fact behind the one that has the rest that was read last.
    next: usize,
    /// That rest.
    rest: Input<'a>,
    input: Input<'a>,
}

impl<'a> Rests<'a> {
    /// A fact, which is none before the one that was read last; nothing where it cannot be read.
    pub fn fact(&mut self, index: usize) -> Option<Fact<'a>> {
        while self.next <= index && !self.input.is_empty() {
            self.next = self.next.checked_add(usize::try_from(self.input.number()?).ok()?)?.checked_add(1)?;
            self.rest = Input(self.input.bytes()?);
        }
        let mut input = if self.next == index + 1 { self.rest } else { Input(&[]) };
        let Columns { words, .. } = self.columns;
        let told = (self.columns.fixed(index), self.columns.small(index));
        Fact::read(told, self.columns.seq(index), &mut input, words)
    }
}

/// Facts, one after the other.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    rests: Rests<'a>,
    index: usize,
}

impl<'a> Iterator for Facts<'a> {
    /// Nothing where it cannot be read, and no fact after it.
    type Item = Option<Fact<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.index >= self.rests.columns.len() {
            return None;
        }
        let fact = self.rests.fact(self.index);
        self.index = if fact.is_some() { self.index + 1 } else { usize::MAX };
        Some(fact)
    }
}
