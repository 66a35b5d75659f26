//! The runs taken together: always the first event of all.
//!
//! A thread of its own merges and decodes, ahead of whoever takes the events.

use std::ops::ControlFlow;
use std::sync::mpsc::{self, SyncSender};
use std::thread;

use annals_model::{EventId, RecordedAt, Seq};

use super::Listed;
use super::key::{self, LENGTH};
use crate::codec::v1::{self, Claims, Details};
use crate::runs::Runs;
use crate::{Damage, Error, Result};

/// Events that are handed over at once.
const BATCH: usize = 256;
/// Batches that wait.
const WAITING: usize = 4;

/// Calls `visit` with each event, in order.
pub fn each<E: From<Error>>(
    runs: &Runs<LENGTH>,
    mut visit: impl FnMut(&Listed) -> Result<(), E>,
) -> Result<(), E> {
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(WAITING);
        scope.spawn(move || {
            if let Err(error) = merge(runs, &sender) {
                // Whoever is gone has an error of its own.
                let _ = sender.send(Err(error));
            }
        });
        for batch in receiver {
            batch?.iter().try_for_each(&mut visit)?;
        }
        Ok(())
    })
}

type Batch = Result<Vec<Listed>>;

fn merge(runs: &Runs<LENGTH>, sender: &SyncSender<Batch>) -> Result<()> {
    let mut batch = Vec::with_capacity(BATCH);
    runs.each(|entry| {
        batch.push(listed(entry).map_err(|what| Error::from(Damage::new(format!("a sorted event {what}"))))?);
        let is_full = batch.len() == BATCH;
        if is_full && sender.send(Ok(std::mem::take(&mut batch))).is_err() {
            return Ok(ControlFlow::Break(()));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let _ = sender.send(Ok(batch));
    Ok(())
}

fn listed(entry: &[u8]) -> Result<Listed, String> {
    read(entry).ok_or_else(|| "is cut short".to_owned())?
}

/// Takes an entry apart.
fn read(entry: &[u8]) -> Option<Result<Listed, String>> {
    let (key, mut rest) = entry.split_first_chunk::<LENGTH>()?;
    let place = key::place(key);
    let mut number = |length: usize| {
        let (bytes, later) = rest.split_at_checked(length)?;
        rest = later;
        Some(bytes.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)))
    };
    let (seq, previous, recorded_at) = (number(8)?, number(8)?, number(8)?);
    let lengths = [number(2)?, number(2)?, number(4)?];
    let mut part = |length: u64| {
        let (bytes, later) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        rest = later;
        Some(bytes)
    };
    let [id, author, claims] = [part(lengths[0])?, part(lengths[1])?, part(lengths[2])?];
    let text = |bytes| std::str::from_utf8(bytes).map_err(|e| e.to_string());
    let event = || {
        let claims: Claims<'_> = v1::decode(claims)?;
        let details: Details<'_> = v1::decode(rest)?;
        let (date, effects) = claims.read().map_err(|e| e.to_string())?;
        let id = EventId::new(text(id)?).map_err(|e| e.to_string())?;
        Ok::<_, String>(Listed {
            place,
            seq: Seq(seq),
            previous: (previous != 0).then_some(Seq(previous)),
            recorded_at: RecordedAt::from_micros(recorded_at.cast_signed()),
            recorded_by: text(author)?.to_owned(),
            event: details.read(id, date, effects).map_err(|e| e.to_string())?,
        })
    };
    Some(event())
}
