//! A row: what the index knows of one record, its dates above all, and how rows stand in a block.
//!
//! Rows stand column by column, each number as little as its neighbour leaves of it: most dates begin and end with
//! a day, so that days are counted where they are whole, and an end is counted from the second before the start.

use std::cmp::Reverse;

use annals_model::date::{Range, Span};
use annals_model::{DAY, Date, Moment};

use crate::index::bytes::{Input, put_number};

/// What the date of an event allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dates {
    /// The bounds of the whole.
    pub span: Span,
    /// Whether the event has a date at all.
    pub is_dated: bool,
    /// Whether it stands for several happenings, which the bounds of the whole do not tell.
    pub is_many: bool,
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The number of its timeline among those of the run.
    pub timeline: u32,
    /// Its position in the log.
    pub seq: u64,
    /// The position of its event's first record.
    pub place: u64,
    /// The dates of the event; nothing where the record withdraws it, or was redacted.
    pub dates: Option<Dates>,
}

/// The order of lists: dated events before others, start no earlier, end no later, coarser first, place.
pub type ListKey = (bool, Moment, Moment, Reverse<Moment>, Moment, u64);

/// Into how many classes rows are sorted by how long they may last.
pub const CLASSES: u8 = 4;

/// The longest time that each class but the last one holds, in seconds: rows of one length lie where they may go on.
const LONGEST: [i64; 3] = [8 * DAY, 93 * DAY, 1100 * DAY];

const HAS_DATES: u8 = 1;
const IS_UNDATED: u8 = 2;
const IS_MANY: u8 = 4;
/// The start may lie wherever the end may.
const IS_PLAIN: u8 = 8;
const IS_LATER: u8 = 16;
const IS_ELSEWHERE: u8 = 32;

impl Dates {
    /// What a date allows.
    pub fn of(date: Option<&Date>) -> Self {
        date.map_or(Self { span: Span::UNDATED, is_dated: false, is_many: false }, |date| Self {
            span: date.span(),
            is_dated: true,
            is_many: date.happenings().len() > 1,
        })
    }

    /// What a plain year, month or day allows.
    pub const fn plain(span: Span) -> Self {
        Self { span, is_dated: true, is_many: false }
    }

    /// How long it may last, in steps.
    pub fn class(&self) -> u8 {
        let (first, last) = (self.span.start.earliest, self.span.end.latest);
        let seconds = last.seconds().checked_sub(first.seconds());
        let seconds = seconds.filter(|_| first.is_finite() && last.is_finite()).unwrap_or(i64::MAX);
        let longer = LONGEST.iter().filter(|longest| seconds > **longest).count();
        u8::try_from(longer).unwrap_or(CLASSES - 1)
    }
}

impl Row {
    /// Its dates; those of an event without a date where it has none.
    pub fn span(&self) -> Span {
        self.dates.map_or(Span::UNDATED, |dates| dates.span)
    }

    /// How long it may last, in steps.
    pub fn class(&self) -> u8 {
        self.dates.map_or(CLASSES - 1, |dates| dates.class())
    }

    /// Where it stands in a list.
    pub fn list_key(&self) -> ListKey {
        let Span { start, end } = self.span();
        let is_undated = self.dates.is_none_or(|dates| !dates.is_dated);
        (is_undated, start.earliest, end.latest, Reverse(start.latest), end.earliest, self.place)
    }

    /// Where it stands in a run.
    pub fn order(&self) -> (u8, u32, ListKey, u64) {
        (self.class(), self.timeline, self.list_key(), self.seq)
    }

    fn flags(&self, timeline: u32) -> u8 {
        let mut flags = 0;
        let mut set = |flag, is_set: bool| flags |= if is_set { flag } else { 0 };
        set(IS_LATER, self.place != self.seq);
        set(IS_ELSEWHERE, self.timeline != timeline);
        if let Some(dates) = self.dates {
            set(HAS_DATES, true);
            set(IS_UNDATED, !dates.is_dated);
            set(IS_MANY, dates.is_many);
            set(IS_PLAIN, dates.span.start == dates.span.end);
        }
        flags
    }
}

