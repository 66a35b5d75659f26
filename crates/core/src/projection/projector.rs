//! The driver of a projection: it reads what is new, rewinds where it has to, and gives the state as of any date.

use std::collections::{BTreeSet, HashMap};

use annals_model::{
    AsOf, Content, Event, EventId, KnownAt, Moment, Op, Receipt, Record, RecordedAt, Seq, canonical_sha256,
};
use serde::Serialize;

use super::error::ProjectionError;
use super::happened::{Happened, StepKey};
use super::ledger::{Dated, Ledger, Standing};
use super::states::{Kept, States};
use super::{Projection, Scope};
use crate::codec::leaf::op_of;
use crate::log::Log;
use crate::merkle::Hash;
use crate::store::Store;
use crate::stored::StoredRecord;
use crate::{BLOCK, Damage, Error, hex, scan};

/// A projection that follows a log.
///
/// It holds no events, but where each one stands, its date, and a few states along effective order. What has to be
/// applied is read from the store that is passed in, which has to be the same one each time.
#[derive(Debug)]
pub struct Projector<P: Projection> {
    pub(super) projection: P,
    pub(super) scope: Scope,
    /// The last record that was read.
    pub(super) read: Seq,
    /// The root over the records up to it.
    pub(super) root: Hash,
    /// The last of them that counts at K.
    pub(super) known: Seq,
    pub(super) ledger: Ledger,
    pub(super) states: States<P::State>,
    /// Events that were read and not applied yet, by the record of their version.
    fresh: HashMap<Seq, Event>,
}

/// What catching up found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaughtUp {
    /// How many records of the log were new, whatever their timeline.
    pub read: u64,
    /// The last record that was read.
    pub through: Seq,
    /// The first moment from which on states that had been reached no longer held; `None` where all new steps come
    /// behind them. [`Moment::NEG_INFINITY`] where all did.
    pub rewound_to: Option<Moment>,
}

/// A state, and the moment from which on it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Since<S> {
    /// The first moment, on the date axis; [`Moment::NEG_INFINITY`] for what always stood.
    pub moment: Moment,
    /// The state.
    pub state: S,
}

/// What a new record says of an event.
struct Arrival {
    id: EventId,
    seq: Seq,
    event: Option<Event>,
    /// Whether the record itself counts at K, and not only what it erases.
    counts: bool,
}

/// What the records behind a position say.
struct News {
    arrivals: Vec<Arrival>,
    known: Seq,
}

impl<P: Projection> Projector<P> {
    /// A projection that has read nothing yet.
    pub fn new(projection: P, scope: Scope) -> Self {
        let ledger = Ledger::new(scope.certainty);
        Self {
            projection,
            scope,
            read: Seq(0),
            root: crate::merkle::Frontier::default().root(),
            known: Seq(0),
            ledger,
            states: States::new(),
            fresh: HashMap::new(),
        }
    }

    /// The projection.
    pub const fn projection(&self) -> &P {
        &self.projection
    }

    /// What of the log it follows.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The last record that was read.
    pub const fn position(&self) -> Seq {
        self.read
    }

    /// Reads the records behind the position, and rewinds to before the first step that they affect.
    ///
    /// Every method that gives a state catches up first; call this one to read at a time of your own choosing, or
    /// for its answer.
    ///
    /// # Errors
    ///
    /// Those of reading the log, and a `known_at` of a position that the log does not have yet. Nothing has changed
    /// then.
    pub fn catch_up<L: Log>(&mut self, store: &Store<L>) -> Result<CaughtUp, ProjectionError> {
        let head = store.log().head()?;
        let (from, to) = (self.read, head.seq());
        if let KnownAt::Position(_) = self.scope.known_at {
            store.position(self.scope.known_at)?;
        }
        if to < from || (to == from && head.frontier.root() != self.root) {
            return Err(ProjectionError::AnotherLog { read: from, held: to });
        }
        let news = self.news(store.log(), to)?;
        let mut first: Option<StepKey> = None;
        for arrival in news.arrivals {
            let affected = self.arrive(arrival);
            first = first.into_iter().chain(affected).min();
        }
        (self.read, self.root, self.known) = (to, head.frontier.root(), news.known);
        let rewound_to = first.filter(|step| self.states.forget_from(*step)).map(|step| step.moment());
        Ok(CaughtUp { read: to.0 - from.0, through: to, rewound_to })
    }

