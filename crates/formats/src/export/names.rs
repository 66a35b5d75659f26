//! Names that hold everywhere: the URIs under which other programs know a timeline, an event and its versions.
//!
//! They are `tag:` URIs (RFC 4151), which name and locate nothing. They follow from the timeline's name and the
//! event's id alone, so that every export of an event gives it the same name and a feed reader knows it again.
//! The authority is one that nobody can own: Annals does not know who keeps the timeline.

use std::fmt::Write;

use annals_model::{EventId, Seq, TimelineName};

/// What all the names begin with.
pub const BASE: &str = "tag:annals.invalid,2026:";

/// The name of a timeline.
pub fn timeline(name: &TimelineName) -> String {
    format!("{BASE}{}", encoded(name.as_str()))
}

/// The name of an event.
pub fn event(name: &TimelineName, id: &EventId) -> String {
    format!("{BASE}{}/{}", encoded(name.as_str()), encoded(id.as_str()))
}

/// The name of one version of an event: the record that brought it.
pub fn version(event: &str, seq: Seq) -> String {
    format!("{event}@{seq}")
}

/// A text as one part of a URI: everything but the unreserved characters of RFC 3986 is written in hexadecimal.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// An address of the web as a URI, with what may not stand in one written in hexadecimal; nothing for any other
/// text (`javascript:`).
pub fn web_address(url: &str) -> Option<String> {
    let (scheme, _) = url.split_once("://")?;
    if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
        return None;
    }
    let mut out = String::with_capacity(url.len());
    for byte in url.bytes() {
        let is_allowed = byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
        if is_allowed {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_events_share_a_name() {
        let name = |timeline: &str, id: &str| {
            event(&TimelineName::new(timeline).unwrap(), &EventId::new(id).unwrap())
        };
        assert_eq!(name("haiti", "un-2004"), "tag:annals.invalid,2026:haiti/un-2004");
        assert_eq!(name("haiti", "a/b@7 é"), "tag:annals.invalid,2026:haiti/a%2Fb%407%20%C3%A9");
        assert_eq!(version(&name("haiti", "a@1"), Seq(7)), "tag:annals.invalid,2026:haiti/a%401@7");
    }

    #[test]
    fn only_addresses_of_the_web_are_addresses() {
        assert_eq!(web_address("https://x.org/a b?c=<d>").as_deref(), Some("https://x.org/a%20b?c=%3Cd%3E"));
        assert_eq!(web_address("HTTP://x.org/é").as_deref(), Some("HTTP://x.org/%C3%A9"));
        assert_eq!(web_address("javascript:alert(1)"), None);
        assert_eq!(web_address("a title"), None);
    }
}
