//! A column map that has been fitted to one file: what happens with each cell of a row.
//!
//! What no rule has used in a row is kept in `extra`, under the columns' names and in their order: columns without
//! a rule, cells that the event has no room for, and the names of an effect that is left out. Every error of a row
//! says which target it is about and which columns fed it.

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
    /// Which columns only repeat what another one says.
    is_derived: Vec<bool>,
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
        let is_derived = (0..names.len()).map(|index| header.is_derived(index)).collect();
        Ok(Self { rules: bound, names, is_derived, raw })
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

    /// Keeps in `extra` what no rule has used in this row.
    fn keep_rest(&self, cells: &[&str], left: &[Field], draft: &mut Draft) -> Result<(), Invalid> {
        let mut is_used = self.is_derived.clone();
        let mut texts = Vec::new();
        for rule in &self.rules {
            if let Some(field) = rule.target.field().filter(|field| left.contains(field)) {
                if rule.filling.only_column().is_none() {
                    texts.push((field.name(), rule.filling.fill(cells)));
                }
                continue;
            }
            rule.used(cells).for_each(|index| is_used[index] = true);
        }
        let columns = cells.iter().zip(&self.names).zip(&is_used).filter(|(_, is_used)| !**is_used);
        let kept = columns.map(|((cell, name), _)| (name.as_str(), cell.trim()));
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
        self.filling.columns().chain(self.naming_columns())
    }

    /// The columns whose cells are in the event: an effect that is left out has not used those of its name.
    fn used(&self, cells: &[&str]) -> impl Iterator<Item = usize> {
        let is_left_out = self.filling.fill(cells).trim().is_empty();
        self.filling.columns().chain(self.naming_columns().filter(move |_| !is_left_out))
    }

    fn naming_columns(&self) -> impl Iterator<Item = usize> {
        let named = match &self.target {
            Target::Effect { effect, .. } => Some(effect.columns()),
            Target::Field(_) => None,
        };
        named.into_iter().flatten()
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
