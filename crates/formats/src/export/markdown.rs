//! Markdown: a document for people, grouped by year, with sources and their words.
//!
//! `CommonMark` with nothing of its own: headings, lists, links and block quotes. An event stands under the year in
//! which it began, or may have begun at the earliest, and its own heading carries the date exactly as EDTF has
//! it; where that is more than a plain date, a sentence says what it means. No text of an event is ever
//! interpreted: every sign that Markdown or HTML would read is escaped, hidden characters are written out, and
//! only web addresses become links. `extra` is left out and counted.

use std::io;

use annals_model::{Date, Event, Place, Source, TimelineName, YearText};

use super::losses::EXTRA;
use super::{ExportError, Exporter, Heading, Losses, Row};
use crate::text;

pub struct Markdown<'o> {
    out: &'o mut dyn io::Write,
    group: Option<String>,
    names_timeline: bool,
    losses: Losses,
}

impl<'o> Markdown<'o> {
    pub fn begin(heading: &Heading<'_>, out: &'o mut dyn io::Write) -> Result<Self, ExportError> {
        let names: Vec<&str> = heading.timelines.iter().map(TimelineName::as_str).collect();
        let names = names.join(", ");
        let head = match heading.title {
            Some(title) if names.is_empty() || title == names => format!("# {}\n", inline(title)),
            Some(title) => format!("# {}\n\nTimeline: {}\n", inline(title), inline(&names)),
            None if names.is_empty() => "# Timeline\n".to_owned(),
            None => format!("# {}\n", inline(&names)),
        };
        out.write_all(head.as_bytes())?;
        Ok(Self { out, group: None, names_timeline: heading.timelines.len() > 1, losses: Losses::default() })
    }
}

impl Exporter for Markdown<'_> {
    fn row(&mut self, row: &Row<'_>) -> Result<(), ExportError> {
        let event = row.event;
        let mut page = String::new();
        let group = group(event);
        if self.group.as_ref() != Some(&group) {
            page.extend(["\n## ", &group, "\n"]);
            self.group = Some(group);
        }
        let date = event.date.as_ref().map_or(String::new(), |date| format!("{} · ", inline(date.as_str())));
        let possibly = if row.sure { "" } else { " *(possibly)*" };
        page.extend(["\n### ", &date, &inline(&event.title), possibly, "\n"]);
        if let Some(description) = &event.description {
            page.push('\n');
            block(&mut page, description, "");
        }
        page.push('\n');
        facts(&mut page, event);
        event.sources.iter().for_each(|one| source(&mut page, one));
        fact(&mut page, "Id", &inline(event.id.as_str()));
        if self.names_timeline {
            fact(&mut page, "Timeline", &inline(row.timeline.as_str()));
        }
        if event.extra.is_some() {
            self.losses.count(EXTRA);
        }
        Ok(self.out.write_all(page.as_bytes())?)
    }

    fn end(self: Box<Self>) -> Result<Losses, ExportError> {
        Ok(self.losses)
    }
}

/// The heading that an event stands under.
fn group(event: &Event) -> String {
    let Some(date) = &event.date else { return "Undated".to_owned() };
    let earliest = date.span().start.earliest;
    if !earliest.is_finite() {
        return "Beginning unknown or open".to_owned();
    }
    match earliest.civil().0.year {
        year @ -9998..=0 => format!("{} BCE", 1 - year),
        year => YearText(year).to_string(),
    }
}

fn facts(page: &mut String, event: &Event) {
    if let Some(date) = event.date.as_ref().filter(|date| !is_plain(date)) {
        fact(page, "Date", &inline(&date.explain()));
    }
    if let Some(kind) = &event.kind {
        fact(page, "Kind", &inline(kind));
    }
    if let Some(place) = &event.place {
        fact(page, "Place", &inline(&place_text(place)));
    }
    let actors = event.actors.iter().map(|actor| match &actor.role {
        Some(role) => format!("{} ({role})", actor.name),
        None => actor.name.clone(),
    });
    listed(page, "Actors", &actors.collect::<Vec<_>>());
    listed(page, "Tags", &event.tags);
    if let Some(percent) = event.confidence {
        fact(page, "Confidence", &format!("{percent}%"));
    }
    for effect in &event.effects {
        fact(page, "Effect", &inline(&effect.to_string()));
    }
    for link in &event.links {
        fact(page, "Link", &inline(&format!("{} {}", link.rel, link.to)));
    }
}

fn fact(page: &mut String, name: &str, markdown: &str) {
    page.extend(["- **", name, ":** ", markdown, "\n"]);
}

fn listed(page: &mut String, name: &str, texts: &[String]) {
    if !texts.is_empty() {
        fact(page, name, &inline(&texts.join("; ")));
    }
}

/// Whether a reader needs no explanation: `2004`, `2004-07`, `2004-07-12`, or two of them.
fn is_plain(date: &Date) -> bool {
    let plain = |part: &str| part.len() >= 4 && part.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    // A month from 21 on is a season or another part of a year.
    let is_month = |part: &str| part.get(5..7).is_none_or(|month| month <= "12");
    date.as_str().split('/').all(|part| plain(part) && !part.starts_with('-') && is_month(part))
}

fn place_text(place: &Place) -> String {
    let point = place.lat.zip(place.lon).map(|(lat, lon)| format!("{lat}, {lon}"));
    let details: Vec<String> = point.into_iter().chain(place.precision.clone()).collect();
    if details.is_empty() { place.name.clone() } else { format!("{} ({})", place.name, details.join("; ")) }
}

