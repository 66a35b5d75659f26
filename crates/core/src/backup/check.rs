//! Checking a backup by itself: every file against the manifest, every record against the root.

use std::num::NonZeroUsize;

use annals_model::Seq;

use super::contents;
use super::manifest::{Manifest, Stored};
use super::segment::missing;
use super::{Backup, Held};
use crate::merkle::Frontier;
use crate::{Damage, Error, Result, files};

impl Backup {
    /// Reads the whole backup, on `workers` threads beside this one, and checks it against its manifest and the
    /// root of the log. `advance` is told of the records as they are read. One that somebody brings up to date
    /// meanwhile loses files that it needs no more: it is read once more, as it is then.
    ///
    /// # Errors
    ///
    /// There is no finished backup, or it is damaged: the first damage that was met.
    pub fn verify(&self, workers: NonZeroUsize, mut advance: impl FnMut(u64)) -> Result<Held> {
        loop {
            let manifest = self.finished()?;
            match self.check(&manifest, workers, &mut advance) {
                Err(_) if self.is_newer_than(&manifest) => {}
                checked => return checked.map(|()| manifest.held()),
            }
        }
    }

    /// Holds the files against a manifest, which need not be in its place yet.
    pub(super) fn check(
        &self,
        manifest: &Manifest,
        workers: NonZeroUsize,
        mut advance: impl FnMut(u64),
    ) -> Result<()> {
        let mut tree = Frontier::default();
        let mut recorded_at = None;
        contents::each(&self.path, manifest, workers, |frame| {
            if recorded_at.is_some_and(|last| frame.recorded_at < last) {
                let what = "recorded earlier than the record before";
                return Err(Damage::of(frame.first, frame.last, what).into());
            }
            recorded_at = Some(frame.recorded_at);
            advance(frame.records.len() as u64);
            for leaf in frame.records {
                tree.push(leaf.hash);
            }
            Ok(())
        })?;
        if tree.root() != manifest.log_root.0 || recorded_at != manifest.recorded_at {
            let what = "their root or last record time is not the one that the manifest holds";
            return Err(Damage::of(Seq(1), Seq(manifest.records), what).into());
        }
        manifest.snapshots.iter().chain(&manifest.attachments).try_for_each(|named| self.file(&named.file))
    }

    fn file(&self, stored: &Stored) -> Result<()> {
        let digest = files::digest(&stored.path(&self.path)).map_err(|e| missing(stored, e))?;
        stored.check(digest).map_err(Error::from)
    }
}
