//! What a projection is handed: one turn of one happening, with the event that claims it.
//!
//! A happening turns at most three times: it starts, it ends, and it stops going on. Here it is decided at which
//! moment of the date axis each of them takes hold and in which order they come; both are those of replay, which
//! [`effective_order`] has.

use std::fmt;

use annals_model::date::{Range, Span};
use annals_model::fold::{Counted, EffectiveOrder, effective_order};
use annals_model::{Certainty, Event, Moment, Seq};
use serde::de::DeserializeOwned;

use super::upcast::{PayloadError, Upcasters};

/// Which point of a happening is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Turn {
    /// It no longer goes on with the certainty that is asked: for `surely` it may have ended, for `possibly` it
    /// has surely ended. What holds *during* a happening is taken back here.
    Lapse,
    /// It started and ended at one moment, as far as its date tells: `2004`, `2023-07`, `[2017..2019]`, no date.
    Once,
    /// It started; the end of its interval is a turn of its own.
    Start,
    /// It ended.
    End,
}

/// One turn of one happening of an event that counts, as [`Projection::apply`] gets it.
///
/// Each member of a date such as `{2017,2019}` is a happening of its own.
///
/// [`Projection::apply`]: super::Projection::apply
#[derive(Clone, Copy, Debug)]
pub struct Happened<'a> {
    counted: Counted<'a>,
    span: Span,
    key: StepKey,
    certainty: Certainty,
}

/// A turn's place in effective order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StepKey {
    order: EffectiveOrder,
    place: Seq,
    member: usize,
    turn: Turn,
}

impl Turn {
    /// Whether the happening starts here: at [`Turn::Once`] and [`Turn::Start`].
    pub const fn starts(self) -> bool {
        matches!(self, Self::Once | Self::Start)
    }

    /// Whether the happening ends here: at [`Turn::Once`] and [`Turn::End`].
    pub const fn ends(self) -> bool {
        matches!(self, Self::Once | Self::End)
    }
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Lapse => "lapse",
            Self::Once => "once",
            Self::Start => "start",
            Self::End => "end",
        })
    }
}

impl<'a> Happened<'a> {
    pub(super) fn new(event: &'a Event, seq: Seq, key: StepKey, certainty: Certainty) -> Self {
        let counted = Counted { place: key.place, seq, event };
        let span = event.happenings().get(key.member).copied().unwrap_or(Span::UNDATED);
        Self { counted, span, key, certainty }
    }

    /// The event, in the version that counts.
    pub const fn event(&self) -> &'a Event {
        self.counted.event
    }

    /// The event's place in the log: the `seq` of its first record.
    pub const fn place(&self) -> Seq {
        self.counted.place
    }

    /// The record of the version that counts.
    pub const fn seq(&self) -> Seq {
        self.counted.seq
    }

    /// Which point of the happening is reached.
    pub const fn turn(&self) -> Turn {
        self.key.turn
    }

    /// Whether the happening starts here.
    pub const fn starts(&self) -> bool {
        self.key.turn.starts()
    }

    /// Whether the happening ends here.
    pub const fn ends(&self) -> bool {
        self.key.turn.ends()
    }

    /// The number of the happening among those of the event's date, from 0.
    pub const fn member(&self) -> usize {
        self.key.member
    }

    /// The four bounds of the happening.
    pub const fn span(&self) -> Span {
        self.span
    }

    /// The moment as of which the turn counts: the latest that the date allows for `surely`, the earliest for
    /// `possibly`.
    pub const fn moment(&self) -> Moment {
        self.key.moment()
    }

    /// Where the turn may lie: the bounds of the start or of the end.
    pub const fn bounds(&self) -> Range {
        match self.key.turn {
            Turn::Once | Turn::Start => self.span.start,
            Turn::End => self.span.end,
            Turn::Lapse => Range { earliest: self.moment(), latest: self.moment() },
        }
    }

    /// How sure it is that the turn has come.
    pub const fn certainty(&self) -> Certainty {
        self.certainty
    }

    /// Whether the happening goes on, with the certainty that is asked, at the moment of its start.
    ///
    /// Where it does, a [`Turn::Lapse`] follows once it no longer does, unless its end is open. Where it does not,
    /// there is never a moment at which it surely goes on: as with `2004`, which is one moment that nobody knows.
    pub fn lasts(&self) -> bool {
        lasts(self.span, self.certainty)
    }

    /// The program's own payload of the event, in its newest version; `None` where the event has none.
    ///
    /// # Errors
    ///
    /// A payload that cannot be read; the error names the event, the key and the version.
    pub fn payload<T: DeserializeOwned>(&self, upcasters: &Upcasters<T>) -> Result<Option<T>, PayloadError> {
        upcasters.read(self.event())
    }
}

impl StepKey {
    /// The moment as of which the step counts.
    pub(super) const fn moment(&self) -> Moment {
        self.order.0
    }
}

/// The steps of an event with these happenings, in no particular order; what never takes hold has none. Only an
/// interval has an end of its own.
pub(super) fn steps(
    happenings: &[Span],
    is_interval: bool,
    place: Seq,
    certainty: Certainty,
) -> impl Iterator<Item = StepKey> + '_ {
    happenings.iter().enumerate().flat_map(move |(member, span)| {
        let key = |span, turn| {
            let order = effective_order(span, turn == Turn::End, certainty);
            StepKey { order, place, member, turn }
        };
        let (start, end) = if is_interval { (Turn::Start, Some(Turn::End)) } else { (Turn::Once, None) };
        let turns = [
            Some(key(*span, start)),
            end.map(|end| key(*span, end)),
            lapse(*span, certainty).map(|at| key(Span::within(at), Turn::Lapse)),
        ];
        // Infinity is never reached, not even by a question that asks as of the end of time.
        turns.into_iter().flatten().filter(|key| key.moment() < Moment::INFINITY)
    })
}

/// The first second at which the happening no longer goes on; nothing where it never did or always will.
fn lapse(span: Span, certainty: Certainty) -> Option<Range> {
    let last = last_moment(span, certainty);
    let lapses = lasts(span, certainty) && last < Moment::INFINITY;
    lapses.then(|| Range { earliest: last.next(), latest: last.next() })
}

/// Whether there is a moment at which the happening goes on with this certainty.
fn lasts(span: Span, certainty: Certainty) -> bool {
    let (start, _) = effective_order(span, false, certainty);
    let last = last_moment(span, certainty);
    // What had no beginning and may have ended at any time goes on surely at no moment that can be asked about.
    start <= last && last > Moment::NEG_INFINITY
}

/// The last moment at which the happening goes on with this certainty.
const fn last_moment(span: Span, certainty: Certainty) -> Moment {
    match certainty {
        Certainty::Surely => span.end.earliest,
        Certainty::Possibly => span.end.latest,
    }
}
