//! Making a store and opening it safely.
//!
//! Opening is where sled is weakest: a kill at the wrong moment leaves a file behind on which `open` fails for
//! good, and a damaged store can make it panic or hang. So, under the store's own lock: the left-over file is
//! removed, sled is opened on a thread of its own under a deadline, and the log that it gives is held against
//! the head file before anybody reads it.

use std::fs::{self, DirBuilder, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use annals_model::{Invalid, Seq};

use super::cache::Passed;
use super::end::End;
use super::head_file::{self, HeadFile};
use super::index::{EVENTS, Index};
use super::lock::Lock;
use super::swap;
use super::sync::{Syncer, sync_directory, sync_files};
use super::tail::{TAIL, Tail};
use super::watchdog::Watchdog;
use super::{SledLog, guarded, storage};
use crate::error::NotFound;
use crate::log::Log;
use crate::merkle::Frontier;
use crate::verify::Witness;
use crate::{Damage, Error, Result, scan};

const FORMAT: &str = "annals store 3";
/// The format before, in which no frame carries the log's end: the first one that does changes it to the present one.
const BEFORE: &str = "annals store 2";
/// The first format, with a key for each event: read as it is, and changed to the present one by the first commit.
const FIRST_FORMAT: &str = "annals store 1";
const WITHOUT_SYNC: &str = "durability os";
const UNFINISHED: &str = "format.new";
/// sled's page cache; the memory that it really takes is a multiple of it.
const CACHE: u64 = 16 * 1024 * 1024;
const LOCK_RETRIES: u32 = 400;
const LOCK_RETRY: Duration = Duration::from_millis(5);

/// When a commit is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Once it is on the disk.
    #[default]
    Each,
    /// Once the operating system has it: a power cut may lose the last of them.
    Os,
}

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct SledOptions {
    /// When a commit is answered; a store keeps what it was made with.
    pub durability: Durability,
    /// What other processes are told about who has the store open.
    pub holder: String,
    /// How long to wait for another process to let go of the store.
    pub patience: Duration,
    /// How long sled may take to open its files.
    pub deadline: Duration,
    /// Whether the log must agree with the head file; `verify` reports it instead.
    pub check_head: bool,
}

impl Default for SledOptions {
    fn default() -> Self {
        Self {
            durability: Durability::Each,
            holder: "an Annals program".to_owned(),
            patience: Duration::from_secs(10),
            deadline: Duration::from_secs(120),
            check_head: true,
        }
    }
}

impl FromStr for Durability {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text {
            "each" => Ok(Self::Each),
            "os" => Ok(Self::Os),
            _ => Err(Invalid::new(format!("`{text}` is not a durability")).with_hint("each or os")),
        }
    }
}

impl SledLog {
    /// Makes an empty store, readable by its owner only. What an earlier attempt left unfinished is replaced.
    ///
    /// # Errors
    ///
    /// The directory must not exist or be empty.
    pub fn create(path: &Path, options: &SledOptions) -> Result<Self> {
        let failed = |source| Error::io(format!("cannot make a store at {}", path.display()), source);
        if has_lost_its_format(path) {
            return Err(lost_format().into());
        }
        if is_occupied(path).map_err(failed)? {
            let what = if path.join("format").exists() { "a store" } else { "something else" };
            return Err(Error::unavailable(
                format!("there is {what} at {} already", path.display()),
                "choose another path, or use the store that is there",
            ));
        }
        make_private(path).map_err(failed)?;
        let lock = Lock::take(&path.join("lock"), &options.holder, options.patience)?;
        let sled_path = path.join(swap::SLED);
        if sled_path.exists() {
            fs::remove_dir_all(&sled_path).map_err(failed)?;
            // Before the head file is written anew: sled's files without one that can be read are a store with damage.
            sync_directory(path)?;
        }
        let empty = Witness { count: 0, root: Frontier::default().root() };
        HeadFile::create(&path.join("head"), empty)?;
        make_private(&sled_path).map_err(failed)?;
        let log = Self::open_files(path, swap::SLED, options, Some(lock), Generation::Present)?;
        sync_files(&sled_path).map_err(failed)?;
        sync_directory(&sled_path)?;
        // The format file comes last, and whole: what has it is a store.
        write_format(path, options.durability)?;
        sync_directory(parent(path))?;
        Ok(log)
    }

    /// Opens a store, with the durability that it was made with.
    pub fn open(path: &Path, options: &SledOptions) -> Result<Self> {
        read_format(path)?;
        let lock = Lock::take(&path.join("lock"), &options.holder, options.patience)?;
        Self::open_locked(path, options, lock)
    }

