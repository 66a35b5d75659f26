//! Mermaid: a `timeline` diagram, for documents that draw it where they stand.
//!
//! The periods of the diagram are labels, so that every date stands in it as its words say it, undated events
//! included. Everything but date and title has no room and is counted. A colon with a space behind it would split
//! an event, a `#` or a `%` would begin a comment: they and what HTML would read are written as character codes,
//! which Mermaid turns back.

use std::fmt::Write as _;
use std::io;

use annals_model::{Date, Event};

use super::losses::Loss;
use super::{ExportError, Exporter, Heading, Losses, Row};
use crate::text::line;

/// Characters that Mermaid takes unless it is told otherwise.
const LIMIT: usize = 50_000;

const TOO_LONG: Loss = Loss::new(
    "too-long",
    "diagram is longer than the 50,000 characters that Mermaid draws unless `maxTextSize` says more",
    "diagrams are longer than the 50,000 characters that Mermaid draws unless `maxTextSize` says more",
);

/// Characters of a title; a much longer one keeps Mermaid busy for minutes.
const TITLE: usize = 300;

const CUT: Loss =
    Loss::new("cut", "title was cut after 300 characters", "titles were cut after 300 characters");

/// What has no room, and whether an event has it.
type Field = (Loss, fn(&Event) -> bool);

const FIELDS: [Field; 10] = [
    (Loss::new("kind", "event lost its kind", "events lost their kinds"), |event| event.kind.is_some()),
    (Loss::new("description", "event lost its description", "events lost their descriptions"), |event| {
        event.description.is_some()
    }),
    (Loss::new("actors", "event lost its actors", "events lost their actors"), |event| {
        !event.actors.is_empty()
    }),
    (Loss::new("place", "event lost its place", "events lost their places"), |event| event.place.is_some()),
    (Loss::new("tags", "event lost its tags", "events lost their tags"), |event| !event.tags.is_empty()),
    (Loss::new("sources", "event lost its sources", "events lost their sources"), |event| {
        !event.sources.is_empty()
    }),
    (Loss::new("confidence", "event lost its confidence", "events lost their confidence"), |event| {
        event.confidence.is_some()
    }),
    (Loss::new("links", "event lost its links", "events lost their links"), |event| !event.links.is_empty()),
    (Loss::new("effects", "event lost its effects", "events lost their effects"), |event| {
        !event.effects.is_empty()
    }),
    (super::losses::EXTRA, |event| event.extra.is_some()),
];

pub struct Mermaid<'o> {
    out: &'o mut dyn io::Write,
    section: String,
    period: String,
    length: usize,
    losses: Losses,
}

impl<'o> Mermaid<'o> {
    pub fn begin(heading: &Heading<'_>, out: &'o mut dyn io::Write) -> Result<Self, ExportError> {
        let mut begun =
            Self { out, section: String::new(), period: String::new(), length: 0, losses: Losses::default() };
        let name = escaped(&heading.name());
        begun.write(&if name.is_empty() {
            "timeline\n".to_owned()
        } else {
            format!("timeline\n  title {name}\n")
        })?;
        Ok(begun)
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.length += text.chars().count();
        self.out.write_all(text.as_bytes())
    }
}

impl Exporter for Mermaid<'_> {
    fn row(&mut self, row: &Row<'_>) -> Result<(), ExportError> {
        let event = row.event;
        let mut text = String::new();
        let section = section(event.date.as_ref());
        if section != self.section {
            text.extend(["  section ", &section, "\n"]);
            self.section = section;
            self.period.clear();
        }
        let period = event.date.as_ref().map_or_else(|| "undated".to_owned(), |date| escaped(&date.words()));
        let possibly = if row.sure { "" } else { " (possibly)" };
        let mut title = event.title.clone();
        if let Some((end, _)) = title.char_indices().nth(TITLE) {
            title.truncate(end);
            title.push('…');
            self.losses.count(CUT);
        }
        let title = escaped(&title);
        // Events of one period stand below it, each behind a colon of its own.
        let begins = if period == self.period { "      " } else { &format!("    {period} ") };
        text.extend([begins, ": ", &title, possibly, "\n"]);
        self.period = period;
        self.write(&text)?;
        FIELDS.iter().filter(|(_, has)| has(event)).for_each(|(loss, _)| self.losses.count(*loss));
        Ok(())
    }

    fn end(mut self: Box<Self>) -> Result<Losses, ExportError> {
        if self.length > LIMIT {
            self.losses.count(TOO_LONG);
        }
        Ok(self.losses)
    }
}

/// The decade that a date begins in.
fn section(date: Option<&Date>) -> String {
    let Some(date) = date else { return "Undated".to_owned() };
    let earliest = date.span().start.earliest;
    if !earliest.is_finite() {
        return "Beginning unknown or open".to_owned();
    }
    match earliest.civil().0.year {
        ..1 => "Before year 1".to_owned(),
        year => format!("{}s", year - year % 10),
    }
}

/// A text on one line in which Mermaid finds nothing to interpret.
fn escaped(text: &str) -> String {
    let text = line(text);
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.trim().chars() {
        match c {
            ':' | '#' | ';' | '%' | '<' | '>' | '&' | '"' | '\\' | '`' | '$' | '{' | '}' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "#{};", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mermaid_would_read_is_written_as_codes() {
        assert_eq!(escaped("plain, text (2004)"), "plain, text (2004)");
        assert_eq!(escaped("a: b\r\n%%{init} #x;"), "a#58; b #37;#37;#123;init#125; #35;x#59;");
        assert_eq!(escaped("<br>&amp;"), "#60;br#62;#38;amp#59;");
    }

    #[test]
    fn sections_are_decades() {
        let check = |text: &str, expect: &str| assert_eq!(section(Some(&Date::parse(text).unwrap())), expect);
        check("2004-05", "2000s");
        check("[2017..2023]", "2010s");
        check("0004", "0s");
        check("-0043", "Before year 1");
        check("../2019", "Beginning unknown or open");
        assert_eq!(section(None), "Undated");
    }
}
