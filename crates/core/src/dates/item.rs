//! What a run holds, in sections of one kind of item each: rows by date, rows by record, what superseded what, and
//! the seqs of each term. The counts have a file of their own.

use annals_model::{Date, EventId, Moment, Seq};

use super::file::{Directory, Run};
use super::row::{Row, get_moment, get_rows, put_moment, put_rows};
use crate::index::bytes::{Input, put_bytes, put_number};

/// An item of a section. Items come in the order of the section, and stand in blocks.
pub trait Item: Sized {
    /// What the directory says of a block.
    type Label;
    /// How much a block holds.
    const FULL: usize;

    /// How much of a block the item takes.
    fn weight(&self) -> usize {
        1
    }

    /// Appends the items of a block; there is at least one.
    fn put(items: &[Self], into: &mut Vec<u8>);

    /// Reads the items of a block; nothing where they cannot be read.
    fn get(input: &mut Input<'_>) -> Option<Vec<Self>>;

    /// Appends what the directory says of a block.
    fn put_label(items: &[Self], into: &mut Vec<u8>);

    /// Reads what the directory says of a block.
    fn get_label(input: &mut Input<'_>) -> Option<Self::Label>;

    /// The section's directory in a run.
    fn directory(run: &Run) -> &Directory<Self::Label>;
}

/// A row among others in the order of their dates, with what is told of an event that goes on for long.
#[derive(Clone, Debug, PartialEq)]
pub struct ByDate {
    /// The row, which has dates.
    pub row: Row,
    /// What is told of the event, where it may last for more than some days.
    pub card: Option<Card>,
}

/// What is told of an event that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Its id.
    pub id: EventId,
    /// Its date.
    pub date: Option<Date>,
    /// Its title.
    pub title: String,
}

/// Where a block of rows by date begins, and how far its rows reach.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// The class, the timeline, whether the event has no date, and the earliest start.
    pub first: (u8, u32, bool, Moment),
    /// The latest end of any.
    pub latest: Moment,
}

/// A row among others in the order of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BySeq(pub Row);

/// A record that took the place of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The record that took the place.
    pub by: u64,
    /// The one that no longer counts.
    pub previous: u64,
    /// The number of their timeline.
    pub timeline: u32,
    /// How early, and at the latest when, the event began as it was before; nothing where it was withdrawn.
    pub began: Option<(Moment, Moment)>,
}

/// What events are filtered by, and the records that have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Timeline, field and text.
    pub key: Vec<u8>,
    /// The records, in order.
    pub seqs: Vec<u64>,
}

impl Item for ByDate {
    type Label = Reach;
    const FULL: usize = 2048;

    fn weight(&self) -> usize {
        if self.card.is_some() { 4 } else { 1 }
    }

    fn put(items: &[Self], into: &mut Vec<u8>) {
        put_rows(items.iter().map(|item| &item.row), into);
        for Card { id, .. } in cards(items) {
            put_bytes(into, id.as_str().as_bytes());
        }
        for Card { date, .. } in cards(items) {
            put_bytes(into, date.as_ref().map_or("", Date::as_str).as_bytes());
        }
        for Card { title, .. } in cards(items) {
            put_bytes(into, title.as_bytes());
        }
    }

    fn get(input: &mut Input<'_>) -> Option<Vec<Self>> {
        let rows = get_rows(input)?;
        let mut items: Vec<Self> = rows.into_iter().map(|row| Self { row, card: None }).collect();
        for item in items.iter_mut().filter(|item| is_told(&item.row)) {
            let id = EventId::new(text(input)?).ok()?;
            item.card = Some(Card { id, date: None, title: String::new() });
        }
        for card in items.iter_mut().filter_map(|item| item.card.as_mut()) {
            card.date =
                Some(text(input)?).filter(|text| !text.is_empty()).map(Date::parse).transpose().ok()?;
        }
        for card in items.iter_mut().filter_map(|item| item.card.as_mut()) {
            text(input)?.clone_into(&mut card.title);
        }
        Some(items)
    }

    fn put_label(items: &[Self], into: &mut Vec<u8>) {
        let first = &items[0].row;
        let (is_undated, start, ..) = first.list_key();
        into.extend([first.class(), u8::from(is_undated)]);
        put_number(into, u64::from(first.timeline));
        put_moment(into, 0, start);
        let latest = items.iter().map(|item| item.row.span().end.latest).max();
        put_moment(into, 0, latest.unwrap_or(Moment::INFINITY));
    }

    fn get_label(input: &mut Input<'_>) -> Option<Reach> {
        let ([class, is_undated], rest) = input.0.split_first_chunk()?;
        input.0 = rest;
        let timeline = u32::try_from(input.number()?).ok()?;
        let first = (*class, timeline, *is_undated == 1, get_moment(input, 0)?);
        Some(Reach { first, latest: get_moment(input, 0)? })
    }

    fn directory(run: &Run) -> &Directory<Reach> {
        &run.by_date
    }
}

/// Whether a row has a card.
pub fn is_told(row: &Row) -> bool {
    row.class() > 0
}

fn cards(items: &[ByDate]) -> impl Iterator<Item = &Card> {
    items.iter().filter_map(|item| item.card.as_ref())
}

fn text<'a>(input: &mut Input<'a>) -> Option<&'a str> {
    std::str::from_utf8(input.bytes()?).ok()
}

impl Item for BySeq {
    type Label = Seq;
    const FULL: usize = 1024;

    fn put(items: &[Self], into: &mut Vec<u8>) {
        put_rows(items.iter().map(|item| &item.0), into);
    }

    fn get(input: &mut Input<'_>) -> Option<Vec<Self>> {
        Some(get_rows(input)?.into_iter().map(Self).collect())
    }

