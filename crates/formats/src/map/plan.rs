//! A column map that has been fitted to one file: what happens with each cell of a row.
//!
//! Columns that no rule takes are kept in `extra`, under their names and in their order, and so is what a rule took
//! but the event has no room for. Every error of a row says which target it is about and which columns fed it.

use std::borrow::Cow;

use annals_model::Invalid;
use annals_model::line::Line;

use super::draft::Draft;
use super::header::{self, Header};
use super::target::{Field, Target};
use super::{ColumnMap, Rule};
use crate::cell;
use crate::text::shown;

/// What happens with each cell of a row.
pub struct Plan {
    rules: Vec<Rule<usize>>,
    /// The columns' names as they go into `extra`.
    names: Vec<String>,
    /// The columns that no rule takes.
    rest: Vec<usize>,
    raw: bool,
}

impl Plan {
    /// Fits a map to a header; without a map, columns go by their names.
    pub fn bind(map: Option<&ColumnMap>, header: &[&str], raw: bool) -> Result<Self, Invalid> {
        let header = Header::new(header);
        let rules = map.map_or_else(|| Cow::Owned(header.automatic()), |map| Cow::Borrowed(&map.rules));
        header::check(&rules, map.is_none())?;
        let bound: Vec<Rule<usize>> =
            rules.iter().map(|rule| rule.bind(&header)).collect::<Result<_, _>>()?;
        let names = header.unique_names();
        let is_free = |index: &usize| {
            !header.is_derived(*index) && !bound.iter().any(|rule| rule.columns().any(|c| c == *index))
        };
        let rest = (0..names.len()).filter(is_free).collect();
        Ok(Self { rules: bound, names, rest, raw })
    }

    /// How many cells a row has.
    pub fn width(&self) -> usize {
        self.names.len()
    }

    /// The event of a row.
    pub fn line(&self, cells: &[&str]) -> Result<Line, Invalid> {
        let cells: Vec<&str> =
            if self.raw { cells.to_vec() } else { cells.iter().map(|text| cell::unguard(text)).collect() };
        let mut draft = Draft::new()?;
        for rule in &self.rules {
            rule.put(&cells, &mut draft).map_err(|error| self.blame(rule, &error))?;
        }
        let left = draft.settle().map_err(|error| self.locate(&error))?;
        self.keep_rest(&cells, &left, &mut draft)?;
        draft.line().map_err(|error| self.locate(&error))
    }

    fn keep_rest(&self, cells: &[&str], left: &[Field], draft: &mut Draft) -> Result<(), Invalid> {
        let mut columns = self.rest.clone();
        let mut texts = Vec::new();
        for rule in &self.rules {
            let Some(field) = rule.target.field().filter(|field| left.contains(field)) else { continue };
            match rule.filling.only_column() {
                Some(index) => columns.push(index),
                None => texts.push((field.name(), rule.filling.fill(cells))),
            }
        }
        columns.sort_unstable();
        let cell = |index: &usize| cells.get(*index).map_or("", |cell| cell.trim());
        let kept = columns.iter().map(|index| (self.names[*index].as_str(), cell(index)));
        let texts = texts.iter().map(|(name, text)| (*name, text.trim()));
        draft.keep(kept.chain(texts).filter(|(_, text)| !text.is_empty()))
    }

    /// An error of one rule, with its target as the path and its columns.
    fn blame(&self, rule: &Rule<usize>, error: &Invalid) -> Invalid {
        let named = self.in_columns(error, rule.columns(), &rule.target.to_string());
        // An error of a JSON cell begins with the field already: `effects[0].value`.
        if error.path().starts_with(rule.target.head()) { named } else { named.under(&rule.target) }
    }

    /// An error about a part of the event, with the columns that fed it.
    fn locate(&self, error: &Invalid) -> Invalid {
        let head = error.path().split(['.', '[']).next().unwrap_or_default();
        let feeds = self.rules.iter().filter(|rule| rule.target.head() == head);
        self.in_columns(error, feeds.flat_map(Rule::columns), head)
    }

    /// The error with the columns in its message, unless the only one is called like the field itself.
    fn in_columns(&self, error: &Invalid, columns: impl Iterator<Item = usize>, field: &str) -> Invalid {
        let mut names: Vec<&str> = columns.map(|index| self.names[index].as_str()).collect();
        names.dedup();
        if names.is_empty() || names == [field] {
            return error.clone();
        }
        let word = if names.len() == 1 { "column" } else { "columns" };
        let names: Vec<String> = names.into_iter().map(|name| format!("`{}`", shown(name))).collect();
        reworded(error, &format!("{} ({word} {})", error.message(), names.join(", ")))
    }
}

impl Rule<String> {
    fn bind(&self, header: &Header) -> Result<Rule<usize>, Invalid> {
        let find = |name: &str| header.find(name);
        let bound =
            self.target.bind(find).and_then(|target| Ok(Rule { target, filling: self.filling.bind(find)? }));
        bound.map_err(|error| error.under(&self.target))
    }
}

impl Rule<usize> {
    fn put(&self, cells: &[&str], draft: &mut Draft) -> Result<(), Invalid> {
        let text = self.filling.fill(cells);
        match &self.target {
            Target::Field(field) => draft.put(*field, &text),
            Target::Effect { effect, .. } => {
                draft.effect(effect.op, &effect.entity.fill(cells), &effect.attribute.fill(cells), &text)
            }
        }
    }

    fn columns(&self) -> impl Iterator<Item = usize> {
        let named = match &self.target {
            Target::Effect { effect, .. } => Some(effect.columns()),
            Target::Field(_) => None,
        };
        self.filling.columns().chain(named.into_iter().flatten())
    }
}

/// The same error with another message.
pub fn reworded(error: &Invalid, message: &str) -> Invalid {
    let mut invalid = Invalid::new(message);
    if let Some(hint) = error.hint() {
        invalid = invalid.with_hint(hint);
    }
    if error.path().is_empty() { invalid } else { invalid.under(error.path()) }
}
