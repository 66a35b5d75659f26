//! What contradicts itself, in memory that does not grow with the events.
//!
//! The events that are asked about go by once, in the order of lists ([`listing`](crate::listing)). What they say of
//! attributes ([`said`]) and of each other ([`links`]), and what is compared of those with wide dates ([`wide`]), is
//! sorted beside the store, too, and goes by after that. The search names what it finds by records, and only these are read again. [`Conflicts::find`] over all that is known stays the
//! plain way, and the two are held against each other.

mod links;
mod past;
mod said;
mod wide;

use annals_model::conflicts::{Answer, Conflicts, Search};
use annals_model::relative::is_relative;
use annals_model::{Event, Question, Seq};

use self::links::Links;
use self::past::Past;
use self::said::Claims;
use self::wide::Wide;
use crate::listing::Room;
use crate::log::Log;
use crate::store::Store;
use crate::{Damage, Error, Result, scan, threads};

/// Records that are read at once to tell their events.
const AT_ONCE: usize = 1_024;

impl<L: Log> Store<L> {
    /// What contradicts itself in a timeline. Of each kind no more than the first ones are told, at most so many.
    ///
    /// What events say, links and wide dates take a quarter each of the room that the events themselves do.
    pub fn conflicts(&self, question: &Question, most: usize, room: Room<'_>) -> Result<Conflicts> {
        let is_wanted = |event: &Event| Search::looks_at(question, event);
        let is_all = question.filter.is_empty() && question.entities.is_empty();
        let select: Option<&(dyn Fn(&Event) -> bool + Sync)> = if is_all { None } else { Some(&is_wanted) };
        let listing = self.listing(&question.timeline, question.known_at, select, room)?;
        let to = listing.position().seq;
        let mut search = Search::new(most);
        let (mut claims, mut links) = (Claims::new(question, room), Links::new(to, room));
        let mut wide = Wide::new(room);
        let mut past = Past::new(self, &question.timeline, to);
        listing.each(|listed| {
            let counted = listed.counted();
            if let Some(candidate) = search.see(&counted) {
                wide.take(counted.event.happenings(), &candidate)?;
            }
            claims.take(counted)?;
            links.take(counted)?;
            if is_relative(counted.event) {
                search.relate(&counted, past.of(counted.event)?);
            }
            Ok::<_, Error>(())
        })?;
        let position = listing.position();
        links.find_others(self, question, is_all.then_some(&listing))?;
        drop(listing);
        wide.tell(&mut search)?;
        claims.tell(&mut search)?;
        links.tell(self, question, &mut search)?;
        let mut answer = search.finish();
        self.tell(&mut answer)?;
        Ok(answer.conflicts(question, position))
    }

    /// Reads the events that were found.
    fn tell(&self, answer: &mut Answer) -> Result<()> {
        for wanted in answer.wanted().chunks(AT_ONCE) {
            let read = |wanted: &[Seq]| {
                let mut events = Vec::with_capacity(wanted.len());
                scan::some(self.log(), wanted.iter().copied(), |stored| {
                    events.push(stored.record);
                    Ok(())
                })?;
                Ok::<_, Error>(events)
            };
            for record in threads::map_chunks(wanted, read)? {
                let event = record.content.event();
                let event = event.ok_or_else(|| Damage::of(record.seq, record.seq, "is no event"))?;
                answer.tell(record.seq, event);
            }
        }
        Ok(())
    }
}
