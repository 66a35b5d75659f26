//! Making a backup, and bringing one up to date.
//!
//! What is new in the log becomes a new segment, together with the small ones before it, so that a backup that is
//! brought up to date every day keeps few files. A segment that holds records of an event that was redacted since is
//! written anew: a backup that is up to date holds nothing that was erased. The store is read in turns and written
//! between them, so that a slow disk holds nobody up.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;

use annals_model::{Op, Seq};
use sha2::{Digest, Sha256};

use super::manifest::{Manifest, Named, Segment, Sha, Stored};
use super::segment::{Writer, within};
use super::{Backup, Held, MARK, MARK_FILE, Source, UNFINISHED};
use crate::codec::heads;
use crate::codec::leaf::op_number;
use crate::log::{Head, Log as _};
use crate::sled_log::{Lock, SledLog, steps};
use crate::{Damage, Error, Result, files, scan};

/// Bytes of frames that are read in one turn.
const TURN: usize = 16 * 1024 * 1024;
/// Bytes from which on a segment is full.
const FULL: u64 = 64 * 1024 * 1024;

/// What bringing a backup up to date has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updated {
    /// What the backup holds now.
    pub held: Held,
    /// Records that it did not hold before.
    pub new: u64,
    /// Records that it held, and that were written anew because some of them were erased since.
    pub erased: u64,
    /// Bytes of the files that were written.
    pub written: u64,
}

/// How far a backup has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many more records were copied, of so many in all.
    Copied(u64, u64),
    /// So many more records were read again, of so many in all.
    Checked(u64, u64),
}

/// What is to be written, found in one turn.
struct Plan {
    head: Head,
    keep: Vec<Segment>,
    write: Vec<RangeInclusive<u64>>,
    erased: u64,
    snapshots: Vec<(String, Vec<u8>)>,
    attachments: Vec<String>,
}

impl Backup {
    /// Copies what the store holds and the backup does not, and reads the whole backup again, on `workers` threads
    /// beside this one, before it takes the place of the older one. Writers within the process may go on: the backup
    /// has the records that the log had when it began.
    ///
    /// # Errors
    ///
    /// The directory holds something else, or the backup of another log; then it is not touched. After any error, and
    /// after a kill, the older backup is there as it was.
    pub fn update(
        &self,
        source: &impl Source,
        holder: &str,
        workers: NonZeroUsize,
        mut told: impl FnMut(Step),
    ) -> Result<Updated> {
        self.begin(source)?;
        steps::reach("backup begun")?;
        let _lock = Lock::take(&self.path.join("lock"), holder, std::time::Duration::ZERO)?;
        let older = self.manifest()?;
        self.tidy(older.as_ref())?;
        let (plan, manifest) = self.copy_what_stands(source, older.as_ref(), &mut told)?;
        steps::reach("backup copied")?;
        self.check(&manifest, workers, |records| told(Step::Checked(records, manifest.records)))?;
        let is_new =
            |stored: &&Stored| older.as_ref().is_none_or(|older| older.files().all(|old| old != *stored));
        let updated = Updated {
            held: manifest.held(),
            new: manifest.records - older.as_ref().map_or(0, |older| older.records),
            erased: plan.erased,
            written: manifest.files().filter(is_new).map(|stored| stored.bytes).sum(),
        };
        steps::reach("backup checked")?;
        manifest.write(&self.path)?;
        steps::reach("backup in its place")?;
        self.tidy(Some(&manifest))?;
        Ok(updated)
    }

    /// Copies what is to be copied. Where something was erased meanwhile it is done once more: the copy may have lost
    /// content, or a file of evidence, and not have the redaction that says why.
    fn copy_what_stands(
        &self,
        source: &impl Source,
        older: Option<&Manifest>,
        told: &mut impl FnMut(Step),
    ) -> Result<(Plan, Manifest)> {
        loop {
            let mut plan = None;
            source.turn(&mut |log| {
                plan = Some(self.plan(log, older)?);
                Ok(())
            })?;
            let plan = plan.ok_or_else(|| Damage::new("the store could not be read"))?;
            steps::reach("backup planned")?;
            let manifest = self.copy(source, older, &plan, told)?;
            let mut erased = BTreeSet::new();
            source.turn(&mut |log| {
                erased = erased_since(log, plan.head.seq().0)?;
                Ok(())
            })?;
            if erased.is_empty() {
                return Ok((plan, manifest));
            }
            self.tidy(older)?;
        }
    }

