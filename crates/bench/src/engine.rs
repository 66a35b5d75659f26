//! The Annals side: the engine's public interface, called as the command line calls it.
//!
//! One place for each question. When the engine gets a faster way to an answer, this file takes it, and no
//! measure changes.

use std::fs::File;
use std::io::BufReader;
use std::num::NonZero;
use std::path::Path;

use annals_core::dates::DateIndex;
use annals_core::index::ClaimIndex;
use annals_core::{
    Host, Known, Log, Ready, Resume, Selection, SledLog, SledOptions, Store, WriteOptions, new_event_id, scan,
};
use annals_formats::{ImportFormat, ImportOptions};
use annals_model::answers::Answers;
use annals_model::line::Line;
use annals_model::{
    AsOf, Certainty, Date, Entry, EventId, Filter, Invalid, KnownAt, RecordedAt, Seq, Snapshot, TimelineName,
    Value,
};

use crate::Outcome;
use crate::answers::{Change, Point, Question, Range, State, TIMELINE};

/// The clock and the randomness of this machine, as the command line has them.
struct Machine;

impl Host for Machine {
    #[expect(
        clippy::disallowed_methods,
        reason = "a benchmark records as the command line does, by the clock"
    )]
    fn now(&self) -> RecordedAt {
        chrono::Utc::now().into()
    }

    fn fill_random(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("because the operating system gives randomness");
    }
}

/// An open store.
pub struct Engine {
    store: Store<SledLog>,
    timeline: TimelineName,
    options: WriteOptions,
}

impl Engine {
    /// Makes an empty store.
    pub fn create(path: &Path) -> Outcome<Self> {
        Self::over(SledLog::create(path, &SledOptions::default())?, path)
    }

    /// Opens a store.
    pub fn open(path: &Path) -> Outcome<Self> {
        Self::over(SledLog::open(path, &SledOptions::default())?, path)
    }

    fn over(log: SledLog, path: &Path) -> Outcome<Self> {
        let timeline = TimelineName::new(TIMELINE)?;
        let store = Store::new(log).with_index(ClaimIndex::at(path.join("index")));
        let store = store.with_dates(DateIndex::at(path.join("dates")));
        Ok(Self { store, timeline, options: WriteOptions::by("bench") })
    }

    /// How many records the log has.
    pub fn records(&self) -> Outcome<u64> {
        Ok(self.store.log().head()?.seq().0)
    }

    /// Imports a file as `annals import` does, `chunk` lines at once: lines are parsed and records sealed beside this
    /// thread. Gives the number of records.
    pub fn import(&self, file: &Path, chunk: usize) -> Outcome<u64> {
        let threads = std::thread::available_parallelism()?;
        let input = Box::new(BufReader::with_capacity(1 << 16, File::open(file)?));
        let mut resume = Resume::default();
        std::thread::scope(|scope| {
            let options = ImportOptions::default();
            // Every line of the workload has its id.
            let make = |read: annals_formats::Read| {
                let line = read.outcome.map_err(|fault| Invalid::new(fault.to_string()))?;
                Ready::of_line(line, &self.timeline).map_err(|_| Invalid::new("a line without an id").into())
            };
            let format = ImportFormat::Jsonl;
            let reads = annals_formats::read_ahead_as(scope, threads, format, input, options, make);
            let mut reads = reads.peekable();
            while reads.peek().is_some() {
                let entries = reads.by_ref().take(chunk);
                self.store.import_from(entries, &Machine, &self.options, &mut resume, threads, |_| {})?;
            }
            Outcome::Ok(())
        })?;
        self.store.tidy()?;
        self.records()
    }

    /// Records lines as one batch, parsed and durable.
    pub fn write(&self, lines: &[String]) -> Outcome<()> {
        let entries: Outcome<Vec<Entry>> = lines.iter().map(|line| self.entry(line)).collect();
        self.store.write(entries?, &Machine, &self.options)?;
        Ok(())
    }

    fn entry(&self, line: &str) -> Outcome<Entry> {
        let id = new_event_id(&Machine)?;
        Ok(Line::parse(line)?.into_entry(&self.timeline, || id))
    }

    /// The state.
    pub fn snapshot(&self, question: &Question) -> Outcome<Snapshot> {
        Ok(self.store.replay(&asked(question, Vec::new())?)?)
    }

    /// The state alone, without counts of events and without a receipt, as SQLite gives it.
    pub fn state(&self, question: &Question) -> Outcome<Answers> {
        Ok(self.store.answers(&asked(question, Vec::new())?)?)
    }

    /// The state that the events of one kind make.
    pub fn of_kind(&self, question: &Question, kind: &str) -> Outcome<Snapshot> {
        let filter = Filter { kind: vec![kind.to_owned()], ..Filter::default() };
        Ok(self.store.replay(&annals_model::Question { filter, ..asked(question, Vec::new())? })?)
    }

    /// The state of one entity.
    pub fn entity(&self, question: &Question, entity: &str) -> Outcome<Snapshot> {
        Ok(self.store.replay(&asked(question, vec![entity.to_owned()])?)?)
    }

