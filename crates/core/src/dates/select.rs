//! Which events a list shows: those of a timeline whose dates may meet two others, as the log knew them at K, in the
//! order of lists.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use annals_model::date::Span;
use annals_model::{Certainty, Moment, Question, Seq};

use super::file::Run;
use super::item::ByDate;
use super::row::{CLASSES, ListKey, Row};
use super::terms;
use super::{DateIndex, Open, Trouble};
use crate::Result;
use crate::bits::Bits;
use crate::log::Log;

/// Rows that are read sooner than one row is looked up by its record.
const ONE_BY_ONE: usize = 1024;

/// What is asked for. All that is found may have to be looked at once more: a date that stands for several happenings
/// is known by its bounds only, and the index knows no text.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// Timeline and filter.
    pub question: &'a Question,
    /// How sure it must be that an event falls between the dates of the filter.
    pub range: Certainty,
    /// Whether it must have begun as of the question's date.
    pub begun: bool,
    /// Before which moment it must not be over, and after which it must not begin, if that is asked.
    pub begins: Option<(Moment, Moment)>,
    /// The last record that counts.
    pub known_at: Seq,
    /// The only records that may be found, if somebody knows.
    pub among: Option<Bits>,
    /// How many are wanted at most.
    pub most: usize,
}

/// An event that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The record of the version that counts.
    pub seq: Seq,
    /// The record that brought the event.
    pub place: Seq,
}

/// What the span of a date has to meet.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    from: Moment,
    to: Moment,
    range: Certainty,
    /// Until when it must have begun, and how sure that must be.
    begun: Option<(Moment, Certainty)>,
    /// Before which moment it must not be over, and after which it must not begin.
    begins: (Moment, Moment),
}

impl Bounds {
    pub fn of(wanted: &Wanted<'_>) -> Self {
        let filter = &wanted.question.filter;
        let from = filter.from.as_ref().map_or(Moment::NEG_INFINITY, |date| date.span().start.earliest);
        let to = filter.to.as_ref().map_or(Moment::INFINITY, |date| date.span().end.latest);
        let begun = (wanted.question.as_of.until(), wanted.question.certainty);
        // Without a range, an event is in it whatever is asked.
        let range =
            if filter.from.is_some() || filter.to.is_some() { wanted.range } else { Certainty::Possibly };
        let begins = wanted.begins.unwrap_or((Moment::NEG_INFINITY, Moment::INFINITY));
        Self { from, to, range, begun: wanted.begun.then_some(begun), begins }
    }

    /// What goes on at a moment, possibly at least.
    pub const fn around(moment: Moment) -> Self {
        let begins = (Moment::NEG_INFINITY, Moment::INFINITY);
        Self { from: moment, to: moment, range: Certainty::Possibly, begun: None, begins }
    }

    fn admit(&self, span: Span) -> bool {
        let begun = self.begun.is_none_or(|(until, certainty)| match certainty {
            Certainty::Surely => span.start.latest <= until,
            Certainty::Possibly => span.start.earliest <= until,
        });
        begun
            && span.start.earliest <= self.begins.1
            && span.end.latest >= self.begins.0
            && match self.range {
                Certainty::Surely => span.start.latest <= self.to && span.end.earliest >= self.from,
                Certainty::Possibly => span.start.earliest <= self.to && span.end.latest >= self.from,
            }
    }

    /// The latest start that can be admitted.
    fn last_start(&self) -> Moment {
        self.begun.map_or(self.to, |(until, _)| until.min(self.to)).min(self.begins.1)
    }

    /// The earliest end that can be admitted.
    fn first_end(&self) -> Moment {
        self.from.max(self.begins.0)
    }
}

impl DateIndex {
    /// The events that are asked for, in the order of lists.
    pub(crate) fn select<L: Log + ?Sized>(&self, log: &L, wanted: &Wanted<'_>) -> Result<Vec<Hit>> {
        self.ask(log, |open| {
            open.read_gone(wanted.known_at.0)?;
            let marks = open.marks(wanted)?;
            open.select(wanted, marks.as_ref())
        })
    }
}

impl Open {
    /// The records among which are those that are asked for, where terms or somebody else tells.
    pub(super) fn marks(&self, wanted: &Wanted<'_>) -> Result<Option<Bits>, Trouble> {
        let asked = (&wanted.question.timeline, &wanted.question.filter, wanted.known_at.0);
        let marks = terms::marked(asked, &self.runs, &self.recent)?;
        Ok(match (marks, &wanted.among) {
            (Some(marks), Some(among)) => Some(marks.and(among)),
            (marks, among) => marks.or_else(|| among.clone()),
        })
    }

    /// Whether a row counts, falls into the bounds and is among the marked ones.
    pub(super) fn admits(&self, row: &Row, bounds: &Bounds, marks: Option<&Bits>, known_at: u64) -> bool {
        let is_marked = marks.is_none_or(|marks| marks.has(row.seq));
        is_marked && bounds.admit(row.span()) && self.counts(row.seq, known_at)
    }

