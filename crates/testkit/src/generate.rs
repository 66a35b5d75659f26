//! Random dates, effects, events, sessions and questions.
//!
//! The values come from small grids, so that what is rare in the world is common here: dates that share a bound,
//! as-of dates that hit one exactly, effects that do not fit what stands, events that are corrected, withdrawn
//! and brought back. All of it shrinks: towards 1999, towards no effects, towards fewer and simpler writes.
//!
//! A [`Session`] is what one or more people record, batch after batch; it is made of steps that say "the third
//! event there is", so that it stays a valid session while it shrinks. [`Asked`] is a question that says "as
//! known at the second half of the log", and becomes a [`Question`] when the records are there.

use std::collections::BTreeSet;
use std::fmt;

use annals_core::{Log, Store, WriteOptions};
use annals_model::date::Span;
use annals_model::{
    AsOf, Certainty, Change, Date, Effect, Entry, Event, EventId, Filter, KnownAt, Moment, Number, Question,
    Record, RecordedAt, Scalar, Seq, TimelineName, Value, When, Write, Written, days_in_month,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::TestHost;

/// The timelines that sessions write to.
pub const TIMELINES: [&str; 2] = ["alpha", "beta"];
/// The entities that events change.
pub const ENTITIES: [&str; 3] = ["a", "b", "c"];
/// The attributes that events change.
pub const ATTRIBUTES: [&str; 3] = ["x", "y", "z"];

const FIRST_YEAR: i64 = 1999;
const LAST_YEAR: i64 = 2012;

/// Any date, often an awkward one.
pub fn dates() -> BoxedStrategy<Date> {
    let texts = prop_oneof![
        6 => parts(),
        1 => flagged(),
        1 => masked(),
        1 => seasons(),
        2 => date_times(),
        4 => intervals(),
        3 => half_intervals(),
        2 => one_of(),
        3 => all_of(),
        1 => far(),
    ];
    texts.prop_map(|text| date(&text)).boxed()
}

/// A day, a month or a year.
fn parts() -> BoxedStrategy<String> {
    prop_oneof![3 => years(), 2 => months(), 3 => days()].boxed()
}

fn year_numbers() -> impl Strategy<Value = i64> {
    FIRST_YEAR..=LAST_YEAR
}

fn years() -> impl Strategy<Value = String> {
    year_numbers().prop_map(|year| year.to_string())
}

/// Months at the ends and in the middle of a year, so that they often share a bound with it.
fn month_numbers() -> impl Strategy<Value = u8> {
    select(vec![1, 2, 6, 12])
}

fn months() -> impl Strategy<Value = String> {
    (year_numbers(), month_numbers()).prop_map(|(year, month)| format!("{year}-{month:02}"))
}

/// Days at the ends and in the middle of a month; 31 stands for the last.
fn days() -> impl Strategy<Value = String> {
    (year_numbers(), month_numbers(), select(vec![1, 2, 15, 31])).prop_map(|(year, month, day)| {
        format!("{year}-{month:02}-{:02}", days_in_month(year, month).min(day))
    })
}

fn flagged() -> impl Strategy<Value = String> {
    (parts(), select(vec!["?", "~", "%"])).prop_map(|(part, flag)| format!("{part}{flag}"))
}

fn masked() -> impl Strategy<Value = String> {
    let fixed = select(vec!["199X", "200X", "201X", "20XX"]).prop_map(str::to_owned);
    let within = (year_numbers(), select(vec!["XX", "1X", "XX-XX", "06-XX", "12-3X"]));
    prop_oneof![fixed, within.prop_map(|(year, mask)| format!("{year}-{mask}"))]
}

fn seasons() -> impl Strategy<Value = String> {
    let numbers = prop_oneof![21..=24_u8, 29..=41_u8];
    (year_numbers(), numbers).prop_map(|(year, season)| format!("{year}-{season}"))
}

fn date_times() -> impl Strategy<Value = String> {
    let times = select(vec!["T00:00:00", "T12:00:00", "T23:59:59", "T24:00:00"]);
    let offsets = select(vec!["", "Z", "+02:00", "-05:00"]);
    (days(), times, offsets).prop_map(|(day, time, offset)| format!("{day}{time}{offset}"))
}

/// What may stand on one side of an interval.
fn sides() -> impl Strategy<Value = String> {
    prop_oneof![4 => parts(), 1 => flagged(), 1 => seasons()]
}

fn intervals() -> impl Strategy<Value = String> {
    (sides(), sides()).prop_map(|(a, b)| {
        let (forward, backward) = (format!("{a}/{b}"), format!("{b}/{a}"));
        if Date::parse(&forward).is_ok() { forward } else { backward }
    })
}

fn half_intervals() -> impl Strategy<Value = String> {
    let frames = select(vec![("", "/.."), ("", "/"), ("../", ""), ("/", "")]);
    let half = (frames, sides()).prop_map(|((before, after), side)| format!("{before}{side}{after}"));
    let bare = select(vec!["../..", "/", "../", "/.."]).prop_map(str::to_owned);
    prop_oneof![8 => half, 1 => bare]
}

/// `[…]`: one happening.
fn one_of() -> impl Strategy<Value = String> {
    prop_oneof![
        year_ranges().prop_map(|range| format!("[{range}]")),
        vec(parts(), 1..4).prop_map(|members| format!("[{}]", in_order(members).join(","))),
        parts().prop_map(|part| format!("[..{part}]")),
        parts().prop_map(|part| format!("[{part}..]")),
    ]
}

/// `{…}`: a happening for each member.
fn all_of() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => vec(parts(), 1..4).prop_map(|members| format!("{{{}}}", members.join(","))),
        2 => year_ranges().prop_map(|range| format!("{{{range}}}")),
        1 => parts().prop_map(|part| format!("{{..{part}}}")),
        1 => parts().prop_map(|part| format!("{{{part}..}}")),
    ]
}

