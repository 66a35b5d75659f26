//! Markwhen: a text that people edit and the Markwhen apps draw.
//!
//! Markwhen swallows an event whose date it does not know into the one before, and puts a date that does not exist
//! at the present moment. So only forms are written that its parser reads as meant: years, months, days, two of
//! them with a slash, an instant, and `44 BCE`. The date as EDTF and what Markwhen has no field for stand in
//! properties below the event. A line of a text that could be taken for the beginning of an event, a section, a
//! comment or a property gets `. ` in front, as Markwhen's own reader of calendars does it.

use std::io;

use annals_model::{Date, Event};

use super::losses::{BOUNDLESS, FAR, Loss};
use super::{ExportError, Exporter, Heading, Losses, Row};
use crate::carried::{self, Shown, Target};
use crate::details::{self, Wanted};
use crate::rough::{Part, Rough, Second, Shape, placed};
use crate::text::{line, visible, visible_json};

/// How Markwhen shows an event.
pub const TARGET: Target = Target { shown, suffix, details, between: "\n\n", plain };

/// What stands in front of a line that would be taken for something else.
pub const GUARD: &str = ". ";

const CIVIL: Loss = Loss::new(
    "civil",
    "time of day without an offset is drawn in UTC",
    "times of day without an offset are drawn in UTC",
);
const BCE: Loss = Loss::new(
    "bce",
    "date before year 1 is drawn as the year in which it began",
    "dates before year 1 are drawn as the years in which they began",
);

/// The first year that five digits before Christ can say.
const FIRST_YEAR: i64 = -99_998;

pub struct Markwhen<'o> {
    out: &'o mut dyn io::Write,
    losses: Losses,
}

impl<'o> Markwhen<'o> {
    pub fn begin(heading: &Heading<'_>, out: &'o mut dyn io::Write) -> Result<Self, ExportError> {
        let title = quoted(&line(&heading.name()))?;
        write!(out, "---\ntitle: {title}\ntimezone: \"UTC\"\n---\n")?;
        Ok(Self { out, losses: Losses::default() })
    }
}

impl Exporter for Markwhen<'_> {
    fn row(&mut self, row: &Row<'_>) -> Result<(), ExportError> {
        let event = row.event;
        let Some((date, _, drawn)) = placed(row, &mut self.losses, Drawn::of) else { return Ok(()) };
        drawn.loss.into_iter().for_each(|loss| self.losses.count(loss));
        let shown = shown(event);
        let carried = carried::carry(&TARGET, row.timeline, event, &shown)?;
        let mut text = format!("\n{}: {}", drawn.text, shown.title);
        for tag in &shown.tags {
            text.extend([" #", tag]);
        }
        let zone = drawn.zone.as_deref();
        let properties = [
            ("id", Some(event.id.as_str())),
            ("timezone", zone),
            ("edtf", Some(date.as_str())),
            ("annals", Some(&carried)),
        ];
        for (name, value) in properties {
            if let Some(value) = value {
                text.extend(["\n", name, ": ", &quoted(value)?]);
            }
        }
        text.push('\n');
        if !shown.text.is_empty() {
            text.extend([&shown.text, "\n"]);
        }
        Ok(self.out.write_all(text.as_bytes())?)
    }

    fn end(self: Box<Self>) -> Result<Losses, ExportError> {
        Ok(self.losses)
    }
}

/// A date as Markwhen draws it.
struct Drawn {
    text: String,
    zone: Option<String>,
    loss: Option<Loss>,
}

impl Drawn {
    fn of(rough: &Rough) -> Result<Self, Loss> {
        match rough.shape {
            Shape::Nowhere => Err(BOUNDLESS),
            Shape::Second(second) => Self::second(second),
            Shape::Stretch(first, _) if first.year > 9999 || first.year < FIRST_YEAR => Err(FAR),
            Shape::Stretch(first, last) if first.year < 1 => {
                let is_year = first.month.is_none() && last.is_none();
                let text = format!("{} BCE", 1 - first.year);
                Ok(Self { text, zone: None, loss: (!is_year).then_some(BCE) })
            }
            Shape::Stretch(_, Some(last)) if last.year > 9999 => Err(FAR),
            Shape::Stretch(first, last) => {
                let end = last.map_or_else(String::new, |last: Part| format!("/{}", last.edtf()));
                Ok(Self { text: first.edtf() + &end, zone: None, loss: None })
            }
        }
    }

    /// An instant: the parser takes the clock of the zone that the property names.
    fn second(second: Second) -> Result<Self, Loss> {
        if !(1..=9999).contains(&second.civil.civil().0.year) {
            return Err(FAR);
        }
        let zone = second.offset.filter(|offset| *offset != 0).map(|offset| {
            let sign = if offset < 0 { '-' } else { '+' };
            format!("{sign}{:02}:{:02}", offset.abs() / 3600, offset.abs() / 60 % 60)
        });
        let loss = second.offset.is_none().then_some(CIVIL);
        Ok(Self { text: format!("{}Z", second.civil), zone, loss })
    }
}

/// What Markwhen shows of an event.
fn shown(event: &Event) -> Shown {
    let drawn = event.date.as_ref().and_then(|date| Drawn::of(&Rough::of(date)).ok());
    let description = event.description.as_deref().map_or_else(String::new, |text| body(&visible(text)));
    // Blank lines at the end part events, and spaces at either end of a title are none of it.
    let text = TARGET.text(&description, event).trim_end().to_owned();
    let title = headline(&line(&event.title));
    Shown {
        title: title.trim().to_owned() + &suffix(event),
        text,
        dates: drawn
            .into_iter()
            .map(|drawn| [Some(drawn.text), drawn.zone].map(Option::unwrap_or_default).concat())
            .collect(),
        tags: event.tags.iter().filter_map(|tag| label(tag)).collect(),
        place: None,
    }
}

