//! What a cell of our own tables looks like, for the writer and the reader of them alike.
//!
//! A spreadsheet takes a text that begins with `=` for a formula and runs it. OWASP ASVS 1.2.10 wants such a
//! text guarded with an apostrophe, and so that nothing is lost by it the guard can be taken off again: a text
//! that already looks guarded gets one more. Dates, numbers and JSON need no guard, since they never begin so
//! or have to stay what they are.

use std::borrow::Cow;

/// The columns of an exported table, in order.
pub const COLUMNS: [&str; 21] = [
    "timeline",
    "id",
    "date",
    DERIVED[0],
    DERIVED[1],
    DERIVED[2],
    DERIVED[3],
    "kind",
    "title",
    "description",
    "actors",
    "place",
    "lat",
    "lon",
    "precision",
    "tags",
    "confidence",
    "sources",
    "effects",
    "links",
    "extra",
];

/// The columns that follow from the date; they are for reading only.
pub const DERIVED: [&str; 4] = ["start_earliest", "start_latest", "end_earliest", "end_latest"];

/// What stands between two names of one cell.
const BETWEEN: &str = "; ";

/// A text with an apostrophe in front where a spreadsheet would run it, or where the reader would take one off.
pub fn guard(text: &str) -> Cow<'_, str> {
    if needs_guard(text.trim_start_matches('\'')) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text as it was before [`guard`].
pub fn unguard(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if needs_guard(rest.trim_start_matches('\'')) => rest,
        _ => text,
    }
}

/// Formula signs, their full-width forms, which some spreadsheets take for the same, and control characters.
fn needs_guard(text: &str) -> bool {
    text.starts_with(|c: char| {
        matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠') || c.is_control()
    })
}

/// Names in one cell; nothing where a reader could not take them apart again.
pub fn join_names<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut joined = String::new();
    for name in names {
        if name.contains(';') {
            return None;
        }
        if !joined.is_empty() {
            joined.push_str(BETWEEN);
        }
        joined.push_str(name);
    }
    (!joined.starts_with('[')).then_some(joined)
}

/// The names of one cell.
pub fn split_names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(';').map(str::trim).filter(|name| !name.is_empty())
}

/// Whether a cell holds a list as JSON and not names that happen to begin with a bracket: `[unknown]`.
pub fn is_json_list(cell: &str) -> bool {
    let inside = cell.trim_start().strip_prefix('[').map(str::trim_start);
    inside.is_some_and(|inside| inside.starts_with(['"', '{', ']']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_is_put_on_and_taken_off() {
        let check = |text: &str, expect: &str| {
            assert_eq!(guard(text), expect);
            assert_eq!(unguard(expect), text);
        };
        check("plain", "plain");
        check("=1+1", "'=1+1");
        check("@SUM", "'@SUM");
        check("-5 degrees", "'-5 degrees");
        check("\tx", "'\tx");
        check("\rx", "'\rx");
        check("\0x", "'\0x");
        check("＝1", "'＝1");
        check("'=x", "''=x");
        check("'''-", "''''-");
        check("'tis so", "'tis so");
        check("'", "'");
        check("", "");
    }

    #[test]
    fn names_that_could_not_be_split_again_are_not_joined() {
        assert_eq!(join_names(["a", "b c"].into_iter()).as_deref(), Some("a; b c"));
        assert_eq!(join_names(["a;b"].into_iter()), None);
        assert_eq!(join_names(["[a]"].into_iter()), None);
        assert_eq!(split_names("a;  b c;;").collect::<Vec<_>>(), ["a", "b c"]);
        assert!(is_json_list("[ {\"name\":\"a\"}]"));
        assert!(!is_json_list("[unknown]"));
    }
}