fn year_ranges() -> impl Strategy<Value = String> {
    (year_numbers(), 1..4_i64).prop_map(|(year, more)| format!("{year}..{}", year + more))
}

fn in_order(mut members: Vec<String>) -> Vec<String> {
    members.sort();
    members
}

/// Dates before our era, long before, and long after.
fn far() -> impl Strategy<Value = String> {
    let texts = vec![
        "-0043-03-15",
        "-0044",
        "0000",
        "-01XX",
        "-0300/0100",
        "{-0044,2004}",
        "Y-17E7",
        "Y-170000000/..",
        "Y20000",
    ];
    select(texts).prop_map(str::to_owned)
}

/// A date that the generators wrote themselves.
fn date(text: &str) -> Date {
    Date::parse(text).unwrap_or_else(|error| panic!("the generator wrote {text}: {error}"))
}

/// As-of dates: a year, a month, a day, a second, or now and then something far away.
pub fn as_of_dates() -> BoxedStrategy<AsOf> {
    let texts = prop_oneof![
        3 => years(),
        3 => months(),
        4 => days(),
        3 => date_times(),
        1 => select(vec!["200X", "2004-24", "-0044", "0000", "9999", "Y-17E7"]).prop_map(str::to_owned),
    ];
    texts.prop_map(|text| AsOf::new(date(&text)).unwrap_or_else(|error| panic!("{text}: {error}"))).boxed()
}

/// Single values: few of them, so that sets meet their own members and numbers cancel out.
pub fn scalars() -> BoxedStrategy<Scalar> {
    prop_oneof![
        numbers().prop_map(Scalar::Number),
        select(vec!["p", "q"]).prop_map(|text| Scalar::Text(text.into())),
        any::<bool>().prop_map(Scalar::Bool),
    ]
    .boxed()
}

