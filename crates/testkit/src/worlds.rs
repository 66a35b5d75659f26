//! The possible worlds of one attribute, every one of them, to compare the engine with.
//!
//! Dates leave open whether something had happened by D, and what came first. A **world** settles both: for each
//! happening how far it had come by D (its scenario), and for all that had happened an order that the dates
//! allow. The value of the attribute in that world is the world's **outcome**. An answer is sure if all worlds
//! have the same outcome; the alternatives, the least and the greatest number, the sure and the possible members
//! are all read from the outcomes.
//!
//! Here the worlds are counted out one by one, so that nothing has to be believed: the work grows with the
//! factorial of the number of happenings, and a small log is all that can be asked. It is a specification of
//! what the engine answers in linear time, and apart from [`crate::naive`], the specification of replay. Of the
//! engine it uses the bounds of a date and [`apply`], which says what one change does to what stands.

use std::collections::{BTreeMap, BTreeSet};

use annals_model::date::{Range, Span};
use annals_model::fold::{Counted, apply};
use annals_model::{Change, Date, EventId, Moment, Number, Scalar, Seq, Value, When};

/// A set of members that stand in every world, and one of those that stand in any.
pub type Members = (BTreeSet<Scalar>, BTreeSet<Scalar>);

/// All the worlds of one attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worlds {
    /// Each value that stands in some world, with the events that may be the last there to replace what stood
    /// before. `None` is an attribute without a value.
    pub outcomes: BTreeMap<Option<Value>, BTreeSet<EventId>>,
    /// How many worlds there are; different worlds may have the same outcome.
    pub count: usize,
    /// Whether an `increase` happens in any of them.
    increases: bool,
    /// Whether an `add` or a `remove` happens in any of them.
    changes_members: bool,
}

/// There are more worlds than anybody wants to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

