//! Checkpoints along the date axis tell what all events tell: of whole states of logs in which most things happened on a day,
//! and for good, at many D and K, with records and corrections behind the checkpoints, and with filters.
//!
//! `PROPTEST_CASES` sets the number of cases.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use annals_core::dates::{self, DateIndex};
use annals_core::index::{ClaimIndex, Sizes};
use annals_core::{Log, Store};
use annals_model::answers::Answers;
use annals_model::{AsOf, Certainty, Date, Filter, KnownAt, Question, Seq, When};
use annals_testkit::deeds::{Deed, deeds, record, tame, timeline};
use annals_testkit::generate::as_of_dates;
use annals_testkit::{MemoryLog, TestHost};
use proptest::collection::vec;
use proptest::prelude::*;

/// Runs are large, so that groups have many facts.
const SIZES: Sizes = Sizes { enough: 512, at_once: 1024, fan: 2, kept: 200, spacing: 3 };
const DATES: dates::Sizes = dates::Sizes { enough: 512, at_once: 1024, fan: 2, piece: 100, few: 0, first: 3 };

/// Has most happen on one day, and hold for good.
fn plain(deeds: &mut [Deed]) {
    for (number, (_, date, effects, dice)) in (0_u32..).zip(deeds) {
        let random = number.wrapping_mul(2_654_435_761) >> 8;
        // Few are withdrawn, and none is erased, which would make the index anew.
        if random % 4 > 0 || effects.is_empty() {
            *dice |= 0b110;
        }
        if random % 10 > 0 {
            let (year, month, day) = (1999 + random % 13, 1 + random / 13 % 12, 1 + random / 156 % 28);
            *date = Date::parse(&format!("{year}-{month:02}-{day:02}")).ok();
            for effect in effects {
                effect.when = When::Start;
            }
        }
    }
}

/// The middle of the day on which something happened.
fn noon((_, date, ..): &Deed) -> Option<AsOf> {
    AsOf::new(Date::parse(&format!("{}T12:00:00", date.as_ref()?)).ok()?).ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, max_shrink_iters: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_whole_state_from_checkpoints_is_that_of_all_events(
        mut deeds in deeds(700, 1300..1700),
        asked in vec((as_of_dates(), any::<prop::sample::Index>(), any::<bool>(), 0..4_u8), 120),
    ) {
        tame(&mut deeds);
        plain(&mut deeds);
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(MemoryLog::default()).with_index(ClaimIndex::with(dir.path().join("index"), SIZES));
        let store = store.with_dates(DateIndex::with(dir.path().join("dates"), DATES));
        let (host, plain, plain_host) = (TestHost::new(1), Store::new(MemoryLog::default()), TestHost::new(1));
        let mut asked = asked.chunks(40);
        for chunk in [&deeds[..600], &deeds[600..1150], &deeds[1150..]] {
            for deed in chunk {
                record(&store, &host, deed);
                record(&plain, &plain_host, deed);
            }
            let end = usize::try_from(plain.log().head().unwrap().seq().0).unwrap();
            for (as_of, known, is_sure, dice) in asked.next().unwrap_or_default() {
                let latest = if *dice > 0 { end - known.index(end / 4) } else { known.index(end + 1) };
                let known_at = KnownAt::Position(Seq(latest as u64));
                let certainty = if *is_sure { Certainty::Surely } else { Certainty::Possibly };
                let source = if *dice == 1 { vec!["source 1".to_owned()] } else { Vec::new() };
                let filter = Filter { source, ..Filter::default() };
                let noon = noon(&deeds[known.index(deeds.len())]).filter(|_| *dice == 2);
                let (as_of, entities) = (noon.unwrap_or_else(|| as_of.clone()), Vec::new());
                let question = Question { timeline: timeline(0), as_of, known_at, certainty, filter, entities };
                let known = plain.known(&question.timeline, known_at).unwrap();
                let expect = Answers::of(&question, &known.knowledge().admitted(&question));
                let found = store.answers(&question).unwrap();
                prop_assert_eq!(format!("{found:?}"), format!("{expect:?}"), "{:?}", question);
            }
            // Else the answers may have come from the log.
            prop_assert_eq!(store.index().unwrap().notice(), None);
        }
    }
}
