//! `annals import --dry-run` and `--skip-bad`: an import that goes on behind what is refused.
//!
//! Each entry is decided before the next one is read, so that a line that the log refuses is known while its text is
//! at hand. A dry run decides everything as one batch, which is never committed, and tells every problem; its exit
//! code is that of the import. With `--skip-bad` the refused lines go into a file of their own, and what is
//! left is recorded as one batch, or chunk by chunk, each with all of it or nothing.

use std::cell::RefCell;

use annals_core::{Error, Failed, Log, Resume, new_event_id};
use annals_formats::{Excerpt, Fault, ImportOptions, Input, Kept, Read, Reader};
use annals_model::{Entry, Expectation, Invalid, Seq};
use serde::Serialize;

use super::Job;
use super::aside::Aside;
use super::told::{Notes, OFTEN, PROBLEMS_SHOWN, Tally, explained, note_ids};
use crate::commands::writing::in_data;
use crate::error::{CliError, CliResult};
use crate::session::Session;
use crate::ui::{self, Progress, counted};

/// An import that leaves out what is refused.
pub struct Lenient<'a> {
    pub job: Job<'a>,
    /// Whether nothing is to be recorded.
    pub is_rehearsal: bool,
    /// Where the refused lines go.
    pub aside: Option<Aside>,
}

/// What happens to the entry that is being decided, and what happened to those before.
#[derive(Default)]
struct Course {
    tally: Tally,
    refused: u64,
    without_id: u64,
    notes: Notes,
    aside: Option<Aside>,
    /// The line of the entry, and its text where refused ones are put aside.
    line: u64,
    excerpt: Option<Excerpt>,
    /// Why nothing can go on.
    broken: Option<CliError>,
}

/// The entries of a file: as fast as they can be read, or each with its text.
enum Entries<'a> {
    Ahead(Reader<'a>),
    Kept(Kept<'a>),
}

/// The entries of a chunk, as the engine takes them.
struct Source<'a> {
    entries: Entries<'a>,
    session: &'a Session,
    progress: &'a Progress,
    course: &'a RefCell<Course>,
    is_rehearsal: bool,
    is_over: bool,
    room: u64,
    count: u64,
}

/// What became of the file, for programs.
#[derive(Serialize)]
struct Told {
    dry_run: bool,
    appended: u64,
    revised: u64,
    retracted: u64,
    redacted: u64,
    already_there: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    put_aside: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
}

impl Lenient<'_> {
    /// Reads and decides the whole file.
    pub fn run(mut self, input: Input<'_>, options: ImportOptions<'_>) -> CliResult<()> {
        let puts_aside = self.aside.is_some();
        let course = RefCell::new(Course { aside: self.aside.take(), ..Course::default() });
        let outcome = std::thread::scope(|scope| {
            let entries = if puts_aside {
                Entries::Kept(Kept::new(self.job.format, input, options))
            } else {
                let (format, threads) = (self.job.format, self.job.threads);
                Entries::Ahead(annals_formats::read_ahead(scope, threads, format, input, options))
            };
            let mut source = Source {
                entries,
                session: self.job.session,
                progress: self.job.progress,
                course: &course,
                is_rehearsal: self.is_rehearsal,
                is_over: false,
                room: 0,
                count: 0,
            };
            self.chunks(&mut source, &course)
        });
        self.job.progress.finish();
        self.job.session.remark(self.job.store)?;
        self.tell(course.into_inner(), outcome, puts_aside)
    }

    fn chunks(&mut self, source: &mut Source<'_>, course: &RefCell<Course>) -> CliResult<()> {
        let mut resume = Resume::default();
        while !source.is_over {
            source.room = if self.is_rehearsal { u64::MAX } else { self.job.chunk };
            let end = self.job.store.log().head()?.seq();
            let mut tally = Tally::default();
            let decided = |answer: Result<_, Error>| match answer {
                Ok(answer) => tally.count(&answer),
                Err(error) => {
                    // The nearest id would be looked for among all, and there may be many such lines.
                    let error = match error {
                        Error::NotFound(_) => error.into(),
                        other => explained(self.job.store, other, end),
                    };
                    course.borrow_mut().refuse(self.job.session, self.job.progress, self.is_rehearsal, error);
                }
            };
            let recorded = self.job.store.import_around(
                &mut *source,
                self.job.session.host(),
                &self.job.options,
                &mut resume,
                self.job.threads,
                self.is_rehearsal,
                decided,
            );
            let mut course = course.borrow_mut();
            if let Some(error) = course.broken.take() {
                return Err(error);
            }
            recorded.map_err(|Failed { error, .. }| CliError::from(error))?;
            self.job.options.expect = Expectation::Any;
            course.tally.add(&tally);
            if let Some(aside) = &mut course.aside {
                aside.keep();
            }
        }
        Ok(())
    }

    fn tell(&self, course: Course, outcome: CliResult<()>, puts_aside: bool) -> CliResult<()> {
        let Course { tally, refused, without_id, aside, notes, .. } = course;
        let kept = match aside {
            Some(aside) if self.is_rehearsal => aside.count(),
            Some(aside) => aside.finish()?,
            None => 0,
        };
        outcome.map_err(|error| match Seq(tally.seq) {
            Seq(0) => error.with_hint("nothing was written"),
            seq => error.with_hint(format!(
                "the chunks before are recorded, up to record {seq}; their refused lines were put aside"
            )),
        })?;
        notes.tell(self.job.session)?;
        note_ids(self.job.session, without_id)?;
        if !self.is_rehearsal {
            self.job.session.after_erasure(self.job.store, tally.redacted > 0)?;
        }
        if self.job.session.is_for_people() {
            ui::print_line(&self.sentence(&tally, kept))?;
        } else {
            ui::print_json_line(&Told {
                dry_run: self.is_rehearsal,
                appended: tally.appended,
                revised: tally.revised,
                retracted: tally.retracted,
                redacted: tally.redacted,
                already_there: tally.already_there,
                refused: (!puts_aside).then_some(refused),
                put_aside: puts_aside.then_some(kept),
                seq: (!self.is_rehearsal).then_some(tally.seq),
            })?;
        }
        if refused == 0 || puts_aside {
            // For the questions to come; what is recorded was told before.
            return if self.is_rehearsal { Ok(()) } else { self.job.session.grow(self.job.store) };
        }
        Err(CliError::failed(format!("{} would be refused, and nothing written", counted(refused, "line")))
            .with_hint("mend the file, or put such lines aside with --skip-bad FILE"))
    }

    fn sentence(&self, tally: &Tally, put_aside: u64) -> String {
        let told = tally.sentence(put_aside, self.is_rehearsal);
        let told = if told.is_empty() { "nothing to record".to_owned() } else { told };
        if self.is_rehearsal { format!("{told}; nothing was written") } else { told }
    }
}

