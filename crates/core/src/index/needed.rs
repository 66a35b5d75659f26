//! What the answers for many attributes need, written down one behind the other until the ids of events are read.
//!
//! Most attributes of a whole state have one claim that decides, and nothing that their dates leave open: for these
//! no event is made and nothing is folded. The fold says what all others come to.

use std::ops::Range;

use annals_model::answers::Answer;
use annals_model::fold::{Claim, apply};
use annals_model::reduce::{Deed, Kind, Needed, Sketch};
use annals_model::{Event, Number, Question, Seq};

use super::bits::{Bits, Ranks};
use super::entry;
use super::fact::{Alone, Dates, Text};
use super::ids::Id;
use super::rows::{Row, Rows, claim};

/// What the answers for some attributes need, in the order of their names.
#[derive(Debug, Default)]
pub struct Part {
    pub(super) attributes: Vec<Attribute>,
    keys: Vec<u8>,
    claims: Vec<Wanted>,
    texts: Vec<u8>,
}

/// An attribute.
#[derive(Debug)]
pub struct Attribute {
    key: Range<usize>,
    claims: Range<usize>,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// The only claim decides, whatever the dates leave open.
    Sure,
    /// The fold decides.
    Open,
    /// The same, and it may find claims that do not fit what stands.
    Clashing,
}

/// A claim that an answer needs.
#[derive(Debug)]
struct Wanted {
    sketch: Sketch,
    seq: Seq,
    sum: Option<Number>,
    text: Range<usize>,
}

/// The ids of events by their records.
pub struct Ids {
    ranks: Ranks,
    ids: Vec<Id>,
}

impl Ids {
    /// The ids of a set of records, in their order.
    pub fn new(records: Bits, ids: Vec<Id>) -> Self {
        Self { ranks: Ranks::new(records), ids }
    }

    fn of(&self, seq: Seq) -> Option<&Id> {
        self.ids.get(self.ranks.of(seq.0)?)
    }
}

impl Part {
    /// Writes down what the answer for an attribute needs; `may_clash` says that its claims may not fit what stands.
    pub fn push(
        &mut self,
        key: &[u8],
        needed: &[Needed<(&Rows, &Row)>],
        question: &Question,
        may_clash: bool,
    ) {
        let start = self.claims.len();
        let form = match deciding(needed, question).filter(|_| !may_clash) {
            Some(Deciding::Nothing) => return,
            Some(Deciding::Claim(item, sum)) => {
                self.want(item, sum);
                Form::Sure
            }
            None => {
                for (item, sum) in needed {
                    self.want(*item, *sum);
                }
                if may_clash { Form::Clashing } else { Form::Open }
            }
        };
        let key_start = self.keys.len();
        self.keys.extend(key);
        let (key, claims) = (key_start..self.keys.len(), start..self.claims.len());
        self.attributes.push(Attribute { key, claims, form });
    }

    fn want(&mut self, (rows, row): (&Rows, &Row), sum: Option<Number>) {
        let start = self.texts.len();
        self.texts.extend(rows.text(row).bytes());
        let text = start..self.texts.len();
        self.claims.push(Wanted { sketch: row.sketch, seq: row.seq, sum, text });
    }

    /// The records of which the ids are needed.
    pub fn records(&self) -> impl Iterator<Item = Seq> {
        self.claims.iter().map(|claim| claim.seq)
    }

    /// The key of an attribute.
    pub fn key(&self, attribute: &Attribute) -> &[u8] {
        &self.keys[attribute.key.clone()]
    }

    fn text(&self, wanted: &Wanted) -> Text<'_> {
        Text::new(&self.texts[wanted.text.clone()])
    }

    /// The answer for an attribute; nothing where a text cannot be read.
    pub fn answer(
        &self,
        attribute: &Attribute,
        question: &Question,
        ids: &Ids,
        dates: &mut Dates,
    ) -> Option<Answer> {
        let wanted = &self.claims[attribute.claims.clone()];
        if let (Form::Sure, [one]) = (attribute.form, wanted) {
            let (id, text) = (ids.of(one.seq)?.event()?, self.text(one));
            let mut value = None;
            apply(&mut value, &text.change(one.sketch.deed, one.sum)?);
            return Some(Answer::sure(value?, id, text.date(dates).ok()?));
        }
        // Only clashes are told with the attribute's name.
        let (entity, name) = match attribute.form {
            Form::Clashing => entry::names(self.key(attribute))?,
            Form::Sure | Form::Open => ("", ""),
        };
        let event = |one: &Wanted| {
            let id = ids.of(one.seq)?.event()?;
            let alone = Alone { id, entity, attribute: name, sketch: &one.sketch, sum: one.sum };
            alone.event(self.text(one), dates)
        };
        let events: Vec<Event> = wanted.iter().map(event).collect::<Option<_>>()?;
        let claims: Vec<Claim<'_>> =
            wanted.iter().zip(&events).map(|(one, event)| claim(&one.sketch, one.seq, event)).collect();
        Some(Answer::of(question, &claims))
    }
}

/// What stands for sure.
enum Deciding<T> {
    Nothing,
    /// What this claim makes of nothing, with a number that stands for others, too.
    Claim(T, Option<Number>),
}

/// What decides for sure, if that is told from the claims that are needed without a fold: the only one, which surely
/// holds, or the last of increases that all surely happened.
fn deciding<'a>(
    needed: &[Needed<(&'a Rows, &'a Row)>],
    question: &Question,
) -> Option<Deciding<(&'a Rows, &'a Row)>> {
    match needed {
        [] => Some(Deciding::Nothing),
        [((rows, row), sum)] if row.sketch.surely_holds(question) => match row.sketch.deed {
            Deed::Replace(Kind::Nothing) | Deed::Remove(_) => Some(Deciding::Nothing),
            _ => Some(Deciding::Claim((rows, row), *sum)),
        },
        // What stands for others surely holds, and where there is nothing else there is nothing but increases.
        [(_, Some(first)), (last, Some(sum))] => {
            first.checked_add(*sum).map(|total| Deciding::Claim(*last, Some(total)))
        }
        _ => None,
    }
}
