//! The claims on one attribute, read from facts: what an answer is picked from.
//!
//! A row is a claim's sketch, the records between which it counts, and where its text stands. Texts are read for the
//! few rows that an answer needs, and for no others.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;

use annals_model::answers::{Answer, Witness};
use annals_model::fold::Said;
use annals_model::reduce::{Added, Deed, Increases, Needed, Sketch, Uses, reduce};
use annals_model::settled::{applied, settle};
use annals_model::{Change, Date, Event, EventId, Moment, Number, Question, Seq};

use super::fact::{Alone, Dates, Fact, Text};
use super::ids::Id;

/// Distinct members up to which they are looked for one by one.
const FEW: usize = 16;

/// Counts for ever.
pub const OPEN: Seq = Seq(u64::MAX);

/// A claim.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What tells whether it leaves a trace.
    pub sketch: Sketch,
    /// The record that brought it.
    pub seq: Seq,
    /// The record from which on it does not count.
    pub until: Seq,
    text: (u32, u32),
    /// Its place among those that are read once only.
    number: u32,
}

/// What an answer tells of a claim.
#[derive(Clone, Debug)]
pub struct Read {
    id: EventId,
    date: Option<Date>,
    change: Change,
}

/// The claims on one attribute, in no particular order.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    pub(super) all: Vec<Row>,
    /// What was read of each of them, where that is kept.
    read: Vec<OnceLock<Box<Read>>>,
    texts: Vec<u8>,
    members: Members,
    uses: Uses,
    /// The ids of the rows' events by their records, in order, where they were read.
    pub(super) ids: Vec<(Seq, Id)>,
}

/// The members that an attribute's claims name, by numbers.
#[derive(Clone, Debug, Default)]
struct Members {
    /// Where each of them stands among the texts.
    found: Vec<(u32, u32)>,
    /// The same, where they are many.
    numbers: HashMap<Box<[u8]>, u32>,
}

impl Row {
    /// Whether it counts when the log ends at a record.
    pub fn counts(&self, known_at: Seq) -> bool {
        self.seq <= known_at && known_at < self.until
    }
}

impl Rows {
    /// Takes a fact's claims. `keep` says of each whether it is to be kept; what the attribute is used for is learned
    /// from all of them.
    pub fn take(
        &mut self,
        fact: &Fact<'_>,
        until: Seq,
        dates: &mut Dates,
        mut keep: impl FnMut(&Sketch) -> bool,
    ) -> Option<()> {
        let start = self.texts.len();
        let mut member = 0;
        if let Some(name) = fact.member() {
            fact.put_text(&mut self.texts);
            let at = u32::try_from(self.texts.len() - name.len()).ok()?;
            member = self.members.number(&self.texts, (at, u32::try_from(name.len()).ok()?))?;
        }
        let (rows, uses, texts) = (&mut self.all, &mut self.uses, &mut self.texts);
        let before = rows.len();
        fact.sketches(dates, member, |sketch| {
            uses.learn(sketch.deed);
            if keep(&sketch) {
                rows.push(Row { sketch, seq: fact.seq, until, text: (0, 0), number: 0 });
            }
        })?;
        if rows.len() > before {
            if texts.len() == start {
                fact.put_text(texts);
            }
            let text = (u32::try_from(start).ok()?, u32::try_from(texts.len() - start).ok()?);
            rows[before..].iter_mut().for_each(|row| row.text = text);
        }
        Some(())
    }

    /// Learns of a claim that is not kept.
    pub const fn learn(&mut self, deed: Deed) {
        self.uses.learn(deed);
    }

    /// The id of a row's event.
    pub fn id(&self, row: &Row) -> Option<&Id> {
        let index = self.ids.binary_search_by_key(&row.seq, |(seq, _)| *seq).ok()?;
        Some(&self.ids[index].1)
    }

