//! Replay written a second time, from SPEC section 4 alone, to compare the engine with.
//!
//! Every answer is computed from all records, by sorting and folding; there is no index, no cache and no
//! shortcut. It shares the *types* of `annals_model` with the engine, and the bounds of a date
//! ([`Event::happenings`]) and the end of an as-of date ([`AsOf::until`](annals_model::AsOf::until)), but none
//! of the code that says which records count, which effects hold, in what order, and what comes of it. The
//! numbers in the comments are those of SPEC section 4; "Exactly" is its paragraph of that name.
//!
//! Left out on purpose: point 4 (alternatives, contested values, sureness) and the receipt. A filter is asked
//! with its own [`admits`](annals_model::Filter::admits), since section 4 says nothing of filters.

use std::collections::{BTreeMap, BTreeSet};

use annals_model::date::{Range, Span};
use annals_model::{
    Certainty, Change, Date, Event, EventId, KnownAt, Moment, Number, Op, Question, Record, Scalar, Seq,
    Snapshot, Tally, Value, When,
};

/// What the naive replay answers.
#[derive(Clone, Debug, PartialEq)]
pub struct NaiveAnswer {
    /// (entity, attribute) → the value, and the event of the last effect that changed it.
    pub state: BTreeMap<(String, String), (Value, EventId)>,
    /// The effects that did not fit, in the order entity, attribute, event, operation.
    pub clashes: Vec<(String, String, EventId, &'static str)>,
    /// The events that go on, by id.
    pub ongoing: Vec<(EventId, Certainty)>,
    /// How many events stand where.
    pub tally: Tally,
}

/// The part of the engine's answer that [`replay`] answers too, in the same form.
pub fn comparable(snapshot: &Snapshot) -> NaiveAnswer {
    let mut state = BTreeMap::new();
    for (entity, attributes) in &snapshot.state {
        assert!(!attributes.is_empty(), "an entity without attributes is not shown: {entity}");
        for (attribute, cell) in attributes {
            state.insert((entity.clone(), attribute.clone()), (cell.value.clone(), cell.by.clone()));
        }
    }
    let mut clashes = Vec::new();
    for clash in &snapshot.clashes {
        clashes.push((clash.entity.clone(), clash.attribute.clone(), clash.id.clone(), clash.op));
    }
    clashes.sort();
    let mut ongoing = Vec::new();
    for event in &snapshot.ongoing {
        ongoing.push((event.id.clone(), event.certainty));
    }
    ongoing.sort_by(|a, b| a.0.cmp(&b.0));
    NaiveAnswer { state, clashes, ongoing, tally: snapshot.events }
}

/// Answers a question from all the records of a log, in log order.
pub fn replay(records: &[Record], question: &Question) -> NaiveAnswer {
    let known = known_events(records, question);
    let live = known.live;
    let until = question.as_of.until();
    let effects = effects_that_hold(&live, until, question.certainty);
    let (mut state, mut clashes) = fold(&effects);
    if !question.entities.is_empty() {
        state.retain(|(entity, _), _| question.entities.contains(entity));
        clashes.retain(|(entity, _, _, _)| question.entities.contains(entity));
    }
    clashes.sort();
    NaiveAnswer {
        state,
        clashes,
        ongoing: ongoing(&live, until),
        tally: tally(&live, known.withdrawn, until),
    }
}

/// What the log said at K.
struct Known<'a> {
    live: Vec<Live<'a>>,
    withdrawn: u64,
}

/// An event that counts.
struct Live<'a> {
    /// Exactly: "Place in log = `seq` of the event's first record." Section 3: also after a revision.
    place: Seq,
    event: &'a Event,
}

/// 1: "Take the records with seq ≤ K. For each event its last version counts, unless retracted or redacted."
fn known_events<'a>(records: &'a [Record], question: &Question) -> Known<'a> {
    let mut ids = BTreeSet::new();
    for record in records {
        if counts(record, question) {
            ids.insert(record.id.clone());
        }
    }
    let mut known = Known { live: Vec::new(), withdrawn: 0 };
    for id in ids {
        let mut first = None;
        let mut last = None;
        for record in records {
            if record.id == id && counts(record, question) {
                first = first.or(Some(record));
                last = Some(record);
            }
        }
        let first = first.expect("because the id comes from such a record");
        let last = last.expect("because the id comes from such a record");
        let event = match last.op {
            Op::Retract | Op::Redact => None,
            // Section 3: "Revising a retracted event brings it back." "A redacted event counts at no K, since its
            // content is gone": then an append or a revision has no event any more.
            Op::Append | Op::Revise => last.content.event(),
        };
        match event {
            None => known.withdrawn += 1,
            Some(event) if question.filter.admits(event, question.certainty) => {
                known.live.push(Live { place: first.seq, event });
            }
            Some(_) => {}
        }
    }
    known
}