/// Appends rows.
pub fn put_rows<'a>(rows: impl ExactSizeIterator<Item = &'a Row> + Clone, into: &mut Vec<u8>) {
    put_number(into, rows.len() as u64);
    let mut timeline = 0;
    let mut moved = Vec::new();
    for row in rows.clone() {
        into.push(row.flags(timeline));
        if row.timeline != timeline {
            put_number(&mut moved, u64::from(row.timeline));
            timeline = row.timeline;
        }
    }
    into.append(&mut moved);
    let dated = rows.clone().filter_map(|row| row.dates).filter(|dates| dates.is_dated);
    let mut before = 0;
    for Dates { span, .. } in dated.clone() {
        put_moment(into, before, span.start.earliest);
        before = base(span.start.earliest, before);
    }
    dated.clone().for_each(|dates| put_moment(into, last_before(dates.span), dates.span.end.latest));
    for Dates { span, .. } in dated.filter(|dates| dates.span.start != dates.span.end) {
        put_moment(into, last_before(span), span.start.latest);
        put_moment(into, base(span.start.earliest, 0), span.end.earliest);
    }
    let mut before = 0_u64;
    for row in rows.clone() {
        put_number(into, zigzag(row.seq.wrapping_sub(before).cast_signed()));
        before = row.seq;
    }
    rows.filter(|row| row.place != row.seq).for_each(|row| put_number(into, row.seq - row.place));
}

/// Reads rows; nothing where they cannot be read.
pub fn get_rows(input: &mut Input<'_>) -> Option<Vec<Row>> {
    let count = usize::try_from(input.number()?).ok()?;
    let (flags, rest) = input.0.split_at_checked(count)?;
    input.0 = rest;
    let mut rows = Vec::with_capacity(count);
    let mut timeline = 0;
    for flag in flags {
        if flag & IS_ELSEWHERE != 0 {
            timeline = u32::try_from(input.number()?).ok()?;
        }
        let dates =
            Dates { span: Span::UNDATED, is_dated: flag & IS_UNDATED == 0, is_many: flag & IS_MANY != 0 };
        rows.push(Row { timeline, seq: 0, place: 0, dates: (flag & HAS_DATES != 0).then_some(dates) });
    }
    get_dates(&mut rows, flags, input)?;
    let mut seq = 0_u64;
    for row in &mut rows {
        seq = seq.wrapping_add(unzigzag(input.number()?).cast_unsigned());
        (row.seq, row.place) = (seq, seq);
    }
    for (row, _) in rows.iter_mut().zip(flags).filter(|(_, flag)| **flag & IS_LATER != 0) {
        row.place = row.seq.checked_sub(input.number()?)?;
    }
    Some(rows)
}

fn get_dates(rows: &mut [Row], flags: &[u8], input: &mut Input<'_>) -> Option<()> {
    let mut before = 0;
    for dates in dated(rows) {
        let start = get_moment(input, before)?;
        before = base(start, before);
        dates.span.start = Range { earliest: start, latest: start };
    }
    for dates in dated(rows) {
        let end = get_moment(input, last_before(dates.span))?;
        // A plain one; the others say more.
        dates.span = Span::within(Range { earliest: dates.span.start.earliest, latest: end });
    }
    for (row, flag) in rows.iter_mut().zip(flags) {
        let Some(dates) = row.dates.as_mut().filter(|dates| dates.is_dated && flag & IS_PLAIN == 0) else {
            continue;
        };
        dates.span.start.latest = get_moment(input, last_before(dates.span))?;
        dates.span.end.earliest = get_moment(input, base(dates.span.start.earliest, 0))?;
    }
    Some(())
}

