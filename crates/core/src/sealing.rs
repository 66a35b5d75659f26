//! From decided records to frames and leaves: on the deciding thread, or on others beside it.
//!
//! Encoding a record, decoding it again, hashing its leaf and compressing its frame take most of the time of a
//! write, and none of it decides anything. A single write does it where it is decided. An import hands each block
//! of 256 records to a worker and goes on; the blocks come back in their order. Both ways give the same bytes.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::mpsc::{self, Receiver, SyncSender, TryRecvError};
use std::sync::{Mutex, PoisonError};
use std::thread::Scope;

use annals_model::Seq;

use crate::codec::frame::{self, Encoded, Frame, RawRecord};
use crate::codec::v1;
use crate::decided::Decided;
use crate::log::StoredFrame;
use crate::merkle::{BLOCK, Frontier, Hash};
use crate::store::Failed;
use crate::stored::{self, StoredRecord};
use crate::{Damage, Error, Result};

/// The records of a batch on their way into frames.
pub struct Sealing {
    first: Seq,
    next: Seq,
    frontier: Frontier,
    blocks: Vec<(u64, Hash)>,
    /// Set when a record could not be sealed, which comes out later than it was decided.
    fault: Option<Fault>,
    way: Way,
}

/// A record that could not be sealed.
#[derive(Clone, Copy)]
struct Fault {
    /// The entry that it comes of, where the fault is one record's.
    entry: Option<usize>,
}

enum Way {
    /// Each record at once.
    Here(Vec<Encoded>),
    /// Block by block, on other threads.
    Beside(Beside),
}

/// Everything that became of a batch's records.
pub struct Sealed {
    /// The records, where they were not packed.
    pub records: Vec<Encoded>,
    /// The frames, where they were.
    pub frames: Vec<StoredFrame>,
    /// Roots of the blocks that were completed.
    pub blocks: Vec<(u64, Hash)>,
    /// The tree behind them.
    pub frontier: Frontier,
}

impl Sealing {
    /// Seals on this thread, behind the tree of a log.
    pub fn here(frontier: Frontier) -> Self {
        Self::new(frontier, Way::Here(Vec::new()))
    }

    /// Seals on the threads of a workshop.
    pub fn beside(frontier: Frontier, workshop: Workshop) -> Self {
        let beside = Beside {
            workshop,
            open: Vec::new(),
            coming: VecDeque::new(),
            frames: Vec::new(),
            done: Seq(frontier.count()),
        };
        Self::new(frontier, Way::Beside(beside))
    }

    fn new(frontier: Frontier, way: Way) -> Self {
        let next = Seq(frontier.count()).next();
        Self { first: next, next, frontier, blocks: Vec::new(), fault: None, way }
    }

    /// The first record of the batch.
    pub const fn first(&self) -> Seq {
        self.first
    }

    /// The position of the next record.
    pub const fn next(&self) -> Seq {
        self.next
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.first == self.next
    }

    /// Whether the records are checked against every limit while they are sealed.
    pub const fn checks(&self) -> bool {
        matches!(self.way, Way::Beside(_))
    }

    /// Adds the next record, which comes of the batch's entry `index`.
    pub fn push(&mut self, index: usize, record: Decided) -> Result<()> {
        let seq = self.next;
        match &mut self.way {
            Way::Here(records) => {
                let mut head = Vec::with_capacity(stored::USUAL);
                let (finished, leaf) = record.seal(&mut head)?;
                records.push(finished.into_encoded(&head));
                let block = self.frontier.push(leaf);
                self.blocks.extend(block.map(|root| (seq.0 / BLOCK - 1, root)));
            }
            Way::Beside(beside) => {
                beside.open.push((index, record));
                if seq.0.is_multiple_of(BLOCK) {
                    self.collect(Wanted::WhatIsThere)?;
                }
            }
        }
        self.next = seq.next();
        Ok(())
    }

