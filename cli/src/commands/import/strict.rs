//! The import of a file that has to be whole: every problem of it is told, and one is enough for nothing to be recorded.
//!
//! The engine takes the entries as fast as they are parsed and decides them together, so that the line of an entry
//! that it refuses is found again by its number. A line that cannot be read goes before one that the log refuses.

use annals_core::{Error, Failed, Log, Ready, Resume, new_event_id};
use annals_formats::{Fault, ImportOptions, Input, Read};
use annals_model::line::Line;
use annals_model::{Expectation, Invalid, Seq, TimelineName};

use super::Job;
use super::told::{Notes, OFTEN, PROBLEMS_SHOWN, Tally, explained, note_ids};
use crate::commands::writing::in_data;
use crate::error::{CliError, CliResult};
use crate::session::Session;
use crate::ui::{self, Progress, counted};

/// An import that takes all of a file or nothing of it, or all of each chunk.
pub struct Strict<'a> {
    job: Job<'a>,
    resume: Resume,
    tally: Tally,
}

/// An entry of the file.
struct Found {
    line: u64,
    outcome: Result<Parsed, Fault>,
    note: Option<String>,
}

/// What was parsed: made ready for the log at once, where nothing of it is still to be decided.
enum Parsed {
    Ready(Ready),
    WithoutId(Box<Line>),
}

/// The file's entries, one chunk after another.
struct Source<'a> {
    reader: Box<dyn Iterator<Item = Found> + 'a>,
    session: &'a Session,
    progress: &'a Progress,
    is_over: bool,
    /// Entries that the chunk still has room for.
    room: u64,
    /// Entries that were given in all.
    taken: u64,
    /// The lines of the chunk's entries.
    lines: Lines,
    problems: Vec<CliError>,
    notes: Notes,
    /// Why the file cannot be read on at all.
    broken: Option<CliError>,
    without_id: u64,
}

/// Which entry stands in which line: only where an entry does not stand in the line behind the one before.
#[derive(Debug, Default)]
struct Lines {
    count: usize,
    next: u64,
    jumps: Vec<(usize, u64)>,
}

impl Lines {
    fn push(&mut self, line: u64) {
        if self.count == 0 || line != self.next {
            self.jumps.push((self.count, line));
        }
        self.count += 1;
        self.next = line + 1;
    }

    fn of(&self, index: usize) -> Option<u64> {
        let before = self.jumps.partition_point(|(first, _)| *first <= index).checked_sub(1)?;
        let (first, line) = self.jumps.get(before)?;
        Some(line + (index - first) as u64)
    }
}

impl<'a> Strict<'a> {
    pub fn new(job: Job<'a>) -> Self {
        Self { job, resume: Resume::default(), tally: Tally::default() }
    }

    /// Reads and records the whole file.
    pub fn run(mut self, input: Input<'_>, options: ImportOptions<'_>) -> CliResult<()> {
        let Job { session, store, progress, threads, format, .. } = self.job;
        let found = |read| Found::of(read, session.timeline());
        let (notes, without_id) = std::thread::scope(|scope| {
            let mut source = Source {
                reader: annals_formats::read_ahead_as(scope, threads, format, input, options, found),
                session,
                progress,
                is_over: false,
                room: 0,
                taken: 0,
                lines: Lines::default(),
                problems: Vec::new(),
                notes: Notes::default(),
                broken: None,
                without_id: 0,
            };
            while !source.is_over {
                self.chunk(&mut source)?;
            }
            CliResult::Ok((source.notes, source.without_id))
        })?;
        progress.finish();
        notes.tell(session)?;
        session.remark(store)?;
        session.after_erasure(store, self.tally.redacted > 0)?;
        note_ids(session, without_id)?;
        self.tell()?;
        drop(self.resume);
        // For the questions to come; what is recorded was told before.
        session.grow(store)
    }

    fn tell(&self) -> CliResult<()> {
        if !self.job.session.is_for_people() {
            return ui::print_json_line(&self.tally);
        }
        let told = self.tally.sentence(0, false);
        ui::print_line(if told.is_empty() { "the file holds no event" } else { &told })
    }

