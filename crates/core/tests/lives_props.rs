//! Whole lives of a store on the disk: it is written to, closed and opened again, compacted, and its indexes are
//! damaged, at random moments; whatever it went through, it answers as the log says that is read from end to end.
//!
//! `ANNALS_INDEX_CASES` multiplies the lives, `ANNALS_INDEX_QUESTIONS` says how many questions each is asked.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use annals_core::dates::{self, DateIndex};
use annals_core::index::{ClaimIndex, Sizes};
use annals_core::{Log, SledLog, SledOptions, Store};
use annals_model::answers::Answers;
use annals_model::{AsOf, Certainty, Filter, KnownAt, Question, Seq, Snapshot};
use annals_testkit::counts::count;
use annals_testkit::deeds::{Deed, deeds, record, tame, timeline};
use annals_testkit::generate::{ENTITIES, as_of_dates};
use annals_testkit::{MemoryLog, TestHost};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

const CLAIMS: Sizes = Sizes { enough: 256, at_once: 512, fan: 2, kept: 200, spacing: 3 };
const DATES: dates::Sizes = dates::Sizes { enough: 256, at_once: 256, fan: 2, piece: 100, few: 0, first: 3 };

/// So many cases, or as many times more as `ANNALS_INDEX_CASES` says.
fn cases(few: u32) -> u32 {
    few * count("ANNALS_INDEX_CASES", 1)
}

/// How many questions one store is asked, thousands if need be.
fn questions() -> usize {
    count("ANNALS_INDEX_QUESTIONS", 60)
}

/// What happens to a store between two writes.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Nothing,
    Restart,
    Compaction,
    /// Of one of the files of its indexes a byte is changed, or the end is lost.
    Damage(u16, bool),
}

fn fates() -> impl Strategy<Value = Fate> {
    prop_oneof![
        1 => Just(Fate::Nothing),
        1 => Just(Fate::Restart),
        2 => Just(Fate::Compaction),
        1 => (any::<u16>(), any::<bool>()).prop_map(|(place, is_cut)| Fate::Damage(place, is_cut)),
    ]
}

/// A question to a store that is not there yet: its date, which record is the last one known, whether it asks for
/// what is sure, and the entity, if it asks for one.
type Asked = (AsOf, Index, bool, Option<u8>);

fn open(path: &Path) -> Store<SledLog> {
    let store = Store::new(SledLog::open(path, &SledOptions::default()).unwrap());
    let store = store.with_index(ClaimIndex::with(path.join("index"), CLAIMS));
    store.with_dates(DateIndex::with(path.join("dates"), DATES))
}

fn suffer(store: Store<SledLog>, path: &Path, fate: Fate) -> Store<SledLog> {
    if let Fate::Nothing = fate {
        return store;
    }
    drop(store);
    match fate {
        Fate::Compaction => {
            let two = NonZeroUsize::new(2).unwrap();
            SledLog::compact(path, &SledOptions::default(), two, &mut |_, _| {}).unwrap();
        }
        Fate::Damage(place, is_cut) => damage(path, usize::from(place), is_cut),
        Fate::Nothing | Fate::Restart => {}
    }
    open(path)
}

fn damage(path: &Path, place: usize, is_cut: bool) {
    let entries =
        ["index", "dates"].iter().flat_map(|name| fs::read_dir(path.join(name)).into_iter().flatten());
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    files.sort();
    if files.is_empty() {
        return;
    }
    let file = &files[place % files.len()];
    let mut bytes = fs::read(file).unwrap();
    let at = place * 7919 % bytes.len().max(1);
    if is_cut {
        bytes.truncate(at);
    } else if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << (place % 8);
    }
    fs::write(file, bytes).unwrap();
}

/// Asks both stores.
fn ask(
    store: &Store<SledLog>,
    plain: &Store<MemoryLog>,
    (as_of, known, is_sure, entity): &Asked,
) -> Result<(), TestCaseError> {
    let end = usize::try_from(plain.log().head().unwrap().seq().0).unwrap();
    let question = Question {
        timeline: timeline(0),
        as_of: as_of.clone(),
        known_at: KnownAt::Position(Seq(known.index(end + 1) as u64)),
        certainty: if *is_sure { Certainty::Surely } else { Certainty::Possibly },
        filter: Filter::default(),
        entities: entity.iter().map(|n| ENTITIES[usize::from(*n) % ENTITIES.len()].to_owned()).collect(),
    };
    let known = plain.known(&question.timeline, question.known_at).unwrap();
    let expect = Answers::of(&question, &known.knowledge().events);
    prop_assert_eq!(
        format!("{:?}", store.answers(&question).unwrap()),
        format!("{expect:?}"),
        "{:?}",
        question
    );
    let expect = Snapshot::answer(&question, &known.knowledge()).unwrap();
    prop_assert_eq!(store.replay(&question).unwrap(), expect, "{:?}", question);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(3), max_shrink_iters: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_store_went_through_it_answers_alike(
        mut deeds in deeds(200, 700..1100),
        is_tame in prop::bool::weighted(0.7),
        fates in vec(fates(), 8),
        asked in vec((as_of_dates(), any::<Index>(), any::<bool>(), prop::option::weighted(0.3, any::<u8>())), questions()),
    ) {
        if is_tame {
            tame(&mut deeds);
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        drop(SledLog::create(&path, &SledOptions::default()).unwrap());
        let (mut store, host) = (open(&path), TestHost::new(1));
        let (plain, plain_host) = (Store::new(MemoryLog::default()), TestHost::new(1));
        let mut asked = asked.chunks(questions().div_ceil(fates.len()));
        for (chunk, fate) in deeds.chunks(deeds.len().div_ceil(fates.len())).zip(fates) {
            let chunk: &[Deed] = chunk;
            for deed in chunk {
                record(&store, &host, deed);
                record(&plain, &plain_host, deed);
            }
            store = suffer(store, &path, fate);
            for one in asked.next().unwrap_or_default() {
                ask(&store, &plain, one)?;
            }
        }
        let (head, expect) = (store.log().head().unwrap(), plain.log().head().unwrap());
        prop_assert_eq!(head.frontier.root(), expect.frontier.root());
        prop_assert!(store.verify(None).unwrap().damage.is_empty());
    }
}