    /// Opens a store for a moment, if nobody else has it open: who asks for it meanwhile waits for this one.
    pub(super) fn open_if_free(path: &Path, options: &SledOptions) -> Result<Option<Self>> {
        read_format(path)?;
        let lock = Lock::take_if_free(&path.join("lock"), &options.holder)?;
        lock.map(|lock| Self::open_locked(path, options, lock)).transpose()
    }

    pub(super) fn open_locked(path: &Path, options: &SledOptions, lock: Lock) -> Result<Self> {
        swap::settle(path)?;
        // Under the lock: whoever had the store open may have changed its format.
        let Format { durability, generation } = read_format(path)?;
        let options = &SledOptions { durability, ..options.clone() };
        let log = Self::open_files(path, swap::SLED, options, Some(lock), generation)?;
        if let Some(end) = log.staged()? {
            log.visible.store(end.0, Ordering::Release);
            if options.check_head {
                // On a full disk it cannot be; nobody sees it meanwhile, and the next commit tries again.
                let _ = log.watchdog.watch(|| log.remove_staged());
            }
        }
        if options.check_head
            && let Some(witness) = log.witness
        {
            log.check_against(witness)?;
        }
        Ok(log)
    }

    /// Opens the store at `path` whose files of sled are in its directory `sled`. Without its lock it must not be
    /// written to.
    pub(super) fn open_files(
        path: &Path,
        sled: &str,
        options: &SledOptions,
        lock: Option<Lock>,
        generation: Generation,
    ) -> Result<Self> {
        let (head_file, witness) = match HeadFile::open(&path.join("head")) {
            Ok((head_file, witness)) => (Some(head_file), Some(witness)),
            Err(Error::Damaged(_)) if !options.check_head => (None, None),
            Err(error) => return Err(error),
        };
        let sled_path = path.join(sled);
        remove_unfinished(&sled_path)?;
        let db = open_sled(&sled_path, options.deadline)?;
        let is_old = generation == Generation::First;
        let syncer = Syncer::new(&sled_path, options.durability)?;
        let tree = |name: &str| guarded("open the store", || db.open_tree(name));
        if !is_old && options.check_head && db.tree_names().iter().any(|name| **name == *EVENTS.as_bytes()) {
            // What a kill has left of it when the format was changed.
            guarded("drop the old index of ids", || db.drop_tree(EVENTS))?;
        }
        let old = if is_old { Some(tree(EVENTS)?) } else { None };
        let log = Self {
            frames: tree("frames")?,
            ids: tree("ids")?,
            index: Index::new(old, options.check_head),
            timelines: tree("timelines")?,
            blocks: tree("blocks")?,
            meta: tree("meta")?,
            end: End::new(generation == Generation::Present),
            path: path.to_owned(),
            syncer,
            head_file,
            tail: Tail::at(path.join(TAIL)),
            passed: Passed::default(),
            visible: AtomicU64::new(u64::MAX),
            witness,
            refuses: AtomicBool::new(false),
            watchdog: Watchdog::new(db.clone()),
            db,
            gone: None,
            lock: lock.map(Arc::new),
        };
        match log.find_end() {
            Err(Error::Damaged(_)) if !options.check_head => {}
            found => found?,
        }
        Ok(log)
    }

    /// The log must hold everything that the head file has seen.
    fn check_against(&self, witness: Witness) -> Result<()> {
        let end = self.head()?.seq();
        if witness.count > end.0 {
            let what =
                format!("missing: the log ends at record {end}, the head file has seen {}", witness.count);
            return Err(Damage::of(end.next(), Seq(witness.count), what).into());
        }
        if scan::root_at(self, Seq(witness.count))? != witness.root {
            let what = "they are not the records that the head file has seen";
            return Err(Damage::of(Seq(1), Seq(witness.count), what).into());
        }
        Ok(())
    }
}

/// What the format file says.
pub(super) struct Format {
    pub durability: Durability,
    /// Which one it is.
    pub generation: Generation,
}

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Generation {
    /// With a key for each event.
    First,
    /// Without; no frame carries the log's end.
    Second,
    /// The one that is written.
    Present,
}