    /// What changed from one point to another.
    pub fn diff(&self, from: &Question, to: &Question) -> Outcome<Vec<Change>> {
        let (from, to) = (asked(from, Vec::new())?, asked(to, Vec::new())?);
        let diff = self.store.diff(&from, &to.as_of, to.known_at)?;
        let json = |value: &Option<Value>| value.as_ref().map(serde_json::to_string).transpose();
        let changes = diff.changes.iter().map(|change| {
            let names = (change.entity.clone(), change.attribute.clone());
            Ok((names, [json(&change.from)?, json(&change.to)?]))
        });
        changes.collect()
    }

    /// The value of one attribute, as JSON.
    pub fn point(&self, point: &Point) -> Outcome<Option<String>> {
        let question = asked(&point.at, Vec::new())?;
        let cell = self.store.cell(&question, &point.entity, &point.attribute)?;
        Ok(cell.as_ref().map(|cell| serde_json::to_string(&cell.value)).transpose()?)
    }

    /// What the log knew, without a fold.
    pub fn known(&self, question: &Question) -> Outcome<Known> {
        let question = asked(question, Vec::new())?;
        Ok(self.store.known(&question.timeline, question.known_at)?)
    }

    /// The ids, dates and titles of what may fall into a range, in the order of a list.
    pub fn list(&self, range: &Range) -> Outcome<Vec<String>> {
        let filter = Filter {
            from: Some(Date::parse(&range.from)?),
            to: Some(Date::parse(&range.to)?),
            ..Filter::default()
        };
        let question = annals_model::Question {
            timeline: self.timeline.clone(),
            as_of: AsOf::new(Date::parse("2004")?)?,
            known_at: KnownAt::Everything,
            certainty: Certainty::Possibly,
            filter,
            entities: Vec::new(),
        };
        let (range, begun, most) = (Certainty::Possibly, false, None);
        let listed =
            self.store.list(&Selection { question: &question, range, begun, between: None, most })?;
        let shown = listed.events.iter().map(|known| {
            let date = known.event.date.as_ref().map(Date::as_str).unwrap_or_default();
            format!("{date} {} {}", known.event.id, known.event.title)
        });
        Ok(shown.collect())
    }

    /// Brings both indexes to the end of the log, side by side, as `annals import` does when all is recorded.
    pub fn index(&self) -> Outcome<()> {
        let (claims, dates) = self.store.grow_indexes();
        Ok(claims.and(dates)?)
    }

    /// Removes both indexes.
    pub fn clear_indexes(&self) -> Outcome<()> {
        self.store.index().map_or(Ok(()), ClaimIndex::clear)?;
        Ok(self.store.dates().map_or(Ok(()), DateIndex::clear)?)
    }

    /// Writes a store anew, as small as it can be, as `annals compact` does.
    pub fn compact(path: &Path) -> Outcome<()> {
        let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        SledLog::compact(path, &SledOptions::default(), threads, &mut |_, _| {})?;
        let engine = Self::open(path)?;
        engine.index()?;
        Ok(engine.store.index().map_or(Ok(()), |index| index.compact(engine.store.log()))?)
    }

    /// How many events had happened, and how many go on; nothing where the index of dates does not tell.
    pub fn standing(&self, question: &Question) -> Outcome<Option<(u64, usize)>> {
        let question = asked(question, Vec::new())?;
        let known_at = self.store.position(question.known_at)?.seq;
        let found = self.store.standing(&question.timeline, question.as_of.until(), known_at);
        Ok(found.map(|(tally, ongoing)| (tally.applied, ongoing.len())))
    }

    /// How many versions an event has, each of them read.
    pub fn show(&self, id: &str) -> Outcome<usize> {
        Ok(self.store.history(&self.timeline, &EventId::new(id)?)?.len())
    }

    /// How often the answer for an attribute changed from record to record.
    pub fn learned(&self, point: &Point) -> Outcome<usize> {
        let asked = asked(&point.at, Vec::new())?;
        let name = format!("{}.{}", point.entity, point.attribute);
        Ok(self.store.learned(&asked, &name)?.changes.len())
    }

    /// Reads and decodes the whole log; gives the number of records.
    pub fn scan(&self) -> Outcome<u64> {
        let mut count = 0;
        let end = Seq(self.records()?);
        scan::each(self.store.log(), Seq(1), end, |_| {
            count += 1;
            Ok(())
        })?;
        Ok(count)
    }
}

fn asked(question: &Question, entities: Vec<String>) -> Outcome<annals_model::Question> {
    Ok(annals_model::Question {
        timeline: TimelineName::new(question.timeline.as_str())?,
        as_of: AsOf::new(Date::parse(&question.as_of)?)?,
        known_at: KnownAt::Position(Seq(question.known_at)),
        certainty: Certainty::Surely,
        filter: Filter::default(),
        entities,
    })
}

/// A snapshot in the form in which answers are compared.
pub fn state(snapshot: &Snapshot) -> Outcome<State> {
    let mut state = State::new();
    for (entity, attributes) in &snapshot.state {
        for (attribute, cell) in attributes {
            let value = serde_json::to_string(&cell.value)?;
            state.insert((entity.clone(), attribute.clone()), value);
        }
    }
    Ok(state)
}