impl Worlds {
    /// Counts out the worlds of an attribute as of a moment, from the events that count; at most `limit` of them.
    pub fn of(
        events: &[Counted<'_>],
        (entity, attribute): (&str, &str),
        as_of: Moment,
        limit: usize,
    ) -> Result<Self, TooMany> {
        let mut scenarios = Vec::new();
        for counted in events {
            for span in counted.event.happenings() {
                let unit = Unit::new(scenarios.len(), *counted, *span, entity, attribute);
                // What does nothing to the attribute does not make two worlds of one.
                if !unit.ops.is_empty() {
                    scenarios.push(unit.scenarios(as_of));
                }
            }
        }
        let possible = || scenarios.iter().flatten().flatten().flat_map(|step| &step.ops);
        let mut worlds = Self {
            outcomes: BTreeMap::new(),
            count: 0,
            increases: possible().any(|op| matches!(op, Change::Increase(_))),
            changes_members: possible().any(|op| matches!(op, Change::Add(_) | Change::Remove(_))),
        };
        worlds.choose(&scenarios, &mut Vec::new(), limit)?;
        Ok(worlds)
    }

    /// Whether every world has this outcome.
    pub fn is_sure(&self, standing: Option<&Value>) -> bool {
        self.outcomes.keys().all(|outcome| outcome.as_ref() == standing)
    }

    /// Whether no world has a value.
    pub fn is_absent(&self) -> bool {
        self.is_sure(None)
    }

    /// Whether both numbers and members change, which the engine reads as two histories side by side.
    pub const fn is_mixed(&self) -> bool {
        self.increases && self.changes_members
    }

    /// The other outcomes that are worth telling one by one, with the events that brought them. Numbers that
    /// add up are told as bounds instead, and members that come and go as two sets.
    pub fn alternatives(&self, standing: Option<&Value>) -> BTreeMap<Option<Value>, BTreeSet<EventId>> {
        let mut alternatives = self.outcomes.clone();
        alternatives.retain(|outcome, _| {
            let is_told = match outcome {
                Some(Value::Scalar(Scalar::Number(_))) => !self.increases,
                Some(Value::Set(_)) => !self.changes_members,
                Some(Value::Scalar(Scalar::Text(_) | Scalar::Bool(_))) | None => true,
            };
            is_told && outcome.as_ref() != standing
        });
        alternatives
    }

    /// The least and the greatest number of all worlds, when any world has a number.
    pub fn bounds(&self) -> Option<(Number, Number)> {
        let mut numbers = Vec::new();
        for outcome in self.outcomes.keys() {
            if let Some(Value::Scalar(Scalar::Number(number))) = outcome {
                numbers.push(*number);
            }
        }
        Some((*numbers.iter().min()?, *numbers.iter().max()?))
    }

    /// The members that stand in every world and those that stand in any, when any world has a set. A world
    /// without a set has no members.
    pub fn members(&self) -> Option<Members> {
        let is_set = |outcome: &Option<Value>| matches!(outcome, Some(Value::Set(_)));
        if !self.outcomes.keys().any(is_set) {
            return None;
        }
        let mut possibly = BTreeSet::new();
        for outcome in self.outcomes.keys() {
            possibly.extend(members_of(outcome.as_ref()));
        }
        let mut surely = possibly.clone();
        for outcome in self.outcomes.keys() {
            surely.retain(|member| members_of(outcome.as_ref()).contains(member));
        }
        Some((surely, possibly))
    }

    /// Chooses a scenario for each happening, in every way, and goes on with the orders of what then happened.
    fn choose<'a>(
        &mut self,
        units: &[Vec<Scenario<'a>>],
        happened: &mut Vec<Step<'a>>,
        limit: usize,
    ) -> Result<(), TooMany> {
        let Some((first, others)) = units.split_first() else {
            return self.order(happened, None, None, limit);
        };
        for scenario in first {
            let before = happened.len();
            happened.extend(scenario.iter().cloned());
            self.choose(others, happened, limit)?;
            happened.truncate(before);
        }
        Ok(())
    }

    /// Takes the steps that are left in every order that their dates allow. `value` is what stands so far, and
    /// `by` the event that was the last to replace what stood before.
    fn order<'a>(
        &mut self,
        left: &[Step<'a>],
        value: Option<&Value>,
        by: Option<&'a EventId>,
        limit: usize,
    ) -> Result<(), TooMany> {
        if left.is_empty() {
            if self.count == limit {
                return Err(TooMany);
            }
            self.count += 1;
            self.outcomes.entry(value.cloned()).or_default().extend(by.cloned());
            return Ok(());
        }
        for (index, next) in left.iter().enumerate() {
            if left.iter().any(|other| other.must_come_before(next)) {
                continue;
            }
            let mut others = left.to_vec();
            others.remove(index);
            let mut stands = value.cloned();
            for change in &next.ops {
                apply(&mut stands, change);
            }
            let replaces = next.ops.iter().any(|change| change.replaces());
            self.order(&others, stands.as_ref(), if replaces { Some(next.id) } else { by }, limit)?;
        }
        Ok(())
    }
}

fn members_of(outcome: Option<&Value>) -> BTreeSet<Scalar> {
    match outcome {
        Some(Value::Set(members)) => members.clone(),
        _ => BTreeSet::new(),
    }
}

/// One happening of one event, with what it does to the attribute.
struct Unit<'a> {
    number: usize,
    id: &'a EventId,
    place: Seq,
    span: Span,
    /// Whether it has a start and an end of its own; else it happens at one moment.
    is_interval: bool,
    /// In the order of their positions in the event.
    ops: Vec<(When, &'a Change)>,
}

/// The steps that happened by D, in one of the ways that a happening may have gone.
type Scenario<'a> = Vec<Step<'a>>;

/// What a happening does at one moment; nothing comes between its changes.
#[derive(Clone)]
struct Step<'a> {
    unit: usize,
    id: &'a EventId,
    place: Seq,
    edge: Edge,
    /// Where the moment may lie.
    range: Range,
    ops: Vec<&'a Change>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Edge {
    Start,
    End,
}

/// Where within its second a bound lies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Within {
    BeforeAll,
    At(Seq, Edge),
    AfterAll,
}

impl<'a> Unit<'a> {
    fn new(number: usize, counted: Counted<'a>, span: Span, entity: &str, attribute: &str) -> Self {
        let mut ops = Vec::new();
        for effect in &counted.event.effects {
            if effect.entity == entity && effect.attribute == attribute {
                ops.push((effect.when, &effect.change));
            }
        }
        let is_interval = counted.event.date.as_ref().is_some_and(Date::is_interval);
        Self { number, id: &counted.event.id, place: counted.place, span, is_interval, ops }
    }

