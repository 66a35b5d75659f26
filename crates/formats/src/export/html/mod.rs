//! HTML: one self-contained page with the timeline drawn to scale, the state as of any date, and every event.
//!
//! The page works from a file, without a network and under a content security policy that names its own style and
//! script by hash. Every event stands in the page itself, in the order of the list, so that it can be read and printed
//! without a script; the script draws, filters and moves along the date axis. What had which value when is folded here
//! ([`states`]) and never in the page: the script only looks up what is answered at a date.
//!
//! The page needs every event at once, to fold and to link them, so this exporter holds them until its end.

mod data;
mod entry;
mod escape;
mod page;
mod spoken;
mod states;

use std::collections::HashMap;
use std::io;

use annals_model::fold::Counted;
use annals_model::{AsOf, Event, EventId, Filter, Position, RecordedAt, Seq, TimelineName};

use super::losses::{EXTRA, Loss};
use super::{ExportError, Exporter, Heading, Losses, Recorded, Row, Scope};
use states::States;

/// Attributes whose values would make the page too large.
const LEFT_OUT: Loss = Loss::new(
    "state",
    "attribute has too many values for the state at every date",
    "attributes have too many values for the state at every date",
);

pub struct Html<'o> {
    out: &'o mut dyn io::Write,
    head: Head,
    rows: Vec<Kept>,
    losses: Losses,
}

/// What stands above the rows.
struct Head {
    title: String,
    timelines: Vec<TimelineName>,
    as_of: Option<AsOf>,
    known_at: Option<Position>,
    filter: Filter,
}

/// A row that is kept until all are there.
struct Kept {
    /// Which of the timelines it belongs to.
    timeline: usize,
    place: Seq,
    seq: Seq,
    recorded_at: RecordedAt,
    event: Event,
    sure: bool,
}

impl Kept {
    fn counted(&self) -> Counted<'_> {
        Counted { place: self.place, seq: self.seq, event: &self.event }
    }
}

/// The rows with what is needed to refer to one of them.
struct Rows<'a> {
    rows: &'a [Kept],
    by_id: HashMap<(usize, &'a EventId), usize>,
}

impl<'a> Rows<'a> {
    fn of(rows: &'a [Kept]) -> Self {
        let by_id =
            rows.iter().enumerate().map(|(index, row)| ((row.timeline, &row.event.id), index)).collect();
        Self { rows, by_id }
    }

    fn find(&self, timeline: usize, id: &EventId) -> Option<usize> {
        self.by_id.get(&(timeline, id)).copied()
    }
}

impl<'o> Html<'o> {
    pub fn begin(heading: &Heading<'_>, out: &'o mut dyn io::Write) -> Self {
        let names: Vec<&str> = heading.timelines.iter().map(TimelineName::as_str).collect();
        let title = match heading.title {
            Some(title) => title.to_owned(),
            None if names.is_empty() => "Timeline".to_owned(),
            None => names.join(", "),
        };
        let Scope { as_of, known_at, filter } = heading.scope;
        let head = Head {
            title,
            timelines: heading.timelines.to_vec(),
            as_of: as_of.cloned(),
            known_at,
            filter: filter.cloned().unwrap_or_default(),
        };
        Self { out, head, rows: Vec::new(), losses: Losses::default() }
    }
}

impl Exporter for Html<'_> {
    fn row(&mut self, row: &Row<'_>) -> Result<(), ExportError> {
        let known = self.head.timelines.iter().position(|name| name == row.timeline);
        let timeline = known.unwrap_or_else(|| {
            self.head.timelines.push(row.timeline.clone());
            self.head.timelines.len() - 1
        });
        if row.event.extra.is_some() {
            self.losses.count(EXTRA);
        }
        let Recorded { first: place, seq, at: recorded_at, .. } = row.recorded;
        let sure = row.sure;
        self.rows.push(Kept { timeline, place, seq, recorded_at, event: row.event.clone(), sure });
        Ok(())
    }

    fn end(mut self: Box<Self>) -> Result<Losses, ExportError> {
        let rows = Rows::of(&self.rows);
        let states = States::of(&rows, self.head.as_of.as_ref())?;
        for _ in 0..states.left_out {
            self.losses.count(LEFT_OUT);
        }
        page::write(&self.head, &rows, &states, self.out)?;
        Ok(self.losses)
    }
}
