//! Events with wide dates, sorted as they are compared with each other to find duplicates.
//!
//! ```text
//! hash of the happenings u64 | how many they are u32 | four moments i64 each
//!   | numbers of the title | 0 | its words | 0 | place u64
//!   | seq u64 | bits u64 | id | location | actors | entities | links
//! ```
//!
//! Big-endian. The words of titles are made of nothing that is as small as the byte that stands behind them. What follows
//! the bits are byte strings behind their lengths, and lists of them behind theirs; a location has a byte before it that
//! says whether there is one.

use std::hash::BuildHasher;
use std::ops::ControlFlow;

use annals_model::conflicts::{Candidate, Search, Title};
use annals_model::date::{Range, Span};
use annals_model::{EventId, Moment, Seq};

use crate::index::bytes::{Input, put_bytes, put_number};
use crate::listing::Room;
use crate::quick::Quick;
use crate::runs::Sorter;
use crate::{Damage, Error, Result};

/// Stands behind words, which are made of letters and digits.
const SEPARATOR: u8 = 0;

/// All events with wide dates.
pub struct Wide {
    hash: Quick,
    sorter: Sorter<8>,
}

impl Wide {
    pub fn new(room: Room<'_>) -> Self {
        Self { hash: Quick::default(), sorter: Sorter::new(room.bytes / 4, room.directory) }
    }

    /// Takes an event.
    pub fn take(&mut self, happenings: &[Span], candidate: &Candidate) -> Result<()> {
        self.sorter.push(self.hash.hash_one(happenings).to_be_bytes(), |out| {
            // A date has a thousand of them at most.
            out.extend(u32::try_from(happenings.len()).unwrap_or(u32::MAX).to_be_bytes());
            for Span { start, end } in happenings {
                for moment in [start.earliest, start.latest, end.earliest, end.latest] {
                    out.extend(moment.seconds().to_be_bytes());
                }
            }
            put(out, candidate);
        })
    }

    /// Has a search compare all of them.
    pub fn tell(self, search: &mut Search) -> Result<()> {
        let mut happenings = Vec::new();
        self.sorter.finish().each(|entry| {
            let unfit = |what: &str| Error::from(Damage::new(format!("a sorted event {what}")));
            let candidate = read(entry, &mut happenings).ok_or_else(|| unfit("is cut short"))?;
            search.compare(&happenings, candidate);
            Ok(ControlFlow::Continue(()))
        })
    }
}

fn put(out: &mut Vec<u8>, candidate: &Candidate) {
    let Candidate { place, seq, title, bits, id, location, actors, entities, links, .. } = candidate;
    for words in [&title.numbers, &title.words] {
        out.extend(words.as_bytes());
        out.push(SEPARATOR);
    }
    for number in [place.0, seq.0, *bits] {
        out.extend(number.to_be_bytes());
    }
    put_bytes(out, id.as_str().as_bytes());
    out.push(u8::from(location.is_some()));
    put_bytes(out, location.as_deref().unwrap_or_default().as_bytes());
    for names in [actors, entities] {
        put_number(out, names.len() as u64);
        names.iter().for_each(|name| put_bytes(out, name.as_bytes()));
    }
    put_number(out, links.len() as u64);
    links.iter().for_each(|link| put_bytes(out, link.as_str().as_bytes()));
}

fn read(entry: &[u8], happenings: &mut Vec<Span>) -> Option<Candidate> {
    let mut input = Input(entry.get(8..)?);
    happenings.clear();
    for _ in 0..input.fixed(4)? {
        let mut moment = || Some(Moment::from_seconds(input.fixed(8)?.cast_signed()));
        let mut range = || Some(Range { earliest: moment()?, latest: moment()? });
        happenings.push(Span { start: range()?, end: range()? });
    }
    let mut words = || {
        let length = input.0.iter().position(|byte| *byte == SEPARATOR)?;
        let words = std::str::from_utf8(input.take(length)?).ok()?;
        input.byte()?;
        Some(Box::from(words))
    };
    let title = Title { numbers: words()?, words: words()? };
    let [place, seq, bits] = [input.fixed(8)?, input.fixed(8)?, input.fixed(8)?];
    let id = EventId::new(text(&mut input)?).ok()?;
    let (has_location, location) = (input.byte()? != 0, text(&mut input)?);
    let mut names = || {
        let count = input.number()?;
        (0..count).map(|_| text(&mut input).map(Box::from)).collect::<Option<Box<[Box<str>]>>>()
    };
    let (actors, entities) = (names()?, names()?);
    let count = input.number()?;
    let links = (0..count).map(|_| EventId::new(text(&mut input)?).ok()).collect::<Option<_>>()?;
    Some(Candidate {
        place: Seq(place),
        seq: Seq(seq),
        title,
        bits,
        // Only dates with the same happenings are compared.
        span: Span::UNDATED,
        id,
        location: has_location.then(|| location.into()),
        actors,
        entities,
        links,
    })
}

fn text<'a>(input: &mut Input<'a>) -> Option<&'a str> {
    std::str::from_utf8(input.bytes()?).ok()
}
