//! Random logs whose events contradict each other, and what contradicts itself, found without any cleverness: every
//! event is compared with every other one.
//!
//! Whether two events are probably one, and whether a single date is stale, is asked of the engine's own search, over
//! these alone; how it goes through many events is what is tried.

use std::collections::{BTreeMap, BTreeSet};

use annals_core::Store;
use annals_model::conflicts::{
    BrokenLink, Conflicts, Contested, Counts, Duplicates, FalsePrecision, Histories, LinkFault, Mention,
    Misfit, SCHEMA, Sign, Suspect, Version, Word,
};
use annals_model::date::Range;
use annals_model::fold::{Applied, Claim, Counted, apply, steps};
use annals_model::relative::Between;
use annals_model::{
    Actor, Asked, Certainty, Change, Date, Effect, Event, EventId, Filter, Knowledge, Link, Place, Question,
    Record, Scalar, Source, TimelineName, Value, When, Write,
};

use crate::generate::{ATTRIBUTES, ENTITIES, Session, event_id};
use crate::{MemoryLog, TestHost};

const RELATIONS: [&str; 8] =
    ["after", "before", "caused-by", "causes", "follows", "precedes", "part-of", "about"];
const TITLES: [&str; 6] = [
    "UN police arrive",
    "U.N. police arrived in 2004",
    "UN police arrive in Haiti",
    "New Year in Haiti",
    "7",
    "—",
];
const QUOTES: [&str; 3] = ["They came in 2004.", "It was January 2005.", "2005"];
/// Dates that are often inside each other, or on 1 January, or at midnight.
const DATES: [&str; 17] = [
    "[2004..]",
    "[..2006]",
    "[2000..2006]",
    "2004-01-01",
    "2005-01-01",
    "2005-01-01T00:00:00",
    "2004-01-02T00:00:00",
    "2004-01",
    "2004-01~",
    "[2004-01-02..2004-01-20]",
    "2004-01-01/2004-01-31",
    "2004",
    "2004/2004",
    "2004-01/2004",
    "{2004-01,2004-02}",
    "{2004,2006}",
    "2004-01-31/2004-03",
];

/// Gives an event a title, a place, an actor, a source and links, and sometimes another date and one effect more; always
/// the same ones to the same event.
pub fn adorn(event: &mut Event) {
    let of_text = |text: &str| text.bytes().fold(7, |sum: usize, byte| sum * 31 % 9_973 + usize::from(byte));
    let mut seed = of_text(&format!("{}{:?}{:?}", event.id, event.date, event.effects));
    let mut next = |most: usize| {
        seed = seed * 7_919 % 99_991;
        seed % most
    };
    TITLES[next(TITLES.len())].clone_into(&mut event.title);
    event.place = [None, Some("Haiti"), Some("HAITI")][next(3)].map(Place::named);
    event.actors = vec![Actor { name: "UN".to_owned(), role: None }; next(2)];
    if next(3) == 0 {
        let quote = Some(QUOTES[next(QUOTES.len())].to_owned());
        event.sources = vec![Source { quote, ..Source::default() }];
    }
    for _ in 0..next(3) {
        let (rel, to) = (RELATIONS[next(RELATIONS.len())].to_owned(), event_id(next(12)));
        event.links.push(Link { rel, to });
    }
    match next(5) {
        0..3 => event.date = Some(Date::parse(DATES[next(DATES.len())]).unwrap()),
        // Its date will be computed from this other event.
        3 => event.links = vec![Link { rel: "after".to_owned(), to: event_id(next(12)) }],
        _ => {}
    }
    if next(2) == 0 {
        let value = Value::Scalar(["one", "two"].map(|text| Scalar::Text(text.into()))[next(2)].clone());
        let when = [When::Start, When::Start, When::End, When::During][next(4)];
        let (entity, attribute) = (ENTITIES[0].to_owned(), ATTRIBUTES[next(2)].to_owned());
        let effect = Effect { entity, attribute, change: Change::Set(value), when };
        if when == When::End {
            // What an event says of its start, though it says it later, comes first.
            let change = Change::Set(Value::Set(BTreeSet::new()));
            event.effects.insert(0, Effect { change, when: When::Start, ..effect.clone() });
            event.effects.insert(0, effect);
        } else {
            event.effects.push(effect);
        }
    }
}

