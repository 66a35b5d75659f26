//! The header row of a file: its columns by name, and the rules that follow from the names alone.

use std::collections::HashSet;

use annals_model::{Invalid, suggest};

use super::Rule;
use super::target::{Field, Target};
use super::template::Template;
use crate::cell;
use crate::text::shown;

/// Columns that an error lists; a table can have thousands.
const LISTED: usize = 60;

/// Which field means nothing without one of others.
const NEEDS: &[(Field, &[Field])] = &[
    (Field::Month, &[Field::Year, Field::HistoricalYear]),
    (Field::Day, &[Field::Month]),
    (Field::Hour, &[Field::Day]),
    (Field::Minute, &[Field::Hour]),
    (Field::Second, &[Field::Minute]),
    (Field::Start, &[Field::End]),
    (Field::End, &[Field::Start]),
    (Field::Lat, &[Field::Lon]),
    (Field::Lon, &[Field::Lat]),
];

/// The columns of a file.
pub struct Header {
    names: Vec<String>,
}

impl Header {
    pub fn new(cells: &[&str]) -> Self {
        Self { names: cells.iter().map(|cell| cell.trim().to_owned()).collect() }
    }

    /// The place of a column.
    pub fn find(&self, name: &str) -> Result<usize, Invalid> {
        let mut found = self.names.iter().enumerate().filter(|(_, own)| *own == name).map(|(index, _)| index);
        match (found.next(), found.next()) {
            (Some(index), None) => Ok(index),
            (Some(_), Some(_)) => Err(Invalid::new(format!("two columns are called `{}`", shown(name)))
                .with_hint("rename one of them")),
            (None, _) => {
                let near = suggest::nearest(name, self.names.iter().map(String::as_str));
                let near = near.map_or(String::new(), |near| format!("did you mean `{}`? ", shown(near)));
                Err(Invalid::new(format!("the file has no column `{}`", shown(name)))
                    .with_hint(format!("{near}its columns are {}", self.listed())))
            }
        }
    }

    /// The columns' names, made different where they are not, so that each can be a key of `extra`.
    pub fn unique_names(&self) -> Vec<String> {
        let mut taken = HashSet::new();
        let mut unique = Vec::with_capacity(self.names.len());
        for (index, own) in self.names.iter().enumerate() {
            let own = if own.is_empty() { format!("column {}", index + 1) } else { own.clone() };
            let mut name = own.clone();
            let mut count = 1;
            while !taken.insert(name.clone()) {
                count += 1;
                name = format!("{own} ({count})");
            }
            unique.push(name);
        }
        unique
    }

    /// Whether a column only repeats what the date says, in a table that we exported.
    pub fn is_derived(&self, index: usize) -> bool {
        let is_ours = cell::DERIVED.iter().all(|derived| self.names.iter().any(|name| name == derived));
        let name = self.names.get(index).map_or("", String::as_str);
        is_ours && cell::DERIVED.contains(&name) && self.names.iter().any(|name| name == "date")
    }

    /// The rules for a file without a map: a column that is called like a target fills it.
    ///
    /// Where names clash or stand alone, the clearer one wins and the other stays an ordinary column: `Day` beside
    /// `Date` may well be a weekday.
    pub fn automatic(&self) -> Vec<Rule<String>> {
        let mut rules: Vec<Rule<String>> = Vec::new();
        let exact = self.names.iter().filter_map(|name| Some((name, Target::parse(name).ok()?)));
        let in_any_case = self
            .names
            .iter()
            .filter_map(|name| Some((name, Target::Field(Field::named(&name.to_lowercase())?))));
        for (name, target) in exact.chain(in_any_case) {
            let filling = Template::column(name);
            let is_taken = rules.iter().any(|rule| rule.target == target || rule.filling == filling);
            if !is_taken {
                rules.push(Rule { target, filling });
            }
        }
        for (field, needed) in NEEDS {
            if !fills_any(&rules, needed) {
                rules.retain(|rule| rule.target.field() != Some(*field));
            }
        }
        let clearest = rules.iter().filter_map(|rule| date_way(rule.target.field()?)).min();
        rules.retain(|rule| rule.target.field().and_then(date_way).is_none_or(|way| Some(way) == clearest));
        rules
    }

