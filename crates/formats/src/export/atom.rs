//! Atom (RFC 4287): one entry an event, for feed readers.
//!
//! An entry's id follows from the timeline and the event's id, and `updated` is when the version that counts was
//! recorded: a correction is a new state of the same entry, and no clock is asked. The event itself is a small
//! piece of HTML in which every text is escaped. XML has no room for most control characters, and a hidden one
//! misleads whoever reads; both are written out. Coordinates stand as a `GeoRSS` point. `extra` is left out and
//! counted; the effects are told in words.

use std::io;

use annals_model::{Event, Place, RecordedAt, Source, TimelineName};

use super::losses::EXTRA;
use super::{ExportError, Exporter, Heading, Losses, Row, names};
use crate::text;

/// Nothing was recorded before: the time of an entry of which no record is known.
const BEFORE_ALL: RecordedAt = RecordedAt::from_micros(0);

pub struct Atom<'o> {
    out: &'o mut dyn io::Write,
    losses: Losses,
}

impl<'o> Atom<'o> {
    pub fn begin(heading: &Heading<'_>, out: &'o mut dyn io::Write) -> Result<Self, ExportError> {
        let timelines: Vec<&str> = heading.timelines.iter().map(TimelineName::as_str).collect();
        let title = heading.title.map_or_else(|| timelines.join(", "), str::to_owned);
        let id = match heading.timelines {
            [one] => names::timeline(one),
            several => {
                let parts: Vec<String> = several.iter().map(|name| names::encoded(name.as_str())).collect();
                format!("{}{}", names::BASE, parts.join(","))
            }
        };
        let mut head = String::from(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" \
             xmlns:georss=\"http://www.georss.org/georss\" xmlns:annals=\"",
        );
        head.extend([names::BASE, "terms/\">\n"]);
        element(&mut head, "  ", "id", &id);
        element(&mut head, "  ", "title", if title.is_empty() { "Timeline" } else { &title });
        element(&mut head, "  ", "updated", &heading.updated.unwrap_or(BEFORE_ALL).to_string());
        head.push_str("  <author><name>Annals</name></author>\n  <generator>Annals</generator>\n");
        out.write_all(head.as_bytes())?;
        Ok(Self { out, losses: Losses::default() })
    }
}

impl Exporter for Atom<'_> {
    fn row(&mut self, row: &Row<'_>) -> Result<(), ExportError> {
        let event = row.event;
        let mut entry = String::from("  <entry>\n");
        let indent = "    ";
        element(&mut entry, indent, "id", &names::event(row.timeline, &event.id));
        element(&mut entry, indent, "title", &event.title);
        element(&mut entry, indent, "updated", &row.recorded.at.to_string());
        entry.extend([indent, "<author><name>", &escaped(row.recorded.by), "</name></author>\n"]);
        event.kind.iter().for_each(|kind| category(&mut entry, kind, "kind"));
        event.tags.iter().for_each(|tag| category(&mut entry, tag, "tag"));
        event.sources.iter().for_each(|source| link(&mut entry, source));
        if let Some(date) = &event.date {
            element(&mut entry, indent, "annals:date", date.as_str());
        }
        if let Some((lat, lon)) = event.place.as_ref().and_then(|place| place.lat.zip(place.lon)) {
            element(&mut entry, indent, "georss:point", &format!("{lat} {lon}"));
        }
        entry.extend([
            indent,
            "<content type=\"html\">",
            &escaped(&content(row)),
            "</content>\n  </entry>\n",
        ]);
        if event.extra.is_some() {
            self.losses.count(EXTRA);
        }
        Ok(self.out.write_all(entry.as_bytes())?)
    }

    fn end(self: Box<Self>) -> Result<Losses, ExportError> {
        self.out.write_all(b"</feed>\n")?;
        Ok(self.losses)
    }
}

fn element(out: &mut String, indent: &str, name: &str, text: &str) {
    out.extend([indent, "<", name, ">", &escaped(text), "</", name, ">\n"]);
}

fn category(out: &mut String, term: &str, what: &str) {
    out.extend([
        "    <category scheme=\"",
        names::BASE,
        "terms/",
        what,
        "\" term=\"",
        &escaped(term),
        "\"/>\n",
    ]);
}

fn link(out: &mut String, source: &Source) {
    let Some(address) = source.url.as_deref().and_then(names::web_address) else { return };
    out.extend(["    <link rel=\"via\" href=\"", &escaped(&address), "\""]);
    if let Some(title) = &source.title {
        out.extend([" title=\"", &escaped(title), "\""]);
    }
    out.push_str("/>\n");
}