    /// One of the batch's own records; nothing where `seq` is none of them.
    pub fn read(&mut self, seq: Seq) -> Result<Option<StoredRecord>> {
        if !(self.first..self.next).contains(&seq) {
            return Ok(None);
        }
        if matches!(&self.way, Way::Beside(beside) if beside.is_handed_over(seq)) {
            self.collect(Wanted::UpTo(seq))?;
        }
        match &self.way {
            Way::Here(records) => {
                let index = usize::try_from(seq.0 - self.first.0).unwrap_or(usize::MAX);
                records.get(index).map(|own| decode(seq, own)).transpose()
            }
            Way::Beside(beside) => beside.read(seq),
        }
    }

    /// Who is at fault for an error that came up at the entry `index`: an earlier record that could not be sealed
    /// goes before it.
    pub fn blame(&mut self, index: usize, error: Error) -> Failed {
        if self.fault.is_none()
            && let Err(earlier) = self.collect(Wanted::All)
        {
            return Failed { index: self.fault.and_then(|fault| fault.entry), error: earlier };
        }
        Failed { index: self.fault.map_or(Some(index), |fault| fault.entry), error }
    }

    /// Waits for all records that were added.
    pub fn finish(mut self) -> Result<Sealed, Failed> {
        if let Err(error) = self.collect(Wanted::All) {
            return Err(Failed { index: self.fault.and_then(|fault| fault.entry), error });
        }
        let (records, frames) = match self.way {
            Way::Here(records) => (records, Vec::new()),
            Way::Beside(beside) => (Vec::new(), beside.frames),
        };
        Ok(Sealed { records, frames, blocks: self.blocks, frontier: self.frontier })
    }

    /// Hands the open block over and takes in what comes back.
    fn collect(&mut self, wanted: Wanted) -> Result<()> {
        let Way::Beside(beside) = &mut self.way else { return Ok(()) };
        let collected = match wanted {
            Wanted::UpTo(_) => Ok(()),
            Wanted::WhatIsThere | Wanted::All => beside.send(),
        };
        let collected = collected.and_then(|()| beside.collect(&mut self.frontier, &mut self.blocks, wanted));
        collected.map_err(|failed| {
            self.fault = Some(Fault { entry: failed.index });
            failed.error
        })
    }
}

/// A record that was encoded.
pub fn decode(seq: Seq, encoded: &Encoded) -> Result<StoredRecord> {
    let head = v1::decode(&encoded.head).map_err(Damage::new)?;
    let raw = RawRecord { seq, head, claims: &encoded.claims, details: &encoded.details };
    Ok(StoredRecord::decode(&raw)?)
}

/// Records on their way over the workers.
struct Beside {
    workshop: Workshop,
    /// The records of the block that is not full yet, each with its entry.
    open: Vec<(usize, Decided)>,
    /// The blocks that are being worked on, in their order.
    coming: VecDeque<Receiver<Result<Block, Failed>>>,
    frames: Vec<StoredFrame>,
    /// The last record that came back.
    done: Seq,
}

/// How long to wait for what is being worked on.
#[derive(Clone, Copy)]
enum Wanted {
    WhatIsThere,
    UpTo(Seq),
    All,
}

impl Beside {
    /// Whether a record has gone to the workers.
    fn is_handed_over(&self, seq: Seq) -> bool {
        self.open.first().is_none_or(|(_, first)| seq < first.seq())
    }

    /// A record of the open block, or of one that has come back.
    fn read(&self, seq: Seq) -> Result<Option<StoredRecord>> {
        if let Some((_, own)) = self.open.iter().find(|(_, own)| own.seq() == seq) {
            return own.stored().map(Some);
        }
        let at = self.frames.partition_point(|(first, _)| *first <= seq);
        let Some((first, bytes)) = at.checked_sub(1).and_then(|at| self.frames.get(at)) else {
            return Ok(None);
        };
        Ok(Some(StoredRecord::decode(&Frame::decode(*first, bytes)?.record(seq)?)?))
    }