    /// From now on keeps what answers tell of the rows, which stay where they are.
    pub fn keep_what_is_read(&mut self) {
        (0..).zip(&mut self.all).for_each(|(number, row)| row.number = number);
        self.read.resize_with(self.all.len(), OnceLock::new);
    }

    /// What an answer tells of a row.
    fn read(&self, row: &Row, dates: &mut Dates) -> Option<Cow<'_, Read>> {
        let kept = self.read.get(row.number as usize);
        if let Some(read) = kept.and_then(OnceLock::get) {
            return Some(Cow::Borrowed(read));
        }
        let (id, text) = (self.id(row)?.event()?, self.text(row));
        let (date, change) = (text.date(dates).ok()?, text.change(row.sketch.deed, None)?);
        let read = Read { id, date, change };
        Some(match kept {
            Some(kept) => Cow::Borrowed(kept.get_or_init(|| Box::new(read))),
            None => Cow::Owned(read),
        })
    }

    /// A row's event, with nothing but its id, its date and the claim.
    pub fn event(
        &self,
        row: &Row,
        names: (&str, &str),
        sum: Option<Number>,
        dates: &mut Dates,
    ) -> Option<Event> {
        let (entity, attribute) = names;
        let alone = Alone { id: self.id(row)?.event()?, entity, attribute, sketch: &row.sketch, sum };
        alone.event(self.text(row), dates)
    }

    /// What the attribute is used for.
    pub const fn uses(&self) -> Uses {
        self.uses
    }

    /// Makes room for another attribute.
    pub fn clear(&mut self) {
        self.all.clear();
        self.texts.clear();
        self.members.found.clear();
        self.members.numbers.clear();
        self.uses = Uses::default();
        self.ids.clear();
    }

    /// The text of a row.
    pub fn text(&self, row: &Row) -> Text<'_> {
        let (start, length) = (row.text.0 as usize, row.text.1 as usize);
        Text::new(self.texts.get(start..start + length).unwrap_or_default())
    }

    /// The number that a member of another part of the same attribute's claims has here; a new one where it has none.
    fn number_of(&self, text: Text<'_>, number: u32) -> u32 {
        let known = text.member().and_then(|name| self.members.find(&self.texts, name));
        known.unwrap_or_else(|| self.members.count().saturating_add(number))
    }
}

impl Members {
    fn count(&self) -> u32 {
        u32::try_from(self.found.len()).unwrap_or(u32::MAX)
    }

    fn find(&self, texts: &[u8], name: &[u8]) -> Option<u32> {
        if self.found.len() > FEW {
            return self.numbers.get(name).copied();
        }
        let is = |(at, length): &(u32, u32)| texts.get(*at as usize..(*at + *length) as usize) == Some(name);
        (0..).zip(&self.found).find(|(_, found)| is(found)).map(|(number, _)| number)
    }

    /// The number of the member that stands at a place among the texts.
    fn number(&mut self, texts: &[u8], (at, length): (u32, u32)) -> Option<u32> {
        let name = texts.get(at as usize..(at + length) as usize)?;
        if let Some(number) = self.find(texts, name) {
            return Some(number);
        }
        self.found.push((at, length));
        match self.found.len() {
            count if count <= FEW => {}
            count if count == FEW + 1 => {
                for (number, (at, length)) in (0..).zip(&self.found) {
                    self.numbers.insert(texts[*at as usize..(*at + *length) as usize].into(), number);
                }
            }
            _ => drop(self.numbers.insert(name.into(), self.count() - 1)),
        }
        Some(self.count() - 1)
    }
}

/// What is picked of an attribute's claims for a question: those that count at K and may hold at D.
pub struct Picked<'a, 'q> {
    question: &'q Question,
    claims: Vec<(Sketch, (&'a Rows, &'a Row))>,
    /// Those of a number that is only increased, added up as they come.
    increases: Increases<ByPlace<'a>>,
    floor: Moment,
    uses: Uses,
}

/// A row, which is one place in memory.
#[derive(Clone, Copy)]
struct ByPlace<'a>(&'a Rows, &'a Row);