impl Course {
    /// Notes that the entry which is being decided is refused.
    fn refuse(&mut self, session: &Session, progress: &Progress, is_rehearsal: bool, error: CliError) {
        self.refused += 1;
        let line = self.line;
        let told = match &mut self.aside {
            Some(_) if is_rehearsal || self.refused <= PROBLEMS_SHOWN as u64 => {
                let is = if is_rehearsal { "would be" } else { "is" };
                progress.around(|| ui::note(session, &format!("line {line} {is} refused: {error}")))
            }
            Some(_) if self.refused == PROBLEMS_SHOWN as u64 + 1 => {
                progress.around(|| ui::note(session, "more lines are refused"))
            }
            Some(_) => Ok(()),
            None => {
                let error = error.because_of(format!("line {line} would be refused"));
                progress.around(|| Ok(ui::print_error(&error)?))
            }
        };
        let kept = match &mut self.aside {
            Some(aside) => aside.add(line, self.excerpt.as_ref()),
            None => Ok(()),
        };
        if let Err(error) = told.and(kept) {
            self.broken.get_or_insert(error);
        }
    }
}

impl Iterator for Source<'_> {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.room > 0 && !self.is_over && self.course.borrow().broken.is_none() {
            let Some((Read { line, outcome, note, .. }, excerpt)) = self.entries.next() else {
                self.is_over = true;
                break;
            };
            let mut course = self.course.borrow_mut();
            (course.line, course.excerpt) = (line, excerpt);
            if let Some(note) = note {
                course.notes.push(line, &note);
            }
            match outcome {
                Ok(read) => {
                    self.room -= 1;
                    self.count += 1;
                    if self.count.is_multiple_of(OFTEN) {
                        self.progress.rate(self.count, "events");
                    }
                    let host = self.session.host();
                    let without_id = &mut course.without_id;
                    let new_id = || {
                        *without_id += 1;
                        new_event_id(host)
                    };
                    return Some(read.into_entry_with(self.session.timeline(), new_id).map_err(Error::from));
                }
                Err(Fault::Entry(invalid)) => {
                    course.refuse(self.session, self.progress, self.is_rehearsal, in_data(&invalid));
                }
                Err(Fault::Passed) => {}
                Err(Fault::File(invalid)) => {
                    course.broken = Some(in_data(&invalid).because_of("the file was refused"));
                }
                Err(Fault::Io(error)) => {
                    let error = CliError::failed(error.to_string());
                    course.broken = Some(error.because_of(format!("cannot read on from line {line}")));
                }
            }
        }
        if self.course.borrow().broken.is_some() {
            self.is_over = true;
            // The engine writes nothing then; what is told is told of the file.
            return Some(Err(Invalid::new("the import cannot go on").into()));
        }
        None
    }
}

impl Entries<'_> {
    fn next(&mut self) -> Option<(Read, Option<Excerpt>)> {
        match self {
            Self::Ahead(reader) => Some((reader.next()?, None)),
            Self::Kept(kept) => Some((kept.next()?, kept.excerpt())),
        }
    }
}
