//! Probable duplicates on days of many events, held against lists of them: by the day, sorted by title, each compared
//! with so many that follow it.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::{BTreeMap, BTreeSet};

use annals_model::conflicts::{Conflicts, Histories, MOST_COMPARED};
use annals_model::fold::Counted;
use annals_model::{
    AsOf, Certainty, Date, Event, EventId, Filter, Knowledge, KnownAt, Position, Question, Seq, TimelineName,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Dates with the days of January 2004 that they allow; none where only the same date is compared with it.
const DATES: [(&str, Option<(u64, u64)>); 9] = [
    ("2004-01-01", Some((1, 1))),
    ("2004-01-02", Some((2, 2))),
    ("2004-01-05", Some((5, 5))),
    ("2004-01", Some((1, 31))),
    ("[2004-01-02..2004-01-05]", Some((2, 5))),
    ("[2004-01-05..2004-01-30]", Some((5, 30))),
    ("2004", None),
    ("{2004-01-02,2004-01-05}", None),
    ("{2004-01-02,2004-01-04,2004-01-05}", None),
];

/// An event: its date, its word and its number, if it has one. Words so short are alike only where they are equal.
type Told = (usize, u8, bool);

fn word(number: u8) -> String {
    [number / 26, number % 26, 7].map(|letter| char::from(b'a' + letter)).iter().collect()
}

fn event(at: usize, (date, number, has_digit): Told) -> Event {
    let title = format!("{}{}", word(number), if has_digit { " 7" } else { "" });
    let date = Some(Date::parse(DATES[date].0).unwrap());
    Event { date, ..Event::new(EventId::new(format!("e{at}")).unwrap(), title) }
}

fn found(told: &[Told]) -> (BTreeSet<Vec<usize>>, u64) {
    let events: Vec<Event> = told.iter().enumerate().map(|(at, told)| event(at, *told)).collect();
    let seq = |at: usize| Seq(at as u64 + 1);
    let counted =
        events.iter().enumerate().map(|(at, event)| Counted { place: seq(at), seq: seq(at), event });
    let position = Position { seq: seq(events.len()), recorded_at: None };
    let known = Knowledge { position, log_root: [0; 32], events: counted.collect(), withdrawn: 0 };
    let question = Question {
        timeline: TimelineName::new("t").unwrap(),
        as_of: AsOf::new(Date::parse("2026").unwrap()).unwrap(),
        known_at: KnownAt::Everything,
        certainty: Certainty::Surely,
        filter: Filter::default(),
        entities: Vec::new(),
    };
    let conflicts = Conflicts::find(&question, &known, &Histories::new());
    let group = |group: &annals_model::conflicts::Duplicates| {
        group.events.iter().map(|event| usize::try_from(event.seq.0 - 1).unwrap()).collect()
    };
    (conflicts.duplicates.iter().map(group).collect(), conflicts.crowded_days)
}

fn expected(told: &[Told]) -> (BTreeSet<Vec<usize>>, u64) {
    // By the day or the date, and the number.
    let mut lists: BTreeMap<((u64, usize), bool), Vec<usize>> = BTreeMap::new();
    for (at, (date, _, has_digit)) in told.iter().enumerate() {
        let days = DATES[*date].1;
        for day in days.map_or(0..=0, |(first, last)| first..=last) {
            let of_date = if days.is_none() { *date } else { 0 };
            lists.entry(((day, of_date), *has_digit)).or_default().push(at);
        }
    }
    let mut group: Vec<usize> = (0..told.len()).collect();
    let mut crowded = BTreeSet::new();
    for (((day, of_date), _), mut list) in lists {
        list.sort_by_key(|at| (told[*at].1, *at));
        if list.len() > MOST_COMPARED + 1 {
            crowded.insert((day, of_date));
        }
        for (index, a) in list.iter().enumerate() {
            for b in list[index + 1..].iter().take(MOST_COMPARED) {
                let days = [DATES[told[*a].0].1, DATES[told[*b].0].1];
                let [(first, last), (other_first, other_last)] = days.map(Option::unwrap_or_default);
                let is_inside =
                    first <= other_first && other_last <= last || other_first <= first && last <= other_last;
                let is_here = first.max(other_first) == day;
                if is_here && is_inside && told[*a].1 == told[*b].1 {
                    let (one, other) = (group[*a].min(group[*b]), group[*a].max(group[*b]));
                    group.iter_mut().filter(|group| **group == other).for_each(|group| *group = one);
                }
            }
        }
    }
    let of = |first: usize| (0..told.len()).filter(|at| group[*at] == first).collect::<Vec<_>>();
    let groups = (0..told.len()).map(of).filter(|group| group.len() > 1);
    (groups.collect(), crowded.len() as u64)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_events_of_a_day_are_compared_as_in_a_list_of_them(
        told in vec((0..DATES.len(), 0..250_u8, prop::bool::weighted(0.2)), 0..700),
    ) {
        prop_assert_eq!(found(&told), expected(&told));
    }

    #[test]
    fn and_so_are_those_of_which_many_have_one_title(
        told in vec((0..DATES.len(), 0..6_u8, prop::bool::weighted(0.4)), 0..400),
    ) {
        prop_assert_eq!(found(&told), expected(&told));
    }
}
