//! The events that conflicts tell of: which these are is known at the end, and then they are told by their records.

use std::collections::BTreeMap;

use super::Mention;
use crate::{Event, Seq, Source};

/// An event, as far as conflicts tell of it.
#[derive(Clone, Debug)]
pub struct Witness {
    pub event: Mention,
    /// Where it says that it comes from; only of events that contest a value.
    pub sources: Vec<Source>,
}

/// Events by their records.
#[derive(Debug, Default)]
pub struct Witnesses(BTreeMap<Seq, Wanted>);

#[derive(Debug, Default)]
struct Wanted {
    with_sources: bool,
    /// How often it is asked for.
    times: usize,
    told: Option<Witness>,
}

impl Witnesses {
    /// Asks for the event of a record once more.
    pub fn want(&mut self, seq: Seq, with_sources: bool) {
        let wanted = self.0.entry(seq).or_default();
        wanted.with_sources |= with_sources;
        wanted.times += 1;
    }

    /// The records whose events are asked for, in order.
    pub fn wanted(&self) -> impl Iterator<Item = Seq> {
        self.0.keys().copied()
    }

    /// Tells the event of a record, if it was asked for.
    pub fn tell(&mut self, seq: Seq, event: &Event) {
        if let Some(wanted) = self.0.get_mut(&seq) {
            let sources = if wanted.with_sources { event.sources.clone() } else { Vec::new() };
            wanted.told = Some(Witness { event: Mention::of(seq, event), sources });
        }
    }

    /// An event that was asked for and told; the last time it is given away.
    pub fn take(&mut self, seq: Seq) -> Option<Witness> {
        let wanted = self.0.get_mut(&seq)?;
        wanted.times = wanted.times.saturating_sub(1);
        if wanted.times > 0 { wanted.told.clone() } else { self.0.remove(&seq)?.told }
    }
}
