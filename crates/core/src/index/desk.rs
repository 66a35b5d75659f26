//! What a whole state reads one attribute after the other into, and what of its facts it reads at all.
//!
//! A fact of a plain date that holds for good is known by its fixed columns: its days, and what it does ([`Outline`]). Of
//! most of them these tell that they leave no trace ([`model::reduce`](annals_model::reduce)), so that no more is read:
//!
//! - a replacement that is over before another one, which surely happened, begins;
//! - an increase that surely happened, behind the first one and before the last: it is added up;
//! - a touch of a member that is over before another one begins, and before the two that turned it last.
//!
//! The last two hold only where an attribute is used in no other way: [`Desk::lacks_some`] tells where it is.

use annals_model::reduce::{Deed, Increases, Kind, Uses};
use annals_model::{Certainty, Moment, Question};

use super::checkpoint::Checkpoint;
use super::columns::Columns;
use super::dated::{self, NEVER};
use super::fact::{ADD, Dates, INCREASE, REMOVE, left_by, small_amount};
use super::rows::Rows;
use super::words::Words;

/// Fewer touches of members than this are all read.
const FEW: usize = 3;
/// Words for more members than this are not told apart.
const MANY: usize = 64;
/// What an outline does that is left out.
const OUT: u8 = u8::MAX;
/// What adds members and removes them, a bit each.
const TOUCHES: u8 = 1 << ADD | 1 << REMOVE;

/// What the fixed columns say of a fact.
#[derive(Clone, Copy, Debug)]
pub struct Outline {
    /// Its place among the facts.
    pub index: u32,
    /// What it does.
    pub deed: u8,
    /// The small number that tells what it does, where there is one.
    pub small: Option<u32>,
    /// The first day of its date, since 1970.
    pub first: i64,
    /// The last day; [`NEVER`] where the date is no plain one, or the fact does not hold for good.
    pub last: i64,
}

/// What one attribute after the other is read into.
#[derive(Debug)]
pub struct Desk {
    /// What was read.
    pub rows: Rows,
    /// Dates that were read.
    pub dates: Dates,
    /// What is over before this leaves no trace.
    pub floor: Moment,
    /// What increases come to.
    pub increases: Increases<(Of, usize)>,
    /// The facts of a group that may count.
    pub chosen: Vec<u32>,
    /// What the fixed columns say of these.
    pub outlines: Vec<Outline>,
    touches: Vec<Touch>,
    /// What is done by facts that were left out, a bit each, where it counts if an attribute is used in other ways, too.
    left_out: u8,
}

/// Where a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Among those of the runs.
    Runs,
    /// Among those behind them.
    Later,
}

/// What some facts come to that are left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeftOut {
    /// What they do, a bit each.
    pub deeds: u8,
    /// What their increases come to.
    pub sum: i64,
    /// The sum of the sizes of these.
    pub size: i64,
}

/// A fact that adds a member or removes it.
#[derive(Clone, Copy, Debug)]
struct Touch {
    member: usize,
    /// The day by which touches are in order.
    day: i64,
    /// Its place among the outlines.
    at: usize,
    adds: bool,
    is_sure: bool,
}

/// Leaves out what leaves no trace in the answer to a question.
#[derive(Clone, Copy, Debug)]
pub struct Sieve {
    /// The last day that is over at D.
    sure: i64,
    certainty: Certainty,
}

impl Default for Desk {
    fn default() -> Self {
        let (rows, dates, increases, left_out) = Default::default();
        let (chosen, outlines, touches) = Default::default();
        Self { rows, dates, floor: Moment::NEG_INFINITY, increases, chosen, outlines, touches, left_out }
    }
}

impl Desk {
    /// Makes room for the next attribute.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.floor = Moment::NEG_INFINITY;
        self.increases = Increases::default();
        self.left_out = 0;
    }

    /// Takes what facts come to that are left out, by the sieve or by a checkpoint.
    pub fn leave_out(&mut self, left_out: LeftOut) {
        let LeftOut { deeds, sum, size } = left_out;
        left_out.replaced().for_each(|kind| self.rows.learn(Deed::Replace(kind)));
        if deeds & 1 << INCREASE != 0 {
            self.increases.add_for_others(sum.into());
            self.rows.learn(Deed::Increase(size.into()));
        }
        if deeds & TOUCHES != 0 {
            self.rows.learn(Deed::Add(0));
        }
        self.left_out |= deeds;
    }

    /// Whether something was left out that counts after all: of what is not only increased, increases; of what has not only
    /// members, touches.
    pub const fn lacks_some(&self, uses: Uses) -> bool {
        let has_increases = self.left_out & 1 << INCREASE != 0 || !self.increases.is_empty();
        (has_increases && !uses.only_increases()) || (self.left_out & TOUCHES != 0 && !uses.only_members())
    }
}

