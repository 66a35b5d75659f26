//! The events of a timeline in the order of a list, however many there are, in memory that does not grow with them.
//!
//! The log is read twice. The first time only headers are looked at, to know which records are superseded and where
//! the event of a revision stands ([`standing`]): a bit a record, and some bytes a revision. The second time the
//! records that count are read by several threads, each with its own share of the room; a share that is full is
//! sorted and written to a file as a run ([`gather`], [`runs`](crate::runs)). Then the log is not needed any more: the runs are
//! merged as often as somebody wants the events ([`merge`]). What fits into the room is never written.
//!
//! It gives what [`Store::known`] gives, sorted; that stays the plain way, and the two are held against each other.

mod gather;
mod key;
mod merge;
mod standing;

use std::path::Path;

use annals_model::fold::Counted;
use annals_model::{Event, KnownAt, Position, RecordedAt, Seq, TimelineName};

use self::key::LENGTH;
pub(crate) use self::standing::Standings;
use crate::log::Log;
use crate::runs::Runs;
use crate::store::Store;
use crate::{Error, Result};

/// The room that a listing may take.
#[derive(Clone, Copy, Debug)]
pub struct Room<'a> {
    /// Bytes of events that are kept in memory.
    pub bytes: usize,
    /// Where the rest goes: to a file without a name, which is gone with the listing.
    pub directory: &'a Path,
}

/// The events that were chosen.
#[derive(Debug)]
pub struct Listing {
    position: Position,
    updated: Option<RecordedAt>,
    has_redactions: bool,
    known: u64,
    runs: Runs<LENGTH>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its place in the log: the `seq` of its first record.
    pub place: Seq,
    /// The record of the version that counts.
    pub seq: Seq,
    /// The event's record before that one.
    pub previous: Option<Seq>,
    /// When that version was recorded.
    pub recorded_at: RecordedAt,
    /// Who recorded it.
    pub recorded_by: String,
    /// That version.
    pub event: Event,
}

/// Which events are wanted; all of them where nothing is said.
pub type Select<'a> = Option<&'a (dyn Fn(&Event) -> bool + Sync)>;

impl Listed {
    /// The event as the fold takes it.
    pub const fn counted(&self) -> Counted<'_> {
        Counted { place: self.place, seq: self.seq, event: &self.event }
    }
}

impl<L: Log> Store<L> {
    /// The events of a timeline that count at a moment of the record axis and are wanted, in the order of a list.
    pub fn listing(
        &self,
        timeline: &TimelineName,
        known_at: KnownAt,
        select: Select<'_>,
        room: Room<'_>,
    ) -> Result<Listing> {
        self.require(timeline)?;
        let position = self.position(known_at)?;
        let standings = Standings::read(self.log(), timeline, position.seq)?;
        let wanted = gather::Wanted { timeline, to: position.seq, standings: &standings, select };
        let (runs, known) = gather::gather(self.log(), &wanted, room)?;
        let Standings { updated, has_redactions, .. } = standings;
        Ok(Listing { position, updated, has_redactions, known, runs })
    }
}

impl Listing {
    /// The last record that counts.
    pub const fn position(&self) -> Position {
        self.position
    }

    /// When the timeline's last record that counts was recorded.
    pub const fn updated(&self) -> Option<RecordedAt> {
        self.updated
    }

    /// Whether an event of the timeline was redacted by then.
    pub const fn has_redactions(&self) -> bool {
        self.has_redactions
    }

    /// How many events count, wanted or not.
    pub const fn known(&self) -> u64 {
        self.known
    }

    /// How many runs had to be written to a file.
    pub fn spilled(&self) -> usize {
        self.runs.spilled()
    }

    /// Calls `visit` with each event, in the order of a list.
    pub fn each<E: From<Error>>(&self, visit: impl FnMut(&Listed) -> Result<(), E>) -> Result<(), E> {
        merge::each(&self.runs, visit)
    }
}