/// The date that another event gives to one that has a link to it alone.
fn computed(event: &Event, known: &BTreeMap<EventId, Event>) -> Option<Date> {
    let [link] = event.links.as_slice() else { return None };
    Between { after: vec![known.get(&link.to)?], before: Vec::new() }.date().ok()
}

/// A log of adorned events.
pub fn written(mut session: Session) -> Store<MemoryLog> {
    let mut known: BTreeMap<EventId, Event> = BTreeMap::new();
    // What is written twice stays the same.
    let mut adorned: BTreeMap<String, Event> = BTreeMap::new();
    for entry in session.entries_mut() {
        if let Write::Append(event) | Write::Revise(event) = &mut entry.write {
            let plain = format!("{event:?}");
            **event = adorned.get(&plain).cloned().unwrap_or_else(|| {
                adorn(event);
                if let Some(date) = computed(event, &known) {
                    event.date = Some(date);
                }
                (**event).clone()
            });
            adorned.insert(plain, (**event).clone());
            known.insert(event.id.clone(), (**event).clone());
        }
    }
    let store = Store::new(MemoryLog::default());
    session.write(&store, &TestHost::new(1));
    store
}

/// What was recorded of each event of a timeline, in records that are in order.
pub fn histories(records: &[Record], timeline: &TimelineName) -> Histories {
    let mut histories = Histories::new();
    for record in records.iter().filter(|record| record.timeline == *timeline) {
        let Record { seq, op, .. } = *record;
        let version = Version { seq, op, event: record.content.event().cloned() };
        histories.entry(record.id.clone()).or_default().push(version);
    }
    histories
}

/// What contradicts itself.
pub fn conflicts(question: &Question, known: &Knowledge<'_>, histories: &Histories) -> Conflicts {
    let names = |event: &Event| event.effects.iter().any(|e| question.entities.contains(&e.entity));
    let is_asked = |counted: &&Counted<'_>| {
        question.filter.admits(counted.event, Certainty::Possibly)
            && (question.entities.is_empty() || names(counted.event))
    };
    let events: Vec<Counted<'_>> = known.events.iter().filter(is_asked).copied().collect();
    let (contested, clashes) = of_attributes(question, &events);
    let stale: Vec<_> = events.iter().flat_map(|counted| alone(&[*counted], histories).stale).collect();
    let explained = |id: &EventId| stale.iter().any(|stale| stale.event.id == *id);
    let mut links = broken_links(&events, known, histories);
    links.retain(|link| !(["after", "before"].contains(&link.rel.as_str()) && explained(&link.event.id)));
    let (duplicates, false_precision) = (duplicates(&events), false_precision(&events));
    let counts = Counts {
        contested: contested.len() as u64,
        clashes: clashes.len() as u64,
        duplicates: duplicates.len() as u64,
        false_precision: false_precision.iter().map(|sign| sign.events.len() as u64).collect(),
        links: links.len() as u64,
        stale: stale.len() as u64,
    };
    Conflicts {
        schema: SCHEMA,
        asked: Asked::new(question, known.position),
        events: events.len() as u64,
        found: counts.all(),
        contested,
        clashes,
        duplicates,
        crowded_days: 0,
        false_precision,
        links,
        stale,
        counts,
    }
}

