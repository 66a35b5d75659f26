//! What the claims on attributes come to as of a date: the part of an answer that is folded.
//!
//! One attribute is answered at a time, from its claims alone, so that it does not matter how a reader of the log
//! brought them together: all events in memory, or only what [`gather`](crate::gather) kept of each.

use std::collections::BTreeMap;

use crate::conflicts;
use crate::fold::{Claim, Counted, Said, Stood, decide, open};
use crate::{
    Cell, Certainty, Change, Clash, Contender, Date, Doubt, EventId, Moment, Open, Question, Seq, Source,
    State, Unsettled, Value,
};

/// What stands where, what may, and what did not fit.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    pub(crate) state: State,
    pub(crate) unsettled: Unsettled,
    pub(crate) clashes: Vec<Clash>,
    /// The entity and the attribute of each value that is contested by claims of which the sources are not known, and
    /// the records of these claims.
    uncited: Vec<((String, String), Vec<Seq>)>,
}

/// What the claims on one attribute come to.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// What stands.
    pub cell: Option<Cell>,
    /// The records of the claims that the cell says to be contested by, in their order.
    pub contenders: Vec<Seq>,
    /// What the dates leave open where nothing stands; of what stands the cell has it.
    pub open: Option<Box<Open>>,
    /// The effects that did not fit what stood.
    clashes: Vec<Clash>,
}

impl Answers {
    /// Answers a question from the events that count.
    pub fn of(question: &Question, events: &[Counted<'_>]) -> Self {
        let mut claims: BTreeMap<(&str, &str), Vec<Claim<'_>>> = BTreeMap::new();
        for claim in events.iter().flat_map(|counted| counted.claims()) {
            if question.asks_for(&claim.effect.entity) {
                claims.entry((&claim.effect.entity, &claim.effect.attribute)).or_default().push(claim);
            }
        }
        let mut answers = Self::default();
        for ((entity, attribute), claims) in claims {
            answers.add(entity, attribute, Answer::of(question, &claims));
        }
        // Whole events say where they come from.
        answers.uncited.clear();
        answers
    }

    /// What stands.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Adds what was found of an attribute; attributes come in the order of their names.
    pub fn add(&mut self, entity: &str, attribute: &str, answer: Answer) {
        self.clashes.extend(answer.clashes);
        if !answer.contenders.is_empty() {
            self.uncited.push(((entity.to_owned(), attribute.to_owned()), answer.contenders));
        }
        if let Some(cell) = answer.cell {
            insert(&mut self.state, entity, attribute, cell);
        } else if let Some(open) = answer.open {
            insert(&mut self.unsettled, entity, attribute, *open);
        }
    }

    /// Adds the answers for attributes whose names come behind all that are there.
    pub fn append(&mut self, mut later: Self) {
        append(&mut self.state, &mut later.state);
        append(&mut self.unsettled, &mut later.unsettled);
        self.clashes.append(&mut later.clashes);
        self.uncited.append(&mut later.uncited);
    }

    /// The records of the claims that contest what stands.
    pub fn contenders(&self) -> impl Iterator<Item = Seq> {
        self.uncited.iter().flat_map(|(_, records)| records.iter().copied())
    }

    /// Says where the claims that contest what stands are made, by their records.
    pub fn cite<'s>(&mut self, sources: impl Fn(Seq) -> &'s [Source]) {
        for ((entity, attribute), records) in std::mem::take(&mut self.uncited) {
            let cell = self.state.get_mut(&entity).and_then(|attributes| attributes.get_mut(&attribute));
            for (contender, seq) in cell.into_iter().flat_map(|cell| &mut cell.contested).zip(records) {
                contender.sources = sources(seq).to_vec();
            }
        }
    }
}

/// Inserts behind what is there, as the order of names mostly has it.
fn insert<T>(map: &mut BTreeMap<String, BTreeMap<String, T>>, entity: &str, attribute: &str, value: T) {
    if let Some(mut last) = map.last_entry().filter(|last| last.key() == entity) {
        last.get_mut().insert(attribute.to_owned(), value);
    } else {
        map.entry(entity.to_owned()).or_default().insert(attribute.to_owned(), value);
    }
}