    fn put_label(items: &[Self], into: &mut Vec<u8>) {
        put_number(into, items[0].0.seq);
    }

    fn get_label(input: &mut Input<'_>) -> Option<Seq> {
        input.number().map(Seq)
    }

    fn directory(run: &Run) -> &Directory<Seq> {
        &run.by_seq
    }
}

impl Replaced {
    /// The records of a block alone: which took the place of which.
    pub fn pairs(input: &mut Input<'_>) -> Option<Vec<(u64, u64)>> {
        let count = input.number()?;
        let mut pairs = Vec::with_capacity(usize::try_from(count).map_or(0, |count| count.min(Self::FULL)));
        let mut by = 0_u64;
        for _ in 0..count {
            by = by.checked_add(input.number()?)?;
            pairs.push((by, 0));
        }
        for (by, previous) in &mut pairs {
            *previous = by.checked_sub(input.number()?)?;
        }
        Some(pairs)
    }
}

impl Item for Replaced {
    type Label = Seq;
    const FULL: usize = 4096;

    fn put(items: &[Self], into: &mut Vec<u8>) {
        put_number(into, items.len() as u64);
        let mut before = 0;
        for item in items {
            put_number(into, item.by - before);
            before = item.by;
        }
        for item in items {
            put_number(into, item.by - item.previous);
        }
        for item in items {
            put_number(into, u64::from(item.timeline) << 1 | u64::from(item.began.is_some()));
        }
        for (earliest, latest) in items.iter().filter_map(|item| item.began) {
            put_moment(into, 0, earliest);
            put_moment(into, base(earliest), latest);
        }
    }

    fn get(input: &mut Input<'_>) -> Option<Vec<Self>> {
        let pairs = Self::pairs(input)?;
        let mut items = Vec::with_capacity(pairs.len());
        for (by, previous) in pairs {
            let code = input.number()?;
            let began = (code & 1 == 1).then_some((Moment::INFINITY, Moment::INFINITY));
            items.push(Self { by, previous, timeline: u32::try_from(code >> 1).ok()?, began });
        }
        for began in items.iter_mut().filter_map(|item| item.began.as_mut()) {
            began.0 = get_moment(input, 0)?;
            began.1 = get_moment(input, base(began.0))?;
        }
        Some(items)
    }

    fn put_label(items: &[Self], into: &mut Vec<u8>) {
        put_number(into, items[0].by);
    }

    fn get_label(input: &mut Input<'_>) -> Option<Seq> {
        input.number().map(Seq)
    }

    fn directory(run: &Run) -> &Directory<Seq> {
        &run.replaced
    }
}

const fn base(earliest: Moment) -> i64 {
    if earliest.is_finite() { earliest.seconds().saturating_sub(1) } else { 0 }
}

impl Item for Term {
    type Label = Vec<u8>;
    const FULL: usize = 32 * 1024;

    fn weight(&self) -> usize {
        self.key.len() + 2 * self.seqs.len()
    }

    fn put(items: &[Self], into: &mut Vec<u8>) {
        for Self { key, seqs } in items {
            put_bytes(into, key);
            put_number(into, seqs.len() as u64);
            let mut before = 0;
            for seq in seqs {
                put_number(into, seq - before);
                before = *seq;
            }
        }
    }

    fn get(input: &mut Input<'_>) -> Option<Vec<Self>> {
        let mut items = Vec::new();
        while !input.is_empty() {
            let key = input.bytes()?.to_vec();
            let count = usize::try_from(input.number()?).ok()?;
            // Each takes a byte at least.
            let mut seqs = Vec::with_capacity(count.min(input.0.len()));
            let mut seq = 0_u64;
            for _ in 0..count {
                seq = seq.checked_add(input.number()?)?;
                seqs.push(seq);
            }
            items.push(Self { key, seqs });
        }
        Some(items)
    }

    fn put_label(items: &[Self], into: &mut Vec<u8>) {
        put_bytes(into, &items[0].key);
    }

    fn get_label(input: &mut Input<'_>) -> Option<Vec<u8>> {
        input.bytes().map(<[u8]>::to_vec)
    }

    fn directory(run: &Run) -> &Directory<Vec<u8>> {
        &run.terms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same<T: Item + PartialEq + std::fmt::Debug>(items: &[T]) {
        let mut written = Vec::new();
        T::put(items, &mut written);
        let mut input = Input(&written);
        assert_eq!(T::get(&mut input).unwrap(), items);
        assert!(input.is_empty());
    }

    #[test]
    fn what_is_put_is_read() {
        let dates = |text: &str| crate::dates::row::Dates::of(Some(&Date::parse(text).unwrap()));
        let row = |seq, text: &str| Row { timeline: 3, seq, place: 1, dates: Some(dates(text)) };
        let card = |text: &str| Card {
            id: EventId::new("an id").unwrap(),
            date: Some(Date::parse(text).unwrap()),
            title: format!("What happened in {text}"),
        };
        let told = |seq, text: &str| ByDate { row: row(seq, text), card: Some(card(text)) };
        same(&[ByDate { row: row(7, "2004-05-06"), card: None }, told(5, "2004"), told(9, "2004/..")]);
        same(&[BySeq(row(5, "2004")), BySeq(Row { dates: None, ..row(6, "2004") })]);
        let began = Some((Moment::NEG_INFINITY, Moment::from_seconds(77)));
        let replaced = Replaced { by: 9, previous: 4, timeline: 2, began };
        same(&[replaced, Replaced { by: 11, previous: 9, began: None, ..replaced }]);
        let term = |key: &[u8], seqs: &[u64]| Term { key: key.to_vec(), seqs: seqs.to_vec() };
        same(&[term(b"main\0kriot", &[1, 5, 6]), term(b"main\0tx", &[])]);
    }
}
