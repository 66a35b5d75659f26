//! Projections of a program: what is applied, how far a correction reaches back, checkpoints and their refusals,
//! redactions, and what a projection that fails says.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code: a panic is how a test fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use annals_core::projection::{
    CaughtUp, Checkpoint, Failure, Happened, Projection, ProjectionError, Projector, Refused, Scope,
};
use annals_core::{Log, Store, WriteOptions};
use annals_model::line::Line;
use annals_model::{Certainty, Date, Event, Filter, KnownAt, Moment, Seq, TimelineName};
use annals_testkit::given::as_of;
use annals_testkit::{Given, MemoryLog, TestHost};
use serde_json::{Value, json};

/// Remembers the ids of what began, in order, and counts how often it was asked to.
#[derive(Clone, Debug, Default)]
struct Began {
    applied: Arc<AtomicUsize>,
    version: u32,
}

impl Projection for Began {
    type State = Vec<String>;

    fn name(&self) -> &'static str {
        "began"
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn wants(&self, event: &Event) -> bool {
        event.kind.as_deref() != Some("remark")
    }

    fn apply(&self, began: &mut Vec<String>, happened: &Happened<'_>) -> Result<(), Failure> {
        self.applied.fetch_add(1, Ordering::SeqCst);
        if happened.event().confidence == Some(0) {
            return Err("nobody believes it".into());
        }
        if happened.starts() {
            began.push(happened.event().id.to_string());
        }
        Ok(())
    }
}

impl Began {
    /// How often it was asked since the last time.
    fn applied(&self) -> usize {
        self.applied.swap(0, Ordering::SeqCst)
    }
}

fn timeline() -> TimelineName {
    TimelineName::new("main").unwrap()
}

fn surely() -> Scope {
    Scope::surely(timeline())
}

fn in_memory() -> (Store<MemoryLog>, TestHost) {
    (Store::new(MemoryLog::default()), TestHost::new(1))
}

/// Records lines of `annals/1`, each in a frame of its own.
fn record<'a>(store: &Store<impl Log>, host: &TestHost, lines: impl IntoIterator<Item = &'a str>) {
    for line in lines {
        let entry = Line::parse(line).unwrap().into_entry(&timeline(), || unreachable!());
        store.write(vec![entry], host, &WriteOptions::by("tester")).unwrap();
    }
}

fn event(id: &str, date: &str) -> String {
    json!({ "id": id, "date": date, "title": "An event" }).to_string()
}

/// The day of this number, from 2000-01-01 on.
fn day(number: i64) -> String {
    let first = Date::parse("2000-01-01").unwrap().span().start.earliest;
    let (day, _) = Moment::from_seconds(first.seconds() + number * 86_400).civil();
    day.to_string()
}

/// A store with so many events, one a day, each with the number of its day.
fn days(count: i64) -> (Store<MemoryLog>, TestHost) {
    let (store, host) = in_memory();
    let lines: Vec<String> = (0..count).map(|number| event(&format!("d{number}"), &day(number))).collect();
    let entry = |line: &String| Line::parse(line).unwrap().into_entry(&timeline(), || unreachable!());
    store.write(lines.iter().map(entry).collect(), &host, &WriteOptions::by("tester")).unwrap();
    (store, host)
}

#[test]
fn only_what_is_new_is_applied() {
    let (store, host) = days(2_000);
    let began = Began::default();
    let mut projector = Projector::new(began.clone(), surely());
    assert_eq!(projector.state_at(&store, &as_of("2010")).unwrap().len(), 2_000);
    assert_eq!(began.applied(), 2_000);
    assert_eq!(projector.state_at(&store, &as_of("2010")).unwrap().len(), 2_000);
    assert_eq!(began.applied(), 0, "nothing is new");

    record(&store, &host, [&*event("new", &day(2_000)), &*event("later", "2011")]);
    let caught_up = projector.catch_up(&store).unwrap();
    assert_eq!(caught_up, CaughtUp { read: 2, through: Seq(2_002), rewound_to: None });
    assert_eq!(projector.state_at(&store, &as_of("2010")).unwrap().len(), 2_001);
    assert_eq!(began.applied(), 1);
}

