//! What contradicts itself, told in stories: each finder with what it finds and what it leaves alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code: a panic is how a test fails")]

use std::collections::BTreeMap;

use annals_model::conflicts::{
    Conflicts, Histories, LinkFault, MOST_COMPARED, Mention, Sign, Version, contested,
};
use annals_model::fold::{Claim, Counted, Said, stand};
use annals_model::line::Line;
use annals_model::{
    AsOf, Certainty, Date, EventId, Filter, Knowledge, KnownAt, Moment, Op, Position, Question, Seq,
    TimelineName, Value, Write,
};

fn timeline() -> TimelineName {
    TimelineName::new("t").unwrap()
}

/// A log of one timeline: a record for each line of `annals/1`, which may leave out the title;
/// it is then the number of the record.
struct Log {
    records: Histories,
    first: BTreeMap<EventId, Seq>,
    seq: Seq,
}

impl Log {
    fn of(lines: &[&str]) -> Self {
        let mut log = Self { records: Histories::new(), first: BTreeMap::new(), seq: Seq(0) };
        for line in lines {
            log.record(line);
        }
        log
    }

    fn record(&mut self, line: &str) {
        self.seq = self.seq.next();
        let needs_title = !line.contains("\"title\"") && !line.contains("\"retract\"");
        let line = if needs_title {
            line.replacen('{', &format!(r#"{{"title":"{}","#, self.seq), 1)
        } else {
            line.to_owned()
        };
        let entry = Line::parse(&line).unwrap().into_entry(&timeline(), || panic!("no id: {line}"));
        let (id, op, event) = match entry.write {
            Write::Append(event) => (event.id.clone(), Op::Append, Some(*event)),
            Write::Revise(event) => (event.id.clone(), Op::Revise, Some(*event)),
            Write::Retract { id, .. } => (id, Op::Retract, None),
            Write::Redact { id, .. } => (id, Op::Redact, None),
            Write::Erased { id, op, .. } => (id, op, None),
        };
        self.first.entry(id.clone()).or_insert(self.seq);
        self.records.entry(id).or_default().push(Version { seq: self.seq, op, event });
    }

    fn counted(&self) -> Vec<Counted<'_>> {
        let last = self.records.iter().map(|(id, records)| (self.first[id], records.last().unwrap()));
        let counted = last.filter_map(|(place, version)| {
            Some(Counted { place, seq: version.seq, event: version.event.as_ref()? })
        });
        let mut counted: Vec<Counted<'_>> = counted.collect();
        counted.sort_by_key(|counted| counted.place);
        counted
    }

    fn ask(&self, question: &Question) -> Conflicts {
        let position = Position { seq: self.seq, recorded_at: None };
        let knowledge = Knowledge { position, log_root: [0; 32], events: self.counted(), withdrawn: 0 };
        Conflicts::find(question, &knowledge, &self.records)
    }

    fn conflicts(&self) -> Conflicts {
        self.ask(&question("2026"))
    }
}

fn question(as_of: &str) -> Question {
    Question {
        timeline: timeline(),
        as_of: AsOf::new(Date::parse(as_of).unwrap()).unwrap(),
        known_at: KnownAt::Everything,
        certainty: Certainty::Surely,
        filter: Filter::default(),
        entities: Vec::new(),
    }
}

fn ids<'a>(events: impl IntoIterator<Item = &'a Mention>) -> String {
    events.into_iter().map(|event| event.id.as_str()).collect::<Vec<_>>().join(" ")
}

/// A line of an event that sets `a.b`.
fn sets(id: &str, date: &str, value: &str) -> String {
    format!(
        r#"{{"id":"{id}","date":"{date}","effects":[{{"op":"set","entity":"a","attribute":"b","value":{value}}}]}}"#
    )
}

fn contested_words(lines: &[String]) -> Vec<String> {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let found = Log::of(&lines).conflicts();
    let told = |group: &annals_model::conflicts::Contested| {
        let words = group
            .claims
            .iter()
            .map(|word| format!("{}{}={}", if word.stands { "*" } else { "" }, word.event.id, word.value));
        words.collect::<Vec<_>>().join(" ")
    };
    found.contested.iter().map(told).collect()
}

