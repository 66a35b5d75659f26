//! The facts on one attribute in columns, as a run holds them.
//!
//! ```text
//! count     how many facts there are
//! seqs      of each the record, counted from the run's first one, in as many bytes as the run's length takes
//! does      a byte each
//! dated     a byte each
//! days      of each the first day of a plain date, counted from the run's first one, in as many bytes as all take
//! rests     what else there is of them, one behind the other
//! ```
//!
//! They stand in record order. A pass over everything that was ever said looks at records and days, and at the rest
//! of the few facts that leave a trace: most facts cost it a bit of a set and two comparisons.

use annals_model::date::Range;
use annals_model::reduce::Deed;
use annals_model::{Number, Seq};

use super::bytes::{Input, put_number};
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

/// In which form a run has records and days.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    first: u64,
    seq_width: usize,
    first_day: i64,
    day_width: usize,
}

impl Form {
    /// The form of a run of the records between two, with these days.
    pub fn new((first, last): (Seq, Seq), days: Days) -> Self {
        let width = |most: u64| ((u64::BITS - most.leading_zeros()).div_ceil(8) as usize).max(1);
        let (first_day, last_day) = days.ends();
        Self {
            first: first.0,
            seq_width: width(last.0.saturating_sub(first.0)),
            first_day,
            day_width: width(last_day.abs_diff(first_day)),
        }
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
    count: u64,
    seqs: Vec<u8>,
    does: Vec<u8>,
    dated: Vec<u8>,
    days: Vec<u8>,
    rests: Vec<u8>,
}

impl Builder {
    /// How many bytes they take, about.
    pub const fn len(&self) -> usize {
        self.seqs.len() + self.does.len() + self.dated.len() + self.days.len() + self.rests.len()
    }

    /// Whether there is nothing in them.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds a fact.
    pub fn push(&mut self, fact: &Fact<'_>, form: Form, words: &Numbers) {
        let Fixed { does, dated, day } = fact.fixed();
        self.count += 1;
        self.seqs.extend(&fact.seq.0.wrapping_sub(form.first).to_le_bytes()[..form.seq_width]);
        self.does.push(does);
        self.dated.push(dated);
        self.days.extend(&day.wrapping_sub(form.first_day).to_le_bytes()[..form.day_width]);
        fact.put_rest(&mut self.rests, words);
    }

    /// Appends them as they stand in a run, and empties them.
    pub fn put(&mut self, into: &mut Vec<u8>) {
        put_number(into, self.count);
        self.count = 0;
        for column in [&mut self.seqs, &mut self.does, &mut self.dated, &mut self.days, &mut self.rests] {
            into.append(column);
        }
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
        Some(Self { form, seqs, does, dated, days, rests: input, words })
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
        Seq(first.wrapping_add(little_endian(&self.seqs[index * seq_width..][..seq_width])))
    }

    /// What a fact says in a fixed number of bytes, apart from its record.
    #[inline]
    fn fixed(&self, index: usize) -> Fixed {
        let (does, dated) = (self.does[index], self.dated[index]);
        let Form { first_day, day_width, .. } = self.form;
        let day = little_endian(&self.days[index * day_width..][..day_width]);
        Fixed { does, dated, day: first_day.wrapping_add_unsigned(day) }
    }

    /// Between which moments a fact of a plain date takes hold for good, and what it does, without a look at its rest:
    /// where it replaces what stands, or increases it by a number that is not told.
    #[inline]
    pub fn plain(&self, index: usize) -> Option<(Range, Deed)> {
        let fixed = self.fixed(index);
        Some((fixed.lasting_from()?, fixed.deed()?))
    }

    /// The rests, to be read from the first one on.
    pub const fn rests(&self) -> Rests<'a> {
        Rests { columns: *self, next: 0, input: self.rests }
    }

    /// All facts, in record order.
    pub const fn facts(&self) -> Facts<'a> {
        Facts { rests: self.rests(), index: 0 }
    }
}

#[inline]
fn little_endian(bytes: &[u8]) -> u64 {
    match *bytes {
        [a, b, c] => u64::from(u32::from_le_bytes([a, b, c, 0])),
        [a, b] => u64::from(u16::from_le_bytes([a, b])),
        [a] => u64::from(a),
        _ => bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)),
    }
}

/// The rests of facts; what is passed over is not read.
#[derive(Clone, Debug)]
pub struct Rests<'a> {
    columns: Columns<'a>,
    next: usize,
    input: Input<'a>,
}

impl<'a> Rests<'a> {
    /// Goes to a fact's rest, which is no earlier one than before.
    fn go_to(&mut self, index: usize) -> Option<()> {
        debug_assert!(index >= self.next, "rests are read one behind the other");
        while self.next < index {
            self.columns.fixed(self.next).skip_rest(&mut self.input)?;
            self.next += 1;
        }
        Some(())
    }

    /// A fact, which is none before the one that was read last; nothing where it cannot be read.
    pub fn fact(&mut self, index: usize) -> Option<Fact<'a>> {
        self.go_to(index)?;
        let mut input = self.input;
        Fact::read(self.columns.fixed(index), self.columns.seq(index), &mut input, self.columns.words)
    }

    /// By how much a fact increases, which is none before the one that was read last; nothing where it does not, or
    /// cannot be read.
    pub fn amount(&mut self, index: usize) -> Option<Number> {
        self.go_to(index)?;
        let mut input = self.input;
        self.columns.fixed(index).amount(&mut input)
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