#[test]
fn a_correction_applies_about_what_lies_behind_it_anew() {
    let (store, host) = days(2_000);
    let began = Began::default();
    let mut projector = Projector::new(began.clone(), surely());
    projector.state_at(&store, &as_of("2010")).unwrap();
    began.applied();
    let mut check = |line: &str, reach: i64, expected: usize| {
        record(&store, &host, [line]);
        let caught_up = projector.catch_up(&store).unwrap();
        let rewound_to = caught_up.rewound_to.unwrap().to_string();
        assert!(rewound_to.starts_with(&day(2_000 - reach)), "{rewound_to}");
        let state = projector.state_at(&store, &as_of("2010")).unwrap();
        assert_eq!(state.len(), expected, "{line}");
        let applied = began.applied();
        let most = usize::try_from(2 * reach + 70).unwrap();
        assert!(applied <= most, "{applied} applied for a reach of {reach}");
    };
    check(&event("back-dated", &day(1_990)), 10, 2_001);
    check(
        &json!({ "op": "revise", "id": "d1900", "date": day(1_800), "title": "Earlier" }).to_string(),
        200,
        2_001,
    );
    check(&json!({ "op": "retract", "id": "d1500", "reason": "not so" }).to_string(), 500, 2_000);
}

#[test]
fn events_that_the_projection_does_not_want_never_rewind() {
    let (store, host) = days(100);
    let began = Began::default();
    let mut projector = Projector::new(began.clone(), surely());
    projector.state_at(&store, &as_of("2010")).unwrap();
    began.applied();
    let remark = json!({ "id": "remark", "kind": "remark", "date": "2000", "title": "A remark" }).to_string();
    record(&store, &host, [&*remark, r#"{"op":"retract","id":"remark","reason":"not so"}"#]);
    assert_eq!(projector.catch_up(&store).unwrap().rewound_to, None);
    projector.state_at(&store, &as_of("2010")).unwrap();
    assert_eq!(began.applied(), 0);
}

/// Writes down every turn that it is handed.
struct Turns;

impl Projection for Turns {
    type State = Vec<String>;

    fn name(&self) -> &'static str {
        "turns"
    }

    fn version(&self) -> u32 {
        1
    }

    fn apply(&self, turns: &mut Vec<String>, happened: &Happened<'_>) -> Result<(), Failure> {
        let lasts = if happened.starts() && happened.lasts() { " lasting" } else { "" };
        turns.push(format!("{} {}{lasts}", happened.turn(), happened.moment()));
        Ok(())
    }
}

#[test]
fn a_date_makes_an_event_start_and_end_as_surely_as_is_asked() {
    let check = |date: Option<&str>, certainty: Certainty, expect: &[&str]| {
        let mut line = json!({ "id": "e", "title": "An event" });
        if let Some(date) = date {
            line["date"] = Value::from(date);
        }
        let when = Given::timeline("main").event(&line.to_string()).when(|| Turns);
        let when = if certainty == Certainty::Surely { when.surely() } else { when.possibly() };
        let days =
            |turns: &Vec<String>| turns.iter().map(|turn| turn.replace("T00:00:00", "")).collect::<Vec<_>>();
        when.then(|turns| assert_eq!(days(turns), expect, "{date:?} {certainty}"));
    };
    let (surely, possibly) = (Certainty::Surely, Certainty::Possibly);
    check(Some("2004"), surely, &["once 2004-12-31T23:59:59"]);
    check(Some("2004"), possibly, &["once 2004-01-01 lasting", "lapse 2005-01-01"]);
    check(
        Some("2004/2017"),
        surely,
        &["start 2004-12-31T23:59:59 lasting", "lapse 2017-01-01T00:00:01", "end 2017-12-31T23:59:59"],
    );
    check(Some("2004/2017"), possibly, &["start 2004-01-01 lasting", "end 2017-01-01", "lapse 2018-01-01"]);
    check(Some("2023-10-02/.."), surely, &["start 2023-10-02T23:59:59 lasting"]);
    check(Some("2023-10-02/"), surely, &["start 2023-10-02T23:59:59"]);
    check(
        Some("../2019"),
        surely,
        &["start -infinity lasting", "lapse 2019-01-01T00:00:01", "end 2019-12-31T23:59:59"],
    );
    check(Some("{2017,2019}"), surely, &["once 2017-12-31T23:59:59", "once 2019-12-31T23:59:59"]);
    check(None, surely, &[]);
    check(None, possibly, &["once -infinity lasting"]);
}

#[test]
fn a_state_of_the_past_is_there_beside_the_present_one() {
    let (store, _) = days(500);
    let began = Began::default();
    let mut projector = Projector::new(began.clone(), surely());
    for (date, expected) in [("2001-01-01", 367), ("2000-01-31", 31), ("2001-01-01", 367), ("1999", 0)] {
        assert_eq!(projector.state_at(&store, &as_of(date)).unwrap().len(), expected, "{date}");
    }
}

fn saved(projector: &Projector<Began>) -> Value {
    serde_json::to_value(projector.save().unwrap()).unwrap()
}

fn checkpoint(json: &Value) -> Checkpoint {
    serde_json::from_str(&json.to_string()).unwrap()
}

#[test]
fn a_checkpoint_saves_the_work_that_was_done() {
    let (store, host) = days(1_000);
    let mut projector = Projector::new(Began::default(), surely());
    projector.state_at(&store, &as_of("2010")).unwrap();
    let saved = saved(&projector);

    let began = Began::default();
    let mut resumed = Projector::resume(began.clone(), surely(), &store, &checkpoint(&saved)).unwrap();
    assert_eq!(resumed.position(), Seq(1_000));
    assert_eq!(resumed.state_at(&store, &as_of("2010")).unwrap().len(), 1_000);
    assert_eq!(began.applied(), 0);

    record(&store, &host, [&*event("back-dated", &day(980))]);
    let state = resumed.state_at(&store, &as_of("2010")).unwrap();
    assert_eq!(state[980..983], ["d980", "back-dated", "d981"]);
    assert!(began.applied() <= 300, "the states that were saved serve as those that were kept");
}

#[test]
fn a_checkpoint_that_does_not_fit_is_refused_with_the_reason() {
    let (store, _) = days(10);
    let mut projector = Projector::new(Began::default(), surely());
    projector.state_at(&store, &as_of("2010")).unwrap();
    let good = saved(&projector);
    let check = |projection: Began, scope: Scope, store: &Store<MemoryLog>, json: &Value, expect: &str| {
        match Projector::resume(projection, scope, store, &checkpoint(json)) {
            Ok(_) => panic!("was taken: {expect}"),
            Err(error) => {
                assert!(error.is_refusal());
                assert!(error.hint().unwrap().contains("Projector::new"));
                let reason = std::error::Error::source(&error).unwrap().to_string();
                assert!(reason.contains(expect), "{reason}");
            }
        }
    };
    let version = |version| Began { version, ..Began::default() };
    check(version(2), surely(), &store, &good, "of began version 0, and not of began version 2");
    let possibly = Scope::possibly(timeline());
    check(
        version(0),
        possibly,
        &store,
        &good,
        "for main, surely, known at everything, and not for main, possibly",
    );
    let filter = Filter { tag: vec!["health".to_owned()], ..Filter::default() };
    check(
        version(0),
        surely().filtered(filter),
        &store,
        &good,
        r#"and not for main, surely, known at everything, {"tag":["health"]}"#,
    );
    let known_at = surely().known_at(KnownAt::Position(Seq(3)));
    check(version(0), known_at, &store, &good, "and not for main, surely, known at @3");

    let (shorter, _) = days(9);
    check(version(0), surely(), &shorter, &good, "it has read 10 records, and the log holds 9");
    let (other, host) = days(9);
    record(&other, &host, [&*event("another", &day(9))]);
    check(version(0), surely(), &other, &good, "the records up to @10 of this log are not those");

    let mut edited = good.clone();
    edited["content"] = Value::from(good["content"].as_str().unwrap().replace("\"d9\"]", "\"d8\"]"));
    assert_ne!(edited, good);
    check(version(0), surely(), &store, &edited, "does not have the hash");
    let mut newer = good.clone();
    newer["schema"] = Value::from("annals/checkpoint/2");
    check(
        version(0),
        surely(),
        &store,
        &newer,
        "the form annals/checkpoint/2, this engine reads annals/checkpoint/1",
    );
    assert!(Projector::resume(version(0), surely(), &store, &checkpoint(&good)).is_ok());
}

/// A state of another type under the same name and version.
#[derive(Debug)]
struct Typed;

impl Projection for Typed {
    type State = std::collections::BTreeMap<String, f64>;

    fn name(&self) -> &'static str {
        "began"
    }

    fn version(&self) -> u32 {
        0
    }

    fn apply(&self, sums: &mut Self::State, happened: &Happened<'_>) -> Result<(), Failure> {
        *sums.entry("sum".to_owned()).or_default() +=
            0.1 / f64::from(u32::try_from(happened.event().title.len() + 7)?);
        Ok(())
    }
}

