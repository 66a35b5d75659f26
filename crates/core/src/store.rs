//! The store: a log, and the rules of what may be recorded in it.
//!
//! All writing goes through [`Store::write`]: entries become records in `batch`, which decides what is new, what
//! was there already and what is a conflict, and the log gets one commit. Reading is spread over the files that
//! answer each kind of question: `known`, `scan`, `verify`.

use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use annals_model::{Entry, Expectation, Outcome, Seq, Written, limits};

use crate::ahead::{Ground, Layer};
use crate::batch::Batch;
use crate::dates::DateIndex;
use crate::group::{Group, Turn};
use crate::host::{ClockLag, Host};
use crate::import::PIECE;
use crate::index::ClaimIndex;
use crate::log::Log;
use crate::merkle::BLOCK;
use crate::ready::Ready;
use crate::threads;
use crate::{Error, Result};

/// A log with the engine's rules around it.
#[derive(Debug)]
pub struct Store<L> {
    log: L,
    index: Option<ClaimIndex>,
    dates: Option<DateIndex>,
    group: Group,
    piece: u64,
    /// Where the log ended after the last commit of this store.
    grown: Mutex<Seq>,
    growth: Condvar,
    /// The first clock that lay behind the log since somebody asked last.
    lag: Mutex<Option<ClockLag>>,
    /// What was cleaned of erased content since somebody asked last.
    notes: Mutex<Vec<String>>,
}

/// How a batch is to be written.
#[derive(Clone, Debug)]
pub struct WriteOptions {
    /// Who records it, where an entry does not say.
    pub author: String,
    /// What the timeline's version has to be, if anything is to be written.
    pub expect: Expectation,
    /// Whether an entry's own record time and salt are kept, instead of new ones being made.
    pub keep_record_times: bool,
}

impl WriteOptions {
    /// Options of an ordinary write by `author`.
    pub fn by(author: impl Into<String>) -> Self {
        Self { author: author.into(), expect: Expectation::Any, keep_record_times: false }
    }
}

impl<L: Log> Store<L> {
    /// A store over a log.
    pub fn new(log: L) -> Self {
        Self {
            log,
            index: None,
            dates: None,
            group: Group::default(),
            piece: PIECE,
            grown: Mutex::new(Seq(0)),
            growth: Condvar::new(),
            lag: Mutex::default(),
            notes: Mutex::default(),
        }
    }

    /// The store with an index, which the questions that can use it then do.
    #[must_use]
    pub fn with_index(self, index: ClaimIndex) -> Self {
        Self { index: Some(index), ..self }
    }

    /// The index, if the store has one.
    pub const fn index(&self) -> Option<&ClaimIndex> {
        self.index.as_ref()
    }

    /// The store with an index of dates, which the questions that can use it then do.
    #[must_use]
    pub fn with_dates(self, dates: DateIndex) -> Self {
        Self { dates: Some(dates), ..self }
    }

    /// The index of dates, if the store has one.
    pub const fn dates(&self) -> Option<&DateIndex> {
        self.dates.as_ref()
    }

    /// The store with imports that are stored in pieces of so many records: a multiple of [`BLOCK`](crate::BLOCK).
    #[must_use]
    pub fn with_piece(self, records: u64) -> Self {
        Self { piece: records.max(BLOCK) / BLOCK * BLOCK, ..self }
    }

    /// Records of an import that are in memory at a time.
    pub(crate) const fn piece(&self) -> u64 {
        self.piece
    }

    /// The log itself.
    pub const fn log(&self) -> &L {
        &self.log
    }

    /// Records a batch, all of it or nothing, durably, and answers each entry in turn. Writers at once share a
    /// commit and its sync; each has its own answers and its own error. A redaction is answered when nothing that is
    /// kept beside the log repeats what it erased.
    ///
    /// # Errors
    ///
    /// The error names the entry that was at fault; nothing is written then.
    pub fn write(
        &self,
        entries: Vec<Entry>,
        host: &dyn Host,
        options: &WriteOptions,
    ) -> Result<Vec<Written>, Failed> {
        check(options)?;
        // Before the turn, which only one writer has at a time.
        let entries = entries.into_iter().map(Ready::made).collect();
        let mut turn = self.group.turn();
        let decided = decide(turn.ground(&self.log), entries, host, options);
        let answers = decided.map(|(answers, layer)| {
            if let Some(layer) = layer {
                turn.add(layer);
            }
            answers
        });
        // A refusal waits, too: what it was refused for may not be durable yet.
        self.group
            .settle(turn, &self.log, |layer| self.landed(layer.head.seq(), layer.lag))
            .map_err(whole)?;
        self.clean(answers.iter().flatten()).map_err(whole)?;
        answers
    }

