//! Attributes about which no date leaves anything open, told from sketches alone.
//!
//! Most attributes have claims that surely hold and surely follow one another. Their answers need neither the worlds that
//! dates leave open nor events to fold: the changes, one after the other, say what stands.

use crate::fold::{Applied, apply};
use crate::reduce::{Needed, Sketch};
use crate::{Change, Question, Value};

/// Puts the claims that an answer needs in the order of the fold, if each of them surely holds at D and surely comes
/// before the next one.
///
/// What [`applied`] then makes of them stands for sure, and nothing contests it. Where they do not, their order is no
/// matter, and only the [fold](crate::fold) tells what stands. None of the claims can clash.
pub fn settle<T: Copy>(
    question: &Question,
    needed: &mut Vec<Needed<T>>,
    sketch: impl Fn(&T) -> &Sketch,
) -> bool {
    // What stands for others surely holds, and where there is nothing else there is nothing but increases.
    if let [(_, Some(first)), (last, Some(sum))] = needed[..]
        && let Some(total) = first.checked_add(sum)
    {
        *needed = vec![(last, Some(total))];
        return true;
    }
    if !needed.iter().all(|(claim, _)| sketch(claim).surely_holds(question)) {
        return false;
    }
    let bounds = |claim: &Needed<T>| sketch(&claim.0).bounds();
    needed.sort_unstable_by_key(|claim| bounds(claim).1);
    needed.windows(2).all(|pair| bounds(&pair[0]).1 < bounds(&pair[1]).0)
}

/// What changes make of nothing, one after the other, and which of them was the last to change it: `Some(None)` where
/// nothing stands in the end, `None` where one of them cannot be read.
pub fn applied<T>(changes: impl Iterator<Item = Option<(Change, T)>>) -> Option<Option<(Value, T)>> {
    let (mut value, mut by) = (None, None);
    for change in changes {
        let (change, claim) = change?;
        if let Change::Set(new) = change {
            (value, by) = (Some(new), Some(claim));
        } else if apply(&mut value, &change) == Applied::Changed {
            by = Some(claim);
        }
    }
    Some(value.zip(by))
}
