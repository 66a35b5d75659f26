//! Imports: batches of any size, all of it or nothing, in the memory of a piece.
//!
//! A large import is decided piece by piece. Where the log can keep a commit that nobody sees yet ([`Staging`]), each
//! piece but the last one goes there as soon as it is sealed, and the next one is decided on what stands there. With the
//! last piece everything becomes visible in one step. What needs the whole import waits until then: the expected
//! version, redactions that have to follow, the frames that lose content, the block that the log had begun.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use annals_model::{Entry, Seq, Written};

use crate::ahead::{Ground, Layer};
use crate::batch::{Batch, Carried, Resume};
use crate::codec::frame::Frame;
use crate::host::{ClockLag, Host};
use crate::log::{Commit, Log};
use crate::merkle::{BLOCK, Hash};
use crate::ready::Ready;
use crate::seal::{self, Sealed};
use crate::sealing::Workshop;
use crate::store::{Failed, Store, WriteOptions, check, is_redaction, is_refusal, whole};
use crate::{Result, erase};

/// Records of a piece; a multiple of [`BLOCK`].
pub const PIECE: u64 = 128 * BLOCK;

/// How an import is done.
struct How<'a> {
    host: &'a dyn Host,
    options: &'a WriteOptions,
    resume: &'a mut Resume,
    workers: NonZeroUsize,
    /// Whether what the log refuses is left out, and the rest recorded.
    goes_around: bool,
    /// Whether nothing is written in the end.
    rehearsal: bool,
}

impl<L: Log> Store<L> {
    /// Records a batch of an import that may be run again, like [`import_from`](Self::import_from).
    pub fn import(
        &self,
        entries: Vec<Entry>,
        host: &dyn Host,
        options: &WriteOptions,
        resume: &mut Resume,
    ) -> Result<Vec<Written>, Failed> {
        let mut answers = Vec::with_capacity(entries.len());
        let entries = entries.into_iter().map(Ok);
        self.import_from(entries, host, options, resume, NonZeroUsize::MIN, |answer| answers.push(answer))?;
        Ok(answers)
    }

    /// Records what comes of an import's source, all of it or nothing, durably. The records are sealed on `workers`
    /// threads beside this one; how many there are changes no byte. However much it is, a piece of it is in memory.
    ///
    /// Each entry's answer is given as soon as it is decided: it stands only if the whole import does. Entries that
    /// were made [`Ready`] on other threads leave less to be done here.
    ///
    /// # Errors
    ///
    /// The error names the first entry that was at fault. An error of the source ends the import. Nothing is
    /// written then.
    pub fn import_from(
        &self,
        entries: impl IntoIterator<Item = Result<impl Into<Ready>>>,
        host: &dyn Host,
        options: &WriteOptions,
        resume: &mut Resume,
        workers: NonZeroUsize,
        mut answered: impl FnMut(Written),
    ) -> Result<(), Failed> {
        let how = How { host, options, resume, workers, goes_around: false, rehearsal: false };
        self.import_entries(entries, how, |decided| decided.map(&mut answered).unwrap_or_default())
    }

    /// Records what comes of an import's source as [`import_from`](Self::import_from) does, but leaves out what the
    /// log refuses: each entry's answer, or why it is refused, is given before the next one is taken. What is left
    /// is recorded, wholly and durably, or not at all where this is a `rehearsal`: what of it was too much for memory,
    /// and stored where nobody sees it, is removed again.
    ///
    /// # Errors
    ///
    /// Nothing is written where the source fails, where the timeline's version is not the expected one, or where
    /// the store cannot be read or written.
    #[expect(clippy::too_many_arguments, reason = "as `import_from`, and whether it counts")]
    pub fn import_around(
        &self,
        entries: impl IntoIterator<Item = Result<impl Into<Ready>>>,
        host: &dyn Host,
        options: &WriteOptions,
        resume: &mut Resume,
        workers: NonZeroUsize,
        rehearsal: bool,
        decided: impl FnMut(Result<Written>),
    ) -> Result<(), Failed> {
        let how = How { host, options, resume, workers, goes_around: true, rehearsal };
        self.import_entries(entries, how, decided)
    }

    fn import_entries(
        &self,
        entries: impl IntoIterator<Item = Result<impl Into<Ready>>>,
        mut how: How<'_>,
        mut decided: impl FnMut(Result<Written>),
    ) -> Result<(), Failed> {
        check(how.options)?;
        let turn = self.alone();
        let mut redacted = Vec::new();
        let decided = |answer: Result<Written>| {
            redacted.extend(answer.iter().filter(|answer| is_redaction(answer)).cloned());
            decided(answer);
        };
        let end = std::thread::scope(|scope| {
            let workshop = Workshop::open(scope, how.workers);
            let entries = entries.into_iter().map(|entry| entry.map(Into::into));
            import(self.log(), entries, &mut how, &workshop, self.piece(), decided)
        })?;
        if let Some((end, lag)) = end {
            self.landed(end, lag);
        }
        drop(turn);
        self.clean(&redacted).map_err(whole)
    }
}

/// Where the log ends when it has grown, and how the clock lay behind it, if it did.
type End = (Seq, Option<ClockLag>);