/// Section 4, first paragraph: the timeline; "K is an instant, a date (its end, UTC), or a position"; a date has
/// been turned to the instant that ends it when the question was read.
fn counts(record: &Record, question: &Question) -> bool {
    let known = match question.known_at {
        KnownAt::Everything => true,
        KnownAt::Position(position) => record.seq.0 <= position.0,
        KnownAt::At(instant) => record.recorded_at.micros() <= instant.micros(),
    };
    known && record.timeline == question.timeline
}

/// An effect of one happening of an event, with all that its order depends on.
struct Holding<'a> {
    earliest: Moment,
    latest: Moment,
    place: Seq,
    /// Whether it comes at the end of an interval.
    ends: bool,
    /// What counts as the latest for how coarse the date is.
    reach: Moment,
    position: usize,
    id: &'a EventId,
    entity: &'a str,
    attribute: &'a str,
    change: &'a Change,
}

/// 2: which effects hold at D; and 3: in which order they come.
fn effects_that_hold<'a>(live: &[Live<'a>], until: Moment, certainty: Certainty) -> Vec<Holding<'a>> {
    let mut holding = Vec::new();
    for Live { place, event } in live {
        let is_interval = event.date.as_ref().is_some_and(Date::is_interval);
        // Exactly: "each member of a `{…}` set being a happening of its own".
        for span in event.happenings() {
            for (position, effect) in event.effects.iter().enumerate() {
                if !holds(span, effect.when, until, certainty) {
                    continue;
                }
                let Range { earliest, latest } = bounds(span, effect.when);
                let ends = is_interval && effect.when == When::End;
                holding.push(Holding {
                    earliest,
                    latest,
                    place: *place,
                    ends,
                    reach: if ends && earliest == span.start.earliest { span.start.latest } else { latest },
                    position,
                    id: &event.id,
                    entity: &effect.entity,
                    attribute: &effect.attribute,
                    change: &effect.change,
                });
            }
        }
    }
    match certainty {
        // Exactly: "for `surely` the order is (latest, earliest, place in log, position in the event)".
        Certainty::Surely => holding.sort_by(|a, b| {
            let by_moment = a.latest.cmp(&b.latest).then(a.earliest.cmp(&b.earliest));
            by_moment.then(a.place.cmp(&b.place)).then(a.ends.cmp(&b.ends)).then(a.position.cmp(&b.position))
        }),
        // Exactly: "for `possibly` (earliest, latest descending, place, position)".
        Certainty::Possibly => holding.sort_by(|a, b| {
            let by_moment = a.earliest.cmp(&b.earliest).then(b.reach.cmp(&a.reach));
            by_moment.then(a.place.cmp(&b.place)).then(a.ends.cmp(&b.ends)).then(a.position.cmp(&b.position))
        }),
    }
    holding
}

/// 2: "`when: start` looks at the two start bounds, `end` at the two end bounds." Exactly: a `during` effect takes
/// part "at the moment of its start".
fn bounds(span: &Span, when: When) -> Range {
    match when {
        When::Start | When::During => span.start,
        When::End => span.end,
    }
}

/// Whether an effect takes part in the fold.
fn holds(span: &Span, when: When, until: Moment, certainty: Certainty) -> bool {
    let Range { earliest, latest } = bounds(span, when);
    match (when, certainty) {
        // 2: "An effect surely holds at D when the latest moment that its date allows for it is ≤ D".
        (When::Start | When::End, Certainty::Surely) => latest <= until,
        // 2: "it possibly holds when the earliest is".
        (When::Start | When::End, Certainty::Possibly) => earliest <= until,
        // Exactly: "A `during` effect takes part only while it holds".
        (When::During, _) => covers(span, until, certainty),
    }
}

/// 5 and Exactly: "surely when start no later ≤ D ≤ end no earlier, possibly when start no earlier ≤ D ≤ end no
/// later".
fn covers(span: &Span, until: Moment, certainty: Certainty) -> bool {
    match certainty {
        Certainty::Surely => span.start.latest <= until && until <= span.end.earliest,
        Certainty::Possibly => span.start.earliest <= until && until <= span.end.latest,
    }
}