fn numbers() -> impl Strategy<Value = Number> {
    select(vec!["0", "1", "2", "-1", "0.5"]).prop_map(|text| text.parse().unwrap())
}

/// Effects on [`ENTITIES`] and [`ATTRIBUTES`]. `x` mostly holds sets and `y` numbers, so that their effects often
/// fit; `z` holds anything, so that they often do not.
pub fn effects() -> BoxedStrategy<Effect> {
    let anything = prop_oneof![
        3 => scalars().prop_map(|scalar| Change::Set(scalar.into())),
        2 => sets().prop_map(Change::Set),
        1 => Just(Change::Clear),
        3 => scalars().prop_map(Change::Add),
        2 => scalars().prop_map(Change::Remove),
        3 => numbers().prop_map(Change::Increase),
    ]
    .boxed();
    let on_a_set = prop_oneof![
        2 => sets().prop_map(Change::Set),
        4 => scalars().prop_map(Change::Add),
        3 => scalars().prop_map(Change::Remove),
        1 => anything.clone(),
    ];
    let on_a_number = prop_oneof![
        2 => numbers().prop_map(|number| Change::Set(Scalar::Number(number).into())),
        5 => numbers().prop_map(Change::Increase),
        1 => anything.clone(),
    ];
    let changes = prop_oneof![
        on_a_set.prop_map(|change| ("x", change)),
        on_a_number.prop_map(|change| ("y", change)),
        anything.prop_map(|change| ("z", change)),
    ];
    let whens = prop_oneof![4 => Just(When::Start), 2 => Just(When::End), 2 => Just(When::During)];
    (select(ENTITIES.to_vec()), changes, whens)
        .prop_map(|(entity, (attribute, change), when)| {
            let lapses = matches!(change, Change::Set(_) | Change::Add(_));
            let when = if when == When::During && !lapses { When::Start } else { when };
            Effect { entity: entity.to_owned(), attribute: attribute.to_owned(), change, when }
        })
        .boxed()
}

fn sets() -> impl Strategy<Value = Value> {
    vec(scalars(), 0..3).prop_map(|members| Value::Set(members.into_iter().collect::<BTreeSet<_>>()))
}

/// What an event claims, before it has an id.
#[derive(Clone, Debug)]
pub struct Claim {
    /// When it happened.
    pub date: Option<Date>,
    /// What it did.
    pub effects: Vec<Effect>,
}

impl Claim {
    /// The event that claims it.
    pub fn event(self, id: EventId) -> Event {
        let title = format!("What happened in {id}");
        Event { date: self.date, effects: self.effects, ..Event::new(id, title) }
    }
}

fn claims() -> impl Strategy<Value = Claim> {
    let dates = prop_oneof![1 => Just(None), 14 => dates().prop_map(Some)];
    (dates, vec(effects(), 0..4)).prop_map(|(date, effects)| Claim { date, effects })
}

/// The `number`th event's id; the order of ids is not the order of numbers.
pub fn event_id(number: usize) -> EventId {
    let letters = ["q", "d", "z", "a", "j", "m", "w", "c"];
    EventId::new(format!("{}{number}", letters[number % letters.len()])).unwrap()
}

/// Events with ids of their own choosing, for tests that need no session.
pub fn events() -> BoxedStrategy<Event> {
    (0..20_usize, claims()).prop_map(|(number, claim)| claim.event(event_id(number))).boxed()
}

/// One to eight events that follow each other: whatever moments their dates allow, each is over before the next
/// begins. They come in the order of their dates.
pub fn disjoint_events() -> BoxedStrategy<Vec<Event>> {
    vec((any::<Index>(), vec(effects(), 0..4)), 1..8)
        .prop_map(|claims| {
            let number_and_event = |(number, (form, effects)): (usize, (Index, Vec<Effect>))| {
                let year = FIRST_YEAR + i64::try_from(number).unwrap();
                let date = Some(date(&form.get(&WITHIN_A_YEAR).replace("YEAR", &year.to_string())));
                Claim { date, effects }.event(event_id(number))
            };
            claims.into_iter().enumerate().map(number_and_event).collect()
        })
        .boxed()
}