    /// Hands the open block over; waits while the workers have enough to do.
    fn send(&mut self) -> Result<(), Failed> {
        if self.open.is_empty() {
            return Ok(());
        }
        let (reply, block) = mpsc::sync_channel(1);
        // The next block has about as many.
        let next = Vec::with_capacity(self.open.len());
        let records = std::mem::replace(&mut self.open, next);
        self.workshop.jobs.send(Job { records, reply }).map_err(|_| lost())?;
        self.coming.push_back(block);
        Ok(())
    }

    fn collect(
        &mut self,
        frontier: &mut Frontier,
        blocks: &mut Vec<(u64, Hash)>,
        wanted: Wanted,
    ) -> Result<(), Failed> {
        while let Some(next) = self.coming.front() {
            let block = match wanted {
                Wanted::UpTo(seq) if seq <= self.done => return Ok(()),
                Wanted::WhatIsThere => match next.try_recv() {
                    Err(TryRecvError::Empty) => return Ok(()),
                    other => other.map_err(|_| lost()),
                },
                Wanted::UpTo(_) | Wanted::All => next.recv().map_err(|_| lost()),
            };
            self.coming.pop_front();
            let Block { frames, leaves } = block??;
            self.frames.extend(frames);
            match leaves {
                Leaves::Whole(root) => {
                    blocks.push((frontier.count() / BLOCK, root));
                    frontier.push_block(root);
                }
                Leaves::Part(leaves) => {
                    for leaf in leaves {
                        let block = frontier.push(leaf);
                        blocks.extend(block.map(|root| (frontier.count() / BLOCK - 1, root)));
                    }
                }
            }
            self.done = Seq(frontier.count());
        }
        Ok(())
    }
}

fn lost() -> Failed {
    let error =
        Error::unavailable("a thread of the import ended early", "this is a fault of Annals: report it");
    Failed { index: None, error }
}

/// Records of one block, to be sealed.
struct Job {
    records: Vec<(usize, Decided)>,
    reply: SyncSender<Result<Block, Failed>>,
}

/// Sealed records of one block.
struct Block {
    frames: Vec<StoredFrame>,
    leaves: Leaves,
}

enum Leaves {
    /// The root of a whole block.
    Whole(Hash),
    /// The leaves of a part of one.
    Part(Vec<Hash>),
}

/// The way to threads that seal blocks. They end when it is dropped, and every clone of it.
#[derive(Clone)]
pub struct Workshop {
    jobs: SyncSender<Job>,
}

impl Workshop {
    /// Starts the threads within a scope.
    pub fn open<'scope>(scope: &'scope Scope<'scope, '_>, workers: NonZeroUsize) -> Self {
        let (jobs, queue) = mpsc::sync_channel::<Job>(workers.get());
        let queue = std::sync::Arc::new(Mutex::new(queue));
        for _ in 0..workers.get() {
            let queue = std::sync::Arc::clone(&queue);
            scope.spawn(move || {
                loop {
                    let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(Job { records, reply }) = job else { return };
                    // Nobody listens any more where the import was given up.
                    let _ = reply.send(seal(records));
                }
            });
        }
        Self { jobs }
    }
}

fn seal(records: Vec<(usize, Decided)>) -> Result<Block, Failed> {
    let first = records.first().map_or(Seq(1), |(_, record)| record.seq());
    let mut heads = Vec::with_capacity(records.len() * stored::USUAL);
    let mut finished = Vec::with_capacity(records.len());
    let mut leaves = Vec::with_capacity(records.len());
    for (index, record) in records {
        let sealed = record.seal(&mut heads).map_err(|error| Failed { index: Some(index), error })?;
        finished.push(sealed.0);
        leaves.push(sealed.1);
    }
    let pieces: Vec<_> = finished.iter().map(|finished| finished.sections(&heads)).collect();
    let frames = frame::pack(first, &pieces).map_err(|error| Failed { index: None, error })?;
    let is_whole = (first.0 - 1).is_multiple_of(BLOCK) && leaves.len() as u64 == BLOCK;
    let mut tree = Frontier::default();
    let root = if is_whole { leaves.iter().filter_map(|leaf| tree.push(*leaf)).last() } else { None };
    Ok(Block { frames, leaves: root.map_or(Leaves::Part(leaves), Leaves::Whole) })
}