    fn select(&self, wanted: &Wanted<'_>, marks: Option<&Bits>) -> Result<Vec<Hit>, Trouble> {
        let (bounds, known_at) = (Bounds::of(wanted), wanted.known_at.0);
        let timeline = wanted.question.timeline.as_str();
        let hit = |row: &Row| Hit { seq: Seq(row.seq), place: Seq(row.place) };
        let mut sources = self.sources(timeline, &bounds, known_at);
        let rows: usize = sources.iter().map(Source::most).sum();
        if let Some(marks) = marks.filter(|marks| marks.count().saturating_mul(ONE_BY_ONE) < rows) {
            let seqs: Vec<u64> = marks.all().filter(|seq| self.counts(*seq, known_at)).collect();
            let mut found = self.rows(&seqs)?;
            found.retain(|(row, own)| own == timeline && row.dates.is_some() && bounds.admit(row.span()));
            found.sort_unstable_by_key(|(row, _)| row.list_key());
            found.truncate(wanted.most);
            return Ok(found.iter().map(|(row, _)| hit(row)).collect());
        }
        let admit = |row: &Row| self.admits(row, &bounds, marks, known_at);
        let mut heap: BinaryHeap<Reverse<(ListKey, usize)>> = BinaryHeap::with_capacity(sources.len());
        for (index, source) in sources.iter_mut().enumerate() {
            heap.extend(source.advance(admit)?.map(|row| Reverse((row.list_key(), index))));
        }
        let mut hits = Vec::new();
        while hits.len() < wanted.most
            && let Some(Reverse((_, index))) = heap.pop()
        {
            let source = &mut sources[index];
            hits.extend(source.head.as_ref().map(|item| hit(&item.row)));
            heap.extend(source.advance(admit)?.map(|row| Reverse((row.list_key(), index))));
        }
        Ok(hits)
    }

    /// Where rows that may be admitted stand, each source in the order of lists.
    pub(super) fn sources(&self, timeline: &str, bounds: &Bounds, known_at: u64) -> Vec<Source<'_>> {
        let mut sources = Vec::new();
        for (run, number) in self.of_timeline(timeline).filter(|(run, _)| run.first.0 <= known_at) {
            sources.extend((0..CLASSES).map(|class| Source::of(run, number, class, bounds)));
        }
        sources.retain(|source| source.blocks.len() > 0);
        let number = self.recent.timeline(timeline);
        let own = self.recent.rows.iter().filter(|row| Some(row.timeline) == number && row.dates.is_some());
        let mut rows: Vec<ByDate> =
            own.map(|row| ByDate { row: *row, card: self.recent.cards.get(&row.seq).cloned() }).collect();
        rows.sort_unstable_by_key(|item| item.row.list_key());
        sources.push(Source {
            run: None,
            blocks: Vec::new().into_iter(),
            block: rows.into_iter(),
            head: None,
        });
        sources
    }
}

/// Rows in the order of lists: one class of a run, or what the log holds behind the last run.
#[derive(Debug)]
pub struct Source<'a> {
    run: Option<(&'a Run, u32, u8)>,
    blocks: std::vec::IntoIter<u64>,
    block: std::vec::IntoIter<ByDate>,
    /// The row that was given last.
    pub head: Option<ByDate>,
}

impl<'a> Source<'a> {
    fn of(run: &'a Run, timeline: u32, class: u8, bounds: &Bounds) -> Self {
        let begin = (class, timeline, false, Moment::NEG_INFINITY);
        let until = (class, timeline, false, bounds.last_start());
        let undated = (class, timeline, true, Moment::NEG_INFINITY);
        let nexts = run.by_date.iter().skip(1).map(|(reach, _)| Some(reach.first)).chain([None]);
        let blocks = run.by_date.iter().zip(nexts).filter(|((reach, _), next)| {
            let is_over = next.is_some_and(|next| next < begin);
            let has_dated = reach.first <= until && reach.latest >= bounds.first_end();
            let has_undated = reach.first <= undated && next.is_none_or(|next| next >= undated);
            !is_over && (has_dated || has_undated)
        });
        let blocks: Vec<u64> = blocks.map(|((_, at), _)| *at).collect();
        Self {
            run: Some((run, timeline, class)),
            blocks: blocks.into_iter(),
            block: Vec::new().into_iter(),
            head: None,
        }
    }

    /// How many rows it has at most, or nearly.
    fn most(&self) -> usize {
        self.blocks.len() * ONE_BY_ONE + self.block.len()
    }

    /// Goes on to the next row that is admitted.
    pub fn advance(&mut self, admit: impl Fn(&Row) -> bool) -> Result<Option<&Row>, Trouble> {
        loop {
            for item in self.block.by_ref() {
                let row = &item.row;
                let is_own =
                    self.run.is_none_or(|(_, number, class)| row.timeline == number && row.class() == class);
                if is_own && admit(row) {
                    return Ok(Some(&self.head.insert(item).row));
                }
            }
            let (Some((run, ..)), Some(at)) = (self.run, self.blocks.next()) else {
                self.head = None;
                return Ok(None);
            };
            self.block = run.block(at)?.into_iter();
        }
    }
}