/// Appends what comes behind what is there, where the last entity may be the first one of what is appended.
fn append<T>(
    map: &mut BTreeMap<String, BTreeMap<String, T>>,
    later: &mut BTreeMap<String, BTreeMap<String, T>>,
) {
    if let (Some(mut last), Some(first)) = (map.last_entry(), later.first_entry())
        && last.key() == first.key()
    {
        last.get_mut().append(&mut first.remove());
    }
    if map.is_empty() {
        *map = std::mem::take(later);
    } else {
        map.append(later);
    }
}

impl Answer {
    /// Whether anything stands, may stand or did not fit.
    pub fn says_something(&self) -> bool {
        self.cell.is_some() || self.open.is_some() || !self.clashes.is_empty()
    }

    /// What surely stands by one event, and is contested by none.
    pub fn sure(value: Value, by: EventId, date: Option<Date>) -> Self {
        let cell = Cell { value, sure: true, by, date, open: Doubt::default(), contested: Vec::new() };
        Self { cell: Some(cell), ..Self::default() }
    }

    /// Says where the claims that contest it are made, by their records.
    pub fn cite<'s>(&mut self, sources: impl Fn(Seq) -> &'s [Source]) {
        let contested = self.cell.iter_mut().flat_map(|cell| &mut cell.contested);
        for (contender, seq) in contested.zip(&self.contenders) {
            contender.sources = sources(*seq).to_vec();
        }
    }

    /// Folds the claims on one attribute, which may come in any order.
    pub fn of(question: &Question, claims: &[Claim<'_>]) -> Self {
        Self::at(claims, question.as_of.until(), question.certainty)
    }

    /// Folds the claims on one attribute as of a moment.
    pub fn at(claims: &[Claim<'_>], as_of: Moment, certainty: Certainty) -> Self {
        let said: Vec<Said<'_>> = claims.iter().map(Claim::said).collect();
        let witness = |index: usize| {
            let Counted { seq, event, .. } = claims[index].counted;
            Some(Witness { seq, date: event.date.clone(), sources: event.sources.clone() })
        };
        let effect = claims.first().map(|claim| claim.effect);
        let names = effect.map(|effect| (effect.entity.as_str(), effect.attribute.as_str()));
        Self::told(&said, names.unwrap_or_default(), (as_of, certainty), witness).unwrap_or_default()
    }

    /// Folds what is said of one attribute, in any order, as of a moment. Only clashes are told with its names; `witness`
    /// is asked for what the answer tells of a few claims beside, and there is no answer where it knows nothing of one.
    pub fn told(
        said: &[Said<'_>],
        names: (&str, &str),
        (as_of, certainty): (Moment, Certainty),
        mut witness: impl FnMut(usize) -> Option<Witness>,
    ) -> Option<Self> {
        let Stood { value, by, steps } = decide(said, as_of, certainty);
        let open = open(said, as_of, value.as_deref());
        let clashes = steps.clashes().map(|index| clash(&said[index], names)).collect();
        let Some((value, by)) = value.zip(by) else { return Some(Self { open, clashes, ..Self::default() }) };
        let (mut contested, mut contenders) = (Vec::new(), Vec::new());
        if let Some(base) = steps.effective().next() {
            let others = conflicts::contested(said, base, as_of, certainty);
            contested.reserve_exact(others.len());
            contenders.reserve_exact(others.len());
            for index in others {
                let Change::Set(value) = said[index].change else { continue };
                let Witness { seq, date, sources } = witness(index)?;
                contested.push(Contender { value: value.clone(), by: said[index].id.clone(), date, sources });
                contenders.push(seq);
            }
        }
        let (sure, date) = (open.is_none(), witness(by)?.date);
        let (value, by) = (value.into_owned(), said[by].id.clone());
        let cell = Some(Cell { value, sure, by, date, open: open.into(), contested });
        Some(Self { cell, contenders, open: None, clashes })
    }
}

/// What an answer tells of a claim beside what the fold looks at.
#[derive(Clone, Debug)]
pub struct Witness {
    /// The record that says so.
    pub seq: Seq,
    /// The event's date.
    pub date: Option<Date>,
    /// Where it is said, where that is known.
    pub sources: Vec<Source>,
}

fn clash(said: &Said<'_>, (entity, attribute): (&str, &str)) -> Clash {
    Clash {
        entity: entity.to_owned(),
        attribute: attribute.to_owned(),
        id: said.id.clone(),
        op: said.change.op(),
    }
}
