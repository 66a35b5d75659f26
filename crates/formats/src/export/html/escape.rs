//! Text from outside as HTML: nothing of it is ever markup, and nothing of it is hidden.
//!
//! Characters that change what is seen without being seen are written out and marked as such; a text stands isolated
//! from the direction of what surrounds it. Only addresses of the web become links.

use crate::text;

/// Appends a text as content.
pub fn text(out: &mut String, text: &str) {
    for c in text.chars() {
        if text::is_hidden(c) {
            out.push_str("<span class=\"hidden-sign\">");
            text::push_escape(out, c);
            out.push_str("</span>");
        } else {
            push(out, c);
        }
    }
}

/// A text as content or as the value of an attribute, its hidden characters written out.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        if text::is_hidden(c) { text::push_escape(&mut out, c) } else { push(&mut out, c) }
    }
    out
}

/// A text without hidden characters, which is not escaped for HTML.
pub fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if text::is_hidden(c) { text::push_escape(&mut out, c) } else { out.push(c) }
    }
    out
}

/// Appends a text that keeps its own direction; one of ASCII has that of the page.
pub fn isolated(out: &mut String, content: &str) {
    if content.is_ascii() {
        return text(out, content);
    }
    out.push_str("<bdi>");
    text(out, content);
    out.push_str("</bdi>");
}

/// Appends paragraphs, the breaks of their lines kept. What comes next closes the last one: a list, or the end of what
/// they stand in.
pub fn paragraphs(out: &mut String, content: &str) {
    let content = content.replace("\r\n", "\n").replace('\r', "\n");
    let begin = if content.is_ascii() { "<p>" } else { "<p dir=auto>" };
    let mut is_open = false;
    for line in content.lines().map(str::trim_end) {
        match (line.is_empty(), is_open) {
            (true, _) => {}
            (false, true) => out.push_str("<br>"),
            (false, false) => out.push_str(begin),
        }
        is_open = !line.is_empty();
        text(out, &line.replace('\t', " "));
    }
}

/// Appends a link, or what would be one if it led to the web.
pub fn link(out: &mut String, name: &str, url: &str) {
    let Some((target, host)) = web(url) else {
        isolated(out, name);
        if name != url {
            out.push_str(" (");
            isolated(out, url);
            out.push(')');
        }
        return;
    };
    out.extend(["<a href=\"", &target, "\">"]);
    isolated(out, name);
    out.push_str("</a>");
    // Who reads a name sees where it leads; an address says so itself.
    if name != url {
        out.push_str(" <small>");
        isolated(out, host);
        out.push_str("</small>");
    }
}

/// An address of the web as the value of an attribute, and its host.
fn web(url: &str) -> Option<(String, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit('@').next().filter(|host| !host.is_empty())?;
    let mut target = String::with_capacity(url.len());
    for c in url.chars() {
        if c.is_whitespace() || text::is_hidden(c) {
            let mut bytes = [0; 4];
            target.extend(c.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")));
        } else {
            push(&mut target, c);
        }
    }
    Some((target, host))
}

fn push(out: &mut String, c: char) {
    match c {
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '&' => out.push_str("&amp;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        _ => out.push(c),
    }
}

/// JSON that may stand within a `script` element, where nothing may look like the end of one.
pub fn json(text: &str) -> String {
    text.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup_and_none_is_hidden() {
        let check = |content: &str, expect: &str| {
            let mut out = String::new();
            text(&mut out, content);
            assert_eq!(out, expect);
        };
        check("</p><script>'\"&", "&lt;/p&gt;&lt;script&gt;&#39;&quot;&amp;");
        check("a\u{202e}b", "a<span class=\"hidden-sign\">\\u{202e}</span>b");
        assert_eq!(plain("\"\u{7}"), "&quot;\\u{7}");
        assert_eq!(json("</script><!--\u{2028}"), "\\u003c/script>\\u003c!--\\u2028");
    }

    #[test]
    fn only_addresses_of_the_web_become_links() {
        let check = |name: &str, url: &str, expect: &str| {
            let mut out = String::new();
            link(&mut out, name, url);
            assert_eq!(out, expect);
        };
        check("a", "javascript:alert(1)", "a (javascript:alert(1))");
        check("x://", "javascript://x/%0Aalert(1)", "x:// (javascript://x/%0Aalert(1))");
        check(
            "a",
            "https://u@x.org/\"><b>",
            "<a href=\"https://u@x.org/&quot;&gt;&lt;b&gt;\">a</a> <small>x.org</small>",
        );
        check(
            "https://x.org/a b",
            "https://x.org/a b",
            "<a href=\"https://x.org/a%20b\">https://x.org/a b</a>",
        );
    }

    #[test]
    fn paragraphs_keep_their_lines() {
        let mut out = String::new();
        paragraphs(&mut out, "a\r\nb\n\n\nc\n");
        assert_eq!(out, "<p>a<br>b<p>c");
    }
}