/// Decides all entries and stores what comes of them.
fn import(
    log: &dyn Log,
    entries: impl Iterator<Item = Result<Ready>>,
    how: &mut How<'_>,
    workshop: &Workshop,
    piece: u64,
    mut decided: impl FnMut(Result<Written>),
) -> Result<Option<End>, Failed> {
    let staging = log.stage().map_err(whole)?;
    let piece = if staging.is_some() { piece } else { u64::MAX };
    let mut entries = entries.enumerate();
    let mut carried = Carried::default();
    let mut lag = None;
    let mut pieces: Option<Staged> = None;
    loop {
        let ground: &dyn Log = match &staging {
            Some(staging) if pieces.is_some() => &**staging,
            _ => log,
        };
        let ground = Ground::new(ground, [None, None]);
        let resume = Some(&mut *how.resume);
        let batch = Batch::new(ground, how.host, how.options, resume, Some(workshop.clone()));
        let mut batch = batch.map_err(whole)?.going_on(std::mem::take(&mut carried));
        if how.goes_around {
            batch = batch.checking_each();
        }
        let is_over = take_some(&mut batch, &mut entries, how.goes_around, piece, &mut decided)?;
        let (layer, rest) = batch.piece()?;
        carried = rest;
        lag = lag.or(layer.as_ref().and_then(|layer| layer.lag));
        match (&staging, layer) {
            (Some(staging), Some(layer)) if !is_over => {
                pieces.get_or_insert_with(|| Staged::begin(&layer)).erased.extend(&layer.erased);
                staging.commit(&layer.into_piece()).map_err(whole)?;
            }
            (_, layer) => {
                if layer.is_some() || pieces.is_some() {
                    carried.settle(how.options.expect)?;
                }
                if how.rehearsal {
                    // What was staged goes with the staging.
                    return Ok(None);
                }
                let end = match staging.zip(pieces) {
                    Some((staging, pieces)) => {
                        let last = pieces.last(&*staging, layer).map_err(whole)?;
                        let end = last.head.seq();
                        staging.publish(last).map_err(whole)?;
                        Some(end)
                    }
                    None => land(log, layer)?,
                };
                how.resume.go_on(carried);
                return Ok(end.map(|end| (end, lag)));
            }
        }
    }
}

/// Takes entries until the batch is a piece of so many records; whether there are no more.
fn take_some<L: Log + ?Sized>(
    batch: &mut Batch<'_, L>,
    entries: &mut impl Iterator<Item = (usize, Result<Ready>)>,
    goes_around: bool,
    piece: u64,
    decided: &mut impl FnMut(Result<Written>),
) -> Result<bool, Failed> {
    while !batch.is_piece(piece) {
        let Some((index, entry)) = entries.next() else { return Ok(true) };
        let entry = entry.map_err(|error| Failed { index: Some(index), error })?;
        match batch.take(index, entry) {
            Ok(answer) => decided(Ok(answer)),
            Err(Failed { error, .. }) if goes_around && is_refusal(&error) => decided(Err(error)),
            Err(failed) => return Err(failed),
        }
    }
    Ok(false)
}

/// Commits an import that is one piece.
fn land(log: &dyn Log, layer: Option<Layer>) -> Result<Option<Seq>, Failed> {
    let Some(layer) = layer else { return Ok(None) };
    let end = layer.head.seq();
    log.commit(&layer.into_commit(log).map_err(whole)?).map_err(whole)?;
    Ok(Some(end))
}

/// What the last commit of an import has to know of the pieces before it.
struct Staged {
    /// The first record of the import.
    first: Seq,
    /// The block that the log had begun before, and its root.
    begun: Option<(u64, Hash)>,
    /// Records whose content goes.
    erased: BTreeSet<Seq>,
}

impl Staged {
    fn begin(layer: &Layer) -> Self {
        let begun = layer.blocks.first().filter(|(index, _)| index * BLOCK + 1 < layer.first.0);
        Self { first: layer.first, begun: begun.copied(), erased: BTreeSet::new() }
    }

    /// The commit that ends the import; `log` has all pieces but the last one.
    fn last(mut self, log: &dyn Log, layer: Option<Layer>) -> Result<Commit> {
        let mut commit = match layer {
            Some(mut layer) => {
                self.erased.append(&mut layer.erased);
                layer.into_piece()
            }
            None => Commit { head: log.head()?, ..Commit::default() },
        };
        let end = log.head()?.seq().next();
        let Sealed { removed, frames } = self.seal_begun(log)?;
        let after = self.begun.map_or(end, |(index, _)| Seq((index + 1) * BLOCK + 1));
        // What was sealed anew was erased in it.
        let before = frames.first().map_or(after, |(first, _)| *first);
        commit.frames = erase::frames(commit.frames, &self.erased)?;
        (commit.removed, commit.sealed) = (removed, frames);
        commit.sealed.extend(erase::in_log(log, &self.erased, Seq(1), before)?);
        commit.sealed.extend(erase::in_log(log, &self.erased, after, end)?);
        Ok(commit)
    }

    /// The block that the log had begun, packed anew.
    fn seal_begun(&self, log: &dyn Log) -> Result<Sealed> {
        let Some((index, root)) = &self.begun else { return Ok(Sealed::default()) };
        let end = Seq((index + 1) * BLOCK);
        let (mut records, mut new) = (Vec::new(), Vec::new());
        for stored in log.frames(self.first) {
            let (first, bytes) = stored?;
            if first > end {
                break;
            }
            new.push(first);
            records.extend(Frame::decode(first, &bytes)?.encoded()?);
        }
        erase::records(self.first, &mut records, &self.erased)?;
        seal::begun_block(log, *index, root, self.first, &records, new.into_iter(), &self.erased)
    }
}
