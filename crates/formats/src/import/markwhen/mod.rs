//! Markwhen: events with their properties and texts, under sections.
//!
//! The header is passed over but for the order of day and month in it. A line that begins like an event is one, also
//! where Markwhen would not know its date: an EDTF date is read, and a date that follows from another event or from
//! the present is refused with its line, since it would mean something else tomorrow. An event that repeats is read
//! once, with a note. The sections that an event stands in are kept in `extra`.

mod dates;
mod unread;

use std::io;
use std::ops::Range;

use annals_model::line::Line;
use annals_model::{Invalid, limits};

use self::dates::{Dated, Order};
use super::kept::{Frame, Piece};
use super::lines::Lines;
use super::{Fault, Input, Read};
use crate::carried::{self, Found};
use crate::export::markwhen::TARGET;
use crate::text::shown;

/// Bytes of a line, and of all lines of an event.
const LIMIT: usize = 4 * limits::EVENT;

pub struct Markwhen<'a> {
    lines: Lines<'a>,
    /// Where in the file the next line stands.
    at: At,
    order: Order,
    /// The titles of the sections around, with their levels.
    sections: Vec<(usize, String)>,
    /// The event whose lines come.
    current: Option<Entry>,
    /// Where the header ends.
    head: u64,
    /// Lines that belong to no event: the first one's number, and how many they are.
    passed: Option<(u64, u64)>,
    /// What is finished.
    finished: Option<Read>,
    is_over: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before anything.
    Start,
    /// In a header without marks, or between them.
    Header { is_marked: bool },
    /// Below the line of an event: properties may come.
    Properties,
    /// In the text of an event, or outside of any.
    Text,
}

/// An event of which the lines are gathered.
struct Entry {
    line: u64,
    piece: Piece,
    dated: Dated,
    headline: String,
    body: String,
    properties: Vec<(String, String)>,
    section: String,
    fault: Option<Invalid>,
}

impl<'a> Markwhen<'a> {
    pub fn new(input: Input<'a>) -> Self {
        let lines = Lines::new(input, LIMIT);
        Self {
            lines,
            at: At::Start,
            order: Order::MonthFirst,
            sections: Vec::new(),
            current: None,
            head: 0,
            passed: None,
            finished: None,
            is_over: false,
        }
    }

    /// Takes a line; what is finished with it comes back.
    fn take(&mut self, number: u64, span: Range<u64>, line: &str) -> Option<Read> {
        let at = self.at;
        match at {
            At::Start | At::Header { .. } if self.header(line) => {
                self.head = span.end;
                return None;
            }
            At::Properties => {
                // The next event looks like a property, too: `2004: title`.
                let property = property(line).filter(|_| dates::begin(line, self.order).is_none());
                if let (Some((name, value)), Some(entry)) = (property, &mut self.current) {
                    entry.properties.push((name.to_owned(), value));
                    return None;
                }
                self.at = At::Text;
            }
            _ => {}
        }
        if line.trim_start().starts_with("//") {
            return None;
        }
        if let Some((level, title)) = section(line) {
            let finished = self.finish();
            self.sections.retain(|(above, _)| *above < level);
            self.sections.push((level, title.to_owned()));
            self.at = At::Text;
            return finished;
        }
        if let Some((dated, rest)) = dates::begin(line, self.order) {
            let finished = self.finish();
            let section =
                self.sections.iter().map(|(_, title)| title.as_str()).collect::<Vec<_>>().join(" / ");
            let headings = |(level, title): &(usize, String)| format!("{} {title}\n", "#".repeat(*level));
            self.current = Some(Entry {
                line: number,
                piece: Piece {
                    head: self.head,
                    from: span.start,
                    to: span.end,
                    frame: Frame::Sections(self.sections.iter().map(headings).collect()),
                },
                dated,
                headline: rest.to_owned(),
                body: String::new(),
                properties: Vec::new(),
                section,
                fault: None,
            });
            self.at = At::Properties;
            return finished;
        }
        match &mut self.current {
            Some(entry) if entry.body.len() + line.len() > LIMIT => {
                entry.fault = Some(Invalid::new(format!("the event has more than {LIMIT} bytes")));
            }
            Some(entry) => entry.body.extend([line, "\n"]),
            None if !line.trim().is_empty() && property(line).is_none() => {
                self.passed.get_or_insert((number, 0)).1 += 1;
            }
            None => {}
        }
        None
    }

    /// Whether a line belongs to the header.
    fn header(&mut self, line: &str) -> bool {
        let is_mark = line.starts_with("---");
        let is_marked = match self.at {
            At::Start if is_mark => {
                self.at = At::Header { is_marked: true };
                return true;
            }
            At::Start => false,
            At::Header { is_marked } => is_marked,
            At::Properties | At::Text => return false,
        };
        if is_marked && is_mark {
            self.at = At::Text;
            return true;
        }
        if !is_marked && (section(line).is_some() || dates::begin(line, self.order).is_some()) {
            self.at = At::Text;
            return false;
        }
        self.at = At::Header { is_marked };
        if line.trim_start().starts_with("dateFormat:") && line.contains("d/M/y") {
            self.order = Order::DayFirst;
        }
        true
    }

    /// The event that was gathered.
    fn finish(&mut self) -> Option<Read> {
        let entry = self.current.take()?;
        let line = entry.line;
        let repeats = entry
            .dated
            .repeats
            .as_ref()
            .map(|how| format!("it repeats ({}) and was imported once", shown(how)));
        let notes: Vec<String> = self.passed().map(|(_, note)| note).into_iter().chain(repeats).collect();
        let piece = Some(entry.piece.clone());
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        Some(Read { line, outcome: entry.event().map_err(Fault::Entry), note, piece })
    }

