//! The order of a list as bytes.
//!
//! ```text
//! undated u8 | start no earlier i64 | end no later i64 | start no later i64, reversed | end no earlier i64 | place u64
//! ```
//!
//! Big-endian, with the sign bit of the moments turned over, so that the order of the bytes is that of
//! [`Counted::list_order`](annals_model::fold::Counted::list_order): the start, the end, coarser dates first, then
//! the place in the log, and events without a date behind all others.

use annals_model::date::Span;
use annals_model::{Moment, Seq};

/// Bytes of a key.
pub const LENGTH: usize = 1 + 4 * 8 + 8;

/// Where an event stands in a list.
pub type Key = [u8; LENGTH];

/// The key of an event with this date at this place in the log.
pub fn of(date: Option<Span>, place: Seq) -> Key {
    let span = date.unwrap_or(Span::UNDATED);
    let mut key = [0; LENGTH];
    key[0] = u8::from(date.is_none());
    let rising = |moment: Moment| moment.seconds().cast_unsigned() ^ 1 << 63;
    let parts = [
        rising(span.start.earliest),
        rising(span.end.latest),
        !rising(span.start.latest),
        rising(span.end.earliest),
        place.0,
    ];
    for (bytes, part) in key[1..].chunks_exact_mut(8).zip(parts) {
        bytes.copy_from_slice(&part.to_be_bytes());
    }
    key
}

/// The place in the log that a key ends with.
pub fn place(key: &Key) -> Seq {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&key[LENGTH - 8..]);
    Seq(u64::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use annals_model::fold::Counted;
    use annals_model::{Date, Event, EventId};
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const DATES: &[&str] = &[
        "2004",
        "2004-01",
        "2004-01-01",
        "2004/2017",
        "2004/..",
        "2004/",
        "../2004",
        "/2004",
        "/",
        "../..",
        "Y-17E7",
        "Y170000002",
        "-0043-03-15",
        "0000",
        "1969-12-31",
        "1970-01-01",
        "[2017..2019]",
        "{2017,2019}",
        "2010~",
        "2023-24",
        "2023-10-02T15:30:00+02:00",
        "2004-01-01/2004-12-31",
    ];

    fn event(date: Option<&str>) -> Event {
        let mut event = Event::new(EventId::new("e").unwrap(), "E");
        event.date = date.map(|text| Date::parse(text).unwrap());
        event
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

        #[test]
        fn the_order_of_the_bytes_is_that_of_the_list(
            a in proptest::option::weighted(0.9, select(DATES)), a_place in 1_u64..1_000,
            b in proptest::option::weighted(0.9, select(DATES)), b_place in 1_u64..1_000,
        ) {
            let told = |date, place| {
                let event = event(date);
                let (place, key) = (Seq(place), of(event.date.as_ref().map(Date::span), Seq(place)));
                let order = Counted { place, seq: place, event: &event }.list_order();
                (order, key)
            };
            let ((a_order, a_key), (b_order, b_key)) = (told(a, a_place), told(b, b_place));
            prop_assert_eq!(a_key.cmp(&b_key), a_order.cmp(&b_order));
            prop_assert_eq!(super::place(&a_key), Seq(a_place));
        }
    }
}
