//! The store: a log, and the rules of what may be recorded in it.
//!
//! All writing goes through [`Store::write`]: entries become records in `batch`, which decides what is new, what
//! was there already and what is a conflict, and the log gets one commit. Reading is spread over the files that
//! answer each kind of question: `known`, `scan`, `verify`.

use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use annals_model::{Entry, Expectation, Seq, Written, limits};

use crate::batch::{Batch, Resume};
use crate::host::Host;
use crate::index::ClaimIndex;
use crate::log::Log;
use crate::{Error, Result};

/// A log with the engine's rules around it.
#[derive(Debug)]
pub struct Store<L> {
    log: L,
    index: Option<ClaimIndex>,
    writer: Mutex<()>,
    /// Where the log ended after the last commit of this store.
    grown: Mutex<Seq>,
    growth: Condvar,
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
    pub const fn new(log: L) -> Self {
        Self { log, index: None, writer: Mutex::new(()), grown: Mutex::new(Seq(0)), growth: Condvar::new() }
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

    /// The log itself.
    pub const fn log(&self) -> &L {
        &self.log
    }

    /// Records a batch, all of it or nothing, with one durable commit, and answers each entry in turn.
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
        self.batch(entries, host, options, None)
    }

    /// Records a batch of an import that may be run again.
    pub fn import(
        &self,
        entries: Vec<Entry>,
        host: &dyn Host,
        options: &WriteOptions,
        resume: &mut Resume,
    ) -> Result<Vec<Written>, Failed> {
        self.batch(entries, host, options, Some(resume))
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

    fn batch(
        &self,
        entries: Vec<Entry>,
        host: &dyn Host,
        options: &WriteOptions,
        resume: Option<&mut Resume>,
    ) -> Result<Vec<Written>, Failed> {
        let _writer = self.lock();
        let whole = |error: Error| Failed { index: None, error };
        limits::name(&options.author, limits::NAME).map_err(|e| whole(e.under("author").into()))?;
        let mut batch = Batch::new(&self.log, host, options, resume).map_err(whole)?;
        let mut answers = Vec::with_capacity(entries.len());
        for (index, entry) in entries.into_iter().enumerate() {
            let answer = batch.take(entry).map_err(|error| Failed { index: Some(index), error })?;
            answers.push(answer);
        }
        if let Some(commit) = batch.commit().map_err(whole)? {
            self.log.commit(&commit).map_err(whole)?;
            *self.grown.lock().unwrap_or_else(PoisonError::into_inner) = commit.head.seq();
            self.growth.notify_all();
        }
        Ok(answers)
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        // The lock guards no data of its own: a writer that panicked left nothing half done behind it.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
