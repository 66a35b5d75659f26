//! The page around the events: its head with the security policy, what stands above and below, and the script.

use std::io;

use annals_model::{Date, Filter};
use base64ct::{Base64, Encoding as _};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::data::Events;
use super::entry::entry;
use super::spoken::spoken;
use super::states::States;
use super::{Head, Rows, escape};
use crate::export::ExportError;
use crate::text;

const STYLE: &str = include_str!("style.css");

/// One script of several files, each of which is about one part of the page.
const SCRIPT: &str = concat!(
    "(() => {\n'use strict';\n",
    include_str!("script/dom.js"),
    include_str!("script/calendar.js"),
    include_str!("script/data.js"),
    include_str!("script/chart.js"),
    include_str!("script/state.js"),
    include_str!("script/list.js"),
    include_str!("script/main.js"),
    "})();\n"
);

/// What stands still: the places that the script fills are hidden until it does.
const CONTROLS: &str = include_str!("controls.html");
const STATE: &str = include_str!("state.html");
const KEY: &str = include_str!("key.html");

/// What the script is told.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    events: Events<'a>,
    states: &'a States,
}

/// Writes the whole page.
pub fn write(
    head: &Head,
    rows: &Rows<'_>,
    states: &States,
    out: &mut dyn io::Write,
) -> Result<(), ExportError> {
    let title = escape::plain(&head.title);
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; base-uri 'none'; form-action 'none'",
        hash(SCRIPT),
        hash(STYLE)
    );
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"generator\" content=\"Annals\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<a class=\"skip\" href=\"#events\">Skip to the events</a>\n"
    )?;
    out.write_all(masthead(head, rows).as_bytes())?;
    write!(out, "<main>\n{CONTROLS}<div class=\"columns\">\n{STATE}")?;
    let filters = include_str!("filters.html");
    write!(
        out,
        "<section id=\"events\" aria-labelledby=\"events-title\" tabindex=\"-1\">\n{filters}<ol id=\"list\">\n"
    )?;
    let mut item = String::new();
    for index in 0..rows.rows.len() {
        item.clear();
        entry(&mut item, head, rows, index);
        out.write_all(item.as_bytes())?;
    }
    let told = serde_json::to_string(&Told { events: Events::of(head, rows), states })?;
    write!(
        out,
        "</ol>\n</section>\n</div>\n</main>\n{KEY}<script type=\"application/json\" id=\"data\">{}</script>\n\
         <script>{SCRIPT}</script>\n</body>\n</html>\n",
        escape::json(&told)
    )?;
    Ok(())
}

/// A source as a policy names it by its content.
fn hash(content: &str) -> String {
    format!("sha256-{}", Base64::encode_string(&Sha256::digest(content.as_bytes())))
}

fn masthead(head: &Head, rows: &Rows<'_>) -> String {
    let mut out = String::from("<header class=\"masthead\">\n<h1>");
    escape::isolated(&mut out, &head.title);
    out.push_str("</h1>\n<p class=\"standfirst\">");
    let names: Vec<&str> = head.timelines.iter().map(annals_model::TimelineName::as_str).collect();
    if names.join(", ") != head.title && !names.is_empty() {
        out.push_str(if names.len() == 1 { "Timeline " } else { "Timelines " });
        escape::isolated(&mut out, &names.join(", "));
        out.push_str(" · ");
    }
    out.push_str(&counted(rows));
    if let Some(as_of) = &head.as_of {
        out.extend([" · as of ", &escape::plain(&spoken(as_of.date()))]);
    }
    if let Some(position) = head.known_at {
        out.extend([" · known at record ", &position.seq.to_string()]);
        if let Some(at) = position.recorded_at {
            let day = at.to_string();
            let day = day.split_once('T').and_then(|(day, _)| Date::parse(day).ok());
            out.push_str(&day.map_or_else(String::new, |day| format!(" of {}", spoken(&day))));
        }
    }
    out.push_str("</p>\n");
    if !head.filter.is_empty() {
        out.push_str("<p class=\"scope\">Only events ");
        escape::text(&mut out, &chosen(&head.filter));
        out.push_str(".</p>\n");
    }
    out.push_str(
        "<button type=\"button\" id=\"theme\" hidden>Dark</button>\n</header>\n<noscript><p class=\"note\">The \
         drawing, the state at every date and the search need a script. Every event stands below.</p></noscript>\n",
    );
    out
}

fn counted(rows: &Rows<'_>) -> String {
    let all = rows.rows.len();
    let undated = rows.rows.iter().filter(|row| row.event.date.is_none()).count();
    let events = if all == 1 { "event" } else { "events" };
    let told = |count: usize| text::thousands(count as u64);
    match undated {
        0 => format!("{} {events}", told(all)),
        _ => format!("{} {events}, {} of them undated", told(all), told(undated)),
    }
}

/// A filter in words.
fn chosen(filter: &Filter) -> String {
    let lists = [
        ("of the kind", &filter.kind),
        ("with the actor", &filter.actor),
        ("at the place", &filter.place),
        ("tagged", &filter.tag),
        ("about", &filter.entity),
        ("that mention", &filter.text),
        ("with the source", &filter.source),
    ];
    let mut parts: Vec<String> = lists
        .iter()
        .filter(|(_, wanted)| !wanted.is_empty())
        .map(|(what, wanted)| format!("{what} {}", wanted.join(" or ")))
        .collect();
    parts.extend(filter.from.as_ref().map(|date| format!("from {}", spoken(date))));
    parts.extend(filter.to.as_ref().map(|date| format!("until {}", spoken(date))));
    parts.join(", ")
}
