//! Taking the pieces of a log together, from the last one back.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use annals_model::gather::Gathered;
use annals_model::{Ongoing, Question, Seq, Tally};

use super::piece::{Name, Names, Piece, Reader};
use crate::log::Log;
use crate::merkle::BLOCK;
use crate::threads;
use crate::{Damage, Result};

/// Blocks of a piece: few enough that the pieces being read take little memory.
const LARGEST: u64 = 32;

/// Pieces for each thread, where the log is long enough.
const PIECES: u64 = 8;

/// What the fold needs of a claim: the record, its event's id and its claims.
#[derive(Clone, Debug)]
pub struct Item {
    /// The record.
    pub seq: Seq,
    id: usize,
    text: Box<[u8]>,
}

/// Where the events stand whose record is not their first one, by that record.
#[derive(Debug, Default)]
pub struct Places(HashMap<Seq, Seq>);

/// What was gathered from a log.
#[derive(Debug, Default)]
pub struct Gathering {
    /// The claims on each attribute, in the order in which the attributes were found.
    pub attributes: Vec<(Name, Gathered<Item>)>,
    /// How many events stand where.
    pub tally: Tally,
    /// What goes on, each with its record.
    pub ongoing: Vec<(Seq, Ongoing)>,
    /// Where the events stand.
    pub places: Places,
    numbers: HashMap<Name, usize>,
    /// Records that are superseded, with the record that counts instead of them.
    superseded: HashMap<Seq, Seq>,
}

impl Item {
    /// The event's id, and its claims.
    pub fn parts(&self) -> (&[u8], &[u8]) {
        self.text.split_at(self.id)
    }
}

impl Places {
    /// The place of the event that a record is of.
    pub fn of(&self, seq: Seq) -> Seq {
        self.0.get(&seq).copied().unwrap_or(seq)
    }
}

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub enum Sought<'a> {
    /// Claims, and how many events stand where and which go on.
    Everything,
    /// All claims on some attributes, and nothing else.
    Only(&'a HashSet<Name>),
    /// How many events stand where and which go on, and no claims.
    Events,
}

/// Gathers what is looked for from the records up to `to`.
pub fn gather<L: Log>(log: &L, question: &Question, to: Seq, sought: Sought<'_>) -> Result<Gathering> {
    let blocks = to.0.div_ceil(BLOCK);
    let most = threads::count();
    let size = blocks.div_ceil(PIECES * most as u64).clamp(1, LARGEST) * BLOCK;
    let pieces = to.0.div_ceil(size);
    let threads = usize::try_from(pieces / 2).unwrap_or(most).min(most);
    let queue = Queue { next: AtomicU64::new(pieces), turn: Mutex::default(), changed: Condvar::new() };
    queue.turn().left = pieces;
    let whole = matches!(sought, Sought::Only(_));
    threads::run(threads, || {
        let stop = Stop(&queue);
        let mut reader = Reader::new(log, question, to, sought)?;
        let mut numbers = Vec::new();
        while let Some(index) = queue.take() {
            let (first, last) = (Seq(index * size + 1), Seq((index * size + size).min(to.0)));
            let piece = reader.read(first, last)?;
            let Some(mut turn) = queue.wait(index) else { break };
            turn.gathering.take(question, &piece, (&mut reader.names, &mut numbers), whole);
            turn.left = index;
            drop(turn);
            queue.changed.notify_all();
        }
        std::mem::forget(stop);
        Ok(())
    })?;
    let gathering = queue.turn.into_inner().unwrap_or_else(PoisonError::into_inner).gathering;
    match gathering.superseded.keys().min() {
        Some(seq) => Err(Damage::of(*seq, *seq, "is missing from its event's history").into()),
        None => Ok(gathering),
    }
}

/// The pieces, which are read by several threads at once and taken together in order.
struct Queue {
    /// The pieces that nobody has begun to read, counted from the first one.
    next: AtomicU64,
    turn: Mutex<Turn>,
    changed: Condvar,
}

#[derive(Default)]
struct Turn {
    /// The pieces that were not taken yet, counted from the first one.
    left: u64,
    is_stopped: bool,
    gathering: Gathering,
}

impl Queue {
    fn take(&self) -> Option<u64> {
        let one_less = |pieces: u64| pieces.checked_sub(1);
        let before = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
        before.ok().map(|pieces| pieces - 1)
    }

    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all later pieces were taken; `None` where one of them never will be.
    fn wait(&self, index: u64) -> Option<MutexGuard<'_, Turn>> {
        let is_early = |turn: &mut Turn| !turn.is_stopped && turn.left != index + 1;
        let turn = self.changed.wait_while(self.turn(), is_early).unwrap_or_else(PoisonError::into_inner);
        (!turn.is_stopped).then_some(turn)
    }
}

/// Stops all threads when one of them fails or panics.
struct Stop<'a>(&'a Queue);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.turn().is_stopped = true;
        self.0.changed.notify_all();
    }
}

impl Gathering {
    /// Takes a piece. `numbers` are the attributes of this gathering by the numbers of the piece's reader.
    fn take(
        &mut self,
        question: &Question,
        piece: &Piece,
        (names, numbers): (&mut Names, &mut Vec<usize>),
        whole: bool,
    ) {
        for name in names.new.drain(..) {
            let number = *self.numbers.entry(name.clone()).or_insert_with(|| {
                let gathered = if whole { Gathered::whole() } else { Gathered::default() };
                self.attributes.push((name, gathered));
                self.attributes.len() - 1
            });
            numbers.push(number);
        }
        for seen in piece.records.iter().rev() {
            let superseded_by = self.superseded.remove(&seen.seq);
            let counts = superseded_by.unwrap_or(seen.seq);
            match seen.previous {
                Some(previous) => drop(self.superseded.insert(previous, counts)),
                None if counts != seen.seq => drop(self.places.0.insert(counts, seen.seq)),
                None => {}
            }
            if superseded_by.is_some() {
                continue;
            }
            let Some(reached) = seen.reached else {
                self.tally.retracted += 1;
                continue;
            };
            self.tally.count(reached);
            self.ongoing.extend(seen.ongoing.as_deref().map(|ongoing| (seen.seq, ongoing.clone())));
            let place = seen.previous.is_none().then_some(seen.seq);
            let item = || {
                let (id, claims) = piece.text(seen);
                Item { seq: seen.seq, id: id.len(), text: [id, claims].concat().into() }
            };
            for (number, mark) in &piece.claims[seen.claims.clone()] {
                let Some(number) = usize::try_from(*number).ok().and_then(|n| numbers.get(n)) else {
                    continue;
                };
                self.attributes[*number].1.take(question, *mark, place, item);
            }
        }
    }
}