    /// Makes the directories of a new backup.
    fn begin(&self, source: &impl Source) -> Result<()> {
        let failed = |e| Error::io(format!("cannot make a backup at {}", self.path.display()), e);
        let store = fs::canonicalize(source.path()).map_err(|e| Error::io("cannot read the store", e))?;
        if !self.is_there() {
            if !self.is_free().map_err(failed)? {
                let what = format!("there is something else at {}", self.path.display());
                return Err(Error::unavailable(what, "choose a directory that is empty, or not there yet"));
            }
            let near = self.path.ancestors().find_map(|path| fs::canonicalize(path).ok());
            if near.is_some_and(|near| near.starts_with(&store)) {
                let what = format!("{} is within the store", self.path.display());
                return Err(Error::unavailable(what, "choose a directory elsewhere, best on another disk"));
            }
            files::make_directory(&self.path).map_err(failed)?;
            make_private(&self.path).map_err(failed)?;
            let unfinished = self.path.join(UNFINISHED);
            files::put(&self.path.join(MARK_FILE), &unfinished, MARK.as_bytes()).map_err(failed)?;
        }
        for room in ["log", "snapshots", "attachments"] {
            files::make_directory(&self.path.join(room)).map_err(failed)?;
        }
        Ok(())
    }

    /// Removes every file that a manifest does not name.
    fn tidy(&self, manifest: Option<&Manifest>) -> Result<()> {
        let failed = |e| Error::io("cannot tidy the backup up", e);
        let kept: BTreeSet<&str> =
            manifest.into_iter().flat_map(Manifest::files).map(|stored| stored.file.as_str()).collect();
        for room in ["log", "snapshots", "attachments"] {
            let mut any = false;
            for name in files::names(&self.path.join(room)).map_err(failed)? {
                if !kept.contains(format!("{room}/{name}").as_str()) {
                    fs::remove_file(self.path.join(room).join(&name)).map_err(failed)?;
                    any = true;
                }
            }
            if any {
                files::sync_directory(&self.path.join(room)).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Decides what is to be written.
    fn plan(&self, log: &SledLog, older: Option<&Manifest>) -> Result<Plan> {
        let head = log.head()?;
        let known = older.map_or(0, |older| older.records);
        if let Some(older) = older {
            self.is_of(log, &head, older)?;
        }
        let erased = if known == 0 { BTreeSet::new() } else { erased_since(log, known)? };
        let mut keep = Vec::new();
        let mut write: Vec<RangeInclusive<u64>> = Vec::new();
        let mut written_anew = 0;
        for segment in older.map_or(&[][..], |older| &older.segments) {
            let range = segment.first..=segment.last;
            if erased.range(range.clone()).next().is_none() {
                keep.push(segment.clone());
            } else {
                written_anew += segment.last - segment.first + 1;
                write.push(range);
            }
        }
        if head.seq().0 > known {
            let mut first = known + 1;
            // Segments that are not larger than what comes behind them go into it.
            while let Some(last) = keep.last()
                && last.last + 1 == first
                && last.file.bytes < FULL / 2
                && last.last - last.first < 2 * (head.seq().0 - first + 1)
            {
                first = last.first;
                keep.pop();
            }
            write.push(first..=head.seq().0);
        }
        let snapshots = log.snapshots();
        let mut saved = Vec::new();
        for name in snapshots.names()? {
            let path = snapshots.path(&name);
            let bytes =
                fs::read(&path).map_err(|e| Error::io(format!("cannot read the snapshot {name}"), e))?;
            saved.push((name.to_string(), bytes));
        }
        let attachments = log.attachments().names()?;
        Ok(Plan { head, keep, write, erased: written_anew, snapshots: saved, attachments })
    }

    /// The older backup has to be one of this log.
    fn is_of(&self, log: &SledLog, head: &Head, older: &Manifest) -> Result<()> {
        let other = |what: String| {
            let hint = "keep it, and give the new backup a directory of its own";
            Err(Error::unavailable(format!("the backup at {} {what}", self.path.display()), hint))
        };
        if older.records > head.seq().0 {
            return other(format!("has {} records, the store {}", older.records, head.seq()));
        }
        if scan::root_at(log, Seq(older.records))? != older.log_root.0 {
            return other("is of another log: the roots differ".to_owned());
        }
        Ok(())
    }

    /// Writes the files that are new, and says what then belongs to the backup.
    fn copy(
        &self,
        source: &impl Source,
        older: Option<&Manifest>,
        plan: &Plan,
        told: &mut impl FnMut(Step),
    ) -> Result<Manifest> {
        let generation = older.map_or(1, |older| older.generation + 1);
        let head = &plan.head;
        let mut manifest = Manifest::new(generation, head.seq(), head.frontier.root(), head.recorded_at);
        manifest.segments.clone_from(&plan.keep);
        let total = plan.write.iter().map(|range| range.end() - range.start() + 1).sum();
        for range in &plan.write {
            let copied = |records| told(Step::Copied(records, total));
            manifest.segments.extend(self.segments(source, generation, range.clone(), copied)?);
        }
        manifest.segments.sort_by_key(|segment| segment.first);
        steps::reach("backup has the log")?;
        let failed = |e| Error::io("cannot write the backup", e);
        for (name, bytes) in &plan.snapshots {
            let sha = Sha(Sha256::digest(bytes).into());
            let kept = older.and_then(|older| older.snapshots.iter().find(|old| old.name == *name));
            if let Some(kept) = kept.filter(|kept| kept.file.sha256 == sha) {
                manifest.snapshots.push(kept.clone());
                continue;
            }
            let file = format!("snapshots/{generation}-{name}.json");
            let (bytes, sha) = files::copy(&mut bytes.as_slice(), &self.path.join(&file)).map_err(failed)?;
            let stored = Stored { file, bytes, sha256: Sha(sha) };
            manifest.snapshots.push(Named { name: name.clone(), file: stored });
        }
        self.attachments(source, older, plan, &mut manifest)?;
        for room in ["log", "snapshots", "attachments"] {
            files::sync_directory(&self.path.join(room)).map_err(failed)?;
        }
        Ok(manifest)
    }

    /// Writes the records of a range into segments.
    fn segments(
        &self,
        source: &impl Source,
        generation: u64,
        range: RangeInclusive<u64>,
        mut copied: impl FnMut(u64),
    ) -> Result<Vec<Segment>> {
        let (mut next, end) = (Seq(*range.start()), Seq(*range.end()));
        let mut done = Vec::new();
        let mut open: Option<Writer> = None;
        while next <= end {
            let mut frames = Vec::new();
            source.turn(&mut |log| {
                frames = read(log, next, end)?;
                Ok(())
            })?;
            for (bytes, last) in frames {
                let mut writer = match open.take() {
                    Some(writer) => writer,
                    None => Writer::create(&self.path, format!("log/{generation}-{next}.frames"), next)?,
                };
                writer.add(&bytes, last)?;
                copied(last.0 + 1 - next.0);
                next = last.next();
                if writer.bytes() >= FULL {
                    done.push(writer.finish()?);
                } else {
                    open = Some(writer);
                }
            }
        }
        if let Some(writer) = open {
            done.push(writer.finish()?);
        }
        Ok(done)
    }

    /// Copies the evidence files that the older backup does not have.
    fn attachments(
        &self,
        source: &impl Source,
        older: Option<&Manifest>,
        plan: &Plan,
        manifest: &mut Manifest,
    ) -> Result<()> {
        for name in &plan.attachments {
            let kept = older.and_then(|older| older.attachments.iter().find(|old| old.name == *name));
            if let Some(kept) = kept {
                manifest.attachments.push(kept.clone());
                continue;
            }
            let mut opened = None;
            source.turn(&mut |log| {
                opened = log.attachments().open(name)?;
                Ok(())
            })?;
            // One that is gone was erased meanwhile.
            let Some(mut opened) = opened else { continue };
            let file = format!("attachments/{name}");
            let path = self.path.join(&file);
            let copied = files::copy(&mut opened, &path);
            let (bytes, sha) = copied.map_err(|e| Error::io("cannot write the backup", e))?;
            if annals_model::line::hex(&sha) != *name {
                return Err(Damage::new(format!("the attachment {name} is not what was attached")).into());
            }
            let stored = Stored { file, bytes, sha256: Sha(sha) };
            manifest.attachments.push(Named { name: name.clone(), file: stored });
        }
        Ok(())
    }
}

/// The records that were erased by redactions behind a position.
fn erased_since(log: &SledLog, had: u64) -> Result<BTreeSet<u64>> {
    let mut erased = BTreeSet::new();
    for stored in log.frames(Seq(had + 1)) {
        let (first, bytes) = stored?;
        for event in heads::events(first, &bytes)? {
            let mut previous =
                event.previous.filter(|_| event.op == op_number(Op::Redact) && event.seq.0 > had);
            while let Some(seq) = previous.filter(|seq| erased.insert(seq.0)) {
                previous = scan::one(log, seq)?.previous;
            }
        }
    }
    Ok(erased)
}

/// Frames with the records from `next` on, as many as one turn takes, none behind `end`.
fn read(log: &SledLog, next: Seq, end: Seq) -> Result<Vec<(Vec<u8>, Seq)>> {
    let mut found: Vec<(Vec<u8>, Seq)> = Vec::new();
    let (mut due, mut size) = (next, 0);
    for stored in log.frames(next) {
        let pieces = match stored {
            Ok((first, _)) if first > due => break,
            other => within(other?, due, end)?,
        };
        for (bytes, last) in pieces {
            size += bytes.len();
            due = last.next();
            found.push((bytes, last));
        }
        if due > end || size >= TURN {
            break;
        }
    }
    if found.is_empty() {
        return Err(Damage::of(next, end, "missing from the log").into());
    }
    Ok(found)
}

/// A backup is as private as a store.
fn make_private(path: &std::path::Path) -> std::io::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    match path.metadata() {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
