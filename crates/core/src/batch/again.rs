//! What a batch finds to be in the log already: entries that come once more, and an import that is run again.

use annals_model::{Op, Record, Seq};

use super::Batch;
use super::resume::Long;
use crate::Result;
use crate::ahead::Key;
use crate::log::{EventEntry, Log};

/// Records of one event behind which an import remembers all of them.
const MANY: usize = 32;

impl<L: Log + ?Sized> Batch<'_, L> {
    /// Whether a record was in the log before the import began.
    pub(super) fn was_there(&self, seq: Seq) -> bool {
        self.resume.as_ref().is_some_and(|resume| seq <= resume.start())
    }

    /// The record that makes a revision or a retraction needless: one that an earlier run of the same import
    /// wrote, or the event's last one. `print` is the fingerprint of what has to stand; that of a retraction is none,
    /// since it has only to be one.
    pub(super) fn again(
        &mut self,
        key: &Key,
        entry: EventEntry,
        same: impl Fn(&Record) -> bool,
        print: Option<u8>,
        stands: impl Fn(&Record) -> bool,
    ) -> Result<Option<Seq>> {
        if self.resume.is_some() {
            let (come_to, found) = self.since(key, entry, same)?;
            if let Some(seq) = come_to
                && self.may_hold(seq, print)
                && stands(&self.read(seq)?.record)
            {
                return Ok(come_to);
            }
            if found.is_some() {
                return Ok(found);
            }
        }
        let stand = match print {
            Some(_) => self.may_hold(entry.last, print) && stands(&self.read(entry.last)?.record),
            None => entry.last_op == Op::Retract,
        };
        Ok(stand.then_some(entry.last))
    }

    /// The event's last record that the import has come to, and the first behind it that fits of those that were
    /// there when it began.
    fn since(
        &mut self,
        key: &Key,
        entry: EventEntry,
        fits: impl Fn(&Record) -> bool,
    ) -> Result<(Option<Seq>, Option<Seq>)> {
        let (mut found, mut passed) = (None, Vec::new());
        let mut next = Some(entry.last);
        // Going backwards, the last one found is the first that fits.
        while let Some(seq) = next {
            if self.has_come_to(seq) {
                return Ok((next, found));
            }
            let was_there = self.was_there(seq);
            if was_there && let Some(long) = self.long(key, &mut passed, seq)? {
                return self.since_of(key, long, fits);
            }
            let (stored, before) = self.read_back(seq)?;
            if was_there && fits(&stored.record) {
                found = Some(seq);
            }
            next = before;
            passed.extend(was_there.then_some(seq));
        }
        Ok((None, found))
    }

    /// The same of an event of many records, which are looked at from the first one on.
    fn since_of(
        &mut self,
        key: &Key,
        long: Long,
        fits: impl Fn(&Record) -> bool,
    ) -> Result<(Option<Seq>, Option<Seq>)> {
        let mut found = None;
        for seq in long.ahead() {
            if fits(&self.read(*seq)?.record) {
                found = Some(*seq);
                break;
            }
        }
        let come_to = long.come_to();
        if let Some(resume) = &mut self.resume {
            resume.put_long(key, long);
        }
        Ok((come_to, found))
    }

    /// What is known of an event of many records; `passed` are those that were gone back through, `seq` the next.
    fn long(&mut self, key: &Key, passed: &mut Vec<Seq>, seq: Seq) -> Result<Option<Long>> {
        let known = self.resume.as_mut().and_then(|resume| resume.take_long(key));
        if known.is_some() || passed.len() < MANY {
            return Ok(known);
        }
        let (mut records, mut next) = (std::mem::take(passed), Some(seq));
        while let Some(seq) = next {
            records.push(seq);
            next = self.read_back(seq)?.1;
        }
        records.reverse();
        let behind = records.iter().rposition(|seq| self.has_come_to(*seq)).map_or(0, |last| last + 1);
        Ok(Some(Long::new(records, behind)))
    }

    /// The first of the event's records that fits; what fits has this fingerprint.
    pub(super) fn find(
        &mut self,
        key: &Key,
        entry: EventEntry,
        print: Option<u8>,
        fits: impl Fn(&Record) -> bool,
    ) -> Result<Option<Seq>> {
        // Mostly it is the event's first one.
        if self.may_hold(entry.first, print) && fits(&self.read(entry.first)?.record) {
            return Ok(Some(entry.first));
        }
        let is_changed = self.events.contains_key(key);
        // The log's own records are older.
        let in_log = if is_changed { self.ground.event(key)? } else { Some(entry) };
        let (mut found, mut next) = (None, in_log.map(|entry| entry.last));
        // Going backwards, the last one found is the first that fits.
        while let Some(seq) = next {
            let (stored, before) = self.read_back(seq)?;
            if fits(&stored.record) {
                found = Some(seq);
            }
            next = before;
        }
        if found.is_some() || !is_changed {
            return Ok(found);
        }
        let own = self.repeated.get(key).map_or(std::slice::from_ref(&entry.last), Vec::as_slice);
        let alike: Vec<Seq> = own.iter().copied().filter(|seq| self.may_hold(*seq, print)).collect();
        for seq in alike {
            if fits(&self.read(seq)?.record) {
                return Ok(Some(seq));
            }
        }
        Ok(None)
    }

    /// Whether the import has come to a record: an entry was found as it, or recorded as it.
    fn has_come_to(&self, seq: Seq) -> bool {
        self.own_print(seq).is_some() || self.resume.as_ref().is_some_and(|resume| resume.has_found(seq))
    }

    /// The fingerprint of a record that the import wrote.
    fn own_print(&self, seq: Seq) -> Option<u8> {
        let earlier = || self.resume.as_ref().and_then(|resume| resume.print(seq));
        self.carried.prints.of(seq).or_else(earlier)
    }

    /// Whether a record can hold what has this fingerprint; only of what the import has come to more is known.
    fn may_hold(&self, seq: Seq, print: Option<u8>) -> bool {
        match self.own_print(seq) {
            Some(own) => print.is_none_or(|print| own == print),
            None => self.resume.as_ref().is_none_or(|resume| resume.may_hold(seq, print)),
        }
    }
}
