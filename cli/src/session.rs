//! What the commands share: the global flags, the host, and the way to the store.

use std::path::{Path, PathBuf};
use std::time::Duration;

use annals_core::{Durability, Error as EngineError, Log, NotFound, SledLog, SledOptions, Store};
use annals_model::{AsOf, Date, Day, EventId, TimelineName, Version, suggest};

use crate::args::{Global, OutputFormat};
use crate::error::{CliError, CliResult};
use crate::host::SystemHost;

/// The directory that a store has by default.
pub const STORE_DIRECTORY: &str = ".annals";

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

    /// Whether more remarks are wanted.
    pub const fn is_verbose(&self) -> bool {
        self.global.verbose
    }

    /// Reads a date that a person typed.
    pub fn date(&self, name: &str, text: &str) -> CliResult<Date> {
        Date::parse_spoken(text, self.today()).map_err(|e| CliError::argument(name, &e.into()))
    }

    /// Reads the end of a date that a person typed.
    pub fn as_of(&self, name: &str, text: &str) -> CliResult<AsOf> {
        AsOf::new(self.date(name, text)?).map_err(|e| CliError::argument(name, &e))
    }

    /// Where the store is: the flag, else the nearest one from the working directory upwards.
    pub fn store_path(&self) -> CliResult<PathBuf> {
        if let Some(path) = &self.global.store {
            return Ok(path.clone());
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
        let log = SledLog::open(&self.store_path()?, options)?;
        Ok(Store::new(log))
    }

    /// How a store is opened.
    pub fn options(&self) -> SledOptions {
        let command = std::env::args().nth(1).unwrap_or_default();
        SledOptions {
            durability: Durability::Each,
            holder: format!("annals {command}"),
            patience: Duration::from_secs(10),
            ..SledOptions::default()
        }
    }

    /// Makes sure that the store has the timeline.
    pub fn require(&self, store: &Store<SledLog>, timeline: &TimelineName) -> CliResult<()> {
        if store.log().version(timeline)? > Version(0) {
            return Ok(());
        }
        Err(self.explain(store, NotFound::Timeline(timeline.clone()).into()))
    }

    /// What an error about a name that is not there looks like, with the nearest name that is.
    pub fn explain(&self, store: &Store<SledLog>, error: EngineError) -> CliError {
        let EngineError::NotFound(missing) = &error else { return error.into() };
        let hint = match missing {
            NotFound::Timeline(name) => Self::timeline_hint(store, name),
            NotFound::Event { timeline, id } => Self::event_hint(store, timeline, id),
            _ => None,
        };
        hint.into_iter().fold(CliError::from(error), CliError::with_hint)
    }

    fn timeline_hint(store: &Store<SledLog>, wanted: &TimelineName) -> Option<String> {
        let timelines = store.log().timelines().ok()?;
        let names: Vec<&str> = timelines.iter().map(|(name, _)| name.as_str()).collect();
        if let Some(near) = suggest::nearest(wanted.as_str(), names.iter().copied()) {
            return Some(format!("did you mean `--timeline {near}`?"));
        }
        match names.as_slice() {
            [] => Some(
                "the store is empty: record something with `annals append` or `annals import`".to_owned(),
            ),
            _ if names.len() <= 20 => Some(format!("choose with `--timeline`: {}", names.join(", "))),
            _ => Some("`annals stats` lists the timelines".to_owned()),
        }
    }

    fn event_hint(store: &Store<SledLog>, timeline: &TimelineName, wanted: &EventId) -> Option<String> {
        let ids: Vec<String> =
            store.log().events(timeline).filter_map(|entry| Some(entry.ok()?.0.to_string())).collect();
        if ids.is_empty() {
            return Some(format!("timeline {timeline} has no events; `--timeline` chooses another"));
        }
        let near = suggest::nearest(wanted.as_str(), ids.iter().map(String::as_str));
        Some(match near {
            Some(near) => format!("did you mean {near}?"),
            None => "`annals list` shows the ids".to_owned(),
        })
    }
}
