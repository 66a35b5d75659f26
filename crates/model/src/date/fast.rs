//! The short way for `2004`, `2004-06` and `2004-06-11`, which nearly every imported line takes.
//!
//! It reads the digits, checks the calendar and computes the bounds, and returns nothing for any other text,
//! also for one that is wrong: the long way then decides, and both give the same answer wherever this one
//! gives any.

use super::span::{Range, Span};
use crate::moment::days_in_month;
use crate::{Day, Moment};

/// The bounds of a plain year, month or day of the years 0000 to 9999.
pub fn span(text: &str) -> Option<Span> {
    let (year, rest) = text.as_bytes().split_first_chunk::<4>()?;
    let year = number(year)?;
    let (first, last) = match *rest {
        [] => (Day { year, month: 1, day: 1 }, Day { year, month: 12, day: 31 }),
        [b'-', m1, m2] => {
            let month = within(12, [m1, m2])?;
            (Day { year, month, day: 1 }, Day { year, month, day: days_in_month(year, month) })
        }
        [b'-', m1, m2, b'-', d1, d2] => {
            let month = within(12, [m1, m2])?;
            let day = Day { year, month, day: within(days_in_month(year, month), [d1, d2])? };
            (day, day)
        }
        _ => return None,
    };
    Some(Span::within(Range { earliest: Moment::start_of(first), latest: Moment::end_of(last) }))
}

/// A month or a day: from 1 to `most`.
fn within(most: u8, digits: [u8; 2]) -> Option<u8> {
    number(&digits).and_then(|number| u8::try_from(number).ok()).filter(|number| (1..=most).contains(number))
}

fn number<const N: usize>(digits: &[u8; N]) -> Option<i64> {
    digits
        .iter()
        .try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
}
