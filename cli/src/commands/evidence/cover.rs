//! The page of a folder of evidence for people: what it is, what it proves and what not, the events, how to check.
//!
//! Plain HTML without scripts or anything from outside. All that comes from the data is escaped, and isolated where
//! it could turn the reading direction.

use std::fmt::{self, Write as _};

use annals_core::proof::checkpoint::Checkpoint;
use annals_core::{StoredRecord, hex};
use annals_model::{Content, Event, Question, Source};

use super::attached::{self, Kept};
use super::by_event;
use crate::ui::{counted, safe};

const STYLE: &str = "body{font:16px/1.5 Georgia,serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}\
h1,h2,h3{line-height:1.2}code,pre,.hash{font:14px/1.4 monospace;overflow-wrap:anywhere}pre{background:#f3f3f0;padding:.7rem;white-space:pre-wrap}\
article{border-top:1px solid #bbb;padding:.5rem 0}blockquote{margin:.4rem 0 .4rem 1rem;font-style:italic}.small{color:#555;font-size:.9rem}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#1b1b1b}pre{background:#2a2a2a}.small{color:#aaa}a{color:#8cf}}";

/// The page.
pub fn page(
    records: &[StoredRecord],
    checkpoint: &Checkpoint,
    key: Option<&str>,
    question: &Question,
    kept: &Kept,
) -> String {
    let mut page = String::with_capacity(16 * 1024);
    // Writing into a string cannot fail.
    let _ = write_page(&mut page, records, checkpoint, key, question, kept);
    page
}