impl Outline {
    const fn replaces(&self) -> bool {
        self.deed < INCREASE
    }

    /// What it increases by, where that is a small number.
    pub fn increase(&self) -> Option<i64> {
        self.small.filter(|_| self.deed == INCREASE).map(small_amount)
    }
}

impl LeftOut {
    /// Takes a fact that is left out.
    pub fn add(&mut self, outline: &Outline) {
        self.deeds |= 1 << outline.deed;
        if let Some(by) = outline.increase() {
            self.sum += by;
            self.size += by.abs();
        }
    }

    /// What is left by those that replace what stands.
    fn replaced(self) -> impl Iterator<Item = Kind> {
        (0..INCREASE).filter(move |deed| self.deeds >> deed & 1 == 1).filter_map(left_by)
    }
}

impl Sieve {
    /// What questions leave out as of the end of a day, since 1970, whatever certainty they ask for.
    pub fn of_day(day: i64) -> [Self; 2] {
        [Certainty::Surely, Certainty::Possibly].map(|certainty| Self { sure: day, certainty })
    }

    /// The last checkpoint of a group that is over at D; an error where it cannot be read.
    pub fn checkpoint<'a>(&self, columns: &Columns<'a>) -> Result<Option<Checkpoint<'a>>, ()> {
        columns.checkpoint(self.sure)
    }

    /// What a question leaves out.
    pub fn new(question: &Question) -> Self {
        let over = question.as_of.until().seconds().saturating_add(1);
        Self { sure: over.div_euclid(dated::DAY) - 1, certainty: question.certainty }
    }

    /// The day by which the fold orders what holds for good.
    const fn day(&self, outline: &Outline) -> i64 {
        match self.certainty {
            Certainty::Surely => outline.last,
            Certainty::Possibly => outline.first,
        }
    }

    /// Leaves in the desk's outlines what has to be read.
    pub fn sift(&self, words: &Words, desk: &mut Desk) {
        let deeds = desk.outlines.iter().fold(0_u8, |deeds, outline| deeds | 1 << outline.deed);
        if deeds & ((1 << INCREASE) - 1) != 0 {
            self.leave_out_replaced(desk);
        }
        if deeds & (1 << INCREASE) != 0 {
            self.add_up(desk);
        }
        if deeds & !TOUCHES == 0 {
            self.leave_out_touched(words, desk);
        }
    }

    /// Leaves out replacements that are over before one that surely happened begins.
    fn leave_out_replaced(&self, desk: &mut Desk) {
        let begun = desk.outlines.iter().fold(i64::MIN, |begun, outline| {
            let is_sure = outline.replaces() && outline.last <= self.sure;
            if is_sure { begun.max(outline.first) } else { begun }
        });
        if let Some(seconds) = begun.checked_mul(dated::DAY) {
            desk.floor = desk.floor.max(Moment::from_seconds(seconds));
        }
        let (floor, mut left_out) = (dated::day_of(desk.floor), LeftOut::default());
        desk.outlines.retain(|outline| {
            let is_over = outline.replaces() && outline.last < floor;
            left_out.deeds |= u8::from(is_over) << outline.deed;
            !is_over
        });
        desk.leave_out(left_out);
    }

    /// Adds up the increases for which others stand.
    fn add_up(&self, desk: &mut Desk) {
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        let sure = |outline: &Outline| outline.increase().filter(|_| outline.last <= self.sure);
        for outline in &desk.outlines {
            let Some(by) = sure(outline) else { continue };
            let day = self.day(outline);
            first = first.min(day);
            last = if by == 0 { last } else { last.max(day) };
        }
        let mut left_out = LeftOut::default();
        desk.outlines.retain(|outline| {
            let day = self.day(outline);
            if !sure(outline).is_some_and(|by| first < day && (day < last || by == 0)) {
                return true;
            }
            left_out.add(outline);
            false
        });
        desk.leave_out(left_out);
    }

    /// Leaves out what does not say which members a set has, nor who changed it last.
    fn leave_out_touched(&self, words: &Words, desk: &mut Desk) {
        if self.find_touches(words, desk).is_none() || desk.touches.len() < FEW {
            return;
        }
        desk.touches.sort_unstable_by_key(|touch| (touch.member, touch.day));
        let Desk { touches, outlines, .. } = desk;
        let adds = || touches.iter().filter(|touch| touch.adds);
        let holding = adds().filter(|touch| self.holds(touch));
        let first = holding.map(|touch| touch.day).min();
        let first_sure = adds().filter(|touch| touch.is_sure).map(|touch| outlines[touch.at].last).min();
        let mut is_out = false;
        for of_one in touches.chunk_by(|one, next| one.member == next.member) {
            let sure = of_one.iter().filter(|touch| touch.is_sure);
            let floor = sure.map(|touch| outlines[touch.at].first).max().unwrap_or(i64::MIN);
            let turns = self.turns(of_one);
            for touch in of_one.iter().filter(|touch| self.holds(touch) && touch.day < turns) {
                let outline = &mut outlines[touch.at];
                let is_first = touch.adds
                    && (Some(touch.day) == first || (touch.is_sure && Some(outline.last) == first_sure));
                if outline.last < floor && !is_first {
                    outline.deed = OUT;
                    is_out = true;
                }
            }
        }
        if is_out {
            outlines.retain(|outline| outline.deed != OUT);
            desk.leave_out(LeftOut { deeds: 1 << ADD, ..LeftOut::default() });
        }
    }

    /// The touches of plain dates; nothing where their members cannot be told apart.
    fn find_touches(&self, words: &Words, desk: &mut Desk) -> Option<()> {
        desk.touches.clear();
        let mut members: Vec<&[u8]> = Vec::new();
        let mut known: Vec<(u32, usize)> = Vec::new();
        for (at, outline) in desk.outlines.iter().enumerate().filter(|(_, outline)| outline.last < NEVER) {
            let Some(word) = outline.small else { continue };
            let found = known.iter().find(|(known, _)| *known == word);
            let member = if let Some((_, member)) = found {
                *member
            } else {
                let name = words.word(word)?.get(1..)?;
                let member = members.iter().position(|member| *member == name).unwrap_or(members.len());
                if member == MANY {
                    return None;
                }
                if member == members.len() {
                    members.push(name);
                }
                known.push((word, member));
                member
            };
            let (day, adds) = (self.day(outline), outline.deed == ADD);
            desk.touches.push(Touch { member, day, at, adds, is_sure: outline.last <= self.sure });
        }
        Some(())
    }

    const fn holds(&self, touch: &Touch) -> bool {
        matches!(self.certainty, Certainty::Possibly) || touch.is_sure
    }

    /// The day from which on a member's touches, in their order, may be the two that turned it last. Those of one day come in
    /// an order that is not known here.
    fn turns(&self, touches: &[Touch]) -> i64 {
        let (mut turns, mut before) = (0, None);
        let holding: Vec<&Touch> = touches.iter().filter(|touch| self.holds(touch)).collect();
        for of_one_day in holding.chunk_by(|one, next| one.day == next.day).rev() {
            let [one, others @ ..] = of_one_day else { continue };
            let adds = others.iter().all(|other| other.adds == one.adds).then_some(one.adds);
            if adds.is_some() && before.is_some() && adds != before {
                turns += 1;
            }
            before = adds;
            if turns == 2 {
                return one.day;
            }
        }
        i64::MIN
    }
}