    /// Every way in which the happening may have gone by D.
    fn scenarios(&self, as_of: Moment) -> Vec<Scenario<'a>> {
        let mut scenarios = if self.is_interval { self.interval(as_of) } else { self.moment(as_of) };
        let Range { latest, .. } = self.span.start;
        if latest > as_of || latest == Moment::INFINITY {
            // It had not begun.
            scenarios.push(Vec::new());
        }
        scenarios
    }

    /// How a happening at one moment may have happened.
    fn moment(&self, as_of: Moment) -> Vec<Scenario<'a>> {
        let Range { earliest, latest } = self.span.start;
        let mut scenarios = Vec::new();
        if !self.has(When::During) {
            if earliest <= as_of {
                let range = Range { earliest, latest: latest.min(as_of) };
                scenarios.push(self.step(Edge::Start, range, &[When::Start, When::End]));
            }
            return scenarios;
        }
        if earliest < as_of {
            // It is over, and with it what was to last as long.
            let range = Range { earliest, latest: latest.min(as_of.previous()) };
            scenarios.push(self.step(Edge::Start, range, &[When::Start, When::End]));
        }
        if earliest <= as_of && as_of <= latest {
            let range = Range { earliest: as_of, latest: as_of };
            scenarios.push(self.step(Edge::Start, range, &[When::Start, When::During, When::End]));
        }
        scenarios
    }

    /// How a happening with a start and an end may have begun, gone on and ended.
    fn interval(&self, as_of: Moment) -> Vec<Scenario<'a>> {
        let Span { start, end } = self.span;
        let mut scenarios = Vec::new();
        let begun = Range { earliest: start.earliest, latest: start.latest.min(as_of) };
        let lasting = [When::Start, When::During];
        if start.earliest <= as_of && (end.latest > as_of || end.latest == Moment::INFINITY) {
            // It goes on beyond D.
            scenarios.push(self.step(Edge::Start, begun, &lasting));
        }
        if !self.has(When::During) {
            if start.earliest <= as_of && end.earliest <= as_of {
                scenarios.push(self.over(as_of));
            }
            return scenarios;
        }
        if start.earliest <= as_of && end.earliest <= as_of && as_of <= end.latest {
            // It ends at D, and what lasts until its end lasts still.
            let mut scenario = self.step(Edge::Start, begun, &lasting);
            scenario.extend(self.step(Edge::End, Range { earliest: as_of, latest: as_of }, &[When::End]));
            scenarios.push(scenario);
        }
        if start.earliest < as_of && end.earliest < as_of {
            scenarios.push(self.over(as_of.previous()));
        }
        scenarios
    }

    /// It began and ended, both at `last` or before; what lasted has lapsed.
    fn over(&self, last: Moment) -> Scenario<'a> {
        let Span { start, end } = self.span;
        let began = Range { earliest: start.earliest, latest: start.latest.min(end.latest).min(last) };
        let ended = Range { earliest: end.earliest.max(start.earliest), latest: end.latest.min(last) };
        let mut scenario = self.step(Edge::Start, began, &[When::Start]);
        scenario.extend(self.step(Edge::End, ended, &[When::End]));
        scenario
    }

    /// A step of those changes; none when there are none.
    fn step(&self, edge: Edge, range: Range, whens: &[When]) -> Scenario<'a> {
        let mut ops = Vec::new();
        for (when, change) in &self.ops {
            if whens.contains(when) {
                ops.push(*change);
            }
        }
        if ops.is_empty() {
            return Vec::new();
        }
        vec![Step { unit: self.number, id: self.id, place: self.place, edge, range, ops }]
    }

    fn has(&self, wanted: When) -> bool {
        self.ops.iter().any(|(when, _)| *when == wanted)
    }
}

impl Step<'_> {
    /// The bounds of the step in the order of all steps. Of what certainly happens in one and the same second,
    /// what entered the log first comes first; whatever may lie elsewhere may come before it or after.
    fn bounds(&self) -> ((Moment, Within), (Moment, Within)) {
        let Range { earliest, latest } = self.range;
        if earliest == latest && earliest.is_finite() {
            let key = (earliest, Within::At(self.place, self.edge));
            return (key, key);
        }
        ((earliest, Within::BeforeAll), (latest, Within::AfterAll))
    }

    fn must_come_before(&self, other: &Self) -> bool {
        let by_date = self.bounds().1 < other.bounds().0;
        let by_nature = self.unit == other.unit && self.edge < other.edge;
        by_date || by_nature
    }
}
