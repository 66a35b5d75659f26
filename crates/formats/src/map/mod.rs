//! The column map: which column of a table becomes which part of an event.
//!
//! A map is a list of rules, each a target and what fills it. It is written on the command line, one rule a text
//! (`title=NAME`, `kind:=earthquake`, `title="{PLACE}, {YEAR}"`), or in a TOML file with the tables `[map]` and
//! `[literal]`. What a rule says is settled here and in `target` and `template`; `header` and `plan` fit the rules
//! to one file, `draft` makes an event of each of its rows.

mod dates;
mod draft;
mod header;
mod number;
mod place;
mod plan;
mod target;
mod template;
mod toml_file;

pub use self::plan::{Plan, reworded};
use self::target::Target;
use self::template::Template;
use crate::text::shown;
use annals_model::Invalid;

/// Which column of a table becomes which part of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnMap {
    rules: Vec<Rule<String>>,
}

/// A target and what fills it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule<C> {
    target: Target<C>,
    filling: Template<C>,
}

impl ColumnMap {
    /// Reads rules as the command line gives them.
    pub fn parse<'a>(rules: impl IntoIterator<Item = &'a str>) -> Result<Self, Invalid> {
        let mut map = Self::default();
        for rule in rules {
            map.add(rule)?;
        }
        Ok(map)
    }

    /// Reads a file of rules.
    pub fn from_toml(text: &str) -> Result<Self, Invalid> {
        let mut map = Self::default();
        map.add_toml(text)?;
        Ok(map)
    }

    /// Adds one rule: `TARGET=COLUMN`, `TARGET={COLUMN} and {COLUMN}` or `TARGET:=text`.
    pub fn add(&mut self, rule: &str) -> Result<(), Invalid> {
        let (target, source) = rule.split_once('=').ok_or_else(|| {
            Invalid::new(format!("`{}` is no rule of a column map", shown(rule)))
                .with_hint("as in title=NAME, kind:=earthquake or \"title={PLACE}, {YEAR}\"")
        })?;
        match target.strip_suffix(':') {
            Some(target) => self.add_rule(target, Template::text(source)),
            None => self.add_rule(target, Template::source(source)?),
        }
    }

    /// Adds the rules of a file.
    pub fn add_toml(&mut self, text: &str) -> Result<(), Invalid> {
        toml_file::read(text, |target, filling| self.add_rule(target, filling))
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The names of all targets, for the help.
    pub fn targets() -> Vec<&'static str> {
        Target::names().collect()
    }

    fn add_rule(&mut self, target: &str, filling: Template<String>) -> Result<(), Invalid> {
        let target = Target::parse(target.trim())?;
        if !target.is_repeatable() && self.rules.iter().any(|rule| rule.target == target) {
            return Err(Invalid::new(format!("`{target}` is mapped twice")));
        }
        self.rules.push(Rule { target, filling });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(rule: &str) -> String {
        let error = ColumnMap::parse([rule]).unwrap_err();
        format!("{error} ({})", error.hint().unwrap_or("no hint"))
    }

    #[test]
    fn a_bad_rule_is_answered_with_the_way_to_write_it() {
        assert_eq!(refused("titel=NAME"), "`titel` is no target of a column map (did you mean `title`?)");
        assert_eq!(
            refused("title"),
            "`title` is no rule of a column map (as in title=NAME, kind:=earthquake or \"title={PLACE}, {YEAR}\")"
        );
        assert_eq!(
            refused("incraese:a.b=C"),
            "`incraese:a.b` is no target of a column map (did you mean `increase:`?)"
        );
        assert_eq!(refused("set:deaths=C"), "`set:deaths` names no attribute (as in set:cholera.deaths)");
        assert_eq!(
            refused("title={A"),
            "`{A` has a brace that is never closed (write `{{` for a brace itself)"
        );
        assert_eq!(refused("title={}"), "`{}` has a brace without a column (write `{{` for a brace itself)");
        let twice = ColumnMap::parse(["title=A", "title:=B"]).unwrap_err();
        assert_eq!(twice.to_string(), "`title` is mapped twice");
        assert!(ColumnMap::parse(["actor=A", "actor=B", "increase:x.y=A", "increase:x.y=B"]).is_ok());
    }

    #[test]
    fn a_file_says_the_same_as_the_command_line() {
        let file = ColumnMap::from_toml(
            "[map]\ntitle = \"{PLACE}, {YEAR}\"\n\"set:q/{ID}.deaths\" = \"DEATHS\"\nactor = [\"A\", \"B\"]\n\n[literal]\nkind = \"quake\"\nconfidence = 90\n",
        );
        let line = ColumnMap::parse([
            "title={PLACE}, {YEAR}",
            "set:q/{ID}.deaths=DEATHS",
            "actor=A",
            "actor=B",
            "kind:=quake",
            "confidence:=90",
        ]);
        assert_eq!(file.unwrap(), line.unwrap());
    }
}