/// The event as HTML.
fn content(row: &Row<'_>) -> String {
    let event = row.event;
    let mut html = String::new();
    let date = event
        .date
        .as_ref()
        .map_or_else(|| "Nobody knows when.".to_owned(), |date| format!("{date} · {}", date.explain()));
    let possibly = if row.sure { "" } else { " (possibly)" };
    html.extend(["<p><strong>", &escaped(&date), "</strong>", possibly, "</p>"]);
    for paragraph in event.description.iter().flat_map(|text| text.split("\n\n")) {
        let lines: Vec<String> = paragraph.lines().map(escaped).collect();
        html.extend(["<p>", &lines.join("<br>"), "</p>"]);
    }
    let facts = facts(event);
    if !facts.is_empty() {
        html.extend(["<ul>", &facts, "</ul>"]);
    }
    event.sources.iter().for_each(|one| source(&mut html, one));
    html
}

fn facts(event: &Event) -> String {
    let mut html = String::new();
    let mut fact = |name: &str, text: &str| html.extend(["<li>", name, ": ", &escaped(text), "</li>"]);
    let actors: Vec<String> = event
        .actors
        .iter()
        .map(|actor| match &actor.role {
            Some(role) => format!("{} ({role})", actor.name),
            None => actor.name.clone(),
        })
        .collect();
    if !actors.is_empty() {
        fact("Actors", &actors.join("; "));
    }
    if let Some(place) = &event.place {
        fact("Place", &place_text(place));
    }
    if let Some(percent) = event.confidence {
        fact("Confidence", &format!("{percent}%"));
    }
    event.effects.iter().for_each(|effect| fact("Effect", &effect.to_string()));
    event.links.iter().for_each(|link| fact("Link", &format!("{} {}", link.rel, link.to)));
    html
}

fn place_text(place: &Place) -> String {
    match &place.precision {
        Some(precision) => format!("{} ({precision})", place.name),
        None => place.name.clone(),
    }
}

fn source(html: &mut String, source: &Source) {
    let named = source.title.as_deref().or(source.url.as_deref()).unwrap_or_default();
    html.push_str("<p>Source: ");
    anchor(html, named, source.url.as_deref());
    let more = [
        source.date.as_ref().map(ToString::to_string),
        source.locator.clone(),
        source.sha256.as_ref().map(|hash| format!("SHA-256 {hash}")),
    ];
    more.iter().flatten().for_each(|text| html.extend([", ", &escaped(text)]));
    if let Some(archived) = &source.archived {
        html.push_str(", ");
        anchor(html, "archived copy", Some(archived));
    }
    html.push_str("</p>");
    if let Some(quote) = &source.quote {
        html.extend(["<blockquote>", &escaped(quote), "</blockquote>"]);
    }
}

/// A link to an address of the web; anything else stays text.
fn anchor(html: &mut String, name: &str, url: Option<&str>) {
    match url.map(|url| (url, names::web_address(url))) {
        Some((_, Some(address))) => {
            html.extend(["<a href=\"", &escaped(&address), "\">", &escaped(name), "</a>"]);
        }
        Some((url, None)) if url != name => {
            html.extend([escaped(name).as_str(), " (", &escaped(url), ")"]);
        }
        _ => html.push_str(&escaped(name)),
    }
}

/// A text in which neither XML nor HTML finds anything to interpret. Line ends stay; every other character that is
/// not seen is written out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' => out.push(' '),
            '\r' if rest.peek() == Some(&'\n') => {}
            '\n' | '\r' => out.push('\n'),
            '\u{fffe}' | '\u{ffff}' => text::push_escape(&mut out, c),
            c if text::is_hidden(c) => text::push_escape(&mut out, c),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_interpreted() {
        let check = |text: &str, expect: &str| assert_eq!(escaped(text), expect);
        check("</title><script>&", "&lt;/title&gt;&lt;script&gt;&amp;");
        check("a\u{7}b\u{202e}c\u{0}", "a\\u{7}b\\u{202e}c\\u{0}");
        check("a\r\nb\rc\td", "a\nb\nc d");
        check("\u{ffff}\"'", "\\u{ffff}&quot;&#39;");
    }

    #[test]
    fn only_addresses_of_the_web_become_links() {
        let check = |name: &str, url: &str, expect: &str| {
            let mut html = String::new();
            anchor(&mut html, name, Some(url));
            assert_eq!(html, expect);
        };
        check("a", "https://x.org/?a&b", "<a href=\"https://x.org/?a&amp;b\">a</a>");
        check("a", "javascript:alert(1)", "a (javascript:alert(1))");
        check("javascript:x", "javascript:x", "javascript:x");
    }
}