/// What the engine finds in some events by themselves.
fn alone(events: &[Counted<'_>], histories: &Histories) -> Conflicts {
    let question = Question {
        timeline: TimelineName::new("t").unwrap(),
        as_of: annals_model::AsOf::new(Date::parse("2000").unwrap()).unwrap(),
        known_at: annals_model::KnownAt::Everything,
        certainty: Certainty::Surely,
        filter: Filter::default(),
        entities: Vec::new(),
    };
    let position = annals_model::Position { seq: annals_model::Seq(0), recorded_at: None };
    let known = Knowledge { position, log_root: [0; 32], events: events.to_vec(), withdrawn: 0 };
    Conflicts::find(&question, &known, histories)
}

fn mention(counted: &Counted<'_>) -> Mention {
    let Event { id, date, title, .. } = counted.event;
    Mention { id: id.clone(), seq: counted.seq, date: date.clone(), title: title.clone() }
}

fn of_attributes(question: &Question, events: &[Counted<'_>]) -> (Vec<Contested>, Vec<Misfit>) {
    let mut attributes: BTreeMap<(&str, &str), Vec<Claim<'_>>> = BTreeMap::new();
    for claim in events.iter().flat_map(|counted| counted.claims()) {
        if question.asks_for(&claim.effect.entity) {
            attributes.entry((&claim.effect.entity, &claim.effect.attribute)).or_default().push(claim);
        }
    }
    let (mut contested, mut clashes) = (Vec::new(), Vec::new());
    for ((entity, attribute), claims) in attributes {
        let counts = |claim: &&Claim<'_>| question.filter.admits(claim.counted.event, question.certainty);
        let counting: Vec<Claim<'_>> = claims.iter().filter(counts).copied().collect();
        let steps = steps(&counting, question.as_of.until(), question.certainty);
        let (mut value, mut by) = (None, None);
        for Claim { counted, effect, .. } in steps.iter().map(|step| step.claim) {
            match apply(&mut value, &effect.change) {
                Applied::Changed => by = Some(counted.event.id.clone()),
                Applied::Unchanged => {}
                Applied::Clash => clashes.extend(value.clone().zip(by.clone()).map(|(stood, stood_by)| {
                    Misfit { event: mention(&counted), effect: effect.clone(), stood, stood_by }
                })),
            }
        }
        let stands = |claim: &Claim<'_>| {
            let name = |claim: &Claim<'_>| (claim.counted.place, claim.position, claim.span);
            steps.effective().any(|other| name(&other) == name(claim))
        };
        let moments: BTreeSet<Range> = claims.iter().map(Claim::moment).collect();
        for moment in moments {
            let claims = words(&claims, moment, events, stands);
            if claims.iter().any(|word| word.value != claims[0].value) {
                let decides = claims.iter().any(|word| word.stands);
                let (entity, attribute) = (entity.to_owned(), attribute.to_owned());
                contested.push(Contested { entity, attribute, decides, claims });
            }
        }
    }
    (contested, clashes)
}

/// What each event sets an attribute to at a moment, at last.
fn words(
    claims: &[Claim<'_>],
    moment: Range,
    events: &[Counted<'_>],
    stands: impl Fn(&Claim<'_>) -> bool,
) -> Vec<Word> {
    let word = |counted: &Counted<'_>| {
        let own = claims.iter().filter(|claim| claim.counted.place == counted.place);
        let sets = own.filter(|claim| claim.moment() == moment && claim.effect.change.op() == "set");
        let last = sets.max_by_key(|claim| claim.position)?;
        let Change::Set(value) = &last.effect.change else { return None };
        let (event, sources) = (mention(counted), counted.event.sources.clone());
        Some(Word { event, value: value.clone(), stands: stands(last), sources })
    };
    events.iter().filter_map(word).collect()
}

fn duplicates(events: &[Counted<'_>]) -> Vec<Duplicates> {
    // The group of each event is that of the first one that it belongs to.
    let mut group: Vec<usize> = (0..events.len()).collect();
    for a in 0..events.len() {
        for b in a + 1..events.len() {
            if !alone(&[events[a], events[b]], &Histories::new()).duplicates.is_empty() {
                let (first, other) = (group[a].min(group[b]), group[a].max(group[b]));
                group.iter_mut().filter(|group| **group == other).for_each(|group| *group = first);
            }
        }
    }
    let of = |first: usize| (0..events.len()).filter(|at| group[*at] == first).collect::<Vec<_>>();
    let groups = (0..events.len()).map(of).filter(|group| group.len() > 1);
    groups
        .map(|group| Duplicates { events: group.iter().map(|at| mention(&events[*at])).collect() })
        .collect()
}

/// Whether a date has a day, which is 1 January, and a time, which is midnight.
fn written_with(event: &Event) -> Option<(bool, Option<bool>)> {
    let start = event.date.as_ref()?.as_str().split('/').next()?;
    let (day, time) = start.split_once('T').map_or((start, None), |(day, time)| (day, Some(time)));
    let is_day = day.trim_start_matches('-').len() == 10 && day.chars().all(|c| c == '-' || c.is_numeric());
    // A date that is flagged says itself that it is not exact.
    let is_exact = is_day && !event.date.as_ref()?.as_str().contains(['?', '~', '%']);
    is_exact.then(|| (day.ends_with("-01-01"), time.map(|time| time.starts_with("00:00:00"))))
}

/// A date with the years alone where an end of it is the first or the last day of one.
fn without_day(text: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        let day = part.split('T').next().unwrap();
        parts.push(day.strip_suffix("-01-01").or(day.strip_suffix("-12-31")).unwrap_or(part));
    }
    parts.dedup();
    parts.join("/")
}

fn false_precision(events: &[Counted<'_>]) -> Vec<FalsePrecision> {
    let dated = || events.iter().filter_map(|counted| Some((counted, written_with(counted.event)?)));
    let quotes = |event: &Event, words: &str| {
        event.sources.iter().any(|source| source.quote.as_ref().is_some_and(|quote| quote.contains(words)))
    };
    let years: Vec<_> = dated().filter(|(_, (january, time))| *january && *time != Some(false)).collect();
    let (found, all) = (years.len(), dated().count());
    let are_years = found >= 3 && found * 365 >= 10 * all;
    let year_of = |event: &Event| event.date.as_ref().unwrap().as_str()[..4].to_owned();
    let suspects = years.iter().map(|(counted, _)| *counted).filter(|Counted { event, .. }| {
        !event.title.contains("New Year")
            && (are_years || quotes(event, &year_of(event)) && !quotes(event, "January"))
    });
    let suspect = |counted: &Counted<'_>, suggested: String| Suspect { event: mention(counted), suggested };
    let text = |counted: &Counted<'_>| counted.event.date.as_ref().unwrap().as_str().to_owned();
    let suspects: Vec<Suspect> =
        suspects.map(|counted| suspect(counted, without_day(&text(counted)))).collect();
    let first = if are_years {
        FalsePrecision { sign: Sign::FirstOfJanuary, found: found as u64, of: all as u64, events: suspects }
    } else {
        let of = found as u64;
        FalsePrecision { sign: Sign::YearInSource, found: suspects.len() as u64, of, events: suspects }
    };
    let is_year = |event: &Event| years.iter().any(|(year, _)| year.event.id == event.id);
    let times =
        || dated().filter(|(counted, (_, time))| time.is_some() && !(are_years && is_year(counted.event)));
    let midnights = || times().filter(|(_, (_, time))| *time == Some(true));
    let day = |counted: &Counted<'_>| text(counted).split('T').next().unwrap().to_owned();
    let mut suspects: Vec<&Counted<'_>> = midnights().map(|(counted, _)| counted).collect();
    if suspects.len() < 3 || suspects.len() * 2 < times().count() {
        suspects.clear();
    }
    suspects.sort_by_key(|counted| (!is_year(counted.event), counted.place));
    let second = FalsePrecision {
        sign: Sign::Midnight,
        found: midnights().count() as u64,
        of: times().count() as u64,
        events: suspects.into_iter().map(|counted| suspect(counted, day(counted))).collect(),
    };
    [first, second].into_iter().filter(|sign| !sign.events.is_empty()).collect()
}

fn broken_links(events: &[Counted<'_>], known: &Knowledge<'_>, histories: &Histories) -> Vec<BrokenLink> {
    let mut broken = Vec::new();
    for counted in events {
        for link in &counted.event.links {
            let other = known.events.iter().find(|other| other.event.id == link.to).map(|other| other.event);
            let own = counted.event.span();
            let is_wrong = |other: &Event| match (link.rel.as_str(), other.span()) {
                ("caused-by" | "follows" | "after", other) => own.start.latest < other.start.earliest,
                ("causes" | "precedes", other) => other.start.latest < own.start.earliest,
                ("before", other) => other.end.latest < own.start.earliest,
                ("part-of", other) => {
                    own.end.latest < other.start.earliest || other.end.latest < own.start.earliest
                }
                _ => false,
            };
            let fault = match other {
                Some(other) if is_wrong(other) => LinkFault::Contradicted,
                Some(_) => continue,
                None if histories.contains_key(&link.to) => LinkFault::Withdrawn,
                None => LinkFault::Missing,
            };
            broken.push(BrokenLink {
                event: mention(counted),
                rel: link.rel.clone(),
                to: link.to.clone(),
                to_date: other.and_then(|other| other.date.clone()),
                fault,
            });
        }
    }
    broken
}