    /// Records the next chunk.
    fn chunk(&mut self, source: &mut Source<'_>) -> CliResult<()> {
        (source.room, source.lines) = (self.job.chunk, Lines::default());
        let end = self.job.store.log().head()?.seq();
        let mut tally = Tally::default();
        let recorded = self.job.store.import_from(
            &mut *source,
            self.job.session.host(),
            &self.job.options,
            &mut self.resume,
            self.job.threads,
            |answer| tally.count(&answer),
        );
        if recorded.is_err() {
            // A line that cannot be read goes before one that the engine refuses, wherever in the chunk it stands.
            while !source.has_failed() && source.next().is_some() {}
        }
        if let Some(error) = source.broken.take() {
            self.job.progress.finish();
            return Err(error);
        }
        if let Some(error) = self.refusal(&mut source.problems)? {
            return Err(error);
        }
        recorded.map_err(|failed| self.refused(failed, &source.lines, end))?;
        // The expectation was met: from here on the timeline's version is this import's own doing.
        self.job.options.expect = Expectation::Any;
        self.tally.add(&tally);
        Ok(())
    }

    /// The error for a batch that the engine refused; `end` is where the log ended before it.
    fn refused(&self, failed: Failed, lines: &Lines, end: Seq) -> CliError {
        let line = failed.index.and_then(|index| lines.of(index));
        let Some(line) = line else { return failed.error.into() };
        let error = explained(self.job.store, failed.error, end);
        self.how_far(error.because_of(format!("line {line} was refused")))
    }

    /// The error for a file with problems: all of them are told, up to a number.
    fn refusal(&self, problems: &mut Vec<CliError>) -> CliResult<Option<CliError>> {
        if problems.is_empty() {
            return Ok(None);
        }
        self.job.progress.finish();
        if problems.len() == 1
            && let Some(only) = problems.pop()
        {
            return Ok(Some(self.how_far(only)));
        }
        for problem in problems.iter().take(PROBLEMS_SHOWN) {
            ui::print_error(problem)?;
        }
        let refused = CliError::failed(format!("{} were refused", counted(problems.len() as u64, "line")));
        Ok(Some(self.how_far(refused)))
    }

    /// Says what of the file is recorded.
    fn how_far(&self, error: CliError) -> CliError {
        self.job.progress.finish();
        if self.tally.seq == 0 {
            return error.with_hint("nothing was written");
        }
        let hint = format!(
            "the chunks before are recorded, up to record {}; mend the file and run again",
            self.tally.seq
        );
        error.with_hint(hint)
    }
}

impl Found {
    /// Makes the most of an entry on the thread that has parsed it.
    fn of(Read { line, outcome, note, .. }: Read, timeline: &TimelineName) -> Self {
        Self { line, outcome: outcome.map(|read| Parsed::of(read, timeline)), note }
    }
}

impl Parsed {
    fn of(line: Line, timeline: &TimelineName) -> Self {
        Ready::of_line(line, timeline).map_or_else(Self::WithoutId, Self::Ready)
    }
}

/// The entries of a chunk. Once one of them has a problem, the rest of the file is read for problems only.
impl Iterator for Source<'_> {
    type Item = Result<Ready, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.room > 0 && !self.is_over {
            let Some(Found { line, outcome, note }) = self.reader.next() else {
                self.is_over = true;
                break;
            };
            if let Some(note) = note {
                self.notes.push(line, &note);
            }
            match outcome {
                Ok(_) if !self.problems.is_empty() => {}
                Ok(parsed) => {
                    self.room -= 1;
                    self.taken += 1;
                    self.lines.push(line);
                    if self.taken.is_multiple_of(OFTEN) {
                        self.progress.rate(self.taken, "events");
                    }
                    return Some(self.entry(parsed));
                }
                Err(Fault::Entry(invalid)) => {
                    self.problems.push(in_data(&invalid).because_of(format!("line {line} was refused")));
                }
                Err(Fault::Passed) => {}
                Err(Fault::File(invalid)) => {
                    self.give_up(in_data(&invalid).because_of("the file was refused"));
                }
                Err(Fault::Io(error)) => {
                    let error = CliError::failed(error.to_string());
                    self.give_up(error.because_of(format!("cannot read on from line {line}")));
                }
            }
        }
        self.progress.say("writing to the disk");
        if self.has_failed() {
            // The engine writes nothing then; what is told is told of the file.
            return Some(Err(Invalid::new("the file has problems").into()));
        }
        None
    }
}

impl Source<'_> {
    fn entry(&mut self, parsed: Parsed) -> Result<Ready, Error> {
        match parsed {
            Parsed::Ready(ready) => Ok(ready),
            Parsed::WithoutId(line) => {
                self.without_id += 1;
                let new_id = || new_event_id(self.session.host());
                Ok(line.into_entry_with(self.session.timeline(), new_id)?.into())
            }
        }
    }

    fn has_failed(&self) -> bool {
        self.broken.is_some() || !self.problems.is_empty()
    }

    fn give_up(&mut self, error: CliError) {
        self.broken = Some(error);
        self.is_over = true;
    }
}
