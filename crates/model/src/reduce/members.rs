//! Which claims are needed where members are added and removed, and nothing else is done to the set.

use super::{Deed, Needed, Sketch};
use crate::fold::holds;
use crate::{Certainty, Moment, Question};

/// The claims that are needed of those that add and remove members.
pub fn needed<T: Copy>(question: &Question, claims: &mut Vec<(Sketch, T)>) -> Vec<Needed<T>> {
    leave_out_below_floors(question, claims);
    leave_out_overtaken(question, claims);
    claims.iter().map(|(_, item)| (*item, None)).collect()
}

/// Leaves out what surely came before a sure touch of the same member, and is none of the turns that decide who changed the
/// set last.
fn leave_out_below_floors<T: Copy>(question: &Question, claims: &mut Vec<(Sketch, T)>) {
    claims.sort_by_cached_key(|(sketch, _)| sketch.order(question.certainty));
    let mut marks: Vec<Member> = Vec::new();
    // Who makes a set of nothing, and who surely does, in the order in which sure claims come.
    let (mut first, mut first_sure): (Option<usize>, Option<usize>) = (None, None);
    for (index, (sketch, _)) in claims.iter().enumerate() {
        let (number, adds) = match sketch.deed {
            Deed::Add(number) => (number, true),
            Deed::Remove(number) => (number, false),
            Deed::Replace(_) | Deed::Increase(_) => continue,
        };
        let number = number as usize;
        if marks.len() <= number {
            marks.resize(number + 1, Member::default());
        }
        let member = &mut marks[number];
        if sketch.surely_holds(question) {
            member.floor = member.floor.max(Some(sketch.bounds().0));
            let order = |index: usize| claims[index].0.order(Certainty::Surely);
            if adds && first_sure.is_none_or(|first| order(index) < order(first)) {
                first_sure = Some(index);
            }
        }
        if holds(sketch.span, sketch.when, question.as_of.until(), question.certainty) {
            member.turn(index, adds);
            first = first.or(adds.then_some(index));
        }
    }
    let is_needed = |index: usize, sketch: &Sketch| {
        let (Deed::Add(number) | Deed::Remove(number)) = sketch.deed else { return true };
        let member = &marks[number as usize];
        [first, first_sure].contains(&Some(index))
            || member.turns.contains(&Some(index))
            || member.floor.is_none_or(|floor| sketch.bounds().1 >= floor)
    };
    let needed: Vec<bool> =
        claims.iter().enumerate().map(|(index, (sketch, _))| is_needed(index, sketch)).collect();
    let mut needed = needed.into_iter();
    claims.retain(|_| needed.next() == Some(true));
}

/// Leaves out what surely came before the last change of the set.
///
/// Of a member that was surely added and removed, all else of it being surely over before the earlier one of the two, one of
/// them turned it, no earlier than the later one may have come. So did a member that was only ever added, once. What
/// came before the last such turn is not the last change of the set, in whatever order things happened: it tells no more than
/// which members there are, and for that the last sure touch of each is enough.
fn leave_out_overtaken<T: Copy>(question: &Question, claims: &mut Vec<(Sketch, T)>) {
    claims.sort_unstable_by_key(|(sketch, _)| (member(sketch), sketch.bounds().1));
    let of_one = |(one, _): &(Sketch, T), (next, _): &(Sketch, T)| member(one) == member(next);
    let turn = claims.chunk_by(of_one).filter_map(|touches| sure_turn(question, touches)).max();
    let Some(turn) = turn else { return };
    let sure_adds = claims
        .iter()
        .map(|(sketch, _)| sketch)
        .filter(|sketch| adds(sketch) && sketch.surely_holds(question));
    // What the dates leave open is told of the first one that surely makes a set, too.
    let first = sure_adds.map(|sketch| sketch.order(Certainty::Surely)).min();
    let mut needed = Vec::with_capacity(claims.len());
    for touches in claims.chunk_by(of_one) {
        let is_over = |(sketch, _): &&(Sketch, T)| sketch.bounds().1 < turn && sketch.surely_holds(question);
        let floor = touches.iter().filter(is_over).map(|(sketch, _)| sketch.bounds().0).max();
        let is_left = |(sketch, _): &&(Sketch, T)| {
            floor.is_none_or(|floor| sketch.bounds().1 >= floor)
                || Some(sketch.order(Certainty::Surely)) == first
        };
        let before = needed.len();
        needed.extend(touches.iter().filter(is_left).copied());
        // Who was never added need not be removed.
        if let [only @ (sketch, _)] = &needed[before..]
            && matches!(sketch.deed, Deed::Remove(_))
            && is_over(&only)
        {
            needed.truncate(before);
        }
    }
    *claims = needed;
}

/// A moment at which a member had surely not turned for the last time, if its last two touches tell one; they come in the
/// order in which they are over.
fn sure_turn<T>(question: &Question, touches: &[(Sketch, T)]) -> Option<Moment> {
    let is_sure = match touches {
        [(last, _)] => adds(last) && last.surely_holds(question),
        [earlier @ .., (turned, _), (last, _)] => {
            adds(turned) != adds(last)
                && turned.surely_holds(question)
                && last.surely_holds(question)
                && earlier.last().is_none_or(|(before, _)| before.bounds().1 < turned.bounds().0)
        }
        [] => false,
    };
    touches.last().filter(|_| is_sure).map(|(last, _)| last.bounds().0)
}

const fn adds(sketch: &Sketch) -> bool {
    matches!(sketch.deed, Deed::Add(_))
}

/// The number of a touch's member.
const fn member(sketch: &Sketch) -> Option<u32> {
    match sketch.deed {
        Deed::Add(number) | Deed::Remove(number) => Some(number),
        Deed::Replace(_) | Deed::Increase(_) => None,
    }
}

/// What is seen of a member.
#[derive(Clone, Copy, Default)]
struct Member {
    /// What surely came before this leaves no trace.
    floor: Option<Moment>,
    is_in: bool,
    /// The last two claims that changed whether it is in the set.
    turns: [Option<usize>; 2],
}

impl Member {
    fn turn(&mut self, index: usize, adds: bool) {
        if self.is_in != adds {
            self.is_in = adds;
            self.turns = [self.turns[1], Some(index)];
        }
    }
}
