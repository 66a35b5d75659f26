//! The names that a timeline's events have, for whoever mistyped one.
//!
//! They are read from headers and claims without making events of them: an error must not take the memory that the
//! whole log would.

use std::collections::BTreeSet;

use annals_model::{KnownAt, Op, Seq, TimelineName};

use crate::codec::heads;
use crate::codec::leaf::op_number;
use crate::codec::v1::{self, Seal};
use crate::listing::Standings;
use crate::log::Log;
use crate::store::Store;
use crate::{Damage, Result, scan};

impl<L: Log> Store<L> {
    /// The entities that the events which count at a moment of the record axis change.
    pub fn entities(&self, timeline: &TimelineName, known_at: KnownAt) -> Result<BTreeSet<String>> {
        let end = self.last_known(known_at)?;
        let standings = Standings::read(self.log(), timeline, end)?;
        let mut entities = BTreeSet::new();
        scan::each_without_details(self.log(), Seq(1), end, |raw| {
            let is_event = [Op::Append, Op::Revise].map(op_number).contains(&raw.head.op)
                && matches!(raw.head.seal, Seal::Salt(_));
            if !is_event || raw.head.timeline != timeline.as_str() || standings.is_superseded(raw.seq) {
                return Ok(());
            }
            let damaged = |what| Damage::of(raw.seq, raw.seq, what);
            let (_, effects) = v1::glance(raw.claims).map_err(damaged)?;
            for effect in effects {
                let effect = effect.map_err(damaged)?;
                if !entities.contains(effect.entity) {
                    entities.insert(effect.entity.to_owned());
                }
            }
            Ok(())
        })?;
        Ok(entities)
    }

    /// The ids of a timeline's events that some of the last records are of.
    pub fn recent_ids(&self, timeline: &TimelineName, records: u64) -> Result<BTreeSet<String>> {
        let end = self.log().head()?.seq();
        let first = Seq(end.0.saturating_sub(records) + 1);
        let mut ids = BTreeSet::new();
        for stored in self.log().frames(first) {
            let (first, bytes) = stored?;
            let events = heads::events(first, &bytes)?.into_iter();
            ids.extend(events.filter(|event| event.timeline == timeline.as_str()).map(|event| event.id));
        }
        Ok(ids)
    }
}
