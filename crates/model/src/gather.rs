//! Gathering the claims on one attribute without keeping those that leave no trace.
//!
//! A replay reads the claims of a whole log, and the answer for most attributes rests on a handful of them. What is
//! gathered here folds to the same answer as all claims do, in little memory:
//!
//! - A claim that cannot hold at D says nothing at D.
//! - Where claims only set and clear, whatever surely came before a sure one of them is gone.
//! - Where claims only increase, those that surely happened at one moment of their own each are as good as two of
//!   them with the same sum: the first, and the last that is not zero, which is the one that decides.
//!
//! As soon as an attribute turns out to be used otherwise, nothing may be left out, and what was left out before has
//! to be read again ([`Gathered::is_lost`]). The fold alone says what the claims come to.

use crate::date::Span;
use crate::fold::{EffectiveOrder, effective_order, holds, moment};
use crate::{Certainty, Change, Moment, Number, Question, Seq, When};

/// Numbers whose sizes add up to more than this may clash in one order and not in another.
const LARGEST: i128 = i128::MAX / 8;

/// What has to be known of a claim to tell whether it leaves a trace.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// When the happening began and ended.
    pub span: Span,
    /// When, within it, the effect takes hold.
    pub when: When,
    /// What the effect does.
    pub does: Does,
    /// The effect's position in the event.
    pub position: usize,
    /// Whether the date is one happening that is no interval.
    pub is_plain: bool,
}

/// What an effect does, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// It replaces what stands.
    Replace,
    /// It adds a number to what stands.
    Increase(Number),
    /// It changes a set.
    Member,
}

/// A claim that was kept.
#[derive(Clone, Debug)]
pub struct Kept<T> {
    /// The claim.
    pub mark: Mark,
    /// What the reader needs to find the rest of it.
    pub item: T,
    /// The number that it stands for, where it stands for others, too.
    pub sum: Option<Number>,
}

/// The claims on one attribute.
#[derive(Clone, Debug)]
pub struct Gathered<T> {
    kept: Vec<Kept<T>>,
    form: Form<T>,
}

#[derive(Clone, Debug)]
enum Form<T> {
    /// Nothing was seen yet.
    New,
    /// Only replacements were seen, of which those that surely ended before `floor` were left out.
    Register { floor: Moment, left_out: bool },
    /// Only increases were seen.
    Sum(Box<Sum<T>>),
    /// All that was seen was kept.
    Whole,
    /// Something was left out that is needed.
    Lost,
}

/// Increases that are as good as two.
#[derive(Clone, Debug)]
struct Sum<T> {
    /// What all of them come to.
    total: i128,
    /// The size of all increases, of those that are kept, too.
    size: i128,
    first: Option<Link<T>>,
    /// The last one that is not zero.
    last: Option<Link<T>>,
}

type Key = (EffectiveOrder, Seq, usize);

#[derive(Clone, Debug)]
struct Link<T> {
    key: Key,
    number: Number,
    mark: Mark,
    item: T,
}

impl Does {
    /// What a change does.
    pub const fn of(change: &Change) -> Self {
        match change {
            Change::Set(_) | Change::Clear => Self::Replace,
            Change::Increase(by) => Self::Increase(*by),
            Change::Add(_) | Change::Remove(_) => Self::Member,
        }
    }
}

impl Mark {
    /// Whether the effect possibly holds at the date asked about: only such claims are gathered.
    pub fn may_hold(&self, question: &Question) -> bool {
        holds(self.span, self.when, question.as_of.until(), Certainty::Possibly)
    }

    fn surely_holds(&self, question: &Question) -> bool {
        holds(self.span, self.when, question.as_of.until(), Certainty::Surely)
    }

    /// Whether it can be added up with others.
    fn is_sure_increase(&self, question: &Question) -> bool {
        self.is_plain && self.when != When::During && self.surely_holds(question)
    }
}

impl<T> Default for Gathered<T> {
    fn default() -> Self {
        Self { kept: Vec::new(), form: Form::New }
    }
}

impl<T> Gathered<T> {
    /// Claims of which none is to be left out.
    pub const fn whole() -> Self {
        Self { kept: Vec::new(), form: Form::Whole }
    }

    /// Whether a claim was left out that is needed: the attribute's claims have to be read again, as a whole.
    pub const fn is_lost(&self) -> bool {
        matches!(self.form, Form::Lost)
    }

