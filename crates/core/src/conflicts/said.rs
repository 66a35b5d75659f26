//! What all events say, sorted by the attributes of which they say it, and then in the order of the fold.
//!
//! ```text
//! hash of the names u64 | entity | 0 | attribute | 0
//!   | three moments i64 | place u64 | whether it is an end u8 | position u32 | happening u32
//!   | seq u64 | moment from, to i64 | when u8 | whether it holds u8 | change
//! ```
//!
//! Big-endian; the moments of the order have their sign bits turned over, and the last one is reversed. The change has
//! the bytes of the log. Names cannot hold the byte that stands behind them. Attributes come in the order of a hash that
//! is another one every time, and equal hashes in that of their names.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::ops::ControlFlow;

use annals_model::conflicts::{Listener, Search, Spoken};
use annals_model::date::Range;
use annals_model::fold::{Counted, Order};
use annals_model::{Moment, Question, Seq, When};

use crate::codec::v1;
use crate::index::bytes::Input;
use crate::listing::Room;
use crate::quick::Quick;
use crate::runs::Sorter;
use crate::{Damage, Error, Result};

/// Stands behind a name, none of which can hold it.
const SEPARATOR: u8 = 0;
/// The bytes of a hash.
const HASH: usize = 8;

/// All claims.
pub struct Claims<'a> {
    question: &'a Question,
    hash: Quick,
    sorter: Sorter<HASH>,
}

impl<'a> Claims<'a> {
    pub fn new(question: &'a Question, room: Room<'_>) -> Self {
        Self { question, hash: Quick::default(), sorter: Sorter::new(room.bytes / 4, room.directory) }
    }

    /// Takes what an event says.
    pub fn take(&mut self, counted: Counted<'_>) -> Result<()> {
        for (effect, order, spoken) in Spoken::of(counted, self.question) {
            let hash = self.hash.hash_one((effect.entity.as_str(), effect.attribute.as_str()));
            let change = v1::encode_change(&spoken.change).map_err(|what| unfit(&what))?;
            self.sorter.push(hash.to_be_bytes(), |out| {
                for name in [&effect.entity, &effect.attribute] {
                    out.extend(name.as_bytes());
                    out.push(SEPARATOR);
                }
                put_order(out, order, spoken.happening);
                put_spoken(out, &spoken);
                out.extend(change);
            })?;
        }
        Ok(())
    }

    /// Tells a search what is said of each attribute.
    pub fn tell(self, search: &mut Search) -> Result<()> {
        let Self { question, sorter, .. } = self;
        let (mut names, mut listener) = (Vec::new(), None::<Listener>);
        sorter.finish().each(|entry| {
            if names.is_empty() || !entry.starts_with(&names) {
                let (entity, attribute, length) = names_of(entry).ok_or_else(|| unfit("is cut short"))?;
                names.clear();
                names.extend(entry.iter().take(length));
                if let Some(heard) = listener.replace(Listener::new(question, entity, attribute)) {
                    search.heard(heard);
                }
            }
            let said = entry.get(names.len()..).and_then(read).ok_or_else(|| unfit("is cut short"))?;
            if let Some(listener) = &mut listener {
                listener.hear(&said.map_err(|what| unfit(&what))?);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        if let Some(heard) = listener {
            search.heard(heard);
        }
        Ok(())
    }
}

fn unfit(what: &str) -> Error {
    Damage::new(format!("a sorted claim {what}")).into()
}

const fn rising(moment: Moment) -> u64 {
    moment.seconds().cast_unsigned() ^ 1 << 63
}

fn put_order(out: &mut Vec<u8>, order: Order, happening: usize) {
    let ((first, (second, third)), place, is_end, position) = order;
    for number in [rising(first), rising(second), !rising(third.0), place.0] {
        out.extend(number.to_be_bytes());
    }
    out.push(u8::from(is_end));
    for number in [position, happening] {
        // Both are limited to far less where events are recorded.
        out.extend(u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes());
    }
}

fn put_spoken(out: &mut Vec<u8>, spoken: &Spoken<'_>) {
    let Range { earliest, latest } = spoken.moment;
    for number in [spoken.seq.0, earliest.seconds().cast_unsigned(), latest.seconds().cast_unsigned()] {
        out.extend(number.to_be_bytes());
    }
    let when = match spoken.when {
        When::Start => 0,
        When::End => 1,
        When::During => 2,
    };
    out.extend([when, u8::from(spoken.holds)]);
}

/// The entity and the attribute of an entry, and how many bytes it is known by.
fn names_of(entry: &[u8]) -> Option<(&str, &str, usize)> {
    let mut names = entry.get(HASH..)?.splitn(3, |byte| *byte == SEPARATOR);
    let mut name = || std::str::from_utf8(names.next()?).ok();
    let (entity, attribute) = (name()?, name()?);
    Some((entity, attribute, HASH + entity.len() + 1 + attribute.len() + 1))
}

/// Reads what stands behind the names.
fn read(bytes: &[u8]) -> Option<Result<Spoken<'static>, String>> {
    let mut input = Input(bytes);
    // The moments of the order.
    input.take(3 * 8)?;
    let place = Seq(input.fixed(8)?);
    let _is_end = input.byte()?;
    let [position, happening] = [input.fixed(4)?, input.fixed(4)?].map(usize::try_from);
    let seq = Seq(input.fixed(8)?);
    let [earliest, latest] =
        [input.fixed(8)?, input.fixed(8)?].map(|seconds| Moment::from_seconds(seconds.cast_signed()));
    let when = match input.byte()? {
        0 => When::Start,
        1 => When::End,
        _ => When::During,
    };
    let holds = input.byte()? != 0;
    let spoken = |change| Spoken {
        place,
        seq,
        position: position.unwrap_or(usize::MAX),
        happening: happening.unwrap_or(usize::MAX),
        moment: Range { earliest, latest },
        when,
        holds,
        change: Cow::Owned(change),
    };
    Some(v1::decode_change(input.0).map(spoken))
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;

    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn orders() -> impl Strategy<Value = (Order, usize)> {
        let moment = || select(vec![i64::MIN, -86_401, -1, 0, 1, 1_073_000_000, i64::MAX]);
        let moments = (moment(), moment(), moment());
        (moments, 1_u64..300, any::<bool>(), 0_usize..300, 0_usize..300).prop_map(
            |((first, second, third), place, is_end, position, happening)| {
                let [first, second, third] = [first, second, third].map(Moment::from_seconds);
                (((first, (second, Reverse(third))), Seq(place), is_end, position), happening)
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..Default::default() })]

        #[test]
        fn the_order_of_the_bytes_is_that_of_the_fold(a in orders(), b in orders(), alike in 0_usize..5) {
            let mut b = b;
            // Random ones mostly differ at once; here they often do at the end only.
            let ((moments, place, is_end, _), _) = a;
            let parts: [&dyn Fn(&mut Order); 4] = [
                &|order| order.0.0 = moments.0,
                &|order| order.0.1 = moments.1,
                &|order| order.1 = place,
                &|order| order.2 = is_end,
            ];
            parts.iter().take(alike).for_each(|make_alike| make_alike(&mut b.0));
            let bytes = |(order, happening): (Order, usize)| {
                let mut bytes = Vec::new();
                put_order(&mut bytes, order, happening);
                bytes
            };
            prop_assert_eq!(bytes(a).cmp(&bytes(b)), a.cmp(&b));
        }
    }
}