    /// What there is to say of the lines that belong to no event.
    fn passed(&mut self) -> Option<(u64, String)> {
        let (line, count) = self.passed.take()?;
        let note = match count {
            1 => format!("line {line} belongs to no event and was left out"),
            _ => format!("{count} lines from line {line} on belong to no event and were left out"),
        };
        Some((line, note))
    }

    /// Takes the next line; false at the end of the file.
    fn step(&mut self) -> io::Result<bool> {
        let Some(line) = self.lines.next()? else { return Ok(false) };
        let line = line.map(|line| line.trim_end_matches('\r').to_owned());
        let (number, span) = (self.lines.number(), self.lines.span());
        let end = span.end;
        match (line, &mut self.current) {
            (Ok(line), _) => self.finished = self.take(number, span, &line),
            // It is a line of the event.
            (Err(error), Some(entry)) => {
                entry.fault.get_or_insert(error.under(format!("line {number}")));
            }
            (Err(error), None) => {
                let Range { start: from, end: to } = span;
                let piece = Piece { head: self.head, from, to, frame: Frame::None };
                self.finished = Some(Read::plain(number, Err(Fault::Entry(error))).at(piece));
            }
        }
        if let Some(entry) = &mut self.current {
            entry.piece.to = end;
        }
        Ok(true)
    }
}

impl Iterator for Markwhen<'_> {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        while !self.is_over {
            match self.step() {
                Ok(true) if self.finished.is_none() => {}
                Ok(true) => return self.finished.take(),
                Ok(false) => {
                    self.is_over = true;
                    let last = self.finish();
                    return last.or_else(|| self.passed().map(|(line, note)| Read::passed(line, note)));
                }
                Err(error) => {
                    self.is_over = true;
                    return Some(Read::plain(self.lines.number(), Err(Fault::Io(error))));
                }
            }
        }
        None
    }
}

impl Entry {
    fn event(self) -> Result<Line, Invalid> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let mut found = Found::default();
        let mut zone = String::new();
        for (name, value) in self.properties {
            match name.as_str() {
                "id" => found.id = Some(value),
                "edtf" => found.edtf = Some(value),
                "annals" => found.carried = Some(value),
                "timezone" | "tz" => zone = value,
                _ => {
                    found.extra.insert(name, value.into());
                }
            }
        }
        let is_ours = found.edtf.is_some();
        let (title, mut labels) = without_tags(&self.headline);
        title.trim().clone_into(&mut found.shown.title);
        self.body.trim_end().clone_into(&mut found.shown.text);
        if !is_ours {
            for line in self.body.lines() {
                labels.extend(
                    without_tags(line).1.into_iter().filter(|tag| !labels.contains(tag)).collect::<Vec<_>>(),
                );
            }
            if !self.section.is_empty() {
                found.extra.insert("section".to_owned(), self.section.into());
            }
        }
        found.shown.tags = labels;
        found.shown.dates.push(self.dated.written.clone() + &zone);
        if !zone.is_empty() && !is_ours {
            found.extra.insert("timezone".to_owned(), zone.into());
        }
        if self.dated.is_cut {
            found.extra.insert("date".to_owned(), self.dated.written.clone().into());
        }
        found.date = Some(self.dated.edtf);
        carried::settle(&TARGET, found)
    }
}

/// `# Title`, up to six of them.
fn section(line: &str) -> Option<(usize, &str)> {
    let line = line.trim_start();
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let title = line.get(level..).filter(|title| title.starts_with(char::is_whitespace))?;
    (1..=6).contains(&level).then(|| (level, title.trim()))
}

/// `name: value`, the value without its quotes.
fn property(line: &str) -> Option<(&str, String)> {
    let (name, value) = line.trim_start().split_once(':')?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_plain = !name.is_empty() && !name.starts_with('-') && name.chars().all(is_name);
    if !is_plain || !(value.is_empty() || value.starts_with(char::is_whitespace)) {
        return None;
    }
    let value = value.trim();
    let value = serde_json::from_str::<String>(value).unwrap_or_else(|_| {
        value.strip_prefix('\'').and_then(|inside| inside.strip_suffix('\'')).unwrap_or(value).to_owned()
    });
    Some((name, value))
}

/// A text without its tags, and the tags: `#word`, where the word is more than a number.
fn without_tags(text: &str) -> (String, Vec<String>) {
    let mut out = String::with_capacity(text.len());
    let mut tags: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('#') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let word = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        let tag = &rest[..word];
        let begins = out.chars().next_back().is_none_or(char::is_whitespace);
        if begins && tag.bytes().any(|byte| !byte.is_ascii_digit()) {
            out.truncate(out.trim_end_matches(' ').len());
            tags.push(tag.to_owned());
            rest = &rest[word..];
        } else {
            out.push('#');
        }
    }
    out.push_str(rest);
    (out, tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_taken_out_of_a_text() {
        let check = |text: &str, expect: &str, tags: &[&str]| {
            let (plain, found) = without_tags(text);
            assert_eq!((plain.as_str(), found), (expect, tags.iter().map(ToString::to_string).collect()));
        };
        check(" A title #health #un_2004", " A title", &["health", "un_2004"]);
        check("#a and #b.", " and.", &["a", "b"]);
        check("issue #12, C#, a#b", "issue #12, C#, a#b", &[]);
        check("\\#no", "\\#no", &[]);
    }
}