    /// Takes one more claim of those that [may hold](Mark::may_hold). Its event's place in the log may not be known
    /// yet; `item` is called only where the claim is kept.
    pub fn take(&mut self, question: &Question, mark: Mark, place: Option<Seq>, item: impl Fn() -> T) {
        if matches!(self.form, Form::New) {
            self.form = match mark.does {
                Does::Replace => Form::Register { floor: Moment::NEG_INFINITY, left_out: false },
                Does::Increase(_) => Form::Sum(Box::default()),
                Does::Member => Form::Whole,
            };
        }
        match (&mut self.form, mark.does) {
            (Form::Lost, _) => return,
            (Form::Register { floor, left_out }, Does::Replace) => {
                let range = moment(mark.span, mark.when);
                if range.latest < *floor {
                    *left_out = true;
                    return;
                }
                if range.earliest > *floor && mark.surely_holds(question) {
                    *floor = range.earliest;
                    let before = self.kept.len();
                    self.kept.retain(|kept| moment(kept.mark.span, kept.mark.when).latest >= range.earliest);
                    *left_out |= self.kept.len() < before;
                }
            }
            (Form::Sum(sum), Does::Increase(number)) if sum.size_with(number).is_some() => {
                sum.size = sum.size_with(number).unwrap_or(LARGEST);
                if let Some(place) = place.filter(|_| mark.is_sure_increase(question)) {
                    return sum.add(question.certainty, (mark, number, place), item);
                }
            }
            (form, _) => {
                let left_out = match form {
                    Form::Register { left_out, .. } => *left_out,
                    Form::Sum(sum) => sum.first.is_some(),
                    Form::New | Form::Whole | Form::Lost => false,
                };
                if left_out {
                    *self = Self { kept: Vec::new(), form: Form::Lost };
                    return;
                }
                *form = Form::Whole;
            }
        }
        self.kept.push(Kept { mark, item: item(), sum: None });
    }

    /// The claims that the fold needs, now that the places of all of them are known.
    pub fn finish(self, question: &Question, place: impl Fn(&T) -> Seq) -> Vec<Kept<T>>
    where
        T: Clone,
    {
        let Form::Sum(mut sum) = self.form else { return self.kept };
        let mut kept = Vec::new();
        for one in self.kept {
            match one.mark.does {
                Does::Increase(number) if one.mark.is_sure_increase(question) => {
                    let place = place(&one.item);
                    sum.add(question.certainty, (one.mark, number, place), || one.item.clone());
                }
                _ => kept.push(one),
            }
        }
        kept.extend(sum.links());
        kept
    }
}

impl<T> Default for Sum<T> {
    fn default() -> Self {
        Self { total: 0, size: 0, first: None, last: None }
    }
}

impl<T> Sum<T> {
    /// The size of all increases with one more; `None` where some order of them could make a sum of more digits
    /// than numbers hold.
    fn size_with(&self, number: Number) -> Option<i128> {
        let size = self.size.checked_add(number.smallest_parts().checked_abs()?)?;
        (size <= LARGEST).then_some(size)
    }

    fn add(
        &mut self,
        certainty: Certainty,
        (mark, number, place): (Mark, Number, Seq),
        item: impl Fn() -> T,
    ) {
        let key = (effective_order(mark.span, false, certainty), place, mark.position);
        self.total += number.smallest_parts();
        if self.first.as_ref().is_none_or(|first| key < first.key) {
            self.first = Some(Link { key, number, mark, item: item() });
        }
        if number != Number::ZERO && self.last.as_ref().is_none_or(|last| key > last.key) {
            self.last = Some(Link { key, number, mark, item: item() });
        }
    }

    /// The two claims that stand for all: where the last one is the first, too, all others are zero.
    fn links(self) -> impl Iterator<Item = Kept<T>> {
        let last = self.last.as_ref().map(|last| (last.key, last.number.smallest_parts()));
        let first = self.first.filter(|first| last.is_none_or(|(key, _)| key != first.key));
        let rest = Number::from_smallest_parts(self.total - last.map_or(0, |(_, number)| number));
        let kept = |link: Link<T>, sum: Number| Kept { mark: link.mark, item: link.item, sum: Some(sum) };
        let first = first.map(|first| kept(first, rest));
        let last = self.last.map(|last| {
            let number = last.number;
            kept(last, number)
        });
        first.into_iter().chain(last)
    }
}