impl PartialEq for ByPlace<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.1, other.1)
    }
}

impl<'a, 'q> Picked<'a, 'q> {
    /// Nothing yet, of an attribute that is used so.
    pub fn new(question: &'q Question, uses: Uses) -> Self {
        let (claims, increases) = Default::default();
        Self { question, claims, increases, floor: Moment::NEG_INFINITY, uses }
    }

    /// What is over before this leaves no trace.
    pub const fn floor(&self) -> Moment {
        self.floor
    }

    /// Takes a row that counts at K.
    pub fn take(&mut self, rows: &'a Rows, row: &'a Row) {
        if row.sketch.bounds().1 < self.floor || !row.sketch.may_hold(self.question) {
            return;
        }
        if self.uses.never_clash() {
            if self.uses.only_increases()
                && self.increases.add(self.question, &row.sketch, ByPlace(rows, row)) != Added::No
            {
                return;
            }
            self.floor = self.floor.max(row.sketch.floor(self.question).unwrap_or(self.floor));
        }
        self.claims.push((row.sketch, (rows, row)));
    }

    /// Makes the numbers of members those that another part of the claims has.
    pub fn renumber(&mut self, part: &'a Rows, by: &Rows) {
        for (sketch, (rows, row)) in &mut self.claims {
            if let Deed::Add(number) | Deed::Remove(number) = &mut sketch.deed
                && std::ptr::eq(*rows, part)
            {
                *number = by.number_of(rows.text(row), *number);
            }
        }
    }

    /// What an answer needs of it, and whether it needs everything.
    pub fn needed(mut self) -> (Vec<Needed<(&'a Rows, &'a Row)>>, bool) {
        let keeps_all = !self.uses.never_clash();
        if keeps_all || self.uses.only_increases() {
            let added_up = self.increases.needed().map(|(ByPlace(rows, row), sum)| ((rows, row), sum));
            return (self.claims.iter().map(|(_, item)| (*item, None)).chain(added_up).collect(), keeps_all);
        }
        (reduce(self.question, &mut self.claims), keeps_all)
    }

    /// The answer; nothing where a text cannot be read.
    pub fn answer(self, entity: &str, attribute: &str) -> Option<Answer> {
        let (question, mut dates) = (self.question, Dates::default());
        let (mut needed, keeps_all) = self.needed();
        if !keeps_all && settle(question, &mut needed, |(_, row)| &row.sketch) {
            let change = |((rows, row), sum): &Needed<(&'a Rows, &'a Row)>| {
                Some((rows.text(row).change(row.sketch.deed, *sum)?, (*rows, *row)))
            };
            let Some((value, (rows, row))) = applied(needed.iter().map(change))? else {
                return Some(Answer::default());
            };
            let (id, date) = (rows.id(row)?.event()?, rows.text(row).date(&mut dates).ok()?);
            return Some(Answer::sure(value, id, date));
        }
        // Only clashes are told with the attribute's name.
        let names = if keeps_all { (entity, attribute) } else { ("", "") };
        let read = |((rows, row), _): &Needed<(&'a Rows, &'a Row)>| rows.read(row, &mut dates);
        let read: Vec<Cow<'_, Read>> = needed.iter().map(read).collect::<Option<_>>()?;
        let sums: Vec<Option<Change>> = needed.iter().map(|(_, sum)| sum.map(Change::Increase)).collect();
        let told = needed.iter().zip(read.iter().zip(&sums));
        let said = told.map(|(((_, row), _), (read, sum))| {
            row.sketch.said(&read.id, sum.as_ref().unwrap_or(&read.change))
        });
        let said: Vec<Said<'_>> = said.collect();
        let witness = |index: usize| {
            let ((_, row), _) = needed[index];
            Some(Witness { seq: row.seq, date: read[index].date.clone(), sources: Vec::new() })
        };
        Answer::told(&said, names, (question.as_of.until(), question.certainty), witness)
    }
}