type State = BTreeMap<(String, String), (Value, EventId)>;
type Clashes = Vec<(String, String, EventId, &'static str)>;

/// 3: "The value is the fold of the effects that hold".
fn fold(effects: &[Holding<'_>]) -> (State, Clashes) {
    let mut state = State::new();
    let mut clashes = Clashes::new();
    for effect in effects {
        let key = (effect.entity.to_owned(), effect.attribute.to_owned());
        let stands = state.get(&key).map(|(value, _)| value.clone());
        match apply(stands.as_ref(), effect.change) {
            Applied::Stands(value) => {
                state.insert(key, (value, effect.id.clone()));
            }
            // Exactly: "only `clear` makes an attribute absent".
            Applied::Absent => {
                state.remove(&key);
            }
            Applied::Unchanged => {}
            // 3: "An effect that does not fit what stands (`increase` on text) changes nothing and is listed as a
            // clash."
            Applied::Clash => {
                clashes.push((key.0, key.1, effect.id.clone(), effect.change.op()));
            }
        }
    }
    (state, clashes)
}

/// What an effect comes to.
enum Applied {
    /// The value stands from now on, and this effect decided it.
    Stands(Value),
    /// Nothing stands any more.
    Absent,
    /// What stood still stands, and what decided it decides it still.
    Unchanged,
    /// The effect did not fit.
    Clash,
}

fn apply(stands: Option<&Value>, change: &Change) -> Applied {
    match change {
        // 3: "`set` and `clear` replace what stands".
        Change::Set(value) => Applied::Stands(value.clone()),
        Change::Clear => Applied::Absent,
        // 3: "`increase` adds to the number (absent = 0)".
        Change::Increase(by) => match stands {
            None => add_up(Number::ZERO, *by, true),
            Some(Value::Scalar(Scalar::Number(number))) => add_up(*number, *by, false),
            Some(_) => Applied::Clash,
        },
        // 3: "`add` and `remove` change the set (absent = empty)".
        Change::Add(member) => match stands {
            None => Applied::Stands(Value::Set(BTreeSet::from([member.clone()]))),
            Some(Value::Set(members)) if members.contains(member) => Applied::Unchanged,
            Some(Value::Set(members)) => {
                let mut members = members.clone();
                members.insert(member.clone());
                Applied::Stands(Value::Set(members))
            }
            Some(Value::Scalar(_)) => Applied::Clash,
        },
        Change::Remove(member) => match stands {
            // Exactly: "`remove` on an absent attribute changes nothing".
            None => Applied::Unchanged,
            Some(Value::Set(members)) if !members.contains(member) => Applied::Unchanged,
            // Exactly: "a set that loses its last member stays as `[]`".
            Some(Value::Set(members)) => {
                let mut members = members.clone();
                members.remove(member);
                Applied::Stands(Value::Set(members))
            }
            Some(Value::Scalar(_)) => Applied::Clash,
        },
    }
}

/// A sum that does not fit the number type is an effect that does not fit what stands; an increase by nothing
/// changes nothing, but for making an absent number 0.
fn add_up(number: Number, by: Number, was_absent: bool) -> Applied {
    match number.checked_add(by) {
        None => Applied::Clash,
        Some(sum) if sum == number && !was_absent => Applied::Unchanged,
        Some(sum) => Applied::Stands(Value::Scalar(Scalar::Number(sum))),
    }
}

/// 5: "Ongoing at D: events whose span surely … or possibly covers D": both are listed, whichever was asked.
fn ongoing(live: &[Live<'_>], until: Moment) -> Vec<(EventId, Certainty)> {
    let mut ongoing = Vec::new();
    for Live { event, .. } in live {
        let any = |certainty| event.happenings().iter().any(|span| covers(span, until, certainty));
        if any(Certainty::Surely) {
            ongoing.push((event.id.clone(), Certainty::Surely));
        } else if any(Certainty::Possibly) {
            ongoing.push((event.id.clone(), Certainty::Possibly));
        }
    }
    ongoing.sort_by(|a, b| a.0.cmp(&b.0));
    ongoing
}

/// An event had happened when one of its happenings had begun.
fn tally(live: &[Live<'_>], withdrawn: u64, until: Moment) -> Tally {
    let mut tally = Tally { applied: 0, possible: 0, later: 0, retracted: withdrawn };
    for Live { event, .. } in live {
        let began =
            |certainty| event.happenings().iter().any(|span| holds(span, When::Start, until, certainty));
        if began(Certainty::Surely) {
            tally.applied += 1;
        } else if began(Certainty::Possibly) {
            tally.possible += 1;
        } else {
            tally.later += 1;
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use annals_model::{AsOf, Content, Effect, RecordedAt, TimelineName};

    use super::*;

    const X: (&str, &str) = ("e", "x");

    fn scalar(text: &str) -> Scalar {
        Scalar::from_plain(text).unwrap()
    }

    /// `set`, `clear`, `add`, `remove` or `increase` of `e.x`, at the start of the date unless it says otherwise.
    fn effect(text: &str) -> Effect {
        let (text, when) = match text.split_once(" @") {
            Some((text, "end")) => (text, When::End),
            Some((text, _)) => (text, When::During),
            None => (text, When::Start),
        };
        let (op, value) = text.split_once(' ').unwrap_or((text, ""));
        let change = match (op, scalar(value)) {
            ("set", value) => Change::Set(Value::Scalar(value)),
            ("clear", _) => Change::Clear,
            ("add", value) => Change::Add(value),
            ("remove", value) => Change::Remove(value),
            ("increase", Scalar::Number(by)) => Change::Increase(by),
            other => panic!("{other:?}"),
        };
        Effect { entity: X.0.to_owned(), attribute: X.1.to_owned(), change, when }
    }

    /// An id, an operation, a date (`-` for none) and effects; a record time of one microsecond per record.
    fn log(lines: &[(&str, Op, &str, &[&str])]) -> Vec<Record> {
        let record = |(number, (id, op, date, effects)): (u64, &(&str, Op, &str, &[&str]))| {
            let id = EventId::new(*id).unwrap();
            let mut event = Event::new(id.clone(), "title");
            event.date = (*date != "-").then(|| Date::parse(date).unwrap());
            event.effects = effects.iter().map(|text| effect(text)).collect();
            let content = match op {
                Op::Append | Op::Revise => Content::Event(Box::new(event)),
                Op::Retract | Op::Redact => Content::Reason("wrong".to_owned()),
            };
            Record {
                seq: Seq(number),
                recorded_at: RecordedAt::from_micros(i64::try_from(number).unwrap()),
                recorded_by: "me".to_owned(),
                timeline: TimelineName::new("main").unwrap(),
                id,
                op: *op,
                content,
            }
        };
        (1..).zip(lines).map(record).collect()
    }

    fn ask(as_of: &str, known_at: KnownAt, certainty: Certainty) -> Question {
        Question {
            timeline: TimelineName::new("main").unwrap(),
            as_of: AsOf::new(Date::parse(as_of).unwrap()).unwrap(),
            known_at,
            certainty,
            filter: annals_model::Filter::default(),
            entities: Vec::new(),
        }
    }

    /// `value by id`, `absent`, and the clashes behind a bar.
    fn shown(answer: &NaiveAnswer) -> String {
        let key = (X.0.to_owned(), X.1.to_owned());
        let mut parts = vec![match answer.state.get(&key) {
            Some((value, by)) => format!("{value} by {by}"),
            None => "absent".to_owned(),
        }];
        parts.extend(answer.clashes.iter().map(|(_, _, id, op)| format!("{op} of {id}")));
        parts.join(" | ")
    }

    fn check(lines: &[(&str, Op, &str, &[&str])], as_of: &str, surely: &str, possibly: &str) {
        let records = log(lines);
        for (certainty, expect) in [(Certainty::Surely, surely), (Certainty::Possibly, possibly)] {
            let answer = replay(&records, &ask(as_of, KnownAt::Everything, certainty));
            assert_eq!(shown(&answer), expect, "{certainty} as of {as_of}");
        }
    }

    use Op::{Append, Redact, Retract, Revise};

    #[test]
    fn an_effect_holds_surely_at_its_latest_and_possibly_at_its_earliest() {
        let year: &[(&str, Op, &str, &[&str])] = &[("a", Append, "2004", &["set p"])];
        check(year, "2003-12-31", "absent", "absent");
        check(year, "2004-01-01T00:00:00", "absent", "p by a");
        check(year, "2004-12-31T23:59:58", "absent", "p by a");
        check(year, "2004", "p by a", "p by a");
        check(&[("a", Append, "-", &["set p"])], "9999", "absent", "p by a");
        check(&[("a", Append, "2004/..", &["set p @end"])], "9999", "absent", "absent");
        check(&[("a", Append, "2004/", &["set p @end"])], "9999", "absent", "p by a");
        check(&[("a", Append, "../2004", &["set p"])], "-0300", "p by a", "p by a");
        check(&[("a", Append, "/2004", &["set p"])], "-0300", "absent", "p by a");
    }

    #[test]
    fn a_during_effect_lapses_and_what_stood_below_shows_again() {
        let log: &[(&str, Op, &str, &[&str])] =
            &[("a", Append, "2003-05-02/2005-05-02", &["set p @during"]), ("b", Append, "2001", &["set q"])];
        check(log, "2003-05-01", "q by b", "q by b");
        check(log, "2003-05-02T12:00:00", "q by b", "p by a");
        check(log, "2003-05-02", "p by a", "p by a");
        check(log, "2005-05-02T00:00:00", "p by a", "p by a");
        check(log, "2005-05-02", "q by b", "p by a");
        check(log, "2005-05-03", "q by b", "q by b");
    }

    #[test]
    fn the_order_is_moment_then_coarseness_then_place_then_position() {
        let log: &[(&str, Op, &str, &[&str])] = &[
            ("day", Append, "2004-12-31", &["set 1"]),
            ("year", Append, "2004", &["set 2"]),
            ("again", Append, "2004-12-31", &["set 3", "set 4"]),
        ];
        check(log, "2005", "4 by again", "4 by again");
        let log: &[(&str, Op, &str, &[&str])] =
            &[("day", Append, "2004-01-01", &["set 1"]), ("year", Append, "2004", &["set 2"])];
        check(log, "2005", "2 by year", "1 by day");
        let revised: &[(&str, Op, &str, &[&str])] = &[
            ("a", Append, "2001", &["set 1"]),
            ("b", Append, "2004", &["set 2"]),
            ("a", Revise, "2004", &["set 3"]),
        ];
        check(revised, "2005", "2 by b", "2 by b");
    }

    #[test]
    fn values_are_folded_and_what_does_not_fit_is_a_clash() {
        let fold =
            |effects: &[&str], expect: &str| check(&[("a", Append, "2004", effects)], "2004", expect, expect);
        fold(&["remove p"], "absent");
        fold(&["add p", "remove p"], "{} by a");
        fold(&["add p", "clear"], "absent");
        fold(&["increase 2", "increase -3"], "-1 by a");
        fold(
            &["set p", "increase 2", "add q", "remove p"],
            "p by a | add of a | increase of a | remove of a",
        );
        check(&[("a", Append, "{2001,2003}", &["increase 2"])], "2002", "2 by a", "2 by a");
        check(&[("a", Append, "{2001,2003}", &["increase 2"])], "2003", "4 by a", "4 by a");
        let decides = |second: &str, expect: &str| {
            check(
                &[("a", Append, "2001", &["add p"]), ("b", Append, "2002", &[second])],
                "2004",
                expect,
                expect,
            );
        };
        decides("add p", "{p} by a");
        decides("remove q", "{p} by a");
        decides("remove p", "{} by b");
        decides("clear", "absent");
    }

    #[test]
    fn the_last_version_known_counts_unless_it_was_withdrawn() {
        let records = log(&[
            ("a", Append, "2001", &["set 1"]),
            ("a", Revise, "2001", &["set 2"]),
            ("a", Retract, "-", &[]),
            ("a", Revise, "2001", &["set 3"]),
        ]);
        for (seq, expect) in [(0, "absent"), (1, "1 by a"), (2, "2 by a"), (3, "absent"), (4, "3 by a")] {
            let at = KnownAt::At(RecordedAt::from_micros(i64::try_from(seq).unwrap()));
            for known_at in [KnownAt::Position(Seq(seq)), at] {
                let answer = replay(&records, &ask("2001", known_at, Certainty::Surely));
                assert_eq!(shown(&answer), expect, "{known_at:?}");
                assert_eq!(answer.tally.retracted, u64::from(seq == 3));
            }
        }
    }

    #[test]
    fn a_redacted_event_counts_at_no_k() {
        let mut records = log(&[("a", Append, "2001", &["set 1"]), ("a", Redact, "-", &[])]);
        records[0].content = Content::Redacted;
        for known_at in [KnownAt::Everything, KnownAt::Position(Seq(1))] {
            let answer = replay(&records, &ask("2001", known_at, Certainty::Possibly));
            assert_eq!((shown(&answer).as_str(), answer.tally.retracted), ("absent", 1));
        }
    }

    #[test]
    fn what_goes_on_is_listed_surely_or_possibly() {
        let records = log(&[
            ("open", Append, "2001-05-02/..", &[]),
            ("unknown", Append, "2001-05-02/", &[]),
            ("over", Append, "2001/2002", &[]),
            ("two", Append, "{2001,2004}", &[]),
            ("undated", Append, "-", &[]),
        ]);
        let answer = replay(&records, &ask("2003", KnownAt::Everything, Certainty::Surely));
        let ids: Vec<_> = answer.ongoing.iter().map(|(id, certainty)| format!("{id} {certainty}")).collect();
        assert_eq!(ids, ["open surely", "undated possibly", "unknown possibly"]);
        assert_eq!(answer.tally, Tally { applied: 4, possible: 1, later: 0, retracted: 0 });
    }
}