const WITHIN_A_YEAR: [&str; 12] = [
    "YEAR",
    "YEAR-02",
    "YEAR-12-31",
    "YEAR-01-01T00:00:00",
    "YEAR~",
    "YEAR-XX-XX",
    "YEAR/YEAR",
    "YEAR-01/YEAR-12-31",
    "YEAR-02-01/YEAR",
    "[YEAR-01-01,YEAR-12]",
    "{YEAR-01,YEAR-06-15,YEAR-12}",
    "{YEAR-01..YEAR-03}",
];

/// What people record, batch after batch.
#[derive(Clone)]
pub struct Session {
    /// The batches, in the order in which they are written.
    pub batches: Vec<Batch>,
}

/// What is written at once.
#[derive(Clone)]
pub struct Batch {
    /// What the clock shows; it may have been set back since the batch before.
    pub at: RecordedAt,
    /// What is written; never empty.
    pub entries: Vec<Entry>,
}

impl Batch {
    /// Writes the batch.
    pub fn write<L: Log>(&self, store: &Store<L>, host: &TestHost) -> Vec<Written> {
        host.set_now(self.at);
        let written = store.write(self.entries.clone(), host, &WriteOptions::by("a generator"));
        written.unwrap_or_else(|failed| panic!("a generated batch was refused: {failed}\n{self:?}"))
    }
}

impl Session {
    /// Writes all batches.
    pub fn write<L: Log>(&self, store: &Store<L>, host: &TestHost) {
        for batch in &self.batches {
            batch.write(store, host);
        }
    }

    /// All entries, whatever their batch, to be changed in place.
    pub fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.batches.iter_mut().flat_map(|batch| &mut batch.entries)
    }
}

/// One line for each entry, so that a failing session can be read.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.batches.iter().try_for_each(|batch| fmt::Debug::fmt(batch, f))
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nat {}", self.at)?;
        for Entry { timeline, write, .. } in &self.entries {
            let (op, event) = match write {
                Write::Append(event) => ("append", event),
                Write::Revise(event) => ("revise", event),
                Write::Retract { id, .. } => {
                    writeln!(f, "  {timeline}: retract {id}")?;
                    continue;
                }
                Write::Redact { id, .. } | Write::Erased { id, .. } => {
                    writeln!(f, "  {timeline}: redact {id}")?;
                    continue;
                }
            };
            let date = event.date.as_ref().map_or("no date", Date::as_str);
            writeln!(f, "  {timeline}: {op} {} ({date})", event.id)?;
            event.effects.iter().try_for_each(|effect| writeln!(f, "    {effect}"))?;
        }
        Ok(())
    }
}

/// A step of a session, before it is known which events there are.
#[derive(Clone, Debug)]
struct Step {
    wish: Wish,
    beta: bool,
    which: Index,
    claim: Claim,
}

/// What a step does, if there is an event that it can be done to; it appends a new one otherwise.
#[derive(Clone, Copy, Debug)]
enum Wish {
    /// Records a new event.
    Append,
    /// Records an event anew that has not been withdrawn.
    Revise,
    /// Withdraws an event that has not been.
    Retract,
    /// Brings a withdrawn event back.
    BringBack,
    /// Erases an event that has not been.
    Redact,
    /// Sends something that is there already once more.
    Repeat,
}

fn steps(redactions: u32) -> impl Strategy<Value = Step> {
    let wishes = prop_oneof![
        8 => Just(Wish::Append),
        4 => Just(Wish::Revise),
        2 => Just(Wish::Retract),
        2 => Just(Wish::BringBack),
        1 => Just(Wish::Repeat),
        redactions => Just(Wish::Redact),
    ];
    (wishes, prop::bool::weighted(0.2), any::<Index>(), claims())
        .prop_map(|(wish, beta, which, claim)| Step { wish, beta, which, claim })
}