#[cfg(test)]
mod tests {
    use annals_model::{
        AsOf, Change, Date, Effect, Filter, KnownAt, Number, Scalar, Seq, TimelineName, Value, When,
    };
    use proptest::prelude::*;

    use super::super::checkpoint::Maker;
    use super::super::columns::{Builder, Days, Form};
    use super::super::fact::{Fact, Origin};
    use super::super::rows::{OPEN, Picked};
    use super::super::words::Counts;
    use super::*;
    use crate::bits::Bits;
    use crate::codec::v1;

    /// What events with these dates do to an attribute, one after the other.
    fn changes() -> impl Strategy<Value = Vec<(Date, Change)>> {
        let dates = (1990..1993, 1..4, 1..4, 0..8).prop_map(|(year, month, day, kind)| match kind {
            0 => format!("{year}"),
            1 => format!("{year}-{month:02}"),
            2 => format!("{year}~"),
            3 => format!("{year}-{month:02}-{day:02}/{year}-12"),
            _ => format!("{year}-{month:02}-{day:02}"),
        });
        let dates = dates.prop_map(|text| Date::parse(&text).unwrap());
        let text = |number: u32| Scalar::Text(format!("member {number}").into());
        let touch = (0..3_u32, any::<bool>()).prop_map(move |(number, adds)| {
            if adds { Change::Add(text(number)) } else { Change::Remove(text(number)) }
        });
        let increase = (-2..4_i64).prop_map(|by| Change::Increase(Number::from(by)));
        let set = (0..4_u32).prop_map(move |number| match number {
            0 => Change::Clear,
            _ => Change::Set(Value::Scalar(text(number))),
        });
        let of = |change: BoxedStrategy<Change>| prop::collection::vec((dates.clone(), change), 0..60);
        prop_oneof![3 => of(touch.boxed()), 1 => of(increase.boxed()), 1 => of(set.boxed())]
    }

    /// How facts are read.
    #[derive(Clone, Copy, PartialEq)]
    enum Way {
        /// Every one of them.
        All,
        /// Without those that are left out.
        Sifted,
        /// From the last checkpoint on, which lie so many facts apart at least.
        FromCheckpoint(usize),
    }

