//! A column map in a file: the table `[map]` names columns and templates, `[literal]` fixed texts.
//!
//! The rules come in the order in which they are written, since the order of effects has a meaning; the parser
//! keeps keys in alphabetical order, so their places in the text put them back.

use annals_model::{Invalid, suggest};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::template::Template;
use crate::text::shown;

type Entry<'t, 'i> = (&'t Spanned<DeString<'i>>, &'t Spanned<DeValue<'i>>);

/// Reads a file and hands each rule to `add`.
pub fn read(
    text: &str,
    mut add: impl FnMut(&str, Template<String>) -> Result<(), Invalid>,
) -> Result<(), Invalid> {
    let document = DeTable::parse(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        Invalid::new(error.message().to_owned()).under(line(text, start))
    })?;
    for (name, value) in in_order(document.get_ref()) {
        let at = |invalid: Invalid| invalid.under(line(text, name.span().start));
        let DeValue::Table(table) = value.get_ref() else {
            return Err(at(Invalid::new(format!("`{}` is not a table", shown(name.get_ref())))
                .with_hint("rules stand under [map] and [literal]")));
        };
        let is_literal = match name.get_ref().as_ref() {
            "map" => false,
            "literal" => true,
            other => return Err(at(unknown_table(other))),
        };
        for (target, value) in in_order(table) {
            let at = |invalid: Invalid| invalid.under(line(text, target.span().start));
            for source in texts(value.get_ref()).map_err(at)? {
                let filling =
                    if is_literal { Template::text(source) } else { Template::source(source).map_err(at)? };
                add(target.get_ref(), filling).map_err(at)?;
            }
        }
    }
    Ok(())
}

fn in_order<'t, 'i>(table: &'t DeTable<'i>) -> Vec<Entry<'t, 'i>> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// The texts of a value: one, or a list of them for a target that may be filled several times.
fn texts<'t>(value: &'t DeValue<'_>) -> Result<Vec<&'t str>, Invalid> {
    match value {
        DeValue::Array(list) => list.iter().map(|entry| text(entry.get_ref())).collect(),
        one => Ok(vec![text(one)?]),
    }
}

fn text<'t>(value: &'t DeValue<'_>) -> Result<&'t str, Invalid> {
    match value {
        DeValue::String(text) => Ok(text),
        DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str()),
        DeValue::Float(number) => Ok(number.as_str()),
        DeValue::Boolean(true) => Ok("true"),
        DeValue::Boolean(false) => Ok("false"),
        _ => Err(Invalid::new("expected a text in quotes, or a list of them")
            .with_hint("a target with a dot or a colon stands in quotes: \"source.url\" = \"LINK\"")),
    }
}

fn unknown_table(name: &str) -> Invalid {
    let invalid = Invalid::new(format!("unknown table `{}`", shown(name)));
    match suggest::nearest(name, ["map", "literal"]) {
        Some(near) => invalid.with_hint(format!("did you mean [{near}]?")),
        None => invalid.with_hint("rules stand under [map] and [literal]"),
    }
}

fn line(text: &str, at: usize) -> String {
    let before = text.as_bytes().iter().take(at);
    format!("line {}", before.filter(|byte| **byte == b'\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::super::ColumnMap;

    #[test]
    fn faults_are_named_by_line() {
        let check = |text: &str, expect: &str| {
            let error = ColumnMap::from_toml(text).unwrap_err();
            assert_eq!(format!("{error} ({})", error.hint().unwrap_or("-")), expect);
        };
        check("\n[mpa]\n", "line 2: unknown table `mpa` (did you mean [map]?)");
        check("title = \"A\"", "line 1: `title` is not a table (rules stand under [map] and [literal])");
        check("[map]\ntitel = \"A\"", "line 2: `titel` is no target of a column map (did you mean `title`?)");
        check(
            "[map]\nsource.url = \"A\"",
            "line 2: expected a text in quotes, or a list of them (a target with a dot or a colon stands in quotes: \"source.url\" = \"LINK\")",
        );
        assert!(ColumnMap::from_toml("[map\n").unwrap_err().to_string().starts_with("line 1: "));
    }
}
