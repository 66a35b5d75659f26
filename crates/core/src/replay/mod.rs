//! Replay: the state as of a date, from the log and nothing else.
//!
//! It reads of each record its header and its claims, and makes no event of it: what people read of events stays
//! compressed, but for the few titles and sources that an answer shows. The log is cut into pieces, which several
//! threads read ([`piece`]) and which are taken together from the last one back ([`gathering`]): read backwards, a
//! record is known to be superseded before it is seen, so that only claims that count are gathered, and those that
//! leave no trace are dropped at once.
//!
//! Whatever this way stumbles over, the plain one of [`Store::known`] decides, answer or error. A filter looks at more
//! than claims: the index of dates names the events that may be admitted, and where there is none, the plain way
//! reads them all. All give the same answers.

mod gathering;
mod piece;

use annals_model::answers::{Answer, Answers};
use annals_model::fold::{Claim, Counted};
use annals_model::gather::Kept;
use annals_model::{
    Change, Event, EventId, Found, Ongoing, Position, Question, Seq, Snapshot, Source, Tally,
};

use self::gathering::{Gathering, Item, Places, Sought, gather};
use self::piece::Name;
use crate::codec::v1::{self, Claims};
use crate::index::Counting;
use crate::log::Log;
use crate::store::Store;
use crate::stored::StoredRecord;
use crate::threads;
use crate::{Damage, Error, Result, scan};

/// An attribute, and the claims on it.
type Attribute = (Name, Vec<Kept<Item>>);

impl<L: Log> Store<L> {
    /// Answers a question: the state as of a date, as it was known at a moment.
    pub fn replay(&self, question: &Question) -> Result<Snapshot> {
        self.require(&question.timeline)?;
        let position = self.position(question.known_at)?;
        if !question.filter.is_empty() {
            if let Some(answer) = self.filtered(question, position) {
                return hashed(answer);
            }
        } else if let Ok(found) = self.found(question, position) {
            return hashed(Snapshot::of(question, found));
        }
        let known = self.known(&question.timeline, question.known_at)?;
        hashed(Snapshot::answer(question, &known.knowledge()))
    }
}

impl<L: Log> Store<L> {
    /// What stands, what may and what did not fit, without a look at events: the part of a snapshot that is made of
    /// claims. With an index and without a filter it reads no record of the log.
    pub fn answers(&self, question: &Question) -> Result<Answers> {
        self.require(&question.timeline)?;
        let position = self.position(question.known_at)?;
        let answered = if question.filter.is_empty() {
            self.indexed(question, position.seq.into())?
        } else {
            self.filtered_answers(question, position.seq)
        };
        if let Some(answers) = answered {
            return Ok(answers);
        }
        let known = self.known(&question.timeline, question.known_at)?;
        Ok(Answers::of(question, &known.knowledge().admitted(question)))
    }

    /// A snapshot is made of claims and of events, each by the shortest way that there is.
    fn found(&self, question: &Question, position: Position) -> Result<Found> {
        let log = self.log();
        if self.index().is_none() {
            return found(log, question, position);
        }
        let (answers, standing) = threads::both(
            || self.indexed(question, position.seq.into()),
            || self.standing(&question.timeline, question.as_of.until(), position.seq),
        );
        let Some(answers) = answers? else { return found(log, question, position) };
        let (events, ongoing) = standing.map_or_else(|| of_events(log, question, position.seq), Ok)?;
        let log_root = scan::root_at(log, position.seq)?;
        Ok(Found { position, log_root, events, ongoing, answers })
    }

