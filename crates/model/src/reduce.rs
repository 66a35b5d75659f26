//! Which claims on one attribute an answer needs, told from sketches of all of them.
//!
//! An index of claims holds everything that was ever said about an attribute; an answer rests on a handful of it.
//! [`reduce`] picks these out, without a look at values: what it keeps folds to the same answer as all claims do,
//! value, deciding event and everything that the dates leave open. The rules are those of the fold:
//!
//! - Whatever surely came before a sure replacement leaves no trace.
//! - Increases that surely happened, all before or all after every replacement, are as good as two of them with the
//!   same sum: the first, and the last that is not zero, which is the one that decides.
//! - Where members are only added and removed, each one has a floor of its own: what surely came before a sure
//!   touch of the same member. Of what lies below, the turns that decide who changed the set last are kept, as far as no
//!   other member surely turned later.
//!
//! This holds for attributes whose claims cannot clash ([`Uses::never_clash`]); of others every claim is needed,
//! since the answer lists clashes. [`gather`](crate::gather) does the like for claims that are read backwards from
//! a log, where nothing is known beforehand.

mod members;

use crate::date::Span;
use crate::fold::{Said, holds, moment, order};
use crate::{Certainty, Change, EventId, Moment, Number, Question, Scalar, Seq, Value, When};

/// Numbers whose sizes add up to more than this may clash in one order and not in another.
const LARGEST: i128 = i128::MAX / 8;

/// What a claim does, without the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It replaces what stands.
    Replace(Kind),
    /// It adds a number to what stands.
    Increase(Number),
    /// It adds a member to a set; members of one attribute are told apart by numbers, counted from 0.
    Add(u32),
    /// It removes a member.
    Remove(u32),
}

/// What a replacement leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Nothing,
    /// A number.
    Number,
    /// Text, true or false.
    Plain,
    /// A set.
    Set,
}

/// A claim, as far as it matters which others leave a trace beside it.
#[derive(Clone, Copy, Debug)]
pub struct Sketch {
    /// When the happening began and ended.
    pub span: Span,
    /// When, within it, the effect takes hold.
    pub when: When,
    /// What it does.
    pub deed: Deed,
    /// Its event's place in the log.
    pub place: Seq,
    /// The effect's position in the event.
    pub position: usize,
    /// Whether the date is an interval.
    pub is_interval: bool,
    /// Whether the date is one happening that is no interval, or the event does nothing else to the attribute: what
    /// surely happened then did so in one way only.
    pub is_simple: bool,
}

/// What an attribute is used for, by all claims ever made on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// The kinds of deeds, a bit each.
    kinds: u8,
    /// The size of all increases.
    size: i128,
}

const NUMBER: u8 = 1;
const PLAIN: u8 = 2;
const SET: u8 = 4;
const INCREASE: u8 = 8;
const MEMBER: u8 = 16;
const CLEAR: u8 = 32;

impl Deed {
    /// What a change does; `member` gives the number of a member.
    pub fn of(change: &Change, member: impl FnOnce(&Scalar) -> u32) -> Self {
        match change {
            Change::Set(Value::Set(_)) => Self::Replace(Kind::Set),
            Change::Set(Value::Scalar(Scalar::Number(_))) => Self::Replace(Kind::Number),
            Change::Set(Value::Scalar(_)) => Self::Replace(Kind::Plain),
            Change::Clear => Self::Replace(Kind::Nothing),
            Change::Increase(by) => Self::Increase(*by),
            Change::Add(scalar) => Self::Add(member(scalar)),
            Change::Remove(scalar) => Self::Remove(member(scalar)),
        }
    }

    /// Whether it replaces what stands.
    pub const fn replaces(self) -> bool {
        matches!(self, Self::Replace(_))
    }
}

impl Uses {
    /// Takes one more use.
    pub const fn learn(&mut self, deed: Deed) {
        self.kinds |= match deed {
            Deed::Replace(Kind::Nothing) => CLEAR,
            Deed::Replace(Kind::Number) => NUMBER,
            Deed::Replace(Kind::Plain) => PLAIN,
            Deed::Replace(Kind::Set) => SET,
            Deed::Add(_) | Deed::Remove(_) => MEMBER,
            Deed::Increase(by) => {
                self.size = self.size.saturating_add(by.smallest_parts().saturating_abs());
                INCREASE
            }
        };
    }

