//! What a target has no field for, as lines of text that people read below a description.
//!
//! The lines follow from the event alone, so that an importer of ours can tell them from the description again.
//! Hidden characters are written out; the escaping that a target needs is its own.

use annals_model::{Event, Source};

use crate::text::{line, visible};

/// Which lines a target wants beside those that every target gets.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The date in words: the target does not show all of it.
    pub date: bool,
    /// The place: the target has no field for it.
    pub place: bool,
    /// The tags: the target has no labels.
    pub tags: bool,
}

/// The lines; a quotation may hold line breaks.
pub fn lines(event: &Event, wanted: Wanted) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(date) = event.date.as_ref().filter(|_| wanted.date) {
        lines.push(format!("Date: {} (EDTF {date})", date.words()));
    }
    if let Some(kind) = &event.kind {
        lines.push(format!("Kind: {}", line(kind)));
    }
    if let Some(place) = event.place.as_ref().filter(|_| wanted.place) {
        lines.push(format!("Place: {}", line(&place.name)));
    }
    if !event.actors.is_empty() {
        let actors = event.actors.iter().map(|actor| match &actor.role {
            Some(role) => format!("{} ({})", line(&actor.name), line(role)),
            None => line(&actor.name),
        });
        lines.push(format!("Actors: {}", actors.collect::<Vec<_>>().join("; ")));
    }
    if wanted.tags && !event.tags.is_empty() {
        let tags: Vec<String> = event.tags.iter().map(|tag| line(tag)).collect();
        lines.push(format!("Tags: {}", tags.join("; ")));
    }
    if let Some(percent) = event.confidence {
        lines.push(format!("Confidence: {percent}%"));
    }
    for source in &event.sources {
        lines.push(format!("Source: {}", citation(source)));
        if let Some(quote) = &source.quote {
            lines.push(format!("\u{201c}{}\u{201d}", visible(quote)));
        }
    }
    lines
}

/// A source on one line, without its words and without the hash, which says nothing to people.
pub fn citation(source: &Source) -> String {
    let date = source.date.as_ref().map(|date| date.as_str().to_owned());
    let archived = source.archived.as_ref().map(|url| format!("archived at {}", line(url)));
    let text = |text: &Option<String>| text.as_deref().map(line);
    let parts = [text(&source.title), text(&source.url), date, text(&source.locator), archived];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The first source that the web can show, and its address.
pub fn web_source(event: &Event) -> Option<(&Source, &str)> {
    event.sources.iter().find_map(|source| Some((source, web_address(source.url.as_deref()?)?)))
}

/// An address of the web that holds nothing which a program could read as something else.
pub fn web_address(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let is_clean =
        |c: char| !c.is_whitespace() && !crate::text::is_hidden(c) && !matches!(c, '"' | '<' | '>' | '\\');
    (is_web && !rest.is_empty() && rest.chars().all(is_clean)).then_some(url)
}
