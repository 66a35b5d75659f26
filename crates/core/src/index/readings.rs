//! What was read of texts before. Most values and dates of a whole state come in many of its answers, which then share
//! their text.

use annals_model::reduce::Deed;
use annals_model::{Change, Date, Number};

use super::fact::{Dates, Text, change_without_text};
use crate::codec::v1;
use crate::quick::QuickMap;

/// Days, and changes, that are kept.
const MOST: usize = 4096;
/// Longer changes are not kept.
const LONGEST: usize = 64;

/// Dates and changes that were read.
#[derive(Debug, Default)]
pub struct Readings {
    dates: Dates,
    plain: QuickMap<(u8, i64), Date>,
    changes: QuickMap<Box<[u8]>, Change>,
}

impl Readings {
    /// The date of a text, or that there is none; an error where it cannot be read.
    pub fn date(&mut self, text: Text<'_>) -> Result<Option<Date>, ()> {
        let Some(plain) = text.plain_date() else { return text.date(&mut self.dates) };
        if let Some(date) = self.plain.get(&plain) {
            return Ok(Some(date.clone()));
        }
        let date = text.date(&mut self.dates)?;
        if self.plain.len() < MOST {
            self.plain.extend(date.clone().map(|date| (plain, date)));
        }
        Ok(date)
    }

    /// The change of a claim that does this, or a sum in its place; nothing where it cannot be read.
    pub fn change(&mut self, text: Text<'_>, deed: Deed, sum: Option<Number>) -> Option<Change> {
        if let Some(change) = change_without_text(deed, sum) {
            return Some(change);
        }
        let bytes = text.change_bytes()?;
        if let Some(change) = self.changes.get(bytes) {
            return Some(change.clone());
        }
        let change = v1::decode_change(bytes).ok()?;
        if self.changes.len() < MOST && bytes.len() <= LONGEST {
            self.changes.insert(bytes.into(), change.clone());
        }
        Some(change)
    }
}