    /// The state as of a date, with everything that the log now holds for the scope.
    ///
    /// # Errors
    ///
    /// Those of [`Self::catch_up`], and an event that the projection does not take.
    pub fn state_at<L: Log>(&mut self, store: &Store<L>, as_of: &AsOf) -> Result<&P::State, ProjectionError> {
        self.catch_up(store)?;
        while let Some(erased) = self.fold(store.log(), as_of.until())? {
            self.meet(store, erased)?;
        }
        Ok(&self.states.current().state)
    }

    /// Every state that stood up to a date, each with the moment from which on it did; states that follow each
    /// other and are equal are one.
    ///
    /// The first one stands at [`Moment::NEG_INFINITY`]: it is the default state, or what undated and beginningless
    /// events possibly made of it.
    ///
    /// # Errors
    ///
    /// Those of [`Self::state_at`].
    pub fn history<L: Log>(
        &mut self,
        store: &Store<L>,
        as_of: &AsOf,
    ) -> Result<Vec<Since<P::State>>, ProjectionError>
    where
        P::State: PartialEq,
    {
        self.catch_up(store)?;
        loop {
            let steps = self.ledger.between(None, as_of.until());
            match self.load(store.log(), &steps)? {
                Ok(events) => return self.spans(&steps, &events),
                Err(erased) => self.meet(store, erased)?,
            }
        }
    }

    /// What makes a state repeatable: the same projection gives a state of this hash as of this date, from every
    /// log that has this root at this record.
    ///
    /// # Errors
    ///
    /// Those of [`Self::state_at`], and a state that cannot be written as JSON.
    pub fn receipt<L: Log>(&mut self, store: &Store<L>, as_of: &AsOf) -> Result<Receipt, ProjectionError>
    where
        P::State: Serialize,
    {
        let state_sha256 = canonical_sha256(self.state_at(store, as_of)?).map_err(|e| self.unwritable(e))?;
        let seq = self.known;
        let root = if seq == self.read { self.root } else { scan::root_at(store.log(), seq)? };
        Ok(Receipt { seq, log_root: hex(&root), state_sha256 })
    }

    pub(super) fn unwritable(&self, cause: serde_json::Error) -> ProjectionError {
        ProjectionError::State { projection: self.projection.name().to_owned(), cause }
    }

    /// The records of the timeline behind the position, as far as they count or erase something that does.
    fn news(&self, log: &impl Log, to: Seq) -> Result<News, ProjectionError> {
        let mut news = News { arrivals: Vec::new(), known: self.known };
        scan::each_raw(log, self.read.next(), to, |raw| {
            let counts = self.scope.known_at.covers(raw.seq, RecordedAt::from_micros(raw.head.recorded_at));
            if counts {
                news.known = raw.seq;
            }
            let erases = op_of(raw.head.op) == Some(Op::Redact);
            if raw.head.timeline == self.scope.timeline.as_str() && (counts || erases) {
                let StoredRecord { record: Record { id, seq, content, .. }, .. } = StoredRecord::decode(raw)?;
                let event = match content {
                    Content::Event(event) => Some(*event),
                    Content::Reason(_) | Content::Redacted => None,
                };
                news.arrivals.push(Arrival { id, seq, event, counts });
            }
            Ok(())
        })?;
        Ok(news)
    }

    /// Takes what a record says. Gives the first step that it affects.
    fn arrive(&mut self, Arrival { id, seq, event, counts }: Arrival) -> Option<StepKey> {
        if !counts && !self.ledger.knows(&id) {
            return None;
        }
        let standing = event.map(|event| {
            let wanted =
                self.scope.filter.admits(&event, self.scope.certainty) && self.projection.wants(&event);
            let dated = wanted.then(|| Dated(event.date.clone()));
            if wanted {
                self.fresh.insert(seq, event);
            }
            Standing { seq, dated }
        });
        self.ledger.record(id, seq, standing)
    }

