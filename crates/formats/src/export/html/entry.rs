//! One event in the page's list: everything that the event holds but for `extra`.

use annals_model::{Event, Place, Source};

use super::spoken::{says_all, spoken};
use super::{Head, Kept, Rows, escape};

/// Appends the event with an index among the rows.
///
/// There may be many: what HTML lets close by itself is not closed, and no name of ours is longer than it has to be.
pub fn entry(out: &mut String, head: &Head, rows: &Rows<'_>, index: usize) {
    let row = &rows.rows[index];
    let event = &row.event;
    out.extend(["<li id=e", &index.to_string(), ">"]);
    date(out, event);
    out.push_str("<div><h3>");
    escape::isolated(out, &event.title);
    out.push_str("</h3>");
    if !row.sure && head.as_of.is_some() {
        out.push_str("<p class=possibly>possibly, as its date allows");
    }
    if let Some(description) = &event.description {
        escape::paragraphs(out, description);
    }
    facts(out, head, rows, row);
    out.push_str("</div>\n");
}

fn date(out: &mut String, event: &Event) {
    out.push_str("<p>");
    match &event.date {
        None => out.push_str("<b>undated</b>"),
        Some(date) => {
            let said = spoken(date);
            out.extend(["<b>", &escape::plain(&said), "</b>"]);
            if said != date.as_str() {
                out.extend([" <code>", &escape::plain(date.as_str()), "</code>"]);
            }
            if !says_all(date) {
                out.extend([" <i>", &escape::plain(&date.explain()), "</i>"]);
            }
        }
    }
}

fn facts(out: &mut String, head: &Head, rows: &Rows<'_>, row: &Kept) {
    let event = &row.event;
    out.push_str("<dl>");
    if let Some(kind) = &event.kind {
        fact(out, "Kind", |out| escape::isolated(out, kind));
    }
    if let Some(place) = &event.place {
        fact(out, "Place", |out| self::place(out, place));
    }
    let actor = |out: &mut String, actor: &annals_model::Actor| {
        escape::isolated(out, &actor.name);
        if let Some(role) = &actor.role {
            out.push_str(" (");
            escape::isolated(out, role);
            out.push(')');
        }
    };
    listed(out, "Actors", &event.actors, actor);
    listed(out, "Tags", &event.tags, |out, tag| escape::isolated(out, tag));
    if let Some(percent) = event.confidence {
        fact(out, "Confidence", |out| out.extend([percent.to_string().as_str(), "%"]));
    }
    listed(out, "Links", &event.links, |out, link| {
        escape::isolated(out, &link.rel);
        out.push(' ');
        match rows.find(row.timeline, &link.to) {
            Some(to) => {
                out.extend(["<a href=#e", &to.to_string(), ">"]);
                escape::isolated(out, &rows.rows[to].event.title);
                out.push_str("</a>");
            }
            None => escape::isolated(out, link.to.as_str()),
        }
    });
    if head.timelines.len() > 1 {
        fact(out, "Timeline", |out| escape::isolated(out, head.timelines[row.timeline].as_str()));
    }
    fact(out, "Id", |out| {
        escape::isolated(out, event.id.as_str());
        let Kept { place, seq, recorded_at, .. } = row;
        let day = recorded_at.to_string();
        let day = day.split_once('T').map_or(day.as_str(), |(day, _)| day);
        let record = if place == seq {
            format!(", record {seq} of {day}")
        } else {
            format!(", record {place}, revised on {day} as record {seq}")
        };
        out.push_str(&record);
    });
    if !event.effects.is_empty() {
        fact(out, "Changes", |out| {
            out.push_str("<ul>");
            for effect in &event.effects {
                out.push_str("<li>");
                escape::isolated(out, &effect.to_string());
            }
            out.push_str("</ul>");
        });
    }
    sources(out, &event.sources);
    out.push_str("</dl>");
}

fn fact(out: &mut String, name: &str, value: impl FnOnce(&mut String)) {
    out.extend(["<dt>", name, "<dd>"]);
    value(out);
}

fn listed<T>(out: &mut String, name: &str, items: &[T], one: impl Fn(&mut String, &T)) {
    if items.is_empty() {
        return;
    }
    fact(out, name, |out| {
        for (index, item) in items.iter().enumerate() {
            out.push_str(if index == 0 { "" } else { "; " });
            one(out, item);
        }
    });
}

fn place(out: &mut String, place: &Place) {
    escape::isolated(out, &place.name);
    let point = place.lat.zip(place.lon).map(|(lat, lon)| format!("{lat}, {lon}"));
    let details: Vec<String> = point.into_iter().chain(place.precision.clone()).collect();
    if !details.is_empty() {
        out.push_str(" (");
        escape::isolated(out, &details.join("; "));
        out.push(')');
    }
}

fn sources(out: &mut String, sources: &[Source]) {
    if sources.is_empty() {
        return;
    }
    fact(out, "Sources", |out| {
        out.push_str("<ol>");
        for source in sources {
            out.push_str("<li>");
            if let Some(quote) = &source.quote {
                out.push_str("<blockquote>");
                escape::paragraphs(out, quote);
                out.push_str("</blockquote>");
            }
            cited(out, source);
        }
        out.push_str("</ol>");
    });
}

fn cited(out: &mut String, source: &Source) {
    let mut is_first = true;
    let mut part = |out: &mut String, write: &dyn Fn(&mut String)| {
        out.push_str(if std::mem::take(&mut is_first) { "" } else { ", " });
        write(out);
    };
    match (source.title.as_deref().or(source.url.as_deref()), source.url.as_deref()) {
        (Some(name), Some(url)) => part(out, &|out| escape::link(out, name, url)),
        (Some(name), None) => part(out, &|out| escape::isolated(out, name)),
        (None, _) => {}
    }
    if let Some(date) = &source.date {
        part(out, &|out| out.push_str(&escape::plain(&spoken(date))));
    }
    if let Some(locator) = &source.locator {
        part(out, &|out| escape::isolated(out, locator));
    }
    if let Some(archived) = &source.archived {
        part(out, &|out| escape::link(out, "archived copy", archived));
    }
    if let Some(hash) = &source.sha256 {
        part(out, &|out| out.extend(["SHA-256 <code title=", hash, ">", hash, "</code>"]));
    }
}