    fn listed(&self) -> String {
        let mut names: Vec<String> = self.names.iter().take(LISTED).map(|name| shown(name)).collect();
        if self.names.len() > LISTED {
            names.push(format!("and {} more", self.names.len() - LISTED));
        }
        names.join(", ")
    }
}

/// Checks that rules give a title and one date.
pub fn check(rules: &[Rule<String>], is_automatic: bool) -> Result<(), Invalid> {
    if !fills_any(rules, &[Field::Title]) {
        return Err(if is_automatic {
            Invalid::new("the file has no column `title`")
                .with_hint("say which one it is: --map title=COLUMN")
        } else {
            Invalid::new("the map gives no title").with_hint("add a rule: title=COLUMN")
        });
    }
    for (field, needed) in NEEDS {
        if fills_any(rules, &[*field]) && !fills_any(rules, needed) {
            let needed: Vec<_> = needed.iter().map(|field| format!("`{}`", field.name())).collect();
            return Err(Invalid::new(format!(
                "the map has `{}` without {}",
                field.name(),
                needed.join(" or ")
            )));
        }
    }
    let mut ways = rules.iter().filter_map(|rule| Some((date_way(rule.target.field()?)?, &rule.target)));
    if let Some((way, first)) = ways.next()
        && let Some((_, other)) = ways.find(|(other, _)| *other != way)
    {
        return Err(Invalid::new(format!("the map gives the date twice, by `{first}` and by `{other}`")));
    }
    if fills_any(rules, &[Field::Year]) && fills_any(rules, &[Field::HistoricalYear]) {
        return Err(Invalid::new("the map gives the year twice, by `year` and by `historical-year`"));
    }
    Ok(())
}

fn fills_any(rules: &[Rule<String>], fields: &[Field]) -> bool {
    rules.iter().any(|rule| rule.target.field().is_some_and(|field| fields.contains(&field)))
}

/// The ways to give a date, the clearest first; only one of them can be used.
fn date_way(field: Field) -> Option<u8> {
    match field {
        Field::Date => Some(0),
        Field::Start | Field::End => Some(1),
        _ if field.head() == "date" => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn automatic(columns: &[&str], expect: &[&str]) {
        let rules = Header::new(columns).automatic();
        let found: Vec<_> = rules.iter().map(|rule| rule.target.to_string()).collect();
        assert_eq!(found, expect, "{columns:?}");
    }

    #[test]
    fn columns_go_by_their_names() {
        automatic(&["title", "date", "note"], &["title", "date"]);
        automatic(&["Title", "Date", "Day"], &["title", "date"]);
        automatic(&["title", "start", "year"], &["title", "year"]);
        automatic(&["title", "start", "end", "year"], &["title", "start", "end"]);
        automatic(&["title", "year", "day", "lat"], &["title", "year"]);
        automatic(&["title", "increase:cholera.deaths", "set:x"], &["title", "increase:cholera.deaths"]);
        automatic(&["Title", "title"], &["title"]);
    }

    #[test]
    fn names_that_clash_are_told_apart() {
        assert_eq!(Header::new(&["a", "", "a", ""]).unique_names(), ["a", "column 2", "a (2)", "column 4"]);
        let error = Header::new(&["a", "a"]).find("a").unwrap_err();
        assert_eq!(error.to_string(), "two columns are called `a`");
    }

    #[test]
    fn a_column_that_is_not_there_is_answered_with_the_nearest() {
        let error = Header::new(&["YEAR", "MONTH"]).find("MONHT").unwrap_err();
        assert_eq!(error.to_string(), "the file has no column `MONHT`");
        assert_eq!(error.hint(), Some("did you mean `MONTH`? its columns are YEAR, MONTH"));
    }
}
