//! Terms: what events are filtered by, in lower case, and the sets of records that have them.

use annals_model::{Filter, TimelineName};

use super::file::{Run, Unusable};
use super::item::Term;
use super::stretch::Stretch;
use crate::bits::Bits;
use crate::codec::v1::Labels;

const KIND: u8 = b'k';
const ACTOR: u8 = b'a';
const PLACE: u8 = b'p';
const TAG: u8 = b't';

/// Stands behind a timeline's name, which cannot hold it.
const SEPARATOR: u8 = 0;

/// Calls `visit` with the key of every term of an event.
pub fn of(timeline: &str, labels: &Labels<'_>, mut visit: impl FnMut(&[u8])) {
    let fields: [(u8, &mut dyn Iterator<Item = &str>); 4] = [
        (KIND, &mut labels.kind.into_iter()),
        (ACTOR, &mut labels.actors.iter().copied()),
        (PLACE, &mut labels.place.into_iter()),
        (TAG, &mut labels.tags.iter().copied()),
    ];
    for (field, texts) in fields {
        texts.for_each(|text| visit(&key(timeline, field, text)));
    }
}

fn key(timeline: &str, field: u8, text: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(timeline.len() + text.len() + 2);
    key.extend(timeline.as_bytes());
    key.extend([SEPARATOR, field]);
    // Most texts are plain, and have no letter that becomes several.
    if text.is_ascii() {
        key.extend(text.bytes().map(|byte| byte.to_ascii_lowercase()));
    } else {
        key.extend(text.to_lowercase().as_bytes());
    }
    key
}

/// What one field of a filter asks for.
struct Asked {
    /// What the keys of the field begin with.
    prefix: Vec<u8>,
    /// In lower case; any of them will do.
    texts: Vec<Vec<u8>>,
    /// Whether a part of a text will do.
    in_part: bool,
}

impl Asked {
    /// What a filter asks of terms, field by field.
    fn all(timeline: &TimelineName, filter: &Filter) -> Vec<Self> {
        let fields = [
            (KIND, &filter.kind, false),
            (ACTOR, &filter.actor, true),
            (PLACE, &filter.place, true),
            (TAG, &filter.tag, false),
        ];
        let fields = fields.into_iter().filter(|(_, texts, _)| !texts.is_empty());
        let asked = fields.map(|(field, texts, in_part)| Self {
            prefix: key(timeline.as_str(), field, ""),
            texts: texts.iter().map(|text| text.to_lowercase().into_bytes()).collect(),
            in_part,
        });
        asked.collect()
    }

    fn admits(&self, key: &[u8]) -> bool {
        let Some(own) = key.strip_prefix(self.prefix.as_slice()) else { return false };
        let holds = |text: &Vec<u8>| text.is_empty() || own.windows(text.len()).any(|part| part == text);
        self.texts.iter().any(|text| if self.in_part { holds(text) } else { own == text })
    }

    /// Whether a block may have such a term, by its first key and the first one behind it.
    fn may_be_within(&self, first: &[u8], next: Option<&[u8]>) -> bool {
        let may_hold = |prefix: &[u8], is_exact: bool| {
            let begins_before =
                if is_exact { first <= prefix } else { first <= prefix || first.starts_with(prefix) };
            begins_before && next.is_none_or(|next| next >= prefix)
        };
        if self.in_part {
            return may_hold(&self.prefix, false);
        }
        self.texts.iter().any(|text| may_hold(&[self.prefix.as_slice(), text].concat(), true))
    }

    fn mark(&self, run: &Run, marks: &mut Bits) -> Result<(), Unusable> {
        for (index, (first, at)) in run.terms.iter().enumerate() {
            let next = run.terms.get(index + 1).map(|(next, _)| next.as_slice());
            if self.may_be_within(first, next) {
                for Term { key, seqs } in run.block(*at)? {
                    if self.admits(&key) {
                        marks.extend(&seqs);
                    }
                }
            }
        }
        Ok(())
    }
}

/// The records that have what a filter asks of terms, and maybe others beyond `end`; nothing where it asks for none.
pub fn marked(
    (timeline, filter, end): (&TimelineName, &Filter, u64),
    runs: &[Run],
    recent: &Stretch,
) -> Result<Option<Bits>, Unusable> {
    let mut all: Option<Bits> = None;
    for asked in Asked::all(timeline, filter) {
        let mut marks = Bits::default();
        for run in runs.iter().filter(|run| run.first.0 <= end) {
            asked.mark(run, &mut marks)?;
        }
        for (key, seqs) in &recent.terms {
            if asked.admits(key) {
                marks.extend(seqs);
            }
        }
        all = Some(all.map_or_else(|| marks.clone(), |all| all.and(&marks)));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_found_whole_or_in_part_and_in_any_case() {
        let timeline = TimelineName::new("main").unwrap();
        let one = |filter: Filter| Asked::all(&timeline, &filter).remove(0);
        let kind = one(Filter { kind: vec!["Ruling".to_owned()], ..Filter::default() });
        assert!(kind.admits(&key("main", KIND, "RULING")) && !kind.admits(&key("main", KIND, "rulings")));
        assert!(!kind.admits(&key("main", TAG, "ruling")) && !kind.admits(&key("mainz", KIND, "ruling")));
        let actor = one(Filter { actor: vec!["élan".to_owned()], ..Filter::default() });
        assert!(
            actor.admits(&key("main", ACTOR, "The ÉLAN group")) && !actor.admits(&key("main", ACTOR, "elan"))
        );
        let (before, own, behind) =
            (key("main", ACTOR, "z"), key("main", KIND, "ruling"), key("main", KIND, "s"));
        assert!(kind.may_be_within(&before, Some(&behind)) && kind.may_be_within(&own, None));
        assert!(
            !kind.may_be_within(&behind, None) && !kind.may_be_within(&before, Some(&key("main", KIND, "a")))
        );
    }
}