#[test]
fn a_state_that_is_of_another_type_is_refused_with_the_advice_to_change_the_version() {
    let (store, _) = days(3);
    let mut projector = Projector::new(Began::default(), surely());
    projector.state_at(&store, &as_of("2010")).unwrap();
    let refusal = Projector::resume(Typed, surely(), &store, &projector.save().unwrap()).unwrap_err();
    assert!(refusal.hint().unwrap().contains("change the projection's version"));
    let is_unreadable = matches!(refusal, ProjectionError::Refused { reason: Refused::Unreadable(_), .. });
    assert!(is_unreadable, "{refusal:?}");
}

#[test]
fn floating_point_states_come_back_to_the_last_bit() {
    let lines: Vec<String> =
        (0..40).map(|n| event(&format!("e{n}"), "2004").replace("An", &"x".repeat(n))).collect();
    let given = Given::timeline("main").events(lines.iter().map(String::as_str));
    given.when(|| Typed).then_resumes();
}

#[test]
fn an_event_that_the_projection_does_not_take_is_named_and_can_be_corrected() {
    let (store, host) = in_memory();
    let wrong = r#"{"id":"rumour","date":"2005","title":"A rumour","confidence":0}"#;
    record(&store, &host, [&*event("first", "2004"), wrong, &*event("last", "2006")]);
    let mut projector = Projector::new(Began::default(), surely());
    let error = projector.state_at(&store, &as_of("2010")).unwrap_err();
    assert_eq!(error.to_string(), "the projection began does not take main/rumour (record 2, once)");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "nobody believes it");
    assert!(error.hint().unwrap().contains("revise"));
    assert_eq!(*projector.state_at(&store, &as_of("2004")).unwrap(), ["first"], "what lies before stands");
    assert!(projector.state_at(&store, &as_of("2010")).is_err(), "it does not get used to it");

    record(
        &store,
        &host,
        [r#"{"op":"revise","id":"rumour","date":"2005","title":"A report","confidence":50}"#],
    );
    assert_eq!(*projector.state_at(&store, &as_of("2010")).unwrap(), ["first", "rumour", "last"]);
}