/// Puts the format file in its place, durably: a store of the present format is there then.
pub(super) fn write_format(path: &Path, durability: Durability) -> Result<()> {
    let failed = |source| Error::io(format!("cannot write the format of {}", path.display()), source);
    let mut format = format!("{FORMAT}\n");
    if durability == Durability::Os {
        format.extend([WITHOUT_SYNC, "\n"]);
    }
    let mut file = File::create(path.join(UNFINISHED)).map_err(failed)?;
    file.write_all(format.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(path.join(UNFINISHED), path.join("format")).map_err(failed)?;
    sync_directory(path)
}

/// Reads the format file: whether this is a store, and one that this program reads.
pub(super) fn read_format(path: &Path) -> Result<Format> {
    let text = match fs::read(path.join("format")) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let is_lost = has_lost_its_format(path);
            return Err(if is_lost { lost_format().into() } else { NotFound::Store(path.to_owned()).into() });
        }
        Err(error) => return Err(Error::io(format!("cannot read the store at {}", path.display()), error)),
    };
    let mut lines = text.lines();
    let generation = match lines.next() {
        Some(FORMAT) => Generation::Present,
        Some(BEFORE) => Generation::Second,
        Some(FIRST_FORMAT) => Generation::First,
        Some(other) if other.starts_with("annals store ") => {
            return Err(Error::unavailable(
                format!("the store has the format `{other}`, this program reads `{FORMAT}`"),
                "use the version of Annals that wrote it",
            ));
        }
        _ => return Err(Damage::new("the store's format file is unreadable").into()),
    };
    match lines.next() {
        None => Ok(Format { durability: Durability::Each, generation }),
        Some(WITHOUT_SYNC) => Ok(Format { durability: Durability::Os, generation }),
        Some(_) => Err(Damage::new("the store's format file is unreadable").into()),
    }
}

/// Whether a directory holds anything but what an unfinished attempt to make a store leaves behind: our own
/// files without a format file, and no record.
fn is_occupied(path: &Path) -> std::io::Result<bool> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        other => other?,
    };
    for entry in entries {
        let name = entry?.file_name();
        if !["lock", "head", "sled", UNFINISHED].iter().any(|own| name == *own) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a directory is a store that has records, or may have some, and no format file. What was never finished has a
/// head file that says so before it has files of sled.
pub(crate) fn has_lost_its_format(path: &Path) -> bool {
    let is_empty = || head_file::peek(&path.join("head")).is_some_and(|witness| witness.count == 0);
    !path.join("format").exists() && path.join(swap::SLED).join("db").exists() && !is_empty()
}

fn lost_format() -> Damage {
    Damage::new("the store's format file is missing, and what else belongs to a store is there")
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

pub(super) fn make_private(path: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    // An empty directory that was there keeps its own mode otherwise.
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}

/// Removes what a kill during an earlier open leaves behind, and sled then stumbles over (spacejam/sled issues
/// 1527 and 1533): a half-written `snap.….generating`.
fn remove_unfinished(path: &Path) -> Result<()> {
    if !path.is_dir() {
        return Err(Damage::new("sled's directory is missing").into());
    }
    let failed = |source| Error::io(format!("cannot clean up {}", path.display()), source);
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(entry.path()).map_err(failed)?;
        }
    }
    Ok(())
}

pub(super) fn open_sled(path: &Path, deadline: Duration) -> Result<sled::Db> {
    let path: PathBuf = path.to_owned();
    let (sender, opened) = mpsc::channel();
    let thread = std::thread::Builder::new().name(OPENER.to_owned());
    let spawned = thread.spawn(move || {
        let config = sled::Config::new().path(path).cache_capacity(CACHE).flush_every_ms(None);
        let mut result = config.open();
        // sled may hold its own lock for a moment after the last handle to it is gone. Nobody else can have it:
        // the store's lock is ours.
        for _ in 0..LOCK_RETRIES {
            if !result.as_ref().is_err_and(is_held) {
                break;
            }
            std::thread::sleep(LOCK_RETRY);
            result = config.open();
        }
        // Nobody listens any more when the deadline has passed.
        let _ = sender.send(result);
    });
    spawned.map_err(|source| Error::io("cannot start a thread", source))?;
    match opened.recv_timeout(deadline) {
        Ok(Err(error)) if is_held(&error) => Err(Error::unavailable(
            "another program has the files of the store open, and is none that takes the store's own lock",
            "find out who has the files in the store's directory `sled` open, and end it",
        )),
        Ok(result) => result.map_err(|error| storage("open the store", error)),
        Err(RecvTimeoutError::Timeout) => {
            let what = format!("sled did not open its files within {} seconds", deadline.as_secs());
            Err(Damage::new(what).into())
        }
        // The thread ended without an answer: it panicked.
        Err(RecvTimeoutError::Disconnected) => Err(super::panicked("open the store")),
    }
}

/// Whether sled could not take its own lock, which its error says in words only.
fn is_held(error: &sled::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

/// The name of the thread on which sled is opened, where its panics are expected.
pub const OPENER: &str = "annals-open";