    /// What the index answers of what counts; nothing where there is none, or it cannot be written.
    pub(crate) fn indexed(&self, question: &Question, counting: Counting<'_>) -> Result<Option<Answers>> {
        let Some(index) = self.index() else { return Ok(None) };
        let mut entities: Vec<&str> = question.entities.iter().map(String::as_str).collect();
        entities.sort_unstable();
        entities.dedup();
        let found = if entities.is_empty() {
            index.whole(self.log(), question, counting)
        } else {
            let of = |entity| index.ask(self.log(), entity, question, counting);
            entities.into_iter().map(of).collect()
        };
        match found {
            Ok(found) => cited(self.log(), found).map(Some),
            // An index that cannot be written is no reason not to answer.
            Err(Error::Unavailable { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Answers as one, in the order of names, with the sources of those who contest them.
fn cited<L: Log>(log: &L, answered: Vec<Answers>) -> Result<Answers> {
    let mut answers = Answers::default();
    for next in answered {
        answers.append(next);
    }
    let sources = Sources::read(log, answers.contenders().collect())?;
    answers.cite(|seq| sources.of(seq));
    Ok(answers)
}

/// How many events stand where, and which go on: the part of a snapshot that is not made of claims.
fn of_events<L: Log>(log: &L, question: &Question, to: Seq) -> Result<(Tally, Vec<Ongoing>)> {
    let Gathering { tally, ongoing, places, .. } = gather(log, question, to, Sought::Events)?;
    Ok((tally, in_order(ongoing, &places)))
}

fn in_order(ongoing: Vec<(Seq, Ongoing)>, places: &Places) -> Vec<Ongoing> {
    Ongoing::in_order(ongoing.into_iter().map(|(seq, ongoing)| (places.of(seq), ongoing)).collect())
}

fn hashed(answer: serde_json::Result<Snapshot>) -> Result<Snapshot> {
    answer.map_err(|e| Error::io("cannot hash the state", e.into()))
}

fn found<L: Log>(log: &L, question: &Question, position: Position) -> Result<Found> {
    let Gathering { attributes, tally, ongoing, places, .. } = all(log, question, position.seq)?;
    let places = &places;
    let mut attributes: Vec<Attribute> = attributes
        .into_iter()
        .map(|(name, gathered)| (name, gathered.finish(question, |item| places.of(item.seq))))
        .collect();
    attributes.sort_unstable_by(|(a, _), (b, _)| a.parts().cmp(&b.parts()));
    let answered = threads::map_chunks(&attributes, |chunk| {
        let mut answers = Answers::default();
        for (name, claims) in chunk {
            let (entity, attribute) = name.parts();
            answers.add(entity, attribute, answer(question, claims, places)?);
        }
        Ok::<_, Error>(vec![answers])
    })?;
    let answers = cited(log, answered)?;
    let ongoing = in_order(ongoing, places);
    let log_root = scan::root_at(log, position.seq)?;
    Ok(Found { position, log_root, events: tally, ongoing, answers })
}

/// Gathers the claims, and those of some attributes a second time where too much of them was dropped.
fn all<L: Log>(log: &L, question: &Question, to: Seq) -> Result<Gathering> {
    let mut gathering = gather(log, question, to, Sought::Everything)?;
    let (lost, kept) = gathering.attributes.into_iter().partition(|(_, gathered)| gathered.is_lost());
    gathering.attributes = kept;
    let lost: Vec<_> = lost;
    if !lost.is_empty() {
        let names = lost.into_iter().map(|(name, _)| name).collect();
        gathering.attributes.extend(gather(log, question, to, Sought::Only(&names))?.attributes);
    }
    Ok(gathering)
}

fn answer(question: &Question, kept: &[Kept<Item>], places: &Places) -> Result<Answer> {
    let events: Vec<Event> = kept.iter().map(event).collect::<Result<_>>()?;
    let claims: Vec<Claim<'_>> =
        kept.iter().zip(&events).filter_map(|(kept, event)| claim(kept, event, places)).collect();
    Ok(Answer::of(question, &claims))
}

/// The event of a claim, as far as the fold looks at it, with no effect but the claimed one.
fn event(Kept { mark, item, sum }: &Kept<Item>) -> Result<Event> {
    let damaged = |what: String| Damage::of(item.seq, item.seq, what);
    let (id, claims) = item.parts();
    let id = std::str::from_utf8(id).map_err(|e| damaged(e.to_string()))?;
    let id = EventId::new(id).map_err(|e| damaged(e.to_string()))?;
    let claims: Claims<'_> = v1::decode(claims).map_err(damaged)?;
    let (date, mut effects) = claims.read().map_err(|e| damaged(e.to_string()))?;
    if mark.position >= effects.len() {
        return Err(damaged("has fewer effects than were counted".to_owned()).into());
    }
    let mut effect = effects.swap_remove(mark.position);
    if let Some(sum) = sum {
        effect.change = Change::Increase(*sum);
    }
    Ok(Event { date, effects: vec![effect], ..Event::new(id, "") })
}

fn claim<'a>(kept: &Kept<Item>, event: &'a Event, places: &Places) -> Option<Claim<'a>> {
    let seq = kept.item.seq;
    let counted = Counted { place: places.of(seq), seq, event };
    let effect = event.effects.first()?;
    Some(Claim { counted, position: kept.mark.position, span: kept.mark.span, effect })
}

/// The sources that some records cite.
#[derive(Debug)]
pub struct Sources {
    /// The records, in order.
    seqs: Vec<Seq>,
    of: Vec<Vec<Source>>,
}

impl Sources {
    /// Reads them from the log.
    pub fn read<L: Log + ?Sized>(log: &L, mut seqs: Vec<Seq>) -> Result<Self> {
        seqs.sort_unstable();
        seqs.dedup();
        let of = threads::map_chunks(&seqs, |chunk| sources(log, chunk))?;
        Ok(Self { seqs, of })
    }

    /// Those of one of the records.
    pub fn of(&self, seq: Seq) -> &[Source] {
        self.seqs.binary_search(&seq).map_or(&[], |index| &self.of[index])
    }
}

/// The sources of some records, in order.
fn sources<L: Log + ?Sized>(log: &L, seqs: &[Seq]) -> Result<Vec<Vec<Source>>> {
    let mut sources = Vec::with_capacity(seqs.len());
    let mut rest = seqs;
    while let Some(first) = rest.first() {
        let frame = scan::frame_of(log, *first)?;
        let (here, later) = rest.split_at(rest.partition_point(|seq| *seq <= frame.last()));
        for raw in frame.records() {
            let raw = raw?;
            if here.binary_search(&raw.seq).is_ok() {
                let record = StoredRecord::decode(&raw)?.record;
                sources.push(record.content.event().map(|event| event.sources.clone()).unwrap_or_default());
            }
        }
        rest = later;
    }
    Ok(sources)
}
