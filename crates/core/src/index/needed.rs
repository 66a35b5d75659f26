//! What the answers for many attributes need, written down one behind the other until the ids of events are read.
//!
//! Most attributes of a whole state have one claim that decides, and nothing that their dates leave open: for these
//! no event is made and nothing is folded. The fold says what all others come to.

use std::borrow::Cow;
use std::ops::Range;

use annals_model::answers::{Answer, Witness};
use annals_model::fold::{Said, stand};
use annals_model::reduce::{Needed, Sketch};
use annals_model::settled::{applied, settle};
use annals_model::{Change, EventId, Number, Question, Seq, Value};

use super::between::Name;
use super::entry;
use super::fact::Text;
use super::ids::Id;
use super::readings::Readings;
use super::rows::{Row, Rows};
use super::run::{Unusable, broken};
use crate::bits::{Bits, Ranks};

/// What the answers for some attributes need, in the order of their names.
#[derive(Debug, Default)]
pub struct Part {
    attributes: Vec<Attribute>,
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
    /// The claims, one after the other, say what stands, and the dates leave nothing open.
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

/// What a part needs of an attribute.
pub type Wanting<'a> = (&'a Part, &'a Attribute);

/// What both sides of a comparison need of one attribute.
pub type Pair<'a> = [Option<Wanting<'a>>; 2];

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
        mut needed: Vec<Needed<(&Rows, &Row)>>,
        question: &Question,
        may_clash: bool,
    ) {
        if needed.is_empty() {
            return;
        }
        let form = if may_clash {
            Form::Clashing
        } else if settle(question, &mut needed, |(_, row)| &row.sketch) {
            Form::Sure
        } else {
            Form::Open
        };
        let (key_start, start) = (self.keys.len(), self.claims.len());
        for (item, sum) in needed {
            self.want(item, sum);
        }
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

    /// All attributes, in the order of their names.
    pub fn all(&self) -> impl Iterator<Item = Wanting<'_>> {
        self.attributes.iter().map(move |own| (self, own))
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

    fn change(&self, wanted: &Wanted, readings: &mut Readings) -> Option<Change> {
        readings.change(self.text(wanted), wanted.sketch.deed, wanted.sum)
    }

    /// The value of an attribute alone.
    fn value(
        &self,
        attribute: &Attribute,
        question: &Question,
        nobody: &EventId,
        readings: &mut Readings,
    ) -> Result<Option<Value>, Unusable> {
        let wanted = &self.claims[attribute.claims.clone()];
        let changes = wanted.iter().map(|one| self.change(one, readings));
        if attribute.form == Form::Sure {
            let found = applied(changes.map(|change| Some((change?, ()))));
            return Ok(found.ok_or_else(broken)?.map(|(value, ())| value));
        }
        let changes: Vec<Change> = changes.collect::<Option<_>>().ok_or_else(broken)?;
        let said = wanted.iter().zip(&changes).map(|(one, change)| one.sketch.said(nobody, change));
        let stood = stand(&said.collect::<Vec<_>>(), question.as_of.until(), question.certainty);
        Ok(stood.value.map(Cow::into_owned))
    }

    /// The answer for an attribute; nothing where a text cannot be read.
    pub fn answer(
        &self,
        attribute: &Attribute,
        question: &Question,
        ids: &Ids,
        readings: &mut Readings,
    ) -> Option<Answer> {
        let wanted = &self.claims[attribute.claims.clone()];
        if attribute.form == Form::Sure {
            let changes = wanted.iter().map(|one| Some((self.change(one, readings)?, one)));
            let Some((value, by)) = applied(changes)? else { return Some(Answer::default()) };
            let date = readings.date(self.text(by)).ok()?;
            return Some(Answer::sure(value, ids.of(by.seq)?.event()?, date));
        }
        // Only clashes are told with the attribute's name.
        let (entity, name) = match attribute.form {
            Form::Clashing => entry::names(self.key(attribute))?,
            Form::Sure | Form::Open => ("", ""),
        };
        let read = |one: &Wanted| Some((ids.of(one.seq)?.event()?, self.change(one, readings)?));
        let read: Vec<(EventId, Change)> = wanted.iter().map(read).collect::<Option<_>>()?;
        let read_of = wanted.iter().zip(&read);
        let said: Vec<Said<'_>> = read_of.map(|(one, (id, change))| one.sketch.said(id, change)).collect();
        let witness = |index: usize| {
            let date = readings.date(self.text(&wanted[index])).ok()?;
            Some(Witness { seq: wanted[index].seq, date, sources: Vec::new() })
        };
        Answer::told(&said, (entity, name), (question.as_of.until(), question.certainty), witness)
    }
}

/// The names of an attribute, if it has not the same value on both sides.
pub fn differing(
    pair: &Pair<'_>,
    questions: [&Question; 2],
    nobody: &EventId,
    readings: &mut Readings,
) -> Result<Option<Name>, Unusable> {
    if are_alike(pair, questions) {
        return Ok(None);
    }
    let mut value = |side: usize| {
        pair[side].map(|(part, own)| part.value(own, questions[side], nobody, readings)).transpose()
    };
    if value(0)?.flatten() == value(1)?.flatten() {
        return Ok(None);
    }
    let key = pair.iter().flatten().next().map(|(part, own)| part.key(own));
    let (entity, attribute) = key.and_then(entry::names).ok_or_else(broken)?;
    Ok(Some((entity.to_owned(), attribute.to_owned())))
}

/// Whether both sides need the very same claims, which come to the same on both.
fn are_alike(pair: &Pair<'_>, [from, to]: [&Question; 2]) -> bool {
    let [Some((from_part, own)), Some((to_part, other))] = pair else { return false };
    let is_same_question = from.as_of == to.as_of && own.form == other.form;
    let are_sure = own.form == Form::Sure && other.form == Form::Sure;
    let key = |one: &Wanted| (one.seq, one.sketch.position, one.sketch.span, one.sum);
    let (own, other) = (&from_part.claims[own.claims.clone()], &to_part.claims[other.claims.clone()]);
    (are_sure || is_same_question) && own.iter().map(key).eq(other.iter().map(key))
}