#[test]
fn two_events_of_one_date_that_set_different_values_contest_each_other() {
    let check = |lines: &[String], expect: &[&str]| assert_eq!(contested_words(lines), expect, "{lines:?}");
    check(&[sets("x", "2010", "1"), sets("y", "2010", "2")], &["x=1 *y=2"]);
    check(&[sets("x", "2010", "1"), sets("y", "2010", "1")], &[]);
    check(&[sets("x", "2010", "1"), sets("y", "2010-06", "2")], &[]);
    check(&[sets("x", "2010", "1"), sets("y", "2010~", "2")], &["x=1 *y=2"]);
    check(&[sets("x", "2010", "1"), sets("y", "2010", "2"), sets("z", "2010", "1")], &["x=1 y=2 *z=1"]);
    check(&[sets("x", "2010", "1"), sets("y", "2010", "2"), sets("later", "2011", "3")], &["x=1 y=2"]);
    check(&[sets("x", "2030", "1"), sets("y", "2030", "2")], &["x=1 y=2"]);
    check(&[sets("x", "2010", "[1,2]"), sets("y", "2010", "[2,1]")], &[]);
    check(&[sets("x", "{2010,2012}", "1"), sets("y", "2012", "2")], &["x=1 *y=2"]);
}

#[test]
fn the_end_of_an_interval_contests_a_date_with_its_bounds_though_the_fold_takes_it_later() {
    let end = r#"{"id":"z","date":"2004-01/2004","effects":[{"op":"set","entity":"a","attribute":"b","value":2,"when":"end"}]}"#;
    let (year, month) = (sets("x", "2004", "1"), sets("y", "2004-01", "1"));
    let log = Log::of(&[&year, &month, end]);
    for certainty in [Certainty::Surely, Certainty::Possibly] {
        let found = log.ask(&Question { certainty, ..question("2026") }).contested;
        assert_eq!(found.len(), 1, "{certainty}");
        assert_eq!(ids(found[0].claims.iter().map(|word| &word.event)), "x z", "{certainty}");
    }
}

#[test]
fn what_one_event_says_twice_or_what_is_added_is_not_contested() {
    let one = r#"{"id":"x","date":"2010","effects":[{"op":"set","entity":"a","attribute":"b","value":1},{"op":"set","entity":"a","attribute":"b","value":2}]}"#;
    assert!(contested_words(&[one.to_owned()]).is_empty());
    assert!(contested_words(&[one.to_owned(), sets("y", "2010", "2")]).is_empty(), "the last word counts");
    assert_eq!(contested_words(&[one.to_owned(), sets("y", "2010", "1")]), ["x=2 *y=1"]);
    let increase =
        r#"{"id":"y","date":"2010","effects":[{"op":"increase","entity":"a","attribute":"b","value":2}]}"#;
    assert!(contested_words(&[sets("x", "2010", "1"), increase.to_owned()]).is_empty());
    let with_base = [sets("x", "2010", "1"), sets("z", "2010", "3"), increase.replace("2010", "2011")];
    assert_eq!(contested_words(&with_base), ["x=1 *z=3"], "what was added to stands, too");
}