#[test]
fn a_timeline_is_followed_from_before_its_first_event() {
    let (store, host) = in_memory();
    let mut projector = Projector::new(Began::default(), surely());
    assert!(projector.state_at(&store, &as_of("2010")).unwrap().is_empty());
    record(&store, &host, [&*event("first", "2004")]);
    assert_eq!(*projector.state_at(&store, &as_of("2010")).unwrap(), ["first"]);
}

#[test]
fn a_position_that_is_not_there_yet_and_another_store_are_refused() {
    let (store, _) = days(3);
    let mut early = Projector::new(Began::default(), surely().known_at(KnownAt::Position(Seq(4))));
    let error = early.catch_up(&store).unwrap_err();
    assert_eq!(error.to_string(), "the log has no record 4 yet");
    assert_eq!(error.hint().unwrap(), "its last record is @3");

    let mut projector = Projector::new(Began::default(), surely());
    projector.catch_up(&store).unwrap();
    let (shorter, _) = days(2);
    let error = projector.catch_up(&shorter).unwrap_err();
    assert_eq!(error.to_string(), "the projector has read @3 of another log; this one ends at @2");
}

#[test]
fn a_receipt_says_which_records_gave_which_state() {
    let (store, host) = days(300);
    let mut at_200 = Projector::new(Began::default(), surely().known_at(KnownAt::Position(Seq(200))));
    let early = at_200.receipt(&store, &as_of("2010")).unwrap();
    let (copy, _) = days(200);
    let mut projector = Projector::new(Began::default(), surely());
    let same = projector.receipt(&copy, &as_of("2010")).unwrap();
    assert_eq!(early.seq, Seq(200));
    assert_eq!(early.log_root, annals_core::hex(&annals_core::scan::root_at(store.log(), Seq(200)).unwrap()));
    assert_eq!(early.state_sha256, same.state_sha256);
    let state: Vec<String> = (0..200).map(|number| format!("d{number}")).collect();
    assert_eq!(early.state_sha256, annals_model::canonical_sha256(&state).unwrap());

    record(&store, &host, [&*event("new", "2004")]);
    assert_eq!(at_200.receipt(&store, &as_of("2010")).unwrap(), early, "what was known then does not change");
}