fn dated(rows: &mut [Row]) -> impl Iterator<Item = &mut Dates> {
    rows.iter_mut().filter_map(|row| row.dates.as_mut()).filter(|dates| dates.is_dated)
}

const fn base(moment: Moment, otherwise: i64) -> i64 {
    if moment.is_finite() { moment.seconds() } else { otherwise }
}

/// The second before the start, from which a whole day's end is whole days away.
const fn last_before(span: Span) -> i64 {
    base(span.start.earliest, 1) - 1
}

/// Appends a moment as its distance from a base: 0 and 1 are the infinities, 2 a moment by itself, and behind these
/// come days, where they are whole, and seconds.
pub fn put_moment(into: &mut Vec<u8>, base: i64, moment: Moment) {
    match moment {
        Moment::NEG_INFINITY => put_number(into, 0),
        Moment::INFINITY => put_number(into, 1),
        _ => {
            if let Some(distance) = moment.seconds().checked_sub(base).and_then(distance) {
                return put_number(into, distance + 3);
            }
            put_number(into, 2);
            put_number(into, moment.seconds().cast_unsigned());
        }
    }
}

/// Reads a moment.
pub fn get_moment(input: &mut Input<'_>, base: i64) -> Option<Moment> {
    let seconds = match input.number()? {
        0 => return Some(Moment::NEG_INFINITY),
        1 => return Some(Moment::INFINITY),
        2 => input.number()?.cast_signed(),
        code => {
            let code = code - 3;
            let units = unzigzag(code >> 1);
            base.checked_add(if code & 1 == 0 { units.checked_mul(DAY)? } else { units })?
        }
    };
    Some(Moment::from_seconds(seconds))
}

fn distance(seconds: i64) -> Option<u64> {
    if seconds % DAY == 0 {
        return Some(zigzag(seconds / DAY) << 1);
    }
    let code = zigzag(seconds);
    (code < 1 << 61).then_some(code << 1 | 1)
}

/// Small for small numbers of either sign.
pub const fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

/// The number again.
pub const fn unzigzag(code: u64) -> i64 {
    (code >> 1).cast_signed() ^ -((code & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_row_is_read_as_it_was_written() {
        let texts = [
            "2004",
            "2004-06",
            "2004-06-15",
            "2004-06-15T12:30:01",
            "2004/2017",
            "2004-01-05/..",
            "../2019",
            "/2019",
            "2019/",
            "..",
            "{2001,2004-05}",
            "Y-17E7",
            "Y-290000000000",
            "Y290000000000",
            "[..2004]",
            "../..",
            "-0043-03-15",
        ];
        let mut rows = vec![Row { timeline: 0, seq: 9, place: 2, dates: None }];
        for (number, text) in (1..).zip(texts) {
            let Ok(date) = Date::parse(text) else { continue };
            let seq = u64::from(number) * 7919 % 100 + 1;
            rows.push(Row { timeline: number / 4, seq, place: seq - 1, dates: Some(Dates::of(Some(&date))) });
            rows.push(Row { timeline: number / 4, seq, place: seq, dates: Some(Dates::of(None)) });
        }
        assert!(rows.len() > 30);
        let mut written = Vec::new();
        put_rows(rows.iter(), &mut written);
        let mut input = Input(&written);
        assert_eq!(get_rows(&mut input), Some(rows));
        assert!(input.is_empty());
        for length in 0..written.len() {
            assert_eq!(get_rows(&mut Input(&written[..length])), None, "{length}");
        }
    }

    #[test]
    fn a_length_has_its_class() {
        let check = |text: &str, class| {
            assert_eq!(Dates::of(Some(&Date::parse(text).unwrap())).class(), class, "{text}");
        };
        check("2004-06-15", 0);
        check("2004-06-15/2004-06-21", 0);
        check("2004-06", 1);
        check("2004~", 2);
        check("200X", 3);
        check("2004-06-15/..", 3);
        assert_eq!(Dates::of(None).class(), 3);
    }
}