fn write_page(
    out: &mut String,
    records: &[StoredRecord],
    checkpoint: &Checkpoint,
    key: Option<&str>,
    question: &Question,
    kept: &Kept,
) -> fmt::Result {
    let events = by_event(records);
    let title =
        format!("Evidence: {} of timeline {}", counted(events.len() as u64, "event"), question.timeline);
    writeln!(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
    writeln!(out, "<meta name=\"viewport\" content=\"width=device-width\">")?;
    writeln!(
        out,
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    )?;
    writeln!(out, "<title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>", escaped(&title))?;
    writeln!(out, "<main>\n<h1>{}</h1>", escaped(&title))?;
    write_what(out, records.len(), checkpoint, key)?;
    writeln!(out, "<h2>The events</h2>")?;
    for (shown, versions) in &events {
        write_event(out, shown, versions, kept)?;
    }
    write_how(out, key)?;
    writeln!(out, "</main>\n</body>\n</html>")
}

fn write_what(out: &mut String, records: usize, checkpoint: &Checkpoint, key: Option<&str>) -> fmt::Result {
    let records = counted(records as u64, "record");
    let size = counted(checkpoint.size(), "record");
    writeln!(
        out,
        "<p>This folder holds {records} out of a log of {size}, kept with Annals, and what is needed to check \
         that they stood in it as they stand here. The log can only be added to: a correction or a withdrawal is \
         a further record, and the folder has all records that the log had of these events.</p>"
    )?;
    writeln!(out, "<p>Root of the log: <span class=\"hash\">{}</span></p>", hex(checkpoint.root()))?;
    let signers: Vec<String> =
        checkpoint.note().signatures().iter().map(|signature| isolated(signature.name())).collect();
    match (signers.as_slice(), key) {
        ([], _) => writeln!(out, "<p>The checkpoint is not signed.</p>")?,
        (_, Some(key)) => writeln!(
            out,
            "<p>The checkpoint is signed with the key <span class=\"hash\">{}</span></p>",
            isolated(key)
        )?,
        (signers, None) => {
            writeln!(out, "<p>The checkpoint carries signatures by {}.</p>", signers.join(" and "))?;
        }
    }
    writeln!(
        out,
        "<h2>What it proves</h2>\n<ul>\n\
         <li>Each record is, byte for byte, in the log that has this root: its content, who recorded it, and when \
         the log says that it was recorded.</li>\n\
         <li>Whoever has held this root since some day knows that the records are no younger than that day. Compare \
         the root with one that was published, or that somebody has kept.</li>\n\
         <li>If the signature is right and the key is that of whom you take it for, they vouched for this log.</li>\n\
         </ul>\n<h2>What it does not prove</h2>\n<ul>\n\
         <li>That what the records say is true. The sources stand with the events.</li>\n\
         <li>That the record times are right: they are what the clock of the recorder showed.</li>\n\
         <li>That the log has nothing else about the matter, or that nothing was corrected later.</li>\n\
         <li>That this page is right: it was made from the records, and <code>verify.py</code> prints them from \
         what it has checked.</li>\n</ul>"
    )
}

fn write_event(
    out: &mut String,
    shown: &StoredRecord,
    versions: &[&StoredRecord],
    kept: &Kept,
) -> fmt::Result {
    let Content::Event(event) = &shown.record.content else { return Ok(()) };
    writeln!(out, "<article>\n<h3>{}</h3>", isolated(&event.title))?;
    match &event.date {
        Some(date) => writeln!(
            out,
            "<p><strong>{}</strong> <span class=\"small\">{}</span></p>",
            isolated(date.as_str()),
            escaped(&date.explain())
        )?,
        None => writeln!(out, "<p><strong>undated</strong></p>")?,
    }
    if let Some(text) = &event.description {
        writeln!(out, "<p>{}</p>", isolated(text))?;
    }
    for source in &event.sources {
        write_source(out, source, kept)?;
    }
    writeln!(out, "<ul class=\"small\">")?;
    for stored in versions {
        write_version(out, stored, event)?;
    }
    writeln!(out, "</ul>\n</article>")
}

fn write_version(out: &mut String, stored: &StoredRecord, shown: &Event) -> fmt::Result {
    let record = &stored.record;
    let what = match &record.content {
        Content::Event(event) if **event == *shown => String::new(),
        Content::Event(event) => {
            let date = event.date.as_ref().map_or("undated", |date| date.as_str());
            format!(": {}, {}", isolated(date), isolated(&event.title))
        }
        Content::Reason(reason) => format!(": {}", isolated(reason)),
        Content::Redacted => ": content redacted".to_owned(),
    };
    writeln!(
        out,
        "<li>record {} of {} by {}: {} {}{what}</li>",
        record.seq,
        record.recorded_at,
        isolated(&record.recorded_by),
        record.op,
        isolated(record.id.as_str())
    )
}

fn write_source(out: &mut String, source: &Source, kept: &Kept) -> fmt::Result {
    if let Some(quote) = &source.quote {
        writeln!(out, "<blockquote>“{}”</blockquote>", isolated(quote))?;
    }
    let mut parts: Vec<String> = Vec::new();
    parts.extend(source.title.as_deref().map(isolated));
    parts.extend(source.locator.as_deref().map(isolated));
    parts.extend(source.date.as_ref().map(|date| isolated(date.as_str())));
    parts.extend(source.url.as_deref().map(link));
    parts.extend(source.archived.as_deref().map(|url| format!("archived at {}", link(url))));
    parts.extend(
        source.sha256.as_deref().map(|hash| format!("SHA-256 <span class=\"hash\">{}</span>", escaped(hash))),
    );
    let along = source.sha256.as_deref().filter(|hash| kept.contains_key(*hash));
    parts.extend(along.map(|hash| the_file(hash, source.attached().map_or(hash, |(_, name)| name))));
    if parts.is_empty() { Ok(()) } else { writeln!(out, "<p class=\"small\">{}</p>", parts.join(", ")) }
}

fn write_how(out: &mut String, key: Option<&str>) -> fmt::Result {
    let key = key.map_or("NAME+ID+KEY".to_owned(), isolated);
    writeln!(
        out,
        "<h2>How to check it</h2>\n\
         <p>With Python 3.8 or newer, in this folder, without a network; the second line takes a key that you \
         know from elsewhere, and not from this folder:</p>\n\
         <pre>python3 verify.py\npython3 verify.py '{key}'</pre>\n\
         <p>With Annals, and a checkpoint that you have kept or been given:</p>\n\
         <pre>annals verify --proof . --checkpoint CHECKPOINT --public-key '{key}'</pre>\n\
         <p>By hand: <code>sha256sum -c SHA256SUMS</code> says whether a file was damaged on its way. A record's leaf is \
         SHA-256 over its fields and a salted commitment to its content, as FORMAT.md of Annals says under “Leaf”; \
         the paths in <code>proofs.json</code> are those of RFC 6962, and <code>checkpoint.txt</code> is a signed \
         note (C2SP tlog-checkpoint, Ed25519). If there is a <code>checkpoint.txt.tsr</code>, <code>openssl ts \
         -verify -data checkpoint.txt -in checkpoint.txt.tsr -CAfile CA.pem</code> says when a time-stamping authority \
         saw it. <code>attachments.jsonl</code> lists the files that the sources name by \
         their SHA-256. Those in <code>attachments</code> have it for their name; compare others that you \
         have with <code>sha256sum</code>.</p>"
    )
}

/// A link to a file of the folder, to be saved under a name: a browser that opened it would do as it says.
fn the_file(hash: &str, name: &str) -> String {
    let (hash, name) = (escaped(hash), escaped(name));
    format!("<a download=\"{name}\" href=\"{}/{hash}\">the file is in this folder</a>", attached::DIRECTORY)
}

/// An address as a link, if it is one of the web.
fn link(url: &str) -> String {
    let of_the_web = url.starts_with("https://") || url.starts_with("http://");
    if of_the_web {
        format!("<a rel=\"noopener noreferrer\" href=\"{}\">{}</a>", escaped(url), isolated(url))
    } else {
        isolated(url)
    }
}

/// Text of the data, which may run in either direction.
fn isolated(text: &str) -> String {
    format!("<bdi>{}</bdi>", escaped(text))
}

/// Text that HTML takes as text, with what nobody can see made visible.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in safe(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}