/// Sessions of up to `steps` writes, in batches of random sizes, on one or two timelines.
///
/// Every session is one that a store accepts as it stands. The clock stands still, goes on or is set back between
/// batches.
///
/// Nothing is redacted in them: see [`sessions_with_redactions`].
pub fn sessions(most: usize) -> BoxedStrategy<Session> {
    sessions_of(most, 0)
}

/// The same, where some events are redacted. What the log says of any moment then is not what it said before.
pub fn sessions_with_redactions(most: usize) -> BoxedStrategy<Session> {
    sessions_of(most, 2)
}

fn sessions_of(most: usize, redactions: u32) -> BoxedStrategy<Session> {
    let gaps = select(vec![1, 0, 3_600_000_000, 86_400_000_000, -5_000_000]);
    // Each step says how far the clock has moved if it begins a batch.
    vec((steps(redactions), option::weighted(0.5, gaps)), 1..=most)
        .prop_map(|steps| {
            let mut people = People::default();
            let mut at = 1_704_067_200_000_000;
            let mut batches: Vec<Batch> = Vec::new();
            for (step, gap) in steps {
                at += gap.unwrap_or(0);
                let entry = people.take(step);
                match batches.last_mut() {
                    Some(batch) if gap.is_none() => batch.entries.push(entry),
                    _ => batches.push(Batch { at: RecordedAt::from_micros(at), entries: vec![entry] }),
                }
            }
            Session { batches }
        })
        .boxed()
}

/// What the writers of a session remember: for each timeline the event of each number, and what became of it.
#[derive(Default)]
struct People {
    timelines: [Vec<(Event, Fate)>; 2],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stands,
    Withdrawn,
    Redacted,
}

impl People {
    fn take(&mut self, step: Step) -> Entry {
        let at = usize::from(step.beta);
        let events = &mut self.timelines[at];
        let stands = matches!(step.wish, Wish::Revise | Wish::Retract);
        let wanted = if stands { Fate::Stands } else { Fate::Withdrawn };
        let able: Vec<usize> = match step.wish {
            Wish::Append => Vec::new(),
            Wish::Repeat => (0..events.len()).collect(),
            Wish::Redact => (0..events.len()).filter(|number| events[*number].1 != Fate::Redacted).collect(),
            _ => (0..events.len()).filter(|number| events[*number].1 == wanted).collect(),
        };
        let write = if able.is_empty() {
            let event = step.claim.event(event_id(events.len()));
            events.push((event.clone(), Fate::Stands));
            Write::Append(Box::new(event))
        } else {
            let (event, fate) = &mut events[*step.which.get(&able)];
            let id = event.id.clone();
            match step.wish {
                // Nothing is written for it, and a withdrawn event stays withdrawn.
                Wish::Append | Wish::Repeat => Write::Append(Box::new(event.clone())),
                Wish::Retract => {
                    *fate = Fate::Withdrawn;
                    Write::Retract { id, reason: "it was wrong".to_owned() }
                }
                Wish::Redact => {
                    *fate = Fate::Redacted;
                    Write::Redact { id, reason: "a name".to_owned() }
                }
                Wish::Revise | Wish::BringBack => {
                    (*event, *fate) = (step.claim.event(id), Fate::Stands);
                    Write::Revise(Box::new(event.clone()))
                }
            }
        };
        Entry::new(TimelineName::new(TIMELINES[at]).unwrap(), write)
    }
}

/// A question to a log that is not there yet.
#[derive(Clone)]
pub struct Asked {
    as_of: AsOf,
    /// A bound of one of the records' dates, and so many seconds from it, to be asked as of instead.
    near_bound: Option<(Index, i64)>,
    known: KnownPick,
    certainty: Certainty,
    beta: bool,
    entity: Option<&'static str>,
}