    /// Content that is gone has been erased since; the record that says so must be there.
    fn meet<L: Log>(&mut self, store: &Store<L>, erased: Seq) -> Result<(), ProjectionError> {
        if self.catch_up(store)?.read == 0 {
            let what = "its content is missing, and no redaction says why";
            return Err(Error::from(Damage::of(erased, erased, what)).into());
        }
        Ok(())
    }

    /// Applies what is left to do as of a moment. Gives a record whose content turned out to be erased.
    fn fold(&mut self, log: &impl Log, until: Moment) -> Result<Option<Seq>, ProjectionError> {
        let mut base = self.states.take_base(until);
        let steps = self.ledger.between(base.after.as_ref(), until);
        let loaded = self.load(log, &steps);
        let events = match loaded {
            Ok(Ok(events)) => events,
            failed => {
                self.states.settle(base);
                return failed.map(Result::err);
            }
        };
        for (index, (key, seq)) in steps.iter().enumerate() {
            self.apply(&mut base.state, *key, *seq, &events)?;
            base = Kept { after: Some(*key), count: base.count + 1, ..base };
            self.states.pass(&base, steps.len() - 1 - index);
        }
        self.states.settle(base);
        Ok(None)
    }

    fn apply(
        &self,
        state: &mut P::State,
        key: StepKey,
        seq: Seq,
        events: &HashMap<Seq, Event>,
    ) -> Result<(), ProjectionError> {
        // Loading has seen to it that each step's event is there.
        let Some(event) = events.get(&seq) else { return Ok(()) };
        let happened = Happened::new(event, seq, key, self.scope.certainty);
        self.projection.apply(state, &happened).map_err(|cause| ProjectionError::Apply {
            projection: self.projection.name().to_owned(),
            timeline: self.scope.timeline.clone(),
            id: event.id.clone(),
            seq,
            turn: happened.turn(),
            cause,
        })
    }

    /// The states that these steps make, one after the other.
    fn spans(
        &self,
        steps: &[(StepKey, Seq)],
        events: &HashMap<Seq, Event>,
    ) -> Result<Vec<Since<P::State>>, ProjectionError>
    where
        P::State: PartialEq,
    {
        let mut spans = vec![Since { moment: Moment::NEG_INFINITY, state: P::State::default() }];
        let mut state = P::State::default();
        for group in steps.chunk_by(|(a, _), (b, _)| a.moment() == b.moment()) {
            for (key, seq) in group {
                self.apply(&mut state, *key, *seq, events)?;
            }
            let moment = group.first().map_or(Moment::NEG_INFINITY, |(key, _)| key.moment());
            match spans.last_mut() {
                Some(last) if last.state == state => {}
                Some(last) if last.moment == moment => last.state = state.clone(),
                _ => spans.push(Since { moment, state: state.clone() }),
            }
        }
        Ok(spans)
    }

    /// The events of these steps, from what was just read or from the log; or else a record without its content.
    fn load(
        &mut self,
        log: &impl Log,
        steps: &[(StepKey, Seq)],
    ) -> Result<Result<HashMap<Seq, Event>, Seq>, ProjectionError> {
        let mut events = std::mem::take(&mut self.fresh);
        let wanted: BTreeSet<Seq> = steps.iter().map(|(_, seq)| *seq).collect();
        let missing: Vec<Seq> = wanted.into_iter().filter(|seq| !events.contains_key(seq)).collect();
        let mut erased = None;
        // What lies near to each other is read in one go; what does not is not read over.
        for run in missing.chunk_by(|a, b| b.0 - a.0 <= BLOCK) {
            let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
            scan::each_raw(log, *first, *last, |raw| {
                if run.binary_search(&raw.seq).is_ok() {
                    match StoredRecord::decode(raw)?.record.content {
                        Content::Event(event) => {
                            events.insert(raw.seq, *event);
                        }
                        Content::Reason(_) | Content::Redacted => erased = Some(raw.seq),
                    }
                }
                Ok(())
            })?;
        }
        Ok(erased.map_or(Ok(events), Err))
    }
}
