//! Comparing two answers by the indexes: what stands on both sides tells which attributes differ, their claims tell
//! which events are responsible, and only those are read. Of a question with a filter the events that it admits are.

use std::collections::{BTreeMap, BTreeSet};

use annals_model::diff::{Difference, Side, Withdrawn};
use annals_model::fold::Counted;
use annals_model::{AsOf, Diff, Event, KnownAt, Position, Question, Record, RecordedAt, Seq};

use crate::admitted::Admitted;
use crate::index::{ClaimIndex, Counting};
use crate::known::{KnownEvent, Standing};
use crate::log::Log;
use crate::store::Store;
use crate::threads;
use crate::{Error, Result, scan};

impl<L: Log> Store<L> {
    /// What changed, as [`Self::diff`] says it, by the indexes; nothing where they do not tell.
    pub(crate) fn diff_of_claims(
        &self,
        question: &Question,
        as_of: &AsOf,
        known_at: KnownAt,
    ) -> Result<Option<Diff>> {
        let Some(index) = self.index() else { return Ok(None) };
        let sides = [(&question.as_of, self.position(question.known_at)?), (as_of, self.position(known_at)?)];
        let found = if question.filter.is_empty() {
            let counting = sides.map(|(_, position)| position.seq.into());
            Some(self.differences(index, question, sides.map(|(as_of, _)| as_of), counting)?)
        } else {
            self.differences_of_admitted(index, question, sides)?
        };
        let Some(differences) = found else { return Ok(None) };
        let places: BTreeSet<Seq> =
            differences.iter().flat_map(|difference| difference.responsible.keys().copied()).collect();
        let places: Vec<Seq> = places.into_iter().collect();
        let last = index.last_records(self.log(), &places, sides.map(|(_, position)| position.seq))?;
        let told = Told::read(self.log(), &places, &last)?;
        let withdrawn = [0, 1].map(|side| told.withdrawn(last.iter().map(|last| last[side])));
        let [from, to] = [0, 1].map(|side| {
            let ((as_of, position), withdrawn) = (sides[side], &withdrawn[side]);
            Side { as_of, position, events: told.events(last.iter().map(|last| last[side])), withdrawn }
        });
        Ok(Some(Diff::told(question, &from, &to, differences)))
    }

    /// The attributes whose values differ, of what counts on each side.
    fn differences(
        &self,
        index: &ClaimIndex,
        question: &Question,
        as_of: [&AsOf; 2],
        counting: [Counting<'_>; 2],
    ) -> Result<Vec<Difference>> {
        let names = if question.entities.is_empty() {
            let questions = as_of.map(|as_of| Question { as_of: as_of.clone(), ..question.clone() });
            index.differing(self.log(), [0, 1].map(|side| (&questions[side], counting[side])))?
        } else {
            // Of a few entities every attribute is looked at.
            let entities: BTreeSet<&String> = question.entities.iter().collect();
            let mut names = Vec::new();
            for entity in entities {
                names.extend(index.names(self.log(), &question.timeline, entity)?);
            }
            names
        };
        let points = [0, 1].map(|side| (as_of[side].until(), counting[side]));
        index.differences(self.log(), (&question.timeline, &names), points, question.certainty)
    }

    /// The same of the events that the question's filter admits.
    fn differences_of_admitted(
        &self,
        index: &ClaimIndex,
        question: &Question,
        sides: [(&AsOf, Position); 2],
    ) -> Result<Option<Vec<Difference>>> {
        let known_at = sides.map(|(_, position)| position.seq);
        let Some(from) = self.admitted(question, known_at[0]) else { return Ok(None) };
        // Both sides often know the same.
        let other;
        let to = if known_at[0] == known_at[1] {
            &from
        } else {
            other = self.admitted(question, known_at[1]);
            let Some(other) = &other else { return Ok(None) };
            other
        };
        if let (Admitted::Few(from), Admitted::Few(to)) = (&from, to) {
            let side = |number: usize| {
                let ((as_of, position), events) = (sides[number], [from, to][number]);
                let events = events.iter().map(|known| (known.counted(), known.recorded_at)).collect();
                Side { as_of, position, events, withdrawn: &[] }
            };
            return Ok(Some(Diff::differences(question, &side(0), &side(1))));
        }
        let records = [from.records(), to.records()];
        let counting =
            [0, 1].map(|side| Counting { known_at: known_at[side], admitted: Some(&records[side]) });
        self.differences(index, question, sides.map(|(as_of, _)| as_of), counting).map(Some)
    }
}

/// What some records say of their events: that they count so, or that they were withdrawn.
struct Told(BTreeMap<Seq, Result<KnownEvent, Withdrawn>>);

impl Told {
    /// Reads of some events, told by their first records, the last ones on two sides.
    fn read<L: Log>(log: &L, places: &[Seq], last: &[[Option<Seq>; 2]]) -> Result<Self> {
        let own = |(place, last): (&Seq, &[Option<Seq>; 2])| {
            last.iter().flatten().map(|seq| (*seq, *place)).collect::<Vec<_>>()
        };
        let wanted: BTreeMap<Seq, Seq> = places.iter().zip(last).flat_map(own).collect();
        let wanted: Vec<(Seq, Seq)> = wanted.into_iter().collect();
        let told = threads::map_chunks(&wanted, |wanted| {
            let mut told = Vec::with_capacity(wanted.len());
            let mut places = wanted.iter().map(|(_, place)| *place);
            scan::some(log, wanted.iter().map(|(seq, _)| *seq), |stored| {
                let Record { seq, recorded_at, op, content, id, .. } = stored.record;
                let place = places.next().unwrap_or(seq);
                let found = Standing { place, last: (seq, recorded_at, op, content) }.told(id);
                told.push((seq, found.map(|known| KnownEvent { event: brief(known.event), ..known })));
                Ok(())
            })?;
            Ok::<_, Error>(told)
        })?;
        Ok(Self(told.into_iter().collect()))
    }

    /// The events of a side, of each of which this was the last record.
    fn events(&self, last: impl Iterator<Item = Option<Seq>>) -> Vec<(Counted<'_>, RecordedAt)> {
        let told = last.flatten().filter_map(|seq| self.0.get(&seq)?.as_ref().ok());
        told.map(|known| (known.counted(), known.recorded_at)).collect()
    }

    /// Those that were withdrawn there.
    fn withdrawn(&self, last: impl Iterator<Item = Option<Seq>>) -> Vec<Withdrawn> {
        last.flatten().filter_map(|seq| self.0.get(&seq)?.as_ref().err().cloned()).collect()
    }
}

/// What a cause shows of an event.
fn brief(event: Event) -> Event {
    Event { date: event.date, ..Event::new(event.id, event.title) }
}
