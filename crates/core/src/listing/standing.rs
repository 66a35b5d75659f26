//! The first reading: which records are superseded, and where the events of revisions stand.

use annals_model::{Op, RecordedAt, Seq, TimelineName};

use crate::codec::frame::Unpacker;
use crate::codec::heads::heads;
use crate::codec::leaf::op_of;
use crate::log::Log;
use crate::{Damage, Result, scan};

/// What the headers say.
#[derive(Debug, Default)]
pub struct Standings {
    /// A bit for each record: whether a later one took its place.
    superseded: Vec<u64>,
    /// Each record of the timeline that took another one's place, in order, with the place of its event.
    places: Vec<(Seq, Seq)>,
    /// When the timeline's last record was recorded.
    pub updated: Option<RecordedAt>,
    /// Whether an event of the timeline was redacted.
    pub has_redactions: bool,
}

impl Standings {
    /// Reads the headers of the records up to `to`.
    pub fn read(log: &impl Log, timeline: &TimelineName, to: Seq) -> Result<Self> {
        let mut standings = Self::default();
        let mut unpacker = Unpacker::new()?;
        scan::each_frame(log, Seq(1), to, |packed, wanted| {
            let section = packed.heads(&mut unpacker)?;
            let mut next = packed.first();
            for head in heads(&section) {
                let seq = next;
                next = seq.next();
                let head = head.map_err(|what| Damage::of(seq, packed.last(), what))?;
                if !wanted.contains(&seq) || head.timeline != timeline.as_str() {
                    continue;
                }
                if head.previous != 0 {
                    standings.supersede(Seq(head.previous), seq);
                }
                standings.has_redactions |= op_of(head.op) == Some(Op::Redact);
                standings.updated = Some(RecordedAt::from_micros(head.recorded_at));
            }
            if next != packed.last().next() {
                return Err(Damage::of(next, packed.last(), "missing from the log").into());
            }
            Ok(())
        })?;
        Ok(standings)
    }

    fn supersede(&mut self, previous: Seq, seq: Seq) {
        let (word, bit) = position(previous);
        if self.superseded.len() <= word {
            self.superseded.resize(word + 1, 0);
        }
        if let Some(word) = self.superseded.get_mut(word) {
            *word |= bit;
        }
        self.places.push((seq, self.place(previous)));
    }

    /// Whether a later record took the place of this one.
    pub fn is_superseded(&self, seq: Seq) -> bool {
        let (word, bit) = position(seq);
        self.superseded.get(word).is_some_and(|word| word & bit != 0)
    }

    /// The place in the log of the event that a record is of.
    pub fn place(&self, seq: Seq) -> Seq {
        let found = self.places.binary_search_by_key(&seq, |(seq, _)| *seq);
        found.ok().and_then(|at| self.places.get(at)).map_or(seq, |(_, place)| *place)
    }
}

fn position(seq: Seq) -> (usize, u64) {
    (usize::try_from(seq.0 / 64).unwrap_or(usize::MAX), 1 << (seq.0 % 64))
}