    /// The uses of two parts of an attribute's claims.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { kinds: self.kinds | other.kinds, size: self.size.saturating_add(other.size) }
    }

    /// Whether it is a number that is only increased.
    pub const fn only_increases(&self) -> bool {
        self.kinds == INCREASE
    }

    /// Whether it is a set of which members are only added and removed.
    pub const fn only_members(&self) -> bool {
        self.kinds == MEMBER
    }

    /// Whether no claim can fail to fit what stands, in whatever order they come.
    pub const fn never_clash(&self) -> bool {
        let numbers = self.kinds & INCREASE == 0 || self.kinds & (PLAIN | SET | MEMBER) == 0;
        let sets = self.kinds & MEMBER == 0 || self.kinds & (PLAIN | NUMBER) == 0;
        numbers && sets && self.size <= LARGEST
    }
}

impl Sketch {
    /// What the claim says, of an event with this id and with this change.
    pub const fn said<'a>(&self, id: &'a EventId, change: &'a Change) -> Said<'a> {
        let Self { place, position, span, when, is_interval, .. } = *self;
        Said { id, place, position, span, when, is_interval, change }
    }

    /// The first and the last moment at which the effect may take hold.
    pub const fn bounds(&self) -> (Moment, Moment) {
        let range = moment(self.span, self.when);
        (range.earliest, range.latest)
    }

    /// Whether it possibly holds at the date asked about.
    pub fn may_hold(&self, question: &Question) -> bool {
        holds(self.span, self.when, question.as_of.until(), Certainty::Possibly)
    }

    /// Whether it surely does.
    pub fn surely_holds(&self, question: &Question) -> bool {
        holds(self.span, self.when, question.as_of.until(), Certainty::Surely)
    }

    /// The moment before which nothing else leaves a trace, if this claim is one that says so.
    pub fn floor(&self, question: &Question) -> Option<Moment> {
        (self.deed.replaces() && self.surely_holds(question)).then(|| self.bounds().0)
    }

    /// Whether an increase so happened that it can be added up with others.
    pub fn adds_up(&self, question: &Question) -> bool {
        self.is_simple && self.when != When::During && self.surely_holds(question)
    }

    /// Orders claims as the fold takes them.
    pub(crate) fn order(&self, certainty: Certainty) -> impl Ord + Copy + use<> {
        let ends = self.when == When::End && self.is_interval;
        order(self.span, ends, (self.place, self.position), certainty)
    }
}

/// Increases that surely happened, taken one by one: as good as the first of them and the last that is not zero.
#[derive(Clone, Copy, Debug)]
pub struct Increases<T> {
    total: i128,
    first: Option<(Sketch, T)>,
    last: Option<(Sketch, T)>,
}

impl<T> Default for Increases<T> {
    fn default() -> Self {
        Self { total: 0, first: None, last: None }
    }
}

impl<T: Copy + PartialEq> Increases<T> {
    /// Adds a claim, if it is one that can be added up with others.
    pub fn add(&mut self, question: &Question, sketch: &Sketch, item: T) -> Added {
        let Deed::Increase(by) = sketch.deed else { return Added::No };
        if !sketch.adds_up(question) {
            return Added::No;
        }
        let order = |sketch: &Sketch| sketch.order(question.certainty);
        self.total += by.smallest_parts();
        let is_first = self.first.as_ref().is_none_or(|(first, _)| order(sketch) < order(first));
        if is_first {
            self.first = Some((*sketch, item));
        }
        let is_last =
            by != Number::ZERO && self.last.as_ref().is_none_or(|(last, _)| order(sketch) > order(last));
        if is_last {
            self.last = Some((*sketch, item));
        }
        if is_first || is_last { Added::Kept } else { Added::Dropped }
    }

    /// Adds what other increases come to, for which two stand that are added by themselves.
    pub const fn add_for_others(&mut self, sum: Number) {
        self.total += sum.smallest_parts();
    }