#[derive(Clone, Debug)]
enum KnownPick {
    Everything,
    /// A position, from the one before the first record to the last; what is not there yet cannot be asked for.
    Position(Index),
    /// So many microseconds from when a record was recorded.
    Near(Index, i64),
}

/// Questions to be asked of any log.
pub fn questions() -> BoxedStrategy<Asked> {
    let known = prop_oneof![
        3 => Just(KnownPick::Everything),
        2 => any::<Index>().prop_map(KnownPick::Position),
        2 => (any::<Index>(), select(vec![0, 1, -1, 1_800_000_000])).prop_map(|(i, d)| KnownPick::Near(i, d)),
    ];
    let certainty = select(vec![Certainty::Surely, Certainty::Possibly]);
    let entity = option::weighted(0.1, select(ENTITIES.to_vec()));
    let near_bound = option::weighted(0.3, (any::<Index>(), -1..=1_i64));
    (as_of_dates(), near_bound, known, certainty, prop::bool::weighted(0.2), entity)
        .prop_map(|(as_of, near_bound, known, certainty, beta, entity)| Asked {
            as_of,
            near_bound,
            known,
            certainty,
            beta,
            entity,
        })
        .boxed()
}

impl Asked {
    /// The question, now that the records are there.
    pub fn of(&self, records: &[Record]) -> Question {
        let known_at = match &self.known {
            KnownPick::Everything => KnownAt::Everything,
            KnownPick::Position(index) => {
                let position = index.index(records.len() + 1);
                KnownAt::Position(Seq(u64::try_from(position).unwrap()))
            }
            KnownPick::Near(..) if records.is_empty() => KnownAt::At(RecordedAt::from_micros(0)),
            KnownPick::Near(index, offset) => {
                let near = index.get(records).recorded_at.micros();
                KnownAt::At(RecordedAt::from_micros(near + offset))
            }
        };
        Question {
            timeline: TimelineName::new(TIMELINES[usize::from(self.beta)]).unwrap(),
            as_of: self.near_bound(records).unwrap_or_else(|| self.as_of.clone()),
            known_at,
            certainty: self.certainty,
            filter: Filter::default(),
            entities: self.entity.map(str::to_owned).into_iter().collect(),
        }
    }

    /// The second at or beside a bound of a date that was recorded, where EDTF can write it.
    fn near_bound(&self, records: &[Record]) -> Option<AsOf> {
        let (index, offset) = self.near_bound?;
        let events = records.iter().filter_map(|record| record.content.event());
        let spans = events.flat_map(|event| event.happenings().to_vec());
        let bounds =
            spans.flat_map(|Span { start, end }| [start.earliest, start.latest, end.earliest, end.latest]);
        let finite: Vec<Moment> = bounds.filter(|bound| bound.is_finite()).collect();
        let bound = finite.get(index.index(finite.len().max(1)))?;
        let moment = Moment::from_seconds(bound.seconds() + offset);
        Date::parse(&moment.to_string()).ok().and_then(|date| AsOf::new(date).ok())
    }
}

/// On one line, so that a failing property can be read.
impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { as_of, near_bound, known, certainty, beta, entity } = self;
        let timeline = TIMELINES[usize::from(*beta)];
        write!(f, "{timeline} as of {as_of} or {near_bound:?}, {certainty}, known at {known:?}, {entity:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn generated_events_are_within_the_limits(event in events()) {
            prop_assert!(event.check().is_ok());
        }

        #[test]
        fn disjoint_events_follow_each_other(events in disjoint_events()) {
            for pair in events.windows(2) {
                prop_assert!(pair[0].span().end.latest < pair[1].span().start.earliest);
            }
        }

        #[test]
        fn as_of_dates_end(as_of in as_of_dates()) {
            prop_assert!(as_of.until().is_finite());
        }
    }
}