#[test]
fn a_retracted_event_contests_nothing() {
    let (x, y) = (sets("x", "2010", "1"), sets("y", "2010", "2"));
    let mut log = Log::of(&[&x, &y]);
    assert_eq!(log.conflicts().found, 1);
    log.record(r#"{"op":"retract","id":"x","reason":"wrong"}"#);
    assert_eq!(log.conflicts().found, 0);
}

#[test]
fn the_claims_that_contest_the_deciding_one_are_found_among_an_attributes_claims() {
    let lines =
        [sets("x", "2010", "1"), sets("y", "2010", "2"), sets("z", "2010", "2"), sets("w", "2009", "5")];
    let log = Log::of(&lines.each_ref().map(String::as_str));
    let counted = log.counted();
    let claims: Vec<Claim<'_>> = counted.iter().flat_map(|counted| counted.claims()).collect();
    let rivals = |as_of: &str, certainty| {
        let as_of = Date::parse(as_of).unwrap().span().end.latest;
        let said: Vec<Said<'_>> = claims.iter().map(Claim::said).collect();
        let by = stand(&said, as_of, certainty).by.unwrap();
        let rivals = contested(&said, by, as_of, certainty);
        let ids: Vec<&str> = rivals.iter().map(|rival| said[*rival].id.as_str()).collect();
        format!("{} against {}", said[by].id, ids.join(" "))
    };
    assert_eq!(rivals("2012", Certainty::Surely), "z against x");
    assert_eq!(rivals("2010-06", Certainty::Possibly), "z against x");
    assert_eq!(rivals("2010-06", Certainty::Surely), "w against ");
}

#[test]
fn an_effect_that_does_not_fit_is_told_with_what_it_met() {
    let increase = |id: &str, date: &str| {
        format!(
            r#"{{"id":"{id}","date":"{date}","effects":[{{"op":"increase","entity":"a","attribute":"b","value":5}}]}}"#
        )
    };
    let lines = [sets("x", "2010", "\"present\""), increase("y", "2011"), increase("before", "2009")];
    let log = Log::of(&lines.each_ref().map(String::as_str));
    let found = log.conflicts();
    let clash = &found.clashes[0];
    assert_eq!((found.clashes.len(), clash.event.id.as_str()), (1, "y"));
    assert_eq!((clash.stood.to_string(), clash.stood_by.as_str()), ("present".to_owned(), "x"));
    assert_eq!(clash.effect.to_string(), "a.b += 5");
    assert!(log.ask(&question("2010")).clashes.is_empty(), "it has not come yet");
}

/// Whether two events with these fields are taken for one.
fn are_one(a: &str, b: &str) -> bool {
    let line = |id: &str, fields: &str| format!(r#"{{"id":"{id}",{fields}}}"#);
    let log = Log::of(&[&line("x", a), &line("y", b)]);
    let groups: Vec<String> = log.conflicts().duplicates.iter().map(|group| ids(&group.events)).collect();
    assert!(groups.is_empty() || groups == ["x y"], "{groups:?}");
    !groups.is_empty()
}

#[test]
fn events_of_one_day_and_place_with_nearly_one_title_are_probably_one() {
    let check = |a: &str, b: &str, expect: bool| {
        assert_eq!(are_one(a, b), expect, "{a} / {b}");
        assert_eq!(are_one(b, a), expect, "{b} / {a}");
    };
    let arrives = |date: &str| format!(r#""date":"{date}","title":"UN peacekeepers arrive""#);
    let came = |date: &str| format!(r#""date":"{date}","title":"U.N. Peacekeepers arrived""#);
    for (a, b, expect) in [
        ("2004-06-01", "2004-06-01", true),
        ("2004", "2004", true),
        ("2004", "2004~", true),
        ("2004/2017", "2004/2017", true),
        ("{2004,2005}", "{2004,2005}", true),
        ("2004-06-01", "2004-06-02", false),
        ("2004-06-01", "2004-06", true),
        ("2004-06", "2004-06-30", true),
        ("2004-06-01T10:00:00", "2004-06-01", true),
        ("2004-06-01T10:00:00", "2004-06-01T11:00:00", false),
        ("2004-06-15", "2004", false),
        ("2004-06-15/2004-07-10", "2004-07-01", true),
        ("2004/2017", "2004/2018", false),
        ("Y-290000000000/Y290000000000", "Y-290000000000/Y290000000000", true),
        ("2016/..", "2016/..", true),
    ] {
        check(&arrives(a), &came(b), expect);
    }
    check(r#""title":"UN peacekeepers arrive""#, r#""title":"UN peacekeepers arrive""#, false);
    let with = |field: &str| format!("{},{field}", arrives("2004-06-01"));
    let place = |name: &str| with(&format!(r#""place":{{"name":"{name}"}}"#));
    check(&place("Haiti"), &place("haiti"), true);
    check(&place("Haiti"), &place("Chad"), false);
    check(&place("Haiti"), &arrives("2004-06-01"), true);
    let actor = |name: &str| with(&format!(r#""actors":[{{"name":"{name}"}}]"#));
    check(&actor("Kenya"), &actor("KENYA"), true);
    check(&actor("Kenya"), &actor("Jamaica"), false);
    check(&actor("Kenya"), &arrives("2004-06-01"), true);
    let changes = |entities: &[&str]| {
        let effect = |e: &&str| format!(r#"{{"op":"clear","entity":"{e}","attribute":"b"}}"#);
        with(&format!(r#""effects":[{}]"#, entities.iter().map(effect).collect::<Vec<_>>().join(",")))
    };
    check(&changes(&["catalogue", "CVE-1"]), &changes(&["catalogue", "CVE-2"]), false);
    check(&changes(&["catalogue", "CVE-1"]), &changes(&["CVE-1"]), true);
    check(&changes(&["CVE-1"]), &arrives("2004-06-01"), true);
    let linked = with(r#""links":[{"rel":"distinct-from","to":"y"}]"#);
    assert!(!are_one(&linked, &arrives("2004-06-01")), "who linked them knows that they are two");
}

#[test]
fn hundreds_of_titles_from_one_template_are_not_taken_for_one() {
    let line = |n: usize| {
        format!(r#"{{"id":"e{n}","date":"2021-11-03","title":"CVE-2021-{n} is added to the catalogue"}}"#)
    };
    let lines: Vec<String> = (0..500).map(line).collect();
    let found = Log::of(&lines.iter().map(String::as_str).collect::<Vec<_>>()).conflicts();
    assert_eq!((found.found, found.crowded_days), (0, 0));
}

#[test]
fn a_crowded_day_is_compared_by_the_order_of_titles_and_said_to_be() {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n).unwrap()).to_string().repeat(5);
    let line = |n: usize| {
        let name = letter(n / 26) + &letter(n % 26);
        format!(r#"{{"id":"e{n}","date":"2021-11-03","title":"{name} {name} {name}"}}"#)
    };
    let mut lines: Vec<String> = (0..=MOST_COMPARED).map(line).collect();
    lines.push(lines[17].replace("e17", "again"));
    let found = Log::of(&lines.iter().map(String::as_str).collect::<Vec<_>>()).conflicts();
    assert_eq!(found.duplicates.len(), 1);
    assert_eq!(ids(&found.duplicates[0].events), "e17 again");
    assert_eq!(found.crowded_days, 1);
}

/// The signs of false precision in events with these dates, which quote nothing.
fn signs(dates: &[String]) -> Vec<(Sign, u64, u64, usize)> {
    let line = |(n, date): (usize, &String)| format!(r#"{{"id":"e{n}","date":"{date}","title":"{n}"}}"#);
    let lines: Vec<String> = dates.iter().enumerate().map(line).collect();
    let found = Log::of(&lines.iter().map(String::as_str).collect::<Vec<_>>()).conflicts();
    found.false_precision.iter().map(|s| (s.sign, s.found, s.of, s.events.len())).collect()
}

fn dates(january: u64, others: u64, tail: &str) -> Vec<String> {
    let january = (0..january).map(|n| format!("{:04}-01-01{tail}", 1900 + n));
    january.chain((0..others).map(|n| format!("{:04}-06-{:02}{tail}", 1000 + n / 28, n % 28 + 1))).collect()
}

#[test]
fn too_many_dates_on_1_january_look_like_years() {
    assert_eq!(signs(&dates(3, 100, "")), [(Sign::FirstOfJanuary, 3, 103, 3)]);
    assert_eq!(signs(&dates(3, 107, "")), [], "three of 110 are less than ten times one in 365");
    assert_eq!(signs(&dates(2, 0, "")), [], "two may be chance");
    assert_eq!(signs(&dates(3, 0, "~")), [], "the flag says it already");
    assert_eq!(signs(&dates(3, 0, "T00:00:00Z")), [(Sign::FirstOfJanuary, 3, 3, 3)]);
    assert_eq!(signs(&["1900".to_owned(), "1901-01".to_owned(), "1902".to_owned()]), []);
    assert_eq!(signs(&dates(10, 355, "")), [(Sign::FirstOfJanuary, 10, 365, 10)]);
    assert_eq!(signs(&dates(10, 356, "")), []);
}

#[test]
fn times_that_are_mostly_midnight_look_like_days() {
    let times = |midnights: usize, others: usize| {
        let day = |n: usize, time: &str| format!("2001-{:02}-{:02}T{time}", n / 20 + 2, n % 20 + 2);
        let midnights = (0..midnights).map(|n| day(n, "00:00:00"));
        midnights.chain((0..others).map(|n| day(n, "10:20:30Z"))).collect::<Vec<_>>()
    };
    assert_eq!(signs(&times(3, 3)), [(Sign::Midnight, 3, 6, 3)]);
    assert_eq!(signs(&times(3, 4)), []);
    assert_eq!(signs(&times(2, 0)), []);
}

#[test]
fn the_date_that_is_suggested_leaves_out_what_seems_made_up() {
    let suggested = |date: &str| {
        let lines =
            [date, "1901-01-01", "1902-01-01"].map(|date| format!(r#"{{"id":"{date}","date":"{date}"}}"#));
        let found = Log::of(&lines.each_ref().map(String::as_str)).conflicts();
        found.false_precision[0].events[0].suggested.clone()
    };
    for (date, expect) in [
        ("2004-01-01", "2004"),
        ("-0043-01-01", "-0043"),
        ("2004-01-01T00:00:00Z", "2004"),
        ("2004-01-01/2017-12-31", "2004/2017"),
        ("2004-01-01/2004-12-31", "2004"),
        ("2004-01-01/2017-06-30", "2004/2017-06-30"),
        ("2004-01-01/..", "2004/.."),
    ] {
        assert_eq!(suggested(date), expect);
        assert!(Date::parse(expect).is_ok());
    }
}

#[test]
fn the_words_of_an_event_confirm_its_day_or_give_it_away() {
    let suspects = |quote: &str, more: u64| {
        let quoted = format!(r#"{{"id":"q","date":"2004-01-01","sources":[{{"quote":"{quote}"}}]}}"#);
        let mut lines = vec![quoted];
        let others = dates(more, 0, "").into_iter();
        lines.extend(
            others.enumerate().map(|(n, date)| format!(r#"{{"id":"e{n}","date":"{date}","title":"{n}"}}"#)),
        );
        let found = Log::of(&lines.iter().map(String::as_str).collect::<Vec<_>>()).conflicts();
        let signs = found
            .false_precision
            .iter()
            .map(|s| (s.sign, s.events.iter().any(|e| e.event.id.as_str() == "q")));
        signs.collect::<Vec<_>>()
    };
    assert_eq!(suspects("They came in 2004.", 0), [(Sign::YearInSource, true)]);
    for named in ["on 1 January 2004", "le 1er janvier 2004", "since New Year 2004", "2004-01-01", "1.1.2004"]
    {
        assert_eq!(suspects(named, 0), [], "{named}");
        assert_eq!(suspects(named, 3), [(Sign::FirstOfJanuary, false)], "{named}");
    }
    assert_eq!(suspects("in January 2004", 0), [], "the month is more than the year");
    assert_eq!(suspects("in 2005", 0), []);
    assert_eq!(suspects("in 2004", 3), [(Sign::FirstOfJanuary, true)]);
}

/// The faults of a link from an event to another, each with a date.
fn faults(rel: &str, own: &str, other: &str) -> Vec<LinkFault> {
    let dated = |date: &str| if date.is_empty() { String::new() } else { format!(r#","date":"{date}""#) };
    let x = format!(r#"{{"id":"x"{},"title":"one","links":[{{"rel":"{rel}","to":"y"}}]}}"#, dated(own));
    let y = format!(r#"{{"id":"y"{},"title":"two"}}"#, dated(other));
    Log::of(&[&x, &y]).conflicts().links.iter().map(|link| link.fault).collect()
}

#[test]
fn a_link_is_contradicted_only_where_the_dates_leave_no_doubt() {
    let check = |rel: &str, own: &str, other: &str, is_contradicted: bool| {
        assert_eq!(faults(rel, own, other).len(), usize::from(is_contradicted), "{own} {rel} {other}");
    };
    for rel in ["caused-by", "follows", "after"] {
        check(rel, "2010", "2011", true);
        check(rel, "2010", "2010", false);
        check(rel, "2010", "2010-12-31", false);
        check(rel, "2010", "2009", false);
        check(rel, "2010", "2011/2012", true);
        check(rel, "2010/2012", "2011", true);
        check(rel, "[..2023]", "2020", false);
        check(rel, "2010", "", false);
    }
    for rel in ["causes", "precedes"] {
        check(rel, "2010", "2009", true);
        check(rel, "2010", "2010-06", false);
        check(rel, "2010", "2011", false);
    }
    check("before", "2010", "2004/2017", false);
    check("before", "2018", "2004/2017", true);
    check("before", "2017", "2004/2017", false);
    check("part-of", "2010", "2004/2017", false);
    check("part-of", "2018", "2004/2017", true);
    check("part-of", "2003", "2004/2017", true);
    check("about", "2003", "2004", false);
}

#[test]
fn a_link_to_nowhere_is_found_and_one_to_a_filtered_event_is_none() {
    let x = r#"{"id":"x","kind":"k","links":[{"rel":"about","to":"nobody"},{"rel":"about","to":"y"},{"rel":"about","to":"z"}]}"#;
    let lines = [
        x,
        r#"{"id":"y","title":"y"}"#,
        r#"{"id":"z","title":"z"}"#,
        r#"{"op":"retract","id":"z","reason":"no"}"#,
    ];
    let log = Log::of(&lines);
    let filtered =
        Question { filter: Filter { kind: vec!["k".to_owned()], ..Filter::default() }, ..question("2026") };
    for found in [log.conflicts(), log.ask(&filtered)] {
        let told: Vec<(&str, LinkFault)> =
            found.links.iter().map(|link| (link.to.as_str(), link.fault)).collect();
        assert_eq!(told, [("nobody", LinkFault::Missing), ("z", LinkFault::Withdrawn)]);
    }
}

/// Two events, one dated between them, and what was recorded then.
fn stale_after(date: &str, later: &[&str]) -> Conflicts {
    let between = format!(
        r#"{{"id":"x","date":"{date}","title":"x","links":[{{"rel":"after","to":"a"}},{{"rel":"before","to":"b"}}]}}"#
    );
    let mut log = Log::of(&[
        r#"{"id":"a","date":"2004","title":"a"}"#,
        r#"{"id":"b","date":"2010","title":"b"}"#,
        &between,
    ]);
    for line in later {
        log.record(line);
    }
    log.conflicts()
}

#[test]
fn a_computed_date_is_stale_once_what_it_was_computed_from_has_changed() {
    assert_eq!(stale_after("[2004..2010]", &[]).found, 0);
    let found = stale_after("[2004..2010]", &[r#"{"op":"revise","id":"a","date":"2005","title":"a"}"#]);
    assert_eq!(found.found, 1);
    let stale = &found.stale[0];
    assert_eq!((stale.event.id.as_str(), stale.dated_by), ("x", Seq(3)));
    assert_eq!(stale.today, Some(Date::parse("[2005..2010]").unwrap()));
    let because = &stale.because[0];
    assert_eq!((because.rel, because.to.as_str(), stale.because.len()), ("after", "a", 1));
    assert_eq!((because.then.seq, because.now.seq), (Seq(1), Seq(4)));
    assert_eq!(because.now.date, Some(Date::parse("2005").unwrap()));
}

#[test]
fn a_withdrawn_or_contradicting_event_leaves_nothing_to_compute() {
    for later in [
        r#"{"op":"retract","id":"a","reason":"no"}"#,
        r#"{"op":"revise","id":"a","date":"2015","title":"a"}"#,
        r#"{"op":"revise","id":"a","title":"a"}"#,
    ] {
        let found = stale_after("[2004..2010]", &[later]);
        assert_eq!((found.stale.len(), found.links.len()), (1, 0), "{later}: told once");
        assert_eq!(found.stale[0].today, None, "{later}");
    }
}

#[test]
fn dates_that_were_set_by_hand_or_still_fit_are_not_stale() {
    let revised = r#"{"op":"revise","id":"a","date":"2005","title":"a"}"#;
    assert_eq!(stale_after("2007", &[revised]).found, 0);
    let contradicted = stale_after("2004", &[revised]);
    assert_eq!((contradicted.stale.len(), contradicted.links.len()), (0, 1), "by hand, but no longer right");
    assert_eq!(
        stale_after("[2004..2010]", &[r#"{"op":"revise","id":"a","date":"2004","title":"A"}"#]).found,
        0
    );
    let back = r#"{"op":"revise","id":"a","date":"2004","title":"a"}"#;
    assert_eq!(stale_after("[2004..2010]", &[revised, back]).found, 0);
    let anew = r#"{"op":"revise","id":"x","date":"[2005..2010]","title":"x","links":[{"rel":"after","to":"a"},{"rel":"before","to":"b"}]}"#;
    assert_eq!(stale_after("[2004..2010]", &[revised, anew]).found, 0);
}

#[test]
fn a_corrected_title_does_not_hide_a_stale_date() {
    let revised = r#"{"op":"revise","id":"a","date":"2005","title":"a"}"#;
    let titled = r#"{"op":"revise","id":"x","date":"[2004..2010]","title":"X","links":[{"rel":"after","to":"a"},{"rel":"before","to":"b"}]}"#;
    let found = stale_after("[2004..2010]", &[revised, titled]);
    assert_eq!((found.stale.len(), found.stale[0].dated_by, found.stale[0].event.seq), (1, Seq(3), Seq(5)));
}

#[test]
fn entities_and_filters_choose_what_is_looked_at() {
    let other = |line: String| {
        line.replace("\"entity\":\"a\"", "\"entity\":\"other\"").replace("\"id\":\"", "\"id\":\"o")
    };
    let lines = [
        sets("x", "2010", "1"),
        sets("y", "2010", "2"),
        other(sets("x", "2012", "1")),
        other(sets("y", "2012", "2")),
    ];
    let log = Log::of(&lines.each_ref().map(String::as_str));
    assert_eq!((log.conflicts().events, log.conflicts().contested.len()), (4, 2));
    let asked = Question { entities: vec!["other".to_owned()], ..question("2026") };
    let found = log.ask(&asked);
    assert_eq!((found.events, found.contested.len()), (2, 1));
    assert_eq!(found.contested[0].entity, "other");
    let until = Filter { to: Some(Date::parse("2011").unwrap()), ..Filter::default() };
    let found = log.ask(&Question { filter: until, ..question("2026") });
    assert_eq!((found.events, found.contested[0].entity.as_str()), (2, "a"));
}

#[test]
fn the_json_form_has_all_lists_even_when_nothing_was_found() {
    let log = Log::of(&[&sets("x", "2010", "1")]);
    let json = serde_json::to_value(log.conflicts()).unwrap();
    assert_eq!(json["schema"], "annals/conflicts/1");
    for list in ["contested", "clashes", "duplicates", "false_precision", "links", "stale"] {
        assert_eq!(json[list], serde_json::json!([]), "{list}");
    }
    let log = Log::of(&[&sets("x", "2010", "1"), &sets("y", "2010", "[2]")]);
    let json = serde_json::to_value(log.conflicts()).unwrap();
    let claims = &json["contested"][0]["claims"];
    assert_eq!(
        (&claims[0]["id"], &claims[0]["value"], &claims[0]["stands"]),
        (&"x".into(), &1.into(), &false.into())
    );
    assert_eq!(claims[1]["value"], serde_json::json!([2]));
    let stood =
        Value::from_json(&serde_json::value::RawValue::from_string("[2]".to_owned()).unwrap()).unwrap();
    assert_eq!(log.conflicts().contested[0].claims[1].value, stood);
    assert!(log.conflicts().asked.as_of_until < Moment::INFINITY);
}
