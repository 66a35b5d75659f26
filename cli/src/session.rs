//! What the commands share: the global flags, the host, and the way to the store.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::CommandFactory;

use annals_core::dates::{self, DateIndex};
use annals_core::index::{self, ClaimIndex};
use annals_core::{Durability, Log, SledLog, SledOptions, Store};
use annals_model::{AsOf, Date, Day, TimelineName};

use crate::args::{Cli, Global, OutputFormat};
use crate::error::{CliError, CliResult};
use crate::host::SystemHost;
use crate::ui;

/// The directory that a store has by default.
pub const STORE_DIRECTORY: &str = ".annals";

/// Records that take long enough to index that people are told.
const LONG_TO_INDEX: u64 = 200_000;

/// Threads that work beside the main one, at most.
const MOST_THREADS: NonZeroUsize = NonZeroUsize::new(4).expect("four is not zero");

/// One run of the program.
#[derive(Debug)]
pub struct Session {
    global: Global,
    host: SystemHost,
}

impl Session {
    /// A session with these flags.
    pub fn new(global: Global) -> CliResult<Self> {
        Ok(Self { global, host: SystemHost::from_environment()? })
    }

    /// The clock and the randomness.
    pub const fn host(&self) -> &SystemHost {
        &self.host
    }

    /// The user's civil day.
    pub fn today(&self) -> Day {
        self.host.today()
    }

    /// The timeline of the command.
    pub const fn timeline(&self) -> &TimelineName {
        &self.global.timeline
    }

    /// What results look like.
    pub const fn format(&self) -> OutputFormat {
        self.global.format
    }

    /// Whether results are for people.
    pub fn is_for_people(&self) -> bool {
        self.global.format == OutputFormat::Text
    }

    /// Whether remarks on standard error are wanted.
    pub const fn is_quiet(&self) -> bool {
        self.global.quiet
    }

    /// Reads a date that a person typed, and says what was understood where it was not EDTF.
    pub fn date(&self, name: &str, text: &str) -> CliResult<Date> {
        let date = Date::parse_spoken(text, self.today()).map_err(|e| CliError::argument(name, &e.into()))?;
        if date.as_str() != text.trim() {
            ui::note(self, &format!("{name}: `{text}` is understood as {date}"))?;
        }
        Ok(date)
    }

    /// Reads the end of a date that a person typed.
    pub fn as_of(&self, name: &str, text: &str) -> CliResult<AsOf> {
        AsOf::new(self.date(name, text)?).map_err(|e| CliError::argument(name, &e))
    }

    /// Where the store is: what the flag names, or the store of the directory that it names; else the nearest one from
    /// the working directory upwards.
    pub fn store_path(&self) -> CliResult<PathBuf> {
        if let Some(path) = &self.global.store {
            let within = path.join(STORE_DIRECTORY);
            return Ok(if within.is_dir() { within } else { path.clone() });
        }
        let here = std::env::current_dir()?;
        let nearest = here.ancestors().map(|directory| directory.join(STORE_DIRECTORY)).find(|p| p.is_dir());
        nearest.ok_or_else(|| {
            CliError::failed("there is no store here, nor in any directory above")
                .with_hint("make one with `annals init`, or name one with `--store PATH`")
        })
    }

    /// The path that the flag names, for a store that is to be made.
    pub fn named_store(&self) -> Option<&Path> {
        self.global.store.as_deref()
    }

    /// Opens the store.
    pub fn open(&self) -> CliResult<Store<SledLog>> {
        self.open_with(&self.options())
    }

    /// Opens the store with other options.
    pub fn open_with(&self, options: &SledOptions) -> CliResult<Store<SledLog>> {
        let path = self.store_path()?;
        let log = SledLog::open(&path, options)?;
        if self.global.verbose {
            let records = log.head()?.seq();
            ui::note(
                self,
                &format!("store {}, timeline {}, {records} records", path.display(), self.timeline()),
            )?;
        }
        let store = Store::new(log).with_index(ClaimIndex::at(path.join(index::DIRECTORY)));
        Ok(store.with_dates(DateIndex::at(path.join(dates::DIRECTORY))))
    }

