//! Links, sorted by the events that they lead to, and these events among them.
//!
//! ```text
//! hash of the id u64 | length u16 | id
//!   | 0 | date                                                        an event that counts
//!   | 1 | place u64 | position u32 | seq u64 | four moments i64 | relation    a link to it
//! ```
//!
//! Big-endian. An event comes before the links that lead to it. Of few links the others are looked up one by one; of
//! many, all events that may be meant are taken from a listing.

use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::ops::ControlFlow;

use annals_model::conflicts::{LinkAt, Search};
use annals_model::date::{Range, Span};
use annals_model::fold::Counted;
use annals_model::{Date, Event, EventId, Link, Moment, Question, Seq};

use crate::bits::Bits;
use crate::index::bytes::Input;
use crate::listing::{Listing, Room};
use crate::log::Log;
use crate::quick::Quick;
use crate::runs::Sorter;
use crate::store::Store;
use crate::{Damage, Error, Result};

/// Others that are looked up one by one at most.
const FEW: usize = 256;
/// Bits of the set of others for each record.
const BITS: u64 = 8;

const OTHER: u8 = 0;
const LINK: u8 = 1;

/// All links, and where they lead to.
pub struct Links {
    hash: Quick,
    sorter: Sorter<8>,
    /// The others, as long as they are few.
    few: Option<BTreeSet<EventId>>,
    /// A bit for each of the others, which several events may share.
    others: Bits,
    bits: u64,
    to: Seq,
}

impl Links {
    /// Links of events that were recorded up to a record.
    pub fn new(to: Seq, room: Room<'_>) -> Self {
        Self {
            hash: Quick::default(),
            sorter: Sorter::new(room.bytes / 4, room.directory),
            few: Some(BTreeSet::new()),
            others: Bits::default(),
            bits: (BITS * to.0).max(1),
            to,
        }
    }

    /// Takes the links of an event.
    pub fn take(&mut self, counted: Counted<'_>) -> Result<()> {
        for LinkAt { place, seq, position, span, link: Link { rel, to } } in LinkAt::of(counted) {
            self.others.set(self.hash.hash_one(to.as_str()) % self.bits);
            self.push(&to, |out| {
                out.push(LINK);
                out.extend(place.0.to_be_bytes());
                // It is limited to far less where events are recorded.
                out.extend(u32::try_from(position).unwrap_or(u32::MAX).to_be_bytes());
                out.extend(seq.0.to_be_bytes());
                for moment in [span.start.earliest, span.start.latest, span.end.earliest, span.end.latest] {
                    out.extend(moment.seconds().to_be_bytes());
                }
                out.extend(rel.as_bytes());
            })?;
            if let Some(few) = &mut self.few {
                few.insert(to);
            }
            self.few.take_if(|few| few.len() > FEW);
        }
        Ok(())
    }

    /// Takes the events that count and that links lead to; `all` is a listing of all events, if there is one.
    pub fn find_others<L: Log>(
        &mut self,
        store: &Store<L>,
        question: &Question,
        all: Option<&Listing>,
    ) -> Result<()> {
        if let Some(few) = self.few.take() {
            for id in few {
                if let Some(event) = store.counting(&question.timeline, &id, self.to)? {
                    self.take_other(&event)?;
                }
            }
            return Ok(());
        }
        let take = |links: &mut Self, listing: &Listing| {
            listing.each(|listed| {
                if links.may_lead_to(&listed.event) { links.take_other(&listed.event) } else { Ok(()) }
            })
        };
        if let Some(all) = all {
            return take(self, all);
        }
        let is_wanted = |event: &Event| self.may_lead_to(event);
        // What was asked about stands beside the store; so may what it has links to.
        let room = Room { bytes: self.sorter.room(), directory: self.sorter.directory() };
        let listing = store.listing(&question.timeline, question.known_at, Some(&is_wanted), room)?;
        take(self, &listing)
    }

    fn may_lead_to(&self, event: &Event) -> bool {
        self.others.has(self.hash.hash_one(event.id.as_str()) % self.bits)
    }

    fn take_other(&mut self, event: &Event) -> Result<()> {
        self.push(&event.id, |out| {
            out.push(OTHER);
            out.extend(event.date.as_ref().map_or("", Date::as_str).as_bytes());
        })
    }

    fn push(&mut self, id: &EventId, write: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        self.sorter.push(self.hash.hash_one(id.as_str()).to_be_bytes(), |out| {
            // It is limited to far less where events are recorded.
            out.extend(u16::try_from(id.as_str().len()).unwrap_or(u16::MAX).to_be_bytes());
            out.extend(id.as_str().as_bytes());
            write(out);
        })
    }

    /// Tells a search where each link leads to.
    pub fn tell<L: Log>(self, store: &Store<L>, question: &Question, search: &mut Search) -> Result<()> {
        let to = self.to;
        let mut other = Other::default();
        self.sorter.finish().each(|entry| {
            match read(entry).ok_or_else(|| unfit("is cut short"))?.map_err(|what| unfit(&what))? {
                Entry::Other(id, date) => other = Other { id: id.to_owned(), stands: Stands::Counts(date) },
                Entry::Link(link) => {
                    if other.id != link.link.to.as_str() {
                        let entry = store.log().event(&question.timeline, &link.link.to)?;
                        let was_recorded = entry.is_some_and(|entry| entry.first <= to);
                        other = Other { id: link.link.to.to_string(), stands: Stands::Gone { was_recorded } };
                    }
                    match &other.stands {
                        Stands::Counts(date) => search.follow(link, date.as_ref()),
                        Stands::Gone { was_recorded } => search.miss(link, *was_recorded),
                    }
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    }
}

/// The event that links lead to.
#[derive(Default)]
struct Other {
    id: String,
    stands: Stands,
}

enum Stands {
    /// It counts, and has this date.
    Counts(Option<Date>),
    /// It does not count.
    Gone { was_recorded: bool },
}

impl Default for Stands {
    fn default() -> Self {
        Self::Gone { was_recorded: false }
    }
}

/// What an entry says.
enum Entry<'a> {
    Other(&'a str, Option<Date>),
    Link(LinkAt),
}

fn unfit(what: &str) -> Error {
    Damage::new(format!("a sorted link {what}")).into()
}

fn read(entry: &[u8]) -> Option<Result<Entry<'_>, String>> {
    let mut input = Input(entry);
    input.take(8)?;
    let length = usize::try_from(input.fixed(2)?).ok()?;
    let id = std::str::from_utf8(input.take(length)?).ok()?;
    if input.byte()? == OTHER {
        let date = std::str::from_utf8(input.0).ok()?;
        let date = (!date.is_empty()).then(|| Date::parse(date).map_err(|e| e.to_string()));
        return Some(date.transpose().map(|date| Entry::Other(id, date)));
    }
    let (place, position, seq) = (Seq(input.fixed(8)?), input.fixed(4)?, Seq(input.fixed(8)?));
    let mut range = || {
        let mut moment = || Some(Moment::from_seconds(input.fixed(8)?.cast_signed()));
        Some(Range { earliest: moment()?, latest: moment()? })
    };
    let span = Span { start: range()?, end: range()? };
    let rel = std::str::from_utf8(input.0).ok()?.to_owned();
    let position = usize::try_from(position).ok()?;
    let link = |to| LinkAt { place, seq, position, span, link: Link { rel, to } };
    Some(EventId::new(id).map(|to| Entry::Link(link(to))).map_err(|e| e.to_string()))
}