    /// What was cleaned of erased content, beside the log, since this was asked last: saved answers that are gone.
    pub fn cleaned(&self) -> Vec<String> {
        std::mem::take(&mut *self.notes())
    }

    /// Held by whoever cleans.
    pub(crate) fn notes(&self) -> MutexGuard<'_, Vec<String>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the log has a record behind `seq`, for `patience` at most, and gives where it ends. Who follows
    /// the log within the process reads what is new with [`scan::each`](crate::scan::each) and waits again. No
    /// writer ever waits for it.
    pub fn wait_beyond(&self, seq: Seq, patience: Duration) -> Result<Seq> {
        let end = self.log.head()?.seq();
        if end > seq {
            return Ok(end);
        }
        let grown = self.grown.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.growth.wait_timeout_while(grown, patience, |grown| *grown <= seq);
        let (grown, _) = waited.unwrap_or_else(PoisonError::into_inner);
        Ok(end.max(*grown))
    }

    /// The first clock that lay behind the log's last record when something was recorded, since this was asked last.
    /// Record times never go back; whoever sees to the clock wants to know.
    pub fn clock_lag(&self) -> Option<ClockLag> {
        self.lag.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// A turn for one who writes by itself.
    pub(crate) fn alone(&self) -> Turn<'_> {
        self.group.alone(&self.log, |layer| self.landed(layer.head.seq(), layer.lag))
    }

    /// Puts together what large imports have left in many pieces, where that pays: an id is found with fewer looks then.
    /// Nothing that is recorded changes.
    pub fn tidy(&self) -> Result<()> {
        let _turn = self.alone();
        self.log.tidy()
    }

    /// Makes the index of claims and that of dates grow, side by side: each keeps one core busy most of the time. Tells of
    /// both how that went; what is not there cannot fail.
    pub fn grow_indexes(&self) -> (Result<()>, Result<()>) {
        threads::both(
            || self.index().map_or(Ok(()), |index| index.grow(&self.log)),
            || self.dates().map_or(Ok(()), |dates| dates.grow(&self.log)),
        )
    }

    /// Wakes those who wait for the log to grow.
    pub(crate) fn landed(&self, end: Seq, lag: Option<ClockLag>) {
        if let Some(lag) = lag {
            self.lag.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(lag);
        }
        *self.grown.lock().unwrap_or_else(PoisonError::into_inner) = end;
        self.growth.notify_all();
    }
}

/// Whether content was to be erased.
pub const fn is_redaction(answer: &Written) -> bool {
    matches!(answer.outcome, Outcome::Redacted | Outcome::AlreadyRedacted)
}

fn decide<L: Log>(
    ground: Ground<'_, L>,
    entries: Vec<Ready>,
    host: &dyn Host,
    options: &WriteOptions,
) -> Result<(Vec<Written>, Option<Layer>), Failed> {
    let mut batch = Batch::new(ground, host, options, None, None).map_err(whole)?;
    let mut answers = Vec::with_capacity(entries.len());
    for (index, entry) in entries.into_iter().enumerate() {
        answers.push(batch.take(index, entry)?);
    }
    Ok((answers, batch.finish()?))
}

/// Checks how a batch is to be written.
pub fn check(options: &WriteOptions) -> Result<(), Failed> {
    limits::name(&options.author, limits::NAME).map_err(|e| whole(e.under("author").into()))
}

/// Whether the entry is at fault, and not the store.
pub const fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Invalid(_) | Error::Conflict(_) | Error::NotFound(_))
}

/// The failure of a batch as a whole.
pub const fn whole(error: Error) -> Failed {
    Failed { index: None, error }
}

/// A batch that was refused, and which of its entries was at fault.
#[derive(Debug)]
pub struct Failed {
    /// The entry, counted from 0; `None` where the batch as a whole failed.
    pub index: Option<usize>,
    /// What was wrong.
    pub error: Error,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "entry {}: {}", index + 1, self.error),
            None => fmt::Display::fmt(&self.error, f),
        }
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}