    /// Says that a question will have to wait for the index, where it will.
    pub fn before_index(&self, store: &Store<SledLog>) -> CliResult<()> {
        self.before(store.index().map_or(Ok(0), |index| index.behind(store.log()))?)
    }

    /// Says that a question will have to wait for the index of dates, where it will.
    pub fn before_dates(&self, store: &Store<SledLog>) -> CliResult<()> {
        self.before(store.dates().map_or(Ok(0), |dates| dates.behind(store.log()))?)
    }

    fn before(&self, behind: u64) -> CliResult<()> {
        if behind > LONG_TO_INDEX {
            ui::note(self, &format!("indexing {} records, once", ui::thousands(behind)))?;
        }
        Ok(())
    }

    /// Makes the indexes grow after much was recorded. What keeps them from growing is told, and is no error.
    pub fn grow(&self, store: &Store<SledLog>) -> CliResult<()> {
        if let Err(error) = store.tidy() {
            ui::note(self, &format!("the index of ids stays in several pieces: {error}"))?;
        }
        let (index, dates) = (store.index(), store.dates());
        let behind = index.map_or(Ok(0), |index| index.behind(store.log()))?;
        self.before(behind.max(dates.map_or(Ok(0), |dates| dates.behind(store.log()))?))?;
        let (_, dates) = store.grow_indexes();
        self.after_index(store)?;
        if let Err(error) = dates {
            ui::note(self, &format!("the index of dates was not made: {error}"))?;
        }
        self.after_dates(store)
    }

    /// The same after the store was compacted, which the index of claims then is, too.
    pub fn compact_indexes(&self, store: &Store<SledLog>) -> CliResult<()> {
        self.grow(store)?;
        let Some(index) = store.index() else { return Ok(()) };
        let _ = index.compact(store.log());
        self.after_index(store)
    }

    /// Says what happened to the index, if anything did.
    pub fn after_index(&self, store: &Store<SledLog>) -> CliResult<()> {
        match store.index().and_then(ClaimIndex::notice) {
            Some(why) => ui::note(self, &format!("the index was left aside or made anew: {why}")),
            None => Ok(()),
        }
    }

    /// Says what happened to the index of dates, if anything did.
    pub fn after_dates(&self, store: &Store<SledLog>) -> CliResult<()> {
        match store.dates().and_then(DateIndex::notice) {
            Some(why) => ui::note(self, &format!("the index of dates was left aside or made anew: {why}")),
            None => Ok(()),
        }
    }

    /// Says what else went with erased content, and where it still is.
    pub fn after_erasure(&self, store: &Store<SledLog>, erased: bool) -> CliResult<()> {
        for cleaned in store.cleaned() {
            ui::note(self, &cleaned)?;
        }
        if erased {
            let message = "the content is erased from the log; run `annals compact` to remove it from the old pages of \
                           the storage, too. Backups and earlier exports keep what they hold";
            ui::note(self, message)?;
        }
        Ok(())
    }

    /// Says what somebody should see to: a clock that lay behind the log, or something derived that had to be built
    /// anew while the store was in use.
    pub fn remark(&self, store: &Store<SledLog>) -> CliResult<()> {
        // Clocks that are kept in step move by less than a second.
        if let Some(lag) = store.clock_lag().filter(|lag| lag.seconds() > 0) {
            ui::note(self, &ui::lagging(&lag))?;
        }
        store.log().remark().map_or(Ok(()), |remark| ui::note(self, remark))
    }

    /// Threads that work beside this one, where a command has work for them.
    pub fn threads() -> NonZeroUsize {
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        threads.min(MOST_THREADS)
    }

    /// How a store is opened.
    pub fn options(&self) -> SledOptions {
        let program = Cli::command();
        let is_command = |word: &String| program.get_subcommands().any(|command| command.get_name() == word);
        let command = std::env::args().skip(1).find(is_command).unwrap_or_default();
        SledOptions {
            durability: Durability::Each,
            holder: format!("annals {command}"),
            patience: Duration::from_secs(self.global.lock_wait),
            ..SledOptions::default()
        }
    }
}
