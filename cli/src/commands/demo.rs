//! `annals demo`: makes a store with the Haiti timeline and walks through it.
//!
//! The timeline is the one of the article that this project grew out of. What the article says was recorded, in
//! this telling, on the day on which it appeared; the day of the resolution, which it does not give, a week
//! later. The walk asks the same question as of one date after the other, and then the same date as known on
//! two days.

use std::io::Write;
use std::path::{Path, PathBuf};

use annals_core::{SledLog, Store, WriteOptions};
use annals_model::line::Line;
use annals_model::{AsOf, Date, Filter, KnownAt, Question, RecordedAt, Seq, Snapshot, State, TimelineName};

use super::writing::{in_data, new_id};
use crate::error::{CliError, CliResult};
use crate::session::Session;
use crate::ui::{self, HEADING, safe};

const EVENTS: &str = include_str!("../../../tests/fixtures/haiti/events.jsonl");
const REVISION: &str = include_str!("../../../tests/fixtures/haiti/revision.jsonl");
const ARTICLE_DAY: &str = "2023-11-13T12:00:00Z";
const REVISION_DAY: &str = "2023-11-20T09:00:00Z";

/// Make a store with the Haiti timeline and walk through it
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:
  annals demo haiti-demo
  annals --store haiti-demo --timeline haiti replay --as-of 2018")]
pub struct Args {
    /// The directory of the store [default: a new one for temporary files]
    path: Option<PathBuf>,
    /// Only make the store
    #[arg(long)]
    no_walk: bool,
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    let path = match &args.path {
        Some(path) => path.clone(),
        None => tempfile::Builder::new().prefix("annals-demo-").tempdir()?.keep(),
    };
    let store = Store::new(SledLog::create(&path, &session.options())?);
    let article = record(session, &store, EVENTS, ARTICLE_DAY)?;
    record(session, &store, REVISION, REVISION_DAY)?;
    if args.no_walk {
        return ui::print_line(&format!("made a store with the timeline haiti at {}", path.display()));
    }
    let mut out = ui::out();
    let walk = Walk { store: &store, article, out: &mut out };
    walk.tell(&path)?;
    Ok(out.flush()?)
}

/// Records lines of JSON as if on a day; answers with the last record.
fn record(session: &Session, store: &Store<SledLog>, lines: &str, day: &str) -> CliResult<Seq> {
    let day: RecordedAt = day.parse()?;
    let mut entries = Vec::new();
    for line in lines.lines() {
        let line = Line::parse(line).map_err(|e| in_data(&e))?;
        let id = new_id(session)?;
        let mut entry = line.into_entry(session.timeline(), || id);
        entry.recorded_at = Some(day);
        entries.push(entry);
    }
    let options = WriteOptions { keep_record_times: true, ..WriteOptions::by("the demo") };
    let answers = store.write(entries, session.host(), &options).map_err(annals_core::Error::from)?;
    answers.last().map(|answer| answer.seq).ok_or_else(|| CliError::failed("the demo has no events"))
}

struct Walk<'a, W: Write> {
    store: &'a Store<SledLog>,
    /// The last record of what the article says.
    article: Seq,
    out: &'a mut W,
}

impl<W: Write> Walk<'_, W> {
    fn tell(mut self, path: &Path) -> CliResult<()> {
        let before = KnownAt::Position(self.article);
        writeln!(self.out, "{HEADING}Haiti, as one news article of 13 November 2023 tells it{HEADING:#}")?;
        self.say(
            "Its facts are dated “2004”, “2010”, “in July”, or not at all. They are recorded as vaguely as they \
             were told, and the log is asked what had surely happened as of one date after the other. Each step \
             shows what is new since the step before.",
        )?;
        let mut last = State::new();
        let mut alike = true;
        for as_of in ["2003", "2005", "2012", "2018", "2020", "2023-08"] {
            last = self.step(as_of, before, &last)?;
            let since = self.ask(as_of, KnownAt::Everything)?;
            alike &= since.state == last;
        }
        if alike {
            self.say("Asked as known a week later, after the revision, all of these answers are the same.")?;
        }
        writeln!(self.out, "\n{HEADING}Two clocks{HEADING:#}")?;
        self.say(
            "The article does not say on which day the Security Council adopted its resolution: on 13 November \
             or before. A week later somebody looks it up, 2 October, and revises the event. So there are two \
             answers as of mid-October. What was known on the day of the article:",
        )?;
        self.step("2023-10-15", before, &last)?;
        self.say("And what is known since the revision:")?;
        self.step("2023-10-15", KnownAt::Everything, &last)?;
        self.say(
            "Neither answer is lost: the first one is still what could be said then. By December both agree that \
             the resolution stands; its number and the votes came with the revision.",
        )?;
        let before_revision = self.step("2023-12", before, &last)?;
        self.say("The same with the revision:")?;
        self.step("2023-12", KnownAt::Everything, &before_revision)?;
        let path = path.display();
        writeln!(self.out, "\n{HEADING}Go on from here{HEADING:#}")?;
        let store = format!("annals --store {path} --timeline haiti");
        for command in ["list", "why un-police.status --as-of 2018", "history cholera", "conflicts", "log"] {
            writeln!(self.out, "  {store} {command}")?;
        }
        Ok(())
    }

    fn say(&mut self, text: &str) -> CliResult<()> {
        writeln!(self.out, "\n{}", wrapped(text, 96))?;
        Ok(())
    }

    fn ask(&self, as_of: &str, known_at: KnownAt) -> CliResult<Snapshot> {
        let question = Question {
            timeline: TimelineName::new("haiti")?,
            as_of: AsOf::new(Date::parse(as_of).map_err(annals_model::Invalid::from)?)?,
            known_at,
            certainty: annals_model::Certainty::Surely,
            filter: Filter::default(),
            entities: Vec::new(),
        };
        Ok(self.store.replay(&question)?)
    }

    /// Asks as of a date and shows what is new.
    fn step(&mut self, as_of: &str, known_at: KnownAt, last: &State) -> CliResult<State> {
        let snapshot = self.ask(as_of, known_at)?;
        let day = snapshot.asked.known_at.recorded_at.map_or_else(String::new, |at| at.to_string());
        let day = day.split_once('T').map_or("", |(day, _)| day);
        let tally = &snapshot.events;
        writeln!(
            self.out,
            "\n{HEADING}as of {as_of}, known at {day}{HEADING:#}   {} happened, {} possibly, {} later",
            tally.applied, tally.possible, tally.later
        )?;
        let news = news(&snapshot, last);
        if news.is_empty() {
            writeln!(self.out, "  nothing new stands")?;
        }
        for line in news {
            writeln!(self.out, "  {}", safe(&line))?;
        }
        Ok(snapshot.state)
    }
}

/// What stands in a snapshot and did not in an earlier state.
fn news(snapshot: &Snapshot, last: &State) -> Vec<String> {
    let mut lines = Vec::new();
    for (entity, attributes) in &snapshot.state {
        for (attribute, cell) in attributes {
            let before = last.get(entity).and_then(|attributes| attributes.get(attribute));
            if before.is_none_or(|before| {
                (&before.value, &before.by, &before.date) != (&cell.value, &cell.by, &cell.date)
            }) {
                let date = ui::dated(cell.date.as_ref());
                let name = format!("{entity}.{attribute}");
                lines.push(format!("{name:<30} {}   ({date}, {})", cell.value, cell.by));
            }
        }
    }
    lines
}

/// Breaks a text into lines of at most `width` characters.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}