fn source(page: &mut String, source: &Source) {
    let named = source.title.as_deref().or(source.url.as_deref());
    let mut parts: Vec<String> = Vec::new();
    match (named, &source.url) {
        (Some(name), Some(url)) => parts.push(link(name, url)),
        (Some(name), None) => parts.push(inline(name)),
        (None, _) => {}
    }
    parts.extend(source.date.as_ref().map(|date| inline(date.as_str())));
    parts.extend(source.locator.as_deref().map(inline));
    parts.extend(source.archived.as_deref().map(|url| link("archived copy", url)));
    parts.extend(source.sha256.as_ref().map(|hash| format!("SHA-256 {hash}")));
    fact(page, "Source", &parts.join(", "));
    if let Some(quote) = &source.quote {
        page.push('\n');
        block(page, quote, "  > ");
        page.push('\n');
    }
}

/// A link, if the address is one of the web; anything else (`javascript:`) stays text.
fn link(name: &str, url: &str) -> String {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    if !matches!(scheme.as_deref(), Some("http" | "https")) {
        return if name == url { inline(url) } else { format!("{} ({})", inline(name), inline(url)) };
    }
    let mut target = String::with_capacity(url.len());
    for c in url.chars() {
        if c.is_whitespace() || text::is_hidden(c) {
            let mut bytes = [0; 4];
            target.extend(c.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")));
        } else {
            push_escaped(&mut target, c);
        }
    }
    format!("[{}](<{target}>)", inline(name))
}

/// One line of text in which Markdown finds nothing to interpret.
fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    push_inline(&mut out, text);
    out
}

fn push_inline(out: &mut String, text: &str) {
    let mut hidden = String::new();
    for (at, c) in text.char_indices() {
        if text::is_hidden(c) {
            hidden.clear();
            text::push_escape(&mut hidden, c);
            hidden.chars().for_each(|c| push_escaped(out, c));
        } else if makes_link(&text[at..], out) {
            out.push('\\');
            out.push(c);
        } else {
            push_escaped(out, c);
        }
    }
}

/// Bare addresses become links in many readers unless these signs are escaped.
fn makes_link(rest: &str, before: &str) -> bool {
    rest.starts_with("://") || (rest.starts_with('.') && ends_with_www(before))
}

fn ends_with_www(text: &str) -> bool {
    let end = text.len().checked_sub(3).and_then(|start| text.get(start..));
    end.is_some_and(|end| end.eq_ignore_ascii_case("www"))
}

fn push_escaped(out: &mut String, c: char) {
    let is_sign = matches!(
        c,
        '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '$' | '^'
    );
    if is_sign {
        out.push('\\');
    }
    out.push(c);
}

/// Paragraphs, each line with `prefix` in front and its breaks kept.
fn block(out: &mut String, text: &str, prefix: &str) {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = text.lines().map(str::trim).peekable();
    let mut is_blank = true;
    while let Some(line) = lines.next() {
        let is_repeated_blank = line.is_empty() && is_blank;
        is_blank = line.is_empty();
        if is_repeated_blank || (line.is_empty() && lines.peek().is_none()) {
            continue;
        }
        if line.is_empty() {
            out.push_str(prefix.trim_end());
        } else {
            out.push_str(prefix);
            push_line(out, line);
            if lines.peek().is_some_and(|next| !next.is_empty()) {
                out.push('\\');
            }
        }
        out.push('\n');
    }
}

/// One line of a paragraph: what begins a list or a heading is escaped as well.
fn push_line(out: &mut String, line: &str) {
    let line = line.replace('\t', " ");
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = line.split_at(digits);
    out.push_str(number);
    let begins =
        if digits == 0 { rest.starts_with(['-', '+', '=', ':']) } else { rest.starts_with(['.', ')']) };
    if begins {
        out.push('\\');
    }
    push_inline(out, rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_interpreted() {
        let check = |text: &str, expect: &str| assert_eq!(inline(text), expect);
        check("plain, text: 5 - 3!", "plain, text: 5 - 3!");
        check("<script>", "\\<script\\>");
        check("a*b_c`d|e~f", "a\\*b\\_c\\`d\\|e\\~f");
        check("![x](y)&amp;", "!\\[x\\](y)\\&amp;");
        check("a\u{202e}b\nc", "a\\\\u\\{202e\\}b\\\\u\\{a\\}c");
        check("https://x.org www.x.org now.", "https\\://x.org www\\.x.org now.");
    }

    #[test]
    fn paragraphs_keep_their_lines_and_begin_no_list() {
        let check = |text: &str, expect: &str| {
            let mut out = String::new();
            block(&mut out, text, "> ");
            assert_eq!(out, expect, "{text:?}");
        };
        check("a\r\nb\n\n\n  - c", "> a\\\n> b\n>\n> \\- c\n");
        check(
            "1. x\n12) y\n=====\n# z\n2004 was",
            "> 1\\. x\\\n> 12\\) y\\\n> \\=====\\\n> \\# z\\\n> 2004 was\n",
        );
        check("\n\n", "");
    }

    #[test]
    fn only_addresses_of_the_web_become_links() {
        assert_eq!(link("a]", "https://x.org/a b?c=<d>"), "[a\\]](<https://x.org/a%20b?c=\\<d\\>>)");
        assert_eq!(link("a", "javascript:alert(1)"), "a (javascript:alert(1))");
    }

    #[test]
    fn a_plain_date_is_not_explained() {
        let plain = |text: &str| is_plain(&Date::parse(text).unwrap());
        assert!(plain("2004") && plain("2004-07-12") && plain("2017/2019"));
        assert!(!plain("2023-24") && !plain("2010~") && !plain("-0043") && !plain("2023-10-02/.."));
    }
}