#[test]
fn the_states_over_time_are_told_with_their_moments() {
    let (store, host) = in_memory();
    record(
        &store,
        &host,
        [&*event("b", "2006/2008"), &*event("a", "2004"), r#"{"id":"c","title":"Undated"}"#],
    );
    let told = |certainty| {
        let mut projector = Projector::new(Began::default(), Scope { certainty, ..surely() });
        let history = projector.history(&store, &as_of("2010")).unwrap();
        history
            .into_iter()
            .map(|since| format!("{}: {}", since.moment, since.state.join(" ")))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        told(Certainty::Surely),
        ["-infinity: ", "2004-12-31T23:59:59: a", "2006-12-31T23:59:59: a b"]
    );
    assert_eq!(
        told(Certainty::Possibly),
        ["-infinity: c", "2004-01-01T00:00:00: c a", "2006-01-01T00:00:00: c a b"]
    );
}

#[test]
fn a_filter_of_the_scope_counts_as_in_replay() {
    let line = |id: &str, tag: &str| {
        json!({ "id": id, "date": "2004", "title": "An event", "tags": [tag] }).to_string()
    };
    let filter = Filter { tag: vec!["health".to_owned()], ..Filter::default() };
    Given::timeline("main")
        .events([&*line("a", "health"), &*line("b", "arms"), &*line("c", "arms")])
        .revised(&line("c", "health"))
        .when(Began::default)
        .filtered(filter)
        .then_state(&vec!["a".to_owned(), "c".to_owned()])
        .known_at("@3")
        .then_state(&vec!["a".to_owned()])
        .then_resumes();
}

#[test]
#[should_panic(expected = "record by record left, from the whole log right")]
fn a_projection_that_is_not_pure_is_found_by_the_given_helpers() {
    /// Numbers events in the order in which it meets them.
    #[derive(Default)]
    struct Impure(AtomicUsize);

    impl Projection for Impure {
        type State = Vec<(String, usize)>;

        fn name(&self) -> &'static str {
            "impure"
        }

        fn version(&self) -> u32 {
            1
        }

        fn apply(&self, state: &mut Self::State, happened: &Happened<'_>) -> Result<(), Failure> {
            state.push((happened.event().id.to_string(), self.0.fetch_add(1, Ordering::SeqCst)));
            Ok(())
        }
    }

    let given = Given::timeline("main").events([&*event("b", "2005"), &*event("a", "2004")]);
    let _ = given.when(Impure::default).then(|state| assert_eq!(state.len(), 2));
}

#[test]
fn an_id_of_another_timeline_is_another_event() {
    let (store, host) = in_memory();
    let other = json!({ "id": "a", "timeline": "other", "date": "2004", "title": "Elsewhere" }).to_string();
    record(&store, &host, [&*event("a", "2004"), &*other]);
    record(&store, &host, [r#"{"op":"retract","timeline":"other","id":"a","reason":"not so"}"#]);
    let mut projector = Projector::new(Began::default(), surely());
    assert_eq!(*projector.state_at(&store, &as_of("2010")).unwrap(), ["a"]);
}