    /// What an answer needs, by records; the facts lie in two groups.
    fn needed(
        changes: &[(Date, Change)],
        cut: usize,
        question: &Question,
        way: Way,
    ) -> Vec<(u64, Option<Number>)> {
        let mut desk = Desk::default();
        for (before, group) in [(0, &changes[..cut]), (cut, &changes[cut..])] {
            let encoded: Vec<Vec<u8>> =
                group.iter().map(|(_, change)| v1::encode_change(change).unwrap()).collect();
            let effects = group.iter().map(|(_, change)| Effect {
                entity: "a".to_owned(),
                attribute: "b".to_owned(),
                change: change.clone(),
                when: When::Start,
            });
            let facts = (before as u64 + 1..).zip(group).zip(effects.zip(&encoded)).map(
                |((seq, (date, _)), (effect, change))| {
                    let origin = Origin { seq: Seq(seq), place: Seq(seq), date: Some(date) };
                    Fact::of(origin, &effect, 0, true, change)
                },
            );
            let facts: Vec<Fact<'_>> = facts.collect();
            let (mut counts, mut days) = (Counts::default(), Days::default());
            for fact in &facts {
                (0..3).for_each(|_| fact.count(&mut counts));
                days.learn(fact);
            }
            let (words, form) = (counts.words(), Form::new((Seq(1), Seq(100)), days));
            let spacing = if let Way::FromCheckpoint(spacing) = way { spacing } else { usize::MAX };
            let (mut builder, mut maker) = (Builder::default(), Maker::new(spacing));
            for fact in &facts {
                let outline = builder.push(fact, form, &words.numbers());
                maker.push(fact, outline);
            }
            let (mut checkpoints, mut bytes) = Default::default();
            maker.put(form, &words, &mut checkpoints);
            builder.put(&checkpoints, &mut bytes);
            let columns = Columns::new(&bytes, form, &words).unwrap();
            let (sieve, day) = (Sieve::new(question), dated::day_of(question.as_of.until()));
            let checkpoint = sieve.checkpoint(&columns).unwrap();
            let choice = (columns.len(), day);
            columns.choose(choice, checkpoint.as_ref(), &Bits::default(), &mut desk.chosen).unwrap();
            if let Some(checkpoint) = checkpoint {
                desk.leave_out(checkpoint.left_out);
            }
            columns.outlines(&desk.chosen, &mut desk.outlines);
            if way != Way::All {
                sieve.sift(&words, &mut desk);
            }
            let mut rests = columns.rests();
            for outline in &desk.outlines {
                let fact = rests.fact(outline.index as usize).unwrap();
                desk.rows.take(&fact, OPEN, &mut desk.dates, |_| true).unwrap();
            }
        }
        assert!(!desk.lacks_some(desk.rows.uses()));
        let mut picked = Picked::new(question, desk.rows.uses());
        desk.rows.all.iter().for_each(|row| picked.take(&desk.rows, row));
        let (needed, keeps_all) = picked.needed();
        assert!(!keeps_all);
        let mut needed: Vec<_> = needed.into_iter().map(|((_, row), sum)| (row.seq.0, sum)).collect();
        needed.sort_unstable();
        needed
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_left_out_leaves_no_trace(
            changes in changes(),
            cut in any::<prop::sample::Index>(),
            as_of in (1990..1994, 1..5, any::<bool>()).prop_map(|(year, month, is_noon)| {
                let time = if is_noon { "T12:00:00" } else { "" };
                Date::parse(&format!("{year}-{month:02}-02{time}")).unwrap()
            }),
            is_sure in any::<bool>(),
            spacing in 1_usize..8,
        ) {
            let certainty = if is_sure { Certainty::Surely } else { Certainty::Possibly };
            let question = Question {
                timeline: TimelineName::new("main").unwrap(),
                as_of: AsOf::new(as_of).unwrap(),
                known_at: KnownAt::Everything,
                certainty,
                filter: Filter::default(),
                entities: Vec::new(),
            };
            let cut = cut.index(changes.len() + 1);
            let mut all = needed(&changes, cut, &question, Way::All);
            let mut sifted = needed(&changes, cut, &question, Way::Sifted);
            let mut from_checkpoint = needed(&changes, cut, &question, Way::FromCheckpoint(spacing));
            // The first of increases stands for those that were left out, too.
            if changes.iter().any(|(_, change)| matches!(change, Change::Increase(_))) {
                let needed = all.iter_mut().chain(&mut sifted).chain(&mut from_checkpoint);
                needed.for_each(|(_, sum)| *sum = None);
            }
            prop_assert_eq!(&all, &sifted);
            prop_assert_eq!(all, from_checkpoint);
        }
    }
}