/// The words for a date that is drawn otherwise.
fn suffix(event: &Event) -> String {
    event
        .date
        .as_ref()
        .filter(|date| needs_words(date))
        .map_or_else(String::new, |date| headline(&format!(" — {}", date.words())))
}

fn details(event: &Event) -> String {
    let date = event.date.as_ref().is_some_and(needs_words);
    body(&details::lines(event, Wanted { date, place: true, tags: false }).join("\n"))
}

fn needs_words(date: &Date) -> bool {
    let rough = Rough::of(date);
    !rough.is_exact(date) || Drawn::of(&rough).is_ok_and(|drawn| drawn.loss.is_some())
}

/// A tag in the letters, digits and underscores that Markwhen allows; nothing where none would be left.
fn label(tag: &str) -> Option<String> {
    let label: String = tag.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let label = label.trim_matches('_');
    label.contains(|c: char| c.is_ascii_alphabetic()).then(|| label.to_owned())
}

/// A text in which Markwhen finds no tag, id, picture or place.
fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let rest = &text[at + c.len_utf8()..];
        let is_id = match c {
            '!' => rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_'),
            '.' => ["start", "end"]
                .iter()
                .any(|word| rest.get(..word.len()).is_some_and(|rest| rest.eq_ignore_ascii_case(word))),
            _ => false,
        };
        match c {
            '#' if before.is_whitespace() => out.push_str("\\#"),
            '(' if before == ']' => out.push_str("\\("),
            _ if is_id => out.extend([c, '\\']),
            _ => out.push(c),
        }
        before = c;
    }
    out
}

/// The text of an event's first line, which a box in brackets would make a task.
fn headline(text: &str) -> String {
    let text = inline(text);
    let begins = text.trim_start();
    if ["[]", "[ ]", "[x]", "[X]"].iter().any(|mark| begins.starts_with(mark)) {
        format!("\\{begins}")
    } else {
        text
    }
}

/// The lines below an event.
fn body(text: &str) -> String {
    let guarded = |line: &str| {
        let begins = line.trim_start();
        let is_taken = line.contains(':') || begins.starts_with(['#', '/', '-', '.']);
        format!("{}{}", if is_taken { GUARD } else { "" }, inline(line))
    };
    text.split('\n').map(guarded).collect::<Vec<_>>().join("\n")
}

/// Markwhen's text as it was before [`inline`], [`headline`] and [`body`].
pub fn plain(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let line = line.strip_prefix(GUARD).unwrap_or(line);
        let line = line.strip_prefix("\\[").map_or_else(|| line.to_owned(), |rest| format!("[{rest}"));
        line.replace("\\#", "#").replace("]\\(", "](").replace("!\\", "!").replace(".\\", ".")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A text in quotes, as JSON and YAML both read it, without the sign that Markwhen replaces in properties.
fn quoted(text: &str) -> serde_json::Result<String> {
    Ok(visible_json(&serde_json::to_string(text)?).replace('#', "\\u0023"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_dates_are_written() {
        let check = |text: &str, expect: &str| {
            let drawn = Drawn::of(&Rough::of(&Date::parse(text).unwrap()));
            let drawn = drawn.map(|drawn| format!("{} {}", drawn.text, drawn.zone.unwrap_or_default()));
            assert_eq!(drawn.as_deref().map_or("left out", str::trim), expect, "{text}");
        };
        check("2004?", "2004");
        check("0044", "0044");
        check("2010-07-12~", "2010-07-12");
        check("201X", "2010/2019");
        check("2023-24", "2023-12/2024-02");
        check("2017/2019-05", "2017/2019-05");
        check("../2019", "2019");
        check("2023-10-02/..", "2023-10-02");
        check("-0043-03-15", "44 BCE");
        check("0000", "1 BCE");
        check("-0043/0010", "44 BCE");
        check("2023-10-02T23:30:00-05:30", "2023-10-02T23:30:00Z -05:30");
        check("2023-10-02T15:30:00", "2023-10-02T15:30:00Z");
        check("Y-17E7", "left out");
        check("Y12000", "left out");
        check("/", "left out");
    }

    #[test]
    fn nothing_of_a_text_is_taken_for_something_else() {
        let check = |text: &str, expect: &str| {
            assert_eq!(body(text), expect);
            assert_eq!(plain(&body(text)), text);
        };
        check("plain text, no more", "plain text, no more");
        check("2004: a date\n  now: b\nevery day: c", ". 2004: a date\n.   now: b\n. every day: c");
        check("# section\n// comment\n---\n- item", ". \\# section\n. // comment\n. ---\n. - item");
        check("a #tag and #1", "a \\#tag and \\#1");
        check("![x](y) [z](location)", "![x]\\(y) [z]\\(location)");
        check("wow !id and a .end", "wow !\\id and a .\\end");
        assert_eq!(headline("[x] done"), "\\[x] done");
        assert_eq!(label("united-nations").as_deref(), Some("united_nations"));
        assert_eq!(label("'@"), None);
        assert_eq!(quoted("a\"#b\n\u{202e}").unwrap(), "\"a\\\"\\u0023b\\n\\u202e\"");
    }
}
