//! Changes of values, a line each: `+` added, `-` gone, `~` another one. Of a set that changed, what joined it and
//! what left it.

use std::io::Write;

use annals_model::diff::Kind;
use annals_model::{Scalar, Value};
use anstyle::{AnsiColor, Style};

use super::safe;
use crate::error::CliResult;

/// Members of a set that are shown on one line.
const MEMBERS: usize = 12;

/// Prints one change of an attribute.
pub fn print_change(
    out: &mut impl Write,
    of: &str,
    kind: Kind,
    from: Option<&Value>,
    to: Option<&Value>,
) -> CliResult<()> {
    let value = |value: Option<&Value>| value.map_or_else(|| "absent".to_owned(), shown);
    let (sign, color, text) = match (kind, from, to) {
        (Kind::Added, ..) => ('+', AnsiColor::Green, format!("{of} = {}", value(to))),
        (Kind::Gone, ..) => ('-', AnsiColor::Red, format!("{of} = {}", value(from))),
        (Kind::Changed, Some(Value::Set(from)), Some(Value::Set(to))) => {
            let moved = [("+", to.difference(from)), ("-", from.difference(to))];
            let moved: Vec<String> = moved
                .into_iter()
                .map(|(sign, members)| (sign, members.collect::<Vec<&Scalar>>()))
                .filter(|(_, members)| !members.is_empty())
                .map(|(sign, members)| format!("{sign}{}", set(members.into_iter())))
                .collect();
            ('~', AnsiColor::Yellow, format!("{of}: {}", moved.join(" ")))
        }
        (Kind::Changed, ..) => ('~', AnsiColor::Yellow, format!("{of}: {} → {}", value(from), value(to))),
    };
    let style: Style = color.on_default();
    Ok(writeln!(out, "{style}{sign}{style:#} {}", safe(&text).replace('\n', " "))?)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Scalar(scalar) => scalar.to_string(),
        Value::Set(members) => set(members.iter()),
    }
}

/// A set in braces, shortened where it is long; programs get it whole.
fn set<'a>(members: impl ExactSizeIterator<Item = &'a Scalar>) -> String {
    let more = members.len().saturating_sub(MEMBERS);
    let mut shown: Vec<String> = members.take(MEMBERS).map(ToString::to_string).collect();
    if more > 0 {
        shown.push(format!("… {more} more"));
    }
    format!("{{{}}}", shown.join(", "))
}