    /// Whether nothing was added.
    pub const fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// The claims that stand for all, where none of them replaces what the others make.
    pub fn needed(&self) -> impl Iterator<Item = Needed<T>> {
        let by = |sketch: &Sketch| match sketch.deed {
            Deed::Increase(by) => by,
            _ => Number::ZERO,
        };
        let last = self.last.map(|(sketch, item)| (sketch, item, by(&sketch)));
        let rest = self.total - last.map_or(0, |(_, _, by)| by.smallest_parts());
        let first = self.first.filter(|(_, first)| last.is_none_or(|(_, last, _)| last != *first));
        let first = first.map(|(_, item)| (item, Some(Number::from_smallest_parts(rest))));
        first.into_iter().chain(last.map(|(_, item, by)| (item, Some(by))))
    }
}

/// What became of a claim that was to be added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It was not added.
    No,
    /// It was added, and may stand for others.
    Kept,
    /// It was added, and others stand for it.
    Dropped,
}

/// A claim that is needed, and the number that it stands for where it stands for others, too.
pub type Needed<T> = (T, Option<Number>);

/// Picks out of an attribute's claims at K those that an answer needs. They are in no particular order, none of them
/// can clash, and all of them possibly hold at D; `claims` is used up.
pub fn reduce<T: Copy>(question: &Question, claims: &mut Vec<(Sketch, T)>) -> Vec<Needed<T>> {
    let floor = claims.iter().filter_map(|(sketch, _)| sketch.floor(question)).max();
    if let Some(floor) = floor {
        claims.retain(|(sketch, _)| sketch.bounds().1 >= floor);
    }
    let replaced = claims.iter().filter(|(sketch, _)| sketch.deed.replaces());
    let bounds = replaced.map(|(sketch, _)| sketch.bounds()).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let is = |kind: fn(&Deed) -> bool| claims.iter().any(|(sketch, _)| kind(&sketch.deed));
    if is(|deed| matches!(deed, Deed::Increase(_))) {
        increases(question, claims, bounds)
    } else if bounds.is_none() && claims.len() > 2 {
        members::needed(question, claims)
    } else {
        claims.iter().map(|(_, item)| (*item, None)).collect()
    }
}

/// The increases; `replaced` is where the replacements among them may be.
fn increases<T: Copy>(
    question: &Question,
    claims: &[(Sketch, T)],
    replaced: Option<(Moment, Moment)>,
) -> Vec<Needed<T>> {
    let mut needed = Vec::new();
    let (mut before, mut after) = (Sum::default(), Sum::default());
    for (index, (sketch, item)) in claims.iter().enumerate() {
        let (earliest, latest) = sketch.bounds();
        let adds_up = sketch.adds_up(question);
        match sketch.deed {
            Deed::Increase(by) if adds_up && replaced.is_none_or(|(first, _)| latest < first) => {
                before.add(question, claims, (index, by));
            }
            Deed::Increase(by) if adds_up && replaced.is_none_or(|(_, last)| earliest > last) => {
                after.add(question, claims, (index, by));
            }
            _ => needed.push((*item, None)),
        }
    }
    for (index, number) in before.needed().chain(after.needed()) {
        needed.push((claims[index].1, Some(number)));
    }
    needed
}

/// Increases that are as good as two of them.
#[derive(Default)]
struct Sum {
    total: i128,
    first: Option<(usize, Number)>,
    /// The last one that is not zero.
    last: Option<(usize, Number)>,
}

impl Sum {
    fn add<T>(&mut self, question: &Question, claims: &[(Sketch, T)], (index, by): (usize, Number)) {
        let order = |index: usize| claims[index].0.order(question.certainty);
        self.total += by.smallest_parts();
        if self.first.is_none_or(|(first, _)| order(index) < order(first)) {
            self.first = Some((index, by));
        }
        if by != Number::ZERO && self.last.is_none_or(|(last, _)| order(index) > order(last)) {
            self.last = Some((index, by));
        }
    }

    fn needed(self) -> impl Iterator<Item = (usize, Number)> {
        let rest = self.total - self.last.map_or(0, |(_, by)| by.smallest_parts());
        let first = self.first.filter(|(first, _)| self.last.is_none_or(|(last, _)| last != *first));
        first.map(|(first, _)| (first, Number::from_smallest_parts(rest))).into_iter().chain(self.last)
    }
}
